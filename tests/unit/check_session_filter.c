/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Filters of sessions: how they are set, printed and matched, and what the kernel is asked for. */
#include "backends/session_filter.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/ct_make.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define WORDS_MAX 8

static struct session_filter filter;

/* Change the filter by words in one string. */
static int change(const char *words, struct err *err) {
	AUTO_FREE char *copy = xstrdup(words);
	char *argv[WORDS_MAX], *save = NULL;
	size_t n = 0;

	for (char *w = strtok_r(copy, " ", &save); w && n < WORDS_MAX; w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	return session_filter_change(&filter, n, argv, err);
}

/* Several changes, separated by commas. */
static void set(uint8_t family, const char *changes) {
	AUTO_FREE char *copy = xstrdup(changes);
	char *save = NULL;

	session_filter_init(&filter, family);
	for (char *c = strtok_r(copy, ",", &save); c; c = strtok_r(NULL, ",", &save)) {
		struct err err = { 0 };

		ck_assert_msg(change(c, &err) == 0, "%s: %s", c, err.text);
	}
}

static void assert_printed(const char *right) {
	AUTO_STR struct str out = STR_INIT;

	session_filter_print(&filter, &out);
	ck_assert_str_eq(str_text(&out), right);
}

/* ---- printing and setting ---- */

/* ---- filters that spare nothing ---- */

static const struct {
	uint8_t family;
	const char *words;
	bool all;
} spares[] = {
	{ AF_INET, "", true },
	{ AF_INET, "vd 0", true },
	{ AF_INET, "vd root", true },
	{ AF_INET, "vd 1", false },
	{ AF_INET, "vd 0,negate vd", false },
	{ AF_INET, "vd 1,negate vd", true },
	{ AF_INET, "negate dport", true },
	{ AF_INET, "proto 0 255,policy 0 4294967295,sport 0 65535,duration 0 4294967295", true },
	{ AF_INET, "proto 0 254", false },
	{ AF_INET, "proto 0 255,negate proto", false },
	{ AF_INET, "vd 0,dport 80", false },
	{ AF_INET, "src 0.0.0.0 255.255.255.255", true },
	{ AF_INET, "src 0.0.0.1 255.255.255.255", false },
	{ AF_INET, "dst 0.0.0.0 255.255.255.254", false },
	{ AF_INET6, "dst :: ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", true },
	{ AF_INET6, "dst :: ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe", false },
	/* Only what is translated fits. */
	{ AF_INET, "nsrc 0.0.0.0 255.255.255.255", false },
	{ AF_INET, "nport 0 65535", false },
	{ AF_INET, "session-state1 0 0", true },
	{ AF_INET, "session-state1 0 200", false },
	{ AF_INET, "session-state2 0 ffffffff", true },
	{ AF_INET, "session-state2 1,negate session-state2", true },
	{ AF_INET, "sintf port1,negate sintf", false },
	{ AF_INET, "ext-src 1.1.1.1", false },
	{ AF_INET, "vd 0,ext-dst-negate 1.1.1.1", false },
};

START_TEST(test_spares) {
	set(spares[_i].family, spares[_i].words);
	ck_assert_int_eq(session_filter_fits_all(&filter), spares[_i].all);
}
END_TEST

START_TEST(test_print) {
	set(AF_INET, "");
	ck_assert(session_filter_fits_all(&filter));
	assert_printed("session filter:\n"
		       "\tvd: any\n\tsintf: any\n\tdintf: any\n\tproto: any\n\tproto-state: any\n"
		       "\tsource ip: any\n\tNAT'd source ip: any\n\tdest ip: any\n"
		       "\tsource port: any\n\tNAT'd source port: any\n\tdest port: any\n"
		       "\tpolicy id: any\n\texpire: any\n\tduration: any\n"
		       "\tstate1: any\n\tstate2: any\n");
	set(AF_INET, "vd 0,sintf port1,dintf port2,proto 6,proto-state 01,src 10.160.0.1,"
		     "nsrc 1.1.1.1 1.1.1.9,dst 10.0.0.0 10.255.255.255,sport 1 1024,nport 5,dport 80,policy 2,"
		     "expire 10 20,duration 0 5,session-state1 200,session-state2 0x1000 ffffffff,"
		     "negate dport,negate src,negate src,negate policy,ext-dst 8.8.8.8,ext-dst 1.1.1.1,"
		     "ext-dst 8.8.8.8,ext-src-negate 9.9.9.9");
	ck_assert(!session_filter_fits_all(&filter));
	assert_printed("session filter:\n"
		       "\tvd: 0\n\tsintf: port1\n\tdintf: port2\n\tproto: 6-6\n\tproto-state: 1-1\n"
		       "\tsource ip: 10.160.0.1-10.160.0.1\n\tNAT'd source ip: 1.1.1.1-1.1.1.9\n"
		       "\tdest ip: 10.0.0.0-10.255.255.255\n"
		       "\tsource port: 1-1024\n\tNAT'd source port: 5-5\n\tdest port: not 80-80\n"
		       "\tpolicy id: not 2-2\n\texpire: 10-20\n\tduration: 0-5\n"
		       "\tstate1: 00000200/00000200\n\tstate2: 00001000/ffffffff\n"
		       "Extended filters:\n"
		       "\tDestination IP List:\n\t\t8.8.8.8\n\t\t1.1.1.1\n"
		       "\tNegated Source IP List:\n\t\t9.9.9.9\n");
	set(AF_INET6, "src fd00::1 fd00::9");
	ck_assert_uint_eq(filter.family, AF_INET6);
	ck_assert(net_order(&filter.addr[FILTER_SRC][0], &filter.addr[FILTER_SRC][1]) < 0);
}
END_TEST

static const struct {
	const char *words;
	int code;
	const char *text;
} errors[] = {
	{ "colour 5", ERR_PARSE, "\ncommand parse error before 'colour'" },
	{ "proto", ERR_INCOMPLETE, "\nincomplete command in the end" },
	{ "negate", ERR_INCOMPLETE, "\nincomplete command in the end" },
	{ "ext-src", ERR_INCOMPLETE, "\nincomplete command in the end" },
	{ "proto 6 7 8", ERR_PARSE, "\ncommand parse error before '8'" },
	{ "proto 256", ERR_RANGE, "'256' is not a number from 0 to 255" },
	{ "proto tcp", ERR_RANGE, "'tcp' is not a number from 0 to 255" },
	{ "dport 80 65536", ERR_RANGE, "'65536' is not a number from 0 to 65535" },
	{ "dport 90 80", ERR_RANGE, "the range ends before it begins: 90-80" },
	{ "sport -1", ERR_RANGE, "'-1' is not a number from 0 to 65535" },
	{ "policy 4294967296", ERR_RANGE, "'4294967296' is not a number from 0 to 4294967295" },
	{ "proto-state 100", ERR_RANGE, "'100' is not a number from 0 to 99" },
	{ "src 1.2.3", ERR_IP, "'1.2.3' is not an IPv4 address" },
	{ "src fd00::1", ERR_IP, "'fd00::1' is not an IPv4 address" },
	{ "src 1.2.3.4 1.2.3.3", ERR_RANGE, "the range ends before it begins: 1.2.3.4-1.2.3.3" },
	{ "ext-dst x", ERR_IP, "'x' is not an IPv4 address" },
	{ "ext-dst 1.1.1.1 1.1.1.2", ERR_PARSE, "\ncommand parse error before '1.1.1.2'" },
	{ "sintf a b", ERR_PARSE, "\ncommand parse error before 'b'" },
	{ "sintf 1234567890123456", ERR_LENGTH, "no interface has a name as long as '1234567890123456'" },
	{ "vd 0 1", ERR_PARSE, "\ncommand parse error before '1'" },
	{ "vd-name other", ERR_RANGE, "'other' is not a number from 0 to 65535" },
	{ "session-state1 xyz", ERR_FORMAT, "'xyz' is not a hexadecimal number of 32 bits" },
	{ "session-state1 200 123456789", ERR_FORMAT, "'123456789' is not a hexadecimal number of 32 bits" },
	{ "negate everything", ERR_PARSE, "\ncommand parse error before 'everything'" },
	{ "negate src dst", ERR_PARSE, "\ncommand parse error before 'dst'" },
	{ "clear everything", ERR_PARSE, "\ncommand parse error before 'everything'" },
	{ "clear src dst", ERR_PARSE, "\ncommand parse error before 'dst'" },
};

/* What is refused says why, and changes nothing. */
START_TEST(test_errors) {
	struct session_filter before;
	struct err err = { 0 };

	set(AF_INET, "proto 17,src 1.1.1.1,sintf port1,vd 3,ext-dst 1.1.1.1,negate src");
	before = filter;
	ck_assert_int_eq(change(errors[_i].words, &err), errors[_i].code);
	ck_assert_str_eq(err.text, errors[_i].text);
	ck_assert_mem_eq(&filter, &before, sizeof(filter));
}
END_TEST

START_TEST(test_clear) {
	struct err err = { 0 };

	set(AF_INET, "proto 6,dport 80,negate dport,ext-src 1.1.1.1,clear dport");
	ck_assert_uint_eq(filter.set, 1u << FILTER_PROTO);
	ck_assert_uint_eq(filter.negated, 0);
	ck_assert_int_eq(change("clear ext-src", &err), 0);
	ck_assert_uint_eq(filter.list[FILTER_EXT_SRC].n, 0);
	ck_assert_int_eq(change("clear", &err), 0);
	ck_assert(session_filter_fits_all(&filter));
	set(AF_INET6, "proto 6,clear all");
	ck_assert(session_filter_fits_all(&filter));
	ck_assert_uint_eq(filter.family, AF_INET6);
	set(AF_INET, "vd 5,sintf x,vd -1,sintf any");
	ck_assert(session_filter_fits_all(&filter));
	set(AF_INET, "vd-name root");
	ck_assert_uint_eq(filter.number[FILTER_VD][0], 0);
	ck_assert_uint_eq(filter.set, 1u << FILTER_VD);
	/* Full lists are refused. */
	set(AF_INET, "");
	for (unsigned int i = 0; i < FILTER_LIST_MAX; i++) {
		AUTO_FREE char *words = xasprintf("ext-src 1.1.1.%u", i);

		ck_assert_int_eq(change(words, &err), 0);
	}
	ck_assert_int_eq(change("ext-src 1.1.1.5", &err), 0);
	ck_assert_int_eq(change("ext-src 2.2.2.2", &err), ERR_MAX_ENTRIES);
	ck_assert_uint_eq(filter.list[FILTER_EXT_SRC].n, FILTER_LIST_MAX);
}
END_TEST

/* ---- matching ---- */

#define NOW UINT64_C(1700000000000000000)

static struct link link_of[] = { { .name = "lo", .index = 1 },
				 { .name = "port1", .index = 3 },
				 { .name = "port2", .index = 4 } };
static const struct links links = { .link = link_of, .n = ARRAY_LEN(link_of) };

static bool policy(void *arg, uint32_t id, struct session_policy *ret) {
	(void)arg;
	*ret = (struct session_policy){ .log = id == 2, .utm = id == 2 };
	return id == 2;
}

static struct session_context ctx = { .now_ns = NOW, .links = &links, .policy = policy };

static struct ct tcp(const char *src, uint16_t sport, const char *dst, uint16_t dport,
		     const char *from, uint16_t from_port, const char *back, uint16_t back_port) {
	struct ct ct = { .family = AF_INET,
			 .proto = IPPROTO_TCP,
			 .state = TCP_CONNTRACK_ESTABLISHED,
			 .mark = 2,
			 .timeout = 3500,
			 .start_ns = NOW - UINT64_C(60000000000) };
	struct ct_tuple *o = &ct.tuple[CT_ORIG], *r = &ct.tuple[CT_REPLY];

	ck_assert(net_parse(AF_INET, src, &o->src) && net_parse(AF_INET, dst, &o->dst) &&
		  net_parse(AF_INET, from, &r->src) && net_parse(AF_INET, back, &r->dst));
	o->sport = sport;
	o->dport = dport;
	r->sport = from_port;
	r->dport = back_port;
	return ct;
}

static struct ct the_vip(void) {
	return tcp("207.102.138.19", 57402, "20.150.252.91", 65022, "172.16.137.15", 22,
		   "207.102.138.19", 57402);
}

static struct ct the_nat(void) {
	return tcp("172.16.137.9", 1000, "8.8.8.8", 443, "8.8.8.8", 443, "172.16.136.4", 61000);
}

static bool matches(const struct ct *ct) {
	struct session s;

	session_init(&s, &ctx, ct);
	return session_filter_match(&filter, &s);
}

static const struct {
	const char *changes;
	bool vip, nat; /* which of the two fit */
} matched[] = {
	{ "", true, true },
	{ "proto 6", true, true },
	{ "proto 7 255", false, false },
	{ "proto 0 6", true, true },
	{ "proto 6,negate proto", false, false },
	/* The destination before it is translated. */
	{ "dport 65022", true, false },
	{ "dport 22", false, false },
	{ "dst 20.150.252.91", true, false },
	{ "dst 172.16.137.15", false, false },
	{ "dst 8.0.0.0 9.0.0.0", false, true },
	{ "dst 8.0.0.0 9.0.0.0,negate dst", true, false },
	{ "src 207.102.138.19", true, false },
	{ "src 172.16.137.0 172.16.137.255", false, true },
	{ "sport 57402", true, false },
	{ "sport 1 999", false, false },
	{ "sport 1000 1000", false, true },
	/* Only a translated source is one. */
	{ "nsrc 172.16.136.4", false, true },
	{ "nsrc 207.102.138.19", false, false },
	{ "nsrc 172.16.136.4,negate nsrc", true, false },
	{ "nport 61000", false, true },
	{ "nport 57402", false, false },
	{ "policy 2", true, true },
	{ "policy 0 1", false, false },
	{ "expire 3500", true, true },
	{ "expire 0 3499", false, false },
	{ "duration 60", true, true },
	{ "duration 61 100", false, false },
	/* Two digits: the left one is 1 here. */
	{ "proto-state 11", true, true },
	{ "proto-state 1", false, false },
	{ "sintf port1", true, false },
	{ "sintf port2", false, true },
	{ "dintf port2", true, false },
	{ "dintf port1", false, true },
	{ "sintf port9", false, false },
	{ "sintf port9,negate sintf", true, true },
	{ "vd 0", true, true },
	{ "vd 1", false, false },
	/* may_dirty and log; nothing else with a mask of all. */
	{ "session-state1 200", true, true },
	{ "session-state1 204", true, true },
	{ "session-state1 204 ffffffff", true, true },
	{ "session-state1 200 ffffffff", false, false },
	{ "session-state1 100", false, false },
	{ "session-state1 0 100", true, true },
	{ "session-state2 0", true, true },
	{ "session-state2 1000", false, false },
	{ "ext-src 207.102.138.19,ext-src 1.1.1.1", true, false },
	{ "ext-src 1.1.1.1", false, false },
	{ "ext-dst 8.8.8.8,ext-src 172.16.137.9", false, true },
	{ "ext-src-negate 207.102.138.19", false, true },
	{ "ext-dst-negate 8.8.8.8,ext-dst-negate 9.9.9.9", true, false },
	/* All have to fit. */
	{ "proto 6,dport 65022,policy 2,sintf port1,src 207.102.138.19", true, false },
	{ "proto 6,dport 65022,policy 3", false, false },
};

START_TEST(test_match) {
	struct ct vip = the_vip(), nat = the_nat();

	set(AF_INET, matched[_i].changes);
	ck_assert_msg(matches(&vip) == matched[_i].vip, "vip: %s", matched[_i].changes);
	ck_assert_msg(matches(&nat) == matched[_i].nat, "nat: %s", matched[_i].changes);
	/* Sessions of the other family never do. */
	set(AF_INET6, "");
	ck_assert(!matches(&vip));
}
END_TEST

START_TEST(test_match_ipv6) {
	struct ct ct = { .family = AF_INET6, .proto = IPPROTO_ICMPV6 };

	ck_assert(net_parse(AF_INET6, "fd00::1", &ct.tuple[CT_ORIG].src));
	ck_assert(net_parse(AF_INET6, "fd00::2", &ct.tuple[CT_ORIG].dst));
	ct.tuple[CT_REPLY].src = ct.tuple[CT_ORIG].dst;
	ck_assert(net_parse(AF_INET6, "fd00::3", &ct.tuple[CT_REPLY].dst));
	ct.tuple[CT_ORIG].sport = 7;
	ct.tuple[CT_ORIG].dport = 128;
	ct.tuple[CT_REPLY].sport = 8;
	ct.tuple[CT_REPLY].dport = 129;
	set(AF_INET6, "src fd00:: fd00::ffff,nsrc fd00::3,proto 58,sport 7,dport 128,nport 8");
	ck_assert(matches(&ct));
	set(AF_INET6, "src fd00:: fd00::ffff,nsrc fd00::4");
	ck_assert(!matches(&ct));
}
END_TEST

/* ---- what the kernel is asked for ---- */

static const struct {
	const char *changes;
	uint32_t mark, mask;
	uint8_t orig, reply, proto;
	uint32_t status, status_mask;
} asked[] = {
	{ "", 0, 0, 0, 0, 0, 0, 0 },
	{ "policy 2", 2, UINT32_MAX, 0, 0, 0, 0, 0 },
	{ "policy 4 7", 4, ~3u, 0, 0, 0, 0, 0 },
	{ "policy 3 4", 0, ~7u, 0, 0, 0, 0, 0 },
	{ "policy 0 4294967295", 0, 0, 0, 0, 0, 0, 0 },
	{ "policy 2,negate policy", 0, 0, 0, 0, 0, 0, 0 },
	{ "src 1.1.1.1", 0, 0, CT_FILTER_SRC, 0, 0, 0, 0 },
	{ "src 1.1.1.1 1.1.1.2", 0, 0, 0, 0, 0, 0, 0 },
	{ "src 1.1.1.1,negate src", 0, 0, 0, 0, 0, 0, 0 },
	{ "ext-src 1.1.1.1", 0, 0, CT_FILTER_SRC, 0, 0, 0, 0 },
	{ "ext-src 1.1.1.1,ext-src 1.1.1.2", 0, 0, 0, 0, 0, 0, 0 },
	{ "ext-src-negate 1.1.1.1", 0, 0, 0, 0, 0, 0, 0 },
	{ "dst 1.1.1.1,nsrc 2.2.2.2", 0, 0, CT_FILTER_DST, CT_FILTER_DST, 0, 0, 0 },
	{ "proto 6", 0, 0, CT_FILTER_PROTO, 0, 6, 0, 0 },
	{ "proto 6 7", 0, 0, 0, 0, 0, 0, 0 },
	/* Ports need a protocol that has them. */
	{ "dport 80", 0, 0, 0, 0, 0, 0, 0 },
	{ "proto 50,dport 80", 0, 0, CT_FILTER_PROTO, 0, 50, 0, 0 },
	{ "proto 6,dport 80,sport 9", 0, 0, CT_FILTER_PROTO | CT_FILTER_SPORT | CT_FILTER_DPORT, 0, 6, 0, 0 },
	{ "proto 6,nport 80", 0, 0, CT_FILTER_PROTO, CT_FILTER_PROTO | CT_FILTER_DPORT, 6, 0, 0 },
	{ "proto 1,nport 80,dport 300", 0, 0, CT_FILTER_PROTO, CT_FILTER_PROTO | CT_FILTER_SPORT, 1, 0, 0 },
	{ "proto 17,proto-state 1", 0, 0, CT_FILTER_PROTO, 0, 17, IPS_SEEN_REPLY, IPS_SEEN_REPLY },
	{ "proto 17,proto-state 0", 0, 0, CT_FILTER_PROTO, 0, 17, 0, IPS_SEEN_REPLY },
	{ "proto 17,proto-state 2", 0, 0, CT_FILTER_PROTO, 0, 17, 0, 0 },
	{ "proto 6,proto-state 1", 0, 0, CT_FILTER_PROTO, 0, 6, 0, 0 },
};

START_TEST(test_asked) {
	struct ct_kernel_filter k;

	set(AF_INET, asked[_i].changes);
	session_filter_kernel(&filter, &k);
	ck_assert_uint_eq(k.family, AF_INET);
	ck_assert_uint_eq(k.mark_mask, asked[_i].mask);
	ck_assert_uint_eq(k.mark & k.mark_mask, asked[_i].mark);
	ck_assert_uint_eq(k.fields[CT_ORIG], asked[_i].orig);
	ck_assert_uint_eq(k.fields[CT_REPLY], asked[_i].reply);
	ck_assert_uint_eq(k.proto, asked[_i].proto);
	ck_assert_uint_eq(k.status, asked[_i].status);
	ck_assert_uint_eq(k.status_mask, asked[_i].status_mask);
}
END_TEST

/* Few values, so that much fits. */
static union net_addr random_addr(struct rng *r) {
	return net_ipv4(0x01010100 + rng_below(r, 3));
}

static struct ct random_ct(struct rng *r) {
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 50 };
	struct ct ct = { .family = AF_INET, .proto = protos[rng_below(r, 4)],
			 .mark = rng_below(r, 9), .timeout = rng_below(r, 4),
			 .status = rng_below(r, 4) * IPS_SEEN_REPLY / 2,
			 .state = (uint8_t)rng_below(r, 9) };
	bool ports = ct_has_ports(ct.proto);

	for (int dir = CT_ORIG; dir <= CT_REPLY; dir++) {
		struct ct_tuple *t = &ct.tuple[dir];

		t->src = random_addr(r);
		t->dst = random_addr(r);
		t->sport = (uint16_t)(ports ? rng_below(r, 3) : 0);
		t->dport = (uint16_t)(ports ? rng_below(r, 3) : 0);
	}
	return ct;
}

