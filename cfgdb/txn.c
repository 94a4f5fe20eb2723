/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Staged objects are a tree over the model: a look-up asks the tree first. A staged deletion is an
 * entry without an object. Each entry remembers the version of the active object it started from;
 * when that has changed by the time of the commit, or something that an entry needs has gone,
 * someone else was faster and the commit is refused (code 14).
 *
 * Who refers to an object that is to be deleted is asked of two indexes, that of the model and one
 * over what is staged. The second is built when the first deletion asks: scripts that only add do
 * not pay for it. So it is with names that must be unique.
 */
#include "cfgdb/txn.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/places.h"
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
	t->comment = xstrdup("");
	t->growth = xcalloc(schema_n_tables, sizeof(*t->growth));
	t->seen_revision = e->revision;
	TAILQ_INIT(&t->order);
	STAILQ_INIT(&t->meta);
	STAILQ_INIT(&t->moves);
	LIST_INSERT_HEAD(&e->txns, t, open);
	return t;
}

void txn_set_comment(struct txn *t, const char *comment) {
	free(t->comment);
	t->comment = xstrdup(comment);
}

size_t txn_staged_size(const char *key, const struct object *obj) {
	return mem_size(sizeof(struct staged)) + mem_size(strlen(key) + 1) +
	       (obj ? object_size(obj) : 0);
}

/* An entry has come to take as much as this. */
static void staged_account(struct txn *t, struct staged *s, size_t bytes) {
	t->bytes += bytes - s->bytes;
	t->engine->staged_bytes += bytes - s->bytes;
	s->bytes = bytes;
}

static void staged_free(struct txn *t, struct staged *s) {
	staged_account(t, s, 0);
	RB_REMOVE(staged_tree, &t->staged, s);
	TAILQ_REMOVE(&t->order, s, next);
	t->n_staged--;
	object_free(s->obj);
	free(s->key);
	free(s);
}

void txn_drop_indexes(struct txn *t) {
	t->uses = uses_free(t->uses);
	t->names = uses_free(t->names);
	spans_free(&t->spans);
}

void txn_forget_meta(struct txn *t) {
	struct staged_meta *m;

	while ((m = STAILQ_FIRST(&t->meta)) != NULL) {
		STAILQ_REMOVE_HEAD(&t->meta, next);
		free(m->name);
		free(m->value);
		free(m);
	}
}

static struct staged_meta *stage_meta(struct txn *t, const char *name, const char *value) {
	struct staged_meta *m = xcalloc(1, sizeof(*m));

	m->name = xstrdup(name);
	m->value = xstrdup(value);
	STAILQ_INSERT_TAIL(&t->meta, m, next);
	return m;
}

void txn_meta(struct txn *t, const char *name, const char *value) {
	stage_meta(t, name, value);
}

void txn_meta_of_revision(struct txn *t, const char *name, const char *value) {
	stage_meta(t, name, value)->of_revision = true;
}

uint64_t txn_revision(const struct txn *t) {
	return t->made;
}

void txn_clear(struct txn *t) {
	struct staged *s;

	txn_drop_indexes(t);
	txn_places_clear(t);
	txn_moves_clear(t);
	txn_rows_clear(t);
	txn_forget_meta(t);
	free(t->expected);
	t->expected = NULL;
	while ((s = TAILQ_FIRST(&t->order)) != NULL)
		staged_free(t, s);
	memset(t->growth, 0, schema_n_tables * sizeof(*t->growth));
	t->seen_revision = t->engine->revision;
}

void txn_free(struct txn *t) {
	if (!t)
		return;
	txn_clear(t);
	LIST_REMOVE(t, open);
	warn_clear(&t->warnings);
	free(t->growth);
	free(t->user);
	free(t->source);
	free(t->comment);
	free(t->holder);
	free(t->host);
	free(t);
}

void txn_hold(struct txn *t, const char *who) {
	free(t->holder);
	t->holder = xstrdup(who);
}

