/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions: what is staged is seen through them and nowhere else, what is in use stays, and of
 * two administrators at one object the second is refused.
 */
#include "cfgdb/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define LOCKED                                                                                   \
	"Can not config the object since either the object or the referenced objects are being " \
	"configured by other transactions."
#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"

static struct engine *engine;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	engine = fixture_engine(dir);
	fixture_set(engine, "system.interface", "port1", "set type physical\n");
	fixture_set(engine, "firewall.address", "x", "set subnet 10.0.0.0/8\n");
	fixture_set(engine, "firewall.address", "y", "set subnet 10.9.0.0/16\n");
	fixture_set(engine, "firewall.policy", "1", POLICY "set dstaddr y\n");
}

static void teardown(void) {
	engine_close(engine);
}

static void good_put(struct txn *t, const char *table, const char *key, const char *body) {
	struct err err = { 0 };
	int rc = fixture_put(t, table, key, TXN_ANY, body, &err);

	ck_assert_msg(rc == 0, "%s %s: %d %s", table, key, rc, err.text);
}

static void good_delete(struct txn *t, const char *table, const char *key) {
	struct err err = { 0 };

	ck_assert_msg(txn_delete(t, fixture_table(table), key, &err) == 0, "%s", err.text);
}

static void good_commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(txn_staged(t), 0);
}

static int add_key(void *arg, const struct object *obj) {
	str_addf(arg, "%s ", obj->key);
	return 0;
}

static char *keys_of(const struct txn *t, const char *table) {
	struct str out = STR_INIT;

	ck_assert_int_eq(txn_each(t, fixture_table(table), add_key, &out), 0);
	return str_steal(&out);
}

#define CHECK_KEYS(t, table, want)                        \
	do {                                              \
		AUTO_FREE char *keys = keys_of(t, table); \
		ck_assert_str_eq(keys, want);             \
	} while (0)

/* ---- looking through ---- */

START_TEST(test_staged_is_seen) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct txn *t = txn_new(engine, "a", "test"), *other = txn_new(engine, "b", "test");
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;

	good_put(t, "firewall.policy", "5", POLICY "set dstaddr x\nset name new\n");
	good_put(t, "firewall.policy", "1", POLICY "set dstaddr x\nset name changed\n");
	good_delete(t, "firewall.address", "y");
	ck_assert_str_eq(object_str(txn_find(t, policy, "5"), FIREWALL_POLICY__NAME), "new");
	ck_assert_str_eq(object_str(txn_find(t, policy, "1"), FIREWALL_POLICY__NAME), "changed");
	ck_assert_str_eq(object_str(txn_active(t, policy, "1"), FIREWALL_POLICY__NAME), "");
	ck_assert_ptr_null(txn_find(t, fixture_table("firewall.address"), "y"));
	CHECK_KEYS(t, "firewall.policy", "1 5 ");
	CHECK_KEYS(t, "firewall.address", "all none x ");
	ck_assert_uint_eq(txn_count(t, policy), 2);
	ck_assert_uint_eq(txn_count(t, fixture_table("firewall.address")), 3);
	CHECK_KEYS(other, "firewall.policy", "1 ");
	CHECK_KEYS(other, "firewall.address", "all none x y ");
	ck_assert_ptr_nonnull(txn_find(other, fixture_table("firewall.address"), "y"));
	ck_assert_uint_eq(txn_staged(t), 3);
	txn_free(t);
	txn_free(other);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

START_TEST(test_object_table) {
	const struct schema_table *ha = fixture_table("system.ha");
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	ck_assert_int_eq(object_num(txn_object(t, ha), SYSTEM_HA__GROUP_ID), 0);
	ck_assert_uint_eq(txn_base_version(t, ha, ""), TXN_NEW);
	good_put(t, "system.ha", "", "set group-id 9\n");
	ck_assert_int_eq(object_num(txn_object(t, ha), SYSTEM_HA__GROUP_ID), 9);
	good_commit(t);
	ck_assert_uint_eq(txn_base_version(t, ha, ""), engine->revision);
	ck_assert_int_eq(txn_delete(t, ha, "", &err), ERR_PARSE);
	txn_free(t);
}
END_TEST

