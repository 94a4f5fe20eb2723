/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines of an alias, with the arguments it is given. */
#pragma once

#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"

#define ALIAS_ARGUMENTS_MAX 99
#define ALIAS_DEPTH_MAX     8  /* aliases that run inside each other */

/*
 * How many arguments the line needs; SIZE_MAX: it takes all there are, and any number will do
 * beyond those it needs by number, which *least then says.
 */
size_t alias_arguments(const char *line, size_t *least);

/*
 * Append the line to out with its arguments in their places: each is one word there, or part of
 * one, whatever it holds. There are as many as the line needs.
 */
void alias_expand(const char *line, char *const argv[], size_t argc, struct str *out);
