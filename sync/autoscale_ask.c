/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gatehoused answers one question after the other, for all members and for this unit. So only a few
 * are under way at a time; the others wait here, in the order in which they came. No member has
 * more than one of them, which makes that order fair and the queue short; equal questions of
 * several members are asked once.
 *
 * What an answer brings is gathered with its question and handed over at its end. When gatehoused
 * goes away, questions for members wait for it to come back; the others are answered: it is away.
 */
#include "sync/autoscale_impl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNDER_WAY 16
#define UNDER_WAY_BYTES (256u << 10)

void autoscale_question_free(struct autoscale_question *q) {
	buf_wipe(&q->request);
	buf_wipe(&q->list);
	free(q->waiter);
	free(q);
}

struct autoscale_question *autoscale_ask(struct autoscale_machine *m, struct buf *request,
					 autoscale_done_fn *done) {
	struct autoscale_question *q = xcalloc(1, sizeof(*q));

	q->request = *request;
	*request = (struct buf)BUF_INIT;
	q->done = done;
	*m->last = q;
	m->last = &q->next;
	return q;
}

struct autoscale_question *autoscale_ask_same(const struct autoscale_machine *m,
					      const struct buf *request, autoscale_done_fn *done) {
	for (struct autoscale_question *q = m->first; q; q = q->next)
		if (!q->asked && q->done == done && q->request.len == request->len &&
		    memcmp(q->request.data, request->data, request->len) == 0)
			return q;
	return NULL;
}

void autoscale_ask_pump(struct autoscale_machine *m) {
	struct autoscale_question *q = m->first;

	for (; q && q->asked; q = q->next) {
	}
	for (; m->desk && q && m->n_asked < UNDER_WAY && m->asked_bytes < UNDER_WAY_BYTES;
	     q = q->next) {
		q->asked = true;
		m->n_asked++;
		m->asked_bytes += q->request.len;
		m->env.ask(m->env.arg, &q->request);
	}
}

/* Take out what has not been asked yet and fits; what is under way is answered to nobody. */
static void drop(struct autoscale_machine *m,
		 bool (*fits)(const struct autoscale_question *q, const void *arg),
		 const void *arg) {
	struct autoscale_question **at = &m->first;

	while (*at) {
		struct autoscale_question *q = *at;

		if (!fits(q, arg)) {
			at = &q->next;
		} else if (q->asked) {
			q->done = NULL;
			at = &q->next;
		} else {
			*at = q->next;
			autoscale_question_free(q);
		}
	}
	m->last = at;
}

static bool is_of(const struct autoscale_question *q, const void *arg) {
	return q->done == *(autoscale_done_fn *const *)arg;
}

void autoscale_ask_drop(struct autoscale_machine *m, autoscale_done_fn *done) {
	drop(m, is_of, &done);
}

static bool is_any(const struct autoscale_question *q, const void *arg) {
	(void)q;
	(void)arg;
	return true;
}

void autoscale_ask_stop(struct autoscale_machine *m) {
	drop(m, is_any, NULL);
}

/* Only questions for members are asked again when gatehoused goes away. */
static bool is_unwanted(const struct autoscale_question *q, const void *arg) {
	(void)arg;
	return q->again && q->n_waiters == 0;
}

void autoscale_ask_prune(struct autoscale_machine *m) {
	drop(m, is_unwanted, NULL);
}

/* ---- answers ---- */

static struct autoscale_question *take_first(struct autoscale_machine *m) {
	struct autoscale_question *q = m->first;

	m->first = q->next;
	if (!m->first)
		m->last = &m->first;
	if (q->asked) {
		m->n_asked--;
		m->asked_bytes -= q->request.len;
	}
	q->next = NULL;
	return q;
}

/* `done` takes the question over. */
static void finish_first(struct autoscale_machine *m) {
	struct autoscale_question *q = take_first(m);

	if (q->done)
		q->done(m, q);
	else
		autoscale_question_free(q);
}

/* The bytes of an item, which were looked at, join the list while there is room. */
static void add_item(struct autoscale_question *q, const struct buf_reader *r, size_t from) {
	q->is_full = q->is_full || q->list.len + (r->pos - from) > AUTOSCALE_ANSWER_MAX;
	if (q->is_full)
		return;
	buf_put_bytes(&q->list, r->data + from, r->pos - from);
	q->n++;
}

