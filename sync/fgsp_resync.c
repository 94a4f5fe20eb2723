/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * That both sides of a stream agree on what was told, and how they come to agree again.
 *
 * Everything that needs a tuple needs the kernel's table, for prints have none. So one walk serves
 * all: it proves the prints, sends buckets anew, drops copies that were not refreshed, finds those
 * whose owner is lost or that come near their end, and tells what a changed filter lets through.
 * Walks never overlap, and rest for as long as the last one took. They wait for members whose
 * queues are full, but not for long for one that takes nothing at all: a later one serves it.
 *
 * A digest rides in the stream, so it means the same moment on both sides. A bucket that differs
 * is asked for; if it differs again afterwards, the wait doubles: what cannot be healed, as a copy
 * that has no room in the kernel's table, must not become a storm.
 */
#include "sync/fgsp_impl.h"

#include <string.h>
#include <syslog.h>

#define WALK_US (60 * FGSP_S)
#define WALK_DELAY_US (30 * FGSP_S)    /* with session-pickup-delay: who waits is found by walks */
#define WALK_AGAIN_US (100 * FGSP_MS)
#define DIGEST_US (10 * FGSP_S)
#define ASK_MIN_US (5 * FGSP_S)
#define ASK_MAX_US (600 * FGSP_S)

/* ---- what is to be sent anew ---- */

void fgsp_resync_walk(struct fgsp *f) {
	f->walk.wanted = true;
}

void fgsp_resync_bucket(struct fgsp_member *m, unsigned int bucket, const char *why) {
	fgsp_add_bucket(&m->next, bucket);
	m->resync_why = why;
}

void fgsp_resync_all(struct fgsp_member *m, const char *why) {
	memset(&m->next, 0xff, sizeof(m->next));
	m->resync_why = why;
}

void fgsp_resync(struct fgsp *f, uint64_t now_us) {
	f->now_us = now_us;
	FGSP_EACH_MEMBER(f, m, i)
		fgsp_resync_all(m, "command");
}

bool fgsp_resync_done(const struct fgsp_member *m) {
	return m->end_seq > 0 && !m->sending_anew && !fgsp_any_bucket(&m->next) &&
	       arq_acked(m->arq) >= m->end_seq;
}

static bool put_bracket(struct fgsp *f, struct fgsp_member *m, enum record_type type) {
	f->out.type = type;
	f->out.serial = 0;
	f->out.vd = 0;
	f->out.walk = m->resync;
	memcpy(f->out.buckets, m->now.word, sizeof(f->out.buckets));
	return fgsp_link_put(f, m);
}

static bool can_begin(const struct fgsp *f, const struct fgsp_member *m) {
	return m->connected && fgsp_any_bucket(&m->next) && fgsp_link_has_room(f, m);
}

/* Those whose queue has room get what they lack with the walk that begins. */
static void begin_anew(struct fgsp *f, struct fgsp_member *m) {
	if (!can_begin(f, m))
		return;
	m->now = m->next;
	m->resync++;
	if (!put_bracket(f, m, RECORD_RESYNC_BEGIN))
		return;
	memset(&m->next, 0, sizeof(m->next));
	m->sending_anew = true;
	m->resyncs++;
	m->resync_ns = f->env.wall_ns(f->env.arg);
}

static void end_anew(struct fgsp *f, struct fgsp_member *m, bool whole) {
	if (!m->sending_anew)
		return;
	m->sending_anew = false;
	if (whole && put_bracket(f, m, RECORD_RESYNC_END))
		m->end_seq = arq_mark(m->arq);
	else
		fgsp_join_buckets(&m->next, &m->now);
	m->digest_us = f->now_us + DIGEST_US;
}

/* ---- the walk ---- */

static uint64_t walk_deadline(const struct fgsp_walk *w) {
	uint64_t due = w->wanted ? 0 : w->due_us;

	if (w->running)
		return FGSP_NEVER;
	return due > w->not_before_us ? due : w->not_before_us;
}

static void walk_begin(struct fgsp *f) {
	struct fgsp_walk *w = &f->walk;

	fgsp_session_flush(f);
	w->running = true;
	w->wanted = false;
	w->number = (w->number + 1) % FGSP_WALKS;
	w->begun_us = f->now_us;
	memset(w->gone, 0, sizeof(w->gone));
	w->due_us = f->now_us + (f->cluster.delay ? WALK_DELAY_US : WALK_US);
	FGSP_EACH_MEMBER(f, m, i) {
		m->stale_now = m->stale;
		memset(&m->stale, 0, sizeof(m->stale));
		begin_anew(f, m);
	}
	f->env.walk(f->env.arg);
}

