/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First match, three ways: the rendered ruleset, executed packet by packet; the lookup that
 * administrators ask; and an oracle that knows nothing but the configuration, object by object. On
 * random configurations and packets they must say the same.
 */
#include "backends/classify.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "backends/render.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_policies.h"
#include "tests/lib/simulate.h"

#define NOW 1700000000

/* ---- the oracle ---- */

enum answer { NO, YES, UNKNOWN };

static enum answer group_has(const struct model *m, const struct object *g, uint32_t addr);

static enum answer object_has_addr(const struct model *m, const struct object *o, uint32_t addr) {
	struct ipv4_pair ip;

	if (o->table->id == TBL_FIREWALL_ADDRGRP)
		return group_has(m, o, addr);
	if (object_is(o, FIREWALL_ADDRESS__TYPE, "ipmask")) {
		ip = object_ip(o, FIREWALL_ADDRESS__SUBNET);
		return ((addr ^ ip.a) & ip.b) == 0 ? YES : NO;
	}
	if (object_is(o, FIREWALL_ADDRESS__TYPE, "iprange"))
		return addr >= object_ip(o, FIREWALL_ADDRESS__START_IP).a &&
				       addr <= object_ip(o, FIREWALL_ADDRESS__END_IP).a ? YES : NO;
	return UNKNOWN;
}

/* YES if some member has it, else UNKNOWN if one might. */
static enum answer list_has(const struct model *m, const struct object *holder, unsigned int attr,
			    uint32_t addr, bool *any) {
	const struct value *v = object_value(holder, attr);
	enum answer sum = NO;

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *o =
			model_resolve(m, &holder->table->attrs[attr], value_item(v, i)->str);
		enum answer a;

		if (o->table->id == TBL_FIREWALL_VIP || o->table->id == TBL_FIREWALL_VIPGRP)
			continue;
		*any = true;
		a = object_has_addr(m, o, addr);
		if (a == YES || sum == YES)
			sum = YES;
		else if (a == UNKNOWN)
			sum = UNKNOWN;
	}
	return sum;
}

/* Whether anything in a list cannot be resolved: it then might hold any address. */
static bool list_unknown(const struct model *m, const struct object *holder, unsigned int attr) {
	const struct value *v = object_value(holder, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *o =
			model_resolve(m, &holder->table->attrs[attr], value_item(v, i)->str);

		if (o->table->id == TBL_FIREWALL_ADDRGRP &&
		    (list_unknown(m, o, FIREWALL_ADDRGRP__MEMBER) ||
		     (object_is(o, FIREWALL_ADDRGRP__EXCLUDE, "enable") &&
		      list_unknown(m, o, FIREWALL_ADDRGRP__EXCLUDE_MEMBER))))
			return true;
		if (o->table->id == TBL_FIREWALL_ADDRESS && object_has_addr(m, o, 0) == UNKNOWN)
			return true;
	}
	return false;
}

/* What policies that deny see: what cannot be resolved has no address. */
static bool plain_has(const struct model *m, const struct object *o, uint32_t addr);

static bool plain_list(const struct model *m, const struct object *holder, unsigned int attr,
		       uint32_t addr) {
	const struct value *v = object_value(holder, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *o =
			model_resolve(m, &holder->table->attrs[attr], value_item(v, i)->str);

		if (o->table->id != TBL_FIREWALL_VIP && o->table->id != TBL_FIREWALL_VIPGRP &&
		    plain_has(m, o, addr))
			return true;
	}
	return false;
}

static bool plain_has(const struct model *m, const struct object *o, uint32_t addr) {
	if (o->table->id == TBL_FIREWALL_ADDRESS)
		return object_has_addr(m, o, addr) == YES;
	return plain_list(m, o, FIREWALL_ADDRGRP__MEMBER, addr) &&
	       !(object_is(o, FIREWALL_ADDRGRP__EXCLUDE, "enable") &&
		 plain_list(m, o, FIREWALL_ADDRGRP__EXCLUDE_MEMBER, addr));
}

/* What policies that accept see: a group whose exclusions cannot be resolved has no address. */
static bool strict_has(const struct model *m, const struct object *o, uint32_t addr);

