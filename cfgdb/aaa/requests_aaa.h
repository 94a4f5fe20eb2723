/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each request of cfgdb/aaa/aaa_wire.h does, and who may send it. No sockets here: packets
 * come in, packets go out through a callback.
 */
#pragma once

#include "cfgdb/aaa/aaa.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/base/rate.h"

#define REQUESTS_AAA_NOBODY ((uid_t)-1)

/* What all who ask share. */
struct requests_aaa {
	struct aaa *aaa;
	uid_t keys_uid;              /* of the helper for keys; REQUESTS_AAA_NOBODY: none */
	struct rate lookups;         /* of all who are not trusted */
};

/* One who asks: a connection. */
struct asker {
	struct requests_aaa *shared;
	uid_t uid;
	pid_t pid;
	struct aaa_try *waits;       /* for this answer; nothing else may come meanwhile */
	void (*send)(void *arg, const struct buf *packet); /* may not end the asker */
	void *arg;
};

/*
 * Whether a uid is root's, the helper's for keys or an administrator's: other users of the machine
 * cannot keep these out, however much they ask.
 */
bool asker_is_trusted(const struct requests_aaa *shared, uid_t uid);

/* Answer a packet, now or later; false when it is no request: the connection is to be closed. */
bool asker_request(struct asker *who, const uint8_t *packet, size_t len, uint64_t now_ns);

/* The connection is gone. */
void asker_done(struct asker *who);
