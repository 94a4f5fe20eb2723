/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list may have a million sessions, so every piece is appended by hand: constants with their
 * length known, numbers and addresses without a format string.
 *
 * What Linux has no counterpart of is printed as on a unit that does not use it: shapers, class_id,
 * ha_id, policy_dir, tunnel, vlan_cos, flags, socktype, sockport, av_idx, misc, auth_info,
 * chk_client_info, tos, app_list, app, url_cat, sdwan_*, rpdb_*, ngfwid, and f00 among the flags.
 * `use` is one more than the tuples, allow_err is 1 where packets have passed, and npu_state only
 * says who owns the session. Whoever describes the output to users should say so.
 *
 * Sessions of IPv6 have the same lines: `session6` in the two places that name the kind, and ::
 * where IPv4 has 0.0.0.0.
 */
#include "backends/session_text.h"

#include <arpa/inet.h>
#include <string.h>

#include "backends/helper.h"
#include "cfgdb/base/mem.h"

static void put_end(struct fmt *f, uint8_t family, const union net_addr *addr, uint16_t port) {
	fmt_addr(f, family, addr);
	fmt_char(f, ':');
	fmt_u64(f, port);
}

static void put_seconds(struct fmt *f, uint32_t seconds) {
	if (seconds == SESSION_NEVER)
		fmt_lit(f, "never");
	else
		fmt_u64(f, seconds);
}

/* ---- the long form ---- */

static void put_first(const struct session *s, struct fmt *f) {
	if (s->ct->family == AF_INET)
		fmt_lit(f, "\nsession info: proto=");
	else
		fmt_lit(f, "\nsession6 info: proto=");
	fmt_u64(f, s->ct->proto);
	fmt_lit(f, " proto_state=");
	fmt_char(f, (char)('0' + s->state[0]));
	fmt_char(f, (char)('0' + s->state[1]));
	fmt_lit(f, " duration=");
	fmt_u64(f, s->duration);
	fmt_lit(f, " expire=");
	put_seconds(f, s->expire);
	fmt_lit(f, " timeout=");
	put_seconds(f, s->timeout);
	fmt_lit(f, " flags=00000000 socktype=0 sockport=0 av_idx=0 use=");
	fmt_u64(f, s->n_lines + 1);
	fmt_lit(f, "\norigin-shaper=\nreply-shaper=\nper_ip_shaper=\n"
		   "class_id=0 ha_id=0 policy_dir=0 tunnel=/");
	if (s->ct->helper[0]) {
		fmt_lit(f, " helper=");
		fmt_str(f, helper_name(s->ct->helper));
	}
	fmt_lit(f, " vlan_cos=0/255\n");
}

/* Words of the state line in their order; f00 stands in all of them. */
static const struct {
	uint32_t state1;       /* shown when one of these bits is set ... */
	bool copy, always;     /* ... or of copies, or always */
	const char *word;
} words[] = {
	{ SESSION_LOG, false, false, "log" },
	{ SESSION_LOCAL, false, false, "local" },
	{ SESSION_MAY_DIRTY, false, false, "may_dirty" },
	{ SESSION_NDR, false, false, "ndr" },
	{ SESSION_SYNCED, false, false, "synced" },
	{ 0, false, true, "f00" },
	{ 0, true, false, "syn_ses" },
};

static bool has_word(const struct session *s, size_t i) {
	return words[i].always || (s->state1 & words[i].state1) || (words[i].copy && s->copy);
}

static void put_state(const struct session *s, struct fmt *f) {
	fmt_lit(f, "state=");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (has_word(s, i)) {
			fmt_str(f, words[i].word);
			fmt_char(f, ' ');
		}
	fmt_char(f, '\n');
}

static void put_counter(const struct ct_counter *c, struct fmt *f) {
	fmt_u64(f, c->bytes);
	fmt_char(f, '/');
	fmt_u64(f, c->packets);
	fmt_char(f, '/');
	fmt_char(f, c->packets ? '1' : '0');
}

static void put_rate(uint64_t bytes_per_s, struct fmt *f) {
	fmt_u64(f, bytes_per_s);
	fmt_char(f, '/');
	fmt_u64(f, bytes_per_s / 125);
}

