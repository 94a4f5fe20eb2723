/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of the configuration between a few units, situation by situation. What may happen in
 * between, and in which order, is check_autoscale_world.c's.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lib/autoscale_world.h"
#include "tests/lib/fixture.h"

#define HB_S 5
#define LOST_S (3 * HB_S + 1)
#define DAY_S 86400

/* ---- a group ---- */

START_TEST(test_join) {
	struct aworld *w = aworld_group(3);
	struct autoscale_peer_info peer;

	for (unsigned int i = 1; i < 3; i++) {
		ck_assert_uint_eq(aworld_stats(w, i).copies, 1);
		ck_assert_int_eq(aworld_stats(w, i).state, AUTOSCALE_IN_SYNC);
		ck_assert_str_eq(aworld_stats(w, i).primary, aworld_desk(w, 0)->a.serial);
	}
	aworld_run(w, 2 * HB_S * AWORLD_S);
	peer = aworld_peer(w, 0, 2);
	ck_assert(peer.connected && !peer.primary && peer.same_schema);
	ck_assert_int_eq(peer.state, AUTOSCALE_IN_SYNC);
	ck_assert_str_eq(peer.hostname, aworld_desk(w, 2)->a.hostname);
	ck_assert_uint_eq(peer.standing.followed_revision, aworld_desk(w, 0)->a.revision);
	/* the primary told them of each other, and gatehoused keeps it */
	ck_assert(aworld_knows(w, 1, 2) && aworld_knows(w, 2, 1));
	ck_assert_uint_eq(aworld_desk(w, 1)->a.group.n, 2);
	ck_assert_str_eq(aworld_peer(w, 1, 2).vmid, aworld_desk(w, 2)->a.vmid);
	ck_assert(!aworld_put(w, 1, DESK_POLICY, "k03", 3));
	aworld_free(w);
}
END_TEST

/* A change is there within the time that a few messages take, as a change, to each once. */
START_TEST(test_change) {
	struct aworld *w = aworld_group(4);

	aworld_run(w, AWORLD_S);
	aworld_put(w, 0, DESK_POLICY, "k03", 3);
	aworld_settle(w, 20 * AWORLD_MS);
	for (unsigned int i = 1; i < 4; i++) {
		ck_assert_uint_eq(aworld_stats(w, i).copies, 1);
	}
	ck_assert_uint_eq(aworld_stats(w, 0).pushes, 3);
	aworld_free(w);
}
END_TEST

/* Equal questions of many are one question to gatehoused. */
START_TEST(test_many) {
	struct aworld *w = aworld_group(100);
	uint64_t messages, requests;

	aworld_run(w, 60 * AWORLD_S);
	ck_assert_uint_eq(aworld_desk(w, 99)->a.group.n, 99);
	messages = aworld_messages(w);
	requests = aworld_requests(w);
	aworld_put(w, 0, DESK_POLICY, "k03", 3);
	aworld_settle(w, 100 * AWORLD_MS);
	ck_assert_uint_eq(aworld_stats(w, 0).pushes, 99);
	/* each begins, puts and commits; all of them were asked about once */
	ck_assert_uint_eq(aworld_requests(w) - requests, 99 * 3 + 1);
	aworld_run(w, AWORLD_S);
	ck_assert_uint_le(aworld_messages(w) - messages, 99 * 5 + 99 * 2 / HB_S);
	aworld_free(w);
}
END_TEST

/* A unit that begins to copy so many policies from another. */
static struct aworld *copying(unsigned int policies) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 3, .units = 2 });

	aworld_fill(w, 0, policies, 10);
	aworld_lead(w, 0);
	aworld_follow(w, 1, 0);
	while (aworld_stats(w, 1).progress_of == 0)
		aworld_run(w, 10 * AWORLD_MS);
	aworld_run(w, 50 * AWORLD_MS);
	ck_assert_int_eq(aworld_stats(w, 1).state, AUTOSCALE_COPYING);
	return w;
}

