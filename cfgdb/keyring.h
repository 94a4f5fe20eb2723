/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The keys that secrets are sealed with (cfgdb/secret.h): that of the device, which is made with
 * its state, and the private key that an administrator may give, so that a backup can be restored
 * on another unit. While there is a private key in force, secrets of attributes are sealed with it.
 */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "cfgdb/base/err.h"

#define KEYRING_ID_LEN 32
#define PRIVATE_KEY_DIGITS 32    /* hexadecimal digits of a private key */
#define PRIVATE_KEY_ID_LEN 8     /* hexadecimal digits of what names one */

struct keyring;
struct seal_key;

/*
 * Read the device key from the file at path, or make it (mode 0600) when create is set. NULL and
 * *err when that fails. The caller closes it.
 */
struct keyring *keyring_open(const char *path, bool create, struct err *err);

/* A name of the device key that tells nothing about it, in hex. */
void keyring_id(const struct keyring *k, char id[KEYRING_ID_LEN + 1]);

/* Wipe and free; NULL is fine. */
void keyring_close(struct keyring *k);

/* Whether these digits can be a private key. */
static inline bool keyring_is_private(const char *digits) {
	return strlen(digits) == PRIVATE_KEY_DIGITS &&
	       strspn(digits, "0123456789abcdefABCDEF") == PRIVATE_KEY_DIGITS;
}

/*
 * The private key of these digits, which the keyring has from now on: it keeps two, the one that
 * seals always being one of them, and opens what they have sealed.
 */
const struct seal_key *keyring_private(struct keyring *k, const char *digits);

/* The key of the device. */
const struct seal_key *keyring_device(const struct keyring *k);

/* The key in force: that secrets of attributes are sealed with. */
const struct seal_key *keyring_sealing(const struct keyring *k);

/* Put a key of the keyring in force. */
void keyring_seal_with(struct keyring *k, const struct seal_key *key);

/* The name of the private key in force, in hex; it tells nothing about it. "": there is none. */
void keyring_private_id(const struct keyring *k, char id[PRIVATE_KEY_ID_LEN + 1]);
