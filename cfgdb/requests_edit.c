/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list is named and up to two keys, which are read as those of every request: in the form that
 * the table keeps them in. As with a put, what is outside a transaction is one of its own.
 */
#include "cfgdb/requests_edit.h"

#include "cfgdb/base/mem.h"

/* Nothing is missing or left over. */
static bool take_end(struct buf_reader *r) {
	r->bad = !buf_reader_end(r);
	return !r->bad;
}

int request_edit_rename(struct caller *s, struct buf_reader *r, struct err *err) {
	const struct schema_table *table = request_take_table(r);
	AUTO_FREE char *word = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *to_word = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *key = NULL, *to = NULL;
	struct txn *temporary, *t;
	int rc = take_end(r) ? request_key(r, table, word, &key, err) : 0;

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
	int rc;

	if (!take_end(r) || before > 1) {
		r->bad = true;
		return 0;
	}
	rc = request_key(r, table, word, &key, err);
	if (rc == 0)
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

	if (!take_end(r))
		return 0;
	t = caller_view(s, &temporary);
	return caller_settle(s, temporary, txn_purge(t, table, err), err);
}
