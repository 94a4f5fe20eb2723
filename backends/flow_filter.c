/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Conditions are carried out by rules that turn away what does not fit, one condition after the
 * other; "source or destination" turns away what fits with neither. What is left is taken up to a
 * rate, and traced from the rule on that notes what connection tracking knows of it: the name of
 * that rule's chain is how we learn it, on kernels that do not tell it in the trace itself, too.
 *
 * The chains stand after connection tracking (-200) and before our own rules, so all these are part
 * of what is traced. IPv4 only, as policies are.
 */
#include "backends/flow_filter.h"

#include <bsd/stdlib.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/command.h"
#include "cfgdb/model/value.h"

#define PRIORITY_FIRST (-175)
#define PRIORITY_FORWARD (-300)
#define PRIORITY_LAST 300

static const struct {
	const char *name;        /* in commands */
	const char *label;       /* when printed */
	const char *label_set;
	bool address;
	uint32_t max;
	enum rule_field field[2]; /* FIELD_NONE: there is no second one */
} criteria[FLOW_CRITERIA] = {
	[FLOW_VD] = { "vd", "vf", "vf", false, 0, { FIELD_NONE } },
	[FLOW_PROTO] = { "proto", "proto", "proto", false, 255, { FIELD_L4PROTO } },
	[FLOW_ADDR] = { "addr", "Host addr", "host addr", true, 0, { FIELD_SADDR, FIELD_DADDR } },
	[FLOW_SADDR] = { "saddr", "Host saddr", "Host saddr", true, 0, { FIELD_SADDR } },
	[FLOW_DADDR] = { "daddr", "Host daddr", "Host daddr", true, 0, { FIELD_DADDR } },
	[FLOW_PORT] = { "port", "port", "port", false, 65535, { FIELD_SPORT, FIELD_DPORT } },
	[FLOW_SPORT] = { "sport", "sport", "sport", false, 65535, { FIELD_SPORT } },
	[FLOW_DPORT] = { "dport", "dport", "dport", false, 65535, { FIELD_DPORT } },
};

/* ---- commands ---- */

static enum flow_criterion criterion_find(const char *name) {
	enum flow_criterion i = 0;

	while (i < FLOW_CRITERIA && strcmp(criteria[i].name, name) != 0)
		i++;
	return i;
}

static int parse_value(enum flow_criterion i, const char *word, uint32_t *ret, struct err *err) {
	const char *bad = NULL;

	if (criteria[i].address)
		return value_parse_ipv4(word, ret) ? 0 : command_bad_word(word, err);
	*ret = (uint32_t)strtonum(word, 0, criteria[i].max, &bad);
	return bad ? command_bad_word(word, err) : 0;
}

/* There is one virtual domain: root, whose index is 0. */
static int set_vd(struct flow_filter *f, bool by_name, const char *word, struct err *err) {
	bool any = !by_name && strcmp(word, "-1") == 0;

	if (!any && strcmp(word, by_name ? "root" : "0") != 0)
		return command_bad_word(word, err);
	f->c[FLOW_VD].set = !any;
	return 0;
}

static int set_range(struct flow_filter *f, enum flow_criterion i, size_t argc, char *const argv[],
		     struct err *err) {
	uint32_t from, to;
	int rc;

	if (argc == 0)
		return command_word_missing(err);
	rc = parse_value(i, argv[0], &from, err);
	to = from;
	if (rc == 0 && argc > 1)
		rc = parse_value(i, argv[1], &to, err);
	if (rc == 0 && argc > 2)
		rc = command_bad_word(argv[2], err);
	if (rc == 0 && to < from)
		rc = command_bad_word(argv[1], err);
	if (rc)
		return rc;
	f->c[i].set = true;
	f->c[i].from = from;
	f->c[i].to = to;
	return 0;
}

static int set_negate(struct flow_filter *f, size_t argc, char *const argv[], struct err *err) {
	enum flow_criterion i;

	if (argc == 0)
		return command_word_missing(err);
	i = criterion_find(argv[0]);
	if (i == FLOW_CRITERIA || argc > 1)
		return command_bad_word(argv[i == FLOW_CRITERIA ? 0 : 1], err);
	f->c[i].negate = true;
	return 0;
}

