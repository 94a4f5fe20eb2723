/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A string that grows: text is appended, the builder owns the memory. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

struct str {
	char *data;  /* NULL while empty, otherwise terminated */
	size_t len, size;
};

#define STR_INIT { NULL, 0, 0 }

/* Release what s holds; s is empty afterwards and may be used again. */
void str_done(struct str *s);

/* Forget the text, keep the memory. */
void str_clear(struct str *s);

/* Make room for n bytes more, so that up to them no copy is left behind in growing. */
void str_reserve(struct str *s, size_t n);

/* Append n bytes. */
void str_add_bytes(struct str *s, const char *data, size_t n);

/* Append a string. */
void str_add(struct str *s, const char *text);

/* Append one character. */
void str_add_char(struct str *s, char c);

/* Append formatted text. */
void str_addf(struct str *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Append n blanks. */
void str_add_blanks(struct str *s, size_t n);

/* The text; "" while empty; valid until the next append. */
const char *str_text(const struct str *s);

/* The text as a string of its own that the caller frees; s is empty afterwards. */
char *str_steal(struct str *s);

/* What a noun behind the number n ends in: "" or "s". */
static inline const char *str_plural(unsigned long long n) {
	return n == 1 ? "" : "s";
}

/* A struct str that is released when it leaves its scope. */
#define AUTO_STR __attribute__((cleanup(str_done)))
