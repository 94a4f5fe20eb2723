/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `execute log filter` is kept per connection; `execute log display` looks at all lines of the
 * category, the newest first, and shows a page of those that match. How many match comes first,
 * so nothing is printed before all have been looked at; that is done in pieces, with time for
 * others in between. Lines that come meanwhile are not seen.
 */
#include "cfgdb/control/cmd_log.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/logfilter.h"
#include "cfgdb/logs/logs.h"

#define PIECE_BYTES (256u << 10)     /* looked at, or printed, in one turn */

static void filter_init(void *memory) {
	logfilter_init(memory);
}

static void filter_done(void *memory) {
	logfilter_done(memory);
}

static struct logfilter *filter_of(const struct command_call *call) {
	static const struct memory_kind kind = {
		.size = sizeof(struct logfilter),
		.init = filter_init,
		.done = filter_done,
	};

	return command_memory(call, &kind);
}

/* ---- the filter ---- */

static int run_category(void *ctx, const struct command_call *call, struct str *out,
			struct err *err) {
	(void)ctx;
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	if (call->argc == 1)
		return logfilter_set_category(filter_of(call), call->argv[0], err);
	str_add(out, "Available categories:\n");
	for (int c = 0; c < LOGSTORE_CATEGORIES; c++)
		str_addf(out, "%2d: %s\n", c, logfilter_category_name((enum logstore_category)c));
	return 0;
}

/* There is one device; it has the number that it has on a unit with a disk. */
static int run_device(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	(void)ctx;
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	if (call->argc == 0)
		str_add(out, "Available devices:\n 1: disk\n");
	else if (strcmp(call->argv[0], "disk") != 0 && strcmp(call->argv[0], "1") != 0)
		return command_bad_word(call->argv[0], err);
	return 0;
}

static int run_field(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	(void)ctx;
	(void)out;
	return logfilter_set_field(filter_of(call), call->argc, call->argv, err);
}

static int run_number(const struct command_call *call,
		      int (*set)(struct logfilter *f, const char *word, struct err *err),
		      struct err *err) {
	if (call->argc == 0)
		return command_word_missing(err);
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	return set(filter_of(call), call->argv[0], err);
}

static int run_start_line(void *ctx, const struct command_call *call, struct str *out,
			  struct err *err) {
	(void)ctx;
	(void)out;
	return run_number(call, logfilter_set_start_line, err);
}

static int run_view_lines(void *ctx, const struct command_call *call, struct str *out,
			  struct err *err) {
	(void)ctx;
	(void)out;
	return run_number(call, logfilter_set_view_lines, err);
}

static int run_max_checklines(void *ctx, const struct command_call *call, struct str *out,
			      struct err *err) {
	(void)ctx;
	(void)out;
	return run_number(call, logfilter_set_max_checklines, err);
}

static int run_dump(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc == 0)
		logfilter_print(filter_of(call), out);
	return rc;
}

static int run_reset(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct logfilter *f = filter_of(call);

	(void)ctx;
	(void)out;
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	if (call->argc == 1 && strcmp(call->argv[0], "all") != 0 &&
	    strcmp(call->argv[0], "field") != 0)
		return command_bad_word(call->argv[0], err);
	logfilter_clear_fields(f);
	if (call->argc == 0 || strcmp(call->argv[0], "all") == 0)
		logfilter_init(f);
	return 0;
}

/* ---- execute log display ---- */

struct display {
	const struct logfilter *filter;
	struct logstore_reader *reader;   /* NULL: all have been looked at */
	uint32_t checked;
	uint64_t found, returned;
	struct str page;                  /* those to be shown */
	size_t printed;                   /* bytes of it */
};

/* "3.1% of logs has been searched.", when it was not all. */
static void print_share(const struct display *d, struct str *out) {
	uint64_t size = logstore_size(d->reader), passed = logstore_passed(d->reader);

	if (passed < size)
		str_addf(out, "%.1f%% of logs has been searched.\n",
			 (double)passed * 100 / (double)size);
}

