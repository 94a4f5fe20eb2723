/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What members of a group that shares its configuration see of themselves and of each other when
 * something is not as it should be, until it is: what cannot be taken, a gatehoused that is away,
 * what a unit gives up when it joins, members that only one of them has met.
 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/lib/autoscale_world.h"
#include "tests/lib/fixture.h"

#define HB_S 5
#define LOST_S (3 * HB_S + 1)
#define DAY_S 86400
#define STRANGER "GHVM000000000077"

/* What a unit had before it joined has a name, up to its last edit; an empty one has nothing. */
START_TEST(test_join_with_own) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 7, .units = 2 });
	struct fake_desk *d = aworld_desk(w, 1);
	char line[80];

	if (_i) {
		ck_assert(aworld_put(w, 0, DESK_POLICY, "k01", 1));
		ck_assert(aworld_put(w, 1, DESK_POLICY, "own", 2));
	}
	aworld_follow(w, 1, 0);
	aworld_run(w, 10 * AWORLD_S);
	if (_i)
		ck_assert(aworld_put(w, 1, DESK_POLICY, "own", 3));
	snprintf(line, sizeof(line), "Revisions 1 to %u of this unit are not replicated",
		 (unsigned int)d->a.revision);
	ck_assert(aworld_lead(w, 0));
	aworld_settle(w, 60 * AWORLD_S);
	ck_assert_uint_eq(d->n_names, (unsigned int)_i);
	ck_assert_int_eq(aworld_said(w, 1, line), _i);
	aworld_free(w);
}
END_TEST

/* Lines of a unit's history with this text. */
static unsigned int times_said(const struct aworld *w, unsigned int unit, const char *text) {
	struct autoscale_event event;
	unsigned int n = 0;

	for (unsigned int i = 0; autoscale_history(aworld_machine(w, unit), i, &event); i++)
		n += strstr(event.text, text) != NULL;
	return n;
}

/* What cannot be taken is tried again, ever more seldom, and both sides say why. */
START_TEST(test_refused_object) {
	struct aworld *w = aworld_group(2);
	uint64_t before;

	aworld_desk(w, 1)->refuses = 66;
	aworld_put(w, 0, DESK_POLICY, "k09", 66);
	before = fake_desk_sum(aworld_desk(w, 1));
	aworld_run(w, 600 * AWORLD_S);
	ck_assert_uint_eq(fake_desk_sum(aworld_desk(w, 1)), before);
	ck_assert_uint_ge(aworld_stats(w, 1).failures, 8);
	ck_assert_uint_le(aworld_stats(w, 1).failures, 17);
	ck_assert_int_eq(aworld_stats(w, 1).state, AUTOSCALE_BEHIND);
	ck_assert_str_eq(aworld_stats(w, 1).why, "no such value; in this table");
	ck_assert_str_eq(aworld_peer(w, 0, 1).why, aworld_stats(w, 1).why);
	/* the primary's history has it once, and its end */
	ck_assert_uint_eq(times_said(w, 0, " is behind: no such value; in this table"), 1);
	ck_assert_uint_eq(times_said(w, 0, " is in step, at revision "), 1);
	/* the primary is what others are measured by */
	ck_assert_int_eq(aworld_peer(w, 1, 0).state, AUTOSCALE_IN_SYNC);
	aworld_desk(w, 1)->refuses = 0;
	aworld_settle(w, 70 * AWORLD_S);
	aworld_run(w, AWORLD_S);
	ck_assert_str_eq(aworld_stats(w, 1).why, "");
	ck_assert_uint_eq(times_said(w, 0, " is behind: "), 1);
	ck_assert_uint_eq(times_said(w, 0, " is in step, at revision "), 2);
	aworld_free(w);
}
END_TEST

/* What could not be taken matters no more to a unit that leads, on no side. */
START_TEST(test_forgiven) {
	struct aworld *w = aworld_group(2);

	aworld_desk(w, 1)->refuses = 66;
	aworld_put(w, 0, DESK_POLICY, "k09", 66);
	aworld_run(w, 30 * AWORLD_S);
	ck_assert_int_eq(aworld_peer(w, 0, 1).state, AUTOSCALE_BEHIND);
	aworld_connect(w, 0, 1, false);
	ck_assert(aworld_lead(w, 1));
	aworld_heal(w);
	aworld_settle(w, 60 * AWORLD_S);
	aworld_run(w, 2 * HB_S * AWORLD_S);
	ck_assert_int_eq(aworld_winner(w), 1);
	ck_assert_str_eq(aworld_stats(w, 1).why, "");
	ck_assert_int_eq(aworld_peer(w, 0, 1).state, AUTOSCALE_IN_SYNC);
	ck_assert_str_eq(aworld_peer(w, 0, 1).why, "");
	aworld_free(w);
}
END_TEST

