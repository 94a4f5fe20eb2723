/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A bar at a terminal that tells how far something is; nothing of it is left at the end. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct progress {
	int fd;             /* terminal; -1: nothing is shown */
	size_t total;
	int64_t start_ms, next_ms; /* when it began; when it is drawn next */
	bool drawn;
};

/* Begin, at this time in milliseconds; fd is a terminal, or -1. */
void progress_begin(struct progress *p, int fd, size_t total, int64_t now_ms);

/* So much of the total is done. It is drawn only when more than a second has passed. */
void progress_step(struct progress *p, size_t done, int64_t now_ms);

/* Wipe it. */
void progress_end(struct progress *p);
