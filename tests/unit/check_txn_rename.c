/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Other names for entries, and tables that are emptied: what refers to an entry goes with it, all
 * of it or nothing, in a transaction and in what is committed.
 *
 * Random configurations are compared by a text in which no reference has a name: it says which
 * entry of which table is meant, as its place there. A rename must leave that text as it was.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/history.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_config.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr a g\nset dstaddr all\nset schedule always\n" \
	"set service ALL\n"

static char *dir;
static struct engine *engine;
static const struct schema_table *address, *group, *policy;

static void setup(void) {
	dir = fixture_dir();
	engine = fixture_engine(dir);
	address = fixture_table("firewall.address");
	group = fixture_table("firewall.addrgrp");
	policy = fixture_table("firewall.policy");
	fixture_set(engine, "firewall.address", "a", "set subnet 10.0.0.0 255.0.0.0\n");
	fixture_set(engine, "firewall.address", "b", "");
	fixture_set(engine, "firewall.addrgrp", "g", "set member b a\n");
	fixture_set(engine, "firewall.addrgrp", "outer", "set member a g\n");
	fixture_set(engine, "firewall.policy", "1", POLICY);
	fixture_set(engine, "firewall.policy", "2", POLICY);
	fixture_set(engine, "firewall.policy", "3", POLICY "set name three\n");
}

static void teardown(void) {
	fixture_fault(NULL);
	engine_close(engine);
	free(dir);
}

/* ---- shorthands ---- */

static void rename_entry(struct txn *t, const struct schema_table *table, const char *key,
			 const char *to) {
	struct err err = { 0 };

	ck_assert_msg(txn_rename(t, table, key, to, &err) == 0, "%s", err.text);
}

static void commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
}

static void check_durable(void) {
	AUTO_FREE char *here = fixture_snapshot(engine), *there = fixture_snapshot_of(dir);

	ck_assert_str_eq(here, there);
}

static int add_key(void *arg, const struct object *obj) {
	str_addf(arg, "%s ", obj->key);
	return 0;
}

static void check_keys(const struct txn *t, const struct schema_table *table, const char *want) {
	AUTO_STR struct str keys = STR_INIT;

	txn_each(t, table, add_key, &keys);
	ck_assert_str_eq(str_text(&keys), want);
}

/* The body has this line. */
static void check_line(const struct txn *t, const struct schema_table *table, const char *key,
		       const char *line) {
	AUTO_STR struct str body = STR_INIT;
	const struct object *obj = txn_find(t, table, key);

	ck_assert_ptr_nonnull(obj);
	text_body(obj, 0, 0, &body);
	ck_assert_msg(strstr(str_text(&body), line) != NULL, "no '%s' in\n%s", line,
		      str_text(&body));
}

/* ---- texts of whole configurations ---- */

struct dump {
	const struct txn *txn;
	struct str text;
	bool names;              /* as they are */
	unsigned int place;      /* of an entry in its table */
	const struct object *wanted; /* the entry whose place is looked for */
};

static int find_place(void *arg, const struct object *obj) {
	struct dump *d = arg;

	d->place++;
	return obj == d->wanted;
}

/* Each reference becomes the table and the place of what it stands for. */
static void resolve(const struct txn *t, struct object *obj) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct schema_attr *a = &obj->table->attrs[obj->fields[f].attr];
		struct value *v = &obj->fields[f].value;

		for (uint32_t i = 0; i < v->n; i++) {
			struct dump d = { .txn = t };

			if (a->type == ATTR_CHILD)
				resolve(t, value_item(v, i)->entry);
			if (a->type == ATTR_REF)
				d.wanted = txn_resolve(t, a, value_item(v, i)->str);
			if (!d.wanted)
				continue;
			txn_each(t, d.wanted->table, find_place, &d);
			value_replace_item(a, v, i,
					   (union item){ .str = xasprintf("%s#%u",
									  d.wanted->table->dotted,
									  d.place) });
		}
	}
}

static int dump_object(void *arg, const struct object *obj) {
	struct dump *d = arg;
	struct object *copy = object_copy(obj);

	if (!d->names)
		resolve(d->txn, copy);
	str_addf(&d->text, "%s %s\n", obj->table->dotted, d->names ? obj->key : "");
	text_body(copy, 1, 0, &d->text);
	object_free(copy);
	return 0;
}

