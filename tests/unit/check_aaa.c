/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may log in: keys, locks, the fresh unit, passwords that have to be changed, sessions and
 * their numbers, and what is told of it all. Who gets in from where is a table in
 * check_aaa_matrix.c.
 */
#include "cfgdb/aaa/aaa.h"

#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"

#define IN  "10.0.0.1"
#define KEY \
	"ssh-ed25519 " \
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define RSA "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAEQCAgYKDhIWGh4iJiouMjY6P"

static char *dir;
static struct engine *engine;
static struct event_base *base;
static struct aaa *aaa;
static struct moment clock_now;
static char *sessions;      /* file of them */
static char told[256];      /* the last event */
static unsigned int n_locked;
static uint32_t over;
static const char *over_why;

static void fake_clock(struct moment *ret) {
	*ret = clock_now;
}

static void on_event(void *arg, const struct aaa_event *e) {
	static const char *const kinds[] = { "login", "refused", "locked", "logout", "kept", "stranger" };

	(void)arg;
	n_locked += e->kind == AAA_EVENT_LOCKED;
	if (e->kind != AAA_EVENT_LOCKED)
		snprintf(told, sizeof(told), "%s %s %s %s %s", kinds[e->kind], e->user, e->profile,
			 e->origin ? e->origin : e->source, e->reason);
}

static void on_over(void *arg, uint32_t session, const char *why) {
	(void)arg;
	over = session;
	over_why = why;
}

static void begin(void) {
	const struct aaa_config config = { .base = base, .engine = engine, .clock = fake_clock,
					   .gid = 77, .sessions = sessions, .tell = on_event,
					   .over = on_over };
	struct err err = { 0 };

	aaa = aaa_open(&config, &err);
	ck_assert_msg(aaa != NULL, "%s", err.text);
}

static void setup(void) {
	dir = fixture_dir();
	sessions = xasprintf("%s/sessions", dir);
	engine = fixture_engine(dir);
	base = event_base_new();
	clock_now = (struct moment){ 1800000000, 5000 };
	n_locked = 0;
	told[0] = '\0';
	begin();
}

static void teardown(void) {
	aaa = aaa_close(aaa);
	engine_close(engine);
	event_base_free(base);
	free(sessions);
	free(dir);
}

static void put(const char *name, const char *profile, const char *more) {
	AUTO_FREE char *body = xasprintf("set accprofile %s\n%s", profile, more);

	fixture_set(engine, "system.admin", name, body);
	ck_assert_int_eq(aaa_follow(aaa, NULL), 0);
}

/* As a database holds it that an older release has written: nobody has looked at the text. */
static void store(const char *name, unsigned int attr, const char *text) {
	const struct schema_table *table = schema_table(TBL_SYSTEM_ADMIN);
	const struct object *admin = model_find(engine->model, table, name);
	struct value value = { .n = 1, .u.one.str = xstrdup(text) };

	ck_assert_ptr_nonnull(admin);
	object_set((struct object *)admin, attr, value);
}

static void global(const char *body) {
	fixture_set(engine, "system.global", "", body);
}

/* ---- passwords ---- */

struct answer {
	int type;
	struct aaa_account account;
};

static void on_answer(void *arg, int type, const struct aaa_account *account) {
	*(struct answer *)arg = (struct answer){ type, *account };
}

static struct answer wait_for(struct aaa_try *t, struct answer *a) {
	ck_assert_ptr_nonnull(t);
	while (a->type == 0)
		event_base_loop(base, EVLOOP_ONCE);
	return *a;
}

static struct answer auth(enum aaa_service service, const char *name, const char *password,
			  const char *source) {
	const struct aaa_login login = { service, name, source, "" };
	struct answer a = { 0 };

	return wait_for(aaa_auth(aaa, &login, password, on_answer, &a), &a);
}

static int ssh(const char *name, const char *password, const char *source) {
	return auth(AAA_SSH, name, password, source).type;
}

static struct answer account(enum aaa_service service, const char *name, const char *source) {
	const struct aaa_login login = { service, name, source, "" };
	struct answer a;

	a.type = aaa_account(aaa, &login, &a.account);
	return a;
}

static struct answer change(const char *name, const char *old, const char *new_one, bool is_free) {
	const struct aaa_change c = { name, old, new_one, is_free, "console" };
	struct answer a = { 0 };

