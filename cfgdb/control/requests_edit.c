/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table is named and up to two keys, which are read as those of every request: in the form that
 * the table keeps them in. What is outside a transaction is one of its own.
 */
#include "cfgdb/control/requests_edit.h"

#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/logs/audit.h"
#include "cfgdb/model/text.h"
#include "schemas/schema_gen.h"

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

/* Enabled already, it is put all the same: with another key that is a change. */
static int enable_private_data(struct caller *s, struct err *err) {
	static char word[] = "enable";
	static char *const words[] = { word };
	const struct schema_table *table = schema_table(TBL_SYSTEM_GLOBAL);
	const unsigned int attr = SYSTEM_GLOBAL__PRIVATE_DATA_ENCRYPTION;
	struct txn *temporary, *t = caller_view(s, &temporary);
	struct object *obj = object_copy(txn_object(t, table));
	struct value v;
	int rc = value_parse(&table->attrs[attr], words, 1, &v, err);

	if (rc) {
		object_free(obj);
	} else {
		object_set(obj, attr, v);
		rc = txn_put(t, obj, txn_base_version(t, table, ""), err);
	}
	return caller_settle(s, temporary, rc, err);
}

int request_edit_private_key(struct caller *s, struct buf_reader *r, struct err *err) {
	uint8_t at_once = buf_get_u8(r);
	AUTO_FREE char *digits = buf_get_str(r, PRIVATE_KEY_DIGITS);
	const struct audit_who who = { s->user, s->ui };
	bool fits = keyring_is_private(digits);
	int rc = request_begins(s, r, schema_table(TBL_SYSTEM_GLOBAL), RIGHTS_WRITE, err);

	r->bad = r->bad || at_once > 1;
	if (rc == 0)
		rc = rights_check_private(&s->rights, err);
	if (rc == 0 && !r->bad && fits)
		memcpy(s->private_key, digits, sizeof(s->private_key));
	explicit_bzero(digits, strlen(digits));
	if (rc || r->bad)
		return rc;
	if (!fits)
		return err_set(err, ERR_VALUE, "a private key is %d hexadecimal digits",
			       PRIVATE_KEY_DIGITS);
	if (!at_once)
		return 0;
	rc = enable_private_data(s, err);
	audit_command(s->config->audit, &who, "execute private-data-encryption key", 0, NULL, rc);
	return rc;
}