static char *dump(const struct txn *t, bool names) {
	struct dump d = { .txn = t, .names = names, .text = STR_INIT };

	for (uint16_t i = 0; i < schema_n_top; i++)
		txn_each(t, schema_tables[schema_top[i]], dump_object, &d);
	return str_steal(&d.text);
}

/* Whole configurations are too long for a message: the lines from where they differ. */
static void check_same(const char *got, const char *want) {
	size_t at = 0;

	while (got[at] && got[at] == want[at])
		at++;
	while (at > 0 && got[at - 1] != '\n')
		at--;
	ck_assert_msg(strcmp(got, want) == 0, "'%.300s' is not '%.300s'", got + at, want + at);
}

/* ---- one rename ---- */

START_TEST(references_follow) {
	struct txn *t = txn_new(engine, "a", "test");
	AUTO_FREE char *uuid = xstrdup(object_str(txn_find(t, address, "a"),
						  FIREWALL_ADDRESS__UUID));
	uint64_t revision = engine->revision;

	rename_entry(t, address, "a", "a new one");
	for (int i = 0; i < 2; i++) {
		ck_assert_ptr_null(txn_find(t, address, "a"));
		check_line(t, address, "a new one", "set subnet 10.0.0.0 255.0.0.0\n");
		check_line(t, address, "a new one", uuid);
		check_line(t, group, "g", "set member \"b\" \"a new one\"\n");
		check_line(t, group, "outer", "set member \"a new one\" \"g\"\n");
		check_line(t, policy, "2", "set srcaddr \"a new one\" \"g\"\n");
		if (i == 0)
			commit(t);
	}
	ck_assert_uint_eq(engine->revision, revision + 1);
	check_durable();
	txn_free(t);
}
END_TEST

/* In nested tables, and in itself. */
START_TEST(nested_references_follow) {
	const struct schema_table *profile = fixture_table("webfilter.profile");
	const struct schema_table *vip = fixture_table("firewall.vip");
	struct txn *t;

	fixture_set(engine, "webfilter.profile", "p", "");
	fixture_set(engine, "webfilter.profile", "p",
		    "config override\nset profile p\nend\n");
	fixture_set(engine, "firewall.vip", "v",
		    "set type server-load-balance\nset extip 192.0.2.1\nset extintf any\n"
		    "config realservers\nedit 1\nset type address\nset address a\nnext\nend\n");
	t = txn_new(engine, "a", "test");
	rename_entry(t, profile, "p", "q");
	rename_entry(t, address, "a", "c");
	commit(t);
	check_line(t, profile, "q", "set profile \"q\"\n");
	check_line(t, vip, "v", "set address \"c\"\n");
	check_durable();
	txn_free(t);
}
END_TEST

/* Numbers are names, too; in ordered tables the place is that of the old name. */
START_TEST(places_stay) {
	static const struct {
		const char *from, *to, *view;
	} steps[] = {
		{ "2", "77", "1 77 3 " },
		{ "1", "2", "2 77 3 " },
		{ "3", "1", "2 77 1 " },
	};
	struct txn *t = txn_new(engine, "a", "test");

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		rename_entry(t, policy, steps[i].from, steps[i].to);
		check_keys(t, policy, steps[i].view);
		if (_i)
			commit(t);
	}
	commit(t);
	check_keys(t, policy, "2 77 1 ");
	check_line(t, policy, "1", "set name \"three\"\n");
	rename_entry(t, address, "a", "z");
	commit(t);
	check_keys(t, group, "g outer ");
	ck_assert_ptr_eq(model_next(engine->model, model_find(engine->model, address, "z")),
			 model_find(engine->model, address, "b"));
	check_durable();
	txn_free(t);
}
END_TEST

