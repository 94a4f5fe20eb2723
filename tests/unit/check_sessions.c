/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes of the kernel's table as replication makes them, many at once: what is deleted is what
 * was meant, in the order in which it was said. Each test has a network namespace of its own.
 */
#include "sync/sessions.h"

#include <event2/event.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define COPY UINT64_C(1)
#define MANY 200                       /* more than wait at once */

static struct event_base *base;
static struct sessions *sessions;

static uint64_t no_time(void) {
	return 0;
}

static void complain(void *arg, int priority, const char *text) {
	(void)arg;
	ck_abort_msg("%d: %s", priority, text);
}

/* Labels are kept only while a rule reads one. */
static void setup(void) {
	struct sessions_config config = { .now_us = no_time, .log = complain };
	struct err err = { 0 };

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	ck_assert_int_eq(system("nft -f - <<'END'\n"
				"table inet t {\n"
				"chain f { type filter hook forward priority 0; ct label 0 counter; }\n"
				"}\nEND"),
			 0);
	config.base = base = event_base_new();
	sessions = sessions_new(&config, &err);
	ck_assert_msg(sessions != NULL, "%s", err.text);
}

static void teardown(void) {
	sessions_free(sessions);
	event_base_free(base);
}

static struct ct entry(uint16_t port, uint64_t label) {
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP, .timeout = 3000,
			 .state = TCP_CONNTRACK_ESTABLISHED,
			 .status = IPS_SEEN_REPLY | IPS_ASSURED, .label = { label } };
	union net_addr client = net_ipv4(0x0a000001), server = net_ipv4(0x0a010001);

	ct.tuple[CT_ORIG] = (struct ct_tuple){ client, server, port, 80, 0 };
	ct.tuple[CT_REPLY] = (struct ct_tuple){ server, client, 80, port, 0 };
	return ct;
}

static uint64_t copy_of(uint32_t serial) {
	return COPY | (uint64_t)serial << 32;
}

static void create(uint16_t port, uint64_t label) {
	const struct fgsp_change c = { .what = FGSP_CREATE, .ct = entry(port, label) };

	sessions_write(sessions, &c);
}

/* Delete the copy with this serial, and no other. */
static void delete(uint16_t port, uint32_t serial) {
	const struct fgsp_change c = { .what = FGSP_DELETE,
				       .ct = entry(port, copy_of(serial)),
				       .label_mask = { COPY | UINT64_C(0xffffffff) << 32 } };

	sessions_write(sessions, &c);
}

/* The label of the entry; 0 also when there is none. */
static uint64_t label_of(uint16_t port) {
	struct ct ct = entry(port, 0);

	return sessions_get(sessions, &ct) ? ct.label[0] : 0;
}

static bool is_there(uint16_t port) {
	struct ct ct = entry(port, 0);

	return sessions_get(sessions, &ct);
}

START_TEST(test_many) {
	for (uint16_t i = 1; i <= MANY; i++)
		create(i, copy_of(i));
	sessions_flush(sessions);
	for (uint16_t i = 1; i <= MANY; i++) {
		delete(i, i);
		if (i % 3 == 0)
			create((uint16_t)(1000 + i), copy_of(i));
	}
	sessions_flush(sessions);
	for (uint16_t i = 1; i <= MANY; i++) {
		ck_assert(!is_there(i));
		ck_assert_uint_eq(label_of((uint16_t)(1000 + i)), i % 3 ? 0 : copy_of(i));
	}
}
END_TEST

/* Neither an own session nor another copy in the place of one that is to be deleted. */
START_TEST(test_not_meant) {
	create(1, copy_of(1));
	create(2, 0);
	create(3, copy_of(33));
	create(4, copy_of(4));
	sessions_flush(sessions);
	for (uint16_t i = 1; i <= 5; i++)
		delete(i, i);
	sessions_flush(sessions);
	ck_assert(!is_there(1));
	ck_assert(is_there(2));
	ck_assert_uint_eq(label_of(3), copy_of(33));
	ck_assert(!is_there(4));
}
END_TEST

/* What was read of an entry does not stand when it has changed since, in the same batch. */
START_TEST(test_order) {
	create(1, copy_of(1));
	create(2, copy_of(2));
	create(3, copy_of(3));
	sessions_flush(sessions);
	delete(1, 1);
	create(1, copy_of(11));
	delete(1, 11);
	delete(2, 2);
	create(2, copy_of(2));
	delete(2, 2);
	delete(3, 3);
	create(3, copy_of(13));
	delete(3, 3);
	create(4, copy_of(4));
	delete(4, 4);
	sessions_flush(sessions);
	ck_assert(!is_there(1));
	ck_assert(!is_there(2));
	ck_assert_uint_eq(label_of(3), copy_of(13));
	ck_assert(!is_there(4));
}
END_TEST

/* Whoever reads sees what was written before. */
START_TEST(test_read) {
	create(1, copy_of(1));
	ck_assert_uint_eq(label_of(1), copy_of(1));
	delete(1, 1);
	ck_assert(!is_there(1));
}
END_TEST

static Suite *sessions_suite(void) {
	Suite *s = suite_create("sessions");
	TCase *tc = fixture_case(s, "kernel");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_not_meant);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_read);
	return s;
}

int main(void) {
	return fixture_run(sessions_suite());
}
