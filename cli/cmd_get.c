/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `get` prints values for reading, not for pasting back: one object with all its attributes, those
 * at their default too, or a table with a line for each entry. At the root a path says what is
 * meant; inside a config it is what is open there. Names that follow lead to an attribute, or into
 * nested tables.
 */
#include "cfgdb/base/mem.h"
#include "cfgdb/client.h"
#include "cfgdb/text.h"
#include "cli/commands.h"
#include "cli/locate.h"

static void get_print(struct shell *sh, const struct object *obj,
		      void (*how)(const struct object *obj, struct str *out)) {
	AUTO_STR struct str text = STR_INIT;

	how(obj, &text);
	out_bytes(sh->out, str_text(&text), text.len);
}

static int get_entry(void *arg, struct object *obj) {
	struct shell *sh = arg;

	get_print(sh, obj, text_get_entry);
	object_free(obj);
	return out_stopped(sh->out);
}

/* A line for each entry of a list that obj holds. */
static void get_children(struct shell *sh, const struct object *obj, unsigned int attr) {
	const struct value *v = object_get(obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++)
		get_print(sh, value_item(v, i)->entry, text_get_entry);
}

static void get_attr(struct shell *sh, const struct object *obj, unsigned int attr) {
	AUTO_STR struct str text = STR_INIT;

	text_get_attr(obj, attr, &text);
	out_bytes(sh->out, str_text(&text), text.len);
}

/* What n names inside obj lead to, or with none of them obj itself; frees obj. */
static int get_within(struct shell *sh, struct object *obj, char *const names[], size_t n,
		      struct err *err) {
	struct location at;
	int rc = locate(obj, names, n, &at, err);

	if (rc == 0 && at.obj) {
		get_print(sh, at.obj, text_get);
	} else if (rc == 0) {
		const struct object *holder = at.way[at.n - 1].obj;
		unsigned int attr = at.way[at.n - 1].attr;

		if (holder->table->attrs[attr].child)
			get_children(sh, holder, attr);
		else
			get_attr(sh, holder, attr);
	}
	object_free(obj);
	return rc;
}

/* The object of an object table (key is ""), or one entry of a list, or what is in it. */
static int get_one(struct shell *sh, const struct schema_table *table, const char *key,
		   char *const names[], size_t n, struct err *err) {
	struct object *obj;
	int rc = context_get(&sh->context, table, key, &obj, err);

	if (rc == ERR_NOT_FOUND)
		return locate_refuse(err);
	return rc ? rc : get_within(sh, obj, names, n, err);
}

/* A table, or what n names inside it lead to. */
static int get_in_table(struct shell *sh, const struct schema_table *table, char *const names[],
			size_t n, struct err *err) {
	AUTO_FREE char *key = NULL;

	if (!schema_is_list(table))
		return get_one(sh, table, "", names, n, err);
	if (n == 0)
		return client_list(sh->client, table, get_entry, sh, err);
	if (object_key_parse(table, names[0], &key, NULL))
		return locate_refuse(err);
	return get_one(sh, table, key, names + 1, n - 1, err);
}

/* A list that obj holds, or one entry of it, or what is in that. */
static int get_list(struct shell *sh, const struct object *obj, unsigned int attr,
		    char *const names[], size_t n, struct err *err) {
	const struct object *entry;

	if (n == 0) {
		get_children(sh, obj, attr);
		return 0;
	}
	entry = locate_entry(obj, attr, names[0]);
	if (!entry)
		return locate_refuse(err);
	return get_within(sh, object_copy(entry), names + 1, n - 1, err);
}

static int get_alias(struct shell *sh, const struct schema_alias *alias, char *const names[],
		     size_t n, struct err *err) {
	struct object *obj;
	int rc = context_get(&sh->context, schema_table(alias->table), "", &obj, err);

	if (rc)
		return rc;
	rc = get_list(sh, obj, alias->attr, names, n, err);
	object_free(obj);
	return rc;
}

int cmd_get(struct shell *sh, const struct call *call, struct err *err) {
	const struct target *target = &call->target;

	if (target->alias)
		return get_alias(sh, target->alias, call->argv, call->argc, err);
	return get_in_table(sh, target->table, call->argv, call->argc, err);
}

int cmd_get_here(struct shell *sh, const struct call *call, struct err *err) {
	struct level *top = context_top(&sh->context);
	struct list_ref list;

	if (top->obj)
		return get_within(sh, object_copy(top->obj), call->argv, call->argc, err);
	context_list(&sh->context, &list);
	if (!list.holder)
		return get_in_table(sh, list.table, call->argv, call->argc, err);
	return get_list(sh, list.holder->obj, (unsigned int)list.attr, call->argv, call->argc,
			err);
}
