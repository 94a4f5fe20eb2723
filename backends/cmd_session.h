/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands about sessions: `diagnose sys session`, `session6`, `get system session`, `get system
 * session-info` and the older `execute set system session filter`.
 */
#pragma once

#include "backends/fib.h"
#include "backends/replication.h"
#include "cfgdb/control/command.h"

/* What these commands count over all connections. */
struct session_counts {
	uint64_t deleted;   /* sessions deleted by `clear` */
	uint64_t flushed;   /* `clear` commands */
};

struct session_sources {
	struct session_counts counts;
	struct fib *ways;   /* of fib_open; outlives the commands */
	const struct replication *replication; /* outlives the commands */
};

/* The table of these commands, *n rows; each row's ctx is still to be set to a session_sources. */
const struct command *commands_session(size_t *n);
