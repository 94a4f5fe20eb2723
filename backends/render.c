/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The frame of the ruleset. A forwarded packet of a session that exists is counted under its policy
 * and passes: what a change of rules means for it is worked out apart (recheck.h). The first packet
 * of a new one is judged if an interface it enters or leaves by is managed: its place among the
 * policies is worked out in ct mark, turned into the id of the policy, counted, and the packet
 * passes or is dropped. What matches no policy is policy 0.
 *
 * Everything about a policy that does not decide whether it matches (deny, source translation,
 * counters) is one element of a set keyed by its id, so changing it leaves the rules alone.
 */
#include "backends/render.h"

#include <netinet/in.h>

#include "backends/classify.h"
#include "backends/helper.h"
#include "backends/managed.h"
#include "backends/render_part.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

static void key_mark(struct key *k, uint32_t mark) {
	*k = (struct key)KEY_INIT;
	key_num(k, FIELD_CT_MARK, mark);
}

static struct elem *add_mark(struct ruleset *rs, struct set *set, uint32_t mark,
			     const struct policy *p) {
	struct key k;
	struct elem *e;

	key_mark(&k, mark);
	e = set_add(rs, set, &k);
	e->origin = p ? ruleset_origin(rs, p->obj) : NULL;
	return e;
}

static struct set *mark_set(struct ruleset *rs, const char *name, enum set_data data,
			    unsigned int flags) {
	return ruleset_add_set(rs, name, data, flags, FIELD_CT_MARK, 0, 0, 0);
}

static void verdict(struct chain *c, enum stmt_op op, const char *chain) {
	chain_stmt(c, op, FIELD_NONE, 0, 0, chain);
}

/* ---- sets by policy ---- */

static void fill_policy_sets(struct ruleset *rs, const struct policies *ps) {
	struct set *hits = mark_set(rs, RENDER_SET_HITS, DATA_NONE, SET_COUNTER);
	struct set *bytes = mark_set(rs, RENDER_SET_TRAFFIC, DATA_NONE, SET_COUNTER);
	struct set *deny = mark_set(rs, "denied", DATA_NONE, 0),
		   *nat = mark_set(rs, "translated", DATA_NONE, 0);
	struct set *place = mark_set(rs, "places", DATA_MARK, 0);
	struct set *logged = mark_set(rs, "logged", DATA_NONE, 0),
		   *unlogged = mark_set(rs, RENDER_SET_UNLOGGED, DATA_NONE, SET_COUNTER);

	rs->kept.others = ps->keep_sessions;
	add_mark(rs, hits, 0, NULL);
	add_mark(rs, unlogged, 0, NULL);
	for (size_t i = 0; i < ps->n; i++) {
		const struct policy *p = &ps->policy[i];

		add_mark(rs, hits, p->id, p);
		add_mark(rs, bytes, p->id, p);
		if (!p->accept)
			add_mark(rs, deny, p->id, p);
		if (p->nat)
			add_mark(rs, nat, p->id, p);
		if (p->keeps_sessions != (ps->keep_sessions ? KEEP_SET : 0u))
			ruleset_keep(rs, p->id, p->keeps_sessions);
		if (p->logs_denied) {
			add_mark(rs, logged, p->id, p);
			add_mark(rs, unlogged, p->id, p);
		}
		if (p->off)
			continue;
		add_mark(rs, place, p->seq, p)->a = p->id;
		if (p->n_vips > 0 || p->vip_sessions)
			add_mark(rs, place, p->seq | MARK_VIP, p)->a = p->id;
	}
}

/* One element for all protocols. It outlives policies: their counters go with them. */
static void add_setups(struct ruleset *rs) {
	struct set *set = ruleset_add_set(rs, RENDER_SET_SETUPS, DATA_NONE,
					  SET_INTERVAL | SET_COUNTER, FIELD_L4PROTO, 0, 0, 0);
	struct key all = KEY_INIT;

	key_num(&all, FIELD_L4PROTO, 0);
	set_add(rs, set, &all)->last = UINT8_MAX;
}

/* Pairs of interfaces of zones that let their members talk to each other. */
static bool fill_intrazone(struct ruleset *rs, const struct model *model) {
	const struct object *zone = model_first(model, schema_table(TBL_SYSTEM_ZONE));
	struct set *set = NULL;

	for (; zone; zone = model_next(model, zone)) {
		const struct value *v = object_value(zone, SYSTEM_ZONE__INTERFACE);

		if (!object_is(zone, SYSTEM_ZONE__INTRAZONE, "allow") || !v)
			continue;
		if (!set)
			set = ruleset_add_set(rs, "intrazone", DATA_NONE, 0, FIELD_IIFNAME,
					      FIELD_OIFNAME, 0, 0);
		for (uint32_t i = 0; i < v->n; i++)
			for (uint32_t j = 0; j < v->n; j++) {
				struct key k = KEY_INIT;

				key_ifname(&k, value_item(v, i)->str);
				key_ifname(&k, value_item(v, j)->str);
				set_add(rs, set, &k)->origin = ruleset_origin(rs, zone);
			}
	}
	return set != NULL;
}

