/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replication spends on a session besides the kernel: tests/bench/codec. Records to bytes and
 * back, datagrams sealed and opened, fingerprints found, added and removed in a set that grows to
 * a million and to eight. Everything but the set is in memory that is warm: lower bounds.
 *
 * Nothing here passes or fails by the clock.
 */
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "sync/prints.h"
#include "sync/record.h"
#include "sync/seal.h"

#define ROUNDS 1000000u
#define DATAGRAMS 200000u
#define PAYLOAD 1400

static double now_s(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *text) {
	fprintf(stderr, "codec: %s\n", text);
	exit(1);
}

static void figure(const char *what, double begin, unsigned int n) {
	printf("  %-44s %8.1f ns\n", what, (now_s() - begin) * 1e9 / n);
}

/* ---- records ---- */

static struct ct session(void) {
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP };

	ct.tuple[CT_ORIG] = (struct ct_tuple){ .src = net_ipv4(0xcf668a13),
					       .dst = net_ipv4(0x1496fc5b),
					       .sport = 57402,
					       .dport = 65022 };
	ct.tuple[CT_REPLY] = (struct ct_tuple){ .src = net_ipv4(0xac10890f),
						.dst = net_ipv4(0xcf668a13),
						.sport = 22,
						.dport = 57402 };
	ct.state = TCP_CONNTRACK_ESTABLISHED;
	ct.status = IPS_SEEN_REPLY | IPS_ASSURED | IPS_DST_NAT;
	ct.timeout = 3599;
	ct.mark = 2;
	ct.start_ns = UINT64_C(1700000000123000000);
	return ct;
}

static void record_figures(enum record_type type, const char *name) {
	struct record r = { .type = type, .serial = 0x74c1, .ct = session() }, back;
	AUTO_BUF struct buf b = BUF_INIT;
	char what[64];
	double begin = now_s();

	for (unsigned int i = 0; i < ROUNDS; i++) {
		b.len = 0;
		r.ct.mark = i;
		record_encode(&b, &r);
	}
	snprintf(what, sizeof(what), "%s to %zu bytes", name, b.len);
	figure(what, begin, ROUNDS);
	begin = now_s();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct buf_reader reader;

		buf_reader_init(&reader, b.data, b.len);
		if (!record_decode(&reader, &back))
			fail("a record is not read back");
	}
	snprintf(what, sizeof(what), "%s and back", name);
	figure(what, begin, ROUNDS);
}

/* ---- datagrams ---- */

static struct seal *unit(const char *own, const char *peer, enum seal_cipher cipher, bool encrypt) {
	struct seal_params p = { .cipher = cipher, .encrypt = encrypt };
	struct err err = { 0 };
	struct seal *s;

	p.own_serial = own;
	p.peer_serial = peer;
	s = seal_new(&p, &err);
	if (!s)
		fail(err.text);
	return s;
}

static void seal_figures(const char *name, enum seal_cipher cipher, bool encrypt) {
	const size_t size = SEAL_HEADER + PAYLOAD + SEAL_TAG;
	uint8_t payload[PAYLOAD] = { 0 }, *out = xcalloc(DATAGRAMS, size);
	struct seal *a = unit("A", "B", cipher, encrypt), *b = unit("B", "A", cipher, encrypt);
	char what[64];
	double begin;

	memset(out, 1, DATAGRAMS * size);
	begin = now_s();
	for (unsigned int i = 0; i < DATAGRAMS; i++)
		if (seal_make(a, SEAL_UDP, 0, payload, PAYLOAD, out + i * size) != size)
			fail("a datagram is not sealed");
	snprintf(what, sizeof(what), "%d bytes sealed, %s", PAYLOAD, name);
	figure(what, begin, DATAGRAMS);
	begin = now_s();
	for (unsigned int i = 0; i < DATAGRAMS; i++) {
		enum seal_channel ch;
		uint8_t link, *text;
		size_t len;

		if (seal_open(b, out + i * size, size, &ch, &link, &text, &len) != SEAL_OK)
			fail("a datagram is not opened");
	}
	snprintf(what, sizeof(what), "%d bytes opened, %s", PAYLOAD, name);
	figure(what, begin, DATAGRAMS);
	seal_free(a);
	seal_free(b);
	free(out);
}

/* ---- fingerprints ---- */

static uint64_t number(uint64_t i) {
	return (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
}

static void count(void *arg, struct print *print) {
	*(size_t *)arg += print->kind + 1;
}

static void fill(struct prints *p, unsigned int n) {
	double begin = now_s(), longest = 0;
	bool added;

	for (unsigned int i = 0; i < n; i++) {
		double before = now_s(), took;

		if (!prints_add(p, number(i), &added))
			fail("the set is full");
		took = now_s() - before;
		longest = took > longest ? took : longest;
	}
	figure("added", begin, n);
	printf("  %-44s %8.1f ms\n", "the longest of them", longest * 1e3);
}

static void prints_figures(unsigned int n) {
	static const uint8_t key[PRINTS_KEY];
	struct prints *p = prints_new(key);
	uint64_t cursor = 0;
	size_t seen = 0;
	double begin;

	printf("a set of %u fingerprints\n", n);
	fill(p, n);
	printf("  %-44s %8.1f bytes\n", "memory", (double)prints_bytes(p) / n);
	begin = now_s();
	for (unsigned int i = 0; i < n; i++)
		if (!prints_find(p, number(i)))
			fail("a fingerprint is lost");
	figure("found", begin, n);
	begin = now_s();
	while (prints_each(p, &cursor, 1000, count, &seen))
		;
	figure("visited", begin, n);
	begin = now_s();
	for (unsigned int i = 0; i < n; i++)
		prints_remove(p, prints_find(p, number(i)));
	figure("found and removed", begin, n);
	prints_free(p);
}

static void fp_figures(void) {
	static const uint8_t key[PRINTS_KEY];
	struct prints *p = prints_new(key);
	struct ct ct = session();
	uint64_t sum = 0;
	double begin = now_s();

	for (unsigned int i = 0; i < ROUNDS; i++) {
		ct.tuple[CT_ORIG].sport = (uint16_t)i;
		sum ^= prints_fp(p, &ct);
	}
	figure(sum ? "fingerprint of an IPv4 session" : "none", begin, ROUNDS);
	prints_free(p);
}

int main(void) {
	printf("sessions as records\n");
	record_figures(RECORD_CREATE, "CREATE");
	record_figures(RECORD_UPDATE, "UPDATE");
	record_figures(RECORD_DELETE, "DELETE");
	fp_figures();
	printf("datagrams\n");
	seal_figures("AES-256-GCM", SEAL_AES_256_GCM, true);
	seal_figures("AES-256-GCM, readable", SEAL_AES_256_GCM, false);
	seal_figures("ChaCha20-Poly1305", SEAL_CHACHA20, true);
	prints_figures(1000000);
	prints_figures(8000000);
	return 0;
}
