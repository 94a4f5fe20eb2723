/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stream to a peer: what it writes, what it does when datagrams are lost, doubled, overtaken or
 * made up, and that its memory and its patience have bounds. See check_arq_world.c for networks.
 */
#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/arq_end.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

START_TEST(test_payloads) {
	static const uint8_t data[] = {
		1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,
		9, 0, 0, 0, 0, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 1, 1,
	};
	static const uint8_t ack[] = { 2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };
	static const uint8_t ask[] = {
		2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0, 0, 2, 0, 3,
	};
	struct end ends[2];
	const uint8_t *payload;

	end_begin(ends, NULL);
	ck_assert(end_put(&ends[0], 9, PAYLOAD) && end_put(&ends[0], 10, PAYLOAD));
	ck_assert(arq_deadline(ends[0].arq) == 0);
	ck_assert_uint_eq(arq_next(ends[0].arq, 1000, true, &payload), sizeof(data));
	ck_assert_mem_eq(payload, data, sizeof(data));
	arq_sent(ends[0].arq, 1000);
	ck_assert(end_take(&ends[1], 1500, data, sizeof(data)));
	ck_assert_uint_eq(ends[1].taken, 2);

	ck_assert_uint_eq(arq_deadline(ends[1].arq), 3500);
	ck_assert_uint_eq(arq_next(ends[1].arq, 3499, true, &payload), 0);
	ck_assert_uint_eq(arq_next(ends[1].arq, 3500, true, &payload), sizeof(ack));
	ck_assert_mem_eq(payload, ack, sizeof(ack));
	arq_sent(ends[1].arq, 3500);

	/* What the peer sent up to 4 is missing: known by a beat, asked for when patience ends. */
	ck_assert(arq_beat(ends[1].arq, 4000, 4, 0));
	ck_assert_uint_eq(arq_next(ends[1].arq, 6999, true, &payload), 0);
	ck_assert_uint_eq(arq_next(ends[1].arq, arq_deadline(ends[1].arq), true, &payload),
			  sizeof(ask));
	ck_assert_mem_eq(payload, ask, sizeof(ask));
	arq_free(ends[0].arq);
	arq_free(ends[1].arq);
}
END_TEST

/* 32 datagrams are acknowledged at once, fewer after 2 ms, and DATA the other way does as well. */
START_TEST(test_acknowledge) {
	struct end ends[2];

	end_begin(ends, NULL);
	end_put_datagrams(&ends[0], 31);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], 0), 31);
	ck_assert_uint_eq(end_pass(&ends[1], &ends[0], 1999), 0);
	end_put_datagrams(&ends[0], 1);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], 1999), 1);
	ck_assert_uint_eq(arq_deadline(ends[1].arq), 0);
	ck_assert_uint_eq(end_pass(&ends[1], &ends[0], 1999), 1);
	ck_assert_uint_eq(arq_acked(ends[0].arq), 32);

	end_put_datagrams(&ends[0], 1);
	end_pass(&ends[0], &ends[1], 3000);
	end_put_datagrams(&ends[1], 1);
	ck_assert_uint_eq(end_pass(&ends[1], &ends[0], 3000), 1);
	ck_assert_uint_eq(end_stats(&ends[1]).acks, 1);
	ck_assert_uint_eq(arq_acked(ends[0].arq), 33);
	end_pass(&ends[0], &ends[1], 5000);
	end_finish(ends);
}
END_TEST

/* What could not be sent comes again, with what was put meanwhile; unasked, an open one waits. */
START_TEST(test_not_sent) {
	struct end ends[2];
	const uint8_t *payload;

	end_begin(ends, NULL);
	end_put(&ends[0], 50, PAYLOAD);
	ck_assert_uint_eq(arq_next(ends[0].arq, 0, false, &payload), 0);
	for (unsigned int i = 1; i < 4; i++) {
		ck_assert_uint_eq(arq_next(ends[0].arq, 0, true, &payload), ARQ_HEADER + 50 * i);
		end_put(&ends[0], 50, PAYLOAD);
	}
	ck_assert_uint_eq(end_stats(&ends[0]).sent, 0);
	ck_assert_uint_eq(end_stats(&ends[0]).next_seq, 1);
	ck_assert_uint_eq(arq_mark(ends[0].arq), 1);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], 0), 1);
	ck_assert_uint_eq(end_stats(&ends[0]).next_seq, 2);
	arq_sent(ends[0].arq, 0); /* nothing was shown: no effect */
	end_pass(&ends[1], &ends[0], 2 * MS);
	end_finish(ends);
}
END_TEST

