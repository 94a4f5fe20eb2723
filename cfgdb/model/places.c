/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries are a tree by pos and one by key. Who moves gets the middle of a gap, so a gap of 2^32
 * takes 31 moves to the same place before it is used up. Then the smallest stretch of numbers
 * around it is looked for, 2, 4, 8, ... long, that holds few entries for its length, and these are
 * spread over it evenly, with gaps for some moves more. What counts as few falls with the length:
 * (4/3)^k of 2^k numbers. So a move costs a logarithm, over time.
 *
 * Before the first and behind the last entry there is no end of room; only a table whose first
 * place was taken some hundred thousand times is numbered anew as a whole.
 */
#include "cfgdb/model/places.h"

#include <bsd/sys/tree.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/model.h"

#define FAR ((int64_t)1 << 50) /* beyond it policies would be too near each other in the kernel */
#define STRETCH_MAX 62         /* bits */
#define GAP_MIN 65536          /* after entries were spread */

struct node {
	struct place place;
	RB_ENTRY(node) by_pos, by_key;
};

RB_HEAD(place_tree, node);
RB_HEAD(name_tree, node);

struct places {
	struct place_tree by_pos;
	struct name_tree by_key;
};

static int compare_pos(const struct node *a, const struct node *b) {
	if (a->place.pos != b->place.pos)
		return a->place.pos < b->place.pos ? -1 : 1;
	return strcmp(a->place.key, b->place.key);
}

static int compare_key(const struct node *a, const struct node *b) {
	return strcmp(a->place.key, b->place.key);
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(place_tree, node, by_pos, compare_pos)
RB_GENERATE_STATIC(name_tree, node, by_key, compare_key)

struct places *places_new(void) {
	return xcalloc(1, sizeof(struct places));
}

static void node_remove(struct places *ps, struct node *n) {
	RB_REMOVE(place_tree, &ps->by_pos, n);
	RB_REMOVE(name_tree, &ps->by_key, n);
	free(n->place.key);
	free(n);
}

struct places *places_free(struct places *ps) {
	struct node *n;

	while (ps && (n = RB_ROOT(&ps->by_pos)) != NULL)
		node_remove(ps, n);
	free(ps);
	return NULL;
}

static struct node *find(const struct places *ps, const char *key) {
	struct node want = { .place = { .key = (char *)key } };

	return RB_FIND(name_tree, (struct name_tree *)&ps->by_key, &want);
}

/* ---- looking ---- */

static const struct place *place_of(const struct node *n) {
	return n ? &n->place : NULL;
}

const struct place *places_find(const struct places *ps, const char *key) {
	return place_of(find(ps, key));
}

const struct place *places_first(const struct places *ps) {
	return place_of(RB_MIN(place_tree, (struct place_tree *)&ps->by_pos));
}

const struct place *places_next(const struct places *ps, const struct place *place) {
	(void)ps;
	return place_of(RB_NEXT(place_tree, NULL, (struct node *)place));
}

const struct place *places_prev(const struct places *ps, const struct place *place) {
	(void)ps;
	return place_of(RB_PREV(place_tree, NULL, (struct node *)place));
}

/* ---- numbering anew ---- */

/* Entries from `first` on, n of them, at step, 2 * step, ... behind base; their order stays. */
static void spread(struct node *first, size_t n, int64_t base, int64_t step) {
	for (; n > 0; n--, first = RB_NEXT(place_tree, NULL, first)) {
		base += step;
		first->place.pos = base ? base : 1;
	}
}

/* Make room on both sides of an entry. */
static void make_room(struct node *n) {
	struct node *first = n, *last = n, *next;
	size_t count = 1;
	double few = 1;

	for (unsigned int k = 1; k <= STRETCH_MAX; k++) {
		int64_t length = (int64_t)1 << k, base = n->place.pos & -length;

		few = few * 4 / 3;
		while ((next = RB_PREV(place_tree, NULL, first)) && next->place.pos >= base) {
			first = next;
			count++;
		}
		while ((next = RB_NEXT(place_tree, NULL, last)) &&
		       next->place.pos - base < length) {
			last = next;
			count++;
		}
		if ((double)count >= few || length / (int64_t)(count + 1) < GAP_MIN)
			continue;
		spread(first, count, base, length / (int64_t)(count + 1));
		return;
	}
}

static void number_all(struct places *ps) {
	struct node *n;
	size_t count = 0;

	RB_FOREACH(n, place_tree, &ps->by_pos)
		count++;
	spread(RB_MIN(place_tree, &ps->by_pos), count, 0, MODEL_POS_GAP);
}

/* ---- changing ---- */

void places_enter(struct places *ps, const char *key, int64_t pos) {
	struct node *n = xcalloc(1, sizeof(*n));

	n->place = (struct place){ xstrdup(key), pos };
	RB_INSERT(place_tree, &ps->by_pos, n);
	RB_INSERT(name_tree, &ps->by_key, n);
}

void places_append(struct places *ps, const char *key) {
	const struct node *last = RB_MAX(place_tree, &ps->by_pos);

	places_enter(ps, key, model_pos_behind(last ? last->place.pos : 0));
}

void places_remove(struct places *ps, const char *key) {
	struct node *n = find(ps, key);

	if (n)
		node_remove(ps, n);
}

/* A number between two neighbours that differ by more than 2. */
static int64_t middle(int64_t low, int64_t high) {
	int64_t pos = low + (high - low) / 2;

	return pos ? pos : 1;
}

/* A number before all others. */
static int64_t before_all(struct places *ps) {
	const struct node *first = RB_MIN(place_tree, &ps->by_pos);

	if (first && first->place.pos < -FAR)
		number_all(ps);
	if (!first)
		return MODEL_POS_GAP;
	return first->place.pos == MODEL_POS_GAP ? -MODEL_POS_GAP
						 : first->place.pos - MODEL_POS_GAP;
}

static int64_t behind(struct node *before) {
	const struct node *next = RB_NEXT(place_tree, NULL, before);

	if (!next)
		return model_pos_behind(before->place.pos);
	if (next->place.pos - before->place.pos <= 2)
		make_room(before);
	return middle(before->place.pos, next->place.pos);
}

void places_move(struct places *ps, const char *key, const char *after) {
	struct node *n = find(ps, key);

	RB_REMOVE(place_tree, &ps->by_pos, n);
	n->place.pos = *after ? behind(find(ps, after)) : before_all(ps);
	RB_INSERT(place_tree, &ps->by_pos, n);
}
