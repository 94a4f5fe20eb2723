/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An object's digest is over the same text that `show` prints, less what is local, so equal
 * output means equal digest. That for the group is over the text that its members send each other,
 * which does not depend on a release: what one of them does not know counts the same there.
 *
 * Object digests are kept; tables and the whole are summed up from them when asked for, which costs
 * milliseconds at 100,000 objects. In the sums of the group an object counts with the half of its
 * digest that is ever shown: to hash is most of the work. Its digest is made when it is asked for
 * first, and again when the stamp of the view is another: when the group has another key for
 * secrets, or other exceptions.
 */
#include "cfgdb/digest.h"

#include <sha2.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/engine.h"
#include "cfgdb/model/outline.h"
#include "cfgdb/model/text.h"
#include "cfgdb/txn_view.h"
#include "schemas/schema_gen.h"

/* A text with its end, so that two of them are not as one. */
static void digest_add_text(SHA2_CTX *state, const char *text) {
	SHA256Update(state, (const uint8_t *)text, strlen(text) + 1);
}

static void digest_of_text(const char *text, size_t len, unsigned char out[DIGEST_LEN]) {
	SHA2_CTX state;

	SHA256Init(&state);
	SHA256Update(&state, (const uint8_t *)text, len);
	SHA256Final(out, &state);
}

void digest_object(const struct keyring *k, struct object *obj) {
	AUTO_STR struct str text = STR_INIT;
	struct object *masked = NULL;

	if (secret_in_object(obj)) {
		masked = object_copy(obj);
		secret_mask_object(k, masked);
	}
	str_addf(&text, "%s %s\n", obj->table->dotted, obj->key);
	text_body(masked ? masked : obj, 0, TEXT_NO_LOCAL | TEXT_KEPT, &text);
	digest_of_text(str_text(&text), text.len, obj->hash);
	object_free(masked);
}

/* Secrets are in it as they are sealed, which they are always in the same way. */
void digest_row(struct row *row) {
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text, "%s %s %s\n", row->vdom ? "vdom" : "global", row->dotted, row->key);
	str_add(&text, row->body);
	digest_of_text(str_text(&text), text.len, row->hash);
}

void digest_table(const struct model *m, const struct schema_table *table,
		  unsigned char out[DIGEST_LEN]) {
	bool ordered = (table->flags & TABLE_ORDERED) != 0;
	SHA2_CTX state;
	const struct object *obj = ordered ? model_first(m, table) : model_seek(m, table, "");

	SHA256Init(&state);
	while (obj) {
		digest_add_text(&state, obj->key);
		SHA256Update(&state, obj->hash, sizeof(obj->hash));
		obj = ordered ? model_next(m, obj) : model_next_key(m, obj);
	}
	SHA256Final(out, &state);
}

/* An object table in which only the unit's own attributes are set counts as never touched. */
static bool digest_skips(const struct model *m, const struct schema_table *table) {
	const struct object *obj = model_first(m, table);

	if ((table->flags & TABLE_LOCAL) || !obj)
		return true;
	return !schema_is_list(table) && object_is_local(obj);
}

/* What this release does not know; nothing, nearly always. */
static void digest_add_rows(SHA2_CTX *state, const struct rows *rows) {
	for (const struct row *row = rows_first(rows); row; row = rows_next(rows, row)) {
		digest_add_text(state, row->dotted);
		digest_add_text(state, row->key);
		SHA256Update(state, row->hash, sizeof(row->hash));
	}
}

void digest_root(const struct model *m, unsigned char out[DIGEST_LEN]) {
	SHA2_CTX state;
	unsigned char table_digest[DIGEST_LEN];

	SHA256Init(&state);
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct schema_table *table = schema_tables[schema_top[i]];

		if (digest_skips(m, table))
			continue;
		digest_table(m, table, table_digest);
		digest_add_text(&state, table->dotted);
		SHA256Update(&state, table_digest, sizeof(table_digest));
	}
	digest_add_rows(&state, model_rows(m));
	SHA256Final(out, &state);
}

