/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Epochs of replication, situation by situation: those that were only heard of, those that nobody
 * can have heard of, and two primaries that meet, or would not without a word of where.
 */
#include <check.h>
#include <string.h>

#include "tests/lib/autoscale_world.h"
#include "tests/lib/fixture.h"

#define STRANGER "GHVM000000000077"
#define LOST_S 16

/*
 * An epoch that its only unit has forgotten: the others go on below it, know of it, and so the next
 * one is above it, whoever begins it.
 */
START_TEST(test_rejoin) {
	struct aworld *w = aworld_group(3);

	aworld_connect(w, 0, 1, false);
	aworld_connect(w, 1, 2, false);
	for (unsigned int i = 0; i < 3; i++) {
		ck_assert(aworld_lead(w, 1));
		aworld_follow(w, 1, 0);
	}
	aworld_heal(w);
	aworld_run(w, 90 * AWORLD_S);
	/* it has epoch 4, and takes nothing of epoch 1 */
	ck_assert_uint_gt(aworld_stats(w, 1).refused[AUTOSCALE_LOWER_EPOCH], 0);
	ck_assert_int_eq(aworld_stats(w, 2).state, AUTOSCALE_IN_SYNC);
	ck_assert_uint_eq(aworld_desk(w, 0)->a.group.heard, 4);
	ck_assert_uint_eq(aworld_desk(w, 2)->a.group.heard, 4);
	aworld_leave(w, 1);
	aworld_run(w, AWORLD_S);
	aworld_follow(w, 1, 0);
	aworld_settle(w, 90 * AWORLD_S);
	aworld_run(w, 5 * AWORLD_S);
	ck_assert_uint_eq(aworld_desk(w, 1)->a.group.heard, 4);
	ck_assert(aworld_lead(w, 1));
	ck_assert_uint_eq(aworld_desk(w, 1)->a.group.epoch, 5);
	aworld_settle(w, 90 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), 1);
	ck_assert(!aworld_desk(w, 0)->a.primary);
	aworld_free(w);
}
END_TEST

/* Who says "set role primary" where it is refused, on the unit that is to lead, is obeyed by all. */
START_TEST(test_remedy) {
	struct aworld *w = aworld_group(2);

	aworld_connect(w, 0, 1, false);
	ck_assert(aworld_lead(w, 1));
	aworld_follow(w, 1, 0);
	aworld_heal(w);
	aworld_run(w, 90 * AWORLD_S);
	ck_assert_int_eq(aworld_peer(w, 0, 1).state, AUTOSCALE_REFUSED);
	aworld_follow(w, 0, 1);
	ck_assert(aworld_lead(w, 0));
	ck_assert_uint_eq(aworld_desk(w, 0)->a.group.epoch, 3);
	aworld_settle(w, 120 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), 0);
	aworld_free(w);
}
END_TEST

/* Of two primaries one steps down, also where one of them has heard of a higher epoch than both. */
START_TEST(test_below_heard) {
	struct aworld *w = aworld_group(3);

	aworld_connect(w, 0, 1, false);
	aworld_connect(w, 0, 2, false);
	aworld_connect(w, 1, 2, false);
	aworld_desk(w, 0)->a.group.heard = 8;
	aworld_changed(w, 0);
	ck_assert(aworld_lead(w, 1));
	ck_assert_uint_eq(aworld_desk(w, 1)->a.group.epoch, 2);
	aworld_run(w, LOST_S * AWORLD_S);
	ck_assert(aworld_put(w, 0, DESK_POLICY, "one", 1));
	ck_assert(aworld_put(w, 1, DESK_POLICY, "two", 2));
	aworld_heal(w);
	aworld_settle(w, 120 * AWORLD_S);
	aworld_run(w, 10 * AWORLD_S);
	ck_assert(!aworld_desk(w, 0)->a.primary);
	ck_assert_int_eq(aworld_winner(w), 1);
	for (unsigned int i = 0; i < 3; i++)
		ck_assert_uint_eq(aworld_desk(w, i)->a.group.heard, 8);
	aworld_free(w);
}
END_TEST

