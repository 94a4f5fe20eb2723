/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words before the last one are matched as in a command that is carried out; the last one is a
 * prefix. What can follow comes from the command tree, the schema (paths, attributes, options) or
 * the configuration (keys of entries, names for references). What cannot be listed is described by
 * a hint: a range, a length, a form.
 */
#include "cli/complete.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/client.h"
#include "cfgdb/lex.h"
#include "cli/commands.h"
#include "cli/grammar.h"
#include "cli/locate.h"

/* What is being completed. */
struct completer {
	struct shell *sh;
	struct completion *c;
	char *const *argv; /* words after those of the command */
	size_t argc;
	const char *help; /* of the entries that are being listed */
};

void complete_done(struct completion *c) {
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].word);
		free(c->items[i].help);
	}
	free(c->items);
	free(c->hint.word);
	free(c->hint.help);
	free(c->prefix);
	*c = (struct completion){ 0 };
}

/* Add a word if it fits and is not there yet; false when there is no room for more. */
static bool complete_add(struct completion *c, const char *word, const char *help, bool required) {
	if (strncmp(word, c->prefix, strlen(c->prefix)) != 0)
		return true;
	if (c->n > 0 && strcmp(c->items[c->n - 1].word, word) == 0)
		return true;
	if (c->n >= COMPLETE_MAX) {
		c->more = true;
		return false;
	}
	if (c->n == c->size) {
		c->size = c->size ? c->size * 2 : 32;
		c->items = xreallocarray(c->items, c->size, sizeof(*c->items));
	}
	c->items[c->n++] = (struct candidate){ xstrdup(word), xstrdup(help), required };
	return true;
}

static void complete_hint(struct completion *c, const char *word, char *help) {
	free(c->hint.word);
	free(c->hint.help);
	c->hint = (struct candidate){ xstrdup(word), help, false };
}

/* ---- words of the grammar ---- */

static bool add_word(void *arg, const char *word, const char *help) {
	return !complete_add(arg, word, help, false);
}

static int compare_candidates(const void *a, const void *b) {
	return strcmp(((const struct candidate *)a)->word, ((const struct candidate *)b)->word);
}

/* Paths come in the order of tables and repeat their first words. */
static void complete_unique(struct completion *c) {
	size_t n = 0;

	qsort(c->items, c->n, sizeof(*c->items), compare_candidates);
	for (size_t i = 0; i < c->n; i++) {
		if (n > 0 && strcmp(c->items[n - 1].word, c->items[i].word) == 0) {
			free(c->items[i].word);
			free(c->items[i].help);
		} else {
			c->items[n++] = c->items[i];
		}
	}
	c->n = n;
}

static void complete_words(struct completion *c, const struct grammar *g) {
	grammar_words(g, add_word, c);
	if (g->in_path && c->n > 1)
		complete_unique(c);
}

/* ---- entries and references ---- */

static int add_key(void *arg, const char *key) {
	struct completer *k = arg;

	return !complete_add(k->c, key, k->help, false);
}

static void complete_keys(struct completer *k, const struct schema_table *table, const char *help) {
	struct err err;

	k->help = help;
	if (client_keys(k->sh->client, table, k->c->prefix, COMPLETE_MAX + 1, add_key, k, &err) ==
	    ERR_TIMEOUT)
		k->sh->lost = true;
}

static void complete_children(struct completer *k, const struct object *holder, unsigned int attr) {
	const struct value *v = object_get(holder, attr);

	for (uint32_t i = 0; v && i < v->n; i++)
		if (!complete_add(k->c, value_item(v, i)->entry->key, "", false))
			return;
}

static void complete_alias_keys(struct completer *k, const struct schema_alias *alias) {
	struct object *obj;
	struct err err;

	if (client_get(k->sh->client, schema_table(alias->table), "", &obj, &err))
		return;
	complete_children(k, obj, alias->attr);
	object_free(obj);
}

static void complete_entry(struct completer *k, const struct target *target) {
	struct list_ref list = { target->table, NULL, 0, false };

	if (k->argc > 0 || (!target->table && !context_list(&k->sh->context, &list)) ||
	    !schema_is_list(list.table))
		return;
	complete_hint(k->c, list.table->attrs[0].name, xstrdup(list.table->attrs[0].help));
	if (target->alias)
		complete_alias_keys(k, target->alias);
	else if (list.holder)
		complete_children(k, list.holder->obj, (unsigned int)list.attr);
	else
		complete_keys(k, list.table, "");
}

/* ---- attributes ---- */

static void complete_attrs(struct completer *k, const struct object *obj, enum command_args kind) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		bool stored = schema_is_stored(a) || schema_is_stored_table(obj->table);
		AUTO_FREE char *help = xasprintf("%s%s", a->help, stored ? " (not enforced)" : "");

		if (grammar_attr_fits(obj, i, kind))
			complete_add(k->c, a->name, help, a->flags & ATTR_REQUIRED);
	}
}

/* ---- the way further in ---- */

