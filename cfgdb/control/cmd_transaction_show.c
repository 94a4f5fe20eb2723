/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is open and what waits, told to any administrator: who meets a lock wants to know whose it
 * is. Each command prints text for people and JSON for programs from the same visits.
 */
#include <inttypes.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/difference.h"
#include "cfgdb/pending.h"

struct telling {
	const struct command_call *call;
	struct str *out;
	struct json json;
};

static struct workspace *workspace_of(const struct telling *t) {
	return t->call->caller->config->workspace;
}

static const char *state_of(const struct telling *t, const struct held *h) {
	if (!h->seat)
		return "detached";
	return h->seat == &t->call->caller->seat ? "here" : "elsewhere";
}

static void json_held(struct telling *t, const struct held *h) {
	json_put_object(&t->json, NULL);
	json_put_u64(&t->json, "id", h->id);
	json_put_text(&t->json, "user", h->user);
	json_put_text(&t->json, "state", state_of(t, h));
	json_put_u64(&t->json, "changes", txn_staged(h->txn));
	json_put_u64(&t->json, "bytes", txn_bytes(h->txn));
	json_put_u64(&t->json, "timeout_minutes", h->minutes);
	json_put_i64(&t->json, "expires_seconds", workspace_left(workspace_of(t), h));
	json_put_end(&t->json);
}

/* ---- execute config-transaction status ---- */

static void text_held(const struct telling *t, const struct held *h) {
	const char *where = h->seat == &t->call->caller->seat ? "open here"
			    : h->seat			     ? "open in another session"
							     : "not open";
	size_t n = txn_staged(h->txn);
	int64_t left = workspace_left(workspace_of(t), h);

	str_addf(t->out,
		 "config transaction id=%" PRIu64 " of %s: %s, %zu change%s, expires in %" PRId64
		 " second%s\n",
		 h->id, h->user, where, n, str_plural(n), left, str_plural((uint64_t)left));
}

static int status_held(void *arg, const struct held *h) {
	struct telling *t = arg;

	if (t->call->json)
		json_held(t, h);
	else
		text_held(t, h);
	return 0;
}

static const char *why_not(const struct awaited *a) {
	return *a->why ? a->why : "the event log tells why";
}

static void text_awaited(const struct telling *t, const struct awaited *a, int64_t left) {
	str_addf(t->out, "revision %" PRIu64 " of %s ", a->revision, a->user);
	if (a->failed)
		str_addf(t->out, "was not confirmed and cannot be taken back: %s\n", why_not(a));
	else
		str_addf(t->out,
			 "waits for its confirmation: it will be taken back in %" PRId64
			 " seconds\n",
			 left);
}

static void json_awaited(struct telling *t, const struct awaited *a, int64_t left) {
	json_put_object(&t->json, NULL);
	json_put_u64(&t->json, "revision", a->revision);
	json_put_text(&t->json, "user", a->user);
	json_put_text(&t->json, "state", a->failed ? "failed" : "waits");
	if (a->failed)
		json_put_text(&t->json, "why", why_not(a));
	else
		json_put_i64(&t->json, "reverts_seconds", left);
	json_put_end(&t->json);
}

static int status_awaited(void *arg, const struct awaited *a) {
	struct telling *t = arg;
	int64_t left = pending_left(t->call->caller->config->pending, a);

	left = left > 0 ? left : 0;
	if (t->call->json)
		json_awaited(t, a, left);
	else
		text_awaited(t, a, left);
	return 0;
}

static void status_json(struct telling *t) {
	json_put_object(&t->json, NULL);
	json_put_array(&t->json, "transactions");
	workspace_each(workspace_of(t), status_held, t);
	json_put_end(&t->json);
	json_put_array(&t->json, "commits");
	pending_each(t->call->caller->config->pending, status_awaited, t);
	json_put_end(&t->json);
	json_put_end(&t->json);
}

static int status_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct telling t = { call, out, json_put_begin(out) };
	const char *lost = call->caller->seat.lost;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc)
		return rc;
	if (call->json) {
		status_json(&t);
		return 0;
	}
	if (*lost)
		str_addf(out, "%s\n", lost);
	workspace_each(workspace_of(&t), status_held, &t);
	pending_each(call->caller->config->pending, status_awaited, &t);
	if (out->len == 0)
		str_add(out, "no config transaction is open\n");
	return 0;
}

/* ---- diagnose sys config-transaction show ---- */

static int count_held(void *arg, const struct held *h) {
	(void)h;
	++*(unsigned int *)arg;
	return 0;
}

static int meta_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct telling t = { call, out, json_put_begin(out) };
	unsigned int n = 0;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc)
		return rc;
	workspace_each(workspace_of(&t), count_held, &n);
	if (!call->json) {
		str_addf(out, "open=%u max=%u max_by_user=%u timeout=%u staged_bytes=%zu\n", n,
			 WORKSPACE_MAX, WORKSPACE_USER_MAX, WORKSPACE_MINUTES,
			 call->caller->engine->staged_bytes);
		return 0;
	}
	json_put_object(&t.json, NULL);
	json_put_u64(&t.json, "open", n);
	json_put_u64(&t.json, "max", WORKSPACE_MAX);
	json_put_u64(&t.json, "max_by_user", WORKSPACE_USER_MAX);
	json_put_u64(&t.json, "timeout_minutes", WORKSPACE_MINUTES);
	json_put_u64(&t.json, "staged_bytes", call->caller->engine->staged_bytes);
	json_put_end(&t.json);
	return 0;
}

