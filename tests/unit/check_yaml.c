/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects as YAML: what is quoted, what is a list, what is nested, what is empty. */
#include <check.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cli/yaml.h"
#include "tests/lib/fixture.h"

/* Table, key, body, and what it is in YAML. */
static const struct {
	const char *table, *key, *body, *yaml;
} cases[] = {
	{ "system.global", "", "set hostname unit\n", "  hostname: \"unit\"\n" },
	{ "system.global", "", "", "" },
	{ "firewall.address", "a \"b\" \\", "set subnet 10.0.0.0 255.0.0.0\nset comment \"two\nlines\"\n",
	  "  - \"a \\\"b\\\" \\\\\":\n      comment: \"two\\nlines\"\n"
	  "      subnet: \"10.0.0.0 255.0.0.0\"\n" },
	{ "firewall.address", "x", "", "  - \"x\": {}\n" },
	{ "firewall.addrgrp", "g", "set member \"a b\" no 1\n",
	  "  - \"g\":\n      member: [\"a b\", \"no\", \"1\"]\n" },
	{ "firewall.service.custom", "s", "set tcp-portrange 80 90-99\nset session-ttl 300\n",
	  "  - \"s\":\n      tcp-portrange: [\"80\", \"90-99\"]\n      session-ttl: 300\n" },
	{ "system.standalone-cluster", "", "config cluster-peer\nedit 1\nset peerip 10.0.0.1\nnext\n"
	  "edit 2\nnext\nend\n",
	  "  cluster-peer:\n    - \"1\":\n        peerip: \"10.0.0.1\"\n    - \"2\": {}\n" },
	{ "firewall.ssl-ssh-profile", "p", "config ssh\nset ports 22\nend\n",
	  "  - \"p\":\n      ssh:\n        ports: [22]\n" },
};

START_TEST(test_object) {
	struct object *obj = object_new(fixture_table(cases[_i].table), cases[_i].key);
	AUTO_STR struct str text = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, cases[_i].body, &err) == 0, "%s", err.text);
	yaml_object(obj, &text);
	ck_assert_str_eq(str_text(&text), cases[_i].yaml);
	object_free(obj);
}
END_TEST

START_TEST(test_table) {
	AUTO_STR struct str text = STR_INIT;

	yaml_table(fixture_table("firewall.service.custom"), &text);
	ck_assert_str_eq(str_text(&text), "firewall_service_custom:\n");
}
END_TEST

static Suite *yaml_suite(void) {
	Suite *s = suite_create("yaml");
	TCase *t = fixture_case(s, "yaml");

	tcase_add_loop_test(t, test_object, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, test_table);
	return s;
}

int main(void) {
	return fixture_run(yaml_suite());
}