static void display_head(struct display *d, struct str *out) {
	str_addf(out, "%" PRIu64 " logs found.\n%" PRIu64 " logs returned.\n", d->found,
		 d->returned);
	print_share(d, out);
	if (d->returned)
		str_add_char(out, '\n');
	d->reader = logstore_read_end(d->reader);
}

static void display_line(struct display *d, const char *line, size_t len) {
	const struct logfilter *f = d->filter;

	d->checked++;
	if (!logfilter_match(f, line, len))
		return;
	d->found++;
	if (d->found < f->start_line || d->returned == f->view_lines)
		return;
	d->returned++;
	str_addf(&d->page, "%" PRIu64 ": ", d->found);
	str_add_bytes(&d->page, line, len);
	str_add(&d->page, "\n\n");
}

/* Look at one piece; false when that was the last. */
static bool display_search(struct display *d) {
	uint64_t until = logstore_passed(d->reader) + PIECE_BYTES;
	const char *line;
	size_t len;

	while (logstore_passed(d->reader) < until) {
		if (d->filter->max_checklines && d->checked == d->filter->max_checklines)
			return false;
		if (!logstore_next(d->reader, &line, &len))
			return false;
		display_line(d, line, len);
	}
	return true;
}

static enum stream_state display_next(void *ctx, struct str *out, struct err *err) {
	struct display *d = ctx;
	size_t n;

	(void)err;
	if (d->reader) {
		if (display_search(d))
			return STREAM_MORE;
		display_head(d, out);
	}
	n = d->page.len - d->printed;
	if (n > PIECE_BYTES)
		n = PIECE_BYTES;
	str_add_bytes(out, str_text(&d->page) + d->printed, n);
	d->printed += n;
	return d->printed < d->page.len ? STREAM_MORE : STREAM_END;
}

static void display_close(void *ctx) {
	struct display *d = ctx;

	logstore_read_end(d->reader);
	str_done(&d->page);
	free(d);
}

static int open_display(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	struct display *d;
	int rc = command_no_words(call, err);

	if (rc)
		return rc;
	d = xcalloc(1, sizeof(*d));
	d->filter = filter_of(call);
	d->reader = logstore_read(logs_store(ctx), d->filter->category);
	*ret = (struct stream){ .next = display_next, .close = display_close, .fd = -1, .ctx = d };
	return 0;
}

/* ---- execute log delete ---- */

static int run_delete(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	int rc = command_no_words(call, err);

	(void)out;
	return rc ? rc : logstore_delete(logs_store(ctx), filter_of(call)->category, err);
}

static int run_delete_all(void *ctx, const struct command_call *call, struct str *out,
			  struct err *err) {
	int rc = command_no_words(call, err);

	(void)out;
	for (int c = 0; c < LOGSTORE_CATEGORIES && rc == 0; c++)
		rc = logstore_delete(logs_store(ctx), (enum logstore_category)c, err);
	return rc;
}

const struct command *commands_log(size_t *n) {
	static const struct command table[] = {
		{ .words = "execute log filter category", .reads = "loggrp.data-access",
		  .run = run_category },
		{ .words = "execute log filter device", .reads = "loggrp.data-access",
		  .run = run_device },
		{ .words = "execute log filter dump", .reads = "loggrp.data-access",
		  .run = run_dump },
		{ .words = "execute log filter field", .reads = "loggrp.data-access",
		  .run = run_field },
		{ .words = "execute log filter max-checklines", .reads = "loggrp.data-access",
		  .run = run_max_checklines },
		{ .words = "execute log filter reset", .reads = "loggrp.data-access",
		  .run = run_reset },
		{ .words = "execute log filter start-line", .reads = "loggrp.data-access",
		  .run = run_start_line },
		{ .words = "execute log filter view-lines", .reads = "loggrp.data-access",
		  .run = run_view_lines },
		{ .words = "execute log display", .reads = "loggrp.data-access",
		  .open = open_display },
		{ .words = "execute log delete", .writes = "loggrp.data-access",
		  .run = run_delete },
		{ .words = "execute log delete-all", .writes = "loggrp.data-access",
		  .run = run_delete_all },
	};

	*n = ARRAY_LEN(table);
	return table;
}
