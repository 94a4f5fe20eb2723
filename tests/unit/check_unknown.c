/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a newer release has made, written by hand: it is kept through text, store and restart,
 * counts in digests as it does there, outlives what administrators do beside it, and comes to life
 * when this release can read it.
 */
#include "cfgdb/unknown.h"

#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/text.h"
#include "cfgdb/shared.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

static struct engine *unit;
static char *dir;

static void setup(void) {
	dir = fixture_dir();
	unit = fixture_engine(dir);
}

static void teardown(void) {
	engine_close(unit);
	free(dir);
}

static void restart(void) {
	AUTO_FREE char *before = fixture_snapshot(unit), *after = NULL;

	engine_close(unit);
	unit = fixture_engine(dir);
	after = fixture_snapshot(unit);
	ck_assert_str_eq(after, before);
}

#define UUID "set uuid 8d1bd9ee-5c3a-4f0f-9d0e-3f0e5f0e5f0e\n"

/*
 * As a newer release would send an address: a table, an attribute and a secret that are none here;
 * a number out of range; a kind that does not exist, and an attribute that exists with another kind
 * only; a value that is the default here.
 */
#define NEWER                                                                             \
	"config newer\nedit 2\nconfig deeper\nset y 1\nend\nset deep \"x y\"\nnext\nedit 1\n" \
	"next\nend\n"                                                                     \
	"config tagging\nedit t\nset category c\nset weight 5\nnext\nend\n"               \
	"secret pass geheim\nset color 99\nset comment hello\nset fqdn a.example\n"       \
	"set type new-kind\n" UUID "set visibility enable\nvdom root\n"

static const struct object *address(void) {
	return model_find(unit->model, fixture_table("firewall.address"), "a");
}

static struct object *received(const struct keyring *k, const char *dotted, const char *body) {
	const struct schema_table *table = fixture_table(dotted);
	struct object *obj = object_new(table, schema_is_list(table) ? "a" : "");
	struct err err = { 0 };

	ck_assert_msg(shared_parse(k, obj, body, &err) == 0, "%s", err.text);
	return obj;
}

static void commit(struct object *obj) {
	struct txn *t = txn_new(unit, "admin", "test");
	struct err err = { 0 };

	ck_assert_msg(txn_put(t, obj, TXN_ANY, &err) == 0, "%s", err.text);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

static char *text_of(const struct object *obj) {
	struct shared s = { 0 };
	struct str out = STR_INIT;

	ck_assert_int_eq(shared_text(&s, unit->keyring, obj, &out, NULL), 0);
	return str_steal(&out);
}

static void check_text(const char *want) {
	AUTO_FREE char *text = text_of(address());

	ck_assert_str_eq(text, want);
}

/* ---- objects ---- */

START_TEST(test_received) {
	struct object *obj = received(unit->keyring, "firewall.address", NEWER);
	const struct object *tag = object_child(obj, FIREWALL_ADDRESS__TAGGING, "t");
	AUTO_STR struct str shown = STR_INIT;
	AUTO_FREE char *text = text_of(obj);
	const char *secret = strstr(obj->unknown, "secret pass ENC ");

	ck_assert_str_eq(text, NEWER);
	ck_assert_str_eq(object_str(obj, FIREWALL_ADDRESS__COMMENT), "hello");
	ck_assert_str_eq(tag->unknown, "set weight 5\n");
	ck_assert_ptr_nonnull(secret);
	ck_assert_ptr_null(strstr(obj->unknown, "geheim"));
	ck_assert_ptr_nonnull(strstr(secret, "set color 99\nset fqdn a.example\nset type new-kind\n"
					     "set visibility enable\n"));
	text_body(obj, 0, 0, &shown);
	ck_assert_str_eq(str_text(&shown), UUID "set comment \"hello\"\nconfig tagging\n"
						"    edit \"t\"\n        set category \"c\"\n"
						"    next\nend\n");
	object_free(obj);
}
END_TEST

/*
 * For a release that knows nothing of a table its objects are rows. What counts there must count
 * the same here, where half of it is known.
 */
START_TEST(test_digest) {
	static const char *const bodies[] = { NEWER, "set comment a\nvdom root\n",
					      "set newer 1\nset allow-routing enable\nvdom root\n" };
	unsigned char here[DIGEST_LEN], there[DIGEST_LEN];
	struct digest_view v;

	unit->has_group_mac = true;
	memset(unit->group_mac, 1, sizeof(unit->group_mac));
	digest_view_init(&v, unit);
	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct object *obj = received(unit->keyring, "firewall.address", bodies[i]);
		struct row *row;

		ck_assert_int_eq(shared_row_parse(unit->keyring, "firewall.address", "a", bodies[i],
						  &row, NULL),
				 0);
		digest_group_object(&v, obj, here);
		digest_group_row(&v, row, there);
		ck_assert_mem_eq(here, there, DIGEST_LEN);
		object_free(obj);
		row_free(row);
	}
}
END_TEST

