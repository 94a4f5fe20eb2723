/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records as bytes. Each part of a record has a function that puts it and one that gets it, side by
 * side and in the same order, so that the layout can be read from either.
 *
 * Half of a session's tuples is known from the other half: the reply tuple is the inverse of the
 * original one but for what is translated, and only that is told, field by field. What sessions
 * rarely have (a zone, a helper, a master) is a TLV, absent where it is zero.
 */
#include "sync/record.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/session.h"
#include "cfgdb/base/mem.h"

enum {
	FLAG_IPV6 = 1,
	FLAG_FROM_COPY = 2,
	FLAG_UNSEEN = 4,
	/* The reply tuple is not the inverse of the original one: */
	FLAG_SRC = 8,
	FLAG_DST = 16,
	FLAG_FIRST = 32,
	FLAG_SECOND = 64,

	FLAG_EXPIRED = 128,
};

/* Flags of EXPECT; the first is the same. */
enum { EXPECT_NAT = 2, EXPECT_NAT_REPLY = 4 };

enum {
	TAG_ZONE = 1,
	TAG_VD,
	TAG_HELPER,
	TAG_SEQADJ_ORIG,
	TAG_SEQADJ_REPLY,
	TAG_MASTER,
	TAG_FN,
	TAG_VTAGS,
};

enum { STATE_BITS = 0x3f, STATE_SEEN_REPLY = 0x40, STATE_ASSURED = 0x80 };

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u

/* ---- what has a tag and a length: records, TLVs ---- */

/* The place to give to put_end(). */
static size_t put_begin(struct buf *b, uint8_t tag) {
	buf_put_u8(b, tag);
	buf_put_u8(b, 0);
	return b->len;
}

static void put_end(struct buf *b, size_t at) {
	b->data[at - 1] = (uint8_t)(b->len - at);
}

/* The next one; false at the end, or when it is not whole. */
static bool get_next(struct buf_reader *r, uint8_t *tag, struct buf_reader *body) {
	uint8_t len;

	if (r->bad || r->pos == r->len)
		return false;
	*tag = buf_get_u8(r);
	len = buf_get_u8(r);
	r->bad = r->bad || r->len - r->pos < len;
	if (r->bad)
		return false;
	buf_reader_init(body, r->data + r->pos, len);
	r->pos += len;
	return true;
}

/* ---- tuples ---- */

/* The two numbers that tell tuples with the same addresses apart. */
static uint16_t first_of(const struct ct_tuple *t) {
	return t->sport;
}

static uint16_t second_of(uint8_t proto, const struct ct_tuple *t) {
	return ct_is_icmp(proto) ? (uint16_t)(t->dport << 8 | t->icmp_code) : t->dport;
}

static void set_second(uint8_t proto, struct ct_tuple *t, uint16_t second) {
	t->dport = ct_is_icmp(proto) ? second >> 8 : second;
	t->icmp_code = ct_is_icmp(proto) ? (uint8_t)second : 0;
}

static void get_addr(struct buf_reader *r, int family, union net_addr *ret) {
	*ret = (union net_addr){ .half = { 0 } };
	buf_get_bytes(r, ret->byte, net_len(family));
}

static void put_tuple(struct buf *b, int family, uint8_t proto, const struct ct_tuple *t) {
	buf_put_bytes(b, t->src.byte, net_len(family));
	buf_put_bytes(b, t->dst.byte, net_len(family));
	buf_put_u32(b, (uint32_t)first_of(t) << 16 | second_of(proto, t));
}

static void get_tuple(struct buf_reader *r, int family, uint8_t proto, struct ct_tuple *ret) {
	get_addr(r, family, &ret->src);
	get_addr(r, family, &ret->dst);
	ret->sport = buf_get_u16(r);
	set_second(proto, ret, buf_get_u16(r));
}

/* What answers an ICMP message of this type; the type itself when nothing does. */
static uint8_t icmp_answer(uint8_t proto, uint8_t type) {
	static const uint8_t pairs[][2] = {
		{ ICMP_ECHO, ICMP_ECHOREPLY },
		{ ICMP_TIMESTAMP, ICMP_TIMESTAMPREPLY },
		{ ICMP_INFO_REQUEST, ICMP_INFO_REPLY },
		{ ICMP_ADDRESS, ICMP_ADDRESSREPLY },
	};

	if (proto == IPPROTO_ICMPV6)
		return type == ICMP6_ECHO_REQUEST ? ICMP6_ECHO_REPLY
		       : type == ICMP6_ECHO_REPLY ? ICMP6_ECHO_REQUEST
						  : type;
	for (size_t i = 0; i < ARRAY_LEN(pairs); i++)
		for (int side = 0; side < 2; side++)
			if (pairs[i][side] == type)
				return pairs[i][!side];
	return type;
}

