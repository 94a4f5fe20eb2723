/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sessions as text: the long form, the row form, JSON. All cut what does not fit, and say so. */
#pragma once

#include "backends/session.h"
#include "cfgdb/base/fmt.h"

/* No entry is longer, in any form: with this much room nothing is cut. */
#define SESSION_TEXT_MAX 4096

/*
 * Append a session as `diagnose sys session list` and `session6 list` print it, the empty line
 * before it included.
 */
void session_text_list(struct session *s, struct fmt *f);

/* Append the last line of these lists, after n sessions of a family. */
void session_text_total(uint8_t family, uint64_t n, struct fmt *f);

/* Append the first line of `get system session list`. */
void session_text_header(struct fmt *f);

/* Append a session as a line of `get system session list`. */
void session_text_row(const struct session *s, struct fmt *f);

/*
 * Append an expected session as a line of `get system session-info expectation`; vd: the index of
 * the VDOM.
 */
void session_text_expect(const struct ct_expect *e, uint32_t vd, struct fmt *f);

/*
 * The same as a JSON object, without a line end: vdom, protocol, expire, flags (a number), helper
 * (or null), source and destination (address and port, null: any; with the masks address_mask and
 * port_mask where only some bits count), translated (address and port, or null), master (protocol,
 * source, destination).
 */
void session_text_expect_json(const struct ct_expect *e, uint32_t vd, struct fmt *f);

/*
 * Append a session as a JSON object, without a line end:
 *
 *   vdom, family ("ipv4", "ipv6"), serial (eight hexadecimal digits), protocol, state (two
 *   digits), policy, duration, expire, timeout (null: never), flags (words as after state=), helper
 *   (or null), source, destination, source_nat, destination_nat (address and port; null: not
 *   translated), sent, received (bytes, packets, rate in bytes per second), incoming, outgoing
 *   (interface, index, gateway of that side; null where not known)
 *
 * With ICMP the port of a source is its id, that of a destination its type.
 */
void session_text_json(struct session *s, struct fmt *f);
