/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects as YAML, for programs that read it; the shell does not. */
#pragma once

#include "cfgdb/base/str.h"
#include "cfgdb/model/object.h"

/* Append the line that begins a table: its path with _ between the words. */
void yaml_table(const struct schema_table *table, struct str *out);

/* Append what `show` prints of a top-level object, an entry of a list with its key. */
void yaml_object(const struct object *obj, struct str *out);
