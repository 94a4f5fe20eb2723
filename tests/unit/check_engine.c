/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A unit from its first start on: who it is, what it ships with, and that a restart finds the same
 * configuration, whatever is in it.
 */
#include "cfgdb/engine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_config.h"

#define POLICY                                                                 \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr all\n" \
	"set schedule always\nset service ALL\n"

static void check_same(const char *what, const char *got, const char *want) {
	ck_assert_msg(strcmp(got, want) == 0, "%s:\n%s\n--- wanted ---\n%s", what, got, want);
}

/* ---- a new unit ---- */

START_TEST(test_identity) {
	AUTO_FREE char *dir = fixture_dir(), *other_dir = fixture_dir();
	struct engine *e = fixture_engine(dir), *other = fixture_engine(other_dir);
	AUTO_FREE char *serial = xstrdup(e->serial), *vmid = xstrdup(e->vmid);

	ck_assert(e->fresh);
	ck_assert_uint_eq(strlen(serial), 16);
	ck_assert(strncmp(serial, "GHVM", 4) == 0);
	ck_assert_uint_eq(strspn(serial, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"), 16);
	ck_assert_uint_eq(strlen(vmid), 36);
	ck_assert_str_ne(other->serial, serial);
	ck_assert_str_ne(other->vmid, vmid);
	ck_assert_str_eq(engine_hostname(e), serial);
	engine_close(other);
	engine_close(e);
	e = fixture_engine(dir);
	ck_assert(!e->fresh);
	ck_assert_str_eq(e->serial, serial);
	ck_assert_str_eq(e->vmid, vmid);
	fixture_set(e, "system.global", "", "set hostname fgt-a\n");
	ck_assert_str_eq(engine_hostname(e), "fgt-a");
	engine_close(e);
	engine_close(NULL);
}
END_TEST

static const struct {
	const char *table, *key;
} shipped[] = {
	{ "firewall.address", "all" },
	{ "firewall.address", "none" },
	{ "firewall.service.custom", "ALL" },
	{ "firewall.service.custom", "HTTPS" },
	{ "firewall.service.category", "General" },
	{ "firewall.schedule.recurring", "always" },
	{ "firewall.schedule.recurring", "none" },
	{ "firewall.ssl-ssh-profile", "deep-inspection" },
	{ "firewall.ssl-ssh-profile", "certificate-inspection" },
	{ "firewall.ssl-ssh-profile", "no-inspection" },
	{ "antivirus.profile", "default" },
	{ "ips.sensor", "default" },
	{ "webfilter.profile", "default" },
	{ "application.list", "default" },
	{ "system.accprofile", "super_admin" },
	{ "system.accprofile", "prof_admin" },
	{ "system.admin", "admin" },
};

/* Every factory object loads, has version 0 as shipped, and refers to what is there. */
START_TEST(test_factory) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);

	for (size_t i = 0; i < ARRAY_LEN(shipped); i++)
		ck_assert_msg(model_find(e->model, fixture_table(shipped[i].table),
					 shipped[i].key) != NULL,
			      "%s %s", shipped[i].table, shipped[i].key);
	ck_assert_uint_gt(model_count(e->model, fixture_table("firewall.service.custom")), 80);
	for (uint16_t i = 0; i < schema_n_top; i++)
		for (const struct object *obj = model_first(e->model, schema_tables[schema_top[i]]);
		     obj; obj = model_next(e->model, obj))
			ck_assert_msg(obj->ver == 0, "%s %s", obj->table->dotted, obj->key);
	ck_assert_uint_eq(e->revision, 1);
	engine_close(e);
}
END_TEST

