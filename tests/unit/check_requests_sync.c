/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two units' daemons, and their configuration carried from one to the other by the requests of
 * replication alone: whole, by changes, in pages, in any order of tables. Who may not ask, and
 * frames that are none.
 */
#include "cfgdb/control/requests_sync.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/operation.h"
#include "cfgdb/role.h"
#include "tests/lib/fixture.h"

#define POLICY                                                                          \
	"set srcintf any\nset dstintf any\nset action accept\nset srcaddr all\nset dstaddr all\n" \
	"set schedule always\nset service ALL\n"
#define NAMES_MAX 2000

/* A unit, and the answer to its last request. */
struct unit {
	char *dir;
	struct engine *engine;
	struct role *role;
	struct server_config config;
	struct caller caller;
	uint64_t revision;
	unsigned int n_names;
	char *names[NAMES_MAX];
	struct buf ops;              /* operations, each with its length */
	unsigned int n_ops;
	char user[CTL_ORIGIN_MAX + 1], source[CTL_ORIGIN_MAX + 1];
	int code;                    /* of the end; 1: none came */
	char text[ERR_TEXT_MAX];
};

static struct unit a, b;

static void hear(void *arg, const struct buf *frame) {
	struct unit *u = arg;
	struct buf_reader r;

	buf_reader_init(&r, frame->data, frame->len);
	switch (buf_get_u8(&r)) {
	case CTL_SYNC_REVISION:
		u->revision = buf_get_u64(&r);
		break;
	case CTL_SYNC_DIGEST:
		ck_assert_uint_lt(u->n_names, NAMES_MAX);
		u->names[u->n_names++] = buf_get_str(&r, 255);
		break;
	case CTL_SYNC_ORIGIN: {
		AUTO_FREE char *user = buf_get_str(&r, CTL_ORIGIN_MAX);
		AUTO_FREE char *source = buf_get_str(&r, CTL_ORIGIN_MAX);

		ck_assert(!r.bad);
		strcpy(u->user, user);
		strcpy(u->source, source);
		break;
	}
	case CTL_SYNC_OPERATION:
		buf_put_u32(&u->ops, (uint32_t)frame->len - 1);
		buf_put_bytes(&u->ops, frame->data + 1, frame->len - 1);
		u->n_ops++;
		break;
	case CTL_OK:
		u->code = 0;
		break;
	case CTL_ERROR: {
		AUTO_FREE char *text = NULL;

		u->code = (int)buf_get_u32(&r);
		text = buf_get_str(&r, ERR_TEXT_MAX);
		snprintf(u->text, sizeof(u->text), "%s", text);
		break;
	}
	default:
		break;
	}
}

static void forget_answer(struct unit *u) {
	for (unsigned int i = 0; i < u->n_names; i++)
		free(u->names[i]);
	u->n_names = u->n_ops = 0;
	buf_done(&u->ops);
	u->code = 1;
	*u->text = '\0';
}

/* Whether it was a frame; u->code is the answer. */
static bool ask(struct unit *u, const struct buf *frame) {
	forget_answer(u);
	return caller_request(&u->caller, frame->data, frame->len);
}

static void greet(struct unit *u) {
	AUTO_BUF struct buf f = BUF_INIT;

	caller_init(&u->caller, u->engine, &u->config, "sync", false);
	u->caller.send = hear;
	u->caller.send_arg = u;
	u->caller.may_attach = true;
	buf_put_u8(&f, CTL_HELLO);
	buf_put_u32(&f, CTL_VERSION);
	buf_put_str(&f, schema_digest);
	ck_assert(ask(u, &f));
	ck_assert_int_eq(u->code, 0);
}

static void begin(struct unit *u) {
	u->dir = fixture_dir();
	u->engine = fixture_engine(u->dir);
	u->role = role_new(u->engine, NULL);
	u->config = (struct server_config){ .group = "g", .version = "1", .role = u->role };
	greet(u);
	/* what the group makes secrets comparable with */
	memset(u->engine->group_mac, 7, sizeof(u->engine->group_mac));
	u->engine->has_group_mac = true;
}

