/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Administrators with roles at work: what each sees, what becomes of what he has begun when his
 * role changes, and the ways round a role that are none: transactions, other people's commits, the
 * history.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/cmd_checksum.h"
#include "cfgdb/control/cmd_revision.h"
#include "cfgdb/control/cmd_transaction.h"
#include "cfgdb/control/commands.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/rights.h"
#include "cfgdb/role.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/wire.h"

#define POLICY \
	"set srcintf any\nset dstintf any\nset srcaddr all\nset schedule always\nset service ALL\n"
#define UUID(n) "set uuid 00000000-0000-4000-8000-00000000000" #n "\n"
#define GOOD(call, w) ck_assert_msg((call) == 0, "%d %s", (w)->err.code, (w)->err.text)
#define DENIED(call, w, what) expect_denied((call), ERR_DENIED, (w), what)
#define REFUSED(call, w, what) expect_denied((call), ERR_PERMISSION, (w), what)
#define VERBS \
	"set cli-get enable\nset cli-show enable\nset cli-config enable\nset cli-exec enable\n" \
	"set cli-diagnose enable\n"
#define ALL(level)                                                                             \
	"set scope global\nset secfabgrp " level "\nset ftviewgrp " level "\nset authgrp " level \
	"\nset sysgrp " level "\nset netgrp " level "\nset loggrp " level "\nset fwgrp " level   \
	"\nset vpngrp " level "\nset utmgrp " level "\nset wanoptgrp " level "\nset wifi " level \
	"\n" VERBS

static void expect_denied(int code, int wanted, const struct wire *w, const char *what) {
	AUTO_FREE char *text =
		xasprintf("The current admin user does not have %s.", what);

	ck_assert_int_eq(code, wanted);
	ck_assert_str_eq(w->err.text, text);
}

/* ---- the unit ---- */

static struct wire_unit unit;
static struct server_config config;
static struct command commands[64];
static struct cmd_checksum checksum;
static struct cmd_revision revision;
static struct wire root, w;

static void add_rows(const struct command *(*table)(size_t *n), void *ctx) {
	size_t n;
	const struct command *rows = table(&n);

	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_lt(config.n_commands, ARRAY_LEN(commands));
		commands[config.n_commands] = rows[i];
		commands[config.n_commands++].ctx = ctx;
	}
}

/* Output without an end; it remembers that it was asked for. */
static unsigned int ticks_open;

static const struct memory_kind tick_kind = { .size = sizeof(bool) };

static enum stream_state tick_next(void *ctx, struct str *out, struct err *err) {
	(void)ctx;
	(void)err;
	str_add(out, "tick\n");
	return STREAM_MORE;
}

static void tick_close(void *ctx) {
	(void)ctx;
	ticks_open--;
}

static int tick_open(void *ctx, const struct command_call *call, struct stream *ret,
		     struct err *err) {
	bool *asked = command_memory(call, &tick_kind);

	(void)ctx;
	(void)err;
	*asked = true;
	ticks_open++;
	*ret = (struct stream){ .next = tick_next, .close = tick_close, .fd = -1 };
	return 0;
}

static int asked_run(void *ctx, const struct command_call *call, struct str *out,
		     struct err *err) {
	(void)ctx;
	(void)err;
	str_add(out, *(bool *)command_memory(call, &tick_kind) ? "yes" : "no");
	return 0;
}

static const struct command *tick_commands(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose tick", .reads = "any", .open = tick_open },
		{ .words = "diagnose asked", .reads = "any", .run = asked_run },
		{ .words = "diagnose secret", .run = asked_run },
	};

	*n = ARRAY_LEN(table);
	return table;
}

