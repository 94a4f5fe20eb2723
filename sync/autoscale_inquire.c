/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an administrator wants to know of another member, or of this unit in the same form: its
 * tables, an index, objects. One question to a member at a time; members keep them apart from those
 * of a copy by their ids.
 */
#include "sync/autoscale_impl.h"

#include <stdio.h>
#include <string.h>

#define ANSWER_US (10 * AUTOSCALE_S)

static void finish(struct autoscale_machine *m, struct autoscale_inquiry *i,
		   const struct autoscale_message *answer, const char *why) {
	uint32_t number = i->number;

	buf_done(&i->question);
	*i = (struct autoscale_inquiry){ .number = 0 };
	if (m->env.inquired)
		m->env.inquired(m->env.arg, number, answer, why);
}

static void answer(struct autoscale_machine *m, struct autoscale_inquiry *i,
		   const struct autoscale_message *message) {
	if (message->type == AUTOSCALE_NO)
		finish(m, i, NULL, message->text);
	else
		finish(m, i, message, "");
}

static struct autoscale_inquiry *find(struct autoscale_machine *m, uint32_t number) {
	for (unsigned int i = 0; i < AUTOSCALE_INQUIRIES; i++)
		if (m->inquiry[i].number == number)
			return &m->inquiry[i];
	return NULL;
}

/* ---- of this unit ---- */

static void own_answer(struct autoscale_machine *m, struct autoscale_question *q) {
	struct autoscale_inquiry *i = find(m, q->inquiry);
	struct autoscale_message message;

	autoscale_serve_answer(q, &message);
	if (i)
		answer(m, i, &message);
	autoscale_question_free(q);
}

static bool ask_self(struct autoscale_machine *m, uint32_t number,
		     const struct autoscale_message *question) {
	struct buf request = BUF_INIT;
	struct autoscale_question *q;

	if (!autoscale_serve_request(question, &request))
		return false;
	q = autoscale_ask(m, &request, own_answer);
	q->inquiry = number;
	q->answer = question->type + 1;
	q->goes_on = *question->after;
	return true;
}

/* ---- of another ---- */

static bool is_busy(const struct autoscale_machine *m, const char *serial) {
	for (unsigned int i = 0; i < AUTOSCALE_INQUIRIES; i++)
		if (m->inquiry[i].id != 0 && strcmp(m->inquiry[i].serial, serial) == 0)
			return true;
	return false;
}

static void ask_member(struct autoscale_machine *m, struct autoscale_inquiry *i) {
	struct autoscale_member *p = autoscale_members_find(m, i->serial);

	if (!p || !p->channel) {
		finish(m, i, NULL, "it is not connected");
		return;
	}
	i->id = i->number | AUTOSCALE_INQUIRY;
	autoscale_message_set_id(&i->question, i->id);
	autoscale_peer_send(m, p->channel, &i->question);
}

void autoscale_inquire_begin(struct autoscale_machine *m) {
	for (unsigned int n = 0; n < AUTOSCALE_INQUIRIES; n++) {
		struct autoscale_inquiry *i = &m->inquiry[n];

		if (i->question.len > 0 && i->id == 0 && !is_busy(m, i->serial))
			ask_member(m, i);
	}
}

bool autoscale_inquire_message(struct autoscale_machine *m, struct autoscale_channel *c,
			       const struct autoscale_message *message) {
	struct autoscale_inquiry *i = NULL;

	if (!(message->id & AUTOSCALE_INQUIRY))
		return false;
	for (unsigned int n = 0; n < AUTOSCALE_INQUIRIES; n++)
		if (m->inquiry[n].id == message->id &&
		    strcmp(m->inquiry[n].serial, c->member->serial) == 0)
			i = &m->inquiry[n];
	if (i && (message->type == AUTOSCALE_NO ||
		  message->type == (enum autoscale_type)i->question.data[0] + 1))
		answer(m, i, message);
	return true;
}

/* ---- from outside, and the end ---- */

uint32_t autoscale_inquire(struct autoscale_machine *m, const char *serial,
			   const struct autoscale_message *question, uint64_t now_us,
			   struct err *err) {
	bool own = strcmp(serial, m->a.serial) == 0;
	struct autoscale_member *p = autoscale_members_find(m, serial);
	struct autoscale_inquiry *i = find(m, 0);
	uint32_t number = ++m->last_inquiry % AUTOSCALE_INQUIRY;

	m->now_us = now_us;
	if (number == 0)
		number = m->last_inquiry = 1;
	if (!i || (own && !m->desk) || (!own && (!p || !p->channel))) {
		err_set(err, ERR_TIMEOUT, "%s cannot be asked now", serial);
		return 0;
	}
	*i = (struct autoscale_inquiry){ .number = number, .asked_us = now_us };
	snprintf(i->serial, sizeof(i->serial), "%s", serial);
	if (own && !ask_self(m, number, question)) {
		i->number = 0;
		err_set(err, ERR_PARSE, "that is no question");
		return 0;
	}
	if (!own)
		autoscale_message_encode(&i->question, question);
	autoscale_settle(m);
	return number;
}

void autoscale_inquire_tick(struct autoscale_machine *m) {
	for (unsigned int n = 0; n < AUTOSCALE_INQUIRIES; n++) {
		struct autoscale_inquiry *i = &m->inquiry[n];
		const struct autoscale_member *p;

		if (i->number == 0)
			continue;
		p = autoscale_members_find(m, i->serial);
		if (i->question.len > 0 && (!p || !p->channel))
			finish(m, i, NULL, "the connection with it broke");
		else if (m->now_us >= i->asked_us + ANSWER_US)
			finish(m, i, NULL, "it does not answer");
	}
}

void autoscale_inquire_stop(struct autoscale_machine *m) {
	for (unsigned int n = 0; n < AUTOSCALE_INQUIRIES; n++)
		if (m->inquiry[n].number != 0)
			finish(m, &m->inquiry[n], NULL, "this unit is in no group");
}

uint64_t autoscale_inquire_due(const struct autoscale_machine *m) {
	uint64_t due = AUTOSCALE_NEVER;

	for (unsigned int n = 0; n < AUTOSCALE_INQUIRIES; n++)
		if (m->inquiry[n].number != 0)
			due = autoscale_min(due, m->inquiry[n].asked_us + ANSWER_US);
	return due;
}