/* A large table comes in pages; the connection breaks in the middle, and edits go on. */
START_TEST(test_large) {
	struct aworld *w = copying(10000);

	aworld_break(w, 1, false);
	ck_assert_uint_eq(aworld_desk(w, 1)->config.table[DESK_POLICY].n, 0);
	while (aworld_stats(w, 1).progress_of == 0)
		aworld_run(w, 10 * AWORLD_MS);
	aworld_run(w, 50 * AWORLD_MS);
	ck_assert(aworld_move(w, 0, DESK_POLICY, "p00007", "p09000"));
	aworld_put(w, 0, DESK_POLICY, "new", 1);
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert_uint_eq(aworld_desk(w, 1)->config.table[DESK_POLICY].n, 10001);
	ck_assert_uint_eq(aworld_stats(w, 1).copies, 1);
	aworld_free(w);
}
END_TEST

/* One that moved among many is one operation. */
START_TEST(test_moved) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 3, .units = 2,
								.history = 2 });
	uint64_t requests;

	aworld_fill(w, 0, 3000, 0);
	aworld_lead(w, 0);
	aworld_follow(w, 1, 0);
	aworld_settle(w, 60 * AWORLD_S);
	aworld_stop(w, 1);
	ck_assert(aworld_move(w, 0, DESK_POLICY, "p00007", "p02000"));
	for (unsigned int i = 0; i < 10; i++)
		aworld_put(w, 0, DESK_GLOBAL, "", i);
	requests = aworld_requests(w);
	aworld_start(w, 1);
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 1).copies, 1);
	ck_assert_uint_lt(aworld_requests(w) - requests, 40);
	aworld_free(w);
}
END_TEST

/* Away for 1,000 commits: what has changed, if the history reaches back; else the whole. */
START_TEST(test_away) {
	struct aworld *w = aworld_new(&(struct aworld_options){
		.seed = 5, .units = 2, .history = _i ? 2000 : 100 });

	aworld_lead(w, 0);
	aworld_follow(w, 1, 0);
	aworld_settle(w, 60 * AWORLD_S);
	aworld_connect(w, 0, 1, false);
	for (unsigned int i = 0; i < 1000; i++)
		aworld_edit(w, 0);
	aworld_run(w, 60 * AWORLD_S);
	aworld_connect(w, 0, 1, true);
	aworld_settle(w, 90 * AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 1).copies, _i ? 1 : 2);
	aworld_free(w);
}
END_TEST

/* More than is sent without being asked for. */
START_TEST(test_large_change) {
	struct aworld *w = aworld_group(2);

	aworld_run(w, AWORLD_S);
	aworld_fill(w, 0, 2000, _i ? 600 : 200);
	aworld_settle(w, 10 * AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 0).pushes, 0);
	ck_assert_uint_eq(aworld_stats(w, 1).copies, _i ? 2 : 1);
	ck_assert_uint_eq(aworld_stats(w, 1).failures, 0);
	aworld_free(w);
}
END_TEST

/* ---- roles ---- */

START_TEST(test_failover) {
	struct aworld *w = aworld_group(3);
	struct fake_desk *old = aworld_desk(w, 0);

	aworld_stop(w, 0);
	aworld_put(w, 0, DESK_POLICY, "lost", 9);
	aworld_run(w, LOST_S * AWORLD_S);
	ck_assert_int_eq(aworld_stats(w, 1).state, AUTOSCALE_LOST);
	ck_assert(aworld_lead(w, 1));
	ck_assert_uint_eq(aworld_desk(w, 1)->a.group.epoch, 2);
	aworld_put(w, 1, DESK_POLICY, "k05", 5);
	aworld_settle(w, 10 * AWORLD_S);
	/* nobody has told it of its new primary-ip */
	ck_assert(net_equal(&aworld_desk(w, 2)->a.primary_ip, aworld_ip(w, 1)));

	aworld_start(w, 0);
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert(!old->a.primary && net_equal(&old->a.primary_ip, aworld_ip(w, 1)));
	ck_assert_uint_eq(old->n_names, 1);
	ck_assert_uint_eq(old->name[0].revision, old->name[0].told + 1);
	ck_assert_uint_eq(aworld_stats(w, 0).fenced, 1);
	ck_assert(aworld_said(w, 0, "not replicated"));
	aworld_free(w);
}
END_TEST

/* A former primary that has passed everything on names nothing. */
START_TEST(test_nothing_lost) {
	struct aworld *w = aworld_group(2);

	aworld_stop(w, 0);
	aworld_run(w, LOST_S * AWORLD_S);
	aworld_lead(w, 1);
	aworld_run(w, AWORLD_S);
	aworld_put(w, 1, DESK_POLICY, "k05", 5);
	aworld_start(w, 0);
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert_uint_eq(aworld_desk(w, 0)->n_names, 0);
	aworld_free(w);
}
END_TEST

