/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table is two trees over the same objects, by key and by position, for walking in order; where
 * keys are names a hash table beside them finds one at once, for everything that refers by name is
 * resolved again at every commit. Who refers to whom, and who has which unique text, are indexes of
 * their own, kept with every put and take; a transaction keeps them over what it has staged.
 */
#include "cfgdb/model/model.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

RB_HEAD(key_tree, object);
RB_HEAD(pos_tree, object);

struct table {
	struct key_tree by_key;
	struct pos_tree by_pos;
	struct object **slots;   /* by hash of the key; unused where keys are numbers */
	size_t n_slots, count;   /* n_slots is 0 or a power of two */
	struct object *empty;    /* what an object table holds while nothing is set */
	uint64_t order;          /* grows when entries come, go or change places */
};

struct model {
	struct table *tables;    /* by table id */
	struct uses *uses, *names;
	struct spans *spans;     /* the ranges that someone has asked for */
	struct rows *rows;
};

static int compare_key(const struct object *a, const struct object *b) {
	return object_key_compare(a->table, a->key, b->key);
}

static int compare_pos(const struct object *a, const struct object *b) {
	if (a->pos != b->pos)
		return a->pos < b->pos ? -1 : 1;
	return compare_key(a, b);
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(key_tree, object, by_key, compare_key)
RB_GENERATE_STATIC(pos_tree, object, by_pos, compare_pos)

/*
 * ---- uses: one node for each (name, holder, attribute), counted, in a tree by name ----
 *
 * "Who refers to this" is a short scan, and a put costs only its own references. Nodes borrow name
 * and holder from the object, so a reference costs one small allocation. A referenced name may
 * belong to any of the tables that its attribute allows; which one is asked when the index is read.
 * Tables whose entries can be named by one attribute share a name space, so only one of them can
 * have the entry.
 */

struct use {
	const char *name;             /* in a value of holder */
	const struct object *holder;  /* top-level object; NULL in a probe: before all others */
	const struct schema_attr *attr;
	uint32_t count;
	RB_ENTRY(use) entry;
};

RB_HEAD(use_tree, use);

struct uses {
	struct use_tree tree;
	enum uses_of of;
};

static int compare_use(const struct use *a, const struct use *b) {
	int c = strcmp(a->name, b->name);

	if (c)
		return c;
	if (!a->holder || !b->holder)
		return (a->holder != NULL) - (b->holder != NULL);
	if (a->holder->table != b->holder->table)
		return a->holder->table->id < b->holder->table->id ? -1 : 1;
	c = object_key_compare(a->holder->table, a->holder->key, b->holder->key);
	return c ? c : (a->attr > b->attr) - (a->attr < b->attr);
}

RB_GENERATE_STATIC(use_tree, use, entry, compare_use)

struct uses *uses_new(enum uses_of of) {
	struct uses *u = xcalloc(1, sizeof(*u));

	u->of = of;
	return u;
}

struct uses *uses_free(struct uses *u) {
	struct use *use;

	if (!u)
		return NULL;
	while ((use = RB_ROOT(&u->tree)) != NULL) {
		RB_REMOVE(use_tree, &u->tree, use);
		free(use);
	}
	free(u);
	return NULL;
}

struct use_change {
	struct uses *uses;
	const struct object *top;
};

static int use_add(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct use_change *c = arg;
	struct use *use = xcalloc(1, sizeof(*use)), *there;

	*use = (struct use){
		.name = name, .holder = c->top, .attr = &holder->table->attrs[attr], .count = 1
	};
	there = RB_INSERT(use_tree, &c->uses->tree, use);
	if (there) {
		there->count++;
		free(use);
	}
	return 0;
}

static int use_remove(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct use_change *c = arg;
	struct use want = { .name = name, .holder = c->top, .attr = &holder->table->attrs[attr] };
	struct use *use = RB_FIND(use_tree, &c->uses->tree, &want);

	if (use && --use->count == 0) {
		RB_REMOVE(use_tree, &c->uses->tree, use);
		free(use);
	}
	return 0;
}

static void uses_change(struct uses *u, const struct object *holder,
			int (*change)(void *arg, const struct object *holder, unsigned int attr,
				      const char *name)) {
	struct use_change c = { u, holder };

	if (u->of == USES_OF_UNIQUE)
		object_each_unique(holder, change, &c);
	else
		object_each_ref(holder, change, &c);
}

void uses_add(struct uses *u, const struct object *holder) {
	uses_change(u, holder, use_add);
}

void uses_remove(struct uses *u, const struct object *holder) {
	uses_change(u, holder, use_remove);
}

static bool may_name(const struct schema_attr *attr, const struct schema_table *table) {
	for (unsigned int i = 0; i < attr->n_refs; i++)
		if (attr->refs[i] == table->id)
			return true;
	return false;
}

int uses_each(const struct uses *u, const struct object *target,
	      int (*visit)(void *arg, const struct object *holder, const struct schema_attr *attr),
	      void *arg) {
	struct use want = { .name = target->key };
	struct use *use = RB_NFIND(use_tree, (struct use_tree *)&u->tree, &want);

	for (; use && strcmp(use->name, target->key) == 0; use = RB_NEXT(use_tree, NULL, use)) {
		int rc = 0;

		if (may_name(use->attr, target->table))
			rc = visit(arg, use->holder, use->attr);
		if (rc)
			return rc;
	}
	return 0;
}

int uses_each_same(const struct uses *u, const struct object *obj, unsigned int attr,
		   int (*visit)(void *arg, const struct object *holder,
				const struct schema_attr *attr),
		   void *arg) {
	struct use want = { .name = object_str(obj, attr) };
	struct use *use = RB_NFIND(use_tree, (struct use_tree *)&u->tree, &want);

	for (; use && strcmp(use->name, want.name) == 0; use = RB_NEXT(use_tree, NULL, use)) {
		int rc = use->attr == &obj->table->attrs[attr] ? visit(arg, use->holder, use->attr)
							       : 0;

		if (rc)
			return rc;
	}
	return 0;
}

/* ---- the index by name ---- */

static bool keys_are_numbers(const struct schema_table *table) {
	return table->attrs[0].type == ATTR_INTEGER && schema_is_list(table);
}

#define SLOTS_MIN 64u

static struct object **slot_of(const struct table *t, const char *key) {
	uint32_t h = 2166136261u; /* FNV-1a */

	while (*key)
		h = (h ^ (unsigned char)*key++) * 16777619u;
	return &t->slots[h & (t->n_slots - 1)];
}

static void slots_add(struct table *t, struct object *obj) {
	struct object **slot = slot_of(t, obj->key);

	obj->same_slot = *slot;
	*slot = obj;
}

static void slots_remove(struct table *t, struct object *obj) {
	struct object **slot = slot_of(t, obj->key);

	while (*slot != obj)
		slot = &(*slot)->same_slot;
	*slot = obj->same_slot;
}

static void slots_grow(struct table *t) {
	struct object *obj;

	t->n_slots = t->n_slots ? t->n_slots * 4 : SLOTS_MIN;
	free(t->slots);
	t->slots = xcalloc(t->n_slots, sizeof(struct object *));
	RB_FOREACH(obj, key_tree, &t->by_key)
		slots_add(t, obj);
}

/* The object is in the tree already: slots made anew hold it. */
static void slots_insert(struct table *t, struct object *obj) {
	if (t->count > t->n_slots)
		slots_grow(t);
	else
		slots_add(t, obj);
}

/* ---- the model ---- */

struct model *model_new(void) {
	struct model *m = xcalloc(1, sizeof(*m));

	m->tables = xcalloc(schema_n_tables, sizeof(*m->tables));
	m->uses = uses_new(USES_OF_REFERENCES);
	m->names = uses_new(USES_OF_UNIQUE);
	m->rows = rows_new();
	return m;
}

struct model *model_free(struct model *m) {
	if (!m)
		return NULL;
	uses_free(m->uses); /* before the objects they borrow from */
	uses_free(m->names);
	spans_free(&m->spans);
	rows_free(m->rows);
	for (uint16_t i = 0; i < schema_n_tables; i++) {
		struct object *obj;

		while ((obj = RB_MIN(key_tree, &m->tables[i].by_key)) != NULL) {
			RB_REMOVE(key_tree, &m->tables[i].by_key, obj);
			object_free(obj);
		}
		object_free(m->tables[i].empty);
		free(m->tables[i].slots);
	}
	free(m->tables);
	free(m);
	return NULL;
}

/* ---- looking ---- */

static struct object probe(const struct schema_table *table, const char *key) {
	return (struct object){ .table = table, .key = (char *)key };
}

static struct object *find(const struct model *m, const struct schema_table *table,
			   const char *key) {
	struct table *t = &m->tables[table->id];
	struct object want = probe(table, key), *obj;

	if (keys_are_numbers(table))
		return RB_FIND(key_tree, &t->by_key, &want);
	obj = t->n_slots ? *slot_of(t, key) : NULL;
	while (obj && strcmp(obj->key, key) != 0)
		obj = obj->same_slot;
	return obj;
}

const struct object *model_find(const struct model *m, const struct schema_table *table,
				const char *key) {
	return find(m, table, key);
}

const struct object *model_object(const struct model *m, const struct schema_table *table) {
	const struct object *obj = model_find(m, table, "");
	struct table *t = &m->tables[table->id];

	if (obj)
		return obj;
	if (!t->empty)
		t->empty = object_new(table, "");
	return t->empty;
}

const struct object *model_first(const struct model *m, const struct schema_table *table) {
	return RB_MIN(pos_tree, &m->tables[table->id].by_pos);
}

const struct object *model_last(const struct model *m, const struct schema_table *table) {
	return RB_MAX(pos_tree, &m->tables[table->id].by_pos);
}

const struct object *model_next(const struct model *m, const struct object *obj) {
	(void)m;
	return RB_NEXT(pos_tree, NULL, (struct object *)obj);
}

const struct object *model_prev(const struct model *m, const struct object *obj) {
	(void)m;
	return RB_PREV(pos_tree, NULL, (struct object *)obj);
}

const struct object *model_seek(const struct model *m, const struct schema_table *table,
				const char *key) {
	struct object want = probe(table, key);

	return RB_NFIND(key_tree, &m->tables[table->id].by_key, &want);
}

const struct object *model_next_key(const struct model *m, const struct object *obj) {
	(void)m;
	return RB_NEXT(key_tree, NULL, (struct object *)obj);
}

const struct object *model_last_key(const struct model *m, const struct schema_table *table) {
	return RB_MAX(key_tree, &m->tables[table->id].by_key);
}

const struct object *model_prev_key(const struct model *m, const struct object *obj) {
	(void)m;
	return RB_PREV(key_tree, NULL, (struct object *)obj);
}

struct rows *model_rows(const struct model *m) {
	return m->rows;
}

size_t model_count(const struct model *m, const struct schema_table *table) {
	return m->tables[table->id].count;
}

uint64_t model_order(const struct model *m, const struct schema_table *table) {
	return m->tables[table->id].order;
}

bool model_builtin(const struct schema_attr *attr, const char *name) {
	return (attr->flags & ATTR_ANY) && strcmp(name, "any") == 0;
}

const struct object *model_resolve(const struct model *m, const struct schema_attr *attr,
				   const char *name) {
	for (unsigned int i = 0; i < attr->n_refs; i++) {
		const struct object *obj = model_find(m, schema_tables[attr->refs[i]], name);

		if (obj)
			return obj;
	}
	return NULL;
}

/* ---- uses ---- */

int model_each_user(const struct model *m, const struct object *obj,
		    int (*visit)(void *arg, const struct object *holder,
				 const struct schema_attr *attr),
		    void *arg) {
	return uses_each(m->uses, obj, visit, arg);
}

int model_each_same(const struct model *m, const struct object *obj, unsigned int attr,
		    int (*visit)(void *arg, const struct object *holder,
				 const struct schema_attr *attr),
		    void *arg) {
	return uses_each_same(m->names, obj, attr, visit, arg);
}

static int count_visit(void *arg, const struct object *holder, const struct schema_attr *attr) {
	(void)holder;
	(void)attr;
	++*(size_t *)arg;
	return 0;
}

size_t model_count_users(const struct model *m, const struct object *obj) {
	size_t n = 0;

	model_each_user(m, obj, count_visit, &n);
	return n;
}

/* The index is a cache: asking for it leaves the model as it is. */
int model_each_meeting(const struct model *m, const struct schema_table *table, span_fn *of,
		       struct span span, span_visit_fn *visit, void *arg) {
	bool made;
	struct spans *s = spans_of(&((struct model *)m)->spans, table, of, &made);

	if (made)
		for (const struct object *obj = model_first(m, table); obj;
		     obj = model_next(m, obj))
			spans_add(s, obj);
	return spans_each(s, span, visit, arg);
}

/* ---- changing ---- */

static void remove_object(struct model *m, struct object *obj) {
	const struct schema_table *table = obj->table;
	struct table *t = &m->tables[table->id];

	if (!keys_are_numbers(table))
		slots_remove(t, obj);
	RB_REMOVE(key_tree, &t->by_key, obj);
	RB_REMOVE(pos_tree, &t->by_pos, obj);
	t->count--;
	uses_remove(m->uses, obj);
	uses_remove(m->names, obj);
	spans_remove(m->spans, obj);
}

struct object *model_take(struct model *m, const struct schema_table *table, const char *key) {
	struct object *obj = find(m, table, key);

	if (obj) {
		remove_object(m, obj);
		m->tables[table->id].order++;
	}
	return obj;
}

struct object *model_put(struct model *m, struct object *obj) {
	struct table *t = &m->tables[obj->table->id];
	struct object *old = find(m, obj->table, obj->key);
	const struct object *last;

	if (old)
		remove_object(m, old);
	last = RB_MAX(pos_tree, &t->by_pos);
	if (obj->pos == 0)
		obj->pos = old ? old->pos : model_pos_behind(last ? last->pos : 0);
	t->order += !old || old->pos != obj->pos;
	RB_INSERT(key_tree, &t->by_key, obj);
	RB_INSERT(pos_tree, &t->by_pos, obj);
	t->count++;
	if (!keys_are_numbers(obj->table))
		slots_insert(t, obj);
	uses_add(m->uses, obj);
	uses_add(m->names, obj);
	spans_add(m->spans, obj);
	return old;
}

void model_place(struct model *m, const struct object *obj, int64_t pos) {
	struct table *t = &m->tables[obj->table->id];
	struct object *placed = (struct object *)obj;

	RB_REMOVE(pos_tree, &t->by_pos, placed);
	placed->pos = pos;
	RB_INSERT(pos_tree, &t->by_pos, placed);
	t->order++;
}
