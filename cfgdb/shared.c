/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One walk decides what is shared: shared_part() copies an object without what is the unit's own.
 * Two objects are the same to the group when their parts are, the text for others is that of the
 * part, and merging puts the unit's own beside the part of another member.
 *
 * An interface is special: the machine brings its links, and describes each as it is found
 * (backends/takeup.c), which must not count as configured. `system.cluster-sync` is the older name
 * of a list in another table; an exception for it leaves out that list.
 */
#include "cfgdb/shared.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/outline.h"
#include "cfgdb/model/text.h"
#include "cfgdb/model/value_type.h"
#include "cfgdb/unknown.h"
#include "schemas/schema_gen.h"

#define PEERS "system.cluster-sync" /* in system.standalone-cluster: cluster-peer */
#define VDOM "root"

/* ---- tables ---- */

static const struct schema_attr *excepted_attr(void) {
	return &schema_table(TBL_SYSTEM_VDOM_EXCEPTION)->attrs[SYSTEM_VDOM_EXCEPTION__OBJECT];
}

/* Whether the scope of an exception covers the one virtual domain that there is. */
static bool covers_root(const struct object *exception) {
	const struct value *v = object_get(exception, SYSTEM_VDOM_EXCEPTION__VDOM);
	bool named = false;

	for (uint32_t i = 0; v && i < v->n; i++)
		named = named || strcmp(value_item(v, i)->str, VDOM) == 0;
	if (object_is(exception, SYSTEM_VDOM_EXCEPTION__SCOPE, "all"))
		return true;
	return named == object_is(exception, SYSTEM_VDOM_EXCEPTION__SCOPE, "inclusive");
}

void shared_except(struct shared *s, const struct object *exception) {
	const struct value *v = object_get(exception, SYSTEM_VDOM_EXCEPTION__OBJECT);
	int64_t word = v ? value_item(v, 0)->num : 64;

	if (word < 64 && covers_root(exception))
		s->excepted |= UINT64_C(1) << word;
}

void shared_init(struct shared *s, const struct model *m) {
	const struct object *e = model_first(m, schema_table(TBL_SYSTEM_VDOM_EXCEPTION));

	*s = (struct shared){ 0 };
	for (; e; e = model_next(m, e))
		shared_except(s, e);
}

static bool is_excepted(const struct shared *s, const char *name) {
	const struct schema_attr *a = excepted_attr();

	for (uint16_t i = 0; s->excepted >> i && i < a->n_options; i++)
		if ((s->excepted >> i & 1) && strcmp(a->options[i].name, name) == 0)
			return true;
	return false;
}

bool shared_has_name(const struct shared *s, const char *dotted) {
	const struct schema_table *table = schema_find(dotted);

	return table ? shared_has_table(s, table) : !is_excepted(s, dotted);
}

bool shared_has_table(const struct shared *s, const struct schema_table *table) {
	return !(table->flags & TABLE_LOCAL) && !is_excepted(s, table->dotted);
}

bool shared_has_peers(const struct shared *s) {
	return !is_excepted(s, PEERS) &&
	       shared_has_table(s, schema_table(TBL_SYSTEM_STANDALONE_CLUSTER));
}

/* ---- attributes ---- */

static bool has_attr(const struct shared *s, const struct object *obj, unsigned int attr) {
	if (schema_is_local(&obj->table->attrs[attr]))
		return false;
	return obj->table->id != TBL_SYSTEM_STANDALONE_CLUSTER ||
	       attr != SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER || !is_excepted(s, PEERS);
}

struct object *shared_found(const char *name) {
	struct object *obj = object_new(schema_table(TBL_SYSTEM_INTERFACE), name);
	char *type[] = { (char *)"physical" }, *access[] = { (char *)"ping", (char *)"ssh" };
	const struct {
		unsigned int attr;
		char **words;
		size_t n;
	} found[] = { { SYSTEM_INTERFACE__TYPE, type, 1 },
		      { SYSTEM_INTERFACE__ALLOWACCESS, access, 2 } };