int flow_filter_set(struct flow_filter *f, size_t argc, char *const argv[], struct err *err) {
	bool vd_name = argc > 0 && strcmp(argv[0], "vd-name") == 0;
	enum flow_criterion i;

	if (argc == 0)
		return command_word_missing(err);
	if (strcmp(argv[0], "clear") == 0) {
		if (argc > 1)
			return command_bad_word(argv[1], err);
		*f = (struct flow_filter){ 0 };
		return 0;
	}
	if (strcmp(argv[0], "negate") == 0)
		return set_negate(f, argc - 1, argv + 1, err);
	i = vd_name ? FLOW_VD : criterion_find(argv[0]);
	if (i == FLOW_CRITERIA)
		return command_bad_word(argv[0], err);
	if (i != FLOW_VD)
		return set_range(f, i, argc - 1, argv + 1, err);
	if (argc != 2)
		return argc < 2 ? command_word_missing(err) : command_bad_word(argv[2], err);
	return set_vd(f, vd_name, argv[1], err);
}

static void print_value(enum flow_criterion i, uint32_t v, struct str *out) {
	if (criteria[i].address)
		value_print_ipv4(v, out);
	else
		str_addf(out, "%" PRIu32, v);
}

void flow_filter_print(const struct flow_filter *f, struct str *out) {
	for (enum flow_criterion i = 0; i < FLOW_CRITERIA; i++) {
		str_addf(out, "\t%s: ", f->c[i].set ? criteria[i].label_set : criteria[i].label);
		if (f->c[i].set && f->c[i].negate)
			str_add(out, "not ");
		if (!f->c[i].set) {
			str_add(out, "any");
		} else {
			print_value(i, f->c[i].from, out);
			if (i != FLOW_VD) {
				str_add_char(out, '-');
				print_value(i, f->c[i].to, out);
			}
		}
		str_add_char(out, '\n');
	}
}

/* ---- rules ---- */

static void verdict(struct chain *c, enum stmt_op op, const char *chain) {
	chain_stmt(c, op, FIELD_NONE, 0, 0, chain);
}

/* Without ports in it, a packet fits no condition on them. */
static void need_ports(struct chain *c, enum stmt_op op) {
	chain_lookup(c, op, "ported", FIELD_L4PROTO, 0, 0, 0);
}

/* Turn away what does not fit. A negated condition on either of two is one on both. */
static void add_condition(struct chain *c, const struct flow_filter *f, enum flow_criterion i) {
	const enum rule_field *field = criteria[i].field;
	uint32_t from = f->c[i].from, to = f->c[i].to;
	bool ports = criteria[i].max == 65535;

	if (!f->c[i].negate) {
		if (ports) {
			chain_rule(c);
			need_ports(c, MATCH_NOT_SET);
			verdict(c, STMT_RETURN, NULL);
		}
		chain_rule(c);
		chain_stmt(c, MATCH_NOT_RANGE, field[0], from, to, NULL);
		if (field[1])
			chain_stmt(c, MATCH_NOT_RANGE, field[1], from, to, NULL);
		verdict(c, STMT_RETURN, NULL);
		return;
	}
	for (unsigned int j = 0; j < 2 && field[j]; j++) {
		chain_rule(c);
		if (ports)
			need_ports(c, MATCH_SET);
		chain_stmt(c, MATCH_RANGE, field[j], from, to, NULL);
		verdict(c, STMT_RETURN, NULL);
	}
}

static void add_filter(struct ruleset *rs, const struct flow_filter *f) {
	struct chain *c = ruleset_add_chain(rs, "filter");

	chain_rule(c);
	chain_stmt(c, MATCH_NE, FIELD_NFPROTO, NFPROTO_IS_IPV4, 0, NULL);
	verdict(c, STMT_RETURN, NULL);
	if (f->c[FLOW_VD].set && f->c[FLOW_VD].negate) {
		chain_rule(c);
		verdict(c, STMT_RETURN, NULL);
	}
	for (enum flow_criterion i = FLOW_PROTO; i < FLOW_CRITERIA; i++)
		if (f->c[i].set)
			add_condition(c, f, i);
	chain_rule(c);
	chain_stmt(c, MATCH_LIMIT, FIELD_NONE, FLOW_RATE, FLOW_RATE, NULL);
	verdict(c, STMT_GOTO, "taken");
	chain_rule(c);
	chain_lookup(c, MATCH_SET, FLOW_SET_LEFT_OUT, FIELD_L4PROTO, 0, 0, 0);
}

