/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The database: what is written is read, in order; what is broken or foreign is refused by name. */
#include "cfgdb/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "tests/lib/fixture.h"

static char *path;
static struct store *store;
static struct model *model;

static struct store *opened(void) {
	struct err err = { 0 };
	struct store *s = store_open(path, &err);

	ck_assert_msg(s != NULL, "%s", err.text);
	return s;
}

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	path = xasprintf("%s/config.db", dir);
	store = opened();
	model = model_new();
}

static void teardown(void) {
	store_close(store);
	model_free(model);
	free(path);
}

static void good(int rc, const struct err *err) {
	ck_assert_msg(rc == 0, "%d %s", rc, err->text);
}

/* Write one object as a commit does: model first. */
static void write_object(const char *dotted, const char *key, uint64_t ver, const char *body) {
	struct object *obj = object_new(fixture_table(dotted), key);
	struct err err = { 0 };

	good(text_parse(obj, body, &err), &err);
	obj->ver = ver;
	memset(obj->hash, (int)ver, sizeof(obj->hash));
	object_free(model_put(model, obj));
	good(store_begin(store, &err), &err);
	good(store_put(store, model, obj, &err), &err);
	good(store_commit(store, &err), &err);
}

static int add_row(void *arg, struct object *obj, const char *body, struct err *err) {
	str_addf(arg, "%s %s %lld %llu %02x: %s", obj->table->dotted, obj->key,
		 (long long)(obj->pos / MODEL_POS_GAP), (unsigned long long)obj->ver, obj->hash[31],
		 body);
	if (!*body)
		str_add_char(arg, '\n');
	object_free(obj);
	(void)err;
	return 0;
}

static int add_unknown(void *arg, struct row *row, struct err *err) {
	str_addf(arg, "unknown %s %s %s %lld %llu %02x: %s\n", row->vdom ? "vdom" : "global",
		 row->dotted, row->key, (long long)row->pos, (unsigned long long)row->ver,
		 row->hash[31], row->body);
	row_free(row);
	(void)err;
	return 0;
}

static int load_from(struct store *s, struct str *out, struct err *err) {
	return store_load(s, &(struct store_visitor){ add_row, add_unknown, out }, err);
}

static char *rows(void) {
	struct str out = STR_INIT;
	struct err err = { 0 };

	good(load_from(store, &out, &err), &err);
	return str_steal(&out);
}

#define CHECK_ROWS(want)                      \
	do {                                  \
		AUTO_FREE char *all = rows(); \
		ck_assert_str_eq(all, want);  \
	} while (0)

/* Run SQL behind the store's back. */
static void sabotage(const char *sql) {
	sqlite3 *db;
	char *why = NULL;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, &why) == SQLITE_OK, "%s", why);
	sqlite3_close(db);
}

/* ---- objects ---- */

START_TEST(test_objects) {
	struct err err = { 0 };

	CHECK_ROWS("");
	write_object("router.static", "9", 1, "set distance 5\n");
	write_object("router.static", "10", 2, "");
	write_object("firewall.address", "it's \"a\"", 3, "set comment 'two\nlines'\n");
	CHECK_ROWS("firewall.address it's \"a\" 1 3 03: set comment \"two\nlines\"\n"
		   "router.static 9 1 1 01: set distance 5\n"
		   "router.static 10 2 2 02: \n");
	write_object("router.static", "9", 4, "set distance 6\n");
	good(store_delete(store, model_find(model, fixture_table("router.static"), "10"), &err),
	     &err);
	store_close(store);
	store = opened();
	CHECK_ROWS("firewall.address it's \"a\" 1 3 03: set comment \"two\nlines\"\n"
		   "router.static 9 1 4 04: set distance 6\n");
}
END_TEST

START_TEST(test_rollback) {
	struct err err = { 0 };

	write_object("router.static", "1", 1, "");
	good(store_begin(store, &err), &err);
	good(store_delete(store, model_find(model, fixture_table("router.static"), "1"), &err),
	     &err);
	CHECK_ROWS("");
	store_rollback(store);
	store_rollback(store);
	CHECK_ROWS("router.static 1 1 1 01: \n");
}
END_TEST

static int refuse_row(void *arg, struct object *obj, const char *body, struct err *err) {
	++*(int *)arg;
	object_free(obj);
	(void)body;
	return err_set(err, ERR_PARSE, "enough");
}

