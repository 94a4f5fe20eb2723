/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Behind a bar there is one filter, grep: options, as its usage explains them, a number of lines
 * behind some, and a pattern, in any order.
 */
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cli/completer.h"
#include "cli/grep.h"

/* Whether the word is options of which the last wants a number behind it. */
static bool wants_number(const char *word) {
	size_t len = strlen(word);

	return len > 1 && word[0] == '-' && strchr("ABC", word[len - 1]);
}

static bool has_pattern(char *const words[], size_t n) {
	for (size_t i = 0; i < n; i++)
		if (words[i][0] != '-' && (i == 0 || !wants_number(words[i - 1])))
			return true;
	return false;
}

/* The lines of the usage that begin with an option. */
static void list_options(struct completion *c) {
	AUTO_FREE char *usage = xstrdup(grep_usage);
	char *save = NULL;

	for (char *line = strtok_r(usage, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *word = line + strspn(line, " ");
		char *end = word + strcspn(word, " ");

		if (*word != '-' || !*end)
			continue;
		*end++ = '\0';
		completer_add(c, word, end + strspn(end, " "), false);
	}
}

void complete_pipe(struct completion *c, char *const words[], size_t n) {
	bool pattern;

	if (n == 0) {
		completer_add(c, "grep", "Pick lines.", false);
		return;
	}
	if (!words[0][0] || strncmp("grep", words[0], strlen(words[0])) != 0)
		return;
	if (wants_number(words[n - 1]) && n > 1) {
		completer_note(c, "<lines>", false, xstrdup("How many lines."));
		return;
	}
	pattern = has_pattern(words + 1, n - 1);
	if (!pattern)
		completer_note(c, "<pattern>", false, xstrdup("Regular expression to look for."));
	list_options(c);
	c->whole = pattern && !*c->prefix;
	c->prints = true;
}
