/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about the history of the configuration, and about what of it is saved. */
#pragma once

#include "cfgdb/control/command.h"
#include "cfgdb/engine.h"

struct saving;

/* What these commands work on. */
struct cmd_revision {
	struct engine *engine;
	struct saving *saving;   /* NULL: everything is always saved */
};

/* The table of these commands, *n rows; each row's ctx is still to be set to a cmd_revision. */
const struct command *commands_revision(size_t *n);
