/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way of packets, from events as the kernel sends them to the lines an administrator reads:
 * recorded messages and broken ones, one packet for each thing that can become of it, and packets
 * that come mixed up, too many, or with events lost.
 */
#include "backends/flow.h"

#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <linux/netfilter.h>
#include <stdlib.h>
#include <string.h>

#include "backends/flow_filter.h"
#include "backends/render.h"
#include "backends/ruleset.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define TABLE "gatehouse_trace1"

/* ---- recorded messages ---- */

/* The first packet of a connection through a virtual IP, and one that no policy allows. */
static const char message_new[] =
	"d0000000110a000000000000000000000100000008000f0000000002080004000000000308000600899ea5e2"
	"080002006e6577001500010067617465686f7573655f747261636531000000000c0003000000000000000014"
	"0c00050008000100ffffffff08000a000000000206000b0000010000180008004500003c43fc40003f068d54"
	"cf668a131496fc5b18000900cdbc01bb146ce5b400000000a002faf06a9a00001200070002000000010a0200"
	"00000101080000000800150000000008050013000000000008001200c58d6805";
static const char message_sent[] =
	"e0000000110a000000000000000000000100000008000f0000000002080004000000000308000600899ea5e2"
	"0900020073656e74000000001500010067617465686f7573655f747261636531000000000c00050008000100"
	"ffffffff08000a000000000206000b000001000008000c000000000306000d00000100001800080045000"
	"03c43fc40003e066a26cf668a13ac10890f18000900cdbc01bb146ce5b400000000a002faf08ec8000012000"
	"70002000000010a020000000101080000000800150000000008050013000000000008001200c58d680508001"
	"400000001a0";
static const char message_accept[] =
	"60000000110a000000000000000000000100000008000f0000000002080004000000000308000600899ea5e2"
	"0c0002006d617463686564000e00010067617465686f7573650000000c000300000000000000002f0c000500"
	"0800010000000001";
static const char message_drop[] =
	"64000000110a000000000000000000000100000008000f00000000020800040000000003080006003e3eecac"
	"0e000200756e6d6174636865640000000e00010067617465686f7573650000000c0003000000000000000030"
	"0c0005000800010000000000";
static const char message_policy[] =
	"5c000000110a000000000000000000000100000008000f0000000002080004000000000108000600899ea5e2"
	"0d0002007265636569766564000000001500010067617465686f7573655f7472616365310000000008001000"
	"00000001";

/* The caller frees the message. */
static struct nlmsghdr *message(const char *hex) {
	size_t n = strlen(hex) / 2;
	uint8_t *data = xcalloc(n, 1);

