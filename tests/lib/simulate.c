/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interpreter of rulesets: one function for fields, one for matches, one for statements, and
 * recursion for jumps. A rule whose match cannot be made (no such map entry, wrong protocol) ends,
 * as in the kernel.
 */
#include "tests/lib/simulate.h"

#include <check.h>
#include <netinet/in.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define DEPTH_MAX 16

enum result { GO_ON, END_RULE, RETURN, ACCEPT, DROP };

struct sim {
	const struct ruleset *rs;
	struct sim_packet *p;
};

static enum result run_chain(const struct sim *s, const char *name, int depth);

static bool has_ports(const struct sim_packet *p) {
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_SCTP ||
	       p->proto == IPPROTO_UDPLITE;
}

/* The value of a field; false when the packet has none. */
static bool field_value(const struct sim_packet *p, enum rule_field f, uint32_t *v) {
	bool icmp = p->proto == IPPROTO_ICMP && !p->ipv6;

	switch (f) {
	case FIELD_NFPROTO:
		*v = p->ipv6 ? 10 : 2;
		return true;
	case FIELD_L4PROTO:
		*v = p->proto;
		return true;
	case FIELD_SADDR:
		*v = p->src;
		return !p->ipv6;
	case FIELD_DADDR:
		*v = p->dst;
		return !p->ipv6;
	case FIELD_SPORT:
		*v = has_ports(p) ? p->sport : 0x0800;
		return true;
	case FIELD_DPORT:
		*v = has_ports(p) ? p->dport : 0x1234;
		return true;
	case FIELD_ICMP_TYPE:
		*v = p->icmp_type;
		return icmp;
	case FIELD_ICMP_CODE:
		*v = p->icmp_code;
		return icmp;
	case FIELD_ICMP6_TYPE:
		*v = p->icmp_type;
		return p->ipv6 && p->proto == IPPROTO_ICMPV6;
	case FIELD_CT_STATE:
		*v = p->state;
		return true;
	case FIELD_CT_STATUS:
		*v = p->confirmed ? CT_STATUS_CONFIRMED : 0;
		return true;
	case FIELD_CT_MARK:
		*v = p->mark;
		return true;
	case FIELD_DADDR_TYPE:
		*v = p->local ? DADDR_TYPE_LOCAL : 1;
		return true;
	default:
		ck_abort_msg("field %d has no number", (int)f);
	}
	return false;
}

static bool make_key(const struct sim_packet *p, const struct set *set, const uint8_t *field,
		     struct key *k) {
	*k = (struct key)KEY_INIT;
	for (int i = 0; i < RULESET_FIELDS_MAX && field[i] != FIELD_NONE; i++) {
		uint32_t v;

		ck_assert_int_lt(i, set->n_fields);
		ck_assert_uint_eq(field_key_len(field[i]), field_key_len(set->field[i]));
		if (field[i] == FIELD_IIFNAME || field[i] == FIELD_OIFNAME) {
			key_ifname(k, field[i] == FIELD_IIFNAME ? p->in : p->out);
			continue;
		}
		if (!field_value(p, field[i], &v))
			return false;
		key_num(k, field[i], v);
	}
	ck_assert_uint_eq(k->len, set->key_len);
	return true;
}

static const struct elem *find(const struct sim *s, const struct stmt *st, const struct set **ret) {
	const struct set *set = ruleset_set(s->rs, st->name);
	struct key k;

	ck_assert_msg(set, "no set %s", st->name);
	ck_assert_msg(set->sorted, "set %s is not sorted", st->name);
	*ret = set;
	return make_key(s->p, set, st->field, &k) ? set_find(set, k.bytes) : NULL;
}

static bool matches_number(const struct stmt *st, uint32_t v) {
	switch ((enum stmt_op)st->op) {
	case MATCH_EQ:
		return v == st->a;
	case MATCH_NE:
		return v != st->a;
	case MATCH_GT:
		return v > st->a;
	case MATCH_LT:
		return v < st->a;
	case MATCH_RANGE:
		return v >= st->a && v <= st->b;
	case MATCH_BITS:
		return (v & st->a) != 0;
	default:
		ck_abort_msg("statement %d is no match", st->op);
	}
	return false;
}

