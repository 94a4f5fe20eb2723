/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A walk over the sessions of the kernel that fit a filter, in small bites: what listings, counts
 * and deletions have in common.
 */
#pragma once

#include "backends/replication.h"
#include "backends/session_filter.h"
#include "cfgdb/model/model.h"

struct session_walk;

/*
 * Begin a walk with what the configuration and the routes say now; filter is copied, ways (of
 * fib_open) are borrowed, and read only when a session's way is asked for. view says what peers
 * have, and is looked at as the walk goes on. NULL and *err when the kernel cannot be asked. The
 * caller closes it.
 */
struct session_walk *session_walk_open(const struct model *model,
				       const struct session_filter *filter, struct fib *ways,
				       const struct replication_view *view, struct err *err);

/* End it at any time; NULL is fine. Returns NULL. */
struct session_walk *session_walk_close(struct session_walk *w);

/* What its sessions are seen with; the time is that of the last bite, or of the begin. */
const struct session_context *session_walk_context(const struct session_walk *w);

/*
 * Take one bite, without waiting; each() sees the sessions in it that fit. The first begins the
 * kernel's listing. As ct_dump_next: each session is seen once, and CT_DUMP_ERROR says why the
 * walk is not whole.
 */
enum ct_dump_state session_walk_next(struct session_walk *w,
				     void (*each)(void *arg, struct session *s), void *arg,
				     struct err *err);
