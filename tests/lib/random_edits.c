/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Half of all keys are one of a few names, so that entries are changed again, deleted and made anew
 * as something else, and referred to; the names of policies are few, too, so that they are passed
 * on from one to the other.
 */
#include "tests/lib/random_edits.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"

#define NAMES	 6
#define POLICIES 12

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
	return 0;
}

/* Key of some entry of a table; NULL when there is none. The caller frees it. */
static char *pick_key(struct rng *r, const struct txn *t, const struct schema_table *table) {
	struct pick pick = { r, 0, NULL };

	txn_each(t, table, pick_one, &pick);
	return pick.key ? xstrdup(pick.key) : NULL;
}

/* The name of something that is there, of any of the tables that the attribute may name. */
static const char *existing_name(void *arg, struct rng *r, const struct schema_attr *attr) {
	struct names *names = arg;

	free(names->name);
	names->name =
		pick_key(r, names->txn, schema_tables[attr->refs[rng_below(r, attr->n_refs)]]);
	return names->name;
}

static char *draw_key(struct rng *r, const struct schema_table *table) {
	if (!schema_is_list(table))
		return xstrdup("");
	if (table->attrs[0].type == ATTR_INTEGER)
		return xasprintf("%u", 1 + rng_below(r, POLICIES));
	if (table->attrs[0].type == ATTR_STRING && table->attrs[0].n_options == 0 &&
	    rng_chance(r, 70))
		return xasprintf("n%u", rng_below(r, NAMES));
	return random_key(r, table);
}

/* `edit 0` makes an entry with the next free number: nobody can have made one with this. */
static bool has_entry_0(const struct object *obj) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct schema_attr *a = &obj->table->attrs[obj->fields[f].attr];

		for (uint32_t i = 0; a->type == ATTR_CHILD && i < obj->fields[f].value.n; i++) {
			const struct object *entry = value_item(&obj->fields[f].value, i)->entry;

			if (strcmp(entry->key, "0") == 0 || has_entry_0(entry))
				return true;
		}
	}
	return false;
}

static void put(struct rng *r, struct txn *t, const struct schema_table *table) {
	struct names names = { t, NULL };
	AUTO_FREE char *key = draw_key(r, table);
	AUTO_FREE char *name = xasprintf("p%u", rng_below(r, NAMES));
	struct object *obj =
		random_object(r, table, key, 1 + rng_below(r, 25), existing_name, &names);
	struct value v = { 0 };

	if (table->id == TBL_FIREWALL_POLICY && rng_chance(r, 60)) {
		value_add_item(&v, (union item){ .str = xstrdup(name) });
		object_set(obj, FIREWALL_POLICY__NAME, v);
	}
	for (unsigned int i = 0; i < table->n_attrs; i++)
		if (table->attrs[i].flags & ATTR_SESSION) /* nobody sends it to the daemon */
			object_unset(obj, i);
	if (has_entry_0(obj))
		object_free(obj);
	else
		txn_put(t, obj, TXN_ANY, NULL);
	free(names.name);
}

static void delete (struct rng *r, struct txn *t, const struct schema_table *table) {
	AUTO_FREE char *key = pick_key(r, t, table);

	if (key && table->id != TBL_SYSTEM_INTERFACE)
		txn_delete(t, table, key, NULL);
}

static void move(struct rng *r, struct txn *t) {
	const struct schema_table *table = schema_tables[TBL_FIREWALL_POLICY];
	AUTO_FREE char *key = pick_key(r, t, table), *after = pick_key(r, t, table);

	if (key && strcmp(key, after) != 0)
		txn_place(t, table, key, rng_chance(r, 20) ? "" : after, NULL);
}

void random_changes(struct rng *r, struct txn *t, unsigned int n) {
	for (; n > 0; n--) {
		uint16_t any = schema_top[rng_below(r, schema_n_top)];
		const struct schema_table *table =
			schema_tables[rng_chance(r, 40) ? TBL_FIREWALL_POLICY : any];

		if (rng_chance(r, 25))
			delete (r, t, table);
		else if (rng_chance(r, 20))
			move(r, t);
		else
			put(r, t, table);
	}
}

/* ---- pictures ---- */

struct sight {
	const struct object **obj; /* n of them */
	size_t n;
};

static int see(void *arg, const struct object *obj) {
	struct sight *s = arg;

	s->obj = xreallocarray(s->obj, s->n + 1, sizeof(const struct object *));
	s->obj[s->n++] = obj;
	return 0;
}

static int by_key(const void *a, const void *b) {
	const struct object *x = *(const struct object *const *)a,
			    *y = *(const struct object *const *)b;

	return object_key_compare(x->table, x->key, y->key);
}

char *random_picture(const struct txn *t) {
	struct str out = STR_INIT;

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];
		struct sight s = { 0 };

		txn_each(t, table, see, &s);
		if (!(table->flags & TABLE_ORDERED) && s.n > 0)
			qsort(s.obj, s.n, sizeof(*s.obj), by_key);
		for (size_t n = 0; n < s.n; n++) {
			if (!schema_is_list(table) && object_is_empty(s.obj[n]))
				continue; /* nothing was set, or is set any more */
			str_addf(&out, "%s '%s'\n", table->path, s.obj[n]->key);
			text_body(s.obj[n], 1, TEXT_KEPT, &out);
		}
		free(s.obj);
	}
	return str_steal(&out);
}

char *random_picture_now(struct engine *e) {
	struct txn *t = txn_new(e, "", "");
	char *text = random_picture(t);

	txn_free(t);
	return text;
}
