/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arithmetic on sets of addresses. Groups, exclusions and negation of the configuration are worked
 * out here once, so that rules only ever see plain ranges. Additions are cheap and unordered;
 * normalizing sorts and joins, after which the other functions may be used.
 */
#include "backends/ranges.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

void ranges_done(struct ranges *s) {
	free(s->r);
	*s = (struct ranges){ NULL, 0 };
}

void ranges_add(struct ranges *s, uint32_t lo, uint32_t hi) {
	if ((s->n & (s->n - 1)) == 0)
		s->r = xreallocarray(s->r, s->n ? (size_t)s->n * 2 : 1, sizeof(*s->r));
	s->r[s->n++] = (struct range){ lo, hi };
}

void ranges_add_all(struct ranges *s, const struct ranges *other) {
	for (uint32_t i = 0; i < other->n; i++)
		ranges_add(s, other->r[i].lo, other->r[i].hi);
}

static int range_order(const void *a, const void *b) {
	const struct range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

void ranges_normalize(struct ranges *s) {
	uint32_t n = 0;

	if (s->n > 1)
		qsort(s->r, s->n, sizeof(*s->r), range_order);
	for (uint32_t i = 0; i < s->n; i++) {
		struct range *last = n ? &s->r[n - 1] : NULL;

		if (last && (last->hi == UINT32_MAX || s->r[i].lo <= last->hi + 1)) {
			if (s->r[i].hi > last->hi)
				last->hi = s->r[i].hi;
		} else {
			s->r[n++] = s->r[i];
		}
	}
	s->n = n;
}

struct ranges ranges_minus(const struct ranges *a, const struct ranges *b) {
	struct ranges out = { NULL, 0 };
	uint32_t j = 0;

	for (uint32_t i = 0; i < a->n; i++) {
		uint64_t lo = a->r[i].lo;

		while (j < b->n && b->r[j].hi < lo)
			j++;
		for (uint32_t k = j; k < b->n && b->r[k].lo <= a->r[i].hi; k++) {
			if (b->r[k].lo > lo)
				ranges_add(&out, (uint32_t)lo, b->r[k].lo - 1);
			lo = (uint64_t)b->r[k].hi + 1;
		}
		if (lo <= a->r[i].hi)
			ranges_add(&out, (uint32_t)lo, a->r[i].hi);
	}
	return out;
}

struct ranges ranges_complement(const struct ranges *s) {
	struct range whole = { 0, UINT32_MAX };
	const struct ranges all = { &whole, 1 };

	return ranges_minus(&all, s);
}

bool ranges_contain(const struct ranges *s, uint32_t addr) {
	uint32_t lo = 0, hi = s->n;

	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;

		if (s->r[mid].hi < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < s->n && s->r[lo].lo <= addr;
}

bool ranges_equal(const struct ranges *a, const struct ranges *b) {
	return a->n == b->n && (a->n == 0 || memcmp(a->r, b->r, a->n * sizeof(*a->r)) == 0);
}

uint64_t ranges_size(const struct ranges *s) {
	uint64_t size = 0;

	for (uint32_t i = 0; i < s->n; i++)
		size += (uint64_t)s->r[i].hi - s->r[i].lo + 1;
	return size;
}

bool ranges_all(const struct ranges *s) {
	return s->n == 1 && s->r[0].lo == 0 && s->r[0].hi == UINT32_MAX;
}
