/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `get metrics`: what monitoring collects, in the text form of Prometheus. */
#pragma once

#include "backends/nft.h"
#include "backends/replication.h"
#include "cfgdb/control/command.h"
#include "cfgdb/engine.h"

struct metrics_sources {
	struct nft *nft;
	const struct engine *engine;
	const struct replication *replication;
};

/* The table of these commands, *n rows; each row's ctx is still to be set to a metrics_sources. */
const struct command *commands_metrics(size_t *n);