/*
 * Equal epochs: the one that somebody has followed stays; where that is none or both, the higher
 * serial of those with as many revisions.
 */
START_TEST(test_tie) {
	struct aworld *w = aworld_group(4);

	for (unsigned int a = 0; a < 4; a++)
		for (unsigned int b = a + 1; b < 4; b++)
			aworld_connect(w, a, b, false);
	aworld_run(w, LOST_S * AWORLD_S);
	aworld_lead(w, 1);
	aworld_lead(w, 2);
	aworld_put(w, 1, DESK_POLICY, "one", 1);
	aworld_put(w, 2, DESK_POLICY, "two", 2);
	ck_assert_uint_eq(aworld_desk(w, 1)->a.revision, aworld_desk(w, 2)->a.revision);
	aworld_connect(w, 3, 1, _i);
	aworld_run(w, 60 * AWORLD_S);
	ck_assert_str_eq(aworld_stats(w, 3).primary, _i ? aworld_desk(w, 1)->a.serial : "");
	ck_assert_int_eq(aworld_desk(w, 1)->a.group.joined, _i);
	aworld_connect(w, 1, 2, true);
	aworld_run(w, 60 * AWORLD_S);
	aworld_heal(w);
	aworld_settle(w, 90 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), _i ? 1 : 2);
	ck_assert_uint_eq(aworld_desk(w, 1)->n_names, _i ? 1 : 2);
	aworld_free(w);
}
END_TEST

/* An expired epoch is refused, counted, and logged once a minute. */
START_TEST(test_expired) {
	struct aworld *w = aworld_group(3);
	unsigned int lines;
	uint64_t sum;

	aworld_connect(w, 0, 1, false);
	aworld_connect(w, 0, 2, false);
	aworld_run(w, LOST_S * AWORLD_S);
	aworld_lead(w, 1);
	aworld_run(w, 30 * AWORLD_S);
	aworld_stop(w, 1);
	aworld_put(w, 0, DESK_POLICY, "old", 1);
	sum = fake_desk_sum(aworld_desk(w, 2));
	lines = aworld_lines(w, 2);
	aworld_connect(w, 0, 2, true);
	aworld_run(w, 600 * AWORLD_S);
	ck_assert_uint_eq(fake_desk_sum(aworld_desk(w, 2)), sum);
	ck_assert_uint_gt(aworld_stats(w, 2).refused[AUTOSCALE_LOWER_EPOCH], 3);
	ck_assert_uint_lt(aworld_stats(w, 2).refused[AUTOSCALE_LOWER_EPOCH], 40);
	ck_assert_int_eq(aworld_peer(w, 0, 2).state, AUTOSCALE_REFUSED);
	ck_assert(strstr(aworld_peer(w, 0, 2).why, "epoch 2") != NULL);
	ck_assert(strstr(aworld_peer(w, 0, 2).why, "set role primary on the unit") != NULL);
	/* each minute one, and one because its own primary does not answer */
	ck_assert_uint_le(aworld_lines(w, 2) - lines, 22);
	aworld_free(w);
}
END_TEST

/* A unit that was never in sync is no source, even if somebody has made it primary. */
START_TEST(test_never_in_sync) {
	struct aworld *w = aworld_group(2);
	struct fake_desk *d = aworld_desk(w, 1);

	aworld_stop(w, 0);
	aworld_run(w, LOST_S * AWORLD_S);
	aworld_start(w, 0);
	aworld_stop(w, 1);
	d->a.primary = true;
	d->a.group.epoch = 0;
	d->a.group.synced = false;
	aworld_start(w, 1);
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), 0);
	ck_assert(!d->a.primary);
	aworld_free(w);
}
END_TEST