	for (size_t i = 0; i < ARRAY_LEN(found); i++) {
		struct value v;

		if (value_parse(&obj->table->attrs[found[i].attr], found[i].words, found[i].n, &v,
				NULL) == 0)
			object_set(obj, found[i].attr, v);
	}
	return obj;
}

static bool is_interface(const struct object *obj) {
	return obj->table->id == TBL_SYSTEM_INTERFACE;
}

/* Whether a part is that of a link as it is found. */
static bool is_untouched(const struct object *part) {
	struct object *found = shared_found(part->key);
	bool same = object_equal(part, found);

	object_free(found);
	return same;
}

static struct object *copy_part(const struct shared *s, const struct object *obj);

/* The value of an attribute with what is shared of it; n is 0 when that is nothing. */
static struct value copy_value(const struct shared *s, const struct schema_attr *a,
			       const struct value *v) {
	struct value copy = { 0 };

	if (a->type != ATTR_CHILD)
		return value_copy(a, v);
	for (uint32_t i = 0; i < v->n; i++) {
		struct object *entry = copy_part(s, value_item(v, i)->entry);

		if (!schema_is_list(a->child) && object_is_empty(entry))
			object_free(entry);
		else
			value_add_item(&copy, (union item){ .entry = entry });
	}
	return copy;
}

static struct object *copy_part(const struct shared *s, const struct object *obj) {
	struct object *part = object_new(obj->table, obj->key);

	part->unknown = obj->unknown ? xstrdup(obj->unknown) : NULL;
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct field *field = &obj->fields[f];

		if (has_attr(s, obj, field->attr))
			object_set(part, field->attr,
				   copy_value(s, &obj->table->attrs[field->attr], &field->value));
	}
	return part;
}

static bool is_something(const struct object *part) {
	if (!schema_is_list(part->table))
		return !object_is_empty(part);
	return !is_interface(part) || !is_untouched(part);
}

struct object *shared_part(const struct shared *s, const struct object *obj) {
	struct object *part;

	if (!obj || !shared_has_table(s, obj->table))
		return NULL;
	part = copy_part(s, obj);
	return is_something(part) ? part : object_free(part);
}

bool shared_counts(const struct shared *s, const struct object *obj) {
	struct object *part;
	bool counts;

	if (schema_is_list(obj->table) && !is_interface(obj))
		return true;
	part = copy_part(s, obj);
	counts = is_something(part);
	object_free(part);
	return counts;
}

bool shared_has(const struct shared *s, const struct object *obj) {
	return shared_has_table(s, obj->table) && shared_counts(s, obj);
}

bool shared_equal(const struct shared *s, const struct object *a, const struct object *b) {
	struct object *x = shared_part(s, a), *y = shared_part(s, b);
	bool equal = x && y ? object_equal(x, y) : x == y;

	object_free(x);
	object_free(y);
	return equal;
}

static const struct schema_attr *first_difference(const struct object *a, const struct object *b) {
	for (unsigned int i = 0; i < a->table->n_attrs; i++) {
		const struct value *x = object_get(a, i), *y = object_get(b, i);

		if (x && y ? !value_equal(&a->table->attrs[i], x, y) : x != y)
			return &a->table->attrs[i];
	}
	return NULL;
}

const struct schema_attr *shared_difference(const struct shared *s, const struct object *a,
					    const struct object *b) {
	const struct object *one = a ? a : b;
	const struct schema_attr *attr;
	struct object *x, *y;

	if ((!a || !b) && schema_is_list(one->table))
		return NULL;
	x = shared_part(s, a);
	y = shared_part(s, b);
	x = x ? x : object_new(one->table, one->key);
	y = y ? y : object_new(one->table, one->key);
	attr = first_difference(x, y);
	object_free(x);
	object_free(y);
	return attr;
}

