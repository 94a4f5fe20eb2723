/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From statements to the kernel's expressions, and from sets to their description. This is one of
 * two files that know libnftnl: here what a rule or set is made of, in nft_netlink.c how batches
 * are put together, sent and answered.
 *
 * Each statement becomes the expressions that nft(8) makes of the same text, down to the checks of
 * protocol it puts before a match, so that `nft list` shows our table as if it had been written by
 * hand. A field is loaded into register 1 or, in keys of several fields, into the next registers of
 * four bytes.
 */
#include "backends/nft_encode.h"

#include <arpa/inet.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/object.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/udata.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

/* Numbers that nft(8) gives its data types, and the order of bytes it notes for them. */
enum {
	TYPE_IPV4_ADDR = 7,
	TYPE_INET_PROTO = 12,
	TYPE_INET_SERVICE = 13,
	TYPE_MARK = 19,
	TYPE_IFNAME = 41,
};
#define LABEL_LEN 16 /* bytes of ct label */

enum { ORDER_NONE, ORDER_HOST, ORDER_NETWORK };

#define META(k, n) .expr = "meta", .key = k, .len = n
#define CT(k, n) .expr = "ct", .key = k, .len = n
#define FIB(k, n) .expr = "fib", .key = k, .len = n
#define IP_HEADER(o, n) .expr = "payload", .base = NFT_PAYLOAD_NETWORK_HEADER, .offset = o, .len = n
#define L4_HEADER(o, n) \
	.expr = "payload", .base = NFT_PAYLOAD_TRANSPORT_HEADER, .offset = o, .len = n
#define TYPE(t, o) .type = TYPE_##t, .order = ORDER_##o
#define OF_ICMP .nfproto = NFPROTO_IPV4, .l4proto = IPPROTO_ICMP
#define OF_ICMP6 .nfproto = NFPROTO_IPV6, .l4proto = IPPROTO_ICMPV6

/* How a field is loaded: from the packet (base, offset), or by a key of meta, ct or fib (flags). */
static const struct field_load {
	const char *expr;
	uint8_t base, offset, len;
	uint8_t key, flags;
	uint8_t type, order;
	uint8_t nfproto, l4proto; /* checked before the field is loaded; 0: nothing */
} loads[FIELD_COUNT] = {
	[FIELD_IIFNAME] = { META(NFT_META_IIFNAME, 16), TYPE(IFNAME, HOST) },
	[FIELD_OIFNAME] = { META(NFT_META_OIFNAME, 16), TYPE(IFNAME, HOST) },
	[FIELD_NFPROTO] = { META(NFT_META_NFPROTO, 1) },
	[FIELD_L4PROTO] = { META(NFT_META_L4PROTO, 1), TYPE(INET_PROTO, NETWORK) },
	[FIELD_SADDR] = { IP_HEADER(12, 4), TYPE(IPV4_ADDR, NETWORK), .nfproto = NFPROTO_IPV4 },
	[FIELD_DADDR] = { IP_HEADER(16, 4), TYPE(IPV4_ADDR, NETWORK), .nfproto = NFPROTO_IPV4 },
	[FIELD_SPORT] = { L4_HEADER(0, 2), TYPE(INET_SERVICE, NETWORK) },
	[FIELD_DPORT] = { L4_HEADER(2, 2), TYPE(INET_SERVICE, NETWORK) },
	[FIELD_ICMP_TYPE] = { L4_HEADER(0, 1), OF_ICMP },
	[FIELD_ICMP_CODE] = { L4_HEADER(1, 1), OF_ICMP },
	[FIELD_ICMP6_TYPE] = { L4_HEADER(0, 1), OF_ICMP6 },
	[FIELD_CT_STATE] = { CT(NFT_CT_STATE, 4) },
	[FIELD_CT_STATUS] = { CT(NFT_CT_STATUS, 4) },
	[FIELD_CT_MARK] = { CT(NFT_CT_MARK, 4), TYPE(MARK, HOST) },
	[FIELD_CT_DIRECTION] = { CT(NFT_CT_DIRECTION, 1) },
	[FIELD_TCP_FLAGS] = { L4_HEADER(13, 1), .l4proto = IPPROTO_TCP },
	[FIELD_PACKET_TYPE] = { META(NFT_META_PKTTYPE, 1) },
	[FIELD_PACKET_MARK] = { META(NFT_META_MARK, 4) },
	[FIELD_DADDR_TYPE] = { FIB(NFT_FIB_RESULT_ADDRTYPE, 4), .flags = NFTA_FIB_F_DADDR },
	[FIELD_SADDR6_0] = { IP_HEADER(8, 4) },
	[FIELD_SADDR6_1] = { IP_HEADER(12, 4) },
	[FIELD_SADDR6_2] = { IP_HEADER(16, 4) },
	[FIELD_SADDR6_3] = { IP_HEADER(20, 4) },
	[FIELD_WAY_BACK] = { FIB(NFT_FIB_RESULT_OIF, 4),
			     .flags = NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF | NFTA_FIB_F_PRESENT },
};

