/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be staged: puts and deletions are checked against what the transaction would make of the
 * model, and held against the version they started from. When the active configuration has moved by
 * the time of the commit, everything is checked once more: what fitted and no longer does was
 * overtaken by someone else (code 14). Only a number that was drawn for a new entry gives way: the
 * entry gets another one.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/reseal.h"
#include "cfgdb/rights.h"
#include "cfgdb/txn_impl.h"
#include "cfgdb/unknown.h"
#include "schemas/schema_gen.h"

#define NUMBER_LEN 24  /* room for a number as a key */

/* A uuid that is not given is that of the object before; so may a secret be. */
static void keep_unsaid(const struct txn *t, struct object *obj, const struct object *before) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		bool kept = a->type == ATTR_UUID || (t->keeps_secrets && schema_is_secret(a));
		const struct value *was = kept && before ? object_get(before, i) : NULL;

		if (was && !object_get(obj, i) && object_has(obj, i))
			object_set(obj, i, value_copy(a, was));
	}
}

/* The version an entry will be held against at commit: that of the active object. */
static uint64_t active_version(const struct txn *t, const struct schema_table *table,
			       const char *key) {
	const struct object *obj = model_find(t->engine->model, table, key);

	return obj ? obj->ver : TXN_NEW;
}

/* Taking the last policy away must not make a router of the unit. */
int txn_adopt(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct txn *t = arg;
	const struct object *named = txn_resolve(t, &holder->table->attrs[attr], name);

	if (named && txn_adopts(named) && named == txn_active(t, named->table, named->key))
		txn_stage(t, named->table, named->key, object_copy(named), named->ver)->adopted =
			true;
	return 0;
}

void txn_drop_adopted(struct txn *t) {
	struct staged *s, *next;

	for (s = TAILQ_FIRST(&t->order); s; s = next) {
		next = TAILQ_NEXT(s, next);
		if (s->adopted && active_version(t, s->table, s->key) != s->base)
			txn_unstage(t, s);
	}
}

/* ---- numbers that nobody asked for: `edit 0` ---- */

/* The active object with the greatest key that is not to be deleted, or NULL. */
static const struct object *active_last(const struct txn *t, const struct schema_table *table) {
	const struct object *obj = model_last_key(t->engine->model, table);

	while (obj && !txn_find(t, table, obj->key))
		obj = model_prev_key(t->engine->model, obj);
	return obj;
}

/* The first free key, where that above the greatest one would be too great. */
static int first_gap(const struct txn *t, const struct schema_table *table, uint64_t *ret,
		     struct err *err) {
	const struct schema_attr *attr = &table->attrs[0];
	char key[24];

	for (int64_t id = attr->min > 0 ? attr->min : 1; id < attr->max; id++) {
		snprintf(key, sizeof(key), "%" PRId64, id);
		if (txn_find(t, table, key) || txn_is_locked(t, table, key))
			continue;
		*ret = (uint64_t)id;
		return 0;
	}
	return err_set(err, ERR_MAX_ENTRIES, "object set operator error, -4 discard the setting");
}

int txn_next_id(const struct txn *t, const struct schema_table *table, uint64_t *ret,
		struct err *err) {
	const struct schema_attr *key = &table->attrs[0];
	const struct object *staged, *active;
	int64_t last = key->min > 0 ? key->min - 1 : 0;

	if (!schema_is_list(table) || key->type != ATTR_INTEGER)
		return err_set(err, ERR_PARSE, "\ncommand parse error before '0'");
	staged = txn_staged_last(t, table);
	active = active_last(t, table);
	if (staged && atoll(staged->key) > last)
		last = atoll(staged->key);
	if (active && atoll(active->key) > last)
		last = atoll(active->key);
	if (txn_lock_last(t, table) > last)
		last = txn_lock_last(t, table);
	if (last >= key->max)
		return first_gap(t, table, ret, err);
	*ret = (uint64_t)last + 1;
	return 0;
}

static int next_number(const struct txn *t, const struct object *obj, char *key, size_t size,
		       struct err *err) {
	uint64_t id;
	int rc = txn_next_id(t, obj->table, &id, err);

	if (rc == 0)
		snprintf(key, size, "%llu", (unsigned long long)id);
	return rc;
}

/*
 * The number that obj came with, which its administrator has seen, if it is free: else the next
 * one.
 */
static int draw_number(const struct txn *t, const struct object *obj, char *key, size_t size,
		       struct err *err) {
	bool numbered = schema_is_list(obj->table) && obj->table->attrs[0].type == ATTR_INTEGER;

	if (!numbered || strcmp(obj->key, "0") == 0 || txn_find(t, obj->table, obj->key) ||
	    txn_is_locked(t, obj->table, obj->key))
		return next_number(t, obj, key, size, err);
	snprintf(key, size, "%s", obj->key);
	return 0;
}

