/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A transaction: staged puts and deletes over the active model, made real together or not at all.
 *
 * Each put is checked when it is staged, against what the transaction would make of the model, so
 * a script learns of a mistake at its line. A commit checks again only if the model has moved.
 *
 * A replicated transaction brings what another member of the group committed, which was checked
 * there: it is staged unchecked and in any order, and the outcome is checked whole at the commit.
 */
#pragma once

#include <stdbool.h>

#include "cfgdb/engine.h"
#include "cfgdb/txn_view.h"

#define TXN_ANY (UINT64_MAX - 1) /* whatever version there is */
#define TXN_NEXT (UINT64_MAX - 2) /* new, under its own number if that is free, else the next one */
#define TXN_STAGED_MAX 2000000 /* objects in one transaction */

/*
 * Bytes staged in one transaction, and so by one connection, which has at most one; and in all. A
 * load of 100,000 policies takes some 100 MB.
 */
#define TXN_BYTES_MAX ((size_t)256 << 20)
#define TXN_BYTES_MAX_ALL ((size_t)512 << 20)

struct txn;
struct digest_group;
struct rights;

/* Who committed what a replicated transaction brings, and when: what its revision says. */
struct txn_origin {
	const char *user, *source, *comment;
	int64_t time;            /* seconds since the epoch; 0: now */
};

/* Open a transaction for user; source: how he came ("cli", "ssh(10.0.0.1)"). Both are copied. */
struct txn *txn_new(struct engine *e, const char *user, const char *source);

/* What the revision of its commit says beside who and when; copied. */
void txn_set_comment(struct txn *t, const char *comment);

/*
 * From now on, and at its commit, nothing but what these rights allow is changed in it; not copied.
 * NULL, as in a new one: everything.
 */
void txn_set_rights(struct txn *t, const struct rights *rights);

/* It is this user who commits it, whoever opened it; as in txn_new(). */
void txn_set_author(struct txn *t, const char *user, const char *source);

/*
 * The digits of the private key that secrets are sealed with when the commit enables
 * private-data-encryption, or changes system global while it is enabled; "": none was typed. Not
 * copied: it must last as long as the transaction, or until another is set.
 */
void txn_set_private_key(struct txn *t, const char *digits);

/* The rights and the private key at once. */
void txn_lend(struct txn *t, const struct rights *rights, const char *private_key);

/*
 * Open a replicated transaction; strings are copied. Only the txn_replicate_ functions,
 * txn_place(), txn_expect() and txn_meta() put something into it. Its commit fails whole, with an
 * error that names path, key and attribute, if a reference of what it puts, or one to what it
 * deletes, would name nothing, or if a name would be there twice. An interface that is named and
 * not there is made, as a link is found; what rules of tables have against an object is a warning.
 * What belongs to the unit stays, and its guard is not asked.
 */
struct txn *txn_new_replicated(struct engine *e, const struct txn_origin *origin);

/*
 * Let a transaction in which nothing is staged replace the configuration: from now on nothing is
 * there but what a new unit has, if factory is set, and what is put. Links that nobody has
 * configured stay as they were found, and can be named. What belongs to no table stays. With
 * factory, an object that is put without a secret keeps the one it has. The commit
 * fails with ERR_LOCKED when something was changed that the transaction has not seen.
 */
int txn_replace(struct txn *t, bool factory, struct err *err);

/* In such a transaction, whatever is put without a secret keeps the one it has. */
void txn_keep_secrets(struct txn *t);

/* Drop a transaction and what it staged; NULL is fine. */
void txn_free(struct txn *t);

/*
 * The key above the greatest one in use of a list with integer keys; the first free one when that
 * would be too great. ERR_MAX_ENTRIES when none is free.
 */
int txn_next_id(const struct txn *t, const struct schema_table *table, uint64_t *ret,
		struct err *err);

/*
 * Check and stage one object, which started from version base. Takes over obj, also on error. With
 * TXN_NEXT the number may change until it is committed; a warning then tells it.
 * Secrets typed in clear are sealed; an uuid that is not given stays as it was, or is drawn.
 */
int txn_put(struct txn *t, struct object *obj, uint64_t base, struct err *err);

/* Check and stage the deletion of an entry of a list. */
int txn_delete(struct txn *t, const struct schema_table *table, const char *key, struct err *err);

