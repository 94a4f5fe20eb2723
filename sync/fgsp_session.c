/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions of this unit: which of them members are to have, and what they are told when one
 * begins, changes and ends.
 *
 * Events and walks tell of the kernel's table as it was a moment ago, and our own writes are not
 * among them. So what contradicts a print is looked up before it is believed. Several changes of a
 * session within a batch become one: they wait in `pending`, a small table by fingerprint, until
 * the batch ends. A DELETE never waits, so that nothing which takes the place of a session can
 * overtake its end.
 */
#include "sync/fgsp_impl.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdlib.h>

#define NS_PER_S UINT64_C(1000000000)

enum source { BY_NEW, BY_CHANGE, BY_WALK };

/* ---- an entry of the kernel ---- */

uint8_t fgsp_session_state(const struct ct *ct) {
	return (uint8_t)((ct->state & 0xf) | (ct->status & IPS_SEEN_REPLY ? 0x10 : 0) |
			 (ct->status & IPS_ASSURED ? 0x20 : 0));
}

static uint8_t hash_mark(uint32_t mark) {
	return (uint8_t)(mark * UINT32_C(0x9e3779b1) >> 27);
}

void fgsp_session_note(struct print *p, const struct ct *ct) {
	p->state = fgsp_session_state(ct) & 0x3f;
	p->mark = hash_mark(ct->mark) & 0x1f;
}

void fgsp_session_restate(const struct print *p, struct ct *ct) {
	ct->state = p->state & 0xf;
	ct->status &= ~(uint32_t)(IPS_SEEN_REPLY | IPS_ASSURED);
	ct->status |= (p->state & 0x10 ? IPS_SEEN_REPLY : 0) | (p->state & 0x20 ? IPS_ASSURED : 0);
}

bool fgsp_session_is_mark(const struct print *p, const struct ct *ct) {
	return p->mark == hash_mark(ct->mark);
}

uint64_t fgsp_session_start(const struct ct *ct) {
	uint64_t s = session_label(ct, SESSION_LABEL_START, 32);

	if (!session_label(ct, SESSION_LABEL_SERIAL, 32))
		return ct->start_ns;
	return s * NS_PER_S + session_label(ct, SESSION_LABEL_START_MS, 10) * 1000000;
}

enum fgsp_whose fgsp_session_whose(const struct fgsp *f, const struct ct *ct) {
	if (!session_label(ct, SESSION_LABEL_COPY, 1))
		return FGSP_OWN;
	return session_label(ct, SESSION_LABEL_OWNER, 16) == f->id ? FGSP_ADOPTED : FGSP_COPY;
}

static int order_addr(const void *a, const void *b) {
	return net_order(a, b);
}

bool fgsp_session_is_local(const struct fgsp *f, const struct ct *ct) {
	unsigned int v6 = ct->family == AF_INET6;
	const union net_addr *set = f->local[v6];
	size_t n = f->n_local[v6];

	return n > 0 && (bsearch(&ct->tuple[CT_ORIG].src, set, n, sizeof(*set), order_addr) ||
			 bsearch(&ct->tuple[CT_REPLY].src, set, n, sizeof(*set), order_addr));
}

void fgsp_locals(struct fgsp *f, const union net_addr *addr4, size_t n4,
		 const union net_addr *addr6, size_t n6) {
	const union net_addr *from[2] = { addr4, addr6 };
	size_t n[2] = { n4, n6 };

	for (unsigned int v6 = 0; v6 < 2; v6++) {
		f->local[v6] = xreallocarray(f->local[v6], n[v6] + 1, sizeof(**f->local));
		if (n[v6] > 0)
			memcpy(f->local[v6], from[v6], n[v6] * sizeof(**f->local));
		f->n_local[v6] = n[v6];
		qsort(f->local[v6], n[v6], sizeof(**f->local), order_addr);
	}
}

/* ---- who is to have it ---- */

static bool entry_wants(const struct fgsp *f, const struct cluster_peer *e, const struct ct *ct) {
	if (!e->sync_root || !cluster_filter(e, ct))
		return false;
	return (!e->srcintf[0] && !e->dstintf[0]) ||
	       f->env.interfaces(f->env.arg, ct, e->srcintf, e->dstintf);
}

