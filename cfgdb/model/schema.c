/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Look-ups in the generated tables; linear, because a table has at most a few hundred rows. */
#include "cfgdb/model/schema.h"

#include <string.h>

#include "cfgdb/base/err.h"

const struct schema_table *schema_table(unsigned int id) {
	return id < schema_n_tables ? schema_tables[id] : NULL;
}

const struct schema_table *schema_find(const char *dotted) {
	for (uint16_t i = 0; i < schema_n_top; i++)
		if (strcmp(schema_tables[schema_top[i]]->dotted, dotted) == 0)
			return schema_tables[schema_top[i]];
	return NULL;
}

int schema_attr_index(const struct schema_table *table, const char *name) {
	for (int i = 0; i < table->n_attrs; i++)
		if (strcmp(table->attrs[i].name, name) == 0)
			return i;
	return -1;
}

int schema_option_index(const struct schema_attr *attr, const char *name) {
	for (int i = 0; i < attr->n_options; i++)
		if (strcmp(attr->options[i].name, name) == 0)
			return i;
	return -1;
}

bool schema_is_stored_table(const struct schema_table *table) {
	for (const struct schema_table *t = table; t; t = t->parent)
		if (t->flags & TABLE_STORED)
			return true;
	for (int i = schema_is_list(table); i < table->n_attrs; i++)
		if (!schema_is_stored(&table->attrs[i]))
			return false;
	return table->n_attrs > schema_is_list(table);
}

int schema_direct(const struct schema_table *table) {
	for (int i = 0; i < table->n_attrs; i++)
		if (table->attrs[i].flags & ATTR_DIRECT)
			return i;
	return -1;
}

static int clash_code(const struct schema_table *a, const struct schema_table *b) {
	for (uint16_t i = 0; i < a->n_clashes; i++)
		if (a->clashes[i].table == b->id)
			return a->clashes[i].code;
	return 0;
}

int schema_clash_code(const struct schema_table *a, const struct schema_table *b) {
	int code = clash_code(a, b);

	code = code ? code : clash_code(b, a);
	return code ? code : ERR_EXISTS;
}
