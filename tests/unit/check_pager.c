/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pager without a terminal: a text and keys in, what is sent out. A page is written down as its
 * text in brackets, so where it ends is seen; the text is handed in whole, and byte by byte.
 *
 * A model of a terminal, which wraps as real ones do, then looks at random texts: no page scrolls
 * off anything that was not read, and question and wiping leave no trace.
 */
#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/utf8.h"
#include "cli/pager.h"
#include "tests/lib/random_object.h"

#define WIPE  "\r         \r"
#define WIDE  "\xe6\xbc\xa2"	 /* a character of two columns */
#define ACUTE "\xcc\x81"	 /* a mark on the character before it */
#define FIRE  "\xf0\x9f\x94\xa5" /* two columns, four bytes */

struct screen {
	struct pager pager;
	const char *keys;
	struct str sent;
	struct str pages;
	bool quit;
};

/* One piece of text through the pager, as out.c does it. */
static void screen_write(struct screen *s, const char *text, size_t len) {
	AUTO_STR struct str bytes = STR_INIT;

	while (len > 0 && !s->quit) {
		size_t n = pager_fit(&s->pager, text, len);
		enum pager_answer answer = PAGER_NONE;

		str_add_bytes(&s->sent, text, n);
		str_add_bytes(&s->pages, text, n);
		text += n;
		len -= n;
		if (len == 0)
			break;
		str_clear(&bytes);
		pager_ask(&s->pager, &bytes);
		str_add(&s->pages, "][");
		while (answer == PAGER_NONE) {
			ck_assert_msg(*s->keys, "no key for the question after %s",
				      str_text(&s->sent));
			answer = pager_answer(&s->pager, (unsigned char)*s->keys++, &bytes);
		}
		str_add_bytes(&s->sent, str_text(&bytes), bytes.len);
		s->quit = answer == PAGER_QUIT;
	}
}

static void screen_open(struct screen *s, unsigned int rows, unsigned int columns,
			const char *keys) {
	*s = (struct screen){ .keys = keys };
	pager_begin(&s->pager, rows, columns);
	ck_assert(pager_works(&s->pager));
	str_add(&s->pages, "[");
}

static void screen_close(struct screen *s) {
	str_done(&s->sent);
	str_done(&s->pages);
}

struct page_case {
	unsigned int rows, columns;
	const char *text, *keys, *pages;
};

static const struct page_case page_cases[] = {
	/* a screen without its last row; nothing is asked when nothing follows */
	{ 4, 80, "", "", "[]" },
	{ 4, 80, "a\nb\nc\n", "", "[a\nb\nc\n]" },
	{ 4, 80, "a\nb\nc\nd", " ", "[a\nb\nc\n][d]" },
	{ 4, 80, "a\nb\nc\nd\ne\nf\ng\n", "  ", "[a\nb\nc\n][d\ne\nf\n][g\n]" },
	{ 4, 80, "\n\n\n\n", " ", "[\n\n\n][\n]" },
	{ 2, 80, "a\nb\nc\n", "  ", "[a\n][b\n][c\n]" },
	{ 1, 80, "a\nb\n", " ", "[a\n][b\n]" },
	/* a line more, then a screen */
	{ 4, 80, "a\nb\nc\nd\ne\nf\ng\nh\ni\n", "\r\n  ", "[a\nb\nc\n][d\n][e\n][f\ng\nh\n][i\n]" },
	/* the end */
	{ 4, 80, "a\nb\nc\nd\n", "q", "[a\nb\nc\n][]" },
	{ 4, 80, "a\nb\nc\nd\n", "Q", "[a\nb\nc\n][]" },
	{ 4, 80, "a\nb\nc\nd\n", "\x03", "[a\nb\nc\n][]" },
	{ 4, 80, "a\nb\nc\nd\ne\n", "\rq", "[a\nb\nc\n][d\n][]" },
	/* no answers */
	{ 4, 80, "a\nb\nc\nd\n", "xj\x1b\x04\xc3\xa4\x7f ", "[a\nb\nc\n][d\n]" },
	/* lines that are wider than the screen */
	{ 4, 10, "0123456789\na\nb\n", "", "[0123456789\na\nb\n]" },
	{ 4, 10, "0123456789A\na\nb\n", " ", "[0123456789A\na\n][b\n]" },
	{ 4, 10, "0123456789ABCDEFGHIJabcdefghijKLMNO\n", " ",
	  "[0123456789ABCDEFGHIJabcdefghij][KLMNO\n]" },
	{ 4, 10, "0123456789ABCDEFGHIJabcdefghijKLMNO\n", "\r",
	  "[0123456789ABCDEFGHIJabcdefghij][KLMNO\n]" },
	{ 3, 10, "0123456789012345678901234567890123456789xy\nz\n", "\r\r ",
	  "[01234567890123456789][0123456789][0123456789][xy\nz\n]" },
	{ 4, 10, "0123456789ABCDEFGHIJabcdefghij\n", "", "[0123456789ABCDEFGHIJabcdefghij\n]" },
	{ 4, 10, "0123456789ABCDEFGHIJabcdefghij\nx", " ",
	  "[0123456789ABCDEFGHIJabcdefghij\n][x]" },
	/* tabs go to the next stop and never wrap */
	{ 3, 20, "\t\t1234\nb\nc\n", " ", "[\t\t1234\nb\n][c\n]" },
	{ 3, 20, "\t\t12345\nb\nc\n", " ", "[\t\t12345\n][b\nc\n]" },
	{ 3, 20, "a\tb\t\t\t\tc\nb\nc\n", " ", "[a\tb\t\t\t\tc\nb\n][c\n]" },
	/* characters are not bytes, and not columns */
	{ 3, 10,
	  "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\nb\nc",
	  " ",
	  "[\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f\nb\n][c]" },
	{ 3, 10, WIDE WIDE WIDE WIDE WIDE "\nb\nc", " ", "[" WIDE WIDE WIDE WIDE WIDE "\nb\n][c]" },
	{ 3, 10, WIDE WIDE WIDE WIDE WIDE "x\nb\nc", " ",
	  "[" WIDE WIDE WIDE WIDE WIDE "x\n][b\nc]" },
	{ 3, 10, "x" FIRE FIRE FIRE FIRE FIRE "\nb\nc", " ",
	  "[x" FIRE FIRE FIRE FIRE FIRE "\n][b\nc]" },
	{ 3, 10, "012345678e" ACUTE "\nb\nc", " ", "[012345678e" ACUTE "\nb\n][c]" },
	{ 2, 10, "012345678e" ACUTE "f\n", " ", "[012345678e" ACUTE "][f\n]" },
	/* the last row ends before a character that needs two columns */
	{ 2, 10, "012345678" WIDE "\n", " ", "[012345678][" WIDE "\n]" },
	/* what is no character takes one column */
	{ 3, 10, "\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\nb\nc", " ",
	  "[\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\xe4\nb\n][c]" },
};

