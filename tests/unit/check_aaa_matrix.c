/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who gets in, with what, from where: a table, which holds for administrators of every role alike.
 * Each password that is tried costs one hash, whoever's it is, and no key costs any.
 */
#include "cfgdb/aaa/aaa.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define KEY \
	"ssh-ed25519 " \
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define MINE "set trusthost1 10.0.0.0/8\nset ssh-public-key1 \"" KEY "\"\n"
#define TIME 1800000000

/* Administrators beside the one of a fresh unit, who has nothing; nosuch and root are none. */
static const struct {
	const char *name, *body;
} people[] = {
	{ "bob", MINE "set password secret\n" },
	{ "off", MINE "set password secret\nset status disable\n" },
	{ "due", MINE "set password secret\nset force-password-change enable\n" },
	{ "old", MINE "set password secret\nset password-expire \"2020-01-01 00:00:00\"\n" },
	{ "bare", MINE },
	{ "ldap", MINE "set password secret\nset remote-auth enable\n" },
	{ "free", "set password secret\n" },
	{ "day", MINE "set password secret\nset schedule day\n" },
	{ "night", MINE "set password secret\nset schedule night\n" },
};

static const char *const roles[] = { "super_admin", "prof_admin", "reader", "custom", "nothing" };

enum place { IN, OUT, IN_LOCKED, OUT_LOCKED, NOWHERE, CONSOLE, PLACE_COUNT };

static const char *const source[PLACE_COUNT] = {
	[IN] = "10.0.0.1",           /* in the network of those who have one */
	[OUT] = "192.168.0.1",
	[IN_LOCKED] = "10.9.9.9",    /* others have guessed there */
	[OUT_LOCKED] = "192.168.9.9",
	[NOWHERE] = "here",
	[CONSOLE] = "",
};

/* Other ways to say the same. No address at all is no console. */
static const char *const alias[PLACE_COUNT] = { [IN] = "::ffff:10.0.0.1", [NOWHERE] = "" };

#define SRC "source_invalid"
#define PW  "passwd_invalid"

/* "in"; "new": in, to set a new password; or why not. With NULL: a key, which no console takes. */
static const struct {
	const char *name, *with;
	const char *outcome[PLACE_COUNT];
} matrix[] = {
	/*                     IN         OUT        IN_LOCKED OUT_LOCKED NOWHERE CONSOLE */
	{ "bob", "secret",   { "in",      "trusthost", "locked", "locked", SRC, "in" } },
	{ "bob", "wrong",    { PW,        "trusthost", "locked", "locked", SRC, PW } },
	{ "bob", "",         { PW,        "trusthost", "locked", "locked", SRC, PW } },
	{ "bob", NULL,       { "in",      "trusthost", "locked", "locked", SRC, NULL } },
	{ "off", "secret",   { "disabled", "disabled", "locked", "locked", SRC, "disabled" } },
	{ "off", "wrong",    { "disabled", "disabled", "locked", "locked", SRC, "disabled" } },
	{ "off", NULL,       { "no key",  "no key",    "no key", "no key", "no key", NULL } },
	{ "due", "secret",   { "new",     "trusthost", "locked", "locked", SRC, "new" } },
	{ "due", "wrong",    { PW,        "trusthost", "locked", "locked", SRC, PW } },
	{ "due", NULL,       { "new",     "trusthost", "locked", "locked", SRC, NULL } },
	{ "old", "secret",   { "new",     "trusthost", "locked", "locked", SRC, "new" } },
	{ "old", NULL,       { "new",     "trusthost", "locked", "locked", SRC, NULL } },
	{ "bare", "",        { PW,        "trusthost", "locked", "locked", SRC, "new" } },
	{ "bare", "secret",  { PW,        "trusthost", "locked", "locked", SRC, PW } },
	{ "bare", NULL,      { "in",      "trusthost", "locked", "locked", SRC, NULL } },
	{ "ldap", "secret",  { "disabled", "disabled", "locked", "locked", SRC, "disabled" } },
	{ "ldap", NULL,      { "no key",  "no key",    "no key", "no key", "no key", NULL } },
	{ "free", "secret",  { "in",      "in",        "locked", "locked", SRC, "in" } },
	{ "free", "wrong",   { PW,        PW,          "locked", "locked", SRC, PW } },
	{ "free", NULL,      { "no key",  "no key",    "no key", "no key", "no key", NULL } },
	{ "day", "secret",   { "in",      "trusthost", "locked", "locked", SRC, "in" } },
	{ "day", NULL,       { "in",      "trusthost", "locked", "locked", SRC, NULL } },
	{ "night", "secret", { "schedule", "schedule", "locked", "locked", SRC, "in" } },
	{ "night", "wrong",  { "schedule", "schedule", "locked", "locked", SRC, PW } },
	{ "night", NULL,     { "schedule", "schedule", "locked", "locked", SRC, NULL } },
	{ "admin", "",       { PW,        PW,          "locked", "locked", SRC, "new" } },
	{ "admin", "admin",  { PW,        PW,          "locked", "locked", SRC, PW } },
	{ "admin", NULL,     { "no key",  "no key",    "no key", "no key", "no key", NULL } },
	{ "nosuch", "secret", { "name_invalid", "name_invalid", "locked", "locked", SRC,
				"name_invalid" } },
	{ "nosuch", "",      { "name_invalid", "name_invalid", "locked", "locked", SRC,
			       "name_invalid" } },
	{ "nosuch", NULL,    { "no key",  "no key",    "no key", "no key", "no key", NULL } },
	{ "root", "secret",  { "name_invalid", "name_invalid", "locked", "locked", SRC,
			       "name_invalid" } },
	{ "root", NULL,      { "no key",  "no key",    "no key", "no key", "no key", NULL } },
};

