/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines to syslog: what the local daemon and a server get; daemons that are stuck, gone, restarted;
 * servers that refuse.
 */
#include "cfgdb/logs/logsend.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define LOCAL7 23
#define LINE "date=2026-11-22 time=10:00:00 eventtime=1 tz=\"+0000\" action=\"deny\""

static char *path;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	path = xasprintf("%s/log", dir);
}

static void teardown(void) {
	free(path);
}

/* The syslog daemon's end. */
static int local_daemon(void) {
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	unlink(path);
	strcpy(un.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	return fd;
}

/* A server on a port of its own; *port is it. */
static int server(int family, uint16_t *port) {
	struct sockaddr_in in4 = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr *addr = family == AF_INET ? (void *)&in4 : (void *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in4) : sizeof(in6);
	int fd = socket(family, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	ck_assert_int_eq(bind(fd, addr, len), 0);
	ck_assert_int_eq(getsockname(fd, addr, &len), 0);
	*port = ntohs(family == AF_INET ? in4.sin_port : in6.sin6_port);
	return fd;
}

static struct logsend *sender(const char *to, uint16_t port) {
	const struct logsend_target target = { to, port, LOCAL7, "fw \"1\"", "GHVM0000000001" };
	struct logsend *s = logsend_new(path);

	logsend_to(s, &target);
	return s;
}

static void send_one(struct logsend *s) {
	logsend_line(s, LOGTEXT_NOTICE, LINE, strlen(LINE));
}

/* The next datagram, "" when there is none; the caller frees it. */
static char *received(int fd) {
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char *text = xcalloc(1, 8192);

	if (poll(&p, 1, 200) == 1)
		ck_assert_int_gt(recv(fd, text, 8191, 0), 0);
	return text;
}

START_TEST(test_local) {
	int fd = local_daemon();
	struct logsend *s = sender("", 514);
	AUTO_FREE char *text = NULL;
	char month[4];
	int day, hour, minute, second, end = 0;

	send_one(s);
	text = received(fd);
	ck_assert_msg(sscanf(text, "<189>%3s %d %d:%d:%d gatehoused: %n", month, &day, &hour,
			     &minute, &second, &end) == 5 && end > 0, "%s", text);
	ck_assert_str_eq(text + end, LINE);
	ck_assert_uint_eq(logsend_lost(s), 0);
	logsend_free(s);
	close(fd);
}
END_TEST

START_TEST(test_server) {
	uint16_t port;
	int fd = server(_i ? AF_INET6 : AF_INET, &port);
	struct logsend *s = sender(_i ? "::1" : "127.0.0.1", port);
	AUTO_FREE char *text = NULL;

	send_one(s);
	text = received(fd);
	ck_assert_str_eq(text, "<189>date=2026-11-22 time=10:00:00 devname=\"fw '1'\" "
			       "devid=\"GHVM0000000001\" eventtime=1 tz=\"+0000\" action=\"deny\"");
	ck_assert_uint_eq(logsend_lost(s), 0);
	logsend_free(s);
	close(fd);
}
END_TEST

START_TEST(test_priority) {
	const struct logsend_target target = { "", 514, 0, "", "" };
	int fd = local_daemon();
	struct logsend *s = logsend_new(path);
	AUTO_FREE char *text = NULL;

	logsend_line(s, LOGTEXT_ERROR, LINE, strlen(LINE)); /* nowhere yet: not lost either */
	ck_assert_uint_eq(logsend_lost(s), 0);
	logsend_to(s, &target);
	logsend_line(s, LOGTEXT_ERROR, LINE, strlen(LINE));
	text = received(fd);
	ck_assert_msg(strncmp(text, "<3>", 3) == 0, "%s", text);
	logsend_to(s, NULL);
	send_one(s);
	free(text);
	text = received(fd);
	ck_assert_str_eq(text, "");
	logsend_free(s);
	close(fd);
}
END_TEST

/* A daemon that does not read holds nobody up: what does not fit is counted. */
START_TEST(test_stuck) {
	const unsigned int many = 20000;
	int fd = local_daemon();
	struct logsend *s = sender("", 514);
	unsigned int n = 0;
	char data[8192];

	for (unsigned int i = 0; i < many; i++)
		send_one(s);
	while (recv(fd, data, sizeof(data), 0) > 0)
		n++;
	ck_assert_uint_gt(n, 0);
	ck_assert_uint_lt(n, many);
	ck_assert_uint_eq(logsend_lost(s), many - n);
	send_one(s);
	ck_assert_uint_eq(logsend_lost(s), 0);
	logsend_free(s);
	close(fd);
}
END_TEST

/* Polls: the daemon is looked for at most once a second. */
static bool comes_back(struct logsend *s, int fd) {
	const struct timespec pause = { .tv_nsec = 100 * 1000 * 1000 };

	for (int i = 0; i < 100; i++) {
		AUTO_FREE char *text = NULL;

		send_one(s);
		text = received(fd);
		if (*text)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}

START_TEST(test_restarted) {
	struct logsend *s = sender("", 514);
	int fd;

	send_one(s); /* nobody is there yet */
	ck_assert_uint_eq(logsend_lost(s), 1);
	fd = local_daemon();
	ck_assert(comes_back(s, fd));
	close(fd);
	unlink(path);
	fd = local_daemon();
	logsend_lost(s);
	ck_assert(comes_back(s, fd));
	logsend_free(s);
	close(fd);
}
END_TEST

/* A server that refuses, and is there again. */
START_TEST(test_refused) {
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	uint16_t port;
	int fd = server(AF_INET, &port);
	struct logsend *s = sender("127.0.0.1", port);

	close(fd);
	for (int i = 0; i < 5; i++)
		send_one(s);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	in.sin_port = htons(port);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof(in)), 0);
	ck_assert(comes_back(s, fd));
	logsend_free(s);
	close(fd);
}
END_TEST

/* A name is not looked up: nothing is sent, and so nothing is lost. */
START_TEST(test_no_address) {
	int fd = local_daemon();
	struct logsend *s = sender("localhost", 514);
	AUTO_FREE char *text = NULL;

	ck_assert(!logsend_is_address("localhost"));
	ck_assert(logsend_is_address("192.0.2.1"));
	ck_assert(logsend_is_address("2001:db8::1"));
	send_one(s);
	text = received(fd);
	ck_assert_str_eq(text, "");
	ck_assert_uint_eq(logsend_lost(s), 0);
	logsend_free(s);
	close(fd);
}
END_TEST

static Suite *logsend_suite(void) {
	Suite *s = suite_create("logsend");
	TCase *t = fixture_case(s, "logsend");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_local);
	tcase_add_loop_test(t, test_server, 0, 2);
	tcase_add_test(t, test_priority);
	tcase_add_test(t, test_stuck);
	tcase_add_test(t, test_restarted);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_no_address);
	return s;
}

int main(void) {
	return fixture_run(logsend_suite());
}
