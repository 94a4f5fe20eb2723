/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions that replace the configuration. They begin with a deletion staged for every entry
 * and an empty object for every object that was set; what is put then is a change of the active
 * object if there is one, so that it keeps its uuid and its sealed secrets, and nothing at all if
 * it is the same. The entries of a table get the order in which they were put: those that stood so
 * already stay, as many as can, the others are placed among them.
 *
 * A link that nobody has configured is no part of the configuration. It stays as it was found
 * unless it is put, and can be named all the time.
 *
 * What someone else has made meanwhile was not seen by who replaces all: then the commit fails.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/factory.h"
#include "cfgdb/model/places.h"
#include "cfgdb/order.h"
#include "cfgdb/script.h"
#include "cfgdb/txn_impl.h"
#include "cfgdb/unknown.h"

/* ---- the beginning ---- */

/* What stands for an object that is not in the file: none, or one with all at its default. */
static struct object *blank(const struct object *active) {
	struct object *obj;

	if (schema_is_list(active->table))
		return NULL;
	obj = object_new(active->table, "");
	obj->pos = active->pos;
	unknown_keep(obj, active);
	return obj;
}

static int stage_blank(struct txn *t, const struct object *active, struct err *err) {
	struct object *obj = blank(active);
	int rc = txn_room(t, active->table, active->key, obj, err);

	if (rc)
		object_free(obj);
	else
		txn_stage(t, active->table, active->key, obj, active->ver);
	return rc;
}

int txn_replace(struct txn *t, bool factory, struct err *err) {
	const struct model *m = t->engine->model;
	int rc = 0;

	t->replaces = true;
	t->keeps_secrets = factory;
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct object *obj = model_first(m, schema_tables[schema_top[i]]);

		for (; obj && rc == 0; obj = model_next(m, obj))
			rc = stage_blank(t, obj, err);
	}
	return rc == 0 && factory ? script_load(t, factory_conf, err) : rc;
}

void txn_keep_secrets(struct txn *t) {
	t->keeps_secrets = true;
}

/* ---- links as found ---- */

/* They are out of the transaction, and must go with what is in it. */
static int keep_found(struct txn *t, struct err *err) {
	struct staged *s, *next;
	int rc = 0;

	for (s = TAILQ_FIRST(&t->order); s && rc == 0; s = next) {
		const struct object *active = txn_active(t, s->table, s->key);

		next = TAILQ_NEXT(s, next);
		if (!txn_stays_found(active, s))
			continue;
		txn_unstage(t, s);
		rc = check_replicated(t, active, &t->warnings, err);
	}
	return rc;
}

static void adopt_named(struct txn *t) {
	struct staged *s, *last = TAILQ_LAST(&t->order, staged_list);

	TAILQ_FOREACH(s, &t->order, next) {
		if (s->obj)
			object_each_ref(s->obj, txn_adopt, t);
		if (s == last)
			break;
	}
}

/* ---- what may not be ---- */

static int refuse_newcomers(const struct txn *t, struct err *err) {
	const struct model *m = t->engine->model;

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct object *obj = model_first(m, schema_tables[schema_top[i]]);

		for (; obj; obj = model_next(m, obj))
			if (!txn_find_staged(t, obj->table, obj->key) &&
			    !txn_stays_found(obj, NULL))
				return txn_refuse_locked(err);
	}
	return 0;
}

