/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines that wait between `execute batch start` and `execute batch end`. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/str.h"

#define QUEUE_BYTES_MAX (2u << 20)
#define QUEUE_LINES_MAX 100000

struct queue {
	bool open;        /* lines are put aside */
	bool running;     /* they are being carried out */
	bool full;        /* there were too many: none will be */
	struct str lines;
	size_t n;
};

/* Begin to put lines aside. */
void queue_open(struct queue *q);

/* Put a line aside. */
void queue_add(struct queue *q, const char *line);

/* No longer; forget the lines. */
void queue_done(struct queue *q);
