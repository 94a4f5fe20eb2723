/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing the edit buffer. A value is parsed whole and its references looked up, and a sealed
 * secret tried, before anything changes, so one bad member refuses the command and the old value
 * stays. Nothing here knows what an attribute means: what may stand together is for the daemon to
 * say when the entry is saved.
 */
#include "cfgdb/control/client.h"
#include "cli/commands.h"

/* Names in a reference attribute must exist, but for what the attribute names of itself. */
static int set_check_refs(struct shell *sh, const struct schema_table *table, unsigned int attr,
			  const struct value *v, struct err *err) {
	const struct value *dflt = value_default_at(table, attr);

	if (table->attrs[attr].type != ATTR_REF ||
	    (dflt && value_equal(&table->attrs[attr], v, dflt)))
		return 0;
	for (uint32_t i = 0; i < v->n; i++) {
		const char *name = value_item(v, i)->str;
		int rc;

		if (!*name || refs_has(sh->refs, table, attr, name))
			continue;
		rc = client_check_ref(sh->client, table, attr, name, err);
		if (rc == ERR_NOT_FOUND)
			return err_set(err, rc,
				       "entry not found in datasource\n\n"
				       "value parse error before '%.200s'",
				       name);
		if (rc)
			return rc;
		refs_add(sh->refs, table, attr, name);
	}
	return 0;
}

/* A sealed secret must be one that this unit can open: not that of another one. */
static int set_check_secret(struct shell *sh, const struct schema_table *table, unsigned int attr,
			    const struct value *v, struct err *err) {
	const struct schema_attr *a = &table->attrs[attr];
	int rc;

	if (!schema_is_secret(a) || v->n == 0 || value_item(v, 0)->str[0] == '=')
		return 0;
	rc = client_check_secret(sh->client, table, attr, value_item(v, 0)->str, err);
	if (rc != ERR_VALUE)
		return rc;
	return err_set(
		err, rc,
		"the ENC text is none that this unit made for such a secret: type it in clear\n"
		"node_check_object fail! for %s ***\n\nvalue parse error before '***'",
		a->name);
}

/* The attribute and, if v is given, the value that the arguments spell. */
static int set_parse(struct shell *sh, const struct call *call, struct value *v, struct err *err) {
	const struct object *obj = shell_object(sh);
	int attr = grammar_attr(obj, call->argv[0], call->command->kind, err);

	if (attr < 0)
		return -1;
	if (value_parse(&obj->table->attrs[attr], call->argv + 1, call->argc - 1, v, err))
		return -1;
	return attr;
}

int cmd_set(struct shell *sh, const struct call *call, struct err *err) {
	struct level *top = context_top(&sh->context);
	struct value v;
	int attr = set_parse(sh, call, &v, err);
	int rc;

	if (attr < 0)
		return err->code;
	rc = set_check_refs(sh, top->table, (unsigned int)attr, &v, err);
	if (rc == 0)
		rc = set_check_secret(sh, top->table, (unsigned int)attr, &v, err);
	if (rc == 0)
		rc = cmd_private_key_check(sh, top->table, (unsigned int)attr, &v, err);
	if (rc) {
		value_done(&top->table->attrs[attr], &v);
		return rc;
	}
	object_set(top->obj, (unsigned int)attr, v);
	context_touch(top, (unsigned int)attr);
	return 0;
}

int cmd_unset(struct shell *sh, const struct call *call, struct err *err) {
	struct level *top = context_top(&sh->context);
	int attr = grammar_attr(top->obj, call->argv[0], ARGS_ATTR, err);

	if (attr < 0)
		return err->code;
	if (call->argc > 1)
		return grammar_refuse(call->argv[1], err);
	object_unset(top->obj, (unsigned int)attr);
	context_touch(top, (unsigned int)attr);
	return 0;
}

/* A copy of what a list attribute holds now. */
static struct value set_current(const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	return v ? value_copy(&obj->table->attrs[attr], v) : (struct value){ 0 };
}

static int set_refuse_empty(const struct schema_attr *a, struct err *err) {
	return err_set(err, ERR_EMPTY, "Attribute '%s' MUST be set.", a->name);
}

int cmd_append(struct shell *sh, const struct call *call, struct err *err) {
	struct level *top = context_top(&sh->context);
	const struct schema_attr *a;
	struct value add, all;
	int attr = set_parse(sh, call, &add, err);
	int rc;

	if (attr < 0)
		return err->code;
	a = &top->table->attrs[attr];
	rc = set_check_refs(sh, top->table, (unsigned int)attr, &add, err);
	if (rc == 0) {
		all = set_current(top->obj, (unsigned int)attr);
		value_append(a, &all, &add);
		if (all.n > VALUE_ITEMS_MAX)
			rc = err_set(err, ERR_MAX_ENTRIES,
				     "Too many values. Maximum number of entries: %d;\n"
				     "attribute set operator error, -4, discard the setting",
				     VALUE_ITEMS_MAX);
		if (rc)
			value_done(a, &all);
		else
			object_set(top->obj, (unsigned int)attr, all);
		if (rc == 0)
			context_touch(top, (unsigned int)attr);
	}
	value_done(a, &add);
	return rc;
}

int cmd_clear(struct shell *sh, const struct call *call, struct err *err) {
	struct level *top = context_top(&sh->context);
	int attr = grammar_attr(top->obj, call->argv[0], ARGS_LIST, err);

	if (attr < 0)
		return err->code;
	if (call->argc > 1)
		return grammar_refuse(call->argv[1], err);
	/* without values it would be at its default */
	if (value_default_at(top->table, (unsigned int)attr))
		return set_refuse_empty(&top->table->attrs[attr], err);
	object_unset(top->obj, (unsigned int)attr);
	context_touch(top, (unsigned int)attr);
	return 0;
}

/* The first of the words whose value is not in the list. */
static const char *set_missing(const struct schema_attr *a, const struct value *list,
			       char *const words[], size_t n) {
	for (size_t i = 0; i < n; i++) {
		struct value one, rest;
		unsigned int removed;

		if (value_parse(a, words + i, 1, &one, NULL))
			return words[i];
		rest = value_copy(a, list);
		removed = value_remove(a, &rest, &one);
		value_done(a, &rest);
		value_done(a, &one);
		if (removed == 0)
			return words[i];
	}
	return words[0];
}

int cmd_unselect(struct shell *sh, const struct call *call, struct err *err) {
	struct level *top = context_top(&sh->context);
	const struct schema_attr *a;
	struct value drop, rest, all;
	int attr = set_parse(sh, call, &drop, err);
	int rc = 0;

	if (attr < 0)
		return err->code;
	a = &top->table->attrs[attr];
	rest = set_current(top->obj, (unsigned int)attr);
	all = value_copy(a, &rest);
	if (value_remove(a, &rest, &drop) < drop.n)
		rc = err_set(err, ERR_NOT_FOUND,
			     "entry is not found in table\n\nvalue parse error before '%.200s'",
			     set_missing(a, &all, call->argv + 1, call->argc - 1));
	else if (rest.n == 0 && value_default_at(top->table, (unsigned int)attr))
		rc = set_refuse_empty(a, err);
	if (rc) {
		value_done(a, &rest);
	} else {
		object_set(top->obj, (unsigned int)attr, rest);
		context_touch(top, (unsigned int)attr);
	}
	value_done(a, &all);
	value_done(a, &drop);
	return rc;
}
