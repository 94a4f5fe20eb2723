/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Secrets under another key: all of them, those of the history too, in one commit, or none; and the
 * texts that the first release has left.
 */
#include "cfgdb/reseal.h"

#include <fcntl.h>
#include <sodium.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/history.h"
#include "cfgdb/model/text.h"
#include "cfgdb/password.h"
#include "schemas/schema_gen.h"
#include "tests/lib/fixture.h"
#include "tests/lib/wire.h"

#define KEY_ONE "00112233445566778899aabbccddeeff"
#define KEY_TWO "ffeeddccbbaa99887766554433221100"
#define KEY_THREE "0123456789abcdef0123456789abcdef"
#define ENABLE "set private-data-encryption enable\n"
#define DEVICE 2                     /* versions of sealed text: the byte that it begins with */
#define PRIVATE 3

static void make_unit(struct engine *e) {
	fixture_set(e, "system.auto-scale", "", "set psksecret \"the first one\"\n");
	fixture_set(e, "system.auto-scale", "", "set psksecret \"the second one\"\n");
	fixture_set(e, "system.ha", "", "set password \"a third one\"\n");
	fixture_set(e, "system.admin", "op", "set accprofile super_admin\nset password other\n");
	fixture_set(e, "firewall.address", "a", "set comment \"no ENC AgAAAA== of ours\"\n");
}

/* Put system global with this body, and this key typed. */
static int put_global(struct engine *e, const char *body, const char *digits, struct err *err) {
	struct txn *t = txn_new(e, "test", "cli");
	int rc;

	txn_set_private_key(t, digits);
	rc = fixture_put(t, "system.global", "", TXN_ANY, body, err);
	rc = rc ? rc : txn_commit(t, err);
	txn_free(t);
	return rc;
}

static void enable(struct engine *e, const char *digits) {
	struct err err = { 0 };

	ck_assert_msg(put_global(e, ENABLE, digits, &err) == 0, "%s", err.text);
}

/* ---- what is sealed, as the database has it ---- */

static int count_versions(void *arg, int n, char **row, char **names) {
	unsigned int *count = arg;

	(void)names;
	for (int i = 0; i < n; i++) {
		const char *at = row[i];

		while (at && (at = strstr(at, " ENC ")) != NULL) {
			unsigned char raw[3];
			size_t len;

			at += strlen(" ENC ");
			sodium_base642bin(raw, sizeof(raw), at, 4, NULL, &len, NULL,
					  sodium_base64_VARIANT_ORIGINAL);
			ck_assert_uint_eq(len, sizeof(raw));
			/* not the comment, nor a hash */
			if (strncmp(at, "AgAAAA==", 8) != 0 && strncmp(at, "Y1", 2) != 0)
				count[raw[0] & 3]++;
		}
	}
	return 0;
}

static void sql(const char *dir, const char *text, int (*row)(void *, int, char **, char **),
		void *arg) {
	AUTO_FREE char *path = xasprintf("%s/config.db", dir);
	char *why = NULL;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_msg(sqlite3_exec(db, text, row, arg, &why) == SQLITE_OK, "%s", why);
	sqlite3_close(db);
}

/* All that is sealed in the database has this version: so many texts in force, so many of old. */
static void check_versions(const char *dir, unsigned int version, unsigned int n_now,
			   unsigned int n_kept) {
	unsigned int now[4] = { 0 }, kept[4] = { 0 };

	sql(dir, "SELECT body FROM obj", count_versions, now);
	sql(dir, "SELECT old_body, new_body FROM chg", count_versions, kept);
	for (unsigned int v = 0; v < 4; v++) {
		ck_assert_uint_eq(now[v], v == version ? n_now : 0);
		ck_assert_uint_eq(kept[v], v == version ? n_kept : 0);
	}
}

static const char *sealed(const struct engine *e) {
	return object_str(model_object(e->model, fixture_table("system.auto-scale")),
			  SYSTEM_AUTO_SCALE__PSKSECRET);
}

static void check_secret(const struct engine *e, const char *want) {
	struct err err = { 0 };
	char *plain = NULL;

	ck_assert_msg(secret_unseal(e->keyring, sealed(e), &plain, &err) == 0, "%s", err.text);
	ck_assert_str_eq(plain, want);
	free(plain);
}

