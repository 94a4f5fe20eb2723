/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records: what is encoded is decoded, in the bytes that are promised and in no more; what others
 * may send: unknown types and tags, cut records, names and numbers out of bounds, any bytes.
 */
#include "sync/record.h"

#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/session.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define MS UINT64_C(1000000)

static struct ct_tuple tuple(int family, const char *src, uint16_t sport, const char *dst,
			     uint16_t dport) {
	struct ct_tuple t = { .sport = sport, .dport = dport };

	ck_assert(net_parse(family, src, &t.src) && net_parse(family, dst, &t.dst));
	return t;
}

/* A TCP session through a virtual IP. */
static struct record dnat(enum record_type type) {
	struct record r = { .type = type, .serial = 0x000074c1 };

	r.ct.family = AF_INET;
	r.ct.proto = IPPROTO_TCP;
	r.ct.tuple[CT_ORIG] = tuple(AF_INET, "207.102.138.19", 57402, "20.150.252.91", 65022);
	r.ct.tuple[CT_REPLY] = tuple(AF_INET, "172.16.137.15", 22, "207.102.138.19", 57402);
	r.ct.state = TCP_CONNTRACK_ESTABLISHED;
	r.ct.status = IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED | IPS_DST_NAT |
		      IPS_SRC_NAT_DONE | IPS_DST_NAT_DONE;
	r.ct.timeout = 3599;
	r.ct.mark = 2;
	r.ct.start_ns = 1700000000123 * MS;
	return r;
}

/* Decode what is the only record in b; what it does not touch of *ret is noise. */
static bool decode(const struct buf *b, struct record *ret) {
	AUTO_FREE uint8_t *copy = xreallocarray(NULL, b->len ? b->len : 1, 1);
	struct buf_reader r;
	bool found;

	memcpy(copy, b->data, b->len);
	buf_reader_init(&r, copy, b->len);
	memset(ret, 0xee, sizeof(*ret));
	found = record_decode(&r, ret);
	ck_assert(!found || buf_reader_end(&r));
	return found;
}

static bool same_tuple(const struct ct_tuple *a, const struct ct_tuple *b) {
	return net_equal(&a->src, &b->src) && net_equal(&a->dst, &b->dst) && a->sport == b->sport &&
	       a->dport == b->dport && a->icmp_code == b->icmp_code;
}

static bool same_seqadj(const struct ct_seqadj *a, const struct ct_seqadj *b) {
	return a->pos == b->pos && a->before == b->before && a->after == b->after;
}

/* What every record of a session tells. */
static void assert_name(const struct record *a, const struct record *b) {
	ck_assert_int_eq(a->type, b->type);
	ck_assert_uint_eq(a->serial, b->serial);
	ck_assert_uint_eq(a->vd, b->vd);
	ck_assert_int_eq(a->from_copy, b->from_copy);
	ck_assert_int_eq(a->unseen, b->unseen);
	ck_assert_int_eq(a->expired, b->expired);
	ck_assert_uint_eq(a->ct.family, b->ct.family);
	ck_assert_uint_eq(a->ct.proto, b->ct.proto);
	ck_assert_uint_eq(a->ct.zone, b->ct.zone);
	ck_assert(same_tuple(&a->ct.tuple[CT_ORIG], &b->ct.tuple[CT_ORIG]));
}

static void assert_live(const struct ct *a, const struct ct *b) {
	ck_assert_uint_eq(a->state, b->state);
	ck_assert_uint_eq(a->timeout, b->timeout);
	for (int dir = CT_ORIG; dir <= CT_REPLY; dir++)
		ck_assert(same_seqadj(&a->seqadj[dir], &b->seqadj[dir]) &&
			  a->vtag[dir] == b->vtag[dir]);
}

static void assert_create(const struct ct *a, const struct ct *b) {
	assert_live(a, b);
	ck_assert(same_tuple(&a->tuple[CT_REPLY], &b->tuple[CT_REPLY]));
	ck_assert_uint_eq(a->status, b->status);
	ck_assert_uint_eq(a->mark, b->mark);
	ck_assert_uint_eq(a->start_ns, b->start_ns);
	ck_assert_str_eq(a->helper, b->helper);
	ck_assert_int_eq(a->has_master, b->has_master);
	ck_assert_uint_eq(a->master_proto, b->master_proto);
	ck_assert(same_tuple(&a->master, &b->master));
}

