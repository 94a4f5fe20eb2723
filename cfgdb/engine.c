/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Opening a state directory: key, database, model. An empty directory becomes a new unit: serial
 * and vmid are drawn and the factory configuration (schemas/factory.conf) is committed as if an
 * administrator had typed it, with version 0: it was there from the start.
 *
 * What is loaded must be what was committed: the digest stored with each object is compared with
 * the one it has, and that of the last revision with that of the whole, which tells when objects
 * are missing, were added or changed places. Only a program whose schema is another makes other
 * digests of the same objects; it cannot compare, and stores its own. What a newer program has
 * stored and this one does not know is kept.
 */
#include "cfgdb/engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "cfgdb/base/str.h"
#include "cfgdb/digest.h"
#include "cfgdb/factory.h"
#include "cfgdb/reseal.h"
#include "cfgdb/script.h"
#include "cfgdb/txn.h"
#include "cfgdb/unknown.h"
#include "schemas/schema_gen.h"

#define SERIAL_PREFIX "GHVM"
#define META_DIGESTS "digests_made_by"

struct load {
	struct engine *engine;
	bool compare;            /* the stored digests were made as this program makes them */
	struct str foreign;      /* names of objects that are not what was committed */
	unsigned int n_foreign;
};

#define FOREIGN_NAMED 8 /* of them are named in the error */

static void load_foreign(struct load *l, const char *table, const char *key, const char *vd) {
	if (l->n_foreign++ < FOREIGN_NAMED)
		str_addf(&l->foreign, "%s%s%s%.60s (vd %s)", l->foreign.len ? ", " : "", table,
			 *key ? " " : "", key, vd);
}

static int load_object(void *arg, struct object *obj, const char *body, struct err *err) {
	struct load *l = arg;
	unsigned char stored[DIGEST_LEN];
	int rc = unknown_parse(obj, body, err);

	if (rc) {
		err_prefix(err, "the configuration database: %s %s", obj->table->path, obj->key);
		object_free(obj);
		return rc;
	}
	memcpy(stored, obj->hash, sizeof(stored));
	digest_object(l->engine->keyring, obj);
	if (l->compare && memcmp(stored, obj->hash, sizeof(stored)) != 0)
		load_foreign(l, obj->table->path, obj->key, store_vd(obj->table));
	object_free(model_put(l->engine->model, obj));
	return 0;
}

static int load_row(void *arg, struct row *row, struct err *err) {
	struct load *l = arg;
	unsigned char stored[DIGEST_LEN];

	(void)err;
	memcpy(stored, row->hash, sizeof(stored));
	digest_row(row);
	if (l->compare && memcmp(stored, row->hash, sizeof(stored)) != 0)
		load_foreign(l, row->dotted, row->key, row->vdom ? "root" : "global");
	row_free(rows_put(model_rows(l->engine->model), row));
	return 0;
}

static int load_verify(struct load *l, const unsigned char stored[DIGEST_LEN], struct err *err) {
	unsigned char root[DIGEST_LEN];

	if (l->n_foreign > FOREIGN_NAMED)
		str_addf(&l->foreign, " and %u more", l->n_foreign - FOREIGN_NAMED);
	if (l->n_foreign)
		return err_set(err, ERR_STORE,
			       "the configuration database holds what was not committed: %s",
			       str_text(&l->foreign));
	digest_root(l->engine->model, root);
	if (l->engine->revision == 0 || memcmp(stored, root, sizeof(root)) == 0)
		return 0;
	return err_set(err, ERR_STORE,
		       "the configuration database: objects are missing, were added or changed "
		       "places since revision %llu was committed",
		       (unsigned long long)l->engine->revision);
}

/* What the digests depend on beside the objects. */
static char *digests_made_by(void) {
	return xasprintf("%s %d %s", schema_digest, DIGEST_VERSION, PACKAGE_VERSION);
}

static int write_digests(struct engine *e, const char *made_by, struct err *err) {
	const struct rows *rows = model_rows(e->model);
	unsigned char root[DIGEST_LEN];
	int rc = store_begin(e->store, err);

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct object *obj = model_first(e->model, schema_tables[schema_top[i]]);

		for (; obj && rc == 0; obj = model_next(e->model, obj))
			rc = store_put_hash(e->store, obj, err);
	}
	for (const struct row *row = rows_first(rows); row && rc == 0; row = rows_next(rows, row))
		rc = store_put_row_hash(e->store, row, err);
	digest_root(e->model, root);
	if (rc == 0)
		rc = store_put_root_hash(e->store, e->revision, root, err);
	if (rc == 0)
		rc = store_meta_set(e->store, META_DIGESTS, made_by, err);
	return rc ? rc : store_commit(e->store, err);
}

static int engine_load_model(struct engine *e, struct err *err) {
	AUTO_FREE char *made_by = digests_made_by(), *known = NULL;
	unsigned char root[DIGEST_LEN];
	struct load l = { .engine = e };
	const struct store_visitor visitor = { load_object, load_row, &l };
	int rc = store_meta_get(e->store, META_DIGESTS, &known, err);

	l.compare = known && strcmp(known, made_by) == 0;
	if (rc == 0)
		rc = store_load(e->store, &visitor, err);
	if (rc == 0)
		rc = store_last_revision(e->store, &e->revision, root, err);
	if (rc == 0 && l.compare)
		rc = load_verify(&l, root, err);
	/* on a full disk the digests stay as they are, for the next start to write */
	if (rc == 0 && !l.compare && write_digests(e, made_by, NULL) != 0)
		store_rollback(e->store);
	str_done(&l.foreign);
	return rc;
}

