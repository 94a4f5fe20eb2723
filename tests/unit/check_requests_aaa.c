/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The requests of the modules of the login: who may send which, what is no request, and how many a
 * user has.
 */
#include "cfgdb/aaa/requests_aaa.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define KEY \
	"ssh-ed25519 " \
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

#define KEYS_UID 900
#define USER_UID 1000
#define S ((uint64_t)1000000000)

static char *dir;
static struct engine *engine;
static struct event_base *base;
static struct requests_aaa shared;
static struct buf got;
static unsigned int n_got;

static void on_packet(void *arg, const struct buf *packet) {
	(void)arg;
	got.len = 0;
	buf_put_bytes(&got, packet->data, packet->len);
	n_got++;
}

static char reason[32]; /* of the last event */

static void on_event(void *arg, const struct aaa_event *event) {
	(void)arg;
	snprintf(reason, sizeof(reason), "%s", event->reason);
}

static void setup(void) {
	struct aaa_config config = { .clock = moment_now, .tell = on_event };
	struct err err = { 0 };

	dir = fixture_dir();
	engine = fixture_engine(dir);
	base = event_base_new();
	config.engine = engine;
	config.base = base;
	shared = (struct requests_aaa){ aaa_open(&config, &err), KEYS_UID, { 10, 5, 0 } };
	ck_assert_msg(shared.aaa != NULL, "%s", err.text);
	fixture_set(engine, "system.admin", "bob",
		    "set accprofile prof_admin\nset password secret\n"
		    "set ssh-public-key1 \"" KEY "\"\n");
	ck_assert_int_eq(aaa_follow(shared.aaa, NULL), 0);
	n_got = 0;
}

static void teardown(void) {
	buf_done(&got);
	aaa_close(shared.aaa);
	engine_close(engine);
	event_base_free(base);
	free(dir);
}

static struct asker asker(uid_t uid) {
	return (struct asker){ .shared = &shared, .uid = uid, .pid = getpid(), .send = on_packet };
}

static void put_login(struct buf *b) {
	buf_put_u8(b, AAA_SSH);
	buf_put_str(b, "bob");
	buf_put_str(b, "10.0.0.1");
	buf_put_str(b, "");
}

/* A good request of each type. */
static void make(struct buf *b, enum aaa_type type) {
	b->len = 0;
	buf_put_u8(b, AAA_VERSION);
	buf_put_u8(b, (uint8_t)type);
	if (type == AAA_LOCAL)
		buf_put_u8(b, AAA_LOCAL_LOGIN);
	if (type == AAA_AUTH || type == AAA_ACCOUNT || type == AAA_BEGIN || type == AAA_LOCAL)
		put_login(b);
	if (type == AAA_AUTH)
		buf_put_str(b, "secret");
	if (type == AAA_UID)
		buf_put_u32(b, AAA_UID_MIN + 1);
	if (type == AAA_END)
		buf_put_u32(b, 1);
	if (type == AAA_NAME || type == AAA_KEYS || type == AAA_PASSWORD)
		buf_put_str(b, "bob");
	if (type == AAA_PASSWORD) {
		buf_put_str(b, "");
		buf_put_str(b, "new");
	}
}

static int answer(struct asker *who, const struct buf *b, uint64_t now_ns) {
	unsigned int before = n_got;

	ck_assert(asker_request(who, b->data, b->len, now_ns));
	while (n_got == before)
		event_base_loop(base, EVLOOP_ONCE);
	ck_assert_uint_eq(got.data[0], AAA_VERSION);
	return got.data[1];
}