/* Whether all that a decoded record does not tell is zero. */
static void assert_nothing_else(const struct record *r) {
	static const struct ct none;
	const struct ct *ct = &r->ct;

	ck_assert(ct->id == 0 && ct->use == 0 && ct->stop_ns == 0 && ct->label[0] == 0 &&
		  ct->label[1] == 0);
	ck_assert(ct->count[0].packets == 0 && ct->count[1].bytes == 0);
	if (r->type != RECORD_CREATE && r->type != RECORD_UPDATE)
		ck_assert(same_seqadj(&ct->seqadj[CT_ORIG], &none.seqadj[CT_ORIG]) &&
			  same_seqadj(&ct->seqadj[CT_REPLY], &none.seqadj[CT_REPLY]) &&
			  ct->vtag[CT_ORIG] == 0 && ct->vtag[CT_REPLY] == 0);
	if (r->type != RECORD_CREATE)
		ck_assert(ct->mark == 0 && ct->start_ns == 0 && !ct->has_master &&
			  ct->helper[0] == '\0' &&
			  same_tuple(&ct->tuple[CT_REPLY], &none.tuple[CT_REPLY]));
}

/* Encode and decode; the length. */
static size_t there_and_back(const struct record *r) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct record back;

	record_encode(&b, r);
	ck_assert_uint_le(b.len, RECORD_MAX);
	ck_assert(decode(&b, &back));
	assert_name(r, &back);
	assert_nothing_else(&back);
	if (r->type == RECORD_CREATE)
		assert_create(&r->ct, &back.ct);
	if (r->type == RECORD_UPDATE) {
		assert_live(&r->ct, &back.ct);
		ck_assert_uint_eq(back.ct.status,
				  r->ct.status & (IPS_SEEN_REPLY | IPS_ASSURED));
	}
	return b.len;
}

/* The bar of the protocol. */
START_TEST(test_sizes) {
	struct record r = dnat(RECORD_CREATE);

	ck_assert_uint_le(there_and_back(&r), 48);
	r.type = RECORD_UPDATE;
	ck_assert_uint_le(there_and_back(&r), 24);
	strcpy(r.ct.helper, "ftp");
	r.ct.has_master = true;
	r.ct.seqadj[CT_ORIG].pos = r.ct.seqadj[CT_REPLY].pos = 77;
	for (r.type = RECORD_DELETE; r.type <= RECORD_KEEP; r.type++)
		ck_assert_uint_le(there_and_back(&r), 24);
}
END_TEST

/* Every byte of one record: other releases read it, too. */
START_TEST(test_layout) {
	static const uint8_t create[] = {
		1,    40,                                                  /* CREATE */
		0x28, 6,    0,    0,    0x74, 0xc1,                        /* flags, TCP, serial */
		207,  102,  138,  19,   20,   150, 252,  91,               /* addresses */
		0xe0, 0x3a, 0xfd, 0xfe, 0xc3, 0,   0x0e, 0x0f,             /* ports, state, time */
		0x01, 0xae, 0,    0,    0,    2,                           /* status, mark */
		0x65, 0x53, 0xf1, 0x00, 0,    123,                         /* start */
		172,  16,   137,  15,   0,    22,                          /* of the reply */
	};
	static const uint8_t update[] = {
		2,    22,   0x02, 6,    0,    0,    0x74, 0xc1, 207, 102, 138,  19,
		20,   150,  252,  91,   0xe0, 0x3a, 0xfd, 0xfe, 0xc3, 0,  0x0e, 0x0f,
	};
	static const uint8_t delete[] = {
		3,    18,   0x80, 6,    0,    0,    0x74, 0xc1, 207, 102, 138,  19,
		20,   150,  252,  91,   0xe0, 0x3a, 0xfd, 0xfe,
	};
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r = dnat(RECORD_CREATE);

	record_encode(&b, &r);
	ck_assert_mem_eq(b.data, create, sizeof(create));
	ck_assert_uint_eq(b.len, sizeof(create));
	r.type = RECORD_UPDATE;
	r.from_copy = true;
	record_encode(&b, &r);
	ck_assert_mem_eq(b.data + sizeof(create), update, sizeof(update));
	ck_assert_uint_eq(b.len, sizeof(create) + sizeof(update));
	b.len = 0;
	r.type = RECORD_DELETE;
	r.from_copy = false;
	r.expired = true;
	record_encode(&b, &r);
	ck_assert_mem_eq(b.data, delete, sizeof(delete));
	ck_assert_uint_eq(b.len, sizeof(delete));
}
END_TEST

