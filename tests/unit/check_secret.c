/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Secrets at rest: the device key, sealed text that is stable, hashes, and what is refused. */
#include "cfgdb/secret.h"

#include <crypt.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/text.h"
#include "cfgdb/password.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

static char *key_path;
static struct keyring *ring, *foreign;

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir(), *other = fixture_dir();
	AUTO_FREE char *other_path = xasprintf("%s/device.key", other);
	struct err err = { 0 };

	key_path = xasprintf("%s/device.key", dir);
	ring = keyring_open(key_path, true, &err);
	ck_assert_msg(ring != NULL, "%s", err.text);
	foreign = keyring_open(other_path, true, &err);
	ck_assert_msg(foreign != NULL, "%s", err.text);
}

static void teardown(void) {
	keyring_close(ring);
	keyring_close(foreign);
	free(key_path);
}

static char *unsealed(const char *sealed) {
	struct err err = { 0 };
	char *plain = NULL;

	ck_assert_msg(secret_unseal(ring, sealed, &plain, &err) == 0, "%s", err.text);
	return plain;
}

/* ---- the key ---- */

START_TEST(test_key_file) {
	AUTO_FREE char *sealed = secret_seal(ring, "secret"), *plain = NULL;
	struct stat st;

	ck_assert_int_eq(stat(key_path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(st.st_size, 32);
	keyring_close(ring);
	ring = keyring_open(key_path, true, NULL);
	plain = unsealed(sealed);
	ck_assert_str_eq(plain, "secret");
	keyring_close(NULL);
}
END_TEST

START_TEST(test_key_missing) {
	AUTO_FREE char *path = xasprintf("%s.not", key_path), *text = NULL;
	struct err err = { 0 };

	ck_assert_ptr_null(keyring_open(path, false, &err));
	text = xasprintf("device key %s: No such file or directory", path);
	ck_assert_str_eq(err.text, text);
	ck_assert_int_eq(err.code, ERR_STORE);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(test_key_short) {
	AUTO_FREE char *text = NULL;
	struct err err = { 0 };

	ck_assert_int_eq(truncate(key_path, 31), 0);
	ck_assert_ptr_null(keyring_open(key_path, true, &err));
	text = xasprintf("device key %s is not 32 bytes long", key_path);
	ck_assert_str_eq(err.text, text);
}
END_TEST

/* A start that died while it made the key leaves a part of it under another name. */
START_TEST(test_key_left_over) {
	AUTO_FREE char *left = xasprintf("%s.new", key_path);
	int fd = open(left, O_WRONLY | O_CREAT, 0600);

	ck_assert(fd >= 0 && write(fd, "half", 4) == 4 && close(fd) == 0);
	ck_assert_int_eq(unlink(key_path), 0);
	keyring_close(ring);
	ring = keyring_open(key_path, true, NULL);
	ck_assert_ptr_nonnull(ring);
	ck_assert_int_ne(access(left, F_OK), 0);
}
END_TEST

START_TEST(test_key_cannot_be_made) {
	struct err err = { 0 };

	ck_assert_ptr_null(keyring_open("/nowhere/device.key", true, &err));
	ck_assert_str_eq(err.text, "device key /nowhere/device.key: No such file or directory");
}
END_TEST

/* ---- sealed text ---- */

START_TEST(test_seal_random) {
	for (unsigned int n = 0; n < fixture_rounds(500); n++) {
		struct rng r = rng_seed(fixture_seed() * 31337 + n);
		AUTO_FREE char *plain = random_text(&r, 512);
		AUTO_FREE char *sealed = secret_seal(ring, plain),
			       *again = secret_seal(ring, plain);
		AUTO_FREE char *back = unsealed(sealed);
		unsigned char mac[2][SECRET_MAC_LEN];

		ck_assert_str_eq(back, plain);
		ck_assert_str_ne(sealed, again);
		ck_assert(strncmp(sealed, "ENC ", 4) == 0);
		ck_assert_uint_eq(
			strspn(sealed + 4,
			       "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="),
			strlen(sealed + 4));
		ck_assert_int_eq(secret_mac(ring, NULL, sealed, mac[0], NULL), 0);
		ck_assert_int_eq(secret_mac(ring, NULL, again, mac[1], NULL), 0);
		ck_assert_mem_eq(mac[0], mac[1], SECRET_MAC_LEN);
	}
}
END_TEST

START_TEST(test_mac_differs) {
	AUTO_FREE char *a = secret_seal(ring, "a"), *b = secret_seal(ring, "b"),
		       *other = secret_seal(foreign, "a");
	unsigned char mac[3][SECRET_MAC_LEN];

	ck_assert_int_eq(secret_mac(ring, NULL, a, mac[0], NULL), 0);
	ck_assert_int_eq(secret_mac(ring, NULL, b, mac[1], NULL), 0);
	ck_assert_int_eq(secret_mac(foreign, NULL, other, mac[2], NULL), 0);
	ck_assert_mem_ne(mac[0], mac[1], SECRET_MAC_LEN);
	ck_assert_mem_ne(mac[0], mac[2], SECRET_MAC_LEN);
}
END_TEST

/* Under the key of a group the same secret has the same MAC on all of its members. */
START_TEST(test_mac_of_group) {
	static const unsigned char key[SECRET_MAC_KEY_LEN] = "one", two[SECRET_MAC_KEY_LEN] = "two";
	AUTO_FREE char *a = secret_seal(ring, "a"), *other = secret_seal(foreign, "a");
	unsigned char mac[3][SECRET_MAC_LEN];
	char hex[SECRET_MAC_HEX_LEN + 1], start[3];

	ck_assert_int_eq(secret_mac(ring, key, a, mac[0], NULL), 0);
	ck_assert_int_eq(secret_mac(foreign, key, other, mac[1], NULL), 0);
	ck_assert_int_eq(secret_mac(ring, two, a, mac[2], NULL), 0);
	ck_assert_mem_eq(mac[0], mac[1], SECRET_MAC_LEN);
	ck_assert_mem_ne(mac[0], mac[2], SECRET_MAC_LEN);
	ck_assert_int_eq(secret_mac_hex(ring, key, a, hex), 0);
	snprintf(start, sizeof(start), "%02x", mac[0][0]);
	ck_assert_uint_eq(strlen(hex), SECRET_MAC_HEX_LEN);
	ck_assert_int_eq(strncmp(hex, start, 2), 0);
	ck_assert_int_eq(secret_mac_hex(ring, key, other, hex), ERR_VALUE);
}
END_TEST

/* What nobody is shown is sealed the same each time; another text, or device, seals otherwise. */
START_TEST(test_seal_same) {
	AUTO_FREE char *a = secret_seal_same(ring, "a"), *again = secret_seal_same(ring, "a"),
		       *b = secret_seal_same(ring, "b"), *other = secret_seal_same(foreign, "a");
	AUTO_FREE char *back = NULL;

	ck_assert_str_eq(a, again);
	ck_assert_int_eq(secret_unseal(ring, a, &back, NULL), 0);
	ck_assert_str_eq(back, "a");
	ck_assert_int_ne(strncmp(a + 4, b + 4, 32), 0);
	ck_assert_int_ne(strncmp(a + 4, other + 4, 32), 0);
}
END_TEST

/* How long a secret is cannot be seen, up to the longest that most protocols take. */
START_TEST(test_length_hidden) {
	AUTO_FREE char *longest = xasprintf("%0*d", 128, 0), *longer = xasprintf("%s0", longest);
	AUTO_FREE char *empty = secret_seal(ring, ""), *one = secret_seal(ring, "a"),
		       *full = secret_seal(ring, longest), *more = secret_seal(ring, longer);
	AUTO_FREE char *back = unsealed(full), *back_empty = unsealed(empty);

	ck_assert_uint_eq(strlen(empty), strlen(one));
	ck_assert_uint_eq(strlen(one), strlen(full));
	ck_assert_uint_lt(strlen(full), strlen(more));
	ck_assert_str_eq(back, longest);
	ck_assert_str_eq(back_empty, "");
}
END_TEST

/* The header, which is not sealed, is vouched for: it cannot be given another attribute. */
START_TEST(test_damaged) {
	AUTO_FREE char *sealed = secret_seal(ring, "secret");
	struct err err = { 0 };
	char *plain = NULL;

	sealed[4 + 12] = sealed[4 + 12] == 'A' ? 'B' : 'A';
	ck_assert_int_eq(secret_unseal(ring, sealed, &plain, &err), ERR_VALUE);
	ck_assert_str_eq(err.text, "the ENC text is damaged");
}
END_TEST

#define NOT_OURS   "the ENC text was not made by this product"
#define OTHER_UNIT "the ENC text was made by another unit: type the secret in clear"

static const char *const garbage[] = {
	"",
	"ENC",
	"ENC ",
	"ENC !",
	"ENC AAAA",
	"enc AAAA",
	"ENC AQ==",
	"ENC AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
	"ENC AgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=="
};

START_TEST(test_garbage) {
	struct err err = { 0 };
	unsigned char mac[SECRET_MAC_LEN];
	char *plain = NULL;

	ck_assert_int_eq(secret_unseal(ring, garbage[_i], &plain, &err), ERR_VALUE);
	ck_assert_str_eq(err.text, NOT_OURS);
	ck_assert_ptr_null(plain);
	ck_assert_int_eq(secret_mac(ring, NULL, garbage[_i], mac, NULL), ERR_VALUE);
}
END_TEST

START_TEST(test_foreign) {
	AUTO_FREE char *sealed = secret_seal(foreign, "secret");
	struct err err = { 0 };
	char *plain = NULL;

	ck_assert_int_eq(secret_unseal(ring, sealed, &plain, &err), ERR_VALUE);
	ck_assert_str_eq(err.text, OTHER_UNIT);
}
END_TEST

/* Any character of sealed text that is changed, or left out at its end, makes it unreadable. */
START_TEST(test_tampered) {
	AUTO_FREE char *sealed = NULL;
	size_t len;

	do { /* the decoder has its own idea of this character */
		free(sealed);
		sealed = secret_seal(ring, "secret");
	} while (!strchr(sealed, '/'));
	len = strlen(sealed);
	for (size_t i = 4; i < len; i++) {
		AUTO_FREE char *bad = xstrdup(sealed);
		char *plain = NULL;

		for (int c = 1; c < 256; c++) {
			bad[i] = (char)c;
			if (bad[i] != sealed[i])
				ck_assert_msg(secret_unseal(ring, bad, &plain, NULL) == ERR_VALUE,
					      "character %zu is %d", i, c);
		}
		bad[i] = '\0';
		ck_assert_msg(secret_unseal(ring, bad, &plain, NULL) == ERR_VALUE, "length %zu", i);
	}
}
END_TEST

/* ---- objects ---- */

static struct object *parsed(const char *dotted, const char *body) {
	struct object *obj = object_new(fixture_table(dotted), "admin");
	struct err err = { 0 };

	ck_assert_msg(text_parse(obj, body, &err) == 0, "%s", err.text);
	return obj;
}

static struct object *with_secret(const char *words, const struct object *old, int want,
				  const char *text) {
	AUTO_FREE char *body = xasprintf("set psksecret %s\n", words);
	struct object *obj = parsed("system.auto-scale", body);
	struct err err = { 0 };

	ck_assert_int_eq(secret_seal_object(ring, obj, old, &err), want);
	if (want)
		ck_assert_str_eq(err.text, text);
	return obj;
}

#define PSK(obj) object_str(obj, SYSTEM_AUTO_SCALE__PSKSECRET)

START_TEST(test_object) {
	struct object *first = with_secret("'my secret'", NULL, 0, NULL);
	struct object *same = with_secret("\"my secret\"", first, 0, NULL);
	struct object *other = with_secret("'My secret'", first, 0, NULL);
	AUTO_FREE char *plain = unsealed(PSK(first)), *plain_other = unsealed(PSK(other));
	AUTO_FREE char *words = xstrdup(PSK(first));
	struct object *text = with_secret(words, first, 0, NULL);

	ck_assert_str_eq(plain, "my secret");
	ck_assert_str_eq(plain_other, "My secret");
	ck_assert_str_eq(PSK(same), PSK(first));
	ck_assert_str_ne(PSK(other), PSK(first));
	ck_assert_str_eq(PSK(text), PSK(first));
	object_free(first);
	object_free(same);
	object_free(other);
	object_free(text);
}
END_TEST

static char *for_psk(const char *plain) {
	const struct schema_table *table = fixture_table("system.auto-scale");

	return secret_seal_for(ring, table, &table->attrs[SYSTEM_AUTO_SCALE__PSKSECRET], plain);
}

/* The same secret, sealed once more (an older backup): the text stays as it is. */
START_TEST(test_object_sealed_again) {
	struct object *first = with_secret("secret", NULL, 0, NULL);
	AUTO_FREE char *again = for_psk("secret"), *new = for_psk("other");
	struct object *same = with_secret(again, first, 0, NULL),
		      *other = with_secret(new, first, 0, NULL);

	ck_assert_str_eq(PSK(same), PSK(first));
	ck_assert_str_eq(PSK(other), new);
	object_free(first);
	object_free(same);
	object_free(other);
}
END_TEST

START_TEST(test_object_foreign) {
	AUTO_FREE char *sealed = secret_seal(foreign, "secret");

	object_free(with_secret(sealed, NULL, ERR_VALUE,
				"node_check_object fail! for psksecret\n" OTHER_UNIT));
	object_free(with_secret("ENC Zm9v", NULL, ERR_VALUE,
				"node_check_object fail! for psksecret\n" NOT_OURS));
}
END_TEST

/* Sealed text stays where it was made for: the key of a cluster is no secret of a group. */
START_TEST(test_object_moved) {
	const struct schema_table *ha = fixture_table("system.ha"),
				  *scale = fixture_table("system.auto-scale");
	const struct schema_attr *psk = &scale->attrs[SYSTEM_AUTO_SCALE__PSKSECRET];
	AUTO_FREE char *moved = secret_seal_for(ring, ha, &ha->attrs[SYSTEM_HA__PASSWORD], "secret");

	ck_assert(secret_fits(ring, ha, &ha->attrs[SYSTEM_HA__PASSWORD], moved));
	ck_assert(!secret_fits(ring, ha, &ha->attrs[SYSTEM_HA__KEY], moved));
	ck_assert(!secret_fits(ring, scale, psk, moved));
	object_free(with_secret(moved, NULL, ERR_VALUE,
				"node_check_object fail! for psksecret\n"
				"the ENC text was made for another attribute"));
}
END_TEST

/* What was kept before there was the attribute is for this one alone once it is taken. */
START_TEST(test_object_kept) {
	AUTO_FREE char *kept = secret_seal_same(ring, "secret");
	struct object *obj = with_secret(kept, NULL, 0, NULL);
	AUTO_FREE char *plain = unsealed(PSK(obj));
	const struct schema_table *ha = fixture_table("system.ha");

	ck_assert_str_eq(plain, "secret");
	ck_assert_str_ne(PSK(obj), kept);
	ck_assert(!secret_fits(ring, ha, &ha->attrs[SYSTEM_HA__PASSWORD], PSK(obj)));
	object_free(obj);
}
END_TEST

static struct object *admin_with(const char *words, const struct object *old) {
	AUTO_FREE char *body = xasprintf("set password %s\n", words);
	struct object *obj = parsed("system.admin", body);
	struct err err = { 0 };

	ck_assert_msg(secret_seal_object(ring, obj, old, &err) == 0, "%s", err.text);
	return obj;
}

#define PASSWORD(obj) object_str(obj, SYSTEM_ADMIN__PASSWORD)

START_TEST(test_password_hash) {
	struct object *first = admin_with("correct", NULL), *same = admin_with("correct", first);
	struct object *other = admin_with("wrong", first), *twin = admin_with("correct", NULL);
	AUTO_FREE char *hash = unsealed(PASSWORD(first)), *twin_hash = unsealed(PASSWORD(twin));
	struct crypt_data data = { 0 };

	ck_assert(strncmp(hash, "$y$", 3) == 0);
	ck_assert_str_eq(crypt_rn("correct", hash, &data, sizeof(data)), hash);
	ck_assert_str_ne(crypt_rn("wrong", hash, &data, sizeof(data)), hash);
	ck_assert_str_eq(PASSWORD(same), PASSWORD(first));
	ck_assert_str_ne(PASSWORD(other), PASSWORD(first));
	ck_assert_str_ne(twin_hash, hash);
	object_free(first);
	object_free(same);
	object_free(other);
	object_free(twin);
}
END_TEST

/* No key has made the text: another unit takes it as it is, under another key. */
START_TEST(test_password_text) {
	struct object *first = admin_with("correct", NULL);
	AUTO_FREE char *body = xasprintf("set password %s\n", PASSWORD(first));
	struct object *there = parsed("system.admin", body);

	keyring_seal_with(foreign, keyring_private(foreign, "00112233445566778899aabbccddeeff"));
	ck_assert_int_eq(strncmp(PASSWORD(first), "ENC Y1", 6), 0);
	ck_assert_int_eq(secret_seal_object(foreign, there, NULL, NULL), 0);
	ck_assert_str_eq(PASSWORD(there), PASSWORD(first));
	ck_assert(!secret_renew_object(foreign, there));
	ck_assert_ptr_null(secret_renew(foreign, PASSWORD(there)));
	object_free(first);
	object_free(there);
}
END_TEST

/* A backup of this unit has the hash as it was sealed then. */
START_TEST(test_password_sealed) {
	struct object *first = admin_with("correct", NULL);
	struct schema_attr attr = first->table->attrs[SYSTEM_ADMIN__PASSWORD];
	AUTO_FREE char *hash = unsealed(PASSWORD(first)), *then = NULL, *renewed = NULL;
	struct object *same, *again;

	attr.type = ATTR_PASSWORD;
	then = secret_seal_for(ring, first->table, &attr, hash);
	same = admin_with(then, first);
	again = admin_with(then, NULL);
	renewed = secret_renew(ring, then);
	ck_assert_str_eq(PASSWORD(same), PASSWORD(first));
	ck_assert_str_eq(PASSWORD(again), PASSWORD(first));
	ck_assert_str_eq(renewed, PASSWORD(first));
	object_free(first);
	object_free(same);
	object_free(again);
}
END_TEST

#define SALT "bqzdDzzkpIC82af0PM8V90"
#define DIGEST "hPYRBP/B3aC0I5OnlHuBPgGooQ4enrxxFyJFs7Gql97"

/* Hashes that may not be taken, for what they cost or are no more than like one. */
static const struct {
	const char *hash;
	bool good;
} hashes[] = {
	{ "$y$j7T$" SALT "$" DIGEST, true },
	{ "$y$j9T$" SALT "$" DIGEST, true },
	{ "$y$jAT$" SALT "$" DIGEST, false },
	{ "$y$jCT$" SALT "$" DIGEST, false },
	{ "$y$.9T$" SALT "$" DIGEST, false },
	{ "$y$j9T0$" SALT "$" DIGEST, false },
	{ "$7$j9T$" SALT "$" DIGEST, false },
	{ "$6$" SALT "$" DIGEST, false },
	{ "$y$j9T$" SALT "0$" DIGEST, false },
	{ "$y$j9T$" SALT "$" DIGEST "0", false },
	{ "$y$j9T$" SALT "$" DIGEST "\n", false },
	{ "$y$j9T$bqzdDzzkpIC82af0PM8V9z$" DIGEST, false },
	{ "$y$j9T$bqzd=zzkpIC82af0PM8V90$" DIGEST, false },
	{ "$y$j9T$bqzd$zzkpIC82af0PM8V90$" DIGEST, false },
	{ "$y$j9T$" SALT "$hPYRBP/B3aC0I5OnlHuBPgGooQ4enrxxFyJFs7Gql9z", false },
	{ "$y$", false },
	{ "", false },
};

START_TEST(test_password_hashes) {
	const struct schema_table *admins = fixture_table("system.admin");
	struct schema_attr attr = admins->attrs[SYSTEM_ADMIN__PASSWORD];
	const char *hash = hashes[_i].hash;
	AUTO_FREE char *text = password_text(hash), *sealed = NULL;

	ck_assert(hashes[_i].good == (text != NULL));
	attr.type = ATTR_PASSWORD;
	sealed = secret_seal_for(ring, admins, &attr, hash);
	attr.type = ATTR_PASSWORD_HASH;
	ck_assert(secret_fits(ring, admins, &attr, sealed) == hashes[_i].good);
	ck_assert(!password_is(hash, "correct"));
}
END_TEST

/* Of a text no other one is taken: each hash has one. */
START_TEST(test_password_damaged) {
	AUTO_FREE char *text = password_text("$y$j9T$" SALT "$" DIGEST);
	size_t n = strlen(text);

	for (size_t i = strlen("ENC "); i < n; i++) {
		AUTO_FREE char *cut = xstrndup(text, i), *other = xstrdup(text);
		AUTO_FREE char *hash = NULL, *again = NULL;

		other[i] = other[i] == 'A' ? 'B' : 'A';
		hash = password_read(other);
		again = hash ? password_text(hash) : NULL;
		ck_assert(!again || strcmp(again, other) == 0);
		ck_assert_ptr_null(password_read(cut));
	}
	strcpy(text + n - 3, "h==");
	ck_assert_ptr_null(password_read(text));
	ck_assert_ptr_null(password_read("ENC Y1"));
	ck_assert_ptr_null(password_read("ENC SH2"));
}
END_TEST

/* Sealed text of a secret that is no hash, put where a hash belongs. */
START_TEST(test_password_no_hash) {
	AUTO_FREE char *sealed = secret_seal(ring, "plain");
	AUTO_FREE char *body = xasprintf("set password %s\n", sealed);
	struct object *obj = parsed("system.admin", body);
	struct err err = { 0 };

	ck_assert_int_eq(secret_seal_object(ring, obj, NULL, &err), ERR_VALUE);
	ck_assert_str_eq(
		err.text,
		"node_check_object fail! for password\nthe ENC text holds no password hash");
	object_free(obj);
}
END_TEST

/* The system.auto-scale that `words` make, held against that of `before`; what is warned of. */
static unsigned int advised(const char *words, const char *before) {
	struct object *old = before ? with_secret(before, NULL, 0, NULL) : NULL;
	struct object *obj = with_secret(words, old, 0, NULL);
	struct warnings w = { 0 };
	unsigned int n;

	secret_review_object(ring, obj, old, &w);
	n = w.n;
	if (n)
		ck_assert_ptr_nonnull(
			strstr(w.text[0], ": psksecret has fewer than 16 characters"));
	warn_clear(&w);
	object_free(obj);
	object_free(old);
	return n;
}

#define UMLAUT "\xc3\xa4"

START_TEST(test_short) {
	ck_assert_uint_eq(advised("sixteen.letters.", NULL), 0);
	ck_assert_uint_eq(advised("fifteen.letters", NULL), 1);
	/* each of these takes two bytes */
	ck_assert_uint_eq(advised(UMLAUT UMLAUT UMLAUT UMLAUT UMLAUT UMLAUT UMLAUT UMLAUT, NULL),
			  1);
	/* as it was */
	ck_assert_uint_eq(advised("short", "short"), 0);
	ck_assert_uint_eq(advised("other", "short"), 1);
}
END_TEST

/* Yes or no: made here, and of the kind that the attribute wants. */
START_TEST(test_fits) {
	const struct schema_table *scale = fixture_table("system.auto-scale"),
				  *admins = fixture_table("system.admin");
	const struct schema_attr *psk = &scale->attrs[SYSTEM_AUTO_SCALE__PSKSECRET];
	const struct schema_attr *password = &admins->attrs[SYSTEM_ADMIN__PASSWORD];
	struct object *admin = admin_with("correct", NULL);
	AUTO_FREE char *own = secret_seal_for(ring, scale, psk, "secret"),
		       *other = secret_seal_for(foreign, scale, psk, "secret"),
		       *of_unit = secret_seal(ring, "secret");

	ck_assert(secret_fits(ring, scale, psk, own));
	ck_assert(!secret_fits(ring, scale, psk, of_unit));
	ck_assert(!secret_fits(ring, scale, psk, other));
	ck_assert(!secret_fits(ring, scale, psk, "ENC Zm9v"));
	ck_assert(!secret_fits(ring, scale, psk, "secret"));
	ck_assert(!secret_fits(ring, admins, password, own));
	ck_assert(secret_fits(ring, admins, password, PASSWORD(admin)));
	ck_assert(secret_fits(foreign, admins, password, PASSWORD(admin)));
	ck_assert(!secret_fits(ring, admins, password, "ENC SH2AAAA"));
	ck_assert(!secret_fits(ring, scale, psk, PASSWORD(admin)));
	object_free(admin);
}
END_TEST

START_TEST(test_none) {
	struct object *obj = parsed("system.auto-scale", "set psksecret ''\nset status enable\n");

	ck_assert(!secret_in_object(obj));
	ck_assert_int_eq(secret_seal_object(ring, obj, NULL, NULL), 0);
	ck_assert_ptr_null(object_get(obj, SYSTEM_AUTO_SCALE__PSKSECRET));
	object_free(obj);
}
END_TEST

START_TEST(test_mask) {
	struct object *a = with_secret("secret", NULL, 0, NULL),
		      *b = with_secret("secret", NULL, 0, NULL);

	ck_assert(secret_in_object(a));
	ck_assert_str_ne(PSK(a), PSK(b));
	ck_assert(secret_mask_object(ring, a));
	ck_assert(secret_mask_object(ring, b));
	ck_assert_str_eq(PSK(a), PSK(b));
	ck_assert(strncmp(PSK(a), "MAC ", 4) == 0);
	ck_assert_uint_eq(strlen(PSK(a)), 4 + 2 * SECRET_MAC_LEN);
	ck_assert(!secret_mask_object(ring, a));
	object_free(a);
	object_free(b);
}
END_TEST

/*
 * Through an engine: the text of a secret is the same until the value changes, over restarts, too.
 */
START_TEST(test_stable_text) {
	static const char body[] = "set status enable\nset psksecret verysecretindeed\n";
	const struct schema_table *table = fixture_table("system.auto-scale");
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	AUTO_FREE char *text = NULL;

	fixture_set(e, "system.auto-scale", "", body);
	text = xstrdup(PSK(model_object(e->model, table)));
	ck_assert(strncmp(text, "ENC ", 4) == 0);
	fixture_set(e, "system.auto-scale", "",
		    "set hb-interval 5\nset psksecret verysecretindeed\n");
	ck_assert_str_eq(PSK(model_object(e->model, table)), text);
	engine_close(e);
	e = fixture_engine(dir);
	ck_assert_str_eq(PSK(model_object(e->model, table)), text);
	fixture_set(e, "system.auto-scale", "", "set psksecret verysecretindeed2\n");
	ck_assert_str_ne(PSK(model_object(e->model, table)), text);
	engine_close(e);
}
END_TEST

/* ---- the key of a group ---- */

/* Members of different releases make these: Argon2id and HMAC-SHA256, worked out elsewhere. */
static const struct {
	const char *secret;
	unsigned char group;
	bool is_key;
	const char *key; /* NULL: only that it is another one than those above */
} group_keys[] = {
	{ "correct horse battery", 0, false,
	  "17f1a6fc116d5437b3e5f1d1622ae5a1e2b0fb4a90eb5b8686f15e41a715a62b" },
	{ "correct horse battery", 7, false,
	  "fc621cd02eac0e5c773938fad26fb61458eb12f0fbe313e58a52dd2e1ab4f8cb" },
	{ "0x000102030405060708090a0b0c0d0e0f", 7, true,
	  "fe9fceaca2a92a4756ccbe8d34d16b851d7d726e5a1fc05e1f0d0fb528867f1c" },
	{ "0x000102030405060708090A0B0C0D0E0F", 7, true,
	  "fe9fceaca2a92a4756ccbe8d34d16b851d7d726e5a1fc05e1f0d0fb528867f1c" },
	/* Too short, odd, no digits, no 0x: texts. */
	{ "0x000102030405060708090a0b0c0d0e", 7, false, NULL },
	{ "0x000102030405060708090a0b0c0d0e0f1", 7, false, NULL },
	{ "0x000102030405060708090a0b0c0d0e0g", 7, false, NULL },
	{ "00000102030405060708090a0b0c0d0e0f", 7, false, NULL },
};

START_TEST(test_group_key) {
	AUTO_FREE char *sealed = secret_seal(ring, group_keys[_i].secret);
	unsigned char key[SECRET_GROUP_KEY_LEN];
	char hex[2 * sizeof(key) + 1];
	struct err err = { 0 };

	ck_assert_int_eq(secret_is_key(ring, sealed), group_keys[_i].is_key);
	ck_assert_msg(secret_group_key(ring, sealed, group_keys[_i].group, key, &err) == 0, "%s",
		      err.text);
	for (size_t i = 0; i < sizeof(key); i++)
		sprintf(hex + 2 * i, "%02x", key[i]);
	if (group_keys[_i].key)
		ck_assert_str_eq(hex, group_keys[_i].key);
	for (int i = 0; i < _i && !group_keys[_i].key; i++)
		ck_assert(!group_keys[i].key || strcmp(hex, group_keys[i].key) != 0);
}
END_TEST

START_TEST(test_group_key_foreign) {
	AUTO_FREE char *sealed = secret_seal(foreign, "0x000102030405060708090a0b0c0d0e0f");
	unsigned char key[SECRET_GROUP_KEY_LEN];
	struct err err = { 0 };

	ck_assert(!secret_is_key(ring, sealed));
	ck_assert_int_eq(secret_group_key(ring, sealed, 1, key, &err), ERR_VALUE);
}
END_TEST

static Suite *secret_suite(void) {
	Suite *s = suite_create("secret");
	TCase *t = fixture_case(s, "secret");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_key_file);
	tcase_add_test(t, test_key_missing);
	tcase_add_test(t, test_key_short);
	tcase_add_test(t, test_key_left_over);
	tcase_add_test(t, test_key_cannot_be_made);
	tcase_add_test(t, test_seal_random);
	tcase_add_test(t, test_mac_differs);
	tcase_add_test(t, test_mac_of_group);
	tcase_add_test(t, test_seal_same);
	tcase_add_test(t, test_length_hidden);
	tcase_add_test(t, test_damaged);
	tcase_add_loop_test(t, test_garbage, 0, ARRAY_LEN(garbage));
	tcase_add_test(t, test_foreign);
	tcase_add_test(t, test_tampered);
	tcase_add_test(t, test_object);
	tcase_add_test(t, test_object_sealed_again);
	tcase_add_test(t, test_object_foreign);
	tcase_add_test(t, test_object_moved);
	tcase_add_test(t, test_object_kept);
	tcase_add_test(t, test_password_hash);
	tcase_add_test(t, test_password_text);
	tcase_add_test(t, test_password_sealed);
	tcase_add_loop_test(t, test_password_hashes, 0, ARRAY_LEN(hashes));
	tcase_add_test(t, test_password_damaged);
	tcase_add_test(t, test_password_no_hash);
	tcase_add_test(t, test_short);
	tcase_add_test(t, test_fits);
	tcase_add_test(t, test_none);
	tcase_add_test(t, test_mask);
	tcase_add_test(t, test_stable_text);
	tcase_add_loop_test(t, test_group_key, 0, ARRAY_LEN(group_keys));
	tcase_add_test(t, test_group_key_foreign);
	return s;
}

int main(void) {
	return fixture_run(secret_suite());
}
