/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happened to a packet, in FortiOS' words. Each line names the function of FortiOS that prints
 * such a line, and its place there: programs tell lines apart by them, so they are constants. What
 * the kernel did is told as it was heard of; which policy a session has is asked of connection
 * tracking, and where that knows nothing (a denied session leaves nothing behind) of our own model
 * of the policies, which also tells why others did not match.
 */
#include "backends/flow_text.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "backends/lookup.h"
#include "backends/render.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/value.h"

#define FORWARD_GROUP "100004"

enum place {
	AT_RECEIVE,
	AT_FIND,
	AT_ALLOCATE,
	AT_INVALID,
	AT_NEW_ADDR,
	AT_VIP,
	AT_DNAT,
	AT_SNAT,
	AT_ROUTE,
	AT_NO_ROUTE,
	AT_CHECK,
	AT_FORWARD,
	AT_LOCAL_IN,
	AT_HOOK,
};

static const struct {
	const char *function;
	unsigned int line;
} places[] = {
	[AT_RECEIVE] = { "print_pkt_detail", 5895 },
	[AT_FIND] = { "resolve_ip_tuple_fast", 5982 },
	[AT_ALLOCATE] = { "init_ip_session_common", 6076 },
	[AT_INVALID] = { "fw_forward_dirty_handler", 443 },
	[AT_NEW_ADDR] = { "get_new_addr", 1274 },
	[AT_VIP] = { "fw_pre_route_handler", 185 },
	[AT_DNAT] = { "__ip_session_run_tuple", 3484 },
	[AT_SNAT] = { "__ip_session_run_tuple", 3471 },
	[AT_ROUTE] = { "__vf_ip_route_input_rcu", 1989 },
	[AT_NO_ROUTE] = { "ip_route_input_slow", 2268 },
	[AT_CHECK] = { "__iprope_check_one_policy", 2140 },
	[AT_FORWARD] = { "fw_forward_handler", 1002 },
	[AT_LOCAL_IN] = { "fw_local_in_handler", 545 },
	[AT_HOOK] = { "nf_hook_slow", 0 }, /* Linux' own: FortiOS has no such line */
};

/* One packet being told. */
struct telling {
	const struct flow_packet *p;
	const struct flow_show *show;
	const struct flow_world *world;
	struct str *out;
	char in[16], via[16];          /* names of links */
	struct flow_session session;
	bool has_session;
};

