/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams to and from members: sealed with the keys of a channel, over the link that the ladder
 * names, with the records of the stream or a beat in them.
 *
 * Links of a ladder have the numbers of fgsp.h. A link that has no keys yet is down for the
 * ladder: it has no beats to send. Beats are as long as a link takes: one that carries only short
 * datagrams is no good. What comes is counted with its layer; what is not understood is counted as
 * an error and nothing more.
 */
#include "sync/fgsp_impl.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#define OVERHEAD_UDP (20 + 8 + SEAL_HEADER + SEAL_TAG)
#define OVERHEAD_ETHERNET (2 + SEAL_HEADER + SEAL_TAG)
#define PAYLOAD_MAX (FGSP_DATAGRAM_MAX - SEAL_HEADER - SEAL_TAG)
#define MTU_MIN 576
#define GROUP_EVERY 10               /* each tenth beat on Ethernet goes to the group address */
#define QUEUE_BYTES (8u << 20)
#define PATIENCE_MIN_US FGSP_S
#define SETTLE_US (3 * FGSP_S)       /* what was queued comes first, then sums */
#define STUCK_US (10 * FGSP_S)

/* ---- links ---- */

static bool wants_link(const struct fgsp *f, const struct fgsp_member *m, unsigned int id,
		       char name[LADDER_NAME]) {
	if (id >= FGSP_L2) {
		snprintf(name, LADDER_NAME, "%s", f->cluster.dev[id - FGSP_L2]);
		return id - FGSP_L2 < f->cluster.n_devs;
	}
	for (unsigned int i = 0; i < f->n_sites; i++) {
		const struct fgsp_site *s = &f->site[i];

		if (s->number != id || s->member != (int)fgsp_index(f, m))
			continue;
		inet_ntop(AF_INET, s->ip.byte, name, LADDER_NAME);
		return true;
	}
	return false;
}

/* Links that are not wanted any more, or mean something else now, go. */
static void remove_links(struct fgsp *f, struct fgsp_member *m) {
	char name[LADDER_NAME];
	struct ladder_link link;

	for (unsigned int i = 0; ladder_link(m->ladder, i, &link);) {
		if (wants_link(f, m, link.id, name) && strcmp(name, link.name) == 0)
			i++;
		else
			ladder_remove(m->ladder, link.id, f->now_us);
	}
}

/* The longest payload that a link takes. */
static size_t payload_of(const struct fgsp *f, unsigned int link) {
	size_t mtu = f->link_mtu[link] < MTU_MIN ? MTU_MIN : f->link_mtu[link];
	size_t payload = mtu - (link >= FGSP_L2 ? OVERHEAD_ETHERNET : OVERHEAD_UDP);

	return payload < PAYLOAD_MAX ? payload : PAYLOAD_MAX;
}

/* What any of the links takes, for a record may go out on another than planned. */
static void set_payload(const struct fgsp *f, struct fgsp_member *m) {
	struct ladder_link link;

	m->payload_max = PAYLOAD_MAX;
	for (unsigned int i = 0; ladder_link(m->ladder, i, &link); i++)
		if (f->link_up[link.id] && payload_of(f, link.id) < m->payload_max)
			m->payload_max = payload_of(f, link.id);
}

static void note_changes(struct fgsp *f, struct fgsp_member *m) {
	struct ladder_change change;

	while (ladder_changed(m->ladder, &change)) {
		fgsp_log(f, LOG_NOTICE, "Peer %s: %s", m->serial, change.text);
		if (change.lost)
			arq_resend(m->arq, f->now_us, ladder_rtt(m->ladder));
		if (change.was_connected && !change.connected) {
			fgsp_log(f, LOG_WARNING, "Peer %s is lost", m->serial);
			m->lost_us = f->now_us;
			fgsp_resync_walk(f);
		} else if (!change.was_connected && change.connected) {
			m->digest_us = f->now_us + SETTLE_US;
			m->moved_us = f->now_us;
		}
	}
	m->connected = ladder_connected(m->ladder);
	m->has_link = ladder_pick(m->ladder) >= 0;
}

