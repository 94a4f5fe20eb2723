/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stack of levels. Every level that can be changed owns a buffer of its own, also a nested one:
 * so dropping a level undoes what was done in it, and saving it moves the buffer into the one
 * below. Three spellings of one store make the stack look like this:
 *
 *     config system ha                 OBJECT
 *     config firewall policy, edit 1   LIST ENTRY
 *     config system standalone-cluster, config cluster-peer, edit 1   OBJECT LIST ENTRY
 *     the same with `edit 1` directly  OBJECT LIST(implied) ENTRY
 *     config system cluster-sync, edit 1      OBJECT(hidden) LIST ENTRY
 *
 * In the last two the list looks like a table of its own, so each entry is written when it is left,
 * as in a real one ("through").
 */
#include "cli/context.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

struct level *context_top(struct context *ctx) {
	return ctx->depth ? &ctx->levels[ctx->depth - 1] : NULL;
}

enum level_kind context_kind(const struct context *ctx) {
	const struct level *top = ctx->depth ? &ctx->levels[ctx->depth - 1] : NULL;

	if (!top)
		return LEVEL_ROOT;
	if (top->kind == LEVEL_OBJECT && schema_direct(top->table) >= 0)
		return LEVEL_DIRECT;
	return top->kind;
}

static void context_pop(struct context *ctx) {
	struct level *top = &ctx->levels[--ctx->depth];

	object_free(top->obj);
	free(top->name);
	*top = (struct level){ 0 };
}

void context_drop(struct context *ctx) {
	while (ctx->depth)
		context_pop(ctx);
}

/* Room for n more levels. */
static int context_room(struct context *ctx, size_t n, struct err *err) {
	if (ctx->depth + n <= CONTEXT_DEPTH_MAX)
		return 0;
	return err_set(err, ERR_MAX_ENTRIES, "too many levels are open: at most %d",
		       CONTEXT_DEPTH_MAX);
}

static struct level *context_push(struct context *ctx, enum level_kind kind,
				  const struct schema_table *table, int attr, const char *name) {
	struct level *level = &ctx->levels[ctx->depth++];

	*level =
		(struct level){ .kind = kind, .table = table, .attr = attr, .name = xstrdup(name) };
	return level;
}

static const char *last_word(const char *path) {
	const char *blank = strrchr(path, ' ');

	return blank ? blank + 1 : path;
}

/* The level whose object holds the table of the level at `i`; NULL: it is a top-level table. */
static struct level *context_holder(struct context *ctx, size_t i) {
	struct level *level = &ctx->levels[i];

	if (level->attr < 0)
		return NULL;
	return level->kind == LEVEL_ENTRY ? level - 2 : level - 1;
}

int context_get(const struct context *ctx, const struct schema_table *table, const char *key,
		struct object **ret, struct err *err) {
	int rc = client_get(ctx->client, table, key, ret, err);

	if (rc == 0)
		prefs_overlay(ctx->prefs, *ret);
	return rc;
}

/* ---- opening ---- */

static int context_push_object(struct context *ctx, const struct schema_table *table,
			       const char *path, struct err *err) {
	struct object *obj;
	struct level *level;
	int rc = context_get(ctx, table, "", &obj, err);

	if (rc)
		return rc;
	level = context_push(ctx, LEVEL_OBJECT, table, -1, last_word(path));
	level->obj = obj;
	level->frame = path;
	return 0;
}

static int context_alias(struct context *ctx, const struct schema_alias *alias, struct err *err) {
	const struct schema_table *table = schema_table(alias->table);
	struct level *level;
	int rc = context_push_object(ctx, table, table->path, err);

	if (rc)
		return rc;
	context_top(ctx)->hidden = true;
	level = context_push(ctx, LEVEL_LIST, table->attrs[alias->attr].child, alias->attr,
			     last_word(alias->path));
	level->frame = table->path;
	level->through = true;
	return 0;
}

int context_config(struct context *ctx, const struct target *target, struct err *err) {
	if (context_room(ctx, 2, err))
		return ERR_MAX_ENTRIES;
	if (target->alias)
		return context_alias(ctx, target->alias, err);
	if (!schema_is_list(target->table))
		return context_push_object(ctx, target->table, target->table->path, err);
	context_push(ctx, LEVEL_LIST, target->table, -1, last_word(target->table->path))->frame =
		target->table->path;
	return 0;
}

