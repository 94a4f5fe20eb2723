/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An interpreter of rulesets: one function for fields, one for matches, one for statements, and
 * recursion for jumps. A rule whose match cannot be made (no such map entry, wrong protocol) ends,
 * as in the kernel. Counters do not count.
 *
 * What it costs is what the kernel's way through the same rules costs: a few chains found by the
 * hash of their names, a few binary searches.
 */
#include "backends/ruleset_eval.h"

#include <netinet/in.h>
#include <string.h>

#define DEPTH_MAX 16 /* chains inside each other: the kernel's limit */

enum result { GO_ON, END_RULE, RETURN, ACCEPT, DROP, FAULT };

struct eval {
	const struct ruleset *rs;
	struct eval_packet *p;
	struct err *err;
};

static enum result run_chain(const struct eval *e, const char *name, int depth);

static enum result fault(const struct eval *e, const char *what, const char *name) {
	err_set(e->err, ERR_KERNEL, "%s %s", what, name ? name : "");
	return FAULT;
}

static bool has_ports(const struct eval_packet *p) {
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP || p->proto == IPPROTO_SCTP ||
	       p->proto == IPPROTO_UDPLITE;
}

/*
 * The value of a field; false when the packet has none. Where others have ports, a packet without
 * them has bytes of its own: a rule that looks there must have asked for the protocol before.
 */
static bool field_value(const struct eval_packet *p, enum rule_field f, uint32_t *v) {
	switch (f) {
	case FIELD_NFPROTO:
		*v = p->ipv6 ? 10 : NFPROTO_IS_IPV4;
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
		return p->proto == IPPROTO_ICMP && !p->ipv6;
	case FIELD_ICMP_CODE:
		*v = p->icmp_code;
		return p->proto == IPPROTO_ICMP && !p->ipv6;
	case FIELD_ICMP6_TYPE:
		*v = p->icmp_type;
		return p->proto == IPPROTO_ICMPV6 && p->ipv6;
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
		*v = p->local ? DADDR_TYPE_LOCAL : DADDR_TYPE_UNICAST;
		return true;
	case FIELD_TCP_FLAGS:
		*v = p->tcp_flags;
		return p->proto == IPPROTO_TCP;
	case FIELD_PACKET_TYPE:
		*v = p->broadcast ? PACKET_TYPE_BROADCAST : PACKET_TYPE_HOST;
		return true;
	case FIELD_WAY_BACK:
		*v = p->astray ? WAY_BACK_MISSING : WAY_BACK_EXISTS;
		return true;
	case FIELD_PACKET_MARK:
		*v = p->packet_mark;
		return true;
	case FIELD_SADDR6_0:
	case FIELD_SADDR6_1:
	case FIELD_SADDR6_2:
	case FIELD_SADDR6_3:
		*v = p->src6[f - FIELD_SADDR6_0];
		return p->ipv6;
	default:
		return false;
	}
}

/* ---- sets and maps ---- */

/* Whether a lookup of these fields has the form of the set's keys. */
static bool key_fits(const struct set *set, const uint8_t *field) {
	int n = 0;

	for (; n < RULESET_FIELDS_MAX && field[n] != FIELD_NONE; n++)
		if (n >= set->n_fields || field_key_len(field[n]) != field_key_len(set->field[n]))
			return false;
	return n > 0 && n == set->n_fields;
}

/* False when the packet lacks a field. */
static bool make_key(const struct eval_packet *p, const uint8_t *field, struct key *k) {
	k->len = 0;
	for (int i = 0; i < RULESET_FIELDS_MAX && field[i] != FIELD_NONE; i++) {
		uint32_t v;

		if (field[i] == FIELD_IIFNAME || field[i] == FIELD_OIFNAME) {
			key_ifname(k, field[i] == FIELD_IIFNAME ? p->in : p->out);
			continue;
		}
		if (!field_value(p, field[i], &v))
			return false;
		key_num(k, field[i], v);
	}
	return true;
}

