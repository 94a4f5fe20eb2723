/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A connection to gatehoused's control socket (cfgdb/control/ctl.h) that is kept up: made as soon
 * as it can be had, greeted, and made again when it is lost.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/err.h"

struct event_base;
struct uplink;

struct uplink_calls {
	void *arg;                   /* of all */
	/* Gatehoused has answered the hello. */
	void (*greeted)(void *arg);
	/* A frame came, valid during the call. False: it may not come here; the connection ends. */
	bool (*frame)(void *arg, const uint8_t *data, size_t len);
	/* It was settled, and is gone. */
	void (*lost)(void *arg);
	/* Something for the log, with a priority of syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
};

/*
 * Frames of up to frame_max bytes may come. The caller frees it before the base. NULL and *err when
 * there is no event loop.
 */
struct uplink *uplink_new(struct event_base *base, const char *path, size_t frame_max,
			  const struct uplink_calls *calls, struct err *err);

/* Hang up; NULL is fine. Returns NULL. */
struct uplink *uplink_free(struct uplink *u);

/* Gatehoused has accepted what it was asked for: the log says so. */
void uplink_settle(struct uplink *u, const char *what);

/* Whether it is settled. */
bool uplink_is_settled(const struct uplink *u);

/* Send a frame; nothing happens when there is no connection. */
void uplink_send(struct uplink *u, const struct buf *frame);

/* Bytes that gatehoused has not taken yet. */
size_t uplink_waiting(const struct uplink *u);
