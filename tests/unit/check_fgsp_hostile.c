/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a member of the group can do that is broken or means harm: it has the key, so what it says
 * arrives. It is believed in what is its own, and in nothing that would end or crowd out the
 * sessions of others.
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "cfgdb/model/schema.h"
#include "schemas/schema_gen.h"
#include "sync/fgsp_impl.h"
#include "tests/lib/fgsp_world.h"
#include "tests/lib/fixture.h"

/* A unit hears a record of another one. */
static void hear(struct world *w, unsigned int unit, unsigned int from, const struct record *r) {
	struct fgsp *f = world_machine(w, unit);
	AUTO_BUF struct buf b = BUF_INIT;

	world_kernel(w, unit);               /* which is told the time */
	record_encode(&b, r);
	ck_assert(fgsp_take(f, &f->member[fgsp_peer_find(f, world_id(w, from))], b.data, b.len));
	world_run(w, 20 * WORLD_MS);
}

static struct print *print_of(const struct world *w, unsigned int unit, unsigned int flow) {
	const struct fgsp *f = world_machine(w, unit);

	return prints_find(f->prints, prints_fp(f->prints, world_session(w, flow)));
}

/* What a member says that its copy of an own session of unit 0 saw, with no time left. */
static const struct {
	uint8_t proto, before, said;         /* states */
	bool untold;                         /* it was not told of this session */
	uint8_t state;                       /* afterwards */
	unsigned int least_s, most_s;        /* that it has then */
} seen[] = {
	{ IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, TCP_CONNTRACK_CLOSE, false,
	  TCP_CONNTRACK_CLOSE, 2, 3 },
	{ IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, TCP_CONNTRACK_TIME_WAIT, false,
	  TCP_CONNTRACK_TIME_WAIT, 7, 8 },
	{ IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, TCP_CONNTRACK_LAST_ACK, false,
	  TCP_CONNTRACK_LAST_ACK, 890, 900 },        /* its time is not known here */
	{ IPPROTO_TCP, TCP_CONNTRACK_SYN_RECV, TCP_CONNTRACK_ESTABLISHED, false,
	  TCP_CONNTRACK_ESTABLISHED, 890, 900 },
	{ IPPROTO_TCP, TCP_CONNTRACK_ESTABLISHED, TCP_CONNTRACK_CLOSE, true,
	  TCP_CONNTRACK_ESTABLISHED, 890, 900 },
	{ IPPROTO_UDP, 0, 0, false, 0, 20, 30 },
};

START_TEST(test_no_time_left) {
	struct world *w = world_group(3, 0);
	struct fgsp *f = world_machine(w, 0);
	unsigned int flow = world_open(w, 0, seen[_i].proto, true);
	struct record r = { .type = RECORD_UPDATE, .from_copy = true,
			    .ct = *world_session(w, flow) };
	const struct kernel_entry *e;

	world_packet(w, flow, 0, PACKET_REPLY);
	if (seen[_i].before == TCP_CONNTRACK_ESTABLISHED)
		world_packet(w, flow, 0, PACKET_DATA);
	world_run(w, WORLD_S);
	ck_assert_uint_eq(world_entry(w, 0, flow)->ct.state, seen[_i].before);
	r.serial = print_of(w, 0, flow)->serial;
	r.ct.state = seen[_i].said;
	r.ct.status = IPS_SEEN_REPLY | IPS_ASSURED;
	if (seen[_i].untold)
		fgsp_session_untell(f, print_of(w, 0, flow),
				    (uint16_t)(1u << fgsp_peer_find(f, world_id(w, 1))));
	hear(w, 0, 1, &r);
	e = world_entry(w, 0, flow);
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->ct.state, seen[_i].state);
	ck_assert_uint_ge((e->expires_us - world_now(w)) / WORLD_S, seen[_i].least_s);
	ck_assert_uint_le((e->expires_us - world_now(w)) / WORLD_S, seen[_i].most_s);
	/* The third one hears the same. */
	ck_assert_uint_eq(world_entry(w, 2, flow)->ct.state, seen[_i].state);
	ck_assert_uint_ge((world_entry(w, 2, flow)->expires_us - world_now(w)) / WORLD_S,
			  SESSION_COPY_GRACE_S + seen[_i].least_s);
	world_free(w);
}
END_TEST

