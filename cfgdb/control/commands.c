/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `get system status` keeps to the lines that programs which parse it know: one line more and
 * their templates fail. Where-used answers come from the model's index, unenforced settings from
 * the schema's `stored` flags.
 */
#include "cfgdb/control/commands.h"

#include <string.h>
#include <time.h>

#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/version.h"
#include "cfgdb/rights.h"

/* ---- get system status ---- */

static void status_text(const struct engine *e, const char *now, struct str *out) {
	str_addf(out, "Version: %s v%s,build%s,%s (GA)\n", VERSION_PRODUCT, VERSION_RELEASE,
		 VERSION_BUILD, VERSION_DATE);
	str_addf(out, "Serial-Number: %s\n", e->serial);
	str_addf(out, "Hostname: %s\n", engine_hostname(e));
	str_add(out, "Operation Mode: NAT\n"
		     "Current virtual domain: root\n"
		     "Max number of virtual domains: 1\n"
		     "Virtual domains status: 1 in NAT mode, 0 in TP mode\n"
		     "Virtual domain configuration: disable\n"
		     "FIPS-CC mode: disable\n"
		     "Current HA mode: standalone\n");
	str_addf(out, "Branch point: %s\nRelease Version Information: GA\nSystem time: %s\n",
		 VERSION_BUILD, now);
}

static void status_json(const struct engine *e, const char *now, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_text(&j, "model", VERSION_PRODUCT);
	json_put_textf(&j, "version", "v%s", VERSION_RELEASE);
	json_put_text(&j, "build", VERSION_BUILD);
	json_put_text(&j, "build_date", VERSION_DATE);
	json_put_text(&j, "serial", e->serial);
	json_put_text(&j, "hostname", engine_hostname(e));
	json_put_text(&j, "operation_mode", "NAT");
	json_put_text(&j, "virtual_domain", "root");
	json_put_text(&j, "ha_mode", "standalone");
	json_put_text(&j, "system_time", now);
	json_put_u64(&j, "revision", e->revision);
	json_put_end(&j);
}

static int status_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	const struct engine *e = ctx;
	time_t now = time(NULL);
	struct tm tm;
	char text[64];

	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	localtime_r(&now, &tm);
	strftime(text, sizeof(text), "%a %b %e %H:%M:%S %Y", &tm);
	if (call->json)
		status_json(e, text, out);
	else
		status_text(e, text, out);
	return 0;
}

/* ---- diagnose sys vd list ---- */

static int vd_list_run(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	(void)ctx;
	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	str_add(out, call->json ? "[\n{\"name\":\"root\",\"index\":0,\"enabled\":true}\n]\n"
				: "list virtual firewall info:\nname=root index=0 enabled\n");
	return 0;
}

/* ---- diagnose sys cmdb refcnt show TABLE[.KEY-ATTRIBUTE] NAME ---- */

/* "firewall.address", "firewall.address.name", "firewall.address:name". */
static const struct schema_table *refcnt_table(const char *word) {
	AUTO_FREE char *copy = xstrdup(word);
	const struct schema_table *table = schema_find(copy);
	char *cut = strrchr(copy, ':');

	if (table)
		return table;
	if (!cut)
		cut = strrchr(copy, '.');
	if (!cut)
		return NULL;
	*cut = '\0';
	table = schema_find(copy);
	if (!table || !schema_is_list(table) || strcmp(table->attrs[0].name, cut + 1) != 0)
		return NULL;
	return table;
}

/* Who refers to an entry: lines of text, or members of an open array. */
struct users {
	const struct command_call *call;
	struct str *text;
	struct json *json;       /* NULL: it is to be text */
};

static int refcnt_user(void *arg, const struct object *holder, const struct schema_attr *attr) {
	const struct users *u = arg;

	if (!command_may_see(u->call, holder->table))
		return 0;
	if (u->json) {
		json_put_object(u->json, NULL);
		json_put_text(u->json, "table", holder->table->dotted);
		json_put_text(u->json, "key", holder->key);
		json_put_text(u->json, "attribute", attr->name);
		json_put_end(u->json);
		return 0;
	}
	str_addf(u->text, "entry used by table %s", holder->table->dotted);
	if (schema_is_list(holder->table))
		str_addf(u->text, ":%s '%s'", holder->table->attrs[0].name, holder->key);
	str_add_char(u->text, '\n');
	return 0;
}

