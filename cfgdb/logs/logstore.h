/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log that a unit keeps: lines on disk, newest read first, in a room that is never exceeded. It
 * is written without waiting for the disk: a machine that dies takes its last seconds with it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/logs/logtext.h"

/* What administrators call them; each has files of its own. */
enum logstore_category { LOGSTORE_TRAFFIC, LOGSTORE_EVENT, LOGSTORE_CATEGORIES };

#define LOGSTORE_FILES 5         /* of a category: the oldest goes when there are more */

struct logstore;

/*
 * The log in a directory, which is made when it is missing. No file grows beyond file_max bytes. A
 * disk that cannot be used is tried again with each line. The caller closes it.
 */
struct logstore *logstore_open(const char *dir, uint64_t file_max);

/* Write what is left and close; NULL is fine. Returns NULL. */
struct logstore *logstore_close(struct logstore *s);

/* From now on no file grows beyond file_max bytes. */
void logstore_set_file_max(struct logstore *s, uint64_t file_max);

/* Add a line, without its end; of one longer than LOGTEXT_MAX bytes the rest is dropped. */
void logstore_add(struct logstore *s, enum logstore_category c, const char *line, size_t len);

/* Give the lines that were added to the kernel. What the disk has no room for is dropped. */
void logstore_flush(struct logstore *s);

/* Lines dropped since the last call. */
uint64_t logstore_lost(struct logstore *s);

/* Remove all lines of a category. */
int logstore_delete(struct logstore *s, enum logstore_category c, struct err *err);

/* ---- reading ---- */

struct logstore_reader;

/* Begin to read the lines that are there now, the newest first; the caller ends it. */
struct logstore_reader *logstore_read(struct logstore *s, enum logstore_category c);

/* End at any time; NULL is fine. Returns NULL. */
struct logstore_reader *logstore_read_end(struct logstore_reader *r);

/* The next older line, valid until the next call; false when there is none. */
bool logstore_next(struct logstore_reader *r, const char **line, size_t *len);

/* Bytes that there were at the beginning, and those that were passed. */
uint64_t logstore_size(const struct logstore_reader *r);
uint64_t logstore_passed(const struct logstore_reader *r);
