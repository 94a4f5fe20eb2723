/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects: what is held, what exists under which condition, children, keys, references. */
#include "cfgdb/model/object.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static struct object *parsed(const char *dotted, const char *body) {
	struct object *obj = object_new(fixture_table(dotted), "1");
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, body, &err) == 0, "%s", err.text);
	return obj;
}

static struct value value_of(const struct object *obj, unsigned int attr, const char *word) {
	char *words[] = { (char *)word };
	struct value v;

	ck_assert_int_eq(value_parse(&obj->table->attrs[attr], words, 1, &v, NULL), 0);
	return v;
}

/* ---- fields ---- */

START_TEST(test_default_is_not_held) {
	struct object *obj = object_new(fixture_table("router.static"), "1");

	ck_assert_int_eq(object_num(obj, ROUTER_STATIC__DISTANCE), 10);
	object_set(obj, ROUTER_STATIC__DISTANCE, value_of(obj, ROUTER_STATIC__DISTANCE, "5"));
	ck_assert_int_eq(object_num(obj, ROUTER_STATIC__DISTANCE), 5);
	ck_assert_uint_eq(obj->n_fields, 1);
	object_set(obj, ROUTER_STATIC__DISTANCE, value_of(obj, ROUTER_STATIC__DISTANCE, "10"));
	ck_assert_uint_eq(obj->n_fields, 0);
	ck_assert_ptr_null(object_get(obj, ROUTER_STATIC__DISTANCE));
	ck_assert_ptr_nonnull(object_value(obj, ROUTER_STATIC__DISTANCE));
	ck_assert_ptr_null(object_value(obj, ROUTER_STATIC__VRF));
	object_set(obj, ROUTER_STATIC__VRF, value_of(obj, ROUTER_STATIC__VRF, "0"));
	ck_assert_ptr_nonnull(object_get(obj, ROUTER_STATIC__VRF));
	object_set(obj, ROUTER_STATIC__VRF, (struct value){ 0 });
	ck_assert_ptr_null(object_get(obj, ROUTER_STATIC__VRF));
	object_free(obj);
}
END_TEST

START_TEST(test_accessors) {
	struct object *obj = parsed("router.static",
				    "set gateway 10.0.0.1\nset device port1\nset status disable\n");

	ck_assert_uint_eq(object_ip(obj, ROUTER_STATIC__GATEWAY).a, 0x0a000001);
	ck_assert_uint_eq(object_ip(obj, ROUTER_STATIC__DST).b, 0);
	ck_assert_str_eq(object_str(obj, ROUTER_STATIC__DEVICE), "port1");
	ck_assert_str_eq(object_str(obj, ROUTER_STATIC__COMMENT), "");
	ck_assert(object_is(obj, ROUTER_STATIC__STATUS, "disable"));
	ck_assert(!object_is(obj, ROUTER_STATIC__STATUS, "enable"));
	ck_assert(object_is(obj, ROUTER_STATIC__BLACKHOLE, "disable"));
	ck_assert_uint_eq(object_count(obj, ROUTER_STATIC__DEVICE), 1);
	ck_assert_uint_eq(object_count(obj, ROUTER_STATIC__SDWAN_ZONE), 0);
	object_free(obj);
}
END_TEST

/* Attributes set and unset at random: sorted, found, and gone again. */
START_TEST(test_fields_random) {
	const struct schema_table *table = fixture_table("firewall.policy");
	struct object *obj = object_new(table, "1");
	struct rng r = rng_seed(fixture_seed());

	for (unsigned int n = 0; n < fixture_rounds(5000); n++) {
		unsigned int attr = 1 + rng_below(&r, table->n_attrs - 1u);

		if (rng_chance(&r, 60)) {
			struct value v = random_value(&r, &table->attrs[attr], NULL, NULL), copy;

			copy = value_copy(&table->attrs[attr], &v);
			object_set(obj, attr, v);
			ck_assert(value_equal(&table->attrs[attr], object_value(obj, attr), &copy));
			value_done(&table->attrs[attr], &copy);
		} else {
			object_unset(obj, attr);
			ck_assert_ptr_null(object_get(obj, attr));
		}
		for (uint32_t i = 1; i < obj->n_fields; i++)
			ck_assert_uint_lt(obj->fields[i - 1].attr, obj->fields[i].attr);
	}
	object_free(obj);
}
END_TEST

