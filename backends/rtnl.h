/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtnetlink: requests and their answers, dumps, and events. Nothing here waits: ENODATA stands for
 * an answer that the kernel did not give, EINTR for a dump of what changed meanwhile.
 */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"

#define RTNL_MESSAGE_MAX 8192    /* bytes in a request */
#define RTNL_PROTOCOL 71         /* rtm_protocol and IFA_PROTO of what is ours */
#define RTNL_PROTOCOL_ARP 72     /* the same, of what makes the unit answer for others' addresses */
#define RTNL_PROTOCOL_HANDOVER 73 /* the same, of what leads packets to other members */

struct rtnl;

/* Open a socket to the current network namespace; NULL and *err when that fails. */
struct rtnl *rtnl_open(struct err *err);

/* The same for questions about sockets (sock_diag). */
struct rtnl *rtnl_open_diag(struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct rtnl *rtnl_close(struct rtnl *rtnl);

/*
 * Begin a message in data (RTNL_MESSAGE_MAX bytes, zeroed) and add its fixed header of `size`
 * bytes. The header is returned through *header.
 */
struct nlmsghdr *rtnl_message(char *data, uint16_t type, uint16_t flags, size_t size,
			      void **header);

/* Send a request and take its acknowledgement: 0 or the number of a system error. */
int rtnl_talk(struct rtnl *rtnl, struct nlmsghdr *nlh);

/*
 * Dump objects of one kind (RTM_GETLINK, ...) of a family; each() sees every message. 0 or the
 * number of a system error.
 */
int rtnl_dump(struct rtnl *rtnl, uint16_t type, uint8_t family, mnl_cb_t each, void *arg);

/*
 * Dump IPv4 routes, those of one protocol where the kernel can tell them apart (0: all); each() may
 * see others, too. 0 or the number of a system error.
 */
int rtnl_dump_routes(struct rtnl *rtnl, uint8_t protocol, mnl_cb_t each, void *arg);

/* Send a request that is answered by messages, which each() sees. 0 or a system error. */
int rtnl_query(struct rtnl *rtnl, struct nlmsghdr *nlh, mnl_cb_t each, void *arg);

/* A link as the kernel has it. */
struct link {
	char name[16];
	int index;
	bool up;                 /* switched on */
	bool running;            /* and has a carrier */
	bool loopback;
	bool ours;               /* a device that we made: its group has our protocol number */
	uint32_t mtu;
};

/* An IPv4 address as the kernel has it, host byte order. */
struct link_addr {
	int index;
	uint32_t addr, peer;
	uint8_t prefix;
	bool ours;               /* it carries our protocol number */
	bool handover;           /* it carries that of the way to other members */
};

/* All links and their IPv4 addresses. */
struct links {
	struct link *link;
	size_t n;
	struct link_addr *addr;
	size_t n_addrs;
};

/* Read links and addresses; release with links_done. 0 or the number of a system error. */
int links_read(struct rtnl *rtnl, struct links *ret);

/* Release what links_read made. */
void links_done(struct links *links);

/* Link with this name, or NULL. */
const struct link *links_find(const struct links *links, const char *name);

/* Link with this index, or NULL. */
const struct link *links_at(const struct links *links, int index);

/* Events of links, addresses and routes. */
struct monitor;

/* Begin to listen; NULL and *err when that fails. */
struct monitor *monitor_open(struct err *err);

/* The same for all that decides where packets go, of both families: routing rules, too. */
struct monitor *monitor_open_ways(struct err *err);

/* Stop listening; NULL is fine. Returns NULL. */
struct monitor *monitor_close(struct monitor *m);

/* The descriptor that becomes readable when there are events. */
int monitor_fd(const struct monitor *m);

/*
 * Take the events that are there; when they are very many, some of them. True when interfaces,
 * addresses or routes should be compared with the configuration again, also when events were lost.
 */
bool monitor_event(struct monitor *m);

/* Forget the events that are there, and say whether there were any, or some were lost. */
bool monitor_any(struct monitor *m);
