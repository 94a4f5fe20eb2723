/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Staged objects are a tree over the model: a look-up asks the tree first. A staged deletion is an
 * entry without an object. Each entry remembers the version of the active object it started from;
 * when that has changed by the time of the commit, someone else was faster and the commit is
 * refused (code 14).
 */
#include "cfgdb/txn.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/txn_impl.h"

static int compare_staged(const struct staged *a, const struct staged *b) {
	if (a->table != b->table)
		return a->table->id < b->table->id ? -1 : 1;
	return object_key_compare(a->table, a->key, b->key);
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(staged_tree, staged, entry, compare_staged)

struct txn *txn_new(struct engine *e, const char *user, const char *source) {
	struct txn *t = xcalloc(1, sizeof(*t));

	t->engine = e;
	t->user = xstrdup(user);
	t->source = xstrdup(source);
	t->seen_revision = e->revision;
	TAILQ_INIT(&t->order);
	return t;
}

static void staged_free(struct txn *t, struct staged *s) {
	RB_REMOVE(staged_tree, &t->staged, s);
	TAILQ_REMOVE(&t->order, s, next);
	t->n_staged--;
	object_free(s->obj);
	free(s->key);
	free(s);
}

void txn_clear(struct txn *t) {
	struct staged *s;

	while ((s = TAILQ_FIRST(&t->order)) != NULL)
		staged_free(t, s);
	t->seen_revision = t->engine->revision;
}

void txn_free(struct txn *t) {
	if (!t)
		return;
	txn_clear(t);
	free(t->user);
	free(t->source);
	free(t);
}

/* ---- looking through the transaction ---- */

static struct staged *staged_find(const struct txn *t, const struct schema_table *table, const char *key) {
	struct staged want = { .table = table, .key = (char *)key };

	return RB_FIND(staged_tree, (struct staged_tree *)&t->staged, &want);
}

/* First staged entry of a table, by key. */
static struct staged *staged_first(const struct txn *t, const struct schema_table *table) {
	struct staged want = { .table = table, .key = (char *)"" };
	struct staged *s;

	if (schema_is_list(table) && table->attrs[0].type == ATTR_INTEGER)
		want.key = (char *)"-9223372036854775808";
	s = RB_NFIND(staged_tree, (struct staged_tree *)&t->staged, &want);
	return s && s->table == table ? s : NULL;
}

static struct staged *staged_next(struct staged *s) {
	struct staged *next = RB_NEXT(staged_tree, NULL, s);

	return next && next->table == s->table ? next : NULL;
}

const struct object *txn_find(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct staged *s = staged_find(t, table, key);

	return s ? s->obj : model_find(t->engine->model, table, key);
}

const struct object *txn_object(const struct txn *t, const struct schema_table *table) {
	const struct object *obj = txn_find(t, table, "");

	return obj ? obj : model_object(t->engine->model, table);
}

const struct object *txn_resolve(const struct txn *t, const struct schema_attr *attr, const char *name) {
	for (unsigned int i = 0; i < attr->n_refs; i++) {
		const struct object *obj = txn_find(t, schema_tables[attr->refs[i]], name);

		if (obj)
			return obj;
	}
	return NULL;
}

int txn_each(const struct txn *t, const struct schema_table *table,
	     int (*visit)(void *arg, const struct object *obj), void *arg) {
	const struct model *m = t->engine->model;
	const struct staged *s;
	int rc = 0;

	for (const struct object *obj = model_first(m, table); obj && rc == 0; obj = model_next(m, obj)) {
		const struct object *now = t->n_staged ? txn_find(t, table, obj->key) : obj;

		rc = now ? visit(arg, now) : 0;
	}
	TAILQ_FOREACH(s, &t->order, next) {
		if (rc)
			return rc;
		if (s->table == table && s->obj && !model_find(m, table, s->key))
			rc = visit(arg, s->obj);
	}
	return rc;
}

size_t txn_count(const struct txn *t, const struct schema_table *table) {
	size_t n = model_count(t->engine->model, table);

	for (struct staged *s = staged_first(t, table); s; s = staged_next(s)) {
		bool active = model_find(t->engine->model, table, s->key) != NULL;

		n += (s->obj != NULL) - active;
	}
	return n;
}

uint64_t txn_base_version(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct staged *s = staged_find(t, table, key);
	const struct object *obj;

	if (s)
		return s->obj ? s->base : TXN_NEW;
	obj = model_find(t->engine->model, table, key);
	return obj ? obj->ver : TXN_NEW;
}

int txn_next_id(const struct txn *t, const struct schema_table *table, uint64_t *ret, struct err *err) {
	const struct schema_attr *key = &table->attrs[0];
	int64_t last = key->min > 0 ? key->min - 1 : 0;
	const struct object *obj;

	if (key->type != ATTR_INTEGER)
		return err_set(err, ERR_PARSE, "\ncommand parse error before '0'");
	for (obj = model_seek(t->engine->model, table, "-1"); obj; obj = model_next_key(t->engine->model, obj)) {
		const struct staged *s = staged_find(t, table, obj->key);

		if ((!s || s->obj) && atoll(obj->key) > last)
			last = atoll(obj->key);
	}
	for (struct staged *s = staged_first(t, table); s; s = staged_next(s))
		if (s->obj && atoll(s->key) > last)
			last = atoll(s->key);
	if (last >= key->max)
		return err_set(err, ERR_MAX_ENTRIES, "object set operator error, -4 discard the setting");
	*ret = (uint64_t)last + 1;
	return 0;
}

/* ---- users ---- */

struct user_count {
	const struct txn *t;
	const struct object *target;
	size_t n;
};

static int count_active_user(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct user_count *c = arg;

	(void)attr;
	if (!staged_find(c->t, holder->table, holder->key))
		c->n++;
	return 0;
}

static int count_staged_ref(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct user_count *c = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];

	if (strcmp(name, c->target->key) != 0)
		return 0;
	for (unsigned int i = 0; i < a->n_refs; i++)
		if (a->refs[i] == c->target->table->id)
			c->n++;
	return 0;
}

