/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From bytes to struct ct. Every level of attributes is a table: which attribute fills which bytes
 * of the struct, and from how many bytes. What is shorter than it should be counts as absent, what
 * the tables do not know is skipped, and an entry is taken when at its end both tuples are there.
 *
 * All numbers of ctnetlink are in network byte order, except labels, which the kernel copies from
 * its own memory as an array of long.
 */
#include "backends/ct.h"

#include <ctype.h>
#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void take_u8(const struct nlattr *attr, uint8_t *ret) {
	if (mnl_attr_get_payload_len(attr) >= sizeof(*ret))
		*ret = mnl_attr_get_u8(attr);
}

static void take_u16(const struct nlattr *attr, uint16_t *ret) {
	if (mnl_attr_get_payload_len(attr) >= sizeof(*ret))
		*ret = be16toh(mnl_attr_get_u16(attr));
}

static void take_u32(const struct nlattr *attr, uint32_t *ret) {
	if (mnl_attr_get_payload_len(attr) >= sizeof(*ret))
		*ret = be32toh(mnl_attr_get_u32(attr));
}

static void take_u64(const struct nlattr *attr, uint64_t *ret) {
	if (mnl_attr_get_payload_len(attr) >= sizeof(*ret))
		*ret = be64toh(mnl_attr_get_u64(attr));
}

/* ---- tuples ---- */

/* What has been seen of a tuple. */
enum { SEEN_SRC = 1, SEEN_DST = 2, SEEN_PROTO = 4, SEEN_ALL = 7 };

struct tuple_reader {
	struct ct_tuple *tuple;
	uint8_t family, proto;
	uint16_t zone;
	unsigned int seen;
};

static unsigned int take_addr(const struct tuple_reader *r, const struct nlattr *attr, int family,
			      union net_addr *ret, unsigned int seen) {
	unsigned int len = net_len(family);

	if (r->family != family || mnl_attr_get_payload_len(attr) < len)
		return 0;
	memcpy(ret->byte, mnl_attr_get_payload(attr), len);
	return seen;
}

static void read_tuple_ip(const struct nlattr *nest, struct tuple_reader *r) {
	union net_addr *src = &r->tuple->src, *dst = &r->tuple->dst;
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_IP_V4_SRC:
			r->seen |= take_addr(r, attr, AF_INET, src, SEEN_SRC);
			break;
		case CTA_IP_V4_DST:
			r->seen |= take_addr(r, attr, AF_INET, dst, SEEN_DST);
			break;
		case CTA_IP_V6_SRC:
			r->seen |= take_addr(r, attr, AF_INET6, src, SEEN_SRC);
			break;
		case CTA_IP_V6_DST:
			r->seen |= take_addr(r, attr, AF_INET6, dst, SEEN_DST);
			break;
		}
}

static void read_tuple_proto(const struct nlattr *nest, struct tuple_reader *r) {
	struct ct_tuple *t = r->tuple;
	const struct nlattr *attr;
	uint8_t type = 0;

	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_PROTO_NUM:
			take_u8(attr, &r->proto);
			r->seen |= mnl_attr_get_payload_len(attr) ? SEEN_PROTO : 0;
			break;
		case CTA_PROTO_SRC_PORT:
		case CTA_PROTO_ICMP_ID:
		case CTA_PROTO_ICMPV6_ID:
			take_u16(attr, &t->sport);
			break;
		case CTA_PROTO_DST_PORT:
			take_u16(attr, &t->dport);
			break;
		case CTA_PROTO_ICMP_TYPE:
		case CTA_PROTO_ICMPV6_TYPE:
			take_u8(attr, &type);
			t->dport = type;
			break;
		case CTA_PROTO_ICMP_CODE:
		case CTA_PROTO_ICMPV6_CODE:
			take_u8(attr, &t->icmp_code);
			break;
		}
}

/* True when the tuple is whole. */
static bool read_tuple(const struct nlattr *nest, struct tuple_reader *r) {
	const struct nlattr *attr;

	*r->tuple = (struct ct_tuple){ .sport = 0 };
	r->seen = 0;
	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_TUPLE_IP:
			read_tuple_ip(attr, r);
			break;
		case CTA_TUPLE_PROTO:
			read_tuple_proto(attr, r);
			break;
		case CTA_TUPLE_ZONE:
			take_u16(attr, &r->zone);
			break;
		}
	return r->seen == SEEN_ALL;
}

/* ---- what else an entry has ---- */

static void read_counter(const struct nlattr *nest, struct ct_counter *ret) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_COUNTERS_PACKETS:
			take_u64(attr, &ret->packets);
			break;
		case CTA_COUNTERS_BYTES:
			take_u64(attr, &ret->bytes);
			break;
		}
}

static void read_timestamp(const struct nlattr *nest, struct ct *ct) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_TIMESTAMP_START:
			take_u64(attr, &ct->start_ns);
			break;
		case CTA_TIMESTAMP_STOP:
			take_u64(attr, &ct->stop_ns);
			break;
		}
}

