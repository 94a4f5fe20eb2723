/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Another name for an entry: the old one goes, the same content comes under the new key and in the
 * old place, and every object that named the old one, also in its nested tables, is staged with the
 * new name. For the database, the kernel and other members these are changes like others.
 *
 * Everything is made ready and checked before the first of it is staged, so that a rename that is
 * refused leaves the transaction as it was.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/txn_impl.h"

/* An object that names the entry, as it is and as it will be. */
struct follower {
	const struct object *before;
	struct object *after;
};

struct rename {
	const struct txn *txn;
	const struct object *obj;    /* under its old name */
	const char *to;
	struct follower *followers;  /* n of them */
	size_t n;
	size_t bytes;                /* that all of it takes when it is staged */
};

static bool names_it(const struct rename *r, const struct schema_attr *attr, const char *name) {
	return strcmp(name, r->obj->key) == 0 && txn_resolve(r->txn, attr, name) == r->obj;
}

/* References in holder, and in all that is nested in it, get the new name. */
static void follow(const struct rename *r, struct object *holder) {
	for (uint32_t f = 0; f < holder->n_fields; f++) {
		const struct schema_attr *a = &holder->table->attrs[holder->fields[f].attr];
		struct value *v = &holder->fields[f].value;

		for (uint32_t i = 0; i < v->n; i++) {
			if (a->type == ATTR_CHILD)
				follow(r, value_item(v, i)->entry);
			else if (a->type == ATTR_REF && names_it(r, a, value_item(v, i)->str))
				value_replace_item(a, v, i, (union item){ .str = xstrdup(r->to) });
		}
	}
}

/* Called for each attribute; all of one object come one after the other. */
static int add_follower(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct rename *r = arg;
	struct object *after;

	if (!names_it(r, attr, r->obj->key) ||
	    (r->n > 0 && r->followers[r->n - 1].before == holder))
		return 0;
	if ((r->n & (r->n - 1)) == 0)
		r->followers = xreallocarray(r->followers, r->n ? r->n * 2 : 1,
					     sizeof(*r->followers));
	after = object_copy(holder);
	follow(r, after);
	check_adjust(after);
	r->followers[r->n++] = (struct follower){ holder, after };
	r->bytes += txn_staged_size(after->key, after);
	return 0;
}

static int check_followers(const struct rename *r, struct err *err) {
	int rc = 0;

	for (size_t i = 0; i < r->n && rc == 0; i++) {
		rc = txn_places_check(r->txn, r->followers[i].after->table, err);
		if (rc == 0)
			rc = txn_ask_guard(r->txn, r->followers[i].before, r->followers[i].after,
					   err);
		if (rc == 0)
			rc = txn_lock_put(r->txn, r->followers[i].after, err);
		if (rc == 0)
			rc = check_rules(r->txn, r->followers[i].after, err);
	}
	return rc;
}

static int check_all(const struct rename *r, const struct object *renamed, struct err *err) {
	int rc = txn_places_check(r->txn, r->obj->table, err);

	if (rc == 0)
		rc = txn_ask_guard(r->txn, r->obj, NULL, err);
	if (rc == 0)
		rc = txn_ask_guard(r->txn, NULL, renamed, err);
	if (rc == 0)
		rc = txn_lock_delete(r->txn, r->obj->table, r->obj->key, err);
	if (rc == 0)
		rc = txn_lock_put(r->txn, renamed, err);
	if (rc == 0)
		rc = check_rename(r->txn, r->obj, renamed, err);
	if (rc == 0)
		rc = check_followers(r, err);
	return rc ? rc : txn_room_for(r->txn, renamed->table, r->to, r->n + 2, r->bytes, err);
}

static void stage(struct txn *t, const struct schema_table *table, const char *key,
		  struct object *obj) {
	const struct object *active = txn_active(t, table, key);

	txn_stage(t, table, key, obj, active ? active->ver : TXN_NEW);
}

/* Nothing here can fail but what was asked before. Takes over renamed and the followers. */
static int stage_all(struct txn *t, struct rename *r, struct object *renamed, struct err *err) {
	const struct schema_table *table = renamed->table;
	AUTO_FREE char *from = xstrdup(r->obj->key);
	AUTO_FREE char *place = NULL;

	if (table->flags & TABLE_ORDERED)
		place = xstrdup(txn_key_before(t, table, from));
	stage(t, table, from, NULL);
	stage(t, table, r->to, renamed);
	for (size_t i = 0; i < r->n; i++) {
		struct object *after = r->followers[i].after;

		r->followers[i].after = NULL;
		stage(t, after->table, after->key, after);
	}
	return place ? txn_place(t, table, r->to, place, err) : 0;
}

int txn_rename(struct txn *t, const struct schema_table *table, const char *key, const char *to,
	       struct err *err) {
	struct rename r = { .txn = t, .obj = txn_find(t, table, key), .to = to };
	struct object *renamed;
	int rc;

	if (!schema_is_list(table))
		return err_set(err, ERR_PARSE, "\ncommand parse error before 'rename'");
	if (!r.obj)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	renamed = object_copy(r.obj);
	follow(&r, renamed);
	object_rekey(renamed, to);
	txn_each_user(t, r.obj, add_follower, &r);
	r.bytes += txn_staged_size(key, NULL) + txn_staged_size(to, renamed);
	rc = check_all(&r, renamed, err);
	if (rc)
		object_free(renamed);
	else
		rc = stage_all(t, &r, renamed, err);
	for (size_t i = 0; i < r.n; i++)
		object_free(r.followers[i].after);
	free(r.followers);
	return rc;
}