/* It is on disk, in the history, and is what it was after a start. */
START_TEST(test_restart) {
	struct object *again;
	uint64_t revision;

	commit(received(unit->keyring, "firewall.address", NEWER));
	check_text(NEWER);
	restart();
	check_text(NEWER);
	revision = unit->revision;
	again = received(unit->keyring, "firewall.address", NEWER);
	commit(again); /* sealed once more it is the same */
	ck_assert_uint_eq(unit->revision, revision);
}
END_TEST

static const struct {
	const char *typed, *kept; /* as text for members; uuid and vdom are as before */
} edits[] = {
	{ "set comment other\nconfig tagging\nedit t\nset category d\nnext\nedit u\nnext\nend\n",
	  "config newer\nedit 2\nconfig deeper\nset y 1\nend\nset deep \"x y\"\nnext\nedit 1\nnext\n"
	  "end\nconfig tagging\nedit t\nset category d\nset weight 5\nnext\nedit u\nnext\nend\n"
	  "secret pass geheim\nset color 99\nset comment other\nset fqdn a.example\n"
	  "set type new-kind\n" UUID "set visibility enable\nvdom root\n" },
	/* what he sets is what he says; an entry that he deletes is gone */
	{ "set color 5\nset visibility disable\n",
	  "config newer\nedit 2\nconfig deeper\nset y 1\nend\nset deep \"x y\"\nnext\nedit 1\nnext\n"
	  "end\nsecret pass geheim\nset color 5\nset fqdn a.example\nset type new-kind\n" UUID
	  "set visibility disable\nvdom root\n" },
	/* another kind brings an attribute to life */
	{ "set type fqdn\n",
	  "config newer\nedit 2\nconfig deeper\nset y 1\nend\nset deep \"x y\"\nnext\nedit 1\nnext\n"
	  "end\nsecret pass geheim\nset color 99\nset fqdn a.example\nset type fqdn\n" UUID
	  "set visibility enable\nvdom root\n" },
	{ "set type fqdn\nset fqdn b.example\n",
	  "config newer\nedit 2\nconfig deeper\nset y 1\nend\nset deep \"x y\"\nnext\nedit 1\nnext\n"
	  "end\nsecret pass geheim\nset color 99\nset fqdn b.example\nset type fqdn\n" UUID
	  "set visibility enable\nvdom root\n" },
};

START_TEST(test_administrator) {
	commit(received(unit->keyring, "firewall.address", NEWER));
	fixture_set(unit, "firewall.address", "a", edits[_i].typed);
	check_text(edits[_i].kept);
	restart();
	check_text(edits[_i].kept);
}
END_TEST

START_TEST(test_alive) {
	commit(received(unit->keyring, "firewall.address", NEWER));
	fixture_set(unit, "firewall.address", "a", "set type fqdn\n");
	ck_assert_str_eq(object_str(address(), FIREWALL_ADDRESS__FQDN), "a.example");
	ck_assert_ptr_null(strstr(address()->unknown, "fqdn"));
}
END_TEST

/* Deleted and made again, it is another object. */
START_TEST(test_deleted) {
	struct err err = { 0 };

	commit(received(unit->keyring, "firewall.address", NEWER));
	ck_assert_int_eq(fixture_delete(unit, "firewall.address", "a", &err), 0);
	fixture_set(unit, "firewall.address", "a", UUID);
	check_text(UUID "vdom root\n");
}
END_TEST

/* An object table in which there is nothing else is not as one never touched. */
START_TEST(test_nothing_else) {
	const struct schema_table *ha = fixture_table("system.ha");
	const char *body = "config secondary-vcluster\nset newer 1\nend\nset newer 1\n";
	struct shared s = { 0 };

	commit(received(unit->keyring, "system.ha", body));
	restart();
	ck_assert_str_eq(model_object(unit->model, ha)->unknown, "set newer 1\n");
	ck_assert(shared_has(&s, model_object(unit->model, ha)));
	{
		AUTO_FREE char *text = text_of(model_object(unit->model, ha));
		AUTO_STR struct str shown = STR_INIT;

		ck_assert_str_eq(text, body);
		text_body(model_object(unit->model, ha), 0, 0, &shown);
		ck_assert_str_eq(str_text(&shown), "set override disable\n");
	}
}
END_TEST

