/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The socket for modules of the login: the client against the server, many at once, and what who is
 * silent, talks too much or never reads costs the others: nothing.
 */
#include "cfgdb/aaa/aaa_server.h"

#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/aaa/aaa_client.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define KEY \
	"ssh-ed25519 " \
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

#define KEYS_UID 4711
#define OTHER_UID 5000
#define TURNS 100          /* of the loop, within which all that is over has gone */

static const char path[] = "aaa";
static char *dir;
static struct engine *engine;
static struct event_base *base;
static struct aaa *aaa;
static struct aaa_server *server;

static void setup_as(gid_t gid) {
	struct aaa_config config = { .clock = moment_now, .gid = gid };
	struct aaa_server_config door = { .keys_uid = KEYS_UID };
	struct err err = { 0 };

	dir = fixture_dir();
	/* From within: what is above may be closed to others. */
	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(chdir(dir), 0);
	engine = fixture_engine(dir);
	base = event_base_new();
	config.base = door.base = base;
	config.engine = engine;
	aaa = aaa_open(&config, &err);
	ck_assert_msg(aaa != NULL, "%s", err.text);
	fixture_set(engine, "system.admin", "bob",
		    "set accprofile prof_admin\nset password secret\n"
		    "set ssh-public-key1 \"" KEY "\"\n");
	ck_assert_int_eq(aaa_follow(aaa, NULL), 0);
	door.aaa = aaa;
	door.path = path;
	server = aaa_server_new(&door, &err);
	ck_assert_msg(server != NULL, "%s", err.text);
}

static void setup(void) {
	setup_as(getegid());
}

static void setup_other_group(void) {
	setup_as(getegid() + 1);
}

static void teardown(void) {
	server = aaa_server_free(server);
	ck_assert_int_ne(access(path, F_OK), 0);
	aaa = aaa_close(aaa);
	engine_close(engine);
	event_base_free(base);
	free(dir);
}

