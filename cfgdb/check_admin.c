/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody must be left who may do everything and can log in, or nobody could make another one. Who
 * has the name of an account of the machine, or one that no user can have, cannot.
 *
 * Keys and times are texts for the schema. What an entry has had before is not looked at again: so
 * it can be changed although an older release has taken what it holds.
 */
#include "cfgdb/check_admin.h"

#include <string.h>

#include "cfgdb/admin.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define SHOWN_MAX 40  /* bytes of a wrong value in an error */

/* ---- who is left ---- */

/* Someone who may do everything, and can log in although other servers are away. */
static bool is_super_admin(const struct object *admin) {
	return admin && strcmp(object_str(admin, SYSTEM_ADMIN__ACCPROFILE), "super_admin") == 0 &&
	       object_is(admin, SYSTEM_ADMIN__STATUS, "enable") &&
	       object_is(admin, SYSTEM_ADMIN__REMOTE_AUTH, "disable") &&
	       object_is(admin, SYSTEM_ADMIN__WILDCARD, "disable") &&
	       object_is(admin, SYSTEM_ADMIN__PEER_AUTH, "disable") &&
	       object_is(admin, SYSTEM_ADMIN__GUEST_AUTH, "disable") &&
	       !admin_objection_to_name(admin->key);
}

static int other_super_admin(void *arg, const struct object *admin) {
	const struct object *but = arg;

	return strcmp(admin->key, but->key) != 0 && is_super_admin(admin);
}

static int refuse_last(const struct object *admin, struct err *err) {
	return err_set(err, ERR_CONFLICT,
		       "'%s' is the last administrator with profile 'super_admin' who can log in\n"
		       "object check operator error, -7, discard the setting",
		       admin->key);
}

/* What was a super_admin and will be none: one must be left. */
static int super_admin_goes(const struct txn *t, const struct object *admin, struct err *err) {
	return txn_each_any_order(t, admin->table, other_super_admin, (void *)admin)
		       ? 0
		       : refuse_last(admin, err);
}

int check_admin_delete(const struct txn *t, const struct object *obj, struct err *err) {
	return is_super_admin(obj) ? super_admin_goes(t, obj, err) : 0;
}

int check_admin_purge(const struct object *obj, struct err *err) {
	return is_super_admin(obj) ? refuse_last(obj, err) : 0;
}

int check_admin_rename(const struct txn *t, const struct object *obj, const struct object *renamed,
		       struct err *err) {
	return is_super_admin(renamed) ? 0 : check_admin_delete(t, obj, err);
}

/* ---- values ---- */

static bool is_new(const struct txn *t, const struct object *obj, unsigned int attr) {
	const struct object *before = txn_active(t, obj->table, obj->key);

	return !before || strcmp(object_str(before, attr), object_str(obj, attr)) != 0;
}

static int refuse_value(const struct object *obj, unsigned int attr, const char *why,
			struct err *err) {
	const char *name = obj->table->attrs[attr].name, *text = object_str(obj, attr);

	return err_set(err, ERR_VALUE,
		       "%s %s\n"
		       "node_check_object fail! for %s %.*s\n\n"
		       "value parse error before '%.*s'",
		       name, why, name, SHOWN_MAX, text, SHOWN_MAX, text);
}

static int check_keys(const struct txn *t, const struct object *obj, struct err *err) {
	static const unsigned int keys[] = { SYSTEM_ADMIN__SSH_PUBLIC_KEY1,
					     SYSTEM_ADMIN__SSH_PUBLIC_KEY2,
					     SYSTEM_ADMIN__SSH_PUBLIC_KEY3 };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		const char *key = object_str(obj, keys[i]);
		size_t len;
		const char *why = *key ? admin_objection_to_key(key, &len) : NULL;

		if (why && is_new(t, obj, keys[i]))
			return refuse_value(obj, keys[i], why, err);
	}
	return 0;
}

static int check_expiry(const struct txn *t, const struct object *obj, struct err *err) {
	const unsigned int attr = SYSTEM_ADMIN__PASSWORD_EXPIRE;
	time_t ends;

	if (admin_expiry(object_str(obj, attr), &ends) || !is_new(t, obj, attr))
		return 0;
	return refuse_value(obj, attr, "is no time: it has the form YYYY-MM-DD hh:mm:ss", err);
}

int check_admin(const struct txn *t, const struct object *obj, struct err *err) {
	bool was = is_super_admin(txn_find(t, obj->table, obj->key)) ||
		   is_super_admin(txn_active(t, obj->table, obj->key));
	int rc = check_keys(t, obj, err);

	if (rc == 0)
		rc = check_expiry(t, obj, err);
	return rc == 0 && was && !is_super_admin(obj) ? super_admin_goes(t, obj, err) : rc;
}