	for (size_t i = 0; i < n; i++) {
		const char digits[] = { hex[2 * i], hex[2 * i + 1], '\0' };

		data[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	ck_assert_uint_eq(*(uint32_t *)data, n);
	return (void *)data;
}

static bool decode(const char *hex, struct flow_event *e) {
	AUTO_FREE struct nlmsghdr *nlh = message(hex);

	return flow_event_decode(nlh, e);
}

START_TEST(test_recorded) {
	struct flow_event e;

	ck_assert(decode(message_new, &e));
	ck_assert_uint_eq(e.id, 0x899ea5e2);
	ck_assert_uint_eq(e.family, NFPROTO_INET);
	ck_assert_str_eq(e.table, TABLE);
	ck_assert_str_eq(e.chain, "new");
	ck_assert_int_eq(e.verdict, FLOW_GO_ON);
	ck_assert_int_eq(e.in, 2);
	ck_assert_int_eq(e.out, 0);
	ck_assert(e.has_header && e.has_ct && e.is_rule);
	ck_assert_uint_eq(e.ct_id, 0xc58d6805);
	ck_assert_uint_eq(e.header.src, 0xcf668a13);
	ck_assert_uint_eq(e.header.dst, 0x1496fc5b);
	ck_assert_uint_eq(e.header.proto, IPPROTO_TCP);
	ck_assert_uint_eq(e.header.ttl, 63);
	ck_assert_uint_eq(e.header.sport, 52668);
	ck_assert_uint_eq(e.header.dport, 443);
	ck_assert_uint_eq(e.header.seq, 0x146ce5b4);
	ck_assert_uint_eq(e.header.ack, 0);
	ck_assert_uint_eq(e.header.flags, FLOW_SYN);
	ck_assert_uint_eq(e.header.window, 64240);
	ck_assert(decode(message_sent, &e));
	ck_assert_int_eq(e.out, 3);
	ck_assert_uint_eq(e.header.dst, 0xac10890f);
	ck_assert(decode(message_accept, &e));
	ck_assert_int_eq(e.verdict, FLOW_ACCEPT);
	ck_assert(!e.has_header && !e.has_ct);
	ck_assert(decode(message_drop, &e));
	ck_assert_int_eq(e.verdict, FLOW_DROP);
	ck_assert(decode(message_policy, &e));
	ck_assert_int_eq(e.verdict, FLOW_ACCEPT);
	ck_assert(!e.is_rule);
}
END_TEST

/* Cut, or with any byte changed, a message is read within its bounds, or refused. */
START_TEST(test_broken) {
	AUTO_FREE struct nlmsghdr *whole = message(message_sent);
	const uint32_t len = whole->nlmsg_len;
	unsigned int n_refused = 0;

	for (uint32_t n = NLMSG_HDRLEN; n <= len; n++) {
		AUTO_FREE struct nlmsghdr *cut = xcalloc(MNL_ALIGN(n), 1);
		struct flow_event e;

		memcpy(cut, whole, n);
		cut->nlmsg_len = n;
		n_refused += !flow_event_decode(cut, &e);
	}
	ck_assert_uint_gt(n_refused, 0);
	for (uint32_t i = NLMSG_HDRLEN; i < len; i++)
		for (unsigned int bit = 0; bit < 8; bit++) {
			AUTO_FREE uint8_t *bad = xcalloc(len, 1);
			struct flow_event e;

			memcpy(bad, whole, len);
			bad[i] ^= (uint8_t)(1u << bit);
			if (flow_event_decode((void *)bad, &e))
				ck_assert_uint_lt(strlen(e.table) + strlen(e.chain),
						  2 * FLOW_NAME_MAX);
		}
}
END_TEST

/* ---- a made-up world ---- */

static const char config[] =
	"config system interface\nedit \"port1\"\nset allowaccess ping ssh\nnext\nedit \"port2\"\nnext\nend\n"
	"config firewall address\nedit \"net\"\nset subnet 10.1.0.0 255.255.0.0\nnext\nend\n"
	"config firewall vip\nedit \"web\"\nset extip 20.0.0.1\nset mappedip \"10.1.0.1\"\nset extintf \"port1\"\n"
	"set portforward enable\nset extport 8080\nset mappedport 80\nnext\nend\n"
	"config firewall policy\n"
	"edit 4\nset srcintf \"port2\"\nset dstintf \"port1\"\nset action accept\nset srcaddr \"all\"\n"
	"set dstaddr \"net\"\nset schedule \"always\"\nset service \"ALL\"\nnext\n"
	"edit 5\nset srcintf \"port1\"\nset dstintf \"port2\"\nset action accept\nset srcaddr \"all\"\n"
	"set dstaddr \"net\"\nset schedule \"always\"\nset service \"HTTPS\"\nnext\n"
	"edit 6\nset srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"net\"\n"
	"set dstaddr \"all\"\nset schedule \"always\"\nset service \"ALL\"\nnext\n"
	"edit 7\nset srcintf \"port1\"\nset dstintf \"port2\"\nset action accept\nset srcaddr \"all\"\n"
	"set dstaddr \"web\"\nset schedule \"always\"\nset service \"ALL\"\nnext\n"
	"edit 8\nset srcintf \"port2\"\nset dstintf \"port1\"\nset action accept\nset srcaddr \"all\"\n"
	"set dstaddr \"all\"\nset schedule \"always\"\nset service \"ALL\"\nset nat enable\nnext\nend\n";

static struct model *model;
static struct policies *policies;
static struct flow_way way;
static bool has_session;
static struct flow_session session;

static void world_link(void *arg, int index, char name[16]) {
	(void)arg;
	snprintf(name, 16, "port%d", index);
}

static void world_way(void *arg, const struct flow_header *h, int in, struct flow_way *ret) {
	(void)arg;
	(void)h;
	(void)in;
	*ret = way;
}

static bool world_session(void *arg, const struct flow_packet *p, struct flow_session *ret) {
	(void)arg;
	(void)p;
	*ret = session;
	return has_session;
}

static const struct policies *world_policies(void *arg, const struct model **m) {
	(void)arg;
	*m = model;
	return policies;
}

static const struct flow_world world = { world_link, world_way, world_session, world_policies,
					 NULL };

static void setup(void) {
	model = conf_model(config);
	policies = policies_new(model, 0);
	way = (struct flow_way){ .out = 2, .gateway = 0x0a020001 };
	has_session = false;
}

static void teardown(void) {
	policies_free(policies);
	model_free(model);
}

/* ---- events ---- */

static struct flow_event event(uint32_t id, const char *table, const char *chain) {
	struct flow_event e = { .id = id, .family = NFPROTO_INET };

	strcpy(e.table, table);
	strcpy(e.chain, chain);
	return e;
}

static void take_place(struct flow *f, uint32_t id, const char *chain, const struct flow_header *h,
		       int in, int out) {
	struct flow_event e = event(id, TABLE, chain);

	e.has_header = e.is_rule = true;
	e.header = *h;
	e.in = in;
	e.out = out;
	flow_take(f, &e);
	e.has_header = e.is_rule = false; /* as the kernel tells the end of a chain */
	flow_take(f, &e);
}

/* The same for a packet that others trace already. */
static void take_traced(struct flow *f, uint32_t id, const char *chain,
			const struct flow_header *h) {
	struct flow_event e = event(id, TABLE, chain);

	take_place(f, id, FLOW_CHAIN_RECEIVED, h, 1, 0);
	e.is_rule = true;
	flow_take(f, &e);
	e.is_rule = false;
	flow_take(f, &e);
}

static void take_verdict(struct flow *f, uint32_t id, const char *table, const char *chain,
			 enum flow_verdict verdict) {
	struct flow_event e = event(id, table, chain);

	e.verdict = verdict;
	flow_take(f, &e);
}

static const struct flow_header syn = { .src = 0x01010101, .dst = 0x14000001, .proto = IPPROTO_TCP,
					.ttl = 60, .sport = 1000, .dport = 8080, .seq = 5,
					.window = 512, .flags = FLOW_SYN };

static struct flow_header to(struct flow_header h, uint32_t dst, uint16_t dport) {
	h.dst = dst;
	h.dport = dport;
	return h;
}

static struct flow_header from(struct flow_header h, uint32_t src, uint16_t sport) {
	h.src = src;
	h.sport = sport;
	return h;
}

static struct flow *flow_of(uint64_t count) {
	static const struct flow_show show = { 0 };

	return flow_new(TABLE, count, &show, &world);
}

/* What has been told, up to now; frees the flow. */
static void assert_told(struct flow *f, const char *want) {
	struct str out AUTO_STR = STR_INIT;

	flow_print(f, 1000, &out);
	flow_free(f);
	ck_assert_str_eq(str_text(&out), want);
}

#define LINE(n, func, line, msg) "id=65308 trace_id=" #n " func=" func " line=" #line " msg=\"" msg "\"\n"
#define RECEIVED(msg)                                                                           \
	LINE(1, "print_pkt_detail", 5895, "vd-root:0 received a packet(" msg)
#define TCP_SYN " flag [S], seq 5, ack 0, win 512"
#define ALLOCATE LINE(1, "init_ip_session_common", 6076, "allocate a new session")
#define ROUTE(gw, via)                                                                             \
	LINE(1, "__vf_ip_route_input_rcu", 1989, "find a route: flag=00000000 gw-" gw " via " via)
#define LOCAL                                                                                      \
	LINE(1, "__vf_ip_route_input_rcu", 1989, "find a route: flag=80000000 gw-0.0.0.0 via root")
#define FORWARD(msg) LINE(1, "fw_forward_handler", 1002, msg)
#define CHECKED(id, act, what)                                                                    \
	LINE(1, "__iprope_check_one_policy", 2140,                                                  \
	     "checked gnum-100004 policy-" #id ", ret-no-match, act-" act ": " what " does not match")

/* ---- what becomes of packets ---- */

/* Everything up to the judgement of a first packet from port1 to port2. */
static struct flow *begun(const struct flow_header *received, const struct flow_header *routed) {
	struct flow *f = flow_of(0);

	take_place(f, 7, FLOW_CHAIN_NEW, received, 1, 0);
	take_place(f, 7, FLOW_CHAIN_FORWARD, routed, 1, 2);
	return f;
}

static struct flow *allowed_vip(void) {
	struct flow_header routed = to(syn, 0x0a010001, 80);
	struct flow *f = begun(&syn, &routed);

	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_ACCEPTED, FLOW_ACCEPT);
	take_place(f, 7, FLOW_CHAIN_OUT, &routed, 1, 2);
	return f;
}

#define VIP_LINES                                                                                  \
	LINE(1, "get_new_addr", 1274, "find DNAT: IP-10.1.0.1, port-80")                            \
	LINE(1, "fw_pre_route_handler", 185, "VIP-10.1.0.1:80, outdev-port1")                         \
	LINE(1, "__ip_session_run_tuple", 3484, "DNAT 20.0.0.1:8080->10.1.0.1:80")
#define VIP_RECEIVED RECEIVED("proto=6, 1.1.1.1:1000->20.0.0.1:8080) tun_id=0.0.0.0 from port1." TCP_SYN)

START_TEST(test_virtual_ip) {
	assert_told(allowed_vip(),
		    VIP_RECEIVED ALLOCATE VIP_LINES ROUTE("10.2.0.1", "port2") FORWARD("Allowed by Policy-7:"));
}
END_TEST

/* What connection tracking tells is told: numbers of sessions, and the policy it noted. */
START_TEST(test_session_known) {
	has_session = true;
	session = (struct flow_session){ 0x1fd4, true, 2 };
	assert_told(allowed_vip(),
		    VIP_RECEIVED
		    LINE(1, "init_ip_session_common", 6076, "allocate a new session-00001fd4")
		    VIP_LINES ROUTE("10.2.0.1", "port2") FORWARD("Allowed by Policy-2:"));
}
END_TEST

START_TEST(test_masqueraded) {
	struct flow_header received = to(syn, 0x08080808, 53),
			   sent = from(received, 0x14000009, 2000);
	struct flow *f = flow_of(0);

	way.gateway = 0;
	way.out = 1;
	take_place(f, 7, FLOW_CHAIN_NEW, &received, 2, 0);
	take_place(f, 7, FLOW_CHAIN_FORWARD, &received, 2, 1);
	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_ACCEPTED, FLOW_ACCEPT);
	take_place(f, 7, FLOW_CHAIN_OUT, &sent, 2, 1);
	assert_told(f,
		    RECEIVED("proto=6, 1.1.1.1:1000->8.8.8.8:53) tun_id=0.0.0.0 from port2." TCP_SYN)
		    ALLOCATE ROUTE("8.8.8.8", "port1")
		    LINE(1, "get_new_addr", 1274, "find SNAT: IP-20.0.0.9, port-2000")
		    FORWARD("Allowed by Policy-8: SNAT")
		    LINE(1, "__ip_session_run_tuple", 3471, "SNAT 1.1.1.1->20.0.0.9:2000"));
}
END_TEST

/* The policies before the one that matched are told when they are asked for. */
START_TEST(test_iprope) {
	static const struct flow_show show = { .iprope = true };
	struct flow_header received = to(syn, 0x08080808, 53);
	struct flow *f = flow_new(TABLE, 0, &show, &world);

	take_place(f, 7, FLOW_CHAIN_NEW, &received, 2, 0);
	take_place(f, 7, FLOW_CHAIN_FORWARD, &received, 2, 1);
	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_ACCEPTED, FLOW_ACCEPT);
	take_place(f, 7, FLOW_CHAIN_OUT, &received, 2, 1);
	assert_told(f,
		    RECEIVED("proto=6, 1.1.1.1:1000->8.8.8.8:53) tun_id=0.0.0.0 from port2." TCP_SYN)
		    ALLOCATE ROUTE("0.0.0.0", "port1") CHECKED(4, "accept", "dstaddr")
		    FORWARD("Allowed by Policy-8:"));
}
END_TEST

