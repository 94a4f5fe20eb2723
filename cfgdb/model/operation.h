/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One step from one member's configuration to another's, as it travels between members and their
 * daemons: by names, for the two ends may be of different releases.
 */
#pragma once

#include <stdbool.h>

#include "cfgdb/base/buf.h"

#define OPERATION_TABLE_MAX 127 /* bytes in the dotted name of a table */
#define OPERATION_BYTES_MAX (5u << 20) /* of one as bytes */

enum operation_kind {
	OPERATION_PUT = 1,
	OPERATION_DELETE,
	OPERATION_PLACE,         /* the object is there, and gets another place */
};

struct operation {
	enum operation_kind kind;
	bool placed;             /* an entry of an ordered table: it stands behind `after` */
	char *table, *key;       /* its dotted name; "" is the key of an object table */
	char *after;             /* key of the entry before; "": none, or not placed */
	char *body;              /* see cfgdb/shared.h; secrets are in clear. "": none */
};

/* Append it; the caller wipes b. */
void operation_encode(struct buf *b, const struct operation *o);

/*
 * Read one, with texts of its own, to be released with operation_done() in any case; r->bad where
 * there is none.
 */
void operation_decode(struct operation *o, struct buf_reader *r);

/* Wipe and release its texts. */
void operation_done(struct operation *o);