size_t txn_count_users(const struct txn *t, const struct object *obj) {
	struct user_count c = { t, obj, 0 };
	const struct staged *s;

	model_each_user(t->engine->model, obj, count_active_user, &c);
	TAILQ_FOREACH(s, &t->order, next)
		if (s->obj && !(s->table == obj->table && strcmp(s->key, obj->key) == 0))
			object_each_ref(s->obj, count_staged_ref, &c);
	return c.n;
}

/* ---- staging ---- */

static int refuse_locked(struct err *err) {
	return err_set(err, ERR_LOCKED,
		       "Can not config the object since either the object or the referenced objects are being "
		       "configured by other transactions.");
}

/* Stage obj (NULL: deletion) under its table and key; takes over obj. */
static void txn_stage(struct txn *t, const struct schema_table *table, const char *key, struct object *obj,
		      uint64_t base) {
	struct staged *s = staged_find(t, table, key);

	if (s) {
		object_free(s->obj);
		s->obj = obj;
		return;
	}
	s = xcalloc(1, sizeof(*s));
	s->table = table;
	s->key = xstrdup(key);
	s->obj = obj;
	s->base = base;
	RB_INSERT(staged_tree, &t->staged, s);
	TAILQ_INSERT_TAIL(&t->order, s, next);
	t->n_staged++;
}

/* The version an entry will be held against at commit: that of the active object. */
static uint64_t active_version(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct object *obj = model_find(t->engine->model, table, key);

	return obj ? obj->ver : TXN_NEW;
}

int txn_put(struct txn *t, struct object *obj, uint64_t base, struct err *err) {
	const struct object *before = txn_find(t, obj->table, obj->key);
	uint64_t active = active_version(t, obj->table, obj->key);
	int rc = 0;

	if (t->n_staged >= TXN_STAGED_MAX)
		rc = err_set(err, ERR_MAX_ENTRIES, "object set operator error, -4 discard the setting");
	else if (base != TXN_ANY && base != txn_base_version(t, obj->table, obj->key) &&
		 !(before == NULL && !schema_is_list(obj->table)))
		rc = refuse_locked(err);
	if (rc == 0)
		rc = secret_seal_object(t->engine->keyring, obj, before, err);
	if (rc == 0) {
		object_normalize(obj);
		check_adjust(obj);
		object_fill_uuid(obj);
		rc = check_object(t, obj, err);
	}
	if (rc) {
		object_free(obj);
		return rc;
	}
	obj->pos = before ? before->pos : 0;
	txn_stage(t, obj->table, obj->key, obj, active);
	return 0;
}

int txn_delete(struct txn *t, const struct schema_table *table, const char *key, struct err *err) {
	const struct object *obj = txn_find(t, table, key);
	int rc;

	if (!obj)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (t->n_staged >= TXN_STAGED_MAX)
		return err_set(err, ERR_MAX_ENTRIES, "object set operator error, -4 discard the setting");
	rc = check_delete(t, obj, err);
	if (rc)
		return rc;
	txn_stage(t, table, key, NULL, active_version(t, table, key));
	return 0;
}

size_t txn_staged(const struct txn *t) {
	return t->n_staged;
}

void txn_as_found(struct txn *t) {
	t->as_found = true;
}

/* ---- before a commit ---- */

static int staged_recheck(const struct txn *t, const struct staged *s, struct err *err) {
	const struct object *active;

	if (active_version(t, s->table, s->key) != s->base)
		return refuse_locked(err);
	if (s->obj)
		return check_object(t, s->obj, err);
	active = model_find(t->engine->model, s->table, s->key);
	return active ? check_delete(t, active, err) : 0;
}

int txn_recheck(const struct txn *t, struct err *err) {
	const struct staged *s;

	if (t->seen_revision == t->engine->revision)
		return 0;
	TAILQ_FOREACH(s, &t->order, next) {
		int rc = staged_recheck(t, s, err);

		if (rc)
			return rc;
	}
	return 0;
}