START_TEST(test_callback) {
	struct aworld *w = aworld_group(3);

	aworld_stop(w, 0);
	aworld_run(w, LOST_S * AWORLD_S);
	autoscale_callback(aworld_machine(w, 1), true, NULL, aworld_now(w));
	autoscale_callback_failed(aworld_machine(w, 2), "no route", aworld_now(w));
	aworld_settle(w, 30 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), 1);
	ck_assert_uint_eq(aworld_desk(w, 1)->a.group.epoch, 2);
	ck_assert(aworld_said(w, 2, "no route"));
	/* one that knows of a group and was never in it stays what it is */
	aworld_leave(w, 2);
	aworld_run(w, AWORLD_S);
	aworld_connect(w, 1, 2, false);
	aworld_follow(w, 2, 1);
	aworld_desk(w, 2)->a.group.heard = 2;
	aworld_changed(w, 2);
	aworld_run(w, AWORLD_S);
	autoscale_callback(aworld_machine(w, 2), true, NULL, aworld_now(w));
	aworld_run(w, AWORLD_S);
	ck_assert(!aworld_desk(w, 2)->a.primary);
	ck_assert(aworld_said(w, 2, "never had"));
	aworld_free(w);
}
END_TEST

/* ---- what goes wrong ---- */

START_TEST(test_healed) {
	struct aworld *w = aworld_group(2);

	fake_desk_tamper(aworld_desk(w, 1), DESK_POLICY, "k01", 99);
	aworld_changed(w, 1);
	aworld_settle(w, 2 * HB_S * AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 1).healed, 1);
	ck_assert(aworld_said(w, 1, "firewall.policy"));
	aworld_free(w);
}
END_TEST

/* gatehoused goes away in the middle, on either side. */
START_TEST(test_desk_away) {
	struct aworld *w = copying(5000);

	aworld_desk_away(w, (unsigned int)_i, 3 * AWORLD_S);
	aworld_run(w, AWORLD_S);
	ck_assert(!aworld_stats(w, (unsigned int)_i).desk);
	aworld_settle(w, 60 * AWORLD_S);
	aworld_free(w);
}
END_TEST

/* Members that take nothing cost no memory, and lose their connection. */
START_TEST(test_deaf) {
	struct aworld *w = aworld_group(20);

	for (unsigned int i = 1; i < 20; i++)
		aworld_deaf(w, i, true);
	for (unsigned int i = 0; i < 300; i++) {
		aworld_edit(w, 0);
		aworld_run(w, 100 * AWORLD_MS);
		ck_assert_uint_lt(aworld_stats(w, 0).memory, 100000);
	}
	for (unsigned int i = 1; i < 20; i++)
		aworld_deaf(w, i, false);
	aworld_settle(w, 120 * AWORLD_S);
	aworld_free(w);
}
END_TEST

/* Whoever has the key and asks without end is sent away, and holds up nobody. */
START_TEST(test_endless_questions) {
	struct aworld *w = aworld_group(3);
	struct autoscale_message question = { .type = AUTOSCALE_ASK_INDEX,
					      .table = "firewall.policy" };

	for (unsigned int i = 1; i < 10000 && aworld_peer(w, 0, 1).connected; i++) {
		question.id = i;
		snprintf(question.after, sizeof(question.after), "%u", i);
		aworld_forge(w, 0, 1, &question);
		ck_assert_uint_lt(aworld_stats(w, 0).memory, 100000);
	}
	ck_assert(!aworld_peer(w, 0, 1).connected);
	ck_assert_uint_eq(aworld_stats(w, 0).refused[AUTOSCALE_FULL], 1);
	aworld_put(w, 0, DESK_POLICY, "k08", 8);
	aworld_settle(w, 120 * AWORLD_S);
	aworld_free(w);
}
END_TEST

/* What an old connection or nobody's question brings has no effect. */
START_TEST(test_stale) {
	struct aworld *w = aworld_group(2);
	struct autoscale_message message = { .type = AUTOSCALE_TABLES, .id = 7, .revision = 3 };
	uint64_t requests = aworld_requests(w);

	aworld_forge(w, 1, 0, &message);
	message = (struct autoscale_message){ .type = AUTOSCALE_CHANGES, .since = 1,
					      .revision = 2 };
	aworld_forge(w, 1, 0, &message);
	autoscale_message(aworld_machine(w, 1), 12345, (const uint8_t *)"x", 1, aworld_now(w));
	autoscale_down(aworld_machine(w, 1), 12345, "no", aworld_now(w));
	ck_assert_uint_eq(aworld_requests(w), requests);
	ck_assert_int_eq(aworld_stats(w, 1).state, AUTOSCALE_IN_SYNC);
	/* one of a later version is not even looked at; what is no message ends it */
	ck_assert_uint_eq(aworld_stats(w, 1).malformed, 0);
	message = (struct autoscale_message){ .type = AUTOSCALE_HELLO };
	aworld_forge(w, 1, 0, &message);
	ck_assert_uint_eq(aworld_stats(w, 1).malformed, 1);
	aworld_settle(w, 120 * AWORLD_S);
	aworld_free(w);
}
END_TEST

