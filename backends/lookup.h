/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which policy a packet would meet, answered from the configuration itself: the packet filter is
 * not asked, so this is also what it is compared with in tests.
 */
#pragma once

#include <time.h>

#include "backends/policy.h"
#include "cfgdb/base/str.h"

/* The first packet of a session as it comes in, addresses in host byte order. */
struct lookup_packet {
	const char *in;            /* interface */
	uint32_t src, dst;
	uint8_t proto, icmp_type, icmp_code;
	uint16_t sport, dport;
};

struct lookup_result {
	uint32_t policy;           /* 0: none */
	bool accept;
	const struct policy *by;   /* it, or NULL */
	const struct vip *vip;     /* the virtual IP that takes the packet, or NULL */
	uint32_t dst;              /* where it goes after translation */
	uint16_t dport;
};

/* Translate: fills vip, dst and dport of the result, for finding the way out. */
void lookup_translate(const struct model *model, const struct policies *ps,
		      const struct lookup_packet *p, struct lookup_result *ret);

/* Judge a translated packet that leaves by `out`; fills the rest of the result. */
void lookup_judge(const struct model *model, const struct policies *ps,
		  const struct lookup_packet *p, const char *out, struct lookup_result *ret);

#define LOOKUP_REASONS_MAX 10

/* A policy that did not match, and what of it did not fit. */
struct lookup_misfit {
	const struct policy *policy;
	const char *why;
};

/* The first policies of those interfaces before the result; returns how many. */
unsigned int lookup_misfits(const struct model *model, const struct policies *ps,
			    const struct lookup_packet *p, const char *out,
			    const struct lookup_result *result,
			    struct lookup_misfit ret[LOOKUP_REASONS_MAX]);

/*
 * Append why no policy before the result matched: a line for each of the first policies of those
 * interfaces, with what did not fit.
 */
void lookup_explain(const struct model *model, const struct policies *ps,
		    const struct lookup_packet *p, const char *out,
		    const struct lookup_result *result, struct str *text);