/* A rule under construction: what has been checked already need not be checked again. */
struct encoder {
	struct nftnl_rule *rule;
	uint8_t nfproto, l4proto;
};

/* What libnftnl allocated; out of memory ends the process, as everywhere. */
static void *needed(void *p) {
	if (!p)
		xcalloc(SIZE_MAX, 1);
	return p;
}

static struct nftnl_expr *expr_add(struct encoder *e, const char *name) {
	struct nftnl_expr *x = needed(nftnl_expr_alloc(name));

	nftnl_rule_add_expr(e->rule, x);
	return x;
}

static void encode_cmp(struct encoder *e, uint32_t op, const void *data, uint32_t len) {
	struct nftnl_expr *x = expr_add(e, "cmp");

	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(x, NFTNL_EXPR_CMP_DATA, data, len);
}

static void encode_load(struct encoder *e, enum rule_field f, uint32_t reg) {
	const struct field_load *l = &loads[f];
	struct nftnl_expr *x = expr_add(e, l->expr);

	if (strcmp(l->expr, "payload") == 0) {
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_DREG, reg);
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, l->base);
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, l->offset);
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, l->len);
	} else if (strcmp(l->expr, "meta") == 0) {
		nftnl_expr_set_u32(x, NFTNL_EXPR_META_DREG, reg);
		nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, l->key);
	} else if (strcmp(l->expr, "ct") == 0) {
		nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, reg);
		nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, l->key);
	} else {
		nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_DREG, reg);
		nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_RESULT, l->key);
		nftnl_expr_set_u32(x, NFTNL_EXPR_FIB_FLAGS, l->flags);
	}
}

/* The checks that make sense of a field: IPv4, and the protocol whose header it is in. */
static void encode_check(struct encoder *e, enum rule_field f) {
	const struct field_load *l = &loads[f];

	if (l->nfproto && e->nfproto != l->nfproto) {
		encode_load(e, FIELD_NFPROTO, NFT_REG_1);
		encode_cmp(e, NFT_CMP_EQ, &l->nfproto, 1);
		e->nfproto = l->nfproto;
	}
	if (l->l4proto && e->l4proto != l->l4proto) {
		encode_load(e, FIELD_L4PROTO, NFT_REG_1);
		encode_cmp(e, NFT_CMP_EQ, &l->l4proto, 1);
		e->l4proto = l->l4proto;
	}
}

/* Value of a field as it lies in the register after loading; returns its length. */
static uint32_t field_bytes(enum rule_field f, uint32_t v, const char *name,
			    unsigned char out[IFNAMSIZ]) {
	uint16_t port = htons((uint16_t)v);
	uint32_t addr = htonl(v);

	memset(out, 0, IFNAMSIZ);
	switch (f) {
	case FIELD_IIFNAME:
	case FIELD_OIFNAME:
		memcpy(out, name, strnlen(name, IFNAMSIZ - 1));
		break;
	case FIELD_SADDR:
	case FIELD_DADDR:
	case FIELD_SADDR6_0:
	case FIELD_SADDR6_1:
	case FIELD_SADDR6_2:
	case FIELD_SADDR6_3:
		memcpy(out, &addr, 4);
		break;
	case FIELD_SPORT:
	case FIELD_DPORT:
		memcpy(out, &port, 2);
		break;
	default:
		if (loads[f].len == 1)
			out[0] = (unsigned char)v;
		else
			memcpy(out, &v, 4);
		break;
	}
	return loads[f].len;
}

