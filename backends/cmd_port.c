/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports: the interfaces of type physical in the configuration, whether or not their devices are
 * there, and the cards that the machine has. Templates read these lines and know no others, so a
 * line whose value the driver does not say is left out (or n/a, where templates know that), and
 * JSON says null.
 *
 * Addresses are those the kernel has, whoever set them.
 */
#include "backends/cmd_port.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "backends/device.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"
#include "schemas/schema_gen.h"

static int read_failed(int rc, struct err *err) {
	return err_set(err, ERR_KERNEL, "the kernel cannot be read: %s", strerror(rc));
}

/* ---- get system interface physical [NAME] ---- */

struct port {
	const char *name, *mode;
	bool up;
	struct device_driver driver;
	uint32_t addr, mask;           /* 0: none */
	char ipv6[INET6_ADDRSTRLEN + 4];
};

/* What the kernel has, read once for all ports. */
struct ports {
	struct devices devices;
	struct links links;
	struct rtnl *rtnl;
};

static int ports_open(struct ports *p, struct err *err) {
	int rc;

	*p = (struct ports){ .rtnl = rtnl_open(err) };
	if (!p->rtnl)
		return ERR_KERNEL;
	rc = devices_read(p->rtnl, &p->devices);
	if (rc == 0)
		rc = links_read(p->rtnl, &p->links);
	return rc ? read_failed(rc, err) : 0;
}

static void ports_close(struct ports *p) {
	links_done(&p->links);
	devices_done(&p->devices);
	rtnl_close(p->rtnl);
}

struct ipv6_search {
	int index;
	char *text;                    /* the first address that is not of the link alone */
	size_t size;
};

static int find_ipv6(const struct nlmsghdr *nlh, void *arg) {
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	const struct ipv6_search *s = arg;
	const struct nlattr *attr;
	size_t len;

	if (ifa->ifa_family != AF_INET6 || (int)ifa->ifa_index != s->index ||
	    ifa->ifa_scope != RT_SCOPE_UNIVERSE || *s->text)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		if (mnl_attr_get_type(attr) != IFA_ADDRESS ||
		    mnl_attr_get_payload_len(attr) != sizeof(struct in6_addr))
			continue;
		inet_ntop(AF_INET6, mnl_attr_get_payload(attr), s->text, (socklen_t)s->size);
		len = strlen(s->text);
		snprintf(s->text + len, s->size - len, "/%u", ifa->ifa_prefixlen);
	}
	return MNL_CB_OK;
}

static void port_find_addrs(const struct ports *ps, int index, struct port *p) {
	struct ipv6_search search = { index, p->ipv6, sizeof(p->ipv6) };

	for (size_t i = 0; i < ps->links.n_addrs && p->addr == 0; i++) {
		const struct link_addr *a = &ps->links.addr[i];

		if (a->index != index)
			continue;
		p->addr = a->addr;
		p->mask = a->prefix ? UINT32_MAX << (32 - a->prefix) : 0;
	}
	rtnl_dump(ps->rtnl, RTM_GETADDR, AF_INET6, find_ipv6, &search);
}

static void port_read(const struct ports *ps, const struct object *obj, struct port *p) {
	const struct device *d = devices_find(&ps->devices, obj->key);

	*p = (struct port){ .name = obj->key,
			    .mode = object_is(obj, SYSTEM_INTERFACE__MODE, "dhcp")    ? "dhcp"
				    : object_is(obj, SYSTEM_INTERFACE__MODE, "pppoe") ? "pppoe"
										      : "static" };
	if (!d)
		return;
	p->up = device_is_running(d);
	if (p->up)
		device_ask_driver(d->name, &p->driver);
	port_find_addrs(ps, d->index, p);
}

static void port_print(const struct port *p, struct str *out) {
	str_addf(out, "\t==[%s]\n\t\tmode: %s\n\t\tip: ", p->name, p->mode);
	value_print_ipv4(p->addr, out);
	str_add_char(out, ' ');
	value_print_ipv4(p->mask, out);
	str_addf(out, "\n\t\tipv6: %s\n\t\tstatus: %s\n\t\tspeed: ", *p->ipv6 ? p->ipv6 : "::/0",
		 p->up ? "up" : "down");
	if (p->driver.speed_mbps)
		str_addf(out, "%" PRIu32 "Mbps", p->driver.speed_mbps);
	else
		str_add(out, "n/a");
	str_addf(out, " (Duplex: %s)\n",
		 !p->driver.knows_duplex   ? "n/a"
		 : p->driver.full_duplex ? "full"
					 : "half");
}

