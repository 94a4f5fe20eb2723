/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text emitter. Each field has the words nft uses for it in a rule and the type it has in a
 * key; each statement is printed from those. Objects come first, for rules refer to them. Chains
 * are declared before sets because maps may hold jumps to them, and filled after.
 */
#include "backends/nft_text.h"

#include <inttypes.h>
#include <netinet/in.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"

static const struct {
	const char *match, *type;
} fields[FIELD_COUNT] = {
	[FIELD_IIFNAME] = { "iifname", "ifname" },
	[FIELD_OIFNAME] = { "oifname", "ifname" },
	[FIELD_NFPROTO] = { "meta nfproto", "nf_proto" },
	[FIELD_L4PROTO] = { "meta l4proto", "inet_proto" },
	[FIELD_SADDR] = { "ip saddr", "ipv4_addr" },
	[FIELD_DADDR] = { "ip daddr", "ipv4_addr" },
	[FIELD_SPORT] = { "th sport", "inet_service" },
	[FIELD_DPORT] = { "th dport", "inet_service" },
	[FIELD_ICMP_TYPE] = { "icmp type", "icmp_type" },
	[FIELD_ICMP_CODE] = { "icmp code", "icmp_code" },
	[FIELD_ICMP6_TYPE] = { "icmpv6 type", "icmpv6_type" },
	[FIELD_CT_STATE] = { "ct state", "ct_state" },
	[FIELD_CT_STATUS] = { "ct status", "ct_status" },
	[FIELD_CT_MARK] = { "ct mark", "mark" },
	[FIELD_CT_DIRECTION] = { "ct direction", "ct_dir" },
	[FIELD_DADDR_TYPE] = { "fib daddr type", "fib_addrtype" },
	[FIELD_TCP_FLAGS] = { "tcp flags", "tcp_flag" },
	[FIELD_PACKET_TYPE] = { "meta pkttype", "pkt_type" },
	[FIELD_PACKET_MARK] = { "meta mark", "mark" },
	[FIELD_SADDR6_0] = { "@nh,64,32", "integer" },
	[FIELD_SADDR6_1] = { "@nh,96,32", "integer" },
	[FIELD_SADDR6_2] = { "@nh,128,32", "integer" },
	[FIELD_SADDR6_3] = { "@nh,160,32", "integer" },
	[FIELD_WAY_BACK] = { "fib saddr . iif oif", "boolean" },
};

static const char *const hook_names[] = {
	[HOOK_PREROUTING] = "prerouting", [HOOK_INPUT] = "input", [HOOK_FORWARD] = "forward",
	[HOOK_OUTPUT] = "output", [HOOK_POSTROUTING] = "postrouting",
};

static void text_fields(const uint8_t *field, struct str *out) {
	for (unsigned int i = 0; i < RULESET_FIELDS_MAX && field[i] != FIELD_NONE; i++)
		str_addf(out, "%s%s", i ? " . " : "", fields[field[i]].match);
}

static void text_number(enum rule_field f, uint32_t v, struct str *out) {
	if (f == FIELD_SADDR || f == FIELD_DADDR)
		value_print_ipv4(v, out);
	else if (f == FIELD_NFPROTO)
		str_add(out, v == NFPROTO_IS_IPV4 ? "ipv4" : "ipv6");
	else if (f == FIELD_DADDR_TYPE)
		str_add(out, v == DADDR_TYPE_LOCAL ? "local" : "unicast");
	else if (f == FIELD_PACKET_TYPE)
		str_add(out, v == PACKET_TYPE_BROADCAST ? "broadcast" : "host");
	else if (f == FIELD_WAY_BACK)
		str_add(out, v == WAY_BACK_EXISTS ? "exists" : "missing");
	else if (f == FIELD_PACKET_MARK)
		str_addf(out, "0x%08" PRIx32, v);
	else if (f == FIELD_CT_DIRECTION)
		str_add(out, v == CT_DIRECTION_REPLY ? "reply" : "original");
	else
		str_addf(out, "%" PRIu32, v);
}

