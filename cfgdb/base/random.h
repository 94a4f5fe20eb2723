/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random bytes from the kernel, and what is made of them. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RANDOM_UUID_LEN 36

/* Fill out with n random bytes (getrandom(2)); waits at boot until the kernel has some. */
void random_bytes(void *out, size_t n);

/* 64 random bits. */
uint64_t random_u64(void);

/* A random UUID (RFC 9562, version 4) as text with its terminator. */
void random_uuid(char out[RANDOM_UUID_LEN + 1]);
