/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about the configuration itself: status, who uses what, what is not enforced. */
#pragma once

#include "cfgdb/control/command.h"
#include "cfgdb/engine.h"

/* The table of these commands, *n rows; each row's ctx is still to be set to the engine. */
const struct command *commands_config(size_t *n);
