/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries lie in an array; chains by a hash of either tuple find them. Timeouts are shorter than
 * the kernel's, in the same order, so that much happens in little time.
 */
#include "tests/lib/fgsp_kernel.h"

#include <check.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/session.h"

#define SECOND UINT64_C(1000000)

#define COPY (UINT64_C(1) << SESSION_LABEL_COPY)
#define SEEN (UINT64_C(1) << SESSION_LABEL_SEEN)

void kernel_init(struct kernel *k, unsigned int max_events, uint32_t first_id) {
	k->max_events = max_events;
	k->next_id = first_id;
	k->max = KERNEL_ENTRIES;
}

void kernel_clear(struct kernel *k) {
	memset(k->entry, 0, sizeof(k->entry));
	memset(k->chain, 0, sizeof(k->chain));
	k->n_entries = k->last = k->n_events = 0;
	k->overrun = false;
}

/* ---- finding ---- */

static unsigned int hash(const struct ct *ct, enum ct_dir dir) {
	const struct ct_tuple *t = &ct->tuple[dir];
	uint32_t h = t->src.word[0] * 31 + t->dst.word[0];

	h = (h * 31 + t->sport) * 31 + t->dport + ct->proto;
	h *= UINT32_C(0x9e3779b1);
	return h >> 24;
}

static bool is_same(const struct ct_tuple *a, const struct ct_tuple *b) {
	return net_equal(&a->src, &b->src) && net_equal(&a->dst, &b->dst) &&
	       a->sport == b->sport && a->dport == b->dport;
}

/* An entry is in two chains; a link is entry number x 2 + direction. */
static uint16_t *link_of(struct kernel *k, unsigned int link) {
	return &k->entry[link / 2].next[link % 2];
}

static unsigned int find_link(struct kernel *k, const struct ct *ct, enum ct_dir dir) {
	for (unsigned int at = k->chain[hash(ct, dir)]; at; at = *link_of(k, at)) {
		const struct ct *other = &k->entry[at / 2].ct;

		if (other->proto == ct->proto && other->family == ct->family &&
		    other->zone == ct->zone && is_same(&other->tuple[at % 2], &ct->tuple[dir]))
			return at;
	}
	return 0;
}

struct kernel_entry *kernel_find(struct kernel *k, const struct ct *ct, enum ct_dir dir) {
	unsigned int at = find_link(k, ct, dir);

	return at && at % 2 == dir ? &k->entry[at / 2] : NULL;
}

static void unlink_entry(struct kernel *k, struct kernel_entry *e) {
	unsigned int number = (unsigned int)(e - k->entry);

	for (unsigned int dir = 0; dir < 2; dir++) {
		uint16_t *at = &k->chain[hash(&e->ct, dir)];

		while (*at != number * 2 + dir)
			at = link_of(k, *at);
		*at = e->next[dir];
	}
	e->used = false;
	k->n_entries--;
}

static struct kernel_entry *add_entry(struct kernel *k, const struct ct *ct) {
	struct kernel_entry *e;

	ck_assert_uint_lt(k->n_entries, KERNEL_ENTRIES - 1);
	do
		k->last = k->last % (KERNEL_ENTRIES - 1) + 1;
	while (k->entry[k->last].used);
	e = &k->entry[k->last];
	*e = (struct kernel_entry){ .ct = *ct, .used = true };
	for (unsigned int dir = 0; dir < 2; dir++) {
		uint16_t *chain = &k->chain[hash(ct, dir)];

		e->next[dir] = *chain;
		*chain = (uint16_t)(k->last * 2 + dir);
	}
	e->ct.id = k->next_id++;
	e->ct.start_ns = k->wall_ns;
	k->n_entries++;
	return e;
}

/* ---- events ---- */

struct ct kernel_show(const struct kernel *k, const struct kernel_entry *e) {
	struct ct ct = e->ct;

	ct.timeout = e->expires_us > k->now_us ? (uint32_t)((e->expires_us - k->now_us) / SECOND) :
						 0;
	return ct;
}

