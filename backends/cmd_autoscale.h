/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands about the group that shares its configuration, which gatehouse-syncd answers:
 * `diagnose sys ha autoscale-peers` and the like.
 */
#pragma once

#include "cfgdb/control/command.h"

/* The table of these commands, *n rows; each row's ctx is still to be set to a struct relay. */
const struct command *commands_autoscale(size_t *n);
