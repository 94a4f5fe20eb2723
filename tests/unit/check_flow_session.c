/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions of traced packets, found in the kernel's connection tracking, each test in a network
 * namespace of its own. Entries are made with conntrack(8).
 */
#include "backends/flow_session.h"

#include <check.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "backends/session.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define CLIENT 0xcb007150      /* 203.0.113.80 */
#define OUTSIDE 0x14960c5b     /* 20.150.12.91 */
#define SERVER 0xac10890f      /* 172.16.137.15 */

static struct ct_netlink *nl;

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void setup(void) {
	struct err err = { 0 };

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("conntrack -I -p tcp -s 203.0.113.80 -d 20.150.12.91 --sport 1000 --dport 443 "
	    "-g 172.16.137.15 --state ESTABLISHED -t 60 -m 7 2>/dev/null");
	run("conntrack -I -p icmp -s 203.0.113.80 -d 20.150.12.91 --icmp-type 8 --icmp-code 0 "
	    "--icmp-id 99 -t 60 2>/dev/null");
	nl = ct_open(&err);
	ck_assert_msg(nl, "%s", err.text);
}

static void teardown(void) {
	ct_close(nl);
}

/* Packets of these entries, in both directions. */
static const struct flow_header tcp[2] = {
	{ .src = CLIENT, .dst = OUTSIDE, .proto = IPPROTO_TCP, .sport = 1000, .dport = 443 },
	{ .src = SERVER, .dst = CLIENT, .proto = IPPROTO_TCP, .sport = 443, .dport = 1000 },
};

static const struct flow_header icmp[2] = {
	{ .src = CLIENT, .dst = OUTSIDE, .proto = IPPROTO_ICMP, .icmp_type = ICMP_ECHO,
	  .echo_id = 99 },
	{ .src = OUTSIDE, .dst = CLIENT, .proto = IPPROTO_ICMP, .icmp_type = ICMP_ECHOREPLY,
	  .echo_id = 99 },
};

static struct flow_packet packet(const struct flow_header *h, enum flow_state state) {
	return (struct flow_packet){ .state = state, .received = *h };
}

/* The entry of that TCP session as connection tracking has it. */
static struct ct entry(void) {
	struct err err = { 0 };
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP };

	ct.tuple[CT_ORIG] = (struct ct_tuple){ net_ipv4(CLIENT), net_ipv4(OUTSIDE), 1000, 443, 0 };
	ck_assert_msg(ct_get(nl, &ct, &err) == 0, "%s", err.text);
	return ct;
}

/* Both directions are the same session; it has the number that listings show, and its policy. */
START_TEST(test_directions) {
	const struct ct ct = entry();
	struct flow_packet p = packet(&tcp[0], FLOW_ORIGINAL);
	struct flow_session s = { 0 }, reply = { 0 };

	ck_assert(flow_session_find(nl, &p, &s));
	ck_assert_uint_eq(s.serial, session_serial(&ct));
	ck_assert(s.has_policy);
	ck_assert_uint_eq(s.policy, 7);
	p = packet(&tcp[1], FLOW_REPLY);
	ck_assert(flow_session_find(nl, &p, &reply));
	ck_assert_uint_eq(reply.serial, s.serial);

	p = packet(&icmp[0], FLOW_NEW);
	ck_assert(flow_session_find(nl, &p, &s));
	ck_assert_uint_ne(s.serial, reply.serial);
	ck_assert(!s.has_policy);
	p = packet(&icmp[1], FLOW_REPLY);
	ck_assert(flow_session_find(nl, &p, &reply));
	ck_assert_uint_eq(reply.serial, s.serial);
}
END_TEST

/* Another entry in the place of a packet's own is not taken for it. */
START_TEST(test_replaced) {
	const struct ct ct = entry();
	struct flow_packet p = packet(&tcp[1], FLOW_REPLY);
	struct flow_session s = { 0 };

	p.has_ct = true;
	p.ct_id = ct.id;
	ck_assert(flow_session_find(nl, &p, &s));
	p.ct_id = ct.id + 1;
	ck_assert(!flow_session_find(nl, &p, &s));
	p = packet(&tcp[0], FLOW_NEW);
	p.has_ct = true;
	p.ct_id = ct.id + 1;
	ck_assert(flow_session_find(nl, &p, &s));
	ck_assert_uint_ne(s.serial, session_serial(&ct));
	ck_assert(!s.has_policy);
}
END_TEST

/* A session without an entry has the number that it would have had, if the kernel told its id. */
START_TEST(test_dropped) {
	const struct ct ct = entry();
	struct flow_packet p = packet(&tcp[0], FLOW_NEW);
	struct flow_session s = { 0 };

	run("conntrack -D -p tcp >/dev/null 2>&1");
	ck_assert(!flow_session_find(nl, &p, &s));
	p.has_ct = true;
	p.ct_id = ct.id;
	ck_assert(flow_session_find(nl, &p, &s));
	ck_assert_uint_eq(s.serial, session_serial(&ct));
	ck_assert(!s.has_policy);
	p.state = FLOW_ORIGINAL; /* it may have been copied here, with a number of its own */
	ck_assert(!flow_session_find(nl, &p, &s));
}
END_TEST

/* What connection tracking does not follow has no session, whatever there is besides. */
START_TEST(test_none) {
	static const enum flow_state states[] = { FLOW_INVALID, FLOW_UNTRACKED };
	struct flow_header error = icmp[0];
	struct flow_session s;
	struct flow_packet p;

	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		p = packet(&tcp[0], states[i]);
		ck_assert(!flow_session_find(nl, &p, &s));
	}
	/* An error about a session has the id of its entry, but neither of its tuples. */
	error.icmp_type = ICMP_DEST_UNREACH;
	p = packet(&error, FLOW_ORIGINAL);
	p.has_ct = true;
	p.ct_id = entry().id;
	ck_assert(!flow_session_find(nl, &p, &s));
}
END_TEST

static Suite *session_suite(void) {
	Suite *s = suite_create("flow_session");
	TCase *t = tcase_create("sessions");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_directions);
	tcase_add_test(t, test_replaced);
	tcase_add_test(t, test_dropped);
	tcase_add_test(t, test_none);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(session_suite());
}
