/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory that is there or the process is not: every size a peer or a user controls is bounded
 * elsewhere, so running out is a broken machine and ends the program in one place.
 */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* Zeroed memory for n elements of size bytes; the caller frees. Never NULL. */
void *xcalloc(size_t n, size_t size);

/* Resized array of n elements of size bytes; the caller frees. Never NULL for n > 0. */
void *xreallocarray(void *p, size_t n, size_t size);

/* Copy of s; the caller frees. */
char *xstrdup(const char *s);

/* Copy of the first n bytes of s, terminated; the caller frees. */
char *xstrndup(const char *s, size_t n);

/* Formatted string; the caller frees. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Like xasprintf, with the arguments in ap. */
char *xvasprintf(const char *fmt, va_list ap) __attribute__((format(printf, 1, 0)));

/* Bytes that an allocation of n bytes takes: allocators add a header and round up. */
static inline size_t mem_size(size_t n) {
	return n == 0 ? 0 : (n + 23) / 16 * 16;
}

/* free() for AUTO_FREE: frees what the pointer at pp points to. */
void mem_autofree(void *pp);

/* A pointer that is freed when it leaves its scope. */
#define AUTO_FREE __attribute__((cleanup(mem_autofree)))

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
