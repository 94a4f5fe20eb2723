/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes from the kernel's text, and what they used between two looks. */
#include "backends/processes.h"

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define STAT(pid, name, state, user, system, nice, start, pages)                               \
	pid " (" name ") " state " 1 1 1 0 -1 4194560 11 22 33 44 " user " " system " 5 6 20 " \
	nice " 1 0 " start " 123456 " pages " 18446744073709551615 1 1 0\n"

static const struct {
	const char *text, *name;
	int pid;
	char state;
	int nice;
	uint64_t ticks, start, rss;
} good[] = {
	{ STAT("1", "systemd", "S", "100", "20", "0", "7", "250"), "systemd", 1, 'S', 0, 120, 7, 1000 },
	{ STAT("42", "kworker/0:1H-x", "I", "0", "5", "-20", "9", "0"), "kworker/0:1H-x", 42, 'S',
	  -20, 5, 9, 0 },
	/* names with blanks, brackets and bytes that are no letters */
	{ STAT("7", "a b) R (c", "R", "1", "2", "19", "3", "4"), "a_b)_R_(c", 7, 'R', 19, 3, 3, 16 },
	{ STAT("8", "\x01\xc3\xa9\n", "Z", "1", "2", "0", "3", "-4"), "____", 8, 'Z', 0, 3, 3, 0 },
	{ STAT("9", "x", "t", "1", "2", "0", "3", "4"), "x", 9, 'T', 0, 3, 3, 16 },
	{ STAT("10", "0123456789012345678901234567890123456789012345678901234567890123456789", "D",
	       "1", "2", "0", "3", "4"),
	  "012345678901234567890123456789012345678901234567890123456789012", 10, 'D', 0, 3, 3, 16 },
};

START_TEST(test_parse) {
	struct process p;

	ck_assert(process_parse(good[_i].text, 4, &p));
	ck_assert_str_eq(p.name, good[_i].name);
	ck_assert_int_eq(p.pid, good[_i].pid);
	ck_assert_int_eq(p.state, good[_i].state);
	ck_assert_int_eq(p.nice, good[_i].nice);
	ck_assert_uint_eq(p.ticks, good[_i].ticks);
	ck_assert_uint_eq(p.start, good[_i].start);
	ck_assert_uint_eq(p.rss_kib, good[_i].rss);
}
END_TEST

static const char *const bad[] = {
	"", "1", "1 (x", "1 x) S", "1 () S 1", ")(", "x (y) S 1 1 1 0 -1 4 1 2 3 4 5 6 7 8 20 0 1 0 9 1 1",
	"1 (x) S 1 1 1 0 -1 4194560 11 22 33 44 5",
};

START_TEST(test_parse_bad) {
	struct process p;

	ck_assert(!process_parse(bad[_i], 4, &p));
}
END_TEST

static void add(struct processes *ps, int pid, uint64_t start, uint64_t ticks, uint64_t rss_kib) {
	const struct process p = { .pid = pid, .start = start, .ticks = ticks, .rss_kib = rss_kib };

	processes_add(ps, &p);
}

START_TEST(test_compare) {
	static const struct {
		int pid;
		unsigned int cpu, memory;
	} right[] = {
		{ 4, 2000, 0 },  /* two processors' worth */
		{ 1, 500, 100 },
		{ 5, 300, 0 },   /* another one, by the number of one that is over */
		{ 6, 100, 0 },   /* new */
		{ 3, 0, 500 },
		{ 2, 0, 1 },
		{ 7, 0, 1 },
	};
	struct processes before = { NULL, 0 }, now = { NULL, 0 };

	add(&before, 5, 1, 100, 0);
	add(&before, 1, 1, 100, 0);
	add(&before, 2, 1, 100, 0);
	add(&before, 3, 1, 100, 0);
	add(&before, 4, 1, 100, 0);
	add(&before, 9, 1, 100, 0);
	add(&before, 7, 1, 100, 0);
	processes_by_pid(&before);
	add(&now, 7, 1, 100, 1);
	add(&now, 6, 150, 10, 0);
	add(&now, 5, 160, 30, 0);
	add(&now, 4, 1, 300, 0);
	add(&now, 3, 1, 100, 500);
	add(&now, 2, 1, 100, 1);
	add(&now, 1, 1, 150, 100);
	processes_compare(&before, &now, 100, 1000);
	ck_assert_uint_eq(now.n, ARRAY_LEN(right));
	for (size_t i = 0; i < now.n; i++) {
		ck_assert_int_eq(now.process[i].pid, right[i].pid);
		ck_assert_uint_eq(now.process[i].cpu_tenths, right[i].cpu);
		ck_assert_uint_eq(now.process[i].memory_tenths, right[i].memory);
	}
	/* no time between them, nothing known of memory: nothing is divided */
	processes_compare(&before, &now, 0, 0);
	ck_assert_uint_eq(now.process[0].cpu_tenths + now.process[0].memory_tenths, 0);
	processes_done(&before);
	processes_compare(&before, &now, 100, 1000);
	ck_assert_int_eq(now.process[0].pid, 4);
	ck_assert_uint_eq(now.process[0].cpu_tenths, 3000);
	processes_done(&now);
	processes_compare(&before, &now, 100, 1000);
}
END_TEST

static Suite *processes_suite(void) {
	Suite *s = suite_create("processes");
	TCase *t = fixture_case(s, "processes");

	tcase_add_loop_test(t, test_parse, 0, ARRAY_LEN(good));
	tcase_add_loop_test(t, test_parse_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(t, test_compare);
	return s;
}

int main(void) {
	return fixture_run(processes_suite());
}
