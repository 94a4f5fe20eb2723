/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every piece is made in a small array from its end (numbers) or its start (addresses) and copied
 * once, so that the bound is checked once for each.
 *
 * An IPv6 address is written as the C library does, the longest run of zeros as ::, the first of
 * equals, and with the dotted form of IPv4 at the end where it stands for one.
 */
#include "cfgdb/base/fmt.h"

#include <endian.h>
#include <sys/socket.h>

#include "cfgdb/base/utf8.h"

#define DIGITS_MAX 20      /* of a 64-bit number */

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233"
			    "34353637383940414243444546474849505152535455565758596061626364656667"
			    "6869707172737475767778798081828384858687888990919293949596979899";

void fmt_str(struct fmt *f, const char *text) {
	fmt_bytes(f, text, strlen(text));
}

void fmt_u64(struct fmt *f, uint64_t v) {
	char digits[DIGITS_MAX], *at = digits + DIGITS_MAX;

	while (v >= 100) {
		at -= 2;
		memcpy(at, &pairs[v % 100 * 2], 2);
		v /= 100;
	}
	if (v >= 10) {
		at -= 2;
		memcpy(at, &pairs[v * 2], 2);
	} else {
		*--at = (char)('0' + v);
	}
	fmt_bytes(f, at, (size_t)(digits + DIGITS_MAX - at));
}

void fmt_i64(struct fmt *f, int64_t v) {
	if (v < 0)
		fmt_char(f, '-');
	fmt_u64(f, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

static char hex_digit(unsigned int v) {
	return "0123456789abcdef"[v & 15];
}

void fmt_hex32(struct fmt *f, uint32_t v) {
	char digits[8];

	for (int i = 7; i >= 0; i--, v >>= 4)
		digits[i] = hex_digit(v);
	fmt_bytes(f, digits, sizeof(digits));
}

/* One to three digits. */
static char *put_octet(char *at, unsigned int v) {
	if (v >= 100) {
		*at++ = (char)('0' + v / 100);
		v %= 100;
		memcpy(at, &pairs[v * 2], 2);
		return at + 2;
	}
	if (v >= 10) {
		memcpy(at, &pairs[v * 2], 2);
		return at + 2;
	}
	*at++ = (char)('0' + v);
	return at;
}

static char *put_ipv4(char *at, const uint8_t byte[4]) {
	for (int i = 0; i < 4; i++) {
		if (i)
			*at++ = '.';
		at = put_octet(at, byte[i]);
	}
	return at;
}

/* One to four digits. */
static char *put_group(char *at, unsigned int v) {
	if (v >= 0x1000)
		*at++ = hex_digit(v >> 12);
	if (v >= 0x100)
		*at++ = hex_digit(v >> 8);
	if (v >= 0x10)
		*at++ = hex_digit(v >> 4);
	*at++ = hex_digit(v);
	return at;
}

struct run {
	int start, len;
};

/* The first of the longest runs of zeros, of two groups at least. */
static struct run longest_run(const uint16_t group[8]) {
	struct run best = { 8, 1 };

	for (int i = 0; i < 8;) {
		int start = i;

		while (i < 8 && group[i] == 0)
			i++;
		if (i - start > best.len)
			best = (struct run){ start, i - start };
		if (i == start)
			i++;
	}
	return best;
}

static char *put_ipv6(char *at, const uint8_t byte[16]) {
	uint16_t group[8];
	struct run zeros;

	memcpy(group, byte, sizeof(group));
	for (int i = 0; i < 8; i++)
		group[i] = be16toh(group[i]);
	zeros = longest_run(group);
	for (int i = 0; i < 8; i++) {
		if (i == zeros.start) {
			*at++ = ':';
			i += zeros.len - 1;
			if (i == 7)
				*at++ = ':';
			continue;
		}
		if (i)
			*at++ = ':';
		if (i == 6 && zeros.start == 0 &&
		    (zeros.len == 6 || (zeros.len == 5 && group[5] == 0xffff)))
			return put_ipv4(at, byte + 12);
		at = put_group(at, group[i]);
	}
	return at;
}

void fmt_addr(struct fmt *f, int family, const union net_addr *addr) {
	char text[NET_TEXT_MAX];
	const char *end = family == AF_INET ? put_ipv4(text, addr->byte)
					    : put_ipv6(text, addr->byte);

	fmt_bytes(f, text, (size_t)(end - text));
}

/* The character at text as strict readers take it: its length, 0 for what is none. */
static size_t valid_utf8(const char *text, size_t n, uint32_t *point) {
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = utf8_next(text, n, point);

	if (len == 1)
		return *point < 0x80;
	if (len == 0 || *point < least[len] || *point > 0x10ffff || *point >> 11 == 0xd800 >> 11)
		return 0;
	return len;
}

void fmt_json(struct fmt *f, const char *text) {
	size_t left = strlen(text), n;
	uint32_t c;

	fmt_char(f, '"');
	for (; left > 0; text += n, left -= n) {
		n = valid_utf8(text, left, &c);
		if (n == 0) {
			fmt_lit(f, "\xef\xbf\xbd");
			n = 1;
		} else if (c < ' ' || c == 0x7f) {
			fmt_lit(f, "\\u00");
			fmt_char(f, "0123456789abcdef"[c >> 4]);
			fmt_char(f, "0123456789abcdef"[c & 15]);
		} else {
			if (c == '"' || c == '\\')
				fmt_char(f, '\\');
			fmt_bytes(f, text, n);
		}
	}
	fmt_char(f, '"');
}

void fmt_pad(struct fmt *f, const char *start, size_t width) {
	size_t len = (size_t)(f->at - start), n = len < width ? width - len : 0;

	if (!fmt_room(f, n))
		return;
	memset(f->at, ' ', n);
	f->at += n;
}
