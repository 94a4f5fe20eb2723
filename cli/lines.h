/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of a script: physical lines of a file joined to what one command takes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"

/* Where a physical line ended: what the next one continues. */
enum line_state {
	LINE_WHOLE,     /* nothing is open */
	LINE_JOINED,    /* a backslash came last */
	LINE_DOUBLE,    /* a double quote is open */
	LINE_SINGLE,    /* a single quote is open */
	LINE_COMMENT,   /* the line was a comment, and ends here */
};

/* State after one more physical line (no newline in it); state is that before it. */
enum line_state line_scan(enum line_state state, const char *line);

/* True when the command goes on in the next physical line. */
bool line_is_open(enum line_state state);

struct lines {
	int fd;              /* -1: text */
	const char *text;
	char *buffer;
	size_t pos, end;     /* what is left in text or buffer */
	bool eof;
	unsigned int idle_s; /* without bytes, after which it is the end; 0: never */
	bool idle;	     /* so it has ended */
	unsigned long number;/* physical lines read so far */
	unsigned long first; /* line where the last command began; at the end: the last line */
};

/* Read from fd, which stays the caller's. */
void lines_open(struct lines *l, int fd);

/* Read from a string, which must outlive l. */
void lines_open_text(struct lines *l, const char *text);

/* Read from n bytes of memory, which may hold anything and must outlive l. */
void lines_open_bytes(struct lines *l, const char *data, size_t n);

/* Release what l holds. */
void lines_done(struct lines *l);

/* True when the next line may have to be waited for. */
bool lines_empty(const struct lines *l);

/*
 * Next command into out, without its last newline. Returns 1, or 0 at the end, or the code of *err
 * for a line that is refused (zero byte, too long, open quote at the end); reading can go on.
 */
int lines_next(struct lines *l, struct str *out, struct err *err);