/* ---- on, off, another one ---- */

START_TEST(test_on_and_off) {
	AUTO_FREE char *dir = fixture_dir(), *first = NULL, *second = NULL;
	struct engine *e = fixture_engine(dir);
	unsigned char hash[OBJECT_HASH_LEN];
	char id[2][PRIVATE_KEY_ID_LEN + 1];

	make_unit(e);
	check_versions(dir, DEVICE, 2, 4);
	memcpy(hash, model_object(e->model, fixture_table("system.auto-scale"))->hash, sizeof(hash));
	keyring_private_id(e->keyring, id[0]);
	ck_assert_str_eq(id[0], "");
	enable(e, KEY_ONE);
	check_versions(dir, PRIVATE, 2, 4);
	check_secret(e, "the second one");
	first = xstrdup(sealed(e));
	keyring_private_id(e->keyring, id[0]);
	ck_assert_uint_eq(strlen(id[0]), PRIVATE_KEY_ID_LEN);
	ck_assert_mem_eq(model_object(e->model, fixture_table("system.auto-scale"))->hash, hash,
			 sizeof(hash));
	enable(e, KEY_TWO);
	check_versions(dir, PRIVATE, 2, 4);
	check_secret(e, "the second one");
	second = xstrdup(sealed(e));
	ck_assert_str_ne(first, second);
	keyring_private_id(e->keyring, id[1]);
	ck_assert_str_ne(id[0], id[1]);
	engine_close(e);

	e = fixture_engine(dir);
	ck_assert_str_eq(sealed(e), second);
	check_secret(e, "the second one");
	fixture_set(e, "system.ha", "", "set password \"a fourth one\"\n");
	check_versions(dir, PRIVATE, 2, 6);
	fixture_set(e, "system.global", "", "set timezone 04\n"); /* disabled by what is not said */
	check_versions(dir, DEVICE, 2, 6);
	check_secret(e, "the second one");
	engine_close(e);
	e = fixture_engine(dir);
	check_secret(e, "the second one");
	engine_close(e);
}
END_TEST

struct kept {
	const char *text;
	unsigned int n;
};

static int count_kept(void *arg, int n, char **row, char **names) {
	struct kept *kept = arg;

	(void)names;
	for (int i = 0; i < n; i++)
		kept->n += row[i] && strstr(row[i], kept->text);
	return 0;
}

/* What has not changed has one text, in what is in force and in what is kept. */
START_TEST(test_same_texts) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	struct kept kept = { .n = 0 };

	make_unit(e);
	fixture_set(e, "system.auto-scale", "", "set hb-interval 7\nset psksecret \"the second one\"\n");
	enable(e, KEY_ONE);
	kept.text = sealed(e);
	sql(dir, "SELECT old_body, new_body FROM chg", count_kept, &kept);
	ck_assert_uint_eq(kept.n, 3);
	engine_close(e);
}
END_TEST

START_TEST(test_same_key) {
	AUTO_FREE char *dir = fixture_dir(), *before = NULL;
	struct engine *e = fixture_engine(dir);
	uint64_t revision;

	make_unit(e);
	enable(e, KEY_ONE);
	before = xstrdup(sealed(e));
	revision = e->revision;
	enable(e, KEY_ONE);
	ck_assert_uint_eq(e->revision, revision);
	ck_assert_str_eq(sealed(e), before);
	enable(e, KEY_TWO);
	ck_assert_uint_eq(e->revision, revision + 1);
	engine_close(e);
}
END_TEST

START_TEST(test_no_key) {
	AUTO_FREE char *dir = fixture_dir(), *before = NULL, *after = NULL;
	struct engine *e = fixture_engine(dir);
	struct err err = { 0 };

	make_unit(e);
	before = fixture_snapshot(e);
	ck_assert_int_eq(put_global(e, ENABLE, "", &err), ERR_VALUE);
	ck_assert_str_eq(err.text, "private-data-encryption needs a key, which no line may hold: "
				   "`execute private-data-encryption key` asks for it and enables "
				   "it");
	after = fixture_snapshot(e);
	ck_assert_str_eq(after, before);
	enable(e, KEY_ONE);
	fixture_set(e, "system.global", "", "");
	ck_assert_int_eq(put_global(e, ENABLE, "", &err), ERR_VALUE);
	engine_close(e);
}
END_TEST