/* ---- sessions of all kinds ---- */

START_TEST(test_nat) {
	static const struct {
		uint8_t proto;
		const char *src, *dst;      /* of the reply, in place of those of the inverse */
		int sport, dport;
		size_t len;
	} forms[] = {
		{ IPPROTO_TCP, NULL, NULL, -1, -1, 36 },
		{ IPPROTO_UDP, "9.9.9.9", NULL, -1, -1, 40 },
		{ IPPROTO_TCP, NULL, NULL, 8080, -1, 38 },
		{ IPPROTO_TCP, NULL, "8.8.8.8", -1, 61000, 42 },
		{ IPPROTO_SCTP, "9.9.9.9", "8.8.8.8", 8080, 61000, 48 },
		{ IPPROTO_GRE, NULL, "8.8.8.8", -1, 77, 42 },
		{ 50, NULL, "8.8.8.8", -1, -1, 40 },
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		struct record r = dnat(RECORD_CREATE);
		struct ct_tuple *t = &r.ct.tuple[CT_REPLY];

		r.ct.proto = forms[i].proto;
		*t = tuple(AF_INET, "20.150.252.91", 65022, "207.102.138.19", 57402);
		ck_assert(!forms[i].src || net_parse(AF_INET, forms[i].src, &t->src));
		ck_assert(!forms[i].dst || net_parse(AF_INET, forms[i].dst, &t->dst));
		t->sport = forms[i].sport < 0 ? t->sport : (uint16_t)forms[i].sport;
		t->dport = forms[i].dport < 0 ? t->dport : (uint16_t)forms[i].dport;
		ck_assert_uint_eq(there_and_back(&r), forms[i].len);
	}
}
END_TEST

/* The reply has the same id and the type that answers; both may be translated. */
START_TEST(test_icmp) {
	static const struct {
		int family;
		uint8_t proto, type, answer;
		uint16_t id;
		size_t len;
	} forms[] = {
		{ AF_INET, IPPROTO_ICMP, 8, 0, 4660, 36 },
		{ AF_INET, IPPROTO_ICMP, 13, 14, 4660, 36 },
		{ AF_INET, IPPROTO_ICMP, 15, 16, 4660, 36 },
		{ AF_INET, IPPROTO_ICMP, 17, 18, 4660, 36 },
		{ AF_INET, IPPROTO_ICMP, 8, 0, 99, 38 },
		{ AF_INET, IPPROTO_ICMP, 42, 43, 99, 40 },
		{ AF_INET6, IPPROTO_ICMPV6, 128, 129, 4660, 60 },
		{ AF_INET6, IPPROTO_ICMPV6, 129, 128, 4660, 60 },
		{ AF_INET6, IPPROTO_ICMPV6, 8, 0, 4660, 62 },
	};
	static const char *const end[][2] = { { "10.0.0.1", "10.0.0.2" },
					      { "2001:db8::1", "2001:db8::2" } };

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		const char *const *e = end[forms[i].family == AF_INET6];
		struct record r = dnat(RECORD_CREATE);

		r.ct.family = (uint8_t)forms[i].family;
		r.ct.proto = forms[i].proto;
		r.ct.tuple[CT_ORIG] = tuple(forms[i].family, e[0], 4660, e[1], forms[i].type);
		r.ct.tuple[CT_REPLY] = tuple(forms[i].family, e[1], forms[i].id, e[0],
					     forms[i].answer);
		r.ct.tuple[CT_ORIG].icmp_code = r.ct.tuple[CT_REPLY].icmp_code = 3;
		ck_assert_uint_eq(there_and_back(&r), forms[i].len);
	}
}
END_TEST

