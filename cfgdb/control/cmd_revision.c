/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * execute revision ..., execute cfg ...: a revert is a commit like any other, so it is checked, may
 * wait for a confirmation, makes one revision and can be reverted itself. It asks for a connection
 * in which nothing is open: what was staged there would be neither of now nor of then.
 */
#include "cfgdb/control/cmd_revision.h"

#include <bsd/stdlib.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/difference.h"
#include "cfgdb/history.h"
#include "cfgdb/pending.h"
#include "cfgdb/saving.h"
#include "schemas/schema_gen.h"

#define REVISIONS_MAX (1u << 20) /* bytes of revisions that are listed, the newest first */

/* ---- words ---- */

static int take_number(const char *word, uint64_t most, uint64_t *ret, struct err *err) {
	const char *bad;

	*ret = (uint64_t)strtonum(word, 1, (long long)most, &bad);
	return bad ? command_bad_word(word, err) : 0;
}

static int take_revision(const char *word, uint64_t *ret, struct err *err) {
	return take_number(word, INT64_MAX, ret, err);
}

static int check_count(const struct command_call *call, size_t least, size_t most,
		       struct err *err) {
	if (call->argc < least)
		return command_word_missing(err);
	return call->argc > most ? command_bad_word(call->argv[most], err) : 0;
}

/* ---- execute revision list config ---- */

struct list {
	struct str *out;
	struct json json;        /* to out */
	bool is_json;
};

static void list_time(const struct revision *rev, char *ret, size_t size) {
	time_t when = (time_t)rev->time;
	struct tm tm;

	localtime_r(&when, &tm);
	strftime(ret, size, "%Y-%m-%d %H:%M:%S", &tm);
}

static void list_json(const struct revision *rev, struct json *j) {
	json_put_object(j, NULL);
	json_put_u64(j, "id", rev->id);
	json_put_i64(j, "time_s", rev->time);
	json_put_text(j, "admin", rev->user);
	json_put_text(j, "source", rev->source);
	json_put_u64(j, "changes", rev->n_changes);
	json_put_text(j, "comment", rev->comment);
	json_put_end(j);
}

static int list_line(void *arg, const struct revision *rev) {
	struct list *l = arg;
	char text[32];

	if (l->is_json) {
		list_json(rev, &l->json);
		return l->out->len > REVISIONS_MAX;
	}
	list_time(rev, text, sizeof(text));
	str_addf(l->out, "%-8llu %-20s %-16s %-20s %8u  %s\n", (unsigned long long)rev->id, text,
		 rev->user, rev->source, rev->n_changes, rev->comment);
	return l->out->len > REVISIONS_MAX;
}

static int list_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	const struct cmd_revision *c = ctx;
	struct list l = { out, json_put_begin(out), call->json };
	int rc = command_no_words(call, err);

	if (rc)
		return rc;
	if (call->json)
		json_put_array(&l.json, NULL);
	else
		str_addf(out, "%-8s %-20s %-16s %-20s %8s  %s\n", "ID", "TIME", "ADMIN", "SOURCE",
			 "CHANGES", "COMMENT");
	rc = store_each_revision(c->engine->store, c->engine->revision, list_line, &l, err);
	rc = out->len > REVISIONS_MAX ? 0 : rc;
	if (call->json)
		json_put_end(&l.json);
	return rc;
}

/* ---- execute revision diff A [B] ---- */

/* The configuration that a word names; NULL: the active one. */
static struct txn *look_at(struct engine *e, const char *word, struct err *err) {
	uint64_t revision = e->revision;

	if (word && take_revision(word, &revision, err) != 0)
		return NULL;
	return history_look(e, revision, err);
}

static int diff_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct engine *e = ((const struct cmd_revision *)ctx)->engine;
	struct txn *from, *to = NULL;
	int rc = check_count(call, 1, 2, err);

	if (rc)
		return rc;
	from = look_at(e, call->argv[0], err);
	if (from)
		to = look_at(e, call->argc > 1 ? call->argv[1] : NULL, err);
	if (to)
		difference(from, to, out);
	else
		rc = err->code;
	txn_free(from);
	txn_free(to);
	return rc;
}

/* ---- what changes the configuration ---- */

static int check_idle(const struct command_call *call, struct err *err) {
	if (call->caller->txn)
		return err_set(err, ERR_CONFLICT,
			       "all of these commands are one transaction (--atomic): this one "
			       "must be its own");
	if (call->caller->seat.held)
		return err_set(err, ERR_CONFLICT,
			       "a config transaction is open here: commit or abort it first");
	return 0;
}

static void tell_outcome(const struct engine *e, uint64_t before, uint64_t of, struct str *out) {
	if (e->revision == before)
		str_addf(out, "The configuration is that of revision %" PRIu64 " already.\n", of);
	else
		str_addf(out,
			 "The configuration is that of revision %" PRIu64
			 " again: revision %" PRIu64 ".\n",
			 of, e->revision);
}