START_TEST(test_copy_and_equal) {
	for (uint16_t i = 0; i < schema_n_top; i++) {
		struct rng r = rng_seed(fixture_seed() + i);
		const struct schema_table *table = schema_tables[schema_top[i]];
		struct object *obj = random_object(&r, table, "k", 50, NULL, NULL), *copy;

		obj->ver = 7;
		obj->pos = 9;
		copy = object_copy(obj);
		ck_assert(object_equal(obj, copy));
		ck_assert_uint_eq(copy->ver, 7);
		ck_assert_int_eq(copy->pos, 9);
		if (obj->n_fields > 0) {
			object_unset(copy, obj->fields[obj->n_fields / 2].attr);
			ck_assert(!object_equal(obj, copy));
		}
		object_free(copy);
		copy = object_new(table, "other");
		ck_assert(!object_equal(obj, copy));
		object_free(copy);
		object_free(obj);
	}
}
END_TEST

/* ---- conditions ---- */

static const struct {
	const char *table, *body;
	unsigned int attr;
	bool has;
} conditions[] = {
	{ "firewall.policy", "", FIREWALL_POLICY__NAT, false },
	{ "firewall.policy", "set action accept\n", FIREWALL_POLICY__NAT, true },
	{ "firewall.policy", "set action accept\n", FIREWALL_POLICY__IPPOOL, false },
	{ "firewall.policy", "set action accept\nset nat enable\n", FIREWALL_POLICY__IPPOOL, true },
	{ "firewall.policy", "set nat enable\n", FIREWALL_POLICY__IPPOOL, false },
	{ "firewall.policy", "set action ipsec\n", FIREWALL_POLICY__UTM_STATUS, true },
	{ "firewall.policy", "set internet-service enable\n", FIREWALL_POLICY__DSTADDR, false },
	{ "firewall.policy", "", FIREWALL_POLICY__DSTADDR, true },
	{ "firewall.vip", "set portforward enable\n", FIREWALL_VIP__EXTPORT, true },
	{ "firewall.vip", "set portforward enable\nset protocol icmp\n", FIREWALL_VIP__EXTPORT,
	  false },
	{ "firewall.address", "set type iprange\n", FIREWALL_ADDRESS__SUBNET, false },
	{ "firewall.address", "set type iprange\n", FIREWALL_ADDRESS__START_IP, true },
};

START_TEST(test_conditions) {
	struct object *obj = parsed(conditions[_i].table, conditions[_i].body);

	ck_assert_int_eq(object_has(obj, conditions[_i].attr), conditions[_i].has);
	object_free(obj);
}
END_TEST

static const struct {
	const char *table, *body, *left;
} normal[] = {
	{ "firewall.policy", "set nat enable\nset ippool enable\nset poolname p\n", "" },
	{ "firewall.policy", "set action accept\nset poolname p\n", "set action accept\n" },
	{ "firewall.address", "set type iprange\nset subnet 10.0.0.0/8\nset start-ip 1.1.1.1\n",
	  "set type iprange\nset start-ip 1.1.1.1\n" },
	{ "system.standalone-cluster",
	  "config cluster-peer\nedit 1\nconfig session-sync-filter\nend\nnext\nend\n",
	  "config cluster-peer\n    edit 1\n    next\nend\n" },
	{ "system.ha", "config secondary-vcluster\nset vcluster-id 1\nend\n",
	  "set override disable\n" },
	{ "firewall.vip",
	  "config realservers\nedit 1\nset type address\nset ip 1.2.3.4\nnext\nend\n",
	  "config realservers\n    edit 1\n        set type address\n    next\nend\n" },
};

START_TEST(test_normalize) {
	struct object *obj = parsed(normal[_i].table, normal[_i].body);
	AUTO_STR struct str out = STR_INIT;

	object_normalize(obj);
	text_body(obj, 0, 0, &out);
	ck_assert_str_eq(str_text(&out), normal[_i].left);
	object_free(obj);
}
END_TEST

