/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The routing table is that of the kernel, main table, IPv4. Of several routes to one destination
 * those of the lowest distance are in use: they are selected. What the configuration has and the
 * kernel has not, because its link is down, is only in the database, as inactive.
 *
 * Each form prints the same list: routes by destination, in order of their metric.
 */
#include "backends/cmd_route.h"

#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "backends/route.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"

static const char codes[] =
	"Codes: K - kernel, C - connected, S - static, R - RIP, B - BGP\n"
	"       O - OSPF, IA - OSPF inter area\n"
	"       N1 - OSPF NSSA external type 1, N2 - OSPF NSSA external type 2\n"
	"       E1 - OSPF external type 1, E2 - OSPF external type 2\n"
	"       i - IS-IS, L1 - IS-IS level-1, L2 - IS-IS level-2, ia - IS-IS inter area\n";
static const char candidates[] = "       * - candidate default\n";
static const char marks[] = "       > - selected route, * - FIB route, p - stale info\n";
static const char heading[] = "\nRouting table for VRF=0\n";

struct listed {
	struct route_entry route;
	char device[16];         /* of one that waits */
	bool waits, selected;
};

struct list {
	struct listed *item;
	size_t n;
	struct links links;
};

/* ---- the list ---- */

static struct listed *list_add(struct list *l) {
	if ((l->n & (l->n - 1)) == 0)
		l->item = xreallocarray(l->item, l->n ? l->n * 2 : 1, sizeof(*l->item));
	l->item[l->n] = (struct listed){ .waits = false };
	return &l->item[l->n++];
}

static void keep(void *arg, const struct route_entry *route) {
	if (route->kind == ROUTE_UNICAST || route->kind == ROUTE_BLACKHOLE) {
		struct listed *item = list_add(arg);

		item->route = *route;
		item->waits = route->link_down;
	}
}

static void keep_waiting(void *arg, const struct route_entry *route, const char *device) {
	struct listed *item = list_add(arg);

	item->route = *route;
	strncpy(item->device, device, sizeof(item->device) - 1);
	item->waits = true;
}