START_TEST(test_no_functions) {
	static const struct flow_show show = { .no_functions = true };
	struct flow *f = flow_new(TABLE, 0, &show, &world);

	take_place(f, 7, FLOW_CHAIN_UNTRACKED, &syn, 1, 0);
	take_place(f, 7, FLOW_CHAIN_IN, &syn, 1, 0);
	assert_told(f, "id=65308 trace_id=1 msg=\"vd-root:0 received a packet(proto=6, 1.1.1.1:1000->"
		       "20.0.0.1:8080) tun_id=0.0.0.0 from port1. flag [S], seq 5, ack 0, win 512\"\n"
		       "id=65308 trace_id=1 msg=\"find a route: flag=80000000 gw-0.0.0.0 via root\"\n");
}
END_TEST

/* No policy fits: the first of those interfaces are told, each with what of it does not. */
START_TEST(test_denied_by_none) {
	struct flow_header h = to(syn, 0x0a010005, 22);
	struct flow *f = begun(&h, &h);

	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_UNMATCHED, FLOW_DROP);
	assert_told(f,
		    RECEIVED("proto=6, 1.1.1.1:1000->10.1.0.5:22) tun_id=0.0.0.0 from port1." TCP_SYN)
		    ALLOCATE ROUTE("10.2.0.1", "port2") CHECKED(5, "accept", "service")
		    CHECKED(6, "drop", "srcaddr") CHECKED(7, "accept", "dstaddr")
		    FORWARD("Denied by forward policy check (policy 0)"));
}
END_TEST

