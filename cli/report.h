/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an error looks like: to an administrator, and to a program. */
#pragma once

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cli/context.h"

/* The code as programs get it: also a first word that is no command here has one. */
int report_code(int code);

/* Append an error as a session prints it: its lines, and the one with the code. */
void report_text(const struct err *err, struct str *out);

/*
 * Append one line, a JSON object: the kind ("error", "warning", "note"), the text, the code if it
 * is an error, the line of the script (0: none), and what is open for configuration there.
 */
void report_json(const char *kind, const struct err *err, unsigned long line,
		 const struct context *context, struct str *out);
