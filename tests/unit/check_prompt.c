/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Programs that drive a FortiOS shell know its prompt by a pattern, and wait for it after every
 * command: a prompt that does not fit is a session that hangs. What each of them takes for one is
 * told here by the characters it allows; our prompts are those of the real shell, in every place,
 * so that they fit where its own do. Keys with blanks, colons or slashes fit few patterns there,
 * too.
 *
 * Last come prompts with a mark in them, which some like: they fit none of the strict ones.
 */
#include <check.h>
#include <regex.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fake_shell.h"

enum program {
	NETMIKO,   /* the sign alone */
	SCRAPLI,   /* a name; a plain word in parentheses; the sign */
	OXIDIZED,  /* the same, with dots in both, and nothing behind */
	GNETCLI,   /* letters, digits, -()~ and blanks before the sign, from anywhere on */
	RANCID,    /* a name; anything without a blank in parentheses */
	CLIENT_COUNT,
};

#define NAME "[A-Za-z0-9_-]+"

static const char *const patterns[CLIENT_COUNT] = {
	[NETMIKO] = "[#$]",
	[SCRAPLI] = "^" NAME " (\\(" NAME "\\) )?[$#]",
	[OXIDIZED] = "^[A-Za-z0-9_.~-]+( [A-Za-z0-9_.()-]+)?~? ?[#>$] ?$",
	[GNETCLI] = "[A-Za-z0-9_()~ -]+[#$][ ]*$",
	[RANCID] = "^" NAME " (\\([^ ]+\\) )?# $",
};

static const char *const names[CLIENT_COUNT] = { "Netmiko", "scrapli", "Oxidized", "gnetcli",
						 "RANCID" };

static bool client_sees(enum program client, const char *prompt) {
	regex_t regex;
	bool found;

	ck_assert_int_eq(regcomp(&regex, patterns[client], REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&regex, prompt, 0, NULL, 0) == 0;
	regfree(&regex);
	return found;
}

static void check_clients(const char *prompt, const char *sees) {
	for (enum program c = 0; c < CLIENT_COUNT; c++)
		ck_assert_msg(client_sees(c, prompt) == (sees[c] == '+'), "%s: '%s'", names[c],
			      prompt);
}

/* What is typed, the prompt, and who knows it for one, in the order of enum client. */
static const struct {
	const char *typed, *prompt, *sees;
} cases[] = {
	{ "", "gate # ", "+++++" },
	{ "config firewall policy", "gate (policy) # ", "+++++" },
	{ "config firewall policy\nedit 1", "gate (1) # ", "+++++" },
	{ "config firewall policy\nedit 0", "gate (0) # ", "+++++" },
	{ "config system global", "gate (global) # ", "+++++" },
	{ "config system auto-scale", "gate (auto-scale) # ", "+++++" },
	{ "config system console", "gate (console) # ", "+++++" },
	{ "config firewall service custom\nedit HTTP_8080", "gate (HTTP_8080) # ", "+++++" },
	{ "config system standalone-cluster\nedit 1\nconfig session-sync-filter",
	  "gate (session-sync-filter) # ", "+++++" },
	{ "config firewall address\nedit 10.10.1.55", "gate (10.10.1.55) # ", "+-+++" },
	{ "config firewall vip\nedit \"172.16.137.15:22\"", "gate (172.16.137.15:22) # ", "+--++" },
	{ "config firewall address\nedit 10.0.0.0/8", "gate (10.0.0.0/8) # ", "+--++" },
	{ "config firewall address\nedit \"my object\"", "gate (my object) # ", "+--+-" },
	/* and after what goes wrong, or is looked at */
	{ "config firewall policy\nedit x", "gate (policy) # ", "+++++" },
	{ "config firewall policy\nshow | grep x\nend | grep x", "gate # ", "+++++" },
	{ "config firewall policy\nset x\nexit", "gate (policy) # ", "+++++" },
};

START_TEST(clients_know_our_prompts) {
	AUTO_FREE char *prompt = NULL;
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, cases[_i].typed);
	prompt = fake_shell_prompt(&f);
	ck_assert_str_eq(prompt, cases[_i].prompt);
	check_clients(prompt, cases[_i].sees);
	fake_shell_done(&f);
}
END_TEST

START_TEST(clients_know_no_marks) {
	static const struct {
		const char *prompt, *sees;
	} marked[] = {
		{ "gate (policy)* # ", "+--+-" },
		{ "gate* # ", "+--+-" },
		{ "gate [txn:1*] # ", "+--+-" },
	};

	for (size_t i = 0; i < ARRAY_LEN(marked); i++)
		check_clients(marked[i].prompt, marked[i].sees);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("prompt");
	TCase *t = tcase_create("prompt");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, clients_know_our_prompts, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, clients_know_no_marks);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