static void setup(void) {
	struct err err;

	wire_unit_init(&unit);
	config = unit.config;
	config.commands = commands;
	config.n_commands = 0;
	checksum = (struct cmd_checksum){ unit.engine, role_new(unit.engine, &err), relay_new() };
	revision = (struct cmd_revision){ unit.engine, NULL };
	add_rows(commands_config, unit.engine);
	add_rows(commands_checksum, &checksum);
	add_rows(commands_revision, &revision);
	add_rows(commands_transaction, NULL);
	add_rows(commands_transaction_show, NULL);
	add_rows(tick_commands, NULL);
	fixture_set(unit.engine, "firewall.address", "x", UUID(1));
	fixture_set(unit.engine, "firewall.policy", "7",
		    POLICY UUID(2) "set dstaddr x\nset action accept\nset utm-status enable\n");
	wire_open(&root, &unit, "root");
	root.caller.config = &config;
}

static void teardown(void) {
	wire_close(&w);
	wire_close(&root);
	role_free(checksum.role);
	relay_free(checksum.relay);
	wire_unit_done(&unit);
}

static void set_role(const char *name, const char *body) {
	fixture_set(unit.engine, "system.accprofile", name, body);
}

/* Connect as an administrator of this name with this role. */
static void connect_as(const char *name, const char *role) {
	AUTO_FREE char *body = xasprintf("set accprofile %s\n", role);

	fixture_set(unit.engine, "system.admin", name, body);
	wire_open(&w, &unit, name);
	w.caller.config = &config;
	caller_take_role(&w.caller);
}

static bool said(const struct wire *wire, const char *text) {
	return strstr(str_text(&wire->said), text) != NULL;
}

static int begin(struct wire *wire, enum ctl_begin kind) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_BEGIN);
	buf_put_u8(&b, (uint8_t)kind);
	return wire_ask(wire, &b);
}

/* ---- who is who ---- */

static int list_keys(const char *table) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_KEYS);
	buf_put_u16(&b, fixture_table(table)->id);
	buf_put_str(&b, "");
	buf_put_u32(&b, 100);
	return wire_ask(&w, &b);
}

/* Administrators of the unit are nothing to those of a virtual domain. */
START_TEST(test_prof_admin) {
	static const char stronger[] = "all the permissions of system admin 'admin'";

	connect_as("actor", "prof_admin");
	fixture_set(unit.engine, "system.admin", "peer", "set accprofile prof_admin\n");
	GOOD(wire_named(&w, CTL_LIST, "system.admin", NULL), &w);
	ck_assert(said(&w, "peer: ") && said(&w, "actor: ") && !said(&w, "admin: set"));
	ck_assert_uint_eq(w.n_objects, 2);
	GOOD(list_keys("system.admin"), &w);
	ck_assert_str_eq(str_text(&w.said), "actor\npeer\n");
	DENIED(wire_get(&w, "system.admin", "admin"), &w,
	       "the permission to see system admin 'admin'");
	ck_assert_int_eq(wire_get(&w, "system.admin", "nobody"), ERR_NOT_FOUND);
	DENIED(wire_send_put(&w, "system.admin", "admin", TXN_NEW, "set accprofile prof_admin\n"),
	       &w, stronger);
	DENIED(wire_put(&w, "system.admin", "admin",
			"set accprofile super_admin\nset password stolen-one\n"), &w, stronger);
	DENIED(wire_put(&w, "system.admin", "admin",
			"set accprofile super_admin\nset ssh-public-key1 k\n"), &w, stronger);
	DENIED(wire_put(&w, "system.admin", "admin", "set accprofile prof_admin\n"), &w, stronger);
	DENIED(wire_drop(&w, "system.admin", "admin"), &w, stronger);
	ck_assert_int_eq(wire_named(&w, CTL_PURGE, "system.admin", NULL), ERR_DENIED);
	DENIED(wire_put(&w, "system.admin", "eve", "set accprofile super_admin\n"), &w,
	       "all the permissions of system admin 'eve'");
	DENIED(wire_put(&w, "system.admin", "actor", "set accprofile super_admin\n"), &w,
	       "all the permissions of system admin 'actor'");
	GOOD(wire_put(&w, "system.admin", "peer", "set accprofile prof_admin\nset password other\n"),
	     &w);
	GOOD(wire_put(&w, "system.admin", "eve", "set accprofile prof_admin\n"), &w);
	GOOD(wire_drop(&w, "system.admin", "peer"), &w);
}
END_TEST

