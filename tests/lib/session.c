/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What sshd and its modules ask of the daemon, from a script:
 *
 *     session SOCKET name NAME | uid UID | keys NAME
 *     session SOCKET auth NAME SOURCE PASSWORD     an empty source is the console
 *     session SOCKET account NAME SOURCE
 *     session SOCKET password NAME OLD NEW
 *     session SOCKET self
 *     session SOCKET run NAME SOURCE PROGRAM [WORD...]
 *
 * prints the answer as one line, or the keys. `run` begins a session and becomes the program under
 * the administrator's uid. Exit status: 0 for AAA_OK, 1 for a refusal, 2 for all else.
 */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/aaa/aaa_client.h"

static int report(int type, const struct aaa_account *a) {
	static const char *const words[] = { "ok", "not found", "denied", "busy" };

	if (type < AAA_OK) {
		puts("away");
		return 2;
	}
	printf("%s", words[type - AAA_OK]);
	if (type == AAA_OK && a->uid)
		printf(" %s uid=%u session=%u idle=%u flags=%u %s", a->name, a->uid, a->session,
		       a->idle_s, a->flags, a->origin);
	if (*a->text)
		printf(" %s", a->text);
	putchar('\n');
	return type == AAA_OK ? 0 : 1;
}

static struct aaa_login login_of(char *words[]) {
	return (struct aaa_login){ .service = *words[1] ? AAA_SSH : AAA_CONSOLE,
				   .name = words[0],
				   .source = words[1],
				   .tty = "pts/0" };
}

static int become(const char *path, char *words[]) {
	const struct aaa_login login = login_of(words);
	struct aaa_account a;
	int type = aaa_client_begin(path, &login, &a);

	if (type != AAA_OK)
		return report(type, &a);
	if (setgroups(0, NULL) == 0 && setgid(a.gid) == 0 && setuid(a.uid) == 0)
		execvp(words[2], words + 2);
	perror(words[2]);
	return 2;
}

static int keys(const char *path, const char *name) {
	char text[AAA_KEYS_MAX + 1];
	const struct aaa_account none = { .uid = 0 };
	int type = aaa_client_keys(path, name, text, sizeof(text));

	if (type != AAA_OK)
		return report(type, &none);
	fputs(text, stdout);
	return 0;
}

static int ask(const char *path, const char *what, char *words[]) {
	struct aaa_account a = { .uid = 0 };
	struct aaa_login login;

	if (strcmp(what, "name") == 0)
		return report(aaa_client_name(path, words[0], &a), &a);
	if (strcmp(what, "uid") == 0)
		return report(aaa_client_uid(path, (uint32_t)atoi(words[0]), &a), &a);
	if (strcmp(what, "self") == 0)
		return report(aaa_client_self(path, &a), &a);
	if (strcmp(what, "password") == 0)
		return report(aaa_client_password(path, words[0], words[1], words[2], &a), &a);
	login = login_of(words);
	if (strcmp(what, "auth") == 0)
		return report(aaa_client_auth(path, &login, words[2], &a), &a);
	return report(aaa_client_account(path, &login, &a), &a);
}

int main(int argc, char *argv[]) {
	static const struct {
		const char *what;
		int words;
	} forms[] = { { "name", 1 }, { "uid", 1 }, { "keys", 1 }, { "self", 0 }, { "auth", 3 },
		      { "account", 2 }, { "password", 3 }, { "run", 3 } };

	for (size_t i = 0; argc > 2 && i < sizeof(forms) / sizeof(forms[0]); i++) {
		if (strcmp(argv[2], forms[i].what) != 0 || argc - 3 < forms[i].words)
			continue;
		if (strcmp(argv[2], "run") == 0)
			return become(argv[1], argv + 3);
		if (strcmp(argv[2], "keys") == 0)
			return keys(argv[1], argv[3]);
		return ask(argv[1], argv[2], argv + 3);
	}
	fputs("usage: session SOCKET name|uid|keys|self|auth|account|password|run ...\n", stderr);
	return 2;
}
