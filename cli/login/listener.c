/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehouse-listener runs the SSH server for administrators with what `config system global` says:
 * port, time for the login, banner. It asks the daemon now and then; when something has changed the
 * server is started anew, while logins that stand go on, for they are processes of their own.
 *
 * What it learns goes to the command line as numbers and as a choice, never as text of somebody
 * else: the server runs as root and the daemon does not. While the daemon is away the server runs
 * on with what was known last, at first the defaults, for the local accounts.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/client.h"
#include "cli/login/paths.h"
#include "schemas/schema_gen.h"

#define ASK_S 2
#define WAIT_S 5         /* for an answer */

struct settings {
	unsigned int port, grace_s;
	bool banner;
};

struct listener {
	const char *socket, *sshd, *config, *banner;
	struct settings settings;
	struct client *client;   /* NULL: the daemon is away */
	pid_t server;
};

/* ---- what the daemon says ---- */

static int ask(struct listener *l, struct settings *ret) {
	const struct schema_table *table = schema_table(TBL_SYSTEM_GLOBAL);
	struct object *global;
	struct err err;
	int rc;

	if (!l->client)
		l->client = client_open_within(l->socket, WAIT_S, &err);
	if (!l->client)
		return err.code;
	rc = client_get(l->client, table, "", &global, &err);
	if (rc != 0) {
		client_close(l->client);
		l->client = NULL;
		return rc;
	}
	ret->port = (unsigned int)object_num(global, SYSTEM_GLOBAL__ADMIN_SSH_PORT);
	ret->grace_s = (unsigned int)object_num(global, SYSTEM_GLOBAL__ADMIN_SSH_GRACE_TIME);
	ret->banner = object_is(global, SYSTEM_GLOBAL__PRE_LOGIN_BANNER, "enable");
	object_free(global);
	return 0;
}

/* True when something is to be done otherwise from now on. */
static bool learn(struct listener *l) {
	struct settings now = l->settings;
	bool changed;

	if (ask(l, &now) != 0)
		return false;
	changed = now.port != l->settings.port || now.grace_s != l->settings.grace_s ||
		  now.banner != l->settings.banner;
	l->settings = now;
	return changed;
}

/* ---- the server ---- */

static void become_server(const struct listener *l, const sigset_t *before) {
	char port[16], grace[32], banner[512];

	snprintf(port, sizeof(port), "-p%u", l->settings.port);
	snprintf(grace, sizeof(grace), "-oLoginGraceTime=%u", l->settings.grace_s);
	snprintf(banner, sizeof(banner), "-oBanner=%s", l->settings.banner ? l->banner : "none");
	sigprocmask(SIG_SETMASK, before, NULL);
	execl(l->sshd, l->sshd, "-D", "-e", "-f", l->config, port, grace, banner, (char *)NULL);
	fprintf(stderr, "gatehouse-listener: %s: %s\n", l->sshd, strerror(errno));
	_exit(1);
}

static bool start(struct listener *l, const sigset_t *before) {
	l->server = fork();
	if (l->server == 0)
		become_server(l, before);
	if (l->server < 0)
		fprintf(stderr, "gatehouse-listener: %s\n", strerror(errno));
	return l->server > 0;
}

/* The server ends when it is told; its sessions are left. */
static void stop(struct listener *l) {
	if (l->server <= 0)
		return;
	kill(l->server, SIGTERM);
	while (waitpid(l->server, NULL, 0) < 0 && errno == EINTR)
		;
	l->server = 0;
}

static bool server_has_ended(struct listener *l) {
	if (waitpid(l->server, NULL, WNOHANG) != l->server)
		return false;
	l->server = 0;
	return true;
}

/* Until a signal says that this is the end, or the server ends by itself, which is a failure. */
static int run(struct listener *l, const sigset_t *watched, const sigset_t *before) {
	const struct timespec pause = { .tv_sec = ASK_S };

	(void)learn(l);
	if (!start(l, before))
		return 1;
	for (;;) {
		int signal = sigtimedwait(watched, NULL, &pause);

		if (signal == SIGTERM || signal == SIGINT)
			return 0;
		if (server_has_ended(l)) {
			fputs("gatehouse-listener: the SSH server has ended\n", stderr);
			return 1;
		}
		if (!learn(l))
			continue;
		stop(l);
		if (!start(l, before))
			return 1;
	}
}

static bool parse_options(int argc, char *argv[], struct listener *l) {
	static const struct option longs[] = { { "socket", required_argument, NULL, 's' },
					       { "sshd", required_argument, NULL, 'd' },
					       { "config", required_argument, NULL, 'c' },
					       { "banner", required_argument, NULL, 'b' },
					       { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		switch (c) {
		case 's': l->socket = optarg; break;
		case 'd': l->sshd = optarg; break;
		case 'c': l->config = optarg; break;
		case 'b': l->banner = optarg; break;
		default: return false;
		}
	}
	return optind == argc && l->sshd && l->config && l->banner;
}

int main(int argc, char *argv[]) {
	struct listener l = { .socket = LOGIN_CONTROL_SOCKET, .settings = { 22, 120, false } };
	sigset_t watched, before;
	int status;

	if (!parse_options(argc, argv, &l)) {
		fputs("usage: gatehouse-listener --sshd FILE --config FILE --banner FILE "
		      "[--socket PATH]\n", stderr);
		return 2;
	}
	sigemptyset(&watched);
	sigaddset(&watched, SIGCHLD);
	sigaddset(&watched, SIGTERM);
	sigaddset(&watched, SIGINT);
	sigprocmask(SIG_BLOCK, &watched, &before);
	signal(SIGPIPE, SIG_IGN);
	status = run(&l, &watched, &before);
	stop(&l);
	client_close(l.client);
	return status;
}