static int refcnt_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct json j = json_put_begin(out);
	struct users users = { call, out, call->json ? &j : NULL };
	const struct schema_table *table;
	const struct object *obj;

	(void)ctx;
	if (call->argc < 2)
		return err_set(err, ERR_INCOMPLETE, "\nincomplete command in the end");
	table = refcnt_table(call->argv[0]);
	if (!table || call->argc > 2)
		return command_bad_word(call->argv[table ? 2 : 0], err);
	if (!command_may_see(call, table))
		return rights_refuse_table(table->path, RIGHTS_READ, err);
	obj = model_find(call->model, table, call->argv[1]);
	if (!obj)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (call->json)
		json_put_array(&j, NULL);
	model_each_user(call->model, obj, refcnt_user, &users);
	if (call->json)
		json_put_end(&j);
	return 0;
}

/* ---- diagnose config unenforced ---- */

static void unenforced_place(const struct object *obj, struct str *out) {
	str_add(out, obj->table->path);
	if (schema_is_list(obj->table))
		str_addf(out, " %s", obj->key);
	str_add_char(out, ':');
}

/* The value of an enforced option attribute that is itself not enforced, or NULL. */
static const char *unenforced_value(const struct schema_attr *a, const struct value *v) {
	for (uint32_t i = 0; a->type == ATTR_OPTION && i < v->n; i++)
		if (a->options[value_item(v, i)->num].stored)
			return a->options[value_item(v, i)->num].name;
	return NULL;
}

/* Append the names of unenforced attributes that are set in obj and below. */
static size_t unenforced_names(const struct object *obj, const char *prefix, struct str *out) {
	size_t n = 0;

	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct schema_attr *a = &obj->table->attrs[obj->fields[f].attr];
		const char *word = unenforced_value(a, &obj->fields[f].value);

		if (a->type == ATTR_CHILD && !schema_is_stored(a)) {
			AUTO_FREE char *below = xasprintf("%s%s>", prefix, a->name);

			for (uint32_t i = 0; i < obj->fields[f].value.n; i++)
				n += unenforced_names(value_item(&obj->fields[f].value, i)->entry,
						      below, out);
		} else if (schema_is_stored(a)) {
			str_addf(out, " %s%s", prefix, a->name);
			n++;
		} else if (word) {
			str_addf(out, " %s%s=%s", prefix, a->name, word);
			n++;
		}
	}
	return n;
}

/* The names behind each blank as members of an array. */
static void unenforced_json(const struct object *obj, const char *names, struct json *j) {
	json_put_object(j, NULL);
	json_put_text(j, "table", obj->table->dotted);
	json_put_text(j, "key", obj->key);
	json_put_bool(j, "whole", *names == '\0');
	json_put_array(j, "attributes");
	while (*names) {
		size_t len = strcspn(names + 1, " ");

		json_put_textf(j, NULL, "%.*s", (int)len, names + 1);
		names += 1 + len;
	}
	json_put_end(j);
	json_put_end(j);
}

static void unenforced_object(const struct object *obj, struct json *j, struct str *out) {
	bool whole = obj->table->flags & TABLE_STORED;
	AUTO_STR struct str names = STR_INIT;

	if (obj->ver == 0) /* shipped or found, not set by anyone */
		return;
	if (!whole && unenforced_names(obj, "", &names) == 0)
		return;
	if (j) {
		unenforced_json(obj, str_text(&names), j);
		return;
	}
	unenforced_place(obj, out);
	str_addf(out, "%s\n", whole ? " the whole object" : str_text(&names));
}

static int unenforced_run(void *ctx, const struct command_call *call, struct str *out,
			  struct err *err) {
	struct json j = json_put_begin(out);

	(void)ctx;
	if (command_no_words(call, err) != 0)
		return ERR_PARSE;
	if (call->json)
		json_put_array(&j, NULL);
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		if (!command_may_see(call, table))
			continue;
		for (const struct object *obj = model_first(call->model, table); obj;
		     obj = model_next(call->model, obj))
			unenforced_object(obj, call->json ? &j : NULL, out);
	}
	if (call->json)
		json_put_end(&j);
	return 0;
}

const struct command *commands_config(size_t *n) {
	static const struct command table[] = {
		{ .words = "get system status", .reads = "any",
		  .run = status_run, .has_json = true },
		{ .words = "diagnose sys vd list", .reads = "any",
		  .run = vd_list_run, .has_json = true },
		{ .words = "diagnose sys cmdb refcnt show", .reads = "any",
		  .run = refcnt_run, .has_json = true },
		{ .words = "diagnose config unenforced", .reads = "any",
		  .run = unenforced_run, .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