static int stop_at_x(void *arg, const struct object *obj) {
	++*(int *)arg;
	return strcmp(obj->key, "x") == 0 ? 77 : 0;
}

/* In any order: each object once, as it would be. */
START_TEST(test_each_any_order) {
	const struct schema_table *address = fixture_table("firewall.address");
	struct txn *t = txn_new(engine, "a", "test");
	AUTO_STR struct str keys = STR_INIT;
	int n = 0;

	good_put(t, "firewall.address", "b", "");
	good_put(t, "firewall.addrgrp", "g", "set member b\n");
	good_put(t, "firewall.address", "a", "");
	good_delete(t, "firewall.policy", "1");
	good_delete(t, "firewall.address", "y");
	good_delete(t, "firewall.address", "x");
	good_put(t, "firewall.address", "x", "");
	ck_assert_int_eq(txn_each_any_order(t, address, add_key, &keys), 0);
	ck_assert_str_eq(str_text(&keys), "all none x a b ");
	ck_assert_int_eq(txn_each_any_order(t, address, stop_at_x, &n), 77);
	ck_assert_int_eq(n, 3);
	txn_free(t);
}
END_TEST

START_TEST(test_each_stops) {
	struct txn *t = txn_new(engine, "a", "test");
	int n = 0;

	good_put(t, "firewall.address", "later", "");
	ck_assert_int_eq(txn_each(t, fixture_table("firewall.address"), stop_at_x, &n), 77);
	ck_assert_int_eq(n, 3);
	txn_free(t);
}
END_TEST

/* ---- ids ---- */

static uint64_t next_id(const struct txn *t, const char *table) {
	uint64_t id = 0;
	struct err err = { 0 };

	ck_assert_msg(txn_next_id(t, fixture_table(table), &id, &err) == 0, "%s", err.text);
	return id;
}

START_TEST(test_next_id) {
	struct txn *t = txn_new(engine, "a", "test");

	ck_assert_uint_eq(next_id(t, "router.static"), 1);
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 2);
	good_put(t, "firewall.policy", "30", POLICY "set dstaddr x\n");
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 31);
	good_put(t, "firewall.policy", "9", POLICY "set dstaddr x\n");
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 31);
	good_delete(t, "firewall.policy", "30");
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 10);
	good_delete(t, "firewall.policy", "9");
	good_delete(t, "firewall.policy", "1");
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 1);
	/* ids of the tables before and after this one do not matter */
	good_put(t, "system.vdom-exception", "77", "set object firewall.address\n");
	good_put(t, "router.static", "99", "set device port1\n");
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 1);
	ck_assert_uint_eq(next_id(t, "router.static"), 100);
	good_commit(t);
	ck_assert_uint_eq(next_id(t, "router.static"), 100);
	ck_assert_uint_eq(next_id(t, "system.vdom-exception"), 78);
	txn_free(t);
}
END_TEST

/* The greatest number is taken: a table with gaps is not full. */
START_TEST(test_next_id_in_a_gap) {
	struct txn *t = txn_new(engine, "a", "test");

	good_put(t, "firewall.policy", "4294967294", POLICY "set dstaddr x\n");
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 2);
	good_delete(t, "firewall.policy", "1");
	ck_assert_uint_eq(next_id(t, "firewall.policy"), 1);
	txn_free(t);
}
END_TEST

START_TEST(test_next_id_refused) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };
	uint64_t id;

	ck_assert_int_eq(txn_next_id(t, fixture_table("firewall.address"), &id, &err), ERR_PARSE);
	ck_assert_int_eq(txn_next_id(t, fixture_table("system.ha"), &id, &err), ERR_PARSE);
	txn_free(t);
}
END_TEST

/* ---- who uses it ---- */

static size_t users(struct txn *t, const char *table, const char *key) {
	return txn_count_users(t, txn_find(t, fixture_table(table), key));
}

static int delete_code(struct txn *t, const char *table, const char *key, struct err *err) {
	return txn_delete(t, fixture_table(table), key, err);
}

