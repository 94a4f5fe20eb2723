/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Replication of sessions, one situation at a time, in a simulated group of units. */
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
/* After <netinet/in.h>, which it would contradict. */
#include <linux/netfilter/nf_conntrack_sctp.h>
#include <stdio.h>
#include <string.h>

#include "backends/session.h"
#include "sync/fgsp_impl.h"
#include "tests/lib/fgsp_world.h"
#include "tests/lib/fixture.h"

#define NS_PER_MS 1000000u

/* ---- what is told ---- */

START_TEST(test_create_update_delete) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_open(w, 0, IPPROTO_TCP, true);
	struct kernel_entry *copy;
	struct ct own;

	world_run(w, 20 * WORLD_MS);
	world_packet(w, flow, 0, PACKET_REPLY);
	world_run(w, 20 * WORLD_MS);
	world_packet(w, flow, 0, PACKET_DATA);
	world_run(w, 20 * WORLD_MS);
	own = world_entry(w, 0, flow)->ct;
	copy = world_entry(w, 1, flow);
	ck_assert_ptr_nonnull(copy);
	ck_assert_uint_eq(session_label(&copy->ct, SESSION_LABEL_COPY, 1), 1);
	ck_assert_uint_eq(session_label(&copy->ct, SESSION_LABEL_SEEN, 1), 0);
	ck_assert_uint_eq(session_label(&copy->ct, SESSION_LABEL_OWNER, 16), world_id(w, 0));
	ck_assert_uint_eq(session_serial(&copy->ct), session_serial(&own));
	/* An event does not tell it: it counts from when that was heard. */
	ck_assert_uint_ge(fgsp_session_start(&copy->ct), own.start_ns / NS_PER_MS * NS_PER_MS);
	ck_assert_uint_lt(fgsp_session_start(&copy->ct), own.start_ns + 100 * NS_PER_MS);
	ck_assert_uint_eq(copy->ct.state, TCP_CONNTRACK_ESTABLISHED);
	ck_assert_uint_eq(copy->ct.status & (IPS_SEEN_REPLY | IPS_ASSURED),
			  IPS_SEEN_REPLY | IPS_ASSURED);
	ck_assert_uint_eq((copy->expires_us - world_now(w) + WORLD_S / 2) / WORLD_S,
			  900 + SESSION_COPY_GRACE_S);
	world_packet(w, flow, 0, PACKET_RESET);
	world_run(w, 5 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 0, flow), -1);
	ck_assert_int_eq(world_owner_at(w, 1, flow), -1);
	ck_assert_uint_eq(world_stats(w, 0).sent.create, 1);
	ck_assert_uint_eq(world_stats(w, 0).sent.update, 3);
	ck_assert_uint_eq(world_stats(w, 0).sent.delete, 1);
	ck_assert_uint_eq(world_stats(w, 1).received.create, 1);
	ck_assert_uint_eq(world_stats(w, 1).received.update, 3);
	ck_assert_uint_eq(world_stats(w, 1).received.delete, 1);
	ck_assert_uint_eq(world_stats(w, 1).own + world_stats(w, 1).copies, 0);
	world_free(w);
}
END_TEST

/* What happens within one batch of events is told once, or not at all. */
START_TEST(test_coalescing) {
	struct world *w = world_group(2, 0);
	struct kernel_entry *e;
	unsigned int flow;

	world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 20 * WORLD_MS);
	ck_assert_uint_eq(world_stats(w, 0).sent.create, 1);
	ck_assert_uint_eq(world_stats(w, 0).sent.update, 0);
	flow = world_establish(w, 0, IPPROTO_TCP, true);
	e = world_entry(w, 0, flow);
	kernel_delete(world_kernel(w, 0), e, false);
	world_run(w, 20 * WORLD_MS);
	ck_assert_uint_eq(world_stats(w, 0).sent.create, 1);
	ck_assert_uint_eq(world_stats(w, 0).sent.delete, 0);
	world_settle(w, 2 * WORLD_S);
	world_free(w);
}
END_TEST

static const struct {
	uint8_t proto;
	bool nat, tcp, others, with_nat, told;
} switches[] = {
	{ IPPROTO_TCP, false, true, false, false, true },
	{ IPPROTO_TCP, false, false, true, true, false },
	{ IPPROTO_TCP, true, true, false, false, false },
	{ IPPROTO_TCP, true, true, false, true, true },
	{ IPPROTO_UDP, false, true, false, true, false },
	{ IPPROTO_UDP, false, false, true, false, true },
	{ IPPROTO_UDP, true, false, true, true, true },
};

