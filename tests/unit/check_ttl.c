/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long sessions live and which helper follows them: what each source says and which one counts;
 * that rules, executed on packets, give a session what the look-up says; kernel settings.
 */
#include "backends/ttl.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/helper.h"
#include "backends/render.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_policies.h"
#include "tests/lib/simulate.h"

#define NOW 1700000000

/* States of TCP and SCTP as the kernel numbers them. */
enum { SYN_SENT = 1, SYN_RECV, ESTABLISHED, FIN_WAIT, CLOSE_WAIT, LAST_ACK, TIME_WAIT, CLOSE };
enum { SCTP_COOKIE_WAIT = 2, SCTP_ESTABLISHED = 4, SCTP_SHUTDOWN_SENT = 5 };

#define BETWEEN                                                               \
	"set srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n" \
	"set dstaddr \"all\"\nset action accept\nset schedule \"always\"\n"

/*
 * Policy 1 says nothing, 2 has a session-ttl, 3 has services that say something, 4 both, 5 the same
 * services negated, 6 services in a group.
 */
static const char config[] =
	"config system interface\nedit \"port1\"\nset allowaccess ping\nnext\nedit \"port2\"\nnext\nend\n"
	"config firewall service custom\n"
	"edit \"db\"\nset tcp-portrange 1000-1099\nset session-ttl 7200\nset tcp-halfclose-timer 33\nnext\n"
	"edit \"slow\"\nset tcp-portrange 2000-2999\nset tcp-halfopen-timer 44\nset tcp-rst-timer 55\nnext\n"
	"edit \"both\"\nset tcp-portrange 5000\nset udp-portrange 5000\nset session-ttl 900\nnext\n"
	"edit \"media\"\nset udp-portrange 6000:100-200\nset udp-idle-timer 66\nset session-ttl 900\nnext\n"
	"edit \"any\"\nset tcp-portrange 1-65535\nset udp-portrange 1-65535\nnext\n"
	"edit \"plain\"\nset tcp-portrange 1050\nnext\n"
	"edit \"never\"\nset tcp-portrange 7000\nset session-ttl never\nset tcp-timewait-timer 77\nnext\n"
	"end\n"
	"config firewall service group\nedit \"some\"\nset member \"plain\" \"db\" \"slow\"\nnext\nend\n"
	"config firewall policy\n"
	"edit 1\n" BETWEEN "set service \"ALL\"\nnext\n"
	"edit 2\n" BETWEEN "set service \"ALL\"\nset session-ttl 600\nnext\n"
	"edit 3\n" BETWEEN
	"set service \"plain\" \"db\" \"slow\" \"both\" \"media\" \"never\" \"any\"\nnext\n"
	"edit 4\n" BETWEEN "set service \"db\" \"any\" \"slow\"\nset session-ttl never\nnext\n"
	"edit 5\n" BETWEEN "set service \"db\"\nset service-negate enable\nnext\n"
	"edit 6\n" BETWEEN "set service \"some\" \"any\"\nnext\nend\n";

static const char ports[] =
	"config system session-ttl\nset default 1800\nconfig port\n"
	"edit 1\nset protocol 6\nset timeout 400\nset start-port 2500\nset end-port 2600\nnext\n"
	"edit 2\nset protocol 6\nset timeout 500\nset start-port 2600\nset end-port 2700\nnext\n"
	"edit 3\nset protocol 17\nset timeout never\nset start-port 6000\nset end-port 6001\nnext\n"
	"edit 4\nset protocol 6\nset timeout 800\nset start-port 1000\nset end-port 1099\nnext\n"
	"end\nend\n"
	"config system global\nset tcp-halfopen-timer 11\nset tcp-halfclose-timer 12\n"
	"set tcp-timewait-timer 0\nset tcp-rst-timer 14\nset udp-idle-timer 15\nend\n";

static const char rest[] = "config system session-ttl\nconfig port\n"
			   "edit 9\nset timeout 1234\nnext\nend\nend\n";