/* The reply tuple of a session that is not translated. */
static struct ct_tuple inverse(const struct ct *ct) {
	const struct ct_tuple *t = &ct->tuple[CT_ORIG];
	struct ct_tuple ret = {
		.src = t->dst, .dst = t->src, .sport = t->dport, .dport = t->sport
	};

	if (ct_is_icmp(ct->proto)) {
		ret.sport = t->sport;
		ret.dport = icmp_answer(ct->proto, (uint8_t)t->dport);
		ret.icmp_code = t->icmp_code;
	}
	return ret;
}

/* Which fields of the reply tuple have to be told. */
static uint8_t translated(const struct ct *ct, const struct ct_tuple *plain) {
	const struct ct_tuple *t = &ct->tuple[CT_REPLY];

	return (net_equal(&t->src, &plain->src) ? 0 : FLAG_SRC) |
	       (net_equal(&t->dst, &plain->dst) ? 0 : FLAG_DST) |
	       (first_of(t) == first_of(plain) ? 0 : FLAG_FIRST) |
	       (second_of(ct->proto, t) == second_of(ct->proto, plain) ? 0 : FLAG_SECOND);
}

static void put_reply(struct buf *b, const struct ct *ct, uint8_t flags) {
	const struct ct_tuple *t = &ct->tuple[CT_REPLY];

	if (flags & FLAG_SRC)
		buf_put_bytes(b, t->src.byte, net_len(ct->family));
	if (flags & FLAG_DST)
		buf_put_bytes(b, t->dst.byte, net_len(ct->family));
	if (flags & FLAG_FIRST)
		buf_put_u16(b, first_of(t));
	if (flags & FLAG_SECOND)
		buf_put_u16(b, second_of(ct->proto, t));
}

static void get_reply(struct buf_reader *r, struct ct *ct, uint8_t flags) {
	struct ct_tuple *t = &ct->tuple[CT_REPLY];

	*t = inverse(ct);
	if (flags & FLAG_SRC)
		get_addr(r, ct->family, &t->src);
	if (flags & FLAG_DST)
		get_addr(r, ct->family, &t->dst);
	if (flags & FLAG_FIRST)
		t->sport = buf_get_u16(r);
	if (flags & FLAG_SECOND)
		set_second(ct->proto, t, buf_get_u16(r));
}

/* ---- TLVs ---- */

static void put_u16_tlv(struct buf *b, uint8_t tag, uint16_t v) {
	size_t at;

	if (v == 0)
		return;
	at = put_begin(b, tag);
	buf_put_u16(b, v);
	put_end(b, at);
}

static void put_name_tlv(struct buf *b, uint8_t tag, const char *name, size_t size) {
	size_t len = strnlen(name, size - 1), at;

	if (len == 0)
		return;
	at = put_begin(b, tag);
	buf_put_bytes(b, name, len);
	put_end(b, at);
}

/* A name goes to the kernel and into listings: printable, and not longer than we have room for. */
static void get_name(struct buf_reader *r, char *ret, size_t size) {
	size_t len = r->len;

	r->bad = r->bad || len == 0 || len >= size;
	for (size_t i = 0; i < len; i++)
		r->bad = r->bad || r->data[i] <= ' ' || r->data[i] > '~';
	if (r->bad)
		return;
	buf_get_bytes(r, ret, len);
	ret[len] = '\0';
}

static void put_seqadj_tlv(struct buf *b, uint8_t tag, const struct ct_seqadj *s) {
	size_t at;

	if (s->pos == 0 && s->before == 0 && s->after == 0)
		return;
	at = put_begin(b, tag);
	buf_put_u32(b, s->pos);
	buf_put_u32(b, (uint32_t)s->before);
	buf_put_u32(b, (uint32_t)s->after);
	put_end(b, at);
}

static void get_seqadj(struct buf_reader *r, struct ct_seqadj *ret) {
	ret->pos = buf_get_u32(r);
	ret->before = (int32_t)buf_get_u32(r);
	ret->after = (int32_t)buf_get_u32(r);
}

