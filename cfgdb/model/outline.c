/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A few verbs make up a body: `set`, `unset` and `secret` are lines of their own, `config` and
 * `kept` open a block that `end` closes, `edit` one that `next` closes; `vdom` says something of
 * the whole. That is all that is known here.
 *
 * Sorted and printed the text is canonical: two releases that place an attribute elsewhere, or
 * quote it in another way, have the same. A tree may hold secrets, so what it held is wiped.
 */
#include "cfgdb/model/outline.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"

#define PLAIN_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.:/+=,@%"
#define ANY_NUMBER SIZE_MAX

struct verb {
	const char *name;
	size_t least, most;      /* words of the line */
	const char *end;         /* of the block that it opens; NULL: none */
	bool in_list;            /* may stand in a block of `config` only */
};

static const struct verb verbs[] = {
	{ "set", 3, ANY_NUMBER, NULL, false },
	{ "unset", 2, 2, NULL, false },
	{ "secret", 3, 4, NULL, false },
	{ "vdom", 2, 2, NULL, false },
	{ "config", 2, 2, "end", false },
	{ "kept", 1, 1, "end", false },
	{ "edit", 2, 2, "next", true },
};

/* ---- lines ---- */

bool outline_is(const struct outline_line *line, const char *verb) {
	return strcmp(line->words.w[0], verb) == 0;
}

static void wipe_words(struct words *words) {
	for (size_t i = 0; i < words->n; i++)
		explicit_bzero(words->w[i], strlen(words->w[i]));
	words_done(words);
}

static void lines_free(struct outline_lines *lines) {
	struct outline_line *line;

	while ((line = STAILQ_FIRST(lines)) != NULL) {
		STAILQ_REMOVE_HEAD(lines, next);
		outline_line_free(line);
	}
}

void outline_line_free(struct outline_line *line) {
	lines_free(&line->lines);
	wipe_words(&line->words);
	free(line);
}

void outline_done(struct outline *o) {
	if (o->lines.stqh_last) /* else nothing was begun */
		lines_free(&o->lines);
	*o = (struct outline){ 0 };
}

void outline_set_words(struct outline_line *line, const char *a, const char *b) {
	struct words now = { .n = b ? 4 : 3, .w = xcalloc(5, sizeof(*now.w)) };

	now.w[0] = xstrdup(line->words.w[0]);
	now.w[1] = xstrdup(line->words.w[1]);
	now.w[2] = xstrdup(a);
	now.w[3] = b ? xstrdup(b) : NULL;
	wipe_words(&line->words);
	line->words = now;
}

/* ---- reading ---- */

struct reader {
	struct outline *o;
	struct {
		struct outline_lines *lines;
		const struct verb *verb; /* that opened it; NULL: the whole */
	} stack[OUTLINE_DEPTH_MAX];
	unsigned int depth;
	unsigned int line;
	struct err *err;
};

static int reader_fail(struct reader *r, const char *why) {
	return err_set(r->err, ERR_PARSE, "line %u: %s", r->line, why);
}

static const struct verb *verb_find(const char *name) {
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return &verbs[i];
	return NULL;
}

/* The last words of blocks are lines of their own. */
static int reader_close(struct reader *r, const struct words *words, bool *closed) {
	const struct verb *open = r->stack[r->depth].verb;

	*closed = strcmp(words->w[0], "end") == 0 || strcmp(words->w[0], "next") == 0;
	if (!*closed)
		return 0;
	if (words->n != 1 || !open || strcmp(words->w[0], open->end) != 0)
		return reader_fail(r, "a block ends that was not begun");
	r->depth--;
	return 0;
}

/* A block of `config` holds entries or lines, never both. */
static bool fits_in_block(const struct reader *r, const struct verb *verb) {
	const struct verb *open = r->stack[r->depth].verb;
	const struct outline_line *first = STAILQ_FIRST(r->stack[r->depth].lines);

	if (!open || strcmp(open->name, "config") != 0)
		return !verb->in_list;
	return !first || outline_is(first, "edit") == verb->in_list;
}

static int reader_add(struct reader *r, struct words *words) {
	const struct verb *verb = verb_find(words->w[0]);
	struct outline_line *line;

	if (!verb || words->n < verb->least || words->n > verb->most || !fits_in_block(r, verb))
		return reader_fail(r, "not a line of an object");
	if (r->o->n >= OUTLINE_LINES_MAX)
		return reader_fail(r, "too many lines");
	if (verb->end && r->depth + 1 >= OUTLINE_DEPTH_MAX)
		return reader_fail(r, "too deep");
	line = xcalloc(1, sizeof(*line));
	line->words = *words;
	*words = (struct words){ 0 };
	STAILQ_INIT(&line->lines);
	STAILQ_INSERT_TAIL(r->stack[r->depth].lines, line, next);
	r->o->n++;
	if (verb->end) {
		r->stack[++r->depth].lines = &line->lines;
		r->stack[r->depth].verb = verb;
	}
	return 0;
}