/* ---- of the group ---- */

#define COUNTED 16 /* bytes of the digest of an object that count in its table */

/* Anything but 0, and another one whenever objects may have other digests. */
static uint64_t stamp_of(const struct digest_view *v) {
	unsigned char digest[DIGEST_LEN];
	uint64_t stamp;
	SHA2_CTX state;

	SHA256Init(&state);
	SHA256Update(&state, (const uint8_t *)&v->shared.excepted, sizeof(v->shared.excepted));
	if (v->mac)
		SHA256Update(&state, v->mac, SECRET_MAC_KEY_LEN);
	SHA256Final(digest, &state);
	memcpy(&stamp, digest, sizeof(stamp));
	return stamp | 1;
}

void digest_view_init(struct digest_view *v, const struct engine *e) {
	*v = (struct digest_view){ .model = e->model,
				   .keyring = e->keyring,
				   .mac = e->has_group_mac ? e->group_mac : NULL };
	shared_init(&v->shared, e->model);
	v->stamp = stamp_of(v);
}

static int except(void *arg, const struct object *exception) {
	shared_except(arg, exception);
	return 0;
}

void digest_view_init_txn(struct digest_view *v, const struct engine *e, const struct txn *t) {
	digest_view_init(v, e);
	v->txn = t;
	v->shared = (struct shared){ 0 };
	txn_each_any_order(t, schema_table(TBL_SYSTEM_VDOM_EXCEPTION), except, &v->shared);
	v->stamp = stamp_of(v);
}

/* A secret that cannot be read counts as it is. */
static int mask_secret(void *arg, struct outline_line *line, struct err *err) {
	const struct digest_view *v = arg;
	AUTO_FREE char *sealed = xasprintf("ENC %s", line->words.w[line->words.n - 1]);
	char hex[SECRET_MAC_HEX_LEN + 1];

	(void)err;
	if (secret_mac_hex(v->keyring, v->mac, sealed, hex) == 0)
		outline_set_words(line, "MAC", hex);
	return 0;
}

static void digest_of_held(const struct digest_view *v, const char *dotted, const char *key,
			   const char *held, unsigned char out[DIGEST_LEN]) {
	AUTO_OUTLINE struct outline o = { 0 };
	AUTO_STR struct str text = STR_INIT;

	str_addf(&text, "%s %s\n", dotted, key);
	if (outline_parse(&o, held, NULL) == 0) {
		outline_each_secret(&o, mask_secret, (void *)v, NULL);
		outline_sort(&o);
		outline_print(&o, &text);
	} else {
		str_add(&text, held);
	}
	digest_of_text(str_text(&text), text.len, out);
}

/* What is in a model or a transaction does not change, but for its digest that is kept. */
static const unsigned char *group_hash(const struct digest_view *v, const struct object *constant) {
	struct object *obj = (struct object *)constant;
	AUTO_STR struct str held = STR_INIT;

	if (obj->group_stamp == v->stamp)
		return obj->group_hash;
	shared_held(&v->shared, obj, &held);
	digest_of_held(v, obj->table->dotted, obj->key, str_text(&held), obj->group_hash);
	obj->group_stamp = v->stamp;
	return obj->group_hash;
}

static const unsigned char *row_hash(const struct digest_view *v, const struct row *constant) {
	struct row *row = (struct row *)constant;
	AUTO_STR struct str held = STR_INIT;

	if (row->group_stamp == v->stamp)
		return row->group_hash;
	shared_row_held(row, &held);
	digest_of_held(v, row->dotted, row->key, str_text(&held), row->group_hash);
	row->group_stamp = v->stamp;
	return row->group_hash;
}

void digest_group_object(const struct digest_view *v, const struct object *obj,
			 unsigned char out[DIGEST_LEN]) {
	memcpy(out, group_hash(v, obj), DIGEST_LEN);
}

