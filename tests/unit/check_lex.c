/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The shell's quoting: words, where they begin, and lines that go on. */
#include "cfgdb/model/lex.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

/* Words are joined by |, a quoted one begins with ~. */
static const struct {
	const char *text;
	enum lex_result result;
	const char *words;
	bool trailing;
} lines[] = {
	{ "", LEX_OK, "", true },
	{ "   \t ", LEX_OK, "", true },
	{ "set a b", LEX_OK, "set|a|b", false },
	{ "  set\ta  b ", LEX_OK, "set|a|b", true },
	{ "set a b\r\n", LEX_OK, "set|a|b", true },
	{ "a\nb", LEX_OK, "a|b", false },
	{ "# all of it \" is a comment", LEX_OK, "", false },
	{ "  # so is this", LEX_OK, "", false },
	{ "a #b", LEX_OK, "a|#b", false },
	{ "a \"b c\" d", LEX_OK, "a|~b c|d", false },
	{ "a 'b c' d", LEX_OK, "a|~b c|d", false },
	{ "\"\"", LEX_OK, "~", false },
	{ "''", LEX_OK, "~", false },
	{ "\"new\"_zone", LEX_OK, "~new_zone", false },
	{ "new'_'\"zone\"", LEX_OK, "~new_zone", false },
	{ "a\\ b", LEX_OK, "a b", false },
	{ "a\\\\b", LEX_OK, "a\\b", false },
	{ "\\\"a", LEX_OK, "\"a", false },
	{ "\\#a", LEX_OK, "#a", false },
	{ "\"a\\\"b\"", LEX_OK, "~a\"b", false },
	{ "\"a\\'b\"", LEX_OK, "~a'b", false },
	{ "\"a\\\\\"", LEX_OK, "~a\\", false },
	{ "\"a\\nb\"", LEX_OK, "~a\\nb", false },
	{ "'a\\'", LEX_OK, "~a\\", false },
	{ "'a\"b'", LEX_OK, "~a\"b", false },
	{ "\"two\nlines\"", LEX_OK, "~two\nlines", false },
	{ "'two\nlines'", LEX_OK, "~two\nlines", false },
	{ "a \\\nb", LEX_OK, "a|b", false },
	{ "a\\\nb", LEX_OK, "ab", false },
	{ "a \"b c", LEX_MORE, "a|~b c", false },
	{ "a 'b", LEX_MORE, "a|~b", false },
	{ "a \"", LEX_MORE, "a|~", false },
	{ "a \"b\\", LEX_MORE, "a|~b\\", false },
	{ "a \\", LEX_MORE, "a", false },
	{ "ab\\", LEX_MORE, "ab", false },
	{ "\"a\"\\", LEX_MORE, "~a", false },
	{ "?", LEX_OK, "?", false },
	{ "\xc3\xa4 \xff", LEX_OK, "\xc3\xa4|\xff", false },
};

static char *joined(const struct words *words) {
	struct str out = STR_INIT;

	for (size_t i = 0; i < words->n; i++) {
		if (i > 0)
			str_add_char(&out, '|');
		if (words->quoted[i])
			str_add_char(&out, '~');
		str_add(&out, words->w[i]);
	}
	ck_assert_ptr_null(words->w[words->n]);
	return str_steal(&out);
}

START_TEST(test_words) {
	struct words words;
	struct err err = { 0 };
	char *text;

	ck_assert_int_eq(lex_words(lines[_i].text, &words, &err), lines[_i].result);
	text = joined(&words);
	ck_assert_str_eq(text, lines[_i].words);
	ck_assert_int_eq(words.trailing, lines[_i].trailing);
	free(text);
	words_done(&words);
	ck_assert_uint_eq(words.n, 0);
}
END_TEST

START_TEST(test_start) {
	AUTO_WORDS struct words words = { 0 };

	ck_assert_int_eq(lex_words(" set  \"a b\" c'd'e \\\n f", &words, NULL), LEX_OK);
	ck_assert_uint_eq(words.n, 4);
	ck_assert_uint_eq(words.start[0], 1);
	ck_assert_uint_eq(words.start[1], 6);
	ck_assert_uint_eq(words.start[2], 12);
	ck_assert_uint_eq(words.start[3], 21);
}
END_TEST

