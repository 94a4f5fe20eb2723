/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Joining physical lines to commands: by examples, from text and from a pipe, and by random text
 * for which the line scanner must agree with the lexer, which knows the same rules in another form.
 * Bounds are tested at their edge.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/lex.h"
#include "cli/lines.h"

/* Text, and the commands in it separated by |; ! and a code for a line that is refused. */
static const struct {
	const char *text, *want;
} cases[] = {
	{ "", "" },
	{ "a", "a" },
	{ "a\n", "a" },
	{ "a\n\nb\n", "a||b" },
	{ "a\r\nb\r\n", "a|b" },
	{ "\xef\xbb\xbf" "a\n\xef\xbb\xbf" "b", "a|\xef\xbb\xbf" "b" },
	{ "set a \"x\ny\"\nb", "set a \"x\ny\"|b" },
	{ "set a \"x\r\ny\"\r\nb", "set a \"x\ny\"|b" },
	{ "set a 'x\ny'\nb", "set a 'x\ny'|b" },
	{ "set a 'x\"\ny'\nb", "set a 'x\"\ny'|b" },
	{ "set a \\\n b\nc", "set a \\\n b|c" },
	{ "set a \\\\\nc", "set a \\\\|c" },
	{ "set a \"\\\"\nb\"\nc", "set a \"\\\"\nb\"|c" },
	{ "# it's\nb", "# it's|b" },
	{ "  # \"\nb", "  # \"|b" },
	{ "a #\"\nb\"", "a #\"\nb\"" },
	{ "set a \"x\ny", "!-61" },
	{ "set a \\\n", "!-160" },
};

static void read_all(struct lines *l, struct str *got) {
	AUTO_STR struct str line = STR_INIT;
	struct err err = { 0 };
	bool first = true;
	int rc;

	while ((rc = lines_next(l, &line, &err)) != 0) {
		if (!first)
			str_add_char(got, '|');
		first = false;
		if (rc > 0) {
			str_add(got, str_text(&line));
			continue;
		}
		str_addf(got, "!%d", rc);
		ck_assert_int_eq(rc, err.code);
		ck_assert(*err.text);
	}
}

START_TEST(text_becomes_commands) {
	AUTO_STR struct str got = STR_INIT;
	struct lines l;

	lines_open_text(&l, cases[_i].text);
	read_all(&l, &got);
	lines_done(&l);
	ck_assert_str_eq(str_text(&got), cases[_i].want);
}
END_TEST

/* A pipe that holds n bytes. */
static int pipe_of(const void *data, size_t n) {
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	ck_assert_int_eq(write(fds[1], data, n), n);
	close(fds[1]);
	return fds[0];
}

START_TEST(file_becomes_commands) {
	AUTO_STR struct str got = STR_INIT;
	struct lines l;
	int fd = pipe_of(cases[_i].text, strlen(cases[_i].text));

	lines_open(&l, fd);
	read_all(&l, &got);
	lines_done(&l);
	close(fd);
	ck_assert_str_eq(str_text(&got), cases[_i].want);
}
END_TEST

START_TEST(zero_bytes_are_refused) {
	static const char text[] = "a\nb\0c\nd";
	AUTO_STR struct str got = STR_INIT;
	struct lines l;
	int fd = pipe_of(text, sizeof(text) - 1);

	lines_open(&l, fd);
	read_all(&l, &got);
	lines_done(&l);
	close(fd);
	ck_assert_str_eq(str_text(&got), "a|!-173|d");
}
END_TEST

START_TEST(long_lines_are_refused) {
	AUTO_STR struct str got = STR_INIT;
	size_t n = LEX_LINE_MAX + 1;
	char *text = xcalloc(n + 8, 1);
	struct lines l;

	memset(text, 'x', n);
	strcpy(text + n, "\nnext");
	lines_open_text(&l, text);
	read_all(&l, &got);
	lines_done(&l);
	free(text);
	ck_assert_str_eq(str_text(&got), "!-72|next");
}
END_TEST

START_TEST(lines_are_numbered) {
	AUTO_STR struct str line = STR_INIT;
	struct lines l;

	lines_open_text(&l, "a\n\"b\nc\"\nd");
	ck_assert_int_eq(lines_next(&l, &line, NULL), 1);
	ck_assert_uint_eq(l.first, 1);
	ck_assert_int_eq(lines_next(&l, &line, NULL), 1);
	ck_assert_uint_eq(l.first, 2);
	ck_assert_int_eq(lines_next(&l, &line, NULL), 1);
	ck_assert_uint_eq(l.first, 4);
	ck_assert_int_eq(lines_next(&l, &line, NULL), 0);
	lines_done(&l);
}
END_TEST

/* A single physical line: the scanner leaves it open exactly when the lexer asks for more. */
START_TEST(scanner_agrees_with_lexer) {
	static const char letters[] = "ab \t\"'\\#\"'\\";

	srandom(7);
	for (int round = 0; round < 200000; round++) {
		struct words words;
		char text[16];
		int n = (int)(random() % (long)(sizeof(text) - 1));
		enum lex_result rc;
		bool open;

		for (int i = 0; i < n; i++)
			text[i] = letters[random() % (long)(sizeof(letters) - 1)];
		text[n] = '\0';
		rc = lex_words(text, &words, NULL);
		words_done(&words);
		ck_assert_msg(line_is_open(line_scan(LINE_WHOLE, text)) == (rc == LEX_MORE), "<%s>",
			      text);
		ck_assert_ptr_eq(lex_line_end(text, &open), text + n);
		ck_assert_msg(open == (rc == LEX_MORE), "<%s>", text);
	}
}
END_TEST

/* Several physical lines: both find the same end of the first command. */
START_TEST(commands_end_where_the_lexer_says) {
	static const char letters[] = "ab \n\n\"'\\#";

	srandom(8);
	for (int round = 0; round < 200000; round++) {
		AUTO_STR struct str line = STR_INIT;
		struct lines l;
		char text[24];
		int n = (int)(random() % (long)(sizeof(text) - 1));
		const char *end;
		bool open;

		for (int i = 0; i < n; i++)
			text[i] = letters[random() % (long)(sizeof(letters) - 1)];
		text[n] = '\0';
		end = lex_line_end(text, &open);
		lines_open_text(&l, text);
		if (n == 0)
			ck_assert_int_eq(lines_next(&l, &line, NULL), 0);
		else if (open || (end > text && end[-1] == '\n'))
			lines_next(&l, &line, NULL);
		else
			ck_assert_msg(lines_next(&l, &line, NULL) == 1 &&
					      line.len == (size_t)(end - text),
				      "<%s>", text);
		lines_done(&l);
	}
}
END_TEST

int main(void) {
	Suite *suite = suite_create("lines");
	TCase *t = tcase_create("lines");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, text_becomes_commands, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(t, file_becomes_commands, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, zero_bytes_are_refused);
	tcase_add_test(t, long_lines_are_refused);
	tcase_add_test(t, lines_are_numbered);
	tcase_add_test(t, scanner_agrees_with_lexer);
	tcase_add_test(t, commands_end_where_the_lexer_says);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
