/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripts: what is committed, what is left out with an error, what standard error says. Standard
 * error is a file for the time of a test. A script is judged by the addresses that exist when it
 * is over, since a block that was cut off must not leave any.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cli/batch.h"
#include "tests/lib/fake_shell.h"

#define ADDRESS "config firewall address\n"

static struct fake_shell f;
static FILE *errors;
static char said[65536];

static void start(enum shell_commit commit) {
	fake_shell_init_objects(&f, SHELL_COMMIT_EACH);
	f.sh.commit = commit;
	str_clear(&f.out.pending);
	errors = tmpfile();
	ck_assert_ptr_nonnull(errors);
	ck_assert_int_ge(dup2(fileno(errors), STDERR_FILENO), 0);
}

static void stop(void) {
	fclose(errors);
	fake_shell_done(&f);
}

static void run_as(const char *text, const char *name, bool prompts, void (*how)(struct batch *b)) {
	struct lines lines;
	struct batch b = { .sh = &f.sh, .lines = &lines, .name = name, .prompts = prompts };
	size_t n;

	lines_open_text(&lines, text);
	how(&b);
	lines_done(&lines);
	fflush(stderr);
	rewind(errors);
	n = fread(said, 1, sizeof(said) - 1, errors);
	said[n] = '\0';
	ck_assert_uint_eq(f.sh.context.depth, 0);
}

