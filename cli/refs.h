/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that were found good for a reference a moment ago, so that a long script asks once. */
#pragma once

#include <stdbool.h>

#include "cfgdb/model/schema.h"

struct refs;

/* New empty cache; the caller frees it. */
struct refs *refs_new(void);

/* Free a cache; NULL is fine. */
void refs_free(struct refs *refs);

/* Forget everything: the configuration may have changed under it. */
void refs_clear(struct refs *refs);

/* True when refs_add() was called with the same arguments not long ago. */
bool refs_has(const struct refs *refs, const struct schema_table *table, unsigned int attr,
	      const char *name);

/* Remember that name may be used in this attribute. */
void refs_add(struct refs *refs, const struct schema_table *table, unsigned int attr,
	      const char *name);