static void line(const struct telling *t, enum place at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void line(const struct telling *t, enum place at, const char *fmt, ...) {
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	str_addf(t->out, "id=65308 trace_id=%" PRIu32 " ", t->p->trace_id);
	if (!t->show->no_functions)
		str_addf(t->out, "func=%s line=%u ", places[at].function, places[at].line);
	str_addf(t->out, "msg=\"%s\"\n", text);
}

/* An address as text, to be used with %s: the bytes live in the caller's frame. */
#define ADDR(a) addr_text(a, (char[16]){ 0 })

static const char *addr_text(uint32_t addr, char text[16]) {
	struct str s AUTO_STR = STR_INIT;

	value_print_ipv4(addr, &s);
	return strcpy(text, str_text(&s));
}

/* ---- received ---- */

/* With ICMP, what stands for ports: the id of an echo; type and code. */
static unsigned int from_port(const struct flow_header *h) {
	return h->proto == IPPROTO_ICMP ? h->echo_id : h->sport;
}

static unsigned int to_port(const struct flow_header *h) {
	return h->proto == IPPROTO_ICMP ? (unsigned int)h->icmp_type << 8 | h->icmp_code : h->dport;
}

static void flags_text(uint8_t flags, struct str *out) {
	static const struct {
		uint8_t bit;
		char letter;
	} letters[] = {
		{ FLOW_FIN, 'F' }, { FLOW_SYN, 'S' }, { FLOW_RST, 'R' },
		{ FLOW_PSH, 'P' }, { FLOW_ACK, '.' }, { FLOW_URG, 'U' },
	};

	for (size_t i = 0; i < ARRAY_LEN(letters); i++)
		if (flags & letters[i].bit)
			str_add_char(out, letters[i].letter);
}

static void tell_received(const struct telling *t) {
	const struct flow_header *h = &t->p->received;
	struct str more AUTO_STR = STR_INIT;

	if (h->proto == IPPROTO_TCP) {
		str_add(&more, "flag [");
		flags_text(h->flags, &more);
		str_addf(&more, "], seq %" PRIu32 ", ack %" PRIu32 ", win %u", h->seq, h->ack,
			 h->window);
	} else if (h->proto == IPPROTO_ICMP) {
		str_addf(&more, "type=%u, code=%u, id=%u, seq=%u.", h->icmp_type, h->icmp_code,
			 h->echo_id, h->echo_seq);
	}
	line(t, AT_RECEIVE,
	     "vd-root:0 received a packet(proto=%u, %s:%u->%s:%u) tun_id=0.0.0.0 from %s. %s",
	     h->proto, ADDR(h->src), from_port(h), ADDR(h->dst), to_port(h),
	     t->p->in ? t->in : "local", str_text(&more));
}

/* ---- the session ---- */

static void tell_session(const struct telling *t) {
	char id[16] = "";

	if (t->has_session)
		snprintf(id, sizeof(id), "-%08" PRIx32, t->session.serial);
	switch (t->p->state) {
	case FLOW_NEW:
		line(t, AT_ALLOCATE, "allocate a new session%s", id);
		break;
	case FLOW_ORIGINAL:
	case FLOW_REPLY:
		line(t, AT_FIND, "Find an existing session%s%s, %s direction", *id ? ", id" : "",
		     id, t->p->state == FLOW_REPLY ? "reply" : "original");
		break;
	case FLOW_INVALID:
	case FLOW_UNTRACKED:
		break;
	}
}

/* ---- translation ---- */

static unsigned int nat_port(const struct flow_header *h, bool source) {
	if (h->proto == IPPROTO_ICMP)
		return h->echo_id;
	return source ? h->sport : h->dport;
}

static bool is_moved(const struct flow_header *a, const struct flow_header *b, bool source) {
	return (source ? a->src != b->src : a->dst != b->dst) ||
	       nat_port(a, source) != nat_port(b, source);
}

static void tell_dnat(const struct telling *t) {
	const struct flow_header *a = &t->p->received, *b = &t->p->routed;

	if (!is_moved(a, b, false))
		return;
	if (t->p->state == FLOW_NEW) {
		line(t, AT_NEW_ADDR, "find DNAT: IP-%s, port-%u", ADDR(b->dst), nat_port(b, false));
		line(t, AT_VIP, "VIP-%s:%u, outdev-%s", ADDR(b->dst), nat_port(b, false), t->in);
	}
	line(t, AT_DNAT, "DNAT %s:%u->%s:%u", ADDR(a->dst), nat_port(a, false), ADDR(b->dst),
	     nat_port(b, false));
}

static bool is_snat(const struct telling *t) {
	return t->p->was_sent && is_moved(&t->p->routed, &t->p->sent, true);
}

static void tell_snat(const struct telling *t) {
	const struct flow_header *b = &t->p->sent;

	if (is_snat(t))
		line(t, AT_SNAT, "SNAT %s->%s:%u", ADDR(t->p->routed.src), ADDR(b->src),
		     nat_port(b, true));
}

/* ---- the way ---- */

static void tell_route(const struct telling *t) {
	struct flow_way way = { .refusal = FLOW_WAY };

	if (t->p->in == 0)
		return;
	if (t->p->was_delivered ||
	    (t->p->dropped && t->p->ours && strcmp(t->p->chain, "input") == 0)) {
		line(t, AT_ROUTE, "find a route: flag=80000000 gw-0.0.0.0 via root");
		return;
	}
	if (!t->p->was_forwarded)
		return;
	t->world->way(t->world->arg, &t->p->routed, t->p->in, &way);
	/* Another one: it has changed meanwhile, or is one of several. */
	if (way.refusal || way.out != t->p->out)
		way.gateway = 0;
	else if (way.gateway == 0)
		way.gateway = t->p->routed.dst;
	line(t, AT_ROUTE, "find a route: flag=00000000 gw-%s via %s", ADDR(way.gateway), t->via);
}

/* Nothing more was heard of it: the kernel has dropped it for a reason of its own. */
static void tell_vanished(const struct telling *t) {
	const struct flow_packet *p = t->p;
	struct flow_way way = { .refusal = FLOW_WAY };

	if (p->torn) {
		line(t, AT_HOOK, "what became of the packet was lost: there was too much to hear");
		return;
	}
	t->world->way(t->world->arg, &p->routed, p->in, &way);
	if (p->was_forwarded || p->in == 0)
		line(t, AT_HOOK, "the packet was not sent, drop");
	else if (way.refusal == FLOW_NO_WAY_BACK)
		line(t, AT_NO_ROUTE, "reverse path check fail, drop");
	else if (way.refusal == FLOW_NO_ROUTE)
		line(t, AT_NO_ROUTE, "no route to %s, drop", ADDR(p->routed.dst));
	else if (way.refusal == FLOW_NO_FORWARDING)
		line(t, AT_NO_ROUTE, "forwarding is off on %s, drop", t->in);
	else if (way.refusal == FLOW_WAY && !way.local && p->received.ttl <= 1)
		line(t, AT_NO_ROUTE, "time to live exceeded, drop");
	else
		line(t, AT_HOOK, "the packet was not handed on, drop");
}

/* ---- the verdict ---- */

/* What the configuration says of a new session. */
struct judgement {
	const struct model *model;
	const struct policies *ps;
	struct lookup_packet packet;
	struct lookup_result result;
};

static void judge(const struct telling *t, struct judgement *j) {
	const struct flow_header *h = &t->p->received;

	*j = (struct judgement){ .packet = { .in = t->in,
					     .src = h->src,
					     .dst = h->dst,
					     .proto = h->proto,
					     .icmp_type = h->icmp_type,
					     .icmp_code = h->icmp_code,
					     .sport = h->sport,
					     .dport = h->dport } };
	j->ps = t->world->policies(t->world->arg, &j->model);
	lookup_translate(j->model, j->ps, &j->packet, &j->result);
	lookup_judge(j->model, j->ps, &j->packet, t->via, &j->result);
}

static void tell_misfits(const struct telling *t, const struct judgement *j) {
	struct lookup_misfit misfit[LOOKUP_REASONS_MAX];
	unsigned int n = lookup_misfits(j->model, j->ps, &j->packet, t->via, &j->result, misfit);

	if (n == 0 && !j->result.by)
		line(t, AT_CHECK, "gnum-" FORWARD_GROUP ": there is no policy from %s to %s", t->in,
		     t->via);
	for (unsigned int i = 0; i < n; i++)
		line(t, AT_CHECK,
		     "checked gnum-" FORWARD_GROUP " policy-%" PRIu32
		     ", ret-no-match, act-%s: %s does not match",
		     misfit[i].policy->id, misfit[i].policy->accept ? "accept" : "drop",
		     misfit[i].why);
}

static void tell_allowed(const struct telling *t) {
	const struct flow_packet *p = t->p;
	struct judgement j;
	uint32_t policy = 0;

	judge(t, &j);
	if (t->show->iprope)
		tell_misfits(t, &j);
	if (p->accepted)
		policy = t->has_session && t->session.has_policy ? t->session.policy
								   : j.result.policy;
	if (is_snat(t))
		line(t, AT_NEW_ADDR, "find SNAT: IP-%s, port-%u", ADDR(p->sent.src),
		     nat_port(&p->sent, true));
	line(t, AT_FORWARD, "Allowed by Policy-%" PRIu32 ":%s", policy, is_snat(t) ? " SNAT" : "");
}

static void tell_denied(const struct telling *t, bool by_policy) {
	struct judgement j;
	bool agrees;

	judge(t, &j);
	/* The configuration may be another one by now. */
	agrees = by_policy ? j.result.by && !j.result.accept : !j.result.by;
	if (agrees && (!by_policy || t->show->iprope))
		tell_misfits(t, &j);
	if (agrees || !by_policy)
		line(t, AT_FORWARD, "Denied by forward policy check (policy %" PRIu32 ")",
		     by_policy ? j.result.policy : 0);
	else
		line(t, AT_FORWARD, "Denied by forward policy check");
}

static void tell_dropped(const struct telling *t) {
	const char *chain = t->p->chain;

	if (t->p->ours && strcmp(chain, RENDER_CHAIN_UNMATCHED) == 0)
		tell_denied(t, false);
	else if (t->p->ours && strcmp(chain, RENDER_CHAIN_REFUSED) == 0)
		tell_denied(t, true);
	else if (t->p->ours && strcmp(chain, "invalid") == 0)
		line(t, AT_INVALID, "no session matched");
	else if (t->p->ours && strcmp(chain, "input") == 0)
		line(t, AT_LOCAL_IN, "iprope_in_check() check failed on policy 0, drop");
	else
		line(t, AT_HOOK, "Denied by a rule of chain %s in table %s, drop", chain,
		     t->p->table);
}

void flow_text(const struct flow_packet *p, const struct flow_show *show,
	       const struct flow_world *world, struct str *out) {
	struct telling t = { .p = p, .show = show, .world = world, .out = out };

	if (p->in)
		world->link(world->arg, p->in, t.in);
	if (p->out)
		world->link(world->arg, p->out, t.via);
	t.has_session = world->session(world->arg, p, &t.session);
	tell_received(&t);
	tell_session(&t);
	tell_dnat(&t);
	tell_route(&t);
	if (p->accepted || p->intrazone)
		tell_allowed(&t);
	tell_snat(&t);
	if (p->dropped)
		tell_dropped(&t);
	else if (!p->was_sent && !p->was_delivered)
		tell_vanished(&t);
}
