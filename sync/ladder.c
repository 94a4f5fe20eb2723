/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each beat carries a time stamp, and the last stamp that came from the other side. A beat that
 * gives back a fresh stamp of ours proves both directions at once: ours arrive there, its arrive
 * here. So a link that works one way only is lost on both sides, and the round trip is measured on
 * the way. A link is used when both sides call it healthy: each beat says what its sender thinks.
 *
 * After every event the links in use are worked out anew from what is known of each; a change is
 * what differs from before. The links stand in the order of their ids.
 */
#include "sync/ladder.h"

#include <assert.h>
#include <bsd/string.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "sync/rtt.h"

#define NEVER UINT64_MAX
#define ROW 3                    /* beats in a row that make a link healthy */
#define SILENCE_MAX_US 3600000000u   /* stamps have 32 bits of microseconds */

enum { BEAT_HEALTHY = 1, BEAT_NOT_READY = 2 };

struct wire_beat {
	uint8_t kind, flags;
	uint32_t stamp;              /* low bits of the sender's clock in us; 0: none */
	uint32_t echo;               /* the last stamp from the receiver */
	uint32_t held_us;            /* since that one came */
	uint64_t incarnation, last, ack;
} __attribute__((packed));

static_assert(sizeof(struct wire_beat) == LADDER_BEAT_SIZE, "beat");

struct link {
	struct ladder_link see;      /* what others may see */
	bool told;                   /* the peer says that it is healthy */
	unsigned int row;
	uint64_t due_us;             /* the next beat */
	uint64_t heard_us;           /* the last beat that answered ours */
	uint32_t stamp;              /* the last that came, and when */
	uint64_t stamp_us;
	struct rtt rtt;
};

struct ladder {
	struct link links[LADDER_LINKS];
	unsigned int n_links;
	uint32_t interval_us;
	uint64_t silence_us;         /* after which a link is lost */
	uint64_t now_us;             /* when this was called last */
	uint64_t answered_us;        /* the last beat that answered ours, of any link */
	unsigned int turn;           /* the link that was used last */
	struct ladder_stats see;
	bool has_changed;
	struct ladder_change change;
	char told[LADDER_TEXT];      /* the links in use when a change was told last */
};

static struct link *ladder_find(struct ladder *l, unsigned int id) {
	for (unsigned int i = 0; i < l->n_links; i++)
		if (l->links[i].see.id == id)
			return &l->links[i];
	return NULL;
}

static const char *rung_text(enum ladder_rung rung) {
	static const char *const texts[] = {
		[LADDER_ON_NONE] = "none", [LADDER_ON_L2] = "layer 2", [LADDER_ON_L3] = "layer 3",
	};

	return texts[rung];
}

static void ladder_write_text(struct ladder *l) {
	char *text = l->see.text;
	const char *before = " (";

	strlcpy(text, rung_text(l->see.rung), LADDER_TEXT);
	for (unsigned int i = 0; i < l->n_links; i++) {
		if (!l->links[i].see.in_use)
			continue;
		strlcat(text, before, LADDER_TEXT);
		strlcat(text, l->links[i].see.name, LADDER_TEXT);
		before = ", ";
	}
	if (l->see.rung != LADDER_ON_NONE)
		strlcat(text, ")", LADDER_TEXT);
}

/* Time in which the caller did not run is no silence of the peer. */
static void ladder_clock(struct ladder *l, uint64_t now_us) {
	uint64_t missed_us = 0;

	if (now_us > l->now_us + 2 * (uint64_t)l->interval_us)
		missed_us = now_us - l->now_us - l->interval_us;
	for (unsigned int i = 0; i < l->n_links; i++)
		l->links[i].heard_us += missed_us;
	l->answered_us += missed_us;
	if (l->see.heard_us != 0)
		l->see.heard_us += missed_us;
	if (now_us > l->now_us)
		l->now_us = now_us;
}

static bool link_silent(const struct ladder *l, const struct link *k) {
	return l->now_us >= k->heard_us + l->silence_us;
}

static void link_lose(struct link *k) {
	k->see.losses += k->see.healthy;
	k->see.healthy = k->told = false;
	k->see.rtt_us = 0;
	k->rtt = (struct rtt){ 0 };
	k->row = 0;
}

static bool link_usable(const struct link *k) {
	return k->see.up && k->see.healthy && k->told;
}

/* The rung that has a usable link. */
static enum ladder_rung ladder_best(const struct ladder *l) {
	enum ladder_rung best = LADDER_ON_NONE;

	for (unsigned int i = 0; i < l->n_links; i++) {
		if (!link_usable(&l->links[i]))
			continue;
		if (l->links[i].see.kind == LADDER_L2)
			return LADDER_ON_L2;
		best = LADDER_ON_L3;
	}
	return best;
}

