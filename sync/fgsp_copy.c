/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Copies of sessions that other units own, and how sessions change their owner.
 *
 * Where a CREATE meets an own session of the same tuple, one of both is right: who has seen a
 * packet of it, then the session that was answered, then the smaller unit id. Both sides come to
 * the same end without asking, for what is compared can only grow while a session is owned; the
 * one that stays owner says CREATE again, so that the other hears of it whatever crossed on the
 * way. An entry in the kernel that has no print, because it need not be told, is judged by the
 * same rule.
 */
#include "sync/fgsp_impl.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <string.h>
#include <syslog.h>

#define STATUS (IPS_SEEN_REPLY | IPS_ASSURED)
#define NS_PER_MS UINT64_C(1000000)

#define ADOPTED_MIN_S 120            /* to live at least, however close to its end it seemed */
#define LEFT_MAX_S 2764800u          /* the largest session-ttl */
#define HEIR_PATIENCE_US (45 * FGSP_S)

/* What comes back with a failed write. */
#define COOKIE_OWNER 0xfu
#define COOKIE_UNSEEN 0x10u
#define COOKIE_AGAIN 0x20u

/* ---- writes ---- */

/* Make the label of a copy. */
static void set_label(struct ct *ct, uint16_t owner, uint32_t serial, uint64_t start_ns) {
	uint64_t ms = start_ns / NS_PER_MS;

	ct->label[0] = FGSP_LABEL_COPY | (uint64_t)owner << SESSION_LABEL_OWNER |
		       (uint64_t)serial << SESSION_LABEL_SERIAL;
	ct->label[1] = (ms / 1000 & UINT32_MAX) | ms % 1000 << (SESSION_LABEL_START_MS - 64);
}

static void write_change(struct fgsp *f, enum fgsp_write what, const struct ct *ct) {
	f->change.what = what;
	f->change.ct = *ct;
	f->env.write(f->env.arg, &f->change);
}

void fgsp_copy_update(struct fgsp *f, const struct ct *ct, unsigned int fields,
		      uint64_t label_mask) {
	f->change.fields = fields;
	f->change.whole = false;
	f->change.cookie = COOKIE_AGAIN;
	f->change.label_mask[0] = label_mask;
	f->change.label_mask[1] = label_mask & FGSP_LABEL_SERIAL ? FGSP_LABEL_START : 0;
	write_change(f, FGSP_UPDATE, ct);
}

/* Delete the entry with the tuple of ct, if these bits of its label are so. */
static void delete_if(struct fgsp *f, const struct ct *ct, uint64_t label, uint64_t mask) {
	f->change.fields = 0;
	f->change.label_mask[0] = mask;
	f->change.label_mask[1] = 0;
	f->change.cookie = COOKIE_AGAIN;
	f->change.ct = *ct;
	f->change.ct.label[0] = label;
	f->change.what = FGSP_DELETE;
	f->env.write(f->env.arg, &f->change);
}

void fgsp_copy_delete(struct fgsp *f, const struct ct *ct, uint32_t serial, bool unseen) {
	uint64_t mask = FGSP_LABEL_COPY | FGSP_LABEL_SERIAL | (unseen ? FGSP_LABEL_SEEN : 0);

	delete_if(f, ct, FGSP_LABEL_COPY | (uint64_t)serial << SESSION_LABEL_SERIAL, mask);
}

/* Write a copy that is not there, or is to be as ct says: label made, grace in the timeout. */
static void write_copy(struct fgsp *f, enum fgsp_write what, const struct ct *ct, uint32_t cookie) {
	f->change.fields = FGSP_STATE | FGSP_STATUS | FGSP_TIMEOUT | FGSP_LABEL | FGSP_MARK;
	f->change.whole = true;
	f->change.cookie = cookie;
	f->change.label_mask[0] = FGSP_LABEL_COPY | FGSP_LABEL_OWNER | FGSP_LABEL_SERIAL;
	f->change.label_mask[1] = FGSP_LABEL_START;
	write_change(f, what, ct);
}

/* A copy is not made; said once a minute. */
static void miss(struct fgsp *f, struct fgsp_missing *m, const char *why) {
	m->n++;
	if (f->now_us < m->next_us)
		return;
	fgsp_log(f, LOG_WARNING, "Sessions of peers that have no copy here, so far %" PRIu64 ": %s",
		 m->n, why);
	m->next_us = f->now_us + 60 * FGSP_S;
}

