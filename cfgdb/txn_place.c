/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Places in ordered tables. As long as nobody asks for one, what is new goes to the end, and the
 * order is that of the model and then of what is staged: it needs no memory. The first entry that
 * is given a place has the order of its whole table written down, as the transaction would leave it
 * (places.h); from then on that is the order, and at the commit entries get their pos from it.
 *
 * An entry that is told to be where it is already costs a look at its neighbour, for that is what
 * most of a replicated transaction says.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/places.h"
#include "cfgdb/txn_impl.h"

void txn_places_set(struct txn *t, const struct schema_table *table, struct places *places) {
	if (!t->orders)
		t->orders = xcalloc(schema_n_tables, sizeof(*t->orders));
	places_free(t->orders[table->id].places);
	t->orders[table->id] =
		(struct staged_order){ places, model_order(t->engine->model, table) };
}

void txn_places_enter(const struct txn *t, const struct schema_table *table, const char *key) {
	struct places *places = txn_places(t, table);

	if (places)
		places_append(places, key);
}

void txn_places_remove(const struct txn *t, const struct schema_table *table, const char *key) {
	struct places *places = txn_places(t, table);

	if (places)
		places_remove(places, key);
}

void txn_places_clear(struct txn *t) {
	for (uint16_t i = 0; t->orders && i < schema_n_tables; i++)
		places_free(t->orders[i].places);
	free(t->orders);
	t->orders = NULL;
}

/* ---- the order that nobody has asked to change ---- */

/* Whether an active entry stands where it stood. */
static bool stands(const struct txn *t, const struct object *active) {
	const struct staged *s = txn_find_staged(t, active->table, active->key);

	return !s || (s->obj && !s->moved);
}

/* Whether something staged stands behind all that was there. */
static bool is_behind(const struct txn *t, const struct staged *s) {
	return s->obj && (s->moved || !txn_active(t, s->table, s->key));
}

/* Key of the last active entry, from this one back, that stands; "" when none does. */
static const char *standing_key(const struct txn *t, const struct object *obj) {
	while (obj && !stands(t, obj))
		obj = model_prev(t->engine->model, obj);
	return obj ? obj->key : "";
}

const char *txn_key_before(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct places *places = txn_places(t, table);
	const struct staged *s = txn_find_staged(t, table, key);
	const struct place *before;

	if (places) {
		before = places_prev(places, places_find(places, key));
		return before ? before->key : "";
	}
	if (!s || !is_behind(t, s))
		return standing_key(t, model_prev(t->engine->model, txn_active(t, table, key)));
	while ((s = TAILQ_PREV(s, staged_list, next)) != NULL)
		if (s->table == table && is_behind(t, s))
			return s->key;
	return standing_key(t, model_last(t->engine->model, table));
}

/* ---- the order that was changed ---- */

struct order_writer {
	const struct txn *txn;
	struct places *places;
};

static int write_place(void *arg, const struct object *obj) {
	struct order_writer *w = arg;
	const struct object *active = txn_active(w->txn, obj->table, obj->key);

	if (active && stands(w->txn, active))
		places_enter(w->places, obj->key, active->pos);
	else
		places_append(w->places, obj->key);
	return 0;
}

struct places *txn_places_make(struct txn *t, const struct schema_table *table) {
	struct order_writer w = { t, txn_places(t, table) };

	if (w.places)
		return w.places;
	w.places = places_new();
	txn_each(t, table, write_place, &w);
	txn_places_set(t, table, w.places);
	return w.places;
}

static int refuse_order(const struct schema_table *table, struct err *err) {
	return err_set(err, ERR_PARSE, "%s: the order of entries has no meaning", table->path);
}

static int refuse_place(const struct schema_table *table, const char *key, struct err *err) {
	return err_set(err, ERR_NOT_FOUND, "%s %s: entry is not found in table", table->path, key);
}

