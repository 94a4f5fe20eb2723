/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The past comes back: every revision of a random history, whole and in its order; one revision is
 * taken back alone; what cannot come back is refused by name.
 */
#include "cfgdb/history.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_edits.h"

#define POLICY                                                                 \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr all\n" \
	"set schedule always\n"                                               \
	"set service ALL\n"
#define REVISIONS 30

static char *dir;
static struct engine *engine;
static const struct schema_table *policy;

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	policy = fixture_table("firewall.policy");
}

static void teardown(void) {
	engine_close(engine);
	free(dir);
}

static void commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

/* Commit what a function stages; its code, when that is none of the commit. */
static int run(int (*stage)(struct txn *t, uint64_t revision, struct err *err), uint64_t revision,
	       struct err *err) {
	struct txn *t = txn_new(engine, "admin", "test");
	int rc = stage(t, revision, err);

	if (rc)
		txn_free(t);
	else
		commit(t);
	return rc;
}

static void good(int (*stage)(struct txn *t, uint64_t revision, struct err *err),
		 uint64_t revision) {
	struct err err = { 0 };

	ck_assert_msg(run(stage, revision, &err) == 0, "%d %s", err.code, err.text);
}

static void bad(int (*stage)(struct txn *t, uint64_t revision, struct err *err), uint64_t revision,
		int code, const char *text) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(run(stage, revision, &err), code);
	ck_assert_msg(strstr(err.text, text) != NULL, "%s", err.text);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}

static void put(struct txn *t, const char *table, const char *key, const char *body) {
	struct err err = { 0 };

	ck_assert_msg(fixture_put(t, table, key, TXN_ANY, body, &err) == 0, "%s", err.text);
}

static void place(const char *key, const char *after) {
	struct txn *t = txn_new(engine, "admin", "test");
	struct err err = { 0 };

	ck_assert_msg(txn_place(t, policy, key, after, &err) == 0, "%s", err.text);
	commit(t);
}

static void policies(unsigned int n) {
	for (unsigned int i = 1; i <= n; i++) {
		AUTO_FREE char *key = xasprintf("%u", i);

		fixture_set(engine, "firewall.policy", key, POLICY);
	}
}

static void check_policies(const char *want) {
	AUTO_STR struct str keys = STR_INIT;

	for (const struct object *obj = model_first(engine->model, policy); obj;
	     obj = model_next(engine->model, obj))
		str_addf(&keys, "%s ", obj->key);
	ck_assert_str_eq(str_text(&keys), want);
}

static void check_durable(void) {
	AUTO_FREE char *memory = fixture_snapshot(engine), *disk = fixture_snapshot_of(dir);

	ck_assert_str_eq(disk, memory);
}

/* ---- random histories ---- */

/* The pictures are too long for a message: the first line that differs has to do. */
static void check_picture(const char *got, const char *want) {
	size_t line = 0;

	if (strcmp(got, want) == 0)
		return;
	for (size_t i = 0; got[i] && got[i] == want[i]; i++)
		line = got[i] == '\n' ? i + 1 : line;
	ck_abort_msg("%.300s\n--- wanted ---\n%.300s", got + line, want + line);
}

struct past {
	uint64_t revision;
	char *picture;
	struct digest_group digests;
};

static void take_digests(struct digest_group *ret) {
	struct digest_view view;

	digest_view_init(&view, engine);
	digest_group(&view, ret);
}

static unsigned int make_history(struct rng *r, struct past *past) {
	unsigned int n = 0;

	for (unsigned int i = 0; i < REVISIONS; i++) {
		struct txn *t = txn_new(engine, "admin", "test");

		random_changes(r, t, 1 + rng_below(r, 30));
		if (txn_commit(t, NULL) == 0 &&
		    (n == 0 || past[n - 1].revision != engine->revision)) {
			past[n] = (struct past){ .revision = engine->revision };
			past[n].picture = random_picture_now(engine);
			take_digests(&past[n++].digests);
		}
		txn_free(t);
	}
	return n;
}

static void forget_history(struct past *past, unsigned int n) {
	for (unsigned int i = 0; i < n; i++)
		free(past[i].picture);
}

START_TEST(test_look) {
	struct rng r = rng_seed(fixture_seed() * 100 + (uint64_t)_i);
	struct past past[REVISIONS];
	unsigned int n = make_history(&r, past);

	ck_assert_uint_gt(n, REVISIONS / 2);
	for (unsigned int i = 0; i < n; i++) {
		struct err err = { 0 };
		struct txn *t = history_look(engine, past[i].revision, &err);
		AUTO_FREE char *picture = NULL;

		ck_assert_msg(t != NULL, "%s", err.text);
		picture = random_picture(t);
		check_picture(picture, past[i].picture);
		txn_free(t);
	}
	forget_history(past, n);
}
END_TEST

