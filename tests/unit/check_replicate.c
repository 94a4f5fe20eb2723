/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replicated transactions: what another member has committed comes in any order and is looked at as
 * a whole. What is this unit's own stays, and when anything is wrong nothing has happened.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define UUID(n) "set uuid 00000000-0000-4000-8000-00000000000" #n "\n"

static const struct txn_origin origin = { .user = "ann", .source = "cli", .comment = "from P",
					  .time = 1234567 };

static char *dir;
static struct engine *engine;
static struct fake_kernel kernel;

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	fixture_set(engine, "system.interface", "port1", "set type physical\nset ip 10.0.0.1/24\n");
	fixture_set(engine, "firewall.address", "x", UUID(1) "set subnet 10.0.0.0/8\n");
	fixture_set(engine, "firewall.address", "y", UUID(2));
	fixture_set(engine, "firewall.addrgrp", "g", UUID(3) "set member x y\n");
	fixture_set(engine, "firewall.policy", "1", POLICY UUID(4) "set dstaddr g\n");
	fixture_set(engine, "firewall.policy", "2", POLICY UUID(5) "set dstaddr y\n");
	fake_kernel_attach(&kernel, engine);
}

static void teardown(void) {
	fixture_fault(NULL);
	engine_close(engine);
	fake_kernel_done(&kernel);
	free(dir);
}

static struct txn *opened(void) {
	return txn_new_replicated(engine, &origin);
}

static int try_put(struct txn *t, const char *table, const char *key, const char *body,
		   struct err *err) {
	struct object *obj = object_new(fixture_table(table), key);

	ck_assert_int_eq(text_parse(obj, body, err), 0);
	return txn_replicate_put(t, obj, err);
}

static void put(struct txn *t, const char *table, const char *key, const char *body) {
	struct err err = { 0 };

	ck_assert_msg(try_put(t, table, key, body, &err) == 0, "%s", err.text);
}

static void delete(struct txn *t, const char *table, const char *key) {
	struct err err = { 0 };

	ck_assert_msg(txn_replicate_delete(t, fixture_table(table), key, &err) == 0, "%s",
		      err.text);
}

static void place(struct txn *t, const char *key, const char *after) {
	struct err err = { 0 };

	ck_assert_msg(txn_place(t, fixture_table("firewall.policy"), key, after, &err) == 0, "%s",
		      err.text);
}

static const struct object *find(const char *table, const char *key) {
	return model_find(engine->model, fixture_table(table), key);
}

static void check_body(const char *table, const char *key, const char *want) {
	const struct object *obj = find(table, key);
	AUTO_STR struct str body = STR_INIT;

	ck_assert_msg(obj != NULL, "%s %s", table, key);
	text_body(obj, 0, 0, &body);
	ck_assert_str_eq(str_text(&body), want);
}

static void check_same(const char *what, const char *got, const char *want) {
	ck_assert_msg(strcmp(got, want) == 0, "%s:\n%s\n--- wanted ---\n%s", what, got, want);
}

/* Model, database and kernel. */
struct state {
	char *memory, *disk, *kernel;
};

static struct state state_now(void) {
	return (struct state){ fixture_snapshot(engine), fixture_snapshot_of(dir),
			       xstrdup(kernel.now) };
}

static void state_done(struct state *s) {
	free(s->memory);
	free(s->disk);
	free(s->kernel);
}

static void check_unchanged(struct state *was) {
	struct state now = state_now();

	check_same("memory", now.memory, was->memory);
	check_same("database", now.disk, was->disk);
	check_same("kernel", now.kernel, was->kernel);
	check_same("memory and database", now.memory, now.disk);
	state_done(&now);
	state_done(was);
}

static void commit(struct txn *t) {
	struct err err = { 0 };
	struct state now;

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
	now = state_now();
	check_same("database", now.disk, now.memory);
	state_done(&now);
}

static void refuse(struct txn *t, int code, const char *want) {
	struct state was = state_now();
	struct err err = { 0 };

	ck_assert_int_eq(txn_commit(t, &err), code);
	ck_assert_str_eq(err.text, want);
	ck_assert_uint_eq(txn_staged(t), 0);
	txn_free(t);
	check_unchanged(&was);
}

