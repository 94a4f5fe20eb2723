/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What stands where the rules should be until the configuration can be read. */
#pragma once

#include "cfgdb/backend.h"

struct barrier;

/* The record of managed interfaces is the file at path. The caller frees it. */
struct barrier *barrier_new(const char *path);

/* Close; the record stays. NULL is fine. Returns NULL. */
struct barrier *barrier_free(struct barrier *b);

/* The backend to add to the engine: it keeps the record. */
struct backend barrier_backend(struct barrier *b);

/*
 * Close the interfaces of the record at path, as long as the kernel has no rules of ours: nothing
 * is forwarded through them, and only what allowaccess named gets in. No record: nothing to do.
 */
int barrier_raise(const char *path, struct err *err);

/* Remove the record, for an uninstall. */
int barrier_forget(const char *path, struct err *err);