/* ---- who is welcome ---- */

static struct autoscale_message hello_make(const char *serial) {
	struct autoscale_message hello = { .type = AUTOSCALE_HELLO, .version = 1, .oldest = 1,
					   .vmid = "vm" };

	snprintf(hello.serial, sizeof(hello.serial), "%s", serial);
	hello.standing.hb_interval_s = HB_S;
	return hello;
}

static void say(struct aworld *w, unsigned int channel, const struct autoscale_message *m) {
	struct buf b = BUF_INIT;

	autoscale_message_encode(&b, m);
	autoscale_message(aworld_machine(w, 0), channel, b.data, b.len, aworld_now(w));
	buf_done(&b);
}

START_TEST(test_strangers) {
	struct aworld *w = aworld_group(1);
	unsigned int channel = aworld_stranger(w, 0, "GHVM000000000077");
	struct autoscale_message hello = hello_make(aworld_desk(w, 0)->a.serial);

	say(w, channel, &hello);
	ck_assert_uint_eq(aworld_stats(w, 0).refused[AUTOSCALE_SAME_SERIAL], 1);
	/* another serial than that of its key */
	channel = aworld_stranger(w, 0, "GHVM000000000077");
	hello = hello_make("GHVM000000000078");
	say(w, channel, &hello);
	ck_assert_uint_eq(aworld_stats(w, 0).refused[AUTOSCALE_SAME_SERIAL], 2);
	channel = aworld_stranger(w, 0, "GHVM000000000077");
	hello = hello_make("GHVM000000000077");
	hello.version = hello.oldest = 2;
	say(w, channel, &hello);
	ck_assert_uint_eq(aworld_stats(w, 0).refused[AUTOSCALE_NO_VERSION], 1);
	/* a later one that speaks ours as well */
	channel = aworld_stranger(w, 0, "GHVM000000000077");
	hello.oldest = 1;
	say(w, channel, &hello);
	ck_assert_uint_eq(aworld_stats(w, 0).channels, 1);
	/* who says nothing is not kept */
	aworld_stranger(w, 0, "GHVM000000000079");
	ck_assert_uint_eq(aworld_stats(w, 0).channels, 2);
	aworld_run(w, 11 * AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 0).channels, 1);
	aworld_free(w);
}
END_TEST

/* A primary of the test's own, from which unit 0 begins to copy: one table differs. */
static unsigned int lead_it(struct aworld *w) {
	struct autoscale_message hello = hello_make("GHVM000000000077");
	struct autoscale_message tables = { .type = AUTOSCALE_TABLES, .id = 1, .n = 1 };
	unsigned int channel = aworld_stranger(w, 0, "GHVM000000000077");
	unsigned char digest[DIGEST_LEN] = { 1 };
	struct buf list = BUF_INIT;

	hello.standing.primary = hello.standing.synced = true;
	hello.standing.epoch = hello.standing.heard = 5;
	say(w, channel, &hello);
	aworld_run(w, AWORLD_S);
	ck_assert_int_eq(aworld_stats(w, 0).state, AUTOSCALE_COPYING);
	autoscale_message_put_digest(&list, "firewall.policy", digest);
	buf_reader_init(&tables.list, list.data, list.len);
	say(w, channel, &tables);
	aworld_run(w, 100 * AWORLD_MS);
	buf_done(&list);
	return channel;
}

/* An answer to its question number id: n entries of the table, from this name on. */
static void say_index(struct aworld *w, unsigned int channel, uint32_t id, uint64_t revision,
		      unsigned int first, unsigned int n, bool more) {
	struct autoscale_message index = { .type = AUTOSCALE_INDEX, .id = id, .n = n,
					   .revision = revision, .more = more };
	unsigned char digest[DIGEST_LEN] = { 1 };
	char name[OBJECT_KEY_MAX + 1];
	struct buf list = BUF_INIT;

	for (unsigned int i = 0; i < n; i++) {
		snprintf(name, sizeof(name), "%0250u", first + i);
		autoscale_message_put_digest(&list, name, digest);
	}
	if (n > 0)
		buf_reader_init(&index.list, list.data, list.len);
	say(w, channel, &index);
	aworld_run(w, 100 * AWORLD_MS);
	buf_done(&list);
}

