/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table of commands, and the one about addresses. All read the kernel when they are asked; none
 * changes anything.
 */
#include "backends/commands_kernel.h"

#include <stdlib.h>
#include <string.h>

#include "backends/cmd_iprope.h"
#include "backends/cmd_route.h"
#include "backends/rtnl.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"

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

static void put_ipv4(struct json *j, const char *name, uint32_t addr) {
	AUTO_STR struct str text = STR_INIT;

	value_print_ipv4(addr, &text);
	json_put_text(j, name, str_text(&text));
}

static void put_addr(const struct links *links, const struct link_addr *a, struct json *j) {
	const struct link *l = links_at(links, a->index);

	json_put_object(j, NULL);
	put_ipv4(j, "address", a->addr);
	put_ipv4(j, "peer", a->peer);
	put_ipv4(j, "netmask", mask_of(a->prefix));
	json_put_i64(j, "index", a->index);
	json_put_text(j, "interface", l ? l->name : "");
	json_put_end(j);
}

static int addr_order(const void *a, const void *b) {
	const struct link_addr *x = a, *y = b;

	return x->index < y->index ? -1 : x->index > y->index;
}

static int run_address_list(void *ctx, const struct command_call *call, struct str *out,
			    struct err *err) {
	struct json j = json_put_begin(out);
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
	if (call->json)
		json_put_array(&j, NULL);
	for (size_t i = 0; i < links.n_addrs; i++)
		if (call->json)
			put_addr(&links, &links.addr[i], &j);
		else
			print_addr(&links, &links.addr[i], out);
	if (call->json)
		json_put_end(&j);
	links_done(&links);
	return 0;
}

/* ---- the table ---- */

static const struct command commands[] = {
	{ .words = "diagnose ip address list", .reads = "netgrp.cfg",
	  .run = run_address_list, .has_json = true },
	{ .words = "get router info routing-table all", .reads = "netgrp.route-cfg",
	  .run = cmd_route_all, .has_json = true },
	{ .words = "get router info routing-table database", .reads = "netgrp.route-cfg",
	  .run = cmd_route_database,
	  .has_json = true },
	{ .words = "get router info routing-table details", .reads = "netgrp.route-cfg",
	  .run = cmd_route_details,
	  .has_json = true },
	{ .words = "diagnose firewall iprope lookup", .reads = "fwgrp.policy",
	  .run = cmd_iprope_lookup, .has_json = true },
	{ .words = "diagnose firewall iprope show", .reads = "fwgrp.policy",
	  .run = cmd_iprope_show, .has_json = true },
};

const struct command *commands_kernel(size_t *n) {
	*n = ARRAY_LEN(commands);
	return commands;
}
