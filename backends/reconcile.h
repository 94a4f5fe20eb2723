/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A backend for what is brought to a wanted state from whatever state it is in: a commit brings it
 * to the next one, undoing a commit brings it back to the one before.
 */
#pragma once

#include "cfgdb/backend.h"

struct reconcile_ops {
	const char *name;   /* of the backend; its fault points are NAME.apply and NAME.applied */
	/* What a configuration wants; forget() releases it. */
	void *(*wants)(const struct model *model);
	/* Release what wants() made; NULL is fine. */
	void (*forget)(void *wants);
	/* Bring the kernel to it; wants is NULL when nothing is wanted. */
	int (*bring_to)(void *owner, const void *wants, struct err *err);
};

struct reconcile {
	const struct reconcile_ops *ops;
	void *owner;        /* handed to bring_to */
	void *now, *next;   /* what is wanted, and will be */
};

/* Release what r holds; the kernel stays as it is. */
void reconcile_done(struct reconcile *r);

/* Compare the kernel with what is wanted and set what differs. */
int reconcile_again(struct reconcile *r, struct err *err);

/* Take everything back. */
int reconcile_remove(struct reconcile *r, struct err *err);

/* The backend to add to the engine; r (ops and owner set, the rest zero) outlives it. */
struct backend reconcile_backend(struct reconcile *r);
