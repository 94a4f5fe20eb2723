/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The numbers are a row of meta: the next one on a line of its own, then a line for each name. They
 * belong to the unit: members of a group each count for themselves, for a uid means nothing beyond
 * the machine.
 *
 * What a commit has changed is found by walking both lists, which are short and in one order. The
 * row is written before anybody learns of a number.
 */
#include "cfgdb/aaa/accounts.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/aaa/aaa_wire.h"
#include "cfgdb/admin.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define META "admin_uids"

struct number {
	char *name;
	uint32_t uid;
};

/* Sorted by name. */
struct list {
	struct number *number;
	size_t n;
	uint32_t next;           /* uid that nobody has had */
};

struct accounts {
	struct engine *engine;
	struct list list;
};

static_assert(ADMIN_NAME_MAX == AAA_NAME_MAX, "names that can log in fit into requests");

/* ---- lists ---- */

static void list_done(struct list *l) {
	for (size_t i = 0; i < l->n; i++)
		free(l->number[i].name);
	free(l->number);
	*l = (struct list){ .next = l->next };
}

static void list_add(struct list *l, const char *name, uint32_t uid) {
	l->number = xreallocarray(l->number, l->n + 1, sizeof(*l->number));
	l->number[l->n++] = (struct number){ xstrdup(name), uid };
}

static const struct number *list_find(const struct list *l, const char *name) {
	size_t lo = 0, hi = l->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int order = strcmp(name, l->number[mid].name);

		if (order == 0)
			return &l->number[mid];
		if (order < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

static char *list_print(const struct list *l) {
	struct str text = STR_INIT;

	str_addf(&text, "%" PRIu32 "\n", l->next);
	for (size_t i = 0; i < l->n; i++)
		str_addf(&text, "%" PRIu32 " %s\n", l->number[i].uid, l->number[i].name);
	return str_steal(&text);
}

static bool in_range(uint32_t uid) {
	return uid >= AAA_UID_MIN && uid <= AAA_UID_MAX;
}

/* Lines that somebody else has written give nobody a number. */
static void list_parse(struct list *l, char *text) {
	char *line = strsep(&text, "\n");

	l->next = (uint32_t)strtoul(line, NULL, 10);
	while (text && *text) {
		char *name;
		uint32_t uid;

		line = strsep(&text, "\n");
		uid = (uint32_t)strtoul(line, &name, 10);
		if (in_range(uid) && uid < l->next && *name == ' ')
			list_add(l, name + 1, uid);
	}
}

static bool list_equal(const struct list *a, const struct list *b) {
	bool equal = a->n == b->n && a->next == b->next;

	for (size_t i = 0; equal && i < a->n; i++)
		equal = a->number[i].uid == b->number[i].uid &&
			strcmp(a->number[i].name, b->number[i].name) == 0;
	return equal;
}

/* ---- following ---- */

/* Who is there now, with the numbers that they have or get. */
static struct list wanted(const struct accounts *a) {
	const struct schema_table *table = schema_table(TBL_SYSTEM_ADMIN);
	const struct model *m = a->engine->model;
	struct list l = { .next = a->list.next };

	for (const struct object *o = model_seek(m, table, ""); o; o = model_next_key(m, o)) {
		const struct number *known = list_find(&a->list, o->key);

		if (known)
			list_add(&l, o->key, known->uid);
		else if (admin_is_login_name(o->key) && in_range(l.next))
			list_add(&l, o->key, l.next++);
	}
	return l;
}

int accounts_follow(struct accounts *a, struct err *err) {
	struct list now = wanted(a);
	AUTO_FREE char *text = NULL;
	int rc = 0;

	if (!list_equal(&now, &a->list)) {
		text = list_print(&now);
		rc = store_meta_set(a->engine->store, META, text, err);
	}
	if (rc) {
		list_done(&now);
		return rc;
	}
	list_done(&a->list);
	a->list = now;
	return 0;
}

struct accounts *accounts_open(struct engine *engine, struct err *err) {
	struct accounts *a = xcalloc(1, sizeof(*a));
	AUTO_FREE char *text = NULL;
	int rc = store_meta_get(engine->store, META, &text, err);

	a->engine = engine;
	if (rc == 0 && text)
		list_parse(&a->list, text);
	if (a->list.next < AAA_UID_MIN)
		a->list.next = AAA_UID_MIN;
	if (rc == 0)
		rc = accounts_follow(a, err);
	return rc == 0 ? a : accounts_close(a);
}

struct accounts *accounts_close(struct accounts *a) {
	if (!a)
		return NULL;
	list_done(&a->list);
	free(a);
	return NULL;
}

/* ---- looking up ---- */

static bool is_there(const struct accounts *a, const char *name) {
	return model_find(a->engine->model, schema_table(TBL_SYSTEM_ADMIN), name) != NULL;
}

uint32_t accounts_uid(const struct accounts *a, const char *name) {
	const struct number *number = list_find(&a->list, name);

	return number && is_there(a, name) ? number->uid : 0;
}

const char *accounts_name(const struct accounts *a, uint32_t uid) {
	for (size_t i = 0; i < a->list.n; i++)
		if (a->list.number[i].uid == uid)
			return is_there(a, a->list.number[i].name) ? a->list.number[i].name : NULL;
	return NULL;
}
