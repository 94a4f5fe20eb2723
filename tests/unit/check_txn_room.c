/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much a transaction may hold, and all of them together. */
#include "cfgdb/txn_impl.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static struct engine *engine;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	engine = fixture_engine(dir);
	fixture_set(engine, "system.interface", "port1", "set type physical\n");
	fixture_set(engine, "firewall.address", "x", "set subnet 10.0.0.0/8\n");
	fixture_set(engine, "firewall.address", "y", "set subnet 10.9.0.0/16\n");
}

static void teardown(void) {
	engine_close(engine);
}

static int put_code(struct txn *t, const char *table, const char *key, const char *body,
		    struct err *err) {
	return fixture_put(t, table, key, TXN_ANY, body, err);
}

static void good_put(struct txn *t, const char *table, const char *key, const char *body) {
	struct err err = { 0 };
	int rc = put_code(t, table, key, body, &err);

	ck_assert_msg(rc == 0, "%s %s: %d %s", table, key, rc, err.text);
}

static void good_delete(struct txn *t, const char *table, const char *key) {
	struct err err = { 0 };

	ck_assert_msg(txn_delete(t, fixture_table(table), key, &err) == 0, "%s", err.text);
}

static void good_commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
}

/* What is staged counts with what it is, no more and no less, and for nothing once it is gone. */
START_TEST(test_size) {
	struct txn *t = txn_new(engine, "a", "test"), *other = txn_new(engine, "b", "test");
	size_t one, two, small;

	good_put(t, "firewall.addrgrp", "g", "set member x\n");
	one = t->bytes;
	ck_assert_uint_gt(one, sizeof(struct staged) + sizeof(struct object));
	good_put(t, "firewall.addrgrp", "g", "set member x y\n");
	two = t->bytes;
	ck_assert_uint_gt(two, one);
	good_put(t, "firewall.addrgrp", "g", "set member x\n");
	ck_assert_uint_eq(t->bytes, one);
	good_delete(t, "firewall.addrgrp", "g");
	ck_assert_uint_gt(t->bytes, 0);
	ck_assert_uint_lt(t->bytes, one);
	good_put(other, "system.interface", "port1", "set type physical\n");
	small = other->bytes;
	good_put(other, "system.interface", "port1",
		 "set type physical\nset secondary-IP enable\nconfig secondaryip\nedit 1\n"
		 "set ip 10.7.0.1/24\nnext\nend\n");
	ck_assert_uint_gt(other->bytes, small + sizeof(struct object));
	ck_assert_uint_eq(engine->staged_bytes, t->bytes + other->bytes);
	good_commit(other);
	ck_assert_uint_eq(engine->staged_bytes, t->bytes);
	txn_free(t);
	txn_free(other);
	ck_assert_uint_eq(engine->staged_bytes, 0);
}
END_TEST

static const struct {
	size_t mine, all, n;
	const char *text;
} full[] = {
	{ TXN_BYTES_MAX, TXN_BYTES_MAX, 1,
	  "the transaction would hold more than 256 MB: commit it in parts" },
	{ 0, TXN_BYTES_MAX_ALL, 1,
	  "open transactions would hold more than 512 MB: commit or abort one" },
	{ 0, 0, TXN_STAGED_MAX,
	  "the transaction would hold more than 2000000 changes: commit it in parts" },
};

/* A full transaction takes nothing more, says what it did not take, and can still be committed. */
START_TEST(test_full) {
	AUTO_FREE char *put_text = xasprintf("firewall address new: %s\n"
					     "object set operator error, -4 discard the setting",
					     full[_i].text);
	AUTO_FREE char *delete_text = xasprintf("router static 1: %s\n", full[_i].text);
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };
	size_t bytes, n;

	fixture_set(engine, "router.static", "1", "set device port1\n");
	good_put(t, "firewall.address", "x", "set comment one\n");
	bytes = t->bytes;
	n = t->n_staged;
	t->bytes = full[_i].mine ? full[_i].mine : bytes;
	t->n_staged = full[_i].n;
	engine->staged_bytes = full[_i].all ? full[_i].all : bytes;
	ck_assert_int_eq(put_code(t, "firewall.address", "new", "", &err), ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, put_text);
	ck_assert_int_eq(txn_delete(t, fixture_table("router.static"), "1", &err), ERR_MAX_ENTRIES);
	ck_assert_ptr_nonnull(strstr(err.text, delete_text));
	good_put(t, "firewall.address", "x", "set comment two\n");
	t->bytes = engine->staged_bytes = bytes;
	t->n_staged = n;
	good_put(t, "firewall.address", "new", "");
	good_commit(t);
	txn_free(t);
}
END_TEST

static Suite *room_suite(void) {
	Suite *s = suite_create("txn_room");
	TCase *t = fixture_case(s, "txn_room");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_size);
	tcase_add_loop_test(t, test_full, 0, ARRAY_LEN(full));
	return s;
}

int main(void) {
	return fixture_run(room_suite());
}
