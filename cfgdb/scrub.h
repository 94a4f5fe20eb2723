/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What others write into the database while the daemon runs is found and undone. */
#pragma once

#include "cfgdb/engine.h"

#define SCRUB_NAMED 20        /* objects that are named; more are counted */

/*
 * Compare all objects of the database with those in force and write anew what differs. A line for
 * each that did is appended to found: path, key, and the attributes or what else it was. An error
 * leaves the database as it was found.
 */
int scrub(struct engine *e, struct str *found, struct err *err);
