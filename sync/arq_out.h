/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sending half of sync/arq: the queue, the window, what goes out again. */
#pragma once

#include "sync/arq_wire.h"
#include "sync/rtt.h"

struct arq_slot {
	uint8_t *data;               /* the payload */
	uint64_t sent_us;            /* last */
	uint16_t len, size, records;
};

/* Datagrams [first, end) exist, [first, fresh) were sent. */
struct arq_out {
	struct arq_slot *slots;      /* a ring of n_slots, a power of two */
	size_t n_slots;
	uint64_t first, fresh, end;
	bool open;                   /* the last one takes more records */
	size_t bytes, bytes_max;
	uint64_t records;

	struct arq_bits again;       /* to be sent once more */
	unsigned int n_again;

	unsigned int window, slow_below, window_max;
	bool cramped;                /* the window was in the way during this period */
	uint64_t period_at;          /* when it ends */
	unsigned int period_sent, period_lost;

	struct rtt rtt;
	uint64_t timed;              /* the datagram that measures the round trip; 0: none */
	uint64_t timeout_at;         /* while something is on its way */
	unsigned int backoff;        /* timeouts in a row */
};

/* An empty queue of at most bytes_max (0: as arq.h says), window likewise. */
void arq_out_init(struct arq_out *o, size_t bytes_max, unsigned int window);

/* Release what o holds. */
void arq_out_done(struct arq_out *o);

/* As arq_put(). */
bool arq_out_put(struct arq_out *o, const uint8_t *record, size_t len, size_t payload_max);

/* A datagram that exists. */
static inline struct arq_slot *arq_out_slot(const struct arq_out *o, uint64_t seq) {
	return &o->slots[seq & (o->n_slots - 1)];
}

/* What time does: true when nothing was acknowledged for too long; then some go out again. */
bool arq_out_timeout(struct arq_out *o, uint64_t now_us);

/* The number of the datagram to send now; 0: none. */
uint64_t arq_out_pick(const struct arq_out *o, bool flush);

/* Note that the window keeps back what could be sent. */
void arq_out_held(struct arq_out *o);

/* A datagram has gone out. */
void arq_out_sent(struct arq_out *o, uint64_t seq, uint64_t now_us);

/* All up to ack, which was sent, are at the peer. */
void arq_out_acked(struct arq_out *o, uint64_t ack, uint64_t now_us);

/* The peer misses count datagrams from first on, all of which were sent. */
void arq_out_asked(struct arq_out *o, uint64_t first, uint64_t count, uint64_t now_us);

/* The peer is alive: do not wait for long with the next try. */
void arq_out_alive(struct arq_out *o, uint64_t now_us);

/* As arq_resend(). */
void arq_out_resend(struct arq_out *o, uint64_t now_us, uint32_t rtt_us);

/* When arq_out_pick() or arq_out_timeout() have something; 0: now. */
uint64_t arq_out_deadline(const struct arq_out *o);
