/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text as JSON, member by member: whoever prints does not see to commas and quotes.
 *
 *     struct json j = json_put_begin(out);
 *
 *     json_put_object(&j, NULL);
 *     json_put_text(&j, "name", "port1");
 *     json_put_u64(&j, "mtu", 1500);
 *     json_put_end(&j);
 *
 * The outermost object or array has a line for each of its members and ends with a newline; what is
 * inside has none.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/str.h"

#define JSON_DEPTH_MAX 64

struct json {
	struct str *out;      /* not owned */
	unsigned int depth;   /* objects and arrays that are open */
	uint64_t arrays;      /* a bit for each that is an array */
	bool filled;          /* the innermost has a member */
};

/* Begin to append to out, which stays the caller's. */
static inline struct json json_put_begin(struct str *out) {
	return (struct json){ .out = out };
}

/* Go on in an outermost array that has members already, written by whoever began it. */
static inline struct json json_put_resume(struct str *out) {
	return (struct json){ .out = out, .depth = 1, .arrays = 1, .filled = true };
}

/* Open an object or an array; in all of these the name is NULL in an array and at the outermost. */
void json_put_object(struct json *j, const char *name);
void json_put_array(struct json *j, const char *name);

/* Close what was opened last. */
void json_put_end(struct json *j);

/* Append a string; what is no UTF-8 in it becomes U+FFFD. */
void json_put_text(struct json *j, const char *name, const char *text);

/* Append a formatted string. */
void json_put_textf(struct json *j, const char *name, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Append the lines of a text as an array of strings. */
void json_put_lines(struct json *j, const char *name, const char *text);

/* Append a number. */
void json_put_u64(struct json *j, const char *name, uint64_t v);
void json_put_i64(struct json *j, const char *name, int64_t v);

/* Append a number of tenths, v, as a decimal fraction. */
void json_put_tenths(struct json *j, const char *name, uint64_t v);

/* Append true or false. */
void json_put_bool(struct json *j, const char *name, bool v);

/* Append null: there is such a thing, and its value is not known or not there. */
void json_put_null(struct json *j, const char *name);