void txn_override(struct txn *t) {
	t->overrides = true;
}

void txn_set_rights(struct txn *t, const struct rights *rights) {
	t->rights = rights;
}

void txn_set_host(struct txn *t, const char *host) {
	free(t->host);
	t->host = xstrdup(host);
}

size_t txn_bytes(const struct txn *t) {
	return t->bytes;
}

/* ---- looking through the transaction ---- */

struct staged *txn_find_staged(const struct txn *t, const struct schema_table *table,
			       const char *key) {
	struct staged want = { .table = table, .key = (char *)key };

	return RB_FIND(staged_tree, (struct staged_tree *)&t->staged, &want);
}

const struct object *txn_find(const struct txn *t, const struct schema_table *table,
			      const char *key) {
	const struct staged *s = txn_find_staged(t, table, key);

	return s ? s->obj : model_find(t->engine->model, table, key);
}

const struct object *txn_active(const struct txn *t, const struct schema_table *table,
				const char *key) {
	return model_find(t->engine->model, table, key);
}

const struct object *txn_object(const struct txn *t, const struct schema_table *table) {
	const struct object *obj = txn_find(t, table, "");

	return obj ? obj : model_object(t->engine->model, table);
}

const struct object *txn_resolve(const struct txn *t, const struct schema_attr *attr,
				 const char *name) {
	for (unsigned int i = 0; i < attr->n_refs; i++) {
		const struct object *obj = txn_find(t, schema_tables[attr->refs[i]], name);

		if (obj)
			return obj;
	}
	return t->replaces ? txn_resolve_found(t, attr, name) : NULL;
}

/* What became of active objects. */
static int each_active(const struct txn *t, const struct schema_table *table, bool moved_too,
		       int (*visit)(void *arg, const struct object *obj), void *arg) {
	const struct model *m = t->engine->model;
	int rc = 0;

	for (const struct object *obj = model_first(m, table); obj && rc == 0;
	     obj = model_next(m, obj)) {
		const struct staged *s = t->n_staged ? txn_find_staged(t, table, obj->key) : NULL;
		const struct object *now = obj;

		if (s)
			now = s->moved && !moved_too ? NULL : s->obj;
		rc = now ? visit(arg, now) : 0;
	}
	return rc;
}

static int each_placed(const struct txn *t, const struct schema_table *table,
		       const struct places *places,
		       int (*visit)(void *arg, const struct object *obj), void *arg) {
	const struct place *place = places_first(places);
	int rc = 0;

	for (; place && rc == 0; place = places_next(places, place)) {
		const struct object *obj = txn_find(t, table, place->key);

		rc = obj ? visit(arg, obj) : 0;
	}
	return rc;
}

int txn_each(const struct txn *t, const struct schema_table *table,
	     int (*visit)(void *arg, const struct object *obj), void *arg) {
	const struct model *m = t->engine->model;
	const struct places *places = txn_places(t, table);
	const struct staged *s;
	int rc;

	if (places)
		return each_placed(t, table, places, visit, arg);
	rc = each_active(t, table, false, visit, arg);
	TAILQ_FOREACH(s, &t->order, next) {
		if (rc)
			return rc;
		if (s->table == table && s->obj && (s->moved || !model_find(m, table, s->key)))
			rc = visit(arg, s->obj);
	}
	return rc;
}

int txn_each_any_order(const struct txn *t, const struct schema_table *table,
		       int (*visit)(void *arg, const struct object *obj), void *arg) {
	struct staged first = { .table = table, .key = (char *)"" };
	const struct staged *s = RB_NFIND(staged_tree, (struct staged_tree *)&t->staged, &first);
	int rc = each_active(t, table, true, visit, arg);

	for (; s && s->table == table && rc == 0;
	     s = RB_NEXT(staged_tree, NULL, (struct staged *)s))
		if (s->obj && !model_find(t->engine->model, table, s->key))
			rc = visit(arg, s->obj);
	return rc;
}