/* Who only reads cannot tell a hidden one from none. */
START_TEST(test_reader_of_vdom) {
	set_role("reader", "set scope vdom\nset sysgrp read\n" VERBS);
	connect_as("actor", "reader");
	ck_assert_int_eq(wire_get(&w, "system.admin", "admin"), ERR_NOT_FOUND);
	ck_assert_int_eq(wire_get(&w, "system.admin", "nobody"), ERR_NOT_FOUND);
	GOOD(wire_get(&w, "system.admin", "actor"), &w);
}
END_TEST

/* The same role for all of the unit sees them, and touches them no more than before. */
START_TEST(test_global) {
	set_role("ops", ALL("read-write"));
	connect_as("actor", "ops");
	GOOD(wire_get(&w, "system.admin", "admin"), &w);
	ck_assert_int_eq(wire_drop(&w, "system.admin", "admin"), ERR_DENIED);
	/* His own role is one of those: less he may give himself. */
	DENIED(wire_put(&w, "system.accprofile", "super_admin", ALL("read-write")), &w,
	       "all the permissions of system accprofile 'super_admin'");
	DENIED(wire_put(&w, "system.admin", "actor", "set accprofile super_admin\n"), &w,
	       "all the permissions of system admin 'actor'");
	GOOD(wire_put(&w, "system.accprofile", "ops",
		      "set scope global\nset sysgrp read-write\n" VERBS), &w);
	DENIED(wire_put(&w, "system.accprofile", "ops",
			"set scope global\nset sysgrp read-write\nset fwgrp read\n" VERBS), &w,
	       "all the permissions of system accprofile 'ops'");
	DENIED(wire_get(&w, "firewall.policy", "7"), &w, "the permission to see firewall policy");
}
END_TEST

/* Who reads everything can save everything, and change nothing. */
START_TEST(test_auditor) {
	set_role("audit", ALL("read"));
	connect_as("actor", "audit");
	GOOD(wire_run(&w, "execute backup revision"), &w);
	GOOD(wire_run(&w, "execute revision diff 1"), &w);
	GOOD(wire_get(&w, "system.admin", "admin"), &w);
	DENIED(wire_put(&w, "firewall.address", "y", ""), &w,
	       "the permission to change firewall address");
	REFUSED(wire_run(&w, "execute revision revert 1"), &w,
		"the permission to use 'execute revision revert'");
	REFUSED(wire_run(&w, "diagnose secret"), &w, "the permission to use 'diagnose secret'");
	GOOD(wire_run(&root, "diagnose secret"), &root);
	for (enum ctl_begin kind = CTL_BEGIN_REPLACE; kind < CTL_BEGIN_COUNT; kind++)
		REFUSED(begin(&w, kind), &w, "the permission to restore config");
	fixture_set(unit.engine, "system.accprofile", "audit", "set fwgrp read\n" VERBS);
	REFUSED(wire_run(&w, "execute backup revision"), &w,
		"the permission to backup config");
}
END_TEST

/* Nothing but super_admin replaces all: what is not put would be gone, whoever may touch it. */
START_TEST(test_restore) {
	set_role("ops", ALL("read-write"));
	connect_as("actor", "ops");
	REFUSED(begin(&w, CTL_BEGIN_REPLACE), &w, "the permission to restore config");
	fixture_set(unit.engine, "system.admin", "actor", "set accprofile super_admin\n");
	GOOD(begin(&w, CTL_BEGIN_REPLACE), &w);
	GOOD(wire_simple(&w, CTL_ABORT), &w);
}
END_TEST

/* Every key of system admin is a name, and no part of it is. */
START_TEST(test_long_name) {
	char name[65];

	memset(name, 'n', 64);
	name[64] = '\0';
	connect_as(name, "prof_admin");
	GOOD(wire_get(&w, "firewall.policy", "7"), &w);
	GOOD(wire_txn(&w, "start"), &w);
	wire_close(&w);
	wire_open(&w, &unit, name);
	w.caller.config = &config;
	caller_take_role(&w.caller);
	GOOD(wire_txn(&w, "resume 1"), &w);
	GOOD(wire_txn(&w, "abort"), &w);
}
END_TEST

