/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The key of the group is made once: beside the loop, kept sealed in a file, found again after a
 * restart, and made anew for another secret or group, and whatever happens to the file.
 */
#include "backends/group_key.h"

#include <event2/event.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static struct event_base *base;
static struct keyring *ring;
static struct group_key *keys;
static char *path, *sealed, *other;
static unsigned int n_ready;
static uint8_t key[SECRET_GROUP_KEY_LEN];
static struct err err;

static void on_ready(void *arg) {
	++*(unsigned int *)arg;
}

static void keys_open(void) {
	keys = group_key_new(base, ring, path, on_ready, &n_ready, &err);
	ck_assert_msg(keys != NULL, "%s", err.text);
}

static void keys_reopen(void) {
	group_key_free(keys);
	keys_open();
}

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *device = xasprintf("%s/device.key", dir);

	base = event_base_new();
	ring = keyring_open(device, true, &err);
	ck_assert_msg(ring != NULL, "%s", err.text);
	path = xasprintf("%s/group.key", dir);
	sealed = secret_seal(ring, "a secret of some length");
	other = secret_seal(ring, "another secret of some length");
	keys_open();
}

static void teardown(void) {
	group_key_free(keys);
	keyring_close(ring);
	event_base_free(base);
	free(path);
	free(sealed);
	free(other);
}

/* The key, which takes its time the first time. */
static void get(const char *secret, uint8_t group, bool slow) {
	uint8_t right[SECRET_GROUP_KEY_LEN];
	unsigned int n = n_ready;

	if (slow) {
		ck_assert_int_eq(group_key_get(keys, secret, group, key, &err), GROUP_KEY_MAKING);
		ck_assert_int_eq(group_key_get(keys, secret, group, key, &err), GROUP_KEY_MAKING);
		while (n_ready == n)
			event_base_loop(base, EVLOOP_ONCE);
	}
	ck_assert_int_eq(group_key_get(keys, secret, group, key, &err), GROUP_KEY_READY);
	ck_assert_int_eq(secret_group_key(ring, secret, group, right, &err), 0);
	ck_assert_mem_eq(key, right, sizeof(right));
	ck_assert_uint_eq(n_ready, n + slow);
}

START_TEST(made_once)
{
	get(sealed, 1, true);
	get(sealed, 1, false);
	keys_reopen();
	get(sealed, 1, false);
	/* Sealed once more it is the same secret. */
	free(sealed);
	sealed = secret_seal(ring, "a secret of some length");
	get(sealed, 1, false);
}
END_TEST

START_TEST(made_anew)
{
	get(sealed, 1, true);
	get(sealed, 2, true);
	get(other, 2, true);
	keys_reopen();
	get(other, 2, false);
	get(sealed, 1, true);
}
END_TEST

/* The secret changes while the key of the old one is being made. */
START_TEST(overtaken)
{
	ck_assert_int_eq(group_key_get(keys, sealed, 1, key, &err), GROUP_KEY_MAKING);
	ck_assert_int_eq(group_key_get(keys, other, 1, key, &err), GROUP_KEY_MAKING);
	while (n_ready == 0)
		event_base_loop(base, EVLOOP_ONCE);
	get(other, 1, true);
}
END_TEST

START_TEST(left_while_being_made)
{
	ck_assert_int_eq(group_key_get(keys, sealed, 1, key, &err), GROUP_KEY_MAKING);
	keys_reopen();
	ck_assert_uint_eq(n_ready, 0);
	get(sealed, 1, true);
}
END_TEST

START_TEST(typed_key)
{
	AUTO_FREE char *typed = secret_seal(ring, "0x000102030405060708090a0b0c0d0e0f");

	get(typed, 1, false);
	ck_assert_int_ne(access(path, F_OK), 0);
}
END_TEST

START_TEST(not_ours)
{
	ck_assert_int_eq(group_key_get(keys, "ENC AAAA", 1, key, &err), GROUP_KEY_FAILED);
	ck_assert_int_eq(err.code, ERR_VALUE);
}
END_TEST

START_TEST(file)
{
	AUTO_STR struct str text = STR_INIT;
	AUTO_FREE char *short_one = secret_seal(ring, "0102");
	struct stat st;

	get(sealed, 1, true);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_eq(file_read(path, 1024, &text, &err), 0);
	ck_assert(strncmp(str_text(&text), "ENC ", 4) == 0);
	/* Cut, of something else, or no file at all: it is made anew. */
	ck_assert_int_eq(truncate(path, 20), 0);
	keys_reopen();
	get(sealed, 1, true);
	ck_assert_int_eq(file_replace(path, short_one, strlen(short_one), &err), 0);
	keys_reopen();
	get(sealed, 1, true);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	keys_reopen();
	get(sealed, 1, true);
	ck_assert_int_eq(rmdir(path), 0);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("group key");
	TCase *tc = fixture_case(suite, "group key");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, made_once);
	tcase_add_test(tc, made_anew);
	tcase_add_test(tc, overtaken);
	tcase_add_test(tc, left_while_being_made);
	tcase_add_test(tc, typed_key);
	tcase_add_test(tc, not_ours);
	tcase_add_test(tc, file);
	return fixture_run(suite);
}