/* ---- prints ---- */

/* Whether a copy was told since its owner began to send its bucket anew. */
static bool is_fresh(const struct fgsp_member *m, const struct print *p) {
	return p->round == m->round[prints_bucket(p->fp)];
}

/* Whether its owner is about to tell it again, and has not yet. */
static bool is_awaited(const struct fgsp_member *m, const struct print *p) {
	return m->is_coming && fgsp_has_bucket(&m->coming, prints_bucket(p->fp)) && !is_fresh(m, p);
}

static void refreshed(struct fgsp *f, struct print *p) {
	struct fgsp_member *m = &f->member[p->owner];

	m->unheard -= is_awaited(m, p);
	p->round = m->round[prints_bucket(p->fp)] % PRINTS_ROUNDS;
}

/* A copy of a member is one more or one less. */
static void count_copy(struct fgsp_member *m, const struct print *p, int more) {
	unsigned int bucket = prints_bucket(p->fp);

	m->copies.sum[bucket] ^= prints_weight(p->fp, p->serial);
	m->copies.count += (uint64_t)more;
	m->copies_in[bucket] += (uint32_t)more;
	if (is_awaited(m, p))
		m->unheard += (uint64_t)more;
}

void fgsp_copy_print(struct fgsp *f, struct print *p, unsigned int owner, uint32_t serial) {
	struct fgsp_member *m = &f->member[owner];

	p->kind = PRINT_COPY;
	p->owner = owner & 15;
	p->serial = serial;
	p->walk = f->walk.number & 3;
	f->stats.copies++;
	if (owner == FGSP_NOBODY)
		return;
	p->round = (m->round[prints_bucket(p->fp)] - 1u) % PRINTS_ROUNDS;
	count_copy(m, p, 1);
}

void fgsp_copy_unprint(struct fgsp *f, struct print *p) {
	f->stats.copies--;
	p->kind = 0;
	p->seen = 0;
	if (p->owner != FGSP_NOBODY)
		count_copy(&f->member[p->owner], p, -1);
	p->peers = 0;
}

/* ---- one owner ---- */

static unsigned int rank(bool seen, uint32_t status) {
	return (seen ? 2u : 0) + (status & IPS_SEEN_REPLY ? 1u : 0);
}

static bool is_same_tuple(const struct ct_tuple *x, const struct ct_tuple *y) {
	return net_equal(&x->src, &y->src) && net_equal(&x->dst, &y->dst) &&
	       x->sport == y->sport && x->dport == y->dport;
}

static bool is_same_reply(const struct ct *a, const struct ct *b) {
	return is_same_tuple(&a->tuple[CT_REPLY], &b->tuple[CT_REPLY]);
}

/* The print becomes a copy as *ct says, which is in the kernel in place of an own session. */
static void lose(struct fgsp *f, struct print *p, const struct ct *own, const struct ct *ct,
		 unsigned int owner, uint32_t cookie) {
	uint32_t serial = session_serial(ct);

	if (session_serial(own) == serial && is_same_reply(own, ct)) {
		write_copy(f, FGSP_UPDATE, ct, cookie);
	} else {
		delete_if(f, own, 0, 0);
		write_copy(f, FGSP_CREATE, ct, cookie);
	}
	if (p->kind == PRINT_COPY)
		return;
	fgsp_session_flush(f);
	fgsp_session_untell(f, p, p->peers);
	fgsp_copy_print(f, p, owner, serial);
	refreshed(f, p);
}

/* Ours stays: say so, for its owner cannot know. */
static void win(struct fgsp *f, struct print *p, const struct ct *own, unsigned int owner) {
	uint16_t to = fgsp_session_want(f, own) & (uint16_t)(1u << owner);

	if (p->kind == PRINT_COPY) {
		if (!to)
			return;
		fgsp_copy_unprint(f, p);
		fgsp_session_own(f, p, own, fgsp_session_whose(f, own) == FGSP_OWN);
		return;
	}
	fgsp_session_create(f, p, own, to);
}

