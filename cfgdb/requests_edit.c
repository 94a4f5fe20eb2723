/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table is named and up to two keys, which are read as those of every request: in the form that
 * the table keeps them in. What is outside a transaction is one of its own.
 */
#include "cfgdb/requests_edit.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/text.h"

int request_edit_put(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	AUTO_FREE char *key = buf_get_str(r, OBJECT_KEY_MAX);
	uint64_t base = buf_get_u64(r);
	AUTO_FREE char *body = buf_get_str(r, TEXT_BODY_MAX);
	AUTO_FREE char *canonical = NULL;
	struct txn *temporary, *t;
	struct object *obj;
	int rc = request_begins(s, r, table, RIGHTS_WRITE, err);

	if (rc == 0 && !r->bad)
		rc = request_key(r, table, key, &canonical, err);
	r->bad = r->bad || base == TXN_ANY;
	if (rc || r->bad) {
		explicit_bzero(body, strlen(body));
		return rc;
	}
	obj = object_new(table, canonical);
	rc = text_parse(obj, body, err);
	explicit_bzero(body, strlen(body)); /* it may have held a secret in clear */
	if (rc) {
		object_free(obj);
		return rc;
	}
	t = caller_view(s, &temporary);
	return caller_settle(s, temporary, txn_put(t, obj, base, err), err);
}

int request_edit_delete(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	AUTO_FREE char *word = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *key = NULL;
	struct txn *temporary, *t;
	int rc = request_begins(s, r, table, RIGHTS_WRITE, err);

	if (rc == 0 && !r->bad)
		rc = request_key(r, table, word, &key, err);
	if (rc || r->bad)
		return rc;
	t = caller_view(s, &temporary);
	return caller_settle(s, temporary, txn_delete(t, table, key, err), err);
}

int request_edit_rename(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	AUTO_FREE char *word = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *to_word = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *key = NULL, *to = NULL;
	struct txn *temporary, *t;
	int rc = request_begins(s, r, table, RIGHTS_WRITE, err);

	if (rc == 0 && !r->bad)
		rc = request_key(r, table, word, &key, err);
	if (rc == 0 && !r->bad)
		rc = request_key(r, table, to_word, &to, err);
	if (rc || r->bad)
		return rc;
	t = caller_view(s, &temporary);
	return caller_settle(s, temporary, txn_rename(t, table, key, to, err), err);
}

int request_edit_place(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	AUTO_FREE char *word = buf_get_str(r, OBJECT_KEY_MAX);
	uint8_t before = buf_get_u8(r);
	AUTO_FREE char *other_word = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *key = NULL, *other = NULL;
	struct txn *temporary, *t;
	int rc = request_begins(s, r, table, RIGHTS_WRITE, err);

	r->bad = r->bad || before > 1;
	if (rc == 0 && !r->bad)
		rc = request_key(r, table, word, &key, err);
	if (rc == 0 && !r->bad)
		rc = request_key(r, table, other_word, &other, err);
	if (rc || r->bad)
		return rc;
	t = caller_view(s, &temporary);
	rc = before ? txn_place_before(t, table, key, other, err)
		    : txn_place(t, table, key, other, err);
	return caller_settle(s, temporary, rc, err);
}

int request_edit_purge(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	struct txn *temporary, *t;
	int rc = request_begins(s, r, table, RIGHTS_WRITE, err);

	if (rc || r->bad)
		return rc;
	t = caller_view(s, &temporary);
	return caller_settle(s, temporary, txn_purge(t, table, err), err);
}
