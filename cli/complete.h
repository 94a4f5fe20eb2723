/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can stand at the end of an unfinished line: for `?` and Tab. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/str.h"
#include "cli/shell.h"

#define COMPLETE_MAX 1000    /* most candidates that are collected */

struct candidate {
	char *word;
	char *help;              /* "" when there is none */
	bool required;
	bool open;               /* the word goes on behind it, as that of a file in a folder */
};

/* What belongs here: the first says of what kind it is, the others more of it. */
#define COMPLETE_NOTES_MAX 6

struct completion {
	struct candidate *items; /* all begin with prefix */
	size_t n, size;
	struct candidate notes[COMPLETE_NOTES_MAX];
	size_t n_notes;
	size_t found;            /* that fit; more than n when there were more than COMPLETE_MAX */
	size_t common;           /* bytes that all of these begin with */
	bool whole;              /* the line can be carried out as it stands */
	bool prints;             /* and prints what a filter could pick from */
	size_t start;            /* offset in the text of the word that is being typed */
	char *prefix;            /* that word so far, without quotes */
	bool quoted;             /* a quote is open in it */
};

/* Collect what fits the end of text; release with complete_done(). */
void complete_line(struct shell *sh, const char *text, struct completion *c);

/* Release what c holds. */
void complete_done(struct completion *c);

/* Append the notes and the candidates with their help, one a line. */
void complete_print(const struct completion *c, struct str *out);

/* Length of what all candidates begin with. */
size_t complete_common(const struct completion *c);

/* True when a word can be typed without quotes. */
bool complete_is_plain(const char *word);

/* Append a word as it is typed: in quotes when it needs them. */
void complete_quote(const char *word, struct str *out);

/*
 * Append the beginning of a word, to be typed on: if it needs quotes, or quoted says so, behind one
 * that stays open.
 */
void complete_quote_part(const char *word, bool quoted, struct str *out);
