/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the group shares: the parts of objects, theirs merged with ours, and the text that travels,
 * for objects of every table and by hand for what is special.
 */
#include "cfgdb/shared.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/outline.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static struct keyring *ring, *other_ring; /* of two units */
static struct shared nothing_excepted;

static struct keyring *new_ring(void) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/device.key", dir);
	struct keyring *k = keyring_open(path, true, NULL);

	ck_assert_ptr_nonnull(k);
	return k;
}

static void setup(void) {
	ring = new_ring();
	other_ring = new_ring();
}

static void teardown(void) {
	keyring_close(ring);
	keyring_close(other_ring);
}

static struct object *parsed(const char *dotted, const char *key, const char *body) {
	struct object *obj;
	struct err err = { 0 };

	if (!body)
		return NULL;
	obj = object_new(fixture_table(dotted), key);
	ck_assert_msg(text_parse(obj, body, &err) == 0, "%s", err.text);
	ck_assert_msg(secret_seal_object(ring, obj, NULL, &err) == 0, "%s", err.text);
	return obj;
}

/* The body of an object, or NULL without one. */
static char *body_of(const struct object *obj) {
	struct str out = STR_INIT;

	if (!obj)
		return NULL;
	text_body(obj, 0, TEXT_KEPT, &out);
	return out.len ? str_steal(&out) : xstrdup("");
}

static void check_body(const struct object *obj, const char *want) {
	AUTO_FREE char *body = body_of(obj);

	if (!want)
		ck_assert_ptr_null(obj);
	else
		ck_assert_str_eq(body, want);
}

/* ---- exceptions ---- */

static const struct {
	const char *exception, *table;
	bool shared;
} exceptions[] = {
	{ "set object firewall.vip\n", "firewall.vip", false },
	{ "set object firewall.vip\n", "firewall.policy", true },
	{ "set object firewall.vip\n", "system.vdom-exception", true },
	{ "set object firewall.vip\nset scope inclusive\nset vdom root\n", "firewall.vip", false },
	{ "set object firewall.vip\nset scope inclusive\n", "firewall.vip", true },
	{ "set object firewall.vip\nset scope exclusive\nset vdom root\n", "firewall.vip", true },
	{ "set object firewall.vip\nset scope exclusive\n", "firewall.vip", false },
	{ "set object system.standalone-cluster\n", "system.standalone-cluster", false },
	{ "set object system.cluster-sync\n", "system.standalone-cluster", true },
	{ "set object system.csf\n", "system.csf", false },
	{ "", "firewall.vip", true },
	{ "", "no.such", true },
};

START_TEST(test_exceptions) {
	struct model *m = model_new();
	struct shared s;

	object_free(model_put(m, parsed("system.vdom-exception", "10", exceptions[_i].exception)));
	shared_init(&s, m);
	ck_assert_int_eq(shared_has_name(&s, exceptions[_i].table), exceptions[_i].shared);
	if (schema_find(exceptions[_i].table))
		ck_assert_int_eq(shared_has_table(&s, fixture_table(exceptions[_i].table)),
				 exceptions[_i].shared);
	model_free(m);
}
END_TEST

/* Of each word that an exception can name something is left out. */
START_TEST(test_every_exception) {
	const struct schema_attr *a =
		&fixture_table("system.vdom-exception")->attrs[SYSTEM_VDOM_EXCEPTION__OBJECT];

	ck_assert_uint_le(a->n_options, 64);
	for (uint16_t i = 0; i < a->n_options; i++) {
		AUTO_FREE char *body = xasprintf("set object %s\n", a->options[i].name);
		struct object *exception = parsed("system.vdom-exception", "1", body);
		struct shared s = { 0 };

		shared_except(&s, exception);
		ck_assert(!shared_has_name(&s, a->options[i].name));
		object_free(exception);
	}
}
END_TEST

/* ---- parts and merges, by hand ---- */


#define INDEX0 "set snmp-index 0\n"

