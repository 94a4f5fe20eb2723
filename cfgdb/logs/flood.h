/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told of refusals when somebody makes very many of them: so many from each source in a
 * minute, and so many from all of them; how many more there were is told when the minute is over.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define FLOOD_SOURCES 64         /* that are told apart; further ones share the last place */
#define FLOOD_SOURCE_MAX 160     /* bytes of a name that count, with the end */
#define FLOOD_EACH_MAX 30        /* in a minute */
#define FLOOD_ALL_MAX 300
#define FLOOD_OTHERS "others"    /* the name of those who share a place */

struct flood {
	struct flood_source {
		char name[FLOOD_SOURCE_MAX];
		int64_t begun_s;         /* its minute */
		uint32_t told, untold;   /* in it; both 0: a free place */
	} sources[FLOOD_SOURCES];
	int64_t begun_s;                 /* the minute of all */
	uint32_t told;
};

/* Takes the number of what was not told of a source. */
typedef void flood_fn(void *arg, const char *source, uint32_t untold);

/*
 * Whether one more from this source is told at now_s, of a clock that never goes back; *f is zeroed
 * at the beginning. Minutes that are over have to be settled before.
 */
bool flood_take(struct flood *f, const char *source, int64_t now_s);

/* End the minutes that are over at now_s (INT64_MAX: all); tell what was left out in each. */
void flood_settle(struct flood *f, int64_t now_s, flood_fn *tell, void *arg);
