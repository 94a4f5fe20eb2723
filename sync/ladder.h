/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which links reach one peer. Beats go over every link at an interval; a link is healthy after
 * three in a row that answer ours, and no longer after so many intervals without one. Only when all
 * links fall silent at once while the stream goes on, they stay as they are: then somebody has too
 * much to do. In use are all healthy layer 2 links, in turn; failing these, the first healthy layer
 * 3 link; failing that, none. The peer is lost when nothing was heard of it for as many intervals.
 * No I/O and no clock: now_us is microseconds of any clock that only goes forward.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LADDER_BEAT 3            /* first byte of a beat's payload */
#define LADDER_BEAT_SIZE 38      /* bytes that mean something; what follows only makes it long */
#define LADDER_LINKS 32
#define LADDER_NAME 48           /* with its end */
#define LADDER_TEXT 512          /* with its end */

enum ladder_kind { LADDER_L2, LADDER_L3 };
enum ladder_rung { LADDER_ON_NONE, LADDER_ON_L2, LADDER_ON_L3 };

/* What a beat carries for others than the ladder. */
struct ladder_beat {
	bool not_ready;              /* the sender's tables are not filled yet */
	uint64_t incarnation;        /* of the receiver, as the sender knows it */
	uint64_t last, ack;          /* see arq_tell() and arq_beat() */
};

/* A change of the links in use, or of the peer being there. */
struct ladder_change {
	enum ladder_rung from, to;
	bool was_connected, connected;
	bool lost;                   /* a link that was in use is not any more: arq_resend() */
	char text[LADDER_TEXT];      /* "layer 2 (port3, port4) -> none", for the log */
};

struct ladder_link {
	unsigned int id;
	enum ladder_kind kind;
	char name[LADDER_NAME];
	bool up;                     /* says the system */
	bool healthy;                /* say our beats */
	bool in_use;
	uint32_t rtt_us;             /* smoothed; 0: not known */
	uint64_t sent, received;     /* beats */
	uint64_t losses;             /* times that it was healthy and is not any more */
};

struct ladder_stats {
	enum ladder_rung rung;
	bool connected;
	uint64_t changes;            /* of the links in use */
	uint64_t disconnects;        /* times that the peer was lost */
	uint64_t heard_us;           /* when the peer was heard last; 0: never */
	unsigned int n_links;
	char text[LADDER_TEXT];      /* "layer 2 (port3, port4)", "layer 3 (192.0.2.2)", "none" */
};

struct ladder;

/* A ladder without links; interval_us and lost as in ladder_timing(). The caller frees it. */
struct ladder *ladder_new(uint32_t interval_us, unsigned int lost, uint64_t now_us);

/* Free l, which may be NULL. Returns NULL. */
struct ladder *ladder_free(struct ladder *l);

/* Beats go out each interval_us; after `lost` intervals (at least 1.5) without, a link is lost. */
void ladder_timing(struct ladder *l, uint32_t interval_us, unsigned int lost, uint64_t now_us);

/*
 * Add a link, down at first. id (below 65536) is the caller's and unique here; name is copied.
 * Layer 3 links are preferred in the order of their ids. False: there are LADDER_LINKS, or the id
 * is used.
 */
bool ladder_add(struct ladder *l, unsigned int id, enum ladder_kind kind, const char *name,
		uint64_t now_us);

/* Forget a link, if there is one with this id. */
void ladder_remove(struct ladder *l, unsigned int id, uint64_t now_us);

/* What the system says of a link: only one that is up has beats. Its next beat is due at once. */
void ladder_up(struct ladder *l, unsigned int id, bool up, uint64_t now_us);

/* A link whose beat is due and which beat of it that is (from 0); false: none is. */
bool ladder_due(struct ladder *l, uint64_t now_us, unsigned int *id, uint64_t *number);

/*
 * Make the beat of a link into out; the next one is due an interval later whether or not it can be
 * sent. Returns LADDER_BEAT_SIZE, or 0 when there is no such link.
 */
size_t ladder_beat_make(struct ladder *l, unsigned int id, uint64_t now_us,
			const struct ladder_beat *beat, uint8_t out[LADDER_BEAT_SIZE]);

/* Take a beat that came over a link; what it says is in *beat. False: malformed, no such link. */
bool ladder_beat_take(struct ladder *l, unsigned int id, uint64_t now_us, const uint8_t *payload,
		      size_t len, struct ladder_beat *beat);

/* The peer has taken something of the stream, or sent something new: it is there. */
void ladder_progress(struct ladder *l, uint64_t now_us);

/*
 * Look at the clock: links and the peer may be lost by it. When the caller itself did not run for
 * longer than two intervals, that time is not held against anyone.
 */
void ladder_poll(struct ladder *l, uint64_t now_us);

/* When ladder_due() or ladder_poll() have something to do, in us; UINT64_MAX: never. */
uint64_t ladder_deadline(const struct ladder *l);

/* The link for the next datagram, each of several in turn; -1: none. */
int ladder_pick(struct ladder *l);

/* Whether the peer is there. It is, after its last link went, until it was silent for too long. */
bool ladder_connected(const struct ladder *l);

/* Smoothed round trip of the slowest link in use, in us; 0: not known. */
uint32_t ladder_rtt(const struct ladder *l);

/* What has changed since this was last true; false: nothing. Ask after calls that take now_us. */
bool ladder_changed(struct ladder *l, struct ladder_change *change);

/* Copy link number i (from 0); false: there are not as many. */
bool ladder_link(const struct ladder *l, unsigned int i, struct ladder_link *link);

/* Copy the counters and what there is to see now. */
void ladder_stats(const struct ladder *l, struct ladder_stats *stats);
