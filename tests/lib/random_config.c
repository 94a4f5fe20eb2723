/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table is filled with random objects that name what is there already. Each is put into a
 * transaction as an administrator would; what a rule refuses is drawn again. Now and then one is
 * deleted, so that order and numbers have gaps.
 */
#include "tests/lib/random_config.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

struct names {
	const struct txn *txn;
	char *name;
};

struct pick {
	struct rng *rng;
	uint32_t seen;
	const char *key;
};

static int pick_one(void *arg, const struct object *obj) {
	struct pick *p = arg;

	if (rng_below(p->rng, ++p->seen) == 0)
		p->key = obj->key;
	return p->seen >= 40;
}

/* The name of something that is there, of any of the tables that the attribute may name. */
static const char *existing_name(void *arg, struct rng *r, const struct schema_attr *attr) {
	struct names *names = arg;
	struct pick pick = { r, 0, NULL };

	for (unsigned int i = 0; i < attr->n_refs; i++)
		txn_each(names->txn, schema_tables[attr->refs[i]], pick_one, &pick);
	free(names->name);
	names->name = pick.key ? xstrdup(pick.key) : NULL;
	return names->name;
}

/* Delete any entry of a table; one that is in use stays. */
static void delete_one(struct rng *r, struct txn *t, const struct schema_table *table) {
	struct pick pick = { r, 0, NULL };
	AUTO_FREE char *key = NULL;

	txn_each(t, table, pick_one, &pick);
	key = pick.key ? xstrdup(pick.key) : NULL;
	if (key)
		txn_delete(t, table, key, NULL);
}

unsigned int random_fill(struct rng *r, struct txn *t, const struct schema_table *table,
			 unsigned int n) {
	struct names names = { t, NULL };
	unsigned int put = 0;

	for (unsigned int tries = 10 * n; tries > 0 && put < n; tries--) {
		AUTO_FREE char *key = schema_is_list(table) ? random_key(r, table) : xstrdup("");

		put += txn_put(t,
			       random_object(r, table, key, 1 + rng_below(r, 30), existing_name,
					     &names),
			       TXN_ANY, NULL) == 0;
		if (schema_is_list(table) && rng_chance(r, 10))
			delete_one(r, t, table);
	}
	free(names.name);
	return put;
}
