/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A piece is a byte, 1 where the message goes on, and some of the message. What has come is kept as
 * it comes, so that nobody makes us reserve more than he sends.
 */
#include "sync/pieces.h"

#include <string.h>

#include "cfgdb/base/fault.h"

#define PIECE_MAX (CHANNEL_FRAME_MAX - 1)

enum piece_kind { PIECE_LAST, PIECE_MORE };

bool pieces_send(struct channels *s, unsigned int channel, const uint8_t *data, size_t len) {
	uint8_t frame[CHANNEL_FRAME_MAX];
	bool sent = len > 0;

	while (len > 0 && sent) {
		size_t n = len < PIECE_MAX ? len : PIECE_MAX;

		len -= n;
		frame[0] = len > 0 ? PIECE_MORE : PIECE_LAST;
		memcpy(frame + 1, data, n);
		data += n;
		sent = !fault_hit("pieces.send") && channels_send(s, channel, frame, n + 1);
	}
	explicit_bzero(frame, sizeof(frame));
	return sent;
}

enum pieces_state pieces_take(struct pieces *p, const uint8_t *frame, size_t len, size_t max) {
	if (len < 2 || frame[0] > PIECE_MORE)
		return PIECES_BAD;
	if (p->whole)
		pieces_done(p);
	if (len - 1 > max - p->data.len)
		return PIECES_BAD;
	buf_put_bytes(&p->data, frame + 1, len - 1);
	p->whole = frame[0] == PIECE_LAST;
	return p->whole ? PIECES_WHOLE : PIECES_MORE;
}

void pieces_done(struct pieces *p) {
	buf_wipe(&p->data);
	p->whole = false;
}