static bool strict_list(const struct model *m, const struct object *holder, unsigned int attr,
			uint32_t addr) {
	const struct value *v = object_value(holder, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *o =
			model_resolve(m, &holder->table->attrs[attr], value_item(v, i)->str);

		if (o->table->id != TBL_FIREWALL_VIP && o->table->id != TBL_FIREWALL_VIPGRP &&
		    strict_has(m, o, addr))
			return true;
	}
	return false;
}

static bool strict_has(const struct model *m, const struct object *o, uint32_t addr) {
	if (o->table->id == TBL_FIREWALL_ADDRESS)
		return object_has_addr(m, o, addr) == YES;
	if (!strict_list(m, o, FIREWALL_ADDRGRP__MEMBER, addr))
		return false;
	return !object_is(o, FIREWALL_ADDRGRP__EXCLUDE, "enable") ||
	       (!list_unknown(m, o, FIREWALL_ADDRGRP__EXCLUDE_MEMBER) &&
		!plain_list(m, o, FIREWALL_ADDRGRP__EXCLUDE_MEMBER, addr));
}

static enum answer group_has(const struct model *m, const struct object *g, uint32_t addr) {
	bool any = false;

	return list_has(m, g, FIREWALL_ADDRGRP__MEMBER, addr, &any);
}

static bool addrs_fit(const struct model *m, const struct object *p, unsigned int attr,
		      unsigned int negate, uint32_t addr) {
	bool accept = object_is(p, FIREWALL_POLICY__ACTION, "accept"), any = false;

	list_has(m, p, attr, addr, &any);
	if (!object_is(p, negate, "enable"))
		return accept ? strict_list(m, p, attr, addr) : plain_list(m, p, attr, addr);
	if (!any || (accept && list_unknown(m, p, attr)))
		return false;
	return !plain_list(m, p, attr, addr);
}

static bool side_fits(const struct model *m, const struct object *p, unsigned int attr,
		      const char *interface) {
	const struct value *v = object_value(p, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const char *name = value_item(v, i)->str;
		const struct object *zone = model_find(m, schema_table(TBL_SYSTEM_ZONE), name);
		const struct value *members =
			zone ? object_value(zone, SYSTEM_ZONE__INTERFACE) : NULL;

		if (strcmp(name, "any") == 0 || strcmp(name, interface) == 0)
			return true;
		for (uint32_t j = 0; members && j < members->n; j++)
			if (strcmp(value_item(members, j)->str, interface) == 0)
				return true;
	}
	return false;
}

static bool port_in(const struct object *s, unsigned int attr, uint16_t sport, uint16_t dport) {
	const struct value *v = object_value(s, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		struct port_spec p = value_item(v, i)->ports;

		if (dport >= p.dst_lo && dport <= p.dst_hi && sport >= p.src_lo &&
		    sport <= p.src_hi)
			return true;
	}
	return false;
}

static enum answer service_has(const struct model *m, const struct object *s,
			       const struct lookup_packet *p, uint16_t dport);

static enum answer services_have(const struct model *m, const struct object *holder,
				 unsigned int attr, const struct lookup_packet *p, uint16_t dport,
				 bool *unknown) {
	const struct value *v = object_value(holder, attr);
	enum answer sum = NO;

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *o =
			model_resolve(m, &holder->table->attrs[attr], value_item(v, i)->str);
		enum answer a = o->table->id == TBL_FIREWALL_SERVICE_GROUP
					? services_have(m, o, FIREWALL_SERVICE_GROUP__MEMBER, p,
							dport, unknown)
					: service_has(m, o, p, dport);

		if (a == YES)
			sum = YES;
		*unknown |= a == UNKNOWN;
	}
	return sum;
}

