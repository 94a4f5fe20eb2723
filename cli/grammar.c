/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A place in the grammar is a word of the command tree, or a prefix of schema paths, or both at
 * once: after `get system` the tree goes on with `status` and the schema with `interface`. One
 * enumeration of what can follow serves matching, help and completion.
 */
#include "cli/grammar.h"

#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/schema.h"
#include "cfgdb/rights.h"

#define GRAMMAR_HELP_MAX 512

/* Words of paths that are no table by themselves. */
static const struct {
	const char *path, *help;
} path_help[] = {
	{ "antivirus", "Virus scanning." },
	{ "application", "Application control." },
	{ "firewall", "Policies and the objects they name." },
	{ "firewall schedule", "Times at which policies are in force." },
	{ "firewall service", "Services: protocols and ports." },
	{ "ips", "Intrusion prevention." },
	{ "log", "Logging." },
	{ "router", "Routing." },
	{ "system", "The unit itself: interfaces, administrators, high availability." },
	{ "user", "Users and their groups." },
	{ "vpn", "Virtual private networks." },
	{ "webfilter", "Web filtering." },
};

static const char *help_of_path(const char *path) {
	for (size_t i = 0; i < ARRAY_LEN(path_help); i++)
		if (strcmp(path_help[i].path, path) == 0)
			return path_help[i].help;
	return "";
}

void grammar_start(struct grammar *g, const struct command *tree, enum level_kind where,
		   const struct client_info *who) {
	*g = (struct grammar){ .tree = tree, .where = where, .who = who };
}

/* Whether a word of the tree exists here for this administrator. */
static bool is_here(const struct grammar *g, const struct command *c) {
	unsigned int verb = g->where == LEVEL_ROOT ? rights_verb(c->word) : 0;

	if (g->n_words > 0)
		return true;
	return (c->where & g->where) && (!g->who || (g->who->verbs & verb) == verb);
}

static bool sees(const struct grammar *g, const struct schema_table *table) {
	return !g->who || client_may_see(g->who, table);
}

/* If path goes on after prefix, copy the next word to word[]; returns what follows it, or NULL. */
static const char *path_next(const char *path, const char *prefix, char *word) {
	size_t len = strlen(prefix), n;

	if (strncmp(path, prefix, len) != 0)
		return NULL;
	path += len;
	if (len > 0 && *path++ != ' ')
		return NULL;
	n = strcspn(path, " ");
	if (n == 0 || n >= GRAMMAR_PATH_MAX)
		return NULL;
	memcpy(word, path, n);
	word[n] = '\0';
	return path + n;
}

typedef bool visit_fn(void *arg, const char *word, const char *help);

/* Offer the word that follows the prefix in one path. */
static bool path_visit(const struct grammar *g, const char *path, const char *help, bool stored,
		       visit_fn *visit, void *arg) {
	char word[GRAMMAR_PATH_MAX], whole[GRAMMAR_PATH_MAX], marked[GRAMMAR_HELP_MAX];
	const char *rest = path_next(path, g->path, word);

	if (!rest)
		return false;
	if (*rest) {
		memcpy(whole, path, (size_t)(rest - path));
		whole[rest - path] = '\0';
		help = help_of_path(whole);
	} else if (stored) {
		snprintf(marked, sizeof(marked), "%s (not enforced)", help);
		help = marked;
	}
	return visit(arg, word, help);
}

static bool paths_visit(const struct grammar *g, visit_fn *visit, void *arg) {
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *t = schema_tables[schema_top[i]];

		if (sees(g, t) &&
		    path_visit(g, t->path, t->help, schema_is_stored_table(t), visit, arg))
			return true;
	}
	for (uint16_t i = 0; i < schema_n_aliases; i++) {
		const struct schema_alias *a = &schema_aliases[i];
		const struct schema_table *t = schema_table(a->table)->attrs[a->attr].child;

		if (sees(g, t) &&
		    path_visit(g, a->path, a->help, schema_is_stored_table(t), visit, arg))
			return true;
	}
	return false;
}

static const struct command *grammar_sub(const struct grammar *g) {
	if (g->command)
		return g->command->sub;
	return g->n_words == 0 ? g->tree : NULL;
}

