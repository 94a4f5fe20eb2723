/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The shell of an administrator whose role does not allow everything: what he may not see is not
 * there, neither for a command nor for completion, and the prompt tells that he is such a one.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/complete.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fake_shell.h"
#include "tests/lib/fixture.h"

#define FAIL(code) "Command fail. Return code " #code "\n"
#define REFUSED(word) "\ncommand parse error before '" word "'\n" FAIL(-61)
#define UNKNOWN "Unknown action 0\n"

static struct fake_shell f;
static uint8_t levels[TBL_COUNT];

/* He writes addresses, reads policies and the console, and may say config, get and show. */
static void setup(void) {
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	memset(levels, RIGHTS_NONE, sizeof(levels));
	levels[TBL_FIREWALL_ADDRESS] = levels[TBL_FIREWALL_ADDRGRP] = RIGHTS_WRITE;
	levels[TBL_FIREWALL_POLICY] = levels[TBL_SYSTEM_CONSOLE] = RIGHTS_READ;
	fake_client_role(f.client, RIGHTS_CONFIG | RIGHTS_GET | RIGHTS_SHOW, levels);
}

static void teardown(void) {
	fake_shell_done(&f);
}

static void expect_prompt(const char *typed, const char *want) {
	AUTO_FREE char *prompt = NULL;

	fake_shell_run(&f, typed);
	prompt = fake_shell_prompt(&f);
	ck_assert_str_eq(prompt, want);
}

START_TEST(the_prompt_ends_in_a_dollar) {
	expect_prompt("", "gate $ ");
	expect_prompt("config firewall address", "gate (address) $ ");
	expect_prompt("edit web", "gate (web) $ ");
	expect_prompt("end", "gate $ ");
}
END_TEST

/* What is typed, and what is printed. */
static const struct {
	const char *typed, *printed;
} cases[] = {
	{ "config system admin", REFUSED("admin") },
	{ "config system interface", REFUSED("interface") },
	{ "config router static", REFUSED("router") },
	{ "get system zone", REFUSED("zone") },
	{ "get system interface", "\nincomplete command in the end\n" FAIL(-160) }, /* physical */
	{ "show system interface port1", REFUSED("interface") },
	{ "show firewall vip", REFUSED("vip") },
	/* a path that leads to a table of an object that is not there either */
	{ "config system cluster-sync", REFUSED("cluster-sync") },
	{ "execute ping 10.0.0.1", UNKNOWN },
	{ "diagnose sys session list", UNKNOWN },
	{ "diag sys", UNKNOWN },
	{ "e", "" }, /* short for exit: execute is not there */
	{ "get system status", "get system status\n" },
	{ "get sys stat", "get system status\n" },
	{ "config firewall address\nedit web\nset comment x\nend", "" },
	{ "config firewall policy\nend", "" },
	{ "config system console\nset output standard\nend", "" },
	{ "show firewall schedule recurring", REFUSED("schedule") },
};

START_TEST(what_is_hidden_is_not_there) {
	ck_assert_str_eq(fake_shell_run(&f, cases[_i].typed), cases[_i].printed);
}
END_TEST

/* Only what may be seen, and the daemon is not asked for the rest. */
START_TEST(show_leaves_out) {
	const char *text = fake_shell_run(&f, "show");

	ck_assert_ptr_nonnull(strstr(text, "config firewall address\n"));
	ck_assert_ptr_null(strstr(text, "config system interface\n"));
	ck_assert_ptr_null(strstr(text, "config firewall schedule"));
	ck_assert_ptr_null(strstr(text, "Command fail"));
}
END_TEST

/* What is not there has no branch: neither of the whole, nor of a part. */
START_TEST(the_tree_leaves_out) {
	const char *text = fake_shell_run(&f, "tree");

	ck_assert_ptr_nonnull(strstr(text, "[address] --*name"));
	ck_assert_ptr_nonnull(strstr(text, "[policy]"));
	ck_assert_ptr_nonnull(strstr(text, "[console]"));
	ck_assert_ptr_null(strstr(text, "[vip]"));
	ck_assert_ptr_null(strstr(text, "[interface]"));
	ck_assert_ptr_null(strstr(text, "[router]"));
	text = fake_shell_run(&f, "tree system");
	ck_assert_ptr_nonnull(strstr(text, "[console]"));
	ck_assert_ptr_null(strstr(text, "[admin]"));
}
END_TEST