/* ---- replies that were there before the copy ---- */

/*
 * Requests come to unit 0 and replies to unit 1, which takes them for a session of its own and, if
 * unit 0 translates, translates them in another way. Neither has heard of the other one's.
 */
static const struct {
	bool nat;
	bool reply_first;                    /* that one began before: it is the request */
	bool answered[2];                    /* session of unit 0, session of unit 1 */
	int owner;                           /* of what is left; -1: both stay */
} replies[] = {
	{ true, false, { false, false }, 0 },
	{ true, true, { false, false }, -1 },        /* the request is no reply to it */
	{ true, false, { true, false }, 0 },
	{ true, true, { true, false }, 0 },
	{ true, false, { false, true }, -1 },
	{ false, false, { false, false }, 0 },
	{ false, true, { false, false }, 1 },
	{ false, true, { true, false }, 0 },
	{ false, false, { false, true }, 1 },
	{ false, false, { true, true }, -1 },
};

static void begin_reply(struct world *w, const struct ct *reply, bool answered) {
	struct kernel *k = world_kernel(w, 1);

	ck_assert_int_eq(kernel_packet(k, reply, PACKET_OPEN), PACKET_NEW);
	if (answered)
		ck_assert_int_eq(kernel_packet(k, reply, PACKET_REPLY), PACKET_PASSED);
	world_run(w, 50 * WORLD_MS);
}

START_TEST(test_reply_before_copy) {
	struct world *w = world_group(2, 0);
	struct ct reply = { .family = AF_INET, .proto = IPPROTO_UDP, .status = IPS_CONFIRMED };
	const struct kernel_entry *e[2];
	unsigned int flow;
	int owner = replies[_i].owner;
	bool nat = replies[_i].nat;

	/* To what world_open() makes first: from 10.1.0.0 port 10000. */
	reply.tuple[CT_ORIG] = (struct ct_tuple){
		.src = net_ipv4(nat ? 0xac100001u : 0x14000001u), .sport = nat ? 22 : 65022,
		.dst = net_ipv4(0x0a010000u), .dport = 10000 };
	reply.tuple[CT_REPLY] = (struct ct_tuple){
		.src = net_ipv4(0x0a010000u), .sport = 10000,
		.dst = net_ipv4(nat ? 0xc0000201u : 0x14000001u), .dport = nat ? 22 : 65022 };
	world_connect(w, 0, 1, false);
	if (replies[_i].reply_first)
		begin_reply(w, &reply, replies[_i].answered[1]);
	flow = world_open(w, 0, IPPROTO_UDP, nat);
	ck_assert_mem_eq(&world_session(w, flow)->tuple[CT_REPLY], &reply.tuple[CT_ORIG],
			 sizeof(reply.tuple[CT_ORIG]));
	if (replies[_i].answered[0])
		world_packet(w, flow, 0, PACKET_REPLY);
	world_run(w, 50 * WORLD_MS);
	if (!replies[_i].reply_first)
		begin_reply(w, &reply, replies[_i].answered[1]);
	world_connect(w, 0, 1, true);
	world_run(w, 5 * WORLD_S);
	for (unsigned int i = 0; i < 2; i++) {
		e[0] = world_entry(w, i, flow);
		e[1] = kernel_find(world_kernel(w, i), &reply, CT_ORIG);
		ck_assert_uint_eq(e[0] != NULL, owner == 0 || (owner < 0 && i == 0));
		ck_assert_uint_eq(e[1] != NULL, owner == 1 || (owner < 0 && i == 1));
		ck_assert_int_eq(world_owner(w, i, e[0] ? e[0] : e[1]), owner < 0 ? (int)i : owner);
	}
	ck_assert_uint_ge(world_stats(w, 0).clashes + world_stats(w, 1).clashes, 1);
	if (owner >= 0)
		world_settle(w, WORLD_S);
	world_free(w);
}
END_TEST

