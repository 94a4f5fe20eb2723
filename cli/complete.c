/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words before the last one are matched as in a command that is carried out; the last one is a
 * prefix. What can follow comes from the command tree, the schema (paths, attributes, options) or
 * the configuration (keys of entries, names for references). What cannot be listed is described by
 * notes: a range, a length, a form.
 */
#include "cli/complete.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"
#include "cfgdb/model/lex.h"
#include "cli/commands.h"
#include "cli/completer.h"
#include "cli/pipe.h"

/* ---- words of the grammar ---- */

static bool add_word(void *arg, const char *word, const char *help) {
	completer_add(arg, word, help, false);
	return false;
}

static void complete_words(struct completion *c, const struct grammar *g) {
	grammar_words(g, add_word, c);
	if (g->in_path && c->n > 1)
		completer_sort(c);
}

/* ---- entries ---- */

static void complete_alias_keys(struct completer *k, const struct schema_alias *alias) {
	struct object *obj;
	struct err err;

	if (client_get(k->sh->client, schema_table(alias->table), "", &obj, &err))
		return;
	completer_children(k, obj, alias->attr);
	object_free(obj);
}

static void complete_entry(struct completer *k, const struct target *target) {
	struct list_ref list = { target->table, NULL, 0, false };

	if ((!target->table && !context_list(&k->sh->context, &list)) ||
	    !schema_is_list(list.table))
		return;
	complete_value_key(k, list.table);
	if (target->alias)
		complete_alias_keys(k, target->alias);
	else if (list.holder)
		completer_children(k, list.holder->obj, (unsigned int)list.attr);
	else
		completer_keys(k, list.table, "", NULL);
}

static void complete_way(struct completer *k, const struct target *target) {
	if (target->table || context_top(&k->sh->context))
		if (!complete_within(k, target) && k->argc == 0)
			complete_entry(k, target);
}

static void complete_tree(struct completer *k, const struct target *target) {
	const struct level *top = context_top(&k->sh->context);
	const struct schema_table *table = target->table ? target->table : top ? top->table : NULL;
	struct err err;

	for (size_t i = 0; table && i < k->argc; i++)
		table = grammar_child(table, k->argv[i], &err);
	for (uint16_t i = 0; table && i < table->n_attrs; i++)
		if (table->attrs[i].child)
			completer_add(k->c, table->attrs[i].name, table->attrs[i].help, false);
}

/* `rename KEY to KEY`, `move KEY before KEY`: all but a new name is there to choose from. */
static void complete_pair(struct completer *k, enum command_args kind,
			  const struct target *target) {
	if (k->argc == 0 || (k->argc == 2 && kind == ARGS_MOVE)) {
		complete_entry(k, target);
	} else if (k->argc == 1 && kind == ARGS_MOVE) {
		completer_add(k->c, "after", "Behind another entry.", false);
		completer_add(k->c, "before", "In front of another entry.", false);
	} else if (k->argc == 1) {
		completer_add(k->c, "to", "The name that is to be.", false);
	} else if (k->argc == 2 && shell_list(k->sh)) {
		complete_value_key(k, shell_list(k->sh));
	}
}

/* ---- arguments ---- */

static void complete_args(struct completer *k, const struct command *command,
			  const struct target *target) {
	const struct object *obj = shell_object(k->sh);
	bool is_value = command->kind == ARGS_VALUES || command->kind == ARGS_LIST_VALUES ||
			command->kind == ARGS_HELD_VALUES;

	if (command->kind == ARGS_ENTRY && k->argc == 0)
		complete_entry(k, target);
	else if (command->kind == ARGS_RENAME || command->kind == ARGS_MOVE)
		complete_pair(k, command->kind, target);
	else if (command->kind == ARGS_WITHIN)
		complete_way(k, target);
	else if (command->kind == ARGS_TREE)
		complete_tree(k, target);
	else if (command->kind == ARGS_TEXT && k->argc < command->max_args)
		complete_text(k, &command->args[k->argc]);
	else if (command->kind != ARGS_TEXT && obj && k->argc == 0)
		complete_value_attrs(k, obj, command->kind);
	else if (is_value && obj && k->argc > 0)
		complete_value(k, obj, command->kind);
	/* values must follow, although the grammar is content with an attribute */
	k->c->whole = !*k->c->prefix && k->argc >= command->min_args &&
		      (!is_value || (obj && complete_value_whole(k, obj, command->kind)));
}