static const struct {
	enum aaa_type type;
	int root, keys, user;    /* what they get */
	bool to_root;            /* that the last one has asked is told */
} rights[] = {
	{ AAA_NAME, AAA_OK, AAA_OK, AAA_OK, false },
	{ AAA_UID, AAA_OK, AAA_OK, AAA_OK, false },
	{ AAA_AUTH, AAA_OK, AAA_DENIED, AAA_DENIED, true },
	{ AAA_ACCOUNT, AAA_OK, AAA_DENIED, AAA_DENIED, true },
	{ AAA_KEYS, AAA_OK, AAA_OK, AAA_DENIED, true },
	{ AAA_BEGIN, AAA_OK, AAA_DENIED, AAA_DENIED, true },
	{ AAA_END, AAA_OK, AAA_DENIED, AAA_DENIED, false },
	{ AAA_SELF, AAA_NOT_FOUND, AAA_NOT_FOUND, AAA_NOT_FOUND, false },
	{ AAA_PASSWORD, AAA_OK, AAA_DENIED, AAA_DENIED, false },
	{ AAA_LISTEN, AAA_OK, AAA_DENIED, AAA_DENIED, true },
	{ AAA_LOCAL, AAA_OK, AAA_DENIED, AAA_DENIED, true },
};

START_TEST(test_rights) {
	struct asker users[] = { asker(USER_UID), asker(KEYS_UID), asker(0) };
	AUTO_BUF struct buf b = BUF_INIT;

	ck_assert_uint_eq(ARRAY_LEN(rights), AAA_REQUEST_COUNT - 1);
	for (size_t i = 0; i < ARRAY_LEN(rights); i++) {
		const int wanted[] = { rights[i].user, rights[i].keys, rights[i].root };

		make(&b, rights[i].type);
		for (size_t k = 0; k < 3; k++)
			ck_assert_msg(answer(&users[k], &b, (i + 1) * S) == wanted[k],
				      "type %d of %zu: %d", rights[i].type, k, got.data[1]);
		snprintf(reason, sizeof(reason), "none");
		answer(&users[0], &b, (i + 1) * S);
		ck_assert_str_eq(reason, rights[i].to_root ? "not_root" : "none");
	}
}
END_TEST

static void force_bob(void) {
	fixture_set(engine, "system.admin", "bob",
		    "set accprofile prof_admin\nset password secret\n"
		    "set force-password-change enable\n");
}

/*
 * An administrator sets his own password, and no other's; only who was forced when he logged in
 * needs no old one.
 */
START_TEST(test_own_password) {
	struct asker root = asker(0), bob = asker(AAA_UID_MIN + 1), other = asker(AAA_UID_MIN);
	AUTO_BUF struct buf b = BUF_INIT;

	if (_i == 1)
		force_bob();
	make(&b, AAA_PASSWORD);
	ck_assert_int_eq(answer(&bob, &b, S), AAA_DENIED);
	make(&b, AAA_BEGIN);
	ck_assert_int_eq(answer(&root, &b, S), AAA_OK);
	make(&b, AAA_SELF);
	ck_assert_int_eq(answer(&bob, &b, S), AAA_OK);
	ck_assert_int_eq(answer(&other, &b, S), AAA_NOT_FOUND);
	make(&b, AAA_PASSWORD);
	ck_assert_int_eq(answer(&other, &b, 2 * S), AAA_DENIED);
	ck_assert_int_eq(answer(&bob, &b, 2 * S), _i == 1 ? AAA_OK : AAA_DENIED);
	ck_assert_int_eq(answer(&bob, &b, 2 * S), AAA_DENIED);
	force_bob();
	ck_assert_int_eq(answer(&bob, &b, 3 * S), AAA_DENIED);
}
END_TEST

/* Whatever is cut off, added or changed in its head is no request: it has no answer. */
START_TEST(test_malformed) {
	struct asker root = asker(0);
	AUTO_BUF struct buf b = BUF_INIT;

	for (enum aaa_type type = AAA_NAME; type < AAA_REQUEST_COUNT; type++) {
		make(&b, type);
		for (size_t len = 0; len < b.len; len++)
			ck_assert_msg(!asker_request(&root, b.data, len, S), "%d %zu", type, len);
		buf_put_u8(&b, 0);
		ck_assert(!asker_request(&root, b.data, b.len, S));
		b.data[0]++;
		ck_assert(!asker_request(&root, b.data, b.len - 1, S));
	}
	make(&b, AAA_ACCOUNT);
	b.data[2] = AAA_SERVICE_COUNT;
	ck_assert(!asker_request(&root, b.data, b.len, S));
	make(&b, AAA_SELF);
	b.data[1] = AAA_REQUEST_COUNT;
	ck_assert(!asker_request(&root, b.data, b.len, S));
	ck_assert_uint_eq(n_got, 0);
	ck_assert_uint_eq(aaa_hashes(shared.aaa), 0);
}
END_TEST

