/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects as text and back: random objects of every table, the forms of show and get, and each
 * mistake that a body can hold.
 */
#include "cfgdb/model/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static char *body_of(const struct object *obj, unsigned int indent, unsigned int flags) {
	struct str out = STR_INIT;

	text_body(obj, indent, flags, &out);
	return str_steal(&out);
}

static struct object *parsed(const char *dotted, const char *key, const char *body) {
	struct object *obj = object_new(fixture_table(dotted), key);
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, body, &err) == 0, "%s", err.text);
	return obj;
}

/* ---- random objects ---- */

/* Sealed secrets, as the store has them: what show prints of them reads back. */
static void seal_secrets(struct rng *r, struct object *obj) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct schema_attr *a = &obj->table->attrs[obj->fields[f].attr];
		struct value *v = &obj->fields[f].value;

		for (uint32_t i = 0; a->type == ATTR_CHILD && i < v->n; i++)
			seal_secrets(r, value_item(v, i)->entry);
		if (a->type == ATTR_PASSWORD || a->type == ATTR_PASSWORD_HASH)
			value_replace_item(
				a, v, 0,
				(union item){ .str = xasprintf("ENC x%u+/=", rng_below(r, 1000)) });
	}
}

static void round_trip(const struct object *obj, unsigned int flags, uint64_t seed) {
	AUTO_FREE char *text = body_of(obj, 0, flags);
	AUTO_FREE char *again = NULL;
	struct object *back = object_new(obj->table, obj->key);
	struct err err = { 0 };

	ck_assert_msg(text_parse(back, text, &err) == 0, "seed %llu: %s: %s\n%s",
		      (unsigned long long)seed, obj->table->dotted, err.text, text);
	object_normalize(back);
	ck_assert_msg(object_equal(obj, back), "seed %llu: %s\n%s", (unsigned long long)seed,
		      obj->table->dotted, text);
	again = body_of(back, 0, flags);
	ck_assert_msg(strcmp(text, again) == 0, "seed %llu: %s\n%s\n---\n%s",
		      (unsigned long long)seed, obj->table->dotted, text, again);
	object_free(back);
}

/* Text -> object -> text is byte-equal, for random objects of every table. */
START_TEST(test_round_trip) {
	const struct schema_table *table = schema_tables[_i];

	for (unsigned int n = 0; n < fixture_rounds(60); n++) {
		uint64_t seed = fixture_seed() * 1000000 + (uint64_t)_i * 1000 + n;
		struct rng r = rng_seed(seed);
		AUTO_FREE char *key = schema_is_list(table) ? random_key(&r, table) : xstrdup("");
		struct object *obj =
			random_object(&r, table, key, 1 + rng_below(&r, 90), NULL, NULL);

		round_trip(obj, TEXT_WIRE, seed);
		round_trip(obj, TEXT_WIRE | TEXT_FULL, seed);
		seal_secrets(&r, obj);
		round_trip(obj, 0, seed);
		object_free(obj);
	}
}
END_TEST

/* An entry, printed with its edit line and indented, is the body of a list around it. */
START_TEST(test_entry_in_list) {
	const struct schema_table *cluster = fixture_table("system.standalone-cluster");
	int attr = schema_attr_index(cluster, "cluster-peer");

	for (unsigned int n = 0; n < fixture_rounds(300); n++) {
		uint64_t seed = fixture_seed() * 1000000 + n;
		struct rng r = rng_seed(seed);
		AUTO_FREE char *key = random_key(&r, cluster->attrs[attr].child);
		AUTO_STR struct str text = STR_INIT;
		struct object *entry =
			random_object(&r, cluster->attrs[attr].child, key, 50, NULL, NULL);
		struct object *whole;

		str_add(&text, "config cluster-peer\n");
		text_entry(entry, 1, 0, &text);
		str_add(&text, "end\n");
		whole = parsed("system.standalone-cluster", "", str_text(&text));
		object_normalize(whole);
		ck_assert_msg(object_equal(object_child(whole, (unsigned int)attr, key), entry),
			      "seed %llu: %s", (unsigned long long)seed, str_text(&text));
		object_free(whole);
		object_free(entry);
	}
}
END_TEST

