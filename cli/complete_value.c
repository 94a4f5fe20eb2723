/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is to know of an attribute while its value is typed. The first line has its name and
 * says what can be typed, or what it means when the values are listed below; lines in angle
 * brackets follow: what it means, what it is now, what it is when nobody sets it. Then come the
 * values that can be listed: options with their meaning, names of what the configuration has.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/completer.h"

#define SHOWN_MAX 160 /* bytes of a value that is told */

/* ---- attributes ---- */

static char *attr_meaning(const struct schema_table *table, const struct schema_attr *a) {
	bool stored = schema_is_stored(a) || schema_is_stored_table(table);

	return xasprintf("%s%s", a->help, stored ? " (not enforced)" : "");
}

void complete_value_attrs(struct completer *k, const struct object *obj, enum command_args kind) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		AUTO_FREE char *help = attr_meaning(obj->table, a);

		if (grammar_attr_fits(obj, i, kind))
			completer_add(k->c, a->name, help, a->flags & ATTR_REQUIRED);
	}
}

/* ---- what can be typed ---- */

/* By type, for the first and the second word. */
static const char *const type_hints[ATTR_TYPE_COUNT][2] = {
	[ATTR_FQDN] = { "Enter a domain name" },
	[ATTR_IPV4] = { "Enter an IPv4 address" },
	[ATTR_IPV4_HOST] = { "Enter an IPv4 address and a mask, or ADDRESS/LENGTH",
			     "Enter the mask" },
	[ATTR_IPV4_NET] = { "Enter an IPv4 network and a mask, or NETWORK/LENGTH",
			    "Enter the mask" },
	[ATTR_IPV4_RANGE] = { "Enter an IPv4 address, or a range FIRST-LAST" },
	[ATTR_IPV6] = { "Enter an IPv6 address" },
	[ATTR_IPV6_PREFIX] = { "Enter an IPv6 network as NETWORK/LENGTH" },
	[ATTR_PORT_RANGE] = { "Enter a port, or a range FIRST-LAST" },
	[ATTR_SERVICE_PORTS] = { "Enter server ports, as 80 or 8000-8010; client ports after a "
				 "colon, as 53:1024-65535" },
	[ATTR_MAC] = { "Enter a MAC address" },
	[ATTR_UUID] = { "Enter a UUID" },
	[ATTR_TIME] = { "Enter a time as HH:MM" },
	[ATTR_DATETIME] = { "Enter a time and a date as HH:MM YYYY/MM/DD",
			    "Enter the date as YYYY/MM/DD" },
	[ATTR_PASSWORD] = { "Enter the secret", "Enter the sealed text, as this unit shows it" },
	[ATTR_PASSWORD_HASH] = { "Enter the password",
				 "Enter the sealed text, as this unit shows it" },
};

/* Whether the value is one or two words: a mask may be one by itself, a sealed text follows ENC. */
static unsigned int attr_words(const struct schema_attr *a, char *const *values, size_t n) {
	if (a->type == ATTR_DATETIME)
		return 2;
	if (schema_is_secret(a))
		return n > 0 && strcmp(values[0], "ENC") == 0 ? 2 : 1;
	if (a->type != ATTR_IPV4_HOST && a->type != ATTR_IPV4_NET)
		return 1;
	return n > 0 && strchr(values[n - 1 - (n - 1) % 2], '/') ? 1 : 2;
}

/* What can be typed in place of word number i (from 0); NULL: what is listed. */
static char *value_hint(const struct schema_attr *a, unsigned int i) {
	if (a->type == ATTR_INTEGER)
		return xasprintf("Enter an integer value from <%lld> to <%lld>", (long long)a->min,
				 (long long)a->max);
	if (a->type == ATTR_STRING && a->max > 0 && a->n_options == 0)
		return xasprintf("Enter a string of at most <%lld> bytes", (long long)a->max);
	if (a->type == ATTR_PASSWORD && a->min > 0 && i == 0)
		return xasprintf("%s (at least <%lld> bytes are advised)", type_hints[a->type][0],
				 (long long)a->min);
	return type_hints[a->type][i] ? xstrdup(type_hints[a->type][i]) : NULL;
}

/* The value as it would be typed, or the beginning of it. */
static char *value_shown(const struct schema_attr *a, const struct value *v) {
	enum value_style style = schema_is_secret(a) ? VALUE_GET : VALUE_SHOW;
	AUTO_STR struct str text = STR_INIT;

	value_print(a, v, style, &text);
	for (size_t i = 0; i < text.len; i++)
		if (text.data[i] == '\n')
			text.data[i] = ' ';
	if (text.len <= SHOWN_MAX)
		return str_steal(&text);
	text.len = SHOWN_MAX;
	while (text.len > 0 && ((unsigned char)text.data[text.len] & 0xc0) == 0x80)
		text.len--;
	text.data[text.len] = '\0';
	str_add(&text, v->n > 1 ? " ..." : "...");
	if (v->n > 1)
		str_addf(&text, " (%u values)", v->n);
	return str_steal(&text);
}