START_TEST(test_load_stops) {
	struct err err = { 0 };
	int n = 0;
	const struct store_visitor visitor = { refuse_row, add_unknown, &n };

	write_object("router.static", "1", 1, "");
	write_object("router.static", "2", 1, "");
	ck_assert_int_eq(store_load(store, &visitor, &err), ERR_PARSE);
	ck_assert_int_eq(n, 1);
	CHECK_ROWS("router.static 1 1 1 01: \nrouter.static 2 2 1 01: \n");
}
END_TEST

/* ---- revisions, meta ---- */

START_TEST(test_revisions) {
	struct revision rev = { .id = 7,
				.time = 1000,
				.user = "alice",
				.source = "cli",
				.comment = "",
				.n_changes = 1,
				.root_hash = "0123456789abcdef0123456789abcde" };
	struct err err = { 0 };
	unsigned char root[OBJECT_HASH_LEN], zeros[OBJECT_HASH_LEN] = { 0 };
	uint64_t last = 99;

	good(store_last_revision(store, &last, root, &err), &err);
	ck_assert_uint_eq(last, 0);
	ck_assert_mem_eq(root, zeros, sizeof(root));
	good(store_revision(store, &rev, &err), &err);
	good(store_last_revision(store, &last, root, &err), &err);
	ck_assert_uint_eq(last, 7);
	ck_assert_mem_eq(root, rev.root_hash, sizeof(root));
	ck_assert_int_eq(store_revision(store, &rev, &err), ERR_STORE);
	ck_assert_ptr_nonnull(strstr(err.text, "UNIQUE"));
}
END_TEST

/* ---- the history is bounded ---- */

/* One number out of the database. */
static int64_t number(const char *sql) {
	sqlite3_stmt *stmt;
	sqlite3 *db;
	int64_t n;

	ck_assert_int_eq(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(stmt), SQLITE_ROW);
	n = sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return n;
}

static int64_t history_bytes(void) {
	return number("SELECT sum(length(old_body) + length(new_body)) FROM chg");
}

/* A group whose body has some 340 kB. */
static struct object *large_object(void) {
	struct object *obj = object_new(fixture_table("firewall.addrgrp"), "large");
	struct str body AUTO_STR = STR_INIT;
	struct err err = { 0 };

	str_add(&body, "set member");
	for (int i = 0; i < VALUE_ITEMS_MAX; i++)
		str_addf(&body, " %079d", i);
	str_add_char(&body, '\n');
	good(text_parse(obj, str_text(&body), &err), &err);
	return obj;
}

/* A revision of n changes of obj, which is committed or not. */
static void add_revision(uint64_t id, uint32_t n, const struct object *obj, bool commit) {
	struct revision rev = {
		.id = id, .user = "a", .source = "cli", .comment = "", .n_changes = n
	};
	struct err err = { 0 };

	good(store_begin(store, &err), &err);
	good(store_revision(store, &rev, &err), &err);
	for (uint32_t i = 0; i < n; i++)
		good(store_change(store, id, obj, obj, NULL, &err), &err);
	good(store_trim_history(store, id, &err), &err);
	if (commit)
		good(store_commit(store, &err), &err);
	else
		store_rollback(store);
}

/* All revisions after the oldest are there in a row, and whole; the oldest has a change left. */
static void check_history(uint64_t newest) {
	ck_assert_uint_eq((uint64_t)number("SELECT max(id) FROM rev"), newest);
	ck_assert_int_eq(number("SELECT max(id) - min(id) + 1 - count(*) FROM rev"), 0);
	ck_assert_int_eq(number("SELECT (SELECT min(rev) FROM chg) - (SELECT min(id) FROM rev)"),
			 0);
	ck_assert_int_eq(number("SELECT count(*) FROM rev WHERE id > (SELECT min(id) FROM rev) AND "
				"nchg != (SELECT count(*) FROM chg WHERE rev = id)"),
			 0);
}

START_TEST(test_history_bound) {
	struct object *obj = large_object();
	int64_t one;

	add_revision(1, 1, obj, true);
	one = history_bytes();
	for (uint64_t id = 2; id <= 100; id++) {
		add_revision(id, 1, obj, true);
		ck_assert_int_le(history_bytes(), STORE_HISTORY_MAX);
		check_history(id);
	}
	ck_assert_int_gt(history_bytes() + 2 * one, STORE_HISTORY_MAX);
	object_free(obj);
}
END_TEST