/* Script, what is on standard error, keys of addresses afterwards. */
static const struct {
	const char *script, *errors, *keys;
} cases[] = {
	{ "", "", "all web" },
	{ ADDRESS "edit a\nnext\nedit b\nend\n", "", "all web a b" },
	/* a line that fails is left out, the entry is not */
	{ ADDRESS "edit a\nset colour red\nset comment x\nnext\nend\n",
	  "s:3: error: command parse error before 'colour' (code -61)\n", "all web a" },
	/* so is a secret that another unit sealed */
	{ ADDRESS
	  "edit a\nend\nconfig system auto-scale\nset psksecret ENC foreign\nset hb-interval 5\nend\n",
	  "s:5: error: the ENC text is none that this unit made for such a secret: type it in clear; "
	  "node_check_object fail! for psksecret ***; value parse error before '***' (code -651)\n",
	  "all web a" },
	/* so is an entry, and the block goes on */
	{ "config firewall policy\nedit 1\nnext\nend\n" ADDRESS "edit a\nend\n",
	  "s:3: error: Attribute 'srcintf' MUST be set. (code -56)\n", "all web a" },
	/* a misspelt table takes its block with it */
	{ "config firewall adress\nedit a\nset comment x\nnext\nend\n" ADDRESS "edit b\nend\n",
	  "s:1: error: command parse error before 'adress' (code -61)\n"
	  "s:1: note: the lines up to its end were left out, too\n",
	  "all web b" },
	{ "config vdom\nedit root\n" ADDRESS "edit a\nend\nnext\nend\n" ADDRESS "edit b\nend\n",
	  "s:1: error: command parse error before 'vdom' (code -61)\n"
	  "s:1: note: the lines up to its end were left out, too\n",
	  "all web b" },
	/* a misspelt nested table does not change the entry around it */
	{ "config system cluster-sync\nedit 1\nconfig nonsense\nset peerip 10.0.0.9\nend\n"
	  "set peerip 10.0.0.1\n"
	  "next\nend\nshow system cluster-sync\n",
	  "s:3: error: command parse error before 'nonsense' (code -61)\n"
	  "s:3: note: the lines up to its end were left out, too\n",
	  "all web" },
	/* nor does an entry that cannot be opened */
	{ ADDRESS "edit \"<\"\nset comment x\nconfig tagging\nedit x\nnext\nend\nnext\nedit b\n"
		  "end\n",
	  "s:2: error: The string contains XSS vulnerability characters; value parse error before "
	  "'<' (code -173)\n"
	  "s:2: note: the lines up to its end were left out, too\n",
	  "all web b" },
	{ ADDRESS "edit a\nnext\nedit \"<\"\nset comment x\nend\nshow firewall address a\n",
	  "s:4: error: The string contains XSS vulnerability characters; value parse error before "
	  "'<' (code -173)\n"
	  "s:4: note: the lines up to its end were left out, too\n",
	  "all web a" },
	{ ADDRESS "edit a\nnext\nedit \"<\"\nend\n",
	  "s:4: error: The string contains XSS vulnerability characters; value parse error before "
	  "'<' (code -173)\n",
	  "all web a" },
	/* commands that change nothing are carried out although a table was misspelt */
	{ "config global\ndelte\ndiagnose sys vd list\nshow\n",
	  "s:1: error: command parse error before 'global' "
	  "(code -61)\ns:1: note: the lines up to its end were left out, too\n",
	  "all web" },
	{ "config global\ntree firewall nothing\npurge\n",
	  "s:1: error: command parse error before 'global' (code -61)\n"
	  "s:2: error: command parse error before 'nothing' (code -61)\n"
	  "s:1: note: the lines up to its end were left out, too\n",
	  "all web" },
	/* verbs for whole entries belong to their table */
	{ ADDRESS "rename web to www\nclone www to a\nrename nobody to b\nend\n",
	  "s:4: error: entry is not found in table (code -3)\n", "all www a" },
	{ ADDRESS "config nonsense\npurge\nrename web to www\nend\nedit a\nend\n",
	  "s:2: error: Unknown action 0\n"
	  "s:2: note: the lines up to its end were left out, too\n", "all web a" },
	{ ADDRESS "purge\nabort\n", "", "" },
	/* a block without its end does nothing */
	{ ADDRESS "purge\n",
	  "s:1: error: the configuration of 'firewall address' that begins in line 1 has no end: "
	  "nothing of it is committed (code -160)\n",
	  "all web" },
	{ ADDRESS "edit a\nnext\nedit b\nset comment x\n",
	  "s:1: error: the configuration of 'firewall address' that begins in line 1, entry 'b' "
	  "in it, has no end: "
	  "nothing of it is committed (code -160)\n",
	  "all web" },
	{ ADDRESS "edit a\nend\n# x\n" ADDRESS "edit b\nnext\n",
	  "s:5: error: the configuration of 'firewall address' that begins in line 5 has no end: "
	  "nothing of it is committed (code -160)\n",
	  "all web a" },
	{ ADDRESS "edit a\nset comment \"x\nend\n",
	  "s:3: error: Unmatched double quote. (code -61)\n"
	  "s:1: error: the configuration of 'firewall address' that begins in line 1, entry 'a' "
	  "in it, has no end: "
	  "nothing of it is committed (code -160)\n",
	  "all web" },
	/* abort leaves what next had saved */
	{ ADDRESS "edit a\nnext\nedit b\nabort\n", "", "all web a" },
	/* exit ends a script */
	{ ADDRESS "edit a\nend\nexit\n" ADDRESS "edit b\nend\n", "", "all web a" },
	{ ADDRESS "exit\nedit a\nend\n", "s:2: error: please use 'end' to return to root shell\n",
	  "all web a" },
	{ "\xef\xbb\xbf" ADDRESS "edit a\r\nnext\r\nend\r\n", "", "all web a" },
	{ "delte\n\ndelte\n", "s:1: error: Unknown action 0\ns:3: error: Unknown action 0\n",
	  "all web" },
	{ "config system ha\nconfig system ha\nend\nset group-name x\nend\n",
	  "s:2: error: command parse error before 'system' (code -61)\n", "all web" },
};

static int add_key(void *arg, struct object *obj) {
	struct str *out = arg;

	str_addf(out, "%s%s", out->len ? " " : "", obj->key);
	object_free(obj);
	return 0;
}

static void expect_keys(const char *want) {
	AUTO_STR struct str keys = STR_INIT;

	client_list(f.client, schema_find("firewall.address"), add_key, &keys, NULL);
	ck_assert_str_eq(str_text(&keys), want);
}

START_TEST(scripts) {
	start(SHELL_COMMIT_BLOCK);
	run_as(cases[_i].script, "s", false, batch_run);
	ck_assert_str_eq(said, cases[_i].errors);
	expect_keys(cases[_i].keys);
	stop();
}
END_TEST

START_TEST(a_failed_commit_is_told_at_the_end) {
	start(SHELL_COMMIT_BLOCK);
	fake_client_fail(f.client, "commit", 1, ERR_KERNEL, "no");
	run_as(ADDRESS "edit a\nnext\nend\n" ADDRESS "edit b\nnext\nend\n", "s", false, batch_run);
	ck_assert_str_eq(said, "s:4: error: no (code -362)\n");
	expect_keys("all web b");
	ck_assert_uint_eq(f.sh.failures, 1);
	stop();
}
END_TEST

