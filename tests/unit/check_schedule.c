/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When schedules are active, and when that changes next: windows of the week, days with 25 hours,
 * and spans that have passed or are still to come.
 */
#include "backends/schedule.h"

#include <stdlib.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define NOW 1700000000 /* Tuesday, 2023-11-14 22:13:20 UTC */

static const struct {
	const char *schedule;
	time_t now;
	bool active;
	time_t next;              /* 0: never */
} schedules[] = {
	{ "config firewall schedule recurring\nedit \"s\"\nset day tuesday\nset start 22:00\nset end 23:00\nnext\nend\n",
	  NOW, true, 1700002800 },
	{ "config firewall schedule recurring\nedit \"s\"\nset day tuesday\nset start 22:14\nset end 23:00\nnext\nend\n",
	  NOW, false, 1700000040 },
	{ "config firewall schedule recurring\nedit \"s\"\nset day tuesday\nset start 10:00\nset end 22:13\nnext\nend\n",
	  NOW, false, 1700560800 },
	{ "config firewall schedule recurring\nedit \"s\"\nset day tuesday\nset start 22:00\nset end 06:00\nnext\nend\n",
	  NOW + 6 * 3600, true, 1700028000 },
	{ "config firewall schedule recurring\nedit \"s\"\nset day saturday\nset start 22:00\nset end 06:00\nnext\nend\n",
	  1700370000, true, 1700373600 }, /* Sunday, 05:00 */
	{ "config firewall schedule recurring\nedit \"s\"\nset day tuesday\nnext\nend\n", NOW, true,
	  1700006400 },
	{ "config firewall schedule recurring\nedit \"s\"\nnext\nend\n", NOW, false, 0 },
	{ "config firewall schedule recurring\nedit \"s\"\nset day sunday monday tuesday wednesday thursday friday "
	  "saturday\nset start 08:00\nset end 08:00\nnext\nend\n",
	  NOW, true, 0 },
	{ "config firewall schedule onetime\nedit \"s\"\nset start 22:00 2023/11/14\nset end 22:30 2023/11/14\nnext\n"
	  "end\n",
	  NOW, true, 1700001000 },
	{ "config firewall schedule onetime\nedit \"s\"\nset start 00:00 2023/11/15\nset end 00:00 2023/11/16\nnext\n"
	  "end\n",
	  NOW, false, 1700006400 },
	{ "config firewall schedule onetime\nedit \"s\"\nset start 00:00 2020/01/01\nset end 00:00 2020/01/02\nnext\n"
	  "end\n",
	  NOW, false, 0 },
	{ "config firewall schedule onetime\nedit \"o\"\nset start 22:00 2023/11/14\nset end 22:30 2023/11/14\nnext\n"
	  "end\nconfig firewall schedule group\nedit \"s\"\nset member \"o\" \"none\"\nnext\nend\n",
	  NOW, true, 1700001000 },
};

START_TEST(test_schedules) {
	struct model *m = conf_model(schedules[_i].schedule);
	const struct schema_attr *attr =
		&schema_table(TBL_FIREWALL_POLICY)->attrs[FIREWALL_POLICY__SCHEDULE];
	time_t next = SCHEDULE_NEVER;

	setenv("TZ", "UTC", 1);
	tzset();
	ck_assert_int_eq(schedule_active(m, model_resolve(m, attr, "s"), schedules[_i].now, &next),
			 schedules[_i].active);
	ck_assert_int_eq(next, schedules[_i].next ? schedules[_i].next : SCHEDULE_NEVER);
	ck_assert_int_eq(schedule_runs(m, "s", schedules[_i].now), schedules[_i].active);
	ck_assert(!schedule_runs(m, "other", schedules[_i].now));
	model_free(m);
}
END_TEST

/*
 * On the night when the clock goes back, the hour is there twice; a window of two hours lasts
 * three.
 */
START_TEST(test_schedule_summer_time) {
	struct model *m = conf_model(
		"config firewall schedule recurring\nedit \"s\"\nset day sunday\nset start 01:30\n"
		"set end 03:30\nnext\nend\n");
	const struct object *s = model_find(m, schema_table(TBL_FIREWALL_SCHEDULE_RECURRING), "s");
	time_t next = SCHEDULE_NEVER, start = 1698535800; /* 2023-10-29 01:30 in summer time */

	setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
	tzset();
	ck_assert(!schedule_active(m, s, start - 60, &next));
	ck_assert_int_eq(next, start);
	next = SCHEDULE_NEVER;
	ck_assert(schedule_active(m, s, start, &next));
	ck_assert_int_eq(next, start + 3 * 3600);
	model_free(m);
}
END_TEST

static Suite *schedule_suite(void) {
	Suite *s = suite_create("schedule");
	TCase *t = tcase_create("schedule");

	tcase_add_loop_test(t, test_schedules, 0, ARRAY_LEN(schedules));
	tcase_add_test(t, test_schedule_summer_time);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(schedule_suite());
}
