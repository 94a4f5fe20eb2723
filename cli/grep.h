/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `grep`: picks lines of a text that comes in pieces. Patterns are basic regular expressions, as
 * with grep(1).
 */
#pragma once

#include <stddef.h>

#include "cfgdb/base/err.h"

#define GREP_CONTEXT_MAX 10000      /* lines before and after a hit */
#define GREP_LINE_MAX    (1u << 20) /* bytes of a line; a longer one goes on as another line */

struct grep;

/* What `grep -h` prints. */
extern const char grep_usage[];

/*
 * Make a filter of its n words (options and a pattern, in any order); it gives what passes to
 * print(), in whole lines. Returns 0; the code of *err; or 1, without a filter, when the usage is
 * asked for. The caller frees *ret.
 */
int grep_new(char *const words[], size_t n,
	     void (*print)(void *arg, const char *text, size_t len), void *arg, struct grep **ret,
	     struct err *err);

/* Filter a piece of the text, cut anywhere. */
void grep_text(struct grep *g, const char *text, size_t len);

/* The text has ended: its last line may lack a newline, and a count is told. */
void grep_end(struct grep *g);

/* Release it; NULL is fine. */
void grep_free(struct grep *g);
