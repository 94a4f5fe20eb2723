/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A session as FortiOS shows it, worked out from an entry of connection tracking and from what the
 * caller knows besides. No system calls, no memory of its own.
 */
#pragma once

#include "backends/ct.h"
#include "backends/fib.h"
#include "backends/rtnl.h"
#include "backends/ttl.h"

/*
 * Bits of an entry's label, as numbers of bits. COPY: it was received from a peer. SEEN: this unit
 * has forwarded a packet of it. REFUSED: the rules of this unit do not allow it: no packet of the
 * copy passes. What peers tell: owner, serial, start (seconds and milliseconds since 1970). 3 to 7,
 * 24 to 31 and 106 to 127 are reserved.
 */
#define SESSION_LABEL_COPY 0
#define SESSION_LABEL_SEEN 1
#define SESSION_LABEL_REFUSED 2
#define SESSION_LABEL_OWNER 8          /* 16 bits */
#define SESSION_LABEL_SERIAL 32        /* 32 bits */
#define SESSION_LABEL_START 64         /* 32 bits */
#define SESSION_LABEL_START_MS 96      /* 10 bits */

/* Copies live this much longer in the kernel than the session has left, in seconds. */
#define SESSION_COPY_GRACE_S 300

/* `n` bits of a label from number `first` on; they lie in one half of it, and n < 64. */
static inline uint64_t session_label(const struct ct *ct, unsigned int first, unsigned int n) {
	return ct->label[first / 64] >> first % 64 & ((UINT64_C(1) << n) - 1);
}

#define SESSION_NEVER TTL_NEVER        /* a timeout without end */

/* What a session inherits from its policy. */
struct session_policy {
	bool log;                      /* all its sessions are logged */
	bool utm;                      /* it asks for security profiles */
};

/* What is not in the entry. Everything it points to belongs to the caller. */
struct session_context {
	uint64_t now_ns;               /* time since 1970 */
	uint32_t vd;                   /* index of the VDOM */
	const struct ttl *ttl;         /* NULL: as a new unit has it */
	uint16_t unit;                 /* number of this unit; 0: not known, copies are others' */
	const struct links *links;     /* NULL: interfaces have no names */
	struct fib *fib;               /* NULL: no ways are known */
	/*
	 * What is known of a policy; false when there is no such policy. NULL: there is none at
	 * all.
	 */
	bool (*policy)(void *arg, uint32_t id, struct session_policy *ret);
	/* Whether a peer holds a copy of a session of this unit. NULL: no. */
	bool (*synced)(void *arg, const struct ct *ct);
	void *arg;                     /* of both */
};

/* Bits of the first state word, as `filter session-state1` takes them. */
#define SESSION_LOG (1u << 2)
#define SESSION_LOCAL (1u << 8)
#define SESSION_MAY_DIRTY (1u << 9)
#define SESSION_NDR (1u << 13)
#define SESSION_SYNCED (1u << 26)

enum session_act { SESSION_NOOP, SESSION_SNAT, SESSION_DNAT };

/* Where in the unit a packet is looked at. */
enum session_hook { SESSION_PRE, SESSION_POST, SESSION_IN, SESSION_OUT };

/* One hook line. */
struct session_line {
	enum session_hook hook;
	enum ct_dir dir;
	enum session_act act;
	const union net_addr *src, *dst, *nat;   /* nat: NULL for noop */
	uint16_t sport, dport, nat_port;
};

#define SESSION_LINES_MAX 4

struct session {
	const struct ct *ct;
	const struct session_context *ctx;
	uint8_t state[2];              /* digits of proto_state */
	uint32_t duration, expire, timeout;
	uint32_t policy_id, serial;
	uint64_t rate[2];              /* bytes per second since the start, by enum ct_dir */
	bool copy;                     /* received from a peer, who owns it */
	bool snat, dnat;
	uint32_t state1;               /* LOCAL and MAY_DIRTY only after session_way() */
	/* Filled by session_way(). */
	bool has_way;
	struct fib_path path;
	struct session_line line[SESSION_LINES_MAX];
	unsigned int n_lines;
};

/* Work out everything but the way; ct and ctx must outlive the session. */
void session_init(struct session *s, const struct session_context *ctx, const struct ct *ct);

/* Work out the ways, what is local, and the hook lines; done once however often it is called. */
void session_way(struct session *s);

/* Link of an end: 0 where packets come from, 1 where they go to. 0: not known. */
int session_link(const struct session *s, unsigned int end);

/*
 * The next hop towards an end: the end itself when it is on a link. Returns its family, or 0 when
 * there is none, also for a copy that no packet has come for here.
 */
uint8_t session_gateway(const struct session *s, unsigned int end, union net_addr *ret);

/*
 * The number of a session: that in its label, otherwise a hash of original tuple, zone and id, so
 * that it is the same in every listing and event; never 0.
 */
uint32_t session_serial(const struct ct *ct);
