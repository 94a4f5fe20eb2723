/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who is in the group. A member that says HELLO to the primary joins; the primary tells its list to
 * all with a BEAT, as often as it changes, and gatehoused keeps it. A member of which nothing was
 * heard for a day leaves, by the primary's clock that only goes forward; after a start everyone has
 * an hour, for the wall clock may have jumped meanwhile. A secondary lets those leave by the same
 * rule that only it has met; of the others the primary knows more.
 */
#include "sync/autoscale_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define DAY_US ((int64_t)(86400 * AUTOSCALE_S))
#define HOUR_US ((int64_t)(3600 * AUTOSCALE_S))
#define HOUR_S 3600
#define LOOK_US (60 * AUTOSCALE_S)
#define TELL_US (2 * AUTOSCALE_S)    /* between two lists for gatehoused */

/* ---- the list ---- */

struct autoscale_member *autoscale_members_find(const struct autoscale_machine *m,
						const char *serial) {
	for (unsigned int i = 0; i < m->n_members; i++)
		if (strcmp(m->member[i]->serial, serial) == 0)
			return m->member[i];
	return NULL;
}

void autoscale_members_changed(struct autoscale_machine *m) {
	m->is_members_changed = true;
	if (++m->members_version == 0)
		m->members_version = 1;
	if (m->a.primary)
		autoscale_peer_news(m);
}

struct autoscale_member *autoscale_members_meet(struct autoscale_machine *m, const char *serial) {
	struct autoscale_member *p = autoscale_members_find(m, serial);
	unsigned int at = m->n_members;

	if (p || m->n_members == MEMBERS_MAX)
		return p;
	p = xcalloc(1, sizeof(*p));
	snprintf(p->serial, sizeof(p->serial), "%s", serial);
	p->heard_us = (int64_t)m->now_us;
	for (; at > 0 && strcmp(m->member[at - 1]->serial, serial) > 0; at--)
		m->member[at] = m->member[at - 1];
	m->member[at] = p;
	m->n_members++;
	autoscale_members_changed(m);
	return p;
}

/* Not one that is connected. */
static void leave(struct autoscale_machine *m, unsigned int at) {
	struct autoscale_member *p = m->member[at];

	if (m->leader == p)
		m->leader = NULL;
	free(p);
	m->n_members--;
	for (; at < m->n_members; at++)
		m->member[at] = m->member[at + 1];
	autoscale_members_changed(m);
}

void autoscale_members_stop(struct autoscale_machine *m) {
	m->leader = NULL;
	while (m->n_members > 0)
		free(m->member[--m->n_members]);
}

void autoscale_members_heard(struct autoscale_machine *m, struct autoscale_member *p) {
	int64_t wall_s = m->env.wall_s(m->env.arg);

	p->heard_us = (int64_t)m->now_us;
	/* kept over restarts, but not written each time */
	if (wall_s - p->heard_s >= HOUR_S || wall_s < p->heard_s)
		m->is_members_changed = true;
	p->heard_s = wall_s;
}

void autoscale_members_load(struct autoscale_machine *m) {
	int64_t wall_s = m->env.wall_s(m->env.arg);

	for (unsigned int i = 0; i < m->a.group.n; i++) {
		const struct member *known = &m->a.group.member[i];
		struct autoscale_member *p;
		int64_t age_s = wall_s - known->heard_s;

		if (known->role == MEMBER_GONE || strcmp(known->serial, m->a.serial) == 0)
			continue;
		p = autoscale_members_meet(m, known->serial);
		if (!p)
			continue;
		memcpy(p->vmid, known->vmid, sizeof(p->vmid));
		p->listed = true;
		p->ip = known->ip;
		p->primary = known->role == MEMBER_PRIMARY;
		p->heard_s = known->heard_s;
		p->heard_us = (int64_t)m->now_us - (DAY_US - HOUR_US);
		if (age_s < (DAY_US - HOUR_US) / (int64_t)AUTOSCALE_S)
			p->heard_us = (int64_t)m->now_us -
				      (age_s > 0 ? age_s : 0) * (int64_t)AUTOSCALE_S;
	}
	m->is_members_changed = false;
}

