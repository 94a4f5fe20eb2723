/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a config transaction keeps others from, and what not: other administrators, the user's own
 * other session, other transactions. What other members of the group say is not stopped.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/pending.h"
#include "cfgdb/workspace.h"
#include "tests/lib/fixture.h"
#include "tests/lib/rng.h"
#include "tests/lib/wire.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define LOCKED                                                                                   \
	"Can not config the object since either the object or the referenced objects are being " \
	"configured by other transactions."
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

/* ---- locks ---- */

/* What alice has staged, and what bob then wants. */
static const struct {
	const char *name;
	enum { OWN_PUT, OWN_DELETE } own;
	const char *table, *key, *body;
	bool put;                /* bob puts, or deletes */
	const char *its_table, *its_key, *its_body;
	int code;
} locks[] = {
	{ "the same object", OWN_PUT, "firewall.address", "y", UUID(2) "set comment a\n", true,
	  "firewall.address", "y", UUID(2) "set comment b\n", ERR_LOCKED },
	{ "deletion of it", OWN_PUT, "firewall.address", "y", UUID(2) "set comment a\n", false,
	  "firewall.address", "y", "", ERR_LOCKED },
	{ "another object of the table", OWN_PUT, "firewall.address", "y",
	  UUID(2) "set comment a\n", true, "firewall.address", "z", UUID(3) "set comment b\n", 0 },
	{ "deletion of another one", OWN_PUT, "firewall.address", "y", UUID(2) "set comment a\n",
	  false, "firewall.address", "z", "", 0 },
	{ "deletion of what is referred to now", OWN_PUT, "firewall.addrgrp", "g",
	  UUID(4) "set member x y\n", false, "firewall.address", "y", "", ERR_LOCKED },
	{ "a change of what is referred to now", OWN_PUT, "firewall.addrgrp", "g",
	  UUID(4) "set member x y\n", true, "firewall.address", "y", UUID(2) "set comment b\n",
	  0 },
	{ "a reference to what is deleted", OWN_DELETE, "firewall.address", "y", NULL, true,
	  "firewall.addrgrp", "h", "set member y\n", ERR_LOCKED },
	{ "a reference to what is changed", OWN_PUT, "firewall.address", "y",
	  UUID(2) "set comment a\n", true, "firewall.addrgrp", "h", "set member y\n", 0 },
	{ "a new object of that name", OWN_PUT, "firewall.address", "n", "", true,
	  "firewall.address", "n", "", ERR_LOCKED },
	{ "a new object of that name in a table beside it", OWN_PUT, "firewall.address", "n", "",
	  true, "firewall.addrgrp", "n", "set member x\n", ERR_LOCKED },
	{ "the same unique name", OWN_PUT, "firewall.policy", "8",
	  POLICY "set name q\nset dstaddr all\n", true, "firewall.policy", "9",
	  POLICY "set name q\nset dstaddr all\n", ERR_LOCKED },
	{ "another unique name", OWN_PUT, "firewall.policy", "8",
	  POLICY "set name q\nset dstaddr all\n", true, "firewall.policy", "9",
	  POLICY "set name r\nset dstaddr all\n", 0 },
	{ "the same settings", OWN_PUT, "system.settings", "", "set ses-denied-traffic enable\n",
	  true, "system.settings", "", "set asymroute enable\n", ERR_LOCKED },
	{ "a reference to an interface that was found", OWN_PUT, "firewall.policy", "8",
	  POLICY "set dstaddr all\n", true, "router.static", "1", "set device port1\n", 0 },
};

static int want(int i) {
	return locks[i].put ? wire_put(&bob, locks[i].its_table, locks[i].its_key,
				       locks[i].its_body)
			    : wire_drop(&bob, locks[i].its_table, locks[i].its_key);
}