void fgsp_walk_entry(struct fgsp *f, const struct ct *ct, uint64_t now_us) {
	f->now_us = now_us;
	if (f->walk.running && !f->walk.is_void)
		fgsp_session_walk(f, ct);
}

/* Whether the walk waits for a member. */
static bool is_awaited(const struct fgsp *f, const struct fgsp_member *m) {
	return m->sending_anew && m->connected && !fgsp_link_has_room(f, m);
}

bool fgsp_walk_room(const struct fgsp *f) {
	FGSP_EACH_MEMBER(f, m, i)
		if (is_awaited(f, m))
			return false;
	return true;
}

/* Who is stuck gets all that it was to get now once it moves again. */
static void leave_out(struct fgsp *f, struct fgsp_member *m) {
	fgsp_log(f, LOG_WARNING, "Peer %s does not acknowledge, it gets its sessions later",
		 m->serial);
	end_anew(f, m, false);
	m->resync_why = "no acknowledgement";
}

/* The kernel does not have this one. Nothing but its bucket is known to those who have a copy. */
static void missing(void *arg, struct print *p) {
	struct fgsp *f = arg;

	if (p->walk == f->walk.number)
		return;
	if (p->kind == PRINT_COPY)
		fgsp_copy_unprint(f, p);
	FGSP_EACH_MEMBER(f, m, i)
		if (p->peers & 1u << i)
			fgsp_resync_bucket(m, prints_bucket(p->fp), "sessions missed");
	fgsp_session_untell(f, p, p->peers);
	prints_remove(f->prints, p);
}

static void each_print(struct fgsp *f, void (*visit)(void *arg, struct print *p), void *arg) {
	uint64_t cursor = 0;

	while (prints_each(f->prints, &cursor, SIZE_MAX, visit, arg))
		;
}

void fgsp_walk_end(struct fgsp *f, bool whole, uint64_t now_us) {
	struct fgsp_walk *w = &f->walk;

	f->now_us = now_us;
	if (!w->running)
		return;
	w->running = false;
	if (w->is_void) {
		w->is_void = false;
		return;
	}
	fgsp_session_flush(f);
	w->not_before_us = now_us + (now_us - w->begun_us) + WALK_AGAIN_US;
	if (whole)
		each_print(f, missing, f);
	FGSP_EACH_MEMBER(f, m, i) {
		if (!whole)
			fgsp_join_buckets(&m->stale, &m->stale_now);
		memset(&m->stale_now, 0, sizeof(m->stale_now));
		end_anew(f, m, whole);
	}
	w->wanted |= !whole;
	f->walked |= whole;
}

void fgsp_overrun(struct fgsp *f, uint64_t now_us) {
	f->now_us = now_us;
	f->stats.overruns++;
	if (!f->walk.wanted)
		fgsp_log(f, LOG_WARNING, "Events were lost, the table is read again");
	/* Also when a walk is under way: what it has passed may have changed unheard. */
	f->walk.wanted = true;
}

/* ---- what a member sends anew ---- */

/* From now on, copies of another round are not fresh: none of them is looked at. */
static void take_begin(struct fgsp *f, struct fgsp_member *m) {
	memcpy(m->coming.word, f->in.buckets, sizeof(m->coming.word));
	m->coming_number = f->in.walk;
	m->is_coming = true;
	fgsp_drop_buckets(&m->stale, &m->coming);
	fgsp_drop_buckets(&m->stale_now, &m->coming);
	m->unheard = 0;
	for (unsigned int i = 0; i < PRINTS_BUCKETS; i++) {
		if (!fgsp_has_bucket(&m->coming, i))
			continue;
		m->round[i] = (m->round[i] + 1u) % PRINTS_ROUNDS;
		m->unheard += m->copies_in[i];
	}
}

/*
 * The first one ends the joining; only then copies of before a restart may be stale without a
 * print.
 */
static void take_end(struct fgsp *f, struct fgsp_member *m) {
	bool is_first = !m->has_come;

	if (!m->is_coming || m->coming_number != f->in.walk)
		return;
	m->is_coming = false;
	m->has_come = true;
	if (!is_first && m->unheard == 0)
		return;
	fgsp_join_buckets(&m->stale, &m->coming);
	f->walk.wanted = true;
}

