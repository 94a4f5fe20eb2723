/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who leads. Of all that say that they are primary and were in sync once, the one with the best
 * claim (is_better). A primary that is not that one steps down. A secondary follows it unless it
 * has the configuration of a higher epoch; on a tie it waits until the better one is lost.
 *
 * Two that meet never both step down. While a unit says that it is primary, its claim only grows: a
 * revision does, an epoch is begun upwards, `joined` is said once gatehoused keeps it, and then
 * holds for its epoch, in which the revision counts no more. From the moment when a unit is to step
 * down it does not say that it is primary (`yields`). So what a unit has heard of the other is at
 * most what that one claims when it decides itself; and of two claims only one is the better.
 *
 * An epoch that was only heard of decides nothing of that: whoever began it may have forgotten it,
 * and two units that take edits are worse than one. It is told on, so that the next epoch of
 * whichever unit is above it.
 *
 * Roles are gatehoused's: what this unit should be is asked of it (CTL_SYNC_ROLE), and comes back
 * as a configuration. A unit that was primary itself and now follows says up to which of its
 * revisions the new primary has them, so that the others get a name and are not lost silently.
 */
#include "sync/autoscale_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define ORDER_APART_US (2 * AUTOSCALE_S)
#define ORDER_AGAIN_US (5 * AUTOSCALE_S)
#define EPOCH_JUMP (UINT64_C(1) << 32)

bool autoscale_role_may_be(const struct autoscale_machine *m, const struct autoscale_standing *s) {
	return s->heard <= autoscale_heard(m) + EPOCH_JUMP;
}

void autoscale_role_hear(struct autoscale_machine *m, const struct autoscale_standing *s) {
	/* the epoch of a primary that was never in sync is its own invention */
	if ((s->primary && !s->synced) || s->heard <= m->heard)
		return;
	m->heard = s->heard;
	if (m->heard > m->a.group.heard)
		m->is_members_changed = true;        /* it is kept with them */
}

/* It is said to others when gatehoused keeps it. */
void autoscale_role_joined(struct autoscale_machine *m, const struct autoscale_standing *s) {
	if (!s->synced || s->epoch != m->a.group.epoch || m->joined_epoch == s->epoch)
		return;
	m->joined_epoch = s->epoch;
	m->is_members_changed = true;
}

/* ---- who is best ---- */

static bool may_lead(const struct autoscale_member *p) {
	return p->is_standing && p->standing.primary && p->standing.synced &&
	       p->standing.epoch > 0;
}

/* What a primary leads by. */
struct claim {
	uint64_t epoch;
	bool joined;
	uint64_t revision;
	const char *serial;
};

static struct claim claim_of(const struct autoscale_member *p) {
	const struct autoscale_standing *s = &p->standing;

	return (struct claim){ s->epoch, s->joined, s->revision, p->serial };
}

static struct claim own_claim(const struct autoscale_machine *m) {
	return (struct claim){ m->a.group.epoch, m->a.group.joined, m->a.revision, m->a.serial };
}

/*
 * The higher epoch; of equal ones the one that others have followed, so that a unit that is new and
 * begins an epoch of its own wipes no group; where nobody has followed, the one with more
 * revisions. Then the serial number decides: it does not change as edits go on.
 */
static bool is_better(const struct claim *a, const struct claim *than) {
	if (a->epoch != than->epoch)
		return a->epoch > than->epoch;
	if (a->joined != than->joined)
		return a->joined;
	if (!a->joined && a->revision != than->revision)
		return a->revision > than->revision;
	return strcmp(a->serial, than->serial) > 0;
}

static uint64_t lost_us(const struct autoscale_member *p) {
	return (uint64_t)p->heard_us +
	       AUTOSCALE_LOST_AFTER * autoscale_interval(p->standing.hb_interval_s);
}

static struct autoscale_member *find_best(const struct autoscale_machine *m) {
	struct autoscale_member *best = NULL;
	struct claim claim, best_claim = { 0 };

	for (unsigned int i = 0; i < m->n_members; i++) {
		struct autoscale_member *p = m->member[i];

		if (!may_lead(p) || p->standing.epoch < m->a.group.epoch ||
		    (!p->channel && m->now_us >= lost_us(p)))
			continue;
		claim = claim_of(p);
		if (best && !is_better(&claim, &best_claim))
			continue;
		best = p;
		best_claim = claim;
	}
	return best;
}

/* ---- what of this unit's own configuration the new primary has ---- */

/* Whether nobody but this unit has made its configuration. */
static bool is_own(const struct autoscale_machine *m) {
	return m->a.group.synced && m->a.group.epoch > 0 &&
	       (!*m->at || strcmp(m->at, m->a.serial) == 0);
}

static bool is_named(const struct autoscale_machine *m, const struct autoscale_member *p) {
	return strcmp(m->named, p->serial) == 0;
}

static uint64_t told_to(const struct autoscale_machine *m, const struct autoscale_member *p) {
	const struct autoscale_standing *s = &p->standing;

	if (memcmp(s->active.all, m->a.active.all, DIGEST_LEN) == 0)
		return m->a.revision;
	/* what another one had passed on to it is not known: rather too many are named than one
	 * too few */
	return strcmp(s->followed, m->a.serial) == 0 ? s->followed_revision : 0;
}

/* ---- orders ---- */

static void order_done(struct autoscale_machine *m, struct autoscale_question *q) {
	m->is_ordering = false;
	/* one that has no answer may have been obeyed */
	if (q->code != 0 && m->desk)
		m->yields = false;
	m->order_us = m->now_us + (q->code == 0 ? ORDER_APART_US : ORDER_AGAIN_US);
	if (q->code != 0) {
		m->named[0] = '\0';
		autoscale_note(m, AUTOSCALE_NOTE_ROLE, LOG_ERR, "Role cannot be changed: %s",
			       q->text);
	}
	autoscale_question_free(q);
}