static void random_tuple(struct rng *r, const struct ct *ct, uint8_t proto, struct ct_tuple *t) {
	for (unsigned int i = 0; i < net_len(ct->family); i++) {
		t->src.byte[i] = (uint8_t)rng_next(r);
		t->dst.byte[i] = (uint8_t)rng_next(r);
	}
	t->sport = (uint16_t)rng_next(r);
	t->dport = (uint16_t)rng_next(r);
	if (ct_is_icmp(proto)) {
		t->dport &= 0xff;
		t->icmp_code = (uint8_t)rng_next(r);
	}
}

static void random_rest(struct rng *r, struct ct *ct) {
	if (rng_chance(r, 30))
		strcpy(ct->helper, &"123456789012345"[rng_below(r, 15)]);
	for (int dir = CT_ORIG; dir <= CT_REPLY; dir++)
		if (rng_chance(r, 30))
			ct->seqadj[dir] = (struct ct_seqadj){ (uint32_t)rng_next(r), -5, 6 };
	for (int dir = CT_ORIG; ct->proto == IPPROTO_SCTP && dir <= CT_REPLY; dir++)
		ct->vtag[dir] = rng_chance(r, 80) ? (uint32_t)rng_next(r) : 0;
	ct->has_master = rng_chance(r, 30);
	if (ct->has_master) {
		ct->master_proto = rng_chance(r, 50) ? IPPROTO_ICMP : IPPROTO_TCP;
		random_tuple(r, ct, ct->master_proto, &ct->master);
	}
}

static struct record random_session(struct rng *r) {
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, IPPROTO_ICMPV6,
					  IPPROTO_SCTP, IPPROTO_GRE, 0, 255 };
	struct record s = { .type = RECORD_CREATE + rng_below(r, RECORD_KEEP) };
	struct ct *ct = &s.ct;

	s.serial = (uint32_t)rng_next(r);
	s.vd = rng_chance(r, 30) ? (uint16_t)rng_next(r) : 0;
	s.from_copy = rng_chance(r, 50);
	s.unseen = rng_chance(r, 50);
	s.expired = rng_chance(r, 50);
	*ct = (struct ct){ .family = rng_chance(r, 50) ? AF_INET : AF_INET6 };
	ct->proto = protos[rng_below(r, ARRAY_LEN(protos))];
	ct->zone = rng_chance(r, 30) ? (uint16_t)rng_next(r) : 0;
	ct->state = (uint8_t)rng_below(r, 64);
	ct->status = (uint16_t)rng_next(r);
	ct->timeout = rng_below(r, RECORD_TIMEOUT_MAX + 1);
	ct->mark = (uint32_t)rng_next(r);
	ct->start_ns = (rng_next(r) >> 32) * 1000 * MS + rng_below(r, 1000) * MS;
	random_tuple(r, ct, ct->proto, &ct->tuple[CT_ORIG]);
	random_tuple(r, ct, ct->proto, &ct->tuple[CT_REPLY]);
	random_rest(r, ct);
	return s;
}

START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed());

	for (unsigned int i = 0; i < fixture_rounds(20000); i++) {
		struct record s = random_session(&r);

		there_and_back(&s);
	}
}
END_TEST

/* The start of an adopted session is in its label; that of the entry is when it came here. */
START_TEST(test_start) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r = dnat(RECORD_CREATE), back;

	r.ct.start_ns += 999999;
	record_encode(&b, &r);
	ck_assert(decode(&b, &back));
	ck_assert_uint_eq(back.ct.start_ns, 1700000000123 * MS);
	b.len = 0;
	r.ct.label[SESSION_LABEL_START / 64] = UINT64_C(1600000000) | UINT64_C(45) << 32;
	record_encode(&b, &r);
	ck_assert(decode(&b, &back));
	ck_assert_uint_eq(back.ct.start_ns, 1600000000045 * MS);
	b.len = 0;
	r.ct.label[SESSION_LABEL_START / 64] = UINT64_C(1600000000) | UINT64_C(1023) << 32;
	record_encode(&b, &r);
	ck_assert(decode(&b, &back));
	ck_assert_uint_eq(back.ct.start_ns, 1600000000999 * MS);
}
END_TEST

