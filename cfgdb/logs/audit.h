/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has done what: each commit makes events in the log, with the old and the new value of each
 * attribute but of secrets; so do commands, and what was refused. No commit waits for that, or
 * fails because of it. Of very many refusals some are told, and how many there were
 * (cfgdb/logs/flood.h).
 */
#pragma once

#include "cfgdb/backend.h"
#include "cfgdb/base/moment.h"
#include "cfgdb/logs/logs.h"

#define AUDIT_OBJECTS_MAX 32   /* of a commit that get an event each; of more there is one event */
#define AUDIT_VALUE_MAX 128    /* bytes of a value that are told */

#define AUDIT_UNKNOWN 1        /* as a code: what became of it nobody has said */

/* Who does something, and how he came ("ssh(10.0.0.1)"). */
struct audit_who {
	const char *user, *ui;
};

struct audit;

/* Events go to this log, which outlives it. The caller frees it. */
struct audit *audit_new(struct logs *logs, moment_fn *clock);

/* Tell what was not told yet, and free; NULL is fine. Returns NULL. */
struct audit *audit_free(struct audit *a);

/* What somebody wanted to do and may not, or could not. */
struct audit_refused {
	bool change;                      /* to change something; otherwise to see it */
	const struct schema_table *table; /* NULL: nothing in particular */
	const char *key;                  /* in it, or NULL */
	const struct err *why;            /* told where it is a matter of rights: other errors may
					   * name what was typed */
};

/* Tell of a refusal. a may be NULL: nobody is told; so it may be below. */
void audit_refusal(struct audit *a, const struct audit_who *who, const struct audit_refused *what);

/* Tell of a command with its outcome; none of its arguments is a secret. */
void audit_command(struct audit *a, const struct audit_who *who, const char *words, size_t argc,
		   char *const argv[], int code);

/* Add a line about a login; refused: the source of one that was refused, or NULL. */
void audit_line(struct audit *a, const char *refused, enum logtext_level level,
		const struct str *line);

/* Tell what floods have left out so far, if their minute is over; called every few seconds. */
void audit_report(struct audit *a);

/* The backend to add to the engine, behind that of the log: it tells of what is durable. */
struct backend audit_backend(struct audit *a);
