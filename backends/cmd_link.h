/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about interfaces and neighbours as the kernel has them. */
#pragma once

#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; they need no ctx. */
const struct command *commands_link(size_t *n);
