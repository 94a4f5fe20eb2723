/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `tree` draws what the schema has below a path: tables, their attributes, what is nested in them.
 * The first thing inside another stands in its line, the others below that:
 *
 *     -- [address] --*name (79)
 *                  |- subnet
 *                  +- [tagging] --*name (63)
 *                               |- category (63)
 *                  |- color (0,32)
 *
 * An asterisk marks keys and what must be set; (79) is the most bytes, (0,32) the range.
 */
#include <string.h>

#include "cfgdb/base/str.h"
#include "cli/commands.h"

struct tree {
	struct out *out;
	const struct client_info *who; /* tables that he may not see are not there */
	struct str line;
	size_t indent;           /* where marks stand */
	bool first;              /* nothing is inside yet: it goes on in the line */
};

static void tree_flush(struct tree *t) {
	str_add_char(&t->line, '\n');
	out_bytes(t->out, str_text(&t->line), t->line.len);
	str_clear(&t->line);
}

static void tree_mark(struct tree *t, const char *mark) {
	if (!t->first) {
		tree_flush(t);
		str_add_blanks(&t->line, t->indent);
	}
	str_add(&t->line, t->first ? "--" : mark);
	t->first = false;
}

/* What comes from now on is inside this; returns the indent that tree_leave() goes back to. */
static size_t tree_enter(struct tree *t, const char *name) {
	size_t outside = t->indent;

	tree_mark(t, "+-");
	str_addf(&t->line, " [%s] ", name);
	t->indent = t->line.len;
	t->first = true;
	return outside;
}

static void tree_leave(struct tree *t, size_t outside) {
	t->indent = outside;
	t->first = false;
}

static void tree_attr(struct tree *t, const struct schema_attr *a) {
	tree_mark(t, "|-");
	str_addf(&t->line, "%s%s", a->flags & (ATTR_KEY | ATTR_REQUIRED) ? "*" : " ", a->name);
	if (a->type == ATTR_INTEGER)
		str_addf(&t->line, " (%lld,%lld)", (long long)a->min, (long long)a->max);
	else if (a->type == ATTR_STRING && a->max > 0)
		str_addf(&t->line, " (%lld)", (long long)a->max);
}

static void tree_table(struct tree *t, const struct schema_table *table) {
	for (uint16_t i = 0; i < table->n_attrs && !out_stopped(t->out); i++) {
		const struct schema_attr *a = &table->attrs[i];
		size_t outside;

		if (!a->child) {
			tree_attr(t, a);
			continue;
		}
		outside = tree_enter(t, a->name);
		tree_table(t, a->child);
		tree_leave(t, outside);
	}
}

/* ---- below a part of a path ---- */

static const char *nth_path(unsigned int i, const struct schema_table **table) {
	if (i < schema_n_top) {
		*table = schema_tables[schema_top[i]];
		return (*table)->path;
	}
	i -= schema_n_top;
	if (i >= schema_n_aliases)
		return NULL;
	*table = schema_table(schema_aliases[i].table)->attrs[schema_aliases[i].attr].child;
	return schema_aliases[i].path;
}

/* Bytes of path up to the end of the word behind prefix; 0: it does not go on so. */
static size_t path_step(const char *path, const char *prefix, size_t len) {
	if (strncmp(path, prefix, len) != 0)
		return 0;
	if (len > 0 && path[len++] != ' ')
		return 0;
	return len + strcspn(path + len, " ");
}

/* Whether an earlier path begins with these bytes, too. */
static bool was_before(const struct tree *t, unsigned int i, const char *path, size_t len) {
	const struct schema_table *table;
	const char *other;

	while (i-- > 0) {
		other = nth_path(i, &table);
		if (client_may_see(t->who, table) && strncmp(other, path, len) == 0 &&
		    (other[len] == ' ' || other[len] == '\0'))
			return true;
	}
	return false;
}

/* Everything below the first len bytes of prefix, a word at a time. */
static void tree_paths(struct tree *t, const char *prefix, size_t len) {
	const struct schema_table *table;
	const char *path;

	for (unsigned int i = 0; (path = nth_path(i, &table)) && !out_stopped(t->out); i++) {
		size_t end = path_step(path, prefix, len), outside;
		char word[GRAMMAR_PATH_MAX] = "";

		if (end == 0 || end >= sizeof(word) || !client_may_see(t->who, table) ||
		    was_before(t, i, path, end))
			continue;
		memcpy(word, path + len + (len > 0), end - len - (len > 0));
		t->first = t->first || len == 0; /* each of the first words is a tree of its own */
		if (len == 0 && t->line.len > 0)
			tree_flush(t);
		outside = tree_enter(t, word);
		if (path[end] == '\0')
			tree_table(t, table);
		else
			tree_paths(t, path, end);
		tree_leave(t, outside);
	}
}

/* ---- the command ---- */

static const char *last_word(const char *path) {
	const char *blank = strrchr(path, ' ');

	return blank ? blank + 1 : path;
}

/* Names of nested tables lead further in. */
static int tree_within(struct tree *t, const struct schema_table *table, const char *name,
		       const struct call *call, struct err *err) {
	for (size_t i = 0; i < call->argc; i++) {
		table = grammar_child(table, call->argv[i], err);
		if (!table)
			return err->code;
		name = table->path;
	}
	tree_enter(t, name);
	tree_table(t, table);
	return 0;
}

static int tree_draw(struct tree *t, struct context *ctx, const struct call *call,
		     struct err *err) {
	const struct level *top = context_top(ctx);
	const char *name;

	if (call->target.table)
		return tree_within(t, call->target.table, last_word(call->path), call, err);
	if (top)
		return tree_within(t, top->table, last_word(top->table->path), call, err);
	if (call->argc > 0)
		return grammar_refuse(call->argv[0], err);
	name = last_word(call->path);
	if (*name)
		tree_enter(t, name);
	tree_paths(t, call->path, strlen(call->path));
	return 0;
}

int cmd_tree(struct shell *sh, const struct call *call, struct err *err) {
	struct tree t = {
		.out = sh->out, .who = client_info(sh->client), .line = STR_INIT, .first = true
	};
	int rc = tree_draw(&t, &sh->context, call, err);

	if (t.line.len > 0)
		tree_flush(&t);
	str_done(&t.line);
	return rc;
}
