/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A commit is whole or absent, wherever it fails: at every write, in the kernel, at the last
 * moment, by kill -9 and on a full disk. What memory, database and kernel hold is compared as text,
 * after each failure and after a restart.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "tests/lib/fixture.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define UUID(n) "set uuid 00000000-0000-4000-8000-00000000000" #n "\n"

static char *dir;
static struct engine *engine;

static void populate(struct engine *e) {
	fixture_set(e, "system.interface", "port1", "set type physical\nset ip 10.0.0.1/24\n");
	fixture_set(e, "firewall.address", "x", UUID(1) "set subnet 10.0.0.0/8\n");
	fixture_set(e, "firewall.address", "y", UUID(2) "set subnet 10.9.0.0/16\n");
	fixture_set(e, "firewall.address", "old", UUID(3));
	fixture_set(e, "firewall.addrgrp", "g", UUID(4) "set member x y\n");
	fixture_set(e, "firewall.policy", "1", POLICY UUID(5) "set dstaddr g\n");
	fixture_set(e, "firewall.policy", "2", POLICY UUID(6) "set dstaddr y\n");
	fixture_set(e, "firewall.policy", "3", POLICY UUID(7) "set dstaddr old\n");
	fixture_set(e, "system.auto-scale", "",
		    "set status enable\nset psksecret verysecretindeed\n");
}

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	populate(engine);
}

static void teardown(void) {
	fixture_fault(NULL);
	engine_close(engine);
	free(dir);
}

static void stage_put(struct txn *t, const char *table, const char *key, const char *body) {
	struct err err = { 0 };
	int rc = fixture_put(t, table, key, TXN_ANY, body, &err);

	ck_assert_msg(rc == 0, "%s %s: %d %s", table, key, rc, err.text);
}

static void stage_delete(struct txn *t, const char *table, const char *key) {
	struct err err = { 0 };

	ck_assert_msg(txn_delete(t, fixture_table(table), key, &err) == 0, "%s", err.text);
}

/* New, changed, deleted, moved to the end, an object table: all that can be in a commit. */
static struct txn *staged_change(struct engine *e) {
	struct txn *t = txn_new(e, "alice", "script");

	stage_put(t, "firewall.address", "new",
		  UUID(8) "set subnet 10.1.0.0/16\nset comment 'two\nlines'\n");
	stage_put(t, "firewall.addrgrp", "g", UUID(4) "set member new x\n");
	stage_delete(t, "firewall.policy", "1");
	stage_put(t, "firewall.policy", "1", POLICY UUID(9) "set dstaddr new\n");
	stage_put(t, "firewall.policy", "3", POLICY UUID(7) "set dstaddr new y\n");
	stage_delete(t, "firewall.address", "old");
	stage_put(t, "system.auto-scale", "",
		  "set psksecret verysecretindeed\nset hb-interval 20\n");
	stage_put(t, "system.interface", "port1", "set type physical\nset ip 10.0.0.2/24\n");
	return t;
}

static void check_same(const char *what, const char *got, const char *want) {
	ck_assert_msg(strcmp(got, want) == 0, "%s:\n%s\n--- wanted ---\n%s", what, got, want);
}

/* Memory, and what a restart would read, are as in `want`. */
static void check_state(const char *want) {
	AUTO_FREE char *memory = fixture_snapshot(engine), *disk = fixture_snapshot_of(dir);

	check_same("memory", memory, want);
	check_same("database", disk, want);
}

/* ---- injected faults ---- */

static void check_idle(const struct fake_kernel *k) {
	ck_assert_str_eq(k->wrong, "");
	ck_assert(!k->prepared && !k->applied);
	ck_assert_uint_eq(k->n_prepare, k->n_finish + k->n_cancel);
	ck_assert_uint_eq(k->n_apply, k->n_finish + k->n_undo);
}

static const struct {
	const char *point;
	unsigned int least; /* countdowns at which it is known to fail */
	const char *text;
} points[] = {
	{ "store.write", 20, "the configuration database: write: injected fault" },
	{ "commit.kernel", 1, "injected fault before the kernel" },
	{ "commit.apply", 2, "fake: injected fault" },
	{ "store.commit", 1, "the configuration database: commit: injected fault" },
};

/*
 * At every countdown of a point the commit is absent; when the point is no longer reached, whole.
 */
