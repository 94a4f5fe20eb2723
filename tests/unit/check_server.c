/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who connects to the control socket: one user, and all users together, take a share of it, are
 * told when that is used up, and leave the rest to root.
 */
#include "cfgdb/control/server.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/control/client.h"
#include "tests/lib/fixture.h"
#include "tests/lib/served.h"

#define USER 5000           /* the first of some that have nothing but the group of the socket */
#define OF_ONE 64
#define OF_ALL 192

static struct served unit;
static const char *name;   /* of its socket */

static void setup(void) {
	signal(SIGPIPE, SIG_IGN); /* as the shell does */
	served_init(&unit);
	/* From within: what is above may be closed to others. */
	ck_assert_int_eq(chmod(unit.dir, 0755), 0);
	ck_assert_int_eq(chdir(unit.dir), 0);
	name = strrchr(unit.path, '/') + 1;
}

static void teardown(void) {
	served_done(&unit);
}

/* Connections that say nothing, and stay. */
static void hold(uid_t uid, unsigned int n) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	ck_assert_uint_lt(strlen(name), sizeof(addr.sun_path));
	strcpy(addr.sun_path, name);
	ck_assert_int_eq(seteuid(uid), 0);
	for (unsigned int i = 0; i < n; i++) {
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);

		ck_assert_int_eq(connect(fd, (const struct sockaddr *)&addr, sizeof(addr)), 0);
	}
	ck_assert_int_eq(seteuid(0), 0);
}

static struct client *open_as(uid_t uid, struct err *err) {
	struct client *client;

	ck_assert_int_eq(seteuid(uid), 0);
	client = client_open(name, err);
	ck_assert_int_eq(seteuid(0), 0);
	return client;
}

static void no_room(uid_t uid) {
	struct err err = { 0 };

	ck_assert_ptr_null(open_as(uid, &err));
	ck_assert_int_eq(err.code, ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text, "too many sessions are open: end one");
}

/* Who is no administrator is told that, once he has a place. */
static void room(uid_t uid) {
	struct err err = { 0 };
	struct client *client = open_as(uid, &err);

	ck_assert_msg(client != NULL || (uid != 0 && err.code == ERR_PERMISSION), "%s", err.text);
	client_close(client);
}

START_TEST(test_one_user) {
	hold(USER, OF_ONE);
	no_room(USER);
	room(USER + 1);
	room(0);
}
END_TEST

START_TEST(test_all_users) {
	for (uid_t i = 0; i < OF_ALL / OF_ONE; i++)
		hold(USER + i, OF_ONE);
	no_room(USER + OF_ALL);
	hold(0, OF_ONE - 1);
	room(0);
}
END_TEST

static Suite *server_suite(void) {
	Suite *s = suite_create("server");
	TCase *t = fixture_case(s, "places");

	if (geteuid() != 0)
		return s;
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_one_user);
	tcase_add_test(t, test_all_users);
	return s;
}

int main(void) {
	return fixture_run(server_suite());
}
