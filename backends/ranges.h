/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of IPv4 addresses as sorted ranges. Pure; addresses in host byte order. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct range {
	uint32_t lo, hi;
};

/* Ranges in order that neither overlap nor touch, once normalized. */
struct ranges {
	struct range *r;
	uint32_t n;
};

#define AUTO_RANGES __attribute__((cleanup(ranges_done)))

/* Release what a set holds; it is empty afterwards. */
void ranges_done(struct ranges *s);

/* Add lo..hi; the set must be normalized before it is used. */
void ranges_add(struct ranges *s, uint32_t lo, uint32_t hi);

/* Add all of another set; the set must be normalized before it is used. */
void ranges_add_all(struct ranges *s, const struct ranges *other);

/* Sort and join. */
void ranges_normalize(struct ranges *s);

/* What is in a and not in b; the caller releases it. */
struct ranges ranges_minus(const struct ranges *a, const struct ranges *b);

/* What is not in s; the caller releases it. */
struct ranges ranges_complement(const struct ranges *s);

/* True when addr is in the set. */
bool ranges_contain(const struct ranges *s, uint32_t addr);

/* True when both hold the same. */
bool ranges_equal(const struct ranges *a, const struct ranges *b);

/* Number of addresses. */
uint64_t ranges_size(const struct ranges *s);

/* True when every address is in the set. */
bool ranges_all(const struct ranges *s);
