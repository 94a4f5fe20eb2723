/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Entries of connection tracking from bytes: whole, cut short, with unknown and wrong parts. */
#include "backends/ct.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

#include "backends/ct_recent.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static char data[CT_MESSAGE_MAX];
static struct nlmsghdr *nlh;
static struct ct ct;

static void begin(uint8_t family) {
	memset(data, 0, sizeof(data));
	nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, 0, family);
}

static bool decode(void) {
	int len = (int)nlh->nlmsg_len;

	ck_assert(mnl_nlmsg_ok(nlh, len));
	memset(&ct, 0xee, sizeof(ct));
	return ct_decode(nlh, &ct);
}

static void put_u64(uint16_t attr, uint64_t v) {
	mnl_attr_put_u64(nlh, attr, htobe64(v));
}

static void put_u32(uint16_t attr, uint32_t v) {
	mnl_attr_put_u32(nlh, attr, htobe32(v));
}

static void put_ipv4_tuple(uint16_t attr, uint32_t src, uint32_t dst, uint16_t sport,
			   uint16_t dport, uint8_t proto) {
	struct nlattr *tuple = mnl_attr_nest_start(nlh, attr), *part;

	part = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	put_u32(CTA_IP_V4_SRC, src);
	put_u32(CTA_IP_V4_DST, dst);
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, proto);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htobe16(sport));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htobe16(dport));
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, tuple);
}

static void put_tuples(void) {
	put_ipv4_tuple(CTA_TUPLE_ORIG, 0x01020304, 0x05060708, 1000, 80, IPPROTO_TCP);
	put_ipv4_tuple(CTA_TUPLE_REPLY, 0x090a0b0c, 0x01020304, 8080, 1000, IPPROTO_TCP);
}

static void put_counter(uint16_t attr, uint64_t packets, uint64_t bytes) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);

	put_u64(CTA_COUNTERS_PACKETS, packets);
	put_u64(CTA_COUNTERS_BYTES, bytes);
	mnl_attr_nest_end(nlh, nest);
}

static void put_seqadj(uint16_t attr, uint32_t pos, int32_t before, int32_t after) {
	struct nlattr *nest = mnl_attr_nest_start(nlh, attr);

	put_u32(CTA_SEQADJ_CORRECTION_POS, pos);
	put_u32(CTA_SEQADJ_OFFSET_BEFORE, (uint32_t)before);
	put_u32(CTA_SEQADJ_OFFSET_AFTER, (uint32_t)after);
	mnl_attr_nest_end(nlh, nest);
}

static void put_rest(void) {
	static const uint64_t label[2] = { 0x1122334455667788, 0x99aabbccddeeff00 };
	struct nlattr *nest, *inner;

	put_u32(CTA_STATUS, 0x1ae);
	put_u32(CTA_TIMEOUT, 3599);
	put_u32(CTA_MARK, 2);
	put_u32(CTA_ID, 0xdeadbeef);
	put_u32(CTA_USE, 3);
	mnl_attr_put_u16(nlh, CTA_ZONE, htobe16(7));
	put_counter(CTA_COUNTERS_ORIG, 22, 4305);
	put_counter(CTA_COUNTERS_REPLY, 19, UINT64_C(1) << 40);
	put_seqadj(CTA_SEQ_ADJ_ORIG, 77, -4, 5);
	put_seqadj(CTA_SEQ_ADJ_REPLY, 88, 6, -7);
	nest = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	inner = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);
	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, TCP_CONNTRACK_ESTABLISHED);
	mnl_attr_nest_end(nlh, inner);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_TIMESTAMP);
	put_u64(CTA_TIMESTAMP_START, 1700000000123456789);
	put_u64(CTA_TIMESTAMP_STOP, 1700000001123456789);
	mnl_attr_nest_end(nlh, nest);
	nest = mnl_attr_nest_start(nlh, CTA_HELP);
	mnl_attr_put_strz(nlh, CTA_HELP_NAME, "ftp");
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put(nlh, CTA_LABELS, sizeof(label), label);
	put_ipv4_tuple(CTA_TUPLE_MASTER, 0x01020304, 0x05060708, 999, 21, IPPROTO_UDP);
}

