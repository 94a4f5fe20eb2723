/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both lists are joined by name through sorted views of them. Of the entries that both have, the
 * longest run that stands in the same order in both stays where it is: the longest increasing
 * subsequence of our positions, read in their order. All others are moved, so that a list in which
 * one entry has another place costs one move.
 */
#include "sync/autoscale_index.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define NONE SIZE_MAX

void autoscale_index_done(struct autoscale_index *x) {
	for (size_t i = 0; i < x->n; i++)
		free(x->entry[i].name);
	free(x->entry);
	*x = (struct autoscale_index){ .n = 0 };
}

void autoscale_index_add(struct autoscale_index *x, const char *name,
			 const unsigned char digest[DIGEST_LEN]) {
	if (x->n == x->size) {
		x->size = x->size ? 2 * x->size : 64;
		x->entry = xreallocarray(x->entry, x->size, sizeof(*x->entry));
	}
	x->entry[x->n].name = xstrdup(name);
	memcpy(x->entry[x->n++].digest, digest, DIGEST_LEN);
	x->bytes += sizeof(*x->entry) + mem_size(strlen(name) + 1);
}

/* ---- joining by name ---- */

static int by_name(const void *a, const void *b) {
	const struct autoscale_entry *const *x = a, *const *y = b;
	int order = strcmp((*x)->name, (*y)->name);

	/* of two with one name the first comes first */
	return order ? order : (*x > *y) - (*x < *y);
}

static const struct autoscale_entry **sorted(const struct autoscale_index *x) {
	const struct autoscale_entry **view = xcalloc(x->n + 1, sizeof(void *));

	for (size_t i = 0; i < x->n; i++)
		view[i] = &x->entry[i];
	qsort(view, x->n, sizeof(void *), by_name);
	return view;
}

static bool is_repeated(const struct autoscale_entry **view, size_t i) {
	return i > 0 && strcmp(view[i - 1]->name, view[i]->name) == 0;
}

static void delete_one(struct autoscale_plan *p, const struct autoscale_index *ours,
		       const struct autoscale_entry **view, size_t i) {
	p->deleted[view[i] - ours->entry] = !is_repeated(view, i);
}

/* Where each of theirs stands in ours, or NONE; those of ours that are left over are deleted. */
static size_t *join(struct autoscale_plan *p, const struct autoscale_index *theirs,
		    const struct autoscale_index *ours) {
	const struct autoscale_entry **a AUTO_FREE = sorted(theirs);
	const struct autoscale_entry **b AUTO_FREE = sorted(ours);
	size_t *at = xcalloc(theirs->n + 1, sizeof(*at));
	size_t j = 0;

	for (size_t i = 0; i < theirs->n; i++) {
		size_t their_at = (size_t)(a[i] - theirs->entry);

		at[their_at] = NONE;
		if (is_repeated(a, i)) {
			p->theirs[their_at] = AUTOSCALE_KEEP;
			continue;
		}
		while (j < ours->n && strcmp(b[j]->name, a[i]->name) < 0)
			delete_one(p, ours, b, j++);
		p->theirs[their_at] = AUTOSCALE_FETCH;
		if (j == ours->n || strcmp(b[j]->name, a[i]->name) != 0)
			continue;
		at[their_at] = (size_t)(b[j] - ours->entry);
		if (memcmp(b[j++]->digest, a[i]->digest, DIGEST_LEN) == 0)
			p->theirs[their_at] = AUTOSCALE_MOVE;
	}
	while (j < ours->n)
		delete_one(p, ours, b, j++);
	return at;
}

/* ---- what stays ---- */

/*
 * Positions of ours in their order: those of the longest increasing run stay. tail[k]: the last
 * entry of the best run of k + 1; before[i]: the one before entry i in its run.
 */
static void keep_longest(struct autoscale_plan *p, const size_t *at, size_t n) {
	size_t *tail AUTO_FREE = xcalloc(n + 1, sizeof(*tail));
	size_t *before AUTO_FREE = xcalloc(n + 1, sizeof(*before));
	size_t len = 0;

	for (size_t i = 0; i < n; i++) {
		size_t low = 0, high = len;

		if (p->theirs[i] != AUTOSCALE_MOVE)
			continue;
		while (low < high) {
			size_t middle = (low + high) / 2;

			if (at[tail[middle]] < at[i])
				low = middle + 1;
			else
				high = middle;
		}
		before[i] = low > 0 ? tail[low - 1] : NONE;
		tail[low] = i;
		len = low == len ? len + 1 : len;
	}
	for (size_t i = len > 0 ? tail[len - 1] : NONE; i != NONE; i = before[i])
		p->theirs[i] = AUTOSCALE_KEEP;
}

void autoscale_plan_make(struct autoscale_plan *p, const struct autoscale_index *theirs,
			 const struct autoscale_index *ours) {
	size_t *at AUTO_FREE = NULL;

	*p = (struct autoscale_plan){ .theirs = xcalloc(theirs->n + 1, sizeof(*p->theirs)),
				      .deleted = xcalloc(ours->n + 1, sizeof(*p->deleted)) };
	at = join(p, theirs, ours);
	keep_longest(p, at, theirs->n);
}

void autoscale_plan_done(struct autoscale_plan *p) {
	free(p->theirs);
	free(p->deleted);
	*p = (struct autoscale_plan){ .theirs = NULL };
}
