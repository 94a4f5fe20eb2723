/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The commands are found by carrying them out: each object that differs is put, or deleted, in
 * `from` as soon as the checks of a put allow it, and said then. Puts come first, in the order in
 * which tables refer to each other, then deletions the other way round; what is refused waits for
 * the rest. So references, names, addresses and the rules of tables need no thought here.
 *
 * Two that wait for each other (policies that exchange their names, a zone and the policies that
 * named what it takes) are helped by a step between: an object first gives up all that it may; if
 * that is not enough, what is in the way is deleted with all that refers to it, and made anew.
 * Entries of ordered tables are moved last.
 */
#include "cfgdb/difference.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/check.h"
#include "cfgdb/model/entry_lines.h"
#include "cfgdb/model/moves.h"
#include "cfgdb/txn_impl.h"
#include "schemas/schema_gen.h"

#define TEAR_DEPTH_MAX 32 /* references in a row */
#define STEP_COMMENT   "# What follows passes through steps between: use gatehouse --atomic.\n"

/* One object that is not yet as it is to be. */
struct task {
	const struct schema_table *table;
	char *key;
	bool done;
	bool loosened, torn; /* a step between was taken, or tried */
};

struct plan {
	struct txn *at; /* what has been carried out */
	const struct txn *to;
	struct task *task; /* n of them, by table and key */
	size_t n, size, left;
	uint16_t *rank;			 /* of each table, by its id */
	const struct schema_table *open; /* the table of the last `config`, or NULL */
	bool stepped;
	struct str *out;
};

/* ---- what differs ---- */

static const struct object *goal_of(const struct plan *p, const struct task *i) {
	return txn_find(p->to, i->table, i->key);
}

static const struct object *object_at(const struct plan *p, const struct task *i) {
	return txn_find(p->at, i->table, i->key);
}

static void add_task(struct plan *p, const struct schema_table *table, const char *key) {
	if (p->n == p->size) {
		p->size = p->size ? p->size * 2 : 64;
		p->task = xreallocarray(p->task, p->size, sizeof(*p->task));
	}
	p->task[p->n++] = (struct task){ .table = table, .key = xstrdup(key) };
	p->left++;
}

static void add_if_differs(struct plan *p, const struct staged *s) {
	const struct object *a = txn_find(p->at, s->table, s->key);
	const struct object *b = txn_find(p->to, s->table, s->key);

	if (a && b ? !object_equal(a, b) : a || b)
		add_task(p, s->table, s->key);
}

static void collect(struct plan *p) {
	const struct staged *s;

	TAILQ_FOREACH(s, &p->to->order, next)
		add_if_differs(p, s);
	TAILQ_FOREACH(s, &p->at->order, next)
		if (!txn_find_staged(p->to, s->table, s->key))
			add_if_differs(p, s);
}

static int compare_task(const void *a, const void *b, void *arg) {
	const struct task *x = a, *y = b;
	const struct plan *p = arg;

	if (x->table != y->table)
		return p->rank[x->table->id] < p->rank[y->table->id] ? -1 : 1;
	return object_key_compare(x->table, x->key, y->key);
}

/* ---- commands ---- */

static void close_table(struct plan *p) {
	if (p->open)
		str_add(p->out, "end\n");
	p->open = NULL;
}

static void open_table(struct plan *p, const struct schema_table *table) {
	if (p->open == table && schema_is_list(table))
		return;
	close_table(p);
	str_addf(p->out, "config %s\n", table->path);
	p->open = table;
}

static void say_key(struct plan *p, const char *verb, const struct schema_table *table,
		    const char *key) {
	str_addf(p->out, "    %s ", verb);
	entry_lines_key(table, key, p->out);
}

/* What turns the object that is there, if any, into obj. */
static void say_put(struct plan *p, const struct object *there, const struct object *obj) {
	bool is_list = schema_is_list(obj->table);
	struct object *from = there ? object_copy(there) : object_new(obj->table, obj->key);
	AUTO_STR struct str lines = STR_INIT;

	entry_lines(from, obj, is_list ? 2 : 1, &lines);
	object_free(from);
	if (lines.len == 0 && (there || !is_list))
		return;
	open_table(p, obj->table);
	if (is_list) {
		say_key(p, "edit", obj->table, obj->key);
		str_add_char(p->out, '\n');
	}
	str_add(p->out, str_text(&lines));
	if (is_list)
		str_add(p->out, "    next\n");
	else
		close_table(p);
}