static void assert_tuples(void) {
	const struct ct_tuple *o = &ct.tuple[CT_ORIG], *r = &ct.tuple[CT_REPLY];
	const union net_addr ends[] = { net_ipv4(0x01020304), net_ipv4(0x05060708),
					net_ipv4(0x090a0b0c) };

	ck_assert_uint_eq(ct.family, AF_INET);
	ck_assert_uint_eq(ct.proto, IPPROTO_TCP);
	ck_assert(net_equal(&o->src, &ends[0]) && net_equal(&o->dst, &ends[1]));
	ck_assert(net_equal(&r->src, &ends[2]) && net_equal(&r->dst, &ends[0]));
	ck_assert_uint_eq(o->sport, 1000);
	ck_assert_uint_eq(o->dport, 80);
	ck_assert_uint_eq(r->sport, 8080);
	ck_assert_uint_eq(r->dport, 1000);
}

START_TEST(test_whole) {
	begin(AF_INET);
	put_tuples();
	put_rest();
	ck_assert(decode());
	assert_tuples();
	ck_assert_uint_eq(ct.status, 0x1ae);
	ck_assert_uint_eq(ct.timeout, 3599);
	ck_assert_uint_eq(ct.mark, 2);
	ck_assert_uint_eq(ct.id, 0xdeadbeef);
	ck_assert_uint_eq(ct.use, 3);
	ck_assert_uint_eq(ct.zone, 7);
	ck_assert_uint_eq(ct.state, TCP_CONNTRACK_ESTABLISHED);
	ck_assert_uint_eq(ct.count[CT_ORIG].packets, 22);
	ck_assert_uint_eq(ct.count[CT_ORIG].bytes, 4305);
	ck_assert_uint_eq(ct.count[CT_REPLY].packets, 19);
	ck_assert_uint_eq(ct.count[CT_REPLY].bytes, UINT64_C(1) << 40);
	ck_assert_uint_eq(ct.seqadj[CT_ORIG].pos, 77);
	ck_assert_int_eq(ct.seqadj[CT_ORIG].before, -4);
	ck_assert_int_eq(ct.seqadj[CT_ORIG].after, 5);
	ck_assert_int_eq(ct.seqadj[CT_REPLY].after, -7);
	ck_assert_uint_eq(ct.start_ns, 1700000000123456789);
	ck_assert_uint_eq(ct.stop_ns, 1700000001123456789);
	ck_assert_str_eq(ct.helper, "ftp");
	ck_assert_uint_eq(ct.label[0], 0x1122334455667788);
	ck_assert_uint_eq(ct.label[1], 0x99aabbccddeeff00);
	ck_assert(ct.has_master);
	ck_assert_uint_eq(ct.master_proto, IPPROTO_UDP);
	ck_assert_uint_eq(ct.master.src.word[0], htobe32(0x01020304));
	ck_assert_uint_eq(ct.master.dst.word[0], htobe32(0x05060708));
	ck_assert_uint_eq(ct.master.sport, 999);
	ck_assert_uint_eq(ct.master.dport, 21);
}
END_TEST

/* One that is not whole cannot be asked for. */
START_TEST(test_half_a_master) {
	begin(AF_INET);
	put_tuples();
	mnl_attr_nest_end(nlh, mnl_attr_nest_start(nlh, CTA_TUPLE_MASTER));
	ck_assert(decode());
	ck_assert(!ct.has_master);
}
END_TEST

/* An entry that says no more than it has to: all else is zero. */
START_TEST(test_bare) {
	struct ct bare = { .family = AF_INET, .proto = IPPROTO_TCP };

	begin(AF_INET);
	put_tuples();
	ck_assert(decode());
	assert_tuples();
	memcpy(bare.tuple, ct.tuple, sizeof(bare.tuple));
	ck_assert_mem_eq(&ct, &bare, sizeof(ct));
}
END_TEST

