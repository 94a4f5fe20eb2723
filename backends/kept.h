/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions that outlast the schedule of their policy: only the clock lets them. */
#pragma once

#include "backends/ruleset.h"
#include "cfgdb/backend.h"

/*
 * In rules that are to follow those of before: a schedule that is over because the commit changed
 * its policy, or something that the policy names, is not over by the clock, and stays so until it
 * runs again.
 */
void kept_settle(struct ruleset *rules, const struct ruleset *before,
		 const struct commit *commit);

/* Whether sessions that outlasted a schedule under the rules before are to be judged by these. */
bool kept_ends(const struct ruleset *before, const struct ruleset *rules);
