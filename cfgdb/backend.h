/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a part of the kernel must offer to take part in a commit.
 *
 * The transaction calls prepare on all backends, then apply on all; when one of them or the store
 * fails, undo on those that have applied, in reverse; otherwise finish. cfgdb/ knows backends only
 * through this table.
 */
#pragma once

#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/warn.h"
#include "cfgdb/model/model.h"

/* One object that a transaction changes: before is NULL when new, after is NULL when deleted. */
struct change {
	const struct object *before, *after;
};

/* A transaction as backends see it: the model already holds the new state. */
struct commit {
	const struct model *model;
	const struct change *changes;
	size_t n_changes;
	uint64_t revision;
	const char *user, *source; /* as in the revision */
	struct warnings *warnings; /* for prepare: what is accepted without all effect; or NULL */
};

struct backend {
	const char *name;
	/* Bring the kernel to the model at start; commit has no changes. Idempotent. */
	int (*start)(void *ctx, const struct commit *commit, struct err *err);
	/* Work out the change; nothing outside the process happens. */
	int (*prepare)(void *ctx, const struct commit *commit, struct err *err);
	/* Change the kernel, whole or not at all. */
	int (*apply)(void *ctx, struct err *err);
	/* Take back what apply did. */
	void (*undo)(void *ctx);
	/* The commit is durable: forget how to undo. */
	void (*finish)(void *ctx);
	/*
	 * The commit failed before apply (or after undo): forget what prepare worked out. Called
	 * after a prepare that failed, too.
	 */
	void (*cancel)(void *ctx);
	void *ctx;
};
