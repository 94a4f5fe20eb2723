/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Puts a random configuration of every table into the state directory of a unit whose daemon does
 * not run:
 *
 *   random_state DIR SEED
 *
 * There is nothing in it that no shell sends: an entry with the number 0, for which `edit 0` makes
 * another one, or what belongs to a session.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/engine.h"
#include "tests/lib/random_config.h"

static void drop_untypable(struct object *obj) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		const struct value *v = a->type == ATTR_CHILD ? object_get(obj, i) : NULL;

		if (a->flags & ATTR_SESSION)
			object_unset(obj, i);
		if (v && schema_is_list(a->child))
			object_child_delete(obj, i, "0");
		v = v ? object_get(obj, i) : NULL;
		for (uint32_t n = 0; v && n < v->n; n++)
			drop_untypable(value_item(v, n)->entry);
	}
}

struct copies {
	struct object *obj[4096];
	size_t n;
};

static int copy_typable(void *arg, const struct object *obj) {
	struct copies *c = arg;

	c->obj[c->n] = object_copy(obj);
	drop_untypable(c->obj[c->n++]);
	return c->n == sizeof(c->obj) / sizeof(c->obj[0]);
}

static int fill(struct txn *t, struct rng *r, const struct schema_table *table, struct err *err) {
	static struct copies c;
	int rc = 0;

	random_fill(r, t, table, schema_is_list(table) ? 25 : 3);
	if (schema_is_list(table))
		txn_delete(t, table, "0", NULL);
	c.n = 0;
	txn_each(t, table, copy_typable, &c);
	for (size_t i = 0; i < c.n; i++)
		rc = rc ? rc : txn_put(t, c.obj[i], TXN_ANY, err);
	return rc;
}

int main(int argc, char *argv[]) {
	struct err err = { 0 };
	struct engine *e = argc == 3 ? engine_open(argv[1], &err) : NULL;
	struct rng r;
	struct txn *t;
	int rc = 0;

	if (!e) {
		fprintf(stderr, "random_state: %s\n", argc == 3 ? err.text : "DIR SEED");
		return 1;
	}
	r = rng_seed(strtoull(argv[2], NULL, 10));
	t = txn_new(e, "admin", "random");
	for (uint16_t i = 0; i < schema_n_top && rc == 0; i++)
		rc = fill(t, &r, schema_tables[schema_top[i]], &err);
	if (rc == 0)
		rc = txn_commit(t, &err);
	if (rc)
		fprintf(stderr, "random_state: %s\n", err.text);
	txn_free(t);
	engine_close(e);
	return rc != 0;
}