static void put_vtags_tlv(struct buf *b, const struct ct *ct) {
	size_t at;

	if (ct->proto != IPPROTO_SCTP || (ct->vtag[CT_ORIG] == 0 && ct->vtag[CT_REPLY] == 0))
		return;
	at = put_begin(b, TAG_VTAGS);
	buf_put_u32(b, ct->vtag[CT_ORIG]);
	buf_put_u32(b, ct->vtag[CT_REPLY]);
	put_end(b, at);
}

static void get_vtags(struct buf_reader *r, struct ct *ct) {
	ct->vtag[CT_ORIG] = buf_get_u32(r);
	ct->vtag[CT_REPLY] = buf_get_u32(r);
}

static void put_master_tlv(struct buf *b, const struct ct *ct) {
	size_t at;

	if (!ct->has_master)
		return;
	at = put_begin(b, TAG_MASTER);
	buf_put_u8(b, ct->master_proto);
	put_tuple(b, ct->family, ct->master_proto, &ct->master);
	put_end(b, at);
}

static void get_master(struct buf_reader *r, struct ct *ct) {
	ct->has_master = true;
	ct->master_proto = buf_get_u8(r);
	get_tuple(r, ct->family, ct->master_proto, &ct->master);
}

/* ---- sessions ---- */

static void put_session_tlvs(struct buf *b, const struct record *r) {
	const struct ct *ct = &r->ct;

	put_u16_tlv(b, TAG_ZONE, ct->zone);
	put_u16_tlv(b, TAG_VD, r->vd);
	if (r->type == RECORD_CREATE || r->type == RECORD_UPDATE) {
		put_seqadj_tlv(b, TAG_SEQADJ_ORIG, &ct->seqadj[CT_ORIG]);
		put_seqadj_tlv(b, TAG_SEQADJ_REPLY, &ct->seqadj[CT_REPLY]);
		put_vtags_tlv(b, ct);
	}
	if (r->type == RECORD_CREATE) {
		put_name_tlv(b, TAG_HELPER, ct->helper, sizeof(ct->helper));
		put_master_tlv(b, ct);
	}
}

static void get_session_tlv(struct buf_reader *body, uint8_t tag, struct record *r) {
	switch (tag) {
	case TAG_ZONE:
		r->ct.zone = buf_get_u16(body);
		break;
	case TAG_VD:
		r->vd = buf_get_u16(body);
		break;
	case TAG_HELPER:
		get_name(body, r->ct.helper, sizeof(r->ct.helper));
		break;
	case TAG_SEQADJ_ORIG:
		get_seqadj(body, &r->ct.seqadj[CT_ORIG]);
		break;
	case TAG_SEQADJ_REPLY:
		get_seqadj(body, &r->ct.seqadj[CT_REPLY]);
		break;
	case TAG_MASTER:
		get_master(body, &r->ct);
		break;
	case TAG_VTAGS:
		get_vtags(body, &r->ct);
		break;
	}
}

/* State and time left: four bytes, for this is what goes out most. */
static void put_live(struct buf *b, const struct ct *ct) {
	uint32_t timeout = ct->timeout < RECORD_TIMEOUT_MAX ? ct->timeout : RECORD_TIMEOUT_MAX;
	uint8_t state = ct->state & STATE_BITS;

	state |= ct->status & IPS_SEEN_REPLY ? STATE_SEEN_REPLY : 0;
	state |= ct->status & IPS_ASSURED ? STATE_ASSURED : 0;
	buf_put_u32(b, (uint32_t)state << 24 | timeout);
}

static void get_live(struct buf_reader *r, struct ct *ct) {
	uint32_t live = buf_get_u32(r);
	uint8_t state = (uint8_t)(live >> 24);

	ct->timeout = live & RECORD_TIMEOUT_MAX;
	ct->state = state & STATE_BITS;
	ct->status = (state & STATE_SEEN_REPLY ? IPS_SEEN_REPLY : 0) |
		     (state & STATE_ASSURED ? IPS_ASSURED : 0);
}

