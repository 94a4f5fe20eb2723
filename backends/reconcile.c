/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nothing is remembered of single steps: the way back is the same comparison with the former
 * state. So a step that fails half-way, a link that goes down meanwhile and a foreign change are
 * one case.
 */
#include "backends/reconcile.h"

#include <stdio.h>

#include "cfgdb/base/fault.h"

void reconcile_done(struct reconcile *r) {
	r->ops->forget(r->now);
	r->ops->forget(r->next);
	r->now = r->next = NULL;
}

int reconcile_again(struct reconcile *r, struct err *err) {
	return r->ops->bring_to(r->owner, r->now, err);
}

int reconcile_remove(struct reconcile *r, struct err *err) {
	return r->ops->bring_to(r->owner, NULL, err);
}

/* Whether the fault point of this step is hit; err says so. */
static bool fails_at(const struct reconcile *r, const char *step, struct err *err) {
	char point[32];

	snprintf(point, sizeof(point), "%s.%s", r->ops->name, step);
	if (!fault_hit(point))
		return false;
	err_set(err, ERR_KERNEL, "injected fault at %s", point);
	return true;
}

static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	struct reconcile *r = ctx;

	r->ops->forget(r->now);
	r->now = r->ops->wants(commit->model);
	return reconcile_again(r, err);
}

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct reconcile *r = ctx;

	(void)err;
	r->ops->forget(r->next);
	r->next = r->ops->wants(commit->model);
	return 0;
}

static int backend_apply(void *ctx, struct err *err) {
	struct reconcile *r = ctx;
	int rc;

	if (fails_at(r, "apply", err))
		return ERR_KERNEL;
	rc = r->ops->bring_to(r->owner, r->next, err);
	if (rc == 0 && fails_at(r, "applied", err))
		rc = ERR_KERNEL;
	if (rc)
		reconcile_again(r, NULL);
	return rc;
}

static void backend_undo(void *ctx) {
	reconcile_again(ctx, NULL);
}

static void backend_finish(void *ctx) {
	struct reconcile *r = ctx;

	r->ops->forget(r->now);
	r->now = r->next;
	r->next = NULL;
}

static void backend_cancel(void *ctx) {
	struct reconcile *r = ctx;

	r->ops->forget(r->next);
	r->next = NULL;
}

struct backend reconcile_backend(struct reconcile *r) {
	return (struct backend){
		.name = r->ops->name,
		.start = backend_start,
		.prepare = backend_prepare,
		.apply = backend_apply,
		.undo = backend_undo,
		.finish = backend_finish,
		.cancel = backend_cancel,
		.ctx = r,
	};
}
