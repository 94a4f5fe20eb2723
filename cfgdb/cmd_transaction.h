/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about config transactions: `execute config-transaction`, and what shows them. */
#pragma once

#include "cfgdb/command.h"

/* n rows, without a ctx: what they work on is that of the connection. */
const struct command *commands_transaction(size_t *n);
