/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Growth doubles, so appending is linear; the buffer always ends in a zero byte, so the text can
 * be handed to anything that wants a C string without a copy.
 */
#include "cfgdb/base/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

void str_reserve(struct str *s, size_t extra) {
	size_t need = s->len + extra + 1;
	size_t size = s->size ? s->size : 64;

	if (need <= s->size)
		return;
	while (size < need)
		size *= 2;
	s->data = xreallocarray(s->data, size, 1);
	s->size = size;
}

void str_done(struct str *s) {
	free(s->data);
	*s = (struct str)STR_INIT;
}

void str_clear(struct str *s) {
	s->len = 0;
	if (s->data)
		s->data[0] = '\0';
}

void str_add_bytes(struct str *s, const char *data, size_t n) {
	str_reserve(s, n);
	memcpy(s->data + s->len, data, n);
	s->len += n;
	s->data[s->len] = '\0';
}

void str_add(struct str *s, const char *text) {
	str_add_bytes(s, text, strlen(text));
}

void str_add_char(struct str *s, char c) {
	str_add_bytes(s, &c, 1);
}

void str_addf(struct str *s, const char *fmt, ...) {
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	if (n <= 0)
		return;
	str_reserve(s, (size_t)n);
	va_start(ap, fmt);
	vsnprintf(s->data + s->len, (size_t)n + 1, fmt, ap);
	va_end(ap);
	s->len += (size_t)n;
}

void str_add_blanks(struct str *s, size_t n) {
	str_reserve(s, n);
	memset(s->data + s->len, ' ', n);
	s->len += n;
	s->data[s->len] = '\0';
}

const char *str_text(const struct str *s) {
	return s->data ? s->data : "";
}

char *str_steal(struct str *s) {
	char *text = s->data ? s->data : xstrdup("");

	*s = (struct str)STR_INIT;
	return text;
}
