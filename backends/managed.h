/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which interfaces are ours to filter and to set up. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/model/model.h"

/* Names of interfaces, in order, each once. They point into the model. */
struct names {
	const char **name;
	size_t n;
};

/*
 * The interfaces that the configuration manages: those set up by a commit, and those that a policy,
 * a virtual IP, a zone, a static route, session-sync-dev or down-intfs-before-sess-sync names.
 * Release with names_done.
 */
struct names managed_interfaces(const struct model *model);

/* Add a name; the list must be sorted with names_sort before it is searched. */
void names_add(struct names *names, const char *name);

/* Sort, and drop what is there twice. */
void names_sort(struct names *names);

/* True when a sorted list has this name. */
bool names_have(const struct names *names, const char *name);

/* Release a list. */
void names_done(struct names *names);
