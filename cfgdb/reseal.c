/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is sealed anew stays the same secret, so neither digests nor versions change: no peer and no
 * shell notices. The new text follows from the old one and the key; so what is written into the
 * database and what is put into the model afterwards are the same without either being kept.
 *
 * Bodies in the history are read as text: what they were made of, this release may not have. What
 * is sealed stands in them behind ` ENC `, outside of quotes.
 *
 * Hashes of passwords, which older releases have sealed, get a text that no key has made.
 *
 * The private key is in the database, sealed with that of the device. It stays there when it is no
 * longer in force, so that an older revision can be brought back.
 */
#include "cfgdb/reseal.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "schemas/schema_gen.h"

#define META_KEY "private_key"
#define MARK " ENC "

/* ---- which key ---- */

static bool wants_private(const struct object *global) {
	return global && object_is(global, SYSTEM_GLOBAL__PRIVATE_DATA_ENCRYPTION, "enable");
}

/* The last private key that was in force, or NULL: there was none, or it cannot be read. */
static const struct seal_key *last_private(struct engine *e) {
	AUTO_FREE char *sealed = NULL;
	const struct seal_key *key = NULL;
	char *digits = NULL;

	if (store_meta_get(e->store, META_KEY, &sealed, NULL) != 0 || !sealed ||
	    secret_unseal(e->keyring, sealed, &digits, NULL) != 0)
		return NULL;
	if (keyring_is_private(digits))
		key = keyring_private(e->keyring, digits);
	explicit_bzero(digits, strlen(digits));
	free(digits);
	return key;
}

bool reseal_is_needed(struct engine *e, const struct object *before, const struct object *after,
		      const char *digits) {
	const struct keyring *k = e->keyring;

	if (wants_private(after) && *digits)
		return keyring_private(e->keyring, digits) != keyring_sealing(k);
	return wants_private(before) != wants_private(after);
}

static int refuse_keyless(struct err *err) {
	return err_set(err, ERR_VALUE,
		       "private-data-encryption needs a key, which no line may hold: "
		       "`execute private-data-encryption key` asks for it and enables it");
}

int reseal_check(struct engine *e, const struct object *before, const struct object *after,
		 const char *digits, struct err *err) {
	bool keyless = !*digits && wants_private(after);

	return keyless && reseal_is_needed(e, before, after, digits) ? refuse_keyless(err) : 0;
}

int reseal_begin(struct reseal *r, struct engine *e, const struct object *before,
		 const struct object *after, const char *digits, bool restores, struct err *err) {
	const struct seal_key *key = keyring_device(e->keyring);

	if (!reseal_is_needed(e, before, after, digits))
		return 0;
	if (wants_private(after) && *digits)
		key = keyring_private(e->keyring, digits);
	else if (wants_private(after))
		key = restores ? last_private(e) : NULL;
	if (!key)
		return refuse_keyless(err);
	if (key == keyring_sealing(e->keyring))
		return 0;
	r->before = keyring_sealing(e->keyring);
	keyring_seal_with(e->keyring, key);
	return 0;
}

void reseal_undo(struct reseal *r, struct engine *e) {
	if (r->before)
		keyring_seal_with(e->keyring, r->before);
	r->before = NULL;
}

/* ---- bodies in the history ---- */

/* Where the next sealed text begins, outside of quotes, or NULL. */
static const char *next_sealed(const char *p, bool *quoted) {
	for (; *p; p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"')
			*quoted = !*quoted;
		else if (!*quoted && strncmp(p, MARK, strlen(MARK)) == 0)
			return p + 1;
	}
	return NULL;
}

/* For store_rewrite(): the body with what is sealed sealed anew, or NULL: it stays. */
static char *renew_body(void *arg, const char *body) {
	const struct keyring *k = arg;
	AUTO_STR struct str text = STR_INIT;
	const char *at = body, *from;
	bool quoted = false, any = false;

	while ((from = next_sealed(at, &quoted)) != NULL) {
		size_t len = strlen(MARK) - 1;
		AUTO_FREE char *sealed = NULL, *renewed = NULL;

		len += strcspn(from + len, " \n");
		sealed = xstrndup(from, len);
		renewed = secret_renew(k, sealed);
		str_add_bytes(&text, at, (size_t)(from - at));
		str_add(&text, renewed ? renewed : sealed);
		any = any || renewed;
		at = from + len;
	}
	str_add(&text, at);
	return any ? str_steal(&text) : NULL;
}

/* ---- the whole ---- */

static int write_object(struct engine *e, const struct object *obj, struct err *err) {
	struct object *copy = secret_in_object(obj) ? object_copy(obj) : NULL;
	int rc = 0;

	if (copy && secret_renew_object(e->keyring, copy))
		rc = store_put(e->store, e->model, copy, err);
	object_free(copy);
	return rc;
}

static int write_objects(struct engine *e, struct err *err) {
	int rc = 0;

	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct object *obj = model_first(e->model, schema_tables[schema_top[i]]);

		for (; obj && rc == 0; obj = model_next(e->model, obj))
			rc = write_object(e, obj, err);
	}
	return rc;
}

int reseal_write(const struct reseal *r, struct engine *e, const char *digits, struct err *err) {
	AUTO_FREE char *sealed = NULL;
	int rc;

	if (!r->before)
		return 0;
	rc = write_objects(e, err);
	if (rc == 0)
		rc = store_rewrite(e->store, renew_body, e->keyring, err);
	if (rc || !*digits || keyring_sealing(e->keyring) == keyring_device(e->keyring))
		return rc;
	sealed = secret_seal(e->keyring, digits);
	return store_meta_set(e->store, META_KEY, sealed, err);
}

/* Secrets are no part of any order or index: they may change where they are. */
static void renew_model(struct engine *e) {
	for (uint16_t i = 0; i < schema_n_top; i++) {
		const struct object *obj = model_first(e->model, schema_tables[schema_top[i]]);

		for (; obj; obj = model_next(e->model, obj))
			secret_renew_object(e->keyring, (struct object *)obj);
	}
}

void reseal_finish(const struct reseal *r, struct engine *e) {
	if (r->before)
		renew_model(e);
}

/* ---- the start ---- */

int reseal_open(struct engine *e, struct err *err) {
	AUTO_FREE char *sealed = NULL;
	int rc = store_meta_get(e->store, META_KEY, &sealed, err);

	if (rc == 0 && sealed && !last_private(e))
		rc = err_set(err, ERR_STORE,
			     "the configuration database: the private key cannot be read");
	return rc;
}

static bool any_to_renew(const struct engine *e) {
	bool any = false;

	for (uint16_t i = 0; i < schema_n_top && !any; i++) {
		const struct object *obj = model_first(e->model, schema_tables[schema_top[i]]);

		for (; obj && !any; obj = model_next(e->model, obj)) {
			struct object *copy = secret_in_object(obj) ? object_copy(obj) : NULL;

			any = copy && secret_renew_object(e->keyring, copy);
			object_free(copy);
		}
	}
	return any;
}

void reseal_start(struct engine *e) {
	const struct object *global = model_object(e->model, schema_table(TBL_SYSTEM_GLOBAL));
	const struct seal_key *key = wants_private(global) ? last_private(e) : NULL;

	if (key)
		keyring_seal_with(e->keyring, key);
	if (!any_to_renew(e))
		return;
	if (store_begin(e->store, NULL) == 0 && write_objects(e, NULL) == 0 &&
	    store_rewrite(e->store, renew_body, e->keyring, NULL) == 0 &&
	    store_commit(e->store, NULL) == 0)
		renew_model(e);
	else
		store_rollback(e->store);
}