/* ---- execute revision revert N [MINUTES] ---- */

struct revert {
	uint64_t revision, minutes;
	struct txn *txn;         /* what it would be; freed by the caller, also on error */
};

static int revert_stage(struct engine *e, const struct command_call *call, struct revert *ret,
			struct err *err) {
	int rc = check_count(call, 1, 2, err);

	*ret = (struct revert){ 0 };
	if (rc == 0)
		rc = take_revision(call->argv[0], &ret->revision, err);
	if (rc == 0 && call->argc > 1)
		rc = take_number(call->argv[1], PENDING_MINUTES_MAX, &ret->minutes, err);
	if (rc == 0)
		rc = check_idle(call, err);
	if (rc)
		return rc;
	ret->txn = caller_txn_new(call->caller);
	return history_stage(ret->txn, ret->revision, err);
}

/* Whether it could be done: asked before the administrator is. */
static int revert_check(void *ctx, const struct command_call *call, struct err *err) {
	struct revert r;
	int rc = revert_stage(((const struct cmd_revision *)ctx)->engine, call, &r, err);

	txn_free(r.txn);
	return rc;
}

static int revert_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct engine *e = ((const struct cmd_revision *)ctx)->engine;
	uint64_t before = e->revision;
	struct revert r;
	int rc = revert_stage(e, call, &r, err);
	AUTO_FREE char *comment = xasprintf("revert to %" PRIu64, r.revision);
	const struct commit_wish wish = { (unsigned int)r.minutes, comment };

	if (rc == 0)
		rc = caller_commit(call->caller, r.txn, &wish, err);
	txn_free(r.txn);
	if (rc == 0)
		tell_outcome(e, before, r.revision, out);
	return rc;
}

/* ---- execute revision comment N TEXT ---- */

static int comment_run(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	const struct cmd_revision *c = ctx;
	uint64_t revision;
	size_t len;
	int rc = check_count(call, 2, 2, err);

	(void)out;
	if (rc == 0)
		rc = take_revision(call->argv[0], &revision, err);
	if (rc)
		return rc;
	len = strlen(call->argv[1]);
	if (len > CTL_COMMENT_MAX)
		return err_set(err, ERR_LENGTH,
			       "string value is too long. the size is %zu, the limit is %d", len,
			       CTL_COMMENT_MAX);
	err_clean_line(call->argv[1]);
	return store_revision_comment(c->engine->store, revision, call->argv[1], err);
}

/* ---- execute cfg save, reload, status ---- */

static void status_text(const struct saving *s, uint64_t saved, struct str *out) {
	int64_t left = saved ? saving_left(s) : -1;

	if (saved == 0) {
		str_add(out, "Everything is saved.\n");
		return;
	}
	str_addf(out, "Saved is revision %" PRIu64 ", not what came after it.\n", saved);
	if (left >= 0)
		str_addf(out, "The unit goes back to it in %" PRId64 " second%s.\n", left,
			 str_plural((uint64_t)left));
	else
		str_add(out, "The unit goes back to it at the next start of the machine.\n");
}

/* Without a time of going back it is the next start of the machine. */
static void status_json(const struct saving *s, uint64_t saved, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_bool(&j, "saved", saved == 0);
	if (saved)
		json_put_u64(&j, "saved_revision", saved);
	if (saved && saving_left(s) >= 0)
		json_put_i64(&j, "reverts_seconds", saving_left(s));
	json_put_end(&j);
}

static int status_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	const struct saving *s = ((const struct cmd_revision *)ctx)->saving;
	uint64_t saved = s ? saving_saved(s) : 0;
	int rc = command_no_words(call, err);

	if (rc == 0)
		(call->json ? status_json : status_text)(s, saved, out);
	return rc;
}

static int save_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	const struct cmd_revision *c = ctx;
	int rc = command_no_words(call, err);

	if (rc)
		return rc;
	if (!c->saving || saving_saved(c->saving) == 0) {
		str_add(out, "Everything is saved.\n");
		return 0;
	}
	rc = saving_save(c->saving, err);
	if (rc == 0)
		str_addf(out, "Revision %" PRIu64 " is saved.\n", c->engine->revision);
	return rc;
}

static int reload_check(const struct cmd_revision *c, const struct command_call *call,
			struct err *err) {
	int rc = command_no_words(call, err);

	if (rc == 0)
		rc = check_idle(call, err);
	if (rc == 0 && (!c->saving || saving_saved(c->saving) == 0))
		rc = err_set(err, ERR_NOT_FOUND, "everything is saved: there is nothing to reload");
	return rc;
}

static int reload_check_now(void *ctx, const struct command_call *call, struct err *err) {
	return reload_check(ctx, call, err);
}

