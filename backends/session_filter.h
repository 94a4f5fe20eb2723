/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The filter of session commands: criteria that an administrator sets one by one and that all have
 * to fit. A zeroed struct with a family fits every session of that family.
 */
#pragma once

#include "backends/session.h"
#include "cfgdb/base/str.h"

/* In the order in which they are printed. */
enum session_criterion {
	FILTER_VD,
	FILTER_SINTF,
	FILTER_DINTF,
	FILTER_PROTO,
	FILTER_PROTO_STATE,
	FILTER_SRC,
	FILTER_NSRC,
	FILTER_DST,
	FILTER_SPORT,
	FILTER_NPORT,
	FILTER_DPORT,
	FILTER_POLICY,
	FILTER_EXPIRE,
	FILTER_DURATION,
	FILTER_STATE1,
	FILTER_STATE2,
	FILTER_CRITERIA,
};

/* Lists of addresses: one of the first two each must be there, none of the others may be. */
enum session_list {
	FILTER_EXT_SRC,
	FILTER_EXT_DST,
	FILTER_EXT_SRC_NEGATE,
	FILTER_EXT_DST_NEGATE,
	FILTER_LISTS,
};

#define FILTER_LIST_MAX 32         /* addresses in a list */

struct session_filter {
	uint8_t family;
	uint32_t set, negated;     /* bits by criterion */
	/* From and to; of states the bits and their mask. */
	uint32_t number[FILTER_CRITERIA][2];
	union net_addr addr[FILTER_CRITERIA][2];
	char interface[FILTER_CRITERIA][16];
	struct {
		union net_addr addr[FILTER_LIST_MAX];
		uint32_t n;
	} list[FILTER_LISTS];
};

/* A filter that fits every session of a family. */
void session_filter_init(struct session_filter *f, uint8_t family);

/*
 * Do what the words after `filter` say (one at least):
 *
 *   CRITERION FROM [TO]        set it: vd, vd-name, sintf, dintf (one value), proto, proto-state,
 *                              src, nsrc, dst, sport, nport, dport, policy, expire, duration
 *   session-state1 BITS [MASK] set it, hexadecimal; MASK is BITS when it is not given
 *   ext-src ADDRESS            add an address to a list: ext-dst, ext-src-negate, ext-dst-negate
 *   negate CRITERION           turn it round, or back
 *   clear [CRITERION | all]    forget it, or everything
 *
 * What cannot be understood changes nothing and is told in *err.
 */
int session_filter_change(struct session_filter *f, size_t argc, char *const argv[],
			  struct err *err);

/* Append what the bare command prints. */
void session_filter_print(const struct session_filter *f, struct str *out);

/* Append the same as JSON: what is set, by the words it is set by; not more than a few kB. */
void session_filter_json(const struct session_filter *f, struct str *out);

/* True when every session that there can be fits, be it because nothing is set. */
bool session_filter_fits_all(const struct session_filter *f);

/* Whether a session fits; its way is worked out only when a criterion needs it. */
bool session_filter_match(const struct session_filter *f, struct session *s);

/* What the kernel can be asked for; sessions that fit are always among its answers. */
void session_filter_kernel(const struct session_filter *f, struct ct_kernel_filter *ret);
