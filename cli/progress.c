/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bar is one line that is written over itself:
 *
 *     [##########          ]  50%
 *
 * What is quick shows none: it appears after a second and moves five times a second. Time comes
 * from the caller. A terminal that takes no more is not waited for: then nothing more is drawn.
 */
#include "cli/progress.h"

#include <string.h>
#include <unistd.h>

#include "cfgdb/base/str.h"

#define QUIET_MS 1000
#define STEP_MS	 200
#define WIDTH	 40

void progress_begin(struct progress *p, int fd, size_t total, int64_t now_ms) {
	*p = (struct progress){
		.fd = fd, .total = total, .start_ms = now_ms, .next_ms = now_ms + QUIET_MS
	};
}

static void put(struct progress *p, const struct str *text) {
	if (write(p->fd, str_text(text), text->len) != (ssize_t)text->len)
		p->fd = -1;
}

void progress_step(struct progress *p, size_t done, int64_t now_ms) {
	AUTO_STR struct str text = STR_INIT;
	size_t share = p->total ? (size_t)((double)done * 100 / (double)p->total) : 100;

	if (p->fd < 0 || now_ms < p->next_ms)
		return;
	p->next_ms = now_ms + STEP_MS;
	p->drawn = true;
	share = share > 100 ? 100 : share;
	str_add(&text, "\r[");
	for (size_t i = 0; i < WIDTH; i++)
		str_add_char(&text, i < share * WIDTH / 100 ? '#' : ' ');
	str_addf(&text, "] %3zu%%", share);
	put(p, &text);
}

void progress_end(struct progress *p) {
	AUTO_STR struct str text = STR_INIT;

	if (p->fd < 0 || !p->drawn)
		return;
	str_add_char(&text, '\r');
	str_add_blanks(&text, WIDTH + 7);
	str_add_char(&text, '\r');
	put(p, &text);
	p->drawn = false;
}
