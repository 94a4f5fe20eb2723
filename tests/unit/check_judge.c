/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions under changed rules: each case is a session, a change of one configuration, and what
 * becomes of the session. The rules are those that the configuration renders to.
 */
#include "backends/judge.h"

#include <netinet/in.h>
#include <string.h>

#include "backends/render.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define NOW 1700000000
#define FLOATING 0x1496fc5bu /* 20.150.252.91 */
#define CLIENT 0xcf668a13u   /* 207.102.138.19 */
#define SERVER 0xac10890fu   /* 172.16.137.15 */

#define ALWAYS "set schedule \"always\"\n"
#define TO_SSH "set srcintf \"port1\"\nset dstintf \"port2\"\nset dstaddr \"ssh\"\n"
#define ALL_TO_SSH TO_SSH "set srcaddr \"all\"\nset service \"ALL\"\n"
#define POLICY(id, lines) "config firewall policy\nedit " id "\n" lines "next\nend\n"
#define ACCEPT "set action accept\n"
#define OUT \
	"set srcintf \"port2\"\nset dstintf \"port1\"\nset srcaddr \"all\"\nset dstaddr \"all\"\n" \
	"set service \"ALL\"\n" ALWAYS
#define VIP(name, lines) \
	"config firewall vip\nedit \"" name "\"\nset extip 20.150.252.91\n" \
	"set mappedip \"172.16.137.15\"\nset extintf \"port1\"\n" lines "next\nend\n"
#define SSH_PORTS "set portforward enable\nset extport 65022\nset mappedport 22\n"

static const char base[] =
	"config system interface\nedit \"port1\"\nnext\nedit \"port2\"\nnext\nedit \"port3\"\nnext\n"
	"edit \"port4\"\nnext\nend\n"
	"config system zone\nedit \"inside\"\nset interface \"port2\" \"port4\"\nset intrazone allow\nnext\nend\n"
	"config firewall address\nedit \"clients\"\nset subnet 207.102.138.0 255.255.255.0\nnext\nend\n"
	VIP("ssh", SSH_PORTS)
	VIP("same", "set extip 172.16.137.15\nset portforward enable\nset extport 8080\nset mappedport 8080\n")
	POLICY("2", ALL_TO_SSH ACCEPT ALWAYS)
	POLICY("3", ACCEPT OUT "set nat enable\n")
	POLICY("4", "set srcintf \"port1\" \"port3\"\nset dstintf \"port2\"\nset srcaddr \"clients\"\n"
		    "set dstaddr \"all\"\nset service \"HTTP\"\n" ACCEPT ALWAYS)
	POLICY("5", "set srcintf \"port1\"\nset dstintf \"inside\"\nset srcaddr \"clients\"\n"
		    "set dstaddr \"all\"\nset service \"HTTPS\"\n" ACCEPT ALWAYS)
	POLICY("6", "set srcintf \"port3\"\nset dstintf \"any\"\nset srcaddr \"all\"\n"
		    "set dstaddr \"all\"\nset service \"PING\"\n" ACCEPT ALWAYS)
	POLICY("7", "set srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
		    "set dstaddr \"same\"\nset service \"ALL\"\n" ACCEPT ALWAYS);

/* ---- sessions of the configuration above ---- */

static const struct judge_session to_vip = { .proto = IPPROTO_TCP, .src = CLIENT, .dst = FLOATING,
					     .sport = 40000, .dport = 65022, .to = SERVER,
					     .to_port = 22,
					     .in = "port1", .out = "port2", .mark = 2 };
static const struct judge_session outbound = { .proto = IPPROTO_TCP, .src = SERVER, .dst = CLIENT,
					       .sport = 40000, .dport = 443, .to = CLIENT,
					       .to_port = 443,
					       .in = "port2", .out = "port1", .mark = 3 };
static const struct judge_session web = { .proto = IPPROTO_TCP, .src = CLIENT, .dst = SERVER,
					  .sport = 40000, .dport = 80, .to = SERVER, .to_port = 80,
					  .in = "port1", .out = "port2", .mark = 4 };
/* It came in by port1; the route back to its source is by eth9. */
static const struct judge_session asymmetric = { .proto = IPPROTO_TCP, .src = CLIENT, .dst = SERVER,
						 .sport = 40001, .dport = 80, .to = SERVER,
						 .to_port = 80,
						 .in = "eth9", .out = "port2", .mark = 4 };
static const struct judge_session zone = { .proto = IPPROTO_TCP, .src = CLIENT, .dst = SERVER,
					   .sport = 40000, .dport = 443, .to = SERVER,
					   .to_port = 443,
					   .in = "port1", .out = "port4", .mark = 5 };