/* Whether a statement may look into a set of this kind. */
static bool kind_fits(const struct set *set, const struct stmt *st) {
	switch ((enum stmt_op)st->op) {
	case MATCH_SET:
	case MATCH_NOT_SET:
		return set->data == DATA_NONE;
	case STMT_VMAP:
		return set->data == DATA_VERDICT;
	case STMT_MARK_MAP:
		return set->data == DATA_MARK;
	default:
		return set->data == DATA_ADDR || set->data == DATA_ADDR_PORT;
	}
}

/* The set that a statement looks into, and what it finds there or NULL. False: a fault. */
static bool look_up(const struct eval *e, const struct stmt *st, const struct set **set,
		    const struct elem **found) {
	struct key k;

	*set = st->name ? ruleset_set(e->rs, st->name) : NULL;
	if (!*set || !(*set)->sorted || !kind_fits(*set, st) || !key_fits(*set, st->field)) {
		fault(e, "bad lookup in set", st->name);
		return false;
	}
	*found = make_key(e->p, st->field, &k) ? set_find(*set, k.bytes) : NULL;
	return true;
}

/* ---- matches ---- */

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
	case MATCH_NOT_RANGE:
		return v < st->a || v > st->b;
	default:
		return (v & st->a) != 0;
	}
}

static enum result run_interface(const struct eval *e, const struct stmt *st) {
	const char *name = st->field[0] == FIELD_IIFNAME ? e->p->in : e->p->out;

	if (!st->name || (st->op != MATCH_EQ && st->op != MATCH_NE))
		return fault(e, "bad match of an interface", st->name);
	return (strcmp(name, st->name) == 0) == (st->op == MATCH_EQ) ? GO_ON : END_RULE;
}

static enum result run_match(const struct eval *e, const struct stmt *st) {
	enum rule_field f = st->field[0];
	const struct set *set;
	const struct elem *found;
	uint32_t v;

	if (st->op == MATCH_SET || st->op == MATCH_NOT_SET) {
		if (!look_up(e, st, &set, &found))
			return FAULT;
		return (found != NULL) == (st->op == MATCH_SET) ? GO_ON : END_RULE;
	}
	if (f == FIELD_NONE || f >= FIELD_COUNT)
		return fault(e, "match of nothing", NULL);
	if (f == FIELD_IIFNAME || f == FIELD_OIFNAME)
		return run_interface(e, st);
	return field_value(e->p, f, &v) && matches_number(st, v) ? GO_ON : END_RULE;
}

/* ---- statements ---- */

static enum result run_verdict(const struct eval *e, unsigned int op, const char *chain,
			       int depth) {
	enum result r;

	switch (op) {
	case STMT_ACCEPT:
		return ACCEPT;
	case STMT_DROP:
		return DROP;
	case STMT_RETURN:
		return RETURN;
	case STMT_JUMP:
		r = run_chain(e, chain, depth + 1);
		return r == RETURN ? GO_ON : r;
	case STMT_GOTO:
		/* The end of a chain that was gone to is that of the caller's. */
		return run_chain(e, chain, depth + 1);
	default:
		return fault(e, "no verdict towards", chain);
	}
}

static enum result run_map(const struct eval *e, const struct stmt *st, int depth) {
	const struct set *set;
	const struct elem *found;

	if (!look_up(e, st, &set, &found))
		return FAULT;
	if (!found)
		return st->op == STMT_VMAP ? GO_ON : END_RULE;
	if (st->op == STMT_VMAP)
		return run_verdict(e, found->verdict, found->chain, depth);
	if (st->op == STMT_MARK_MAP) {
		e->p->mark = found->a;
		return GO_ON;
	}
	e->p->dst = found->a;
	if (set->data == DATA_ADDR_PORT)
		e->p->dport = found->port;
	return ACCEPT;
}

/* Objects are for sessions that begin, each for one protocol. */
static enum result run_object(const struct eval *e, const struct stmt *st) {
	const struct ct_object *o = st->name ? ruleset_object(e->rs, st->name) : NULL;

