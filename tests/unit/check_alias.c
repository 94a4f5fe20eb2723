/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Aliases: what takes the place of an argument, by examples, and for random arguments by what the
 * lexer reads afterwards: the argument, whole, and nothing else new. Then aliases at work in a
 * shell: what they print, what they leave open, what they refuse.
 */
#include <check.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/alias.h"
#include "cli/complete.h"
#include "cli/pipe.h"
#include "tests/lib/fake_shell.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define ARGS_MAX 9

static char arg_words[ARGS_MAX][8] = { "one", "t wo", "th\"ree", "fo|ur", "#", "", "7", "8", "9" };

static void expand(const char *line, size_t argc, struct str *out) {
	char *argv[ARGS_MAX];

	for (size_t i = 0; i < ARGS_MAX; i++)
		argv[i] = arg_words[i];
	alias_expand(line, argv, argc, out);
}

/* A line, how many arguments it takes (-1: all), and what becomes of it. */
static const struct {
	const char *line;
	int takes;
	const char *expanded;
} expansions[] = {
	{ "show firewall policy", 0, "show firewall policy" },
	{ "show $1", 1, "show \"one\"" },
	{ "show $2", 2, "show \"t wo\"" },
	{ "show x$1y", 1, "show x\"one\"y" },
	{ "show $3", 3, "show \"th\\\"ree\"" },
	{ "show \"$3\"", 3, "show \"th\\\"ree\"" },
	{ "show \"a $2 b\"", 2, "show \"a t wo b\"" },
	{ "show '$1'", 0, "show '$1'" },
	{ "show \"'$1'\"", 1, "show \"'one'\"" },
	{ "show '\"$1'$1", 1, "show '\"$1'\"one\"" },
	{ "show \\$1", 0, "show \\$1" },
	{ "show \\\\$1", 1, "show \\\\\"one\"" },
	{ "show \"\\\\$1\"", 1, "show \"\\\\one\"" },
	{ "show \"\\\"$1\"", 1, "show \"\\\"one\"" },
	{ "show | grep $4", 4, "show | grep \"fo|ur\"" },
	{ "show | grep \"$4$\"", 4, "show | grep \"fo|ur$\"" },
	{ "$5 x", 5, "\"#\" x" },
	{ "set a $6", 6, "set a \"\"" },
	{ "show $*", -1, "show \"one\" \"t wo\" \"th\\\"ree\"" },
	{ "show \"$*\"", -1, "show \"one t wo th\\\"ree\"" },
	{ "show $10", 1, "show \"one\"0" },
	{ "show $0 $$ $ $x", 0, "show $0 $$ $ $x" },
	{ "# $1", 0, NULL },
};

START_TEST(arguments_take_their_places) {
	AUTO_STR struct str out = STR_INIT;
	size_t least, most = alias_arguments(expansions[_i].line, &least);

	if (expansions[_i].takes < 0) {
		ck_assert_uint_eq(most, SIZE_MAX);
		ck_assert_uint_eq(least, 0);
	} else {
		ck_assert_uint_eq(most, expansions[_i].takes);
		ck_assert_uint_eq(least, expansions[_i].takes);
	}
	if (!expansions[_i].expanded)
		return;
	expand(expansions[_i].line, expansions[_i].takes < 0 ? 3 : ARGS_MAX, &out);
	ck_assert_str_eq(str_text(&out), expansions[_i].expanded);
}
END_TEST

START_TEST(all_and_some) {
	size_t least;

	ck_assert_uint_eq(alias_arguments("show $2 $*", &least), SIZE_MAX);
	ck_assert_uint_eq(least, 2);
}
END_TEST

static char *random_argument(struct rng *r) {
	static const char letters[] = "ab \"'\\|\n\t$1*#;()<>";
	size_t len = rng_below(r, 12);
	char *text = xcalloc(1, len + 1);

	for (size_t i = 0; i < len; i++)
		text[i] = letters[rng_below(r, sizeof(letters) - 1)];
	return text;
}

START_TEST(an_argument_stays_one) {
	static const struct {
		const char *line, *before, *after; /* word 1 is before, the argument, after */
	} places[] = { { "set $1", "", "" },
		       { "set a$1b", "a", "b" },
		       { "set \"$1\"", "", "" },
		       { "set \"a $1 b\"", "a ", " b" },
		       { "set 'x y'$1", "x y", "" },
		       { "set \\\"$1", "\"", "" } };

	for (unsigned int n = 0; n < fixture_rounds(20000); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000003 + n);
		AUTO_FREE char *argument = random_argument(&r), *want = NULL;
		AUTO_STR struct str out = STR_INIT;
		AUTO_WORDS struct words words = { 0 };
		char *argv[] = { argument };
		size_t k = rng_below(&r, ARRAY_LEN(places));
		struct pipe pipe;

		want = xasprintf("%s%s%s", places[k].before, argument, places[k].after);
		alias_expand(places[k].line, argv, 1, &out);
		ck_assert_int_eq(pipe_split(str_text(&out), &pipe, NULL), 0);
		ck_assert_uint_eq(pipe.n, 0);
		ck_assert_int_eq(lex_words(str_text(&out), &words, NULL), LEX_OK);
		ck_assert_msg(words.n == 2 && strcmp(words.w[1], want) == 0, "%s", str_text(&out));
	}
}
END_TEST