/* ---- from and for others ---- */

void autoscale_members_put(const struct autoscale_machine *m, struct autoscale_message *beat,
			   struct buf *list) {
	struct member own = { .role = MEMBER_PRIMARY, .ip = m->a.ip };

	snprintf(own.serial, sizeof(own.serial), "%s", m->a.serial);
	snprintf(own.vmid, sizeof(own.vmid), "%s", m->a.vmid);
	autoscale_message_put_member(list, &own);
	for (unsigned int i = 0; i < m->n_members; i++) {
		const struct autoscale_member *p = m->member[i];
		int64_t ago_us = (int64_t)m->now_us - p->heard_us;
		struct member item = { .role = p->primary ? MEMBER_PRIMARY : MEMBER_SECONDARY,
				       .ip = p->ip, .heard_s = ago_us / (int64_t)AUTOSCALE_S };

		memcpy(item.serial, p->serial, sizeof(item.serial));
		memcpy(item.vmid, p->vmid, sizeof(item.vmid));
		autoscale_message_put_member(list, &item);
	}
	beat->members_version = m->members_version;
	beat->n = m->n_members + 1;
	buf_reader_init(&beat->list, list->data, list->len);
}

static void take_member(struct autoscale_machine *m, const struct member *told) {
	struct autoscale_member *p = autoscale_members_meet(m, told->serial);
	bool primary = told->role == MEMBER_PRIMARY;
	int64_t heard_us = (int64_t)m->now_us - told->heard_s * (int64_t)AUTOSCALE_S;

	if (p)
		p->listed = true;
	if (!p || p->channel)
		return;              /* of one that is connected, this unit knows more */
	if (strcmp(p->vmid, told->vmid) != 0 || !net_equal(&p->ip, &told->ip) ||
	    p->primary != primary)
		autoscale_members_changed(m);
	memcpy(p->vmid, told->vmid, sizeof(p->vmid));
	p->ip = told->ip;
	p->primary = primary;
	if (heard_us <= p->heard_us && p->heard_s != 0)
		return;
	p->heard_us = heard_us;
	p->heard_s = m->env.wall_s(m->env.arg) - told->heard_s;
}

static bool is_listed(const struct member *list, uint32_t n, const char *serial) {
	for (uint32_t i = 0; i < n; i++)
		if (strcmp(list[i].serial, serial) == 0)
			return true;
	return false;
}

void autoscale_members_told(struct autoscale_machine *m, struct autoscale_member *by,
			    const struct autoscale_message *beat) {
	struct buf_reader list = beat->list;
	struct member *told AUTO_FREE = xcalloc(beat->n + 1, sizeof(*told));

	for (uint32_t i = 0; i < beat->n; i++)
		autoscale_message_get_member(&list, &told[i]);
	for (unsigned int i = m->n_members; i-- > 0;) {
		struct autoscale_member *p = m->member[i];

		p->listed = p == by || is_listed(told, beat->n, p->serial);
		if (!p->channel && !p->listed)
			leave(m, i);
	}
	for (uint32_t i = 0; i < beat->n; i++)
		if (strcmp(told[i].serial, m->a.serial) != 0)
			take_member(m, &told[i]);
}

/* ---- leaving ---- */

static int forget(struct autoscale_machine *m, const char *serial, struct err *err) {
	for (unsigned int i = 0; i < m->n_members; i++) {
		if (strcmp(m->member[i]->serial, serial) != 0)
			continue;
		if (m->member[i]->channel)
			return err_set(err, ERR_IN_USE, "%s is connected", serial);
		autoscale_tell(m, LOG_NOTICE, "%s has left the group: it was to be forgotten",
			       serial);
		leave(m, i);
		return 0;
	}
	return err_set(err, ERR_NOT_FOUND, "%s is no member of the group", serial);
}

