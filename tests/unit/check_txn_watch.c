/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has a say in a commit and who hears of it: the guard, watchers, rows of meta that belong to
 * it, and what of all open transactions is the newest.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/txn.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr all\nset schedule always\n" \
	"set service ALL\n"

static char *dir;
static struct engine *engine;

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	fixture_set(engine, "firewall.address", "x", "");
	fixture_set(engine, "firewall.policy", "1", POLICY);
	fixture_set(engine, "firewall.policy", "2", POLICY);
}

static void teardown(void) {
	fixture_fault(NULL);
	engine_close(engine);
	free(dir);
}

static int put(struct txn *t, const char *table, const char *key, const char *body,
	       struct err *err) {
	return fixture_put(t, table, key, TXN_ANY, body, err);
}

/* ---- the guard ---- */

struct guard {
	bool closed;
	struct str asked;
};

/* Refuses what it is asked while closed, unless nothing would change. */
static int guard_asked(void *arg, const struct object *before, const struct object *after,
		       struct err *err) {
	struct guard *g = arg;
	const struct object *obj = after ? after : before;

	str_addf(&g->asked, "%s %s%s%s ", obj->table->dotted, obj->key, before ? "" : " new",
		 after ? "" : " goes");
	if (!g->closed || (before && after && object_equal(before, after)))
		return 0;
	return err_set(err, ERR_PERMISSION, "guarded");
}

static void check_asked(struct guard *g, const char *want) {
	ck_assert_str_eq(str_text(&g->asked), want);
	str_done(&g->asked);
}

/* Asked when something is staged, and of everything once more when it is committed. */
START_TEST(test_guard) {
	struct guard g = { .closed = false, .asked = STR_INIT };
	struct txn *t = txn_new(engine, "a", "test");
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct err err = { 0 };

	engine_set_guard(engine, guard_asked, &g);
	ck_assert_int_eq(put(t, "firewall.address", "new", "", &err), 0);
	check_asked(&g, "firewall.address new new ");
	ck_assert_int_eq(txn_delete(t, fixture_table("firewall.address"), "x", &err), 0);
	check_asked(&g, "firewall.address x goes ");
	ck_assert_int_eq(txn_place(t, policy, "2", "1", &err), 0);
	check_asked(&g, "");
	ck_assert_int_eq(txn_place(t, policy, "2", "", &err), 0);
	check_asked(&g, "firewall.policy 2 goes ");
	ck_assert_int_eq(txn_commit(t, &err), 0);
	check_asked(&g, "firewall.address new new firewall.address x goes "
			"firewall.policy 2 goes firewall.policy 2 ");
	txn_free(t);
}
END_TEST

START_TEST(test_guard_refuses) {
	struct guard g = { .closed = true, .asked = STR_INIT };
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	struct txn *t = txn_new(engine, "a", "test");
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct object *same = object_copy(model_find(engine->model, policy, "1"));
	struct err err = { 0 };

	engine_set_guard(engine, guard_asked, &g);
	ck_assert_int_eq(put(t, "firewall.address", "new", "", &err), ERR_PERMISSION);
	ck_assert_str_eq(err.text, "guarded");
	ck_assert_int_eq(put(t, "firewall.address", "x", "set comment c\n", &err), ERR_PERMISSION);
	ck_assert_int_eq(txn_delete(t, policy, "1", &err), ERR_PERMISSION);
	ck_assert_int_eq(txn_place(t, policy, "2", "", &err), ERR_PERMISSION);
	ck_assert_uint_eq(txn_staged(t), 0);
	ck_assert_int_eq(txn_put(t, same, TXN_ANY, &err), 0);
	ck_assert_int_eq(txn_commit(t, &err), 0);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	txn_free(t);
	str_done(&g.asked);
}
END_TEST

/* What was staged before the guard closed does not get through; a move is more than its content. */
START_TEST(test_guard_closes) {
	struct guard g = { .closed = false, .asked = STR_INIT };
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	engine_set_guard(engine, guard_asked, &g);
	if (_i == 0)
		ck_assert_int_eq(put(t, "firewall.address", "new", "", &err), 0);
	else if (_i == 1)
		ck_assert_int_eq(txn_delete(t, fixture_table("firewall.address"), "x", &err), 0);
	else
		ck_assert_int_eq(txn_place(t, fixture_table("firewall.policy"), "2", "", &err), 0);
	g.closed = true;
	ck_assert_int_eq(txn_commit(t, &err), ERR_PERMISSION);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	txn_free(t);
	str_done(&g.asked);
}
END_TEST

/* What is found on the machine is nobody's change. */
START_TEST(test_guard_not_asked) {
	struct guard g = { .closed = true, .asked = STR_INIT };
	struct txn *t = txn_new(engine, "system", "found");
	struct err err = { 0 };

	engine_set_guard(engine, guard_asked, &g);
	txn_as_found(t);
	ck_assert_int_eq(put(t, "system.interface", "eth9", "", &err), 0);
	ck_assert_int_eq(txn_commit(t, &err), 0);
	check_asked(&g, "");
	ck_assert_ptr_nonnull(
		model_find(engine->model, fixture_table("system.interface"), "eth9"));
	txn_free(t);
}
END_TEST

