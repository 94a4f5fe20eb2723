/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `get` prints values for reading, not for pasting back: one object with all its attributes, those
 * at their default too, or a table with a line for each entry. At the root a path says what is
 * meant; inside a config it is what is open there.
 */
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/client.h"
#include "cfgdb/text.h"
#include "cli/commands.h"

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

static int get_one(struct shell *sh, const struct schema_table *table, const char *key,
		   struct err *err) {
	struct object *obj;
	int rc = context_get(&sh->context, table, key, &obj, err);

	if (rc == ERR_NOT_FOUND)
		return err_set(err, rc, "entry is not found in table");
	if (rc)
		return rc;
	get_print(sh, obj, text_get);
	object_free(obj);
	return 0;
}

/* One entry in full, or a line for each, of a list that obj holds. */
static int get_children(struct shell *sh, const struct object *obj, unsigned int attr,
			const char *key, struct err *err) {
	const struct value *v = object_get(obj, attr);
	const struct object *entry = key ? object_child(obj, attr, key) : NULL;

	if (key && !entry)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (entry)
		get_print(sh, entry, text_get);
	for (uint32_t i = 0; !key && v && i < v->n; i++)
		get_print(sh, value_item(v, i)->entry, text_get_entry);
	return 0;
}

static int get_alias(struct shell *sh, const struct schema_alias *alias, const char *key,
		     struct err *err) {
	struct object *obj;
	int rc = context_get(&sh->context, schema_table(alias->table), "", &obj, err);

	if (rc)
		return rc;
	rc = get_children(sh, obj, alias->attr, key, err);
	object_free(obj);
	return rc;
}

int cmd_get(struct shell *sh, const struct call *call, struct err *err) {
	const struct target *target = &call->target;
	AUTO_FREE char *key = NULL;

	if (call->argc > 0 && object_key_parse(target->table, call->argv[0], &key, NULL))
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (target->alias)
		return get_alias(sh, target->alias, key, err);
	if (key)
		return get_one(sh, target->table, key, err);
	if (!schema_is_list(target->table))
		return get_one(sh, target->table, "", err);
	return client_list(sh->client, target->table, get_entry, sh, err);
}

int cmd_get_here(struct shell *sh, const struct call *call, struct err *err) {
	struct level *top = context_top(&sh->context);
	AUTO_FREE char *key = NULL;
	struct list_ref list;

	if (top->obj) {
		get_print(sh, top->obj, text_get);
		return 0;
	}
	context_list(&sh->context, &list);
	if (call->argc > 0 && object_key_parse(list.table, call->argv[0], &key, NULL))
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (list.holder)
		return get_children(sh, list.holder->obj, (unsigned int)list.attr, key, err);
	return key ? get_one(sh, list.table, key, err)
		   : client_list(sh->client, list.table, get_entry, sh, err);
}
