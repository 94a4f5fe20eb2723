/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where the other members are: what channels and links have in common. */
#pragma once

#include <netinet/in.h>

#include "cfgdb/base/net.h"

#define WIRE_PORT 708          /* TCP: channels; UDP: datagrams */
#define WIRE_PEERS_MAX 15

/* An address of a member, IPv4. Its place in the list is the number that all the others name. */
struct wire_peer {
	union net_addr ip;
	union net_addr source;     /* of the unit, when it speaks to that one; zero: the route's */
};

/* Addresses of the other members; of several with the same ip the first counts. */
struct wire_peers {
	unsigned int n;
	struct wire_peer peer[WIRE_PEERS_MAX];
};

/* Number of the peer with this address, or -1. */
int wire_find(const struct wire_peers *peers, const union net_addr *ip);

/* The same for an address as the kernel tells it; -1 also when it is of another family. */
int wire_find_sockaddr(const struct wire_peers *peers, const struct sockaddr_in *from);

/* An address as the kernel wants it; port in host byte order. */
struct sockaddr_in wire_sockaddr(const union net_addr *ip, uint16_t port);

/* Bind a socket to a source address, any port; nothing when it is zero. False: errno says why. */
bool wire_bind(int fd, const union net_addr *source);