static int order(const void *a, const void *b) {
	const struct route_entry *x = &((const struct listed *)a)->route;
	const struct route_entry *y = &((const struct listed *)b)->route;

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

static bool same_destination(const struct route_entry *a, const struct route_entry *b) {
	return a->dst == b->dst && a->prefix == b->prefix;
}

static void list_select(struct list *l) {
	const struct route_entry *best = NULL;

	for (size_t i = 0; i < l->n; i++) {
		const struct route_entry *e = &l->item[i].route;

		if (l->item[i].waits)
			continue;
		if (!best || !same_destination(best, e))
			best = e;
		l->item[i].selected = distance_of(e) == distance_of(best) &&
				      code_of(e) == code_of(best);
	}
}

static void list_done(struct list *l) {
	links_done(&l->links);
	free(l->item);
}

static int list_read(const struct model *model, struct list *l, struct err *err) {
	struct rtnl *rtnl = rtnl_open(err);
	int rc;

	*l = (struct list){ NULL };
	if (!rtnl)
		return ERR_KERNEL;
	rc = links_read(rtnl, &l->links);
	if (rc == 0)
		rc = route_each(rtnl, 0, keep, l);
	if (rc == 0)
		rc = route_each_waiting(rtnl, model, keep_waiting, l);
	rtnl_close(rtnl);
	if (rc)
		return err_set(err, ERR_KERNEL, "the kernel cannot be read: %s", strerror(rc));
	if (l->n)
		qsort(l->item, l->n, sizeof(*l->item), order);
	list_select(l);
	return 0;
}

static const char *device_of(const struct list *l, const struct listed *item,
			     const struct route_hop *hop) {
	const struct link *link = hop ? links_at(&l->links, hop->index) : NULL;

	return link ? link->name : item->device;
}

/* The i-th way; NULL where there is none, as into a black hole. */
static const struct route_hop *way_of(const struct route_entry *e, uint32_t i) {
	return i < e->n_hops ? &e->hop[i] : NULL;
}

/* ---- all, database ---- */

/* One line: how the destination is reached by one way. */
static void print_way(const struct list *l, const struct listed *item,
		      const struct route_hop *hop, struct str *out) {
	const struct route_entry *e = &item->route;
	char code = code_of(e);

	if (code != 'C')
		str_addf(out, "[%u/0] ", distance_of(e));
	if (e->kind == ROUTE_BLACKHOLE) {
		str_add(out, "is a summary, Null");
	} else if (hop && hop->gateway) {
		str_add(out, "via ");
		value_print_ipv4(hop->gateway, out);
		str_addf(out, ", %s", device_of(l, item, hop));
	} else {
		str_addf(out, "is directly connected, %s", device_of(l, item, hop));
	}
	if (item->waits)
		str_add(out, " inactive");
	if (code == 'S')
		str_addf(out, ", [%u/0]", e->metric & 0xffff);
	str_add_char(out, '\n');
}

/* All ways of one route; the destination stands before the first way to it. */
static void print_route(const struct list *l, const struct listed *item, const char *mark,
			bool first, struct str *out) {
	const struct route_entry *e = &item->route;
	AUTO_STR struct str head = STR_INIT;

	str_addf(&head, "%c%s ", code_of(e), mark);
	value_print_ipv4(e->dst, &head);
	str_addf(&head, "/%u ", e->prefix);
	for (uint32_t i = 0; i < (e->n_hops ? e->n_hops : 1); i++) {
		if (first && i == 0)
			str_add(out, str_text(&head));
		else
			str_add_blanks(out, head.len);
		print_way(l, item, way_of(e, i), out);
	}
}

static void print_all(const struct list *l, struct str *out) {
	const struct route_entry *last = NULL;

	str_addf(out, "%s%s%s", codes, candidates, heading);
	for (size_t i = 0; i < l->n; i++) {
		const struct route_entry *e = &l->item[i].route;

		if (!l->item[i].selected)
			continue;
		print_route(l, &l->item[i], e->prefix ? "      " : "*     ",
			    !last || !same_destination(last, e), out);
		last = e;
	}
}

static void print_database(const struct list *l, struct str *out) {
	str_addf(out, "%s%s%s", codes, marks, heading);
	for (size_t i = 0; i < l->n; i++)
		print_route(l, &l->item[i], l->item[i].selected ? "    *>" : "      ", true, out);
}

/* ---- details ---- */

static const char *source_of(const struct route_entry *e) {
	switch (code_of(e)) {
	case 'S':
		return "static";
	case 'C':
		return "connected";
	default:
		return "kernel";
	}
}

static void print_detail(const struct list *l, const struct listed *item, struct str *out) {
	const struct route_entry *e = &item->route;

	str_add(out, "Routing entry for ");
	value_print_ipv4(e->dst, out);
	str_addf(out, "/%u\n  Known via \"%s\", distance %u, metric 0, best\n", e->prefix,
		 source_of(e), distance_of(e));
	for (uint32_t i = 0; i < (e->n_hops ? e->n_hops : 1); i++) {
		const struct route_hop *hop = way_of(e, i);

		str_add(out, "  * vrf 0 ");
		if (e->kind == ROUTE_BLACKHOLE) {
			str_add(out, "directly connected, Null\n");
		} else if (hop && hop->gateway) {
			value_print_ipv4(hop->gateway, out);
			str_addf(out, ", via %s\n", device_of(l, item, hop));
		} else {
			str_addf(out, "directly connected, %s\n", device_of(l, item, hop));
		}
	}
}

static bool leads_to(const struct route_entry *e, uint32_t addr) {
	uint32_t mask = e->prefix ? UINT32_MAX << (32 - e->prefix) : 0;

	return ((e->dst ^ addr) & mask) == 0;
}

/* Only what is in use stays; with an address, only the closest that leads there. */
static void list_narrow(struct list *l, const uint32_t *addr) {
	int closest = -1;
	size_t n = 0;

	for (size_t i = 0; i < l->n && addr; i++)
		if (l->item[i].selected && leads_to(&l->item[i].route, *addr) &&
		    l->item[i].route.prefix > closest)
			closest = l->item[i].route.prefix;
	for (size_t i = 0; i < l->n; i++)
		if (l->item[i].selected &&
		    (!addr || (leads_to(&l->item[i].route, *addr) &&
			       l->item[i].route.prefix == closest)))
			l->item[n++] = l->item[i];
	l->n = n;
}

static void print_details(const struct list *l, struct str *out) {
	str_add(out, heading);
	for (size_t i = 0; i < l->n; i++) {
		if (i > 0)
			str_add_char(out, '\n');
		print_detail(l, &l->item[i], out);
	}
}

/* ---- JSON ---- */

static void put_ipv4(struct json *j, const char *name, uint32_t addr) {
	AUTO_STR struct str text = STR_INIT;

	value_print_ipv4(addr, &text);
	json_put_text(j, name, str_text(&text));
}

static void put_ways(const struct list *l, const struct listed *item, struct json *j) {
	const struct route_entry *e = &item->route;

	json_put_array(j, "ways");
	for (uint32_t i = 0; i < e->n_hops && e->kind != ROUTE_BLACKHOLE; i++) {
		json_put_object(j, NULL);
		if (e->hop[i].gateway)
			put_ipv4(j, "gateway", e->hop[i].gateway);
		else
			json_put_null(j, "gateway");
		json_put_text(j, "interface", device_of(l, item, &e->hop[i]));
		json_put_end(j);
	}
	json_put_end(j);
}

static void put_routes(const struct list *l, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_array(&j, NULL);
	for (size_t i = 0; i < l->n; i++) {
		const struct route_entry *e = &l->item[i].route;

		json_put_object(&j, NULL);
		put_ipv4(&j, "destination", e->dst);
		json_put_u64(&j, "prefix", e->prefix);
		json_put_text(&j, "source", source_of(e));
		json_put_u64(&j, "distance", distance_of(e));
		json_put_u64(&j, "priority", code_of(e) == 'S' ? e->metric & 0xffff : e->metric);
		json_put_bool(&j, "blackhole", e->kind == ROUTE_BLACKHOLE);
		json_put_bool(&j, "selected", l->item[i].selected);
		json_put_bool(&j, "active", !l->item[i].waits);
		put_ways(l, &l->item[i], &j);
		json_put_end(&j);
	}
	json_put_end(&j);
}

/* ---- the commands ---- */

int cmd_route_all(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct list l;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc)
		return rc;
	rc = list_read(call->model, &l, err);
	if (rc == 0 && call->json) {
		list_narrow(&l, NULL);
		put_routes(&l, out);
	} else if (rc == 0) {
		print_all(&l, out);
	}
	list_done(&l);
	return rc;
}

int cmd_route_database(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	struct list l;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc)
		return rc;
	rc = list_read(call->model, &l, err);
	if (rc == 0 && call->json)
		put_routes(&l, out);
	else if (rc == 0)
		print_database(&l, out);
	list_done(&l);
	return rc;
}

int cmd_route_details(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	uint32_t addr = 0;
	struct list l;
	int rc;

	(void)ctx;
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	if (call->argc && !value_parse_ipv4(call->argv[0], &addr))
		return command_bad_word(call->argv[0], err);
	rc = list_read(call->model, &l, err);
	list_narrow(&l, call->argc ? &addr : NULL);
	if (rc == 0 && call->argc && l.n == 0 && !call->json)
		rc = err_set(err, ERR_NOT_FOUND, "no route to %s", call->argv[0]);
	else if (rc == 0 && call->json)
		put_routes(&l, out);
	else if (rc == 0)
		print_details(&l, out);
	list_done(&l);
	return rc;
}