/* ---- in a shell ---- */

#define ALIASES \
	"config system alias\n" \
	"edit ad\nset command \"show firewall address \\\"$1\\\" | grep $2\"\nnext\n" \
	"edit new\nset command \"config firewall address\nedit $1\nset comment '$1'\nend\"\nnext\n" \
	"edit bad\nset command \"config firewall address\nedit $1\nset colour red\nend\"\nnext\n" \
	"edit open\nset command \"conf firewall address\"\nnext\n" \
	"edit open-bad\nset command \"conf firewall address\ndelte\"\nnext\n" \
	"edit self\nset command \"show firewall vip\nalias self\"\nnext\n" \
	"edit all\nset command \"alias ad $*\"\nnext\n" \
	"edit broken\nset command \"show \\\"\"\nnext\n" \
	"end\n"
#define FAIL(code) "Command fail. Return code " #code "\n"
#define SELF "alias self, line 2:\n"
#define WEB "    edit \"web\"\n"

static const struct {
	const char *typed, *printed, *prompt;
} cases[] = {
	{ "alias ad web edit", WEB, "gate # " },
	{ "al ad web edit", WEB, "gate # " },
	{ "alias all web edit", WEB, "gate # " },
	{ "alias ad web edit | grep -c .", "1\n", "gate # " },
	{ "alias new n1 | grep nothing\nalias ad n1 comment",
	  "        set comment \"$1\"\n", "gate # " },
	{ "alias open\nshow web | grep edit", WEB, "gate (address) # " },
	{ "alias self", "config firewall vip\nend\nconfig firewall vip\nend\nconfig firewall vip\nend\n"
	  "config firewall vip\nend\nconfig firewall vip\nend\nconfig firewall vip\nend\n"
	  "config firewall vip\nend\nconfig firewall vip\nend\n"
	  SELF SELF SELF SELF SELF SELF SELF SELF
	  "aliases are nested too deeply: at most 8 inside each other\n"
	  "Command fail. Return code -4 (reached the maximum number of entries)\n", "gate # " },

	/* one that fails is left, with what it had opened */
	{ "alias bad n2\nshow firewall address n2",
	  "new entry 'n2' added\nalias bad, line 3:\n\ncommand parse error before 'colour'\n" FAIL(-61)
	  "entry is not found in table\n" FAIL(-3), "gate # " },
	{ "alias open-bad", "alias open-bad, line 2:\nUnknown action 0\n", "gate # " },
	{ "alias broken", "Unmatched double quote.\n" FAIL(-61), "gate # " },

	/* what is refused */
	{ "alias ad web", "alias 'ad' lacks arguments: it needs 2\n\nincomplete command in the end\n" FAIL(-160),
	  "gate # " },
	{ "alias new", "alias 'new' lacks arguments: it needs 1\n\nincomplete command in the end\n" FAIL(-160),
	  "gate # " },
	{ "alias ad web edit x", "\ncommand parse error before 'x'\n" FAIL(-61), "gate # " },
	{ "alias open x", "\ncommand parse error before 'x'\n" FAIL(-61), "gate # " },
	{ "alias", "\nincomplete command in the end\n" FAIL(-160), "gate # " },
	{ "alias nobody", "entry is not found in table\n" FAIL(-3), "gate # " },
	{ "config firewall address\nalias open", "Unknown action 0\n", "gate (address) # " },
	{ "alias ad \"web\" \"x\\\" | less\"", "", "gate # " },
};

START_TEST(aliases_run) {
	AUTO_FREE char *prompt = NULL;
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, ALIASES);
	ck_assert_uint_eq(f.sh.failures, 0);
	ck_assert_str_eq(fake_shell_run(&f, cases[_i].typed), cases[_i].printed);
	ck_assert_uint_eq(f.sh.alias_depth, 0);
	prompt = fake_shell_prompt(&f);
	ck_assert_str_eq(prompt, cases[_i].prompt);
	fake_shell_done(&f);
}
END_TEST

/* `alias ?` lists them. */
START_TEST(aliases_are_offered) {
	struct completion c;
	struct fake_shell f;
	AUTO_STR struct str text = STR_INIT;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, ALIASES);
	complete_line(&f.sh, "alias o", &c);
	for (size_t i = 0; i < c.n; i++)
		str_addf(&text, "%s|", c.items[i].word);
	complete_done(&c);
	ck_assert_str_eq(str_text(&text), "open|open-bad|");
	fake_shell_done(&f);
}
END_TEST

/* An error is told and counted once, however deep it came from. */
START_TEST(one_error_is_one) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, ALIASES);
	fake_shell_run(&f, "alias self");
	ck_assert_uint_eq(f.sh.failures, 1);
	fake_shell_done(&f);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("alias");
	TCase *t = fixture_case(suite, "alias");

	tcase_add_loop_test(t, arguments_take_their_places, 0, (int)ARRAY_LEN(expansions));
	tcase_add_test(t, all_and_some);
	tcase_add_test(t, an_argument_stays_one);
	tcase_add_loop_test(t, aliases_run, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, aliases_are_offered);
	tcase_add_test(t, one_error_is_one);
	return fixture_run(suite);
}
