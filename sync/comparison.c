/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First the digests of all tables are asked of both, then of each table that differs the digests of
 * its objects, then the objects that differ, some at a time. Each answer is of one moment, and time
 * passes between them: when the revision of a side grows meanwhile, the last line says so.
 *
 * The other member is authenticated, not trusted: what it sends is bounded here, and an object that
 * was not asked for ends the comparison.
 */
#include "sync/comparison.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "sync/autoscale_index.h"

#define OBJECTS_MAX 16                   /* in a question */
#define INDEX_BYTES_MAX ((size_t)32 << 20) /* that one table's index may take here */

enum step { TABLES, INDEX, OBJECTS, END };

/* Names that are still to be dealt with, from `at` on. */
struct names {
	char **name;
	size_t n, at;
};

struct comparison {
	char own[MEMBER_SERIAL], other[MEMBER_SERIAL];
	enum step step;
	bool theirs_next;            /* the other one is to be asked, this unit has answered */
	struct autoscale_index ours, theirs;
	struct names tables, keys;   /* that differ; keys of the current table */
	struct operation held[OBJECTS_MAX];  /* ours */
	uint32_t n_held;
	struct buf list;             /* of the question */
	uint64_t revision[2];
	bool has_changed;
	unsigned int found;
};

static void names_done(struct names *names) {
	for (size_t i = 0; i < names->n; i++)
		free(names->name[i]);
	free(names->name);
	*names = (struct names){ .n = 0 };
}

static void names_add(struct names *names, const char *name) {
	names->name = xreallocarray(names->name, names->n + 1, sizeof(*names->name));
	names->name[names->n++] = xstrdup(name);
}

static void drop_held(struct comparison *c) {
	for (uint32_t i = 0; i < c->n_held; i++)
		operation_done(&c->held[i]);
	c->n_held = 0;
}

static void drop_indexes(struct comparison *c) {
	autoscale_index_done(&c->ours);
	autoscale_index_done(&c->theirs);
}

struct comparison *comparison_new(const char *own, const char *other) {
	struct comparison *c = xcalloc(1, sizeof(*c));

	snprintf(c->own, sizeof(c->own), "%s", own);
	snprintf(c->other, sizeof(c->other), "%s", other);
	return c;
}

struct comparison *comparison_free(struct comparison *c) {
	if (!c)
		return NULL;
	drop_held(c);
	drop_indexes(c);
	names_done(&c->tables);
	names_done(&c->keys);
	buf_done(&c->list);
	free(c);
	return NULL;
}

/* ---- questions ---- */

static const char *this_table(const struct comparison *c) {
	return c->tables.name[c->tables.at];
}

static void ask_index(struct comparison *c, struct autoscale_message *question) {
	const struct autoscale_index *x = c->theirs_next ? &c->theirs : &c->ours;

	question->type = AUTOSCALE_ASK_INDEX;
	snprintf(question->table, sizeof(question->table), "%s", this_table(c));
	if (x->n > 0)
		snprintf(question->after, sizeof(question->after), "%s", x->entry[x->n - 1].name);
}

/* Of the other one, those that this unit has told. */
static void ask_objects(struct comparison *c, struct autoscale_message *question) {
	size_t n = c->theirs_next ? c->n_held : c->keys.n - c->keys.at;

	n = n < OBJECTS_MAX ? n : OBJECTS_MAX;
	buf_done(&c->list);
	for (size_t i = 0; i < n; i++)
		autoscale_message_put_key(&c->list, this_table(c), c->keys.name[c->keys.at + i]);
	question->type = AUTOSCALE_ASK_OBJECTS;
	question->n = (uint32_t)n;
	buf_reader_init(&question->list, c->list.data, c->list.len);
}

bool comparison_ask(struct comparison *c, const char **serial, struct autoscale_message *question) {
	*serial = c->theirs_next ? c->other : c->own;
	*question = (struct autoscale_message){ .type = AUTOSCALE_ASK_TABLES };
	if (c->step == INDEX)
		ask_index(c, question);
	else if (c->step == OBJECTS)
		ask_objects(c, question);
	return c->step != END;
}

/* ---- the end ---- */

static void finish(struct comparison *c, const char *why, struct str *out) {
	c->step = END;
	if (why)
		str_addf(out, "cannot be compared: %s\n", why);
	else if (c->found >= COMPARISON_MAX)
		str_addf(out, "%u differences, and there may be more\n", c->found);
	else if (c->found > 0)
		str_addf(out, "%u difference%s\n", c->found, c->found > 1 ? "s" : "");
	else
		str_add(out, "equal\n");
	if (c->has_changed && !why)
		str_add(out, "the configuration has changed meanwhile: ask again\n");
}

/* ---- names and digests ---- */

static bool add_list(struct autoscale_index *x, const struct autoscale_message *answer) {
	struct buf_reader list = answer->list;
	struct autoscale_digest item;

	for (uint32_t i = 0; i < answer->n && x->bytes < INDEX_BYTES_MAX; i++) {
		autoscale_message_get_digest(&list, &item);
		autoscale_index_add(x, item.name, item.digest);
	}
	return x->bytes < INDEX_BYTES_MAX;
}