START_TEST(test_fault) {
	struct fake_kernel first, second;
	unsigned int countdown = 0;
	int rc;

	fake_kernel_attach(&first, engine);
	fake_kernel_attach(&second, engine);
	do {
		AUTO_FREE char *before = fixture_snapshot(engine);
		AUTO_FREE char *kernel = xstrdup(first.now);
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i].point, ++countdown);
		struct txn *t = staged_change(engine);
		struct err err = { 0 };

		fixture_fault(spec);
		rc = txn_commit(t, &err);
		fixture_fault(NULL);
		ck_assert_uint_eq(txn_staged(t), 0);
		txn_free(t);
		check_idle(&second);
		if (rc == 0)
			break;
		ck_assert_msg(strstr(err.text, points[_i].text) != NULL, "%s", err.text);
		ck_assert_uint_eq(first.n_apply, first.n_undo);
		check_same("kernel", first.now, kernel);
		check_same("second kernel", second.now, kernel);
		check_state(before);
	} while (countdown < 1000);
	ck_assert_uint_gt(countdown, points[_i].least);
	ck_assert_int_eq(rc, 0);
	ck_assert_uint_eq(first.n_finish, 1);
	fake_kernel_done(&first);
	fake_kernel_done(&second);
}
END_TEST

/* After COMMIT nothing fails any more. */
START_TEST(test_fault_after_commit) {
	struct fake_kernel k;
	struct txn *t = staged_change(engine);
	AUTO_FREE char *memory = NULL, *disk = NULL;
	struct err err = { 0 };

	fake_kernel_attach(&k, engine);
	fixture_fault("commit.finish:1");
	ck_assert_int_eq(txn_commit(t, &err), 0);
	txn_free(t);
	check_idle(&k);
	memory = fixture_snapshot(engine);
	disk = fixture_snapshot_of(dir);
	check_same("database", disk, memory);
	ck_assert_ptr_nonnull(strstr(memory, "firewall.address 'new'"));
	fixture_set(engine, "firewall.address", "next", "");
	fake_kernel_done(&k);
}
END_TEST

static const struct {
	bool first, prepare;
} refusals[] = { { true, true }, { false, true }, { true, false }, { false, false } };

/* What the kernel refuses leaves everything as it was, whichever of two refuses, and when. */
START_TEST(test_kernel_refuses) {
	struct fake_kernel first, second;
	AUTO_FREE char *before = fixture_snapshot(engine);
	struct txn *t = staged_change(engine);
	struct err err = { 0 };

	fake_kernel_attach(&first, engine);
	fake_kernel_attach(&second, engine);
	first.fail_prepare = refusals[_i].prepare && refusals[_i].first;
	second.fail_prepare = refusals[_i].prepare && !refusals[_i].first;
	first.fail_apply = !refusals[_i].prepare && refusals[_i].first;
	second.fail_apply = !refusals[_i].prepare && !refusals[_i].first;
	ck_assert_int_eq(txn_commit(t, &err), ERR_KERNEL);
	ck_assert_str_eq(err.text, refusals[_i].prepare ? "prepare refused" : "apply refused");
	ck_assert_str_eq(first.wrong, "");
	ck_assert_str_eq(second.wrong, "");
	ck_assert(!first.applied && !first.prepared && !second.applied && !second.prepared);
	ck_assert_uint_eq(first.n_undo, !refusals[_i].first && !refusals[_i].prepare);
	ck_assert_uint_eq(second.n_undo, 0);
	check_state(before);
	txn_free(t);
	fake_kernel_done(&first);
	fake_kernel_done(&second);
}
END_TEST

/* A commit that changes nothing does not wake the kernel. */
START_TEST(test_nothing_to_do) {
	struct fake_kernel k;
	struct txn *t = txn_new(engine, "alice", "script");

	fake_kernel_attach(&k, engine);
	stage_put(t, "firewall.address", "x", "set subnet 10.0.0.0/8\n");
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	ck_assert_uint_eq(k.n_prepare + k.n_apply + k.n_finish, 0);
	txn_free(t);
	fake_kernel_done(&k);
}
END_TEST

/* ---- kill -9 ---- */

static void copy_file(const char *from, const char *to, const char *name) {
	AUTO_FREE char *source = xasprintf("%s/%s", from, name),
		       *target = xasprintf("%s/%s", to, name);
	FILE *in = fopen(source, "rb"), *out = fopen(target, "wb");
	char buffer[65536];
	size_t n;

	ck_assert(in && out);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		ck_assert_uint_eq(fwrite(buffer, 1, n, out), n);
	ck_assert_int_eq(fclose(in) | fclose(out), 0);
}

/* A second state that is byte for byte the first, which is closed and opened again for it. */
static char *copied_state(void) {
	char *copy = fixture_dir();

	engine_close(engine);
	copy_file(dir, copy, "config.db");
	copy_file(dir, copy, "device.key");
	engine = fixture_engine(dir);
	return copy;
}

