/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two halves that know nothing of each other: what goes out (arq_out) and what comes in (arq_in).
 * Here they meet: DATA that goes out acknowledges what came in, and what comes in acknowledges what
 * went out.
 *
 * Next to go is a request for what is missing, for it delays all behind; then DATA; then, when
 * there is no DATA to carry it, an acknowledgement. A payload of the peer is judged as a whole
 * before any of it has an effect.
 */
#include "sync/arq.h"

#include <endian.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "sync/arq_in.h"
#include "sync/arq_out.h"

struct arq {
	struct arq_out out;
	struct arq_in in;
	struct arq_stats stats;
	uint64_t shown;              /* DATA that arq_next() gave; 0: none */
	bool shown_ack;              /* it gave an ACK */
	union {
		struct arq_wire_ack ack;
		uint8_t bytes[ARQ_ACK_MAX];
	} wire;
};

struct arq *arq_new(const struct arq_limits *limits) {
	static const struct arq_limits none;
	struct arq *a = xcalloc(1, sizeof(*a));

	if (limits == NULL)
		limits = &none;
	arq_out_init(&a->out, limits->queue_bytes, limits->window);
	arq_in_init(&a->in, limits->early_bytes);
	return a;
}

struct arq *arq_free(struct arq *a) {
	if (a == NULL)
		return NULL;
	arq_out_done(&a->out);
	arq_in_done(&a->in);
	free(a);
	return NULL;
}

bool arq_put(struct arq *a, const uint8_t *record, size_t len, size_t payload_max) {
	bool put = arq_out_put(&a->out, record, len, payload_max);

	a->stats.refused += !put;
	return put;
}

size_t arq_room(const struct arq *a) {
	return a->out.bytes_max - a->out.bytes;
}

static void arq_forget_shown(struct arq *a) {
	a->shown = 0;
	a->shown_ack = false;
}

static size_t arq_show_data(struct arq *a, const uint8_t **payload) {
	struct arq_slot *slot = arq_out_slot(&a->out, a->shown);

	((struct arq_wire_data *)slot->data)->ack = htobe64(a->in.turn - 1);
	*payload = slot->data;
	return slot->len;
}

static size_t arq_show_ack(struct arq *a, uint64_t now_us, const uint8_t **payload) {
	a->shown_ack = true;
	*payload = a->wire.bytes;
	return arq_in_ack(&a->in, now_us, &a->wire.ack);
}

size_t arq_next(struct arq *a, uint64_t now_us, bool flush, const uint8_t **payload) {
	arq_forget_shown(a);
	a->stats.timeouts += arq_out_timeout(&a->out, now_us);
	if (arq_in_must_ask(&a->in, now_us))
		return arq_show_ack(a, now_us, payload);
	a->shown = arq_out_pick(&a->out, flush);
	if (a->shown != 0)
		return arq_show_data(a, payload);
	arq_out_held(&a->out);
	return arq_in_must_ack(&a->in, now_us) ? arq_show_ack(a, now_us, payload) : 0;
}

void arq_sent(struct arq *a, uint64_t now_us) {
	if (a->shown_ack) {
		a->stats.acks++;
		a->stats.asked += arq_in_asked(&a->in, now_us, &a->wire.ack);
	} else if (a->shown != 0) {
		if (a->shown == a->out.fresh)
			a->stats.sent++;
		else
			a->stats.again++;
		arq_out_sent(&a->out, a->shown, now_us);
	} else {
		return;
	}
	arq_in_acked(&a->in);
	arq_forget_shown(a);
}

uint64_t arq_deadline(const struct arq *a) {
	return arq_least(arq_out_deadline(&a->out), arq_in_deadline(&a->in));
}

