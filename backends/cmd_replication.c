/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each command goes to gatehouse-syncd with all its words, and its answer is the output. Without it
 * they say so; only the one that shows whether replication runs has an answer of its own.
 *
 * Debug output has no limit of silence, and begins as debug.c says.
 */
#include "backends/cmd_replication.h"

#include <bsd/stdlib.h>

#include "backends/cluster_text.h"
#include "backends/debug.h"
#include "cfgdb/base/mem.h"

static int forward(void *ctx, const char *words, const struct command_call *call,
		   struct stream *ret, struct err *err) {
	int rc = command_no_words(call, err);

	return rc ? rc
		  : relay_open(replication_relay(ctx), RELAY_WAIT_MS, words, call, ret, err);
}

/* ---- diagnose sys session sync ---- */

static enum stream_state stopped_next(void *ctx, struct str *out, struct err *err) {
	const struct cluster_counts none = { .started = false };
	struct cluster c;

	(void)err;
	replication_cluster(ctx, &c);
	cluster_text_sync(&c, &none, out);
	return STREAM_END;
}

static void stopped_close(void *ctx) {
	(void)ctx;
}

static int sync_open(void *ctx, const struct command_call *call, struct stream *ret,
		     struct err *err) {
	if (call->argc > 0 || relay_is_attached(replication_relay(ctx)))
		return forward(ctx, "diagnose sys session sync", call, ret, err);
	*ret = (struct stream){ .next = stopped_next, .close = stopped_close, .fd = -1,
				.ctx = ctx };
	return 0;
}

static int reset_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	return forward(ctx, "diagnose sys session sync reset", call, ret, err);
}

static int peers_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	return forward(ctx, "diagnose sys ha standalone-peers", call, ret, err);
}

static int resync_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	return forward(ctx, "execute sync-session", call, ret, err);
}

/* ---- diagnose debug application sessionsync LEVEL ---- */

static const struct memory_kind level_kind = { .size = sizeof(int) };

static int log_open(void *ctx, const struct command_call *call, struct stream *ret,
		    struct err *err) {
	const int *level = command_memory(call, &level_kind);
	AUTO_FREE char *words = xasprintf("diagnose debug application sessionsync %d", *level);
	const struct command_call own = { .json = false };

	return relay_open(replication_relay(ctx), 0, words, &own, ret, err);
}

/* FortiOS takes -1 for everything, and sums of bits. */
static int level_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	int *level = command_memory(call, &level_kind);
	const char *bad = NULL;

	if (call->argc != 1)
		return call->argc ? command_bad_word(call->argv[1], err)
				  : command_word_missing(err);
	*level = (int)strtonum(call->argv[0], -1, INT32_MAX, &bad);
	if (bad)
		return command_bad_word(call->argv[0], err);
	if (*level)
		return debug_ask(call, log_open, ctx, ret, err);
	debug_drop(debug_of(call), log_open);
	return 0;
}

const struct command *commands_replication(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose sys session sync", .open = sync_open },
		{ .words = "diagnose sys session sync reset", .open = reset_open },
		{ .words = "diagnose sys ha standalone-peers", .open = peers_open,
		  .has_json = true },
		{ .words = "execute sync-session", .open = resync_open },
		{ .words = "diagnose debug application sessionsync", .open = level_open },
	};

	*n = ARRAY_LEN(table);
	return table;
}
