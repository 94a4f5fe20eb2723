/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as what a member of the group sends once its datagrams are opened: pieces of a byte for
 * what to do, a byte of length, and a payload. Whatever they say, memory keeps within its bounds,
 * and there is an end to what is sent because of it.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sync/arq.h"
#include "sync/ladder.h"

#define BYTES 20000
#define PAYLOAD 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static void take_records(void *arg, const uint8_t *records, size_t len) {
	uint64_t *sum = arg;

	promise(len > 0, "what is handed on holds records");
	for (size_t i = 0; i < len; i++)
		*sum += records[i];
}

static void answer(struct arq *a, uint64_t now_us) {
	struct arq_stats stats;
	const uint8_t *payload;
	unsigned int n = 0;
	size_t len;

	while ((len = arq_next(a, now_us, true, &payload)) > 0) {
		promise(len <= ARQ_ACK_MAX, "no payload is longer than it may be");
		promise(++n <= 2 * ARQ_WINDOW, "there is an end to what is sent at once");
		arq_sent(a, now_us);
	}
	promise(arq_deadline(a) > 0, "what is due has been sent");
	arq_stats(a, &stats);
	promise(stats.queued_bytes <= BYTES && stats.early_bytes <= BYTES, "memory has bounds");
	promise(stats.acked_seq < stats.next_seq, "only what was sent is acknowledged");
}

static void step(struct arq *a, struct ladder *l, uint64_t *now_us, uint8_t what,
		 const uint8_t *payload, size_t len) {
	struct ladder_beat beat;
	struct ladder_change change;
	uint64_t sum = 0;

	*now_us += (uint64_t)(what >> 2) * (what >> 2) * 100;
	if ((what & 3) == 0)
		arq_take(a, *now_us, payload, len, take_records, &sum);
	else if ((what & 3) == 1 && ladder_beat_take(l, len & 1, *now_us, payload, len, &beat))
		arq_beat(a, *now_us, beat.last, beat.ack);
	else if ((what & 3) == 2)
		arq_resend(a, *now_us, what);
	else if (len > 0)
		arq_put(a, payload, len, PAYLOAD);
	answer(a, *now_us);
	ladder_poll(l, *now_us);
	promise(ladder_pick(l) < 0 || ladder_connected(l), "a peer with a link is there");
	ladder_changed(l, &change);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	const struct arq_limits limits = { .queue_bytes = BYTES, .early_bytes = BYTES };
	struct arq *a = arq_new(&limits);
	struct ladder *l = ladder_new(1000, 3, 1);
	uint64_t now_us = 1;

	ladder_add(l, 0, LADDER_L3, "192.0.2.1", 1);
	ladder_up(l, 0, true, 1);
	while (size >= 2) {
		size_t len = data[1] < size - 2 ? data[1] : size - 2;

		step(a, l, &now_us, data[0], data + 2, len);
		data += 2 + len;
		size -= 2 + len;
	}
	ladder_free(l);
	arq_free(a);
	return 0;
}
