/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of packets to the other members: what fits no session here may fit one there. A backend
 * for links, routes and neighbours; the rules that mark such packets are rendered (render_sync.c).
 */
#pragma once

#include "backends/cluster.h"
#include "backends/rtnl.h"
#include "cfgdb/backend.h"

#define HANDOVER_MARK 0x47480708u    /* of packets on their way */
#define HANDOVER_TABLE 708           /* of routes; also the preference of the rule that names it */
#define HANDOVER_TUNNEL "gh-members" /* the link, where members share no layer 2 network */
#define HANDOVER_PORT 4708           /* UDP port of the tunnel */

/* The links that packets are handed over by, and to whom. */
struct handover_plan {
	bool on;                     /* there are members, and interfaces are managed */
	bool tunnel;                 /* the only link is HANDOVER_TUNNEL, which is ours */
	unsigned int n_links;        /* the first of them that is up is used for sending */
	char link[CLUSTER_DEVS_MAX][IFNAMSIZ];
	unsigned int n_members;
	uint32_t member[CLUSTER_PEERS_MAX];     /* addresses, host byte order, each once */
};

/* What a configuration wants. Pure: no system calls. */
void handover_plan(struct handover_plan *plan, const struct model *model);

struct handover;

/* Open; NULL and *err when that fails. */
struct handover *handover_new(struct err *err);

/* Close; what was set stays. NULL is fine. Returns NULL. */
struct handover *handover_free(struct handover *h);

/* The backend to add to the engine, after that of interfaces; it lives as long as h. */
struct backend handover_backend(struct handover *h);

/* Compare with the configuration again, as after an event of the monitor. */
int handover_reconcile(struct handover *h, struct err *err);

/* Whether a tunnel is wanted and this kernel cannot make one: packets are not handed over then. */
bool handover_lacks_tunnel(const struct handover *h);

/* Remove everything of ours, for an uninstall. */
int handover_remove(struct handover *h, struct err *err);
