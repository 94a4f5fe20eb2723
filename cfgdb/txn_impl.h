/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The inside of a transaction, shared by txn_view.c (the configuration through it), txn.c (what it
 * holds), txn_stage.c (what may get in), the other txn_ files, and commit.c (making it real).
 */
#pragma once

#include <bsd/sys/tree.h>
#include <sys/queue.h>

#include "cfgdb/model/rows.h"
#include "cfgdb/shared.h"
#include "cfgdb/txn.h"

struct staged_move;

struct staged {
	const struct schema_table *table;
	char *key;
	struct object *obj;      /* NULL: deletion */
	size_t bytes;            /* of memory that this takes, about */
	uint64_t base;           /* version of the active object, TXN_NEW when there was none */
	bool moved; /* deleted and made again here: its place is the end of the table */
	bool drawn;              /* nobody asked for this number: another one will do */
	bool placed;             /* it was given a place */
	bool adopted;            /* nobody asked: something staged names what was found */
	const char *behind;      /* in the commit: see store_change(); of an active entry */
	RB_ENTRY(staged) entry;
	TAILQ_ENTRY(staged) next;
};

/* A row of meta that is written with the commit. */
struct staged_meta {
	char *name, *value;
	bool of_revision;        /* only if there is one */
	STAILQ_ENTRY(staged_meta) next;
};

/* The order that an ordered table would have, from when the first of its entries was placed. */
struct staged_order {
	struct places *places;
	uint64_t model_order;    /* of what it was made from */
};

/* What a commit does to objects of tables that this release does not have. */
struct row_change {
	struct row *before;      /* its own; NULL: new */
	const struct row *after; /* of the model; NULL: deleted */
	const char *behind;      /* key of the one that `before` stood behind; NULL: no order */
};

struct row_changes {
	struct row_change *change; /* n of them */
	size_t n;
};

RB_HEAD(staged_tree, staged);
RB_PROTOTYPE(staged_tree, staged, entry, )
TAILQ_HEAD(staged_list, staged);

struct txn {
	struct engine *engine;
	char *user, *source, *comment;
	int64_t time;             /* of the revision; 0: that of the commit */
	bool replicated;
	bool look_only;           /* it is looked at and never committed: nobody may object */
	bool replaces;            /* what is not put goes */
	bool keeps_secrets;       /* but a secret of what is put stays, unless another is given */
	bool restores;            /* it brings something of the past back */
	struct digest_group *expected; /* NULL: nothing is */
	struct staged_tree staged;
	struct staged_list order; /* as they came */
	size_t n_staged;
	size_t bytes;             /* of what is staged; engine->staged_bytes has it, too */
	int64_t *growth;          /* by table id: entries that it would have more */
	struct staged_order *orders; /* by table id; NULL until an entry is placed */
	struct rows *rows;        /* of unknown tables, as it would leave them; NULL: as they are */
	size_t row_bytes;         /* part of bytes */
	uint64_t rows_seen;       /* engine->rows_revision when they were copied */
	STAILQ_HEAD(, staged_move) moves; /* that it was told, while it is held */
	size_t n_moves;           /* also those that are not remembered */
	STAILQ_HEAD(, staged_meta) meta;
	struct uses *uses;        /* references of what is staged; NULL until someone asks */
	struct uses *names;       /* unique texts of it; likewise */
	struct spans *spans;      /* ranges of what is staged that someone has asked for */
	uint64_t seen_revision;   /* active when the oldest entry was checked */
	bool as_found;
	const struct rights *rights; /* of who changes it; NULL: no one is asked */
	const char *private_key;  /* that was typed; "": none */
	bool overrides;           /* what others hold does not stop it */
	uint64_t made;            /* revision of its last commit; 0: none */
	char *holder;             /* who holds it, for those who are refused; NULL: nobody */
	struct warnings warnings;
	LIST_ENTRY(txn) open;     /* of the engine */
};

/* ---- txn_view.c ---- */

/* The entry of what is staged, or NULL. */
struct staged *txn_find_staged(const struct txn *t, const struct schema_table *table,
			       const char *key);

/* The staged entry with the greatest number of a table with integer keys, or NULL. */
const struct object *txn_staged_last(const struct txn *t, const struct schema_table *table);

/* The index over what is staged, made when it is first asked for. */
const struct uses *txn_uses(const struct txn *t, enum uses_of of);

/* The order that the table would have, or NULL as long as no entry of it was placed. */
struct places *txn_places(const struct txn *t, const struct schema_table *table);

/* Whether what became of an active object is a link as it was found, which nobody has staged. */
bool txn_stays_found(const struct object *active, const struct staged *s);

/* ---- txn.c ---- */

/* Whether there is room to stage obj (NULL: deletion) under its table and key. */
int txn_room(const struct txn *t, const struct schema_table *table, const char *key,
	     const struct object *obj, struct err *err);

/*
 * Whether there is room for n entries more that take so many bytes in all; table and key are for
 * the error.
 */
int txn_room_for(const struct txn *t, const struct schema_table *table, const char *key, size_t n,
		 size_t bytes, struct err *err);

/* Bytes that an entry takes when it is staged, about; obj is NULL for a deletion. */
size_t txn_staged_size(const char *key, const struct object *obj);

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

/* What an interface that was adopted here needs no more, since someone else has changed it. */
void txn_drop_adopted(struct txn *t);

/* ---- txn_moves.c ---- */

