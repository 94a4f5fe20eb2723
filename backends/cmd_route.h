/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `get router info routing-table ...`: rows of the table in backends/commands_kernel.c. */
#pragma once

#include "cfgdb/control/command.h"

/* `all`: the routes in use. */
int cmd_route_all(void *ctx, const struct command_call *call, struct str *out, struct err *err);

/* `database`: also those that others are better than, and those that wait for their link. */
int cmd_route_database(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err);

/* `details [ADDRESS]`: the routes in use at length, or the one that leads to an address. */
int cmd_route_details(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err);