void digest_group_row(const struct digest_view *v, const struct row *row,
		      unsigned char out[DIGEST_LEN]) {
	memcpy(out, row_hash(v, row), DIGEST_LEN);
}

/* ---- the objects of a table ---- */

struct walk {
	const struct digest_view *view;
	int (*visit)(void *arg, const char *key, const unsigned char *digest);
	void *arg;
	const struct object **objects; /* that are to be sorted */
	size_t n;
};

static int walk_object(void *arg, const struct object *obj) {
	const struct walk *w = arg;

	if (!shared_counts(&w->view->shared, obj))
		return 0;
	return w->visit(w->arg, obj->key, group_hash(w->view, obj));
}

static int collect(void *arg, const struct object *obj) {
	struct walk *w = arg;

	w->objects[w->n++] = obj;
	return 0;
}

static int compare_key(const void *a, const void *b) {
	const struct object *const *x = a, *const *y = b;

	return strcmp((*x)->key, (*y)->key);
}

static int each_of_model(const struct model *m, const struct schema_table *table,
			 int (*visit)(void *arg, const struct object *obj), void *arg) {
	int rc = 0;

	for (const struct object *obj = model_first(m, table); obj && rc == 0;
	     obj = model_next(m, obj))
		rc = visit(arg, obj);
	return rc;
}

/* Bytewise, whatever the type of the key: another release may know nothing of it. */
static int walk_sorted(struct walk *w, const struct schema_table *table) {
	const struct digest_view *v = w->view;
	size_t count = v->txn ? txn_count(v->txn, table) : model_count(v->model, table);
	int rc = 0;

	w->objects = xcalloc(count + 1, sizeof(const struct object *));
	if (v->txn)
		txn_each_any_order(v->txn, table, collect, w);
	else
		each_of_model(v->model, table, collect, w);
	qsort(w->objects, w->n, sizeof(const struct object *), compare_key);
	for (size_t i = 0; i < w->n && rc == 0; i++)
		rc = walk_object(w, w->objects[i]);
	free(w->objects);
	return rc;
}

static int walk_table(struct walk *w, const struct schema_table *table) {
	const struct digest_view *v = w->view;
	const struct object *obj;
	int rc = 0;

	if (table->flags & TABLE_ORDERED)
		return v->txn ? txn_each(v->txn, table, walk_object, w) :
				each_of_model(v->model, table, walk_object, w);
	if (v->txn || table->attrs[0].type == ATTR_INTEGER)
		return walk_sorted(w, table);
	for (obj = model_seek(v->model, table, ""); obj && rc == 0;
	     obj = model_next_key(v->model, obj))
		rc = walk_object(w, obj);
	return rc;
}

static const struct rows *rows_of(const struct digest_view *v) {
	return v->txn ? txn_rows(v->txn) : model_rows(v->model);
}

static int walk_rows(const struct walk *w, const char *dotted) {
	const struct rows *rows = rows_of(w->view);
	const struct row *row = rows_first_of(rows, dotted);
	int rc = 0;

	for (; row && strcmp(row->dotted, dotted) == 0 && rc == 0; row = rows_next(rows, row))
		rc = w->visit(w->arg, row->key, row_hash(w->view, row));
	return rc;
}

int digest_each_object(const struct digest_view *v, const char *dotted,
		       int (*visit)(void *arg, const char *key, const unsigned char *digest),
		       void *arg) {
	const struct schema_table *table = schema_find(dotted);
	struct walk w = { .view = v, .visit = visit, .arg = arg };

	if (!shared_has_name(&v->shared, dotted))
		return 0;
	return table ? walk_table(&w, table) : walk_rows(&w, dotted);
}

/* ---- tables and all ---- */

struct sum {
	SHA2_CTX state;
	size_t n;
};