static const struct {
	const char *more;
	uint32_t policy;
	uint8_t proto;
	uint16_t sport, dport;
	uint8_t state;
	uint32_t seconds, timeout;
} sessions[] = {
	/* The VDOM, as it is shipped. */
	{ "", 1, IPPROTO_TCP, 1, 80, SYN_SENT, 10, 3600 },
	{ "", 1, IPPROTO_TCP, 1, 80, SYN_RECV, 60, 3600 },
	{ "", 1, IPPROTO_TCP, 1, 80, ESTABLISHED, 3600, 3600 },
	{ "", 1, IPPROTO_TCP, 1, 80, FIN_WAIT, 120, 3600 },
	{ "", 1, IPPROTO_TCP, 1, 80, CLOSE_WAIT, 120, 3600 },
	{ "", 1, IPPROTO_TCP, 1, 80, LAST_ACK, 30, 3600 },
	{ "", 1, IPPROTO_TCP, 1, 80, TIME_WAIT, 1, 3600 },
	{ "", 1, IPPROTO_TCP, 1, 80, CLOSE, 5, 3600 },
	{ "", 1, IPPROTO_UDP, 1, 80, 0, 180, 0 },
	{ "", 1, IPPROTO_ICMP, 0, 0, 0, 60, 0 },
	{ "", 1, IPPROTO_GRE, 0, 0, 0, 0, 0 },
	{ "", 1, IPPROTO_SCTP, 1, 2, SCTP_ESTABLISHED, 3600, 3600 },
	{ "", 1, IPPROTO_SCTP, 1, 2, SCTP_COOKIE_WAIT, 5, 3600 },
	{ "", 1, IPPROTO_SCTP, 1, 2, SCTP_SHUTDOWN_SENT, 30, 3600 },
	{ "", 0, IPPROTO_TCP, 1, 80, ESTABLISHED, 3600, 3600 },
	/* The VDOM, as it is configured. */
	{ ports, 1, IPPROTO_TCP, 1, 80, SYN_SENT, 11, 1800 },
	{ ports, 1, IPPROTO_TCP, 1, 80, ESTABLISHED, 1800, 1800 },
	{ ports, 1, IPPROTO_TCP, 1, 80, FIN_WAIT, 12, 1800 },
	{ ports, 1, IPPROTO_TCP, 1, 80, TIME_WAIT, 0, 1800 },
	{ ports, 1, IPPROTO_TCP, 1, 80, CLOSE, 14, 1800 },
	{ ports, 1, IPPROTO_UDP, 1, 80, 0, 15, 0 },
	{ ports, 1, IPPROTO_SCTP, 1, 2, SCTP_ESTABLISHED, 1800, 1800 },
	{ "config system session-ttl\nset default never\nend\n", 1, IPPROTO_TCP, 1, 80, ESTABLISHED,
	  TTL_NEVER, TTL_NEVER },
	/* Ports: the first entry that fits. */
	{ ports, 1, IPPROTO_TCP, 1, 2499, ESTABLISHED, 1800, 1800 },
	{ ports, 1, IPPROTO_TCP, 1, 2500, ESTABLISHED, 400, 400 },
	{ ports, 1, IPPROTO_TCP, 1, 2600, ESTABLISHED, 400, 400 },
	{ ports, 1, IPPROTO_TCP, 1, 2601, ESTABLISHED, 500, 500 },
	{ ports, 1, IPPROTO_TCP, 1, 2701, ESTABLISHED, 1800, 1800 },
	{ ports, 1, IPPROTO_TCP, 1, 2500, FIN_WAIT, 12, 400 },
	{ ports, 1, IPPROTO_UDP, 1, 2500, 0, 15, 0 },
	{ ports, 1, IPPROTO_UDP, 1, 6001, 0, TTL_NEVER, TTL_NEVER },
	{ ports, 0, IPPROTO_TCP, 1, 2500, ESTABLISHED, 400, 400 },
	{ rest, 1, IPPROTO_TCP, 1, 2500, ESTABLISHED, 1234, 1234 },
	{ rest, 1, IPPROTO_UDP, 1, 65535, 0, 1234, 1234 },
	{ rest, 1, IPPROTO_ICMP, 0, 0, 0, 60, 0 },
	/* The policy's session-ttl beats the port's and the VDOM's. */
	{ ports, 2, IPPROTO_TCP, 1, 2500, ESTABLISHED, 600, 600 },
	{ ports, 2, IPPROTO_TCP, 1, 2500, FIN_WAIT, 12, 600 },
	{ ports, 2, IPPROTO_UDP, 1, 6000, 0, 600, 600 },
	{ ports, 2, IPPROTO_ICMP, 0, 0, 0, 60, 0 },
	/* So does that of the service; the first that fits counts. */
	{ ports, 3, IPPROTO_TCP, 1, 1000, ESTABLISHED, 7200, 7200 },
	{ ports, 3, IPPROTO_TCP, 1, 1000, CLOSE_WAIT, 33, 7200 },
	{ ports, 3, IPPROTO_TCP, 1, 1050, ESTABLISHED, 800, 800 },
	{ ports, 3, IPPROTO_TCP, 1, 1050, CLOSE_WAIT, 12, 800 },
	{ ports, 3, IPPROTO_TCP, 1, 5000, ESTABLISHED, 900, 900 },
	{ ports, 3, IPPROTO_UDP, 1, 5000, 0, 900, 900 },
	{ ports, 3, IPPROTO_TCP, 1, 7000, ESTABLISHED, TTL_NEVER, TTL_NEVER },
	{ ports, 3, IPPROTO_TCP, 1, 7000, TIME_WAIT, 77, TTL_NEVER },
	{ ports, 3, IPPROTO_TCP, 1, 9000, ESTABLISHED, 1800, 1800 },
	/* What the service does not say comes from the port. */
	{ ports, 3, IPPROTO_TCP, 1, 2499, ESTABLISHED, 1800, 1800 },
	{ ports, 3, IPPROTO_TCP, 1, 2500, ESTABLISHED, 400, 400 },
	{ ports, 3, IPPROTO_TCP, 1, 2650, ESTABLISHED, 500, 500 },
	{ ports, 3, IPPROTO_TCP, 1, 2500, SYN_SENT, 44, 400 },
	{ ports, 3, IPPROTO_TCP, 1, 2499, CLOSE, 55, 1800 },
	/* Source ports are part of a service; udp-idle-timer counts for UDP. */
	{ ports, 3, IPPROTO_UDP, 150, 6000, 0, 66, 66 },
	{ ports, 3, IPPROTO_UDP, 250, 6000, 0, TTL_NEVER, TTL_NEVER },
	/* The policy beats the service, in what it says. */
	{ ports, 4, IPPROTO_TCP, 1, 1000, ESTABLISHED, TTL_NEVER, TTL_NEVER },
	{ ports, 4, IPPROTO_TCP, 1, 1000, FIN_WAIT, 33, TTL_NEVER },
	{ ports, 4, IPPROTO_TCP, 1, 2000, SYN_SENT, 11,
	  TTL_NEVER }, /* "any" stands before "slow" */
	{ ports, 4, IPPROTO_UDP, 1, 6000, 0, TTL_NEVER, TTL_NEVER },
	/* A policy that matched by no service has nothing of one. */
	{ ports, 5, IPPROTO_TCP, 1, 1000, ESTABLISHED, 800, 800 },
	{ ports, 6, IPPROTO_TCP, 1, 1050, ESTABLISHED, 800, 800 },
	{ ports, 6, IPPROTO_TCP, 1, 1051, ESTABLISHED, 7200, 7200 },
	{ ports, 6, IPPROTO_TCP, 1, 2500, SYN_SENT, 44, 400 },
};