/* ---- a new unit ---- */

static void draw_serial(char *out, size_t size) {
	static const char digits[] = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
	unsigned char drawn[12];
	size_t at = strlen(SERIAL_PREFIX);

	random_bytes(drawn, sizeof(drawn));
	memcpy(out, SERIAL_PREFIX, at);
	for (size_t i = 0; i < sizeof(drawn) && at + 1 < size; i++)
		out[at++] = digits[drawn[i] % 32];
	out[at] = '\0';
}

static int engine_found(struct engine *e, struct err *err) {
	struct txn *t;
	int rc;

	draw_serial(e->serial, sizeof(e->serial));
	random_uuid(e->vmid);
	t = txn_new(e, "system", "factory");
	txn_as_found(t);
	rc = script_load(t, factory_conf, err);
	if (rc == 0)
		rc = txn_commit(t, err);
	txn_free(t);
	if (rc)
		err_prefix(err, "factory configuration");
	if (rc == 0)
		rc = store_meta_set(e->store, "vmid", e->vmid, err);
	/* the serial comes last: without it the next start founds the unit again */
	return rc ? rc : store_meta_set(e->store, "serial", e->serial, err);
}

/* Secrets of the database open with one key only: another one is a mistake that shows at once. */
static int engine_key(struct engine *e, struct err *err) {
	AUTO_FREE char *known = NULL;
	char id[KEYRING_ID_LEN + 1];
	int rc = store_meta_get(e->store, "key_id", &known, err);

	if (rc)
		return rc;
	keyring_id(e->keyring, id);
	if (!known)
		return store_meta_set(e->store, "key_id", id, err);
	if (strcmp(known, id) != 0)
		return err_set(err, ERR_STORE,
			       "the device key is not the one this configuration was sealed with");
	return 0;
}

static int engine_identity(struct engine *e, struct err *err) {
	AUTO_FREE char *serial = NULL, *vmid = NULL;
	int rc = store_meta_get(e->store, "serial", &serial, err);

	if (rc == 0)
		rc = store_meta_get(e->store, "vmid", &vmid, err);
	if (rc)
		return rc;
	e->fresh = !serial || !vmid;
	if (e->fresh)
		return engine_found(e, err);
	snprintf(e->serial, sizeof(e->serial), "%s", serial);
	snprintf(e->vmid, sizeof(e->vmid), "%s", vmid);
	return 0;
}

/* ---- open, close ---- */

static int engine_load(struct engine *e, const char *state_dir, struct err *err) {
	AUTO_FREE char *key_path = xasprintf("%s/device.key", state_dir);
	AUTO_FREE char *db_path = xasprintf("%s/config.db", state_dir);
	bool is_new = access(db_path, F_OK) != 0 && errno == ENOENT;
	int rc;

	/* what is sealed in an old database opens only with its own key: never make a second one */
	e->keyring = keyring_open(key_path, is_new, err);
	if (!e->keyring)
		return ERR_STORE;
	e->store = store_open(db_path, err);
	if (!e->store)
		return ERR_STORE;
	rc = engine_key(e, err);
	if (rc == 0)
		rc = reseal_open(e, err);
	if (rc == 0)
		rc = engine_load_model(e, err);
	if (rc == 0)
		reseal_start(e);
	return rc ? rc : engine_identity(e, err);
}

struct engine *engine_open(const char *state_dir, struct err *err) {
	struct engine *e = xcalloc(1, sizeof(*e));

	e->model = model_new();
	if (engine_load(e, state_dir, err) == 0)
		return e;
	engine_close(e);
	return NULL;
}

int engine_accept(const char *state_dir, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/config.db", state_dir);
	struct store *s;
	int rc;

	if (access(path, F_OK) != 0)
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
	s = store_open(path, err);
	rc = s ? store_meta_set(s, META_DIGESTS, "", err) : ERR_STORE;
	store_close(s);
	return rc;
}

void engine_close(struct engine *e) {
	if (!e)
		return;
	store_close(e->store);
	keyring_close(e->keyring);
	model_free(e->model);
	free(e);
}

/* ---- backends ---- */

void engine_add_backend(struct engine *e, const struct backend *b) {
	if (e->n_backends < ENGINE_BACKENDS_MAX)
		e->backends[e->n_backends++] = *b;
}

int engine_start(struct engine *e, struct err *err) {
	struct commit commit = { .model = e->model, .revision = e->revision };

	for (unsigned int i = 0; i < e->n_backends; i++) {
		struct backend *b = &e->backends[i];
		int rc = b->start ? b->start(b->ctx, &commit, err) : 0;

		if (rc)
			return rc;
	}
	return 0;
}

/* ---- who has a say, who is told ---- */

void engine_set_guard(struct engine *e, engine_guard_fn *guard, void *arg) {
	e->guard = guard;
	e->guard_arg = arg;
}

void engine_watch(struct engine *e, void (*committed)(void *arg), void *arg) {
	if (e->n_watchers < ENGINE_WATCHERS_MAX)
		e->watchers[e->n_watchers++] = (struct engine_watcher){ committed, arg };
}

const char *engine_hostname(const struct engine *e) {
	const char *name = object_str(model_object(e->model, schema_tables[TBL_SYSTEM_GLOBAL]),
				      SYSTEM_GLOBAL__HOSTNAME);

	return *name ? name : e->serial;
}