/* Use what is usable on the rung: all of layer 2, the first of layer 3. False: as before. */
static bool ladder_use(struct ladder *l, enum ladder_rung rung) {
	bool changed = false, found = false;

	for (unsigned int i = 0; i < l->n_links; i++) {
		struct link *k = &l->links[i];
		bool use = link_usable(k) &&
			   (rung == LADDER_ON_L2 ? k->see.kind == LADDER_L2 : !found);

		found = found || use;
		changed = changed || use != k->see.in_use;
		if (k->see.in_use && !link_usable(k))
			l->change.lost = true;
		k->see.in_use = use;
	}
	l->see.rung = rung;
	return changed;
}

/* Work out everything anew from what is known of each link. */
static void ladder_update(struct ladder *l) {
	bool was_connected = l->see.connected;
	enum ladder_rung rung;

	for (unsigned int i = 0; i < l->n_links; i++)
		if (l->links[i].see.healthy && link_silent(l, &l->links[i]))
			link_lose(&l->links[i]);
	rung = ladder_best(l);
	if (ladder_use(l, rung)) {
		l->see.changes++;
		l->has_changed = true;
		ladder_write_text(l);
	}
	l->see.connected = rung != LADDER_ON_NONE ||
			   (was_connected && l->now_us < l->see.heard_us + l->silence_us);
	if (l->see.connected != was_connected) {
		l->see.disconnects += was_connected;
		l->has_changed = true;
	}
}

struct ladder *ladder_new(uint32_t interval_us, unsigned int lost, uint64_t now_us) {
	struct ladder *l = xcalloc(1, sizeof(*l));

	l->now_us = now_us;
	ladder_write_text(l);
	strlcpy(l->told, l->see.text, sizeof(l->told));
	ladder_timing(l, interval_us, lost, now_us);
	return l;
}

struct ladder *ladder_free(struct ladder *l) {
	free(l);
	return NULL;
}

void ladder_timing(struct ladder *l, uint32_t interval_us, unsigned int lost, uint64_t now_us) {
	ladder_clock(l, now_us);
	l->interval_us = interval_us > 0 ? interval_us : 1;
	l->silence_us = lost > 1 ? (uint64_t)lost * l->interval_us : l->interval_us * 3ull / 2;
	if (l->silence_us > SILENCE_MAX_US)
		l->silence_us = SILENCE_MAX_US;
	for (unsigned int i = 0; i < l->n_links; i++)
		if (l->links[i].due_us > now_us + l->interval_us)
			l->links[i].due_us = now_us + l->interval_us;
	ladder_update(l);
}

bool ladder_add(struct ladder *l, unsigned int id, enum ladder_kind kind, const char *name,
		uint64_t now_us) {
	struct link *k = l->links + l->n_links;

	ladder_clock(l, now_us);
	if (l->n_links == LADDER_LINKS || ladder_find(l, id))
		return false;
	for (; k > l->links && k[-1].see.id > id; k--)
		*k = k[-1];
	*k = (struct link){ .see = { .id = id, .kind = kind } };
	strlcpy(k->see.name, name, sizeof(k->see.name));
	l->n_links++;
	return true;
}

void ladder_remove(struct ladder *l, unsigned int id, uint64_t now_us) {
	struct link *k = ladder_find(l, id);

	ladder_up(l, id, false, now_us);
	if (k == NULL)
		return;
	l->n_links--;
	for (; k < l->links + l->n_links; k++)
		*k = k[1];
}

void ladder_up(struct ladder *l, unsigned int id, bool up, uint64_t now_us) {
	struct link *k = ladder_find(l, id);

	ladder_clock(l, now_us);
	if (k && k->see.up != up) {
		k->see.up = up;
		k->due_us = now_us;
		k->stamp = 0;
		if (!up)
			link_lose(k);
	}
	ladder_update(l);
}

bool ladder_due(struct ladder *l, uint64_t now_us, unsigned int *id, uint64_t *number) {
	ladder_poll(l, now_us);
	for (unsigned int i = 0; i < l->n_links; i++) {
		const struct link *k = &l->links[i];

		if (!k->see.up || now_us < k->due_us)
			continue;
		*id = k->see.id;
		*number = k->see.sent;
		return true;
	}
	return false;
}

size_t ladder_beat_make(struct ladder *l, unsigned int id, uint64_t now_us,
			const struct ladder_beat *beat, uint8_t out[LADDER_BEAT_SIZE]) {
	struct link *k = ladder_find(l, id);
	uint32_t stamp = (uint32_t)now_us ? (uint32_t)now_us : 1;
	struct wire_beat wire;

	ladder_clock(l, now_us);
	if (k == NULL)
		return 0;
	k->see.sent++;
	k->due_us += l->interval_us;
	if (k->due_us <= now_us)
		k->due_us = now_us + l->interval_us;
	wire = (struct wire_beat){
		.kind = LADDER_BEAT,
		.flags = (uint8_t)((k->see.healthy ? BEAT_HEALTHY : 0) |
				   (beat->not_ready ? BEAT_NOT_READY : 0)),
		.stamp = htobe32(stamp),
		.echo = htobe32(k->stamp),
		.held_us = htobe32(k->stamp ? (uint32_t)(now_us - k->stamp_us) : 0),
		.incarnation = htobe64(beat->incarnation),
		.last = htobe64(beat->last),
		.ack = htobe64(beat->ack),
	};
	memcpy(out, &wire, sizeof(wire));
	return sizeof(wire);
}

