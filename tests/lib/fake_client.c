/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects of all tables in arrays, in the order in which they came. A transaction keeps a copy of
 * everything and works on the original; dropping it puts the copy back. Versions are numbers of a
 * counter, so a change by somebody else is told from one's own. Any call can be made to fail.
 */
#include "tests/lib/fake_client.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/rights.h"

struct fake_table {
	struct object **objs;
	size_t n;
};

struct fake_kind {
	const char *name;
	unsigned int calls, fails;
	int code;
	const char *text;
	const char *warning;             /* of each call that does not fail; NULL: none */
};

struct client {
	struct client_info info;
	struct fake_table *tables;       /* by table id */
	struct fake_table *before;       /* while a transaction is open */
	uint64_t revision;
	struct fake_kind kinds[15];
	void (*warn)(void *arg, const char *text);
	void *warn_arg;
	int outcome;                     /* that was told last */
	const char *endless;
	const char *command, *said;      /* what the command prints */
};

static struct fake_table *tables_copy(const struct fake_table *from) {
	struct fake_table *to = xcalloc(schema_n_tables, sizeof(*to));

	for (uint16_t t = 0; t < schema_n_tables; t++) {
		to[t].n = from[t].n;
		to[t].objs = xcalloc(from[t].n, sizeof(*to[t].objs));
		for (size_t i = 0; i < from[t].n; i++)
			to[t].objs[i] = object_copy(from[t].objs[i]);
	}
	return to;
}

static void tables_free(struct fake_table *tables) {
	for (uint16_t t = 0; tables && t < schema_n_tables; t++) {
		for (size_t i = 0; i < tables[t].n; i++)
			object_free(tables[t].objs[i]);
		free(tables[t].objs);
	}
	free(tables);
}

struct client *fake_client_new(void) {
	static const char *const names[] = {
		"put", "delete", "commit", "begin", "get", "check_ref", "check_secret", "run",
		"rename", "place", "purge", "keys", "may", "outcome", "private-key",
	};
	struct client *c = xcalloc(1, sizeof(*c));

	strcpy(c->info.hostname, "gate");
	strcpy(c->info.user, "admin");
	strcpy(c->info.version, "0.0.0");
	c->info.writes_all = true;
	c->info.verbs = RIGHTS_VERBS;
	c->tables = xcalloc(schema_n_tables, sizeof(*c->tables));
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		c->kinds[i].name = names[i];
	return c;
}

struct client *client_open(const char *path, struct err *err) {
	(void)path;
	(void)err;
	return fake_client_new();
}

void client_close(struct client *c) {
	if (!c)
		return;
	tables_free(c->tables);
	tables_free(c->before);
	free(c);
}

void client_on_warning(struct client *c, void (*warn)(void *arg, const char *text), void *arg) {
	c->warn = warn;
	c->warn_arg = arg;
}

const struct client_info *client_info(const struct client *c) {
	return &c->info;
}

void fake_client_role(struct client *c, uint8_t verbs, const uint8_t *levels) {
	c->info.writes_all = false;
	c->info.verbs = verbs;
	c->info.levels = levels;
}

/* ---- what tests look at and set ---- */

static struct fake_kind *find_kind(const struct client *c, const char *kind) {
	size_t i = 0;

	while (strcmp(c->kinds[i].name, kind) != 0)
		i++;
	return (struct fake_kind *)&c->kinds[i];
}

void fake_client_fail(struct client *c, const char *kind, unsigned int n, int code,
		      const char *text) {
	struct fake_kind *k = find_kind(c, kind);

	k->fails = n;
	k->code = code;
	k->text = text;
}

void fake_client_warn(struct client *c, const char *kind, const char *text) {
	find_kind(c, kind)->warning = text;
}

unsigned int fake_client_calls(const struct client *c, const char *kind) {
	return find_kind(c, kind)->calls;
}

/* Count a call; the error it was told to give, or 0. */
static int called(struct client *c, const char *kind, struct err *err) {
	struct fake_kind *k = find_kind(c, kind);

	k->calls++;
	if (k->fails == 0) {
		if (k->warning && c->warn)
			c->warn(c->warn_arg, k->warning);
		return 0;
	}
	k->fails--;
	return err_set(err, k->code, "%s", k->text);
}

