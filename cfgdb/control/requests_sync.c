/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the group shares is read as it is at the moment of the request; its revision comes first in
 * each answer, so that who reads in several requests knows what has changed in between and asks for
 * that at the end.
 *
 * What is changed is told by key: the present state of each object that has changed since, whatever
 * happened to it on the way. An entry of an ordered table is told with the one before it. Told in
 * the order of the table, and placed one after the other, they stand at the end as they do here.
 */
#include "cfgdb/control/requests_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/operation.h"
#include "cfgdb/role.h"
#include "cfgdb/shared.h"

#define READ_MAX 4096          /* objects in one request */
#define NAME_MAX_LEN 255       /* of users, sources, comments */

/* All requests come by here once, before they do anything: a fault only kills. */
static bool take_end(struct buf_reader *r) {
	fault_hit("sync.request");
	r->bad = !buf_reader_end(r);
	return !r->bad;
}

/* Of a unit in no group nothing is anybody's business, and nobody brings it anything. */
static int check_member(const struct caller *s, struct err *err) {
	return role_is_member(s->engine->model)
		       ? 0 : err_set(err, ERR_CONFLICT, "this unit is in no group");
}

/* ---- answers ---- */

static void send_revision(struct caller *s) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_SYNC_REVISION);
	buf_put_u64(&b, s->engine->revision);
	s->send(s->send_arg, &b);
}

static void send_digest(struct caller *s, const char *name, const unsigned char *digest) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_SYNC_DIGEST);
	buf_put_str(&b, name);
	buf_put_bytes(&b, digest, DIGEST_LEN);
	s->send(s->send_arg, &b);
}

/* ---- what there is ---- */

static int send_table(void *arg, const char *dotted, const unsigned char *digest) {
	send_digest(arg, dotted, digest);
	return 0;
}

int request_sync_tables(struct caller *s, struct buf_reader *r, struct err *err) {
	struct digest_view view;

	if (!take_end(r))
		return 0;
	if (check_member(s, err) != 0)
		return err->code;
	send_revision(s);
	digest_view_init(&view, s->engine);
	digest_each_table(&view, send_table, s);
	return 0;
}

struct page {
	struct caller *s;
	const char *after;       /* not reached yet; NULL: it is */
	uint32_t left;
};

static int send_key(void *arg, const char *key, const unsigned char *digest) {
	struct page *p = arg;

	if (p->after) {
		p->after = strcmp(key, p->after) == 0 ? NULL : p->after;
		return 0;
	}
	send_digest(p->s, key, digest);
	return --p->left == 0;
}

int request_sync_index(struct caller *s, struct buf_reader *r, struct err *err) {
	AUTO_FREE char *dotted = buf_get_str(r, OPERATION_TABLE_MAX);
	AUTO_FREE char *after = buf_get_str(r, OBJECT_KEY_MAX);
	struct page p = { s, *after ? after : NULL, buf_get_u32(r) };
	struct digest_view view;

	if (!take_end(r) || p.left == 0)
		return 0;
	if (check_member(s, err) != 0)
		return err->code;
	send_revision(s);
	digest_view_init(&view, s->engine);
	digest_each_object(&view, dotted, send_key, &p);
	return p.after ? err_set(err, ERR_NOT_FOUND, "entry is not found in table") : 0;
}

/* ---- operations ---- */

/* Operations that are to be sent together, or not at all. */
struct operations {
	struct caller *s;
	struct shared shared;
	struct buf data;
	size_t n;
};

static void operations_init(struct operations *ops, struct caller *s) {
	*ops = (struct operations){ .s = s };
	shared_init(&ops->shared, s->engine->model);
}

static void operations_done(struct operations *ops) {
	buf_wipe(&ops->data);
}

static void operations_send(const struct operations *ops) {
	struct buf_reader r;

	buf_reader_init(&r, ops->data.data, ops->data.len);
	for (size_t i = 0; i < ops->n; i++) {
		struct buf b = BUF_INIT;
		uint32_t len = buf_get_u32(&r);

		buf_reserve(&b, len);
		b.len = len;
		buf_get_bytes(&r, b.data, len);
		ops->s->send(ops->s->send_arg, &b);
		buf_wipe(&b);
	}
}

static void operations_add(struct operations *ops, const struct operation *o) {
	struct buf b = BUF_INIT;

	buf_reserve(&b, strlen(o->body) + 1024);
	buf_put_u8(&b, CTL_SYNC_OPERATION);
	operation_encode(&b, o);
	buf_put_u32(&ops->data, (uint32_t)b.len);
	buf_put_bytes(&ops->data, b.data, b.len);
	buf_wipe(&b);
	ops->n++;
}

