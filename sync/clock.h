/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The clock of what waits for others, and timers by it. */
#pragma once

#include <stdint.h>

struct event;

#define CLOCK_NEVER UINT64_MAX

/* Microseconds since the machine was started, sleep included. */
uint64_t clock_us(void);

/* Let a timer fire at this time of clock_us(), at once if it is past; CLOCK_NEVER: not at all. */
void clock_arm(struct event *timer, uint64_t at_us);