/* Of datagrams of peers and links with other sizes, none is longer than it may be. */
START_TEST(test_sizes) {
	struct end ends[2];
	const uint8_t *payload;
	size_t len;

	end_begin(ends, NULL);
	for (size_t max = 300; max < 3000; max += 100) {
		for (unsigned int i = 0; i < 30; i++)
			ck_assert(end_put(&ends[0], 200, max));
		while ((len = arq_next(ends[0].arq, 0, true, &payload)) > 0) {
			ck_assert_uint_le(len, max);
			ck_assert(end_take(&ends[1], 0, payload, len));
			arq_sent(ends[0].arq, 0);
			end_pass(&ends[1], &ends[0], 0);
		}
	}
	ck_assert(!end_put(&ends[0], 200, 200 + ARQ_HEADER - 1));
	ck_assert_uint_eq(end_stats(&ends[0]).refused, 1);
	ck_assert(end_put(&ends[0], 200, 200 + ARQ_HEADER));
	end_put(&ends[0], 100, PAYLOAD);
	end_put(&ends[0], 100, 200); /* a link became smaller: the open one is closed */
	ck_assert_uint_eq(arq_mark(ends[0].arq), end_stats(&ends[0]).sent + 3);
	end_pass(&ends[0], &ends[1], 0);
	end_pass(&ends[1], &ends[0], 2 * MS);
	end_finish(ends);
}
END_TEST

/* The last datagram is lost: with no beat, time tells the sender; with one, the receiver asks. */
START_TEST(test_last_lost) {
	bool beat = _i;
	struct end ends[2];
	uint64_t now = 0, last, ack;

	end_begin(ends, NULL);
	arq_resend(ends[0].arq, 0, 1000); /* a round trip of 1 ms */
	end_put_datagrams(&ends[0], 1);
	ck_assert_uint_eq(end_pass(&ends[0], NULL, now), 1);
	if (beat) {
		arq_tell(ends[0].arq, &last, &ack);
		ck_assert_uint_eq(last, 1);
		ck_assert(arq_beat(ends[1].arq, now, last, ack));
		now = arq_deadline(ends[1].arq);
		ck_assert_uint_eq(now, 3 * MS);
		ck_assert_uint_eq(end_pass(&ends[1], &ends[0], now), 1);
		ck_assert_uint_eq(end_stats(&ends[1]).asked, 1);
	} else {
		ck_assert_uint_eq(arq_deadline(ends[0].arq), 20 * MS);
		now = 20 * MS;
	}
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], now), 1);
	ck_assert_uint_eq(end_stats(&ends[0]).again, 1);
	ck_assert_uint_eq(end_stats(&ends[0]).timeouts, beat ? 0 : 1);
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	end_finish(ends);
}
END_TEST

/* Acknowledgements are lost: the oldest goes out again, and the answer to it makes up for all. */
START_TEST(test_ack_lost) {
	struct end ends[2];
	uint64_t now;

	end_begin(ends, NULL);
	end_put_datagrams(&ends[0], 100);
	end_pass(&ends[0], &ends[1], 0);
	ck_assert_uint_eq(end_pass(&ends[1], NULL, 2 * MS), 1);
	ck_assert(arq_deadline(ends[1].arq) == NEVER);
	now = arq_deadline(ends[0].arq);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], now), 2);
	ck_assert_uint_eq(end_stats(&ends[1]).doubled, 2);
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	end_finish(ends);
}
END_TEST

