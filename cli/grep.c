/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Pieces of text become lines, a line is a hit or not, and then one of three things happens: hits
 * are counted, or printed with the lines around them, or with the block of configuration around
 * them. Only what may still become context waits, and that is bounded: a listing of any length
 * passes through.
 *
 * Most patterns are plain text, which need no regular expression to be found.
 */
#include "cli/grep.h"

#include <regex.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cli/backlog.h"
#include "cli/blocks.h"
#include "cli/grammar.h"

#define GREP_PATTERN_MAX 1000
#define GREP_PIECE	 32768
#define GREP_MARK	 " <---"

const char grep_usage[] = "Usage: grep [-invfcABC] PATTERN\n"
			  "Options:\n"
			  "        -i      Upper and lower case are the same\n"
			  "        -n      Lines begin with their number\n"
			  "        -v      Lines that do not match\n"
			  "        -f      Whole entries of configuration, matches marked\n"
			  "        -c      Only how many lines match\n"
			  "        -A      With NUM lines after a match\n"
			  "        -B      With NUM lines before it\n"
			  "        -C      With NUM lines on both sides\n";

struct grep {
	bool any_case, numbers, inverted, whole_blocks, counting;
	long after, before, around;     /* -1: not asked for */
	const char *pattern;            /* of the words, while these are read */
	char *plain;                    /* text to find, or NULL: */
	regex_t regex;
	bool has_regex;

	void (*print)(void *arg, const char *text, size_t len);
	void *arg;
	struct str partial;             /* of a line whose end has not come */
	struct str line;                /* a copy with an end, for the regular expression */
	struct str out;                 /* what is to be printed of this piece */
	unsigned long number;           /* of the line */
	unsigned long hits;
	unsigned long printed;          /* number of the last line that was; 0: none */
	long left;                      /* lines to print after the last hit */
	struct backlog before_hit;
	struct blocks blocks;
};

/* ---- options ---- */

static int grep_number(const char *word, long *ret, struct err *err) {
	char *end;
	long n = strtol(word, &end, 10);

	if (*word < '0' || *word > '9' || *end || n > GREP_CONTEXT_MAX)
		return err_set(err, ERR_VALUE,
			       "invalid unsigned integer value: %.64s\n\nvalue parse error "
			       "before '%.64s'",
			       word, word);
	*ret = n;
	return 0;
}

static bool *grep_switch(struct grep *g, char letter) {
	switch (letter) {
	case 'i':
		return &g->any_case;
	case 'n':
		return &g->numbers;
	case 'v':
		return &g->inverted;
	case 'f':
		return &g->whole_blocks;
	case 'c':
		return &g->counting;
	default:
		return NULL;
	}
}

static long *grep_setting(struct grep *g, char letter) {
	switch (letter) {
	case 'A':
		return &g->after;
	case 'B':
		return &g->before;
	case 'C':
		return &g->around;
	default:
		return NULL;
	}
}

/* A word of letters; a number may be its rest or the next word, which *used then says. */
static int grep_letters(struct grep *g, const char *word, const char *next, bool *used,
			struct err *err) {
	for (const char *p = word + 1; *p; p++) {
		bool *on = grep_switch(g, *p);
		long *number = grep_setting(g, *p);

		if (*p == 'h')
			return 1;
		if (number) {
			*used = !p[1];
			if (*used && !next)
				return grammar_incomplete(err);
			return grep_number(*used ? next : p + 1, number, err);
		}
		if (!on)
			return grammar_refuse(word, err);
		*on = true;
	}
	return 0;
}

static int grep_options(struct grep *g, char *const words[], size_t n, struct err *err) {
	bool ended = false;

	for (size_t i = 0; i < n; i++) {
		bool used = false;
		int rc = 0;

		if (!ended && strcmp(words[i], "--") == 0)
			ended = true;
		else if (!ended && words[i][0] == '-' && words[i][1])
			rc = grep_letters(g, words[i], i + 1 < n ? words[i + 1] : NULL, &used, err);
		else if (g->pattern)
			rc = grammar_refuse(words[i], err);
		else
			g->pattern = words[i];
		if (rc)
			return rc;
		i += used;
	}
	return g->pattern ? 0 : grammar_incomplete(err);
}

static int grep_compile(struct grep *g, struct err *err) {
	char why[200];
	int rc;

	if (strlen(g->pattern) > GREP_PATTERN_MAX)
		return err_set(err, ERR_TOO_LONG, "the pattern is too long: at most %d bytes",
			       GREP_PATTERN_MAX);
	if (!g->any_case && !strpbrk(g->pattern, "\\[.*^$")) {
		g->plain = xstrdup(g->pattern);
		return 0;
	}
	rc = regcomp(&g->regex, g->pattern, g->any_case ? REG_ICASE | REG_NOSUB : REG_NOSUB);
	g->has_regex = rc == 0;
	if (rc == 0)
		return 0;
	regerror(rc, &g->regex, why, sizeof(why));
	return err_set(err, ERR_VALUE,
		       "no regular expression: %s\n\nvalue parse error before '%.200s'", why,
		       g->pattern);
}

