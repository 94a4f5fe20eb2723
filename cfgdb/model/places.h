/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The order of the entries of one table, as numbers with gaps between them: an entry that moves
 * gets a number between those of its new neighbours, and the others keep theirs. Only where a gap
 * is used up the entries around it are numbered anew.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct places;

/* One entry; key and pos are read-only. */
struct place {
	char *key;
	int64_t pos;             /* never 0 */
};

/* New empty order; the caller frees it. */
struct places *places_new(void);

/* Free; NULL is fine. Returns NULL. */
struct places *places_free(struct places *ps);

/* Enter an entry at this pos, which is not 0. */
void places_enter(struct places *ps, const char *key, int64_t pos);

/* Add a new entry behind all others. */
void places_append(struct places *ps, const char *key);

/* Take an entry out; one that is not there is fine. */
void places_remove(struct places *ps, const char *key);

/* Move an entry behind another one ("": before all); both must be there, and be two. */
void places_move(struct places *ps, const char *key, const char *after);

/* The entry with this key, or NULL. */
const struct place *places_find(const struct places *ps, const char *key);

/* First entry, or NULL. */
const struct place *places_first(const struct places *ps);

/* The entry behind this one, or NULL. */
const struct place *places_next(const struct places *ps, const struct place *place);

/* The entry before this one, or NULL. */
const struct place *places_prev(const struct places *ps, const struct place *place);
