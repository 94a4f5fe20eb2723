/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a newer release has set in an object and this one cannot read: attributes and nested tables
 * that it does not have, values that are none here. It is kept with the object as text, stored,
 * digested and sent on, and not shown.
 */
#pragma once

#include "cfgdb/model/object.h"
#include "cfgdb/model/outline.h"
#include "cfgdb/secret.h"

/*
 * Read a stored body into obj, which must be empty, like text_parse(), but keep what this release
 * cannot read. Only a text that is no body is an error.
 */
int unknown_parse(struct object *obj, const char *body, struct err *err);

/*
 * Read what another member sent: the same, and secrets are in clear. What would be nothing here,
 * such as a value that is the default of this release alone, is kept as well. Changes o.
 */
int unknown_take(const struct keyring *k, struct object *obj, struct outline *o, struct err *err);

/* Seal the secrets of lines that are kept. */
int unknown_seal(const struct keyring *k, struct outline *o, struct err *err);

/*
 * Give obj what is kept in before (NULL: nothing), and in its children, except for attributes that
 * are set in obj: an administrator has not seen it and loses none of it.
 */
void unknown_keep(struct object *obj, const struct object *before);

/* Whether anything is kept in obj or in its children. */
bool unknown_in_object(const struct object *obj);