/* The loop runs until that process has ended; its exit status. */
static int serve(pid_t pid) {
	const struct timeval tick = { .tv_usec = 10000 };
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		event_base_loopexit(base, &tick);
		event_base_dispatch(base);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static pid_t child(int (*work)(void)) {
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(work());
	return pid;
}

static void become(uid_t uid) {
	if (setgid(uid) != 0 || setuid(uid) != 0)
		_exit(99);
}

/* ---- the client ---- */

#define WANT(condition) do { if (!(condition)) return __LINE__ % 100 + 1; } while (0)

static const struct aaa_login bob = { AAA_SSH, "bob", "10.0.0.1", "pts/1" };

static int ask_all(void) {
	char text[AAA_KEYS_MAX + 1];
	struct aaa_account a;

	WANT(aaa_client_name(path, "bob", &a) == AAA_OK && a.uid == AAA_UID_MIN + 1);
	WANT(a.gid == getegid() && a.idle_s == 300 && strcmp(a.name, "bob") == 0);
	WANT(aaa_client_uid(path, AAA_UID_MIN + 1, &a) == AAA_OK && strcmp(a.name, "bob") == 0);
	WANT(aaa_client_name(path, "nobody", &a) == AAA_NOT_FOUND && a.uid == 0);
	WANT(aaa_client_uid(path, 0, &a) == AAA_NOT_FOUND);
	WANT(aaa_client_auth(path, &bob, "secret", &a) == AAA_OK);
	WANT(aaa_client_auth(path, &bob, "wrong", &a) == AAA_DENIED && a.uid == 0);
	WANT(aaa_client_account(path, &bob, &a) == AAA_OK);
	WANT(aaa_client_keys(path, "bob", text, sizeof(text)) == AAA_OK);
	WANT(strcmp(text, "restrict,pty " KEY "\n") == 0);
	WANT(aaa_client_self(path, &a) == AAA_NOT_FOUND);
	WANT(aaa_client_begin(path, &bob, &a) == AAA_OK && a.session == 1);
	WANT(strcmp(a.origin, "ssh(10.0.0.1)") == 0);
	WANT(aaa_client_end(path, a.session) == AAA_OK);
	WANT(aaa_client_end(path, a.session) == AAA_NOT_FOUND);
	WANT(aaa_client_password(path, "bob", "", "", &a) == AAA_DENIED);
	WANT(strcmp(a.text, "the new password is empty") == 0);
	WANT(aaa_client_password(path, "bob", "", "new", &a) == AAA_OK);
	WANT(aaa_client_auth(path, &bob, "new", &a) == AAA_OK);
	return 0;
}

START_TEST(test_client) {
	ck_assert_int_eq(serve(child(ask_all)), 0);
}
END_TEST

static int ask_as_user(void) {
	char text[AAA_KEYS_MAX + 1];
	struct aaa_account a;

	become(KEYS_UID);
	WANT(aaa_client_uid(path, AAA_UID_MIN + 1, &a) == AAA_OK);
	WANT(aaa_client_auth(path, &bob, "secret", &a) == AAA_DENIED);
	WANT(aaa_client_begin(path, &bob, &a) == AAA_DENIED);
	WANT(aaa_client_keys(path, "bob", text, sizeof(text)) == AAA_OK);
	WANT(aaa_client_password(path, "bob", "secret", "x", &a) == AAA_DENIED);
	return 0;
}

START_TEST(test_user) {
	ck_assert_int_eq(serve(child(ask_as_user)), 0);
	ck_assert_uint_eq(aaa_hashes(aaa), 0);
}
END_TEST

static void on_alarm(int signal) {
	(void)signal;
}

static int ask_with_alarms(void) {
	const struct itimerval often = { { .tv_usec = 1000 }, { .tv_usec = 1000 } };
	const struct sigaction alarm = { .sa_handler = on_alarm };
	struct aaa_account a;

	WANT(sigaction(SIGALRM, &alarm, NULL) == 0 && setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (int i = 0; i < 10; i++)
		WANT(aaa_client_auth(path, &bob, "secret", &a) == AAA_OK);
	return 0;
}

/* A program whose signals interrupt it gets its answer all the same. */
START_TEST(test_signals) {
	ck_assert_int_eq(serve(child(ask_with_alarms)), 0);
}
END_TEST

static int ask_listen(void) {
	struct aaa_listen l = { .port = 7 };

	become(KEYS_UID);
	WANT(aaa_client_listen(path, &l) == AAA_DENIED && l.port == 7);
	return 0;
}

static int ask_listen_as_root(void) {
	struct aaa_listen l, wanted;

	aaa_listen(aaa, &wanted);
	WANT(aaa_client_listen(path, &l) == AAA_OK);
	WANT(l.port == 2222 && l.grace_s == 120 && l.idle_s == 28800 && !l.banner);
	WANT(strcmp(l.kex, wanted.kex) == 0 && strcmp(l.ciphers, wanted.ciphers) == 0);
	WANT(strcmp(l.macs, wanted.macs) == 0);
	return 0;
}

/* Root learns how the SSH server is to run, up to the longest lists; nobody else does. */
START_TEST(test_listen) {
	static const char ciphers[] =
		"chacha20-poly1305@openssh.com aes128-ctr aes192-ctr aes256-ctr arcfour256 "
		"arcfour128 aes128-cbc 3des-cbc blowfish-cbc cast128-cbc aes192-cbc aes256-cbc "
		"arcfour rijndael-cbc@lysator.liu.se aes128-gcm@openssh.com aes256-gcm@openssh.com";
	AUTO_FREE char *text = xasprintf("set ssh-enc-algo %s\nset ssh-kex-algo ecdh-sha2-nistp256\n"
					 "set admin-ssh-port 2222\nset admintimeout 480\n",
					 ciphers);
	struct aaa_listen l;

	ck_assert_int_eq(serve(child(ask_listen)), 0);
	fixture_set(engine, "system.global", "", text);
	aaa_listen(aaa, &l);
	ck_assert_str_eq(l.ciphers, ciphers);
	ck_assert_str_eq(l.kex, "ecdh-sha2-nistp256");
	ck_assert_int_eq(serve(child(ask_listen_as_root)), 0);
}
END_TEST

/* What cannot be asked is not: too long, or the daemon is away. */
START_TEST(test_not_asked) {
	char text[300];
	struct aaa_login login = bob;
	struct aaa_account a;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ck_assert_int_eq(aaa_client_name(path, text, &a), AAA_NOT_FOUND);
	ck_assert_int_eq(aaa_client_auth(path, &bob, text, &a), AAA_DENIED);
	login.source = text;
	ck_assert_int_eq(aaa_client_account(path, &login, &a), AAA_DENIED);
	ck_assert_int_eq(aaa_client_password(path, "bob", "", text, &a), AAA_DENIED);
	ck_assert_int_eq(aaa_client_uid(path, 69999, &a), AAA_NOT_FOUND);
	ck_assert_int_eq(aaa_client_uid("/nonexistent/aaa", AAA_UID_MIN, &a), AAA_CLIENT_AWAY);
	ck_assert_int_eq(aaa_client_auth("/nonexistent/aaa", &bob, "x", &a), AAA_CLIENT_AWAY);
	ck_assert_int_eq(aaa_client_keys("/nonexistent/aaa", "bob", text, 100), AAA_CLIENT_AWAY);
	ck_assert_str_eq(text, "");
}
END_TEST

static int log_in(void) {
	struct aaa_account a;

	WANT(aaa_client_auth(path, &bob, "secret", &a) == AAA_OK);
	WANT(aaa_client_account(path, &bob, &a) == AAA_OK);
	WANT(aaa_client_begin(path, &bob, &a) == AAA_OK);
	return 0;
}

START_TEST(test_many_at_once) {
	enum { N = 50 };
	pid_t pid[N];

	for (int i = 0; i < N; i++)
		pid[i] = child(log_in);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(serve(pid[i]), 0);
	ck_assert_uint_eq(aaa_hashes(aaa), N);
	while (logins_count(aaa_logins(aaa), 0) > 0)
		event_base_loop(base, EVLOOP_ONCE);
}
END_TEST

/* ---- who misbehaves ---- */

static int dial(void) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	return fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 ? fd : -1;
}

/* How many of n connections of a user the server keeps; they stay open. */
static int hold(uid_t uid, int n) {
	int kept = 0;

	if (seteuid(uid) != 0)
		return -1;
	for (int i = 0; i < n; i++) {
		const uint8_t ask[] = { AAA_VERSION, AAA_SELF };
		uint8_t answer[64];
		int fd = dial();

		(void)!send(fd, ask, sizeof(ask), MSG_NOSIGNAL);
		kept += recv(fd, answer, sizeof(answer), 0) > 0;
	}
	return seteuid(0) == 0 ? kept : -1;
}

static int ask_as_administrator(void) {
	struct aaa_account a;

	become(AAA_UID_MIN + 1);
	WANT(aaa_client_uid(path, AAA_UID_MIN + 1, &a) == AAA_OK);
	return 0;
}

/* The status of a process that is run beside those that are open. */
static int beside(int (*work)(void)) {
	pid_t pid = child(work);
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

/* Users take all that they get; root is served, the helper for keys, and an administrator. */
static int crowd(void) {
	struct aaa_account a;

	for (uid_t i = 0; i < 8; i++)
		WANT(hold(OTHER_UID + i, 20) == 16);
	WANT(hold(OTHER_UID + 8, 1) == 0);
	WANT(beside(ask_as_user) == 0);
	WANT(beside(ask_as_administrator) == 0);
	WANT(hold(AAA_UID_MIN + 1, 20) == 16);
	WANT(hold(KEYS_UID, 50) == 50);
	WANT(aaa_client_uid(path, AAA_UID_MIN + 1, &a) == AAA_OK);
	return 0;
}

START_TEST(test_crowd) {
	ck_assert_int_eq(serve(child(crowd)), 0);
	ck_assert_int_eq(serve(child(ask_as_user)), 0);
	ck_assert_int_eq(serve(child(ask_all)), 0);
}
END_TEST

static int ask_other_group(void) {
	char text[AAA_KEYS_MAX + 1];
	struct aaa_account a;

	WANT(aaa_client_name(path, "bob", &a) == AAA_CLIENT_AWAY);
	WANT(aaa_client_account(path, &bob, &a) == AAA_CLIENT_AWAY);
	WANT(aaa_client_keys(path, "bob", text, sizeof(text)) == AAA_OK);
	return 0;
}

/* A daemon gives no group that it has not, whatever it says. */
START_TEST(test_other_group) {
	ck_assert_int_eq(serve(child(ask_other_group)), 0);
}
END_TEST

/* What is too long, empty, or no request ends the connection. */
static int garbage(void) {
	static const size_t sizes[] = { 1, 2, 100, AAA_REQUEST_MAX, AAA_REQUEST_MAX + 1, 30000 };
	uint8_t packet[30000];

	memset(packet, 0x41, sizeof(packet));
	packet[0] = AAA_VERSION;
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		uint8_t answer[64];
		int fd = dial();

		WANT(fd >= 0);
		WANT(send(fd, packet, sizes[i], MSG_NOSIGNAL) == (ssize_t)sizes[i]);
		WANT(recv(fd, answer, sizeof(answer), 0) <= 0);
		close(fd);
	}
	return 0;
}

START_TEST(test_garbage) {
	ck_assert_int_eq(serve(child(garbage)), 0);
	ck_assert_int_eq(serve(child(ask_all)), 0);
}
END_TEST

static unsigned int open_files(void) {
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	ck_assert_ptr_nonnull(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

/* Who asks and hangs up before the answer leaves nothing behind. */
static int impatient(void) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, AAA_VERSION);
	buf_put_u8(&b, AAA_AUTH);
	buf_put_u8(&b, AAA_SSH);
	buf_put_str(&b, "bob");
	buf_put_str(&b, "10.0.0.1");
	buf_put_str(&b, "");
	buf_put_str(&b, "wrong");
	for (int i = 0; i < 3; i++) {
		int fd = dial();

		WANT(fd >= 0 && send(fd, b.data, b.len, MSG_NOSIGNAL) == (ssize_t)b.len);
		close(fd);
	}
	return 0;
}

START_TEST(test_impatient) {
	unsigned int before = open_files();
	struct aaa_account a;

	ck_assert_int_eq(serve(child(impatient)), 0);
	while (aaa_hashes(aaa) < 3)
		event_base_loop(base, EVLOOP_ONCE);
	/* Hanging up makes no guess free. */
	ck_assert_int_eq(aaa_account(aaa, &bob, &a), AAA_DENIED);
	for (int i = 0; i < TURNS; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(open_files(), before);
}
END_TEST

static Suite *aaa_server_suite(void) {
	Suite *s = suite_create("aaa_server");
	TCase *t = fixture_case(s, "aaa_server");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_client);
	tcase_add_test(t, test_user);
	tcase_add_test(t, test_signals);
	tcase_add_test(t, test_listen);
	tcase_add_test(t, test_not_asked);
	tcase_add_test(t, test_many_at_once);
	tcase_add_test(t, test_crowd);
	tcase_add_test(t, test_garbage);
	tcase_add_test(t, test_impatient);
	t = fixture_case(s, "other group");
	tcase_add_checked_fixture(t, setup_other_group, teardown);
	tcase_add_test(t, test_other_group);
	return s;
}

int main(void) {
	return fixture_run(aaa_server_suite());
}
