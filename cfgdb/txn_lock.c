/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a held transaction keeps others from. There is no table of locks: the lock is what is
 * staged. An object that is staged is locked; so is what staged objects refer to, against deletion,
 * as the index over them tells; and what is staged to be deleted, against new references. So locks
 * come with a put and go with the end of the transaction, whatever ends it.
 *
 * Names count like objects where two would clash: a key in another table of the same name space,
 * and a text that is unique. Each question costs a look-up in each transaction that is held, and
 * nothing as long as there is none.
 */
#include <stdlib.h>
#include <string.h>

#include "cfgdb/txn_impl.h"

static const char locked_text[] =
	"Can not config the object since either the object or the referenced objects are being "
	"configured by other transactions.";

int txn_refuse_locked(struct err *err) {
	return err_set(err, ERR_LOCKED, "%s", locked_text);
}

int txn_refuse_overtaken(struct err *err) {
	err_prefix(err, "%s", locked_text);
	if (err)
		err->code = ERR_LOCKED;
	return ERR_LOCKED;
}

static bool is_free(const struct txn *t) {
	return t->replicated || t->as_found || t->overrides || t->look_only;
}

/* The next transaction that may refuse t something; after NULL: the first. */
static const struct txn *next_holder(const struct txn *t, const struct txn *after) {
	const struct txn *h = after ? LIST_NEXT(after, open) : LIST_FIRST(&t->engine->txns);

	while (h && (h == t || !h->holder))
		h = LIST_NEXT(h, open);
	return is_free(t) ? NULL : h;
}

bool txn_is_contended(const struct txn *t) {
	return next_holder(t, NULL) != NULL;
}

static int refuse(const struct txn *holder, const struct schema_table *table, const char *key,
		  struct err *err) {
	int rc = txn_refuse_locked(err);

	err_prefix(err, "%s%s%.255s: %s", table->path, *key ? " " : "", key, holder->holder);
	return rc;
}

/* What a transaction has staged there, if somebody asked for it. */
static const struct staged *lock_of(const struct txn *holder, const struct schema_table *table,
				    const char *key) {
	const struct staged *s = txn_find_staged(holder, table, key);

	return s && !s->adopted ? s : NULL;
}

bool txn_is_locked(const struct txn *t, const struct schema_table *table, const char *key) {
	const struct txn *h = NULL;

	while ((h = next_holder(t, h)) != NULL)
		if (lock_of(h, table, key))
			return true;
	return false;
}

/* ---- for a put ---- */

struct put_check {
	const struct txn *holder;
	const struct object *obj;
	struct err *err;
};

static int refuse_name(const struct put_check *c) {
	const char *names = c->obj->table->names;

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];
		bool shares = names && table->names && strcmp(table->names, names) == 0;

		if ((shares || table == c->obj->table) && lock_of(c->holder, table, c->obj->key))
			return refuse(c->holder, table, c->obj->key, c->err);
	}
	return 0;
}

static int refuse_same(void *arg, const struct object *other, const struct schema_attr *attr) {
	const struct put_check *c = arg;

	(void)attr;
	if (strcmp(other->key, c->obj->key) == 0)
		return 0;
	return refuse(c->holder, other->table, other->key, c->err);
}

static int refuse_unique(const struct put_check *c) {
	int rc = 0;

	for (unsigned int i = 0; i < c->obj->table->n_attrs && rc == 0; i++)
		if ((c->obj->table->attrs[i].flags & ATTR_UNIQUE) && *object_str(c->obj, i))
			rc = uses_each_same(txn_uses(c->holder, USES_OF_UNIQUE), c->obj, i,
					    refuse_same, (void *)c);
	return rc;
}

/*
 * What is named must stay, and an interface that the first use of its name changes must not be
 * under change.
 */
static int refuse_ref(void *arg, const struct object *named, unsigned int attr, const char *name) {
	const struct put_check *c = arg;
	const struct schema_attr *a = &named->table->attrs[attr];

	for (unsigned int i = 0; i < a->n_refs; i++) {
		const struct schema_table *table = schema_tables[a->refs[i]];
		const struct staged *s = lock_of(c->holder, table, name);
		const struct object *active = s ? txn_active(c->holder, table, name) : NULL;

		if (s && (!s->obj || (active && txn_adopts(active))))
			return refuse(c->holder, table, name, c->err);
	}
	return 0;
}