static void put_statistic(const struct session *s, struct fmt *f) {
	fmt_lit(f, "statistic(bytes/packets/allow_err): org=");
	put_counter(&s->ct->count[CT_ORIG], f);
	fmt_lit(f, " reply=");
	put_counter(&s->ct->count[CT_REPLY], f);
	fmt_lit(f, " tuples=");
	fmt_u64(f, s->n_lines);
	fmt_lit(f, "\ntx speed(Bps/kbps): ");
	put_rate(s->rate[CT_ORIG], f);
	fmt_lit(f, " rx speed(Bps/kbps): ");
	put_rate(s->rate[CT_REPLY], f);
	fmt_char(f, '\n');
}

static void put_gateway(const struct session *s, unsigned int end, struct fmt *f) {
	union net_addr addr = { .half = { 0, 0 } };
	uint8_t family = session_gateway(s, end, &addr);

	fmt_addr(f, family ? family : s->ct->family, &addr);
}

static void put_links(const struct session *s, unsigned int from, unsigned int to, struct fmt *f) {
	fmt_i64(f, session_link(s, from));
	fmt_lit(f, "->");
	fmt_i64(f, session_link(s, to));
}

static void put_way(const struct session *s, struct fmt *f) {
	const bool *local = s->path.local;

	fmt_lit(f, "orgin->sink: org ");
	fmt_str(f, local[0] ? "out->" : "pre->");
	fmt_str(f, local[1] ? "in" : "post");
	fmt_lit(f, ", reply ");
	fmt_str(f, local[1] ? "out->" : "pre->");
	fmt_str(f, local[0] ? "in" : "post");
	fmt_lit(f, " dev=");
	put_links(s, 0, 1, f);
	fmt_char(f, '/');
	put_links(s, 1, 0, f);
	fmt_lit(f, " gwy=");
	put_gateway(s, 1, f);
	fmt_char(f, '/');
	put_gateway(s, 0, f);
	fmt_char(f, '\n');
}

static void put_line(const struct session *s, const struct session_line *l, struct fmt *f) {
	static const union net_addr none;
	static const char *const hooks[] = { [SESSION_PRE] = "hook=pre dir=",
					     [SESSION_POST] = "hook=post dir=",
					     [SESSION_IN] = "hook=in dir=",
					     [SESSION_OUT] = "hook=out dir=" };
	static const char *const acts[] = { [SESSION_NOOP] = " act=noop ",
					    [SESSION_SNAT] = " act=snat ",
					    [SESSION_DNAT] = " act=dnat " };

	fmt_str(f, hooks[l->hook]);
	fmt_str(f, l->dir == CT_ORIG ? "org" : "reply");
	fmt_str(f, acts[l->act]);
	put_end(f, s->ct->family, l->src, l->sport);
	fmt_lit(f, "->");
	put_end(f, s->ct->family, l->dst, l->dport);
	fmt_char(f, '(');
	put_end(f, s->ct->family, l->nat ? l->nat : &none, l->nat ? l->nat_port : 0);
	fmt_lit(f, ")\n");
}

static void put_seqadj(const struct ct_seqadj *adj, struct fmt *f) {
	fmt_u64(f, adj->pos);
	fmt_lit(f, "/(");
	fmt_i64(f, adj->before);
	fmt_char(f, ',');
	fmt_i64(f, adj->after);
	fmt_char(f, ')');
}

static void put_last(const struct session *s, struct fmt *f) {
	if (s->ct->proto == IPPROTO_TCP) {
		fmt_lit(f, "pos/(before,after) ");
		put_seqadj(&s->ct->seqadj[CT_ORIG], f);
		fmt_lit(f, ", ");
		put_seqadj(&s->ct->seqadj[CT_REPLY], f);
		fmt_char(f, '\n');
	}
	fmt_lit(f, "misc=0 policy_id=");
	fmt_u64(f, s->policy_id);
	fmt_lit(f, " auth_info=0 chk_client_info=0 vd=");
	fmt_u64(f, s->ctx->vd);
	fmt_lit(f, "\nserial=");
	fmt_hex32(f, s->serial);
	fmt_lit(f, " tos=ff/ff app_list=0 app=0 url_cat=0\n"
		   "sdwan_mbr_seq=0 sdwan_service_id=0\n"
		   "rpdb_link_id=00000000 rpdb_svc_id=0 ngfwid=n/a\n");
	if (s->copy)
		fmt_lit(f, "npu_state=0x001000\n");
	else
		fmt_lit(f, "npu_state=0x001008\n");
}

