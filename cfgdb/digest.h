/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Digests that prove two configurations equal: SHA-256 over objects, tables, and all.
 *
 * Attributes and tables that belong to one unit are not in them; secrets enter as keyed MACs. The
 * entries of an ordered table count in their order, those of the others by key.
 */
#pragma once

#include "cfgdb/model.h"
#include "cfgdb/secret.h"

#define DIGEST_LEN OBJECT_HASH_LEN
#define DIGEST_VERSION 1   /* grows when the same object gives another digest */

/* Fill obj->hash from its content. */
void digest_object(const struct keyring *k, struct object *obj);

/* Digest of one table from the hashes of its objects. */
void digest_table(const struct model *m, const struct schema_table *table,
		  unsigned char out[DIGEST_LEN]);

/* Digest of the whole configuration. */
void digest_root(const struct model *m, unsigned char out[DIGEST_LEN]);
