/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration in memory: by key, in order, and who refers to whom. */
#include "cfgdb/model/model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static struct object *parsed(const char *dotted, const char *key, const char *body) {
	struct object *obj = object_new(fixture_table(dotted), key);
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, body, &err) == 0, "%s", err.text);
	return obj;
}

static void put(struct model *m, const char *dotted, const char *key, const char *body) {
	object_free(model_put(m, parsed(dotted, key, body)));
}

/* Keys of a table in its order, joined by blanks. */
static char *keys_of(const struct model *m, const char *dotted) {
	struct str out = STR_INIT;
	const struct schema_table *table = fixture_table(dotted);

	for (const struct object *obj = model_first(m, table); obj; obj = model_next(m, obj))
		str_addf(&out, "%s%s", out.len ? " " : "", obj->key);
	return str_steal(&out);
}

#define CHECK_KEYS(m, dotted, want)                        \
	do {                                               \
		AUTO_FREE char *keys = keys_of(m, dotted); \
		ck_assert_str_eq(keys, want);              \
	} while (0)

/* ---- order ---- */

START_TEST(test_order) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct model *m = model_new();

	ck_assert_ptr_null(model_first(m, policy));
	ck_assert_ptr_null(model_last(m, policy));
	put(m, "firewall.policy", "10", "");
	put(m, "firewall.policy", "9", "");
	put(m, "firewall.policy", "100", "");
	CHECK_KEYS(m, "firewall.policy", "10 9 100");
	ck_assert_str_eq(model_last(m, policy)->key, "100");
	ck_assert_int_eq(model_last(m, policy)->pos, 3 * MODEL_POS_GAP);
	put(m, "firewall.policy", "9", "set name x\n");
	CHECK_KEYS(m, "firewall.policy", "10 9 100");
	object_free(model_take(m, policy, "100"));
	put(m, "firewall.policy", "1", "");
	CHECK_KEYS(m, "firewall.policy", "10 9 1");
	ck_assert_uint_eq(model_count(m, policy), 3);
	ck_assert_ptr_null(model_take(m, policy, "100"));
	model_free(m);
}
END_TEST

/* A position that is given is kept, between others and the same as another's, too. */
START_TEST(test_position) {
	struct model *m = model_new();
	struct object *obj;

	put(m, "firewall.policy", "1", "");
	put(m, "firewall.policy", "2", "");
	obj = parsed("firewall.policy", "3", "");
	obj->pos = MODEL_POS_GAP + MODEL_POS_GAP / 2;
	ck_assert_ptr_null(model_put(m, obj));
	obj = parsed("firewall.policy", "30", "");
	obj->pos = MODEL_POS_GAP + MODEL_POS_GAP / 2;
	ck_assert_ptr_null(model_put(m, obj));
	CHECK_KEYS(m, "firewall.policy", "1 3 30 2");
	model_free(m);
}
END_TEST

START_TEST(test_by_key) {
	const struct schema_table *policy = fixture_table("firewall.policy");
	struct model *m = model_new();

	put(m, "firewall.policy", "20", "");
	put(m, "firewall.policy", "3", "");
	put(m, "firewall.policy", "100", "");
	ck_assert_str_eq(model_seek(m, policy, "4")->key, "20");
	ck_assert_str_eq(model_seek(m, policy, "3")->key, "3");
	ck_assert_str_eq(model_next_key(m, model_find(m, policy, "20"))->key, "100");
	ck_assert_ptr_null(model_next_key(m, model_find(m, policy, "100")));
	ck_assert_str_eq(model_last_key(m, policy)->key, "100");
	ck_assert_str_eq(model_prev_key(m, model_find(m, policy, "20"))->key, "3");
	ck_assert_ptr_null(model_prev_key(m, model_find(m, policy, "3")));
	ck_assert_ptr_null(model_seek(m, policy, "101"));
	model_free(m);
}
END_TEST

START_TEST(test_object_table) {
	const struct schema_table *ha = fixture_table("system.ha");
	struct model *m = model_new();
	const struct object *obj = model_object(m, ha);

	ck_assert_ptr_nonnull(obj);
	ck_assert_uint_eq(obj->n_fields, 0);
	ck_assert_ptr_null(model_find(m, ha, ""));
	ck_assert_uint_eq(model_count(m, ha), 0);
	put(m, "system.ha", "", "set group-id 4\n");
	ck_assert_int_eq(object_num(model_object(m, ha), SYSTEM_HA__GROUP_ID), 4);
	object_free(model_take(m, ha, ""));
	ck_assert_int_eq(object_num(model_object(m, ha), SYSTEM_HA__GROUP_ID), 0);
	model_free(m);
	ck_assert_ptr_null(model_free(NULL));
}
END_TEST

