/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transactions that bring what another member committed. It was checked there, so nothing is asked
 * of an object when it is staged, and the order does not matter. At the commit the outcome is made
 * ready and looked at whole:
 *
 *   1. each object gets back what belongs to this unit, by what its exceptions will be then; of a
 *      table that is no exception any more, the unit has nothing of its own
 *   2. interfaces that are named and not there are made; those that were found are managed from now
 *   3. every reference of what came, and every one to what goes, must name something
 *   4. the digests are those that the other member said (in commit.c, with the model as it will be)
 *
 * What a rule of a table has against an object may depend on the unit (an address of its own, a
 * zone of its own interfaces), or on its release. Refusing it would keep the group apart for good:
 * it is a warning.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/digest.h"
#include "cfgdb/shared.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"

struct txn *txn_new_replicated(struct engine *e, const struct txn_origin *origin) {
	struct txn *t = txn_new(e, origin->user, origin->source);

	txn_set_comment(t, origin->comment);
	t->time = origin->time;
	t->replicated = true;
	return t;
}

/* ---- staging ---- */

static uint64_t version_of(const struct object *active) {
	return active ? active->ver : TXN_NEW;
}

int txn_replicate_put(struct txn *t, struct object *theirs, struct err *err) {
	const struct object *active = txn_active(t, theirs->table, theirs->key);
	int rc = secret_seal_object(t->engine->keyring, theirs, active, err);

	if (rc == 0)
		rc = txn_places_check(t, theirs->table, err);
	if (rc == 0)
		rc = txn_room(t, theirs->table, theirs->key, theirs, err);
	if (rc) {
		object_free(theirs);
		return rc;
	}
	theirs->pos = active ? active->pos : 0;
	txn_stage(t, theirs->table, theirs->key, theirs, version_of(active));
	return 0;
}

int txn_replicate_delete(struct txn *t, const struct schema_table *table, const char *key,
			 struct err *err) {
	int rc;

	if (!txn_find(t, table, key))
		return 0;
	rc = txn_places_check(t, table, err);
	if (rc == 0)
		rc = txn_room(t, table, key, NULL, err);
	if (rc == 0)
		txn_stage(t, table, key, NULL, version_of(txn_active(t, table, key)));
	return rc;
}

void txn_expect(struct txn *t, const struct digest_group *digests) {
	free(t->expected);
	t->expected = xcalloc(1, sizeof(*t->expected));
	*t->expected = *digests;
}

/* ---- what belongs to this unit ---- */

static int add_exception(void *arg, const struct object *exception) {
	shared_except(arg, exception);
	return 0;
}

/* What the group will share, by the exceptions as the transaction leaves them. */
static struct shared scope_of(const struct txn *t) {
	struct shared scope = { 0 };

	txn_each(t, schema_tables[TBL_SYSTEM_VDOM_EXCEPTION], add_exception, &scope);
	return scope;
}

static void merge_one(struct txn *t, const struct shared *scope, struct staged *s) {
	const struct object *ours = txn_active(t, s->table, s->key);
	struct object *merged;

	if (!shared_has_table(scope, s->table)) {
		txn_unstage(t, s);
		return;
	}
	merged = shared_merge(scope, s->obj, ours);
	if (!s->obj && merged && object_equal(merged, ours)) { /* nothing of it was shared */
		object_free(merged);
		txn_unstage(t, s);
		return;
	}
	s->base = version_of(ours);
	txn_restage(t, s, merged);
}

/* Entries that were this unit's own, and of which the other member may know nothing. */
static void give_up_table(struct txn *t, const struct schema_table *table) {
	const struct model *m = t->engine->model;
	const struct object *obj = model_first(m, table);

	for (; obj; obj = model_next(m, obj))
		if (!txn_find_staged(t, table, obj->key))
			txn_stage(t, table, obj->key, NULL, version_of(obj));
}