/* A beat that gives back a stamp of ours. Of those in flight for too long it proves nothing. */
static void ladder_answered(struct ladder *l, struct link *k, uint32_t echo, uint32_t held_us) {
	uint32_t age_us = (uint32_t)l->now_us - echo;

	if (echo == 0 || age_us > l->silence_us) {
		k->row = 0;
		return;
	}
	if (held_us <= age_us) {
		rtt_sample(&k->rtt, age_us - held_us);
		k->see.rtt_us = k->rtt.smooth_us;
	}
	if (link_silent(l, k))
		k->row = 0;
	k->heard_us = l->answered_us = l->see.heard_us = l->now_us;
	if (k->row < ROW)
		k->row++;
	if (k->row == ROW)
		k->see.healthy = true;
}

bool ladder_beat_take(struct ladder *l, unsigned int id, uint64_t now_us, const uint8_t *payload,
		      size_t len, struct ladder_beat *beat) {
	struct link *k = ladder_find(l, id);
	struct wire_beat wire;

	if (k == NULL || len < sizeof(wire) || payload[0] != LADDER_BEAT)
		return false;
	memcpy(&wire, payload, sizeof(wire));
	ladder_clock(l, now_us);
	*beat = (struct ladder_beat){
		.not_ready = wire.flags & BEAT_NOT_READY,
		.incarnation = be64toh(wire.incarnation),
		.last = be64toh(wire.last),
		.ack = be64toh(wire.ack),
	};
	k->see.received++;
	if (!k->see.up)
		return true;
	k->stamp = be32toh(wire.stamp);
	k->stamp_us = now_us;
	k->told = wire.flags & BEAT_HEALTHY;
	ladder_answered(l, k, be32toh(wire.echo), be32toh(wire.held_us));
	ladder_update(l);
	return true;
}

/*
 * Where one link alone is silent, it is that link's fault. Where all are, those that were not lost
 * until now are given half of the time again.
 */
void ladder_progress(struct ladder *l, uint64_t now_us) {
	uint64_t half_us = l->silence_us / 2;

	ladder_clock(l, now_us);
	l->see.heard_us = l->now_us;
	if (l->now_us < l->answered_us + half_us)
		return;
	for (unsigned int i = 0; i < l->n_links; i++) {
		struct link *k = &l->links[i];

		if (k->see.healthy && k->heard_us + half_us < l->now_us && !link_silent(l, k))
			k->heard_us = l->now_us - half_us;
	}
}

void ladder_poll(struct ladder *l, uint64_t now_us) {
	ladder_clock(l, now_us);
	ladder_update(l);
}

static uint64_t least(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}

uint64_t ladder_deadline(const struct ladder *l) {
	uint64_t at = NEVER;

	for (unsigned int i = 0; i < l->n_links; i++) {
		const struct link *k = &l->links[i];

		if (k->see.up)
			at = least(at, k->due_us);
		if (k->see.healthy)
			at = least(at, k->heard_us + l->silence_us);
	}
	/* Without beats too, be called often enough to see that time was missed. */
	if (l->see.connected)
		at = least(at, least(l->see.heard_us + l->silence_us, l->now_us + l->interval_us));
	return at;
}

int ladder_pick(struct ladder *l) {
	for (unsigned int i = 0; i < l->n_links; i++) {
		l->turn = l->turn + 1 < l->n_links ? l->turn + 1 : 0;
		if (l->links[l->turn].see.in_use)
			return (int)l->links[l->turn].see.id;
	}
	return -1;
}

bool ladder_connected(const struct ladder *l) {
	return l->see.connected;
}

uint32_t ladder_rtt(const struct ladder *l) {
	uint32_t most = 0;

	for (unsigned int i = 0; i < l->n_links; i++)
		if (l->links[i].see.in_use && l->links[i].see.rtt_us > most)
			most = l->links[i].see.rtt_us;
	return most;
}

bool ladder_changed(struct ladder *l, struct ladder_change *change) {
	struct ladder_change *c = &l->change;

	if (!l->has_changed)
		return false;
	c->to = l->see.rung;
	c->connected = l->see.connected;
	strlcpy(c->text, l->told, sizeof(c->text));
	strlcat(c->text, " -> ", sizeof(c->text));
	strlcat(c->text, l->see.text, sizeof(c->text));
	*change = *c;
	*c = (struct ladder_change){ .from = c->to, .was_connected = c->connected };
	strlcpy(l->told, l->see.text, sizeof(l->told));
	l->has_changed = false;
	return true;
}

bool ladder_link(const struct ladder *l, unsigned int i, struct ladder_link *link) {
	if (i >= l->n_links)
		return false;
	*link = l->links[i].see;
	return true;
}

void ladder_stats(const struct ladder *l, struct ladder_stats *stats) {
	*stats = l->see;
	stats->n_links = l->n_links;
}
