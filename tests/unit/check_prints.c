/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The set of fingerprints against a plain array: random additions, removals and visits, many of one
 * home, while the set grows and shrinks; its bounds; and fingerprints as another program computes
 * them.
 */
#include "sync/prints.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define DOMAIN 6000            /* fingerprints of the model */
#define CLUSTER 300            /* of them share a home */

static const uint8_t key[PRINTS_KEY] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };

/* What is in the set, by number in the domain. 0: it is not there. */
static uint32_t model[DOMAIN];
static size_t n_model;

/* Half of them crowd in ten homes, the last one of all among them; the others are spread. */
static uint64_t domain_fp(unsigned int i) {
	uint64_t part = i / (2 * CLUSTER), n = i % (2 * CLUSTER);

	if (n >= CLUSTER)
		return part << 60 | (n - CLUSTER + 1) << 51;
	return part == 9 ? UINT64_MAX - n : (part << 60) + n + 1;
}

static unsigned int domain_find(uint64_t fp) {
	for (unsigned int i = 0; i < DOMAIN; i++)
		if (domain_fp(i) == fp)
			return i;
	ck_abort_msg("a fingerprint that nobody added");
}

struct visit {
	uint64_t fp[DOMAIN];
	size_t n;
};

static void note(void *arg, struct print *print) {
	struct visit *v = arg;

	ck_assert_uint_lt(v->n, DOMAIN);
	v->fp[v->n++] = print->fp;
}

static void assert_same(struct prints *p) {
	struct visit v = { .n = 0 };
	uint64_t cursor = 0;

	ck_assert_uint_eq(prints_count(p), n_model);
	for (unsigned int i = 0; i < DOMAIN; i++) {
		const struct print *print = prints_find(p, domain_fp(i));

		ck_assert_int_eq(print != NULL, model[i] != 0);
		ck_assert(!print || (print->fp == domain_fp(i) && print->serial == model[i]));
	}
	ck_assert(!prints_each(p, &cursor, SIZE_MAX, note, &v));
	ck_assert_uint_eq(v.n, n_model);
	for (size_t i = 1; i < v.n; i++)
		ck_assert_uint_lt(v.fp[i - 1], v.fp[i]);
}

static void add(struct prints *p, unsigned int i, uint32_t serial) {
	bool added;
	struct print *print = prints_add(p, domain_fp(i), &added);

	ck_assert_ptr_nonnull(print);
	ck_assert_int_eq(added, model[i] == 0);
	ck_assert_uint_eq(print->serial, model[i]);
	ck_assert(!added || (print->kind == 0 && print->peers == 0 && print->state == 0));
	print->serial = serial;
	n_model += model[i] == 0;
	model[i] = serial;
}

static void drop(struct prints *p, unsigned int i) {
	struct print *print = prints_find(p, domain_fp(i));

	ck_assert_int_eq(print != NULL, model[i] != 0);
	if (!print)
		return;
	prints_remove(p, print);
	ck_assert_ptr_null(prints_find(p, domain_fp(i)));
	n_model--;
	model[i] = 0;
}

/* From empty to full and back, so that it changes its size on the way. */
START_TEST(test_model) {
	struct rng r = rng_seed(fixture_seed());
	struct prints *p = prints_new(key);
	size_t empty = prints_bytes(p), most = 0;

	memset(model, 0, sizeof(model));
	n_model = 0;
	for (unsigned int round = 0; round < fixture_rounds(8); round++) {
		unsigned int percent = round % 2 ? 20 : 80;

		for (unsigned int n = 0; n < 20000; n++) {
			unsigned int i = rng_below(&r, DOMAIN);

			if (rng_chance(&r, percent))
				add(p, i, 1 + rng_below(&r, 1u << 30));
			else
				drop(p, i);
		}
		assert_same(p);
		most = prints_bytes(p) > most ? prints_bytes(p) : most;
	}
	ck_assert_uint_gt(most, empty);
	for (unsigned int i = 0; i < DOMAIN; i++)
		drop(p, i);
	assert_same(p);
	ck_assert_uint_eq(prints_bytes(p), empty);
	prints_free(p);
}
END_TEST

/* Removed prints leave nothing behind: what comes and goes needs no more room than what stays. */
START_TEST(test_churn) {
	struct rng r = rng_seed(fixture_seed());
	struct prints *p = prints_new(key);
	uint64_t there[512] = { 0 };
	size_t empty = prints_bytes(p);
	bool added;

	for (unsigned int n = 0; n < 1000000; n++) {
		unsigned int i = rng_below(&r, ARRAY_LEN(there));

		if (there[i])
			prints_remove(p, prints_find(p, there[i]));
		there[i] = rng_next(&r) | 1;
		ck_assert_ptr_nonnull(prints_add(p, there[i], &added));
		ck_assert(added);
	}
	for (unsigned int i = 0; i < ARRAY_LEN(there); i++)
		ck_assert(!there[i] || prints_find(p, there[i]));
	ck_assert_uint_le(prints_count(p), ARRAY_LEN(there));
	ck_assert_uint_eq(prints_bytes(p), empty);
	prints_free(p);
}
END_TEST

