/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions after a change of rules: those that the new rules do not allow end, those that another
 * policy allows now get its mark, all others are left alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/nft.h"
#include "cfgdb/base/err.h"

#define RECHECK_AT_ONCE 20000    /* sessions that recheck_look judges before it returns */

struct recheck;

/* Open what it needs of the current network namespace, for the rules of nft; NULL and *err. */
struct recheck *recheck_new(const struct nft *nft, struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct recheck *recheck_free(struct recheck *r);

/*
 * Begin to judge all sessions if rules have changed since the last call, also when that was in the
 * middle of it; the first RECHECK_AT_ONCE are done on return. To be called after whatever may
 * have changed them. What fails is told by recheck_step.
 */
void recheck_look(struct recheck *r);

/* The same when routes have changed, if there are sessions that could not be judged without. */
void recheck_look_at_routes(struct recheck *r);

/* True while there is more to do, by recheck_step. */
bool recheck_busy(const struct recheck *r);

/*
 * Go on for some milliseconds. ERR_KERNEL and *err when sessions could not be judged; it is still
 * busy then, and the next call begins anew.
 */
int recheck_step(struct recheck *r, struct err *err);

struct recheck_counts {
	uint64_t walks;              /* through the whole table */
	uint64_t judged, ended, moved; /* sessions; ended: also copies that are refused */
};

/* What was done so far. */
struct recheck_counts recheck_counts(const struct recheck *r);