/* Two that know nothing of each other meet where one has the address of the other. */
START_TEST(test_primary_ip) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 3, .units = 2 });
	struct fake_desk *d = aworld_desk(w, 0);

	aworld_lead(w, 0);
	aworld_lead(w, 1);
	d->a.primary_ip = *aworld_ip(w, 0);
	aworld_changed(w, 0);
	aworld_run(w, 120 * AWORLD_S);
	ck_assert(d->a.primary && aworld_desk(w, 1)->a.primary);
	ck_assert_uint_eq(aworld_messages(w), 0);
	d->a.primary_ip = *aworld_ip(w, 1);
	aworld_changed(w, 0);
	aworld_settle(w, 10 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), 1);
	ck_assert(!d->a.primary);
	aworld_free(w);
}
END_TEST

/*
 * A unit that has left and founded its own group while its gatehoused was away from replication:
 * it does not say that it has what it had before.
 */
START_TEST(test_forgotten) {
	struct aworld *w = aworld_group(2);

	aworld_run(w, AWORLD_S);
	ck_assert_str_eq(aworld_stats(w, 1).standing.followed, aworld_desk(w, 0)->a.serial);
	aworld_connect(w, 0, 1, false);
	aworld_desk_away(w, 1, AWORLD_S);
	aworld_leave(w, 1);
	ck_assert(aworld_lead(w, 1));
	aworld_run(w, 2 * AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 1).standing.epoch, 1);
	ck_assert_str_eq(aworld_stats(w, 1).standing.followed, "");
	ck_assert_uint_eq(aworld_stats(w, 1).standing.followed_revision, 0);
	aworld_free(w);
}
END_TEST

static void say(struct aworld *w, unsigned int channel, const struct autoscale_message *m) {
	struct buf b = BUF_INIT;

	autoscale_message_encode(&b, m);
	autoscale_message(aworld_machine(w, 0), channel, b.data, b.len, aworld_now(w));
	buf_done(&b);
}

/* Epochs grow one by one: one far above all that were heard of would stay for good. */
START_TEST(test_jump) {
	struct aworld *w = aworld_group(1);
	struct autoscale_message hello = { .type = AUTOSCALE_HELLO, .version = 1, .oldest = 1,
					   .serial = STRANGER, .vmid = "vm" };
	unsigned int channel = aworld_stranger(w, 0, STRANGER);

	hello.standing.hb_interval_s = 5;
	hello.standing.synced = true;
	hello.standing.epoch = 2;
	hello.standing.heard = 1 + (UINT64_C(1) << 32);
	say(w, channel, &hello);
	aworld_run(w, AWORLD_S);
	ck_assert(aworld_is_open(w, channel));
	ck_assert_uint_eq(aworld_desk(w, 0)->a.group.heard, hello.standing.heard);
	hello.type = AUTOSCALE_BEAT;
	hello.standing.heard += 1 + (UINT64_C(1) << 32);
	say(w, channel, &hello);
	ck_assert(!aworld_is_open(w, channel));
	ck_assert_uint_eq(aworld_stats(w, 0).malformed, 1);
	channel = aworld_stranger(w, 0, STRANGER);
	hello.type = AUTOSCALE_HELLO;
	hello.standing.epoch = hello.standing.heard = INT64_MAX;
	say(w, channel, &hello);
	aworld_run(w, AWORLD_S);
	ck_assert_uint_eq(aworld_stats(w, 0).malformed, 2);
	ck_assert_uint_eq(aworld_desk(w, 0)->a.group.heard, 1 + (UINT64_C(1) << 32));
	aworld_free(w);
}
END_TEST

static Suite *epoch_suite(void) {
	Suite *s = suite_create("autoscale epoch");
	TCase *t = fixture_case(s, "epochs");

	tcase_add_test(t, test_rejoin);
	tcase_add_test(t, test_remedy);
	tcase_add_test(t, test_below_heard);
	tcase_add_test(t, test_primary_ip);
	tcase_add_test(t, test_forgotten);
	tcase_add_test(t, test_jump);
	return s;
}

int main(void) {
	return fixture_run(epoch_suite());
}
