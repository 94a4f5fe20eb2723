/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets at rest: sealed under a key of this device, shown as "ENC TEXT", never in clear.
 *
 * The sealed text is made once, when the value changes, so it is the same in every `show` and
 * every backup until then. What must only be compared (passwords of administrators) is hashed
 * instead (cfgdb/password.h): its text has no key, and all that takes a sealed text takes it, too.
 */
#pragma once

#include <stdbool.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/warn.h"
#include "cfgdb/keyring.h"
#include "cfgdb/model/object.h"

#define SECRET_MAC_LEN 32
#define SECRET_MAC_KEY_LEN 32

/*
 * "ENC TEXT" for a secret in clear that is the unit's own and stands in no attribute, under the key
 * of the device; the caller frees.
 */
char *secret_seal(const struct keyring *k, const char *plain);

/*
 * The same for one of an attribute, under the key in force (cfgdb/keyring.h): nowhere else is the
 * text taken. For an attribute that is only compared plain is its hash; NULL when it is none.
 */
char *secret_seal_for(const struct keyring *k, const struct schema_table *table,
		      const struct schema_attr *attr, const char *plain);

/*
 * As secret_seal(), but equal texts for equal secrets: for what nobody is shown, so that to seal it
 * again changes nothing. The caller frees.
 */
char *secret_seal_same(const struct keyring *k, const char *plain);

/* The clear text of "ENC TEXT" into *ret, which the caller wipes and frees. */
int secret_unseal(const struct keyring *k, const char *sealed, char **ret, struct err *err);

/*
 * Whether "ENC TEXT" was sealed by this unit for the attribute, or is that of a hash, and holds
 * what it wants. This is all
 * that may be told about a sealed text.
 */
bool secret_fits(const struct keyring *k, const struct schema_table *table,
		 const struct schema_attr *attr, const char *sealed);

/*
 * "ENC TEXT" of an attribute sealed anew under the key in force, or that of the hash that was
 * sealed, which no key has made; equal texts become equal ones.
 * NULL when it is so already, cannot be read, or names no attribute. The caller frees.
 */
char *secret_renew(const struct keyring *k, const char *sealed);

/* The same for all secrets of obj, named or not; whether any of them is another text now. */
bool secret_renew_object(const struct keyring *k, struct object *obj);

/*
 * MAC of the secret in "ENC TEXT" under a key of SECRET_MAC_KEY_LEN bytes (NULL: the device's);
 * equal for equal secrets, whatever their sealed form.
 */
int secret_mac(const struct keyring *k, const unsigned char *key, const char *sealed,
	       unsigned char mac[SECRET_MAC_LEN], struct err *err);

#define SECRET_MAC_HEX_LEN (2 * SECRET_MAC_LEN)

/* The same in hexadecimal digits, as it stands in texts that are digested. */
int secret_mac_hex(const struct keyring *k, const unsigned char *key, const char *sealed,
		   char hex[SECRET_MAC_HEX_LEN + 1]);

#define SECRET_GROUP_KEY_LEN 32

/*
 * Whether the secret in "ENC TEXT" is a key already: `0x` and 32 or more hexadecimal digits, an
 * even number of them. Then secret_group_key() costs nothing.
 */
bool secret_is_key(const struct keyring *k, const char *sealed);

/*
 * The key that members of group number `group` make of the secret in "ENC TEXT". For one that is
 * no key it takes 64 MiB and some tenths of a second; it may run in a thread of its own.
 */
int secret_group_key(const struct keyring *k, const char *sealed, unsigned char group,
		     unsigned char key[SECRET_GROUP_KEY_LEN], struct err *err);

/*
 * Seal every secret of obj that was typed in clear, and check that those which came sealed can be
 * read and hold what their attribute wants. A secret that did not change keeps the sealed text it
 * has in old (may be NULL).
 */
int secret_seal_object(const struct keyring *k, struct object *obj, const struct object *old,
		       struct err *err);

/*
 * Warn of each secret of obj that is shorter than its attribute advises, unless it is the one that
 * old (may be NULL) has there.
 */
void secret_review_object(const struct keyring *k, const struct object *obj,
			  const struct object *old, struct warnings *warnings);

/* Whether every secret of obj can be read, but for texts that old (may be NULL) has there, too. */
bool secret_opens_object(const struct keyring *k, const struct object *obj,
			 const struct object *old);

/* Replace each secret of obj by "MAC hex", for digests; false when one cannot be read. */
bool secret_mask_object(const struct keyring *k, struct object *obj);

/* True when obj or a child holds a secret. */
bool secret_in_object(const struct object *obj);

/* A key for one use, made of another: HKDF-Expand (RFC 5869) with SHA-256, one block. */
void secret_derive(const unsigned char key[SECRET_GROUP_KEY_LEN], const char *use,
		   unsigned char ret[SECRET_GROUP_KEY_LEN]);
