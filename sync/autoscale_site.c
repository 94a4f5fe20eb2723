/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whom to connect to. A primary connects to every member that it knows and that is not connected:
 * so an old primary and those that follow it meet the new one; and to its primary-ip, for it may
 * know nobody there. A secondary that has no primary
 * connects to its primary-ip, to where another secondary or the callback says that it is, and, one
 * in each heartbeat, to the members that it knows, which may know more.
 *
 * Tried again after each heartbeat, doubling up to a minute. What an address refused waits for that
 * minute at once.
 */
#include "sync/autoscale_impl.h"

#include <string.h>

#define SLOWEST_US (60 * AUTOSCALE_S)
#define CONNECT_US (30 * AUTOSCALE_S)        /* after which one that never ends is forgotten */
#define SPREAD_US (AUTOSCALE_S / 2)  /* not all at the same moment */

static struct autoscale_site *find(struct autoscale_machine *m, const union net_addr *ip) {
	for (unsigned int i = 0; i < m->n_sites; i++)
		if (net_equal(&m->site[i].ip, ip))
			return &m->site[i];
	return NULL;
}

static bool is_connected(const struct autoscale_machine *m, const union net_addr *ip) {
	AUTOSCALE_EACH(m, c)
		if (net_equal(&c->ip, ip))
			return true;
	return false;
}

/* ---- who is wanted ---- */

static void want(struct autoscale_machine *m, const union net_addr *ip) {
	struct autoscale_site *s;

	if (!autoscale_is_ip(ip) || net_equal(ip, &m->a.ip) || is_connected(m, ip))
		return;
	s = find(m, ip);
	if (!s && m->n_sites == AUTOSCALE_SITES)
		return;
	if (!s) {
		s = &m->site[m->n_sites++];
		*s = (struct autoscale_site){ .ip = *ip };
		s->next_us = m->now_us + m->env.random(m->env.arg) % SPREAD_US;
	}
	s->wanted = true;
}

static void drop_unwanted(struct autoscale_machine *m) {
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->n_sites; i++)
		if (m->site[i].wanted || m->site[i].next_us > m->now_us)
			m->site[n++] = m->site[i];
	m->n_sites = n;
}

/* One member after the other is asked for the primary, by a secondary that has lost it. */
static void want_any(struct autoscale_machine *m) {
	uint64_t turn = m->now_us / autoscale_interval(m->a.hb_interval_s);

	if (m->n_members > 0)
		want(m, &m->member[turn % m->n_members]->ip);
}

/* Where the primary is said to be. */
static void want_primary(struct autoscale_machine *m) {
	want(m, &m->a.primary_ip);
	want(m, &m->hint);
	for (unsigned int i = 0; i < m->n_members; i++) {
		const struct autoscale_member *p = m->member[i];

		if (p->channel && !p->standing.primary && p->standing.synced &&
		    p->standing.epoch >= m->a.group.epoch)
			want(m, &p->standing.followed_ip);
	}
	if (m->a.group.synced)
		want_any(m);
}

void autoscale_site_update(struct autoscale_machine *m) {
	for (unsigned int i = 0; i < m->n_sites; i++)
		m->site[i].wanted = false;
	if (m->started && m->a.primary) {
		want(m, &m->a.primary_ip);
		for (unsigned int i = 0; i < m->n_members; i++)
			if (!m->member[i]->channel)
				want(m, &m->member[i]->ip);
	} else if (m->started && (!m->leader || !m->leader->channel)) {
		want_primary(m);
	}
	drop_unwanted(m);
}

/* ---- what came of it ---- */

void autoscale_site_hurry(struct autoscale_machine *m) {
	for (unsigned int i = 0; i < m->n_sites; i++) {
		struct autoscale_site *s = &m->site[i];

		s->backoff_us = 0;
		if (!s->connecting)
			s->next_us = m->now_us + m->env.random(m->env.arg) % SPREAD_US;
	}
}

void autoscale_site_up(struct autoscale_machine *m, const union net_addr *ip) {
	struct autoscale_site *s = find(m, ip);

	if (!s)
		return;
	/* should it break at once, that is not the moment for the next one */
	s->connecting = false;
	s->next_us = m->now_us + autoscale_interval(m->a.hb_interval_s) / 2;
}

void autoscale_site_failed(struct autoscale_machine *m, const union net_addr *ip) {
	struct autoscale_site *s = find(m, ip);
	uint64_t interval = autoscale_interval(m->a.hb_interval_s);

	if (!s)
		return;
	s->connecting = false;
	s->backoff_us = s->backoff_us ? autoscale_min(2 * s->backoff_us, SLOWEST_US) : interval;
	s->next_us = m->now_us + s->backoff_us / 2 +
		     m->env.random(m->env.arg) % (s->backoff_us / 2 + 1);
}

void autoscale_site_slow(struct autoscale_machine *m, const union net_addr *ip) {
	struct autoscale_site *s = find(m, ip);

	if (!s && m->n_sites < AUTOSCALE_SITES) {
		s = &m->site[m->n_sites++];
		*s = (struct autoscale_site){ .ip = *ip };
	}
	if (!s)
		return;
	s->backoff_us = SLOWEST_US;
	s->next_us = m->now_us + SLOWEST_US / 2 +
		     m->env.random(m->env.arg) % (SLOWEST_US / 2);
}

/* ---- time ---- */

static bool is_due(const struct autoscale_machine *m, const struct autoscale_site *s) {
	return s->wanted && m->now_us >= s->next_us;
}

void autoscale_site_tick(struct autoscale_machine *m) {
	for (unsigned int i = 0; i < m->n_sites; i++) {
		struct autoscale_site *s = &m->site[i];

		if (!is_due(m, s))
			continue;
		s->connecting = true;
		s->next_us = m->now_us + CONNECT_US;
		m->env.connect(m->env.arg, &s->ip);
	}
}

uint64_t autoscale_site_due(const struct autoscale_machine *m) {
	uint64_t due = AUTOSCALE_NEVER;

	for (unsigned int i = 0; i < m->n_sites; i++)
		if (m->site[i].wanted)
			due = autoscale_min(due, m->site[i].next_us);
	return due;
}
