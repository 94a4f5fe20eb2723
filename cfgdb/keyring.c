/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device key is a file of random bytes, which never leaves its directory; what is used is
 * derived from it. A private key is derived from 32 hexadecimal digits alone, so it is the same on
 * all units that were given them.
 *
 * Of private keys the last two are kept: a thread, or somebody who edits, may still have text that
 * the one before has sealed.
 *
 * All of them are in pages that are neither swapped nor part of a core file, between guards.
 */
#include "cfgdb/keyring.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/keyring_impl.h"

static int key_file_read(const char *path, unsigned char *key, size_t len, struct err *err) {
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return err_set(err, ERR_STORE, "device key %s: %s", path, strerror(errno));
	n = read(fd, key, len);
	close(fd);
	if (n != (ssize_t)len)
		return err_set(err, ERR_STORE, "device key %s is not %zu bytes long", path, len);
	return 0;
}

/* A name in a directory outlives a power failure only when the directory was written, too. */
static int sync_directory_of(const char *path) {
	AUTO_FREE char *copy = xstrdup(path);
	int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (fd >= 0)
		close(fd);
	return rc;
}

static int key_write(int fd) {
	unsigned char key[crypto_kdf_KEYBYTES];
	ssize_t n;

	crypto_kdf_keygen(key);
	errno = ENOSPC; /* what a short write means */
	n = write(fd, key, sizeof(key));
	sodium_memzero(key, sizeof(key));
	return n == (ssize_t)sizeof(key) ? fsync(fd) : -1;
}

/* The key is on disk, whole, under its name, before anything is sealed with it. */
static int key_file_make(const char *path, struct err *err) {
	AUTO_FREE char *new_path = xasprintf("%s.new", path);
	int fd = open(new_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	int rc = fd < 0 ? -1 : key_write(fd);

	if (rc == 0)
		rc = rename(new_path, path);
	if (rc == 0)
		rc = sync_directory_of(path);
	if (rc != 0)
		err_set(err, ERR_STORE, "device key %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return rc ? ERR_STORE : 0;
}

static void keyring_raw_id(const struct keyring *k, unsigned char raw[KEYRING_ID_LEN / 2]) {
	static const unsigned char label[] = "gatehouse device key id";

	crypto_generichash(raw, KEYRING_ID_LEN / 2, label, sizeof(label), k->mac, sizeof(k->mac));
}

struct keyring *keyring_open(const char *path, bool create, struct err *err) {
	unsigned char master[crypto_kdf_KEYBYTES];
	unsigned char id[KEYRING_ID_LEN / 2];
	struct keyring *k;

	if (sodium_init() < 0) {
		err_set(err, ERR_STORE, "the cryptography library does not start");
		return NULL;
	}
	if (create && access(path, F_OK) != 0 && key_file_make(path, err) != 0)
		return NULL;
	k = sodium_malloc(sizeof(*k));
	if (!k)
		err_set(err, ERR_STORE, "there is no memory for keys");
	if (!k || key_file_read(path, master, sizeof(master), err) != 0) {
		sodium_free(k);
		return NULL;
	}
	memset(k, 0, sizeof(*k));
	crypto_kdf_derive_from_key(k->device.seal, sizeof(k->device.seal), 1, "ghouse01", master);
	crypto_kdf_derive_from_key(k->mac, sizeof(k->mac), 2, "ghouse01", master);
	sodium_memzero(master, sizeof(master));
	keyring_raw_id(k, id);
	memcpy(k->device.name, id, sizeof(k->device.name));
	k->device.version = SEAL_DEVICE;
	k->sealing = &k->device;
	return k;
}

void keyring_id(const struct keyring *k, char id[KEYRING_ID_LEN + 1]) {
	unsigned char raw[KEYRING_ID_LEN / 2];

	keyring_raw_id(k, raw);
	sodium_bin2hex(id, KEYRING_ID_LEN + 1, raw, sizeof(raw));
}

void keyring_close(struct keyring *k) {
	sodium_free(k); /* which wipes it */
}

bool keyring_is_key(const struct seal_key *key, unsigned char version,
		    const unsigned char name[KEY_NAME_LEN]) {
	return key->version != SEAL_NONE && key->version == version &&
	       memcmp(key->name, name, KEY_NAME_LEN) == 0;
}

/* ---- private keys ---- */

static void derive_private(const char *digits, struct seal_key *key) {
	unsigned char raw[PRIVATE_KEY_DIGITS / 2], master[crypto_kdf_KEYBYTES];
	unsigned char name[crypto_kdf_BYTES_MIN];

	sodium_hex2bin(raw, sizeof(raw), digits, PRIVATE_KEY_DIGITS, NULL, NULL, NULL);
	crypto_generichash(master, sizeof(master), raw, sizeof(raw), NULL, 0);
	crypto_kdf_derive_from_key(key->seal, sizeof(key->seal), 1, "ghprivat", master);
	crypto_kdf_derive_from_key(name, sizeof(name), 2, "ghprivat", master);
	memcpy(key->name, name, sizeof(key->name));
	key->version = SEAL_PRIVATE;
	sodium_memzero(raw, sizeof(raw));
	sodium_memzero(master, sizeof(master));
}

/* Where a private key is, or is to be: never where the one is that seals. */
static struct seal_key *private_place(struct keyring *k, const struct seal_key *key) {
	unsigned int place = !k->newest;

	for (unsigned int i = 0; i < PRIVATE_KEYS; i++) {
		if (sodium_memcmp(k->private[i].seal, key->seal, sizeof(key->seal)) == 0)
			return &k->private[i];
		if (k->sealing == &k->private[i])
			place = !i;
	}
	k->newest = place;
	return &k->private[place];
}

const struct seal_key *keyring_private(struct keyring *k, const char *digits) {
	struct seal_key key = { .version = SEAL_NONE }, *place;

	derive_private(digits, &key);
	place = private_place(k, &key);
	*place = key;
	sodium_memzero(&key, sizeof(key));
	return place;
}

const struct seal_key *keyring_device(const struct keyring *k) {
	return &k->device;
}

const struct seal_key *keyring_sealing(const struct keyring *k) {
	return k->sealing;
}

void keyring_seal_with(struct keyring *k, const struct seal_key *key) {
	k->sealing = key;
}

void keyring_private_id(const struct keyring *k, char id[PRIVATE_KEY_ID_LEN + 1]) {
	id[0] = '\0';
	if (k->sealing != &k->device)
		sodium_bin2hex(id, PRIVATE_KEY_ID_LEN + 1, k->sealing->name, KEY_NAME_LEN);
}
