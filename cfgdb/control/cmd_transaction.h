/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Commands about config transactions, and about commits that wait for a confirmation. */
#pragma once

#include "cfgdb/control/command.h"

/*
 * What does something (`execute config-transaction`), and what shows (its status, and `diagnose sys
 * config-transaction`); n rows each, without a ctx: what they work on is that of the connection.
 */
const struct command *commands_transaction(size_t *n);
const struct command *commands_transaction_show(size_t *n);
