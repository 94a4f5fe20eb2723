/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A session as a line of the traffic log. Pure: what is not in the facts is not in the line. */
#pragma once

#include "backends/ct.h"
#include "cfgdb/logs/logtext.h"

/* What became of it. */
enum traffic_action {
	TRAFFIC_DENY,        /* its first packet was refused */
	TRAFFIC_START,       /* it was let in */
	TRAFFIC_ACCEPT,      /* it is over; protocols without an end of their own */
	TRAFFIC_CLOSE,       /* it was closed */
	TRAFFIC_TIMEOUT,     /* nobody closed it */
};

struct traffic_facts {
	uint64_t time_ns;            /* since 1970 */
	enum traffic_action action;
	const struct ct *ct;
	uint32_t session;            /* its number; 0: it never was one */
	const char *in, *out;        /* interfaces; "": not known */
	const char *in_role, *out_role;
	uint32_t policy;
	const char *policy_uuid, *policy_name; /* "" when there is none */
	const char *service;
};

/* The level of such lines. */
#define TRAFFIC_LOG_LEVEL LOGTEXT_NOTICE

/* Append the line, without its end. */
void traffic_log_print(const struct traffic_facts *f, struct str *line);

/* What became of a session that has ended; by: who deleted it (netlink port), 0: the kernel. */
enum traffic_action traffic_log_ending(const struct ct *ct, uint32_t by);