/* Only what is missing is asked for, and only once in a round trip. */
START_TEST(test_selective) {
	struct end ends[2];
	size_t len;
	uint8_t *payload;
	uint64_t now;

	end_begin(ends, NULL);
	arq_resend(ends[0].arq, 0, 40 * MS);
	end_put_datagrams(&ends[0], 60);
	for (unsigned int i = 1; (payload = end_send(&ends[0], 0, &len)) != NULL; i++) {
		if (i % 10 != 3)
			ck_assert(end_take(&ends[1], 0, payload, len));
		free(payload);
	}
	ck_assert_uint_eq(end_stats(&ends[1]).early, 60 - 2 - 6);
	for (now = 3 * MS; now < 35 * MS; now = arq_deadline(ends[1].arq)) {
		ck_assert_uint_eq(end_pass(&ends[1], &ends[0], now), 1);
		ck_assert_uint_eq(arq_next(ends[0].arq, now, true, &(const uint8_t *){ NULL }), 0);
	}
	ck_assert_uint_eq(end_pass(&ends[1], &ends[0], now), 1);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], now), 6);
	ck_assert_uint_eq(end_stats(&ends[0]).again, 6);
	ck_assert_uint_eq(end_stats(&ends[1]).doubled, 0);
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	end_finish(ends);
}
END_TEST

/* A link goes: all on their way go out again at once, once, before what is new. */
START_TEST(test_resend) {
	struct end ends[2];
	struct arq_stats stats;

	end_begin(ends, NULL);
	end_put_datagrams(&ends[0], 50);
	ck_assert_uint_eq(end_pass(&ends[0], NULL, 0), 50);
	end_put_datagrams(&ends[0], 10);
	arq_resend(ends[0].arq, 10, 200);
	ck_assert_uint_eq(arq_deadline(ends[0].arq), 0);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], 10), 60);
	stats = end_stats(&ends[0]);
	ck_assert_uint_eq(stats.again, 50);
	ck_assert_uint_eq(stats.sent, 60);
	ck_assert_uint_eq(end_stats(&ends[1]).early, 0);
	ck_assert_uint_eq(stats.rtt_us, 200);
	end_pass(&ends[1], &ends[0], 10);
	end_finish(ends);
}
END_TEST

/* Full: nothing is taken; what is acknowledged makes room again. */
START_TEST(test_queue) {
	static const struct arq_limits small = { .queue_bytes = 100000 };
	const struct arq_limits *limits = _i ? &small : NULL;
	size_t most = _i ? 100000 : 8u << 20;
	size_t len = _i ? 9 : 200;
	struct end ends[2];
	uint64_t n;

	end_begin(ends, limits);
	ck_assert_uint_eq(arq_room(ends[0].arq), most);
	while (end_put(&ends[0], len, PAYLOAD))
		ck_assert_uint_le(end_stats(&ends[0]).queued_bytes, most);
	n = ends[0].put;
	ck_assert_uint_ge(n * len, most * 8 / 10);
	ck_assert_uint_eq(end_stats(&ends[0]).queued_records, n);
	ck_assert_uint_eq(end_stats(&ends[0]).refused, 1);
	ck_assert_uint_lt(arq_room(ends[0].arq), 2 * PAYLOAD);
	for (uint64_t now = 0; arq_acked(ends[0].arq) < arq_mark(ends[0].arq); now += MS) {
		end_pass(&ends[0], &ends[1], now);
		end_pass(&ends[1], &ends[0], now);
		ck_assert_uint_lt(now, 10 * SECOND);
	}
	ck_assert_uint_eq(ends[1].taken, n);
	ck_assert_uint_eq(arq_room(ends[0].arq), most);
	end_finish(ends);
}
END_TEST