/* The key of the entry before obj, of those that the group counts. */
static const char *key_before(const struct operations *ops, const struct object *obj) {
	const struct model *m = ops->s->engine->model;

	do
		obj = model_prev(m, obj);
	while (obj && !shared_has(&ops->shared, obj));
	return obj ? obj->key : "";
}

static int add_object(struct operations *ops, const struct object *obj, struct err *err) {
	AUTO_STR struct str body = STR_INIT;
	struct operation o = { .kind = OPERATION_PUT,
			       .table = (char *)obj->table->dotted,
			       .key = obj->key,
			       .placed = (obj->table->flags & TABLE_ORDERED) != 0,
			       .after = (char *)"" };
	int rc = shared_text(&ops->shared, ops->s->engine->keyring, obj, &body, err);

	if (rc == 0) {
		o.body = (char *)str_text(&body);
		o.after = o.placed ? (char *)key_before(ops, obj) : o.after;
		operations_add(ops, &o);
	}
	if (body.data)
		explicit_bzero(body.data, body.size);
	return rc;
}

static const char *row_before(const struct rows *rows, const struct row *row) {
	const char *before = "";

	for (const struct row *at = rows_first_of(rows, row->dotted); at != row;
	     at = rows_next(rows, at))
		before = at->key;
	return before;
}

static int add_row(struct operations *ops, const struct row *row, struct err *err) {
	const struct rows *rows = model_rows(ops->s->engine->model);
	AUTO_STR struct str body = STR_INIT;
	struct operation o = { .kind = OPERATION_PUT, .table = row->dotted, .key = row->key,
			       .placed = row->pos != 0, .after = (char *)"" };
	int rc = shared_row_text(ops->s->engine->keyring, row, &body, err);

	o.body = (char *)str_text(&body);
	if (o.placed)
		o.after = (char *)row_before(rows, row);
	if (rc == 0)
		operations_add(ops, &o);
	if (body.data)
		explicit_bzero(body.data, body.size);
	return rc;
}

/* What there is under this name now. */
static int add_named(struct operations *ops, const char *dotted, const char *key, struct err *err) {
	const struct engine *e = ops->s->engine;
	const struct schema_table *table = schema_find(dotted);
	const struct object *obj = table ? model_find(e->model, table, key) : NULL;
	const struct row *row = table ? NULL : rows_find(model_rows(e->model), dotted, key);
	struct operation gone = { .kind = OPERATION_DELETE, .table = (char *)dotted,
				  .key = (char *)key, .body = (char *)"" };

	if (obj && shared_has(&ops->shared, obj))
		return add_object(ops, obj, err);
	if (row && shared_has_name(&ops->shared, dotted))
		return add_row(ops, row, err);
	operations_add(ops, &gone);
	return 0;
}

int request_sync_read(struct caller *s, struct buf_reader *r, struct err *err) {
	uint16_t n = buf_get_u16(r);
	struct operations ops;
	int rc = check_member(s, err);

	r->bad = r->bad || n > READ_MAX;
	operations_init(&ops, s);
	for (uint16_t i = 0; i < n && !r->bad; i++) {
		AUTO_FREE char *dotted = buf_get_str(r, OPERATION_TABLE_MAX);
		AUTO_FREE char *key = buf_get_str(r, OBJECT_KEY_MAX);

		if (!r->bad && rc == 0)
			rc = add_named(&ops, dotted, key, err);
	}
	if (take_end(r) && rc == 0) {
		send_revision(s);
		operations_send(&ops);
	}
	operations_done(&ops);
	return rc;
}

/* ---- what has changed ---- */

struct changed {
	char *dotted, *key;
	int64_t pos;             /* in the table as it is shown; 0: gone */
};

struct changes {
	const struct engine *engine;
	struct shared shared;
	struct changed *changed;
	size_t n, size;
};

static int note_change(void *arg, const char *dotted, const char *key) {
	struct changes *c = arg;
	const struct schema_table *table = schema_find(dotted);
	const struct object *obj = table ? model_find(c->engine->model, table, key) : NULL;

	if (!shared_has_name(&c->shared, dotted))
		return 0;
	if (c->n == c->size) {
		c->size = c->size ? c->size * 2 : 16;
		c->changed = xreallocarray(c->changed, c->size, sizeof(*c->changed));
	}
	c->changed[c->n++] = (struct changed){ xstrdup(dotted), xstrdup(key), obj ? obj->pos : 0 };
	return 0;
}

/* By table, and in each as it is shown: so other members show new objects in the same order. */
static int compare_changed(const void *a, const void *b) {
	const struct changed *x = a, *y = b;
	int order = strcmp(x->dotted, y->dotted);

	if (order == 0)
		order = (x->pos > y->pos) - (x->pos < y->pos);
	return order ? order : strcmp(x->key, y->key);
}

