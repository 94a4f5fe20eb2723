/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config transactions as connections see them: who sees what, what a lost connection, a commit that
 * fails, a new daemon and the end of the time leave behind. The clock is the test's.
 */
#include "cfgdb/workspace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/pending.h"
#include "tests/lib/fixture.h"
#include "tests/lib/wire.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define UUID(n) "set uuid 00000000-0000-4000-8000-00000000000" #n "\n"
#define GOOD(call, w) ck_assert_msg((call) == 0, "%d %s", (w)->err.code, (w)->err.text)

static struct wire_unit unit;
static struct wire alice, alice2, bob;

static void setup(void) {
	wire_unit_init(&unit);
	fixture_set(unit.engine, "system.interface", "port1", "set type physical\n");
	fixture_set(unit.engine, "firewall.address", "x", UUID(1));
	fixture_set(unit.engine, "firewall.address", "y", UUID(2));
	fixture_set(unit.engine, "firewall.address", "z", UUID(3));
	fixture_set(unit.engine, "firewall.addrgrp", "g", UUID(4) "set member x\n");
	fixture_set(unit.engine, "firewall.policy", "7",
		    POLICY UUID(5) "set name p\nset dstaddr g\n");
	wire_open(&alice, &unit, "alice");
	wire_open(&alice2, &unit, "alice");
	wire_open(&bob, &unit, "bob");
}

static void teardown(void) {
	fixture_fault(NULL);
	wire_close(&alice);
	wire_close(&alice2);
	wire_close(&bob);
	wire_unit_done(&unit);
}

/* ---- what is seen ---- */

/* What is put is seen where the transaction is open, and nowhere else before the commit. */
START_TEST(test_seen) {
	AUTO_FREE char *before = fixture_snapshot(unit.engine), *after = NULL;

	GOOD(wire_txn(&alice, "start"), &alice);
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "config transaction id=1 is open\n"));
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "after 60 minutes"));
	GOOD(wire_put(&alice, "firewall.address", "new", UUID(6)), &alice);
	GOOD(wire_put(&alice, "firewall.addrgrp", "g", UUID(4) "set member x new\n"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_get(&alice, "firewall.address", "new"), &alice);
	ck_assert_int_eq(wire_get(&alice, "firewall.policy", "7"), ERR_NOT_FOUND);
	ck_assert_int_eq(wire_get(&bob, "firewall.address", "new"), ERR_NOT_FOUND);
	ck_assert_int_eq(wire_get(&alice2, "firewall.address", "new"), ERR_NOT_FOUND);
	GOOD(wire_get(&bob, "firewall.policy", "7"), &bob);
	after = fixture_snapshot(unit.engine);
	ck_assert_str_eq(after, before);
	ck_assert_ptr_null(engine_staged(unit.engine));
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_get(&bob, "firewall.address", "new"), &bob);
	ck_assert_int_eq(wire_get(&bob, "firewall.policy", "7"), ERR_NOT_FOUND);
	ck_assert_int_eq(wire_txn(&alice, "commit"), ERR_NOT_FOUND);
	GOOD(wire_put(&alice, "firewall.policy", "8", POLICY "set dstaddr g\n"), &alice);
	GOOD(wire_get(&bob, "firewall.policy", "8"), &bob);
}
END_TEST