	return wait_for(aaa_password(aaa, &c, on_answer, &a), &a);
}

static void check_refusal(const char *profile, const char *source, const char *why) {
	AUTO_FREE char *wanted = xasprintf("refused bob %s %s %s", profile, source, why);

	ck_assert_str_eq(told, wanted);
}

/* ---- keys ---- */

START_TEST(test_keys) {
	static const char wanted[] =
		"restrict,pty,from=\"10.0.0.0/8,::/0\" " KEY "\n"
		"restrict,pty,from=\"10.0.0.0/8,::/0\" " RSA "\n";
	AUTO_STR struct str text = STR_INIT;

	put("bob", "prof_admin", "set trusthost1 10.0.0.0/8\nset ssh-public-key1 \"" KEY "\"\n"
				 "set ssh-public-key3 \"" RSA " a b\"\n");
	ck_assert_int_eq(aaa_keys(aaa, "bob", &text), AAA_OK);
	ck_assert_str_eq(str_text(&text), wanted);
	str_clear(&text);
	put("bob", "prof_admin", "set ssh-public-key1 \"" KEY "\"\n");
	ck_assert_int_eq(aaa_keys(aaa, "bob", &text), AAA_OK);
	ck_assert_str_eq(str_text(&text), "restrict,pty " KEY "\n");
	/* Nothing but a key is a key: no options, no second line. */
	str_clear(&text);
	store("bob", SYSTEM_ADMIN__SSH_PUBLIC_KEY1, "command=\"x\" " KEY);
	store("bob", SYSTEM_ADMIN__SSH_PUBLIC_KEY2, "ssh-ed25519");
	store("bob", SYSTEM_ADMIN__SSH_PUBLIC_KEY3, KEY "\"x");
	ck_assert_int_eq(aaa_keys(aaa, "bob", &text), AAA_OK);
	ck_assert_str_eq(str_text(&text), "");
	put("bob", "prof_admin", "set status disable\nset ssh-public-key1 \"" KEY "\"\n");
	ck_assert_int_eq(aaa_keys(aaa, "bob", &text), AAA_NOT_FOUND);
	ck_assert_int_eq(aaa_keys(aaa, "nobody", &text), AAA_NOT_FOUND);
	ck_assert_str_eq(str_text(&text), "");
}
END_TEST

static const struct {
	const char *more, *why;
} refused[] = {
	{ "set password secret\nset status disable\n", "disabled" },
	{ "set password secret\nset remote-auth enable\n", "disabled" },
	{ "set password secret\nset peer-auth enable\n", "disabled" },
	{ "set password secret\nset guest-auth enable\n", "disabled" },
	{ "", "passwd_invalid" },
	{ "set password \"\"\n", "passwd_invalid" },
};

/* However a try is refused, it costs what any other does, and counts. */
START_TEST(test_one_hash_each) {
	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		uint64_t hashes = aaa_hashes(aaa);

		put("bob", "prof_admin", refused[i].more);
		for (int k = 0; k < 3; k++) {
			ck_assert_int_eq(ssh("bob", k == 1 ? "" : "secret", IN), AAA_DENIED);
			check_refusal("prof_admin", IN, refused[i].why);
		}
		ck_assert_int_eq(ssh("bob", "secret", IN), AAA_DENIED);
		check_refusal("prof_admin", IN, "locked");
		ck_assert_uint_eq(aaa_hashes(aaa), hashes + 4);
		clock_now.boot_s += 60;
	}
	ck_assert_int_eq(ssh("nobody", "secret", IN), AAA_DENIED);
	ck_assert_str_eq(told, "refused nobody  " IN " name_invalid");
}
END_TEST

/* Many at once from one address: no more of them count as tries than the threshold lets. */
START_TEST(test_race) {
	const struct aaa_login login = { AAA_SSH, "bob", IN, "" };
	struct answer a[8] = { 0 };

	put("bob", "prof_admin", "set password secret\n");
	for (int i = 0; i < 8; i++)
		ck_assert_ptr_nonnull(aaa_auth(aaa, &login, i < 3 ? "wrong" : "secret", on_answer,
					       &a[i]));
	for (int i = 0; i < 8; i++)
		while (a[i].type == 0)
			event_base_loop(base, EVLOOP_ONCE);
	for (int i = 0; i < 8; i++)
		ck_assert_int_eq(a[i].type, AAA_DENIED);
	ck_assert_uint_eq(n_locked, 1);
}
END_TEST