/* ---- children ---- */

START_TEST(test_children) {
	unsigned int peers = SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER;
	struct object *obj = parsed(
		"system.standalone-cluster",
		"config cluster-peer\nedit 2\nnext\nedit 1\nset peerip 1.2.3.4\nnext\nend\n");
	struct object *entry = object_child(obj, peers, "1");
	struct object *other;

	ck_assert_ptr_nonnull(entry);
	ck_assert_ptr_null(object_child(obj, peers, "3"));
	ck_assert_uint_eq(object_count(obj, peers), 2);
	other = object_new(entry->table, "2");
	object_child_put(obj, peers, other);
	ck_assert_ptr_eq(object_child(obj, peers, "2"), other);
	ck_assert_uint_eq(object_count(obj, peers), 2);
	ck_assert(object_child_delete(obj, peers, "1"));
	ck_assert(!object_child_delete(obj, peers, "1"));
	ck_assert(object_child_delete(obj, peers, "2"));
	ck_assert_uint_eq(obj->n_fields, 0);
	object_free(obj);
}
END_TEST

START_TEST(test_child_make) {
	struct object *obj = object_new(fixture_table("system.ha"), "");
	struct object *child = object_child_make(obj, SYSTEM_HA__SECONDARY_VCLUSTER);

	ck_assert_ptr_nonnull(child);
	ck_assert_ptr_eq(object_child_make(obj, SYSTEM_HA__SECONDARY_VCLUSTER), child);
	ck_assert_str_eq(child->key, "");
	object_free(obj);
}
END_TEST

static const struct {
	const char *table, *body;
	bool local;
} locals[] = {
	{ "system.ha", "", true },
	{ "system.ha", "set priority 5\n", true },
	{ "system.ha", "set priority 5\nset group-id 1\n", false },
	{ "system.ha", "config secondary-vcluster\nset priority 5\nend\n", true },
	{ "system.ha", "config secondary-vcluster\nset override disable\nend\n", false },
	{ "system.ha", "config ha-mgmt-interfaces\nedit 1\nnext\nend\n", true },
	{ "system.ha", "config vcluster\nedit 1\nset priority 5\nnext\nend\n", false },
	{ "system.interface", "set ip 10.0.0.1/24\n", true },
	{ "system.interface", "set alias x\n", false },
};

START_TEST(test_local) {
	struct object *obj = parsed(locals[_i].table, locals[_i].body);

	ck_assert_int_eq(object_is_local(obj), locals[_i].local);
	object_free(obj);
}
END_TEST

/* ---- keys ---- */

static const struct {
	const char *table, *word, *key;
	int code;
	const char *text;
} keys[] = {
	{ "firewall.policy", "12", "12", 0, NULL },
	{ "firewall.policy", "0012", "12", 0, NULL },
	{ "firewall.policy", "4294967294", "4294967294", 0, NULL },
	{ "firewall.policy", "4294967295", NULL, ERR_VALUE,
	  "invalid unsigned integer value: 4294967295\n\nvalue parse error before '4294967295'" },
	{ "firewall.policy", "not_a_number", NULL, ERR_VALUE,
	  "invalid unsigned integer value: not_a_number\n\n"
	  "value parse error before 'not_a_number'" },
	{ "firewall.policy", "", NULL, ERR_EMPTY, "Attribute 'policyid' MUST be set." },
	{ "firewall.address", "", NULL, ERR_EMPTY, "Attribute 'name' MUST be set." },
	{ "firewall.address", "web server", "web server", 0, NULL },
	{ "firewall.address", "a<b", NULL, ERR_CHARACTERS,
	  "The string contains XSS vulnerability characters\n\nvalue parse error before 'a<b'" },
	{ "system.interface", "0123456789abcdef", NULL, ERR_LENGTH,
	  "string value is too long. the size is 16, the limit is 15\n"
	  "value parse error before '0123456789abcdef'" },
};

START_TEST(test_keys) {
	char *key = NULL;
	struct err err = { 0 };
	int rc = object_key_parse(fixture_table(keys[_i].table), keys[_i].word, &key, &err);

	ck_assert_int_eq(rc, keys[_i].code);
	if (rc)
		ck_assert_str_eq(err.text, keys[_i].text);
	else
		ck_assert_str_eq(key, keys[_i].key);
	free(key);
}
END_TEST