static void read_seqadj(const struct nlattr *nest, struct ct_seqadj *ret) {
	const struct nlattr *attr;
	uint32_t before = 0, after = 0;

	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_SEQADJ_CORRECTION_POS:
			take_u32(attr, &ret->pos);
			break;
		case CTA_SEQADJ_OFFSET_BEFORE:
			take_u32(attr, &before);
			break;
		case CTA_SEQADJ_OFFSET_AFTER:
			take_u32(attr, &after);
			break;
		}
	ret->before = (int32_t)before;
	ret->after = (int32_t)after;
}

static void read_sctp(const struct nlattr *nest, struct ct *ct) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_PROTOINFO_SCTP_STATE:
			take_u8(attr, &ct->state);
			break;
		case CTA_PROTOINFO_SCTP_VTAG_ORIGINAL:
			take_u32(attr, &ct->vtag[CT_ORIG]);
			break;
		case CTA_PROTOINFO_SCTP_VTAG_REPLY:
			take_u32(attr, &ct->vtag[CT_REPLY]);
			break;
		}
}

static void read_protoinfo(const struct nlattr *nest, struct ct *ct) {
	const struct nlattr *attr, *inner;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == CTA_PROTOINFO_SCTP)
			read_sctp(attr, ct);
		else if (mnl_attr_get_type(attr) == CTA_PROTOINFO_TCP)
			mnl_attr_for_each_nested(inner, attr)
				if (mnl_attr_get_type(inner) == CTA_PROTOINFO_TCP_STATE)
					take_u8(inner, &ct->state);
}

static void read_name(const struct nlattr *attr, char *ret, size_t size) {
	const char *name = mnl_attr_get_payload(attr);
	size_t len = mnl_attr_get_payload_len(attr);

	len = strnlen(name, len < size - 1 ? len : size - 1);
	for (size_t i = 0; i < len; i++)
		ret[i] = isgraph((unsigned char)name[i]) ? name[i] : '?';
	ret[len] = '\0';
}

static void read_helper(const struct nlattr *nest, struct ct *ct) {
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
		if (mnl_attr_get_type(attr) == CTA_HELP_NAME)
			read_name(attr, ct->helper, sizeof(ct->helper));
}

static void read_label(const struct nlattr *attr, struct ct *ct) {
	size_t len = mnl_attr_get_payload_len(attr);

	memcpy(ct->label, mnl_attr_get_payload(attr),
	       len < sizeof(ct->label) ? len : sizeof(ct->label));
}

static void read_master(const struct nlattr *nest, struct ct *ct) {
	struct tuple_reader r = { .tuple = &ct->master, .family = ct->family };

	ct->has_master = read_tuple(nest, &r);
	ct->master_proto = r.proto;
}

static void read_nested(const struct nlattr *attr, struct ct *ct) {
	switch (mnl_attr_get_type(attr)) {
	case CTA_COUNTERS_ORIG:
		read_counter(attr, &ct->count[CT_ORIG]);
		break;
	case CTA_COUNTERS_REPLY:
		read_counter(attr, &ct->count[CT_REPLY]);
		break;
	case CTA_SEQ_ADJ_ORIG:
		read_seqadj(attr, &ct->seqadj[CT_ORIG]);
		break;
	case CTA_SEQ_ADJ_REPLY:
		read_seqadj(attr, &ct->seqadj[CT_REPLY]);
		break;
	case CTA_PROTOINFO:
		read_protoinfo(attr, ct);
		break;
	case CTA_HELP:
		read_helper(attr, ct);
		break;
	case CTA_TIMESTAMP:
		read_timestamp(attr, ct);
		break;
	case CTA_TUPLE_MASTER:
		read_master(attr, ct);
		break;
	}
}

static void read_attr(const struct nlattr *attr, struct ct *ct) {
	switch (mnl_attr_get_type(attr)) {
	case CTA_STATUS:
		take_u32(attr, &ct->status);
		break;
	case CTA_TIMEOUT:
		take_u32(attr, &ct->timeout);
		break;
	case CTA_MARK:
		take_u32(attr, &ct->mark);
		break;
	case CTA_USE:
		take_u32(attr, &ct->use);
		break;
	case CTA_ID:
		take_u32(attr, &ct->id);
		break;
	case CTA_ZONE:
		take_u16(attr, &ct->zone);
		break;
	case CTA_LABELS:
		read_label(attr, ct);
		break;
	default:
		read_nested(attr, ct);
	}
}

/* Whether it is a message of this subsystem, with a family that we know. */
static bool is_message(const struct nlmsghdr *nlh, uint8_t subsystem, uint8_t *family) {
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*g)) ||
	    NFNL_SUBSYS_ID(nlh->nlmsg_type) != subsystem)
		return false;
	*family = g->nfgen_family;
	return *family == AF_INET || *family == AF_INET6;
}