/* A change of something else comes without the state. */
static void notify(struct kernel *k, enum fgsp_event what, struct kernel_entry *e, bool by_us) {
	struct kernel_event *event;

	if (k->n_events >= k->max_events) {
		k->overrun = true;
		return;
	}
	event = &k->event[(k->first_event + k->n_events++) % KERNEL_EVENTS];
	event->what = what;
	event->by_us = by_us;
	event->ct = kernel_show(k, e);
	if (what == FGSP_CHANGED && e->told == e->ct.state)
		event->ct.state = 0;
	e->told = e->ct.state;
	if (what == FGSP_GONE || what == FGSP_EXPIRED)
		event->ct.label[0] = event->ct.label[1] = 0;
	else
		event->ct.start_ns = 0;
}

bool kernel_take_event(struct kernel *k, struct kernel_event *event) {
	if (k->n_events == 0)
		return false;
	*event = k->event[k->first_event];
	k->first_event = (k->first_event + 1) % KERNEL_EVENTS;
	k->n_events--;
	return true;
}

void kernel_delete(struct kernel *k, struct kernel_entry *e, bool by_us) {
	notify(k, FGSP_GONE, e, by_us);
	unlink_entry(k, e);
}

/* The kernel ends it by itself. */
static void end(struct kernel *k, struct kernel_entry *e) {
	notify(k, FGSP_EXPIRED, e, false);
	unlink_entry(k, e);
}

void kernel_expire(struct kernel *k) {
	if (k->now_us < k->soonest_us)
		return;
	k->soonest_us = UINT64_MAX;
	for (unsigned int i = 1; i < KERNEL_ENTRIES; i++) {
		struct kernel_entry *e = &k->entry[i];

		if (!e->used)
			continue;
		if (e->expires_us <= k->now_us)
			end(k, e);
		else if (e->expires_us < k->soonest_us)
			k->soonest_us = e->expires_us;
	}
}

static void live(struct kernel *k, struct kernel_entry *e, uint64_t us) {
	e->expires_us = k->now_us + us;
	if (e->expires_us < k->soonest_us)
		k->soonest_us = e->expires_us;
}

void kernel_mark(struct kernel *k, struct kernel_entry *e, uint32_t mark) {
	if (e->ct.mark == mark)
		return;
	e->ct.mark = mark;
	notify(k, FGSP_CHANGED, e, false);
}

/* ---- packets ---- */

uint32_t kernel_translation(const struct ct *ct) {
	return net_equal(&ct->tuple[CT_ORIG].dst, &ct->tuple[CT_REPLY].src) ? 0 : IPS_DST_NAT;
}

uint32_t kernel_lifetime(const struct ct *ct) {
	static const uint16_t tcp[] = {
		[TCP_CONNTRACK_SYN_SENT] = 20, [TCP_CONNTRACK_SYN_RECV] = 20,
		[TCP_CONNTRACK_ESTABLISHED] = 900, [TCP_CONNTRACK_TIME_WAIT] = 8,
		[TCP_CONNTRACK_CLOSE] = 3,
	};

	if (ct->proto == IPPROTO_TCP)
		return ct->state <= TCP_CONNTRACK_CLOSE ? tcp[ct->state] : 0;
	return ct->status & IPS_ASSURED ? 80 : 30;
}

/* State and status after a packet. */
static void advance(struct ct *ct, enum packet packet) {
	bool tcp = ct->proto == IPPROTO_TCP;

	if (packet == PACKET_REPLY || packet == PACKET_ANSWER)
		ct->status |= IPS_SEEN_REPLY;
	else if (ct->status & IPS_SEEN_REPLY && packet == PACKET_DATA)
		ct->status |= IPS_ASSURED;
	if (!tcp)
		return;
	if (packet == PACKET_REPLY && ct->state == TCP_CONNTRACK_SYN_SENT)
		ct->state = TCP_CONNTRACK_SYN_RECV;
	else if (packet == PACKET_DATA && ct->state == TCP_CONNTRACK_SYN_RECV)
		ct->state = TCP_CONNTRACK_ESTABLISHED;
	else if (packet == PACKET_FIN && ct->state == TCP_CONNTRACK_ESTABLISHED)
		ct->state = TCP_CONNTRACK_TIME_WAIT;
	else if (packet == PACKET_RESET)
		ct->state = TCP_CONNTRACK_CLOSE;
}

/* A new entry, if its tuples are free and its first packet may be one. */
static enum verdict open_entry(struct kernel *k, const struct ct *session, enum packet packet) {
	struct kernel_entry *e;
	struct ct ct = *session;

