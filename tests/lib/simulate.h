/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A ruleset executed in a test as the kernel would execute it. */
#pragma once

#include "backends/ruleset.h"

/* A packet and its session. Addresses and marks in host byte order. */
struct sim_packet {
	const char *in, *out;        /* interfaces; out is unknown until the packet is forwarded */
	uint32_t src, dst;
	uint8_t proto, icmp_type, icmp_code;
	uint16_t sport, dport;
	bool ipv6, local;
	bool confirmed;              /* its session exists */
	uint32_t state;              /* CT_STATE_... */
	uint32_t mark;
	bool masqueraded;
};

enum sim_verdict { SIM_ACCEPT, SIM_DROP };

/* Run a base chain; the test fails when the ruleset does what the kernel would refuse. */
enum sim_verdict sim_chain(const struct ruleset *rs, const char *base, struct sim_packet *p);
