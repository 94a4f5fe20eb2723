/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * For each object table with such attributes an object that holds them and nothing else; an
 * attribute that is not set in it is at its default. Which tables these are only the schema says.
 *
 * Overlaying unsets, too: whatever a store of old may hold of such an attribute is never seen.
 */
#include "cli/prefs.h"

#include <stdlib.h>

#include "cfgdb/base/mem.h"

struct prefs {
	struct object **parts; /* by table id; NULL: nothing of the table belongs to the session */
};

static bool prefs_has(const struct schema_table *table) {
	for (unsigned int i = 0; i < table->n_attrs; i++)
		if (table->attrs[i].flags & ATTR_SESSION)
			return true;
	return false;
}

struct prefs *prefs_new(void) {
	struct prefs *prefs = xcalloc(1, sizeof(*prefs));

	prefs->parts = xcalloc(schema_n_tables, sizeof(struct object *));
	for (uint16_t i = 0; i < schema_n_tables; i++)
		if (prefs_has(schema_tables[i]))
			prefs->parts[i] = object_new(schema_tables[i], "");
	return prefs;
}

void prefs_free(struct prefs *prefs) {
	if (!prefs)
		return;
	for (uint16_t i = 0; i < schema_n_tables; i++)
		object_free(prefs->parts[i]);
	free(prefs->parts);
	free(prefs);
}

const struct object *prefs_part(const struct prefs *prefs, const struct schema_table *table) {
	return prefs->parts[table->id];
}

static void prefs_copy(const struct object *from, struct object *to) {
	for (unsigned int i = 0; i < to->table->n_attrs; i++) {
		const struct schema_attr *a = &to->table->attrs[i];
		const struct value *v = object_get(from, i);

		if (!(a->flags & ATTR_SESSION))
			continue;
		if (v)
			object_set(to, i, value_copy(a, v));
		else
			object_unset(to, i);
	}
}

void prefs_overlay(const struct prefs *prefs, struct object *obj) {
	const struct object *part = prefs_part(prefs, obj->table);

	if (part)
		prefs_copy(part, obj);
}

struct object *prefs_split(struct object *obj) {
	struct object *part;

	if (!prefs_has(obj->table))
		return NULL;
	part = object_new(obj->table, "");
	prefs_copy(obj, part);
	for (unsigned int i = 0; i < obj->table->n_attrs; i++)
		if (obj->table->attrs[i].flags & ATTR_SESSION)
			object_unset(obj, i);
	return part;
}

void prefs_keep(struct prefs *prefs, struct object *part) {
	if (!part)
		return;
	object_free(prefs->parts[part->table->id]);
	prefs->parts[part->table->id] = part;
}