int context_child(struct context *ctx, unsigned int attr, struct err *err) {
	struct level *top = context_top(ctx);
	const struct schema_attr *a = &top->table->attrs[attr];
	const struct value *v = object_get(top->obj, attr);
	struct level *level;

	if (context_room(ctx, 1, err))
		return ERR_MAX_ENTRIES;
	level = context_push(ctx, schema_is_list(a->child) ? LEVEL_LIST : LEVEL_OBJECT, a->child,
			     (int)attr, a->name);
	level->frame = a->name;
	if (level->kind == LEVEL_OBJECT)
		level->obj = v ? object_copy(value_item(v, 0)->entry) : object_new(a->child, "");
	return 0;
}

bool context_list(struct context *ctx, struct list_ref *ret) {
	struct level *top = context_top(ctx);
	int attr;

	if (top && top->kind == LEVEL_LIST) {
		*ret = (struct list_ref){ top->table, context_holder(ctx, ctx->depth - 1),
					  top->attr, top->through };
		return true;
	}
	attr = top && top->kind == LEVEL_OBJECT ? schema_direct(top->table) : -1;
	if (attr < 0)
		return false;
	*ret = (struct list_ref){ top->table->attrs[attr].child, top, attr, top->attr < 0 };
	return true;
}

/* ---- edit ---- */

/* Next free id of a child list: one above the greatest, or the first gap when that is taken. */
static uint64_t child_next_id(const struct list_ref *list) {
	const struct schema_attr *key = &list->table->attrs[0];
	const struct value *v = object_get(list->holder->obj, (unsigned int)list->attr);
	uint64_t max = 0;
	char word[24];

	for (uint32_t i = 0; v && i < v->n; i++) {
		uint64_t id = strtoull(value_item(v, i)->entry->key, NULL, 10);

		max = id > max ? id : max;
	}
	if (max < (uint64_t)key->max)
		return max + 1;
	for (uint64_t id = 1; id < max; id++) {
		snprintf(word, sizeof(word), "%llu", (unsigned long long)id);
		if (!object_child(list->holder->obj, (unsigned int)list->attr, word))
			return id;
	}
	return max;
}

/* Whether the word stands for the next free id. */
static bool is_next(const struct schema_table *table, const char *word) {
	return table->attrs[0].type == ATTR_INTEGER && strcmp(word, "0") == 0;
}

/* Key of the entry to edit; of a new one without a number, what it gets if nobody is faster. */
static int edit_key(struct context *ctx, const struct list_ref *list, const char *word, char **ret,
		    struct err *err) {
	uint64_t id;
	int rc;

	if (!is_next(list->table, word))
		return object_key_parse(list->table, word, ret, err);
	if (list->holder) {
		id = child_next_id(list);
	} else {
		rc = client_next_id(ctx->client, list->table, &id, err);
		if (rc)
			return rc;
	}
	*ret = xasprintf("%llu", (unsigned long long)id);
	return 0;
}

static int name_conflict(const struct schema_table *theirs, const struct schema_table *ours,
			 const char *key, struct err *err) {
	return err_set(err, schema_clash_code(ours, theirs),
		       "Name '%.79s' conflict: '%s' and '%s' cannot be the same name.\n"
		       "node_check_object fail! for %s %.79s\n\nvalue parse error before '%.79s'",
		       key, theirs->noun, ours->noun, ours->attrs[0].name, key, key);
}

/* A new key must not be in another table of the same name space. */
static int check_names(struct context *ctx, const struct schema_table *table, const char *key,
		       struct err *err) {
	for (uint16_t i = 0; table->names && i < schema_n_top; i++) {
		const struct schema_table *other = schema_tables[schema_top[i]];
		struct object *obj;
		int rc;

		if (other == table || !other->names || strcmp(other->names, table->names) != 0)
			continue;
		rc = client_get(ctx->client, other, key, &obj, err);
		if (rc == ERR_NOT_FOUND)
			continue;
		if (rc)
			return rc;
		object_free(obj);
		return name_conflict(other, table, key, err);
	}
	return 0;
}

