/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conversations with the kernel that do not come to their end: answers that are lost (a filter on
 * the socket drops them), dumps of what changes meanwhile. None waits, and the next one is as good
 * as ever.
 */
#include "backends/rtnl.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)
#define LINKS 64 /* more than one message of a dump holds */

static struct rtnl *rtnl;
static int fd; /* of its socket */

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* A network namespace of its own, with many links. */
static void setup(void) {
	struct err err = { 0 };

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("for i in $(seq 1 " TEXT_OF(
		LINKS) "); do echo link add d$i type bridge; done | ip -batch -");
	fd = open("/dev/null", O_RDONLY); /* the number that the socket will have */
	close(fd);
	rtnl = rtnl_open(&err);
	ck_assert_msg(rtnl != NULL, "%s", err.text);
}

static void teardown(void) {
	rtnl_close(rtnl);
}

static void lose_answers(void) {
	struct sock_filter drop = { .code = BPF_RET | BPF_K, .k = 0 };
	struct sock_fprog all = { .len = 1, .filter = &drop };

	ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &all, sizeof(all)), 0);
}

static int set_mtu(int index) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifinfomsg *ifi;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_NEWLINK, 0, sizeof(*ifi), &header);

	ifi = header;
	ifi->ifi_index = index;
	mnl_attr_put_u32(nlh, IFLA_MTU, 1400);
	return rtnl_talk(rtnl, nlh);
}

static void assert_usable(void) {
	struct links links;

	ck_assert_int_eq(links_read(rtnl, &links), 0);
	ck_assert_uint_ge(links.n, LINKS);
	links_done(&links);
	ck_assert_int_eq(set_mtu(1), 0);
}

START_TEST(test_lost_answer) {
	assert_usable();
	lose_answers();
	ck_assert_int_eq(set_mtu(1), ENODATA);
	assert_usable();
}
END_TEST

START_TEST(test_lost_dump) {
	struct links links;

	lose_answers();
	ck_assert_int_eq(links_read(rtnl, &links), ENODATA);
	assert_usable();
}
END_TEST

START_TEST(test_refusal) {
	ck_assert_int_eq(set_mtu(999999), ENODEV);
	assert_usable();
}
END_TEST

static int change_links(const struct nlmsghdr *nlh, void *arg) {
	bool *changed = arg;

	(void)nlh;
	if (!*changed)
		run("ip link delete d1");
	*changed = true;
	return MNL_CB_OK;
}

START_TEST(test_dump_of_what_changes) {
	bool changed = false;

	ck_assert_int_eq(rtnl_dump(rtnl, RTM_GETLINK, AF_UNSPEC, change_links, &changed), EINTR);
	assert_usable();
}
END_TEST

static int give_up(const struct nlmsghdr *nlh, void *arg) {
	(void)nlh;
	(void)arg;
	errno = ECANCELED;
	return MNL_CB_ERROR;
}

START_TEST(test_dump_given_up) {
	ck_assert_int_eq(rtnl_dump(rtnl, RTM_GETLINK, AF_UNSPEC, give_up, NULL), ECANCELED);
	assert_usable();
}
END_TEST

/* Links come and go all the time: they are read as they were at one moment. */
START_TEST(test_restless) {
	pid_t pid = fork();

	if (pid == 0) {
		setpgid(0, 0);
		execlp("sh", "sh", "-c",
		       "while echo link add x type bridge; echo link delete x; do :; done | ip -batch -",
		       NULL);
		_exit(127);
	}
	setpgid(pid, pid);
	for (int i = 0; i < 100; i++) {
		struct links links;

		ck_assert_int_eq(links_read(rtnl, &links), 0);
		ck_assert_uint_ge(links.n, LINKS + 1); /* the loopback */
		ck_assert_uint_le(links.n, LINKS + 2);
		links_done(&links);
	}
	kill(-pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}
END_TEST

int main(void) {
	Suite *s = suite_create("rtnl");
	TCase *t = tcase_create("rtnl");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_lost_answer);
	tcase_add_test(t, test_lost_dump);
	tcase_add_test(t, test_refusal);
	tcase_add_test(t, test_dump_of_what_changes);
	tcase_add_test(t, test_dump_given_up);
	tcase_add_test(t, test_restless);
	suite_add_tcase(s, t);
	return fixture_run(s);
}
