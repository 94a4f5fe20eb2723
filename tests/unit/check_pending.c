/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commits that wait for a confirmation: what goes back and what stays, by which clock, what others
 * may do meanwhile, and that a commit and its waiting, a revert and the end of it, are one whatever
 * fails or dies between.
 */
#include "cfgdb/pending.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/digest.h"
#include "tests/lib/fixture.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define UUID(n) "set uuid 00000000-0000-4000-8000-00000000000" #n "\n"
#define MINUTES 10
#define SECONDS (MINUTES * 60)

static struct moment now;
static const char *boot_id;
static char *dir;
static struct engine *engine;
static struct pending *pending;
static struct str told;

static void test_clock(struct moment *ret) {
	*ret = now;
}

static void pass(int64_t seconds) {
	now.wall_s += seconds;
	now.boot_s += seconds;
	pending_tick(pending);
}

static void hear(void *arg, bool failed, const char *text) {
	(void)arg;
	str_addf(&told, "%s%s\n", failed ? "failed: " : "", text);
}

static struct pending *open_pending(struct engine *e) {
	const struct pending_config config = {
		.engine = e, .clock = test_clock, .boot_id = boot_id, .tell = hear
	};
	struct err err = { 0 };
	struct pending *p = pending_open(&config, &err);

	ck_assert_msg(p != NULL, "%s", err.text);
	return p;
}

static void restart(void) {
	pending_close(pending);
	engine_close(engine);
	engine = fixture_engine(dir);
	pending = open_pending(engine);
}

static void populate(struct engine *e) {
	fixture_set(e, "system.interface", "port1", "set type physical\nset ip 10.0.0.1/24\n");
	fixture_set(e, "firewall.address", "x", UUID(1) "set subnet 10.0.0.0/8\n");
	fixture_set(e, "firewall.address", "y", UUID(2));
	fixture_set(e, "firewall.address", "z", UUID(3));
	fixture_set(e, "firewall.policy", "1", POLICY UUID(4) "set dstaddr x\n");
	fixture_set(e, "firewall.policy", "2", POLICY UUID(5) "set dstaddr y\n");
	fixture_set(e, "firewall.policy", "3", POLICY UUID(6) "set dstaddr all\n");
}

static void setup(void) {
	now = (struct moment){ 1000000, 5000 };
	boot_id = "first";
	str_clear(&told);
	dir = fixture_dir();
	engine = fixture_engine(dir);
	populate(engine);
	pending = open_pending(engine);
}

static void teardown(void) {
	fixture_fault(NULL);
	pending_close(pending);
	ck_assert_uint_eq(engine->staged_bytes, 0);
	engine_close(engine);
	str_done(&told);
	free(dir);
}

/* ---- what is done ---- */

static void stage_put(struct txn *t, const char *table, const char *key, const char *body) {
	struct err err = { 0 };
	int rc = fixture_put(t, table, key, TXN_ANY, body, &err);

	ck_assert_msg(rc == 0, "%s %s: %d %s", table, key, rc, err.text);
}

/* New, changed, deleted, moved: all that can be in a commit. */
static struct txn *staged_change(struct engine *e) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct txn *t = txn_new(e, "alice", "cli");
	struct err err = { 0 };

	stage_put(t, "firewall.address", "new", UUID(7) "set subnet 10.1.0.0/16\n");
	stage_put(t, "firewall.policy", "1", POLICY UUID(4) "set dstaddr new\n");
	ck_assert_int_eq(txn_delete(t, policy, "2", &err), 0);
	ck_assert_int_eq(txn_place(t, policy, "3", "", &err), 0);
	stage_put(t, "system.interface", "port1", "set type physical\nset ip 10.0.0.2/24\n");
	return t;
}

/* Commit that change, to be confirmed; its revision. */
static uint64_t change(void) {
	struct txn *t = staged_change(engine);
	struct err err = { 0 };
	uint64_t revision;
	int rc = pending_commit(pending, t, "alice", MINUTES, &revision, &err);

	ck_assert_msg(rc == 0, "%d %s", rc, err.text);
	txn_free(t);
	return revision;
}

/* One other object, by another user. */
static uint64_t change_one(const char *table, const char *key, const char *body,
			   unsigned int minutes) {
	struct txn *t = txn_new(engine, "bob", "cli");
	struct err err = { 0 };
	uint64_t revision;
	int rc;

	stage_put(t, table, key, body);
	rc = pending_commit(pending, t, "bob", minutes, &revision, &err);
	ck_assert_msg(rc == 0, "%d %s", rc, err.text);
	txn_free(t);
	return revision;
}