static void put_ipv4(struct json *j, const char *name, uint32_t addr) {
	AUTO_STR struct str text = STR_INIT;

	value_print_ipv4(addr, &text);
	json_put_text(j, name, str_text(&text));
}

static void put_driver(struct json *j, const struct device_driver *driver) {
	if (driver->speed_mbps)
		json_put_u64(j, "speed_mbps", driver->speed_mbps);
	else
		json_put_null(j, "speed_mbps");
	if (driver->knows_duplex)
		json_put_text(j, "duplex", driver->full_duplex ? "full" : "half");
	else
		json_put_null(j, "duplex");
}

static void port_put(const struct port *p, struct json *j) {
	json_put_object(j, NULL);
	json_put_text(j, "name", p->name);
	json_put_text(j, "mode", p->mode);
	put_ipv4(j, "ip", p->addr);
	put_ipv4(j, "netmask", p->mask);
	json_put_text(j, "ipv6", *p->ipv6 ? p->ipv6 : "::/0");
	json_put_text(j, "status", p->up ? "up" : "down");
	put_driver(j, &p->driver);
	json_put_end(j);
}

static void list_ports(const struct ports *ps, const struct command_call *call, struct str *out) {
	const struct object *obj =
		model_first(call->model, schema_table(TBL_SYSTEM_INTERFACE));
	struct json j = json_put_begin(out);

	if (call->json)
		json_put_array(&j, NULL);
	else
		str_add(out, "== [onboard]\n");
	for (; obj; obj = model_next(call->model, obj)) {
		struct port p;

		if (!object_is(obj, SYSTEM_INTERFACE__TYPE, "physical") ||
		    (call->argc && strcmp(obj->key, call->argv[0]) != 0))
			continue;
		port_read(ps, obj, &p);
		if (call->json)
			port_put(&p, &j);
		else
			port_print(&p, out);
	}
	if (call->json)
		json_put_end(&j);
}

static int run_physical(void *ctx, const struct command_call *call, struct str *out,
			struct err *err) {
	const struct object *obj;
	struct ports ps;
	int rc;

	(void)ctx;
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	obj = call->argc ? model_find(call->model, schema_table(TBL_SYSTEM_INTERFACE),
				      call->argv[0])
			 : NULL;
	if (call->argc && (!obj || !object_is(obj, SYSTEM_INTERFACE__TYPE, "physical")))
		return err_set(err, ERR_NOT_FOUND, "no such physical interface: %.32s",
			       call->argv[0]);
	rc = ports_open(&ps, err);
	if (rc == 0)
		list_ports(&ps, call, out);
	ports_close(&ps);
	return rc;
}

/* ---- get hardware nic [NAME], diagnose hardware deviceinfo nic [NAME] ---- */

static void nic_print(const struct device *d, const struct device_driver *driver,
		      struct str *out) {
	str_addf(out, "Driver Name     :%s\n", *driver->name ? driver->name : "unknown");
	str_add(out, "Current_HWaddr   ");
	device_print_addr(&d->addr, out);
	if (d->permanent.len) {
		str_add(out, "\nPermanent_HWaddr ");
		device_print_addr(&d->permanent, out);
	}
	str_add(out, "\n========== Link Status ==========\n");
	str_addf(out, "Admin           :%s\n", d->flags & IFF_UP ? "up" : "down");
	if (driver->knows_autoneg)
		str_addf(out, "autonego_setting:%d\n", driver->autoneg);
	if (driver->speed_mbps)
		str_addf(out, "Speed           :%" PRIu32 "\n", driver->speed_mbps);
	if (driver->knows_duplex)
		str_addf(out, "Duplex          :%s\n", driver->full_duplex ? "Full" : "Half");
	str_addf(out, "link_status     :%s\n", device_is_running(d) ? "Up" : "Down");
	str_addf(out,
		 "============ Counters ===========\n"
		 "Rx Pkts         :%llu\nRx Bytes        :%llu\n"
		 "Tx Pkts         :%llu\nTx Bytes        :%llu\nHost Tx dropped :%llu\n",
		 d->stats.rx_packets, d->stats.rx_bytes, d->stats.tx_packets, d->stats.tx_bytes,
		 d->stats.tx_dropped);
}

