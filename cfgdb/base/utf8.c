/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text is bytes here, mostly UTF-8. A byte that begins no character is looked at as an 8-bit
 * terminal would: there 0x80 to 0x9f are control characters. Characters written longer than need be
 * are taken for what a careless terminal makes of them.
 */
#include "cfgdb/base/utf8.h"

#include "cfgdb/base/mem.h"

/* Bytes that follow a first byte; 0: it stands alone. */
static size_t utf8_tail(unsigned char first) {
	if (first >= 0xf0 && first < 0xf8)
		return 3;
	if (first >= 0xe0 && first < 0xf0)
		return 2;
	return first >= 0xc0 && first < 0xe0;
}

size_t utf8_next(const char *s, size_t n, uint32_t *point) {
	const unsigned char *p = (const unsigned char *)s;
	size_t tail = utf8_tail(p[0]);
	uint32_t c = tail ? p[0] & (0x3fu >> tail) : p[0];

	*point = p[0];
	for (size_t i = 1; i <= tail; i++) {
		if (i == n)
			return 0;
		if ((p[i] & 0xc0) != 0x80)
			return 1;
		c = c << 6 | (p[i] & 0x3f);
	}
	*point = c;
	return tail + 1;
}

bool utf8_is_control(uint32_t point) {
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0x00, 0x08 },	    { 0x0b, 0x1f },	{ 0x7f, 0x9f },
		{ 0x61c, 0x61c },   { 0x200e, 0x200f }, { 0x2028, 0x202e },
		{ 0x2066, 0x2069 },
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges) && point >= ranges[i].first; i++)
		if (point <= ranges[i].last)
			return true;
	return false;
}

size_t utf8_visible(const char *s, size_t n, struct str *out) {
	size_t done = 0, len;
	uint32_t point;

	while (done < n && (len = utf8_next(s + done, n - done, &point)) > 0) {
		if (utf8_is_control(point))
			str_addf(out, "<U+%04X>", (unsigned int)point);
		else
			str_add_bytes(out, s + done, len);
		done += len;
	}
	return done;
}
