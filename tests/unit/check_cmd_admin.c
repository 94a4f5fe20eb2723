/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The list of who is logged in, as text and JSON, and who may end whose session: as a table. */
#include "cfgdb/control/cmd_admin.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/aaa/aaa.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/rights.h"
#include "tests/lib/fixture.h"

static char *dir;
static struct engine *engine;
static struct event_base *base;
static struct aaa *aaa;
static struct caller caller;
static struct str out;
static struct err err;

static void fake_clock(struct moment *ret) {
	*ret = (struct moment){ 1800000000, 5000 };
}

static void put(const char *name, const char *profile, const char *more) {
	AUTO_FREE char *body = xasprintf("set accprofile %s\nset password secret\n%s", profile,
					 more);

	fixture_set(engine, "system.admin", name, body);
	ck_assert_int_eq(aaa_follow(aaa, NULL), 0);
}

static void setup(void) {
	struct aaa_config config = { .clock = fake_clock };

	setenv("TZ", "UTC", 1);
	tzset();
	dir = fixture_dir();
	engine = fixture_engine(dir);
	base = event_base_new();
	config.engine = engine;
	config.base = base;
	aaa = aaa_open(&config, &err);
	ck_assert_msg(aaa != NULL, "%s", err.text);
	caller = (struct caller){ .user = "root" };
}

static void teardown(void) {
	str_done(&out);
	aaa_close(aaa);
	engine_close(engine);
	event_base_free(base);
	free(dir);
}

static uint32_t log_in(const char *name) {
	const struct aaa_login login = { AAA_SSH, name, "10.0.0.1", "" };
	struct aaa_account a;

	ck_assert_int_eq(aaa_begin(aaa, &login, getpid(), &a), AAA_OK);
	return a.session;
}

static int run(const char *words, const char *word, bool json) {
	char *argv[] = { (char *)word };
	struct rights rights = rights_all;
	struct command_call call = { .model = engine->model, .argc = word ? 1 : 0, .argv = argv,
				     .user = caller.user, .json = json, .caller = &caller,
				     .rights = &rights };
	const struct command *commands;
	size_t n;

	if (caller.administrator)
		rights_of_admin(engine->model, caller.user, &rights);
	str_clear(&out);
	commands = commands_admin(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(commands[i].words, words) == 0)
			return commands[i].run(aaa, &call, &out, &err);
	ck_abort_msg("no command '%s'", words);
}

START_TEST(test_list) {
	put("bob", "prof_admin", "");
	caller.session = log_in("bob");
	ck_assert_int_eq(run("get system admin list", NULL, false), 0);
	ck_assert_str_eq(str_text(&out),
			 "username         local    device       profile              remote      "
			 "         started\n"
			 "bob              sshv2    -            prof_admin           10.0.0.1    "
			 "         2027-01-15 08:00:00\n");
	ck_assert_int_eq(run("get system admin list", NULL, true), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "\"username\":\"bob\""));
	ck_assert_ptr_nonnull(strstr(str_text(&out), "\"started\":1800000000"));
	ck_assert_int_eq(run("execute disconnect-admin-session", NULL, false), 0);
	ck_assert_str_eq(str_text(&out),
			 "Connected:\n"
			 "INDEX   USERNAME         TYPE     FROM                 TIME\n"
			 "1       bob              SSH      10.0.0.1             Fri Jan 15 08:00:00 "
			 "2027\n");
	snprintf(caller.user, sizeof(caller.user), "bob");
	ck_assert_int_eq(run("get system admin status", NULL, false), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "username: bob\nlogin local: sshv2\n"
						     "login device: -\nlogin remote: 10.0.0.1\n"
						     "login vdom: root\n"
						     "login started: 2027-01-15 08:00:00\n"));
}
END_TEST

static const struct {
	const char *who;            /* NULL: a user of the machine, called like an administrator */
	const char *whose, *more;
	int code;
} ends[] = {
	{ "super", "super2", "", 0 },
	{ "super", "prof", "", 0 },
	{ "prof", "prof2", "", 0 },
	{ "prof", "super", "", ERR_NOT_FOUND }, /* of the unit: not seen from a virtual domain */
	{ "global", "super", "", ERR_PERMISSION },
	{ "prof", "prof", "", 0 },
	{ "prof", "prof2", "set allow-remove-admin-session disable\n", ERR_PERMISSION },
	{ "super", "super2", "set allow-remove-admin-session disable\n", ERR_PERMISSION },
	{ "super", "super", "set allow-remove-admin-session disable\n", 0 },
	{ NULL, "super", "set allow-remove-admin-session disable\n", 0 },
};

static const char ops[] = "set scope global\nset sysgrp read-write\nset cli-exec enable\n";