/* ---- merging ---- */

static void add_own(const struct shared *s, struct object *obj, const struct object *ours);

/* Entries of a list are the group's; what is the unit's own in them stays. */
static void add_own_children(const struct shared *s, struct object *obj, unsigned int attr,
			     const struct value *ours) {
	bool is_list = schema_is_list(obj->table->attrs[attr].child);

	for (uint32_t i = 0; i < ours->n; i++) {
		const struct object *was = value_item(ours, i)->entry;
		struct object *entry = is_list ? object_child(obj, attr, was->key) :
						 object_child_make(obj, attr);

		if (entry)
			add_own(s, entry, was);
	}
}

static void add_own(const struct shared *s, struct object *obj, const struct object *ours) {
	for (uint32_t f = 0; f < ours->n_fields; f++) {
		const struct field *field = &ours->fields[f];
		const struct schema_attr *a = &obj->table->attrs[field->attr];

		if (!has_attr(s, obj, field->attr))
			object_set(obj, field->attr, value_copy(a, &field->value));
		else if (a->type == ATTR_CHILD)
			add_own_children(s, obj, field->attr, &field->value);
	}
}

/* Whether the object of an unit stays when the group has none: a link cannot be deleted. */
static bool stays(const struct object *ours) {
	return !schema_is_list(ours->table) ||
	       (is_interface(ours) && object_is(ours, SYSTEM_INTERFACE__TYPE, "physical"));
}

static struct object *part_left(const struct object *ours) {
	return is_interface(ours) ? shared_found(ours->key) : object_new(ours->table, "");
}

struct object *shared_merge(const struct shared *s, const struct object *theirs,
			    const struct object *ours) {
	struct object *merged;

	if (ours && !shared_has_table(s, ours->table))
		return object_copy(ours);
	merged = shared_part(s, theirs);
	if (!merged && ours && stays(ours))
		merged = part_left(ours);
	if (!merged)
		return NULL;
	if (ours) {
		add_own(s, merged, ours);
		merged->pos = ours->pos;
		merged->ver = ours->ver;
	}
	object_normalize(merged);
	if (!schema_is_list(merged->table) && object_is_empty(merged))
		merged = object_free(merged);
	return merged;
}

/* ---- text ---- */

static int open_secret(void *arg, struct outline_line *line, struct err *err) {
	const struct keyring *k = arg;
	AUTO_FREE char *sealed = xasprintf("ENC %s", line->words.w[line->words.n - 1]);
	char *plain = NULL;
	int rc = line->words.n == 4 ? secret_unseal(k, sealed, &plain, err) : ERR_VALUE;

	if (rc) {
		err_prefix(err, "%s", line->words.w[1]);
		return rc;
	}
	outline_set_words(line, plain, NULL);
	explicit_bzero(plain, strlen(plain));
	free(plain);
	return 0;
}

/* Append the lines that are held, secrets opened, as other members read them. */
static int text_for_members(const struct keyring *k, const char *held, struct str *out,
			    struct err *err) {
	AUTO_OUTLINE struct outline o = { 0 };
	size_t before = out->len;
	int rc = outline_parse(&o, held, err);

	if (rc == 0)
		rc = outline_each_secret(&o, open_secret, (void *)k, err);
	if (rc)
		return rc;
	outline_sort(&o);
	outline_print(&o, out);
	return out->len - before > TEXT_BODY_MAX ?
		       err_set(err, ERR_TOO_LONG, "object is too large: at most %u bytes",
			       TEXT_BODY_MAX) :
		       0;
}

void shared_held(const struct shared *s, const struct object *obj, struct str *out) {
	struct object *part = shared_part(s, obj);

	if (part)
		text_body(part, 0, TEXT_MEMBER, out);
	if (obj->table->flags & TABLE_VDOM)
		str_add(out, "vdom " VDOM "\n");
	object_free(part);
}