/* ---- judging ---- */

/* What accepted sessions get on their way, if anything. */
static void add_accepted(struct ruleset *rs, bool timeouts, bool helpers) {
	struct chain *c = ruleset_add_chain(rs, RENDER_CHAIN_ACCEPTED);

	if (timeouts) {
		chain_rule(c);
		verdict(c, STMT_JUMP, RENDER_CHAIN_TIMEOUTS);
	}
	if (helpers) {
		chain_rule(c);
		verdict(c, STMT_JUMP, RENDER_CHAIN_HELPERS);
	}
	chain_rule(c);
	verdict(c, STMT_ACCEPT, NULL);
}

/* What is logged of denials; above it they are only counted, so a flood of them costs little. */
#define LOG_RATE 100             /* packets a second */
#define LOG_BURST 200

/*
 * Tells what is about to be dropped, so that its headers and mark may be changed: it is told with
 * its translated destination first, and then as it came.
 */
static void add_log_packet(struct ruleset *rs) {
	static const uint8_t with_ports[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP };
	struct chain *c = ruleset_add_chain(rs, "log_packet");

	chain_rule(c);
	chain_stmt(c, STMT_PACKET_MARK, FIELD_CT_MARK, 0, 0, NULL);
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_NFPROTO, NFPROTO_IS_IPV4, 0, NULL);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_DNAT, 0, NULL);
	chain_stmt(c, STMT_LOG, FIELD_NONE, RENDER_LOG_GROUP, 0, RENDER_LOG_TRANSLATED);
	chain_stmt(c, STMT_RESTORE, FIELD_DADDR, 0, 0, NULL);
	for (size_t i = 0; i < ARRAY_LEN(with_ports); i++) {
		chain_rule(c);
		chain_stmt(c, MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_DNAT, 0, NULL);
		chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, with_ports[i], 0, NULL);
		chain_stmt(c, STMT_RESTORE, FIELD_DPORT, 0, 0, NULL);
	}
	chain_rule(c);
	chain_stmt(c, STMT_LOG, FIELD_NONE, RENDER_LOG_GROUP, 0, RENDER_LOG_DENIED);
}

/* Chain "log_denied" returns; chain "refused" is for what a policy denies. */
static void add_refused(struct ruleset *rs) {
	struct chain *log = ruleset_add_chain(rs, "log_denied"),
		     *refused = ruleset_add_chain(rs, RENDER_CHAIN_REFUSED);

	add_log_packet(rs);
	chain_rule(log);
	chain_stmt(log, MATCH_LIMIT, FIELD_NONE, LOG_RATE, LOG_BURST, NULL);
	verdict(log, STMT_GOTO, "log_packet");
	chain_rule(log);
	chain_lookup(log, MATCH_SET, RENDER_SET_UNLOGGED, FIELD_CT_MARK, 0, 0, 0);

	chain_rule(refused);
	chain_lookup(refused, MATCH_SET, "logged", FIELD_CT_MARK, 0, 0, 0);
	verdict(refused, STMT_JUMP, log->name);
	chain_rule(refused);
	verdict(refused, STMT_DROP, NULL);
}

static void add_implicit_log(struct chain *c, const struct model *model) {
	const struct object *settings = model_object(model, schema_table(TBL_LOG_SETTING));
	static const struct {
		uint16_t attr;
		enum stmt_op op;
	} families[] = {
		{ LOG_SETTING__FWPOLICY_IMPLICIT_LOG, MATCH_EQ },
		{ LOG_SETTING__FWPOLICY6_IMPLICIT_LOG, MATCH_NE },
	};

	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		if (!object_is(settings, families[i].attr, "enable"))
			continue;
		chain_rule(c);
		chain_stmt(c, families[i].op, FIELD_NFPROTO, NFPROTO_IS_IPV4, 0, NULL);
		/* A packet that fits no connection has no ct mark to say so. */
		chain_stmt(c, STMT_PACKET_MARK, FIELD_NONE, 0, 0, NULL);
		verdict(c, STMT_JUMP, "log_denied");
	}
}