void session_text_list(struct session *s, struct fmt *f) {
	session_way(s);
	put_first(s, f);
	put_state(s, f);
	put_statistic(s, f);
	put_way(s, f);
	for (unsigned int i = 0; i < s->n_lines; i++)
		put_line(s, &s->line[i], f);
	put_last(s, f);
}

void session_text_total(uint8_t family, uint64_t n, struct fmt *f) {
	if (family == AF_INET)
		fmt_lit(f, "total session ");
	else
		fmt_lit(f, "total session6: ");
	fmt_u64(f, n);
	fmt_char(f, '\n');
}

/* ---- the row form ---- */

static const struct {
	uint8_t proto;
	const char *name;
} protocols[] = {
	{ IPPROTO_TCP, "tcp" },       { IPPROTO_UDP, "udp" },   { IPPROTO_ICMP, "icmp" },
	{ IPPROTO_ICMPV6, "icmp6" },  { IPPROTO_SCTP, "sctp" },
};

static void put_protocol(struct fmt *f, uint8_t proto) {
	for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
		if (protocols[i].proto == proto) {
			fmt_str(f, protocols[i].name);
			return;
		}
	fmt_u64(f, proto);
}

/* One end of a session; `shown` false: it is not translated. */
struct text_end {
	const union net_addr *addr;
	uint16_t port;
	bool shown;
};

enum { SOURCE, SOURCE_NAT, DESTINATION, DESTINATION_NAT, N_ENDS };

static void find_ends(const struct session *s, struct text_end ends[N_ENDS]) {
	const struct ct_tuple *o = &s->ct->tuple[CT_ORIG], *r = &s->ct->tuple[CT_REPLY];
	bool icmp = ct_is_icmp(s->ct->proto);

	ends[SOURCE] = (struct text_end){ &o->src, o->sport, true };
	ends[SOURCE_NAT] = (struct text_end){ &r->dst, icmp ? r->sport : r->dport, s->snat };
	ends[DESTINATION] = (struct text_end){ &o->dst, o->dport, true };
	ends[DESTINATION_NAT] = (struct text_end){ &r->src, icmp ? o->dport : r->sport, s->dnat };
}

void session_text_header(struct fmt *f) {
	fmt_lit(f, "PROTO   EXPIRE SOURCE           SOURCE-NAT       DESTINATION      "
		   "DESTINATION-NAT \n");
}

void session_text_row(const struct session *s, struct fmt *f) {
	struct text_end ends[N_ENDS];
	const char *start = f->at;

	find_ends(s, ends);
	put_protocol(f, s->ct->proto);
	fmt_pad(f, start, 7);
	fmt_char(f, ' ');
	start = f->at;
	put_seconds(f, s->expire);
	fmt_pad(f, start, 6);
	for (int i = 0; i < N_ENDS; i++) {
		fmt_char(f, ' ');
		start = f->at;
		if (ends[i].shown)
			put_end(f, s->ct->family, ends[i].addr, ends[i].port);
		else
			fmt_char(f, '-');
		fmt_pad(f, start, 16);
	}
	fmt_char(f, '\n');
}

/* ---- expected sessions ---- */

/* What may be anything is a star. */
static void put_masked_addr(struct fmt *f, uint8_t family, const union net_addr *addr,
			    const union net_addr *mask) {
	static const union net_addr none;
	union net_addr all;

	memset(&all, 0xff, sizeof(all));
	if (memcmp(mask->byte, none.byte, net_len(family)) == 0) {
		fmt_char(f, '*');
		return;
	}
	fmt_addr(f, family, addr);
	if (memcmp(mask->byte, all.byte, net_len(family)) != 0) {
		fmt_char(f, '/');
		fmt_addr(f, family, mask);
	}
}

static void put_masked_port(struct fmt *f, uint16_t port, uint16_t mask) {
	fmt_char(f, ':');
	if (mask == 0) {
		fmt_char(f, '*');
		return;
	}
	fmt_u64(f, port);
	if (mask != UINT16_MAX) {
		fmt_char(f, '/');
		fmt_u64(f, mask);
	}
}

static void put_expected(const struct ct_expect *e, struct fmt *f) {
	const struct ct_tuple *t = &e->tuple, *mask = &e->mask;

	put_masked_addr(f, e->family, &t->src, &mask->src);
	put_masked_port(f, t->sport, mask->sport);
	fmt_lit(f, "->");
	put_masked_addr(f, e->family, &t->dst, &mask->dst);
	put_masked_port(f, t->dport, mask->dport);
	if (!e->has_nat)
		return;
	fmt_char(f, '(');
	put_end(f, e->family, &e->nat.src, e->nat.sport);
	fmt_char(f, ')');
}

