/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One thing that happened to a traced packet, as nf_tables tells it. */
#pragma once

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#define FLOW_NAME_MAX 64   /* bytes in the name of a table or chain, with its end; longer is cut */

/* Headers of a packet, numbers in host byte order. What its protocol does not have is zero. */
struct flow_header {
	uint32_t src, dst;
	uint8_t proto, ttl;
	uint16_t sport, dport;
	/* TCP. */
	uint32_t seq, ack;
	uint16_t window;
	uint8_t flags;             /* FLOW_FIN ... */
	/* ICMP; id and number only of echoes. */
	uint8_t icmp_type, icmp_code;
	uint16_t echo_id, echo_seq;
};

#define FLOW_FIN 0x01
#define FLOW_SYN 0x02
#define FLOW_RST 0x04
#define FLOW_PSH 0x08
#define FLOW_ACK 0x10
#define FLOW_URG 0x20

enum flow_verdict { FLOW_GO_ON, FLOW_ACCEPT, FLOW_DROP };

struct flow_event {
	uint32_t id;               /* of the packet; a later packet may have it again */
	uint8_t family;            /* of the table: NFPROTO_* */
	char table[FLOW_NAME_MAX], chain[FLOW_NAME_MAX];
	bool is_rule;              /* it is about a rule, and not about the end of a chain */
	enum flow_verdict verdict; /* of a rule, or of the end of a base chain */
	int in, out;               /* indexes of links, 0: none; with the header only */
	bool has_header;           /* the first event of each base chain has one */
	struct flow_header header;
	bool has_ct;               /* the kernel told the packet's entry of conntrack */
	uint32_t ct_id;            /* then: the id of its entry */
};

/* Whether ports stand where they do with TCP and UDP. */
bool flow_has_ports(uint8_t proto);

/*
 * Read a message; false when it is no trace of an IPv4 packet. It must be whole, as mnl_nlmsg_ok()
 * finds it, and padded to MNL_ALIGNTO; whatever is in it may be anything.
 */
bool flow_event_decode(const struct nlmsghdr *nlh, struct flow_event *ret);