/* At each write of the commit that fails, all is as it was, here and after a restart. */
START_TEST(test_faults) {
	AUTO_FREE char *dir = fixture_dir(), *before = NULL;
	struct engine *e = fixture_engine(dir);
	unsigned int n = 0;
	int rc = -1;

	make_unit(e);
	before = fixture_snapshot(e);
	while (rc != 0) {
		AUTO_FREE char *spec = xasprintf(_i ? "store.commit:%u" : "store.write:%u", ++n);
		AUTO_FREE char *after = NULL, *again = NULL;

		fixture_fault(spec);
		rc = put_global(e, ENABLE, KEY_ONE, NULL);
		fixture_fault(NULL);
		if (rc == 0)
			break;
		after = fixture_snapshot(e);
		ck_assert_str_eq(after, before);
		check_versions(dir, DEVICE, 2, 4);
		engine_close(e);
		again = fixture_snapshot_of(dir);
		ck_assert_str_eq(again, before);
		e = fixture_engine(dir);
	}
	ck_assert_uint_gt(n, _i ? 1 : 8);
	check_versions(dir, PRIVATE, 2, 4);
	engine_close(e);
}
END_TEST

/* ---- the past, and what was begun before ---- */

/* Whether the commit says that it takes the private key away. */
static bool go_back(struct engine *e, uint64_t revision) {
	struct txn *t = txn_new(e, "test", "cli");
	struct err err = { 0 };
	bool said = false;

	ck_assert_msg(history_stage(t, revision, &err) == 0 && txn_commit(t, &err) == 0, "%s",
		      err.text);
	for (unsigned int i = 0; i < txn_warnings(t)->n; i++)
		said = said || strstr(txn_warnings(t)->text[i], "private-data-encryption is disabled");
	txn_free(t);
	return said;
}

START_TEST(test_past) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	uint64_t first, enabled;

	fixture_set(e, "system.auto-scale", "", "set psksecret \"the first one\"\n");
	first = e->revision;
	make_unit(e);
	enable(e, KEY_ONE);
	enabled = e->revision;
	ck_assert(go_back(e, first));
	check_secret(e, "the first one");
	check_versions(dir, DEVICE, 1, 7);
	ck_assert(!go_back(e, enabled)); /* there is nobody to type the key */
	check_secret(e, "the second one");
	check_versions(dir, PRIVATE, 2, 10);
	fixture_set(e, "system.ha", "", "set password \"a fourth one\"\n");
	ck_assert(!go_back(e, e->revision - 1)); /* the same key is in force there */
	engine_close(e);
}
END_TEST

START_TEST(test_staged) {
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	struct txn *t = txn_new(e, "test", "cli");
	struct err err = { 0 };

	txn_hold(t, "test");
	ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY,
				     "set psksecret \"it waits\"\n", &err), 0);
	enable(e, KEY_ONE);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
	check_versions(dir, PRIVATE, 1, 1);
	check_secret(e, "it waits");
	engine_close(e);
}
END_TEST

/* Of two keys that came meanwhile, the first can still be read with; of three no more. */
START_TEST(test_staged_for_long) {
	static const char *const keys[] = { KEY_TWO, KEY_THREE };
	AUTO_FREE char *dir = fixture_dir();
	struct engine *e = fixture_engine(dir);
	struct txn *t = txn_new(e, "test", "cli");
	struct err err = { 0 };

	enable(e, KEY_ONE);
	txn_hold(t, "test");
	ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY,
				     "set psksecret \"it waits\"\n", &err), 0);
	for (int i = 0; i <= _i; i++)
		enable(e, keys[i]);
	if (_i == 0) {
		ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
		check_secret(e, "it waits");
	} else {
		ck_assert_int_eq(txn_commit(t, &err), ERR_LOCKED);
		ck_assert_msg(strstr(err.text, "system auto-scale:") == err.text &&
			      strstr(err.text, "set it again"), "%s", err.text);
		ck_assert_str_eq(sealed(e), "");
		ck_assert_int_eq(fixture_put(t, "system.auto-scale", "", TXN_ANY,
					     "set psksecret \"set again\"\n", &err), 0);
		ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
		check_secret(e, "set again");
	}
	txn_free(t);
	engine_close(e);
}
END_TEST

