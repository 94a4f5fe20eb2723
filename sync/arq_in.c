/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What has its turn is handed on at once and never stored; what came early is copied and kept.
 *
 * Time, not order, tells a gap: members use several links in turn, so datagrams overtake each other
 * all the time. The gaps that stand when patience runs out are asked for together, and again after
 * as long, longer while nothing comes. Patience grows when what was asked for comes twice, which
 * shows that it had only been overtaken, and shrinks again with each request.
 */
#include "sync/arq_in.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define EARLY_BYTES (8u << 20)
#define ACK_EVERY 32
#define ACK_DELAY_US 2000
#define PATIENCE_MIN_US 3000
#define PATIENCE_MAX_US 50000
#define ASK_MAX_US 200000        /* between two requests while nothing comes */

void arq_in_init(struct arq_in *i, size_t bytes_max) {
	*i = (struct arq_in){
		.turn = 1,
		.bytes_max = bytes_max ? bytes_max : EARLY_BYTES,
		.ack_at = ARQ_NEVER,
		.ask_at = ARQ_NEVER,
		.patience_us = PATIENCE_MIN_US,
	};
}

void arq_in_done(struct arq_in *i) {
	for (; i->turn <= i->top; i->turn++)
		if (arq_bits_test(&i->here, i->turn))
			free(i->early[i->turn % ARQ_EARLY].data);
	free(i->early);
	i->early = NULL;
}

void arq_in_know(struct arq_in *i, uint64_t last) {
	last = arq_least(last, i->turn + ARQ_EARLY - 1);
	while (i->top < last) {
		i->top++;
		arq_bits_clear(&i->here, i->top);
		arq_bits_clear(&i->asked, i->top);
	}
}

void arq_in_look(struct arq_in *i, uint64_t now_us) {
	if (i->turn > i->top) {
		i->ask_at = ARQ_NEVER;
	} else if (i->ask_at == ARQ_NEVER || i->turn > i->ask_to) {
		i->ask_at = now_us + i->patience_us;
		i->ask_to = i->top;
	}
}

/* It came twice. Had it been asked for, that was too soon. */
static void arq_in_doubled(struct arq_in *i, uint64_t seq) {
	if (seq + ARQ_EARLY <= i->top || !arq_bits_test(&i->asked, seq))
		return;
	arq_bits_clear(&i->asked, seq);
	if (!i->raised)
		i->patience_us += i->patience_us / 2;
	if (i->patience_us > PATIENCE_MAX_US)
		i->patience_us = PATIENCE_MAX_US;
	i->raised = true;
}

static bool arq_in_keep(struct arq_in *i, uint64_t seq, const uint8_t *records, size_t len) {
	struct arq_early *e;

	if (i->bytes + mem_size(len) > i->bytes_max)
		return false;
	if (i->early == NULL)
		i->early = xcalloc(ARQ_EARLY, sizeof(*i->early));
	e = &i->early[seq % ARQ_EARLY];
	e->data = xreallocarray(NULL, len, 1);
	memcpy(e->data, records, len);
	e->len = len;
	i->bytes += mem_size(len);
	arq_bits_set(&i->here, seq);
	return true;
}

enum arq_in_what arq_in_take(struct arq_in *i, uint64_t seq, const uint8_t *records, size_t len,
			     uint64_t now_us) {
	if (seq >= i->turn + ARQ_EARLY)
		return ARQ_IN_DROPPED;
	i->unacked++;
	i->ack_at = arq_least(i->ack_at, now_us + ACK_DELAY_US);
	if (seq < i->turn || (seq <= i->top && arq_bits_test(&i->here, seq))) {
		arq_in_doubled(i, seq);
		return ARQ_IN_DOUBLED;
	}
	arq_in_know(i, seq);
	i->backoff = 0;
	if (seq == i->turn) {
		i->turn++;
		return ARQ_IN_TURN;
	}
	return arq_in_keep(i, seq, records, len) ? ARQ_IN_EARLY : ARQ_IN_DROPPED;
}

bool arq_in_next(struct arq_in *i, struct arq_early *e) {
	if (i->turn > i->top || !arq_bits_test(&i->here, i->turn))
		return false;
	*e = i->early[i->turn % ARQ_EARLY];
	i->bytes -= mem_size(e->len);
	i->turn++;
	return true;
}

bool arq_in_must_ack(const struct arq_in *i, uint64_t now_us) {
	return i->unacked >= ACK_EVERY || now_us >= i->ack_at;
}

size_t arq_in_ack(const struct arq_in *i, uint64_t now_us, struct arq_wire_ack *out) {
	uint64_t end = arq_in_must_ask(i, now_us) ? i->ask_to + 1 : i->turn;
	uint64_t seq = arq_bits_find(&i->here, false, i->turn, end);
	uint16_t n = 0;

	while (seq < end && n < ARQ_RANGES) {
		uint64_t stop = arq_bits_find(&i->here, true, seq, end);

		out->range[n].first = htobe64(seq);
		out->range[n].count = htobe16((uint16_t)(stop - seq));
		n++;
		seq = arq_bits_find(&i->here, false, stop, end);
	}
	out->kind = ARQ_ACK;
	out->ack = htobe64(i->turn - 1);
	out->n = htobe16(n);
	return sizeof(*out) + n * sizeof(out->range[0]);
}

uint64_t arq_in_asked(struct arq_in *i, uint64_t now_us, const struct arq_wire_ack *out) {
	uint64_t wait_us = (uint64_t)i->patience_us << i->backoff, asked = 0;

	if (out->n == 0)
		return 0;
	for (uint16_t k = 0; k < be16toh(out->n); k++) {
		uint64_t seq = be64toh(out->range[k].first);

		for (uint16_t left = be16toh(out->range[k].count); left > 0; left--, asked++)
			arq_bits_set(&i->asked, seq++);
	}
	i->ask_at = now_us + arq_least(wait_us, ASK_MAX_US);
	i->ask_to = i->top;
	if (i->backoff < 8)
		i->backoff++;
	i->patience_us -= (i->patience_us - PATIENCE_MIN_US) / 16;
	i->raised = false;
	return asked;
}

void arq_in_acked(struct arq_in *i) {
	i->unacked = 0;
	i->ack_at = ARQ_NEVER;
}

uint64_t arq_in_deadline(const struct arq_in *i) {
	return i->unacked >= ACK_EVERY ? 0 : arq_least(i->ack_at, i->ask_at);
}
