/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What need not move is a longest rising run of present places. For each length the end of the best
 * run of that length is kept, the one with the least place; each entry extends the longest run that
 * it can, found by halving, and remembers the entry before it there (patience sorting).
 */
#include "cfgdb/model/moves.h"

#include <stdlib.h>

#include "cfgdb/base/mem.h"

#define NOBODY ((size_t)-1)

/* Length of the longest run that an entry at this place extends. */
static size_t run_before(const size_t from[], const size_t best[], size_t n_best, size_t place) {
	size_t lo = 0, hi = n_best;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (from[best[mid]] < place)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

void moves_find(const size_t from[], size_t n, bool moves[]) {
	AUTO_FREE size_t *best = xcalloc(n + 1, sizeof(*best));	    /* by length - 1: its end */
	AUTO_FREE size_t *before = xcalloc(n + 1, sizeof(*before)); /* of each entry in its run */
	size_t n_best = 0;

	for (size_t i = 0; i < n; i++) {
		size_t length;

		moves[i] = true;
		if (from[i] == MOVES_NEW)
			continue;
		length = run_before(from, best, n_best, from[i]);
		before[i] = length > 0 ? best[length - 1] : NOBODY;
		best[length] = i;
		n_best += length == n_best;
	}
	for (size_t i = n_best > 0 ? best[n_best - 1] : NOBODY; i != NOBODY; i = before[i])
		moves[i] = false;
}