/* A first start that dies at any write leaves a directory in which the next start makes a unit. */
START_TEST(test_interrupted_first_start) {
	for (unsigned int countdown = 1;; countdown += _i ? 97 : 61) {
		AUTO_FREE char *dir = fixture_dir();
		AUTO_FREE char *spec = xasprintf("store.write:%u%s", countdown, _i ? ":kill" : "");
		pid_t pid = fork();
		struct engine *e;
		int status;

		if (pid == 0) {
			struct err err = { 0 };

			fixture_fault(spec);
			e = engine_open(dir, &err);
			engine_close(e);
			_exit(e ? 0 : 1);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		e = fixture_engine(dir);
		ck_assert_ptr_nonnull(
			model_find(e->model, fixture_table("firewall.address"), "all"));
		ck_assert_uint_eq(strlen(e->serial), 16);
		engine_close(e);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
			return;
	}
}
END_TEST

/* ---- what cannot be opened ---- */

static void sabotage(const char *dir, const char *sql) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void check_refused(const char *dir, const char *want) {
	struct err err = { 0 };
	struct engine *e = engine_open(dir, &err);

	ck_assert_ptr_null(e);
	ck_assert_int_ne(err.code, 0);
	ck_assert_msg(strstr(err.text, want) != NULL, "%s", err.text);
}

START_TEST(test_no_directory) {
	check_refused("/nowhere", "device key /nowhere/device.key: No such file or directory");
}
END_TEST

/*
 * A database without its key: no new key is made, or what is sealed would be lost without a word.
 */
START_TEST(test_key_lost) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *key = xasprintf("%s/device.key", dir);

	engine_close(fixture_engine(dir));
	ck_assert_int_eq(unlink(key), 0);
	check_refused(dir, "device.key: No such file or directory");
	ck_assert_int_ne(access(key, F_OK), 0);
}
END_TEST

START_TEST(test_bad_body) {
	AUTO_FREE char *dir = fixture_dir();

	engine_close(fixture_engine(dir));
	sabotage(dir,
		 "UPDATE obj SET body = 'nonsense 1' WHERE tbl = 'firewall.address' AND key "
		 "= 'none'");
	check_refused(dir, "the configuration database: firewall address none\n"
			   "line 1: not a line of an object");
}
END_TEST

/* ---- what is not what was committed ---- */

static const struct {
	const char *sql, *error;
} tamperings[] = {
	{ "UPDATE obj SET body = 'set comment x' WHERE key = 'none' AND tbl = 'firewall.address'",
	  "holds what was not committed: firewall address none (vd root)" },
	{ "UPDATE obj SET body = 'set nonsense x' WHERE key = 'none' AND tbl = 'firewall.address'",
	  "holds what was not committed: firewall address none (vd root)" },
	{ "INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) SELECT vd, 'firewall.newer', key, "
	  "0, ver, hash, body FROM obj WHERE tbl = 'firewall.policy' AND key = '2'",
	  "holds what was not committed: firewall.newer 2 (vd root)" },
	{ "UPDATE obj SET body = 'set timezone 01' WHERE tbl = 'system.global'",
	  "holds what was not committed: system global (vd global)" },
	{ "UPDATE obj SET hash = x'00' WHERE tbl = 'firewall.policy' AND key = '1'",
	  "holds what was not committed: firewall policy 1 (vd root)" },
	{ "UPDATE obj SET hash = zeroblob(32) WHERE tbl = 'firewall.service.category' OR "
	  "tbl = 'firewall.policy'",
	  "firewall policy 1 (vd root), firewall policy 2 (vd root), firewall service category " },
	{ "UPDATE obj SET hash = zeroblob(32)", " more" },
	{ "DELETE FROM obj WHERE tbl = 'firewall.policy' AND key = '2'",
	  "objects are missing, were added or changed places since revision 4 was committed" },
	{ "INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) SELECT vd, tbl, key + 1, pos, ver, "
	  "hash, body FROM obj WHERE tbl = 'firewall.policy' AND key = '2'",
	  "holds what was not committed: firewall policy 3 (vd root)" },
	{ "UPDATE obj SET pos = -pos WHERE tbl = 'firewall.policy'",
	  "objects are missing, were added or changed places since revision 4 was committed" },
	{ "UPDATE rev SET root_hash = zeroblob(32) WHERE id = 4",
	  "objects are missing, were added or changed places since revision 4 was committed" },
};

