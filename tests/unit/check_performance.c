/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Samples and their averages; processors and memory from the kernel's text; the lines printed. */
#include "backends/performance.h"

#include <linux/if.h>

#include "backends/cmd_performance.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define MB 1000000ull

/* ---- processors ---- */

static const char stat_before[] = "cpu  100 0 100 800 0 0 0 0 0 0\n"
				  "cpu0 100 0 100 800 0 0 0 0 0 0\n"
				  "cpu2 0 0 0 0 0 0 0 0 0 0\n"
				  "intr 12345 0 0\n";
static const char stat_now[] = "cpu  110 20 130 840 50 60 70 80 0 0\n"
			       "cpu0 101 1 102 896 0 0 0 0 0 0\n"
			       "cpu2 0 0 0 0 0 0 0 0 0 0\n"
			       "cpu3 50 0 50 0 0 0 0 0 0 0\n"
			       "intr 12345 0 0\n";

START_TEST(test_cpus) {
	static const unsigned int right[][CPU_USES] = {
		[0] = { 3, 6, 8, 11, 14, 17, 19, 22 },
		[1] = { 1, 1, 2, 96, 0, 0, 0, 0 },
		[2] = { 0 },
		[3] = { 50, 0, 50, 0, 0, 0, 0, 0 }, /* it was not there before: since its start */
	};
	static const int numbers[] = { -1, 0, 2, 3 };
	struct cpus before, now;
	unsigned int share[CPU_USES];

	cpus_parse(stat_before, &before);
	cpus_parse(stat_now, &now);
	ck_assert_uint_eq(before.n, 3);
	ck_assert_uint_eq(now.n, 4);
	for (size_t i = 0; i < now.n; i++) {
		ck_assert_int_eq(now.cpu[i].number, numbers[i]);
		cpu_shares(&before, &now.cpu[i], share);
		for (int u = 0; u < CPU_USES; u++)
			ck_assert_msg(share[u] == right[i][u], "cpu %d use %d: %u", numbers[i], u,
				      share[u]);
	}
	cpus_done(&before);
	cpus_done(&now);
}
END_TEST

/* No time has passed: shares since the start, not a division by nothing. What shrank is nothing. */
START_TEST(test_cpus_still) {
	struct cpus now, later;
	unsigned int share[CPU_USES];

	cpus_parse(stat_before, &now);
	cpu_shares(&now, &now.cpu[0], share);
	ck_assert_uint_eq(share[CPU_USER], 10);
	ck_assert_uint_eq(share[CPU_IDLE], 80);
	cpus_parse("cpu  110 0 100 700 0 0 0 0\n", &later);
	cpu_shares(&now, &later.cpu[0], share);
	ck_assert_uint_eq(share[CPU_USER], 100);
	ck_assert_uint_eq(share[CPU_IDLE], 0);
	cpus_done(&later);
	cpus_done(&now);
	cpus_parse("cpux\ncpu 1 2\n", &later);
	ck_assert_uint_eq(later.n, 0);
	cpus_parse("", &later);
	ck_assert_uint_eq(later.n, 0);
}
END_TEST

START_TEST(test_memory) {
	struct memory m;

	memory_parse("MemTotal:  1021528 kB\nMemFree:  163128 kB\nMemAvailable: 307032 kB\n", &m);
	ck_assert_uint_eq(m.total, 1021528);
	ck_assert_uint_eq(m.free, 163128);
	ck_assert_uint_eq(m.freeable, 143904);
	memory_parse("MemTotal: 10 kB\nMemFree: 4 kB\nMemAvailable: 3 kB\n", &m);
	ck_assert_uint_eq(m.freeable, 0);
	memory_parse("MemTotal: 10 kB\nMemFree: 4 kB\nMemAvailable: 30 kB\n", &m);
	ck_assert_uint_eq(m.freeable, 6);
	memory_parse("", &m);
	ck_assert_uint_eq(m.total, 0);
}
END_TEST