/* ---- names ---- */

START_TEST(test_resolve) {
	const struct schema_attr *srcintf =
		&fixture_table("firewall.policy")->attrs[FIREWALL_POLICY__SRCINTF];
	const struct schema_attr *dstaddr =
		&fixture_table("firewall.policy")->attrs[FIREWALL_POLICY__DSTADDR];
	struct model *m = model_new();

	put(m, "system.interface", "port1", "");
	put(m, "system.zone", "inside", "set interface port1\n");
	put(m, "firewall.vip", "web", "");
	ck_assert_str_eq(model_resolve(m, srcintf, "port1")->table->dotted, "system.interface");
	ck_assert_str_eq(model_resolve(m, srcintf, "inside")->table->dotted, "system.zone");
	ck_assert_str_eq(model_resolve(m, dstaddr, "web")->table->dotted, "firewall.vip");
	ck_assert_ptr_null(model_resolve(m, dstaddr, "port1"));
	ck_assert_ptr_null(model_resolve(m, srcintf, "any"));
	ck_assert(model_builtin(srcintf, "any"));
	ck_assert(!model_builtin(dstaddr, "any"));
	ck_assert(!model_builtin(srcintf, "port1"));
	model_free(m);
}
END_TEST

/* Tables that one attribute may name share a name space, or a name would stand for two objects. */
START_TEST(test_name_spaces) {
	for (uint16_t t = 0; t < schema_n_tables; t++)
		for (uint16_t i = 0; i < schema_tables[t]->n_attrs; i++) {
			const struct schema_attr *a = &schema_tables[t]->attrs[i];

			for (unsigned int n = 1; n < a->n_refs; n++) {
				const char *x = schema_tables[a->refs[0]]->names,
					   *y = schema_tables[a->refs[n]]->names;

				ck_assert_msg(x && y && strcmp(x, y) == 0, "%s %s",
					      schema_tables[t]->dotted, a->name);
			}
		}
}
END_TEST

/* ---- uses ---- */

static int list_user(void *arg, const struct object *holder, const struct schema_attr *attr) {
	str_addf(arg, "%s:%s:%s ", holder->table->dotted, holder->key, attr->name);
	return 0;
}

static char *users_of(const struct model *m, const char *dotted, const char *key) {
	struct str out = STR_INIT;
	const struct object *obj = model_find(m, fixture_table(dotted), key);

	ck_assert_ptr_nonnull(obj);
	ck_assert_int_eq(model_each_user(m, obj, list_user, &out), 0);
	return str_steal(&out);
}

#define CHECK_USERS(m, dotted, key, want)                         \
	do {                                                      \
		AUTO_FREE char *users = users_of(m, dotted, key); \
		ck_assert_str_eq(users, want);                    \
	} while (0)

START_TEST(test_users) {
	struct model *m = model_new();

	put(m, "firewall.address", "a", "");
	put(m, "firewall.addrgrp", "g", "set member a\nset exclude enable\nset exclude-member a\n");
	put(m, "firewall.policy", "10", "set srcaddr a g\nset dstaddr a\n");
	put(m, "firewall.policy", "9", "set dstaddr a\n");
	CHECK_USERS(m, "firewall.address", "a",
		    "firewall.addrgrp:g:member firewall.addrgrp:g:exclude-member "
		    "firewall.policy:9:dstaddr "
		    "firewall.policy:10:srcaddr firewall.policy:10:dstaddr ");
	CHECK_USERS(m, "firewall.addrgrp", "g", "firewall.policy:10:srcaddr ");
	put(m, "firewall.policy", "10", "set srcaddr g\n");
	object_free(model_take(m, fixture_table("firewall.addrgrp"), "g"));
	CHECK_USERS(m, "firewall.address", "a", "firewall.policy:9:dstaddr ");
	ck_assert_uint_eq(
		model_count_users(m, model_find(m, fixture_table("firewall.address"), "a")), 1);
	model_free(m);
}
END_TEST

