/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One function a request, in a table by type. Each reads its fields, and either fills *err or has
 * sent what belongs before the final CTL_OK. A frame that does not parse closes the connection: the
 * two ends do not speak the same language.
 *
 * Outside a transaction a put or delete is a transaction of its own.
 */
#include "cfgdb/control/requests.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/aaa/aaa.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/control/requests_edit.h"
#include "cfgdb/control/requests_run.h"
#include "cfgdb/control/requests_sync.h"
#include "cfgdb/logs/audit.h"
#include "cfgdb/model/text.h"
#include "cfgdb/order.h"
#include "cfgdb/pending.h"

/* Reads its fields from r (r->bad is checked by the caller) and does its work. */
typedef int request_fn(struct caller *s, struct buf_reader *r, struct err *err);

void caller_init(struct caller *s, struct engine *engine, const struct server_config *config,
		 const char *user, bool allowed) {
	*s = (struct caller){ .engine = engine, .config = config, .allowed = allowed };
	snprintf(s->user, sizeof(s->user), "%s", user);
	snprintf(s->ui, sizeof(s->ui), "cli");
	s->rights = allowed ? rights_all : rights_none;
}

/* He is asked again at the commit, whoever had the transaction before. */
static void lend_rights(const struct caller *s) {
	const struct rights *rights = s->rights.super ? NULL : &s->rights;

	if (s->txn && !s->replicates)
		txn_set_rights(s->txn, rights);
	if (s->seat.held)
		txn_lend(s->seat.held->txn, rights, s->private_key);
}

struct txn *caller_txn_new(struct caller *s) {
	struct txn *t = txn_new(s->engine, s->user, s->ui);

	txn_lend(t, s->rights.super ? NULL : &s->rights, s->private_key);
	return t;
}

void caller_drop_txn(struct caller *s) {
	explicit_bzero(s->private_key, sizeof(s->private_key));
	txn_free(s->txn);
	s->txn = NULL;
	s->replicates = s->restores = false;
}

void caller_done(struct caller *s) {
	if (s->attached)
		relay_detach(s->config->relay);
	s->attached = false;
	request_run_drop(s);
	request_run_settle(s, AUDIT_UNKNOWN);
	caller_drop_txn(s);
	if (s->seat.held)
		txn_lend(s->seat.held->txn, &rights_none, "");
	workspace_leave(&s->seat);
	memories_done(&s->memories);
}

/* ---- what his role says ---- */

/* What was begun under another role ends, and what commands keep of it is forgotten. */
static void look_at_role(struct caller *s) {
	struct rights now;

	if (!s->has_role || s->role_revision == s->engine->revision)
		return;
	s->role_revision = s->engine->revision;
	rights_of_admin(s->engine->model, s->user, &now);
	if (memcmp(&now, &s->rights, sizeof(now)) == 0)
		return;
	s->rights = now;
	request_run_drop(s);
	memories_done(&s->memories);
}

void caller_take_role(struct caller *s) {
	s->allowed = s->has_role = true;
	s->role_revision = s->engine->revision;
	rights_of_admin(s->engine->model, s->user, &s->rights);
}

/* ---- fields ---- */

const struct schema_table *request_take_table(struct buf_reader *r) {
	const struct schema_table *table = schema_table(buf_get_u16(r));

	if (!table || table->parent) {
		r->bad = true;
		return schema_tables[schema_top[0]];
	}
	return table;
}

/* The last field was read: true when nothing is missing or left over. Nothing is done before. */
static bool take_end(struct buf_reader *r) {
	r->bad = !buf_reader_end(r);
	return !r->bad;
}

int request_begins(const struct caller *s, struct buf_reader *r, const struct schema_table *table,
		   enum rights_level level, struct err *err) {
	return take_end(r) ? rights_check(&s->rights, table, level, err) : 0;
}

int request_key(struct buf_reader *r, const struct schema_table *table, const char *key,
		char **ret, struct err *err) {
	if (schema_is_list(table))
		return object_key_parse(table, key, ret, err);
	r->bad = r->bad || *key;
	*ret = xstrdup("");
	return 0;
}

static const struct schema_table *take_any_table(struct buf_reader *r) {
	const struct schema_table *table = schema_table(buf_get_u16(r));

	r->bad = r->bad || !table;
	return table ? table : schema_tables[0];
}

