/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floods of refusals: what is told of each source and of all, and that the sum is always right. */
#include "cfgdb/logs/flood.h"

#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "tests/lib/fixture.h"
#include "tests/lib/rng.h"

static struct flood f;
static struct str said;
static uint64_t untold;

static void setup(void) {
	f = (struct flood){ .begun_s = 0 };
	said = (struct str)STR_INIT;
	untold = 0;
}

static void teardown(void) {
	str_done(&said);
}

static void hear(void *arg, const char *source, uint32_t n) {
	(void)arg;
	str_addf(&said, "%s %u;", source, n);
	untold += n;
}

/* How many of n are told. */
static unsigned int take(const char *source, unsigned int n, int64_t now_s) {
	unsigned int told = 0;

	flood_settle(&f, now_s, hear, NULL);
	for (unsigned int i = 0; i < n; i++)
		told += flood_take(&f, source, now_s);
	return told;
}

START_TEST(test_one_source) {
	ck_assert_uint_eq(take("a", 7, 1000), 7);
	ck_assert_uint_eq(take("a", 1000, 1030), FLOOD_EACH_MAX - 7);
	ck_assert_uint_eq(take("a", 5, 1059), 0);
	ck_assert_str_eq(str_text(&said), "");
	ck_assert_uint_eq(take("b", 1, 1059), 1);
	ck_assert_uint_eq(take("a", 1, 1060), 1);
	ck_assert_str_eq(str_text(&said), "a 982;");
	/* A minute in which all was told ends without a word. */
	ck_assert_uint_eq(take("c", 1, 1200), 1);
	ck_assert_str_eq(str_text(&said), "a 982;");
}
END_TEST

/* Nobody talks another one down, but all of them together have a bound. */
START_TEST(test_all) {
	char name[8];
	unsigned int told = 0;

	for (unsigned int i = 0; i < 20; i++) {
		snprintf(name, sizeof(name), "s%u", i);
		told += take(name, 100, 1000);
		ck_assert(i >= FLOOD_ALL_MAX / FLOOD_EACH_MAX || told == (i + 1) * FLOOD_EACH_MAX);
	}
	ck_assert_uint_eq(told, FLOOD_ALL_MAX);
	flood_settle(&f, 1060, hear, NULL);
	ck_assert_uint_eq(untold, 2000 - FLOOD_ALL_MAX);
	ck_assert_uint_eq(take("a", 1, 1060), 1);
}
END_TEST

/* More sources than there are places, and names as long as anybody likes. */
START_TEST(test_places) {
	AUTO_FREE char *longest = xasprintf("%0500d", 1), *other = xasprintf("%0500d", 2);
	char name[8];

	ck_assert_uint_eq(take(longest, FLOOD_EACH_MAX, 1000), FLOOD_EACH_MAX);
	ck_assert_uint_eq(take(other, 1, 1000), 0);
	for (int i = 0; i < FLOOD_SOURCES - 2; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		ck_assert_uint_eq(take(name, 1, 1000), 1);
	}
	ck_assert_uint_eq(take("one more", FLOOD_EACH_MAX, 1000), FLOOD_EACH_MAX);
	ck_assert_uint_eq(take("and one", 1, 1000), 0);
	flood_settle(&f, INT64_MAX, hear, NULL);
	ck_assert_ptr_nonnull(strstr(str_text(&said), ";others 1;"));
	ck_assert_uint_eq(untold, 2);
}
END_TEST

/* Whatever comes when: each is told or counted, and no minute tells more than it may. */
START_TEST(test_any) {
	struct rng r = rng_seed(fixture_seed());
	uint64_t all = 0, told = 0;
	int64_t now_s = 1;

	for (unsigned int n = fixture_rounds(20000); n > 0; n--) {
		char name[8];
		unsigned int times = rng_below(&r, 40);

		snprintf(name, sizeof(name), "s%u", rng_below(&r, 100));
		now_s += rng_chance(&r, 10) ? rng_below(&r, 90) : 0;
		told += take(name, times, now_s);
		all += times;
	}
	flood_settle(&f, INT64_MAX, hear, NULL);
	ck_assert_uint_eq(all, told + untold);
	ck_assert_uint_le(told, (uint64_t)FLOOD_ALL_MAX * (uint64_t)(now_s / 60 + 1));
	ck_assert_uint_gt(told, 0);
}
END_TEST

int main(void) {
	Suite *s = suite_create("flood");
	TCase *t = fixture_case(s, "flood");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_one_source);
	tcase_add_test(t, test_all);
	tcase_add_test(t, test_places);
	tcase_add_test(t, test_any);
	return fixture_run(s);
}