/* ---- in any order ---- */

struct step {
	const char *table, *key, *body; /* body NULL: deletion */
};

static void stage(struct txn *t, const struct step *s) {
	if (s->body)
		put(t, s->table, s->key, s->body);
	else
		delete(t, s->table, s->key);
}

/* The groups a, b and the policy form what one order cannot bring; x goes and its users change. */
static const struct step steps[] = {
	{ "firewall.policy", "7", POLICY UUID(7) "set dstaddr a\n" },
	{ "firewall.addrgrp", "a", UUID(8) "set member b n\n" },
	{ "firewall.addrgrp", "b", UUID(9) "set member n\n" },
	{ "firewall.address", "n", UUID(6) },
	{ "firewall.address", "x", NULL },
	{ "firewall.addrgrp", "g", UUID(3) "set member y\n" },
};

START_TEST(test_any_order) {
	const size_t n = ARRAY_LEN(steps), first = (size_t)_i / 2;
	struct txn *t = opened();

	for (size_t i = 0; i < n; i++)
		stage(t, &steps[(_i % 2 ? first + i : first + n - i) % n]);
	commit(t);
	ck_assert_ptr_null(find("firewall.address", "x"));
	check_body("firewall.addrgrp", "a", UUID(8) "set member \"b\" \"n\"\n");
	ck_assert_uint_eq(model_count_users(engine->model, find("firewall.address", "n")), 2);
	ck_assert_ptr_nonnull(find("firewall.policy", "7"));
}
END_TEST

/* Interfaces that name each other round: an order in which each is there before does not exist. */
START_TEST(test_ring) {
	static const char *const keys[] = { "r1", "r2", "r3" };

	for (int first = 0; first < 3; first++) {
		struct txn *t = opened();

		for (int i = 0; i < 3; i++) {
			AUTO_FREE char *body =
				xasprintf("set dhcp-relay-interface %s\nset alias %d\n",
					  keys[(first + i + 1) % 3], first);

			put(t, "system.interface", keys[(first + i) % 3], body);
		}
		commit(t);
	}
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(model_count_users(engine->model,
						    find("system.interface", keys[i])),
				  1);
	for (int first = 0; first < 3; first += 2) {
		struct txn *t = opened();

		for (int i = 0; i < 3; i++)
			delete(t, "system.interface", keys[(first + i) % 3]);
		delete(t, "system.interface", "r9");
		commit(t);
		ck_assert_ptr_null(find("system.interface", "r1"));
	}
}
END_TEST

/* Names change hands. */
START_TEST(test_swap) {
	struct txn *t = opened();

	put(t, "firewall.policy", "1", POLICY "set name one\nset dstaddr y\n");
	put(t, "firewall.policy", "2", POLICY "set name two\nset dstaddr y\n");
	commit(t);
	t = opened();
	put(t, "firewall.policy", "1", POLICY "set name two\nset dstaddr y\n");
	put(t, "firewall.policy", "2", POLICY "set name one\nset dstaddr y\n");
	delete(t, "firewall.address", "x");
	put(t, "firewall.addrgrp", "x", UUID(6) "set member y\n"); /* g names the group from now */
	commit(t);
	ck_assert_str_eq(object_str(find("firewall.policy", "1"), FIREWALL_POLICY__NAME), "two");
	ck_assert_uint_eq(model_count_users(engine->model, find("firewall.addrgrp", "x")), 1);
}
END_TEST

/* ---- refused whole ---- */

