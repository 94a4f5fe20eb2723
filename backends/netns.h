/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One daemon in one network namespace. */
#pragma once

#include "cfgdb/base/err.h"

/*
 * Take the network namespace of the process for it, as long as it lives. ERR_LOCKED when another
 * daemon has it; ERR_PERMISSION when a user who can be none holds its lock: go on without it, and
 * tell.
 */
int netns_lock(struct err *err);
