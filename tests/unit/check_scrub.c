/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whatever somebody else writes into the database while it is open is named and undone, so that the
 * next start finds what was committed; what the daemon itself writes is no business of this.
 */
#include "cfgdb/scrub.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/script.h"
#include "cfgdb/txn.h"
#include "tests/lib/fixture.h"

static char *dir;
static struct engine *engine;

static void commit(const char *script) {
	struct err err = { 0 };
	struct txn *t = txn_new(engine, "admin", "test");

	ck_assert_msg(script_load(t, script, &err) == 0, "%s", err.text);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	commit("config firewall address\nedit one\nset comment \"as committed\"\n"
	       "set subnet 10.0.0.0/8\nnext\nedit two\nnext\nend\n");
}

static void teardown(void) {
	engine_close(engine);
	free(dir);
}

/* Somebody else writes to the database. */
static void write_there(const char *sql) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	sqlite3_close(db);
}

static void assert_found(const char *want) {
	AUTO_STR struct str found = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(scrub(engine, &found, &err) == 0, "%s", err.text);
	ck_assert_str_eq(str_text(&found), want);
}

/* The next start opens the database and finds what is in force. */
static void assert_opens(void) {
	struct err err = { 0 };
	unsigned char before[OBJECT_HASH_LEN], after[OBJECT_HASH_LEN];
	uint64_t revision = engine->revision;

	store_last_revision(engine->store, &revision, before, NULL);
	engine_close(engine);
	engine = engine_open(dir, &err);
	ck_assert_msg(engine != NULL, "%s", err.text);
	ck_assert_uint_eq(engine->revision, revision);
	store_last_revision(engine->store, &revision, after, NULL);
	ck_assert_mem_eq(before, after, sizeof(before));
}

#define OF(key) " WHERE tbl = 'firewall.address' AND key = '" key "'"

static const struct {
	const char *sql, *found;
} cases[] = {
	{ "SELECT 1", "" },
	{ "UPDATE obj SET body = replace(body, 'as committed', 'tampered')" OF("one"),
	  "firewall address one: comment\n" },
	{ "UPDATE obj SET body = replace(replace(body, '\"as committed\"', 'x'), '10.0', '11.0')"
	  OF("one"),
	  "firewall address one: comment subnet\n" },
	{ "UPDATE obj SET body = 'nonsense 1'" OF("one"),
	  "firewall address one: cannot be read\n" },
	{ "UPDATE obj SET body = body || 'set newer 1' || char(10)" OF("two"),
	  "firewall address two: place, version or form\n" },
	{ "UPDATE obj SET pos = pos + 1" OF("two"),
	  "firewall address two: place, version or form\n" },
	{ "UPDATE obj SET hash = x'00'" OF("two"),
	  "firewall address two: place, version or form\n" },
	{ "DELETE FROM obj" OF("two"), "firewall address two: was missing\n" },
	{ "INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) SELECT vd, tbl, 'three', 9, ver, "
	  "hash, body FROM obj" OF("one"),
	  "firewall address three: is not in force\n" },
	{ "UPDATE obj SET key = 'three'" OF("two"),
	  "firewall address three: is not in force\nfirewall address two: was missing\n" },
	{ "INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) VALUES('root', 'firewall.newer', "
	  "'1', 0, 1, x'00', '')",
	  "firewall.newer 1: is not in force\n" },
	{ "UPDATE obj SET body = 'set timezone 01' || char(10) WHERE tbl = 'system.global'",
	  "system global: hostname timezone\n" },
	{ "UPDATE rev SET root_hash = zeroblob(32)",
	  "the history: digest of the last revision\n" },
};

START_TEST(test_case) {
	commit("config system global\nset hostname unit\nend\n");
	store_is_touched(engine->store);
	write_there(cases[_i].sql);
	ck_assert(store_is_touched(engine->store) == (*cases[_i].found != '\0'));
	assert_found(cases[_i].found);
	ck_assert(!store_is_touched(engine->store));
	assert_found("");
	assert_opens();
	assert_found("");
}
END_TEST

START_TEST(test_many) {
	AUTO_STR struct str found = STR_INIT;
	struct err err = { 0 };
	size_t lines = 0;

	write_there("UPDATE obj SET ver = ver + 1");
	ck_assert_int_eq(scrub(engine, &found, &err), 0);
	for (const char *at = str_text(&found); *at; at++)
		lines += *at == '\n';
	ck_assert_uint_eq(lines, SCRUB_NAMED + 1);
	ck_assert_ptr_nonnull(strstr(str_text(&found), " more\n"));
	assert_found("");
}
END_TEST

/* Its own commits do not count, and are found in order. */
START_TEST(test_own_commits) {
	ck_assert(!store_is_touched(engine->store));
	commit("config firewall address\nedit three\nnext\nedit two\nset comment x\nnext\nend\n");
	ck_assert(!store_is_touched(engine->store));
	assert_found("");
}
END_TEST

START_TEST(test_history_is_another) {
	AUTO_STR struct str found = STR_INIT;
	struct err err = { 0 };

	write_there("INSERT INTO rev SELECT id + 1, ts, user, source, comment, nchg, root_hash "
		    "FROM rev ORDER BY id DESC LIMIT 1");
	ck_assert_int_eq(scrub(engine, &found, &err), ERR_STORE);
	ck_assert_ptr_nonnull(strstr(err.text, "its history does not end with revision "));
}
END_TEST

static void fault_at(int n) {
	AUTO_FREE char *spec = xasprintf("store.write:%d", n);

	setenv("GATEHOUSE_FAULT", spec, 1);
	fault_init();
}

/* A fault at each write leaves the database as it was found, and the next look mends it. */
START_TEST(test_fault) {
	for (int i = 1;; i++) {
		AUTO_STR struct str found = STR_INIT;
		struct err err = { 0 };
		int rc;

		write_there("UPDATE obj SET ver = ver + 1" OF("one"));
		fault_at(i);
		rc = scrub(engine, &found, &err);
		unsetenv("GATEHOUSE_FAULT");
		fault_init();
		if (rc == 0)
			break;
		ck_assert_int_eq(rc, ERR_STORE);
		ck_assert_int_lt(i, 100);
		assert_found("firewall address one: place, version or form\n");
		assert_found("");
	}
	assert_found("");
}
END_TEST

static Suite *scrub_suite(void) {
	Suite *s = suite_create("scrub");
	TCase *t = fixture_case(s, "scrub");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_case, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_own_commits);
	tcase_add_test(t, test_history_is_another);
	tcase_add_test(t, test_fault);
	return s;
}

int main(void) {
	return fixture_run(scrub_suite());
}
