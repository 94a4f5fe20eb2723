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
	if (top->kind == LEVEL_LIST && (top->table->flags & TABLE_ORDERED))
		return LEVEL_ORDERED;
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

/* Whether the word stands for the next free id: 0, however it is written. */
static bool is_next(const struct schema_table *table, const char *word) {
	word += *word == '-';
	return table->attrs[0].type == ATTR_INTEGER && *word && word[strspn(word, "0")] == '\0';
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

/*
 * A new key must not be in another table of the same name space. Of what he may not see nothing is
 * asked, which would be told as a refusal: the daemon looks there when the entry is put.
 */
static int check_names(struct context *ctx, const struct schema_table *table, const char *key,
		       struct err *err) {
	for (uint16_t i = 0; table->names && i < schema_n_top; i++) {
		const struct schema_table *other = schema_tables[schema_top[i]];
		AUTO_FREE char *same = NULL; /* a longer name than it takes is none of its */
		struct object *obj;
		int rc;

		if (other == table || !other->names || strcmp(other->names, table->names) != 0 ||
		    !client_may_see(client_info(ctx->client), other) ||
		    object_key_parse(other, key, &same, NULL) != 0)
			continue;
		rc = client_get(ctx->client, other, key, &obj, err);
		if (rc == ERR_NOT_FOUND || rc == ERR_DENIED) /* his role is another one by now */
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
	if (rc)
		return rc;
	*ret = object_new(table, key);
	(*ret)->ver = CLIENT_NEW;
	if (!ctx->leaves_uuid)
		object_fill_uuid(*ret);
	return 0;
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
			     is_next(list.table, word) ? "0" : key);
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

/* ---- whole entries ---- */

/* The entries of an open list are about to change. */
struct list_change {
	struct list_ref list;
	struct object *before;   /* the holder; NULL: it is not written at once */
};

static int list_begin(struct context *ctx, struct list_change *c, struct err *err) {
	if (!context_list(ctx, &c->list))
		return err_set(err, ERR_UNKNOWN, "Unknown action 0");
	c->before = c->list.through ? object_copy(c->list.holder->obj) : NULL;
	return 0;
}

/* The change was made in the buffer of the holder, or, when rc is no 0, nothing was. */
static int list_end(struct context *ctx, struct list_change *c, int rc, struct err *err) {
	if (rc || !c->list.holder) {
		object_free(c->before);
		return rc;
	}
	c->list.holder->dirty = true;
	return c->list.through ? context_write_through(ctx, c->list.holder, c->before, err) : 0;
}

static int refuse_key(struct err *err) {
	return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
}

static int refuse_taken(const char *key, struct err *err) {
	return err_set(err, ERR_EXISTS,
		       "entry '%s' exists already\n\nvalue parse error before '%s'", key, key);
}

static struct object *list_entry(const struct list_ref *list, const char *key) {
	return object_child(list->holder->obj, (unsigned int)list->attr, key);
}

static int delete_child(const struct list_ref *list, const char *key, struct err *err) {
	bool gone = object_child_delete(list->holder->obj, (unsigned int)list->attr, key);

	return gone ? 0 : refuse_key(err);
}

int context_delete(struct context *ctx, const char *word, struct err *err) {
	AUTO_FREE char *key = NULL;
	struct list_change c;
	int rc = list_begin(ctx, &c, err);

	if (rc)
		return rc;
	rc = object_key_parse(c.list.table, word, &key, err);
	if (rc == 0)
		rc = c.list.holder ? delete_child(&c.list, key, err)
				   : client_delete(ctx->client, c.list.table, key, err);
	return list_end(ctx, &c, rc, err);
}

int context_purge(struct context *ctx, struct err *err) {
	struct list_change c;
	int rc = list_begin(ctx, &c, err);

	if (rc)
		return rc;
	if (c.list.holder)
		object_unset(c.list.holder->obj, (unsigned int)c.list.attr);
	else
		rc = client_purge(ctx->client, c.list.table, err);
	return list_end(ctx, &c, rc, err);
}

/* The key of an entry that there is to be, and one that there is not yet. */
static int two_keys(struct context *ctx, const struct list_ref *list, const char *word,
		    const char *to_word, char **key, char **to, struct err *err) {
	int rc = object_key_parse(list->table, word, key, err);

	if (rc == 0 && list->holder && !list_entry(list, *key))
		rc = refuse_key(err);
	if (rc == 0)
		rc = edit_key(ctx, list, to_word, to, err);
	if (rc == 0 && list->holder && list_entry(list, *to))
		rc = refuse_taken(*to, err);
	return rc == 0 && !list->holder ? check_names(ctx, list->table, *to, err) : rc;
}

int context_rename(struct context *ctx, const char *word, const char *to_word, struct err *err) {
	AUTO_FREE char *key = NULL, *to = NULL;
	struct list_change c;
	int rc = list_begin(ctx, &c, err);

	if (rc)
		return rc;
	rc = two_keys(ctx, &c.list, word, to_word, &key, &to, err);
	if (rc == 0 && c.list.holder)
		object_child_rename(c.list.holder->obj, (unsigned int)c.list.attr, key, to);
	else if (rc == 0)
		rc = client_rename(ctx->client, c.list.table, key, to, err);
	return list_end(ctx, &c, rc, err);
}

/* What is to be like another entry, but for its name and what is unique to each. */
static void make_clone(struct object *obj, const char *key, uint64_t ver) {
	object_rekey(obj, key);
	obj->ver = ver;
	object_drop_uuid(obj);
	object_fill_uuid(obj);
}

static int clone_child(const struct list_ref *list, const char *key, const char *to,
		       struct err *err) {
	struct object *clone, *there;
	bool added;
	int rc = edit_child(list, to, &there, &added, err);

	if (rc)
		return rc;
	object_free(there);
	clone = object_copy(list_entry(list, key));
	make_clone(clone, to, CLIENT_NEW);
	object_child_put(list->holder->obj, (unsigned int)list->attr, clone);
	return 0;
}

static int clone_top(struct context *ctx, const struct schema_table *table, const char *key,
		     const char *to, uint64_t ver, struct err *err) {
	struct object *clone, *there;
	int rc = client_get(ctx->client, table, key, &clone, err);

	if (rc)
		return rc;
	rc = client_get(ctx->client, table, to, &there, err);
	if (rc == 0) {
		object_free(there);
		rc = refuse_taken(to, err);
	} else if (rc == ERR_NOT_FOUND) {
		make_clone(clone, to, ver);
		rc = client_put(ctx->client, clone, err);
	}
	object_free(clone);
	return rc;
}

int context_clone(struct context *ctx, const char *word, const char *to_word, struct err *err) {
	AUTO_FREE char *key = NULL, *to = NULL;
	struct list_change c;
	int rc = list_begin(ctx, &c, err);

	if (rc)
		return rc;
	rc = two_keys(ctx, &c.list, word, to_word, &key, &to, err);
	if (rc == 0 && c.list.holder)
		rc = clone_child(&c.list, key, to, err);
	else if (rc == 0)
		rc = clone_top(ctx, c.list.table, key, to,
			       is_next(c.list.table, to_word) ? CLIENT_NEXT : CLIENT_NEW, err);
	return list_end(ctx, &c, rc, err);
}

static int move_child(const struct list_ref *list, const char *key, bool before,
		      const char *other, struct err *err) {
	bool moved = object_child_move(list->holder->obj, (unsigned int)list->attr, key, before,
				       other);

	return moved ? 0 : refuse_key(err);
}

int context_move(struct context *ctx, const char *word, bool before, const char *other_word,
		 struct err *err) {
	AUTO_FREE char *key = NULL, *other = NULL;
	struct list_change c;
	int rc = list_begin(ctx, &c, err);

	if (rc)
		return rc;
	rc = object_key_parse(c.list.table, word, &key, err);
	if (rc == 0)
		rc = object_key_parse(c.list.table, other_word, &other, err);
	if (rc == 0 && strcmp(key, other) == 0)
		rc = err_set(err, ERR_VALUE, "an entry cannot stand before or after itself\n\n"
			     "value parse error before '%s'", other);
	if (rc == 0)
		rc = c.list.holder ? move_child(&c.list, key, before, other, err)
				   : client_place(ctx->client, c.list.table, key, before, other,
						  err);
	return list_end(ctx, &c, rc, err);
}