/* ---- a role that changes ---- */

/* He who is none any more may nothing, in the same connection. */
START_TEST(test_gone) {
	connect_as("actor", "super_admin");
	GOOD(wire_get(&w, "firewall.policy", "7"), &w);
	GOOD(wire_drop(&root, "system.admin", "actor"), &root);
	DENIED(wire_get(&w, "firewall.policy", "7"), &w, "the permission to see firewall policy");
	REFUSED(wire_run(&w, "get system status"), &w,
		"the permission to use 'get system status'");
	DENIED(wire_put(&w, "firewall.address", "y", ""), &w,
	       "the permission to change firewall address");
}
END_TEST

/* What is under way ends, and what a command was told before is forgotten. */
START_TEST(test_stream) {
	connect_as("actor", "super_admin");
	wire_run(&w, "diagnose tick");
	ck_assert_int_eq(caller_stream(&w.caller), STREAM_MORE);
	fixture_set(unit.engine, "firewall.address", "y", ""); /* not a change of his role */
	ck_assert_int_eq(caller_stream(&w.caller), STREAM_MORE);
	ck_assert_uint_eq(ticks_open, 1);
	set_role("ops", ALL("read"));
	fixture_set(unit.engine, "system.admin", "actor", "set accprofile ops\n");
	str_clear(&w.said);
	ck_assert_int_eq(caller_stream(&w.caller), STREAM_FAILED);
	ck_assert_int_eq(w.err.code, ERR_PERMISSION);
	ck_assert(!said(&w, "tick"));
	ck_assert_uint_eq(ticks_open, 0);
	GOOD(wire_run(&w, "diagnose asked"), &w);
	ck_assert_str_eq(str_text(&w.said), "no");
}
END_TEST

/* A transaction asks at its end whether he still may; another one can go on with it. */
START_TEST(test_demoted) {
	set_role("fw", "set fwgrp read-write\n" VERBS);
	connect_as("actor", "fw");
	GOOD(wire_txn(&w, "start"), &w);
	GOOD(wire_put(&w, "firewall.address", "y", UUID(3)), &w);
	set_role("fw", "set fwgrp read\n" VERBS);
	DENIED(wire_put(&w, "firewall.address", "z", UUID(4)), &w,
	       "the permission to change firewall address");
	ck_assert_int_eq(wire_txn(&w, "commit"), ERR_DENIED);
	ck_assert_ptr_null(model_find(unit.engine->model, fixture_table("firewall.address"), "y"));
	wire_close(&w);
	GOOD(wire_txn(&root, "resume 1"), &root);
	GOOD(wire_txn(&root, "commit"), &root);
	ck_assert_ptr_nonnull(
		model_find(unit.engine->model, fixture_table("firewall.address"), "y"));
	connect_as("actor", "fw");
}
END_TEST

/* Also of one who could do everything when he began. */
START_TEST(test_dethroned) {
	set_role("ops", ALL("read-write"));
	connect_as("actor", "super_admin");
	GOOD(wire_txn(&w, "start"), &w);
	GOOD(wire_put(&w, "system.admin", "eve", "set accprofile super_admin\n"), &w);
	fixture_set(unit.engine, "system.admin", "actor", "set accprofile ops\n");
	ck_assert_int_eq(wire_txn(&w, "commit"), ERR_DENIED);
	ck_assert_ptr_null(model_find(unit.engine->model, fixture_table("system.admin"), "eve"));
}
END_TEST