/* Who has not typed for too long ends his own session, and no other's. */
START_TEST(test_own_end) {
	struct asker root = asker(0), bob = asker(AAA_UID_MIN + 1), other = asker(AAA_UID_MIN);
	AUTO_BUF struct buf begin = BUF_INIT, end = BUF_INIT, wrong = BUF_INIT;

	make(&begin, AAA_BEGIN);
	make(&end, AAA_END);
	ck_assert_int_eq(answer(&bob, &end, S), AAA_DENIED);
	ck_assert_int_eq(answer(&root, &begin, S), AAA_OK);
	buf_put_u8(&wrong, AAA_VERSION);
	buf_put_u8(&wrong, AAA_END);
	buf_put_u32(&wrong, 2);
	ck_assert_int_eq(answer(&bob, &wrong, S), AAA_DENIED);
	ck_assert_int_eq(answer(&other, &end, S), AAA_DENIED);
	ck_assert_int_eq(answer(&bob, &end, S), AAA_OK);
	ck_assert_str_eq(reason, "timeout");
	ck_assert_int_eq(answer(&bob, &end, 2 * S), AAA_DENIED);
}
END_TEST

/* While an answer is worked out nothing else may come; nobody is told when he has gone. */
START_TEST(test_one_at_a_time) {
	struct asker root = asker(0), gone = asker(0);
	AUTO_BUF struct buf b = BUF_INIT;

	make(&b, AAA_AUTH);
	ck_assert(asker_request(&gone, b.data, b.len, S));
	ck_assert(!asker_request(&gone, b.data, b.len, S));
	asker_done(&gone);
	ck_assert_int_eq(answer(&root, &b, S), AAA_OK);
	ck_assert_uint_eq(n_got, 1);
	ck_assert_uint_eq(aaa_hashes(shared.aaa), 2);
}
END_TEST

/* A user who asks too much is turned away; who takes part in a login never is. */
START_TEST(test_rate) {
	struct asker user = asker(USER_UID);
	struct asker trusted[] = { asker(0), asker(KEYS_UID), asker(AAA_UID_MIN + 1) };
	AUTO_BUF struct buf b = BUF_INIT;

	make(&b, AAA_UID);
	for (int i = 0; i < 5; i++)
		ck_assert_int_eq(answer(&user, &b, S), AAA_OK);
	ck_assert_int_eq(answer(&user, &b, S), AAA_BUSY);
	for (size_t i = 0; i < 100 * ARRAY_LEN(trusted); i++)
		ck_assert_int_eq(answer(&trusted[i / 100], &b, S), AAA_OK);
	ck_assert_int_eq(answer(&user, &b, 2 * S), AAA_OK);
}
END_TEST

/* More tries than can wait are turned away, the others are answered. */
START_TEST(test_queue) {
	enum { N = 140 };
	struct asker *who = xcalloc(N, sizeof(*who));
	AUTO_BUF struct buf b = BUF_INIT;
	unsigned int busy = 0;

	make(&b, AAA_AUTH);
	for (int i = 0; i < N; i++) {
		who[i] = asker(0);
		ck_assert(asker_request(&who[i], b.data, b.len, S));
		busy += !who[i].waits;
	}
	ck_assert_uint_eq(busy, N - 128);
	ck_assert_uint_eq(n_got, busy);
	ck_assert_int_eq(got.data[1], AAA_BUSY);
	for (int i = 0; i < N; i++)
		asker_done(&who[i]);
	free(who);
}
END_TEST

static Suite *requests_aaa_suite(void) {
	Suite *s = suite_create("requests_aaa");
	TCase *t = fixture_case(s, "requests_aaa");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_rights);
	tcase_add_loop_test(t, test_own_password, 0, 2);
	tcase_add_test(t, test_own_end);
	tcase_add_test(t, test_malformed);
	tcase_add_test(t, test_one_at_a_time);
	tcase_add_test(t, test_rate);
	tcase_add_test(t, test_queue);
	return s;
}

int main(void) {
	return fixture_run(requests_aaa_suite());
}
