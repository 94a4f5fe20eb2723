/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What became of the lines of a file: how many were taken, taken with a warning, refused; and why,
 * equal reasons together, so that a long file has a short report.
 */
#pragma once

#include <stddef.h>

#include "cfgdb/base/str.h"

#define TALLY_GROUPS_MAX 1000 /* reasons that are told apart; others are counted */

/* What became of lines; and of those that are refused, which have names that are not known here. */
enum tally_kind {
	TALLY_TAKEN,
	TALLY_WARNED,
	TALLY_REFUSED,
	TALLY_KINDS,
	TALLY_UNKNOWN = TALLY_KINDS, /* a reason only: such lines are refused ones */
};

/* One reason. */
struct tally_group {
	enum tally_kind kind;
	int code;                /* of the error, or 0 */
	char *subject;           /* what it is about: "firewall policy: set utm-status" */
	char *reason;            /* the first one's */
	unsigned long first;     /* number of the first line */
	unsigned long times;     /* how often it was given */
	unsigned long lines;     /* how many lines it cost */
};

struct tally {
	unsigned long lines[TALLY_KINDS];
	unsigned long landed;    /* of those: that made an entry or set an attribute */
	struct tally_group *group; /* n of them, as they came */
	size_t n;
	unsigned long more;      /* reasons that found no room */
};

/* Give a reason: at this line, which costs so many lines; subject and reason are copied. */
void tally_say(struct tally *t, const struct tally_group *why);

/* Add what another tally holds. */
void tally_add(struct tally *t, const struct tally *more);

/* Begin anew. */
void tally_clear(struct tally *t);

/* Append the report: a line with the numbers, then a line for each reason. */
void tally_print(const struct tally *t, struct str *out);