/* Check and stage the deletion of all entries of a list: of all, or when one may not go of none. */
int txn_purge(struct txn *t, const struct schema_table *table, struct err *err);

/*
 * Check and stage another name for an entry of a list: its place and its values stay, and all that
 * names it names it so. `to` is in canonical form. ERR_EXISTS when it is taken.
 */
int txn_rename(struct txn *t, const struct schema_table *table, const char *key, const char *to,
	       struct err *err);

/*
 * Give an entry of an ordered table the place behind the entry `after` ("": the first place) in the
 * order that the transaction would leave. ERR_NOT_FOUND when one of them is not there.
 */
int txn_place(struct txn *t, const struct schema_table *table, const char *key, const char *after,
	      struct err *err);

/* The same with the place before the entry `before`. */
int txn_place_before(struct txn *t, const struct schema_table *table, const char *key,
		     const char *before, struct err *err);

/* Stage an object as another member has it, unchecked. Takes over theirs, also on error. */
int txn_replicate_put(struct txn *t, struct object *theirs, struct err *err);

/* Stage that another member does not have an object; one that is not here either is no error. */
int txn_replicate_delete(struct txn *t, const struct schema_table *table, const char *key,
			 struct err *err);

/*
 * Stage an object of a table that this release does not know, by its dotted name: its text is kept
 * as it is. body NULL: another member does not have it.
 */
int txn_replicate_unknown(struct txn *t, const char *dotted, const char *key, const char *body,
			  struct err *err);

/* What txn_place() does, for an object of such a table. */
int txn_place_unknown(struct txn *t, const char *dotted, const char *key, const char *after,
		      struct err *err);

/* The commit must give these digests (copied), or it fails with ERR_CONFLICT. */
void txn_expect(struct txn *t, const struct digest_group *digests);

/* Write a row of meta with the commit, also when nothing else is staged. Strings are copied. */
void txn_meta(struct txn *t, const char *name, const char *value);

/* The same, but only if the commit makes a revision. */
void txn_meta_of_revision(struct txn *t, const char *name, const char *value);

/* The revision that the last commit of t has made; 0: none. */
uint64_t txn_revision(const struct txn *t);

/*
 * Make everything staged active: model, kernel and database, or none of them. The transaction is
 * empty afterwards, unless it is held and this fails. Nothing staged that differs from the model:
 * nothing happens, no revision.
 */
int txn_commit(struct txn *t, struct err *err);

/*
 * What puts and commits that succeeded since it was last drained warn of; owned by the transaction,
 * emptied by the caller.
 */
struct warnings *txn_warnings(struct txn *t);

/*
 * Append what a commit would take away: how many objects, by table, interfaces that would lose
 * their address, and administrators who would be without a password and are not so now; nothing
 * when nothing goes.
 */
void txn_losses(const struct txn *t, struct str *out);

/*
 * From now on the transaction is held: others are refused (ERR_LOCKED) what would spoil what it has
 * staged. They cannot change these objects, nor delete what those refer to, nor refer to what it
 * deletes. `who`, which is copied, is told to them. A commit that fails leaves it as it was.
 */
void txn_hold(struct txn *t, const char *who);

/* Lock an object for others that the transaction leaves as it is; one that is gone is no error. */
int txn_hold_object(struct txn *t, const struct schema_table *table, const char *key,
		    struct err *err);

/* Bring what a held transaction has staged up to the order of tables that others have changed. */
void txn_renew(struct txn *t);

/* What others hold does not stop this one: what they commit afterwards is refused. */
void txn_override(struct txn *t);

/* What a held transaction keeps others from, one thing each. */
enum txn_lock { TXN_LOCK_CHANGED, TXN_LOCK_DELETED, TXN_LOCK_REFERRED };

/*
 * Visit each object that a transaction has staged, as changed or deleted, and each that these refer
 * to. Stops when visit returns non-zero and returns that.
 */
int txn_each_lock(const struct txn *t,
		  int (*visit)(void *arg, const struct schema_table *table, const char *key,
			       enum txn_lock lock),
		  void *arg);

/* About as many bytes as the transaction takes. */
size_t txn_bytes(const struct txn *t);

/* Mark everything staged as found on the machine: it gets version 0 (see struct object). */
void txn_as_found(struct txn *t);