static const struct {
	const char *table, *key;
	bool peers;              /* system.cluster-sync is excepted */
	const char *theirs, *ours, *merged; /* NULL: none */
} merges[] = {
	{ "firewall.address", "a", false, "set comment b\n", "set comment a\nset color 3\n",
	  "set comment \"b\"\n" },
	{ "firewall.address", "a", false, NULL, "set comment a\n", NULL },
	{ "firewall.address", "a", false, "set comment b\n", NULL, "set comment \"b\"\n" },
	{ "firewall.address", "a", false, NULL, NULL, NULL },
	/* attributes of the unit */
	{ "system.global", "", false, "set hostname x\nset timezone 01\n",
	  "set hostname y\nset timezone 02\n", "set hostname \"y\"\nset timezone \"01\"\n" },
	{ "system.global", "", false, NULL, "set hostname y\nset timezone 02\n",
	  "set hostname \"y\"\n" },
	{ "system.global", "", false, NULL, "set timezone 02\n", NULL },
	{ "system.global", "", false, "set hostname x\n", NULL, NULL },
	{ "system.auto-scale", "", false,
	  "set status enable\nset role primary\nset hb-interval 5\n",
	  "set role secondary\nset sync-interface port1\nset primary-ip 10.0.0.1\n",
	  "set sync-interface \"port1\"\nset primary-ip 10.0.0.1\nset hb-interval 5\n" },
	/* and tables in which there is nothing else */
	{ "system.console", "", false, "set output standard\n", NULL, NULL },
	{ "system.console", "", false, NULL, "set output standard\n", "set output standard\n" },
	/* in nested ones */
	{ "system.ha", "", false,
	  "config vcluster\nedit 2\nset priority 2\nset override enable\nnext\nedit 3\nnext\nend\n",
	  "set priority 9\nconfig secondary-vcluster\nset priority 3\nend\n"
	  "config vcluster\nedit 1\nset priority 7\nnext\nedit 2\nset priority 5\nnext\nend\n",
	  "set override disable\nset priority 9\nconfig vcluster\n"
	  "    edit 2\n        set override enable\n        set priority 5\n    next\n"
	  "    edit 3\n    next\nend\nconfig secondary-vcluster\n    set priority 3\nend\n" },
	/* session peers */
	{ "system.standalone-cluster", "", true,
	  "set standalone-group-id 3\nconfig cluster-peer\nedit 1\nset peerip 10.0.0.1\nnext\nend\n",
	  "config cluster-peer\nedit 1\nset peerip 10.0.0.2\nnext\nend\n",
	  "set standalone-group-id 3\nconfig cluster-peer\n    edit 1\n"
	  "        set peerip 10.0.0.2\n    next\nend\n" },
	{ "system.standalone-cluster", "", false,
	  "config cluster-peer\nedit 1\nset peerip 10.0.0.1\nnext\nend\n",
	  "config cluster-peer\nedit 1\nset peerip 10.0.0.2\nnext\nend\n",
	  "config cluster-peer\n    edit 1\n        set peerip 10.0.0.1\n    next\nend\n" },
	/* links */
	{ "system.interface", "port1", false, "set alias wan\nset type physical\nset ip 10.1.0.1/24\n",
	  "set type physical\nset allowaccess ping ssh\nset snmp-index 7\nset ip 10.0.0.1/24\n",
	  "set vdom \"root\"\nset ip 10.0.0.1 255.255.255.0\nset type physical\n"
	  "set alias \"wan\"\nset snmp-index 7\n" },
	{ "system.interface", "port1", false, NULL,
	  "set type physical\nset alias wan\nset snmp-index 7\nset ip 10.0.0.1/24\n",
	  "set vdom \"root\"\nset ip 10.0.0.1 255.255.255.0\nset allowaccess ping ssh\n"
	  "set type physical\nset snmp-index 7\n" },
	{ "system.interface", "port1", false, "set type physical\nset allowaccess ping ssh\n", NULL,
	  NULL },
	{ "system.interface", "port1", false, "set type physical\n", NULL,
	  "set vdom \"root\"\nset type physical\n" INDEX0 },
	{ "system.interface", "vlan1", false, NULL, "set vlanid 5\nset ip 10.0.0.1/24\n", NULL },
};

START_TEST(test_merges) {
	struct object *theirs = parsed(merges[_i].table, merges[_i].key, merges[_i].theirs),
		      *ours = parsed(merges[_i].table, merges[_i].key, merges[_i].ours), *merged;
	struct object *exception =
		parsed("system.vdom-exception", "1", "set object system.cluster-sync\n");
	struct shared s = { 0 };

	if (merges[_i].peers)
		shared_except(&s, exception);
	merged = shared_merge(&s, theirs, ours);
	check_body(merged, merges[_i].merged);
	object_free(theirs);
	object_free(ours);
	object_free(merged);
	object_free(exception);
}
END_TEST