START_TEST(test_switches) {
	struct world *w = world_group(2, 0);
	struct cluster *c = world_cluster(w, 0);
	unsigned int flow;

	c->tcp = switches[_i].tcp;
	c->others = switches[_i].others;
	c->nat = switches[_i].with_nat;
	world_configure(w, 0);
	flow = world_establish(w, 0, switches[_i].proto, switches[_i].nat);
	world_run(w, WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), switches[_i].told ? 0 : -1);
	c->tcp = c->others = c->nat = true;
	world_configure(w, 0);
	world_run(w, WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	c->tcp = c->others = false;
	world_configure(w, 0);
	world_run(w, WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), -1);
	world_free(w);
}
END_TEST

/* A filter is of one peer: sessions 0 and 3 come by "two", session 1 by "one". */
START_TEST(test_filter) {
	struct world *w = world_group(3, 0);
	struct cluster *c = world_cluster(w, 0);

	snprintf(c->peer[1].srcintf, sizeof(c->peer[1].srcintf), "one");
	c->peer[0].src = (struct cluster_net){ net_ipv4(0x0a010100u), 24 };
	world_configure(w, 0);
	for (unsigned int i = 0; i < 3; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, WORLD_S);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert_int_eq(world_owner_at(w, 1, i), i == 1 ? 0 : -1);
		ck_assert_int_eq(world_owner_at(w, 2, i), i == 1 ? 0 : -1);
	}
	world_settle(w, WORLD_S);
	world_free(w);
}
END_TEST

START_TEST(test_local) {
	struct world *w = world_group(2, 0);
	const union net_addr vip = net_ipv4(0x14000001u);
	unsigned int flow;

	fgsp_locals(world_machine(w, 0), &vip, 1, NULL, 0);
	flow = world_establish(w, 0, IPPROTO_TCP, false);        /* to the VIP itself */
	world_establish(w, 0, IPPROTO_TCP, true);                /* through it */
	world_run(w, WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), -1);
	ck_assert_int_eq(world_owner_at(w, 1, flow + 1), 0);
	world_free(w);
}
END_TEST

START_TEST(test_delay) {
	struct world *w = world_new(&(struct world_options){ .seed = 3, .units = 2,
							     .delay = true });
	unsigned int flow;

	world_run(w, WORLD_START);
	flow = world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, 29 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), -1);
	world_run(w, 32 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	world_free(w);
}
END_TEST

/* A change of nothing but the mark is told, too, and one that was not heard is found. */
START_TEST(test_mark) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);

	world_run(w, WORLD_S);
	kernel_mark(world_kernel(w, 0), world_entry(w, 0, flow), 4711);
	world_packet(w, flow, 0, PACKET_DATA);
	world_run(w, WORLD_S);
	ck_assert_uint_eq(world_entry(w, 1, flow)->ct.mark, 4711);
	ck_assert_uint_eq(world_entry(w, 1, flow)->ct.state, TCP_CONNTRACK_ESTABLISHED);
	ck_assert_uint_eq(fgsp_session_start(&world_entry(w, 1, flow)->ct) / NS_PER_MS,
			  world_entry(w, 0, flow)->ct.start_ns / NS_PER_MS);
	world_entry(w, 0, flow)->ct.mark = 17;
	world_settle(w, 90 * WORLD_S);
	ck_assert_uint_eq(world_entry(w, 1, flow)->ct.mark, 17);
	world_free(w);
}
END_TEST

/* An event of SCTP that is about something else tells neither state nor tags: they stay. */
START_TEST(test_tags) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_open(w, 0, IPPROTO_SCTP, false);
	struct ct *own = &world_entry(w, 0, flow)->ct, event;
	const struct ct *copy;

	world_run(w, 20 * WORLD_MS);
	own->state = SCTP_CONNTRACK_COOKIE_WAIT;
	own->vtag[CT_ORIG] = 11;
	own->vtag[CT_REPLY] = 22;
	for (unsigned int part = 0; part < 2; part++) {
		event = *own;
		if (part)
			event.state = event.vtag[CT_ORIG] = event.vtag[CT_REPLY] = 0;
		fgsp_event(world_machine(w, 0), FGSP_CHANGED, &event, false, world_now(w));
		fgsp_flush(world_machine(w, 0), world_now(w));
		world_run(w, 20 * WORLD_MS);
		copy = &world_entry(w, 1, flow)->ct;
		ck_assert_uint_eq(copy->status & IPS_SEEN_REPLY, own->status & IPS_SEEN_REPLY);
		ck_assert_uint_eq(copy->state, SCTP_CONNTRACK_COOKIE_WAIT);
		ck_assert_uint_eq(copy->vtag[CT_ORIG], 11);
		ck_assert_uint_eq(copy->vtag[CT_REPLY], 22);
		own->status |= IPS_SEEN_REPLY;
	}
	world_free(w);
}
END_TEST