static void nic_put(const struct device *d, const struct device_driver *driver, struct json *j) {
	AUTO_STR struct str current = STR_INIT, permanent = STR_INIT;

	device_print_addr(&d->addr, &current);
	device_print_addr(&d->permanent, &permanent);
	json_put_object(j, NULL);
	json_put_text(j, "name", d->name);
	json_put_text(j, "driver", driver->name);
	json_put_text(j, "bus", driver->bus);
	json_put_text(j, "hardware_address", str_text(&current));
	if (permanent.len)
		json_put_text(j, "permanent_address", str_text(&permanent));
	else
		json_put_null(j, "permanent_address");
	json_put_text(j, "admin", d->flags & IFF_UP ? "up" : "down");
	json_put_text(j, "link", device_is_running(d) ? "up" : "down");
	put_driver(j, driver);
	if (driver->knows_autoneg)
		json_put_bool(j, "autonegotiation", driver->autoneg);
	else
		json_put_null(j, "autonegotiation");
	json_put_u64(j, "rx_packets", d->stats.rx_packets);
	json_put_u64(j, "rx_bytes", d->stats.rx_bytes);
	json_put_u64(j, "rx_errors", d->stats.rx_errors);
	json_put_u64(j, "rx_dropped", d->stats.rx_dropped);
	json_put_u64(j, "tx_packets", d->stats.tx_packets);
	json_put_u64(j, "tx_bytes", d->stats.tx_bytes);
	json_put_u64(j, "tx_errors", d->stats.tx_errors);
	json_put_u64(j, "tx_dropped", d->stats.tx_dropped);
	json_put_u64(j, "collisions", d->stats.collisions);
	json_put_end(j);
}

static void list_nics(const struct devices *devices, bool json, struct str *out) {
	struct json j = json_put_begin(out);

	if (json)
		json_put_array(&j, NULL);
	else
		str_add(out, "The following NICs are available:\n");
	for (size_t i = 0; i < devices->n; i++) {
		const struct device *d = &devices->device[i];

		if (!device_is_wire(d))
			continue;
		if (json)
			json_put_text(&j, NULL, d->name);
		else
			str_addf(out, "\t%s\n", d->name);
	}
	if (json)
		json_put_end(&j);
}

static int show_nic(const struct devices *devices, const struct command_call *call,
		    struct str *out, struct err *err) {
	const struct device *d = devices_find(devices, call->argv[0]);
	struct json j = json_put_begin(out);
	struct device_driver driver;

	if (!d)
		return err_set(err, ERR_NOT_FOUND, "no such interface: %.32s", call->argv[0]);
	device_ask_driver(d->name, &driver);
	if (call->json)
		nic_put(d, &driver, &j);
	else
		nic_print(d, &driver, out);
	return 0;
}

static int run_nic(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct devices devices = { NULL, 0 };
	struct rtnl *rtnl;
	int rc;

	(void)ctx;
	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	rtnl = rtnl_open(err);
	if (!rtnl)
		return ERR_KERNEL;
	rc = devices_read(rtnl, &devices);
	rtnl_close(rtnl);
	if (rc)
		return read_failed(rc, err);
	if (call->argc)
		rc = show_nic(&devices, call, out, err);
	else
		list_nics(&devices, call->json, out);
	devices_done(&devices);
	return rc;
}

const struct command *commands_port(size_t *n) {
	static const struct command table[] = {
		{ .words = "get system interface physical", .reads = "netgrp.cfg",
		  .run = run_physical,
		  .has_json = true },
		{ .words = "get hardware nic", .reads = "netgrp.cfg",
		  .run = run_nic, .has_json = true },
		{ .words = "diagnose hardware deviceinfo nic", .reads = "netgrp.cfg",
		  .run = run_nic, .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