/*
 * A revision larger than the bound stays whole while it is the newest. Those that follow take it
 * away piece by piece, also over a restart.
 */
START_TEST(test_history_of_a_load) {
	struct object *large = large_object(),
		      *small = object_new(fixture_table("firewall.address"), "small");
	const uint32_t n = 100;
	int64_t had, has = n;

	add_revision(1, 1, small, true);
	add_revision(2, n, large, true);
	ck_assert_int_eq(number("SELECT count(*) FROM chg WHERE rev = 2"), n);
	ck_assert_int_gt(history_bytes(), STORE_HISTORY_MAX);
	for (uint64_t id = 3; history_bytes() > STORE_HISTORY_MAX; id++) {
		if (id == 10) {
			store_close(store);
			store = opened();
		}
		add_revision(id, 1, small, true);
		check_history(id);
		had = has;
		has = number("SELECT count(*) FROM chg WHERE rev = 2");
		ck_assert_int_eq(has, had - 1);
	}
	ck_assert_int_gt(has, 0);
	object_free(large);
	object_free(small);
}
END_TEST

/* What was not committed counts for nothing. */
START_TEST(test_history_rollback) {
	struct object *obj = large_object();
	uint64_t id = 1;

	for (add_revision(id, 1, obj, true); history_bytes() + (2 << 20) < STORE_HISTORY_MAX; id++)
		add_revision(id + 1, 1, obj, true);
	for (int i = 0; i < 10; i++)
		add_revision(id + 1, 10, obj, false);
	add_revision(id + 1, 1, obj, true);
	ck_assert_int_eq(number("SELECT min(id) FROM rev"), 1);
	check_history(id + 1);
	object_free(obj);
}
END_TEST

/* ---- reading the history ---- */

static int add_change(void *arg, const char *dotted, const char *key) {
	str_addf(arg, "%s %s, ", dotted, key);
	return 0;
}

static char *changed_since(uint64_t since) {
	struct str out = STR_INIT;
	struct err err = { 0 };

	good(store_changed_since(store, since, add_change, &out, &err), &err);
	return str_steal(&out);
}

#define CHECK_SINCE(since, want)                             \
	do {                                                 \
		AUTO_FREE char *changes = changed_since(since); \
		ck_assert_str_eq(changes, want);             \
	} while (0)

/* A revision that makes, changes (or deletes) these objects of firewall.address. */
static void revise(uint64_t id, const char *const *keys, bool delete) {
	struct revision rev = { .id = id, .user = "ann", .source = "cli", .comment = "", .time = 7 };
	struct err err = { 0 };

	memset(rev.root_hash, (int)id, sizeof(rev.root_hash));
	good(store_begin(store, &err), &err);
	good(store_revision(store, &rev, &err), &err);
	for (; *keys; keys++) {
		struct object *obj = object_new(fixture_table("firewall.address"), *keys);

		good(store_change(store, id, delete ? obj : NULL, delete ? NULL : obj, NULL,
				  &err), &err);
		object_free(obj);
	}
	good(store_commit(store, &err), &err);
}

static int stop_at_b(void *arg, const char *dotted, const char *key) {
	(void)dotted;
	++*(int *)arg;
	return strcmp(key, "b") == 0 ? 77 : 0;
}

