/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel knows both tuples of a session: what was sent, and what it expects back. The rest
 * follows. Where the reply does not come from where the packet went, the destination was
 * translated; where it does not go to where the packet came from, the source was.
 *
 * Ways are the ones that packets would take now: each end is looked up among the routes, after
 * translation. A session with the unit itself at one end is local.
 */
#include "backends/session.h"

#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_sctp.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define NS_PER_S UINT64_C(1000000000)
#define TTL_DEFAULT 3600
#define TIMER_MAX 86400u           /* seconds that timers but session-ttl have at most */

/* ---- state ---- */

/*
 * Numbers of FortiOS: 1 established, 2 SYN sent, 3 SYN answered, 4 FIN wait, 5 TIME wait, 6 closed,
 * 7 close wait, 8 last ACK.
 */
static uint8_t tcp_digit(uint8_t state) {
	static const uint8_t digits[] = {
		[TCP_CONNTRACK_NONE] = 0,       [TCP_CONNTRACK_SYN_SENT] = 2,
		[TCP_CONNTRACK_SYN_RECV] = 3,   [TCP_CONNTRACK_ESTABLISHED] = 1,
		[TCP_CONNTRACK_FIN_WAIT] = 4,   [TCP_CONNTRACK_CLOSE_WAIT] = 7,
		[TCP_CONNTRACK_LAST_ACK] = 8,   [TCP_CONNTRACK_TIME_WAIT] = 5,
		[TCP_CONNTRACK_CLOSE] = 6,      [TCP_CONNTRACK_SYN_SENT2] = 2,
	};

	return state < ARRAY_LEN(digits) ? digits[state] : 0;
}

/* 1 established, 2 closed, 3 COOKIE wait, 4 COOKIE echoed, 5 to 7 shutdown. */
static uint8_t sctp_digit(uint8_t state) {
	static const uint8_t digits[] = {
		[SCTP_CONNTRACK_NONE] = 0,
		[SCTP_CONNTRACK_CLOSED] = 2,
		[SCTP_CONNTRACK_COOKIE_WAIT] = 3,
		[SCTP_CONNTRACK_COOKIE_ECHOED] = 4,
		[SCTP_CONNTRACK_ESTABLISHED] = 1,
		[SCTP_CONNTRACK_SHUTDOWN_SENT] = 5,
		[SCTP_CONNTRACK_SHUTDOWN_RECD] = 6,
		[SCTP_CONNTRACK_SHUTDOWN_ACK_SENT] = 7,
	};

	/* Heartbeats: both sides know each other. */
	return state < ARRAY_LEN(digits) ? digits[state] : 1;
}

/*
 * The left digit is that of the side behind an inspection: it is 1 where the policy asks for one.
 */
static void set_state(struct session *s, const struct session_policy *policy) {
	const struct ct *ct = s->ct;

	switch (ct->proto) {
	case IPPROTO_TCP:
		s->state[0] = policy->utm;
		s->state[1] = tcp_digit(ct->state);
		break;
	case IPPROTO_SCTP:
		s->state[1] = sctp_digit(ct->state);
		break;
	case IPPROTO_UDP:
	case IPPROTO_UDPLITE:
		s->state[1] = (ct->status & IPS_SEEN_REPLY) != 0;
		break;
	}
}

/* ---- time ---- */

/* Policies have seen the ports after the translation of the destination: those of the reply. */
static uint32_t timeout_of(const struct session *s) {
	const struct ct *ct = s->ct;
	const struct ttl_session ttl = {
		.policy = ct->mark,
		.packet = { .proto = ct->proto,
			    .sport = ct->tuple[CT_ORIG].sport,
			    .dport = ct->tuple[CT_REPLY].sport },
		.state = ct->state,
		.own = s->state1 & SESSION_LOCAL,
	};

	if (s->ctx->ttl)
		return ttl_timeout(s->ctx->ttl, &ttl);
	return ct->proto == IPPROTO_TCP || ct->proto == IPPROTO_SCTP ? TTL_DEFAULT : 0;
}

/*
 * A copy lives a little longer than its session would, so that its owner can be asked; one whose
 * packets come here has its time from them.
 */
