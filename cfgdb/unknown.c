/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A body is read as a tree of lines, and each line is offered to the schema. What it takes becomes
 * a value. What is left is the object's unknown text: canonical, so that equal objects have equal
 * ones, and tried again whenever the object is read or changed, so that a newer release, or another
 * value, brings it to life.
 *
 * What must not be lost is also what would be nothing here: a value that is the default of this
 * release alone, or of an attribute that does not exist beside the other values. A list with an
 * entry whose key is none here is kept whole: its order would be lost otherwise.
 */
#include "cfgdb/unknown.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cfgdb/model/value_type.h"

struct taker {
	const struct keyring *keyring; /* for secrets in clear; NULL: there are none */
	struct err *err;
};

/* ---- one line ---- */

/* The attribute of a line, if this release has one of that name and it is no key; else -1. */
static int attr_of(const struct object *obj, const struct outline_line *line) {
	int attr = line->words.n > 1 ? schema_attr_index(obj->table, line->words.w[1]) : -1;

	return attr >= 0 && (obj->table->attrs[attr].flags & ATTR_KEY) ? -1 : attr;
}

/* The sealed text that a value of a secret in clear becomes; false: it cannot stand there. */
static bool seal_value(const struct keyring *k, const struct schema_table *table,
		       const struct schema_attr *a, struct value *v) {
	union item *item = (union item *)value_item(v, 0);
	char *sealed = secret_seal_for(k, table, a, item->str + 1);

	explicit_bzero(item->str, strlen(item->str));
	if (!sealed)
		return false;
	free(item->str);
	item->str = sealed;
	return true;
}

/* The words of a `set` or `secret` line as a value, or false. */
static bool read_value(const struct taker *t, const struct schema_table *table,
		       const struct schema_attr *a, const struct outline_line *line,
		       struct value *v) {
	const struct words *words = &line->words;
	bool in_clear = outline_is(line, "secret") && words->n == 3;

	*v = (struct value){ 0 };
	if (a->type == ATTR_CHILD || schema_is_secret(a) != outline_is(line, "secret") ||
	    (in_clear && !t->keyring) || value_parse(a, words->w + 2, words->n - 2, v, NULL) != 0)
		return false;
	if (!in_clear || v->n != 1 || seal_value(t->keyring, table, a, v))
		return true;
	value_done(a, v);
	return false;
}

static bool take_value(const struct taker *t, struct object *obj, const struct outline_line *line) {
	int attr = attr_of(obj, line);
	struct value v;

	if (attr < 0 || !read_value(t, obj->table, &obj->table->attrs[attr], line, &v))
		return false;
	object_set(obj, (unsigned int)attr, v);
	return object_get(obj, (unsigned int)attr) != NULL;
}

/* ---- blocks ---- */

static int take_lines(const struct taker *t, struct object *obj, struct outline_lines *lines,
		      bool stored);

