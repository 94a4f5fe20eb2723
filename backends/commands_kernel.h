/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about what the kernel does: addresses, routes, policies. */
#pragma once

#include "backends/nft.h"
#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; each row's ctx is still to be set to nft. */
const struct command *commands_kernel(size_t *n);