START_TEST(test_abort) {
	AUTO_FREE char *before = fixture_snapshot(unit.engine), *after = NULL;

	GOOD(wire_txn(&alice, "start 5"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_txn(&alice, "abort"), &alice);
	ck_assert_int_eq(wire_txn(&alice, "abort"), ERR_NOT_FOUND);
	after = fixture_snapshot(unit.engine);
	ck_assert_str_eq(after, before);
	GOOD(wire_put(&bob, "firewall.policy", "7", POLICY UUID(5) "set dstaddr all\n"), &bob);
}
END_TEST

/* Comment and author of the revision. */
START_TEST(test_comment) {
	struct revision rev;
	struct err err;

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	ck_assert_int_eq(wire_txn(&alice, "commit comment"), ERR_INCOMPLETE);
	ck_assert_int_eq(wire_txn(&alice, "commit because"), ERR_PARSE);
	GOOD(wire_txn(&alice, "commit comment cleanup"), &alice);
	ck_assert_int_eq(store_revision_get(unit.engine->store, unit.engine->revision, &rev, &err),
			 0);
	ck_assert_str_eq(rev.comment, "cleanup");
	ck_assert_str_eq(rev.user, "alice");
	revision_done(&rev);
}
END_TEST

/* It says who has committed it, and how he came: not who opened it. */
START_TEST(test_author) {
	struct wire root;
	struct revision rev;

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	wire_open(&root, &unit, "root");
	snprintf(root.caller.ui, sizeof(root.caller.ui), "cli(192.0.2.1)");
	GOOD(wire_txn(&root, "resume 1"), &root);
	GOOD(wire_txn(&root, "commit"), &root);
	ck_assert_int_eq(store_revision_get(unit.engine->store, unit.engine->revision, &rev, NULL),
			 0);
	ck_assert_str_eq(rev.user, "root");
	ck_assert_str_eq(rev.source, "cli(192.0.2.1)");
	revision_done(&rev);
	wire_close(&root);
}
END_TEST

/* ---- connections ---- */

START_TEST(test_lost_connection) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	wire_close(&alice);
	wire_open(&alice, &unit, "alice");
	ck_assert_int_eq(wire_drop(&alice, "firewall.address", "y"), ERR_LOCKED);
	ck_assert_int_eq(wire_txn(&bob, "resume 1"), ERR_PERMISSION);
	ck_assert_str_eq(bob.err.text, "config transaction id=1 is of alice");
	ck_assert_int_eq(wire_txn(&bob, "abort 1"), ERR_PERMISSION);
	ck_assert_int_eq(wire_txn(&alice, "resume 2"), ERR_NOT_FOUND);
	GOOD(wire_txn(&alice, "status"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "config transaction id=1 of alice: not open, 1 "
						"change, expires in 3600 seconds\n");
	GOOD(wire_txn(&alice, "resume 1"), &alice);
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "id=1 is open, with 1 change\n"));
	GOOD(wire_txn(&alice, "resume 1"), &alice);
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_get(&bob, "firewall.address", "y"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "comment"));
	ck_assert_int_eq(wire_txn(&alice, "resume 1"), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "it was committed or aborted"));
}
END_TEST

/* A connection that hangs is no reason to wait; it then may change nothing by mistake. */
START_TEST(test_taken_over) {
	AUTO_FREE char *before = NULL, *after = NULL;

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_txn(&alice2, "resume 1"), &alice2);
	before = fixture_snapshot(unit.engine);
	ck_assert_int_eq(wire_drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_int_eq(wire_simple(&alice, CTL_BEGIN), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "id=1 was resumed in another session"));
	after = fixture_snapshot(unit.engine);
	ck_assert_str_eq(after, before);
	GOOD(wire_txn(&alice, "abort"), &alice); /* nothing of it here: it is accepted */
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_txn(&alice2, "commit"), &alice2);
}
END_TEST

/* Root may do with it what its user may. */
START_TEST(test_root) {
	struct wire root;

	wire_open(&root, &unit, "root");
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_txn(&alice, "elsewhere 1"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "");
	ck_assert_int_eq(wire_txn(&bob, "elsewhere 1"), ERR_PERMISSION);
	GOOD(wire_txn(&root, "elsewhere 1"), &root);
	ck_assert_str_eq(str_text(&root.said), "config transaction id=1 of alice is open in "
					       "another session, with 1 changes.\n");
	GOOD(wire_txn(&root, "abort 1"), &root);
	ck_assert_str_eq(str_text(&root.said), "config transaction id=1 of alice is aborted: 1 "
					       "changes are dropped\n");
	ck_assert_int_eq(wire_txn(&root, "elsewhere 1"), ERR_NOT_FOUND);
	ck_assert_int_eq(wire_drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "id=1 was aborted in another session"));
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_get(&bob, "firewall.policy", "7"), &bob);
	wire_close(&root);
}
END_TEST

/* ---- time ---- */

