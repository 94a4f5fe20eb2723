/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The edit buffers: what a refusal, a conflict or a lost connection leaves behind. The client is
 * told to fail at a certain call; what counts is what the shell shows afterwards, and that its
 * levels are closed as if nothing had happened.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fake_shell.h"

static struct fake_shell f;

static void setup(void) {
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
}

static void teardown(void) {
	fake_shell_done(&f);
}

static void expect(const char *typed, const char *printed) {
	ck_assert_str_eq(fake_shell_run(&f, typed), printed);
}

START_TEST(a_conflict_drops_the_entry) {
	expect("config firewall address\nedit web\nset comment mine", "");
	fake_client_touch(f.client, schema_find("firewall.address"), "web");
	expect("next", "changed by somebody else\nCommand fail. Return code 14\n");
	ck_assert_int_eq(context_kind(&f.sh.context), LEVEL_LIST);
	expect("edit web\nset comment again\nend", "");
	ck_assert_uint_eq(f.sh.failures, 1);
}
END_TEST

START_TEST(a_refused_object_is_dropped) {
	fake_client_fail(f.client, "put", 1, ERR_CONFLICT, "no");
	expect("config system ha\nset group-name x\nend", "no\nCommand fail. Return code -7\n");
	ck_assert_uint_eq(f.sh.context.depth, 0);
	expect("show system ha", "config system ha\n    set override disable\nend\n");
}
END_TEST

/* Changes in an alias' list are written one by one; a refused one leaves the others alone. */
START_TEST(a_refused_peer_leaves_the_others) {
	expect("config system cluster-sync\nedit 1\nset peerip 10.0.0.1\nnext",
	       "new entry '1' added\n");
	fake_client_fail(f.client, "put", 1, ERR_CONFLICT, "no");
	expect("edit 2\nset peerip 10.0.0.2\nnext",
	       "new entry '2' added\nno\nCommand fail. Return code -7\n");
	expect("edit 3\nset peerip 10.0.0.3\nnext", "new entry '3' added\n");
	fake_client_fail(f.client, "put", 1, ERR_CONFLICT, "no");
	expect("delete 1", "no\nCommand fail. Return code -7\n");
	expect("delete 3\ndelete 2\nend\nshow system cluster-sync",
	       "entry is not found in table\nCommand fail. Return code -3\n"
	       "config system standalone-cluster\n    edit 1\n        set peerip 10.0.0.1\n"
	       "    next\nend\n");
}
END_TEST

/* The same below an object: its own pending changes survive a refused entry. */
START_TEST(a_refused_entry_leaves_the_object) {
	expect("config system standalone-cluster\nset standalone-group-id 9", "");
	fake_client_fail(f.client, "put", 1, ERR_CONFLICT, "no");
	expect("edit 2\nset peerip 10.0.0.2\nnext",
	       "new entry '2' added\nno\nCommand fail. Return code -7\n");
	expect("end\nshow system standalone-cluster",
	       "config system standalone-cluster\n    set standalone-group-id 9\nend\n");
}
END_TEST

START_TEST(two_errors_at_one_end_are_both_told) {
	expect("config system standalone-cluster\nset standalone-group-id 9", "");
	fake_client_fail(f.client, "put", 2, ERR_CONFLICT, "no");
	expect("edit 2\nset peerip 10.0.0.2\nend",
	       "new entry '2' added\nno\nno\nCommand fail. Return code -7\n");
	ck_assert_uint_eq(f.sh.context.depth, 0);
}
END_TEST

START_TEST(nested_changes_wait_for_the_outermost_end) {
	unsigned int puts = fake_client_calls(f.client, "put");

	expect("config system standalone-cluster\nconfig cluster-peer\nedit 1\n"
	       "set peerip 10.0.0.1\n"
	       "config session-sync-filter\nset srcaddr 10.0.0.0/8\nend\nnext\nend",
	       "new entry '1' added\n");
	ck_assert_uint_eq(fake_client_calls(f.client, "put"), puts);
	expect("end", "");
	ck_assert_uint_eq(fake_client_calls(f.client, "put"), puts + 1);
}
END_TEST

START_TEST(an_emptied_child_object_is_gone) {
	expect("config system cluster-sync\nedit 1\nset peerip 10.0.0.1\n"
	       "config session-sync-filter\n"
	       "set srcaddr 10.0.0.0/8\nend\nnext\nedit 1\nconfig session-sync-filter\n"
	       "unset srcaddr\nend\nend\n"
	       "show system cluster-sync",
	       "new entry '1' added\n"
	       "config system standalone-cluster\n    edit 1\n        set peerip 10.0.0.1\n"
	       "    next\nend\n");
}
END_TEST

START_TEST(free_ids_are_found_at_the_end_of_the_range) {
	expect("config system standalone-cluster\nedit 4294967295\nnext\nedit 1\nnext\nedit 0\n"
	       "show",
	       "new entry '4294967295' added\nnew entry '1' added\nnew entry '0' added\n"
	       "config system standalone-cluster\n    edit 2\n    next\nend\n");
}
END_TEST

START_TEST(dropping_saves_nothing) {
	expect("config system cluster-sync\nedit 1\nset peerip 10.0.0.1\n"
	       "config session-sync-filter\n"
	       "set srcaddr 10.0.0.0/8",
	       "new entry '1' added\n");
	shell_drop(&f.sh);
	expect("show system cluster-sync", "config system standalone-cluster\nend\n");
}
END_TEST

START_TEST(a_lost_connection_is_noticed_at_next) {
	expect("config firewall address\nedit x", "new entry 'x' added\n");
	fake_client_fail(f.client, "put", 1, ERR_TIMEOUT, "gone");
	expect("next", "gone\nCommand fail. Return code -360\n");
	ck_assert(f.sh.lost);
}
END_TEST