static void send_object(struct caller *s, const struct object *obj, uint64_t ver) {
	AUTO_BUF struct buf b = BUF_INIT;
	AUTO_STR struct str body = STR_INIT;

	text_body(obj, 0, 0, &body);
	buf_put_u8(&b, CTL_OBJECT);
	buf_put_u64(&b, ver);
	buf_put_str(&b, obj->key);
	buf_put_strn(&b, str_text(&body), body.len);
	s->send(s->send_arg, &b);
}

/* The transaction that the caller works in, or NULL. */
static struct txn *caller_txn(const struct caller *s) {
	return s->txn ? s->txn : workspace_txn(&s->seat);
}

/* What the caller sees: its open transaction, or one that holds nothing. */
struct txn *caller_view(struct caller *s, struct txn **temporary) {
	struct txn *open = caller_txn(s);

	*temporary = open ? NULL : caller_txn_new(s);
	return open ? open : *temporary;
}

/* ---- requests ---- */

/*
 * So that the shell need not offer what would be refused. Who is no administrator learns that from
 * the answer to his first command.
 */
static void put_rights(const struct caller *s, struct buf *b) {
	const struct rights *rights = s->allowed ? &s->rights : &rights_all;

	buf_put_u8(b, rights_in(rights, "all") == RIGHTS_WRITE);
	buf_put_u8(b, rights->verbs);
	buf_put_u16(b, schema_n_tables);
	for (uint16_t i = 0; i < schema_n_tables; i++)
		buf_put_u8(b, (uint8_t)rights_on(rights, schema_tables[i]));
}

static int request_hello(struct caller *s, struct buf_reader *r, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	uint32_t version = buf_get_u32(r);
	AUTO_FREE char *digest = buf_get_str(r, 64);

	if (!take_end(r))
		return 0;
	if (version != CTL_VERSION || strcmp(digest, schema_digest) != 0)
		return err_set(err, ERR_CONFLICT,
			       "shell and daemon are of different versions: restart the daemon");
	s->greeted = true;
	buf_put_u8(&b, CTL_INFO);
	buf_put_str(&b, s->user);
	buf_put_str(&b, s->config->version);
	put_rights(s, &b);
	s->send(s->send_arg, &b);
	return 0;
}

/* Who may make an entry learns that there is a hidden one of that name, before he has filled it. */
static int refuse_get(const struct caller *s, const struct schema_table *table,
		      const struct object *hidden, struct err *err) {
	AUTO_FREE char *what = hidden ? xasprintf("%s '%s'", table->path, hidden->key) : NULL;

	return hidden && rights_on(&s->rights, table) == RIGHTS_WRITE
		       ? rights_refuse_table(what, RIGHTS_READ, err)
		       : err_set(err, ERR_NOT_FOUND, "entry is not found in table");
}

static int request_get(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	AUTO_FREE char *word = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *key = NULL;
	struct txn *temporary;
	const struct txn *view;
	const struct object *obj;
	int rc = request_begins(s, r, table, RIGHTS_READ, err);

	if (rc == 0 && !r->bad)
		rc = request_key(r, table, word, &key, err);
	if (rc || r->bad)
		return rc;
	view = caller_view(s, &temporary);
	obj = schema_is_list(table) ? txn_find(view, table, key) : txn_object(view, table);
	if (obj && rights_see(&s->rights, view, obj))
		send_object(s, obj, txn_base_version(view, table, obj->key));
	else
		rc = refuse_get(s, table, obj, err);
	txn_free(temporary);
	return rc;
}

struct lister {
	struct caller *s;
	const struct txn *view;
};

static int list_object(void *arg, const struct object *obj) {
	const struct lister *l = arg;

	if (rights_see(&l->s->rights, l->view, obj))
		send_object(l->s, obj, obj->ver);
	return 0;
}

static int request_list(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	struct lister l = { .s = s };
	struct txn *temporary;
	int rc = request_begins(s, r, table, RIGHTS_READ, err);

	if (rc || r->bad)
		return rc;
	l.view = caller_view(s, &temporary);
	order_each(l.view, table, list_object, &l);
	txn_free(temporary);
	return 0;
}

struct key_lister {
	struct caller *s;
	const struct txn *view;
	const char *prefix;
	uint32_t left;
};

static int list_key(void *arg, const struct object *obj) {
	struct key_lister *l = arg;
	AUTO_BUF struct buf b = BUF_INIT;

	if (strncmp(obj->key, l->prefix, strlen(l->prefix)) != 0 ||
	    !rights_see(&l->s->rights, l->view, obj))
		return 0;
	buf_put_u8(&b, CTL_KEY);
	buf_put_str(&b, obj->key);
	buf_put_str(&b, object_remark(obj));
	l->s->send(l->s->send_arg, &b);
	return --l->left == 0;
}

