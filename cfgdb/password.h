/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords that are only compared: their hashes, and the texts that these are kept as. */
#pragma once

#include <stdbool.h>

/*
 * A hash of a password, with a salt of its own; NULL when there is none to be had. Takes some
 * 20 ms; may run in a thread of its own. The caller wipes and frees.
 */
char *password_hash(const char *password);

/*
 * Whether a hash is that of this password; at the same cost, whatever the answer, but for a hash
 * that password_text() would not take: that is nobody's.
 */
bool password_is(const char *hash, const char *password);

/*
 * "ENC TEXT" of a hash, on every unit the same; NULL when it is not what password_hash() makes, at
 * its cost or less. The caller frees.
 */
char *password_text(const char *hash);

/* Whether "ENC TEXT" claims to be that of a hash: no sealed text begins so. */
bool password_is_text(const char *text);

/* The hash in "ENC TEXT", which the caller wipes and frees; NULL when there is none in it. */
char *password_read(const char *text);