static int try_put(const char *table, const char *key, const char *body) {
	struct txn *t = txn_new(engine, "alice", "cli");
	struct err err = { 0 };
	int rc = fixture_put(t, table, key, TXN_ANY, body, &err);

	if (rc == 0)
		rc = txn_commit(t, &err);
	txn_free(t);
	return rc;
}

static int confirm(uint64_t revision) {
	struct err err = { 0 };
	uint64_t ret;

	return pending_confirm(pending, revision, "alice", &ret, &err);
}

/* ---- what is there ---- */

struct content {
	unsigned char root[DIGEST_LEN];
};

static struct content content_of(const struct engine *e) {
	struct content c;

	digest_root(e->model, c.root);
	return c;
}

static bool same(struct content a, struct content b) {
	return memcmp(a.root, b.root, sizeof(a.root)) == 0;
}

static int count(void *arg, const struct awaited *a) {
	(void)a;
	++*(unsigned int *)arg;
	return 0;
}

static unsigned int n_waiting(void) {
	unsigned int n = 0;

	pending_each(pending, count, &n);
	return n;
}

/* Memory and database agree. */
static void check_durable(void) {
	AUTO_FREE char *memory = fixture_snapshot(engine), *disk = fixture_snapshot_of(dir);

	ck_assert_str_eq(memory, disk);
}

/* ---- in time, and not ---- */

START_TEST(test_not_confirmed) {
	struct content before = content_of(engine), after;
	uint64_t revision = change();
	struct revision rev;
	struct err err;

	after = content_of(engine);
	ck_assert(!same(before, after));
	pass(SECONDS - 1);
	ck_assert(same(content_of(engine), after));
	ck_assert_str_eq(str_text(&told), "");
	pass(1);
	ck_assert(same(content_of(engine), before));
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_uint_eq(engine->revision, revision + 1);
	ck_assert_int_eq(store_revision_get(engine->store, engine->revision, &rev, &err), 0);
	ck_assert_str_eq(rev.comment, "revision 9 of alice was not confirmed");
	ck_assert_str_eq(rev.source, "confirm");
	revision_done(&rev);
	ck_assert_str_eq(str_text(&told),
			 "revision 9 of alice was not confirmed within 10 minutes and is taken "
			 "back: the configuration is revision 10\n");
	check_durable();
	pass(SECONDS);
	ck_assert_uint_eq(engine->revision, revision + 1);
	ck_assert_int_eq(try_put("firewall.policy", "1", POLICY UUID(4) "set dstaddr y\n"), 0);
}
END_TEST

START_TEST(test_confirmed) {
	struct content after;
	uint64_t revision = change();

	after = content_of(engine);
	pass(SECONDS - 1);
	ck_assert_int_eq(confirm(revision), 0);
	ck_assert_int_eq(confirm(revision), ERR_NOT_FOUND);
	pass(SECONDS);
	restart();
	ck_assert(same(content_of(engine), after));
	ck_assert_uint_eq(engine->revision, revision);
	ck_assert_int_eq(try_put("firewall.policy", "1", POLICY UUID(4) "set dstaddr y\n"), 0);
}
END_TEST

/* A commit that changes nothing has nothing to confirm. */
START_TEST(test_nothing) {
	ck_assert_uint_eq(change_one("firewall.address", "y", UUID(2), 1), 0);
	ck_assert_uint_eq(n_waiting(), 0);
	restart();
	fixture_set(engine, "firewall.address", "y", UUID(2) "set comment a\n");
	pass(60);
	ck_assert_uint_eq(engine->revision, 9);
	ck_assert_str_eq(str_text(&told), "");
}
END_TEST

/* What others have done since survives, in the same table, too, and in its order. */
START_TEST(test_others_survive) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct content before = content_of(engine);

	change();
	fixture_set(engine, "firewall.address", "z", UUID(3) "set comment b\n");
	fixture_set(engine, "firewall.policy", "9", POLICY UUID(8) "set dstaddr z\n");
	pass(SECONDS);
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_str_eq(model_first(engine->model, policy)->key, "1");
	ck_assert_str_eq(model_last(engine->model, policy)->key, "9");
	ck_assert_int_eq(fixture_delete(engine, "firewall.policy", "9", NULL), 0);
	fixture_set(engine, "firewall.address", "z", UUID(3));
	ck_assert(same(content_of(engine), before));
	check_durable();
}
END_TEST