static void encode_not_range(struct encoder *e, const struct stmt *s, uint32_t len) {
	struct nftnl_expr *x = expr_add(e, "range");
	unsigned char bytes[IFNAMSIZ];

	nftnl_expr_set_u32(x, NFTNL_EXPR_RANGE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_RANGE_OP, NFT_RANGE_NEQ);
	field_bytes(s->field[0], s->a, NULL, bytes);
	nftnl_expr_set(x, NFTNL_EXPR_RANGE_FROM_DATA, bytes, len);
	field_bytes(s->field[0], s->b, NULL, bytes);
	nftnl_expr_set(x, NFTNL_EXPR_RANGE_TO_DATA, bytes, len);
}

/* Marks lie in host order: before they are compared by size they are turned round. */
static void encode_compare(struct encoder *e, const struct stmt *s) {
	static const uint32_t ops[] = { [MATCH_EQ] = NFT_CMP_EQ, [MATCH_NE] = NFT_CMP_NEQ,
					[MATCH_GT] = NFT_CMP_GT, [MATCH_LT] = NFT_CMP_LT };
	enum rule_field f = s->field[0];
	unsigned char bytes[IFNAMSIZ];
	uint32_t len, swapped = htonl(s->a);
	struct nftnl_expr *x;

	encode_check(e, f);
	encode_load(e, f, NFT_REG_1);
	if (f == FIELD_CT_MARK && s->op != MATCH_EQ && s->op != MATCH_NE) {
		x = expr_add(e, "byteorder");
		nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_SREG, NFT_REG_1);
		nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_DREG, NFT_REG_1);
		nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_OP, NFT_BYTEORDER_HTON);
		nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_LEN, 4);
		nftnl_expr_set_u32(x, NFTNL_EXPR_BYTEORDER_SIZE, 4);
		encode_cmp(e, ops[s->op], &swapped, 4);
		return;
	}
	len = field_bytes(f, s->a, s->name, bytes);
	if (s->op == MATCH_NOT_RANGE) {
		encode_not_range(e, s, len);
		return;
	}
	if (s->op != MATCH_RANGE) {
		encode_cmp(e, ops[s->op], bytes, len);
		if (s->op == MATCH_EQ && f == FIELD_NFPROTO)
			e->nfproto = (uint8_t)s->a;
		if (s->op == MATCH_EQ && f == FIELD_L4PROTO)
			e->l4proto = (uint8_t)s->a;
		return;
	}
	encode_cmp(e, NFT_CMP_GTE, bytes, len);
	field_bytes(f, s->b, NULL, bytes);
	encode_cmp(e, NFT_CMP_LTE, bytes, len);
}

static const unsigned char zeros[LABEL_LEN];

/* Only the bits of a mask stay in register 1. */
static void encode_mask(struct encoder *e, const void *mask, uint32_t len) {
	struct nftnl_expr *x = expr_add(e, "bitwise");

	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_OP, NFT_BITWISE_BOOL);
	nftnl_expr_set_u32(x, NFTNL_EXPR_BITWISE_LEN, len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_MASK, mask, len);
	nftnl_expr_set(x, NFTNL_EXPR_BITWISE_XOR, zeros, len);
}

static void encode_bits(struct encoder *e, const struct stmt *s) {
	unsigned char bytes[IFNAMSIZ];
	uint32_t len = field_bytes(s->field[0], s->a, NULL, bytes);

	encode_check(e, s->field[0]);
	encode_load(e, s->field[0], NFT_REG_1);
	encode_mask(e, bytes, len);
	encode_cmp(e, NFT_CMP_NEQ, zeros, len);
}

/* The kernel keeps labels as words in host order. One bit that is to be set: as nft has it. */
static void encode_label(struct encoder *e, const struct stmt *s) {
	bool one = s->b == s->a && __builtin_popcount(s->a) == 1;
	const uint64_t mask[] = { s->a, 0 }, value[] = { s->b, 0 };
	struct nftnl_expr *x = expr_add(e, "ct");

	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, NFT_CT_LABELS);
	encode_mask(e, mask, LABEL_LEN);
	if (one)
		encode_cmp(e, NFT_CMP_NEQ, zeros, LABEL_LEN);
	else
		encode_cmp(e, NFT_CMP_EQ, value, LABEL_LEN);
}

