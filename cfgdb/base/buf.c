/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One codec for control socket, peer channel and datagrams. Writers grow; readers never look past
 * the end: the first field that is not there sets `bad`, and from then on every read gives zero.
 */
#include "cfgdb/base/buf.h"

#include <endian.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

void buf_done(struct buf *b) {
	free(b->data);
	*b = (struct buf)BUF_INIT;
}

void buf_wipe(struct buf *b) {
	if (b->data)
		explicit_bzero(b->data, b->size);
	buf_done(b);
}

void buf_reserve(struct buf *b, size_t n) {
	if (n <= b->size)
		return;
	b->data = xreallocarray(b->data, n, 1);
	b->size = n;
}

void buf_put_bytes(struct buf *b, const void *data, size_t n) {
	size_t size = b->size ? b->size : 128;

	if (n == 0)
		return;
	while (size < b->len + n)
		size *= 2;
	if (size != b->size) {
		b->data = xreallocarray(b->data, size, 1);
		b->size = size;
	}
	memcpy(b->data + b->len, data, n);
	b->len += n;
}

void buf_put_u8(struct buf *b, uint8_t v) {
	buf_put_bytes(b, &v, sizeof(v));
}

void buf_put_u16(struct buf *b, uint16_t v) {
	v = htobe16(v);
	buf_put_bytes(b, &v, sizeof(v));
}

void buf_put_u32(struct buf *b, uint32_t v) {
	v = htobe32(v);
	buf_put_bytes(b, &v, sizeof(v));
}

void buf_put_u64(struct buf *b, uint64_t v) {
	v = htobe64(v);
	buf_put_bytes(b, &v, sizeof(v));
}

void buf_put_strn(struct buf *b, const char *s, size_t n) {
	buf_put_u32(b, (uint32_t)n);
	buf_put_bytes(b, s, n);
}

void buf_put_str(struct buf *b, const char *s) {
	buf_put_strn(b, s, s ? strlen(s) : 0);
}

void buf_reader_init(struct buf_reader *r, const void *data, size_t n) {
	*r = (struct buf_reader){ .data = data, .len = n };
}

void buf_get_bytes(struct buf_reader *r, void *out, size_t n) {
	if (r->bad || r->len - r->pos < n) {
		r->bad = true;
		memset(out, 0, n);
		return;
	}
	memcpy(out, r->data + r->pos, n);
	r->pos += n;
}

uint8_t buf_get_u8(struct buf_reader *r) {
	uint8_t v;

	buf_get_bytes(r, &v, sizeof(v));
	return v;
}

uint16_t buf_get_u16(struct buf_reader *r) {
	uint16_t v;

	buf_get_bytes(r, &v, sizeof(v));
	return be16toh(v);
}

uint32_t buf_get_u32(struct buf_reader *r) {
	uint32_t v;

	buf_get_bytes(r, &v, sizeof(v));
	return be32toh(v);
}

uint64_t buf_get_u64(struct buf_reader *r) {
	uint64_t v;

	buf_get_bytes(r, &v, sizeof(v));
	return be64toh(v);
}

char *buf_get_str(struct buf_reader *r, size_t max) {
	uint32_t n = buf_get_u32(r);
	char *s;

	if (r->bad || n > max || r->len - r->pos < n || memchr(r->data + r->pos, 0, n)) {
		r->bad = true;
		return xstrdup("");
	}
	s = xstrndup((const char *)r->data + r->pos, n);
	r->pos += n;
	return s;
}

bool buf_reader_end(const struct buf_reader *r) {
	return !r->bad && r->pos == r->len;
}