/* A session of a member meets an own one. *ct is the copy that is to be made. */
static void meet(struct fgsp *f, struct print *p, const struct ct *own, const struct ct *ct,
		 unsigned int owner, uint32_t cookie) {
	unsigned int ours = rank(fgsp_session_whose(f, own) == FGSP_OWN, own->status);
	unsigned int theirs = rank(!(cookie & COOKIE_UNSEEN), ct->status);

	f->stats.clashes += session_serial(own) != session_serial(ct);
	if (ours > theirs || (ours == theirs && f->id < f->member[owner].id))
		win(f, p, own, owner);
	else
		lose(f, p, own, ct, owner, cookie);
}

/* ---- CREATE ---- */

/* The copy of this session is here already. */
static void refresh(struct fgsp *f, struct print *p, const struct ct *ct, unsigned int owner,
		    uint32_t cookie) {
	if (p->serial != f->in.serial) {
		fgsp_copy_delete(f, ct, p->serial, false);
		write_copy(f, FGSP_CREATE, ct, cookie);
	} else {
		write_copy(f, FGSP_UPDATE, ct, cookie);
	}
	if (p->owner != owner || p->serial != f->in.serial) {
		fgsp_copy_unprint(f, p);
		fgsp_copy_print(f, p, owner, f->in.serial);
	}
}

/* The print says that this session is ours; the kernel knows better what there is. */
static void conflict(struct fgsp *f, struct print *p, const struct ct *ct, unsigned int owner,
		     uint32_t cookie) {
	struct ct own = *ct;

	if (f->env.get(f->env.arg, &own) && prints_fp(f->prints, &own) == p->fp &&
	    fgsp_session_whose(f, &own) != FGSP_COPY) {
		meet(f, p, &own, ct, owner, cookie);
		return;
	}
	fgsp_session_flush(f);
	fgsp_session_untell(f, p, p->peers);
	fgsp_copy_print(f, p, owner, f->in.serial);
	write_copy(f, FGSP_CREATE, ct, cookie);
}

uint32_t fgsp_copy_timeout(uint32_t left) {
	return (left < LEFT_MAX_S ? left : LEFT_MAX_S) + SESSION_COPY_GRACE_S;
}

/*
 * The print of a session that a member tells. NULL: there is no room for one more, which the sums
 * will tell, so it comes again; what is here already goes on.
 */
static struct print *add_print(struct fgsp *f, uint64_t fp, bool *added) {
	if (!prints_find(f->prints, fp) && f->env.full(f->env.arg)) {
		f->stats.no_room++;
		miss(f, &f->roomless, "the table of sessions is nearly full");
		return NULL;
	}
	return prints_add(f->prints, fp, added);
}

void fgsp_copy_create(struct fgsp *f, struct fgsp_member *m) {
	unsigned int owner = fgsp_index(f, m);
	uint32_t cookie = owner | (f->in.unseen ? COOKIE_UNSEEN : 0);
	struct ct *ct = &f->in.ct;
	bool added;
	struct print *p = add_print(f, prints_fp(f->prints, ct), &added);

	if (!p)
		return;
	ct->status &= STATUS;
	ct->timeout = fgsp_copy_timeout(ct->timeout);
	set_label(ct, m->id, f->in.serial, ct->start_ns);
	if (added) {
		fgsp_copy_print(f, p, owner, f->in.serial);
		write_copy(f, FGSP_CREATE, ct, cookie);
	} else if (p->kind == PRINT_COPY) {
		refresh(f, p, ct, owner, cookie);
	} else {
		conflict(f, p, ct, owner, cookie);
	}
	if (p->kind == PRINT_COPY) {
		fgsp_session_note(p, ct);
		refreshed(f, p);
		p->walk = f->walk.number & 3;
	}
}

/* ---- writes that failed ---- */

/*
 * Whether an own session is nothing but replies to a member's: they came here before the copy did,
 * and nobody answers them. Of two that may be replies to each other the one that began first is the
 * request, then that of the smaller unit id: a session is told to have begun when it did or later,
 * so not both give way.
 */
static bool is_reply_to(const struct fgsp *f, const struct ct *own, const struct ct *ct,
			unsigned int owner) {
	uint64_t ours = fgsp_session_start(own) / NS_PER_MS;
	uint64_t theirs = fgsp_session_start(ct) / NS_PER_MS;

	if (fgsp_session_whose(f, own) != FGSP_OWN || own->status & IPS_SEEN_REPLY ||
	    !is_same_tuple(&own->tuple[CT_ORIG], &ct->tuple[CT_REPLY]))
		return false;
	return ct->status & IPS_SEEN_REPLY || theirs < ours ||
	       (theirs == ours && f->member[owner].id < f->id);
}

