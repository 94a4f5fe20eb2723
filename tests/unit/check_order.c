/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Listing: each object once, after those of its table that it names, otherwise in its place. */
#include "cfgdb/order.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

static struct engine *engine;
static struct txn *txn;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	engine = fixture_engine(dir);
	txn = txn_new(engine, "a", "test");
}

static void teardown(void) {
	txn_free(txn);
	engine_close(engine);
}

static void put(const char *table, const char *key, const char *body) {
	struct err err = { 0 };

	ck_assert_msg(fixture_put(txn, table, key, TXN_ANY, body, &err) == 0, "%s %s: %s", table,
		      key, err.text);
}

static int add_key(void *arg, const struct object *obj) {
	str_addf(arg, "%s ", obj->key);
	return 0;
}

static void check_list(const char *table, const char *want) {
	struct str got AUTO_STR = STR_INIT;

	ck_assert_int_eq(order_each(txn, fixture_table(table), add_key, &got), 0);
	ck_assert_str_eq(str_text(&got), want);
}

static int stop_at(void *arg, const struct object *obj) {
	return strcmp(obj->key, arg) == 0 ? 7 : 0;
}

START_TEST(test_groups) {
	const char *const names[] = { "a", "b", "c", "d", "e", "f" };

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		put("firewall.addrgrp", names[i], "set member all\n");
	check_list("firewall.addrgrp", "a b c d e f ");
	put("firewall.addrgrp", "a", "set member d c all\n");
	check_list("firewall.addrgrp", "d c a b e f ");
	put("firewall.addrgrp", "d", "set member c f\n");
	check_list("firewall.addrgrp", "c f d a b e ");
	put("firewall.addrgrp", "c", "set member f e\n");
	put("firewall.addrgrp", "b", "set member e\n");
	check_list("firewall.addrgrp", "f e c d a b ");
	ck_assert_int_eq(order_each(txn, fixture_table("firewall.addrgrp"), stop_at, (void *)"c"),
			 7);
}
END_TEST

/* Objects that name each other are all listed, once. */
START_TEST(test_ring) {
	put("system.interface", "x", "");
	put("system.interface", "y", "set dhcp-relay-interface x\n");
	put("system.interface", "z", "set dhcp-relay-interface y\n");
	put("system.interface", "x", "set dhcp-relay-interface z\n");
	check_list("system.interface", "y z x ");
}
END_TEST

/* A chain of names as long as a table may be: each names the one made after it. */
START_TEST(test_chain) {
	const int n = 100000;
	struct str want AUTO_STR = STR_INIT;

	for (int i = n; i > 0; i--) {
		AUTO_FREE char *key = xasprintf("%d", i);

		str_addf(&want, "%s ", key);
	}
	for (int round = 0; round < 2; round++)
		for (int i = 1; i <= n; i++) {
			AUTO_FREE char *key = xasprintf("%d", i);
			AUTO_FREE char *body = xasprintf("set dhcp-relay-interface %d\n", i + 1);

			put("system.interface", key, round && i < n ? body : "");
		}
	check_list("system.interface", str_text(&want));
}
END_TEST

static Suite *order_suite(void) {
	Suite *s = suite_create("order");
	TCase *t = fixture_case(s, "order");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_groups);
	tcase_add_test(t, test_ring);
	tcase_add_test(t, test_chain);
	return s;
}

int main(void) {
	return fixture_run(order_suite());
}
