/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of a policy whose schedule is over are those of one that is disabled. What tells them
 * apart is how it came: when the clock ended the schedule, sessions live on; when somebody changed
 * the policy, the schedule or anything else that the policy names, they are judged as after any
 * change. The rules in memory remember which it was.
 *
 * What a policy names is followed down through groups, and each object is looked at once.
 */
#include "backends/kept.h"

#include <bsd/sys/tree.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

struct known {
	const struct object *obj;
	bool changed;              /* itself, or something that it names */
	RB_ENTRY(known) entry;
};

RB_HEAD(known_tree, known);

static int known_order(const struct known *a, const struct known *b) {
	return a->obj < b->obj ? -1 : a->obj > b->obj;
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(known_tree, known, entry, known_order)

struct names_walk {
	const struct model *model;
	struct known_tree known;
};

/* What is known of an object; *is_new when that is nothing yet. */
static struct known *known_of(struct names_walk *w, const struct object *obj, bool *is_new) {
	struct known *k = xcalloc(1, sizeof(*k)), *there;

	k->obj = obj;
	there = RB_INSERT(known_tree, &w->known, k);
	*is_new = !there;
	if (there)
		free(k);
	return there ? there : k;
}

static void known_free(struct names_walk *w) {
	struct known *k;

	while ((k = RB_ROOT(&w->known))) {
		RB_REMOVE(known_tree, &w->known, k);
		free(k);
	}
}

static bool is_changed(struct names_walk *w, const struct object *obj);

static int name_changed(void *arg, const struct object *holder, unsigned int attr,
			const char *name) {
	struct names_walk *w = arg;
	const struct object *obj = model_resolve(w->model, &holder->table->attrs[attr], name);

	return obj && is_changed(w, obj);
}

static bool is_changed(struct names_walk *w, const struct object *obj) {
	bool is_new;
	struct known *k = known_of(w, obj, &is_new);

	if (is_new)
		k->changed = object_each_ref(obj, name_changed, w) != 0;
	return k->changed;
}

/* An interface is no part of what a policy allows: only its name is. */
static bool decides(const struct object *obj) {
	return obj->table->id == TBL_SYSTEM_ZONE ||
	       strncmp(obj->table->dotted, "firewall.", strlen("firewall.")) == 0;
}

static void enter_changes(struct names_walk *w, const struct commit *commit) {
	bool is_new;

	for (size_t i = 0; i < commit->n_changes; i++)
		if (commit->changes[i].after && decides(commit->changes[i].after))
			known_of(w, commit->changes[i].after, &is_new)->changed = true;
}

static bool policy_changed(struct names_walk *w, uint32_t id) {
	const struct object *policy;
	char key[16];

	snprintf(key, sizeof(key), "%u", id);
	policy = model_find(w->model, schema_table(TBL_FIREWALL_POLICY), key);
	return policy && is_changed(w, policy);
}

void kept_settle(struct ruleset *rules, const struct ruleset *before, const struct commit *commit) {
	struct names_walk w = { commit->model, RB_INITIALIZER(&w.known) };
	struct set *marks = &rules->kept.marks;

	enter_changes(&w, commit);
	for (uint32_t i = 0; i < marks->n_elems; i++) {
		struct elem *e = &marks->elems[i];
		const struct elem *was;

		if (!(e->a & KEEP_OVER))
			continue;
		was = set_find(&before->kept.marks, e->key);
		if ((was && was->a & KEEP_NOT_OVER) || policy_changed(&w, key_value(marks, e->key)))
			e->a ^= KEEP_OVER | KEEP_NOT_OVER;
	}
	known_free(&w);
}

bool kept_ends(const struct ruleset *before, const struct ruleset *rules) {
	const struct set *marks = &before->kept.marks;

	for (uint32_t i = 0; i < marks->n_elems; i++)
		if (marks->elems[i].a & KEEP_OVER &&
		    !ruleset_keeps(rules, key_value(marks, marks->elems[i].key)))
			return true;
	return false;
}