static void end(struct unit *u) {
	forget_answer(u);
	caller_done(&u->caller);
	engine_close(u->engine);
	role_free(u->role);
	free(u->dir);
	*u = (struct unit){ .dir = NULL };
}

static void setup(void) {
	begin(&a);
	begin(&b);
	fixture_set(a.engine, "system.auto-scale", "", "set status enable\nset role primary\n");
	fixture_set(b.engine, "system.auto-scale", "", "set status enable\n");
}

static void teardown(void) {
	end(&a);
	end(&b);
}

/* ---- requests ---- */

static void ask_type(struct unit *u, uint8_t type) {
	AUTO_BUF struct buf f = BUF_INIT;

	buf_put_u8(&f, type);
	ck_assert(ask(u, &f));
}

static void ask_index(struct unit *u, const char *table, const char *after, uint32_t max) {
	AUTO_BUF struct buf f = BUF_INIT;

	buf_put_u8(&f, CTL_SYNC_INDEX);
	buf_put_str(&f, table);
	buf_put_str(&f, after);
	buf_put_u32(&f, max);
	ck_assert(ask(u, &f));
}

static void ask_changes(struct unit *u, uint64_t since, uint32_t max) {
	AUTO_BUF struct buf f = BUF_INIT;

	buf_put_u8(&f, CTL_SYNC_CHANGES);
	buf_put_u64(&f, since);
	buf_put_u32(&f, max);
	ck_assert(ask(u, &f));
}

static void ask_begin(struct unit *u) {
	AUTO_BUF struct buf f = BUF_INIT;

	buf_put_u8(&f, CTL_SYNC_BEGIN);
	buf_put_str(&f, "alice");
	buf_put_str(&f, "cli");
	buf_put_u64(&f, 1700000000);
	buf_put_str(&f, "from A");
	ck_assert(ask(u, &f));
	ck_assert_int_eq(u->code, 0);
}

static struct digest_group digests_of(const struct unit *u) {
	struct digest_view view;
	struct digest_group d;

	digest_view_init(&view, u->engine);
	digest_group(&view, &d);
	return d;
}

/* The code. */
static int ask_commit(struct unit *u, const struct unit *from, uint64_t epoch) {
	AUTO_BUF struct buf f = BUF_INIT;
	struct digest_group d = digests_of(from);

	buf_put_u8(&f, CTL_SYNC_COMMIT);
	buf_put_str(&f, from->engine->serial);
	buf_put_u64(&f, epoch);
	buf_put_u64(&f, from->engine->revision);
	buf_put_bytes(&f, d.global, DIGEST_LEN);
	buf_put_bytes(&f, d.root, DIGEST_LEN);
	buf_put_bytes(&f, d.all, DIGEST_LEN);
	ck_assert(ask(u, &f));
	return u->code;
}

static void ask_read(struct unit *u, const char *table, unsigned int n, char *const keys[]) {
	AUTO_BUF struct buf f = BUF_INIT;

	buf_put_u8(&f, CTL_SYNC_READ);
	buf_put_u16(&f, (uint16_t)n);
	for (unsigned int i = 0; i < n; i++) {
		buf_put_str(&f, table);
		buf_put_str(&f, keys[i]);
	}
	ck_assert(ask(u, &f));
}

/* Stage at u what `ops` holds; the code of the first that fails. */
static int stage(struct unit *u, const struct buf *ops, unsigned int n) {
	struct buf_reader r;
	int rc = 0;

	buf_reader_init(&r, ops->data, ops->len);
	for (unsigned int i = 0; i < n && rc == 0; i++) {
		AUTO_BUF struct buf f = BUF_INIT;
		uint32_t len = buf_get_u32(&r);

		buf_put_u8(&f, CTL_SYNC_STAGE);
		for (uint32_t at = 0; at < len; at++)
			buf_put_u8(&f, buf_get_u8(&r));
		ck_assert(ask(u, &f));
		rc = u->code;
	}
	return rc;
}

