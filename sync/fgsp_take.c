/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What members say of sessions. Only who owns a session, as far as is known here, can change or end
 * its copy; the rest of what is said has no effect.
 *
 * A claim is answered after two looks at the entry, a second apart: when no packet has come
 * meanwhile, the session is left to who asks for it. Claims wait in a ring; past its end they are
 * not heard, and the walk of who asked makes him ask again.
 */
#include "sync/fgsp_impl.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdlib.h>

#define LOOK_US FGSP_S
#define OUTLIVED_S 120               /* for a packet to come, once the owner's time is over */

/* The print of the session that f->in speaks of, with its serial; NULL: not known. */
static struct print *find(const struct fgsp *f) {
	struct print *p = prints_find(f->prints, prints_fp(f->prints, &f->in.ct));

	return p && p->serial == f->in.serial ? p : NULL;
}

static bool is_copy_of(const struct fgsp *f, const struct print *p, const struct fgsp_member *m) {
	return p && p->kind == PRINT_COPY && p->owner == fgsp_index(f, m);
}

static bool is_own(const struct print *p) {
	return p && p->kind != PRINT_COPY;
}

/* Read the entry that f->in speaks of, if it is that session. */
static bool read_session(const struct fgsp *f, const struct print *p, struct ct *ct) {
	return f->env.get(f->env.arg, ct) && prints_fp(f->prints, ct) == p->fp &&
	       session_serial(ct) == p->serial;
}

static uint16_t bit(const struct fgsp *f, const struct fgsp_member *m) {
	return (uint16_t)(1u << fgsp_index(f, m));
}

/* ---- UPDATE ---- */

/* How far a TCP connection has come; states of other protocols are not in an order. */
static unsigned int progress(uint8_t proto, unsigned int state) {
	return proto == IPPROTO_TCP && state == TCP_CONNTRACK_SYN_SENT2 ? TCP_CONNTRACK_SYN_SENT :
								       state;
}

/*
 * How long an own session lives in a state that a copy has seen: as our kernel would have it, had
 * the packet come here. What is still open loses nothing by it. Returns the fields to be written.
 */
static unsigned int set_timeout(const struct fgsp *f, struct ct *ct, const struct ct *now) {
	uint32_t usual = f->env.timeout(f->env.arg, ct);
	bool open = progress(ct->proto, ct->state) <= TCP_CONNTRACK_ESTABLISHED;

	ct->timeout = now->timeout;
	if (usual == 0 || (open && usual <= now->timeout))
		return FGSP_STATE | FGSP_STATUS;
	ct->timeout = usual;
	return FGSP_STATE | FGSP_STATUS | FGSP_TIMEOUT;
}

/*
 * A copy elsewhere has seen a packet of an own session. What both know together holds; whoever knew
 * less is told. Only who was told of the session can have a copy.
 */
static void update_own(struct fgsp *f, const struct fgsp_member *m, struct print *p) {
	struct ct *ct = &f->in.ct, now = *ct;
	uint8_t theirs = fgsp_session_state(ct), ours;
	unsigned int fields;

	if (!(p->peers & bit(f, m)) || !read_session(f, p, &now))
		return;
	ours = fgsp_session_state(&now);
	ct->status |= now.status & (IPS_SEEN_REPLY | IPS_ASSURED);
	if (progress(ct->proto, ct->state) < progress(ct->proto, now.state))
		ct->state = now.state;
	p->state = fgsp_session_state(ct) & 0x3f;
	fields = set_timeout(f, ct, &now);
	if (p->state != theirs)
		fgsp_session_say(f, RECORD_UPDATE, ct, p->serial, false, bit(f, m));
	if (p->state == ours)
		return;
	fgsp_copy_update(f, ct, fields, 0);
	fgsp_session_say(f, RECORD_UPDATE, ct, p->serial, false, p->peers & (uint16_t)~bit(f, m));
}

static void take_update(struct fgsp *f, struct fgsp_member *m) {
	struct print *p = find(f);

	f->stats.received.update++;
	if (f->in.from_copy && is_own(p)) {
		update_own(f, m, p);
	} else if (!f->in.from_copy && is_copy_of(f, p, m)) {
		f->in.ct.timeout = fgsp_copy_timeout(f->in.ct.timeout);
		fgsp_copy_update(f, &f->in.ct, FGSP_STATE | FGSP_STATUS | FGSP_TIMEOUT, 0);
		p->state = fgsp_session_state(&f->in.ct) & 0x3f;
	}
}

