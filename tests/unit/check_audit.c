/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a commit leaves in the log: who, from where, what; secrets never; bounded however much it
 * changes; nothing when it fails.
 */
#include "cfgdb/audit.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static char *dir, *log_dir;
static struct engine *engine;
static struct logs *logs;
static struct audit *audit;

static void setup(void) {
	struct backend b;

	dir = fixture_dir();
	log_dir = xasprintf("%s/log", dir);
	engine = fixture_engine(dir);
	logs = logs_open(log_dir, "/nowhere", engine);
	b = logs_backend(logs);
	engine_add_backend(engine, &b);
	ck_assert_int_eq(b.start(b.ctx, &(struct commit){ .model = engine->model }, NULL), 0);
	audit = audit_new(logs);
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

START_TEST(test_refusal) {
	AUTO_FREE char *all = NULL;

	audit_refusal(NULL, &kim, NULL, NULL, ERR_VALUE);
	audit_refusal(logs, &kim, fixture_table("firewall.address"), "a", ERR_VALUE);
	audit_refusal(logs, &kim, NULL, NULL, ERR_LOCKED);
	all = events();
	ck_assert_str_eq(all,
			 "logid=\"0100044546\" type=\"event\" subtype=\"system\" "
			 "level=\"warning\" vd=\"root\" logdesc=\"Change refused\" "
			 "user=\"kim\" ui=\"ssh(192.0.2.7)\" action=\"Edit\" status=\"failure\" "
			 "msg=\"Refused with return code 14\"\n"
			 "logid=\"0100044546\" type=\"event\" subtype=\"system\" "
			 "level=\"warning\" vd=\"root\" logdesc=\"Change refused\" "
			 "user=\"kim\" ui=\"ssh(192.0.2.7)\" action=\"Edit\" status=\"failure\" "
			 "cfgpath=\"firewall.address\" cfgobj=\"a\" "
			 "msg=\"Refused with return code -651\"\n");
}
END_TEST

/* However long its arguments are, and whatever they hold, a command is one line. */
START_TEST(test_command) {
	AUTO_FREE char *longest = xasprintf("%04000d", 0), *all = NULL;
	char *argv[] = { (char *)"a\n\"b\"", longest };

	audit_command(NULL, &kim, "execute it", 1, argv, 0);
	audit_command(logs, &kim, "execute it", 1, argv, 0);
	all = events();
	ck_assert_str_eq(all,
			 "logid=\"0100032102\" type=\"event\" subtype=\"system\" "
			 "level=\"information\" vd=\"root\" logdesc=\"Command executed\" "
			 "user=\"kim\" ui=\"ssh(192.0.2.7)\" action=\"Execute\" status=\"success\" "
			 "msg=\"execute it a 'b'\"\n");
	forget();
	audit_command(logs, &kim, "execute it", 2, argv, ERR_VALUE);
	free(all);
	all = events();
	ck_assert_ptr_nonnull(strstr(all, " status=\"failure\" msg=\"execute it a 'b' 0000"));
	ck_assert_str_eq(all + strlen(all) - 6, "0...\"\n");
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
	tcase_add_test(t, test_command);
	return fixture_run(s);
}