int fake_client_outcome(const struct client *c) {
	return c->outcome;
}

void fake_client_say(struct client *c, const char *command, const char *text) {
	c->command = command;
	c->said = text;
}

size_t fake_client_count(const struct client *c, const struct schema_table *table) {
	return (c->before ? c->before : c->tables)[table->id].n;
}

/* ---- objects ---- */

static size_t find_index(const struct client *c, const struct schema_table *table,
			 const char *key) {
	const struct fake_table *t = &c->tables[table->id];
	size_t i = 0;

	while (i < t->n && strcmp(t->objs[i]->key, key) != 0)
		i++;
	return i;
}

static struct object *find_object(const struct client *c, const struct schema_table *table,
				  const char *key) {
	size_t i = find_index(c, table, key);

	return i < c->tables[table->id].n ? c->tables[table->id].objs[i] : NULL;
}

void fake_client_touch(struct client *c, const struct schema_table *table, const char *key) {
	find_object(c, table, key)->ver = ++c->revision;
}

static int check_role(const struct client *c, const struct schema_table *table, struct err *err) {
	return client_may_see(&c->info, table) ? 0 : err_set(err, ERR_DENIED, "denied");
}

int client_get(struct client *c, const struct schema_table *table, const char *key,
	       struct object **ret, struct err *err) {
	const struct object *obj = find_object(c, table, key);
	int rc = called(c, "get", err);

	if (rc == 0)
		rc = check_role(c, table, err);
	if (rc)
		return rc;
	if (!obj && schema_is_list(table))
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	*ret = obj ? object_copy(obj) : object_new(table, "");
	return 0;
}

int client_list(struct client *c, const struct schema_table *table,
		int (*each)(void *arg, struct object *obj), void *arg, struct err *err) {
	const struct fake_table *t = &c->tables[table->id];
	int rc = check_role(c, table, err);

	for (size_t i = 0; i < t->n && rc == 0; i++)
		if (each(arg, object_copy(t->objs[i])))
			break;
	return rc;
}

static int compare_keys(const void *a, const void *b) {
	const struct object *x = *(struct object *const *)a, *y = *(struct object *const *)b;

	return object_key_compare(x->table, x->key, y->key);
}

int client_keys(struct client *c, const struct schema_table *table, const char *prefix,
		uint32_t max, int (*each)(void *arg, const char *key, const char *remark),
		void *arg, struct err *err) {
	const struct fake_table *t = &c->tables[table->id];
	AUTO_FREE struct object **sorted = xcalloc(t->n, sizeof(*sorted));
	uint32_t n = 0;
	int rc = called(c, "keys", err);

	for (size_t i = 0; i < t->n; i++)
		sorted[i] = t->objs[i];
	qsort(sorted, t->n, sizeof(*sorted), compare_keys);
	for (size_t i = 0; i < t->n && n < max && rc == 0; i++) {
		if (strncmp(sorted[i]->key, prefix, strlen(prefix)) != 0)
			continue;
		if (each(arg, sorted[i]->key, object_remark(sorted[i])))
			break;
		n++;
	}
	return rc;
}

int client_check_ref(struct client *c, const struct schema_table *table, unsigned int attr,
		     const char *name, struct err *err) {
	const struct schema_attr *a = &table->attrs[attr];
	int rc = called(c, "check_ref", err);

	for (uint16_t i = 0; rc == 0 && i < a->n_refs; i++) {
		const struct schema_table *target = schema_table(a->refs[i]);

		if (find_object(c, target, name))
			return 0;
		if (strcmp(target->dotted, "system.interface") == 0 && strcmp(name, "any") == 0)
			return 0;
	}
	return rc ? rc : err_set(err, ERR_NOT_FOUND, "%s", "");
}

/* Everything is made here but what names another unit. */
int client_check_secret(struct client *c, const struct schema_table *table, unsigned int attr,
			const char *sealed, struct err *err) {
	int rc = called(c, "check_secret", err);

	(void)table;
	(void)attr;
	return rc || strncmp(sealed, "ENC foreign", 11) != 0 ? rc
							     : err_set(err, ERR_VALUE, "%s", "");
}

