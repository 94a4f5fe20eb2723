/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bar of what takes long, on a pipe in place of a terminal, with a clock of the test. */
#include <check.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cli/progress.h"
#include "tests/lib/fixture.h"

static int fds[2];
static struct progress p;
static char text[4096];

static void setup(void) {
	ck_assert_int_eq(pipe2(fds, O_NONBLOCK), 0);
}

static void teardown(void) {
	close(fds[0]);
	close(fds[1]);
}

/* What has been drawn since the last call. */
static const char *drawn(void) {
	ssize_t n = read(fds[0], text, sizeof(text) - 1);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

/* What is quick shows nothing, and leaves nothing. */
START_TEST(test_quick) {
	progress_begin(&p, fds[1], 1000, 5000);
	progress_step(&p, 10, 5001);
	progress_step(&p, 999, 5999);
	progress_end(&p);
	ck_assert_str_eq(drawn(), "");
}
END_TEST

/* After a second it is there, moves now and then, and is wiped: as many blanks as it was wide. */
START_TEST(test_slow) {
	size_t width;

	progress_begin(&p, fds[1], 1000, 5000);
	progress_step(&p, 500, 6000);
	ck_assert_str_eq(drawn(), "\r[####################                    ]  50%");
	width = strlen(text) - 1;
	progress_step(&p, 510, 6100);
	ck_assert_str_eq(drawn(), "");
	progress_step(&p, 1000, 6200);
	ck_assert_str_eq(drawn(), "\r[########################################] 100%");
	progress_end(&p);
	drawn();
	ck_assert_uint_eq(strlen(text), width + 2);
	ck_assert_int_eq(text[0], '\r');
	ck_assert_uint_eq(strspn(text + 1, " "), width);
	ck_assert_int_eq(text[width + 1], '\r');
	progress_end(&p);
	ck_assert_str_eq(drawn(), "");
}
END_TEST

/* Without a terminal there is none; a file that turns out longer, or empty, is no fault. */
START_TEST(test_edges) {
	progress_begin(&p, -1, 1000, 0);
	progress_step(&p, 500, 9000);
	progress_end(&p);
	progress_begin(&p, fds[1], 0, 0);
	progress_step(&p, 0, 9000);
	ck_assert_ptr_nonnull(strstr(drawn(), "100%"));
	progress_begin(&p, fds[1], 10, 0);
	progress_step(&p, 30, 9000);
	ck_assert_ptr_nonnull(strstr(drawn(), "100%"));
}
END_TEST

/* A terminal that is gone is left alone. */
START_TEST(test_gone) {
	progress_begin(&p, fds[0], 10, 0);
	progress_step(&p, 3, 9000);
	ck_assert_int_eq(p.fd, -1);
	progress_end(&p);
}
END_TEST

static Suite *progress_suite(void) {
	Suite *s = suite_create("progress");
	TCase *t = fixture_case(s, "progress");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_quick);
	tcase_add_test(t, test_slow);
	tcase_add_test(t, test_edges);
	tcase_add_test(t, test_gone);
	return s;
}

int main(void) {
	return fixture_run(progress_suite());
}
