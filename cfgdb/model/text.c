/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Printing walks the schema in its order and asks the object for each attribute; reading runs the
 * same six verbs (set, unset, config, edit, next, end) with exact names. What is printed reads back
 * to an equal object:
 *
 *     set srcintf "port1"
 *     config cluster-peer
 *         edit 1
 *             set peerip 172.16.136.70
 *         next
 *     end
 */
#include "cfgdb/model/text.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"

#define INDENT 4
#define TEXT_DEPTH_MAX 8
#define TEXT_UNKNOWN (TEXT_KEPT | TEXT_MEMBER)

/* ---- printing ---- */

static enum value_style text_style(unsigned int flags) {
	return flags & TEXT_WIRE ? VALUE_WIRE : VALUE_SHOW;
}

static void text_value_line(const struct object *obj, unsigned int attr, const struct value *v,
			    unsigned int indent, unsigned int flags, struct str *out) {
	const struct schema_attr *a = &obj->table->attrs[attr];

	str_add_blanks(out, (size_t)indent * INDENT);
	if (!v) {
		str_addf(out, "unset %s\n", a->name);
		return;
	}
	str_addf(out, "%s %s ", flags & TEXT_MEMBER && schema_is_secret(a) ? "secret" : "set",
		 a->name);
	value_print(a, v, text_style(flags), out);
	str_add_char(out, '\n');
}

static void text_child(const struct object *obj, unsigned int attr, unsigned int indent,
		       unsigned int flags, struct str *out) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *v = object_get(obj, attr);

	if (v && !schema_is_list(a->child) && !(flags & TEXT_UNKNOWN) &&
	    value_item(v, 0)->entry->n_fields == 0)
		v = NULL;
	if (!v && (!(flags & TEXT_FULL) || schema_is_list(a->child)))
		return;
	if (v && (flags & TEXT_NO_LOCAL) && !schema_is_list(a->child) &&
	    object_is_local(value_item(v, 0)->entry))
		return;
	str_add_blanks(out, (size_t)indent * INDENT);
	str_addf(out, "config %s\n", a->name);
	if (!v) {
		struct object *empty = object_new(a->child, "");

		text_body(empty, indent + 1, flags, out);
		object_free(empty);
	}
	for (uint32_t i = 0; v && i < v->n; i++) {
		if (schema_is_list(a->child))
			text_entry(value_item(v, i)->entry, indent + 1, flags, out);
		else
			text_body(value_item(v, i)->entry, indent + 1, flags, out);
	}
	str_add_blanks(out, (size_t)indent * INDENT);
	str_add(out, "end\n");
}

bool text_wants(const struct object *obj, unsigned int attr, unsigned int flags,
		const struct value **ret) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	bool always = (a->flags & ATTR_ALWAYS) && !(flags & TEXT_MEMBER);

	*ret = object_get(obj, attr);
	if (!*ret && !(flags & TEXT_FULL) && !always)
		return false;
	if (!object_has(obj, attr))
		return false;
	if (!*ret)
		*ret = value_default_at(obj->table, attr);
	return *ret ||
	       (a->type != ATTR_UUID && !schema_is_secret(a) && !(a->flags & ATTR_MULTI));
}

static void text_unknown(const struct object *obj, unsigned int flags, struct str *out) {
	if (!obj->unknown || !(flags & TEXT_UNKNOWN))
		return;
	if (flags & TEXT_KEPT)
		str_add(out, "kept\n");
	str_add(out, obj->unknown);
	if (flags & TEXT_KEPT)
		str_add(out, "end\n");
}

void text_attr(const struct object *obj, unsigned int attr, unsigned int indent, unsigned int flags,
	       struct str *out) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *v;

	if ((a->flags & ATTR_KEY) || ((flags & TEXT_NO_LOCAL) && schema_is_local(a)))
		return;
	if (a->type == ATTR_CHILD) {
		if (object_has(obj, attr))
			text_child(obj, attr, indent, flags, out);
	} else if (text_wants(obj, attr, flags, &v)) {
		text_value_line(obj, attr, v, indent, flags, out);
	}
}

void text_body(const struct object *obj, unsigned int indent, unsigned int flags, struct str *out) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++)
		text_attr(obj, i, indent, flags, out);
	text_unknown(obj, flags, out);
}

void text_edit_line(const struct object *obj, unsigned int indent, struct str *out) {
	str_add_blanks(out, (size_t)indent * INDENT);
	str_add(out, "edit ");
	if (obj->table->attrs[0].type == ATTR_INTEGER)
		str_add(out, obj->key);
	else
		value_quote(obj->key, out);
	str_add_char(out, '\n');
}

void text_entry(const struct object *obj, unsigned int indent, unsigned int flags,
		struct str *out) {
	text_edit_line(obj, indent, out);
	text_body(obj, indent + 1, flags, out);
	str_add_blanks(out, (size_t)indent * INDENT);
	str_add(out, "next\n");
}

