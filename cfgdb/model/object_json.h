/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Objects as JSON: what `show` and `get` print, for programs.
 *
 * An object has its attributes by name, the key of an entry first. Integers are numbers (`never` is
 * a string), attributes that hold several values are arrays, nested tables arrays of objects,
 * nested objects objects; everything else is a string, written as `set` takes it but without
 * quotes. What is not set and has no default is null. Secrets are "ENC ..." in what `show` prints
 * and "*" in what `get` prints.
 */
#pragma once

#include "cfgdb/base/json_put.h"
#include "cfgdb/model/object.h"

/* Which attributes there are: those that `show`, `show full-configuration` or `get` prints. */
enum object_json { OBJECT_JSON_SHOW, OBJECT_JSON_FULL, OBJECT_JSON_GET };

/* Append an object; the name is that of json_put_object(). */
void object_json_put(const struct object *obj, enum object_json form, const char *name,
		     struct json *j);

/* Append one attribute of obj to an open object, if there is something to be printed of it. */
void object_json_attr(const struct object *obj, unsigned int attr, enum object_json form,
		      struct json *j);

/* Append the entries of a list that obj holds, as an array. */
void object_json_list(const struct object *obj, unsigned int attr, enum object_json form,
		      const char *name, struct json *j);
