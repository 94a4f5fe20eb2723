/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fields are kept sorted by attribute index and found by bisection. A value that equals its default
 * is never held, so "set" and "differs from the default" are the same thing, except for an
 * attribute that has no default.
 */
#include "cfgdb/model/object.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "cfgdb/model/value_type.h"

struct object *object_new(const struct schema_table *table, const char *key) {
	struct object *obj = xcalloc(1, sizeof(*obj));

	obj->table = table;
	obj->key = xstrdup(key);
	return obj;
}

void object_rekey(struct object *obj, const char *key) {
	free(obj->key);
	obj->key = xstrdup(key);
	obj->group_stamp = 0;
}

struct object *object_free(struct object *obj) {
	if (!obj)
		return NULL;
	for (uint32_t i = 0; i < obj->n_fields; i++)
		value_done(&obj->table->attrs[obj->fields[i].attr], &obj->fields[i].value);
	free(obj->fields);
	free(obj->unknown);
	free(obj->key);
	free(obj);
	return NULL;
}

struct object *object_copy(const struct object *obj) {
	struct object *copy = object_new(obj->table, obj->key);

	copy->ver = obj->ver;
	copy->pos = obj->pos;
	copy->unknown = obj->unknown ? xstrdup(obj->unknown) : NULL;
	memcpy(copy->hash, obj->hash, sizeof(copy->hash));
	copy->n_fields = obj->n_fields;
	copy->fields = obj->n_fields ? xcalloc(obj->n_fields, sizeof(*copy->fields)) : NULL;
	for (uint32_t i = 0; i < obj->n_fields; i++) {
		copy->fields[i].attr = obj->fields[i].attr;
		copy->fields[i].value =
			value_copy(&obj->table->attrs[obj->fields[i].attr], &obj->fields[i].value);
	}
	return copy;
}

size_t object_size(const struct object *obj) {
	size_t size = mem_size(sizeof(*obj)) + mem_size(strlen(obj->key) + 1) +
		      mem_size(obj->n_fields * sizeof(*obj->fields)) +
		      mem_size(obj->unknown ? strlen(obj->unknown) + 1 : 0);

	for (uint32_t i = 0; i < obj->n_fields; i++)
		size += value_size(&obj->table->attrs[obj->fields[i].attr], &obj->fields[i].value);
	return size;
}

