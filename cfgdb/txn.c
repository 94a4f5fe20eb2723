/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a transaction holds: staged entries, in a tree and as they came. Each remembers the version
 * of the active object it started from; when that has changed by the time of the commit, or
 * something that an entry needs has gone, someone else was faster and the commit is refused (code
 * 14).
 *
 * The indexes over what is staged are made when they are first asked for, and kept from then on.
 * How the configuration looks through it is in txn_view.c, and what may get in in txn_stage.c.
 */
#include "cfgdb/txn.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/places.h"
#include "cfgdb/txn_impl.h"

struct txn *txn_new(struct engine *e, const char *user, const char *source) {
	struct txn *t = xcalloc(1, sizeof(*t));

	t->engine = e;
	t->user = xstrdup(user);
	t->source = xstrdup(source);
	t->comment = xstrdup("");
	t->private_key = "";
	t->growth = xcalloc(schema_n_tables, sizeof(*t->growth));
	t->seen_revision = e->revision;
	TAILQ_INIT(&t->order);
	STAILQ_INIT(&t->meta);
	STAILQ_INIT(&t->moves);
	LIST_INSERT_HEAD(&e->txns, t, open);
	return t;
}

void txn_set_comment(struct txn *t, const char *comment) {
	free(t->comment);
	t->comment = xstrdup(comment);
}

size_t txn_staged_size(const char *key, const struct object *obj) {
	return mem_size(sizeof(struct staged)) + mem_size(strlen(key) + 1) +
	       (obj ? object_size(obj) : 0);
}

/* An entry has come to take as much as this. */
static void staged_account(struct txn *t, struct staged *s, size_t bytes) {
	t->bytes += bytes - s->bytes;
	t->engine->staged_bytes += bytes - s->bytes;
	s->bytes = bytes;
}

static void staged_free(struct txn *t, struct staged *s) {
	staged_account(t, s, 0);
	RB_REMOVE(staged_tree, &t->staged, s);
	TAILQ_REMOVE(&t->order, s, next);
	t->n_staged--;
	object_free(s->obj);
	free(s->key);
	free(s);
}

void txn_drop_indexes(struct txn *t) {
	t->uses = uses_free(t->uses);
	t->names = uses_free(t->names);
	spans_free(&t->spans);
}

void txn_forget_meta(struct txn *t) {
	struct staged_meta *m;

	while ((m = STAILQ_FIRST(&t->meta)) != NULL) {
		STAILQ_REMOVE_HEAD(&t->meta, next);
		free(m->name);
		free(m->value);
		free(m);
	}
}

static struct staged_meta *stage_meta(struct txn *t, const char *name, const char *value) {
	struct staged_meta *m = xcalloc(1, sizeof(*m));

	m->name = xstrdup(name);
	m->value = xstrdup(value);
	STAILQ_INSERT_TAIL(&t->meta, m, next);
	return m;
}

void txn_meta(struct txn *t, const char *name, const char *value) {
	stage_meta(t, name, value);
}

void txn_meta_of_revision(struct txn *t, const char *name, const char *value) {
	stage_meta(t, name, value)->of_revision = true;
}

uint64_t txn_revision(const struct txn *t) {
	return t->made;
}

void txn_clear(struct txn *t) {
	struct staged *s;

	txn_drop_indexes(t);
	txn_places_clear(t);
	txn_moves_clear(t);
	txn_rows_clear(t);
	txn_forget_meta(t);
	free(t->expected);
	t->expected = NULL;
	while ((s = TAILQ_FIRST(&t->order)) != NULL)
		staged_free(t, s);
	memset(t->growth, 0, schema_n_tables * sizeof(*t->growth));
	t->seen_revision = t->engine->revision;
}

void txn_free(struct txn *t) {
	if (!t)
		return;
	txn_clear(t);
	LIST_REMOVE(t, open);
	warn_clear(&t->warnings);
	free(t->growth);
	free(t->user);
	free(t->source);
	free(t->comment);
	free(t->holder);
	free(t);
}

void txn_hold(struct txn *t, const char *who) {
	free(t->holder);
	t->holder = xstrdup(who);
}

void txn_override(struct txn *t) {
	t->overrides = true;
}

void txn_set_rights(struct txn *t, const struct rights *rights) {
	t->rights = rights;
}

void txn_set_author(struct txn *t, const char *user, const char *source) {
	free(t->user);
	free(t->source);
	t->user = xstrdup(user);
	t->source = xstrdup(source);
}

void txn_set_private_key(struct txn *t, const char *digits) {
	t->private_key = digits;
}

void txn_lend(struct txn *t, const struct rights *rights, const char *private_key) {
	txn_set_rights(t, rights);
	txn_set_private_key(t, private_key);
}

size_t txn_bytes(const struct txn *t) {
	return t->bytes;
}

/* ---- what is staged ---- */