START_TEST(test_lock) {
	int rc;

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(locks[_i].own == OWN_PUT
		     ? wire_put(&alice, locks[_i].table, locks[_i].key, locks[_i].body)
		     : wire_drop(&alice, locks[_i].table, locks[_i].key),
	     &alice);
	rc = want(_i);
	ck_assert_msg(rc == locks[_i].code, "%s: %d %s", locks[_i].name, rc, bob.err.text);
	if (rc == 0) { /* then the transaction is not harmed by it */
		GOOD(wire_txn(&alice, "commit"), &alice);
		return;
	}
	ck_assert_ptr_nonnull(strstr(bob.err.text, ": config transaction id=1 of alice has it\n" LOCKED));
	GOOD(wire_txn(&alice, "abort"), &alice);
	rc = want(_i);
	ck_assert_msg(rc == 0 || rc == ERR_IN_USE, "%s: %d", locks[_i].name, rc);
}
END_TEST

static int rename_to(struct wire *w, const char *table, const char *key, const char *to) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_RENAME);
	buf_put_u16(&b, fixture_table(table)->id);
	buf_put_str(&b, key);
	buf_put_str(&b, to);
	return wire_ask(w, &b);
}

static int move_before(struct wire *w, const char *key, const char *other) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_PLACE);
	buf_put_u16(&b, fixture_table("firewall.policy")->id);
	buf_put_str(&b, key);
	buf_put_u8(&b, 1);
	buf_put_str(&b, other);
	return wire_ask(w, &b);
}

/* A name is locked with what has it, what names it, and what would have it. */
START_TEST(test_rename) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "n", ""), &alice);
	GOOD(wire_put(&alice, "firewall.addrgrp", "g", UUID(4) "set member x\nset comment a\n"),
	     &alice);
	ck_assert_int_eq(rename_to(&bob, "firewall.address", "y", "yy"), ERR_LOCKED);
	ck_assert_int_eq(rename_to(&bob, "firewall.address", "z", "n"), ERR_LOCKED);
	ck_assert_int_eq(rename_to(&bob, "firewall.address", "x", "xx"), ERR_LOCKED);
	GOOD(rename_to(&bob, "firewall.address", "z", "zz"), &bob);
	GOOD(rename_to(&alice, "firewall.address", "x", "xx"), &alice);
	ck_assert_int_eq(wire_put(&bob, "firewall.addrgrp", "h", "set member x\n"), ERR_LOCKED);
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_put(&bob, "firewall.addrgrp", "h", "set member xx\n"), &bob);
}
END_TEST

/* All of a table, or nothing of it. */
START_TEST(test_purge) {
	GOOD(wire_drop(&alice, "firewall.policy", "7"), &alice);
	GOOD(wire_drop(&alice, "firewall.addrgrp", "g"), &alice);
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.policy", "8", POLICY "set dstaddr all\n"), &alice);
	GOOD(wire_named(&bob, CTL_PURGE, "firewall.policy", NULL), &bob);
	GOOD(wire_put(&bob, "firewall.policy", "9", POLICY "set dstaddr all\n"), &bob);
	GOOD(wire_put(&alice, "firewall.policy", "9", POLICY "set dstaddr x\n"), &alice);
	ck_assert_int_eq(wire_named(&bob, CTL_PURGE, "firewall.policy", NULL), ERR_LOCKED);
	GOOD(wire_get(&bob, "firewall.policy", "9"), &bob);
}
END_TEST

/* What one moves no other can, and the order of the rest is anybody's. */
START_TEST(test_move) {
	GOOD(wire_put(&bob, "firewall.policy", "8", POLICY "set dstaddr all\n"), &bob);
	GOOD(wire_put(&bob, "firewall.policy", "9", POLICY "set dstaddr all\n"), &bob);
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(move_before(&alice, "9", "7"), &alice);
	ck_assert_int_eq(move_before(&bob, "9", "8"), ERR_LOCKED);
	ck_assert_int_eq(wire_drop(&bob, "firewall.policy", "9"), ERR_LOCKED);
	ck_assert_int_eq(wire_drop(&bob, "firewall.policy", "7"), ERR_LOCKED);
	GOOD(move_before(&bob, "8", "7"), &bob);
	GOOD(wire_put(&bob, "firewall.policy", "10", POLICY "set dstaddr all\n"), &bob);
	GOOD(wire_named(&alice, CTL_LIST, "firewall.policy", NULL), &alice);
	ck_assert_uint_eq(alice.n_objects, 4);
	GOOD(move_before(&alice, "9", "10"), &alice);
	GOOD(move_before(&alice, "9", "7"), &alice);
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_named(&bob, CTL_LIST, "firewall.policy", NULL), &bob);
	ck_assert_uint_eq(bob.n_objects, 4);
	ck_assert_int_eq(strncmp(str_text(&bob.said), "8: ", 3), 0);
	ck_assert_ptr_null(strstr(strstr(str_text(&bob.said), "\n7: "), "\n9: "));
}
END_TEST