/* A primary whose table has no end: it has the key, but not our memory. */
START_TEST(test_endless_index) {
	struct aworld *w = aworld_group(1);
	unsigned int channel = lead_it(w);

	for (uint32_t i = 0; aworld_stats(w, 0).state == AUTOSCALE_COPYING && i < 500; i++)
		say_index(w, channel, 2 + i, 1, i * 2000, 2000, true);
	ck_assert(strstr(aworld_stats(w, 0).why, "too large") != NULL);
	ck_assert_uint_lt(aworld_stats(w, 0).memory, 100000);
	aworld_free(w);
}
END_TEST

/* A primary that was never in sync is followed by nobody, however high its epoch. */
START_TEST(test_no_source) {
	struct aworld *w = aworld_group(1);
	struct autoscale_message hello = hello_make("GHVM000000000077");
	unsigned int channel = aworld_stranger(w, 0, "GHVM000000000077");

	hello.standing.primary = true;
	hello.standing.epoch = hello.standing.heard = 5;
	say(w, channel, &hello);
	aworld_run(w, AWORLD_S);
	ck_assert(aworld_desk(w, 0)->a.primary);
	ck_assert_uint_eq(aworld_desk(w, 0)->a.group.heard, 1);
	aworld_free(w);
}
END_TEST

/* Pages of different revisions are no list: it is asked for anew, but not for ever. */
START_TEST(test_changing_index) {
	struct aworld *w = aworld_group(1);
	unsigned int channel = lead_it(w);

	say_index(w, channel, 2, 5, 0, 1, true);
	say_index(w, channel, 3, 6, 1, 1, false);
	say_index(w, channel, 4, 6, 0, 0, false);
	ck_assert_uint_eq(aworld_stats(w, 0).failures, 0);
	ck_assert_int_eq(aworld_stats(w, 0).state, AUTOSCALE_COPYING);
	aworld_free(w);
	w = aworld_group(1);
	channel = lead_it(w);
	for (uint32_t i = 0; i < 20; i++)
		say_index(w, channel, 2 + i, i, 0, 1, true);
	ck_assert_uint_ge(aworld_stats(w, 0).failures, 1);
	aworld_free(w);
}
END_TEST

/* Of two connections that are made at once, the one of the smaller serial stays. */
START_TEST(test_two_connections) {
	struct aworld *w = aworld_group(1);
	struct autoscale_message hello = hello_make("GHVM000000000077");
	unsigned int mine = aworld_stranger(w, 0, aworld_desk(w, 0)->a.serial);
	unsigned int its = aworld_stranger(w, 0, "GHVM000000000077");

	say(w, _i ? its : mine, &hello);
	say(w, _i ? mine : its, &hello);
	ck_assert_uint_eq(aworld_stats(w, 0).channels, 1);
	ck_assert(aworld_is_open(w, mine) && !aworld_is_open(w, its));
	/* later, the old one may be dead */
	aworld_run(w, 6 * AWORLD_S);
	its = aworld_stranger(w, 0, "GHVM000000000077");
	say(w, its, &hello);
	ck_assert(!aworld_is_open(w, mine) && aworld_is_open(w, its));
	aworld_free(w);
}
END_TEST

START_TEST(test_full_group) {
	struct aworld *w = aworld_group(1);

	for (unsigned int i = 0; i <= MEMBERS_MAX; i++) {
		struct autoscale_message hello;
		char serial[MEMBER_SERIAL];

		snprintf(serial, sizeof(serial), "GHVM%012u", 500 + i);
		hello = hello_make(serial);
		say(w, aworld_stranger(w, 0, serial), &hello);
	}
	ck_assert_uint_eq(aworld_stats(w, 0).channels, MEMBERS_MAX);
	ck_assert_uint_eq(aworld_stats(w, 0).refused[AUTOSCALE_FULL], 1);
	aworld_free(w);
}
END_TEST

/* ---- leaving ---- */