static void say_delete(struct plan *p, const struct object *obj) {
	struct object *none;

	if (!schema_is_list(obj->table)) {
		none = object_new(obj->table, obj->key);
		say_put(p, obj, none);
		object_free(none);
		return;
	}
	open_table(p, obj->table);
	say_key(p, "delete", obj->table, obj->key);
	str_add_char(p->out, '\n');
}

/* The object without what it need not have and will not keep. */
static struct object *loose(const struct object *there, const struct object *goal) {
	struct object *obj = object_copy(there ? there : goal);

	for (unsigned int a = 0; a < obj->table->n_attrs; a++) {
		const struct schema_attr *attr = &obj->table->attrs[a];
		const struct value *x = there ? object_get(there, a) : NULL;
		const struct value *y = object_get(goal, a);

		if (!(attr->flags & (ATTR_REQUIRED | ATTR_KEY)) &&
		    !(x && y && value_equal(attr, x, y)))
			object_unset(obj, a);
	}
	object_normalize(obj);
	return obj;
}

static int is_own_key(void *arg, const struct object *holder, unsigned int attr, const char *name) {
	const struct object *obj = arg;
	const struct schema_attr *a = &holder->table->attrs[attr];

	for (unsigned int i = 0; i < a->n_refs && strcmp(name, obj->key) == 0; i++)
		if (a->refs[i] == obj->table->id)
			return 1;
	return 0;
}

/* Commands are said and carried out; checks were made before. */
static void put_at_once(struct plan *p, const struct object *obj) {
	say_put(p, txn_find(p->at, obj->table, obj->key), obj);
	txn_stage(p->at, obj->table, obj->key, object_copy(obj), 0);
}

/* What names itself must be there before it can. */
static void put(struct plan *p, const struct object *obj) {
	struct object *first = NULL;

	if (!txn_find(p->at, obj->table, obj->key) &&
	    object_each_ref(obj, is_own_key, (void *)obj) != 0)
		first = loose(NULL, obj);
	if (first)
		put_at_once(p, first);
	object_free(first);
	put_at_once(p, obj);
}

static void delete (struct plan *p, const struct object *obj) {
	const struct schema_table *table = obj->table;
	AUTO_FREE char *key = xstrdup(obj->key);

	say_delete(p, obj);
	txn_stage(p->at, table, key, NULL, 0);
}

static void finish(struct plan *p, struct task *i) {
	i->done = true;
	p->left--;
}

/* ---- the ways to go on; each says whether it got anywhere ---- */

static bool put_all(struct plan *p) {
	size_t left = p->left;

	for (size_t n = 0; n < p->n; n++) {
		struct task *i = &p->task[n];
		const struct object *goal = i->done ? NULL : goal_of(p, i);

		if (!goal || check_object(p->at, goal, NULL) != 0)
			continue;
		put(p, goal);
		finish(p, i);
	}
	return p->left < left;
}

static bool delete_all(struct plan *p) {
	size_t left = p->left;

	for (size_t n = p->n; n-- > 0;) {
		struct task *i = &p->task[n];
		const struct object *obj = i->done || goal_of(p, i) ? NULL : object_at(p, i);

		if (!obj || check_delete(p->at, obj, NULL) != 0)
			continue;
		delete (p, obj);
		finish(p, i);
	}
	return p->left < left;
}

static void say_stepped(struct plan *p) {
	if (p->stepped)
		return;
	close_table(p);
	str_add(p->out, STEP_COMMENT);
	p->stepped = true;
}

static bool loosen(struct plan *p) {
	for (size_t n = 0; n < p->n; n++) {
		struct task *i = &p->task[n];
		const struct object *goal = i->done || i->loosened ? NULL : goal_of(p, i);
		const struct object *there = object_at(p, i);
		struct object *obj = goal ? loose(there, goal) : NULL;
		bool helps = obj && !(there && object_equal(there, obj)) &&
			     check_object(p->at, obj, NULL) == 0;

		i->loosened = true;
		if (helps) {
			say_stepped(p);
			put(p, obj);
		}
		object_free(obj);
		if (helps)
			return true;
	}
	return false;
}

