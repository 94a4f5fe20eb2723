/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diagnose debug cli`: every change of the configuration, as commands, as it happens. */
#pragma once

#include "cfgdb/control/command.h"
#include "cfgdb/engine.h"

#define CHANGES_VIEWS_MAX 8       /* connections that watch */
#define CHANGES_OBJECTS_MAX 1000  /* objects of a revision that are told one by one */

struct changes;

/* Those of this engine, which must outlive it but for its last commit. The caller frees it. */
struct changes *changes_new(struct engine *engine);

/* Release it; nobody watches any more. NULL is fine. */
void changes_free(struct changes *changes);

/* The commands, *n of them; their context is a struct changes. */
const struct command *commands_changes(size_t *n);
