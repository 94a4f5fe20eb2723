/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One connection between two members: TLS 1.3 with the group's key, bytes in, bytes and frames out.
 * No sockets and no clock: those are in channels.h.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/net.h"

#define CHANNEL_PSK 32
#define CHANNEL_MASTER 32
#define CHANNEL_SERIAL 17        /* a serial number, with its end */
#define CHANNEL_FRAME_MAX 4096   /* bytes of a frame, without its length */
#define CHANNEL_HELLO_MAX 2048   /* bytes that are read before the other end has proven itself */
#define CHANNEL_OUTPUT_MAX 16384 /* bytes that one call may leave to be sent */

/*
 * The key of connections that the member `initiator` begins; written to psk. False when there is
 * none. Who called wipes psk.
 */
typedef bool channel_psk_fn(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]);

/* What all connections of the unit have in common. */
struct channel_maker;

/* One connection. */
struct channel;

enum channel_state {
	CHANNEL_OPENING,   /* neither knows yet who the other is */
	CHANNEL_UP,
	CHANNEL_REFUSED,   /* the other has not proven that it has the key */
	CHANNEL_BROKEN,    /* what came later was forged or malformed */
	CHANNEL_ENDED,     /* the other has closed */
};

/* What is known of a connection that is up. Holds a secret: wipe it. */
struct channel_info {
	bool initiator;                    /* this unit has begun it */
	union net_addr ip;                 /* of the other end, IPv4 */
	char serial[CHANNEL_SERIAL];       /* of the unit that has begun it */
	uint8_t master[CHANNEL_MASTER];    /* the same at both ends, another for each connection */
};

/*
 * Prepare connections of the unit with this serial number (copied); psk is asked for keys. NULL and
 * *err when TLS cannot be had as it must be.
 */
struct channel_maker *channel_maker_new(const char *serial, channel_psk_fn *psk, void *arg,
					struct err *err);

/* Free it, after all its connections; NULL is fine. Returns NULL. */
struct channel_maker *channel_maker_free(struct channel_maker *m);

/*
 * Begin a connection, from this end (initiator) or waiting for the other to. The maker must outlive
 * it. NULL when there is no key or TLS refuses.
 */
struct channel *channel_new(struct channel_maker *m, bool initiator);

/* Free it and wipe its secrets; NULL is fine. Returns NULL. */
struct channel *channel_free(struct channel *c);

/*
 * Take bytes that came. Ask for frames and for output afterwards: there is no output when it did
 * not end well, so that nobody without the key gets an answer.
 */
void channel_take(struct channel *c, const uint8_t *data, size_t len);

/* The next whole frame that came, valid until the next call; false: none, or none ever. */
bool channel_frame(struct channel *c, const uint8_t **data, size_t *len);

/* Send a frame of 1 to CHANNEL_FRAME_MAX bytes; false when it is none or the channel is not up. */
bool channel_put(struct channel *c, const uint8_t *data, size_t len);

/* Move at most size bytes that are to be sent to out; returns how many, 0: none. */
size_t channel_output(struct channel *c, uint8_t *out, size_t size);

/* How it stands. */
enum channel_state channel_state(const struct channel *c);

/*
 * Hand over what is known of it, but for the address; once, and only when it is up: its secret is
 * kept nowhere else.
 */
void channel_info(struct channel *c, struct channel_info *ret);
