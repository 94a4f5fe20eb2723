/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The walk is that of the text (cfgdb/model/text.c), by the schema, which says what is a number, a
 * list or nested; which attributes there are is asked of the text, so that both print the same.
 */
#include "cfgdb/model/object_json.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/model/text.h"

/* One item of a value, as `get` prints it; secrets as the form wants them. */
static void put_item(const struct schema_attr *a, const union item *item, enum object_json form,
		     struct json *j, const char *name) {
	const struct value one = { .n = 1, .u.one = *item };
	AUTO_STR struct str text = STR_INIT;

	if (a->type == ATTR_INTEGER && !((a->flags & ATTR_NEVER) && item->num == VALUE_NEVER)) {
		json_put_i64(j, name, item->num);
		return;
	}
	value_print(a, &one,
		    schema_is_secret(a) && form != OBJECT_JSON_GET ? VALUE_SHOW : VALUE_GET, &text);
	json_put_text(j, name, str_text(&text));
}

static bool is_text(const struct schema_attr *a) {
	return a->type == ATTR_STRING || a->type == ATTR_FQDN || a->type == ATTR_REF;
}

/* v may be NULL: nothing is set, and there is no default. */
static void put_value(const struct schema_attr *a, const struct value *v, enum object_json form,
		      struct json *j) {
	bool list = a->flags & ATTR_MULTI;

	if (list)
		json_put_array(j, a->name);
	for (uint32_t i = 0; v && i < v->n && (list || i == 0); i++)
		put_item(a, value_item(v, i), form, j, list ? NULL : a->name);
	if (list)
		json_put_end(j);
	else if ((!v || v->n == 0) && is_text(a))
		json_put_text(j, a->name, "");
	else if (!v || v->n == 0)
		json_put_null(j, a->name);
}

static unsigned int text_flags(enum object_json form) {
	return form == OBJECT_JSON_SHOW ? 0 : TEXT_FULL;
}

/* A nested object that was never set is there, with its defaults, where those are wanted. */
static void put_nested(const struct object *obj, unsigned int attr, enum object_json form,
		       struct json *j) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *v = object_get(obj, attr);
	struct object *empty;

	if (v && (form != OBJECT_JSON_SHOW || value_item(v, 0)->entry->n_fields > 0)) {
		object_json_put(value_item(v, 0)->entry, form, a->name, j);
		return;
	}
	if (form == OBJECT_JSON_SHOW)
		return;
	empty = object_new(a->child, "");
	object_json_put(empty, form, a->name, j);
	object_free(empty);
}

static void put_key(const struct object *obj, struct json *j) {
	const struct schema_attr *a = &obj->table->attrs[0];

	if (a->type == ATTR_INTEGER)
		json_put_i64(j, a->name, strtoll(obj->key, NULL, 10));
	else
		json_put_text(j, a->name, obj->key);
}

void object_json_attr(const struct object *obj, unsigned int attr, enum object_json form,
		      struct json *j) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *v;

	if (!object_has(obj, attr))
		return;
	if (a->flags & ATTR_KEY)
		put_key(obj, j);
	else if (a->child && !schema_is_list(a->child))
		put_nested(obj, attr, form, j);
	else if (a->child && (object_get(obj, attr) || form != OBJECT_JSON_SHOW))
		object_json_list(obj, attr, form, a->name, j);
	else if (!a->child && form == OBJECT_JSON_GET)
		put_value(a, object_value(obj, attr), form, j);
	else if (!a->child && text_wants(obj, attr, text_flags(form), &v))
		put_value(a, v, form, j);
}

void object_json_list(const struct object *obj, unsigned int attr, enum object_json form,
		      const char *name, struct json *j) {
	const struct value *v = object_get(obj, attr);

	json_put_array(j, name);
	for (uint32_t i = 0; v && i < v->n; i++)
		object_json_put(value_item(v, i)->entry, form, NULL, j);
	json_put_end(j);
}

void object_json_put(const struct object *obj, enum object_json form, const char *name,
		     struct json *j) {
	json_put_object(j, name);
	for (unsigned int i = 0; i < obj->table->n_attrs; i++)
		object_json_attr(obj, i, form, j);
	json_put_end(j);
}
