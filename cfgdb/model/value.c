/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What holds for values of every type: lists of items, copying, comparing, defaults. What differs
 * between types is in value_type.c.
 *
 * One item lives inside struct value; only lists allocate. Defaults are parsed once, on first use,
 * from the schema's text, by the same parser that reads an administrator's input.
 */
#include "cfgdb/model/value.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "cfgdb/model/object.h"
#include "cfgdb/model/value_type.h"

static union item *item_at(struct value *v, uint32_t i) {
	return v->n == 1 ? &v->u.one : &v->u.many[i];
}

const union item *value_item(const struct value *v, uint32_t i) {
	return v->n == 1 ? &v->u.one : &v->u.many[i];
}

static void item_done(const struct schema_attr *attr, union item *item) {
	if (attr->type == ATTR_CHILD)
		object_free(item->entry);
	else if (value_type(attr)->is_text)
		free(item->str);
}

static union item item_copy(const struct schema_attr *attr, const union item *item) {
	union item copy = *item;

	if (attr->type == ATTR_CHILD)
		copy.entry = object_copy(item->entry);
	else if (value_type(attr)->is_text)
		copy.str = xstrdup(item->str);
	return copy;
}

static bool item_equal(const struct schema_attr *attr, const union item *a, const union item *b) {
	if (attr->type == ATTR_CHILD)
		return object_equal(a->entry, b->entry);
	return value_type(attr)->equal(a, b);
}

void value_add_item(struct value *v, union item item) {
	union item first;

	if (v->n == 0) {
		v->u.one = item;
		v->n = 1;
		return;
	}
	if (v->n == 1) {
		first = v->u.one;
		v->u.many = xcalloc(4, sizeof(union item));
		v->u.many[0] = first;
	} else if (v->n >= 4 && (v->n & (v->n - 1)) == 0) {
		v->u.many = xreallocarray(v->u.many, (size_t)v->n * 2, sizeof(union item));
	}
	v->u.many[v->n++] = item;
}

union item value_take_item(struct value *v, uint32_t i) {
	union item item = *value_item(v, i);
	union item rest;

	if (v->n == 1) {
		v->n = 0;
		return item;
	}
	memmove(&v->u.many[i], &v->u.many[i + 1], (v->n - i - 1) * sizeof(union item));
	if (v->n == 2) {
		rest = v->u.many[0];
		free(v->u.many);
		v->u.one = rest;
	}
	v->n--;
	return item;
}

void value_move_item(struct value *v, uint32_t i, uint32_t to) {
	union item item = *item_at(v, i);

	if (i < to)
		memmove(item_at(v, i), item_at(v, i + 1), (to - i) * sizeof(item));
	else if (i > to)
		memmove(item_at(v, to + 1), item_at(v, to), (i - to) * sizeof(item));
	*item_at(v, to) = item;
}

void value_replace_item(const struct schema_attr *attr, struct value *v, uint32_t i,
			union item item) {
	item_done(attr, item_at(v, i));
	*item_at(v, i) = item;
}

void value_done(const struct schema_attr *attr, struct value *v) {
	for (uint32_t i = 0; i < v->n; i++)
		item_done(attr, item_at(v, i));
	if (v->n > 1)
		free(v->u.many);
	v->n = 0;
}

struct value value_copy(const struct schema_attr *attr, const struct value *v) {
	struct value copy = { 0 };

	for (uint32_t i = 0; i < v->n; i++)
		value_add_item(&copy, item_copy(attr, value_item(v, i)));
	return copy;
}

size_t value_size(const struct schema_attr *attr, const struct value *v) {
	size_t size = v->n > 1 ? mem_size(v->n * sizeof(union item)) : 0;

	for (uint32_t i = 0; i < v->n; i++) {
		const union item *item = value_item(v, i);

		if (attr->type == ATTR_CHILD)
			size += object_size(item->entry);
		else if (value_type(attr)->is_text)
			size += mem_size(strlen(item->str) + 1);
	}
	return size;
}

bool value_equal(const struct schema_attr *attr, const struct value *a, const struct value *b) {
	if (a->n != b->n)
		return false;
	for (uint32_t i = 0; i < a->n; i++)
		if (!item_equal(attr, value_item(a, i), value_item(b, i)))
			return false;
	return true;
}

static int64_t value_index_of(const struct schema_attr *attr, const struct value *v,
			      const union item *item) {
	for (uint32_t i = 0; i < v->n; i++)
		if (item_equal(attr, value_item(v, i), item))
			return i;
	return -1;
}

static int compare_num(const void *a, const void *b) {
	const union item *x = a, *y = b;

	return (x->num > y->num) - (x->num < y->num);
}

/* Lists of options are kept in the schema's order, whatever order they were typed in. */
static void value_sort_options(const struct schema_attr *attr, struct value *v) {
	if (attr->type == ATTR_OPTION && v->n > 1)
		qsort(v->u.many, v->n, sizeof(union item), compare_num);
}

