/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which lines hold a secret, wherever and however they are typed: those that the history must not
 * keep, and no others.
 */
#include <check.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fake_shell.h"

/* Where one stands, a line, and whether it is one to forget. */
START_TEST(lines_with_secrets_are_known) {
	static const struct {
		const char *before, *line;
		bool secret;
	} lines[] = {
		{ "config system standalone-cluster", "set psksecret x", true },
		{ "config system standalone-cluster", "set psks \"x y\"", true },
		{ "config system standalone-cluster", "se psks \"x y", true },
		{ "config system standalone-cluster", "set psksecret \\\nx", true },
		{ "config system standalone-cluster", "set psksecret", true },
		{ "config system standalone-cluster", "unset psksecret", false },
		{ "config system standalone-cluster", "set encryption enable", false },
		{ "config system standalone-cluster", "get | grep psksecret", false },
		{ "config system admin\nedit a", "set password x", true },
		{ "config firewall address\nedit a", "set comment password", false },
		{ "config firewall address\nedit a", "set password x", true },
		{ "", "set psksecret x", true },
		{ "", "set psks x", true },
		{ "config system admin\nedit a", "append password x", true },
		{ "config system admin\nedit a", "select pass x", true },
		{ "config system admin\nedit a", "unselect password x", true },
		{ "config system admin\nedit a", "unset password x", true },
		{ "config system admin\nedit a", "unset password", false },
		{ "config system admin\nedit a", "clear password x", true },
		{ "config system admin\nedit a", "set passwrd x", true },
		{ "config system admin\nedit a", "sett passwrd x", true },
		{ "config system admin\nedit a", "set passwrd", false },
		{ "config system admin\nedit a", "passwrd set x", true },
		{ "config system admin\nedit a", "set accprofile super_admin password x", true },
		{ "config system admin\nedit a", "set accprofile super_admin pass x", true },
		{ "config system admin\nedit a", "set accprofile super_admin", false },
		{ "config system admin\nedit a", "set password=x", true },
		{ "config system admin\nedit a", "show | grep passwrd -A 2", false },
		{ "config system admin", "set passwrd x", true },
		{ "config system admin", "edit password", false },
		{ "config firewall address\nedit a", "set coment x y", false },
		{ "config firewall address\nedit a", "delte it now", false },
		{ "", "password x", true },
		{ "", "alias make password x", true },
		{ "", "execute ping x", false },
		{ "", "config system admin", false },
		{ "", "show system admin a password | grep x", false },
		{ "", "show system admin", false },
		{ "", "", false },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		struct fake_shell f;

		fake_shell_init(&f, SHELL_COMMIT_EACH);
		fake_shell_run(&f, lines[i].before);
		ck_assert_msg(shell_is_secret(&f.sh, lines[i].line) == lines[i].secret, "%s",
			      lines[i].line);
		fake_shell_done(&f);
	}
}
END_TEST

/* What is told of them leads to the line, and no further. */
START_TEST(names_are_told) {
	static const char *const lines[][2] = {
		{ "set psksecret x", "set psksecret *" },
		{ "  se psks \"x y\"", "se psks *" },
		{ "set accprofile super_admin password x", "set accprofile *" },
		{ "set passwrd x", "set passwrd *" },
		{ "password x", "password *" },
		{ "set password=x", "set *" },
		{ "set \"x y\" password z", "set *" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		AUTO_STR struct str said = STR_INIT;

		shell_mask(lines[i][0], &said);
		ck_assert_str_eq(str_text(&said), lines[i][1]);
	}
}
END_TEST

int main(void) {
	Suite *suite = suite_create("shell_secret");
	TCase *t = tcase_create("shell_secret");
	SRunner *runner;
	int failed;

	tcase_add_test(t, lines_with_secrets_are_known);
	tcase_add_test(t, names_are_told);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
