/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text into memory of a fixed size, for what is printed a million times: no allocation, no format
 * string. What does not fit is cut at the end of a piece, and the text says so; nothing after it is
 * written.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "cfgdb/base/net.h"

struct fmt {
	char *at, *end; /* where the next byte goes, and one behind the last that may be written */
	bool cut;          /* something did not fit */
};

/* Write from data, which has room for size bytes; no zero byte is added. */
static inline struct fmt fmt_begin(char *data, size_t size) {
	return (struct fmt){ data, data + size, false };
}

/* Room for n bytes: where to write them, or NULL when it is not there; the caller moves `at`. */
static inline char *fmt_room(struct fmt *f, size_t n) {
	if (f->cut || (size_t)(f->end - f->at) < n) {
		f->cut = true;
		return NULL;
	}
	return f->at;
}

/* Append n bytes. */
static inline void fmt_bytes(struct fmt *f, const char *data, size_t n) {
	if (!fmt_room(f, n))
		return;
	memcpy(f->at, data, n);
	f->at += n;
}

/* Append a literal: its length is known when it is compiled. */
#define fmt_lit(f, literal) fmt_bytes(f, "" literal, sizeof(literal) - 1)

/* Append one character. */
static inline void fmt_char(struct fmt *f, char c) {
	if (fmt_room(f, 1))
		*f->at++ = c;
}

/* Append a string. */
void fmt_str(struct fmt *f, const char *text);

/* Append a number in decimal. */
void fmt_u64(struct fmt *f, uint64_t v);

/* Append a number in decimal, with its sign when it is negative. */
void fmt_i64(struct fmt *f, int64_t v);

/* Append a number as eight hexadecimal digits. */
void fmt_hex32(struct fmt *f, uint32_t v);

/* Append an address as inet_ntop(3) writes it. */
void fmt_addr(struct fmt *f, int family, const union net_addr *addr);

/* Append a string of JSON with its quotes; what is no UTF-8 in it becomes U+FFFD. */
void fmt_json(struct fmt *f, const char *text);

/* Append blanks until the text that began at `start` is `width` long; longer text stays. */
void fmt_pad(struct fmt *f, const char *start, size_t width);
