/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files: whole or as they were, and never more than asked for. */
#include "cfgdb/base/file.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static void replace(const char *path, const char *text) {
	struct err err = { 0 };

	ck_assert_msg(file_replace(path, text, strlen(text), &err) == 0, "%s", err.text);
}

START_TEST(test_replace) {
	AUTO_FREE char *dir = fixture_dir(), *path = xasprintf("%s/f", dir),
		       *blocked = xasprintf("%s/f.new", dir);
	struct str out AUTO_STR = STR_INIT;
	struct err err = { 0 };
	struct stat st;

	ck_assert_int_eq(file_read(path, 100, &out, &err), ERR_NOT_FOUND);
	replace(path, "a longer text");
	replace(path, "one");
	ck_assert_int_eq(file_read(path, 3, &out, &err), 0);
	ck_assert_str_eq(str_text(&out), "one");
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(mkdir(blocked, 0700), 0);
	ck_assert_int_eq(file_replace(path, "two", 3, &err), ERR_STORE);
	ck_assert_int_eq(file_read(path, 3, &out, &err), 0);
	ck_assert_str_eq(str_text(&out), "oneone");
}
END_TEST

START_TEST(test_refused) {
	AUTO_FREE char *dir = fixture_dir(), *path = xasprintf("%s/f", dir),
		       *link = xasprintf("%s/link", dir), *text = xcalloc(10001, 1);
	struct str out AUTO_STR = STR_INIT;
	struct err err = { 0 };

	memset(text, 'x', 10000);
	replace(path, text);
	ck_assert_int_eq(file_read(path, 10000, &out, &err), 0);
	ck_assert_uint_eq(out.len, 10000);
	ck_assert_int_eq(file_read(path, 9999, &out, &err), ERR_STORE);
	ck_assert_ptr_nonnull(strstr(err.text, "longer than 9999 bytes"));
	ck_assert_int_eq(symlink(path, link), 0);
	ck_assert_int_eq(file_read(link, 10000, &out, &err), ERR_STORE);
	ck_assert_int_eq(file_read(dir, 10000, &out, &err), ERR_STORE);
}
END_TEST

static Suite *file_suite(void) {
	Suite *s = suite_create("file");
	TCase *t = fixture_case(s, "file");

	tcase_add_test(t, test_replace);
	tcase_add_test(t, test_refused);
	return s;
}

int main(void) {
	return fixture_run(file_suite());
}