size_t txn_count(const struct txn *t, const struct schema_table *table) {
	int64_t n = (int64_t)model_count(t->engine->model, table) + t->growth[table->id];

	return n > 0 ? (size_t)n : 0;
}

uint64_t txn_base_version(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct staged *s = txn_find_staged(t, table, key);
	const struct object *obj;

	if (s)
		return s->obj ? s->base : TXN_NEW;
	obj = model_find(t->engine->model, table, key);
	return obj ? obj->ver : TXN_NEW;
}

const struct object *txn_staged_last(const struct txn *t, const struct schema_table *table) {
	struct staged beyond = { .table = table, .key = (char *)"9223372036854775807" };
	struct staged *s = RB_NFIND(staged_tree, (struct staged_tree *)&t->staged, &beyond);

	s = s ? RB_PREV(staged_tree, NULL, s)
	      : RB_MAX(staged_tree, (struct staged_tree *)&t->staged);
	while (s && s->table == table && !s->obj)
		s = RB_PREV(staged_tree, NULL, s);
	return s && s->table == table ? s->obj : NULL;
}

/* The active object with the greatest key that is not to be deleted, or NULL. */
static const struct object *active_last(const struct txn *t, const struct schema_table *table) {
	const struct object *obj = model_last_key(t->engine->model, table);

	while (obj && !txn_find(t, table, obj->key))
		obj = model_prev_key(t->engine->model, obj);
	return obj;
}

/* The first free key, where that above the greatest one would be too great. */
static int first_gap(const struct txn *t, const struct schema_table *table, uint64_t *ret,
		     struct err *err) {
	const struct schema_attr *attr = &table->attrs[0];
	char key[24];

	for (int64_t id = attr->min > 0 ? attr->min : 1; id < attr->max; id++) {
		snprintf(key, sizeof(key), "%" PRId64, id);
		if (txn_find(t, table, key) || txn_is_locked(t, table, key))
			continue;
		*ret = (uint64_t)id;
		return 0;
	}
	return err_set(err, ERR_MAX_ENTRIES, "object set operator error, -4 discard the setting");
}

int txn_next_id(const struct txn *t, const struct schema_table *table, uint64_t *ret,
		struct err *err) {
	const struct schema_attr *key = &table->attrs[0];
	const struct object *staged, *active;
	int64_t last = key->min > 0 ? key->min - 1 : 0;

	if (!schema_is_list(table) || key->type != ATTR_INTEGER)
		return err_set(err, ERR_PARSE, "\ncommand parse error before '0'");
	staged = txn_staged_last(t, table);
	active = active_last(t, table);
	if (staged && atoll(staged->key) > last)
		last = atoll(staged->key);
	if (active && atoll(active->key) > last)
		last = atoll(active->key);
	if (txn_lock_last(t, table) > last)
		last = txn_lock_last(t, table);
	if (last >= key->max)
		return first_gap(t, table, ret, err);
	*ret = (uint64_t)last + 1;
	return 0;
}

/* ---- users ---- */

struct user_visit {
	const struct txn *t;
	const struct object *target;
	int (*visit)(void *arg, const struct object *holder, const struct schema_attr *attr);
	void *arg;
};

static int visit_staged(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct user_visit *v = arg;

	if (holder->table == v->target->table && strcmp(holder->key, v->target->key) == 0)
		return 0;
	return v->visit(v->arg, holder, attr);
}

static int visit_active(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct user_visit *v = arg;
	bool staged = txn_find_staged(v->t, holder->table, holder->key) != NULL;

	return staged ? 0 : visit_staged(arg, holder, attr);
}

/* A cache, so asking for it leaves the transaction as it is. */
const struct uses *txn_uses(const struct txn *t, enum uses_of of) {
	struct txn *owner = (struct txn *)t;
	struct uses **index = of == USES_OF_UNIQUE ? &owner->names : &owner->uses;
	const struct staged *s;

	if (*index)
		return *index;
	*index = uses_new(of);
	TAILQ_FOREACH(s, &t->order, next)
		if (s->obj)
			uses_add(*index, s->obj);
	return *index;
}

