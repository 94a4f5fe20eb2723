/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration as an open transaction would leave it: staged objects are a tree over the
 * model, and a look-up asks the tree first. A staged deletion is an entry without an object.
 *
 * Who refers to an object that is to be deleted is asked of two indexes, that of the model and one
 * over what is staged. The second is built when the first deletion asks: scripts that only add do
 * not pay for it. So it is with names that must be unique, and with ranges.
 */
#include "cfgdb/txn_view.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/engine.h"
#include "cfgdb/model/places.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"

static int compare_staged(const struct staged *a, const struct staged *b) {
	if (a->table != b->table)
		return a->table->id < b->table->id ? -1 : 1;
	return object_key_compare(a->table, a->key, b->key);
}

RB_GENERATE(staged_tree, staged, entry, compare_staged)

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

/* ---- links as found ---- */

bool txn_adopts(const struct object *obj) {
	return obj->table->id == TBL_SYSTEM_INTERFACE && obj->ver == 0;
}

bool txn_stays_found(const struct object *active, const struct staged *s) {
	return active && txn_adopts(active) && (!s || !s->obj);
}

/* A link of this name, as it was found, that a transaction which replaces all leaves so. */
static const struct object *resolve_found(const struct txn *t, const struct schema_attr *attr,
					  const char *name) {
	for (unsigned int i = 0; i < attr->n_refs; i++) {
		const struct schema_table *table = schema_tables[attr->refs[i]];
		const struct object *active = txn_active(t, table, name);

		if (txn_stays_found(active, txn_find_staged(t, table, name)))
			return active;
	}
	return NULL;
}

/* ---- names and numbers ---- */

const struct object *txn_resolve(const struct txn *t, const struct schema_attr *attr,
				 const char *name) {
	for (unsigned int i = 0; i < attr->n_refs; i++) {
		const struct object *obj = txn_find(t, schema_tables[attr->refs[i]], name);

		if (obj)
			return obj;
	}
	return t->replaces ? resolve_found(t, attr, name) : NULL;
}

/* ---- all objects of a table ---- */

struct places *txn_places(const struct txn *t, const struct schema_table *table) {
	return t->orders ? t->orders[table->id].places : NULL;
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

/* ---- the rest ---- */

const struct rows *txn_rows(const struct txn *t) {
	return t->rows ? t->rows : model_rows(t->engine->model);
}

size_t txn_staged(const struct txn *t) {
	return t->n_staged;
}

bool txn_is_as_found(const struct txn *t) {
	return t->as_found;
}
