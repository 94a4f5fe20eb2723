/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One tree, by length class (the power of two below the length), then by begin. What meets a range
 * begins, in each class, not further before it than the class is long: a short walk, for what is in
 * these tables hardly overlaps. A query is one walk in each class that has anything.
 */
#include "cfgdb/model/spans.h"

#include <bsd/sys/tree.h>
#include <stdlib.h>

#include "cfgdb/base/mem.h"

struct node {
	unsigned int class;          /* lengths from 2^class on, below the double of it */
	struct span span;
	const struct object *obj;    /* NULL in a probe: before all others */
	RB_ENTRY(node) entry;
};

RB_HEAD(span_tree, node);

struct spans {
	const struct schema_table *table;
	span_fn *of;
	struct span_tree tree;
	struct spans *next;
};

static int compare_nodes(const struct node *a, const struct node *b) {
	if (a->class != b->class)
		return a->class < b->class ? -1 : 1;
	if (a->span.lo != b->span.lo)
		return a->span.lo < b->span.lo ? -1 : 1;
	return (a->obj > b->obj) - (a->obj < b->obj);
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(span_tree, node, entry, compare_nodes)

static struct node node_of(const struct spans *s, const struct object *obj) {
	struct span span = s->of(obj);
	uint64_t length = span.hi - span.lo + 1;

	return (struct node){ .class = length ? 63 - (unsigned int)__builtin_clzll(length) : 63,
			      .span = span,
			      .obj = obj };
}

struct spans *spans_of(struct spans **list, const struct schema_table *table, span_fn *of,
		       bool *made) {
	struct spans **at = list;

	while (*at && ((*at)->table != table || (*at)->of != of))
		at = &(*at)->next;
	*made = *at == NULL;
	if (*made) {
		*at = xcalloc(1, sizeof(**at));
		(*at)->table = table;
		(*at)->of = of;
	}
	return *at;
}

void spans_free(struct spans **list) {
	while (*list) {
		struct spans *s = *list;
		struct node *node;

		while ((node = RB_ROOT(&s->tree)) != NULL) {
			RB_REMOVE(span_tree, &s->tree, node);
			free(node);
		}
		*list = s->next;
		free(s);
	}
}

void spans_add(struct spans *from, const struct object *obj) {
	for (struct spans *s = from; s; s = s->next) {
		struct node *node;

		if (s->table != obj->table)
			continue;
		node = xcalloc(1, sizeof(*node));
		*node = node_of(s, obj);
		RB_INSERT(span_tree, &s->tree, node);
	}
}

void spans_remove(struct spans *list, const struct object *obj) {
	for (struct spans *s = list; s; s = s->next) {
		struct node want, *node;

		if (s->table != obj->table)
			continue;
		want = node_of(s, obj);
		node = RB_FIND(span_tree, &s->tree, &want);
		if (node)
			RB_REMOVE(span_tree, &s->tree, node);
		free(node);
	}
}

/* The first node of a class from `lo` on; of a later class when it has none. */
static struct node *seek(const struct spans *s, unsigned int class, uint64_t lo) {
	struct node want = { .class = class, .span.lo = lo };

	return RB_NFIND(span_tree, (struct span_tree *)&s->tree, &want);
}

int spans_each(const struct spans *s, struct span span, span_visit_fn *visit, void *arg) {
	for (struct node *node = seek(s, 0, 0); node;) {
		unsigned int class = node->class;
		uint64_t longest = class < 63 ? (uint64_t)2 << class : UINT64_MAX;

		node = seek(s, class, span.lo > longest ? span.lo - longest : 0);
		for (; node && node->class == class && node->span.lo <= span.hi;
		     node = RB_NEXT(span_tree, NULL, node)) {
			int rc = node->span.hi >= span.lo ? visit(arg, node->obj) : 0;

			if (rc)
				return rc;
		}
		node = seek(s, class + 1, 0);
	}
	return 0;
}
