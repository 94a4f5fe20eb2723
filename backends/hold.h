/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interfaces that stay down after a start of the unit (down-intfs-before-sess-sync): until when,
 * and why. Backends/iface.h is what keeps them down.
 */
#pragma once

#include "backends/cluster.h"
#include "cfgdb/control/relay.h"

#define HOLD_MAX (CLUSTER_PEERS_MAX * CLUSTER_DOWN_MAX)

struct event_base;
struct hold;

struct hold_config {
	struct event_base *base;
	struct relay *relay;         /* to gatehouse-syncd; watched, and outlives the hold */
	unsigned int wait_s;         /* for gatehouse-syncd to attach */
	/* Takes what the administrator of the machine should know. */
	void (*tell)(int priority, const char *text);
	/* Nothing is held any more: interfaces may go up. */
	void (*let_go)(void *arg);
	void *arg;                   /* of let_go */
};

/* One that holds nothing yet; NULL and *err when that fails. The caller frees it. */
struct hold *hold_new(const struct hold_config *config, struct err *err);

/* Interfaces stay as they are. NULL is fine. Returns NULL. */
struct hold *hold_free(struct hold *h);

/* The unit starts: hold what this configuration names, if there are peers and a secret. */
void hold_begin(struct hold *h, const struct model *model);

/* The configuration is, or may be, another one: what it does not name is held no more. */
void hold_update(struct hold *h, const struct model *model);

/* Whether this interface is to be down now, whatever its status says; NULL holds nothing. */
bool hold_has(const struct hold *h, const char *name);