START_TEST(test_forget) {
	struct aworld *w = aworld_group(4);
	struct err err = { 0 };

	aworld_run(w, 2 * HB_S * AWORLD_S);
	ck_assert_int_ne(autoscale_forget(aworld_machine(w, 0), aworld_desk(w, 3)->a.serial,
					  aworld_now(w), &err), 0);
	ck_assert_int_eq(err.code, ERR_IN_USE);
	ck_assert_int_ne(autoscale_forget(aworld_machine(w, 0), "NOBODY", aworld_now(w), &err), 0);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	/* a secondary cannot know that: it asks */
	ck_assert_int_eq(autoscale_forget(aworld_machine(w, 1), aworld_desk(w, 3)->a.serial,
					  aworld_now(w), &err), 0);
	aworld_run(w, AWORLD_S);
	ck_assert(aworld_knows(w, 0, 3));
	ck_assert(aworld_said(w, 0, "GHVM000000000003 is connected"));
	aworld_stop(w, 3);
	aworld_run(w, AWORLD_S);
	ck_assert_int_eq(autoscale_forget(aworld_machine(w, (unsigned int)_i),
					  aworld_desk(w, 3)->a.serial, aworld_now(w), &err), 0);
	aworld_run(w, 3 * AWORLD_S);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert(!aworld_knows(w, i, 3));
		ck_assert_uint_eq(aworld_desk(w, i)->a.group.n, 2);
	}
	/* it is no outlaw */
	aworld_start(w, 3);
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert(aworld_knows(w, 0, 3));
	aworld_free(w);
}
END_TEST

/* After a day, by a clock that does not jump; after a start everyone has an hour. */
START_TEST(test_leave) {
	struct aworld *w = aworld_group(3);

	aworld_run(w, AWORLD_S);
	aworld_stop(w, 2);
	aworld_jump(w, 0, 3 * DAY_S);
	aworld_run(w, 600 * AWORLD_S);
	ck_assert(aworld_knows(w, 0, 2));
	aworld_stop(w, 0);
	aworld_start(w, 0);
	aworld_run(w, 1800 * AWORLD_S);
	ck_assert(aworld_knows(w, 0, 2));
	aworld_run(w, 1900 * AWORLD_S);
	ck_assert(!aworld_knows(w, 0, 2));
	ck_assert(!aworld_knows(w, 1, 2));
	ck_assert(aworld_knows(w, 0, 1));
	aworld_free(w);
}
END_TEST

/* ---- the rest ---- */

/* A new secret reaches those that are connected, and with it the next connections. */
START_TEST(test_new_secret) {
	struct aworld *w = aworld_group(3);

	aworld_run(w, AWORLD_S);
	fake_desk_set_secret(aworld_desk(w, 0), 42);
	aworld_secret_changed(w, 0);
	aworld_settle(w, 5 * AWORLD_S);
	ck_assert_uint_eq(aworld_desk(w, 2)->secret, 42 | DESK_SECRET);
	aworld_run(w, 60 * AWORLD_S);
	aworld_put(w, 0, DESK_POLICY, "k07", 7);
	aworld_settle(w, 5 * AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 1).failures + aworld_stats(w, 2).failures, 0);
	aworld_free(w);
}
END_TEST

START_TEST(test_inquire) {
	static const enum autoscale_type types[] = { AUTOSCALE_ASK_TABLES, AUTOSCALE_ASK_INDEX };
	struct aworld *w = aworld_group(2);
	struct err err = { 0 };
	enum autoscale_type type;
	uint32_t n, number;

	/* of itself, of a secondary, of the primary */
	for (unsigned int i = 0; i < 6; i++) {
		struct autoscale_message question = { .type = types[i % 2],
						      .table = "firewall.policy" };
		unsigned int unit = i / 2 == 2, of = i / 2 == 1;

		number = autoscale_inquire(aworld_machine(w, unit), aworld_desk(w, of)->a.serial,
					   &question, aworld_now(w), &err);
		ck_assert_uint_ne(number, 0);
		aworld_run(w, 100 * AWORLD_MS);
		ck_assert_uint_eq(aworld_inquired(w, unit, &type, &n), number);
		ck_assert_int_eq(type, question.type + 1);
		ck_assert_uint_eq(n, 2);
	}
	/* one that breaks off ends as well */
	number = autoscale_inquire(aworld_machine(w, 0), aworld_desk(w, 1)->a.serial,
				   &(struct autoscale_message){ .type = AUTOSCALE_ASK_TABLES },
				   aworld_now(w), &err);
	aworld_break(w, 0, false);
	aworld_run(w, 15 * AWORLD_S);
	ck_assert_uint_eq(aworld_inquired(w, 0, &type, &n), number);
	ck_assert_int_eq(type, 0);
	ck_assert_uint_eq(autoscale_inquire(aworld_machine(w, 0), "NOBODY",
					    &(struct autoscale_message){ .n = 0 }, aworld_now(w),
					    &err), 0);
	aworld_free(w);
}
END_TEST

