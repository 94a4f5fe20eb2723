/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Neighbours that the kernel knows by ARP. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "backends/device.h"

struct neighbour {
	uint32_t addr;           /* IPv4, host byte order */
	int index;               /* of the device */
	uint16_t state;          /* NUD_... */
	struct device_addr hw;
	/* How long ago, in hundredths of a second, and how often it is being used. */
	uint32_t used, confirmed, updated, refs;
};

struct neighbours {
	struct neighbour *neighbour;
	size_t n;
};

/*
 * Read the IPv4 neighbours whose address on the link is known, by device and address; those that
 * need none (loopback, broadcast) are left out. Release with neighbours_done. 0 or the number of a
 * system error.
 */
int neighbours_read(struct rtnl *rtnl, struct neighbours *ret);

/* Release what neighbours_read made. */
void neighbours_done(struct neighbours *ns);

/* Forget what was learnt of all IPv4 neighbours; entries that were set by hand stay. */
int neighbours_forget(struct rtnl *rtnl, struct err *err);