/* A unit with a setting and two policies: four revisions. */
static void make_unit(const char *dir) {
	struct engine *e = fixture_engine(dir);

	fixture_set(e, "system.global", "", "set timezone 04\n");
	fixture_set(e, "firewall.policy", "1", POLICY);
	fixture_set(e, "firewall.policy", "2", POLICY);
	engine_close(e);
}

/* Refused by name, again and again; accepted, it is what it is from then on. */
START_TEST(test_tampered) {
	AUTO_FREE char *dir = fixture_dir(), *accepted = NULL, *again = NULL;
	struct err err = { 0 };

	make_unit(dir);
	sabotage(dir, tamperings[_i].sql);
	check_refused(dir, tamperings[_i].error);
	check_refused(dir, tamperings[_i].error);
	ck_assert_int_eq(engine_accept(dir, &err), 0);
	accepted = fixture_snapshot_of(dir);
	again = fixture_snapshot_of(dir);
	check_same("after that", again, accepted);
	sabotage(dir, "UPDATE obj SET body = 'set comment y' WHERE key = 'none' AND "
		      "tbl = 'firewall.address'");
	check_refused(dir, "holds what was not committed: firewall address none (vd root)");
}
END_TEST

/*
 * Digests that another program made are replaced, and are those of this one from then on. Where
 * they cannot be written, the unit starts all the same.
 */
START_TEST(test_other_schema) {
	AUTO_FREE char *dir = fixture_dir(), *before = NULL, *after = NULL;

	make_unit(dir);
	before = fixture_snapshot_of(dir);
	sabotage(dir, "UPDATE obj SET hash = zeroblob(32);"
		      "UPDATE rev SET root_hash = zeroblob(32);"
		      "UPDATE meta SET value = 'other' WHERE name = 'digests_made_by'");
	fixture_fault(_i == 0 ? "store.write:1" : _i == 1 ? "store.write:100" : "store.commit:1");
	engine_close(fixture_engine(dir));
	fixture_fault(NULL);
	after = fixture_snapshot_of(dir);
	check_same("digests", after, before);
	sabotage(dir, "UPDATE obj SET hash = zeroblob(32) WHERE key = '2'");
	check_refused(dir, "holds what was not committed: firewall policy 2 (vd root)");
}
END_TEST

/* There is nothing to accept where no unit is, and no half of one is made. */
START_TEST(test_accept_nothing) {
	AUTO_FREE char *dir = fixture_dir();
	struct err err = { 0 };

	ck_assert_int_eq(engine_accept(dir, &err), ERR_STORE);
	ck_assert_ptr_nonnull(strstr(err.text, "config.db: No such file or directory"));
	engine_close(fixture_engine(dir));
}
END_TEST

/* ---- backends ---- */

static int refuse_start(void *ctx, const struct commit *commit, struct err *err) {
	(void)commit;
	++*(int *)ctx;
	return err_set(err, ERR_KERNEL, "no");
}

START_TEST(test_start) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	struct fake_kernel k;
	int n = 0;
	struct backend idle = { .name = "idle" },
		       bad = { .name = "bad", .start = refuse_start, .ctx = &n };
	struct err err = { 0 };

	fake_kernel_attach(&k, e);
	free(k.now);
	k.now = NULL;
	engine_add_backend(e, &idle);
	ck_assert_int_eq(engine_start(e, &err), 0);
	ck_assert_ptr_nonnull(k.now);
	fixture_set(e, "system.global", "",
		    "set hostname x\n"); /* a backend without functions is passed over */
	engine_add_backend(e, &bad);
	engine_add_backend(e, &bad);
	ck_assert_int_eq(engine_start(e, &err), ERR_KERNEL);
	ck_assert_int_eq(n, 1);
	fake_kernel_done(&k);
	engine_close(e);
}
END_TEST