START_TEST(test_expectation) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	const struct ct *master = world_session(w, flow);
	struct ct_expect e = { .family = AF_INET, .proto = IPPROTO_TCP, .timeout = 300,
			       .master_proto = IPPROTO_TCP, .master = master->tuple[CT_ORIG],
			       .tuple = { .src = master->tuple[CT_ORIG].src, .dport = 40000 } };

	world_run(w, WORLD_S);
	fgsp_expect(world_machine(w, 0), &e, world_now(w));
	fgsp_flush(world_machine(w, 0), world_now(w));
	world_run(w, WORLD_S);
	ck_assert_uint_eq(world_kernel(w, 1)->expectations, 1);
	ck_assert_uint_eq(world_stats(w, 0).sent.create_expect, 1);
	ck_assert_uint_eq(world_stats(w, 1).received.create_expect, 1);
	world_cluster(w, 0)->expectation = false;
	world_configure(w, 0);
	fgsp_expect(world_machine(w, 0), &e, world_now(w));
	e.master.sport++;                                        /* of a session nobody knows */
	fgsp_expect(world_machine(w, 1), &e, world_now(w));
	world_run(w, WORLD_S);
	ck_assert_uint_eq(world_kernel(w, 1)->expectations, 1);
	world_free(w);
}
END_TEST

/* ---- time ---- */

/* Traffic at the owner keeps a copy alive, by a question now and then. */
START_TEST(test_query) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_establish(w, 0, IPPROTO_UDP, true);

	for (unsigned int i = 0; i < 60; i++) {
		world_packet(w, flow, 0, PACKET_DATA);
		world_run(w, 10 * WORLD_S);
	}
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	ck_assert_uint_ge(world_stats(w, 0).received.query, 2);
	ck_assert_uint_eq(world_stats(w, 1).sent.query, world_stats(w, 0).received.query);
	ck_assert_uint_lt(world_stats(w, 1).sent.query, 12);
	world_run(w, 90 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), -1);
	world_free(w);
}
END_TEST

/* ---- whose it is ---- */

START_TEST(test_yield) {
	struct world *w = world_group(3, 1);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);

	world_run(w, 2 * WORLD_S);
	ck_assert_int_eq(world_packet(w, flow, 1, PACKET_DATA), PACKET_PASSED);
	world_run(w, 2 * WORLD_S);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(world_owner_at(w, i, flow), 1);
	ck_assert(!world_is_copy(world_entry(w, 1, flow)));
	ck_assert_uint_eq(session_label(&world_entry(w, 1, flow)->ct, SESSION_LABEL_OWNER, 16),
			  world_id(w, 1));
	ck_assert_uint_eq(world_stats(w, 0).yielded, 1);
	world_settle(w, WORLD_S);
	world_packet(w, flow, 1, PACKET_RESET);
	world_run(w, 5 * WORLD_S);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(world_owner_at(w, i, flow), -1);
	world_free(w);
}
END_TEST

/* What a unit takes over and does not allow stays a copy, for its rules to see that. */
START_TEST(test_refused) {
	struct world *w = world_group(2, 1);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	struct ct *copy;

	world_run(w, 2 * WORLD_S);
	world_packet(w, flow, 1, PACKET_DATA);
	world_run(w, 20 * WORLD_MS);
	copy = &world_entry(w, 1, flow)->ct;
	copy->label[0] = (copy->label[0] & ~FGSP_LABEL_SEEN) | 1u << SESSION_LABEL_REFUSED;
	world_run(w, 2 * WORLD_S);
	ck_assert_uint_eq(world_stats(w, 0).yielded, 1);
	ck_assert_int_eq(world_owner_at(w, 0, flow), 1);
	ck_assert(world_is_copy(world_entry(w, 1, flow)));
	world_free(w);
}
END_TEST

