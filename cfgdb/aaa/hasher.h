/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passwords are compared in a thread of its own: it takes longer than the loop may be silent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/err.h"

#define HASHER_JOBS_MAX 128      /* that wait */

struct event_base;
struct hasher;

/* Start the thread. NULL and *err when that fails. The caller closes it. */
struct hasher *hasher_new(struct event_base *base, struct err *err);

/* End the thread; what waits gets no answer, and its arg is freed. NULL is fine. Returns NULL. */
struct hasher *hasher_free(struct hasher *h);

/*
 * Compare a password with a hash (NULL: that of nobody, which costs the same and is never right);
 * both are copied. done(arg), which frees arg, is called once, from the loop. False when too many
 * wait.
 */
bool hasher_compare(struct hasher *h, const char *hash, const char *password,
		    void (*done)(void *arg, bool right), void *arg);

/* How many were compared since the start. */
uint64_t hasher_count(const struct hasher *h);