struct sweep {
	struct prints *p;
	unsigned int seen[DOMAIN];
};

/* Some of those that nobody else touches go, seen from inside. */
static void sweep(void *arg, struct print *print) {
	struct sweep *s = arg;
	unsigned int i = domain_find(print->fp);

	s->seen[i]++;
	if (i % 6 == 0)
		prints_remove(s->p, print);
}

static void come_and_go(struct prints *p, struct rng *r) {
	for (unsigned int n = 0; n < 40; n++) {
		unsigned int i = rng_below(r, DOMAIN) | 1;

		if (rng_chance(r, 50))
			add(p, i, 1);
		else
			drop(p, i);
	}
}

/* What is there from begin to end is visited once, though others come and go between the pieces. */
START_TEST(test_pieces) {
	struct rng r = rng_seed(fixture_seed());
	struct sweep *s = xcalloc(1, sizeof(*s));
	uint64_t cursor = 0;

	memset(model, 0, sizeof(model));
	s->p = prints_new(key);
	for (unsigned int i = 0; i < DOMAIN; i += 2)
		add(s->p, i, 1);
	while (prints_each(s->p, &cursor, 10, sweep, s))
		come_and_go(s->p, &r);
	for (unsigned int i = 0; i < DOMAIN; i += 2) {
		ck_assert_uint_eq(s->seen[i], 1);
		ck_assert_int_eq(prints_find(s->p, domain_fp(i)) == NULL, i % 6 == 0);
	}
	prints_free(s->p);
	free(s);
}
END_TEST

/* More than the tail holds at the last home: refused, and nothing else suffers. */
START_TEST(test_tail) {
	struct prints *p = prints_new(key);
	bool added;

	for (uint64_t i = 0; i < 1024; i++)
		ck_assert(prints_add(p, UINT64_MAX - i * 3, &added) && added);
	for (uint64_t i = 0; i < 100; i++)
		ck_assert(!prints_add(p, UINT64_MAX - i * 3 - 1, &added) && !added);
	ck_assert(prints_add(p, UINT64_MAX - 3, &added) && !added);
	ck_assert(prints_add(p, 1, &added) && added);
	ck_assert(!prints_add(p, 0, &added) && !added);
	ck_assert_uint_eq(prints_count(p), 1025);
	for (uint64_t i = 0; i < 1024; i++)
		ck_assert_ptr_nonnull(prints_find(p, UINT64_MAX - i * 3));
	prints_free(p);
}
END_TEST

/* As many at the end as a table of half the size could not hold: it stays until they are fewer. */
START_TEST(test_no_room_to_shrink) {
	const uint64_t step = UINT64_C(0x4e3779b97f4a7c15) / 8000;     /* the end stays free */
	struct prints *p = prints_new(key);
	size_t grown;
	bool added;

	for (uint64_t i = 1; i <= 8000; i++)
		ck_assert_ptr_nonnull(prints_add(p, i * step, &added));
	grown = prints_bytes(p);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(prints_add(p, UINT64_MAX - i, &added));
	for (uint64_t i = 0; i < 1000 && added; i++)
		prints_add(p, UINT64_MAX - (UINT64_C(1) << 50) - i, &added);
	ck_assert_uint_eq(prints_bytes(p), grown);
	for (uint64_t i = 1; i <= 8000; i++)
		prints_remove(p, prints_find(p, i * step));
	ck_assert_uint_eq(prints_bytes(p), grown);
	ck_assert_uint_gt(prints_count(p), 1024);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert_ptr_nonnull(prints_find(p, UINT64_MAX - i));
	for (uint64_t i = 0; i < 1000; i++)
		prints_remove(p, prints_find(p, UINT64_MAX - i));
	ck_assert_uint_lt(prints_bytes(p), grown);
	prints_free(p);
}
END_TEST

START_TEST(test_full) {
	const uint64_t step = UINT64_C(0x9e3779b97f4a7c15);   /* spreads evenly */
	struct prints *p = prints_new(key);
	bool added, all = true;

	for (uint64_t i = 1; i <= PRINTS_MAX; i++)
		all = all && prints_add(p, i * step, &added) && added;
	ck_assert(all);
	ck_assert_ptr_null(prints_add(p, 77, &added));
	ck_assert(prints_add(p, step, &added) && !added);
	ck_assert_uint_le(prints_bytes(p), 43 * prints_count(p));
	prints_remove(p, prints_find(p, step));
	ck_assert(prints_add(p, 77, &added) && added);
	ck_assert_uint_eq(prints_count(p), PRINTS_MAX);
	prints_free(p);
}
END_TEST

