/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What time it is, by the clock on the wall and by one that nobody sets. */
#pragma once

#include <stdint.h>

#define MOMENT_BOOT_ID 40 /* bytes of the name of a boot, with its end */

struct moment {
	int64_t wall_s;          /* seconds since 1970; may be set, either way */
	int64_t boot_s;          /* seconds since the machine was started, sleep included */
};

/* Who tells the time: moment_now(), or a test. */
typedef void moment_fn(struct moment *ret);

/* The present moment. */
void moment_now(struct moment *ret);

/* Which start of the machine boot_s counts from; "" when the kernel does not say. */
void moment_boot_id(char id[MOMENT_BOOT_ID]);
