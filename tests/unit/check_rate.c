/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rate: its burst, what comes back with time, and that nothing is saved up beyond the burst. */
#include "cfgdb/base/rate.h"

#include "tests/lib/fixture.h"

#define SECOND 1000000000u

static unsigned int take_all(struct rate *r, uint64_t now_ns) {
	unsigned int n = 0;

	while (n < 100000 && rate_take(r, now_ns))
		n++;
	return n;
}

START_TEST(test_burst) {
	struct rate r = { .per_s = 10, .burst = 25 };

	ck_assert_uint_eq(take_all(&r, 5 * (uint64_t)SECOND), 25);
	ck_assert(!rate_take(&r, 5 * (uint64_t)SECOND + SECOND / 10 - 1));
	ck_assert(rate_take(&r, 5 * (uint64_t)SECOND + SECOND / 10));
	ck_assert(!rate_take(&r, 5 * (uint64_t)SECOND + SECOND / 10));
	ck_assert_uint_eq(take_all(&r, 6 * (uint64_t)SECOND), 9);
	ck_assert_uint_eq(take_all(&r, 3600 * (uint64_t)SECOND), 25);
}
END_TEST

/* Whatever the pattern, no more come through than the time has paid for, and the burst. */
START_TEST(test_average) {
	struct rate r = { .per_s = 1000, .burst = 50 };
	uint64_t now = SECOND;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 20000; i++) {
		n += rate_take(&r, now);
		now += i % 7 * 50000; /* 150 us on average: six times the rate and more */
	}
	ck_assert_uint_le(n, (now - SECOND) / (SECOND / 1000) + 50);
	ck_assert_uint_ge(n, (now - SECOND) / (SECOND / 1000));
}
END_TEST

START_TEST(test_below) {
	struct rate r = { .per_s = 1000, .burst = 1 };

	for (uint64_t now = 0; now < 10 * (uint64_t)SECOND; now += SECOND / 1000)
		ck_assert(rate_take(&r, now));
}
END_TEST

static Suite *rate_suite(void) {
	Suite *s = suite_create("rate");
	TCase *t = fixture_case(s, "rate");

	tcase_add_test(t, test_burst);
	tcase_add_test(t, test_average);
	tcase_add_test(t, test_below);
	return s;
}

int main(void) {
	return fixture_run(rate_suite());
}
