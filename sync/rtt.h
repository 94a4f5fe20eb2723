/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The round trip of a path, smoothed as in RFC 6298. */
#pragma once

#include <stdint.h>

#define RTT_MAX_US 2000000u

struct rtt {
	uint32_t smooth_us;          /* 0: nothing measured yet */
	uint32_t vary_us;            /* mean deviation from it */
};

/* Begin anew with one measurement. */
static inline void rtt_begin(struct rtt *r, uint32_t us) {
	r->smooth_us = us > 0 ? us : 1;
	r->vary_us = r->smooth_us / 2;
}

/* Take one more measurement. One beyond RTT_MAX_US is of a clock that jumped, and is left out. */
static inline void rtt_sample(struct rtt *r, uint64_t us) {
	uint32_t new = (uint32_t)us, off;

	if (us > RTT_MAX_US)
		return;
	if (r->smooth_us == 0) {
		rtt_begin(r, new);
		return;
	}
	off = new > r->smooth_us ? new - r->smooth_us : r->smooth_us - new;
	r->vary_us = (3 * r->vary_us + off) / 4;
	r->smooth_us = (7 * r->smooth_us + new) / 8;
	if (r->smooth_us == 0)
		r->smooth_us = 1;
}