/* A list with an entry that cannot be one here is kept whole, in its order; so is another form. */
START_TEST(test_lists) {
	static const char *const bodies[] = {
		"config vcluster\nedit 1\nnext\nedit name\nset override enable\nnext\nedit 2\nnext\n"
		"end\n",
		"config vcluster\nset override enable\nend\n",
		"config secondary-vcluster\nedit 1\nset override enable\nnext\nend\n",
		"config group-id\nset a b\nend\n",
		"set vcluster x\n",
		"secret group-id 5\n",
		"set password clear\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
		struct object *obj = received(unit->keyring, "system.ha", bodies[i]);
		AUTO_FREE char *text = text_of(obj);

		ck_assert_str_eq(text, bodies[i]);
		ck_assert_uint_eq(obj->n_fields, 0);
		commit(obj);
		restart();
	}
}
END_TEST

/* ---- a release later, or earlier ---- */

static void sabotage(const char *sql) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	sqlite3 *db;

	engine_close(unit);
	unit = NULL;
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, "%s",
		      sqlite3_errmsg(db));
	sqlite3_close(db);
	ck_assert_int_eq(engine_accept(dir, NULL), 0);
	unit = fixture_engine(dir);
}

/* What an older release kept is what it was meant to be. */
START_TEST(test_upgrade) {
	AUTO_FREE char *sealed = secret_seal_same(unit->keyring, "geheim");
	AUTO_FREE char *sql = xasprintf(
		"INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) VALUES"
		"('global', 'system.auto-scale', '', 0, 1, x'00', 'set hb-interval 5\nsecret "
		"psksecret %s\n'), ('root', 'firewall.address', 'a', 0, 1, x'00', "
		"'kept\nset comment x\nset newer 1\nend\n')",
		sealed);
	const struct object *scale;
	AUTO_FREE char *plain = NULL;

	sabotage(sql);
	scale = model_object(unit->model, fixture_table("system.auto-scale"));
	ck_assert_int_eq(object_num(scale, SYSTEM_AUTO_SCALE__HB_INTERVAL), 5);
	ck_assert_int_eq(secret_unseal(unit->keyring,
				       object_str(scale, SYSTEM_AUTO_SCALE__PSKSECRET), &plain,
				       NULL),
			 0);
	ck_assert_str_eq(plain, "geheim");
	ck_assert_str_eq(object_str(address(), FIREWALL_ADDRESS__COMMENT), "x");
	ck_assert_str_eq(address()->unknown, "set newer 1\n");
	restart();
}
END_TEST

/* What a newer release stored as its own is kept; a secret is told from a text. */
START_TEST(test_downgrade) {
	AUTO_FREE char *sealed = secret_seal(unit->keyring, "geheim");
	AUTO_FREE char *sql = xasprintf(
		"INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) VALUES"
		"('root', 'firewall.address', 'a', 0, 1, x'00', 'set comment x\nset newer \"1 2\"\n"
		"set pass %s\nset visibility enable\nunset nothing\nconfig newer\n    edit 1\n"
		"    next\nend\nconfig tagging\n    edit \"t\"\n        set weight 5\n    next\n"
		"end\n')",
		sealed);

	sabotage(sql);
	check_text("config newer\nedit 1\nnext\nend\nconfig tagging\nedit t\nset weight 5\nnext\n"
		   "end\nsecret pass geheim\nset comment x\nset newer \"1 2\"\nvdom root\n");
	restart();
}
END_TEST

/* ---- objects of tables that are none here ---- */

#define ROWS                                                                             \
	"INSERT INTO obj(vd, tbl, key, pos, ver, hash, body) VALUES"                     \
	"('root', 'firewall.newer', '10', 0, 1, x'00', 'set a b\n'),"                    \
	"('root', 'firewall.newer', '9', 0, 1, x'00', ''),"                              \
	"('global', 'system.newer', 'x', 200, 1, x'00', 'set c d\n'),"                   \
	"('global', 'system.newer', 'y', 100, 1, x'00', '')"