static int add_object(void *arg, const char *key, const unsigned char *digest) {
	struct sum *sum = arg;

	(void)key; /* which is in the digest */
	SHA256Update(&sum->state, digest, COUNTED);
	sum->n++;
	return 0;
}

/* Number of objects that count in it. */
static size_t sum_table(const struct digest_view *v, const char *dotted,
			unsigned char out[DIGEST_LEN]) {
	struct sum sum = { .n = 0 };

	SHA256Init(&sum.state);
	digest_each_object(v, dotted, add_object, &sum);
	SHA256Final(out, &sum.state);
	return sum.n;
}

void digest_group_table(const struct digest_view *v, const char *dotted,
			unsigned char out[DIGEST_LEN]) {
	sum_table(v, dotted, out);
}

static int compare_name(const void *a, const void *b) {
	const char *const *x = a, *const *y = b;

	return strcmp(*x, *y);
}

/* Names of all tables, those of rows too, sorted; *n of them. The caller frees the array. */
static const char **table_names(const struct digest_view *v, size_t *n) {
	const struct rows *rows = rows_of(v);
	const char **names = xcalloc(schema_n_top + rows_count(rows) + 1, sizeof(const char *));
	const char *last = "";

	*n = 0;
	for (uint16_t i = 0; i < schema_n_top; i++)
		names[(*n)++] = schema_tables[schema_top[i]]->dotted;
	for (const struct row *row = rows_first(rows); row; row = rows_next(rows, row)) {
		if (strcmp(row->dotted, last) != 0)
			names[(*n)++] = row->dotted;
		last = row->dotted;
	}
	qsort(names, *n, sizeof(const char *), compare_name);
	return names;
}

int digest_each_table(const struct digest_view *v,
		      int (*visit)(void *arg, const char *dotted, const unsigned char *digest),
		      void *arg) {
	unsigned char digest[DIGEST_LEN];
	size_t n;
	const char **names = table_names(v, &n);
	int rc = 0;

	for (size_t i = 0; i < n && rc == 0; i++)
		if (sum_table(v, names[i], digest) > 0)
			rc = visit(arg, names[i], digest);
	free(names);
	return rc;
}

struct group_sum {
	const struct digest_view *view;
	SHA2_CTX global, root, all;
};

bool digest_is_of_vdom(const struct digest_view *v, const char *dotted) {
	const struct schema_table *table = schema_find(dotted);
	const struct row *row = table ? NULL : rows_first_of(rows_of(v), dotted);

	return table ? (table->flags & TABLE_VDOM) != 0 : row && row->vdom;
}

static int add_table(void *arg, const char *dotted, const unsigned char *digest) {
	struct group_sum *sum = arg;
	SHA2_CTX *part = digest_is_of_vdom(sum->view, dotted) ? &sum->root : &sum->global;

	digest_add_text(part, dotted);
	SHA256Update(part, digest, DIGEST_LEN);
	digest_add_text(&sum->all, dotted);
	SHA256Update(&sum->all, digest, DIGEST_LEN);
	return 0;
}

void digest_group(const struct digest_view *v, struct digest_group *out) {
	struct group_sum sum = { .view = v };

	SHA256Init(&sum.global);
	SHA256Init(&sum.root);
	SHA256Init(&sum.all);
	digest_each_table(v, add_table, &sum);
	SHA256Final(out->global, &sum.global);
	SHA256Final(out->root, &sum.root);
	SHA256Final(out->all, &sum.all);
}

static int forget(void *arg, const struct object *obj) {
	(void)arg;
	((struct object *)obj)->group_stamp = 0;
	return 0;
}

void digest_group_forget(const struct engine *e) {
	const struct rows *rows = model_rows(e->model);

	for (uint16_t i = 0; i < schema_n_top; i++)
		each_of_model(e->model, schema_tables[schema_top[i]], forget, NULL);
	for (const struct row *row = rows_first(rows); row; row = rows_next(rows, row))
		((struct row *)row)->group_stamp = 0;
}