START_TEST(test_in_use) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	ck_assert_int_eq(delete_code(t, "firewall.address", "y", &err), ERR_IN_USE);
	ck_assert_str_eq(err.text, "The entry is used by other 1 entries");
	good_put(t, "firewall.policy", "2", POLICY "set dstaddr y x\n");
	good_put(t, "firewall.addrgrp", "g", "set member y\n");
	ck_assert_uint_eq(users(t, "firewall.address", "y"), 3);
	ck_assert_int_eq(delete_code(t, "firewall.address", "y", &err), ERR_IN_USE);
	ck_assert_str_eq(err.text, "The entry is used by other 3 entries");
	ck_assert_int_eq(delete_code(t, "firewall.address", "x", &err), ERR_IN_USE);
	/* as the references go, one after the other, the object becomes free */
	good_put(t, "firewall.policy", "2", POLICY "set dstaddr x\n");
	ck_assert_uint_eq(users(t, "firewall.address", "y"), 2);
	good_delete(t, "firewall.addrgrp", "g");
	good_put(t, "firewall.policy", "1", POLICY "set dstaddr x\n");
	good_delete(t, "firewall.address", "y");
	good_commit(t);
	ck_assert_ptr_null(txn_find(t, fixture_table("firewall.address"), "y"));
	txn_free(t);
}
END_TEST

START_TEST(test_delete_unknown) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	ck_assert_int_eq(delete_code(t, "firewall.address", "nobody", &err), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "entry is not found in table");
	good_delete(t, "firewall.policy", "1");
	ck_assert_int_eq(delete_code(t, "firewall.policy", "1", &err), ERR_NOT_FOUND);
	txn_free(t);
}
END_TEST

/* An object that refers to itself does not stand in its own way. */
START_TEST(test_own_reference) {
	struct txn *t = txn_new(engine, "a", "test");

	good_put(t, "system.interface", "port9",
		 "set type physical\nset fail-alert-interfaces port9\n");
	ck_assert_uint_eq(users(t, "system.interface", "port9"), 0);
	good_commit(t);
	ck_assert_uint_eq(users(t, "system.interface", "port9"), 0);
	good_delete(t, "system.interface", "port9");
	good_commit(t);
	txn_free(t);
}
END_TEST

/* References of nested entries count, in the active configuration and in what is staged. */
START_TEST(test_nested_reference) {
	static const char body[] =
		"config cluster-peer\nedit 1\nset peerip 1.2.3.4\n"
		"config session-sync-filter\nset srcintf port1\nend\nnext\nend\n";
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	good_put(t, "system.standalone-cluster", "", body);
	ck_assert_int_eq(delete_code(t, "system.interface", "port1", &err), ERR_IN_USE);
	good_commit(t);
	ck_assert_int_eq(delete_code(t, "system.interface", "port1", &err), ERR_IN_USE);
	good_put(t, "system.standalone-cluster", "", "");
	good_delete(t, "system.interface", "port1");
	good_commit(t);
	txn_free(t);
}
END_TEST

/* One of its own name in another table is not itself. */
START_TEST(test_own_name) {
	struct txn *t = txn_new(engine, "a", "test");
	const char *body = "set extintf any\nset extip 10.9.9.9\nset mappedip 10.8.8.8\n"
			   "set srcintf-filter v\n";

	ck_assert_int_eq(fixture_put(t, "firewall.vip", "v", TXN_ANY, body, NULL), ERR_NOT_FOUND);
	txn_free(t);
}
END_TEST

START_TEST(test_missing_reference) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	ck_assert_int_eq(fixture_put(t, "firewall.policy", "3", TXN_ANY,
				     POLICY "set dstaddr nobody\n", &err),
			 ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "firewall policy 3 dstaddr: entry not found in datasource\n\n"
				   "value parse error before 'nobody'");
	good_put(t, "firewall.address", "nobody", "");
	good_put(t, "firewall.policy", "3", POLICY "set dstaddr nobody\n");
	good_commit(t);
	txn_free(t);
}
END_TEST

/* ---- what a commit leaves ---- */