/* ---- the form of show ---- */

static const char policy[] = "set name \"to_Internet\"\n"
			     "set uuid d834ffb4-db75-51eb-e370-b6668f0fd24d\n"
			     "set srcintf \"port2\"\n"
			     "set dstintf \"port1\" \"port 3\"\n"
			     "set action accept\n"
			     "set srcaddr \"all\"\n"
			     "set dstaddr \"all\"\n"
			     "set schedule \"always\"\n"
			     "set service \"ALL\"\n"
			     "set nat enable\n"
			     "set comments \"two\nlines \\\"and\\\" \\\\ quotes\"\n";

START_TEST(test_show_policy) {
	struct object *obj = parsed("firewall.policy", "3", policy);
	AUTO_FREE char *body = body_of(obj, 0, 0);
	AUTO_STR struct str entry = STR_INIT;

	ck_assert_str_eq(body, policy);
	text_entry(obj, 1, 0, &entry);
	ck_assert(strncmp(str_text(&entry), "    edit 3\n        set name \"to_Internet\"\n", 40) ==
		  0);
	ck_assert_ptr_nonnull(strstr(str_text(&entry), "\"two\nlines "));
	ck_assert_str_eq(str_text(&entry) + entry.len - 9, "    next\n");
	object_free(obj);
}
END_TEST

/* Words in any order and spelling are kept in the schema's order and in one form. */
START_TEST(test_canonical) {
	struct object *obj = parsed(
		"router.static", "1",
		"  set device port1\n\n# a comment\n\tset gateway 10.0.0.1\nset distance 10\n"
		"set comment x\nunset comment\nset dst 10.9.8.7/8");
	AUTO_FREE char *body = body_of(obj, 0, 0);

	ck_assert_str_eq(
		body, "set dst 10.0.0.0 255.0.0.0\nset gateway 10.0.0.1\nset device \"port1\"\n");
	object_free(obj);
}
END_TEST

static const char cluster[] = "set psksecret ENC abcd\n"
			      "config cluster-peer\n"
			      "    edit 1\n"
			      "        set peerip 172.16.136.70\n"
			      "        config session-sync-filter\n"
			      "            set srcintf \"port1\"\n"
			      "            config custom-service\n"
			      "                edit 7\n"
			      "                    set dst-port-range 80-90\n"
			      "                next\n"
			      "            end\n"
			      "        end\n"
			      "    next\n"
			      "end\n";

START_TEST(test_show_nested) {
	struct object *obj = parsed("system.standalone-cluster", "", cluster);
	AUTO_FREE char *body = body_of(obj, 0, 0);

	ck_assert_str_eq(body, cluster);
	object_free(obj);
}
END_TEST

/*
 * Always printed, even at the default or unset; conditions decide whether the attribute is there.
 */
START_TEST(test_show_always) {
	struct object *obj = parsed("firewall.service.custom", "PING", "set protocol ICMP\n");
	AUTO_FREE char *body = body_of(obj, 0, 0);
	struct object *intf = parsed("system.interface", "port1", "");
	AUTO_FREE char *intf_body = body_of(intf, 1, 0);

	ck_assert_str_eq(body, "set protocol ICMP\nunset icmptype\nunset icmpcode\n");
	ck_assert(strncmp(intf_body, "    set vdom \"root\"\n", 20) == 0);
	object_free(obj);
	object_free(intf);
}
END_TEST

START_TEST(test_show_full) {
	struct object *obj = parsed("router.static", "1", "set device \"port1\"\n");
	AUTO_FREE char *full = body_of(obj, 0, TEXT_FULL);
	AUTO_FREE char *body = body_of(obj, 0, 0);

	ck_assert_ptr_nonnull(strstr(full, "set status enable\nset dst 0.0.0.0 0.0.0.0\n"));
	ck_assert_ptr_nonnull(strstr(full, "set comment ''\n"));
	ck_assert_ptr_nonnull(strstr(full, "unset vrf\n"));
	ck_assert_ptr_null(strstr(full, "sdwan-zone"));
	ck_assert_str_eq(body, "set device \"port1\"\n");
	object_free(obj);
}
END_TEST

