/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bodies that objects had come out of the history as text, and are staged unchecked and in any
 * order, for what refers to what is right only in the end; then the outcome is looked at whole, as
 * that of a replicated transaction. Entries of ordered tables get their places after that: only
 * those that must move do, for a move is a change of its own.
 *
 * To take back one revision is the same with its changes alone. An entry that it moved or deleted
 * goes behind the nearest of those that stood before it then and are still there.
 */
#include "cfgdb/history.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/model/moves.h"
#include "cfgdb/past_order.h"
#include "cfgdb/txn_impl.h"
#include "cfgdb/unknown.h"

struct staging {
	struct txn *txn;
	uint64_t revision;
	struct err *err;
};

/* ---- objects ---- */

static uint64_t version_of(const struct object *active) {
	return active ? active->ver : TXN_NEW;
}

/* New object with a body of the history into *ret; NULL when there was none. */
static int object_of(const struct schema_table *table, const char *key, const char *body,
		     struct object **ret, struct err *err) {
	int rc;

	*ret = body ? object_new(table, key) : NULL;
	rc = body ? unknown_parse(*ret, body, err) : 0;
	if (rc == 0)
		return 0;
	err_prefix(err, "the history: %s %s", table->path, key);
	*ret = object_free(*ret);
	return rc;
}

/* Stage what an object was; body NULL: it was not there. */
static int stage_object(const struct staging *s, const struct schema_table *table, const char *key,
			const char *body) {
	const struct object *active = txn_active(s->txn, table, key);
	struct object *obj;
	int rc = object_of(table, key, body, &obj, s->err);

	if (rc)
		return rc;
	if (active && obj ? object_equal(active, obj) : !active && !obj) {
		object_free(obj);
		return 0;
	}
	rc = txn_room(s->txn, table, key, obj, s->err);
	if (rc) {
		object_free(obj);
		return rc;
	}
	if (obj)
		obj->pos = active ? active->pos : 0;
	txn_stage(s->txn, table, key, obj, version_of(active));
	return 0;
}

/* The same of an object of a table that this release does not know. */
static int stage_row(const struct staging *s, const struct kept_change *c) {
	const struct row *active = rows_find(txn_rows(s->txn), c->dotted, c->key);
	const struct row row = { .dotted = (char *)c->dotted,
				 .key = (char *)c->key,
				 .vdom = c->vdom,
				 .pos = active ? active->pos : 0 };

	if (active && c->before ? strcmp(active->body, c->before) == 0 : !active && !c->before)
		return 0;
	return txn_rows_restore(s->txn, &row, c->before, s->err);
}

static int bring_back(void *arg, const struct kept_change *c) {
	const struct schema_table *table = schema_find(c->dotted);

	return table ? stage_object(arg, table, c->key, c->before) : stage_row(arg, c);
}

/* ---- order ---- */

/* An order that is wanted, beside the one that the transaction would leave. */
struct wanted {
	const char **key; /* n of them */
	size_t *from;
	bool *moves;
	size_t n;
};

struct rank {
	const char *key;
	size_t number;
};

struct ranking {
	struct rank *rank;
	size_t n;
};

static int compare_rank(const void *a, const void *b) {
	return strcmp(((const struct rank *)a)->key, ((const struct rank *)b)->key);
}

static void wanted_done(struct wanted *w) {
	free(w->key);
	free(w->from);
	free(w->moves);
}

static void wanted_init(struct wanted *w, const struct places *places) {
	size_t size = 0;

	*w = (struct wanted){ 0 };
	for (const struct place *p = places_first(places); p; p = places_next(places, p)) {
		if (w->n == size) {
			size = size ? size * 2 : 64;
			w->key = xreallocarray(w->key, size, sizeof(*w->key));
		}
		w->key[w->n++] = p->key;
	}
	w->from = xcalloc(w->n + 1, sizeof(*w->from));
	w->moves = xcalloc(w->n + 1, sizeof(*w->moves));
}