/* ---- locks ---- */

static const struct {
	const char *what, *table, *key, *body; /* body NULL: delete */
	int code;
} touches[] = {
	{ "what was changed", "firewall.policy", "1", POLICY "set dstaddr y\n", ERR_LOCKED },
	{ "what was made", "firewall.address", "new", "", ERR_LOCKED },
	{ "what was moved", "firewall.policy", "3", POLICY "set dstaddr y\n", ERR_LOCKED },
	{ "what was deleted", "firewall.policy", "2", POLICY "set dstaddr all\n", ERR_LOCKED },
	{ "a name for what was made", "firewall.addrgrp", "g", "set member new\n", ERR_LOCKED },
	{ "deletion of what it named", "firewall.address", "x", NULL, ERR_LOCKED },
	{ "deletion of what the deleted one named", "firewall.address", "y", NULL, ERR_LOCKED },
	{ "deletion of another one", "firewall.address", "z", NULL, 0 },
	{ "another one", "firewall.address", "z", "set comment b\n", 0 },
	{ "a new one", "firewall.policy", "9", POLICY "set dstaddr all\n", 0 },
};

static int touch(unsigned int i) {
	struct err err = { 0 };

	return touches[i].body ? try_put(touches[i].table, touches[i].key, touches[i].body)
			       : fixture_delete(engine, touches[i].table, touches[i].key, &err);
}

/* Also for who has committed it, and after a restart. */
START_TEST(test_locked) {
	uint64_t revision = change();

	if (_i % 2)
		restart();
	ck_assert_msg(touch((unsigned int)_i / 2) == touches[_i / 2].code, "%s",
		      touches[_i / 2].what);
	ck_assert_int_eq(confirm(revision), 0);
	ck_assert_msg(touch((unsigned int)_i / 2) != ERR_LOCKED, "%s", touches[_i / 2].what);
}
END_TEST

/* ---- restarts and clocks ---- */

START_TEST(test_restart_before) {
	struct content before = content_of(engine), after;

	change();
	after = content_of(engine);
	pass(100);
	restart();
	ck_assert(same(content_of(engine), after));
	ck_assert_uint_eq(n_waiting(), 1);
	pass(SECONDS - 101);
	ck_assert(same(content_of(engine), after));
	pass(1);
	ck_assert(same(content_of(engine), before));
	check_durable();
}
END_TEST

/* The daemon was down at the end: it goes back at the next start, in this start of the machine. */
START_TEST(test_restart_after) {
	struct content before = content_of(engine);

	change();
	now.wall_s += SECONDS;
	now.boot_s += SECONDS;
	restart();
	ck_assert(same(content_of(engine), before));
	ck_assert_uint_eq(n_waiting(), 0);
	restart();
	ck_assert_uint_eq(engine->revision, 10);
}
END_TEST

/* Steps of the clock on the wall, seconds that pass after that, whether that is the end. */
static const struct {
	const char *what;
	int64_t step, passes;
	bool restarts, reboots;
	bool over;
} clocks[] = {
	{ "set forward beyond the end", SECONDS, 0, false, false, true },
	{ "set forward", SECONDS - 2, 1, false, false, false },
	{ "set back", -1000000, SECONDS - 1, false, false, false },
	{ "set back, at the end", -1000000, SECONDS, false, false, true },
	{ "set back, a new daemon", -1000000, SECONDS, true, false, true },
	{ "a new start of the machine, in time", 0, SECONDS - 1, true, true, false },
	{ "a new start of the machine, too late", 0, SECONDS, true, true, true },
	{ "a new start with a clock that has lost its time", -1000000, SECONDS, true, true, true },
	{ "the same, not yet", -1000000, SECONDS - 1, true, true, false },
};

START_TEST(test_clock_set) {
	struct content before = content_of(engine);

	change();
	now.wall_s += clocks[_i].step;
	if (clocks[_i].reboots) {
		boot_id = "second";
		now.boot_s = 3;
	}
	if (clocks[_i].restarts)
		restart();
	if (clocks[_i].reboots) /* another daemon of the same start does not begin anew */
		restart();
	pass(clocks[_i].passes);
	ck_assert_msg(same(content_of(engine), before) == clocks[_i].over, "%s", clocks[_i].what);
	pass(0);
}
END_TEST