/* Keep the indexes that are there. */
static void staged_enter(struct txn *t, const struct object *obj) {
	if (t->uses)
		uses_add(t->uses, obj);
	if (t->names)
		uses_add(t->names, obj);
	spans_add(t->spans, obj);
}

static void staged_leave(struct txn *t, const struct object *obj) {
	if (t->uses)
		uses_remove(t->uses, obj);
	if (t->names)
		uses_remove(t->names, obj);
	spans_remove(t->spans, obj);
}

static struct staged *staged_new(struct txn *t, const struct schema_table *table, const char *key,
				 uint64_t base) {
	struct staged *s = xcalloc(1, sizeof(*s));

	s->table = table;
	s->key = xstrdup(key);
	s->base = base;
	RB_INSERT(staged_tree, &t->staged, s);
	TAILQ_INSERT_TAIL(&t->order, s, next);
	t->n_staged++;
	return s;
}

int txn_room_for(const struct txn *t, const struct schema_table *table, const char *key, size_t n,
		 size_t bytes, struct err *err) {
	const struct {
		bool full;
		const char *who, *advice;
		size_t most;
		const char *unit;
	} bounds[] = {
		{ t->n_staged + n > TXN_STAGED_MAX, "the transaction", "commit it in parts",
		  TXN_STAGED_MAX, "changes" },
		{ t->bytes + bytes > TXN_BYTES_MAX, "the transaction", "commit it in parts",
		  TXN_BYTES_MAX >> 20, "MB" },
		{ t->engine->staged_bytes + bytes > TXN_BYTES_MAX_ALL, "open transactions",
		  "commit or abort one", TXN_BYTES_MAX_ALL >> 20, "MB" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bounds); i++)
		if (bounds[i].full)
			return err_set(err, ERR_MAX_ENTRIES,
				       "%s%s%s: %s would hold more than %zu %s: %s\n"
				       "object set operator error, -4 discard the setting",
				       table->path, *key ? " " : "", key, bounds[i].who,
				       bounds[i].most, bounds[i].unit, bounds[i].advice);
	return 0;
}

/* What replaces a staged entry may be smaller: the sum wraps to what is right. */
int txn_room(const struct txn *t, const struct schema_table *table, const char *key,
	     const struct object *obj, struct err *err) {
	const struct staged *s = txn_find_staged(t, table, key);

	return txn_room_for(t, table, key, s ? 0 : 1,
			    txn_staged_size(key, obj) - (s ? s->bytes : 0), err);
}

static void staged_set(struct txn *t, struct staged *s, struct object *obj) {
	if (s->obj)
		staged_leave(t, s->obj);
	object_free(s->obj);
	s->obj = obj;
	staged_account(t, s, txn_staged_size(s->key, obj));
	if (!obj)
		return;
	obj->ver = s->base;
	staged_enter(t, obj);
}

struct staged *txn_stage(struct txn *t, const struct schema_table *table, const char *key,
			 struct object *obj, uint64_t base) {
	struct staged *s = txn_find_staged(t, table, key);
	bool was = txn_find(t, table, key) != NULL;

	t->growth[table->id] += (obj != NULL) - was;
	if (obj && !was)
		txn_places_enter(t, table, key);
	else if (!obj)
		txn_places_remove(t, table, key);
	if (s && obj && !s->obj) { /* deleted before: it comes back at the end */
		s->moved = true;
		TAILQ_REMOVE(&t->order, s, next);
		TAILQ_INSERT_TAIL(&t->order, s, next);
	}
	if (!s)
		s = staged_new(t, table, key, base);
	s->drawn = s->adopted = false;
	staged_set(t, s, obj);
	return s;
}

void txn_restage(struct txn *t, struct staged *s, struct object *obj) {
	t->growth[s->table->id] += (obj != NULL) - (s->obj != NULL);
	staged_set(t, s, obj);
}

void txn_unstage(struct txn *t, struct staged *s) {
	bool is = model_find(t->engine->model, s->table, s->key) != NULL;

	t->growth[s->table->id] += is - (s->obj != NULL);
	if (s->obj)
		staged_leave(t, s->obj);
	staged_free(t, s);
}

void txn_rekey(struct txn *t, struct staged *s, const char *key) {
	staged_leave(t, s->obj);
	RB_REMOVE(staged_tree, &t->staged, s);
	free(s->key);
	s->key = xstrdup(key);
	object_rekey(s->obj, key);
	RB_INSERT(staged_tree, &t->staged, s);
	staged_account(t, s, txn_staged_size(key, s->obj));
	staged_enter(t, s->obj);
}

struct warnings *txn_warnings(struct txn *t) {
	return &t->warnings;
}

const struct txn *engine_staged(const struct engine *e) {
	const struct txn *t;

	LIST_FOREACH(t, &e->txns, open)
		if (t->n_staged > 0 && !t->holder)
			return t;
	return NULL;
}

void txn_as_found(struct txn *t) {
	t->as_found = true;
}