/* Under asymmetric traffic the first owner stays, and hears what the other sees. */
START_TEST(test_keep) {
	struct world *w = world_group(2, 1);
	unsigned int flow = world_open(w, 0, IPPROTO_TCP, true);

	world_run(w, 20 * WORLD_MS);
	world_packet(w, flow, 1, PACKET_REPLY);
	world_run(w, 20 * WORLD_MS);
	ck_assert_uint_eq(world_entry(w, 0, flow)->ct.state, TCP_CONNTRACK_SYN_RECV);
	for (unsigned int i = 0; i < 100; i++) {
		world_packet(w, flow, 0, PACKET_DATA);
		world_packet(w, flow, 1, PACKET_ANSWER);
		world_run(w, WORLD_S * 9 / 10);
	}
	ck_assert_int_eq(world_owner_at(w, 0, flow), 0);
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	ck_assert_uint_eq(world_stats(w, 0).yielded, 0);
	world_settle(w, WORLD_S);
	world_free(w);
}
END_TEST

/* The kernel of a unit ends a session by itself, now. */
static void expire(struct world *w, unsigned int unit, unsigned int flow) {
	world_entry(w, unit, flow)->expires_us = world_now(w);
	world_kernel(w, unit)->soonest_us = 0;
	ck_assert_ptr_null(world_entry(w, unit, flow));
}

/* A session ends at its owner, while another unit may be in the middle of its packets. */
static const struct {
	uint8_t proto;
	bool packets;                        /* come to the other one */
	bool keep;                           /* and to the owner, so that it keeps it at first */
	bool walk;                           /* SEEN was taken back since */
	bool by_command, over;               /* it did not time out; its connection was over */
	int owner;                           /* afterwards, -1: it has ended everywhere */
} ends[] = {
	{ IPPROTO_UDP, .owner = -1 },
	{ IPPROTO_UDP, .packets = true, .owner = 1 },
	{ IPPROTO_UDP, .packets = true, .keep = true, .owner = 1 },
	{ IPPROTO_UDP, .packets = true, .keep = true, .walk = true, .owner = 1 },
	{ IPPROTO_UDP, .packets = true, .keep = true, .by_command = true, .owner = -1 },
	{ IPPROTO_UDP, .packets = true, .by_command = true, .owner = -1 },
	{ IPPROTO_TCP, .packets = true, .owner = 1 },
	{ IPPROTO_TCP, .packets = true, .by_command = true, .owner = -1 },
	{ IPPROTO_TCP, .packets = true, .keep = true, .over = true, .owner = -1 },
};

START_TEST(test_end_at_owner) {
	struct world *w = world_group(3, 1);
	unsigned int flow = world_establish(w, 0, ends[_i].proto, true);

	world_run(w, 2 * WORLD_S);
	for (unsigned int i = 0; i < 6 && ends[_i].keep; i++) {
		world_packet(w, flow, 0, PACKET_DATA);
		world_packet(w, flow, 1, PACKET_ANSWER);
		world_run(w, WORLD_S / 2);
	}
	if (ends[_i].walk) {
		fgsp_overrun(world_machine(w, 1), world_now(w));
		world_run(w, WORLD_S / 2);
		ck_assert(!(world_entry(w, 1, flow)->ct.label[0] & FGSP_LABEL_SEEN));
		world_entry(w, 1, flow)->expires_us = world_now(w) + 250 * WORLD_S;
	} else if (ends[_i].packets && !ends[_i].keep) {
		world_packet(w, flow, 1, PACKET_DATA);
		world_run(w, 20 * WORLD_MS);
	}
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	if (ends[_i].over)
		world_packet(w, flow, 0, PACKET_FIN);
	world_run(w, 20 * WORLD_MS);
	if (ends[_i].by_command)
		kernel_delete(world_kernel(w, 0), world_entry(w, 0, flow), false);
	else
		expire(w, 0, flow);
	world_run(w, 20 * WORLD_MS);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_int_eq(world_owner_at(w, i, flow), ends[_i].owner);
	ck_assert_uint_eq(world_stats(w, 1).adopted, ends[_i].owner == 1);
	if (ends[_i].walk)                   /* not for all of the grace of a copy */
		ck_assert_uint_le(world_entry(w, 1, flow)->expires_us,
				  world_now(w) + 120 * WORLD_S);
	world_settle(w, WORLD_S);
	if (ends[_i].owner == 1)
		ck_assert_int_eq(world_packet(w, flow, 1, PACKET_ANSWER), PACKET_PASSED);
	world_free(w);
}
END_TEST