/* ---- several ---- */

START_TEST(test_several) {
	const struct schema_table *address = fixture_table("firewall.address");
	struct content before = content_of(engine);
	uint64_t first = change(), ret;
	uint64_t second = change_one("firewall.address", "z", UUID(3) "set comment a\n", 5);
	uint64_t third = change_one("firewall.address", "w", UUID(9), 20);
	struct err err = { 0 };

	ck_assert_uint_eq(n_waiting(), 3);
	restart();
	ck_assert_uint_eq(n_waiting(), 3);
	ck_assert_int_eq(pending_confirm(pending, 0, "bob", &ret, &err), ERR_CONFLICT);
	ck_assert_str_eq(err.text, "several commits of yours wait: revisions 11, 10. Say which");
	ck_assert_int_eq(pending_confirm(pending, 0, "carol", &ret, &err), ERR_NOT_FOUND);
	pass(300);
	ck_assert_uint_eq(n_waiting(), 2);
	ck_assert_int_eq(confirm(second), ERR_NOT_FOUND);
	ck_assert_int_eq(pending_confirm(pending, 0, "bob", &ret, &err), 0);
	ck_assert_uint_eq(ret, third);
	pass(300);
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_int_eq(confirm(first), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(model_find(engine->model, address, "w"));
	ck_assert_int_eq(fixture_delete(engine, "firewall.address", "w", NULL), 0);
	ck_assert(same(content_of(engine), before));
}
END_TEST

START_TEST(test_bound) {
	struct txn *t = txn_new(engine, "alice", "cli");
	struct err err = { 0 };
	uint64_t revision = 0;

	for (unsigned int i = 0; i < PENDING_MAX; i++) {
		AUTO_FREE char *key = xasprintf("n%u", i);

		ck_assert_uint_ne(change_one("firewall.address", key, "", 1 + i), 0);
	}
	stage_put(t, "firewall.address", "more", "");
	ck_assert_int_eq(pending_commit(pending, t, "alice", 1, &revision, &err), ERR_MAX_ENTRIES);
	ck_assert_ptr_null(model_find(engine->model, fixture_table("firewall.address"), "more"));
	pass(60);
	ck_assert_int_eq(pending_commit(pending, t, "alice", 1, &revision, &err), 0);
	ck_assert_ptr_nonnull(model_find(engine->model, fixture_table("firewall.address"), "more"));
	txn_free(t);
}
END_TEST

/* ---- what cannot be taken back ---- */

static void replicate(const char *table, const char *key) {
	const struct txn_origin origin = { "carol", "replicated", "", 0 };
	struct txn *t = txn_new_replicated(engine, &origin);
	struct object *obj = object_new(fixture_table(table), key);
	struct err err = { 0 };

	ck_assert_msg(txn_replicate_put(t, obj, &err) == 0, "%s", err.text);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

/* The primary has changed the same: that stays, it is told, and not tried again. */
START_TEST(test_conflict) {
	struct content theirs;

	change_one("firewall.address", "z", UUID(3) "set comment a\n", 1);
	replicate("firewall.address", "z");
	theirs = content_of(engine);
	pass(60);
	ck_assert(same(content_of(engine), theirs));
	ck_assert_str_eq(str_text(&told),
			 "failed: revision 9 of bob was not confirmed and cannot be taken back: "
			 "firewall.address z has been changed again since revision 9\n");
	ck_assert_uint_eq(n_waiting(), 1);
	pass(60);
	restart();
	pass(60);
	ck_assert_uint_eq(engine->revision, 10);
	ck_assert_uint_eq(n_waiting(), 1);
	fixture_set(engine, "firewall.address", "z", UUID(3));
	ck_assert_int_eq(confirm(9), 0);
	ck_assert_uint_eq(n_waiting(), 0);
}
END_TEST

/* A disk or a kernel that does not let it is asked again, and that is told once. */
START_TEST(test_again) {
	struct content before = content_of(engine);

	change();
	fixture_fault("commit.kernel:1");
	pass(SECONDS);
	fixture_fault("store.commit:1");
	pass(10);
	fixture_fault(NULL);
	ck_assert(!same(content_of(engine), before));
	ck_assert_int_eq(try_put("firewall.policy", "1", POLICY "set dstaddr y\n"), ERR_LOCKED);
	pass(9);
	ck_assert(!same(content_of(engine), before));
	pass(1);
	ck_assert(same(content_of(engine), before));
	ck_assert_ptr_nonnull(strstr(str_text(&told), "must be tried again: injected fault"));
	ck_assert_ptr_null(strstr(strstr(str_text(&told), "tried again") + 1, "tried again"));
	check_durable();
}
END_TEST

/* The history keeps what is needed, however much is changed meanwhile. */
START_TEST(test_history_kept) {
	char comment[256];
	uint64_t revision = change_one("firewall.address", "z", UUID(3) "set comment a\n", MINUTES);
	struct revision rev;
	struct err err;

	memset(comment, 'c', sizeof(comment) - 1);
	comment[255] = '\0';
	for (unsigned int round = 0; round < 10; round++) {
		struct txn *t = txn_new(engine, "bob", "script");

		comment[0] = (char)('a' + round);
		for (unsigned int i = 0; i < 8000; i++) {
			AUTO_FREE char *key = xasprintf("a%u", i);
			AUTO_FREE char *body = xasprintf("set comment %s\n", comment);

			stage_put(t, "firewall.address", key, body);
		}
		ck_assert_int_eq(txn_commit(t, &err), 0);
		txn_free(t);
	}
	ck_assert_int_eq(store_revision_get(engine->store, revision, &rev, &err), 0);
	revision_done(&rev);
	ck_assert_int_eq(store_revision_get(engine->store, revision - 2, &rev, &err),
			 ERR_NOT_FOUND);
	pass(SECONDS);
	ck_assert_str_eq(str_text(&told),
			 "revision 9 of bob was not confirmed within 10 minutes and is taken back: "
			 "the configuration is revision 20\n");
}
END_TEST

/* ---- faults ---- */

static const char *const points[] = { "store.write", "commit.kernel", "commit.apply",
				      "store.commit" };

/* At every countdown: the commit is there and waits, or there is neither. */
START_TEST(test_commit_fault) {
	struct content before = content_of(engine);
	struct fake_kernel k;
	unsigned int countdown = 0;
	int rc;

	fake_kernel_attach(&k, engine);
	do {
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i], ++countdown);
		struct txn *t = staged_change(engine);
		struct err err = { 0 };
		uint64_t revision;

		fixture_fault(spec);
		rc = pending_commit(pending, t, "alice", MINUTES, &revision, &err);
		fixture_fault(NULL);
		txn_free(t);
		ck_assert_uint_eq(n_waiting(), rc == 0);
		ck_assert(same(content_of(engine), before) == (rc != 0));
		check_durable();
	} while (rc);
	ck_assert_uint_gt(countdown, 1);
	pass(SECONDS);
	ck_assert(same(content_of(engine), before));
	fake_kernel_done(&k);
}
END_TEST

