/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that the daemon answers (`diagnose ...`, `get router info ...`): a table of words and
 * functions that the composition root puts together from its parts.
 */
#pragma once

#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model.h"

struct command {
	const char *words;  /* "diagnose ip address list" */
	/*
	 * Append the output, lines ending in \n, to out. argv holds the argc words after those of
	 * the command. The model is the active configuration.
	 */
	int (*run)(void *ctx, const struct model *model, size_t argc, char *const argv[], struct str *out,
		   struct err *err);
	void *ctx;
};
