/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How busy the unit is: `get system performance status`. */
#pragma once

#include "backends/performance.h"
#include "cfgdb/control/command.h"

/* All that `get system performance status` prints. */
struct performance_view {
	struct cpus now, before;           /* not owned */
	struct memory memory;
	struct performance_average last[3]; /* 1, 10 and 30 minutes */
	uint64_t uptime_s;
};

/* Append the lines, or the JSON, of the view. */
void performance_print(const struct performance_view *v, struct str *out);
void performance_json(const struct performance_view *v, struct str *out);

/* The table of these commands, *n rows; each row's ctx is still to be set to a struct sampler. */
const struct command *commands_performance(size_t *n);