static enum answer service_has(const struct model *m, const struct object *s,
			       const struct lookup_packet *p, uint16_t dport) {
	(void)m;
	if (object_get(s, FIREWALL_SERVICE_CUSTOM__IPRANGE))
		return UNKNOWN;
	if (object_is(s, FIREWALL_SERVICE_CUSTOM__PROTOCOL, "ICMP")) {
		const struct value *type = object_get(s, FIREWALL_SERVICE_CUSTOM__ICMPTYPE);
		const struct value *code = object_get(s, FIREWALL_SERVICE_CUSTOM__ICMPCODE);

		return p->proto == IPPROTO_ICMP &&
				       (!type ||
					(value_item(type, 0)->num == p->icmp_type &&
					 (!code || value_item(code, 0)->num == p->icmp_code)))
			       ? YES
			       : NO;
	}
	if (object_is(s, FIREWALL_SERVICE_CUSTOM__PROTOCOL, "IP")) {
		int64_t number = object_num(s, FIREWALL_SERVICE_CUSTOM__PROTOCOL_NUMBER);

		return number == 0 || number == p->proto ? YES : NO;
	}
	if (object_is(s, FIREWALL_SERVICE_CUSTOM__PROTOCOL, "ICMP6"))
		return NO;
	switch (p->proto) {
	case IPPROTO_TCP:
		return port_in(s, FIREWALL_SERVICE_CUSTOM__TCP_PORTRANGE, p->sport, dport) ? YES
											   : NO;
	case IPPROTO_UDP:
		return port_in(s, FIREWALL_SERVICE_CUSTOM__UDP_PORTRANGE, p->sport, dport) ? YES
											   : NO;
	case IPPROTO_SCTP:
		return port_in(s, FIREWALL_SERVICE_CUSTOM__SCTP_PORTRANGE, p->sport, dport) ? YES
											    : NO;
	case IPPROTO_UDPLITE:
		return port_in(s, FIREWALL_SERVICE_CUSTOM__UDPLITE_PORTRANGE, p->sport, dport) ? YES
											       : NO;
	default:
		return NO;
	}
}

static bool service_fits(const struct model *m, const struct object *p,
			 const struct lookup_packet *packet, uint16_t dport) {
	bool unknown = false;
	enum answer a = services_have(m, p, FIREWALL_POLICY__SERVICE, packet, dport, &unknown);

	if (!object_is(p, FIREWALL_POLICY__SERVICE_NEGATE, "enable"))
		return a == YES;
	return a != YES && !(unknown && object_is(p, FIREWALL_POLICY__ACTION, "accept"));
}

static bool policy_names_vip(const struct model *m, const struct object *p,
			     const struct object *vip) {
	const struct value *v = object_value(p, FIREWALL_POLICY__DSTADDR);

	if (object_is(p, FIREWALL_POLICY__DSTADDR_NEGATE, "enable"))
		return false;
	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *o = model_resolve(
			m, &p->table->attrs[FIREWALL_POLICY__DSTADDR], value_item(v, i)->str);
		const struct value *members = o->table->id == TBL_FIREWALL_VIPGRP
						      ? object_value(o, FIREWALL_VIPGRP__MEMBER)
						      : NULL;

		if (o == vip)
			return true;
		for (uint32_t j = 0; members && j < members->n; j++)
			if (strcmp(value_item(members, j)->str, vip->key) == 0)
				return true;
	}
	return false;
}

static bool destination_fits(const struct model *m, const struct object *p,
			     const struct object *vip, uint32_t dst) {
	bool deny = object_is(p, FIREWALL_POLICY__ACTION, "deny");
	bool only = deny && object_is(p, FIREWALL_POLICY__MATCH_VIP_ONLY, "enable");
	bool fits = addrs_fit(m, p, FIREWALL_POLICY__DSTADDR, FIREWALL_POLICY__DSTADDR_NEGATE, dst);

	if (!vip)
		return fits && !only;
	return policy_names_vip(m, p, vip) ||
	       (deny && (only || object_is(p, FIREWALL_POLICY__MATCH_VIP, "enable")) && fits);
}

/* The first policy that matches a packet that was translated to dst:dport by vip (or NULL). */
static const struct object *oracle(const struct model *m, const struct lookup_packet *packet,
				   const char *out, const struct object *vip, uint32_t dst,
				   uint16_t dport) {
	const struct object *p = model_first(m, schema_table(TBL_FIREWALL_POLICY));

	for (; p; p = model_next(m, p))
		if (object_is(p, FIREWALL_POLICY__STATUS, "enable") &&
		    !(object_is(p, FIREWALL_POLICY__ACTION, "accept") &&
		      object_get(p, FIREWALL_POLICY__GROUPS)) &&
		    strcmp(object_str(p, FIREWALL_POLICY__SCHEDULE), "none") != 0 &&
		    side_fits(m, p, FIREWALL_POLICY__SRCINTF, packet->in) &&
		    side_fits(m, p, FIREWALL_POLICY__DSTINTF, out) &&
		    addrs_fit(m, p, FIREWALL_POLICY__SRCADDR, FIREWALL_POLICY__SRCADDR_NEGATE,
			      packet->src) &&
		    destination_fits(m, p, vip, dst) && service_fits(m, p, packet, dport))
			return p;
	return NULL;
}