	ct.status |= kernel_translation(&ct);
	if (packet != PACKET_OPEN && (ct.proto == IPPROTO_TCP || packet != PACKET_DATA))
		return PACKET_DROPPED;
	while (find_link(k, &ct, CT_REPLY))
		ct.tuple[CT_REPLY].dport++;           /* as source NAT does */
	if (find_link(k, &ct, CT_ORIG))
		return PACKET_DROPPED;
	ct.state = ct.proto == IPPROTO_TCP ? TCP_CONNTRACK_SYN_SENT : 0;
	e = add_entry(k, &ct);
	live(k, e, kernel_lifetime(&e->ct) * SECOND);
	e->packet_us = k->now_us;
	e->ct.count[CT_ORIG] = (struct ct_counter){ 1, 60 };
	notify(k, FGSP_NEW, e, false);
	return PACKET_NEW;
}

enum verdict kernel_packet(struct kernel *k, const struct ct *session, enum packet packet) {
	enum ct_dir dir = packet == PACKET_REPLY || packet == PACKET_ANSWER ? CT_REPLY : CT_ORIG;
	struct kernel_entry *e = kernel_find(k, session, dir);
	struct ct before;

	if (e && packet == PACKET_OPEN && (e->ct.state == TCP_CONNTRACK_TIME_WAIT ||
					   e->ct.state == TCP_CONNTRACK_CLOSE)) {
		end(k, e);
		e = NULL;
	}
	if (!e)
		return open_entry(k, session, packet);
	before = e->ct;
	advance(&e->ct, packet);
	e->ct.count[dir].packets++;
	e->ct.count[dir].bytes += 60;
	e->packet_us = k->now_us;
	live(k, e, kernel_lifetime(&e->ct) * SECOND);
	if (e->ct.label[0] & COPY)
		e->ct.label[0] |= SEEN;
	if (e->ct.state != before.state || e->ct.status != before.status ||
	    e->ct.label[0] != before.label[0])
		notify(k, FGSP_CHANGED, e, false);
	return PACKET_PASSED;
}

/* ---- writes ---- */

static int create(struct kernel *k, const struct fgsp_change *change) {
	struct kernel_entry *e;

	if (find_link(k, &change->ct, CT_ORIG) || find_link(k, &change->ct, CT_REPLY))
		return EEXIST;
	if (k->n_entries >= KERNEL_ENTRIES - 1)
		return ENOMEM;
	e = add_entry(k, &change->ct);
	e->ct.status |= kernel_translation(&change->ct);
	memset(e->ct.count, 0, sizeof(e->ct.count));
	live(k, e, change->ct.timeout * SECOND);
	notify(k, FGSP_NEW, e, true);
	return 0;
}

static int update(struct kernel *k, struct kernel_entry *e, const struct fgsp_change *change) {
	const uint32_t bits = IPS_SEEN_REPLY | IPS_ASSURED;
	const struct ct *ct = &change->ct;

	if (change->fields & FGSP_STATUS && e->ct.status & bits & ~ct->status)
		return EBUSY;
	if (change->fields & FGSP_STATUS)
		e->ct.status |= ct->status & bits;
	if (change->fields & FGSP_STATE) {
		e->ct.state = ct->state;
		memcpy(e->ct.vtag, ct->vtag, sizeof(ct->vtag));
	}
	if (change->fields & FGSP_MARK)
		e->ct.mark = ct->mark;
	if (change->fields & FGSP_TIMEOUT)
		live(k, e, ct->timeout * SECOND);
	for (unsigned int i = 0; change->fields & FGSP_LABEL && i < 2; i++)
		e->ct.label[i] = (e->ct.label[i] & ~change->label_mask[i]) |
				 (ct->label[i] & change->label_mask[i]);
	notify(k, FGSP_CHANGED, e, true);
	return 0;
}

int kernel_write(struct kernel *k, const struct fgsp_change *change) {
	struct kernel_entry *e;

	if (change->what == FGSP_EXPECT) {
		k->expectations++;
		return 0;
	}
	if (change->what == FGSP_CREATE)
		return create(k, change);
	e = kernel_find(k, &change->ct, CT_ORIG);
	if (!e)
		return ENOENT;
	if (change->what == FGSP_UPDATE)
		return update(k, e, change);
	for (unsigned int i = 0; i < 2; i++)
		if ((e->ct.label[i] ^ change->ct.label[i]) & change->label_mask[i])
			return ESTALE;
	kernel_delete(k, e, true);
	return 0;
}