/* Names go round in one transaction, through entries that are new, changed or deleted in it. */
START_TEST(steps_of_one_transaction) {
	struct txn *t = txn_new(engine, "a", "test");
	AUTO_FREE char *before = dump(t, true), *after = NULL;

	rename_entry(t, address, "a", "x");
	rename_entry(t, address, "b", "a");
	rename_entry(t, address, "x", "b");
	check_line(t, group, "g", "set member \"a\" \"b\"\n");
	check_line(t, address, "b", "set subnet 10.0.0.0 255.0.0.0\n");
	ck_assert_int_eq(fixture_put(t, "firewall.address", "new", TXN_NEW, "", NULL), 0);
	ck_assert_int_eq(fixture_put(t, "firewall.addrgrp", "outer", TXN_ANY,
				     "set member new b\n", NULL),
			 0);
	rename_entry(t, address, "new", "newer");
	check_line(t, group, "outer", "set member \"newer\" \"b\"\n");
	ck_assert_int_eq(txn_delete(t, group, "outer", NULL), 0);
	ck_assert_int_eq(txn_delete(t, address, "newer", NULL), 0);
	rename_entry(t, group, "g", "outer");
	check_line(t, policy, "1", "set srcaddr \"b\" \"outer\"\n");
	commit(t);
	check_keys(t, group, "outer ");
	check_line(t, group, "outer", "set member \"a\" \"b\"\n");
	check_durable();
	/* and the names back; what was deleted is gone */
	rename_entry(t, group, "outer", "g");
	rename_entry(t, address, "a", "x");
	rename_entry(t, address, "b", "a");
	rename_entry(t, address, "x", "b");
	commit(t);
	fixture_set(engine, "firewall.addrgrp", "outer", "set member a g\n");
	check_line(t, group, "outer", "set member \"a\" \"g\"\n");
	after = dump(t, true);
	ck_assert_uint_eq(strlen(after), strlen(before));
	check_durable();
	txn_free(t);
}
END_TEST

/* ---- refusals ---- */

static int refuse_policies(void *arg, const struct object *before, const struct object *after,
			   struct err *err) {
	(void)arg;
	return (before ? before : after)->table == policy ? err_set(err, ERR_PERMISSION, "no")
							  : 0;
}

START_TEST(what_is_refused_changes_nothing) {
	static const struct {
		const char *table, *key, *to;
		int code;
	} cases[] = {
		{ "firewall.address", "nobody", "x", ERR_NOT_FOUND },
		{ "firewall.address", "a", "b", ERR_EXISTS },
		{ "firewall.address", "a", "a", ERR_EXISTS },
		{ "firewall.address", "a", "g", -163 },
		{ "firewall.address", "a", "guarded", ERR_PERMISSION },
		{ "firewall.policy", "1", "9", ERR_PERMISSION },
		{ "firewall.policy", "1", "0", ERR_PERMISSION },
		{ "firewall.ssl-ssh-profile", "no-inspection", "x", ERR_CONFLICT },
		{ "system.interface", "port9", "port8", ERR_CONFLICT },
		{ "system.zone", "z", "any", ERR_NAME_INTERFACE },
		{ "system.zone", "z", "port9", ERR_NAME_INTERFACE },
		{ "system.accprofile", "super_admin", "x", ERR_CONFLICT },
		{ "system.global", "", "x", ERR_PARSE },
	};
	struct txn *t;
	AUTO_FREE char *before = NULL;

	fixture_set(engine, "system.interface", "port9", "");
	fixture_set(engine, "system.zone", "z", "");
	t = txn_new(engine, "a", "test");
	before = dump(t, true);
	engine_set_guard(engine, refuse_policies, NULL);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO_FREE char *after = NULL;
		struct err err = { 0 };

		ck_assert_int_eq(txn_rename(t, fixture_table(cases[i].table), cases[i].key,
					    cases[i].to, &err),
				 cases[i].code);
		ck_assert_int_eq(err.code, cases[i].code);
		ck_assert_uint_eq(txn_staged(t), 0);
		after = dump(t, true);
		check_same(after, before);
	}
	engine_set_guard(engine, NULL, NULL);
	ck_assert_int_eq(txn_rename(t, policy, "1", "0", NULL), ERR_VALUE);
	txn_free(t);
}
END_TEST

/* A rule of a table sees the new name before anything is staged. */
START_TEST(rules_are_asked) {
	const struct schema_table *service = fixture_table("firewall.service.custom");
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	rename_entry(t, service, "ALL", "all of them");
	ck_assert_int_eq(fixture_put(t, "firewall.policy", "1", TXN_ANY,
				     "set srcintf any\nset dstintf any\nset srcaddr a\n"
				     "set dstaddr all\nset schedule always\nset service HTTP DNS\n",
				     &err),
			 0);
	ck_assert_int_eq(txn_rename(t, service, "HTTP", "ALL", &err), ERR_VALUE);
	ck_assert_ptr_nonnull(txn_find(t, service, "HTTP"));
	check_line(t, policy, "1", "set service \"HTTP\" \"DNS\"\n");
	/* a name that covers the others takes their place, as when it is typed */
	rename_entry(t, address, "all", "everybody");
	rename_entry(t, address, "a", "all");
	check_line(t, policy, "2", "set srcaddr \"g\"\n");
	commit(t);
	check_durable();
	txn_free(t);
}
END_TEST

