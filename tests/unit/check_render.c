/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What rules a configuration becomes: the rendered chains are executed on packets. Which policy
 * matches first is the subject of check_classify; here it is the frame around it, virtual IPs, the
 * unit's own services, the log, and what is kept when something changes.
 */
#include "backends/render.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "backends/managed.h"
#include "backends/nft_text.h"
#include "backends/ruleset_diff.h"
#include "backends/vip.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/simulate.h"

#define NOW 1700000000 /* Tuesday, 2023-11-14 22:13:20 UTC */
#define FLOATING 0x1496fc5bu /* 20.150.252.91 */
#define CLIENT 0xcf668a13u   /* 207.102.138.19 */
#define SERVER 0xac10890fu   /* 172.16.137.15 */

static const char golden[] =
	"config system interface\n"
	"edit \"port1\"\nset ip 172.16.136.4 255.255.255.192\nset allowaccess ping https ssh\nnext\n"
	"edit \"port2\"\nset ip 172.16.136.69 255.255.255.192\nset allowaccess snmp capwap\nnext\nend\n"
	"config system standalone-cluster\nconfig cluster-peer\nedit 1\nset peerip 172.16.136.70\nnext\nend\nend\n"
	"config firewall vip\n"
	"edit \"ssh\"\nset extip 20.150.252.91\nset mappedip \"172.16.137.15\"\nset extintf \"port1\"\n"
	"set portforward enable\nset extport 65022\nset mappedport 22\nnext\n"
	"edit \"web\"\nset extip 20.150.252.91\nset mappedip \"172.16.137.15\"\nset extintf \"port1\"\n"
	"set portforward enable\nset extport 80\nnext\n"
	"edit \"unused\"\nset extip 20.150.252.92\nset mappedip \"172.16.137.16\"\nset extintf \"any\"\nnext\nend\n"
	"config firewall policy\n"
	"edit 2\nset srcintf \"port1\"\nset dstintf \"port2\"\nset action accept\nset srcaddr \"all\"\n"
	"set dstaddr \"ssh\" \"web\"\nset schedule \"always\"\nset service \"ALL\"\nnext\n"
	"edit 3\nset srcintf \"port2\"\nset dstintf \"port1\"\nset action accept\nset srcaddr \"all\"\n"
	"set dstaddr \"all\"\nset schedule \"always\"\nset service \"ALL\"\nset nat enable\nnext\nend\n";

static struct ruleset *render_text(const char *text, const char *more) {
	struct model *m = conf_model(text);
	struct ruleset *rs;
	time_t next;

	conf_load(m, more, 2);
	rs = render(m, NOW, &next);
	model_free(m);
	return rs;
}

static struct eval_packet tcp(const char *in, const char *out, uint32_t src, uint32_t dst,
			     uint16_t dport) {
	return (struct eval_packet){ .in = in,
				    .out = out,
				    .src = src,
				    .dst = dst,
				    .proto = IPPROTO_TCP,
				    .sport = 40000,
				    .dport = dport,
				    .state = CT_STATE_NEW };
}

/* All chains that a forwarded packet goes through. */
static enum eval_verdict pass(const struct ruleset *rs, struct eval_packet *p) {
	if (sim_chain(rs, "invalid", p) == EVAL_DROP)
		return EVAL_DROP;
	if (!p->confirmed)
		sim_chain(rs, "translate_in", p);
	if (sim_chain(rs, "forward", p) == EVAL_DROP)
		return EVAL_DROP;
	if (!p->confirmed)
		sim_chain(rs, "translate_out", p);
	return EVAL_ACCEPT;
}

/* ---- forwarding ---- */

START_TEST(test_virtual_ip) {
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = tcp("port1", "port2", CLIENT, FLOATING, 65022);

	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.dst, SERVER);
	ck_assert_uint_eq(p.dport, 22);
	ck_assert_uint_eq(p.mark, 2);
	ck_assert(!p.masqueraded);
	p = tcp("port1", "port2", CLIENT, FLOATING, 80);
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.dport, 80);
	ruleset_free(rs);
}
END_TEST

static const struct {
	const char *what, *in, *out;
	uint32_t src, dst;
	uint16_t dport;
} refused[] = {
	{ "another port of the address", "port1", "port2", CLIENT, FLOATING, 81 },
	{ "another interface than the outside one", "port2", "port2", CLIENT, FLOATING, 80 },
	{ "the inside address, directly", "port1", "port2", CLIENT, SERVER, 22 },
	{ "a virtual IP that no policy names", "port1", "port2", CLIENT, FLOATING + 1, 80 },
	{ "a virtual IP towards another interface", "port1", "port1", CLIENT, FLOATING, 80 },
	{ "from a managed interface to one that is not", "port2", "docker0", SERVER, CLIENT, 80 },
	{ "from one that is not managed to one that is", "docker0", "port1", SERVER, CLIENT, 80 },
};

