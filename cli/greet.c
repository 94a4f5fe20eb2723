/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon knows the session by its process and says what is due. Keys are read one at a time,
 * unechoed, so that what was typed ahead stays for the first command. Who waits for longer than the
 * session may be idle is logged out here as well.
 *
 * Texts and order are those that programs which log in expect: one key, without a return, accepts
 * the banner; a password that is due is asked for twice.
 */
#include "cli/greet.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ttydefaults.h>
#include <termios.h>
#include <unistd.h>

#include "cfgdb/aaa/aaa_client.h"
#include "cfgdb/base/mem.h"

#define DELETE 0x7f
#define TRIES_MAX 3

static const char banner[] =
	"This system is for its administrators. What is done here is recorded.\n";
static const char question[] = "(Press 'a' to accept):";

/* Who logged in. */
struct greet {
	char *socket;
	struct aaa_account account;
	bool accepted;
};

static void say(const char *text) {
	fputs(text, stdout);
	fflush(stdout);
}

/* The next key, or -1 when the terminal is gone or nobody types. */
static int wait_key(const struct greet *g) {
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };
	int wait_ms = g->account.idle_s ? (int)g->account.idle_s * 1000 : -1, n;
	unsigned char key;

	while ((n = poll(&ready, 1, wait_ms)) < 0 && errno == EINTR)
		;
	if (n == 0) {
		say("\nTimeout\n");
		(void)aaa_client_end(g->socket, g->account.session);
	}
	return n > 0 && read(STDIN_FILENO, &key, 1) == 1 ? key : -1;
}

/* ---- the banner ---- */

static bool accept_banner(struct greet *g) {
	int key;

	say(banner);
	say(question);
	do {
		key = wait_key(g);
	} while (key == '\r' || key == '\n');
	g->accepted = key == 'a' || key == 'A';
	say(g->accepted ? "a\n" : "\n");
	return g->accepted;
}

/* ---- a new password ---- */

/* Into text, which has room for AAA_PASSWORD_MAX bytes; false when nobody types it. */
static bool ask_password(const struct greet *g, const char *prompt, char *text) {
	size_t len = 0;
	int key;

	say(prompt);
	while ((key = wait_key(g)) >= 0 && key != '\r' && key != '\n') {
		if (key == CTRL('C') || key == CTRL('D'))
			break;
		if (key == CTRL('U'))
			len = 0;
		else if (key == DELETE || key == CTRL('H'))
			len -= len > 0;
		else if (len < AAA_PASSWORD_MAX)
			text[len++] = (char)key;
	}
	text[len] = '\0';
	say("\n");
	return key == '\r' || key == '\n';
}

/* 1: it is set; 0: another try; -1: nobody is there. */
static int try_password(const struct greet *g, char *first, char *second) {
	struct aaa_account answer = { .uid = 0 };
	int type;

	if (!ask_password(g, "New Password:", first) ||
	    !ask_password(g, "Confirm Password:", second))
		return -1;
	if (strcmp(first, second) != 0) {
		say("The passwords are not the same.\n");
		return 0;
	}
	type = aaa_client_password(g->socket, g->account.name, "", first, &answer);
	if (type == AAA_OK)
		return 1;
	say(*answer.text ? answer.text : "the password cannot be set");
	say("\n");
	return type == AAA_DENIED ? 0 : -1;
}

static bool change_password(const struct greet *g) {
	char first[AAA_PASSWORD_MAX + 1], second[AAA_PASSWORD_MAX + 1];
	int rc = 0;

	say("You are forced to change your password. Please input a new password.\n");
	for (int i = 0; i < TRIES_MAX && rc == 0; i++)
		rc = try_password(g, first, second);
	explicit_bzero(first, sizeof(first));
	explicit_bzero(second, sizeof(second));
	if (rc > 0)
		say("Welcome!\n");
	return rc > 0;
}

/* ---- both ---- */

static bool set_raw(struct termios *before) {
	struct termios raw;

	if (tcgetattr(STDIN_FILENO, before) != 0)
		return false;
	raw = *before;
	raw.c_lflag &= ~(tcflag_t)(ECHO | ICANON | ISIG);
	raw.c_iflag &= ~(tcflag_t)ICRNL;
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	return tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static bool greet_terminal(struct greet *g) {
	struct termios before;
	bool go_on = true;

	if (!(g->account.flags & (AAA_BANNER | AAA_MUST_CHANGE)))
		return true;
	if (!set_raw(&before))
		return false;
	if (g->account.flags & AAA_BANNER)
		go_on = accept_banner(g);
	if (go_on && (g->account.flags & AAA_MUST_CHANGE))
		go_on = change_password(g);
	return tcsetattr(STDIN_FILENO, TCSANOW, &before) == 0 && go_on;
}

static bool greet_silent(const struct greet *g) {
	if (!(g->account.flags & AAA_MUST_CHANGE))
		return true;
	fputs("gatehouse: a new password has to be set first: log in at a terminal\n", stderr);
	return false;
}

/* The socket for logins, beside that for commands; to be freed by the caller. */
static char *aaa_socket(const char *control_socket) {
	const char *slash = strrchr(control_socket, '/');
	int folder = slash ? (int)(slash - control_socket) + 1 : 0;

	return xasprintf("%.*s%s", folder, control_socket, AAA_SOCKET_NAME);
}

void greet_idle(const char *control_socket) {
	AUTO_FREE char *path = aaa_socket(control_socket);
	struct aaa_account self;

	/* Whoever has no session ends none; what cannot be told is an end like any other. */
	if (aaa_client_self(path, &self) == AAA_OK)
		(void)aaa_client_end(path, self.session);
}

bool greet(const char *control_socket, bool terminal, struct greeting *ret) {
	struct greet g = { .socket = NULL };
	bool go_on;

	*ret = (struct greeting){ .idle_s = 0 };
	if (getuid() < AAA_UID_MIN || getuid() > AAA_UID_MAX)
		return true;
	g.socket = aaa_socket(control_socket);
	go_on = aaa_client_self(g.socket, &g.account) == AAA_OK;
	if (!go_on)
		fprintf(stderr, "gatehouse: %s\n",
			*g.account.text ? g.account.text
					: "this is no session of an administrator");
	else
		go_on = terminal ? greet_terminal(&g) : greet_silent(&g);
	*ret = (struct greeting){ g.account.idle_s, g.accepted };
	free(g.socket);
	return go_on;
}