static enum result run_match(const struct sim *s, const struct stmt *st) {
	enum rule_field f = st->field[0];
	const struct set *set;
	uint32_t v;
	bool hit;

	if (st->op == MATCH_SET || st->op == MATCH_NOT_SET) {
		hit = find(s, st, &set) != NULL;
		ck_assert_int_eq(set->data, DATA_NONE);
		return hit == (st->op == MATCH_SET) ? GO_ON : END_RULE;
	}
	if (f == FIELD_IIFNAME || f == FIELD_OIFNAME) {
		hit = strcmp(f == FIELD_IIFNAME ? s->p->in : s->p->out, st->name) == 0;
		return hit == (st->op == MATCH_EQ) ? GO_ON : END_RULE;
	}
	return field_value(s->p, f, &v) && matches_number(st, v) ? GO_ON : END_RULE;
}

static enum result run_verdict(const struct sim *s, unsigned int op, const char *chain, int depth) {
	enum result r;

	switch (op) {
	case STMT_ACCEPT:
		return ACCEPT;
	case STMT_DROP:
		return DROP;
	case STMT_RETURN:
		return RETURN;
	case STMT_JUMP:
		r = run_chain(s, chain, depth + 1);
		return r == RETURN ? GO_ON : r;
	default:
		/* The end of a chain that was gone to is that of the caller's. */
		return run_chain(s, chain, depth);
	}
}

static enum result run_map(const struct sim *s, const struct stmt *st, int depth) {
	const struct set *set;
	const struct elem *e = find(s, st, &set);

	if (!e)
		return st->op == STMT_VMAP ? GO_ON : END_RULE;
	if (st->op == STMT_VMAP)
		return run_verdict(s, e->verdict, e->chain, depth);
	if (st->op == STMT_MARK_MAP) {
		s->p->mark = e->a;
		return GO_ON;
	}
	s->p->dst = e->a;
	if (set->data == DATA_ADDR_PORT)
		s->p->dport = e->port;
	return ACCEPT;
}

static enum result run_stmt(const struct sim *s, const struct stmt *st, int depth) {
	switch ((enum stmt_op)st->op) {
	case STMT_VMAP:
	case STMT_MARK_MAP:
	case STMT_DNAT_MAP:
		return run_map(s, st, depth);
	case STMT_MARK:
		s->p->mark = st->a;
		return GO_ON;
	case STMT_DNAT:
		s->p->dst = st->a;
		if (st->b)
			s->p->dport = (uint16_t)st->b;
		return ACCEPT;
	case STMT_MASQUERADE:
		s->p->masqueraded = true;
		return ACCEPT;
	case STMT_ACCEPT:
	case STMT_DROP:
	case STMT_RETURN:
	case STMT_JUMP:
	case STMT_GOTO:
		return run_verdict(s, st->op, st->name, depth);
	default:
		return run_match(s, st);
	}
}

static enum result run_chain(const struct sim *s, const char *name, int depth) {
	const struct chain *c = ruleset_chain(s->rs, name);

	ck_assert_msg(c, "no chain %s", name);
	ck_assert_int_lt(depth, DEPTH_MAX);
	for (uint32_t i = 0; i < c->n_rules; i++) {
		enum result r = GO_ON;

		for (uint32_t j = 0; j < c->rules[i].n && r == GO_ON; j++)
			r = run_stmt(s, &c->stmts[c->rules[i].first + j], depth);
		if (r != GO_ON && r != END_RULE)
			return r;
	}
	return RETURN;
}

enum sim_verdict sim_chain(const struct ruleset *rs, const char *base, struct sim_packet *p) {
	const struct chain *c = ruleset_chain(rs, base);
	const struct sim s = { rs, p };

	ck_assert_msg(c && c->type != CHAIN_PLAIN, "no base chain %s", base);
	return run_chain(&s, base, 0) == DROP ? SIM_DROP : SIM_ACCEPT;
}