static bool arq_take_data(struct arq *a, uint64_t now_us, const uint8_t *payload, size_t len,
			  void (*deliver)(void *arg, const uint8_t *records, size_t len),
			  void *arg) {
	const struct arq_wire_data *wire = (const struct arq_wire_data *)payload;
	struct arq_early e;

	if (len <= sizeof(*wire) || wire->seq == 0 || be64toh(wire->ack) >= a->out.fresh)
		return false;
	payload += sizeof(*wire);
	len -= sizeof(*wire);
	arq_out_acked(&a->out, be64toh(wire->ack), now_us);
	switch (arq_in_take(&a->in, be64toh(wire->seq), payload, len, now_us)) {
	case ARQ_IN_TURN:
		a->stats.received++;
		deliver(arg, payload, len);
		while (arq_in_next(&a->in, &e)) {
			a->stats.received++;
			deliver(arg, e.data, e.len);
			free(e.data);
		}
		break;
	case ARQ_IN_EARLY:
		a->stats.early++;
		break;
	case ARQ_IN_DOUBLED:
		a->stats.doubled++;
		break;
	case ARQ_IN_DROPPED:
		a->stats.dropped++;
		break;
	}
	arq_in_look(&a->in, now_us);
	return true;
}

/* Whether an ACK speaks only of what was sent, its gaps in order and apart from each other. */
static bool arq_ack_sound(const struct arq *a, const struct arq_wire_ack *wire, size_t len) {
	uint64_t before, fresh = a->out.fresh;
	size_t n;

	if (len < sizeof(*wire))
		return false;
	n = be16toh(wire->n);
	before = be64toh(wire->ack);
	if (len != sizeof(*wire) + n * sizeof(wire->range[0]) || before >= fresh)
		return false;
	for (size_t i = 0; i < n; i++) {
		uint64_t first = be64toh(wire->range[i].first);
		uint64_t count = be16toh(wire->range[i].count);

		if (first <= before || count == 0 || first >= fresh || count > fresh - first)
			return false;
		before = first + count - 1;
	}
	return true;
}

static bool arq_take_ack(struct arq *a, uint64_t now_us, const uint8_t *payload, size_t len) {
	const struct arq_wire_ack *wire = (const struct arq_wire_ack *)payload;

	if (!arq_ack_sound(a, wire, len))
		return false;
	for (size_t i = 0; i < be16toh(wire->n); i++)
		arq_out_asked(&a->out, be64toh(wire->range[i].first),
			      be16toh(wire->range[i].count), now_us);
	arq_out_acked(&a->out, be64toh(wire->ack), now_us);
	return true;
}

bool arq_take(struct arq *a, uint64_t now_us, const uint8_t *payload, size_t len,
	      void (*deliver)(void *arg, const uint8_t *records, size_t len), void *arg) {
	bool sound = false;

	arq_forget_shown(a);
	if (len > 0 && payload[0] == ARQ_DATA)
		sound = arq_take_data(a, now_us, payload, len, deliver, arg);
	else if (len > 0 && payload[0] == ARQ_ACK)
		sound = arq_take_ack(a, now_us, payload, len);
	a->stats.malformed += !sound;
	return sound;
}

void arq_tell(const struct arq *a, uint64_t *last, uint64_t *ack) {
	*last = a->out.fresh - 1;
	*ack = a->in.turn - 1;
}

bool arq_beat(struct arq *a, uint64_t now_us, uint64_t last, uint64_t ack) {
	arq_forget_shown(a);
	if (ack >= a->out.fresh) {
		a->stats.malformed++;
		return false;
	}
	arq_out_alive(&a->out, now_us);
	arq_out_acked(&a->out, ack, now_us);
	arq_in_know(&a->in, last);
	arq_in_look(&a->in, now_us);
	return true;
}

void arq_resend(struct arq *a, uint64_t now_us, uint32_t rtt_us) {
	arq_forget_shown(a);
	arq_out_resend(&a->out, now_us, rtt_us);
}

uint64_t arq_mark(const struct arq *a) {
	return a->out.end - 1;
}

uint64_t arq_acked(const struct arq *a) {
	return a->out.first - 1;
}

void arq_stats(const struct arq *a, struct arq_stats *stats) {
	*stats = a->stats;
	stats->next_seq = a->out.open ? a->out.end - 1 : a->out.end;
	stats->acked_seq = a->out.first - 1;
	stats->received_seq = a->in.turn - 1;
	stats->queued_records = a->out.records;
	stats->queued_bytes = a->out.bytes;
	stats->early_bytes = a->in.bytes;
	stats->window = a->out.window;
	stats->in_flight = (unsigned int)(a->out.fresh - a->out.first);
	stats->rtt_us = a->out.rtt.smooth_us;
	stats->patience_us = a->in.patience_us;
}