static void expect_offer(const char *text, const char *want) {
	AUTO_STR struct str got = STR_INIT;
	struct completion c;

	complete_line(&f.sh, text, &c);
	for (size_t i = 0; i < c.n; i++)
		str_addf(&got, "%s%s", i ? " " : "", c.items[i].word);
	complete_done(&c);
	ck_assert_str_eq(str_text(&got), want);
}

START_TEST(what_is_hidden_is_not_offered) {
	expect_offer("", "config get show tree alias exit");
	expect_offer("config ", "firewall system");
	expect_offer("config system ", "console");
	expect_offer("config firewall ", "address addrgrp policy");
	expect_offer("show firewall s", "");
	expect_offer("d", "");
}
END_TEST

/*
 * Names that clash in a table that he may not see are for the daemon to tell: it is not asked, for
 * that would be told as an attempt of his. The one question is for the entry itself.
 */
START_TEST(a_hidden_table_does_not_stop_a_new_entry) {
	unsigned int asked;

	levels[TBL_FIREWALL_ADDRGRP] = RIGHTS_NONE;
	asked = fake_client_calls(f.client, "get");
	ck_assert_str_eq(fake_shell_run(&f, "config firewall address\nedit new"),
			 "new entry 'new' added\n");
	ck_assert_uint_eq(fake_client_calls(f.client, "get"), asked + 1);
	fake_shell_run(&f, "abort");
}
END_TEST

/* Nor do names of a hidden table stand among the values of a reference. */
START_TEST(a_hidden_table_is_not_asked_for_names) {
	unsigned int asked;

	fake_shell_run(&f, "config firewall address\nedit web");
	asked = fake_client_calls(f.client, "keys");
	expect_offer("set associated-interface ", "any");
	ck_assert_uint_eq(fake_client_calls(f.client, "keys"), asked);
	levels[TBL_SYSTEM_INTERFACE] = RIGHTS_READ;
	expect_offer("set associated-interface p", "port1 port2");
	ck_assert_uint_gt(fake_client_calls(f.client, "keys"), asked);
	fake_shell_run(&f, "abort");
}
END_TEST

static unsigned int questions;

static bool ask(void *arg, const char *prompt, struct str *ret) {
	(void)arg;
	(void)prompt;
	questions++;
	str_add(ret, "00112233445566778899aabbccddeeff\n");
	return true;
}

static void enable_private_data(void) {
	f.sh.typing = true;
	f.sh.ask = ask;
	questions = 0;
	fake_shell_run(&f, "config system global\nset private-data-encryption enable\nend");
}

/* Only who may change everything chooses the key: nobody else is asked for it in vain. */
START_TEST(nobody_is_asked_for_a_key_in_vain) {
	unsigned int puts;

	levels[TBL_SYSTEM_GLOBAL] = RIGHTS_WRITE;
	puts = fake_client_calls(f.client, "put");
	enable_private_data();
	ck_assert_uint_eq(questions, 0);
	ck_assert_uint_eq(fake_client_calls(f.client, "put"), puts + 1);
}
END_TEST

START_TEST(who_may_all_is_asked_for_a_key) {
	fake_shell_done(&f);
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	enable_private_data();
	ck_assert_uint_eq(questions, 2);
}
END_TEST

START_TEST(who_may_everything_has_everything) {
	fake_client_role(f.client, RIGHTS_VERBS, NULL);
	ck_assert_ptr_nonnull(strstr(fake_shell_run(&f, "show"), "config system interface\n"));
	expect_offer("d", "diagnose");
}
END_TEST

int main(void) {
	Suite *suite = suite_create("shell_role");
	TCase *t = fixture_case(suite, "shell_role");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_prompt_ends_in_a_dollar);
	tcase_add_loop_test(t, what_is_hidden_is_not_there, 0, ARRAY_LEN(cases));
	tcase_add_test(t, show_leaves_out);
	tcase_add_test(t, the_tree_leaves_out);
	tcase_add_test(t, what_is_hidden_is_not_offered);
	tcase_add_test(t, a_hidden_table_does_not_stop_a_new_entry);
	tcase_add_test(t, a_hidden_table_is_not_asked_for_names);
	tcase_add_test(t, nobody_is_asked_for_a_key_in_vain);
	tcase_add_test(t, who_may_all_is_asked_for_a_key);
	tcase_add_test(t, who_may_everything_has_everything);
	return fixture_run(suite);
}
