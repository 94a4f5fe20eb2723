/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `execute batch`: the daemon's half, which keeps a log for each of the last administrators, and
 * what a transcript with a real unit cannot show of the shell's: bounds, and a connection that
 * breaks in the middle.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_batch.h"
#include "tests/lib/fake_shell.h"
#include "tests/lib/fixture.h"

#define FAIL(code) "Command fail. Return code " #code "\n"

/* ---- the daemon ---- */

static int run(struct batch_logs *logs, const char *words, const char *user, size_t argc,
	       char *const *argv, struct str *out, struct err *err) {
	const struct command_call call = { .argc = argc, .argv = argv, .user = user };
	const struct command *commands;
	size_t n;

	commands = commands_batch(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(commands[i].words, words) == 0)
			return commands[i].run(logs, &call, out, err);
	ck_abort_msg("no command %s", words);
}

static void keep(struct batch_logs *logs, const char *user, const char *text) {
	AUTO_FREE char *first = xstrndup(text, strlen(text) / 2);
	AUTO_FREE char *second = xstrdup(text + strlen(text) / 2);
	char *argv[] = { first, second };

	ck_assert_int_eq(run(logs, "execute batch keep", user, 2, argv, NULL, NULL), 0);
}

static void has(struct batch_logs *logs, const char *user, const char *text) {
	AUTO_STR struct str out = STR_INIT;

	ck_assert_int_eq(run(logs, "execute batch lastlog", user, 0, NULL, &out, NULL), 0);
	ck_assert_str_eq(str_text(&out), text);
}

START_TEST(each_has_the_last_one) {
	struct batch_logs *logs = batch_logs_new();

	has(logs, "ann", "");
	keep(logs, "ann", "0: a\n-61: b\n");
	keep(logs, "bob", "0: c\n");
	has(logs, "ann", "0: a\n-61: b\n");
	has(logs, "bob", "0: c\n");
	keep(logs, "ann", "0: d\n");
	has(logs, "ann", "0: d\n");
	has(logs, "eve", "");
	batch_logs_free(logs);
}
END_TEST

static void has_json(struct batch_logs *logs, const char *text) {
	const struct command_call call = { .user = "ann", .json = true };
	AUTO_STR struct str out = STR_INIT;
	const struct command *commands;
	size_t n;

	commands = commands_batch(&n);
	for (size_t i = 0; i < n; i++)
		if (commands[i].has_json)
			ck_assert_int_eq(commands[i].run(logs, &call, &out, NULL), 0);
	ck_assert_str_eq(str_text(&out), text);
}

START_TEST(programs_read_it_as_json) {
	struct batch_logs *logs = batch_logs_new();

	has_json(logs, "[]\n");
	keep(logs, "ann", "0: set comment \"a: b\"\n-61: b\n");
	has_json(logs, "[\n{\"code\":0,\"command\":\"set comment \\\"a: b\\\"\"},\n"
		       "{\"code\":-61,\"command\":\"b\"}\n]\n");
	batch_logs_free(logs);
}
END_TEST

START_TEST(there_are_not_too_many) {
	struct batch_logs *logs = batch_logs_new();
	char user[16];

	for (int i = 0; i < BATCH_LOGS_MAX; i++) {
		snprintf(user, sizeof(user), "user%d", i);
		keep(logs, user, user);
	}
	has(logs, "user0", "user0");
	keep(logs, "user0", "again");
	keep(logs, "one more", "text");
	has(logs, "user0", "again");
	has(logs, "user1", "");
	has(logs, "user2", "user2");
	has(logs, "one more", "text");
	batch_logs_free(logs);
}
END_TEST

START_TEST(none_is_too_long) {
	struct batch_logs *logs = batch_logs_new();
	AUTO_FREE char *text = xcalloc(1, BATCH_LOG_MAX + 2);
	char *argv[] = { text };
	struct err err = { 0 };

	memset(text, 'x', BATCH_LOG_MAX + 1);
	keep(logs, "ann", "kept");
	ck_assert_int_eq(run(logs, "execute batch keep", "ann", 1, argv, NULL, &err), ERR_TOO_LONG);
	has(logs, "ann", "kept");
	text[BATCH_LOG_MAX] = '\0';
	ck_assert_int_eq(run(logs, "execute batch keep", "ann", 1, argv, NULL, &err), 0);
	has(logs, "ann", text);
	batch_logs_free(logs);
}
END_TEST

