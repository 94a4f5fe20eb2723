/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of a configuration are a mapping by path; a list is a sequence of mappings with one
 * member, the key:
 *
 *     firewall_address:
 *       - "web":
 *           subnet: "192.0.2.0 255.255.255.0"
 *
 * Values are what stands after `set`: numbers bare, all else in quotes, so that no word is taken
 * for something it is not; lists in brackets.
 */
#include "cli/yaml.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"

#define INDENT 2

static void yaml_text(const char *text, struct str *out) {
	str_add_char(out, '"');
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '\n')
			str_add(out, "\\n");
		else if (*p == '"' || *p == '\\')
			str_addf(out, "\\%c", *p);
		else if (*p < 32 || *p == 127)
			str_addf(out, "\\x%02x", *p);
		else
			str_add_char(out, (char)*p);
	}
	str_add_char(out, '"');
}

/* A number of the schema has no leading zeros and is one to YAML as well. */
static bool is_number(const struct schema_attr *a, const char *word) {
	return a->type == ATTR_INTEGER && strspn(word, "0123456789") == strlen(word);
}

static void yaml_word(const struct schema_attr *a, const char *word, struct str *out) {
	if (is_number(a, word))
		str_add(out, word);
	else
		yaml_text(word, out);
}

/* The words after `set`; those of one address and mask are one text. */
static void yaml_value(const struct schema_attr *a, const struct value *v, struct str *out) {
	AUTO_STR struct str text = STR_INIT, joined = STR_INIT;
	AUTO_WORDS struct words words = { 0 };

	value_print(a, v, VALUE_SHOW, &text);
	lex_words(str_text(&text), &words, NULL);
	if (a->flags & ATTR_MULTI) {
		size_t each = v->n > 0 && words.n % v->n == 0 ? words.n / v->n : 1;

		str_add_char(out, '[');
		for (size_t i = 0; i < words.n; i++) {
			str_addf(&joined, "%s%s", joined.len ? " " : "", words.w[i]);
			if ((i + 1) % each != 0)
				continue;
			str_add(out, i >= each ? ", " : "");
			yaml_word(a, str_text(&joined), out);
			str_clear(&joined);
		}
		str_add_char(out, ']');
		return;
	}
	for (size_t i = 0; i < words.n; i++)
		str_addf(&joined, "%s%s", i ? " " : "", words.w[i]);
	yaml_word(a, str_text(&joined), out);
}

static void yaml_body(const struct object *obj, size_t indent, struct str *out);

static void yaml_entry(const struct object *obj, size_t indent, struct str *out) {
	size_t start;

	str_add_blanks(out, indent);
	str_add(out, "- ");
	yaml_text(obj->key, out);
	start = out->len;
	str_add(out, ":\n");
	yaml_body(obj, indent + 2 * INDENT, out);
	if (out->len == start + 2) { /* nothing is set: an empty mapping must be said */
		out->len = start;
		str_add(out, ": {}\n");
	}
}

static void yaml_child(const struct schema_attr *a, const struct value *v, size_t indent,
		       struct str *out) {
	AUTO_STR struct str body = STR_INIT;

	for (uint32_t i = 0; i < v->n; i++) {
		const struct object *entry = value_item(v, i)->entry;

		if (schema_is_list(a->child))
			yaml_entry(entry, indent + INDENT, &body);
		else
			yaml_body(entry, indent + INDENT, &body);
	}
	if (body.len == 0)
		return;
	str_add_blanks(out, indent);
	str_addf(out, "%s:\n", a->name);
	str_add_bytes(out, str_text(&body), body.len);
}

static void yaml_body(const struct object *obj, size_t indent, struct str *out) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		const struct value *v = object_get(obj, i);

		if ((a->flags & ATTR_KEY) || !v || !object_has(obj, i))
			continue;
		if (a->type == ATTR_CHILD) {
			yaml_child(a, v, indent, out);
			continue;
		}
		str_add_blanks(out, indent);
		str_addf(out, "%s: ", a->name);
		yaml_value(a, v, out);
		str_add_char(out, '\n');
	}
}

void yaml_table(const struct schema_table *table, struct str *out) {
	for (const char *p = table->path; *p; p++)
		str_add_char(out, *p == ' ' ? '_' : *p);
	str_add(out, ":\n");
}

void yaml_object(const struct object *obj, struct str *out) {
	if (schema_is_list(obj->table))
		yaml_entry(obj, INDENT, out);
	else
		yaml_body(obj, INDENT, out);
}
