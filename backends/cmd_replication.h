/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands that gatehouse-syncd answers: `diagnose sys session sync` and the like. */
#pragma once

#include "backends/replication.h"
#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; each row's ctx is still to be set to a replication. */
const struct command *commands_replication(size_t *n);