void session_text_expect(const struct ct_expect *e, uint32_t vd, struct fmt *f) {
	fmt_lit(f, "expect info: proto=");
	fmt_u64(f, e->proto);
	fmt_lit(f, " expire=");
	fmt_u64(f, e->timeout);
	fmt_lit(f, " flags=");
	fmt_hex32(f, e->flags);
	if (e->helper[0]) {
		fmt_lit(f, " helper=");
		fmt_str(f, helper_name(e->helper));
	}
	fmt_lit(f, " vd=");
	fmt_u64(f, vd);
	fmt_char(f, ' ');
	put_expected(e, f);
	fmt_lit(f, " master: proto=");
	fmt_u64(f, e->master_proto);
	fmt_char(f, ' ');
	put_end(f, e->family, &e->master.src, e->master.sport);
	fmt_lit(f, "->");
	put_end(f, e->family, &e->master.dst, e->master.dport);
	fmt_char(f, '\n');
}

/* ---- JSON ---- */

static void json_seconds(struct fmt *f, uint32_t seconds) {
	if (seconds == SESSION_NEVER)
		fmt_lit(f, "null");
	else
		fmt_u64(f, seconds);
}

static void json_addr(struct fmt *f, uint8_t family, const union net_addr *addr) {
	fmt_char(f, '"');
	fmt_addr(f, family, addr);
	fmt_char(f, '"');
}

/* Address and port; of what is expected a mask says which bits count. */
static void json_end(struct fmt *f, uint8_t family, const union net_addr *addr, uint16_t port) {
	fmt_lit(f, "{\"address\":");
	json_addr(f, family, addr);
	fmt_lit(f, ",\"port\":");
	fmt_u64(f, port);
	fmt_char(f, '}');
}

static void json_expected_end(struct fmt *f, uint8_t family, const union net_addr *addr,
			      const union net_addr *mask, uint16_t port, uint16_t port_mask) {
	static const union net_addr none;
	union net_addr all;

	memset(&all, 0xff, sizeof(all));
	fmt_lit(f, "{\"address\":");
	if (memcmp(mask->byte, none.byte, net_len(family)) == 0)
		fmt_lit(f, "null");
	else
		json_addr(f, family, addr);
	if (memcmp(mask->byte, none.byte, net_len(family)) != 0 &&
	    memcmp(mask->byte, all.byte, net_len(family)) != 0) {
		fmt_lit(f, ",\"address_mask\":");
		json_addr(f, family, mask);
	}
	fmt_lit(f, ",\"port\":");
	if (port_mask)
		fmt_u64(f, port);
	else
		fmt_lit(f, "null");
	if (port_mask && port_mask != UINT16_MAX) {
		fmt_lit(f, ",\"port_mask\":");
		fmt_u64(f, port_mask);
	}
	fmt_char(f, '}');
}

static void json_expected(const struct ct_expect *e, struct fmt *f) {
	const struct ct_tuple *t = &e->tuple, *mask = &e->mask;

	fmt_lit(f, ",\"source\":");
	json_expected_end(f, e->family, &t->src, &mask->src, t->sport, mask->sport);
	fmt_lit(f, ",\"destination\":");
	json_expected_end(f, e->family, &t->dst, &mask->dst, t->dport, mask->dport);
	fmt_lit(f, ",\"translated\":");
	if (e->has_nat)
		json_end(f, e->family, &e->nat.src, e->nat.sport);
	else
		fmt_lit(f, "null");
}

void session_text_expect_json(const struct ct_expect *e, uint32_t vd, struct fmt *f) {
	fmt_lit(f, "{\"vdom\":");
	fmt_u64(f, vd);
	fmt_lit(f, ",\"protocol\":");
	fmt_u64(f, e->proto);
	fmt_lit(f, ",\"expire\":");
	fmt_u64(f, e->timeout);
	fmt_lit(f, ",\"flags\":");
	fmt_u64(f, e->flags);
	fmt_lit(f, ",\"helper\":");
	if (e->helper[0])
		fmt_json(f, helper_name(e->helper));
	else
		fmt_lit(f, "null");
	json_expected(e, f);
	fmt_lit(f, ",\"master\":{\"protocol\":");
	fmt_u64(f, e->master_proto);
	fmt_lit(f, ",\"source\":");
	json_end(f, e->family, &e->master.src, e->master.sport);
	fmt_lit(f, ",\"destination\":");
	json_end(f, e->family, &e->master.dst, e->master.dport);
	fmt_lit(f, "}}");
}