/* Its end is told while the first packet is under way elsewhere, or who asks was not told. */
START_TEST(test_end_unheard) {
	struct world *w = world_group(2, 1);
	unsigned int flow = world_establish(w, 0, IPPROTO_UDP, true);
	struct fgsp *f[2] = { world_machine(w, 0), world_machine(w, 1) };
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r;
	struct print *p;

	world_run(w, 2 * WORLD_S);
	if (_i)
		world_packet(w, flow, 1, PACKET_DATA);
	world_run(w, 20 * WORLD_MS);
	p = prints_find(f[0]->prints, prints_fp(f[0]->prints, world_session(w, flow)));
	r = (struct record){ .type = _i ? RECORD_QUERY : RECORD_DELETE, .serial = p->serial,
			     .expired = !_i, .ct = *world_session(w, flow) };
	record_encode(&b, &r);
	fgsp_session_untell(f[0], p, p->peers);
	prints_remove(f[0]->prints, p);
	expire(w, 0, flow);
	if (!_i)
		world_packet(w, flow, 1, PACKET_DATA);
	ck_assert(fgsp_take(f[!_i], &f[!_i]->member[0], b.data, b.len));
	world_run(w, 100 * WORLD_MS);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert_int_eq(world_owner_at(w, i, flow), 1);
	world_settle(w, WORLD_S);
	world_free(w);
}
END_TEST

/* An owner is lost: each of its sessions has one heir, who takes packets at once. */
START_TEST(test_adoption) {
	struct world *w = world_group(3, 1);
	unsigned int heirs[3] = { 0 };

	for (unsigned int i = 0; i < 40; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, WORLD_S);
	world_stop(w, 0, true);
	world_run(w, 8 * WORLD_S);
	for (unsigned int i = 0; i < 40; i++) {
		int owner = world_owner_at(w, 1, i);

		ck_assert_int_ge(owner, 1);
		ck_assert_int_eq(owner, world_owner_at(w, 2, i));
		ck_assert(world_entry(w, (unsigned int)owner, i)->ct.label[0] & FGSP_LABEL_COPY);
		ck_assert_uint_le((world_entry(w, (unsigned int)owner, i)->expires_us -
				   world_now(w)) / WORLD_S, 900);
		heirs[owner]++;
	}
	ck_assert_uint_gt(heirs[1], 8);
	ck_assert_uint_gt(heirs[2], 8);
	world_settle(w, WORLD_S);
	for (unsigned int i = 0; i < 40; i++)
		ck_assert_int_eq(world_packet(w, i, 1, PACKET_ANSWER), PACKET_PASSED);
	world_run(w, 5 * WORLD_S);
	for (unsigned int i = 0; i < 40; i++)
		ck_assert(!world_is_copy(world_entry(w, 1, i)));
	world_start(w, 0);
	world_settle(w, 20 * WORLD_S);
	for (unsigned int i = 0; i < 40; i++)
		ck_assert_int_eq(world_owner_at(w, 0, i), 1);
	world_free(w);
}
END_TEST

/* Both sides of a partition own a session; who has seen packets stays, else the smaller id. */
START_TEST(test_partition) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	unsigned int ended = world_establish(w, 0, IPPROTO_TCP, true);

	world_run(w, WORLD_S);
	world_connect(w, 0, 1, false);
	world_run(w, 10 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), 1);
	if (_i)                              /* the session moves, at 0 it stays as it was */
		world_packet(w, flow, 1, PACKET_DATA);
	world_packet(w, ended, 0, PACKET_RESET);
	world_run(w, 5 * WORLD_S);
	world_connect(w, 0, 1, true);
	world_settle(w, 30 * WORLD_S);
	if (!_i || world_id(w, 0) < world_id(w, 1))
		ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	else
		ck_assert_int_eq(world_owner_at(w, 0, flow), 1);
	ck_assert_int_eq(world_owner_at(w, 1, ended), -1);
	world_run(w, 20 * WORLD_S);
	for (unsigned int i = 0; i < 2; i++)         /* nothing had to be sent anew */
		ck_assert_uint_eq(world_peer(w, i).resyncs, 1);
	world_free(w);
}
END_TEST

/* Entries of one tuple at two units that did not know of each other: the answered one stays. */
START_TEST(test_same_tuple) {
	struct world *w = world_group(2, 0);
	unsigned int flow, better = (unsigned int)_i;
	uint32_t serial;

	world_connect(w, 0, 1, false);
	flow = world_open(w, 0, IPPROTO_UDP, true);
	world_packet(w, flow, 1, PACKET_DATA);
	world_packet(w, flow, better, PACKET_REPLY);
	serial = session_serial(&world_entry(w, better, flow)->ct);
	world_connect(w, 0, 1, true);
	world_settle(w, 10 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1 - better, flow), (int)better);
	ck_assert_uint_eq(session_serial(&world_entry(w, 1 - better, flow)->ct), serial);
	world_free(w);
}
END_TEST