/* A label's start is that of the session; start_ns of a copy is when the copy was made. */
static void put_start(struct buf *b, const struct ct *ct) {
	uint64_t seconds = session_label(ct, SESSION_LABEL_START, 32);
	uint64_t ms = session_label(ct, SESSION_LABEL_START_MS, 10);

	if (seconds == 0) {
		seconds = ct->start_ns / NS_PER_S;
		ms = ct->start_ns % NS_PER_S / NS_PER_MS;
	}
	buf_put_u32(b, (uint32_t)seconds);
	buf_put_u16(b, ms < 1000 ? (uint16_t)ms : 999);
}

static void get_start(struct buf_reader *r, struct ct *ct) {
	uint64_t seconds = buf_get_u32(r);
	uint16_t ms = buf_get_u16(r);

	r->bad = r->bad || ms > 999;
	ct->start_ns = seconds * NS_PER_S + ms * (uint64_t)NS_PER_MS;
}

static void put_session(struct buf *b, const struct record *r) {
	const struct ct *ct = &r->ct;
	uint8_t flags = (ct->family == AF_INET6 ? FLAG_IPV6 : 0) |
			(r->from_copy ? FLAG_FROM_COPY : 0) | (r->unseen ? FLAG_UNSEEN : 0) |
			(r->expired ? FLAG_EXPIRED : 0);

	if (r->type == RECORD_CREATE) {
		struct ct_tuple plain = inverse(ct);

		flags |= translated(ct, &plain);
	}
	buf_put_u8(b, flags);
	buf_put_u8(b, ct->proto);
	buf_put_u32(b, r->serial);
	put_tuple(b, ct->family, ct->proto, &ct->tuple[CT_ORIG]);
	if (r->type == RECORD_CREATE || r->type == RECORD_UPDATE)
		put_live(b, ct);
	if (r->type == RECORD_CREATE) {
		buf_put_u16(b, (uint16_t)ct->status);
		buf_put_u32(b, ct->mark);
		put_start(b, ct);
		put_reply(b, ct, flags);
	}
	put_session_tlvs(b, r);
}

static void get_session(struct buf_reader *body, struct record *r) {
	struct ct *ct = &r->ct;
	struct buf_reader value;
	uint8_t flags = buf_get_u8(body), tag;

	*ct = (struct ct){ .family = flags & FLAG_IPV6 ? AF_INET6 : AF_INET };
	r->from_copy = flags & FLAG_FROM_COPY;
	r->unseen = flags & FLAG_UNSEEN;
	r->expired = flags & FLAG_EXPIRED;
	ct->proto = buf_get_u8(body);
	r->serial = buf_get_u32(body);
	get_tuple(body, ct->family, ct->proto, &ct->tuple[CT_ORIG]);
	if (r->type == RECORD_CREATE || r->type == RECORD_UPDATE)
		get_live(body, ct);
	if (r->type == RECORD_CREATE) {
		ct->status |= buf_get_u16(body);
		ct->mark = buf_get_u32(body);
		get_start(body, ct);
		get_reply(body, ct, flags);
	}
	while (get_next(body, &tag, &value)) {
		get_session_tlv(&value, tag, r);
		body->bad = value.bad;
	}
}

/* ---- expected sessions ---- */

static void put_expect(struct buf *b, const struct record *r) {
	const struct ct_expect *e = &r->expect;

	buf_put_u8(b, (e->family == AF_INET6 ? FLAG_IPV6 : 0) | (e->has_nat ? EXPECT_NAT : 0) |
			      (e->has_nat && e->nat_dir == CT_REPLY ? EXPECT_NAT_REPLY : 0));
	buf_put_u8(b, e->proto);
	buf_put_u8(b, e->master_proto);
	buf_put_u32(b, e->class);
	buf_put_u32(b, e->flags);
	buf_put_u32(b, e->timeout);
	put_tuple(b, e->family, e->proto, &e->tuple);
	put_tuple(b, e->family, e->proto, &e->mask);
	put_tuple(b, e->family, e->master_proto, &e->master);
	if (e->has_nat)
		put_tuple(b, e->family, e->proto, &e->nat);
	put_u16_tlv(b, TAG_ZONE, e->zone);
	put_u16_tlv(b, TAG_VD, r->vd);
	put_name_tlv(b, TAG_HELPER, e->helper, sizeof(e->helper));
	put_name_tlv(b, TAG_FN, e->fn, sizeof(e->fn));
}