/* What the primary deletes it deletes, and no place is left. */
START_TEST(test_move_lost) {
	const struct txn_origin origin = { "carol", "replicated", "", 0 };
	struct err err = { 0 };
	struct txn *t;

	GOOD(wire_put(&bob, "firewall.policy", "8", POLICY "set dstaddr all\n"), &bob);
	GOOD(wire_put(&bob, "firewall.policy", "9", POLICY "set dstaddr all\n"), &bob);
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(move_before(&alice, "9", "8"), &alice);
	t = txn_new_replicated(unit.engine, &origin);
	ck_assert_int_eq(txn_replicate_delete(t, fixture_table("firewall.policy"), "8", &err), 0);
	ck_assert_int_eq(txn_commit(t, &err), 0);
	txn_free(t);
	GOOD(wire_named(&alice, CTL_LIST, "firewall.policy", NULL), &alice);
	ck_assert_uint_eq(alice.n_objects, 2);
	ck_assert_int_eq(move_before(&alice, "9", "7"), ERR_LOCKED);
	ck_assert_int_eq(wire_txn(&alice, "commit"), ERR_LOCKED);
	GOOD(wire_txn(&alice, "abort"), &alice);
	GOOD(move_before(&alice, "9", "7"), &alice);
}
END_TEST

/* Another object takes over the name, and all that says it. */
START_TEST(test_same_name) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_drop(&alice, "firewall.address", "y"), &alice);
	GOOD(wire_put(&alice, "firewall.addrgrp", "y", "set member z\n"), &alice);
	GOOD(wire_put(&alice, "firewall.policy", "8", POLICY "set dstaddr y\n"), &alice);
	GOOD(wire_put(&bob, "firewall.address", "other", ""), &bob);
	GOOD(wire_txn(&alice, "commit"), &alice);
	ck_assert_int_eq(wire_drop(&bob, "firewall.addrgrp", "y"), ERR_IN_USE);
}
END_TEST

/* Two held transactions, too, and the user's own other session. */
START_TEST(test_lock_held) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_txn(&alice2, "start"), &alice2);
	GOOD(wire_txn(&bob, "start"), &bob);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	ck_assert_int_eq(wire_drop(&alice2, "firewall.address", "y"), ERR_LOCKED);
	ck_assert_int_eq(wire_drop(&bob, "firewall.address", "y"), ERR_LOCKED);
	GOOD(wire_put(&bob, "firewall.addrgrp", "h", "set member y\n"), &bob);
	ck_assert_int_eq(wire_drop(&alice, "firewall.address", "y"), ERR_LOCKED);
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_txn(&bob, "commit"), &bob);
}
END_TEST

/* What was staged before the lock came is refused at its commit, and all of it. */
START_TEST(test_lock_comes_later) {
	GOOD(wire_simple(&bob, CTL_BEGIN), &bob);
	GOOD(wire_put(&bob, "firewall.address", "y", UUID(2) "set comment b\n"), &bob);
	GOOD(wire_put(&bob, "firewall.address", "z", UUID(3) "set comment b\n"), &bob);
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	ck_assert_int_eq(wire_simple(&bob, CTL_COMMIT), ERR_LOCKED);
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_get(&bob, "firewall.address", "z"), &bob);
	ck_assert_ptr_null(strstr(str_text(&bob.said), "comment"));
}
END_TEST

/* New numbers: each gets his own, and keeps it. */
START_TEST(test_numbers) {
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_send_put(&alice, "router.static", "0", TXN_NEXT, "set device port1\n"), &alice);
	GOOD(wire_named(&bob, CTL_NEXT_ID, "router.static", NULL), &bob);
	ck_assert_uint_eq(bob.id, 2);
	GOOD(wire_send_put(&bob, "router.static", "0", TXN_NEXT, "set device port1\n"), &bob);
	GOOD(wire_send_put(&bob, "router.static", "1", TXN_NEXT, "set device port1\n"), &bob);
	ck_assert_str_eq(str_text(&bob.said), "warning: router static 1: someone else took the "
					      "number meanwhile, the new entry is 3\n");
	GOOD(wire_txn(&alice, "commit"), &alice);
	ck_assert_str_eq(str_text(&alice.said), "");
	GOOD(wire_named(&bob, CTL_LIST, "router.static", NULL), &bob);
	ck_assert_uint_eq(bob.n_objects, 3);
}
END_TEST