static struct object *entry_new(const struct schema_table *table, const char *key, uint64_t ver) {
	struct object *obj = object_new(table, key);

	obj->ver = ver;
	object_fill_uuid(obj);
	return obj;
}

static int edit_top(struct context *ctx, const struct schema_table *table, const char *key,
		    struct object **ret, bool *added, struct err *err) {
	int rc = client_get(ctx->client, table, key, ret, err);

	*added = rc == ERR_NOT_FOUND;
	if (rc != ERR_NOT_FOUND)
		return rc;
	rc = check_names(ctx, table, key, err);
	if (rc == 0)
		*ret = entry_new(table, key, CLIENT_NEW);
	return rc;
}

/*
 * The daemon is not asked: should somebody else have this number by now, it will give another one.
 */
static struct object *edit_next(const struct schema_table *table, const char *key, bool *added) {
	*added = true;
	return entry_new(table, key, CLIENT_NEXT);
}

static int edit_child(const struct list_ref *list, const char *key, struct object **ret,
		      bool *added, struct err *err) {
	const struct value *v = object_get(list->holder->obj, (unsigned int)list->attr);
	const struct object *old = object_child(list->holder->obj, (unsigned int)list->attr, key);
	uint32_t max = list->table->max_entries ? list->table->max_entries : VALUE_ITEMS_MAX;

	*added = !old;
	if (!old && v && v->n >= max)
		return err_set(err, ERR_MAX_ENTRIES,
			       "object set operator error, -4 discard the setting");
	*ret = old ? object_copy(old) : entry_new(list->table, key, CLIENT_NEW);
	return 0;
}

int context_edit(struct context *ctx, const char *word, bool *added, struct err *err) {
	AUTO_FREE char *key = NULL;
	struct list_ref list;
	struct object *obj;
	struct level *level;
	int rc;

	if (!context_list(ctx, &list))
		return err_set(err, ERR_UNKNOWN, "Unknown action 0");
	rc = context_room(ctx, 2, err);
	if (rc == 0)
		rc = edit_key(ctx, &list, word, &key, err);
	if (rc == 0 && list.holder)
		rc = edit_child(&list, key, &obj, added, err);
	else if (rc == 0 && is_next(list.table, word))
		obj = edit_next(list.table, key, added);
	else if (rc == 0)
		rc = edit_top(ctx, list.table, key, &obj, added, err);
	if (rc)
		return rc;
	if (context_top(ctx)->kind != LEVEL_LIST) {
		const char *frame = context_top(ctx)->frame;

		level = context_push(ctx, LEVEL_LIST, list.table, list.attr, "");
		level->frame = frame;
		level->implied = true;
		level->through = list.through;
	}
	level = context_push(ctx, LEVEL_ENTRY, list.table, list.attr,
			     is_next(list.table, word) ? word : key);
	level->obj = obj;
	level->is_new = *added;
	return 0;
}

/* ---- saving ---- */

struct object *context_copy(const struct level *level) {
	struct object *copy = object_copy(level->obj);

	object_normalize(copy);
	return copy;
}

void context_touch(struct level *level, unsigned int attr) {
	level->dirty |= !(level->table->attrs[attr].flags & ATTR_SESSION);
}

/* Write the object of a level, if more was changed in it than belongs to the session. */
static int context_put(struct context *ctx, struct level *level, struct err *err) {
	struct object *part = prefs_split(level->obj);
	int rc = level->is_new || level->dirty ? client_put(ctx->client, level->obj, err) : 0;

	if (rc)
		object_free(part);
	else
		prefs_keep(ctx->prefs, part);
	return rc;
}

/*
 * Write the object that holds a list whose changes are written at once, and start anew from what
 * the daemon made of it. When it is refused the buffer is again what it was: `before`, taken over.
 */
static int context_write_through(struct context *ctx, struct level *holder, struct object *before,
				 struct err *err) {
	struct object *fresh;
	int rc;

	object_normalize(holder->obj);
	rc = context_put(ctx, holder, err);
	if (rc) {
		object_free(holder->obj);
		holder->obj = before;
		return rc;
	}
	object_free(before);
	holder->dirty = false;
	rc = context_get(ctx, holder->table, "", &fresh, err);
	if (rc)
		return rc;
	object_free(holder->obj);
	holder->obj = fresh;
	return 0;
}