static bool member_wants(const struct fgsp *f, const struct fgsp_member *m, const struct ct *ct) {
	for (uint32_t left = m->entries; left; left &= left - 1)
		if (entry_wants(f, &f->cluster.peer[__builtin_ctz(left)], ct))
			return true;
	return false;
}

/* A clock that was set back makes a session wait, not begin again. */
static bool is_old_enough(const struct fgsp *f, const struct ct *ct) {
	return !f->cluster.delay || fgsp_session_start(ct) + CLUSTER_DELAY_S * NS_PER_S <=
					    f->env.wall_ns(f->env.arg);
}

uint16_t fgsp_session_want(const struct fgsp *f, const struct ct *ct) {
	uint16_t want = 0;

	if (!f->members || !cluster_wants(&f->cluster, ct) || fgsp_session_is_local(f, ct) ||
	    !is_old_enough(f, ct))
		return 0;
	FGSP_EACH_MEMBER(f, m, i)
		if (member_wants(f, m, ct))
			want |= (uint16_t)(1u << i);
	return want;
}

/* ---- saying it ---- */

static void tell(struct fgsp *f, const struct print *p, uint16_t members) {
	uint64_t weight = prints_weight(p->fp, p->serial);

	for (; members; members &= (uint16_t)(members - 1)) {
		struct fgsp_sums *told = &f->member[__builtin_ctz(members)].told;

		told->sum[prints_bucket(p->fp)] ^= weight;
		told->count++;
	}
}

void fgsp_session_untell(struct fgsp *f, struct print *p, uint16_t members) {
	uint64_t weight = prints_weight(p->fp, p->serial);

	members &= p->peers;
	p->peers &= (uint16_t)~members;
	for (; members; members &= (uint16_t)(members - 1)) {
		struct fgsp_sums *told = &f->member[__builtin_ctz(members)].told;

		told->sum[prints_bucket(p->fp)] ^= weight;
		told->count--;
	}
}

static void count(struct fgsp_records *n, enum record_type type) {
	n->create += type == RECORD_CREATE;
	n->update += type == RECORD_UPDATE;
	n->delete += type == RECORD_DELETE;
	n->query += type == RECORD_QUERY;
}

/*
 * The record is made once, whoever it goes to. A queue that is full leaves a bucket to be sent
 * anew.
 */
static void put(struct fgsp *f, enum record_type type, const struct ct *ct, uint32_t serial,
		 bool flag, uint16_t members) {
	if (!members)
		return;
	f->out.type = type;
	f->out.serial = serial;
	f->out.vd = 0;
	f->out.unseen = flag && type == RECORD_CREATE;
	f->out.from_copy = flag && type == RECORD_UPDATE;
	f->out.expired = flag && type == RECORD_DELETE;
	f->out.ct = *ct;
	f->scratch.len = 0;
	record_encode(&f->scratch, &f->out);
	for (; members; members &= (uint16_t)(members - 1)) {
		struct fgsp_member *m = &f->member[__builtin_ctz(members)];

		if (fgsp_link_put_encoded(f, m))
			count(&f->stats.sent, type);
		else
			fgsp_resync_bucket(m, prints_bucket(prints_fp(f->prints, ct)),
					   "queue full");
	}
}

/* Read the entry of a fingerprint as it is now. */
static bool read_entry(const struct fgsp *f, struct ct *ct, uint64_t fp) {
	return f->env.get(f->env.arg, ct) && prints_fp(f->prints, ct) == fp;
}

/* Events do not tell when a session began; it may be gone by now, then its end is not far. */
static void find_start(const struct fgsp *f, struct fgsp_pending *w) {
	struct ct now = w->ct;

	if (read_entry(f, &now, w->fp) && session_serial(&now) == session_serial(&w->ct))
		w->ct.start_ns = now.start_ns;
}

static void send_pending(struct fgsp *f, struct fgsp_pending *w) {
	uint32_t serial = session_serial(&w->ct);

	if (w->create && fgsp_session_start(&w->ct) == 0)
		find_start(f, w);
	put(f, RECORD_CREATE, &w->ct, serial, w->unseen, w->create);
	put(f, RECORD_UPDATE, &w->ct, serial, false, w->update);
	w->fp = 0;
	f->n_pending--;
}

