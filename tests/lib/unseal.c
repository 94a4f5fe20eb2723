/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is in a secret of a unit: unseal STATE TEXT prints the clear text of "ENC TEXT", for which it
 * needs the unit's key, in its state directory, or as the last argument the private key that it was
 * sealed with. The same secret looks different on each unit.
 */
#include <stdio.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/secret.h"

int main(int argc, char **argv) {
	AUTO_FREE char *path = argc >= 3 ? xasprintf("%s/device.key", argv[1]) : NULL;
	AUTO_FREE char *sealed = argc >= 3 ? xasprintf("ENC %s", argv[2]) : NULL;
	AUTO_FREE char *plain = NULL;
	struct err err = { 0 };
	struct keyring *k;

	if (argc < 3 || argc > 4 || (argc == 4 && !keyring_is_private(argv[3]))) {
		fputs("usage: unseal STATE TEXT [KEY]\n", stderr);
		return 2;
	}
	k = keyring_open(path, false, &err);
	if (k && argc == 4)
		keyring_private(k, argv[3]);
	if (!k || secret_unseal(k, sealed, &plain, &err) != 0)
		fprintf(stderr, "unseal: %s\n", err.text);
	else
		puts(plain);
	keyring_close(k);
	return plain ? 0 : 1;
}