static int reload_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	const struct cmd_revision *c = ctx;
	uint64_t saved = c->saving ? saving_saved(c->saving) : 0, before = c->engine->revision;
	AUTO_FREE char *comment = xasprintf("back to revision %" PRIu64 ", which was saved", saved);
	struct txn *t;
	int rc = reload_check(c, call, err);

	if (rc)
		return rc;
	t = caller_txn_new(call->caller);
	rc = saving_stage(c->saving, t, err);
	if (rc == 0) {
		rc = caller_commit(call->caller, t, &(struct commit_wish){ 0, comment }, err);
		saving_settle(c->saving, rc == 0);
	}
	txn_free(t);
	if (rc == 0)
		tell_outcome(c->engine, before, saved, out);
	return rc;
}

/*
 * ---- execute backup: the shell says so when it begins one, for the log, and sees by the revision
 * whether all is of one moment ----
 */

static int revision_run(void *ctx, const struct command_call *call, struct str *out,
			struct err *err) {
	const struct cmd_revision *c = ctx;
	int rc = command_no_words(call, err);

	if (rc == 0)
		str_addf(out, "%" PRIu64 "\n", c->engine->revision);
	return rc;
}

/* ---- execute private-data-encryption id ---- */

static int private_id_run(void *ctx, const struct command_call *call, struct str *out,
			  struct err *err) {
	const struct cmd_revision *c = ctx;
	char id[PRIVATE_KEY_ID_LEN + 1];
	int rc = command_no_words(call, err);

	keyring_private_id(c->engine->keyring, id);
	if (rc == 0)
		str_addf(out, "%s\n", *id ? id : "none");
	return rc;
}

/* ---- what the shell asks before it begins: these are other requests then ---- */

static int asked_run(void *ctx, const struct command_call *call, struct str *out,
		     struct err *err) {
	(void)ctx;
	(void)call;
	(void)out;
	return err_set(err, ERR_CONFLICT, "the shell does this");
}

/* Of super_admin alone, as the request that begins one. */
static int restore_check(void *ctx, const struct command_call *call, struct err *err) {
	(void)ctx;
	return call->rights->super ? 0 : rights_refuse("restore config", err);
}

static int private_key_check(void *ctx, const struct command_call *call, struct err *err) {
	(void)ctx;
	return rights_check(call->rights, schema_table(TBL_SYSTEM_GLOBAL), RIGHTS_WRITE, err);
}

/* ---- execute restore losses, outcome: what the shell tells of a restore ---- */

static int losses_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc == 0 && !call->caller->txn)
		rc = err_set(err, ERR_CONFLICT, "no transaction is open");
	if (rc == 0)
		txn_losses(call->caller->txn, out);
	return rc;
}

static int outcome_run(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	const struct cmd_revision *c = ctx;
	uint64_t made = call->caller->made;
	struct revision rev;
	int rc = command_no_words(call, err);

	if (rc)
		return rc;
	if (made == 0) {
		str_add(out, "nothing was changed: all is so already\n");
		return 0;
	}
	rc = store_revision_get(c->engine->store, made, &rev, err);
	if (rc)
		return rc;
	str_addf(out, "restored: revision %" PRIu64 ", %u object%s changed\n", made,
		 rev.n_changes, str_plural(rev.n_changes));
	revision_done(&rev);
	return 0;
}

const struct command *commands_revision(size_t *n) {
	static const struct command table[] = {
		{ .words = "execute revision list config", .reads = "all",
		  .run = list_run, .has_json = true },
		{ .words = "execute revision diff", .reads = "all", .run = diff_run },
		{ .words = "execute revision revert", .writes = "all", .run = revert_run,
		  .check = revert_check },
		{ .words = "execute revision comment", .writes = "sysgrp.mnt", .run = comment_run },
		{ .words = "execute backup config", .reads = "all", .act = "backup config",
		  .by_shell = true, .run = revision_run },
		{ .words = "execute backup full-config", .reads = "all", .act = "backup config",
		  .by_shell = true, .run = revision_run },
		{ .words = "execute backup yaml-config", .reads = "all", .act = "backup config",
		  .by_shell = true, .run = revision_run },
		{ .words = "execute backup revision", .reads = "all", .act = "backup config",
		  .run = revision_run },
		{ .words = "execute private-data-encryption id", .reads = "any",
		  .run = private_id_run },
		{ .words = "execute restore losses", .reads = "any", .run = losses_run },
		{ .words = "execute restore outcome", .reads = "any", .run = outcome_run },
		{ .words = "execute restore config", .writes = "all", .act = "restore config",
		  .run = asked_run, .check = restore_check },
		{ .words = "execute private-data-encryption key", .writes = "all",
		  .act = "change the private key", .run = asked_run,
		  .check = private_key_check },
		{ .words = "execute cfg status", .reads = "sysgrp.mnt",
		  .run = status_run, .has_json = true },
		{ .words = "execute cfg save", .writes = "sysgrp.mnt", .run = save_run },
		{ .words = "execute cfg reload", .writes = "all", .run = reload_run,
		  .check = reload_check_now },
	};

	*n = ARRAY_LEN(table);
	return table;
}
