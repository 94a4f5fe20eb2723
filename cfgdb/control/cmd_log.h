/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `execute log ...`: reading the log, and removing it. */
#pragma once

#include "cfgdb/control/command.h"

/* The commands, n of them; their context is a struct logs. */
const struct command *commands_log(size_t *n);