START_TEST(test_settings_of_lock) {
	put("bob", "prof_admin", "set password secret\n");
	global("set admin-lockout-threshold 1\nset admin-lockout-duration 10\n");
	ck_assert_int_eq(ssh("bob", "wrong", IN), AAA_DENIED);
	clock_now.boot_s += 9;
	clock_now.wall_s += 86400;
	ck_assert_int_eq(ssh("bob", "secret", IN), AAA_DENIED);
	clock_now.boot_s += 1;
	clock_now.wall_s -= 7 * 86400;
	ck_assert_int_eq(ssh("bob", "secret", IN), AAA_OK);
	global("set admin-lockout-threshold 0\n");
	for (int i = 0; i < 12; i++)
		ck_assert_int_eq(ssh("bob", "wrong", IN), AAA_DENIED);
	ck_assert_int_eq(ssh("bob", "secret", IN), AAA_OK);
	global("set admin-ssh-password disable\n");
	ck_assert_int_eq(ssh("bob", "secret", IN), AAA_DENIED);
	ck_assert_int_eq(auth(AAA_CONSOLE, "bob", "secret", "").type, AAA_OK);
}
END_TEST

/* ---- the console ---- */

START_TEST(test_fresh_unit) {
	struct answer a;

	ck_assert_int_eq(ssh("admin", "", IN), AAA_DENIED);
	ck_assert_int_eq(ssh("admin", "admin", IN), AAA_DENIED);
	ck_assert_int_eq(auth(AAA_CONSOLE, "admin", "guess", "").type, AAA_DENIED);
	a = auth(AAA_CONSOLE, "admin", "", "");
	ck_assert_int_eq(a.type, AAA_OK);
	ck_assert_uint_eq(a.account.flags, AAA_MUST_CHANGE);
	ck_assert_uint_eq(a.account.uid, AAA_UID_MIN);
	ck_assert_uint_eq(a.account.gid, 77);
	ck_assert_uint_eq(account(AAA_CONSOLE, "admin", "").account.flags, AAA_MUST_CHANGE);
	a = change("admin", "", "", true);
	ck_assert_int_eq(a.type, AAA_DENIED);
	ck_assert_str_eq(a.account.text, "the new password is empty");
	ck_assert_int_eq(change("admin", "", "secret", true).type, AAA_OK);
	ck_assert_uint_eq(account(AAA_CONSOLE, "admin", "").account.flags, 0);
	ck_assert_int_eq(auth(AAA_CONSOLE, "admin", "", "").type, AAA_DENIED);
	ck_assert_int_eq(ssh("admin", "secret", IN), AAA_OK);
}
END_TEST

/* Nothing locks the console out. */
START_TEST(test_console) {
	put("bob", "prof_admin", "set password secret\nset trusthost1 10.0.0.0/8\n");
	for (int i = 0; i < 12; i++)
		ck_assert_int_eq(auth(AAA_CONSOLE, "bob", "wrong", "").type, AAA_DENIED);
	ck_assert_int_eq(auth(AAA_CONSOLE, "bob", "secret", "").type, AAA_OK);
	ck_assert_int_eq(account(AAA_CONSOLE, "bob", "").type, AAA_OK);
	ck_assert_uint_eq(n_locked, 0);
	/* An empty password is none. */
	put("eve", "prof_admin", "set password \"\"\n");
	ck_assert_int_eq(auth(AAA_CONSOLE, "eve", "", "").type, AAA_OK);
	ck_assert_uint_eq(account(AAA_CONSOLE, "eve", "").account.flags, AAA_MUST_CHANGE);
}
END_TEST

/* ---- passwords that have to be changed ---- */

static uint8_t flags(void) {
	return account(AAA_SSH, "bob", IN).account.flags;
}

