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

#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/digest.h"
#include "cfgdb/txn_impl.h"

struct commit_run {
	struct txn *txn;
	struct engine *engine;
	struct change *changes;
	size_t n_changes;
	struct commit view;
	unsigned int prepared;    /* backends whose prepare was called */
	unsigned int applied;     /* and whose apply succeeded */
};

/* Staged entries that change nothing are dropped: a put of what is there is no revision. */
static bool staged_is_void(const struct commit_run *run, const struct staged *s) {
	const struct object *active = model_find(run->engine->model, s->table, s->key);

	if (active && s->obj && !run->txn->as_found && check_adopts(active))
		return false;

	if (!s->obj)
		return active == NULL;
	if (!active)
		return !schema_is_list(s->table) && object_is_empty(s->obj);
	return object_equal(active, s->obj) && !(s->moved && (s->table->flags & TABLE_ORDERED));
}

/* Move what is staged into the model; the changes own what they replaced. */
static void commit_swap_in(struct commit_run *run) {
	struct engine *e = run->engine;
	struct staged *s;

	txn_drop_indexes(run->txn);
	run->changes = xcalloc(run->txn->n_staged, sizeof(*run->changes));
	TAILQ_FOREACH(s, &run->txn->order, next) {
		struct change *c = &run->changes[run->n_changes];
		const struct object *replaced;

		if (staged_is_void(run, s))
			continue;
		if (s->obj) {
			s->obj->ver = run->txn->as_found ? 0 : run->view.revision;
			digest_object(e->keyring, s->obj);
			c->after = s->obj;
			if (s->moved) /* it gives its place up and goes to the end */
				c->before = model_take(e->model, s->table, s->key);
			replaced = model_put(e->model, s->obj);
			c->before = replaced ? replaced : c->before;
			s->obj = NULL;
		} else {
			c->before = model_take(e->model, s->table, s->key);
		}
		run->n_changes++;
	}
	run->view.changes = run->changes;
	run->view.n_changes = run->n_changes;
}

/* The model as it was; in reverse, so that positions fall back into place. */
static void commit_swap_out(struct commit_run *run) {
	struct model *m = run->engine->model;

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
}

static int commit_write(struct commit_run *run, struct err *err) {
	struct engine *e = run->engine;
	struct revision rev = { .id = run->view.revision,
				.time = time(NULL),
				.user = run->txn->user,
				.source = run->txn->source,
				.comment = "",
				.n_changes = (uint32_t)run->n_changes };
	int rc = store_begin(e->store, err);

	if (rc)
		return rc;
	digest_root(e->model, rev.root_hash);
	rc = store_revision(e->store, &rev, err);
	for (size_t i = 0; i < run->n_changes && rc == 0; i++) {
		const struct change *c = &run->changes[i];

		rc = c->after ? store_put(e->store, e->model, c->after, err) :
				store_delete(e->store, c->before, err);
		if (rc == 0)
			rc = store_change(e->store, rev.id, c->before, c->after, err);
	}
	return rc ? rc : store_trim_history(e->store, rev.id, err);
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
	commit_swap_out(run);
}

/* What the schema advises against, in what has changed: nothing, if the commit was undone. */
static void commit_review(const struct commit_run *run) {
	for (size_t i = 0; i < run->n_changes; i++)
		if (run->changes[i].after)
			secret_review_object(run->engine->keyring, run->changes[i].after,
					     run->changes[i].before, run->view.warnings);
}

/* Nothing can fail any more: a fault here only kills. */
static void commit_finish(struct commit_run *run) {
	struct engine *e = run->engine;

	fault_hit("commit.finish");
	for (unsigned int i = 0; i < e->n_backends; i++)
		if (e->backends[i].finish)
			e->backends[i].finish(e->backends[i].ctx);
	e->revision = run->view.revision;
}

int txn_commit(struct txn *t, struct err *err) {
	struct engine *e = t->engine;
	struct commit_run run = { .txn = t, .engine = e,
				  .view = { .model = e->model, .revision = e->revision + 1,
					    .warnings = &t->warnings } };
	int rc;

	txn_redraw(t);
	rc = txn_recheck(t, err);
	if (rc == 0) {
		commit_swap_in(&run);
		if (run.n_changes > 0) {
			rc = commit_write(&run, err);
			if (rc == 0)
				rc = commit_kernel(&run, err);
			if (rc == 0)
				rc = store_commit(e->store, err);
			if (rc)
				commit_undo(&run);
			else
				commit_finish(&run);
			*(rc ? &e->n_failed : &e->n_commits) += 1;
			commit_review(&run);
		}
		commit_free(&run);
	}
	if (rc)
		warn_clear(&t->warnings);
	txn_clear(t);
	return rc;
}