/* Commit, wait or confirm in another process, which dies at the point. False: it did not. */
static bool killed_at(const char *spec, bool waits, bool confirms) {
	pid_t pid;
	int status;

	pending_close(pending);
	engine_close(engine);
	pid = fork();
	if (pid == 0) {
		struct err err = { 0 };
		struct fake_kernel k;
		uint64_t ret;

		engine = fixture_engine(dir);
		pending = open_pending(engine);
		fake_kernel_attach(&k, engine);
		fixture_fault(spec);
		if (confirms)
			_exit(pending_confirm(pending, 0, "alice", &ret, &err));
		if (waits)
			pass(SECONDS);
		else
			change();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	engine = fixture_engine(dir);
	pending = open_pending(engine);
	ck_assert(WIFSIGNALED(status) ? WTERMSIG(status) == SIGKILL : WEXITSTATUS(status) == 0);
	return WIFSIGNALED(status);
}

static const char *const kill_points[] = { "store.write", "commit.kernel", "commit.apply",
					   "store.commit", "commit.finish" };

START_TEST(test_commit_kill) {
	struct content before = content_of(engine);
	unsigned int countdown = 0;
	bool killed;

	do {
		AUTO_FREE char *spec = xasprintf("%s:%u:kill", kill_points[_i], ++countdown);
		bool changed;

		killed = killed_at(spec, false, false);
		changed = !same(content_of(engine), before);
		ck_assert_uint_eq(n_waiting(), changed);
		if (changed)
			break;
	} while (killed);
	pass(SECONDS);
	ck_assert(same(content_of(engine), before));
	ck_assert_uint_eq(n_waiting(), 0);
}
END_TEST

/* Killed while it is taken back: the next start does it, once. */
START_TEST(test_revert_kill) {
	struct content before = content_of(engine);
	unsigned int countdown = 0;
	bool killed, reverted;

	change();
	do {
		AUTO_FREE char *spec = xasprintf("%s:%u:kill", kill_points[_i], ++countdown);

		killed = killed_at(spec, true, false);
		reverted = same(content_of(engine), before);
		ck_assert_uint_eq(n_waiting(), !reverted);
	} while (killed && !reverted);
	now.wall_s += SECONDS;
	now.boot_s += SECONDS;
	restart();
	ck_assert(same(content_of(engine), before));
	ck_assert_uint_eq(engine->revision, 10);
	ck_assert_uint_eq(n_waiting(), 0);
}
END_TEST

START_TEST(test_revert_fault) {
	struct content before = content_of(engine), after;
	struct fake_kernel k;
	unsigned int countdown = 0;

	change();
	after = content_of(engine);
	fake_kernel_attach(&k, engine);
	pass(SECONDS - 10);
	while (n_waiting()) {
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i], ++countdown);

		ck_assert(same(content_of(engine), after));
		check_durable();
		fixture_fault(spec);
		pass(10);
		fixture_fault(NULL);
	}
	ck_assert_uint_gt(countdown, 1);
	ck_assert(same(content_of(engine), before));
	check_durable();
	fake_kernel_done(&k);
}
END_TEST