/* ---- another unit ---- */

static int put_sealed(struct engine *e, const char *text, struct err *err) {
	AUTO_FREE char *body = xasprintf("set psksecret %s\n", text);
	struct txn *t = txn_new(e, "test", "cli");
	int rc = fixture_put(t, "system.auto-scale", "", TXN_ANY, body, err);

	rc = rc ? rc : txn_commit(t, err);
	txn_free(t);
	return rc;
}

START_TEST(test_other_unit) {
	AUTO_FREE char *dir = fixture_dir(), *other_dir = fixture_dir(), *want = NULL;
	struct engine *e = fixture_engine(dir), *other = fixture_engine(other_dir);
	struct err err = { 0 };
	char id[PRIVATE_KEY_ID_LEN + 1];

	make_unit(e);
	ck_assert_int_eq(put_sealed(other, sealed(e), &err), ERR_VALUE);
	ck_assert_str_eq(err.text, "node_check_object fail! for psksecret\nthe ENC text was made by "
				   "another unit: type the secret in clear");
	enable(e, KEY_ONE);
	enable(other, KEY_TWO);
	ck_assert_int_eq(put_sealed(other, sealed(e), &err), ERR_VALUE);
	keyring_private_id(e->keyring, id);
	want = xasprintf("node_check_object fail! for psksecret\nthe ENC text was made with the "
			 "private key %s, which this unit does not have: give it with `execute "
			 "private-data-encryption key`, or type the secret in clear", id);
	ck_assert_str_eq(err.text, want);
	enable(other, KEY_ONE);
	ck_assert_msg(put_sealed(other, sealed(e), &err) == 0, "%s", err.text);
	ck_assert_str_eq(sealed(other), sealed(e));
	check_secret(other, "the second one");
	fixture_set(other, "system.global", "", "");
	check_versions(other_dir, DEVICE, 1, 1);
	engine_close(other);
	engine_close(e);
}
END_TEST

/* ---- over a connection ---- */

static int ask_key(struct wire *w, bool at_once, const char *digits) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_PRIVATE_KEY);
	buf_put_u8(&b, at_once);
	buf_put_str(&b, digits);
	return wire_ask(w, &b);
}

static void check_id(const struct wire_unit *unit, char *id) {
	char now[PRIVATE_KEY_ID_LEN + 1];

	keyring_private_id(unit->engine->keyring, now);
	ck_assert_msg(strcmp(now, id) == 0, "%s, not %s", now, id);
}

