/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two units in one process: two network namespaces, joined by veth links, and an event loop in
 * each. A socket belongs to the namespace that is entered when it is made.
 */
#pragma once

#include <stdbool.h>

#include "cfgdb/base/net.h"

struct event_base;

extern struct event_base *pair_base[2];

/*
 * Make both: unit 0 has v0 with 10.9.0.1/24, unit 1 has v1 with 10.9.0.2/24; the loopbacks are up.
 * For a checked fixture; the test fails without root.
 */
void pair_setup(void);

/* Free the loops; the namespaces end with the process. */
void pair_teardown(void);

/* Enter the namespace of a unit. */
void pair_enter(unsigned int unit);

/* Run a shell command in a unit's namespace; other_ns in its text is the path of the other one. */
void pair_run(unsigned int unit, const char *command);

/* Serve both loops once without waiting. */
void pair_turn(void);

/* Serve both loops until done() says so; the test fails when that takes a minute. */
void pair_until(bool (*done)(void));

/* The IPv4 address of a text. */
union net_addr pair_ip(const char *text);
