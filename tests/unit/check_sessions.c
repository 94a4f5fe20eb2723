/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's table as replication has it. Changes, many at once: what is deleted is what was
 * meant, in the order in which it was said; what is refused comes back with all it held. What
 * others do is heard, what is written here is not. A walk waits for room and always ends. Each test
 * has a network namespace of its own.
 */
#include "sync/sessions.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/ct_writer.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define COPY UINT64_C(1)
#define MANY 200                       /* more than wait at once */

static struct event_base *base;
static struct sessions *sessions;
static char settings[] = "/tmp/check_sessions.XXXXXX";     /* of a table that there is not */

static void complain(void *arg, int priority, const char *text) {
	(void)arg;
	ck_abort_msg("%d: %s", priority, text);
}

/* Labels are kept only while a rule reads one. */
static void setup(void) {
	struct sessions_config config = { .log = complain };
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

static void set_limit(const char *name, unsigned int value) {
	AUTO_FREE char *path = xasprintf("/proc/sys/net/netfilter/nf_conntrack_%s", name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "%u\n", value), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* What the kernel of this namespace gives a state; of other protocols nothing is known. */
START_TEST(test_timeout) {
	struct ct ct = entry(1, 0);

	set_limit("tcp_timeout_established", 4321);
	set_limit("tcp_timeout_close", 17);
	ck_assert_uint_eq(sessions_timeout(sessions, &ct), 4321);
	ct.state = TCP_CONNTRACK_CLOSE;
	ck_assert_uint_eq(sessions_timeout(sessions, &ct), 17);
	ct.state = 200;
	ck_assert_uint_eq(sessions_timeout(sessions, &ct), 0);
	ct.state = TCP_CONNTRACK_CLOSE;
	ct.proto = IPPROTO_SCTP;
	ck_assert_uint_eq(sessions_timeout(sessions, &ct), 0);
}
END_TEST

static void set_number(const char *name, unsigned int value) {
	AUTO_FREE char *path = xasprintf("%s/nf_conntrack_%s", settings, name);
	FILE *file = fopen(path, "w");

	ck_assert_ptr_nonnull(file);
	ck_assert_int_gt(fprintf(file, "%u\n", value), 0);
	ck_assert_int_eq(fclose(file), 0);
}

/* What was made since the table was looked at counts as well. */
START_TEST(test_full) {
	const struct sessions_config config = { .base = base, .log = complain,
						.settings = settings };
	AUTO_FREE char *remove = NULL;
	struct err err = { 0 };

	ck_assert(!sessions_is_full(sessions));
	ck_assert_ptr_nonnull(mkdtemp(settings));
	for (unsigned int i = 0; i < 3; i++) {
		sessions_free(sessions);
		sessions = sessions_new(&config, &err);
		ck_assert_ptr_nonnull(sessions);
		if (i > 0) {
			set_number("count", i == 1 ? 900 : 901);
			set_number("max", 1000);
		}
		ck_assert_uint_eq(sessions_is_full(sessions), i == 2);
	}
	set_number("count", 900);
	sessions_free(sessions);
	sessions = sessions_new(&config, &err);
	ck_assert(!sessions_is_full(sessions));
	for (uint16_t i = 1; i < MANY && !sessions_is_full(sessions); i++)
		create(i, copy_of(i));
	ck_assert(sessions_is_full(sessions));
	remove = xasprintf("rm -r %s", settings);
	ck_assert_int_eq(system(remove), 0);
}
END_TEST

/* ---- who is served ---- */

static struct ct_writer *other;        /* another program */
static unsigned int n_events, n_expected, n_overruns, n_entries, n_ends, n_flushes;
static enum fgsp_event last_event;
static struct ct last;
static bool room, whole, calling;

/* What has failed, and how often it is to be tried once more. */
static struct fgsp_change failed[MANY];
static int errors[MANY];
static unsigned int n_failed, tries;

static void on_event(void *arg, enum fgsp_event what, const struct ct *ct) {
	ck_assert_ptr_eq(arg, &sessions);
	n_events++;
	last_event = what;
	last = *ct;
}

static void on_expect(void *arg, const struct ct_expect *expect) {
	(void)arg;
	(void)expect;
	n_expected++;
}

static void on_overrun(void *arg) {
	(void)arg;
	n_overruns++;
}

static bool has_room(void *arg) {
	(void)arg;
	return room;
}

static void on_entry(void *arg, const struct ct *ct) {
	(void)arg;
	n_entries += ct->proto == IPPROTO_TCP;
}

static void on_end(void *arg, bool all) {
	ck_assert_ptr_eq(arg, &sessions);
	n_ends++;
	whole = all;
}

static void on_failed(void *arg, const struct fgsp_change *change, int error) {
	(void)arg;
	ck_assert(!calling);
	ck_assert_uint_lt(n_failed, MANY);
	calling = true;
	failed[n_failed] = *change;
	errors[n_failed++] = error;
	if (tries > 0) {
		tries--;
		create(change->ct.tuple[CT_ORIG].sport, copy_of(1));
	}
	calling = false;
}

static void on_flush(void *arg) {
	(void)arg;
	n_flushes++;
}

static void on_refused(void *arg, const struct ct_change *change, int error) {
	(void)arg;
	(void)change;
	ck_abort_msg("refused: %s", strerror(error));
}

static const struct sessions_calls calls = { &sessions, on_event, on_expect, on_overrun, has_room,
					     on_entry,	on_end,	  on_failed, on_flush };

static void serve_setup(void) {
	struct err err = { 0 };

	setup();
	ck_assert_int_eq(system("sysctl -qw net.netfilter.nf_conntrack_events=1"), 0);
	other = ct_writer_open(on_refused, NULL, &err);
	ck_assert_msg(other != NULL, "%s", err.text);
	ck_assert_msg(sessions_serve(sessions, &calls, &err) == 0, "%s", err.text);
	room = true;
}

static void serve_teardown(void) {
	ct_writer_close(other);
	teardown();
}

static void by_other(enum ct_write what, uint16_t port, uint64_t label) {
	const struct ct_change change = { .what = what, .ct = entry(port, label) };

	ct_write(other, &change);
	ct_writer_flush(other);
}

#define UNTIL(condition)                                    \
	do {                                                \
		while (!(condition))                        \
			event_base_loop(base, EVLOOP_ONCE); \
	} while (0)

/* More than a batch of them, of which every tenth is there already. */
START_TEST(test_refused) {
	for (uint16_t i = 0; i < MANY; i += 10)
		by_other(CT_WRITE_CREATE, 1000 + i, 0);
	for (uint16_t i = 0; i < MANY; i++) {
		const struct fgsp_change c = { .what = FGSP_CREATE,
					       .whole = i % 20 == 0,
					       .cookie = UINT32_MAX - i,
					       .ct = entry(1000 + i, copy_of(7)) };

		sessions_write(sessions, &c);
	}
	sessions_flush(sessions);
	ck_assert_uint_eq(n_failed, MANY / 10);
	for (unsigned int i = 0; i < n_failed; i++) {
		ck_assert_int_eq(errors[i], EEXIST);
		ck_assert_int_eq(failed[i].what, FGSP_CREATE);
		ck_assert_int_eq(failed[i].whole, i % 2 == 0);
		ck_assert_uint_eq(failed[i].cookie, UINT32_MAX - 10 * i);
		ck_assert_uint_eq(failed[i].ct.tuple[CT_ORIG].sport, 1000 + 10 * i);
		ck_assert_uint_eq(failed[i].ct.label[0], copy_of(7));
	}
	ck_assert_uint_eq(label_of(1000), 0);
	ck_assert_uint_eq(label_of(1001), copy_of(7));
}
END_TEST

START_TEST(test_refused_update) {
	const struct fgsp_change c = { .what = FGSP_UPDATE,
				       .fields = FGSP_LABEL | FGSP_MARK,
				       .label_mask = { 3, 4 },
				       .ct = entry(9, 1) };

	sessions_write(sessions, &c);
	sessions_flush(sessions);
	ck_assert_uint_eq(n_failed, 1);
	ck_assert_int_eq(errors[0], ENOENT);
	ck_assert_int_eq(failed[0].what, FGSP_UPDATE);
	ck_assert_uint_eq(failed[0].fields, FGSP_LABEL | FGSP_MARK);
	ck_assert_uint_eq(failed[0].label_mask[1], 4);
	/* An end of what is not there, or not meant, is none. */
	delete(9, 9);
	sessions_flush(sessions);
	ck_assert_uint_eq(n_failed, 1);
}
END_TEST

/* What follows a failure and fails as well comes back: for some time, then with the next flush. */
START_TEST(test_refused_again) {
	by_other(CT_WRITE_CREATE, 1, 0);
	tries = 3;
	create(1, copy_of(1));
	sessions_flush(sessions);
	ck_assert_uint_eq(n_failed, 4);
	ck_assert_uint_eq(n_flushes, 5);
	tries = 20;
	create(1, copy_of(1));
	sessions_flush(sessions);
	ck_assert_uint_gt(tries, 0);
	for (int i = 0; i < 20; i++)
		sessions_flush(sessions);
	ck_assert_uint_eq(tries, 0);
	ck_assert_uint_eq(n_failed, 4 + 21);
}
END_TEST

START_TEST(test_heard) {
	create(1, 0);
	sessions_flush(sessions);
	by_other(CT_WRITE_CREATE, 2, 0x55);
	UNTIL(n_events > 0);
	ck_assert_int_eq(last_event, FGSP_NEW);
	ck_assert_uint_eq(last.tuple[CT_ORIG].sport, 2);
	ck_assert_uint_eq(last.label[0], 0x55);
	ck_assert_uint_eq(n_flushes, 2);
	by_other(CT_WRITE_DELETE, 2, 0);
	UNTIL(n_events > 1);
	ck_assert_int_eq(last_event, FGSP_GONE);
	delete(1, 0);
	sessions_flush(sessions);
	by_other(CT_WRITE_CREATE, 3, 0);
	UNTIL(last_event == FGSP_NEW);
	ck_assert_uint_eq(n_events, 3);
	/* Nobody is served, nobody is told. */
	ck_assert_int_eq(sessions_serve(sessions, NULL, NULL), 0);
	by_other(CT_WRITE_CREATE, 4, 0);
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(n_events, 3);
	ck_assert_uint_eq(n_overruns + n_expected, 0);
}
END_TEST

/* What the kernel ends by itself; whoever looks for what has timed out finds nothing there. */
START_TEST(test_expired) {
	struct ct_change change = { .what = CT_WRITE_CREATE, .ct = entry(1, 0) };

	change.ct.timeout = 1;
	ct_write(other, &change);
	ct_writer_flush(other);
	while (is_there(1))
		event_base_loop(base, EVLOOP_NONBLOCK);
	UNTIL(n_events == 2);
	ck_assert_int_eq(last_event, FGSP_EXPIRED);
	ck_assert_uint_eq(last.tuple[CT_ORIG].sport, 1);
}
END_TEST

/* The buffer is as small as the kernel makes it: most of these find no room. */
START_TEST(test_overrun) {
	const struct sessions_config config = { .base = base, .event_buffer = 1, .log = complain };
	struct sessions *small = sessions_new(&config, NULL);

	ck_assert_int_eq(sessions_serve(sessions, NULL, NULL), 0);
	ck_assert_int_eq(sessions_serve(small, &calls, NULL), 0);
	for (uint16_t i = 1; i <= MANY; i++)
		by_other(CT_WRITE_CREATE, i, 0);
	UNTIL(n_overruns > 0);
	ck_assert_uint_lt(n_events, MANY);
	sessions_free(small);
}
END_TEST

static void fill(void) {
	for (uint16_t i = 1; i <= 3 * MANY; i++)
		create(i, 0);
	sessions_flush(sessions);
}

START_TEST(test_walk) {
	fill();
	for (unsigned int n = 1; n <= 2; n++) {
		n_entries = 0;
		room = false;
		sessions_walk(sessions);
		sessions_walk(sessions); /* one at a time */
		for (int i = 0; i < 3; i++)
			event_base_loop(base, EVLOOP_ONCE);
		ck_assert_uint_eq(n_entries, 0);
		room = true;
		UNTIL(n_ends == n);
		ck_assert(whole);
		ck_assert_uint_eq(n_entries, 3 * MANY);
	}
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(n_ends, 2);
}
END_TEST

/* Who is served no more hears of the end of his walk; then there can be another. */
START_TEST(test_walk_broken_off) {
	fill();
	room = false;
	sessions_walk(sessions);
	event_base_loop(base, EVLOOP_ONCE);
	ck_assert_int_eq(sessions_serve(sessions, NULL, NULL), 0);
	ck_assert_uint_eq(n_ends, 1);
	ck_assert(!whole);
	ck_assert_int_eq(sessions_serve(sessions, NULL, NULL), 0);
	ck_assert_uint_eq(n_ends, 1);
	ck_assert_int_eq(sessions_serve(sessions, &calls, NULL), 0);
	room = true;
	sessions_walk(sessions);
	UNTIL(n_ends == 2);
	ck_assert(whole);
	ck_assert_uint_eq(n_entries, 3 * MANY);
}
END_TEST

static Suite *sessions_suite(void) {
	Suite *s = suite_create("sessions");
	TCase *tc = fixture_case(s, "kernel"), *served;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_not_meant);
	tcase_add_test(tc, test_order);
	tcase_add_test(tc, test_read);
	tcase_add_test(tc, test_timeout);
	tcase_add_test(tc, test_full);
	served = fixture_case(s, "served");
	tcase_add_checked_fixture(served, serve_setup, serve_teardown);
	tcase_add_test(served, test_refused);
	tcase_add_test(served, test_refused_update);
	tcase_add_test(served, test_refused_again);
	tcase_add_test(served, test_heard);
	tcase_add_test(served, test_expired);
	tcase_add_test(served, test_overrun);
	tcase_add_test(served, test_walk);
	tcase_add_test(served, test_walk_broken_off);
	return s;
}

int main(void) {
	return fixture_run(sessions_suite());
}
