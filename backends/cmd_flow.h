/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diagnose debug`: what the unit does with packets, as it does it. */
#pragma once

#include "backends/nft.h"
#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; each row's ctx is still to be set to the struct nft. */
const struct command *commands_flow(size_t *n);
