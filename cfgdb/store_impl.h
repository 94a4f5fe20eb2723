/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the store, shared by store.c (all but the history) and store_history.c. */
#pragma once

#include <sqlite3.h>

#include "cfgdb/store.h"

#define STORE_CHANGE_ROWS 256 /* bytes that a change counts beyond its bodies: rows around them */

enum statement {
	SQL_BEGIN,
	SQL_COMMIT,
	SQL_ROLLBACK,
	SQL_LOAD,
	SQL_PUT,
	SQL_DELETE,
	SQL_OID,
	SQL_DATA_VERSION,
	SQL_REF_CLEAR,
	SQL_REF_ADD,
	SQL_REVISION,
	SQL_CHANGE,
	SQL_LAST_REVISION,
	SQL_PUT_HASH,
	SQL_PUT_ROOT_HASH,
	SQL_PUT_POS,
	SQL_REACHES_BACK,
	SQL_CHANGED_SINCE,
	SQL_BODIES_AT,
	SQL_CHANGES_OF,
	SQL_TOUCHED_SINCE,
	SQL_PLACES_SINCE,
	SQL_REVISIONS,
	SQL_COMMENT,
	SQL_HISTORY_SIZE,
	SQL_HISTORY_OLDEST,
	SQL_DROP_CHANGE,
	SQL_DROP_REVISIONS,
	SQL_REWRITE,
	SQL_META_GET,
	SQL_META_SET,
	SQL_COUNT
};

struct store {
	sqlite3 *db;
	sqlite3_stmt *stmt[SQL_COUNT];
	int64_t data_version;          /* of the database, as last seen */
	int64_t history, history_kept; /* bytes: now, and as of the last commit */
	char *(*change)(void *arg, const char *body); /* of store_rewrite(), while it runs */
	void *change_arg;
};

/* Fill *err with what the database says while doing something. */
int store_fail(struct store *s, const char *doing, struct err *err);

/* Step a statement that gives no rows (or whose first row is enough) and make it ready again. */
int store_run(struct store *s, enum statement which, struct err *err);

/* Bind parameter i; NULL is NULL. The text is copied. */
void store_bind_text(struct store *s, enum statement which, int i, const char *text);

/* The first parameter, a revision; one beyond what the database can hold is none that it has. */
void store_bind_id(struct store *s, enum statement which, uint64_t id);

/* Parameters first, first + 1 and first + 2: virtual domain, table and key of an object. */
void store_bind_place(struct store *s, enum statement which, int first, const struct object *obj);
void store_bind_place_of_row(struct store *s, enum statement which, int first,
			     const struct row *row);

/* The function of SQL that SQL_REWRITE calls, for a body; its user data is the store. */
void store_rewritten(sqlite3_context *ctx, int n, sqlite3_value **argv);

/* What becomes of a row. */
typedef int store_row_fn(sqlite3_stmt *row, void *arg);

/* Visit what a statement gives, whose parameters are bound; a visit that is not 0 ends it. */
int store_each_row(struct store *s, enum statement which, store_row_fn *visit, void *arg,
		   struct err *err);

/* A text of a row, valid during the visit; NULL is NULL. */
const char *store_column(sqlite3_stmt *row, int i);

/* A digest of a row; zeros when it is none. */
void store_take_hash(sqlite3_stmt *row, int i, unsigned char hash[OBJECT_HASH_LEN]);

/* Whether what a row says is the virtual domain of a table is one; else it is global. */
bool store_is_vdom(sqlite3_stmt *row, int i);
