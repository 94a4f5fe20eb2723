/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's part in replication of the configuration (system auto-scale): it tells
 * gatehouse-syncd what to do, with the keys of the group, and sets what comes by itself with a
 * group: the sessions of the members are shared, too.
 */
#pragma once

#include "backends/autoscale.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/role.h"

struct event_base;
struct scaling;

struct scaling_config {
	struct event_base *base;
	struct engine *engine;               /* open; outlives it */
	struct role *role;                   /* of that engine; outlives it */
	struct relay *relay;                 /* to gatehouse-syncd; outlives it */
	const char *state_dir;               /* where the key is kept */
	/* Takes what the administrator of the machine should know. */
	void (*tell)(int priority, const char *text);
};

/* Take part from now on. NULL and *err when that fails; the caller frees it before the engine. */
struct scaling *scaling_new(const struct scaling_config *config, struct err *err);

/* NULL is fine. Returns NULL. */
struct scaling *scaling_free(struct scaling *s);

/* The unit's place in its group. */
struct role *scaling_role(const struct scaling *s);