START_TEST(test_key_order) {
	const struct schema_table *number = fixture_table("firewall.policy"),
				  *name = fixture_table("firewall.address");

	ck_assert_int_lt(object_key_compare(number, "9", "10"), 0);
	ck_assert_int_eq(object_key_compare(number, "10", "10"), 0);
	ck_assert_int_gt(object_key_compare(number, "4294967294", "1"), 0);
	ck_assert_int_gt(object_key_compare(name, "9", "10"), 0);
	ck_assert_int_eq(object_key_compare(fixture_table("system.ha"), "", ""), 0);
}
END_TEST

/* ---- uuid, references ---- */

START_TEST(test_fill_uuid) {
	struct object *obj = object_new(fixture_table("firewall.policy"), "1");
	AUTO_FREE char *uuid = NULL;

	object_fill_uuid(obj);
	uuid = xstrdup(object_str(obj, FIREWALL_POLICY__UUID));
	ck_assert_uint_eq(strlen(uuid), 36);
	ck_assert_int_eq(uuid[14], '4');
	ck_assert_ptr_nonnull(strchr("89ab", uuid[19]));
	for (const char *p = uuid; *p; p++)
		ck_assert(*p == '-' || isdigit((unsigned char)*p) || (*p >= 'a' && *p <= 'f'));
	object_fill_uuid(obj);
	ck_assert_str_eq(object_str(obj, FIREWALL_POLICY__UUID), uuid);
	object_free(obj);
}
END_TEST

static int collect_ref(void *arg, const struct object *holder, unsigned int attr,
		       const char *name) {
	str_addf(arg, "%s.%s=%s ", holder->table->dotted, holder->table->attrs[attr].name, name);
	return strcmp(name, "stop") == 0 ? 5 : 0;
}

START_TEST(test_each_ref) {
	struct object *obj = parsed(
		"system.standalone-cluster",
		"set session-sync-dev b a\nconfig cluster-peer\nedit 1\n"
		"set down-intfs-before-sess-sync c\nconfig session-sync-filter\nset srcintf d\n"
		"end\nnext\nend\n");
	AUTO_STR struct str out = STR_INIT;

	ck_assert_int_eq(object_each_ref(obj, collect_ref, &out), 0);
	ck_assert_str_eq(str_text(&out),
			 "system.standalone-cluster.session-sync-dev=b "
			 "system.standalone-cluster.session-sync-dev=a "
			 "system.standalone-cluster.cluster-peer.down-intfs-before-sess-sync=c "
			 "system.standalone-cluster.cluster-peer.session-sync-filter.srcintf=d ");
	object_free(obj);
	obj = parsed("firewall.addrgrp", "set member a stop b\n");
	str_clear(&out);
	ck_assert_int_eq(object_each_ref(obj, collect_ref, &out), 5);
	ck_assert_str_eq(str_text(&out), "firewall.addrgrp.member=a firewall.addrgrp.member=stop ");
	object_free(obj);
}
END_TEST

static Suite *object_suite(void) {
	Suite *s = suite_create("object");
	TCase *t = fixture_case(s, "object");

	tcase_add_test(t, test_default_is_not_held);
	tcase_add_test(t, test_accessors);
	tcase_add_test(t, test_fields_random);
	tcase_add_test(t, test_copy_and_equal);
	tcase_add_loop_test(t, test_conditions, 0, ARRAY_LEN(conditions));
	tcase_add_loop_test(t, test_normalize, 0, ARRAY_LEN(normal));
	tcase_add_test(t, test_children);
	tcase_add_test(t, test_child_make);
	tcase_add_loop_test(t, test_local, 0, ARRAY_LEN(locals));
	tcase_add_loop_test(t, test_keys, 0, ARRAY_LEN(keys));
	tcase_add_test(t, test_key_order);
	tcase_add_test(t, test_fill_uuid);
	tcase_add_test(t, test_each_ref);
	return s;
}

int main(void) {
	return fixture_run(object_suite());
}
