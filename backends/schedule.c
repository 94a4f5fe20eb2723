/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Schedules in local time. A recurring one is a set of windows in the week, each beginning on one
 * of its days and lasting until the end, on the next day if that is not later than the start.
 * Changes are computed as local minutes and turned into time by mktime, so days with 23 or 25 hours
 * are right, too.
 */
#include "backends/schedule.h"

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define DAY 1440
#define WEEK (7 * DAY)

static void lower(time_t *next, time_t t, time_t now) {
	if (t > now && t < *next)
		*next = t;
}

/* The time that is this many minutes after the begin of the minute in tm. */
static time_t minutes_later(const struct tm *tm, int minutes) {
	struct tm t = *tm;

	t.tm_sec = 0;
	t.tm_min += minutes;
	t.tm_isdst = -1;
	return mktime(&t);
}

static bool recurring_active(const struct object *s, time_t now, time_t *next) {
	int start = (int)object_num(s, FIREWALL_SCHEDULE_RECURRING__START);
	int end = (int)object_num(s, FIREWALL_SCHEDULE_RECURRING__END);
	int length = end > start ? end - start : end - start + DAY;
	const struct schema_attr *day = &s->table->attrs[FIREWALL_SCHEDULE_RECURRING__DAY];
	bool active = false;
	struct tm tm;
	int minute;

	localtime_r(&now, &tm);
	minute = tm.tm_wday * DAY + tm.tm_hour * 60 + tm.tm_min;
	for (int d = 0; d < 7; d++) {
		int since;

		if (!object_is(s, FIREWALL_SCHEDULE_RECURRING__DAY, day->options[d].name))
			continue;
		since = (minute - d * DAY - start + 2 * WEEK) % WEEK;
		active |= since < length;
		lower(next, minutes_later(&tm, since < length ? length - since : WEEK - since),
		      now);
	}
	return active;
}

/* Whether a recurring schedule runs all the time, so that nothing ever changes. */
static bool recurring_always(const struct object *s) {
	return object_count(s, FIREWALL_SCHEDULE_RECURRING__DAY) == 7 &&
	       object_num(s, FIREWALL_SCHEDULE_RECURRING__START) ==
		       object_num(s, FIREWALL_SCHEDULE_RECURRING__END);
}

/* From decimal yyyymmddhhmm. */
static time_t datetime(int64_t v) {
	struct tm tm = {
		.tm_year = (int)(v / 100000000) - 1900,
		.tm_mon = (int)(v / 1000000 % 100) - 1,
		.tm_mday = (int)(v / 10000 % 100),
		.tm_hour = (int)(v / 100 % 100),
		.tm_min = (int)(v % 100),
		.tm_isdst = -1,
	};

	return mktime(&tm);
}

static bool onetime_active(const struct object *s, time_t now, time_t *next) {
	time_t start = datetime(object_num(s, FIREWALL_SCHEDULE_ONETIME__START));
	time_t end = datetime(object_num(s, FIREWALL_SCHEDULE_ONETIME__END));

	lower(next, start, now);
	lower(next, end, now);
	return start <= now && now < end;
}

static bool group_active(const struct model *model, const struct object *s, time_t now,
			 time_t *next) {
	const unsigned int attr = FIREWALL_SCHEDULE_GROUP__MEMBER;
	const struct value *v = object_value(s, attr);
	bool active = false;

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *m =
			model_resolve(model, &s->table->attrs[attr], value_item(v, i)->str);

		if (m && m->table->id != TBL_FIREWALL_SCHEDULE_GROUP)
			active |= schedule_active(model, m, now, next);
	}
	return active;
}

bool schedule_active(const struct model *model, const struct object *schedule, time_t now,
		     time_t *next) {
	switch (schedule->table->id) {
	case TBL_FIREWALL_SCHEDULE_RECURRING:
		return recurring_always(schedule) || recurring_active(schedule, now, next);
	case TBL_FIREWALL_SCHEDULE_ONETIME:
		return onetime_active(schedule, now, next);
	case TBL_FIREWALL_SCHEDULE_GROUP:
		return group_active(model, schedule, now, next);
	default:
		return false;
	}
}

bool schedule_runs(const struct model *model, const char *name, time_t now) {
	static const uint16_t tables[] = { TBL_FIREWALL_SCHEDULE_ONETIME,
					   TBL_FIREWALL_SCHEDULE_RECURRING,
					   TBL_FIREWALL_SCHEDULE_GROUP };
	const struct object *schedule = NULL;
	time_t next = SCHEDULE_NEVER;

	for (size_t i = 0; i < ARRAY_LEN(tables) && !schedule; i++)
		schedule = model_find(model, schema_table(tables[i]), name);
	return schedule && schedule_active(model, schedule, now, &next);
}