static int request_keys(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	AUTO_FREE char *prefix = buf_get_str(r, OBJECT_KEY_MAX);
	struct key_lister l = { .s = s, .prefix = prefix, .left = buf_get_u32(r) };
	struct txn *temporary;
	int rc = request_begins(s, r, table, RIGHTS_READ, err);

	if (rc || r->bad || l.left == 0)
		return rc;
	l.view = caller_view(s, &temporary);
	txn_each(l.view, table, list_key, &l);
	txn_free(temporary);
	return 0;
}

/* Who may name something learns whether it is there, although he may not see it: so a put tells. */
static int request_check_ref(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = take_any_table(r);
	unsigned int attr = buf_get_u16(r);
	AUTO_FREE char *name = buf_get_str(r, OBJECT_KEY_MAX);
	struct txn *temporary;
	bool found;
	int rc = request_begins(s, r, table, RIGHTS_WRITE, err);

	r->bad = r->bad || attr >= table->n_attrs || table->attrs[attr].type != ATTR_REF;
	if (rc || r->bad)
		return rc;
	found = txn_resolve(caller_view(s, &temporary), &table->attrs[attr], name) ||
		model_builtin(&table->attrs[attr], name);
	txn_free(temporary);
	return found ? 0 : err_set(err, ERR_NOT_FOUND, "%s", "");
}

/* The shell has no key; it learns whether the text can be used here, and nothing else. */
static int request_check_secret(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = take_any_table(r);
	unsigned int attr = buf_get_u16(r);
	AUTO_FREE char *sealed = buf_get_str(r, VALUE_SECRET_MAX);
	int rc = request_begins(s, r, table, RIGHTS_WRITE, err);

	r->bad = r->bad || attr >= table->n_attrs || !schema_is_secret(&table->attrs[attr]);
	if (rc || r->bad)
		return rc;
	if (secret_fits(s->engine->keyring, table, &table->attrs[attr], sealed))
		return 0;
	return err_set(err, ERR_VALUE, "%s", "");
}

static int request_next_id(struct caller *s, struct buf_reader *r, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	const struct schema_table *table = request_take_table(r);
	struct txn *temporary;
	uint64_t id;
	int rc = request_begins(s, r, table, RIGHTS_READ, err);

	if (rc || r->bad)
		return rc;
	rc = txn_next_id(caller_view(s, &temporary), table, &id, err);
	txn_free(temporary);
	if (rc)
		return rc;
	buf_put_u8(&b, CTL_ID);
	buf_put_u64(&b, id);
	s->send(s->send_arg, &b);
	return 0;
}

static void send_warning(void *arg, const char *text) {
	struct caller *s = arg;
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_WARNING);
	buf_put_str(&b, text);
	s->send(s->send_arg, &b);
}

static void send_warnings(struct caller *s, struct txn *t) {
	warn_drain(txn_warnings(t), send_warning, s);
}

static int request_begin(struct caller *s, struct buf_reader *r, struct err *err) {
	uint8_t kind = buf_get_u8(r);
	int rc;

	if (!take_end(r) || kind >= CTL_BEGIN_COUNT) {
		r->bad = true;
		return 0;
	}
	if (s->txn || s->seat.in_block)
		return err_set(err, ERR_CONFLICT, "a transaction is open already");
	if (s->seat.held && kind != CTL_BEGIN_CHANGE)
		return err_set(err, ERR_CONFLICT,
			       "config transaction id=%llu is open here: in it the configuration "
			       "cannot be replaced",
			       (unsigned long long)s->seat.held->id);
	if (kind != CTL_BEGIN_CHANGE && !s->rights.super)
		return rights_refuse("restore config", err);
	s->seat.in_block = s->seat.held != NULL;
	if (s->seat.in_block)
		return 0;
	s->txn = caller_txn_new(s);
	if (kind == CTL_BEGIN_CHANGE)
		return 0;
	s->restores = true;
	rc = txn_replace(s->txn, kind == CTL_BEGIN_REPLACE_FACTORY, err);
	if (kind == CTL_BEGIN_REPLACE_PARTLY)
		txn_keep_secrets(s->txn);
	if (rc)
		caller_drop_txn(s);
	return rc;
}