static void changes_done(struct changes *c) {
	for (size_t i = 0; i < c->n; i++) {
		free(c->changed[i].dotted);
		free(c->changed[i].key);
	}
	free(c->changed);
}

/* Who has made the changes, the last one at the end; "..." are those that had no room. */
struct origin {
	uint64_t since;
	int64_t time;            /* of the last one; 0: none yet */
	char user[CTL_ORIGIN_MAX + 1], source[CTL_ORIGIN_MAX + 1];
};

static bool is_named(const char *names, const char *name) {
	size_t len = strlen(name);

	for (const char *at = names; at; at = strstr(at, ", ")) {
		at += at > names ? strlen(", ") : 0;
		if (strncmp(at, name, len) == 0 && (!at[len] || strncmp(&at[len], ", ", 2) == 0))
			return true;
	}
	return false;
}

/* Put a name before the others, if it is not there. */
static void add_name(char names[CTL_ORIGIN_MAX + 1], const char *name) {
	static const char more[] = "...";
	AUTO_FREE char *rest = xstrdup(names);
	size_t least = strlen(rest) + strlen(", ") + strlen(more) + strlen(", ");

	if (is_named(names, name) || strncmp(names, more, strlen(more)) == 0)
		return;
	if (*rest && least + strlen(name) > CTL_ORIGIN_MAX)
		name = more;
	snprintf(names, CTL_ORIGIN_MAX + 1, "%s%s%s", name, *rest ? ", " : "", rest);
}

/* The newest comes first. */
static int take_author(void *arg, const struct revision *rev) {
	struct origin *o = arg;

	if (o->time != 0 && rev->id <= o->since)
		return 1;
	o->time = o->time ? o->time : rev->time;
	add_name(o->user, rev->user);
	add_name(o->source, rev->source);
	return 0;
}

static int send_origin(struct caller *s, uint64_t since, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct origin o = { .since = since };
	int rc = store_each_revision(s->engine->store, s->engine->revision, take_author, &o, err);

	if (rc > 1)
		return rc;
	buf_put_u8(&b, CTL_SYNC_ORIGIN);
	buf_put_str(&b, o.user);
	buf_put_str(&b, o.source);
	buf_put_u64(&b, (uint64_t)o.time);
	s->send(s->send_arg, &b);
	return 0;
}

/* Nothing of it is sent if it is longer than max bytes. */
static int send_changes(struct caller *s, struct changes *c, uint64_t since, size_t max,
			struct err *err) {
	struct operations ops;
	int rc = 0;

	if (c->n > 1)
		qsort(c->changed, c->n, sizeof(*c->changed), compare_changed);
	operations_init(&ops, s);
	for (size_t i = 0; i < c->n && rc == 0; i++) {
		rc = add_named(&ops, c->changed[i].dotted, c->changed[i].key, err);
		if (rc == 0 && ops.data.len > max)
			rc = err_set(err, ERR_TOO_LONG, "the changes are more than %zu bytes", max);
	}
	if (rc == 0) {
		send_revision(s);
		rc = send_origin(s, since, err);
	}
	if (rc == 0)
		operations_send(&ops);
	operations_done(&ops);
	return rc;
}

int request_sync_changes(struct caller *s, struct buf_reader *r, struct err *err) {
	uint64_t since = buf_get_u64(r);
	uint32_t max = buf_get_u32(r);
	struct changes c = { .engine = s->engine };
	int rc;

	if (!take_end(r))
		return 0;
	if (check_member(s, err) != 0)
		return err->code;
	shared_init(&c.shared, s->engine->model);
	rc = store_changed_since(s->engine->store, since, note_change, &c, err);
	if (rc == 0)
		rc = send_changes(s, &c, since, max, err);
	changes_done(&c);
	return rc;
}

/* ---- what another member has ---- */

int request_sync_begin(struct caller *s, struct buf_reader *r, struct err *err) {
	AUTO_FREE char *user = buf_get_str(r, NAME_MAX_LEN);
	AUTO_FREE char *source = buf_get_str(r, NAME_MAX_LEN);
	uint64_t time = buf_get_u64(r);
	AUTO_FREE char *comment = buf_get_str(r, NAME_MAX_LEN);
	const struct txn_origin origin = { user, source, comment, (int64_t)time };

	r->bad = r->bad || time > INT64_MAX;
	if (!take_end(r))
		return 0;
	if (check_member(s, err) != 0)
		return err->code;
	if (s->txn)
		return err_set(err, ERR_CONFLICT, "a transaction is open already");
	s->txn = txn_new_replicated(s->engine, &origin);
	s->replicates = true;
	return 0;
}

static int stage_put(struct txn *t, const struct schema_table *table, const struct operation *o,
		     const struct keyring *k, struct err *err) {
	struct object *obj = object_new(table, o->key);
	int rc = shared_parse(k, obj, o->body, err);

	if (rc == 0)
		return txn_replicate_put(t, obj, err);
	object_free(obj);
	return rc;
}

