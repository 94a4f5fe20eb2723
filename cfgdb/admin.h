/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the values of an entry of system admin mean: under which names somebody can log in, what a
 * key is, when a password expires. Checks ask this, and so does what logs administrators in.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "cfgdb/base/warn.h"
#include "cfgdb/model/model.h"

#define ADMIN_NAME_MAX 63  /* bytes; who is called longer cannot log in */

/*
 * Whether a name has the form of a login name: system programs separate by colons and slashes, and
 * take a leading dash for an option.
 */
bool admin_is_login_name(const char *name);

/*
 * Why nobody can log in under a name, as words behind it; NULL: nothing is against it. The file of
 * the machine's accounts is read, for they come first; who else may know names is not asked.
 */
const char *admin_objection_to_name(const char *name);

/*
 * Why this is no line of a public key file, as words behind it; NULL: it is one. *len is the length
 * of its kind and its bytes, without a comment.
 */
const char *admin_objection_to_key(const char *key, size_t *len);

/*
 * When a password expires, in seconds since 1970, read in the time zone of this process; 0: never.
 * False, and *ret 1 (it is over), when this is no time.
 */
bool admin_expiry(const char *text, time_t *ret);

/* Whether a model has a schedule of this name, of whatever kind. */
bool admin_has_schedule(const struct model *model, const char *name);

/* Warn of what an entry of system admin, as it is in model, has no use of. */
void admin_review(const struct model *model, const struct object *admin, struct warnings *w);