/* An interface that both take up is nobody's: who names it first adopts it for both. */
START_TEST(test_adopted) {
	struct txn *found = txn_new(unit.engine, "system", "found");
	struct err err = { 0 };

	txn_as_found(found);
	ck_assert_int_eq(fixture_put(found, "system.interface", "port9", TXN_NEW,
				     "set type physical\n", &err), 0);
	ck_assert_int_eq(txn_commit(found, &err), 0);
	txn_free(found);
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "router.static", "1", "set device port9\n"), &alice);
	GOOD(wire_put(&bob, "router.static", "2", "set device port9\n"), &bob);
	GOOD(wire_put(&bob, "system.interface", "port9", "set type physical\nset alias b\n"), &bob);
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_get(&bob, "system.interface", "port9"), &bob);
	ck_assert_ptr_nonnull(strstr(str_text(&bob.said), "alias"));
}
END_TEST

/* Who changes a found interface keeps others from taking it up meanwhile. */
START_TEST(test_adopted_locked) {
	struct txn *found = txn_new(unit.engine, "system", "found");
	struct err err = { 0 };

	txn_as_found(found);
	ck_assert_int_eq(fixture_put(found, "system.interface", "port9", TXN_NEW,
				     "set type physical\n", &err), 0);
	ck_assert_int_eq(txn_commit(found, &err), 0);
	txn_free(found);
	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "system.interface", "port9", "set type physical\nset alias a\n"), &alice);
	ck_assert_int_eq(wire_put(&bob, "router.static", "2", "set device port9\n"), ERR_LOCKED);
	GOOD(wire_txn(&alice, "commit"), &alice);
	GOOD(wire_put(&bob, "router.static", "2", "set device port9\n"), &bob);
}
END_TEST

/* What the primary says is not stopped; the transaction learns it at its commit, and stays. */
START_TEST(test_replicated) {
	const struct txn_origin origin = { "carol", "replicated", "", 0 };
	struct txn *t;
	struct err err = { 0 };

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "y", UUID(2) "set comment a\n"), &alice);
	GOOD(wire_put(&alice, "firewall.address", "z", UUID(3) "set comment a\n"), &alice);
	t = txn_new_replicated(unit.engine, &origin);
	ck_assert_int_eq(txn_replicate_delete(t, fixture_table("firewall.address"), "y", &err), 0);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
	ck_assert_int_eq(wire_txn(&alice, "commit"), ERR_LOCKED);
	ck_assert_str_eq(alice.err.text,
			 "config transaction id=1 stays open:\nfirewall address y:\n" LOCKED);
	GOOD(wire_get(&alice, "firewall.address", "y"), &alice);
	GOOD(wire_get(&bob, "firewall.address", "z"), &bob);
	ck_assert_ptr_null(strstr(str_text(&bob.said), "comment"));
	GOOD(wire_txn(&alice, "abort"), &alice);
}
END_TEST

/* Neither is what the unit itself must do, whoever edits. */
START_TEST(test_override) {
	struct txn *t = txn_new(unit.engine, "system", "auto-scale");
	struct err err = { 0 };

	GOOD(wire_txn(&alice, "start"), &alice);
	GOOD(wire_put(&alice, "system.auto-scale", "", "set hb-interval 5\n"), &alice);
	ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY, "set hb-interval 6\n",
				     &err), ERR_LOCKED);
	txn_override(t);
	ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY, "set hb-interval 6\n",
				     &err), 0);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
	ck_assert_int_eq(wire_txn(&alice, "commit"), ERR_LOCKED);
}
END_TEST

/* ---- anything at random ---- */

static struct rng rng;

