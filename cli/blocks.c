/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Below the outermost `config` each entry is a block, with all that is nested in it; where there
 * are attributes and no entries, all of it is one. A block waits in a backlog until its first hit,
 * which prints the frame, what waited, and from there on every line; without one it is dropped at
 * its end. A hit in the line of the outermost `config` prints all that is in it, at no cost.
 *
 * Lines outside of any `config` stand for themselves. Inside quotes that began in an earlier line
 * no word means anything.
 */
#include "cli/blocks.h"

#include <string.h>

#include "cfgdb/base/mem.h"

enum word {
	WORD_OTHER,
	WORD_CONFIG,
	WORD_EDIT,
	WORD_NEXT,
	WORD_END,
};

static const char *const words[] = {
	[WORD_CONFIG] = "config",
	[WORD_EDIT] = "edit",
	[WORD_NEXT] = "next",
	[WORD_END] = "end",
};

static enum word blocks_word(const struct backlog_line *line) {
	size_t at = 0, n = 0;

	while (at < line->len && line->text[at] == ' ')
		at++;
	while (at + n < line->len && line->text[at + n] != ' ')
		n++;
	for (size_t i = WORD_CONFIG; i < ARRAY_LEN(words); i++)
		if (strlen(words[i]) == n && memcmp(words[i], line->text + at, n) == 0)
			return (enum word)i;
	return WORD_OTHER;
}

void blocks_init(struct blocks *b,
		 void (*print)(void *arg, const struct backlog_line *line, bool hit), void *arg) {
	*b = (struct blocks){ .print = print, .arg = arg };
}

void blocks_done(struct blocks *b) {
	backlog_done(&b->held);
	str_done(&b->frame);
}

static void blocks_print_frame(struct blocks *b) {
	struct backlog_line line = { b->number, str_text(&b->frame), b->frame.len };

	if (!b->framed)
		b->print(b->arg, &line, false);
	b->framed = true;
}

/* The block has a hit: what has waited is wanted. */
static void blocks_open(struct blocks *b) {
	struct backlog_line line;

	blocks_print_frame(b);
	while (backlog_take(&b->held, &line))
		b->print(b->arg, &line, false);
	b->open = true;
}

static void blocks_close(struct blocks *b) {
	backlog_clear(&b->held);
	b->open = false;
}

/* The line of an outermost `config`; when it is a hit, all is one block that is open already. */
static void blocks_begin(struct blocks *b, const struct backlog_line *line, bool hit) {
	blocks_close(b);
	str_clear(&b->frame);
	str_add_bytes(&b->frame, line->text, line->len);
	b->number = line->number;
	b->depth = 1;
	b->framed = b->open = b->decided = hit;
	b->list = false;
	if (hit)
		b->print(b->arg, line, true);
}

static void blocks_inner(struct blocks *b, const struct backlog_line *line, bool hit) {
	if (hit && !b->open)
		blocks_open(b);
	if (b->open)
		b->print(b->arg, line, hit);
	else
		backlog_add(&b->held, line);
}

static void blocks_inside(struct blocks *b, const struct backlog_line *line, enum word word,
			  bool hit) {
	bool last = b->depth == 1 && word == WORD_END;

	if (!b->decided) {
		b->decided = true;
		b->list = word == WORD_EDIT;
	}
	if (last && b->list && b->framed)
		b->open = true;
	blocks_inner(b, line, hit);
	if (word == WORD_CONFIG || word == WORD_EDIT)
		b->depth++;
	else if (word == WORD_NEXT || word == WORD_END)
		b->depth--;
	if (last || (b->list && b->depth == 1))
		blocks_close(b);
}

static void blocks_scan(struct blocks *b, const struct backlog_line *line) {
	AUTO_FREE char *text = b->depth > 0 ? xstrndup(line->text, line->len) : NULL;

	b->state = text ? line_scan(b->state, text) : LINE_WHOLE;
}

void blocks_line(struct blocks *b, const struct backlog_line *line, bool hit) {
	enum word word = line_is_open(b->state) ? WORD_OTHER : blocks_word(line);

	blocks_scan(b, line);
	if (b->depth > 0)
		blocks_inside(b, line, word, hit);
	else if (word == WORD_CONFIG)
		blocks_begin(b, line, hit);
	else if (hit)
		b->print(b->arg, line, true);
}