int client_next_id(struct client *c, const struct schema_table *table, uint64_t *ret,
		   struct err *err) {
	const struct fake_table *t = &c->tables[table->id];

	(void)err;
	*ret = 1;
	for (size_t i = 0; i < t->n; i++)
		if (strtoull(t->objs[i]->key, NULL, 10) >= *ret)
			*ret = strtoull(t->objs[i]->key, NULL, 10) + 1;
	return 0;
}

/* ---- changes ---- */

int client_begin(struct client *c, struct err *err) {
	int rc = called(c, "begin", err);

	if (rc)
		return rc;
	if (c->before)
		return err_set(err, ERR_CONFLICT, "a transaction is open");
	c->before = tables_copy(c->tables);
	return 0;
}

int client_replace_partly(struct client *c, struct err *err) {
	return client_replace(c, false, err);
}

/* A new unit has nothing here. */
int client_replace(struct client *c, bool factory, struct err *err) {
	int rc = client_begin(c, err);

	(void)factory;
	if (rc)
		return rc;
	tables_free(c->tables);
	c->tables = xcalloc(schema_n_tables, sizeof(*c->tables));
	return 0;
}

int client_abort(struct client *c, struct err *err) {
	if (!c->before)
		return err_set(err, ERR_CONFLICT, "no transaction is open");
	tables_free(c->tables);
	c->tables = c->before;
	c->before = NULL;
	return 0;
}

int client_commit(struct client *c, struct err *err) {
	return client_commit_as(c, NULL, err);
}

int client_commit_as(struct client *c, const struct client_commit *how, struct err *err) {
	int rc = called(c, "commit", err);

	(void)how;
	if (!c->before)
		return err_set(err, ERR_CONFLICT, "no transaction is open");
	if (rc) {
		client_abort(c, NULL);
		return rc;
	}
	tables_free(c->before);
	c->before = NULL;
	return 0;
}

/* A new entry whose number is taken gets the next one. */
static int put_next(struct client *c, const struct object *obj, struct err *err) {
	struct object *copy = object_copy(obj);
	uint64_t id = 0;
	char key[24];
	int rc;

	copy->ver = CLIENT_NEW;
	if (find_object(c, obj->table, obj->key)) {
		client_next_id(c, obj->table, &id, err);
		snprintf(key, sizeof(key), "%llu", (unsigned long long)id);
		object_rekey(copy, key);
		if (c->warn)
			c->warn(c->warn_arg, "it has another number");
	}
	rc = client_put(c, copy, err);
	object_free(copy);
	return rc;
}

int client_put(struct client *c, const struct object *obj, struct err *err) {
	struct fake_table *t = &c->tables[obj->table->id];
	size_t i = find_index(c, obj->table, obj->key);
	int rc;

	if (obj->ver == CLIENT_NEXT)
		return put_next(c, obj, err);
	rc = called(c, "put", err);
	if (rc)
		return rc;
	if (i < t->n && obj->ver == CLIENT_NEW)
		return err_set(err, ERR_EXISTS, "entry exists already");
	if (i < t->n ? obj->ver != t->objs[i]->ver
		     : schema_is_list(obj->table) && obj->ver != CLIENT_NEW)
		return err_set(err, ERR_LOCKED, "changed by somebody else");
	if (i == t->n) {
		if ((t->n & (t->n - 1)) == 0)
			t->objs = xreallocarray(t->objs, t->n ? t->n * 2 : 1, sizeof(*t->objs));
		t->n++;
	} else {
		object_free(t->objs[i]);
	}
	t->objs[i] = object_copy(obj);
	t->objs[i]->ver = ++c->revision;
	return 0;
}

struct use {
	const struct object *target;
	unsigned int count;
};

static int count_use(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	const struct schema_attr *a = &holder->table->attrs[attr];
	struct use *use = arg;

	for (uint16_t i = 0; i < a->n_refs; i++)
		use->count +=
			a->refs[i] == use->target->table->id && strcmp(name, use->target->key) == 0;
	return 0;
}

