/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object between members is a tree of lines. Here it becomes a sorted list of attributes, each
 * under its whole name: that of a nested one begins with the blocks it stands in. Two such lists
 * are then read side by side. No schema is asked, so what only another release knows is told, too.
 *
 * Bodies hold secrets in clear: every copy is wiped, and of a secret only its presence is told.
 */
#include "sync/comparison.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/outline.h"
#include "cfgdb/model/value.h"

#define PART_MAX 200           /* bytes of a name or value that are told */

struct fact {
	char *name, *value;
	bool secret;
};

struct facts {
	struct fact *fact;
	size_t n, size;
};

static void wipe(char *text) {
	explicit_bzero(text, strlen(text));
	free(text);
}

static void facts_done(struct facts *facts) {
	for (size_t i = 0; i < facts->n; i++) {
		wipe(facts->fact[i].name);
		wipe(facts->fact[i].value);
	}
	free(facts->fact);
}

static void add_fact(struct facts *facts, char *name, char *value, bool secret) {
	if (facts->n == facts->size) {
		facts->size = facts->size ? 2 * facts->size : 32;
		facts->fact = xreallocarray(facts->fact, facts->size, sizeof(*facts->fact));
	}
	facts->fact[facts->n++] = (struct fact){ name, value, secret };
}

static bool is_plain(const char *word) {
	return *word && !strpbrk(word, " \t\n\"'\\");
}

/* The words after the first two. A secret is one word; as it is not told, it needs no quotes. */
static char *value_text(const struct outline_line *line) {
	const struct words *words = &line->words;
	struct str s = STR_INIT;

	if (outline_is(line, "secret"))
		return xstrdup(words->w[2]);
	for (size_t i = 2; i < words->n; i++) {
		if (i > 2)
			str_add_char(&s, ' ');
		if (is_plain(words->w[i]))
			str_add(&s, words->w[i]);
		else
			value_quote(words->w[i], &s);
	}
	return str_steal(&s);
}

/* Depth is bounded by what outline_parse() takes. */
static void flatten(const struct outline_lines *lines, const char *prefix, struct facts *facts) {
	const struct outline_line *line;

	STAILQ_FOREACH(line, lines, next) {
		const char *second = line->words.n > 1 ? line->words.w[1] : "";
		char *name = xasprintf("%s%s%s", prefix, *prefix ? " " : "", second);
		bool in_list = outline_is(line, "edit");

		if (outline_is(line, "set") || outline_is(line, "secret")) {
			add_fact(facts, name, value_text(line), outline_is(line, "secret"));
			continue;
		}
		flatten(&line->lines, name, facts);
		if (in_list)
			add_fact(facts, name, xstrdup(""), false);
		else
			free(name);
	}
}

static int by_name(const void *a, const void *b) {
	const struct fact *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* False: that is no body. */
static bool read_facts(const char *body, struct facts *ret) {
	AUTO_OUTLINE struct outline o = { 0 };

	if (outline_parse(&o, body, NULL) != 0)
		return false;
	flatten(&o.lines, "", ret);
	if (ret->n > 1)
		qsort(ret->fact, ret->n, sizeof(*ret->fact), by_name);
	return true;
}

/* ---- lines ---- */

/* A character is not cut through. */
void comparison_put(const char *part, struct str *out) {
	char text[PART_MAX + 4];
	size_t len = strlen(part);

	if (len > PART_MAX) {
		len = PART_MAX;
		while (len > 0 && ((unsigned char)part[len] & 0xc0) == 0x80)
			len--;
	}
	memcpy(text, part, len);
	strcpy(text + len, part[len] ? "..." : "");
	err_clean_line(text);
	str_add(out, text);
}

static void put_place(const struct operation *o, struct str *out) {
	comparison_put(o->table, out);
	if (!*o->key)
		return;
	str_add_char(out, ' ');
	comparison_put(o->key, out);
}

static void put_side(const char *side, const struct fact *fact, struct str *out) {
	str_addf(out, " %s ", side);
	if (!fact)
		str_add(out, "not set");
	else if (fact->secret || !*fact->value)
		str_add(out, "set");
	else
		comparison_put(fact->value, out);
}

/* At least one of the two is there. */
static void put_difference(const struct operation *o, const struct fact *here,
			   const struct fact *there, struct str *out) {
	put_place(o, out);
	str_add_char(out, ' ');
	comparison_put(here ? here->name : there->name, out);
	str_add_char(out, ':');
	if (here && there && (here->secret || there->secret)) {
		str_add(out, " differs");
	} else {
		put_side("here", here, out);
		str_add_char(out, ',');
		put_side("there", there, out);
	}
	str_add_char(out, '\n');
}

static bool is_same(const struct fact *a, const struct fact *b) {
	return strcmp(a->value, b->value) == 0 && a->secret == b->secret;
}

static unsigned int compare_facts(const struct operation *o, const struct facts *here,
				  const struct facts *there, unsigned int max, struct str *out) {
	unsigned int found = 0;
	size_t i = 0, j = 0;

	while ((i < here->n || j < there->n) && found < max) {
		const struct fact *a = i < here->n ? &here->fact[i] : NULL;
		const struct fact *b = j < there->n ? &there->fact[j] : NULL;
		int order = !a ? 1 : !b ? -1 : by_name(a, b);

		i += order <= 0;
		j += order >= 0;
		if (order == 0 && is_same(a, b))
			continue;
		put_difference(o, order <= 0 ? a : NULL, order >= 0 ? b : NULL, out);
		found++;
	}
	return found;
}

static unsigned int put_whole(const struct operation *o, const char *what, struct str *out) {
	put_place(o, out);
	str_addf(out, ": %s\n", what);
	return 1;
}

unsigned int comparison_objects(const struct operation *here, const struct operation *there,
				unsigned int max, struct str *out) {
	struct facts ours = { .n = 0 }, theirs = { .n = 0 };
	unsigned int found = 0;

	if (max == 0)
		return 0;
	if (here->kind != there->kind)
		return put_whole(here, here->kind == OPERATION_PUT ? "only here" : "only there",
				 out);
	if (here->kind != OPERATION_PUT)
		return 0;
	if (read_facts(here->body, &ours) && read_facts(there->body, &theirs))
		found = compare_facts(here, &ours, &theirs, max, out);
	facts_done(&ours);
	facts_done(&theirs);
	return found ? found : put_whole(here, "differs", out);
}
