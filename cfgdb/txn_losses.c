/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a transaction takes away, told before it is committed. A file that replaces all may be the
 * wrong one: its own lines do not show that, what would go does. Entries that are deleted and
 * objects that fall back to their defaults are counted by table; interfaces that would be without
 * an address are named, for one of them may be the way by which the administrator came, and so are
 * administrators whom it leaves without a password. The lists have a bound, and the rest is
 * counted.
 */
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"

#define TABLES_MAX     8
#define NAMES_MAX      8

/* The first NAMES_MAX of n names. */
struct named {
	struct str names;
	size_t n;
};

struct losses {
	size_t of_table[TBL_COUNT];
	size_t objects;
	struct named addresses, passwords;
};

static bool is_lost(const struct object *active, const struct object *after) {
	if (schema_is_list(active->table))
		return !after && !txn_adopts(active);
	return !object_is_empty(active) && object_is_empty(after);
}

static bool has_address(const struct object *obj) {
	return object_ip(obj, SYSTEM_INTERFACE__IP).a != 0 ||
	       !object_is(obj, SYSTEM_INTERFACE__MODE, "static");
}

static bool loses_address(const struct object *active, const struct object *after) {
	if (active->table->id != TBL_SYSTEM_INTERFACE || !has_address(active))
		return false;
	return after ? !has_address(after) : !txn_adopts(active);
}

bool txn_loses_password(const struct object *before, const struct object *after) {
	if (!after || after->table->id != TBL_SYSTEM_ADMIN ||
	    *object_str(after, SYSTEM_ADMIN__PASSWORD))
		return false;
	return !before || *object_str(before, SYSTEM_ADMIN__PASSWORD);
}

static void add_name(struct named *named, const char *name) {
	if (named->n++ < NAMES_MAX)
		str_addf(&named->names, "%s%s", named->names.len > 0 ? ", " : "", name);
}

static void take_staged(struct losses *l, const struct object *active, const struct object *after) {
	if (active && is_lost(active, after)) {
		l->of_table[active->table->id]++;
		l->objects++;
	}
	if (active && loses_address(active, after))
		add_name(&l->addresses, active->key);
	if (txn_loses_password(active, after))
		add_name(&l->passwords, after->key);
}

static void tell_objects(const struct losses *l, struct str *out) {
	size_t tables = 0, rest = l->objects;

	str_addf(out, "%zu object%s would go:", l->objects, str_plural(l->objects));
	for (uint16_t i = 0; i < schema_n_top && tables < TABLES_MAX; i++) {
		size_t n = l->of_table[schema_top[i]];

		if (n == 0)
			continue;
		str_addf(out, "%s %zu of %s", tables++ > 0 ? "," : "", n,
			 schema_tables[schema_top[i]]->path);
		rest -= n;
	}
	if (rest > 0)
		str_addf(out, ", %zu of other tables", rest);
	str_add(out, ".\n");
}

static void tell_names(struct named *named, const char *what, struct str *out) {
	if (named->n > 0)
		str_addf(out, "Without %s would be: %s", what, str_text(&named->names));
	if (named->n > NAMES_MAX)
		str_addf(out, " and %zu more", named->n - NAMES_MAX);
	if (named->n > 0)
		str_add(out, ".\n");
	str_done(&named->names);
}

void txn_losses(const struct txn *t, struct str *out) {
	struct losses l = { .addresses = { STR_INIT, 0 }, .passwords = { STR_INIT, 0 } };
	const struct staged *s;

	TAILQ_FOREACH(s, &t->order, next)
		take_staged(&l, txn_active(t, s->table, s->key), s->obj);
	if (l.objects > 0)
		tell_objects(&l, out);
	tell_names(&l.addresses, "an address", out);
	tell_names(&l.passwords, "a password", out);
}
