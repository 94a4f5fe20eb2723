/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole configurations as text, as programs write them: staged in order, or one error with its
 * line.
 */
#include "cfgdb/script.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/factory.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

static struct engine *engine;
static struct txn *txn;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	engine = fixture_engine(dir);
	txn = txn_new(engine, "peer", "sync");
}

static void teardown(void) {
	txn_free(txn);
	engine_close(engine);
}

static const char good[] = "# a comment\n"
			   "config system interface\n"
			   "    edit \"port1\"\n"
			   "        set type physical\n"
			   "    next\n"
			   "    edit port2\n"
			   "    next\n"
			   "end\n"
			   "\n"
			   "config system standalone-cluster\n"
			   "    set session-sync-dev \"port2\"\n"
			   "    config cluster-peer\n"
			   "        edit 1\n"
			   "            set peerip 1.2.3.4\n"
			   "            config session-sync-filter\n"
			   "                set srcintf port1\n"
			   "            end\n"
			   "        next\n"
			   "    end\n"
			   "end\n"
			   "config firewall address\n"
			   "    edit \"next\"\n"
			   "        set comment \"a value\n"
			   "next\n"
			   "end\"\n"
			   "    next\n"
			   "end\n"
			   "config system ha\n"
			   "end";

START_TEST(test_good) {
	struct err err = { 0 };

	ck_assert_msg(script_load(txn, good, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(txn_staged(txn), 5);
	ck_assert_str_eq(object_str(txn_find(txn, fixture_table("firewall.address"), "next"),
				    FIREWALL_ADDRESS__COMMENT),
			 "a value\nnext\nend");
	ck_assert_ptr_nonnull(
		object_child(txn_object(txn, fixture_table("system.standalone-cluster")),
			     SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER, "1"));
	ck_assert_msg(txn_commit(txn, &err) == 0, "%s", err.text);
}
END_TEST

static const struct {
	const char *text;
	int code;
	const char *error;
} bad[] = {
	{ "config no such\nend\n", ERR_FILE, "line 1: expected config and a table" },
	{ "edit 1\n", ERR_FILE, "line 1: expected config and a table" },
	{ "config\n", ERR_FILE, "line 1: expected config and a table" },
	{ "\n\nconfig firewall address\nset x\n", ERR_FILE, "line 4: expected edit or end" },
	{ "config firewall address\nedit a b\n", ERR_FILE, "line 2: expected edit or end" },
	{ "config firewall address\n", ERR_FILE, "line 1: expected edit or end" },
	{ "config firewall address\nedit a\n", ERR_FILE, "line 2: the block is not closed" },
	{ "config firewall address\nedit a\nend\nend\n", ERR_FILE,
	  "line 3: the entry is not closed" },
	{ "config system ha\nset group-id 1\n", ERR_FILE, "line 2: the block is not closed" },
	{ "config firewall address\nedit a\nset comment \"x\nnext\nend\n", ERR_FILE,
	  "line 3: a quote is not closed" },
	{ "config firewall policy\nedit x\nnext\nend\n", ERR_VALUE,
	  "line 2: firewall policy\ninvalid unsigned integer value: x\n\n"
	  "value parse error before 'x'" },
	{ "config router static\nedit 1\nset device any\nset distance 0\nnext\nend\n", ERR_VALUE,
	  "line 2: router static 1\nline 2: distance\ninvalid unsigned integer value: 0\n\n"
	  "value parse error before '0'" },
	{ "config firewall addrgrp\nedit g\nset member nobody\nnext\nend\n", ERR_NOT_FOUND,
	  "line 2: firewall addrgrp g\nfirewall addrgrp g member: entry not found in datasource\n\n"
	  "value parse error before 'nobody'" },
};

START_TEST(test_bad) {
	struct err err = { 0 };

	ck_assert_int_eq(script_load(txn, bad[_i].text, &err), bad[_i].code);
	ck_assert_str_eq(err.text, bad[_i].error);
	ck_assert_int_eq(err.code, bad[_i].code);
	ck_assert_uint_eq(txn_staged(txn), 0);
	ck_assert_int_eq(script_load(txn, bad[_i].text, NULL), bad[_i].code);
}
END_TEST

/* The first mistake ends it; what came before is staged, and nothing active until a commit. */
START_TEST(test_first_mistake_ends) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	struct err err = { 0 };

	ck_assert_int_ne(
		script_load(txn,
			    "config firewall address\nedit a\nnext\nedit b\nset nonsense\nnext\n"
			    "edit c\nnext\nend\n",
			    &err),
		0);
	ck_assert_uint_eq(txn_staged(txn), 1);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

/* The factory configuration, loaded once more, changes nothing: not even a uuid. */
START_TEST(test_factory_twice) {
	AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
	struct err err = { 0 };

	ck_assert_msg(script_load(txn, factory_conf, &err) == 0, "%s", err.text);
	ck_assert_msg(txn_commit(txn, &err) == 0, "%s", err.text);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

static int show_entry(void *arg, const struct object *obj) {
	text_entry(obj, 1, 0, arg);
	return 0;
}

/* All of a configuration as a script. */
static char *show_all(const struct txn *t) {
	struct str out = STR_INIT;

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		str_addf(&out, "config %s\n", table->path);
		if (schema_is_list(table))
			txn_each(t, table, show_entry, &out);
		else
			text_body(txn_object(t, table), 1, 0, &out);
		str_add(&out, "end\n");
	}
	return str_steal(&out);
}

/* show, load on the same unit, show: byte-equal, and nothing changed. */
START_TEST(test_show_and_load) {
	AUTO_FREE char *before = NULL, *after = NULL, *shown = NULL, *again = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(script_load(txn, good, NULL), 0);
	ck_assert_int_eq(txn_commit(txn, NULL), 0);
	before = fixture_snapshot(engine);
	shown = show_all(txn);
	ck_assert_msg(script_load(txn, shown, &err) == 0, "%s", err.text);
	again = show_all(txn);
	ck_assert_str_eq(again, shown);
	ck_assert_int_eq(txn_commit(txn, NULL), 0);
	after = fixture_snapshot(engine);
	ck_assert_str_eq(after, before);
}
END_TEST

static Suite *script_suite(void) {
	Suite *s = suite_create("script");
	TCase *t = fixture_case(s, "script");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_good);
	tcase_add_loop_test(t, test_bad, 0, ARRAY_LEN(bad));
	tcase_add_test(t, test_first_mistake_ends);
	tcase_add_test(t, test_factory_twice);
	tcase_add_test(t, test_show_and_load);
	return s;
}

int main(void) {
	return fixture_run(script_suite());
}
