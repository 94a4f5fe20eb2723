/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where packets go, from a copy of the kernel's routes: for printing a million sessions without a
 * system call for each. What a copy cannot answer (rules that choose by more than the destination,
 * several equal ways) is asked of the kernel, and the answers are kept in a table of fixed size.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/net.h"

#define FIB_ROUTES_MAX (1u << 17)  /* with more, the kernel is asked for each destination */
#define FIB_TABLES_MAX 16
#define FIB_LOOPBACK 1             /* index of the loopback link in every namespace */

enum fib_kind {
	FIB_NONE,        /* no route */
	FIB_UNICAST,
	FIB_LOCAL,       /* an address of the unit */
	FIB_BROADCAST,   /* for the unit when it comes in; also multicast and anycast */
	FIB_REJECT,      /* blackhole, unreachable, prohibit */
	FIB_THROW,       /* as if the table had no route */
	FIB_ASK,         /* only the kernel can tell */
};

struct fib_hop {
	enum fib_kind kind;
	int index;                   /* link; 0: none */
	uint8_t gateway_family;      /* 0: the destination is on the link */
	union net_addr gateway;
};

/* A route as it is added. */
struct fib_route {
	uint8_t family, prefix;
	uint32_t table, metric;
	union net_addr dst;          /* bits behind the prefix are ignored */
	struct fib_hop hop;
};

struct fib;

/*
 * An empty copy, with the tables that Linux asks by default: local, main, default. The caller frees
 * it.
 */
struct fib *fib_new(void);

/* Free; NULL is fine. Returns NULL. */
struct fib *fib_free(struct fib *f);

/*
 * Set the tables of a family in the order in which they are asked (n <= FIB_TABLES_MAX), as policy
 * rules have it. Before routes are added.
 */
void fib_set_tables(struct fib *f, uint8_t family, const uint32_t *tables, unsigned int n);

/* Ask the kernel for every destination of a family. */
void fib_set_ask(struct fib *f, uint8_t family);

/* Add a route; one of a table that is not asked is forgotten. */
void fib_add(struct fib *f, const struct fib_route *route);

/* Make it ready for look-ups, after the last route. */
void fib_seal(struct fib *f);

/*
 * Read rules and routes of the current network namespace; NULL and *err when that fails. Costs
 * about 2 us per route: keep it as long as routes do not change. It owns a socket to ask the kernel
 * by.
 */
struct fib *fib_read(struct err *err);

/*
 * The same, but read when a way is first looked up, and again when something has changed since: see
 * fib_look. It is shared by all who need ways. While rules and routes cannot be read, the kernel is
 * asked for each.
 */
struct fib *fib_open(struct err *err);

/*
 * The next look-up in a copy of fib_open is to be by what the kernel says from now on; without, it
 * is by what it said before. Costs next to nothing.
 */
void fib_look(struct fib *f);

/* How often a copy of fib_open was read, for tests and figures. */
uint64_t fib_reads(const struct fib *f);

/*
 * The way of a packet; FIB_ASK when a copy made without fib_read cannot tell. src may be NULL and
 * in 0 (not known); both only matter where the kernel is asked. A LOCAL way leads to the
 * loopback link.
 */
struct fib_hop fib_lookup(struct fib *f, uint8_t family, const union net_addr *dst,
			  const union net_addr *src, int in);

/* Both directions of a session; [0] is its original source, [1] where its packets go. */
struct fib_path {
	struct fib_hop to[2];        /* the way to each end */
	bool local[2];               /* this end is the unit */
};

/*
 * The ways between the ends of a session: `client` as it came, `server` where its packets go after
 * translation.
 */
void fib_path(struct fib *f, uint8_t family, const union net_addr *client,
	      const union net_addr *server, struct fib_path *ret);

/* How often the kernel was asked, for tests and figures. */
uint64_t fib_asked(const struct fib *f);
