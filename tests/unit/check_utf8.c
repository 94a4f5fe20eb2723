/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Characters as they are taken apart, which of them are control characters, and what becomes of
 * those on a terminal and in errors.
 */
#include "cfgdb/base/utf8.h"

#include <string.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static const struct {
	const char *text;
	size_t len;
	uint32_t point;
} characters[] = {
	{ "a", 1, 'a' },
	{ "\xc3\xa4x", 2, 0xe4 },
	{ "\xe2\x82\xac", 3, 0x20ac },
	{ "\xf0\x9f\x94\xa5z", 4, 0x1f525 },
	{ "\xc3", 0, 0 },
	{ "\xe2\x82", 0, 0 },
	{ "\xf0\x9f\x94", 0, 0 },
	/* no characters: bytes */
	{ "\xa4", 1, 0xa4 },
	{ "\xff", 1, 0xff },
	{ "\xc3x", 1, 0xc3 },
	{ "\xe2\x82x", 1, 0xe2 },
};

START_TEST(test_next) {
	uint32_t point = 0;

	ck_assert_uint_eq(utf8_next(characters[_i].text, strlen(characters[_i].text), &point),
			  characters[_i].len);
	if (characters[_i].len > 0)
		ck_assert_uint_eq(point, characters[_i].point);
}
END_TEST

static const struct {
	const char *text, *visible, *in_error;
} texts[] = {
	{ "plain\ttext\n", "plain\ttext\n", "plain\ttext\n" },
	{ "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x94\xa5", NULL, NULL },
	{ "\xd7\xa9\xd7\x9c", NULL, NULL }, /* Hebrew letters are no marks */
	{ "a\x1b[2J", "a<U+001B>[2J", "a?[2J" },
	{ "a\rb\x7f", "a<U+000D>b<U+007F>", "a?b?" },
	{ "\xc2\x9b"
	  "2J",
	  "<U+009B>2J", "?2J" },
	{ "\x9b"
	  "2J",
	  "<U+009B>2J", "?2J" },
	{ "\xe0\x82\x9b", "<U+009B>", "?" },
	{ "a\xe2\x80\xaeuser", "a<U+202E>user", "a?user" },
	{ "\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9\xe2\x80\x8e\xd8\x9c",
	  "<U+202A><U+2066><U+2069><U+200E><U+061C>", "?????" },
	{ "one\xe2\x80\xa8two", "one<U+2028>two", "one?two" },
	{ "\xa4 \xff", NULL, NULL },
};

START_TEST(test_visible) {
	const char *text = texts[_i].text;
	AUTO_STR struct str out = STR_INIT;
	struct err err;

	ck_assert_uint_eq(utf8_visible(text, strlen(text), &out), strlen(text));
	ck_assert_str_eq(str_text(&out), texts[_i].visible ? texts[_i].visible : text);
	err_set(&err, ERR_VALUE, "%s", text);
	ck_assert_str_eq(err.text, texts[_i].in_error ? texts[_i].in_error : text);
}
END_TEST

/* A character that is cut off is left for later. */
START_TEST(test_cut) {
	AUTO_STR struct str out = STR_INIT;

	ck_assert_uint_eq(utf8_visible("ab\xe2\x80", 4, &out), 2);
	ck_assert_str_eq(str_text(&out), "ab");
}
END_TEST

int main(void) {
	Suite *s = suite_create("utf8");
	TCase *t = fixture_case(s, "utf8");

	tcase_add_loop_test(t, test_next, 0, ARRAY_LEN(characters));
	tcase_add_loop_test(t, test_visible, 0, ARRAY_LEN(texts));
	tcase_add_test(t, test_cut);
	return fixture_run(s);
}
