/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * callback-url of system auto-scale: a heartbeat to a function in the cloud, which answers whether
 * this unit is to be primary. HTTPS only, with a certificate that is verified always; no redirect
 * is followed, no proxy is taken from the environment. Nothing blocks, the resolution of names
 * included: libcurl has a thread of its own for that.
 *
 * One heartbeat is under way at a time. One that fails is repeated after the interval, twice as
 * much, and so on. Calls come out of the event loop only, never out of a function of this page;
 * they may call callback_configure and callback_info.
 */
#pragma once

#include "sync/callback_form.h"

struct callback;
struct event_base;

#define CALLBACK_WHY 512             /* bytes of a reason, with its end */

struct callback_calls {
	void *arg;                   /* the first argument of each */
	/* A heartbeat is about to be sent: fill in how this unit stands. */
	void (*facts)(void *arg, struct callback_facts *ret);
	/* The function has answered what this unit is to be; primary_ip zero: not said. */
	void (*decided)(void *arg, bool primary, const union net_addr *primary_ip);
	/*
	 * Heartbeats fail; why is one line for an administrator, without the secrets of the URL.
	 * Told when the reason has changed, and once a minute at most.
	 */
	void (*failed)(void *arg, const char *why);
	/* A line for the log; priority as in syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
};

struct callback_limits {
	uint32_t timeout_ms;         /* for an answer, from the begin of the resolution of names */
	uint32_t wait_max_ms;        /* between attempts, unless the interval is longer */
	uint32_t tell_ms;            /* between two calls of failed() */
};

#define CALLBACK_LIMITS { 10000, 300000, 60000 }

/*
 * Nothing is sent before callback_configure. ca_file has the certificates of those who may sign
 * that of the function; NULL: those that the system trusts. limits NULL: CALLBACK_LIMITS. The
 * caller frees it before the base. NULL and *err when ca_file cannot be read, or libcurl cannot be
 * used.
 */
struct callback *callback_new(struct event_base *base, const struct callback_calls *calls,
			      const char *ca_file, const struct callback_limits *limits,
			      struct err *err);

/* Stop without a call; NULL is fine. Returns NULL. */
struct callback *callback_free(struct callback *cb);

/*
 * Send a heartbeat each interval_ms (at least 1 s is meant to lie between them; 0 counts as 1 s) to
 * this URL, copied, from now on, the first at once when anything has changed; "" or NULL: to none.
 */
void callback_configure(struct callback *cb, const char *url, uint32_t interval_ms);

/* How long to wait after so many failures in a row, in ms; random: 32 bits to spread units with. */
uint32_t callback_wait_ms(uint32_t interval_ms, unsigned int failures, uint32_t wait_max_ms,
			  uint32_t random);

struct callback_info {
	uint64_t sent, answered;     /* heartbeats, and those with an answer that was understood */
	unsigned int failures;       /* in a row, up to now */
	int64_t answered_s;          /* of the last answer, since 1970; 0: never */
	char why[CALLBACK_WHY];      /* why the last one failed; "" when it did not */
};

/* Copy what there is to see now. */
void callback_info(const struct callback *cb, struct callback_info *info);