static int info_held(void *arg, const struct held *h) {
	struct telling *t = arg;

	if (t->call->json)
		json_held(t, h);
	else
		str_addf(t->out,
			 "id=%" PRIu64 " user=%s state=%s changes=%zu bytes=%zu timeout=%u "
			 "expires=%" PRId64 "\n",
			 h->id, h->user, state_of(t, h), txn_staged(h->txn), txn_bytes(h->txn),
			 h->minutes, workspace_left(workspace_of(t), h));
	return 0;
}

/* One object of a transaction; non-zero: that is enough. */
static int tell_object(struct telling *t, const struct schema_table *table, const char *key,
		       const char *what, const char *text) {
	if (t->call->json) {
		json_put_object(&t->json, NULL);
		json_put_text(&t->json, "table", table->dotted);
		json_put_text(&t->json, "key", key);
		json_put_text(&t->json, "what", what);
		json_put_end(&t->json);
		return 0;
	}
	str_addf(t->out, "    %s%s%s: %s\n", table->path, *key ? " " : "", key, text);
	return 0;
}

static int tell_lock(void *arg, const struct schema_table *table, const char *key,
		     enum txn_lock lock) {
	static const char *const words[] = {
		[TXN_LOCK_CHANGED] = "changed",
		[TXN_LOCK_DELETED] = "deleted",
		[TXN_LOCK_REFERRED] = "referred",
	};
	static const char *const texts[] = {
		[TXN_LOCK_CHANGED] = "nobody else can change or delete it",
		[TXN_LOCK_DELETED] = "nobody else can change or name it",
		[TXN_LOCK_REFERRED] = "nobody else can delete it",
	};

	return tell_object(arg, table, key, words[lock], texts[lock]);
}

static int tell_entity(void *arg, const struct schema_table *table, const char *key,
		       enum txn_lock lock) {
	const char *what = lock == TXN_LOCK_CHANGED ? "put" : "delete";

	return lock == TXN_LOCK_REFERRED ? 0 : tell_object(arg, table, key, what, what);
}

typedef int tell_fn(void *arg, const struct schema_table *table, const char *key,
		    enum txn_lock lock);

/* What is `told` of the objects of a transaction, below what it is of. */
static int objects_of(struct telling *t, const char *kind, uint64_t number, const struct txn *txn,
		      tell_fn *told) {
	if (!t->call->json) {
		str_addf(t->out, "%s=%" PRIu64 "\n", kind, number);
		return txn ? txn_each_lock(txn, told, t) : 0;
	}
	json_put_object(&t->json, NULL);
	json_put_u64(&t->json, kind, number);
	json_put_array(&t->json, "objects");
	if (txn)
		txn_each_lock(txn, told, t);
	json_put_end(&t->json);
	json_put_end(&t->json);
	return 0;
}

static int entity_held(void *arg, const struct held *h) {
	return objects_of(arg, "id", h->id, h->txn, tell_entity);
}

static int lock_held(void *arg, const struct held *h) {
	return objects_of(arg, "id", h->id, h->txn, tell_lock);
}

/* What a commit that waits keeps others from is what takes it back. */
static int lock_awaited(void *arg, const struct awaited *a) {
	return objects_of(arg, "revision", a->revision, a->lock, tell_lock);
}

/* What it put is what that would put back or delete; what it deleted is not there now. */
static int tell_done(void *arg, const struct schema_table *table, const char *key,
		     enum txn_lock lock) {
	const struct telling *t = arg;
	bool is = model_find(t->call->caller->engine->model, table, key) != NULL;
	const char *what = is ? "put" : "delete";

	return lock == TXN_LOCK_REFERRED ? 0 : tell_object(arg, table, key, what, what);
}

static int entity_awaited(void *arg, const struct awaited *a) {
	return objects_of(arg, "revision", a->revision, a->lock, tell_done);
}

static int commands_held(void *arg, const struct held *h) {
	const struct telling *t = arg;

	str_addf(t->out, "id=%" PRIu64 "\n", h->id);
	difference_txn(h->txn, t->out);
	return 0;
}

/* Tell something of each that is open, and of each that waits for its confirmation, or NULL. */
static int show(const struct command_call *call, int (*each)(void *arg, const struct held *h),
		int (*waits)(void *arg, const struct awaited *a), struct str *out,
		struct err *err) {
	struct telling t = { call, out, json_put_begin(out) };
	int rc = command_no_words(call, err);

	if (rc)
		return rc;
	if (call->json)
		json_put_array(&t.json, NULL);
	workspace_each(workspace_of(&t), each, &t);
	if (waits)
		pending_each(call->caller->config->pending, waits, &t);
	if (call->json)
		json_put_end(&t.json);
	return 0;
}

static int info_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	(void)ctx;
	return show(call, info_held, NULL, out, err);
}

static int entity_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	(void)ctx;
	return show(call, entity_held, entity_awaited, out, err);
}

static int lock_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	(void)ctx;
	return show(call, lock_held, lock_awaited, out, err);
}

static int commands_run(void *ctx, const struct command_call *call, struct str *out,
			struct err *err) {
	(void)ctx;
	return show(call, commands_held, NULL, out, err);
}

#define SHOW "diagnose sys config-transaction show "

const struct command *commands_transaction_show(size_t *n) {
	static const struct command table[] = {
		{ .words = "execute config-transaction status", .reads = "any", .has_json = true,
		  .run = status_run },
		{ .words = SHOW "txn-meta", .reads = "sysgrp.cfg", .has_json = true,
		  .run = meta_run },
		{ .words = SHOW "txn-info", .reads = "sysgrp.cfg", .has_json = true,
		  .run = info_run },
		{ .words = SHOW "txn-entity", .reads = "all", .has_json = true, .run = entity_run },
		{ .words = SHOW "txn-lock", .reads = "all", .has_json = true, .run = lock_run },
		{ .words = SHOW "txn-cli-commands", .reads = "all", .run = commands_run },
	};

	*n = ARRAY_LEN(table);
	return table;
}
