/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `show` prints what can be pasted back: frames of config, edit, next and end around the bodies
 * that the text module prints. Tables are printed object by object as they arrive, so memory does
 * not grow with them. A table that was asked for prints its frame even when nothing is in it; the
 * whole configuration leaves such frames out.
 */
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/client.h"
#include "cfgdb/text.h"
#include "cfgdb/version.h"
#include "cli/commands.h"

/* Form of the text below the header. */
#define CONF_FILE_VERSION "1"

struct show {
	struct shell *sh;
	unsigned int flags; /* enum text_flag */
	bool terse;	    /* no frames with nothing inside */
	const char *frame;  /* path of the frame that is not printed yet */
	struct str text;    /* used again for every object */
};

static void show_flush(struct show *s) {
	out_bytes(s->sh->out, str_text(&s->text), s->text.len);
	str_clear(&s->text);
}

static void show_frame(struct show *s, const char *path) {
	s->frame = path;
}

/* Something will be inside the frame, or it is printed in any case. */
static void show_frame_open(struct show *s) {
	if (s->frame)
		str_addf(&s->text, "config %s\n", s->frame);
	s->frame = NULL;
}

static void show_frame_end(struct show *s) {
	if (!s->terse)
		show_frame_open(s);
	if (!s->frame)
		str_add(&s->text, "end\n");
	show_flush(s);
}

static int show_entry(void *arg, struct object *obj) {
	struct show *s = arg;

	show_frame_open(s);
	text_entry(obj, 1, s->flags, &s->text);
	object_free(obj);
	show_flush(s);
	return out_stopped(s->sh->out);
}

/* One entry, or all, of a list that obj holds. */
static int show_children(struct show *s, const struct object *obj, unsigned int attr,
			 const char *path, const char *key, struct err *err) {
	const struct value *v = object_get(obj, attr);

	if (key && !object_child(obj, attr, key))
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	show_frame(s, path);
	show_frame_open(s);
	for (uint32_t i = 0; v && i < v->n; i++)
		if (!key || strcmp(value_item(v, i)->entry->key, key) == 0)
			text_entry(value_item(v, i)->entry, 1, s->flags, &s->text);
	show_frame_end(s);
	return 0;
}

static int show_alias(struct show *s, const struct schema_alias *alias, const char *key,
		      struct err *err) {
	const struct schema_table *table = schema_table(alias->table);
	struct object *obj;
	int rc = context_get(&s->sh->context, table, "", &obj, err);

	if (rc)
		return rc;
	rc = show_children(s, obj, alias->attr, table->path, key, err);
	object_free(obj);
	return rc;
}

static void show_object(struct show *s, const struct object *obj, const char *path) {
	AUTO_STR struct str body = STR_INIT;

	if (schema_is_list(obj->table))
		text_entry(obj, 1, s->flags, &body);
	else
		text_body(obj, 1, s->flags, &body);
	show_frame(s, path);
	if (body.len > 0)
		show_frame_open(s);
	str_add_bytes(&s->text, str_text(&body), body.len);
	show_frame_end(s);
}

/* The object of an object table, or one entry of a list. */
static int show_one(struct show *s, const struct schema_table *table, const char *key,
		    struct err *err) {
	struct object *obj;
	int rc = context_get(&s->sh->context, table, key, &obj, err);

	if (rc == ERR_NOT_FOUND)
		return err_set(err, rc, "entry is not found in table");
	if (rc)
		return rc;
	show_object(s, obj, table->path);
	object_free(obj);
	return 0;
}

static int show_table(struct show *s, const struct schema_table *table, struct err *err) {
	int rc;

	if (!schema_is_list(table))
		return show_one(s, table, "", err);
	show_frame(s, table->path);
	rc = client_list(s->sh->client, table, show_entry, s, err);
	show_frame_end(s);
	return rc;
}

static int show_all(struct show *s, struct err *err) {
	int rc = 0;

	s->terse = true;
	str_addf(&s->text,
		 "#config-version=" VERSION_MODEL "-" VERSION_RELEASE "-FW-build" VERSION_BUILD
		 "-" VERSION_DATE ":opmode=0:vdom=0:user=%s\n",
		 client_info(s->sh->client)->user);
	str_add(&s->text, "#conf_file_ver=" CONF_FILE_VERSION "\n#buildno=" VERSION_BUILD
			  "\n#global_vdom=1\n");
	for (uint16_t i = 0; i < schema_n_top && rc == 0 && !out_stopped(s->sh->out); i++)
		rc = show_table(s, schema_tables[schema_top[i]], err);
	return rc;
}

static int show_target(struct show *s, const struct call *call, struct err *err) {
	const struct target *target = &call->target;
	AUTO_FREE char *key = NULL;

	if (!target->table)
		return show_all(s, err);
	if (call->argc > 0 && object_key_parse(target->table, call->argv[0], &key, NULL))
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (target->alias)
		return show_alias(s, target->alias, key, err);
	return key ? show_one(s, target->table, key, err) : show_table(s, target->table, err);
}

static int show_run(struct shell *sh, const struct call *call, unsigned int flags,
		    int (*how)(struct show *s, const struct call *call, struct err *err),
		    struct err *err) {
	struct show s = { .sh = sh, .flags = flags };
	int rc = how(&s, call, err);

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

/* The entry or object that is open, as it would be saved. */
static int show_buffer(struct show *s, const struct level *level, const char *frame) {
	struct object *copy = object_copy(level->obj);

	object_normalize(copy);
	show_object(s, copy, frame);
	object_free(copy);
	return 0;
}

static int show_here(struct show *s, const struct call *call, struct err *err) {
	struct context *ctx = &s->sh->context;
	struct level *top = context_top(ctx);
	AUTO_FREE char *key = NULL;
	struct list_ref list;

	if (top->kind == LEVEL_ENTRY)
		return call->argc > 0 ? grammar_refuse(call->argv[0], err)
				      : show_buffer(s, top, top[-1].frame);
	if (top->kind == LEVEL_OBJECT)
		return call->argc > 0 ? grammar_refuse(call->argv[0], err)
				      : show_buffer(s, top, top->frame);
	context_list(ctx, &list);
	if (call->argc > 0 && object_key_parse(list.table, call->argv[0], &key, NULL))
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (list.holder)
		return show_children(s, list.holder->obj, (unsigned int)list.attr, top->frame, key,
				     err);
	return key ? show_one(s, list.table, key, err) : show_table(s, list.table, err);
}

int cmd_show_here(struct shell *sh, const struct call *call, struct err *err) {
	return show_run(sh, call, 0, show_here, err);
}

int cmd_show_here_full(struct shell *sh, const struct call *call, struct err *err) {
	return show_run(sh, call, TEXT_FULL, show_here, err);
}