/* What comes early is kept within its bounds, and what found no room is asked for again. */
START_TEST(test_early) {
	static const struct arq_limits limits = { .early_bytes = 20000 };
	struct end ends[2];
	size_t len, first_len;
	uint8_t *first, *payload;
	uint64_t now = 0;

	end_begin(ends, NULL);
	arq_free(ends[1].arq);
	ends[1].arq = arq_new(&limits);
	end_put_datagrams(&ends[0], 100);
	first = end_send(&ends[0], 0, &first_len);
	while ((payload = end_send(&ends[0], 0, &len)) != NULL) {
		ck_assert(end_take(&ends[1], 0, payload, len));
		ck_assert_uint_le(end_stats(&ends[1]).early_bytes, 20000);
		free(payload);
	}
	ck_assert_uint_ge(end_stats(&ends[1]).early, 13);
	ck_assert_uint_eq(end_stats(&ends[1]).early + end_stats(&ends[1]).dropped, 99);
	ck_assert(end_take(&ends[1], 0, first, first_len));
	free(first);
	for (; now < SECOND && ends[1].taken < ends[0].put; now += MS) {
		end_pass(&ends[1], &ends[0], now);
		end_pass(&ends[0], &ends[1], now);
	}
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	end_finish(ends);
}
END_TEST

static size_t make_data(uint8_t *out, uint64_t seq, uint64_t ack) {
	out[0] = ARQ_DATA;
	memcpy(out + 1, &(uint64_t){ htobe64(seq) }, 8);
	memcpy(out + 9, &(uint64_t){ htobe64(ack) }, 8);
	return ARQ_HEADER + end_record(seq - 1, RECORD_MIN, out + ARQ_HEADER);
}

/* One ACK of ten sent datagrams, with up to two gaps. */
static const struct ack_row {
	uint64_t ack;
	unsigned int n;
	uint64_t first[2];
	uint16_t count[2];
	int len;                     /* bytes more than it takes */
	bool sound;
} acks[] = {
	{ 10, 0, { 0 }, { 0 }, 0, true },
	{ 0, 0, { 0 }, { 0 }, 0, true },
	{ 11, 0, { 0 }, { 0 }, 0, false },             /* never sent */
	{ UINT64_MAX, 0, { 0 }, { 0 }, 0, false },
	{ 10, 0, { 0 }, { 0 }, 1, false },
	{ 10, 0, { 0 }, { 0 }, -1, false },
	{ 0, 1, { 1 }, { 10 }, 0, true },
	{ 0, 1, { 1 }, { 11 }, 0, false },             /* asks for what was never sent */
	{ 0, 1, { 11 }, { 1 }, 0, false },
	{ 0, 1, { 1 }, { 0 }, 0, false },
	{ 0, 1, { 0 }, { 5 }, 0, false },
	{ 5, 1, { 5 }, { 1 }, 0, false },              /* has it and misses it */
	{ 0, 1, { UINT64_MAX }, { 1 }, 0, false },
	{ 0, 1, { UINT64_MAX - 5 }, { 65535 }, 0, false },
	{ 0, 2, { 1, 3 }, { 1, 2 }, 0, true },
	{ 0, 2, { 1, 2 }, { 2, 2 }, 0, false },        /* overlapping */
	{ 0, 2, { 3, 1 }, { 1, 1 }, 0, false },        /* backwards */
	{ 0, 2, { 1, 3 }, { 1, 2 }, -10, false },
	{ 0, 2, { 1, 3 }, { 1, 2 }, 10, false },
};

START_TEST(test_acks) {
	const struct ack_row *row = &acks[_i];
	struct end ends[2];
	uint8_t payload[64] = { ARQ_ACK };
	struct arq_stats stats;

	end_begin(ends, NULL);
	end_put_datagrams(&ends[0], 10);
	end_pass(&ends[0], NULL, 0);
	memcpy(payload + 1, &(uint64_t){ htobe64(row->ack) }, 8);
	memcpy(payload + 9, &(uint16_t){ htobe16((uint16_t)row->n) }, 2);
	for (unsigned int i = 0; i < row->n; i++) {
		memcpy(payload + 11 + 10 * i, &(uint64_t){ htobe64(row->first[i]) }, 8);
		memcpy(payload + 19 + 10 * i, &(uint16_t){ htobe16(row->count[i]) }, 2);
	}
	ck_assert_int_eq(end_take(&ends[0], 5 * MS, payload,
			      (size_t)((int)(11 + 10 * row->n) + row->len)), row->sound);
	stats = end_stats(&ends[0]);
	ck_assert_uint_eq(stats.malformed, !row->sound);
	ck_assert_uint_eq(stats.acked_seq, row->sound ? row->ack : 0);
	ck_assert_uint_eq(end_pass(&ends[0], NULL, 5 * MS),
			  row->sound ? row->count[0] + row->count[1] : 0);
	arq_free(ends[0].arq);
	arq_free(ends[1].arq);
}
END_TEST