START_TEST(test_refused) {
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = tcp(refused[_i].in, refused[_i].out, refused[_i].src,
				   refused[_i].dst, refused[_i].dport);

	ck_assert_msg(pass(rs, &p) == EVAL_DROP, "%s passes", refused[_i].what);
	ck_assert_msg(p.mark == 0, "%s is counted under policy %u", refused[_i].what, p.mark);
	ruleset_free(rs);
}
END_TEST

/* ---- what is logged ---- */

#define DENY(log) \
	"config firewall policy\nedit 9\nset srcintf \"port1\"\nset dstintf \"port2\"\n" \
	"set srcaddr \"all\"\nset dstaddr \"all\"\nset schedule \"always\"\nset service \"ALL\"\n" log \
	"next\nend\n"
#define SETTING(which) "config log setting\nset " which " enable\nend\n"
#define LOGGED RENDER_LOG_GROUP

static const struct {
	const char *what, *more;
	bool ipv6;
	uint32_t dst, mark;
	uint16_t group;
} logs[] = {
	{ "a denial is not logged by default", DENY(""), false, SERVER, 9, 0 },
	{ "not with `utm`", DENY("set logtraffic utm\n"), false, SERVER, 9, 0 },
	{ "not with `disable`", DENY("set logtraffic disable\n"), false, SERVER, 9, 0 },
	{ "with `all` it is", DENY("set logtraffic all\n"), false, SERVER, 9, LOGGED },
	{ "what is accepted is not logged by a rule",
	  "config firewall policy\nedit 2\nset srcintf \"port1\"\nset dstintf \"port2\"\nset action accept\n"
	  "set srcaddr \"all\"\nset dstaddr \"web\"\nset schedule \"always\"\nset service \"ALL\"\n"
	  "set logtraffic all\nset logtraffic-start enable\nnext\nend\n",
	  false, FLOATING, 2, 0 },
	{ "the implicit deny is not logged by default", "", false, SERVER, 0, 0 },
	{ "when it shall be, it is", SETTING("fwpolicy-implicit-log"), false, SERVER, 0, LOGGED },
	{ "but not IPv6", SETTING("fwpolicy-implicit-log"), true, 0, 0, 0 },
	{ "IPv6 has a setting of its own", SETTING("fwpolicy6-implicit-log"), true, 0, 0, LOGGED },
	{ "which is for nothing else", SETTING("fwpolicy6-implicit-log"), false, SERVER, 0, 0 },
};

START_TEST(test_logs) {
	struct ruleset *rs = render_text(golden, logs[_i].more);
	struct eval_packet p = tcp("port1", "port2", CLIENT, logs[_i].dst, 80);

	p.ipv6 = logs[_i].ipv6;
	ck_assert_int_eq(pass(rs, &p), logs[_i].mark == 2 ? EVAL_ACCEPT : EVAL_DROP);
	ck_assert_uint_eq(p.mark, logs[_i].mark);
	ck_assert_msg(p.log_group == logs[_i].group, "%s: group %u", logs[_i].what, p.log_group);
	ruleset_free(rs);
}
END_TEST

/* Above the limit nothing is logged, but counted where it belongs; it is refused all the same. */
START_TEST(test_log_limit) {
	struct ruleset *rs = render_text(golden, DENY("set logtraffic all\n")
							 SETTING("fwpolicy-implicit-log"));
	const struct set *unlogged = ruleset_set(rs, RENDER_SET_UNLOGGED);
	static const uint16_t ports[] = { 80, 22 };

	for (size_t i = 0; i < ARRAY_LEN(ports); i++) {
		struct eval_packet p = tcp("port1", i ? "port1" : "port2", CLIENT, SERVER, ports[i]);
		struct key k = KEY_INIT;

		p.over_limit = true;
		ck_assert_int_eq(pass(rs, &p), EVAL_DROP);
		ck_assert_uint_eq(p.log_group, 0);
		ck_assert_uint_eq(p.mark, i ? 0 : 9);
		key_num(&k, FIELD_CT_MARK, p.mark);
		ck_assert_ptr_nonnull(set_find(unlogged, k.bytes));
	}
	ck_assert_uint_eq(unlogged->n_elems, 2);
	ck_assert(unlogged->flags & SET_COUNTER);
	ruleset_free(rs);
}
END_TEST

