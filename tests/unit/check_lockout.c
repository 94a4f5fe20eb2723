/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that guess: when they are locked and for how long, what counts as one address, what a
 * right password forgets, and that no number of other addresses sets one free.
 */
#include "cfgdb/aaa/lockout.h"

#include <arpa/inet.h>
#include <stdio.h>

#include "tests/lib/fixture.h"

#define NOW 1000

static const struct lockout_rule three = { 3, 60 };
static struct lockout *l;

static void setup(void) {
	l = lockout_new();
}

static void teardown(void) {
	l = lockout_free(l);
}

static struct trust_source from(const char *text) {
	struct trust_source s;

	ck_assert(trust_source(text, &s));
	return s;
}

static bool miss_at(const char *text, const char *name, int64_t now) {
	struct trust_source s = from(text);

	return lockout_failed(l, &s, name, &three, now);
}

static bool miss(const char *text, const char *name) {
	return miss_at(text, name, NOW);
}

static bool locked(const char *text, int64_t now) {
	struct trust_source s = from(text);

	return lockout_is_locked(l, &s, now);
}

static void lock(const char *text) {
	ck_assert(!miss(text, "a"));
	ck_assert(!miss(text, "a"));
	ck_assert(!locked(text, NOW));
	ck_assert(miss(text, "a"));
}

START_TEST(test_threshold) {
	lock("10.0.0.1");
	ck_assert(locked("10.0.0.1", NOW + 59));
	ck_assert(!locked("10.0.0.1", NOW + 60));
	ck_assert(!locked("10.0.0.2", NOW));
	/* What fails meanwhile neither counts nor makes it longer. */
	ck_assert(!miss_at("10.0.0.1", "a", NOW + 59));
	ck_assert(!locked("10.0.0.1", NOW + 60));
	/* Then it begins anew. */
	ck_assert(!miss_at("10.0.0.1", "a", NOW + 60));
	ck_assert(!miss_at("10.0.0.1", "a", NOW + 60));
	ck_assert(miss_at("10.0.0.1", "a", NOW + 60));
	ck_assert(locked("10.0.0.1", NOW + 119));
}
END_TEST

START_TEST(test_rules) {
	static const struct lockout_rule never = { 0, 60 }, one = { 1, 5 }, no_time = { 1, 0 };
	struct trust_source s = from("10.0.0.1");

	for (int i = 0; i < 100; i++)
		ck_assert(!lockout_failed(l, &s, "a", &never, NOW));
	ck_assert(!locked("10.0.0.1", NOW));
	ck_assert(!lockout_failed(l, &s, "a", &no_time, NOW));
	ck_assert(!locked("10.0.0.1", NOW));
	ck_assert(lockout_failed(l, &s, "a", &one, NOW));
	ck_assert(locked("10.0.0.1", NOW + 4));
	ck_assert(!locked("10.0.0.1", NOW + 5));
}
END_TEST

START_TEST(test_addresses) {
	lock("2001:db8:0:1::1");
	ck_assert(locked("2001:db8:0:1:ffff::2", NOW));
	ck_assert(!locked("2001:db8:0:2::1", NOW));
	lock("::ffff:10.0.0.1");
	ck_assert(locked("10.0.0.1", NOW));
	ck_assert(!locked("10.0.0.2", NOW));
}
END_TEST

static void succeed(const char *text, const char *name) {
	struct trust_source s = from(text);

	lockout_succeeded(l, &s, name);
}

START_TEST(test_success) {
	miss("10.0.0.1", "a");
	miss("10.0.0.1", "a");
	succeed("10.0.0.1", "a");
	lock("10.0.0.1");
	/* His own account does not help who guesses at another. */
	miss("10.0.0.2", "a");
	miss("10.0.0.2", "a");
	succeed("10.0.0.2", "b");
	ck_assert(miss("10.0.0.2", "a"));
	miss("10.0.0.3", "a");
	miss("10.0.0.3", "b");
	succeed("10.0.0.3", "b");
	ck_assert(miss("10.0.0.3", "a"));
}
END_TEST

static void print_one(void *arg, const struct lockout_entry *e) {
	char text[NET_TEXT_MAX];

	inet_ntop(e->source.family, e->source.addr.byte, text, sizeof(text));
	str_addf(arg, "%s %u %d\n", text, e->failures, (int)e->left_s);
}