/* Each object once, however often it changed; from a revision that is there. */
START_TEST(test_changed_since) {
	struct err err = { 0 };
	int n = 0;

	ck_assert_int_eq(store_changed_since(store, 0, stop_at_b, &n, &err), ERR_NOT_FOUND);
	revise(1, (const char *const[]){ "f", NULL }, false);
	revise(2, (const char *const[]){ "b", "a", NULL }, false);
	revise(3, (const char *const[]){ "c", "a", "c", NULL }, false);
	revise(4, (const char *const[]){ "a", NULL }, true);
	CHECK_SINCE(1, "firewall.address a, firewall.address b, firewall.address c, ");
	CHECK_SINCE(2, "firewall.address a, firewall.address c, ");
	CHECK_SINCE(3, "firewall.address a, ");
	CHECK_SINCE(4, "");
	ck_assert_int_eq(store_changed_since(store, 1, stop_at_b, &n, &err), 77);
	ck_assert_int_eq(n, 2);
	ck_assert_int_eq(store_changed_since(store, 5, stop_at_b, &n, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(store_changed_since(store, UINT64_MAX, stop_at_b, &n, &err),
			 ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "the history has no revision 18446744073709551615");
}
END_TEST

/* The oldest revision that is kept serves as a base, though its own changes may be gone. */
START_TEST(test_changed_since_trim) {
	struct object *obj = large_object();
	struct err err = { 0 };
	uint64_t oldest;
	int n = 0;

	revise(1, (const char *const[]){ "f", NULL }, false);
	for (uint64_t id = 2; id <= 120; id++)
		add_revision(id, 1, obj, true);
	oldest = (uint64_t)number("SELECT min(id) FROM rev");
	ck_assert_uint_gt(oldest, 2);
	ck_assert_int_eq(store_changed_since(store, oldest - 1, stop_at_b, &n, &err),
			 ERR_NOT_FOUND);
	CHECK_SINCE(oldest, "firewall.addrgrp large, ");
	CHECK_SINCE(119, "firewall.addrgrp large, ");
	CHECK_SINCE(120, "");
	object_free(obj);
}
END_TEST

static int add_revision_text(void *arg, const struct revision *rev) {
	str_addf(arg, "%llu %s '%s' %02x, ", (unsigned long long)rev->id, rev->user, rev->comment,
		 rev->root_hash[31]);
	return rev->id == 2 ? 77 : 0;
}

START_TEST(test_revisions_read) {
	AUTO_STR struct str out = STR_INIT;
	struct revision rev;
	struct err err = { 0 };

	for (uint64_t id = 1; id <= 4; id++)
		revise(id, (const char *const[]){ "a", NULL }, false);
	good(store_revision_comment(store, 3, "kept: it's named", &err), &err);
	ck_assert_int_eq(store_revision_comment(store, 5, "", &err), ERR_NOT_FOUND);
	good(store_revision_get(store, 3, &rev, &err), &err);
	ck_assert_uint_eq(rev.id, 3);
	ck_assert_int_eq(rev.time, 7);
	ck_assert_str_eq(rev.user, "ann");
	ck_assert_str_eq(rev.source, "cli");
	ck_assert_str_eq(rev.comment, "kept: it's named");
	revision_done(&rev);
	ck_assert_int_eq(store_revision_get(store, 0, &rev, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(store_revision_get(store, 5, &rev, &err), ERR_NOT_FOUND);
	ck_assert_int_eq(store_each_revision(store, 3, add_revision_text, &out, &err), 77);
	ck_assert_str_eq(str_text(&out), "3 ann 'kept: it's named' 03, 2 ann '' 02, ");
	str_done(&out);
	good(store_each_revision(store, 1, add_revision_text, &out, &err), &err);
	ck_assert_str_eq(str_text(&out), "1 ann '' 01, ");
}
END_TEST

START_TEST(test_put_pos) {
	struct err err = { 0 };
	const struct object *obj;

	write_object("firewall.policy", "1", 1, "set name one\n");
	write_object("firewall.policy", "2", 2, "set name two\n");
	obj = model_find(model, fixture_table("firewall.policy"), "1");
	model_place(model, obj, 7 * MODEL_POS_GAP);
	good(store_put_pos(store, obj, &err), &err);
	CHECK_ROWS("firewall.policy 2 2 2 02: set name \"two\"\n"
		   "firewall.policy 1 7 1 01: set name \"one\"\n");
}
END_TEST

START_TEST(test_meta) {
	struct err err = { 0 };
	char *value = (char *)"x";

	good(store_meta_get(store, "serial", &value, &err), &err);
	ck_assert_ptr_null(value);
	good(store_meta_set(store, "serial", "one", &err), &err);
	good(store_meta_set(store, "serial", "two", &err), &err);
	store_close(store);
	store = opened();
	good(store_meta_get(store, "serial", &value, &err), &err);
	ck_assert_str_eq(value, "two");
	free(value);
	good(store_meta_get(store, "schema_version", &value, &err), &err);
	ck_assert_str_eq(value, "1");
	free(value);
}
END_TEST

/* ---- what cannot be opened ---- */

static void check_refused(const char *want) {
	struct err err = { 0 };
	struct store *s = store_open(path, &err);

	ck_assert_ptr_null(s);
	ck_assert_int_eq(err.code, ERR_STORE);
	ck_assert_msg(strstr(err.text, want) != NULL, "%s", err.text);
}

START_TEST(test_other_version) {
	store_close(store);
	store = NULL;
	sabotage("UPDATE meta SET value = '99' WHERE name = 'schema_version'");
	check_refused("the configuration database has version 99, this program reads 1");
}
END_TEST

START_TEST(test_no_database) {
	int fd;

	store_close(store);
	store = NULL;
	fd = open(path, O_WRONLY | O_TRUNC);
	ck_assert(fd >= 0 && write(fd, "this is a text, not a database", 30) == 30 &&
		  close(fd) == 0);
	check_refused("file is not a database");
	ck_assert_int_eq(unlink(path), 0);
	free(path);
	path = xstrdup("/nowhere/config.db");
	check_refused("unable to open database file");
}
END_TEST

/*
 * A page in the middle that is not what it was: said at the start, not in the middle of a commit.
 */
START_TEST(test_damaged) {
	static const char junk[4096] = "\x0d junk";
	int fd;

	for (int i = 0; i < 200; i++) {
		AUTO_FREE char *key = xasprintf("a%d", i);

		write_object("firewall.address", key, 1,
			     "set comment 'some text that takes place in the database'\n");
	}
	store_close(store);
	store = NULL;
	fd = open(path, O_WRONLY);
	for (int page = 2; page < 12; page++)
		ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), page * 4096), sizeof(junk));
	ck_assert_int_eq(close(fd), 0);
	check_refused("the configuration database");
}
END_TEST

/* Objects of tables that only a newer program has are kept, with all that is stored of them. */
START_TEST(test_unknown_table) {
	struct row *row = row_new("no.such", "k", "set a b\n"), *other = row_new("no.such", "l", "");
	struct err err = { 0 };

	row->vdom = true;
	row->pos = 7;
	row->ver = 3;
	row->hash[31] = 0x2a;
	good(store_put_row(store, row, &err), &err);
	good(store_put_row(store, other, &err), &err);
	row->hash[31] = 0x2b;
	good(store_put_row_hash(store, row, &err), &err);
	CHECK_ROWS("unknown global no.such l 0 0 00: \nunknown vdom no.such k 7 3 2b: set a b\n\n");
	good(store_delete_row(store, row, &err), &err);
	CHECK_ROWS("unknown global no.such l 0 0 00: \n");
	row_free(row);
	row_free(other);
}
END_TEST

/* Two connections: the log is kept in a way that lets others read while one writes. */
START_TEST(test_readers) {
	struct store *other = opened();
	struct err err = { 0 };

	write_object("router.static", "1", 1, "");
	good(store_begin(store, &err), &err);
	good(store_delete(store, model_find(model, fixture_table("router.static"), "1"), &err),
	     &err);
	{
		struct str out = STR_INIT;

		good(load_from(other, &out, &err), &err);
		ck_assert_str_eq(str_text(&out), "router.static 1 1 1 01: \n");
		str_done(&out);
	}
	good(store_commit(store, &err), &err);
	store_close(other);
	store_close(NULL);
}
END_TEST

static Suite *store_suite(void) {
	Suite *s = suite_create("store");
	TCase *t = fixture_case(s, "store");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_objects);
	tcase_add_test(t, test_rollback);
	tcase_add_test(t, test_load_stops);
	tcase_add_test(t, test_revisions);
	tcase_add_test(t, test_history_bound);
	tcase_add_test(t, test_history_of_a_load);
	tcase_add_test(t, test_history_rollback);
	tcase_add_test(t, test_changed_since);
	tcase_add_test(t, test_changed_since_trim);
	tcase_add_test(t, test_revisions_read);
	tcase_add_test(t, test_put_pos);
	tcase_add_test(t, test_meta);
	tcase_add_test(t, test_other_version);
	tcase_add_test(t, test_no_database);
	tcase_add_test(t, test_damaged);
	tcase_add_test(t, test_unknown_table);
	tcase_add_test(t, test_readers);
	return s;
}

int main(void) {
	return fixture_run(store_suite());
}
