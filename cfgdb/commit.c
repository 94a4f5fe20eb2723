/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a transaction becomes real: memory, database, kernel, and only then the database's COMMIT.
 *
 *   1. model: staged objects replace active ones; what they replaced is kept aside
 *   2. database: objects, references, revision and changes are written, not committed
 *   3. kernel: every backend prepares, then every backend applies
 *   4. database: COMMIT; from here on the change is real
 *
 * A failure anywhere walks the same list back. If the machine dies between 3 and 4 the kernel is
 * ahead of the database; the revision marker in the kernel tells at the next start.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfgdb/admin.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/places.h"
#include "cfgdb/reseal.h"
#include "cfgdb/rights.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"

/* An object that was numbered anew to make room; it stands where it stood. */
struct shift {
	const struct object *obj;
	int64_t before;
};

struct commit_run {
	struct txn *txn;
	struct engine *engine;
	struct change *changes;
	const char **behind;      /* of each change: see store_change() */
	size_t n_changes;
	struct shift *shifts;
	size_t n_shifts;
	struct row_changes rows;
	struct reseal reseal;
	struct commit view;
	unsigned int prepared;    /* backends whose prepare was called */
	unsigned int applied;     /* and whose apply succeeded */
	bool is_real;
};

static bool is_global(const struct schema_table *table) {
	return table->id == TBL_SYSTEM_GLOBAL;
}

/* Staged entries that change nothing are dropped: a put of what is there is no revision. */
static bool staged_is_void(const struct commit_run *run, const struct staged *s) {
	const struct object *active = model_find(run->engine->model, s->table, s->key);

	if (active && s->obj && !run->txn->as_found && txn_adopts(active))
		return false;

	if (!s->obj)
		return active == NULL;
	if (is_global(s->table) &&
	    reseal_is_needed(run->engine, active, s->obj, run->txn->private_key))
		return false;
	if (!active)
		return !schema_is_list(s->table) && object_is_empty(s->obj);
	return object_equal(active, s->obj) && !s->placed &&
	       !(s->moved && (s->table->flags & TABLE_ORDERED));
}

/* The place that the new object was given, or its pos; 0: its own, or the end. */
static int64_t place_of(const struct commit_run *run, const struct staged *s, int64_t pos) {
	const struct places *places = txn_places(run->txn, s->table);

	return places ? places_find(places, s->key)->pos : pos;
}

static void shift_table(struct commit_run *run, const struct schema_table *table,
			const struct places *places) {
	struct model *m = run->engine->model;
	const struct place *place = places_first(places);

	for (; place; place = places_next(places, place)) {
		const struct object *obj = model_find(m, table, place->key);

		if (obj->pos == place->pos)
			continue;
		if ((run->n_shifts & (run->n_shifts - 1)) == 0)
			run->shifts = xreallocarray(run->shifts,
						    run->n_shifts ? run->n_shifts * 2 : 1,
						    sizeof(*run->shifts));
		run->shifts[run->n_shifts++] = (struct shift){ obj, obj->pos };
		model_place(m, obj, place->pos);
	}
}

/* All that stays beside what was placed gets the pos that it has now. */
static void commit_shift(struct commit_run *run) {
	for (uint16_t i = 0; run->txn->orders && i < schema_n_tables; i++) {
		const struct places *places = txn_places(run->txn, schema_tables[i]);

		if (places)
			shift_table(run, schema_tables[i], places);
	}
}

/* The object for the model: what is held stays staged, should the commit fail. */
static struct object *commit_take(const struct commit_run *run, struct staged *s) {
	struct object *obj = s->obj;

	if (run->txn->holder)
		obj = object_copy(obj);
	else
		s->obj = NULL;
	secret_renew_object(run->engine->keyring, obj); /* it may have waited for long */
	return obj;
}

/* Where entries stand, before any of them moves; the changes keep the ones that are named. */
static void note_places(struct commit_run *run) {
	const struct model *m = run->engine->model;
	struct staged *s;

	TAILQ_FOREACH(s, &run->txn->order, next) {
		bool ordered = s->table->flags & TABLE_ORDERED;
		const struct object *active = ordered ? model_find(m, s->table, s->key) : NULL;
		const struct object *before = active ? model_prev(m, active) : NULL;

		s->behind = !active ? NULL : before ? before->key : "";
	}
}

/* Move what is staged into the model; the changes own what they replaced. */
static void commit_swap_in(struct commit_run *run) {
	struct engine *e = run->engine;
	struct staged *s;

	txn_drop_indexes(run->txn);
	run->changes = xcalloc(run->txn->n_staged, sizeof(*run->changes));
	run->behind = xcalloc(run->txn->n_staged, sizeof(*run->behind));
	note_places(run);
	TAILQ_FOREACH(s, &run->txn->order, next) {
		struct change *c = &run->changes[run->n_changes];
		const struct object *replaced;

		if (staged_is_void(run, s))
			continue;
		if (s->obj) {
			struct object *obj = commit_take(run, s);

			obj->pos = place_of(run, s, obj->pos);
			obj->ver = run->txn->as_found ? 0 : run->view.revision;
			digest_object(e->keyring, obj);
			c->after = obj;
			if (s->moved) /* it gives its place up and goes to the end */
				c->before = model_take(e->model, s->table, s->key);
			replaced = model_put(e->model, obj);
			c->before = replaced ? replaced : c->before;
		} else {
			c->before = model_take(e->model, s->table, s->key);
		}
		run->behind[run->n_changes] = s->behind;
		run->n_changes++;
	}
	commit_shift(run);
	txn_rows_swap_in(run->txn, run->view.revision, &run->rows);
	run->view.changes = run->changes;
	run->view.n_changes = run->n_changes;
}

