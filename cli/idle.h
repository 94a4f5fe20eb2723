/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long nobody has typed while a command runs. There is one terminal, so there is one of it. */
#pragma once

#include <stdbool.h>

/*
 * A command begins: when nobody presses a key at standard input for so many seconds (0: however
 * long) all that runs at the terminal gets a SIGINT, once.
 */
void idle_begin(unsigned int seconds);

/* A key was read meanwhile. */
void idle_touch(void);

/* The command has ended; true when that has been done. */
bool idle_end(void);
