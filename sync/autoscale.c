/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine as a whole: its configuration, its time, and what follows from whatever has happened
 * (autoscale_settle). The rest is in parts that share autoscale_impl.h: channels (autoscale_peer.c)
 * and whom to connect to (autoscale_site.c), who is in the group (autoscale_members.c), who leads
 * it (autoscale_role.c), questions to gatehoused (autoscale_ask.c) and of members
 * (autoscale_serve.c), taking the leader's configuration (autoscale_copy.c), what is shown
 * (autoscale_info.c, autoscale_inquire.c).
 */
#include "sync/autoscale_impl.h"

#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define INTERVAL_MIN_S 1
#define INTERVAL_MAX_S 300

uint64_t autoscale_heard(const struct autoscale_machine *m) {
	return m->heard > m->a.group.epoch ? m->heard : m->a.group.epoch;
}

uint64_t autoscale_interval(uint32_t seconds) {
	if (seconds < INTERVAL_MIN_S)
		seconds = INTERVAL_MIN_S;
	return (seconds > INTERVAL_MAX_S ? INTERVAL_MAX_S : seconds) * AUTOSCALE_S;
}

const struct digest_group *autoscale_digests(const struct autoscale_machine *m, uint64_t revision) {
	for (unsigned int i = 0; i < m->n_recent; i++)
		if (m->recent_revision[i] == revision)
			return &m->recent[i];
	return NULL;
}

struct autoscale_machine *autoscale_new(const struct autoscale_env *env, uint64_t now_us) {
	struct autoscale_machine *m = xcalloc(1, sizeof(*m));

	m->env = *env;
	m->now_us = now_us;
	m->last = &m->first;
	return m;
}

/* ---- begin and end ---- */

static void stop(struct autoscale_machine *m, const char *why) {
	autoscale_ask_stop(m);
	autoscale_copy_abort(m, why);
	autoscale_peer_stop(m, why);
	autoscale_inquire_stop(m);
	autoscale_serve_stop(m);
	autoscale_members_stop(m);
	m->n_sites = 0;
	m->hint = (union net_addr){ .half = { 0 } };
	m->heard = 0;
	m->is_ordering = m->yields = false;
	m->order_us = m->verify_us = m->members_us = 0;
	autoscale_copy_forgive(m);
	m->told_heard = m->joined_epoch = 0;
	m->n_recent = 0;
	m->at_revision = 0;
	m->at[0] = m->named[0] = '\0';
}

struct autoscale_machine *autoscale_free(struct autoscale_machine *m) {
	if (!m)
		return NULL;
	m->env.inquired = NULL;
	autoscale_copy_abort(m, "the end");
	autoscale_serve_stop(m);
	autoscale_inquire_stop(m);
	autoscale_members_stop(m);
	while (m->first) {
		struct autoscale_question *q = m->first;

		m->first = q->next;
		autoscale_question_free(q);
	}
	for (unsigned int i = 0; i < m->n_channels; i++)
		free(m->channel[i]);
	explicit_bzero(&m->a, sizeof(m->a));
	free(m);
	return NULL;
}

/* ---- configuration ---- */

static void remember_digests(struct autoscale_machine *m) {
	unsigned int at = 0;

	while (at < m->n_recent && m->recent_revision[at] != m->a.revision)
		at++;
	if (at == AUTOSCALE_RECENT)
		at = (unsigned int)(m->a.revision % AUTOSCALE_RECENT);
	else if (at == m->n_recent)
		m->n_recent++;
	m->recent_revision[at] = m->a.revision;
	m->recent[at] = m->a.active;
}

/* Another key: who has only the old one is out, once those that had it could hear of the new. */
static void change_key(struct autoscale_machine *m) {
	m->key_revision = m->a.revision;
	AUTOSCALE_EACH(m, c)
		c->close_us = autoscale_min(c->close_us, m->now_us + AUTOSCALE_LOST_AFTER *
					    autoscale_interval(m->a.hb_interval_s));
}

static void become_primary(struct autoscale_machine *m) {
	if (strcmp(m->at, m->a.serial) != 0) {
		m->leads_s = m->env.wall_s(m->env.arg);
		autoscale_tell(m, LOG_NOTICE, "This unit leads epoch %llu",
			       (unsigned long long)m->a.group.epoch);
	}
	memcpy(m->at, m->a.serial, sizeof(m->at));
	m->at_revision = 0;
	m->named[0] = '\0';
	autoscale_copy_forgive(m);
}

/*
 * Whose configuration this is. What gatehoused says may be older than the commit that it has
 * answered: it comes on another connection.
 */