START_TEST(test_stage) {
	struct rng r = rng_seed(fixture_seed() * 100 + (uint64_t)_i);
	struct past past[REVISIONS];
	unsigned int n = make_history(&r, past);

	for (unsigned int tries = 0; tries < 12; tries++) {
		const struct past *then = &past[rng_below(&r, n)];
		AUTO_FREE char *picture = NULL;
		struct digest_group digests;

		good(history_stage, then->revision);
		picture = random_picture_now(engine);
		check_picture(picture, then->picture);
		take_digests(&digests);
		ck_assert_mem_eq(&digests, &then->digests, sizeof(digests));
	}
	check_durable();
	forget_history(past, n);
}
END_TEST

/* Undone at once, a revision leaves what was there before it. */
START_TEST(test_undo_last) {
	struct rng r = rng_seed(fixture_seed() * 100 + (uint64_t)_i);

	for (unsigned int tries = 0; tries < REVISIONS; tries++) {
		AUTO_FREE char *before = random_picture_now(engine), *after = NULL;
		uint64_t revision = engine->revision;
		struct txn *t = txn_new(engine, "admin", "test");

		random_changes(&r, t, 1 + rng_below(&r, 20));
		commit(t);
		if (engine->revision == revision)
			continue;
		good(history_undo, engine->revision);
		after = random_picture_now(engine);
		check_picture(after, before);
		t = txn_new(engine, "admin", "test");
		random_changes(&r, t, 10);
		commit(t);
	}
	check_durable();
}
END_TEST

/* ---- order ---- */

START_TEST(test_order) {
	uint64_t first;

	policies(5);
	first = engine->revision;
	place("4", "");
	place("1", "5");
	ck_assert_int_eq(fixture_delete(engine, "firewall.policy", "3", NULL), 0);
	ck_assert_int_eq(fixture_delete(engine, "firewall.policy", "2", NULL), 0);
	check_policies("4 5 1 ");
	good(history_stage, first);
	check_policies("1 2 3 4 5 ");
	good(history_stage, first + 3);
	check_policies("4 2 5 1 ");
	check_durable();
}
END_TEST

/* Only what must move is a change of the revision, and of the kernel. */
START_TEST(test_few_moves) {
	struct revision rev;
	uint64_t first;

	policies(20);
	first = engine->revision;
	place("20", "");
	good(history_stage, first);
	ck_assert_int_eq(store_revision_get(engine->store, engine->revision, &rev, NULL), 0);
	ck_assert_uint_eq(rev.n_changes, 1);
	revision_done(&rev);
}
END_TEST

/* A database of a release that did not write down where entries stood. */
START_TEST(test_order_unknown) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	uint64_t first, second;
	sqlite3 *db;

	policies(3);
	first = engine->revision;
	place("3", "");
	second = engine->revision;
	engine_close(engine);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
		sqlite3_exec(db, "ALTER TABLE chg DROP COLUMN old_after", NULL, NULL, NULL),
		SQLITE_OK);
	sqlite3_close(db);
	engine = fixture_engine(dir);
	fixture_set(engine, "firewall.policy", "1", POLICY "set name x\n");
	fixture_set(engine, "firewall.address", "a", "set subnet 10.0.0.0 255.255.255.0\n");
	bad(history_stage, first, ERR_STORE, "does not tell the order that firewall.policy had");
	good(history_stage, second);
	check_policies("3 1 2 ");
	ck_assert_ptr_null(model_find(engine->model, fixture_table("firewall.address"), "a"));
}
END_TEST

/* ---- what is left alone, what comes back as it was ---- */

static void find_link(const char *name, const char *body) {
	struct txn *t = txn_new(engine, "system", STORE_SOURCE_FOUND);

	txn_as_found(t);
	put(t, "system.interface", name, body);
	commit(t);
}

static const struct object *link(const char *name) {
	return model_find(engine->model, fixture_table("system.interface"), name);
}

START_TEST(test_found_links) {
	uint64_t first = engine->revision;

	find_link("port1", "set ip 10.0.0.1 255.255.255.0\n");
	find_link("port2", "set ip 10.0.1.1 255.255.255.0\n");
	fixture_set(engine, "system.interface", "port2", "set ip 10.0.9.9 255.255.255.0\n");
	find_link("port1", "set ip 10.0.2.1 255.255.255.0\n");
	fixture_set(engine, "system.interface", "vlan9", "set ip 10.0.3.1 255.255.255.0\n");
	good(history_stage, first);
	ck_assert_ptr_nonnull(link("port1"));
	ck_assert_uint_eq(link("port1")->ver, 0);
	ck_assert_uint_eq(object_ip(link("port1"), SYSTEM_INTERFACE__IP).a, 0x0a000201);
	ck_assert_ptr_nonnull(link("port2"));
	ck_assert_uint_eq(object_ip(link("port2"), SYSTEM_INTERFACE__IP).a, 0x0a000101);
	ck_assert_ptr_null(link("vlan9"));
}
END_TEST

