/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open addressing that keeps order. The first bits of a fingerprint are its home, and from there on
 * prints stand in the order of their fingerprints, with empty slots wherever nobody is pushed
 * out of his home. So the whole table is sorted, a search ends at the first print that is larger, a
 * removed print leaves no mark (those behind it move up), a table of another size is made by one
 * copy from front to back, and a place to go on from is just a fingerprint.
 *
 * Nothing wraps round: behind the last home there is a tail for those who are pushed out of it. At
 * three quarters full a hash fills it with a probability below 2^-50; then the set counts as full.
 */
#include "sync/prints.h"

#include <endian.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define BITS_MIN 10
#define TAIL 1024              /* slots behind the last home; the last of them stays empty */

_Static_assert(sizeof(struct print) == 16, "a print is 16 bytes");
_Static_assert(PRINTS_KEY == crypto_shorthash_KEYBYTES, "the key is one of SipHash");

struct prints {
	uint8_t key[PRINTS_KEY];
	unsigned int bits;     /* there are 2^bits homes */
	size_t count;
	struct print *slot;
};

static size_t homes(const struct prints *p) {
	return (size_t)1 << p->bits;
}

static struct print *home(const struct prints *p, uint64_t fp) {
	return p->slot + (fp >> (64 - p->bits));
}

/* The slot that stays empty. */
static struct print *last(const struct prints *p) {
	return p->slot + homes(p) + TAIL - 1;
}

static void make_slots(struct prints *p, unsigned int bits) {
	p->bits = bits;
	p->slot = xcalloc(homes(p) + TAIL, sizeof(*p->slot));
}

struct prints *prints_new(const uint8_t key[PRINTS_KEY]) {
	struct prints *p = xcalloc(1, sizeof(*p));

	memcpy(p->key, key, PRINTS_KEY);
	make_slots(p, BITS_MIN);
	return p;
}

struct prints *prints_free(struct prints *p) {
	if (!p)
		return NULL;
	free(p->slot);
	sodium_memzero(p->key, sizeof(p->key));
	free(p);
	return NULL;
}

/* Unused bytes are left out, not hashed: an IPv4 tuple then costs two rounds less. */
uint64_t prints_fp(const struct prints *p, const struct ct *ct) {
	const struct ct_tuple *t = &ct->tuple[CT_ORIG];
	unsigned int len = net_len(ct->family);
	const uint8_t head[] = { (uint8_t)len, ct->proto, (uint8_t)(ct->zone >> 8),
				 (uint8_t)ct->zone, (uint8_t)(t->sport >> 8), (uint8_t)t->sport,
				 (uint8_t)(t->dport >> 8), (uint8_t)t->dport, t->icmp_code };
	uint8_t text[sizeof(head) + 2 * sizeof(t->src)];
	uint64_t hash;

	memcpy(text, head, sizeof(head));
	memcpy(text + sizeof(head), t->src.byte, len);
	memcpy(text + sizeof(head) + len, t->dst.byte, len);
	crypto_shorthash((uint8_t *)&hash, text, sizeof(head) + 2 * len, p->key);
	return hash ? le64toh(hash) : 1;
}

/*
 * Fingerprints are as good as random, serials are not, and a sum must tell two sessions that have
 * changed serials: so both go through a mixer (the finalizer of SplitMix64; Steele, Lea, Flood:
 * Fast Splittable Pseudorandom Number Generators, 2014).
 */
uint64_t prints_weight(uint64_t fp, uint32_t serial) {
	uint64_t x = fp + serial * UINT64_C(0x9e3779b97f4a7c15);

	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

/* Where a fingerprint is, or belongs: behind all that are smaller. */
static struct print *seek(const struct prints *p, uint64_t fp) {
	struct print *at = home(p, fp);

	while (at->fp != 0 && at->fp < fp)
		at++;
	return at;
}

struct print *prints_find(const struct prints *p, uint64_t fp) {
	struct print *at = seek(p, fp);

	return at->fp == fp && fp != 0 ? at : NULL;
}

/*
 * Twice as many homes always have room, for nobody is pushed further beyond the last one; half as
 * many perhaps not: then the set stays as it is.
 */
static void resize(struct prints *p, unsigned int bits) {
	struct prints wanted = *p;
	struct print *next;

	make_slots(&wanted, bits);
	next = wanted.slot;
	for (const struct print *from = p->slot; from < last(p); from++) {
		struct print *at = home(&wanted, from->fp);

		if (from->fp == 0)
			continue;
		next = next > at ? next : at;
		if (next == last(&wanted)) {
			free(wanted.slot);
			return;
		}
		*next++ = *from;
	}
	free(p->slot);
	*p = wanted;
}

struct print *prints_add(struct prints *p, uint64_t fp, bool *added) {
	struct print *at = prints_find(p, fp), *end;

	*added = false;
	if (at || fp == 0 || p->count >= PRINTS_MAX)
		return at;
	if (p->count >= homes(p) / 4 * 3)
		resize(p, p->bits + 1);
	at = end = seek(p, fp);
	while (end->fp != 0)
		end++;
	if (end == last(p))
		return NULL;
	memmove(at + 1, at, (size_t)(end - at) * sizeof(*at));
	*at = (struct print){ .fp = fp };
	p->count++;
	*added = true;
	return at;
}

void prints_remove(struct prints *p, struct print *print) {
	struct print *end = print + 1;

	while (end->fp != 0 && home(p, end->fp) < end)
		end++;
	memmove(print, print + 1, (size_t)(end - print - 1) * sizeof(*print));
	end[-1] = (struct print){ .fp = 0 };
	p->count--;
	if (p->bits > BITS_MIN && p->count < homes(p) / 8)
		resize(p, p->bits - 1);
}

size_t prints_count(const struct prints *p) {
	return p->count;
}

size_t prints_bytes(const struct prints *p) {
	return sizeof(*p) + (homes(p) + TAIL) * sizeof(*p->slot);
}

/* The first print behind a fingerprint, or NULL. */
static struct print *behind(const struct prints *p, uint64_t fp) {
	struct print *at;

	if (fp == UINT64_MAX)
		return NULL;
	at = seek(p, fp + 1);
	while (at->fp == 0 && at < last(p))
		at++;
	return at->fp ? at : NULL;
}

bool prints_each(struct prints *p, uint64_t *cursor, size_t n,
		 void (*visit)(void *arg, struct print *print), void *arg) {
	for (; n > 0; n--) {
		struct print *at = behind(p, *cursor);

		if (!at)
			return false;
		*cursor = at->fp;
		visit(arg, at);
	}
	return true;
}
