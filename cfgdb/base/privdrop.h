/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From root to an own user that keeps a few capabilities. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "cfgdb/base/err.h"

/*
 * Look up user and group. ERR_NOT_FOUND, with a text that says how to make them, when one is
 * missing.
 */
int privdrop_ids(const char *user, const char *group, uid_t *uid, gid_t *gid, struct err *err);

/*
 * Become uid and gid for good, keeping exactly the n capabilities (linux/capability.h), without a
 * way to more, and without core files. A process that is not root keeps its ids, and must have the
 * capabilities already.
 */
int privdrop(uid_t uid, gid_t gid, const unsigned int caps[], size_t n, struct err *err);