/* Others commit meanwhile: a user of the old name, the new name itself, a change of a user. */
START_TEST(others_may_be_faster) {
	struct txn *t = txn_new(engine, "a", "test");

	rename_entry(t, address, "a", "c");
	if (_i == 0)
		fixture_set(engine, "firewall.addrgrp", "late", "set member a\n");
	else if (_i == 1)
		fixture_set(engine, "firewall.address", "c", "");
	else if (_i == 2)
		fixture_set(engine, "firewall.addrgrp", "g", "set member a\n");
	else
		fixture_set(engine, "firewall.address", "elsewhere", "");
	ck_assert_int_eq(txn_commit(t, NULL), _i < 3 ? ERR_LOCKED : 0);
	check_durable();
	txn_free(t);
}
END_TEST

/*
 * A transaction that is held keeps others from the entry, from its new name, and from all that
 * refers to it; and it is itself kept from what another one holds, whole.
 */
START_TEST(locks_are_kept) {
	struct txn *held = txn_new(engine, "a", "test"), *other = txn_new(engine, "b", "test");

	txn_hold(held, "held");
	rename_entry(held, address, "a", "c");
	ck_assert_int_eq(txn_rename(other, address, "a", "d", NULL), ERR_LOCKED);
	ck_assert_int_eq(txn_rename(other, address, "all", "c", NULL), ERR_LOCKED);
	ck_assert_int_eq(txn_rename(other, address, "b", "d", NULL), ERR_LOCKED); /* g has both */
	ck_assert_int_eq(txn_rename(other, policy, "1", "9", NULL), ERR_LOCKED);
	ck_assert_int_eq(txn_place(other, policy, "2", "3", NULL), ERR_LOCKED);
	ck_assert_int_eq(txn_purge(other, policy, NULL), ERR_LOCKED);
	ck_assert_uint_eq(txn_staged(other), 0);
	rename_entry(other, address, "none", "nobody");
	commit(other);
	ck_assert_int_eq(txn_rename(other, fixture_table("firewall.service.custom"), "ALL", "x", NULL),
			 ERR_LOCKED); /* the policies have it, too */
	commit(held);
	check_line(other, policy, "1", "set srcaddr \"c\" \"g\"\n");
	rename_entry(other, address, "b", "d");
	commit(other);
	check_durable();
	txn_free(held);
	txn_free(other);
}
END_TEST

/* The history takes names, places and whole tables back; b is the last of those without order. */
START_TEST(history_takes_it_back) {
	struct txn *t = txn_new(engine, "a", "test");
	AUTO_FREE char *before = dump(t, true), *after = NULL;
	uint64_t revision = engine->revision;
	struct err err = { 0 };

	rename_entry(t, policy, "2", "77");
	rename_entry(t, address, "b", "c");
	ck_assert_int_eq(txn_place_before(t, policy, "3", "1", NULL), 0);
	commit(t);
	if (_i == 1) {
		ck_assert_int_eq(txn_purge(t, policy, NULL), 0);
		commit(t);
	}
	ck_assert_msg((_i == 2 ? history_undo(t, revision + 1, &err)
			       : history_stage(t, revision, &err)) == 0, "%s", err.text);
	commit(t);
	after = dump(t, true);
	check_same(after, before);
	check_durable();
	txn_free(t);
}
END_TEST

/* What would be too much in all is refused before the first of it is staged. */
START_TEST(there_must_be_room) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	t->bytes = TXN_BYTES_MAX - 300; /* one entry would fit */
	ck_assert_int_eq(txn_rename(t, address, "a", "c", &err), ERR_MAX_ENTRIES);
	ck_assert_int_eq(txn_purge(t, policy, &err), ERR_MAX_ENTRIES);
	ck_assert_uint_eq(txn_staged(t), 0);
	ck_assert_int_eq(txn_delete(t, policy, "1", &err), 0);
	t->bytes -= TXN_BYTES_MAX - 300;
	rename_entry(t, address, "a", "c");
	commit(t);
	txn_free(t);
}
END_TEST

