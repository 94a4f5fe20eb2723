/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Channels, and what is said on them about their ends: HELLO at once, a BEAT each heartbeat and
 * after each change. A channel has a member after its HELLO, a member has one channel: of two that
 * come up together the one whose initiator has the smaller serial stays, so that both ends keep the
 * same; later, a new one takes the place of the old one, which may be dead at the other end.
 *
 * A channel that ends is only marked, and goes at the end of the call: whoever walks the list of
 * channels may send.
 */
#include "sync/autoscale_impl.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "cfgdb/model/schema.h"

#define HELLO_US (10 * AUTOSCALE_S)
#define TOGETHER_US (5 * AUTOSCALE_S)        /* channels that are made by both at the same time */
#define BEAT_APART_US (AUTOSCALE_S / 20)     /* between two BEATs, whatever happens */
#define QUESTIONS_PER_S 100
#define QUESTIONS_BURST 4000

struct autoscale_channel *autoscale_peer_channel(const struct autoscale_machine *m,
						 unsigned int number) {
	AUTOSCALE_EACH(m, c)
		if (c->number == number)
			return c;
	return NULL;
}

/* ---- sending and ending ---- */

static void count_sent(struct autoscale_machine *m, struct autoscale_channel *c, size_t len) {
	m->stats.messages_sent++;
	m->stats.bytes_sent += len;
	if (!c->member)
		return;
	c->member->messages_sent++;
	c->member->bytes_sent += len;
}

bool autoscale_peer_send(struct autoscale_machine *m, struct autoscale_channel *c,
			 const struct buf *b) {
	if (c->ended)
		return false;
	if (!m->env.send(m->env.arg, c->number, b->data, b->len)) {
		autoscale_peer_end(m, c, "it does not take what is sent");
		return false;
	}
	count_sent(m, c, b->len);
	return true;
}

/* What was refused, on either side, has been told, as often as it may be. */
static void lose_member(struct autoscale_machine *m, struct autoscale_channel *c, const char *why) {
	struct autoscale_member *p = c->member;

	if (!p || p->channel != c)
		return;
	p->channel = NULL;
	p->in_step = p->told_behind = false;
	snprintf(p->why, sizeof(p->why), "%s", why);
	if (p->refused)
		return;
	p->losses++;
	m->stats.losses++;
	autoscale_tell(m, LOG_NOTICE, "Connection with %s lost: %s", p->serial, why);
}

static void mark_ended(struct autoscale_machine *m, struct autoscale_channel *c, const char *why) {
	c->ended = true;
	autoscale_serve_gone(m, c);
	lose_member(m, c, why);
}

void autoscale_peer_end(struct autoscale_machine *m, struct autoscale_channel *c, const char *why) {
	if (c->ended)
		return;
	m->env.close(m->env.arg, c->number);
	mark_ended(m, c, why);
}

void autoscale_peer_refuse(struct autoscale_machine *m, struct autoscale_channel *c,
			   enum autoscale_why why, const char *fmt, ...) {
	struct autoscale_message refuse = { .type = AUTOSCALE_REFUSE, .why = why };
	AUTO_BUF struct buf b = BUF_INIT;
	char ip[NET_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(refuse.text, sizeof(refuse.text), fmt, ap);
	va_end(ap);
	autoscale_message_encode(&b, &refuse);
	autoscale_peer_send(m, c, &b);
	m->stats.refused[why]++;
	autoscale_note(m, AUTOSCALE_NOTE_REFUSED + why, LOG_WARNING, "Refused %s (%s): %s",
		       c->member ? c->member->serial : c->initiator,
		       autoscale_ip_text(&c->ip, ip), refuse.text);
	autoscale_site_slow(m, &c->ip);
	if (c->member)
		c->member->refused = true;
	autoscale_peer_end(m, c, refuse.text);
}

void autoscale_peer_reap(struct autoscale_machine *m) {
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->n_channels; i++) {
		if (m->channel[i]->ended)
			free(m->channel[i]);
		else
			m->channel[n++] = m->channel[i];
	}
	m->n_channels = n;
}

void autoscale_peer_stop(struct autoscale_machine *m, const char *why) {
	AUTOSCALE_EACH(m, c)
		autoscale_peer_end(m, c, why);
	autoscale_peer_reap(m);
}

/* ---- what this unit says of itself ---- */