/* Commit the change to the state in another process, which dies at the point. */
static bool killed_at(const char *state, const char *spec) {
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct err err = { 0 };
		struct engine *e = engine_open(state, &err);
		struct txn *t = e ? staged_change(e) : NULL;
		struct fake_kernel first, second;

		if (!e)
			_exit(1);
		fake_kernel_attach(&first, e);
		fake_kernel_attach(&second, e);
		fixture_fault(spec);
		_exit(t && txn_commit(t, &err) == 0 ? 0 : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	if (WIFSIGNALED(status)) {
		ck_assert_int_eq(WTERMSIG(status), SIGKILL);
		return true;
	}
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	return false;
}

static const struct {
	const char *point;
	unsigned int least, step;
	bool after; /* the change is there */
} kills[] = {
	{ "store.write", 20, 3, false },
	{ "commit.kernel", 1, 1, false },
	{ "commit.apply", 2, 1, false },
	{ "store.commit", 1, 1, false },
	{ "commit.finish", 1, 1, true },
};

START_TEST(test_kill) {
	AUTO_FREE char *state = copied_state(), *other = copied_state();
	AUTO_FREE char *before = fixture_snapshot(engine), *copy = fixture_snapshot_of(state),
		       *after = NULL;
	unsigned int countdown = 1;

	check_same("the copy", copy, before);
	ck_assert(!killed_at(other, "no.point:1:kill"));
	after = fixture_snapshot_of(other);
	for (;; countdown += kills[_i].step) {
		AUTO_FREE char *spec = xasprintf("%s:%u:kill", kills[_i].point, countdown);
		bool killed = killed_at(state, spec);
		AUTO_FREE char *now = fixture_snapshot_of(state);

		check_same(spec, now, killed && !kills[_i].after ? before : after);
		if (!killed || kills[_i].after)
			break;
	}
	ck_assert_uint_ge(countdown, kills[_i].least);
}
END_TEST

/* ---- a full disk ---- */

static void write_text(const char *path, const char *text) {
	int fd = open(path, O_WRONLY);

	ck_assert_msg(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s",
		      path, strerror(errno));
	close(fd);
}

/* A mount namespace of our own, through a user namespace when we are not root. */
static void own_mounts(void) {
	AUTO_FREE char *map = xasprintf("0 %d 1\n", (int)getuid());

	if (unshare(CLONE_NEWNS) != 0) {
		ck_assert_msg(unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0,
			      "a full disk needs root or user namespaces: %s", strerror(errno));
		write_text("/proc/self/uid_map", map);
	}
	ck_assert_msg(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0, "%s",
		      strerror(errno));
}

static void mount_small(const char *path, const char *size) {
	AUTO_FREE char *options = xasprintf("size=%s,mode=700", size);

	ck_assert_msg(mount("none", path, "tmpfs", 0, options) == 0,
		      "a small tmpfs cannot be mounted: %s", strerror(errno));
}

/* Take up to n pages of the disk with a file. */
static void take_room(const char *path, unsigned int n) {
	AUTO_FREE char *ballast = xasprintf("%s/ballast", path);
	int fd = open(ballast, O_WRONLY | O_CREAT | O_APPEND, 0600);
	static const char page[4096];

	ck_assert_int_ge(fd, 0);
	while (n > 0 && write(fd, page, sizeof(page)) > 0)
		n--;
	ck_assert_int_eq(n > 0 ? errno : ENOSPC, ENOSPC);
	close(fd);
}

static void make_room(const char *path) {
	AUTO_FREE char *ballast = xasprintf("%s/ballast", path);

	ck_assert_int_eq(unlink(ballast), 0);
}

/* Commit address after address until the disk is full; the code and text of the one that was. */
static int commit_until_full(struct fake_kernel *k, struct err *err) {
	for (int i = 0; i < 100000; i++) {
		AUTO_FREE char *name = xasprintf("fill %d", i);
		AUTO_FREE char *before = fixture_snapshot(engine);
		struct txn *t = txn_new(engine, "alice", "script");
		int rc;

		for (int n = 0; n < 40; n++) {
			AUTO_FREE char *each = xasprintf("%s %d", name, n);

			stage_put(t, "firewall.address", each,
				  "set comment 'this takes its place on the disk'\n");
		}
		rc = txn_commit(t, err);
		txn_free(t);
		if (rc == 0)
			continue;
		AUTO_FREE char *after = fixture_snapshot(engine);
		check_same("memory", after, before);
		ck_assert_uint_eq(k->n_undo, k->n_apply - k->n_finish);
		return rc;
	}
	return 0;
}

START_TEST(test_disk_full) {
	struct fake_kernel k;
	AUTO_FREE char *full = NULL, *reopened = NULL, *more = NULL;
	struct err err = { 0 };

	own_mounts();
	engine_close(engine);
	mount_small(dir, "2m");
	engine = fixture_engine(dir);
	populate(engine);
	take_room(dir, 128);
	fake_kernel_attach(&k, engine);
	ck_assert_int_eq(commit_until_full(&k, &err), ERR_STORE);
	ck_assert_msg(strstr(err.text, "full") != NULL, "%s", err.text);
	check_idle(&k);
	full = fixture_snapshot(engine);
	check_state(full);
	/* after a crash on the full disk, to the last byte, the same is read */
	take_room(dir, UINT_MAX);
	check_state(full);
	engine_close(engine);
	fake_kernel_done(&k);
	engine = fixture_engine(dir);
	reopened = fixture_snapshot(engine);
	check_same("restart on a full disk", reopened, full);
	/* and commits go on as soon as there is room */
	make_room(dir);
	ck_assert_int_eq(fixture_delete(engine, "firewall.address", "fill 0 0", &err), 0);
	more = fixture_snapshot(engine);
	check_state(more);
}
END_TEST

/* Closed in order, then the disk is filled by something else: the next start reads the same. */
START_TEST(test_start_on_full_disk) {
	AUTO_FREE char *before = NULL, *after = NULL;
	struct err err = { 0 };

	own_mounts();
	engine_close(engine);
	mount_small(dir, "1m");
	engine = fixture_engine(dir);
	populate(engine);
	before = fixture_snapshot(engine);
	engine_close(engine);
	take_room(dir, UINT_MAX);
	engine = fixture_engine(dir);
	after = fixture_snapshot(engine);
	check_same("start on a full disk", after, before);
	ck_assert_int_eq(fixture_delete(engine, "firewall.policy", "1", &err), ERR_STORE);
	check_state(before);
	make_room(dir);
	ck_assert_int_eq(fixture_delete(engine, "firewall.policy", "1", &err), 0);
}
END_TEST

/* A new unit on a full disk: an error, and a new unit on the next start with room. */
START_TEST(test_new_on_full_disk) {
	struct err err = { 0 };
	struct engine *e;

	own_mounts();
	engine_close(engine);
	mount_small(dir, "64k");
	take_room(dir, UINT_MAX);
	e = engine_open(dir, &err);
	ck_assert_ptr_null(e);
	ck_assert_int_eq(err.code, ERR_STORE);
	ck_assert_uint_gt(strlen(err.text), 0);
	ck_assert_int_eq(mount("none", dir, NULL, MS_REMOUNT, "size=4m"), 0);
	engine = fixture_engine(dir);
	ck_assert(engine->fresh);
	populate(engine);
}
END_TEST

/* ---- history ---- */

/* Rows of a query, columns joined by | and rows by newlines. */
static char *query(const char *sql) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	struct str out = STR_INIT;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_msg(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		for (int i = 0; i < sqlite3_column_count(stmt); i++) {
			const char *text = (const char *)sqlite3_column_text(stmt, i);

			str_addf(&out, "%s%s", i ? "|" : "", text ? text : "-");
		}
		str_add_char(&out, '\n');
	}
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return str_steal(&out);
}

