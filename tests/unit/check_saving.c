/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is not saved: when it begins, when it ends, and that the unit goes back to what was saved,
 * in time, after a start of the machine, and whatever fails or dies between.
 */
#include "cfgdb/saving.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/digest.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_edits.h"

#define TIMEOUT 100
#define MANUAL	"set cfg-save manual\n"
#define REVERT	"set cfg-save revert\nset cfg-revert-timeout 100\n"

static struct moment now;
static const char *boot_id;
static char *dir;
static struct engine *engine;
static struct saving *saving;
static struct str told;

static void test_clock(struct moment *ret) {
	*ret = now;
}

static void hear(void *arg, bool failed, const char *text) {
	(void)arg;
	str_addf(&told, "%s%s\n", failed ? "failed: " : "", text);
}

static void open_all(void) {
	struct saving_config config = { .clock = test_clock, .boot_id = boot_id, .tell = hear };
	struct err err = { 0 };

	config.engine = engine = fixture_engine(dir);
	saving = saving_open(&config, &err);
	ck_assert_msg(saving != NULL, "%s", err.text);
	ck_assert_int_eq(saving_start(saving, &err), 0);
}

static void close_all(void) {
	engine_close(engine);
	saving_close(saving);
}

static void setup(void) {
	now = (struct moment){ 1000000, 5000 };
	boot_id = "first";
	str_clear(&told);
	dir = fixture_dir();
	open_all();
}

static void teardown(void) {
	fixture_fault(NULL);
	close_all();
	free(dir);
	str_done(&told);
}

static void restart(void) {
	close_all();
	open_all();
}

static void reboot(void) {
	boot_id = "second";
	now.boot_s = 10;
	restart();
}

static void pass(int64_t seconds) {
	now.wall_s += seconds;
	now.boot_s += seconds;
	saving_tick(saving);
}

static void mode(const char *body) {
	fixture_set(engine, "system.global", "", body);
}

static void change(const char *name) {
	fixture_set(engine, "firewall.address", name, "set subnet 10.0.0.0/8\n");
}

static bool has(const char *name) {
	return model_find(engine->model, fixture_table("firewall.address"), name) != NULL;
}

static void check_durable(void) {
	AUTO_FREE char *memory = fixture_snapshot(engine), *disk = fixture_snapshot_of(dir);

	ck_assert_str_eq(disk, memory);
}

static void hears(const char *text) {
	ck_assert_msg(strstr(str_text(&told), text) != NULL, "told: %s", str_text(&told));
}

static int reload(void) {
	struct txn *t = txn_new(engine, "admin", "test");
	int rc = saving_stage(saving, t, NULL);

	if (rc == 0) {
		rc = txn_commit(t, NULL);
		saving_settle(saving, rc == 0);
	}
	txn_free(t);
	return rc;
}

/* ---- what is saved ---- */

START_TEST(test_automatic) {
	change("a");
	ck_assert_uint_eq(saving_saved(saving), 0);
	ck_assert_int_eq(saving_left(saving), -1);
	ck_assert_int_eq(reload(), ERR_NOT_FOUND);
	reboot();
	ck_assert(has("a"));
}
END_TEST

START_TEST(test_begin_and_end) {
	uint64_t saved;

	mode(MANUAL);
	ck_assert_uint_eq(saving_saved(saving), 0); /* that much is saved */
	saved = engine->revision;
	change("a");
	change("b");
	ck_assert_uint_eq(saving_saved(saving), saved);
	ck_assert_int_eq(saving_left(saving), -1);
	ck_assert_int_eq(saving_save(saving, NULL), 0);
	ck_assert_uint_eq(saving_saved(saving), 0);
	saved = engine->revision;
	change("c");
	ck_assert_uint_eq(saving_saved(saving), saved);
	mode("");
	ck_assert_uint_eq(saving_saved(saving), 0); /* automatic saves all */
	reboot();
	ck_assert(has("a") && has("b") && has("c"));
}
END_TEST

START_TEST(test_warnings) {
	struct txn *t;

	mode(REVERT);
	change("a");
	pass(30);
	t = txn_new(engine, "admin", "test");
	ck_assert_int_eq(fixture_put(t, "firewall.address", "b", TXN_ANY, "", NULL), 0);
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	ck_assert_uint_eq(txn_warnings(t)->n, 1);
	ck_assert_str_eq(txn_warnings(t)->text[0],
			 "not saved: back to revision 2 in 70 seconds unless you execute cfg save");
	txn_free(t);
}
END_TEST

/* What is found on the machine is nobody's change. */
START_TEST(test_found) {
	struct txn *t;

	mode(MANUAL);
	t = txn_new(engine, "system", STORE_SOURCE_FOUND);
	txn_as_found(t);
	ck_assert_int_eq(fixture_put(t, "system.interface", "port9", TXN_ANY, "", NULL), 0);
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
	ck_assert_uint_eq(saving_saved(saving), 0);
}
END_TEST

