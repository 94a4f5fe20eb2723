/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A batch that is too long is forgotten whole: half of it would be another configuration. */
#include "cli/queue.h"

#include <string.h>

void queue_open(struct queue *q) {
	queue_done(q);
	q->open = true;
}

void queue_add(struct queue *q, const char *line) {
	if (q->n == QUEUE_LINES_MAX || q->lines.len + strlen(line) >= QUEUE_BYTES_MAX)
		q->full = true;
	if (q->full) {
		str_done(&q->lines);
		return;
	}
	str_add(&q->lines, line);
	str_add_char(&q->lines, '\n');
	q->n++;
}

void queue_done(struct queue *q) {
	str_done(&q->lines);
	*q = (struct queue){ .running = q->running };
}
