/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Revisions are taken back one after the other, the newest first. What one of them did not change
 * kept its order, so of the rest only where each entry stood has to be known: the entries that it
 * left are taken out, and those that it found are put behind the ones that they stood behind. Some
 * of these are changed entries, too, and must be back first: the work begins at those that stood
 * behind an unchanged one, and follows the chain from there.
 */
#include "cfgdb/past_order.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

/* What one revision changed about an entry. */
struct step {
	char *key, *behind;
	bool was, is;
};

struct steps {
	const struct step *step; /* n of them, by what they were behind */
	size_t n;
};

struct reading {
	const struct engine *engine;
	struct past_order *order;
	uint64_t revision; /* of the steps */
	char *dotted;	   /* their table; NULL: there are none yet */
	struct step *step; /* n of them, by what they were behind */
	size_t n, size;
	struct err *err;
};

/* ---- the present order ---- */

static void enter_rows(struct places *places, const struct rows *rows, const char *dotted) {
	const struct row *row = rows_first_of(rows, dotted);

	for (; row && strcmp(row->dotted, dotted) == 0; row = rows_next(rows, row))
		places_append(places, row->key);
}

static struct places *present(const struct engine *e, const char *dotted) {
	const struct schema_table *table = schema_find(dotted);
	struct places *places = places_new();
	const struct object *obj = table ? model_first(e->model, table) : NULL;

	for (; obj; obj = model_next(e->model, obj))
		places_append(places, obj->key);
	if (!table)
		enter_rows(places, model_rows(e->model), dotted);
	return places;
}

static struct past_table *find(const struct past_order *o, const char *dotted) {
	for (size_t i = 0; i < o->n; i++)
		if (strcmp(o->table[i].dotted, dotted) == 0)
			return &o->table[i];
	return NULL;
}

const struct places *past_order_of(const struct past_order *o, const char *dotted) {
	const struct past_table *table = find(o, dotted);

	return table && table->is_told ? table->places : NULL;
}

static struct past_table *table_of(struct reading *r) {
	struct past_order *o = r->order;
	struct past_table *table = find(o, r->dotted);

	if (table)
		return table;
	o->table = xreallocarray(o->table, o->n + 1, sizeof(*o->table));
	table = &o->table[o->n++];
	*table = (struct past_table){ xstrdup(r->dotted), present(r->engine, r->dotted), false };
	return table;
}

void past_order_done(struct past_order *o) {
	for (size_t i = 0; i < o->n; i++) {
		free(o->table[i].dotted);
		places_free(o->table[i].places);
	}
	free(o->table);
	*o = (struct past_order){ 0 };
}

/* ---- taking one revision back ---- */

static int compare_key(const void *a, const void *b) {
	return strcmp((*(const struct step *const *)a)->key, (*(const struct step *const *)b)->key);
}

static int compare_behind(const void *a, const void *b) {
	const struct step *x = a, *y = b;

	return strcmp(x->behind, y->behind);
}

static int no_order(const struct reading *r) {
	return err_set(r->err, ERR_STORE,
		       "the history does not tell the order that %s had before revision %llu: an "
		       "earlier release wrote it",
		       r->dotted, (unsigned long long)r->revision);
}

/* Put back an entry, the one that stood behind it, and so on. */
static int put_chain(const struct reading *r, const struct steps *was, struct places *places,
		     const struct step *head) {
	struct step want;

	for (const struct step *s = head; s;) {
		if (*s->behind && !places_find(places, s->behind))
			return no_order(r);
		places_append(places, s->key);
		places_move(places, s->key, s->behind);
		want.behind = s->key;
		s = bsearch(&want, was->step, was->n, sizeof(*was->step), compare_behind);
	}
	return 0;
}

/* Begin at each that stood behind an entry which the revision did not change, or at the front. */
static int put_all(const struct reading *r, const struct steps *was, struct places *places) {
	AUTO_FREE const struct step **by_key = xcalloc(was->n, sizeof(*by_key));
	int rc = 0;

	for (size_t i = 0; i < was->n; i++)
		by_key[i] = &was->step[i];
	qsort(by_key, was->n, sizeof(*by_key), compare_key);
	for (size_t i = 0; i < was->n && rc == 0; i++) {
		const struct step want = { .key = was->step[i].behind }, *p = &want;

		if (!bsearch(&p, by_key, was->n, sizeof(*by_key), compare_key))
			rc = put_chain(r, was, places, &was->step[i]);
	}
	return rc;
}

static void clear_steps(struct reading *r) {
	for (size_t i = 0; i < r->n; i++) {
		free(r->step[i].key);
		free(r->step[i].behind);
	}
	free(r->dotted);
	r->dotted = NULL;
	r->n = 0;
}

/*
 * The steps of one revision in one table are complete. First come those of entries that it made,
 * and of which nobody wrote down where they stood.
 */
static int take_back(struct reading *r) {
	struct past_table *table = r->dotted ? table_of(r) : NULL;
	struct steps was = { r->step, r->n };

	for (size_t i = 0; i < r->n; i++)
		if (r->step[i].is)
			places_remove(table->places, r->step[i].key);
	for (; was.n > 0 && !was.step->behind; was.step++, was.n--)
		if (was.step->was)
			return no_order(r);
	if (was.n == 0)
		return 0;
	table->is_told = true;
	return put_all(r, &was, table->places);
}

/* ---- reading ---- */

/* A table that this release does not know has an order if its entries come with places. */
static bool is_ordered(const struct kept_place *place) {
	const struct schema_table *table = schema_find(place->dotted);

	return table ? (table->flags & TABLE_ORDERED) != 0 : place->behind || !place->was;
}

static int add_step(void *arg, const struct kept_place *place) {
	struct reading *r = arg;
	int rc = 0;

	if (!is_ordered(place))
		return 0;
	if (r->dotted && (r->revision != place->rev || strcmp(r->dotted, place->dotted) != 0)) {
		rc = take_back(r);
		clear_steps(r);
	}
	if (rc)
		return rc;
	if (!r->dotted)
		r->dotted = xstrdup(place->dotted);
	r->revision = place->rev;
	if (r->n == r->size) {
		r->size = r->size ? r->size * 2 : 64;
		r->step = xreallocarray(r->step, r->size, sizeof(*r->step));
	}
	r->step[r->n++] =
		(struct step){ xstrdup(place->key), place->behind ? xstrdup(place->behind) : NULL,
			       place->was, place->is };
	return 0;
}

int past_order_read(struct past_order *o, const struct engine *e, uint64_t revision,
		    struct err *err) {
	struct reading r = { .engine = e, .order = o, .err = err };
	int rc;

	*o = (struct past_order){ 0 };
	rc = store_places_since(e->store, revision, add_step, &r, err);
	if (rc == 0)
		rc = take_back(&r);
	clear_steps(&r);
	free(r.step);
	return rc;
}