static char *dir;
static struct engine *engine;
static struct event_base *base;
static struct aaa *aaa;
static char reason[64];     /* of the last refusal */

static void on_event(void *arg, const struct aaa_event *e) {
	(void)arg;
	if (e->kind == AAA_EVENT_REFUSED)
		snprintf(reason, sizeof(reason), "%s", e->reason);
}

static bool on_schedule(void *arg, const char *schedule, time_t now) {
	(void)arg;
	ck_assert_int_eq(now, TIME);
	return strcmp(schedule, "day") == 0;
}

static void fake_clock(struct moment *ret) {
	*ret = (struct moment){ TIME, 5000 };
}

static void setup(void) {
	struct aaa_config config = { .clock = fake_clock, .gid = 77, .tell = on_event,
				     .runs = on_schedule };
	struct err err = { 0 };

	dir = fixture_dir();
	config.engine = engine = fixture_engine(dir);
	config.base = base = event_base_new();
	fixture_set(engine, "system.accprofile", "reader", "set sysgrp read\nset fwgrp read\n");
	fixture_set(engine, "system.accprofile", "custom",
		    "set fwgrp custom\nconfig fwgrp-permission\nset policy read-write\nend\n");
	fixture_set(engine, "system.accprofile", "nothing", "");
	aaa = aaa_open(&config, &err);
	ck_assert_msg(aaa != NULL, "%s", err.text);
}

static void teardown(void) {
	aaa = aaa_close(aaa);
	engine_close(engine);
	event_base_free(base);
	free(dir);
}

static void employ(const char *role) {
	for (size_t i = 0; i < ARRAY_LEN(people); i++) {
		AUTO_FREE char *body = xasprintf("set accprofile %s\n%s", role, people[i].body);

		fixture_set(engine, "system.admin", people[i].name, body);
	}
	ck_assert_int_eq(aaa_follow(aaa, NULL), 0);
}

static void on_answer(void *arg, int type, const struct aaa_account *account) {
	(void)account;
	*(int *)arg = type;
}

/* The answer to a password, at the price of one hash. */
static int try_password(const struct aaa_login *login, const char *password) {
	uint64_t hashes = aaa_hashes(aaa);
	int type = 0;

	ck_assert_ptr_nonnull(aaa_auth(aaa, login, password, on_answer, &type));
	while (type == 0)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(aaa_hashes(aaa), hashes + 1);
	return type;
}

static bool has_key(const char *name) {
	AUTO_STR struct str text = STR_INIT;

	return aaa_keys(aaa, name, &text) == AAA_OK && strstr(str_text(&text), KEY);
}

/* What comes of it: a password or a key, then the account, as programs that log in ask. */
static const char *log_in(const char *name, const char *with, enum aaa_service service,
			  const char *from) {
	const struct aaa_login login = { service, name, from, "" };
	struct aaa_account account;

	reason[0] = '\0';
	if (!with && !has_key(name))
		return "no key";
	if (with && try_password(&login, with) != AAA_OK)
		return reason;
	if (aaa_account(aaa, &login, &account) != AAA_OK)
		return reason;
	return account.flags & AAA_MUST_CHANGE ? "new" : "in";
}

static void lock(enum place place) {
	for (int i = 0; i < 3; i++)
		log_in("somebody", "x", AAA_SSH, source[place]);
}

static void check_cell(size_t row, enum place place, const char *from, const char *role) {
	const char *wanted = matrix[row].outcome[place], *with = matrix[row].with, *got;

	if (!wanted || !from)
		return;
	got = log_in(matrix[row].name, with, place == CONSOLE ? AAA_CONSOLE : AAA_SSH, from);
	ck_assert_msg(strcmp(got, wanted) == 0, "%s, a %s, with %s from \"%s\": %s, and not %s",
		      matrix[row].name, role, with ? with : "a key", from, got, wanted);
}

START_TEST(test_matrix) {
	const char *role = roles[_i];

	employ(role);
	lock(IN_LOCKED);
	lock(OUT_LOCKED);
	/* What fails here counts, too, so that there is no third time. */
	fixture_set(engine, "system.global", "", "set admin-lockout-threshold 0\n");
	for (size_t i = 0; i < ARRAY_LEN(matrix); i++) {
		for (int place = 0; place < PLACE_COUNT; place++) {
			check_cell(i, place, source[place], role);
			check_cell(i, place, alias[place], role);
		}
	}
}
END_TEST

static Suite *matrix_suite(void) {
	Suite *s = suite_create("aaa_matrix");
	TCase *t = fixture_case(s, "aaa_matrix");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_matrix, 0, ARRAY_LEN(roles));
	return s;
}

int main(void) {
	return fixture_run(matrix_suite());
}
