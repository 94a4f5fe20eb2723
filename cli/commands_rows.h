/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For the files that declare rows of commands only: one a first word, and what they share. */
#pragma once

#include "cli/commands.h"

#define REMOTE .run = cmd_remote
#define LIVE   .flags = COMMAND_UNPAGED, .run = cmd_remote
#define WATCH  .flags = COMMAND_UNPAGED, .run = cmd_watch
#define TOP    .flags = COMMAND_UNPAGED, .run = cmd_top

/* What can follow each first word that has commands of its own. */
extern const struct command commands_diagnose[];
extern const struct command commands_execute[];
extern const struct command commands_get[];
