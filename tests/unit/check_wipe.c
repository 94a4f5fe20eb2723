/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is freed is wiped, whoever frees it, and so is what calls leave on the stack: memory is
 * looked through, in its own process, for a text that is nowhere in it but where it was put.
 */
#include "cfgdb/base/wipe.h"

#include <check.h>
#include <event2/buffer.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "tests/lib/fixture.h"

#define MARK_LEN 16
#define HIDE 0x55

/* The mark, written so that it is not itself what is looked for. */
static const unsigned char hidden[MARK_LEN] = "\x16\x34\x3b\x34\x27\x2c\x7a\x13"
					      "\x20\x3d\x61\x64\x66\x1c\x0f\x02";

static void write_mark(char *to) {
	for (int i = 0; i < MARK_LEN; i++)
		((volatile char *)to)[i] = (char)(hidden[i] ^ HIDE);
}

static bool is_mark(const volatile unsigned char *at) {
	for (int i = 0; i < MARK_LEN; i++)
		if (at[i] != (hidden[i] ^ HIDE))
			return false;
	return true;
}

/* How often the mark is in memory of this process that can be written. */
static unsigned int count_marks(void) {
	FILE *maps = fopen("/proc/self/maps", "r");
	int memory = open("/proc/self/mem", O_RDONLY);
	unsigned long from, to;
	unsigned int n = 0;
	char line[512], may[5];

	ck_assert(maps != NULL && memory >= 0);
	while (fgets(line, sizeof(line), maps)) {
		static unsigned char page[4096 + MARK_LEN];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, may) != 3 || strncmp(may, "rw", 2) != 0)
			continue;
		for (; from < to; from += 4096) {
			ssize_t got = pread(memory, page, sizeof(page), (off_t)from);

			for (ssize_t i = 0; i + MARK_LEN <= got && i < 4096; i++)
				n += is_mark(page + i);
			explicit_bzero(page, sizeof(page)); /* it is looked through, too */
		}
	}
	fclose(maps);
	close(memory);
	return n;
}

START_TEST(test_free) {
	static const size_t sizes[] = { 24, 100, 1000, 5000, 100000, 1 << 20 };

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		char *p = xcalloc(sizes[i], 1);

		write_mark(p + sizes[i] - MARK_LEN);
		ck_assert_uint_eq(count_marks(), 1);
		free(p);
		ck_assert_uint_eq(count_marks(), 0);
	}
	free(NULL);
}
END_TEST

START_TEST(test_realloc) {
	char *p = xreallocarray(NULL, 100, 1), *between;

	write_mark(p + 64);
	between = xcalloc(1, 100); /* so that it has to move */
	p = xreallocarray(p, 5000, 1);
	ck_assert_uint_eq(count_marks(), 1);
	ck_assert(is_mark((unsigned char *)p + 64));
	write_mark(p + 4000);
	ck_assert_uint_eq(count_marks(), 2);
	p = xreallocarray(p, 3000, 1);
	ck_assert_uint_eq(count_marks(), 1);
	p = xreallocarray(p, 80, 1);
	ck_assert(is_mark((unsigned char *)p + 64));
	ck_assert_uint_eq(count_marks(), 1);
	p = xreallocarray(p, 64, 1);
	ck_assert_uint_eq(count_marks(), 0);
	ck_assert_ptr_null(realloc(p, 0));
	free(between);
}
END_TEST

/* What grows, and what libraries free. */
START_TEST(test_others) {
	char *mark = xcalloc(1, MARK_LEN + 1), *made;
	struct evbuffer *events = evbuffer_new();
	struct str text = STR_INIT;
	struct buf frame = BUF_INIT;

	write_mark(mark);
	for (unsigned int i = 0; i < 5000; i++) {
		str_addf(&text, "%s", mark);
		buf_put_str(&frame, mark);
		ck_assert_int_eq(evbuffer_add_printf(events, "%s", mark), MARK_LEN);
	}
	made = xasprintf("%s%s", mark, mark);
	ck_assert_int_eq(evbuffer_drain(events, 4000L * MARK_LEN), 0);
	str_done(&text);
	buf_done(&frame);
	evbuffer_free(events);
	free(made);
	free(mark);
	wipe_stack();
	ck_assert_uint_eq(count_marks(), 0);
}
END_TEST

static __attribute__((noinline)) void leave_behind(unsigned int depth) {
	char here[1024];

	memset(here, 0, sizeof(here));
	if (depth == 0)
		write_mark(here);
	else
		leave_behind(depth - 1);
	__asm__ volatile("" : : "r"(here) : "memory");
}

START_TEST(test_stack) {
	leave_behind(40);
	ck_assert_uint_eq(count_marks(), 1);
	wipe_stack();
	ck_assert_uint_eq(count_marks(), 0);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("wipe");
	TCase *t = fixture_case(suite, "wipe");

	if (WIPE_FREES) {
		tcase_add_test(t, test_free);
		tcase_add_test(t, test_realloc);
		tcase_add_test(t, test_others);
		tcase_add_test(t, test_stack);
	}
	return fixture_run(suite);
}