/* The first entry of an address, of all that lead to a member, sets its heartbeat. */
static void set_timing(struct fgsp *f, struct fgsp_member *m) {
	const struct cluster_peer *e = &f->cluster.peer[__builtin_ctz(m->entries)];
	uint64_t silence_us = (uint64_t)e->hb_interval_ms * FGSP_MS * e->hb_lost;

	ladder_timing(m->ladder, (uint32_t)(e->hb_interval_ms * FGSP_MS), e->hb_lost, f->now_us);
	m->patience_us = silence_us > PATIENCE_MIN_US ? silence_us : PATIENCE_MIN_US;
}

void fgsp_link_configure(struct fgsp *f, struct fgsp_member *m) {
	char name[LADDER_NAME];

	set_timing(f, m);
	remove_links(f, m);
	for (unsigned int id = 0; id < FGSP_LINKS; id++) {
		if (!wants_link(f, m, id, name))
			continue;
		ladder_add(m->ladder, id, id >= FGSP_L2 ? LADDER_L2 : LADDER_L3, name, f->now_us);
		ladder_up(m->ladder, id, f->link_up[id] && m->sending >= 0, f->now_us);
	}
	set_payload(f, m);
	note_changes(f, m);
}

void fgsp_link(struct fgsp *f, unsigned int link, bool up, unsigned int mtu, uint64_t now_us) {
	f->now_us = now_us;
	if (link >= FGSP_LINKS)
		return;
	f->link_up[link] = up;
	f->link_mtu[link] = mtu;
	FGSP_EACH_MEMBER(f, m, i) {
		ladder_up(m->ladder, link, up && m->sending >= 0, now_us);
		set_payload(f, m);
		note_changes(f, m);
	}
}

void fgsp_link_begin(struct fgsp *f, struct fgsp_member *m) {
	const struct arq_limits limits = { .queue_bytes = f->env.queue_bytes,
					   .early_bytes = f->env.queue_bytes };

	fgsp_info_keep(m);
	arq_free(m->arq);
	ladder_free(m->ladder);
	m->arq = arq_new(&limits);
	m->ladder = ladder_new(1000, 2, f->now_us);
	m->connected = m->has_link = m->blocked = false;
	m->n_marks = 0;
	m->acked_ns = 0;
	fgsp_link_configure(f, m);
	m->given_us = f->now_us + m->patience_us + FGSP_S;
	m->is_given = true;
	m->lost_us = m->given_us;
}

bool fgsp_link_lost(const struct fgsp *f, const struct fgsp_member *m) {
	return !m->connected && f->now_us >= m->given_us;
}

/* ---- sending ---- */

static bool send_sealed(struct fgsp *f, struct fgsp_member *m, unsigned int link, bool group,
		 const uint8_t *payload, size_t len) {
	bool l2 = link >= FGSP_L2;
	struct fgsp_packets *n = l2 ? &f->stats.ses : &f->stats.udp;
	const uint8_t *mac = l2 && !group ? m->mac[link - FGSP_L2] : NULL;
	size_t sealed;

	if (m->sending < 0 || len + SEAL_HEADER + SEAL_TAG > sizeof(f->sealed))
		return false;
	sealed = seal_make(m->key[m->sending].seal, l2 ? SEAL_ETHERNET : SEAL_UDP, (uint8_t)link,
			   payload, len, f->sealed);
	if (sealed == 0 || !f->env.datagram(f->env.arg, link, mac, f->sealed, sealed)) {
		n->alloc_fail++;
		return false;
	}
	n->send++;
	return true;
}

void fgsp_link_pump(struct fgsp *f, struct fgsp_member *m, bool flush) {
	const uint8_t *payload;
	size_t len;

	while (m->has_link && !m->blocked && m->sending >= 0 &&
	       (len = arq_next(m->arq, f->now_us, flush, &payload)) > 0) {
		unsigned int link = (unsigned int)ladder_pick(m->ladder);
		bool group = link >= FGSP_L2 && !m->has_mac[link - FGSP_L2];

		m->blocked = !send_sealed(f, m, link, group, payload, len);
		if (!m->blocked)
			arq_sent(m->arq, f->now_us);
	}
}