void autoscale_peer_standing(const struct autoscale_machine *m, struct autoscale_standing *s) {
	*s = (struct autoscale_standing){
		.primary = m->a.primary && !m->yields, .synced = m->a.group.synced,
		.joined = m->a.primary && m->a.group.joined,
		.copying = m->copy.step != AUTOSCALE_IDLE, .failing = m->failing || !m->desk,
		.hb_interval_s = (uint16_t)(autoscale_interval(m->a.hb_interval_s) / AUTOSCALE_S),
		.epoch = m->a.group.epoch, .heard = autoscale_heard(m),
		.revision = m->a.revision, .followed_revision = m->at_revision,
		.followed_ip = m->a.primary ? m->a.ip : m->a.primary_ip,
		.active = m->a.active, .staged = m->a.staged,
	};
	snprintf(s->followed, sizeof(s->followed), "%s", m->at);
	if (m->a.primary) {
		/* whose configuration it had before: that one sees what it had not passed on */
		memcpy(s->followed, m->a.group.primary, sizeof(s->followed));
		s->followed_revision = m->a.group.revision;
	}
	if (m->yields || !*s->followed) {
		s->followed[0] = '\0';
		s->followed_revision = 0;
	}
	if (!m->desk)
		snprintf(s->trouble, sizeof(s->trouble), "its gatehoused is away");
	else if (m->failing)
		snprintf(s->trouble, sizeof(s->trouble), "%s", m->trouble);
}

static void send_hello(struct autoscale_machine *m, struct autoscale_channel *c) {
	struct autoscale_message hello = { .type = AUTOSCALE_HELLO, .version = AUTOSCALE_VERSION,
					   .oldest = AUTOSCALE_OLDEST };
	AUTO_BUF struct buf b = BUF_INIT;

	snprintf(hello.serial, sizeof(hello.serial), "%s", m->a.serial);
	snprintf(hello.vmid, sizeof(hello.vmid), "%s", m->a.vmid);
	snprintf(hello.hostname, sizeof(hello.hostname), "%s", m->a.hostname);
	snprintf(hello.schema, sizeof(hello.schema), "%s", schema_digest);
	autoscale_peer_standing(m, &hello.standing);
	autoscale_message_encode(&b, &hello);
	c->told = m->a.revision;
	autoscale_peer_send(m, c, &b);
}

static void send_beat(struct autoscale_machine *m, struct autoscale_channel *c) {
	struct autoscale_message beat = { .type = AUTOSCALE_BEAT };
	AUTO_BUF struct buf b = BUF_INIT, list = BUF_INIT;

	autoscale_peer_standing(m, &beat.standing);
	if (m->a.primary && c->members_version != m->members_version)
		autoscale_members_put(m, &beat, &list);
	autoscale_message_encode(&b, &beat);
	c->members_version = m->members_version;
	c->told = m->a.revision;
	c->beaten_us = m->now_us;
	c->beat_us = m->now_us + autoscale_interval(m->a.hb_interval_s);
	autoscale_peer_send(m, c, &b);
}

void autoscale_peer_beat(struct autoscale_channel *c) {
	if (c->member)
		c->beat_us = autoscale_min(c->beat_us, c->beaten_us + BEAT_APART_US);
}

void autoscale_peer_news(struct autoscale_machine *m) {
	AUTOSCALE_EACH(m, c)
		autoscale_peer_beat(c);
}

/* ---- up and down ---- */

void autoscale_up(struct autoscale_machine *m, unsigned int channel, const union net_addr *ip,
		  const char *initiator, uint64_t now_us) {
	struct autoscale_channel *c;

	m->now_us = now_us;
	autoscale_site_up(m, ip);
	if (!m->started || m->n_channels == AUTOSCALE_CHANNELS) {
		m->env.close(m->env.arg, channel);
		return;
	}
	c = xcalloc(1, sizeof(*c));
	c->number = channel;
	c->ip = *ip;
	c->begun_us = c->heard_us = c->beaten_us = now_us;
	c->beat_us = now_us + autoscale_interval(m->a.hb_interval_s);
	c->close_us = AUTOSCALE_NEVER;
	c->questions = (struct rate){ .per_s = QUESTIONS_PER_S, .burst = QUESTIONS_BURST };
	snprintf(c->initiator, sizeof(c->initiator), "%s", initiator);
	m->channel[m->n_channels++] = c;
	send_hello(m, c);
	autoscale_settle(m);
}

