/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A binary heap. The order breaks ties, so that a world goes the same way each time it is run from
 * the same seed.
 */
#include "tests/lib/agenda.h"

#include <check.h>
#include <stdbool.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"

struct agenda_item {
	uint64_t at_us, order;
	void *what;
};

static bool is_before(const struct agenda_item *a, const struct agenda_item *b) {
	return a->at_us < b->at_us || (a->at_us == b->at_us && a->order < b->order);
}

void agenda_put(struct agenda *a, uint64_t at_us, void *what) {
	const struct agenda_item new = { at_us, a->order++, what };
	size_t at = a->n++;

	if (a->n > a->size) {
		a->size = 2 * a->n;
		a->heap = xreallocarray(a->heap, a->size, sizeof(*a->heap));
	}
	while (at > 0 && is_before(&new, &a->heap[(at - 1) / 2])) {
		a->heap[at] = a->heap[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	a->heap[at] = new;
}

uint64_t agenda_first_us(const struct agenda *a) {
	return a->n > 0 ? a->heap[0].at_us : UINT64_MAX;
}

void *agenda_take(struct agenda *a) {
	void *first;
	struct agenda_item *last;
	size_t at = 0;

	ck_assert_uint_gt(a->n, 0);
	first = a->heap[0].what;
	last = &a->heap[--a->n];
	for (size_t next = 1; next < a->n; next = 2 * at + 1) {
		if (next + 1 < a->n && is_before(&a->heap[next + 1], &a->heap[next]))
			next++;
		if (is_before(last, &a->heap[next]))
			break;
		a->heap[at] = a->heap[next];
		at = next;
	}
	a->heap[at] = *last;
	return first;
}

void agenda_done(struct agenda *a, void (*done)(void *what)) {
	while (a->n > 0)
		done(a->heap[--a->n].what);
	free(a->heap);
	*a = (struct agenda){ .n = 0 };
}