START_TEST(test_secret) {
	const struct schema_table *table = fixture_table("system.standalone-cluster");
	AUTO_FREE char *sealed = NULL;
	uint64_t first;

	fixture_set(engine, "system.standalone-cluster", "", "set psksecret \"first secret\"\n");
	first = engine->revision;
	sealed = xstrdup(object_str(model_object(engine->model, table),
				    SYSTEM_STANDALONE_CLUSTER__PSKSECRET));
	fixture_set(engine, "system.standalone-cluster", "", "set psksecret \"second secret\"\n");
	good(history_stage, first);
	ck_assert_str_eq(object_str(model_object(engine->model, table),
				    SYSTEM_STANDALONE_CLUSTER__PSKSECRET),
			 sealed);
}
END_TEST

static const struct row *row_of(const char *key) {
	return rows_find(model_rows(engine->model), "future.table", key);
}

static void replicate_row(const char *key, const char *body, const char *after) {
	struct txn_origin origin = { "admin", "cli", "", 0 };
	struct txn *t = txn_new_replicated(engine, &origin);
	struct err err = { 0 };

	ck_assert_msg(txn_replicate_unknown(t, "future.table", key, body, &err) == 0, "%s",
		      err.text);
	if (body)
		ck_assert_int_eq(txn_place_unknown(t, "future.table", key, after, &err), 0);
	commit(t);
}

START_TEST(test_unknown_tables) {
	uint64_t first;

	replicate_row("a", "set x 1\nvdom root\n", "");
	replicate_row("b", "set x 2\nvdom root\n", "a");
	replicate_row("c", "set x 3\nvdom root\n", "b");
	first = engine->revision;
	replicate_row("c", "set x 4\nvdom root\n", "");
	replicate_row("a", NULL, NULL);
	fixture_set(engine, "system.global", "", "set hostname x\n");
	good(history_stage, first);
	ck_assert_ptr_nonnull(row_of("a"));
	ck_assert_str_eq(row_of("c")->body, "set x 3\n");
	ck_assert(row_of("a")->pos < row_of("b")->pos && row_of("b")->pos < row_of("c")->pos);
	ck_assert(row_of("a")->vdom);
	check_durable();
}
END_TEST

/* ---- one revision alone ---- */

START_TEST(test_undo_among_others) {
	struct txn *t;
	uint64_t revision;

	policies(5);
	t = txn_new(engine, "admin", "test");
	put(t, "firewall.policy", "2", POLICY "set name two\n");
	put(t, "firewall.address", "a", "set subnet 10.0.0.0 255.255.255.0\n");
	ck_assert_int_eq(txn_delete(t, policy, "4", NULL), 0);
	ck_assert_int_eq(txn_place(t, policy, "5", "1", NULL), 0);
	commit(t);
	revision = engine->revision;
	fixture_set(engine, "firewall.policy", "7", POLICY "set name seven\n");
	fixture_set(engine, "firewall.policy", "3", POLICY "set name three\n");
	place("7", "1");
	check_policies("1 7 5 2 3 ");
	good(history_undo, revision);
	check_policies("1 7 2 3 4 5 ");
	ck_assert_str_eq(object_str(model_find(engine->model, policy, "3"), FIREWALL_POLICY__NAME),
			 "three");
	ck_assert_str_eq(object_str(model_find(engine->model, policy, "2"), FIREWALL_POLICY__NAME),
			 "");
	ck_assert_ptr_null(model_find(engine->model, fixture_table("firewall.address"), "a"));
	check_durable();
}
END_TEST

/* Which of two neighbours has moved: only that one moves back, for others may have the other. */
START_TEST(test_undo_moves_its_own) {
	static const char *const moved[] = { "2", "1" };
	struct err err = { 0 };
	struct txn *t;

	policies(2);
	place(moved[_i], _i == 0 ? "" : "2");
	check_policies("2 1 ");
	t = txn_new(engine, "admin", "test");
	ck_assert_int_eq(history_undo(t, engine->revision, &err), 0);
	ck_assert_uint_eq(txn_staged(t), 1);
	ck_assert_ptr_nonnull(txn_find_staged(t, policy, moved[_i]));
	commit(t);
	check_policies("1 2 ");
}
END_TEST