START_TEST(a_name_cannot_be_checked_when_the_daemon_is_gone) {
	expect("config firewall address\nedit x", "new entry 'x' added\n");
	fake_client_fail(f.client, "get", 1, ERR_TIMEOUT, "gone");
	expect("next\nedit y", "gone\nCommand fail. Return code -360\n");
}
END_TEST

/* ---- what belongs to the session ---- */

#define SHOWN(lines) "config system console\n" lines "end\n"

/* What another session is told of the console. */
static void expect_others(const char *printed) {
	struct fake_shell other = { .client = f.client };

	out_init(&other.out, -1);
	shell_init(&other.sh, other.client, &other.out, SHELL_COMMIT_EACH);
	ck_assert_str_eq(fake_shell_run(&other, "show system console"), printed);
	shell_done(&other.sh);
	out_done(&other.out);
}

START_TEST(the_session_alone_has_it) {
	unsigned int puts = fake_client_calls(f.client, "put");

	expect("config system console\nset output standard\nshow\nend\nshow system console",
	       SHOWN("    set output standard\n") SHOWN("    set output standard\n"));
	expect("get system console",
	       "mode                : line \nbaudrate            : 9600 \n"
	       "output              : standard \nlogin               : enable \n");
	ck_assert_ptr_nonnull(
		strstr(fake_shell_run(&f, "show"), SHOWN("    set output standard\n")));
	expect_others(SHOWN(""));
	expect("config system console\nset output more\nend\nshow system console", SHOWN(""));
	expect("config system console\nset output standard\nend\n"
	       "config system console\nshow\nunset output\nend\nshow system console",
	       SHOWN("    set output standard\n") SHOWN(""));
	ck_assert_uint_eq(fake_client_calls(f.client, "put"), puts);
}
END_TEST

/* The others of its table go their way without it, be it changed at the same time. */
START_TEST(the_others_are_sent_without_it) {
	unsigned int puts = fake_client_calls(f.client, "put");
	const struct schema_table *table = schema_find("system.console");
	struct object *obj;
	struct err err;

	expect("config system console\nset output standard\nset baudrate 19200\nend\n"
	       "show system console",
	       SHOWN("    set baudrate 19200\n    set output standard\n"));
	ck_assert_uint_eq(fake_client_calls(f.client, "put"), puts + 1);
	expect("config system console\nset baudrate 38400\nend", "");
	expect_others(SHOWN("    set baudrate 38400\n"));
	ck_assert_int_eq(client_get(f.client, table, "", &obj, &err), 0);
	ck_assert_uint_eq(obj->n_fields, 1);
	object_free(obj);
	expect("show system console", SHOWN("    set baudrate 38400\n    set output standard\n"));
}
END_TEST

START_TEST(it_is_dropped_with_what_is_refused) {
	expect("config system console\nset output standard\nabort\nshow system console", SHOWN(""));
	fake_client_fail(f.client, "put", 1, ERR_CONFLICT, "no");
	expect("config system console\nset output standard\nset baudrate 19200\nend\n"
	       "show system console",
	       "no\nCommand fail. Return code -7\n" SHOWN(""));
}
END_TEST

/* Nobody else's change is in its way. */
START_TEST(it_needs_no_daemon) {
	expect("config system console\nset baudrate 19200\nend\nconfig system console\n"
	       "set output standard",
	       "");
	fake_client_touch(f.client, schema_find("system.console"), "");
	expect("end\nshow system console",
	       SHOWN("    set baudrate 19200\n    set output standard\n"));
}
END_TEST

/* A store may hold it from when it was kept. */
START_TEST(a_store_of_old_has_no_say) {
	const struct schema_table *table = schema_find("system.console");
	struct object *obj = object_new(table, "");
	struct value v;
	char *standard[] = { (char *)"standard" };
	struct err err;
	int attr = schema_attr_index(table, "output");

	ck_assert_int_eq(value_parse(&table->attrs[attr], standard, 1, &v, &err), 0);
	object_set(obj, (unsigned int)attr, v);
	ck_assert_int_eq(client_put(f.client, obj, &err), 0);
	object_free(obj);
	expect("show system console", SHOWN(""));
	expect("config system console\nset baudrate 19200\nend", "");
	ck_assert_int_eq(client_get(f.client, table, "", &obj, &err), 0);
	ck_assert_ptr_null(object_get(obj, (unsigned int)attr));
	object_free(obj);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("context");
	TCase *t = tcase_create("context");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, a_conflict_drops_the_entry);
	tcase_add_test(t, a_refused_object_is_dropped);
	tcase_add_test(t, a_refused_peer_leaves_the_others);
	tcase_add_test(t, a_refused_entry_leaves_the_object);
	tcase_add_test(t, two_errors_at_one_end_are_both_told);
	tcase_add_test(t, nested_changes_wait_for_the_outermost_end);
	tcase_add_test(t, an_emptied_child_object_is_gone);
	tcase_add_test(t, free_ids_are_found_at_the_end_of_the_range);
	tcase_add_test(t, dropping_saves_nothing);
	tcase_add_test(t, a_lost_connection_is_noticed_at_next);
	tcase_add_test(t, a_name_cannot_be_checked_when_the_daemon_is_gone);
	tcase_add_test(t, the_session_alone_has_it);
	tcase_add_test(t, the_others_are_sent_without_it);
	tcase_add_test(t, it_is_dropped_with_what_is_refused);
	tcase_add_test(t, it_needs_no_daemon);
	tcase_add_test(t, a_store_of_old_has_no_say);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
