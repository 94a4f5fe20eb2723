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

static Suite *hostile_suite(void) {
	Suite *s = suite_create("fgsp hostile");
	TCase *t = fixture_case(s, "hostile");

	tcase_add_loop_test(t, test_no_time_left, 0, ARRAY_LEN(seen));
	return s;
}

int main(void) {
	return fixture_run(hostile_suite());
}