static void take_ask(struct fgsp *f, struct fgsp_member *m) {
	struct fgsp_buckets asked;

	memcpy(asked.word, f->in.buckets, sizeof(asked.word));
	fgsp_join_buckets(&m->next, &asked);
	m->resync_why = "tables differ";
}

/* ---- sums ---- */

/*
 * All sums, in as many records as it takes; when they do not all find room, the next ones will do.
 */
static void put_digest(struct fgsp *f, struct fgsp_member *m) {
	fgsp_session_flush(f);
	f->out.type = RECORD_DIGEST;
	f->out.serial = 0;
	f->out.vd = 0;
	for (unsigned int first = 0; first < PRINTS_BUCKETS; first += RECORD_SUMS) {
		unsigned int n = PRINTS_BUCKETS - first;

		n = n < RECORD_SUMS ? n : RECORD_SUMS;
		f->out.first = (uint16_t)first;
		f->out.count = (uint8_t)n;
		memcpy(f->out.sums, &m->told.sum[first], n * sizeof(uint64_t));
		if (!fgsp_link_put(f, m))
			return;
	}
}

static void ask(struct fgsp *f, struct fgsp_member *m) {
	f->out.type = RECORD_RESYNC_ASK;
	f->out.serial = 0;
	f->out.vd = 0;
	f->out.walk = 0;
	memcpy(f->out.buckets, m->asked.word, sizeof(f->out.buckets));
	if (!fgsp_link_put(f, m))
		return;
	m->ask_wait_us = m->ask_wait_us ? fgsp_min(2 * m->ask_wait_us, ASK_MAX_US) : ASK_MIN_US;
	m->ask_us = f->now_us + m->ask_wait_us;
}

static void take_digest(struct fgsp *f, struct fgsp_member *m) {
	unsigned int first = f->in.first, n = f->in.count;

	if (first == 0)
		memset(&m->asked, 0, sizeof(m->asked));
	for (unsigned int i = 0; i < n; i++)
		if (f->in.sums[i] != m->copies.sum[first + i])
			fgsp_add_bucket(&m->asked, first + i);
	if (first + n < PRINTS_BUCKETS || m->is_coming || fgsp_any_bucket(&m->stale) ||
	    fgsp_any_bucket(&m->stale_now))
		return;
	if (!fgsp_any_bucket(&m->asked))
		m->ask_wait_us = 0;
	else if (f->now_us >= m->ask_us)
		ask(f, m);
}

void fgsp_resync_take(struct fgsp *f, struct fgsp_member *m) {
	switch (f->in.type) {
	case RECORD_RESYNC_ASK:
		take_ask(f, m);
		break;
	case RECORD_RESYNC_BEGIN:
		take_begin(f, m);
		break;
	case RECORD_RESYNC_END:
		take_end(f, m);
		break;
	default:
		take_digest(f, m);
	}
}

/* ---- what is due ---- */

/* Sums of buckets that are to be sent anew say nothing. */
static bool has_sums(const struct fgsp_member *m) {
	return m->end_seq > 0 && m->connected && !m->sending_anew && !fgsp_any_bucket(&m->next);
}

void fgsp_resync_check(struct fgsp *f) {
	FGSP_EACH_MEMBER(f, m, i)
		f->walk.wanted |= !m->sending_anew && can_begin(f, m);
}

void fgsp_resync_poll(struct fgsp *f) {
	fgsp_resync_check(f);
	FGSP_EACH_MEMBER(f, m, i)
		if (is_awaited(f, m) && fgsp_link_stuck(f, m))
			leave_out(f, m);
	FGSP_EACH_MEMBER(f, m, i) {
		if (f->now_us < m->digest_us)
			continue;
		if (has_sums(m))
			put_digest(f, m);
		m->digest_us = f->now_us + DIGEST_US;
	}
	if (f->now_us >= walk_deadline(&f->walk))
		walk_begin(f);
}

uint64_t fgsp_resync_deadline(const struct fgsp *f) {
	uint64_t due = walk_deadline(&f->walk);

	if (!f->started)
		return FGSP_NEVER;
	FGSP_EACH_MEMBER(f, m, i) {
		due = fgsp_min(due, m->digest_us);
		if (is_awaited(f, m))
			due = fgsp_min(due, fgsp_link_patience(m));
	}
	return due;
}