/* Index of the first field whose attribute is not below attr. */
static uint32_t object_lower(const struct object *obj, unsigned int attr) {
	uint32_t lo = 0, hi = obj->n_fields;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (obj->fields[mid].attr < attr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

struct value *object_get_mutable(struct object *obj, unsigned int attr) {
	uint32_t i = object_lower(obj, attr);

	return i < obj->n_fields && obj->fields[i].attr == attr ? &obj->fields[i].value : NULL;
}

const struct value *object_get(const struct object *obj, unsigned int attr) {
	return object_get_mutable((struct object *)obj, attr);
}

const struct value *object_value(const struct object *obj, unsigned int attr) {
	const struct value *v = object_get(obj, attr);

	return v ? v : value_default_at(obj->table, attr);
}

void object_unset(struct object *obj, unsigned int attr) {
	uint32_t i = object_lower(obj, attr);

	if (i >= obj->n_fields || obj->fields[i].attr != attr)
		return;
	value_done(&obj->table->attrs[attr], &obj->fields[i].value);
	memmove(&obj->fields[i], &obj->fields[i + 1],
		(obj->n_fields - i - 1) * sizeof(*obj->fields));
	obj->n_fields--;
}

void object_set(struct object *obj, unsigned int attr, struct value value) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *dflt = value_default_at(obj->table, attr);
	uint32_t i;

	if (value.n == 0 || (dflt && value_equal(a, &value, dflt))) {
		value_done(a, &value);
		object_unset(obj, attr);
		return;
	}
	i = object_lower(obj, attr);
	if (i < obj->n_fields && obj->fields[i].attr == attr) {
		value_done(a, &obj->fields[i].value);
	} else {
		obj->fields = xreallocarray(obj->fields, obj->n_fields + 1, sizeof(*obj->fields));
		memmove(&obj->fields[i + 1], &obj->fields[i],
			(obj->n_fields - i) * sizeof(*obj->fields));
		obj->n_fields++;
	}
	obj->fields[i] = (struct field){ (uint16_t)attr, value };
}

/* True when `word` is one of the alternatives of "a|b|c". */
static bool word_in(const char *list, const char *word) {
	size_t len = strlen(word);

	for (const char *p = list; p; p = strchr(p, '|')) {
		p += *p == '|';
		if (strncmp(p, word, len) == 0 && (p[len] == '\0' || p[len] == '|'))
			return true;
	}
	return false;
}

static bool object_cond(const struct object *obj, const struct schema_cond *cond) {
	const struct schema_attr *a = &obj->table->attrs[cond->attr];
	const struct value *v = object_value(obj, cond->attr);

	if (!v || !object_has(obj, cond->attr))
		return false;
	if (strcmp(cond->words, "*") == 0)
		return true;
	for (uint32_t i = 0; i < v->n; i++) {
		AUTO_STR struct str word = STR_INIT;

		value_type(a)->print(a, value_item(v, i), VALUE_GET, &word);
		if (word_in(cond->words, str_text(&word)))
			return true;
	}
	return false;
}

bool object_has(const struct object *obj, unsigned int attr) {
	const struct schema_attr *a = &obj->table->attrs[attr];

	for (unsigned int i = 0; i < a->n_conds; i++)
		if (!object_cond(obj, &a->conds[i]))
			return false;
	return true;
}

/* Children are normalized too; an object child in which nothing is set is nothing. */
static bool field_is_void(const struct object *obj, const struct field *field) {
	const struct schema_attr *a = &obj->table->attrs[field->attr];

	if (!object_has(obj, field->attr))
		return true;
	if (a->type != ATTR_CHILD)
		return false;
	for (uint32_t i = 0; i < field->value.n; i++)
		object_normalize(value_item(&field->value, i)->entry);
	return !schema_is_list(a->child) && object_is_empty(value_item(&field->value, 0)->entry);
}

void object_normalize(struct object *obj) {
	for (uint32_t i = 0; i < obj->n_fields;) {
		if (field_is_void(obj, &obj->fields[i])) {
			/* others may have existed only because of this one */
			object_unset(obj, obj->fields[i].attr);
			i = 0;
		} else {
			i++;
		}
	}
}

static const char *unknown_of(const struct object *obj) {
	return obj->unknown ? obj->unknown : "";
}

bool object_equal(const struct object *a, const struct object *b) {
	if (a->table != b->table || strcmp(a->key, b->key) != 0 || a->n_fields != b->n_fields ||
	    strcmp(unknown_of(a), unknown_of(b)) != 0)
		return false;
	for (uint32_t i = 0; i < a->n_fields; i++)
		if (a->fields[i].attr != b->fields[i].attr ||
		    !value_equal(&a->table->attrs[a->fields[i].attr], &a->fields[i].value,
				 &b->fields[i].value))
			return false;
	return true;
}

bool object_is_empty(const struct object *obj) {
	return obj->n_fields == 0 && !obj->unknown;
}

bool object_is_local(const struct object *obj) {
	if (obj->unknown)
		return false;
	for (uint32_t i = 0; i < obj->n_fields; i++) {
		const struct schema_attr *a = &obj->table->attrs[obj->fields[i].attr];

		if (schema_is_local(a))
			continue;
		if (a->type != ATTR_CHILD || schema_is_list(a->child) ||
		    !object_is_local(value_item(&obj->fields[i].value, 0)->entry))
			return false;
	}
	return true;
}

int64_t object_num(const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	return v ? value_item(v, 0)->num : 0;
}

const char *object_str(const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	return v ? value_item(v, 0)->str : "";
}

const char *object_remark(const struct object *obj) {
	for (uint32_t i = 0; i < obj->n_fields; i++)
		if (obj->table->attrs[obj->fields[i].attr].flags & ATTR_REMARK)
			return object_str(obj, obj->fields[i].attr);
	return "";
}

struct ipv4_pair object_ip(const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	return v ? value_item(v, 0)->ip : (struct ipv4_pair){ 0, 0 };
}

bool object_is(const struct object *obj, unsigned int attr, const char *word) {
	const struct value *v = object_value(obj, attr);
	const struct schema_attr *a = &obj->table->attrs[attr];

	for (uint32_t i = 0; v && i < v->n; i++)
		if (strcmp(a->options[value_item(v, i)->num].name, word) == 0)
			return true;
	return false;
}

uint32_t object_count(const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	return v ? v->n : 0;
}

/* ---- children ---- */

static int64_t child_index(const struct value *v, const char *key) {
	for (uint32_t i = 0; v && i < v->n; i++)
		if (strcmp(value_item(v, i)->entry->key, key) == 0)
			return i;
	return -1;
}

struct object *object_child(const struct object *obj, unsigned int attr, const char *key) {
	const struct value *v = object_get(obj, attr);
	int64_t i = child_index(v, key);

	return i < 0 ? NULL : value_item(v, (uint32_t)i)->entry;
}

struct object *object_child_make(struct object *obj, unsigned int attr) {
	struct object *child = object_child(obj, attr, "");
	struct value v = { 0 };

	if (child)
		return child;
	child = object_new(obj->table->attrs[attr].child, "");
	value_add_item(&v, (union item){ .entry = child });
	object_set(obj, attr, v);
	return child;
}

void object_child_put(struct object *obj, unsigned int attr, struct object *entry) {
	struct value *v = object_get_mutable(obj, attr);
	int64_t i = child_index(v, entry->key);
	struct value first = { 0 };

	if (!v) {
		value_add_item(&first, (union item){ .entry = entry });
		object_set(obj, attr, first);
	} else if (i >= 0) {
		value_replace_item(&obj->table->attrs[attr], v, (uint32_t)i,
				   (union item){ .entry = entry });
	} else {
		value_add_item(v, (union item){ .entry = entry });
	}
}

bool object_child_delete(struct object *obj, unsigned int attr, const char *key) {
	struct value *v = object_get_mutable(obj, attr);
	int64_t i = child_index(v, key);

	if (i < 0)
		return false;
	object_free(value_take_item(v, (uint32_t)i).entry);
	if (v->n == 0)
		object_unset(obj, attr);
	return true;
}

void object_child_rename(struct object *obj, unsigned int attr, const char *key, const char *to) {
	object_rekey(object_child(obj, attr, key), to);
}

bool object_child_move(struct object *obj, unsigned int attr, const char *key, bool before,
		       const char *other) {
	struct value *v = object_get_mutable(obj, attr);
	int64_t from = child_index(v, key), at = child_index(v, other);

	if (from < 0 || at < 0 || from == at)
		return false;
	value_move_item(v, (uint32_t)from, (uint32_t)(at + !before - (from < at)));
	return true;
}

/* ---- keys ---- */

int object_key_parse(const struct schema_table *table, const char *word, char **ret,
		     struct err *err) {
	const struct schema_attr *key = &table->attrs[0];
	AUTO_STR struct str text = STR_INIT;
	char *words[] = { (char *)word };
	struct value v;
	int rc;

	if (!*word)
		return err_set(err, ERR_EMPTY, "Attribute '%s' MUST be set.", key->name);
	if (strlen(word) > OBJECT_KEY_MAX)
		return err_set(err, ERR_LENGTH,
			       "string value is too long. the size is %zu, the limit is %d\n"
			       "value parse error before '%.200s'",
			       strlen(word), OBJECT_KEY_MAX, word);
	rc = value_parse(key, words, 1, &v, err);
	if (rc)
		return rc;
	value_print(key, &v, VALUE_GET, &text);
	value_done(key, &v);
	*ret = str_steal(&text);
	return 0;
}

/* A key of digits as a number; for each step down a tree: strtoll() with its locale is too much. */
static int64_t key_number(const char *key) {
	bool negative = *key == '-';
	uint64_t n = 0;

	for (key += negative; *key >= '0' && *key <= '9'; key++)
		n = n * 10 + (uint64_t)(*key - '0');
	return (int64_t)(negative ? -n : n);
}

int object_key_compare(const struct schema_table *table, const char *a, const char *b) {
	if (table->attrs[0].type == ATTR_INTEGER && schema_is_list(table)) {
		int64_t x = key_number(a), y = key_number(b);

		return (x > y) - (x < y);
	}
	return strcmp(a, b);
}

/* ---- uuid, references ---- */

void object_drop_uuid(struct object *obj) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++)
		if (obj->table->attrs[i].type == ATTR_UUID)
			object_unset(obj, i);
}

