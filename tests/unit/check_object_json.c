/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects as JSON: some to the byte, in each form; and random ones of every table, which another
 * program's reader must take, and in which it must find what the text has.
 */
#include "cfgdb/model/object_json.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/model.h"
#include "cfgdb/model/text.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static const struct {
	const char *config, *table, *key;
	enum object_json form;
	const char *right;
} cases[] = {
	{ "config firewall address\nedit \"a \\\"b\\\"\"\nset subnet 10.0.0.0 255.0.0.0\n"
	  "set comment \"two words\"\nnext\nend\n",
	  "firewall.address", "a \"b\"", OBJECT_JSON_SHOW,
	  "{\n\"name\":\"a \\\"b\\\"\",\n\"comment\":\"two words\",\n"
	  "\"subnet\":\"10.0.0.0 255.0.0.0\"\n}\n" },
	{ "config firewall policy\nedit 7\nset srcintf \"port1\" \"port2\"\nset dstintf \"any\"\n"
	  "set srcaddr \"all\"\nset dstaddr \"all\"\nset schedule \"always\"\nset service \"ALL\"\n"
	  "next\nend\n",
	  "firewall.policy", "7", OBJECT_JSON_SHOW,
	  "{\n\"policyid\":7,\n\"srcintf\":[\"port1\",\"port2\"],\n\"dstintf\":[\"any\"],\n"
	  "\"srcaddr\":[\"all\"],\n\"dstaddr\":[\"all\"],\n\"schedule\":\"always\",\n"
	  "\"service\":[\"ALL\"]\n}\n" },
	{ "config system session-ttl\nset default never\nconfig port\nedit 3\nset protocol 6\n"
	  "set timeout 900\nset start-port 22\nset end-port 22\nnext\nend\nend\n",
	  "system.session-ttl", "", OBJECT_JSON_SHOW,
	  "{\n\"default\":\"never\",\n\"port\":[{\"id\":3,\"protocol\":6,\"timeout\":900,"
	  "\"start-port\":22,\"end-port\":22}]\n}\n" },
	{ "config system session-ttl\nend\n", "system.session-ttl", "", OBJECT_JSON_SHOW,
	  "{}\n" },
	{ "config system session-ttl\nend\n", "system.session-ttl", "", OBJECT_JSON_FULL,
	  "{\n\"default\":3600,\n\"port\":[]\n}\n" },
	{ "config system session-ttl\nconfig port\nedit 1\nnext\nend\nend\n", "system.session-ttl",
	  "", OBJECT_JSON_GET,
	  "{\n\"default\":3600,\n\"port\":[{\"id\":1,\"protocol\":0,\"timeout\":300,"
	  "\"refresh-direction\":\"both\"}]\n}\n" },
	/* secrets: never in clear */
	{ "config system auto-scale\nset psksecret ENC abcd\nend\n", "system.auto-scale", "",
	  OBJECT_JSON_SHOW, "{\n\"psksecret\":\"ENC abcd\"\n}\n" },
};

static const struct object *object_of(const struct model *m, const char *table, const char *key) {
	const struct schema_table *t = fixture_table(table);

	return schema_is_list(t) ? model_find(m, t, key) : model_object(m, t);
}

static char *json_of(const struct object *obj, enum object_json form) {
	struct str out = STR_INIT;
	struct json j = json_put_begin(&out);

	object_json_put(obj, form, NULL, &j);
	return str_steal(&out);
}

START_TEST(test_cases) {
	struct model *m = conf_model(cases[_i].config);
	const struct object *obj = object_of(m, cases[_i].table, cases[_i].key);
	AUTO_FREE char *text = NULL;

	ck_assert_ptr_nonnull(obj);
	text = json_of(obj, cases[_i].form);
	ck_assert_str_eq(text, cases[_i].right);
	model_free(m);
}
END_TEST

/* What is in clear in the shell's buffer is no secret to who typed it, and is not printed. */
START_TEST(test_secret) {
	static const char secret[] = "set psksecret \"my secret\"";
	struct object *obj = object_new(fixture_table("system.auto-scale"), "");
	struct err err = { 0 };

	ck_assert_int_eq(text_parse(obj, secret, &err), 0);
	for (int form = OBJECT_JSON_SHOW; form <= OBJECT_JSON_GET; form++) {
		AUTO_FREE char *text = json_of(obj, (enum object_json)form);

		ck_assert_ptr_nonnull(strstr(text, "\"psksecret\":\""));
		ck_assert_ptr_null(strstr(text, "my secret"));
	}
	object_free(obj);
}
END_TEST

/* ---- random objects ---- */

/* Each `set NAME` at the outermost level of a body has a member. */
static void assert_has_lines(const json_t *json, const char *body) {
	char name[128];
	bool quoted = false;

	for (const char *line = body; *line;) {
		size_t len;

		if (!quoted && sscanf(line, "set %127s", name) == 1)
			ck_assert_msg(json_object_get(json, name) != NULL, "%s", name);
		len = strcspn(line, "\n");
		for (size_t i = 0; i < len; i++) {
			if (line[i] == '\\')
				i++;
			else if (line[i] == '"')
				quoted = !quoted;
		}
		line += len + (line[len] != '\0');
	}
}

static void check_random(struct rng *r, const struct schema_table *table) {
	AUTO_FREE char *key = schema_is_list(table) ? random_key(r, table) : xstrdup("");
	struct object *obj = random_object(r, table, key, rng_below(r, 101), NULL, NULL);
	AUTO_STR struct str body = STR_INIT;

	text_body(obj, 0, 0, &body);
	for (int form = OBJECT_JSON_SHOW; form <= OBJECT_JSON_GET; form++) {
		AUTO_FREE char *text = json_of(obj, (enum object_json)form);
		json_error_t why;
		json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &why);

		ck_assert_msg(json != NULL, "%s: %s in %s", table->dotted, why.text, text);
		ck_assert(json_is_object(json));
		assert_has_lines(json, str_text(&body));
		json_decref(json);
	}
	object_free(obj);
}

START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed());

	for (unsigned int i = 0; i < fixture_rounds(20); i++)
		for (uint16_t t = 0; t < schema_n_top; t++)
			check_random(&r, schema_tables[schema_top[t]]);
}
END_TEST

static Suite *object_json_suite(void) {
	Suite *s = suite_create("object_json");
	TCase *t = fixture_case(s, "object_json");

	tcase_add_loop_test(t, test_cases, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_secret);
	tcase_add_test(t, test_random);
	return s;
}

int main(void) {
	return fixture_run(object_json_suite());
}