START_TEST(test_sessions) {
	struct model *m = conf_model(config);
	struct ttl_session s = {
		.policy = sessions[_i].policy,
		.packet = { .proto = sessions[_i].proto,
			    .sport = sessions[_i].sport,
			    .dport = sessions[_i].dport },
		.state = sessions[_i].state,
	};
	struct ttl *ttl;

	conf_load(m, sessions[_i].more, 2);
	ttl = ttl_new(m);
	model_free(m); /* look-ups go on */
	ck_assert_uint_eq(ttl_seconds(ttl, &s), sessions[_i].seconds);
	ck_assert_uint_eq(ttl_timeout(ttl, &s), sessions[_i].timeout);
	ttl_free(ttl);
}
END_TEST

/* ---- rules ---- */

/* What the object that rules gave a session says of its state; the VDOM's time when it has none. */
static uint32_t rule_seconds(const struct ruleset *rs, const struct ttl *ttl,
			     const struct eval_packet *p, unsigned int state) {
	const struct ct_object *o = p->timeout ? ruleset_object(rs, p->timeout) : NULL;
	struct ttl_session s = { .packet = { .proto = p->proto }, .state = (uint8_t)state };
	struct ttl system = { .system = ttl->system };

	if (!o)
		return ttl_kernel(ttl_seconds(&system, &s));
	return o->seconds[p->proto == IPPROTO_UDP ? CT_UDP_REPLIED : state - SYN_SENT];
}

