/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diagnose sniffer packet`. */
#pragma once

#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; none needs a ctx. */
const struct command *commands_sniffer(size_t *n);
