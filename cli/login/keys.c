/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-keys NAME UID: what sshd runs (AuthorizedKeysCommand) to learn the keys of who logs in.
 * It prints the lines that the daemon gives, which bring the networks of the administrator as
 * `from`; for everybody else, and while the daemon is away, it prints nothing: no key is let in.
 *
 * The uid is that of the account which sshd is about to open: a user of the machine may have the
 * name of an administrator, and is not let in by his keys.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cfgdb/aaa/aaa_client.h"
#include "cli/login/paths.h"

static char text[AAA_KEYS_MAX + 1];

static bool is_administrator(const char *uid_text) {
	unsigned long uid = strtoul(uid_text, NULL, 10);

	return uid >= AAA_UID_MIN && uid <= AAA_UID_MAX;
}

int main(int argc, char *argv[]) {
	if (argc != 3) {
		fputs("usage: gatehouse-keys NAME UID\n", stderr);
		return 2;
	}
	if (!is_administrator(argv[2]) ||
	    aaa_client_keys(LOGIN_SOCKET, argv[1], text, sizeof(text)) != AAA_OK)
		return 0;
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}
