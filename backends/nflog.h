/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets that rules have logged (nfnetlink_log). */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "backends/ct.h"

#define NFLOG_PREFIX_MAX 128     /* as the kernel bounds it */

struct nflog_packet {
	char prefix[NFLOG_PREFIX_MAX];
	int in, out;                 /* links; 0: none */
	bool has_seq;
	uint32_t seq;                /* counts what was logged to the group */
	/*
	 * The packet as if it had begun a session: family, protocol and both tuples from its
	 * headers, and its own mark.
	 */
	struct ct ct;
};

/*
 * Read a message of the kernel about one packet. False when it is about something else or has no
 * addresses. The message must be whole, as mnl_nlmsg_ok() finds it.
 */
bool nflog_decode(const struct nlmsghdr *nlh, struct nflog_packet *ret);

struct nflog;

/*
 * Listen to a log group of the current network namespace, alone; NULL and *err when that fails. The
 * caller closes it.
 */
struct nflog *nflog_open(uint16_t group, struct err *err);

/* Stop listening; NULL is fine. Returns NULL. */
struct nflog *nflog_close(struct nflog *l);

/* The descriptor that is readable when there are packets. */
int nflog_fd(const struct nflog *l);

/*
 * Take some of the packets that are there, without waiting: a bounded number, so that others get
 * their turn. Returns how many were lost before them, because nobody read in time.
 */
uint64_t nflog_read(struct nflog *l, void (*each)(void *arg, const struct nflog_packet *packet),
		    void *arg);
