/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A configuration takes the place of another one: what is not in it is gone, what is in it is not
 * touched when it is the same, in the order of the text, whole or not at all.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/check.h"
#include "cfgdb/digest.h"
#include "cfgdb/history.h"
#include "cfgdb/model/text.h"
#include "cfgdb/order.h"
#include "cfgdb/script.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_config.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset dstaddr all\nset schedule always\n" \
	"set service ALL\n"
#define ADMIN \
	"config system accprofile\nedit super_admin\nnext\nend\n" \
	"config system admin\nedit admin\nset accprofile super_admin\nnext\nend\n"
#define LOCKED \
	"Can not config the object since either the object or the referenced objects are being " \
	"configured by other transactions."

static char *dir;
static struct engine *engine;
static const struct schema_table *policy, *address, *interface;

static void found(struct engine *e, const char *name, const char *body) {
	struct txn *t = txn_new(e, "system", "found");

	txn_as_found(t);
	ck_assert_int_eq(fixture_put(t, "system.interface", name, TXN_ANY, body, NULL), 0);
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
}

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	policy = fixture_table("firewall.policy");
	address = fixture_table("firewall.address");
	interface = fixture_table("system.interface");
	found(engine, "eth0", "set type physical\nset ip 10.1.0.1/24\nset allowaccess ping ssh\n");
	fixture_set(engine, "system.interface", "port1", "set ip 10.2.0.1/24\n");
	fixture_set(engine, "system.global", "", "set hostname unit\n");
	fixture_set(engine, "system.auto-scale", "", "set psksecret open-sesame\n");
	fixture_set(engine, "firewall.address", "x", "set comment ex\n");
	for (int i = 1; i <= 5; i++) {
		AUTO_FREE char *key = xasprintf("%d", i);

		fixture_set(engine, "firewall.policy", key, POLICY);
	}
}

static void teardown(void) {
	fixture_fault(NULL);
	engine_close(engine);
	free(dir);
}

/* ---- configurations as text ---- */

static int add_entry(void *arg, const struct object *obj) {
	if (!txn_adopts(obj))
		text_entry(obj, 1, 0, arg);
	return 0;
}

/* What a backup says. */
static char *backup(struct engine *e) {
	struct txn *t = txn_new(e, "a", "test");
	struct str out = STR_INIT;

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		str_addf(&out, "config %s\n", table->path);
		if (schema_is_list(table))
			order_each(t, table, add_entry, &out);
		else
			text_body(txn_object(t, table), 1, 0, &out);
		str_add(&out, "end\n");
	}
	txn_free(t);
	return str_steal(&out);
}

static struct txn *begin(struct engine *e, bool factory) {
	struct txn *t = txn_new(e, "a", "restore");
	struct err err = { 0 };

	ck_assert_msg(txn_replace(t, factory, &err) == 0, "%s", err.text);
	return t;
}

static void load(struct txn *t, const char *text) {
	struct err err = { 0 };

	ck_assert_msg(script_load(t, text, &err) == 0, "%s", err.text);
}

static void commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

static void replace(struct engine *e, bool factory, const char *text) {
	struct txn *t = begin(e, factory);

	load(t, text);
	commit(t);
}

/* What would go; the caller frees it. */
static char *said_losses(const struct txn *t) {
	struct str said = STR_INIT;

	txn_losses(t, &said);
	return str_steal(&said);
}

static char *losses(bool factory, const char *text) {
	struct txn *t = begin(engine, factory);
	char *said;

	load(t, text);
	said = said_losses(t);
	txn_free(t);
	return said;
}

static void refuse(struct txn *t, int code, const char *text) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(txn_commit(t, &err), code);
	ck_assert_str_eq(err.text, text);
	txn_free(t);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}

static const struct object *find(const char *dotted, const char *key) {
	return model_find(engine->model, fixture_table(dotted), key);
}

/* What is in memory is on disk, places and all. */
static void check_durable(void) {
	AUTO_FREE char *memory = fixture_snapshot(engine), *disk = fixture_snapshot_of(dir);

	ck_assert_str_eq(disk, memory);
}

/* ---- what becomes of what ---- */

