/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-keys NAME: what sshd runs (AuthorizedKeysCommand) to learn the keys of who logs in. It
 * prints the lines that the daemon gives, which bring the networks of the administrator as `from`;
 * for everybody else, and while the daemon is away, it prints nothing, which lets no key in.
 */
#include <stdio.h>

#include "cfgdb/aaa_client.h"
#include "cli/login/paths.h"

static char text[AAA_KEYS_MAX + 1];

int main(int argc, char *argv[]) {
	if (argc != 2) {
		fputs("usage: gatehouse-keys NAME\n", stderr);
		return 2;
	}
	if (aaa_client_keys(LOGIN_SOCKET, argv[1], text, sizeof(text)) != AAA_OK)
		return 0;
	return fputs(text, stdout) < 0 || fflush(stdout) != 0;
}
