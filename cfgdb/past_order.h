/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The order that the entries of a table had at a past revision, worked out from the history. */
#pragma once

#include "cfgdb/engine.h"
#include "cfgdb/model/places.h"

struct past_table {
	char *dotted;
	struct places *places;   /* as they stood; its numbers mean nothing but order */
	bool is_told;            /* and some of them are not as they stand now, perhaps */
};

/* The tables in which something changed since whose entries have an order. */
struct past_order {
	struct past_table *table; /* n of them */
	size_t n;
};

/*
 * Read it, into what is released with past_order_done() in any case. ERR_NOT_FOUND when the history
 * does not reach back to the revision; ERR_STORE when an earlier release, which did not keep the
 * order, made a change since that may have changed it.
 */
int past_order_read(struct past_order *o, const struct engine *e, uint64_t revision,
		    struct err *err);

/* The places of a table, or NULL: they are as they are now. */
const struct places *past_order_of(const struct past_order *o, const char *dotted);

/* Release it. */
void past_order_done(struct past_order *o);

/* A struct past_order that is released when it leaves its scope. */
#define AUTO_PAST_ORDER __attribute__((cleanup(past_order_done)))
