/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * u8 kind, str table, str key; a put or place: u8 placed, str after; a put: str body.
 *
 * What is read has texts for all members, so that nobody has to ask which there are.
 */
#include "cfgdb/model/operation.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/model/object.h"
#include "cfgdb/model/text.h"

void operation_encode(struct buf *b, const struct operation *o) {
	buf_put_u8(b, o->kind);
	buf_put_str(b, o->table);
	buf_put_str(b, o->key);
	if (o->kind == OPERATION_DELETE)
		return;
	buf_put_u8(b, o->placed);
	buf_put_str(b, o->placed ? o->after : "");
	if (o->kind == OPERATION_PUT)
		buf_put_str(b, o->body);
}

void operation_decode(struct operation *o, struct buf_reader *r) {
	uint8_t kind = buf_get_u8(r), placed = 0;

	*o = (struct operation){ .kind = kind };
	r->bad = r->bad || kind < OPERATION_PUT || kind > OPERATION_PLACE;
	o->table = buf_get_str(r, OPERATION_TABLE_MAX);
	o->key = buf_get_str(r, OBJECT_KEY_MAX);
	if (kind != OPERATION_DELETE)
		placed = buf_get_u8(r);
	o->placed = placed;
	o->after = kind != OPERATION_DELETE ? buf_get_str(r, OBJECT_KEY_MAX) : xstrdup("");
	o->body = kind == OPERATION_PUT ? buf_get_str(r, TEXT_BODY_MAX) : xstrdup("");
	r->bad = r->bad || placed > 1 || !*o->table || (!placed && *o->after) ||
		 (kind == OPERATION_PLACE && !placed);
}

void operation_done(struct operation *o) {
	free(o->table);
	free(o->key);
	free(o->after);
	if (o->body)
		explicit_bzero(o->body, strlen(o->body));
	free(o->body);
	*o = (struct operation){ .kind = 0 };
}