/* The model as it was; in reverse, so that positions fall back into place. */
static void commit_swap_out(struct commit_run *run) {
	struct model *m = run->engine->model;

	txn_rows_swap_out(run->txn, &run->rows);
	while (run->n_shifts > 0) {
		const struct shift *shift = &run->shifts[--run->n_shifts];

		model_place(m, shift->obj, shift->before);
	}
	while (run->n_changes > 0) {
		struct change *c = &run->changes[--run->n_changes];

		if (c->after)
			object_free(model_take(m, c->after->table, c->after->key));
		if (c->before)
			model_put(m, (struct object *)c->before);
	}
}

static void commit_free(struct commit_run *run) {
	for (size_t i = 0; i < run->n_changes; i++)
		object_free((struct object *)run->changes[i].before);
	free(run->changes);
	free(run->behind);
	free(run->shifts);
	txn_rows_done(&run->rows);
}

static int write_rows(struct commit_run *run, uint64_t revision, struct err *err) {
	struct store *s = run->engine->store;
	int rc = 0;

	for (size_t i = 0; i < run->rows.n && rc == 0; i++) {
		const struct row_change *c = &run->rows.change[i];

		rc = c->before ? store_delete_row(s, c->before, err) : 0;
		if (rc == 0 && c->after)
			rc = store_put_row(s, c->after, err);
		if (rc == 0)
			rc = store_change_row(s, revision, c->before, c->after, c->behind, err);
	}
	return rc;
}

static bool has_changes(const struct commit_run *run) {
	return run->n_changes + run->rows.n > 0;
}

/* The revision that the history keeps with all after it: the new one, or one that is needed. */
static uint64_t oldest_kept(const struct engine *e, uint64_t revision) {
	if (e->kept_revision && e->kept_revision < revision)
		revision = e->kept_revision;
	if (e->saved_revision && e->saved_revision + 1 < revision)
		revision = e->saved_revision + 1;
	return revision;
}

static int write_changes(struct commit_run *run, struct err *err) {
	struct engine *e = run->engine;
	const struct txn *t = run->txn;
	struct revision rev = { .id = run->view.revision,
				.time = t->time ? t->time : time(NULL),
				.user = t->user,
				.source = t->source,
				.comment = t->comment,
				.n_changes = (uint32_t)(run->n_changes + run->rows.n) };
	int rc;

	digest_root(e->model, rev.root_hash);
	rc = store_revision(e->store, &rev, err);
	for (size_t i = 0; i < run->n_changes && rc == 0; i++) {
		const struct change *c = &run->changes[i];

		rc = c->after ? store_put(e->store, e->model, c->after, err) :
				store_delete(e->store, c->before, err);
		if (rc == 0)
			rc = store_change(e->store, rev.id, c->before, c->after, run->behind[i],
					  err);
	}
	for (size_t i = 0; i < run->n_shifts && rc == 0; i++)
		rc = store_put_pos(e->store, run->shifts[i].obj, err);
	if (rc == 0)
		rc = write_rows(run, rev.id, err);
	if (rc == 0)
		rc = reseal_write(&run->reseal, e, t->private_key, err);
	return rc ? rc : store_trim_history(e->store, oldest_kept(e, rev.id), err);
}

static int commit_write(struct commit_run *run, struct err *err) {
	struct store *s = run->engine->store;
	const struct staged_meta *m;
	int rc = store_begin(s, err);

	if (rc == 0 && has_changes(run))
		rc = write_changes(run, err);
	STAILQ_FOREACH(m, &run->txn->meta, next)
		if (rc == 0 && (has_changes(run) || !m->of_revision))
			rc = store_meta_set(s, m->name, m->value, err);
	return rc;
}

static int commit_kernel(struct commit_run *run, struct err *err) {
	struct engine *e = run->engine;
	int rc = fault_hit("commit.kernel")
			 ? err_set(err, ERR_KERNEL, "injected fault before the kernel")
			 : 0;

	for (; run->prepared < e->n_backends && rc == 0; run->prepared++) {
		struct backend *b = &e->backends[run->prepared];

		rc = b->prepare ? b->prepare(b->ctx, &run->view, err) : 0;
	}
	for (; run->applied < e->n_backends && rc == 0; run->applied++) {
		struct backend *b = &e->backends[run->applied];

		if (fault_hit("commit.apply"))
			rc = err_set(err, ERR_KERNEL, "%s: injected fault", b->name);
		else
			rc = b->apply ? b->apply(b->ctx, err) : 0;
		if (rc)
			break;
	}
	return rc;
}