static const struct {
	struct step steps[3];
	int code;
	const char *text;
} refused[] = {
	{ { { "firewall.address", "n", "" },
	    { "firewall.policy", "7", POLICY "set dstaddr gone\n" } },
	  ERR_NOT_FOUND,
	  "firewall policy 7 dstaddr: entry not found in datasource\n\n"
	  "value parse error before 'gone'" },
	{ { { "firewall.address", "n", "" }, { "firewall.address", "y", NULL } },
	  ERR_IN_USE,
	  "firewall address y: firewall addrgrp g member still names it: it cannot be deleted" },
	{ { { "firewall.addrgrp", "g", UUID(3) "set member x\n" },
	    { "firewall.address", "x", NULL } },
	  ERR_NOT_FOUND,
	  "firewall addrgrp g member: entry not found in datasource\n\n"
	  "value parse error before 'x'" },
	{ { { "firewall.address", "n", "" }, { "firewall.addrgrp", "n", "set member x\n" } },
	  ERR_EXISTS,
	  NULL },
	{ { { "firewall.policy", "1", POLICY "set name same\nset dstaddr y\n" },
	    { "firewall.policy", "2", POLICY "set name same\nset dstaddr y\n" } },
	  ERR_DUPLICATE,
	  "firewall policy 2 has the name 'same' already\n"
	  "object set operator error, -15 discard the setting" },
};

START_TEST(test_refused) {
	struct state was = state_now();
	struct txn *t = opened();
	struct err err = { 0 };
	int rc;

	for (size_t i = 0; i < 3 && refused[_i].steps[i].table; i++)
		stage(t, &refused[_i].steps[i]);
	rc = txn_commit(t, &err);
	if (refused[_i].text)
		ck_assert_str_eq(err.text, refused[_i].text);
	ck_assert_int_ne(rc, 0);
	ck_assert(!refused[_i].text || rc == refused[_i].code);
	ck_assert_uint_eq(txn_staged(t), 0);
	txn_free(t);
	check_unchanged(&was);
	ck_assert_uint_eq(kernel.n_prepare, 0);
}
END_TEST

/* ---- what only warns ---- */

static void add_warning(void *arg, const char *text) {
	str_addf(arg, "%s\n", text);
}

static void commit_warned(struct txn *t, const char *want) {
	AUTO_STR struct str said = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	warn_drain(txn_warnings(t), add_warning, &said);
	ck_assert_msg(strstr(str_text(&said), want) != NULL, "%s", str_text(&said));
	txn_free(t);
}

/* An address of this unit as that of a peer; a required attribute that nobody has set. */
START_TEST(test_rules_warn) {
	struct txn *t = opened();

	put(t, "system.standalone-cluster", "",
	    "config cluster-peer\nedit 1\nset peerip 10.0.0.1\nnext\nend\n");
	commit_warned(t, "system standalone-cluster: 10.0.0.1 is an address of this unit\n");
	ck_assert_uint_eq(object_count(find("system.standalone-cluster", ""),
				       SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER),
			  1);
	t = opened();
	put(t, "firewall.policy", "8", "set srcintf any\n");
	commit_warned(t, "firewall policy 8: Attribute 'dstintf' MUST be set.");
	ck_assert_ptr_nonnull(find("firewall.policy", "8"));
}
END_TEST

/* ---- what is this unit's own ---- */

static int refuse_all(void *arg, const struct object *before, const struct object *after,
		      struct err *err) {
	(void)arg;
	(void)before;
	(void)after;
	return err_set(err, ERR_PERMISSION, "guarded");
}

START_TEST(test_local_stays) {
	struct txn *t = opened();

	engine_set_guard(engine, refuse_all, NULL);
	put(t, "system.interface", "port1",
	    "set ip 10.0.0.99/24\nset alias lan\nset type physical\n");
	put(t, "system.global", "", "set hostname theirs\nset admintimeout 33\n");
	commit(t);
	ck_assert_uint_eq(object_ip(find("system.interface", "port1"), SYSTEM_INTERFACE__IP).a,
			  0x0a000001);
	ck_assert_str_eq(object_str(find("system.interface", "port1"), SYSTEM_INTERFACE__ALIAS),
			 "lan");
	ck_assert_str_eq(engine_hostname(engine), engine->serial);
	ck_assert_int_eq(object_num(model_object(engine->model, fixture_table("system.global")),
				    SYSTEM_GLOBAL__ADMINTIMEOUT),
			 33);
}
END_TEST