/* Hardware that nobody touched is the unit's own; what was taken from it is not. */
START_TEST(test_hardware) {
	static const struct {
		const char *body;
		bool has;
	} links[] = {
		{ "set type physical\nset allowaccess ping ssh\n", false },
		{ "set type physical\nset allowaccess ping ssh\nset snmp-index 4\n"
		  "set ip 10.0.0.1/24\nset mode dhcp\nset secondary-IP enable\n"
		  "config secondaryip\nedit 1\nset ip 10.1.0.1/24\nnext\nend\n"
		  "config ipv6\nset ip6-address fd00::1/64\nend\n",
		  false },
		{ "set type physical\n", true },
		{ "set type physical\nset allowaccess ping\n", true },
		{ "set type physical\nset allowaccess ping ssh\nset alias a\n", true },
		{ "set allowaccess ping ssh\n", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		struct object *obj = parsed("system.interface", "port1", links[i].body);
		struct object *part = shared_part(&nothing_excepted, obj);

		ck_assert_int_eq(shared_has(&nothing_excepted, obj), links[i].has);
		ck_assert_int_eq(part != NULL, links[i].has);
		object_free(part);
		object_free(obj);
	}
}
END_TEST

/* Nothing and what counts as nothing are the same to the group. */
START_TEST(test_equal) {
	struct object *link = shared_found("port1"),
		      *named = parsed("system.interface", "port1", "set alias a\n"),
		      *host = parsed("system.global", "", "set hostname a\n"),
		      *zone = parsed("system.global", "", "set hostname a\nset timezone 01\n");

	ck_assert(shared_equal(&nothing_excepted, NULL, NULL));
	ck_assert(shared_equal(&nothing_excepted, link, NULL));
	ck_assert(shared_equal(&nothing_excepted, NULL, host));
	ck_assert(shared_equal(&nothing_excepted, zone, zone));
	ck_assert(!shared_equal(&nothing_excepted, link, named));
	ck_assert(!shared_equal(&nothing_excepted, host, zone));
	ck_assert(!shared_equal(&nothing_excepted, NULL, zone));
	object_free(link);
	object_free(named);
	object_free(host);
	object_free(zone);
}
END_TEST

/* ---- any object ---- */

/* Hashing a password takes the test's time. */
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

/* With something of a newer release in it, here and there. */
static void add_unknown(struct rng *r, struct object *obj) {
	for (uint32_t f = 0; f < obj->n_fields; f++)
		if (obj->table->attrs[obj->fields[f].attr].type == ATTR_CHILD)
			for (uint32_t i = 0; i < obj->fields[f].value.n; i++)
				add_unknown(r, value_item(&obj->fields[f].value, i)->entry);
	if (rng_chance(r, 20)) {
		AUTO_STR struct str text = STR_INIT, sorted = STR_INIT;
		AUTO_FREE char *drawn = random_text(r, 20), *value = xasprintf("v%s", drawn);
		AUTO_FREE char *sealed = secret_seal_same(ring, value);
		AUTO_OUTLINE struct outline o = { 0 };

		str_add(&text, "config newer-table\nedit 1\nset x 1\nnext\nend\nsecret newer ");
		str_addf(&text, "%s\nset newer ", sealed);
		value_quote(value, &text);
		str_add(&text, "\n");
		ck_assert_int_eq(outline_parse(&o, str_text(&text), NULL), 0);
		outline_print(&o, &sorted);
		obj->unknown = str_steal(&sorted);
	}
}

static struct object *random_one(struct rng *r, const struct schema_table *table, const char *key) {
	struct object *obj = random_object(r, table, key, rng_below(r, 90), NULL, NULL);

	drop_hashes(obj);
	object_normalize(obj);
	add_unknown(r, obj);
	ck_assert_int_eq(secret_seal_object(ring, obj, NULL, NULL), 0);
	return obj;
}

/*
 * Whether each attribute of the unit is in both the same, by the flags of the schema alone. Those
 * that do not exist beside the shared ones of obj are gone, and so are entries.
 */
static void check_own(const struct object *obj, const struct object *ours, const char *where) {
	for (unsigned int i = 0; i < ours->table->n_attrs; i++) {
		const struct schema_attr *a = &ours->table->attrs[i];
		const struct value *now = object_get(obj, i), *was = object_get(ours, i);

		if (!was && schema_is_local(a))
			ck_assert_msg(!now, "%s: %s", where, a->name);
		if (!was || !object_has(obj, i))
			continue;
		if (schema_is_local(a)) {
			ck_assert_msg(now && value_equal(a, now, was), "%s: %s", where, a->name);
		} else if (a->type == ATTR_CHILD) {
			for (uint32_t n = 0; n < was->n; n++) {
				const struct object *entry = value_item(was, n)->entry,
						    *same = object_child(obj, i, entry->key);

				if (same)
					check_own(same, entry, where);
			}
		}
	}
}

/* What is shared of theirs, merged with ours, is theirs to the group and ours to the unit. */
START_TEST(test_any_merge) {
	const struct schema_table *table = schema_tables[schema_top[_i]];

	for (unsigned int n = 0; n < fixture_rounds(20); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000000 + (uint64_t)_i * 1000 + n);
		AUTO_FREE char *key = schema_is_list(table) ? random_key(&r, table) : xstrdup("");
		struct object *theirs = random_one(&r, table, key),
			      *ours = random_one(&r, table, key);
		struct object *part = shared_part(&nothing_excepted, theirs), *merged, *again;

		merged = shared_merge(&nothing_excepted, part, ours);
		if (part || !schema_is_list(table))
			ck_assert_msg(shared_equal(&nothing_excepted, merged, theirs), "%s %u",
				      table->dotted, n);
		if (merged)
			check_own(merged, ours, table->dotted);
		again = shared_merge(&nothing_excepted, part, merged);
		ck_assert(merged ? object_equal(again, merged) : !again);
		object_free(theirs);
		object_free(ours);
		object_free(part);
		object_free(merged);
		object_free(again);
	}
}
END_TEST

