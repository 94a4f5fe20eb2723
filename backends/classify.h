/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Chains that find the first policy that matches a packet, in a time that hardly depends on how
 * many there are.
 *
 * While they run, ct mark holds the place (seq) of the best policy so far. What they leave there is
 * the lowest place of all that match, or what it was before, whatever the order of visits.
 */
#pragma once

#include "backends/policy.h"
#include "backends/ruleset.h"

/* ct mark while a session is judged; afterwards it is the id of its policy. */
#define MARK_NONE 0x7fffffffu      /* nothing matches so far */
#define MARK_VIP 0x80000000u       /* set with the place in sessions of virtual IPs */

/* What a rule matches of an address: a range, or a set. */
struct addr_match {
	uint32_t lo, hi;
	const char *set;           /* not NULL: this set instead */
};

#define ADDR_MATCHES_MAX 6         /* more ranges than this are a set */

/* Alternatives of which one must match; n 1 and 0..max: every address. */
struct addr_matches {
	struct addr_match m[ADDR_MATCHES_MAX];
	uint32_t n;
};

/* How these addresses are matched; makes the sets that are needed for it. */
struct addr_matches classify_ranges(struct ruleset *rs, const struct ranges *ranges,
				    const struct origin *origin);

/* Add the match of one alternative to the last rule of a chain, unless it is every address. */
void classify_match_addr(struct chain *c, enum rule_field f, const struct addr_match *m);

/* Add the match of a part of a service to the last rule of a chain. */
void classify_match_service(struct chain *c, const struct service_spec *s);

/*
 * Fill chain c so that it classifies by these policies (in order) and returns. bit is 0, or
 * MARK_VIP, which is then part of all places.
 */
void classify_policies(struct ruleset *rs, struct chain *c, const struct policy *const *list,
		       size_t n, uint32_t bit);

/*
 * The same for sessions that are known to have a matching destination: only sources and services
 * are looked at.
 */
void classify_sources(struct ruleset *rs, struct chain *c, const struct policy *const *list,
		      size_t n, uint32_t bit);
