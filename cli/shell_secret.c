/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lines hold a secret in clear. Neither the history nor the log of a batch may keep one, and
 * people mistype: so it is not asked what a line does, but whether a secret may stand in it. A line
 * that names a secret, and goes on, holds one, whatever its verb; so does a line that is not
 * understood, with as many words, where a secret can be set. Lines that only show hold none.
 */
#include "cli/shell.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "cli/commands.h"
#include "cli/grammar.h"
#include "schemas/schema_gen.h"

#define SHORT_MIN 3 /* letters that stand for a name where any word may stand */

/*
 * Whether a word is the name of a secret of the table, at least `least` letters of one, or one with
 * what it is set to right behind it.
 */
static bool table_names_secret(const struct schema_table *table, const char *word, size_t least) {
	size_t len = strlen(word);

	for (uint16_t i = 0; i < table->n_attrs; i++) {
		const struct schema_attr *a = &table->attrs[i];
		size_t name = strlen(a->name);

		if (!schema_is_secret(a) || strncmp(a->name, word, len < name ? len : name) != 0)
			continue;
		if (len <= name ? len >= least : strchr("=:", word[name]) != NULL)
			return true;
	}
	return false;
}

static bool names_secret(const char *word, size_t least) {
	for (uint16_t t = 0; t < schema_n_tables; t++)
		if (table_names_secret(schema_tables[t], word, least))
			return true;
	return false;
}

/* Whether a secret can be set where the shell is, be it in what is open around. */
static bool here_are_secrets(const struct shell *sh) {
	for (size_t i = 0; i < sh->context.depth; i++)
		if (table_names_secret(sh->context.levels[i].table, "", 0))
			return true;
	return false;
}

/* A word behind the verb names a secret, and another one follows; or the verb itself is one. */
static bool goes_on_from_secret(const struct words *words) {
	for (size_t i = 0; i < words->n; i++)
		if (names_secret(words->w[i], SHORT_MIN) &&
		    (i + 1 < words->n || words->w[i][strcspn(words->w[i], "=:")]))
			return true;
	return false;
}

/* `set` and the like: what is said of the attribute that is named. */
static bool sets_secret(struct shell *sh, const struct call *call, const struct words *words) {
	const struct object *obj = shell_object(sh);
	struct err err;
	int attr = obj ? grammar_attr(obj, call->argv[0], call->command->kind, &err) : -1;

	if (attr < 0)
		return (words->n > 2 && here_are_secrets(sh)) || goes_on_from_secret(words);
	if (schema_is_secret(&obj->table->attrs[attr]))
		return words->n > 2 || call->command->kind == ARGS_VALUES;
	return goes_on_from_secret(words);
}

/* A line that the grammar does not take. */
static bool may_set_secret(struct shell *sh, const struct words *words) {
	bool set = strncmp("set", words->w[0], strlen(words->w[0])) == 0;

	return (words->n > 2 && here_are_secrets(sh)) || goes_on_from_secret(words) ||
	       (set && names_secret(words->w[1], 1));
}

bool shell_is_secret(struct shell *sh, const char *line) {
	AUTO_WORDS struct words words = { 0 };
	struct call call;
	struct err err;

	lex_words(line, &words, NULL);
	if (words.n < 2)
		return words.n == 1 && goes_on_from_secret(&words);
	if (grammar_parse(commands, context_kind(&sh->context), client_info(sh->client), words.w,
			  words.n, &call, &err) != 0)
		return may_set_secret(sh, &words);
	switch (call.command->kind) {
	case ARGS_WITHIN:
	case ARGS_TREE:
		return false;
	case ARGS_ATTR:
	case ARGS_VALUES:
	case ARGS_LIST:
	case ARGS_LIST_VALUES:
	case ARGS_HELD_VALUES:
		return sets_secret(sh, &call, &words);
	default:
		return goes_on_from_secret(&words);
	}
}

/* Names may be told; what may be more than a name is left out. */
void shell_mask(const char *line, struct str *out) {
	AUTO_WORDS struct words words = { 0 };

	lex_words(line, &words, NULL);
	for (size_t i = 0; i < words.n && i < 2; i++) {
		const char *word = words.w[i];
		bool named = i > 0 && names_secret(words.w[i - 1], SHORT_MIN);

		if (named || word[strcspn(word, "=: \t\n")])
			break;
		str_addf(out, "%s ", word);
	}
	str_add(out, "*");
}