START_TEST(test_timeout) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r = dnat(RECORD_UPDATE), back;

	r.ct.timeout = UINT32_MAX;
	record_encode(&b, &r);
	ck_assert(decode(&b, &back));
	ck_assert_uint_eq(back.ct.timeout, RECORD_TIMEOUT_MAX);
	ck_assert_uint_eq(back.ct.state, TCP_CONNTRACK_ESTABLISHED);
}
END_TEST

/* ---- expected sessions, agreement ---- */

static struct record expectation(uint8_t family) {
	static const char *const end[][3] = { { "10.0.0.1", "10.0.0.2", "20.0.0.9" },
					      { "2001:db8::1", "2001:db8::2", "2001:db8::9" } };
	const char *const *e = end[family == AF_INET6];
	struct record r = { .type = RECORD_EXPECT };
	struct ct_expect *x = &r.expect;

	*x = (struct ct_expect){ .family = family, .proto = IPPROTO_TCP };
	x->master_proto = IPPROTO_UDP;
	x->tuple = tuple(family, e[1], 0, e[0], 40001);
	memset(x->mask.src.byte, 0xff, net_len(family));
	memset(x->mask.dst.byte, 0xff, net_len(family));
	x->mask.dport = 0xffff;
	x->master = tuple(family, e[0], 40000, e[2], 21);
	x->timeout = 300;
	x->flags = 0x80000005;
	x->class = 0x01020304;
	strcpy(x->helper, "123456789012345");
	strcpy(x->fn, "1234567890123456789012345678901");
	return r;
}

static size_t expect_there_and_back(const struct record *r) {
	const struct ct_expect *a = &r->expect, *b;
	AUTO_BUF struct buf out = BUF_INIT;
	struct record back;

	record_encode(&out, r);
	ck_assert(decode(&out, &back));
	b = &back.expect;
	ck_assert(back.type == RECORD_EXPECT && back.vd == r->vd && b->id == 0);
	ck_assert(back.serial == 0 && !back.from_copy && !back.unseen && !back.expired);
	ck_assert(a->family == b->family && a->proto == b->proto &&
		  a->master_proto == b->master_proto && a->zone == b->zone);
	ck_assert(same_tuple(&a->tuple, &b->tuple) && same_tuple(&a->mask, &b->mask) &&
		  same_tuple(&a->master, &b->master) && same_tuple(&a->nat, &b->nat));
	ck_assert(a->has_nat == b->has_nat && a->nat_dir == b->nat_dir);
	ck_assert(a->timeout == b->timeout && a->flags == b->flags && a->class == b->class);
	ck_assert_str_eq(a->helper, b->helper);
	ck_assert_str_eq(a->fn, b->fn);
	return out.len;
}

START_TEST(test_expect) {
	struct record plain = expectation(AF_INET), whole = expectation(AF_INET6), back;
	AUTO_BUF struct buf b = BUF_INIT;

	plain.expect.helper[0] = plain.expect.fn[0] = '\0';
	ck_assert_uint_eq(expect_there_and_back(&plain), 2 + 15 + 3 * 12);
	plain.expect.has_nat = true;
	plain.expect.nat = tuple(AF_INET, "0.0.0.0", 50001, "0.0.0.0", 0);
	expect_there_and_back(&plain);
	plain.expect.has_nat = false;
	record_encode(&b, &plain);
	b.data[2] |= 4;              /* a direction of no translation */
	ck_assert(decode(&b, &back));
	ck_assert(!back.expect.has_nat && back.expect.nat_dir == CT_ORIG);
	whole.vd = 3;
	whole.expect.zone = 9;
	whole.expect.has_nat = true;
	whole.expect.nat_dir = CT_REPLY;
	whole.expect.nat = tuple(AF_INET6, "2001:db8::5", 50001, "::", 0);
	ck_assert_uint_le(expect_there_and_back(&whole), RECORD_MAX);
}
END_TEST

