/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The small things everything stands on: the codec, growing text, errors, injected faults. */
#include "cfgdb/base/buf.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

/* ---- buf ---- */

START_TEST(test_buf_layout) {
	static const uint8_t want[] = { 1,  2,	3, 4, 5, 6, 7,	 8,   9, 10, 11, 12, 13,
					14, 15, 0, 0, 0, 2, 'h', 'i', 0, 0,  0,	 0,  'x' };
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, 0x01);
	buf_put_u16(&b, 0x0203);
	buf_put_u32(&b, 0x04050607);
	buf_put_u64(&b, 0x08090a0b0c0d0e0f);
	buf_put_str(&b, "hi");
	buf_put_str(&b, NULL);
	buf_put_bytes(&b, "x", 1);
	buf_put_bytes(&b, NULL, 0);
	ck_assert_uint_eq(b.len, sizeof(want));
	ck_assert_mem_eq(b.data, want, sizeof(want));
	buf_done(&b);
	ck_assert_uint_eq(b.len, 0);
	ck_assert_ptr_null(b.data);
}
END_TEST

/* Random fields come out as they went in; the reader then is at the end, and reads no further. */
START_TEST(test_buf_round_trip) {
	for (unsigned int n = 0; n < fixture_rounds(500); n++) {
		struct rng r = rng_seed(fixture_seed() * 7919 + n), again = r;
		unsigned int fields = rng_below(&r, 200);
		AUTO_BUF struct buf b = BUF_INIT;
		struct buf_reader reader;

		again = r;
		for (unsigned int i = 0; i < fields; i++) {
			uint32_t kind = rng_below(&r, 5);
			uint64_t v = rng_next(&r);
			AUTO_FREE char *text = random_text(&r, 300);

			kind == 0   ? buf_put_u8(&b, (uint8_t)v)
			: kind == 1 ? buf_put_u16(&b, (uint16_t)v)
			: kind == 2 ? buf_put_u32(&b, (uint32_t)v)
			: kind == 3 ? buf_put_u64(&b, v)
				    : buf_put_str(&b, text);
		}
		buf_reader_init(&reader, b.data, b.len);
		for (unsigned int i = 0; i < fields; i++) {
			uint32_t kind = rng_below(&again, 5);
			uint64_t v = rng_next(&again);
			AUTO_FREE char *text = random_text(&again, 300);
			AUTO_FREE char *got = kind == 4 ? buf_get_str(&reader, 300) : NULL;

			if (kind == 0)
				ck_assert_uint_eq(buf_get_u8(&reader), (uint8_t)v);
			else if (kind == 1)
				ck_assert_uint_eq(buf_get_u16(&reader), (uint16_t)v);
			else if (kind == 2)
				ck_assert_uint_eq(buf_get_u32(&reader), (uint32_t)v);
			else if (kind == 3)
				ck_assert_uint_eq(buf_get_u64(&reader), v);
			else
				ck_assert_str_eq(got, text);
		}
		ck_assert(buf_reader_end(&reader));
		ck_assert_uint_eq(buf_get_u8(&reader), 0);
		ck_assert(reader.bad);
		ck_assert(!buf_reader_end(&reader));
	}
}
END_TEST

static const struct {
	uint8_t data[12];
	size_t len, max;
	const char *got; /* NULL: refused */
} strings[] = {
	{ { 0, 0, 0, 0 }, 4, 10, "" },
	{ { 0, 0, 0, 2, 'h', 'i' }, 6, 10, "hi" },
	{ { 0, 0, 0, 2, 'h', 'i' }, 6, 2, "hi" },
	{ { 0, 0, 0, 2, 'h', 'i' }, 6, 1, NULL },
	{ { 0, 0, 0, 3, 'h', 'i' }, 6, 10, NULL },
	{ { 0xff, 0xff, 0xff, 0xff, 'h' }, 5, SIZE_MAX, NULL },
	{ { 0, 0, 0, 2, 'h', 0 }, 6, 10, NULL },
	{ { 0, 0, 0 }, 3, 10, NULL },
	{ { 0 }, 0, 10, NULL },
};

START_TEST(test_buf_strings) {
	struct buf_reader r;
	AUTO_FREE char *got = NULL;

	buf_reader_init(&r, strings[_i].data, strings[_i].len);
	got = buf_get_str(&r, strings[_i].max);
	ck_assert_str_eq(got, strings[_i].got ? strings[_i].got : "");
	ck_assert_int_eq(r.bad, strings[_i].got == NULL);
	ck_assert_int_eq(buf_reader_end(&r), strings[_i].got != NULL);
}
END_TEST

/* What is missing once stays missing, even when a shorter read would fit. */
START_TEST(test_buf_sticky) {
	static const uint8_t data[] = { 1, 2, 3 };
	struct buf_reader r;
	uint8_t out[2] = { 9, 9 };

	buf_reader_init(&r, data, sizeof(data));
	ck_assert_uint_eq(buf_get_u32(&r), 0);
	ck_assert_uint_eq(buf_get_u8(&r), 0);
	buf_get_bytes(&r, out, sizeof(out));
	ck_assert_uint_eq(out[0] + out[1], 0);
	ck_assert(r.bad);
}
END_TEST