START_TEST(entry_and_commit_can_both_fail) {
	start(SHELL_COMMIT_BLOCK);
	fake_client_fail(f.client, "commit", 1, ERR_KERNEL, "no");
	run_as("config firewall policy\nedit 1\nend\n", "s", false, batch_run);
	ck_assert_str_eq(said, "s:3: error: Attribute 'srcintf' MUST be set. (code -56)\n"
			       "s:3: error: no (code -362)\n");
	stop();
}
END_TEST

START_TEST(a_block_is_one_transaction) {
	start(SHELL_COMMIT_BLOCK);
	unsigned int commits = fake_client_calls(f.client, "commit");

	run_as(ADDRESS "edit a\nnext\nedit b\nnext\nend\nconfig system ha\nset group-name x\nend\n",
	       "s", false, batch_run);
	ck_assert_uint_eq(fake_client_calls(f.client, "commit"), commits + 2);
	stop();
}
END_TEST

START_TEST(atomic_commits_all) {
	start(SHELL_COMMIT_ALL);
	run_as(ADDRESS "edit a\nnext\nend\n" ADDRESS "edit b\nnext\nend\n", "s", false,
	       batch_run_atomic);
	ck_assert_str_eq(said, "");
	expect_keys("all web a b");
	ck_assert_uint_eq(fake_client_calls(f.client, "commit"), 1);
	ck_assert_uint_eq(f.sh.failures, 0);
	stop();
}
END_TEST

START_TEST(atomic_commits_nothing_after_an_error) {
	start(SHELL_COMMIT_ALL);
	run_as(ADDRESS "edit a\nnext\nend\ndelte\n" ADDRESS "edit b\nnext\nend\n", "s", false,
	       batch_run_atomic);
	ck_assert_str_eq(
		said,
		"s:5: error: Unknown action 0\nnothing was committed: 1 of the commands failed\n");
	expect_keys("all web");
	stop();
}
END_TEST

START_TEST(atomic_tells_a_failed_commit) {
	start(SHELL_COMMIT_ALL);
	fake_client_fail(f.client, "commit", 1, ERR_KERNEL, "no");
	run_as(ADDRESS "edit a\nnext\nend\n", "s", false, batch_run_atomic);
	ck_assert_str_eq(said, "s:4: error: nothing was committed; no (code -362)\n");
	expect_keys("all web");
	ck_assert_uint_eq(f.sh.failures, 1);
	stop();
}
END_TEST

START_TEST(warnings_have_a_place_and_do_no_harm) {
	start(SHELL_COMMIT_BLOCK);
	fake_client_warn(f.client, "put", "of the entry");
	fake_client_warn(f.client, "commit", "of the block");
	run_as(ADDRESS "edit a\nnext\nend\n", "s", false, batch_run);
	ck_assert_str_eq(said, "s:3: warning: of the entry\ns:4: warning: of the block\n");
	expect_keys("all web a");
	ck_assert_uint_eq(f.sh.failures, 0);
	stop();
}
END_TEST

START_TEST(atomic_warns_at_the_end) {
	start(SHELL_COMMIT_ALL);
	fake_client_warn(f.client, "commit", "of the whole");
	run_as(ADDRESS "edit a\nnext\nend\n", "s", false, batch_run_atomic);
	ck_assert_str_eq(said, "s:4: warning: of the whole\n");
	expect_keys("all web a");
	stop();
}
END_TEST

START_TEST(warnings_of_a_pipe_are_in_its_stream) {
	start(SHELL_COMMIT_BLOCK);
	fake_client_warn(f.client, "commit", "of the block");
	run_as(ADDRESS "edit a\nend\n", NULL, true, batch_run);
	ck_assert_str_eq(str_text(&f.out.pending),
			 "gate # \ngate (address) # new entry 'a' added\n\n"
			 "gate (a) # Warning: of the block\n\ngate # ");
	ck_assert_str_eq(said, "");
	stop();
}
END_TEST

START_TEST(a_pipe_gets_prompts_and_errors_in_its_stream) {
	start(SHELL_COMMIT_BLOCK);
	run_as("config firewall address\nedit a\nset colour red\n\nend\ndelte\nshow firewall vip\n",
	       NULL, true, batch_run);
	ck_assert_str_eq(
		str_text(&f.out.pending),
		"gate # \n"
		"gate (address) # new entry 'a' added\n\n"
		"gate (a) # \ncommand parse error before 'colour'\nCommand fail. Return code -61\n"
		"\n"
		"gate (a) # \n"
		"gate (a) # \n"
		"gate # Unknown action 0\n\n"
		"gate # config firewall vip\nend\n\n"
		"gate # ");
	ck_assert_str_eq(said, "");
	stop();
}
END_TEST

