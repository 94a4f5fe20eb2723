/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * It stands among the backends because they see what a commit replaces. What is told is worked out
 * when the commit is durable: one that fails has changed nothing, and costs nothing here.
 *
 * An event is bounded in every direction. A value is cut, so is a list of attributes that does not
 * fit, and a commit of very many objects is one event that counts them and names the first: what
 * is missing stands in the revision, whose number is part of each event.
 */
#include "cfgdb/logs/audit.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/logs/flood.h"

#define ATTRS_MAX 1024   /* bytes of what is told of the attributes of an object */
#define NAMES_MAX 1024   /* of the objects of a commit */
#define CUT "..."

struct audit {
	struct logs *logs;
	moment_fn *clock;
	struct flood refusals;
	const struct commit *commit; /* in progress */
};

struct audit *audit_new(struct logs *logs, moment_fn *clock) {
	struct audit *a = xcalloc(1, sizeof(*a));

	a->logs = logs;
	a->clock = clock;
	return a;
}

/* ---- floods ---- */

static void tell_untold(void *arg, const char *source, uint32_t untold) {
	const struct audit *a = arg;
	AUTO_FREE char *text = xasprintf("%" PRIu32 " more refusal%s of %s %s not told", untold,
					 str_plural(untold), source, untold == 1 ? "was" : "were");

	logs_add_loss(a->logs, text);
}

static void settle(struct audit *a, int64_t now_s) {
	flood_settle(&a->refusals, now_s, tell_untold, a);
}

static bool take(struct audit *a, const char *source) {
	struct moment now;

	a->clock(&now);
	settle(a, now.boot_s);
	return flood_take(&a->refusals, source, now.boot_s);
}

void audit_report(struct audit *a) {
	struct moment now;

	a->clock(&now);
	settle(a, now.boot_s);
	logs_flush(a->logs);
}

struct audit *audit_free(struct audit *a) {
	if (a) {
		settle(a, INT64_MAX);
		logs_flush(a->logs);
	}
	free(a);
	return NULL;
}

/* ---- attributes ---- */

/* A value as `show` has it, but for a secret; nothing where there is none. */
static void add_value(const struct schema_attr *attr, const struct value *v, struct str *out) {
	AUTO_STR struct str text = STR_INIT;

	if (!v)
		return;
	if (schema_is_secret(attr))
		str_add_char(&text, '*');
	else
		value_print(attr, v, VALUE_SHOW, &text);
	str_add_bytes(out, str_text(&text),
		      text.len < AUDIT_VALUE_MAX ? text.len : AUDIT_VALUE_MAX);
	if (text.len > AUDIT_VALUE_MAX)
		str_add(out, CUT);
}

static void add_attrs(const char *prefix, const struct object *before, const struct object *after,
		      struct str *out);

/* The entries of `with` in a nested table that differ in `without`, which may have none. */
static void add_entries(const char *prefix, const struct object *with, unsigned int attr,
			const struct object *without, bool is_after, struct str *out) {
	const struct value *v = with ? object_get(with, attr) : NULL;

	for (uint32_t i = 0; v && i < v->n && out->len <= ATTRS_MAX; i++) {
		const struct object *entry = value_item(v, i)->entry;
		const struct object *other =
			without ? object_child(without, attr, entry->key) : NULL;
		AUTO_FREE char *path = xasprintf("%s%s%s%s:", prefix, with->table->attrs[attr].name,
						 *entry->key ? " " : "", entry->key);

		if (is_after)
			add_attrs(path, other, entry, out);
		else if (!other)
			str_addf(out, "%sdeleted[]", path);
	}
}

/* name[old->new] of each attribute that differs, those of nested entries behind their path. */
static void add_attrs(const char *prefix, const struct object *before, const struct object *after,
		      struct str *out) {
	const struct schema_table *table = (after ? after : before)->table;

	for (unsigned int i = 0; i < table->n_attrs && out->len <= ATTRS_MAX; i++) {
		const struct schema_attr *attr = &table->attrs[i];
		const struct value *old = before ? object_get(before, i) : NULL;
		const struct value *new = after ? object_get(after, i) : NULL;

		if ((!old && !new) || (old && new && value_equal(attr, old, new)))
			continue;
		if (attr->type == ATTR_CHILD) {
			add_entries(prefix, before, i, after, false, out);
			add_entries(prefix, after, i, before, true, out);
			continue;
		}
		str_addf(out, "%s%s[", prefix, attr->name);
		add_value(attr, old, out);
		str_add(out, before ? "->" : "");
		add_value(attr, new, out);
		str_add_char(out, ']');
	}
}

/* ---- events ---- */

static const struct object *object_of(const struct change *c) {
	return c->after ? c->after : c->before;
}

static const char *action_of(const struct change *c) {
	const struct object *obj = object_of(c);

	if (!schema_is_list(obj->table))
		return "Edit";
	return !c->after ? "Delete" : c->before ? "Edit" : "Add";
}

static void add_name(const struct change *c, struct str *out) {
	const struct object *obj = object_of(c);

	str_addf(out, "%s %s%s%s", action_of(c), obj->table->dotted, *obj->key ? " " : "",
		 obj->key);
}

struct event {
	const char *id, *what, *action;
	int code;                /* 0: it was done */
};

/* Who, from where, and to what effect: what all events have. */
static void begin(const struct audit_who *who, const struct event *event, struct str *line) {
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	logtext_head(line, &(struct logtext_head){
				   .time_ns = (uint64_t)now.tv_sec * 1000000000u +
					      (uint64_t)now.tv_nsec,
				   .id = event->id,
				   .type = "event",
				   .subtype = "system",
				   .level = event->code ? LOGTEXT_WARNING : LOGTEXT_INFORMATION,
			   });
	logtext_str(line, "logdesc", event->what);
	logtext_str(line, "user", who->user);
	logtext_str(line, "ui", who->ui);
	logtext_str(line, "action", event->action);
	logtext_str(line, "status", event->code == AUDIT_UNKNOWN ? "unknown"
				    : event->code ? "failure" : "success");
}