/* Move the buffer of the top level into the one that holds it. */
static int context_save_child(struct context *ctx, struct level *top, struct err *err) {
	struct level *holder = context_holder(ctx, ctx->depth - 1);
	bool through = top->kind == LEVEL_ENTRY && top[-1].through;
	struct object *before = through ? object_copy(holder->obj) : NULL;
	struct value v = { 0 };

	if (top->kind == LEVEL_ENTRY) {
		object_child_put(holder->obj, (unsigned int)top->attr, top->obj);
	} else if (top->obj->n_fields == 0) {
		object_unset(holder->obj, (unsigned int)top->attr);
		object_free(top->obj);
	} else {
		value_add_item(&v, (union item){ .entry = top->obj });
		object_set(holder->obj, (unsigned int)top->attr, v);
	}
	top->obj = NULL;
	holder->dirty = true;
	return through ? context_write_through(ctx, holder, before, err) : 0;
}

static int check_required(const struct object *obj, struct err *err) {
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct schema_attr *a = &obj->table->attrs[i];

		if (!(a->flags & ATTR_REQUIRED) || (a->flags & ATTR_KEY) || object_get(obj, i))
			continue;
		if ((!a->dflt || !*a->dflt) && object_has(obj, i))
			return err_set(err, ERR_EMPTY, "Attribute '%s' MUST be set.", a->name);
	}
	return 0;
}

/* Save the top level if there is anything to save. */
static int context_save(struct context *ctx, struct err *err) {
	struct level *top = context_top(ctx);
	int rc;

	if (!top->is_new && !top->dirty)
		return top->attr < 0 ? context_put(ctx, top, err) : 0;
	object_normalize(top->obj);
	rc = check_required(top->obj, err);
	if (rc)
		return rc;
	return top->attr < 0 ? context_put(ctx, top, err) : context_save_child(ctx, top, err);
}

int context_next(struct context *ctx, struct err *err) {
	int rc = context_save(ctx, err);

	context_pop(ctx);
	if (context_top(ctx)->implied)
		context_pop(ctx);
	return rc;
}

/* Close the list on top, and with it what was only opened for it. */
static void context_close_list(struct context *ctx) {
	context_pop(ctx);
	if (ctx->depth && context_top(ctx)->hidden)
		context_pop(ctx);
}

int context_end(struct context *ctx, struct err *err) {
	struct err second;
	int rc = 0, rc_object;

	if (context_top(ctx)->kind == LEVEL_ENTRY)
		rc = context_next(ctx, err);
	if (context_top(ctx)->kind == LEVEL_LIST) {
		context_close_list(ctx);
		return rc;
	}
	rc_object = context_save(ctx, rc ? &second : err);
	if (rc && rc_object)
		err_prefix(err, "%s", second.text);
	context_pop(ctx);
	return rc ? rc : rc_object;
}

void context_abort(struct context *ctx) {
	if (context_top(ctx)->kind == LEVEL_ENTRY) {
		bool implied = ctx->levels[ctx->depth - 2].implied;

		context_pop(ctx);
		if (implied)
			context_pop(ctx);
	}
	if (context_top(ctx)->kind == LEVEL_LIST)
		context_close_list(ctx);
	else
		context_pop(ctx);
}

int context_delete(struct context *ctx, const char *word, struct err *err) {
	AUTO_FREE char *key = NULL;
	struct object *before;
	struct list_ref list;
	int rc;

	if (!context_list(ctx, &list))
		return err_set(err, ERR_UNKNOWN, "Unknown action 0");
	rc = object_key_parse(list.table, word, &key, err);
	if (rc)
		return rc;
	if (!list.holder)
		return client_delete(ctx->client, list.table, key, err);
	before = list.through ? object_copy(list.holder->obj) : NULL;
	if (!object_child_delete(list.holder->obj, (unsigned int)list.attr, key)) {
		object_free(before);
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	}
	list.holder->dirty = true;
	return list.through ? context_write_through(ctx, list.holder, before, err) : 0;
}
