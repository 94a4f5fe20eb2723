/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that guess passwords: failures in a row, and from a threshold on nobody logs in from
 * there for a while. An IPv6 address counts as its /64. The table has a fixed size.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/aaa/trust.h"

#define LOCKOUT_SETS 1024
#define LOCKOUT_WAYS 8           /* addresses in a set */

struct lockout;

/* When to lock, and for how long. */
struct lockout_rule {
	unsigned int threshold;  /* failures; 0: never */
	int64_t duration_s;
};

/* New table; the caller frees it. */
struct lockout *lockout_new(void);

/* Free; NULL is fine. Returns NULL. */
struct lockout *lockout_free(struct lockout *l);

/* Whether nobody may log in from there at now_s, of a clock that never goes back. */
bool lockout_is_locked(const struct lockout *l, const struct trust_source *source, int64_t now_s);

/* A login of this name has failed. True when that locks the address, which was not locked. */
bool lockout_failed(struct lockout *l, const struct trust_source *source, const char *name,
		    const struct lockout_rule *rule, int64_t now_s);

/*
 * The rule is another one: locks that last at now_s are as long as it says, from when they began,
 * and those it would not have made are over.
 */
void lockout_follow(struct lockout *l, const struct lockout_rule *rule, int64_t now_s);

/* An address that is locked. */
struct lockout_entry {
	struct trust_source source; /* of an IPv6 network its first address */
	unsigned int failures;
	int64_t left_s;
};

/* Visit those that are locked at now_s, in no order. */
void lockout_each(const struct lockout *l, int64_t now_s,
		  void (*visit)(void *arg, const struct lockout_entry *entry), void *arg);

/*
 * End the lock of an address, or all locks (NULL), and forget the failures that led there. Returns
 * how many locks there were at now_s.
 */
unsigned int lockout_clear(struct lockout *l, const struct trust_source *source, int64_t now_s);

/*
 * A password of this name was right: failures of that name are forgotten, unless there were others
 * with another name: who has an account must not get endless guesses at the one beside it.
 */
void lockout_succeeded(struct lockout *l, const struct trust_source *source, const char *name);