void grammar_words(const struct grammar *g, visit_fn *visit, void *arg) {
	const struct command *sub = grammar_sub(g);

	for (; sub && sub->word; sub++)
		if (is_here(g, sub) && !(sub->flags & COMMAND_HIDDEN) &&
		    visit(arg, sub->word, sub->help))
			return;
	if (g->in_path)
		paths_visit(g, visit, arg);
}

/* ---- matching ---- */

struct match {
	const char *word;
	size_t len;
	char found[GRAMMAR_PATH_MAX];
	bool exact, ambiguous;
};

static bool match_visit(void *arg, const char *word, const char *help) {
	struct match *m = arg;

	(void)help;
	if (strncmp(word, m->word, m->len) != 0)
		return false;
	if (word[m->len] == '\0') {
		m->exact = true;
	} else if (m->found[0] != '\0') {
		m->ambiguous |= strcmp(m->found, word) != 0;
		return false;
	}
	if (strlen(word) >= sizeof(m->found))
		return false;
	strcpy(m->found, word);
	return m->exact;
}

/* Words of the tree that yield to others, or those that do not; true: no better one will come. */
static bool match_commands(const struct grammar *g, unsigned int yields, struct match *m) {
	const struct command *sub = grammar_sub(g);

	for (; sub && sub->word; sub++)
		if ((sub->flags & COMMAND_YIELDS) == yields &&
		    is_here(g, sub) && match_visit(m, sub->word, NULL))
			return true;
	return false;
}

/*
 * Like grammar_words, hidden ones too. Below the first word an abbreviation that fits one command
 * means it, whatever tables begin alike (`get sys st` is the status); a whole name means its table.
 */
static void match_words(const struct grammar *g, struct match *m) {
	struct match path = { .word = m->word, .len = m->len };

	if (match_commands(g, 0, m) ||
	    (m->found[0] == '\0' && match_commands(g, COMMAND_YIELDS, m)))
		return;
	if (g->in_path && g->path[0] == '\0') {
		paths_visit(g, match_visit, m);
	} else if (g->in_path) {
		paths_visit(g, match_visit, &path);
		if (path.exact || m->found[0] == '\0')
			*m = path;
	}
}

static const struct command *find_command(const struct grammar *g, const char *word) {
	const struct command *sub = grammar_sub(g);

	for (; sub && sub->word; sub++)
		if (is_here(g, sub) && strcmp(sub->word, word) == 0)
			return sub;
	return NULL;
}

/* Add a word to the path; leaves the path when no table has it. */
static void grammar_path_step(struct grammar *g, const char *word) {
	size_t len = strlen(g->path);
	bool goes_on = false;

	g->target = (struct target){ NULL, NULL };
	if (len + strlen(word) + 2 > sizeof(g->path)) {
		g->in_path = false;
		return;
	}
	if (len > 0)
		g->path[len++] = ' ';
	strcpy(g->path + len, word);
	len = strlen(g->path);
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *t = schema_tables[schema_top[i]];

		if (!sees(g, t) || strncmp(t->path, g->path, len) != 0)
			continue;
		if (t->path[len] == '\0')
			g->target.table = t;
		goes_on |= t->path[len] == '\0' || t->path[len] == ' ';
	}
	for (uint16_t i = 0; i < schema_n_aliases; i++) {
		const struct schema_alias *a = &schema_aliases[i];

		if (!sees(g, schema_table(a->table)) || strncmp(a->path, g->path, len) != 0)
			continue;
		if (a->path[len] == '\0') {
			g->target.table = schema_table(a->table)->attrs[a->attr].child;
			g->target.alias = a;
		}
		goes_on |= a->path[len] == '\0' || a->path[len] == ' ';
	}
	g->in_path = goes_on;
}

int grammar_step(struct grammar *g, const char *word) {
	struct match m = { .word = word, .len = strlen(word) };
	const struct command *command;

	if (m.len == 0 || g->n_words >= GRAMMAR_WORDS_MAX)
		return 0;
	match_words(g, &m);
	if (m.found[0] == '\0')
		return 0;
	if (m.ambiguous && !m.exact)
		return -1;
	command = find_command(g, m.found);
	if (g->in_path)
		grammar_path_step(g, m.found);
	g->command = command;
	if (command) {
		g->words[g->n_words] = command->word;
		if (command->flags & COMMAND_PATHS) {
			g->base = command;
			g->n_base = g->n_words + 1;
			g->in_path = true;
			g->path[0] = '\0';
		}
	}
	g->n_words++;
	return 1;
}

