/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Bars in a line: where they count, by examples and, for random text, by the lexer, which knows the
 * same quotes. Then lines as they are typed: what their filters let through, what goes past them,
 * and which lines are refused before anything happens.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/batch.h"
#include "cli/pipe.h"
#include "tests/lib/fake_shell.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

/* A line, its command, and its filters, one after the other in brackets. */
static const struct {
	const char *line, *parts;
} splits[] = {
	{ "", "" },
	{ "show", "show" },
	{ "show | grep x", "show [ grep x]" },
	{ "show|grep x", "show[grep x]" },
	{ "show | grep x | grep -v y", "show [ grep x ][ grep -v y]" },
	{ "|", "[]" },
	{ "a ||", "a [][]" },
	{ "set comment \"a|b\"", "set comment \"a|b\"" },
	{ "set comment 'a|b' | grep c", "set comment 'a|b' [ grep c]" },
	{ "set comment a\\|b", "set comment a\\|b" },
	{ "set comment a\\\\|b", "set comment a\\\\[b]" },
	{ "set comment \"a\\\"|b\" | c", "set comment \"a\\\"|b\" [ c]" },
	{ "set comment \"a\\\\\"|b", "set comment \"a\\\\\"[b]" },
	{ "set comment 'a\\'|b", "set comment 'a\\'[b]" },
	{ "set comment \"two\nlines | x\" | y", "set comment \"two\nlines | x\" [ y]" },
	{ "show | grep \"a|b\" | grep 'c|d'", "show [ grep \"a|b\" ][ grep 'c|d']" },
	{ "show \"open | x", "show \"open | x" },
	{ "show \\", "show \\" },
	{ "# a | b", "# a | b" },
	{ "  # a | b", "  # a | b" },
	{ "a # b | c", "a # b [ c]" },
};

START_TEST(bars_split_a_line) {
	AUTO_STR struct str parts = STR_INIT;
	const char *line = splits[_i].line;
	struct pipe p;

	ck_assert_int_eq(pipe_split(line, &p, NULL), 0);
	str_add_bytes(&parts, line, p.end);
	for (size_t i = 0; i < p.n; i++)
		str_addf(&parts, "[%.*s]", (int)(p.stop[i] - p.start[i]), line + p.start[i]);
	ck_assert_str_eq(str_text(&parts), splits[_i].parts);
}
END_TEST

START_TEST(there_are_not_too_many) {
	AUTO_STR struct str line = STR_INIT;
	struct err err = { 0 };
	struct pipe p;

	str_add(&line, "show");
	for (int i = 0; i < PIPE_STAGES_MAX; i++)
		str_add(&line, " | grep x");
	ck_assert_int_eq(pipe_split(str_text(&line), &p, &err), 0);
	ck_assert_uint_eq(p.n, PIPE_STAGES_MAX);
	str_add(&line, "|");
	ck_assert_int_eq(pipe_split(str_text(&line), &p, &err), ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, "too many filters in one line: at most 16");
}
END_TEST

/*
 * A bar that the lexer would make a word of its own if blanks were around it is no part of a quoted
 * or escaped piece: the text up to a bar has no open quote, and a bar inside is in what the words
 * hold.
 */
START_TEST(bars_and_words_agree) {
	static const char letters[] = "ab|\"'\\ |\n";

	for (unsigned int n = 0; n < fixture_rounds(50000); n++) {
		struct rng r = rng_seed(fixture_seed() * 1000003 + n);
		AUTO_WORDS struct words words = { 0 };
		char line[24] = { 0 };
		size_t len = rng_below(&r, sizeof(line)), kept = 0, all = 0;
		struct pipe p;

		for (size_t i = 0; i < len; i++)
			line[i] = letters[rng_below(&r, sizeof(letters) - 1)];
		ck_assert_int_eq(pipe_split(line, &p, NULL), 0);
		for (size_t i = 0; i < p.n; i++) {
			AUTO_FREE char *before = xstrndup(line, p.start[i] - 1);
			AUTO_WORDS struct words part = { 0 };

			ck_assert_msg(lex_words(before, &part, NULL) == LEX_OK ||
				      before[strlen(before) - 1] == '\\', "%s", line);
		}
		lex_words(line, &words, NULL);
		for (size_t i = 0; i < words.n; i++)
			for (const char *c = words.w[i]; *c; c++)
				kept += *c == '|';
		for (size_t i = 0; i < len; i++)
			all += line[i] == '|';
		ck_assert_uint_eq(kept, all);
	}
}
END_TEST

