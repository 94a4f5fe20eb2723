/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine as a whole: its configuration, its time, and when held interfaces may go up. The
 * rest is in parts that share fgsp_impl.h: who is there (fgsp_peer.c), datagrams (fgsp_link.c),
 * own sessions (fgsp_session.c), copies (fgsp_copy.c), what members say (fgsp_take.c), and how
 * both sides come to agree (fgsp_resync.c). What commands show is in fgsp_info.c.
 */
#include "sync/fgsp_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define QUERIES_PER_S 4096
#define SETTLE_MIN_US (2 * FGSP_S)

void fgsp_log(const struct fgsp *f, int priority, const char *fmt, ...) {
	char text[768];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	f->env.log(f->env.arg, priority, text);
}

struct fgsp *fgsp_new(const struct fgsp_env *env, uint64_t now_us) {
	struct fgsp *f = xcalloc(1, sizeof(*f));

	f->env = *env;
	f->now_us = now_us;
	f->salt = env->random(env->arg);
	f->queries = (struct rate){ .per_s = QUERIES_PER_S, .burst = QUERIES_PER_S };
	return f;
}

struct fgsp *fgsp_free(struct fgsp *f) {
	if (!f)
		return NULL;
	fgsp_peer_done(f, false);
	prints_free(f->prints);
	buf_done(&f->scratch);
	free(f->claim);
	free(f->local[0]);
	free(f->local[1]);
	explicit_bzero(&f->cluster, sizeof(f->cluster));
	free(f);
	return NULL;
}

/* ---- configuration ---- */

/* Links that are not what they were are down until the system says otherwise. */
static void forget_links(struct fgsp *f, const struct cluster *c) {
	for (unsigned int n = 0; n < FGSP_LINKS; n++) {
		unsigned int dev = n - FGSP_L2;
		const struct cluster *old = &f->cluster;
		bool same;

		if (n >= FGSP_L2)
			same = dev < c->n_devs && dev < old->n_devs &&
			       strcmp(c->dev[dev], old->dev[dev]) == 0;
		else
			same = n < c->n_peers && n < old->n_peers &&
			       net_equal(&c->peer[n].ip, &old->peer[n].ip);
		f->link_up[n] &= same;
	}
}

/* Nothing of before means anything under another key, name or encryption. */
static bool is_other_group(const struct cluster *a, const struct cluster *b) {
	return a->has_key != b->has_key || memcmp(a->key, b->key, sizeof(a->key)) != 0 ||
	       strcmp(a->serial, b->serial) != 0 || a->encrypt != b->encrypt ||
	       a->member_id != b->member_id;
}

static void begin(struct fgsp *f) {
	uint8_t key[SEAL_PRINTS_KEY];
	struct err err = { 0 };

	f->prints = prints_free(f->prints);
	f->stats.copies = f->n_pending = f->n_claims = 0;
	memset(f->pending, 0, sizeof(f->pending));
	memset(f->claimed, 0, sizeof(f->claimed));
	f->walked = false;
	f->walk.is_void = f->walk.running;
	f->id = cluster_unit_id(f->cluster.serial);
	f->started = cluster_is_started(&f->cluster);
	if (f->started && seal_prints_key(f->cluster.key, key, &err) != 0) {
		fgsp_log(f, LOG_ERR, "Replication cannot start: %s", err.text);
		f->started = false;
	}
	if (f->started)
		f->prints = prints_new(key);
	explicit_bzero(key, sizeof(key));
}

/* The longest time after which a peer that does not speak is lost. */
static uint64_t longest_silence(const struct fgsp *f) {
	uint64_t longest = SETTLE_MIN_US;

	for (unsigned int i = 0; i < f->cluster.n_peers; i++) {
		const struct cluster_peer *e = &f->cluster.peer[i];
		uint64_t silence = (uint64_t)e->hb_interval_ms * FGSP_MS * e->hb_lost;

		longest = silence > longest ? silence : longest;
	}
	return longest;
}

void fgsp_configure(struct fgsp *f, const struct cluster *c, uint64_t now_us) {
	bool anew = is_other_group(&f->cluster, c) || cluster_is_started(c) != f->started;

	f->now_us = now_us;
	/* A restarted gatehoused says again what stands: that is no reason to walk the table. */
	if (!anew && cluster_equal(&f->cluster, c))
		return;
	if (f->started)
		fgsp_session_flush(f);
	forget_links(f, c);
	f->cluster = *c;
	if (anew) {
		fgsp_peer_done(f, true);
		begin(f);
	}
	f->settle_us = now_us + longest_silence(f);
	if (f->started)
		fgsp_peer_configure(f);
	fgsp_resync_walk(f);
}

/* ---- time ---- */

/* Whether nothing can be expected of a site any more, or all of it is here. */
static bool is_in(const struct fgsp *f, const struct fgsp_site *s) {
	const struct fgsp_member *m = s->member < 0 ? NULL : &f->member[s->member];

	return m ? m->has_come || fgsp_link_lost(f, m) : f->now_us >= f->settle_us;
}

static void check_ready(struct fgsp *f) {
	bool ready = !f->started || f->walked;

	for (unsigned int i = 0; f->started && i < f->n_sites; i++)
		ready &= is_in(f, &f->site[i]);
	if (!ready || f->ready)
		return;
	f->ready = true;
	f->env.ready(f->env.arg);
}

/* From now on, owners that never spoke count as lost. */
static void settle(struct fgsp *f) {
	if (f->walk.settled == f->settle_us || f->now_us < f->settle_us)
		return;
	f->walk.settled = f->settle_us;
	fgsp_resync_walk(f);
}

void fgsp_poll(struct fgsp *f, uint64_t now_us) {
	f->now_us = now_us;
	if (f->started) {
		settle(f);
		fgsp_take_poll(f);
		fgsp_peer_poll(f);
		fgsp_resync_poll(f);
		fgsp_session_flush(f);
		fgsp_link_poll(f);
	}
	check_ready(f);
}

uint64_t fgsp_deadline(const struct fgsp *f) {
	uint64_t due = fgsp_min(fgsp_take_deadline(f), fgsp_resync_deadline(f));

	if (!f->started)
		return f->ready ? FGSP_NEVER : f->now_us;
	if (f->walk.settled != f->settle_us)
		due = fgsp_min(due, f->settle_us);
	return fgsp_min(due, fgsp_min(fgsp_peer_deadline(f), fgsp_link_deadline(f)));
}

void fgsp_flush(struct fgsp *f, uint64_t now_us) {
	f->now_us = now_us;
	if (!f->started)
		return;
	fgsp_session_flush(f);
	fgsp_resync_check(f);
	FGSP_EACH_MEMBER(f, m, i) {
		fgsp_link_mark(f, m);
		fgsp_link_pump(f, m, true);
	}
}
