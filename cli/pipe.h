/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line that was typed: one command, and the filters behind `|` that its output goes through. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/model/lex.h"
#include "cli/grep.h"
#include "cli/out.h"

#define PIPE_STAGES_MAX 16

/* Where the parts of a line are: offsets in its text. */
struct pipe {
	size_t end;                    /* of the command: the first bar, or the end of the line */
	size_t n;                      /* filters */
	size_t start[PIPE_STAGES_MAX]; /* of each filter, behind its bar */
	size_t stop[PIPE_STAGES_MAX];  /* its end: the next bar, or the end of the line */
};

/*
 * Find the bars of a line that are neither quoted nor behind a backslash; a comment has none. What
 * stands between them is not looked at, so a line may be unfinished. ERR_MAX_ENTRIES: too many.
 */
int pipe_split(const char *line, struct pipe *ret, struct err *err);

/* Words of the command before the bars; as lex_words() otherwise. */
enum lex_result pipe_words(const char *line, const struct pipe *p, struct words *words,
			   struct err *err);

/* Filters at work, the first of them at the output. */
struct filters {
	struct out *out;               /* not owned */
	struct out_filter outer;       /* what the output went through before */
	size_t n;
	struct grep *greps[PIPE_STAGES_MAX];
};

/*
 * Put the filters of a line before the output, until filters_end(). Returns 0; the code of *err for
 * words that are no filter, and nothing is changed; 1 when one asks for its usage, which is
 * printed, and the command is not to run.
 */
int filters_begin(struct filters *f, const char *line, const struct pipe *p, struct out *out,
		  struct err *err);

/* The command has ended: what the filters still hold goes out, and they are gone. */
void filters_end(struct filters *f);
