/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The types behind value.h: for each, how one item is read, written, compared, copied and freed. */
#pragma once

#include "cfgdb/model/value.h"

struct value_type {
	unsigned int words;   /* most words that one item takes */
	/*
	 * Read one item from up to n words; *used says how many it took. On error the item needs
	 * no release.
	 */
	int (*parse)(const struct schema_attr *attr, char *const words[], size_t n, size_t *used,
		     union item *out, struct err *err);
	void (*print)(const struct schema_attr *attr, const union item *item,
		      enum value_style style, struct str *out);
	bool (*equal)(const union item *a, const union item *b);
	bool is_text;         /* item.str, owned by the value */
};

/* The type of an attribute that is not a child. */
const struct value_type *value_type(const struct schema_attr *attr);

/* Fill err as for a value that fails the check of its attribute. */
int value_type_refuse(const struct schema_attr *attr, const char *word, int code, struct err *err);

/* Whether a text has no control characters but newlines and tabs. */
bool value_type_is_clean(const char *text);
