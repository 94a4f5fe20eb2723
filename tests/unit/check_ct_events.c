/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions that begin and end: joining ranges of marks, and what the kernel tells of sessions with
 * these marks, in a network namespace of our own.
 */
#include "backends/ct_events.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define MARKS_MAX 16
#define HIGHEST 4294967294u
#define FOUR { { 1, 1 }, { 10, 10 }, { 12, 12 }, { 30, 30 } }

/* ---- ranges ---- */

static const struct {
	struct ct_marks marks[MARKS_MAX];
	size_t n, max, kept;
	struct ct_marks wanted[MARKS_MAX];
} joins[] = {
	{ { { 0, 0 } }, 0, 4, 0, { { 0, 0 } } },
	{ { { 5, 5 } }, 1, 4, 1, { { 5, 5 } } },
	{ { { 1, 1 }, { 2, 2 }, { 3, 3 } }, 3, 4, 1, { { 1, 3 } } },
	{ { { 1, 1 }, { 3, 3 }, { 4, 9 } }, 3, 4, 2, { { 1, 1 }, { 3, 9 } } },
	{ FOUR, 4, 3, 3, { { 1, 1 }, { 10, 12 }, { 30, 30 } } },
	{ FOUR, 4, 2, 2, { { 1, 12 }, { 30, 30 } } },
	{ FOUR, 4, 1, 1, { { 1, 30 } } },
	{ { { 1, 1 }, { HIGHEST, HIGHEST } }, 2, 2, 2, { { 1, 1 }, { HIGHEST, HIGHEST } } },
};

START_TEST(test_join) {
	struct ct_marks marks[MARKS_MAX];

	memcpy(marks, joins[_i].marks, sizeof(marks));
	ck_assert_uint_eq(ct_marks_join(marks, joins[_i].n, joins[_i].max), joins[_i].kept);
	ck_assert_mem_eq(marks, joins[_i].wanted, joins[_i].kept * sizeof(*marks));
}
END_TEST

/* ---- the kernel ---- */

/* A session is as many as its destination port is marked. */
static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	ck_assert_int_eq(system("ip link set lo up && sysctl -qw net.netfilter.nf_conntrack_acct=1 "
				"net.netfilter.nf_conntrack_timestamp=1 net.netfilter.nf_conntrack_events=1 && "
				"nft -f - <<'END'\n"
				"table ip t {\nmap m {\ntype inet_service : mark\n"
				"elements = { 1000 : 1000, 1001 : 1001, 1002 : 1002, 1003 : 1003, 1004 : 1004, "
				"5000 : 0xfffffffe }\n}\n"
				"chain o {\ntype filter hook output priority 0\n"
				"ct state new ct mark set udp dport map @m\n}\n}\nEND"),
			 0);
}

static struct ct_events *opened(void) {
	struct err err = { 0 };
	struct ct_events *e = ct_events_open(&err);

	ck_assert_msg(e, "%s", err.text);
	return e;
}

static void listen_to(struct ct_events *e, const struct ct_marks *marks, size_t n, bool begins) {
	struct err err = { 0 };

	ck_assert_msg(ct_events_listen(e, marks, n, begins, &err) == 0, "%s", err.text);
}