static void assert_times(const struct ruleset *rs, const struct ttl *ttl,
			 const struct eval_packet *p) {
	struct ttl_session s = {
		.policy = p->mark,
		.packet = { .proto = p->proto, .sport = p->sport, .dport = p->dport }
	};
	unsigned int last = p->proto == IPPROTO_TCP ? CLOSE : SYN_SENT;

	for (unsigned int state = SYN_SENT; state <= last; state++) {
		s.state = (uint8_t)state;
		ck_assert_msg(rule_seconds(rs, ttl, p, state) == ttl_kernel(ttl_seconds(ttl, &s)),
			      "policy %u, protocol %u, ports %u %u, state %u: %u by rules (%s), %u",
			      p->mark, p->proto, p->sport, p->dport, state,
			      rule_seconds(rs, ttl, p, state), p->timeout ? p->timeout : "none",
			      ttl_seconds(ttl, &s));
	}
}

/* Every row of the table above, as rules have it. */
START_TEST(test_rules) {
	struct model *m = conf_model(config);
	struct eval_packet p = { .in = "port1",
				.out = "port2",
				.proto = sessions[_i].proto,
				.sport = sessions[_i].sport,
				.dport = sessions[_i].dport,
				.state = CT_STATE_NEW };
	const uint32_t policy = sessions[_i].policy;
	const struct object *obj = model_first(m, schema_table(TBL_FIREWALL_POLICY)), *after;
	struct ruleset *rs;
	struct ttl *ttl;
	time_t next;

	conf_load(m, sessions[_i].more, 2);
	/* Those before it go, so that it is the first to match. */
	for (; obj; obj = after) {
		after = model_next(m, obj);
		if (strtoul(obj->key, NULL, 10) < policy)
			object_free(model_take(m, obj->table, obj->key));
	}
	rs = render(m, NOW, &next);
	ttl = ttl_new(m);
	ck_assert_int_eq(sim_chain(rs, "forward", &p), EVAL_ACCEPT);
	if (policy != 5)
		ck_assert_uint_eq(p.mark, policy ? policy : 1);
	assert_times(rs, ttl, &p);
	ttl_free(ttl);
	ruleset_free(rs);
	model_free(m);
}
END_TEST