/* DATA that cannot be has no effect; what is far ahead, old or doubled is not handed on. */
START_TEST(test_odd_data) {
	struct end ends[2];
	uint8_t p[ARQ_HEADER + RECORD_MIN];
	size_t len = make_data(p, 1, 0);

	end_begin(ends, NULL);
	ck_assert(!end_take(&ends[0], 0, p, 0));
	for (size_t n = 1; n <= ARQ_HEADER; n++)
		ck_assert(!end_take(&ends[0], 0, p, n));
	make_data(p, 0, 0);
	ck_assert(!end_take(&ends[0], 0, p, len));
	make_data(p, 1, 1);                  /* acknowledges what was never sent */
	ck_assert(!end_take(&ends[0], 0, p, len));
	p[0] = 7;
	ck_assert(!end_take(&ends[0], 0, p, len));
	ck_assert(!arq_beat(ends[0].arq, 0, 5, 1));
	ck_assert_uint_eq(end_stats(&ends[0]).malformed, ARQ_HEADER + 5);
	ck_assert(arq_deadline(ends[0].arq) == NEVER);

	make_data(p, ARQ_EARLY + 1, 0);
	ck_assert(end_take(&ends[0], 0, p, len));
	make_data(p, UINT64_MAX, 0);
	ck_assert(end_take(&ends[0], 0, p, len));
	ck_assert_uint_eq(end_stats(&ends[0]).dropped, 2);
	ck_assert(arq_deadline(ends[0].arq) == NEVER);
	for (uint64_t seq = 1; seq <= 3 * ARQ_EARLY; seq++) {
		make_data(p, seq, 0);
		for (int twice = 0; twice < 2; twice++)
			ck_assert(end_take(&ends[0], 0, p, len));
		make_data(p, seq / 2 + 1, 0);
		ck_assert(end_take(&ends[0], 0, p, len));
	}
	ck_assert_uint_eq(ends[0].taken, 3 * ARQ_EARLY);
	ck_assert_uint_eq(end_stats(&ends[0]).received, 3 * ARQ_EARLY);
	arq_free(ends[0].arq);
	arq_free(ends[1].arq);
}
END_TEST

/* A peer that speaks of what it never sends costs little, and one that asks in a loop as well. */
START_TEST(test_broken_peer) {
	static const uint8_t ask[] = {
		2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 50,
	};
	struct end ends[2];
	uint64_t now = 0;

	end_begin(ends, NULL);
	ck_assert(arq_beat(ends[0].arq, now, UINT64_MAX, 0));
	for (; now < 10 * SECOND; now = arq_deadline(ends[0].arq))
		end_pass(&ends[0], NULL, now);
	ck_assert_uint_le(end_stats(&ends[0]).acks, 70);
	ck_assert_uint_le(end_stats(&ends[0]).early_bytes, 0);

	end_put_datagrams(&ends[0], 50);
	end_pass(&ends[0], NULL, now);
	for (uint64_t end = now + 20 * MS; now < end; now += 10) {
		ck_assert(end_take(&ends[0], now, ask, sizeof(ask)));
		end_pass(&ends[0], NULL, now);
	}
	ck_assert_uint_le(end_stats(&ends[0]).again, 50 * 20);
	arq_free(ends[0].arq);
	arq_free(ends[1].arq);
}
END_TEST