static void check_list(int64_t now, const char *wanted) {
	AUTO_STR struct str text = STR_INIT;

	lockout_each(l, now, print_one, &text);
	ck_assert_str_eq(str_text(&text), wanted);
}

START_TEST(test_list_and_clear) {
	const struct trust_source locked_one = from("2001:db8:0:1::2"), other = from("10.0.0.2");

	check_list(NOW, "");
	lock("2001:db8:0:1::1");
	miss("10.0.0.2", "a");
	check_list(NOW + 20, "2001:db8:0:1:: 3 40\n");
	check_list(NOW + 60, "");
	ck_assert_uint_eq(lockout_clear(l, &other, NOW), 0);
	ck_assert_uint_eq(lockout_clear(l, &locked_one, NOW + 60), 0);
	ck_assert_uint_eq(lockout_clear(l, &locked_one, NOW + 20), 1);
	ck_assert(!locked("2001:db8:0:1::1", NOW + 20));
	check_list(NOW + 20, "");
	/* Failures of others are counted on; all that is cleared begins anew. */
	miss("10.0.0.2", "a");
	ck_assert(miss("10.0.0.2", "a"));
	lock("10.0.0.3");
	miss("10.0.0.4", "a");
	miss("10.0.0.4", "a");
	ck_assert_uint_eq(lockout_clear(l, NULL, NOW), 2);
	check_list(NOW, "");
	ck_assert(!miss("10.0.0.4", "a"));
}
END_TEST

/* Settings that change count for who is locked. */
START_TEST(test_follow) {
	static const struct lockout_rule shorter = { 3, 30 }, longer = { 3, 90 }, four = { 4, 60 },
					 never = { 0, 60 };

	lock("10.0.0.1");
	lockout_follow(l, &longer, NOW + 10);
	check_list(NOW + 10, "10.0.0.1 3 80\n");
	lockout_follow(l, &shorter, NOW + 10);
	check_list(NOW + 10, "10.0.0.1 3 20\n");
	lockout_follow(l, &shorter, NOW + 40);
	lockout_follow(l, &longer, NOW + 40);
	check_list(NOW + 40, ""); /* what is over does not come back */
	lock("10.0.0.2");
	lockout_follow(l, &four, NOW);
	check_list(NOW, "");
	lock("10.0.0.3");
	lockout_follow(l, &never, NOW);
	check_list(NOW, "");
}
END_TEST

static const char *nth(unsigned int i) {
	static char text[64];

	snprintf(text, sizeof(text), "2001:db8:%x:%x::1", i >> 16, i & 0xffff);
	return text;
}

/* Addresses that fail once push each other out, but not who is locked. */
START_TEST(test_flush) {
	lock("10.0.0.1");
	for (unsigned int i = 0; i < 20 * LOCKOUT_SETS * LOCKOUT_WAYS; i++)
		miss(nth(i), "a");
	ck_assert(locked("10.0.0.1", NOW + 59));
	ck_assert(!locked("10.0.0.1", NOW + 60));
}
END_TEST

/* A full table: all that was locked is still locked, nobody gets more guesses than before. */
START_TEST(test_full) {
	const unsigned int n = 4 * LOCKOUT_SETS * LOCKOUT_WAYS;

	lock("10.0.0.1");
	for (unsigned int i = 0; i < n; i++)
		for (unsigned int tries = 0; !locked(nth(i), NOW); tries++) {
			ck_assert_uint_lt(tries, 3);
			miss(nth(i), "a");
		}
	ck_assert(locked("10.0.0.1", NOW));
	for (unsigned int i = 0; i < n; i++)
		ck_assert(locked(nth(i), NOW + 59));
	for (unsigned int i = 0; i < n; i++)
		ck_assert(!locked(nth(i), NOW + 60));
	for (int i = 0; i < 2; i++)
		ck_assert(!miss_at("10.0.0.7", "a", NOW + 60));
	ck_assert(miss_at("10.0.0.7", "a", NOW + 60));
}
END_TEST

static Suite *lockout_suite(void) {
	Suite *s = suite_create("lockout");
	TCase *t = fixture_case(s, "lockout");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_threshold);
	tcase_add_test(t, test_rules);
	tcase_add_test(t, test_addresses);
	tcase_add_test(t, test_success);
	tcase_add_test(t, test_list_and_clear);
	tcase_add_test(t, test_follow);
	tcase_add_test(t, test_flush);
	tcase_add_test(t, test_full);
	return s;
}

int main(void) {
	return fixture_run(lockout_suite());
}
