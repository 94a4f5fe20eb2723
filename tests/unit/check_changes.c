/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `diagnose debug cli` tells of commits to an engine: the stream is read as the daemon reads
 * it, up to the point where it would wait.
 */
#include <check.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/changes.h"
#include "backends/debug.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static char *dir;
static struct engine *engine;
static struct changes *changes;
static struct memories *memories;

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	changes = changes_new(engine);
	memories = NULL;
}

static void teardown(void) {
	memories_done(&memories);
	engine_close(engine);
	changes_free(changes);
	free(dir);
}

static int level(const char *word, struct stream *stream, struct err *err) {
	AUTO_FREE char *copy = xstrdup(word);
	char *argv[] = { copy };
	const struct command_call call = { .argc = 1, .argv = argv, .memories = &memories };
	size_t n;
	const struct command *command = commands_changes(&n);

	ck_assert_uint_eq(n, 1);
	ck_assert_str_eq(command->words, "diagnose debug cli");
	return command->open(changes, &call, stream, err);
}

/* As after `diagnose debug enable`. */
static struct stream watch(void) {
	const struct command_call call = { .memories = &memories };
	struct stream stream = { .fd = -1 };

	debug_of(&call)->enabled = true;
	ck_assert_int_eq(level("8", &stream, NULL), 0);
	ck_assert_ptr_nonnull((void *)stream.next);
	return stream;
}

static bool is_ready(const struct stream *s) {
	struct pollfd fd = { .fd = s->fd, .events = POLLIN };

	return poll(&fd, 1, 0) == 1;
}

static char *told(struct stream *s) {
	struct str out = STR_INIT;
	enum stream_state state;

	while ((state = s->next(s->ctx, &out, NULL)) == STREAM_MORE)
		;
	ck_assert_int_eq(state, STREAM_WAIT);
	ck_assert(!is_ready(s));
	return out.data ? str_steal(&out) : xstrdup("");
}

static void tells(struct stream *s, const char *want) {
	AUTO_FREE char *text = told(s);

	ck_assert_str_eq(text, want);
}

START_TEST(changes_are_told_as_commands) {
	struct stream s = watch();

	tells(&s, "");
	ck_assert(!is_ready(&s));
	fixture_set(engine, "firewall.address", "x",
		    "set uuid 00000000-0000-4000-8000-000000000001\nset subnet 10.0.0.0/8\n");
	ck_assert(is_ready(&s));
	tells(&s, "0: config firewall address\n0: edit \"x\"\n"
		  "0: set uuid 00000000-0000-4000-8000-000000000001\n"
		  "0: set subnet 10.0.0.0 255.0.0.0\n0: next\n0: end\n");
	fixture_set(engine, "firewall.address", "x",
		    "set uuid 00000000-0000-4000-8000-000000000001\n");
	ck_assert_int_eq(fixture_delete(engine, "firewall.address", "x", NULL), 0);
	tells(&s, "0: config firewall address\n0: edit \"x\"\n0: unset subnet\n0: next\n0: end\n"
		  "0: config firewall address\n0: delete \"x\"\n0: end\n");
	s.close(s.ctx);
}
END_TEST

START_TEST(a_value_is_one_line) {
	struct stream s = watch();
	AUTO_FREE char *text = NULL;

	fixture_set(engine, "firewall.address", "x", "set comment \"two\nlines\nend\"\n");
	text = told(&s);
	ck_assert_ptr_nonnull(strstr(text, "\n0: set comment \"two\\nlines\\nend\"\n0: next\n"));
	s.close(s.ctx);
}
END_TEST

START_TEST(secrets_are_left_out) {
	struct stream s = watch();

	fixture_set(engine, "system.standalone-cluster", "", "set psksecret verysecretverysecret\n");
	tells(&s, "0: config system standalone-cluster\n0: set psksecret ENC *\n0: end\n");
	s.close(s.ctx);
}
END_TEST

START_TEST(much_is_told_by_its_number) {
	struct stream s = watch();
	struct txn *t = txn_new(engine, "admin", "cli");
	AUTO_FREE char *text = NULL;
	char key[16];

	for (int i = 0; i <= CHANGES_OBJECTS_MAX; i++) {
		snprintf(key, sizeof(key), "a%d", i);
		ck_assert_int_eq(fixture_put(t, "firewall.address", key, TXN_NEW, "", NULL), 0);
	}
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
	text = told(&s);
	ck_assert_ptr_nonnull(strstr(text, "0: # revision "));
	ck_assert_ptr_nonnull(strstr(text, " changes 1001 objects\n"));
	s.close(s.ctx);
}
END_TEST

START_TEST(each_watches_from_now_on) {
	struct stream a, b;
	AUTO_FREE char *first = NULL, *second = NULL, *later = NULL;

	a = watch();
	fixture_set(engine, "firewall.address", "x", "");
	b = watch();
	fixture_set(engine, "firewall.address", "y", "");
	first = told(&a);
	second = told(&b);
	ck_assert_ptr_nonnull(strstr(first, "edit \"x\""));
	ck_assert_ptr_nonnull(strstr(first, "edit \"y\""));
	ck_assert_ptr_null(strstr(second, "edit \"x\""));
	ck_assert_ptr_nonnull(strstr(second, "edit \"y\""));
	a.close(a.ctx);
	fixture_set(engine, "firewall.address", "z", "");
	later = told(&b);
	ck_assert_ptr_nonnull(strstr(later, "edit \"z\""));
	b.close(b.ctx);
}
END_TEST

START_TEST(not_too_many_watch) {
	struct stream s[CHANGES_VIEWS_MAX + 1] = { 0 };
	struct err err = { 0 };

	for (int i = 0; i < CHANGES_VIEWS_MAX; i++)
		s[i] = watch();
	ck_assert_int_eq(level("8", &s[CHANGES_VIEWS_MAX], &err), ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, "changes are watched 8 times already");
	s[0].close(s[0].ctx);
	ck_assert_int_eq(level("1", &s[0], &err), 0);
	for (int i = 0; i < CHANGES_VIEWS_MAX; i++)
		s[i].close(s[i].ctx);
}
END_TEST

START_TEST(levels_are_numbers) {
	static const char *const wrong[] = { "9", "-1", "x", "" };
	const struct command_call call = { .memories = &memories };
	struct stream s = { .fd = -1 };
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		ck_assert_int_eq(level(wrong[i], &s, &err), ERR_PARSE);
	/* asked for, and not enabled yet */
	ck_assert_int_eq(level("8", &s, &err), 0);
	ck_assert_ptr_null((void *)s.next);
	ck_assert_ptr_nonnull((void *)debug_of(&call)->open);
	ck_assert_int_eq(level("0", &s, &err), 0);
	ck_assert_ptr_null((void *)debug_of(&call)->open);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("changes");
	TCase *t = fixture_case(suite, "changes");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, changes_are_told_as_commands);
	tcase_add_test(t, a_value_is_one_line);
	tcase_add_test(t, secrets_are_left_out);
	tcase_add_test(t, much_is_told_by_its_number);
	tcase_add_test(t, each_watches_from_now_on);
	tcase_add_test(t, not_too_many_watch);
	tcase_add_test(t, levels_are_numbers);
	return fixture_run(suite);
}
