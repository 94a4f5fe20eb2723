/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has changed what: each commit makes events in the log, with the old and the new value of each
 * attribute but of secrets. No commit waits for that, or fails because of it.
 */
#pragma once

#include "cfgdb/backend.h"
#include "cfgdb/logs.h"

#define AUDIT_OBJECTS_MAX 32   /* of a commit that get an event each; of more there is one event */
#define AUDIT_VALUE_MAX 128    /* bytes of a value that are told */

struct audit;

/* Events go to this log, which outlives it. The caller frees it. */
struct audit *audit_new(struct logs *logs);

/* Free; NULL is fine. Returns NULL. */
struct audit *audit_free(struct audit *a);

/* The backend to add to the engine, behind that of the log: it tells of what is durable. */
struct backend audit_backend(struct audit *a);
