/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Injected faults: named points in the code that a test can make fail.
 *
 * A point is named in the environment, GATEHOUSE_FAULT="name:countdown[:kill][,...]": the
 * countdown-th passage fails (or kills the process). Without the variable a point costs one test of
 * an integer.
 */
#pragma once

#include <stdbool.h>

/* Read GATEHOUSE_FAULT; called once by a program that offers fault points, anew by each test. */
void fault_init(void);

/* True when this passage of the named point shall fail; does not return when it shall kill. */
bool fault_hit(const char *name);