START_TEST(test_undo_conflicts) {
	uint64_t revision;

	policies(3);
	fixture_set(engine, "firewall.policy", "2", POLICY "set name two\n");
	revision = engine->revision;
	fixture_set(engine, "firewall.policy", "2", POLICY "set name other\n");
	bad(history_undo, revision, ERR_CONFLICT, "firewall.policy 2 has been changed again");
	fixture_set(engine, "firewall.address", "a", "set subnet 10.0.0.0 255.255.255.0\n");
	revision = engine->revision;
	fixture_set(engine, "firewall.policy", "3",
		    "set srcintf any\nset dstintf any\nset srcaddr a\nset dstaddr all\n"
		    "set schedule always\nset service ALL\n");
	bad(history_undo, revision, ERR_CONFLICT, "firewall address a:");
}
END_TEST

/* ---- refusals ---- */

static int refuse_all(void *arg, const struct object *before, const struct object *after,
		      struct err *err) {
	(void)arg;
	(void)before;
	(void)after;
	return err_set(err, ERR_PERMISSION, "a secondary");
}

/* What a lock is on is named once. */
START_TEST(test_locked) {
	uint64_t revision = engine->revision;
	struct txn *held = txn_new(engine, "b", "test");
	struct err err = { 0 };

	fixture_set(engine, "firewall.address", "cs4", "set comment x\n");
	txn_hold(held, "config transaction id=3 of b");
	put(held, "firewall.address", "cs4", "set comment y\n");
	ck_assert_int_eq(run(history_stage, revision, &err), ERR_LOCKED);
	ck_assert_str_eq(err.text, "firewall address cs4: config transaction id=3 of b\n"
				   "Can not config the object since either the object or the "
				   "referenced objects are being configured by other "
				   "transactions.");
	txn_free(held);
}
END_TEST

START_TEST(test_refusals) {
	uint64_t revision = engine->revision;

	policies(1);
	bad(history_stage, 999, ERR_NOT_FOUND, "the history has no revision 999");
	bad(history_stage, 0, ERR_NOT_FOUND, "the history has no revision 0");
	bad(history_undo, 999, ERR_NOT_FOUND, "the history has no revision 999");
	bad(history_undo, 1, ERR_NOT_FOUND, "may have lost changes of revision 1");
	engine_set_guard(engine, refuse_all, NULL);
	bad(history_stage, revision, ERR_PERMISSION, "a secondary");
	bad(history_undo, engine->revision, ERR_PERMISSION, "a secondary");
}
END_TEST

/* Either it happens or it does not. */
START_TEST(test_faults) {
	static const char *const points[] = { "store.write:1", "store.commit:1", "commit.kernel:1",
					      "commit.apply:1" };
	struct fake_kernel kernel;
	uint64_t first;

	fake_kernel_attach(&kernel, engine);
	policies(4);
	first = engine->revision;
	place("4", "");
	fixture_set(engine, "firewall.policy", "2", POLICY "set name two\n");
	for (size_t i = 0; i < ARRAY_LEN(points); i++) {
		AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
		struct txn *t = txn_new(engine, "admin", "test");

		ck_assert_int_eq(history_stage(t, first, NULL), 0);
		fixture_fault(points[i]);
		ck_assert_int_ne(txn_commit(t, NULL), 0);
		fixture_fault(NULL);
		txn_free(t);
		after = fixture_snapshot(engine);
		ck_assert_str_eq(after, before);
		check_durable();
	}
	good(history_stage, first);
	check_policies("1 2 3 4 ");
	ck_assert_str_eq(kernel.wrong, "");
	fake_kernel_done(&kernel);
}
END_TEST

int main(void) {
	Suite *s = suite_create("history");
	TCase *t = fixture_case(s, "history");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_look, 0, (int)fixture_rounds(6));
	tcase_add_loop_test(t, test_stage, 0, (int)fixture_rounds(4));
	tcase_add_loop_test(t, test_undo_last, 0, (int)fixture_rounds(4));
	tcase_add_test(t, test_order);
	tcase_add_test(t, test_few_moves);
	tcase_add_test(t, test_order_unknown);
	tcase_add_test(t, test_found_links);
	tcase_add_test(t, test_secret);
	tcase_add_test(t, test_unknown_tables);
	tcase_add_test(t, test_undo_among_others);
	tcase_add_loop_test(t, test_undo_moves_its_own, 0, 2);
	tcase_add_test(t, test_undo_conflicts);
	tcase_add_test(t, test_locked);
	tcase_add_test(t, test_refusals);
	tcase_add_test(t, test_faults);
	return fixture_run(s);
}