/* A name in an attribute that cannot mean this table is no use; nested references count once. */
START_TEST(test_users_of_table) {
	struct model *m = model_new();

	put(m, "system.interface", "port1", "");
	put(m, "firewall.address", "port1", "");
	put(m, "system.standalone-cluster", "",
	    "config cluster-peer\nedit 1\nset down-intfs-before-sess-sync port1\nnext\n"
	    "edit 2\nset down-intfs-before-sess-sync port1\nnext\nend\n");
	put(m, "firewall.policy", "1", "set srcintf port1\nset srcaddr port1\n");
	CHECK_USERS(m, "system.interface", "port1",
		    "system.standalone-cluster::down-intfs-before-sess-sync "
		    "firewall.policy:1:srcintf ");
	CHECK_USERS(m, "firewall.address", "port1", "firewall.policy:1:srcaddr ");
	model_free(m);
}
END_TEST

/* Number of (holder, attribute) pairs that name target, counted the slow way. */
struct slow_count {
	const struct object *target;
	const struct schema_attr *seen[256];
	size_t n_seen, n;
};

static int slow_ref(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct slow_count *c = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];
	bool counts = false;

	for (unsigned int i = 0; i < a->n_refs; i++)
		counts = counts || a->refs[i] == c->target->table->id;
	if (!counts || strcmp(name, c->target->key) != 0)
		return 0;
	for (size_t i = 0; i < c->n_seen; i++)
		if (c->seen[i] == a)
			return 0;
	c->seen[c->n_seen++] = a;
	c->n++;
	return 0;
}

static size_t slow_count_users(const struct model *m, const struct object *target) {
	struct slow_count c = { .target = target };

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		for (const struct object *obj = model_first(m, table); obj;
		     obj = model_next(m, obj)) {
			c.n_seen = 0;
			object_each_ref(obj, slow_ref, &c);
		}
	}
	return c.n;
}

static const char *few_names(void *arg, struct rng *r, const struct schema_attr *attr) {
	static const char *const names[] = { "a", "b", "c", "d", "e" };

	(void)arg;
	(void)attr;
	return names[rng_below(r, ARRAY_LEN(names))];
}

/* Objects of all tables put and taken at random: counts, order and uses agree with a plain walk. */
START_TEST(test_random) {
	uint64_t seed = fixture_seed() * 1000 + (uint64_t)_i;
	struct rng r = rng_seed(seed);
	struct model *m = model_new();

	for (unsigned int n = 0; n < fixture_rounds(300); n++) {
		const struct schema_table *table =
			schema_tables[schema_top[rng_below(&r, schema_n_top)]];
		bool number = schema_is_list(table) && table->attrs[0].type == ATTR_INTEGER;
		char name[16];

		snprintf(name, sizeof(name), number ? "%u" : "%c",
			 number ? rng_below(&r, 5) : 'a' + rng_below(&r, 5));
		if (!schema_is_list(table))
			name[0] = '\0';
		if (rng_chance(&r, 70))
			object_free(
				model_put(m, random_object(&r, table, name, 30, few_names, NULL)));
		else
			object_free(model_take(m, table, name));
	}
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];
		int64_t pos = 0;
		size_t count = 0;

		for (const struct object *obj = model_first(m, table); obj;
		     obj = model_next(m, obj), count++) {
			ck_assert_msg(obj->pos > pos, "seed %llu", (unsigned long long)seed);
			pos = obj->pos;
			ck_assert_msg(model_count_users(m, obj) == slow_count_users(m, obj),
				      "seed %llu: %s %s", (unsigned long long)seed, table->dotted,
				      obj->key);
		}
		ck_assert_uint_eq(count, model_count(m, table));
	}
	model_free(m);
}
END_TEST

static Suite *model_suite(void) {
	Suite *s = suite_create("model");
	TCase *t = fixture_case(s, "model");

	tcase_add_test(t, test_order);
	tcase_add_test(t, test_position);
	tcase_add_test(t, test_by_key);
	tcase_add_test(t, test_object_table);
	tcase_add_test(t, test_resolve);
	tcase_add_test(t, test_name_spaces);
	tcase_add_test(t, test_users);
	tcase_add_test(t, test_users_of_table);
	tcase_add_loop_test(t, test_random, 0, 5);
	return s;
}

int main(void) {
	return fixture_run(model_suite());
}
