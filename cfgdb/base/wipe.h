/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets in clear are short-lived, but memory that is given back keeps them until somebody writes
 * over it. A program that links wipe_free.c wipes its heap as it is freed; its stack it wipes here.
 */
#pragma once

#include <stdlib.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif

/* Whether wipe_free.c does anything: sanitizers have an allocator of their own. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) &&       \
	!__has_feature(address_sanitizer) && !__has_feature(thread_sanitizer) &&                   \
	!__has_feature(memory_sanitizer)
#define WIPE_FREES 1
#else
#define WIPE_FREES 0
#endif

/* Wipe what calls that have returned may have left on the stack of this thread: 64 KB below. */
void wipe_stack(void);