/* What changes places is staged, that it is written down as a change. */
static int stage_placed(struct txn *t, const struct object *obj, struct err *err) {
	const struct object *active = txn_active(t, obj->table, obj->key);
	struct staged *s = txn_find_staged(t, obj->table, obj->key);
	struct object *copy;
	int rc;

	if (!s) {
		copy = object_copy(obj);
		rc = txn_room(t, obj->table, obj->key, copy, err);
		if (rc) {
			object_free(copy);
			return rc;
		}
		s = txn_stage(t, obj->table, obj->key, copy, active->ver);
	}
	s->placed = true;
	return 0;
}

/* Put an entry behind `after`, for it was told to go there, or before or behind another one. */
static int place(struct txn *t, const struct object *obj, const char *after, const char *other,
		 bool before, struct err *err) {
	const struct schema_table *table = obj->table;
	AUTO_FREE char *key = xstrdup(obj->key);
	int rc;

	if (strcmp(txn_key_before(t, table, key), after) == 0)
		return 0;
	rc = txn_ask_guard(t, obj, NULL, err);
	if (rc == 0)
		rc = txn_lock_place(t, table, key, other, err);
	if (rc == 0)
		rc = stage_placed(t, obj, err);
	if (rc)
		return rc;
	places_move(txn_places_make(t, table), key, after);
	txn_moves_note(t, table, key, other, before);
	return 0;
}

/* The entry that is to be moved into *obj, if it and the other one (or NULL) are there and two. */
static int find_pair(const struct txn *t, const struct schema_table *table, const char *key,
		     const char *other, const struct object **obj, struct err *err) {
	if (!(table->flags & TABLE_ORDERED))
		return refuse_order(table, err);
	*obj = txn_find(t, table, key);
	if (!*obj)
		return refuse_place(table, key, err);
	if (other && (strcmp(key, other) == 0 || !txn_find(t, table, other)))
		return refuse_place(table, other, err);
	return txn_places_check(t, table, err);
}

int txn_place(struct txn *t, const struct schema_table *table, const char *key, const char *after,
	      struct err *err) {
	const struct object *obj;
	int rc = find_pair(t, table, key, *after ? after : NULL, &obj, err);

	return rc ? rc : place(t, obj, after, after, false, err);
}

int txn_place_before(struct txn *t, const struct schema_table *table, const char *key,
		     const char *before, struct err *err) {
	const struct object *obj;
	const char *after;
	int rc = find_pair(t, table, key, before, &obj, err);

	if (rc)
		return rc;
	after = txn_key_before(t, table, before);
	return strcmp(after, key) == 0 ? 0 : place(t, obj, after, before, true, err);
}

/* ---- before a commit ---- */

int txn_places_check(const struct txn *t, const struct schema_table *table, struct err *err) {
	bool past = txn_places(t, table) && t->orders[table->id].model_order !=
						    model_order(t->engine->model, table);

	return past ? txn_refuse_locked(err) : 0;
}

int txn_places_recheck(const struct txn *t, struct err *err) {
	int rc = 0;

	for (uint16_t i = 0; t->orders && i < schema_n_tables && rc == 0; i++)
		rc = txn_places_check(t, schema_tables[i], err);
	return rc;
}

static bool is_same_order(const struct txn *t, const struct schema_table *table,
			  const struct places *places) {
	const struct object *obj = model_first(t->engine->model, table);
	const struct place *place = places_first(places);

	for (; obj && place && strcmp(obj->key, place->key) == 0;
	     place = places_next(places, place))
		obj = model_next(t->engine->model, obj);
	return !obj && !place;
}

void txn_places_settle(struct txn *t) {
	struct staged *s;

	for (uint16_t i = 0; t->orders && i < schema_n_tables; i++) {
		struct staged_order *o = &t->orders[i];

		if (!o->places || !is_same_order(t, schema_tables[i], o->places))
			continue;
		o->places = places_free(o->places);
		TAILQ_FOREACH(s, &t->order, next)
			if (s->table->id == i)
				s->placed = s->moved = false;
	}
}