START_TEST(test_too_many_words) {
	AUTO_FREE char *text = xcalloc(2 * (LEX_WORDS_MAX + 1) + 1, 1);
	struct words words;
	struct err err = { 0 };

	for (int i = 0; i <= LEX_WORDS_MAX; i++)
		memcpy(text + 2 * i, "a ", 2);
	ck_assert_int_eq(lex_words(text, &words, &err), LEX_BAD);
	ck_assert_int_eq(err.code, ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, "too many words in one line: at most 8400");
	words_done(&words);
	text[2 * LEX_WORDS_MAX] = '\0';
	ck_assert_int_eq(lex_words(text, &words, NULL), LEX_OK);
	ck_assert_uint_eq(words.n, LEX_WORDS_MAX);
	words_done(&words);
}
END_TEST

/* ---- lines ---- */

static const struct {
	const char *text;
	size_t end;
	bool open;
} ends[] = {
	{ "", 0, false },
	{ "a", 1, false },
	{ "a\nb", 1, false },
	{ "\nb", 0, false },
	{ "\"a\nb\"\nc", 5, false },
	{ "'a\nb' c\nd", 7, false },
	{ "a \\\nb\nc", 5, false },
	{ "\"a\\\"\n\"\nb", 6, false },
	{ "'a\\'\nb", 4, false },
	{ "# \" no quote\nb", 12, false },
	{ "\t # '\nb", 5, false },
	{ "a # \"\nb\"", 8, false },
	{ "\"a\nb", 4, true },
	{ "'a", 2, true },
	{ "a\\", 2, true },
	{ "\"a\\", 3, true },
	{ "a\\\"\nb", 3, false },
};

START_TEST(test_line_end) {
	bool open;

	ck_assert_uint_eq((size_t)(lex_line_end(ends[_i].text, &open) - ends[_i].text),
			  ends[_i].end);
	ck_assert_int_eq(open, ends[_i].open);
}
END_TEST

/*
 * Both readings of a line agree on whether it is open, and words hold nothing that was not typed.
 */
START_TEST(test_line_and_words_agree) {
	static const char alphabet[] = "ab  \t\r\n\n\"\"''\\\\\\#?";

	for (unsigned int n = 0; n < fixture_rounds(20000); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000003 + n);
		char text[24];
		size_t len = rng_below(&r, sizeof(text)), typed = 0;
		struct words words;
		const char *end;
		bool open;

		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[rng_below(&r, sizeof(alphabet) - 1)];
		text[len] = '\0';
		end = lex_line_end(text, &open);
		ck_assert_msg(*end == '\0' || *end == '\n', "round %u", n);
		text[end - text] = '\0';
		ck_assert_msg(lex_words(text, &words, NULL) == (open ? LEX_MORE : LEX_OK),
			      "round %u: <%s>", n, text);
		for (size_t i = 0; i < words.n; i++) {
			ck_assert_msg(words.start[i] < strlen(text), "round %u", n);
			typed += strlen(words.w[i]);
		}
		ck_assert_msg(typed <= strlen(text), "round %u", n);
		words_done(&words);
	}
}
END_TEST

/* Any text, quoted by value_quote(), is one word again, wherever it stands in a line. */
START_TEST(test_quote_round_trip) {
	for (unsigned int n = 0; n < fixture_rounds(20000); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000003 + n);
		AUTO_FREE char *text = random_text(&r, 40);
		AUTO_STR struct str line = STR_INIT;
		AUTO_WORDS struct words words = { 0 };
		bool open;

		str_add(&line, "set a ");
		value_quote(text, &line);
		ck_assert_str_eq(lex_line_end(str_text(&line), &open), "");
		ck_assert(!open);
		ck_assert_int_eq(lex_words(str_text(&line), &words, NULL), LEX_OK);
		ck_assert_uint_eq(words.n, 3);
		ck_assert_str_eq(words.w[2], text);
		ck_assert(words.quoted[2]);
	}
}
END_TEST

static Suite *lex_suite(void) {
	Suite *s = suite_create("lex");
	TCase *t = fixture_case(s, "lex");

	tcase_add_loop_test(t, test_words, 0, ARRAY_LEN(lines));
	tcase_add_test(t, test_start);
	tcase_add_test(t, test_too_many_words);
	tcase_add_loop_test(t, test_line_end, 0, ARRAY_LEN(ends));
	tcase_add_test(t, test_line_and_words_agree);
	tcase_add_test(t, test_quote_round_trip);
	return s;
}

int main(void) {
	return fixture_run(lex_suite());
}