/* Its own backup changes nothing: no revision, no version, no secret, no uuid. */
START_TEST(test_same) {
	AUTO_FREE char *text = backup(engine), *before = fixture_snapshot(engine), *after = NULL;

	replace(engine, false, text);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

/* What is not in it is gone, or at its default; what is new is there. */
START_TEST(test_gone) {
	AUTO_FREE char *uuid = xstrdup(object_str(find("firewall.address", "x"),
						  FIREWALL_ADDRESS__UUID));
	uint64_t revision = engine->revision;

	replace(engine, true,
		"config firewall address\nedit x\nset comment other\nnext\nedit y\nnext\nend\n"
		"config firewall policy\nedit 9\n" POLICY "set srcaddr y\nnext\nend\n");
	ck_assert_uint_eq(engine->revision, revision + 1);
	ck_assert_uint_eq(engine->replaced_revision, revision + 1);
	ck_assert_uint_eq(model_count(engine->model, policy), 1);
	ck_assert_str_eq(object_str(find("firewall.policy", "9"), FIREWALL_POLICY__SRCADDR), "y");
	ck_assert_str_eq(object_str(find("firewall.address", "x"), FIREWALL_ADDRESS__COMMENT),
			 "other");
	ck_assert_str_eq(object_str(find("firewall.address", "x"), FIREWALL_ADDRESS__UUID), uuid);
	ck_assert(object_is_empty(find("system.global", "")));
	ck_assert(object_is_empty(find("system.auto-scale", "")));
	ck_assert_ptr_null(find("system.interface", "port1"));
	ck_assert_ptr_nonnull(find("system.admin", "admin"));
	ck_assert_uint_eq(find("system.admin", "admin")->ver, 0);
	check_durable();
}
END_TEST

/* Nothing of it is seen before the commit, nor from outside; the version is that of nothing. */
START_TEST(test_view) {
	struct txn *t = begin(engine, false), *other = txn_new(engine, "b", "test");
	uint64_t id;

	ck_assert_ptr_null(txn_find(t, address, "x"));
	ck_assert_ptr_null(txn_find(t, interface, "eth0"));
	ck_assert_ptr_nonnull(txn_find(other, address, "x"));
	ck_assert_uint_eq(txn_count(t, policy), 0);
	ck_assert(object_is_empty(txn_object(t, fixture_table("system.global"))));
	ck_assert_uint_eq(txn_base_version(t, address, "x"), TXN_NEW);
	ck_assert_int_eq(txn_next_id(t, policy, &id, NULL), 0);
	ck_assert_uint_eq(id, 1);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "x", TXN_NEW, "", NULL), 0);
	ck_assert_int_eq(fixture_put(t, "firewall.policy", "1", TXN_NEW, POLICY, NULL),
			 ERR_NOT_FOUND);
	txn_free(t);
	txn_free(other);
}
END_TEST

/* A link that nobody has configured stays as it is, can be named, and is then managed. */
START_TEST(test_found) {
	static const char route[] = "config router static\nedit 1\nset device eth0\nnext\nend\n";

	replace(engine, true, "");
	ck_assert_uint_eq(find("system.interface", "eth0")->ver, 0);
	ck_assert_uint_eq(object_ip(find("system.interface", "eth0"), SYSTEM_INTERFACE__IP).a,
			  0x0a010001);
	replace(engine, true, route);
	ck_assert_uint_eq(find("system.interface", "eth0")->ver, engine->revision);
	ck_assert_uint_eq(object_ip(find("system.interface", "eth0"), SYSTEM_INTERFACE__IP).a,
			  0x0a010001);
	check_durable();
}
END_TEST

/* One that is in the text is as the text says, not as it was found. */
START_TEST(test_found_put) {
	replace(engine, true, "config system interface\nedit eth0\nset allowaccess ping\nnext\nend\n");
	ck_assert_uint_eq(find("system.interface", "eth0")->ver, engine->revision);
	ck_assert_uint_eq(object_ip(find("system.interface", "eth0"), SYSTEM_INTERFACE__IP).a, 0);
	ck_assert(!object_is(find("system.interface", "eth0"), SYSTEM_INTERFACE__ALLOWACCESS,
			     "ssh"));
}
END_TEST