/* The helper by the configuration, without the machinery that makes rules. */
static int helper_of(const struct model *m, const struct eval_packet *p) {
	char id[16];
	const struct object *policy, *entry;
	const struct service_packet packet = { .proto = p->proto,
					       .icmp_type = p->icmp_type,
					       .icmp_code = p->icmp_code,
					       .sport = p->sport,
					       .dport = p->dport };

	snprintf(id, sizeof(id), "%u", p->mark);
	policy = model_find(m, schema_table(TBL_FIREWALL_POLICY), id);
	if (policy && !object_is(policy, FIREWALL_POLICY__SERVICE_NEGATE, "enable")) {
		struct service_uses uses =
			service_uses_resolve(m, policy, FIREWALL_POLICY__SERVICE, NULL);
		const struct service_use *use = service_uses_match(&uses, &packet);
		const struct object *custom = use ? use->obj : NULL;
		const unsigned int attr = FIREWALL_SERVICE_CUSTOM__HELPER;

		service_uses_done(&uses);
		if (custom && !object_is(custom, attr, "auto"))
			return helper_find(
				HELPERS_ALL,
				custom->table->attrs[attr].options[object_num(custom, attr)].name,
				p->proto);
	}
	entry = model_first(m, schema_table(TBL_SYSTEM_SESSION_HELPER));
	for (; entry; entry = model_next(m, entry)) {
		const struct schema_attr *a = &entry->table->attrs[SYSTEM_SESSION_HELPER__NAME];
		int helper = helper_find(
			HELPERS_ALL,
			a->options[object_num(entry, SYSTEM_SESSION_HELPER__NAME)].name, p->proto);

		if (helper >= 0 && object_num(entry, SYSTEM_SESSION_HELPER__PROTOCOL) == p->proto &&
		    object_num(entry, SYSTEM_SESSION_HELPER__PORT) == p->dport)
			return helper;
	}
	return -1;
}

static void assert_helper(const struct ruleset *rs, const struct model *m,
			  const struct eval_packet *p) {
	const struct ct_object *o = p->helper ? ruleset_object(rs, p->helper) : NULL;
	int want = helper_of(m, p);

	ck_assert_msg((o != NULL) == (want >= 0) &&
			      (!o || (strcmp(o->helper, helper_table[want].kernel) == 0 &&
				      o->l4proto == helper_table[want].proto)),
		      "policy %u, protocol %u, port %u: %s by rules, %s", p->mark, p->proto,
		      p->dport, o ? o->name : "none", want >= 0 ? helper_table[want].name : "none");
}

/* Random configurations and packets: what the rules give is what the look-up says. */
START_TEST(test_random) {
	unsigned int timed = 0, helped = 0;

	for (unsigned int i = 0; i < fixture_rounds(40); i++) {
		struct random_policies r = { fixture_seed() * 1000 + i, 12, 6, 10, 8, 12 };
		struct str text AUTO_STR = STR_INIT;
		struct ruleset *rs;
		struct model *m;
		struct ttl *ttl;
		time_t next;

		random_policies_text(&r, &text);
		m = conf_model(str_text(&text));
		rs = render(m, NOW, &next);
		ttl = ttl_new(m);
		for (int j = 0; j < 300; j++) {
			struct lookup_packet l = random_packet(&r);
			struct eval_packet p = { .in = l.in,
						.out = random_interface(&r),
						.src = l.src,
						.dst = l.dst,
						.proto = l.proto,
						.sport = l.sport,
						.dport = l.dport,
						.icmp_type = l.icmp_type,
						.icmp_code = l.icmp_code,
						.state = CT_STATE_NEW };

			sim_chain(rs, "translate_in", &p);
			if (sim_chain(rs, "forward", &p) == EVAL_DROP) {
				ck_assert(!p.timeout && !p.helper);
				continue;
			}
			if (p.proto == IPPROTO_TCP || p.proto == IPPROTO_UDP)
				assert_times(rs, ttl, &p);
			assert_helper(rs, m, &p);
			timed += p.timeout != NULL;
			helped += p.helper != NULL;
		}
		ttl_free(ttl);
		ruleset_free(rs);
		model_free(m);
	}
	ck_assert_uint_gt(timed, 100);
	ck_assert_uint_gt(helped, 20);
}
END_TEST

