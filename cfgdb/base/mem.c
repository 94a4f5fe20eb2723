/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The only place that decides what happens when memory runs out: one line on stderr, then abort.
 * A daemon that dies here loses nothing: the store is durable and the kernel keeps its rules, so
 * the service manager's restart finds the same state.
 */
#include "cfgdb/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *mem_check(void *p) {
	if (!p) {
		fputs("out of memory\n", stderr);
		abort();
	}
	return p;
}

void *xcalloc(size_t n, size_t size) {
	return mem_check(calloc(n ? n : 1, size ? size : 1));
}

void *xreallocarray(void *p, size_t n, size_t size) {
	return mem_check(reallocarray(p, n ? n : 1, size ? size : 1));
}

char *xstrdup(const char *s) {
	return mem_check(strdup(s));
}

char *xstrndup(const char *s, size_t n) {
	return mem_check(strndup(s, n));
}

char *xvasprintf(const char *fmt, va_list ap) {
	char *s = NULL;

	if (vasprintf(&s, fmt, ap) < 0)
		s = NULL;
	return mem_check(s);
}

char *xasprintf(const char *fmt, ...) {
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = xvasprintf(fmt, ap);
	va_end(ap);
	return s;
}

void mem_autofree(void *pp) {
	free(*(void **)pp);
}
