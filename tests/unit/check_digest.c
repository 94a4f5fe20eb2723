/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digests prove configurations equal: the same after a round trip, another one after any change
 * that members share, and untouched by what belongs to the unit.
 */
#include "cfgdb/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static struct keyring *ring;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/device.key", dir);

	ring = keyring_open(path, true, NULL);
	ck_assert_ptr_nonnull(ring);
}

static void teardown(void) {
	keyring_close(ring);
}

static struct object *parsed(const char *dotted, const char *key, const char *body) {
	struct object *obj = object_new(fixture_table(dotted), key);
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, body, &err) == 0, "%s", err.text);
	ck_assert_msg(secret_seal_object(ring, obj, NULL, &err) == 0, "%s", err.text);
	digest_object(ring, obj);
	return obj;
}

static bool same_hash(const struct object *a, const struct object *b) {
	return memcmp(a->hash, b->hash, DIGEST_LEN) == 0;
}

/* ---- objects ---- */

/* No secrets: hashing each would take the test's time, and their text is no measure of equality. */
static void drop_secrets(struct object *obj) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		const struct value *v = object_get(obj, i);

		for (uint32_t n = 0; v && a->type == ATTR_CHILD && n < v->n; n++)
			drop_secrets(value_item(v, n)->entry);
		if (a->type == ATTR_PASSWORD || a->type == ATTR_PASSWORD_HASH)
			object_unset(obj, i);
	}
}

/* What members share of an object, by the flags of the schema alone. */
static void drop_local(struct object *obj) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		const struct value *v = object_get(obj, i);

		for (uint32_t n = 0; v && a->type == ATTR_CHILD && n < v->n; n++)
			drop_local(value_item(v, n)->entry);
		if ((a->flags & ATTR_LOCAL) ||
		    (a->type == ATTR_CHILD && (a->child->flags & TABLE_LOCAL)) ||
		    (v && a->type == ATTR_CHILD && !schema_is_list(a->child) &&
		     value_item(v, 0)->entry->n_fields == 0))
			object_unset(obj, i);
	}
}

static bool equal_to_others(const struct object *a, const struct object *b) {
	struct object *x = object_copy(a), *y = object_copy(b);
	bool equal;

	drop_local(x);
	drop_local(y);
	equal = object_equal(x, y);
	object_free(x);
	object_free(y);
	return equal;
}

/* Set, unset or replace one attribute, somewhere in obj. */
static void change_something(struct rng *r, struct object *obj) {
	unsigned int attr = rng_below(r, obj->table->n_attrs);
	const struct schema_attr *a = &obj->table->attrs[attr];
	const struct value *v = object_get(obj, attr);
	struct object *other;

	if (a->type == ATTR_CHILD && v && rng_chance(r, 70)) {
		change_something(r, value_item(v, rng_below(r, v->n))->entry);
	} else if (v && rng_chance(r, 30)) {
		object_unset(obj, attr);
	} else if (a->type == ATTR_CHILD) {
		other = random_object(r, obj->table, obj->key, 60, NULL, NULL);
		if (object_get(other, attr))
			object_set(obj, attr, value_copy(a, object_get(other, attr)));
		object_free(other);
	} else if (!(a->flags & ATTR_KEY)) {
		object_set(obj, attr, random_value(r, a, NULL, NULL));
	}
	drop_secrets(obj);
	object_normalize(obj);
}

/*
 * For every table: after a random change the digest differs if, and only if, what is shared does.
 */
START_TEST(test_change) {
	const struct schema_table *table = schema_tables[schema_top[_i]];
	unsigned int rounds = fixture_rounds(table->n_attrs * 8u);

	for (unsigned int n = 0; n < rounds; n++) {
		uint64_t seed = fixture_seed() * 1000000 + (uint64_t)_i * 10000 + n;
		struct rng r = rng_seed(seed);
		AUTO_FREE char *key = schema_is_list(table) ? random_key(&r, table) : xstrdup("");
		struct object *a = random_object(&r, table, key, rng_below(&r, 70), NULL, NULL), *b;

		drop_secrets(a);
		object_normalize(a);
		b = object_copy(a);
		change_something(&r, b);
		digest_object(ring, a);
		digest_object(ring, b);
		ck_assert_msg(same_hash(a, b) == equal_to_others(a, b), "seed %llu: %s",
			      (unsigned long long)seed, table->dotted);
		object_free(a);
		object_free(b);
	}
}
END_TEST

