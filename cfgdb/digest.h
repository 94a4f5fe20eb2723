/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digests that prove two configurations equal: SHA-256 over objects, tables, and all.
 *
 * There are two kinds. Those of the unit are stored with its configuration and prove it to the unit
 * itself. Those of the group are over what its members share, and equal on all of them. Attributes
 * and tables that belong to one unit are in neither; secrets enter as keyed MACs, under the key of
 * the device and of the group. The entries of an ordered table count in their order, those of the
 * others by key.
 */
#pragma once

#include "cfgdb/model/model.h"
#include "cfgdb/secret.h"
#include "cfgdb/shared.h"

#define DIGEST_LEN OBJECT_HASH_LEN
#define DIGEST_VERSION 1   /* grows when the same object gives another digest */

struct engine;
struct txn;

/* ---- of the unit ---- */

/* Fill obj->hash from its content. */
void digest_object(const struct keyring *k, struct object *obj);

/* Fill row->hash from its content. */
void digest_row(struct row *row);

/* Digest of one table from the hashes of its objects. */
void digest_table(const struct model *m, const struct schema_table *table,
		  unsigned char out[DIGEST_LEN]);

/* Digest of the whole configuration. */
void digest_root(const struct model *m, unsigned char out[DIGEST_LEN]);

/* ---- of the group ---- */

/* What is looked at: the active configuration, or what a transaction would make of it. */
struct digest_view {
	const struct model *model;
	const struct txn *txn;         /* NULL: the model alone */
	const struct keyring *keyring;
	const unsigned char *mac;      /* of SECRET_MAC_KEY_LEN bytes; NULL: the device's */
	struct shared shared;
	uint64_t stamp;                /* of what digests depend on beside the object */
};

struct digest_group {
	unsigned char global[DIGEST_LEN]; /* tables that are of no virtual domain */
	unsigned char root[DIGEST_LEN];   /* those of root */
	unsigned char all[DIGEST_LEN];    /* all of them */
};

/* Look at the active configuration; valid until it changes. */
void digest_view_init(struct digest_view *v, const struct engine *e);

/* Look at what a transaction would make of it; valid until one of them changes. */
void digest_view_init_txn(struct digest_view *v, const struct engine *e, const struct txn *t);

/* Digest of an object that the group counts. */
void digest_group_object(const struct digest_view *v, const struct object *obj,
			 unsigned char out[DIGEST_LEN]);

/* Digest of an object of a table that this release does not have. */
void digest_group_row(const struct digest_view *v, const struct row *row,
		      unsigned char out[DIGEST_LEN]);

/* Digest of a table, by its dotted name; this release need not know it. */
void digest_group_table(const struct digest_view *v, const char *dotted,
			unsigned char out[DIGEST_LEN]);

/* Digests of all. With those of objects known, 10,000 of them take less than a millisecond. */
void digest_group(const struct digest_view *v, struct digest_group *out);

/* Make the digests of all objects for the group anew when they are asked for next. */
void digest_group_forget(const struct engine *e);

/* Whether a table is of a virtual domain; this release need not know it. */
bool digest_is_of_vdom(const struct digest_view *v, const char *dotted);

/*
 * Visit each table that holds something that the group counts, bytewise by dotted name. Stops when
 * visit returns non-zero and returns that.
 */
int digest_each_table(const struct digest_view *v,
		      int (*visit)(void *arg, const char *dotted, const unsigned char *digest),
		      void *arg);

/*
 * Visit each object of a table that the group counts, in the order in which the table's digest has
 * them: those of an ordered table as they stand, others bytewise by key.
 */
int digest_each_object(const struct digest_view *v, const char *dotted,
		       int (*visit)(void *arg, const char *key, const unsigned char *digest),
		       void *arg);
