/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A minute begins with the first of a source and ends 60 seconds later, whatever comes: so what is
 * told in any hour is bounded, and so is the time until the rest is counted. Sources are named by
 * whoever makes them up; a table of a fixed size takes as many as there are, the last place takes
 * everyone else. The count of what was left out stands for a line, so it is bounded as well.
 */
#include "cfgdb/logs/flood.h"

#include <stdio.h>
#include <string.h>

#define MINUTE_S 60

static bool is_free(const struct flood_source *s) {
	return s->told == 0 && s->untold == 0;
}

/* Its place, a free one that becomes its, or the last one, which is for others. */
static struct flood_source *place_of(struct flood *f, const char *name, int64_t now_s) {
	struct flood_source *unused = NULL;
	char known[FLOOD_SOURCE_MAX];

	snprintf(known, sizeof(known), "%s", name);
	for (int i = FLOOD_SOURCES - 2; i >= 0; i--) {
		struct flood_source *s = &f->sources[i];

		if (is_free(s))
			unused = s;
		else if (strcmp(s->name, known) == 0)
			return s;
	}
	if (!unused) {
		unused = &f->sources[FLOOD_SOURCES - 1];
		snprintf(known, sizeof(known), FLOOD_OTHERS);
	}
	if (is_free(unused)) {
		snprintf(unused->name, sizeof(unused->name), "%s", known);
		unused->begun_s = now_s;
	}
	return unused;
}

bool flood_take(struct flood *f, const char *source, int64_t now_s) {
	struct flood_source *s = place_of(f, source, now_s);

	if (now_s - f->begun_s >= MINUTE_S) {
		f->begun_s = now_s;
		f->told = 0;
	}
	if (s->told >= FLOOD_EACH_MAX || f->told >= FLOOD_ALL_MAX) {
		s->untold += s->untold < UINT32_MAX;
		return false;
	}
	s->told++;
	f->told++;
	return true;
}

void flood_settle(struct flood *f, int64_t now_s, flood_fn *tell, void *arg) {
	for (int i = 0; i < FLOOD_SOURCES; i++) {
		struct flood_source *s = &f->sources[i];

		if (is_free(s) || now_s - s->begun_s < MINUTE_S)
			continue;
		if (s->untold)
			tell(arg, s->name, s->untold);
		s->told = s->untold = 0;
	}
}
