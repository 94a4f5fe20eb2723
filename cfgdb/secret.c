/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sealed text: base64 of a header and XChaCha20-Poly1305 ciphertext (libsodium,
 * https://doc.libsodium.org/secret-key_cryptography/aead), which vouches for the header, too. The
 * header names the key, and by a hash the attribute that the text is for, so that no text can be
 * moved to an attribute that is shown or sent elsewhere. Clear text is padded with zeros: the
 * length of sealed text tells nothing of a secret up to PAD_LEN bytes. Texts of the first release,
 * which are read and not made any more, have neither key nor attribute nor padding.
 *
 * The MAC that stands for a secret in digests is keyed BLAKE2b with a key derived from the device
 * key, so a digest helps nobody to guess a password.
 *
 * Passwords that are only compared are hashed, and hashes are not sealed (cfgdb/password.h). Those
 * that older releases have sealed are read, and become texts of hashes wherever they are renewed.
 */
#include "cfgdb/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/keyring_impl.h"
#include "cfgdb/password.h"
#include "schemas/schema_gen.h"

#define PLACE_LEN crypto_generichash_BYTES_MIN
#define PAD_LEN ((size_t)128)
#define NONCE_LEN crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
#define TAG_LEN crypto_aead_xchacha20poly1305_ietf_ABYTES
#define SEALED_MAX 8192
#define BASE64 sodium_base64_VARIANT_ORIGINAL
#define BASE64_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="

/* What sealed text begins with; the ciphertext follows. */
struct seal_head {
	unsigned char version;
	unsigned char key[KEY_NAME_LEN];
	unsigned char place[PLACE_LEN]; /* zeros: for no attribute in particular */
	unsigned char nonce[NONCE_LEN];
};

#define HEAD_LEN sizeof(struct seal_head)

static const unsigned char first_label[] = "gatehouse secret 1";

/* What a header says of an attribute. */
static void place_of(const struct schema_table *table, const struct schema_attr *attr,
		     unsigned char place[PLACE_LEN]) {
	AUTO_FREE char *path = xasprintf("gatehouse secret of %s %s", table->dotted, attr->name);

	crypto_generichash(place, PLACE_LEN, (const unsigned char *)path, strlen(path), NULL, 0);
}

/* What is the unit's own stands in no attribute. */
static void place_of_unit(unsigned char place[PLACE_LEN]) {
	static const char path[] = "gatehouse secret of the unit";

	crypto_generichash(place, PLACE_LEN, (const unsigned char *)path, sizeof(path), NULL, 0);
}

/* The rest of head is filled here. */
static char *seal(const struct seal_key *key, const char *plain, struct seal_head *head) {
	size_t len = strlen(plain);
	size_t padded = len ? (len + PAD_LEN - 1) / PAD_LEN * PAD_LEN : PAD_LEN;
	size_t total = HEAD_LEN + padded + TAG_LEN;
	size_t text_len = sodium_base64_ENCODED_LEN(total, BASE64);
	AUTO_FREE unsigned char *raw = xcalloc(total, 1);
	char *text = xcalloc(text_len + 4, 1);

	head->version = key->version;
	memcpy(head->key, key->name, sizeof(head->key));
	memcpy(raw, head, HEAD_LEN);
	memcpy(raw + HEAD_LEN, plain, len); /* sealed in place */
	crypto_aead_xchacha20poly1305_ietf_encrypt(raw + HEAD_LEN, NULL, raw + HEAD_LEN, padded,
						   raw, HEAD_LEN, NULL, head->nonce, key->seal);
	memcpy(text, "ENC ", 4);
	sodium_bin2base64(text + 4, text_len, raw, total, BASE64);
	return text;
}

char *secret_seal(const struct keyring *k, const char *plain) {
	struct seal_head head = { 0 };

	place_of_unit(head.place);
	randombytes_buf(head.nonce, sizeof(head.nonce));
	return seal(&k->device, plain, &head);
}

char *secret_seal_for(const struct keyring *k, const struct schema_table *table,
		      const struct schema_attr *attr, const char *plain) {
	struct seal_head head = { 0 };

	if (attr->type == ATTR_PASSWORD_HASH)
		return password_text(plain);
	place_of(table, attr, head.place);
	randombytes_buf(head.nonce, sizeof(head.nonce));
	return seal(k->sealing, plain, &head);
}

/* The nonce is a MAC of the text: it comes again with the same text, and with no other. */
char *secret_seal_same(const struct keyring *k, const char *plain) {
	struct seal_head head = { 0 };
	crypto_generichash_state state;

	crypto_generichash_init(&state, k->mac, sizeof(k->mac), sizeof(head.nonce));
	crypto_generichash_update(&state, first_label, sizeof(first_label));
	crypto_generichash_update(&state, (const unsigned char *)plain, strlen(plain));
	crypto_generichash_final(&state, head.nonce, sizeof(head.nonce));
	sodium_memzero(&state, sizeof(state));
	return seal(&k->device, plain, &head);
}

/* The decoder itself takes some bytes above 0x7f for '/'; two texts must not mean the same. */
static bool is_sealed_text(const char *text) {
	return strncmp(text, "ENC ", 4) == 0 &&
	       text[4 + strspn(text + 4, BASE64_CHARACTERS)] == '\0';
}

/* The key that sealed what has this header, or NULL with what to do. */
static const struct seal_key *key_of(const struct keyring *k, const struct seal_head *head,
				     struct err *err) {
	char id[PRIVATE_KEY_ID_LEN + 1];

	if (keyring_is_key(&k->device, head->version, head->key))
		return &k->device;
	for (size_t i = 0; i < PRIVATE_KEYS; i++)
		if (keyring_is_key(&k->private[i], head->version, head->key))
			return &k->private[i];
	sodium_bin2hex(id, sizeof(id), head->key, sizeof(head->key));
	if (head->version == SEAL_PRIVATE)
		err_set(err, ERR_VALUE,
			"the ENC text was made with the private key %s, which this unit does not "
			"have: give it with `execute private-data-encryption key`, or type the "
			"secret in clear",
			id);
	else
		err_set(err, ERR_VALUE,
			"the ENC text was made by another unit: type the secret in clear");
	return NULL;
}

/* Of the first release: nothing is said of the key, so another one cannot be told from damage. */
static int unseal_first(const struct keyring *k, const unsigned char *raw, size_t len, char **ret,
			struct err *err) {
	char *plain = xcalloc(len, 1);

	if (crypto_aead_xchacha20poly1305_ietf_decrypt(
		    (unsigned char *)plain, NULL, NULL, raw + 1 + NONCE_LEN, len - 1 - NONCE_LEN,
		    first_label, sizeof(first_label), raw + 1, k->device.seal) != 0) {
		free(plain);
		return err_set(err, ERR_VALUE,
			       "the ENC text was made by another unit: type the secret in clear");
	}
	*ret = plain;
	return 0;
}

/* What has a header, which is at its begin. */
static int unseal_headed(const struct keyring *k, const unsigned char *raw, size_t len,
			 const struct seal_head *head, char **ret, struct err *err) {
	const struct seal_key *key = key_of(k, head, err);
	char *plain;

	if (!key)
		return ERR_VALUE;
	plain = xcalloc(len, 1);
	if (crypto_aead_xchacha20poly1305_ietf_decrypt((unsigned char *)plain, NULL, NULL,
						       raw + HEAD_LEN, len - HEAD_LEN, raw,
						       HEAD_LEN, head->nonce, key->seal) != 0) {
		free(plain);
		return err_set(err, ERR_VALUE, "the ENC text is damaged");
	}
	*ret = plain;
	return 0;
}

/* The text of a hash, which no key has sealed. */
static int unseal_hash(const char *text, char **ret, struct err *err) {
	char *hash = password_read(text);

	if (!hash)
		return err_set(err, ERR_VALUE, "the ENC text is damaged");
	*ret = hash;
	return 0;
}

static bool is_hash_text(const struct seal_head *head) {
	return head->version == SEAL_NONE;
}

/* Open sealed text; *head is what it says of itself, and true: nothing, of that of a hash. */
static int unseal(const struct keyring *k, const char *sealed, struct seal_head *head, char **ret,
		  struct err *err) {
	unsigned char raw[SEALED_MAX];
	size_t len = 0, text_len = strlen(sealed);

	*head = (struct seal_head){ .version = SEAL_NONE };
	if (password_is_text(sealed))
		return unseal_hash(sealed, ret, err);
	if (!is_sealed_text(sealed) ||
	    sodium_base642bin(raw, sizeof(raw), sealed + 4, text_len - 4, NULL, &len, NULL,
			      BASE64) != 0)
		len = 0;
	head->version = len > 0 ? raw[0] : SEAL_NONE;
	if (head->version == SEAL_FIRST && len >= 1 + NONCE_LEN + TAG_LEN)
		return unseal_first(k, raw, len, ret, err);
	if ((head->version != SEAL_DEVICE && head->version != SEAL_PRIVATE) ||
	    len < HEAD_LEN + TAG_LEN)
		return err_set(err, ERR_VALUE, "the ENC text was not made by this product");
	memcpy(head, raw, HEAD_LEN);
	return unseal_headed(k, raw, len, head, ret, err);
}

int secret_unseal(const struct keyring *k, const char *sealed, char **ret, struct err *err) {
	struct seal_head head;

	return unseal(k, sealed, &head, ret, err);
}

/* What is compared only must be a hash. */
static bool is_of_kind(const struct schema_attr *attr, const char *plain) {
	AUTO_FREE char *text = NULL;

	if (attr->type != ATTR_PASSWORD_HASH)
		return true;
	text = password_text(plain);
	return text != NULL;
}

/* Wipe and free a secret in clear. */
static void plain_free(char *plain) {
	if (plain)
		sodium_memzero(plain, strlen(plain));
	free(plain);
}

/* Whether sealed text with this header may stand in the attribute; for none: in any. */
static bool is_placed(const struct seal_head *head, const struct schema_table *table,
		      const struct schema_attr *attr) {
	unsigned char place[PLACE_LEN];

	if (is_hash_text(head))
		return attr->type == ATTR_PASSWORD_HASH;
	place_of(table, attr, place);
	return sodium_is_zero(head->place, sizeof(head->place)) ||
	       memcmp(head->place, place, sizeof(place)) == 0;
}

bool secret_fits(const struct keyring *k, const struct schema_table *table,
		 const struct schema_attr *attr, const char *sealed) {
	struct seal_head head;
	char *plain = NULL;
	bool fits = unseal(k, sealed, &head, &plain, NULL) == 0 &&
		    is_placed(&head, table, attr) && is_of_kind(attr, plain);

	plain_free(plain);
	return fits;
}

/* ---- under another key ---- */

static bool is_current(const struct keyring *k, const struct seal_head *head) {
	return keyring_is_key(k->sealing, head->version, head->key) &&
	       !sodium_is_zero(head->place, sizeof(head->place));
}

/*
 * The nonce is a MAC of the key, the place and the old text, so equal texts become equal ones where
 * they stand for the same, and no nonce comes twice with two headers.
 */
static char *seal_anew(const struct keyring *k, const char *sealed, const char *plain,
		       struct seal_head *head) {
	const struct seal_key *key = k->sealing;
	crypto_generichash_state state;

	crypto_generichash_init(&state, k->mac, sizeof(k->mac), sizeof(head->nonce));
	crypto_generichash_update(&state, key->name, sizeof(key->name));
	crypto_generichash_update(&state, head->place, sizeof(head->place));
	crypto_generichash_update(&state, (const unsigned char *)sealed, strlen(sealed));
	crypto_generichash_final(&state, head->nonce, sizeof(head->nonce));
	sodium_memzero(&state, sizeof(state));
	return seal(key, plain, head);
}

/* Whether sealed text with this header is for an attribute that holds a hash. */
static bool names_hash(const struct seal_head *head) {
	for (uint16_t t = 0; t < schema_n_tables; t++) {
		const struct schema_table *table = schema_tables[t];

		for (unsigned int i = 0; i < table->n_attrs; i++)
			if (table->attrs[i].type == ATTR_PASSWORD_HASH &&
			    is_placed(head, table, &table->attrs[i]))
				return true;
	}
	return false;
}

/* For this attribute; table is NULL: for the one that the text names, if any. */
static char *renew(const struct keyring *k, const struct schema_table *table,
		   const struct schema_attr *attr, const char *sealed) {
	char *plain = NULL, *renewed = NULL;
	struct seal_head head;
	bool stays;

	if (unseal(k, sealed, &head, &plain, NULL) != 0)
		return NULL;
	stays = is_hash_text(&head) || is_current(k, &head);
	if (table && !stays)
		place_of(table, attr, head.place);
	if (!sodium_is_zero(head.place, sizeof(head.place))) {
		renewed = names_hash(&head) ? password_text(plain) : NULL;
		if (!renewed && !stays)
			renewed = seal_anew(k, sealed, plain, &head);
	}
	plain_free(plain);
	return renewed;
}

char *secret_renew(const struct keyring *k, const char *sealed) {
	return renew(k, NULL, NULL, sealed);
}

bool secret_renew_object(const struct keyring *k, struct object *obj) {
	bool any = false;

	for (uint32_t f = 0; f < obj->n_fields; f++) {
		struct field *field = &obj->fields[f];
		const struct schema_attr *a = &obj->table->attrs[field->attr];

		for (uint32_t i = 0; i < field->value.n; i++) {
			union item *item = (union item *)value_item(&field->value, i);
			char *renewed = NULL;

			if (a->type == ATTR_CHILD)
				any = secret_renew_object(k, item->entry) || any;
			else if (schema_is_secret(a))
				renewed = renew(k, obj->table, a, item->str);
			if (!renewed)
				continue;
			free(item->str);
			item->str = renewed;
			any = true;
		}
	}
	return any;
}

/* ---- what stands for a secret ---- */

int secret_mac(const struct keyring *k, const unsigned char *key, const char *sealed,
	       unsigned char mac[SECRET_MAC_LEN], struct err *err) {
	char *plain;
	int rc = secret_unseal(k, sealed, &plain, err);

	if (rc)
		return rc;
	_Static_assert(SECRET_MAC_KEY_LEN == sizeof(k->mac), "key of MACs");
	crypto_generichash(mac, SECRET_MAC_LEN, (const unsigned char *)plain, strlen(plain),
			   key ? key : k->mac, sizeof(k->mac));
	plain_free(plain);
	return 0;
}

int secret_mac_hex(const struct keyring *k, const unsigned char *key, const char *sealed,
		   char hex[SECRET_MAC_HEX_LEN + 1]) {
	unsigned char mac[SECRET_MAC_LEN];
	int rc = secret_mac(k, key, sealed, mac, NULL);

	if (rc == 0)
		sodium_bin2hex(hex, SECRET_MAC_HEX_LEN + 1, mac, sizeof(mac));
	return rc;
}

/* ---- the key of a group ---- */

#define HEX_DIGITS_MIN 32
#define GROUP_LABEL "gatehouse session group 1"
#define STRETCH_PASSES 3
#define STRETCH_BYTES ((size_t)64 << 20)

static bool is_hex_key(const char *plain) {
	size_t n = strlen(plain);

	return n >= 2 + HEX_DIGITS_MIN && n % 2 == 0 && strncmp(plain, "0x", 2) == 0 &&
	       strspn(plain + 2, "0123456789abcdefABCDEF") == n - 2;
}

bool secret_is_key(const struct keyring *k, const char *sealed) {
	char *plain = NULL;
	bool is = secret_unseal(k, sealed, &plain, NULL) == 0 && is_hex_key(plain);

	plain_free(plain);
	return is;
}

/* HKDF-Extract (RFC 5869): HMAC-SHA256 of the bytes and the group's number, keyed by the label. */
static void extract_key(const char *digits, unsigned char group, unsigned char *key) {
	crypto_auth_hmacsha256_state state;
	unsigned char byte;

	crypto_auth_hmacsha256_init(&state, (const unsigned char *)GROUP_LABEL,
				    strlen(GROUP_LABEL));
	for (; *digits; digits += 2) {
		sodium_hex2bin(&byte, 1, digits, 2, NULL, NULL, NULL);
		crypto_auth_hmacsha256_update(&state, &byte, 1);
	}
	crypto_auth_hmacsha256_update(&state, &group, 1);
	crypto_auth_hmacsha256_final(&state, key);
	sodium_memzero(&state, sizeof(state));
	sodium_memzero(&byte, sizeof(byte));
}

/* Argon2id (RFC 9106), salted by a hash of the label and the group's number. */
static int stretch_key(const char *plain, unsigned char group, unsigned char *key,
		       struct err *err) {
	unsigned char text[sizeof(GROUP_LABEL)] = GROUP_LABEL; /* its end is the group's place */
	unsigned char salt[crypto_hash_sha256_BYTES];

	text[sizeof(text) - 1] = group;
	crypto_hash_sha256(salt, text, sizeof(text));
	_Static_assert(sizeof(salt) >= crypto_pwhash_argon2id_SALTBYTES, "salt");
	if (crypto_pwhash(key, SECRET_GROUP_KEY_LEN, plain, strlen(plain), salt, STRETCH_PASSES,
			  STRETCH_BYTES, crypto_pwhash_ALG_ARGON2ID13) != 0)
		return err_set(err, ERR_STORE, "there is not enough memory to stretch a secret");
	return 0;
}

int secret_group_key(const struct keyring *k, const char *sealed, unsigned char group,
		     unsigned char key[SECRET_GROUP_KEY_LEN], struct err *err) {
	char *plain = NULL;
	int rc = secret_unseal(k, sealed, &plain, err);

	if (rc == 0 && is_hex_key(plain))
		extract_key(plain + 2, group, key);
	else if (rc == 0)
		rc = stretch_key(plain, group, key, err);
	plain_free(plain);
	return rc;
}

void secret_derive(const unsigned char key[SECRET_GROUP_KEY_LEN], const char *use,
		   unsigned char ret[SECRET_GROUP_KEY_LEN]) {
	static const unsigned char first = 1; /* the number of the block */
	crypto_auth_hmacsha256_state state;

	_Static_assert(crypto_auth_hmacsha256_BYTES == SECRET_GROUP_KEY_LEN, "one block");
	crypto_auth_hmacsha256_init(&state, key, SECRET_GROUP_KEY_LEN);
	crypto_auth_hmacsha256_update(&state, (const unsigned char *)use, strlen(use));
	crypto_auth_hmacsha256_update(&state, &first, 1);
	crypto_auth_hmacsha256_final(&state, ret);
	sodium_memzero(&state, sizeof(state));
}

/* ---- objects ---- */

/* Whether the sealed text `old` holds what was typed. */
static bool secret_unchanged(const struct keyring *k, const struct schema_attr *attr,
			     const char *typed, const char *old) {
	char *plain = NULL;
	bool same;

	if (!old || secret_unseal(k, old, &plain, NULL) != 0)
		return false;
	same = attr->type == ATTR_PASSWORD_HASH ? password_is(plain, typed) :
						  strcmp(typed, plain) == 0;
	plain_free(plain);
	return same;
}

/*
 * Check one item that came sealed, from a backup: it must open, be meant for this attribute and
 * hold a hash where a hash belongs. When it holds what `old` holds, the text of `old` stays. One
 * under another key, or for no attribute, kept from before there was this one, is sealed anew.
 */
static int secret_take_sealed(const struct keyring *k, const struct schema_table *table,
			      const struct schema_attr *attr, union item *item, const char *old,
			      struct err *err) {
	char *plain = NULL, *before = NULL, *taken = NULL;
	struct seal_head head;
	int rc = unseal(k, item->str, &head, &plain, err);

	if (rc == 0 && !is_of_kind(attr, plain))
		rc = err_set(err, ERR_VALUE, "the ENC text holds no password hash");
	else if (rc == 0 && !is_placed(&head, table, attr))
		rc = err_set(err, ERR_VALUE, "the ENC text was made for another attribute");
	if (rc)
		err_prefix(err, "node_check_object fail! for %s", attr->name);
	else if (old && secret_unseal(k, old, &before, NULL) == 0 && strcmp(before, plain) == 0)
		taken = xstrdup(old);
	else
		taken = renew(k, table, attr, item->str);
	if (taken) {
		free(item->str);
		item->str = taken;
	}
	plain_free(plain);
	plain_free(before);
	return rc;
}

/* Seal one item in place; `old` is the sealed text it replaces, or NULL. */
static int secret_seal_item(const struct keyring *k, const struct schema_table *table,
			    const struct schema_attr *attr, union item *item, const char *old,
			    struct err *err) {
	char *hash = NULL, *sealed;

	if (item->str[0] != '=')
		return old && strcmp(old, item->str) == 0 ?
			       0 :
			       secret_take_sealed(k, table, attr, item, old, err);
	if (secret_unchanged(k, attr, item->str + 1, old)) {
		sealed = xstrdup(old);
	} else if (attr->type == ATTR_PASSWORD_HASH) {
		hash = password_hash(item->str + 1);
		sealed = hash ? password_text(hash) : NULL;
		plain_free(hash);
		if (!sealed)
			return err_set(err, ERR_STORE, "%s: yescrypt is not available", attr->name);
	} else {
		sealed = secret_seal_for(k, table, attr, item->str + 1);
	}
	plain_free(item->str);
	item->str = sealed;
	return 0;
}

/* The entry of that name in another object, or NULL. */
static const struct object *child_of(const struct object *obj, unsigned int attr,
				     const struct object *entry) {
	return obj ? object_child(obj, attr, entry->key) : NULL;
}

int secret_seal_object(const struct keyring *k, struct object *obj, const struct object *old,
		       struct err *err) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		struct field *field = &obj->fields[f];
		const struct schema_attr *a = &obj->table->attrs[field->attr];
		const struct value *before = old ? object_get(old, field->attr) : NULL;

		for (uint32_t i = 0; i < field->value.n; i++) {
			union item *item = (union item *)value_item(&field->value, i);
			bool was = before && i < before->n;
			int rc = 0;

			if (a->type == ATTR_CHILD)
				rc = secret_seal_object(k, item->entry,
							child_of(old, field->attr, item->entry),
							err);
			else if (schema_is_secret(a))
				rc = secret_seal_item(k, obj->table, a, item,
						      was ? value_item(before, i)->str : NULL, err);
			if (rc)
				return rc;
		}
	}
	return 0;
}

