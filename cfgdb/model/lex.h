/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From text to words: quotes, escapes, continuation. Pure; no limits but the caller's text. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/err.h"

#define LEX_LINE_MAX (16u << 20)  /* bytes in one logical line */
#define LEX_WORDS_MAX 8400        /* words in one line: a full list of two-word values */

struct words {
	char **w;        /* n words, each allocated; w[n] is NULL */
	bool *quoted;    /* w[i] had quotes around any part */
	size_t *start;   /* offset in the text where word i begins */
	size_t n, size;
	bool trailing;   /* the text ends in a blank: the next word has begun */
};

enum lex_result {
	LEX_OK,
	LEX_MORE,        /* a quote is open or the line ends in a backslash: append the next line */
	LEX_BAD,         /* err says why */
};

/*
 * Split text into words; *out is released with words_done() whatever the result. A line whose
 * first non-blank is # has no words. With LEX_MORE the words so far are there, the open one last.
 */
enum lex_result lex_words(const char *text, struct words *out, struct err *err);

/*
 * End of the logical line that begins at text: its newline, or the end of the text. *open says
 * that a quote was still open or a backslash came last there. One pass, whatever the length.
 */
const char *lex_line_end(const char *text, bool *open);

/* Release what words hold. */
void words_done(struct words *words);

#define AUTO_WORDS __attribute__((cleanup(words_done)))