START_TEST(test_denied_without_policies) {
	struct flow_header h = to(syn, 0x0a010005, 22);
	struct flow *f = flow_of(0);

	way.out = 3;
	take_place(f, 7, FLOW_CHAIN_NEW, &h, 1, 0);
	take_place(f, 7, FLOW_CHAIN_FORWARD, &h, 1, 3);
	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_UNMATCHED, FLOW_DROP);
	assert_told(f,
		    RECEIVED("proto=6, 1.1.1.1:1000->10.1.0.5:22) tun_id=0.0.0.0 from port1." TCP_SYN)
		    ALLOCATE ROUTE("10.2.0.1", "port3")
		    LINE(1, "__iprope_check_one_policy", 2140,
			 "gnum-100004: there is no policy from port1 to port3")
		    FORWARD("Denied by forward policy check (policy 0)"));
}
END_TEST

START_TEST(test_denied_by_policy) {
	struct flow_header h = from(to(syn, 0x0a010005, 22), 0x0a010006, 1000);
	struct flow *f = begun(&h, &h);

	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_REFUSED, FLOW_DROP);
	assert_told(f,
		    RECEIVED("proto=6, 10.1.0.6:1000->10.1.0.5:22) tun_id=0.0.0.0 from port1." TCP_SYN)
		    ALLOCATE ROUTE("10.2.0.1", "port2")
		    FORWARD("Denied by forward policy check (policy 6)"));
}
END_TEST