static int commit_awaited(struct caller *s, struct txn *t, unsigned int minutes,
			  uint64_t *revision, struct err *err) {
	struct pending *p = s->config->pending;

	if (!p)
		return err_set(err, ERR_CONFLICT, "no commit can wait for a confirmation here");
	if (minutes > PENDING_MINUTES_MAX)
		return err_set(err, ERR_RANGE, "a commit can wait for 1 to %d minutes",
			       PENDING_MINUTES_MAX);
	return pending_commit(p, t, s->user, minutes, revision, err);
}

static void warn_of_end(struct caller *s, uint64_t revision, unsigned int minutes) {
	AUTO_FREE char *text = xasprintf("revision %llu will be taken back in %u minute%s unless "
					 "it is confirmed: execute config-transaction confirm %llu",
					 (unsigned long long)revision, minutes, str_plural(minutes),
					 (unsigned long long)revision);

	send_warning(s, text);
}

/* Whether he could log in again from where he is. */
static bool is_let_in(const struct caller *s) {
	return s->session == 0 || !s->config->aaa || !aaa_objection(s->config->aaa, s->session);
}

/* His session goes on, so he may not notice before it is too late. */
static void warn_of_door(struct caller *s, bool was_let_in) {
	if (was_let_in && !is_let_in(s))
		send_warning(s, "you could not log in again from where you are: see trusthost "
				"and schedule of system admin");
}

int caller_commit(struct caller *s, struct txn *t, const struct commit_wish *wish,
		  struct err *err) {
	bool let_in = is_let_in(s);
	uint64_t revision = 0;
	int rc;

	txn_set_comment(t, wish->comment);
	txn_set_author(t, s->user, s->ui); /* who resumed it may be another one */
	rc = wish->confirm_minutes ? commit_awaited(s, t, wish->confirm_minutes, &revision, err)
				   : txn_commit(t, err);
	if (rc)
		return rc;
	s->made = txn_revision(t);
	explicit_bzero(s->private_key, sizeof(s->private_key));
	send_warnings(s, t);
	warn_of_door(s, let_in);
	if (revision)
		warn_of_end(s, revision, wish->confirm_minutes);
	return 0;
}

static int request_commit(struct caller *s, struct buf_reader *r, struct err *err) {
	struct commit_wish wish = { .confirm_minutes = buf_get_u32(r) };
	AUTO_FREE char *comment = buf_get_str(r, CTL_COMMENT_MAX);
	bool block = s->seat.in_block;
	int rc = 0;

	if (!take_end(r))
		return 0;
	if ((!s->txn || s->replicates) && !block)
		return err_set(err, ERR_CONFLICT, "no transaction is open");
	s->seat.in_block = false;
	wish.comment = comment;
	err_clean_line(comment);
	if (s->txn)
		rc = caller_commit(s, s->txn, &wish, err);
	if (s->restores)
		audit_command(s->config->audit, &(struct audit_who){ s->user, s->ui },
			      "execute restore config", 0, NULL, rc);
	caller_drop_txn(s);
	return rc;
}

/* Of a config transaction each entry is there for itself: it stays. */
static int request_abort(struct caller *s, struct buf_reader *r, struct err *err) {
	(void)err;
	if (!take_end(r))
		return 0;
	s->seat.in_block = false;
	caller_drop_txn(s);
	return 0;
}

int caller_settle(struct caller *s, struct txn *temporary, int rc, struct err *err) {
	bool let_in = is_let_in(s);

	if (rc == 0 && temporary) {
		rc = txn_commit(temporary, err);
		explicit_bzero(s->private_key, sizeof(s->private_key));
	}
	if (rc == 0) {
		send_warnings(s, temporary ? temporary : caller_txn(s));
		warn_of_door(s, let_in);
	}
	txn_free(temporary);
	return rc;
}

/* ---- who is attached ---- */

static int request_attach(struct caller *s, struct buf_reader *r, struct err *err) {
	int rc;

	if (!take_end(r))
		return 0;
	if (!s->config->relay)
		return err_set(err, ERR_NOT_FOUND, "nobody can attach here");
	rc = relay_attach(s->config->relay, s->send, s->send_arg, err);
	s->attached = rc == 0;
	return rc;
}

static int request_reply(struct caller *s, struct buf_reader *r, struct err *err) {
	(void)err;
	relay_reply(s->config->relay, r);
	return 0;
}

