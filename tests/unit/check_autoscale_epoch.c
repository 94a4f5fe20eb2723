/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Epochs of replication, situation by situation: those that were only heard of, those that nobody
 * can have heard of, and two primaries that meet, or would not without a word of where: one that
 * others have followed, one that is new.
 */
#include <check.h>
#include <stdio.h>
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

/* A new unit with much of its own that founds epoch 1 beside a group of epoch 1. */
static void found(struct aworld *w, unsigned int unit, unsigned int edits) {
	struct fake_desk *d = aworld_desk(w, unit);
	char key[DESK_KEY];

	for (unsigned int i = 0; i < edits; i++) {
		snprintf(key, sizeof(key), "own%u", i);
		ck_assert(aworld_put(w, unit, DESK_POLICY, key, i));
	}
	ck_assert(aworld_lead(w, unit));
	d->a.primary_ip = *aworld_ip(w, 0);
	aworld_changed(w, unit);
	aworld_run(w, 20 * AWORLD_S);
}

/* The group goes on, whatever the new one has; that has a name, and it says so. */
START_TEST(test_founder) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 3, .units = 3 });

	ck_assert(aworld_put(w, 0, DESK_POLICY, "ours", 1));
	ck_assert(aworld_lead(w, 0));
	aworld_follow(w, 1, 0);
	aworld_run(w, 10 * AWORLD_S);
	ck_assert(aworld_desk(w, 0)->a.group.joined);
	/* known after a restart, and with no member about */
	aworld_connect(w, 0, 1, false);
	aworld_stop(w, 0);
	aworld_start(w, 0);
	found(w, 2, 50);
	ck_assert(aworld_desk(w, 0)->a.primary && !aworld_desk(w, 2)->a.primary);
	ck_assert_uint_eq(aworld_desk(w, 0)->a.group.epoch, 1);
	ck_assert_uint_eq(aworld_desk(w, 2)->n_names, 1);
	ck_assert(aworld_said(w, 2, "are not replicated"));
	aworld_heal(w);
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), 0);
	aworld_free(w);
}
END_TEST

/* Where nobody has followed either, the one with more revisions goes on. */
START_TEST(test_founders) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 3, .units = 2 });

	for (unsigned int i = 0; i < 9; i++)
		ck_assert(aworld_put(w, 0, DESK_POLICY, "ours", i));
	ck_assert(aworld_lead(w, 0));
	found(w, 1, 3 + 9 * (unsigned int)_i);
	aworld_settle(w, 10 * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), _i);
	aworld_free(w);
}
END_TEST

/* A unit that begins another epoch begins it with no member. */
START_TEST(test_joined) {
	struct aworld *w = aworld_group(2);

	aworld_run(w, 10 * AWORLD_S);
	ck_assert(aworld_desk(w, 0)->a.group.joined);
	ck_assert(!aworld_desk(w, 1)->a.group.joined);
	aworld_connect(w, 0, 1, false);
	ck_assert(aworld_lead(w, 1));
	aworld_run(w, 60 * AWORLD_S);
	ck_assert(!aworld_desk(w, 1)->a.group.joined);
	ck_assert(!aworld_stats(w, 1).standing.joined);
	aworld_heal(w);
	aworld_settle(w, 60 * AWORLD_S);
	aworld_run(w, 5 * AWORLD_S);
	ck_assert(aworld_desk(w, 1)->a.group.joined && !aworld_desk(w, 0)->a.group.joined);
	ck_assert(aworld_stats(w, 1).standing.joined);
	aworld_free(w);
}
END_TEST

/*
 * Who is to step down says at once that it is no primary, though its gatehoused has not answered:
 * or the other one could hear later of a better claim, and nobody would lead.
 */
START_TEST(test_yields) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 3, .units = 2 });

	ck_assert(aworld_lead(w, 0));
	ck_assert(aworld_lead(w, 1));
	aworld_desk(w, 0)->deaf = true;
	aworld_desk(w, 0)->a.primary_ip = *aworld_ip(w, 1);
	aworld_changed(w, 0);
	aworld_run(w, 3 * AWORLD_S);
	ck_assert(aworld_desk(w, 0)->a.primary);
	ck_assert(!aworld_peer(w, 1, 0).standing.primary);
	/* what is edited there meanwhile does not make the other one yield */
	for (unsigned int i = 0; i < 9; i++)
		ck_assert(aworld_put(w, 0, DESK_POLICY, "late", i));
	aworld_run(w, 20 * AWORLD_S);
	ck_assert(aworld_desk(w, 1)->a.primary);
	/* gatehoused comes back without having done it, and the other one is gone: it leads */
	aworld_connect(w, 0, 1, false);
	aworld_desk(w, 0)->deaf = false;
	aworld_desk_away(w, 0, AWORLD_S);
	aworld_run(w, LOST_S * AWORLD_S);
	ck_assert(aworld_stats(w, 0).standing.primary);
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
	tcase_add_test(t, test_founder);
	tcase_add_loop_test(t, test_founders, 0, 2);
	tcase_add_test(t, test_joined);
	tcase_add_test(t, test_yields);
	tcase_add_test(t, test_forgotten);
	tcase_add_test(t, test_jump);
	return s;
}

int main(void) {
	return fixture_run(epoch_suite());
}
