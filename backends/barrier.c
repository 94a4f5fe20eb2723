/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After a boot there are no rules. Should the database then not open, nothing would be filtered on
 * a machine that forwards by itself (net.ipv4.ip_forward), and nobody would know on which
 * interfaces it should be. So the managed ones are kept in a file of their own, one a line with the
 * words of its allowaccess, and a start closes them before it does anything that can fail. The
 * configuration of that state is one that has these interfaces and no policies; its rules are
 * replaced by the real ones in one step, like any others.
 *
 * The record is written before a commit is durable, and written back when it is undone.
 */
#include "backends/barrier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/managed.h"
#include "backends/nft.h"
#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "schemas/schema_gen.h"

#define RECORD_MAX (1u << 20) /* bytes: 5,000 interfaces with all services */
#define DEVICE_NAME_MAX 15
#define WORDS_MAX 32

struct barrier {
	char *path;
	struct str now, next;
	bool written;        /* next has taken the place of now on the disk */
};

struct barrier *barrier_new(const char *path) {
	struct barrier *b = xcalloc(1, sizeof(*b));

	b->path = xstrdup(path);
	return b;
}

struct barrier *barrier_free(struct barrier *b) {
	if (!b)
		return NULL;
	str_done(&b->now);
	str_done(&b->next);
	free(b->path);
	free(b);
	return NULL;
}

/* ---- the record ---- */

static const struct schema_attr *allowaccess(void) {
	return &schema_table(TBL_SYSTEM_INTERFACE)->attrs[SYSTEM_INTERFACE__ALLOWACCESS];
}

/* A name that no device can have needs no place. */
static bool is_device_name(const char *name) {
	return *name && strlen(name) <= DEVICE_NAME_MAX && !strpbrk(name, " \t\r\n\f\v/");
}

static void describe(const struct model *model, struct str *out) {
	const struct schema_table *table = schema_table(TBL_SYSTEM_INTERFACE);
	struct names names = managed_interfaces(model);

	str_clear(out);
	for (size_t i = 0; i < names.n; i++) {
		const struct object *obj = model_find(model, table, names.name[i]);
		const struct value *v = obj ? object_get(obj, SYSTEM_INTERFACE__ALLOWACCESS) : NULL;

		if (!is_device_name(names.name[i]))
			continue;
		str_addf(out, "%s%s", names.name[i], v ? " " : "");
		if (v)
			value_print(allowaccess(), v, VALUE_GET, out);
		str_add_char(out, '\n');
	}
	names_done(&names);
}

static struct object *read_line(char *line) {
	char *name = strsep(&line, " "), *words[WORDS_MAX], *word;
	struct object *obj;
	struct value v;
	size_t n = 0;

	if (!is_device_name(name))
		return NULL;
	obj = object_new(schema_table(TBL_SYSTEM_INTERFACE), name);
	obj->ver = 1; /* someone configured it, so it is managed */
	while (n < WORDS_MAX && (word = strsep(&line, " ")))
		words[n++] = word;
	if (n > 0 && value_parse(allowaccess(), words, n, &v, NULL) == 0)
		object_set(obj, SYSTEM_INTERFACE__ALLOWACCESS, v);
	return obj;
}

static struct model *read_record(struct str *text) {
	struct model *model = model_new();

	for (char *rest = text->data, *line; (line = strsep(&rest, "\n"));) {
		struct object *obj = read_line(line);

		if (obj)
			object_free(model_put(model, obj));
	}
	return model;
}

int barrier_forget(const char *path, struct err *err) {
	if (unlink(path) == 0 || errno == ENOENT)
		return 0;
	return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
}

static int write_record(const struct barrier *b, const struct str *text, struct err *err) {
	if (text->len == 0)
		return barrier_forget(b->path, err);
	if (text->len > RECORD_MAX)
		return err_set(err, ERR_STORE, "%s: too many interfaces", b->path);
	return file_replace(b->path, str_text(text), text->len, err);
}

int barrier_raise(const char *path, struct err *err) {
	struct str text AUTO_STR = STR_INIT;
	struct model *model;
	struct nft *nft;
	int rc = file_read(path, RECORD_MAX, &text, err);

	if (rc)
		return rc == ERR_NOT_FOUND ? 0 : rc;
	nft = nft_new(err);
	if (!nft)
		return ERR_KERNEL;
	model = read_record(&text);
	rc = nft_stand_in(nft, model, err);
	model_free(model);
	nft_free(nft);
	return rc;
}

/* ---- the backend ---- */

static bool same(const struct str *a, const struct str *b) {
	return strcmp(str_text(a), str_text(b)) == 0;
}

/* On a full disk the record stays what it was: that is no reason to be without rules. */
static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	struct barrier *b = ctx;
	struct str there AUTO_STR = STR_INIT;
	int rc = file_read(b->path, RECORD_MAX, &there, NULL);

	(void)err;
	describe(commit->model, &b->now);
	if ((rc && rc != ERR_NOT_FOUND) || !same(&there, &b->now))
		write_record(b, &b->now, NULL);
	return 0;
}

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct barrier *b = ctx;

	(void)err;
	describe(commit->model, &b->next);
	return 0;
}

static int backend_apply(void *ctx, struct err *err) {
	struct barrier *b = ctx;
	int rc;

	if (same(&b->next, &b->now))
		return 0;
	rc = write_record(b, &b->next, err);
	b->written = rc == 0;
	return rc;
}

static void backend_undo(void *ctx) {
	struct barrier *b = ctx;

	if (b->written)
		write_record(b, &b->now, NULL);
	b->written = false;
}

static void backend_finish(void *ctx) {
	struct barrier *b = ctx;
	struct str old = b->now;

	b->now = b->next;
	b->next = old;
	b->written = false;
}

struct backend barrier_backend(struct barrier *b) {
	return (struct backend){
		.name = "barrier",
		.start = backend_start,
		.prepare = backend_prepare,
		.apply = backend_apply,
		.undo = backend_undo,
		.finish = backend_finish,
		.ctx = b,
	};
}
