/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log of the unit: lines come together here and go where the configuration says, to the disk
 * and to syslog.
 */
#pragma once

#include "cfgdb/backend.h"
#include "cfgdb/engine.h"
#include "cfgdb/logs/logstore.h"

struct logs;

/*
 * The log in a directory, for a unit; local is the path of the local syslog daemon's socket.
 * Nothing goes anywhere before its backend is started. The caller closes it.
 */
struct logs *logs_open(const char *dir, const char *local, const struct engine *engine);

/* Write what is left and close; NULL is fine. Returns NULL. */
struct logs *logs_close(struct logs *l);

/* The backend to add to the engine: settings count from the commit on that makes them. */
struct backend logs_backend(struct logs *l);

/* Add a line. */
void logs_add(struct logs *l, enum logstore_category c, enum logtext_level level,
	      const struct str *line);

/* Add an event about the log itself: it is told that something was left out, and in text what. */
void logs_add_loss(struct logs *l, const char *text);

/* Add an event about the configuration, which has changed by itself. */
void logs_add_change(struct logs *l, enum logtext_level level, const char *text);

/* Give the lines that were added to the kernel; at the end of what added them. */
void logs_flush(struct logs *l);

/*
 * Tell what was dropped since the last call, in the log itself as far as it goes; called every few
 * seconds. ERR_STORE when the disk did not take all.
 */
int logs_report(struct logs *l, struct err *err);

/* The lines that are kept. */
struct logstore *logs_store(struct logs *l);