/* ---- deleting what is in the way, to make it anew ---- */

static int take_user(void *arg, const struct object *holder, const struct schema_attr *attr) {
	(void)attr;
	*(const struct object **)arg = holder;
	return 1;
}

/* What is not to stay may go earlier; an interface that is to stay is never deleted. */
static bool may_tear(const struct plan *p, const struct schema_table *table, const char *key) {
	return schema_is_list(table) &&
	       (table->id != TBL_SYSTEM_INTERFACE || !txn_find(p->to, table, key));
}

static bool tear_object(struct plan *p, const struct schema_table *table, const char *key,
			unsigned int depth);

/* Users are looked for again after each, for they may name each other. */
static bool tear_users(struct plan *p, const struct schema_table *table, const char *key,
		       unsigned int depth) {
	const struct object *obj, *user;

	while ((obj = txn_find(p->at, table, key)) != NULL) {
		if (txn_each_user(p->at, obj, take_user, &user) == 0)
			return true;
		if (!tear_object(p, user->table, user->key, depth + 1))
			return false;
	}
	return false;
}

static void want_again(struct plan *p, const struct schema_table *table, const char *key) {
	for (size_t n = 0; n < p->n; n++) {
		struct task *i = &p->task[n];

		if (i->table != table || strcmp(i->key, key) != 0)
			continue;
		p->left += i->done;
		i->done = false;
		i->torn = true;
		return;
	}
	add_task(p, table, key);
	p->task[p->n - 1].torn = true;
}

static bool tear_object(struct plan *p, const struct schema_table *table, const char *key,
			unsigned int depth) {
	AUTO_FREE char *name = xstrdup(key);
	const struct object *obj;

	if (!may_tear(p, table, key) || depth > TEAR_DEPTH_MAX ||
	    !tear_users(p, table, name, depth))
		return false;
	obj = txn_find(p->at, table, name);
	if (!obj || check_delete(p->at, obj, NULL) != 0)
		return false;
	say_stepped(p);
	delete (p, obj);
	want_again(p, table, name);
	return true;
}

static bool tear(struct plan *p) {
	for (size_t n = 0; n < p->n; n++) {
		struct task *i = &p->task[n];

		if (i->done || i->torn || !object_at(p, i))
			continue;
		i->torn = true;
		if (!tear_object(p, i->table, i->key, 0))
			continue;
		qsort_r(p->task, p->n, sizeof(*p->task), compare_task, p);
		return true;
	}
	return false;
}

/* Nothing helps: it is said as it is, with what is against it. */
static void say_rest(struct plan *p) {
	for (size_t n = 0; n < p->n; n++) {
		const struct task *i = &p->task[n];
		const struct object *goal = goal_of(p, i), *there = object_at(p, i);
		struct err err = { 0 };

		if (i->done || !(goal || there))
			continue;
		close_table(p);
		if ((goal ? check_object(p->at, goal, &err) : check_delete(p->at, there, &err)) !=
		    0)
			str_addf(p->out, "# This would be refused: %.*s\n",
				 (int)strcspn(err.text, "\n"), err.text);
		if (goal)
			put(p, goal);
		else
			delete (p, there);
	}
}

static void put_and_delete(struct plan *p) {
	while (p->left > 0)
		if (!put_all(p) && !delete_all(p) && !loosen(p) && !tear(p)) {
			say_rest(p);
			return;
		}
}

/* ---- order ---- */

struct sequence {
	const struct object **entry; /* n of them */
	size_t n;
};

static int add_entry(void *arg, const struct object *obj) {
	struct sequence *s = arg;

	if ((s->n & (s->n - 1)) == 0)
		s->entry =
			xreallocarray(s->entry, s->n ? s->n * 2 : 1, sizeof(const struct object *));
	s->entry[s->n++] = obj;
	return 0;
}