static void warn_of_number(struct txn *t, const struct schema_table *table, const char *seen,
			   const char *key) {
	warn_add(&t->warnings, "%s %s: someone else took the number meanwhile, the new entry is %s",
		 table->path, seen, key);
}

/* Whether an entry may not keep its number, and no harm is done by another one. */
static bool is_to_redraw(const struct txn *t, const struct staged *s) {
	bool taken = model_find(t->engine->model, s->table, s->key) ||
		     txn_is_locked(t, s->table, s->key);

	return s->drawn && s->base == TXN_NEW && taken && txn_count_users(t, s->obj) == 0;
}

/* In a table with places txn_places_recheck() refuses, for who has the number is new there. */
void txn_redraw(struct txn *t) {
	struct staged *s;
	char key[NUMBER_LEN];

	if (t->seen_revision == t->engine->revision && !txn_is_contended(t))
		return;
	TAILQ_FOREACH(s, &t->order, next) {
		if (!is_to_redraw(t, s) || next_number(t, s->obj, key, sizeof(key), NULL) != 0)
			continue;
		warn_of_number(t, s->table, s->key, key);
		txn_rekey(t, s, key);
	}
}

/* ---- staging ---- */

static int ask_engine(const struct txn *t, const struct object *before, const struct object *after,
		      struct err *err) {
	const struct engine *e = t->engine;

	if (!e->guard || t->replicated || t->as_found || t->look_only)
		return 0;
	return e->guard(e->guard_arg, before, after, err);
}

int txn_ask_guard(const struct txn *t, const struct object *before, const struct object *after,
		  struct err *err) {
	int rc = t->rights ? rights_check_change(t->rights, t, before, after, err) : 0;

	return rc ? rc : ask_engine(t, before, after, err);
}

/* Whether nobody was faster; who may not touch what is there is told that. */
static int put_allowed(const struct txn *t, const struct object *obj, uint64_t base,
		       struct err *err) {
	const struct object *there = txn_find(t, obj->table, obj->key);
	int rc;

	if (base == TXN_ANY || base == txn_base_version(t, obj->table, obj->key) ||
	    (!schema_is_list(obj->table) && !there))
		return 0;
	rc = there && t->rights ? rights_check_change(t->rights, t, there, NULL, err) : 0;
	return rc ? rc : txn_refuse_locked(err);
}

/* What a put starts from: where all is replaced, the active object, although it is gone here. */
static const struct object *find_before(const struct txn *t, const struct object *obj) {
	const struct object *active =
		t->replaces ? txn_active(t, obj->table, obj->key) : NULL;

	return active ? active : txn_find(t, obj->table, obj->key);
}

static int put(struct txn *t, struct object *obj, uint64_t base, bool drawn, struct err *err) {
	const struct object *before = find_before(t, obj);
	uint64_t active = active_version(t, obj->table, obj->key);
	int rc = put_allowed(t, obj, base, err);

	if (rc == 0)
		rc = txn_places_check(t, obj->table, err);
	if (rc == 0)
		rc = secret_seal_object(t->engine->keyring, obj, before, err);
	if (rc == 0) {
		object_normalize(obj);
		check_adjust(obj);
		keep_unsaid(t, obj, before);
		unknown_keep(obj, before);
		object_fill_uuid(obj);
		rc = txn_ask_guard(t, before, obj, err);
	}
	if (rc == 0 && obj->table->id == TBL_SYSTEM_GLOBAL)
		rc = reseal_check(t->engine, before, obj, t->private_key, err);
	if (rc == 0)
		rc = txn_lock_put(t, obj, err);
	if (rc == 0)
		rc = check_object(t, obj, err);
	if (rc == 0)
		rc = txn_room(t, obj->table, obj->key, obj, err);
	if (rc) {
		object_free(obj);
		return rc;
	}
	obj->pos = before ? before->pos : 0;
	txn_stage(t, obj->table, obj->key, obj, active)->drawn = drawn;
	return t->as_found || t->replaces ? 0 : object_each_ref(obj, txn_adopt, t);
}

static int put_next(struct txn *t, struct object *obj, struct err *err) {
	const struct schema_table *table = obj->table;
	AUTO_FREE char *seen = xstrdup(obj->key);
	char key[NUMBER_LEN];
	int rc = draw_number(t, obj, key, sizeof(key), err);

	if (rc) {
		object_free(obj);
		return rc;
	}
	object_rekey(obj, key);
	rc = put(t, obj, TXN_NEW, true, err);
	if (rc == 0 && strcmp(seen, key) != 0 && strcmp(seen, "0") != 0)
		warn_of_number(t, table, seen, key);
	return rc;
}

int txn_put(struct txn *t, struct object *obj, uint64_t base, struct err *err) {
	return base == TXN_NEXT ? put_next(t, obj, err) : put(t, obj, base, false, err);
}