/* ---- lines that are carried out ---- */

#define FAIL(code) "Command fail. Return code " #code "\n"
#define USAGE_LINES 10

static const struct {
	const char *typed, *printed;
} cases[] = {
	{ "get system console | grep ^output", "output              : more \n" },
	{ "get system console|grep output", "output              : more \n" },
	{ "get system console | gr ^output", "output              : more \n" },
	{ "get system console | grep 'output '", "output              : more \n" },
	{ "get system console | grep \"output  \"", "output              : more \n" },
	{ "get system console | grep nothing", "" },
	{ "get system console | grep -c nothing", "0\n" },
	{ "get system console | grep -c \"\"", "4\n" },
	{ "get system console | grep -vc ''", "0\n" },
	{ "get system console | grep e | grep -v mode | grep -n o",
	  "2:output              : more \n3:login               : enable \n" },
	{ "get firewall schedule recurring | grep ==", "== [ always ]\n" },
	{ "config firewall address\nshow | grep -f web\nend",
	  "config firewall address\n    edit \"web\" <---\n        set uuid <->\n"
	  "        set subnet 10.0.0.0 255.255.255.0\n    next\nend\n" },
	{ "config firewall address\nedit web\nshow | grep edit\nabort", "    edit \"web\"\n" },
	{ "show firewall vip | grep -f x", "" },

	/* what goes past the filters */
	{ "show firewall policy x | grep nothing", "entry is not found in table\n" FAIL(-3) },
	{ "delte | grep nothing", "Unknown action 0\n" },
	{ "config firewall address\nedit new | grep added\nabort", "new entry 'new' added\n" },
	{ "config firewall address\nedit new | grep -v added\nabort", "" },

	/* what is refused */
	{ "show | less", "\ncommand parse error before 'less'\n" FAIL(-61) },
	{ "show | grepp x", "\ncommand parse error before 'grepp'\n" FAIL(-61) },
	{ "show |", "\nincomplete command in the end\n" FAIL(-160) },
	{ "show | | grep x", "\nincomplete command in the end\n" FAIL(-160) },
	{ "| grep x", "\ncommand parse error before '|'\n" FAIL(-61) },
	{ "show | grep", "\nincomplete command in the end\n" FAIL(-160) },
	{ "show | grep x y", "\ncommand parse error before 'y'\n" FAIL(-61) },
	{ "show | grep -z x", "\ncommand parse error before '-z'\n" FAIL(-61) },
	{ "show | grep -A", "\nincomplete command in the end\n" FAIL(-160) },
	{ "show | grep -A x y",
	  "invalid unsigned integer value: x\n\nvalue parse error before 'x'\n" FAIL(-651) },
	{ "show | grep -B -1 y",
	  "invalid unsigned integer value: -1\n\nvalue parse error before '-1'\n" FAIL(-651) },
	{ "show | grep -C 10001 y",
	  "invalid unsigned integer value: 10001\n\nvalue parse error before '10001'\n"
	  FAIL(-651) },
	{ "show | grep \"x\\(\"",
	  "no regular expression: Unmatched ( or \\(\n\nvalue parse error before 'x\\('\n"
	  FAIL(-651) },
	{ "config firewall address | less\nshow firewall vip",
	  "\ncommand parse error before 'less'\n" FAIL(-61) "config firewall vip\nend\n" },
};

/* The only thing that differs from run to run. */
static void hide_uuids(char *text) {
	static const char key[] = "set uuid ";

	for (char *at = text; (at = strstr(at, key)) != NULL; at++) {
		char *from = at + strlen(key), *to = from + strcspn(from, "\n ");

		if (to - from > 3) {
			memcpy(from, "<->", 3);
			memmove(from + 3, to, strlen(to) + 1);
		}
	}
}

