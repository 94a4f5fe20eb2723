/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's part in replication of sessions: it tells gatehouse-syncd what to do, as the
 * configuration says, with the key of the group.
 */
#pragma once

#include "backends/cluster.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/engine.h"

struct event_base;
struct replication;

struct replication_config {
	struct event_base *base;
	const struct engine *engine;         /* open; outlives it */
	struct relay *relay;                 /* to gatehouse-syncd; outlives it */
	const char *state_dir;               /* where the key is kept */
	/* Takes what the administrator of the machine should know. */
	void (*tell)(int priority, const char *text);
};

/* NULL and *err when that fails; the caller frees it. */
struct replication *replication_new(const struct replication_config *config, struct err *err);

/* NULL is fine. Returns NULL. */
struct replication *replication_free(struct replication *r);

/* The configuration is, or may be, another one. A key that is new goes out when it is made. */
void replication_update(struct replication *r);

/* What the configuration says now, without a key. */
void replication_cluster(const struct replication *r, struct cluster *ret);

/* The way to gatehouse-syncd. */
struct relay *replication_relay(const struct replication *r);

/* ---- who has which sessions ---- */

#define REPLICATION_WAIT_MS 500      /* for what peers have */

/* What the peers have, as of one moment. */
struct replication_view {
	struct cluster cluster;
	uint16_t unit;               /* the number of this unit */
	uint64_t acked_ns[CLUSTER_PEERS_MAX]; /* by entry: it has all up to then; 0: nothing */
};

/* Begin a view, in which peers have nothing. */
void replication_view_begin(const struct replication *r, struct replication_view *view);

/*
 * Ask for what they have: replication_view_take() gets the answer. NULL when there is nobody to
 * ask, or nothing to ask for; the caller closes the call.
 */
struct relay_call *replication_view_ask(const struct replication *r,
					const struct replication_view *view);

/* Take the text of the answer; what does not belong there is left out. */
void replication_view_take(struct replication_view *view, const char *text);

/* Whether an entry's peer has a session of this unit, apart from the interfaces of its filter. */
bool replication_view_has(const struct replication_view *view, unsigned int entry,
			  const struct ct *ct);
