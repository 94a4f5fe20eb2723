/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `get` prints values for reading, not for pasting back: one object with all its attributes, those
 * at their default too, or a table with a line for each entry. At the root a path says what is
 * meant; inside a config it is what is open there. Names that follow lead to an attribute, or into
 * nested tables. JSON has all attributes of every entry.
 */
#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"
#include "cfgdb/model/object_json.h"
#include "cfgdb/model/text.h"
#include "cli/commands.h"
#include "cli/locate.h"

static void get_print(struct shell *sh, const struct object *obj,
		      void (*how)(const struct object *obj, struct str *out)) {
	AUTO_STR struct str text = STR_INIT;
	struct json j = json_put_begin(&text);

	if (sh->json)
		object_json_put(obj, OBJECT_JSON_GET, NULL, &j);
	else
		how(obj, &text);
	out_bytes(sh->out, str_text(&text), text.len);
}

/* A table that is printed entry by entry. */
struct get {
	struct shell *sh;
	struct str text;
	struct json json;    /* to text */
};

static int get_entry(void *arg, struct object *obj) {
	struct get *g = arg;

	if (g->sh->json)
		object_json_put(obj, OBJECT_JSON_GET, NULL, &g->json);
	else
		text_get_entry(obj, &g->text);
	object_free(obj);
	out_bytes(g->sh->out, str_text(&g->text), g->text.len);
	str_clear(&g->text);
	return out_stopped(g->sh->out);
}

static int get_table(struct shell *sh, const struct schema_table *table, struct err *err) {
	struct get g = { .sh = sh };
	int rc;

	g.json = json_put_begin(&g.text);
	if (sh->json)
		json_put_array(&g.json, NULL);
	rc = client_list(sh->client, table, get_entry, &g, err);
	if (sh->json)
		json_put_end(&g.json);
	out_bytes(sh->out, str_text(&g.text), g.text.len);
	str_done(&g.text);
	return rc;
}

/* A line for each entry of a list that obj holds. */
static void get_children(struct shell *sh, const struct object *obj, unsigned int attr) {
	const struct value *v = object_get(obj, attr);
	AUTO_STR struct str text = STR_INIT;
	struct json j = json_put_begin(&text);

	if (sh->json) {
		object_json_list(obj, attr, OBJECT_JSON_GET, NULL, &j);
		out_bytes(sh->out, str_text(&text), text.len);
		return;
	}
	for (uint32_t i = 0; v && i < v->n; i++)
		get_print(sh, value_item(v, i)->entry, text_get_entry);
}

static void get_attr(struct shell *sh, const struct object *obj, unsigned int attr) {
	AUTO_STR struct str text = STR_INIT;
	struct json j = json_put_begin(&text);

	if (sh->json) {
		json_put_object(&j, NULL);
		object_json_attr(obj, attr, OBJECT_JSON_GET, &j);
		json_put_end(&j);
	} else {
		text_get_attr(obj, attr, &text);
	}
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
		return get_table(sh, table, err);
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