START_TEST(test_end) {
	const char *whose = ends[_i].whose;
	AUTO_FREE char *id = NULL, *said = NULL, *listed = NULL;

	fixture_set(engine, "system.accprofile", "ops", ops);
	put("global", "ops", "");
	put("super", "super_admin", "");
	put("prof", "prof_admin", "");
	put(whose, *whose == 's' ? "super_admin" : "prof_admin", ends[_i].more);
	id = xasprintf("%u", log_in(whose));
	caller.administrator = ends[_i].who != NULL;
	snprintf(caller.user, sizeof(caller.user), "%s", ends[_i].who ? ends[_i].who : "prof");
	listed = xasprintf("\n%s ", whose);
	ck_assert_int_eq(run("get system admin list", NULL, false), 0);
	ck_assert(!strstr(str_text(&out), listed) == (ends[_i].code == ERR_NOT_FOUND));
	ck_assert_int_eq(run("execute disconnect-admin-session", NULL, false), 0);
	ck_assert(!strstr(str_text(&out), whose) == (ends[_i].code == ERR_NOT_FOUND));
	ck_assert_int_eq(run("execute disconnect-admin-session", id, false), ends[_i].code);
	said = xasprintf("session %s of %s from ssh(10.0.0.1) is ended\n", id, whose);
	ck_assert_str_eq(str_text(&out), ends[_i].code ? "" : said);
	ck_assert_uint_eq(logins_count(aaa_logins(aaa), 0), ends[_i].code ? 1 : 0);
	ck_assert_int_eq(run("execute disconnect-admin-session", "99", false), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "there is no session 99");
	ck_assert_int_eq(run("execute disconnect-admin-session", "x", false), ERR_PARSE);
}
END_TEST

/* ---- addresses that are locked out ---- */

static void ignore(void *arg, int type, const struct aaa_account *ret) {
	(void)ret;
	*(int *)arg = type;
}

static void guess(const char *source) {
	const struct aaa_login login = { AAA_SSH, "bob", source, "" };
	int type = 0;

	ck_assert_ptr_nonnull(aaa_auth(aaa, &login, "wrong", ignore, &type));
	while (type == 0)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(type, AAA_DENIED);
}

static int clear(const char *word) {
	return run("diagnose sys admin lockout clear", word, false);
}

#define HEAD "address                                      failures  seconds left\n"

START_TEST(test_lockout) {
	put("bob", "prof_admin", "");
	fixture_set(engine, "system.global", "", "set admin-lockout-threshold 1\n");
	ck_assert_int_eq(aaa_follow(aaa, NULL), 0);
	guess("2001:db8::1");
	ck_assert_int_eq(run("diagnose sys admin lockout list", NULL, false), 0);
	ck_assert_str_eq(str_text(&out), HEAD "2001:db8::/64                                1       "
					 "  60\n");
	ck_assert_int_eq(run("diagnose sys admin lockout list", NULL, true), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "\"address\":\"2001:db8::/64\","
						     "\"failures\":1,\"seconds_left\":60"));
	/* A shorter time is that of who is locked, too. */
	fixture_set(engine, "system.global", "",
		    "set admin-lockout-threshold 1\nset admin-lockout-duration 20\n");
	ck_assert_int_eq(aaa_follow(aaa, NULL), 0);
	ck_assert_int_eq(run("diagnose sys admin lockout list", NULL, false), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out), " 20\n"));
	ck_assert_int_eq(clear("10.0.0.1"), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "10.0.0.1 is not locked out");
	ck_assert_int_eq(clear("10.0.0.1/64"), ERR_PARSE);
	ck_assert_int_eq(clear("2001:db8::/32"), ERR_PARSE);
	ck_assert_int_eq(clear("bob"), ERR_PARSE);
	ck_assert_int_eq(clear("2001:db8::/64"), 0);
	ck_assert_str_eq(str_text(&out), "1 address is no longer locked out\n");
	ck_assert_int_eq(run("diagnose sys admin lockout list", NULL, false), 0);
	ck_assert_str_eq(str_text(&out), HEAD);
	guess("10.0.0.1");
	guess("10.0.0.2");
	ck_assert_int_eq(clear(NULL), 0);
	ck_assert_str_eq(str_text(&out), "2 addresses are no longer locked out\n");
}
END_TEST

static Suite *cmd_admin_suite(void) {
	Suite *s = suite_create("cmd_admin");
	TCase *t = fixture_case(s, "cmd_admin");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_list);
	tcase_add_test(t, test_lockout);
	tcase_add_loop_test(t, test_end, 0, ARRAY_LEN(ends));
	return s;
}

int main(void) {
	return fixture_run(cmd_admin_suite());
}
