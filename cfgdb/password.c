/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Hashes are yescrypt, crypt(5) method "$y$". A hash is one way already, so it is not sealed: its
 * text, "Y1" and the base64 of the hash, says the same to every unit, and who has a backup has the
 * passwords on whatever unit takes the place of his.
 *
 * Texts may come from anybody who may restore a file. The method's parameters say how long a
 * comparison takes and how much memory: only those that are ours, or cost less, are taken, and a
 * salt and a hash of exactly the bytes that this method writes. One hash has one text.
 */
#include "cfgdb/password.h"

#include <crypt.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define METHOD "$y$"
#define COST 5 /* of 11: 16 MiB */
#define MARK "ENC Y1"
#define BASE64 sodium_base64_VARIANT_ORIGINAL

/* The digits of the method; what ends a salt and a hash has two and four bits. */
#define DIGITS "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
#define PARAMETERS_LEN 3
#define SALT_LEN 22
#define DIGEST_LEN 43
#define HASH_LEN (strlen(METHOD) + PARAMETERS_LEN + 1 + SALT_LEN + 1 + DIGEST_LEN)

static char *hash_with(const char *password, const char *setting) {
	struct crypt_data data = { 0 };
	char *hash = crypt_rn(password, setting, &data, sizeof(data));

	hash = hash && hash[0] != '*' ? xstrdup(hash) : NULL;
	explicit_bzero(&data, sizeof(data)); /* what it worked with */
	return hash;
}

char *password_hash(const char *password) {
	char salt[CRYPT_GENSALT_OUTPUT_SIZE];

	if (!crypt_gensalt_rn(METHOD, COST, NULL, 0, salt, sizeof(salt)))
		return NULL;
	return hash_with(password, salt);
}

/* ---- what is taken ---- */

/* So many digits, of which the last is one of the first `last`; behind them stands `end`. */
static bool is_part(const char *part, size_t n, size_t last, char end) {
	return strspn(part, DIGITS) == n && memchr(DIGITS, part[n - 1], last) && part[n] == end;
}

/* What costs COST or less, from the cheapest on. */
static bool is_cheap(const char *parameters) {
	static const char *const known[COST] = { "j75", "j85", "j7T", "j8T", "j9T" };

	for (size_t i = 0; i < COST; i++)
		if (strncmp(parameters, known[i], PARAMETERS_LEN) == 0)
			return parameters[PARAMETERS_LEN] == '$';
	return false;
}

static bool is_hash(const char *hash) {
	const char *parameters = hash + strlen(METHOD);
	const char *salt = parameters + PARAMETERS_LEN + 1;

	return strlen(hash) == HASH_LEN && strncmp(hash, METHOD, strlen(METHOD)) == 0 &&
	       is_cheap(parameters) && is_part(salt, SALT_LEN, 4, '$') &&
	       is_part(salt + SALT_LEN + 1, DIGEST_LEN, 16, '\0');
}

bool password_is(const char *hash, const char *password) {
	char *made = is_hash(hash) ? hash_with(password, hash) : NULL;
	bool same = made && strlen(made) == strlen(hash) &&
		    sodium_memcmp(made, hash, strlen(hash)) == 0;

	if (made)
		sodium_memzero(made, strlen(made));
	free(made);
	return same;
}

/* ---- texts ---- */

char *password_text(const char *hash) {
	size_t size = sodium_base64_ENCODED_LEN(HASH_LEN, BASE64);
	char *text;

	if (!is_hash(hash))
		return NULL;
	text = xcalloc(strlen(MARK) + size, 1);
	memcpy(text, MARK, strlen(MARK));
	sodium_bin2base64(text + strlen(MARK), size, (const unsigned char *)hash, HASH_LEN, BASE64);
	return text;
}

bool password_is_text(const char *text) {
	return strncmp(text, MARK, strlen(MARK)) == 0;
}

/* The decoder takes some texts that no hash has: what is read must be written as it was. */
char *password_read(const char *text) {
	char *hash = xcalloc(HASH_LEN + 1, 1);
	AUTO_FREE char *same = NULL;
	size_t len;

	if (password_is_text(text) &&
	    sodium_base642bin((unsigned char *)hash, HASH_LEN, text + strlen(MARK),
			      strlen(text + strlen(MARK)), NULL, &len, NULL, BASE64) == 0 &&
	    len == HASH_LEN)
		same = password_text(hash);
	if (same && strcmp(same, text) == 0)
		return hash;
	sodium_memzero(hash, HASH_LEN);
	free(hash);
	return NULL;
}
