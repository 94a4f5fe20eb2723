/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which objects of a table take part of a range that others want: an index over ranges of numbers,
 * made when someone first asks, kept from then on.
 */
#pragma once

#include "cfgdb/model/object.h"

/* From lo to hi, both included. */
struct span {
	uint64_t lo, hi;
};

/* The range that an object takes; it depends on that alone, for it is asked again at the end. */
typedef struct span span_fn(const struct object *obj);

/* Visits an object; what it returns ends the visits unless it is 0. */
typedef int span_visit_fn(void *arg, const struct object *obj);

struct spans;

/*
 * The index over this table with this function, from a list that begins empty (NULL) and owns it.
 * When it is not there it is made, at the end of the list, and *made is set: fill it.
 */
struct spans *spans_of(struct spans **list, const struct schema_table *table, span_fn *of,
		       bool *made);

/* Free all indexes of a list, not the objects in them; the list is empty afterwards. */
void spans_free(struct spans **list);

/*
 * Enter an object, which must live and stay as it is, into the indexes of its table from this one
 * of the list on.
 */
void spans_add(struct spans *from, const struct object *obj);

/* Take it out of all indexes again. */
void spans_remove(struct spans *list, const struct object *obj);

/* Visit all objects of one index that take a part of span, in no special order. */
int spans_each(const struct spans *s, struct span span, span_visit_fn *visit, void *arg);
