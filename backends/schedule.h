/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Schedules: whether one is running, and when that changes. */
#pragma once

#include <time.h>

#include "cfgdb/model/model.h"

#define SCHEDULE_NEVER ((time_t)INT64_MAX)

/*
 * True when the schedule (one-time, recurring or a group) runs at `now`, in the process' time zone.
 * *next is lowered to the time of its next change, if that is sooner.
 */
bool schedule_active(const struct model *model, const struct object *schedule, time_t now,
		     time_t *next);

/* The same of the schedule of that name, of whatever kind; one that is not there never runs. */
bool schedule_runs(const struct model *model, const char *name, time_t now);
