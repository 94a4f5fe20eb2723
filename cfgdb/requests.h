/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each request of the control protocol does. No sockets here: frames come in, frames go out
 * through a callback, so tests and fuzzers drive it directly.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/server.h"
#include "cfgdb/txn.h"

/* One administrator at one connection. */
struct session {
	struct engine *engine;
	const struct server_config *config;
	char user[64];
	bool allowed;            /* may do anything at all */
	bool greeted;            /* has sent a hello that fits */
	struct txn *txn;         /* open transaction, or NULL */
	void (*send)(void *arg, const struct buf *frame); /* type byte and fields */
	void *send_arg;
};

/* Begin; the caller sets send and send_arg. */
void session_init(struct session *s, struct engine *engine, const struct server_config *config,
		  const char *user, bool allowed);

/* Drop the open transaction, if any. */
void session_done(struct session *s);

/* Answer one frame of len bytes; false when the connection is to be closed. */
bool session_request(struct session *s, const uint8_t *frame, size_t len);