int txn_lock_put(const struct txn *t, const struct object *obj, struct err *err) {
	struct put_check c = { NULL, obj, err };
	int rc = 0;

	while (rc == 0 && (c.holder = next_holder(t, c.holder)) != NULL) {
		rc = refuse_name(&c);
		if (rc == 0)
			rc = refuse_unique(&c);
		if (rc == 0)
			rc = object_each_ref(obj, refuse_ref, &c);
	}
	return rc;
}

/* ---- for a deletion, another place, a new number ---- */

static int stop(void *arg, const struct object *holder, const struct schema_attr *attr) {
	(void)arg;
	(void)holder;
	(void)attr;
	return 1;
}

int txn_lock_delete(const struct txn *t, const struct schema_table *table, const char *key,
		    struct err *err) {
	const struct object *obj = txn_active(t, table, key);
	const struct txn *h = NULL;

	while ((h = next_holder(t, h)) != NULL)
		if (lock_of(h, table, key) || txn_moves_name(h, table, key) ||
		    (obj && uses_each(txn_uses(h, USES_OF_REFERENCES), obj, stop, NULL)))
			return refuse(h, table, key, err);
	return 0;
}

int txn_lock_place(const struct txn *t, const struct schema_table *table, const char *key,
		   const char *other, struct err *err) {
	const struct txn *h = NULL;
	const struct staged *s;

	while ((h = next_holder(t, h)) != NULL) {
		if (lock_of(h, table, key))
			return refuse(h, table, key, err);
		s = t->holder ? lock_of(h, table, other) : NULL;
		if (s && !s->obj)
			return refuse(h, table, other, err);
	}
	return 0;
}

int64_t txn_lock_last(const struct txn *t, const struct schema_table *table) {
	const struct txn *h = NULL;
	int64_t last = 0;

	while ((h = next_holder(t, h)) != NULL) {
		const struct object *obj = txn_staged_last(h, table);

		if (obj && atoll(obj->key) > last)
			last = atoll(obj->key);
	}
	return last;
}

int txn_hold_object(struct txn *t, const struct schema_table *table, const char *key,
		    struct err *err) {
	const struct object *active = txn_active(t, table, key);
	struct object *copy;
	int rc;

	if (!active || txn_find_staged(t, table, key))
		return 0;
	copy = object_copy(active);
	rc = txn_room(t, table, key, copy, err);
	if (rc)
		object_free(copy);
	else
		txn_stage(t, table, key, copy, active->ver);
	return rc;
}

/* ---- before a commit ---- */

/* Who began to hold after this was staged is first, for it is this one that can still give way. */
int txn_lock_recheck(const struct txn *t, struct err *err) {
	const struct staged *s;
	int rc = 0;

	if (!txn_is_contended(t))
		return 0;
	TAILQ_FOREACH(s, &t->order, next) {
		if (s->adopted)
			continue;
		rc = s->obj ? txn_lock_put(t, s->obj, err)
			    : txn_lock_delete(t, s->table, s->key, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- telling ---- */

struct lock_visit {
	int (*visit)(void *arg, const struct schema_table *table, const char *key,
		     enum txn_lock lock);
	void *arg;
	const struct txn *txn;
};

static int visit_ref(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	const struct lock_visit *v = arg;
	const struct object *named = txn_resolve(v->txn, &holder->table->attrs[attr], name);

	if (!named || txn_find_staged(v->txn, named->table, named->key))
		return 0;
	return v->visit(v->arg, named->table, named->key, TXN_LOCK_REFERRED);
}

int txn_each_lock(const struct txn *t,
		  int (*visit)(void *arg, const struct schema_table *table, const char *key,
			       enum txn_lock lock),
		  void *arg) {
	struct lock_visit v = { visit, arg, t };
	const struct staged *s;
	int rc = 0;

	TAILQ_FOREACH(s, &t->order, next) {
		if (!s->adopted)
			rc = visit(arg, s->table, s->key,
				   s->obj ? TXN_LOCK_CHANGED : TXN_LOCK_DELETED);
		if (rc == 0 && s->obj)
			rc = object_each_ref(s->obj, visit_ref, &v);
		if (rc)
			return rc;
	}
	return 0;
}