/* So with a block of a script, and with a role that has become a stronger one meanwhile. */
START_TEST(test_grown) {
	set_role("fw", "set fwgrp read\n" VERBS);
	set_role("ops", ALL("read-write"));
	connect_as("actor", "ops");
	GOOD(wire_simple(&w, CTL_BEGIN), &w);
	GOOD(wire_put(&w, "system.admin", "eve", "set accprofile fw\n"), &w);
	fixture_set(unit.engine, "system.admin", "actor", "set accprofile fw\n");
	ck_assert_int_eq(wire_simple(&w, CTL_COMMIT), ERR_DENIED);
	fixture_set(unit.engine, "system.accprofile", "limited",
		    "set scope global\nset sysgrp read-write\nset fwgrp read\n" VERBS);
	fixture_set(unit.engine, "system.admin", "actor", "set accprofile limited\n");
	GOOD(wire_txn(&w, "start"), &w);
	GOOD(wire_put(&w, "system.admin", "eve", "set accprofile fw\n"), &w);
	set_role("fw", "set fwgrp read-write\n" VERBS);
	ck_assert_int_eq(wire_txn(&w, "commit"), ERR_DENIED);
	ck_assert_ptr_nonnull(strstr(w.err.text, "all the permissions of system admin 'eve'"));
	ck_assert_ptr_null(model_find(unit.engine->model, fixture_table("system.admin"), "eve"));
	GOOD(wire_txn(&w, "abort"), &w);
}
END_TEST

/* ---- ways round ---- */

static int rename_entry(const char *table, const char *from, const char *to) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_RENAME);
	buf_put_u16(&b, fixture_table(table)->id);
	buf_put_str(&b, from);
	buf_put_str(&b, to);
	return wire_ask(&w, &b);
}

/* A rename changes what names the entry, too. */
START_TEST(test_rename) {
	set_role("addr", "set fwgrp custom\nconfig fwgrp-permission\nset address read-write\n"
			 "set policy read\nend\n" VERBS);
	connect_as("actor", "addr");
	DENIED(rename_entry("firewall.address", "x", "y"), &w,
	       "the permission to change firewall policy");
	set_role("addr", "set fwgrp read-write\n" VERBS);
	GOOD(rename_entry("firewall.address", "x", "y"), &w);
}
END_TEST

/* A role with administrators in it can have another name. */
START_TEST(test_rename_role) {
	set_role("ops", ALL("read-write"));
	set_role("weak", "set fwgrp read\n" VERBS);
	fixture_set(unit.engine, "system.admin", "eve", "set accprofile weak\n");
	connect_as("actor", "ops");
	GOOD(rename_entry("system.accprofile", "weak", "frail"), &w);
	ck_assert_str_eq(object_str(model_find(unit.engine->model, fixture_table("system.admin"),
					       "eve"),
				    SYSTEM_ADMIN__ACCPROFILE),
			 "frail");
}
END_TEST

/* A role that somebody has stays; so does the last administrator who may everything. */
START_TEST(test_in_use) {
	set_role("ops", ALL("read-write"));
	connect_as("actor", "ops");
	ck_assert_int_eq(wire_drop(&root, "system.accprofile", "ops"), ERR_IN_USE);
	ck_assert_int_ne(wire_drop(&root, "system.admin", "admin"), 0);
	ck_assert_ptr_nonnull(strstr(root.err.text, "'admin' is the last administrator"));
	ck_assert_int_ne(wire_put(&root, "system.admin", "admin", "set accprofile ops\n"), 0);
	ck_assert_ptr_nonnull(strstr(root.err.text, "'admin' is the last administrator"));
	ck_assert_int_ne(wire_put(&root, "system.admin", "admin",
				  "set accprofile super_admin\nset status disable\n"), 0);
	GOOD(wire_put(&root, "system.admin", "actor", "set accprofile super_admin\n"), &root);
	GOOD(wire_drop(&root, "system.accprofile", "ops"), &root);
	GOOD(wire_drop(&root, "system.admin", "admin"), &root);
	ck_assert_int_ne(wire_drop(&w, "system.admin", "actor"), 0);
}
END_TEST