/* An exception that comes with the transaction counts for all of it, wherever it stands. */
START_TEST(test_exception) {
	struct txn *t = opened();

	put(t, "firewall.address", "theirs", "");
	delete(t, "firewall.address", "x");
	put(t, "firewall.address", "y", UUID(2) "set comment theirs\n");
	put(t, "system.vdom-exception", "1", "set object firewall.address\n");
	commit(t);
	ck_assert_ptr_null(find("firewall.address", "theirs"));
	ck_assert_ptr_nonnull(find("firewall.address", "x"));
	check_body("firewall.address", "y", UUID(2));
	ck_assert_ptr_nonnull(find("system.vdom-exception", "1"));
	t = opened();
	put(t, "firewall.address", "all", UUID(5)); /* a policy names it */
	put(t, "firewall.address", "theirs", UUID(6));
	put(t, "firewall.address", "y", UUID(7));
	put(t, "firewall.addrgrp", "g", UUID(3) "set member y\n");
	delete(t, "system.vdom-exception", "1");
	commit(t);
	check_body("firewall.address", "theirs", UUID(6));
	check_body("firewall.address", "y", UUID(7));
	ck_assert_ptr_null(find("firewall.address", "x")); /* it was this unit's own until then */
}
END_TEST

/* The peers of sessions are a list in an object that is shared but for them. */
START_TEST(test_exception_of_peers) {
	struct txn *t;

	fixture_set(engine, "system.vdom-exception", "10", "set object system.cluster-sync\n");
	fixture_set(engine, "system.standalone-cluster", "",
		    "set encryption enable\nconfig cluster-peer\n    edit 1\n"
		    "        set peerip 10.0.0.2\n    next\nend\n");
	t = opened();
	delete(t, "system.vdom-exception", "10");
	commit(t);
	check_body("system.standalone-cluster", "", "set encryption enable\n");
}
END_TEST

/* What an administrator changed of his own between staging and commit stays as well. */
START_TEST(test_local_changes_meanwhile) {
	struct txn *t = opened();

	put(t, "system.interface", "port1", "set type physical\nset alias lan\n");
	put(t, "firewall.address", "n", "");
	fixture_set(engine, "system.interface", "port1", "set type physical\nset ip 10.0.0.7/24\n");
	commit(t);
	ck_assert_uint_eq(object_ip(find("system.interface", "port1"), SYSTEM_INTERFACE__IP).a,
			  0x0a000007);
	ck_assert_str_eq(object_str(find("system.interface", "port1"), SYSTEM_INTERFACE__ALIAS),
			 "lan");
}
END_TEST

/* ---- interfaces ---- */

START_TEST(test_interface_made) {
	struct txn *t = opened();

	put(t, "firewall.policy", "7",
	    "set srcintf port7\nset dstintf any\nset srcaddr all\nset dstaddr all\n"
	    "set schedule always\nset service ALL\n");
	commit(t);
	ck_assert_ptr_nonnull(find("system.interface", "port7"));
	ck_assert_uint_eq(find("system.interface", "port7")->ver, engine->revision);
	t = opened();
	put(t, "firewall.policy", "7",
	    "set srcintf name-of-17-bytes1\nset dstintf any\nset srcaddr all\nset dstaddr all\n"
	    "set schedule always\nset service ALL\n");
	refuse(t, ERR_NOT_FOUND,
	       "firewall policy 7 srcintf: entry not found in datasource\n\n"
	       "value parse error before 'name-of-17-bytes1'");
}
END_TEST

/* One that was found is managed from when it is named. */
START_TEST(test_interface_adopted) {
	struct txn *t = txn_new(engine, "system", "found");
	struct err err = { 0 };

	txn_as_found(t);
	ck_assert_int_eq(fixture_put(t, "system.interface", "eth9", TXN_ANY,
				     "set type physical\nset allowaccess ping ssh\n", &err),
			 0);
	commit(t);
	ck_assert_uint_eq(find("system.interface", "eth9")->ver, 0);
	t = opened();
	delete(t, "system.interface", "eth9"); /* the group does not have it: it stays, as found */
	commit(t);
	ck_assert_ptr_nonnull(find("system.interface", "eth9"));
	ck_assert_uint_eq(find("system.interface", "eth9")->ver, 0);
	t = opened();
	put(t, "firewall.policy", "7",
	    "set srcintf eth9\nset dstintf any\nset srcaddr all\nset dstaddr all\n"
	    "set schedule always\nset service ALL\n");
	commit(t);
	ck_assert_uint_eq(find("system.interface", "eth9")->ver, engine->revision);
}
END_TEST

