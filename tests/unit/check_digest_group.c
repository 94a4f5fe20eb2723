/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two units of a group: equal digests whatever belongs to one of them alone, other ones after any
 * change of what they share, be it a secret or an order.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "cfgdb/engine.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static struct engine one, two; /* as far as digests need them */

static void unit_init(struct engine *e) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/device.key", dir);

	*e = (struct engine){ .model = model_new(), .keyring = keyring_open(path, true, NULL) };
	ck_assert_ptr_nonnull(e->keyring);
	e->has_group_mac = true;
	memset(e->group_mac, 7, sizeof(e->group_mac));
}

static void setup(void) {
	unit_init(&one);
	unit_init(&two);
}

static void teardown(void) {
	model_free(one.model);
	keyring_close(one.keyring);
	model_free(two.model);
	keyring_close(two.keyring);
}

static struct digest_group group_of(const struct engine *e) {
	struct digest_group g;
	struct digest_view v;

	digest_view_init(&v, e);
	digest_group(&v, &g);
	return g;
}

static bool same(const unsigned char *a, const unsigned char *b) {
	return memcmp(a, b, DIGEST_LEN) == 0;
}

static bool units_agree(void) {
	struct digest_group a = group_of(&one), b = group_of(&two);
	bool all = same(a.all, b.all);

	ck_assert_int_eq(same(a.global, b.global) && same(a.root, b.root), all);
	return all;
}

/* ---- by hand ---- */

struct line {
	const char *table, *key, *body;
};

static void put(struct engine *e, const struct line *l) {
	struct object *obj = object_new(fixture_table(l->table), l->key);
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, l->body, &err) == 0, "%s", err.text);
	ck_assert_int_eq(secret_seal_object(e->keyring, obj, NULL, &err), 0);
	object_free(model_put(e->model, obj));
}

static const struct line base[] = {
	{ "system.global", "", "set timezone 01\n" },
	{ "system.auto-scale", "", "set psksecret geheim\nset hb-interval 5\n" },
	{ "system.vdom-exception", "10", "set object system.cluster-sync\n" },
	{ "system.ha", "", "set password secret\nset session-pickup enable\n" },
	{ "system.interface", "port1", "set type physical\nset alias wan\n" },
	{ "firewall.policy", "1", "set srcaddr a b\n" },
	{ "firewall.policy", "10", "set srcaddr a\n" },
	{ "firewall.policy", "2", "set srcaddr b\n" },
	{ "firewall.address", "a", "set comment x\n" },
	{ "router.static", "2", "set comment x\n" },
	{ "router.static", "10", "" },
};

static void put_base(struct engine *e) {
	for (size_t i = 0; i < ARRAY_LEN(base); i++)
		put(e, &base[i]);
}

/* What differs between units of a group, all at once and one by one. */
static const struct line own[] = {
	{ "system.global", "", "set timezone 01\nset hostname two\nset alias b\n" },
	{ "system.auto-scale", "",
	  "set psksecret geheim\nset hb-interval 5\nset status enable\nset role primary\n"
	  "set primary-ip 10.0.0.1\nset sync-interface port3\n" },
	{ "system.ha", "", "set password secret\nset session-pickup enable\nset priority 9\n" },
	{ "system.interface", "port1",
	  "set type physical\nset alias wan\nset ip 10.0.0.1/24\nset snmp-index 9\nset mode dhcp\n" },
	{ "system.interface", "port2",
	  "set type physical\nset allowaccess ping ssh\nset snmp-index 4\nset ip 10.1.0.1/24\n" },
	{ "system.standalone-cluster", "",
	  "set group-member-id 3\nconfig cluster-peer\nedit 1\nset peerip 10.0.0.2\nnext\nend\n" },
	{ "system.console", "", "set output standard\n" },
	{ "system.settings", "", "set manageip 10.0.0.1/24\n" },
};

START_TEST(test_own) {
	put_base(&one);
	put_base(&two);
	ck_assert(units_agree());
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		put(&two, &own[i]);
		ck_assert_msg(units_agree(), "%s %s", own[i].table, own[i].key);
	}
}
END_TEST

