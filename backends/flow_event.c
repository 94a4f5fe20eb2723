/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages of NFNLGRP_NFTRACE. An event names table and chain, and a verdict if it is that of a
 * rule or of a chain's end; the first one of each base chain holds the beginning of the packet as
 * it is at that point, so that its changes can be seen. libnftnl reads these messages, too, but not
 * what connection tracking knows (since Linux 6.16), so they are read here.
 */
#include "backends/flow_event.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/ip_icmp.h>
#include <string.h>

#define TRACE_CT_ID 18  /* NFTA_TRACE_CT_ID of linux/netfilter/nf_tables.h since 6.16 */
#define ATTR_MAX 32

bool flow_has_ports(uint8_t proto) {
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_SCTP;
}

/* ---- headers ---- */

static uint16_t get16(const uint8_t *p) {
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p) {
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static bool is_echo(uint8_t type) {
	return type == ICMP_ECHO || type == ICMP_ECHOREPLY;
}

static void read_transport(const uint8_t *p, size_t len, struct flow_header *h) {
	if (flow_has_ports(h->proto) && len >= 4) {
		h->sport = get16(p);
		h->dport = get16(p + 2);
	}
	if (h->proto == IPPROTO_TCP && len >= 16) {
		h->seq = get32(p + 4);
		h->ack = get32(p + 8);
		h->flags = p[13];
		h->window = get16(p + 14);
	}
	if (h->proto == IPPROTO_ICMP && len >= 2) {
		h->icmp_type = p[0];
		h->icmp_code = p[1];
		if (is_echo(p[0]) && len >= 8) {
			h->echo_id = get16(p + 4);
			h->echo_seq = get16(p + 6);
		}
	}
}

/* A later fragment has no header of its transport, however much looks like one. */
static bool read_network(const uint8_t *p, size_t len, struct flow_header *h, bool *first) {
	if (len < 20 || p[0] >> 4 != 4)
		return false;
	*h = (struct flow_header){ .ttl = p[8], .proto = p[9], .src = get32(p + 12),
				   .dst = get32(p + 16) };
	*first = (get16(p + 6) & 0x1fff) == 0;
	return true;
}

/* ---- attributes ---- */

static const void *payload(const struct nlattr *attr, size_t *len) {
	*len = attr ? mnl_attr_get_payload_len(attr) : 0;
	return attr ? mnl_attr_get_payload(attr) : NULL;
}

static uint32_t number(const struct nlattr *attr) {
	return attr && mnl_attr_get_payload_len(attr) == 4 ? ntohl(mnl_attr_get_u32(attr)) : 0;
}

static void name(const struct nlattr *attr, char ret[FLOW_NAME_MAX]) {
	size_t len;
	const char *text = payload(attr, &len);

	ret[0] = '\0';
	if (text && len > 0 && memchr(text, '\0', len))
		strlcpy(ret, text, FLOW_NAME_MAX);
}

static enum flow_verdict verdict_of(uint32_t code) {
	switch (code & NF_VERDICT_MASK) {
	case NF_DROP:
		return FLOW_DROP;
	case NF_ACCEPT:
		return FLOW_ACCEPT;
	default:
		return FLOW_GO_ON;
	}
}

/* Codes of nf_tables itself (jump, return, continue) are negative. */
static enum flow_verdict read_verdict(const struct nlattr *nest) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest) {
		if (mnl_attr_get_type(attr) != NFTA_VERDICT_CODE ||
		    mnl_attr_get_payload_len(attr) != 4)
			continue;
		/* codes below 0 lead to other chains of the same hook */
		if ((int32_t)number(attr) >= 0)
			return verdict_of(number(attr));
	}
	return FLOW_GO_ON;
}

static void collect(const struct nlmsghdr *nlh, const struct nlattr *attrs[ATTR_MAX]) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		if (mnl_attr_get_type(attr) < ATTR_MAX)
			attrs[mnl_attr_get_type(attr)] = attr;
}

static bool read_header(const struct nlattr *const attrs[ATTR_MAX], struct flow_event *ret) {
	const uint8_t *p;
	size_t len;
	bool first;

	p = payload(attrs[NFTA_TRACE_NETWORK_HEADER], &len);
	if (!p || !read_network(p, len, &ret->header, &first))
		return false;
	p = payload(attrs[NFTA_TRACE_TRANSPORT_HEADER], &len);
	if (p && first)
		read_transport(p, len, &ret->header);
	ret->in = (int)number(attrs[NFTA_TRACE_IIF]);
	ret->out = (int)number(attrs[NFTA_TRACE_OIF]);
	return true;
}

bool flow_event_decode(const struct nlmsghdr *nlh, struct flow_event *ret) {
	const struct nlattr *attrs[ATTR_MAX] = { NULL };

	if (nlh->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_TRACE) ||
	    nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
		return false;
	collect(nlh, attrs);
	if (number(attrs[NFTA_TRACE_NFPROTO]) != NFPROTO_IPV4)
		return false;
	*ret = (struct flow_event){ .id = number(attrs[NFTA_TRACE_ID]),
				    .ct_id = number(attrs[TRACE_CT_ID]),
				    .has_ct = attrs[TRACE_CT_ID] != NULL,
				    .is_rule = attrs[NFTA_TRACE_RULE_HANDLE] != NULL };
	ret->family = ((const struct nfgenmsg *)mnl_nlmsg_get_payload(nlh))->nfgen_family;
	name(attrs[NFTA_TRACE_TABLE], ret->table);
	name(attrs[NFTA_TRACE_CHAIN], ret->chain);
	if (number(attrs[NFTA_TRACE_TYPE]) == NFT_TRACETYPE_RULE && attrs[NFTA_TRACE_VERDICT])
		ret->verdict = read_verdict(attrs[NFTA_TRACE_VERDICT]);
	else if (number(attrs[NFTA_TRACE_TYPE]) == NFT_TRACETYPE_POLICY &&
		 attrs[NFTA_TRACE_POLICY])
		ret->verdict = verdict_of(number(attrs[NFTA_TRACE_POLICY]));
	ret->has_header = read_header(attrs, ret);
	return true;
}
