/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Splitmix64, by Steele, Lea and Flood (OOPSLA 2014): one addition and one mixing step a number.
 * Any state will do.
 */
#include "tests/lib/rng.h"

struct rng rng_seed(uint64_t seed) {
	return (struct rng){ seed * 0x9e3779b97f4a7c15u + 1 };
}

uint64_t rng_next(struct rng *r) {
	uint64_t z = r->state += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t rng_below(struct rng *r, uint32_t n) {
	return (uint32_t)((rng_next(r) >> 32) * n >> 32);
}

bool rng_chance(struct rng *r, unsigned int percent) {
	return rng_below(r, 100) < percent;
}
