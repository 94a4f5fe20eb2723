/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A printed difference is a script: carried out by the shell, on a daemon whose configuration is
 * the one that it begins at, it leads to the other one, digests and order included. Any two
 * revisions of random histories, and the way back; as one transaction, and block by block.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"
#include "cfgdb/control/server.h"
#include "cfgdb/difference.h"
#include "cfgdb/digest.h"
#include "cfgdb/history.h"
#include "cli/batch.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_edits.h"

#define COMMITS 12
#define PAIRS	8

static char *dir, *path;
static pid_t daemon_pid;
static FILE *errors;
static char said[4096];

static void setup(void) {
	dir = fixture_dir();
	path = xasprintf("%s/ctl", dir);
	errors = tmpfile();
	ck_assert_ptr_nonnull(errors);
	ck_assert_int_ge(dup2(fileno(errors), STDERR_FILENO), 0);
}

static void teardown(void) {
	fclose(errors);
	free(path);
	free(dir);
}

/* ---- a daemon without a kernel, in a process of its own ---- */

static void serve(int ready) {
	struct server_config config = { .path = path, .group = "root", .version = "test" };
	struct event_base *base = event_base_new();
	struct engine *e = fixture_engine(dir);

	if (server_new(base, e, &config, NULL) && write(ready, "", 1) == 1)
		event_base_dispatch(base);
	_exit(1);
}

static void daemon_start(void) {
	int ready[2];
	char byte;

	ck_assert_int_eq(pipe(ready), 0);
	daemon_pid = fork();
	ck_assert_int_ge(daemon_pid, 0);
	if (daemon_pid == 0)
		serve(ready[1]);
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
}

static void daemon_stop(void) {
	kill(daemon_pid, SIGKILL);
	ck_assert_int_eq(waitpid(daemon_pid, NULL, 0), daemon_pid);
}

/* Carry out a script with the shell; what it says on standard error is in said. */
static unsigned long run_script(const char *text, bool atomic) {
	struct err err = { 0 };
	struct client *client = client_open(path, &err);
	unsigned long failures;
	struct lines lines;
	struct shell sh;
	struct out out;
	struct batch b = { .sh = &sh, .lines = &lines, .name = "script" };
	size_t n;

	ck_assert_msg(client != NULL, "%s", err.text);
	out_init(&out, -1);
	shell_init(&sh, client, &out, atomic ? SHELL_COMMIT_ALL : SHELL_COMMIT_BLOCK);
	lines_open_text(&lines, text);
	if (atomic)
		batch_run_atomic(&b);
	else
		batch_run(&b);
	failures = sh.failures;
	lines_done(&lines);
	shell_done(&sh);
	out_done(&out);
	client_close(client);
	rewind(errors);
	n = fread(said, 1, sizeof(said) - 1, errors);
	said[n] = '\0';
	rewind(errors);
	ck_assert_int_eq(ftruncate(fileno(errors), 0), 0);
	return failures;
}

/* ---- what is compared ---- */

struct state {
	char *picture;
	struct digest_group digests;
};

static void take_state(struct engine *e, struct state *ret) {
	struct digest_view view;

	ret->picture = random_picture_now(e);
	digest_view_init(&view, e);
	digest_group(&view, &ret->digests);
}

static void check_state(const struct state *got, const struct state *want, const char *script) {
	size_t line = 0;

	for (size_t i = 0; got->picture[i] && got->picture[i] == want->picture[i]; i++)
		line = got->picture[i] == '\n' ? i + 1 : line;
	ck_assert_msg(strcmp(got->picture, want->picture) == 0,
		      "%.300s\n--- wanted ---\n%.300s\n--- script ---\n%.2000s",
		      got->picture + line, want->picture + line, script);
	ck_assert_mem_eq(&got->digests, &want->digests, sizeof(got->digests));
}

/* Commit a revision of the past, and remember what it is. */
static void go_to(struct engine *e, uint64_t revision, struct state *ret) {
	struct txn *t = txn_new(e, "admin", "test");
	struct err err = { 0 };
	int rc = history_stage(t, revision, &err);

	if (rc == 0)
		rc = txn_commit(t, &err);
	ck_assert_msg(rc == 0, "%s", err.text);
	txn_free(t);
	take_state(e, ret);
}

static void check_pair(uint64_t a, uint64_t b, bool atomic) {
	struct engine *e = fixture_engine(dir);
	struct state from, to, got;
	AUTO_STR struct str script = STR_INIT;
	struct txn *t, *u;
	unsigned long failures;

	go_to(e, b, &to);
	go_to(e, a, &from);
	t = history_look(e, a, NULL);
	u = history_look(e, b, NULL);
	difference(t, u, &script);
	txn_free(t);
	txn_free(u);
	engine_close(e);
	daemon_start();
	failures = run_script(str_text(&script), atomic);
	daemon_stop();
	ck_assert_msg(failures == 0, "%s\n--- script ---\n%.3500s", said, str_text(&script));
	e = fixture_engine(dir);
	take_state(e, &got);
	engine_close(e);
	check_state(&got, &to, str_text(&script));
	free(from.picture);
	free(to.picture);
	free(got.picture);
}

static void make_history(struct rng *r, uint64_t *first, uint64_t *last) {
	struct engine *e = fixture_engine(dir);

	*first = e->revision;
	for (unsigned int i = 0; i < COMMITS; i++) {
		struct txn *t = txn_new(e, "admin", "test");

		random_changes(r, t, 1 + rng_below(r, 40));
		txn_commit(t, NULL);
		txn_free(t);
	}
	*last = e->revision;
	engine_close(e);
}

START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed() * 100 + (uint64_t)_i);
	uint64_t first, last;

	make_history(&r, &first, &last);
	for (unsigned int i = 0; i < PAIRS; i++) {
		uint32_t span = (uint32_t)(last - first + 1);
		uint64_t a = first + rng_below(&r, span), b = first + rng_below(&r, span);

		check_pair(a, b, i % 2 == 0);
		check_pair(b, a, i % 2 == 0);
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("difference_script");
	TCase *t = fixture_case(s, "difference_script");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_random, 0, (int)fixture_rounds(4));
	return fixture_run(s);
}
