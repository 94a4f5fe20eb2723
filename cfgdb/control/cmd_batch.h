/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What became of the last batch of each administrator: `execute batch lastlog`. */
#pragma once

#include "cfgdb/control/command.h"

#define BATCH_LOG_MAX   (5u << 20) /* bytes of one */
#define BATCH_LOGS_MAX  8          /* administrators; the one who was here longest ago goes first */

struct batch_logs;

/* None yet; the caller frees them. */
struct batch_logs *batch_logs_new(void);

/* Release them; NULL is fine. */
void batch_logs_free(struct batch_logs *logs);

/*
 * The commands, n of them; their context is a struct batch_logs. `execute batch start` tells
 * whether one may. `execute batch keep TEXT...` is the shell's: the texts, one after the other, are
 * the log from now on.
 */
const struct command *commands_batch(size_t *n);