const struct command *grammar_command(const struct grammar *g) {
	if (g->command && g->command->run && !(g->command->flags & COMMAND_TARGET))
		return g->command;
	if (!g->base || !(g->target.table || (g->base->flags & COMMAND_PARTS)))
		return NULL;
	return g->base;
}

/* ---- a whole line ---- */

int grammar_refuse(const char *word, struct err *err) {
	return err_set(err, ERR_PARSE, "\ncommand parse error before '%.200s'", word);
}

int grammar_incomplete(struct err *err) {
	return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
}

static int grammar_check_args(const struct call *call, struct err *err) {
	const struct command *c = call->command;
	unsigned int max = c->max_args;

	if (call->argc < c->min_args)
		return grammar_incomplete(err);
	if (call->target.table && (c->kind == ARGS_WITHIN || c->kind == ARGS_TREE))
		return 0;
	if (call->target.table)
		max = c->kind == ARGS_ENTRY && schema_is_list(call->target.table) ? 1 : 0;
	return call->argc > max ? grammar_refuse(call->argv[max], err) : 0;
}

int grammar_parse(const struct command *tree, enum level_kind where, const struct client_info *who,
		  char *const words[], size_t n, struct call *ret, struct err *err) {
	struct grammar g;
	size_t i = 0;
	int rc = 1;

	grammar_start(&g, tree, where, who);
	while (i < n && (rc = grammar_step(&g, words[i])) > 0)
		i++;
	if (i < n && rc < 0)
		return err_set(err, ERR_PARSE, "\nambiguous command before '%.200s'", words[i]);
	if (i == 0)
		return err_set(err, ERR_UNKNOWN, "Unknown action 0");
	*ret = (struct call){ .command = grammar_command(&g),
			      .n_words = g.n_words,
			      .argc = n - i,
			      .argv = words + i };
	if (ret->command && ret->command == g.base) {
		ret->target = g.target;
		ret->n_words = g.n_base;
		memcpy(ret->path, g.path, sizeof(ret->path));
	}
	memcpy(ret->words, g.words, sizeof(ret->words));
	if (!ret->command)
		return i < n ? grammar_refuse(words[i], err) : grammar_incomplete(err);
	return grammar_check_args(ret, err);
}

/* ---- attributes ---- */

bool grammar_attr_fits(const struct object *obj, unsigned int attr, enum command_args kind) {
	const struct schema_attr *a = &obj->table->attrs[attr];

	bool list = kind == ARGS_LIST || kind == ARGS_LIST_VALUES || kind == ARGS_HELD_VALUES;

	if ((a->flags & ATTR_KEY) || (list && !(a->flags & ATTR_MULTI)))
		return false;
	if (kind != ARGS_WITHIN && (a->type == ATTR_CHILD) != (kind == ARGS_CHILD))
		return false;
	return object_has(obj, attr);
}

const struct schema_table *grammar_child(const struct schema_table *table, const char *word,
					 struct err *err) {
	const struct schema_table *found = NULL;

	for (uint16_t i = 0; *word && i < table->n_attrs; i++) {
		const struct schema_attr *a = &table->attrs[i];

		if (!a->child || strncmp(a->name, word, strlen(word)) != 0)
			continue;
		if (strcmp(a->name, word) == 0)
			return a->child;
		if (found) {
			err_set(err, ERR_PARSE, "\nambiguous command before '%.200s'", word);
			return NULL;
		}
		found = a->child;
	}
	if (!found)
		grammar_refuse(word, err);
	return found;
}

int grammar_attr(const struct object *obj, const char *word, enum command_args kind,
		 struct err *err) {
	int exact = schema_attr_index(obj->table, word);
	size_t len = strlen(word);
	int found = -1;

	if (exact >= 0 && grammar_attr_fits(obj, (unsigned int)exact, kind))
		return exact;
	for (unsigned int i = 0; exact < 0 && len > 0 && i < obj->table->n_attrs; i++) {
		if (strncmp(obj->table->attrs[i].name, word, len) != 0 ||
		    !grammar_attr_fits(obj, i, kind))
			continue;
		if (found >= 0) {
			err_set(err, ERR_PARSE, "\nambiguous command before '%.200s'", word);
			return -1;
		}
		found = (int)i;
	}
	if (found < 0)
		grammar_refuse(word, err);
	return found;
}