static const struct {
	const char *more;
	bool timeouts, helpers;
} needs[] = {
	{ "", false, false },
	{ "config system session-ttl\nset default 900\nend\n", false, false },
	{ "config system global\nset udp-idle-timer 33\nend\n", false, false },
	{ "config system session-helper\nedit 1\nset name rsh\nset protocol 6\nset port 514\nnext\nend\n",
	  false, false },
	{ "config system session-helper\nedit 1\nset name ftp\nset protocol 17\nset port 21\nnext\nend\n",
	  false, false },
	{ "config system session-helper\nedit 1\nset name ftp\nset protocol 6\nset port 21\nnext\nend\n",
	  false, true },
	{ "config firewall service custom\nedit \"HTTP\"\nset tcp-portrange 80\nset helper disable\nnext\nend\n",
	  false, true },
	{ "config firewall service custom\nedit \"HTTP\"\nset tcp-portrange 80\nset session-ttl 600\nnext\nend\n",
	  true, false },
	{ "config firewall policy\nedit 1\nset srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
	  "set dstaddr \"all\"\nset action accept\nset schedule \"always\"\nset service \"HTTP\"\n"
	  "set session-ttl 600\nnext\nend\n",
	  true, false },
	{ "config system session-ttl\nconfig port\nedit 1\nnext\nend\nend\n", true, false },
};

/* Who says nothing has no rule, set, chain or object for it. */
START_TEST(test_only_what_is_needed) {
	struct model *m = conf_model(
		"config system interface\nedit \"port1\"\nset allowaccess ping\nnext\nedit \"port2\"\nnext\nend\n"
		"config firewall policy\nedit 1\nset srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
		"set dstaddr \"all\"\nset action accept\nset schedule \"always\"\nset service \"HTTP\"\nnext\nend\n");
	struct ruleset *rs;
	time_t next;

	conf_load(m, needs[_i].more, 2);
	rs = render(m, NOW, &next);
	ck_assert_int_eq(ruleset_chain(rs, "session_times") != NULL, needs[_i].timeouts);
	ck_assert_int_eq(ruleset_chain(rs, "session_helpers") != NULL, needs[_i].helpers);
	if (!needs[_i].timeouts && !needs[_i].helpers)
		ck_assert_uint_eq(rs->n_objects, 0);
	ruleset_free(rs);
	model_free(m);
}
END_TEST

/* A kernel without a helper gets no rule that names it. */
START_TEST(test_missing_helper) {
	struct model *m = conf_model(config);
	struct eval_packet ftp = { .in = "port1",
				  .out = "port2",
				  .proto = IPPROTO_TCP,
				  .dport = 21,
				  .state = CT_STATE_NEW };
	struct eval_packet tftp = ftp;
	uint32_t set = HELPERS_ALL & ~(1u << helper_find(HELPERS_ALL, "ftp", IPPROTO_TCP));
	struct ruleset *rs;
	time_t next;

	conf_load(
		m,
		"config system session-helper\n"
		"edit 1\nset name ftp\nset protocol 6\nset port 21\nnext\n"
		"edit 2\nset name tftp\nset protocol 17\nset port 69\nnext\nend\n"
		"config firewall service custom\nedit \"HTTP\"\nset tcp-portrange 80\nset helper ftp\nnext\nend\n",
		2);
	tftp.proto = IPPROTO_UDP;
	tftp.dport = 69;
	rs = render_with(m, NOW, set, &next);
	for (const struct ct_object *o = rs->objects; o; o = o->next)
		ck_assert(o->kind != CT_HELPER || strcmp(o->helper, "ftp") != 0);
	ck_assert_int_eq(sim_chain(rs, "forward", &ftp), EVAL_ACCEPT);
	ck_assert_ptr_null(ftp.helper);
	ck_assert_int_eq(sim_chain(rs, "forward", &tftp), EVAL_ACCEPT);
	ck_assert_str_eq(tftp.helper, "tftp.17");
	ruleset_free(rs);
	model_free(m);
}
END_TEST

