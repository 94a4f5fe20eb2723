/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What commands show of the machine: counters, and each peer as it stands. */
#include "sync/fgsp_impl.h"

#include <stdio.h>
#include <string.h>

/* The smallest MTU of the links that are up. */
static unsigned int least_mtu(const struct fgsp *f) {
	unsigned int least = 0;

	for (unsigned int i = 0; i < FGSP_LINKS; i++)
		if (f->link_up[i] && (least == 0 || f->link_mtu[i] < least))
			least = f->link_mtu[i];
	return least;
}

void fgsp_stats(const struct fgsp *f, struct fgsp_stats *stats) {
	*stats = f->stats;
	stats->started = f->started;
	stats->ready = f->ready;
	stats->mtu = least_mtu(f);
	stats->memory = sizeof(*f) + (f->claim ? FGSP_CLAIMS * sizeof(*f->claim) : 0);
	if (f->prints) {
		stats->own = prints_count(f->prints) - f->stats.copies;
		stats->memory += prints_bytes(f->prints);
	}
	FGSP_EACH_MEMBER(f, m, i) {
		struct arq_stats arq;

		arq_stats(m->arq, &arq);
		stats->memory += arq.queued_bytes + arq.early_bytes;
	}
}

static enum fgsp_peer_state state_of(const struct fgsp_member *m) {
	if (m->sending < 0)
		return m->end_seq ? FGSP_PEER_LOST : FGSP_PEER_CONNECTING;
	if (!m->connected)
		return FGSP_PEER_LOST;
	return m->has_come && fgsp_resync_done(m) ? FGSP_PEER_IN_SYNC : FGSP_PEER_SYNCING;
}

void fgsp_info_keep(struct fgsp_member *m) {
	struct ladder_stats ladder;
	struct arq_stats arq;

	if (!m->arq)
		return;
	ladder_stats(m->ladder, &ladder);
	arq_stats(m->arq, &arq);
	m->before.lost += arq.asked;
	m->before.repaired += arq.again;
	m->before.link_changes += ladder.changes;
	m->before.disconnects += ladder.disconnects;
}

static void fill_member(const struct fgsp *f, const struct fgsp_member *m,
			struct fgsp_peer_info *info) {
	struct ladder_stats ladder;
	struct arq_stats arq;

	ladder_stats(m->ladder, &ladder);
	arq_stats(m->arq, &arq);
	info->state = state_of(m);
	memcpy(info->serial, m->serial, sizeof(info->serial));
	info->unit_id = m->id;
	info->epoch = m->sending < 0 ? 0 : m->epoch;
	snprintf(info->link, sizeof(info->link), "%s", ladder.text);
	info->rtt_us = ladder_rtt(m->ladder);
	info->lag_records = arq.queued_records;
	info->lag_us = m->n_marks ? f->now_us - m->mark[0].now_us : 0;
	info->lost = m->before.lost + arq.asked;
	info->repaired = m->before.repaired + arq.again;
	info->link_changes = m->before.link_changes + ladder.changes;
	info->disconnects = m->before.disconnects + ladder.disconnects;
	info->resyncs = m->resyncs;
	info->resync_ns = m->resync_ns;
	info->resync_why = m->resync_why ? m->resync_why : "";
	if (m->connected && fgsp_resync_done(m))
		info->acked_ns = m->n_marks ? m->acked_ns : f->env.wall_ns(f->env.arg);
	info->told = m->told.count;
	info->copies = m->copies.count;
}

/* The first site that leads to a member stands for it. */
static bool is_first(const struct fgsp *f, unsigned int site) {
	for (unsigned int i = 0; i < site; i++)
		if (f->site[i].member >= 0 && f->site[i].member == f->site[site].member)
			return false;
	return true;
}

bool fgsp_peer_info(const struct fgsp *f, unsigned int i, struct fgsp_peer_info *info) {
	for (unsigned int site = 0; f->started && site < f->n_sites; site++) {
		const struct fgsp_site *s = &f->site[site];

		if (!is_first(f, site) || i-- > 0)
			continue;
		*info = (struct fgsp_peer_info){ .peer = s->number, .link = "none",
						 .resync_why = "" };
		if (s->member >= 0)
			fill_member(f, &f->member[s->member], info);
		if (s->refused && !s->away)
			info->state = FGSP_PEER_REFUSED;
		memcpy(info->why, s->why, sizeof(info->why));
		return true;
	}
	return false;
}

const char *fgsp_peer_state_name(enum fgsp_peer_state state) {
	static const char *const name[] = {
		[FGSP_PEER_CONNECTING] = "connecting", [FGSP_PEER_REFUSED] = "refused",
		[FGSP_PEER_LOST] = "lost", [FGSP_PEER_SYNCING] = "syncing",
		[FGSP_PEER_IN_SYNC] = "in-sync",
	};

	return name[state];
}