/* The same for a copy that is refused because the unit has become primary meanwhile. */
START_TEST(test_lead_while_copying) {
	struct aworld *w = aworld_group(2);

	for (unsigned int i = 0; i < 200; i++) {
		unsigned int old = (unsigned int)aworld_winner(w);

		aworld_put(w, old, DESK_POLICY, "k09", i);
		aworld_run(w, i % 40 * 100);
		ck_assert(aworld_lead(w, !old));
		for (unsigned int n = 0; n < 50; n++) {
			aworld_run(w, 100);
			ck_assert(!aworld_stats(w, !old).standing.primary ||
				  !*aworld_stats(w, !old).why);
		}
		aworld_settle(w, 60 * AWORLD_S);
		aworld_run(w, 2 * HB_S * AWORLD_S);
		for (unsigned int unit = 0; unit < 2; unit++) {
			ck_assert_str_eq(aworld_stats(w, unit).why, "");
			ck_assert_int_eq(aworld_peer(w, unit, !unit).state, AUTOSCALE_IN_SYNC);
		}
	}
	aworld_free(w);
}
END_TEST

/* Others see that a unit's gatehoused is away, whatever it had, and that it is back. */
START_TEST(test_desk_is_missed) {
	struct aworld *w = aworld_group(2);
	unsigned int unit = (unsigned int)_i;

	aworld_run(w, 2 * HB_S * AWORLD_S);
	ck_assert_int_eq(aworld_peer(w, !unit, unit).state, AUTOSCALE_IN_SYNC);
	aworld_desk_away(w, unit, 30 * AWORLD_S);
	aworld_run(w, HB_S * AWORLD_S);
	ck_assert_int_eq(aworld_peer(w, !unit, unit).state, AUTOSCALE_BEHIND);
	ck_assert_str_eq(aworld_peer(w, !unit, unit).why, "its gatehoused is away");
	aworld_run(w, 30 * AWORLD_S);
	ck_assert_int_eq(aworld_peer(w, !unit, unit).state, AUTOSCALE_IN_SYNC);
	ck_assert_str_eq(aworld_peer(w, !unit, unit).why, "");
	aworld_free(w);
}
END_TEST

/* Unit 0 is called by somebody of the group whom nobody else knows. */
static void greet(struct aworld *w) {
	struct autoscale_message hello = { .type = AUTOSCALE_HELLO, .version = 1, .oldest = 1,
					   .serial = STRANGER, .vmid = "vm" };
	unsigned int channel = aworld_stranger(w, 0, STRANGER);
	struct buf b = BUF_INIT;

	hello.standing.hb_interval_s = HB_S;
	autoscale_message_encode(&b, &hello);
	autoscale_message(aworld_machine(w, 0), channel, b.data, b.len, aworld_now(w));
	buf_done(&b);
}

/* Whom only a secondary has met leaves it at once when asked, or by itself. */
START_TEST(test_met_by_one) {
	struct aworld *w = aworld_group(2);
	struct autoscale_peer_info peer;
	struct err err = { 0 };

	/* of the two, it is unit 0 that is the secondary then */
	ck_assert(aworld_lead(w, 1));
	aworld_settle(w, 60 * AWORLD_S);
	aworld_run(w, AWORLD_S);
	greet(w);
	ck_assert(autoscale_peer_info(aworld_machine(w, 0), 1, &peer));
	ck_assert_int_eq(autoscale_forget(aworld_machine(w, 0), STRANGER, aworld_now(w), &err),
			 ERR_IN_USE);
	aworld_run(w, LOST_S * AWORLD_S);
	if (_i == 0)
		ck_assert_int_eq(autoscale_forget(aworld_machine(w, 0), STRANGER,
						  aworld_now(w), &err), 0);
	aworld_run(w, (_i ? DAY_S - 600 : 0) * AWORLD_S);
	ck_assert_int_eq(autoscale_peer_info(aworld_machine(w, 0), 1, &peer), _i);
	aworld_run(w, 700 * AWORLD_S);
	ck_assert(!autoscale_peer_info(aworld_machine(w, 0), 1, &peer));
	ck_assert_uint_eq(aworld_desk(w, 0)->a.group.n, 1);
	ck_assert(aworld_knows(w, 0, 1) && aworld_knows(w, 1, 0));
	aworld_free(w);
}
END_TEST

static Suite *trouble_suite(void) {
	Suite *s = suite_create("autoscale trouble");
	TCase *t = fixture_case(s, "trouble");

	tcase_add_loop_test(t, test_join_with_own, 0, 2);
	tcase_add_test(t, test_refused_object);
	tcase_add_test(t, test_forgiven);
	tcase_add_test(t, test_lead_while_copying);
	tcase_add_loop_test(t, test_desk_is_missed, 0, 2);
	tcase_add_loop_test(t, test_met_by_one, 0, 2);
	return s;
}

int main(void) {
	return fixture_run(trouble_suite());
}