/* ---- watchers ---- */

static struct str told = STR_INIT;

static void first_told(void *arg) {
	(void)arg;
	str_addf(&told, "first %llu ", (unsigned long long)engine->revision);
}

/* Commits in its turn, once. */
static void second_told(void *arg) {
	unsigned int *left = arg;

	str_addf(&told, "second %llu ", (unsigned long long)engine->revision);
	if (*left > 0) {
		--*left;
		fixture_set(engine, "firewall.address", "by itself", "");
	}
}

START_TEST(test_watch) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };
	unsigned int left = 1;

	engine_watch(engine, first_told, NULL);
	engine_watch(engine, second_told, &left);
	ck_assert_int_eq(put(t, "firewall.address", "x", "", &err), 0);
	ck_assert_int_eq(txn_commit(t, &err), 0);
	ck_assert_str_eq(str_text(&told), "");
	ck_assert_int_eq(put(t, "firewall.address", "y", "", &err), 0);
	fixture_fault("store.commit:1");
	ck_assert_int_eq(txn_commit(t, &err), ERR_STORE);
	fixture_fault(NULL);
	ck_assert_str_eq(str_text(&told), "");
	ck_assert_uint_eq(engine->revision, 4);
	ck_assert_int_eq(put(t, "firewall.address", "y", "", &err), 0);
	ck_assert_int_eq(txn_commit(t, &err), 0);
	ck_assert_str_eq(str_text(&told), "first 5 second 5 first 6 second 6 ");
	str_done(&told);
	txn_meta(t, "name", "value");
	ck_assert_int_eq(txn_commit(t, &err), 0);
	ck_assert_str_eq(str_text(&told), "first 6 second 6 ");
	str_done(&told);
	txn_free(t);
}
END_TEST

/* ---- meta ---- */

static void check_meta(const char *name, const char *want) {
	AUTO_FREE char *value = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(store_meta_get(engine->store, name, &value, &err), 0);
	if (want)
		ck_assert_str_eq(value, want);
	else
		ck_assert_ptr_null(value);
}

/* With a commit of objects (1) or alone (0): at each countdown with it, or not at all. */
START_TEST(test_meta) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	unsigned int countdown = 0;
	struct err err = { 0 };
	int rc;

	do {
		AUTO_FREE char *spec = xasprintf("store.write:%u", ++countdown);
		struct txn *t = txn_new(engine, "a", "test");

		check_meta("epoch", NULL);
		txn_meta(t, "epoch", "6");
		txn_meta(t, "epoch", "7");
		txn_meta(t, "primary", "P");
		if (_i)
			ck_assert_int_eq(put(t, "firewall.address", "y", "", &err), 0);
		fixture_fault(spec);
		rc = txn_commit(t, &err);
		fixture_fault(NULL);
		txn_free(t);
	} while (rc && countdown < 100);
	ck_assert_uint_gt(countdown, _i ? 8 : 5);
	check_meta("epoch", "7");
	check_meta("primary", "P");
	after = fixture_snapshot(engine);
	ck_assert((strcmp(after, before) != 0) == (_i == 1));
}
END_TEST

/* ---- what is staged ---- */

START_TEST(test_staged) {
	struct txn *old = txn_new(engine, "a", "test"), *new = txn_new(engine, "b", "test"),
		   *view = txn_new(engine, "c", "test");
	struct err err = { 0 };

	ck_assert_ptr_null(engine_staged(engine));
	ck_assert_int_eq(put(old, "firewall.address", "y", "", &err), 0);
	ck_assert_ptr_eq(engine_staged(engine), old);
	ck_assert_int_eq(put(new, "firewall.address", "z", "", &err), 0);
	ck_assert_ptr_eq(engine_staged(engine), new);
	txn_free(view);
	ck_assert_ptr_eq(engine_staged(engine), new);
	ck_assert_int_eq(txn_commit(new, &err), 0);
	ck_assert_ptr_eq(engine_staged(engine), old);
	txn_free(old);
	ck_assert_ptr_null(engine_staged(engine));
	txn_free(new);
}
END_TEST

static Suite *txn_watch_suite(void) {
	Suite *s = suite_create("txn_watch");
	TCase *t = fixture_case(s, "txn_watch");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_guard);
	tcase_add_test(t, test_guard_refuses);
	tcase_add_loop_test(t, test_guard_closes, 0, 3);
	tcase_add_test(t, test_guard_not_asked);
	tcase_add_test(t, test_watch);
	tcase_add_loop_test(t, test_meta, 0, 2);
	tcase_add_test(t, test_staged);
	return s;
}

int main(void) {
	return fixture_run(txn_watch_suite());
}
