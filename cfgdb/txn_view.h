/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading through a transaction (txn.h): the configuration as it would leave it. Nothing here
 * changes one. What is returned is owned by the transaction or the model, and lives until either
 * changes.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/model/object.h"
#include "cfgdb/model/spans.h"

#define TXN_NEW UINT64_MAX     /* base version of an object that must not exist yet */

struct rows;
struct txn;

/* The object as the transaction would leave it, or NULL. */
const struct object *txn_find(const struct txn *t, const struct schema_table *table,
			      const char *key);

/* The object of an object table as the transaction would leave it; never NULL. */
const struct object *txn_object(const struct txn *t, const struct schema_table *table);

/* The active object, whatever is staged, or NULL. */
const struct object *txn_active(const struct txn *t, const struct schema_table *table,
				const char *key);

/* What a name in a reference attribute would stand for, or NULL. */
const struct object *txn_resolve(const struct txn *t, const struct schema_attr *attr,
				 const char *name);

/*
 * Another entry of the table of obj that would have the same text in this unique attribute, or
 * NULL; an empty text is that of none.
 */
const struct object *txn_find_same(const struct txn *t, const struct object *obj,
				   unsigned int attr);

/* Visit all objects of a table; stops when visit returns non-zero and returns that. */
int txn_each(const struct txn *t, const struct schema_table *table,
	     int (*visit)(void *arg, const struct object *obj), void *arg);

/* The same in no particular order, at no cost for what is staged in other tables. */
int txn_each_any_order(const struct txn *t, const struct schema_table *table,
		       int (*visit)(void *arg, const struct object *obj), void *arg);

/* Version that a put of this key must name: that of the active object, or TXN_NEW. */
uint64_t txn_base_version(const struct txn *t, const struct schema_table *table, const char *key);

/* Number of objects that a table would have. */
size_t txn_count(const struct txn *t, const struct schema_table *table);

/* Objects of tables that this release does not know, as the transaction would leave them. */
const struct rows *txn_rows(const struct txn *t);

/* Number of staged changes. */
size_t txn_staged(const struct txn *t);

/*
 * Visit every use of obj that there would be, by objects other than itself: once for each attribute
 * in which one names obj. Stops when visit returns non-zero and returns that.
 */
int txn_each_user(const struct txn *t, const struct object *obj,
		  int (*visit)(void *arg, const struct object *holder,
			       const struct schema_attr *attr),
		  void *arg);

/* Number of these uses. */
size_t txn_count_users(const struct txn *t, const struct object *obj);

/*
 * Visit all objects that a table would have whose range, by `of`, meets span. Stops when visit
 * returns non-zero and returns that.
 */
int txn_each_meeting(const struct txn *t, const struct schema_table *table, span_fn *of,
		     struct span span, span_visit_fn *visit, void *arg);

/*
 * Whether an object that was found on the machine becomes the administrator's, to be managed for
 * good, once one of his names it or he saves it.
 */
bool txn_adopts(const struct object *obj);

/* Whether that was said: what is found may be as no administrator could set it. */
bool txn_is_as_found(const struct txn *t);
