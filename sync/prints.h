/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of sessions besides the kernel's table: a fingerprint and a few facts of each one
 * that peers were told of, or that was told by one. 16 bytes a session; 22 to 43 with the room
 * between them in a set that grows, and at most 128 in one that has shrunk.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/ct.h"

#define PRINTS_BUCKETS 1024
#define PRINTS_MAX (8u << 20)        /* sessions; more are refused */
#define PRINTS_KEY 16                /* bytes of the key */
#define PRINTS_ROUNDS 4096           /* numbers of rounds */

/* ADOPTED: own, taken over from a lost owner, and no packet seen yet. */
enum print_kind { PRINT_OWN = 1, PRINT_ADOPTED, PRINT_COPY };

struct print {
	uint64_t fp;                 /* never 0 */
	uint32_t serial;
	union {
		uint16_t peers;              /* own: bit n: peer n was told */
		struct {
			uint16_t owner : 4;  /* COPY: index of the owner */
			uint16_t round : 12; /* COPY: of the owner's rounds when it was told last */
		};
	};
	uint8_t kind : 2;            /* enum print_kind */
	uint8_t seen : 1;            /* COPY: a packet came here since the walk before the last */
	uint8_t mark : 5;            /* told last: a hash of the mark */
	uint8_t state : 6;           /* told last: TCP state; SEEN_REPLY: 0x10, ASSURED: 0x20 */
	uint8_t walk : 2;            /* number of the walk (mod 4) that saw it last */
};

struct prints;

/* An empty set with this key for fingerprints. The caller frees it. */
struct prints *prints_new(const uint8_t key[PRINTS_KEY]);

/* Wipe the key and free; NULL is fine. Returns NULL. */
struct prints *prints_free(struct prints *p);

/*
 * The fingerprint of a session: SipHash-2-4 of family, protocol, zone and original tuple, so equal
 * on all members with this key, and not to be foreseen without it; never 0.
 */
uint64_t prints_fp(const struct prints *p, const struct ct *ct);

/* The bucket of a fingerprint. */
static inline unsigned int prints_bucket(uint64_t fp) {
	return fp % PRINTS_BUCKETS;
}

/* What a session adds to the sum (XOR) of its bucket. */
uint64_t prints_weight(uint64_t fp, uint32_t serial);

/* The print of a fingerprint or NULL; the set's own, valid until the next add or remove. */
struct print *prints_find(const struct prints *p, uint64_t fp);

/*
 * Find or add (all zero but for fp); *added says which. The set's own, as above. NULL when the set
 * is full. An addition that doubles the room of a million takes some 10 ms.
 */
struct print *prints_add(struct prints *p, uint64_t fp, bool *added);

/* Remove a print of the set. */
void prints_remove(struct prints *p, struct print *print);

/* How many there are. */
size_t prints_count(const struct prints *p);

/* Bytes of memory that the set takes. */
size_t prints_bytes(const struct prints *p);

/*
 * Visit at most n prints in the order of their fingerprints, on from *cursor (0 at first). False
 * when there were no more. visit() may change the print and may remove it, but not others. Between
 * calls anything may be added and removed: what is there all the time is visited exactly once.
 */
bool prints_each(struct prints *p, uint64_t *cursor, size_t n,
		 void (*visit)(void *arg, struct print *print), void *arg);