START_TEST(test_connection) {
	char first[PRIVATE_KEY_ID_LEN + 1], second[PRIVATE_KEY_ID_LEN + 1], none[] = "";
	struct wire_unit unit;
	struct wire a, b;

	wire_unit_init(&unit);
	wire_open(&a, &unit, "a");
	wire_open(&b, &unit, "b");
	ck_assert_int_eq(ask_key(&a, true, "0123"), ERR_VALUE);
	ck_assert_str_eq(a.err.text, "a private key is 32 hexadecimal digits");
	ck_assert_int_eq(ask_key(&a, false, KEY_ONE), 0);
	check_id(&unit, none);
	ck_assert_int_eq(wire_put(&b, "system.global", "", ENABLE), ERR_VALUE); /* it is a's */
	ck_assert_int_eq(wire_put(&a, "system.global", "", ENABLE), 0);
	keyring_private_id(unit.engine->keyring, first);
	ck_assert_uint_eq(strlen(first), PRIVATE_KEY_ID_LEN);
	ck_assert_int_eq(ask_key(&b, true, KEY_TWO), 0);
	keyring_private_id(unit.engine->keyring, second);
	ck_assert_str_ne(second, first);
	ck_assert_int_eq(wire_put(&a, "system.global", "", ENABLE "set timezone 04\n"), 0);
	check_id(&unit, second); /* a's was used up */

	ck_assert_int_eq(wire_simple(&a, CTL_BEGIN), 0);
	ck_assert_int_eq(ask_key(&a, true, KEY_ONE), 0);
	check_id(&unit, second);
	ck_assert_int_eq(wire_simple(&a, CTL_COMMIT), 0);
	check_id(&unit, first);
	ck_assert_int_eq(wire_txn(&a, "start"), 0);
	ck_assert_int_eq(ask_key(&a, true, KEY_TWO), 0);
	check_id(&unit, first);
	ck_assert_int_eq(wire_txn(&a, "abort"), 0);
	check_id(&unit, first);
	a.caller.rights = rights_none;
	ck_assert_int_eq(ask_key(&a, true, KEY_TWO), ERR_DENIED);
	check_id(&unit, first);
	ck_assert_int_eq(wire_put(&b, "system.accprofile", "system",
				  "set scope global\nset sysgrp read-write\nset cli-config enable\n"),
			 0);
	rights_of_profile(model_find(unit.engine->model, fixture_table("system.accprofile"),
				     "system"),
			  &a.caller.rights);
	ck_assert_int_eq(wire_put(&a, "system.global", "", ENABLE "set timezone 05\n"), 0);
	ck_assert_int_eq(ask_key(&a, true, KEY_TWO), ERR_PERMISSION);
	ck_assert_int_eq(ask_key(&a, false, KEY_TWO), ERR_PERMISSION);
	ck_assert_int_eq(wire_put(&a, "system.global", "", "set timezone 05\n"), ERR_PERMISSION);
	check_id(&unit, first);
	wire_close(&a);
	wire_close(&b);
	wire_unit_done(&unit);
}
END_TEST

/* ---- the first release ---- */

/* Text as it was sealed then: version, nonce and what is under a key derived from the device's. */
static char *seal_as_then(const char *dir, const char *plain) {
	static const unsigned char label[] = "gatehouse secret 1";
	AUTO_FREE char *path = xasprintf("%s/device.key", dir);
	unsigned char master[crypto_kdf_KEYBYTES], key[32], raw[1 + 24 + 256] = { 1 };
	int fd = open(path, O_RDONLY);
	char text[512];
	unsigned long long len;

	ck_assert_int_eq(read(fd, master, sizeof(master)), sizeof(master));
	close(fd);
	crypto_kdf_derive_from_key(key, sizeof(key), 1, "ghouse01", master);
	randombytes_buf(raw + 1, 24);
	crypto_aead_xchacha20poly1305_ietf_encrypt(raw + 25, &len, (const unsigned char *)plain,
						   strlen(plain), label, sizeof(label), NULL,
						   raw + 1, key);
	sodium_bin2base64(text, sizeof(text), raw, 25 + len, sodium_base64_VARIANT_ORIGINAL);
	return xasprintf("ENC %s", text);
}

START_TEST(test_first_release) {
	AUTO_FREE char *dir = fixture_dir(), *then = NULL, *update = NULL, *before = NULL;
	struct engine *e = fixture_engine(dir);
	unsigned char hash[OBJECT_HASH_LEN];
	struct err err = { 0 };

	make_unit(e);
	memcpy(hash, model_object(e->model, fixture_table("system.auto-scale"))->hash, sizeof(hash));
	before = xstrdup(sealed(e));
	engine_close(e);
	then = seal_as_then(dir, "the second one");
	update = xasprintf("UPDATE obj SET body = replace(body, '%s', '%s');"
			   "UPDATE chg SET old_body = replace(old_body, '%s', '%s'), "
			   "new_body = replace(new_body, '%s', '%s');",
			   before, then, before, then, before, then);
	sql(dir, update, NULL, NULL);
	if (_i) /* a disk that is full changes nothing about what can be read */
		fixture_fault("store.write:2");
	e = fixture_engine(dir);
	fixture_fault(NULL);
	check_secret(e, "the second one");
	ck_assert_mem_eq(model_object(e->model, fixture_table("system.auto-scale"))->hash, hash,
			 sizeof(hash));
	ck_assert(_i == (strcmp(sealed(e), then) == 0));
	if (!_i) { /* in force it is in the form of today, in the history in that of then */
		unsigned int now[4] = { 0 };

		sql(dir, "SELECT body FROM obj", count_versions, now);
		ck_assert_uint_eq(now[DEVICE], 2);
		ck_assert_uint_eq(now[1], 0);
	}
	fixture_set(e, "system.auto-scale", "", "");
	ck_assert_msg(put_sealed(e, then, &err) == 0, "%s", err.text); /* from a backup of then */
	check_secret(e, "the second one");
	ck_assert_str_ne(sealed(e), then);
	go_back(e, 2); /* whose change the history has in that form */
	check_secret(e, "the first one");
	go_back(e, 3);
	check_secret(e, "the second one");
	engine_close(e);
}
END_TEST