static char *random_key(const char *table) {
	if (strcmp(table, "firewall.policy") == 0)
		return xasprintf("%u", 1 + rng_below(&rng, 6));
	return xasprintf("%s%u", rng_chance(&rng, 80) ? strchr(table, '.') + 1 : "same",
			 rng_below(&rng, 6));
}

static const char *random_table(void) {
	static const char *const tables[] = { "firewall.address", "firewall.addrgrp",
					      "firewall.policy" };

	return tables[rng_below(&rng, ARRAY_LEN(tables))];
}

static void random_put(struct wire *w, const char *table, const char *key) {
	AUTO_FREE char *a = random_key("firewall.address"), *b = random_key("firewall.address");
	AUTO_FREE char *body = NULL;

	if (strcmp(table, "firewall.address") == 0)
		body = xasprintf("set comment c%u\n", rng_below(&rng, 100));
	else if (strcmp(table, "firewall.addrgrp") == 0)
		body = xasprintf("set member %s %s\n", a, b);
	else
		body = xasprintf(POLICY "set name n%u\nset dstaddr %s\n", rng_below(&rng, 8), a);
	wire_put(w, table, key, body);
}

/* Whatever comes of it: much is refused. */
static void random_edit(struct wire *w) {
	const char *table = random_table();
	AUTO_FREE char *key = random_key(table), *other = random_key(table);

	switch (rng_below(&rng, 8)) {
	case 0:
		wire_drop(w, table, key);
		break;
	case 1:
		rename_to(w, table, key, other);
		break;
	case 2:
	case 3:
		move_before(w, key, other);
		break;
	case 4:
		if (rng_chance(&rng, 10))
			wire_named(w, CTL_PURGE, table, NULL);
		break;
	default:
		random_put(w, table, key);
	}
}

/* A transaction that is held can always be committed, and what waits can always be taken back. */
static void random_end(struct wire *w) {
	static const char *const ends[] = { "commit", "commit confirm 1", "abort" };
	const char *end = ends[rng_below(&rng, ARRAY_LEN(ends))];
	int rc = wire_txn(w, end);

	ck_assert_msg(rc == 0, "seed %llu: %s: %d %s", (unsigned long long)fixture_seed(), end, rc,
		      w->err.text);
	GOOD(wire_txn(w, "start 1440"), w);
}

START_TEST(test_random) {
	const unsigned int n = fixture_rounds(20000);

	rng = rng_seed(fixture_seed());
	GOOD(wire_txn(&alice, "start 1440"), &alice);
	GOOD(wire_txn(&alice2, "start 1440"), &alice2);
	for (unsigned int i = 0; i < n; i++) {
		struct wire *w = rng_chance(&rng, 50) ? &bob : rng_chance(&rng, 50) ? &alice
										    : &alice2;
		unsigned int what = rng_below(&rng, 100);

		if (what < 3 && w != &bob) {
			random_end(w);
		} else if (what < 3) {
			wire_pass(rng_below(&rng, 60));
			pending_tick(unit.config.pending);
		} else if (what < 5) {
			wire_txn(w, "confirm");
		} else if (what < 10 && w == &bob) {
			wire_simple(w, rng_chance(&rng, 50) ? CTL_BEGIN : CTL_COMMIT);
		} else {
			random_edit(w);
		}
		ck_assert_msg(unit.n_stuck == 0, "seed %llu, step %u",
			      (unsigned long long)fixture_seed(), i);
	}
}
END_TEST

static Suite *txn_lock_suite(void) {
	Suite *s = suite_create("txn_lock");
	TCase *t = fixture_case(s, "txn_lock");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_lock, 0, ARRAY_LEN(locks));
	tcase_add_test(t, test_rename);
	tcase_add_test(t, test_purge);
	tcase_add_test(t, test_move);
	tcase_add_test(t, test_move_lost);
	tcase_add_test(t, test_same_name);
	tcase_add_test(t, test_lock_held);
	tcase_add_test(t, test_lock_comes_later);
	tcase_add_test(t, test_numbers);
	tcase_add_test(t, test_adopted);
	tcase_add_test(t, test_adopted_locked);
	tcase_add_test(t, test_replicated);
	tcase_add_test(t, test_override);
	tcase_add_test(t, test_random);
	return s;
}

int main(void) {
	return fixture_run(txn_lock_suite());
}
