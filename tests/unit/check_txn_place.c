/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of an ordered table change places: seen in the transaction, durable, whole or absent, and
 * the others stay where they are.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr all\nset schedule always\n" \
	"set service ALL\n"

static char *dir;
static struct engine *engine;
static const struct schema_table *policy;

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	policy = fixture_table("firewall.policy");
	for (int i = 1; i <= 5; i++) {
		AUTO_FREE char *key = xasprintf("%d", i);

		fixture_set(engine, "firewall.policy", key, POLICY);
	}
}

static void teardown(void) {
	fixture_fault(NULL);
	engine_close(engine);
	free(dir);
}

static int add_key(void *arg, const struct object *obj) {
	str_addf(arg, "%s ", obj->key);
	return 0;
}

static void check_view(const struct txn *t, const char *want) {
	AUTO_STR struct str keys = STR_INIT;

	txn_each(t, policy, add_key, &keys);
	ck_assert_str_eq(str_text(&keys), want);
}

static void check_model(const struct engine *e, const char *want) {
	AUTO_STR struct str keys = STR_INIT;

	for (const struct object *obj = model_first(e->model, policy); obj;
	     obj = model_next(e->model, obj))
		add_key(&keys, obj);
	ck_assert_str_eq(str_text(&keys), want);
}

/* What is in memory is on disk, places and all. */
static void check_durable(void) {
	AUTO_FREE char *memory = fixture_snapshot(engine), *disk = fixture_snapshot_of(dir);

	ck_assert_str_eq(disk, memory);
}

static void place(struct txn *t, const char *key, const char *after) {
	struct err err = { 0 };

	ck_assert_msg(txn_place(t, policy, key, after, &err) == 0, "%s", err.text);
}

static void put(struct txn *t, const char *key) {
	struct err err = { 0 };

	ck_assert_msg(fixture_put(t, "firewall.policy", key, TXN_ANY, POLICY, &err) == 0, "%s",
		      err.text);
}

static void delete(struct txn *t, const char *key) {
	struct err err = { 0 };

	ck_assert_msg(txn_delete(t, policy, key, &err) == 0, "%s", err.text);
}

static void commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
}

START_TEST(test_place) {
	struct txn *t = txn_new(engine, "a", "test"), *other = txn_new(engine, "b", "test");
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	uint64_t revision = engine->revision;
	int64_t pos = model_find(engine->model, policy, "3")->pos;

	place(t, "4", "1");
	check_view(t, "1 4 2 3 5 ");
	check_view(other, "1 2 3 4 5 ");
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	place(t, "5", "");
	place(t, "2", "3");
	check_view(t, "5 1 4 3 2 ");
	ck_assert_uint_eq(txn_staged(t), 3);
	commit(t);
	check_model(engine, "5 1 4 3 2 ");
	check_durable();
	ck_assert_uint_eq(engine->revision, revision + 1);
	ck_assert_uint_eq(model_find(engine->model, policy, "5")->ver, revision + 1);
	ck_assert_uint_ne(model_find(engine->model, policy, "3")->ver, revision + 1);
	ck_assert_int_eq(model_find(engine->model, policy, "3")->pos, pos);
	txn_free(t);
	txn_free(other);
}
END_TEST

/* With puts and deletions before, between and behind. */
START_TEST(test_mixed) {
	struct txn *t = txn_new(engine, "a", "test");

	put(t, "7");
	delete(t, "2");
	place(t, "7", "1");
	check_view(t, "1 7 3 4 5 ");
	put(t, "8");
	put(t, "2");
	check_view(t, "1 7 3 4 5 8 2 ");
	place(t, "8", "");
	delete(t, "7");
	delete(t, "4");
	put(t, "4");
	place(t, "4", "8");
	check_view(t, "8 4 1 3 5 2 ");
	commit(t);
	check_model(engine, "8 4 1 3 5 2 ");
	check_durable();
	fixture_set(engine, "firewall.policy", "9", POLICY);
	check_model(engine, "8 4 1 3 5 2 9 ");
	txn_free(t);
}
END_TEST

/* Where it stands already; there and back again. */
START_TEST(test_void) {
	struct txn *t = txn_new(engine, "a", "test");
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;

	put(t, "3");
	place(t, "3", "2");
	place(t, "1", "");
	place(t, "4", "3");
	ck_assert_uint_eq(txn_staged(t), 1);
	commit(t);
	place(t, "4", "");
	place(t, "2", "5");
	check_view(t, "4 1 3 5 2 ");
	place(t, "2", "1");
	place(t, "4", "3");
	check_view(t, "1 2 3 4 5 ");
	commit(t);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
	txn_free(t);
}
END_TEST

