/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about ports: what their drivers say. */
#pragma once

#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; they need no ctx. */
const struct command *commands_port(size_t *n);
