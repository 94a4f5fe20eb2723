/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `show` prints what can be pasted back: frames of config, edit, next and end around the bodies
 * that the text module prints. Tables are printed object by object as they arrive, so memory does
 * not grow with them. A table that was asked for prints its frame even when nothing is in it; the
 * whole configuration leaves such frames out. What names inside an object lead to stands in the
 * frames of all that is around it, so that it, too, can be pasted back where it came from.
 *
 * As JSON a table is an array, an object an object, and the whole configuration an object that has
 * them by their paths.
 */
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"
#include "cfgdb/model/object_json.h"
#include "cfgdb/model/text.h"
#include "cli/backup.h"
#include "cli/commands.h"
#include "cli/locate.h"

struct show {
	struct shell *sh;
	unsigned int flags; /* enum text_flag */
	bool terse;	    /* no frames with nothing inside */
	const char *frame;  /* path of the frame that is not printed yet */
	struct str text;    /* used again for every object */
	struct json json;   /* to text */
};

static enum object_json show_form(const struct show *s) {
	return s->flags & TEXT_FULL ? OBJECT_JSON_FULL : OBJECT_JSON_SHOW;
}

/* The name of what is printed next: in the whole configuration its path. */
static const char *show_name(const struct show *s, const char *path) {
	return s->json.depth ? path : NULL;
}

static void show_flush(struct show *s) {
	out_bytes(s->sh->out, str_text(&s->text), s->text.len);
	str_clear(&s->text);
}

/* A line of a frame. */
static void show_line(struct show *s, unsigned int indent, const char *verb, const char *name) {
	str_addf(&s->text, "%*s%s%s\n", (int)indent * 4, "", verb, name);
}

static void show_frame(struct show *s, const char *path) {
	s->frame = path;
}

/* Something will be inside the frame, or it is printed in any case. */
static void show_frame_open(struct show *s) {
	if (s->frame && s->sh->json)
		json_put_array(&s->json, show_name(s, s->frame));
	else if (s->frame)
		str_addf(&s->text, "config %s\n", s->frame);
	s->frame = NULL;
}

static void show_frame_end(struct show *s) {
	if (!s->terse)
		show_frame_open(s);
	if (!s->frame && s->sh->json)
		json_put_end(&s->json);
	else if (!s->frame)
		str_add(&s->text, "end\n");
	show_flush(s);
}

static int show_entry(void *arg, struct object *obj) {
	struct show *s = arg;

	show_frame_open(s);
	if (s->sh->json)
		object_json_put(obj, show_form(s), NULL, &s->json);
	else
		text_entry(obj, 1, s->flags, &s->text);
	object_free(obj);
	show_flush(s);
	return out_stopped(s->sh->out);
}

/* All entries of a list that obj holds, in a frame. */
static void show_children(struct show *s, const struct object *obj, unsigned int attr,
			  const char *frame, unsigned int indent) {
	const struct value *v = object_get(obj, attr);

	if (s->sh->json) {
		object_json_list(obj, attr, show_form(s), NULL, &s->json);
		return;
	}
	show_line(s, indent, "config ", frame);
	for (uint32_t i = 0; v && i < v->n; i++)
		text_entry(value_item(v, i)->entry, indent + 1, s->flags, &s->text);
	show_line(s, indent, "end", "");
}

static void show_object(struct show *s, const struct object *obj, const char *path) {
	AUTO_STR struct str body = STR_INIT;

	if (schema_is_list(obj->table))
		text_entry(obj, 1, s->flags, &body);
	else
		text_body(obj, 1, s->flags, &body);
	if (s->sh->json) {
		if (body.len > 0 || !s->terse)
			object_json_put(obj, show_form(s), show_name(s, path), &s->json);
		return;
	}
	show_frame(s, path);
	if (body.len > 0)
		show_frame_open(s);
	str_add_bytes(&s->text, str_text(&body), body.len);
	show_frame_end(s);
}

/* Open the frame of an object, at *indent. */
static void show_enter(struct show *s, const char *frame, const struct object *obj,
		       unsigned int *indent) {
	show_line(s, (*indent)++, "config ", frame);
	if (schema_is_list(obj->table))
		text_edit_line(obj, (*indent)++, &s->text);
}

static void show_leave(struct show *s, const struct object *obj, unsigned int *indent) {
	if (schema_is_list(obj->table))
		show_line(s, --*indent, "next", "");
	show_line(s, --*indent, "end", "");
}

/* What the way leads to, alone: an object, the entries of a table, or an attribute as an object. */
static void show_location_json(struct show *s, const struct location *at) {
	const struct object *holder = at->n ? at->way[at->n - 1].obj : NULL;
	unsigned int attr = at->n ? at->way[at->n - 1].attr : 0;

	if (at->obj) {
		object_json_put(at->obj, show_form(s), NULL, &s->json);
	} else if (holder->table->attrs[attr].child) {
		object_json_list(holder, attr, show_form(s), NULL, &s->json);
	} else {
		json_put_object(&s->json, NULL);
		object_json_attr(holder, attr, show_form(s), &s->json);
		json_put_end(&s->json);
	}
}

/* What the way leads to, in the frames of all that is on it. */
static void show_location(struct show *s, const char *frame, const struct location *at) {
	unsigned int indent = 0;

	for (size_t i = 0; i < at->n; i++) {
		const struct object *obj = at->way[i].obj;
		unsigned int attr = at->way[i].attr;
		const struct schema_attr *a = &obj->table->attrs[attr];

		show_enter(s, frame, obj, &indent);
		frame = a->name;
		if (i + 1 < at->n || at->obj)
			continue;
		if (a->child)
			show_children(s, obj, attr, frame, indent);
		else
			text_attr(obj, attr, indent, s->flags, &s->text);
	}
	if (at->obj) {
		show_enter(s, frame, at->obj, &indent);
		text_body(at->obj, indent, s->flags, &s->text);
		show_leave(s, at->obj, &indent);
	}
	for (size_t i = at->n; i > 0; i--)
		show_leave(s, at->way[i - 1].obj, &indent);
}

