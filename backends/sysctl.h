/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernel settings that a unit needs, and their return to what they were. */
#pragma once

#include "cfgdb/backend.h"

struct sysctl;

/*
 * Settings of the current network namespace. What they were before is kept in the file at
 * saved_path, which is made by the first change. The caller frees it.
 */
struct sysctl *sysctl_new(const char *saved_path);

/* Close; settings stay. NULL is fine. Returns NULL. */
struct sysctl *sysctl_free(struct sysctl *s);

/* The backend to add to the engine: it sets them once an interface is managed. */
struct backend sysctl_backend(struct sysctl *s);

/* Set what managed interfaces lack, as after an event of the monitor: links come and go. */
int sysctl_reconcile(struct sysctl *s, const struct model *model, struct err *err);

/* Put everything back to what the file says and remove the file; no file: nothing to do. */
int sysctl_restore(const char *saved_path, struct err *err);
