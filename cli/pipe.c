/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One pass finds the bars, by the quoting rules of the lexer; running a line and completing it both
 * start from there. The only filter is grep, and its name may be shortened as any other word.
 *
 * Filters are a chain: the output gives what is printed to the first, each gives what passes to the
 * next, and the last gives it to where output went before, which is the filters of an outer command
 * when an alias is running. Errors and questions go past all of them.
 */
#include "cli/pipe.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/grammar.h"

static int pipe_add(struct pipe *p, size_t at, struct err *err) {
	if (p->n == PIPE_STAGES_MAX)
		return err_set(err, ERR_MAX_ENTRIES, "too many filters in one line: at most %d",
			       PIPE_STAGES_MAX);
	if (p->n == 0)
		p->end = at;
	else
		p->stop[p->n - 1] = at;
	p->start[p->n++] = at + 1;
	return 0;
}

int pipe_split(const char *line, struct pipe *ret, struct err *err) {
	size_t len = strlen(line);
	char quote = '\0';

	*ret = (struct pipe){ .end = len };
	if (line[strspn(line, " \t\r\n")] == '#')
		return 0;
	for (size_t i = 0; i < len; i++) {
		char c = line[i];

		if (c == '\\' && quote != '\'' && line[i + 1])
			i += quote == '\0' || strchr("\"'\\", line[i + 1]) != NULL;
		else if (quote)
			quote = c == quote ? '\0' : quote;
		else if (c == '"' || c == '\'')
			quote = c;
		else if (c == '|' && pipe_add(ret, i, err))
			return ERR_MAX_ENTRIES;
	}
	if (ret->n > 0)
		ret->stop[ret->n - 1] = len;
	return 0;
}

enum lex_result pipe_words(const char *line, const struct pipe *p, struct words *words,
			   struct err *err) {
	AUTO_FREE char *command = xstrndup(line, p->end);

	return lex_words(command, words, err);
}

/* ---- filters ---- */

static void filters_first(void *arg, const char *text, size_t n) {
	struct filters *f = arg;

	grep_text(f->greps[0], text, n);
}

static void filters_next(void *arg, const char *text, size_t n) {
	grep_text(arg, text, n);
}

static void filters_last(void *arg, const char *text, size_t n) {
	const struct filters *f = arg;
	struct out_filter now = out_filter(f->out, f->outer);

	out_bytes(f->out, text, n);
	out_filter(f->out, now);
}

static void filters_drop(struct filters *f) {
	for (size_t i = 0; i < f->n; i++)
		grep_free(f->greps[i]);
	f->n = 0;
}

/* The words of one filter, its name the first of them. */
static int filter_words(const char *line, const struct pipe *p, size_t i, struct words *words,
			struct err *err) {
	AUTO_FREE char *text = xstrndup(line + p->start[i], p->stop[i] - p->start[i]);
	enum lex_result rc = lex_words(text, words, err);

	if (rc == LEX_BAD)
		return err->code;
	if (rc == LEX_MORE)
		return err_set(err, ERR_PARSE, "Unmatched double quote.");
	if (words->n == 0)
		return grammar_incomplete(err);
	if (strncmp(words->w[0], "grep", strlen(words->w[0])) != 0)
		return grammar_refuse(words->w[0], err);
	return 0;
}

/* The last is made first: each needs the one that its lines go to. */
static int filter_add(struct filters *f, const struct words *words, size_t i, struct err *err) {
	void *arg = i + 1 < f->n ? (void *)f->greps[i + 1] : (void *)f;

	return grep_new(words->w + 1, words->n - 1, i + 1 < f->n ? filters_next : filters_last,
			arg, &f->greps[i], err);
}

int filters_begin(struct filters *f, const char *line, const struct pipe *p, struct out *out,
		  struct err *err) {
	int rc = 0;

	*f = (struct filters){ .out = out, .n = p->n };
	for (size_t i = p->n; i-- > 0 && rc == 0;) {
		AUTO_WORDS struct words words = { 0 };

		rc = filter_words(line, p, i, &words, err);
		if (rc == 0)
			rc = filter_add(f, &words, i, err);
	}
	if (rc > 0)
		out_text(out, grep_usage);
	if (rc)
		filters_drop(f);
	else if (f->n > 0)
		f->outer = out_filter(out, (struct out_filter){ filters_first, f });
	return rc;
}

void filters_end(struct filters *f) {
	if (f->n == 0)
		return;
	for (size_t i = 0; i < f->n; i++)
		grep_end(f->greps[i]);
	out_filter(f->out, f->outer);
	filters_drop(f);
}