static void json_ends(const struct session *s, struct fmt *f) {
	static const char *const names[N_ENDS] = {
		[SOURCE] = ",\"source\":",
		[SOURCE_NAT] = ",\"source_nat\":",
		[DESTINATION] = ",\"destination\":",
		[DESTINATION_NAT] = ",\"destination_nat\":",
	};
	struct text_end ends[N_ENDS];

	find_ends(s, ends);
	for (int i = 0; i < N_ENDS; i++) {
		fmt_str(f, names[i]);
		if (!ends[i].shown) {
			fmt_lit(f, "null");
			continue;
		}
		json_end(f, s->ct->family, ends[i].addr, ends[i].port);
	}
}

static void json_flags(const struct session *s, struct fmt *f) {
	bool any = false;

	fmt_lit(f, ",\"flags\":[");
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (has_word(s, i) && !words[i].always) {
			if (any)
				fmt_char(f, ',');
			fmt_json(f, words[i].word);
			any = true;
		}
	fmt_lit(f, "],\"helper\":");
	if (s->ct->helper[0])
		fmt_json(f, helper_name(s->ct->helper));
	else
		fmt_lit(f, "null");
}

static void json_counter(const struct session *s, enum ct_dir dir, struct fmt *f) {
	fmt_lit(f, "{\"bytes\":");
	fmt_u64(f, s->ct->count[dir].bytes);
	fmt_lit(f, ",\"packets\":");
	fmt_u64(f, s->ct->count[dir].packets);
	fmt_lit(f, ",\"rate\":");
	fmt_u64(f, s->rate[dir]);
	fmt_char(f, '}');
}

static void json_side(const struct session *s, unsigned int end, struct fmt *f) {
	int index = session_link(s, end);
	const struct link *link = s->ctx->links ? links_at(s->ctx->links, index) : NULL;
	union net_addr gateway;
	uint8_t family = session_gateway(s, end, &gateway);

	fmt_lit(f, "{\"interface\":");
	if (link)
		fmt_json(f, link->name);
	else
		fmt_lit(f, "null");
	fmt_lit(f, ",\"index\":");
	if (index)
		fmt_i64(f, index);
	else
		fmt_lit(f, "null");
	fmt_lit(f, ",\"gateway\":");
	if (family)
		json_addr(f, family, &gateway);
	else
		fmt_lit(f, "null");
	fmt_char(f, '}');
}

static void json_head(const struct session *s, struct fmt *f) {
	fmt_lit(f, "{\"vdom\":");
	fmt_u64(f, s->ctx->vd);
	fmt_str(f, s->ct->family == AF_INET ? ",\"family\":\"ipv4\"" : ",\"family\":\"ipv6\"");
	fmt_lit(f, ",\"serial\":\"");
	fmt_hex32(f, s->serial);
	fmt_lit(f, "\",\"protocol\":");
	fmt_u64(f, s->ct->proto);
	fmt_lit(f, ",\"state\":\"");
	fmt_char(f, (char)('0' + s->state[0]));
	fmt_char(f, (char)('0' + s->state[1]));
	fmt_lit(f, "\",\"policy\":");
	fmt_u64(f, s->policy_id);
	fmt_lit(f, ",\"duration\":");
	fmt_u64(f, s->duration);
	fmt_lit(f, ",\"expire\":");
	json_seconds(f, s->expire);
	fmt_lit(f, ",\"timeout\":");
	json_seconds(f, s->timeout);
}

void session_text_json(struct session *s, struct fmt *f) {
	session_way(s);
	json_head(s, f);
	json_flags(s, f);
	json_ends(s, f);
	fmt_lit(f, ",\"sent\":");
	json_counter(s, CT_ORIG, f);
	fmt_lit(f, ",\"received\":");
	json_counter(s, CT_REPLY, f);
	fmt_lit(f, ",\"incoming\":");
	json_side(s, 0, f);
	fmt_lit(f, ",\"outgoing\":");
	json_side(s, 1, f);
	fmt_char(f, '}');
}