static void text_bits(enum rule_field f, uint32_t v, struct str *out) {
	static const char *const states[] = { "invalid", "established", "related", "new", NULL };
	static const char *const flags[] = { "fin", "syn", "rst", "psh", "ack", "urg", NULL };
	const char *const *names = f == FIELD_TCP_FLAGS ? flags : states;
	const char *comma = "";

	if (f == FIELD_CT_STATUS) {
		str_add(out, v == CT_STATUS_DNAT ? "dnat" : "confirmed");
		return;
	}
	for (unsigned int i = 0; names[i]; i++)
		if (v & 1u << i) {
			str_addf(out, "%s%s", comma, names[i]);
			comma = ",";
		}
}

/* Numbers of bits: nft takes a number in a label for one. */
static void text_label_bits(uint32_t v, struct str *out) {
	const char *comma = "";

	for (unsigned int i = 0; i < 32; i++)
		if (v & 1u << i) {
			str_addf(out, "%s%u", comma, i);
			comma = ",";
		}
}

/* nft 1.0.6 misreads one bit that is to be set when it is written with its mask. */
static void text_label(const struct stmt *s, struct str *out) {
	bool one = s->b == s->a && __builtin_popcount(s->a) == 1;

	str_add(out, s->b ? "ct label " : "ct label ! ");
	if (s->b && !one) {
		text_label_bits(s->b, out);
		str_add(out, " / ");
	}
	text_label_bits(s->a, out);
}

static void text_match(const struct stmt *s, struct str *out) {
	static const char *const ops[] = { [MATCH_NE] = "!= ", [MATCH_GT] = "> ", [MATCH_LT] = "< ",
					   [MATCH_NOT_RANGE] = "!= ", [MATCH_NOT_SET] = "!= " };

	text_fields(s->field, out);
	str_addf(out, " %s", s->op <= MATCH_NOT_SET && ops[s->op] ? ops[s->op] : "");
	if (s->op == MATCH_SET || s->op == MATCH_NOT_SET)
		str_addf(out, "@%s", s->name);
	else if (s->field[0] == FIELD_IIFNAME || s->field[0] == FIELD_OIFNAME)
		str_addf(out, "\"%s\"", s->name);
	else if (s->op == MATCH_BITS)
		text_bits(s->field[0], s->a, out);
	else
		text_number(s->field[0], s->a, out);
	if (s->op == MATCH_RANGE || s->op == MATCH_NOT_RANGE) {
		str_add_char(out, '-');
		text_number(s->field[0], s->b, out);
	}
}

static void text_dnat(const struct stmt *s, struct str *out) {
	str_add(out, "dnat ip to ");
	if (s->op == STMT_DNAT_MAP) {
		text_fields(s->field, out);
		str_addf(out, " map @%s", s->name);
		return;
	}
	value_print_ipv4(s->a, out);
	if (s->b)
		str_addf(out, ":%" PRIu32, s->b);
}

static void text_packet_mark(const struct stmt *s, struct str *out) {
	if (s->field[0] == FIELD_CT_MARK)
		str_add(out, "meta mark set ct mark");
	else
		str_addf(out, "meta mark set 0x%08" PRIx32, s->a);
}

static void text_restore(const struct stmt *s, struct str *out) {
	str_add(out, s->field[0] == FIELD_DADDR ? "ip daddr set ct original ip daddr"
						: "th dport set ct original proto-dst");
}

static void text_verdict(unsigned int op, const char *chain, struct str *out) {
	static const char *const words[] = {
		[STMT_ACCEPT] = "accept", [STMT_DROP] = "drop", [STMT_RETURN] = "return",
		[STMT_JUMP] = "jump", [STMT_GOTO] = "goto",
	};

	str_add(out, words[op]);
	if (op == STMT_JUMP || op == STMT_GOTO)
		str_addf(out, " %s", chain);
}

