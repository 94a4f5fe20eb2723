/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random configurations of every table that the checks of a transaction accept. */
#pragma once

#include "cfgdb/txn.h"
#include "tests/lib/random_object.h"

/*
 * Put n random objects of a table into a transaction, some of them over one another; returns how
 * many were accepted.
 */
unsigned int random_fill(struct rng *r, struct txn *t, const struct schema_table *table,
			 unsigned int n);
