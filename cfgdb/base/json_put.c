/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One flag is enough to know where a comma belongs: after an object or array is closed, the one
 * around it has a member. What is open are the bits of a word, so nothing is allocated.
 *
 * Members of the outermost stand in lines of their own: long lists can be read by people, cut by
 * line tools, and written piece by piece.
 */
#include "cfgdb/base/json_put.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/fmt.h"
#include "cfgdb/base/mem.h"

#define BYTES_PER_BYTE 6 /* of a control character: \u00XX */

static void json_put_string(struct str *out, const char *text) {
	size_t size = strlen(text) * BYTES_PER_BYTE + 2;
	AUTO_FREE char *data = xcalloc(1, size);
	struct fmt f = fmt_begin(data, size);

	fmt_json(&f, text);
	str_add_bytes(out, data, (size_t)(f.at - data));
}

/* What stands before a value: comma, newline, name. */
static void json_put_lead(struct json *j, const char *name) {
	if (j->filled)
		str_add_char(j->out, ',');
	if (j->depth == 1)
		str_add_char(j->out, '\n');
	j->filled = true;
	if (!name)
		return;
	json_put_string(j->out, name);
	str_add_char(j->out, ':');
}

static void json_put_open(struct json *j, const char *name, bool array) {
	json_put_lead(j, name);
	str_add_char(j->out, array ? '[' : '{');
	j->arrays = j->arrays << 1 | array;
	j->depth++;
	j->filled = false;
}

void json_put_object(struct json *j, const char *name) {
	json_put_open(j, name, false);
}

void json_put_array(struct json *j, const char *name) {
	json_put_open(j, name, true);
}

void json_put_end(struct json *j) {
	if (j->depth == 1 && j->filled)
		str_add_char(j->out, '\n');
	str_add_char(j->out, j->arrays & 1 ? ']' : '}');
	j->arrays >>= 1;
	j->depth--;
	j->filled = true;
	if (j->depth == 0)
		str_add_char(j->out, '\n');
}

void json_put_text(struct json *j, const char *name, const char *text) {
	json_put_lead(j, name);
	json_put_string(j->out, text);
}

void json_put_textf(struct json *j, const char *name, const char *fmt, ...) {
	AUTO_FREE char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	text = xvasprintf(fmt, ap);
	va_end(ap);
	json_put_text(j, name, text);
}

void json_put_lines(struct json *j, const char *name, const char *text) {
	json_put_array(j, name);
	while (*text) {
		size_t len = strcspn(text, "\n");

		json_put_textf(j, NULL, "%.*s", (int)len, text);
		text += len + (text[len] != '\0');
	}
	json_put_end(j);
}

void json_put_u64(struct json *j, const char *name, uint64_t v) {
	json_put_lead(j, name);
	str_addf(j->out, "%" PRIu64, v);
}

void json_put_i64(struct json *j, const char *name, int64_t v) {
	json_put_lead(j, name);
	str_addf(j->out, "%" PRId64, v);
}

void json_put_tenths(struct json *j, const char *name, uint64_t v) {
	json_put_lead(j, name);
	str_addf(j->out, "%" PRIu64 ".%" PRIu64, v / 10, v % 10);
}

void json_put_bool(struct json *j, const char *name, bool v) {
	json_put_lead(j, name);
	str_add(j->out, v ? "true" : "false");
}

void json_put_null(struct json *j, const char *name) {
	json_put_lead(j, name);
	str_add(j->out, "null");
}