/* A copy of the entry of obj that the first argument names, or NULL. */
static struct object *within_entry(struct completer *k, const struct object *obj,
				   unsigned int attr) {
	const struct object *entry = locate_entry(obj, attr, k->argv[0]);

	return entry ? object_copy(entry) : NULL;
}

static struct object *within_table(struct completer *k, const struct schema_table *table,
				   const char *key) {
	struct object *obj;
	struct err err;

	return context_get(&k->sh->context, table, key, &obj, &err) ? NULL : obj;
}

/* The object in which the names begin, to be freed, and how many of them led to it; or NULL. */
static struct object *within_start(struct completer *k, const struct target *target,
				   size_t *used) {
	const struct level *top = context_top(&k->sh->context);
	struct list_ref list = { target->table, NULL, 0, false };
	struct object *obj, *entry;

	*used = 0;
	if (!target->table && top && top->obj)
		return context_copy(top);
	if (!target->table && !context_list(&k->sh->context, &list))
		return NULL;
	*used = schema_is_list(list.table);
	if (*used > k->argc)
		return NULL;
	if (list.holder)
		return within_entry(k, list.holder->obj, (unsigned int)list.attr);
	if (!target->alias)
		return within_table(k, list.table, *used ? k->argv[0] : "");
	obj = within_table(k, schema_table(target->alias->table), "");
	entry = obj ? within_entry(k, obj, target->alias->attr) : NULL;
	object_free(obj);
	return entry;
}

static void complete_within(struct completer *k, const struct target *target) {
	size_t used;
	struct object *obj = within_start(k, target, &used);
	struct location at;
	struct err err;

	if (!obj) {
		complete_entry(k, target);
		return;
	}
	if (locate(obj, k->argv + used, k->argc - used, &at, &err) == 0) {
		const struct object *holder = at.n ? at.way[at.n - 1].obj : NULL;

		if (at.obj)
			complete_attrs(k, at.obj, ARGS_WITHIN);
		else if (holder->table->attrs[at.way[at.n - 1].attr].child)
			complete_children(k, holder, at.way[at.n - 1].attr);
	}
	object_free(obj);
}

/* ---- values ---- */

static const char *const type_hints[ATTR_TYPE_COUNT] = {
	[ATTR_IPV4] = "Enter an IPv4 address",
	[ATTR_IPV4_HOST] = "Enter an IPv4 address and a mask, or ADDRESS/LENGTH",
	[ATTR_IPV4_NET] = "Enter an IPv4 network and a mask, or NETWORK/LENGTH",
	[ATTR_IPV4_RANGE] = "Enter an IPv4 address, or a range FIRST-LAST",
	[ATTR_IPV6] = "Enter an IPv6 address",
	[ATTR_IPV6_PREFIX] = "Enter an IPv6 network as NETWORK/LENGTH",
	[ATTR_PORT_RANGE] = "Enter a port, or a range FIRST-LAST",
	[ATTR_SERVICE_PORTS] =
		"Enter server ports, as 80 or 8000-8010; client ports after a colon, as "
		"53:1024-65535",
	[ATTR_MAC] = "Enter a MAC address",
	[ATTR_UUID] = "Enter a UUID",
	[ATTR_TIME] = "Enter a time as HH:MM",
	[ATTR_DATETIME] = "Enter a time and a date as HH:MM YYYY/MM/DD",
	[ATTR_PASSWORD] = "Enter the secret",
	[ATTR_PASSWORD_HASH] = "Enter the password",
};

static char *value_hint(const struct schema_attr *a) {
	if (a->type == ATTR_INTEGER)
		return xasprintf("Enter an integer value from <%lld> to <%lld>", (long long)a->min,
				 (long long)a->max);
	if (a->type == ATTR_STRING && a->max > 0 && a->n_options == 0)
		return xasprintf("%s Enter a string of at most <%lld> bytes", a->help,
				 (long long)a->max);
	return xstrdup(type_hints[a->type] ? type_hints[a->type] : a->help);
}

static void complete_refs(struct completer *k, const struct schema_attr *a) {
	if (a->flags & ATTR_ANY)
		complete_add(k->c, "any", "every interface", false);
	for (uint16_t i = 0; i < a->n_refs; i++) {
		const struct schema_table *table = schema_table(a->refs[i]);
		const char *last = strrchr(table->path, ' ');

		complete_keys(k, table, table->noun ? table->noun : last ? last + 1 : table->path);
	}
}

static void complete_options(struct completer *k, const struct schema_attr *a) {
	for (uint16_t i = 0; i < a->n_options; i++) {
		const struct schema_option *o = &a->options[i];
		AUTO_FREE char *help = xasprintf("%s%s", o->help ? o->help : "",
						 o->stored ? " (not enforced)" : "");

		complete_add(k->c, o->name, help, false);
	}
}

static void complete_held(struct completer *k, const struct object *obj, unsigned int attr) {
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
		if (!complete_add(k->c, str_text(&word), help ? help : "", false))
			return;
	}
}