/* Load the fields of a key side by side; a register of 16 bytes is four of 4. */
static void encode_key(struct encoder *e, const struct stmt *s) {
	uint32_t reg = NFT_REG32_00;

	for (int i = 0; i < RULESET_FIELDS_MAX && s->field[i] != FIELD_NONE; i++)
		encode_check(e, s->field[i]);
	for (int i = 0; i < RULESET_FIELDS_MAX && s->field[i] != FIELD_NONE; i++) {
		encode_load(e, s->field[i], reg == NFT_REG32_00 ? (uint32_t)NFT_REG_1 : reg);
		reg += field_key_len(s->field[i]) / 4;
	}
}

static void encode_lookup(struct encoder *e, const struct stmt *s) {
	struct nftnl_expr *x;

	encode_key(e, s);
	x = expr_add(e, "lookup");
	nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(x, NFTNL_EXPR_LOOKUP_SET, s->name);
	if (s->op == STMT_VMAP)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_VERDICT);
	else if (s->op == STMT_MARK_MAP || s->op == STMT_DNAT_MAP)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
	if (s->op == MATCH_NOT_SET)
		nftnl_expr_set_u32(x, NFTNL_EXPR_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
}

static void encode_limit(struct encoder *e, const struct stmt *s) {
	struct nftnl_expr *x = expr_add(e, "limit");

	nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_RATE, s->a);
	nftnl_expr_set_u64(x, NFTNL_EXPR_LIMIT_UNIT, 1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_BURST, s->b);
	nftnl_expr_set_u32(x, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
}

static void encode_log(struct encoder *e, const struct stmt *s) {
	struct nftnl_expr *x = expr_add(e, "log");

	nftnl_expr_set_u16(x, NFTNL_EXPR_LOG_GROUP, (uint16_t)s->a);
	nftnl_expr_set_str(x, NFTNL_EXPR_LOG_PREFIX, s->name);
}

static void encode_immediate(struct encoder *e, uint32_t reg, const void *data, uint32_t len) {
	struct nftnl_expr *x = expr_add(e, "immediate");

	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, reg);
	nftnl_expr_set(x, NFTNL_EXPR_IMM_DATA, data, len);
}

static void encode_set_meta(struct encoder *e, uint32_t key) {
	struct nftnl_expr *x = expr_add(e, "meta");

	nftnl_expr_set_u32(x, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

/* The same of one byte. */
static void encode_set_meta_byte(struct encoder *e, uint32_t key, uint8_t value) {
	encode_immediate(e, NFT_REG_1, &value, sizeof(value));
	encode_set_meta(e, key);
}

static void encode_packet_mark(struct encoder *e, const struct stmt *s) {
	if (s->field[0] == FIELD_CT_MARK)
		encode_load(e, FIELD_CT_MARK, NFT_REG_1);
	else
		encode_immediate(e, NFT_REG_1, &s->a, sizeof(s->a));
	encode_set_meta(e, NFT_META_MARK);
}

/*
 * As nft(8) does, the checksum of IP is kept right; the packet is dropped, so that of TCP is not.
 */
static void encode_restore(struct encoder *e, const struct stmt *s) {
	const struct field_load *l = &loads[s->field[0]];
	bool addr = s->field[0] == FIELD_DADDR;
	struct nftnl_expr *x;

	encode_check(e, s->field[0]);
	x = expr_add(e, "ct");
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, addr ? NFT_CT_DST_IP : NFT_CT_PROTO_DST);
	nftnl_expr_set_u8(x, NFTNL_EXPR_CT_DIR, IP_CT_DIR_ORIGINAL);
	x = expr_add(e, "payload");
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_SREG, NFT_REG_1);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_BASE, l->base);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_OFFSET, l->offset);
	nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_LEN, l->len);
	if (addr) {
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_CSUM_TYPE, NFT_PAYLOAD_CSUM_INET);
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_CSUM_OFFSET,
				   offsetof(struct iphdr, check));
		nftnl_expr_set_u32(x, NFTNL_EXPR_PAYLOAD_FLAGS, NFT_PAYLOAD_L4CSUM_PSEUDOHDR);
	}
}

/* Register 1 into the connection. */
static void encode_set_ct(struct encoder *e, uint32_t key) {
	struct nftnl_expr *x = expr_add(e, "ct");

	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(x, NFTNL_EXPR_CT_SREG, NFT_REG_1);
}