static const struct line shared_changes[] = {
	{ "system.global", "", "set timezone 02\n" },
	{ "system.auto-scale", "", "set psksecret other\nset hb-interval 5\n" },
	{ "system.auto-scale", "", "set hb-interval 5\n" },
	{ "system.auto-scale", "", "set psksecret geheim\n" },
	{ "system.ha", "", "set password changed\nset session-pickup enable\n" },
	{ "system.interface", "port1", "set type physical\nset alias lan\n" },
	{ "system.interface", "port1", "set type physical\nset alias wan\nset allowaccess ping\n" },
	{ "system.interface", "port2", "set type physical\nset allowaccess ping\n" },
	{ "system.vdom-exception", "10", "set object system.standalone-cluster\n" },
	{ "system.vdom-exception", "11", "set object firewall.vip\n" },
	{ "system.standalone-cluster", "", "set standalone-group-id 4\n" },
	{ "firewall.policy", "1", "set srcaddr b a\n" },
	{ "firewall.policy", "3", "set srcaddr a\n" },
	{ "firewall.address", "b", "set comment x\n" },
	{ "firewall.address", "a", "" },
	{ "router.static", "11", "" },
};

START_TEST(test_shared) {
	put_base(&one);
	put_base(&two);
	ck_assert(units_agree());
	put(&two, &shared_changes[_i]);
	ck_assert(!same(group_of(&one).all, group_of(&two).all));
	put(&one, &shared_changes[_i]);
	ck_assert(units_agree());
}
END_TEST

/* Where something is missing, and where a table is excepted on both. */
START_TEST(test_deleted) {
	static const struct line exception = { "system.vdom-exception", "11",
					       "set object firewall.address\n" };

	put_base(&one);
	put_base(&two);
	object_free(model_take(two.model, fixture_table("firewall.address"), "a"));
	ck_assert(!same(group_of(&one).all, group_of(&two).all));
	put(&one, &exception);
	put(&two, &exception);
	ck_assert(units_agree());
}
END_TEST

/* An order counts where it means something. */
START_TEST(test_order) {
	static const char *const tables[] = { "firewall.policy", "router.static" };

	put_base(&one);
	put_base(&two);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		struct object *obj = model_take(two.model, fixture_table(tables[i]), "2");

		obj->pos = 0; /* it goes to the end */
		model_put(two.model, obj);
		if (i == 0) {
			ck_assert(units_agree()); /* it was there */
			obj = model_take(two.model, fixture_table(tables[i]), "1");
			obj->pos = 0;
			model_put(two.model, obj);
			ck_assert(!same(group_of(&one).root, group_of(&two).root));
			ck_assert(same(group_of(&one).global, group_of(&two).global));
			obj = model_take(one.model, fixture_table(tables[i]), "1");
			obj->pos = 0;
			model_put(one.model, obj);
		}
		ck_assert(units_agree());
	}
}
END_TEST

/* A secret counts under the key of the group; without one, each unit has its own. */
START_TEST(test_key) {
	struct digest_group before;

	put_base(&one);
	put_base(&two);
	before = group_of(&one);
	two.group_mac[0]++;
	ck_assert(!same(group_of(&two).global, before.global));
	ck_assert(same(group_of(&two).root, before.root));
	one.group_mac[0]++;
	ck_assert(units_agree());
	one.has_group_mac = two.has_group_mac = false;
	ck_assert(!same(group_of(&one).global, group_of(&two).global));
	one.has_group_mac = two.has_group_mac = true;
	one.group_mac[0]--;
	ck_assert(same(group_of(&one).all, before.all));
}
END_TEST

/* ---- tables and objects ---- */

static int list(void *arg, const char *name, const unsigned char *digest) {
	ck_assert_ptr_nonnull(digest);
	str_addf(arg, "%s ", name);
	return strcmp(name, "stop") == 0 ? 7 : 0;
}

