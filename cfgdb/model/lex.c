/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell's quoting rules. Unquoted: a word ends at a blank, a backslash takes the next
 * character literally, a backslash at the end of the line continues it. In double quotes
 * backslash escapes only " ' and \, anything else keeps its backslash. In single quotes nothing is
 * special. Adjacent pieces join: "new"_zone is new_zone. Quoted text may span lines.
 */
#include "cfgdb/model/lex.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"

struct lexer {
	const char *text;
	size_t pos;
	struct str word;
	bool in_word, quoted;
	size_t start;
	struct words *out;
};

void words_done(struct words *words) {
	for (size_t i = 0; i < words->n; i++)
		free(words->w[i]);
	free(words->w);
	free(words->quoted);
	free(words->start);
	*words = (struct words){ 0 };
}

static void lexer_begin(struct lexer *lx) {
	if (!lx->in_word)
		lx->start = lx->pos;
	lx->in_word = true;
}

static bool lexer_flush(struct lexer *lx) {
	struct words *out = lx->out;

	if (!lx->in_word)
		return true;
	if (out->n >= LEX_WORDS_MAX)
		return false;
	if (out->n + 2 > out->size) {
		out->size = out->size ? out->size * 2 : 16;
		out->w = xreallocarray(out->w, out->size, sizeof(*out->w));
		out->quoted = xreallocarray(out->quoted, out->size, sizeof(*out->quoted));
		out->start = xreallocarray(out->start, out->size, sizeof(*out->start));
	}
	out->w[out->n] = str_steal(&lx->word);
	out->quoted[out->n] = lx->quoted;
	out->start[out->n] = lx->start;
	out->w[++out->n] = NULL;
	lx->in_word = lx->quoted = false;
	return true;
}

/* After the opening quote: up to and past the closing one; false when it is missing. */
static bool lexer_quoted(struct lexer *lx, char quote) {
	const char *s = lx->text;

	for (; s[lx->pos]; lx->pos++) {
		char c = s[lx->pos];

		if (c == quote) {
			lx->pos++;
			return true;
		}
		if (quote == '"' && c == '\\' && s[lx->pos + 1] && strchr("\"'\\", s[lx->pos + 1]))
			c = s[++lx->pos];
		str_add_char(&lx->word, c);
	}
	return false;
}

static enum lex_result lexer_run(struct lexer *lx, struct err *err) {
	const char *s = lx->text;

	while (s[lx->pos]) {
		char c = s[lx->pos];

		if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
			if (!lexer_flush(lx))
				break;
			lx->pos++;
			continue;
		}
		lexer_begin(lx);
		lx->pos++;
		if (c == '"' || c == '\'') {
			lx->quoted = true;
			if (!lexer_quoted(lx, c))
				return lexer_flush(lx) ? LEX_MORE : LEX_BAD;
		} else if (c != '\\') {
			str_add_char(&lx->word, c);
		} else if (s[lx->pos] == '\n') {
			lx->pos++;
			lx->in_word = lx->word.len > 0 || lx->quoted;
		} else if (s[lx->pos]) {
			str_add_char(&lx->word, s[lx->pos++]);
		} else {
			lx->in_word = lx->word.len > 0 || lx->quoted;
			return lexer_flush(lx) ? LEX_MORE : LEX_BAD;
		}
	}
	if (!s[lx->pos] && lexer_flush(lx))
		return LEX_OK;
	err_set(err, ERR_MAX_ENTRIES, "too many words in one line: at most %d", LEX_WORDS_MAX);
	return LEX_BAD;
}

const char *lex_line_end(const char *text, bool *open) {
	const char *p = text;
	char quote = '\0';

	*open = false;
	if (text[strspn(text, " \t\r")] == '#')
		return text + strcspn(text, "\n");
	for (; *p && (quote || *p != '\n'); p++) {
		if (*p == '\\' && quote != '\'') {
			if (!p[1]) {
				*open = true;
				return p + 1;
			}
			p += quote == '\0' || strchr("\"'\\", p[1]) != NULL;
		} else if (quote) {
			quote = *p == quote ? '\0' : quote;
		} else if (*p == '"' || *p == '\'') {
			quote = *p;
		}
	}
	*open = quote != '\0';
	return p;
}

enum lex_result lex_words(const char *text, struct words *out, struct err *err) {
	struct lexer lx = { .text = text, .out = out };
	size_t len = strlen(text);
	enum lex_result rc;

	*out = (struct words){ 0 };
	out->w = xcalloc(1, sizeof(*out->w));
	out->trailing = len == 0 || strchr(" \t\r\n", text[len - 1]) != NULL;
	if (text[strspn(text, " \t\r\n")] == '#')
		return LEX_OK;
	rc = lexer_run(&lx, err);
	str_done(&lx.word);
	return rc;
}
