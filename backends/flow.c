/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Events to packets. A packet begins with the event of the rule that made it traced, and ends where
 * a rule drops it or where it leaves our last chains. It may also vanish without a word: between
 * the hooks the kernel drops what it has no route for. So a packet of which nothing has been heard
 * for a while is at its end, too.
 *
 * An event's id is made from the address of the packet in memory, which the next packet may have,
 * too; the first event of a packet tells the two apart. It has the packet's header, unless others
 * trace the packet already: then the header came with an event of our chain before.
 *
 * Packets are kept and told in the order in which they came; their number is bounded.
 */
#include "backends/flow.h"

#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "backends/flow_filter.h"
#include "backends/flow_text.h"
#include "backends/render.h"
#include "backends/ruleset.h"
#include "cfgdb/base/mem.h"

#define PACKETS_MAX 512      /* under way */
#define ARRIVALS_MAX 64      /* headers of packets that may turn out to be asked for */

struct flow {
	const char *table;
	uint64_t count;
	struct flow_show show;
	const struct flow_world *world;
	uint64_t n_begun, n_told;
	struct flow_packet packet[PACKETS_MAX]; /* a ring: n_told to n_begun */
	struct flow_event arrival[ARRIVALS_MAX]; /* a ring, too */
	uint64_t n_arrivals;
};

struct flow *flow_new(const char *table, uint64_t count, const struct flow_show *show,
		      const struct flow_world *world) {
	struct flow *f = xcalloc(1, sizeof(*f));

	f->table = table;
	f->count = count;
	f->show = *show;
	f->world = world;
	return f;
}

struct flow *flow_free(struct flow *f) {
	free(f);
	return NULL;
}

static struct flow_packet *packet_at(struct flow *f, uint64_t i) {
	return &f->packet[i % PACKETS_MAX];
}

/* The packet that an event is about, or NULL. */
static struct flow_packet *packet_find(struct flow *f, uint32_t id) {
	for (uint64_t i = f->n_begun; i > f->n_told; i--) {
		struct flow_packet *p = packet_at(f, i - 1);

		if (p->id == id && !p->ended)
			return p;
	}
	return NULL;
}

/* What the chain of a packet's first event says; false when it is no first event. */
static bool begins(const struct flow_event *e, enum flow_state *state) {
	static const char *const chains[] = {
		[FLOW_NEW] = FLOW_CHAIN_NEW,	       [FLOW_ORIGINAL] = FLOW_CHAIN_ORIGINAL,
		[FLOW_REPLY] = FLOW_CHAIN_REPLY,       [FLOW_INVALID] = FLOW_CHAIN_INVALID,
		[FLOW_UNTRACKED] = FLOW_CHAIN_UNTRACKED,
	};

	for (size_t i = 0; e->is_rule && i < ARRAY_LEN(chains); i++)
		if (strcmp(e->chain, chains[i]) == 0) {
			*state = (enum flow_state)i;
			return true;
		}
	return false;
}

static bool arrives(const struct flow_event *e) {
	return e->has_header && (strcmp(e->chain, FLOW_CHAIN_RECEIVED) == 0 ||
				 strcmp(e->chain, FLOW_CHAIN_LOCAL) == 0);
}

/* The event with the header of a packet that begins; NULL when it was lost. */
static const struct flow_event *arrival_of(const struct flow *f, const struct flow_event *e) {
	uint64_t n = f->n_arrivals < ARRIVALS_MAX ? f->n_arrivals : ARRIVALS_MAX;

	if (e->has_header)
		return e;
	for (uint64_t i = 1; i <= n; i++)
		if (f->arrival[(f->n_arrivals - i) % ARRIVALS_MAX].id == e->id)
			return &f->arrival[(f->n_arrivals - i) % ARRIVALS_MAX];
	return NULL;
}

static void packet_begin(struct flow *f, const struct flow_event *e, enum flow_state state) {
	struct flow_packet *before = packet_find(f, e->id);

	if (before)
		before->ended = true;
	e = arrival_of(f, e);
	if (!e || (f->count && f->n_begun == f->count) || f->n_begun - f->n_told == PACKETS_MAX)
		return;
	*packet_at(f, f->n_begun) = (struct flow_packet){
		.id = e->id,
		.trace_id = (uint32_t)f->n_begun + 1,
		.state = state,
		.in = e->in,
		.out = e->out,
		.received = e->header,
		.routed = e->header,
		.has_ct = e->has_ct,
		.ct_id = e->ct_id,
	};
	f->n_begun++;
}

/* Events of our own chains, which stand where a packet has got somewhere. */
static void take_place(struct flow_packet *p, const struct flow_event *e) {
	if (!e->has_header)
		return;
	if (e->out)
		p->out = e->out;
	if (strcmp(e->chain, FLOW_CHAIN_FORWARD) == 0) {
		p->was_forwarded = true;
		p->routed = e->header;
	} else if (strcmp(e->chain, FLOW_CHAIN_IN) == 0) {
		p->was_delivered = p->ended = true;
		p->routed = e->header;
	} else if (strcmp(e->chain, FLOW_CHAIN_OUT) == 0) {
		p->was_sent = p->ended = true;
		p->sent = e->header;
	}
}

/* The end of judging a new session. */
static void take_judgement(struct flow_packet *p, const struct flow_event *e) {
	if (e->verdict != FLOW_ACCEPT)
		return;
	if (strcmp(e->chain, RENDER_CHAIN_ACCEPTED) == 0)
		p->accepted = true;
	else if (strcmp(e->chain, RENDER_CHAIN_DECIDE) == 0)
		p->intrazone = true;
}

void flow_take(struct flow *f, const struct flow_event *e) {
	bool ours = e->family == NFPROTO_INET && strcmp(e->table, RULESET_TABLE) == 0;
	bool trace = strcmp(e->table, f->table) == 0;
	enum flow_state state;
	struct flow_packet *p;

	if (trace && begins(e, &state)) {
		packet_begin(f, e, state);
		return;
	}
	if (trace && arrives(e))
		f->arrival[f->n_arrivals++ % ARRIVALS_MAX] = *e;
	p = packet_find(f, e->id);
	if (!p)
		return;
	p->quiet = 0;
	if (e->has_ct) {
		p->has_ct = true;
		p->ct_id = e->ct_id;
	}
	if (trace)
		take_place(p, e);
	if (ours)
		take_judgement(p, e);
	if (e->verdict == FLOW_DROP) {
		p->dropped = p->ended = true;
		p->ours = ours;
		memcpy(p->table, e->table, sizeof(p->table));
		memcpy(p->chain, e->chain, sizeof(p->chain));
	}
}

void flow_lost(struct flow *f) {
	for (uint64_t i = f->n_told; i < f->n_begun; i++) {
		struct flow_packet *p = packet_at(f, i);

		p->torn |= !p->ended;
		p->ended = true;
	}
}

void flow_tick(struct flow *f) {
	for (uint64_t i = f->n_told; i < f->n_begun; i++) {
		struct flow_packet *p = packet_at(f, i);

		if (++p->quiet > FLOW_QUIET_TICKS)
			p->ended = true;
	}
}

bool flow_print(struct flow *f, unsigned int most, struct str *out) {
	for (; most > 0 && f->n_told < f->n_begun; most--) {
		const struct flow_packet *p = packet_at(f, f->n_told);

		if (!p->ended)
			break;
		flow_text(p, &f->show, f->world, out);
		f->n_told++;
	}
	return f->count && f->n_told == f->count;
}