START_TEST(test_versions) {
	const struct schema_table *address = fixture_table("firewall.address");
	struct txn *t = txn_new(engine, "a", "test");
	uint64_t before = engine->revision;
	struct err err = { 0 };

	ck_assert_uint_eq(txn_base_version(t, address, "all"), 0);
	ck_assert_uint_eq(txn_base_version(t, address, "new"), TXN_NEW);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "new", TXN_NEW, "", &err), 0);
	ck_assert_uint_eq(txn_base_version(t, address, "new"), TXN_NEW);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "new", TXN_NEW, "set color 1\n", &err),
			 0);
	ck_assert_uint_eq(txn_find(t, address, "new")->ver, TXN_NEW);
	good_commit(t);
	ck_assert_uint_eq(engine->revision, before + 1);
	ck_assert_uint_eq(txn_base_version(t, address, "new"), before + 1);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "new", TXN_NEW, "", &err), ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "new", before, "", &err), ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "new", before + 1, "", &err), 0);
	ck_assert_uint_eq(txn_base_version(t, address, "new"), before + 1);
	good_delete(t, "firewall.address", "new");
	ck_assert_uint_eq(txn_base_version(t, address, "new"), TXN_NEW);
	txn_free(t);
}
END_TEST

/* A put of what is there, and a put and delete of what is not, are no change. */
START_TEST(test_void_commit) {
	struct txn *t = txn_new(engine, "a", "test");
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;

	good_put(t, "firewall.address", "x", "set subnet 10.0.0.0/8\n");
	good_put(t, "firewall.policy", "1", POLICY "set dstaddr y\n");
	good_put(t, "system.ha", "", "");
	good_put(t, "firewall.address", "fleeting", "");
	good_delete(t, "firewall.address", "fleeting");
	good_commit(t);
	good_commit(t);
	txn_free(t);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

/* A uuid belongs to the entry: who does not name it keeps it, a new entry gets a new one. */
START_TEST(test_uuid) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	AUTO_FREE char *uuid =
		xstrdup(object_str(model_find(engine->model, policy, "1"), FIREWALL_POLICY__UUID));
	struct txn *t = txn_new(engine, "a", "test");

	ck_assert_uint_eq(strlen(uuid), 36);
	good_put(t, "firewall.policy", "1", POLICY "set dstaddr x\n");
	ck_assert_str_eq(object_str(txn_find(t, policy, "1"), FIREWALL_POLICY__UUID), uuid);
	good_put(t, "firewall.policy", "1",
		 POLICY "set dstaddr x\nset uuid 00000000-0000-4000-8000-000000000000\n");
	ck_assert_str_eq(object_str(txn_find(t, policy, "1"), FIREWALL_POLICY__UUID),
			 "00000000-0000-4000-8000-000000000000");
	good_delete(t, "firewall.policy", "1");
	good_put(t, "firewall.policy", "1", POLICY "set dstaddr x\n");
	ck_assert_str_ne(object_str(txn_find(t, policy, "1"), FIREWALL_POLICY__UUID), uuid);
	txn_free(t);
}
END_TEST

/* Replaced, an entry keeps its place; deleted and made again, it goes to the end. */
START_TEST(test_order) {
	struct txn *t = txn_new(engine, "a", "test");

	for (int i = 2; i <= 5; i++) {
		char key[16];

		snprintf(key, sizeof(key), "%d", i);
		good_put(t, "firewall.policy", key, POLICY "set dstaddr x\n");
	}
	good_commit(t);
	good_put(t, "firewall.policy", "3", POLICY "set dstaddr y\n");
	good_put(t, "firewall.policy", "7", POLICY "set dstaddr y\n");
	good_put(t, "firewall.policy", "6", POLICY "set dstaddr y\n");
	CHECK_KEYS(t, "firewall.policy", "1 2 3 4 5 7 6 ");
	good_delete(t, "firewall.policy", "2");
	good_put(t, "firewall.policy", "2", POLICY "set dstaddr x\n");
	good_put(t, "firewall.policy", "2", POLICY "set dstaddr y\n");
	CHECK_KEYS(t, "firewall.policy", "1 3 4 5 7 6 2 ");
	good_delete(t, "firewall.policy", "7");
	good_put(t, "firewall.policy", "7", POLICY "set dstaddr x\n");
	good_delete(t, "firewall.policy", "4");
	CHECK_KEYS(t, "firewall.policy", "1 3 5 6 2 7 ");
	ck_assert_uint_eq(txn_count(t, fixture_table("firewall.policy")), 6);
	good_commit(t);
	CHECK_KEYS(t, "firewall.policy", "1 3 5 6 2 7 ");
	txn_free(t);
}
END_TEST