static uint32_t expire_of(const struct session *s) {
	uint32_t left = s->ct->timeout;

	if (s->timeout == SESSION_NEVER && left > TIMER_MAX)
		return SESSION_NEVER;
	if (!s->copy || session_label(s->ct, SESSION_LABEL_SEEN, 1))
		return left;
	left = left > SESSION_COPY_GRACE_S ? left - SESSION_COPY_GRACE_S : 0;
	return s->timeout && left > s->timeout ? s->timeout : left;
}

/*
 * The timeout is worked out by the rules of now; one that a session has from rules of before shows
 * only in what is left of it.
 */
static void set_timeout(struct session *s) {
	s->timeout = timeout_of(s);
	s->expire = expire_of(s);
	if (s->timeout && s->timeout < s->expire)
		s->timeout = s->expire;
}

/* When it began here, or on the unit that it was copied from; 0: not known. */
static uint64_t start_of(const struct session *s) {
	uint64_t seconds = session_label(s->ct, SESSION_LABEL_START, 32);
	uint64_t ms = session_label(s->ct, SESSION_LABEL_START_MS, 10);

	return seconds ? seconds * NS_PER_S + ms * 1000000 : s->ct->start_ns;
}

/* Exact, also beyond 18 GB, where the product has more than 64 bits. */
static uint64_t rate_of(uint64_t bytes, uint64_t age_ns) {
	if (bytes <= UINT64_MAX / NS_PER_S)
		return bytes * NS_PER_S / age_ns;
	return (uint64_t)((unsigned __int128)bytes * NS_PER_S / age_ns);
}

static void set_times(struct session *s) {
	uint64_t start = start_of(s);
	uint64_t age = start && s->ctx->now_ns > start ? s->ctx->now_ns - start : 0;

	s->duration = (uint32_t)(age / NS_PER_S);
	set_timeout(s);
	for (int dir = CT_ORIG; age && dir <= CT_REPLY; dir++)
		s->rate[dir] = rate_of(s->ct->count[dir].bytes, age);
}

/* ---- what it is ---- */

static uint64_t mix(uint64_t h, uint64_t v) {
	h = (h ^ v) * 0xff51afd7ed558ccdu;
	return h ^ h >> 32;
}

uint32_t session_serial(const struct ct *ct) {
	const struct ct_tuple *t = &ct->tuple[CT_ORIG];
	uint32_t serial = (uint32_t)session_label(ct, SESSION_LABEL_SERIAL, 32);
	uint64_t h = (uint64_t)ct->id << 32 | (uint32_t)ct->zone << 16 | ct->proto;

	if (serial)
		return serial;
	h = mix(mix(h, t->src.half[0]), t->src.half[1]);
	h = mix(mix(h, t->dst.half[0]), t->dst.half[1]);
	h = mix(h, (uint64_t)t->sport << 32 | (uint32_t)t->dport << 8 | t->icmp_code);
	serial = (uint32_t)(h ^ h >> 29);
	return serial ? serial : 1;
}

/* The number of a session with ICMP is its id, which both directions have; its type stays. */
static void set_translation(struct session *s) {
	const struct ct_tuple *o = &s->ct->tuple[CT_ORIG], *r = &s->ct->tuple[CT_REPLY];
	bool icmp = ct_is_icmp(s->ct->proto);

	s->dnat = !net_equal(&o->dst, &r->src) || (!icmp && o->dport != r->sport);
	s->snat = !net_equal(&o->src, &r->dst) || o->sport != (icmp ? r->sport : r->dport);
}

/* What this unit took over from a peer still says COPY, until a packet comes. */
static bool is_copy(const struct session_context *ctx, const struct ct *ct) {
	return session_label(ct, SESSION_LABEL_COPY, 1) &&
	       (ctx->unit == 0 || session_label(ct, SESSION_LABEL_OWNER, 16) != ctx->unit);
}

void session_init(struct session *s, const struct session_context *ctx, const struct ct *ct) {
	struct session_policy policy = { .log = false };

	*s = (struct session){ .ct = ct, .ctx = ctx, .policy_id = ct->mark };
	if (ctx->policy)
		ctx->policy(ctx->arg, ct->mark, &policy);
	s->copy = is_copy(ctx, ct);
	s->serial = session_serial(ct);
	set_translation(s);
	set_state(s, &policy);
	set_times(s);
	s->state1 = (policy.log ? SESSION_LOG : 0) | (s->copy ? SESSION_NDR : 0);
	if (!s->copy && ctx->synced && ctx->synced(ctx->arg, ct))
		s->state1 |= SESSION_SYNCED;
}

