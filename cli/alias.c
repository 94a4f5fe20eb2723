/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * $1 to $9 stand for an argument, $* for all of them, outside of quotes and in double quotes; in
 * single quotes and behind a backslash they are text. What takes their place is written so that the
 * lexer reads the argument again: a quote, a bar or a newline in it ends nothing and begins
 * nothing.
 */
#include "cli/alias.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "cfgdb/model/value.h"

#define ALL_ARGUMENTS SIZE_MAX

/* A place in a line: what stands there, and whether inside double quotes. */
struct place {
	char quote;
	size_t argument; /* 1 to 9, ALL_ARGUMENTS; 0: what stands there is text */
	size_t len;      /* bytes of it */
};

/* Look at the text from p on; the quote is that before it, and afterwards that behind it. */
static void alias_look(const char *p, struct place *at) {
	at->argument = 0;
	at->len = 1;
	if (*p == '\\' && p[1] && at->quote != '\'' &&
	    (at->quote == '\0' || strchr("\"'\\", p[1])))
		at->len = 2;
	else if (at->quote && *p == at->quote)
		at->quote = '\0';
	else if (!at->quote && (*p == '"' || *p == '\''))
		at->quote = *p;
	else if (*p == '$' && at->quote != '\'' && p[1] == '*')
		at->argument = ALL_ARGUMENTS;
	else if (*p == '$' && at->quote != '\'' && p[1] >= '1' && p[1] <= '9')
		at->argument = (size_t)(p[1] - '0');
	if (at->argument)
		at->len = 2;
}

size_t alias_arguments(const char *line, size_t *least) {
	struct place at = { 0 };
	bool all = false;

	*least = 0;
	if (line[strspn(line, " \t\r\n")] == '#')
		return 0;
	for (const char *p = line; *p; p += at.len) {
		alias_look(p, &at);
		all |= at.argument == ALL_ARGUMENTS;
		if (at.argument != ALL_ARGUMENTS && at.argument > *least)
			*least = at.argument;
	}
	return all ? ALL_ARGUMENTS : *least;
}

/* An argument where double quotes are open already, or as a word of its own. */
static void alias_add(const char *argument, char quote, struct str *out) {
	if (!quote) {
		value_quote(argument, out);
		return;
	}
	for (; *argument; argument++) {
		if (strchr("\"'\\", *argument))
			str_add_char(out, '\\');
		str_add_char(out, *argument);
	}
}

void alias_expand(const char *line, char *const argv[], size_t argc, struct str *out) {
	struct place at = { 0 };

	for (const char *p = line; *p; p += at.len) {
		alias_look(p, &at);
		if (at.argument == 0)
			str_add_bytes(out, p, at.len);
		else if (at.argument != ALL_ARGUMENTS)
			alias_add(argv[at.argument - 1], at.quote, out);
		for (size_t i = 0; at.argument == ALL_ARGUMENTS && i < argc; i++) {
			if (i > 0)
				str_add_char(out, ' ');
			alias_add(argv[i], at.quote, out);
		}
	}
}
