/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whether a session that exists may go on under a ruleset. Pure: no kernel, no clock. */
#pragma once

#include "backends/ruleset.h"
#include "cfgdb/base/err.h"

/*
 * A forwarded session. Addresses (of IPv4 only: rules look at no others), ports and mark in host
 * byte order.
 */
struct judge_session {
	bool ipv6;
	uint8_t proto, icmp_type, icmp_code;
	uint32_t src, dst;           /* of its first packet, as it came in */
	uint16_t sport, dport;
	uint32_t to;                 /* where that packet went: where replies come from */
	uint16_t to_port;
	const char *in, *out;        /* interfaces of the routes towards src and `to` */
	uint32_t mark;
};

enum judge_verdict { JUDGE_KEEP, JUDGE_END, JUDGE_FAULT };

/*
 * Judge a session by rules as if it began now. `before`, or NULL, is what its mark comes from: it
 * tells sessions whose requests come in by another interface than the route back (see judge.c).
 * JUDGE_KEEP: *mark is what its mark shall be. JUDGE_FAULT: *err, see ruleset_eval.
 */
enum judge_verdict judge_session(const struct ruleset *rules, const struct ruleset *before,
				 const struct judge_session *s, uint32_t *mark, struct err *err);

/*
 * Set s->to and s->to_port to where the rules would send its first packet. 0, or *err for rules
 * that ruleset_eval refuses.
 */
int judge_aim(const struct ruleset *rules, struct judge_session *s, struct err *err);