START_TEST(lines_are_filtered) {
	AUTO_FREE char *printed = NULL;
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	printed = xstrdup(fake_shell_run(&f, cases[_i].typed));
	hide_uuids(printed);
	ck_assert_str_eq(printed, cases[_i].printed);
	ck_assert_ptr_null((void *)f.out.filter.text);
	fake_shell_done(&f);
}
END_TEST

START_TEST(usage_is_told_and_nothing_done) {
	static const char head[] = "Usage: grep [-invfcABC] PATTERN\nOptions:\n        -i      ";
	struct fake_shell f;
	const char *text;
	size_t lines = 0;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	text = fake_shell_run(&f, "config firewall address | grep -h");
	ck_assert_int_eq(strncmp(text, head, strlen(head)), 0);
	for (; *text; text++)
		lines += *text == '\n';
	ck_assert_uint_eq(lines, USAGE_LINES);
	ck_assert_uint_eq(f.sh.context.depth, 0);
	ck_assert_uint_eq(f.sh.failures, 0);
	fake_shell_done(&f);
}
END_TEST

static bool deny(void *arg, const char *question) {
	out_text(arg, question);
	return false;
}

START_TEST(warnings_and_questions_pass) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_client_warn(f.client, "put", "it will not do");
	ck_assert_str_eq(fake_shell_run(&f, "config firewall address\nedit n | grep no\nend | grep no"),
			 "Warning: it will not do\n");
	f.sh.confirm = deny;
	f.sh.confirm_arg = &f.out;
	ck_assert_str_eq(fake_shell_run(&f, "execute log delete-all | grep nothing"),
			 "This will delete all log lines!\nDo you want to continue? (y/n)");
	fake_shell_done(&f);
}
END_TEST

START_TEST(a_quote_must_end) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	str_clear(&f.out.pending);
	ck_assert_int_eq(shell_run(&f.sh, "show | grep \"open"), ERR_PARSE);
	ck_assert_str_eq(str_text(&f.out.pending), "Unmatched double quote.\n" FAIL(-61));
	fake_shell_done(&f);
}
END_TEST

/* In a script an `end` is one, whatever its output goes through. */
START_TEST(scripts_know_their_verbs) {
	struct fake_shell f;
	struct lines lines;
	struct batch b = { .sh = &f.sh, .lines = &lines };

	fake_shell_init_objects(&f, SHELL_COMMIT_BLOCK);
	lines_open_text(&lines, "config firewall nonsense|grep x\nedit 1\nend|grep x\n"
				"config firewall address\nedit new|grep x\nnext\nend|grep x\n");
	batch_run(&b);
	ck_assert_uint_eq(f.sh.failures, 1);
	ck_assert_uint_eq(fake_client_count(f.client, fixture_table("firewall.address")), 3);
	fake_shell_done(&f);
}
END_TEST

/* An endless output comes line by line; what is said at its end is no part of it. */
static void count_and_stop(void *arg, const char *text, size_t n) {
	(void)arg;
	ck_assert_uint_gt(n, 0);
	ck_assert_int_eq(text[n - 1], '\n');
}

START_TEST(lines_come_whole) {
	struct grep *g;
	struct err err;
	char word[] = "a";
	char *words[] = { word };
	const char text[] = "one\nand\ntwo\nlast a";

	ck_assert_int_eq(grep_new(words, 1, count_and_stop, NULL, &g, &err), 0);
	for (const char *p = text; *p; p++)
		grep_text(g, p, 1);
	grep_end(g);
	grep_free(g);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("pipe");
	TCase *t = fixture_case(suite, "pipe");

	tcase_add_loop_test(t, bars_split_a_line, 0, (int)ARRAY_LEN(splits));
	tcase_add_test(t, there_are_not_too_many);
	tcase_add_test(t, bars_and_words_agree);
	tcase_add_loop_test(t, lines_are_filtered, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, usage_is_told_and_nothing_done);
	tcase_add_test(t, warnings_and_questions_pass);
	tcase_add_test(t, a_quote_must_end);
	tcase_add_test(t, scripts_know_their_verbs);
	tcase_add_test(t, lines_come_whole);
	return fixture_run(suite);
}
