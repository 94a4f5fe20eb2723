/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random numbers for tests: one seed gives the same ones on every machine. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* A generator that begins at seed. */
struct rng rng_seed(uint64_t seed);

/* The next 64 random bits. */
uint64_t rng_next(struct rng *r);

/* A number below n, which is not 0. */
uint32_t rng_below(struct rng *r, uint32_t n);

/* True `percent` times of a hundred. */
bool rng_chance(struct rng *r, unsigned int percent);
