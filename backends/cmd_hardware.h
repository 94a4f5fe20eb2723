/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine is made of: `get hardware status`. */
#pragma once

#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; they need no ctx. */
const struct command *commands_hardware(size_t *n);