/* What belongs to the unit is left out, and a block in which nothing else is set. */
START_TEST(test_no_local) {
	struct object *obj = parsed(
		"system.ha", "",
		"set priority 200\nset group-id 7\nconfig secondary-vcluster\nset priority 9\nend\n"
		"config ha-mgmt-interfaces\nedit 1\nset gateway 1.2.3.4\nnext\nend\n");
	AUTO_FREE char *all = body_of(obj, 0, 0);
	AUTO_FREE char *shared = body_of(obj, 0, TEXT_NO_LOCAL);

	ck_assert_ptr_nonnull(strstr(all, "config secondary-vcluster\n    set priority 9\nend\n"));
	ck_assert_str_eq(shared, "set group-id 7\nset override disable\n");
	object_free(obj);
}
END_TEST

/* ---- the form of get ---- */

START_TEST(test_get) {
	struct object *obj = parsed("system.standalone-cluster", "", cluster);
	AUTO_STR struct str out = STR_INIT;
	const char *text;

	text_get(obj, &out);
	text = str_text(&out);
	ck_assert_ptr_nonnull(strstr(text, "standalone-group-id : 0\n"));
	ck_assert_ptr_nonnull(strstr(text, "encryption          : disable \n"));
	ck_assert_ptr_nonnull(strstr(text, "psksecret           : *\n"));
	ck_assert_ptr_nonnull(strstr(text, "asymmetric-traffic-control: cps-preferred \n"));
	ck_assert_ptr_nonnull(
		strstr(text, "cluster-peer:\n    == [ 1 ]\n    sync-id             : 1\n"));
	ck_assert_ptr_null(strstr(text, "abcd"));
	object_free(obj);
}
END_TEST

START_TEST(test_get_entry) {
	struct object *obj = parsed("system.interface", "port1",
				    "set ip 10.0.0.1/24\nset allowaccess ssh ping\n");
	AUTO_STR struct str out = STR_INIT;

	text_get_entry(obj, &out);
	ck_assert_str_eq(str_text(&out),
			 "== [ port1 ]\nname: port1   mode: static    ip: 10.0.0.1 255.255.255.0   "
			 "status: up    netbios-forward: disable    type: vlan    "
			 "netflow-sampler: disable    sflow-sampler: disable    src-check: enable    "
			 "explicit-web-proxy: disable    explicit-ftp-proxy: disable    "
			 "proxy-captive-portal: disable    mtu-override: disable    \n");
	object_free(obj);
	str_clear(&out);
	obj = parsed("firewall.address", "web", "set subnet 10.0.0.0/24\n");
	text_get_entry(obj, &out);
	ck_assert_str_eq(str_text(&out),
			 "== [ web ]\nname: web   subnet: 10.0.0.0 255.255.255.0   \n");
	object_free(obj);
}
END_TEST

/* A text of two lines does not pass for two attributes. */
START_TEST(test_get_newline) {
	struct object *obj =
		parsed("router.static", "1", "set comment \"a\ndistance            : 1\"\n");
	AUTO_STR struct str out = STR_INIT;

	text_get(obj, &out);
	ck_assert_ptr_nonnull(
		strstr(str_text(&out), "\ncomment             : a\\ndistance            : 1\n"));
	str_clear(&out);
	text_get_entry(obj, &out);
	ck_assert_ptr_nonnull(
		strstr(str_text(&out), "   comment: a\\ndistance            : 1   \n"));
	object_free(obj);
}
END_TEST

START_TEST(test_edit_line) {
	struct object *number = object_new(fixture_table("firewall.policy"), "12");
	struct object *name = object_new(fixture_table("firewall.address"), "a \\ b");
	AUTO_STR struct str out = STR_INIT;

	text_edit_line(number, 0, &out);
	text_edit_line(name, 1, &out);
	ck_assert_str_eq(str_text(&out), "edit 12\n    edit \"a \\\\ b\"\n");
	object_free(number);
	object_free(name);
}
END_TEST

/* ---- mistakes ---- */