/* ---- text ---- */

static char *text_of(const struct keyring *k, const struct object *obj) {
	struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(shared_text(&nothing_excepted, k, obj, &out, &err) == 0, "%s", err.text);
	return out.len ? str_steal(&out) : xstrdup("");
}

static const struct {
	const char *table, *body, *text;
} texts[] = {
	{ "firewall.address", "set type iprange\nset start-ip 10.0.0.1\nset comment 'a \"b\"\nend'\n",
	  "set comment \"a \\\"b\\\"\nend\"\nset start-ip 10.0.0.1\nset type iprange\nvdom root\n" },
	{ "system.auto-scale", "set psksecret 'p \"1\\'\nset role primary\nset hb-interval 5\n",
	  "secret psksecret \"p \\\"1\\\\\"\nset hb-interval 5\n" },
	{ "system.interface", "set alias a\nset ip 10.0.0.1/24\n", "set alias a\n" },
	{ "firewall.address", "", "vdom root\n" },
	{ "system.standalone-cluster",
	  "config cluster-peer\nedit 2\nset peerip 10.0.0.1\nset syncvd root\nnext\nedit 1\nnext\nend\n",
	  "config cluster-peer\nedit 2\nset peerip 10.0.0.1\nset syncvd root\nnext\nedit 1\nnext\n"
	  "end\n" },
};

START_TEST(test_texts) {
	struct object *obj = parsed(texts[_i].table, "k", texts[_i].body);
	AUTO_FREE char *text = text_of(ring, obj);

	ck_assert_str_eq(text, texts[_i].text);
	object_free(obj);
}
END_TEST

/* Through the text to a unit with another device key, and back: the same object. */
START_TEST(test_any_text) {
	const struct schema_table *table = schema_tables[schema_top[_i]];

	for (unsigned int n = 0; n < fixture_rounds(20); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000000 + (uint64_t)_i * 1000 + n);
		struct object *obj = random_one(&r, table, "1"), *there = object_new(table, "1"),
			      *back = object_new(table, "1");
		AUTO_FREE char *text = NULL, *other = NULL, *home = NULL;
		struct err err = { 0 };

		if (!shared_has(&nothing_excepted, obj))
			goto next;
		text = text_of(ring, obj);
		ck_assert_msg(shared_parse(other_ring, there, text, &err) == 0, "%s", err.text);
		other = text_of(other_ring, there);
		ck_assert_str_eq(other, text);
		ck_assert_int_eq(shared_parse(ring, back, other, &err), 0);
		ck_assert_int_eq(secret_seal_object(ring, back, obj, &err), 0);
		ck_assert_msg(shared_equal(&nothing_excepted, back, obj), "%s %u", table->dotted,
			      n);
		home = text_of(ring, back);
		ck_assert_str_eq(home, text);
	next:
		object_free(obj);
		object_free(there);
		object_free(back);
	}
}
END_TEST