/* What is seen, and what brings the warnings; a change begins the time anew. */
START_TEST(test_expiry) {
	GOOD(wire_txn(&alice, "start 1"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	wire_pass(29);
	GOOD(wire_named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said), "");
	wire_pass(1);
	GOOD(wire_get(&alice, "firewall.address", "y"), &alice); /* completion asks so: nothing comes */
	ck_assert_ptr_null(strstr(str_text(&alice.said), "warning"));
	GOOD(wire_named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said),
			 "warning: config transaction id=1 will expire in 30 seconds\n");
	GOOD(wire_named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said), "");
	wire_pass(25);
	GOOD(wire_named(&alice, CTL_LIST, "router.static", NULL), &alice);
	ck_assert_str_eq(str_text(&alice.said),
			 "warning: config transaction id=1 will expire in 5 seconds\n");
	GOOD(wire_put(&alice, "firewall.address", "z", UUID(3) "set comment a\n"), &alice);
	wire_pass(59);
	ck_assert_int_eq(wire_drop(&bob, "firewall.address", "y"), ERR_LOCKED);
	wire_pass(1);
	GOOD(wire_drop(&bob, "firewall.address", "y"), &bob);
	ck_assert_int_eq(wire_drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_str_eq(str_text(&alice.said), "warning: config transaction id=1 has expired\n");
	ck_assert_int_eq(wire_drop(&alice, "firewall.policy", "7"), ERR_CONFLICT);
	ck_assert_str_eq(str_text(&alice.said), "");
	ck_assert_int_eq(wire_txn(&alice, "commit"), ERR_NOT_FOUND);
	ck_assert_str_eq(alice.err.text, "config transaction id=1 has expired");
	GOOD(wire_txn(&alice, "abort"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
}
END_TEST

/* The whole time is there for who has lost his connection. */
START_TEST(test_expiry_detached) {
	GOOD(wire_txn(&alice, "start 1"), &alice);
	wire_pass(50);
	wire_close(&alice);
	wire_open(&alice, &unit, "alice");
	wire_pass(59);
	GOOD(wire_txn(&alice, "resume 1"), &alice);
	wire_close(&alice);
	wire_open(&alice, &unit, "alice");
	wire_pass(60);
	ck_assert_int_eq(wire_txn(&alice, "resume 1"), ERR_NOT_FOUND);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "has expired"));
}
END_TEST

START_TEST(test_minutes) {
	static const char *const bad[] = { "start 0", "start 1441", "start x", "start 1 2",
					   "resume", "resume x", "resume 1 2", "abort x",
					   "commit confirm", "commit confirm 0",
					   "commit confirm 1441", "status x" };

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(wire_txn(&alice, bad[i]) != 0, "%s", bad[i]);
	ck_assert_int_eq(wire_txn(&alice, "start 1441"), ERR_PARSE);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "minutes are 1 to 1440"));
	GOOD(wire_txn(&alice, "status"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "no config transaction is open\n");
	GOOD(wire_txn(&alice, "start 1440"), &alice);
	ck_assert_int_eq(wire_txn(&alice, "start"), ERR_CONFLICT);
	ck_assert_int_eq(wire_txn(&alice, "resume 7"), ERR_NOT_FOUND);
}
END_TEST

/* ---- bounds ---- */

START_TEST(test_bounds) {
	struct wire w[WORKSPACE_MAX + 1];

	for (unsigned int i = 0; i <= WORKSPACE_MAX; i++) {
		AUTO_FREE char *user = xasprintf("user%u", i / WORKSPACE_USER_MAX);

		wire_open(&w[i], &unit, user);
		ck_assert_int_eq(wire_txn(&w[i], "start"), i < WORKSPACE_MAX ? 0 : ERR_MAX_ENTRIES);
	}
	wire_close(&w[0]);
	wire_open(&w[0], &unit, "user1");
	ck_assert_int_eq(wire_txn(&w[0], "start"), ERR_MAX_ENTRIES);
	ck_assert_int_eq(wire_txn(&w[1], "abort"), 0);
	ck_assert_int_eq(wire_txn(&w[0], "start"), ERR_MAX_ENTRIES); /* one user's own bound */
	ck_assert_str_eq(w[0].err.text,
			 "8 config transactions of user1 are open: commit or abort one");
	ck_assert_int_eq(wire_txn(&w[1], "start"), 0);
	for (unsigned int i = 0; i <= WORKSPACE_MAX; i++)
		wire_close(&w[i]);
}
END_TEST

/* ---- commits that fail ---- */

static const char *const points[] = { "store.write", "commit.kernel", "store.commit" };