static const struct {
	const char *table, *body;
	int code;
	const char *text;
} bad[] = {
	{ "router.static", "frob\n", ERR_PARSE, "line 1: command parse error before 'frob'" },
	{ "router.static", "set\n", ERR_PARSE, "line 1: command parse error before 'set'" },
	{ "router.static", "\n\nset nothing 1\n", ERR_PARSE,
	  "line 3: command parse error before 'nothing'" },
	{ "router.static", "set seq-num 1\n", ERR_PARSE,
	  "line 1: command parse error before 'seq-num'" },
	{ "router.static", "set sta enable\n", ERR_PARSE,
	  "line 1: command parse error before 'sta'" },
	{ "router.static", "set distance\n", ERR_INCOMPLETE,
	  "line 1: distance\n\nincomplete command in the end" },
	{ "router.static", "set comment \"a\nb\"\nset distance 0\n", ERR_VALUE,
	  "line 3: distance\ninvalid unsigned integer value: 0\n\nvalue parse error before '0'" },
	{ "router.static", "set comment \"a\n\n", ERR_PARSE, "line 1: Unmatched double quote." },
	{ "router.static", "end\n", ERR_PARSE, "line 1: command parse error before 'end'" },
	{ "router.static", "next\n", ERR_PARSE, "line 1: command parse error before 'next'" },
	{ "router.static", "edit 1\n", ERR_PARSE, "line 1: command parse error before 'edit'" },
	{ "router.static", "config comment\n", ERR_PARSE,
	  "line 1: command parse error before 'comment'" },
	{ "router.static", "unset\n", ERR_PARSE, "line 1: command parse error before 'unset'" },
	{ "router.static", "unset nothing\n", ERR_PARSE,
	  "line 1: command parse error before 'nothing'" },
	{ "router.static", "unset seq-num\n", ERR_PARSE,
	  "line 1: command parse error before 'seq-num'" },
	{ "system.standalone-cluster", "config cluster-peer\nunset peerip\nend\n", ERR_PARSE,
	  "line 2: command parse error before 'unset'" },
	{ "system.standalone-cluster", "set cluster-peer 1\n", ERR_PARSE,
	  "line 1: command parse error before 'cluster-peer'" },
	{ "system.standalone-cluster", "config cluster-peer\n", ERR_INCOMPLETE,
	  "\nincomplete command in the end" },
	{ "system.standalone-cluster", "config cluster-peer\nset peerip 1.2.3.4\nend\n", ERR_PARSE,
	  "line 2: command parse error before 'set'" },
	{ "system.standalone-cluster", "config cluster-peer\nedit x\nnext\nend\n", ERR_VALUE,
	  "invalid unsigned integer value: x\n\nvalue parse error before 'x'" },
	{ "system.standalone-cluster", "config cluster-peer\nedit\nnext\nend\n", ERR_PARSE,
	  "line 2: command parse error before 'edit'" },
	{ "system.standalone-cluster", "config cluster-peer\nedit 1\nend\n", ERR_PARSE,
	  "line 3: command parse error before 'end'" },
	{ "system.standalone-cluster", "config cluster-peer\nnext\n", ERR_PARSE,
	  "line 2: command parse error before 'next'" },
	{ "system.standalone-cluster", "config cluster-peer\nedit 1\nnext\n", ERR_INCOMPLETE,
	  "\nincomplete command in the end" },
	{ "system.standalone-cluster", "config cluster-peer now\nend\n", ERR_PARSE,
	  "line 1: command parse error before 'config'" },
};

START_TEST(test_bad) {
	struct object *obj = object_new(fixture_table(bad[_i].table), "1");
	struct err err = { 0 };

	ck_assert_int_eq(text_parse(obj, bad[_i].body, &err), bad[_i].code);
	ck_assert_int_eq(err.code, bad[_i].code);
	ck_assert_str_eq(err.text, bad[_i].text);
	object_free(obj);
	obj = object_new(fixture_table(bad[_i].table), "1");
	ck_assert_int_eq(text_parse(obj, bad[_i].body, NULL), bad[_i].code);
	object_free(obj);
}
END_TEST

/* The same entry twice is one entry; the later value wins. */
START_TEST(test_entry_twice) {
	struct object *obj =
		parsed("system.standalone-cluster", "",
		       "config cluster-peer\nedit 1\nset hb-interval 3\nset peerip 1.1.1.1\nnext\n"
		       "edit 01\nset peerip 2.2.2.2\nnext\nend\n");
	AUTO_FREE char *body = body_of(obj, 0, 0);

	ck_assert_str_eq(body, "config cluster-peer\n    edit 1\n        set peerip 2.2.2.2\n"
			       "        set hb-interval 3\n    next\nend\n");
	object_free(obj);
}
END_TEST

