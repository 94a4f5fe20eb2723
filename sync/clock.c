/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machines behind session and configuration replication have no clock: they are told the time
 * with each input, and say when they want to be asked next. What runs them takes both from here.
 * A machine that slept has been away for as long, so the clock counts that.
 */
#include "sync/clock.h"

#include <event2/event.h>
#include <time.h>

uint64_t clock_us(void) {
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

void clock_arm(struct event *timer, uint64_t at_us) {
	uint64_t now = clock_us(), wait_us = at_us > now ? at_us - now : 0;
	const struct timeval wait = { .tv_sec = (time_t)(wait_us / 1000000),
				      .tv_usec = (suseconds_t)(wait_us % 1000000) };

	if (at_us == CLOCK_NEVER)
		event_del(timer);
	else if (event_add(timer, &wait) != 0)
		event_active(timer, EV_TIMEOUT, 0); /* no memory */
}