/* The end of judging: from the place in ct mark to the policy, or to none. */
static void add_decide(struct ruleset *rs, const struct model *model, bool intrazone) {
	struct chain *decide = ruleset_add_chain(rs, RENDER_CHAIN_DECIDE);
	struct chain *matched = ruleset_add_chain(rs, "matched"),
		     *deny = ruleset_add_chain(rs, RENDER_CHAIN_UNMATCHED);

	chain_rule(decide);
	chain_lookup(decide, STMT_MARK_MAP, "places", FIELD_CT_MARK, 0, 0, 0);
	verdict(decide, STMT_GOTO, matched->name);
	if (intrazone) {
		chain_rule(decide);
		chain_stmt(decide, MATCH_EQ, FIELD_CT_MARK, MARK_NONE, 0, NULL);
		chain_lookup(decide, MATCH_SET, "intrazone", FIELD_IIFNAME, FIELD_OIFNAME, 0, 0);
		chain_stmt(decide, STMT_MARK, FIELD_NONE, 0, 0, NULL);
		verdict(decide, STMT_GOTO, RENDER_CHAIN_ACCEPTED);
	}
	chain_rule(decide);
	verdict(decide, STMT_GOTO, deny->name);

	chain_rule(matched);
	chain_lookup(matched, MATCH_SET, RENDER_SET_HITS, FIELD_CT_MARK, 0, 0, 0);
	chain_lookup(matched, MATCH_SET, RENDER_SET_TRAFFIC, FIELD_CT_MARK, 0, 0, 0);
	chain_rule(matched);
	chain_lookup(matched, MATCH_SET, "denied", FIELD_CT_MARK, 0, 0, 0);
	verdict(matched, STMT_GOTO, RENDER_CHAIN_REFUSED);
	chain_rule(matched);
	chain_lookup(matched, MATCH_SET, RENDER_SET_SETUPS, FIELD_L4PROTO, 0, 0, 0);
	verdict(matched, STMT_GOTO, RENDER_CHAIN_ACCEPTED);

	chain_rule(deny);
	chain_stmt(deny, STMT_MARK, FIELD_NONE, 0, 0, NULL);
	chain_lookup(deny, MATCH_SET, RENDER_SET_HITS, FIELD_CT_MARK, 0, 0, 0);
	add_implicit_log(deny, model);
	chain_rule(deny);
	verdict(deny, STMT_DROP, NULL);
}

/* Sessions of virtual IPs come with the id of theirs in ct mark; any other mark means nothing. */
static void add_classify(struct ruleset *rs) {
	struct chain *c = ruleset_add_chain(rs, "classify");

	chain_rule(c);
	chain_stmt(c, MATCH_NE, FIELD_NFPROTO, NFPROTO_IS_IPV4, 0, NULL);
	verdict(c, STMT_GOTO, RENDER_CHAIN_UNMATCHED);
	chain_rule(c);
	chain_stmt(c, MATCH_GT, FIELD_CT_MARK, VIP_MARK_MIN - 1, 0, NULL);
	verdict(c, STMT_GOTO, "vip");
	chain_rule(c);
	chain_stmt(c, STMT_MARK, FIELD_NONE, MARK_NONE, 0, NULL);
	verdict(c, STMT_JUMP, "pairs");
	chain_rule(c);
	verdict(c, STMT_GOTO, RENDER_CHAIN_DECIDE);
}

static void add_judging(struct ruleset *rs, const struct model *model, const struct policies *ps,
			uint32_t helpers) {
	fill_policy_sets(rs, ps);
	add_setups(rs);
	add_classify(rs);
	add_accepted(rs, render_timeouts(rs, model), render_helpers(rs, ps, model, helpers));
	add_refused(rs);
	add_decide(rs, model, fill_intrazone(rs, model));
	render_pairs(rs, model, ps);
}

/* ---- the frame ---- */

/* The tunnel to other members is ours, but no part of the configuration. */
static void add_managed(struct ruleset *rs, const struct names *managed,
			const struct handover_plan *plan) {
	struct set *set = ruleset_add_set(rs, "managed", DATA_NONE, 0, FIELD_IIFNAME, 0, 0, 0);

	for (size_t i = 0; i < managed->n; i++) {
		struct key k = KEY_INIT;

		key_ifname(&k, managed->name[i]);
		set_add(rs, set, &k);
	}
	if (plan->tunnel) {
		struct key k = KEY_INIT;

		key_ifname(&k, HANDOVER_TUNNEL);
		set_add(rs, set, &k);
	}
}