void fgsp_session_flush(struct fgsp *f) {
	for (unsigned int i = 0; f->n_pending > 0; i++)
		if (f->pending[i].fp)
			send_pending(f, &f->pending[i]);
}

void fgsp_session_say(struct fgsp *f, enum record_type type, const struct ct *ct, uint32_t serial,
		      bool flag, uint16_t members) {
	fgsp_session_flush(f);
	put(f, type, ct, serial, flag, members);
}

/* Put off what is to be said of a session until the batch ends; the last state counts. */
static void say_later(struct fgsp *f, const struct print *p, const struct ct *ct, uint16_t create,
		      uint16_t update) {
	struct fgsp_pending *w = &f->pending[p->fp / PRINTS_BUCKETS % FGSP_PENDING];
	uint64_t start;

	if (w->fp && w->fp != p->fp)
		send_pending(f, w);
	start = ct->start_ns || !w->fp ? ct->start_ns : w->ct.start_ns;
	if (!w->fp) {
		w->fp = p->fp;
		w->create = w->update = 0;
		f->n_pending++;
	}
	w->create |= create;
	w->update = (uint16_t)((w->update | update) & ~w->create);
	w->unseen = p->kind == PRINT_ADOPTED;
	w->ct = *ct;
	w->ct.start_ns = start;
}

/*
 * What waits for a session will not be said. Returns the members that have not heard of it at all.
 */
static uint16_t drop_pending(struct fgsp *f, uint64_t fp) {
	struct fgsp_pending *w = &f->pending[fp / PRINTS_BUCKETS % FGSP_PENDING];

	if (w->fp != fp)
		return 0;
	w->fp = 0;
	f->n_pending--;
	return w->create;
}

void fgsp_session_create(struct fgsp *f, struct print *p, const struct ct *ct, uint16_t members) {
	uint16_t more = members & (uint16_t)~p->peers;

	tell(f, p, more);
	p->peers |= more;
	fgsp_session_say(f, RECORD_CREATE, ct, p->serial, p->kind == PRINT_ADOPTED, members);
}

void fgsp_session_own(struct fgsp *f, struct print *p, const struct ct *ct, bool seen) {
	p->kind = seen ? PRINT_OWN : PRINT_ADOPTED;
	p->peers = 0;
	p->serial = session_serial(ct);
	p->walk = f->walk.number & 3;
	fgsp_session_note(p, ct);
	fgsp_session_create(f, p, ct, fgsp_session_want(f, ct));
}

/* ---- what the kernel tells ---- */

/*
 * Ends that were heard of while a walk goes on: what it has read ahead may still show the entries.
 */
static void note_gone(struct fgsp *f, uint64_t fp) {
	if (f->walk.running)
		f->walk.gone[fp / 64 % ARRAY_LEN(f->walk.gone)] |= UINT64_C(1) << fp % 64;
}

static bool may_be_gone(const struct fgsp *f, uint64_t fp) {
	return f->walk.gone[fp / 64 % ARRAY_LEN(f->walk.gone)] >> fp % 64 & 1;
}

/*
 * Whether an entry is what its print says. One without a print is believed when it is new, or found
 * and not gone since, or when nothing was written yet. A walk is behind the events: where it shows
 * another state, either may be right.
 */
static bool agrees(const struct fgsp *f, const struct print *p, const struct ct *ct,
		   enum fgsp_whose whose, enum source source) {
	if (!p && source == BY_WALK && may_be_gone(f, prints_fp(f->prints, ct)))
		return false;
	if (!p)
		return !f->walked || (whose == FGSP_OWN && source != BY_CHANGE);
	if (p->serial != session_serial(ct))
		return false;
	if (source == BY_WALK && p->kind != PRINT_COPY &&
	    (p->state != fgsp_session_state(ct) || !fgsp_session_is_mark(p, ct)))
		return false;
	if (p->kind != PRINT_COPY || whose != FGSP_COPY)
		return p->kind != PRINT_COPY && whose != FGSP_COPY;
	return p->owner == FGSP_NOBODY ||
	       session_label(ct, SESSION_LABEL_OWNER, 16) == f->member[p->owner].id;
}