/* Remember, if the transaction is held, that an entry was moved before or behind another one. */
void txn_moves_note(struct txn *t, const struct schema_table *table, const char *key,
		    const char *other, bool before);

/* Whether an entry was moved by this one. */
bool txn_moves_name(const struct txn *t, const struct schema_table *table, const char *key);

/* Forget all moves. */
void txn_moves_clear(struct txn *t);

/* ---- txn_lock.c ---- */

/* What of two that change the same thing the second is told: ERR_LOCKED. */
int txn_refuse_locked(struct err *err);

/* The same, where err already says what does not fit any more. */
int txn_refuse_overtaken(struct err *err);

/* Whether some other transaction is held that may refuse this one something. */
bool txn_is_contended(const struct txn *t);

/* Whether another transaction that is held has this entry staged. */
bool txn_is_locked(const struct txn *t, const struct schema_table *table, const char *key);

/* ERR_LOCKED when another transaction that is held keeps this one from putting obj. */
int txn_lock_put(const struct txn *t, const struct object *obj, struct err *err);

/* The same for a deletion, or a new name; and for a place of an entry beside another one. */
int txn_lock_delete(const struct txn *t, const struct schema_table *table, const char *key,
		    struct err *err);
int txn_lock_place(const struct txn *t, const struct schema_table *table, const char *key,
		   const char *other, struct err *err);

/* The same for all that is staged. */
int txn_lock_recheck(const struct txn *t, struct err *err);

/* The number that a new entry must be above, for others hold those up to it; 0: none. */
int64_t txn_lock_last(const struct txn *t, const struct schema_table *table);

/* Drop the indexes over staged objects: these are about to move into the model. */
void txn_drop_indexes(struct txn *t);

/* Give a staged entry another content (NULL: deletion), as it came; takes over obj. */
void txn_restage(struct txn *t, struct staged *s, struct object *obj);

/* Drop a staged entry. */
void txn_unstage(struct txn *t, struct staged *s);

/*
 * For object_each_ref(), arg is the transaction: what is named now stays managed when the last
 * object that names it goes.
 */
int txn_adopt(void *arg, const struct object *holder, unsigned int attr, const char *name);

/*
 * Ask the guard, and the rights, about a change, if it is an administrator's; after NULL: deletion,
 * or a move.
 */
int txn_ask_guard(const struct txn *t, const struct object *before, const struct object *after,
		  struct err *err);

/* ---- txn_replicate.c ---- */

/* Make the outcome of a replicated transaction ready to be committed, and check it. */
int txn_settle(struct txn *t, struct err *err);

/* ERR_CONFLICT when the model, which holds the outcome, has not the digests that are expected. */
int txn_check_expected(const struct txn *t, struct err *err);

/* ---- txn_replace.c ---- */

/* Make the outcome of a transaction that replaces all ready to be committed, and check it. */
int txn_replace_settle(struct txn *t, struct err *err);

/* ---- txn_losses.c ---- */

/* Whether after is an administrator without a password, and before (may be NULL) not one, too. */
bool txn_loses_password(const struct object *before, const struct object *after);

/* ---- txn_rows.c ---- */

/*
 * Stage a row with its sealed body as it is (NULL: it goes); ERR_MAX_ENTRIES when there is no room.
 */
int txn_rows_restore(struct txn *t, const struct row *row, const char *body, struct err *err);

/* ERR_LOCKED when rows have changed in the model since some were staged here. */
int txn_rows_recheck(const struct txn *t, struct err *err);

/* Leave rows as they are that the group does not share; ERR_LOCKED when they have changed since. */
int txn_rows_settle(struct txn *t, const struct shared *scope, struct err *err);

/* Bring the model's rows to those of the transaction; c, which is empty, has what was replaced. */
void txn_rows_swap_in(struct txn *t, uint64_t revision, struct row_changes *c);

/* The rows as they were; c is empty afterwards. */
void txn_rows_swap_out(struct txn *t, struct row_changes *c);

/* Release what was replaced. */
void txn_rows_done(struct row_changes *c);

/* Forget what was staged. */
void txn_rows_clear(struct txn *t);

/* ---- txn_place.c ---- */

/* From now on this is the order; takes over places. */
void txn_places_set(struct txn *t, const struct schema_table *table, struct places *places);

/*
 * Key of the entry before this one, which there is, in the order that an ordered table would have;
 * "": it is the first.
 */
const char *txn_key_before(const struct txn *t, const struct schema_table *table, const char *key);

/* An entry has come, or gone. */
void txn_places_enter(const struct txn *t, const struct schema_table *table, const char *key);
void txn_places_remove(const struct txn *t, const struct schema_table *table, const char *key);

/*
 * ERR_LOCKED when the order of a table has changed in the model since an entry was placed here: it
 * can no longer be committed, and nothing more of the table may be staged. The same for all tables.
 */
int txn_places_check(const struct txn *t, const struct schema_table *table, struct err *err);
int txn_places_recheck(const struct txn *t, struct err *err);

/* Forget places in tables whose order would be the one it is. */
void txn_places_settle(struct txn *t);

/* The order that the table would have, written down if it is not yet. */
struct places *txn_places_make(struct txn *t, const struct schema_table *table);

/* Forget all places. */
void txn_places_clear(struct txn *t);

/* Drop the rows of meta that were to be written. */
void txn_forget_meta(struct txn *t);

/* Drop everything staged. */
void txn_clear(struct txn *t);