/* The kernel denied by a policy, and the configuration of now does not: no policy is named. */
START_TEST(test_denied_by_a_policy_that_is_gone) {
	struct flow_header h = to(syn, 0x0a010005, 22);
	struct flow *f = begun(&h, &h);

	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_REFUSED, FLOW_DROP);
	assert_told(f,
		    RECEIVED("proto=6, 1.1.1.1:1000->10.1.0.5:22) tun_id=0.0.0.0 from port1." TCP_SYN)
		    ALLOCATE ROUTE("10.2.0.1", "port2") FORWARD("Denied by forward policy check"));
}
END_TEST

START_TEST(test_reply) {
	struct flow_header h = { .src = 0x0a010001,
				 .dst = 0x01010101,
				 .proto = IPPROTO_TCP,
				 .sport = 80,
				 .dport = 1000,
				 .seq = 9,
				 .ack = 6,
				 .window = 100,
				 .flags = FLOW_ACK | FLOW_PSH | FLOW_FIN | FLOW_URG };
	struct flow_header sent = from(h, 0x14000001, 8080);
	struct flow *f = flow_of(0);

	way.out = 1;
	has_session = true;
	session = (struct flow_session){ 0x1fd4, true, 2 };
	take_place(f, 7, FLOW_CHAIN_REPLY, &h, 2, 0);
	take_place(f, 7, FLOW_CHAIN_FORWARD, &h, 2, 1);
	take_verdict(f, 7, RULESET_TABLE, "forward", FLOW_ACCEPT);
	take_place(f, 7, FLOW_CHAIN_OUT, &sent, 2, 1);
	assert_told(f,
		    RECEIVED("proto=6, 10.1.0.1:80->1.1.1.1:1000) tun_id=0.0.0.0 from port2. "
			     "flag [FP.U], seq 9, ack 6, win 100")
		    LINE(1, "resolve_ip_tuple_fast", 5982,
			 "Find an existing session, id-00001fd4, reply direction")
		    ROUTE("10.2.0.1", "port1")
		    LINE(1, "__ip_session_run_tuple", 3471, "SNAT 10.1.0.1->20.0.0.1:8080"));
}
END_TEST

/* The reply to a masqueraded echo request: its id is translated back. */
START_TEST(test_icmp_original) {
	struct flow_header h = { .src = 0x08080808, .dst = 0x14000009, .proto = IPPROTO_ICMP,
				 .echo_id = 63005, .echo_seq = 1 };
	struct flow_header routed = h;
	struct flow *f = flow_of(0);

	routed.dst = 0x0a010001;
	routed.echo_id = 2589;
	take_place(f, 7, FLOW_CHAIN_ORIGINAL, &h, 1, 0);
	take_place(f, 7, FLOW_CHAIN_FORWARD, &routed, 1, 2);
	take_place(f, 7, FLOW_CHAIN_OUT, &routed, 1, 2);
	assert_told(f,
		    RECEIVED("proto=1, 8.8.8.8:63005->20.0.0.9:0) tun_id=0.0.0.0 from port1. type=0, "
			     "code=0, id=63005, seq=1.")
		    LINE(1, "resolve_ip_tuple_fast", 5982, "Find an existing session, original direction")
		    LINE(1, "__ip_session_run_tuple", 3484, "DNAT 20.0.0.9:63005->10.1.0.1:2589")
		    ROUTE("10.2.0.1", "port2"));
}
END_TEST

