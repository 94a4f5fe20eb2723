/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this unit gives to others. A question of a member becomes one to gatehoused, whose answer
 * becomes the message; a member that asks again before it has an answer does not want the first
 * any more.
 *
 * On the primary, changes are sent to the members that stand at a known revision as soon as they
 * are made: one question for all that stand at the same. A member gets the next changes when it has
 * said that it has the last, so nothing piles up for one that is slow.
 *
 * gatehoused says on one connection what has changed, on another what the digests are. An answer
 * whose revision has no digests here yet is parked until they come.
 */
#include "sync/autoscale_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PARKED_US (5 * AUTOSCALE_S)

static void changes_done(struct autoscale_machine *m, struct autoscale_question *q);
static void answer_done(struct autoscale_machine *m, struct autoscale_question *q);

/* ---- requests ---- */

static void put_changes(struct buf *b, uint64_t since, uint32_t bytes) {
	buf_put_u8(b, CTL_SYNC_CHANGES);
	buf_put_u64(b, since);
	buf_put_u32(b, bytes);
}

bool autoscale_serve_request(const struct autoscale_message *question, struct buf *request) {
	switch (question->type) {
	case AUTOSCALE_ASK_CHANGES:
		put_changes(request, question->since, AUTOSCALE_ANSWER_MAX);
		return true;
	case AUTOSCALE_ASK_TABLES:
		buf_put_u8(request, CTL_SYNC_TABLES);
		return true;
	case AUTOSCALE_ASK_INDEX:
		buf_put_u8(request, CTL_SYNC_INDEX);
		buf_put_str(request, question->table);
		buf_put_str(request, question->after);
		buf_put_u32(request, AUTOSCALE_INDEX_PAGE);
		return true;
	case AUTOSCALE_ASK_OBJECTS:
		buf_put_u8(request, CTL_SYNC_READ);
		buf_put_u16(request, (uint16_t)question->n);
		buf_put_bytes(request, question->list.data + question->list.pos,
			      question->list.len - question->list.pos);
		return true;
	default:
		return false;
	}
}

/* ---- answers ---- */

void autoscale_serve_answer(const struct autoscale_question *q, struct autoscale_message *ret) {
	*ret = (struct autoscale_message){ .type = q->answer, .revision = q->revision,
					   .since = q->since, .time_s = q->time_s, .n = q->n,
					   .more = q->is_full || q->n == AUTOSCALE_INDEX_PAGE };
	snprintf(ret->user, sizeof(ret->user), "%s", q->user);
	snprintf(ret->source, sizeof(ret->source), "%s", q->source);
	if (q->list.len > 0)
		buf_reader_init(&ret->list, q->list.data, q->list.len);
	if (q->code == 0 || (q->answer == AUTOSCALE_INDEX && q->code == ERR_NOT_FOUND &&
			     !q->goes_on))
		return;              /* a table that is not known here is an empty one */
	*ret = (struct autoscale_message){ .type = AUTOSCALE_NO, .why = AUTOSCALE_CANNOT };
	if ((q->answer == AUTOSCALE_CHANGES || q->answer == AUTOSCALE_INDEX) &&
	    (q->code == ERR_NOT_FOUND || q->code == ERR_TOO_LONG))
		ret->why = AUTOSCALE_TOO_FAR;
	snprintf(ret->text, sizeof(ret->text), "%s", q->text);
}

static void send_push(struct autoscale_machine *m, struct autoscale_channel *c, uint64_t since,
		      const struct autoscale_message *answer, struct buf *b) {
	if (c->pushed != since)
		return;
	if (answer->type == AUTOSCALE_NO || answer->revision <= since) {
		/* too much: it will ask, once it hears that there is something */
		c->pull = answer->type == AUTOSCALE_NO ? since : 0;
		c->pushed = 0;
		autoscale_peer_beat(c);
		return;
	}
	autoscale_message_set_id(b, 0);
	if (!autoscale_peer_send(m, c, b))
		return;
	c->member->pushes++;
	m->stats.pushes++;
}

