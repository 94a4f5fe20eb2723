/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What no transcript tells of verbs for whole entries and of what is inside them: what `show`
 * prints can be typed, who is asked, and what stays as it was when the daemon refuses.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fake_shell.h"
#include "tests/lib/fixture.h"

#define POLICY \
	"config firewall policy\nedit 5\nset srcintf port1\nset dstintf port2\nset srcaddr all\n" \
	"set dstaddr web\nset action accept\nset schedule always\nset service ALL\n" \
	"set uuid 00000000-0000-4000-8000-000000000001\n"

#define PEER \
	"config system standalone-cluster\nedit 1\nset peerip 10.0.0.1\n" \
	"config session-sync-filter\nset srcaddr 10.0.0.0/8\nend\n"

#define FAIL(code) "Command fail. Return code " #code "\n"

/* Wherever a path leads, what is printed can be typed at the root, and changes nothing. */
START_TEST(what_is_shown_can_be_typed) {
	static const char *const paths[] = {
		"firewall policy 5 srcaddr", "firewall policy 5 nat", "firewall policy 5",
		"system cluster-sync 1 session-sync-filter srcaddr", "system cluster-sync 1 peerip",
		"system standalone-cluster cluster-peer 1 session-sync-filter custom-service",
		"system standalone-cluster cluster-peer 1 peerip",
		"system standalone-cluster cluster-peer", "system ha secondary-vcluster priority",
		"firewall address \"two words\" comment",
	};
	struct fake_shell f;
	AUTO_FREE char *before = NULL;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, POLICY "end\n" PEER "config session-sync-filter\nconfig custom-service\n"
			   "edit 1\nset dst-port-range 80\nend\nend\nend\n"
			   "config firewall ssl-ssh-profile\nedit no-inspection\nend\n"
			   "config firewall address\nedit \"two words\"\n"
			   "set comment \"line\nfeed \\\"quoted\\\"\"\nend");
	before = xstrdup(fake_shell_run(&f, "show"));
	for (size_t i = 0; i < 2 * ARRAY_LEN(paths); i++) {
		AUTO_FREE char *show = xasprintf("show %s%s", i % 2 ? "full-configuration " : "",
						 paths[i / 2]);
		AUTO_FREE char *shown = xstrdup(fake_shell_run(&f, show));

		ck_assert_int_eq(strncmp(shown, "config ", 7), 0);
		ck_assert_str_eq(fake_shell_run(&f, shown), "");
		ck_assert_str_eq(fake_shell_run(&f, "show"), before);
	}
	fake_shell_done(&f);
}
END_TEST

static bool answer(void *arg, const char *question) {
	ck_assert_str_eq(question, "Do you want to continue? (y/n)");
	return *(bool *)arg;
}

/* Before all entries of a table go, whoever sits at a terminal is asked. */
START_TEST(purge_asks) {
	struct fake_shell f;
	bool yes = false;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	f.sh.confirm = answer;
	f.sh.confirm_arg = &yes;
	ck_assert_str_eq(fake_shell_run(&f, "config firewall address\npurge"),
			 "This operation will clear all table!\n");
	ck_assert_uint_eq(fake_client_count(f.client, schema_find("firewall.address")), 2);
	yes = true;
	fake_shell_run(&f, "purge");
	ck_assert_uint_eq(fake_client_count(f.client, schema_find("firewall.address")), 0);
	ck_assert_uint_eq(fake_client_calls(f.client, "purge"), 1);
	fake_shell_done(&f);
}
END_TEST

/* What is refused when it is written at once leaves the list as it was. */
START_TEST(whole_entries_or_nothing) {
	static const char *const lines[] = { "clone 1 to 2", "rename 1 to 2", "purge", "delete 1" };
	struct fake_shell f;
	AUTO_FREE char *before = NULL;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, PEER "end\nconfig system cluster-sync");
	before = xstrdup(fake_shell_run(&f, "show"));
	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		fake_client_fail(f.client, "put", 1, ERR_CONFLICT, "no");
		ck_assert_str_eq(fake_shell_run(&f, lines[i]), "no\n" FAIL(-7));
		ck_assert_str_eq(fake_shell_run(&f, "show"), before);
	}
	fake_shell_done(&f);
}
END_TEST

/* Names that a rename took away, or made, are not those that were found good before. */
START_TEST(renames_leave_no_stale_reference) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, "config firewall addrgrp\nedit g\nset member web\nabort\n"
			   "config firewall address\nrename web to www\nend\n"
			   "config firewall addrgrp\nedit g");
	ck_assert_str_eq(fake_shell_run(&f, "set member www\nset member web"),
			 "entry not found in datasource\n\n"
			 "value parse error before 'web'\n" FAIL(-3));
	fake_shell_done(&f);
}
END_TEST

static Suite *verbs_suite(void) {
	Suite *s = suite_create("verbs");
	TCase *t = fixture_case(s, "verbs");

	tcase_add_test(t, what_is_shown_can_be_typed);
	tcase_add_test(t, purge_asks);
	tcase_add_test(t, whole_entries_or_nothing);
	tcase_add_test(t, renames_leave_no_stale_reference);
	return s;
}

int main(void) {
	return fixture_run(verbs_suite());
}