void object_fill_uuid(struct object *obj) {
	char uuid[RANDOM_UUID_LEN + 1];

	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		struct value v = { 0 };

		if (obj->table->attrs[i].type != ATTR_UUID || object_get(obj, i) ||
		    !object_has(obj, i))
			continue;
		random_uuid(uuid);
		value_add_item(&v, (union item){ .str = xstrdup(uuid) });
		object_set(obj, i, v);
	}
}

int object_each_unique(const struct object *obj,
		       int (*visit)(void *arg, const struct object *holder, unsigned int attr,
				    const char *text),
		       void *arg) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		unsigned int attr = obj->fields[f].attr;
		bool unique = obj->table->attrs[attr].flags & ATTR_UNIQUE;
		const char *text = unique ? value_item(&obj->fields[f].value, 0)->str : "";
		int rc = *text ? visit(arg, obj, attr, text) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

int object_each_ref(const struct object *obj,
		    int (*visit)(void *arg, const struct object *holder, unsigned int attr,
				 const char *name),
		    void *arg) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct field *field = &obj->fields[f];
		enum attr_type type = obj->table->attrs[field->attr].type;

		for (uint32_t i = 0; i < field->value.n; i++) {
			const union item *item = value_item(&field->value, i);
			int rc = 0;

			if (type == ATTR_CHILD)
				rc = object_each_ref(item->entry, visit, arg);
			else if (type == ATTR_REF && *item->str)
				rc = visit(arg, obj, field->attr, item->str);
			if (rc)
				return rc;
		}
	}
	return 0;
}