void fgsp_writable(struct fgsp *f, uint64_t now_us) {
	f->now_us = now_us;
	FGSP_EACH_MEMBER(f, m, i) {
		m->blocked = false;
		fgsp_link_pump(f, m, true);
	}
}

bool fgsp_link_put_encoded(struct fgsp *f, struct fgsp_member *m) {
	if (arq_acked(m->arq) == arq_mark(m->arq))
		m->moved_us = f->now_us;
	if (arq_put(m->arq, f->scratch.data, f->scratch.len, m->payload_max))
		return true;
	f->stats.full++;
	return false;
}

bool fgsp_link_put(struct fgsp *f, struct fgsp_member *m) {
	f->scratch.len = 0;
	record_encode(&f->scratch, &f->out);
	return fgsp_link_put_encoded(f, m);
}

bool fgsp_link_has_room(const struct fgsp *f, const struct fgsp_member *m) {
	size_t all = f->env.queue_bytes ? f->env.queue_bytes : QUEUE_BYTES;

	return arq_room(m->arq) >= all / 2;
}

uint64_t fgsp_link_patience(const struct fgsp_member *m) {
	bool waits = m->connected && arq_acked(m->arq) < arq_mark(m->arq);

	return waits ? m->moved_us + STUCK_US : FGSP_NEVER;
}

bool fgsp_link_stuck(const struct fgsp *f, const struct fgsp_member *m) {
	return f->now_us >= fgsp_link_patience(m);
}

static void send_beats(struct fgsp *f, struct fgsp_member *m) {
	struct ladder_beat beat = { .not_ready = !f->ready, .incarnation = m->theirs };
	uint8_t payload[PAYLOAD_MAX];
	unsigned int id;
	uint64_t number;

	arq_tell(m->arq, &beat.last, &beat.ack);
	while (ladder_due(m->ladder, f->now_us, &id, &number)) {
		bool group = id >= FGSP_L2 &&
			     (number % GROUP_EVERY == 0 || !m->has_mac[id - FGSP_L2]);
		size_t len = payload_of(f, id);

		memset(payload, 0, len);
		ladder_beat_make(m->ladder, id, f->now_us, &beat, payload);
		send_sealed(f, m, id, group, payload, len);
		m->blocked = false; /* whoever was full may be gone, and say nothing any more */
	}
}

void fgsp_link_mark(struct fgsp *f, struct fgsp_member *m) {
	uint64_t seq = arq_mark(m->arq), last = m->n_marks ? m->mark[m->n_marks - 1].seq : 0;

	if (seq <= arq_acked(m->arq) || seq == last)
		return;
	m->n_marks -= m->n_marks == FGSP_MARKS;
	m->mark[m->n_marks++] = (struct fgsp_mark){ seq, f->env.wall_ns(f->env.arg), f->now_us };
}

static void note_acked(struct fgsp_member *m) {
	unsigned int n = 0;

	while (n < m->n_marks && m->mark[n].seq <= arq_acked(m->arq))
		m->acked_ns = m->mark[n++].wall_ns;
	if (n > 0)
		memmove(m->mark, m->mark + n, (m->n_marks -= n) * sizeof(*m->mark));
}

/* ---- receiving ---- */

/* The key that a datagram claims to be sealed with. */
static struct seal *find_key(struct fgsp *f, uint16_t sender, uint32_t epoch,
			     struct fgsp_member **ret) {
	int index = fgsp_peer_find(f, sender);

	if (index < 0)
		return NULL;
	*ret = &f->member[index];
	for (unsigned int i = 0; i < FGSP_KEYS; i++) {
		struct seal *seal = (*ret)->key[i].seal;

		if (seal && seal_epoch(seal) == epoch)
			return seal;
	}
	return NULL;
}

/* The member's link that a datagram came over. Its address may be one that nobody configured. */
static unsigned int arrival(const struct fgsp *f, const struct fgsp_member *m, unsigned int link) {
	unsigned int first = link;

	for (unsigned int i = f->n_sites; link < FGSP_L2 || link == FGSP_ANY; i--) {
		if (i == 0)
			return first;
		if (f->site[i - 1].member != (int)fgsp_index(f, m))
			continue;
		first = f->site[i - 1].number;
		if (first == link)
			return link;
	}
	return link;
}