static const struct judge_session ping = { .proto = IPPROTO_ICMP, .icmp_type = 8, .src = CLIENT,
					   .dst = SERVER, .sport = 77, .dport = 2048, .to = SERVER,
					   .in = "port3", .out = "port2", .mark = 6 };
/* A virtual IP that changes nothing is one all the same. */
static const struct judge_session same = { .proto = IPPROTO_TCP, .src = CLIENT, .dst = SERVER,
					   .sport = 40000, .dport = 8080, .to = SERVER,
					   .to_port = 8080,
					   .in = "port1", .out = "port2", .mark = 7 };
static const struct judge_session in_zone = { .proto = IPPROTO_UDP, .src = SERVER, .dst = CLIENT,
					      .sport = 5, .dport = 6, .to = CLIENT, .to_port = 6,
					      .in = "port4", .out = "port2", .mark = 0 };
/* Sent to the outside address of a virtual IP before there was one, so never translated. */
static const struct judge_session untranslated = { .proto = IPPROTO_TCP, .src = CLIENT,
						   .dst = FLOATING,
						   .sport = 40000, .dport = 65022, .to = FLOATING,
						   .to_port = 65022, .in = "port1", .out = "port2",
						   .mark = 4 };
/* Translated by someone else. */
static const struct judge_session foreign = { .proto = IPPROTO_TCP, .src = CLIENT, .dst = FLOATING,
					      .sport = 40000, .dport = 8888, .to = SERVER,
					      .to_port = 80,
					      .in = "port1", .out = "port2", .mark = 4 };
static const struct judge_session unmanaged = { .proto = IPPROTO_TCP, .src = CLIENT, .dst = SERVER,
						.sport = 40000, .dport = 25, .to = SERVER,
						.to_port = 25,
						.in = "docker0", .out = "eth9", .mark = 99 };
static const struct judge_session half_managed = { .proto = IPPROTO_TCP, .src = CLIENT,
						   .dst = SERVER,
						   .sport = 40000, .dport = 25, .to = SERVER,
						   .to_port = 25,
						   .in = "docker0", .out = "port2", .mark = 0 };
static const struct judge_session ipv6 = { .ipv6 = true, .proto = IPPROTO_TCP, .sport = 40000,
					   .dport = 80, .to_port = 80, .in = "port1", .out = "port2",
					   .mark = 0 };
static const struct judge_session ipv6_unmanaged = { .ipv6 = true, .proto = IPPROTO_TCP, .sport = 4,
						     .dport = 80, .to_port = 80, .in = "docker0",
						     .out = "eth9", .mark = 5 };

/* ---- changes ---- */

#define END 0xffffffffu /* instead of a mark */

