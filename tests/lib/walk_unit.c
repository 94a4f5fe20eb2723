/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit without a kernel, and somebody at its shell, for walks (tests/walk/):
 *
 *   walk_unit STATE                      the shell of this process, as at a terminal
 *   walk_unit STATE PROGRAM [ARG...]     a program that finds the socket in GATEHOUSE_SOCKET
 *
 * The daemon is a process of its own with the engine, the server and their socket, but no backends;
 * commands go all the way through them. At the shell each command comes with a zero byte behind it,
 * and is answered by what it prints and by the prompt after it, with a zero byte behind each. Every
 * SAMPLE commands the memory of both processes is told on standard error.
 */
#include <event2/event.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/moment.h"
#include "cfgdb/control/cmd_revision.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/commands.h"
#include "cfgdb/control/server.h"
#include "cfgdb/workspace.h"
#include "cli/shell.h"

#define COMMANDS_MAX 256
#define SAMPLE 5000

struct unit {
	char *path;              /* of the socket */
	pid_t daemon;
};

/* ---- the daemon ---- */

static void on_term(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	event_base_loopbreak(arg);
}

/* Append a table of commands that work on ctx. */
static void take(struct command *all, size_t *n, const struct command *table, size_t more,
		 void *ctx) {
	for (size_t i = 0; i < more && *n < COMMANDS_MAX; i++) {
		all[*n] = table[i];
		all[(*n)++].ctx = ctx;
	}
}

static size_t take_commands(struct command *all, struct cmd_revision *revision) {
	const struct command *table;
	size_t n = 0, more;

	table = commands_config(&more);
	take(all, &n, table, more, revision->engine);
	table = commands_revision(&more);
	take(all, &n, table, more, revision);
	table = commands_transaction(&more);
	take(all, &n, table, more, NULL);
	return n;
}

static int serve(const char *dir, const char *path, int ready) {
	static struct command commands[COMMANDS_MAX];
	struct server_config config = { .path = path, .commands = commands, .version = "walk" };
	struct event_base *base = event_base_new();
	struct event *term = evsignal_new(base, SIGTERM, on_term, base);
	const struct group *group = getgrgid(getegid());
	struct err err = { 0 };
	struct engine *engine = engine_open(dir, &err);
	struct cmd_revision revision = { .engine = engine };
	struct server *server = NULL;

	signal(SIGPIPE, SIG_IGN);
	config.group = group ? group->gr_name : "root";
	config.workspace = engine ? workspace_new(engine, moment_now, &err) : NULL;
	config.n_commands = take_commands(commands, &revision);
	if (config.workspace)
		server = server_new(base, engine, &config, &err);
	if (!server || event_add(term, NULL) != 0 || write(ready, "r", 1) != 1) {
		fprintf(stderr, "walk_unit: %s\n", err.text);
		return 1;
	}
	close(ready);
	event_base_dispatch(base);
	server_free(server);
	workspace_free(config.workspace);
	engine_close(engine);
	event_free(term);
	event_base_free(base);
	return 0;
}

static bool start(struct unit *u, const char *dir) {
	int ready[2];
	bool up;
	char byte;

	u->path = xasprintf("%s/ctl", dir);
	if (pipe(ready) != 0)
		return false;
	u->daemon = fork();
	if (u->daemon == 0) {
		int status;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ready[0]);
		status = serve(dir, u->path, ready[1]);
		free(u->path);
		exit(status);
	}
	close(ready[1]);
	up = read(ready[0], &byte, 1) == 1;
	close(ready[0]);
	return up;
}

/* Whether the daemon was there to the end, and went in order. */
static bool stop(struct unit *u) {
	int status = 1;

	kill(u->daemon, SIGTERM);
	free(u->path);
	return waitpid(u->daemon, &status, 0) == u->daemon && status == 0;
}

/* ---- the shell ---- */

static long memory_kib(pid_t pid) {
	AUTO_FREE char *path = xasprintf("/proc/%d/status", (int)pid);
	FILE *f = fopen(path, "re");
	char line[256];
	long kib = 0;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmRSS: %ld", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib;
}

static void answer(struct shell *sh, const char *command) {
	AUTO_STR struct str prompt = STR_INIT;
	struct str *printed = &sh->out->pending;

	str_clear(printed);
	out_begin(sh->out);
	shell_run(sh, command);
	shell_prompt(sh, &prompt);
	fwrite(str_text(printed), 1, printed->len + 1, stdout);
	fwrite(str_text(&prompt), 1, prompt.len + 1, stdout);
}

static int type_commands(const struct unit *u) {
	struct err err = { 0 };
	struct client *client = client_open(u->path, &err);
	struct shell sh;
	struct out out;
	char *command = NULL;
	size_t size = 0;
	bool lost;

	if (!client) {
		fprintf(stderr, "walk_unit: %s\n", err.text);
		return 3;
	}
	out_init(&out, -1);
	shell_init(&sh, client, &out, SHELL_COMMIT_EACH);
	for (unsigned long n = 0; !sh.lost && getdelim(&command, &size, '\0', stdin) > 0; n++) {
		answer(&sh, command);
		if (n % SAMPLE == 0)
			fprintf(stderr, "memory %lu %ld %ld\n", n, memory_kib(getpid()),
				memory_kib(u->daemon));
	}
	lost = sh.lost;
	free(command);
	shell_done(&sh);
	out_done(&out);
	client_close(client);
	return lost ? 3 : 0;
}

static int run_program(const struct unit *u, char *argv[]) {
	int status = -1;
	pid_t pid;

	if (setenv("GATEHOUSE_SOCKET", u->path, 1) != 0)
		return 3;
	pid = fork();
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 3;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int main(int argc, char *argv[]) {
	struct unit unit = { 0 };
	int status;

	if (argc < 2) {
		fputs("usage: walk_unit STATE [PROGRAM [ARG...]]\n", stderr);
		return 2;
	}
	if (!start(&unit, argv[1]))
		return 3;
	status = argc > 2 ? run_program(&unit, argv + 2) : type_commands(&unit);
	return stop(&unit) ? status : 4;
}