/* ---- the comparison ---- */

static struct eval_packet sim_of(const struct lookup_packet *p) {
	return (struct eval_packet){
		.in = p->in,
		.out = "",
		.src = p->src,
		.dst = p->dst,
		.proto = p->proto,
		.sport = p->sport,
		.dport = p->dport,
		.icmp_type = p->icmp_type,
		.icmp_code = p->icmp_code,
		.state = CT_STATE_NEW,
	};
}

static bool intrazone(const struct model *m, const char *in, const char *out) {
	const struct object *zone = model_find(m, schema_table(TBL_SYSTEM_ZONE), "z1");

	return object_is(zone, SYSTEM_ZONE__INTRAZONE, "allow") &&
	       (strcmp(in, "port1") == 0 || strcmp(in, "port3") == 0) &&
	       (strcmp(out, "port1") == 0 || strcmp(out, "port3") == 0);
}

static void compare(const struct model *m, const struct policies *ps, const struct ruleset *rs,
		    struct random_policies *r, unsigned int counts[2]) {
	struct lookup_packet packet = random_packet(r);
	const char *out = random_interface(r);
	struct eval_packet sim = sim_of(&packet);
	struct lookup_result look;
	const struct object *right;
	uint32_t right_id;
	enum eval_verdict verdict;

	lookup_translate(m, ps, &packet, &look);
	lookup_judge(m, ps, &packet, out, &look);
	right = oracle(m, &packet, out, look.vip ? look.vip->obj : NULL, look.dst, look.dport);
	right_id = right ? (uint32_t)atoi(right->key) : 0;
	ck_assert_uint_eq(look.policy, right_id);

	ck_assert_int_eq(sim_chain(rs, "translate_in", &sim), EVAL_ACCEPT);
	ck_assert_uint_eq(sim.dst, look.dst);
	ck_assert_uint_eq(sim.dport, look.dport);
	ck_assert_uint_eq(sim.mark, look.vip ? look.vip->mark : 0);
	sim.out = out;
	verdict = sim_chain(rs, "forward", &sim);
	ck_assert_msg(sim.mark == right_id,
		      "policy %u, not %u: %s->%s proto %u %08x:%u -> %08x:%u (vip %s)", sim.mark,
		      right_id, packet.in, out, packet.proto, packet.src, packet.sport, look.dst,
		      look.dport, look.vip ? look.vip->obj->key : "none");
	if (right)
		ck_assert_int_eq(verdict == EVAL_ACCEPT,
				 object_is(right, FIREWALL_POLICY__ACTION, "accept"));
	else
		ck_assert_int_eq(verdict == EVAL_ACCEPT, !look.vip && intrazone(m, packet.in, out));
	counts[right != NULL]++;
}

static void compare_many(struct random_policies *r, unsigned int packets, unsigned int counts[2]) {
	struct str text AUTO_STR = STR_INIT;
	struct model *m;
	struct policies *ps;
	struct ruleset *rs;
	time_t next;

	random_policies_text(r, &text);
	m = conf_model(str_text(&text));
	ps = policies_new(m, NOW);
	rs = render(m, NOW, &next);
	ck_assert_ptr_nonnull(rs);
	for (unsigned int i = 0; i < packets; i++)
		compare(m, ps, rs, r, counts);
	ruleset_free(rs);
	policies_free(ps);
	model_free(m);
}

START_TEST(test_random_small) {
	unsigned int counts[2] = { 0, 0 };

	for (unsigned int i = 0; i < fixture_rounds(150); i++) {
		struct random_policies r = { fixture_seed() * 1000 + i, 12, 6, 10, 8, 12 };

		compare_many(&r, 150, counts);
	}
	ck_assert_uint_gt(counts[1], counts[0] / 8);
}
END_TEST

START_TEST(test_random_large) {
	unsigned int counts[2] = { 0, 0 };

	for (unsigned int i = 0; i < fixture_rounds(6); i++) {
		struct random_policies r = { fixture_seed() * 1000 + 500 + i, 80, 30, 25, 20, 250 };

		compare_many(&r, 1500, counts);
	}
	ck_assert_uint_gt(counts[1], counts[0] / 8);
}
END_TEST