/* ---- the revision ---- */

START_TEST(test_revision) {
	struct txn *t = opened();
	struct revision rev;
	struct err err = { 0 };
	uint64_t before = engine->revision;

	put(t, "firewall.address", "x", UUID(1) "set subnet 10.0.0.0/8\n");
	delete(t, "firewall.address", "none of that name");
	txn_meta(t, "primary_revision", "77");
	commit(t);
	ck_assert_uint_eq(engine->revision, before);
	t = opened();
	put(t, "firewall.address", "n", "");
	commit(t);
	ck_assert_int_eq(store_revision_get(engine->store, before + 1, &rev, &err), 0);
	ck_assert_str_eq(rev.user, "ann");
	ck_assert_str_eq(rev.source, "cli");
	ck_assert_str_eq(rev.comment, "from P");
	ck_assert_int_eq(rev.time, 1234567);
	revision_done(&rev);
}
END_TEST

/* A secret that did not change keeps the text it was sealed with, and is no change. */
START_TEST(test_secret) {
	struct txn *t = opened();
	AUTO_FREE char *sealed = NULL;
	struct object *theirs;
	struct err err = { 0 };
	uint64_t revision;

	put(t, "system.auto-scale", "", "set psksecret \"a secret of 20 bytes\"\n");
	commit(t);
	sealed = xstrdup(object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET));
	ck_assert_int_eq(strncmp(sealed, "ENC ", 4), 0);
	revision = engine->revision;
	t = opened();
	put(t, "system.auto-scale", "", "set psksecret \"a secret of 20 bytes\"\n");
	commit(t);
	t = opened(); /* as members tell it */
	theirs = object_new(fixture_table("system.auto-scale"), "");
	ck_assert_int_eq(shared_parse(engine->keyring, theirs,
				      "secret psksecret \"a secret of 20 bytes\"\n", &err),
			 0);
	ck_assert_int_eq(txn_replicate_put(t, theirs, &err), 0);
	commit(t);
	ck_assert_uint_eq(engine->revision, revision);
	ck_assert_str_eq(
		object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET), sealed);
}
END_TEST

/* ---- digests ---- */

static struct digest_group digests_now(void) {
	struct digest_view view;
	struct digest_group d;

	digest_view_init(&view, engine);
	digest_group(&view, &d);
	return d;
}

static void stage_all(struct txn *t) {
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		stage(t, &steps[i]);
	place(t, "7", "1");
	place(t, "1", "2");
	txn_meta(t, "primary_revision", "77");
}

/* Back to what it was. */
static void stage_undo(struct txn *t) {
	put(t, "firewall.address", "x", UUID(1) "set subnet 10.0.0.0/8\n");
	put(t, "firewall.addrgrp", "g", UUID(3) "set member x y\n");
	delete(t, "firewall.policy", "7");
	delete(t, "firewall.addrgrp", "a");
	delete(t, "firewall.addrgrp", "b");
	delete(t, "firewall.address", "n");
	place(t, "1", "");
}

START_TEST(test_expect) {
	struct digest_group before = digests_now(), after;
	struct txn *t = opened();

	stage_all(t);
	commit(t);
	after = digests_now();
	ck_assert(memcmp(&after, &before, sizeof(after)) != 0);
	t = opened();
	stage_undo(t);
	txn_expect(t, &after);
	txn_expect(t, &before);
	commit(t);
	t = opened();
	stage_all(t);
	txn_expect(t, &before);
	refuse(t, ERR_CONFLICT,
	       "the configuration would not be that of the primary: the digest of root would "
	       "differ");
	t = opened(); /* nothing staged: the active configuration is held against it */
	txn_expect(t, &after);
	txn_meta(t, "primary_revision", "78");
	refuse(t, ERR_CONFLICT,
	       "the configuration would not be that of the primary: the digest of root would "
	       "differ");
	t = opened();
	stage_all(t);
	place(t, "2", "1"); /* the right objects in another order */
	txn_expect(t, &after);
	refuse(t, ERR_CONFLICT,
	       "the configuration would not be that of the primary: the digest of root would "
	       "differ");
	t = opened();
	stage_all(t);
	txn_expect(t, &after);
	commit(t);
}
END_TEST