static void take_source(struct autoscale_machine *m, uint64_t epoch_before) {
	struct membership *g = &m->a.group;

	if (m->a.primary) {
		become_primary(m);
		return;
	}
	if (g->epoch < epoch_before ||
	    (strcmp(g->primary, m->at) == 0 && g->revision < m->at_revision)) {
		g->epoch = epoch_before;
		g->synced = true;
		return;
	}
	/* it may have been primary without that this was heard here */
	if (!*g->primary && *m->at && strcmp(m->at, m->a.serial) != 0)
		m->named[0] = '\0';
	memcpy(m->at, g->primary, sizeof(m->at));
	m->at_revision = g->revision;
}

static bool is_started(const struct autoscale *a) {
	return a->enabled && a->has_key && *a->serial;
}

/* Nothing of before means anything for another unit, or out of a group. */
static void take_group(struct autoscale_machine *m, const struct autoscale *a) {
	bool anew = strcmp(m->a.serial, a->serial) != 0 || is_started(a) != m->started;
	bool other_key = memcmp(m->a.key, a->key, sizeof(a->key)) != 0;
	bool was_primary = m->a.primary;
	uint64_t epoch = anew ? 0 : m->a.group.epoch;

	if (anew)
		stop(m, "this unit is in no group");
	m->a = *a;
	m->yields = m->yields && a->primary;
	m->started = is_started(a);
	if (!m->started)
		return;
	if (m->heard < a->group.heard)
		m->heard = a->group.heard;
	take_source(m, epoch);
	if (anew) {
		m->key_revision = 0;
		m->leave_us = m->now_us;
		m->members_version = (uint32_t)m->env.random(m->env.arg) | 1;
		autoscale_members_load(m);
	} else if (other_key) {
		change_key(m);
	}
	if (anew || was_primary != a->primary) {
		autoscale_members_changed(m);
		autoscale_copy_tick(m);
		autoscale_site_hurry(m);
	}
}

void autoscale_configure(struct autoscale_machine *m, const struct autoscale *a, uint64_t now_us) {
	bool is_news = m->a.primary != a->primary || m->a.group.epoch != a->group.epoch ||
		       m->a.group.joined != a->group.joined ||
		       !net_equal(&m->a.primary_ip, &a->primary_ip) ||
		       (!a->primary && m->a.revision != a->revision);

	m->now_us = now_us;
	take_group(m, a);
	if (m->started) {
		remember_digests(m);
		if (is_news)
			autoscale_peer_news(m);
		autoscale_serve_parked(m);
	}
	autoscale_settle(m);
}

/* ---- gatehoused ---- */

void autoscale_desk_up(struct autoscale_machine *m, uint64_t now_us) {
	m->now_us = now_us;
	m->desk = true;
	autoscale_peer_news(m);
	autoscale_settle(m);
}

void autoscale_desk_down(struct autoscale_machine *m, uint64_t now_us) {
	m->now_us = now_us;
	m->desk = false;
	autoscale_peer_news(m);
	autoscale_copy_abort(m, "gatehoused is away");
	autoscale_ask_lost(m);
	autoscale_settle(m);
}

void autoscale_answer(struct autoscale_machine *m, const uint8_t *frame, size_t len,
		      uint64_t now_us) {
	m->now_us = now_us;
	autoscale_ask_take(m, frame, len);
	autoscale_settle(m);
}

/* ---- time ---- */

void autoscale_settle(struct autoscale_machine *m) {
	if (m->started) {
		autoscale_role_decide(m);
		autoscale_copy_tick(m);
		autoscale_copy_begin(m);
		autoscale_serve_push(m);
		autoscale_inquire_begin(m);
		autoscale_members_tick(m);
		autoscale_site_update(m);
	}
	autoscale_ask_pump(m);
	autoscale_peer_reap(m);
}

void autoscale_tick(struct autoscale_machine *m, uint64_t now_us) {
	m->now_us = now_us;
	if (m->started) {
		autoscale_peer_tick(m);
		autoscale_serve_parked(m);
		autoscale_inquire_tick(m);
		autoscale_site_update(m);
		autoscale_site_tick(m);
	}
	autoscale_settle(m);
}

uint64_t autoscale_due(const struct autoscale_machine *m) {
	uint64_t due = AUTOSCALE_NEVER;

	if (!m->started)
		return due;
	due = autoscale_min(due, autoscale_peer_due(m));
	due = autoscale_min(due, autoscale_site_due(m));
	due = autoscale_min(due, autoscale_role_due(m));
	due = autoscale_min(due, autoscale_copy_due(m));
	due = autoscale_min(due, autoscale_serve_due(m));
	due = autoscale_min(due, autoscale_inquire_due(m));
	return autoscale_min(due, autoscale_members_due(m));
}