/* Text and back: the digest is the same, whatever place and version the object has. */
START_TEST(test_round_trip) {
	const struct schema_table *table = schema_tables[schema_top[_i]];

	for (unsigned int n = 0; n < fixture_rounds(20); n++) {
		uint64_t seed = fixture_seed() * 1000000 + (uint64_t)_i * 1000 + n;
		struct rng r = rng_seed(seed);
		AUTO_FREE char *key = schema_is_list(table) ? random_key(&r, table) : xstrdup("");
		struct object *a = random_object(&r, table, key, rng_below(&r, 90), NULL, NULL);
		struct object *b = object_new(table, key);
		AUTO_STR struct str text = STR_INIT;

		drop_secrets(a);
		object_normalize(a);
		text_body(a, 3, 0, &text);
		ck_assert_int_eq(text_parse(b, str_text(&text), NULL), 0);
		a->pos = 1;
		b->pos = 77;
		b->ver = 5;
		digest_object(ring, a);
		digest_object(ring, b);
		ck_assert_msg(same_hash(a, b), "seed %llu: %s", (unsigned long long)seed,
			      table->dotted);
		object_free(a);
		object_free(b);
	}
}
END_TEST

/*
 * No attribute exists depending on one that belongs to the unit, or the unit's would show through.
 */
START_TEST(test_conditions_on_local) {
	for (uint16_t t = 0; t < schema_n_tables; t++)
		for (uint16_t i = 0; i < schema_tables[t]->n_attrs; i++) {
			const struct schema_attr *a = &schema_tables[t]->attrs[i];

			for (unsigned int c = 0; c < a->n_conds && !schema_is_local(a); c++)
				ck_assert_msg(!schema_is_local(
						      &schema_tables[t]->attrs[a->conds[c].attr]),
					      "%s %s", schema_tables[t]->dotted, a->name);
		}
}
END_TEST

static const struct {
	const char *table, *a, *b;
	bool same;
} pairs[] = {
	{ "system.auto-scale", "set psksecret one\n", "set psksecret one\n", true },
	{ "system.auto-scale", "set psksecret one\n", "set psksecret two\n", false },
	{ "system.auto-scale", "set psksecret one\n", "", false },
	{ "system.auto-scale", "set role primary\nset primary-ip 1.2.3.4\n", "", true },
	{ "system.auto-scale", "set status enable\n", "", true },
	{ "system.auto-scale", "set hb-interval 5\n", "", false },
	{ "system.interface", "set ip 10.0.0.1/24\n", "set ip 10.0.0.2/24\n", true },
	{ "system.interface", "config secondaryip\nedit 1\nset ip 10.0.0.1/24\nnext\nend\n", "",
	  true },
	{ "system.interface", "set alias a\n", "set alias b\n", false },
	{ "system.ha", "set priority 1\nconfig secondary-vcluster\nset priority 2\nend\n", "",
	  true },
	{ "system.ha", "config vcluster\nedit 1\nset priority 2\nnext\nend\n",
	  "config vcluster\nedit 1\nset priority 3\nnext\nend\n", true },
	{ "system.ha", "config vcluster\nedit 1\nnext\nend\n",
	  "config vcluster\nedit 2\nnext\nend\n", false },
	{ "firewall.policy", "set srcaddr a b\n", "set srcaddr b a\n", false },
	{ "firewall.policy", "set name a\nset comments b\n", "set comments b\nset name a\n", true },
};

START_TEST(test_pairs) {
	struct object *a = parsed(pairs[_i].table, "k", pairs[_i].a),
		      *b = parsed(pairs[_i].table, "k", pairs[_i].b);

	ck_assert_int_eq(same_hash(a, b), pairs[_i].same);
	object_free(a);
	object_free(b);
}
END_TEST