/* ---- fingerprints ---- */

static struct ct session(uint8_t family, uint8_t proto, const char *src, const char *dst,
			 uint16_t sport, uint16_t dport) {
	struct ct ct = { .family = family, .proto = proto };

	ck_assert(net_parse(family, src, &ct.tuple[CT_ORIG].src));
	ck_assert(net_parse(family, dst, &ct.tuple[CT_ORIG].dst));
	ct.tuple[CT_ORIG].sport = sport;
	ct.tuple[CT_ORIG].dport = dport;
	return ct;
}

/* The values are from a SipHash of its own, tried on the example in the paper of its authors. */
START_TEST(test_fp_known) {
	struct ct tcp = session(AF_INET, IPPROTO_TCP, "207.102.138.19", "20.150.252.91", 57402,
				65022);
	struct ct icmp = session(AF_INET, IPPROTO_ICMP, "10.0.0.1", "10.0.0.2", 4660, 8);
	struct ct udp = session(AF_INET6, IPPROTO_UDP, "2001:db8::1", "2001:db8::2", 1000, 53);
	struct prints *p = prints_new(key);

	icmp.zone = 7;
	icmp.tuple[CT_ORIG].icmp_code = 3;
	ck_assert_uint_eq(prints_fp(p, &tcp), UINT64_C(0x8787bd987e1d932e));
	ck_assert_uint_eq(prints_fp(p, &icmp), UINT64_C(0xaf5e125f5a52ee1d));
	ck_assert_uint_eq(prints_fp(p, &udp), UINT64_C(0x21fa5e626e93491f));
	prints_free(p);
}
END_TEST

/* All of the key and of what names a session counts, nothing else does. */
START_TEST(test_fp_parts) {
	const struct ct base = session(AF_INET, IPPROTO_TCP, "1.2.3.4", "5.6.7.8", 1000, 80);
	struct ct other[8], same = base;
	struct prints *p = prints_new(key), *q;
	uint8_t key2[PRINTS_KEY];

	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		other[i] = base;
	other[0].family = AF_INET6;
	other[1].proto = IPPROTO_UDP;
	other[2].zone = 256;
	other[3].tuple[CT_ORIG].src.byte[3]++;
	other[4].tuple[CT_ORIG].dst.byte[0]++;
	other[5].tuple[CT_ORIG].sport += 256;
	other[6].tuple[CT_ORIG].dport++;
	other[7].tuple[CT_ORIG].icmp_code++;
	for (size_t i = 0; i < ARRAY_LEN(other); i++)
		ck_assert_uint_ne(prints_fp(p, &other[i]), prints_fp(p, &base));
	same.tuple[CT_REPLY].sport = same.mark = same.id = same.status = same.timeout = 9;
	ck_assert_uint_eq(prints_fp(p, &same), prints_fp(p, &base));
	for (size_t i = 0; i < PRINTS_KEY; i++) {
		memcpy(key2, key, sizeof(key));
		key2[i] ^= 0x80;
		q = prints_new(key2);
		ck_assert_uint_ne(prints_fp(q, &base), prints_fp(p, &base));
		prints_free(q);
	}
	prints_free(p);
}
END_TEST

/* A sum tells two sessions that have changed their serials, and one that is there twice. */
START_TEST(test_weight) {
	struct rng r = rng_seed(fixture_seed());

	for (unsigned int i = 0; i < 10000; i++) {
		uint64_t a = rng_next(&r), b = rng_next(&r);
		uint32_t x = rng_below(&r, 1000), y = x + 1 + rng_below(&r, 9);

		ck_assert_uint_ne(prints_weight(a, x) ^ prints_weight(b, y),
				  prints_weight(a, y) ^ prints_weight(b, x));
		ck_assert_uint_ne(prints_weight(a, x), prints_weight(a, y));
		ck_assert_uint_ne(prints_weight(a, x), prints_weight(b, x));
		ck_assert_uint_lt(prints_bucket(a), PRINTS_BUCKETS);
	}
	ck_assert_uint_eq(prints_bucket(PRINTS_BUCKETS * 5 + 7), 7);
}
END_TEST

static Suite *prints_suite(void) {
	Suite *s = suite_create("prints");
	TCase *t = fixture_case(s, "prints");

	tcase_add_test(t, test_model);
	tcase_add_test(t, test_churn);
	tcase_add_test(t, test_pieces);
	tcase_add_test(t, test_tail);
	tcase_add_test(t, test_no_room_to_shrink);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_fp_known);
	tcase_add_test(t, test_fp_parts);
	tcase_add_test(t, test_weight);
	return s;
}

int main(void) {
	return fixture_run(prints_suite());
}