/* Move the names of the last answer out of u; the caller frees them. */
static unsigned int take_names(struct unit *u, char **names) {
	unsigned int n = u->n_names;

	memcpy(names, u->names, n * sizeof(*names));
	u->n_names = 0;
	return n;
}

static void free_names(char **names, unsigned int n) {
	for (unsigned int i = 0; i < n; i++)
		free(names[i]);
}

/* What b has in a table and a has not is deleted, what a has is put. */
static void copy_table(const char *table) {
	char *keys[NAMES_MAX];
	struct buf ops = BUF_INIT;
	unsigned int n;

	ask_index(&b, table, "", NAMES_MAX);
	n = take_names(&b, keys);
	for (unsigned int i = 0; i < n; i++) {
		struct operation o = { OPERATION_DELETE, false, (char *)table, keys[i], keys[i],
				       keys[i] };
		AUTO_BUF struct buf f = BUF_INIT;

		buf_put_u8(&f, CTL_SYNC_STAGE);
		operation_encode(&f, &o);
		ck_assert(ask(&b, &f));
		ck_assert_msg(b.code == 0, "%s", b.text);
	}
	free_names(keys, n);
	ask_index(&a, table, "", NAMES_MAX);
	n = take_names(&a, keys);
	ask_read(&a, table, n, keys);
	ck_assert_uint_eq(a.n_ops, n);
	ops = a.ops;
	a.ops = (struct buf)BUF_INIT;
	ck_assert_msg(stage(&b, &ops, n) == 0, "%s", b.text);
	buf_wipe(&ops);
	free_names(keys, n);
}

/* Carry all from a to b. The code of the commit. */
static int copy_all(bool backwards) {
	char *tables[NAMES_MAX];
	unsigned int n;

	ask_begin(&b);
	ask_type(&a, CTL_SYNC_TABLES);
	n = take_names(&a, tables);
	for (unsigned int i = 0; i < n; i++)
		copy_table(tables[backwards ? n - 1 - i : i]);
	free_names(tables, n);
	return ask_commit(&b, &a, role_membership(a.role)->epoch);
}

static void check_equal(void) {
	struct digest_group x = digests_of(&a), y = digests_of(&b);

	ck_assert_int_eq(memcmp(&x, &y, sizeof(x)), 0);
}

/* ---- tests ---- */

static void fill_a(void) {
	fixture_set(a.engine, "system.global", "", "set hostname unit-a\nset timezone 4\n");
	fixture_set(a.engine, "firewall.address", "net-1", "set subnet 10.0.0.0 255.0.0.0\n");
	fixture_set(a.engine, "firewall.address", "net-2", "set subnet 10.2.0.0 255.255.0.0\n");
	fixture_set(a.engine, "firewall.addrgrp", "nets", "set member net-1 net-2\n");
	fixture_set(a.engine, "system.standalone-cluster", "",
		    "set psksecret \"sixteen letters and more\"\n");
	for (int i = 1; i <= 5; i++) {
		AUTO_FREE char *key = xasprintf("%d", i * 7 % 6);

		fixture_set(a.engine, "firewall.policy", key, POLICY);
	}
}

/* Tables in any order: what refers comes before and after what it refers to. */
START_TEST(test_whole) {
	fill_a();
	fixture_set(b.engine, "system.global", "", "set hostname unit-b\n");
	fixture_set(b.engine, "firewall.address", "old", "");
	fixture_set(b.engine, "firewall.policy", "9", POLICY);
	ck_assert_msg(copy_all(_i) == 0, "%s", b.text);
	check_equal();
	ck_assert_str_eq(engine_hostname(b.engine), "unit-b");
	ck_assert_ptr_null(model_find(b.engine->model, schema_find("firewall.address"), "old"));
	ck_assert_str_eq(role_membership(b.role)->primary, a.engine->serial);
	ck_assert_uint_eq(role_membership(b.role)->revision, a.engine->revision);
}
END_TEST