static void text_stmt(const struct stmt *s, struct str *out) {
	switch ((enum stmt_op)s->op) {
	case STMT_VMAP:
		text_fields(s->field, out);
		str_addf(out, " vmap @%s", s->name);
		break;
	case STMT_MARK:
		str_addf(out, "ct mark set 0x%08" PRIx32, s->a);
		break;
	case STMT_MARK_MAP:
		str_add(out, "ct mark set ");
		text_fields(s->field, out);
		str_addf(out, " map @%s", s->name);
		break;
	case MATCH_LABEL:
		text_label(s, out);
		break;
	case STMT_LABEL:
		str_add(out, "ct label set ");
		text_label_bits(s->a, out);
		break;
	case STMT_TIMEOUT:
		str_addf(out, "ct timeout set \"%s\"", s->name);
		break;
	case STMT_HELPER:
		str_addf(out, "ct helper set \"%s\"", s->name);
		break;
	case STMT_DNAT:
	case STMT_DNAT_MAP:
		text_dnat(s, out);
		break;
	case MATCH_LIMIT:
		str_addf(out, "limit rate %" PRIu32 "/second burst %" PRIu32 " packets", s->a,
			 s->b);
		break;
	case STMT_MASQUERADE:
		str_add(out, "masquerade");
		break;
	case STMT_LOG:
		str_addf(out, "log prefix \"%s\" group %" PRIu32, s->name, s->a);
		break;
	case STMT_PACKET_MARK:
		text_packet_mark(s, out);
		break;
	case STMT_RESTORE:
		text_restore(s, out);
		break;
	case STMT_TO_HOST:
		str_add(out, "meta pkttype set host");
		break;
	case STMT_NOTRACK:
		str_add(out, "notrack");
		break;
	case STMT_TRACE:
		str_add(out, "meta nftrace set 1");
		break;
	case STMT_ACCEPT:
	case STMT_DROP:
	case STMT_RETURN:
	case STMT_JUMP:
	case STMT_GOTO:
		text_verdict(s->op, s->name, out);
		break;
	default:
		text_match(s, out);
		break;
	}
}

static void text_rules(const struct chain *c, struct str *out) {
	for (uint32_t i = 0; i < c->n_rules; i++) {
		str_add_char(out, '\t');
		for (uint32_t j = 0; j < c->rules[i].n; j++) {
			if (j)
				str_add_char(out, ' ');
			text_stmt(&c->stmts[c->rules[i].first + j], out);
		}
		str_add_char(out, '\n');
	}
}

static void text_key(const struct set *set, const struct elem *e, struct str *out) {
	unsigned int offset = 0;

	for (unsigned int i = 0; i < set->n_fields; i++) {
		struct set part = { .field = { set->field[i] } };

		if (i)
			str_add(out, " . ");
		if (field_key_len(set->field[i]) > 4)
			str_addf(out, "\"%s\"", (const char *)e->key + offset);
		else
			text_number(set->field[i], key_value(&part, e->key + offset), out);
		offset += field_key_len(set->field[i]);
	}
	if ((set->flags & SET_INTERVAL) && e->last != key_value(set, e->key)) {
		str_add_char(out, '-');
		text_number(set->field[0], e->last, out);
	}
}

static void text_elem(const struct set *set, const struct elem *e, struct str *out) {
	text_key(set, e, out);
	if (set->flags & SET_COUNTER)
		str_addf(out, " counter packets %" PRIu64 " bytes %" PRIu64, e->packets, e->bytes);
	if (set->data == DATA_NONE)
		return;
	str_add(out, " : ");
	if (set->data == DATA_VERDICT)
		text_verdict(e->verdict, e->chain, out);
	else if (set->data == DATA_MARK)
		str_addf(out, "0x%08" PRIx32, e->a);
	else
		value_print_ipv4(e->a, out);
	if (set->data == DATA_ADDR_PORT)
		str_addf(out, " . %u", e->port);
}

