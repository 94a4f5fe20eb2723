/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec of everything that crosses a process boundary: big-endian integers and
 * length-prefixed strings, bounds-checked, with a sticky error, so that a reader takes all its
 * fields and asks once whether they were there.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Writes; owns its memory. */
struct buf {
	uint8_t *data;
	size_t len, size;
};

/* Reads; borrows its memory. */
struct buf_reader {
	const uint8_t *data;
	size_t len, pos;
	bool bad;  /* something was missing or out of bounds; reads then give zero */
};

#define BUF_INIT { NULL, 0, 0 }
#define AUTO_BUF __attribute__((cleanup(buf_done)))

/* Release what b holds; b is empty afterwards. */
void buf_done(struct buf *b);

/* The same for a secret: it is wiped before. */
void buf_wipe(struct buf *b);

/* Make room for n bytes in all, so that up to them no copy is left behind in growing. */
void buf_reserve(struct buf *b, size_t n);

/* Append an integer, big-endian. */
void buf_put_u8(struct buf *b, uint8_t v);

/* Append an integer, big-endian. */
void buf_put_u16(struct buf *b, uint16_t v);

/* Append an integer, big-endian. */
void buf_put_u32(struct buf *b, uint32_t v);

/* Append an integer, big-endian. */
void buf_put_u64(struct buf *b, uint64_t v);

/* Append n bytes, no length before them. */
void buf_put_bytes(struct buf *b, const void *data, size_t n);

/* Append a string as u32 length and bytes; NULL counts as empty. */
void buf_put_str(struct buf *b, const char *s);

/* Append n bytes as u32 length and bytes. */
void buf_put_strn(struct buf *b, const char *s, size_t n);

/* Read from n bytes at data, which must outlive the reader. */
void buf_reader_init(struct buf_reader *r, const void *data, size_t n);

/* Take an integer, big-endian; 0 when it is not there. */
uint8_t buf_get_u8(struct buf_reader *r);
uint16_t buf_get_u16(struct buf_reader *r);
uint32_t buf_get_u32(struct buf_reader *r);
uint64_t buf_get_u64(struct buf_reader *r);

/* Take n bytes into out. */
void buf_get_bytes(struct buf_reader *r, void *out, size_t n);

/*
 * Take a string of at most max bytes; the caller frees. Longer strings and strings with a zero
 * byte inside are errors. Returns "" (allocated) on error, never NULL.
 */
char *buf_get_str(struct buf_reader *r, size_t max);

/* True when nothing was missing and nothing is left over. */
bool buf_reader_end(const struct buf_reader *r);