/* Changes, the order of policies among them, bring b to where a is. */
START_TEST(test_changes) {
	uint64_t since;
	struct buf ops;
	struct txn *t;
	unsigned int n;

	fill_a();
	ck_assert_int_eq(copy_all(false), 0);
	since = a.engine->revision;
	fixture_set(a.engine, "firewall.policy", "77", POLICY "set name first\n");
	t = txn_new(a.engine, "alice", "cli");
	ck_assert_int_eq(txn_place(t, schema_find("firewall.policy"), "77", "", NULL), 0);
	ck_assert_int_eq(txn_place(t, schema_find("firewall.policy"), "2", "77", NULL), 0);
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
	ck_assert_int_eq(fixture_delete(a.engine, "firewall.addrgrp", "nets", NULL), 0);
	ck_assert_int_eq(fixture_delete(a.engine, "firewall.address", "net-1", NULL), 0);
	fixture_set(a.engine, "system.global", "", "set hostname unit-aa\nset timezone 4\n");
	ask_changes(&a, since, 1 << 20);
	ck_assert_int_eq(a.code, 0);
	ck_assert_uint_eq(a.revision, a.engine->revision);
	ops = a.ops;
	n = a.n_ops;
	a.ops = (struct buf)BUF_INIT;
	ask_begin(&b);
	ck_assert_msg(stage(&b, &ops, n) == 0, "%s", b.text);
	buf_wipe(&ops);
	ck_assert_msg(ask_commit(&b, &a, 1) == 0, "%s", b.text);
	check_equal();
}
END_TEST

START_TEST(test_changes_bounds) {
	fill_a();
	ask_changes(&a, a.engine->revision, 1000);
	ck_assert_int_eq(a.code, 0);
	ck_assert_uint_eq(a.n_ops, 0);
	ask_changes(&a, a.engine->revision + 1, 1000);
	ck_assert_int_eq(a.code, ERR_NOT_FOUND);
	ask_changes(&a, 1, 100);
	ck_assert_int_eq(a.code, ERR_TOO_LONG);
	ck_assert_uint_eq(a.n_ops, 0);
	ask_changes(&a, a.engine->revision - 1, 1000);
	ck_assert_int_eq(a.code, 0);
	ck_assert_uint_eq(a.n_ops, 1);
	ck_assert_str_eq(a.user, "admin");
}
END_TEST

static void edit_as(const char *user, const char *source) {
	static unsigned int n;
	AUTO_FREE char *key = xasprintf("by-%u", n++);
	struct txn *t = txn_new(a.engine, user, source);

	ck_assert_int_eq(fixture_put(t, "firewall.address", key, TXN_ANY, "", NULL), 0);
	ck_assert_int_eq(txn_commit(t, NULL), 0);
	txn_free(t);
}

/* All who have made the changes, each once, the last at the end: as many as there is room for. */
START_TEST(test_authors) {
	uint64_t since = a.engine->revision;
	char name[40];

	edit_as("root", "cli");
	ask_changes(&a, since, 1 << 20);
	ck_assert_str_eq(a.user, "root");
	ck_assert_str_eq(a.source, "cli");
	edit_as("gatehouse", "script");
	edit_as("gate", "script");
	edit_as("root", "script");
	edit_as("gatehouse", "script");
	ask_changes(&a, since, 1 << 20);
	ck_assert_str_eq(a.user, "gate, root, gatehouse");
	ck_assert_str_eq(a.source, "cli, script");
	ask_changes(&a, since + 3, 1 << 20);
	ck_assert_str_eq(a.user, "root, gatehouse");
	for (unsigned int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "name-%u", i);
		edit_as(name, "cli");
	}
	ask_changes(&a, since, 1 << 20);
	ck_assert_str_eq(a.user, "..., name-24, name-25, name-26, name-27, name-28, name-29");
	ask_changes(&a, a.engine->revision, 1 << 20);
	ck_assert_str_eq(a.user, "name-29");
}
END_TEST