/* End an own session for all. */
static void give_way(struct fgsp *f, const struct ct *own) {
	struct print *p = prints_find(f->prints, prints_fp(f->prints, own));

	if (p && p->kind != PRINT_COPY) {
		fgsp_session_say(f, RECORD_DELETE, own, p->serial, false, p->peers);
		fgsp_session_untell(f, p, p->peers);
		prints_remove(f->prints, p);
	}
	delete_if(f, own, 0, FGSP_LABEL_COPY);
}

/* The same of a copy, that nobody stands for any more. */
static bool remove_copy(struct fgsp *f, const struct ct *other, const struct ct *ct,
			unsigned int owner) {
	struct print *p = prints_find(f->prints, prints_fp(f->prints, other));

	if (p && p->kind == PRINT_COPY) {
		if (p->owner != FGSP_NOBODY && p->owner != owner &&
		    !fgsp_link_lost(f, &f->member[p->owner]) &&
		    p->fp < prints_fp(f->prints, ct))
			return false;
		fgsp_copy_unprint(f, p);
		prints_remove(f->prints, p);
	}
	fgsp_copy_delete(f, other, session_serial(other), false);
	return true;
}

/*
 * The reply tuple of a copy is taken by another entry. Where that one stays the copy's print does
 * as well: sums that differ all the time would be looked at ever less often. The next walk removes
 * it, so that it is tried again.
 */
static void free_reply(struct fgsp *f, const struct ct *ct, unsigned int owner, uint32_t cookie) {
	struct ct other = { .family = ct->family, .proto = ct->proto, .zone = ct->zone,
			    .tuple = { ct->tuple[CT_REPLY] } };

	bool there = f->env.get(f->env.arg, &other);

	f->stats.clashes++;
	if (there && is_reply_to(f, &other, ct, owner)) {
		give_way(f, &other);
	} else if (!there || fgsp_session_whose(f, &other) != FGSP_COPY ||
		   !remove_copy(f, &other, ct, owner)) {
		miss(f, &f->unplaced, "another session has their place");
		return;
	}
	write_copy(f, FGSP_CREATE, ct, cookie | COOKIE_AGAIN);
}

/* There is an entry with the original or the reply tuple of the copy that was to be made. */
static bool taken(struct fgsp *f, struct print *p, const struct ct *ct, uint32_t cookie) {
	unsigned int owner = cookie & COOKIE_OWNER;
	bool again = cookie & COOKIE_AGAIN;
	struct ct now = *ct;

	cookie |= COOKIE_AGAIN;
	if (!f->env.get(f->env.arg, &now) || prints_fp(f->prints, &now) != p->fp) {
		if (!again)
			free_reply(f, ct, owner, cookie);
		return !again;
	}
	if (fgsp_session_whose(f, &now) == FGSP_COPY &&
	    session_serial(&now) == session_serial(ct) && is_same_reply(&now, ct)) {
		write_copy(f, FGSP_UPDATE, ct, cookie);
		return true;
	}
	if (again)
		return false;
	if (fgsp_session_whose(f, &now) != FGSP_COPY) {
		meet(f, p, &now, ct, owner, cookie);
		return true;
	}
	fgsp_copy_delete(f, ct, session_serial(&now), false);
	write_copy(f, FGSP_CREATE, ct, cookie);
	return true;
}

/* A copy that cannot be made is forgotten; the sums will tell that it is missing. */
static void give_up(struct fgsp *f, struct print *p, int error) {
	f->stats.write_errors++;
	if (p->kind != PRINT_COPY)
		return;
	miss(f, &f->unplaced, strerror(error));
	fgsp_copy_unprint(f, p);
	prints_remove(f->prints, p);
}

/*
 * Do a write in another way; false: there is none. Others may have followed it: state and status
 * are those that were told last, and a mark that is not the last one is left to the write that has
 * it.
 */