/* Key "" is that of the whole table. */
static void put_found(struct comparison *c, const char *key, const char *what, struct str *out) {
	comparison_put(this_table(c), out);
	if (*key) {
		str_add_char(out, ' ');
		comparison_put(key, out);
	}
	str_addf(out, ": %s\n", what);
	c->found++;
}

static void put_moved(struct comparison *c, const char *key, struct str *out) {
	if (c->step != INDEX || c->found >= COMPARISON_MAX)
		return;
	put_found(c, key, "stands at another place", out);
}

/* What differs by name; of entries of a table also what has another place. */
static void join(struct comparison *c, struct names *ret, struct str *out) {
	struct autoscale_plan plan;

	autoscale_plan_make(&plan, &c->theirs, &c->ours);
	for (size_t i = 0; i < c->ours.n; i++)
		if (plan.deleted[i])
			names_add(ret, c->ours.entry[i].name);
	for (size_t i = 0; i < c->theirs.n; i++) {
		if (plan.theirs[i] == AUTOSCALE_FETCH)
			names_add(ret, c->theirs.entry[i].name);
		else if (plan.theirs[i] == AUTOSCALE_MOVE)
			put_moved(c, c->theirs.entry[i].name, out);
	}
	autoscale_plan_done(&plan);
	drop_indexes(c);
}

static void begin_table(struct comparison *c, struct str *out) {
	names_done(&c->keys);
	c->theirs_next = false;
	c->step = INDEX;
	if (c->tables.at >= c->tables.n || c->found >= COMPARISON_MAX)
		finish(c, NULL, out);
}

static void next_table(struct comparison *c, struct str *out) {
	c->tables.at++;
	begin_table(c, out);
}

static void take_tables(struct comparison *c, struct str *out) {
	join(c, &c->tables, out);
	begin_table(c, out);
}

static void take_index(struct comparison *c, struct str *out) {
	unsigned int before = c->found;

	join(c, &c->keys, out);
	c->step = OBJECTS;
	if (c->keys.n > 0 && c->found < COMPARISON_MAX)
		return;
	if (c->found == before)
		put_found(c, "", "differs", out);
	next_table(c, out);
}

static void take_list(struct comparison *c, const struct autoscale_message *answer,
		      struct str *out) {
	if (!add_list(c->theirs_next ? &c->theirs : &c->ours, answer)) {
		finish(c, "there is too much of it", out);
		return;
	}
	if (answer->more && answer->n > 0)
		return;
	c->theirs_next = !c->theirs_next;
	if (c->theirs_next)
		return;
	if (c->step == TABLES)
		take_tables(c, out);
	else
		take_index(c, out);
}

/* ---- objects ---- */

static bool is_asked(const struct comparison *c, const struct operation *o, uint32_t i) {
	return c->keys.at + i < c->keys.n && strcmp(o->table, this_table(c)) == 0 &&
	       strcmp(o->key, c->keys.name[c->keys.at + i]) == 0;
}

/* A side may answer with less than was asked for: what does not fit in a message is left out. */
static void go_on(struct comparison *c, uint32_t done, struct str *out) {
	c->theirs_next = false;
	drop_held(c);
	if (done == 0) {
		put_found(c, c->keys.name[c->keys.at], "differs, and is too long to be compared",
			  out);
		done = 1;
	}
	c->keys.at += done;
	if (c->keys.at >= c->keys.n || c->found >= COMPARISON_MAX)
		next_table(c, out);
}

static bool take_one(struct comparison *c, const struct operation *o, uint32_t i,
		     struct str *out) {
	if (!is_asked(c, o, i))
		return false;
	c->found += comparison_objects(&c->held[i], o, COMPARISON_MAX - c->found, out);
	return true;
}

static void take_theirs(struct comparison *c, const struct autoscale_message *answer,
			struct str *out) {
	struct buf_reader list = answer->list;
	uint32_t n = answer->n < c->n_held ? answer->n : c->n_held;
	bool right = true;

	for (uint32_t i = 0; i < n && right; i++) {
		struct operation o;

		operation_decode(&o, &list);
		right = take_one(c, &o, i, out);
		operation_done(&o);
	}
	if (right)
		go_on(c, n, out);
	else
		finish(c, "an object came that was not asked for", out);
}

static void take_ours(struct comparison *c, const struct autoscale_message *answer,
		      struct str *out) {
	struct buf_reader list = answer->list;

	for (c->n_held = 0; c->n_held < answer->n && c->n_held < OBJECTS_MAX; c->n_held++)
		operation_decode(&c->held[c->n_held], &list);
	c->theirs_next = c->n_held > 0;
	if (c->n_held == 0)
		go_on(c, 0, out);
}

void comparison_take(struct comparison *c, const struct autoscale_message *answer, const char *why,
		     struct str *out) {
	uint64_t *revision = &c->revision[c->theirs_next];

	if (!answer) {
		finish(c, why, out);
		return;
	}
	c->has_changed = c->has_changed || (*revision != 0 && *revision != answer->revision);
	*revision = answer->revision;
	if (c->step != OBJECTS)
		take_list(c, answer, out);
	else if (c->theirs_next)
		take_theirs(c, answer, out);
	else
		take_ours(c, answer, out);
}
