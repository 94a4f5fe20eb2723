/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lists of warnings: what a line may hold, and that their number and length have an end. */
#include "cfgdb/base/warn.h"

#include <string.h>

#include "cfgdb/base/str.h"
#include "tests/lib/fixture.h"

static void take(void *arg, const char *text) {
	str_addf(arg, "%s|", text);
}

START_TEST(test_lines) {
	struct warnings w = { 0 };
	AUTO_STR struct str said = STR_INIT;

	warn_add(NULL, "nobody listens");
	warn_add(&w, "%s %d", "one", 1);
	warn_add(&w, "two\nlines\tand \x1b[2J");
	ck_assert_uint_eq(w.n, 2);
	warn_drain(&w, take, &said);
	ck_assert_str_eq(str_text(&said), "one 1|two lines and ?[2J|");
	ck_assert_uint_eq(w.n, 0);
	str_clear(&said);
	warn_drain(&w, take, &said);
	ck_assert_str_eq(str_text(&said), "");
}
END_TEST

START_TEST(test_bounds) {
	struct warnings w = { 0 };
	AUTO_STR struct str said = STR_INIT;
	char text[2 * WARN_TEXT_MAX];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (int i = 0; i < WARN_MAX + 7; i++)
		warn_add(&w, "%s", text);
	ck_assert_uint_eq(w.n, WARN_MAX);
	ck_assert_uint_eq(strlen(w.text[0]), WARN_TEXT_MAX - 1);
	warn_drain(&w, take, &said);
	ck_assert_uint_eq(said.len,
			  WARN_MAX * WARN_TEXT_MAX + strlen("7 more warnings are not listed|"));
	ck_assert_ptr_nonnull(strstr(str_text(&said), "x|7 more warnings are not listed|"));
	warn_add(&w, "again");
	ck_assert_uint_eq(w.n, 1);
	warn_clear(&w);
	ck_assert_uint_eq(w.n, 0);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("warn");
	TCase *t = fixture_case(suite, "warn");

	tcase_add_test(t, test_lines);
	tcase_add_test(t, test_bounds);
	return fixture_run(suite);
}
