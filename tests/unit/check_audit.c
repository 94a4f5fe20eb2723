/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a commit leaves in the log: who, from where, what; secrets never; bounded however much it
 * changes; nothing when it fails.
 */
#include "cfgdb/logs/audit.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/wire.h"

static char *dir, *log_dir;
static struct engine *engine;
static struct logs *logs;
static struct audit *audit;

static struct moment now;

static void stopped_clock(struct moment *ret) {
	*ret = now;
}

static void setup(void) {
	struct backend b;

	now = (struct moment){ 1800000000, 5000 };
	dir = fixture_dir();
	log_dir = xasprintf("%s/log", dir);
	engine = fixture_engine(dir);
	logs = logs_open(log_dir, "/nowhere", engine);
	b = logs_backend(logs);
	engine_add_backend(engine, &b);
	ck_assert_int_eq(b.start(b.ctx, &(struct commit){ .model = engine->model }, NULL), 0);
	audit = audit_new(logs, stopped_clock);
	b = audit_backend(audit);
	engine_add_backend(engine, &b);
}

static void teardown(void) {
	audit_free(audit);
	logs_close(logs);
	engine_close(engine);
	free(log_dir);
	free(dir);
}

/* The events from their field logid on, the newest first. */
static char *events(void) {
	struct logstore_reader *r = logstore_read(logs_store(logs), LOGSTORE_EVENT);
	struct str out = STR_INIT;
	const char *line;
	size_t len;

	while (logstore_next(r, &line, &len)) {
		AUTO_FREE char *copy = xasprintf("%.*s", (int)len, line);
		const char *id = strstr(copy, "logid=");

		ck_assert_uint_lt(len, LOGTEXT_MAX);
		ck_assert_ptr_nonnull(id);
		str_addf(&out, "%s\n", id);
	}
	logstore_read_end(r);
	return str_steal(&out);
}

static void forget(void) {
	ck_assert_int_eq(logstore_delete(logs_store(logs), LOGSTORE_EVENT, NULL), 0);
}

static struct txn *begin(void) {
	return txn_new(engine, "kim", "ssh(192.0.2.7)");
}

static int put(struct txn *t, const char *dotted, const char *key, const char *body) {
	struct err err = { 0 };
	int rc = fixture_put(t, dotted, key, TXN_ANY, body, &err);

	ck_assert_msg(rc == 0, "%s", err.text);
	return rc;
}

