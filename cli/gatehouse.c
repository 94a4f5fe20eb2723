/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell's program: options, the connection, and the choice between a session at a terminal, a
 * session through a pipe, commands from the command line, and a script. They differ in where lines
 * come from, whether prompts are printed, where errors go, and when changes become real; all else
 * is the same shell.
 */
#include <bsd/stdlib.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/nocore.h"
#include "cfgdb/control/client.h"
#include "cli/batch.h"
#include "cli/greet.h"
#include "cli/offer.h"
#include "cli/scp.h"
#include "cli/session.h"
#include "cli/shell.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "(unreleased)"
#endif

#define DEFAULT_SOCKET "/run/gatehouse/ctl"
#define CONFIRM_MINUTES_MAX 1440

enum exit_status {
	EXIT_FAILED = 1, /* a command failed */
	EXIT_USAGE = 2,
	EXIT_NO_CONNECTION = 3,
};

struct options {
	const char *socket;
	const char *file;    /* script, - for standard input; NULL: none */
	const char *typed;   /* to be completed; NULL: nothing is */
	struct str commands; /* all -c, one below the other */
	bool has_commands, atomic, json, yes;
	struct client_commit commit; /* with atomic */
	struct greeting greeting;
};

static const char usage_text[] =
	"usage: gatehouse [--socket PATH] [-c COMMAND]... [-f FILE] [--json] [-y]\n"
	"                 [--atomic | --confirm MINUTES] [--comment TEXT]\n"
	"\n"
	"Without -c and -f: a session at the terminal, or commands from standard input.\n"
	"\n"
	"  -c COMMAND      carry out a command (several lines, several -c: one after the other)\n"
	"  -f FILE         carry out a script; - is standard input\n"
	"  --atomic        commit everything or, when any command fails, nothing\n"
	"  --confirm MINUTES  the same; and it is taken back after so many minutes unless\n"
	"                  `execute config-transaction confirm` comes before\n"
	"  --comment TEXT  what the list of revisions says about it\n"
	"  --json          print JSON, with commands that have it; errors are JSON, too\n"
	"  -y, --yes       answer all questions with y\n"
	"  --socket PATH   control socket of the daemon (" DEFAULT_SOCKET
	", or $GATEHOUSE_SOCKET)\n"
	"  --version       print the version\n"
	"  --help          print this\n"
	"\n"
	"Exit status: 0 all went well, 1 a command failed, 2 wrong usage, 3 no connection.\n";

static bool parse_minutes(const char *word, struct options *opt) {
	const char *bad;

	opt->commit.confirm_minutes = (unsigned int)strtonum(word, 1, CONFIRM_MINUTES_MAX, &bad);
	opt->atomic = true;
	if (bad)
		fprintf(stderr, "gatehouse: --confirm takes 1 to %d minutes\n",
			CONFIRM_MINUTES_MAX);
	return !bad;
}

/* Returns -1 to go on, or the exit status. */
static int parse_options(int argc, char *argv[], struct options *opt) {
	static const struct option longs[] = { { "socket", required_argument, NULL, 's' },
					       { "atomic", no_argument, NULL, 'a' },
					       { "confirm", required_argument, NULL, 'C' },
					       { "comment", required_argument, NULL, 'M' },
					       { "json", no_argument, NULL, 'j' },
					       { "complete", required_argument, NULL, 'T' },
					       { "yes", no_argument, NULL, 'y' },
					       { "version", no_argument, NULL, 'V' },
					       { "help", no_argument, NULL, 'h' },
					       { 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "c:f:hy", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			str_add(&opt->commands, optarg);
			str_add_char(&opt->commands, '\n');
			opt->has_commands = true;
			explicit_bzero(optarg, strlen(optarg)); /* ps(1) shows it to everybody */
			break;
		case 'f':
			opt->file = optarg;
			break;
		case 's':
			opt->socket = optarg;
			break;
		case 'a':
			opt->atomic = true;
			break;
		case 'C':
			if (!parse_minutes(optarg, opt))
				return EXIT_USAGE;
			break;
		case 'M':
			opt->commit.comment = optarg;
			break;
		case 'j':
			opt->json = true;
			break;
		case 'T':
			opt->typed = optarg;
			break;
		case 'y':
			opt->yes = true;
			break;
		case 'V':
			puts("gatehouse " PACKAGE_VERSION);
			return 0;
		case 'h':
			fputs(usage_text, stdout);
			return 0;
		default:
			fputs(usage_text, stderr);
			return EXIT_USAGE;
		}
	}
	if (optind == argc && !(opt->file && opt->has_commands) &&
	    (opt->atomic || !opt->commit.comment))
		return -1;
	fputs(usage_text, stderr);
	return EXIT_USAGE;
}