START_TEST(test_not_an_entry) {
	begin(AF_INET);
	put_ipv4_tuple(CTA_TUPLE_ORIG, 1, 2, 3, 4, IPPROTO_TCP);
	ck_assert(!decode());
	put_ipv4_tuple(CTA_TUPLE_REPLY, 2, 1, 4, 3, IPPROTO_UDP);
	ck_assert_msg(!decode(), "two protocols");
	begin(AF_INET6);
	put_tuples();
	ck_assert_msg(!decode(), "IPv4 addresses in IPv6");
	begin(AF_UNIX);
	put_tuples();
	ck_assert_msg(!decode(), "another family");
	begin(AF_INET);
	put_tuples();
	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK_EXP << 8;
	ck_assert_msg(!decode(), "another subsystem");
	nlh->nlmsg_type = NFNL_SUBSYS_CTNETLINK << 8;
	nlh->nlmsg_len = NLMSG_HDRLEN + 3;
	ck_assert_msg(!decode(), "no header");
}
END_TEST

/* Whatever is cut off or made up: what is read lies in the message, and the rest is as it was. */
START_TEST(test_cut) {
	AUTO_FREE char *copy = NULL;
	uint32_t whole, tuples;

	begin(AF_INET);
	put_tuples();
	tuples = nlh->nlmsg_len;
	put_rest();
	whole = nlh->nlmsg_len;
	for (uint32_t len = NLMSG_HDRLEN; len < whole; len++) {
		/* On the heap at its exact length, for tools that watch memory. */
		copy = xreallocarray(copy, len, 1);
		memcpy(copy, data, len);
		nlh = (void *)copy;
		nlh->nlmsg_len = len;
		ck_assert_int_eq(decode(), len >= tuples);
		if (len >= tuples)
			assert_tuples();
	}
}
END_TEST

START_TEST(test_short_attributes) {
	struct nlattr *nest;

	begin(AF_INET);
	put_tuples();
	mnl_attr_put(nlh, CTA_STATUS, 3, "\1\2\3");
	mnl_attr_put(nlh, CTA_MARK, 0, NULL);
	mnl_attr_put(nlh, CTA_ZONE, 1, "\1");
	mnl_attr_put(nlh, CTA_LABELS, 4, "\1\2\3\4");
	mnl_attr_put(nlh, CTA_HELP, 0, NULL);
	nest = mnl_attr_nest_start(nlh, CTA_COUNTERS_ORIG);
	mnl_attr_put(nlh, CTA_COUNTERS_BYTES, 7, "1234567");
	mnl_attr_nest_end(nlh, nest);
	mnl_attr_put(nlh, 999, 12, "who are you?");
	mnl_attr_put(nlh, CTA_SYNPROXY, 5, "12345");
	ck_assert(decode());
	assert_tuples();
	ck_assert_uint_eq(ct.status, 0);
	ck_assert_uint_eq(ct.mark, 0);
	ck_assert_uint_eq(ct.zone, 0);
	ck_assert_uint_eq(ct.count[CT_ORIG].bytes, 0);
	ck_assert_str_eq(ct.helper, "");
	ck_assert_mem_eq(ct.label, "\1\2\3\4\0\0\0\0\0\0\0\0\0\0\0\0", 16);
}
END_TEST

static const struct {
	const char *name;
	size_t len;
	const char *read;
} helpers[] = {
	{ "tftp", 5, "tftp" },
	{ "tftp", 4, "tftp" },
	{ "", 0, "" },
	{ "a\0b", 4, "a" },
	{ "a b\n\x80\"", 7, "a?b??\"" },
	{ "123456789012345", 16, "123456789012345" },
	{ "1234567890123456", 17, "123456789012345" },
	{ "1234567890123456789012345678901234567890", 40, "123456789012345" },
};

START_TEST(test_helpers) {
	struct nlattr *nest;

	begin(AF_INET);
	put_tuples();
	nest = mnl_attr_nest_start(nlh, CTA_HELP);
	mnl_attr_put(nlh, CTA_HELP_NAME, helpers[_i].len, helpers[_i].name);
	mnl_attr_nest_end(nlh, nest);
	ck_assert(decode());
	ck_assert_str_eq(ct.helper, helpers[_i].read);
}
END_TEST