/* With the group of administrators alone nobody becomes more than he is, by no way that he has. */
START_TEST(test_climber) {
	static const char own[] = "set scope global\nset sysgrp custom\nconfig sysgrp-permission\n"
				  "set admin read-write\nend\n" VERBS;
	static const char more[] = "set scope global\nset sysgrp read-write\n" VERBS;

	set_role("hr", own);
	connect_as("actor", "hr");
	DENIED(wire_put(&w, "system.admin", "actor", "set accprofile super_admin\n"), &w,
	       "all the permissions of system admin 'actor'");
	DENIED(wire_put(&w, "system.accprofile", "hr", more), &w,
	       "all the permissions of system accprofile 'hr'");
	DENIED(wire_put(&w, "system.accprofile", "new", more), &w,
	       "all the permissions of system accprofile 'new'");
	DENIED(wire_put(&w, "system.admin", "friend", "set accprofile super_admin\n"), &w,
	       "all the permissions of system admin 'friend'");
	DENIED(wire_put(&w, "system.admin", "admin", "set accprofile super_admin\nset password x\n"),
	       &w, "all the permissions of system admin 'admin'");
	DENIED(rename_entry("system.accprofile", "super_admin", "other"), &w,
	       "all the permissions of system accprofile 'super_admin'");
	/* Nor by two steps, of which the first is his to take. */
	GOOD(wire_simple(&w, CTL_BEGIN), &w);
	GOOD(wire_put(&w, "system.accprofile", "step", own), &w);
	GOOD(wire_put(&w, "system.admin", "friend", "set accprofile step\n"), &w);
	ck_assert_int_eq(wire_put(&w, "system.accprofile", "step", more), ERR_DENIED);
	GOOD(wire_simple(&w, CTL_COMMIT), &w);
	GOOD(wire_put(&w, "system.admin", "actor", "set accprofile hr\nset password mine-1\n"), &w);
}
END_TEST

/* A link that a policy names becomes the unit's without anybody's right on interfaces. */
START_TEST(test_adopted) {
	struct txn *t = txn_new(unit.engine, "system", "found");
	struct err err;

	txn_as_found(t);
	ck_assert_int_eq(fixture_put(t, "system.interface", "port9", TXN_NEW,
				     "set type physical\n", &err), 0);
	ck_assert_int_eq(txn_commit(t, &err), 0);
	txn_free(t);
	set_role("fw", "set fwgrp read-write\n" VERBS);
	connect_as("actor", "fw");
	GOOD(wire_put(&w, "firewall.policy", "8",
		      "set srcintf port9\nset dstintf any\nset srcaddr all\nset dstaddr all\n"
		      "set schedule always\nset service ALL\n"), &w);
	DENIED(wire_put(&w, "system.interface", "port9", "set type physical\nset mtu 1400\n"), &w,
	       "the permission to change system interface");
}
END_TEST

/* The history brings nothing back that he could not put himself. */
START_TEST(test_revert) {
	AUTO_FREE char *line = NULL, *later = NULL;

	set_role("ops", ALL("read-write"));
	fixture_set(unit.engine, "system.admin", "boss", "set accprofile super_admin\n");
	connect_as("actor", "ops");
	line = xasprintf("execute revision revert %llu", (unsigned long long)unit.engine->revision);
	GOOD(wire_drop(&root, "system.admin", "boss"), &root);
	ck_assert_int_eq(wire_run(&w, line), ERR_DENIED);
	ck_assert_ptr_nonnull(strstr(w.err.text, "all the permissions of system admin 'boss'"));
	ck_assert_ptr_null(model_find(unit.engine->model, fixture_table("system.admin"), "boss"));
	later = xasprintf("execute revision revert %llu",
			  (unsigned long long)unit.engine->revision);
	GOOD(wire_put(&w, "firewall.address", "y", UUID(3)), &w);
	GOOD(wire_run(&w, later), &w);
	ck_assert_ptr_null(model_find(unit.engine->model, fixture_table("firewall.address"), "y"));
}
END_TEST

/* What another one has committed for a time stays his. */
START_TEST(test_confirm) {
	AUTO_FREE char *confirm = NULL;

	set_role("fw", "set fwgrp read-write\n" VERBS);
	GOOD(wire_txn(&root, "start"), &root);
	GOOD(wire_put(&root, "firewall.address", "y", UUID(3)), &root);
	GOOD(wire_txn(&root, "commit confirm 5"), &root);
	confirm = xasprintf("confirm %llu", (unsigned long long)unit.engine->revision);
	connect_as("actor", "fw");
	REFUSED(wire_txn(&w, confirm), &w, "the permission to confirm what others have committed");
	GOOD(wire_txn(&root, confirm), &root);
	GOOD(wire_txn(&w, "start"), &w);
	GOOD(wire_put(&w, "firewall.address", "z", UUID(4)), &w);
	GOOD(wire_txn(&w, "commit confirm 5"), &w);
	GOOD(wire_txn(&w, "confirm"), &w);
	REFUSED(wire_run(&w, "diagnose sys config-transaction show txn-cli-commands"), &w,
		"the permission to use 'diagnose sys config-transaction show txn-cli-commands'");
}
END_TEST