/* Who has an entry open that is renamed, or that refers to it, cannot save it as it was. */
START_TEST(open_entries_are_late) {
	struct txn *t = txn_new(engine, "a", "test");
	uint64_t renamed = txn_find(t, address, "a")->ver, user = txn_find(t, group, "g")->ver;
	uint64_t other = txn_find(t, address, "b")->ver;

	rename_entry(t, address, "a", "c");
	commit(t);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "a", renamed, "", NULL), ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.addrgrp", "g", user, "set member b\n", NULL),
			 ERR_LOCKED);
	ck_assert_int_eq(fixture_put(t, "firewall.address", "b", other, "", NULL), 0);
	txn_free(t);
}
END_TEST

/* ---- whole or absent ---- */

static const char *const points[] = { "store.write", "commit.kernel", "commit.apply",
				      "store.commit" };

START_TEST(faults) {
	struct fake_kernel k;
	unsigned int countdown = 0;
	int rc;

	fake_kernel_attach(&k, engine);
	do {
		AUTO_FREE char *spec = xasprintf("%s:%u", points[_i], ++countdown);
		AUTO_FREE char *before = fixture_snapshot(engine), *after = NULL;
		AUTO_FREE char *kernel = xstrdup(k.now);
		struct txn *t = txn_new(engine, "a", "test");

		rename_entry(t, address, "a", "c");
		rename_entry(t, policy, "2", "20");
		ck_assert_int_eq(txn_place_before(t, policy, "3", "1", NULL), 0);
		fixture_fault(spec);
		rc = txn_commit(t, NULL);
		fixture_fault(NULL);
		after = fixture_snapshot(engine);
		txn_free(t);
		if (rc) {
			check_same(after, before);
			ck_assert_str_eq(k.now, kernel);
		}
	} while (rc && countdown < 1000);
	ck_assert_uint_gt(countdown, 1);
	ck_assert_ptr_nonnull(model_find(engine->model, address, "c"));
	ck_assert_str_eq(model_first(engine->model, policy)->key, "3");
	check_durable();
	fake_kernel_done(&k);
}
END_TEST

/* ---- random configurations ---- */

static int pick_nth(void *arg, const struct object *obj) {
	struct dump *d = arg;

	d->wanted = obj;
	return d->place-- == 0;
}

/* Any entry of any list. */
static const struct object *pick_entry(struct rng *r, const struct txn *t) {
	for (;;) {
		const struct schema_table *table =
			schema_tables[schema_top[rng_below(r, schema_n_top)]];
		uint32_t n = schema_is_list(table) ? (uint32_t)txn_count(t, table) : 0;
		struct dump d = { .place = n ? rng_below(r, n) : 0 };

		if (n == 0)
			continue;
		txn_each(t, table, pick_nth, &d);
		return d.wanted;
	}
}

static void fill(struct rng *r, struct txn *t) {
	for (int round = 0; round < 2; round++)
		for (uint16_t i = 0; i < schema_n_top; i++) {
			const struct schema_table *table = schema_tables[schema_top[i]];

			random_fill(r, t, table, schema_is_list(table) ? 4 : 1);
		}
}

/*
 * Whatever is renamed: each reference means what it meant, in the transaction and after it, and
 * with the old name back the configuration is what it was, to the byte.
 */
START_TEST(meaning_stays) {
	struct rng r = rng_seed(fixture_seed() * 131 + (uint64_t)_i);
	const unsigned int rounds = fixture_rounds(60);
	struct txn *t = txn_new(engine, "a", "test");
	unsigned int renamed = 0;

	fill(&r, t);
	commit(t);
	for (unsigned int i = 0; i < rounds; i++) {
		AUTO_FREE char *named = dump(t, true), *meant = dump(t, false), *now = NULL;
		const struct object *obj = pick_entry(&r, t);
		const struct schema_table *table = obj->table;
		AUTO_FREE char *from = xstrdup(obj->key), *to = random_key(&r, table);

		if (txn_rename(t, table, from, to, NULL) != 0) {
			now = dump(t, true);
			check_same(now, named);
			continue;
		}
		renamed++;
		if (rng_chance(&r, 50))
			commit(t);
		/* in a transaction what is new is listed last where order means nothing */
		if (txn_staged(t) == 0 || (table->flags & TABLE_ORDERED)) {
			now = dump(t, false);
			check_same(now, meant);
		}
		free(now);
		commit(t);
		now = dump(t, false);
		check_same(now, meant);
		if (rng_chance(&r, 50))
			continue;
		rename_entry(t, table, to, from);
		commit(t);
		free(now);
		now = dump(t, true);
		check_same(now, named);
	}
	ck_assert_uint_gt(renamed, rounds / 4);
	check_durable();
	txn_free(t);
}
END_TEST

