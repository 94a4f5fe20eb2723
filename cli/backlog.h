/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that wait until it is known whether they are wanted: first in, first out. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/str.h"

#define BACKLOG_MAX (16u << 20) /* bytes that wait; beyond, the first lines are lost */

struct backlog {
	struct str bytes;    /* each line behind its struct backlog_head */
	size_t first;        /* offset of the first line that is left */
	size_t n;            /* lines that are left */
};

struct backlog_line {
	unsigned long number;
	const char *text;    /* without a newline */
	size_t len;
};

/* Append a line. */
void backlog_add(struct backlog *b, const struct backlog_line *line);

/* Take the first line out, valid until the next backlog_add(); false when there is none. */
bool backlog_take(struct backlog *b, struct backlog_line *ret);

/* Number of the first line; 0 when there is none. */
unsigned long backlog_first(const struct backlog *b);

/* Forget all lines. */
void backlog_clear(struct backlog *b);

/* Release the memory. */
void backlog_done(struct backlog *b);
