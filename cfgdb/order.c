/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group may have been given a member that was made after it. Listed as they were made, the list
 * would not load: a reference must be there when it is set. So where a table refers to itself,
 * each object is preceded by those it names. Objects that form a ring are listed as they are found:
 * the rules of their tables refuse rings.
 */
#include "cfgdb/order.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

struct entry {
	const struct object *obj;
	bool seen;
};

struct order {
	const struct schema_table *table;
	struct entry *entry;       /* as the table has them */
	struct entry **by_key;     /* sorted */
	size_t n, size;
	int (*visit)(void *arg, const struct object *obj);
	void *arg;
};

/* Whether an attribute of the table, or of one nested in it, may name entries of `self`. */
static bool refers_to(const struct schema_table *table, const struct schema_table *self) {
	for (unsigned int a = 0; a < table->n_attrs; a++) {
		const struct schema_attr *attr = &table->attrs[a];

		for (unsigned int i = 0; i < attr->n_refs; i++)
			if (attr->refs[i] == self->id)
				return true;
		if (attr->child && refers_to(attr->child, self))
			return true;
	}
	return false;
}

static int collect(void *arg, const struct object *obj) {
	struct order *o = arg;

	if (o->n == o->size) {
		o->size = o->size ? o->size * 2 : 64;
		o->entry = xreallocarray(o->entry, o->size, sizeof(*o->entry));
	}
	o->entry[o->n++] = (struct entry){ obj, false };
	return 0;
}

static int compare(const void *a, const void *b) {
	const struct entry *const *x = a, *const *y = b;

	return strcmp((*x)->obj->key, (*y)->obj->key);
}

static struct entry *find(const struct order *o, const char *key) {
	struct object probe = { .key = (char *)key };
	struct entry want = { .obj = &probe }, *p = &want, **found;

	found = bsearch(&p, o->by_key, o->n, sizeof(*o->by_key), compare);
	return found ? *found : NULL;
}

static int emit(struct order *o, struct entry *e);

/* What is named is listed first; o->table's own attributes decide which names are meant. */
static int emit_named(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct order *o = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];
	struct entry *e;

	for (unsigned int i = 0; i < a->n_refs; i++)
		if (a->refs[i] == o->table->id) {
			e = find(o, name);
			return e ? emit(o, e) : 0;
		}
	return 0;
}

static int emit(struct order *o, struct entry *e) {
	int rc;

	if (e->seen)
		return 0;
	e->seen = true;
	rc = object_each_ref(e->obj, emit_named, o);
	return rc ? rc : o->visit(o->arg, e->obj);
}

int order_each(const struct txn *t, const struct schema_table *table,
	       int (*visit)(void *arg, const struct object *obj), void *arg) {
	struct order o = { .table = table, .visit = visit, .arg = arg };
	int rc = 0;

	if ((table->flags & TABLE_ORDERED) || !refers_to(table, table))
		return txn_each(t, table, visit, arg);
	txn_each(t, table, collect, &o);
	o.by_key = xcalloc(o.n, sizeof(struct entry *));
	for (size_t i = 0; i < o.n; i++)
		o.by_key[i] = &o.entry[i];
	qsort(o.by_key, o.n, sizeof(struct entry *), compare);
	for (size_t i = 0; i < o.n && rc == 0; i++)
		rc = emit(&o, &o.entry[i]);
	free(o.by_key);
	free(o.entry);
	return rc;
}
