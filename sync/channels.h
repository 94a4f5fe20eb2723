/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All connections with other members on one TCP port of the network namespace that the process is
 * in. Nothing here blocks, and whatever others do costs no more memory and time than the limits
 * say.
 *
 * A connection that is up has a number, which no other one has after it. Calls come out of the
 * event loop only, never out of a function of this page. They may call channels_connect, _send and
 * _close, and nothing else.
 */
#pragma once

#include "sync/channel.h"
#include "sync/wire.h"

struct event_base;
struct channels;

struct channels_calls {
	void *arg;                 /* the first argument of each */
	channel_psk_fn *psk;
	/* It is up; info is wiped afterwards. */
	void (*up)(void *arg, unsigned int channel, const struct channel_info *info);
	/* A frame of 1 to CHANNEL_FRAME_MAX bytes came; valid during the call. */
	void (*frame)(void *arg, unsigned int channel, const uint8_t *data, size_t len);
	/* It was up and is no more, and not because of channels_close. */
	void (*down)(void *arg, unsigned int channel, const char *why);
	/* What channels_connect began has not come up. */
	void (*failed)(void *arg, const union net_addr *ip, const char *why);
	/* What another one began has not come up, or was turned away. May be NULL. */
	void (*refused)(void *arg, const union net_addr *ip, const char *why);
};

/* What protects the unit from whoever has an address of a member, but no key. */
struct channels_limits {
	unsigned int opening;        /* connections that others began and have not proven */
	unsigned int opening_each;   /* the same, from one address */
	unsigned int each;           /* connections with one address, in all */
	uint32_t per_s, burst;       /* connections taken from one address */
	unsigned int hello_ms;       /* from the begin of a connection until it is up */
};

#define CHANNELS_LIMITS { 32, 4, 8, 10, 20, 3000 }

struct channels_config {
	const char *serial;          /* of the unit */
	uint16_t port;
	bool open;                   /* who has the key may come from any address, not only peers */
	size_t output_max;           /* bytes that may wait for another end to take them */
	struct channels_limits limits;
};

#define CHANNELS_OUTPUT_MAX (64u << 10)

struct channels_stats {
	uint64_t up;                 /* that came up, whoever began */
	uint64_t strangers;          /* closed at once: from no peer's address */
	uint64_t crowded;            /* closed at once: too many */
	uint64_t refused;            /* did not prove that the other end has the key */
	uint64_t late;               /* did not come up in time */
	uint64_t broken;             /* ended by what was forged or malformed */
};

/*
 * Listen on all addresses. Nobody is let in before channels_peers, unless it is open. What config
 * points to is copied. The caller frees it before the base. NULL and *err when the port or TLS
 * cannot be had.
 */
struct channels *channels_new(struct event_base *base, const struct channels_config *config,
			      const struct channels_calls *calls, struct err *err);

/* Close all without a call, and stop listening; NULL is fine. Returns NULL. */
struct channels *channels_free(struct channels *s);

/*
 * Talk to these from now on (copied), where it is not open. Connections with addresses that are not
 * among them end, with a call later on.
 */
void channels_peers(struct channels *s, const struct wire_peers *peers);

/*
 * Connect to a peer, or to any address if it is open: `up` or `failed` follows. Nothing happens
 * while an earlier attempt is under way, or when it is no peer.
 */
void channels_connect(struct channels *s, const union net_addr *ip);

/*
 * Send a frame. False when there is no such connection (any more), or the frame is too long. A
 * connection whose other end does not take what is sent ends.
 */
bool channels_send(struct channels *s, unsigned int channel, const uint8_t *data, size_t len);

/*
 * End a connection when what was sent on it has gone, or its other end has not taken it for
 * hello_ms. Nothing is heard of it any more.
 */
void channels_close(struct channels *s, unsigned int channel);

/* What has happened since the begin. */
const struct channels_stats *channels_stats(const struct channels *s);
