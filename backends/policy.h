/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The policies of the configuration with everything they name resolved: what the renderer turns
 * into rules and what a lookup asks.
 */
#pragma once

#include <time.h>

#include "backends/address.h"
#include "backends/service.h"
#include "backends/vip.h"

/* Addresses that a policy names. */
struct policy_addrs {
	const struct address **address;  /* the objects; n of them */
	uint32_t n;
	bool negate;
	struct ranges match;             /* what matches after negation, for this policy's action */
};

struct policy {
	const struct object *obj;
	uint32_t id;
	uint32_t seq; /* place in the order: lower decides first; see policies_new */
	bool accept;
	bool nat;
	bool logs_denied;                /* what it denies is logged */
	bool vip_sessions;               /* denies sessions of all virtual IPs, too (match-vip) */
	bool only_vip_sessions;
	bool off;                        /* matches nothing; `why` says why */
	const char *why;
	unsigned int keeps_sessions;     /* enum ruleset_keep */
	struct policy_addrs src, dst;
	const struct vip **vip;          /* virtual IPs among the destinations, n_vips of them */
	uint32_t n_vips;
	struct services service;
	bool service_negate;
};

struct policies {
	struct addresses addresses;
	struct vips vips;
	struct policy *policy;           /* in order */
	size_t n;
	bool keep_sessions;              /* the same for sessions of no policy here */
	bool policies_choose;            /* each says it for its own */
	time_t next_change;              /* when a schedule starts or ends next; SCHEDULE_NEVER */
};

#define POLICY_SEQ_MAX 0x3ffffffeu

/* What is logged of the sessions that a policy judges. */
enum policy_logs {
	POLICY_LOGS_DENIED = 1 << 0,     /* those it denies */
	POLICY_LOGS_START = 1 << 1,      /* the start of those it accepts */
	POLICY_LOGS_END = 1 << 2,        /* their end */
};

/* What the settings of a policy (enum policy_logs) ask for. */
unsigned int policy_logs(const struct object *obj);

/*
 * Resolve all policies as of `now`. seq grows along the order, and a policy that did not move keeps
 * its own when others come, go or move, but for its nearest neighbours. The caller frees the
 * result.
 */
struct policies *policies_new(const struct model *model, time_t now);

/* The same for these n policies of the model only; places in the order are not numbered. */
struct policies *policies_of(const struct model *model, const struct object *const objs[], size_t n,
			     time_t now);

/*
 * The first attribute of a policy that is stored and would make it match less if it were enforced,
 * by name, or NULL.
 */
const char *policy_unenforced(const struct object *obj);

/* Free; NULL is fine. Returns NULL. */
struct policies *policies_free(struct policies *ps);

/* Addresses of a name list as one set, in the reading for policies that accept or deny. */
static inline const struct ranges *address_ranges(const struct address *a, bool accept) {
	return accept ? &a->strict : &a->plain;
}
