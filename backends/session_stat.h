/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers about sessions, and the texts that show them. */
#pragma once

#include "backends/session.h"
#include "cfgdb/base/str.h"

#define SESSION_TCP_STATES 10      /* numbers of FortiOS: 0 none, 1 established, ... */

/* What a walk over the table counts. */
struct session_tally {
	uint64_t total;
	uint64_t tcp[SESSION_TCP_STATES];
	uint64_t ephemeral;        /* TCP that is being set up, UDP that nobody has answered */
};

/* What is printed. Rates and totals are the caller's to keep. */
struct session_stat {
	uint8_t family;
	struct session_tally tally;
	uint64_t setup_rate;       /* sessions per second */
	uint64_t expected;         /* connections that helpers wait for */
	uint64_t expect_max;       /* and how many there may be */
	uint64_t table_size;       /* buckets of the kernel's table */
	uint64_t deleted;          /* sessions deleted one by one */
	uint64_t flushed;          /* requests to delete all that fit a filter */
	struct ct_stats kernel;
};

/* Count one session. */
void session_tally_add(struct session_tally *t, const struct session *s);

/* Append `diagnose sys session stat`, or full-stat with what stands before it. */
void session_stat_print(const struct session_stat *s, bool full, struct str *out);

/* Append the same as one JSON object with a line end. */
void session_stat_json(const struct session_stat *s, struct str *out);

/* Append `get system session status`. */
void session_stat_status(uint8_t family, uint64_t sessions, struct str *out);

/* Append `get system session-info ttl`: what the configuration says apart from policies. */
void session_stat_ttl(const struct model *model, struct str *out);

/* The same as JSON; `never` is null. */
void session_stat_ttl_json(const struct model *model, struct str *out);