/* Whether a policy's denials are logged is an element of a set: its rules stay. */
START_TEST(test_log_is_an_element) {
	struct ruleset *a = render_text(golden, DENY("")),
		       *b = render_text(golden, DENY("set logtraffic all\n"));
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;

	ruleset_diff(a, b, &d);
	ck_assert(!d.whole);
	for (const struct chain *c = a->chains; c; c = c->next)
		ck_assert(chain_equal(c, ruleset_chain(b, c->name)));
	ruleset_free(a);
	ruleset_free(b);
}
END_TEST

START_TEST(test_masquerade) {
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = tcp("port2", "port1", SERVER, CLIENT, 443);

	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.mark, 3);
	ck_assert(p.masqueraded);
	ruleset_free(rs);
}
END_TEST

START_TEST(test_unmanaged_is_left_alone) {
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = tcp("docker0", "eth9", CLIENT, SERVER, 443);

	p.mark = 77;
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.mark, 77);
	p.state = CT_STATE_INVALID;
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	p = tcp("docker0", "eth9", CLIENT, FLOATING + 1, 80); /* `any` means any of ours */
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.dst, FLOATING + 1);
	ruleset_free(rs);
}
END_TEST

/*
 * Packets of sessions that exist pass (which ones stay is not up to them); IPv6 and marks of others
 * get nowhere.
 */
START_TEST(test_states) {
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = tcp("port1", "port2", CLIENT, SERVER, 22);

	p.confirmed = true;
	p.state = CT_STATE_ESTABLISHED;
	p.mark = 999;
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.mark, 999);
	p = tcp("port1", "port2", CLIENT, SERVER, 22);
	p.state = CT_STATE_RELATED;
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	p = tcp("port1", "port2", CLIENT, SERVER, 22);
	p.state = CT_STATE_INVALID;
	ck_assert_int_eq(pass(rs, &p), EVAL_DROP);
	p = tcp("port2", "port1", SERVER, CLIENT, 22);
	p.ipv6 = true;
	ck_assert_int_eq(pass(rs, &p), EVAL_DROP);
	ruleset_free(rs);
}
END_TEST

START_TEST(test_foreign_marks) {
	static const uint32_t marks[] = { 1,	      2,	  3,	      0x20000400,
					  0x7fffffff, 0x80000000, 0xa0000400, 0xbfffffff,
					  0xc0000000, 0xffffffff };
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = tcp("port1", "port2", CLIENT, SERVER, 22);

	p.mark = marks[_i];
	ck_assert_int_eq(sim_chain(rs, "forward", &p), EVAL_DROP);
	ck_assert_uint_eq(p.mark, 0);
	ruleset_free(rs);
}
END_TEST

/* ---- the unit itself ---- */

