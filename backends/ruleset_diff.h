/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be done to turn one ruleset into another. */
#pragma once

#include "backends/ruleset.h"

struct elem_change {
	const struct set *set;              /* in the new ruleset */
	const struct elem *elem;
};

/*
 * Everything points into the two rulesets. Executed in the order of the members: what is new comes
 * before what refers to it, and what goes is released first.
 */
struct ruleset_delta {
	bool whole; /* a kind changed: only replacing the whole table will do */
	const struct ct_object **new_objects;
	const struct set **new_sets;
	const struct chain **new_chains;
	const struct chain **changed_chains; /* as they shall be; emptied and refilled */
	const struct chain **old_chains;
	const struct set **old_sets;
	const struct ct_object **old_objects;
	struct elem_change *del, *add;      /* elements of sets that stay */
	size_t n_new_objects, n_new_sets, n_new_chains, n_changed_chains;
	size_t n_old_chains, n_old_sets, n_old_objects, n_del, n_add;
};

#define RULESET_DELTA_INIT { .whole = false }

/*
 * Compare two sorted rulesets (NULL: empty) and add what must be done to d, which begins as
 * RULESET_DELTA_INIT and is released with ruleset_delta_done.
 */
void ruleset_diff(const struct ruleset *from, const struct ruleset *to, struct ruleset_delta *d);

/* Release the lists of a delta. */
void ruleset_delta_done(struct ruleset_delta *d);

/* True when there is nothing to do. */
bool ruleset_delta_empty(const struct ruleset_delta *d);

#define AUTO_DELTA __attribute__((cleanup(ruleset_delta_done)))
