/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interfaces that a machine has, as configuration. */
#pragma once

#include "cfgdb/engine.h"

/*
 * Describe every link but loopbacks as an entry of `system interface`, unless an administrator has
 * configured it. A link that cannot be described is told to refused() and left out.
 */
int takeup_links(struct engine *e, void (*refused)(const char *link, const struct err *why),
		 struct err *err);