void autoscale_down(struct autoscale_machine *m, unsigned int channel, const char *why,
		    uint64_t now_us) {
	struct autoscale_channel *c = autoscale_peer_channel(m, channel);

	m->now_us = now_us;
	if (c)
		mark_ended(m, c, why);
	autoscale_settle(m);
}

void autoscale_failed(struct autoscale_machine *m, const union net_addr *ip, const char *why,
		      uint64_t now_us) {
	char text[NET_TEXT_MAX];

	m->now_us = now_us;
	autoscale_site_failed(m, ip);
	for (unsigned int i = 0; i < m->n_members; i++)
		if (net_equal(&m->member[i]->ip, ip) && !m->member[i]->channel &&
		    !m->member[i]->refused)
			snprintf(m->member[i]->why, sizeof(m->member[i]->why), "%s", why);
	if (m->started)
		autoscale_note(m, AUTOSCALE_NOTE_CONNECT, LOG_NOTICE, "Cannot connect to %s: %s",
			       autoscale_ip_text(ip, text), why);
	autoscale_settle(m);
}

/* ---- HELLO ---- */

/* Of two channels with one member; false: the new one goes. */
static bool take_place(struct autoscale_machine *m, struct autoscale_member *p,
		       struct autoscale_channel *c) {
	struct autoscale_channel *old = p->channel;
	int order;

	if (!old || old->ended)
		return true;
	order = strcmp(old->initiator, c->initiator);
	if (c->begun_us - old->begun_us <= TOGETHER_US && order < 0) {
		autoscale_peer_end(m, c, "there is another connection");
		return false;
	}
	p->channel = NULL;
	old->member = NULL;
	autoscale_peer_end(m, old, "there is a newer connection");
	return true;
}

static bool is_welcome(struct autoscale_machine *m, struct autoscale_channel *c,
		       const struct autoscale_message *hello) {
	bool is_ours = strcmp(c->initiator, m->a.serial) == 0;

	if (strcmp(hello->serial, m->a.serial) == 0)
		autoscale_peer_refuse(m, c, AUTOSCALE_SAME_SERIAL, "it has the same serial number");
	else if (!is_ours && strcmp(hello->serial, c->initiator) != 0)
		autoscale_peer_refuse(m, c, AUTOSCALE_SAME_SERIAL,
				      "it has the key of %s and says that it is %s", c->initiator,
				      hello->serial);
	else if (hello->oldest > AUTOSCALE_VERSION || hello->version < AUTOSCALE_OLDEST)
		autoscale_peer_refuse(m, c, AUTOSCALE_NO_VERSION,
				      "it speaks versions %u to %u, this unit %u to %u",
				      hello->oldest, hello->version, AUTOSCALE_OLDEST,
				      AUTOSCALE_VERSION);
	return !c->ended;
}

static void take_identity(struct autoscale_machine *m, struct autoscale_member *p,
			  const struct autoscale_channel *c,
			  const struct autoscale_message *hello) {
	if (strcmp(p->vmid, hello->vmid) != 0 || !net_equal(&p->ip, &c->ip))
		autoscale_members_changed(m);
	memcpy(p->vmid, hello->vmid, sizeof(p->vmid));
	memcpy(p->hostname, hello->hostname, sizeof(p->hostname));
	memcpy(p->schema, hello->schema, sizeof(p->schema));
	p->ip = c->ip;
}

/*
 * A primary of a lower epoch than what we have gives us nothing, and learns why, and what to do
 * when nobody leads the higher one. One that meets a primary of a higher epoch steps down by
 * itself.
 */
static bool is_over(struct autoscale_machine *m, struct autoscale_channel *c,
		    const struct autoscale_standing *s) {
	if (m->a.primary || !s->primary || !s->synced || s->epoch >= m->a.group.epoch)
		return false;
	autoscale_peer_refuse(m, c, AUTOSCALE_LOWER_EPOCH,
			      "it leads epoch %llu, this unit has epoch %llu: set role secondary, "
			      "then set role primary on the unit that is to lead",
			      (unsigned long long)s->epoch,
			      (unsigned long long)m->a.group.epoch);
	return true;
}