/* Whether a command is there to be read. */
static bool complete_prints(const char *word) {
	static const char *const words[] = { "alias", "diagnose", "execute",
					     "get",   "show",	  "tree" };

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (strcmp(word, words[i]) == 0)
			return true;
	return false;
}

/* ---- a line ---- */

static void complete_after(struct shell *sh, char *const words[], size_t n, struct completion *c) {
	struct completer k = { .sh = sh, .c = c };
	const struct command *command;
	struct grammar g;
	size_t i = 0;
	int rc = 1;

	grammar_start(&g, commands, context_kind(&sh->context), client_info(sh->client));
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
	c->prints = complete_prints(g.words[0]);
	complete_args(&k, command, &g.target);
}

void complete_line(struct shell *sh, const char *text, struct completion *c) {
	AUTO_WORDS struct words words = { 0 };
	enum lex_result rc;
	struct pipe pipe;
	struct err err;
	size_t at, n;

	*c = (struct completion){ .start = strlen(text), .prefix = xstrdup("") };
	if (pipe_split(text, &pipe, &err) || text[strspn(text, " \t")] == '#')
		return;
	at = pipe.n ? pipe.start[pipe.n - 1] : 0;
	rc = lex_words(text + at, &words, NULL);
	n = words.n;
	if (n > 0 && (rc == LEX_MORE || !words.trailing)) {
		n--;
		c->start = at + words.start[n];
		free(c->prefix);
		c->prefix = xstrdup(words.w[n]);
		c->quoted = rc == LEX_MORE && words.quoted[n];
	}
	if (rc == LEX_BAD)
		return;
	if (pipe.n)
		complete_pipe(c, words.w, n);
	else
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

static size_t complete_wider(const struct candidate *item, size_t width) {
	size_t n = complete_width(item);

	return n > width ? n : width;
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
	const struct candidate bar = { .word = (char *)"|",
				       .help = (char *)"Filter what it prints." };
	size_t width = complete_width(&bar);

	for (size_t i = 0; i < c->n_notes; i++)
		width = complete_wider(&c->notes[i], width);
	for (size_t i = 0; i < c->n; i++)
		width = complete_wider(&c->items[i], width);
	for (size_t i = 0; i < c->n_notes; i++)
		complete_print_one(&c->notes[i], width, out);
	for (size_t i = 0; i < c->n; i++)
		complete_print_one(&c->items[i], width, out);
	if (c->found > c->n)
		str_addf(out, "... (%zu of %zu; type more of the word)\n", c->n, c->found);
	if (c->whole)
		str_add(out, "<Enter>\n");
	if (c->whole && c->prints)
		complete_print_one(&bar, width, out);
}

size_t complete_common(const struct completion *c) {
	size_t len = c->common;

	while (len > 0 && ((unsigned char)c->items[0].word[len] & 0xc0) == 0x80)
		len--;
	return len;
}

bool complete_is_plain(const char *word) {
	return *word && !strpbrk(word, " \t\n#()<>?'\"\\|");
}

void complete_quote(const char *word, struct str *out) {
	if (complete_is_plain(word))
		str_add(out, word);
	else
		value_quote(word, out);
}

void complete_quote_part(const char *word, bool quoted, struct str *out) {
	if (!quoted && (!*word || complete_is_plain(word))) {
		str_add(out, word);
		return;
	}
	value_quote(word, out);
	out->data[--out->len] = '\0';
}
