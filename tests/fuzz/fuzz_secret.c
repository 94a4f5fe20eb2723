/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any text as a sealed secret, from a script, a backup or a peer; the first byte chooses how it
 * comes. Text that this unit did not seal is never opened; what was typed in clear is sealed to
 * text that opens to it again, and of a sealed text that was tampered with nothing opens.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cfgdb/password.h"
#include "cfgdb/secret.h"
#include "schemas/schema_gen.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct keyring *ring;

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
	char dir[] = "/tmp/gatehouse-fuzz.XXXXXX";
	AUTO_FREE char *path = NULL;

	(void)argc;
	(void)argv;
	promise(mkdtemp(dir) != NULL, "there is a temporary directory");
	path = xasprintf("%s/device.key", dir);
	ring = keyring_open(path, true, NULL);
	promise(ring != NULL, "there is a key");
	unlink(path);
	rmdir(dir);
	return 0;
}

static void check_foreign(const char *text) {
	AUTO_FREE char *sealed = xasprintf("ENC %s", text);
	struct err err = { 0 };
	char *plain = NULL;

	promise(secret_unseal(ring, text, &plain, &err) != 0 && !plain,
		"foreign text does not open");
	if (secret_unseal(ring, sealed, &plain, NULL) == 0) { /* no key has made that of a hash */
		AUTO_FREE char *same = password_text(plain);

		promise(same && strcmp(same, sealed) == 0, "only the text of a hash does");
		free(plain);
		return;
	}
	promise(secret_unseal(ring, sealed, &plain, &err) != 0 && !plain, "nor after the word ENC");
	promise(err.code == ERR_VALUE && *err.text, "and the error says so");
}

static void check_object(const char *text) {
	const struct schema_table *table = schema_tables[TBL_SYSTEM_AUTO_SCALE];
	AUTO_FREE char *body = xasprintf("set psksecret %s\n", text);
	struct object *obj = object_new(table, "");
	struct err err = { 0 };

	if (text_parse(obj, body, &err) == 0 && object_get(obj, SYSTEM_AUTO_SCALE__PSKSECRET)) {
		AUTO_FREE char *typed = xstrdup(object_str(obj, SYSTEM_AUTO_SCALE__PSKSECRET));
		int rc = secret_seal_object(ring, obj, NULL, &err);
		char *plain = NULL;

		promise((rc == 0) == (*typed == '='), "only what was typed in clear is taken");
		if (rc == 0) {
			const char *sealed = object_str(obj, SYSTEM_AUTO_SCALE__PSKSECRET);

			promise(secret_unseal(ring, sealed, &plain, NULL) == 0,
				"what was sealed opens");
			promise(strcmp(plain, typed + 1) == 0, "to what was typed");
		}
		free(plain);
	}
	object_free(obj);
}

/* The bytes change as many characters of sealed text. */
static void check_tampered(const uint8_t *data, size_t size) {
	AUTO_FREE char *sealed = secret_seal(ring, "the secret of the group"),
		       *bad = xstrdup(sealed);
	size_t len = strlen(bad);
	char *plain = NULL;

	for (size_t i = 0; i + 1 < size; i += 2)
		if (data[i + 1])
			bad[4 + data[i] % (len - 4)] = (char)data[i + 1];
	if (strcmp(bad, sealed) != 0)
		promise(secret_unseal(ring, bad, &plain, NULL) != 0, "tampered text does not open");
	free(plain);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	AUTO_FREE char *text = NULL;

	if (size < 1)
		return 0;
	text = xstrndup((const char *)data + 1, size - 1);
	if (data[0] % 3 == 0)
		check_foreign(text);
	else if (data[0] % 3 == 1)
		check_object(text);
	else
		check_tampered(data + 1, size - 1);
	return 0;
}