/* A secondary cannot follow this primary, or does again. */
static void tell_pace(struct autoscale_machine *m, struct autoscale_member *p) {
	const struct autoscale_standing *s = &p->standing;

	if (s->failing && !p->told_behind) {
		p->told_behind = true;
		p->in_step = false;
		autoscale_tell(m, LOG_WARNING, "%s is behind: %s", p->serial, s->trouble);
	} else if (!p->in_step && autoscale_member_state(m, p) == AUTOSCALE_IN_SYNC) {
		p->in_step = true;
		p->told_behind = false;
		autoscale_tell(m, LOG_NOTICE, "%s is in step, at revision %llu", p->serial,
			       (unsigned long long)m->a.revision);
	}
}

static void take_standing(struct autoscale_machine *m, struct autoscale_channel *c,
			  const struct autoscale_standing *s) {
	struct autoscale_member *p = c->member;

	if (p->primary != s->primary)
		autoscale_members_changed(m);
	p->primary = s->primary;
	p->standing = *s;
	p->is_standing = true;
	if (c->pushed && (s->followed_revision != c->pushed || s->failing || s->copying))
		c->pushed = 0;
	autoscale_role_hear(m, s);
	if (is_over(m, c, s))
		return;
	if (!m->a.primary || s->primary || strcmp(s->followed, m->a.serial) != 0)
		return;
	autoscale_role_joined(m, s);
	tell_pace(m, p);
	if (s->followed_revision == m->a.revision)
		p->synced_s = m->env.wall_s(m->env.arg);
}

static void tell_connected(struct autoscale_machine *m, const struct autoscale_member *p) {
	autoscale_tell(m, LOG_NOTICE, "Connected with %s, %s of epoch %llu", p->serial,
		       p->standing.primary ? "primary" : "secondary",
		       (unsigned long long)p->standing.epoch);
}

static void hear_hello(struct autoscale_machine *m, struct autoscale_channel *c,
		       const struct autoscale_message *hello) {
	struct autoscale_member *p;

	if (!is_welcome(m, c, hello))
		return;
	p = autoscale_members_meet(m, hello->serial);
	if (!p) {
		autoscale_peer_refuse(m, c, AUTOSCALE_FULL, "the group has %u members",
				      MEMBERS_MAX + 1);
		return;
	}
	if (!take_place(m, p, c))
		return;
	c->member = p;
	p->channel = c;
	p->why[0] = '\0';
	p->connected_s = m->env.wall_s(m->env.arg);
	take_identity(m, p, c, hello);
	autoscale_members_heard(m, p);
	take_standing(m, c, &hello->standing);
	if (!c->ended && !p->refused)
		tell_connected(m, p);
	c->beat_us = m->now_us;
}

/* ---- messages ---- */

static void hear_refusal(struct autoscale_machine *m, struct autoscale_channel *c,
			 const struct autoscale_message *message) {
	struct autoscale_member *p = c->member;
	char why[2 * AUTOSCALE_TROUBLE], ip[NET_TEXT_MAX];

	snprintf(why, sizeof(why), "it refuses this unit: %s", message->text);
	autoscale_note(m, AUTOSCALE_NOTE_REFUSED_BY, LOG_WARNING, "%s (%s): %s",
		       p ? p->serial : "A member", autoscale_ip_text(&c->ip, ip), why);
	autoscale_site_slow(m, &c->ip);
	if (p)
		p->refused = true;
	autoscale_peer_end(m, c, why);
}

static void hear_beat(struct autoscale_machine *m, struct autoscale_channel *c,
		      const struct autoscale_message *beat) {
	const struct autoscale_standing *s = &beat->standing;

	take_standing(m, c, s);
	if (!c->ended && c->member->refused) {
		/* it goes on after its HELLO: it has not refused us again */
		c->member->refused = false;
		tell_connected(m, c->member);
	}
	if (!c->ended && !m->a.primary && s->primary && s->synced && beat->members_version != 0)
		autoscale_members_told(m, c->member, beat);
}

static void hear(struct autoscale_machine *m, struct autoscale_channel *c,
		 const struct autoscale_message *message) {
	switch (message->type) {
	case AUTOSCALE_HELLO:
		autoscale_peer_end(m, c, "it said who it is twice");
		break;
	case AUTOSCALE_BEAT:
		hear_beat(m, c, message);
		break;
	case AUTOSCALE_ASK_CHANGES:
	case AUTOSCALE_ASK_TABLES:
	case AUTOSCALE_ASK_INDEX:
	case AUTOSCALE_ASK_OBJECTS:
		autoscale_serve(m, c, message);
		break;
	case AUTOSCALE_REFUSE:
		hear_refusal(m, c, message);
		break;
	case AUTOSCALE_FORGET:
		autoscale_members_forget(m, message->serial);
		break;
	default:
		if (!autoscale_inquire_message(m, c, message))
			autoscale_copy_message(m, c, message);
	}
}