int client_delete(struct client *c, const struct schema_table *table, const char *key,
		  struct err *err) {
	struct fake_table *t = &c->tables[table->id];
	size_t at = find_index(c, table, key);
	struct use use = { at < t->n ? t->objs[at] : NULL, 0 };
	int rc = called(c, "delete", err);

	if (rc)
		return rc;
	if (!use.target)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	for (uint16_t i = 0; i < schema_n_tables; i++)
		for (size_t n = 0; n < c->tables[i].n; n++)
			object_each_ref(c->tables[i].objs[n], count_use, &use);
	if (use.count)
		return err_set(err, ERR_IN_USE, "The entry is used by other %u entries", use.count);
	object_free(t->objs[at]);
	t->n--;
	memmove(&t->objs[at], &t->objs[at + 1], (t->n - at) * sizeof(*t->objs));
	return 0;
}

/* References to an entry, in holder and what is nested in it, get another name. */
static void follow(struct object *holder, const struct schema_table *table, const char *from,
		   const char *to) {
	for (uint32_t f = 0; f < holder->n_fields; f++) {
		const struct schema_attr *a = &holder->table->attrs[holder->fields[f].attr];
		struct value *v = &holder->fields[f].value;

		for (uint32_t i = 0; i < v->n; i++) {
			if (a->type == ATTR_CHILD)
				follow(value_item(v, i)->entry, table, from, to);
			for (uint16_t r = 0; r < a->n_refs; r++)
				if (a->refs[r] == table->id &&
				    strcmp(value_item(v, i)->str, from) == 0)
					value_replace_item(a, v, i,
							   (union item){ .str = xstrdup(to) });
		}
	}
}

int client_rename(struct client *c, const struct schema_table *table, const char *key,
		  const char *to, struct err *err) {
	struct object *obj = find_object(c, table, key);
	int rc = called(c, "rename", err);

	if (rc)
		return rc;
	if (!obj)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	if (find_object(c, table, to))
		return err_set(err, ERR_EXISTS, "entry exists already");
	object_rekey(obj, to);
	for (uint16_t i = 0; i < schema_n_tables; i++)
		for (size_t n = 0; n < c->tables[i].n; n++)
			follow(c->tables[i].objs[n], table, key, to);
	return 0;
}

int client_place(struct client *c, const struct schema_table *table, const char *key, bool before,
		 const char *other, struct err *err) {
	struct fake_table *t = &c->tables[table->id];
	size_t from = find_index(c, table, key), at = find_index(c, table, other);
	int rc = called(c, "place", err);
	struct object *obj;

	if (rc)
		return rc;
	if (from == t->n || at == t->n)
		return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
	obj = t->objs[from];
	memmove(&t->objs[from], &t->objs[from + 1], (t->n - from - 1) * sizeof(obj));
	at = at + !before - (from < at);
	memmove(&t->objs[at + 1], &t->objs[at], (t->n - at - 1) * sizeof(obj));
	t->objs[at] = obj;
	return 0;
}

int client_purge(struct client *c, const struct schema_table *table, struct err *err) {
	struct fake_table *t = &c->tables[table->id];
	int rc = called(c, "purge", err);

	for (; rc == 0 && t->n > 0; t->n--)
		object_free(t->objs[t->n - 1]);
	return rc;
}

int client_private_key(struct client *c, const char *digits, bool at_once, struct err *err) {
	(void)digits;
	(void)at_once;
	return called(c, "private-key", err);
}

void fake_client_endless(struct client *c, const char *word) {
	c->endless = word;
}

int client_run(struct client *c, size_t n_words, char *const words[],
	       const struct client_output *out, struct err *err) {
	static const char last[] = "enough\n";
	AUTO_STR struct str line = STR_INIT;
	int rc = called(c, "run", err);

	if (rc)
		return rc;
	for (size_t i = 0; i < n_words; i++)
		str_addf(&line, "%s%s", i ? " " : "", words[i]);
	if (c->command && strcmp(str_text(&line), c->command) == 0) {
		out->text(out->arg, c->said, strlen(c->said));
		return 0;
	}
	str_add_char(&line, '\n');
	out->text(out->arg, line.data, line.len);
	if (!c->endless || strcmp(words[0], c->endless) != 0)
		return 0;
	while (!out->enough(out->arg))
		sched_yield();
	out->last(out->arg, last, strlen(last));
	return 0;
}

int client_may(struct client *c, size_t n_words, char *const words[], struct err *err) {
	(void)n_words;
	(void)words;
	return called(c, "may", err);
}

int client_outcome(struct client *c, int code, struct err *err) {
	c->outcome = code;
	return called(c, "outcome", err);
}
