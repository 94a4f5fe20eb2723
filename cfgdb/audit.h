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

/* Who does something, and how he came ("ssh(10.0.0.1)"). */
struct audit_who {
	const char *user, *ui;
};

/*
 * Tell that a change of an entry of table (NULL: of no one in particular) was refused with this
 * code. Its text is not told: it may name what was typed. logs may be NULL.
 */
void audit_refusal(struct logs *logs, const struct audit_who *who, const struct schema_table *table,
		   const char *key, int code);

/* Tell that a command that changes something was given, with these arguments, and its outcome. */
void audit_command(struct logs *logs, const struct audit_who *who, const char *words, size_t argc,
		   char *const argv[], int code);

struct audit;

/* Events go to this log, which outlives it. The caller frees it. */
struct audit *audit_new(struct logs *logs);

/* Free; NULL is fine. Returns NULL. */
struct audit *audit_free(struct audit *a);

/* The backend to add to the engine, behind that of the log: it tells of what is durable. */
struct backend audit_backend(struct audit *a);
