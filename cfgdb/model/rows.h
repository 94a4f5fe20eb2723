/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of tables that this release does not have, which a newer one has made: kept as they are,
 * counted in digests, sent on to other members, and otherwise unseen.
 */
#pragma once

#include <bsd/sys/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/model/object.h"

struct row {
	char *dotted, *key;      /* table, and key in it */
	char *body;              /* canonical text, secrets sealed; see cfgdb/model/outline.h */
	bool vdom;               /* the table is of a virtual domain, otherwise global */
	int64_t pos;             /* place in an ordered table; 0 in others */
	uint64_t ver;
	unsigned char hash[OBJECT_HASH_LEN];
	unsigned char group_hash[OBJECT_HASH_LEN]; /* as in struct object */
	uint64_t group_stamp;
	RB_ENTRY(row) entry;     /* of the rows that hold it */
};

struct rows;

/* New row; copies the texts. The caller frees it. */
struct row *row_new(const char *dotted, const char *key, const char *body);

/* Free a row; NULL is fine. Returns NULL. */
struct row *row_free(struct row *row);

/* New empty set; the caller frees it. */
struct rows *rows_new(void);

/* Free a set and its rows; NULL is fine. Returns NULL. */
struct rows *rows_free(struct rows *rows);

/* Number of rows in it. */
size_t rows_count(const struct rows *rows);

/* The row of this table and key, or NULL. */
const struct row *rows_find(const struct rows *rows, const char *dotted, const char *key);

/* The first row by table (bytewise), place and key, or NULL. */
const struct row *rows_first(const struct rows *rows);

/* The first row of a table, or NULL. */
const struct row *rows_first_of(const struct rows *rows, const char *dotted);

/* The row after this one, of this table or the next, or NULL. */
const struct row *rows_next(const struct rows *rows, const struct row *row);

/* Put a row, in place of the one with the same key, which is returned for the caller to free. */
struct row *rows_put(struct rows *rows, struct row *row);

/* Take a row out; the caller frees it. NULL when there was none. */
struct row *rows_take(struct rows *rows, const char *dotted, const char *key);
