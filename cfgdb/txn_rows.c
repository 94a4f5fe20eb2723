/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of tables that this release does not have, in a replicated transaction. There are few of
 * them, so the first one that comes has the whole set copied, as the transaction would leave it;
 * the commit compares the two sets.
 *
 * Nothing tells whether such a table is ordered but that its entries come with places. They get
 * numbers with gaps as others do; when a gap is used up, the table is numbered anew.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "cfgdb/rights.h"
#include "cfgdb/shared.h"
#include "cfgdb/txn_impl.h"

static struct row *row_copy(const struct row *row) {
	struct row *copy = row_new(row->dotted, row->key, row->body);

	copy->vdom = row->vdom;
	copy->pos = row->pos;
	copy->ver = row->ver;
	memcpy(copy->hash, row->hash, sizeof(copy->hash));
	return copy;
}

static bool row_equal(const struct row *a, const struct row *b) {
	return a && b && a->vdom == b->vdom && a->pos == b->pos && strcmp(a->body, b->body) == 0;
}

/*
 * The set that changes from now on. In a replicated transaction what is no part of the group now is
 * not in it: when the group shares it afterwards, nothing of what was this unit's own stays.
 */
static struct rows *own_rows(struct txn *t) {
	const struct rows *active = model_rows(t->engine->model);
	struct shared scope;

	if (t->rows)
		return t->rows;
	t->rows = rows_new();
	t->rows_seen = t->engine->rows_revision;
	shared_init(&scope, t->engine->model);
	for (const struct row *row = rows_first(active); row; row = rows_next(active, row))
		if (!t->replicated || shared_has_name(&scope, row->dotted))
			rows_put(t->rows, row_copy(row));
	return t->rows;
}

void txn_rows_clear(struct txn *t) {
	t->rows = rows_free(t->rows);
	t->bytes -= t->row_bytes;
	t->engine->staged_bytes -= t->row_bytes;
	t->row_bytes = 0;
}

/* ---- staging ---- */

static int rows_room(struct txn *t, const char *dotted, const char *key, size_t size,
		     struct err *err) {
	if (rows_count(t->rows) >= TXN_STAGED_MAX || t->bytes + size > TXN_BYTES_MAX ||
	    t->engine->staged_bytes + size > TXN_BYTES_MAX_ALL)
		return err_set(err, ERR_MAX_ENTRIES, "%s %s: the transaction would be too large",
			       dotted, key);
	t->row_bytes += size;
	t->bytes += size;
	t->engine->staged_bytes += size;
	return 0;
}

int txn_replicate_unknown(struct txn *t, const char *dotted, const char *key, const char *body,
			  struct err *err) {
	struct rows *rows = own_rows(t);
	const struct row *before = rows_find(rows, dotted, key);
	struct row *row;
	int rc;

	if (!body) {
		row_free(rows_take(rows, dotted, key));
		return 0;
	}
	rc = shared_row_parse(t->engine->keyring, dotted, key, body, &row, err);
	if (rc)
		return rc;
	rc = rows_room(t, dotted, key, mem_size(sizeof(*row)) + mem_size(strlen(row->body)), err);
	if (rc) {
		row_free(row);
		return rc;
	}
	row->pos = before ? before->pos : 0;
	row_free(rows_put(rows, row));
	return 0;
}

int txn_rows_restore(struct txn *t, const struct row *row, const char *body, struct err *err) {
	struct rows *rows;
	struct row *copy;
	int rc;

	if (t->rights && !t->rights->super) /* no role says anything of such a table */
		return rights_refuse_table(row->dotted, RIGHTS_WRITE, err);
	rows = own_rows(t);
	if (!body) {
		row_free(rows_take(rows, row->dotted, row->key));
		return 0;
	}
	rc = rows_room(t, row->dotted, row->key, mem_size(sizeof(*row)) + mem_size(strlen(body)),
		       err);
	if (rc)
		return rc;
	copy = row_new(row->dotted, row->key, body);
	copy->vdom = row->vdom;
	copy->pos = row->pos;
	row_free(rows_put(rows, copy));
	return 0;
}

int txn_rows_recheck(const struct txn *t, struct err *err) {
	return t->rows && t->rows_seen != t->engine->rows_revision ? txn_refuse_locked(err) : 0;
}

/* ---- places ---- */

static void set_pos(struct rows *rows, const struct row *row, int64_t pos) {
	struct row *moved = rows_take(rows, row->dotted, row->key);

	moved->pos = pos;
	rows_put(rows, moved);
}

/* The rows of a table from the first on get numbers with the whole gap between them. */
static void number_all(struct rows *rows, const char *dotted) {
	AUTO_FREE const struct row **row = xcalloc(rows_count(rows), sizeof(*row));
	size_t n = 0;

	for (const struct row *r = rows_first_of(rows, dotted); r && strcmp(r->dotted, dotted) == 0;
	     r = rows_next(rows, r))
		row[n++] = r;
	for (size_t i = n; i > 0; i--) /* from the end: nobody steps over another */
		set_pos(rows, row[i - 1], INT64_MAX / 2 + (int64_t)i);
	for (size_t i = 0; i < n; i++)
		set_pos(rows, row[i], (int64_t)(i + 1) * MODEL_POS_GAP);
}