static struct row *row_of(const char *dotted, const char *key, bool vdom, int64_t pos) {
	struct row *row = row_new(dotted, key, "set a b\n");

	row->vdom = vdom;
	row->pos = pos;
	return row;
}

/* Bytewise by name, what is not known among them; only what counts. */
START_TEST(test_lists) {
	AUTO_STR struct str tables = STR_INIT, policies = STR_INIT, routes = STR_INIT,
			    rows = STR_INIT, links = STR_INIT;
	struct digest_view v;

	put_base(&one);
	put(&one, &own[4]);
	rows_put(model_rows(one.model), row_of("firewall.b", "9", true, 0));
	rows_put(model_rows(one.model), row_of("firewall.b", "10", true, 0));
	rows_put(model_rows(one.model), row_of("system.z", "x", false, 2));
	rows_put(model_rows(one.model), row_of("system.z", "stop", false, 1));
	digest_view_init(&v, &one);
	ck_assert_int_eq(digest_each_table(&v, list, &tables), 0);
	ck_assert_str_eq(str_text(&tables),
			 "firewall.address firewall.b firewall.policy router.static "
			 "system.auto-scale system.global system.ha system.interface "
			 "system.vdom-exception system.z ");
	digest_each_object(&v, "firewall.policy", list, &policies);
	ck_assert_str_eq(str_text(&policies), "1 10 2 ");
	digest_each_object(&v, "router.static", list, &routes);
	ck_assert_str_eq(str_text(&routes), "10 2 ");
	digest_each_object(&v, "firewall.b", list, &rows);
	ck_assert_str_eq(str_text(&rows), "10 9 ");
	ck_assert_int_eq(digest_each_object(&v, "system.z", list, &rows), 7);
	ck_assert_str_eq(str_text(&rows), "10 9 stop ");
	digest_each_object(&v, "system.interface", list, &links);
	ck_assert_str_eq(str_text(&links), "port1 ");
}
END_TEST

/* What a unit does not know counts in the part that it belongs to. */
START_TEST(test_rows) {
	struct digest_group before, now;

	put_base(&one);
	before = group_of(&one);
	rows_put(model_rows(one.model), row_of("firewall.b", "9", true, 0));
	now = group_of(&one);
	ck_assert(same(now.global, before.global) && !same(now.root, before.root));
	ck_assert(!same(now.all, before.all));
	rows_put(model_rows(one.model), row_of("system.z", "9", false, 0));
	ck_assert(same(group_of(&one).root, now.root) && !same(group_of(&one).global, now.global));
	row_free(rows_take(model_rows(one.model), "system.z", "9"));
	row_free(rows_take(model_rows(one.model), "firewall.b", "9"));
	ck_assert(same(group_of(&one).all, before.all));
}
END_TEST

/* ---- any configuration ---- */

static void drop_hashes(struct object *obj) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct value *v = object_get(obj, i);

		if (v && obj->table->attrs[i].type == ATTR_PASSWORD_HASH)
			object_unset(obj, i);
		else if (v && obj->table->attrs[i].type == ATTR_CHILD)
			for (uint32_t n = 0; n < v->n; n++)
				drop_hashes(value_item(v, n)->entry);
	}
}

static struct object *random_one(struct rng *r, const struct keyring *k,
				 const struct schema_table *table, const char *key) {
	struct object *obj = random_object(r, table, key, rng_below(r, 60), NULL, NULL);

	drop_hashes(obj);
	object_normalize(obj);
	ck_assert_int_eq(secret_seal_object(k, obj, NULL, NULL), 0);
	return obj;
}