/* Whatever fails, all that was staged is there as it was, and can be committed. */
START_TEST(test_failed_commit) {
	AUTO_FREE char *before = NULL, *after = NULL;
	bool failed = true;
	int n = 0;

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "new", UUID(6)), &alice);
	GOOD(wire_put(&alice, "firewall.addrgrp", "g", UUID(4) "set member new\n"), &alice);
	GOOD(wire_drop(&alice, "firewall.address", "x"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_put(&alice, "firewall.policy", "7", POLICY UUID(7) "set dstaddr g\n"), &alice);
	before = fixture_snapshot(unit.engine);
	while (failed) {
		AUTO_FREE char *fault = xasprintf("%s:%d", points[_i], ++n);
		AUTO_FREE char *now_is = NULL;

		fixture_fault(fault);
		failed = wire_txn(&alice, "commit") != 0;
		fixture_fault(NULL);
		now_is = fixture_snapshot(unit.engine);
		ck_assert(failed == (strcmp(now_is, before) == 0));
		if (!failed)
			break;
		GOOD(wire_txn(&alice, "status"), &alice);
		ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "open here, 4 changes"));
		ck_assert_int_eq(wire_get(&alice, "firewall.address", "x"), ERR_NOT_FOUND);
		GOOD(wire_get(&alice, "firewall.policy", "7"), &alice);
		ck_assert_int_eq(wire_drop(&bob, "firewall.policy", "7"), ERR_LOCKED);
	}
	ck_assert_int_gt(n, 1);
	after = fixture_snapshot(unit.engine);
	GOOD(wire_get(&bob, "firewall.policy", "7"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "000000000007"));
}
END_TEST

/* ---- commits that wait ---- */

/* By the command, and by the request of a script: what is told, who may confirm. */
START_TEST(test_confirm) {
	AUTO_BUF struct buf b = BUF_INIT;

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_txn(&alice, "commit comment why confirm 5"), &alice);
	ck_assert_str_eq(str_text(&alice.said),
			 "warning: revision 8 will be taken back in 5 minutes unless it is "
			 "confirmed: execute config-transaction confirm 8\n");
	ck_assert_int_eq(wire_drop(&alice, "firewall.address", "y"), ERR_LOCKED);
	GOOD(wire_simple(&bob, CTL_BEGIN), &bob);
	GOOD(wire_put(&bob, "firewall.address", "z", UUID(3) "set comment b\n"), &bob);
	buf_put_u8(&b, CTL_COMMIT);
	buf_put_u32(&b, 1);
	buf_put_str(&b, "");
	GOOD(wire_ask(&bob, &b), &bob);
	GOOD(wire_txn(&bob, "status"), &bob);
	ck_assert_str_eq(str_text(&bob.said),
			 "revision 9 of bob waits for its confirmation: it will be taken back in "
			 "60 seconds\n"
			 "revision 8 of alice waits for its confirmation: it will be taken back "
			 "in 300 seconds\n");
	GOOD(wire_txn(&alice, "confirm"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "revision 8 is confirmed\n");
	ck_assert_int_eq(wire_txn(&alice, "confirm"), ERR_NOT_FOUND);
	GOOD(wire_txn(&alice, "confirm 9"), &alice);
	GOOD(wire_drop(&bob, "firewall.address", "z"), &bob);
}
END_TEST

/* A transaction that is held is no way around the lock; the end of the wait lets it through. */
START_TEST(test_confirm_and_held) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_txn(&alice, "commit confirm 1"), &alice);
	GOOD(wire_txn(&bob, "start"), &bob);
	ck_assert_int_eq(wire_drop(&bob, "firewall.address", "y"), ERR_LOCKED);
	GOOD(wire_drop(&bob, "firewall.address", "z"), &bob);
	wire_pass(60);
	pending_tick(unit.config.pending);
	GOOD(wire_get(&alice, "firewall.address", "y"), &alice);
	ck_assert_ptr_null(strstr(str_text(&alice.said), "comment"));
	GOOD(wire_drop(&bob, "firewall.address", "y"), &bob);
	GOOD(wire_txn(&bob, "commit"), &bob);
}
END_TEST

/* What is beyond the bound is not committed. */
START_TEST(test_confirm_bound) {
	AUTO_BUF struct buf b = BUF_INIT;

	GOOD(wire_simple(&bob, CTL_BEGIN), &bob);
	GOOD(wire_drop(&bob, "firewall.policy", "7"), &bob);
	buf_put_u8(&b, CTL_COMMIT);
	buf_put_u32(&b, PENDING_MINUTES_MAX + 1);
	buf_put_str(&b, "");
	ck_assert_int_eq(wire_ask(&bob, &b), ERR_RANGE);
	GOOD(wire_get(&bob, "firewall.policy", "7"), &bob);
}
END_TEST

/* ---- scripts ---- */