/* ---- samples ---- */

static struct device wire(int index, uint64_t rx, uint64_t tx) {
	return (struct device){ .index = index, .stats = { .rx_bytes = rx, .tx_bytes = tx } };
}

static void add(struct performance *p, int64_t seconds, struct device *device, size_t n,
		uint32_t sessions, uint64_t setups) {
	const struct devices devices = { device, n };

	performance_add(p, seconds * 1000, &devices, sessions, setups);
}

START_TEST(test_nothing_yet) {
	struct performance *p = performance_new();
	struct performance_average a = performance_last(p, 60);
	struct device d = wire(1, 5 * MB, 6 * MB);

	ck_assert_uint_eq(a.sessions, 0);
	ck_assert_uint_eq(performance_cpus(p)->n, 0);
	add(p, 100, &d, 1, 7, 1000);
	a = performance_last(p, 60);
	ck_assert_uint_eq(a.sessions, 7);
	ck_assert_uint_eq(a.rx_kbps + a.tx_kbps + a.setups_per_s, 0);
	performance_free(p);
}
END_TEST

/* A steady load for an hour, then a quiet minute: each average is over its own time. */
START_TEST(test_averages) {
	struct performance *p = performance_new();
	uint64_t rx = 0, tx = 0, setups = 0;
	struct performance_average a;

	for (int s = 0; s <= 3660; s += PERFORMANCE_EVERY_S) {
		struct device d = wire(1, rx, tx);

		add(p, s, &d, 1, s <= 3600 ? 100 : 10, setups);
		if (s >= 3600)
			continue;
		rx += 10 * MB;
		tx += 5 * MB;
		setups += 200;
	}
	a = performance_last(p, 60);
	ck_assert_uint_eq(a.rx_kbps, 0);
	ck_assert_uint_eq(a.sessions, (100 + 6 * 10 + 3) / 7);
	ck_assert_uint_eq(a.setups_per_s, 0);
	a = performance_last(p, 600);
	ck_assert_uint_eq(a.rx_kbps, 8000 * 54 / 60);
	ck_assert_uint_eq(a.tx_kbps, 4000 * 54 / 60);
	ck_assert_uint_eq(a.setups_per_s, 20 * 54 / 60);
	a = performance_last(p, 1800);
	ck_assert_uint_eq(a.rx_kbps, 8000 * 174 / 180);
	ck_assert_uint_eq(a.sessions, (175 * 100 + 6 * 10 + 90) / 181);
	performance_free(p);
}
END_TEST

/* Only part of the time has been sampled: the average is over that. */
START_TEST(test_short) {
	struct performance *p = performance_new();
	struct device before = wire(1, 0, 0), now = wire(1, 10 * MB, 0);

	add(p, 0, &before, 1, 0, 0);
	add(p, 10, &now, 1, 2, 50);
	ck_assert_uint_eq(performance_last(p, 60).rx_kbps, 8000);
	ck_assert_uint_eq(performance_last(p, 1800).rx_kbps, 8000);
	ck_assert_uint_eq(performance_last(p, 1800).setups_per_s, 5);
	ck_assert_uint_eq(performance_last(p, 1800).sessions, 1);
	performance_free(p);
}
END_TEST

