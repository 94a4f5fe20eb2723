/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of packets through the unit, put together from what nf_tables tells of them, and told in
 * the lines of `diagnose debug flow`. No system calls: what else is needed is asked of a struct
 * flow_world.
 */
#pragma once

#include "backends/flow_event.h"
#include "backends/policy.h"
#include "cfgdb/base/str.h"

/* What connection tracking knew of a packet when it came. */
enum flow_state { FLOW_NEW, FLOW_ORIGINAL, FLOW_REPLY, FLOW_INVALID, FLOW_UNTRACKED };

/* One packet. */
struct flow_packet {
	uint32_t id, trace_id;
	enum flow_state state;
	int in, out;                         /* links; in 0: the unit sent it; out 0: not known */
	struct flow_header received;
	struct flow_header routed;           /* after the translation of its destination */
	struct flow_header sent;             /* as it left */
	bool was_forwarded, was_delivered, was_sent;
	bool accepted;                       /* by a policy */
	bool intrazone;                      /* let through between members of a zone */
	bool dropped;                        /* in this chain */
	char table[FLOW_NAME_MAX], chain[FLOW_NAME_MAX];
	bool ours;                           /* that is one of the table of the rules */
	bool torn;                           /* some of it may not have been heard */
	bool has_ct;
	uint32_t ct_id;
	bool ended;
	unsigned int quiet;                  /* ticks since the last event */
};

/* What connection tracking knows of a packet's session. */
struct flow_session {
	uint32_t serial;
	bool has_policy;
	uint32_t policy;
};

/* Why there is no way for a packet. */
enum flow_refusal {
	FLOW_WAY,                            /* there is one */
	FLOW_NO_ROUTE,
	FLOW_NO_FORWARDING,                  /* not from the link that it came by */
	FLOW_NO_WAY_BACK,                    /* none to its source, or not by that link */
	FLOW_REFUSED,                        /* for another reason */
};

/* The way of a packet. */
struct flow_way {
	enum flow_refusal refusal;
	bool local;                          /* it leads to the unit */
	int out;                             /* link */
	uint32_t gateway;                    /* 0: the destination is on the link */
};

/* What is asked; each function gets arg first. */
struct flow_world {
	void (*link)(void *arg, int index, char name[16]);
	/* The way of a packet that came in by `in` (0: that the unit sends). */
	void (*way)(void *arg, const struct flow_header *h, int in, struct flow_way *ret);
	/* The session of a packet; false when it cannot be told. */
	bool (*session)(void *arg, const struct flow_packet *p, struct flow_session *ret);
	/* The policies in force, and their configuration. */
	const struct policies *(*policies)(void *arg, const struct model **model);
	void *arg;
};

/* What is shown. */
struct flow_show {
	bool no_functions;                   /* leave out names and lines of functions */
	bool iprope;                         /* policies before the one that matched, too */
};

struct flow;

/*
 * A trace that tells the first `count` packets (0: all) for which `table` (as flow_trace_table()
 * says) set the trace flag. All it is given must outlive it; the caller frees it.
 */
struct flow *flow_new(const char *table, uint64_t count, const struct flow_show *show,
		      const struct flow_world *world);

/* Free; NULL is fine. Returns NULL. */
struct flow *flow_free(struct flow *f);

/* Take an event. */
void flow_take(struct flow *f, const struct flow_event *event);

/* Events were lost: what is under way is not known any more. */
void flow_lost(struct flow *f);

#define FLOW_QUIET_TICKS 2   /* after which no more events of a packet are expected */

/* Some time has passed in which all events were taken that came; call it at a steady pace. */
void flow_tick(struct flow *f);

/*
 * Append the lines of packets whose way is known to its end, in the order in which they came, at
 * most `most` packets. True when `count` packets have been told in all.
 */
bool flow_print(struct flow *f, unsigned int most, struct str *out);
