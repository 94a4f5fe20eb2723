/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine says: to the log and the history, and to commands. */
#include "sync/autoscale_impl.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include "cfgdb/model/schema.h"

#define MINUTE_US (60 * AUTOSCALE_S)

const char *autoscale_ip_text(const union net_addr *ip, char ret[NET_TEXT_MAX]) {
	return inet_ntop(AF_INET, ip->byte, ret, NET_TEXT_MAX);
}

/* ---- log and history ---- */

static void put(struct autoscale_machine *m, int priority, char *text) {
	struct autoscale_event *e = &m->event[m->n_events++ % AUTOSCALE_HISTORY];

	err_clean_line(text);
	e->wall_s = m->env.wall_s(m->env.arg);
	snprintf(e->text, sizeof(e->text), "%.*s", (int)sizeof(e->text) - 1, text);
	m->env.log(m->env.arg, priority, text);
}

void autoscale_tell(struct autoscale_machine *m, int priority, const char *fmt, ...) {
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put(m, priority, text);
}

void autoscale_note(struct autoscale_machine *m, enum autoscale_note kind, int priority,
		    const char *fmt, ...) {
	char text[512], more[64] = "";
	va_list ap;

	if (m->noted_us[kind] != 0 && m->now_us - m->noted_us[kind] < MINUTE_US) {
		m->unnoted[kind]++;
		return;
	}
	m->noted_us[kind] = m->now_us > 0 ? m->now_us : 1;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text) - sizeof(more), fmt, ap);
	va_end(ap);
	if (m->unnoted[kind] > 0)
		snprintf(more, sizeof(more), " (and %llu times before)",
			 (unsigned long long)m->unnoted[kind]);
	m->unnoted[kind] = 0;
	strcat(text, more);
	put(m, priority, text);
}

bool autoscale_history(const struct autoscale_machine *m, unsigned int i,
		       struct autoscale_event *event) {
	uint64_t n = autoscale_min(m->n_events, AUTOSCALE_HISTORY);

	if (i >= n)
		return false;
	*event = m->event[(m->n_events - n + i) % AUTOSCALE_HISTORY];
	return true;
}

/* ---- members ---- */

static const char *const state_names[] = {
	[AUTOSCALE_CONNECTING] = "connecting", [AUTOSCALE_REFUSED] = "refused",
	[AUTOSCALE_LOST] = "lost", [AUTOSCALE_BEHIND] = "behind",
	[AUTOSCALE_COPYING] = "copying", [AUTOSCALE_IN_SYNC] = "in-sync",
};

const char *autoscale_state_name(enum autoscale_state state) {
	return state_names[state];
}

static bool is_same(const struct digest_group *a, const struct digest_group *b) {
	return memcmp(a->all, b->all, DIGEST_LEN) == 0;
}

enum autoscale_state autoscale_member_state(const struct autoscale_machine *m,
					    const struct autoscale_member *p) {
	const struct autoscale_standing *s = &p->standing;

	if (p->refused)
		return AUTOSCALE_REFUSED;
	if (!p->channel)
		return p->is_standing ? AUTOSCALE_LOST : AUTOSCALE_CONNECTING;
	if (s->copying)
		return AUTOSCALE_COPYING;
	if (s->failing)
		return AUTOSCALE_BEHIND;
	/* a unit that lags behind its primary says that of itself */
	if (p != m->leader && !is_same(&s->active, &m->a.active))
		return AUTOSCALE_BEHIND;
	return AUTOSCALE_IN_SYNC;
}

bool autoscale_peer_info(const struct autoscale_machine *m, unsigned int i,
			 struct autoscale_peer_info *info) {
	const struct autoscale_member *p;

	if (i >= m->n_members)
		return false;
	p = m->member[i];
	*info = (struct autoscale_peer_info){
		.ip = p->ip, .primary = p->primary, .connected = p->channel != NULL,
		.is_standing = p->is_standing, .state = autoscale_member_state(m, p),
		.same_schema = strcmp(p->schema, schema_digest) == 0, .standing = p->standing,
		.heard_s = p->heard_s, .connected_s = p->connected_s, .synced_s = p->synced_s,
		.messages_sent = p->messages_sent, .messages_received = p->messages_received,
		.bytes_sent = p->bytes_sent, .bytes_received = p->bytes_received,
		.pushes = p->pushes, .questions = p->questions, .losses = p->losses,
	};
	memcpy(info->serial, p->serial, sizeof(info->serial));
	memcpy(info->vmid, p->vmid, sizeof(info->vmid));
	memcpy(info->hostname, p->hostname, sizeof(info->hostname));
	memcpy(info->schema, p->schema, sizeof(info->schema));
	memcpy(info->why, p->channel ? p->standing.trouble : p->why, sizeof(info->why));
	return true;
}

/* ---- the unit itself ---- */

static enum autoscale_state own_state(const struct autoscale_machine *m) {
	if (m->a.primary)
		return AUTOSCALE_IN_SYNC;
	if (!m->leader || !m->leader->channel)
		return m->a.group.synced ? AUTOSCALE_LOST : AUTOSCALE_CONNECTING;
	if (m->copy.step != AUTOSCALE_IDLE)
		return AUTOSCALE_COPYING;
	return autoscale_copy_is_current(m) && !m->failing ? AUTOSCALE_IN_SYNC : AUTOSCALE_BEHIND;
}

void autoscale_stats(const struct autoscale_machine *m, struct autoscale_stats *stats) {
	*stats = m->stats;
	stats->memory = autoscale_ask_memory(m) + autoscale_copy_memory(m);
	stats->channels = m->n_channels;
	stats->started = m->started;
	stats->desk = m->desk;
	autoscale_peer_standing(m, &stats->standing);
	memcpy(stats->primary, m->a.primary ? m->a.serial : m->leader ? m->leader->serial : "",
	       m->a.primary || m->leader ? sizeof(stats->primary) : 1);
	stats->primary_ip = m->a.primary ? m->a.ip : m->a.primary_ip;
	stats->primary_epoch = m->a.primary || !m->leader ? m->a.group.epoch
							  : m->leader->standing.epoch;
	stats->leads_s = *stats->primary ? m->leads_s : 0;
	stats->state = own_state(m);
	stats->progress = m->copy.at;
	stats->progress_of = m->copy.n_tables;
	memcpy(stats->why, m->failing ? m->trouble : "", m->failing ? sizeof(stats->why) : 1);
}
