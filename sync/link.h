/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Links: datagrams to and from other members, over UDP port 708 and as Ethernet frames. They may be
 * lost, doubled or forged: whoever uses this expects it.
 *
 * Links have numbers: that of a peer's address (UDP), or LINK_L2 and the number of an interface.
 * Calls come out of the event loop only, never out of a function of this page; they may send, and
 * nothing else. Nothing here blocks.
 */
#pragma once

#include <net/if.h>

#include "cfgdb/base/err.h"
#include "sync/wire.h"

#define LINK_L2 16
#define LINK_DEVS_MAX 8
#define LINKS_MAX (LINK_L2 + LINK_DEVS_MAX)
#define LINK_DATAGRAM_MAX 9216   /* bytes, whatever the MTU */
#define LINK_MAC 6
#define LINK_ETHER_TYPE 0x88b5   /* local experimental 1 (IEEE 802) */
#define LINK_IP_OVERHEAD 28      /* what is left of an MTU for a datagram: so much less */
#define LINK_ETHER_OVERHEAD 2

struct event_base;
struct link_set;

struct link_calls {
	void *arg;                 /* the first argument of each */
	/* One came; it may be changed, and is there during the call. mac: its sender's, or NULL. */
	void (*datagram)(void *arg, unsigned int link, const uint8_t *mac, uint8_t *data,
			 size_t len);
	/* All that came together was handed over. */
	void (*batch)(void *arg);
	/* A link that was full has room. */
	void (*writable)(void *arg);
	/*
	 * What the system says of a link: whether something could be sent there, and the MTU of the
	 * way. Told for each after link_set_configure, then when it changes.
	 */
	void (*state)(void *arg, unsigned int link, bool up, unsigned int mtu);
};

/* Where to. */
struct link_config {
	struct wire_peers peers;
	unsigned int n_devs;
	char dev[LINK_DEVS_MAX][IFNAMSIZ];    /* names; they need not be there */
};

struct link_stats {
	uint64_t sent, received;
	uint64_t full;             /* not taken: too many waited already */
	uint64_t errors;           /* the kernel refused to send one, or told of a fault */
	uint64_t strangers;        /* came from no member's address, or were for another station */
	uint64_t malformed;        /* longer than any can be, or shorter than they say */
	uint64_t dropped;          /* lost by the kernel, because we were not fast enough */
};

/*
 * Take UDP port 708 of the network namespace; no peers yet. The caller frees it before the base.
 * NULL and *err when a socket cannot be had.
 */
struct link_set *link_set_new(struct event_base *base, const struct link_calls *calls,
			      struct err *err);

/* Close all; what waits is lost. NULL is fine. Returns NULL. */
struct link_set *link_set_free(struct link_set *set);

/* Use these links from now on (copied). */
void link_set_configure(struct link_set *set, const struct link_config *config);

/*
 * Send a datagram of 1 to LINK_DATAGRAM_MAX bytes (copied); with the others of this turn of the
 * loop. Ethernet: to mac, or NULL to all members. False: its socket is full (writable follows), or
 * there is no such link now.
 */
bool link_send(struct link_set *set, unsigned int link, const uint8_t *mac, const uint8_t *data,
	       size_t len);

/* What has happened since the begin on all links of layer 2 or 3. */
void link_set_stats(const struct link_set *set, unsigned int layer, struct link_stats *ret);
