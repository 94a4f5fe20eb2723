/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which lines of the log an administrator wants to see: `execute log filter`. */
#pragma once

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cfgdb/logs/logstore.h"

#define LOGFILTER_FIELDS_MAX 16
#define LOGFILTER_VALUES_MAX 7
#define LOGFILTER_WORD_MAX 255   /* bytes in a name or value */

/* One field: a line must have one of the values, or none of them. */
struct logfilter_field {
	char *name;
	bool negate;
	unsigned int n_values;
	char *value[LOGFILTER_VALUES_MAX];
};

struct logfilter {
	enum logstore_category category;
	uint32_t start_line;         /* the first to show, from 1 on */
	uint32_t view_lines;         /* how many to show */
	uint32_t max_checklines;     /* how many to look at; 0: all */
	struct logfilter_field field[LOGFILTER_FIELDS_MAX];
	unsigned int n_fields;
};

/* Begin, or begin anew, with what counts when nothing was said. */
void logfilter_init(struct logfilter *f);

/* Release what it holds. */
void logfilter_done(struct logfilter *f);

/* Forget the conditions on fields. */
void logfilter_clear_fields(struct logfilter *f);

/*
 * Set the condition on a field: its name, `not` or nothing, and 1 to LOGFILTER_VALUES_MAX values. A
 * value may be a range LOW-HIGH of numbers or IPv4 addresses.
 */
int logfilter_set_field(struct logfilter *f, size_t argc, char *const argv[], struct err *err);

/* Set category, start-line, view-lines or max-checklines; ERR_PARSE for what is out of bounds. */
int logfilter_set_category(struct logfilter *f, const char *word, struct err *err);
int logfilter_set_start_line(struct logfilter *f, const char *word, struct err *err);
int logfilter_set_view_lines(struct logfilter *f, const char *word, struct err *err);
int logfilter_set_max_checklines(struct logfilter *f, const char *word, struct err *err);

/* Whether a line of len bytes meets all conditions. */
bool logfilter_match(const struct logfilter *f, const char *line, size_t len);

/* Append the settings, a line each. */
void logfilter_print(const struct logfilter *f, struct str *out);

/* Name of a category, as typed and printed. */
const char *logfilter_category_name(enum logstore_category c);
