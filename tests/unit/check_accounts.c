/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Uids of administrators: one for each name, the same after a restart, never given again, and none
 * for names that no login can have.
 */
#include "cfgdb/aaa/accounts.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/aaa/aaa_wire.h"
#include "cfgdb/admin.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define BODY "set accprofile super_admin\n"

static char *dir;
static struct engine *engine;
static struct accounts *accounts;

static void begin(void) {
	struct err err = { 0 };

	engine = fixture_engine(dir);
	accounts = accounts_open(engine, &err);
	ck_assert_msg(accounts != NULL, "%s", err.text);
}

static void end(void) {
	accounts = accounts_close(accounts);
	engine_close(engine);
}

static void setup(void) {
	dir = fixture_dir();
	begin();
}

static void teardown(void) {
	end();
	free(dir);
}

static void follow(void) {
	struct err err = { 0 };

	ck_assert_msg(accounts_follow(accounts, &err) == 0, "%s", err.text);
}

static void make(const char *name) {
	fixture_set(engine, "system.admin", name, BODY);
	follow();
}

static void remove_admin(const char *name) {
	ck_assert_int_eq(fixture_delete(engine, "system.admin", name, NULL), 0);
}

static void check_is(const char *name, uint32_t uid) {
	ck_assert_uint_eq(accounts_uid(accounts, name), uid);
	ck_assert_str_eq(accounts_name(accounts, uid), name);
}

START_TEST(test_numbers) {
	check_is("admin", AAA_UID_MIN);
	make("zoe");
	make("bob");
	for (int i = 0; i < 2; i++) {
		check_is("admin", AAA_UID_MIN);
		check_is("zoe", AAA_UID_MIN + 1);
		check_is("bob", AAA_UID_MIN + 2);
		ck_assert_uint_eq(accounts_uid(accounts, "nobody"), 0);
		ck_assert_ptr_null(accounts_name(accounts, AAA_UID_MIN + 3));
		ck_assert_ptr_null(accounts_name(accounts, 0));
		end();
		begin();
	}
}
END_TEST

START_TEST(test_never_again) {
	make("bob");
	remove_admin("bob");
	/* Before it is followed, too. */
	ck_assert_uint_eq(accounts_uid(accounts, "bob"), 0);
	ck_assert_ptr_null(accounts_name(accounts, AAA_UID_MIN + 1));
	follow();
	make("bob");
	check_is("bob", AAA_UID_MIN + 2);
	remove_admin("bob");
	/* The daemon ended in between. */
	end();
	begin();
	make("eve");
	check_is("eve", AAA_UID_MIN + 3);
}
END_TEST

/* Every name has one number, and the other way round, whatever happens. */
START_TEST(test_random) {
	bool there[8] = { false };
	uint32_t uid[8] = { 0 }, last = AAA_UID_MIN;

	srandom((unsigned int)fixture_seed());
	for (unsigned int i = 0; i < fixture_rounds(200); i++) {
		unsigned int n = (unsigned int)random() % 8;
		char name[] = { (char)('a' + n), '\0' };

		if (there[n]) {
			remove_admin(name);
			follow();
		} else {
			make(name);
			uid[n] = accounts_uid(accounts, name);
			ck_assert_uint_gt(uid[n], last);
			last = uid[n];
		}
		there[n] = !there[n];
		for (unsigned int k = 0; k < 8; k++)
			if (there[k])
				check_is((const char[]){ (char)('a' + k), '\0' }, uid[k]);
	}
}
END_TEST

START_TEST(test_names) {
	static const char *const bad[] = { "", "-x", "a b", "a:b", "a/b", "a\tb", "a,b" };
	static const char *const good[] = { "a", "a-b", "a.b@c", "\xc3\xa4" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!admin_is_login_name(bad[i]), "%s", bad[i]);
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(admin_is_login_name(good[i]), "%s", good[i]);
	make("a b");
	ck_assert_uint_eq(accounts_uid(accounts, "a b"), 0);
	make("c");
	check_is("c", AAA_UID_MIN + 1);
}
END_TEST

/* What somebody has written into the row gives nobody the uid of a system account. */
START_TEST(test_bad_row) {
	static const char *const rows[] = { "", "x", "70005\n0 admin\n", "70005\n70009 admin\n",
					    "70005\n70001admin", "99999999999999\n" };
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint32_t uid;

		ck_assert_int_eq(store_meta_set(engine->store, "admin_uids", rows[i], &err), 0);
		end();
		begin();
		uid = accounts_uid(accounts, "admin");
		ck_assert_msg(uid == 0 || (uid >= AAA_UID_MIN && uid <= AAA_UID_MAX), "%s", rows[i]);
	}
}
END_TEST

/* When all numbers have been given, who comes next has none, and nobody loses his. */
START_TEST(test_used_up) {
	struct err err = { 0 };

	ck_assert_int_eq(store_meta_set(engine->store, "admin_uids", "99999\n70000 admin\n", &err), 0);
	end();
	begin();
	make("last");
	make("more");
	check_is("admin", AAA_UID_MIN);
	check_is("last", AAA_UID_MAX);
	ck_assert_uint_eq(accounts_uid(accounts, "more"), 0);
	remove_admin("last");
	follow();
	ck_assert_uint_eq(accounts_uid(accounts, "more"), 0);
}
END_TEST

static Suite *accounts_suite(void) {
	Suite *s = suite_create("accounts");
	TCase *t = fixture_case(s, "accounts");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_numbers);
	tcase_add_test(t, test_never_again);
	tcase_add_test(t, test_random);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_bad_row);
	tcase_add_test(t, test_used_up);
	return s;
}

int main(void) {
	return fixture_run(accounts_suite());
}