static void send_answer(struct autoscale_machine *m, struct autoscale_channel *c, uint32_t id,
			struct buf *b) {
	uint32_t *asking = &c->asking[id / AUTOSCALE_INQUIRY];

	if (*asking != id)
		return;
	*asking = 0;
	autoscale_message_set_id(b, id);
	if (!autoscale_peer_send(m, c, b))
		return;
	c->member->questions++;
	m->stats.answers++;
}

/* The answer goes to all that wait for it. */
static void deliver(struct autoscale_machine *m, struct autoscale_question *q,
		    const struct digest_group *digests) {
	struct buf b = BUF_INIT;
	struct autoscale_message answer;

	autoscale_serve_answer(q, &answer);
	if (digests) {
		answer.digests = *digests;
		answer.checked = q->since >= m->key_revision;
	}
	buf_reserve(&b, q->list.len + 1024);
	autoscale_message_encode(&b, &answer);
	for (unsigned int i = 0; i < q->n_waiters; i++) {
		const struct autoscale_waiter *w = &q->waiter[i];
		struct autoscale_channel *c = autoscale_peer_channel(m, w->channel);

		if (c && c->member && w->id == 0)
			send_push(m, c, q->since, &answer, &b);
		else if (c && c->member)
			send_answer(m, c, w->id, &b);
	}
	buf_wipe(&b);
	autoscale_question_free(q);
}

static void answer_done(struct autoscale_machine *m, struct autoscale_question *q) {
	deliver(m, q, NULL);
}

/* The same question once more: its answer came too late to know the digests. */
static void ask_again(struct autoscale_machine *m, struct autoscale_question *q) {
	struct autoscale_question *new = autoscale_ask(m, &q->request, changes_done);

	new->again = true;
	new->answer = q->answer;
	new->since = q->since;
	new->waiter = q->waiter;
	new->n_waiters = q->n_waiters;
	q->waiter = NULL;
	autoscale_question_free(q);
}

static void park(struct autoscale_machine *m, struct autoscale_question *q) {
	q->parked_us = m->now_us;
	q->next = m->parked;
	m->parked = q;
}

static void changes_done(struct autoscale_machine *m, struct autoscale_question *q) {
	const struct digest_group *digests = autoscale_digests(m, q->revision);

	if (q->is_full)
		q->code = ERR_TOO_LONG;
	if (q->code != 0 || digests)
		deliver(m, q, digests);
	else if (q->revision < m->a.revision)
		ask_again(m, q);
	else
		park(m, q);
}

void autoscale_serve_parked(struct autoscale_machine *m) {
	struct autoscale_question *q = m->parked;

	m->parked = NULL;
	while (q) {
		struct autoscale_question *next = q->next;

		q->next = NULL;
		if (m->now_us - q->parked_us >= PARKED_US)
			ask_again(m, q);
		else if (autoscale_digests(m, q->revision) || q->revision < m->a.revision)
			changes_done(m, q);
		else {
			q->next = m->parked;
			m->parked = q;
		}
		q = next;
	}
}

uint64_t autoscale_serve_due(const struct autoscale_machine *m) {
	uint64_t due = AUTOSCALE_NEVER;

	for (const struct autoscale_question *q = m->parked; q; q = q->next)
		due = autoscale_min(due, q->parked_us + PARKED_US);
	return due;
}

/* ---- who waits ---- */

static void add_waiter(struct autoscale_question *q, const struct autoscale_channel *c,
		       uint32_t id) {
	q->waiter = xreallocarray(q->waiter, q->n_waiters + 1, sizeof(*q->waiter));
	q->waiter[q->n_waiters++] = (struct autoscale_waiter){ .channel = c->number, .id = id };
}

