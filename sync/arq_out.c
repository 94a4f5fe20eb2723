/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams wait in a ring from the first one that is not acknowledged to the one that is being
 * filled; a bit each says which go out again. The sender hears of a loss only by being asked, or
 * when nothing is acknowledged for too long: then the oldest and the newest datagram go out again,
 * and the newest makes the receiver ask for all between.
 *
 * The window says how far beyond the oldest unacknowledged datagram anything may be sent, again or
 * for the first time. It is halved where more than one in sixteen gets lost, for a single loss says
 * nothing of a link that is ours alone, and grows again in each period that it was in the way.
 */
#include "sync/arq_out.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define QUEUE_BYTES (8u << 20)
#define SLOT_COST 64             /* bytes of bookkeeping that a datagram is charged with */
#define SHRINK_BYTES 256         /* unused room worth giving back when a datagram is closed */

#define WINDOW_MIN 32
#define WINDOW_BEGIN 128
#define WINDOW_STEP 16
#define PERIOD_MIN_US 10000      /* how often the window is thought over */

#define TIMEOUT_MIN_US 20000
#define TIMEOUT_BEGIN_US 200000  /* before a round trip is known */
#define TIMEOUT_MAX_US 2000000
#define AGAIN_MIN_US 1000        /* between two sendings of one datagram that is asked for */

static size_t slot_cost(size_t size) {
	return SLOT_COST + mem_size(size);
}

void arq_out_init(struct arq_out *o, size_t bytes_max, unsigned int window) {
	if (window == 0 || window > ARQ_WINDOW)
		window = ARQ_WINDOW;
	else if (window < WINDOW_MIN)
		window = WINDOW_MIN;
	*o = (struct arq_out){
		.first = 1, .fresh = 1, .end = 1,
		.bytes_max = bytes_max ? bytes_max : QUEUE_BYTES,
		.window = (unsigned int)arq_least(window, WINDOW_BEGIN),
		.slow_below = window,
		.window_max = window,
	};
}

static void arq_out_grow(struct arq_out *o) {
	size_t n = o->n_slots ? 2 * o->n_slots : 64;
	struct arq_slot *slots = xcalloc(n, sizeof(*slots));

	for (uint64_t seq = o->first; seq < o->end; seq++)
		slots[seq & (n - 1)] = *arq_out_slot(o, seq);
	free(o->slots);
	o->slots = slots;
	o->n_slots = n;
}

static struct arq_slot *arq_out_open(struct arq_out *o, size_t size) {
	struct arq_slot *slot;
	struct arq_wire_data *wire;

	if (o->bytes + slot_cost(size) > o->bytes_max)
		return NULL;
	if (o->end - o->first == o->n_slots)
		arq_out_grow(o);
	slot = arq_out_slot(o, o->end);
	*slot = (struct arq_slot){
		.data = xreallocarray(NULL, size, 1),
		.len = sizeof(*wire),
		.size = (uint16_t)size,
	};
	wire = (struct arq_wire_data *)slot->data;
	wire->kind = ARQ_DATA;
	wire->seq = htobe64(o->end);
	o->bytes += slot_cost(size);
	o->end++;
	o->open = true;
	return slot;
}

static void arq_out_close(struct arq_out *o) {
	struct arq_slot *slot = arq_out_slot(o, o->end - 1);

	o->open = false;
	if (slot->size - slot->len < SHRINK_BYTES)
		return;
	o->bytes -= slot_cost(slot->size) - slot_cost(slot->len);
	slot->data = xreallocarray(slot->data, slot->len, 1);
	slot->size = slot->len;
}

bool arq_out_put(struct arq_out *o, const uint8_t *record, size_t len, size_t payload_max) {
	struct arq_slot *slot = o->open ? arq_out_slot(o, o->end - 1) : NULL;

	payload_max = arq_least(payload_max, UINT16_MAX);
	if (slot && slot->len + len > arq_least(slot->size, payload_max)) {
		arq_out_close(o);
		slot = NULL;
	}
	if (slot == NULL && ARQ_HEADER + len <= payload_max)
		slot = arq_out_open(o, payload_max);
	if (slot == NULL)
		return false;
	memcpy(slot->data + slot->len, record, len);
	slot->len = (uint16_t)(slot->len + len);
	slot->records++;
	o->records++;
	return true;
}

static void arq_out_drop_first(struct arq_out *o) {
	struct arq_slot *slot = arq_out_slot(o, o->first);

	if (o->n_again > 0 && arq_bits_test(&o->again, o->first)) {
		arq_bits_clear(&o->again, o->first);
		o->n_again--;
	}
	o->bytes -= slot_cost(slot->size);
	o->records -= slot->records;
	free(slot->data);
	o->first++;
}

void arq_out_done(struct arq_out *o) {
	while (o->first < o->end)
		arq_out_drop_first(o);
	free(o->slots);
	o->slots = NULL;
}

static uint64_t arq_out_patience_us(const struct arq_out *o) {
	uint64_t us = o->rtt.smooth_us + 4 * (uint64_t)o->rtt.vary_us;

	if (us == 0)
		us = TIMEOUT_BEGIN_US;
	else if (us < TIMEOUT_MIN_US)
		us = TIMEOUT_MIN_US;
	return arq_least(us << o->backoff, TIMEOUT_MAX_US);
}