/* ---- restart ---- */

/*
 * Thousands of random objects of every table, put, replaced and deleted: the same after a restart.
 */
START_TEST(test_restart_random) {
	uint64_t seed = fixture_seed() * 1000 + (uint64_t)_i;
	struct rng r = rng_seed(seed);
	AUTO_FREE char *dir = fixture_dir(), *before = NULL, *after = NULL;
	struct engine *e = fixture_engine(dir);

	for (unsigned int round = 0; round < 3; round++) {
		struct txn *t = txn_new(e, "admin", "test");
		struct err err = { 0 };

		for (uint16_t i = 0; i < schema_n_top; i++) {
			const struct schema_table *table = schema_tables[schema_top[i]];
			unsigned int put =
				random_fill(&r, t, table, schema_is_list(table) ? 25 : 3);

			ck_assert_msg(put > 0, "seed %llu: none of %s", (unsigned long long)seed,
				      table->dotted);
		}
		ck_assert_msg(txn_commit(t, &err) == 0, "seed %llu: %s", (unsigned long long)seed,
			      err.text);
		txn_free(t);
		free(before);
		before = fixture_snapshot(e);
		free(after);
		after = fixture_snapshot_of(dir);
		check_same("restart", after, before);
	}
	engine_close(e);
}
END_TEST

static void put_policy(struct txn *t, unsigned int id, const char *name) {
	AUTO_FREE char *key = xasprintf("%u", id);
	AUTO_FREE char *body = xasprintf(POLICY "set name %s%u\n", name, id);
	struct err err = { 0 };

	ck_assert_msg(fixture_put(t, "firewall.policy", key, TXN_ANY, body, &err) == 0, "%s",
		      err.text);
}

/*
 * Order is that of making, not of numbers; it outlives replacement and restarts, at 10,000 entries.
 */
START_TEST(test_order_of_many) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	AUTO_FREE char *dir = fixture_dir(), *before = NULL, *after = NULL;
	struct engine *e = fixture_engine(dir);
	struct txn *t = txn_new(e, "admin", "test");
	const struct object *obj;
	uint32_t n = 0;

	for (unsigned int i = 0; i < 10000; i++)
		put_policy(t, 1 + i * 7919 % 10000, "first");
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	for (unsigned int i = 1; i <= 10000; i += 3)
		put_policy(t, i, "second");
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
	before = fixture_snapshot(e);
	engine_close(e);
	e = fixture_engine(dir);
	after = fixture_snapshot(e);
	ck_assert_msg(strcmp(after, before) == 0, "10,000 policies differ after a restart");
	for (obj = model_first(e->model, policy); obj; obj = model_next(e->model, obj), n++)
		ck_assert_uint_eq(strtoul(obj->key, NULL, 10), 1 + n * 7919 % 10000);
	ck_assert_uint_eq(n, 10000);
	engine_close(e);
}
END_TEST

static Suite *engine_suite(void) {
	Suite *s = suite_create("engine");
	TCase *t = fixture_case(s, "engine");

	tcase_add_test(t, test_identity);
	tcase_add_test(t, test_factory);
	tcase_add_loop_test(t, test_interrupted_first_start, 0, 2);
	tcase_add_test(t, test_no_directory);
	tcase_add_test(t, test_key_lost);
	tcase_add_test(t, test_bad_body);
	tcase_add_loop_test(t, test_tampered, 0, ARRAY_LEN(tamperings));
	tcase_add_loop_test(t, test_other_schema, 0, 3);
	tcase_add_test(t, test_accept_nothing);
	tcase_add_test(t, test_start);
	tcase_add_loop_test(t, test_restart_random, 0, 4);
	tcase_add_test(t, test_order_of_many);
	return s;
}

int main(void) {
	return fixture_run(engine_suite());
}
