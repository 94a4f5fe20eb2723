/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A held transaction may be open for hours, and others go on with the tables in which it has moved
 * entries. An order that was written down would soon be of the past. So it also remembers what it
 * was told, one move after the other, and when the order of the active configuration has changed,
 * carries that out anew on the order as it is now. An entry by which another was placed is kept
 * from being deleted by others; should it go all the same, the order stays what it was, and the
 * commit is refused.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/places.h"
#include "cfgdb/txn_impl.h"

#define MOVES_MAX 65536  /* that are remembered; with more, an order that has changed is refused */

struct staged_move {
	const struct schema_table *table;
	char *key, *other;       /* other "": to the front */
	bool before;             /* other, or behind it */
	STAILQ_ENTRY(staged_move) next;
};

void txn_moves_note(struct txn *t, const struct schema_table *table, const char *key,
		    const char *other, bool before) {
	struct staged_move *m;

	if (!t->holder || t->n_moves++ >= MOVES_MAX)
		return;
	m = xcalloc(1, sizeof(*m));
	*m = (struct staged_move){ .table = table, .key = xstrdup(key), .other = xstrdup(other),
				   .before = before };
	STAILQ_INSERT_TAIL(&t->moves, m, next);
}

void txn_moves_clear(struct txn *t) {
	struct staged_move *m;

	while ((m = STAILQ_FIRST(&t->moves)) != NULL) {
		STAILQ_REMOVE_HEAD(&t->moves, next);
		free(m->key);
		free(m->other);
		free(m);
	}
	t->n_moves = 0;
}

bool txn_moves_name(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct staged_move *m;

	STAILQ_FOREACH(m, &t->moves, next)
		if (m->table == table && strcmp(m->other, key) == 0)
			return true;
	return false;
}

/* Whether an entry has a place in this order. */
static bool is_in(const struct places *places, const char *key) {
	return places_find(places, key) != NULL;
}

/* What a transaction leaves of an order that it had written down, and of its moves there. */
struct renewal {
	const struct txn *txn;
	const struct schema_table *table;
	struct places *now;
	const struct places *past;
};

/* Behind the nearest of those that stood before it in the past and are still there. */
static void stay_behind(const struct renewal *r, const char *key) {
	const struct place *before = places_find(r->past, key);

	do
		before = before ? places_prev(r->past, before) : NULL;
	while (before && !is_in(r->now, before->key));
	places_move(r->now, key, before ? before->key : "");
}

static void move_before(const struct renewal *r, const char *key, const char *other) {
	const struct place *before = places_prev(r->now, places_find(r->now, other));

	if (!before || strcmp(before->key, key) != 0)
		places_move(r->now, key, before ? before->key : "");
}

/* Carry out one move; false when that by which it was placed was deleted by somebody else. */
static bool repeat(const struct renewal *r, const struct staged_move *m) {
	const struct staged *s = txn_find_staged(r->txn, r->table, m->other);

	if (!is_in(r->now, m->key)) /* it was deleted since, here */
		return true;
	if (!*m->other || is_in(r->now, m->other)) {
		if (m->before)
			move_before(r, m->key, m->other);
		else
			places_move(r->now, m->key, m->other);
		return true;
	}
	if (s && !s->obj)
		stay_behind(r, m->key);
	return s && !s->obj;
}

/* The order of now in the place of that of the past, which stays if it cannot be made. */
static void renew(struct txn *t, const struct schema_table *table) {
	struct staged_order *order = &t->orders[table->id], past = *order;
	struct renewal r = { t, table, NULL, past.places };
	const struct staged_move *m;
	bool good = t->n_moves <= MOVES_MAX;

	order->places = NULL;
	r.now = txn_places_make(t, table);
	STAILQ_FOREACH(m, &t->moves, next)
		good = good && (m->table != table || repeat(&r, m));
	places_free(good ? past.places : r.now);
	if (!good)
		*order = past;
}

void txn_renew(struct txn *t) {
	for (uint16_t i = 0; t->holder && t->orders && i < schema_n_tables; i++)
		if (t->orders[i].places &&
		    t->orders[i].model_order != model_order(t->engine->model, schema_tables[i]))
			renew(t, schema_tables[i]);
}