/* ---- hook lines ---- */

/* The four ends of a session: what each side sees of the other, and what it is. */
enum end { CLIENT, VIP, SERVER, NATTED };

/* Source, destination and translation of a line. */
static const uint8_t line_ends[3][2][3] = {
	[SESSION_NOOP] = { { CLIENT, SERVER, SERVER }, { SERVER, CLIENT, CLIENT } },
	[SESSION_SNAT] = { { CLIENT, SERVER, NATTED }, { SERVER, CLIENT, VIP } },
	[SESSION_DNAT] = { { CLIENT, VIP, SERVER }, { SERVER, NATTED, CLIENT } },
};

static const union net_addr *end_addr(const struct ct *ct, enum end end) {
	const struct ct_tuple *t = &ct->tuple[end == SERVER || end == NATTED];

	return end == CLIENT || end == SERVER ? &t->src : &t->dst;
}

static uint16_t end_port(const struct ct *ct, enum end end) {
	const struct ct_tuple *t = &ct->tuple[end == SERVER || end == NATTED];

	return end == CLIENT || end == SERVER ? t->sport : t->dport;
}

static void add_line(struct session *s, enum session_hook hook, enum ct_dir dir,
		     enum session_act act) {
	const uint8_t *ends = line_ends[act][dir];
	struct session_line *l = &s->line[s->n_lines++];
	const struct ct *ct = s->ct;

	*l = (struct session_line){
		.hook = hook,
		.dir = dir,
		.act = act,
		.src = end_addr(ct, ends[0]),
		.dst = end_addr(ct, ends[1]),
		.nat = act == SESSION_NOOP ? NULL : end_addr(ct, ends[2]),
		.sport = end_port(ct, ends[0]),
		.dport = end_port(ct, ends[1]),
		.nat_port = end_port(ct, ends[2]),
	};
	/*
	 * Sources have the id, destinations the type, translations the id of the other direction.
	 */
	if (ct_is_icmp(ct->proto)) {
		l->dport = ct->tuple[dir].dport;
		l->nat_port = ct->tuple[!dir].sport;
	}
}

/* In the order of FortiOS. */
static void set_lines(struct session *s) {
	enum session_hook first = s->path.local[0] ? SESSION_OUT : SESSION_PRE;
	enum session_hook last = s->path.local[0] ? SESSION_IN : SESSION_POST;

	if (s->dnat)
		add_line(s, first, CT_ORIG, SESSION_DNAT);
	if (s->snat) {
		add_line(s, SESSION_POST, CT_ORIG, SESSION_SNAT);
		add_line(s, SESSION_PRE, CT_REPLY, SESSION_DNAT);
	}
	if (s->dnat)
		add_line(s, last, CT_REPLY, SESSION_SNAT);
	if (s->dnat && !s->snat)
		add_line(s, s->path.local[1] ? SESSION_IN : SESSION_POST, CT_ORIG, SESSION_NOOP);
	if (s->dnat || s->snat)
		return;
	add_line(s, first, CT_ORIG, SESSION_NOOP);
	add_line(s, last, CT_REPLY, SESSION_NOOP);
}

void session_way(struct session *s) {
	if (s->has_way)
		return;
	s->has_way = true;
	if (s->ctx->fib)
		fib_path(s->ctx->fib, s->ct->family, &s->ct->tuple[CT_ORIG].src,
			 &s->ct->tuple[CT_REPLY].src, &s->path);
	if (s->path.local[0] || s->path.local[1]) {
		s->state1 = (s->state1 & ~SESSION_SYNCED) | SESSION_LOCAL;
		set_timeout(s);
	} else {
		s->state1 |= SESSION_MAY_DIRTY;
	}
	set_lines(s);
}

int session_link(const struct session *s, unsigned int end) {
	return s->path.to[end].index;
}

uint8_t session_gateway(const struct session *s, unsigned int end, union net_addr *ret) {
	const struct fib_hop *hop = &s->path.to[end];

	if ((s->copy && !session_label(s->ct, SESSION_LABEL_SEEN, 1)) || hop->index == 0)
		return 0;
	*ret = hop->gateway_family ? hop->gateway : *end_addr(s->ct, end ? SERVER : CLIENT);
	return hop->gateway_family ? hop->gateway_family : s->ct->family;
}
