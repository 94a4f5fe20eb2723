/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The change of one object as the lines between `edit` and `next`. */
#pragma once

#include "cfgdb/base/str.h"
#include "cfgdb/model/object.h"

/*
 * Append the `set` and `unset` lines, and the nested `config` blocks, that turn obj into goal, at
 * `indent` levels of four blanks. obj, of the same table, is changed on the way.
 */
void entry_lines(struct object *obj, const struct object *goal, unsigned int indent,
		 struct str *out);

/* Append a key as `edit`, `delete` and `move` take it. */
void entry_lines_key(const struct schema_table *table, const char *key, struct str *out);
