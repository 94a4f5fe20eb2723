/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order in which a table is listed: one in which it can be read back. */
#pragma once

#include "cfgdb/txn_view.h"

/*
 * Visit all objects of a table in its order, except that one which another of the same table
 * names comes before it (groups of groups). Stops when visit returns non-zero and returns that.
 */
int order_each(const struct txn *t, const struct schema_table *table,
	       int (*visit)(void *arg, const struct object *obj), void *arg);