/* On a secondary everything is saved, and stays so. */
START_TEST(test_secondary) {
	mode(REVERT);
	change("a");
	fixture_set(engine, "system.auto-scale", "", "set status enable\nset role secondary\n");
	ck_assert_uint_eq(saving_saved(saving), 0);
	change("b");
	pass(2 * TIMEOUT);
	ck_assert(has("a") && has("b"));
	reboot();
	ck_assert(has("a") && has("b"));
}
END_TEST

/* ---- going back ---- */

START_TEST(test_reboot) {
	mode(MANUAL);
	change("a");
	ck_assert_int_eq(saving_save(saving, NULL), 0);
	change("b");
	restart();
	ck_assert(has("a") && has("b")); /* the daemon alone means nothing */
	ck_assert_uint_ne(saving_saved(saving), 0);
	reboot();
	ck_assert(has("a") && !has("b"));
	ck_assert_uint_eq(saving_saved(saving), 0);
	hears("the machine was started before changes were saved");
	check_durable();
	change("c");
	restart();
	ck_assert(has("c"));
}
END_TEST

START_TEST(test_timeout) {
	uint64_t saved;

	mode(REVERT);
	saved = engine->revision;
	change("a");
	pass(TIMEOUT - 1);
	change("b"); /* the time is that since the first one */
	ck_assert_int_eq(saving_left(saving), 1);
	ck_assert(has("a"));
	pass(1);
	ck_assert(!has("a") && !has("b"));
	ck_assert_uint_eq(saving_saved(saving), 0);
	ck_assert_uint_eq(engine->revision, saved + 3);
	hears("back to revision 2, which was saved: the changes after it were not saved in time");
	check_durable();
	change("c");
	ck_assert_int_eq(saving_save(saving, NULL), 0);
	pass(10 * TIMEOUT);
	ck_assert(has("c"));
}
END_TEST

/* By either clock; a clock that is set back gives no time. */
START_TEST(test_clocks) {
	mode(REVERT);
	change("a");
	now.wall_s -= 100000;
	pass(TIMEOUT);
	ck_assert(!has("a"));
	change("b");
	now.wall_s += TIMEOUT;
	pass(0);
	ck_assert(!has("b"));
}
END_TEST

START_TEST(test_down_at_the_end) {
	mode(REVERT);
	change("a");
	now.wall_s += TIMEOUT / 2;
	now.boot_s += TIMEOUT / 2;
	restart();
	ck_assert(has("a"));
	ck_assert_int_eq(saving_left(saving), TIMEOUT / 2);
	now.wall_s += TIMEOUT / 2;
	now.boot_s += TIMEOUT / 2;
	restart();
	ck_assert(!has("a"));
}
END_TEST

/* Who turns from manual to revert has the whole time. */
START_TEST(test_change_of_mode) {
	mode(MANUAL);
	change("a");
	pass(10 * TIMEOUT);
	mode(REVERT);
	ck_assert_int_eq(saving_left(saving), TIMEOUT);
	mode(REVERT "set hostname x\n");
	pass(TIMEOUT);
	ck_assert(!has("a"));
}
END_TEST

START_TEST(test_reload) {
	uint64_t saved;

	mode(MANUAL);
	saved = engine->revision;
	change("a");
	ck_assert_int_eq(reload(), 0);
	ck_assert(!has("a"));
	ck_assert_uint_eq(saving_saved(saving), 0);
	change("b");
	ck_assert_uint_eq(saving_saved(saving), saved + 2);
	fixture_delete(engine, "firewall.address", "b", NULL);
	ck_assert_int_eq(reload(), 0); /* nothing differs any more */
	ck_assert_uint_eq(saving_saved(saving), 0);
	ck_assert_uint_eq(engine->revision, saved + 4);
	restart();
	ck_assert_uint_eq(saving_saved(saving), 0);
}
END_TEST

START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed() * 100 + (uint64_t)_i);
	AUTO_FREE char *before = NULL, *after = NULL;

	mode(REVERT);
	before = random_picture_now(engine);
	for (unsigned int i = 0; i < 10; i++) {
		struct txn *t = txn_new(engine, "admin", "test");

		random_changes(&r, t, 20);
		ck_assert_int_eq(txn_commit(t, NULL), 0);
		txn_free(t);
		mode(REVERT);
		fixture_set(engine, "system.auto-scale", "", "");
		if (saving_saved(saving) == 0) { /* it was turned off and on, and all is saved */
			free(before);
			before = random_picture_now(engine);
		}
	}
	pass(TIMEOUT);
	after = random_picture_now(engine);
	ck_assert(strcmp(after, before) == 0);
	check_durable();
}
END_TEST