static size_t rank_of(const struct ranking *r, const char *key) {
	const struct rank want = { .key = key };
	const struct rank *found =
		r->n > 0 ? bsearch(&want, r->rank, r->n, sizeof(*r->rank), compare_rank) : NULL;

	return found ? found->number : MOVES_NEW;
}

/* Where the wanted stand, as ranked now. */
static void find_ranks(struct wanted *w, struct ranking *now) {
	if (now->n > 0)
		qsort(now->rank, now->n, sizeof(*now->rank), compare_rank);
	for (size_t i = 0; i < w->n; i++)
		w->from[i] = rank_of(now, w->key[i]);
	free(now->rank);
}

static void add_rank(struct ranking *r, const char *key) {
	if ((r->n & (r->n - 1)) == 0)
		r->rank = xreallocarray(r->rank, r->n ? r->n * 2 : 1, sizeof(*r->rank));
	r->rank[r->n] = (struct rank){ key, r->n };
	r->n++;
}

static int rank_object(void *arg, const struct object *obj) {
	add_rank(arg, obj->key);
	return 0;
}

static bool is_there(const struct txn *t, const char *dotted, const char *key) {
	const struct schema_table *table = schema_find(dotted);

	return table ? txn_find(t, table, key) != NULL
		     : rows_find(txn_rows(t), dotted, key) != NULL;
}

/* Put those that must move behind the one before them; who is not there is passed over. */
static int place_moved(const struct staging *s, const char *dotted, const struct wanted *w) {
	const struct schema_table *table = schema_find(dotted);
	const char *after = "";
	int rc = 0;

	for (size_t i = 0; i < w->n && rc == 0; i++) {
		if (!is_there(s->txn, dotted, w->key[i]))
			continue;
		if (w->moves[i])
			rc = table ? txn_place(s->txn, table, w->key[i], after, s->err)
				   : txn_place_unknown(s->txn, dotted, w->key[i], after, s->err);
		after = w->key[i];
	}
	return rc;
}

/* The whole table in the order that it had. */
static int order_table(const struct staging *s, const struct past_table *past) {
	const struct schema_table *table = schema_find(past->dotted);
	struct ranking now = { 0 };
	struct wanted w;
	int rc;

	wanted_init(&w, past->places);
	if (table)
		txn_each(s->txn, table, rank_object, &now);
	find_ranks(&w, &now);
	moves_find(w.from, w.n, w.moves);
	rc = place_moved(s, past->dotted, &w);
	wanted_done(&w);
	return rc;
}

static int order_all(const struct staging *s) {
	struct past_order then AUTO_PAST_ORDER = { 0 };
	int rc = past_order_read(&then, s->txn->engine, s->revision, s->err);

	for (size_t i = 0; i < then.n && rc == 0; i++)
		if (then.table[i].is_told)
			rc = order_table(s, &then.table[i]);
	return rc;
}

/* ---- the outcome ---- */

static int check_one(struct txn *t, const struct staged *s, bool strict, struct err *err) {
	const struct object *active = txn_active(t, s->table, s->key);
	int rc;

	if (!s->obj && !active)
		return 0;
	rc = txn_ask_guard(t, active, s->obj, err);
	if (rc == 0)
		rc = s->obj ? txn_lock_put(t, s->obj, err)
			    : txn_lock_delete(t, s->table, s->key, err);
	if (rc)
		return rc;
	if (s->obj)
		return strict ? check_object(t, s->obj, err)
			      : check_replicated(t, s->obj, &t->warnings, err);
	return strict ? check_delete(t, active, err)
		      : check_replicated_delete(t, active, &t->warnings, err);
}

/* An error says which object it is of, as scripts have it; that of a lock may do so by itself. */
static void name_object(const struct staged *s, struct err *err) {
	AUTO_FREE char *name = xasprintf("%s%s%s:", s->table->path, *s->key ? " " : "", s->key);

	if (strncmp(err->text, name, strlen(name)) != 0)
		err_prefix(err, "%s", name);
}

static int check_outcome(struct txn *t, bool strict, struct err *err) {
	const struct staged *s, *last = TAILQ_LAST(&t->order, staged_list);

	TAILQ_FOREACH(s, &t->order, next) {
		int rc = check_one(t, s, strict, err);

		if (rc) {
			name_object(s, err);
			return rc;
		}
		if (s->obj)
			object_each_ref(s->obj, txn_adopt, t);
		if (s == last)
			break;
	}
	return 0;
}