static bool is_believable(const struct autoscale_machine *m,
			  const struct autoscale_message *message) {
	return (message->type != AUTOSCALE_HELLO && message->type != AUTOSCALE_BEAT) ||
	       autoscale_role_may_be(m, &message->standing);
}

static bool is_question(uint8_t type) {
	return type == AUTOSCALE_ASK_CHANGES || type == AUTOSCALE_ASK_TABLES ||
	       type == AUTOSCALE_ASK_INDEX || type == AUTOSCALE_ASK_OBJECTS;
}

static void take(struct autoscale_machine *m, struct autoscale_channel *c, const uint8_t *data,
		 size_t len) {
	struct autoscale_message message;
	char ip[NET_TEXT_MAX];

	if (len > 0 && data[0] >= AUTOSCALE_TYPES && len <= AUTOSCALE_MESSAGE_MAX)
		return;              /* of a later version */
	if (!autoscale_message_decode(&message, data, len) || !is_believable(m, &message) ||
	    (is_question(data[0]) && len > AUTOSCALE_QUESTION_MAX) ||
	    (!c->member && message.type != AUTOSCALE_HELLO && message.type != AUTOSCALE_REFUSE)) {
		m->stats.malformed++;
		autoscale_note(m, AUTOSCALE_NOTE_MALFORMED, LOG_WARNING,
			       "%s has sent what this program cannot read",
			       autoscale_ip_text(&c->ip, ip));
		autoscale_site_slow(m, &c->ip);
		autoscale_peer_end(m, c, "it has sent what cannot be read");
	} else if (message.type == AUTOSCALE_HELLO && !c->member) {
		hear_hello(m, c, &message);
	} else {
		hear(m, c, &message);
	}
}

void autoscale_message(struct autoscale_machine *m, unsigned int channel, const uint8_t *data,
		       size_t len, uint64_t now_us) {
	struct autoscale_channel *c = autoscale_peer_channel(m, channel);

	m->now_us = now_us;
	if (!c)
		return;
	c->heard_us = now_us;
	m->stats.messages_received++;
	m->stats.bytes_received += len;
	if (c->member) {
		c->member->messages_received++;
		c->member->bytes_received += len;
		autoscale_members_heard(m, c->member);
	}
	take(m, c, data, len);
	autoscale_settle(m);
}

/* ---- time ---- */

/* When a channel is given up that stays silent. */
static uint64_t silent_us(const struct autoscale_channel *c) {
	if (!c->member)
		return c->begun_us + HELLO_US;
	return c->heard_us +
	       AUTOSCALE_LOST_AFTER * autoscale_interval(c->member->standing.hb_interval_s);
}

/* Secondaries have nothing to say to each other, once both know where the primary is. */
static uint64_t idle_us(const struct autoscale_machine *m, const struct autoscale_channel *c) {
	if (!c->member || m->a.primary || !m->leader || !m->leader->channel ||
	    c->member->standing.primary)
		return AUTOSCALE_NEVER;
	return c->begun_us + AUTOSCALE_LOST_AFTER * autoscale_interval(m->a.hb_interval_s);
}

static void tick(struct autoscale_machine *m, struct autoscale_channel *c) {
	if (m->now_us >= c->close_us)
		autoscale_peer_end(m, c, "it has the key of before");
	else if (m->now_us >= silent_us(c))
		autoscale_peer_end(m, c, c->member ? "nothing is heard of it" :
						     "it did not say who it is");
	else if (m->now_us >= idle_us(m, c))
		autoscale_peer_end(m, c, "it is a secondary, too");
	else if (c->member && m->now_us >= c->beat_us)
		send_beat(m, c);
}

void autoscale_peer_tick(struct autoscale_machine *m) {
	AUTOSCALE_EACH(m, c)
		tick(m, c);
}

uint64_t autoscale_peer_due(const struct autoscale_machine *m) {
	uint64_t due = AUTOSCALE_NEVER;

	AUTOSCALE_EACH(m, c) {
		due = autoscale_min(due, autoscale_min(c->close_us, silent_us(c)));
		due = autoscale_min(due, idle_us(m, c));
		if (c->member)
			due = autoscale_min(due, c->beat_us);
	}
	return due;
}