START_TEST(test_must_change) {
	put("bob", "prof_admin", "set password secret\nset force-password-change enable\n");
	ck_assert_uint_eq(flags(), AAA_MUST_CHANGE);
	ck_assert_int_eq(change("bob", "", "secret", true).type, AAA_DENIED);
	ck_assert_uint_eq(flags(), AAA_MUST_CHANGE);
	ck_assert_int_eq(change("bob", "", "new one", true).type, AAA_OK);
	ck_assert_uint_eq(flags(), 0);
	ck_assert_int_eq(ssh("bob", "new one", IN), AAA_OK);
	ck_assert_int_eq(ssh("bob", "secret", IN), AAA_DENIED);
	/* Who is not forced has to know the old one. */
	ck_assert_str_eq(change("bob", "guess", "x", false).account.text,
			 "the old password is wrong");
	ck_assert_str_eq(told, "kept bob prof_admin console the old password is wrong");
	ck_assert_int_eq(change("bob", "new one", "secret", false).type, AAA_OK);
	ck_assert_int_eq(ssh("bob", "secret", IN), AAA_OK);
	ck_assert_int_eq(change("nobody", "", "x", true).type, AAA_DENIED);
}
END_TEST

START_TEST(test_expiry) {
	setenv("TZ", "UTC", 1);
	tzset();
	put("bob", "prof_admin",
	    "set password secret\nset password-expire \"2027-01-15 08:00:00\"\n");
	clock_now.wall_s = 1799999999;
	ck_assert_uint_eq(flags(), 0);
	clock_now.wall_s = 1800000000; /* 2027-01-15 08:00:00 UTC */
	ck_assert_uint_eq(flags(), AAA_MUST_CHANGE);
	ck_assert_int_eq(change("bob", "", "new", true).type, AAA_OK);
	ck_assert_uint_eq(flags(), 0);
	/* What nobody can read is over, and goes with a new password. */
	store("bob", SYSTEM_ADMIN__PASSWORD_EXPIRE, "tomorrow");
	ck_assert_uint_eq(flags(), AAA_MUST_CHANGE);
	ck_assert_int_eq(change("bob", "", "newer", true).type, AAA_OK);
	ck_assert_uint_eq(flags(), 0);
}
END_TEST

/* ---- accounts ---- */

START_TEST(test_account) {
	struct aaa_account a;

	put("bob", "prof_admin", "set password secret\n");
	ck_assert_int_eq(aaa_name(aaa, "bob", &a), AAA_OK);
	ck_assert_str_eq(a.name, "bob");
	ck_assert_uint_eq(a.uid, AAA_UID_MIN + 1);
	ck_assert_uint_eq(a.idle_s, 300);
	ck_assert_int_eq(aaa_uid(aaa, AAA_UID_MIN + 1, &a), AAA_OK);
	ck_assert_str_eq(a.name, "bob");
	ck_assert_int_eq(aaa_name(aaa, "nobody", &a), AAA_NOT_FOUND);
	ck_assert_int_eq(aaa_uid(aaa, AAA_UID_MIN + 2, &a), AAA_NOT_FOUND);
	ck_assert_int_eq(aaa_uid(aaa, 0, &a), AAA_NOT_FOUND);
	global("set admintimeout 7\nset admin-console-timeout 30\nset post-login-banner enable\n");
	a = account(AAA_SSH, "bob", IN).account;
	ck_assert_uint_eq(a.idle_s, 420);
	ck_assert_uint_eq(a.flags, AAA_BANNER);
	ck_assert_uint_eq(account(AAA_CONSOLE, "bob", "").account.idle_s, 30);
	fixture_set(engine, "system.accprofile", "short",
		    "set admintimeout-override enable\nset admintimeout 1\n");
	put("bob", "short", "set password secret\n");
	ck_assert_uint_eq(account(AAA_SSH, "bob", IN).account.idle_s, 60);
	fixture_set(engine, "system.accprofile", "short",
		    "set admintimeout-override enable\nset admintimeout 0\n");
	ck_assert_uint_eq(account(AAA_SSH, "bob", IN).account.idle_s, 0);
	ck_assert_uint_eq(account(AAA_CONSOLE, "bob", "").account.idle_s, 30);
	fixture_set(engine, "system.accprofile", "short", "set admintimeout 1\n");
	ck_assert_uint_eq(account(AAA_SSH, "bob", IN).account.idle_s, 420);
}
END_TEST

/* ---- sessions ---- */

/* A process that waits to be ended; its own child, too, when there is a pipe for its number. */
static pid_t process(const int *pipe_fd) {
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		pid_t child = pipe_fd ? fork() : 0;

		if (child > 0 && write(*pipe_fd, &child, sizeof(child)) != sizeof(child))
			_exit(1);
		for (;;)
			pause();
	}
	return pid;
}