/* ---- purge ---- */

START_TEST(purge_takes_all) {
	struct txn *t = txn_new(engine, "a", "test");
	uint64_t revision = engine->revision;

	ck_assert_int_eq(txn_purge(t, policy, NULL), 0);
	check_keys(t, policy, "");
	ck_assert_int_eq(txn_purge(t, group, NULL), 0); /* one names the other */
	ck_assert_int_eq(fixture_put(t, "firewall.policy", "9", TXN_NEW,
				     "set srcintf any\nset dstintf any\nset srcaddr a\n"
				     "set dstaddr all\nset schedule always\nset service ALL\n",
				     NULL),
			 0);
	commit(t);
	check_keys(t, policy, "9 ");
	check_keys(t, group, "");
	ck_assert_uint_eq(engine->revision, revision + 1);
	ck_assert_int_eq(txn_purge(t, group, NULL), 0);
	commit(t);
	ck_assert_uint_eq(engine->revision, revision + 1);
	check_durable();
	txn_free(t);
}
END_TEST

START_TEST(purge_takes_all_or_none) {
	struct txn *t = txn_new(engine, "a", "test");
	struct err err = { 0 };

	ck_assert_int_eq(txn_purge(t, address, &err), ERR_IN_USE);
	ck_assert_str_eq(err.text, "'all' stays, so none is removed\n"
				   "The entry is used by other 3 entries");
	ck_assert_int_eq(txn_purge(t, group, &err), ERR_IN_USE);
	ck_assert_int_eq(txn_purge(t, fixture_table("system.admin"), &err), ERR_CONFLICT);
	ck_assert_int_eq(txn_purge(t, fixture_table("system.global"), &err), ERR_PARSE);
	engine_set_guard(engine, refuse_policies, NULL);
	ck_assert_int_eq(txn_purge(t, policy, &err), ERR_PERMISSION);
	engine_set_guard(engine, NULL, NULL);
	ck_assert_uint_eq(txn_staged(t), 0);
	txn_free(t);
}
END_TEST

/* What somebody adds to the table meanwhile is no part of what was purged. */
START_TEST(purge_and_others) {
	struct txn *t = txn_new(engine, "a", "test");

	ck_assert_int_eq(txn_purge(t, policy, NULL), 0);
	fixture_set(engine, "firewall.policy", "4", POLICY);
	commit(t);
	check_keys(t, policy, "4 ");
	ck_assert_int_eq(txn_purge(t, policy, NULL), 0);
	fixture_set(engine, "firewall.policy", "4", POLICY "set name x\n");
	ck_assert_int_eq(txn_commit(t, NULL), ERR_LOCKED);
	check_durable();
	txn_free(t);
}
END_TEST

static Suite *txn_rename_suite(void) {
	Suite *s = suite_create("txn_rename");
	TCase *t = fixture_case(s, "txn_rename");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, references_follow);
	tcase_add_test(t, nested_references_follow);
	tcase_add_loop_test(t, places_stay, 0, 2);
	tcase_add_test(t, steps_of_one_transaction);
	tcase_add_test(t, what_is_refused_changes_nothing);
	tcase_add_test(t, rules_are_asked);
	tcase_add_loop_test(t, others_may_be_faster, 0, 4);
	tcase_add_test(t, locks_are_kept);
	tcase_add_loop_test(t, history_takes_it_back, 0, 3);
	tcase_add_test(t, there_must_be_room);
	tcase_add_test(t, open_entries_are_late);
	tcase_add_loop_test(t, faults, 0, (int)ARRAY_LEN(points));
	tcase_add_loop_test(t, meaning_stays, 0, 4);
	tcase_add_test(t, purge_takes_all);
	tcase_add_test(t, purge_takes_all_or_none);
	tcase_add_test(t, purge_and_others);
	return s;
}

int main(void) {
	return fixture_run(txn_rename_suite());
}