/* ---- bounds ---- */

START_TEST(test_too_large) {
	AUTO_FREE char *body = xcalloc(TEXT_BODY_MAX + 2, 1);
	struct object *obj = object_new(fixture_table("router.static"), "1");
	struct err err = { 0 };

	memset(body, '\n', TEXT_BODY_MAX + 1);
	ck_assert_int_eq(text_parse(obj, body, &err), ERR_TOO_LONG);
	ck_assert_str_eq(err.text, "object is too large: at most 4194304 bytes");
	body[TEXT_BODY_MAX] = '\0';
	ck_assert_int_eq(text_parse(obj, body, &err), 0);
	object_free(obj);
}
END_TEST

/* A body that fits, but would not once it is printed: the store could not read it again. */
START_TEST(test_too_large_when_printed) {
	AUTO_STR struct str body = STR_INIT;
	struct object *obj = object_new(fixture_table("system.standalone-cluster"), "");
	struct err err = { 0 };

	str_add(&body, "config cluster-peer\n");
	for (int peer = 0; body.len < TEXT_BODY_MAX - 100000; peer++) {
		str_addf(&body, "edit %d\nconfig session-sync-filter\nconfig custom-service\n",
			 peer);
		for (int i = 0; i < 100; i++)
			str_addf(&body, "edit %d\nnext\n", i);
		str_add(&body, "end\nend\nnext\n");
	}
	str_add(&body, "end\n");
	ck_assert_uint_le(body.len, TEXT_BODY_MAX);
	ck_assert_int_eq(text_parse(obj, str_text(&body), &err), ERR_TOO_LONG);
	object_free(obj);
}
END_TEST

START_TEST(test_too_many_entries) {
	AUTO_STR struct str body = STR_INIT;
	struct object *obj = object_new(fixture_table("system.interface"), "port1");
	struct err err = { 0 };

	str_add(&body, "config secondaryip\n");
	for (int i = 0; i <= VALUE_ITEMS_MAX; i++)
		str_addf(&body, "edit %d\nnext\n", i);
	str_add(&body, "end\n");
	ck_assert_int_eq(text_parse(obj, str_text(&body), &err), ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, "object set operator error, -4 discard the setting");
	object_free(obj);
}
END_TEST

/* The longest list that an attribute takes reads back. */
START_TEST(test_longest_list) {
	AUTO_STR struct str body = STR_INIT;
	AUTO_FREE char *again = NULL;
	struct object *obj;

	str_add(&body, "set member");
	for (int i = 0; i < VALUE_ITEMS_MAX; i++)
		str_addf(&body, " \"member %d\"", i);
	str_add(&body, "\n");
	obj = parsed("firewall.addrgrp", "g", str_text(&body));
	again = body_of(obj, 0, 0);
	ck_assert_str_eq(again, str_text(&body));
	object_free(obj);
}
END_TEST

static Suite *text_suite(void) {
	Suite *s = suite_create("text");
	TCase *t = fixture_case(s, "text");

	tcase_add_loop_test(t, test_round_trip, 0, schema_n_tables);
	tcase_add_test(t, test_entry_in_list);
	tcase_add_test(t, test_show_policy);
	tcase_add_test(t, test_canonical);
	tcase_add_test(t, test_show_nested);
	tcase_add_test(t, test_show_always);
	tcase_add_test(t, test_show_full);
	tcase_add_test(t, test_no_local);
	tcase_add_test(t, test_get);
	tcase_add_test(t, test_get_entry);
	tcase_add_test(t, test_get_newline);
	tcase_add_test(t, test_edit_line);
	tcase_add_loop_test(t, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(t, test_entry_twice);
	tcase_add_test(t, test_too_large);
	tcase_add_test(t, test_too_large_when_printed);
	tcase_add_test(t, test_too_many_entries);
	tcase_add_test(t, test_longest_list);
	return s;
}

int main(void) {
	return fixture_run(text_suite());
}
