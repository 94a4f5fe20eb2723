/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of the keyring, shared by keyring.c and secret.c. */
#pragma once

#include <sodium.h>

#include "cfgdb/keyring.h"

#define KEY_NAME_LEN 4
#define PRIVATE_KEYS 2

/* The first byte of sealed text: what follows it, and the kind of its key. */
enum seal_version {
	SEAL_NONE,
	SEAL_FIRST,    /* nonce and ciphertext, under the key of the device; not made any more */
	SEAL_DEVICE,
	SEAL_PRIVATE,
};

struct seal_key {
	unsigned char seal[crypto_aead_xchacha20poly1305_ietf_KEYBYTES];
	unsigned char name[KEY_NAME_LEN]; /* tells nothing about it */
	unsigned char version;            /* of what it seals; SEAL_NONE: there is no key */
};

struct keyring {
	struct seal_key device, private[PRIVATE_KEYS];
	unsigned int newest;              /* of the private ones */
	const struct seal_key *sealing;   /* secrets of attributes: one of these keys */
	unsigned char mac[crypto_generichash_KEYBYTES];
};

/* Whether sealed text that says this of its key was made with key. */
bool keyring_is_key(const struct seal_key *key, unsigned char version,
		    const unsigned char name[KEY_NAME_LEN]);
