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

static enum stream_state stopped_json_next(void *ctx, struct str *out, struct err *err) {
	const struct cluster_counts none = { .started = false };
	struct cluster c;

	(void)err;
	replication_cluster(ctx, &c);
	cluster_text_sync_json(&c, &none, out);
	return STREAM_END;
}

static void stopped_close(void *ctx) {
	(void)ctx;
}

static int sync_open(void *ctx, const struct command_call *call, struct stream *ret,
		     struct err *err) {
	if (call->argc > 0 || relay_is_attached(replication_relay(ctx)))
		return forward(ctx, "diagnose sys session sync", call, ret, err);
	*ret = (struct stream){ .next = call->json ? stopped_json_next : stopped_next,
				.close = stopped_close, .fd = -1, .ctx = ctx };
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

/* ---- diagnose debug application sessionsync|hasync LEVEL ---- */

static const struct memory_kind sessions_kind = { .size = sizeof(int) };
static const struct memory_kind config_kind = { .size = sizeof(int) };

static int log_open(void *ctx, const char *what, int level, struct stream *ret,
		    struct err *err) {
	AUTO_FREE char *words = xasprintf("diagnose debug application %s %d", what, level);
	const struct command_call own = { .json = false };

	return relay_open(replication_relay(ctx), 0, words, &own, ret, err);
}

static int sessions_log_open(void *ctx, const struct command_call *call, struct stream *ret,
			     struct err *err) {
	const int *level = command_memory(call, &sessions_kind);

	return log_open(ctx, "sessionsync", *level, ret, err);
}

static int config_log_open(void *ctx, const struct command_call *call, struct stream *ret,
			   struct err *err) {
	const int *level = command_memory(call, &config_kind);

	return log_open(ctx, "hasync", *level, ret, err);
}

/* FortiOS takes -1 for everything, and sums of bits. */
static int take_level(const struct command_call *call, int *level, struct err *err) {
	const char *bad = NULL;

	if (call->argc != 1)
		return call->argc ? command_bad_word(call->argv[1], err)
				  : command_word_missing(err);
	*level = (int)strtonum(call->argv[0], -1, INT32_MAX, &bad);
	return bad ? command_bad_word(call->argv[0], err) : 0;
}

static int sessions_level_open(void *ctx, const struct command_call *call, struct stream *ret,
			       struct err *err) {
	int *level = command_memory(call, &sessions_kind);
	int rc = take_level(call, level, err);

	if (rc == 0 && *level)
		return debug_ask(call, sessions_log_open, ctx, ret, err);
	if (rc == 0)
		debug_drop(debug_of(call), sessions_log_open);
	return rc;
}

static int config_level_open(void *ctx, const struct command_call *call, struct stream *ret,
			     struct err *err) {
	int *level = command_memory(call, &config_kind);
	int rc = take_level(call, level, err);

	if (rc == 0 && *level)
		return debug_ask(call, config_log_open, ctx, ret, err);
	if (rc == 0)
		debug_drop(debug_of(call), config_log_open);
	return rc;
}

const struct command *commands_replication(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose sys session sync", .reads = "sysgrp.cfg",
		  .open = sync_open, .has_json = true },
		{ .words = "diagnose sys session sync reset", .writes = "sysgrp.mnt",
		  .open = reset_open },
		{ .words = "diagnose sys ha standalone-peers", .reads = "sysgrp.cfg",
		  .open = peers_open,
		  .has_json = true },
		{ .words = "execute sync-session", .writes = "sysgrp.mnt", .open = resync_open },
		{ .words = "diagnose debug application sessionsync", .reads = "sysgrp.cfg",
		  .open = sessions_level_open },
		{ .words = "diagnose debug application hasync", .reads = "sysgrp.cfg",
		  .open = config_level_open },
	};

	*n = ARRAY_LEN(table);
	return table;
}
