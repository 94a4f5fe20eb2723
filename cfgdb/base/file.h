/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small files of our own that are read and written whole. */
#pragma once

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"

/*
 * Append a file of at most max bytes to out. ERR_NOT_FOUND when there is no such file, ERR_STORE
 * when it cannot be read or is longer.
 */
int file_read(const char *path, size_t max, struct str *out, struct err *err);

/* Make a file of len bytes that only its owner can read, or replace it; whole or not at all. */
int file_replace(const char *path, const char *text, size_t len, struct err *err);