/* ---- whole or absent ---- */

static const struct {
	const char *point;
	unsigned int least;
} points[] = {
	{ "store.write", 20 },
	{ "commit.kernel", 1 },
	{ "commit.apply", 1 },
	{ "store.commit", 1 },
};

START_TEST(test_fault) {
	unsigned int countdown = 0;
	int rc;

	do {
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i].point, ++countdown);
		AUTO_FREE char *row = NULL;
		struct state was = state_now();
		struct txn *t = opened();
		struct err err = { 0 };

		stage_all(t);
		fixture_fault(spec);
		rc = txn_commit(t, &err);
		fixture_fault(NULL);
		txn_free(t);
		ck_assert_str_eq(kernel.wrong, "");
		ck_assert_int_eq(store_meta_get(engine->store, "primary_revision", &row, &err), 0);
		if (rc) {
			ck_assert_ptr_null(row);
			check_unchanged(&was);
		} else {
			ck_assert_str_eq(row, "77");
			state_done(&was);
		}
	} while (rc && countdown < 1000);
	ck_assert_uint_gt(countdown, points[_i].least);
	ck_assert_ptr_nonnull(find("firewall.policy", "7"));
}
END_TEST

/* ---- many ---- */

static int shuffled(int i) {
	return 1 + i * 7919 % 10000;
}

/* A first copy: 10,000 policies in the order of the primary, over others in another order. */
START_TEST(test_ten_thousand) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	const struct object *obj = NULL;
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	for (int i = 3; i <= 9000; i++) {
		AUTO_FREE char *key = xasprintf("%d", i);

		ck_assert_int_eq(fixture_put(t, "firewall.policy", key, TXN_ANY,
					     POLICY "set dstaddr all\n", &err),
				 0);
	}
	commit(t);
	t = opened();
	for (int i = 0; i < 10000; i++) {
		AUTO_FREE char *key = xasprintf("%d", shuffled(i));
		AUTO_FREE char *before = i ? xasprintf("%d", shuffled(i - 1)) : xstrdup("");

		put(t, "firewall.policy", key, POLICY "set dstaddr all\n");
		place(t, key, before);
	}
	commit(t);
	for (int i = 0; i < 10000; i++) {
		obj = i ? model_next(engine->model, obj) : model_first(engine->model, policy);
		ck_assert_int_eq(atoi(obj->key), shuffled(i));
	}
	ck_assert_ptr_null(model_next(engine->model, obj));
}
END_TEST

static Suite *replicate_suite(void) {
	Suite *s = suite_create("replicate");
	TCase *t = fixture_case(s, "replicate");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_any_order, 0, 2 * (int)ARRAY_LEN(steps));
	tcase_add_test(t, test_ring);
	tcase_add_test(t, test_swap);
	tcase_add_loop_test(t, test_refused, 0, (int)ARRAY_LEN(refused));
	tcase_add_test(t, test_rules_warn);
	tcase_add_test(t, test_local_stays);
	tcase_add_test(t, test_exception);
	tcase_add_test(t, test_exception_of_peers);
	tcase_add_test(t, test_local_changes_meanwhile);
	tcase_add_test(t, test_interface_made);
	tcase_add_test(t, test_interface_adopted);
	tcase_add_test(t, test_revision);
	tcase_add_test(t, test_secret);
	tcase_add_test(t, test_expect);
	tcase_add_loop_test(t, test_fault, 0, (int)ARRAY_LEN(points));
	tcase_add_test(t, test_ten_thousand);
	return s;
}

int main(void) {
	return fixture_run(replicate_suite());
}
