/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Static routes as a backend, and the routing table as the kernel has it. */
#pragma once

#include "backends/rtnl.h"
#include "cfgdb/backend.h"

struct route;

/* Open; NULL and *err when that fails. */
struct route *route_new(struct err *err);

/* Close; routes stay. NULL is fine. Returns NULL. */
struct route *route_free(struct route *r);

/* The backend to add to the engine; it lives as long as r. */
struct backend route_backend(struct route *r);

/*
 * Compare our routes with the configuration and install or remove what differs, as after an event
 * of the monitor. A route whose link is down or absent, or whose gateway cannot be reached, waits.
 */
int route_reconcile(struct route *r, struct err *err);

/* Remove all routes of ours, for an uninstall. */
int route_remove(struct route *r, struct err *err);

#define ROUTE_HOPS_MAX 64

/* One way of a route. */
struct route_hop {
	uint32_t gateway;        /* 0: the destination is on the link */
	int index;               /* of the link */
};

enum route_kind { ROUTE_UNICAST, ROUTE_BLACKHOLE, ROUTE_LOCAL, ROUTE_OTHER };

/* A route of the main table as the kernel has it. Addresses in host byte order. */
struct route_entry {
	uint32_t dst;
	uint8_t prefix, protocol;
	enum route_kind kind;
	bool link_scope;         /* to a network that a link is part of */
	bool link_down;          /* its link has no carrier: it leads nowhere now */
	uint32_t metric;
	struct route_hop hop[ROUTE_HOPS_MAX];
	uint32_t n_hops;
};

/*
 * Visit the IPv4 routes of the main table, of one protocol (0: all). 0 or the number of a system
 * error.
 */
int route_each(struct rtnl *rtnl, uint8_t protocol,
	       void (*each)(void *arg, const struct route_entry *route), void *arg);

/*
 * Visit the routes of the configuration that are not in the kernel because their link is down or
 * absent, or their gateway is on none; each has one way, by that device ("": not known). 0 or the
 * number of a system error.
 */
int route_each_waiting(struct rtnl *rtnl, const struct model *model,
		       void (*each)(void *arg, const struct route_entry *route,
				    const char *device),
		       void *arg);

/* Distance and priority of a static route are kept in its metric. */
static inline uint32_t route_metric(unsigned int distance, unsigned int priority) {
	return (uint32_t)distance << 16 | priority;
}

/* The way of a packet as the kernel finds it. */
struct route_way {
	bool local;              /* it leads to the unit itself */
	int index;               /* link; 0: there is none */
	uint32_t gateway;        /* 0: the destination is on the link */
};

/*
 * Ask for the way of a packet that came in by a link (0: that the unit sends). 0 or the number of a
 * system error: that of a packet which should have come in by another one differs by kernel.
 */
int route_way(struct rtnl *rtnl, uint32_t src, uint32_t dst, int in_index, struct route_way *ret);

/* The link a packet leaves by, 0 when there is no way; -1 when it is for the unit itself. */
int route_lookup(struct rtnl *rtnl, uint32_t src, uint32_t dst, int in_index);