/* Questions whose answers nobody waits for any more need not be asked. */
static void remove_waiter(struct autoscale_question *q, const struct autoscale_channel *c,
			  const uint32_t *id) {
	unsigned int n = 0;

	for (unsigned int i = 0; i < q->n_waiters; i++) {
		const struct autoscale_waiter *w = &q->waiter[i];

		if (w->channel != c->number || (id && w->id != *id))
			q->waiter[n++] = *w;
	}
	q->n_waiters = n;
}

/* One, or all (NULL). */
static void forget_question(struct autoscale_machine *m, const struct autoscale_channel *c,
			    const uint32_t *id) {
	for (struct autoscale_question *q = m->first; q; q = q->next)
		remove_waiter(q, c, id);
	for (struct autoscale_question *q = m->parked; q; q = q->next)
		remove_waiter(q, c, id);
	autoscale_ask_prune(m);
}

void autoscale_serve_gone(struct autoscale_machine *m, const struct autoscale_channel *c) {
	forget_question(m, c, NULL);
}

void autoscale_serve_stop(struct autoscale_machine *m) {
	while (m->parked) {
		struct autoscale_question *q = m->parked;

		m->parked = q->next;
		autoscale_question_free(q);
	}
}

static void ask_for(struct autoscale_machine *m, struct autoscale_channel *c, struct buf *request,
		    const struct autoscale_message *question) {
	bool changes = question->type == AUTOSCALE_ASK_CHANGES;
	autoscale_done_fn *done = changes ? changes_done : answer_done;
	struct autoscale_question *q = autoscale_ask_same(m, request, done);

	/* the answer to an earlier question may be of an earlier revision than was told */
	if (!q) {
		q = autoscale_ask(m, request, done);
		q->again = true;
		q->answer = question->type + 1;
		q->since = question->since;
		q->goes_on = *question->after;
	}
	add_waiter(q, c, question->id);
}

void autoscale_serve(struct autoscale_machine *m, struct autoscale_channel *c,
		     const struct autoscale_message *question) {
	AUTO_BUF struct buf request = BUF_INIT;
	uint32_t *asking = &c->asking[question->id / AUTOSCALE_INQUIRY];

	if (question->id == 0 || !rate_take(&c->questions, m->now_us * 1000)) {
		autoscale_peer_refuse(m, c, AUTOSCALE_FULL, "it asks too much");
		return;
	}
	if (!autoscale_serve_request(question, &request))
		return;
	if (*asking != 0)
		forget_question(m, c, asking);
	*asking = question->id;
	if (question->type == AUTOSCALE_ASK_CHANGES)
		c->pushed = 0;
	ask_for(m, c, &request, question);
}

/* ---- changes as they come ---- */

/* Whether a member stands where the changes since then can be sent to it. */
static bool may_push(const struct autoscale_machine *m, const struct autoscale_channel *c) {
	const struct autoscale_standing *s = c->member ? &c->member->standing : NULL;

	return s && !s->primary && s->synced && !s->copying && !s->failing && c->asking[0] == 0 &&
	       c->pushed == 0 && strcmp(s->followed, m->a.serial) == 0 &&
	       s->followed_revision > 0 && s->followed_revision < m->a.revision &&
	       s->followed_revision != c->pull && s->epoch == m->a.group.epoch;
}

void autoscale_serve_push(struct autoscale_machine *m) {
	if (!m->a.primary || !m->desk)
		return;
	AUTOSCALE_EACH(m, c) {
		AUTO_BUF struct buf request = BUF_INIT;

		if (!may_push(m, c)) {
			if (c->pushed == 0 && c->told != m->a.revision)
				autoscale_peer_beat(c);
			continue;
		}
		c->pushed = c->member->standing.followed_revision;
		put_changes(&request, c->pushed, AUTOSCALE_PUSH_MAX);
		ask_for(m, c, &request, &(struct autoscale_message){
			.type = AUTOSCALE_ASK_CHANGES, .since = c->pushed });
	}
}