static void end(struct logs *logs, const struct event *event, const char *msg, struct str *line) {
	logtext_str(line, "msg", msg);
	logs_add(logs, LOGSTORE_EVENT, event->code ? LOGTEXT_WARNING : LOGTEXT_INFORMATION, line);
}

static void begin_commit(const struct commit *commit, const struct event *event,
			 struct str *line) {
	const struct audit_who who = { commit->user, commit->source };

	begin(&who, event, line);
	logtext_num(line, "cfgtid", commit->revision);
}

static void cut(struct str *text, size_t max) {
	if (text->len <= max)
		return;
	text->len = max;
	text->data[max] = '\0';
	str_add(text, CUT);
}

static void tell_object(const struct audit *a, const struct change *c) {
	const struct object *obj = object_of(c);
	bool is_list = schema_is_list(obj->table);
	const struct event event = {
		.id = is_list ? "0100044547" : "0100044546",
		.what = is_list ? "Object attribute configured" : "Attribute configured",
		.action = action_of(c),
	};
	AUTO_STR struct str line = STR_INIT, attrs = STR_INIT, msg = STR_INIT;

	add_attrs("", c->before, c->after, &attrs);
	cut(&attrs, ATTRS_MAX);
	add_name(c, &msg);
	begin_commit(a->commit, &event, &line);
	logtext_str(&line, "cfgpath", obj->table->dotted);
	if (is_list)
		logtext_str(&line, "cfgobj", obj->key);
	if (c->after && attrs.len > 0)
		logtext_str(&line, "cfgattr", str_text(&attrs));
	end(a->logs, &event, str_text(&msg), &line);
}

static void tell_count(const struct audit *a) {
	static const struct event event = {
		.id = "0100032102", .what = "Configuration changed", .action = "Edit"
	};
	const struct commit *commit = a->commit;
	AUTO_STR struct str line = STR_INIT, msg = STR_INIT;

	str_addf(&msg, "%zu objects changed:", commit->n_changes);
	for (size_t i = 0; i < commit->n_changes && msg.len <= NAMES_MAX; i++) {
		str_add(&msg, i ? ", " : " ");
		add_name(&commit->changes[i], &msg);
	}
	cut(&msg, NAMES_MAX);
	begin_commit(commit, &event, &line);
	end(a->logs, &event, str_text(&msg), &line);
}

/* Whether an event is told: of those that fail not all are, if there are very many. */
static bool is_told(struct audit *a, const struct audit_who *who, int code) {
	AUTO_FREE char *source = NULL;

	if (!a || code == 0)
		return a != NULL;
	source = xasprintf("%s %s", who->user, who->ui);
	return take(a, source);
}

static bool is_denial(int code) {
	return code == ERR_DENIED || code == ERR_PERMISSION;
}

void audit_refusal(struct audit *a, const struct audit_who *who, const struct audit_refused *what) {
	const struct err *why = what->why;
	const struct event event = { .id = "0100044546",
				     .what = what->change ? "Change refused" : "Access refused",
				     .action = what->change ? "Edit" : "View",
				     .code = why->code };
	AUTO_STR struct str line = STR_INIT;
	AUTO_FREE char *msg = is_denial(why->code)
				      ? xstrdup(why->text)
				      : xasprintf("Refused with return code %d", why->code);

	if (!is_told(a, who, why->code))
		return;
	begin(who, &event, &line);
	if (what->table)
		logtext_str(&line, "cfgpath", what->table->dotted);
	if (what->table && schema_is_list(what->table) && what->key)
		logtext_str(&line, "cfgobj", what->key);
	end(a->logs, &event, msg, &line);
	logs_flush(a->logs);
}

void audit_command(struct audit *a, const struct audit_who *who, const char *words, size_t argc,
		   char *const argv[], int code) {
	const struct event event = {
		.id = "0100032102", .what = "Command executed", .action = "Execute", .code = code
	};
	AUTO_STR struct str line = STR_INIT, msg = STR_INIT;

	if (!is_told(a, who, code))
		return;
	str_add(&msg, words);
	for (size_t i = 0; i < argc && msg.len <= NAMES_MAX; i++)
		str_addf(&msg, " %s", argv[i]);
	cut(&msg, NAMES_MAX);
	begin(who, &event, &line);
	end(a->logs, &event, str_text(&msg), &line);
	logs_flush(a->logs);
}

void audit_line(struct audit *a, const char *refused, enum logtext_level level,
		const struct str *line) {
	if (!a || (refused && !take(a, refused)))
		return;
	logs_add(a->logs, LOGSTORE_EVENT, level, line);
	logs_flush(a->logs);
}

/* ---- backend ---- */

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct audit *a = ctx;

	(void)err;
	a->commit = commit;
	return 0;
}

static void backend_finish(void *ctx) {
	struct audit *a = ctx;

	if (a->commit->n_changes > AUDIT_OBJECTS_MAX)
		tell_count(a);
	else
		for (size_t i = 0; i < a->commit->n_changes; i++)
			tell_object(a, &a->commit->changes[i]);
	logs_flush(a->logs);
	a->commit = NULL;
}

static void backend_cancel(void *ctx) {
	struct audit *a = ctx;

	a->commit = NULL;
}

struct backend audit_backend(struct audit *a) {
	return (struct backend){
		.name = "audit",
		.prepare = backend_prepare,
		.finish = backend_finish,
		.cancel = backend_cancel,
		.ctx = a,
	};
}