static const struct {
	const char *what;
	const struct judge_session *session;
	const char *text;            /* loaded over the configuration */
	const char *removed;         /* these policies are deleted, a digit each */
	char first;                  /* this policy goes to the top */
	uint32_t mark;               /* afterwards, or END */
} cases[] = {
	{ "nothing changes", &to_vip, "", "", 0, 2 },
	{ "nothing changes", &outbound, "", "", 0, 3 },
	{ "nothing changes", &web, "", "", 0, 4 },
	{ "nothing changes", &zone, "", "", 0, 5 },
	{ "nothing changes", &ping, "", "", 0, 6 },
	{ "nothing changes", &same, "", "", 0, 7 },
	{ "nothing changes", &in_zone, "", "", 0, 0 },
	{ "another policy is deleted", &to_vip, "", "34567", 0, 2 },

	{ "its policy is deleted", &to_vip, "", "2", 0, END },
	{ "its policy is deleted", &outbound, "", "3", 0, END },
	{ "its policy is deleted", &web, "", "4", 0, END },
	{ "its policy is deleted", &ping, "", "6", 0, END },
	{ "its policy is deleted", &same, "", "7", 0, END },
	{ "its policy is switched off", &to_vip,
	  POLICY("2", ALL_TO_SSH ACCEPT ALWAYS "set status disable\n"), "", 0, END },
	{ "its policy denies now", &to_vip, POLICY("2", ALL_TO_SSH ALWAYS), "", 0, END },
	{ "its policy cannot be enforced any more", &to_vip,
	  POLICY("2", ALL_TO_SSH ACCEPT ALWAYS "set groups \"staff\"\n"), "", 0, END },

	{ "a denial is put before it", &outbound, POLICY("9", OUT), "", '9', END },
	{ "a denial is put behind it", &outbound, POLICY("9", OUT), "", 0, 3 },
	{ "a denial that takes virtual IPs is put before it", &to_vip,
	  POLICY("9", "set srcintf \"any\"\nset dstintf \"any\"\nset srcaddr \"all\"\n"
		      "set dstaddr \"all\"\nset service \"ALL\"\n" ALWAYS), "", '9', END },
	{ "a denial that leaves virtual IPs alone is put before it", &to_vip,
	  POLICY("9", "set srcintf \"any\"\nset dstintf \"any\"\nset srcaddr \"all\"\nset match-vip disable\n"
		      "set dstaddr \"all\"\nset service \"ALL\"\n" ALWAYS), "", '9', 2 },
	{ "another that accepts is put before it", &outbound, POLICY("9", ACCEPT OUT), "", '9', 9 },
	{ "another that accepts is put behind it", &outbound, POLICY("9", ACCEPT OUT), "", 0, 3 },
	{ "it is deleted, another accepts", &outbound, POLICY("9", ACCEPT OUT), "3", 0, 9 },
	{ "it is deleted, another accepts the virtual IP", &to_vip, POLICY("9", ALL_TO_SSH ACCEPT ALWAYS),
	  "2", 0, 9 },
	{ "it is deleted, another accepts the inside address only", &to_vip,
	  POLICY("9", "set srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
		      "set dstaddr \"all\"\nset service \"ALL\"\n" ACCEPT ALWAYS), "2", 0, END },

	{ "its source is no longer named", &web,
	  "config firewall address\nedit \"clients\"\nset subnet 10.0.0.0 255.0.0.0\nnext\nend\n", "", 0, END },
	{ "its source is named otherwise", &web,
	  "config firewall address\nedit \"clients\"\nset subnet 207.102.138.19 255.255.255.255\nnext\nend\n",
	  "", 0, 4 },
	{ "the service is another one", &to_vip,
	  POLICY("2", TO_SSH "set srcaddr \"all\"\nset service \"HTTP\"\n" ACCEPT ALWAYS), "", 0, END },
	{ "the service is narrower", &to_vip,
	  POLICY("2", TO_SSH "set srcaddr \"all\"\nset service \"SSH\"\n" ACCEPT ALWAYS), "", 0, 2 },
	{ "the interface is another one", &outbound,
	  POLICY("3", "set srcintf \"port2\"\nset dstintf \"port3\"\nset srcaddr \"all\"\n"
		      "set dstaddr \"all\"\nset service \"ALL\"\n" ACCEPT ALWAYS), "", 0, END },
	{ "source translation is switched off", &outbound, POLICY("3", ACCEPT OUT), "", 0, 3 },

	{ "the virtual IP leads to another address", &to_vip,
	  VIP("ssh", "set mappedip \"172.16.137.16\"\n" SSH_PORTS), "", 0, END },
	{ "the virtual IP leads to another port", &to_vip,
	  VIP("ssh", "set portforward enable\nset extport 65022\nset mappedport 23\n"), "", 0, END },
	{ "the virtual IP has another outside port", &to_vip,
	  VIP("ssh", "set portforward enable\nset extport 65023\nset mappedport 22\n"), "", 0, END },
	{ "the virtual IP has another outside interface", &to_vip, VIP("ssh", "set extintf \"port3\"\n" SSH_PORTS),
	  "", 0, END },
	{ "the virtual IP serves other clients", &to_vip, VIP("ssh", "set src-filter \"10.0.0.0/8\"\n" SSH_PORTS),
	  "", 0, END },
	{ "the virtual IP serves its clients", &to_vip,
	  VIP("ssh", "set src-filter \"207.102.138.0/24\"\n" SSH_PORTS), "", 0, 2 },
	{ "the virtual IP is any interface's", &to_vip, VIP("ssh", "set extintf \"any\"\n" SSH_PORTS), "", 0, 2 },
	{ "the virtual IP takes a range of ports", &to_vip,
	  VIP("ssh", "set portforward enable\nset extport 65021-65023\nset mappedport 21-23\n"), "", 0, 2 },
	{ "the virtual IP takes all ports", &to_vip, VIP("ssh", ""), "", 0, END },
	{ "another virtual IP leads there, too", &to_vip, VIP("a", SSH_PORTS), "", 0, 2 },

	{ "its interface leaves the zone", &zone,
	  "config system zone\nedit \"inside\"\nset interface \"port2\"\nnext\nend\n", "", 0, END },
	{ "another interface leaves the zone", &zone,
	  "config system zone\nedit \"inside\"\nset interface \"port4\"\nnext\nend\n", "", 0, 5 },
	{ "the zone is closed inside", &in_zone,
	  "config system zone\nedit \"inside\"\nset interface \"port2\" \"port4\"\nset intrazone deny\nnext\nend\n",
	  "", 0, END },

	{ "the schedule ends", &to_vip, POLICY("2", ALL_TO_SSH ACCEPT "set schedule \"none\"\n"), "", 0, 2 },
	{ "the schedule ends its sessions", &to_vip,
	  POLICY("2", ALL_TO_SSH ACCEPT "set schedule \"none\"\nset schedule-timeout enable\n"), "", 0, END },
	{ "the schedule of a denial begins", &outbound, POLICY("9", OUT), "", '9', END },

	{ "sessions are left alone", &to_vip, "config system settings\nset firewall-session-dirty check-new\nend\n",
	  "2", 0, 2 },
	{ "sessions of the policy are left alone", &to_vip,
	  "config system settings\nset firewall-session-dirty check-policy-option\nend\n"
	  POLICY("2", ALL_TO_SSH ALWAYS "set firewall-session-dirty check-new\n"), "", 0, 2 },
	{ "sessions of another policy are left alone", &to_vip,
	  "config system settings\nset firewall-session-dirty check-policy-option\nend\n"
	  POLICY("3", ACCEPT OUT "set firewall-session-dirty check-new\n"), "2", 0, END },
	{ "the policy alone has no say", &to_vip,
	  POLICY("2", ALL_TO_SSH ALWAYS "set firewall-session-dirty check-new\n"), "", 0, END },

	{ "what was not translated is judged as it is", &untranslated, "", "", 0, END },
	{ "what was not translated is judged as it is", &untranslated,
	  POLICY("8", "set srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
		      "set dstaddr \"all\"\nset service \"ALL\"\n" ACCEPT ALWAYS), "", 0, 8 },
	{ "neither interface is managed", &unmanaged, "", "", 0, 99 },
	{ "an interface is managed now", &half_managed, "", "", 0, END },
	{ "IPv6 has no policies", &ipv6, "", "", 0, END },
	{ "IPv6 between others", &ipv6_unmanaged, "", "", 0, 5 },
};