/* New ones where they would come anyway, one behind the other. */
START_TEST(test_append) {
	struct txn *t = txn_new(engine, "a", "test");

	put(t, "6");
	place(t, "6", "5");
	delete(t, "5");
	put(t, "7");
	place(t, "7", "6");
	put(t, "5");
	place(t, "5", "7");
	ck_assert_ptr_null(t->orders);
	commit(t);
	check_model(engine, "1 2 3 4 6 7 5 ");
	check_durable();
	txn_free(t);
}
END_TEST

START_TEST(test_refused) {
	struct txn *t = txn_new(engine, "a", "test");
	const struct schema_table *address = fixture_table("firewall.address");
	struct err err = { 0 };

	ck_assert_int_eq(txn_place(t, policy, "77", "1", &err), ERR_NOT_FOUND);
	ck_assert_int_eq(txn_place(t, policy, "1", "77", &err), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "firewall policy 77: entry is not found in table");
	ck_assert_int_eq(txn_place(t, policy, "1", "1", &err), ERR_NOT_FOUND);
	ck_assert_int_eq(txn_place(t, address, "all", "none", &err), ERR_PARSE);
	delete(t, "2");
	ck_assert_int_eq(txn_place(t, policy, "2", "1", &err), ERR_NOT_FOUND);
	ck_assert_int_eq(txn_place(t, policy, "1", "2", &err), ERR_NOT_FOUND);
	check_view(t, "1 3 4 5 ");
	txn_free(t);
}
END_TEST

/* A place is one among others: when these come, go or move meanwhile, someone else was faster. */
START_TEST(test_overtaken) {
	struct txn *t = txn_new(engine, "a", "test"), *other = txn_new(engine, "b", "test");
	struct err err = { 0 };

	place(t, "5", "1");
	if (_i == 0)
		put(other, "6");
	else if (_i == 1)
		delete(other, "3");
	else if (_i == 2)
		place(other, "4", "2");
	else
		fixture_set(engine, "firewall.address", "elsewhere", "");
	commit(other);
	ck_assert_int_eq(txn_commit(t, &err), _i < 3 ? ERR_LOCKED : 0);
	if (_i == 3)
		check_model(engine, "1 5 2 3 4 ");
	check_durable();
	txn_free(t);
	txn_free(other);
}
END_TEST

/* A hundred times to the same place, each a commit: others are numbered anew, and nothing else. */
START_TEST(test_renumber) {
	const struct object *two = model_find(engine->model, policy, "2");

	ck_assert_int_eq(two->pos, 2 * MODEL_POS_GAP);
	for (int i = 0; i < 100; i++) {
		struct txn *t = txn_new(engine, "a", "test");
		const char *key = i % 2 ? "4" : "5";

		place(t, key, "2");
		commit(t);
		txn_free(t);
		check_model(engine, i % 2 ? "1 2 4 5 3 " : i ? "1 2 5 4 3 " : "1 2 5 3 4 ");
	}
	check_durable();
	ck_assert_int_ne(two->pos, 2 * MODEL_POS_GAP);
	ck_assert_uint_lt(two->ver, engine->revision - 99);
}
END_TEST

/* A random order from random moves, several in a commit, against a plain array; then a restart. */
START_TEST(test_random) {
	enum { N = 60 };
	struct rng r = rng_seed(fixture_seed() * 77);
	const unsigned int rounds = fixture_rounds(250);
	AUTO_STR struct str want = STR_INIT;
	int array[N];

	for (int i = 0; i < N; i++) {
		AUTO_FREE char *key = xasprintf("%d", i + 1);

		array[i] = i + 1;
		if (i >= 5)
			fixture_set(engine, "firewall.policy", key, POLICY);
	}
	for (unsigned int round = 0; round < rounds; round++) {
		struct txn *t = txn_new(engine, "a", "test");

		for (unsigned int n = 1 + rng_below(&r, 80); n > 0; n--) {
			int from = (int)rng_below(&r, N), to = (int)rng_below(&r, N), id;
			AUTO_FREE char *key = NULL, *after = NULL;

			to = rng_chance(&r, 50) ? 2 : to;
			id = array[from];
			memmove(array + from, array + from + 1,
				(size_t)(N - 1 - from) * sizeof(*array));
			memmove(array + to + 1, array + to, (size_t)(N - 1 - to) * sizeof(*array));
			array[to] = id;
			key = xasprintf("%d", id);
			after = to > 0 ? xasprintf("%d", array[to - 1]) : xstrdup("");
			place(t, key, after);
		}
		commit(t);
		txn_free(t);
	}
	for (int i = 0; i < N; i++)
		str_addf(&want, "%d ", array[i]);
	check_model(engine, str_text(&want));
	check_durable();
}
END_TEST