static int stage_past(struct txn *t, uint64_t revision, struct err *err) {
	const struct staging s = { t, revision, err };
	int rc = store_bodies_at(t->engine->store, revision, bring_back, (void *)&s, err);

	t->restores = true;
	return rc ? rc : order_all(&s);
}

/* ---- a whole revision ---- */

struct txn *history_look(struct engine *e, uint64_t revision, struct err *err) {
	struct txn *t = txn_new(e, "", "");

	t->look_only = true;
	if (stage_past(t, revision, err) == 0)
		return t;
	txn_free(t);
	return NULL;
}

int history_stage(struct txn *t, uint64_t revision, struct err *err) {
	int rc = stage_past(t, revision, err);

	return rc ? rc : check_outcome(t, false, err);
}

/* ---- one revision alone ---- */

static int refuse_touched(const struct staging *s, const struct kept_change *c) {
	return err_set(s->err, ERR_CONFLICT, "%s%s%s has been changed again since revision %llu",
		       c->dotted, *c->key ? " " : "", c->key, (unsigned long long)s->revision);
}

/* Whether an object is as it was before the revision: then somebody has taken it back already. */
static bool is_back(const struct staging *s, const struct kept_change *c) {
	const struct schema_table *table = schema_find(c->dotted);
	const struct object *active = table ? txn_active(s->txn, table, c->key) : NULL;
	struct object *before;
	bool same;

	if (!table || !active || !c->before)
		return table && !active && !c->before;
	if (object_of(table, c->key, c->before, &before, NULL) != 0)
		return false;
	same = object_equal(active, before);
	object_free(before);
	return same;
}

/* A link as found, also one that was deleted and is taken up again, is nobody's change. */
static bool is_found(const struct staging *s, const struct kept_change *c) {
	const struct schema_table *table = schema_find(c->dotted);
	const struct object *active = table ? txn_active(s->txn, table, c->key) : NULL;

	return active && txn_adopts(active);
}

/* "TABLE KEY" of what was changed after the revision, sorted. */
struct touched {
	char **name;             /* n of them */
	size_t n;
};

static int add_touched(void *arg, const char *dotted, const char *key) {
	struct touched *t = arg;

	if ((t->n & (t->n - 1)) == 0)
		t->name = xreallocarray(t->name, t->n ? t->n * 2 : 1, sizeof(*t->name));
	t->name[t->n++] = xasprintf("%s %s", dotted, key);
	return 0;
}