/* More gaps than an ACK can tell: the first ones are told, then the others. */
START_TEST(test_many_gaps) {
	struct end ends[2];
	const uint8_t *payload;
	uint64_t now = 3 * MS;
	uint8_t *one;
	size_t len;

	end_begin(ends, NULL);
	while (arq_acked(ends[0].arq) < 2000) { /* the window grows */
		end_put_datagrams(&ends[0], 400);
		end_pass(&ends[0], &ends[1], now += 15 * MS);
		end_pass(&ends[1], &ends[0], now);
	}
	end_put_datagrams(&ends[0], 301);
	for (unsigned int i = 0; (one = end_send(&ends[0], now, &len)) != NULL; i++) {
		ck_assert(i % 2 == 0 || end_take(&ends[1], now, one, len));
		free(one);
	}
	end_pass(&ends[1], NULL, now);
	end_pass(&ends[1], &ends[0], now += 3 * MS);    /* what was missing first */
	ck_assert_uint_eq(end_stats(&ends[1]).asked, 1);
	now = arq_deadline(ends[1].arq);
	ck_assert_uint_eq(arq_next(ends[1].arq, now, true, &payload), ARQ_ACK_MAX);
	ck_assert(end_take(&ends[0], now, payload, ARQ_ACK_MAX));
	arq_sent(ends[1].arq, now);
	ck_assert_uint_eq(end_stats(&ends[1]).asked, 1 + ARQ_RANGES);
	while (ends[1].taken < ends[0].put) {
		end_pass(&ends[0], &ends[1], now);
		end_pass(&ends[1], &ends[0], now = arq_deadline(ends[1].arq));
		ck_assert_uint_lt(now, SECOND);
	}
	ck_assert_uint_eq(end_stats(&ends[0]).again, 151);
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	end_finish(ends);
}
END_TEST

/* Marked to go out again, and then acknowledged: neither these nor later ones go out twice. */
START_TEST(test_acked_meanwhile) {
	struct end ends[2];
	uint64_t now = 0;

	end_begin(ends, NULL);
	end_put_datagrams(&ends[0], 100);
	end_pass(&ends[0], &ends[1], now);
	arq_resend(ends[0].arq, now, 0);
	end_pass(&ends[1], &ends[0], now);
	ck_assert(arq_deadline(ends[0].arq) == NEVER);
	while (arq_acked(ends[0].arq) < 2 * ARQ_EARLY) {
		end_put_datagrams(&ends[0], 100);
		end_pass(&ends[0], &ends[1], now);
		end_pass(&ends[1], &ends[0], now += 700);
	}
	ck_assert_uint_eq(end_stats(&ends[0]).again, 0);
	ck_assert_uint_ge(end_stats(&ends[0]).rtt_us, 600); /* measured all the same */
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	end_finish(ends);
}
END_TEST

/* What was shown before everything changed does not count as sent. */
START_TEST(test_shown) {
	struct end ends[2];
	const uint8_t *payload;

	end_begin(ends, NULL);
	end_put_datagrams(&ends[0], 1);
	ck_assert_uint_gt(arq_next(ends[0].arq, 0, true, &payload), 0);
	arq_resend(ends[0].arq, 0, 0);
	arq_sent(ends[0].arq, 0);
	ck_assert_uint_eq(end_stats(&ends[0]).sent, 0);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], 0), 1);
	end_pass(&ends[1], &ends[0], 2 * MS);
	end_finish(ends);
}
END_TEST

/* An ACK that was overtaken asks for what is acknowledged by now. */
START_TEST(test_old_ack) {
	static const uint8_t old[] = {
		2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 7,
	};
	static const uint8_t new[] = { 2, 0, 0, 0, 0, 0, 0, 0, 5, 0, 0 };
	struct end ends[2];
	uint64_t now = 10 * MS;

	end_begin(ends, NULL);
	end_put_datagrams(&ends[0], 10);
	end_pass(&ends[0], &ends[1], 0);
	ck_assert(end_take(&ends[0], 5 * MS, new, sizeof(new)));
	ck_assert(end_take(&ends[0], now, old, sizeof(old)));
	ck_assert_uint_eq(arq_acked(ends[0].arq), 5);
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], now), 2);
	while (arq_acked(ends[0].arq) < 2 * ARQ_EARLY) {
		end_pass(&ends[1], &ends[0], now += 2 * MS);
		end_put_datagrams(&ends[0], 100);
		end_pass(&ends[0], &ends[1], now);
	}
	ck_assert_uint_eq(end_stats(&ends[0]).again, 2);
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	end_finish(ends);
}
END_TEST