static void note_value(struct completion *c, const char *word, const struct schema_attr *a,
		       const struct value *v) {
	char *text = v ? value_shown(a, v) : NULL;

	if (text && *text && strcmp(text, "''") != 0)
		completer_note(c, word, false, text);
	else
		free(text);
}

/* Line by line what is said of an attribute; of its present value only before one is typed. */
static void note_attr(struct completer *k, const struct object *obj, unsigned int attr,
		      unsigned int word) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	bool required = a->flags & ATTR_REQUIRED;
	char *hint = value_hint(a, word);

	completer_note(k->c, a->name, required, hint ? hint : attr_meaning(obj->table, a));
	if (*k->c->prefix || k->argc > 1)
		return;
	if (hint)
		completer_note(k->c, "<meaning>", false, attr_meaning(obj->table, a));
	note_value(k->c, "<current>", a, object_value(obj, attr));
	note_value(k->c, "<default>", a, value_default_at(obj->table, attr));
}

/* Say of an attribute that the object does not have what it would take; nothing else follows. */
static void note_absent(struct completer *k, const struct object *obj) {
	int attr = schema_attr_index(obj->table, k->argv[0]);
	const struct schema_attr *a = &obj->table->attrs[attr < 0 ? 0 : attr];
	AUTO_STR struct str text = STR_INIT;

	if (attr < 0 || object_has(obj, (unsigned int)attr) || k->argc > 1)
		return;
	for (uint16_t i = 0; i < a->n_conds; i++) {
		const struct schema_cond *cond = &a->conds[i];

		str_addf(&text, "%s%s is ", i ? ", and " : "Exists only if ",
			 obj->table->attrs[cond->attr].name);
		for (const char *p = strcmp(cond->words, "*") ? cond->words : "set"; *p; p++) {
			if (*p == '|')
				str_add(&text, " or ");
			else
				str_add_char(&text, *p);
		}
	}
	completer_note(k->c, a->name, false, str_steal(&text));
}

void complete_value_key(struct completer *k, const struct schema_table *table) {
	const struct schema_attr *a = &table->attrs[0];
	char *hint = value_hint(a, 0);

	completer_note(k->c, a->name, false, hint ? hint : xstrdup(a->help));
	if (*k->c->prefix)
		return;
	if (hint)
		completer_note(k->c, "<meaning>", false, xstrdup(a->help));
	if (table->max_entries)
		completer_note(k->c, "<limit>", false,
			       xasprintf("At most %u entries", table->max_entries));
}

/* ---- what can be listed ---- */

/* An entry does not name itself. */
static void list_refs(struct completer *k, const struct object *obj, const struct schema_attr *a) {
	if (a->flags & ATTR_ANY)
		completer_add(k->c, "any", "every interface", false);
	for (uint16_t i = 0; i < a->n_refs; i++) {
		const struct schema_table *table = schema_table(a->refs[i]);

		completer_keys(k, table, completer_noun(table),
			       table == obj->table ? obj->key : NULL);
	}
}

static void list_options(struct completer *k, const struct schema_attr *a) {
	for (uint16_t i = 0; i < a->n_options; i++) {
		const struct schema_option *o = &a->options[i];
		AUTO_FREE char *help = xasprintf("%s%s", o->help ? o->help : "",
						 o->stored ? " (not enforced)" : "");

		completer_add(k->c, o->name, help, false);
	}
}

static void list_held(struct completer *k, const struct object *obj, unsigned int attr) {
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *v = object_value(obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const union item *item = value_item(v, i);
		const struct value one = { .n = 1, .u = { .one = *item } };
		const char *help = a->type == ATTR_OPTION ? a->options[item->num].help : NULL;
		AUTO_STR struct str word = STR_INIT;

		value_print(a, &one, VALUE_GET, &word);
		if (strchr(str_text(&word), '\n'))
			continue; /* no word of one line */
		completer_add(k->c, str_text(&word), help ? help : "", false);
	}
}

void complete_value(struct completer *k, const struct object *obj, enum command_args kind) {
	struct err err;
	int attr = grammar_attr(obj, k->argv[0], kind, &err);
	size_t n = k->argc - 1;
	const struct schema_attr *a;
	unsigned int words;

	if (attr < 0) {
		note_absent(k, obj);
		return;
	}
	a = &obj->table->attrs[attr];
	words = attr_words(a, k->argv + 1, n);
	if (n >= words && !(a->flags & ATTR_MULTI))
		return;
	note_attr(k, obj, (unsigned int)attr, words == 2 && n % 2 == 1);
	if (kind == ARGS_HELD_VALUES)
		list_held(k, obj, (unsigned int)attr);
	else if (a->type == ATTR_REF)
		list_refs(k, obj, a);
	else
		list_options(k, a);
}

bool complete_value_whole(const struct completer *k, const struct object *obj,
			  enum command_args kind) {
	struct err err;
	int attr = k->argc > 1 ? grammar_attr(obj, k->argv[0], kind, &err) : -1;
	size_t n = k->argc - 1;

	return attr >= 0 && n % attr_words(&obj->table->attrs[attr], k->argv + 1, n) == 0;
}
