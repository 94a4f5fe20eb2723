/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A page is all rows of the screen but the last, in which the question stands. Rows are counted as
 * the terminal fills them: a line that is wider than the screen takes several.
 *
 * At the right margin a terminal waits for the next character before it goes to a new row, and so
 * does this: combining marks still belong to the old row, and text that ends with the last column
 * of a page ends the page and asks nothing. The question then begins the new row by itself, no
 * newline is needed, and whoever takes question and wiping out of what was sent has the text
 * again, byte for byte.
 */
#include "cli/pager.h"

#include <stdint.h>
#include <string.h>
#include <wchar.h>

#include "cfgdb/base/utf8.h"

#define QUESTION_LEN (sizeof(PAGER_QUESTION) - 1)
#define TAB_COLUMNS  8

void pager_resize(struct pager *p, unsigned int rows, unsigned int columns) {
	p->rows = rows;
	p->columns = columns;
}

static void pager_turn(struct pager *p) {
	p->left = p->rows > 1 ? p->rows - 1 : 1;
	p->column = 0;
}

void pager_begin(struct pager *p, unsigned int rows, unsigned int columns) {
	pager_resize(p, rows, columns);
	pager_turn(p);
}

bool pager_works(const struct pager *p) {
	return p->rows > 0 && p->columns >= QUESTION_LEN;
}

/* Columns that a character takes. */
static unsigned int pager_width(uint32_t point) {
	int width = wcwidth((wchar_t)point);

	return width < 0 ? 1 : (unsigned int)width;
}

/* Put a character where the cursor is; false when that would be in a row too many. */
static bool pager_put(struct pager *p, uint32_t point) {
	unsigned int width, tab;

	if (p->left == 0)
		return false;
	if (point == '\n') {
		p->left--;
		p->column = 0;
		return true;
	}
	if (point == '\t') {
		tab = p->column - p->column % TAB_COLUMNS + TAB_COLUMNS;
		p->column = tab < p->columns ? tab : p->columns - 1;
		return true;
	}
	width = pager_width(point);
	if (p->column + width > p->columns) {
		if (--p->left == 0)
			return false;
		p->column = 0;
	}
	p->column += width;
	return true;
}

size_t pager_fit(struct pager *p, const char *text, size_t n) {
	size_t done = 0;

	while (done < n) {
		uint32_t point;
		size_t len = utf8_next(text + done, n - done, &point);

		if (!pager_put(p, point))
			break;
		done += len ? len : 1;
	}
	return done;
}

void pager_ask(const struct pager *p, struct str *out) {
	/* a wide character has left the last column free */
	if (p->column > 0)
		str_add_blanks(out, p->columns - p->column);
	str_add(out, PAGER_QUESTION);
}

enum pager_answer pager_answer(struct pager *p, int key, struct str *out) {
	if (key >= 0 && (key == '\0' || !strchr(" \r\nqQ\x03", key)))
		return PAGER_NONE;
	str_add_char(out, '\r');
	str_add_blanks(out, QUESTION_LEN);
	str_add_char(out, '\r');
	pager_turn(p);
	if (key == '\r' || key == '\n')
		p->left = 1;
	return key >= 0 && strchr(" \r\n", key) ? PAGER_ON : PAGER_QUIT;
}