/* ---- the shell ---- */

START_TEST(a_batch_is_not_too_long) {
	AUTO_FREE char *line = xcalloc(1, QUEUE_BYTES_MAX + 1);
	struct fake_shell f;

	memset(line, 'x', QUEUE_BYTES_MAX);
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, "execute batch start\nconfig firewall address\nedit new\nend");
	shell_run(&f.sh, line);
	fake_shell_run(&f, "config firewall address\nedit new2\nend");
	ck_assert_str_eq(fake_shell_run(&f, "execute batch end"),
			 "the batch is too long: at most 2097152 bytes and 100000 lines\n"
			 "nothing of it was carried out\n" FAIL(-72));
	ck_assert_uint_eq(fake_client_count(f.client, fixture_table("firewall.address")), 2);
	ck_assert_str_eq(fake_shell_run(&f, "execute batch status"), "batch mode is stopped\n");
	fake_shell_run(&f, "execute batch start");
	for (int i = 0; i <= QUEUE_LINES_MAX; i++)
		shell_run(&f.sh, "x");
	fake_shell_run(&f, "execute batch end");
	ck_assert_uint_eq(f.sh.failures, 2);
	fake_shell_done(&f);
}
END_TEST

/* A block is one transaction; each line that fails counts. */
START_TEST(a_batch_is_a_script) {
	struct fake_shell f;
	unsigned int begins;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	begins = fake_client_calls(f.client, "begin");
	fake_shell_run(&f, "execute batch start\nconfig firewall address\nedit a\nnext\nedit b\n"
			   "set colour red\nnext\nend\ndelte");
	ck_assert_uint_eq(fake_client_calls(f.client, "begin"), begins);
	ck_assert_uint_eq(fake_client_count(f.client, fixture_table("firewall.address")), 2);
	ck_assert_str_eq(fake_shell_run(&f, "execute batch end"), "Exit and run batch commands...\n");
	ck_assert_uint_eq(fake_client_calls(f.client, "begin"), begins + 1);
	ck_assert_uint_eq(fake_client_count(f.client, fixture_table("firewall.address")), 4);
	ck_assert_uint_eq(f.sh.failures, 2);
	ck_assert_int_eq(f.sh.commit, SHELL_COMMIT_EACH);
	ck_assert_ptr_null((void *)f.out.filter.text);
	fake_shell_done(&f);
}
END_TEST

START_TEST(a_lost_connection_is_told) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, "execute batch start\nconfig system ha\nend\nconfig system ha\nend");
	fake_client_fail(f.client, "get", 1, ERR_TIMEOUT, "gone");
	ck_assert_str_eq(fake_shell_run(&f, "execute batch end"),
			 "Exit and run batch commands...\ngone\n" FAIL(-360));
	ck_assert(f.sh.lost);
	fake_shell_done(&f);
}
END_TEST

/* Aliases may hold a batch, and a batch may use aliases. */
START_TEST(batches_and_aliases) {
	struct fake_shell f;

	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	fake_shell_run(&f, "config system alias\nedit whole\nset command \"execute batch start\n"
			   "config firewall address\nedit $1\nend\nexecute batch end\"\nnext\n"
			   "edit start\nset command \"execute batch start\"\nend");
	ck_assert_str_eq(fake_shell_run(&f, "alias whole n1"),
			 "Enter batch mode...\nExit and run batch commands...\n");
	ck_assert_uint_eq(fake_client_count(f.client, fixture_table("firewall.address")), 3);
	fake_shell_run(&f, "execute batch start\nalias whole n2\nalias start\nexecute batch end");
	ck_assert_uint_eq(fake_client_count(f.client, fixture_table("firewall.address")), 3);
	ck_assert_uint_eq(f.sh.failures, 2);
	ck_assert(!f.sh.queue.open);
	fake_shell_done(&f);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("cmd_batch");
	TCase *t = fixture_case(suite, "cmd_batch");

	tcase_add_test(t, each_has_the_last_one);
	tcase_add_test(t, programs_read_it_as_json);
	tcase_add_test(t, there_are_not_too_many);
	tcase_add_test(t, none_is_too_long);
	tcase_add_test(t, a_batch_is_not_too_long);
	tcase_add_test(t, a_batch_is_a_script);
	tcase_add_test(t, a_lost_connection_is_told);
	tcase_add_test(t, batches_and_aliases);
	return fixture_run(suite);
}