/* ---- two administrators ---- */

enum action { EDIT_X, EDIT_Y, DELETE_X, NEW_Z, USE_X, EDIT_HA, GROUP_X, ZONE_Z, INTF_Z };

static void act(struct txn *t, enum action action, const char *mark) {
	AUTO_FREE char *comment = xasprintf("set comment %s\n", mark);
	AUTO_FREE char *name = xasprintf(POLICY "set dstaddr x\nset name %s\n", mark);

	switch (action) {
	case EDIT_X:
		good_put(t, "firewall.address", "x", comment);
		break;
	case EDIT_Y:
		good_put(t, "firewall.address", "y", comment);
		break;
	case DELETE_X:
		good_delete(t, "firewall.address", "x");
		break;
	case NEW_Z:
		good_put(t, "firewall.address", "z", comment);
		break;
	case USE_X:
		good_put(t, "firewall.policy", mark[0] == 'a' ? "11" : "12", name);
		break;
	case EDIT_HA:
		good_put(t, "system.ha", "",
			 mark[0] == 'a' ? "set group-id 1\n" : "set group-id 2\n");
		break;
	case GROUP_X:
		good_put(t, "firewall.addrgrp", "z", "set member x\n");
		break;
	case ZONE_Z:
		good_put(t, "system.zone", "z", "");
		break;
	case INTF_Z:
		good_put(t, "system.interface", "z", "");
		break;
	}
}

static const struct {
	enum action a, b;
	int code;	   /* of a, which commits after b */
	const char *cause; /* line below the lock text, or NULL */
} conflicts[] = {
	{ EDIT_X, EDIT_X, ERR_LOCKED, NULL },
	{ EDIT_X, DELETE_X, ERR_LOCKED, NULL },
	{ DELETE_X, EDIT_X, ERR_LOCKED, NULL },
	{ DELETE_X, DELETE_X, ERR_LOCKED, NULL },
	{ NEW_Z, NEW_Z, ERR_LOCKED, NULL },
	{ EDIT_HA, EDIT_HA, ERR_LOCKED, NULL },
	{ USE_X, DELETE_X, ERR_LOCKED,
	  "firewall policy 11 dstaddr: entry not found in datasource" },
	{ GROUP_X, DELETE_X, ERR_LOCKED,
	  "firewall addrgrp z member: entry not found in datasource" },
	{ DELETE_X, USE_X, ERR_LOCKED, "The entry is used by other 1 entries" },
	{ DELETE_X, GROUP_X, ERR_LOCKED, "The entry is used by other 1 entries" },
	{ NEW_Z, GROUP_X, ERR_LOCKED,
	  "Name 'z' conflict: 'address' and 'address group' cannot be the same name." },
	{ ZONE_Z, INTF_Z, ERR_LOCKED,
	  "Name 'z' conflict: 'zone' and 'interface' cannot be the same name." },
	{ EDIT_X, EDIT_Y, 0, NULL },
	{ EDIT_X, USE_X, 0, NULL },
	{ USE_X, EDIT_X, 0, NULL },
	{ USE_X, USE_X, 0, NULL },
	{ NEW_Z, EDIT_HA, 0, NULL },
	{ DELETE_X, EDIT_Y, 0, NULL },
};

START_TEST(test_conflict) {
	struct txn *a = txn_new(engine, "a", "test"), *b = txn_new(engine, "b", "test");
	AUTO_FREE char *after_b = NULL, *after_a = NULL;
	struct err err = { 0 };
	int rc;

	act(a, conflicts[_i].a, "a");
	act(b, conflicts[_i].b, "b");
	good_commit(b);
	after_b = fixture_snapshot(engine);
	rc = txn_commit(a, &err);
	ck_assert_msg(rc == conflicts[_i].code, "%d %s", rc, err.text);
	ck_assert_uint_eq(txn_staged(a), 0);
	after_a = fixture_snapshot(engine);
	if (rc) {
		ck_assert_int_eq(err.code, rc);
		ck_assert(strncmp(err.text, LOCKED, strlen(LOCKED)) == 0);
		ck_assert_str_eq(after_a, after_b);
	} else {
		ck_assert_str_ne(after_a, after_b);
	}
	if (conflicts[_i].cause)
		ck_assert_msg(strstr(err.text, conflicts[_i].cause) ==
				      err.text + strlen(LOCKED) + 1,
			      "%s", err.text);
	else if (rc)
		ck_assert_str_eq(err.text, LOCKED);
	good_commit(a); /* nothing is left in it */
	txn_free(a);
	txn_free(b);
}
END_TEST