/* Pages follow on each other; what is no longer there is no place to go on from. */
START_TEST(test_pages) {
	fill_a();
	ask_index(&a, "firewall.policy", "", 2);
	ck_assert_uint_eq(a.n_names, 2);
	ck_assert_str_eq(a.names[0], "1");
	ck_assert_str_eq(a.names[1], "2");
	ask_index(&a, "firewall.policy", "2", 2);
	ck_assert_str_eq(a.names[0], "3");
	ask_index(&a, "firewall.policy", "4", 2);
	ck_assert_uint_eq(a.n_names, 1);
	ask_index(&a, "firewall.policy", "99", 2);
	ck_assert_int_eq(a.code, ERR_NOT_FOUND);
	ask_index(&a, "no.such", "", 2);
	ck_assert_int_eq(a.code, 0);
	ck_assert_uint_eq(a.n_names, 0);
}
END_TEST

/* Nothing is there in the end if the digests are not those that were said. */
START_TEST(test_other_digests) {
	AUTO_FREE char *before = fixture_snapshot(b.engine), *after = NULL;

	fill_a();
	ask_begin(&b);
	copy_table("firewall.address");
	ck_assert_int_eq(ask_commit(&b, &a, 1), ERR_CONFLICT);
	after = fixture_snapshot(b.engine);
	ck_assert_str_eq(before, after);
	ck_assert_int_eq(ask_commit(&b, &a, 1), ERR_CONFLICT); /* it is gone */
}
END_TEST

/* Where they cannot be said, because the key that goes into them changes, it is taken as it is. */
START_TEST(test_no_digests) {
	AUTO_BUF struct buf f = BUF_INIT;

	fill_a();
	ask_begin(&b);
	copy_table("firewall.address");
	buf_put_u8(&f, CTL_SYNC_COMMIT);
	buf_put_str(&f, a.engine->serial);
	buf_put_u64(&f, 1);
	buf_put_u64(&f, a.engine->revision);
	for (int i = 0; i < 3 * DIGEST_LEN; i++)
		buf_put_u8(&f, 0);
	ck_assert(ask(&b, &f));
	ck_assert_msg(b.code == 0, "%s", b.text);
	ck_assert_ptr_nonnull(model_find(b.engine->model, schema_find("firewall.address"),
					 "net-1"));
}
END_TEST

/* While a replicated transaction is open, nothing else can be put into it. */
START_TEST(test_not_mixed) {
	AUTO_BUF struct buf f = BUF_INIT;

	b.caller.allowed = true;
	ask_begin(&b);
	buf_put_u8(&f, CTL_COMMIT);
	ck_assert(!ask(&b, &f));
	ask_type(&b, CTL_ABORT);
	ck_assert_int_eq(b.code, 0);
	ck_assert_int_eq(ask_commit(&b, &a, 1), ERR_CONFLICT);
}
END_TEST

/* Administrators have no business here: the answers hold secrets in clear. */
START_TEST(test_rights) {
	b.caller.allowed = true;
	b.caller.may_attach = false;
	ask_type(&b, CTL_SYNC_TABLES);
	ck_assert_int_eq(b.code, ERR_PERMISSION);
	b.caller.allowed = false;
	b.caller.may_attach = true;
	ask_type(&b, CTL_SYNC_TABLES);
	ck_assert_int_eq(b.code, 0);
	ask_type(&b, CTL_BEGIN);
	ck_assert_int_eq(b.code, ERR_PERMISSION);
}
END_TEST