static void send_to(uint16_t port) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr = { htonl(INADDR_LOOPBACK) } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	ck_assert_int_eq(sendto(fd, "hello", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	close(fd);
}

/* One session to each port, which then ends. */
static void some_sessions(void) {
	static const uint16_t ports[] = { 1000, 1001, 1002, 1003, 1004, 5000, 6000 };

	for (size_t i = 0; i < ARRAY_LEN(ports); i++)
		send_to(ports[i]);
	ck_assert_int_eq(system("conntrack -D -p udp >/dev/null 2>&1"), 0);
}

struct heard {
	unsigned int begins[8], ends[8]; /* marks 1000 to 1004, the highest, none */
	struct ct last;
	uint32_t by;
};

static void hear(void *arg, enum ct_event event, const struct ct *ct, uint32_t by) {
	struct heard *h = arg;
	unsigned int i = 6;

	if (ct->mark >= 1000 && ct->mark < 1005)
		i = ct->mark - 1000;
	else if (ct->mark == HIGHEST)
		i = 5;

	if (event == CT_BEGINS)
		h->begins[i]++;
	else
		h->ends[i]++;
	h->last = *ct;
	h->by = by;
}

static bool read_all(struct ct_events *e, struct heard *h) {
	struct pollfd p = { .fd = ct_events_fd(e), .events = POLLIN };
	bool lost = false;

	while (poll(&p, 1, 200) == 1)
		lost |= ct_events_read(e, hear, h);
	return lost;
}

static void assert_heard(const unsigned int got[], const unsigned int wanted[]) {
	for (int i = 0; i < 7; i++)
		ck_assert_msg(got[i] == wanted[i], "sessions %d: %u", i, got[i]);
}

START_TEST(test_marks) {
	const struct ct_marks marks[] = { { 1001, 1002 }, { 1004, 1004 }, { HIGHEST, HIGHEST } };
	const unsigned int wanted[] = { 0, 1, 1, 0, 1, 1, 0 }, none[] = { 0, 0, 0, 0, 0, 0, 0 };
	struct heard h = { .by = 0 };
	struct ct_events *e;

	own_namespace();
	e = opened();
	listen_to(e, marks, ARRAY_LEN(marks), true);
	some_sessions();
	ck_assert(!read_all(e, &h));
	assert_heard(h.begins, wanted);
	assert_heard(h.ends, wanted);
	listen_to(e, marks, ARRAY_LEN(marks), false);
	h = (struct heard){ .by = 0 };
	some_sessions();
	ck_assert(!read_all(e, &h));
	assert_heard(h.begins, none);
	assert_heard(h.ends, wanted);
	listen_to(e, NULL, 0, true);
	h = (struct heard){ .by = 0 };
	some_sessions();
	ck_assert(!read_all(e, &h));
	assert_heard(h.begins, none);
	assert_heard(h.ends, none);
	ct_events_close(e);
}
END_TEST

/* What an end tells: figures, times, and who ended it. */
START_TEST(test_end) {
	const struct ct_marks marks[] = { { 1003, 1003 } };
	struct heard h = { .by = 0 };
	struct ct_events *e;

	own_namespace();
	e = opened();
	listen_to(e, marks, 1, false);
	some_sessions();
	read_all(e, &h);
	ck_assert_uint_eq(h.ends[3], 1);
	ck_assert_uint_eq(h.last.mark, 1003);
	ck_assert_uint_eq(h.last.count[CT_ORIG].packets, 1);
	ck_assert_uint_eq(h.last.count[CT_ORIG].bytes, 33);
	ck_assert_uint_eq(h.last.tuple[CT_ORIG].dport, 1003);
	ck_assert_uint_gt(h.last.start_ns, 0);
	ck_assert_uint_ge(h.last.stop_ns, h.last.start_ns);
	ck_assert_uint_ne(h.last.id, 0);
	ck_assert_uint_ne(h.by, 0);
	ct_events_close(e);
}
END_TEST

/* More ranges than the filter holds: none is missed. */
START_TEST(test_many_ranges) {
	struct ct_marks marks[500];
	struct heard h = { .by = 0 };
	struct ct_events *e;

	for (uint32_t i = 0; i < 500; i++) /* every second mark, among them 1000, 1002 and 1004 */
		marks[i] = (struct ct_marks){ 6 + 2 * i, 6 + 2 * i };
	own_namespace();
	e = opened();
	listen_to(e, marks, 500, false);
	some_sessions();
	read_all(e, &h);
	ck_assert_uint_eq(h.ends[0] + h.ends[2] + h.ends[4], 3);
	ck_assert_uint_eq(h.ends[5], 0);
	ck_assert_uint_eq(h.ends[6], 0);
	ct_events_close(e);
}
END_TEST

/* Nobody reads: that is told once somebody does, and it goes on. */
START_TEST(test_overrun) {
	const struct ct_marks marks[] = { { 1000, 1000 } };
	struct heard h = { .by = 0 };
	struct ct_events *e;
	int size = 1, rc;

	own_namespace();
	e = opened();
	rc = setsockopt(ct_events_fd(e), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	ck_assert_int_eq(rc, 0);
	listen_to(e, marks, 1, true);
	for (int i = 0; i < 200; i++)
		send_to(1000);
	ck_assert(read_all(e, &h));
	ck_assert_uint_lt(h.begins[0], 200);
	h = (struct heard){ .by = 0 };
	send_to(1000);
	ck_assert(!read_all(e, &h));
	ck_assert_uint_eq(h.begins[0], 1);
	ct_events_close(e);
}
END_TEST

static Suite *ct_events_suite(void) {
	Suite *s = suite_create("ct_events");
	TCase *t = fixture_case(s, "ct_events");

	tcase_add_loop_test(t, test_join, 0, ARRAY_LEN(joins));
	tcase_add_test(t, test_marks);
	tcase_add_test(t, test_end);
	tcase_add_test(t, test_many_ranges);
	tcase_add_test(t, test_overrun);
	return s;
}

int main(void) {
	return fixture_run(ct_events_suite());
}