/* What a restore took away comes back with all else, though it was taken up meanwhile. */
START_TEST(test_undo) {
	AUTO_FREE char *before = backup(engine), *after = NULL;
	struct txn *t;
	struct err err = { 0 };
	uint64_t revision;

	replace(engine, true, "");
	revision = engine->revision;
	ck_assert_ptr_null(find("system.interface", "port1"));
	found(engine, "port1", "set type physical\nset allowaccess ping ssh\n");
	t = txn_new(engine, "a", "test");
	ck_assert_msg(history_undo(t, revision, &err) == 0, "%s", err.text);
	commit(t);
	after = backup(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

/* A zone must not get the name of a link that stays. */
START_TEST(test_found_clash) {
	struct txn *t = begin(engine, true);

	ck_assert_int_eq(fixture_put(t, "system.zone", "eth0", TXN_NEW, "", NULL), 0);
	refuse(t, ERR_NAME_INTERFACE,
	       "Name 'eth0' conflict: 'interface' and 'zone' cannot be the same name.");
}
END_TEST

/* Of a file from elsewhere no secret can be read: what is put keeps its own. */
START_TEST(test_secret) {
	static const char put[] = "config system auto-scale\nset hb-interval 5\nend\n";
	AUTO_FREE char *secret = xstrdup(
		object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET));

	ck_assert_int_eq(strncmp(secret, "ENC ", 4), 0);
	replace(engine, true, put);
	ck_assert_str_eq(object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET),
			 secret);
	replace(engine, true, "config system auto-scale\nset psksecret other-words\nend\n");
	ck_assert_str_ne(object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET),
			 secret);
	replace(engine, false, ADMIN "config system auto-scale\nset hb-interval 5\nend\n");
	ck_assert_str_eq(object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET),
			 "");
}
END_TEST

static const char *password(const char *admin) {
	return object_str(find("system.admin", admin), SYSTEM_ADMIN__PASSWORD);
}

/* Lines of a backup were left out: secrets stay, and who is left without a password is named. */
START_TEST(test_partly) {
	static const char text[] =
		ADMIN "config system admin\nedit bob\nset accprofile super_admin\nnext\n"
		      "edit new\nset accprofile super_admin\nnext\nend\n"
		      "config system auto-scale\nset hb-interval 5\nend\n";
	AUTO_FREE char *secret = xstrdup(
		object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET));
	AUTO_FREE char *hash = NULL, *exact = NULL, *said = NULL;
	struct txn *t;

	fixture_set(engine, "system.admin", "bob", "set accprofile super_admin\nset password x\n");
	hash = xstrdup(password("bob"));
	ck_assert_str_ne(hash, "");
	exact = losses(false, text);
	ck_assert_msg(strstr(exact, "Without a password would be: bob, new.\n"), "%s", exact);
	t = begin(engine, false);
	txn_keep_secrets(t);
	load(t, text);
	said = said_losses(t);
	ck_assert_msg(strstr(said, "Without a password would be: new.\n"), "%s", said);
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	ck_assert_uint_eq(txn_warnings(t)->n, 1);
	ck_assert_str_eq(txn_warnings(t)->text[0], "system admin new: no password is set");
	txn_free(t);
	ck_assert_str_eq(password("bob"), hash);
	ck_assert_str_eq(object_str(find("system.auto-scale", ""), SYSTEM_AUTO_SCALE__PSKSECRET),
			 secret);
}
END_TEST