/* Characters in a secret, by the bytes of UTF-8 that begin one; SIZE_MAX when it cannot be read. */
static size_t secret_characters(const struct keyring *k, const char *sealed) {
	char *plain = NULL;
	size_t n = 0;

	if (secret_unseal(k, sealed, &plain, NULL) != 0)
		return SIZE_MAX;
	for (const char *p = plain; *p; p++)
		n += (*p & 0xc0) != 0x80;
	plain_free(plain);
	return n;
}

static void secret_review_value(const struct keyring *k, const struct object *obj,
				const struct field *field, const struct object *old,
				struct warnings *warnings) {
	const struct schema_attr *a = &obj->table->attrs[field->attr];
	const struct value *before = old ? object_get(old, field->attr) : NULL;

	for (uint32_t i = 0; i < field->value.n; i++) {
		const union item *item = value_item(&field->value, i);

		if (a->type == ATTR_CHILD)
			secret_review_object(k, item->entry,
					     child_of(old, field->attr, item->entry), warnings);
		else if (a->type == ATTR_PASSWORD && a->min > 0 &&
			 !(before && i < before->n &&
			   strcmp(value_item(before, i)->str, item->str) == 0) &&
			 secret_characters(k, item->str) < (size_t)a->min)
			warn_add(warnings, "%s%s%s: %s has fewer than %lld characters",
				 obj->table->path, *obj->key ? " " : "", obj->key, a->name,
				 (long long)a->min);
	}
}