START_TEST(test_local) {
	struct flow_header h = { .src = 0x14000009, .dst = 0x08080808, .proto = IPPROTO_UDP,
				 .sport = 5353, .dport = 53 };
	struct flow *f = flow_of(0);

	take_place(f, 7, FLOW_CHAIN_NEW, &h, 0, 1);
	take_place(f, 7, FLOW_CHAIN_OUT, &h, 0, 1);
	assert_told(f, RECEIVED("proto=17, 20.0.0.9:5353->8.8.8.8:53) tun_id=0.0.0.0 from local. ")
		    ALLOCATE);
}
END_TEST

START_TEST(test_to_the_unit) {
	struct flow_header h = { .src = 0x08080808, .dst = 0x14000009, .proto = IPPROTO_ICMP,
				 .icmp_type = 8, .echo_id = 7, .echo_seq = 2 };
	struct flow *f = flow_of(0);

	take_place(f, 7, FLOW_CHAIN_NEW, &h, 1, 0);
	take_place(f, 7, FLOW_CHAIN_IN, &h, 1, 0);
	assert_told(f, RECEIVED("proto=1, 8.8.8.8:7->20.0.0.9:2048) tun_id=0.0.0.0 from port1. type=8, "
				"code=0, id=7, seq=2.") ALLOCATE LOCAL);
}
END_TEST

static const struct {
	const char *state, *table, *chain, *lines;
} drops[] = {
	{ FLOW_CHAIN_NEW, RULESET_TABLE, "input",
	  VIP_RECEIVED ALLOCATE LOCAL LINE(1, "fw_local_in_handler", 545,
					   "iprope_in_check() check failed on policy 0, drop") },
	{ FLOW_CHAIN_INVALID, RULESET_TABLE, "invalid",
	  VIP_RECEIVED LINE(1, "fw_forward_dirty_handler", 443, "no session matched") },
	{ FLOW_CHAIN_NEW, "other", "input",
	  VIP_RECEIVED ALLOCATE LINE(1, "nf_hook_slow", 0,
				     "Denied by a rule of chain input in table other, drop") },
	{ FLOW_CHAIN_UNTRACKED, RULESET_TABLE, "new",
	  VIP_RECEIVED LINE(1, "nf_hook_slow", 0,
			    "Denied by a rule of chain new in table gatehouse, drop") },
};

START_TEST(test_dropped) {
	struct flow *f = flow_of(0);

	take_place(f, 7, drops[_i].state, &syn, 1, 0);
	take_verdict(f, 7, drops[_i].table, drops[_i].chain, FLOW_DROP);
	assert_told(f, drops[_i].lines);
}
END_TEST

/* ---- what vanishes ---- */

static const struct {
	struct flow_way way;
	uint8_t ttl;
	const char *line;
} vanished[] = {
	{ { .refusal = FLOW_NO_WAY_BACK }, 60, LINE(1, "ip_route_input_slow", 2268, "reverse path check fail, drop") },
	{ { .refusal = FLOW_NO_ROUTE }, 60, LINE(1, "ip_route_input_slow", 2268, "no route to 20.0.0.1, drop") },
	{ { .refusal = FLOW_NO_FORWARDING }, 60, LINE(1, "ip_route_input_slow", 2268, "forwarding is off on port1, drop") },
	{ { .refusal = FLOW_REFUSED }, 1, LINE(1, "nf_hook_slow", 0, "the packet was not handed on, drop") },
	{ { .out = 2 }, 1, LINE(1, "ip_route_input_slow", 2268, "time to live exceeded, drop") },
	{ { .out = 2 }, 2, LINE(1, "nf_hook_slow", 0, "the packet was not handed on, drop") },
	{ { .local = true }, 1, LINE(1, "nf_hook_slow", 0, "the packet was not handed on, drop") },
};

