/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The uids of administrators. Each name gets a number of its own when the administrator is made; it
 * never changes, and never comes back when he is gone: what still runs under it is nobody's.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/engine.h"

struct accounts;

/* Read the numbers, and give them to who has none. NULL and *err when that fails; to be closed. */
struct accounts *accounts_open(struct engine *engine, struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct accounts *accounts_close(struct accounts *a);

/*
 * Follow the configuration: to be called after each commit. Until a number could be written down
 * nobody has it.
 */
int accounts_follow(struct accounts *a, struct err *err);

/* The uid of a name; 0 when no administrator has it who could log in here. */
uint32_t accounts_uid(const struct accounts *a, const char *name);

/* The name with that uid, valid until the next commit, or NULL. */
const char *accounts_name(const struct accounts *a, uint32_t uid);
