/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table is two trees over the same objects: by key for look-ups, by position for order. Uses are
 * a third tree: one node for each (target table, target name, holder, attribute), counted, so
 * "who refers to this" is a range scan and a put costs only its own references.
 *
 * A name may belong to any of the tables that an attribute allows; a use is filed under each of
 * them. Tables whose entries can be named by one attribute share a name space, so only one of them
 * can have the entry.
 */
#include "cfgdb/model.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

/* One use: a top-level object refers to a name, at least once, in an attribute. */
struct use {
	uint16_t target_table;
	char *target;
	uint16_t holder_table;
	char *holder;
	const struct schema_attr *attr;
	uint32_t count;
	RB_ENTRY(use) entry;
};

RB_HEAD(key_tree, object);
RB_HEAD(pos_tree, object);
RB_HEAD(use_tree, use);

struct table {
	struct key_tree by_key;
	struct pos_tree by_pos;
	size_t count;
	struct object *empty;    /* what an object table holds while nothing is set */
};

struct model {
	struct table *tables;    /* by table id */
	struct use_tree uses;
};

static int compare_key(const struct object *a, const struct object *b) {
	return object_key_compare(a->table, a->key, b->key);
}

static int compare_pos(const struct object *a, const struct object *b) {
	if (a->pos != b->pos)
		return a->pos < b->pos ? -1 : 1;
	return compare_key(a, b);
}

static int compare_use(const struct use *a, const struct use *b) {
	int c;

	if (a->target_table != b->target_table)
		return a->target_table < b->target_table ? -1 : 1;
	c = strcmp(a->target, b->target);
	if (c)
		return c;
	if (a->holder_table != b->holder_table)
		return a->holder_table < b->holder_table ? -1 : 1;
	c = strcmp(a->holder, b->holder);
	if (c)
		return c;
	return (a->attr > b->attr) - (a->attr < b->attr);
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(key_tree, object, by_key, compare_key)
RB_GENERATE_STATIC(pos_tree, object, by_pos, compare_pos)
RB_GENERATE_STATIC(use_tree, use, entry, compare_use)

struct model *model_new(void) {
	struct model *m = xcalloc(1, sizeof(*m));

	m->tables = xcalloc(schema_n_tables, sizeof(*m->tables));
	return m;
}

static void use_free(struct model *m, struct use *use) {
	RB_REMOVE(use_tree, &m->uses, use);
	free(use->target);
	free(use->holder);
	free(use);
}

struct model *model_free(struct model *m) {
	struct use *use, *next_use;

	if (!m)
		return NULL;
	for (uint16_t i = 0; i < schema_n_tables; i++) {
		struct object *obj;

		while ((obj = RB_MIN(key_tree, &m->tables[i].by_key)) != NULL) {
			RB_REMOVE(key_tree, &m->tables[i].by_key, obj);
			object_free(obj);
		}
		object_free(m->tables[i].empty);
	}
	for (use = RB_MIN(use_tree, &m->uses); use; use = next_use) {
		next_use = RB_NEXT(use_tree, &m->uses, use);
		use_free(m, use);
	}
	free(m->tables);
	free(m);
	return NULL;
}

/* ---- looking ---- */

static struct object probe(const struct schema_table *table, const char *key) {
	return (struct object){ .table = table, .key = (char *)key };
}

const struct object *model_find(const struct model *m, const struct schema_table *table, const char *key) {
	struct object want = probe(table, key);

	return RB_FIND(key_tree, &m->tables[table->id].by_key, &want);
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

const struct object *model_seek(const struct model *m, const struct schema_table *table, const char *key) {
	struct object want = probe(table, key);

	return RB_NFIND(key_tree, &m->tables[table->id].by_key, &want);
}

const struct object *model_next_key(const struct model *m, const struct object *obj) {
	(void)m;
	return RB_NEXT(key_tree, NULL, (struct object *)obj);
}

size_t model_count(const struct model *m, const struct schema_table *table) {
	return m->tables[table->id].count;
}

bool model_builtin(const struct schema_attr *attr, const char *name) {
	if (strcmp(name, "any") != 0)
		return false;
	for (unsigned int i = 0; i < attr->n_refs; i++)
		if (strcmp(schema_tables[attr->refs[i]]->dotted, "system.interface") == 0)
			return true;
	return false;
}

const struct object *model_resolve(const struct model *m, const struct schema_attr *attr, const char *name) {
	for (unsigned int i = 0; i < attr->n_refs; i++) {
		const struct object *obj = model_find(m, schema_tables[attr->refs[i]], name);

		if (obj)
			return obj;
	}
	return NULL;
}

/* ---- uses ---- */

struct use_change {
	struct model *m;
	const struct object *holder;
	bool add;
};

static void use_change(struct use_change *c, uint16_t target_table, const struct schema_attr *attr,
		       const char *name) {
	struct use want = { target_table, (char *)name, c->holder->table->id, c->holder->key, attr, 0, { 0 } };
	struct use *use = RB_FIND(use_tree, &c->m->uses, &want);

	if (!c->add) {
		if (use && --use->count == 0)
			use_free(c->m, use);
		return;
	}
	if (!use) {
		use = xcalloc(1, sizeof(*use));
		*use = want;
		use->target = xstrdup(name);
		use->holder = xstrdup(c->holder->key);
		RB_INSERT(use_tree, &c->m->uses, use);
	}
	use->count++;
}

static int use_visit(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct use_change *c = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];

	for (unsigned int i = 0; i < a->n_refs; i++)
		use_change(c, a->refs[i], a, name);
	return 0;
}

static void model_uses(struct model *m, const struct object *holder, bool add) {
	struct use_change c = { m, holder, add };

	object_each_ref(holder, use_visit, &c);
}

int model_each_user(const struct model *m, const struct object *obj,
		    int (*visit)(void *arg, const struct object *holder, const struct schema_attr *attr),
		    void *arg) {
	struct use want = { .target_table = obj->table->id, .target = obj->key, .holder = (char *)"" };
	struct use *use = RB_NFIND(use_tree, (struct use_tree *)&m->uses, &want);

	for (; use && use->target_table == want.target_table && strcmp(use->target, obj->key) == 0;
	     use = RB_NEXT(use_tree, NULL, use)) {
		const struct object *holder = model_find(m, schema_tables[use->holder_table], use->holder);
		int rc = holder ? visit(arg, holder, use->attr) : 0;

		if (rc)
			return rc;
	}
	return 0;
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

/* ---- changing ---- */

struct object *model_take(struct model *m, const struct schema_table *table, const char *key) {
	struct table *t = &m->tables[table->id];
	struct object want = probe(table, key);
	struct object *obj = RB_FIND(key_tree, &t->by_key, &want);

	if (!obj)
		return NULL;
	RB_REMOVE(key_tree, &t->by_key, obj);
	RB_REMOVE(pos_tree, &t->by_pos, obj);
	t->count--;
	model_uses(m, obj, false);
	return obj;
}

struct object *model_put(struct model *m, struct object *obj) {
	struct table *t = &m->tables[obj->table->id];
	struct object *old = model_take(m, obj->table, obj->key);
	const struct object *last = RB_MAX(pos_tree, &t->by_pos);

	if (obj->pos == 0)
		obj->pos = old ? old->pos : (last ? last->pos : 0) + MODEL_POS_GAP;
	RB_INSERT(key_tree, &t->by_key, obj);
	RB_INSERT(pos_tree, &t->by_pos, obj);
	t->count++;
	model_uses(m, obj, true);
	return old;
}
