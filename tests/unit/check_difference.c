/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The difference of two configurations: its words in the cases that administrators meet, and that
 * carrying out what it says leads from the one to the other, for random pairs of them.
 */
#include "cfgdb/difference.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/history.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_edits.h"

#define POLICY                                                                 \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr all\n" \
	"set schedule always\n"                                               \
	"set service ALL\nset uuid 00000000-0000-0000-0000-000000000001\n"
#define ADDRESS "set uuid 00000000-0000-0000-0000-000000000002\n"
#define STEPS	"# What follows passes through steps between: use gatehouse --atomic.\n"

static struct engine *engine;
static struct txn *txn;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	engine = fixture_engine(dir);
	for (int i = 1; i <= 4; i++) {
		AUTO_FREE char *key = xasprintf("%d", i);

		fixture_set(engine, "firewall.policy", key, POLICY);
	}
	txn = txn_new(engine, "admin", "test");
}

static void teardown(void) {
	txn_free(txn);
	engine_close(engine);
}

static void put(const char *table, const char *key, const char *body) {
	struct err err = { 0 };

	ck_assert_msg(fixture_put(txn, table, key, TXN_ANY, body, &err) == 0, "%s", err.text);
}

static void delete (const char *table, const char *key) {
	ck_assert_int_eq(txn_delete(txn, fixture_table(table), key, NULL), 0);
}

static void check(const char *want) {
	AUTO_STR struct str out = STR_INIT;

	difference_txn(txn, &out);
	ck_assert_str_eq(str_text(&out), want);
}

/* From now on what was staged is where a difference begins. */
static void settle(void) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(txn, &err) == 0, "%s", err.text);
}

START_TEST(test_nothing) {
	check("");
	put("firewall.policy", "1", POLICY);
	check("");
}
END_TEST

START_TEST(test_attributes) {
	put("firewall.policy", "1", POLICY "set name \"a b\"\n");
	put("firewall.policy", "2", POLICY "set action accept\nset nat enable\n");
	check("config firewall policy\n"
	      "    edit 1\n"
	      "        set name \"a b\"\n"
	      "    next\n"
	      "    edit 2\n"
	      "        set action accept\n"
	      "        set nat enable\n"
	      "    next\n"
	      "end\n");
	settle();
	put("firewall.policy", "1", POLICY);
	put("firewall.policy", "2", POLICY);
	put("system.global", "", "set hostname fw-a\n");
	check("config system global\n"
	      "    set hostname \"fw-a\"\n"
	      "end\n"
	      "config firewall policy\n"
	      "    edit 1\n"
	      "        unset name\n"
	      "    next\n"
	      "    edit 2\n"
	      "        unset action\n"
	      "    next\n"
	      "end\n");
}
END_TEST

/* What is named comes first, what goes comes last, whatever the order it was typed in. */
START_TEST(test_references) {
	put("firewall.address", "web", ADDRESS "set subnet 10.0.0.0 255.255.255.0\n");
	put("firewall.addrgrp", "b", ADDRESS "set member web\n");
	put("firewall.addrgrp", "a", ADDRESS "set member b\n");
	check("config firewall address\n"
	      "    edit \"web\"\n"
	      "        set uuid 00000000-0000-0000-0000-000000000002\n"
	      "        set subnet 10.0.0.0 255.255.255.0\n"
	      "    next\n"
	      "end\n"
	      "config firewall addrgrp\n"
	      "    edit \"b\"\n"
	      "        set uuid 00000000-0000-0000-0000-000000000002\n"
	      "        set member \"web\"\n"
	      "    next\n"
	      "    edit \"a\"\n"
	      "        set uuid 00000000-0000-0000-0000-000000000002\n"
	      "        set member \"b\"\n"
	      "    next\n"
	      "end\n");
	settle();
	delete ("firewall.addrgrp", "a");
	delete ("firewall.addrgrp", "b");
	delete ("firewall.address", "web");
	delete ("firewall.policy", "2");
	check("config firewall policy\n"
	      "    delete 2\n"
	      "end\n"
	      "config firewall addrgrp\n"
	      "    delete \"a\"\n"
	      "    delete \"b\"\n"
	      "end\n"
	      "config firewall address\n"
	      "    delete \"web\"\n"
	      "end\n");
}
END_TEST

START_TEST(test_moves) {
	put("firewall.policy", "9", POLICY);
	ck_assert_int_eq(txn_place(txn, fixture_table("firewall.policy"), "9", "", NULL), 0);
	ck_assert_int_eq(txn_place(txn, fixture_table("firewall.policy"), "2", "4", NULL), 0);
	check("config firewall policy\n"
	      "    edit 9\n"
	      "        set uuid 00000000-0000-0000-0000-000000000001\n"
	      "        set srcintf \"any\"\n"
	      "        set dstintf \"any\"\n"
	      "        set srcaddr \"all\"\n"
	      "        set dstaddr \"all\"\n"
	      "        set schedule \"always\"\n"
	      "        set service \"ALL\"\n"
	      "    next\n"
	      "    move 9 before 1\n"
	      "    move 2 after 4\n"
	      "end\n");
}
END_TEST