static struct ruleset *changed(const char *text, const char *removed, char first) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);
	struct model *m = conf_model(base);
	struct ruleset *rs;
	time_t next;

	conf_load(m, text, 2);
	for (; *removed; removed++)
		object_free(model_take(m, table, (char[]){ *removed, '\0' }));
	if (first) {
		struct object *obj = model_take(m, table, (char[]){ first, '\0' });

		obj->pos = model_first(m, table)->pos / 2;
		ck_assert_ptr_null(model_put(m, obj));
	}
	rs = render(m, NOW, &next);
	ck_assert_ptr_nonnull(rs);
	model_free(m);
	return rs;
}

static uint32_t judge(const struct ruleset *rules, const struct ruleset *before,
		      const struct judge_session *s) {
	struct err err = { 0 };
	uint32_t mark;
	enum judge_verdict v = judge_session(rules, before, s, &mark, &err);

	ck_assert_msg(v != JUDGE_FAULT, "%s", err.text);
	return v == JUDGE_END ? END : mark;
}

START_TEST(test_changes) {
	struct ruleset *before = changed("", "", 0);
	struct ruleset *rules = changed(cases[_i].text, cases[_i].removed, cases[_i].first);
	uint32_t mark = judge(rules, NULL, cases[_i].session);

	ck_assert_msg(mark == cases[_i].mark, "%s (%d): %u", cases[_i].what, _i, mark);
	/* What it was before is no reason to judge otherwise where the interfaces are right. */
	mark = judge(rules, before, cases[_i].session);
	ck_assert_msg(mark == cases[_i].mark, "%s (%d), with the rules before: %u", cases[_i].what, _i,
		      mark);
	ruleset_free(rules);
	ruleset_free(before);
}
END_TEST

/* ---- requests and replies on different ways ---- */

START_TEST(test_asymmetric) {
	struct ruleset *before = changed("", "", 0), *other = changed("", "2", 0);
	struct ruleset *closed = changed(
		POLICY("4", "set srcintf \"port1\"\nset dstintf \"port2\"\nset srcaddr \"clients\"\n"
			    "set dstaddr \"all\"\nset service \"HTTP\"\n" ACCEPT ALWAYS),
		"", 0);
	struct ruleset *none = changed("", "4", 0);
	struct judge_session s = asymmetric;

	ck_assert_uint_eq(judge(other, NULL, &s), END);
	ck_assert_uint_eq(judge(other, before, &s), 4);
	ck_assert_uint_eq(judge(none, before, &s), END);
	/* The interface by which it came in is the first that explains its mark: here, port1. */
	ck_assert_uint_eq(judge(closed, before, &s), 4);
	/* No interface explains a mark that the rules before never gave. */
	s.mark = 77;
	ck_assert_uint_eq(judge(other, before, &s), END);
	/* A session whose interface does explain it is not looked for elsewhere. */
	s = web;
	s.in = "port3";
	ck_assert_uint_eq(judge(closed, before, &s), END);
	ruleset_free(before);
	ruleset_free(other);
	ruleset_free(closed);
	ruleset_free(none);
}
END_TEST