/* Devices that come, go, begin anew or stand on others; a counter of rules that begins anew. */
START_TEST(test_counters_that_jump) {
	struct performance *p = performance_new();
	struct device first[] = { wire(1, 1000 * MB, 0), wire(2, 50 * MB, 0) };
	struct device second[] = { wire(1, 5 * MB, 0), wire(3, 900 * MB, 0) };
	struct device third[] = { wire(1, 15 * MB, 0), wire(3, 900 * MB, 0),
				  wire(4, 0, 0), wire(5, 0, 0) };
	struct device fourth[] = { wire(1, 15 * MB, 0), wire(3, 900 * MB, 0),
				   wire(4, 77 * MB, 0), wire(5, 77 * MB, 0) };

	strcpy(third[2].kind, "vlan");
	strcpy(fourth[2].kind, "vlan");
	third[3].flags = fourth[3].flags = IFF_LOOPBACK;
	add(p, 0, first, 2, 0, 500);
	add(p, 10, second, 2, 0, 20);
	ck_assert_uint_eq(performance_last(p, 60).rx_kbps, 0);
	ck_assert_uint_eq(performance_last(p, 60).setups_per_s, 0);
	add(p, 20, third, 4, 0, 40);
	add(p, 30, fourth, 4, 0, 40);
	ck_assert_uint_eq(performance_last(p, 10).rx_kbps, 0);
	ck_assert_uint_eq(performance_last(p, 20).rx_kbps, 4000);
	ck_assert_uint_eq(performance_last(p, 20).setups_per_s, 1);
	performance_free(p);
}
END_TEST

/* The processors to compare with are those of the sample before the last. */
START_TEST(test_cpus_kept) {
	struct performance *p = performance_new();

	for (int i = 1; i <= 4; i++) {
		AUTO_FREE char *text = xasprintf("cpu %d 0 0 0\n", i);
		struct cpus cpus;

		cpus_parse(text, &cpus);
		performance_add_cpus(p, &cpus);
		ck_assert_uint_eq(performance_cpus(p)->cpu[0].ticks[CPU_USER],
				  i == 1 ? 1u : (unsigned int)i - 1);
	}
	performance_free(p);
}
END_TEST

/* ---- the lines ---- */

START_TEST(test_print) {
	struct performance_view v = { .uptime_s = 86400 + 2 * 3600 + 5 * 60 + 59 };
	AUTO_STR struct str out = STR_INIT;

	cpus_parse("cpu  5 1 2 88 1 1 2 0\ncpu0 5 1 2 88 1 1 2 0\n", &v.now);
	memory_parse("MemTotal: 1021528\nMemFree: 163128\nMemAvailable: 307032\n", &v.memory);
	v.last[0] = (struct performance_average){ 1, 2, 3, 4 };
	v.last[1] = (struct performance_average){ 5, 6, 7, 8 };
	v.last[2] = (struct performance_average){ 9, 10, 11, 12 };
	performance_print(&v, &out);
	ck_assert_str_eq(
		str_text(&out),
		"CPU states: 5% user 2% system 1% nice 88% idle 1% iowait 1% irq 2% softirq\n"
		"CPU0 states: 5% user 2% system 1% nice 88% idle 1% iowait 1% irq 2% softirq\n"
		"Memory: 1021528k total, 714496k used (69.9%), 163128k free (16.0%), "
		"143904k freeable (14.1%)\n"
		"Average network usage: 1 / 2 kbps in 1 minute, 5 / 6 kbps in 10 minutes, "
		"9 / 10 kbps in 30 minutes\n"
		"Average sessions: 4 sessions in 1 minute, 8 sessions in 10 minutes, "
		"12 sessions in 30 minutes\n"
		"Average session setup rate: 3 sessions per second in last 1 minute, "
		"7 sessions per second in last 10 minutes, "
		"11 sessions per second in last 30 minutes\n"
		"Uptime: 1 days,  2 hours,  5 minutes\n");
	cpus_done(&v.now);
}
END_TEST

static Suite *performance_suite(void) {
	Suite *s = suite_create("performance");
	TCase *t = fixture_case(s, "performance");

	tcase_add_test(t, test_cpus);
	tcase_add_test(t, test_cpus_still);
	tcase_add_test(t, test_memory);
	tcase_add_test(t, test_nothing_yet);
	tcase_add_test(t, test_averages);
	tcase_add_test(t, test_short);
	tcase_add_test(t, test_counters_that_jump);
	tcase_add_test(t, test_cpus_kept);
	tcase_add_test(t, test_print);
	return s;
}

int main(void) {
	return fixture_run(performance_suite());
}