/* ---- hashes that were sealed ---- */

static const char *hash_text(const struct engine *e) {
	return object_str(model_find(e->model, fixture_table("system.admin"), "op"),
			  SYSTEM_ADMIN__PASSWORD);
}

/* The text as releases had it that sealed hashes. */
static char *sealed_hash(const struct engine *e) {
	const struct schema_table *admins = fixture_table("system.admin");
	struct schema_attr attr = admins->attrs[SYSTEM_ADMIN__PASSWORD];
	AUTO_FREE char *hash = password_read(hash_text(e));

	ck_assert_ptr_nonnull(hash);
	attr.type = ATTR_PASSWORD;
	return secret_seal_for(e->keyring, admins, &attr, hash);
}

static int count_texts(void *arg, int n, char **row, char **names) {
	(void)names;
	for (int i = 0; i < n; i++)
		*(unsigned int *)arg += row[i] && strstr(row[i], "set password ENC Y1");
	return 0;
}

/* So many bodies have the text of a hash. */
static void check_texts(const char *dir, unsigned int now, unsigned int kept) {
	unsigned int n[2] = { 0 };

	sql(dir, "SELECT body FROM obj WHERE tbl = 'system.admin'", count_texts, &n[0]);
	sql(dir, "SELECT old_body, new_body FROM chg WHERE tbl = 'system.admin'", count_texts,
	    &n[1]);
	ck_assert_uint_eq(n[0], now);
	ck_assert_uint_eq(n[1], kept);
}

START_TEST(test_sealed_hash) {
	AUTO_FREE char *dir = fixture_dir(), *then = NULL, *update = NULL, *text = NULL;
	struct engine *e = fixture_engine(dir);

	make_unit(e);
	enable(e, KEY_ONE);
	check_texts(dir, 1, 1);
	text = xstrdup(hash_text(e));
	then = sealed_hash(e);
	engine_close(e);
	update = xasprintf("UPDATE obj SET body = replace(body, '%s', '%s');"
			   "UPDATE chg SET new_body = replace(new_body, '%s', '%s');",
			   text, then, text, then);
	sql(dir, update, NULL, NULL);
	check_texts(dir, 0, 0);
	if (_i) /* a disk that is full: the password is what it was */
		fixture_fault("store.write:1");
	e = fixture_engine(dir);
	fixture_fault(NULL);
	ck_assert_str_eq(hash_text(e), _i ? then : text);
	check_texts(dir, !_i, !_i);
	fixture_set(e, "system.global", "", ""); /* with the next key it is no text of that */
	ck_assert_str_eq(hash_text(e), text);
	check_texts(dir, 1, 1);
	engine_close(e);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("reseal");
	TCase *t = fixture_case(suite, "reseal");

	tcase_add_test(t, test_on_and_off);
	tcase_add_test(t, test_same_texts);
	tcase_add_test(t, test_same_key);
	tcase_add_test(t, test_no_key);
	tcase_add_loop_test(t, test_faults, 0, 2);
	tcase_add_test(t, test_past);
	tcase_add_test(t, test_staged);
	tcase_add_loop_test(t, test_staged_for_long, 0, 2);
	tcase_add_test(t, test_other_unit);
	tcase_add_test(t, test_connection);
	tcase_add_loop_test(t, test_first_release, 0, 2);
	tcase_add_loop_test(t, test_sealed_hash, 0, 2);
	return fixture_run(suite);
}
