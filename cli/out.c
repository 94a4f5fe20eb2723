/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Output is collected and written in large pieces, at the latest before the shell waits for input.
 * Turning \n into \r\n is the terminal's business.
 *
 * Ctrl-C only raises a flag. The writer looks at it at every piece, drops what is pending and all
 * that follows until the next command, and whoever produces a long listing asks out_stopped().
 *
 * While the pager asks, nothing is read from the daemon either: a listing waits there, at the cost
 * of one slow reader. The size of the screen is looked up at each page, so a signal of its change
 * is not needed.
 *
 * Names and comments were written by others: on a terminal they must not move, hide or turn round
 * what stands beside them.
 */
#include "cli/out.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/utf8.h"

#define OUT_PIECE 32768

static volatile sig_atomic_t out_interrupted;

static void out_on_interrupt(int sig) {
	(void)sig;
	out_interrupted = 1;
}

void out_catch_interrupt(void) {
	struct sigaction sa = { .sa_handler = out_on_interrupt };

	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
}

void out_init(struct out *o, int fd) {
	*o = (struct out){ .fd = fd, .terminal = fd >= 0 && isatty(fd) };
}

void out_done(struct out *o) {
	out_flush(o);
	str_done(&o->pending);
	str_done(&o->cut);
}

void out_begin(struct out *o) {
	out_interrupted = 0;
	o->stopped = false;
	o->wiped = false;
}

bool out_stopped(struct out *o) {
	if (out_interrupted && !o->stopped) {
		o->stopped = true;
		str_clear(&o->pending);
	}
	return o->stopped || o->broken;
}

static void out_write(struct out *o, const char *data, size_t len) {
	/* A write that Ctrl-C cuts short says how much it wrote, and not why it ended. */
	while (!out_stopped(o) && len > 0) {
		ssize_t n = write(o->fd, data, len);

		if (n >= 0) {
			data += n;
			len -= (size_t)n;
		} else if (errno != EINTR) {
			o->broken = true;
		}
	}
}

/* ---- pages ---- */

static struct winsize out_size(const struct out *o) {
	struct winsize size = { 0 };

	ioctl(o->fd, TIOCGWINSZ, &size);
	return size;
}

/* Between two pages: ask whether to go on. */
static void out_ask(struct out *o) {
	AUTO_STR struct str text = STR_INIT;
	enum pager_answer answer = PAGER_NONE;
	struct winsize size;

	pager_ask(&o->pager, &text);
	out_write(o, str_text(&text), text.len);
	str_clear(&text);
	while (answer == PAGER_NONE) {
		int key = o->key(o->key_arg);

		size = out_size(o);
		pager_resize(&o->pager, size.ws_row, size.ws_col);
		answer = pager_answer(&o->pager, key, &text);
	}
	if (answer == PAGER_QUIT)
		out_begin(o); /* a Ctrl-C is an answer, and what it wipes is still written */
	out_write(o, str_text(&text), text.len);
	if (answer == PAGER_QUIT)
		o->stopped = o->wiped = true;
	o->paging = pager_works(&o->pager);
}

static void out_pages(struct out *o) {
	const char *data = str_text(&o->pending);
	size_t len = o->pending.len;

	while (len > 0 && !out_stopped(o)) {
		size_t n = o->paging ? pager_fit(&o->pager, data, len) : len;

		out_write(o, data, n);
		data += n;
		len -= n;
		if (len > 0 && !out_stopped(o))
			out_ask(o);
	}
}

void out_page(struct out *o, bool on) {
	struct winsize size;

	if (!o->key)
		return;
	out_flush(o);
	o->paging = false;
	if (!on)
		return;
	size = out_size(o);
	pager_begin(&o->pager, size.ws_row, size.ws_col);
	o->paging = pager_works(&o->pager);
}

void out_flush(struct out *o) {
	if (o->fd < 0)
		return;
	out_pages(o);
	str_clear(&o->pending);
}

/* Pieces may be cut anywhere. */
static void out_visible(struct out *o, const char *data, size_t n) {
	AUTO_STR struct str all = STR_INIT;
	size_t done;

	str_add_bytes(&all, str_text(&o->cut), o->cut.len);
	str_add_bytes(&all, data, n);
	done = utf8_visible(str_text(&all), all.len, &o->pending);
	str_clear(&o->cut);
	str_add_bytes(&o->cut, str_text(&all) + done, all.len - done);
}

void out_bytes(struct out *o, const char *data, size_t n) {
	if (out_stopped(o))
		return;
	if (o->filter.text) {
		o->filter.text(o->filter.arg, data, n);
		return;
	}
	if (o->terminal)
		out_visible(o, data, n);
	else
		str_add_bytes(&o->pending, data, n);
	if (o->pending.len >= OUT_PIECE)
		out_flush(o);
}

void out_text(struct out *o, const char *text) {
	out_bytes(o, text, strlen(text));
}

struct out_filter out_filter(struct out *o, struct out_filter filter) {
	struct out_filter before = o->filter;

	o->filter = filter;
	return before;
}

void out_say(struct out *o, const char *text) {
	struct out_filter filter = out_filter(o, (struct out_filter){ NULL, NULL });

	out_text(o, text);
	out_filter(o, filter);
}

void out_printf(struct out *o, const char *fmt, ...) {
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	out_text(o, text);
}