static void arq_out_again(struct arq_out *o, uint64_t seq) {
	if (arq_bits_test(&o->again, seq))
		return;
	arq_bits_set(&o->again, seq);
	o->n_again++;
	o->timed = 0; /* what comes now says nothing about the round trip */
}

static void arq_out_halve(struct arq_out *o) {
	o->window = o->window / 2 > WINDOW_MIN ? o->window / 2 : WINDOW_MIN;
	o->slow_below = o->window;
}

bool arq_out_timeout(struct arq_out *o, uint64_t now_us) {
	if (o->first == o->fresh || now_us < o->timeout_at)
		return false;
	if (o->backoff > 0)
		arq_out_halve(o);
	arq_out_again(o, o->first);
	arq_out_again(o, arq_least(o->fresh, o->first + o->window) - 1);
	if (o->backoff < 16)
		o->backoff++;
	o->timeout_at = now_us + arq_out_patience_us(o);
	return true;
}

uint64_t arq_out_pick(const struct arq_out *o, bool flush) {
	uint64_t beyond = o->first + o->window, to = arq_least(o->fresh, beyond);

	if (o->n_again > 0) {
		uint64_t seq = arq_bits_find(&o->again, true, o->first, to);

		if (seq < to)
			return seq;
	}
	if (o->fresh == o->end || (!flush && o->open && o->fresh == o->end - 1))
		return 0;
	return o->fresh < beyond ? o->fresh : 0;
}

void arq_out_held(struct arq_out *o) {
	if (o->fresh < o->end && o->fresh >= o->first + o->window)
		o->cramped = true;
}

void arq_out_sent(struct arq_out *o, uint64_t seq, uint64_t now_us) {
	if (seq == o->fresh) {
		if (o->open && seq == o->end - 1)
			arq_out_close(o);
		o->fresh++;
		if (o->timed == 0)
			o->timed = seq;
	} else {
		arq_bits_clear(&o->again, seq);
		o->n_again--;
	}
	arq_out_slot(o, seq)->sent_us = now_us;
	if (seq == o->first)
		o->timeout_at = now_us + arq_out_patience_us(o);
	o->period_sent++;
}

/* At the end of a period: what the window is in the next one. */
static void arq_out_pace(struct arq_out *o, uint64_t now_us) {
	if (now_us < o->period_at)
		return;
	if (o->period_lost > 1 + o->period_sent / 16)
		arq_out_halve(o);
	else if (o->cramped)
		o->window += o->window < o->slow_below ? o->window : WINDOW_STEP;
	if (o->window > o->window_max)
		o->window = o->window_max;
	o->cramped = false;
	o->period_lost = o->period_sent = 0;
	o->period_at = now_us + PERIOD_MIN_US + 2 * (uint64_t)o->rtt.smooth_us;
}

void arq_out_acked(struct arq_out *o, uint64_t ack, uint64_t now_us) {
	if (ack >= o->first) {
		if (o->timed != 0 && ack >= o->timed) {
			rtt_sample(&o->rtt, now_us - arq_out_slot(o, o->timed)->sent_us);
			o->timed = 0;
		}
		while (o->first <= ack)
			arq_out_drop_first(o);
		o->backoff = 0;
		o->timeout_at = now_us + arq_out_patience_us(o);
	}
	arq_out_pace(o, now_us);
}

void arq_out_asked(struct arq_out *o, uint64_t first, uint64_t count, uint64_t now_us) {
	uint64_t least_us = (uint64_t)o->rtt.smooth_us * 7 / 8, beyond = first + count;

	if (least_us < AGAIN_MIN_US)
		least_us = AGAIN_MIN_US;
	for (uint64_t seq = first > o->first ? first : o->first; seq < beyond; seq++) {
		if (arq_bits_test(&o->again, seq) ||
		    now_us - arq_out_slot(o, seq)->sent_us < least_us)
			continue;
		arq_out_again(o, seq);
		o->period_lost++;
	}
}

void arq_out_alive(struct arq_out *o, uint64_t now_us) {
	o->backoff = 0;
	o->timeout_at = arq_least(o->timeout_at, now_us + arq_out_patience_us(o));
}

void arq_out_resend(struct arq_out *o, uint64_t now_us, uint32_t rtt_us) {
	for (uint64_t seq = o->first; seq < o->fresh; seq++)
		arq_out_again(o, seq);
	if (rtt_us > 0)
		rtt_begin(&o->rtt, (uint32_t)arq_least(rtt_us, RTT_MAX_US));
	o->window = (unsigned int)arq_least(o->window, WINDOW_BEGIN);
	o->slow_below = o->window_max;
	o->period_at = 0;
	o->period_lost = o->period_sent = 0;
	o->backoff = 0;
	o->timeout_at = now_us + arq_out_patience_us(o);
}

uint64_t arq_out_deadline(const struct arq_out *o) {
	if (arq_out_pick(o, true) != 0)
		return 0;
	return o->first < o->fresh ? o->timeout_at : ARQ_NEVER;
}