START_TEST(test_resync) {
	for (enum record_type type = RECORD_RESYNC_ASK; type <= RECORD_RESYNC_END; type++) {
		AUTO_BUF struct buf b = BUF_INIT;
		struct record r = { .type = type }, back;

		r.walk = 777;
		for (unsigned int i = 0; i < ARRAY_LEN(r.buckets); i++)
			r.buckets[i] = UINT64_C(0x8000000000000001) + i * 2;
		record_encode(&b, &r);
		ck_assert(decode(&b, &back));
		ck_assert_int_eq(back.type, type);
		ck_assert_uint_eq(back.walk, 777);
		ck_assert_mem_eq(back.buckets, r.buckets, sizeof(r.buckets));
	}
}
END_TEST

static bool digest(uint16_t first, uint8_t count, struct record *back) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r = { .type = RECORD_DIGEST };

	r.first = first;
	r.count = count;
	for (unsigned int i = 0; i < RECORD_SUMS; i++)
		r.sums[i] = UINT64_MAX - i;
	record_encode(&b, &r);
	return decode(&b, back);
}

START_TEST(test_digest) {
	struct record back;

	ck_assert(digest(PRINTS_BUCKETS - RECORD_SUMS, RECORD_SUMS, &back));
	ck_assert_uint_eq(back.first, PRINTS_BUCKETS - RECORD_SUMS);
	ck_assert_uint_eq(back.count, RECORD_SUMS);
	for (unsigned int i = 0; i < RECORD_SUMS; i++)
		ck_assert_uint_eq(back.sums[i], UINT64_MAX - i);
	ck_assert(!digest(PRINTS_BUCKETS - RECORD_SUMS + 1, RECORD_SUMS, &back));
	ck_assert(!digest(UINT16_MAX, 1, &back));
	for (unsigned int count = RECORD_SUMS + 1; count < 256; count++) {
		uint8_t text[RECORD_MAX] = { RECORD_DIGEST, RECORD_MAX - 2, 0, 0, (uint8_t)count };
		struct buf_reader reader;

		buf_reader_init(&reader, text, sizeof(text));
		ck_assert(!record_decode(&reader, &back));
		ck_assert(reader.bad);
	}
	ck_assert(digest(PRINTS_BUCKETS, 0, &back));
}
END_TEST

/* ---- what others may send ---- */

/* Unknown types are skipped, known ones around them are not; unknown and longer values, too. */
START_TEST(test_newer) {
	static const uint8_t strange[] = { 0, 0, 200, 3, 1, 2, 3, 255, 0 };
	static const uint8_t tlvs[] = { 99, 2, 7, 7, 1, 4, 0x12, 0x34, 0xff, 0xff, 100, 0 };
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r = dnat(RECORD_DELETE), back;
	struct buf_reader reader;

	for (unsigned int i = 0; i < 3; i++) {
		size_t at;

		buf_put_bytes(&b, strange, sizeof(strange));
		at = b.len;
		record_encode(&b, &r);
		buf_put_bytes(&b, tlvs, sizeof(tlvs));
		b.data[at + 1] += sizeof(tlvs);
	}
	buf_put_bytes(&b, strange, sizeof(strange));
	buf_reader_init(&reader, b.data, b.len);
	r.ct.zone = 0x1234;
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert(record_decode(&reader, &back));
		assert_name(&r, &back);
	}
	ck_assert(!record_decode(&reader, &back));
	ck_assert(buf_reader_end(&reader));
}
END_TEST

/* A record that ends early is a fault: once as the end of the datagram, once by its own length. */
START_TEST(test_cut) {
	struct rng rng = rng_seed(fixture_seed());

	for (unsigned int i = 0; i < 200; i++) {
		struct record r = i ? random_session(&rng) : expectation(AF_INET6), back;
		AUTO_BUF struct buf whole = BUF_INIT;

		record_encode(&whole, &r);
		for (size_t len = 1; len < whole.len; len++) {
			AUTO_FREE uint8_t *copy = xreallocarray(NULL, len, 1);
			struct buf_reader reader;

			memcpy(copy, whole.data, len);
			buf_reader_init(&reader, copy, len);
			ck_assert(!record_decode(&reader, &back));
			ck_assert(reader.bad);
		}
	}
	for (enum record_type type = RECORD_CREATE; type <= RECORD_DIGEST; type++)
		for (uint8_t len = 0; len < 3; len++) {
			const uint8_t text[] = { type, len, 0, 3 };
			struct buf_reader reader;
			struct record back;

			buf_reader_init(&reader, text, 2 + len);
			ck_assert(!record_decode(&reader, &back));
			ck_assert(reader.bad);
		}
}
END_TEST