START_TEST(test_history) {
	struct txn *t = staged_change(engine);
	AUTO_FREE char *revision = NULL, *changes = NULL, *digest = NULL, *want = NULL,
		       *snapshot = NULL;

	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
	revision =
		query("SELECT id, user, source, comment, nchg, abs(ts - strftime('%s','now')) < 60 "
		      "FROM rev "
		      "ORDER BY id DESC LIMIT 1");
	want = xasprintf("%llu|alice|script||7|1\n", (unsigned long long)engine->revision);
	ck_assert_str_eq(revision, want);
	changes = query("SELECT vd, tbl, key, op, old_body IS NULL, new_body IS NULL FROM chg "
			"WHERE rev = (SELECT max(id) FROM rev) ORDER BY rowid");
	ck_assert_str_eq(changes, "root|firewall.address|new|new|1|0\n"
				  "root|firewall.addrgrp|g|change|0|0\n"
				  "root|firewall.policy|1|change|0|0\n"
				  "root|firewall.policy|3|change|0|0\n"
				  "root|firewall.address|old|delete|0|1\n"
				  "global|system.auto-scale||change|0|0\n"
				  "global|system.interface|port1|change|0|0\n");
	digest = query("SELECT 'root ' || lower(hex(root_hash)) FROM rev ORDER BY id DESC LIMIT 1");
	snapshot = fixture_snapshot(engine);
	ck_assert_ptr_nonnull(strstr(snapshot, digest));
}
END_TEST

