/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prefixes never overlap but by lying inside each other. So a table of routes is a row of
 * stretches, each with the longest prefix that covers it, and the longest match is a binary search
 * for where the address lies. Sorted by address, then length, a prefix comes after those it lies
 * in: one walk with a stack of the open ones finds all stretches.
 *
 * Of routes to the same prefix the one of the lowest metric counts; two of the same metric are
 * something that only the kernel can choose between.
 */
#include "backends/fib_table.h"

#include <endian.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define DEPTH_MAX 129              /* prefixes inside each other: one for each length */

struct fib_key fib_key(uint8_t family, const union net_addr *addr) {
	if (family == AF_INET)
		return (struct fib_key){ (uint64_t)be32toh(addr->word[0]) << 32, 0 };
	return (struct fib_key){ be64toh(addr->half[0]), be64toh(addr->half[1]) };
}

static int key_order(struct fib_key a, struct fib_key b) {
	if (a.hi != b.hi)
		return a.hi < b.hi ? -1 : 1;
	return a.lo < b.lo ? -1 : a.lo > b.lo;
}

/* Ones behind a prefix. */
static struct fib_key rest_of(uint8_t prefix) {
	struct fib_key rest = { 0, UINT64_MAX };

	if (prefix < 64)
		rest.hi = UINT64_MAX >> prefix;
	else
		rest.lo = prefix < 128 ? UINT64_MAX >> (prefix - 64) : 0;
	return rest;
}

static struct fib_key last_of(const struct fib_node *node) {
	struct fib_key rest = rest_of(node->prefix);

	return (struct fib_key){ node->dst.hi | rest.hi, node->dst.lo | rest.lo };
}

/* The address behind; false after the very last one. */
static bool key_next(struct fib_key *key) {
	if (++key->lo == 0)
		return ++key->hi != 0;
	return true;
}

void fib_table_add(struct fib_table *t, const struct fib_node *node) {
	struct fib_key rest = rest_of(node->prefix);
	struct fib_node *to;

	if (t->n == t->size) {
		t->size = t->size ? t->size * 2 : 64;
		t->node = xreallocarray(t->node, t->size, sizeof(*t->node));
	}
	to = &t->node[t->n++];
	*to = *node;
	to->dst.hi &= ~rest.hi;
	to->dst.lo &= ~rest.lo;
}

static bool same_prefix(const struct fib_node *a, const struct fib_node *b) {
	return key_order(a->dst, b->dst) == 0 && a->prefix == b->prefix;
}

static int node_order(const void *a, const void *b) {
	const struct fib_node *x = a, *y = b;
	int order = key_order(x->dst, y->dst);

	if (order)
		return order;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	if (x->rank != y->rank)
		return x->rank < y->rank ? -1 : 1;
	return x->metric < y->metric ? -1 : x->metric > y->metric;
}

/* One node for each prefix. */
static void keep_best(struct fib_table *t) {
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++) {
		struct fib_node *best = n ? &t->node[n - 1] : NULL;

		if (!best || !same_prefix(best, &t->node[i]))
			t->node[n++] = t->node[i];
		else if (best->rank == t->node[i].rank && best->metric == t->node[i].metric)
			best->hop.kind = FIB_ASK;
	}
	t->n = n;
}

/* A stretch begins; one that would have no length is written over. */
static void add_start(struct fib_table *t, struct fib_key key, int32_t way) {
	if (t->n_starts == 0 || key_order(t->start[t->n_starts - 1], key) != 0)
		t->n_starts++;
	t->start[t->n_starts - 1] = key;
	t->way[t->n_starts - 1] = way;
}

struct open_nodes {
	int32_t node[DEPTH_MAX];
	int n;
};

/* Close the innermost prefix: behind it goes on the one that it lies in. */
static void close_node(struct fib_table *t, struct open_nodes *open) {
	struct fib_key key = last_of(&t->node[open->node[--open->n]]);

	if (key_next(&key))
		add_start(t, key, open->n ? open->node[open->n - 1] : -1);
}

void fib_table_seal(struct fib_table *t) {
	struct open_nodes open = { .n = 0 };

	if (t->n)
		qsort(t->node, t->n, sizeof(*t->node), node_order);
	keep_best(t);
	t->start = xcalloc(2 * t->n + 1, sizeof(*t->start));
	t->way = xcalloc(2 * t->n + 1, sizeof(*t->way));
	add_start(t, (struct fib_key){ 0, 0 }, -1);
	for (size_t i = 0; i < t->n; i++) {
		const struct fib_node *node = &t->node[i];

		while (open.n && key_order(last_of(&t->node[open.node[open.n - 1]]), node->dst) < 0)
			close_node(t, &open);
		open.node[open.n++] = (int32_t)i;
		add_start(t, node->dst, (int32_t)i);
	}
	while (open.n)
		close_node(t, &open);
}

const struct fib_hop *fib_table_find(const struct fib_table *t, struct fib_key key) {
	size_t lo = 0, hi = t->n_starts;

	if (t->n == 0)
		return NULL;
	while (hi - lo > 1) {
		size_t mid = lo + (hi - lo) / 2;

		if (key_order(t->start[mid], key) <= 0)
			lo = mid;
		else
			hi = mid;
	}
	return t->way[lo] < 0 ? NULL : &t->node[t->way[lo]].hop;
}

void fib_table_done(struct fib_table *t) {
	free(t->node);
	free(t->start);
	free(t->way);
	*t = (struct fib_table){ .n = 0 };
}