static int stage_known(struct txn *t, const struct schema_table *table, const struct operation *o,
		       const struct keyring *k, struct err *err) {
	bool list = schema_is_list(table);
	AUTO_FREE char *key = NULL;
	int rc = 0;

	if (list)
		rc = object_key_parse(table, o->key, &key, err);
	if (rc == 0 && (list ? strcmp(key, o->key) != 0 : *o->key))
		rc = err_set(err, ERR_PARSE, "'%s' is no key of %s", o->key, o->table);
	if (rc == 0 && o->kind == OPERATION_DELETE)
		return txn_replicate_delete(t, table, o->key, err);
	if (rc == 0 && o->kind == OPERATION_PUT)
		rc = stage_put(t, table, o, k, err);
	if (rc == 0 && o->placed && (table->flags & TABLE_ORDERED))
		rc = txn_place(t, table, o->key, o->after, err);
	return rc;
}

static int stage_unknown(struct txn *t, const struct operation *o, struct err *err) {
	const char *body = o->kind == OPERATION_PUT ? o->body : NULL;
	int rc = 0;

	if (o->kind != OPERATION_PLACE)
		rc = txn_replicate_unknown(t, o->table, o->key, body, err);
	if (rc == 0 && o->placed)
		rc = txn_place_unknown(t, o->table, o->key, o->after, err);
	return rc;
}

static int stage(struct caller *s, const struct operation *o, struct err *err) {
	const struct schema_table *table = schema_find(o->table);
	int rc;

	if (!s->txn || !s->replicates)
		return err_set(err, ERR_CONFLICT, "no transaction is open");
	rc = table ? stage_known(s->txn, table, o, s->engine->keyring, err)
		   : stage_unknown(s->txn, o, err);
	if (rc)
		err_prefix(err, "%s %s", o->table, o->key);
	return rc;
}

int request_sync_stage(struct caller *s, struct buf_reader *r, struct err *err) {
	struct operation o;
	int rc = 0;

	operation_decode(&o, r);
	if (take_end(r))
		rc = stage(s, &o, err);
	operation_done(&o);
	return rc;
}

static void take_digests(struct buf_reader *r, struct digest_group *ret) {
	buf_get_bytes(r, ret->global, sizeof(ret->global));
	buf_get_bytes(r, ret->root, sizeof(ret->root));
	buf_get_bytes(r, ret->all, sizeof(ret->all));
}

int request_sync_commit(struct caller *s, struct buf_reader *r, struct err *err) {
	AUTO_FREE char *serial = buf_get_str(r, MEMBER_SERIAL - 1);
	static const struct digest_group unknown;
	struct role_source source = { .serial = serial };
	struct digest_group digests;
	int rc;

	source.epoch = buf_get_u64(r);
	source.revision = buf_get_u64(r);
	take_digests(r, &digests);
	if (!take_end(r))
		return 0;
	if (!s->txn || !s->replicates || !s->config->role)
		return err_set(err, ERR_CONFLICT, "no transaction is open");
	if (memcmp(&digests, &unknown, sizeof(digests)) != 0)
		txn_expect(s->txn, &digests);
	if (fault_hit("sync.commit"))
		rc = err_set(err, ERR_STORE, "injected fault before the commit");
	else
		rc = role_commit(s->config->role, s->txn, &source, err);
	caller_drop_txn(s);
	return rc;
}

/* ---- the group ---- */

int request_sync_role(struct caller *s, struct buf_reader *r, struct err *err) {
	uint8_t primary = buf_get_u8(r);
	struct role_order order = { .primary = primary == 1 };
	AUTO_FREE char *why = NULL;

	buf_get_bytes(r, order.primary_ip.byte, 4);
	order.heard = buf_get_u64(r);
	order.told = buf_get_u64(r);
	order.why = why = buf_get_str(r, NAME_MAX_LEN);
	r->bad = r->bad || primary > 1 || order.heard > INT64_MAX;
	if (!take_end(r))
		return 0;
	if (!s->config->role)
		return err_set(err, ERR_CONFLICT, "this unit is in no group");
	return role_order(s->config->role, &order, err);
}

int request_sync_members(struct caller *s, struct buf_reader *r, struct err *err) {
	AUTO_FREE char *text = buf_get_str(r, MEMBERSHIP_TEXT_MAX);
	struct membership now;
	int rc;

	if (!take_end(r))
		return 0;
	rc = check_member(s, err);
	if (rc == 0)
		rc = membership_parse(&now, text, err);
	if (rc == 0 && s->config->role)
		rc = role_meet(s->config->role, &now, err);
	return rc;
}