int txn_delete(struct txn *t, const struct schema_table *table, const char *key, struct err *err) {
	const struct object *obj = txn_find(t, table, key);
	int rc;

	if (!schema_is_list(table))
		return err_set(err, ERR_PARSE, "\ncommand parse error before 'delete'");
	if (!obj)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	rc = txn_places_check(t, table, err);
	if (rc == 0)
		rc = txn_ask_guard(t, obj, NULL, err);
	if (rc == 0)
		rc = txn_lock_delete(t, table, key, err);
	if (rc == 0)
		rc = check_delete(t, obj, err);
	if (rc == 0)
		rc = txn_room(t, table, key, NULL, err);
	if (rc)
		return rc;
	txn_stage(t, table, key, NULL, active_version(t, table, key));
	return 0;
}

struct purge {
	struct txn *txn;
	char **keys;             /* n of them */
	size_t n, bytes;
	struct err *err;
};

static int purge_one(void *arg, const struct object *obj) {
	struct purge *p = arg;
	int rc = txn_ask_guard(p->txn, obj, NULL, p->err);

	if (rc == 0)
		rc = txn_lock_delete(p->txn, obj->table, obj->key, p->err);
	if (rc == 0)
		rc = check_purge(p->txn, obj, p->err);
	if (rc)
		return rc;
	if ((p->n & (p->n - 1)) == 0)
		p->keys = xreallocarray(p->keys, p->n ? p->n * 2 : 1, sizeof(*p->keys));
	p->keys[p->n++] = xstrdup(obj->key);
	p->bytes += txn_staged_size(obj->key, NULL);
	return 0;
}

int txn_purge(struct txn *t, const struct schema_table *table, struct err *err) {
	struct purge p = { .txn = t, .err = err };
	int rc;

	if (!schema_is_list(table))
		return err_set(err, ERR_PARSE, "\ncommand parse error before 'purge'");
	rc = txn_places_check(t, table, err);
	if (rc == 0)
		rc = txn_each_any_order(t, table, purge_one, &p);
	if (rc == 0)
		rc = txn_room_for(t, table, "", p.n, p.bytes, err);
	for (size_t i = 0; i < p.n; i++) {
		if (rc == 0)
			txn_stage(t, table, p.keys[i], NULL, active_version(t, table, p.keys[i]));
		free(p.keys[i]);
	}
	free(p.keys);
	return rc;
}

/* ---- before a commit ---- */

/* The keyring keeps the last keys only. */
static int refuse_unreadable(struct err *err) {
	return err_set(err, ERR_LOCKED,
		       "the private key was changed more than once meanwhile, and a secret cannot "
		       "be read any more: set it again");
}

static int staged_recheck(const struct txn *t, const struct staged *s, struct err *err) {
	const struct object *active;
	int rc = 0;

	if (active_version(t, s->table, s->key) != s->base)
		return txn_refuse_locked(err);
	active = model_find(t->engine->model, s->table, s->key);
	if (s->obj && !secret_opens_object(t->engine->keyring, s->obj, active))
		return refuse_unreadable(err);
	if (s->obj)
		rc = check_object(t, s->obj, err);
	else if (active)
		rc = check_delete(t, active, err);
	/* It passed when it was staged: what it fails for now is someone else's change. */
	return rc ? txn_refuse_overtaken(err) : 0;
}

/*
 * The unit may have become a secondary since, the administrator may have another role, or a role
 * that he gives may have become another one. What was adopted he did not ask for.
 */
static int guard_recheck(const struct txn *t, const struct staged *s, struct err *err) {
	const struct object *active = model_find(t->engine->model, s->table, s->key);
	int rc = 0;

	if (s->adopted)
		return ask_engine(t, active, s->obj, err);
	if (active && (s->placed || s->moved))
		rc = txn_ask_guard(t, active, NULL, err);
	if (rc == 0 && (active || s->obj))
		rc = txn_ask_guard(t, active, s->obj, err);
	return rc;
}

int txn_recheck(const struct txn *t, struct err *err) {
	const struct staged *s;
	int rc = txn_places_recheck(t, err);

	rc = rc ? rc : txn_rows_recheck(t, err);
	TAILQ_FOREACH(s, &t->order, next)
		rc = rc ? rc : guard_recheck(t, s, err);
	if (rc == 0)
		rc = txn_lock_recheck(t, err);
	if (rc || t->seen_revision == t->engine->revision)
		return rc;
	TAILQ_FOREACH(s, &t->order, next) {
		rc = staged_recheck(t, s, err);
		if (rc && t->holder) /* it has many, and can go on */
			err_prefix(err, "%s%s%s:", s->table->path, *s->key ? " " : "", s->key);
		if (rc)
			return rc;
	}
	return 0;
}
