/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Our table in the kernel of the current network namespace, as tests compare it. */
#pragma once

#include <stdbool.h>

#include "backends/ruleset.h"

/*
 * The table in a form in which equal tables are equal text; "" when there is none. The caller frees
 * it.
 */
char *table_listing(void);

/* True when there is no table. */
bool table_is_empty(void);

/* Load a ruleset through its text, in place of what is there. */
void table_load(const struct ruleset *rs);

/* Fail, with the first difference, unless two listings are equal; both are freed. */
void table_assert_same(char *a, char *b);