/* An object that was opened before someone else changed it is refused when it is put. */
START_TEST(test_stale_put) {
	const struct schema_table *address = fixture_table("firewall.address");
	uint64_t opened = model_find(engine->model, address, "x")->ver;
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	fixture_set(engine, "firewall.address", "x", "set comment b\n");
	ck_assert_int_eq(fixture_put(t, "firewall.address", "x", opened, "set comment a\n", &err),
			 ERR_LOCKED);
	ck_assert_str_eq(err.text, LOCKED);
	ck_assert_int_eq(fixture_delete(engine, "firewall.address", "x", &err), 0);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "x", opened, "set comment a\n", &err),
			 ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "x", TXN_NEW, "set comment a\n", &err),
			 0);
	fixture_set(engine, "firewall.address", "x", "set comment b\n");
	ck_assert_int_eq(txn_commit(t, &err), ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "gone", 3, "", &err), ERR_LOCKED);
	txn_free(t);
}
END_TEST

/* ---- names that are attributes ---- */

static int name_code(struct txn *t, const char *key, const char *name) {
	AUTO_FREE char *body = xasprintf(POLICY "set dstaddr x\nset name %s\n", name);

	return fixture_put(t, "firewall.policy", key, TXN_ANY, body, NULL);
}

/*
 * A name is free when nobody would have it: neither what is active nor what is staged counts alone.
 */
START_TEST(test_unique) {
	struct txn *t = txn_new(engine, "a", "test");

	ck_assert_int_eq(name_code(t, "1", "one"), 0);
	good_commit(t);
	ck_assert_int_eq(name_code(t, "2", "one"), ERR_DUPLICATE);
	ck_assert_int_eq(name_code(t, "2", "two"), 0);
	ck_assert_int_eq(name_code(t, "3", "two"), ERR_DUPLICATE);
	ck_assert_int_eq(name_code(t, "1", "two"), ERR_DUPLICATE);
	ck_assert_int_eq(name_code(t, "2", "other"), 0);
	ck_assert_int_eq(name_code(t, "1", "two"), 0);
	ck_assert_int_eq(name_code(t, "2", "one"), 0);
	good_commit(t);
	good_delete(t, "firewall.policy", "1");
	ck_assert_int_eq(name_code(t, "3", "two"), 0);
	good_commit(t);
	ck_assert_int_eq(name_code(t, "4", "''"), 0);
	ck_assert_int_eq(name_code(t, "5", "''"), 0);
	ck_assert_int_eq(name_code(t, "6", "one"), ERR_DUPLICATE);
	txn_free(t);
}
END_TEST

/* Someone else takes the name between put and commit; a number that gives way keeps its name. */
START_TEST(test_unique_overtaken) {
	struct txn *t = txn_new(engine, "a", "test"), *other = txn_new(engine, "b", "test");
	struct err err = { 0 };

	ck_assert_int_eq(name_code(t, "2", "same"), 0);
	ck_assert_int_eq(name_code(other, "3", "same"), 0);
	good_commit(other);
	ck_assert_int_eq(txn_commit(t, &err), ERR_LOCKED);
	ck_assert_str_eq(err.text, LOCKED "\nfirewall policy 3 has the name 'same' already\n"
				   "object set operator error, -15 discard the setting");
	ck_assert_int_eq(fixture_put(t, "firewall.policy", "4", TXN_NEXT,
				     POLICY "set dstaddr x\nset name mine\n", NULL),
			 0);
	ck_assert_int_eq(name_code(t, "5", "mine"), ERR_DUPLICATE);
	ck_assert_int_eq(name_code(other, "4", "yours"), 0);
	good_commit(other);
	txn_redraw(t);
	ck_assert_int_eq(name_code(t, "6", "mine"), ERR_DUPLICATE);
	ck_assert_int_eq(name_code(t, "5", "mine"), 0); /* the entry itself */
	good_commit(t);
	txn_free(t);
	txn_free(other);
}
END_TEST