static void add_trace(struct ruleset *rs, const char *name) {
	struct chain *c = ruleset_add_chain(rs, name);

	chain_rule(c);
	verdict(c, STMT_TRACE, NULL);
}

/*
 * What is confirmed is known already. What is not and belongs to something known is the first
 * packet of a connection that a helper expected, or an error message about a new one.
 */
static void add_taken(struct ruleset *rs) {
	struct chain *c = ruleset_add_chain(rs, "taken");

	add_trace(rs, FLOW_CHAIN_NEW);
	add_trace(rs, FLOW_CHAIN_ORIGINAL);
	add_trace(rs, FLOW_CHAIN_REPLY);
	add_trace(rs, FLOW_CHAIN_INVALID);
	add_trace(rs, FLOW_CHAIN_UNTRACKED);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATE, CT_STATE_INVALID, 0, NULL);
	verdict(c, STMT_GOTO, FLOW_CHAIN_INVALID);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_CONFIRMED, 0, NULL);
	chain_stmt(c, MATCH_EQ, FIELD_CT_DIRECTION, CT_DIRECTION_REPLY, 0, NULL);
	verdict(c, STMT_GOTO, FLOW_CHAIN_REPLY);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_CONFIRMED, 0, NULL);
	verdict(c, STMT_GOTO, FLOW_CHAIN_ORIGINAL);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATE, CT_STATE_NEW | CT_STATE_RELATED, 0, NULL);
	verdict(c, STMT_GOTO, FLOW_CHAIN_NEW);
	chain_rule(c);
	verdict(c, STMT_GOTO, FLOW_CHAIN_UNTRACKED);
}

static void add_sets(struct ruleset *rs) {
	static const uint8_t ported[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP };
	struct set *set = ruleset_add_set(rs, "ported", DATA_NONE, 0, FIELD_L4PROTO, 0, 0, 0);
	struct key all = KEY_INIT;

	for (size_t i = 0; i < ARRAY_LEN(ported); i++) {
		struct key k = KEY_INIT;

		key_num(&k, FIELD_L4PROTO, ported[i]);
		set_add(rs, set, &k);
	}
	set = ruleset_add_set(rs, FLOW_SET_LEFT_OUT, DATA_NONE, SET_INTERVAL | SET_COUNTER,
			      FIELD_L4PROTO, 0, 0, 0);
	key_num(&all, FIELD_L4PROTO, 0);
	set_add(rs, set, &all)->last = UINT8_MAX;
}

struct ruleset *flow_filter_render(const struct flow_filter *f) {
	static const struct {
		const char *name;
		enum chain_hook hook;
		int32_t priority;
		bool filters;
	} bases[] = {
		{ FLOW_CHAIN_RECEIVED, HOOK_PREROUTING, PRIORITY_FIRST, true },
		{ FLOW_CHAIN_LOCAL, HOOK_OUTPUT, PRIORITY_FIRST, true },
		{ FLOW_CHAIN_FORWARD, HOOK_FORWARD, PRIORITY_FORWARD, false },
		{ FLOW_CHAIN_IN, HOOK_INPUT, PRIORITY_LAST, false },
		{ FLOW_CHAIN_OUT, HOOK_POSTROUTING, PRIORITY_LAST, false },
	};
	struct ruleset *rs = ruleset_new();

	add_sets(rs);
	add_taken(rs);
	add_filter(rs, f);
	for (size_t i = 0; i < ARRAY_LEN(bases); i++) {
		struct chain *c = ruleset_add_base(rs, bases[i].name, CHAIN_FILTER, bases[i].hook,
						   bases[i].priority);

		if (!bases[i].filters)
			continue;
		chain_rule(c);
		verdict(c, STMT_JUMP, "filter");
	}
	ruleset_sort(rs);
	return rs;
}