/* A packet of an adopted session came: it is ours like any other now. */
static void see(struct fgsp *f, struct print *p, const struct ct *ct) {
	struct ct now = *ct;

	now.label[0] &= ~(FGSP_LABEL_COPY | FGSP_LABEL_SEEN);
	fgsp_copy_update(f, &now, FGSP_LABEL, FGSP_LABEL_COPY | FGSP_LABEL_SEEN);
	p->kind = PRINT_OWN;
}

/* The print was of something else that had these tuples. */
static void replace(struct fgsp *f, struct print *p, const struct ct *ct) {
	if (p->kind == PRINT_COPY) {
		fgsp_copy_unprint(f, p);
	} else {
		uint16_t unheard = drop_pending(f, p->fp);

		fgsp_session_say(f, RECORD_DELETE, ct, p->serial, false,
				 p->peers & (uint16_t)~unheard);
		fgsp_session_untell(f, p, p->peers);
	}
	p->kind = 0;
}

/* Say what has changed to those who are to know, in all there is to say with the least. */
static void say_changes(struct fgsp *f, struct print *p, const struct ct *ct, uint16_t want,
			enum source source) {
	uint16_t told = p->peers, create = want & (uint16_t)~told, update = 0;

	if (told & ~want) {
		fgsp_session_say(f, RECORD_DELETE, ct, p->serial, false, told & (uint16_t)~want);
		fgsp_session_untell(f, p, told & (uint16_t)~want);
	}
	if (fgsp_session_is_mark(p, ct) && p->state != fgsp_session_state(ct))
		update = told & want;
	else if (!fgsp_session_is_mark(p, ct) || source == BY_CHANGE)
		create |= told & want;
	if (source == BY_WALK)
		FGSP_EACH_MEMBER(f, m, i)
			if (m->sending_anew && fgsp_has_bucket(&m->now, prints_bucket(p->fp)))
				create |= want & (uint16_t)(1u << i);
	fgsp_session_note(p, ct);
	tell(f, p, create & (uint16_t)~told);
	p->peers |= create;
	if (create | update)
		say_later(f, p, ct, create, update);
}

static void found_own(struct fgsp *f, struct print *p, uint64_t fp, const struct ct *ct,
		      enum fgsp_whose whose, enum source source) {
	bool known = p && p->kind != PRINT_COPY && p->peers == f->members && source != BY_WALK;
	uint16_t want = known ? p->peers : fgsp_session_want(f, ct);
	bool added;

	if (p && (p->kind == PRINT_COPY || p->serial != session_serial(ct)))
		replace(f, p, ct);
	if (!want && (!p || !p->peers)) {
		if (p)
			prints_remove(f->prints, p);
		return;
	}
	if (!p && !(p = prints_add(f->prints, fp, &added)))
		return;
	if (!p->kind) {
		p->kind = whose == FGSP_ADOPTED ? PRINT_ADOPTED : PRINT_OWN;
		p->serial = session_serial(ct);
		p->peers = 0;
		fgsp_session_note(p, ct);
	}
	p->walk = f->walk.number & 3;
	if (p->kind == PRINT_ADOPTED &&
	    (whose == FGSP_OWN || session_label(ct, SESSION_LABEL_SEEN, 1)))
		see(f, p, ct);
	say_changes(f, p, ct, want, source);
}

/*
 * The kernel does not tell the state of a connection with a change of something else: nor, of SCTP,
 * its tags, of which prints know nothing.
 */
static bool lacks_state(const struct ct *ct, enum source source) {
	return source == BY_CHANGE && ct->state == 0 &&
	       (ct->proto == IPPROTO_TCP || ct->proto == IPPROTO_SCTP);
}