/* ---- what is told ---- */

static int check_ref(const char *table, const char *attr, const char *name) {
	const struct schema_table *t = fixture_table(table);
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_CHECK_REF);
	buf_put_u16(&b, t->id);
	buf_put_u16(&b, (uint16_t)schema_attr_index(t, attr));
	buf_put_str(&b, name);
	return wire_ask(&w, &b);
}

/* Who may name something learns whether it is there, and no more. */
START_TEST(test_names) {
	set_role("pol", "set fwgrp custom\nconfig fwgrp-permission\nset policy read-write\nend\n"
		 VERBS);
	connect_as("actor", "pol");
	ck_assert_int_eq(check_ref("firewall.policy", "srcaddr", "x"), 0);
	ck_assert_int_eq(check_ref("firewall.policy", "srcaddr", "nothing"), ERR_NOT_FOUND);
	ck_assert_int_eq(wire_get(&w, "firewall.address", "x"), ERR_DENIED);
	ck_assert_int_eq(check_ref("firewall.addrgrp", "member", "x"), ERR_DENIED);
}
END_TEST

/* A name that is taken in a table that he may not see is taken for him, too. */
START_TEST(test_taken) {
	fixture_set(unit.engine, "firewall.vip", "taken",
		    UUID(5) "set extintf any\nset extip 192.0.2.9\nset mappedip 10.0.0.9\n");
	set_role("addr", "set fwgrp custom\nconfig fwgrp-permission\nset address read-write\nend\n"
		 VERBS);
	connect_as("actor", "addr");
	ck_assert_int_eq(wire_get(&w, "firewall.vip", "taken"), ERR_DENIED);
	ck_assert_int_eq(wire_put(&w, "firewall.address", "taken", UUID(6)),
			 schema_clash_code(fixture_table("firewall.address"),
					   fixture_table("firewall.vip")));
	ck_assert_ptr_nonnull(strstr(w.err.text, "Name 'taken' conflict"));
	GOOD(wire_put(&w, "firewall.address", "free", UUID(6)), &w);
}
END_TEST

/* Commands about all tables leave out those that he may not see. */
START_TEST(test_left_out) {
	set_role("addr", "set fwgrp custom\nconfig fwgrp-permission\nset address read\nend\n"
			 "set sysgrp read\n" VERBS);
	connect_as("actor", "addr");
	GOOD(wire_run(&w, "diagnose sys cmdb refcnt show firewall.address.name x"), &w);
	ck_assert_str_eq(str_text(&w.said), "");
	ck_assert_int_eq(wire_run(&w, "diagnose sys cmdb refcnt show firewall.policy 7"),
			 ERR_DENIED);
	GOOD(wire_run(&w, "diagnose config unenforced"), &w);
	ck_assert(!said(&w, "firewall policy 7"));
	REFUSED(wire_run(&w, "diagnose sys ha checksum show root firewall.policy"), &w,
		"the permission to see the checksums of objects");
	set_role("addr", "set fwgrp read\nset sysgrp read\n" VERBS);
	GOOD(wire_run(&w, "diagnose sys cmdb refcnt show firewall.address.name x"), &w);
	ck_assert(said(&w, "firewall.policy:policyid '7'"));
	GOOD(wire_run(&w, "diagnose config unenforced"), &w);
	ck_assert(said(&w, "firewall policy 7"));
	GOOD(wire_run(&root, "diagnose sys ha checksum show root firewall.policy"), &root);
	ck_assert(said(&root, "7: "));
}
END_TEST

/* The hello tells the shell. */
static uint8_t info[4096];
static size_t info_len;