/* A packet of which nothing more is heard is told after a while, and not before. */
START_TEST(test_vanished) {
	struct flow_header h = syn;
	struct flow *f = flow_of(0);
	struct str early AUTO_STR = STR_INIT, want AUTO_STR = STR_INIT;

	way = vanished[_i].way;
	h.ttl = vanished[_i].ttl;
	take_place(f, 7, FLOW_CHAIN_NEW, &h, 1, 0);
	for (int i = 0; i < FLOW_QUIET_TICKS; i++)
		flow_tick(f);
	flow_print(f, 1000, &early);
	ck_assert_str_eq(str_text(&early), "");
	flow_tick(f);
	str_addf(&want, "%s%s%s", VIP_RECEIVED, ALLOCATE, vanished[_i].line);
	assert_told(f, str_text(&want));
}
END_TEST

START_TEST(test_vanished_later) {
	struct flow *f = begun(&syn, &syn);

	for (int i = 0; i < FLOW_QUIET_TICKS; i++)
		flow_tick(f);
	take_verdict(f, 7, RULESET_TABLE, "classify", FLOW_GO_ON); /* it lives */
	for (int i = 0; i <= FLOW_QUIET_TICKS; i++)
		flow_tick(f);
	assert_told(f, VIP_RECEIVED ALLOCATE ROUTE("10.2.0.1", "port2")
		    LINE(1, "nf_hook_slow", 0, "the packet was not sent, drop"));
}
END_TEST

/* What was lost is not made up: what is under way ends there, and says so. */
START_TEST(test_lost) {
	struct flow *f = flow_of(0);

	take_place(f, 7, FLOW_CHAIN_NEW, &syn, 1, 0);
	flow_lost(f);
	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_UNMATCHED, FLOW_DROP);
	assert_told(f, VIP_RECEIVED ALLOCATE
		    LINE(1, "nf_hook_slow", 0,
			 "what became of the packet was lost: there was too much to hear"));
}
END_TEST

/* ---- several packets ---- */

/* How many packets have been told, by their first lines. */
static unsigned int count_told(const char *text) {
	unsigned int n = 0;

	for (; (text = strstr(text, "received a packet")); text++)
		n++;
	return n;
}

/* Packets are told in the order in which they came, whatever the order of their ends. */
START_TEST(test_order) {
	struct flow *f = flow_of(0);
	struct str out AUTO_STR = STR_INIT;

	take_place(f, 1, FLOW_CHAIN_NEW, &syn, 1, 0);
	take_place(f, 2, FLOW_CHAIN_NEW, &syn, 1, 0);
	take_place(f, 2, FLOW_CHAIN_IN, &syn, 1, 0);
	ck_assert(!flow_print(f, 1000, &out));
	ck_assert_str_eq(str_text(&out), "");
	take_place(f, 1, FLOW_CHAIN_IN, &syn, 1, 0);
	ck_assert(!flow_print(f, 1, &out));
	ck_assert_uint_eq(count_told(str_text(&out)), 1);
	ck_assert(!flow_print(f, 1, &out));
	ck_assert_uint_eq(count_told(str_text(&out)), 2);
	ck_assert(strstr(str_text(&out), "trace_id=1 ") < strstr(str_text(&out), "trace_id=2 "));
	flow_free(f);
}
END_TEST

/* The next packet may lie at the same place in memory, and has the same id then. */
START_TEST(test_same_id) {
	struct flow_header other = to(syn, 0x0a010001, 99);
	struct flow *f = flow_of(0);
	struct str out AUTO_STR = STR_INIT;

	take_place(f, 7, FLOW_CHAIN_NEW, &syn, 1, 0);
	take_verdict(f, 7, "other", "input", FLOW_DROP);
	take_place(f, 7, FLOW_CHAIN_NEW, &other, 1, 0);
	take_place(f, 7, FLOW_CHAIN_IN, &other, 1, 0);
	take_place(f, 7, FLOW_CHAIN_NEW, &syn, 1, 0); /* the end of this one is not told */
	take_place(f, 7, FLOW_CHAIN_NEW, &other, 1, 0);
	take_place(f, 7, FLOW_CHAIN_IN, &other, 1, 0);
	flow_print(f, 1000, &out);
	ck_assert_uint_eq(count_told(str_text(&out)), 4);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "trace_id=2 func=__vf_ip_route_input_rcu"));
	ck_assert_ptr_nonnull(strstr(str_text(&out), "trace_id=3 func=nf_hook_slow"));
	ck_assert_ptr_nonnull(strstr(str_text(&out), "trace_id=4 func=__vf_ip_route_input_rcu"));
	flow_free(f);
}
END_TEST