static void random_change(struct rng *r) {
	static const char *const numbers[] = { "proto",  "proto-state", "sport",  "nport", "dport",
					       "policy", "expire",	"vd" };
	static const char *const addrs[] = { "src", "nsrc", "dst", "ext-src", "ext-dst",
					     "ext-src-negate", "ext-dst-negate" };
	static const uint32_t values[] = { 0, 1, 2, 6, 17, 50 };
	AUTO_STR struct str words = STR_INIT;
	struct err err = { 0 };
	uint32_t low, high;

	switch (rng_below(r, 4)) {
	case 0:
		low = 0x100 + rng_below(r, 3);
		str_addf(&words, "%s 1.1.1.%u", addrs[rng_below(r, ARRAY_LEN(addrs))], low & 255);
		break;
	case 1:
		str_addf(&words, "negate %s", rng_chance(r, 50) ? addrs[rng_below(r, 3)]
								: numbers[rng_below(r, 8)]);
		break;
	case 2:
		low = rng_below(r, 3);
		str_addf(&words, "%s 1.1.1.%u 1.1.1.%u", addrs[rng_below(r, 3)], low,
			 low + rng_below(r, 2));
		break;
	default:
		low = values[rng_below(r, ARRAY_LEN(values))];
		high = rng_chance(r, 60) ? low : low + rng_below(r, 8);
		str_addf(&words, "%s %u %u", numbers[rng_below(r, 7)], low, high);
	}
	ck_assert_msg(change(str_text(&words), &err) == 0, "%s: %s", str_text(&words), err.text);
}

