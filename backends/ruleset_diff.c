/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Comparison by name. Chains are compared whole: they are short, and a chain whose rules changed is
 * emptied and refilled in the same batch. Sets are compared element by element, because the large
 * ones (counters, maps over addresses) change by a few elements in a commit, and because an element
 * that stays keeps its counter. An object of one name never changes: sessions hold it.
 */
#include "backends/ruleset_diff.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

static void list_add(const void ***list, size_t *n, const void *item) {
	if ((*n & (*n - 1)) == 0)
		*list = xreallocarray(*list, *n ? *n * 2 : 1, sizeof(**list));
	(*list)[(*n)++] = item;
}

static void change_add(struct elem_change **list, size_t *n, const struct set *set,
		       const struct elem *e) {
	if ((*n & (*n - 1)) == 0)
		*list = xreallocarray(*list, *n ? *n * 2 : 1, sizeof(**list));
	(*list)[(*n)++] = (struct elem_change){ set, e };
}

static void diff_chains(const struct ruleset *from, const struct ruleset *to,
			struct ruleset_delta *d) {
	for (const struct chain *c = to ? to->chains : NULL; c; c = c->next) {
		const struct chain *old = from ? ruleset_chain(from, c->name) : NULL;

		if (!old)
			list_add((const void ***)&d->new_chains, &d->n_new_chains, c);
		else if (old->type != c->type || old->hook != c->hook ||
			 old->priority != c->priority)
			d->whole = true;
		else if (!chain_equal(old, c))
			list_add((const void ***)&d->changed_chains, &d->n_changed_chains, c);
	}
	for (const struct chain *c = from ? from->chains : NULL; c; c = c->next)
		if (!to || !ruleset_chain(to, c->name))
			list_add((const void ***)&d->old_chains, &d->n_old_chains, c);
}

/* Both are sorted: walk them side by side. */
static void diff_elems(const struct set *old, const struct set *set, struct ruleset_delta *d) {
	uint32_t i = 0, j = 0;

	while (i < old->n_elems || j < set->n_elems) {
		int order;

		if (i == old->n_elems)
			order = 1;
		else if (j == set->n_elems)
			order = -1;
		else
			order = memcmp(old->elems[i].key, set->elems[j].key, set->key_len);
		if (order == 0 && elem_equal(set, &old->elems[i], &set->elems[j])) {
			i++;
			j++;
			continue;
		}
		if (order <= 0)
			change_add(&d->del, &d->n_del, set, &old->elems[i++]);
		if (order >= 0)
			change_add(&d->add, &d->n_add, set, &set->elems[j++]);
	}
}

static void diff_sets(const struct ruleset *from, const struct ruleset *to,
		      struct ruleset_delta *d) {
	for (const struct set *s = to ? to->sets : NULL; s; s = s->next) {
		const struct set *old = from ? ruleset_set(from, s->name) : NULL;

		if (!old)
			list_add((const void ***)&d->new_sets, &d->n_new_sets, s);
		else if (old->data != s->data || old->flags != s->flags ||
			 memcmp(old->field, s->field, sizeof(s->field)) != 0)
			d->whole = true;
		else
			diff_elems(old, s, d);
	}
	for (const struct set *s = from ? from->sets : NULL; s; s = s->next)
		if (!to || !ruleset_set(to, s->name))
			list_add((const void ***)&d->old_sets, &d->n_old_sets, s);
}

static void diff_objects(const struct ruleset *from, const struct ruleset *to,
			 struct ruleset_delta *d) {
	for (const struct ct_object *o = to ? to->objects : NULL; o; o = o->next) {
		const struct ct_object *old = from ? ruleset_object(from, o->name) : NULL;

		if (!old)
			list_add((const void ***)&d->new_objects, &d->n_new_objects, o);
		else if (!ct_object_equal(old, o))
			d->whole = true;
	}
	for (const struct ct_object *o = from ? from->objects : NULL; o; o = o->next)
		if (!to || !ruleset_object(to, o->name))
			list_add((const void ***)&d->old_objects, &d->n_old_objects, o);
}

void ruleset_diff(const struct ruleset *from, const struct ruleset *to, struct ruleset_delta *d) {
	diff_objects(from, to, d);
	diff_sets(from, to, d);
	diff_chains(from, to, d);
}

void ruleset_delta_done(struct ruleset_delta *d) {
	free(d->new_objects);
	free(d->new_sets);
	free(d->new_chains);
	free(d->changed_chains);
	free(d->old_chains);
	free(d->old_sets);
	free(d->old_objects);
	free(d->del);
	free(d->add);
	*d = (struct ruleset_delta)RULESET_DELTA_INIT;
}

bool ruleset_delta_empty(const struct ruleset_delta *d) {
	return !d->whole && d->n_new_objects + d->n_new_sets + d->n_new_chains +
					    d->n_changed_chains + d->n_old_chains + d->n_old_sets +
					    d->n_old_objects + d->n_del + d->n_add ==
				    0;
}
