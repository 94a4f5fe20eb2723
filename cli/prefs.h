/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an administrator sets for his session alone: attributes that the schema flags `session`. The
 * daemon has none of them; they are taken out of what is sent and put into what is read.
 */
#pragma once

#include "cfgdb/model/object.h"

struct prefs;

/* All at their defaults. The caller frees them. */
struct prefs *prefs_new(void);

/* Release them; NULL is fine. */
void prefs_free(struct prefs *prefs);

/* What the session has of a table with such attributes; stays with prefs. NULL: it has none. */
const struct object *prefs_part(const struct prefs *prefs, const struct schema_table *table);

/* Give such attributes of obj the values of the session. */
void prefs_overlay(const struct prefs *prefs, struct object *obj);

/*
 * Take such attributes out of obj: an object that the caller frees or hands to prefs_keep(); NULL
 * when its table has none.
 */
struct object *prefs_split(struct object *obj);

/* From now on the session has these values; takes over part, which may be NULL. */
void prefs_keep(struct prefs *prefs, struct object *part);
