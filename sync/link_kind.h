/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two kinds of links below link.h: UDP, one socket for all peers, and an Ethernet interface. */
#pragma once

#include "sync/link_socket.h"

struct link_udp {
	struct link_socket socket;           /* the first member: take() is given it */
	struct wire_peers peers;
};

/* Take UDP port 708, with the socket's in, stats and calls set; no peers yet. ERR_KERNEL. */
int link_udp_open(struct link_udp *u, struct event_base *base, struct err *err);

/* Whether there is a way to a peer, and its MTU. */
bool link_udp_state(const struct link_udp *u, unsigned int peer, unsigned int *mtu);

/* As link_send. */
bool link_udp_send(struct link_udp *u, unsigned int peer, const uint8_t *data, size_t len);

struct link_ethernet {
	struct link_socket socket;           /* the first member: take() is given it */
	unsigned int link;                   /* its number */
	char name[IFNAMSIZ];
	int index;                           /* of the interface with this name; 0: none */
};

/*
 * Compare with the interface that has the name now, and open or close the socket; its in, stats and
 * calls are set. any: a socket for ioctl(2). Whether it is up, and its MTU.
 */
bool link_ethernet_look(struct link_ethernet *e, struct event_base *base, int any,
			unsigned int *mtu);

/* As link_send. */
bool link_ethernet_send(struct link_ethernet *e, const uint8_t *mac, const uint8_t *data,
			size_t len);