/* What is in no group gives nothing away, and takes nothing. */
START_TEST(test_no_group) {
	static char *const keys[] = { (char *)"admin", (char *)"" };
	AUTO_FREE char *before = NULL, *after = NULL;
	AUTO_BUF struct buf begin = BUF_INIT, members = BUF_INIT;

	fixture_set(b.engine, "system.auto-scale", "", "set psksecret \"sixteen letters!\"\n");
	before = fixture_snapshot(b.engine);
	ask_read(&b, "system.auto-scale", 2, keys);
	ck_assert_int_eq(b.code, ERR_CONFLICT);
	ck_assert_str_eq(b.text, "this unit is in no group");
	ck_assert_uint_eq(b.n_ops, 0);
	ask_type(&b, CTL_SYNC_TABLES);
	ck_assert_int_eq(b.code, ERR_CONFLICT);
	ask_index(&b, "system.admin", "", 10);
	ck_assert_int_eq(b.code, ERR_CONFLICT);
	ck_assert_uint_eq(b.n_names, 0);
	ask_changes(&b, 1, 1 << 20);
	ck_assert_int_eq(b.code, ERR_CONFLICT);
	ck_assert_uint_eq(b.n_ops, 0);
	buf_put_u8(&begin, CTL_SYNC_BEGIN);
	buf_put_str(&begin, "alice");
	buf_put_str(&begin, "cli");
	buf_put_u64(&begin, 1);
	buf_put_str(&begin, "");
	ck_assert(ask(&b, &begin));
	ck_assert_int_eq(b.code, ERR_CONFLICT);
	buf_put_u8(&members, CTL_SYNC_MEMBERS);
	buf_put_str(&members, "heard 5\n");
	ck_assert(ask(&b, &members));
	ck_assert_int_eq(b.code, ERR_CONFLICT);
	ck_assert_uint_eq(role_membership(b.role)->heard, 0);
	after = fixture_snapshot(b.engine);
	ck_assert_str_eq(before, after);
}
END_TEST

/* Every request cut at every byte is no frame, and changes nothing. */
START_TEST(test_cut) {
	static const struct {
		uint8_t type;
		const char *words[2];
		unsigned int n_bytes;    /* after the words */
	} frames[] = {
		{ CTL_SYNC_INDEX, { "firewall.policy", "" }, 4 },
		{ CTL_SYNC_CHANGES, { NULL }, 12 },
		{ CTL_SYNC_BEGIN, { "a", "b" }, 8 },
		{ CTL_SYNC_COMMIT, { "GHVM1" }, 112 },
		{ CTL_SYNC_ROLE, { NULL }, 21 },
		{ CTL_SYNC_MEMBERS, { "epoch 1\n" }, 0 },
	};
	AUTO_FREE char *before = fixture_snapshot(b.engine), *after = NULL;

	for (size_t i = 0; i < ARRAY_LEN(frames); i++) {
		AUTO_BUF struct buf f = BUF_INIT;
		size_t whole;

		buf_put_u8(&f, frames[i].type);
		for (int w = 0; w < 2 && frames[i].words[w]; w++)
			buf_put_str(&f, frames[i].words[w]);
		for (unsigned int n = 0; n < frames[i].n_bytes; n++)
			buf_put_u8(&f, 0);
		if (frames[i].type == CTL_SYNC_BEGIN || frames[i].type == CTL_SYNC_ROLE)
			buf_put_str(&f, "why");
		whole = f.len;
		for (f.len = 1; f.len < whole; f.len++) {
			ck_assert_msg(!ask(&b, &f), "frame %zu of %zu bytes", i, f.len);
			greet(&b);
		}
	}
	after = fixture_snapshot(b.engine);
	ck_assert_str_eq(before, after);
}
END_TEST

static Suite *requests_suite(void) {
	Suite *s = suite_create("requests_sync");
	TCase *t = fixture_case(s, "requests_sync");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_whole, 0, 2);
	tcase_add_test(t, test_changes);
	tcase_add_test(t, test_changes_bounds);
	tcase_add_test(t, test_authors);
	tcase_add_test(t, test_pages);
	tcase_add_test(t, test_other_digests);
	tcase_add_test(t, test_no_digests);
	tcase_add_test(t, test_not_mixed);
	tcase_add_test(t, test_rights);
	tcase_add_test(t, test_no_group);
	tcase_add_test(t, test_cut);
	return s;
}

int main(void) {
	return fixture_run(requests_suite());
}