/* A confirmation that was not written is none. */
START_TEST(test_confirm_fault) {
	uint64_t revision = change();
	struct content after = content_of(engine);

	fixture_fault("store.write:1");
	ck_assert_int_eq(confirm(revision), ERR_STORE);
	fixture_fault(NULL);
	ck_assert_uint_eq(n_waiting(), 1);
	restart();
	ck_assert_uint_eq(n_waiting(), 1);
	ck_assert(killed_at("store.write:1:kill", false, true));
	ck_assert_uint_eq(n_waiting(), 1);
	ck_assert_int_eq(confirm(revision), 0);
	pass(SECONDS);
	ck_assert(same(content_of(engine), after));
}
END_TEST

/* What stands in the row and is no line of ours, or of a commit that was not made, is dropped. */
START_TEST(test_bad_row) {
	static const char *const rows[] = { "x", "8", "\n\n", "99 1 1 1 0 first alice\n",
					    "0 1 1 1 0 first alice\n", "9 1 1 1 0 first\n" };
	struct err err;

	change();
	ck_assert_int_eq(store_meta_set(engine->store, "pending", rows[_i], &err), 0);
	restart();
	ck_assert_uint_eq(n_waiting(), 0);
	ck_assert_uint_eq(engine->revision, 9);
}
END_TEST

static Suite *pending_suite(void) {
	Suite *s = suite_create("pending");
	TCase *t = fixture_case(s, "pending");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_not_confirmed);
	tcase_add_test(t, test_confirmed);
	tcase_add_test(t, test_nothing);
	tcase_add_test(t, test_others_survive);
	tcase_add_loop_test(t, test_locked, 0, 2 * ARRAY_LEN(touches));
	tcase_add_test(t, test_restart_before);
	tcase_add_test(t, test_restart_after);
	tcase_add_loop_test(t, test_clock_set, 0, ARRAY_LEN(clocks));
	tcase_add_test(t, test_several);
	tcase_add_test(t, test_bound);
	tcase_add_test(t, test_conflict);
	tcase_add_test(t, test_again);
	tcase_add_test(t, test_history_kept);
	tcase_add_loop_test(t, test_commit_fault, 0, ARRAY_LEN(points));
	tcase_add_loop_test(t, test_commit_kill, 0, ARRAY_LEN(kill_points));
	tcase_add_loop_test(t, test_revert_fault, 0, ARRAY_LEN(points));
	tcase_add_loop_test(t, test_revert_kill, 0, ARRAY_LEN(kill_points));
	tcase_add_test(t, test_confirm_fault);
	tcase_add_loop_test(t, test_bad_row, 0, 6);
	return s;
}

int main(void) {
	return fixture_run(pending_suite());
}