static void take_digest(struct autoscale_question *q, struct buf_reader *r) {
	struct autoscale_digest item;

	autoscale_message_get_digest(r, &item);
	if (buf_reader_end(r))
		add_item(q, r, 1);
}

static void take_operation(struct autoscale_question *q, struct buf_reader *r) {
	struct operation o;

	operation_decode(&o, r);
	operation_done(&o);
	if (buf_reader_end(r))
		add_item(q, r, 1);
}

static void take_origin(struct autoscale_question *q, struct buf_reader *r) {
	autoscale_message_get_text(r, q->user, sizeof(q->user));
	autoscale_message_get_text(r, q->source, sizeof(q->source));
	q->time_s = buf_get_u64(r);
}

/* What an administrator reads in several lines, as one. */
static void join_lines(const char *text, struct str *out) {
	for (; *text; text++) {
		if (*text != '\n')
			str_add_char(out, *text);
		else if (text[1])
			str_add(out, "; ");
	}
}

static void take_error(struct autoscale_question *q, struct buf_reader *r) {
	AUTO_STR struct str line = STR_INIT;
	AUTO_FREE char *text = NULL;

	q->code = (int32_t)buf_get_u32(r);
	text = buf_get_str(r, ERR_TEXT_MAX);
	join_lines(text, &line);
	snprintf(q->text, sizeof(q->text), "%s", str_text(&line));
	err_clean_line(q->text);
	if (q->code == 0)
		q->code = ERR_PARSE;
}

/* Whether the frame was the last of its answer. */
static bool take_frame(struct autoscale_question *q, struct buf_reader *r) {
	uint8_t type = buf_get_u8(r);

	switch (type) {
	case CTL_SYNC_REVISION:
		q->revision = buf_get_u64(r);
		break;
	case CTL_SYNC_DIGEST:
		take_digest(q, r);
		break;
	case CTL_SYNC_OPERATION:
		take_operation(q, r);
		break;
	case CTL_SYNC_ORIGIN:
		take_origin(q, r);
		break;
	case CTL_ERROR:
		take_error(q, r);
		return true;
	case CTL_OK:
		return true;
	default:
		return false;        /* warnings, and what later versions have to say */
	}
	if (r->bad && q->code == 0) {
		q->code = ERR_PARSE;
		snprintf(q->text, sizeof(q->text), "the configuration daemon gave no answer");
	}
	return false;
}

void autoscale_ask_take(struct autoscale_machine *m, const uint8_t *frame, size_t len) {
	struct autoscale_question *q = m->first;
	struct buf_reader r;

	if (!q || !q->asked)
		return;
	buf_reader_init(&r, frame, len);
	if (take_frame(q, &r))
		finish_first(m);
}

/* ---- the end ---- */

static void begin_anew(struct autoscale_question *q) {
	buf_wipe(&q->list);
	q->asked = q->is_full = false;
	q->n = 0;
	q->code = 0;
	q->revision = 0;
}

void autoscale_ask_lost(struct autoscale_machine *m) {
	struct autoscale_question *q = m->first;

	m->first = NULL;
	m->last = &m->first;
	m->n_asked = 0;
	m->asked_bytes = 0;
	while (q) {
		struct autoscale_question *next = q->next;

		q->next = NULL;
		begin_anew(q);
		if (q->done && q->again) {
			*m->last = q;
			m->last = &q->next;
		} else if (q->done) {
			q->code = ERR_TIMEOUT;
			snprintf(q->text, sizeof(q->text), "the configuration daemon is away");
			q->done(m, q);
		} else {
			autoscale_question_free(q);
		}
		q = next;
	}
}

size_t autoscale_ask_memory(const struct autoscale_machine *m) {
	size_t bytes = 0;

	for (const struct autoscale_question *q = m->first; q; q = q->next)
		bytes += sizeof(*q) + q->request.size + q->list.size +
			 q->n_waiters * sizeof(*q->waiter);
	for (const struct autoscale_question *q = m->parked; q; q = q->next)
		bytes += sizeof(*q) + q->list.size;
	return bytes;
}
