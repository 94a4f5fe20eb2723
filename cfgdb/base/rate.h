/* SPDX-License-Identifier: GPL-2.0-or-later */
/* No more than so many of something in a second. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct rate {
	uint32_t per_s, burst;   /* on average, and at once */
	uint64_t paid_ns;        /* until when what was taken is paid for; zero at the beginning */
};

/* Take one at a time (of any clock that only goes forward); false when there is none left. */
bool rate_take(struct rate *r, uint64_t now_ns);