/* They are kept through commits and starts, and prove to be what they were. */
START_TEST(test_rows) {
	const struct rows *rows;
	const struct row *row;

	sabotage(ROWS);
	rows = model_rows(unit->model);
	ck_assert_uint_eq(rows_count(rows), 4);
	row = rows_find(rows, "firewall.newer", "10");
	ck_assert_str_eq(row->body, "set a b\n");
	ck_assert(row->vdom);
	row = rows_first_of(rows, "system.newer");
	ck_assert_str_eq(row->key, "y"); /* by place */
	ck_assert(!row->vdom);
	ck_assert_str_eq(rows_next(rows, row)->key, "x");
	ck_assert_str_eq(rows_find(rows, "system.newer", "x")->body, "set c d\n");
	ck_assert_ptr_null(rows_find(rows, "system.newer", "z"));
	ck_assert_ptr_null(rows_find(rows, "system.newest", "x"));
	fixture_set(unit, "firewall.address", "a", "set comment x\n");
	restart();
	ck_assert_uint_eq(rows_count(model_rows(unit->model)), 4);
}
END_TEST

static void check_refused(const char *sql, const char *want) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	struct err err = { 0 };
	sqlite3 *db;

	engine_close(unit);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	unit = engine_open(dir, &err);
	ck_assert_ptr_null(unit);
	ck_assert_msg(strstr(err.text, want) != NULL, "%s", err.text);
}

START_TEST(test_row_tampered) {
	sabotage(ROWS);
	if (_i == 0)
		check_refused("UPDATE obj SET body = 'set a c' WHERE tbl = 'firewall.newer' AND "
			      "key = '10'",
			      "holds what was not committed: firewall.newer 10 (vd root)");
	else if (_i == 1)
		check_refused("DELETE FROM obj WHERE tbl = 'system.newer' AND key = 'x'",
			      "objects are missing, were added or changed places");
	else
		check_refused("UPDATE obj SET pos = -pos WHERE tbl = 'system.newer'",
			      "objects are missing, were added or changed places");
}
END_TEST

/* Replaced, the old one comes back; taken, it is gone. */
START_TEST(test_rows_set) {
	struct rows *rows = rows_new();
	struct row *old = row_new("a.b", "1", "set x 1\n"), *new = row_new("a.b", "1", "");

	new->pos = 5;
	ck_assert_ptr_null(rows_put(rows, old));
	ck_assert_ptr_eq(rows_put(rows, new), old);
	ck_assert_uint_eq(rows_count(rows), 1);
	ck_assert_ptr_null(rows_take(rows, "a.b", "2"));
	ck_assert_ptr_eq(rows_take(rows, "a.b", "1"), new);
	ck_assert_ptr_null(rows_first(rows));
	row_free(old);
	row_free(new);
	rows_free(rows);
}
END_TEST

/* From another member and on to the next: secrets are sealed here, and the text is the same. */
START_TEST(test_row_text) {
	const char *body = "config b\nedit 2\nsecret p \"x \\\"y\\\"\"\nnext\nedit 1\nnext\nend\n"
			   "secret a geheim\nset z 1\nvdom root\n";
	struct row *row;
	AUTO_STR struct str text = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(shared_row_parse(unit->keyring, "a.b", "k", body, &row, &err) == 0, "%s",
		      err.text);
	ck_assert(row->vdom);
	ck_assert_ptr_null(strstr(row->body, "geheim"));
	ck_assert_ptr_null(strstr(row->body, "vdom"));
	ck_assert_int_eq(shared_row_text(unit->keyring, row, &text, &err), 0);
	ck_assert_str_eq(str_text(&text), body);
	row_free(row);
}
END_TEST

static Suite *unknown_suite(void) {
	Suite *s = suite_create("unknown");
	TCase *t = fixture_case(s, "unknown");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_received);
	tcase_add_test(t, test_digest);
	tcase_add_test(t, test_restart);
	tcase_add_loop_test(t, test_administrator, 0, ARRAY_LEN(edits));
	tcase_add_test(t, test_alive);
	tcase_add_test(t, test_deleted);
	tcase_add_test(t, test_nothing_else);
	tcase_add_test(t, test_lists);
	tcase_add_test(t, test_upgrade);
	tcase_add_test(t, test_downgrade);
	tcase_add_test(t, test_rows);
	tcase_add_loop_test(t, test_row_tampered, 0, 3);
	tcase_add_test(t, test_rows_set);
	tcase_add_test(t, test_row_text);
	return s;
}

int main(void) {
	return fixture_run(unknown_suite());
}
