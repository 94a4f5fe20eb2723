/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random changes of a whole configuration, drawn so that they meet: few names, which tables of one
 * name space share, and few entries of ordered tables.
 */
#pragma once

#include "cfgdb/base/str.h"
#include "cfgdb/txn.h"
#include "tests/lib/random_object.h"

/* Stage n random changes into t: puts, deletions, moves. What the checks refuse is left out. */
void random_changes(struct rng *r, struct txn *t, unsigned int n);

/*
 * Everything that t would leave, as text, tables and entries in their order; of tables that have no
 * order, entries by key. The caller frees it.
 */
char *random_picture(const struct txn *t);

/* The same of the active configuration. */
char *random_picture_now(struct engine *e);