/* What fits is always among what the kernel is asked for. */
START_TEST(test_superset) {
	unsigned int fit = 0, left_out = 0;

	for (unsigned int i = 0; i < fixture_rounds(3000); i++) {
		struct rng r = rng_seed(fixture_seed() * 10000 + i);
		struct ct_kernel_filter k;

		session_filter_init(&filter, AF_INET);
		for (uint32_t n = rng_below(&r, 5); n; n--)
			random_change(&r);
		session_filter_kernel(&filter, &k);
		for (unsigned int j = 0; j < 60; j++) {
			struct ct ct = random_ct(&r);
			bool listed = ct_make_listed(&k, &ct), fits = matches(&ct);

			ck_assert_msg(listed || !fits, "round %u", i);
			fit += fits;
			left_out += !listed;
		}
	}
	/* It was worth asking. */
	ck_assert_uint_gt(fit, 1000);
	ck_assert_uint_gt(left_out, 10000);
}
END_TEST

/* ---- ---- */

static void route(struct fib *f, const char *dst, uint8_t prefix, int index) {
	struct fib_route r = { .family = AF_INET, .prefix = prefix, .table = RT_TABLE_MAIN,
			       .hop = { .kind = FIB_UNICAST, .index = index } };

	ck_assert(net_parse(AF_INET, dst, &r.dst));
	fib_add(f, &r);
}

static void setup(void) {
	ctx.fib = fib_new();
	route(ctx.fib, "0.0.0.0", 0, 3);
	route(ctx.fib, "172.16.137.0", 24, 4);
	fib_seal(ctx.fib);
}

static void teardown(void) {
	ctx.fib = fib_free(ctx.fib);
}

static Suite *filter_suite(void) {
	Suite *s = suite_create("session filter");
	TCase *t = fixture_case(s, "session filter");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_print);
	tcase_add_loop_test(t, test_spares, 0, ARRAY_LEN(spares));
	tcase_add_loop_test(t, test_errors, 0, ARRAY_LEN(errors));
	tcase_add_test(t, test_clear);
	tcase_add_loop_test(t, test_match, 0, ARRAY_LEN(matched));
	tcase_add_test(t, test_match_ipv6);
	tcase_add_loop_test(t, test_asked, 0, ARRAY_LEN(asked));
	tcase_add_test(t, test_superset);
	return s;
}

int main(void) {
	return fixture_run(filter_suite());
}
