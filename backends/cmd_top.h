/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diagnose sys top`: the busiest processes, again and again. */
#pragma once

#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; they need no ctx. */
const struct command *commands_top(size_t *n);
