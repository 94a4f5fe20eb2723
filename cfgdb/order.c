/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group may have been given a member that was made after it. Listed as they were made, the list
 * would not load: a reference must be there when it is set. So where a table refers to itself,
 * each object is preceded by those it names. Objects that form a ring are listed as they are found:
 * the rules of their tables refuse rings.
 *
 * Chains of names can be as long as the table, so what is still to be listed is a stack of our own,
 * not that of the process.
 */
#include "cfgdb/order.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

struct entry {
	const struct object *obj;
	bool opened;               /* those it names have been put on the stack above it */
	bool listed;
};

struct order {
	const struct schema_table *table;
	struct entry *entry;       /* as the table has them */
	struct entry **by_key;     /* sorted */
	size_t n, size;
	struct entry **stack;
	size_t depth, stack_size;
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
	o->entry[o->n++] = (struct entry){ .obj = obj };
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

static void push(struct order *o, struct entry *e) {
	if (o->depth == o->stack_size) {
		o->stack_size = o->stack_size ? o->stack_size * 2 : 64;
		o->stack = xreallocarray(o->stack, o->stack_size, sizeof(*o->stack));
	}
	o->stack[o->depth++] = e;
}

/* What is named is listed first; o->table's own attributes decide which names are meant. */
static int push_named(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct order *o = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];
	struct entry *e = NULL;

	for (unsigned int i = 0; i < a->n_refs && !e; i++)
		if (a->refs[i] == o->table->id)
			e = find(o, name);
	if (e && !e->opened)
		push(o, e);
	return 0;
}

/* Put what the entry names on the stack, the first name on top. */
static void open_entry(struct order *o, struct entry *e) {
	size_t from = o->depth;

	e->opened = true;
	object_each_ref(e->obj, push_named, o);
	for (size_t to = o->depth; from + 1 < to; from++) {
		struct entry *first = o->stack[from];

		o->stack[from] = o->stack[--to];
		o->stack[to] = first;
	}
}

/* List an entry, after those it names. */
static int list(struct order *o, struct entry *start) {
	int rc = 0;

	for (push(o, start); o->depth > 0 && rc == 0;) {
		struct entry *e = o->stack[o->depth - 1];

		if (!e->opened) {
			open_entry(o, e);
			continue;
		}
		o->depth--;
		if (!e->listed)
			rc = o->visit(o->arg, e->obj);
		e->listed = true;
	}
	return rc;
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
		rc = list(&o, &o.entry[i]);
	free(o.stack);
	free(o.by_key);
	free(o.entry);
	return rc;
}
