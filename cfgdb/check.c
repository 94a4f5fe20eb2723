/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The checks that follow from the schema alone. They look at the object and what it names, never
 * at the rest of the configuration, so a put costs the same in a small and a large one.
 */
#include "cfgdb/check.h"

#include <string.h>

#include "cfgdb/model/model.h"

#define ENTRIES_MAX 1000000  /* in a table that names no bound of its own */

static int refuse_full(uint32_t most, struct err *err) {
	return err_set(err, ERR_MAX_ENTRIES,
		       "Maximum number of entries: %u;\n"
		       "object set operator error, -4 discard the setting",
		       most);
}

/* ---- required attributes, number of nested entries ---- */

/* A required attribute that is there but empty (no text, 0.0.0.0) counts as missing. */
static bool is_empty(const struct schema_attr *a, const struct value *v) {
	bool is_text = a->type == ATTR_STRING || a->type == ATTR_FQDN || a->type == ATTR_REF;

	return !v || (is_text && !*value_item(v, 0)->str) ||
	       (a->type == ATTR_IPV4 && value_item(v, 0)->ip.a == 0);
}

static int check_child_room(const struct schema_attr *a, const struct value *v, struct err *err) {
	uint32_t most = a->child->max_entries;

	return most == 0 || !v || v->n <= most ? 0 : refuse_full(most, err);
}

static int check_required(const struct object *obj, struct err *err) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		const struct value *v = object_value(obj, i);
		int rc = 0;

		if ((a->flags & ATTR_REQUIRED) && object_has(obj, i) && is_empty(a, v))
			return err_set(err, ERR_EMPTY, "Attribute '%s' MUST be set.", a->name);
		if (a->type != ATTR_CHILD)
			continue;
		rc = check_child_room(a, v, err);
		for (uint32_t n = 0; v && n < v->n && rc == 0; n++)
			rc = check_required(value_item(v, n)->entry, err);
		if (rc)
			return rc;
	}
	return 0;
}

/* ---- references ---- */

struct ref_check {
	const struct txn *txn;
	const struct object *obj;
	struct err *err;
};

static bool may_name(const struct schema_attr *a, const struct schema_table *table) {
	for (unsigned int i = 0; i < a->n_refs; i++)
		if (a->refs[i] == table->id)
			return true;
	return false;
}

static int check_ref(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	struct ref_check *c = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];

	if (txn_resolve(c->txn, a, name) || model_builtin(a, name))
		return 0;
	if (may_name(a, c->obj->table) && strcmp(name, c->obj->key) == 0)
		return 0; /* itself: a rule of the table may refuse that */
	return err_set(c->err, ERR_NOT_FOUND,
		       "%s %s%s%s: entry not found in datasource\n\nvalue parse error before '%s'",
		       c->obj->table->path, c->obj->key, *c->obj->key ? " " : "", a->name, name);
}

/* ---- shared names ---- */

static int check_names(const struct txn *t, const struct object *obj, struct err *err) {
	if (obj->table->names && strcmp(obj->table->names, "interface") == 0 &&
	    strcmp(obj->key, "any") == 0)
		return err_set(err, ERR_NAME_INTERFACE,
			       "Name 'any' conflict: it stands for every interface.");
	for (uint16_t i = 0; obj->table->names && i < schema_n_top; i++) {
		const struct schema_table *other = schema_tables[schema_top[i]];

		if (other == obj->table || !other->names ||
		    strcmp(other->names, obj->table->names) != 0)
			continue;
		if (txn_find(t, other, obj->key))
			return err_set(err, schema_clash_code(obj->table, other),
				       "Name '%s' conflict: '%s' and '%s' cannot be the same name.",
				       obj->key, obj->table->noun, other->noun);
	}
	return 0;
}

/* ---- names that are attributes ---- */

static int check_unique(const struct txn *t, const struct object *obj, struct err *err) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];
		const struct object *other =
			a->flags & ATTR_UNIQUE ? txn_find_same(t, obj, i) : NULL;

		if (other)
			return err_set(err, ERR_DUPLICATE, "%s %s has the %s '%s' already\n"
				       "object set operator error, -15 discard the setting",
				       other->table->path, other->key, a->name, object_str(obj, i));
	}
	return 0;
}

/* ---- room ---- */

static int check_room(const struct txn *t, const struct object *obj, struct err *err) {
	uint32_t most = obj->table->max_entries ? obj->table->max_entries : ENTRIES_MAX;

	if (txn_find(t, obj->table, obj->key) || txn_count(t, obj->table) < most)
		return 0;
	return refuse_full(most, err);
}

int check_object(const struct txn *t, const struct object *obj, struct err *err) {
	struct ref_check refs = { t, obj, err };
	int rc = check_required(obj, err);

	if (rc == 0)
		rc = object_each_ref(obj, check_ref, &refs);
	if (rc == 0)
		rc = check_names(t, obj, err);
	if (rc == 0)
		rc = check_unique(t, obj, err);
	if (rc == 0)
		rc = check_room(t, obj, err);
	return rc ? rc : check_rules(t, obj, err);
}