static void get_expect_tlv(struct buf_reader *body, uint8_t tag, struct record *r) {
	switch (tag) {
	case TAG_ZONE:
		r->expect.zone = buf_get_u16(body);
		break;
	case TAG_VD:
		r->vd = buf_get_u16(body);
		break;
	case TAG_HELPER:
		get_name(body, r->expect.helper, sizeof(r->expect.helper));
		break;
	case TAG_FN:
		get_name(body, r->expect.fn, sizeof(r->expect.fn));
		break;
	}
}

static void get_expect(struct buf_reader *body, struct record *r) {
	struct ct_expect *e = &r->expect;
	uint8_t flags = buf_get_u8(body), tag;
	struct buf_reader value;

	*e = (struct ct_expect){ .family = flags & FLAG_IPV6 ? AF_INET6 : AF_INET };
	e->has_nat = flags & EXPECT_NAT;
	e->nat_dir = e->has_nat && flags & EXPECT_NAT_REPLY ? CT_REPLY : CT_ORIG;
	e->proto = buf_get_u8(body);
	e->master_proto = buf_get_u8(body);
	e->class = buf_get_u32(body);
	e->flags = buf_get_u32(body);
	e->timeout = buf_get_u32(body);
	get_tuple(body, e->family, e->proto, &e->tuple);
	get_tuple(body, e->family, e->proto, &e->mask);
	get_tuple(body, e->family, e->master_proto, &e->master);
	if (e->has_nat)
		get_tuple(body, e->family, e->proto, &e->nat);
	while (get_next(body, &tag, &value)) {
		get_expect_tlv(&value, tag, r);
		body->bad = value.bad;
	}
}

/* ---- agreement ---- */

static void put_resync(struct buf *b, const struct record *r) {
	buf_put_u16(b, r->walk);
	for (size_t i = 0; i < ARRAY_LEN(r->buckets); i++)
		buf_put_u64(b, r->buckets[i]);
}

static void get_resync(struct buf_reader *body, struct record *r) {
	r->walk = buf_get_u16(body);
	for (size_t i = 0; i < ARRAY_LEN(r->buckets); i++)
		r->buckets[i] = buf_get_u64(body);
}

static void put_digest(struct buf *b, const struct record *r) {
	uint8_t count = r->count < RECORD_SUMS ? r->count : RECORD_SUMS;

	buf_put_u16(b, r->first);
	buf_put_u8(b, count);
	for (size_t i = 0; i < count; i++)
		buf_put_u64(b, r->sums[i]);
}

static void get_digest(struct buf_reader *body, struct record *r) {
	r->first = buf_get_u16(body);
	r->count = buf_get_u8(body);
	body->bad = body->bad || r->count > RECORD_SUMS || r->first + r->count > PRINTS_BUCKETS;
	for (size_t i = 0; !body->bad && i < r->count; i++)
		r->sums[i] = buf_get_u64(body);
}

/* ---- all of them ---- */

static const struct {
	void (*put)(struct buf *b, const struct record *r);
	void (*get)(struct buf_reader *body, struct record *r);
} kinds[] = {
	[RECORD_CREATE] = { put_session, get_session },
	[RECORD_UPDATE] = { put_session, get_session },
	[RECORD_DELETE] = { put_session, get_session },
	[RECORD_QUERY] = { put_session, get_session },
	[RECORD_CLAIM] = { put_session, get_session },
	[RECORD_YIELD] = { put_session, get_session },
	[RECORD_KEEP] = { put_session, get_session },
	[RECORD_EXPECT] = { put_expect, get_expect },
	[RECORD_RESYNC_ASK] = { put_resync, get_resync },
	[RECORD_RESYNC_BEGIN] = { put_resync, get_resync },
	[RECORD_RESYNC_END] = { put_resync, get_resync },
	[RECORD_DIGEST] = { put_digest, get_digest },
};

void record_encode(struct buf *b, const struct record *r) {
	size_t at = put_begin(b, (uint8_t)r->type);

	kinds[r->type].put(b, r);
	put_end(b, at);
}

bool record_decode(struct buf_reader *reader, struct record *r) {
	struct buf_reader body;
	uint8_t type;

	while (get_next(reader, &type, &body)) {
		if (type >= ARRAY_LEN(kinds) || !kinds[type].get)
			continue;
		r->type = type;
		r->serial = 0;
		r->vd = 0;
		r->from_copy = r->unseen = r->expired = false;
		kinds[type].get(&body, r);
		reader->bad = body.bad;
		return !reader->bad;
	}
	return false;
}