static int run_lines(struct client *client, struct lines *lines, const char *name, bool prompts,
		     const struct options *opt) {
	struct shell sh;
	struct out out;
	struct batch b = { .sh = &sh, .lines = lines, .name = name, .prompts = prompts,
			   .commit = opt->commit };
	int status;

	out_init(&out, STDOUT_FILENO);
	shell_init(&sh, client, &out, opt->atomic ? SHELL_COMMIT_ALL : SHELL_COMMIT_BLOCK);
	if (opt->json)
		shell_print_json(&sh);
	sh.reads_stdin = lines->fd == STDIN_FILENO;
	if (opt->atomic)
		batch_run_atomic(&b);
	else
		batch_run(&b);
	status = sh.lost ? EXIT_NO_CONNECTION : sh.failures ? EXIT_FAILED : 0;
	shell_done(&sh);
	out_done(&out);
	return status;
}

static int run_file(struct client *client, const struct options *opt) {
	bool is_stdin = strcmp(opt->file, "-") == 0;
	int fd = is_stdin ? STDIN_FILENO : open(opt->file, O_RDONLY | O_CLOEXEC);
	struct lines lines;
	int status;

	if (fd < 0) {
		fprintf(stderr, "gatehouse: %s: %s\n", opt->file, strerror(errno));
		return EXIT_USAGE;
	}
	lines_open(&lines, fd);
	status = run_lines(client, &lines, is_stdin ? "<stdin>" : opt->file, false, opt);
	lines_done(&lines);
	if (!is_stdin)
		close(fd);
	return status;
}

static int run_session(struct client *client, const struct options *opt) {
	struct shell sh;
	struct out out;
	int status;

	out_init(&out, STDOUT_FILENO);
	shell_init(&sh, client, &out, SHELL_COMMIT_EACH);
	sh.yes = opt->yes;
	sh.idle_s = opt->greeting.idle_s;
	sh.drop_return = opt->greeting.accepted;
	if (opt->json)
		shell_print_json(&sh);
	session_run(&sh);
	if (sh.idle)
		greet_idle(opt->socket);
	status = sh.lost ? EXIT_NO_CONNECTION : 0;
	shell_done(&sh);
	out_done(&out);
	return status;
}

/* For gatehouse.bash. */
static int run_offer(struct client *client, const struct options *opt) {
	AUTO_STR struct str text = STR_INIT;
	struct lines lines;

	lines_open_text(&lines, str_text(&opt->commands));
	offer_print(client, &lines, opt->typed, &text);
	fputs(str_text(&text), stdout);
	lines_done(&lines);
	return 0;
}

static bool has_terminal(const struct options *opt) {
	return !opt->has_commands && !opt->file && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int run(struct client *client, const struct options *opt) {
	struct lines lines;
	int status;

	if (opt->has_commands && scp_is_request(str_text(&opt->commands)))
		return scp_serve(client, str_text(&opt->commands)) ? 0 : EXIT_FAILED;
	if (opt->typed)
		return run_offer(client, opt);
	if (opt->file)
		return run_file(client, opt);
	if (has_terminal(opt)) {
		if (!opt->atomic)
			return run_session(client, opt);
		fputs("gatehouse: --atomic and --confirm need -c, -f or a pipe\n", stderr);
		return EXIT_USAGE;
	}
	if (opt->has_commands)
		lines_open_text(&lines, str_text(&opt->commands));
	else
		lines_open(&lines, STDIN_FILENO);
	lines.idle_s = opt->greeting.idle_s;
	status = run_lines(client, &lines, NULL, !opt->has_commands, opt);
	if (lines.idle)
		greet_idle(opt->socket);
	lines_done(&lines);
	return status;
}

int main(int argc, char *argv[]) {
	struct options opt = { .socket = getenv("GATEHOUSE_SOCKET") };
	struct client *client;
	struct err err = { 0 };
	int status = parse_options(argc, argv, &opt);

	if (status < 0) {
		setlocale(LC_CTYPE, "");
		signal(SIGPIPE, SIG_IGN);
		if (!opt.socket || !*opt.socket)
			opt.socket = DEFAULT_SOCKET;
		client = nocore(&err) ? NULL : client_open(opt.socket, &err);
		if (client) {
			status = EXIT_FAILED;
			if (greet(opt.socket, has_terminal(&opt), &opt.greeting))
				status = run(client, &opt);
		} else {
			fprintf(stderr, "gatehouse: %s\n", err.text);
			status = EXIT_NO_CONNECTION;
		}
		client_close(client);
	}
	str_done(&opt.commands);
	return status;
}
