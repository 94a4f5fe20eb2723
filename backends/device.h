/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network devices with all that the kernel tells about them, for those who look at them: flags,
 * addresses, counters, and what their driver says. (backends/rtnl.h has the little that the unit
 * works with.)
 */
#pragma once

#include <linux/if_link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/rtnl.h"
#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"

#define DEVICE_ADDR_MAX 32

/* An address of the link layer. */
struct device_addr {
	uint8_t byte[DEVICE_ADDR_MAX], len;
};

struct device {
	char name[16];
	char kind[16];           /* of a device that is made, such as vlan; "" is a real one */
	char qdisc[16];
	int index, link, master; /* 0: none */
	uint16_t type;           /* ARPHRD_... */
	unsigned int flags;      /* IFF_... */
	bool ours;               /* made by us: its group has our protocol number */
	uint32_t mtu, queue;     /* queue: packets that may wait to be sent */
	struct device_addr addr, broadcast, permanent;
	struct rtnl_link_stats64 stats;
};

struct devices {
	struct device *device;
	size_t n;
};

/* Read all devices, by index; release with devices_done. 0 or the number of a system error. */
int devices_read(struct rtnl *rtnl, struct devices *ret);

/* Release what devices_read made. */
void devices_done(struct devices *devices);

/* Device with this name or index, or NULL. */
const struct device *devices_find(const struct devices *devices, const char *name);
const struct device *devices_at(const struct devices *devices, int index);

/* Whether packets leave the unit by it, and not by another device below it. */
bool device_is_wire(const struct device *d);

/* Whether it is switched on and has a carrier. */
bool device_is_running(const struct device *d);

/* Append an address as pairs of hexadecimal digits with colons. */
void device_print_addr(const struct device_addr *addr, struct str *out);

/* What a driver says of its device. */
struct device_driver {
	char name[32], bus[32];  /* "": it does not say */
	uint32_t speed_mbps;     /* 0: not known */
	bool knows_duplex, full_duplex;
	bool knows_autoneg, autoneg;
};

/* Ask the driver of a device in the current network namespace; what it does not say stays empty. */
void device_ask_driver(const char *name, struct device_driver *ret);