static void commit(struct txn *t) {
	struct err err = { 0 };

	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

static void set(const char *dotted, const char *key, const char *body) {
	struct txn *t = begin();

	put(t, dotted, key, body);
	commit(t);
}

#define HEAD(id, what, action)                                                                     \
	"logid=\"" id "\" type=\"event\" subtype=\"system\" level=\"information\" vd=\"root\" "     \
	"logdesc=\"" what "\" user=\"kim\" ui=\"ssh(192.0.2.7)\" action=\"" action                 \
	"\" status=\"success\" cfgtid="
#define OF_ENTRY(action) HEAD("0100044547", "Object attribute configured", action)
#define OF_OBJECT HEAD("0100044546", "Attribute configured", "Edit")

static void has(const char *head, const char *rest) {
	AUTO_FREE char *all = events();
	AUTO_FREE char *want = xasprintf("%s%llu %s\n", head, (unsigned long long)engine->revision,
					 rest);

	ck_assert_msg(strncmp(all, want, strlen(want)) == 0, "wanted:\n%sthere is:\n%s", want, all);
}

START_TEST(test_entry) {
	struct txn *t;

	set("firewall.address", "a", "set uuid 0b5d7c5a-0000-4000-8000-000000000001\nset comment one\n");
	has(OF_ENTRY("Add"), "cfgpath=\"firewall.address\" cfgobj=\"a\" "
			     "cfgattr=\"uuid[0b5d7c5a-0000-4000-8000-000000000001]comment['one']\" "
			     "msg=\"Add firewall.address a\"");
	set("firewall.address", "a",
	    "set uuid 0b5d7c5a-0000-4000-8000-000000000001\nset comment two\n");
	has(OF_ENTRY("Edit"), "cfgpath=\"firewall.address\" cfgobj=\"a\" "
			      "cfgattr=\"comment['one'->'two']\" msg=\"Edit firewall.address a\"");
	t = begin();
	ck_assert_int_eq(txn_delete(t, fixture_table("firewall.address"), "a", NULL), 0);
	commit(t);
	has(OF_ENTRY("Delete"), "cfgpath=\"firewall.address\" cfgobj=\"a\" "
				"msg=\"Delete firewall.address a\"");
}
END_TEST

START_TEST(test_object) {
	set("system.auto-scale", "", "set hb-interval 5\n");
	has(OF_OBJECT, "cfgpath=\"system.auto-scale\" cfgattr=\"hb-interval[5]\" "
		       "msg=\"Edit system.auto-scale\"");
}
END_TEST

/* That a secret has changed is told, and no more: not even its sealed text. */
START_TEST(test_secret) {
	set("system.auto-scale", "", "set psksecret canary-1234567890\n");
	set("system.auto-scale", "", "set psksecret canary-0987654321\n");
	has(OF_OBJECT, "cfgpath=\"system.auto-scale\" cfgattr=\"psksecret[*->*]\" "
		       "msg=\"Edit system.auto-scale\"");
	{
		AUTO_FREE char *all = events();

		ck_assert_ptr_null(strstr(all, "canary"));
		ck_assert_ptr_null(strstr(all, "ENC"));
	}
}
END_TEST

/* Entries of nested tables: changed, new, gone. */
START_TEST(test_nested) {
#define TAG(name, category) "edit " name "\nset category " category "\nnext\n"
	const char *uuid = "set uuid 0b5d7c5a-0000-4000-8000-000000000001\n";
	AUTO_FREE char *one = xasprintf("%sconfig tagging\n" TAG("x", "c1") TAG("y", "c1") "end\n",
					uuid);
	AUTO_FREE char *two = xasprintf("%sconfig tagging\n" TAG("x", "c2") TAG("z", "c3") "end\n",
					uuid);

	set("firewall.address", "a", one);
	set("firewall.address", "a", two);
	has(OF_ENTRY("Edit"), "cfgpath=\"firewall.address\" cfgobj=\"a\" "
			      "cfgattr=\"tagging y:deleted[]tagging x:category['c1'->'c2']"
			      "tagging z:category['c3']\" "
			      "msg=\"Edit firewall.address a\"");
}
END_TEST

/* A long value is cut, and so is a long list of them. */
START_TEST(test_long) {
	AUTO_FREE char *comment = xasprintf("set comment %0200d\n", 0);
	AUTO_FREE char *kept = xasprintf("comment['%0127d...]", 0);

	set("firewall.address", "a", comment);
	{
		AUTO_FREE char *all = events();

		ck_assert_msg(strstr(all, kept) != NULL, "%s", all);
	}
}
END_TEST

static void load(unsigned int n) {
	struct txn *t = begin();

	for (unsigned int i = 0; i < n; i++) {
		AUTO_FREE char *key = xasprintf("host-%u", i);

		put(t, "firewall.address", key, "");
	}
	forget();
	commit(t);
}

/* An event each, up to a number; from there on one that counts. */
START_TEST(test_many) {
	AUTO_FREE char *all = NULL, *few = NULL;
	size_t n = 0;

	load(AUDIT_OBJECTS_MAX);
	few = events();
	for (const char *p = few; (p = strstr(p, "logid=\"0100044547\"")) != NULL; p++)
		n++;
	ck_assert_uint_eq(n, AUDIT_OBJECTS_MAX);
	teardown();
	setup();
	load(1000);
	all = events();
	ck_assert_ptr_nonnull(strstr(all, "user=\"kim\" ui=\"ssh(192.0.2.7)\" action=\"Edit\""));
	ck_assert_ptr_nonnull(strstr(all, "msg=\"1000 objects changed: Add firewall.address host-0, "
					  "Add firewall.address host-1, "));
	ck_assert_ptr_eq(strchr(all, '\n'), all + strlen(all) - 1);
}
END_TEST

/* What was undone has not happened. */
START_TEST(test_failed) {
	struct txn *t = begin();
	AUTO_FREE char *all = NULL;

	put(t, "firewall.address", "a", "");
	fixture_fault("commit.apply:1");
	ck_assert_int_ne(txn_commit(t, NULL), 0);
	fixture_fault(NULL);
	txn_free(t);
	all = events();
	ck_assert_str_eq(all, "");
}
END_TEST

static const struct audit_who kim = { "kim", "ssh(192.0.2.7)" };

#define REFUSAL(what, action)                                                                      \
	"logid=\"0100044546\" type=\"event\" subtype=\"system\" level=\"warning\" vd=\"root\" "     \
	"logdesc=\"" what "\" user=\"kim\" ui=\"ssh(192.0.2.7)\" action=\"" action                 \
	"\" status=\"failure\" "

static void refuse(const struct audit_who *who, bool change, const char *table, const char *key,
		   int code) {
	const struct err why = { .code = code, .text = "what was typed" };
	const struct audit_refused what = { change, table ? fixture_table(table) : NULL, key,
					    &why };

	audit_refusal(audit, who, &what);
}

/* The text of an error is told when it is about rights. */
START_TEST(test_refusal) {
	AUTO_FREE char *all = NULL;

	audit_refusal(NULL, &kim, &(struct audit_refused){ .why = &(struct err){ .code = 1 } });
	refuse(&kim, true, "firewall.address", "a", ERR_VALUE);
	refuse(&kim, true, "system.global", "", ERR_DENIED);
	refuse(&kim, false, "firewall.address", NULL, ERR_DENIED);
	refuse(&kim, false, NULL, NULL, ERR_PERMISSION);
	all = events();
	ck_assert_str_eq(all, REFUSAL("Access refused", "View") "msg=\"what was typed\"\n"
			 REFUSAL("Access refused", "View")
			 "cfgpath=\"firewall.address\" msg=\"what was typed\"\n"
			 REFUSAL("Change refused", "Edit")
			 "cfgpath=\"system.global\" msg=\"what was typed\"\n"
			 REFUSAL("Change refused", "Edit") "cfgpath=\"firewall.address\" "
			 "cfgobj=\"a\" msg=\"Refused with return code -651\"\n");
}
END_TEST

static unsigned int count(const char *text) {
	AUTO_FREE char *all = events();
	unsigned int n = 0;

	for (const char *p = all; (p = strstr(p, text)) != NULL; p++)
		n++;
	return n;
}

/* A flood of refusals leaves some, and their number; what succeeds is always told. */
START_TEST(test_flood) {
	static const struct audit_who bob = { "bob", "ssh(192.0.2.7)" };
	AUTO_STR struct str line = STR_INIT;

	str_add(&line, "date=2027-01-15 time=08:00:00 logid=\"1\" x=y");
	for (int i = 0; i < 100; i++) {
		refuse(&kim, true, "firewall.address", "a", ERR_VALUE);
		audit_command(audit, &kim, "execute it", 0, NULL, ERR_PERMISSION);
		audit_line(audit, "ssh(192.0.2.8)", LOGTEXT_ALERT, &line);
		audit_command(audit, &kim, "execute that", 0, NULL, 0);
	}
	refuse(&bob, true, "firewall.address", "a", ERR_VALUE);
	ck_assert_uint_eq(count("user=\"kim\"") - count("execute that"), 30);
	ck_assert_uint_eq(count("x=y"), 30);
	ck_assert_uint_eq(count("execute that"), 100);
	ck_assert_uint_eq(count("user=\"bob\""), 1);
	audit_report(audit);
	ck_assert_uint_eq(count("not told"), 0);
	now.boot_s += 60;
	audit_report(audit);
	ck_assert_uint_eq(count("msg=\"170 more refusals of kim ssh(192.0.2.7) were not told\""), 1);
	ck_assert_uint_eq(count("msg=\"70 more refusals of ssh(192.0.2.8) were not told\""), 1);
	audit_report(audit);
	ck_assert_uint_eq(count("not told"), 2);
	for (int i = 0; i < 31; i++)
		refuse(&kim, true, "firewall.address", "a", ERR_VALUE);
	audit = audit_free(audit); /* its engine makes no commit any more */
	ck_assert_uint_eq(count("msg=\"1 more refusal of kim ssh(192.0.2.7) was not told\""), 1);
}
END_TEST

/* However long its arguments are, and whatever they hold, a command is one line. */
START_TEST(test_command) {
	AUTO_FREE char *longest = xasprintf("%04000d", 0), *all = NULL;
	char *argv[] = { (char *)"a\n\"b\"", longest };

	audit_command(NULL, &kim, "execute it", 1, argv, 0);
	audit_command(audit, &kim, "execute it", 1, argv, 0);
	all = events();
	ck_assert_str_eq(all,
			 "logid=\"0100032102\" type=\"event\" subtype=\"system\" "
			 "level=\"information\" vd=\"root\" logdesc=\"Command executed\" "
			 "user=\"kim\" ui=\"ssh(192.0.2.7)\" action=\"Execute\" "
			 "status=\"success\" msg=\"execute it a 'b'\"\n");
	forget();
	audit_command(audit, &kim, "execute it", 2, argv, ERR_VALUE);
	free(all);
	all = events();
	ck_assert_ptr_nonnull(strstr(all, " status=\"failure\" msg=\"execute it a 'b' 0000"));
	ck_assert_str_eq(all + strlen(all) - 6, "0...\"\n");
	forget();
	audit_command(audit, &kim, "execute it", 0, NULL, AUDIT_UNKNOWN);
	free(all);
	all = events();
	ck_assert_ptr_nonnull(strstr(all, " status=\"unknown\" msg=\"execute it\"\n"));
}
END_TEST

/* ---- what the shell does by itself, and what it only asks ---- */

static unsigned int runs;

static int count_run(void *ctx, const struct command_call *call, struct str *out,
		     struct err *err) {
	(void)ctx;
	(void)call;
	(void)out;
	(void)err;
	runs++;
	return 0;
}

static int object_to(void *ctx, const struct command_call *call, struct err *err) {
	(void)ctx;
	return err_set(err, call->argc ? ERR_DENIED : ERR_CONFLICT, "not now");
}

static const struct command rows[] = {
	{ .words = "execute down", .writes = "sysgrp.mnt", .by_shell = true, .run = count_run },
	{ .words = "execute save", .reads = "all", .by_shell = true, .run = count_run },
	{ .words = "execute change", .writes = "all", .run = count_run, .check = object_to },
	{ .words = "execute look", .reads = "all", .run = count_run },
};

static struct wire_unit unit;
static struct wire w;
static struct server_config config;

static void sit(const struct rights *rights) {
	wire_unit_init(&unit);
	config = unit.config;
	config.commands = rows;
	config.n_commands = ARRAY_LEN(rows);
	config.audit = audit;
	wire_open(&w, &unit, "kim");
	w.caller.config = &config;
	w.caller.rights = *rights;
	runs = 0;
}

static void leave(void) {
	wire_close(&w);
	wire_unit_done(&unit);
}

/* What was told last is the outcome of this command, and nothing else was told. */
static void told(const char *status, const char *msg) {
	AUTO_FREE char *all = events();
	AUTO_FREE char *want = xasprintf(" status=\"%s\" msg=\"%s\"\n", status, msg);
	const char *end = strchr(all, '\n');

	ck_assert_msg(strstr(all, want) && end && end[1] == '\0', "wanted:%sthere is:\n%s", want,
		      all);
	forget();
}

static void told_nothing(void) {
	AUTO_FREE char *all = events();

	ck_assert_str_eq(all, "");
}

START_TEST(test_outcome) {
	sit(&rights_all);
	ck_assert_int_eq(wire_run(&w, "execute down comment x"), 0);
	told_nothing();
	ck_assert_int_eq(wire_outcome(&w, 0), 0);
	told("success", "execute down comment x");
	ck_assert_int_eq(wire_outcome(&w, 0), 0); /* of nothing */
	told_nothing();
	ck_assert_int_eq(wire_run(&w, "execute save"), 0);
	ck_assert_int_eq(wire_outcome(&w, ERR_FILE), 0);
	told("failure", "execute save");
	/* Who does not say it, and begins another one, or goes. */
	ck_assert_int_eq(wire_run(&w, "execute save"), 0);
	ck_assert_int_eq(wire_run(&w, "execute down"), 0);
	told("unknown", "execute save");
	leave();
	told("unknown", "execute down");
}
END_TEST

START_TEST(test_asked) {
	sit(&rights_all);
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_CHECK, "execute down"), 0);
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_CHECK, "execute look"), 0);
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_CHECK, "execute change"), ERR_CONFLICT);
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_CHECK, "execute nothing"), ERR_PARSE);
	told_nothing();
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_CHECK, "execute change 5"), ERR_DENIED);
	told("failure", "execute change 5");
	ck_assert_uint_eq(runs, 0);
	leave();
}
END_TEST