/* A block is staged, its end and its abort are not those of the transaction. */
START_TEST(test_block) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_simple(&alice, CTL_BEGIN), &alice);
	ck_assert_int_eq(wire_simple(&alice, CTL_BEGIN), ERR_CONFLICT);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_simple(&alice, CTL_COMMIT), &alice);
	ck_assert_int_eq(wire_simple(&alice, CTL_COMMIT), ERR_CONFLICT);
	GOOD(wire_simple(&alice, CTL_BEGIN), &alice);
	GOOD(wire_put(&alice, "firewall.address", "z", UUID(3) "set comment a\n"), &alice);
	GOOD(wire_simple(&alice, CTL_ABORT), &alice);
	GOOD(wire_get(&bob, "firewall.address", "y"), &bob);
	ck_assert_ptr_null(strstr(str_text(&bob.said), "comment"));
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_get(&bob, "firewall.address", "z"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "comment"));
}
END_TEST

/* A configuration is restored whole and at once. */
START_TEST(test_replace) {
	AUTO_BUF struct buf b = BUF_INIT;

	GOOD(wire_txn(&alice, "start"), &alice);
	buf_put_u8(&b, CTL_BEGIN);
	buf_put_u8(&b, CTL_BEGIN_REPLACE_FACTORY);
	ck_assert_int_eq(wire_ask(&alice, &b), ERR_CONFLICT);
	GOOD(wire_get(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_ask(&bob, &b), &bob);
	ck_assert_int_eq(wire_simple(&bob, CTL_COMMIT), ERR_LOCKED);
	GOOD(wire_txn(&alice, "commit"), &alice);
}
END_TEST

START_TEST(test_atomic) {
	GOOD(wire_simple(&alice, CTL_BEGIN), &alice);
	ck_assert_int_eq(wire_txn(&alice, "start"), ERR_CONFLICT);
	ck_assert_ptr_nonnull(strstr(alice.err.text, "--atomic"));
	ck_assert_int_eq(wire_txn(&alice, "resume 1"), ERR_CONFLICT);
}
END_TEST

/* ---- a new daemon ---- */

START_TEST(test_restart) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	wire_close(&alice);
	wire_close(&alice2);
	wire_close(&bob);
	wire_unit_restart(&unit);
	wire_open(&alice, &unit, "alice");
	wire_open(&alice2, &unit, "alice");
	wire_open(&bob, &unit, "bob");
	GOOD(wire_get(&alice, "firewall.policy", "7"), &alice);
	ck_assert_int_eq(wire_txn(&alice, "resume 1"), ERR_NOT_FOUND);
	ck_assert_str_eq(alice.err.text, "config transaction id=1 is not open: it was lost when "
					 "gatehoused was started anew");
	GOOD(wire_txn(&alice, "start"), &alice);
	ck_assert_ptr_nonnull(strstr(str_text(&alice.said), "id=2 is open"));
}
END_TEST

/* ---- what is told ---- */

START_TEST(test_show) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.addrgrp", "g", UUID(4) "set member y\n"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_run(&bob, "diagnose sys config-transaction show txn-entity"), &bob);
	ck_assert_str_eq(str_text(&bob.said), "id=1\n"
					      "    firewall addrgrp g: put\n"
					      "    firewall policy 7: delete\n");
	GOOD(wire_run(&bob, "diagnose sys config-transaction show txn-lock"), &bob);
	ck_assert_str_eq(str_text(&bob.said),
			 "id=1\n"
			 "    firewall addrgrp g: nobody else can change or delete it\n"
			 "    firewall address y: nobody else can delete it\n"
			 "    firewall policy 7: nobody else can change or name it\n");
	GOOD(wire_run(&bob, "diagnose sys config-transaction show txn-info"), &bob);
	ck_assert_ptr_nonnull(
		strstr(str_text(&bob.said), "id=1 user=alice state=elsewhere changes=2 bytes="));
	GOOD(wire_run(&bob, "diagnose sys config-transaction show txn-meta"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "open=1 max=32 max_by_user=8"));
}
END_TEST