/*
 * A session that a helper announced passes, has the time of its policy and no helper by its port.
 */
START_TEST(test_related) {
	struct model *m = conf_model(config);
	struct eval_packet p = { .in = "port2",
				.out = "port1",
				.proto = IPPROTO_TCP,
				.dport = 21,
				.state = CT_STATE_RELATED,
				.mark = 2 };
	struct ruleset *rs;
	time_t next;

	conf_load(
		m,
		"config system session-helper\nedit 1\nset name ftp\nset protocol 6\nset port 21\n"
		"next\nend\n",
		2);
	rs = render(m, NOW, &next);
	ck_assert_int_eq(sim_chain(rs, "forward", &p), EVAL_ACCEPT);
	ck_assert_uint_eq(p.mark, 2);
	ck_assert_str_eq(p.timeout, "t600.10.120.1.5");
	ck_assert_ptr_null(p.helper);
	p.mark = 0;
	p.timeout = NULL;
	ck_assert_int_eq(sim_chain(rs, "forward", &p), EVAL_ACCEPT);
	ck_assert_ptr_null(p.timeout);
	ruleset_free(rs);
	model_free(m);
}
END_TEST

/* ---- kernel settings ---- */

static uint32_t setting(const char *more, const char *name) {
	struct model *m = conf_model(config);
	struct ttl_times system;
	uint32_t ret = 0;

	conf_load(m, more, 2);
	system = ttl_of_system(m);
	for (size_t i = 0; i < TTL_SETTINGS; i++)
		if (strcmp(ttl_setting_name(i) + strlen("net/netfilter/nf_conntrack_"), name) == 0)
			ret = ttl_setting_value(&system, i);
	model_free(m);
	return ret;
}

START_TEST(test_settings) {
	ck_assert_uint_eq(setting("", "tcp_timeout_established"), 3600);
	ck_assert_uint_eq(setting("", "tcp_timeout_unacknowledged"), 3600);
	ck_assert_uint_eq(setting("", "tcp_timeout_max_retrans"), 3600);
	ck_assert_uint_eq(setting("", "udp_timeout"), 180);
	ck_assert_uint_eq(setting("", "icmp_timeout"), 60);
	ck_assert_uint_eq(setting(ports, "tcp_timeout_established"), 1800);
	ck_assert_uint_eq(setting(ports, "tcp_timeout_syn_sent"), 11);
	ck_assert_uint_eq(setting(ports, "tcp_timeout_close_wait"), 12);
	ck_assert_uint_eq(setting(ports, "tcp_timeout_time_wait"), 0);
	ck_assert_uint_eq(setting(ports, "tcp_timeout_close"), 14);
	ck_assert_uint_eq(setting(ports, "udp_timeout_stream"), 15);
	ck_assert_uint_eq(setting(ports, "sctp_timeout_established"), 1800);
	ck_assert_uint_eq(setting("config system session-ttl\nset default never\nend\n",
				  "tcp_timeout_established"),
			  TTL_KERNEL_MAX);
}
END_TEST

static Suite *ttl_suite(void) {
	Suite *s = suite_create("ttl");
	TCase *t = fixture_case(s, "ttl");

	tcase_add_loop_test(t, test_sessions, 0, ARRAY_LEN(sessions));
	tcase_add_loop_test(t, test_rules, 0, ARRAY_LEN(sessions));
	tcase_add_test(t, test_random);
	tcase_add_loop_test(t, test_only_what_is_needed, 0, ARRAY_LEN(needs));
	tcase_add_test(t, test_missing_helper);
	tcase_add_test(t, test_related);
	tcase_add_test(t, test_settings);
	return s;
}

int main(void) {
	return fixture_run(ttl_suite());
}
