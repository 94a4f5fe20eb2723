/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where gatehoused is asked: requests of cfgdb/control/ctl.h go there one after the other, and the
 * frames of their answers come back in the same order.
 */
#pragma once

#include "sync/uplink.h"

struct desk;

struct desk_calls {
	void *arg;                   /* of all */
	/* It can be asked from now on. */
	void (*up)(void *arg);
	/* A frame of the answer to the oldest request, valid during the call; may ask more. */
	void (*answer)(void *arg, const uint8_t *frame, size_t len);
	/* Gatehoused is gone; what has not been answered never is. */
	void (*down)(void *arg);
	/* Something for the log, with a priority of syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
};

/*
 * Connect to the socket at path as soon as it is there, and again whenever the connection is lost.
 * The caller frees it before the base. NULL and *err when there is no event loop.
 */
struct desk *desk_new(struct event_base *base, const char *path, const struct desk_calls *calls,
		      struct err *err);

/* Hang up; NULL is fine. Returns NULL. */
struct desk *desk_free(struct desk *d);

/* Ask, after all that was asked before. Nothing happens, and no answer comes, when it is down. */
void desk_ask(struct desk *d, const struct buf *request);