static void commit_undo(struct commit_run *run) {
	struct engine *e = run->engine;

	for (unsigned int i = run->applied; i-- > 0;)
		if (e->backends[i].undo)
			e->backends[i].undo(e->backends[i].ctx);
	for (unsigned int i = run->prepared; i-- > 0;)
		if (e->backends[i].cancel)
			e->backends[i].cancel(e->backends[i].ctx);
	store_rollback(e->store);
	reseal_undo(&run->reseal, e);
	commit_swap_out(run);
}

/* No line of a file, and none of the past, says that it takes the private key away. */
static void review_key(const struct commit_run *run) {
	const struct keyring *k = run->engine->keyring;

	if ((run->txn->replaces || run->txn->restores) && run->reseal.before &&
	    keyring_sealing(k) == keyring_device(k))
		warn_add(run->view.warnings,
			 "private-data-encryption is disabled now: secrets are sealed with the "
			 "key of the device, and no other unit can read them");
}

/* What a file that replaces all may do unseen. */
static void review_replaced(const struct commit_run *run, const struct change *c) {
	if (txn_loses_password(c->before, c->after))
		warn_add(run->view.warnings, "%s %s: no password is set", c->after->table->path,
			 c->after->key);
}

/* What there is to warn of in what has changed: nothing, if the commit was undone. */
static void commit_review(const struct commit_run *run) {
	for (size_t i = 0; i < run->n_changes; i++) {
		const struct change *c = &run->changes[i];

		if (!c->after)
			continue;
		secret_review_object(run->engine->keyring, c->after, c->before,
				     run->view.warnings);
		rights_review(c->after, run->view.warnings);
		if (c->after->table->id == TBL_SYSTEM_ADMIN)
			admin_review(run->engine->model, c->after, run->view.warnings);
		if (run->txn->replaces)
			review_replaced(run, c);
	}
	review_key(run);
}

/* Nothing can fail any more: a fault here only kills. */
static void commit_finish(struct commit_run *run) {
	struct engine *e = run->engine;

	fault_hit("commit.finish");
	for (unsigned int i = 0; i < e->n_backends; i++)
		if (e->backends[i].finish)
			e->backends[i].finish(e->backends[i].ctx);
	reseal_finish(&run->reseal, e);
	e->revision = run->txn->made = run->view.revision;
	if (run->rows.n > 0)
		e->rows_revision = e->revision;
	if (run->txn->replaces || run->txn->restores)
		e->replaced_revision = e->revision;
}

/* The database, and when the configuration changes the kernel, get what is in the model now. */
static int commit_make_real(struct commit_run *run, struct err *err) {
	int rc = commit_write(run, err);

	if (rc == 0 && has_changes(run))
		rc = commit_kernel(run, err);
	return rc ? rc : store_commit(run->engine->store, err);
}

/* Which key secrets are sealed with from now on. */
static int commit_key(struct commit_run *run, struct err *err) {
	const struct txn *t = run->txn;

	for (size_t i = 0; i < run->n_changes; i++) {
		const struct change *c = &run->changes[i];

		if (is_global(c->before ? c->before->table : c->after->table))
			return reseal_begin(&run->reseal, run->engine, c->before, c->after,
					    t->private_key, t->restores, err);
	}
	return 0;
}

static int commit_changes(struct commit_run *run, struct err *err) {
	struct engine *e = run->engine;
	bool any;
	int rc;

	commit_swap_in(run);
	any = has_changes(run);
	rc = txn_check_expected(run->txn, err);
	if (rc == 0)
		rc = commit_key(run, err);
	if (rc == 0 && (any || !STAILQ_EMPTY(&run->txn->meta))) {
		rc = commit_make_real(run, err);
		run->is_real = rc == 0;
	}
	if (rc)
		commit_undo(run);
	else if (any)
		commit_finish(run);
	if (any)
		*(rc ? &e->n_failed : &e->n_commits) += 1;
	commit_review(run);
	return rc;
}

static void tell_watchers(const struct engine *e) {
	for (unsigned int i = 0; i < e->n_watchers; i++)
		e->watchers[i].committed(e->watchers[i].arg);
}

int txn_commit(struct txn *t, struct err *err) {
	struct engine *e = t->engine;
	struct commit_run run = { .txn = t, .engine = e,
				  .view = { .model = e->model, .revision = e->revision + 1,
					    .user = t->user, .source = t->source,
					    .warnings = &t->warnings } };
	int rc;

	t->made = 0;
	txn_renew(t);
	txn_redraw(t);
	if (!t->replicated)
		txn_drop_adopted(t);
	rc = t->replaces ? txn_replace_settle(t, err) : 0;
	if (rc == 0)
		rc = t->replicated ? txn_settle(t, err) : txn_recheck(t, err);
	if (rc == 0) {
		txn_places_settle(t);
		rc = commit_changes(&run, err);
		commit_free(&run);
	}
	if (rc)
		warn_clear(&t->warnings);
	if (rc && t->holder)
		txn_forget_meta(t);
	else
		txn_clear(t);
	if (run.is_real)
		tell_watchers(e);
	return rc;
}