/* ---- faults ---- */

START_TEST(test_fails_and_tries_again) {
	struct fake_kernel kernel;

	fake_kernel_attach(&kernel, engine);
	mode(REVERT);
	change("a");
	fixture_fault("commit.apply:1");
	pass(TIMEOUT);
	fixture_fault(NULL);
	ck_assert(has("a"));
	ck_assert_uint_ne(saving_saved(saving), 0);
	hears("failed: what was not saved cannot be taken back, and will be tried again");
	pass(9);
	ck_assert(has("a"));
	pass(1);
	ck_assert(!has("a"));
	ck_assert_str_eq(kernel.wrong, "");
	check_durable();
	fake_kernel_done(&kernel);
}
END_TEST

/* A start that cannot go back is a start; it goes back later. */
START_TEST(test_fails_at_start) {
	mode(MANUAL);
	change("a");
	fixture_fault("store.commit:1");
	reboot();
	fixture_fault(NULL);
	ck_assert(has("a"));
	pass(10);
	ck_assert(!has("a"));
}
END_TEST

/*
 * Killed at every step of the commit of a change, or of going back: afterwards the row says what
 * the configuration is.
 */
static const char *const points[] = { "store.write", "store.commit", "commit.finish" };

static void in_child(const char *spec, void (*work)(void)) {
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		fixture_fault(spec);
		work();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
}

static void work_change(void) {
	open_all();
	change("a");
}

static void work_end(void) {
	now.wall_s += TIMEOUT;
	now.boot_s += TIMEOUT;
	open_all();
}

START_TEST(test_killed) {
	unsigned int changed = 0, gone = 0;

	mode(REVERT);
	close_all();
	for (unsigned int step = 1; step < 14; step++) {
		AUTO_FREE char *spec = xasprintf("%s:%u:kill", points[_i], step);

		in_child(spec, work_change);
		open_all();
		ck_assert_int_eq(has("a"), saving_saved(saving) != 0);
		changed += has("a");
		if (!has("a"))
			change("a");
		close_all();
		in_child(spec, work_end);
		open_all();
		ck_assert_int_eq(has("a"), saving_saved(saving) != 0);
		gone += !has("a");
		pass(TIMEOUT);
		ck_assert(!has("a"));
		close_all();
	}
	ck_assert_uint_gt(changed, 0);
	ck_assert_uint_gt(gone, 0);
	open_all();
}
END_TEST

/* The history keeps what was saved; when it is full, the next change is refused. */
START_TEST(test_history_full) {
	char comment[256];
	struct err err = { 0 };
	unsigned int round = 0;
	int rc = 0;

	mode(MANUAL);
	change("a");
	memset(comment, 'c', sizeof(comment) - 1);
	comment[255] = '\0';
	for (; round < 60 && rc == 0; round++) {
		struct txn *t = txn_new(engine, "bob", "script");

		comment[0] = (char)('a' + round % 26);
		for (unsigned int i = 0; i < 8000; i++) {
			AUTO_FREE char *key = xasprintf("a%u", i);
			AUTO_FREE char *body = xasprintf("set comment %s\n", comment);

			ck_assert_int_eq(
				fixture_put(t, "firewall.address", key, TXN_ANY, body, NULL), 0);
		}
		rc = txn_commit(t, &err);
		txn_free(t);
	}
	ck_assert_int_eq(rc, ERR_MAX_ENTRIES);
	ck_assert_msg(strstr(err.text, "execute cfg save first") != NULL, "%s", err.text);
	ck_assert_uint_gt(round, 5);
	ck_assert_int_eq(reload(), 0);
	ck_assert(!has("a") && !has("a1"));
}
END_TEST

int main(void) {
	Suite *s = suite_create("saving");
	TCase *t = fixture_case(s, "saving");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_automatic);
	tcase_add_test(t, test_begin_and_end);
	tcase_add_test(t, test_warnings);
	tcase_add_test(t, test_found);
	tcase_add_test(t, test_secondary);
	tcase_add_test(t, test_reboot);
	tcase_add_test(t, test_timeout);
	tcase_add_test(t, test_clocks);
	tcase_add_test(t, test_down_at_the_end);
	tcase_add_test(t, test_change_of_mode);
	tcase_add_test(t, test_reload);
	tcase_add_loop_test(t, test_random, 0, (int)fixture_rounds(4));
	tcase_add_test(t, test_fails_and_tries_again);
	tcase_add_test(t, test_fails_at_start);
	tcase_add_loop_test(t, test_killed, 0, (int)ARRAY_LEN(points));
	tcase_add_test(t, test_history_full);
	return fixture_run(s);
}
