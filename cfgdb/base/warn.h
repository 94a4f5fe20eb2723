/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Warnings: what was accepted but will not do all that was meant, one line each. They change
 * nothing about success or failure, and an answer carries a bounded number of them.
 */
#pragma once

#define WARN_MAX 100       /* warnings that are kept */
#define WARN_TEXT_MAX 512  /* bytes in one, the last a zero */

struct warnings {
	char **text;       /* n of them, each one line */
	unsigned int n;
	unsigned int lost; /* that came after these */
};

/* Add a formatted line, cut at WARN_TEXT_MAX; nothing happens when w is NULL. */
void warn_add(struct warnings *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Release all; w is empty afterwards and may be used again. */
void warn_clear(struct warnings *w);

/*
 * Hand over every line, and at last one that counts those that were lost, if any; w is empty
 * afterwards.
 */
void warn_drain(struct warnings *w, void (*take)(void *arg, const char *text), void *arg);
