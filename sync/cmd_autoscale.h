/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What administrators see of the group that shares its configuration (system auto-scale): answers
 * to the commands that gatehoused passes on.
 */
#pragma once

#include "backends/cluster.h"
#include "cfgdb/base/str.h"
#include "sync/autoscale_text.h"
#include "sync/door.h"

struct event_base;

/* What is asked of replication, beside facts, as functions of sync/scaler.h. */
struct cmd_autoscale_calls {
	void *arg;
	int (*forget)(void *arg, const char *serial, struct err *err);
	uint32_t (*inquire)(void *arg, const char *serial,
			    const struct autoscale_message *question, struct err *err);
};

struct cmd_autoscale;

/*
 * Source, calls and the place where answers go are the caller's and outlive it; the caller frees it
 * before the base. NULL and *err when there is no event loop.
 */
struct cmd_autoscale *cmd_autoscale_new(struct event_base *base,
					const struct autoscale_source *source,
					const struct cmd_autoscale_calls *calls,
					struct door *door, struct err *err);

/* NULL is fine. Returns NULL. */
struct cmd_autoscale *cmd_autoscale_free(struct cmd_autoscale *c);

/* What gatehoused says of this unit from now on, and of its sessions; copied, but for keys. */
void cmd_autoscale_unit(struct cmd_autoscale *c, const struct autoscale *unit);
void cmd_autoscale_cluster(struct cmd_autoscale *c, const struct cluster *cluster);

/* Answer a command, now or later. False: it is none of these. */
bool cmd_autoscale_call(struct cmd_autoscale *c, const struct door_call *call);

/* A command ends without an answer; so do all. */
void cmd_autoscale_cancel(struct cmd_autoscale *c, uint32_t id);
void cmd_autoscale_lost(struct cmd_autoscale *c);

/* As inquired() of struct autoscale_env. */
void cmd_autoscale_inquired(struct cmd_autoscale *c, uint32_t inquiry,
			    const struct autoscale_message *answer, const char *why);

/* Append the lines for `get metrics`. */
void cmd_autoscale_metrics(const struct cmd_autoscale *c, struct str *out);