static bool retry(struct fgsp *f, struct print *p, struct fgsp_change *failed, int error) {
	bool again = failed->cookie & COOKIE_AGAIN, last = fgsp_session_is_mark(p, &failed->ct);

	fgsp_session_restate(p, &failed->ct);
	if (failed->what == FGSP_UPDATE && error == EBUSY && failed->fields & FGSP_STATUS) {
		failed->fields &= last ? ~FGSP_STATUS : ~(FGSP_STATUS | FGSP_MARK);
		f->env.write(f->env.arg, failed);
		return true;
	}
	if (!failed->whole || !f->member[failed->cookie & COOKIE_OWNER].used)
		return false;
	if (!last)
		return true;
	if (failed->what == FGSP_CREATE && error == EEXIST)
		return taken(f, p, &failed->ct, failed->cookie);
	if (failed->what != FGSP_UPDATE || error != ENOENT || again)
		return false;
	write_copy(f, FGSP_CREATE, &failed->ct, failed->cookie | COOKIE_AGAIN);
	return true;
}

void fgsp_write_failed(struct fgsp *f, const struct fgsp_change *change, int error,
		       uint64_t now_us) {
	struct fgsp_change failed = *change;
	struct print *p;

	f->now_us = now_us;
	if (failed.what == FGSP_DELETE || failed.what == FGSP_EXPECT || !f->started)
		return;
	p = prints_find(f->prints, prints_fp(f->prints, &failed.ct));
	if (!p || (failed.whole && p->serial != session_serial(&failed.ct)))
		return;
	if (!retry(f, p, &failed, error))
		give_up(f, p, error);
}

/* ---- change of owner ---- */

/* One that the rules of this unit refuse stays a copy: what it has seen does not count. */
void fgsp_copy_adopt(struct fgsp *f, struct print *p, const struct ct *ct, bool seen) {
	struct ct own = *ct;
	unsigned int fields = FGSP_LABEL;

	seen = seen && !session_label(ct, SESSION_LABEL_REFUSED, 1);
	fgsp_copy_unprint(f, p);
	own.label[0] &= ~(FGSP_LABEL_OWNER | FGSP_LABEL_SEEN | FGSP_LABEL_COPY);
	own.label[0] |= (uint64_t)f->id << SESSION_LABEL_OWNER | (seen ? 0 : FGSP_LABEL_COPY);
	if (!seen) {
		uint32_t least = own.timeout < ADOPTED_MIN_S ? own.timeout : ADOPTED_MIN_S;

		fields |= FGSP_TIMEOUT;
		own.timeout = own.timeout > SESSION_COPY_GRACE_S + least ?
				      own.timeout - SESSION_COPY_GRACE_S : least;
	}
	fgsp_copy_update(f, &own, fields,
			 FGSP_LABEL_OWNER | FGSP_LABEL_COPY | (seen ? FGSP_LABEL_SEEN : 0));
	f->stats.adopted++;
	fgsp_session_own(f, p, &own, seen);
}

void fgsp_copy_yield(struct fgsp *f, struct print *p, const struct ct *ct, unsigned int owner) {
	struct ct copy = *ct;
	uint32_t serial = p->serial;

	fgsp_session_flush(f);
	fgsp_session_untell(f, p, p->peers);
	set_label(&copy, f->member[owner].id, serial, fgsp_session_start(ct));
	copy.timeout += SESSION_COPY_GRACE_S;
	fgsp_copy_update(f, &copy, FGSP_LABEL | FGSP_TIMEOUT,
			 FGSP_LABEL_COPY | FGSP_LABEL_SEEN | FGSP_LABEL_OWNER | FGSP_LABEL_SERIAL);
	fgsp_copy_print(f, p, owner, serial);
	fgsp_session_note(p, ct);
	f->stats.yielded++;
}

static uint64_t weight_of(uint64_t fp, uint16_t id) {
	uint64_t h = (fp ^ id) * UINT64_C(0x9e3779b97f4a7c15);

	h = (h ^ h >> 32) * UINT64_C(0xd6e8feb86659fd93);
	return h ^ h >> 32;
}

/*
 * Whether this unit takes over what a lost member owned, since `lost_us`: of those that are there,
 * the one with the highest hash. If that one does not, because it has no such copy, whoever has
 * one.
 */
static bool is_heir(const struct fgsp *f, uint64_t fp, uint64_t lost_us) {
	uint64_t own = weight_of(fp, f->id);

	if (f->now_us >= lost_us + HEIR_PATIENCE_US)
		return true;
	FGSP_EACH_MEMBER(f, m, i)
		if (m->connected && weight_of(fp, m->id) > own)
			return false;
	return true;
}

/* ---- what the kernel shows ---- */

