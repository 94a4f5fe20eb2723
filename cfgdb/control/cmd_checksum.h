/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `diagnose sys ha checksum ...`: digests of the configuration that members of a group share. */
#pragma once

#include "cfgdb/control/command.h"
#include "cfgdb/digest.h"
#include "cfgdb/engine.h"

struct json;
struct relay;
struct role;

/* What the commands look at; all of it outlives them. */
struct cmd_checksum {
	struct engine *engine;
	struct role *role;
	struct relay *relay;           /* who knows the digests of other members */
};

/* The commands, n of them; their context is a struct cmd_checksum. */
const struct command *commands_checksum(size_t *n);

#define CHECKSUM_LEN 16                /* bytes of a digest that are shown */

/*
 * Append the two blocks of one unit; with its serial as a headline, unless that is NULL, and the
 * line that says who it is. `staged` is of what is being entered, `active` of what is in force.
 */
void cmd_checksum_unit(const char *serial, const char *line, const struct digest_group *staged,
		       const struct digest_group *active, struct str *out);

/* The same as an object; without its serial when that is NULL. */
void cmd_checksum_json(const char *serial, bool primary, const struct digest_group *staged,
		       const struct digest_group *active, struct json *j);