static void order(struct autoscale_machine *m, bool primary, const union net_addr *ip,
		  uint64_t told, const char *why) {
	struct buf request = BUF_INIT;

	buf_put_u8(&request, CTL_SYNC_ROLE);
	buf_put_u8(&request, primary);
	buf_put_bytes(&request, ip->byte, 4);
	buf_put_u64(&request, m->heard);
	buf_put_u64(&request, told);
	buf_put_str(&request, why);
	autoscale_ask(m, &request, order_done);
	m->is_ordering = true;
	m->order_us = AUTOSCALE_NEVER;
	if (m->a.primary && !primary) {
		m->yields = true;
		autoscale_peer_news(m);
	}
	autoscale_tell(m, LOG_NOTICE, "Role %s: %s", primary ? "primary" : "secondary", why);
}

/* This unit, which was primary, has revisions that the new one has not. */
static void tell_unreplicated(struct autoscale_machine *m, const struct autoscale_member *p,
			      uint64_t told) {
	if (told < m->a.revision)
		autoscale_tell(m, LOG_WARNING,
			       "Revisions %llu to %llu of this unit are not replicated: %s leads "
			       "without them", (unsigned long long)told + 1,
			       (unsigned long long)m->a.revision, p->serial);
}

static void follow(struct autoscale_machine *m, const struct autoscale_member *p) {
	bool own = m->a.primary || is_own(m);
	uint64_t told = own ? told_to(m, p) : m->a.revision;
	char why[AUTOSCALE_TROUBLE];

	snprintf(why, sizeof(why), "%s leads epoch %llu", p->serial,
		 (unsigned long long)p->standing.epoch);
	if (own && !is_named(m, p))
		tell_unreplicated(m, p, told);
	if (m->a.primary)
		m->stats.fenced++;
	if (own)
		memcpy(m->named, p->serial, sizeof(m->named));
	order(m, false, &p->channel->ip, told, why);
}

/* Whether gatehoused has to hear of whom this unit follows. */
static bool must_order(const struct autoscale_machine *m, const struct autoscale_member *p) {
	return m->a.primary || !net_equal(&m->a.primary_ip, &p->channel->ip) ||
	       (is_own(m) && !is_named(m, p));
}

bool autoscale_role_is_known(const struct autoscale_machine *m) {
	return m->leader && m->leader->channel && !m->is_ordering && !must_order(m, m->leader);
}

static void lead_self(struct autoscale_machine *m, struct autoscale_member *best) {
	struct claim own = own_claim(m), other = best ? claim_of(best) : own;
	bool is_beaten = best && best->channel && (!m->a.group.synced || is_better(&other, &own));

	m->leader = NULL;
	if (!is_beaten && !m->is_ordering && m->desk)
		m->yields = false;
	if (is_beaten && !m->is_ordering && m->desk && m->now_us >= m->order_us)
		follow(m, best);
}

void autoscale_role_decide(struct autoscale_machine *m) {
	struct autoscale_member *best = find_best(m);

	if (m->a.primary) {
		lead_self(m, best);
		return;
	}
	if (m->leader != best && best) {
		m->leads_s = m->env.wall_s(m->env.arg);
		autoscale_tell(m, LOG_NOTICE, "%s leads, with epoch %llu", best->serial,
			       (unsigned long long)best->standing.epoch);
	}
	m->leader = best;
	if (best && best->channel && must_order(m, best) && !m->is_ordering && m->desk &&
	    m->now_us >= m->order_us)
		follow(m, best);
}

uint64_t autoscale_role_due(const struct autoscale_machine *m) {
	uint64_t due = AUTOSCALE_NEVER;

	/* a better one that is silent is lost some time */
	for (unsigned int i = 0; i < m->n_members; i++) {
		const struct autoscale_member *p = m->member[i];

		if (may_lead(p) && !p->channel && m->now_us < lost_us(p))
			due = autoscale_min(due, lost_us(p));
	}
	if (m->order_us > m->now_us && m->desk)
		due = autoscale_min(due, m->order_us);
	return due;
}

/* ---- the callback ---- */

/* A unit that was never in sync would replace the configuration of all with its own. */
static bool may_become_primary(const struct autoscale_machine *m) {
	return m->a.group.synced || (m->heard == 0 && m->a.group.heard == 0);
}

void autoscale_callback(struct autoscale_machine *m, bool primary,
			const union net_addr *primary_ip, uint64_t now_us) {
	static const union net_addr none;
	bool is_ready;

	m->now_us = now_us;
	is_ready = m->started && m->desk && !m->is_ordering && now_us >= m->order_us;
	if (!primary && primary_ip)
		m->hint = *primary_ip;
	if (is_ready && primary && !m->a.primary) {
		if (may_become_primary(m))
			order(m, true, &none, m->a.revision, "the callback says so");
		else
			autoscale_note(m, AUTOSCALE_NOTE_ROLE, LOG_ERR,
				       "The callback wants this unit as primary, but it never had "
				       "the configuration of its group: it stays secondary");
	} else if (is_ready && !primary && m->a.primary) {
		order(m, false, primary_ip ? primary_ip : &none, m->a.revision,
		      "the callback says so");
	}
	autoscale_settle(m);
}

void autoscale_callback_failed(struct autoscale_machine *m, const char *why, uint64_t now_us) {
	m->now_us = now_us;
	autoscale_note(m, AUTOSCALE_NOTE_CALLBACK, LOG_WARNING, "No answer of the callback: %s",
		       why);
}
