/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What names inside an object lead to: `cluster-peer 1 peerip` in `system standalone-cluster`. */
#pragma once

#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/model/object.h"

#define LOCATE_DEPTH_MAX 8

struct location {
	/* n objects, each holding the next one in its attribute */
	struct {
		const struct object *obj;
		unsigned int attr;
	} way[LOCATE_DEPTH_MAX];
	size_t n;
	const struct object *obj; /* the one at the end; NULL: the last attribute as a whole */
};

/*
 * Follow n names from obj inwards: attributes, which may be shortened, and behind a nested table
 * the key of an entry. What is found belongs to obj, in which nested objects without values are
 * made. The names that lead nowhere are refused as in any command.
 */
int locate(struct object *obj, char *const names[], size_t n, struct location *ret,
	   struct err *err);

/* The entry with this key, as typed, of a list that obj holds in attr, or NULL. */
struct object *locate_entry(const struct object *obj, unsigned int attr, const char *word);

/* Fill *err with the text for an entry that there is not; returns its code. */
int locate_refuse(struct err *err);