/* Keep the indexes that are there. */
static void staged_enter(struct txn *t, const struct object *obj) {
	if (t->uses)
		uses_add(t->uses, obj);
	if (t->names)
		uses_add(t->names, obj);
	spans_add(t->spans, obj);
}

static void staged_leave(struct txn *t, const struct object *obj) {
	if (t->uses)
		uses_remove(t->uses, obj);
	if (t->names)
		uses_remove(t->names, obj);
	spans_remove(t->spans, obj);
}

int txn_each_user(const struct txn *t, const struct object *obj,
		  int (*visit)(void *arg, const struct object *holder,
			       const struct schema_attr *attr),
		  void *arg) {
	struct user_visit v = { t, obj, visit, arg };
	int rc = model_each_user(t->engine->model, obj, visit_active, &v);

	if (rc || t->n_staged == 0)
		return rc;
	return uses_each(txn_uses(t, USES_OF_REFERENCES), obj, visit_staged, &v);
}

static int count_user(void *arg, const struct object *holder, const struct schema_attr *attr) {
	(void)holder;
	(void)attr;
	++*(size_t *)arg;
	return 0;
}

size_t txn_count_users(const struct txn *t, const struct object *obj) {
	size_t n = 0;

	txn_each_user(t, obj, count_user, &n);
	return n;
}

static int take_holder(void *arg, const struct object *holder, const struct schema_attr *attr) {
	const struct object **ret = arg;

	(void)attr;
	*ret = holder;
	return 1;
}

const struct object *txn_find_same(const struct txn *t, const struct object *obj,
				   unsigned int attr) {
	const struct object *found = NULL;
	struct user_visit v = { t, obj, take_holder, &found };

	if (*object_str(obj, attr) &&
	    model_each_same(t->engine->model, obj, attr, visit_active, &v) == 0 && t->n_staged > 0)
		uses_each_same(txn_uses(t, USES_OF_UNIQUE), obj, attr, visit_staged, &v);
	return found;
}

/* ---- ranges ---- */

struct meeting_visit {
	const struct txn *t;
	span_visit_fn *visit;
	void *arg;
};

static int visit_unstaged(void *arg, const struct object *obj) {
	struct meeting_visit *v = arg;

	return txn_find_staged(v->t, obj->table, obj->key) ? 0 : v->visit(v->arg, obj);
}

int txn_each_meeting(const struct txn *t, const struct schema_table *table, span_fn *of,
		     struct span span, span_visit_fn *visit, void *arg) {
	struct meeting_visit v = { t, visit, arg };
	int rc = model_each_meeting(t->engine->model, table, of, span, visit_unstaged, &v);
	const struct staged *s;
	struct spans *spans;
	bool made;

	if (rc || t->n_staged == 0)
		return rc;
	spans = spans_of(&((struct txn *)t)->spans, table, of, &made);
	if (made)
		TAILQ_FOREACH(s, &t->order, next)
			if (s->obj)
				spans_add(spans, s->obj);
	return spans_each(spans, span, visit, arg);
}

/* ---- what is staged ---- */

static struct staged *staged_new(struct txn *t, const struct schema_table *table, const char *key,
				 uint64_t base) {
	struct staged *s = xcalloc(1, sizeof(*s));

	s->table = table;
	s->key = xstrdup(key);
	s->base = base;
	RB_INSERT(staged_tree, &t->staged, s);
	TAILQ_INSERT_TAIL(&t->order, s, next);
	t->n_staged++;
	return s;
}

