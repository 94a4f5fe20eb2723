/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replicated transactions of a newer release: objects of tables, and attributes, that are not known
 * here come, go, change places and are kept like others.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static const struct txn_origin origin = { .user = "ann", .source = "cli", .comment = "" };

static char *dir;
static struct engine *engine;

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	fixture_set(engine, "firewall.address", "x", "");
}

static void teardown(void) {
	fixture_fault(NULL);
	engine_close(engine);
	free(dir);
}

static struct txn *opened(void) {
	return txn_new_replicated(engine, &origin);
}

static void put(struct txn *t, const char *table, const char *key, const char *body) {
	struct object *obj = object_new(fixture_table(table), key);
	struct err err = { 0 };

	ck_assert_int_eq(text_parse(obj, body, &err), 0);
	ck_assert_msg(txn_replicate_put(t, obj, &err) == 0, "%s", err.text);
}

static void commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

static struct digest_group digests_now(void) {
	struct digest_view view;
	struct digest_group d;

	digest_view_init(&view, engine);
	digest_group(&view, &d);
	return d;
}

#define NEW_TABLE "firewall.of-tomorrow"

static void put_row(struct txn *t, const char *key, const char *body) {
	struct err err = { 0 };

	ck_assert_msg(txn_replicate_unknown(t, NEW_TABLE, key, body, &err) == 0, "%s", err.text);
}

static void place_row(struct txn *t, const char *key, const char *after) {
	struct err err = { 0 };

	ck_assert_msg(txn_place_unknown(t, NEW_TABLE, key, after, &err) == 0, "%s", err.text);
}

static char *rows_text(const struct rows *rows) {
	struct str out = STR_INIT;

	for (const struct row *row = rows_first(rows); row; row = rows_next(rows, row))
		str_addf(&out, "%s %s%s %s", row->dotted, row->key, row->vdom ? " vdom" : "",
			 row->body);
	return str_steal(&out);
}

/* In memory and, after a restart, from disk. */
static void check_rows(const char *want) {
	struct engine *again = fixture_engine(dir);
	AUTO_FREE char *memory = rows_text(model_rows(engine->model)),
		       *disk = rows_text(model_rows(again->model));

	engine_close(again);
	ck_assert_str_eq(memory, want);
	ck_assert_str_eq(disk, want);
}

START_TEST(test_put) {
	struct digest_group before = digests_now(), after;
	uint64_t revision = engine->revision;
	struct txn *t = opened();
	struct err err = { 0 };

	put_row(t, "b", "set x 1\nvdom root\n");
	put_row(t, "a", "set x 2\nvdom root\n");
	ck_assert_int_ne(txn_replicate_unknown(t, NEW_TABLE, "c", "set \"x\n", &err), 0);
	check_rows("");
	commit(t);
	check_rows(NEW_TABLE " a vdom set x 2\n" NEW_TABLE " b vdom set x 1\n");
	ck_assert_uint_eq(engine->revision, revision + 1);
	after = digests_now();
	ck_assert(memcmp(after.root, before.root, DIGEST_LEN) != 0);
	ck_assert(memcmp(after.global, before.global, DIGEST_LEN) == 0);
	t = opened();
	put_row(t, "a", "set x 2\nvdom root\n");
	put_row(t, "none", NULL);
	commit(t);
	ck_assert_uint_eq(engine->revision, revision + 1);
	t = opened();
	put_row(t, "b", NULL);
	put_row(t, "a", "set x 3\n");
	txn_expect(t, &after);
	ck_assert_int_eq(txn_commit(t, &err), ERR_CONFLICT);
	txn_free(t);
	check_rows(NEW_TABLE " a vdom set x 2\n" NEW_TABLE " b vdom set x 1\n");
	t = opened();
	put_row(t, "b", NULL);
	put_row(t, "a", "set x 3\n");
	commit(t);
	check_rows(NEW_TABLE " a set x 3\n");
}
END_TEST

static int add_name(void *arg, const char *dotted, const char *key) {
	str_addf(arg, "%s %s, ", dotted, key);
	return 0;
}

/* They are in the history as objects of known tables are. */
START_TEST(test_changed_since) {
	AUTO_STR struct str keys = STR_INIT;
	uint64_t revision = engine->revision;
	struct err err = { 0 };

	for (int i = 0; i < 3; i++) {
		AUTO_FREE char *body = xasprintf("set x %d\n", i);
		struct txn *t = opened();

		put_row(t, "a", body);
		commit(t);
	}
	ck_assert_int_eq(store_changed_since(engine->store, revision, add_name, &keys, &err), 0);
	ck_assert_str_eq(str_text(&keys), NEW_TABLE " a, ");
}
END_TEST