/* ---- whole or absent ---- */

static const char *const points[] = { "store.write", "commit.kernel", "commit.apply",
				      "store.commit" };

/* The gap behind 2 is used up, so that the next move there numbers others anew: 1 2 4 3 5. */
static void use_gap_up(void) {
	for (int i = 0; i < 31; i++) {
		struct txn *t = txn_new(engine, "a", "test");

		place(t, i % 2 ? "3" : "4", "2");
		commit(t);
		txn_free(t);
	}
	check_model(engine, "1 2 4 3 5 ");
	ck_assert_int_eq(model_find(engine->model, policy, "2")->pos, 2 * MODEL_POS_GAP);
	ck_assert_int_eq(model_find(engine->model, policy, "4")->pos, 2 * MODEL_POS_GAP + 2);
}

START_TEST(test_fault) {
	struct fake_kernel k;
	unsigned int countdown = 0;
	int rc;

	use_gap_up();
	fake_kernel_attach(&k, engine);
	do {
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i], ++countdown);
		AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
		AUTO_FREE char *kernel = xstrdup(k.now);
		struct txn *t = txn_new(engine, "a", "test");
		struct err err = { 0 };

		place(t, "5", "2");
		place(t, "1", "4");
		fixture_fault(spec);
		rc = txn_commit(t, &err);
		fixture_fault(NULL);
		after = fixture_snapshot(engine);
		txn_free(t);
		if (rc) {
			ck_assert_str_eq(after, before);
			ck_assert_str_eq(k.now, kernel);
		}
	} while (rc && countdown < 100);
	ck_assert_uint_gt(countdown, 1);
	check_model(engine, "2 5 4 1 3 ");
	ck_assert_int_ne(model_find(engine->model, policy, "2")->pos, 2 * MODEL_POS_GAP);
	check_durable();
	fake_kernel_done(&k);
}
END_TEST

/* An order that others have changed meanwhile takes nothing more: it could not be committed. */
START_TEST(test_order_of_the_past) {
	struct txn *t = txn_new(engine, "alice", "script");
	struct err err = { 0 };

	ck_assert_int_eq(txn_place(t, policy, "5", "", &err), 0);
	ck_assert_int_eq(fixture_delete(engine, "firewall.policy", "3", &err), 0);
	fixture_set(engine, "firewall.policy", "9", POLICY);
	ck_assert_int_eq(txn_rename(t, policy, "9", "10", &err), ERR_LOCKED);
	ck_assert_int_eq(txn_place_before(t, policy, "1", "9", &err), ERR_LOCKED);
	ck_assert_int_eq(txn_place(t, policy, "9", "1", &err), ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.policy", "3", TXN_ANY, POLICY, &err),
			 ERR_LOCKED);
	ck_assert_int_eq(txn_delete(t, policy, "9", &err), ERR_LOCKED);
	ck_assert_int_eq(txn_purge(t, policy, &err), ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "a", TXN_NEW, "", &err), 0);
	ck_assert_int_eq(txn_commit(t, &err), ERR_LOCKED);
	check_model(engine, "1 2 4 5 9 ");
	txn_free(t);
}
END_TEST

static Suite *txn_place_suite(void) {
	Suite *s = suite_create("txn_place");
	TCase *t = fixture_case(s, "txn_place");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_place);
	tcase_add_test(t, test_mixed);
	tcase_add_test(t, test_void);
	tcase_add_test(t, test_append);
	tcase_add_test(t, test_refused);
	tcase_add_loop_test(t, test_overtaken, 0, 4);
	tcase_add_test(t, test_renumber);
	tcase_add_test(t, test_random);
	tcase_add_loop_test(t, test_fault, 0, (int)ARRAY_LEN(points));
	tcase_add_test(t, test_order_of_the_past);
	return s;
}

int main(void) {
	return fixture_run(txn_place_suite());
}
