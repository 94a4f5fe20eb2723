/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-keys NAME UID: what sshd runs (AuthorizedKeysCommand) to learn the keys of who logs in.
 * It prints the lines that the daemon gives, which bring the networks of the administrator as
 * `from`; for everybody else, and while the daemon is away, it prints nothing, and no key gets in.
 *
 * The uid is that of the account sshd is about to use: a user of the machine's files may be called
 * like an administrator, and must not be had with the administrator's key.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cfgdb/aaa_client.h"
#include "cli/login/paths.h"

static char text[AAA_KEYS_MAX + 1];

static bool is_administrator(const char *uid) {
	char *end;
	unsigned long n = strtoul(uid, &end, 10);

	return *uid && !*end && n >= AAA_UID_MIN && n <= AAA_UID_MAX;
}

int main(int argc, char *argv[]) {
	if (argc != 3) {
		fputs("usage: gatehouse-keys NAME UID\n", stderr);
		return 2;
	}
	if (!is_administrator(argv[2]))
		return 0;
	if (aaa_client_keys(LOGIN_SOCKET, argv[1], text, sizeof(text)) != AAA_OK)
		return 0;
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}