/* Since when the primary leads, as each unit knows. */
START_TEST(test_leads_since) {
	struct aworld *w = aworld_group(2);
	struct autoscale_stats before = aworld_stats(w, 0), follower = aworld_stats(w, 1), now;

	ck_assert_int_gt(before.leads_s, 0);
	ck_assert_int_ge(follower.leads_s, before.leads_s);
	aworld_run(w, 100 * AWORLD_S);
	now = aworld_stats(w, 0);
	ck_assert_int_eq(now.leads_s, before.leads_s);
	aworld_stop(w, 0);
	aworld_run(w, 100 * AWORLD_S);
	now = aworld_stats(w, 1);
	ck_assert_str_eq(now.primary, "");
	ck_assert_int_eq(now.leads_s, 0);
	ck_assert(aworld_lead(w, 1));
	aworld_run(w, AWORLD_S);
	now = aworld_stats(w, 1);
	ck_assert_int_gt(now.leads_s, follower.leads_s + 150);
	aworld_free(w);
}
END_TEST

START_TEST(test_history) {
	struct aworld *w = aworld_group(2);
	struct autoscale_event first, last;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 300; i++) {
		aworld_break(w, 0, false);
		aworld_run(w, 20 * AWORLD_S);
	}
	while (autoscale_history(aworld_machine(w, 0), n, &last))
		n++;
	ck_assert_uint_eq(n, AUTOSCALE_HISTORY);
	ck_assert(autoscale_history(aworld_machine(w, 0), 0, &first));
	ck_assert_int_lt(first.wall_s, last.wall_s);
	ck_assert(strstr(last.text, "Connect") != NULL);
	aworld_free(w);
}
END_TEST

/* One that takes part in nothing says and asks nothing. */
START_TEST(test_no_group) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 1, .units = 2 });

	aworld_run(w, 600 * AWORLD_S);
	ck_assert_uint_eq(aworld_messages(w) + aworld_requests(w), 0);
	ck_assert_uint_eq(autoscale_due(aworld_machine(w, 0)), UINT64_MAX);
	ck_assert(!aworld_stats(w, 0).started);
	aworld_free(w);
}
END_TEST

static Suite *autoscale_suite(void) {
	Suite *s = suite_create("autoscale");
	TCase *t = fixture_case(s, "group");

	tcase_add_test(t, test_join);
	tcase_add_test(t, test_change);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_large);
	tcase_add_test(t, test_moved);
	tcase_add_loop_test(t, test_away, 0, 2);
	tcase_add_loop_test(t, test_large_change, 0, 2);
	tcase_add_test(t, test_failover);
	tcase_add_test(t, test_nothing_lost);
	tcase_add_loop_test(t, test_tie, 0, 2);
	tcase_add_test(t, test_expired);
	tcase_add_test(t, test_never_in_sync);
	tcase_add_test(t, test_callback);
	tcase_add_test(t, test_healed);
	tcase_add_loop_test(t, test_desk_away, 0, 2);
	tcase_add_test(t, test_deaf);
	tcase_add_test(t, test_endless_questions);
	tcase_add_test(t, test_stale);
	tcase_add_test(t, test_strangers);
	tcase_add_test(t, test_endless_index);
	tcase_add_test(t, test_changing_index);
	tcase_add_test(t, test_no_source);
	tcase_add_loop_test(t, test_two_connections, 0, 2);
	tcase_add_test(t, test_full_group);
	tcase_add_loop_test(t, test_forget, 0, 2);
	tcase_add_test(t, test_leave);
	tcase_add_test(t, test_new_secret);
	tcase_add_test(t, test_inquire);
	tcase_add_test(t, test_leads_since);
	tcase_add_test(t, test_history);
	tcase_add_test(t, test_no_group);
	return s;
}

int main(void) {
	return fixture_run(autoscale_suite());
}
