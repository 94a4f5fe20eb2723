/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The key of the group of units, kept so that the slow way from the secret to it is gone once. */
#pragma once

#include <stdint.h>

#include "cfgdb/secret.h"

struct event_base;
struct group_key;

enum group_key_state {
	GROUP_KEY_READY,
	GROUP_KEY_MAKING,        /* ready() follows: ask again then */
	GROUP_KEY_FAILED,        /* *err says why; the next question tries again */
};

/*
 * The key is kept, sealed, in the file at path. ready(arg) is called from the loop. keyring must
 * outlive it; path is copied. NULL and *err when that fails; the caller frees it.
 */
struct group_key *group_key_new(struct event_base *base, const struct keyring *keyring,
				const char *path, void (*ready)(void *arg), void *arg,
				struct err *err);

/* Wipe and free; waits for a key that is being made. NULL is fine. Returns NULL. */
struct group_key *group_key_free(struct group_key *g);

/*
 * The key that the group of this number makes of the secret in "ENC TEXT", into key. It never
 * waits.
 */
enum group_key_state group_key_get(struct group_key *g, const char *sealed, uint8_t group,
				   uint8_t key[SECRET_GROUP_KEY_LEN], struct err *err);