/* A copy whose owner is not there. */
static void orphan(struct fgsp *f, struct print *p, const struct ct *ct, uint64_t lost_us) {
	bool seen = session_label(ct, SESSION_LABEL_SEEN, 1);

	if (seen || is_heir(f, p->fp, lost_us))
		fgsp_copy_adopt(f, p, ct, seen);
}

/*
 * A copy whose owner is there: gone at the owner, near its end, or ours by now. SEEN is taken
 * back, so that the next packet asks anew for a session that was not given.
 */
static void tend(struct fgsp *f, struct print *p, const struct ct *ct, struct fgsp_member *m) {
	bool seen = session_label(ct, SESSION_LABEL_SEEN, 1);
	struct ct unseen = *ct;

	if (!is_fresh(m, p) && fgsp_has_bucket(&m->stale_now, prints_bucket(p->fp))) {
		if (seen || p->seen) {
			fgsp_copy_adopt(f, p, ct, true);
			return;
		}
		fgsp_copy_delete(f, ct, p->serial, true);
		fgsp_copy_unprint(f, p);
		prints_remove(f->prints, p);
		return;
	}
	p->seen = seen;
	if (seen) {
		unseen.label[0] &= ~FGSP_LABEL_SEEN;
		fgsp_copy_update(f, &unseen, FGSP_LABEL, FGSP_LABEL_SEEN);
	}
	if (ct->timeout >= SESSION_COPY_GRACE_S)
		return;
	if (rate_take(&f->queries, f->now_us * 1000))
		fgsp_session_say(f, RECORD_QUERY, ct, p->serial, false,
				 (uint16_t)(1u << fgsp_index(f, m)));
	else
		f->walk.wanted = true; /* the others are asked about soon, not a walk later */
}

/* The print of a copy in the kernel, with the owner that its label names. */
static struct print *print_of(struct fgsp *f, struct print *p, uint64_t fp, const struct ct *ct) {
	int owner = fgsp_peer_find(f, (uint16_t)session_label(ct, SESSION_LABEL_OWNER, 16));
	uint32_t serial = session_serial(ct);
	bool added;

	if (!p && !(p = prints_add(f->prints, fp, &added)))
		return NULL;
	if (p->kind == PRINT_COPY && p->serial == serial &&
	    p->owner == (owner < 0 ? FGSP_NOBODY : (unsigned int)owner))
		return p;
	if (p->kind == PRINT_COPY) {
		fgsp_copy_unprint(f, p);
	} else if (p->kind) {
		fgsp_session_flush(f);
		fgsp_session_untell(f, p, p->peers);
	}
	fgsp_copy_print(f, p, owner < 0 ? FGSP_NOBODY : (unsigned int)owner, serial);
	fgsp_session_note(p, ct);
	return p;
}

void fgsp_copy_walk(struct fgsp *f, struct print *p, uint64_t fp, const struct ct *ct) {
	struct fgsp_member *m;

	p = print_of(f, p, fp, ct);
	if (!p)
		return;
	p->walk = f->walk.number & 3;
	m = p->owner == FGSP_NOBODY ? NULL : &f->member[p->owner];
	if (m && !fgsp_link_lost(f, m))
		tend(f, p, ct, m);
	else if (m || f->now_us >= f->settle_us)
		orphan(f, p, ct, m ? m->lost_us : f->settle_us);
}

/* A packet came through here. Its owner hears what it changed, and is asked for the session. */
void fgsp_copy_changed(struct fgsp *f, struct print *p, uint64_t fp, const struct ct *ct) {
	uint8_t state = fgsp_session_state(ct);
	struct fgsp_member *m;

	p = print_of(f, p, fp, ct);
	if (!p || !session_label(ct, SESSION_LABEL_SEEN, 1))
		return;
	p->seen = 1;
	m = p->owner == FGSP_NOBODY ? NULL : &f->member[p->owner];
	if (m && !fgsp_link_lost(f, m)) {
		uint16_t owner = (uint16_t)(1u << p->owner);

		if (state != p->state)
			fgsp_session_say(f, RECORD_UPDATE, ct, p->serial, true, owner);
		fgsp_session_say(f, RECORD_CLAIM, ct, p->serial, false, owner);
		p->state = state & 0x3f;
	} else if (m || f->now_us >= f->settle_us) {
		fgsp_copy_adopt(f, p, ct, true);
	}
}