/* The peers are no table, but a list in another one. */
static void give_up_peers(struct txn *t, const struct shared *before) {
	const struct schema_table *table = schema_tables[TBL_SYSTEM_STANDALONE_CLUSTER];
	const struct object *ours = model_first(t->engine->model, table);

	if (ours && !txn_find_staged(t, table, ours->key))
		txn_stage(t, table, ours->key, shared_part(before, ours), version_of(ours));
}

static void give_up(struct txn *t, const struct shared *scope) {
	struct shared before;

	shared_init(&before, t->engine->model);
	if (!shared_has_peers(&before) && shared_has_peers(scope))
		give_up_peers(t, &before);
	for (unsigned int i = 0; i < schema_n_tables; i++)
		if (!shared_has_table(&before, schema_tables[i]) &&
		    shared_has_table(scope, schema_tables[i]))
			give_up_table(t, schema_tables[i]);
}

static int merge_all(struct txn *t, struct err *err) {
	struct shared scope = scope_of(t);
	struct staged *s, *next;

	give_up(t, &scope);
	for (s = TAILQ_FIRST(&t->order); s; s = next) {
		next = TAILQ_NEXT(s, next);
		merge_one(t, &scope, s);
	}
	return txn_rows_settle(t, &scope, err);
}

/* ---- interfaces ---- */

static bool may_name_interface(const struct schema_attr *attr) {
	for (unsigned int i = 0; i < attr->n_refs; i++)
		if (attr->refs[i] == TBL_SYSTEM_INTERFACE)
			return true;
	return false;
}

/* An interface of another member that this one lacks is legal to name, as an absent one is. */
static int make_interface(void *arg, const struct object *holder, unsigned int attr,
			  const char *name) {
	const struct schema_table *table = schema_tables[TBL_SYSTEM_INTERFACE];
	const struct schema_attr *a = &holder->table->attrs[attr];
	AUTO_FREE char *key = NULL;
	struct txn *t = arg;

	if (may_name_interface(a) && !txn_resolve(t, a, name) && !model_builtin(a, name) &&
	    object_key_parse(table, name, &key, NULL) == 0 && strcmp(key, name) == 0)
		txn_stage(t, table, name, shared_found(name),
			  version_of(txn_active(t, table, name)));
	return 0;
}

static void settle_interfaces(struct txn *t) {
	struct staged *s, *last = TAILQ_LAST(&t->order, staged_list);

	TAILQ_FOREACH(s, &t->order, next) {
		if (s->obj) {
			object_each_ref(s->obj, make_interface, t);
			object_each_ref(s->obj, txn_adopt, t);
		}
		if (s == last)
			break;
	}
}

/* ---- the whole ---- */

int txn_settle(struct txn *t, struct err *err) {
	const struct staged *s;
	const struct object *active;
	int rc = txn_places_recheck(t, err);

	if (rc == 0)
		rc = merge_all(t, err);
	if (rc)
		return rc;
	settle_interfaces(t);
	TAILQ_FOREACH(s, &t->order, next) {
		active = txn_active(t, s->table, s->key);
		if (s->obj)
			rc = check_replicated(t, s->obj, &t->warnings, err);
		else if (active)
			rc = check_replicated_delete(t, active, &t->warnings, err);
		if (rc)
			return rc;
	}
	return 0;
}

static int refuse_digest(const char *what, struct err *err) {
	return err_set(err, ERR_CONFLICT,
		       "the configuration would not be that of the primary: the digest of %s would "
		       "differ",
		       what);
}

int txn_check_expected(const struct txn *t, struct err *err) {
	const struct digest_group *want = t->expected;
	struct digest_group got;
	struct digest_view view;

	if (!want)
		return 0;
	digest_view_init(&view, t->engine);
	digest_group(&view, &got);
	if (memcmp(got.global, want->global, DIGEST_LEN) != 0)
		return refuse_digest("global", err);
	if (memcmp(got.root, want->root, DIGEST_LEN) != 0)
		return refuse_digest("root", err);
	return memcmp(got.all, want->all, DIGEST_LEN) == 0 ? 0 : refuse_digest("all", err);
}
