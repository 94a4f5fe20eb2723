/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The receiving half of sync/arq: what came early, what is missing, what is to be acknowledged. */
#pragma once

#include "sync/arq_wire.h"

struct arq_early {
	uint8_t *data;
	size_t len;
};

/* All before turn were handed on; up to top they are known to exist. */
struct arq_in {
	uint64_t turn, top;
	struct arq_bits here;        /* of those from turn to top */
	struct arq_bits asked;       /* remembered until the number's place is needed */
	struct arq_early *early;     /* ARQ_EARLY places, made when first needed */
	size_t bytes, bytes_max;     /* of early ones */

	unsigned int unacked;
	uint64_t ack_at;
	uint64_t ask_at, ask_to;     /* the gaps up to ask_to are asked for then */
	unsigned int backoff;        /* requests in a row without anything new */
	uint32_t patience_us;
	bool raised;                 /* patience grew since the last request */
};

enum arq_in_what { ARQ_IN_TURN, ARQ_IN_EARLY, ARQ_IN_DOUBLED, ARQ_IN_DROPPED };

/* Nothing has come yet; early ones take at most bytes_max (0: as arq.h says). */
void arq_in_init(struct arq_in *i, size_t bytes_max);

/* Release what i holds. */
void arq_in_done(struct arq_in *i);

/* A datagram came: whether it has its turn; a copy of one that comes early is kept. */
enum arq_in_what arq_in_take(struct arq_in *i, uint64_t seq, const uint8_t *records, size_t len,
			     uint64_t now_us);

/* One that came early and has its turn now; the caller frees its data. False: there is none. */
bool arq_in_next(struct arq_in *i, struct arq_early *e);

/* The peer has sent all up to last. */
void arq_in_know(struct arq_in *i, uint64_t last);

/* After something came or became known: whether there are gaps, and when to ask for them. */
void arq_in_look(struct arq_in *i, uint64_t now_us);

/* Whether it is time to ask for what is missing. */
static inline bool arq_in_must_ask(const struct arq_in *i, uint64_t now_us) {
	return now_us >= i->ask_at;
}

/* Whether it is time for an acknowledgement. */
bool arq_in_must_ack(const struct arq_in *i, uint64_t now_us);

/* Write an ACK of at most ARQ_ACK_MAX bytes, with gaps if it is time to ask. Returns its length. */
size_t arq_in_ack(const struct arq_in *i, uint64_t now_us, struct arq_wire_ack *out);

/* An ACK has gone out. Returns how many datagrams it asks for. */
uint64_t arq_in_asked(struct arq_in *i, uint64_t now_us, const struct arq_wire_ack *out);

/* Something that acknowledges has gone out. */
void arq_in_acked(struct arq_in *i);

/* When it will be time; 0: now. */
uint64_t arq_in_deadline(const struct arq_in *i);