/* A zone of one direction is told inside the tuple; that of the reply does not name the entry. */
START_TEST(test_zone_of_a_direction) {
	struct nlattr *tuple;

	begin(AF_INET);
	put_tuples();
	tuple = (void *)(data + NLMSG_LENGTH(sizeof(struct nfgenmsg)));
	ck_assert_uint_eq(mnl_attr_get_type(tuple), CTA_TUPLE_ORIG);
	begin(AF_INET);
	put_ipv4_tuple(CTA_TUPLE_REPLY, 0x090a0b0c, 0x01020304, 8080, 1000, IPPROTO_TCP);
	tuple = mnl_nlmsg_get_payload_tail(nlh);
	put_ipv4_tuple(CTA_TUPLE_ORIG, 0x01020304, 0x05060708, 1000, 80, IPPROTO_TCP);
	mnl_attr_put_u16(nlh, CTA_TUPLE_ZONE, htobe16(9));
	tuple->nla_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(nlh) - (char *)tuple);
	ck_assert(decode());
	assert_tuples();
	ck_assert_uint_eq(ct.zone, 9);
}
END_TEST

/* What is asked for an entry is what an entry is read from. */
START_TEST(test_key_round_trip) {
	struct rng r = rng_seed(fixture_seed());
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
					  IPPROTO_SCTP, IPPROTO_GRE, 50 };

	for (unsigned int i = 0; i < fixture_rounds(500); i++) {
		struct ct key = { .family = rng_chance(&r, 50) ? AF_INET : AF_INET6,
				  .proto = protos[rng_below(&r, ARRAY_LEN(protos))],
				  .zone = (uint16_t)rng_below(&r, 3) };
		struct ct_tuple *t = &key.tuple[CT_ORIG];
		struct nlattr *tuple;

		for (unsigned int j = 0; j < net_len(key.family); j++) {
			t->src.byte[j] = (uint8_t)rng_next(&r);
			t->dst.byte[j] = (uint8_t)rng_next(&r);
		}
		t->sport = (uint16_t)rng_next(&r);
		t->dport = (uint16_t)(ct_is_icmp(key.proto) ? rng_below(&r, 256) : rng_next(&r));
		t->icmp_code = (uint8_t)(ct_is_icmp(key.proto) ? rng_below(&r, 256) : 0);
		key.tuple[CT_REPLY] = *t;
		begin(key.family);
		tuple = mnl_nlmsg_get_payload_tail(nlh);
		ct_encode_key(nlh, &key);
		/* The same tuple once more, as that of the reply. */
		mnl_attr_put(nlh, CTA_TUPLE_REPLY, mnl_attr_get_payload_len(tuple),
			     mnl_attr_get_payload(tuple));
		ck_assert(decode());
		ck_assert_mem_eq(&ct, &key, sizeof(ct));
	}
}
END_TEST

/* ---- expected sessions ---- */

