/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random objects of any table, drawn from the schema: every attribute, every type, every depth. The
 * same seed gives the same object on every machine.
 */
#pragma once

#include <stdint.h>

#include "cfgdb/model/object.h"
#include "tests/lib/rng.h"

/*
 * Name for a reference attribute: copied by the caller; NULL leaves the attribute out. What it
 * returns must live until the next call.
 */
typedef const char *random_name_fn(void *arg, struct rng *r, const struct schema_attr *attr);

/*
 * A text of at most max bytes that an attribute may hold: quotes, backslashes, line feeds, UTF-8.
 */
char *random_text(struct rng *r, size_t max);

/* A key that `table` takes, in canonical form; the caller frees it. */
char *random_key(struct rng *r, const struct schema_table *table);

/*
 * A value for an attribute that is not a child, made by value_parse() from random words; n is 0
 * when name gives none. A name of NULL makes any names up. The caller releases it.
 */
struct value random_value(struct rng *r, const struct schema_attr *attr, random_name_fn *name,
			  void *arg);

/*
 * A random object of a table (a child table, too) with this key; `percent` of its attributes are
 * set, required ones always. It is normalized, secrets are in clear. The caller frees it.
 */
struct object *random_object(struct rng *r, const struct schema_table *table, const char *key,
			     unsigned int percent, random_name_fn *name, void *arg);