/* The bodies of a change are what show printed before and after. */
START_TEST(test_history_bodies) {
	AUTO_FREE char *bodies = NULL;

	fixture_set(engine, "firewall.address", "y",
		    UUID(2) "set subnet 10.8.0.0/16\nset comment 'a \"b\"'\n");
	bodies = query("SELECT old_body, new_body FROM chg ORDER BY rowid DESC LIMIT 1");
	ck_assert_str_eq(
		bodies,
		UUID(2) "set subnet 10.9.0.0 255.255.0.0\n|" UUID(
			2) "set comment \"a \\\"b\\\"\"\nset subnet 10.8.0.0 255.255.0.0\n\n");
}
END_TEST

/* References are rows with the table that the name was found in; built-in names are none. */
START_TEST(test_references) {
	AUTO_FREE char *rows = NULL, *orphans = NULL;
	struct txn *t = staged_change(engine);

	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
	rows = query(
		"SELECT o.key, r.attr, r.tgt_tbl, r.tgt_key FROM ref r JOIN obj o ON o.oid = "
		"r.src_oid "
		"WHERE o.tbl IN ('firewall.policy', 'firewall.addrgrp') ORDER BY o.tbl, o.key, "
		"r.ord");
	ck_assert_str_eq(rows, "g|member|firewall.address|new\ng|member|firewall.address|x\n"
			       "1|srcaddr|firewall.address|all\n1|dstaddr|firewall.address|new\n"
			       "1|schedule|firewall.schedule.recurring|always\n"
			       "1|service|firewall.service.custom|ALL\n"
			       "2|srcaddr|firewall.address|all\n2|dstaddr|firewall.address|y\n"
			       "2|schedule|firewall.schedule.recurring|always\n"
			       "2|service|firewall.service.custom|ALL\n"
			       "3|srcaddr|firewall.address|all\n3|dstaddr|firewall.address|new\n"
			       "3|dstaddr|firewall.address|y\n"
			       "3|schedule|firewall.schedule.recurring|always\n"
			       "3|service|firewall.service.custom|ALL\n");
	orphans = query("SELECT count(*) FROM ref WHERE src_oid NOT IN (SELECT oid FROM obj)");
	ck_assert_str_eq(orphans, "0\n");
}
END_TEST

/* Run SQL behind the engine's back. */
static void sabotage(const char *sql) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	sqlite3_close(db);
}

/* What a commit drops from a history that has outgrown its bound goes with it, or stays with it. */
START_TEST(test_history_trimmed) {
	static const char *const faults[] = { "store.write:60", "store.write:100", "store.commit:1",
					      NULL };
	const char *oldest = "SELECT count(*) FROM chg WHERE rev = 1";
	AUTO_FREE char *before = query(oldest);

	engine_close(engine);
	sabotage("UPDATE chg SET old_body = printf('%.*c', 40000000, 'x') WHERE rev = 3");
	engine = fixture_engine(dir);
	for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
		struct txn *t = staged_change(engine);
		AUTO_FREE char *after = NULL;
		int rc;

		fixture_fault(faults[i]);
		rc = txn_commit(t, NULL);
		txn_free(t);
		after = query(oldest);
		ck_assert_int_eq(rc, faults[i] ? ERR_STORE : 0);
		ck_assert_int_eq(strcmp(after, before) == 0, faults[i] != NULL);
	}
}
END_TEST

static Suite *commit_suite(void) {
	Suite *s = suite_create("commit");
	TCase *t = fixture_case(s, "commit");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_fault, 0, ARRAY_LEN(points));
	tcase_add_test(t, test_fault_after_commit);
	tcase_add_loop_test(t, test_kernel_refuses, 0, ARRAY_LEN(refusals));
	tcase_add_test(t, test_nothing_to_do);
	tcase_add_loop_test(t, test_kill, 0, ARRAY_LEN(kills));
	tcase_add_test(t, test_disk_full);
	tcase_add_test(t, test_start_on_full_disk);
	tcase_add_test(t, test_new_on_full_disk);
	tcase_add_test(t, test_history);
	tcase_add_test(t, test_history_bodies);
	tcase_add_test(t, test_history_trimmed);
	tcase_add_test(t, test_references);
	return s;
}

int main(void) {
	return fixture_run(commit_suite());
}
