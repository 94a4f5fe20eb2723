/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What may be staged: puts and deletions are checked against what the transaction would make of the
 * model, and held against the version they started from. When the active configuration has moved by
 * the time of the commit, everything is checked once more: what fitted and no longer does was
 * overtaken by someone else (code 14).
 */
#include "cfgdb/check.h"
#include "cfgdb/txn_impl.h"

static const char locked_text[] =
	"Can not config the object since either the object or the referenced objects are being "
	"configured by other transactions.";

static int refuse_locked(struct err *err) {
	return err_set(err, ERR_LOCKED, "%s", locked_text);
}

/* A uuid that is not given is that of the object before. */
static void keep_uuid(struct object *obj, const struct object *before) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		const struct value *was = a->type == ATTR_UUID && before ? object_get(before, i) : NULL;

		if (was && !object_get(obj, i) && object_has(obj, i))
			object_set(obj, i, value_copy(a, was));
	}
}

/* The version an entry will be held against at commit: that of the active object. */
static uint64_t active_version(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct object *obj = model_find(t->engine->model, table, key);

	return obj ? obj->ver : TXN_NEW;
}

/*
 * What is named now stays managed when the last object that names it goes: taking the last policy
 * away must not make a router of the unit.
 */
static int adopt(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct txn *t = arg;
	const struct object *named = txn_resolve(t, &holder->table->attrs[attr], name);

	if (named && check_adopts(named) && named == txn_active(t, named->table, named->key))
		txn_stage(t, named->table, named->key, object_copy(named), named->ver);
	return 0;
}

int txn_put(struct txn *t, struct object *obj, uint64_t base, struct err *err) {
	const struct object *before = txn_find(t, obj->table, obj->key);
	uint64_t active = active_version(t, obj->table, obj->key);
	int rc = 0;

	if (t->n_staged >= TXN_STAGED_MAX)
		rc = err_set(err, ERR_MAX_ENTRIES, "object set operator error, -4 discard the setting");
	else if (base != TXN_ANY && base != txn_base_version(t, obj->table, obj->key) &&
		 !(before == NULL && !schema_is_list(obj->table)))
		rc = refuse_locked(err);
	if (rc == 0)
		rc = secret_seal_object(t->engine->keyring, obj, before, err);
	if (rc == 0) {
		object_normalize(obj);
		check_adjust(obj);
		keep_uuid(obj, before);
		object_fill_uuid(obj);
		rc = check_object(t, obj, err);
	}
	if (rc) {
		object_free(obj);
		return rc;
	}
	obj->pos = before ? before->pos : 0;
	txn_stage(t, obj->table, obj->key, obj, active);
	return t->as_found ? 0 : object_each_ref(obj, adopt, t);
}

int txn_delete(struct txn *t, const struct schema_table *table, const char *key, struct err *err) {
	const struct object *obj = txn_find(t, table, key);
	int rc;

	if (!schema_is_list(table))
		return err_set(err, ERR_PARSE, "\ncommand parse error before 'delete'");
	if (!obj)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (t->n_staged >= TXN_STAGED_MAX)
		return err_set(err, ERR_MAX_ENTRIES, "object set operator error, -4 discard the setting");
	rc = check_delete(t, obj, err);
	if (rc)
		return rc;
	txn_stage(t, table, key, NULL, active_version(t, table, key));
	return 0;
}

/* ---- before a commit ---- */

/* It passed when it was staged, so what it fails for now is someone else's change. */
static int refuse_overtaken(struct err *err) {
	err_prefix(err, "%s", locked_text);
	if (err)
		err->code = ERR_LOCKED;
	return ERR_LOCKED;
}

static int staged_recheck(const struct txn *t, const struct staged *s, struct err *err) {
	const struct object *active;
	int rc = 0;

	if (active_version(t, s->table, s->key) != s->base)
		return refuse_locked(err);
	active = model_find(t->engine->model, s->table, s->key);
	if (s->obj)
		rc = check_object(t, s->obj, err);
	else if (active)
		rc = check_delete(t, active, err);
	return rc ? refuse_overtaken(err) : 0;
}

int txn_recheck(const struct txn *t, struct err *err) {
	const struct staged *s;

	if (t->seen_revision == t->engine->revision)
		return 0;
	TAILQ_FOREACH(s, &t->order, next) {
		int rc = staged_recheck(t, s, err);

		if (rc)
			return rc;
	}
	return 0;
}