/* ---- CREATE, DELETE, QUERY ---- */

static void take_create(struct fgsp *f, struct fgsp_member *m) {
	f->stats.received.create++;
	if (!fgsp_session_is_local(f, &f->in.ct))
		fgsp_copy_create(f, m);
}

/*
 * What timed out at its owner while packets came here goes on, as ours. If packets have stopped
 * here, too, it ends soon, though the time it has left may be the grace of a copy.
 */
static void outlive(struct fgsp *f, struct print *p, struct ct *now) {
	if (now->timeout > OUTLIVED_S && now->timeout <= SESSION_COPY_GRACE_S) {
		now->timeout = OUTLIVED_S;
		fgsp_copy_update(f, now, FGSP_TIMEOUT, 0);
	}
	fgsp_copy_adopt(f, p, now, true);
}

/*
 * A session that was adopted while its owner could not be reached, and has seen no packet here,
 * ends with it.
 */
static void take_delete(struct fgsp *f, struct fgsp_member *m) {
	struct print *p = find(f);
	struct ct now = f->in.ct;

	f->stats.received.delete++;
	if (is_copy_of(f, p, m)) {
		if (f->in.expired && p->seen && read_session(f, p, &now) &&
		    fgsp_session_whose(f, &now) == FGSP_COPY) {
			outlive(f, p, &now);
			return;
		}
		fgsp_copy_delete(f, &f->in.ct, p->serial, f->in.expired);
		fgsp_copy_unprint(f, p);
	} else if (p && p->kind == PRINT_ADOPTED) {
		fgsp_copy_delete(f, &f->in.ct, p->serial, true);
		fgsp_session_say(f, RECORD_DELETE, &f->in.ct, p->serial, false, p->peers);
		fgsp_session_untell(f, p, p->peers);
	} else {
		return;
	}
	prints_remove(f->prints, p);
}

/* Who asks for a session that is not known here hears so; how it ended, nobody knows. */
static void disown(struct fgsp *f, const struct fgsp_member *m) {
	bool unknown = !is_own(prints_find(f->prints, prints_fp(f->prints, &f->in.ct)));

	fgsp_session_say(f, RECORD_DELETE, &f->in.ct, f->in.serial, unknown, bit(f, m));
}

/* The end of one that is not in the kernel any more will be heard, and told as what it was. */
static void take_query(struct fgsp *f, struct fgsp_member *m) {
	struct print *p = find(f);
	struct ct now = f->in.ct;

	f->stats.received.query++;
	if (p && p->kind == PRINT_COPY && p->owner != fgsp_index(f, m))
		return;
	if (!is_own(p) || !(p->peers & bit(f, m)))
		disown(f, m);
	else if (read_session(f, p, &now))
		fgsp_session_say(f, RECORD_UPDATE, &now, p->serial, false, bit(f, m));
}

/* ---- CLAIM, YIELD ---- */

static uint64_t packets(const struct ct *ct) {
	return ct->count[CT_ORIG].packets + ct->count[CT_REPLY].packets;
}

static bool is_claimed(const struct fgsp *f, uint64_t fp) {
	if (f->claimed[fp % ARRAY_LEN(f->claimed)] == 0)
		return false;
	for (unsigned int i = 0; i < f->n_claims; i++)
		if (f->claim[(f->first_claim + i) % FGSP_CLAIMS].fp == fp)
			return true;
	return false;
}

void fgsp_take_forget(struct fgsp *f, unsigned int member) {
	for (unsigned int i = 0; i < f->n_claims; i++) {
		struct fgsp_claim *c = &f->claim[(f->first_claim + i) % FGSP_CLAIMS];

		if (c->member == member)
			c->serial = 0;
	}
}