/* What this release cannot read of an object stays with it. */
START_TEST(test_unknown) {
	AUTO_FREE char *text = backup(engine), *before = NULL, *after = NULL;
	struct object *x = (struct object *)find("firewall.address", "x");

	x->unknown = xstrdup("set from-the-future yes\n");
	before = fixture_snapshot(engine);
	replace(engine, false, text);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

/* ---- refused ---- */

/* Someone else makes or changes something meanwhile. */
START_TEST(test_overtaken) {
	AUTO_FREE char *text = backup(engine);
	struct txn *t = begin(engine, false);

	load(t, text);
	if (_i == 0)
		fixture_set(engine, "firewall.address", "z", "");
	else if (_i == 1)
		fixture_set(engine, "firewall.address", "x", "set comment meanwhile\n");
	else if (_i == 2)
		ck_assert_int_eq(fixture_delete(engine, "firewall.policy", "3", NULL), 0);
	else
		fixture_set(engine, "system.settings", "", "set allow-subnet-overlap enable\n");
	refuse(t, ERR_LOCKED, LOCKED);
}
END_TEST

START_TEST(test_last_admin) {
	refuse(begin(engine, false), ERR_CONFLICT,
	       "'admin' is the last administrator with profile 'super_admin' who can log in\n"
	       "object check operator error, -7, discard the setting");
}
END_TEST

/* ---- order ---- */

static int add_key(void *arg, const struct object *obj) {
	str_addf(arg, "%s ", obj->key);
	return 0;
}

static void check_order(const struct schema_table *table, const char *want) {
	AUTO_STR struct str keys = STR_INIT;

	for (const struct object *obj = model_first(engine->model, table); obj;
	     obj = model_next(engine->model, obj))
		add_key(&keys, obj);
	ck_assert_str_eq(str_text(&keys), want);
}

/* Policies of the text; which of those that were there are not touched. */
static const struct {
	const char *keys, *untouched;
} orders[] = {
	{ "1 2 3 4 5 ", "12345" }, { "1 2 3 4 5 6 ", "12345" }, { "5 1 2 3 4 ", "1234" },
	{ "1 3 5 ", "135" },       { "6 1 2 7 3 8 4 5 ", "12345" }, { "2 1 3 5 4 ", "134" },
	{ "", "" },                { "9 8 ", "" },
};

static void put_policies(struct txn *t, const char *keys) {
	struct err err = { 0 };

	for (; *keys; keys += 2) {
		const char key[] = { *keys, '\0' };

		ck_assert_msg(fixture_put(t, "firewall.policy", key, TXN_NEW, POLICY, &err) == 0,
			      "%s", err.text);
	}
}

START_TEST(test_order) {
	struct txn *t = begin(engine, true);

	put_policies(t, orders[_i].keys);
	commit(t);
	check_order(policy, orders[_i].keys);
	for (const char *key = orders[_i].keys; *key; key += 2) {
		const char name[] = { *key, '\0' };

		if (strchr("12345", *key) && strchr(orders[_i].untouched, *key))
			ck_assert_uint_ne(find("firewall.policy", name)->ver, engine->revision);
		else if (strchr("12345", *key) && strlen(orders[_i].untouched) > 2)
			ck_assert_uint_eq(find("firewall.policy", name)->ver, engine->revision);
	}
	check_durable();
}
END_TEST

/* A place that was given in the transaction counts, not when the entry came. */
START_TEST(test_placed) {
	struct txn *t = begin(engine, true);

	put_policies(t, "1 2 7 4 5 ");
	ck_assert_int_eq(txn_place(t, policy, "7", "", NULL), 0);
	put_policies(t, "8 ");
	ck_assert_int_eq(txn_place(t, policy, "8", "4", NULL), 0);
	commit(t);
	check_order(policy, "7 1 2 4 8 5 ");
	check_durable();
}
END_TEST

/* Any order after any other, of policies and of addresses, whose order only `show` knows. */
START_TEST(test_random_order) {
	enum { N = 40 };
	struct rng r = rng_seed(fixture_seed() * 5);
	const unsigned int rounds = fixture_rounds(60);

	for (unsigned int round = 0; round < rounds; round++) {
		AUTO_STR struct str text = STR_INIT, want = STR_INIT;
		struct txn *t = begin(engine, true);
		int array[N];
		size_t n = 0;

		for (int i = 0; i < N; i++)
			if (rng_chance(&r, 80))
				array[n++] = i;
		for (size_t moves = rng_below(&r, 12); moves > 0 && n > 0; moves--) {
			size_t a = rng_below(&r, (uint32_t)n), b = rng_below(&r, (uint32_t)n);
			int kept = array[a];

			array[a] = array[b];
			array[b] = kept;
		}
		str_add(&text, "config firewall address\n");
		for (size_t i = 0; i < n; i++) {
			str_addf(&text, "edit a%d\nset comment \"%u\"\nnext\n", array[i],
				 rng_below(&r, 3));
			str_addf(&want, "a%d ", array[i]);
		}
		str_add(&text, "end\n");
		ck_assert_int_eq(txn_delete(t, address, "all", NULL), 0);
		ck_assert_int_eq(txn_delete(t, address, "none", NULL), 0);
		load(t, str_text(&text));
		commit(t);
		check_order(address, str_text(&want));
		check_durable();
	}
}
END_TEST

/* ---- what one unit has, in another ---- */

/* A random configuration of all tables, in a unit of its own that has our device key. */
static struct engine *random_unit(struct rng *r, const char *there) {
	AUTO_FREE char *copy = xasprintf("cp '%s/device.key' '%s'", dir, there);
	struct engine *e;
	struct txn *t;
	struct err err = { 0 };

	ck_assert_int_eq(system(copy), 0);
	e = fixture_engine(there);
	t = txn_new(e, "a", "test");
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		random_fill(r, t, table, schema_is_list(table) ? 12 : 2);
	}
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
	return e;
}

/* Put what is in a configuration, again and again as long as more is accepted. */
static void transplant(const struct engine *from, struct txn *t) {
	struct err err = { 0 };
	unsigned int refused = 0, before;

	do {
		before = refused;
		refused = 0;
		for (uint16_t i = 0; i < schema_n_top; i++) {
			const struct object *obj =
				model_first(from->model, schema_tables[schema_top[i]]);

			for (; obj; obj = model_next(from->model, obj))
				refused += txn_put(t, object_copy(obj), TXN_ANY, &err) != 0;
		}
	} while (refused > 0 && refused != before);
	ck_assert_msg(refused == 0, "%u, such as: %s", refused, err.text);
}

