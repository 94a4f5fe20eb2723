/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each that is taken costs a share of a second and is paid for by the time that passes; a burst
 * is the credit. So one number is all that is remembered.
 */
#include "cfgdb/base/rate.h"

bool rate_take(struct rate *r, uint64_t now_ns) {
	uint64_t cost_ns = 1000000000u / r->per_s;

	if (r->paid_ns < now_ns)
		r->paid_ns = now_ns;
	if (r->paid_ns - now_ns > (r->burst - 1) * cost_ns)
		return false;
	r->paid_ns += cost_ns;
	return true;
}
