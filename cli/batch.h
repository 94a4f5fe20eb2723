/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that nobody types: scripts, -c, a pipe. */
#pragma once

#include <stdbool.h>

#include "cfgdb/model/lex.h"
#include "cli/lines.h"
#include "cli/shell.h"

struct batch {
	struct shell *sh;        /* not owned */
	struct lines *lines;     /* not owned */
	const char *name; /* for errors and warnings, on stderr; NULL: they go to the output */
	bool prompts;            /* print prompts, as a session without a terminal does */
	/* Told of each command and its code; of what was left out, the code of why. May be NULL. */
	void (*done)(void *arg, const char *command, int code);
	void *done_arg;
	struct client_commit commit; /* how the whole becomes real, for batch_run_atomic() */
	/* kept by batch_run */
	unsigned long block;     /* line of the open top-level `config` */
	unsigned long left_out;  /* line after which lines are being left out; 0: none */
	unsigned int nested;     /* `config`s opened meanwhile */
	int why;                 /* the code of what it is for */
	bool entry;              /* ... since an `edit` that failed; otherwise since a `config` */
};

/* What a line of a script does to what is open. */
enum verb {
	VERB_CONFIG,
	VERB_EDIT,
	VERB_NEXT,
	VERB_CLOSE,              /* end, abort */
	VERB_LOOK,               /* commands that change nothing in the configuration */
	VERB_QUIT,
	VERB_OTHER,
};

/* What became of a line. */
enum batch_outcome {
	BATCH_DONE,
	BATCH_FAILED,
	BATCH_LEFT_OUT,          /* it belongs to a `config` or `edit` that failed */
};

/* The verb of a line. */
enum verb batch_verb(const struct words *words);

/*
 * Carry out one command, or leave it out; what fails is reported by the shell. For who reads the
 * lines himself.
 */
enum batch_outcome batch_command(struct batch *b, const char *line);

/*
 * Carry out all commands. Failures are counted in the shell; at the end nothing is open any more.
 * A `config` or `edit` that fails takes its lines with it, up to its own `end` or `next`.
 */
void batch_run(struct batch *b);

/* The whole input as one transaction: all of it becomes real, or nothing when anything failed. */
void batch_run_atomic(struct batch *b);