/* A denial is told once, of the command itself; completion has not tried anything. */
START_TEST(test_asked_in_vain) {
	sit(&rights_none);
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_CHECK, "execute down"), ERR_PERMISSION);
	told("failure", "execute down");
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_HINT, "execute look"), ERR_PERMISSION);
	told_nothing();
	ck_assert_int_eq(wire_run_as(&w, CTL_FORM_HINT, "execute change"), ERR_PERMISSION);
	told("failure", "execute change");
	ck_assert_int_eq(wire_run(&w, "execute look"), ERR_PERMISSION);
	told("failure", "execute look");
	ck_assert_uint_eq(runs, 0);
	leave();
}
END_TEST

/* Names, keys and words that try to be more than one field of one line. */
START_TEST(test_forged) {
	static const char *const texts[] = {
		"x\" status=\"success",	   "x\\\" status=\"success", "x\nlogid=\"9\" user=\"root",
		"x\r\n\r\nlogid=\"9\"",	   "x\t\v\f\b\x1b[2J",	     "\x7f\x01\x02",
		"' user='root' x='",	   "%s%n%x",		     "\xc3\x28\xff\xfe",
		"\xe2\x80\xa8logid=\"9\"", "",			     "\"",
	};
	static const char *const names[] = { "logid", "user", "ui", "status", "cfgobj", "msg" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const struct audit_who who = { texts[i], texts[i] };
		char *argv[] = { (char *)texts[i] };
		AUTO_FREE char *all = NULL;
		char *rest, *line;
		int n = 0;

		forget();
		refuse(&who, true, "firewall.address", texts[i], ERR_VALUE);
		audit_command(audit, &who, "execute it", 1, argv, 0);
		rest = all = events();
		while ((line = strsep(&rest, "\n")) && *line) {
			n++;
			for (const char *p = line; *p; p++)
				ck_assert((unsigned char)*p >= ' ' && *p != '\\' && *p != 0x7f);
			for (size_t f = 0; f < ARRAY_LEN(names); f++) {
				AUTO_FREE char *field = xasprintf("%s=\"", names[f]);
				const char *at = strstr(line, field);

				ck_assert(!at || !strstr(at + 1, field));
			}
			ck_assert_ptr_nonnull(strstr(line, n == 1 ? "status=\"success\" msg="
								  : "status=\"failure\" cfgpath="));
		}
		ck_assert_int_eq(n, 2);
	}
}
END_TEST

int main(void) {
	Suite *s = suite_create("audit");
	TCase *t = fixture_case(s, "audit");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_entry);
	tcase_add_test(t, test_object);
	tcase_add_test(t, test_secret);
	tcase_add_test(t, test_nested);
	tcase_add_test(t, test_long);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_failed);
	tcase_add_test(t, test_refusal);
	tcase_add_test(t, test_flood);
	tcase_add_test(t, test_command);
	tcase_add_test(t, test_outcome);
	tcase_add_test(t, test_asked);
	tcase_add_test(t, test_asked_in_vain);
	tcase_add_test(t, test_forged);
	return fixture_run(s);
}