	if (!o || o->kind != (st->op == STMT_TIMEOUT ? CT_TIMEOUT : CT_HELPER))
		return fault(e, "no such object", st->name);
	if (e->p->confirmed || o->l4proto != e->p->proto)
		return GO_ON;
	if (o->kind == CT_TIMEOUT)
		e->p->timeout = o->name;
	else
		e->p->helper = o->name;
	return GO_ON;
}

static enum result run_stmt(const struct eval *e, const struct stmt *st, int depth) {
	switch ((enum stmt_op)st->op) {
	case STMT_VMAP:
	case STMT_MARK_MAP:
	case STMT_DNAT_MAP:
		return run_map(e, st, depth);
	case STMT_MARK:
		e->p->mark = st->a;
		return GO_ON;
	case STMT_TIMEOUT:
	case STMT_HELPER:
		return run_object(e, st);
	case STMT_DNAT:
		e->p->dst = st->a;
		if (st->b)
			e->p->dport = (uint16_t)st->b;
		return ACCEPT;
	case MATCH_LABEL:
		/* A packet that fits no session has no label. */
		return !(e->p->state & CT_STATE_INVALID) && (e->p->label & st->a) == st->b
			       ? GO_ON
			       : END_RULE;
	case MATCH_LIMIT:
		return e->p->over_limit ? END_RULE : GO_ON;
	case STMT_LOG:
		e->p->log_group = (uint16_t)st->a;
		return GO_ON;
	case STMT_LABEL:
		e->p->label |= st->a;
		return GO_ON;
	case STMT_PACKET_MARK:
		e->p->packet_mark = st->field[0] == FIELD_CT_MARK ? e->p->mark : st->a;
		return GO_ON;
	case STMT_TO_HOST:
		e->p->broadcast = false;
		return GO_ON;
	case STMT_NOTRACK:
		e->p->untracked = true;
		return GO_ON;
	case STMT_TRACE:
	case STMT_RESTORE: /* of what is told before it is dropped */
		return GO_ON;
	case STMT_MASQUERADE:
		e->p->masqueraded = true;
		return ACCEPT;
	case STMT_ACCEPT:
	case STMT_DROP:
	case STMT_RETURN:
	case STMT_JUMP:
	case STMT_GOTO:
		return run_verdict(e, st->op, st->name, depth);
	case MATCH_EQ:
	case MATCH_NE:
	case MATCH_GT:
	case MATCH_LT:
	case MATCH_RANGE:
	case MATCH_NOT_RANGE:
	case MATCH_BITS:
	case MATCH_SET:
	case MATCH_NOT_SET:
		return run_match(e, st);
	}
	return fault(e, "unknown statement", st->name);
}

static enum result run_chain(const struct eval *e, const char *name, int depth) {
	const struct chain *c = name ? ruleset_chain(e->rs, name) : NULL;

	if (!c)
		return fault(e, "no chain", name);
	if (depth >= DEPTH_MAX)
		return fault(e, "too many chains inside each other, the last one is", name);
	for (uint32_t i = 0; i < c->n_rules; i++) {
		enum result r = GO_ON;

		for (uint32_t j = 0; j < c->rules[i].n && r == GO_ON; j++)
			r = run_stmt(e, &c->stmts[c->rules[i].first + j], depth);
		if (r != GO_ON && r != END_RULE)
			return r;
	}
	return RETURN;
}

enum eval_verdict ruleset_eval(const struct ruleset *rs, const char *base, struct eval_packet *p,
			       struct err *err) {
	const struct eval e = { rs, p, err };
	const struct chain *c = ruleset_chain(rs, base);
	enum result r;

	r = c && c->type != CHAIN_PLAIN ? run_chain(&e, base, 0) : fault(&e, "no base chain", base);
	if (r == FAULT)
		return EVAL_FAULT;
	return r == DROP ? EVAL_DROP : EVAL_ACCEPT;
}
