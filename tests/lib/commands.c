/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints what can be typed at the root of the shell, a line each, for tests that go through all of
 * it: `commands` every command below get and diagnose, with the least number of its arguments
 * behind a tab; `paths` every path of the schema.
 */
#include <stdio.h>
#include <string.h>

#include "cfgdb/model/schema.h"
#include "cli/commands.h"

#define LINE_MAX_LEN 256

static void print_commands(const struct command *c, const char *before) {
	char line[LINE_MAX_LEN];

	for (; c && c->word; c++) {
		snprintf(line, sizeof(line), "%s%s%s", before, *before ? " " : "", c->word);
		if (c->run && !(c->flags & COMMAND_TARGET))
			printf("%s\t%u\n", line, c->min_args);
		print_commands(c->sub, line);
	}
}

static int all_commands(void) {
	for (const struct command *c = commands; c->word; c++)
		if ((c->where & LEVEL_ROOT) &&
		    (strcmp(c->word, "get") == 0 || strcmp(c->word, "diagnose") == 0))
			print_commands(c->sub, c->word);
	return 0;
}

static int all_paths(void) {
	for (uint16_t i = 0; i < schema_n_top; i++)
		puts(schema_tables[schema_top[i]]->path);
	for (uint16_t i = 0; i < schema_n_aliases; i++)
		puts(schema_aliases[i].path);
	return 0;
}

int main(int argc, char *argv[]) {
	if (argc == 2 && strcmp(argv[1], "commands") == 0)
		return all_commands();
	if (argc == 2 && strcmp(argv[1], "paths") == 0)
		return all_paths();
	fputs("usage: commands commands|paths\n", stderr);
	return 2;
}
