/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages that are longer than a frame, in frames: each but the last says that more follows. */
#pragma once

#include "cfgdb/base/buf.h"
#include "sync/channels.h"

/* A message that is coming in; zeroed: none yet. */
struct pieces {
	struct buf data;
	bool whole;                  /* nothing of the next one has come */
};

/*
 * Send a message of at least one byte. False, and the connection is to be closed, when it does not
 * take all of it.
 */
bool pieces_send(struct channels *s, unsigned int channel, const uint8_t *data, size_t len);

enum pieces_state {
	PIECES_MORE,
	PIECES_WHOLE,        /* p->data is the message, until the next frame or pieces_done() */
	PIECES_BAD,          /* it is no piece, or the message is longer than max bytes */
};

/* Take a frame. */
enum pieces_state pieces_take(struct pieces *p, const uint8_t *frame, size_t len, size_t max);

/* Wipe and release what has come. */
void pieces_done(struct pieces *p);