void autoscale_members_forget(struct autoscale_machine *m, const char *serial) {
	struct err err = { 0 };

	if (m->a.primary && forget(m, serial, &err) != 0)
		autoscale_note(m, AUTOSCALE_NOTE_FORGET, LOG_NOTICE,
			       "A member wants another one forgotten: %s", err.text);
}

int autoscale_forget(struct autoscale_machine *m, const char *serial, uint64_t now_us,
		     struct err *err) {
	struct autoscale_message message = { .type = AUTOSCALE_FORGET };
	AUTO_BUF struct buf b = BUF_INIT;
	struct autoscale_member *p = autoscale_members_find(m, serial);
	int rc = 0;

	m->now_us = now_us;
	if (!p)
		return err_set(err, ERR_NOT_FOUND, "%s is no member of the group", serial);
	if (m->a.primary || !p->listed) {
		rc = forget(m, serial, err);
	} else if (p->channel) {
		rc = err_set(err, ERR_IN_USE, "%s is connected", serial);
	} else if (!m->leader || !m->leader->channel) {
		rc = err_set(err, ERR_TIMEOUT, "the primary is not connected");
	} else {
		snprintf(message.serial, sizeof(message.serial), "%s", serial);
		autoscale_message_encode(&b, &message);
		autoscale_peer_send(m, m->leader->channel, &b);
	}
	autoscale_settle(m);
	return rc;
}

static void look(struct autoscale_machine *m) {
	m->leave_us = m->now_us + LOOK_US;
	for (unsigned int i = m->n_members; i-- > 0;) {
		const struct autoscale_member *p = m->member[i];

		if (p->channel || (!m->a.primary && p->listed) ||
		    (int64_t)m->now_us - p->heard_us < DAY_US)
			continue;
		autoscale_tell(m, LOG_NOTICE, "%s has left the group: nothing was heard for a day",
			       p->serial);
		leave(m, i);
	}
}

/* ---- gatehoused keeps the list ---- */

static void told_done(struct autoscale_machine *m, struct autoscale_question *q) {
	m->members_us = m->now_us + TELL_US;
	if (q->code != 0)
		m->is_members_changed = true;
	autoscale_question_free(q);
}

static void tell(struct autoscale_machine *m) {
	AUTO_STR struct str text = STR_INIT;
	struct membership *group = xcalloc(1, sizeof(*group));
	struct buf request = BUF_INIT;

	group->epoch = m->a.group.epoch;
	group->heard = m->heard;
	group->joined = m->joined_epoch > 0 && m->joined_epoch == m->a.group.epoch;
	for (unsigned int i = 0; i < m->n_members; i++) {
		const struct autoscale_member *p = m->member[i];
		struct member *item = &group->member[group->n];

		if (!*p->vmid)
			continue;    /* it has not said HELLO yet */
		memcpy(item->serial, p->serial, sizeof(item->serial));
		memcpy(item->vmid, p->vmid, sizeof(item->vmid));
		item->role = p->primary ? MEMBER_PRIMARY : MEMBER_SECONDARY;
		item->ip = p->ip;
		item->heard_s = p->heard_s > 0 ? p->heard_s : 0;
		group->n++;
	}
	membership_text(group, &text);
	free(group);
	buf_put_u8(&request, CTL_SYNC_MEMBERS);
	buf_put_str(&request, str_text(&text));
	autoscale_ask(m, &request, told_done);
	m->is_members_changed = false;
	m->members_us = AUTOSCALE_NEVER;
	m->told_heard = m->heard;
}

/* An epoch cannot wait: this unit must not begin one by a number that others have used. */
static bool may_tell(const struct autoscale_machine *m) {
	return m->now_us >= m->members_us ||
	       (m->members_us != AUTOSCALE_NEVER && m->heard > m->told_heard);
}

void autoscale_members_tick(struct autoscale_machine *m) {
	if (m->now_us >= m->leave_us)
		look(m);
	if (m->is_members_changed && m->desk && may_tell(m))
		tell(m);
}

uint64_t autoscale_members_due(const struct autoscale_machine *m) {
	uint64_t due = m->leave_us;

	return m->is_members_changed && m->desk ? autoscale_min(due, m->members_us) : due;
}
