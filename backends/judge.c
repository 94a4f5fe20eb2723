/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session is judged by sending its first packet through the rules once more. Translation is
 * settled when a session begins: one whose destination our rules translated must be sent to the
 * same place again, or it is none that they would make; one that they did not is judged by where
 * it goes.
 *
 * The kernel does not say by which interface a session came in; the route back tells it, but for
 * those whose replies take another way. Before a session of a policy is ended, or given to
 * another policy, the rules that gave it its mark are asked: if they would not give it that mark by
 * the interface of the route, but by another one, that is the one it came by.
 */
#include "backends/judge.h"

#include <net/if.h>
#include <netinet/in.h>
#include <string.h>

#include "backends/ruleset_eval.h"

static bool has_ports(const struct judge_session *s) {
	return s->proto == IPPROTO_TCP || s->proto == IPPROTO_UDP || s->proto == IPPROTO_SCTP ||
	       s->proto == IPPROTO_UDPLITE || s->proto == IPPROTO_DCCP;
}

static struct eval_packet first_packet(const struct judge_session *s, const char *in) {
	return (struct eval_packet){
		.in = in,
		.out = "",
		.ipv6 = s->ipv6,
		.proto = s->proto,
		.icmp_type = s->icmp_type,
		.icmp_code = s->icmp_code,
		.src = s->src,
		.dst = s->dst,
		.sport = s->sport,
		.dport = s->dport,
		.state = CT_STATE_NEW,
	};
}

/* Where a packet goes, and where that of the session went. */
static bool same_place(const struct judge_session *s, uint32_t dst, uint16_t dport) {
	return s->to == dst && (s->to_port == dport || !has_ports(s));
}

/* Send the first packet through translation; false: a fault. */
static bool translate(const struct ruleset *rs, const struct judge_session *s, const char *in,
		      struct eval_packet *p, struct err *err) {
	*p = first_packet(s, in);
	return ruleset_eval(rs, "translate_in", p, err) != EVAL_FAULT;
}

/* Whether a destination that the rules leave alone was translated for this session. */
static bool is_foreign(const struct ruleset *before, const struct judge_session *s) {
	struct eval_packet p;

	return before && translate(before, s, s->in, &p, NULL) && p.dst == s->dst &&
	       p.dport == s->dport && !same_place(s, s->dst, s->dport);
}

/*
 * The verdict of one ruleset when the session came in by this interface. What someone else
 * translates is judged by where it goes.
 */
static enum judge_verdict judge_at(const struct ruleset *rs, const struct judge_session *s,
				   const char *in, bool foreign, uint32_t *mark, struct err *err) {
	struct eval_packet p;
	enum eval_verdict v;

	if (!translate(rs, s, in, &p, err))
		return JUDGE_FAULT;
	if (!same_place(s, p.dst, p.dport)) {
		foreign &= p.dst == s->dst && p.dport == s->dport;
		if (!foreign && !same_place(s, s->dst, s->dport))
			return JUDGE_END;
		p = first_packet(s, in);
		p.dst = s->to;
		p.dport = s->to_port;
	}
	p.out = s->out;
	v = ruleset_eval(rs, "forward", &p, err);
	*mark = p.mark;
	return v == EVAL_FAULT ? JUDGE_FAULT : v == EVAL_DROP ? JUDGE_END : JUDGE_KEEP;
}

/* The set of managed interfaces; NULL when the rules have none. */
static const struct set *managed(const struct ruleset *rs) {
	const struct set *set = ruleset_set(rs, "managed");

	return set && set->key_len == IFNAMSIZ ? set : NULL;
}

static bool is_managed(const struct ruleset *rs, const char *interface) {
	const struct set *set = managed(rs);
	struct key k = KEY_INIT;

	key_ifname(&k, interface);
	return set && set_find(set, k.bytes);
}

/* Whether the rules give the session the mark that it has. */
static bool explains(const struct ruleset *rs, const struct judge_session *s, const char *in,
		     bool foreign) {
	uint32_t mark;

	return judge_at(rs, s, in, foreign, &mark, NULL) == JUDGE_KEEP && mark == s->mark;
}

/* The interface by which it must have come in to have its mark, if not that of the route. */
static const char *other_way_in(const struct ruleset *before, const struct judge_session *s,
				bool foreign) {
	const struct set *set = managed(before);

	if (explains(before, s, s->in, foreign))
		return NULL;
	for (uint32_t i = 0; set && i < set->n_elems; i++) {
		const char *in = (const char *)set->elems[i].key;

		if (strcmp(in, s->in) != 0 && explains(before, s, in, foreign))
			return in;
	}
	return NULL;
}

enum judge_verdict judge_session(const struct ruleset *rules, const struct ruleset *before,
				 const struct judge_session *s, uint32_t *mark, struct err *err) {
	bool foreign = is_foreign(before, s);
	enum judge_verdict v;
	const char *in;

	*mark = s->mark;
	if (ruleset_keeps(rules, s->mark) ||
	    !(is_managed(rules, s->in) || is_managed(rules, s->out)))
		return JUDGE_KEEP;
	v = judge_at(rules, s, s->in, foreign, mark, err);
	if (v == JUDGE_FAULT || (v == JUDGE_KEEP && *mark == s->mark) || !before || s->mark == 0)
		return v;
	in = other_way_in(before, s, foreign);
	return in ? judge_at(rules, s, in, foreign, mark, err) : v;
}

int judge_aim(const struct ruleset *rules, struct judge_session *s, struct err *err) {
	struct eval_packet p;

	if (!translate(rules, s, s->in, &p, err))
		return ERR_KERNEL;
	s->to = p.dst;
	s->to_port = p.dport;
	return 0;
}