START_TEST(test_nested) {
	put("system.standalone-cluster", "",
	    "config cluster-peer\nedit 1\nset peerip 10.0.0.1\nnext\nedit 2\nset peerip 10.0.0.2\n"
	    "next\nedit 3\nset peerip 10.0.0.3\nnext\nend\n");
	settle();
	put("system.standalone-cluster", "",
	    "set standalone-group-id 3\nconfig cluster-peer\nedit 1\nset peerip 10.0.0.9\nnext\n"
	    "edit 3\nset peerip 10.0.0.3\nnext\nedit 2\nset peerip 10.0.0.2\nnext\nend\n");
	check("config system standalone-cluster\n"
	      "    set standalone-group-id 3\n"
	      "    config cluster-peer\n"
	      "        delete 2\n"
	      "        edit 1\n"
	      "            set peerip 10.0.0.9\n"
	      "        next\n"
	      "        edit 2\n"
	      "            set peerip 10.0.0.2\n"
	      "        next\n"
	      "    end\n"
	      "end\n");
}
END_TEST

/* Two that exchange what only one can have. */
START_TEST(test_exchange) {
	put("firewall.policy", "1", POLICY "set name x\n");
	put("firewall.policy", "2", POLICY "set name y\n");
	settle();
	put("firewall.policy", "1", POLICY);
	put("firewall.policy", "2", POLICY "set name x\n");
	put("firewall.policy", "1", POLICY "set name y\n");
	check(STEPS "config firewall policy\n"
		    "    edit 1\n"
		    "        unset name\n"
		    "    next\n"
		    "    edit 2\n"
		    "        set name \"x\"\n"
		    "    next\n"
		    "    edit 1\n"
		    "        set name \"y\"\n"
		    "    next\n"
		    "end\n");
}
END_TEST

/* A name changes its table while a policy needs it all the time. */
START_TEST(test_remake) {
	const char *const group = ADDRESS "set member all\n";

	put("firewall.address", "n", ADDRESS);
	put("firewall.policy", "3", POLICY "set srcaddr n\n");
	settle();
	put("firewall.policy", "3", POLICY);
	delete ("firewall.address", "n");
	put("firewall.addrgrp", "n", group);
	put("firewall.policy", "3", POLICY "set srcaddr n\n");
	check(STEPS "config firewall policy\n"
		    "    delete 3\n"
		    "end\n"
		    "config firewall address\n"
		    "    delete \"n\"\n"
		    "end\n"
		    "config firewall addrgrp\n"
		    "    edit \"n\"\n"
		    "        set uuid 00000000-0000-0000-0000-000000000002\n"
		    "        set member \"all\"\n"
		    "    next\n"
		    "end\n"
		    "config firewall policy\n"
		    "    edit 3\n"
		    "        set uuid 00000000-0000-0000-0000-000000000001\n"
		    "        set srcintf \"any\"\n"
		    "        set dstintf \"any\"\n"
		    "        set srcaddr \"n\"\n"
		    "        set dstaddr \"all\"\n"
		    "        set schedule \"always\"\n"
		    "        set service \"ALL\"\n"
		    "    next\n"
		    "    move 3 after 2\n"
		    "end\n");
}
END_TEST

/* Random histories: any of their revisions to any other. */
START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed() * 100 + (uint64_t)_i);
	uint64_t first = engine->revision;

	for (unsigned int i = 0; i < 12; i++) {
		random_changes(&r, txn, 1 + rng_below(&r, 40));
		settle();
	}
	for (unsigned int i = 0; i < 20; i++) {
		uint32_t span = (uint32_t)(engine->revision - first + 1);
		struct txn *a = history_look(engine, first + rng_below(&r, span), NULL);
		struct txn *b = history_look(engine, first + rng_below(&r, span), NULL);
		AUTO_STR struct str out = STR_INIT, again = STR_INIT;

		difference(a, b, &out);
		ck_assert_msg(strstr(str_text(&out), "refused") == NULL, "%s",
			      strstr(str_text(&out), "refused"));
		difference(a, b, &again); /* a is now what b is, but for the order */
		ck_assert_msg(strstr(str_text(&again), "edit ") == NULL &&
				      strstr(str_text(&again), "delete ") == NULL,
			      "%.900s", str_text(&again));
		txn_free(a);
		txn_free(b);
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("difference");
	TCase *t = fixture_case(s, "difference");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_nothing);
	tcase_add_test(t, test_attributes);
	tcase_add_test(t, test_references);
	tcase_add_test(t, test_moves);
	tcase_add_test(t, test_nested);
	tcase_add_test(t, test_exchange);
	tcase_add_test(t, test_remake);
	tcase_add_loop_test(t, test_random, 0, (int)fixture_rounds(6));
	return fixture_run(s);
}