/* Bytes of attributes. Not mnl_attr_for_each: that one rounds the length of the message up. */
static size_t attrs_len(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_len - NLMSG_LENGTH(sizeof(struct nfgenmsg));
}

bool ct_decode(const struct nlmsghdr *nlh, struct ct *ret) {
	const void *attrs = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg));
	struct tuple_reader r[2];
	const struct nlattr *attr;
	bool whole[2] = { false, false };

	*ret = (struct ct){ .family = 0 };
	if (!is_message(nlh, NFNL_SUBSYS_CTNETLINK, &ret->family))
		return false;
	for (int dir = CT_ORIG; dir <= CT_REPLY; dir++)
		r[dir] = (struct tuple_reader){ .tuple = &ret->tuple[dir], .family = ret->family };
	mnl_attr_for_each_payload(attrs, attrs_len(nlh)) {
		if (mnl_attr_get_type(attr) == CTA_TUPLE_ORIG)
			whole[CT_ORIG] = read_tuple(attr, &r[CT_ORIG]);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_REPLY)
			whole[CT_REPLY] = read_tuple(attr, &r[CT_REPLY]);
		else
			read_attr(attr, ret);
	}
	ret->proto = r[CT_ORIG].proto;
	/*
	 * A zone of one direction only is told inside its tuple; we name entries by the original
	 * one.
	 */
	if (ret->zone == 0)
		ret->zone = r[CT_ORIG].zone;
	return whole[CT_ORIG] && whole[CT_REPLY] && r[CT_REPLY].proto == ret->proto;
}

/* ---- expected sessions ---- */

/* The kernel fills the source of the tuple only. */
static void read_expect_nat(const struct nlattr *nest, struct ct_expect *e) {
	struct tuple_reader r = { .tuple = &e->nat, .family = e->family };
	const struct nlattr *attr;
	uint32_t dir = CT_ORIG;

	mnl_attr_for_each_nested(attr, nest)
		switch (mnl_attr_get_type(attr)) {
		case CTA_EXPECT_NAT_DIR:
			take_u32(attr, &dir);
			break;
		case CTA_EXPECT_NAT_TUPLE:
			e->has_nat = read_tuple(attr, &r);
			break;
		}
	e->nat_dir = dir == CT_ORIG ? CT_ORIG : CT_REPLY;
}

static void read_expect_attr(const struct nlattr *attr, struct ct_expect *e) {
	switch (mnl_attr_get_type(attr)) {
	case CTA_EXPECT_TIMEOUT:
		take_u32(attr, &e->timeout);
		break;
	case CTA_EXPECT_ID:
		take_u32(attr, &e->id);
		break;
	case CTA_EXPECT_HELP_NAME:
		read_name(attr, e->helper, sizeof(e->helper));
		break;
	case CTA_EXPECT_ZONE:
		take_u16(attr, &e->zone);
		break;
	case CTA_EXPECT_FLAGS:
		take_u32(attr, &e->flags);
		break;
	case CTA_EXPECT_CLASS:
		take_u32(attr, &e->class);
		break;
	case CTA_EXPECT_NAT:
		read_expect_nat(attr, e);
		break;
	case CTA_EXPECT_FN:
		read_name(attr, e->fn, sizeof(e->fn));
		break;
	}
}

bool ct_decode_expect(const struct nlmsghdr *nlh, struct ct_expect *ret) {
	enum { FIRST = CTA_EXPECT_MASTER, LAST = CTA_EXPECT_MASK };
	const void *attrs = mnl_nlmsg_get_payload_offset(nlh, sizeof(struct nfgenmsg));
	struct tuple_reader r[] = {
		[CTA_EXPECT_MASTER] = { .tuple = &ret->master },
		[CTA_EXPECT_TUPLE] = { .tuple = &ret->tuple },
		[CTA_EXPECT_MASK] = { .tuple = &ret->mask },
	};
	const struct nlattr *attr;
	unsigned int whole = SEEN_ALL;

	*ret = (struct ct_expect){ .family = 0 };
	if (!is_message(nlh, NFNL_SUBSYS_CTNETLINK_EXP, &ret->family))
		return false;
	for (unsigned int i = FIRST; i <= LAST; i++)
		r[i].family = ret->family;
	mnl_attr_for_each_payload(attrs, attrs_len(nlh)) {
		unsigned int type = mnl_attr_get_type(attr);

		if (type >= FIRST && type <= LAST)
			read_tuple(attr, &r[type]);
		else
			read_expect_attr(attr, ret);
	}
	for (unsigned int i = FIRST; i <= LAST; i++)
		whole &= r[i].seen;
	ret->proto = r[CTA_EXPECT_TUPLE].proto;
	ret->master_proto = r[CTA_EXPECT_MASTER].proto;
	return whole == SEEN_ALL;
}
