/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that are neither in the grammar nor keys of a table: files, revisions, members. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cli/shell.h"

enum live {
	LIVE_NOTHING,
	LIVE_FILES,              /* of the machine that the shell runs on */
	LIVE_TABLES,             /* as firewall.address */
	LIVE_KEYS,               /* as firewall.address.name */
	LIVE_ENTRIES,            /* of the table that the argument before names so */
	LIVE_REVISIONS,
	LIVE_TRANSACTIONS,       /* config transactions that are open */
	LIVE_AWAITED,            /* revisions that wait for their confirmation */
	LIVE_MEMBERS,            /* serial numbers of the group */
};

struct live_query {
	struct shell *sh;
	char *const *argv;       /* arguments before this one */
	size_t argc;
	const char *prefix;      /* what has been typed of it */
	/* Takes one name; open: it goes on, as that of a folder. False: no more are wanted. */
	bool (*take)(void *arg, const char *name, const char *help, bool open);
	void *arg;
};

/* Give names of a kind, not only those with the prefix; what cannot be asked for is left out. */
void live_names(const struct live_query *q, enum live kind);