void shared_row_held(const struct row *row, struct str *out) {
	str_add(out, row->body);
	if (row->vdom)
		str_add(out, "vdom " VDOM "\n");
}

int shared_text(const struct shared *s, const struct keyring *k, const struct object *obj,
		struct str *out, struct err *err) {
	AUTO_STR struct str held = STR_INIT;

	shared_held(s, obj, &held);
	return text_for_members(k, str_text(&held), out, err);
}

int shared_row_text(const struct keyring *k, const struct row *row, struct str *out,
		    struct err *err) {
	AUTO_STR struct str held = STR_INIT;

	shared_row_held(row, &held);
	return text_for_members(k, str_text(&held), out, err);
}

/*
 * Secrets come in clear, and an empty one is none. Whatever else comes may be shown to someone one
 * day.
 */
static bool is_clean(const struct outline_line *line) {
	bool clean = !outline_is(line, "secret") || (line->words.n == 3 && *line->words.w[2]);

	for (size_t i = 0; i < line->words.n; i++)
		clean = clean && value_type_is_clean(line->words.w[i]);
	return clean;
}

/* Whether both say something of the same name; next to each other where lines are sorted. */
static bool is_again(const struct outline_line *line, const struct outline_line *next) {
	return next && outline_is(line, next->words.w[0]) &&
	       strcmp(line->words.w[1], next->words.w[1]) == 0;
}

static int check_lines(const struct outline_lines *lines, struct err *err) {
	const struct outline_line *line;
	int rc = 0;

	STAILQ_FOREACH(line, lines, next) {
		if (!is_clean(line) || line->words.n < 2 ||
		    is_again(line, STAILQ_NEXT(line, next)))
			return err_set(err, ERR_PARSE, "not a line of a member: %s",
				       line->words.w[0]);
		rc = check_lines(&line->lines, err);
		if (rc)
			return rc;
	}
	return rc;
}

/* Read lines of a member; *vdom: they are of an object of a virtual domain. */
static int outline_of_member(struct outline *o, const char *body, bool *vdom, struct err *err) {
	struct outline_line *line, *next;
	int rc;

	*vdom = false;
	if (strlen(body) > TEXT_BODY_MAX)
		return err_set(err, ERR_TOO_LONG, "object is too large: at most %u bytes",
			       TEXT_BODY_MAX);
	rc = outline_parse(o, body, err);
	if (rc == 0) {
		outline_sort(o);
		rc = check_lines(&o->lines, err);
	}
	for (line = rc ? NULL : STAILQ_FIRST(&o->lines); line; line = next) {
		next = STAILQ_NEXT(line, next);
		if (!outline_is(line, "vdom"))
			continue;
		*vdom = true;
		STAILQ_REMOVE(&o->lines, line, outline_line, next);
		outline_line_free(line);
	}
	return rc;
}

int shared_parse(const struct keyring *k, struct object *obj, const char *body, struct err *err) {
	AUTO_OUTLINE struct outline o = { 0 };
	bool vdom;
	int rc = outline_of_member(&o, body, &vdom, err);

	if (rc == 0)
		rc = unknown_take(k, obj, &o, err);
	return rc ? rc : text_fits(obj, strlen(body), err);
}

int shared_row_parse(const struct keyring *k, const char *dotted, const char *key,
		     const char *body, struct row **ret, struct err *err) {
	AUTO_OUTLINE struct outline o = { 0 };
	AUTO_STR struct str text = STR_INIT;
	bool vdom;
	int rc = outline_of_member(&o, body, &vdom, err);

	if (rc == 0)
		rc = unknown_seal(k, &o, err);
	if (rc)
		return rc;
	outline_print(&o, &text);
	if (text.len > TEXT_BODY_MAX)
		return err_set(err, ERR_TOO_LONG, "object is too large: at most %u bytes",
			       TEXT_BODY_MAX);
	*ret = row_new(dotted, key, str_text(&text));
	(*ret)->vdom = vdom;
	return 0;
}