static struct answer log_in(const char *name, pid_t pid) {
	const struct aaa_login login = { AAA_SSH, name, IN, "pts/1" };
	struct answer a;

	a.type = aaa_begin(aaa, &login, pid, &a.account);
	return a;
}

static void end_process(pid_t pid) {
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(test_session) {
	struct aaa_account self;
	struct answer a;
	pid_t child;
	int fds[2];
	pid_t pid;

	put("bob", "prof_admin", "set password secret\n");
	ck_assert_int_eq(pipe(fds), 0);
	pid = process(&fds[1]);
	ck_assert_int_eq(read(fds[0], &child, sizeof(child)), sizeof(child));
	a = log_in("bob", pid);
	ck_assert_int_eq(a.type, AAA_OK);
	ck_assert_uint_ne(a.account.session, 0);
	ck_assert_str_eq(a.account.origin, "ssh(" IN ")");
	ck_assert_str_eq(told, "login bob prof_admin " IN " none");
	/* It is that of the process and of what descends from it, under his uid. */
	ck_assert_int_eq(aaa_self(aaa, child, AAA_UID_MIN + 1, &self), AAA_OK);
	ck_assert_uint_eq(self.session, a.account.session);
	ck_assert_int_eq(aaa_self(aaa, pid, AAA_UID_MIN + 1, &self), AAA_OK);
	ck_assert_int_eq(aaa_self(aaa, child, AAA_UID_MIN, &self), AAA_NOT_FOUND);
	ck_assert_int_eq(aaa_self(aaa, getpid(), AAA_UID_MIN + 1, &self), AAA_NOT_FOUND);
	ck_assert_int_eq(log_in("bob", pid).type, AAA_BUSY);
	/* It ends with its process, and what that left behind has none. */
	end_process(pid);
	clock_now.boot_s += 5;
	while (logins_count(aaa_logins(aaa), 0) > 0)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_str_eq(told, "logout bob prof_admin " IN " exit");
	ck_assert_uint_eq(over, a.account.session);
	ck_assert_int_eq(aaa_self(aaa, child, AAA_UID_MIN + 1, &self), AAA_NOT_FOUND);
	ck_assert_int_eq(log_in("bob", pid).type, AAA_BUSY);
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

static void restart(void) {
	aaa_close(aaa);
	begin();
}

/* A password that was due at the login is due in all of the session, until it is set. */
START_TEST(test_due_in_session) {
	struct aaa_account self;
	struct answer a[2];
	pid_t pid[2] = { process(NULL), process(NULL) };

	put("bob", "prof_admin", "set password secret\n");
	a[0] = log_in("bob", pid[0]);
	put("bob", "prof_admin", "set password secret\nset force-password-change enable\n");
	a[1] = log_in("bob", pid[1]);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(a[i].account.flags, i ? AAA_MUST_CHANGE : 0);
		ck_assert_int_eq(aaa_self(aaa, pid[i], AAA_UID_MIN + 1, &self), AAA_OK);
		ck_assert_uint_eq(self.flags, i ? AAA_MUST_CHANGE : 0);
		ck_assert(aaa_is_due(aaa, a[i].account.session) == (i == 1));
	}
	restart();
	ck_assert(!aaa_is_due(aaa, a[0].account.session));
	ck_assert(aaa_is_due(aaa, a[1].account.session));
	ck_assert(!aaa_is_due(aaa, a[1].account.session + 1));
	ck_assert_int_eq(change("bob", "", "new one", true).type, AAA_OK);
	ck_assert(!aaa_is_due(aaa, a[1].account.session));
	for (int i = 0; i < 2; i++)
		end_process(pid[i]);
}
END_TEST

static int guard(void *arg, const struct object *before, const struct object *after,
		 struct err *err) {
	(void)arg;
	(void)before;
	return after->table == schema_table(TBL_SYSTEM_ADMIN)
		       ? err_set(err, ERR_PERMISSION, "change it on the primary")
		       : 0;
}

/* Where another unit has the say it is told, and no other password is better. */
START_TEST(test_change_elsewhere) {
	struct answer a;

	put("bob", "prof_admin", "set password secret\nset force-password-change enable\n");
	engine_set_guard(engine, guard, NULL);
	a = change("bob", "", "new one", true);
	ck_assert_int_eq(a.type, AAA_BUSY);
	ck_assert_str_eq(a.account.text, "change it on the primary");
	ck_assert_int_eq(change("bob", "", "secret", true).type, AAA_DENIED);
	engine_set_guard(engine, NULL, NULL);
	ck_assert_int_eq(change("bob", "", "new one", true).type, AAA_OK);
}
END_TEST

/* Ended by us, its processes are known, and have no session until they are gone. */
START_TEST(test_session_over) {
	struct aaa_account self;
	struct answer a;
	pid_t pid[3] = { process(NULL), process(NULL), process(NULL) };

	put("bob", "prof_admin", "set password secret\n");
	put("eve", "prof_admin", "set password secret\n");
	put("zoe", "prof_admin", "set password secret\n");
	a = log_in("bob", pid[0]);
	ck_assert_int_eq(aaa_end(aaa, a.account.session, "disconnected"), AAA_OK);
	ck_assert_str_eq(told, "logout bob prof_admin " IN " disconnected");
	ck_assert_uint_eq(over, a.account.session);
	ck_assert_str_eq(over_why, "your session was ended by another administrator");
	ck_assert_int_eq(aaa_self(aaa, pid[0], AAA_UID_MIN + 1, &self), AAA_DENIED);
	ck_assert_str_eq(self.text, "your session has ended");
	ck_assert_int_eq(aaa_end(aaa, a.account.session, "disconnected"), AAA_NOT_FOUND);
	/* Who is deleted or disabled is logged out. */
	a = log_in("eve", pid[1]);
	ck_assert_int_eq(fixture_delete(engine, "system.admin", "eve", NULL), 0);
	ck_assert_int_eq(aaa_follow(aaa, NULL), 0);
	ck_assert_uint_eq(over, a.account.session);
	ck_assert_str_eq(over_why, "your session was ended: the account is removed or disabled");
	a = log_in("zoe", pid[2]);
	over_why = NULL;
	put("zoe", "prof_admin", "set password secret\nset status disable\n");
	ck_assert_uint_eq(over, a.account.session);
	ck_assert_str_eq(over_why, "your session was ended: the account is removed or disabled");
	ck_assert_uint_eq(logins_count(aaa_logins(aaa), 0), 0);
	for (int i = 0; i < 3; i++)
		end_process(pid[i]);
}
END_TEST

/* The daemon ends and comes back: sessions stay what they were, as far as their processes do. */
START_TEST(test_daemon_restarts) {
	struct aaa_account self;
	pid_t pid[3] = { process(NULL), process(NULL), process(NULL) };
	struct answer a[3];

	put("bob", "prof_admin", "set password secret\n");
	for (int i = 0; i < 3; i++)
		a[i] = log_in("bob", pid[i]);
	ck_assert_int_eq(aaa_end(aaa, a[1].account.session, "disconnected"), AAA_OK);
	aaa_close(aaa);
	end_process(pid[2]);
	begin();
	ck_assert_str_eq(told, "logout bob prof_admin " IN " exit");
	ck_assert_int_eq(aaa_self(aaa, pid[0], AAA_UID_MIN + 1, &self), AAA_OK);
	ck_assert_uint_eq(self.session, a[0].account.session);
	ck_assert_str_eq(self.origin, "ssh(" IN ")");
	ck_assert_int_eq(aaa_self(aaa, pid[1], AAA_UID_MIN + 1, &self), AAA_DENIED);
	ck_assert_uint_eq(logins_count(aaa_logins(aaa), 0), 1);
	/* Its end is seen, and no number of a session comes again. */
	end_process(pid[0]);
	while (logins_count(aaa_logins(aaa), 0) > 0)
		event_base_loop(base, EVLOOP_ONCE);
	pid[0] = process(NULL);
	ck_assert_uint_gt(log_in("bob", pid[0]).account.session, a[2].account.session);
	end_process(pid[0]);
	end_process(pid[1]);
}
END_TEST

static void spoil(const char *from, const char *to) {
	AUTO_STR struct str text = STR_INIT, out = STR_INIT;
	const char *at;

	ck_assert_int_eq(file_read(sessions, 100000, &text, NULL), 0);
	at = strstr(str_text(&text), from);
	ck_assert_ptr_nonnull(at);
	str_add_bytes(&out, text.data, (size_t)(at - text.data));
	str_add(&out, to);
	str_add(&out, at + strlen(from));
	ck_assert_int_eq(file_replace(sessions, out.data, out.len, NULL), 0);
}

/* Another process with the number, another start of the machine, garbage: no session. */
START_TEST(test_stale_sessions) {
	AUTO_FREE char *first = NULL;
	struct aaa_account self;
	pid_t pid = process(NULL);
	char boot[MOMENT_BOOT_ID];

	put("bob", "prof_admin", "set password secret\n");
	ck_assert_int_eq(log_in("bob", pid).type, AAA_OK);
	aaa_close(aaa);
	moment_boot_id(boot);
	first = xasprintf("1 %u %d ", AAA_UID_MIN + 1, (int)pid);
	if (_i == 0) {
		AUTO_FREE char *other = xasprintf("%s1", first);

		spoil(first, other);
	}
	if (_i == 1)
		spoil(boot, "another");
	if (_i == 2)
		spoil(first, "x ");
	begin();
	ck_assert_int_eq(aaa_self(aaa, pid, AAA_UID_MIN + 1, &self), AAA_NOT_FOUND);
	ck_assert_uint_eq(logins_count(aaa_logins(aaa), 0), 0);
	end_process(pid);
}
END_TEST

START_TEST(test_numbers) {
	pid_t pid[3] = { process(NULL), process(NULL), process(NULL) };
	struct answer a;

	put("bob", "prof_admin", "set password secret\n");
	put("eve", "prof_admin", "set password secret\n");
	global("set admin-concurrent disable\n");
	a = log_in("bob", pid[0]);
	ck_assert_int_eq(a.type, AAA_OK);
	ck_assert_int_eq(account(AAA_SSH, "bob", IN).type, AAA_DENIED);
	check_refusal("prof_admin", IN, "concurrent");
	ck_assert_str_eq(account(AAA_SSH, "bob", IN).account.text,
			 "you are logged in already, and admin-concurrent is disabled");
	ck_assert_int_eq(account(AAA_CONSOLE, "bob", "").type, AAA_DENIED);
	ck_assert_int_eq(log_in("bob", pid[1]).type, AAA_DENIED);
	ck_assert_int_eq(log_in("eve", pid[1]).type, AAA_OK);
	ck_assert_int_eq(aaa_end(aaa, a.account.session, "exit"), AAA_OK);
	ck_assert_int_eq(log_in("bob", pid[2]).type, AAA_OK);
	global("set admin-login-max 2\n");
	ck_assert_int_eq(account(AAA_SSH, "bob", IN).type, AAA_DENIED);
	check_refusal("prof_admin", IN, "exceed_limit");
	ck_assert_int_eq(account(AAA_SSH, "eve", IN).type, AAA_DENIED);
	global("set admin-login-max 2\n");
	ck_assert_str_eq(account(AAA_SSH, "eve", IN).account.text,
			 "too many administrators are logged in");
	ck_assert_int_eq(account(AAA_CONSOLE, "eve", "").type, AAA_OK);
	/* A reason that has to do with who he is, or from where, is not told. */
	ck_assert_str_eq(account(AAA_SSH, "nobody", IN).account.text, "");
	ck_assert_str_eq(account(AAA_SSH, "eve", "here").account.text, "");
	for (int i = 0; i < 3; i++)
		end_process(pid[i]);
}
END_TEST

static Suite *aaa_suite(void) {
	Suite *s = suite_create("aaa");
	TCase *t = fixture_case(s, "aaa");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_keys);
	tcase_add_test(t, test_one_hash_each);
	tcase_add_test(t, test_race);
	tcase_add_test(t, test_settings_of_lock);
	tcase_add_test(t, test_fresh_unit);
	tcase_add_test(t, test_console);
	tcase_add_test(t, test_must_change);
	tcase_add_test(t, test_expiry);
	tcase_add_test(t, test_account);
	tcase_add_test(t, test_session);
	tcase_add_test(t, test_due_in_session);
	tcase_add_test(t, test_change_elsewhere);
	tcase_add_test(t, test_session_over);
	tcase_add_test(t, test_daemon_restarts);
	tcase_add_loop_test(t, test_stale_sessions, 0, 3);
	tcase_add_test(t, test_numbers);
	return s;
}

int main(void) {
	return fixture_run(aaa_suite());
}
