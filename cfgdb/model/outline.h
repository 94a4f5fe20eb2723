/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The body of an object as a tree of its lines, read without a schema: so can be handled what this
 * release does not know. A line is its words; `config`, `edit` and `kept` have lines in them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/queue.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/lex.h"

#define OUTLINE_DEPTH_MAX 16
#define OUTLINE_LINES_MAX 300000 /* 14 bytes each in a body of the greatest size */

struct outline_line {
	struct words words;      /* one or more */
	bool taken;              /* free for who reads it */
	STAILQ_HEAD(outline_lines, outline_line) lines; /* in it */
	STAILQ_ENTRY(outline_line) next;
};

struct outline {
	struct outline_lines lines;
	size_t n;                /* with all that is nested */
};

/* Read a body; release o in any case. Errors name the line. */
int outline_parse(struct outline *o, const char *body, struct err *err);

/* Wipe and release. */
void outline_done(struct outline *o);

/*
 * Bring the lines of each block into one order, bytewise; entries of a list keep theirs, at the
 * end.
 */
void outline_sort(struct outline *o);

/* Append the text of o: words are quoted where they must be, and nothing is indented. */
void outline_print(const struct outline *o, struct str *out);

/* Append the text of one line with all that is in it. */
void outline_print_line(const struct outline_line *line, struct str *out);

/* Whether the line begins with this verb. */
bool outline_is(const struct outline_line *line, const char *verb);

/* Replace the words after the second by these; b may be NULL: one. What they were is wiped. */
void outline_set_words(struct outline_line *line, const char *a, const char *b);

/* Wipe and release a line that is in no outline, with all that is in it. */
void outline_line_free(struct outline_line *line);

/* Call each() for every `secret` line; stops when it returns non-zero and returns that. */
int outline_each_secret(struct outline *o,
			int (*each)(void *arg, struct outline_line *line, struct err *err),
			void *arg, struct err *err);

#define AUTO_OUTLINE __attribute__((cleanup(outline_done)))
