/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * free() and realloc() of the whole program, that of its libraries included: what is given back is
 * wiped before. So nobody who keeps text for a moment (strings, frames, buffers of libevent, of
 * SQLite and of TLS) has to know whether there is a secret in it. It costs a pass over memory that
 * was just in use. The allocator stays that of the C library, under its other names
 * (https://sourceware.org/glibc/manual/latest/html_node/Replacing-malloc.html).
 *
 * Part of programs, not of a library, for a library is linked by tests, too.
 */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/wipe.h"

#if WIPE_FREES

void __libc_free(void *p);
void *__libc_malloc(size_t n);

void free(void *p) {
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	__libc_free(p);
}

/* That of the C library would leave the old place as it was, or the end of what shrinks. */
void *realloc(void *p, size_t n) {
	size_t size = p ? malloc_usable_size(p) : 0;
	void *moved;

	if (p && n == 0) {
		free(p);
		return NULL;
	}
	if (p && n <= size && n >= size / 2) {
		explicit_bzero((char *)p + n, size - n);
		return p;
	}
	moved = __libc_malloc(n);
	if (moved && p) {
		memcpy(moved, p, n < size ? n : size);
		free(p);
	}
	return moved;
}

#endif