void value_append(const struct schema_attr *attr, struct value *v, const struct value *add) {
	for (uint32_t i = 0; i < add->n; i++)
		if (value_index_of(attr, v, value_item(add, i)) < 0)
			value_add_item(v, item_copy(attr, value_item(add, i)));
	value_sort_options(attr, v);
}

unsigned int value_remove(const struct schema_attr *attr, struct value *v,
			  const struct value *drop) {
	unsigned int removed = 0;

	for (uint32_t i = 0; i < drop->n; i++) {
		int64_t at = value_index_of(attr, v, value_item(drop, i));
		union item item;

		if (at < 0)
			continue;
		item = value_take_item(v, (uint32_t)at);
		item_done(attr, &item);
		removed++;
	}
	return removed;
}

static int parse_items(const struct schema_attr *attr, char *const words[], size_t n,
		       struct value *out, struct err *err) {
	size_t i = 0;

	while (i < n) {
		union item item;
		size_t used = 0;
		int rc;

		if (i > 0 && !(attr->flags & ATTR_MULTI))
			return err_set(err, ERR_PARSE, "\ncommand parse error before '%.200s'",
				       schema_is_secret(attr) ? "***" : words[i]);
		if (out->n >= VALUE_ITEMS_MAX)
			return err_set(err, ERR_MAX_ENTRIES,
				       "Too many values. Maximum number of entries: %d;\n"
				       "attribute set operator error, -4, discard the setting",
				       VALUE_ITEMS_MAX);
		rc = value_type(attr)->parse(attr, words + i, n - i, &used, &item, err);
		if (rc)
			return rc;
		i += used;
		if (value_index_of(attr, out, &item) >= 0)
			item_done(attr, &item);
		else
			value_add_item(out, item);
	}
	return 0;
}

int value_parse(const struct schema_attr *attr, char *const words[], size_t n, struct value *out,
		struct err *err) {
	int rc;

	*out = (struct value){ 0 };
	if (attr->type == ATTR_CHILD)
		return err_set(err, ERR_PARSE, "\ncommand parse error before '%s'", attr->name);
	if (n == 0)
		return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
	if (n == 1 && !*words[0] &&
	    (attr->type == ATTR_PASSWORD || attr->type == ATTR_PASSWORD_HASH))
		return 0; /* an empty secret is none */
	rc = parse_items(attr, words, n, out, err);
	if (rc)
		value_done(attr, out);
	else
		value_sort_options(attr, out);
	return rc;
}

void value_print(const struct schema_attr *attr, const struct value *v, enum value_style style,
		 struct str *out) {
	for (uint32_t i = 0; i < v->n; i++) {
		if (i > 0)
			str_add_char(out, ' ');
		value_type(attr)->print(attr, value_item(v, i), style, out);
	}
}

void value_quote(const char *s, struct str *out) {
	str_add_char(out, '"');
	for (; *s; s++) {
		if (strchr("\"'\\", *s))
			str_add_char(out, '\\');
		str_add_char(out, *s);
	}
	str_add_char(out, '"');
}

/* ---- defaults ---- */

/* Parsed defaults of one table; values[i] belongs to attribute i. */
struct table_defaults {
	struct value *values;
};

static struct table_defaults *all_defaults;

static struct value parse_default(const struct schema_attr *attr) {
	AUTO_WORDS struct words words = { 0 };
	struct value v = { 0 };
	char *empty[] = { (char *)"" };

	if (attr->type == ATTR_CHILD || !attr->dflt)
		return v;
	if (!*attr->dflt)
		value_parse(attr, empty, 1, &v, NULL);
	else if (attr->flags & ATTR_MULTI || value_type(attr)->words > 1) {
		if (lex_words(attr->dflt, &words, NULL) == LEX_OK)
			value_parse(attr, words.w, words.n, &v, NULL);
	} else {
		char *one[] = { (char *)attr->dflt };

		value_parse(attr, one, 1, &v, NULL);
	}
	return v;
}

/* The table that holds attr, found by address: attributes of a table are one array. */
static const struct schema_table *table_of(const struct schema_attr *attr) {
	for (uint16_t i = 0; i < schema_n_tables; i++) {
		const struct schema_table *t = schema_tables[i];

		if (attr >= t->attrs && attr < t->attrs + t->n_attrs)
			return t;
	}
	return NULL;
}

const struct value *value_default_at(const struct schema_table *table, unsigned int attr) {
	struct table_defaults *d;
	const struct value *v;

	if (!all_defaults)
		all_defaults = xcalloc(schema_n_tables, sizeof(*all_defaults));
	d = &all_defaults[table->id];
	if (!d->values) {
		d->values = xcalloc(table->n_attrs, sizeof(*d->values));
		for (uint16_t i = 0; i < table->n_attrs; i++)
			d->values[i] = parse_default(&table->attrs[i]);
	}
	v = &d->values[attr];
	return v->n ? v : NULL;
}

const struct value *value_default(const struct schema_attr *attr) {
	const struct schema_table *table = table_of(attr);

	return table ? value_default_at(table, (unsigned int)(attr - table->attrs)) : NULL;
}