/* ---- numbers that were drawn ---- */

static void put_next(struct txn *t, const char *key, const char *body) {
	struct err err = { 0 };
	int rc = fixture_put(t, "firewall.policy", key, TXN_NEXT, body, &err);

	ck_assert_msg(rc == 0, "%s: %d %s", key, rc, err.text);
}

static void take_warning(void *arg, const char *text) {
	str_addf(arg, "%s|", text);
}

#define CHECK_WARNINGS(t, want)                                        \
	do {                                                           \
		AUTO_STR struct str said = STR_INIT;                   \
		warn_drain(txn_warnings(t), take_warning, &said);      \
		ck_assert_str_eq(str_text(&said), want);               \
	} while (0)
#define TAKEN(old, new)                                                                      \
	"firewall policy " #old ": someone else took the number meanwhile, the new entry is " \
	#new "|"

/* At the put and at the commit a number that is taken gives way; references go with it. */
START_TEST(test_drawn) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct txn *t = txn_new(engine, "a", "test");

	put_next(t, "1", POLICY "set dstaddr x\nset name first\n");
	CHECK_WARNINGS(t, TAKEN(1, 2));
	put_next(t, "7", POLICY "set dstaddr x\nset name second\n");
	CHECK_WARNINGS(t, "");
	CHECK_KEYS(t, "firewall.policy", "1 2 7 ");
	ck_assert_uint_eq(users(t, "firewall.address", "x"), 2);
	fixture_set(engine, "firewall.policy", "2", POLICY "set dstaddr y\nset name faster\n");
	txn_redraw(t);
	ck_assert_uint_eq(users(t, "firewall.address", "x"), 2);
	ck_assert_uint_eq(users(t, "firewall.address", "y"), 2);
	ck_assert_uint_eq(txn_count(t, policy), 4);
	good_commit(t);
	CHECK_WARNINGS(t, TAKEN(2, 8));
	CHECK_KEYS(t, "firewall.policy", "1 2 8 7 ");
	ck_assert_str_eq(object_str(txn_active(t, policy, "8"), FIREWALL_POLICY__NAME), "first");
	ck_assert_str_eq(object_str(txn_active(t, policy, "2"), FIREWALL_POLICY__NAME), "faster");
	ck_assert_uint_eq(users(t, "firewall.address", "x"), 2);
	txn_free(t);
}
END_TEST

/* Who names a number himself means that entry. */
START_TEST(test_drawn_then_named) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	put_next(t, "2", POLICY "set dstaddr x\n");
	ck_assert_int_eq(
		fixture_put(t, "firewall.policy", "2", TXN_NEW, POLICY "set dstaddr y\n", &err), 0);
	fixture_set(engine, "firewall.policy", "2", POLICY "set dstaddr y\n");
	ck_assert_int_eq(txn_commit(t, &err), ERR_LOCKED);
	CHECK_WARNINGS(t, "");
	good_delete(t, "firewall.policy", "1");
	put_next(t, "1", POLICY "set dstaddr x\n");
	fixture_set(engine, "firewall.policy", "1", POLICY "set dstaddr x\n");
	ck_assert_int_eq(txn_commit(t, &err), ERR_LOCKED);
	txn_free(t);
}
END_TEST

START_TEST(test_drawn_refused) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	ck_assert_int_eq(fixture_put(t, "firewall.address", "z", TXN_NEXT, "", &err), ERR_PARSE);
	ck_assert_int_eq(fixture_put(t, "system.ha", "", TXN_NEXT, "", &err), ERR_PARSE);
	ck_assert_int_eq(
		fixture_put(t, "firewall.policy", "1", TXN_NEXT, "set srcintf any\n", &err),
		ERR_EMPTY);
	ck_assert_uint_eq(txn_staged(t), 0);
	CHECK_WARNINGS(t, "");
	txn_free(t);
}
END_TEST

