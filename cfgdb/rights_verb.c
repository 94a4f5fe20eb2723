/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first words of commands that a role may allow or not. The shell, which holds no
 * configuration, needs to know them, too: so they stand apart from what reads a role.
 */
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/rights.h"

enum rights_verb rights_verb(const char *word) {
	static const struct {
		const char *word;
		enum rights_verb verb;
	} verbs[] = {
		{ "get", RIGHTS_GET },	       { "show", RIGHTS_SHOW },
		{ "config", RIGHTS_CONFIG },   { "execute", RIGHTS_EXECUTE },
		{ "diagnose", RIGHTS_DIAGNOSE },
	};

	for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
		if (strcmp(word, verbs[i].word) == 0)
			return verbs[i].verb;
	return 0;
}
