/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * check runs each test in a process of its own, so namespaces without a name are enough: they are
 * held by descriptors and go away with the process.
 */
#include "tests/lib/pair.h"

#include <arpa/inet.h>
#include <check.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE_S 60
#define PAUSE_US 200

struct event_base *pair_base[2];
static int namespace[2];

void pair_enter(unsigned int unit) {
	ck_assert_int_eq(setns(namespace[unit], CLONE_NEWNET), 0);
}

void pair_run(unsigned int unit, const char *command) {
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), namespace[!unit]);
	ck_assert_int_eq(setenv("other_ns", path, 1), 0);
	pair_enter(unit);
	ck_assert_msg(system(command) == 0, "%s", command);
}

void pair_setup(void) {
	for (unsigned int i = 0; i < 2; i++) {
		ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
		namespace[i] = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		ck_assert_int_ge(namespace[i], 0);
		pair_base[i] = event_base_new();
		ck_assert_ptr_nonnull(pair_base[i]);
	}
	pair_run(1, "ip link set lo up && ip link add v1 type veth peer name v0 && "
		    "ip link set v0 netns $other_ns && ip addr add 10.9.0.2/24 dev v1 && "
		    "ip link set v1 up");
	pair_run(0, "ip link set lo up && ip addr add 10.9.0.1/24 dev v0 && ip link set v0 up");
}

void pair_teardown(void) {
	for (unsigned int i = 0; i < 2; i++) {
		event_base_free(pair_base[i]);
		close(namespace[i]);
	}
}

void pair_turn(void) {
	for (unsigned int i = 0; i < 2; i++) {
		pair_enter(i);
		ck_assert_int_ge(event_base_loop(pair_base[i], EVLOOP_NONBLOCK), 0);
	}
}

void pair_until(bool (*done)(void)) {
	time_t end = time(NULL) + PATIENCE_S;

	for (;;) {
		pair_turn();
		if (done())
			return;
		ck_assert_msg(time(NULL) < end, "what was waited for did not happen");
		usleep(PAUSE_US);
	}
}

union net_addr pair_ip(const char *text) {
	union net_addr ip;

	ck_assert_msg(net_parse(AF_INET, text, &ip), "%s", text);
	return ip;
}