/* Of Linux 6.18: passive FTP through a virtual IP, and a call of PPTP through masquerade. */
static const uint8_t ftp_bytes[] = {
	0x30, 0x01, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x34, 0x00, 0x02, 0x80, 0x14, 0x00, 0x01, 0x80,
	0x08, 0x00, 0x01, 0x00, 0xcf, 0x66, 0x8a, 0x13, 0x08, 0x00, 0x02, 0x00, 0x14, 0x96,
	0xfc, 0x5b, 0x1c, 0x00, 0x02, 0x80, 0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,
	0x06, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x06, 0x00, 0x03, 0x00, 0xa1, 0x13,
	0x00, 0x00, 0x34, 0x00, 0x03, 0x80, 0x14, 0x00, 0x01, 0x80, 0x08, 0x00, 0x01, 0x00,
	0xff, 0xff, 0xff, 0xff, 0x08, 0x00, 0x02, 0x00, 0xff, 0xff, 0xff, 0xff, 0x1c, 0x00,
	0x02, 0x80, 0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x06, 0x00, 0x02, 0x00,
	0x00, 0x00, 0x00, 0x00, 0x06, 0x00, 0x03, 0x00, 0xff, 0xff, 0x00, 0x00, 0x34, 0x00,
	0x01, 0x80, 0x14, 0x00, 0x01, 0x80, 0x08, 0x00, 0x01, 0x00, 0xcf, 0x66, 0x8a, 0x13,
	0x08, 0x00, 0x02, 0x00, 0x14, 0x96, 0xfc, 0x5b, 0x1c, 0x00, 0x02, 0x80, 0x05, 0x00,
	0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x06, 0x00, 0x02, 0x00, 0xa6, 0x0a, 0x00, 0x00,
	0x06, 0x00, 0x03, 0x00, 0x00, 0x15, 0x00, 0x00, 0x40, 0x00, 0x0a, 0x80, 0x08, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x34, 0x00, 0x02, 0x80, 0x14, 0x00, 0x01, 0x80,
	0x08, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x02, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x1c, 0x00, 0x02, 0x80, 0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,
	0x06, 0x00, 0x02, 0x00, 0xa1, 0x13, 0x00, 0x00, 0x06, 0x00, 0x03, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x08, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x2b, 0x08, 0x00, 0x05, 0x00,
	0xa9, 0xda, 0x8e, 0x47, 0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00,
	0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x06, 0x00, 0x66, 0x74, 0x70, 0x00,
	0x16, 0x00, 0x0b, 0x00, 0x6e, 0x61, 0x74, 0x2d, 0x66, 0x6f, 0x6c, 0x6c, 0x6f, 0x77,
	0x2d, 0x6d, 0x61, 0x73, 0x74, 0x65, 0x72, 0x00, 0x00, 0x00,
};
static const uint8_t gre_bytes[] = {
	0x1c, 0x01, 0x00, 0x00, 0x00, 0x02, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x02, 0x00, 0x00, 0x00, 0x34, 0x00, 0x02, 0x80, 0x14, 0x00, 0x01, 0x80,
	0x08, 0x00, 0x01, 0x00, 0xac, 0x10, 0x89, 0x0f, 0x08, 0x00, 0x02, 0x00, 0xac, 0x10,
	0x88, 0x01, 0x1c, 0x00, 0x02, 0x80, 0x05, 0x00, 0x01, 0x00, 0x2f, 0x00, 0x00, 0x00,
	0x06, 0x00, 0x02, 0x00, 0x59, 0x20, 0x00, 0x00, 0x06, 0x00, 0x03, 0x00, 0x57, 0x96,
	0x00, 0x00, 0x34, 0x00, 0x03, 0x80, 0x14, 0x00, 0x01, 0x80, 0x08, 0x00, 0x01, 0x00,
	0xff, 0xff, 0xff, 0xff, 0x08, 0x00, 0x02, 0x00, 0xff, 0xff, 0xff, 0xff, 0x1c, 0x00,
	0x02, 0x80, 0x05, 0x00, 0x01, 0x00, 0x2f, 0x00, 0x00, 0x00, 0x06, 0x00, 0x02, 0x00,
	0xff, 0xff, 0x00, 0x00, 0x06, 0x00, 0x03, 0x00, 0xff, 0xff, 0x00, 0x00, 0x34, 0x00,
	0x01, 0x80, 0x14, 0x00, 0x01, 0x80, 0x08, 0x00, 0x01, 0x00, 0xac, 0x10, 0x89, 0x0f,
	0x08, 0x00, 0x02, 0x00, 0xac, 0x10, 0x88, 0x01, 0x1c, 0x00, 0x02, 0x80, 0x05, 0x00,
	0x01, 0x00, 0x06, 0x00, 0x00, 0x00, 0x06, 0x00, 0x02, 0x00, 0xb4, 0x12, 0x00, 0x00,
	0x06, 0x00, 0x03, 0x00, 0x06, 0xbb, 0x00, 0x00, 0x40, 0x00, 0x0a, 0x80, 0x08, 0x00,
	0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x34, 0x00, 0x02, 0x80, 0x14, 0x00, 0x01, 0x80,
	0x08, 0x00, 0x01, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00, 0x02, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x1c, 0x00, 0x02, 0x80, 0x05, 0x00, 0x01, 0x00, 0x06, 0x00, 0x00, 0x00,
	0x06, 0x00, 0x02, 0x00, 0xb4, 0x12, 0x00, 0x00, 0x06, 0x00, 0x03, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x08, 0x00, 0x04, 0x00, 0x00, 0x00, 0x01, 0x2b, 0x08, 0x00, 0x05, 0x00,
	0x67, 0xa9, 0xd5, 0xd6, 0x08, 0x00, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x08, 0x00,
	0x09, 0x00, 0x00, 0x00, 0x00, 0x00, 0x09, 0x00, 0x06, 0x00, 0x70, 0x70, 0x74, 0x70,
	0x00, 0x00, 0x00, 0x00,
};