START_TEST(test_placed) {
	struct rng r = rng_seed(fixture_seed());
	enum { N = 20 };
	int array[N];
	AUTO_STR struct str want = STR_INIT;
	struct txn *t = opened();
	struct err err = { 0 };

	ck_assert_int_eq(txn_place_unknown(t, NEW_TABLE, "none", "", &err), ERR_NOT_FOUND);
	for (int i = 0; i < N; i++) {
		AUTO_FREE char *key = xasprintf("%d", i), *before = xasprintf("%d", i - 1);

		put_row(t, key, "set x 1\n");
		ck_assert_int_eq(txn_place_unknown(t, NEW_TABLE, key, "none", &err), ERR_NOT_FOUND);
		place_row(t, key, i ? before : "");
		array[i] = i;
	}
	for (int round = 0; round < 3000; round++) {
		int from = (int)rng_below(&r, N), to = round % 3 ? 2 : (int)rng_below(&r, N);
		int id = array[from];
		AUTO_FREE char *key = xasprintf("%d", id), *after = NULL;

		memmove(array + from, array + from + 1, (size_t)(N - 1 - from) * sizeof(*array));
		memmove(array + to + 1, array + to, (size_t)(N - 1 - to) * sizeof(*array));
		array[to] = id;
		after = to > 0 ? xasprintf("%d", array[to - 1]) : xstrdup("");
		place_row(t, key, after);
		if (round % 100 == 0) {
			commit(t);
			t = opened();
		}
	}
	commit(t);
	for (int i = 0; i < N; i++)
		str_addf(&want, NEW_TABLE " %d set x 1\n", array[i]);
	check_rows(str_text(&want));
}
END_TEST

/* A table that the exceptions leave out, although it is none here. */
START_TEST(test_excepted) {
	struct txn *t = opened();
	struct err err = { 0 };

	ck_assert_int_eq(txn_replicate_unknown(t, "router.bgp", "1", "set x 1\n", &err), 0);
	commit(t);
	check_rows("router.bgp 1 set x 1\n");
	t = opened();
	ck_assert_int_eq(txn_replicate_unknown(t, "router.bgp", "1", NULL, &err), 0);
	ck_assert_int_eq(txn_replicate_unknown(t, "router.bgp", "2", "set x 1\n", &err), 0);
	put(t, "system.vdom-exception", "1", "set object router.bgp\n");
	commit(t);
	check_rows("router.bgp 1 set x 1\n");
	t = opened();
	ck_assert_int_eq(txn_replicate_unknown(t, "router.bgp", "2", "set x 1\n", &err), 0);
	ck_assert_int_eq(
		txn_replicate_delete(t, fixture_table("system.vdom-exception"), "1", &err), 0);
	commit(t);
	check_rows("router.bgp 2 set x 1\n"); /* the other one was this unit's own */
	t = opened();
	put(t, "system.vdom-exception", "1", "set object router.bgp\n");
	commit(t);
	t = opened();
	ck_assert_int_eq(
		txn_replicate_delete(t, fixture_table("system.vdom-exception"), "1", &err), 0);
	commit(t);
	check_rows("");
}
END_TEST

static const char *const points[] = { "store.write", "commit.kernel", "store.commit" };

START_TEST(test_fault) {
	unsigned int countdown = 0;
	struct txn *t = opened();
	int rc;

	put_row(t, "goes", "set x 1\n");
	put_row(t, "changes", "set x 1\n");
	commit(t);
	do {
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i], ++countdown);
		struct digest_group was = digests_now(), now;
		struct err err = { 0 };

		t = opened();
		put_row(t, "goes", NULL);
		put_row(t, "changes", "set x 2\n");
		put_row(t, "comes", "set x 1\n");
		put(t, "firewall.address", "n", "");
		fixture_fault(spec);
		rc = txn_commit(t, &err);
		fixture_fault(NULL);
		txn_free(t);
		now = digests_now();
		check_rows(rc ? NEW_TABLE " changes set x 1\n" NEW_TABLE " goes set x 1\n"
			      : NEW_TABLE " changes set x 2\n" NEW_TABLE " comes set x 1\n");
		ck_assert((memcmp(&was, &now, sizeof(now)) == 0) == (rc != 0));
	} while (rc && countdown < 1000);
	ck_assert_uint_gt(countdown, 1);
}
END_TEST

static const struct object *find_x(void) {
	return model_find(engine->model, fixture_table("firewall.address"), "x");
}

/* What is unknown in an object comes with it, and an administrator's put keeps it. */
START_TEST(test_unknown_attribute) {
	struct object *theirs = object_new(fixture_table("firewall.address"), "x");
	struct txn *t = opened();
	struct err err = { 0 };

	ck_assert_int_eq(shared_parse(engine->keyring, theirs,
				      "set of-tomorrow 1\nset comment c\nvdom root\n", &err),
			 0);
	ck_assert_int_eq(txn_replicate_put(t, theirs, &err), 0);
	commit(t);
	ck_assert_str_eq(find_x()->unknown, "set of-tomorrow 1\n");
	ck_assert_str_eq(object_str(find_x(), FIREWALL_ADDRESS__COMMENT), "c");
	fixture_set(engine, "firewall.address", "x", "set comment d\n");
	ck_assert_str_eq(find_x()->unknown, "set of-tomorrow 1\n");
}
END_TEST

static Suite *replicate_rows_suite(void) {
	Suite *s = suite_create("replicate_rows");
	TCase *t = fixture_case(s, "replicate_rows");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_put);
	tcase_add_test(t, test_changed_since);
	tcase_add_test(t, test_placed);
	tcase_add_test(t, test_excepted);
	tcase_add_loop_test(t, test_fault, 0, (int)ARRAY_LEN(points));
	tcase_add_test(t, test_unknown_attribute);
	return s;
}

int main(void) {
	return fixture_run(replicate_rows_suite());
}