/* Sealed once more, a password hash counts as the same; another salt is another hash. */
START_TEST(test_password_hash) {
	struct object *a = parsed("system.admin", "k", "set password x\n"), *b = object_copy(a), *c;
	struct value *v = object_get_mutable(b, SYSTEM_ADMIN__PASSWORD);
	char *hash = NULL;

	ck_assert_int_eq(secret_unseal(ring, value_item(v, 0)->str, &hash, NULL), 0);
	value_replace_item(&b->table->attrs[SYSTEM_ADMIN__PASSWORD], v, 0,
			   (union item){ .str = secret_seal(ring, hash) });
	ck_assert(!object_equal(a, b));
	memset(b->hash, 0, sizeof(b->hash));
	digest_object(ring, b);
	ck_assert(same_hash(a, b));
	c = parsed("system.admin", "k", "set password x\n");
	ck_assert(!same_hash(a, c));
	free(hash);
	object_free(a);
	object_free(b);
	object_free(c);
}
END_TEST

/* The key of an entry, and its table, are part of it. */
START_TEST(test_key_counts) {
	struct object *a = parsed("firewall.address", "a", ""),
		      *b = parsed("firewall.address", "b", "");
	struct object *g = parsed("firewall.addrgrp", "a", "");

	ck_assert(!same_hash(a, b));
	ck_assert(!same_hash(a, g));
	object_free(a);
	object_free(b);
	object_free(g);
}
END_TEST

/* ---- tables and all ---- */

static struct model *model_of(const char *dotted, const char *const keys[], size_t n) {
	struct model *m = model_new();

	for (size_t i = 0; i < n; i++)
		object_free(model_put(m, parsed(dotted, keys[i], "")));
	return m;
}

static bool same_table(const char *dotted, const char *const a[], const char *const b[], size_t n) {
	struct model *x = model_of(dotted, a, n), *y = model_of(dotted, b, n);
	unsigned char digest[2][DIGEST_LEN], root[2][DIGEST_LEN];
	bool same;

	digest_table(x, fixture_table(dotted), digest[0]);
	digest_table(y, fixture_table(dotted), digest[1]);
	digest_root(x, root[0]);
	digest_root(y, root[1]);
	same = memcmp(digest[0], digest[1], DIGEST_LEN) == 0;
	ck_assert_int_eq(memcmp(root[0], root[1], DIGEST_LEN) == 0, same);
	model_free(x);
	model_free(y);
	return same;
}

START_TEST(test_order) {
	static const char *const up[] = { "1", "2", "10" }, *const down[] = { "10", "2", "1" };

	ck_assert(same_table("firewall.policy", up, up, 3));
	ck_assert(!same_table("firewall.policy", up, down, 3));
	ck_assert(same_table("router.static", up, down, 3));
	ck_assert(!same_table("router.static", up, down, 2));
}
END_TEST

/* An object table in which only the unit's own is set is as one never touched. */
START_TEST(test_untouched) {
	struct model *m = model_new();
	unsigned char empty[DIGEST_LEN], now[DIGEST_LEN];

	digest_root(m, empty);
	object_free(model_put(
		m, parsed("system.ha", "",
			  "set priority 7\nconfig secondary-vcluster\nset priority 3\nend\n")));
	object_free(model_put(m, parsed("system.global", "", "set hostname a\n")));
	object_free(model_put(m, parsed("system.console", "", "set output standard\n")));
	digest_root(m, now);
	ck_assert_mem_eq(now, empty, DIGEST_LEN);
	object_free(model_put(m, parsed("system.ha", "", "set group-id 1\n")));
	digest_root(m, now);
	ck_assert_mem_ne(now, empty, DIGEST_LEN);
	object_free(model_take(m, fixture_table("system.ha"), ""));
	digest_root(m, now);
	ck_assert_mem_eq(now, empty, DIGEST_LEN);
	model_free(m);
}
END_TEST

static Suite *digest_suite(void) {
	Suite *s = suite_create("digest");
	TCase *t = fixture_case(s, "digest");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_change, 0, schema_n_top);
	tcase_add_loop_test(t, test_round_trip, 0, schema_n_top);
	tcase_add_test(t, test_conditions_on_local);
	tcase_add_loop_test(t, test_pairs, 0, ARRAY_LEN(pairs));
	tcase_add_test(t, test_password_hash);
	tcase_add_test(t, test_key_counts);
	tcase_add_test(t, test_order);
	tcase_add_test(t, test_untouched);
	return s;
}

int main(void) {
	return fixture_run(digest_suite());
}