/* A password that is only compared arrives as the hash that it is, and opens the same door. */
START_TEST(test_password_hash) {
	struct object *obj = parsed("system.admin", "k", "set password x\n");
	struct object *there = object_new(obj->table, "k");
	AUTO_FREE char *text = text_of(ring, obj), *hash = NULL, *same = NULL;

	ck_assert_int_eq(strncmp(text, "secret password \"$y$", 20), 0);
	ck_assert_int_eq(shared_parse(other_ring, there, text, NULL), 0);
	ck_assert_int_eq(secret_seal_object(other_ring, there, NULL, NULL), 0);
	ck_assert_int_eq(secret_unseal(ring, object_str(obj, SYSTEM_ADMIN__PASSWORD), &hash, NULL),
			 0);
	ck_assert_int_eq(secret_unseal(other_ring, object_str(there, SYSTEM_ADMIN__PASSWORD), &same,
				       NULL),
			 0);
	ck_assert_str_eq(hash, same);
	object_free(obj);
	object_free(there);
}
END_TEST

/* What is no body of a member. */
START_TEST(test_refused) {
	static const char *const bodies[] = {
		"set a\n",
		"nonsense 1\n",
		"config a\n",
		"edit 1\nnext\n",
		"kept\nset a b\nend\n",
		"unset comment\n",
		"config tagging\nedit 1\nunset a\nnext\nend\n",
		"secret x ENC abcd\n",
		"config tagging\nedit 1\nsecret x ENC abcd\nnext\nend\n",
		"set x \"a\033[2J\"\n",
		"secret x ''\n",
		"set x 'a\n",
		"set x 1\nset y 1\nset x 2\n",
		"config x\nend\nset a b\nconfig x\nend\n",
		"config x\nedit 1\nnext\nedit 1\nnext\nend\n",
	};
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct object *obj = object_new(fixture_table("firewall.address"), "1");

		ck_assert_msg(shared_parse(ring, obj, bodies[i], &err) == ERR_PARSE, "%s",
			      bodies[i]);
		object_free(obj);
	}
}
END_TEST

/* Sizes are bounded, of what comes and of what it becomes. */
START_TEST(test_sizes) {
	struct object *obj = object_new(fixture_table("firewall.address"), "1");
	AUTO_STR struct str text = STR_INIT, secrets = STR_INIT;
	struct row *row = NULL;
	struct err err = { 0 };

	str_add(&text, "set x ");
	while (text.len <= TEXT_BODY_MAX)
		str_add(&text, "0123456789012345678901234567890123456789");
	str_add(&text, "\n");
	ck_assert_int_eq(shared_parse(ring, obj, str_text(&text), &err), ERR_TOO_LONG);
	ck_assert_int_eq(shared_row_parse(ring, "a.b", "1", str_text(&text), &row, &err),
			 ERR_TOO_LONG);
	for (int i = 0; i < 60000; i++)
		str_addf(&secrets, "secret x%d a\n", i);
	ck_assert_uint_lt(secrets.len, TEXT_BODY_MAX);
	ck_assert_int_eq(shared_parse(ring, obj, str_text(&secrets), &err), ERR_TOO_LONG);
	ck_assert_int_eq(shared_row_parse(ring, "a.b", "1", str_text(&secrets), &row, &err),
			 ERR_TOO_LONG);
	ck_assert_ptr_null(row);
	object_free(obj);
}
END_TEST

static Suite *shared_suite(void) {
	Suite *s = suite_create("shared");
	TCase *t = fixture_case(s, "shared");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_exceptions, 0, ARRAY_LEN(exceptions));
	tcase_add_test(t, test_every_exception);
	tcase_add_loop_test(t, test_merges, 0, ARRAY_LEN(merges));
	tcase_add_test(t, test_hardware);
	tcase_add_test(t, test_equal);
	tcase_add_loop_test(t, test_any_merge, 0, schema_n_top);
	tcase_add_loop_test(t, test_texts, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(t, test_any_text, 0, schema_n_top);
	tcase_add_test(t, test_password_hash);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_sizes);
	return s;
}

int main(void) {
	return fixture_run(shared_suite());
}
