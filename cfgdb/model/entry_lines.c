/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Attributes come in the order of the schema, so that one on which others depend is set before
 * them; where that is not enough, what does not exist yet is tried again. What will not exist in
 * the end needs no line: it goes with its condition.
 *
 * Entries of a nested list can only be added at its end. So those at the front that stay in their
 * order are changed in place, and the others are deleted and made anew.
 */
#include "cfgdb/model/entry_lines.h"

#include <string.h>

#include "cfgdb/base/mem.h"

#define INDENT 4
#define PASSES 8 /* conditions depend on conditions no deeper than that */

void entry_lines_key(const struct schema_table *table, const char *key, struct str *out) {
	if (table->attrs[0].type == ATTR_INTEGER)
		str_add(out, key);
	else
		value_quote(key, out);
}

static void key_line(const char *verb, const struct object *entry, unsigned int indent,
		     struct str *out) {
	str_add_blanks(out, (size_t)indent * INDENT);
	str_addf(out, "%s ", verb);
	entry_lines_key(entry->table, entry->key, out);
	str_add_char(out, '\n');
}

static void line(const char *text, unsigned int indent, struct str *out) {
	str_add_blanks(out, (size_t)indent * INDENT);
	str_addf(out, "%s\n", text);
}

/* ---- nested lists ---- */

/* Drop what does not stay where it is; returns how many entries stay, which are goal's first. */
static uint32_t drop_entries(struct object *obj, unsigned int attr, const struct value *goal,
			     unsigned int indent, struct str *out) {
	const struct value *v = object_get(obj, attr);
	uint32_t stay = 0, i = 0;

	while (v && i < v->n) {
		struct object *entry = value_item(v, i)->entry;

		if (goal && stay < goal->n &&
		    strcmp(value_item(goal, stay)->entry->key, entry->key) == 0) {
			stay++;
			i++;
			continue;
		}
		key_line("delete", entry, indent, out);
		object_child_delete(obj, attr, entry->key);
		v = object_get(obj, attr);
	}
	return stay;
}

static void change_entry(struct object *obj, const struct object *goal, bool is_new,
			 unsigned int indent, struct str *out) {
	AUTO_STR struct str lines = STR_INIT;

	entry_lines(obj, goal, indent + 1, &lines);
	if (lines.len == 0 && !is_new)
		return;
	key_line("edit", goal, indent, out);
	str_add(out, str_text(&lines));
	line("next", indent, out);
}

static void change_list(struct object *obj, unsigned int attr, const struct value *goal,
			unsigned int indent, struct str *out) {
	uint32_t stay = drop_entries(obj, attr, goal, indent, out);

	for (uint32_t i = 0; goal && i < goal->n; i++) {
		const struct object *entry = value_item(goal, i)->entry;

		if (i >= stay)
			object_child_put(obj, attr, object_new(entry->table, entry->key));
		change_entry(object_child(obj, attr, entry->key), entry, i >= stay, indent, out);
	}
}

/* ---- attributes ---- */

static void change_child(struct object *obj, unsigned int attr, const struct value *goal,
			 unsigned int indent, struct str *out) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	AUTO_STR struct str lines = STR_INIT;
	struct object *none;

	if (schema_is_list(a->child)) {
		change_list(obj, attr, goal, indent + 1, &lines);
	} else {
		none = object_new(a->child, "");
		entry_lines(object_child_make(obj, attr), goal ? value_item(goal, 0)->entry : none,
			    indent + 1, &lines);
		object_free(none);
	}
	if (lines.len == 0)
		return;
	str_add_blanks(out, (size_t)indent * INDENT);
	str_addf(out, "config %s\n", a->name);
	str_add(out, str_text(&lines));
	line("end", indent, out);
}

static void change_value(const struct schema_attr *a, const struct value *goal, unsigned int indent,
			 struct str *out) {
	str_add_blanks(out, (size_t)indent * INDENT);
	str_addf(out, "%s %s", goal ? "set" : "unset", a->name);
	if (goal) {
		str_add_char(out, ' ');
		value_print(a, goal, VALUE_SHOW, out);
	}
	str_add_char(out, '\n');
}

static bool is_same(const struct schema_attr *a, const struct value *x, const struct value *y) {
	return x && y ? value_equal(a, x, y) : !x && !y;
}

/* Whether there was something to be done, and it was done. */
static bool change_attr(struct object *obj, const struct object *goal, unsigned int attr,
			unsigned int indent, struct str *out) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *want = object_get(goal, attr);

	if ((a->flags & (ATTR_KEY | ATTR_SESSION)) || is_same(a, object_get(obj, attr), want) ||
	    !object_has(goal, attr) || !object_has(obj, attr))
		return false;
	if (a->type == ATTR_CHILD)
		change_child(obj, attr, want, indent, out);
	else
		change_value(a, want, indent, out);
	if (want)
		object_set(obj, attr, value_copy(a, want));
	else
		object_unset(obj, attr);
	return true;
}

void entry_lines(struct object *obj, const struct object *goal, unsigned int indent,
		 struct str *out) {
	bool again = true;

	for (unsigned int pass = 0; pass < PASSES && again; pass++) {
		again = false;
		for (unsigned int i = 0; i < obj->table->n_attrs; i++)
			again = change_attr(obj, goal, i, indent, out) || again;
	}
}