/* The longer nothing is heard the rarer the tries; any sign of life, and they begin anew. */
START_TEST(test_backoff) {
	struct end ends[2];
	uint64_t now = 0, before = 0, last, ack;

	end_begin(ends, NULL);
	arq_resend(ends[0].arq, 0, 1 * MS);
	end_put_datagrams(&ends[0], 100);
	end_pass(&ends[0], NULL, now);
	for (unsigned int i = 0; i < 20; i++) {
		uint64_t wait = arq_deadline(ends[0].arq) - now;

		ck_assert_uint_eq(wait, before == 0 ? 20 * MS : 2 * before < 2 * SECOND ?
				  2 * before : 2 * SECOND);
		before = wait;
		now += wait;
		ck_assert_uint_eq(end_pass(&ends[0], NULL, now), 2);
	}
	ck_assert_uint_eq(end_stats(&ends[0]).window, 32);
	arq_tell(ends[1].arq, &last, &ack);
	ck_assert(arq_beat(ends[0].arq, now, last, ack));
	ck_assert_uint_eq(arq_deadline(ends[0].arq), now + 20 * MS);
	now += 20 * MS;
	ck_assert_uint_eq(end_pass(&ends[0], &ends[1], now), 2);
	end_pass(&ends[0], NULL, arq_deadline(ends[0].arq));
	now = arq_deadline(ends[1].arq);
	end_pass(&ends[1], &ends[0], now);              /* the first one is acknowledged */
	ck_assert_uint_eq(arq_acked(ends[0].arq), 1);
	end_pass(&ends[0], NULL, now);
	ck_assert_uint_eq(arq_deadline(ends[0].arq), now + 20 * MS);
	arq_free(ends[0].arq);
	arq_free(ends[1].arq);
}
END_TEST

/* Asked too soon: patience grows once for each request, up to its bound, and shrinks again. */
START_TEST(test_patience) {
	struct end ends[2];
	uint8_t p[ARQ_HEADER + RECORD_MIN];
	uint64_t seq = 1, now = 0;
	size_t len = make_data(p, 1, 0);

	end_begin(ends, NULL);
	for (unsigned int round = 0; round < 60; round++) {
		uint32_t before = end_stats(&ends[0]).patience_us, after;

		make_data(p, seq + 10, 0);
		ck_assert(end_take(&ends[0], now, p, len));
		end_pass(&ends[0], NULL, now += before);
		for (unsigned int i = 0; i < (round < 30 ? 20u : 10u); i++) {
			make_data(p, seq + i % 10, 0);
			ck_assert(end_take(&ends[0], now, p, len));
		}
		seq += 11;
		after = end_stats(&ends[0]).patience_us;
		ck_assert_uint_le(after, 50 * MS);
		if (round == 0)
			ck_assert_uint_eq(after, 4500);
		else if (round == 29)
			ck_assert_uint_eq(after, 50 * MS);
	}
	ck_assert_uint_lt(end_stats(&ends[0]).patience_us, 12 * MS);

	/* A double of long ago is none of what is asked for now. */
	for (; seq < ARQ_EARLY + 5; seq++) {
		make_data(p, seq, 0);
		ck_assert(end_take(&ends[0], now, p, len));
	}
	make_data(p, seq + 1, 0);
	ck_assert(end_take(&ends[0], now, p, len));
	end_pass(&ends[0], NULL, now += 20 * MS);
	len = end_stats(&ends[0]).patience_us;
	make_data(p, seq - ARQ_EARLY, 0);
	arq_take(ends[0].arq, now, p, sizeof(p), NULL, NULL);
	ck_assert_uint_eq(end_stats(&ends[0]).patience_us, len);
	arq_free(ends[0].arq);
	arq_free(ends[1].arq);
}
END_TEST

