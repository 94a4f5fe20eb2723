/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names, order and numbers of the fields are FortiOS' (FortiOS Log Message Reference: 13, the end
 * of a forwarded session and its denial; 15, its start). Fields about what this product does not
 * do (countries, applications, users, threat weights) are left out, but for appcat, which says
 * just that.
 *
 * Connection tracking does not keep who reset a connection, so a reset one is `close`, too.
 */
#include "backends/traffic_log.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
	const char *id, *word;
} actions[] = {
	[TRAFFIC_DENY] = { "0000000013", "deny" },
	[TRAFFIC_START] = { "0000000015", "start" },
	[TRAFFIC_ACCEPT] = { "0000000013", "accept" },
	[TRAFFIC_CLOSE] = { "0000000013", "close" },
	[TRAFFIC_TIMEOUT] = { "0000000013", "timeout" },
};

static void print_addr(struct str *line, const char *name, uint8_t family,
		       const union net_addr *addr) {
	char text[NET_TEXT_MAX] = "";

	inet_ntop(family, addr->byte, text, sizeof(text));
	logtext_word(line, name, text);
}

static void print_interface(struct str *line, const char *field, const char *role_field,
			    const char *name, const char *role) {
	logtext_str(line, field, *name ? name : "unknown0");
	logtext_str(line, role_field, *role ? role : "undefined");
}

static bool ports_count(const struct ct *ct) {
	return ct_has_ports(ct->proto) && !ct_is_icmp(ct->proto);
}

static void print_ends(const struct traffic_facts *f, struct str *line) {
	const struct ct *ct = f->ct;
	const struct ct_tuple *t = &ct->tuple[CT_ORIG];

	print_addr(line, "srcip", ct->family, &t->src);
	if (ports_count(ct))
		logtext_num(line, "srcport", t->sport);
	else if (ct_is_icmp(ct->proto))
		logtext_num(line, "identifier", t->sport);
	print_interface(line, "srcintf", "srcintfrole", f->in, f->in_role);
	print_addr(line, "dstip", ct->family, &t->dst);
	if (ports_count(ct))
		logtext_num(line, "dstport", t->dport);
	print_interface(line, "dstintf", "dstintfrole", f->out, f->out_role);
}

/* Each end as the other one sees it; ICMP has an id instead of ports, which is told as 0. */
static void print_translation(const struct ct *ct, struct str *line) {
	const struct ct_tuple *o = &ct->tuple[CT_ORIG], *r = &ct->tuple[CT_REPLY];
	bool ports = ports_count(ct);
	bool dnat = !net_equal(&o->dst, &r->src) || (ports && o->dport != r->sport);
	bool snat = !net_equal(&o->src, &r->dst) || (ports && o->sport != r->dport);

	logtext_str(line, "trandisp",
		    snat && dnat ? "snat+dnat" : snat ? "snat" : dnat ? "dnat" : "noop");
	if (dnat) {
		print_addr(line, "tranip", ct->family, &r->src);
		logtext_num(line, "tranport", ports ? r->sport : 0);
	}
	if (snat) {
		print_addr(line, "transip", ct->family, &r->dst);
		logtext_num(line, "transport", ports ? r->dport : 0);
	}
}

static void print_policy(const struct traffic_facts *f, struct str *line) {
	logtext_num(line, "policyid", f->policy);
	logtext_str(line, "policytype", "policy");
	if (*f->policy_uuid)
		logtext_str(line, "poluuid", f->policy_uuid);
	if (*f->policy_name)
		logtext_str(line, "policyname", f->policy_name);
}

/* All 0 for a session that has not lived. */
static void print_figures(const struct ct *ct, struct str *line) {
	uint64_t lived = ct->stop_ns > ct->start_ns ? ct->stop_ns - ct->start_ns : 0;

	logtext_num(line, "duration", ct->start_ns ? lived / 1000000000u : 0);
	logtext_num(line, "sentbyte", ct->count[CT_ORIG].bytes);
	logtext_num(line, "rcvdbyte", ct->count[CT_REPLY].bytes);
	logtext_num(line, "sentpkt", ct->count[CT_ORIG].packets);
	logtext_num(line, "rcvdpkt", ct->count[CT_REPLY].packets);
}

void traffic_log_print(const struct traffic_facts *f, struct str *line) {
	logtext_head(line, &(struct logtext_head){
				   .time_ns = f->time_ns,
				   .id = actions[f->action].id,
				   .type = "traffic",
				   .subtype = "forward",
				   .level = TRAFFIC_LOG_LEVEL,
			   });
	print_ends(f, line);
	logtext_num(line, "sessionid", f->session);
	logtext_num(line, "proto", f->ct->proto);
	logtext_str(line, "action", actions[f->action].word);
	print_policy(f, line);
	logtext_str(line, "service", f->service);
	print_translation(f->ct, line);
	print_figures(f->ct, line);
	logtext_str(line, "appcat", "unscanned");
}

enum traffic_action traffic_log_ending(const struct ct *ct, uint32_t by) {
	if (ct->proto != IPPROTO_TCP)
		return TRAFFIC_ACCEPT;
	switch (ct->state) {
	case TCP_CONNTRACK_LAST_ACK:
	case TCP_CONNTRACK_TIME_WAIT:
	case TCP_CONNTRACK_CLOSE:
		return TRAFFIC_CLOSE;
	default:
		return by ? TRAFFIC_CLOSE : TRAFFIC_TIMEOUT;
	}
}
