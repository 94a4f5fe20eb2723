/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From the configuration to the ruleset that enforces it. Pure: no clock, no kernel. */
#pragma once

#include <time.h>

#include "backends/ruleset.h"
#include "cfgdb/base/err.h"
#include "cfgdb/model/model.h"

#define RENDER_VERSION 5u        /* grows when the same configuration gives another ruleset */

/* Chains in which the judging of a new session ends, as traces tell. */
#define RENDER_CHAIN_ACCEPTED  "accepted"  /* by a policy */
#define RENDER_CHAIN_REFUSED   "refused"   /* by a policy */
#define RENDER_CHAIN_UNMATCHED "unmatched" /* no policy fits: refused */
#define RENDER_CHAIN_COPIES    "copies"    /* of sessions of other members, where there are any */
#define RENDER_CHAIN_DECIDE    "decide"    /* accepts what stays within a zone */

/* Sets that others read. */
#define RENDER_SET_HITS	    "hits"     /* by policy: first packets; 0 is the implicit deny */
#define RENDER_SET_TRAFFIC  "traffic"  /* by policy: all packets of its sessions; without 0 */
#define RENDER_SET_SETUPS   "setups"   /* of all policies, also those that are gone: accepted */
#define RENDER_SET_UNLOGGED "unlogged" /* by policy: packets denied above the rate of the log */
#define RENDER_SET_REVISION "revision" /* see render_revision */

/*
 * First packets that are denied go to this group of the kernel's logging, as they came (prefix
 * DENIED), with the id of the policy as mark. One whose destination was translated comes as it
 * then was before that (TRANSLATED).
 */
#define RENDER_LOG_GROUP 71
#define RENDER_LOG_DENIED "deny"
#define RENDER_LOG_TRANSLATED "to"

#define RENDER_PAIRS_MAX 500000  /* each is a visit while rendering and an element in the kernel */

/*
 * Whether the configuration can be rendered: ERR_MAX_ENTRIES when its policies name more than
 * RENDER_PAIRS_MAX pairs of interfaces, the members of zones counted one by one.
 */
int render_check(const struct model *model, struct err *err);

/*
 * The ruleset of a configuration as of `now`; the caller frees it. NULL when the configuration
 * manages no interface and the kernel shall hold nothing of ours. *next_change is when a schedule
 * changes it.
 */
struct ruleset *render(const struct model *model, time_t now, time_t *next_change);

/* The same for a kernel that has only these session helpers (see helper.h). */
struct ruleset *render_with(const struct model *model, time_t now, uint32_t helpers,
			    time_t *next_change);

/*
 * What tells, at the next start, whether the kernel holds what this configuration gives and nobody
 * has touched it since: the revision, the hash of the ruleset, and the generation that nf_tables
 * came to with it (every commit of anyone makes a new one). A key of three times four bytes.
 */
struct key render_revision_key(uint64_t revision, uint32_t hash, uint32_t generation);

/* A ruleset of one set with this one element; the caller frees it. */
struct ruleset *render_revision(const struct key *key);