void secret_review_object(const struct keyring *k, const struct object *obj,
			  const struct object *old, struct warnings *warnings) {
	for (uint32_t f = 0; f < obj->n_fields; f++)
		secret_review_value(k, obj, &obj->fields[f], old, warnings);
}

static bool secret_opens(const struct keyring *k, const char *sealed) {
	char *plain = NULL;
	bool opens = secret_unseal(k, sealed, &plain, NULL) == 0;

	plain_free(plain);
	return opens;
}

bool secret_opens_object(const struct keyring *k, const struct object *obj,
			 const struct object *old) {
	bool opens = true;

	for (uint32_t f = 0; f < obj->n_fields && opens; f++) {
		const struct field *field = &obj->fields[f];
		const struct schema_attr *a = &obj->table->attrs[field->attr];
		const struct value *before = old ? object_get(old, field->attr) : NULL;

		for (uint32_t i = 0; i < field->value.n && opens; i++) {
			const union item *item = value_item(&field->value, i);

			if (a->type == ATTR_CHILD)
				opens = secret_opens_object(
					k, item->entry, child_of(old, field->attr, item->entry));
			else if (schema_is_secret(a))
				opens = secret_opens(k, item->str) ||
					(before && i < before->n &&
					 strcmp(value_item(before, i)->str, item->str) == 0);
		}
	}
	return opens;
}

