/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions that begin, change and end, as connection tracking tells them: those with certain marks,
 * or all but those that a program changed itself. What nobody asked for costs nothing but the
 * kernel's own work.
 */
#pragma once

#include <stddef.h>

#include "backends/ct.h"

enum ct_event { CT_BEGINS, CT_CHANGES, CT_ENDS };

/* Marks from first to last. */
struct ct_marks {
	uint32_t first, last;
};

#define CT_MARKS_MAX 64          /* ranges that the kernel is given; more are joined to fewer */

#define CT_EVENTS_PER_TURN 512

struct ct_events;

/* Open a socket to the current network namespace that hears nothing yet; NULL and *err. */
struct ct_events *ct_events_open(struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct ct_events *ct_events_close(struct ct_events *e);

/* The descriptor that is readable when there are events; it stays the same. */
int ct_events_fd(const struct ct_events *e);

/*
 * Hear of sessions with these marks from now on (n ranges, in order, apart from each other; no
 * range: of none): their ends and, when `begins`, their beginnings. Others may come, too.
 */
int ct_events_listen(struct ct_events *e, const struct ct_marks *marks, size_t n, bool begins,
		     struct err *err);

/*
 * Hear of all sessions from now on, changes too, and of those that are expected, but not of what
 * the netlink port `by` does. The kernel keeps up to `buffer` bytes of events (some 800 each) for a
 * reader that is late.
 */
int ct_events_follow(struct ct_events *e, uint32_t by, int buffer, struct err *err);

/* Sees an event; by is the netlink port of who made the change, 0: the kernel itself. */
typedef void ct_event_fn(void *arg, enum ct_event event, const struct ct *ct, uint32_t by);

/*
 * Take some of the events that are there, without waiting: at most CT_EVENTS_PER_TURN, so that
 * others get their turn. Returns true when events were lost before, because nobody read in time.
 */
bool ct_events_read(struct ct_events *e, ct_event_fn *each, void *arg);

/* Sees a session that a helper has begun to expect. */
typedef void ct_expected_fn(void *arg, const struct ct_expect *expect);

/* The same for who follows: expected sessions, too. */
bool ct_events_read_all(struct ct_events *e, ct_event_fn *each, ct_expected_fn *expected,
			void *arg);

/* Join neighbouring ranges, those with the smallest gaps first, until there are at most max. */
size_t ct_marks_join(struct ct_marks *marks, size_t n, size_t max);
