/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Characters of text that comes from users, files and the kernel, for those who show it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/str.h"

/*
 * The character at s, of which n > 0 bytes are there: its length in bytes, and its number in
 * *point. A byte that begins none counts as one, with its own value. 0: the end is missing.
 */
size_t utf8_next(const char *s, size_t n, uint32_t *point);

/*
 * True for what does not show itself but changes how the text around it is shown: control
 * characters of ASCII (newline and tab excepted) and of 8-bit terminals, line separators, marks of
 * direction.
 */
bool utf8_is_control(uint32_t point);

/*
 * Append n bytes with control characters written as <U+202E>; returns how many were taken: a
 * character whose end is missing is left.
 */
size_t utf8_visible(const char *s, size_t n, struct str *out);