static struct ct_expect expected;

/* The first len bytes of a message, with nothing behind them. */
static bool decode_expect(const uint8_t *bytes, size_t len) {
	AUTO_FREE char *copy = xreallocarray(NULL, len, 1);

	memcpy(copy, bytes, len);
	((struct nlmsghdr *)(void *)copy)->nlmsg_len = (uint32_t)len;
	memset(&expected, 0xee, sizeof(expected));
	return ct_decode_expect((const void *)copy, &expected);
}

static void assert_tuple(const struct ct_tuple *t, const char *src, uint16_t sport, const char *dst,
			 uint16_t dport) {
	union net_addr want;

	ck_assert(net_parse(AF_INET, src, &want) && net_equal(&want, &t->src));
	ck_assert(net_parse(AF_INET, dst, &want) && net_equal(&want, &t->dst));
	ck_assert_uint_eq(t->sport, sport);
	ck_assert_uint_eq(t->dport, dport);
}

START_TEST(test_expect_ftp) {
	ck_assert(decode_expect(ftp_bytes, sizeof(ftp_bytes)));
	ck_assert_uint_eq(expected.family, AF_INET);
	ck_assert_uint_eq(expected.proto, IPPROTO_TCP);
	ck_assert_uint_eq(expected.master_proto, IPPROTO_TCP);
	assert_tuple(&expected.tuple, "207.102.138.19", 0, "20.150.252.91", 41235);
	assert_tuple(&expected.mask, "255.255.255.255", 0, "255.255.255.255", 65535);
	assert_tuple(&expected.master, "207.102.138.19", 42506, "20.150.252.91", 21);
	ck_assert(expected.has_nat);
	ck_assert_int_eq(expected.nat_dir, CT_ORIG);
	assert_tuple(&expected.nat, "0.0.0.0", 41235, "0.0.0.0", 0);
	ck_assert_uint_eq(expected.timeout, 299);
	ck_assert_uint_eq(expected.id, 0xa9da8e47);
	ck_assert_uint_eq(expected.zone, 0);
	ck_assert_uint_eq(expected.flags, 0);
	ck_assert_uint_eq(expected.class, 0);
	ck_assert_str_eq(expected.helper, "ftp");
	ck_assert_str_eq(expected.fn, "nat-follow-master");
}
END_TEST

/* Keys are where ports are, and belong to another protocol than the master's. */
START_TEST(test_expect_gre) {
	ck_assert(decode_expect(gre_bytes, sizeof(gre_bytes)));
	ck_assert_uint_eq(expected.proto, IPPROTO_GRE);
	ck_assert_uint_eq(expected.master_proto, IPPROTO_TCP);
	assert_tuple(&expected.tuple, "172.16.137.15", 22816, "172.16.136.1", 22422);
	assert_tuple(&expected.mask, "255.255.255.255", 65535, "255.255.255.255", 65535);
	assert_tuple(&expected.master, "172.16.137.15", 46098, "172.16.136.1", 1723);
	ck_assert_uint_eq(expected.nat.sport, 46098);
	ck_assert_str_eq(expected.helper, "pptp");
	ck_assert_str_eq(expected.fn, "");
}
END_TEST