static int request_reply_end(struct caller *s, struct buf_reader *r, struct err *err) {
	(void)err;
	relay_reply_end(s->config->relay, r);
	return 0;
}

static int request_ready(struct caller *s, struct buf_reader *r, struct err *err) {
	(void)err;
	if (take_end(r))
		relay_ready(s->config->relay);
	return 0;
}

static request_fn *const requests[CTL_REQUEST_COUNT] = {
	[CTL_HELLO] = request_hello,
	[CTL_GET] = request_get,
	[CTL_LIST] = request_list,
	[CTL_KEYS] = request_keys,
	[CTL_CHECK_REF] = request_check_ref,
	[CTL_NEXT_ID] = request_next_id,
	[CTL_BEGIN] = request_begin,
	[CTL_COMMIT] = request_commit,
	[CTL_ABORT] = request_abort,
	[CTL_PUT] = request_edit_put,
	[CTL_DELETE] = request_edit_delete,
	[CTL_RUN] = request_run,
	[CTL_CANCEL] = request_run_cancel,
	[CTL_CHECK_SECRET] = request_check_secret,
	[CTL_ATTACH] = request_attach,
	[CTL_REPLY] = request_reply,
	[CTL_REPLY_END] = request_reply_end,
	[CTL_READY] = request_ready,
	[CTL_SYNC_TABLES] = request_sync_tables,
	[CTL_SYNC_INDEX] = request_sync_index,
	[CTL_SYNC_CHANGES] = request_sync_changes,
	[CTL_SYNC_READ] = request_sync_read,
	[CTL_SYNC_BEGIN] = request_sync_begin,
	[CTL_SYNC_STAGE] = request_sync_stage,
	[CTL_SYNC_COMMIT] = request_sync_commit,
	[CTL_SYNC_ROLE] = request_sync_role,
	[CTL_SYNC_MEMBERS] = request_sync_members,
	[CTL_RENAME] = request_edit_rename,
	[CTL_PLACE] = request_edit_place,
	[CTL_PURGE] = request_edit_purge,
	[CTL_PRIVATE_KEY] = request_edit_private_key,
	[CTL_OUTCOME] = request_run_outcome,
};

/* ---- dispatch ---- */

static void send_result(struct caller *s, int rc, const struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, rc ? CTL_ERROR : CTL_OK);
	if (rc)
		buf_put_u32(&b, (uint32_t)rc);
	buf_put_str(&b, rc ? err->text : engine_hostname(s->engine));
	s->send(s->send_arg, &b);
}

/* What the daemon of replication does, in the name of other members. */
static bool is_for_sync(uint8_t type) {
	return type == CTL_ATTACH || (type >= CTL_SYNC_TABLES && type <= CTL_SYNC_MEMBERS);
}

/* Whether a frame of this type may come now. */
static bool is_in_order(const struct caller *s, uint8_t type) {
	bool reply = type == CTL_REPLY || type == CTL_REPLY_END || type == CTL_READY;

	return type < CTL_REQUEST_COUNT && requests[type] && (s->greeted || type == CTL_HELLO) &&
	       (!caller_is_streaming(s) || type == CTL_CANCEL) && s->attached == reply &&
	       (!s->replicates || is_for_sync(type) || type == CTL_ABORT);
}

/* Whether the one at the other end may ask for this. */
static bool has_right(const struct caller *s, uint8_t type) {
	if (is_for_sync(type) || ((type == CTL_HELLO || type == CTL_ABORT) && s->may_attach))
		return s->may_attach;
	if (type != CTL_HELLO && aaa_is_due(s->config->aaa, s->session))
		return false;
	return s->allowed || s->attached;
}

/* Whether it may change something. Who types for a config transaction must not change another. */
static bool is_change(uint8_t type) {
	return type == CTL_PUT || type == CTL_DELETE || type == CTL_RENAME || type == CTL_PLACE ||
	       type == CTL_PURGE || type == CTL_PRIVATE_KEY || type == CTL_BEGIN ||
	       type == CTL_COMMIT;
}

static bool has_key(uint8_t type) {
	return type == CTL_PUT || type == CTL_DELETE || type == CTL_RENAME || type == CTL_PLACE ||
	       type == CTL_GET;
}

static bool has_table(uint8_t type) {
	return has_key(type) || type == CTL_PURGE || type == CTL_LIST || type == CTL_KEYS ||
	       type == CTL_NEXT_ID || type == CTL_CHECK_REF || type == CTL_CHECK_SECRET;
}