int txn_room_for(const struct txn *t, const struct schema_table *table, const char *key, size_t n,
		 size_t bytes, struct err *err) {
	const struct {
		bool full;
		const char *who, *advice;
		size_t most;
		const char *unit;
	} bounds[] = {
		{ t->n_staged + n > TXN_STAGED_MAX, "the transaction", "commit it in parts",
		  TXN_STAGED_MAX, "changes" },
		{ t->bytes + bytes > TXN_BYTES_MAX, "the transaction", "commit it in parts",
		  TXN_BYTES_MAX >> 20, "MB" },
		{ t->engine->staged_bytes + bytes > TXN_BYTES_MAX_ALL, "open transactions",
		  "commit or abort one", TXN_BYTES_MAX_ALL >> 20, "MB" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (bounds[i].full)
			return err_set(err, ERR_MAX_ENTRIES,
				       "%s%s%s: %s would hold more than %zu %s: %s\n"
				       "object set operator error, -4 discard the setting",
				       table->path, *key ? " " : "", key, bounds[i].who,
				       bounds[i].most, bounds[i].unit, bounds[i].advice);
	return 0;
}

/* What replaces a staged entry may be smaller: the sum wraps to what is right. */
int txn_room(const struct txn *t, const struct schema_table *table, const char *key,
	     const struct object *obj, struct err *err) {
	const struct staged *s = txn_find_staged(t, table, key);

	return txn_room_for(t, table, key, s ? 0 : 1,
			    txn_staged_size(key, obj) - (s ? s->bytes : 0), err);
}

static void staged_set(struct txn *t, struct staged *s, struct object *obj) {
	if (s->obj)
		staged_leave(t, s->obj);
	object_free(s->obj);
	s->obj = obj;
	staged_account(t, s, txn_staged_size(s->key, obj));
	if (!obj)
		return;
	obj->ver = s->base;
	staged_enter(t, obj);
}

struct staged *txn_stage(struct txn *t, const struct schema_table *table, const char *key,
			 struct object *obj, uint64_t base) {
	struct staged *s = txn_find_staged(t, table, key);
	bool was = txn_find(t, table, key) != NULL;

	t->growth[table->id] += (obj != NULL) - was;
	if (obj && !was)
		txn_places_enter(t, table, key);
	else if (!obj)
		txn_places_remove(t, table, key);
	if (s && obj && !s->obj) { /* deleted before: it comes back at the end */
		s->moved = true;
		TAILQ_REMOVE(&t->order, s, next);
		TAILQ_INSERT_TAIL(&t->order, s, next);
	}
	if (!s)
		s = staged_new(t, table, key, base);
	s->drawn = s->adopted = false;
	staged_set(t, s, obj);
	return s;
}

void txn_restage(struct txn *t, struct staged *s, struct object *obj) {
	t->growth[s->table->id] += (obj != NULL) - (s->obj != NULL);
	staged_set(t, s, obj);
}

void txn_unstage(struct txn *t, struct staged *s) {
	bool is = model_find(t->engine->model, s->table, s->key) != NULL;

	t->growth[s->table->id] += is - (s->obj != NULL);
	if (s->obj)
		staged_leave(t, s->obj);
	staged_free(t, s);
}

void txn_rekey(struct txn *t, struct staged *s, const char *key) {
	staged_leave(t, s->obj);
	RB_REMOVE(staged_tree, &t->staged, s);
	free(s->key);
	s->key = xstrdup(key);
	object_rekey(s->obj, key);
	RB_INSERT(staged_tree, &t->staged, s);
	staged_account(t, s, txn_staged_size(key, s->obj));
	staged_enter(t, s->obj);
}

struct warnings *txn_warnings(struct txn *t) {
	return &t->warnings;
}

size_t txn_staged(const struct txn *t) {
	return t->n_staged;
}

const struct txn *engine_staged(const struct engine *e) {
	const struct txn *t;

	LIST_FOREACH(t, &e->txns, open)
		if (t->n_staged > 0 && !t->holder)
			return t;
	return NULL;
}

void txn_as_found(struct txn *t) {
	t->as_found = true;
}

bool txn_is_as_found(const struct txn *t) {
	return t->as_found;
}