/* The row behind this one (NULL: the first) in its table, but for `moved`; NULL: none. */
static const struct row *row_behind(const struct rows *rows, const char *dotted,
				    const struct row *before, const struct row *moved) {
	const struct row *row = before ? rows_next(rows, before) : rows_first_of(rows, dotted);

	if (row == moved)
		row = rows_next(rows, row);
	return row && strcmp(row->dotted, dotted) == 0 ? row : NULL;
}

/* A number between two neighbours, each of which may be NULL; 0 when there is none left. */
static int64_t pos_between(const struct row *before, const struct row *behind) {
	int64_t pos;

	if (!behind)
		return model_pos_behind(before ? before->pos : 0);
	if (!before)
		return behind->pos == MODEL_POS_GAP ? -MODEL_POS_GAP
						    : behind->pos - MODEL_POS_GAP;
	pos = before->pos + (behind->pos - before->pos) / 2;
	return pos == before->pos ? 0 : pos;
}

int txn_place_unknown(struct txn *t, const char *dotted, const char *key, const char *after,
		      struct err *err) {
	struct rows *rows = own_rows(t);
	const struct row *row = rows_find(rows, dotted, key), *before;
	int64_t pos;

	before = *after ? rows_find(rows, dotted, after) : NULL;
	if (!row || (*after && (!before || before == row)))
		return err_set(err, ERR_NOT_FOUND, "%s %s: entry is not found in table", dotted,
			       row ? after : key);
	if (row->pos && (before ? rows_next(rows, before) : rows_first_of(rows, dotted)) == row)
		return 0;
	pos = pos_between(before, row_behind(rows, dotted, before, row));
	if (pos == 0) {
		number_all(rows, dotted);
		pos = pos_between(before, row_behind(rows, dotted, before, row));
	}
	set_pos(rows, row, pos);
	return 0;
}

/* ---- the commit ---- */

int txn_rows_settle(struct txn *t, const struct shared *scope, struct err *err) {
	const struct rows *active = model_rows(t->engine->model);
	const struct row *row, *next;
	struct shared before;

	shared_init(&before, t->engine->model);
	if (!t->rows && before.excepted == scope->excepted)
		return 0;
	own_rows(t);
	if (t->rows_seen != t->engine->rows_revision)
		return txn_refuse_locked(err);
	for (row = rows_first(t->rows); row; row = next) {
		next = rows_next(t->rows, row);
		if (!shared_has_name(scope, row->dotted))
			row_free(rows_take(t->rows, row->dotted, row->key));
	}
	for (row = rows_first(active); row; row = rows_next(active, row))
		if (!shared_has_name(scope, row->dotted))
			row_free(rows_put(t->rows, row_copy(row)));
	return 0;
}

static void add_change(struct row_changes *c, const struct row *before, const struct row *after,
		       const char *behind) {
	if ((c->n & (c->n - 1)) == 0)
		c->change = xreallocarray(c->change, c->n ? c->n * 2 : 1, sizeof(*c->change));
	c->change[c->n++] = (struct row_change){ (struct row *)before, after, behind };
}

/* Key of the row that an active one stands behind, or NULL. */
static const char *row_behind_which(const struct row *row, const struct row *prev) {
	if (row->pos == 0)
		return NULL;
	return prev && strcmp(prev->dotted, row->dotted) == 0 ? prev->key : "";
}

static struct row *new_row(const struct row *row, uint64_t revision) {
	struct row *copy = row_copy(row);

	copy->ver = revision;
	digest_row(copy);
	return copy;
}

/* What differs, in both sets, while the active rows stand as they stood. */
static void collect_changes(const struct txn *t, uint64_t revision, struct row_changes *c) {
	const struct rows *active = model_rows(t->engine->model);
	const struct row *row, *prev = NULL, *now;

	for (row = rows_first(active); row; prev = row, row = rows_next(active, row)) {
		now = rows_find(t->rows, row->dotted, row->key);
		if (!now || !row_equal(now, row))
			add_change(c, row, now ? new_row(now, revision) : NULL,
				   row_behind_which(row, prev));
	}
	for (row = rows_first(t->rows); row; row = rows_next(t->rows, row))
		if (!rows_find(active, row->dotted, row->key))
			add_change(c, NULL, new_row(row, revision), NULL);
}

void txn_rows_swap_in(struct txn *t, uint64_t revision, struct row_changes *c) {
	struct rows *active = model_rows(t->engine->model);

	if (t->rows)
		collect_changes(t, revision, c);
	for (size_t i = 0; i < c->n; i++) {
		const struct row *before = c->change[i].before;

		if (before)
			rows_take(active, before->dotted, before->key);
		if (c->change[i].after)
			rows_put(active, (struct row *)c->change[i].after);
	}
}

void txn_rows_swap_out(struct txn *t, struct row_changes *c) {
	struct rows *active = model_rows(t->engine->model);

	while (c->n > 0) {
		struct row_change *change = &c->change[--c->n];

		if (change->after)
			row_free(rows_take(active, change->after->dotted, change->after->key));
		if (change->before)
			rows_put(active, change->before);
	}
}

void txn_rows_done(struct row_changes *c) {
	for (size_t i = 0; i < c->n; i++)
		row_free(c->change[i].before);
	free(c->change);
}