static void found(struct fgsp *f, const struct ct *ct, enum source source) {
	uint64_t fp = prints_fp(f->prints, ct);
	struct print *p = prints_find(f->prints, fp);
	enum fgsp_whose whose = fgsp_session_whose(f, ct);
	struct ct fresh = *ct;

	if (!p && whose == FGSP_OWN && !fgsp_session_want(f, ct))
		return;
	if (!agrees(f, p, ct, whose, source) ||
	    (lacks_state(ct, source) && (!p || ct->proto == IPPROTO_SCTP))) {
		if (!read_entry(f, &fresh, fp))
			return;
		whose = fgsp_session_whose(f, &fresh);
	} else if (lacks_state(ct, source)) {
		fresh.state = p->state & 0xf;
	}
	ct = &fresh;
	if (whose != FGSP_COPY)
		found_own(f, p, fp, ct, whose, source);
	else if (source == BY_WALK)
		fgsp_copy_walk(f, p, fp, ct);
	else
		fgsp_copy_changed(f, p, fp, ct);
}

void fgsp_session_walk(struct fgsp *f, const struct ct *ct) {
	found(f, ct, BY_WALK);
}

/* Whether a session may have gone on elsewhere when it ended here. */
static bool is_open(const struct ct *ct, uint8_t state) {
	return ct->proto != IPPROTO_TCP || (state & 0xf) <= TCP_CONNTRACK_ESTABLISHED ||
	       (state & 0xf) == TCP_CONNTRACK_SYN_SENT2;
}

/* One that only timed out, for its packets may come elsewhere, is his who sees them. */
static void end_own(struct fgsp *f, struct print *p, const struct ct *ct, bool expired) {
	uint16_t told = p->peers & (uint16_t)~drop_pending(f, p->fp);

	fgsp_session_say(f, RECORD_DELETE, ct, p->serial, expired && is_open(ct, p->state), told);
	fgsp_session_untell(f, p, p->peers);
	prints_remove(f->prints, p);
}

/*
 * The end of an entry carries no label, so only that of one which was ours from its beginning says
 * for sure which session it was.
 */
static void gone(struct fgsp *f, const struct ct *ct, bool expired) {
	uint64_t fp = prints_fp(f->prints, ct);
	struct print *p = prints_find(f->prints, fp);
	struct ct fresh = *ct;

	note_gone(f, fp);
	if (!p)
		return;
	if (p->kind == PRINT_COPY || p->serial != session_serial(ct))
		if (read_entry(f, &fresh, fp) && session_serial(&fresh) == p->serial)
			return;
	if (p->kind != PRINT_COPY) {
		end_own(f, p, ct, expired);
		return;
	}
	fgsp_copy_unprint(f, p);
	prints_remove(f->prints, p);
}

void fgsp_event(struct fgsp *f, enum fgsp_event what, const struct ct *ct, bool by_us,
		uint64_t now_us) {
	struct ct begun;

	f->now_us = now_us;
	if (by_us || !f->started)
		return;
	if (what == FGSP_NEW && ct->start_ns == 0) {
		begun = *ct;
		begun.start_ns = f->env.wall_ns(f->env.arg);
		ct = &begun;
	}
	if (what == FGSP_GONE || what == FGSP_EXPIRED)
		gone(f, ct, what == FGSP_EXPIRED);
	else
		found(f, ct, what == FGSP_NEW ? BY_NEW : BY_CHANGE);
}

/* ---- expected sessions ---- */

struct print *fgsp_session_master(const struct fgsp *f, const struct ct_expect *e) {
	const struct ct master = { .family = e->family, .proto = e->master_proto, .zone = e->zone,
				   .tuple = { e->master } };

	return prints_find(f->prints, prints_fp(f->prints, &master));
}

/* Whoever has the session that a helper follows is to have what it expects. */
void fgsp_expect(struct fgsp *f, const struct ct_expect *expect, uint64_t now_us) {
	const struct print *p;

	f->now_us = now_us;
	if (!f->started || !f->cluster.expectation)
		return;
	p = fgsp_session_master(f, expect);
	if (!p || p->kind == PRINT_COPY)
		return;
	fgsp_session_flush(f);
	f->out.type = RECORD_EXPECT;
	f->out.serial = 0;
	f->out.vd = 0;
	f->out.expect = *expect;
	FGSP_EACH_MEMBER(f, m, i)
		if (p->peers & 1u << i && fgsp_link_put(f, m))
			f->stats.sent.create_expect++;
}
