/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell without its terminal: takes whole commands, answers on an output, keeps where the
 * administrator stands. Sessions, scripts and tests drive it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cfgdb/control/client.h"
#include "cli/context.h"
#include "cli/out.h"
#include "cli/ping_options.h"
#include "cli/prefs.h"
#include "cli/queue.h"
#include "cli/refs.h"

/* How changes become real. */
enum shell_commit {
	SHELL_COMMIT_EACH,    /* every next and end by itself */
	SHELL_COMMIT_BLOCK,   /* a top-level config ... end block as a whole */
	SHELL_COMMIT_ALL,     /* whoever drives the shell has opened a transaction */
};

struct shell {
	struct client *client;        /* not owned */
	struct out *out;              /* not owned */
	struct context context;
	struct refs *refs;
	struct prefs *prefs;
	struct ping_options ping;
	struct queue queue;
	enum shell_commit commit;
	bool in_block;                /* the transaction of a block is open */
	bool quit;                    /* exit was said */
	bool yes;                     /* that is the answer to all questions */
	bool json;                    /* output is to be JSON, as far as commands have it */
	bool lost;                    /* the connection broke: nothing works any more */
	bool typing;                  /* someone at a terminal, who may press a key meanwhile */
	bool reads_stdin;             /* commands come from standard input */
	bool drop_return;             /* that comes first: a key before it was answer enough */
	unsigned int idle_s;          /* without a key until a session ends; 0: never */
	bool idle;                    /* that time is over */
	unsigned int alias_depth;     /* aliases that are running, one inside the other */
	unsigned long failures;       /* commands that failed */
	unsigned long line;           /* of the script, where the command begins, or 0 */
	/*
	 * Where errors and warnings go instead of the output; NULL: to it, in the shell's own form.
	 */
	void (*report)(void *arg, const struct err *err);
	void (*warn)(void *arg, const char *text);
	void *report_arg;
	/* Asks the administrator yes or no; NULL: nobody can be asked, all is done as said. */
	bool (*confirm)(void *arg, const char *question);
	void *confirm_arg;
	/*
	 * Asks for a line that nobody is to see; false when there is none. NULL: standard input is
	 * free, and has it.
	 */
	bool (*ask)(void *arg, const char *prompt, struct str *ret);
	void *ask_arg;
};

/* A shell at the root, for this connection, whose warnings come to it; sh stays where it is. */
void shell_init(struct shell *sh, struct client *client, struct out *out, enum shell_commit commit);

/*
 * Commands that have a form of JSON print it from now on, and nothing else comes between: errors
 * and warnings go to standard error, as JSON, too.
 */
void shell_print_json(struct shell *sh);

/* Say on standard error what is neither an error nor a warning. */
void shell_note(struct shell *sh, const char *text);

/* Have the warnings of the connection again, after another shell had them. */
void shell_listen(struct shell *sh);

/* Drop what is open and release the memory. */
void shell_done(struct shell *sh);

/*
 * Carry out one command. Returns 0 or the code of the error, which has been reported; a line
 * without words does nothing.
 */
int shell_run(struct shell *sh, const char *line);

/* The same, without a report: an error is the caller's to tell. */
int shell_try(struct shell *sh, const char *line, struct err *err);

/* Ask whether to go on after this warning, at a terminal; elsewhere the answer is yes. */
bool shell_confirm(struct shell *sh, const char *warning);

/*
 * From now on output stops after each page, at a terminal whose session has not said otherwise; or
 * no longer. The cursor is at the left margin.
 */
void shell_page(struct shell *sh, bool on);

/* Count an error and tell it. */
void shell_fail(struct shell *sh, const struct err *err);

/*
 * shell_secret.c: true when a command holds a secret in clear, would if it were typed where it
 * belongs, or may be one of these with a typo.
 */
bool shell_is_secret(struct shell *sh, const char *line);

/* shell_secret.c: append what may be told of such a command: at most two words, and a `*`. */
void shell_mask(const char *line, struct str *out);

/* Drop what is open, the transaction of a block too. */
void shell_drop(struct shell *sh);

/* Append the prompt. */
void shell_prompt(const struct shell *sh, struct str *out);

/* The table that is open for `edit`, or NULL; the object whose attributes can be set, or NULL. */
const struct schema_table *shell_list(struct shell *sh);
const struct object *shell_object(struct shell *sh);