/* An own session that is not told, because of a switch, is in the place of a copy. */
START_TEST(test_untold_in_the_way) {
	struct world *w = world_group(2, 0);
	bool alive = _i;
	unsigned int flow;
	uint32_t serial;

	world_cluster(w, 1)->others = false;
	world_configure(w, 1);
	world_connect(w, 0, 1, false);
	flow = world_open(w, 1, IPPROTO_UDP, true);
	if (alive)
		world_packet(w, flow, 1, PACKET_REPLY);
	serial = session_serial(&world_entry(w, 1, flow)->ct);
	world_packet(w, flow, 0, PACKET_DATA);
	world_connect(w, 0, 1, true);
	world_run(w, 10 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow),
			 alive || world_id(w, 1) < world_id(w, 0) ? 1 : 0);
	ck_assert(!alive || session_serial(&world_entry(w, 1, flow)->ct) == serial);
	ck_assert_uint_ge(world_stats(w, 1).clashes, 1);
	world_free(w);
}
END_TEST

/* The reply tuple of a copy is taken by a copy of a unit that is lost: that one goes. */
START_TEST(test_reply_clash) {
	struct world *w = world_group(2, 0);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	struct ct other = *world_session(w, flow);
	struct fgsp_change stale = { .what = FGSP_CREATE };

	world_run(w, WORLD_S);
	kernel_delete(world_kernel(w, 1), world_entry(w, 1, flow), false);
	world_run(w, 20 * WORLD_MS);
	other.tuple[CT_ORIG].sport += 1000;
	other.label[0] = FGSP_LABEL_COPY | UINT64_C(9) << SESSION_LABEL_OWNER |
			 UINT64_C(77) << SESSION_LABEL_SERIAL;
	other.timeout = 1000;
	stale.ct = other;
	ck_assert_int_eq(kernel_write(world_kernel(w, 1), &stale), 0);
	kernel_mark(world_kernel(w, 0), world_entry(w, 0, flow), 5);
	world_run(w, WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	ck_assert_ptr_null(kernel_find(world_kernel(w, 1), &other, CT_ORIG));
	ck_assert_uint_eq(world_stats(w, 1).clashes, 1);
	world_free(w);
}
END_TEST

/* ---- what comes late ---- */

/* Events of before a session changed its owner, or went, have no effect. */
START_TEST(test_late_events) {
	struct world *w = world_group(2, 1);
	unsigned int moved = world_establish(w, 0, IPPROTO_TCP, true);
	unsigned int ended = world_establish(w, 0, IPPROTO_TCP, true);
	struct ct before[2], copy;
	struct fgsp_stats stats;

	world_run(w, 2 * WORLD_S);
	before[0] = world_entry(w, 0, moved)->ct;
	before[0].state = TCP_CONNTRACK_FIN_WAIT;
	before[1] = world_entry(w, 0, ended)->ct;
	copy = world_entry(w, 1, ended)->ct;
	copy.label[0] |= FGSP_LABEL_SEEN;
	world_packet(w, moved, 1, PACKET_DATA);
	world_packet(w, ended, 0, PACKET_RESET);
	world_run(w, 8 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 0, moved), 1);
	stats = world_stats(w, 0);
	fgsp_event(world_machine(w, 0), FGSP_CHANGED, &before[0], false, world_now(w));
	fgsp_event(world_machine(w, 0), FGSP_GONE, &before[0], false, world_now(w));
	fgsp_event(world_machine(w, 0), FGSP_CHANGED, &before[1], false, world_now(w));
	fgsp_event(world_machine(w, 1), FGSP_CHANGED, &copy, false, world_now(w));
	world_run(w, 100 * WORLD_MS);
	ck_assert_uint_eq(world_stats(w, 0).copies, 1);
	ck_assert_uint_eq(world_stats(w, 1).copies, 0);
	ck_assert_uint_eq(world_stats(w, 0).sent.create, stats.sent.create);
	ck_assert_uint_eq(world_stats(w, 0).sent.update, stats.sent.update);
	ck_assert_uint_eq(world_stats(w, 1).sent.update, 0);
	world_settle(w, WORLD_S);
	world_free(w);
}
END_TEST

