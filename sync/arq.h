/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream of records to one peer and one from it, over datagrams that may be lost, doubled or
 * overtake each other: what is put on one side comes out on the other, once and in order. One
 * struct arq for each pair of incarnations. No I/O and no clock: now_us is microseconds of any
 * clock that only goes forward.
 *
 * Sending, whenever arq_deadline() has come or something was put:
 *
 *	while ((len = arq_next(a, now_us, true, &payload)) > 0 && send(payload, len))
 *		arq_sent(a, now_us);
 *
 * What could not be sent is not lost: without arq_sent() the next arq_next() gives it again. While
 * there is no link at all, ask neither arq_next() nor arq_deadline().
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* First byte of a payload. */
enum { ARQ_DATA = 1, ARQ_ACK = 2 };

#define ARQ_HEADER 17            /* of a DATA payload, before its records */
#define ARQ_WINDOW 2048          /* most datagrams on their way */
#define ARQ_EARLY 4096           /* datagrams that may come this far ahead of their turn */
#define ARQ_RANGES 100           /* most gaps told in one ACK */
#define ARQ_ACK_MAX (11 + 10 * ARQ_RANGES)   /* bytes of the longest ACK */

/* What a peer may make us hold; 0 stands for the default. */
struct arq_limits {
	size_t queue_bytes;          /* sent and not acknowledged, or waiting: 8 MB */
	size_t early_bytes;          /* came before their turn: 8 MB */
	unsigned int window;         /* datagrams on their way, 32 to ARQ_WINDOW: ARQ_WINDOW */
};

struct arq_stats {
	uint64_t sent;               /* DATA, each counted once */
	uint64_t again;              /* DATA sent once more: asked for, timed out, link gone */
	uint64_t timeouts;           /* times that nothing was heard for too long */
	uint64_t acks;               /* ACKs sent */
	uint64_t received;           /* DATA handed on, in order */
	uint64_t early;              /* DATA that came before its turn and was kept */
	uint64_t doubled;            /* DATA that was here already */
	uint64_t asked;              /* datagrams found missing and asked for, each time counted */
	uint64_t dropped;            /* DATA too far ahead, or no room to keep it */
	uint64_t malformed;          /* times that arq_take() or arq_beat() was false */
	uint64_t refused;            /* records that found the queue full */
	uint64_t next_seq;           /* number of the next datagram to be filled, or being filled */
	uint64_t acked_seq;          /* all up to this one are at the peer */
	uint64_t received_seq;       /* all up to this one were handed on */
	uint64_t queued_records;     /* put and not acknowledged */
	size_t queued_bytes;         /* memory of these; never more than queue_bytes */
	size_t early_bytes;          /* memory of what came early; likewise */
	unsigned int window;         /* how many datagrams may be on their way now */
	unsigned int in_flight;      /* how many are */
	uint32_t rtt_us;             /* smoothed, to the acknowledgement; 0: not known */
	uint32_t patience_us;        /* how long a gap may stay before it is asked for */
};

struct arq;

/* A pair of streams at their beginning; limits may be NULL and is copied. The caller frees it. */
struct arq *arq_new(const struct arq_limits *limits);

/* Free a, which may be NULL, with all that it holds. Returns NULL. */
struct arq *arq_free(struct arq *a);

/*
 * Append one encoded record, which is copied, to the datagram being filled; one that would become
 * longer than payload_max bytes (ARQ_HEADER included) is closed before. payload_max is of the
 * smallest link that may lead to this peer. False: the queue is full (or the record longer than any
 * datagram), nothing was taken.
 */
bool arq_put(struct arq *a, const uint8_t *record, size_t len, size_t payload_max);

/* Bytes that may still be queued. Below half, do not yet come back with what was refused. */
size_t arq_room(const struct arq *a);

/*
 * The payload to send now, and its length; 0: there is none. It belongs to a and is valid until the
 * next call with a. With flush, the datagram being filled is closed and sent as well; without, only
 * full ones. Nothing counts as sent before arq_sent().
 */
size_t arq_next(struct arq *a, uint64_t now_us, bool flush, const uint8_t **payload);

/* What arq_next() gave last has gone out. */
void arq_sent(struct arq *a, uint64_t now_us);

/*
 * When arq_next() with flush may have something, in us; 0: now; UINT64_MAX: not before the next
 * arq_put(), arq_take() or arq_beat(). After a link refused a payload, wait for the link instead.
 */
uint64_t arq_deadline(const struct arq *a);

/*
 * Take a DATA or ACK payload. Records that have their turn now go to deliver(), a datagram's at a
 * time, valid during the call; deliver may put and read stats, nothing else. False: malformed,
 * counted, without effect.
 */
bool arq_take(struct arq *a, uint64_t now_us, const uint8_t *payload, size_t len,
	      void (*deliver)(void *arg, const uint8_t *records, size_t len), void *arg);

/* What a beat to the peer says: the last datagram sent, and the last that has come in order. */
void arq_tell(const struct arq *a, uint64_t *last, uint64_t *ack);

/* What a beat of the peer said. False: that cannot be; counted, without effect. */
bool arq_beat(struct arq *a, uint64_t now_us, uint64_t last, uint64_t ack);

/*
 * A link that was in use is not any more: all that is not acknowledged goes out again at once, on
 * the way that is in use now, whose round trip is rtt_us (0: not known).
 */
void arq_resend(struct arq *a, uint64_t now_us, uint32_t rtt_us);

/* Everything put so far is at the peer once acked_seq has reached the number returned here. */
uint64_t arq_mark(const struct arq *a);

/* The last datagram that the peer has acknowledged with all before it. */
uint64_t arq_acked(const struct arq *a);

/* Copy the counters and what there is to see now. */
void arq_stats(const struct arq *a, struct arq_stats *stats);