/* Nothing can refer to what is gone, but a table may need some of it. */
static int check_gone(const struct txn *t, struct err *err) {
	const struct staged *s;
	int rc = 0;

	TAILQ_FOREACH(s, &t->order, next) {
		const struct object *active = txn_active(t, s->table, s->key);

		if (!s->obj && active)
			rc = check_delete_rules(t, active, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- order ---- */

struct entry {
	const char *key;
	const struct object *active; /* NULL: it is new */
	bool stands;                 /* among the others that stand, it is where it was */
};

struct sequence {
	const struct txn *txn;
	struct entry *entry;         /* in the order that is wanted */
	size_t n, size;
};

static int add_entry(void *arg, const struct object *obj) {
	struct sequence *q = arg;

	if (q->n == q->size) {
		q->size = q->size ? q->size * 2 : 64;
		q->entry = xreallocarray(q->entry, q->size, sizeof(*q->entry));
	}
	q->entry[q->n++] =
		(struct entry){ obj->key, txn_active(q->txn, obj->table, obj->key), false };
	return 0;
}

/* Number of the first of n entries, by index, that stood behind entry e: they grow. */
static size_t first_behind(const struct sequence *q, const size_t *index, size_t n, size_t e) {
	size_t lo = 0, hi = n;

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (q->entry[index[mid]].active->pos < q->entry[e].active->pos)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/*
 * The longest growing sequence of places: last[n] is the entry that ends the best one of n + 1
 * entries so far, before[i] the one before entry i in its own.
 */
static void mark_standing(struct sequence *q) {
	AUTO_FREE size_t *last = xcalloc(q->n + 1, sizeof(*last));
	AUTO_FREE size_t *before = xcalloc(q->n + 1, sizeof(*before));
	size_t longest = 0, n, at;

	for (size_t i = 0; i < q->n; i++) {
		if (!q->entry[i].active)
			continue;
		n = first_behind(q, last, longest, i);
		before[i] = n > 0 ? last[n - 1] : i;
		last[n] = i;
		longest += n == longest;
	}
	at = longest > 0 ? last[longest - 1] : 0;
	for (n = longest; n > 0; n--, at = before[at])
		q->entry[at].stands = true;
}

struct listing {
	const struct sequence *wanted;
	size_t at;                   /* so many are the same */
};

/* An entry of the active configuration, as it is listed there; those that go do not count. */
static int compare_listed(void *arg, const struct object *obj) {
	struct listing *l = arg;
	const struct sequence *q = l->wanted;

	if (!txn_find(q->txn, obj->table, obj->key))
		return 0;
	if (l->at >= q->n || strcmp(q->entry[l->at].key, obj->key) != 0)
		return 1;
	l->at++;
	return 0;
}

/*
 * Whether what was there comes first, as it is listed now, and then only what is new: that order
 * comes by itself. It need not be that of the places, for what is named is listed first.
 */
static bool comes_by_itself(const struct sequence *q, const struct schema_table *table) {
	struct txn *active = txn_new(q->txn->engine, "", "");
	struct listing l = { q, 0 };
	bool same = order_each(active, table, compare_listed, &l) == 0;

	txn_free(active);
	for (; same && l.at < q->n; l.at++)
		same = !q->entry[l.at].active;
	return same;
}

static struct places *places_of(const struct sequence *q) {
	struct places *places = places_new();
	const char *before = "";

	for (size_t i = 0; i < q->n; i++)
		if (q->entry[i].stands)
			places_enter(places, q->entry[i].key, q->entry[i].active->pos);
	for (size_t i = 0; i < q->n; i++) {
		if (!q->entry[i].stands) {
			places_append(places, q->entry[i].key);
			places_move(places, q->entry[i].key, before);
		}
		before = q->entry[i].key;
	}
	return places;
}

static void order_table(struct txn *t, const struct schema_table *table) {
	struct sequence q = { .txn = t };
	bool by_itself;

	txn_each(t, table, add_entry, &q);
	by_itself = !txn_places(t, table) && comes_by_itself(&q, table);
	if (!by_itself)
		mark_standing(&q);
	for (size_t i = 0; i < q.n; i++) {
		struct staged *s = txn_find_staged(t, table, q.entry[i].key);

		if (!s)
			continue;
		s->moved = false;
		s->placed = !by_itself && q.entry[i].active && !q.entry[i].stands;
	}
	if (!by_itself)
		txn_places_set(t, table, places_of(&q));
	free(q.entry);
}

/* ---- the whole ---- */

int txn_replace_settle(struct txn *t, struct err *err) {
	int rc = txn_places_recheck(t, err);

	if (rc == 0)
		rc = refuse_newcomers(t, err);
	if (rc == 0)
		rc = keep_found(t, err);
	if (rc == 0)
		rc = check_gone(t, err);
	if (rc)
		return rc;
	adopt_named(t);
	for (uint16_t i = 0; i < schema_n_top; i++)
		if (schema_is_list(schema_tables[schema_top[i]]))
			order_table(t, schema_tables[schema_top[i]]);
	return 0;
}
