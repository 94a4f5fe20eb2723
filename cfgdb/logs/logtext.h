/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lines of the log: `name=value` fields, numbers and addresses bare, all else in double quotes. No
 * value can end its quotes or the line, so nobody whose name stands in the log can forge one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/str.h"

#define LOGTEXT_MAX 2048         /* bytes in a line, without its end */

/* Numbered as in syslog (RFC 5424). */
enum logtext_level {
	LOGTEXT_EMERGENCY,
	LOGTEXT_ALERT,
	LOGTEXT_CRITICAL,
	LOGTEXT_ERROR,
	LOGTEXT_WARNING,
	LOGTEXT_NOTICE,
	LOGTEXT_INFORMATION,
	LOGTEXT_DEBUG,
};

/* What every line begins with. */
struct logtext_head {
	uint64_t time_ns;        /* since 1970 */
	const char *id;          /* ten digits: type, subtype and message */
	const char *type, *subtype;
	enum logtext_level level;
};

/* Begin a line: its time (in the zone of the machine), id, kind and level. */
void logtext_head(struct str *line, const struct logtext_head *head);

/* Append a text in quotes. Quotes, backslashes and control characters in it are replaced. */
void logtext_str(struct str *line, const char *name, const char *value);

/* Append a number. */
void logtext_num(struct str *line, const char *name, uint64_t value);

/* Append a word as it is: an address. */
void logtext_word(struct str *line, const char *name, const char *value);

/* The value of a field, without its quotes; false when the line (of len bytes) has none. */
bool logtext_field(const char *line, size_t len, const char *name, const char **value, size_t *n);