START_TEST(commands_of_an_option_print_output_only) {
	start(SHELL_COMMIT_BLOCK);
	run_as("diagnose sys vd list\ndelte\n", NULL, false, batch_run);
	ck_assert_str_eq(str_text(&f.out.pending), "diagnose sys vd list\nUnknown action 0\n");
	ck_assert_uint_eq(f.sh.failures, 1);
	stop();
}
END_TEST

/* A line each, wherever they would have gone otherwise; the output has none of them. */
START_TEST(errors_of_json_are_json) {
	start(SHELL_COMMIT_BLOCK);
	shell_print_json(&f.sh);
	fake_client_warn(f.client, "put", "say \"when\"");
	run_as(ADDRESS "edit a\nset colour red\nend\ndelte\nconfig nonsense\nedit 1\nend\n"
	       "config system standalone-cluster\nedit 1\nconfig session-sync-filter\nset x\n"
	       "abort\nabort\n",
	       "s", false, batch_run);
	ck_assert_str_eq(said,
			 "{\"kind\":\"error\",\"code\":-61,\"text\":\"command parse error before "
			 "'colour'\",\"line\":3,\"path\":\"firewall address a\"}\n"
			 "{\"kind\":\"warning\",\"text\":\"say \\\"when\\\"\",\"line\":4,"
			 "\"path\":\"firewall address a\"}\n"
			 "{\"kind\":\"error\",\"code\":-61,\"text\":\"Unknown action 0\","
			 "\"line\":5}\n"
			 "{\"kind\":\"error\",\"code\":-61,\"text\":\"command parse error before "
			 "'nonsense'\",\"line\":6}\n"
			 "{\"kind\":\"note\",\"text\":\"the lines up to its end were left out, "
			 "too\",\"line\":6}\n"
			 "{\"kind\":\"error\",\"code\":-61,\"text\":\"command parse error before "
			 "'x'\",\"line\":12,\"path\":\"system standalone-cluster 1 "
			 "session-sync-filter\"}\n");
	stop();
}
END_TEST

START_TEST(a_note_of_json_is_json) {
	start(SHELL_COMMIT_ALL);
	shell_print_json(&f.sh);
	run_as("delte\n", NULL, false, batch_run_atomic);
	ck_assert_str_eq(said, "{\"kind\":\"error\",\"code\":-61,\"text\":\"Unknown action 0\","
			       "\"line\":1}\n{\"kind\":\"note\",\"text\":\"nothing was committed: "
			       "1 of the commands failed\"}\n");
	stop();
}
END_TEST

START_TEST(a_lost_connection_ends_a_script) {
	start(SHELL_COMMIT_BLOCK);
	fake_client_fail(f.client, "put", 1, ERR_TIMEOUT, "gone");
	run_as(ADDRESS "edit a\nnext\nedit b\nnext\nend\n", "s", false, batch_run);
	ck_assert_str_eq(said, "s:3: error: gone (code -360)\n");
	ck_assert(f.sh.lost);
	stop();
}
END_TEST

int main(void) {
	Suite *suite = suite_create("batch");
	TCase *t = tcase_create("batch");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(t, scripts, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(t, a_failed_commit_is_told_at_the_end);
	tcase_add_test(t, entry_and_commit_can_both_fail);
	tcase_add_test(t, a_block_is_one_transaction);
	tcase_add_test(t, atomic_commits_all);
	tcase_add_test(t, atomic_commits_nothing_after_an_error);
	tcase_add_test(t, atomic_tells_a_failed_commit);
	tcase_add_test(t, warnings_have_a_place_and_do_no_harm);
	tcase_add_test(t, atomic_warns_at_the_end);
	tcase_add_test(t, warnings_of_a_pipe_are_in_its_stream);
	tcase_add_test(t, a_pipe_gets_prompts_and_errors_in_its_stream);
	tcase_add_test(t, commands_of_an_option_print_output_only);
	tcase_add_test(t, errors_of_json_are_json);
	tcase_add_test(t, a_note_of_json_is_json);
	tcase_add_test(t, a_lost_connection_ends_a_script);
	suite_add_tcase(suite, t);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed != 0;
}