/* Cut anywhere: taken once the three tuples are there, and nothing behind the end is read. */
START_TEST(test_expect_cut) {
	const size_t tuples = NLMSG_LENGTH(sizeof(struct nfgenmsg)) + 3 * 52;

	for (size_t len = NLMSG_HDRLEN; len < sizeof(ftp_bytes); len++)
		ck_assert_msg(decode_expect(ftp_bytes, len) == (len >= tuples), "%zu bytes", len);
	ck_assert(decode_expect(ftp_bytes, tuples));
	ck_assert(!expected.has_nat);
	ck_assert_str_eq(expected.helper, "");
	ck_assert_str_eq(expected.fn, "");
	ck_assert_uint_eq(expected.timeout, 0);
}
END_TEST

/* What the kernel of that time had not: zone, flags, the other direction, an endless name. */
START_TEST(test_expect_more) {
	struct nlattr *nat;

	memcpy(data, ftp_bytes, sizeof(ftp_bytes));
	nlh = (void *)data;
	mnl_attr_put_u16(nlh, CTA_EXPECT_ZONE, htobe16(7));
	put_u32(CTA_EXPECT_FLAGS, 5);
	put_u32(CTA_EXPECT_CLASS, 3);
	nat = mnl_attr_nest_start(nlh, CTA_EXPECT_NAT);
	put_u32(CTA_EXPECT_NAT_DIR, 1);
	put_ipv4_tuple(CTA_EXPECT_NAT_TUPLE, 0x01020304, 0, 99, 0, IPPROTO_TCP);
	mnl_attr_nest_end(nlh, nat);
	mnl_attr_put_strz(nlh, CTA_EXPECT_FN, "a name that is longer than any of them, with \n");
	mnl_attr_put_strz(nlh, CTA_EXPECT_HELP_NAME, "a\n");
	ck_assert(ct_decode_expect(nlh, &expected));
	ck_assert_uint_eq(expected.zone, 7);
	ck_assert_uint_eq(expected.flags, 5);
	ck_assert_uint_eq(expected.class, 3);
	ck_assert_int_eq(expected.nat_dir, CT_REPLY);
	assert_tuple(&expected.nat, "1.2.3.4", 99, "0.0.0.0", 0);
	ck_assert_str_eq(expected.fn, "a?name?that?is?longer?than?any?");
	ck_assert_str_eq(expected.helper, "a?");
}
END_TEST

/* An entry is none, nor is one of an unknown family; and it is no entry. */
START_TEST(test_not_expected) {
	struct nfgenmsg *g;

	begin(AF_INET);
	put_tuples();
	ck_assert(!ct_decode_expect(nlh, &expected));
	memcpy(data, ftp_bytes, sizeof(ftp_bytes));
	ck_assert(ct_decode_expect(nlh, &expected));
	ck_assert(!decode());
	g = mnl_nlmsg_get_payload(nlh);
	g->nfgen_family = AF_INET6;
	ck_assert_msg(!ct_decode_expect(nlh, &expected), "its addresses are IPv4");
	g->nfgen_family = AF_UNSPEC;
	ck_assert(!ct_decode_expect(nlh, &expected));
}
END_TEST

/* ---- entries that come twice ---- */

#define BUCKETS 40

/* A table as the kernel has it: entries in buckets, new ones in front. */
struct bucket {
	uint32_t id[CT_BUCKET_MAX];
	unsigned int n;
};

static struct bucket table[BUCKETS];

static void bucket_remove(struct bucket *b, unsigned int i) {
	memmove(&b->id[i], &b->id[i + 1], (--b->n - i) * sizeof(b->id[0]));
}

static void bucket_add(struct bucket *b, uint32_t id) {
	if (b->n == CT_BUCKET_MAX)
		return;
	memmove(&b->id[1], &b->id[0], b->n++ * sizeof(b->id[0]));
	b->id[0] = id;
}