START_TEST(pages) {
	const struct page_case *c = &page_cases[_i];
	struct screen s;

	screen_open(&s, c->rows, c->columns, c->keys);
	screen_write(&s, c->text, strlen(c->text));
	str_add(&s.pages, "]");
	ck_assert_str_eq(str_text(&s.pages), c->pages);
	ck_assert_str_eq(s.keys, "");
	screen_close(&s);
}
END_TEST

/* Characters come one by one: the same pages, and a question only when the next one is there. */
START_TEST(pieces) {
	const struct page_case *c = &page_cases[_i];
	size_t len = strlen(c->text);
	struct screen s;

	screen_open(&s, c->rows, c->columns, c->keys);
	for (size_t done = 0, n; done < len; done += n) {
		uint32_t point;

		n = utf8_next(c->text + done, len - done, &point);
		screen_write(&s, c->text + done, n);
	}
	str_add(&s.pages, "]");
	ck_assert_str_eq(str_text(&s.pages), c->pages);
	screen_close(&s);
}
END_TEST

START_TEST(bytes_sent) {
	struct screen s;

	screen_open(&s, 3, 10, " \rxq");
	screen_write(&s, "a\nb\nc\nd\ne\nf\n", 12);
	ck_assert_str_eq(str_text(&s.sent),
			 "a\nb\n--More-- " WIPE "c\nd\n--More-- " WIPE "e\n--More-- " WIPE);
	ck_assert(s.quit);
	screen_close(&s);
	/* no newline in a line that was not at its end, but a blank where the question needs it */
	screen_open(&s, 2, 10, "  ");
	screen_write(&s, "0123456789ABC", 13);
	ck_assert_str_eq(str_text(&s.sent), "0123456789--More-- " WIPE "ABC");
	screen_close(&s);
	screen_open(&s, 2, 10, " ");
	screen_write(&s, "012345678" WIDE, 12);
	ck_assert_str_eq(str_text(&s.sent), "012345678 --More-- " WIPE WIDE);
	screen_close(&s);
}
END_TEST

START_TEST(nobody_answers) {
	AUTO_STR struct str bytes = STR_INIT;
	struct pager p;

	pager_begin(&p, 3, 10);
	ck_assert_uint_eq(pager_fit(&p, "a\nb\nc\n", 6), 4);
	ck_assert_int_eq(pager_answer(&p, 0, &bytes), PAGER_NONE);
	ck_assert_str_eq(str_text(&bytes), "");
	ck_assert_int_eq(pager_answer(&p, -1, &bytes), PAGER_QUIT);
	ck_assert_str_eq(str_text(&bytes), WIPE);
}
END_TEST