/* One logical line of the text at *p, which moves past it; quoted values may span lines. */
static int reader_take(struct reader *r, char **p) {
	struct words words = { 0 };
	char *start = *p, *end;
	bool open, closed = false;
	int rc = 0;

	r->line++;
	end = start + (lex_line_end(start, &open) - start);
	if (open)
		return reader_fail(r, "Unmatched double quote.");
	*p = *end ? end + 1 : end;
	*end = '\0';
	if (lex_words(start, &words, r->err) != LEX_OK)
		rc = r->err ? r->err->code : ERR_PARSE;
	else if (words.n > 0)
		rc = reader_close(r, &words, &closed);
	if (rc == 0 && words.n > 0 && !closed)
		rc = reader_add(r, &words);
	wipe_words(&words);
	for (; start < end; start++)
		r->line += *start == '\n';
	return rc;
}

int outline_parse(struct outline *o, const char *body, struct err *err) {
	struct reader r = { .o = o, .err = err };
	AUTO_FREE char *copy = xstrdup(body);
	size_t len = strlen(copy);
	int rc = 0;

	*o = (struct outline){ 0 };
	STAILQ_INIT(&o->lines);
	r.stack[0].lines = &o->lines;
	for (char *p = copy; rc == 0 && *p;)
		rc = reader_take(&r, &p);
	explicit_bzero(copy, len);
	if (rc == 0 && r.depth > 0)
		rc = reader_fail(&r, "a block has no end");
	return rc;
}

/* ---- one order ---- */

struct place {
	struct outline_line *line;
	size_t was;
};

static int compare_words(const struct words *a, const struct words *b) {
	for (size_t i = 0; i < a->n && i < b->n; i++) {
		int c = strcmp(a->w[i], b->w[i]);

		if (c)
			return c;
	}
	return (a->n > b->n) - (a->n < b->n);
}

static int compare_place(const void *a, const void *b) {
	const struct place *x = a, *y = b;
	int c = outline_is(x->line, "edit") - outline_is(y->line, "edit");

	if (c == 0 && !outline_is(x->line, "edit"))
		c = compare_words(&x->line->words, &y->line->words);
	return c ? c : (x->was > y->was) - (x->was < y->was);
}

static void lines_sort(struct outline_lines *lines) {
	struct outline_line *line;
	struct place *places;
	size_t n = 0;

	STAILQ_FOREACH(line, lines, next) {
		lines_sort(&line->lines);
		n++;
	}
	if (n < 2)
		return;
	places = xcalloc(n, sizeof(*places));
	n = 0;
	STAILQ_FOREACH(line, lines, next) {
		places[n] = (struct place){ line, n };
		n++;
	}
	qsort(places, n, sizeof(*places), compare_place);
	STAILQ_INIT(lines);
	for (size_t i = 0; i < n; i++)
		STAILQ_INSERT_TAIL(lines, places[i].line, next);
	free(places);
}

void outline_sort(struct outline *o) {
	lines_sort(&o->lines);
}

/* ---- printing ---- */

static void print_word(const char *word, struct str *out) {
	if (*word && word[strspn(word, PLAIN_CHARACTERS)] == '\0')
		str_add(out, word);
	else
		value_quote(word, out);
}

void outline_print_line(const struct outline_line *line, struct str *out) {
	const struct verb *verb = verb_find(line->words.w[0]);
	const struct outline_line *nested;

	for (size_t i = 0; i < line->words.n; i++) {
		if (i > 0)
			str_add_char(out, ' ');
		print_word(line->words.w[i], out);
	}
	str_add_char(out, '\n');
	STAILQ_FOREACH(nested, &line->lines, next)
		outline_print_line(nested, out);
	if (verb && verb->end) {
		str_add(out, verb->end);
		str_add_char(out, '\n');
	}
}

void outline_print(const struct outline *o, struct str *out) {
	const struct outline_line *line;

	STAILQ_FOREACH(line, &o->lines, next)
		outline_print_line(line, out);
}

/* ---- secrets ---- */

static int each_secret(struct outline_lines *lines,
		       int (*each)(void *arg, struct outline_line *line, struct err *err),
		       void *arg, struct err *err) {
	struct outline_line *line;
	int rc;

	STAILQ_FOREACH(line, lines, next) {
		rc = outline_is(line, "secret") ? each(arg, line, err) :
						  each_secret(&line->lines, each, arg, err);
		if (rc)
			return rc;
	}
	return 0;
}

int outline_each_secret(struct outline *o,
			int (*each)(void *arg, struct outline_line *line, struct err *err),
			void *arg, struct err *err) {
	return each_secret(&o->lines, each, arg, err);
}