struct walk {
	unsigned int bucket;
	uint32_t last;             /* entry to go on with; 0: the start of the bucket */
	unsigned int come[65536];  /* how often each entry was handed on */
};

static void hand_on(struct ct_recent *recent, struct walk *w, uint32_t id) {
	struct ct entry = { .id = id, .family = AF_INET };

	if (!ct_recent_again(recent, &entry))
		w->come[id]++;
}

/* One datagram with room for `room` entries, by the rules of the kernel; false at the end. */
static bool walk_on(struct walk *w, struct ct_recent *recent, unsigned int room) {
	ct_recent_datagram(recent);
	for (; w->bucket < BUCKETS; w->bucket++) {
		const struct bucket *b = &table[w->bucket];
		unsigned int i = 0;

		while (w->last && i < b->n && b->id[i] != w->last)
			i++;
		if (w->last && i == b->n)
			i = 0;
		w->last = 0;
		for (; i < b->n; i++) {
			if (room-- == 0) {
				w->last = b->id[i];
				return true;
			}
			hand_on(recent, w, b->id[i]);
		}
	}
	return false;
}

/* Entries up to `stable` live all the time, others come and go between datagrams. */
static void churn(struct rng *r, uint32_t stable, uint32_t *next) {
	for (int i = 0; i < 60; i++) {
		struct bucket *b = &table[rng_below(r, BUCKETS)];
		unsigned int at = b->n ? rng_below(r, b->n) : 0;

		if (rng_chance(r, 50) && *next < 65535)
			bucket_add(b, (*next)++);
		else if (b->n && b->id[at] > stable)
			bucket_remove(b, at);
	}
}

START_TEST(test_twice) {
	static struct walk w;
	const uint32_t stable = 600;

	for (unsigned int round = 0; round < fixture_rounds(300); round++) {
		struct rng r = rng_seed(fixture_seed() * 1000 + round);
		static struct ct_recent recent;
		uint32_t next = stable + 1, id = 1;
		unsigned int room = 1 + rng_below(&r, 200);

		recent = (struct ct_recent){ .n = 0 };
		w = (struct walk){ .bucket = 0 };
		memset(table, 0, sizeof(table));
		/* Old ones, that go, lie behind young ones, that stay. */
		for (int i = 0; i < 20; i++)
			churn(&r, stable, &next);
		while (id <= stable)
			bucket_add(&table[rng_below(&r, BUCKETS)], id++);
		for (uint32_t i = 0; walk_on(&w, &recent, room) && i < 5000; i++)
			churn(&r, stable, &next);
		ck_assert_uint_eq(w.bucket, BUCKETS);
		for (id = 1; id <= stable; id++)
			ck_assert_msg(w.come[id] == 1, "entry %u came %u times, seed %llu", id,
				      w.come[id], (unsigned long long)fixture_seed());
		for (; id < next; id++)
			ck_assert_uint_le(w.come[id], 1);
	}
}
END_TEST

static Suite *ct_suite(void) {
	Suite *s = suite_create("ct");
	TCase *t = fixture_case(s, "ct");

	tcase_add_test(t, test_whole);
	tcase_add_test(t, test_half_a_master);
	tcase_add_test(t, test_bare);
	tcase_add_test(t, test_not_an_entry);
	tcase_add_test(t, test_cut);
	tcase_add_test(t, test_short_attributes);
	tcase_add_loop_test(t, test_helpers, 0, ARRAY_LEN(helpers));
	tcase_add_test(t, test_zone_of_a_direction);
	tcase_add_test(t, test_key_round_trip);
	tcase_add_test(t, test_expect_ftp);
	tcase_add_test(t, test_expect_gre);
	tcase_add_test(t, test_expect_cut);
	tcase_add_test(t, test_expect_more);
	tcase_add_test(t, test_not_expected);
	tcase_add_test(t, test_twice);
	return s;
}

int main(void) {
	return fixture_run(ct_suite());
}