static int compare_key(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether the block can be entries of the list: each key is one here, once, and there is room. */
static bool is_readable_list(const struct object *obj, unsigned int attr,
			     const struct outline_lines *lines) {
	const struct schema_table *child = obj->table->attrs[attr].child;
	char **keys = xcalloc(VALUE_ITEMS_MAX, sizeof(*keys));
	const struct outline_line *line;
	bool readable = !object_get(obj, attr);
	size_t n = 0;

	STAILQ_FOREACH(line, lines, next) {
		readable = readable && outline_is(line, "edit") && n < VALUE_ITEMS_MAX &&
			   object_key_parse(child, line->words.w[1], &keys[n], NULL) == 0;
		if (!readable)
			break;
		n++;
	}
	qsort(keys, n, sizeof(*keys), compare_key);
	for (size_t i = 0; i < n; i++) {
		readable = readable && (i + 1 == n || strcmp(keys[i], keys[i + 1]) != 0);
		free(keys[i]);
	}
	free(keys);
	return readable;
}

static int take_entry(const struct taker *t, struct object *obj, unsigned int attr,
		      struct outline_line *line, bool stored) {
	struct object *entry;
	char *key;
	int rc = object_key_parse(obj->table->attrs[attr].child, line->words.w[1], &key, t->err);

	if (rc)
		return rc;
	entry = object_new(obj->table->attrs[attr].child, key);
	object_child_put(obj, attr, entry);
	free(key);
	return take_lines(t, entry, &line->lines, stored);
}

static int take_block(const struct taker *t, struct object *obj, struct outline_line *line,
		      bool stored) {
	int attr = attr_of(obj, line), rc = 0;
	struct outline_line *first = STAILQ_FIRST(&line->lines), *nested;

	if (attr < 0 || obj->table->attrs[attr].type != ATTR_CHILD ||
	    (!stored && !object_has(obj, (unsigned int)attr)))
		return 0;
	if (!schema_is_list(obj->table->attrs[attr].child)) {
		if (first && outline_is(first, "edit"))
			return 0;
		line->taken = true;
		return take_lines(t, object_child_make(obj, (unsigned int)attr), &line->lines,
				  stored);
	}
	if (!is_readable_list(obj, (unsigned int)attr, &line->lines))
		return 0;
	line->taken = true;
	for (nested = first; nested && rc == 0; nested = STAILQ_NEXT(nested, next))
		rc = take_entry(t, obj, (unsigned int)attr, nested, stored);
	return rc;
}

/* ---- what is left ---- */

/* A value may have come whose attribute does not exist beside the others; others depend on it. */
static void release_void(struct object *obj, struct outline_lines *lines) {
	struct outline_line *line;
	bool again;

	do {
		again = false;
		STAILQ_FOREACH(line, lines, next) {
			int attr = line->taken ? attr_of(obj, line) : -1;

			if (attr < 0 || object_has(obj, (unsigned int)attr))
				continue;
			object_unset(obj, (unsigned int)attr);
			line->taken = false;
			again = true;
		}
	} while (again);
}

static int seal_line(void *arg, struct outline_line *line, struct err *err) {
	const struct keyring *k = arg;
	AUTO_FREE char *sealed = NULL;

	if (line->words.n == 4)
		return 0;
	sealed = k ? secret_seal_same(k, line->words.w[2]) : NULL;
	if (!sealed || strlen(sealed) > VALUE_SECRET_MAX)
		return err_set(err, ERR_LENGTH, "a secret of %s cannot be kept", line->words.w[1]);
	outline_set_words(line, "ENC", sealed + 4);
	return 0;
}

int unknown_seal(const struct keyring *k, struct outline *o, struct err *err) {
	return outline_each_secret(o, seal_line, (void *)k, err);
}

/* Move the lines that are not taken from one list to another. */
static void move_left(struct outline_lines *from, struct outline_lines *to) {
	struct outline_lines taken = STAILQ_HEAD_INITIALIZER(taken);
	struct outline_line *line;

	while ((line = STAILQ_FIRST(from)) != NULL) {
		STAILQ_REMOVE_HEAD(from, next);
		if (line->taken)
			STAILQ_INSERT_TAIL(&taken, line, next);
		else
			STAILQ_INSERT_TAIL(to, line, next);
	}
	STAILQ_CONCAT(from, &taken);
}

/* Add lines to the unknown text of obj; takes what is not taken of them. */
static int keep_left(const struct taker *t, struct object *obj, struct outline_lines *lines) {
	AUTO_OUTLINE struct outline left = { 0 };
	AUTO_STR struct str text = STR_INIT;
	int rc = outline_parse(&left, obj->unknown ? obj->unknown : "", t->err);

	move_left(lines, &left.lines);
	if (rc == 0)
		rc = unknown_seal(t->keyring, &left, t->err);
	if (rc)
		return rc;
	outline_sort(&left);
	outline_print(&left, &text);
	free(obj->unknown);
	obj->unknown = text.len ? str_steal(&text) : NULL;
	return 0;
}

static bool any_left(const struct outline_lines *lines) {
	const struct outline_line *line;

	STAILQ_FOREACH(line, lines, next)
		if (!line->taken)
			return true;
	return false;
}

/* Values first: what blocks there are depends on them. */
static int take_unstored(const struct taker *t, struct object *obj, struct outline_lines *lines) {
	struct outline_line *line;
	int rc = 0;

	STAILQ_FOREACH(line, lines, next) {
		if (outline_is(line, "set") || outline_is(line, "secret"))
			line->taken = take_value(t, obj, line);
		else if (!outline_is(line, "config"))
			return err_set(t->err, ERR_PARSE, "not a line of a member: %s",
				       line->words.w[0]);
	}
	release_void(obj, lines);
	STAILQ_FOREACH(line, lines, next)
		if (rc == 0 && outline_is(line, "config"))
			rc = take_block(t, obj, line, false);
	if (rc)
		return rc;
	return any_left(lines) ? keep_left(t, obj, lines) : 0;
}

/*
 * A stored line as `show` has it. A secret of an attribute that only the release knew which stored
 * it is to be told from other texts from now on.
 */
static void take_shown(struct object *obj, struct outline_line *line) {
	int attr = attr_of(obj, line);
	const struct words *words = &line->words;
	struct value v;

	if (attr >= 0 && obj->table->attrs[attr].type != ATTR_CHILD &&
	    value_parse(&obj->table->attrs[attr], words->w + 2, words->n - 2, &v, NULL) == 0) {
		object_set(obj, (unsigned int)attr, v);
		line->taken = true;
	} else if (words->n == 4 && strcmp(words->w[2], "ENC") == 0 && !words->quoted[2]) {
		free(words->w[0]);
		words->w[0] = xstrdup("secret");
	}
}

static int take_lines(const struct taker *t, struct object *obj, struct outline_lines *lines,
		      bool stored) {
	struct outline_line *line;
	int rc = 0;

	if (!stored)
		return take_unstored(t, obj, lines);
	STAILQ_FOREACH(line, lines, next) {
		if (outline_is(line, "set"))
			take_shown(obj, line);
		else if (outline_is(line, "secret"))
			line->taken = take_value(t, obj, line);
		else if (outline_is(line, "config"))
			rc = take_block(t, obj, line, true);
		else
			line->taken = true;
		if (rc)
			return rc;
	}
	STAILQ_FOREACH(line, lines, next)
		if (outline_is(line, "kept") && (rc = take_unstored(t, obj, &line->lines)) != 0)
			return rc;
	return any_left(lines) ? keep_left(t, obj, lines) : 0;
}

int unknown_take(const struct keyring *k, struct object *obj, struct outline *o, struct err *err) {
	struct taker t = { k, err };

	return take_lines(&t, obj, &o->lines, false);
}

int unknown_parse(struct object *obj, const char *body, struct err *err) {
	AUTO_OUTLINE struct outline o = { 0 };
	struct taker t = { NULL, err };
	struct object *strict = object_new(obj->table, obj->key);
	int rc = text_parse(strict, body, NULL);

	if (rc == 0) {
		/* nearly always */
		obj->fields = strict->fields;
		obj->n_fields = strict->n_fields;
		strict->fields = NULL;
		strict->n_fields = 0;
	} else {
		rc = text_fits(obj, strlen(body), err);
		rc = rc ? rc : outline_parse(&o, body, err);
		rc = rc ? rc : take_lines(&t, obj, &o.lines, true);
	}
	object_free(strict);
	return rc;
}

/* ---- what an administrator leaves ---- */

/* Nobody has seen these lines, except that he set the attribute anew. */
static void drop_set(const struct object *obj, struct outline *o) {
	struct outline_line *line;

	STAILQ_FOREACH(line, &o->lines, next) {
		int attr = attr_of(obj, line);

		line->taken = attr >= 0 && object_get(obj, (unsigned int)attr);
	}
}

static void keep_own(struct object *obj, const char *unknown) {
	AUTO_OUTLINE struct outline o = { 0 }, left = { 0 };
	struct taker t = { 0 };

	if (outline_parse(&o, unknown, NULL) != 0 || outline_parse(&left, "", NULL) != 0)
		return;
	drop_set(obj, &o);
	free(obj->unknown);
	obj->unknown = NULL;
	move_left(&o.lines, &left.lines);
	take_lines(&t, obj, &left.lines, false);
}

static void keep(struct object *obj, const struct object *before);

static void keep_children(struct object *obj, unsigned int attr, const struct value *before) {
	bool is_list = schema_is_list(obj->table->attrs[attr].child);

	for (uint32_t i = 0; i < before->n; i++) {
		const struct object *was = value_item(before, i)->entry;
		struct object *now = NULL;

		if (!unknown_in_object(was) || !object_has(obj, attr))
			continue;
		now = is_list ? object_child(obj, attr, was->key) : object_child_make(obj, attr);
		if (now)
			keep(now, was);
	}
}

static void keep(struct object *obj, const struct object *before) {
	const char *unknown = obj->unknown ? obj->unknown : before->unknown;
	AUTO_FREE char *copy = unknown ? xstrdup(unknown) : NULL;

	if (copy)
		keep_own(obj, copy);
	for (uint32_t i = 0; i < before->n_fields; i++)
		if (obj->table->attrs[before->fields[i].attr].type == ATTR_CHILD)
			keep_children(obj, before->fields[i].attr, &before->fields[i].value);
}

void unknown_keep(struct object *obj, const struct object *before) {
	if (!before || !unknown_in_object(before))
		return;
	keep(obj, before);
	object_normalize(obj);
}

bool unknown_in_object(const struct object *obj) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct field *field = &obj->fields[f];

		if (obj->table->attrs[field->attr].type != ATTR_CHILD)
			continue;
		for (uint32_t i = 0; i < field->value.n; i++)
			if (unknown_in_object(value_item(&field->value, i)->entry))
				return true;
	}
	return obj->unknown != NULL;
}