/* Deleted and made again by someone else, an object is not the one that was edited. */
START_TEST(test_deleted_and_made_again) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	good_put(t, "firewall.address", "x", "set comment a\n");
	ck_assert_int_eq(fixture_delete(engine, "firewall.address", "x", &err), 0);
	fixture_set(engine, "firewall.address", "x", "set subnet 10.0.0.0/8\n");
	ck_assert_int_eq(txn_commit(t, &err), ERR_LOCKED);
	txn_free(t);
}
END_TEST

/* Three in a row on different objects: each is checked again, none is refused. */
START_TEST(test_interleaved) {
	struct txn *t[3];
	char key[3][16];

	for (int i = 0; i < 3; i++) {
		t[i] = txn_new(engine, "a", "test");
		snprintf(key[i], sizeof(key[i]), "%d", 20 + i);
		good_put(t[i], "firewall.policy", key[i], POLICY "set dstaddr x\n");
	}
	for (int i = 2; i >= 0; i--) {
		good_commit(t[i]);
		good_put(t[i], "firewall.policy", key[i], POLICY "set dstaddr y\n");
	}
	for (int i = 0; i < 3; i++)
		good_commit(t[i]);
	CHECK_KEYS(t[0], "firewall.policy", "1 22 21 20 ");
	for (int i = 0; i < 3; i++)
		txn_free(t[i]);
}
END_TEST

/* ---- many ---- */

START_TEST(test_ten_thousand) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct txn *t = txn_new(engine, "a", "test");
	AUTO_FREE char *keys = NULL, *again = NULL;
	struct err err = { 0 };

	for (int i = 0; i < 10000; i++) {
		AUTO_FREE char *key =
			xasprintf("%llu", (unsigned long long)next_id(t, "firewall.policy"));
		AUTO_FREE char *name = xasprintf("a%d", i);
		AUTO_FREE char *body = xasprintf(POLICY "set dstaddr %s\n", name);

		good_put(t, "firewall.address", name, "");
		good_put(t, "firewall.policy", key, body);
	}
	keys = keys_of(t, "firewall.policy");
	good_commit(t);
	ck_assert_uint_eq(model_count(engine->model, policy), 10001);
	again = keys_of(t, "firewall.policy");
	ck_assert_str_eq(again, keys);
	ck_assert_int_eq(delete_code(t, "firewall.address", "a5000", &err), ERR_IN_USE);
	for (int i = 9999; i >= 0; i -= 2) {
		AUTO_FREE char *key = xasprintf("%d", i + 2), *name = xasprintf("a%d", i);

		good_delete(t, "firewall.policy", key);
		good_delete(t, "firewall.address", name);
	}
	good_commit(t);
	ck_assert_uint_eq(model_count(engine->model, policy), 5001);
	txn_free(t);
}
END_TEST

static Suite *txn_suite(void) {
	Suite *s = suite_create("txn");
	TCase *t = fixture_case(s, "txn");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_own_name);
	tcase_add_test(t, test_staged_is_seen);
	tcase_add_test(t, test_object_table);
	tcase_add_test(t, test_each_any_order);
	tcase_add_test(t, test_each_stops);
	tcase_add_test(t, test_next_id);
	tcase_add_test(t, test_next_id_in_a_gap);
	tcase_add_test(t, test_next_id_refused);
	tcase_add_test(t, test_in_use);
	tcase_add_test(t, test_delete_unknown);
	tcase_add_test(t, test_own_reference);
	tcase_add_test(t, test_nested_reference);
	tcase_add_test(t, test_missing_reference);
	tcase_add_test(t, test_versions);
	tcase_add_test(t, test_void_commit);
	tcase_add_test(t, test_uuid);
	tcase_add_test(t, test_order);
	tcase_add_loop_test(t, test_conflict, 0, ARRAY_LEN(conflicts));
	tcase_add_test(t, test_stale_put);
	tcase_add_test(t, test_unique);
	tcase_add_test(t, test_unique_overtaken);
	tcase_add_test(t, test_drawn);
	tcase_add_test(t, test_drawn_then_named);
	tcase_add_test(t, test_drawn_refused);
	tcase_add_test(t, test_deleted_and_made_again);
	tcase_add_test(t, test_interleaved);
	tcase_add_test(t, test_ten_thousand);
	return s;
}

int main(void) {
	return fixture_run(txn_suite());
}