static void take_nothing(void *arg, const uint8_t *records, size_t len) {
	(void)arg;
	ck_assert(records != NULL && len > 0);
}

/* Numbers that may just be right, in a payload that may just be whole. */
static size_t make_garbage(struct rng *r, uint8_t *p, size_t size) {
	static const uint64_t beyond[] = { 50, 5000, UINT64_MAX };
	uint16_t n = (uint16_t)rng_below(r, 4);
	size_t len = rng_chance(r, 80) ? 11u + 10u * n : rng_below(r, (uint32_t)size + 1);

	for (size_t i = 0; i < size; i++)
		p[i] = (uint8_t)rng_next(r);
	p[0] = (uint8_t)rng_below(r, 4);
	for (size_t at = 1; at + 8 <= size; at += at == 1 && p[0] == ARQ_DATA ? 8 : 10)
		memcpy(p + at, &(uint64_t){ htobe64(rng_next(r) % beyond[rng_below(r, 3)]) }, 8);
	if (p[0] == ARQ_ACK)
		memcpy(p + 9, &(uint16_t){ htobe16(n) }, 2);
	return len;
}

/* Whatever bytes come, memory stays within its bounds and nothing is sent for ever. */
START_TEST(test_garbage) {
	static const struct arq_limits limits = { .queue_bytes = 50000, .early_bytes = 3000 };
	struct rng r = rng_seed(fixture_seed() * 3000 + (uint64_t)_i);
	struct end ends[2];
	uint8_t p[200];

	end_begin(ends, &limits);
	for (uint64_t now = 0; now < SECOND; now += rng_below(&r, MS)) {
		size_t len = make_garbage(&r, p, sizeof(p));
		unsigned int n = 0;

		arq_take(ends[0].arq, now, p, len, take_nothing, NULL);
		arq_beat(ends[0].arq, now, rng_next(&r) % 100000, rng_below(&r, 100));
		end_put(&ends[0], 100, 500);
		for (const uint8_t *out; n < 4000 && arq_next(ends[0].arq, now, true, &out); n++)
			arq_sent(ends[0].arq, now);
		ck_assert_uint_lt(n, 4000);
		ck_assert_uint_le(end_stats(&ends[0]).early_bytes, limits.early_bytes);
		ck_assert_uint_le(end_stats(&ends[0]).queued_bytes, limits.queue_bytes);
	}
	ck_assert_uint_gt(end_stats(&ends[0]).received, 0);
	ck_assert_uint_gt(end_stats(&ends[0]).malformed, 0);
	ck_assert_uint_gt(end_stats(&ends[0]).acked_seq, 0);
	arq_free(ends[0].arq);
	arq_free(ends[1].arq);
}
END_TEST

static Suite *arq_suite(void) {
	Suite *s = suite_create("arq");
	TCase *t = fixture_case(s, "arq");

	tcase_add_test(t, test_payloads);
	tcase_add_test(t, test_acknowledge);
	tcase_add_test(t, test_not_sent);
	tcase_add_test(t, test_sizes);
	tcase_add_loop_test(t, test_last_lost, 0, 2);
	tcase_add_test(t, test_ack_lost);
	tcase_add_test(t, test_selective);
	tcase_add_test(t, test_resend);
	tcase_add_loop_test(t, test_queue, 0, 2);
	tcase_add_test(t, test_early);
	tcase_add_loop_test(t, test_acks, 0, ARRAY_LEN(acks));
	tcase_add_test(t, test_odd_data);
	tcase_add_test(t, test_broken_peer);
	tcase_add_test(t, test_many_gaps);
	tcase_add_test(t, test_acked_meanwhile);
	tcase_add_test(t, test_shown);
	tcase_add_test(t, test_old_ack);
	tcase_add_test(t, test_backoff);
	tcase_add_test(t, test_patience);
	tcase_add_loop_test(t, test_garbage, 0, 8);
	return s;
}

int main(void) {
	return fixture_run(arq_suite());
}