static void take_claim(struct fgsp *f, struct fgsp_member *m) {
	struct print *p = find(f);
	struct ct now = f->in.ct;
	uint8_t *claimed;

	if (!p && !prints_find(f->prints, prints_fp(f->prints, &now)))
		disown(f, m);
	if (!is_own(p) || f->n_claims == FGSP_CLAIMS)
		return;
	claimed = &f->claimed[p->fp % ARRAY_LEN(f->claimed)];
	if (*claimed == UINT8_MAX || is_claimed(f, p->fp) || !read_session(f, p, &now))
		return;
	/* From now on it sees only a part of the packets: windows mean nothing. */
	fgsp_copy_update(f, &now, FGSP_LIBERAL, 0);
	if (!f->claim)
		f->claim = xcalloc(FGSP_CLAIMS, sizeof(*f->claim));
	f->claim[(f->first_claim + f->n_claims++) % FGSP_CLAIMS] = (struct fgsp_claim){
		.fp = p->fp, .serial = p->serial, .packets = packets(&now),
		.due_us = f->now_us + LOOK_US, .member = (uint8_t)fgsp_index(f, m),
		.family = now.family, .proto = now.proto, .zone = now.zone,
		.tuple = now.tuple[CT_ORIG],
	};
	++*claimed;
}

/* Look again at a session that was asked for. If it is gone, its end will be heard. */
static void decide(struct fgsp *f, const struct fgsp_claim *c) {
	struct ct now = { .family = c->family, .proto = c->proto, .zone = c->zone,
			  .tuple = { c->tuple } };
	struct print *p = prints_find(f->prints, c->fp);
	uint16_t to = (uint16_t)(1u << c->member);

	if (!is_own(p) || p->serial != c->serial || !f->member[c->member].used ||
	    !read_session(f, p, &now))
		return;
	if (packets(&now) != c->packets) {
		fgsp_session_say(f, RECORD_KEEP, &now, p->serial, false, to);
		return;
	}
	fgsp_session_say(f, RECORD_YIELD, &now, p->serial, false, to);
	fgsp_copy_yield(f, p, &now, c->member);
}

void fgsp_take_poll(struct fgsp *f) {
	while (f->n_claims > 0 && f->claim[f->first_claim].due_us <= f->now_us) {
		struct fgsp_claim *c = &f->claim[f->first_claim];

		decide(f, c);
		f->claimed[c->fp % ARRAY_LEN(f->claimed)]--;
		f->first_claim = (f->first_claim + 1) % FGSP_CLAIMS;
		f->n_claims--;
	}
}

uint64_t fgsp_take_deadline(const struct fgsp *f) {
	return f->n_claims > 0 ? f->claim[f->first_claim].due_us : FGSP_NEVER;
}

static void take_yield(struct fgsp *f, struct fgsp_member *m) {
	struct print *p = find(f);
	struct ct now = f->in.ct;

	if (is_copy_of(f, p, m) && read_session(f, p, &now) &&
	    fgsp_session_whose(f, &now) == FGSP_COPY)
		fgsp_copy_adopt(f, p, &now, true);
}

/* SEEN stays until the next walk: it asks again, not every packet. */
static void take_keep(struct fgsp *f, struct fgsp_member *m) {
	(void)f;
	(void)m;
}

/* ---- EXPECT ---- */

static void take_expect(struct fgsp *f, struct fgsp_member *m) {
	f->stats.received.create_expect++;
	if (!is_copy_of(f, fgsp_session_master(f, &f->in.expect), m))
		return;
	f->change = (struct fgsp_change){ .what = FGSP_EXPECT, .expect = &f->in.expect };
	f->env.write(f->env.arg, &f->change);
}

bool fgsp_take(struct fgsp *f, struct fgsp_member *m, const uint8_t *data, size_t len) {
	static void (*const take[])(struct fgsp *f, struct fgsp_member *m) = {
		[RECORD_CREATE] = take_create,
		[RECORD_UPDATE] = take_update,
		[RECORD_DELETE] = take_delete,
		[RECORD_QUERY] = take_query,
		[RECORD_CLAIM] = take_claim,
		[RECORD_YIELD] = take_yield,
		[RECORD_KEEP] = take_keep,
		[RECORD_EXPECT] = take_expect,
		[RECORD_RESYNC_ASK] = fgsp_resync_take,
		[RECORD_RESYNC_BEGIN] = fgsp_resync_take,
		[RECORD_RESYNC_END] = fgsp_resync_take,
		[RECORD_DIGEST] = fgsp_resync_take,
	};
	struct buf_reader reader;

	buf_reader_init(&reader, data, len);
	while (record_decode(&reader, &f->in))
		take[f->in.type](f, m);
	return !reader.bad;
}