static void keep_info(void *arg, const struct buf *frame) {
	(void)arg;
	if (frame->data[0] != CTL_INFO)
		return;
	ck_assert_uint_lt(frame->len, sizeof(info));
	memcpy(info, frame->data, info_len = frame->len);
}

static void hello(struct buf_reader *r) {
	AUTO_BUF struct buf b = BUF_INIT;

	w.caller.send = keep_info;
	buf_put_u8(&b, CTL_HELLO);
	buf_put_u32(&b, CTL_VERSION);
	buf_put_str(&b, schema_digest);
	ck_assert(caller_request(&w.caller, b.data, b.len));
	buf_reader_init(r, info, info_len);
	buf_get_u8(r);
	free(buf_get_str(r, 100));
	free(buf_get_str(r, 100));
}

/* Groups alone let nobody type anything: who makes such a role is told. */
START_TEST(test_mute) {
	GOOD(wire_put(&root, "system.accprofile", "mute", "set fwgrp read-write\n"), &root);
	ck_assert_ptr_nonnull(strstr(str_text(&root.said),
				     "system accprofile mute: nobody can do anything in the shell"));
	GOOD(wire_put(&root, "system.accprofile", "mute",
		      "set fwgrp read-write\nset cli-show enable\n"),
	     &root);
	ck_assert_ptr_null(strstr(str_text(&root.said), "nobody"));
}
END_TEST

START_TEST(test_hello) {
	struct buf_reader r;

	set_role("addr", "set fwgrp custom\nconfig fwgrp-permission\nset address read-write\n"
			 "set policy read\nend\nset cli-show enable\nset cli-config enable\n");
	connect_as("actor", "addr");
	hello(&r);
	ck_assert_uint_eq(buf_get_u8(&r), 0);
	ck_assert_uint_eq(buf_get_u8(&r), RIGHTS_SHOW | RIGHTS_CONFIG);
	ck_assert_uint_eq(buf_get_u16(&r), schema_n_tables);
	for (uint16_t i = 0; i < schema_n_tables; i++) {
		const struct schema_table *table = schema_tables[i];
		enum rights_level level = RIGHTS_NONE;

		while (table->parent)
			table = table->parent;
		if (table->id == TBL_FIREWALL_ADDRESS || table->id == TBL_FIREWALL_ADDRGRP)
			level = RIGHTS_WRITE;
		else if (table->id == TBL_FIREWALL_POLICY || table->id == TBL_SYSTEM_CONSOLE)
			level = RIGHTS_READ;
		ck_assert_msg(buf_get_u8(&r) == level, "%s", schema_tables[i]->dotted);
	}
	ck_assert(buf_reader_end(&r));
	fixture_set(unit.engine, "system.admin", "actor", "set accprofile super_admin\n");
	hello(&r);
	ck_assert_uint_eq(buf_get_u8(&r), 1);
	ck_assert_uint_eq(buf_get_u8(&r), RIGHTS_VERBS);
}
END_TEST

/* ---- */

int main(void) {
	Suite *suite = suite_create("roles");
	TCase *t = fixture_case(suite, "roles");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_prof_admin);
	tcase_add_test(t, test_reader_of_vdom);
	tcase_add_test(t, test_global);
	tcase_add_test(t, test_auditor);
	tcase_add_test(t, test_restore);
	tcase_add_test(t, test_long_name);
	tcase_add_test(t, test_gone);
	tcase_add_test(t, test_stream);
	tcase_add_test(t, test_demoted);
	tcase_add_test(t, test_dethroned);
	tcase_add_test(t, test_grown);
	tcase_add_test(t, test_rename);
	tcase_add_test(t, test_rename_role);
	tcase_add_test(t, test_in_use);
	tcase_add_test(t, test_climber);
	tcase_add_test(t, test_adopted);
	tcase_add_test(t, test_revert);
	tcase_add_test(t, test_confirm);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_taken);
	tcase_add_test(t, test_left_out);
	tcase_add_test(t, test_mute);
	tcase_add_test(t, test_hello);
	return fixture_run(suite);
}
