/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A command at a terminal at which nobody types. Seconds are sent by the test, many at a time; the
 * few that pass meanwhile do not matter.
 */
#include "cli/idle.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "tests/lib/fixture.h"

#define LIMIT 2000
#define MOST  1900     /* of them: real seconds have room */

static int master;
static volatile sig_atomic_t interrupts;

static void on_interrupt(int sig) {
	(void)sig;
	interrupts++;
}

static void setup(void) {
	struct termios raw;
	int terminal;

	ck_assert_int_eq(setpgid(0, 0), 0);
	signal(SIGINT, on_interrupt);
	interrupts = 0;
	master = posix_openpt(O_RDWR | O_NOCTTY);
	ck_assert(master >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
	ck_assert_int_eq(tcgetattr(terminal, &raw), 0);
	cfmakeraw(&raw);
	ck_assert_int_eq(tcsetattr(terminal, TCSANOW, &raw), 0);
	ck_assert_int_eq(dup2(terminal, STDIN_FILENO), STDIN_FILENO);
	close(terminal);
}

static void seconds(int n) {
	while (n-- > 0)
		ck_assert_int_eq(raise(SIGALRM), 0);
}

static void type(const char *key) {
	struct pollfd ready = { .fd = STDIN_FILENO, .events = POLLIN };

	ck_assert_int_eq(write(master, key, 1), 1);
	ck_assert_int_eq(poll(&ready, 1, -1), 1);
}

START_TEST(test_nobody_types) {
	idle_begin(LIMIT);
	seconds(MOST);
	ck_assert_int_eq(interrupts, 0);
	seconds(LIMIT);
	ck_assert_int_eq(interrupts, 1);
	ck_assert(idle_end());
}
END_TEST

/* A key that waits, one more, and one that is read at once: each begins the time anew. */
START_TEST(test_somebody_types) {
	char key;

	type("a");
	idle_begin(LIMIT);
	seconds(MOST);
	type("b");
	seconds(MOST);
	ck_assert_int_eq(read(STDIN_FILENO, &key, 1), 1);
	idle_touch();
	seconds(MOST);
	idle_touch();
	seconds(MOST);
	ck_assert_int_eq(interrupts, 0);
	ck_assert(!idle_end());
	/* What has been typed before the command does not count. */
	idle_begin(LIMIT);
	seconds(LIMIT);
	ck_assert_int_eq(interrupts, 1);
	ck_assert(idle_end());
}
END_TEST

START_TEST(test_no_limit) {
	idle_begin(0);
	ck_assert(!idle_end());
	idle_begin(LIMIT);
	seconds(MOST);
	ck_assert(!idle_end());
	idle_begin(0);
	seconds(LIMIT);
	ck_assert(!idle_end());
	ck_assert_int_eq(interrupts, 0);
}
END_TEST

static Suite *idle_suite(void) {
	Suite *s = suite_create("idle");
	TCase *t = fixture_case(s, "idle");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_test(t, test_nobody_types);
	tcase_add_test(t, test_somebody_types);
	tcase_add_test(t, test_no_limit);
	return s;
}

int main(void) {
	return fixture_run(idle_suite());
}