static void text_set(const struct set *set, struct str *out) {
	static const char *const data[] = {
		[DATA_VERDICT] = "verdict", [DATA_MARK] = "mark", [DATA_ADDR] = "ipv4_addr",
		[DATA_ADDR_PORT] = "ipv4_addr . inet_service",
	};

	str_addf(out, "%s %s {\n\ttype ", set->data == DATA_NONE ? "set" : "map", set->name);
	for (unsigned int i = 0; i < set->n_fields; i++)
		str_addf(out, "%s%s", i ? " . " : "", fields[set->field[i]].type);
	if (set->data != DATA_NONE)
		str_addf(out, " : %s", data[set->data]);
	str_add_char(out, '\n');
	if (set->flags & SET_INTERVAL)
		str_add(out, "\tflags interval\n");
	if (set->flags & SET_COUNTER)
		str_add(out, "\tcounter\n");
	for (uint32_t i = 0; i < set->n_elems; i++) {
		str_add(out, i ? ",\n\t\t" : "\telements = {\n\t\t");
		text_elem(set, &set->elems[i], out);
	}
	str_add(out, set->n_elems ? " }\n}\n" : "}\n");
}

static void text_timeouts(const struct ct_object *o, struct str *out) {
	static const char *const tcp[] = {
		[CT_TCP_SYN_SENT] = "syn_sent",
		[CT_TCP_SYN_RECV] = "syn_recv",
		[CT_TCP_ESTABLISHED] = "established",
		[CT_TCP_FIN_WAIT] = "fin_wait",
		[CT_TCP_CLOSE_WAIT] = "close_wait",
		[CT_TCP_LAST_ACK] = "last_ack",
		[CT_TCP_TIME_WAIT] = "time_wait",
		[CT_TCP_CLOSE] = "close",
		[CT_TCP_SYN_SENT2] = "syn_sent2",
		[CT_TCP_RETRANS] = "retrans",
		[CT_TCP_UNACK] = "unack",
	};
	static const char *const udp[] = {
		[CT_UDP_UNREPLIED] = "unreplied", [CT_UDP_REPLIED] = "replied"
	};
	bool is_tcp = o->l4proto == IPPROTO_TCP;
	size_t n = is_tcp ? ARRAY_LEN(tcp) : ARRAY_LEN(udp);

	str_addf(out, "\tprotocol %s\n\tl3proto inet\n\tpolicy = {", is_tcp ? "tcp" : "udp");
	for (size_t i = 0; i < n; i++)
		str_addf(out, "%s %s : %" PRIu32, i ? "," : "", is_tcp ? tcp[i] : udp[i],
			 o->seconds[i]);
	str_add(out, " }\n");
}

static void text_object(const struct ct_object *o, struct str *out) {
	str_addf(out, "ct %s %s {\n", o->kind == CT_TIMEOUT ? "timeout" : "helper", o->name);
	if (o->kind == CT_TIMEOUT)
		text_timeouts(o, out);
	else
		str_addf(out, "\ttype \"%s\" protocol %s\n\tl3proto inet\n", o->helper,
			 o->l4proto == IPPROTO_TCP ? "tcp" : "udp");
	str_add(out, "}\n");
}

static void text_base(const struct chain *c, struct str *out) {
	str_addf(out, "\ttype %s hook %s priority %" PRId32 "; policy accept;\n",
		 c->type == CHAIN_NAT ? "nat" : "filter", hook_names[c->hook], c->priority);
}

void nft_text(const struct ruleset *rs, struct str *out) {
	str_add(out, "table inet " RULESET_TABLE "\ndelete table inet " RULESET_TABLE "\n"
		"table inet " RULESET_TABLE " {\n");
	for (const struct ct_object *o = rs->objects; o; o = o->next)
		text_object(o, out);
	for (const struct chain *c = rs->chains; c; c = c->next) {
		str_addf(out, "chain %s {\n", c->name);
		if (c->type != CHAIN_PLAIN)
			text_base(c, out);
		str_add(out, "}\n");
	}
	for (const struct set *s = rs->sets; s; s = s->next)
		text_set(s, out);
	for (const struct chain *c = rs->chains; c; c = c->next) {
		str_addf(out, "chain %s {\n", c->name);
		text_rules(c, out);
		str_add(out, "}\n");
	}
	str_add(out, "}\n");
}