static void complete_value(struct completer *k, const struct object *obj, enum command_args kind) {
	struct err err;
	int attr = grammar_attr(obj, k->argv[0], kind, &err);
	const struct schema_attr *a;
	bool two_words;

	if (attr < 0)
		return;
	a = &obj->table->attrs[attr];
	two_words =
		a->type == ATTR_IPV4_HOST || a->type == ATTR_IPV4_NET || a->type == ATTR_DATETIME;
	if (k->argc > (two_words ? 2 : 1) && !(a->flags & ATTR_MULTI))
		return;
	if (a->type != ATTR_OPTION)
		complete_hint(k->c, a->name, value_hint(a));
	if (kind == ARGS_HELD_VALUES)
		complete_held(k, obj, (unsigned int)attr);
	else if (a->type == ATTR_REF)
		complete_refs(k, a);
	else
		complete_options(k, a);
}

static void complete_args(struct completer *k, const struct command *command,
			  const struct target *target) {
	const struct object *obj = shell_object(k->sh);
	bool is_value = command->kind == ARGS_VALUES || command->kind == ARGS_LIST_VALUES ||
			command->kind == ARGS_HELD_VALUES;

	if (command->kind == ARGS_ENTRY)
		complete_entry(k, target);
	else if (command->kind == ARGS_WITHIN && (target->table || context_top(&k->sh->context)))
		complete_within(k, target);
	else if (command->kind == ARGS_TEXT && k->argc < command->max_args)
		complete_hint(k->c, command->args[k->argc].name,
			      xstrdup(command->args[k->argc].help));
	else if (command->kind != ARGS_TEXT && command->kind != ARGS_WITHIN && obj && k->argc == 0)
		complete_attrs(k, obj, command->kind);
	else if (is_value && obj && k->argc > 0)
		complete_value(k, obj, command->kind);
	/* values must follow, although the grammar is content with an attribute */
	k->c->whole = !*k->c->prefix && k->argc >= command->min_args + (is_value ? 1 : 0);
}

/* ---- a line ---- */

static void complete_after(struct shell *sh, char *const words[], size_t n, struct completion *c) {
	struct completer k = { .sh = sh, .c = c };
	const struct command *command;
	struct grammar g;
	size_t i = 0;
	int rc = 1;

	grammar_start(&g, commands, context_kind(&sh->context));
	while (i < n && (rc = grammar_step(&g, words[i])) > 0)
		i++;
	if (rc < 0)
		return;
	if (i == n)
		complete_words(c, &g);
	command = grammar_command(&g);
	if (!command)
		return;
	k.argv = words + i;
	k.argc = n - i;
	complete_args(&k, command, &g.target);
}

void complete_line(struct shell *sh, const char *text, struct completion *c) {
	AUTO_WORDS struct words words = { 0 };
	enum lex_result rc = lex_words(text, &words, NULL);
	size_t n = words.n;

	*c = (struct completion){ .start = strlen(text) };
	if (n > 0 && (rc == LEX_MORE || !words.trailing)) {
		n--;
		c->start = words.start[n];
		c->prefix = xstrdup(words.w[n]);
	} else {
		c->prefix = xstrdup("");
	}
	if (rc != LEX_BAD && text[strspn(text, " \t")] != '#')
		complete_after(sh, words.w, n, c);
}

/* ---- printing ---- */

/* Columns of a word on a terminal, as far as one code point takes one. */
static size_t complete_width(const struct candidate *item) {
	size_t n = item->required;

	for (const char *p = item->word; *p; p++)
		n += ((unsigned char)*p & 0xc0) != 0x80;
	return n;
}

static void complete_print_one(const struct candidate *item, size_t width, struct str *out) {
	str_addf(out, "%s%s", item->required ? "*" : "", item->word);
	if (*item->help) {
		str_add_blanks(out, width + 4 - complete_width(item));
		str_add(out, item->help);
	}
	str_add_char(out, '\n');
}

void complete_print(const struct completion *c, struct str *out) {
	size_t width = c->hint.word ? complete_width(&c->hint) : 0;

	for (size_t i = 0; i < c->n; i++)
		if (complete_width(&c->items[i]) > width)
			width = complete_width(&c->items[i]);
	if (c->hint.word)
		complete_print_one(&c->hint, width, out);
	for (size_t i = 0; i < c->n; i++)
		complete_print_one(&c->items[i], width, out);
	if (c->more)
		str_addf(out, "... (the first %d; type more of the word)\n", COMPLETE_MAX);
	if (c->whole)
		str_add(out, "<Enter>\n");
}

size_t complete_common(const struct completion *c) {
	size_t len = c->n ? strlen(c->items[0].word) : 0;

	for (size_t i = 1; i < c->n; i++)
		for (size_t k = 0; k < len; k++)
			if (c->items[i].word[k] != c->items[0].word[k])
				len = k;
	while (len > 0 && ((unsigned char)c->items[0].word[len] & 0xc0) == 0x80)
		len--;
	return len;
}

void complete_quote(const char *word, struct str *out) {
	if (*word && !strpbrk(word, " \t\n#()<>?'\"\\"))
		str_add(out, word);
	else
		value_quote(word, out);
}