/* A write that fails after others have followed it does not bring back what was before. */
START_TEST(test_late_failures) {
	struct world *w = world_group(2, 1);
	unsigned int flow = world_establish(w, 0, IPPROTO_TCP, true);
	struct fgsp_change failed = { .what = FGSP_UPDATE, .whole = true };

	world_run(w, WORLD_S);
	failed.fields = FGSP_STATE | FGSP_STATUS | FGSP_TIMEOUT | FGSP_LABEL | FGSP_MARK;
	failed.ct = world_entry(w, 1, flow)->ct;
	failed.ct.timeout = 20;
	failed.ct.state = TCP_CONNTRACK_SYN_SENT;
	failed.ct.status &= ~(uint32_t)(IPS_SEEN_REPLY | IPS_ASSURED);
	failed.ct.mark = 3333;
	failed.label_mask[0] = FGSP_LABEL_COPY | FGSP_LABEL_OWNER | FGSP_LABEL_SERIAL;
	fgsp_write_failed(world_machine(w, 1), &failed, EBUSY, world_now(w));
	fgsp_write_failed(world_machine(w, 1), &failed, ENOENT, world_now(w));
	world_run(w, 20 * WORLD_MS);
	ck_assert_int_eq(world_owner_at(w, 1, flow), 0);
	world_settle(w, WORLD_S);
	world_free(w);
}
END_TEST

/* ---- that all come to agree ---- */

/* A daemon that starts anew, its table kept or lost, gets everything by itself. */
START_TEST(test_joining) {
	struct world *w = world_group(2, 1);
	bool lost = _i;

	for (unsigned int i = 0; i < 50; i++)
		world_establish(w, i % 2, IPPROTO_TCP, true);
	world_settle(w, WORLD_S);
	world_stop(w, 1, lost);
	world_packet(w, 0, 0, PACKET_RESET);
	world_run(w, WORLD_S * (lost ? 10 : 1));
	world_start(w, 1);
	ck_assert(!world_ready(w, 1));
	world_run(w, 5 * WORLD_S);
	ck_assert(world_ready(w, 1));
	world_settle(w, 10 * WORLD_S);
	for (unsigned int i = 2; i < 50; i++)
		ck_assert_int_eq(world_owner_at(w, 1, i), lost ? 0 : (int)(i % 2));
	ck_assert_uint_eq(world_peer(w, 1).state, FGSP_PEER_IN_SYNC);
	ck_assert_str_eq(world_peer(w, 0).resync_why, "joining");
	world_free(w);
}
END_TEST

/* What ended while nobody listened is stale, and goes; what ended unheard is found by the walk. */
START_TEST(test_stale) {
	struct world *w = world_group(2, 0);

	for (unsigned int i = 0; i < 10; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, WORLD_S);
	kernel_delete(world_kernel(w, 0), world_entry(w, 0, 3), true);
	world_settle(w, 70 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, 3), -1);
	ck_assert_str_eq(world_peer(w, 0).resync_why, "sessions missed");
	ck_assert_uint_eq(world_peer(w, 0).resyncs, 2);
	ck_assert_uint_eq(world_stats(w, 0).sent.create, 10);
	world_free(w);
}
END_TEST

