/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration as `show` prints it, cut down to the entries and objects that have a hit: what
 * `grep -f` prints.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/backlog.h"
#include "cli/lines.h"

struct blocks {
	void (*print)(void *arg, const struct backlog_line *line, bool hit);
	void *arg;
	struct backlog held;   /* lines of a block that has had no hit */
	struct str frame;      /* the line of the outermost `config` */
	unsigned long number;  /* of that line */
	unsigned int depth;    /* `config` and `edit` that are open */
	bool framed;           /* the frame has been printed */
	bool decided, list;    /* what is in it: entries, each of them a block; or one block */
	bool open;             /* the block has had a hit */
	enum line_state state; /* of the last line: quotes hide words */
};

/* Begin a text; lines that are wanted go to print(), in order. */
void blocks_init(struct blocks *b,
		 void (*print)(void *arg, const struct backlog_line *line, bool hit), void *arg);

/* One line of it, and whether it is a hit. */
void blocks_line(struct blocks *b, const struct backlog_line *line, bool hit);

/* Release the memory. */
void blocks_done(struct blocks *b);
