/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packets `diagnose debug flow` traces: conditions, and the rules that carry them out. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "backends/ruleset.h"
#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"

enum flow_criterion {
	FLOW_VD,
	FLOW_PROTO,
	FLOW_ADDR,         /* source or destination */
	FLOW_SADDR,
	FLOW_DADDR,
	FLOW_PORT,         /* source or destination */
	FLOW_SPORT,
	FLOW_DPORT,
	FLOW_CRITERIA
};

/* Zeroed: every packet. */
struct flow_filter {
	struct {
		bool set, negate;
		uint32_t from, to; /* addresses in host byte order */
	} c[FLOW_CRITERIA];
};

/*
 * Change a filter as the words after `filter` say: NAME FROM [TO], `negate` NAME, `clear`. Codes:
 * those of a word that is wrong or missing; the filter is then as before.
 */
int flow_filter_set(struct flow_filter *f, size_t argc, char *const argv[], struct err *err);

/* Append the conditions, a line each. */
void flow_filter_print(const struct flow_filter *f, struct str *out);

/*
 * Chains of the rules. A packet comes by RECEIVED, or by LOCAL when the unit sends it. The rule
 * that makes it traced is in the chain that tells what connection tracking knows of it. FORWARD is
 * met by what is to be forwarded and OUT by what leaves, after all translation; IN by what has
 * reached the unit.
 */
#define FLOW_CHAIN_RECEIVED  "received"
#define FLOW_CHAIN_LOCAL     "local"
#define FLOW_CHAIN_NEW	     "new"
#define FLOW_CHAIN_ORIGINAL  "original"
#define FLOW_CHAIN_REPLY     "reply"
#define FLOW_CHAIN_INVALID   "invalid"
#define FLOW_CHAIN_UNTRACKED "untracked"
#define FLOW_CHAIN_FORWARD   "forwarded"
#define FLOW_CHAIN_IN	     "delivered"
#define FLOW_CHAIN_OUT	     "sent"

#define FLOW_RATE 200              /* packets a second that are traced; as many at once */
#define FLOW_SET_LEFT_OUT "left_out" /* has one element, which counts the others */

/*
 * The rules that trace what the filter lets through, for a table of their own; the caller frees
 * them.
 */
struct ruleset *flow_filter_render(const struct flow_filter *f);