static bool take_tlv(uint8_t tag, const char *value, uint8_t len, struct record *back) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r = dnat(RECORD_CREATE);

	record_encode(&b, &r);
	buf_put_u8(&b, tag);
	buf_put_u8(&b, len);
	buf_put_bytes(&b, value, len);
	b.data[1] += 2 + len;
	return decode(&b, back);
}

START_TEST(test_names) {
	static const struct {
		const char *text;
		uint8_t len;
		bool good;
	} names[] = {
		{ "ftp", 3, true },     { "Q.931", 5, true },    { "123456789012345", 15, true },
		{ "", 0, false },       { "a\0b", 3, false },    { "1234567890123456", 16, false },
		{ "f tp", 4, false },   { "ftp\n", 4, false },   { "ft\x7f", 3, false },
		{ "ft\xc3", 3, false }, { "\x1b[31m", 5, false },
	};
	struct record back;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		ck_assert_int_eq(take_tlv(3, names[i].text, names[i].len, &back), names[i].good);
		if (names[i].good)
			ck_assert_str_eq(back.ct.helper, names[i].text);
	}
}
END_TEST

START_TEST(test_short_values) {
	static const struct {
		uint8_t tag, len;
	} least[] = { { 1, 2 }, { 2, 2 }, { 4, 12 }, { 5, 12 }, { 6, 13 } };
	struct record back;
	char zeros[16] = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(least); i++)
		for (uint8_t len = 0; len <= 13; len++)
			ck_assert_int_eq(take_tlv(least[i].tag, zeros, len, &back),
					 len >= least[i].len);
}
END_TEST

/* A start with more than 999 milliseconds would not fit into a label. */
START_TEST(test_milliseconds) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct record r = dnat(RECORD_CREATE), back;
	size_t at;

	record_encode(&b, &r);
	at = b.len - 8;
	ck_assert(b.data[at] == 0 && b.data[at + 1] == 123);
	b.data[at] = 999 >> 8;
	b.data[at + 1] = 999 & 0xff;
	ck_assert(decode(&b, &back));
	b.data[at + 1]++;
	ck_assert(!decode(&b, &back));
}
END_TEST

/* Several records that were changed at random: whatever is read reads the same again. */
START_TEST(test_noise) {
	struct rng r = rng_seed(fixture_seed());

	for (unsigned int i = 0; i < fixture_rounds(20000); i++) {
		AUTO_BUF struct buf b = BUF_INIT;
		struct buf_reader reader;
		struct record s, back;

		for (unsigned int n = 0; n < 4; n++) {
			s = random_session(&r);
			record_encode(&b, &s);
		}
		for (unsigned int n = rng_below(&r, 4); n > 0; n--)
			b.data[rng_below(&r, (uint32_t)b.len)] = (uint8_t)rng_next(&r);
		buf_reader_init(&reader, b.data, b.len);
		while (record_decode(&reader, &back))
			if (back.type <= RECORD_KEEP) {
				AUTO_BUF struct buf again = BUF_INIT;

				record_encode(&again, &back);
				ck_assert(decode(&again, &s));
				assert_name(&back, &s);
			}
	}
}
END_TEST

static Suite *record_suite(void) {
	Suite *s = suite_create("record");
	TCase *t = fixture_case(s, "record");

	tcase_add_test(t, test_sizes);
	tcase_add_test(t, test_layout);
	tcase_add_test(t, test_nat);
	tcase_add_test(t, test_icmp);
	tcase_add_test(t, test_random);
	tcase_add_test(t, test_start);
	tcase_add_test(t, test_timeout);
	tcase_add_test(t, test_expect);
	tcase_add_test(t, test_resync);
	tcase_add_test(t, test_digest);
	tcase_add_test(t, test_newer);
	tcase_add_test(t, test_cut);
	tcase_add_test(t, test_names);
	tcase_add_test(t, test_short_values);
	tcase_add_test(t, test_milliseconds);
	tcase_add_test(t, test_noise);
	return s;
}

int main(void) {
	return fixture_run(record_suite());
}
