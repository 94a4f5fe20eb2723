/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a transaction, shared by txn.c (what it holds), txn_stage.c (what may get in) and
 * commit.c (making it real).
 */
#pragma once

#include <bsd/sys/tree.h>
#include <sys/queue.h>

#include "cfgdb/txn.h"

struct staged {
	const struct schema_table *table;
	char *key;
	struct object *obj;      /* NULL: deletion */
	size_t bytes;            /* of memory that this takes, about */
	uint64_t base;           /* version of the active object, TXN_NEW when there was none */
	bool moved; /* deleted and made again here: its place is the end of the table */
	bool drawn;              /* nobody asked for this number: another one will do */
	RB_ENTRY(staged) entry;
	TAILQ_ENTRY(staged) next;
};

RB_HEAD(staged_tree, staged);
TAILQ_HEAD(staged_list, staged);

struct txn {
	struct engine *engine;
	char *user, *source;
	struct staged_tree staged;
	struct staged_list order; /* as they came */
	size_t n_staged;
	size_t bytes;             /* of what is staged; engine->staged_bytes has it, too */
	int64_t *growth;          /* by table id: entries that it would have more */
	struct uses *uses;        /* references of what is staged; NULL until someone asks */
	struct uses *names;       /* unique texts of it; likewise */
	struct spans *spans;      /* ranges of what is staged that someone has asked for */
	uint64_t seen_revision;   /* active when the oldest entry was checked */
	bool as_found;
	struct warnings warnings;
};

/* Whether there is room to stage obj (NULL: deletion) under its table and key. */
int txn_room(const struct txn *t, const struct schema_table *table, const char *key,
	     const struct object *obj, struct err *err);

/* Stage obj (NULL: deletion) under its table and key, unchecked; takes over obj. */
struct staged *txn_stage(struct txn *t, const struct schema_table *table, const char *key,
			 struct object *obj, uint64_t base);

/* Bring a staged object under another key. */
void txn_rekey(struct txn *t, struct staged *s, const char *key);

/*
 * Give entries whose number was drawn, and which someone else has taken since, the next free one.
 */
void txn_redraw(struct txn *t);

/*
 * Check every staged entry again if the active configuration has moved since; ERR_LOCKED when it
 * no longer fits.
 */
int txn_recheck(const struct txn *t, struct err *err);

/* Drop the indexes over staged objects: these are about to move into the model. */
void txn_drop_indexes(struct txn *t);

/* Drop everything staged. */
void txn_clear(struct txn *t);