/* One line is one line: what follows a newline in a text would pass for an attribute. */
static void text_get_value(const struct schema_attr *a, const struct value *v, struct str *out) {
	AUTO_STR struct str text = STR_INIT;

	value_print(a, v, VALUE_GET, &text);
	for (const char *p = str_text(&text); *p; p++) {
		if (*p == '\n')
			str_add(out, "\\n");
		else
			str_add_char(out, *p);
	}
}

static void text_get_line(const struct schema_attr *a, const struct value *v, unsigned int indent,
			  struct str *out) {
	str_add_blanks(out, (size_t)indent * INDENT);
	str_addf(out, "%-20s: ", a->name);
	if (v)
		text_get_value(a, v, out);
	str_add(out, a->type == ATTR_OPTION ? " \n" : "\n");
}

static void text_get_body(const struct object *obj, unsigned int indent, struct str *out);

static void text_get_child(const struct schema_attr *a, const struct value *v, unsigned int indent,
			   struct str *out) {
	str_add_blanks(out, (size_t)indent * INDENT);
	str_addf(out, "%s:\n", a->name);
	for (uint32_t n = 0; v && n < v->n; n++) {
		if (schema_is_list(a->child))
			str_addf(out, "%*s== [ %s ]\n", (int)(indent + 1) * INDENT, "",
				 value_item(v, n)->entry->key);
		text_get_body(value_item(v, n)->entry, indent + 1, out);
	}
}

static void text_get_indented(const struct object *obj, unsigned int attr, unsigned int indent,
			      struct str *out) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *v = object_value(obj, attr);

	if (!object_has(obj, attr))
		return;
	if (a->flags & ATTR_KEY) {
		str_add_blanks(out, (size_t)indent * INDENT);
		str_addf(out, "%-20s: %s\n", a->name, obj->key);
	} else if (a->type != ATTR_CHILD) {
		text_get_line(a, v, indent, out);
	} else {
		text_get_child(a, v, indent, out);
	}
}

static void text_get_body(const struct object *obj, unsigned int indent, struct str *out) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++)
		text_get_indented(obj, i, indent, out);
}

void text_get_attr(const struct object *obj, unsigned int attr, struct str *out) {
	text_get_indented(obj, attr, 0, out);
}

void text_get(const struct object *obj, struct str *out) {
	text_get_body(obj, 0, out);
}

static void text_get_pair(const struct schema_attr *a, const struct value *v, struct str *out) {
	str_addf(out, "   %s: ", a->name);
	if (v)
		text_get_value(a, v, out);
	if (a->type == ATTR_OPTION)
		str_add_char(out, ' ');
}

/* What the schema lists for the table; false when that is nothing. */
static bool text_get_listed(const struct object *obj, struct str *out) {
	bool any = false;

	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];

		if (!(a->flags & ATTR_LISTED))
			continue;
		any = true;
		if (object_has(obj, i))
			text_get_pair(a, object_value(obj, i), out);
	}
	return any;
}

void text_get_entry(const struct object *obj, struct str *out) {
	str_addf(out, "== [ %s ]\n%s: %s", obj->key, obj->table->attrs[0].name, obj->key);
	if (!text_get_listed(obj, out))
		for (uint32_t f = 0; f < obj->n_fields; f++) {
			const struct schema_attr *a = &obj->table->attrs[obj->fields[f].attr];

			if (a->type != ATTR_CHILD)
				text_get_pair(a, &obj->fields[f].value, out);
		}
	str_add(out, "   \n");
}

/* ---- reading ---- */

/* What a `config` or `edit` opened: an object whose attributes may be set, or a list in it. */
struct frame {
	struct object *obj;
	int list;          /* attribute of obj: the child list that is open, or -1 */
};

struct reader {
	struct frame stack[TEXT_DEPTH_MAX];
	unsigned int depth;
	unsigned int line;
	struct err *err;
};

static int reader_fail(struct reader *r, const char *word) {
	return err_set(r->err, ERR_PARSE, "line %u: command parse error before '%.200s'", r->line,
		       word);
}

static int reader_push(struct reader *r, struct object *obj, int list, const char *word) {
	if (r->depth + 1 >= TEXT_DEPTH_MAX)
		return reader_fail(r, word);
	r->stack[++r->depth] = (struct frame){ obj, list };
	return 0;
}

static int reader_set(struct reader *r, struct frame *top, const struct words *words) {
	const struct schema_attr *a;
	struct value v;
	int attr, rc;

	if (top->list >= 0 || words->n < 2)
		return reader_fail(r, words->w[0]);
	attr = schema_attr_index(top->obj->table, words->w[1]);
	if (attr < 0)
		return reader_fail(r, words->w[1]);
	a = &top->obj->table->attrs[attr];
	if (a->type == ATTR_CHILD || (a->flags & ATTR_KEY))
		return reader_fail(r, words->w[1]);
	rc = value_parse(a, words->w + 2, words->n - 2, &v, r->err);
	if (rc)
		err_prefix(r->err, "line %u: %s", r->line, a->name);
	else
		object_set(top->obj, (unsigned int)attr, v);
	return rc;
}

