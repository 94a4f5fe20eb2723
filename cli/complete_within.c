/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way further in: behind a path, or inside a config, stand the key of an entry, the attributes
 * of that, behind a nested table the keys in it, and so on. What was typed of it is followed as the
 * command would follow it; what stands at its end is listed.
 */
#include "cfgdb/control/client.h"
#include "cli/completer.h"
#include "cli/locate.h"

/* A copy of the entry of obj that the first argument names, or NULL. */
static struct object *within_entry(const struct completer *k, const struct object *obj,
				   unsigned int attr) {
	const struct object *entry = locate_entry(obj, attr, k->argv[0]);

	return entry ? object_copy(entry) : NULL;
}

static struct object *within_table(const struct completer *k, const struct schema_table *table,
				   const char *key) {
	struct object *obj;
	struct err err;

	return context_get(&k->sh->context, table, key, &obj, &err) ? NULL : obj;
}

/* The object in which the names begin, to be freed, and how many of them led to it; or NULL. */
static struct object *within_start(const struct completer *k, const struct target *target,
				   size_t *used) {
	const struct level *top = context_top(&k->sh->context);
	struct list_ref list = { target->table, NULL, 0, false };
	struct object *obj, *entry;

	*used = 0;
	if (!target->table && top && top->obj)
		return context_copy(top);
	if (!target->table && !context_list(&k->sh->context, &list))
		return NULL;
	*used = schema_is_list(list.table);
	if (*used > k->argc)
		return NULL;
	if (list.holder)
		return within_entry(k, list.holder->obj, (unsigned int)list.attr);
	if (!target->alias)
		return within_table(k, list.table, *used ? k->argv[0] : "");
	obj = within_table(k, schema_table(target->alias->table), "");
	entry = obj ? within_entry(k, obj, target->alias->attr) : NULL;
	object_free(obj);
	return entry;
}

bool complete_within(struct completer *k, const struct target *target) {
	size_t used;
	struct object *obj = within_start(k, target, &used);
	struct location at;
	struct err err;

	if (!obj)
		return false;
	if (locate(obj, k->argv + used, k->argc - used, &at, &err) == 0) {
		const struct object *holder = at.n ? at.way[at.n - 1].obj : NULL;
		unsigned int attr = at.n ? at.way[at.n - 1].attr : 0;

		if (at.obj)
			complete_value_attrs(k, at.obj, ARGS_WITHIN);
		else if (holder->table->attrs[attr].child)
			completer_children(k, holder, attr);
	}
	object_free(obj);
	return true;
}