static bool secret_mask_item(const struct keyring *k, union item *item) {
	char hex[SECRET_MAC_HEX_LEN + 1];

	if (secret_mac_hex(k, NULL, item->str, hex) != 0)
		return false;
	free(item->str);
	item->str = xasprintf("MAC %s", hex);
	return true;
}

bool secret_mask_object(const struct keyring *k, struct object *obj) {
	bool ok = true;

	for (uint32_t f = 0; f < obj->n_fields; f++) {
		struct field *field = &obj->fields[f];
		const struct schema_attr *a = &obj->table->attrs[field->attr];

		for (uint32_t i = 0; i < field->value.n; i++) {
			union item *item = (union item *)value_item(&field->value, i);

			if (a->type == ATTR_CHILD)
				ok = secret_mask_object(k, item->entry) && ok;
			else if (schema_is_secret(a))
				ok = secret_mask_item(k, item) && ok;
		}
	}
	return ok;
}

bool secret_in_object(const struct object *obj) {
	for (uint32_t f = 0; f < obj->n_fields; f++) {
		const struct schema_attr *a = &obj->table->attrs[obj->fields[f].attr];

		if (schema_is_secret(a))
			return true;
		for (uint32_t i = 0; a->type == ATTR_CHILD && i < obj->fields[f].value.n; i++)
			if (secret_in_object(value_item(&obj->fields[f].value, i)->entry))
				return true;
	}
	return false;
}
