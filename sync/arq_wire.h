/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the halves of sync/arq share: how payloads look, and sets of numbers. */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "sync/arq.h"

#define ARQ_NEVER UINT64_MAX

/* Numbers are big-endian; the records of DATA and the ranges of ACK follow. */
struct arq_wire_data {
	uint8_t kind;
	uint64_t seq, ack;
} __attribute__((packed));

struct arq_wire_range {
	uint64_t first;
	uint16_t count;
} __attribute__((packed));

struct arq_wire_ack {
	uint8_t kind;
	uint64_t ack;
	uint16_t n;
	struct arq_wire_range range[];
} __attribute__((packed));

static_assert(sizeof(struct arq_wire_data) == ARQ_HEADER, "header of DATA");
static_assert(sizeof(struct arq_wire_ack) + ARQ_RANGES * sizeof(struct arq_wire_range) ==
		      ARQ_ACK_MAX, "longest ACK");

/* A set of numbers that are less than ARQ_EARLY apart: a bit for each. */
struct arq_bits {
	uint64_t word[ARQ_EARLY / 64];
};

static inline bool arq_bits_test(const struct arq_bits *b, uint64_t n) {
	return b->word[n % ARQ_EARLY / 64] >> n % 64 & 1;
}

static inline void arq_bits_set(struct arq_bits *b, uint64_t n) {
	b->word[n % ARQ_EARLY / 64] |= (uint64_t)1 << n % 64;
}

static inline void arq_bits_clear(struct arq_bits *b, uint64_t n) {
	b->word[n % ARQ_EARLY / 64] &= ~((uint64_t)1 << n % 64);
}

/* The first of [from, to) that is in the set, or is not; to: there is none. */
static inline uint64_t arq_bits_find(const struct arq_bits *b, bool in, uint64_t from,
				     uint64_t to) {
	while (from < to) {
		uint64_t word = b->word[from % ARQ_EARLY / 64] ^ (in ? 0 : UINT64_MAX);

		word >>= from % 64;
		if (word != 0) {
			from += (uint64_t)__builtin_ctzll(word);
			return from < to ? from : to;
		}
		from += 64 - from % 64;
	}
	return to;
}

static inline uint64_t arq_least(uint64_t a, uint64_t b) {
	return a < b ? a : b;
}