/* Who meets the lock of a commit that waits can see all that it holds. */
START_TEST(test_show_waiting) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.addrgrp", "g", UUID(4) "set member y\n"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "z", UUID(3) "set comment a\n"), &alice);
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_txn(&alice, "commit confirm 1"), &alice);
	GOOD(wire_txn(&bob, "start"), &bob);
	GOOD(wire_put(&bob, "firewall.address", "x", UUID(1) "set comment b\n"), &bob);
	GOOD(wire_run(&bob, "diagnose sys config-transaction show txn-entity"), &bob);
	ck_assert_str_eq(str_text(&bob.said), "id=2\n"
					      "    firewall address x: put\n"
					      "revision=8\n"
					      "    firewall addrgrp g: put\n"
					      "    firewall address z: put\n"
					      "    firewall policy 7: delete\n");
	GOOD(wire_run(&bob, "diagnose sys config-transaction show txn-lock"), &bob);
	ck_assert_ptr_nonnull(
		strstr(str_text(&bob.said),
		       "revision=8\n"
		       "    firewall addrgrp g: nobody else can change or delete it\n"
		       "    firewall address x: nobody else can delete it\n"
		       "    firewall address z: nobody else can change or delete it\n"
		       "    firewall policy 7: nobody else can change or delete it\n"));
	GOOD(wire_run_json(&bob, "diagnose sys config-transaction show txn-entity"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said),
				     "{\"revision\":8,\"objects\":[{\"table\":\"firewall.addrgrp\","
				     "\"key\":\"g\",\"what\":\"put\"}"));
	GOOD(wire_run_json(&bob, "diagnose sys config-transaction show txn-lock"), &bob);
	ck_assert_ptr_nonnull(
		strstr(str_text(&bob.said),
		       "{\"revision\":8,\"objects\":[{\"table\":\"firewall.addrgrp\","
		       "\"key\":\"g\",\"what\":\"changed\"}"));
	GOOD(wire_txn(&alice, "confirm"), &alice);
	GOOD(wire_run(&alice, "diagnose sys config-transaction show txn-lock"), &alice);
	ck_assert_ptr_null(strstr(str_text(&alice.said), "revision"));
}
END_TEST

/* The same for programs. */
START_TEST(test_json) {
	static const char *const words[] = { "execute config-transaction status",
					     "diagnose sys config-transaction show txn-meta",
					     "diagnose sys config-transaction show txn-info",
					     "diagnose sys config-transaction show txn-entity",
					     "diagnose sys config-transaction show txn-lock" };
	static const char *const has[] = {
		"{\n\"transactions\":[{\"id\":1,\"user\":\"alice\",\"state\":\"elsewhere\"",
		"\"open\":1",
		"\"changes\":1,\"bytes\":",
		"{\"id\":1,\"objects\":[{\"table\":\"firewall.addrgrp\",\"key\":\"g\","
		"\"what\":\"put\"}]}",
		"{\"table\":\"firewall.address\",\"key\":\"y\",\"what\":\"referred\"}",
	};

	GOOD(wire_put(&bob, "firewall.address", "z", UUID(3) "set comment b\n"), &bob);
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.addrgrp", "g", UUID(4) "set member y\n"), &alice);
	GOOD(wire_run_json(&bob, words[_i]), &bob);
	ck_assert_msg(strstr(str_text(&bob.said), has[_i]) != NULL, "%s", str_text(&bob.said));
	GOOD(wire_txn(&alice, "commit confirm 1"), &alice);
	GOOD(wire_run_json(&bob, words[0]), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said),
				     "\"user\":\"alice\",\"state\":\"waits\","
				     "\"reverts_seconds\":60}"));
}
END_TEST

static Suite *workspace_suite(void) {
	Suite *s = suite_create("workspace");
	TCase *t = fixture_case(s, "workspace");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_seen);
	tcase_add_test(t, test_abort);
	tcase_add_test(t, test_comment);
	tcase_add_test(t, test_author);
	tcase_add_test(t, test_lost_connection);
	tcase_add_test(t, test_taken_over);
	tcase_add_test(t, test_root);
	tcase_add_test(t, test_expiry);
	tcase_add_test(t, test_expiry_detached);
	tcase_add_test(t, test_minutes);
	tcase_add_test(t, test_bounds);
	tcase_add_loop_test(t, test_failed_commit, 0, ARRAY_LEN(points));
	tcase_add_test(t, test_confirm);
	tcase_add_test(t, test_confirm_and_held);
	tcase_add_test(t, test_confirm_bound);
	tcase_add_test(t, test_block);
	tcase_add_test(t, test_replace);
	tcase_add_test(t, test_atomic);
	tcase_add_test(t, test_restart);
	tcase_add_test(t, test_show);
	tcase_add_test(t, test_show_waiting);
	tcase_add_loop_test(t, test_json, 0, 5);
	return s;
}

int main(void) {
	return fixture_run(workspace_suite());
}
