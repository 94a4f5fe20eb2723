/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The durable log of the model: one SQLite database with objects, references, revisions and the
 * changes of each revision. One writer; WAL and synchronous=FULL, so what was acknowledged is on
 * disk.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/model/model.h"

/*
 * Bytes of changes that the history keeps: some 50,000 single edits, or a load of 50,000 policies.
 * A start checks that much in about 25 ms.
 */
#define STORE_HISTORY_MAX (32 << 20)

#define STORE_SOURCE_FOUND "found" /* source of revisions that tell what the machine has */

struct store;

/* One row of the history. */
struct revision {
	uint64_t id;
	int64_t time;            /* seconds since the epoch */
	const char *user;        /* administrator */
	const char *source;      /* "cli", "ssh(10.0.0.1)", "factory", ... */
	const char *comment;
	uint32_t n_changes;
	unsigned char root_hash[OBJECT_HASH_LEN];
};

/*
 * Open the database at path and check it, or make it when it does not exist. NULL and *err when
 * that fails. The caller closes it.
 */
struct store *store_open(const char *path, struct err *err);

/* Close; NULL is fine. */
void store_close(struct store *s);

/* What store_load() gives to whom. A visit that returns non-zero ends it. */
struct store_visitor {
	/* A new object, to take over, with the stored digest; its body is not read yet. */
	int (*object)(void *arg, struct object *obj, const char *body, struct err *err);
	/* The same of a table that this program does not have. */
	int (*row)(void *arg, struct row *row, struct err *err);
	void *arg;
};

/* Visit every stored object, by table and position. */
int store_load(struct store *s, const struct store_visitor *visitor, struct err *err);

/* Open a transaction, make it durable, or drop it. */
int store_begin(struct store *s, struct err *err);

/* Make the open transaction durable. */
int store_commit(struct store *s, struct err *err);

/* Drop the open transaction. */
void store_rollback(struct store *s);

/* Write one object and its references, which the model resolves to tables. */
int store_put(struct store *s, const struct model *m, const struct object *obj, struct err *err);

/* Remove one object. */
int store_delete(struct store *s, const struct object *obj, struct err *err);

/* Write an object of a table that this program does not have. */
int store_put_row(struct store *s, const struct row *row, struct err *err);

/* Remove one. */
int store_delete_row(struct store *s, const struct row *row, struct err *err);

/* Write a row of the history. */
int store_revision(struct store *s, const struct revision *rev, struct err *err);

/*
 * Write one change of a revision; before is NULL when new, after when deleted. behind is the key of
 * the entry that `before` stood behind ("": none); NULL where there was no order.
 */
int store_change(struct store *s, uint64_t rev, const struct object *before,
		 const struct object *after, const char *behind, struct err *err);

/* The same of objects of tables that this program does not have. */
int store_change_row(struct store *s, uint64_t rev, const struct row *before,
		     const struct row *after, const char *behind, struct err *err);

/*
 * Drop the oldest changes when the history has outgrown STORE_HISTORY_MAX, within the open
 * transaction, about as many as it adds; those of revision `kept`, and of all after it, stay, so
 * that the one before it can be brought back. The oldest revision kept is then a base: all changes
 * after it are there, its own may be gone. So who stands at it or later can be given the changes
 * since; a peer that stands before it needs a full copy.
 */
int store_trim_history(struct store *s, uint64_t kept, struct err *err);

/* Whether the history is far larger than it is to be, since much of it has to be kept. */
bool store_history_is_overfull(const struct store *s);

/* Number of the last revision and its digest of the whole; 0 and zeros when there is none. */
int store_last_revision(struct store *s, uint64_t *ret, unsigned char root_hash[OBJECT_HASH_LEN],
			struct err *err);

/*
 * Visit each object that was changed after revision `since`, by table and key, once, however often.
 * What it is now, or that it is gone, the model tells. Stops when each() returns non-zero and
 * returns that. ERR_NOT_FOUND when there is no such revision, or the history no longer reaches back
 * to it. each() may read the database.
 */
int store_changed_since(struct store *s, uint64_t since,
			int (*each)(void *arg, const char *dotted, const char *key), void *arg,
			struct err *err);