static void encode_set_label(struct encoder *e, const struct stmt *s) {
	const uint64_t bits[] = { s->a, 0 };

	encode_immediate(e, NFT_REG_1, bits, LABEL_LEN);
	encode_set_ct(e, NFT_CT_LABELS);
}

static void encode_object(struct encoder *e, uint32_t type, const char *name) {
	struct nftnl_expr *x = expr_add(e, "objref");

	nftnl_expr_set_u32(x, NFTNL_EXPR_OBJREF_IMM_TYPE, type);
	nftnl_expr_set_str(x, NFTNL_EXPR_OBJREF_IMM_NAME, name);
}

/* The address is in register 1; proto_reg holds the port, 0: it stays. */
static void encode_nat(struct encoder *e, uint32_t proto_reg, uint32_t flags) {
	struct nftnl_expr *x = expr_add(e, "nat");

	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_FAMILY, NFPROTO_IPV4);
	nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	if (proto_reg)
		nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_REG_PROTO_MIN, proto_reg);
	if (flags)
		nftnl_expr_set_u32(x, NFTNL_EXPR_NAT_FLAGS, flags);
}

static void encode_dnat(struct encoder *e, const struct stmt *s) {
	uint32_t addr = htonl(s->a);
	uint16_t port = htons((uint16_t)s->b);

	if (s->op == STMT_DNAT_MAP) {
		encode_lookup(e, s);
		encode_nat(e, s->b ? NFT_REG32_01 : 0, 0);
		return;
	}
	encode_immediate(e, NFT_REG_1, &addr, sizeof(addr));
	if (s->b)
		encode_immediate(e, NFT_REG_2, &port, sizeof(port));
	encode_nat(e, s->b ? (uint32_t)NFT_REG_2 : 0, s->b ? NF_NAT_RANGE_PROTO_SPECIFIED : 0);
}

static void encode_verdict(struct encoder *e, const struct stmt *s) {
	static const int32_t verdicts[] = {
		[STMT_ACCEPT] = NF_ACCEPT, [STMT_DROP] = NF_DROP, [STMT_RETURN] = NFT_RETURN,
		[STMT_JUMP] = NFT_JUMP, [STMT_GOTO] = NFT_GOTO,
	};
	struct nftnl_expr *x = expr_add(e, "immediate");

	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(x, NFTNL_EXPR_IMM_VERDICT, (uint32_t)verdicts[s->op]);
	if (s->op == STMT_JUMP || s->op == STMT_GOTO)
		nftnl_expr_set_str(x, NFTNL_EXPR_IMM_CHAIN, s->name);
}

static void encode_stmt(struct encoder *e, const struct stmt *s) {
	switch ((enum stmt_op)s->op) {
	case MATCH_BITS:
		encode_bits(e, s);
		break;
	case MATCH_SET:
	case MATCH_NOT_SET:
	case STMT_VMAP:
		encode_lookup(e, s);
		break;
	case MATCH_LABEL:
		encode_label(e, s);
		break;
	case MATCH_LIMIT:
		encode_limit(e, s);
		break;
	case STMT_MARK_MAP:
		encode_lookup(e, s);
		encode_set_ct(e, NFT_CT_MARK);
		break;
	case STMT_MARK:
		encode_immediate(e, NFT_REG_1, &s->a, sizeof(s->a));
		encode_set_ct(e, NFT_CT_MARK);
		break;
	case STMT_LABEL:
		encode_set_label(e, s);
		break;
	case STMT_TIMEOUT:
		encode_object(e, NFT_OBJECT_CT_TIMEOUT, s->name);
		break;
	case STMT_HELPER:
		encode_object(e, NFT_OBJECT_CT_HELPER, s->name);
		break;
	case STMT_DNAT:
	case STMT_DNAT_MAP:
		encode_dnat(e, s);
		break;
	case STMT_MASQUERADE:
		expr_add(e, "masq");
		break;
	case STMT_LOG:
		encode_log(e, s);
		break;
	case STMT_PACKET_MARK:
		encode_packet_mark(e, s);
		break;
	case STMT_RESTORE:
		encode_restore(e, s);
		break;
	case STMT_TO_HOST:
		encode_set_meta_byte(e, NFT_META_PKTTYPE, PACKET_TYPE_HOST);
		break;
	case STMT_NOTRACK:
		expr_add(e, "notrack");
		break;
	case STMT_TRACE:
		encode_set_meta_byte(e, NFT_META_NFTRACE, 1);
		break;
	case STMT_ACCEPT:
	case STMT_DROP:
	case STMT_RETURN:
	case STMT_JUMP:
	case STMT_GOTO:
		encode_verdict(e, s);
		break;
	default:
		encode_compare(e, s);
		break;
	}
}

