/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long sessions live without a packet, read from the configuration once: for rules, for kernel
 * settings and for whoever lists sessions.
 */
#pragma once

#include "backends/service.h"

#define TTL_NEVER      UINT32_MAX
#define TTL_KERNEL_MAX 2147483u /* seconds; a kernel that counts 1000 ticks a second has no more */

/* Timers of a session. */
enum ttl_timer {
	TTL_IDLE,     /* session-ttl: an established TCP or SCTP session */
	TTL_HALFOPEN, /* TCP by state: not answered, closed on one side, closed, reset */
	TTL_HALFCLOSE,
	TTL_TIMEWAIT,
	TTL_RST,
	TTL_UDP,
	TTL_TIMERS
};

/* Seconds by timer, or TTL_NEVER; 0 in what a policy, service or port says: not said. */
struct ttl_times {
	uint32_t s[TTL_TIMERS];
};

/* Destination ports of a protocol with a time of their own. */
struct ttl_range {
	uint16_t lo, hi;
	uint32_t idle;
};

struct ttl_ranges {
	struct ttl_range *range; /* disjoint, in order; n of them */
	uint32_t n;
};

/* A policy that says something, itself or by its services. */
struct ttl_policy {
	uint32_t id;
	const struct object *obj;
	uint32_t idle;		     /* its session-ttl; 0: not said */
	struct service_uses uses;    /* its services up to the last that says something */
	struct ttl_times *tcp, *udp; /* what each of them says */
};

struct ttl {
	struct ttl_times system; /* of sessions of which nothing else is said: all are said */
	struct ttl_ranges tcp, udp;
	struct ttl_policy *policy; /* by id; n of them */
	size_t n;
};

/* What a listing knows of a session; ports as policies see them, after destination translation. */
struct ttl_session {
	uint32_t policy; /* 0: none */
	struct service_packet packet;
	uint8_t state; /* TCP, SCTP: the kernel's number */
	bool own;      /* of the unit itself: rules about policies, services, ports do not see it */
};

/*
 * Resolve; the caller frees it. Look-ups go on after the model has changed; origins (`obj`) do not.
 */
struct ttl *ttl_new(const struct model *model);

/* Free; NULL is fine. Returns NULL. */
struct ttl *ttl_free(struct ttl *t);

/*
 * Seconds that a session which begins now would live in its state, or TTL_NEVER. 0: the kernel's
 * own time, for protocols that the configuration says nothing about. The kernel counts
 * TTL_KERNEL_MAX at most.
 */
uint32_t ttl_seconds(const struct ttl *t, const struct ttl_session *session);

/*
 * What listings call the timeout of a session, whatever its state: its session-ttl; for protocols
 * but TCP and SCTP 0, unless policy, service or port say something.
 */
uint32_t ttl_timeout(const struct ttl *t, const struct ttl_session *session);

/*
 * The timers that count for sessions of TCP or UDP of a policy (NULL: none), by a service among its
 * uses (NULL: none of them) and by what is said of the port (0: nothing).
 */
struct ttl_times ttl_resolve(const struct ttl *t, const struct ttl_policy *p,
			     const struct service_use *use, uint8_t proto, uint32_t port_idle);

/* What a service among the uses of a policy says about sessions of TCP or UDP. */
const struct ttl_times *ttl_of_use(const struct ttl_policy *p, const struct service_use *use,
				   uint8_t proto);

/* True when something is said about sessions of TCP or UDP. */
bool ttl_says(const struct ttl_times *times, uint8_t proto);

/* What the VDOM says; all timers are said. */
struct ttl_times ttl_of_system(const struct model *model);

/* Seconds of a state of TCP by these timers. */
uint32_t ttl_tcp_state(const struct ttl_times *times, unsigned int state);

/* Seconds as the kernel takes them. */
static inline uint32_t ttl_kernel(uint32_t seconds) {
	return seconds < TTL_KERNEL_MAX ? seconds : TTL_KERNEL_MAX;
}

#define TTL_SETTINGS 21

/* Path below /proc/sys of the i-th kernel setting that the VDOM's timers become. */
const char *ttl_setting_name(size_t i);

/* Its value: seconds. */
uint32_t ttl_setting_value(const struct ttl_times *system, size_t i);
