/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a commit accepts although the packet filter cannot do all that it says. */
#pragma once

#include "cfgdb/backend.h"

/*
 * Warn, in commit->warnings (nothing happens when that is NULL), of changed policies, virtual IPs
 * and addresses in use of which a part, or all, has no effect, and of what is said about sessions
 * and has none with these session helpers (see helper.h).
 */
void review_commit(const struct commit *commit, uint32_t helpers);