void nft_encode_rule(struct nlmsghdr *nlh, const char *table, const struct chain *c, uint32_t i) {
	struct encoder e = { .rule = needed(nftnl_rule_alloc()) };

	nftnl_rule_set_str(e.rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(e.rule, NFTNL_RULE_CHAIN, c->name);
	for (uint32_t j = 0; j < c->rules[i].n; j++)
		encode_stmt(&e, &c->stmts[c->rules[i].first + j]);
	nftnl_rule_nlmsg_build_payload(nlh, e.rule);
	nftnl_rule_free(e.rule);
}

void nft_encode_flush(struct nlmsghdr *nlh, const char *table, const char *chain) {
	struct nftnl_rule *r = needed(nftnl_rule_alloc());

	nftnl_rule_set_str(r, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(r, NFTNL_RULE_CHAIN, chain);
	nftnl_rule_nlmsg_build_payload(nlh, r);
	nftnl_rule_free(r);
}

void nft_encode_chain(struct nlmsghdr *nlh, const char *table, const struct chain *c) {
	static const uint32_t hooks[] = {
		[HOOK_PREROUTING] = NF_INET_PRE_ROUTING, [HOOK_INPUT] = NF_INET_LOCAL_IN,
		[HOOK_FORWARD] = NF_INET_FORWARD, [HOOK_OUTPUT] = NF_INET_LOCAL_OUT,
		[HOOK_POSTROUTING] = NF_INET_POST_ROUTING,
	};
	struct nftnl_chain *x = needed(nftnl_chain_alloc());

	nftnl_chain_set_str(x, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(x, NFTNL_CHAIN_NAME, c->name);
	if (c->type != CHAIN_PLAIN) {
		nftnl_chain_set_str(x, NFTNL_CHAIN_TYPE, c->type == CHAIN_NAT ? "nat" : "filter");
		nftnl_chain_set_u32(x, NFTNL_CHAIN_HOOKNUM, hooks[c->hook]);
		nftnl_chain_set_s32(x, NFTNL_CHAIN_PRIO, c->priority);
		nftnl_chain_set_u32(x, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	}
	nftnl_chain_nlmsg_build_payload(nlh, x);
	nftnl_chain_free(x);
}

unsigned int nft_key_len(const struct set *set) {
	return set->n_fields == 1 ? loads[set->field[0]].len : set->key_len;
}

static void set_describe_key(struct nftnl_set *x, const struct set *set) {
	uint32_t type = 0;

	for (unsigned int i = 0; i < set->n_fields; i++)
		type = type << 6 | loads[set->field[i]].type;
	nftnl_set_set_u32(x, NFTNL_SET_KEY_TYPE, type);
	nftnl_set_set_u32(x, NFTNL_SET_KEY_LEN, nft_key_len(set));
}

static void set_describe_data(struct nftnl_set *x, const struct set *set) {
	static const struct { uint32_t type, len; } kinds[] = {
		[DATA_VERDICT] = { NFT_DATA_VERDICT, 16 }, [DATA_MARK] = { TYPE_MARK, 4 },
		[DATA_ADDR] = { TYPE_IPV4_ADDR, 4 },
		[DATA_ADDR_PORT] = { TYPE_IPV4_ADDR << 6 | TYPE_INET_SERVICE, 8 },
	};

	nftnl_set_set_u32(x, NFTNL_SET_DATA_TYPE, kinds[set->data].type);
	nftnl_set_set_u32(x, NFTNL_SET_DATA_LEN, kinds[set->data].len);
}

/* What nft(8) keeps beside a set so that it can print it. */
static void set_describe_order(struct nftnl_set *x, const struct set *set) {
	static const uint32_t data_orders[] = { [DATA_VERDICT] = ORDER_NONE,
						[DATA_MARK] = ORDER_HOST,
						[DATA_ADDR] = ORDER_NETWORK,
						[DATA_ADDR_PORT] = ORDER_NONE };
	struct nftnl_udata_buf *u = needed(nftnl_udata_buf_alloc(64));

	nftnl_udata_put_u32(u, NFTNL_UDATA_SET_KEYBYTEORDER,
			    set->n_fields == 1 ? loads[set->field[0]].order : ORDER_NONE);
	if (set->data != DATA_NONE)
		nftnl_udata_put_u32(u, NFTNL_UDATA_SET_DATABYTEORDER, data_orders[set->data]);
	nftnl_set_set_data(x, NFTNL_SET_USERDATA, nftnl_udata_buf_data(u), nftnl_udata_buf_len(u));
	nftnl_udata_buf_free(u);
}

void nft_encode_set(struct nlmsghdr *nlh, const char *table, const struct set *set, uint32_t id) {
	struct nftnl_set *x = needed(nftnl_set_alloc());
	uint32_t flags = 0;

	nftnl_set_set_str(x, NFTNL_SET_TABLE, table);
	nftnl_set_set_str(x, NFTNL_SET_NAME, set->name);
	if (nlh->nlmsg_flags & NLM_F_CREATE) {
		flags |= set->flags & SET_INTERVAL ? NFT_SET_INTERVAL : 0;
		flags |= set->data != DATA_NONE ? NFT_SET_MAP : 0;
		nftnl_set_set_u32(x, NFTNL_SET_FLAGS, flags);
		nftnl_set_set_u32(x, NFTNL_SET_ID, id);
		set_describe_key(x, set);
		if (set->data != DATA_NONE)
			set_describe_data(x, set);
		set_describe_order(x, set);
		if (set->flags & SET_COUNTER)
			nftnl_set_add_expr(x, needed(nftnl_expr_alloc("counter")));
	}
	nftnl_set_nlmsg_build_payload(nlh, x);
	nftnl_set_free(x);
}

/* libnftnl's places of timeouts are ours: it takes the whole array. */
_Static_assert((int)CT_TCP_ESTABLISHED == (int)NFTNL_CTTIMEOUT_TCP_ESTABLISHED &&
		       (int)CT_TCP_CLOSE == (int)NFTNL_CTTIMEOUT_TCP_CLOSE &&
		       (int)CT_TCP_UNACK == (int)NFTNL_CTTIMEOUT_TCP_UNACK &&
		       (int)CT_UDP_REPLIED == (int)NFTNL_CTTIMEOUT_UDP_REPLIED &&
		       (int)CT_SECONDS_MAX == (int)NFTNL_CTTIMEOUT_ARRAY_MAX,
	       "order of timeouts");

void nft_encode_object(struct nlmsghdr *nlh, const struct ct_object *o) {
	struct nftnl_obj *x = needed(nftnl_obj_alloc());

	nftnl_obj_set_str(x, NFTNL_OBJ_TABLE, RULESET_TABLE);
	nftnl_obj_set_str(x, NFTNL_OBJ_NAME, o->name);
	nftnl_obj_set_u32(x, NFTNL_OBJ_TYPE,
			  o->kind == CT_TIMEOUT ? NFT_OBJECT_CT_TIMEOUT : NFT_OBJECT_CT_HELPER);
	if ((nlh->nlmsg_flags & NLM_F_CREATE) && o->kind == CT_TIMEOUT) {
		nftnl_obj_set_u16(x, NFTNL_OBJ_CT_TIMEOUT_L3PROTO, NFPROTO_INET);
		nftnl_obj_set_u8(x, NFTNL_OBJ_CT_TIMEOUT_L4PROTO, o->l4proto);
		nftnl_obj_set_data(x, NFTNL_OBJ_CT_TIMEOUT_ARRAY, o->seconds, sizeof(o->seconds));
	} else if (nlh->nlmsg_flags & NLM_F_CREATE) {
		nftnl_obj_set_str(x, NFTNL_OBJ_CT_HELPER_NAME, o->helper);
		nftnl_obj_set_u16(x, NFTNL_OBJ_CT_HELPER_L3PROTO, NFPROTO_INET);
		nftnl_obj_set_u8(x, NFTNL_OBJ_CT_HELPER_L4PROTO, o->l4proto);
	}
	nftnl_obj_nlmsg_build_payload(nlh, x);
	nftnl_obj_free(x);
}