/* ---- str ---- */

START_TEST(test_str) {
	AUTO_STR struct str s = STR_INIT;
	char *text;

	ck_assert_str_eq(str_text(&s), "");
	str_add(&s, "a");
	str_add_char(&s, 'b');
	str_add_bytes(&s, "cd", 1);
	str_addf(&s, "%s-%d", "e", 5);
	str_addf(&s, "%s", "");
	str_add_blanks(&s, 3);
	str_add_blanks(&s, 0);
	ck_assert_str_eq(str_text(&s), "abce-5   ");
	ck_assert_uint_eq(s.len, 9);
	text = str_steal(&s);
	ck_assert_str_eq(text, "abce-5   ");
	ck_assert_str_eq(str_text(&s), "");
	free(text);
	for (int i = 0; i < 10000; i++)
		str_addf(&s, "%d,", i % 10);
	ck_assert_uint_eq(s.len, 20000);
	ck_assert_uint_eq(strlen(str_text(&s)), 20000);
	str_clear(&s);
	ck_assert_str_eq(str_text(&s), "");
	str_done(&s);
	text = str_steal(&s);
	ck_assert_str_eq(text, "");
	free(text);
}
END_TEST

/* ---- err ---- */

START_TEST(test_err) {
	struct err e = { 0 };

	ck_assert_int_eq(err_set(&e, ERR_IN_USE, "used by %d", 2), ERR_IN_USE);
	ck_assert_int_eq(e.code, -23);
	ck_assert_str_eq(e.text, "used by 2");
	err_prefix(&e, "line %d", 7);
	ck_assert_str_eq(e.text, "line 7\nused by 2");
	ck_assert_int_eq(e.code, -23);
	ck_assert_int_eq(err_set(NULL, ERR_IP, "x"), ERR_IP);
	err_prefix(NULL, "x");
}
END_TEST

/* What was typed is quoted, but plays no tricks on the terminal that shows it. */
START_TEST(test_err_clean) {
	struct err e = { 0 };

	err_set(&e, ERR_IP,
		"a\x1b[2Jb\r\n\tc\x7f\xc2\x9b"
		"d\x9b"
		"e\xc3\xa4\xe2\x82\xac");
	ck_assert_str_eq(e.text, "a?[2Jb?\n\tc??d?e\xc3\xa4\xe2\x82\xac");
	err_prefix(&e, "\x07%s", "x");
	ck_assert_int_eq(e.text[0], '?');
}
END_TEST

START_TEST(test_err_bounded) {
	struct err e = { 0 };
	AUTO_FREE char *text = xcalloc(5000, 1);

	memset(text, 'a', 4999);
	err_set(&e, ERR_IP, "%s", text);
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_MAX - 1);
	err_prefix(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_MAX - 1);
	err_set(&e, ERR_IP, "short");
	err_prefix(&e, "%s", text);
	ck_assert_uint_eq(strlen(e.text), ERR_TEXT_MAX - 1);
}
END_TEST

START_TEST(test_err_meaning) {
	ck_assert_str_eq(err_meaning(ERR_NONE), "no error");
	ck_assert_str_eq(err_meaning(ERR_IN_USE), "entry is in use");
	ck_assert_str_eq(err_meaning(ERR_MAX_ENTRIES), "reached the maximum number of entries");
	ck_assert_str_eq(err_meaning(-4711), "unknown error");
}
END_TEST

/* ---- fault ---- */

START_TEST(test_fault_countdown) {
	fixture_fault("a:1,b:3,bad,c");
	ck_assert(!fault_hit("c"));
	ck_assert(!fault_hit("b"));
	ck_assert(fault_hit("a"));
	ck_assert(!fault_hit("a"));
	ck_assert(!fault_hit("b"));
	ck_assert(fault_hit("b"));
	ck_assert(!fault_hit("b"));
	fixture_fault("a:1");
	fixture_fault(NULL);
	ck_assert(!fault_hit("a"));
}
END_TEST

START_TEST(test_fault_kills) {
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		fixture_fault("x:2:kill");
		fault_hit("x");
		fault_hit("x");
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}
END_TEST

static Suite *buf_suite(void) {
	Suite *s = suite_create("base");
	TCase *t = fixture_case(s, "base");

	tcase_add_test(t, test_buf_layout);
	tcase_add_test(t, test_buf_round_trip);
	tcase_add_loop_test(t, test_buf_strings, 0, ARRAY_LEN(strings));
	tcase_add_test(t, test_buf_sticky);
	tcase_add_test(t, test_str);
	tcase_add_test(t, test_err);
	tcase_add_test(t, test_err_clean);
	tcase_add_test(t, test_err_bounded);
	tcase_add_test(t, test_err_meaning);
	tcase_add_test(t, test_fault_countdown);
	tcase_add_test(t, test_fault_kills);
	return s;
}

int main(void) {
	return fixture_run(buf_suite());
}