/* ---- how lists are cut ---- */

static struct model *hosts_model(unsigned int n) {
	struct str text AUTO_STR = STR_INIT;

	str_add(&text, "config firewall address\n");
	for (unsigned int i = 0; i < n; i++)
		str_addf(&text, "edit \"h%u\"\nset subnet 10.0.%u.%u 255.255.255.255\nnext\n", i,
			 i / 250, i % 250 + 1);
	str_add(&text,
		"end\nconfig system interface\nedit \"port1\"\nnext\nedit \"port2\"\nnext\nend\n"
		"config firewall policy\n");
	for (unsigned int i = 0; i < n; i++)
		str_addf(
			&text,
			"edit %u\nset action accept\nset srcintf \"port1\"\nset dstintf \"port2\"\n"
			"set srcaddr \"all\"\nset dstaddr \"h%u\"\nset service \"ALL\"\nset schedule \"always\"\nnext\n",
			i + 1, i);
	str_add(&text, "end\n");
	return conf_model(str_text(&text));
}

/*
 * Rules that a packet can meet do not grow with the number of policies. Chain "log_packet" is for
 * what is about to be dropped.
 */
START_TEST(test_flat) {
	static const unsigned int sizes[] = { 8, 9, 1000 };
	unsigned int n = sizes[_i], longest = 0;
	struct model *m = hosts_model(n);
	time_t next;
	struct ruleset *rs = render(m, NOW, &next);

	for (const struct chain *c = rs->chains; c; c = c->next)
		if (c->type == CHAIN_PLAIN && c->n_rules > longest &&
		    strcmp(c->name, "log_packet") != 0)
			longest = c->n_rules;
	ck_assert_uint_eq(longest, n <= 8 ? n : 4);
	ruleset_free(rs);
	model_free(m);
}
END_TEST

/* A moved policy keeps the places of the others. */
START_TEST(test_places) {
	struct model *m = hosts_model(20);
	struct policies *before = policies_new(m, NOW), *after;
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);
	struct object *last = model_take(m, table, "20");
	const struct object *first = model_find(m, table, "1"), *second = model_find(m, table, "2");

	last->pos = first->pos + (second->pos - first->pos) / 2;
	ck_assert_ptr_null(model_put(m, last));
	after = policies_new(m, NOW);
	ck_assert_uint_eq(after->policy[1].id, 20);
	ck_assert_uint_eq(after->policy[0].seq, before->policy[0].seq);
	for (int i = 2; i < 20; i++)
		ck_assert_uint_eq(after->policy[i].seq, before->policy[i - 1].seq);
	ck_assert_uint_gt(after->policy[1].seq, after->policy[0].seq);
	ck_assert_uint_lt(after->policy[1].seq, after->policy[2].seq);
	policies_free(before);
	policies_free(after);
	model_free(m);
}
END_TEST

/* Positions too close to each other, or too far away, still give an order. */
START_TEST(test_places_of_odd_positions) {
	struct model *m = hosts_model(5);
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);
	static const int64_t positions[][5] = {
		{ 1, 2, 3, 4, 5 },
		{ -5, -4, -3, 1, (int64_t)1 << 32 },
		{ INT64_MIN / 2, 0, 1, 2, INT64_MAX / 2 },
	};
	struct policies *ps;

	for (int i = 0; i < 5; i++) {
		char key[2] = { (char)('1' + i), '\0' };
		struct object *obj = model_take(m, table, key);

		obj->pos = positions[_i][i] ? positions[_i][i] : 1;
		model_put(m, obj);
	}
	ps = policies_new(m, NOW);
	for (int i = 1; i < 5; i++)
		ck_assert_uint_gt(ps->policy[i].seq, ps->policy[i - 1].seq);
	ck_assert_uint_gt(ps->policy[0].seq, 0);
	ck_assert_uint_le(ps->policy[4].seq, POLICY_SEQ_MAX);
	policies_free(ps);
	model_free(m);
}
END_TEST

static Suite *classify_suite(void) {
	Suite *s = suite_create("classify");
	TCase *t = tcase_create("classify");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_random_small);
	tcase_add_test(t, test_random_large);
	tcase_add_loop_test(t, test_flat, 0, 3);
	tcase_add_test(t, test_places);
	tcase_add_loop_test(t, test_places_of_odd_positions, 0, 3);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(classify_suite());
}