/* The numbers of present entries by key. */
static int compare_entry(const void *a, const void *b, void *arg) {
	const struct sequence *s = arg;
	const struct object *x = s->entry[*(const size_t *)a], *y = s->entry[*(const size_t *)b];

	return object_key_compare(x->table, x->key, y->key);
}

/* from[i]: where the entry that is to be number i stands now; both hold the same keys. */
static void find_places(const struct sequence *now, const struct sequence *goal, size_t *from) {
	AUTO_FREE size_t *a = xcalloc(now->n + 1, sizeof(*a));
	AUTO_FREE size_t *b = xcalloc(goal->n + 1, sizeof(*b));

	for (size_t i = 0; i < goal->n; i++)
		a[i] = b[i] = i;
	qsort_r(a, now->n, sizeof(*a), compare_entry, (void *)now);
	qsort_r(b, goal->n, sizeof(*b), compare_entry, (void *)goal);
	for (size_t i = 0; i < goal->n; i++)
		from[b[i]] = a[i];
}

static void say_move(struct plan *p, const char *key, const char *where, const char *other,
		     const struct schema_table *table) {
	open_table(p, table);
	say_key(p, "move", table, key);
	str_addf(p->out, " %s ", where);
	entry_lines_key(table, other, p->out);
	str_add_char(p->out, '\n');
}

/* The first one that moves to the front is told to go before the one that stands there. */
static void move_entries(struct plan *p, const struct schema_table *table,
			 const struct sequence *now, const struct sequence *goal) {
	AUTO_FREE size_t *from = xcalloc(goal->n + 1, sizeof(*from));
	AUTO_FREE bool *moves = xcalloc(goal->n + 1, sizeof(*moves));

	find_places(now, goal, from);
	moves_find(from, goal->n, moves);
	for (size_t i = 0; i < goal->n; i++)
		if (moves[i] && i > 0)
			say_move(p, goal->entry[i]->key, "after", goal->entry[i - 1]->key, table);
		else if (moves[i])
			say_move(p, goal->entry[i]->key, "before", now->entry[0]->key, table);
}

static void order_table(struct plan *p, const struct schema_table *table) {
	struct sequence now = { 0 }, goal = { 0 };

	txn_each(p->at, table, add_entry, &now);
	txn_each(p->to, table, add_entry, &goal);
	if (now.n == goal.n)
		move_entries(p, table, &now, &goal);
	free(now.entry);
	free(goal.entry);
}

/* ---- what commands cannot say ---- */

static void say_row(struct plan *p, const struct row *row) {
	close_table(p);
	str_addf(p->out, "# %s %s differs, in a table that this release does not know\n",
		 row->dotted, row->key);
}

static void say_rows(struct plan *p) {
	const struct rows *a = txn_rows(p->at), *b = txn_rows(p->to);

	for (const struct row *row = rows_first(a); row; row = rows_next(a, row)) {
		const struct row *other = rows_find(b, row->dotted, row->key);

		if (!other || strcmp(other->body, row->body) != 0)
			say_row(p, row);
	}
	for (const struct row *row = rows_first(b); row; row = rows_next(b, row))
		if (!rows_find(a, row->dotted, row->key))
			say_row(p, row);
}

/* ---- the whole ---- */

void difference(struct txn *from, const struct txn *to, struct str *out) {
	AUTO_FREE uint16_t *rank = xcalloc(schema_n_tables, sizeof(*rank));
	struct plan p = { .at = from, .to = to, .rank = rank, .out = out };

	for (uint16_t i = 0; i < schema_n_top; i++)
		rank[schema_top[i]] = i;
	collect(&p);
	if (p.n > 0)
		qsort_r(p.task, p.n, sizeof(*p.task), compare_task, &p);
	put_and_delete(&p);
	for (uint16_t i = 0; i < schema_n_top; i++)
		if (schema_tables[schema_top[i]]->flags & TABLE_ORDERED)
			order_table(&p, schema_tables[schema_top[i]]);
	say_rows(&p);
	close_table(&p);
	for (size_t i = 0; i < p.n; i++)
		free(p.task[i].key);
	free(p.task);
}

void difference_txn(const struct txn *t, struct str *out) {
	struct txn *from = txn_new(t->engine, "", "");

	from->look_only = true;
	difference(from, t, out);
	txn_free(from);
}