/* An object in the history; texts are valid during the visit. */
struct kept_change {
	const char *dotted, *key;
	bool vdom;               /* its table is of a virtual domain, otherwise global */
	const char *before, *after; /* bodies; NULL: there was, or is, no such object */
};

/*
 * Visit each object that was changed after revision `rev`, once: `before` is its body as of that
 * revision, `after` is NULL. Left out is what was only found on the machine (STORE_SOURCE_FOUND).
 * Stops when each() returns non-zero and returns that. ERR_NOT_FOUND as store_changed_since().
 */
int store_bodies_at(struct store *s, uint64_t rev,
		    int (*each)(void *arg, const struct kept_change *change), void *arg,
		    struct err *err);

/* Visit the changes of one revision, which must be there with all of them, in the same way. */
int store_changes_of(struct store *s, uint64_t rev,
		     int (*each)(void *arg, const struct kept_change *change), void *arg,
		     struct err *err);

/*
 * Visit each object that was changed, or got another place, after revision `rev`, once, bytewise by
 * table and key. Stops when each() returns non-zero and returns that. each() may not read the
 * history.
 */
int store_touched_since(struct store *s, uint64_t rev,
			int (*each)(void *arg, const char *dotted, const char *key), void *arg,
			struct err *err);

/* A place in the history; texts are valid during the visit. */
struct kept_place {
	uint64_t rev;            /* that changed something about the entry */
	const char *dotted, *key;
	const char *behind;      /* where it stood before that; NULL: nobody wrote it down */
	bool was, is;            /* it was there before that revision, and after it */
};

/*
 * Visit what each revision after `rev`, the newest first, changed about an entry of any table,
 * within a revision by table and `behind`. Errors as store_bodies_at().
 */
int store_places_since(struct store *s, uint64_t rev,
		       int (*each)(void *arg, const struct kept_place *place), void *arg,
		       struct err *err);

/* Read a row of the history; the caller ends it with revision_done(). ERR_NOT_FOUND: no such. */
int store_revision_get(struct store *s, uint64_t id, struct revision *ret, struct err *err);

/* Free the texts of a revision that was read. */
void revision_done(struct revision *rev);

/* Give a revision another comment. ERR_NOT_FOUND: no such. */
int store_revision_comment(struct store *s, uint64_t id, const char *comment, struct err *err);

/*
 * Visit the rows of the history from revision `newest` down to the oldest that is kept. Stops when
 * each() returns non-zero and returns that. Texts are valid during the visit.
 */
int store_each_revision(struct store *s, uint64_t newest,
			int (*each)(void *arg, const struct revision *rev), void *arg,
			struct err *err);

/*
 * Give bodies in the history another text, within the open transaction: change() returns it, to be
 * freed, or NULL where the body stays. Its length must be about the same.
 */
int store_rewrite(struct store *s, char *(*change)(void *arg, const char *body), void *arg,
		  struct err *err);

/* Write the place of an object, and nothing else of it. */
int store_put_pos(struct store *s, const struct object *obj, struct err *err);

/* Set the stored digest of an object to the one it has now. */
int store_put_hash(struct store *s, const struct object *obj, struct err *err);

/* The same of a row. */
int store_put_row_hash(struct store *s, const struct row *row, struct err *err);

/* Set the digest of the whole of a revision. */
int store_put_root_hash(struct store *s, uint64_t rev,
			const unsigned char root_hash[OBJECT_HASH_LEN], struct err *err);

/* Whether an object of a table, by its dotted name, is stored in this virtual domain. */
bool store_has(struct store *s, const char *vd, const char *dotted, const char *key);

/*
 * Whether anyone else has written to the database since it was opened or this was last asked
 * (PRAGMA data_version, https://sqlite.org/pragma.html).
 */
bool store_is_touched(struct store *s);

/* Name of the virtual domain that a table's objects are stored under. */
const char *store_vd(const struct schema_table *table);

/* Value of a meta key into *ret, which the caller frees; NULL when there is none. */
int store_meta_get(struct store *s, const char *name, char **ret, struct err *err);

/* Set a meta key. */
int store_meta_set(struct store *s, const char *name, const char *value, struct err *err);
