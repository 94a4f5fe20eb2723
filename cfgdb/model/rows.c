/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One tree over the rows of all such tables, by table, place and key: so the rows of an ordered
 * table stand in its order and those of others bytewise by key, as their digests count them. There
 * are few of them, for a short while, in a group whose members are of different releases; a look-up
 * by key walks the rows of its table if these have places.
 */
#include "cfgdb/model/rows.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

RB_HEAD(row_tree, row);

struct rows {
	struct row_tree tree;
	size_t count;
};

static int compare_row(const struct row *a, const struct row *b) {
	int c = strcmp(a->dotted, b->dotted);

	if (c == 0)
		c = (a->pos > b->pos) - (a->pos < b->pos);
	return c ? c : strcmp(a->key, b->key);
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(row_tree, row, entry, compare_row)

struct row *row_new(const char *dotted, const char *key, const char *body) {
	struct row *row = xcalloc(1, sizeof(*row));

	row->dotted = xstrdup(dotted);
	row->key = xstrdup(key);
	row->body = xstrdup(body);
	return row;
}

struct row *row_free(struct row *row) {
	if (!row)
		return NULL;
	free(row->dotted);
	free(row->key);
	free(row->body);
	free(row);
	return NULL;
}

struct rows *rows_new(void) {
	return xcalloc(1, sizeof(struct rows));
}

struct rows *rows_free(struct rows *rows) {
	struct row *row;

	if (!rows)
		return NULL;
	while ((row = RB_MIN(row_tree, &rows->tree)) != NULL) {
		RB_REMOVE(row_tree, &rows->tree, row);
		row_free(row);
	}
	free(rows);
	return NULL;
}

size_t rows_count(const struct rows *rows) {
	return rows->count;
}

const struct row *rows_first(const struct rows *rows) {
	return RB_MIN(row_tree, (struct row_tree *)&rows->tree);
}

const struct row *rows_first_of(const struct rows *rows, const char *dotted) {
	struct row least = { .dotted = (char *)dotted, .key = (char *)"", .pos = INT64_MIN };
	const struct row *row = RB_NFIND(row_tree, (struct row_tree *)&rows->tree, &least);

	return row && strcmp(row->dotted, dotted) == 0 ? row : NULL;
}

const struct row *rows_next(const struct rows *rows, const struct row *row) {
	(void)rows;
	return RB_NEXT(row_tree, NULL, (struct row *)row);
}

const struct row *rows_find(const struct rows *rows, const char *dotted, const char *key) {
	struct row want = { .dotted = (char *)dotted, .key = (char *)key };
	const struct row *row = RB_FIND(row_tree, (struct row_tree *)&rows->tree, &want);

	if (row)
		return row;
	for (row = rows_first_of(rows, dotted); row; row = rows_next(rows, row)) {
		if (strcmp(row->dotted, dotted) != 0)
			return NULL;
		if (row->pos != 0 && strcmp(row->key, key) == 0)
			return row;
	}
	return NULL;
}

struct row *rows_take(struct rows *rows, const char *dotted, const char *key) {
	struct row *row = (struct row *)rows_find(rows, dotted, key);

	if (!row)
		return NULL;
	RB_REMOVE(row_tree, &rows->tree, row);
	rows->count--;
	return row;
}

struct row *rows_put(struct rows *rows, struct row *row) {
	struct row *replaced = rows_take(rows, row->dotted, row->key);

	RB_INSERT(row_tree, &rows->tree, row);
	rows->count++;
	return replaced;
}
