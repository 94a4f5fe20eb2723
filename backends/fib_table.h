/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One routing table of fib.c for look-ups: what stretches of addresses lead where. */
#pragma once

#include <stddef.h>

#include "backends/fib.h"

/* An address of either family as a number: IPv4 in the highest 32 bits. */
struct fib_key {
	uint64_t hi, lo;
};

struct fib_node {
	struct fib_key dst;
	uint32_t metric, rank;       /* rank: of the table, where several are one */
	uint8_t prefix;
	struct fib_hop hop;
};

struct fib_table {
	struct fib_node *node;
	size_t n, size;
	/*
	 * Made by fib_table_seal: from start[i] to before start[i + 1], node way[i] (or none, -1).
	 */
	struct fib_key *start;
	int32_t *way;
	size_t n_starts;
};

/* The number of an address. */
struct fib_key fib_key(uint8_t family, const union net_addr *addr);

/* Add a route; dst is cut to its prefix. */
void fib_table_add(struct fib_table *t, const struct fib_node *node);

/* Order the routes and work out the stretches. */
void fib_table_seal(struct fib_table *t);

/* The longest prefix that holds an address, or NULL. */
const struct fib_hop *fib_table_find(const struct fib_table *t, struct fib_key key);

/* Release what t holds. */
void fib_table_done(struct fib_table *t);
