/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects as text: what `show` and `get` print, what the store keeps, and the way back.
 *
 * The body of an object is its `set` lines and nested `config` blocks. Printed without indentation
 * it is what the store keeps and the control protocol carries.
 */
#pragma once

#include <stdbool.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/object.h"

#define TEXT_BODY_MAX (4u << 20)  /* bytes in the body of one object */

enum text_flag {
	TEXT_FULL = 1 << 0,   /* defaults too: `show full-configuration` */
	TEXT_WIRE = 1 << 1,   /* unsealed secrets in clear: between shell and daemon only */
	TEXT_NO_LOCAL = 1 << 2, /* leave out attributes that belong to the unit */
	TEXT_KEPT = 1 << 3,   /* what this release cannot read, too, as `kept ... end` */
	TEXT_MEMBER = 1 << 4, /* for members of a group: nothing at its default, `secret` lines */
};

/* Append the body of obj, each line indented by indent levels of four blanks. */
void text_body(const struct object *obj, unsigned int indent, unsigned int flags, struct str *out);

/* Append what of the body is about one attribute. */
void text_attr(const struct object *obj, unsigned int attr, unsigned int indent, unsigned int flags,
	       struct str *out);

/*
 * Whether the body has a line about an attribute that is no child, and with which value: *ret is
 * NULL where it is `unset`.
 */
bool text_wants(const struct object *obj, unsigned int attr, unsigned int flags,
		const struct value **ret);

/* Append `edit KEY`, body, `next` of a list entry. */
void text_entry(const struct object *obj, unsigned int indent, unsigned int flags, struct str *out);

/* Append `edit KEY`, the key quoted as its type wants it. */
void text_edit_line(const struct object *obj, unsigned int indent, struct str *out);

/*
 * Append what `get` prints for one object: a line for each attribute, newlines in it written as \n.
 */
void text_get(const struct object *obj, struct str *out);

/* Append what of it is about one attribute. */
void text_get_attr(const struct object *obj, unsigned int attr, struct str *out);

/*
 * Append what `get` prints for one entry of a table: `== [ KEY ]` and one line, of what the schema
 * lists for the table or, where it lists nothing, of what is set.
 */
void text_get_entry(const struct object *obj, struct str *out);

/*
 * Whether obj, read from a body of len bytes, is small enough to be stored: what was read is
 * printed, with quotes and indentation, and that is read at a restart.
 */
int text_fits(const struct object *obj, size_t len, struct err *err);

/* Read a body into obj, which must be empty. err names line and attribute. */
int text_parse(struct object *obj, const char *body, struct err *err);