static const struct {
	const char *in;
	uint32_t src;
	uint8_t proto, type;
	bool ipv6;
	uint16_t dport;
	uint32_t state;
	enum eval_verdict verdict;
} inputs[] = {
	{ "port1", CLIENT, IPPROTO_TCP, 0, false, 22, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port1", CLIENT, IPPROTO_TCP, 0, true, 22, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port1", CLIENT, IPPROTO_TCP, 0, false, 22, CT_STATE_INVALID,
	  EVAL_ACCEPT }, /* older than the rules */
	{ "port1", CLIENT, IPPROTO_TCP, 0, false, 443, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port1", CLIENT, IPPROTO_TCP, 0, false, 80, CT_STATE_NEW, EVAL_DROP },
	{ "port1", CLIENT, IPPROTO_UDP, 0, false, 22, CT_STATE_NEW, EVAL_DROP },
	{ "port2", CLIENT, IPPROTO_TCP, 0, false, 22, CT_STATE_NEW, EVAL_DROP },
	{ "port2", CLIENT, IPPROTO_TCP, 0, false, 22, CT_STATE_ESTABLISHED, EVAL_ACCEPT },
	{ "port2", CLIENT, IPPROTO_TCP, 0, false, 22, CT_STATE_RELATED, EVAL_ACCEPT },
	{ "port2", CLIENT, IPPROTO_UDP, 0, false, 161, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", CLIENT, IPPROTO_UDP, 0, false, 5247, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port1", CLIENT, IPPROTO_ICMP, 8, false, 0, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", CLIENT, IPPROTO_ICMP, 8, false, 0, CT_STATE_NEW, EVAL_DROP },
	{ "port1", CLIENT, IPPROTO_ICMPV6, 128, true, 0, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", CLIENT, IPPROTO_ICMPV6, 128, true, 0, CT_STATE_NEW, EVAL_DROP },
	{ "port2", CLIENT, IPPROTO_ICMP, 3, false, 0, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", CLIENT, IPPROTO_ICMPV6, 135, true, 0, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", CLIENT, IPPROTO_ICMPV6, 1, true, 0, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", 0xac108846, IPPROTO_TCP, 0, false, 703, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", 0xac108846, IPPROTO_UDP, 0, false, 708, CT_STATE_NEW, EVAL_ACCEPT },
	{ "port2", 0xac108847, IPPROTO_UDP, 0, false, 708, CT_STATE_NEW, EVAL_DROP },
	{ "port2", 0xac108846, IPPROTO_TCP, 0, false, 704, CT_STATE_NEW, EVAL_DROP },
	{ "lo", 0x7f000001, IPPROTO_TCP, 0, false, 9, CT_STATE_NEW, EVAL_ACCEPT },
	{ "docker0", CLIENT, IPPROTO_TCP, 0, false, 9, CT_STATE_NEW, EVAL_ACCEPT },
};

START_TEST(test_input) {
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = {
		.in = inputs[_i].in,
		.out = "",
		.src = inputs[_i].src,
		.dst = 0xac108804,
		.proto = inputs[_i].proto,
		.icmp_type = inputs[_i].type,
		.ipv6 = inputs[_i].ipv6,
		.sport = 40000,
		.dport = inputs[_i].dport,
		.state = inputs[_i].state,
		.local = true,
	};

	ck_assert_int_eq(sim_chain(rs, "invalid", &p), EVAL_ACCEPT);
	ck_assert_int_eq(sim_chain(rs, "input", &p), inputs[_i].verdict);
	ruleset_free(rs);
}
END_TEST

START_TEST(test_input_dhcp) {
	struct ruleset *rs = render_text(golden, "");
	struct eval_packet p = { .in = "port2",
				.out = "",
				.proto = IPPROTO_UDP,
				.sport = 67,
				.dport = 68,
				.state = CT_STATE_NEW };

	ck_assert_int_eq(sim_chain(rs, "input", &p), EVAL_ACCEPT);
	p.sport = 1067;
	ck_assert_int_eq(sim_chain(rs, "input", &p), EVAL_DROP);
	ruleset_free(rs);
}
END_TEST

START_TEST(test_auto_scale) {
	struct ruleset *rs =
		render_text(golden, "config system auto-scale\nset status enable\n"
				    "set sync-interface \"port1\"\nset primary-ip 10.9.9.9\nend\n");
	struct eval_packet p = tcp("port1", "", CLIENT, 0xac108804, 703);

	ck_assert_int_eq(sim_chain(rs, "input", &p), EVAL_ACCEPT);
	p = tcp("port2", "", CLIENT, 0xac108804, 703);
	ck_assert_int_eq(sim_chain(rs, "input", &p), EVAL_DROP);
	p = tcp("port2", "", 0x0a090909, 0xac108804, 703);
	ck_assert_int_eq(sim_chain(rs, "input", &p), EVAL_ACCEPT);
	ruleset_free(rs);
}
END_TEST

/* ---- managed interfaces ---- */

START_TEST(test_managed) {
	static const char *const texts[] = {
		"",
		"config router static\nedit 1\nset device \"port1\"\nnext\nend\n",
		"config system zone\nedit \"z\"\nset interface \"port1\"\nnext\nend\n",
		"config firewall vip\nedit \"v\"\nset extip 1.1.1.1\nset mappedip \"2.2.2.2\"\nset extintf \"port1\"\n"
		"next\nend\n",
		"config firewall policy\nedit 1\nset srcintf \"any\"\nset dstintf \"port1\"\nset srcaddr \"all\"\n"
		"set dstaddr \"all\"\nset service \"ALL\"\nset schedule \"always\"\nnext\nend\n",
		"config system interface\nedit \"port1\"\nset allowaccess ping\nnext\nend\n",
		"config system standalone-cluster\nconfig cluster-peer\nedit 1\n"
		"set down-intfs-before-sess-sync \"port1\"\nnext\nend\nend\n",
	};
	struct model *m = conf_model("");
	struct names names;
	struct ruleset *rs;
	time_t next;

	conf_load(m, "config system interface\nedit \"port1\"\nnext\nedit \"port2\"\nnext\nend\n",
		  0);
	conf_load(m, texts[_i], 3);
	names = managed_interfaces(m);
	ck_assert_uint_eq(names.n, _i == 0 ? 0 : 1);
	ck_assert_int_eq(names_have(&names, "port1"), _i != 0);
	ck_assert(!names_have(&names, "port2"));
	rs = render(m, NOW, &next);
	ck_assert_int_eq(rs != NULL, _i != 0);
	ruleset_free(rs);
	names_done(&names);
	model_free(m);
}
END_TEST

/* ---- virtual IPs ---- */

static const struct {
	const char *vip;          /* its lines */
	uint32_t dst;
	uint16_t dport;
	uint32_t to;              /* 0: not translated */
	uint16_t to_port;
} vips[] = {
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\n", 0x01000001, 77, 0x02000001, 77 },
	{ "set extip 1.0.0.1-1.0.0.4\nset mappedip \"2.0.0.11-2.0.0.14\"\n", 0x01000003, 77,
	  0x0200000d, 77 },
	{ "set extip 1.0.0.1-1.0.0.4\nset mappedip \"2.0.0.11-2.0.0.14\"\n", 0x01000005, 77, 0, 0 },
	{ "set extip 1.0.0.1-1.0.0.4\nset mappedip \"2.0.0.11-2.0.0.13\"\n", 0x01000001, 77, 0, 0 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset portforward enable\nset extport 100-110\n",
	  0x01000001, 105, 0x02000001, 105 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset portforward enable\nset extport 100-110\n"
	  "set mappedport 200-210\n",
	  0x01000001, 105, 0x02000001, 205 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset portforward enable\nset extport 100-110\n"
	  "set mappedport 200-210\n",
	  0x01000001, 111, 0, 0 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset portforward enable\nset extport 100-110\n"
	  "set mappedport 200\n",
	  0x01000001, 105, 0, 0 },
	{ "set extip 1.0.0.1-1.0.0.2\nset mappedip \"2.0.0.1-2.0.0.2\"\nset portforward enable\nset extport 100\n"
	  "set mappedport 200\n",
	  0x01000002, 100, 0x02000002, 200 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset portforward enable\nset protocol udp\nset extport 100\n",
	  0x01000001, 100, 0, 0 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset status disable\n", 0x01000001, 77, 0,
	  0 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset src-filter \"207.102.138.0-207.102.138.18\" \"1.2.3.4\"\n",
	  0x01000001, 77, 0, 0 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset src-filter \"207.102.138.0-207.102.138.19\"\n",
	  0x01000001, 77, 0x02000001, 77 },
	{ "set extip 1.0.0.1\nset mappedip \"2.0.0.1\"\nset srcintf-filter \"port2\"\n", 0x01000001,
	  77, 0, 0 },
	{ "set mappedip \"2.0.0.1\"\n", 0xac108804, 77, 0x02000001,
	  77 }, /* that of the interface */
};

START_TEST(test_vips) {
	struct str more AUTO_STR = STR_INIT;
	struct ruleset *rs;
	struct eval_packet p = tcp("port1", "port2", CLIENT, vips[_i].dst, vips[_i].dport);

	str_addf(&more, "config firewall vip\nedit \"it\"\nset extintf \"port1\"\n%snext\nend\n",
		 vips[_i].vip);
	rs = render_text(golden, str_text(&more));
	sim_chain(rs, "translate_in", &p);
	ck_assert_uint_eq(p.dst, vips[_i].to ? vips[_i].to : vips[_i].dst);
	ck_assert_uint_eq(p.dport, vips[_i].to ? vips[_i].to_port : vips[_i].dport);
	ck_assert_int_eq(p.mark != 0, vips[_i].to != 0);
	ruleset_free(rs);
}
END_TEST

/* Marks of virtual IPs are drawn from their names, whatever else is there. */
START_TEST(test_vip_marks) {
	struct str text AUTO_STR = STR_INIT;
	struct model *m;
	struct vips vs;

	str_add(&text, "config firewall vip\n");
	for (int i = 0; i < 3000; i++)
		str_addf(
			&text,
			"edit \"v%d\"\nset extip 9.%d.%d.1\nset mappedip \"2.0.0.1\"\nset extintf \"any\"\nnext\n",
			i, i / 250, i % 250);
	str_add(&text, "end\n");
	m = conf_model(str_text(&text));
	vs = vips_resolve(m);
	ck_assert_uint_eq(vs.n, 3000);
	for (size_t i = 0; i < vs.n; i++) {
		ck_assert_uint_ge(vs.vip[i].mark, VIP_MARK_MIN);
		ck_assert_uint_le(vs.vip[i].mark, VIP_MARK_MAX);
		ck_assert_ptr_eq(vips_find(&vs, vs.vip[i].obj), &vs.vip[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(vs.vip[i].mark, vs.vip[j].mark);
	}
	vips_done(&vs);
	model_free(m);
}
END_TEST

/* ---- fail closed ---- */

static const struct {
	const char *lines;
	bool passes;
} criteria[] = {
	{ "", true },
	{ "set groups \"guests\"\n", false },
	{ "set users \"someone\"\n", false },
	{ "set internet-service enable\nset internet-service-name \"Some-Web\"\n", false },
	{ "set tos-mask 0xff\n", false },
	{ "set status disable\n", false },
	{ "set schedule \"none\"\n", false },
	{ "set action ipsec\n", false },
	{ "set srcaddr \"name\"\n", false },
	{ "set srcaddr \"name\" \"all\"\n", true },
	{ "set srcaddr \"name\"\nset srcaddr-negate enable\n", false },
	{ "set srcaddr \"none\"\nset srcaddr-negate enable\n", true },
	{ "set srcaddr \"without\"\n", false },
	{ "set service \"limited\"\n", false },
	{ "set service \"limited\"\nset service-negate enable\n", false },
	{ "set service \"GRE\"\nset service-negate enable\n", true },
};

START_TEST(test_fail_closed) {
	struct str more AUTO_STR = STR_INIT;
	struct ruleset *rs;
	struct eval_packet p = tcp("port1", "port2", CLIENT, 0x0a000001, 80);

	str_addf(
		&more,
		"config firewall address\nedit \"name\"\nset type fqdn\nset fqdn \"example.com\"\nnext\nend\n"
		"config firewall addrgrp\nedit \"without\"\nset member \"all\"\nset exclude enable\n"
		"set exclude-member \"name\"\nnext\nend\n"
		"config firewall service custom\nedit \"limited\"\nset tcp-portrange 80\nset fqdn \"example.com\"\n"
		"next\nend\n"
		"config firewall policy\nedit 50\nset srcintf \"port1\"\nset dstintf \"port2\"\nset action accept\n"
		"set srcaddr \"all\"\nset dstaddr \"all\"\nset service \"ALL\"\nset schedule \"always\"\n%snext\nend\n",
		criteria[_i].lines);
	rs = render_text(golden, str_text(&more));
	ck_assert_msg((pass(rs, &p) == EVAL_ACCEPT) == criteria[_i].passes, "%s",
		      criteria[_i].lines);
	ck_assert_int_eq(p.mark == 50,
			 criteria[_i].passes || strstr(criteria[_i].lines, "ipsec") != NULL);
	ruleset_free(rs);
}
END_TEST

/* ---- sessions that a change leaves alone ---- */

static const struct {
	const char *settings, *policy;
	bool kept, others;
} dirties[] = {
	{ "check-all", "", false, false },
	{ "check-all", "set firewall-session-dirty check-new\n", false, false },
	{ "check-new", "", true, true },
	{ "check-new", "set status disable\n", true, true },
	{ "check-policy-option", "", false, false },
	{ "check-policy-option", "set firewall-session-dirty check-new\n", true, false },
	/* The end of a schedule is no change, unless the policy says so. */
	{ "check-all", "set schedule none\n", true, false },
	{ "check-all", "set schedule none\nset schedule-timeout enable\n", false, false },
	{ "check-new", "set schedule none\n", true, true },
	{ "check-new", "set schedule none\nset schedule-timeout enable\n", false, true },
	{ "check-new", "set schedule-timeout enable\n", true, true },
	{ "check-all", "set schedule none\nset status disable\n", false, false },
	{ "check-all", "set schedule none\nset action deny\n", false, false },
};

START_TEST(test_kept_sessions) {
	struct str text AUTO_STR = STR_INIT;
	struct ruleset *rs;

	str_addf(&text,
		 "config system settings\nset firewall-session-dirty %s\nend\n"
		 "config firewall policy\nedit 7\nset srcintf \"port1\"\nset dstintf \"port2\"\n"
		 "set action accept\nset srcaddr \"all\"\nset dstaddr \"all\"\nset service \"ALL\"\n"
		 "set schedule \"always\"\n%snext\nend\n",
		 dirties[_i].settings, dirties[_i].policy);
	rs = render_text(golden, str_text(&text));
	ck_assert_int_eq(ruleset_keeps(rs, 7), dirties[_i].kept);
	ck_assert_int_eq(ruleset_keeps(rs, 2), dirties[_i].others);
	ck_assert_int_eq(ruleset_keeps(rs, 999), dirties[_i].others);
	ck_assert_int_eq(ruleset_keeps(rs, 0), dirties[_i].others);
	ruleset_free(rs);
}
END_TEST

/* ---- what a change leaves alone ---- */

static const struct {
	const char *change;
	struct ruleset_delta want; /* only the numbers; n_add and n_del are upper bounds */
} changes[] = {
	{ "config firewall policy\nedit 3\nset comments \"x\"\nset action accept\nset srcintf \"port2\"\n"
	  "set dstintf \"port1\"\nset srcaddr \"all\"\nset dstaddr \"all\"\nset service \"ALL\"\n"
	  "set schedule \"always\"\nset nat enable\nnext\nend\n",
	  { .n_add = 0 } },
	{ "config firewall policy\nedit 3\nset action accept\nset srcintf \"port2\"\nset dstintf \"port1\"\n"
	  "set srcaddr \"all\"\nset dstaddr \"all\"\nset service \"ALL\"\nset schedule \"always\"\nnext\nend\n",
	  { .n_del = 1 } },
	{ "config firewall policy\nedit 3\nset srcintf \"port2\"\nset dstintf \"port1\"\nset srcaddr \"all\"\n"
	  "set dstaddr \"all\"\nset service \"ALL\"\nset schedule \"always\"\nset match-vip disable\nnext\nend\n",
	  { .n_add = 1, .n_del = 1 } },
	{ "config firewall policy\nedit 3\nset action accept\nset srcintf \"port2\"\nset dstintf \"port1\"\n"
	  "set srcaddr \"all\"\nset dstaddr \"all\"\nset service \"HTTP\"\nset schedule \"always\"\nset nat enable\n"
	  "next\nend\n",
	  { .n_changed_chains = 1 } },
};

START_TEST(test_small_changes) {
	struct ruleset *before = render_text(golden, ""),
		       *after = render_text(golden, changes[_i].change);
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;

	ruleset_diff(before, after, &d);
	ck_assert(!d.whole);
	ck_assert_uint_eq(d.n_new_chains + d.n_old_chains + d.n_new_sets + d.n_old_sets, 0);
	ck_assert_uint_eq(d.n_changed_chains, changes[_i].want.n_changed_chains);
	ck_assert_uint_eq(d.n_add, changes[_i].want.n_add);
	ck_assert_uint_eq(d.n_del, changes[_i].want.n_del);
	ruleset_free(before);
	ruleset_free(after);
}
END_TEST

/* No word that an administrator typed is the name of a set or chain, or part of the text. */
/* Interfaces eth1 to ethN, as a configuration and as a list of names. */
static void many_interfaces(int n, struct str *config, struct str *names) {
	str_add(config, "config system interface\n");
	for (int i = 1; i <= n; i++) {
		str_addf(config, "edit eth%d\nnext\n", i);
		str_addf(names, " eth%d", i);
	}
	str_add(config, "end\n");
}

static void add_policy(struct str *config, int id, const char *in, const char *out) {
	str_addf(config,
		 "config firewall policy\nedit %d\nset srcintf%s\nset dstintf%s\nset srcaddr all\n"
		 "set dstaddr all\nset action accept\nset schedule always\nset service ALL\n"
		 "next\nend\n",
		 id, in, out);
}

static unsigned int count_pair_chains(const struct ruleset *rs) {
	unsigned int n = 0;

	for (const struct chain *c = rs->chains; c; c = c->next)
		n += c->name[0] == 'p' && strchr(c->name, '_') != NULL;
	return n;
}

/* Pairs with the same policies share a chain, until they have others. */
START_TEST(test_shared_chains) {
	AUTO_STR struct str config = STR_INIT, names = STR_INIT, more = STR_INIT;
	struct ruleset *rs;
	struct eval_packet p = tcp("eth3", "eth4", CLIENT, SERVER, 80);

	many_interfaces(30, &config, &names);
	add_policy(&config, 1, str_text(&names), str_text(&names));
	rs = render_text(str_text(&config), "");
	ck_assert_uint_eq(count_pair_chains(rs), 1);
	ck_assert_uint_eq(ruleset_set(rs, "ppairs")->n_elems, 900);
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.mark, 1);
	ruleset_free(rs);

	add_policy(&more, 2, " eth3", " eth4 eth5");
	rs = render_text(str_text(&config), str_text(&more));
	ck_assert_uint_eq(count_pair_chains(rs), 2);
	p = tcp("eth3", "eth4", CLIENT, SERVER, 80);
	ck_assert_int_eq(pass(rs, &p), EVAL_ACCEPT);
	ruleset_free(rs);
}
END_TEST

/* Interfaces of zones count: what a zone brings is refused with the policy that is to blame. */
START_TEST(test_too_many_pairs) {
	AUTO_STR struct str config = STR_INIT, names = STR_INIT;
	struct err err = { 0 };
	struct model *m;

	many_interfaces(800, &config, &names);
	str_addf(&config, "config system zone\nedit z\nset interface%s\nnext\nend\n",
		 str_text(&names));
	add_policy(&config, 1, " z", " any");
	m = conf_model(str_text(&config));
	ck_assert_int_eq(render_check(m, &err), 0);
	str_clear(&config);
	add_policy(&config, 2, " z", " z");
	conf_load(m, str_text(&config), 2);
	ck_assert_int_eq(render_check(m, &err), ERR_MAX_ENTRIES);
	ck_assert_str_eq(err.text,
			 "Too many pairs of srcintf and dstintf: 640800 in all policies, 640000 of "
			 "them in policy 2. Maximum number of entries: 500000; `any` is one\n"
			 "object check operator error, -4, discard the setting");
	model_free(m);
}
END_TEST

START_TEST(test_names_are_ids) {
	struct str text AUTO_STR = STR_INIT;
	struct ruleset *rs = render_text(
		golden,
		"config firewall address\nedit \"evil; drop } x\"\nset subnet 10.1.1.1 255.255.255.255\nnext\n"
		"edit \"e2\"\nset subnet 10.1.1.3 255.255.255.255\nnext\nedit \"e3\"\nset subnet 10.1.1.5 "
		"255.255.255.255\nnext\nedit \"e4\"\nset subnet 10.1.1.7 255.255.255.255\nnext\nedit \"e5\"\n"
		"set subnet 10.1.1.9 255.255.255.255\nnext\nedit \"e6\"\nset subnet 10.1.1.11 255.255.255.255\n"
		"next\nedit \"e7\"\nset subnet 10.1.1.13 255.255.255.255\nnext\nend\n"
		"config firewall addrgrp\nedit \"group {\"\nset member \"evil; drop } x\" \"e2\" \"e3\" \"e4\" "
		"\"e5\" \"e6\" \"e7\"\nnext\nend\n"
		"config system zone\nedit \"zone;\"\nset interface \"port3\"\nnext\nend\n"
		"config firewall policy\nedit 8\nset name \"name }\"\nset srcintf \"zone;\"\nset dstintf \"any\"\n"
		"set srcaddr \"group {\"\nset dstaddr \"all\"\nset service \"ALL\"\nset schedule \"always\"\n"
		"next\nend\n");

	nft_text(rs, &text);
	ck_assert_ptr_null(strstr(str_text(&text), "evil"));
	ck_assert_ptr_null(strstr(str_text(&text), "group {"));
	ck_assert_ptr_null(strstr(str_text(&text), "zone;"));
	ck_assert_ptr_null(strstr(str_text(&text), "name }"));
	ck_assert_ptr_nonnull(strstr(str_text(&text), "10.1.1.13"));
	ruleset_free(rs);
}
END_TEST

static Suite *render_suite(void) {
	Suite *s = suite_create("render");
	TCase *t = tcase_create("render");

	tcase_add_test(t, test_virtual_ip);
	tcase_add_loop_test(t, test_refused, 0, ARRAY_LEN(refused));
	tcase_add_loop_test(t, test_logs, 0, ARRAY_LEN(logs));
	tcase_add_test(t, test_log_limit);
	tcase_add_test(t, test_log_is_an_element);
	tcase_add_test(t, test_masquerade);
	tcase_add_test(t, test_unmanaged_is_left_alone);
	tcase_add_test(t, test_states);
	tcase_add_loop_test(t, test_foreign_marks, 0, 10);
	tcase_add_loop_test(t, test_input, 0, ARRAY_LEN(inputs));
	tcase_add_test(t, test_input_dhcp);
	tcase_add_test(t, test_auto_scale);
	tcase_add_loop_test(t, test_managed, 0, 7);
	tcase_add_loop_test(t, test_vips, 0, ARRAY_LEN(vips));
	tcase_add_test(t, test_vip_marks);
	tcase_add_loop_test(t, test_fail_closed, 0, ARRAY_LEN(criteria));
	tcase_add_loop_test(t, test_kept_sessions, 0, ARRAY_LEN(dirties));
	tcase_add_loop_test(t, test_small_changes, 0, ARRAY_LEN(changes));
	tcase_add_test(t, test_shared_chains);
	tcase_add_test(t, test_too_many_pairs);
	tcase_add_test(t, test_names_are_ids);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(render_suite());
}