/* As two gets it from one, beside something of its own. */
static void replicate(struct rng *r, const struct object *obj) {
	const struct shared none = { 0 };
	struct object *theirs = object_new(obj->table, obj->key),
		      *ours = random_one(r, two.keyring, obj->table, obj->key), *merged = NULL;
	AUTO_STR struct str text = STR_INIT;
	struct err err = { 0 };

	if (shared_has(&none, obj)) {
		ck_assert_int_eq(shared_text(&none, one.keyring, obj, &text, &err), 0);
		ck_assert_int_eq(shared_parse(two.keyring, theirs, str_text(&text), &err), 0);
		merged = shared_merge(&none, theirs, ours);
	} else {
		merged = shared_merge(&none, NULL, ours);
	}
	if (merged) {
		merged->pos = obj->pos;
		object_free(model_put(two.model, merged));
	}
	object_free(theirs);
	object_free(ours);
}

/* Some objects of every table: equal on both, and no longer when one of them becomes another. */
START_TEST(test_any) {
	for (unsigned int n = 0; n < fixture_rounds(3); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000 + n);
		const struct shared none = { 0 };

		teardown();
		setup();
		for (uint16_t i = 0; i < schema_n_top * 3; i++) {
			const struct schema_table *table = schema_tables[schema_top[i / 3]];
			AUTO_FREE char *key = schema_is_list(table) ? random_key(&r, table) :
								      xstrdup("");
			struct object *obj;

			if (table->id == TBL_SYSTEM_VDOM_EXCEPTION ||
			    model_find(one.model, table, key))
				continue;
			obj = random_one(&r, one.keyring, table, key);
			object_free(model_put(one.model, obj));
			replicate(&r, obj);
		}
		ck_assert_msg(units_agree(), "round %u", n);
		for (uint16_t i = 0; i < schema_n_top; i++) {
			const struct schema_table *table = schema_tables[schema_top[i]];
			const struct object *was = model_first(one.model, table);
			struct object *now;
			bool equal;

			if (!was)
				continue;
			now = random_one(&r, one.keyring, table, was->key);
			now->pos = was->pos;
			equal = shared_equal(&none, was, now);
			now = model_put(one.model, now);
			ck_assert_msg(same(group_of(&one).all, group_of(&two).all) == equal, "%s",
				      table->dotted);
			object_free(model_put(one.model, now));
		}
	}
}
END_TEST

/* ---- what a transaction would make of it ---- */

START_TEST(test_staged) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	struct txn *t = txn_new(e, "admin", "test");
	struct digest_group active, staged, now;
	struct digest_view v;
	struct err err = { 0 };

	fixture_set(e, "firewall.address", "a", "set comment x\n");
	active = group_of(e);
	ck_assert_int_eq(fixture_put(t, "system.global", "", TXN_ANY, "set hostname h\n", &err), 0);
	digest_view_init_txn(&v, e, t);
	digest_group(&v, &staged);
	ck_assert(same(staged.all, active.all));
	ck_assert_int_eq(txn_delete(t, fixture_table("firewall.address"), "a", &err), 0);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "b", TXN_ANY, "", &err), 0);
	ck_assert_int_eq(fixture_put(t, "system.vdom-exception", "1", TXN_ANY,
				     "set object firewall.ippool\n", &err),
			 0);
	digest_view_init_txn(&v, e, t);
	digest_group(&v, &staged);
	ck_assert(!same(staged.root, active.root) && !same(staged.global, active.global));
	ck_assert(same(group_of(e).all, active.all));
	ck_assert_int_eq(txn_commit(t, &err), 0);
	now = group_of(e);
	ck_assert(same(now.all, staged.all) && same(now.root, staged.root) &&
		  same(now.global, staged.global));
	txn_free(t);
	engine_close(e);
}
END_TEST

static Suite *digest_group_suite(void) {
	Suite *s = suite_create("digest_group");
	TCase *t = fixture_case(s, "digest_group");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_own);
	tcase_add_loop_test(t, test_shared, 0, ARRAY_LEN(shared_changes));
	tcase_add_test(t, test_deleted);
	tcase_add_test(t, test_order);
	tcase_add_test(t, test_key);
	tcase_add_test(t, test_lists);
	tcase_add_test(t, test_rows);
	tcase_add_test(t, test_any);
	tcase_add_test(t, test_staged);
	return s;
}

int main(void) {
	return fixture_run(digest_group_suite());
}