/* Packets of others that trace, too, are none of ours. */
START_TEST(test_others) {
	struct flow_event e = event(7, "gatehouse_trace2", FLOW_CHAIN_NEW);
	struct flow *f = flow_of(0);

	e.has_header = e.is_rule = true;
	e.header = syn;
	flow_take(f, &e);
	take_place(f, 7, FLOW_CHAIN_RECEIVED, &syn, 1, 0);
	take_verdict(f, 7, RULESET_TABLE, RENDER_CHAIN_UNMATCHED, FLOW_DROP);
	assert_told(f, "");
}
END_TEST

/* One that others trace and we, too, has its header in an event before the first. */
START_TEST(test_shared) {
	struct flow_header other = to(syn, 0x0a010001, 99);
	struct flow *f = flow_of(0);
	struct str out AUTO_STR = STR_INIT;

	take_place(f, 7, FLOW_CHAIN_RECEIVED, &other, 1, 0); /* not asked for */
	for (uint32_t i = 10; i < 12; i++)
		take_traced(f, i, FLOW_CHAIN_NEW, &other);
	take_traced(f, 7, FLOW_CHAIN_NEW, &syn);
	take_place(f, 7, FLOW_CHAIN_IN, &syn, 1, 0);
	for (int i = 0; i <= FLOW_QUIET_TICKS; i++)
		flow_tick(f);
	flow_print(f, 1000, &out);
	ck_assert_uint_eq(count_told(str_text(&out)), 3);
	ck_assert_ptr_nonnull(strstr(str_text(&out), "1.1.1.1:1000->20.0.0.1:8080"));
	flow_free(f);
}
END_TEST

START_TEST(test_count) {
	struct flow *f = flow_of(3);
	struct str out AUTO_STR = STR_INIT;

	for (uint32_t i = 1; i <= 5; i++) {
		ck_assert(flow_print(f, 1000, &out) == (i > 3));
		take_place(f, i, FLOW_CHAIN_NEW, &syn, 1, 0);
		take_place(f, i, FLOW_CHAIN_IN, &syn, 1, 0);
	}
	ck_assert_uint_eq(count_told(str_text(&out)), 3);
	flow_free(f);
}
END_TEST

/* Whatever comes, memory is bounded. */
START_TEST(test_flood) {
	struct flow *f = flow_of(0);
	struct str out AUTO_STR = STR_INIT;

	for (uint32_t i = 0; i < 100000; i++)
		take_place(f, i, FLOW_CHAIN_NEW, &syn, 1, 0);
	for (int i = 0; i <= FLOW_QUIET_TICKS; i++)
		flow_tick(f);
	flow_print(f, 100000, &out);
	ck_assert_uint_eq(count_told(str_text(&out)), 512);
	take_place(f, 5, FLOW_CHAIN_NEW, &syn, 1, 0);
	take_place(f, 5, FLOW_CHAIN_IN, &syn, 1, 0);
	flow_print(f, 100000, &out);
	ck_assert_uint_eq(count_told(str_text(&out)), 513);
	flow_free(f);
}
END_TEST

static Suite *flow_suite(void) {
	Suite *s = suite_create("flow");
	TCase *t = fixture_case(s, "flow");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_recorded);
	tcase_add_test(t, test_broken);
	tcase_add_test(t, test_virtual_ip);
	tcase_add_test(t, test_session_known);
	tcase_add_test(t, test_masqueraded);
	tcase_add_test(t, test_iprope);
	tcase_add_test(t, test_no_functions);
	tcase_add_test(t, test_denied_by_none);
	tcase_add_test(t, test_denied_without_policies);
	tcase_add_test(t, test_denied_by_policy);
	tcase_add_test(t, test_denied_by_a_policy_that_is_gone);
	tcase_add_test(t, test_reply);
	tcase_add_test(t, test_icmp_original);
	tcase_add_test(t, test_local);
	tcase_add_test(t, test_to_the_unit);
	tcase_add_loop_test(t, test_dropped, 0, ARRAY_LEN(drops));
	tcase_add_loop_test(t, test_vanished, 0, ARRAY_LEN(vanished));
	tcase_add_test(t, test_vanished_later);
	tcase_add_test(t, test_lost);
	tcase_add_test(t, test_order);
	tcase_add_test(t, test_same_id);
	tcase_add_test(t, test_others);
	tcase_add_test(t, test_shared);
	tcase_add_test(t, test_count);
	tcase_add_test(t, test_flood);
	return s;
}

int main(void) {
	return fixture_run(flow_suite());
}
