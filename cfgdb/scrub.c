/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration in force was checked when it was committed, and the kernel has it; the database
 * is the log of it. So when the two differ, memory is right. What somebody has written into the
 * database would come to light at the next start only, which would be refused: a firewall that does
 * not come back. Found now, it is named and written over.
 *
 * Rows are compared as bytes, in one pass over the database, with what would be stored. Only what
 * differs is read, for the names of its attributes.
 */
#include "cfgdb/scrub.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/digest.h"
#include "cfgdb/model/rows.h"
#include "cfgdb/model/text.h"
#include "cfgdb/unknown.h"

/* An object that is stored and not in force: one of them is set. */
struct extra {
	struct object *obj;
	struct row *row;
};

struct scrubber {
	struct engine *engine;
	struct str *found;
	unsigned int n_found;
	const struct object **wrong; /* objects in force that are stored otherwise */
	size_t n_wrong;
	const struct row **wrong_row;
	size_t n_wrong_row;
	struct extra *extra;
	size_t n_extra;
	size_t n_same, n_same_row;   /* that are in force and stored, be it otherwise */
};

/* Room for one more in a list of n. */
static void *grow(void *list, size_t n, size_t size) {
	return n & (n - 1) ? list : xreallocarray(list, n ? 2 * n : 1, size);
}

static void name_it(struct scrubber *s, const char *path, const char *key, const char *what) {
	if (s->n_found++ < SCRUB_NAMED)
		str_addf(s->found, "%s%s%.80s: %s\n", path, *key ? " " : "", key, what);
}

/* ---- what differs ---- */

/* Names of the attributes in which a stored body differs from what is in force. */
static void name_attributes(const struct object *obj, const char *body, struct str *names) {
	struct object *stored = object_new(obj->table, obj->key);
	struct err err;

	if (unknown_parse(stored, body, &err) != 0) {
		str_add(names, "cannot be read");
		object_free(stored);
		return;
	}
	for (unsigned int i = 0; i < obj->table->n_attrs; i++) {
		const struct value *a = object_get(obj, i), *b = object_get(stored, i);

		if (a && b ? value_equal(&obj->table->attrs[i], a, b) : a == b)
			continue;
		str_addf(names, "%s%s", names->len ? " " : "", obj->table->attrs[i].name);
	}
	if (names->len == 0)
		str_add(names, "place, version or form");
	object_free(stored);
}

static bool is_stored_so(const struct object *obj, const struct object *row, const char *body) {
	AUTO_STR struct str text = STR_INIT;

	if (obj->pos != row->pos || obj->ver != row->ver ||
	    memcmp(obj->hash, row->hash, sizeof(obj->hash)) != 0)
		return false;
	text_body(obj, 0, TEXT_KEPT, &text);
	return strcmp(str_text(&text), body) == 0;
}

static int visit_object(void *arg, struct object *row, const char *body, struct err *err) {
	struct scrubber *s = arg;
	const struct object *obj = model_find(s->engine->model, row->table, row->key);
	AUTO_STR struct str names = STR_INIT;

	(void)err;
	if (!obj) {
		name_it(s, row->table->path, row->key, "is not in force");
		s->extra = grow(s->extra, s->n_extra, sizeof(*s->extra));
		s->extra[s->n_extra++] = (struct extra){ .obj = row };
		return 0;
	}
	s->n_same++;
	if (!is_stored_so(obj, row, body)) {
		name_attributes(obj, body, &names);
		name_it(s, obj->table->path, obj->key, str_text(&names));
		s->wrong = grow(s->wrong, s->n_wrong, sizeof(*s->wrong));
		s->wrong[s->n_wrong++] = obj;
	}
	object_free(row);
	return 0;
}

/* The same of an object of a table that this release does not have. */
static int visit_row(void *arg, struct row *stored, struct err *err) {
	struct scrubber *s = arg;
	const struct row *row =
		rows_find(model_rows(s->engine->model), stored->dotted, stored->key);

	(void)err;
	if (!row) {
		name_it(s, stored->dotted, stored->key, "is not in force");
		s->extra = grow(s->extra, s->n_extra, sizeof(*s->extra));
		s->extra[s->n_extra++] = (struct extra){ .row = stored };
		return 0;
	}
	s->n_same_row++;
	if (row->pos != stored->pos || row->ver != stored->ver ||
	    memcmp(row->hash, stored->hash, sizeof(row->hash)) != 0 ||
	    strcmp(row->body, stored->body) != 0) {
		name_it(s, row->dotted, row->key, "differs");
		s->wrong_row = grow(s->wrong_row, s->n_wrong_row, sizeof(*s->wrong_row));
		s->wrong_row[s->n_wrong_row++] = row;
	}
	row_free(stored);
	return 0;
}

