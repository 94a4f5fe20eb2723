/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of commands, and those about interfaces and routes. All read the kernel when they are
 * asked; none changes anything.
 */
#include "backends/commands_kernel.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cmd_iprope.h"
#include "backends/route.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/value.h"

static uint32_t mask_of(uint8_t prefix) {
	return prefix ? UINT32_MAX << (32 - prefix) : 0;
}

static int read_failed(int rc, struct err *err) {
	return err_set(err, ERR_KERNEL, "the kernel cannot be read: %s", strerror(rc));
}

/* ---- diagnose ip address list ---- */

static void print_addr(const struct links *links, const struct link_addr *a, struct str *out) {
	const struct link *l = links_at(links, a->index);

	str_add(out, "IP=");
	value_print_ipv4(a->addr, out);
	str_add(out, "->");
	value_print_ipv4(a->peer, out);
	str_add_char(out, '/');
	value_print_ipv4(mask_of(a->prefix), out);
	str_addf(out, " index=%d devname=%s\n", a->index, l ? l->name : "");
}

static int addr_order(const void *a, const void *b) {
	const struct link_addr *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static int run_address_list(void *ctx, const struct command_call *call, struct str *out,
			    struct err *err) {
	struct rtnl *rtnl = NULL;
	struct links links;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc)
		return rc;
	rtnl = rtnl_open(err);
	if (!rtnl)
		return ERR_KERNEL;
	rc = links_read(rtnl, &links);
	rtnl_close(rtnl);
	if (rc)
		return read_failed(rc, err);
	if (links.n_addrs)
		qsort(links.addr, links.n_addrs, sizeof(*links.addr), addr_order);
	for (size_t i = 0; i < links.n_addrs; i++)
		print_addr(&links, &links.addr[i], out);
	links_done(&links);
	return 0;
}

/* ---- get router info routing-table all ---- */

static const char codes[] =
	"Codes: K - kernel, C - connected, S - static, R - RIP, B - BGP\n"
	"       O - OSPF, IA - OSPF inter area\n"
	"       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2\n"
	"       E1 - OSPF external type 1, E2 - OSPF external type 2\n"
	"       i - IS-IS, L1 - IS-IS level-1, L2 - IS-IS level-2, ia - IS-IS inter area\n"
	"       * - candidate default\n"
	"\n"
	"Routing table for VRF=0\n";

struct table {
	struct route_entry *route;
	size_t n;
};

static void keep(void *arg, const struct route_entry *route) {
	struct table *t = arg;

	if ((route->kind != ROUTE_UNICAST && route->kind != ROUTE_BLACKHOLE) || route->link_down)
		return;
	if ((t->n & (t->n - 1)) == 0)
		t->route = xreallocarray(t->route, t->n ? t->n * 2 : 1, sizeof(*t->route));
	t->route[t->n++] = *route;
}

static int route_order(const void *a, const void *b) {
	const struct route_entry *x = a, *y = b;

	if (x->dst != y->dst)
		return x->dst < y->dst ? -1 : 1;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return x->metric < y->metric ? -1 : x->metric > y->metric;
}

static char code_of(const struct route_entry *e) {
	if (e->protocol == RTNL_PROTOCOL)
		return 'S';
	return e->protocol == RTPROT_KERNEL && e->link_scope ? 'C' : 'K';
}

static unsigned int distance_of(const struct route_entry *e) {
	return e->protocol == RTNL_PROTOCOL ? e->metric >> 16 : 0;
}

/* One line: how the destination is reached by one way. */
static void print_way(const struct links *links, const struct route_entry *e,
		      const struct route_hop *hop, struct str *out) {
	const struct link *l = hop ? links_at(links, hop->index) : NULL;
	char code = code_of(e);

	if (code != 'C')
		str_addf(out, "[%u/0] ", distance_of(e));
	if (e->kind == ROUTE_BLACKHOLE) {
		str_add(out, "is a summary, Null");
	} else if (hop && hop->gateway) {
		str_add(out, "via ");
		value_print_ipv4(hop->gateway, out);
		str_addf(out, ", %s", l ? l->name : "");
	} else {
		str_addf(out, "is directly connected, %s", l ? l->name : "");
	}
	if (code == 'S')
		str_addf(out, ", [%u/0]", e->metric & 0xffff);
	str_add_char(out, '\n');
}

static bool same_destination(const struct route_entry *a, const struct route_entry *b) {
	return a->dst == b->dst && a->prefix == b->prefix;
}

/* All ways of one route; the destination stands before the first way to it. */
static void print_route(const struct links *links, const struct route_entry *e, bool first,
			struct str *out) {
	struct str head AUTO_STR = STR_INIT;

	str_addf(&head, "%c%c      ", code_of(e), e->prefix == 0 ? '*' : ' ');
	value_print_ipv4(e->dst, &head);
	str_addf(&head, "/%u ", e->prefix);
	for (uint32_t i = 0; i < (e->n_hops ? e->n_hops : 1); i++) {
		if (first && i == 0)
			str_add(out, str_text(&head));
		else
			str_add_blanks(out, head.len);
		print_way(links, e, e->n_hops ? &e->hop[i] : NULL, out);
	}
}

/* Of several routes to one destination, those of the lowest distance are in use. */
static void print_table(const struct links *links, const struct table *t, struct str *out) {
	const struct route_entry *best = NULL;

	for (size_t i = 0; i < t->n; i++) {
		const struct route_entry *e = &t->route[i];
		bool first = !best || !same_destination(best, e);

		if (first)
			best = e;
		if (first || (distance_of(e) == distance_of(best) && code_of(e) == code_of(best)))
			print_route(links, e, first, out);
	}
}

static int run_routing_table(void *ctx, const struct command_call *call, struct str *out,
			     struct err *err) {
	struct links links = { .n = 0 };
	struct table t = { .n = 0 };
	struct rtnl *rtnl = NULL;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc)
		return rc;
	rtnl = rtnl_open(err);
	if (!rtnl)
		return ERR_KERNEL;
	rc = links_read(rtnl, &links);
	if (rc == 0)
		rc = route_each(rtnl, 0, keep, &t);
	rtnl_close(rtnl);
	if (rc == 0) {
		if (t.n)
			qsort(t.route, t.n, sizeof(*t.route), route_order);
		str_add(out, codes);
		print_table(&links, &t, out);
	}
	links_done(&links);
	free(t.route);
	return rc ? read_failed(rc, err) : 0;
}

/* ---- the table ---- */

static const struct command commands[] = {
	{ .words = "diagnose ip address list", .run = run_address_list },
	{ .words = "get router info routing-table all", .run = run_routing_table },
	{ .words = "diagnose firewall iprope lookup", .run = cmd_iprope_lookup },
	{ .words = "diagnose firewall iprope show", .run = cmd_iprope_show },
};

const struct command *commands_kernel(size_t *n) {
	*n = ARRAY_LEN(commands);
	return commands;
}
