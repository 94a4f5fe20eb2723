/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Parts of the renderer, each in a file of its own. */
#pragma once

#include "backends/handover.h"
#include "backends/managed.h"
#include "backends/policy.h"
#include "backends/ruleset.h"

/* Chain "translate_in" and what it needs: destinations of virtual IPs. */
void render_dnat(struct ruleset *rs, const struct vips *vips);

#define RENDER_PORT_CONFIG  703 /* configuration between members, TCP and UDP */
#define RENDER_PORT_SESSION 708 /* sessions between members, TCP and UDP */

/* Chain "input": what managed interfaces let in to the unit itself. */
void render_input(struct ruleset *rs, const struct model *model, const struct handover_plan *plan);

/*
 * What members of a cluster need; nothing where there are none. The sets, and the chains before
 * connection tracking.
 */
void render_sync(struct ruleset *rs, const struct handover_plan *plan);

/* Rules before that which drops packets of no session: where they are sent to other members. */
void render_sync_invalid(struct chain *c, const struct handover_plan *plan);

/*
 * Chain "copies", and the rule that leads there, before that which lets sessions pass: it drops
 * what belongs to refused copies, and notes the first packet of any other.
 */
void render_sync_copies(struct ruleset *rs, struct chain *c, const struct handover_plan *plan);

/* Rules that let pass what is on its way to other members, and only there. */
void render_sync_marked(struct chain *c, const struct handover_plan *plan);

/* Rules that let in what members send besides new connections to their ports. */
void render_sync_input(struct chain *c, const struct handover_plan *plan);

#define RENDER_CHAIN_TIMEOUTS "session_times"
#define RENDER_CHAIN_HELPERS  "session_helpers"

/*
 * Chain "session_times" and what it needs: times of sessions by policy and port; false when all are
 * the VDOM's.
 */
bool render_timeouts(struct ruleset *rs, const struct model *model);

/*
 * Chain "session_helpers" and what it needs, with helpers of this set only (see helper.h); false
 * when there are none.
 */
bool render_helpers(struct ruleset *rs, const struct policies *ps, const struct model *model,
		    uint32_t set);

/*
 * The chains that classify new sessions, by pair of interfaces: chain "pairs" returns, chain "vip",
 * for sessions of virtual IPs, goes on to chain "decide".
 */
void render_pairs(struct ruleset *rs, const struct model *model, const struct policies *ps);