/* What completion asks for while a line is typed: nothing may come between. */
static bool is_quiet(uint8_t type) {
	return type == CTL_KEYS || type == CTL_CHECK_REF || type == CTL_CHECK_SECRET ||
	       type == CTL_GET || type == CTL_CANCEL;
}

/* The time of config transactions: what is over ends, and a change begins it anew. */
static int look_at_time(struct caller *s, uint8_t type, struct err *err) {
	char text[WARN_TEXT_MAX];

	if (!s->config->workspace)
		return 0;
	workspace_tick(s->config->workspace);
	if (s->seat.held)
		txn_renew(s->seat.held->txn);
	if (!is_quiet(type) && workspace_warning(&s->seat, text, sizeof(text)))
		send_warning(s, text);
	return is_change(type) ? workspace_use(&s->seat, err) : 0;
}

static int refuse(const struct caller *s, struct err *err) {
	if (aaa_is_due(s->config->aaa, s->session))
		return err_set(err, ERR_PERMISSION, "a new password has to be set first");
	if (s->administrator)
		return err_set(err, ERR_PERMISSION,
			       "you have no session, or it has ended: log in again");
	return err_set(err, ERR_PERMISSION,
		       "you are no administrator of this unit: root and members of the group %s "
		       "are, and entries of config system admin that log in",
		       s->config->group);
}

/* Frames about an entry begin with its table and key. */
static void tell_refusal(const struct caller *s, const uint8_t *frame, size_t len,
			 const struct err *err) {
	const struct audit_who who = { s->user, s->ui };
	struct audit_refused what = { .why = err };
	AUTO_FREE char *key = NULL;
	struct buf_reader r;
	uint8_t type;

	buf_reader_init(&r, frame, len);
	type = buf_get_u8(&r);
	what.change = is_change(type);
	if (has_table(type))
		what.table = take_any_table(&r);
	if (has_key(type))
		what.key = key = buf_get_str(&r, OBJECT_KEY_MAX);
	if (r.bad)
		what.table = NULL;
	audit_refusal(s->config->audit, &who, &what);
}

/* Commands tell of themselves (cfgdb/control/requests_run.h). */
static bool is_told(uint8_t type, int code) {
	bool denied = code == ERR_DENIED || code == ERR_PERMISSION;

	return type != CTL_RUN && code != 0 && (denied || is_change(type));
}

bool caller_request(struct caller *s, const uint8_t *frame, size_t len) {
	struct buf_reader r;
	struct err err = { 0 };
	uint8_t type;
	bool streaming = caller_is_streaming(s), attached = s->attached;
	int rc;

	buf_reader_init(&r, frame, len);
	type = buf_get_u8(&r);
	if (!is_in_order(s, type))
		return false;
	look_at_role(s);
	if (!has_right(s, type)) {
		rc = refuse(s, &err);
		tell_refusal(s, frame, len, &err);
		send_result(s, rc, &err);
		return true;
	}
	lend_rights(s);
	rc = look_at_time(s, type, &err);
	if (rc) {
		tell_refusal(s, frame, len, &err);
		send_result(s, rc, &err);
		return true;
	}
	rc = requests[type](s, &r, &err);
	lend_rights(s); /* what was resumed must not keep those of another connection */
	if (!buf_reader_end(&r))
		return false;
	if (is_told(type, rc))
		tell_refusal(s, frame, len, &err);
	if (attached) /* what the attached one says has no answer */
		return true;
	if (type == CTL_CANCEL ? streaming : !caller_is_streaming(s))
		send_result(s, rc, &err);
	if (s->attached)
		relay_welcome(s->config->relay);
	return true;
}

/* ---- answers under way ---- */

bool caller_is_streaming(const struct caller *s) {
	return s->stream.next != NULL;
}

enum stream_state caller_stream(struct caller *s) {
	struct err err = { 0 };
	const struct audit_who who = { s->user, s->ui };
	const struct audit_refused what = { .why = &err };
	enum stream_state state;
	int rc;

	look_at_role(s);
	if (!caller_is_streaming(s)) {
		rc = rights_refuse("see the rest: his role is another one now", &err);
		audit_refusal(s->config->audit, &who, &what);
		send_result(s, rc, &err);
		return STREAM_FAILED;
	}
	state = request_run_next(s, &err);
	if (state == STREAM_END || state == STREAM_FAILED)
		send_result(s, state == STREAM_END ? 0 : err.code, &err);
	return state;
}
