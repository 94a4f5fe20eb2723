/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests of ctnetlink. All are small and of bounded size, so they are built without checks in
 * CT_MESSAGE_MAX bytes.
 *
 * A listing is filtered by CTA_FILTER, which names the parts of each tuple that must be equal. Its
 * flags are numbered in the kernel's own header, not in that for programs, but they are part of
 * what it takes from them.
 */
#include "backends/ct.h"

#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

enum {
	FLAG_IP_SRC = 1u << 0,
	FLAG_IP_DST = 1u << 1,
	FLAG_PROTO_NUM = 1u << 3,
	FLAG_SRC_PORT = 1u << 4,
	FLAG_DST_PORT = 1u << 5,
	FLAG_ICMP_TYPE = 1u << 6,
	FLAG_ICMP_ID = 1u << 8,
	FLAG_ICMPV6_TYPE = 1u << 9,
	FLAG_ICMPV6_ID = 1u << 11,
};

/* How the numbers of a protocol's tuples are named. */
struct names {
	uint16_t sport, dport, code;         /* attributes; code 0: there is none */
	uint32_t sport_flag, dport_flag;
};

static const struct names *names_of(uint8_t proto) {
	static const struct names ports = { CTA_PROTO_SRC_PORT, CTA_PROTO_DST_PORT, 0,
					    FLAG_SRC_PORT, FLAG_DST_PORT };
	static const struct names icmp = { CTA_PROTO_ICMP_ID, CTA_PROTO_ICMP_TYPE,
					   CTA_PROTO_ICMP_CODE, FLAG_ICMP_ID, FLAG_ICMP_TYPE };
	static const struct names icmpv6 = { CTA_PROTO_ICMPV6_ID, CTA_PROTO_ICMPV6_TYPE,
					     CTA_PROTO_ICMPV6_CODE, FLAG_ICMPV6_ID,
					     FLAG_ICMPV6_TYPE };

	return proto == IPPROTO_ICMP ? &icmp : proto == IPPROTO_ICMPV6 ? &icmpv6 : &ports;
}

bool ct_is_icmp(uint8_t proto) {
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

bool ct_has_ports(uint8_t proto) {
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_SCTP || proto == IPPROTO_DCCP || ct_is_icmp(proto);
}

struct nlmsghdr *ct_encode_begin(char *data, uint8_t subsystem, uint8_t type, uint16_t flags,
				 uint8_t family) {
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(data);
	struct nfgenmsg *g;

	nlh->nlmsg_type = (uint16_t)(subsystem << 8 | type);
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));
	g->nfgen_family = family;
	g->version = NFNETLINK_V0;
	return nlh;
}

static void put_addrs(struct nlmsghdr *nlh, uint8_t family, const struct ct_tuple *t) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	bool ipv4 = family == AF_INET;
	unsigned int len = net_len(family);

	mnl_attr_put(nlh, ipv4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, len, t->src.byte);
	mnl_attr_put(nlh, ipv4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, len, t->dst.byte);
	mnl_attr_nest_end(nlh, nest);
}

static void put_numbers(struct nlmsghdr *nlh, uint8_t proto, const struct ct_tuple *t) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	const struct names *names = names_of(proto);

	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, proto);
	mnl_attr_put_u16(nlh, names->sport, htobe16(t->sport));
	if (names->code) {
		mnl_attr_put_u8(nlh, names->dport, (uint8_t)t->dport);
		mnl_attr_put_u8(nlh, names->code, t->icmp_code);
	} else {
		mnl_attr_put_u16(nlh, names->dport, htobe16(t->dport));
	}
	mnl_attr_nest_end(nlh, nest);
}

static void put_tuple(struct nlmsghdr *nlh, uint16_t attr, uint8_t family, uint8_t proto,
		      const struct ct_tuple *t) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);

	put_addrs(nlh, family, t);
	put_numbers(nlh, proto, t);
	mnl_attr_nest_end(nlh, nest);
}

void ct_encode_tuple(struct nlmsghdr *nlh, uint16_t attr, const struct ct *ct,
		     const struct ct_tuple *tuple) {
	put_tuple(nlh, attr, ct->family, ct->proto, tuple);
}

void ct_encode_key(struct nlmsghdr *nlh, const struct ct *ct) {
	ct_encode_tuple(nlh, CTA_TUPLE_ORIG, ct, &ct->tuple[CT_ORIG]);
	if (ct->zone)
		mnl_attr_put_u16(nlh, CTA_ZONE, htobe16(ct->zone));
}

/*
 * Kernels compare IPv6 addresses the wrong way round: they list what differs (seen with
 * 6.18). So they are not asked for.
 */
static unsigned int fields_of(const struct ct_kernel_filter *f, enum ct_dir dir) {
	return f->fields[dir] & (f->family == AF_INET6 ? ~(CT_FILTER_SRC | CT_FILTER_DST) : ~0u);
}

static uint32_t tuple_flags(const struct ct_kernel_filter *f, enum ct_dir dir) {
	const struct names *names = names_of(f->proto);
	unsigned int fields = fields_of(f, dir);

	return (fields & CT_FILTER_SRC ? FLAG_IP_SRC : 0) |
	       (fields & CT_FILTER_DST ? FLAG_IP_DST : 0) |
	       (fields & CT_FILTER_PROTO ? FLAG_PROTO_NUM : 0) |
	       (fields & CT_FILTER_SPORT ? names->sport_flag : 0) |
	       (fields & CT_FILTER_DPORT ? names->dport_flag : 0);
}

static void put_tuples(struct nlmsghdr *nlh, const struct ct_kernel_filter *f) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, CTA_FILTER);

	mnl_attr_put_u32(nlh, CTA_FILTER_ORIG_FLAGS, tuple_flags(f, CT_ORIG));
	mnl_attr_put_u32(nlh, CTA_FILTER_REPLY_FLAGS, tuple_flags(f, CT_REPLY));
	mnl_attr_nest_end(nlh, nest);
	if (fields_of(f, CT_ORIG))
		put_tuple(nlh, CTA_TUPLE_ORIG, f->family, f->proto, &f->tuple[CT_ORIG]);
	if (fields_of(f, CT_REPLY))
		put_tuple(nlh, CTA_TUPLE_REPLY, f->family, f->proto, &f->tuple[CT_REPLY]);
}

void ct_encode_filter(struct nlmsghdr *nlh, const struct ct_kernel_filter *f, bool with_tuples) {
	if (f->mark_mask) {
		mnl_attr_put_u32(nlh, CTA_MARK, htobe32(f->mark & f->mark_mask));
		mnl_attr_put_u32(nlh, CTA_MARK_MASK, htobe32(f->mark_mask));
	}
	if (f->status_mask) {
		mnl_attr_put_u32(nlh, CTA_STATUS, htobe32(f->status & f->status_mask));
		mnl_attr_put_u32(nlh, CTA_STATUS_MASK, htobe32(f->status_mask));
	}
	if (f->has_zone)
		mnl_attr_put_u16(nlh, CTA_ZONE, htobe16(f->zone));
	if (with_tuples && (fields_of(f, CT_ORIG) || fields_of(f, CT_REPLY)))
		put_tuples(nlh, f);
}