/* What n names inside obj lead to, or with none of them obj itself; frees obj. */
static int show_within(struct show *s, const char *frame, struct object *obj, char *const names[],
		       size_t n, struct err *err) {
	struct location at;
	int rc = locate(obj, names, n, &at, err);

	if (rc == 0 && n > 0 && s->sh->json)
		show_location_json(s, &at);
	else if (rc == 0 && n > 0)
		show_location(s, frame, &at);
	else if (rc == 0)
		show_object(s, obj, frame);
	object_free(obj);
	return rc;
}

/* The object of an object table (key is ""), or one entry of a list, or what is in it. */
static int show_one(struct show *s, const struct schema_table *table, const char *key,
		    char *const names[], size_t n, struct err *err) {
	struct object *obj;
	int rc = context_get(&s->sh->context, table, key, &obj, err);

	if (rc == ERR_NOT_FOUND)
		return locate_refuse(err);
	return rc ? rc : show_within(s, table->path, obj, names, n, err);
}

/* A list that obj holds, or one entry of it, or what is in that. */
static int show_list(struct show *s, const struct object *obj, unsigned int attr,
		     const char *frame, char *const names[], size_t n, struct err *err) {
	const struct object *entry;

	if (n == 0) {
		show_children(s, obj, attr, frame, 0);
		return 0;
	}
	entry = locate_entry(obj, attr, names[0]);
	if (!entry)
		return locate_refuse(err);
	return show_within(s, frame, object_copy(entry), names + 1, n - 1, err);
}

static int show_alias(struct show *s, const struct schema_alias *alias, char *const names[],
		      size_t n, struct err *err) {
	const struct schema_table *table = schema_table(alias->table);
	struct object *obj;
	int rc = context_get(&s->sh->context, table, "", &obj, err);

	if (rc)
		return rc;
	rc = show_list(s, obj, alias->attr, table->path, names, n, err);
	object_free(obj);
	return rc;
}

static int show_table(struct show *s, const struct schema_table *table, struct err *err) {
	int rc;

	if (!schema_is_list(table))
		return show_one(s, table, "", NULL, 0, err);
	show_frame(s, table->path);
	rc = client_list(s->sh->client, table, show_entry, s, err);
	show_frame_end(s);
	return rc;
}

static int show_all(struct show *s, struct err *err) {
	int rc = 0;

	s->terse = true;
	if (s->sh->json)
		json_put_object(&s->json, NULL);
	else
		backup_header(s->sh->client, &s->text);
	for (uint16_t i = 0; i < schema_n_top && rc == 0 && !out_stopped(s->sh->out); i++)
		if (client_may_see(client_info(s->sh->client), schema_tables[schema_top[i]]))
			rc = show_table(s, schema_tables[schema_top[i]], err);
	if (s->sh->json)
		json_put_end(&s->json);
	return rc;
}

/* A table, or what n names inside it lead to. */
static int show_in_table(struct show *s, const struct schema_table *table, char *const names[],
			 size_t n, struct err *err) {
	AUTO_FREE char *key = NULL;

	if (n == 0)
		return show_table(s, table, err);
	if (!schema_is_list(table))
		return show_one(s, table, "", names, n, err);
	if (object_key_parse(table, names[0], &key, NULL))
		return locate_refuse(err);
	return show_one(s, table, key, names + 1, n - 1, err);
}

static int show_target(struct show *s, const struct call *call, struct err *err) {
	const struct target *target = &call->target;

	if (!target->table)
		return show_all(s, err);
	if (target->alias)
		return show_alias(s, target->alias, call->argv, call->argc, err);
	return show_in_table(s, target->table, call->argv, call->argc, err);
}

static int show_run(struct shell *sh, const struct call *call, unsigned int flags,
		    int (*how)(struct show *s, const struct call *call, struct err *err),
		    struct err *err) {
	struct show s = { .sh = sh, .flags = flags };
	int rc;

	s.json = json_put_begin(&s.text);
	rc = how(&s, call, err);
	show_flush(&s);
	str_done(&s.text);
	return rc;
}

int cmd_show(struct shell *sh, const struct call *call, struct err *err) {
	return show_run(sh, call, 0, show_target, err);
}

int cmd_show_full(struct shell *sh, const struct call *call, struct err *err) {
	return show_run(sh, call, TEXT_FULL, show_target, err);
}

/* ---- inside ---- */

static int show_here(struct show *s, const struct call *call, struct err *err) {
	struct context *ctx = &s->sh->context;
	struct level *top = context_top(ctx);
	struct list_ref list;

	if (top->obj)
		return show_within(s, top->kind == LEVEL_ENTRY ? top[-1].frame : top->frame,
				   context_copy(top), call->argv, call->argc, err);
	context_list(ctx, &list);
	if (!list.holder)
		return show_in_table(s, list.table, call->argv, call->argc, err);
	return show_list(s, list.holder->obj, (unsigned int)list.attr, top->frame, call->argv,
			 call->argc, err);
}

int cmd_show_here(struct shell *sh, const struct call *call, struct err *err) {
	return show_run(sh, call, 0, show_here, err);
}

int cmd_show_here_full(struct shell *sh, const struct call *call, struct err *err) {
	return show_run(sh, call, TEXT_FULL, show_here, err);
}