struct delivery {
	struct fgsp *f;
	struct fgsp_member *m;
	bool bad;
};

static void deliver(void *arg, const uint8_t *records, size_t len) {
	struct delivery *d = arg;

	d->bad |= !fgsp_take(d->f, d->m, records, len);
}

static bool take_beat(struct fgsp *f, struct fgsp_member *m, unsigned int link,
		      const uint8_t *payload, size_t len) {
	struct ladder_beat beat;

	if (!ladder_beat_take(m->ladder, link, f->now_us, payload, len, &beat))
		return m->sending < 0;
	note_changes(f, m);
	return beat.incarnation == m->incarnation &&
	       arq_beat(m->arq, f->now_us, beat.last, beat.ack);
}

/* What of both streams is done, as a number that only grows. */
static uint64_t progress(const struct fgsp_member *m) {
	uint64_t last, received;

	arq_tell(m->arq, &last, &received);
	return arq_acked(m->arq) + received;
}

static bool take_payload(struct fgsp *f, struct fgsp_member *m, unsigned int link,
			 const uint8_t *payload, size_t len) {
	uint64_t acked = arq_acked(m->arq), done = progress(m);
	struct delivery d = { f, m, false };
	bool good;

	if (len > 0 && payload[0] == LADDER_BEAT)
		good = take_beat(f, m, arrival(f, m, link), payload, len);
	else
		good = arq_take(m->arq, f->now_us, payload, len, deliver, &d) && !d.bad;
	if (progress(m) > done)
		ladder_progress(m->ladder, f->now_us);
	if (arq_acked(m->arq) > acked)
		m->moved_us = f->now_us;
	note_acked(m);
	return good;
}

void fgsp_datagram(struct fgsp *f, unsigned int link, const uint8_t *mac, uint8_t *data, size_t len,
		   uint64_t now_us) {
	bool l2 = link >= FGSP_L2 && link != FGSP_ANY;
	struct fgsp_packets *n = l2 ? &f->stats.ses : &f->stats.udp;
	enum seal_channel channel;
	struct fgsp_member *m;
	uint8_t *payload, claimed;
	uint16_t sender;
	uint32_t epoch;
	struct seal *seal;

	f->now_us = now_us;
	if (len > FGSP_DATAGRAM_MAX || !seal_peek(data, len, &sender, &epoch)) {
		n->sz_err++;
		return;
	}
	seal = find_key(f, sender, epoch, &m);
	if (!seal || seal_open(seal, data, len, &channel, &claimed, &payload, &len) != SEAL_OK ||
	    (channel == SEAL_ETHERNET) != l2) {
		n->recv_err++;
		return;
	}
	n->recv++;
	if (mac && link < FGSP_LINKS) {
		memcpy(m->mac[link - FGSP_L2], mac, FGSP_MAC);
		m->has_mac[link - FGSP_L2] = true;
	}
	if (!take_payload(f, m, link, payload, len))
		n->recv_err++;
}

/* ---- time ---- */

/* The time that a new member was given is over: if it is not there, others inherit its sessions. */
static void end_grace(struct fgsp *f, struct fgsp_member *m) {
	if (!m->is_given || f->now_us < m->given_us)
		return;
	m->is_given = false;
	if (!m->connected)
		fgsp_resync_walk(f);
}

void fgsp_link_poll(struct fgsp *f) {
	FGSP_EACH_MEMBER(f, m, i) {
		ladder_poll(m->ladder, f->now_us);
		note_changes(f, m);
		end_grace(f, m);
		send_beats(f, m);
		fgsp_link_pump(f, m, true);
	}
}

uint64_t fgsp_link_deadline(const struct fgsp *f) {
	uint64_t due = FGSP_NEVER;

	FGSP_EACH_MEMBER(f, m, i) {
		due = fgsp_min(due, ladder_deadline(m->ladder));
		if (m->is_given)
			due = fgsp_min(due, m->given_us);
		if (m->has_link && !m->blocked && m->sending >= 0)
			due = fgsp_min(due, arq_deadline(m->arq));
	}
	return due;
}