START_TEST(test_transplant) {
	struct rng r = rng_seed(fixture_seed() * 100 + (uint64_t)_i);
	AUTO_FREE char *there = fixture_dir(), *first = NULL, *second = NULL;
	struct engine *other = random_unit(&r, there);
	struct digest_group ours, theirs;
	struct digest_view view;
	struct txn *t = begin(engine, false);

	transplant(other, t);
	commit(t);
	digest_view_init(&view, other);
	digest_group(&view, &theirs);
	digest_view_init(&view, engine);
	digest_group(&view, &ours);
	ck_assert_mem_eq(&ours, &theirs, sizeof(ours));
	first = backup(engine);
	t = begin(engine, false);
	transplant(other, t);
	commit(t);
	second = backup(engine);
	ck_assert_str_eq(second, first);
	check_durable();
	engine_close(other);
}
END_TEST

/* ---- whole or absent ---- */

static const char *const points[] = { "store.write", "commit.kernel", "commit.apply",
				      "store.commit" };

START_TEST(test_fault) {
	struct fake_kernel k;
	unsigned int countdown = 0;
	int rc;

	fake_kernel_attach(&k, engine);
	do {
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i], ++countdown);
		AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
		AUTO_FREE char *kernel = xstrdup(k.now);
		struct txn *t = begin(engine, true);

		put_policies(t, "5 9 1 3 ");
		fixture_fault(spec);
		rc = txn_commit(t, NULL);
		fixture_fault(NULL);
		after = fixture_snapshot(engine);
		txn_free(t);
		if (rc) {
			ck_assert_str_eq(after, before);
			ck_assert_str_eq(k.now, kernel);
		}
	} while (rc && countdown < 200);
	ck_assert_uint_gt(countdown, 1);
	ck_assert_int_eq(rc, 0);
	check_order(policy, "5 9 1 3 ");
	check_durable();
	fake_kernel_done(&k);
}
END_TEST

/* ---- what would go ---- */

START_TEST(test_losses) {
	AUTO_FREE char *same = backup(engine), *none = losses(false, same), *most = NULL;
	AUTO_FREE char *few = losses(true, "config system interface\nedit port1\nnext\nend\n"
					   "config system auto-scale\nset hb-interval 5\nend\n"
					   "config firewall address\nedit x\nnext\nend\n");

	ck_assert_str_eq(none, "");
	ck_assert_str_eq(few, "6 objects would go: 1 of system global, 5 of firewall policy.\n"
			      "Without an address would be: port1.\n");
	for (int i = 0; i < 20; i++) {
		AUTO_FREE char *key = xasprintf("lan%d", i);
		AUTO_FREE char *body = xasprintf("set ip 10.3.%d.1/24\n", i);

		fixture_set(engine, "system.interface", key, body);
	}
	most = losses(false, "");
	ck_assert_msg(strstr(most, " of other tables.\n") != NULL, "%s", most);
	ck_assert_msg(strstr(most, " and 13 more.\n") != NULL, "%s", most);
	ck_assert_ptr_null(strstr(most, "eth0"));
}
END_TEST

static Suite *txn_replace_suite(void) {
	Suite *s = suite_create("txn_replace");
	TCase *t = fixture_case(s, "txn_replace");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_same);
	tcase_add_test(t, test_gone);
	tcase_add_test(t, test_losses);
	tcase_add_test(t, test_view);
	tcase_add_test(t, test_found);
	tcase_add_test(t, test_found_put);
	tcase_add_test(t, test_undo);
	tcase_add_test(t, test_found_clash);
	tcase_add_test(t, test_secret);
	tcase_add_test(t, test_partly);
	tcase_add_test(t, test_unknown);
	tcase_add_loop_test(t, test_overtaken, 0, 4);
	tcase_add_test(t, test_last_admin);
	tcase_add_loop_test(t, test_order, 0, (int)ARRAY_LEN(orders));
	tcase_add_test(t, test_placed);
	tcase_add_test(t, test_random_order);
	tcase_add_loop_test(t, test_transplant, 0, 10);
	tcase_add_loop_test(t, test_fault, 0, (int)ARRAY_LEN(points));
	return s;
}

int main(void) {
	return fixture_run(txn_replace_suite());
}