/* A session that a helper announced has the mark of the one it belongs to: it is of its policy. */
static void add_related(struct ruleset *rs, struct chain *c) {
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATE, CT_STATE_RELATED, 0, NULL);
	chain_lookup(c, MATCH_SET, RENDER_SET_TRAFFIC, FIELD_CT_MARK, 0, 0, 0);
	chain_lookup(c, MATCH_SET, RENDER_SET_HITS, FIELD_CT_MARK, 0, 0, 0);
	chain_lookup(c, MATCH_SET, RENDER_SET_SETUPS, FIELD_L4PROTO, 0, 0, 0);
	if (ruleset_chain(rs, RENDER_CHAIN_TIMEOUTS))
		verdict(c, STMT_JUMP, RENDER_CHAIN_TIMEOUTS);
	else
		verdict(c, STMT_ACCEPT, NULL);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATE, CT_STATE_RELATED, 0, NULL);
	verdict(c, STMT_ACCEPT, NULL);
}

static void add_forward(struct ruleset *rs, const struct handover_plan *plan) {
	struct chain *c = ruleset_add_base(rs, "forward", CHAIN_FILTER, HOOK_FORWARD, 0);

	render_sync_copies(rs, c, plan);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_CONFIRMED, 0, NULL);
	chain_lookup(c, MATCH_SET, RENDER_SET_TRAFFIC, FIELD_CT_MARK, 0, 0, 0);
	verdict(c, STMT_ACCEPT, NULL);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_CONFIRMED, 0, NULL);
	verdict(c, STMT_ACCEPT, NULL);
	add_related(rs, c);
	render_sync_marked(c, plan);
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "managed", FIELD_IIFNAME, 0, 0, 0);
	verdict(c, STMT_GOTO, "classify");
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "managed", FIELD_OIFNAME, 0, 0, 0);
	verdict(c, STMT_GOTO, "classify");
}

/*
 * Packets that fit no connection are of no use to anyone behind us; the unit itself may know more,
 * and so may other members.
 */
static void add_invalid(struct ruleset *rs, const struct handover_plan *plan) {
	struct chain *c = ruleset_add_base(rs, "invalid", CHAIN_FILTER, HOOK_PREROUTING, -150);

	render_sync_invalid(c, plan);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATE, CT_STATE_INVALID, 0, NULL);
	chain_lookup(c, MATCH_SET, "managed", FIELD_IIFNAME, 0, 0, 0);
	chain_stmt(c, MATCH_NE, FIELD_DADDR_TYPE, DADDR_TYPE_LOCAL, 0, NULL);
	verdict(c, STMT_DROP, NULL);
}

static void add_snat(struct ruleset *rs) {
	struct chain *c = ruleset_add_base(rs, "translate_out", CHAIN_NAT, HOOK_POSTROUTING, 100);

	chain_rule(c);
	chain_lookup(c, MATCH_SET, "managed", FIELD_OIFNAME, 0, 0, 0);
	chain_lookup(c, MATCH_SET, "translated", FIELD_CT_MARK, 0, 0, 0);
	chain_stmt(c, STMT_MASQUERADE, FIELD_NONE, 0, 0, NULL);
}

struct ruleset *render(const struct model *model, time_t now, time_t *next_change) {
	return render_with(model, now, HELPERS_ALL, next_change);
}

struct ruleset *render_with(const struct model *model, time_t now, uint32_t helpers,
			    time_t *next_change) {
	struct names managed = managed_interfaces(model);
	struct policies *ps = policies_new(model, now);
	struct ruleset *rs = NULL;
	struct handover_plan plan;

	handover_plan(&plan, model);
	*next_change = ps->next_change;
	if (managed.n > 0) {
		rs = ruleset_new();
		add_managed(rs, &managed, &plan);
		render_sync(rs, &plan);
		add_invalid(rs, &plan);
		render_dnat(rs, &ps->vips);
		add_judging(rs, model, ps, helpers);
		add_forward(rs, &plan);
		render_input(rs, model, &plan);
		add_snat(rs);
		ruleset_sort(rs);
	}
	policies_free(ps);
	names_done(&managed);
	return rs;
}

/* ---- the revision ---- */

struct key render_revision_key(uint64_t revision, uint32_t hash, uint32_t generation) {
	struct key k = KEY_INIT;

	key_num(&k, FIELD_CT_MARK, (uint32_t)revision ^ RENDER_VERSION * 2654435761u);
	key_num(&k, FIELD_CT_MARK, hash);
	key_num(&k, FIELD_CT_MARK, generation);
	return k;
}

struct ruleset *render_revision(const struct key *key) {
	struct ruleset *rs = ruleset_new();

	set_add(rs,
		ruleset_add_set(rs, RENDER_SET_REVISION, DATA_NONE, 0, FIELD_CT_MARK, FIELD_CT_MARK,
				FIELD_CT_MARK, 0),
		key);
	ruleset_sort(rs);
	return rs;
}