START_TEST(the_size_changes) {
	AUTO_STR struct str bytes = STR_INIT;
	const char *text = "1\n2\n3\n4\n5\n6\n7\n8\n9\n";
	struct pager p;
	size_t at;

	pager_begin(&p, 3, 10);
	at = pager_fit(&p, text, 18);
	ck_assert_uint_eq(at, 4);
	pager_resize(&p, 5, 10);
	ck_assert_int_eq(pager_answer(&p, ' ', &bytes), PAGER_ON);
	at += pager_fit(&p, text + at, 18 - at);
	ck_assert_uint_eq(at, 12);
	pager_resize(&p, 0, 10);
	ck_assert_int_eq(pager_answer(&p, ' ', &bytes), PAGER_ON);
	ck_assert(!pager_works(&p));
	pager_resize(&p, 24, 0);
	ck_assert(!pager_works(&p));
	pager_resize(&p, 24, 8);
	ck_assert(!pager_works(&p));
	pager_resize(&p, 1, 9);
	ck_assert(pager_works(&p));
}
END_TEST

/* ---- a terminal ---- */

struct cells {
	unsigned int columns, column;
	unsigned int row; /* rows begun since the last answer */
	bool pending;	  /* the last column is full: the next character wraps */
};

static void cells_put(struct cells *c, uint32_t point) {
	unsigned int width = point == '\n' || point == '\r' || point == '\t'
				     ? 0
				     : (unsigned int)wcwidth((wchar_t)point);

	if (point == '\n') {
		c->row++;
		c->column = 0;
		c->pending = false;
	} else if (point == '\r') {
		c->column = 0;
		c->pending = false;
	}
	if (width == 0)
		return;
	if (c->pending || c->column + width > c->columns) {
		c->row++;
		c->column = 0;
		c->pending = false;
	}
	c->column += width;
	if (c->column == c->columns) {
		c->column--;
		c->pending = true;
	}
}

static void cells_print(struct cells *c, const char *text, size_t len) {
	for (size_t done = 0; done < len;) {
		uint32_t point;

		done += utf8_next(text + done, len - done, &point);
		cells_put(c, point);
	}
}

static void random_text_of(struct rng *r, struct str *text) {
	static const char *const atoms[] = { "a",  "b ",      "\n",   WIDE,
					     FIRE, "e" ACUTE, "word", "0123456789" };

	for (uint32_t n = rng_below(r, 120); n > 0; n--)
		str_add(text, atoms[rng_below(r, ARRAY_LEN(atoms))]);
}

static void one_random_text(uint64_t seed) {
	struct rng r = rng_seed(seed);
	unsigned int rows = 2 + rng_below(&r, 8), columns = 9 + rng_below(&r, 20), most = rows - 1;
	struct cells c = { .columns = columns };
	AUTO_STR struct str text = STR_INIT;
	struct pager p;
	size_t done = 0;

	random_text_of(&r, &text);
	pager_begin(&p, rows, columns);
	for (;;) {
		size_t n = pager_fit(&p, str_text(&text) + done, text.len - done);
		AUTO_STR struct str bytes = STR_INIT;
		bool line = rng_chance(&r, 30);

		cells_print(&c, str_text(&text) + done, n);
		done += n;
		if (done == text.len)
			break;
		pager_ask(&p, &bytes);
		cells_print(&c, str_text(&bytes), bytes.len);
		ck_assert_msg(c.row == most, "seed %llu: %u rows before the question, not %u",
			      (unsigned long long)seed, c.row, most);
		str_clear(&bytes);
		ck_assert_int_eq(pager_answer(&p, line ? '\r' : ' ', &bytes), PAGER_ON);
		cells_print(&c, str_text(&bytes), bytes.len);
		ck_assert_msg(c.row == most && c.column == 0 && !c.pending,
			      "seed %llu: not where the question began", (unsigned long long)seed);
		c.row = 0;
		most = line ? 1 : rows - 1;
	}
	ck_assert_uint_le(c.row, most);
}

START_TEST(a_terminal_agrees) {
	for (uint64_t seed = 1; seed <= 20000; seed++)
		one_random_text(seed);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("pager");
	TCase *t = tcase_create("pager");
	SRunner *runner;
	int failed;

	setlocale(LC_CTYPE, "C.UTF-8");
	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, pages, 0, (int)ARRAY_LEN(page_cases));
	tcase_add_loop_test(t, pieces, 0, (int)ARRAY_LEN(page_cases));
	tcase_add_test(t, bytes_sent);
	tcase_add_test(t, nobody_answers);
	tcase_add_test(t, the_size_changes);
	tcase_add_test(t, a_terminal_agrees);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