struct need {
	const struct txn *txn;
	const struct object *obj;
	size_t n;                /* that nothing else of that name is there for */
};

static int count_need(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct need *need = arg;
	const struct object *named = txn_resolve(need->txn, attr, need->obj->key);

	(void)holder;
	need->n += !named || named->table == need->obj->table;
	return 0;
}

int check_delete(const struct txn *t, const struct object *obj, struct err *err) {
	struct need need = { t, obj, 0 };

	txn_each_user(t, obj, count_need, &need);
	if (need.n == 0)
		return check_delete_rules(t, obj, err);
	return err_set(err, ERR_IN_USE, "The entry is used by other %zu entries", need.n);
}

struct outside {
	const struct schema_table *table;
	size_t n;                /* users in other tables */
};

static int count_outside(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct outside *outside = arg;

	(void)attr;
	outside->n += holder->table != outside->table;
	return 0;
}

int check_purge(const struct txn *t, const struct object *obj, struct err *err) {
	struct outside outside = { obj->table, 0 };

	txn_each_user(t, obj, count_outside, &outside);
	if (outside.n == 0)
		return check_purge_rules(obj, err);
	return err_set(err, ERR_IN_USE,
		       "'%s' stays, so none is removed\nThe entry is used by other %zu entries",
		       obj->key, outside.n);
}

/* ---- other names ---- */

static bool has_word(const char *words, const char *word) {
	size_t len = strlen(word);

	for (const char *at = words; (at = strstr(at, word)) != NULL; at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == '\0' || at[len] == ' '))
			return true;
	return false;
}

static bool is_default(const struct schema_attr *a, const struct object *obj) {
	if (a->type != ATTR_REF || !a->dflt || !has_word(a->dflt, obj->key))
		return false;
	for (uint16_t i = 0; i < a->n_refs; i++)
		if (a->refs[i] == obj->table->id)
			return true;
	return false;
}

/* What stands for an attribute that is not set: nothing could follow. */
static int check_no_default(const struct object *obj, struct err *err) {
	for (uint16_t t = 0; t < schema_n_tables; t++)
		for (uint16_t i = 0; i < schema_tables[t]->n_attrs; i++)
			if (is_default(&schema_tables[t]->attrs[i], obj))
				return err_set(err, ERR_CONFLICT,
					       "'%s' is the default of %s in %s: it keeps its name",
					       obj->key, schema_tables[t]->attrs[i].name,
					       schema_tables[t]->path);
	return 0;
}

int check_rename(const struct txn *t, const struct object *obj, const struct object *renamed,
		 struct err *err) {
	int rc;

	if (txn_find(t, renamed->table, renamed->key))
		return err_set(err, ERR_EXISTS, "entry '%s' exists already\n\n"
			       "value parse error before '%s'", renamed->key, renamed->key);
	rc = check_names(t, renamed, err);
	if (rc == 0)
		rc = check_no_default(obj, err);
	return rc ? rc : check_rename_rules(t, obj, renamed, err);
}

/* ---- what was checked by another member ---- */

/* What an administrator would read, without the lines on what becomes of what he typed. */
static void warn_of(struct warnings *warnings, const struct object *obj, const struct err *doubt) {
	warn_add(warnings, "%s%s%s: %.*s", obj->table->path, *obj->key ? " " : "", obj->key,
		 (int)strcspn(doubt->text, "\n"), doubt->text);
}

int check_replicated(const struct txn *t, const struct object *obj, struct warnings *warnings,
		     struct err *err) {
	struct ref_check refs = { t, obj, err };
	struct err doubt = { 0 };
	int rc = object_each_ref(obj, check_ref, &refs);

	if (rc == 0)
		rc = check_names(t, obj, err);
	if (rc == 0)
		rc = check_unique(t, obj, err);
	if (rc == 0 && (check_required(obj, &doubt) != 0 || check_room(t, obj, &doubt) != 0 ||
			check_rules(t, obj, &doubt) != 0))
		warn_of(warnings, obj, &doubt);
	return rc;
}

static int check_user(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct ref_check *c = arg;

	if (txn_resolve(c->txn, attr, c->obj->key))
		return 0;
	return err_set(c->err, ERR_IN_USE, "%s %s: %s %s%s%s still names it: it cannot be deleted",
		       c->obj->table->path, c->obj->key, holder->table->path, holder->key,
		       *holder->key ? " " : "", attr->name);
}

int check_replicated_delete(const struct txn *t, const struct object *obj,
			    struct warnings *warnings, struct err *err) {
	struct ref_check users = { t, obj, err };
	struct err doubt = { 0 };
	int rc = txn_each_user(t, obj, check_user, &users);

	if (rc == 0 && check_delete_rules(t, obj, &doubt) != 0)
		warn_of(warnings, obj, &doubt);
	return rc;
}