static int compare_name(const void *a, const void *b) {
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_touched(const struct touched *t, const struct kept_change *c) {
	AUTO_FREE char *name = xasprintf("%s %s", c->dotted, c->key);

	return t->n > 0 && bsearch(&name, t->name, t->n, sizeof(*t->name), compare_name);
}

static void touched_done(struct touched *t) {
	for (size_t i = 0; i < t->n; i++)
		free(t->name[i]);
	free(t->name);
}

struct undoing {
	struct staging staging;
	struct touched touched;
};

static int take_back(void *arg, const struct kept_change *c) {
	struct undoing *u = arg;

	if (is_back(&u->staging, c))
		return 0;
	if (!is_found(&u->staging, c) && is_touched(&u->touched, c))
		return refuse_touched(&u->staging, c);
	return bring_back(&u->staging, c);
}

/* Where the entries of a table stood at a revision; places NULL: where they stand now. */
static void rank_all(const struct engine *e, const char *dotted, const struct places *places,
		     struct ranking *r) {
	const struct schema_table *table = schema_find(dotted);
	const struct place *p = places ? places_first(places) : NULL;
	const struct object *obj = table && !places ? model_first(e->model, table) : NULL;

	for (; p; p = places_next(places, p))
		add_rank(r, p->key);
	for (; obj; obj = model_next(e->model, obj))
		add_rank(r, obj->key);
}

/* Keys of a table that a revision has changed. */
struct own_keys {
	const char *dotted;
	char **key;              /* n of them, sorted */
	size_t n;
};

static int compare_keys(const void *a, const void *b) {
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int note_own(void *arg, const struct kept_change *c) {
	struct own_keys *own = arg;

	if (strcmp(c->dotted, own->dotted) != 0)
		return 0;
	if ((own->n & (own->n - 1)) == 0)
		own->key = xreallocarray(own->key, own->n ? own->n * 2 : 1, sizeof(*own->key));
	own->key[own->n++] = xstrdup(c->key);
	return 0;
}

static void own_done(struct own_keys *own) {
	for (size_t i = 0; i < own->n; i++)
		free(own->key[i]);
	free(own->key);
}

static bool is_own(const struct own_keys *own, const char *key) {
	return own->n > 0 && bsearch(&key, own->key, own->n, sizeof(*own->key), compare_keys);
}

/*
 * An order can be had by moving one entry or another, but only what the revision has changed may
 * move. The others stand in one order before and after; what is not between the same two of them
 * goes.
 */
static void keep_others(struct wanted *w, const struct own_keys *own) {
	size_t *below = xcalloc(w->n + 1, sizeof(*below)), next = MOVES_NEW, least = 0;

	for (size_t i = w->n; i-- > 0;) {
		below[i] = next;
		if (w->from[i] != MOVES_NEW && !is_own(own, w->key[i]))
			next = w->from[i];
	}
	for (size_t i = 0; i < w->n; i++) {
		if (w->from[i] == MOVES_NEW)
			continue;
		if (!is_own(own, w->key[i]))
			least = w->from[i];
		else if (w->from[i] < least || w->from[i] > below[i])
			w->from[i] = MOVES_NEW;
	}
	free(below);
}

static int find_moves_back(const struct staging *s, const char *dotted, struct wanted *w) {
	struct own_keys own = { .dotted = dotted };
	int rc = store_changes_of(s->txn->engine->store, s->revision, note_own, &own, s->err);

	if (own.n > 0)
		qsort(own.key, own.n, sizeof(*own.key), compare_keys);
	keep_others(w, &own);
	moves_find(w->from, w->n, w->moves);
	own_done(&own);
	return rc;
}

/* What stood in another order, or was not there, after the revision goes back. */
static int order_back(const struct staging *s) {
	struct past_order before AUTO_PAST_ORDER = { 0 }, after AUTO_PAST_ORDER = { 0 };
	int rc = past_order_read(&before, s->txn->engine, s->revision - 1, s->err);

	rc = rc ? rc : past_order_read(&after, s->txn->engine, s->revision, s->err);
	for (size_t i = 0; i < before.n && rc == 0; i++) {
		struct ranking then = { 0 };
		struct wanted w;

		if (!before.table[i].is_told)
			continue;
		wanted_init(&w, before.table[i].places);
		rank_all(s->txn->engine, before.table[i].dotted,
			 past_order_of(&after, before.table[i].dotted), &then);
		find_ranks(&w, &then);
		rc = find_moves_back(s, before.table[i].dotted, &w);
		if (rc == 0)
			rc = place_moved(s, before.table[i].dotted, &w);
		wanted_done(&w);
	}
	return rc;
}

static int stage_undo(struct txn *t, uint64_t revision, struct err *err) {
	struct undoing u = { .staging = { t, revision, err } };
	struct store *store = t->engine->store;
	int rc = store_touched_since(store, revision, add_touched, &u.touched, err);

	t->restores = true;
	if (rc == 0)
		rc = store_changes_of(store, revision, take_back, &u, err);
	touched_done(&u.touched);
	return rc ? rc : order_back(&u.staging);
}

int history_undo(struct txn *t, uint64_t revision, struct err *err) {
	int rc = stage_undo(t, revision, err);

	if (rc)
		return rc;
	rc = check_outcome(t, true, err);
	if (rc == 0 || rc == ERR_PERMISSION || rc == ERR_DENIED || rc == ERR_LOCKED)
		return rc;
	if (err)
		err->code = ERR_CONFLICT;
	return ERR_CONFLICT;
}