/* A copy that is lost is missed by the sums, and comes back. */
START_TEST(test_digest) {
	struct world *w = world_group(2, 0);

	for (unsigned int i = 0; i < 10; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_run(w, WORLD_S);
	kernel_delete(world_kernel(w, 1), world_entry(w, 1, 3), false);
	world_run(w, 20 * WORLD_MS);
	ck_assert_int_eq(world_owner_at(w, 1, 3), -1);
	world_settle(w, 12 * WORLD_S);
	ck_assert_str_eq(world_peer(w, 0).resync_why, "tables differ");
	ck_assert_uint_eq(world_stats(w, 0).sent.create, 11);
	world_free(w);
}
END_TEST

START_TEST(test_overrun) {
	struct world *w = world_new(&(struct world_options){ .seed = 9, .units = 2, .events = 4 });

	world_run(w, WORLD_START);
	for (unsigned int i = 0; i < 100; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_settle(w, 2 * WORLD_S);
	ck_assert_uint_ge(world_stats(w, 0).overruns, 1);
	for (unsigned int i = 0; i < 100; i += 2)
		kernel_delete(world_kernel(w, 0), world_entry(w, 0, i), false);
	world_settle(w, 5 * WORLD_S);
	ck_assert_int_eq(world_owner_at(w, 1, 0), -1);
	ck_assert_int_eq(world_owner_at(w, 1, 1), 0);
	world_free(w);
}
END_TEST

/* What a walk has read before an event was heard does not undo what the event told. */
START_TEST(test_stale_walk) {
	struct world *w = world_group(2, 0);
	unsigned int changed = world_open(w, 0, IPPROTO_TCP, true);
	unsigned int ended = world_establish(w, 0, IPPROTO_TCP, true);
	struct ct was_changed, was_ended;
	struct fgsp_stats before;
	uint64_t now;

	world_run(w, WORLD_S);
	was_changed = kernel_show(world_kernel(w, 0), world_entry(w, 0, changed));
	was_ended = kernel_show(world_kernel(w, 0), world_entry(w, 0, ended));
	world_packet(w, changed, 0, PACKET_REPLY);
	world_run(w, WORLD_S);
	fgsp_overrun(world_machine(w, 0), now = world_now(w));
	fgsp_poll(world_machine(w, 0), now);
	kernel_delete(world_kernel(w, 0), world_entry(w, 0, ended), false);
	fgsp_event(world_machine(w, 0), FGSP_GONE, &was_ended, false, now);
	before = world_stats(w, 0);
	fgsp_walk_entry(world_machine(w, 0), &was_changed, now);
	fgsp_walk_entry(world_machine(w, 0), &was_ended, now);
	fgsp_flush(world_machine(w, 0), now);
	world_settle(w, 5 * WORLD_S);
	ck_assert_uint_eq(world_stats(w, 0).sent.create, before.sent.create);
	ck_assert_uint_eq(world_stats(w, 0).sent.update, before.sent.update);
	ck_assert_int_eq(world_owner_at(w, 1, ended), -1);
	world_free(w);
}
END_TEST

/* More changes than the queue holds, while the peer cannot be reached. */
START_TEST(test_queue_full) {
	struct world *w = world_new(&(struct world_options){ .seed = 9, .units = 2,
							     .queue_bytes = 12000 });

	world_run(w, WORLD_START);
	for (unsigned int i = 0; i < 100; i++)
		world_establish(w, 0, IPPROTO_TCP, true);
	world_settle(w, 2 * WORLD_S);
	world_connect(w, 0, 1, false);
	for (unsigned int round = 0; round < 30; round++) {
		for (unsigned int i = 0; i < 100; i++)
			kernel_mark(world_kernel(w, 0), world_entry(w, 0, i), 10 + round);
		world_run(w, 100 * WORLD_MS);
	}
	for (unsigned int i = 0; i < 100; i += 3)
		world_packet(w, i, 0, PACKET_RESET);
	world_run(w, 30 * WORLD_S);
	ck_assert_uint_ge(world_stats(w, 0).full, 100);
	ck_assert_uint_le(world_stats(w, 0).memory, sizeof(struct fgsp) + (1 << 20));
	world_connect(w, 0, 1, true);
	world_settle(w, 20 * WORLD_S);
	ck_assert_str_eq(world_peer(w, 0).resync_why, "queue full");
	world_free(w);
}
END_TEST

static void add_sessions(Suite *s) {
	TCase *t = fixture_case(s, "sessions");

	tcase_add_test(t, test_create_update_delete);
	tcase_add_test(t, test_coalescing);
	tcase_add_loop_test(t, test_switches, 0, ARRAY_LEN(switches));
	tcase_add_test(t, test_filter);
	tcase_add_test(t, test_local);
	tcase_add_test(t, test_delay);
	tcase_add_test(t, test_mark);
	tcase_add_test(t, test_tags);
	tcase_add_test(t, test_expectation);
	tcase_add_test(t, test_query);
	tcase_add_test(t, test_yield);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_keep);
	tcase_add_loop_test(t, test_end_at_owner, 0, ARRAY_LEN(ends));
	tcase_add_loop_test(t, test_end_unheard, 0, 2);
	tcase_add_test(t, test_adoption);
	tcase_add_loop_test(t, test_partition, 0, 2);
	tcase_add_loop_test(t, test_same_tuple, 0, 2);
	tcase_add_loop_test(t, test_untold_in_the_way, 0, 2);
	tcase_add_test(t, test_reply_clash);
	tcase_add_test(t, test_late_events);
	tcase_add_test(t, test_late_failures);
}

static Suite *fgsp_suite(void) {
	Suite *s = suite_create("fgsp");
	TCase *t = fixture_case(s, "agreement");

	add_sessions(s);
	tcase_add_loop_test(t, test_joining, 0, 2);
	tcase_add_test(t, test_stale);
	tcase_add_test(t, test_digest);
	tcase_add_test(t, test_overrun);
	tcase_add_test(t, test_stale_walk);
	tcase_add_test(t, test_queue_full);
	return s;
}

int main(void) {
	return fixture_run(fgsp_suite());
}
