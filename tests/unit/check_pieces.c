/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages in frames: cut at every length around the ends of pieces, joined again, and what is no
 * piece refused.
 */
#include "sync/pieces.h"

#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define PIECE (CHANNEL_FRAME_MAX - 1)
#define MANY 64

/* What would have gone to the channel: pieces_send() takes no other way out. */
static struct buf frames[MANY];
static unsigned int n_frames, full_at;

bool channels_send(struct channels *s, unsigned int channel, const uint8_t *data, size_t len) {
	ck_assert_ptr_null(s);
	ck_assert_uint_eq(channel, 7);
	ck_assert_uint_le(len, CHANNEL_FRAME_MAX);
	if (n_frames == full_at)
		return false;
	buf_put_bytes(&frames[n_frames++], data, len);
	return true;
}

static void setup(void) {
	n_frames = 0;
	full_at = MANY;
}

static void teardown(void) {
	for (unsigned int i = 0; i < n_frames; i++)
		buf_done(&frames[i]);
}

static uint8_t *message(size_t len) {
	uint8_t *data = xcalloc(len + 1, 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7 + i / 251);
	return data;
}

static const size_t lengths[] = { 1, 2, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 2 * PIECE + 1,
				  20 * PIECE + 5 };

START_TEST(test_round_trip) {
	size_t len = lengths[_i];
	AUTO_FREE uint8_t *data = message(len);
	struct pieces p = { .whole = false };

	ck_assert(pieces_send(NULL, 7, data, len));
	ck_assert_uint_eq(n_frames, (len + PIECE - 1) / PIECE);
	for (int times = 0; times < 2; times++) { /* the second message begins anew */
		for (unsigned int i = 0; i < n_frames; i++)
			ck_assert_int_eq(pieces_take(&p, frames[i].data, frames[i].len, len),
					 i + 1 == n_frames ? PIECES_WHOLE : PIECES_MORE);
		ck_assert_uint_eq(p.data.len, len);
		ck_assert_int_eq(memcmp(p.data.data, data, len), 0);
	}
	pieces_done(&p);
	ck_assert_uint_eq(p.data.len, 0);
}
END_TEST

START_TEST(test_too_long) {
	AUTO_FREE uint8_t *data = message(3 * PIECE);
	struct pieces p = { .whole = false };

	ck_assert(pieces_send(NULL, 7, data, 3 * PIECE));
	ck_assert_int_eq(pieces_take(&p, frames[0].data, frames[0].len, 3 * PIECE - 1),
			 PIECES_MORE);
	ck_assert_int_eq(pieces_take(&p, frames[1].data, frames[1].len, 3 * PIECE - 1),
			 PIECES_MORE);
	ck_assert_int_eq(pieces_take(&p, frames[2].data, frames[2].len, 3 * PIECE - 1), PIECES_BAD);
	pieces_done(&p);
}
END_TEST

START_TEST(test_no_pieces) {
	struct pieces p = { .whole = false };

	ck_assert_int_eq(pieces_take(&p, (const uint8_t *)"\0", 1, 100), PIECES_BAD);
	ck_assert_int_eq(pieces_take(&p, (const uint8_t *)"\1", 1, 100), PIECES_BAD);
	ck_assert_int_eq(pieces_take(&p, (const uint8_t *)"\2x", 2, 100), PIECES_BAD);
	ck_assert_int_eq(pieces_take(&p, (const uint8_t *)"x", 0, 100), PIECES_BAD);
	ck_assert(!pieces_send(NULL, 7, NULL, 0));
}
END_TEST

START_TEST(test_no_room) {
	AUTO_FREE uint8_t *data = message(3 * PIECE);

	full_at = 2;
	ck_assert(!pieces_send(NULL, 7, data, 3 * PIECE));
	ck_assert_uint_eq(n_frames, 2);
}
END_TEST

static Suite *pieces_suite(void) {
	Suite *s = suite_create("pieces");
	TCase *t = tcase_create("pieces");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, test_round_trip, 0, ARRAY_LEN(lengths));
	tcase_add_test(t, test_too_long);
	tcase_add_test(t, test_no_pieces);
	tcase_add_test(t, test_no_room);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(pieces_suite());
}