static int reader_unset(struct reader *r, struct frame *top, const struct words *words) {
	int attr;

	if (top->list >= 0 || words->n != 2)
		return reader_fail(r, words->w[0]);
	attr = schema_attr_index(top->obj->table, words->w[1]);
	if (attr < 0 || (top->obj->table->attrs[attr].flags & ATTR_KEY))
		return reader_fail(r, words->w[1]);
	object_unset(top->obj, (unsigned int)attr);
	return 0;
}

static int reader_config(struct reader *r, struct frame *top, const struct words *words) {
	const struct schema_attr *a;
	int attr;

	if (top->list >= 0 || words->n != 2)
		return reader_fail(r, words->w[0]);
	attr = schema_attr_index(top->obj->table, words->w[1]);
	if (attr < 0)
		return reader_fail(r, words->w[1]);
	a = &top->obj->table->attrs[attr];
	if (a->type != ATTR_CHILD)
		return reader_fail(r, words->w[1]);
	if (schema_is_list(a->child))
		return reader_push(r, top->obj, attr, words->w[1]);
	return reader_push(r, object_child_make(top->obj, (unsigned int)attr), -1, words->w[1]);
}

static int reader_edit(struct reader *r, struct frame *top, const struct words *words) {
	const struct schema_table *child;
	struct value *list;
	struct object *entry;
	char *key;
	int rc;

	if (top->list < 0 || words->n != 2)
		return reader_fail(r, words->w[0]);
	child = top->obj->table->attrs[top->list].child;
	rc = object_key_parse(child, words->w[1], &key, r->err);
	if (rc)
		return rc;
	entry = object_child(top->obj, (unsigned int)top->list, key);
	list = object_get_mutable(top->obj, (unsigned int)top->list);
	if (!entry && list && list->n >= VALUE_ITEMS_MAX) {
		free(key);
		return err_set(r->err, ERR_MAX_ENTRIES,
			       "object set operator error, -4 discard the setting");
	}
	if (!entry) {
		entry = object_new(child, key);
		if (list) /* known not to be there: no second search */
			value_add_item(list, (union item){ .entry = entry });
		else
			object_child_put(top->obj, (unsigned int)top->list, entry);
	}
	free(key);
	return reader_push(r, entry, -1, words->w[1]);
}

static int reader_line(struct reader *r, const struct words *words) {
	struct frame *top = &r->stack[r->depth];
	const char *verb = words->w[0];
	bool in_entry = r->depth > 0 && r->stack[r->depth - 1].list >= 0;

	if (strcmp(verb, "set") == 0)
		return reader_set(r, top, words);
	if (strcmp(verb, "unset") == 0)
		return reader_unset(r, top, words);
	if (strcmp(verb, "config") == 0)
		return reader_config(r, top, words);
	if (strcmp(verb, "edit") == 0)
		return reader_edit(r, top, words);
	if (strcmp(verb, "next") == 0 && words->n == 1 && in_entry && top->list < 0) {
		r->depth--;
		return 0;
	}
	if (strcmp(verb, "end") == 0 && words->n == 1 && r->depth > 0 &&
	    !(in_entry && top->list < 0)) {
		r->depth--;
		return 0;
	}
	return reader_fail(r, verb);
}

/* One logical line of the text at *p, which moves past it; quoted values may span lines. */
static int reader_take(struct reader *r, char **p, struct words *words) {
	char *start = *p;
	bool open;
	char *end = start + (lex_line_end(start, &open) - start);

	r->line++;
	if (open)
		return err_set(r->err, ERR_PARSE, "line %u: Unmatched double quote.", r->line);
	*p = *end ? end + 1 : end;
	*end = '\0';
	if (lex_words(start, words, r->err) != LEX_OK)
		return r->err ? r->err->code : ERR_PARSE;
	for (; start < end; start++)
		r->line += *start == '\n';
	return 0;
}

static int text_refuse_size(struct err *err) {
	return err_set(err, ERR_TOO_LONG, "object is too large: at most %u bytes", TEXT_BODY_MAX);
}

int text_fits(const struct object *obj, size_t len, struct err *err) {
	AUTO_STR struct str body = STR_INIT;

	if (len > TEXT_BODY_MAX)
		return text_refuse_size(err);
	if (len < TEXT_BODY_MAX / 32)
		return 0;
	text_body(obj, 0, TEXT_WIRE | TEXT_KEPT, &body);
	return body.len > TEXT_BODY_MAX ? text_refuse_size(err) : 0;
}

int text_parse(struct object *obj, const char *body, struct err *err) {
	struct reader r = { .stack = { { obj, -1 } }, .err = err };
	AUTO_FREE char *copy = NULL;
	size_t len = strlen(body);
	int rc = 0;

	if (len > TEXT_BODY_MAX)
		return text_refuse_size(err);
	copy = xstrdup(body);
	for (char *p = copy; rc == 0 && *p;) {
		AUTO_WORDS struct words words = { 0 };

		rc = reader_take(&r, &p, &words);
		if (rc == 0 && words.n > 0)
			rc = reader_line(&r, &words);
	}
	explicit_bzero(copy, strlen(body));
	if (rc == 0 && r.depth > 0)
		rc = err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
	return rc ? rc : text_fits(obj, len, err);
}
