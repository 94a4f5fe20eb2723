/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a ruleset does with a packet, worked out without the kernel. */
#pragma once

#include "backends/ruleset.h"
#include "cfgdb/base/err.h"

/* A packet and its session as rules see them. Addresses, ports and marks in host byte order. */
struct eval_packet {
	const char *in, *out;        /* interfaces; out is "" until the packet is forwarded */
	uint32_t src, dst;
	uint32_t src6[4];            /* of an IPv6 packet */
	uint8_t proto, icmp_type, icmp_code;
	uint16_t sport, dport;
	bool ipv6, local;            /* local: dst is an address of the unit */
	bool confirmed;              /* its session exists */
	uint32_t state;              /* CT_STATE_... */
	uint32_t mark, label;        /* of its session; label: the first 32 bits */
	uint8_t tcp_flags;           /* TCP_FLAG_... */
	bool broadcast;              /* it came in a frame to everyone */
	bool astray;                 /* the route to src leads to another link than it came by */
	uint32_t packet_mark;
	bool untracked;
	bool masqueraded;
	uint16_t log_group;          /* it was told to this group, 0: to none */
	bool over_limit;             /* limits are exceeded */
	const char *timeout, *helper; /* names of objects it has, or NULL */
};

enum eval_verdict { EVAL_ACCEPT, EVAL_DROP, EVAL_FAULT };

/*
 * Send a packet through a base chain, which may change its mark and its destination. Allocates
 * nothing; the ruleset must be sorted. EVAL_FAULT and *err when the rules are such as the kernel
 * would refuse; what became of the packet is then undefined.
 */
enum eval_verdict ruleset_eval(const struct ruleset *rs, const char *base, struct eval_packet *p,
			       struct err *err);