/* ---- printing ---- */

static void grep_flush(struct grep *g) {
	if (g->out.len > 0)
		g->print(g->arg, g->out.data, g->out.len);
	str_clear(&g->out);
}

static void grep_print(struct grep *g, const struct backlog_line *line, bool hit) {
	if (g->numbers)
		str_addf(&g->out, "%lu%c", line->number, hit ? ':' : '-');
	str_add_bytes(&g->out, line->text, line->len);
	str_add(&g->out, hit && g->whole_blocks ? GREP_MARK "\n" : "\n");
	g->printed = line->number;
	if (g->out.len >= GREP_PIECE)
		grep_flush(g);
}

static void grep_print_block(void *arg, const struct backlog_line *line, bool hit) {
	grep_print(arg, line, hit);
}

static bool grep_has_context(const struct grep *g) {
	return g->after >= 0 || g->before >= 0;
}

static void grep_print_hit(struct grep *g, const struct backlog_line *line) {
	unsigned long first = g->before_hit.n ? backlog_first(&g->before_hit) : line->number;
	struct backlog_line before;

	if (grep_has_context(g) && g->printed > 0 && first > g->printed + 1)
		str_add(&g->out, "--\n");
	while (backlog_take(&g->before_hit, &before))
		grep_print(g, &before, false);
	grep_print(g, line, true);
	g->left = g->after;
}

static void grep_pass_over(struct grep *g, const struct backlog_line *line) {
	struct backlog_line lost;

	if (g->left > 0) {
		g->left--;
		grep_print(g, line, false);
	} else if (g->before > 0) {
		if (g->before_hit.n >= (size_t)g->before)
			backlog_take(&g->before_hit, &lost);
		backlog_add(&g->before_hit, line);
	}
}

/* ---- lines ---- */

static bool grep_finds(struct grep *g, const char *text, size_t len) {
	if (g->plain)
		return memmem(text, len, g->plain, strlen(g->plain)) != NULL;
	str_clear(&g->line);
	str_add_bytes(&g->line, text, len);
	return regexec(&g->regex, str_text(&g->line), 0, NULL, 0) == 0;
}

static void grep_line(struct grep *g, const char *text, size_t len) {
	struct backlog_line line = { ++g->number, text, len };
	bool hit = grep_finds(g, text, len) != g->inverted;

	g->hits += hit;
	if (g->counting)
		return;
	if (g->whole_blocks)
		blocks_line(&g->blocks, &line, hit);
	else if (hit)
		grep_print_hit(g, &line);
	else
		grep_pass_over(g, &line);
}

static void grep_partial_line(struct grep *g) {
	grep_line(g, str_text(&g->partial), g->partial.len);
	str_clear(&g->partial);
}

void grep_text(struct grep *g, const char *text, size_t len) {
	while (len > 0) {
		size_t room = GREP_LINE_MAX - g->partial.len;
		size_t most = len < room ? len : room;
		const char *newline = memchr(text, '\n', most);
		size_t n = newline ? (size_t)(newline - text) : most;

		if (newline && g->partial.len == 0) {
			grep_line(g, text, n);
		} else {
			str_add_bytes(&g->partial, text, n);
			if (newline || g->partial.len == GREP_LINE_MAX)
				grep_partial_line(g);
		}
		n += newline != NULL;
		text += n;
		len -= n;
	}
	grep_flush(g);
}

void grep_end(struct grep *g) {
	if (g->partial.len > 0)
		grep_partial_line(g);
	if (g->counting)
		str_addf(&g->out, "%lu\n", g->hits);
	grep_flush(g);
}

/* ---- life ---- */

int grep_new(char *const words[], size_t n,
	     void (*print)(void *arg, const char *text, size_t len), void *arg, struct grep **ret,
	     struct err *err) {
	struct grep *g = xcalloc(1, sizeof(*g));
	int rc;

	g->after = g->before = g->around = -1;
	g->print = print;
	g->arg = arg;
	blocks_init(&g->blocks, grep_print_block, g);
	rc = grep_options(g, words, n, err);
	if (rc == 0)
		rc = grep_compile(g, err);
	if (rc) {
		grep_free(g);
		return rc;
	}
	if (g->after < 0)
		g->after = g->around;
	if (g->before < 0)
		g->before = g->around;
	*ret = g;
	return 0;
}

void grep_free(struct grep *g) {
	if (!g)
		return;
	if (g->has_regex)
		regfree(&g->regex);
	free(g->plain);
	str_done(&g->partial);
	str_done(&g->line);
	str_done(&g->out);
	backlog_done(&g->before_hit);
	blocks_done(&g->blocks);
	free(g);
}
