/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who is logged in: `get system admin list|status`, `execute disconnect-admin-session`. */
#pragma once

#include "cfgdb/control/command.h"

/* The commands, n of them; their context is a struct aaa. */
const struct command *commands_admin(size_t *n);
