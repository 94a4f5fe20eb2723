/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which entries of a list must move to bring it into another order: as few as can be. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define MOVES_NEW ((size_t)-1) /* an entry that is not in the present order */

/*
 * from[i] is the present place of the entry that is to be number i of n, no two the same but
 * MOVES_NEW. Fill moves[i]: whether it moves. Those that do not are in the right order already.
 */
void moves_find(const size_t from[], size_t n, bool moves[]);
