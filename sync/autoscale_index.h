/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of names with their digests, and how to make one such list of another: what is to be
 * deleted, fetched, and given another place. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/digest.h"

struct autoscale_entry {
	char *name;
	unsigned char digest[DIGEST_LEN];
};

/* In the order in which entries were added. Zero is an empty one. */
struct autoscale_index {
	struct autoscale_entry *entry;
	size_t n, size, bytes;       /* bytes that it takes */
	uint64_t revision;           /* that it is of */
};

/* Release what it holds; it is empty afterwards. */
void autoscale_index_done(struct autoscale_index *x);

/* Add an entry; the name is copied. */
void autoscale_index_add(struct autoscale_index *x, const char *name,
			 const unsigned char digest[DIGEST_LEN]);

/* What is to be done with an entry of theirs. */
enum autoscale_change {
	AUTOSCALE_KEEP,
	AUTOSCALE_FETCH,             /* it is new, or another */
	AUTOSCALE_MOVE,              /* it is the same, at another place */
};

struct autoscale_plan {
	uint8_t *theirs;             /* enum autoscale_change of each of theirs */
	bool *deleted;               /* of each of ours */
};

/*
 * Compare. Where all of theirs that are not KEEP are put behind the one before them, in their
 * order, ours becomes theirs; as few as possible are moved. An entry that appears twice in a list
 * counts once. The caller releases the plan.
 */
void autoscale_plan_make(struct autoscale_plan *p, const struct autoscale_index *theirs,
			 const struct autoscale_index *ours);

/* Release what it holds. */
void autoscale_plan_done(struct autoscale_plan *p);