/* ---- writing ---- */

static const char *row_vd(const struct row *row) {
	return row->vdom ? "root" : "global";
}

/* Objects in force that are not stored at all. */
static int put_missing(struct scrubber *s, struct err *err) {
	struct engine *e = s->engine;
	int rc = 0;

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];
		const struct object *obj = model_first(e->model, table);

		for (; obj && rc == 0; obj = model_next(e->model, obj)) {
			if (store_has(e->store, store_vd(table), table->dotted, obj->key))
				continue;
			name_it(s, table->path, obj->key, "was missing");
			rc = store_put(e->store, e->model, obj, err);
		}
	}
	return rc;
}

static int put_missing_rows(struct scrubber *s, struct err *err) {
	const struct rows *rows = model_rows(s->engine->model);
	const struct row *row = rows_first(rows);
	int rc = 0;

	for (; row && rc == 0; row = rows_next(rows, row)) {
		if (store_has(s->engine->store, row_vd(row), row->dotted, row->key))
			continue;
		name_it(s, row->dotted, row->key, "was missing");
		rc = store_put_row(s->engine->store, row, err);
	}
	return rc;
}

static size_t count_objects(const struct model *m) {
	size_t n = 0;

	for (uint16_t i = 0; i < schema_n_top; i++)
		n += model_count(m, schema_tables[schema_top[i]]);
	return n;
}

/* What stands under the same table and key, but elsewhere, goes before what belongs there comes. */
static int write_all(struct scrubber *s, struct err *err) {
	struct engine *e = s->engine;
	int rc = 0;

	for (size_t i = 0; i < s->n_extra && rc == 0; i++)
		rc = s->extra[i].obj ? store_delete(e->store, s->extra[i].obj, err)
				     : store_delete_row(e->store, s->extra[i].row, err);
	for (size_t i = 0; i < s->n_wrong && rc == 0; i++)
		rc = store_put(e->store, e->model, s->wrong[i], err);
	for (size_t i = 0; i < s->n_wrong_row && rc == 0; i++)
		rc = store_put_row(e->store, s->wrong_row[i], err);
	if (rc == 0 && s->n_same < count_objects(e->model))
		rc = put_missing(s, err);
	if (rc == 0 && s->n_same_row < rows_count(model_rows(e->model)))
		rc = put_missing_rows(s, err);
	return rc;
}

/* The digest of the whole, which the next start compares with. */
static int write_root(struct scrubber *s, struct err *err) {
	struct engine *e = s->engine;
	unsigned char root[OBJECT_HASH_LEN], stored[OBJECT_HASH_LEN];
	uint64_t revision;
	int rc = store_last_revision(e->store, &revision, stored, err);

	if (rc)
		return rc;
	if (revision != e->revision)
		return err_set(err, ERR_STORE,
			       "the configuration database: its history does not end with "
			       "revision %llu, which is in force",
			       (unsigned long long)e->revision);
	digest_root(e->model, root);
	if (memcmp(root, stored, sizeof(root)) == 0)
		return 0;
	if (s->n_found == 0)
		name_it(s, "the history", "", "digest of the last revision");
	return store_put_root_hash(e->store, e->revision, root, err);
}

static void scrub_done(struct scrubber *s) {
	for (size_t i = 0; i < s->n_extra; i++) {
		object_free(s->extra[i].obj);
		row_free(s->extra[i].row);
	}
	free(s->extra);
	free(s->wrong);
	free(s->wrong_row);
}

int scrub(struct engine *e, struct str *found, struct err *err) {
	struct scrubber s = { .engine = e, .found = found };
	const struct store_visitor visitor = { visit_object, visit_row, &s };
	int rc = store_begin(e->store, err);

	if (rc == 0)
		rc = store_load(e->store, &visitor, err);
	if (rc == 0)
		rc = write_all(&s, err);
	if (rc == 0)
		rc = write_root(&s, err);
	if (rc == 0 && s.n_found > 0)
		rc = store_commit(e->store, err);
	store_rollback(e->store); /* what is not committed */
	if (s.n_found > SCRUB_NAMED)
		str_addf(found, "and %u more\n", s.n_found - SCRUB_NAMED);
	scrub_done(&s);
	return rc;
}