/* A copy that has no place is tried again, counted, and said once a minute. */
START_TEST(test_no_place) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_open(w, 0, IPPROTO_UDP, true);
	struct ct other = *world_session(w, flow);
	uint64_t warnings = world_warnings(w, 1), clashes;
	struct fgsp_change change = { .what = FGSP_CREATE };

	world_packet(w, flow, 0, PACKET_REPLY);
	other.tuple[CT_ORIG].sport += 1000;
	other.status |= IPS_SEEN_REPLY;
	other.timeout = 1000;
	change.ct = other;
	ck_assert_int_eq(kernel_write(world_kernel(w, 1), &change), 0);
	world_run(w, WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), -1);
	clashes = world_stats(w, 1).clashes;
	ck_assert_uint_ge(clashes, 1);
	for (unsigned int i = 0; i < 18; i++) {
		world_packet(w, flow, 0, PACKET_DATA);
		world_run(w, 10 * WORLD_S);
	}
	ck_assert_uint_gt(world_stats(w, 1).clashes, clashes + 1);
	ck_assert_uint_gt(world_warnings(w, 1), warnings + 1);
	ck_assert_uint_le(world_warnings(w, 1), warnings + 4);
	kernel_delete(world_kernel(w, 1), kernel_find(world_kernel(w, 1), &other, CT_ORIG), false);
	for (unsigned int i = 0; i < 9; i++) {
		world_packet(w, flow, 0, PACKET_DATA);
		world_run(w, 10 * WORLD_S);
	}
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	world_free(w);
}
END_TEST

/* ---- a table that is filled ---- */

/* No session lives for longer than its owner could have been told to let it. */
START_TEST(test_long_life) {
	const struct schema_table *t = schema_table(TBL_SYSTEM_SESSION_TTL);
	const uint32_t most = (uint32_t)t->attrs[SYSTEM_SESSION_TTL__DEFAULT].max;
	struct world *w = world_group(2, 0);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	struct record r = { .type = _i ? RECORD_UPDATE : RECORD_CREATE,
			    .ct = *world_session(w, flow) };
	const struct kernel_entry *e;
	uint64_t left_s;

	world_run(w, WORLD_S);
	r.serial = print_of(w, 1, flow)->serial;
	r.ct.state = TCP_CONNTRACK_ESTABLISHED;
	r.ct.timeout = 0xffffff;
	hear(w, 1, 0, &r);
	e = world_entry(w, 1, flow);
	left_s = (e->expires_us - world_now(w)) / WORLD_S;
	ck_assert_uint_ge(left_s, most + SESSION_COPY_GRACE_S - 1);
	ck_assert_uint_le(left_s, most + SESSION_COPY_GRACE_S);
	world_free(w);
}
END_TEST

/* The last tenth of the table is for own sessions; copies that are there go on. */
START_TEST(test_full) {
	struct world *w = world_group(2, 0);
	uint64_t warnings = world_warnings(w, 1);
	unsigned int own;

	world_kernel(w, 1)->max = 40;
	for (unsigned int i = 0; i < 60; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 40 * WORLD_S);
	ck_assert_uint_eq(world_kernel(w, 1)->n_entries, 37);
	ck_assert_uint_eq(world_stats(w, 1).copies, 37);
	ck_assert_uint_ge(world_stats(w, 1).no_room, 23);
	ck_assert_uint_eq(world_warnings(w, 1), warnings + 1);
	own = world_establish(w, 1, IPPROTO_TCP, true);
	kernel_mark(world_kernel(w, 0), world_entry(w, 0, 0), 99);
	world_run(w, WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, own), 1);
	ck_assert_uint_eq(world_entry(w, 1, 0)->ct.mark, 99);
	world_kernel(w, 1)->max = KERNEL_ENTRIES;
	world_settle(w, 60 * WORLD_S);
	world_free(w);
}
END_TEST

static Suite *hostile_suite(void) {
	Suite *s = suite_create("fgsp hostile");
	TCase *t = fixture_case(s, "hostile");

	tcase_add_loop_test(t, test_no_time_left, 0, ARRAY_LEN(seen));
	tcase_add_loop_test(t, test_reply_before_copy, 0, ARRAY_LEN(replies));
	tcase_add_test(t, test_no_place);
	tcase_add_loop_test(t, test_long_life, 0, 2);
	tcase_add_test(t, test_full);
	return s;
}

int main(void) {
	return fixture_run(hostile_suite());
}