/* A policy for the interface of the route back takes nothing over. */
START_TEST(test_asymmetric_policies) {
	static const char other_way[] =
		POLICY("8", "set srcintf \"port4\"\nset dstintf \"port2\"\nset srcaddr \"all\"\n"
			    "set dstaddr \"all\"\nset service \"HTTP\"\n" ACCEPT ALWAYS);
	struct ruleset *before = changed(other_way, "", 0), *without_8 = changed("", "", 0);
	struct ruleset *without_4 = changed(other_way, "4", 0);
	struct judge_session s = web;

	s.in = "port4";
	ck_assert_uint_eq(judge(before, before, &s), 4);
	ck_assert_uint_eq(judge(without_8, before, &s), 4);
	ck_assert_uint_eq(judge(without_4, before, &s), END);
	/* Without the rules before, the route is all there is. */
	ck_assert_uint_eq(judge(without_4, NULL, &s), 8);
	s.mark = 8;
	ck_assert_uint_eq(judge(without_4, before, &s), 8);
	ruleset_free(before);
	ruleset_free(without_8);
	ruleset_free(without_4);
}
END_TEST

/* ---- destinations that someone else translates ---- */

START_TEST(test_foreign_translation) {
	struct ruleset *before = changed("", "", 0), *closed = changed("", "4", 0);
	struct ruleset *taken = changed(
		VIP("b", "set portforward enable\nset extport 8888\nset mappedport 81\n"), "", 0);

	ck_assert_uint_eq(judge(before, before, &foreign), 4);
	ck_assert_uint_eq(judge(closed, before, &foreign), END);
	ck_assert_uint_eq(judge(taken, before, &foreign), END);
	/* Without the rules before, it may have been ours. */
	ck_assert_uint_eq(judge(before, NULL, &foreign), END);
	ck_assert_uint_eq(judge(before, taken, &foreign), END);
	ruleset_free(before);
	ruleset_free(closed);
	ruleset_free(taken);
}
END_TEST

/* ---- sessions that are not there yet ---- */

START_TEST(test_aim) {
	struct ruleset *rs = changed("", "", 0);
	struct judge_session s = to_vip;

	s.to = s.to_port = 0;
	ck_assert_int_eq(judge_aim(rs, &s, NULL), 0);
	ck_assert_uint_eq(s.to, SERVER);
	ck_assert_uint_eq(s.to_port, 22);
	s = web;
	s.to = s.to_port = 0;
	ck_assert_int_eq(judge_aim(rs, &s, NULL), 0);
	ck_assert_uint_eq(s.to, SERVER);
	ck_assert_uint_eq(s.to_port, 80);
	ruleset_free(rs);
}
END_TEST

/* Rules that the kernel would refuse say nothing about sessions. */
START_TEST(test_fault) {
	struct ruleset *rs = changed("", "", 0);
	struct chain *c = ruleset_chain(rs, "decide");
	struct judge_session s = web;
	struct err err = { 0 };
	uint32_t mark;

	c->stmts[0].name = "lost";
	ck_assert_int_eq(judge_session(rs, NULL, &s, &mark, &err), JUDGE_FAULT);
	ck_assert_int_eq(err.code, ERR_KERNEL);
	c = ruleset_chain(rs, "translate_in");
	c->stmts[0].name = "lost";
	ck_assert_int_eq(judge_session(rs, NULL, &s, &mark, &err), JUDGE_FAULT);
	ck_assert_int_ne(judge_aim(rs, &s, &err), 0);
	ruleset_free(rs);
}
END_TEST

static Suite *judge_suite(void) {
	Suite *s = suite_create("judge");
	TCase *t = tcase_create("judge");

	tcase_add_loop_test(t, test_changes, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_asymmetric);
	tcase_add_test(t, test_asymmetric_policies);
	tcase_add_test(t, test_foreign_translation);
	tcase_add_test(t, test_aim);
	tcase_add_test(t, test_fault);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(judge_suite());
}
