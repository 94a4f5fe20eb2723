/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which link reaches a peer: two ladders, one for each side, whose beats go over links that can be
 * cut, in either direction; what they use at each stage and when the peer counts as lost.
 */
#include "sync/ladder.h"

#include <endian.h>
#include <stdio.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

#define MS 1000u
#define SECOND 1000000u
#define INTERVAL (200 * MS)
#define LOST 6
#define SILENCE (LOST * INTERVAL)
#define N 4                      /* links */
#define NEVER UINT64_MAX
#define ALL 15u

/* Bit n stands for link n. */
static const struct {
	unsigned int id;
	enum ladder_kind kind;
	const char *name;
} links[N] = {
	{ 64, LADDER_L2, "port3" }, { 65, LADDER_L2, "port4" },
	{ 0, LADDER_L3, "192.0.2.2" }, { 1, LADDER_L3, "198.51.100.2" },
};

struct world {
	uint64_t now;
	struct ladder *side[2];
	unsigned int cut[2];         /* links on which what this side sends is lost */
	uint32_t delay_us;           /* each way */
	struct { uint64_t at_us, sent_us; uint8_t beat[LADDER_BEAT_SIZE]; } on_way[2][N];
	unsigned int removed;        /* links that side 0 does not have */
	struct ladder_change change[2];        /* the last one */
	unsigned int n_changes[2];
};

static void note_changes(struct world *w) {
	for (int i = 0; i < 2; i++)
		w->n_changes[i] += ladder_changed(w->side[i], &w->change[i]);
}

static void begin(struct world *w) {
	*w = (struct world){ .now = 5 * (uint64_t)SECOND, .delay_us = 700 };
	for (int i = 0; i < 2; i++) {
		w->side[i] = ladder_new(INTERVAL, LOST, w->now);
		for (int n = 0; n < N; n++) {
			ck_assert(ladder_add(w->side[i], links[n].id, links[n].kind, links[n].name,
					     w->now));
			ladder_up(w->side[i], links[n].id, true, w->now);
			w->on_way[i][n].at_us = NEVER;
		}
	}
}

static void end(struct world *w) {
	ladder_free(w->side[0]);
	ladder_free(w->side[1]);
}

static void send_beats(struct world *w, int i) {
	struct ladder_beat beat = { .not_ready = i, .incarnation = 7, .last = w->now, .ack = 9 };
	unsigned int id;
	uint64_t number;

	while (ladder_due(w->side[i], w->now, &id, &number))
		for (int n = 0; n < N; n++) {
			if (links[n].id != id)
				continue;
			ck_assert_uint_eq(ladder_beat_make(w->side[i], id, w->now, &beat,
							   w->on_way[i][n].beat), LADDER_BEAT_SIZE);
			w->on_way[i][n].sent_us = w->now;
			w->on_way[i][n].at_us = w->cut[i] >> n & 1 ? NEVER : w->now + w->delay_us;
		}
}

static void take_beats(struct world *w, int i) {
	for (int n = 0; n < N; n++) {
		struct ladder_beat beat;

		if (w->on_way[!i][n].at_us > w->now)
			continue;
		w->on_way[!i][n].at_us = NEVER;
		if (i == 0 && w->removed >> n & 1)
			continue;
		ck_assert(ladder_beat_take(w->side[i], links[n].id, w->now, w->on_way[!i][n].beat,
					   LADDER_BEAT_SIZE, &beat));
		ck_assert(beat.not_ready == !i && beat.incarnation == 7 && beat.ack == 9);
		ck_assert_uint_eq(beat.last, w->on_way[!i][n].sent_us);
	}
}

/* Let time pass, from one thing that is due to the next. */
static void run(struct world *w, uint64_t us) {
	uint64_t until = w->now + us;

	for (;;) {
		uint64_t at = NEVER;

		for (int i = 0; i < 2; i++) {
			uint64_t due = ladder_deadline(w->side[i]);

			at = due < at ? due : at;
			for (int n = 0; n < N; n++)
				if (w->on_way[i][n].at_us < at)
					at = w->on_way[i][n].at_us;
		}
		if (at > until)
			break;
		w->now = at > w->now ? at : w->now;
		for (int i = 0; i < 2; i++) {
			take_beats(w, i);
			if (ladder_deadline(w->side[i]) > w->now)
				continue;
			send_beats(w, i);
			ladder_poll(w->side[i], w->now);
		}
		note_changes(w);
	}
	w->now = until;
}

static struct ladder_stats stats_of(const struct world *w, int i) {
	struct ladder_stats stats;

	ladder_stats(w->side[i], &stats);
	return stats;
}

static void assert_uses(const struct world *w, const char *text) {
	for (int i = 0; i < 2; i++)
		ck_assert_str_eq(stats_of(w, i).text, text);
}

/* Stages of a day: what is cut, and what is in use once everyone has noticed. */
static const struct stage {
	unsigned int cut[2];
	const char *uses;
} down_and_up[] = {
	{ { 0, 0 }, "layer 2 (port3, port4)" },
	{ { 1, 1 }, "layer 2 (port4)" },
	{ { 3, 3 }, "layer 3 (192.0.2.2)" },
	{ { 7, 7 }, "layer 3 (198.51.100.2)" },
	{ { ALL, ALL }, "none" },
	{ { 11, 11 }, "layer 3 (192.0.2.2)" },
	{ { 3, 3 }, "layer 3 (192.0.2.2)" },
	{ { 1, 1 }, "layer 2 (port4)" },
	{ { 0, 0 }, "layer 2 (port3, port4)" },
	{ { 1, 0 }, "layer 2 (port4)" },               /* one way only is no way */
	{ { 0, 3 }, "layer 3 (192.0.2.2)" },
	{ { ALL, 0 }, "none" },
	{ { 0, 0 }, "layer 2 (port3, port4)" },
};

START_TEST(test_down_and_up) {
	struct world w;

	begin(&w);
	assert_uses(&w, "none");
	for (unsigned int i = 0; i < ARRAY_LEN(down_and_up); i++) {
		bool there = strcmp(down_and_up[i].uses, "none") != 0;

		memcpy(w.cut, down_and_up[i].cut, sizeof(w.cut));
		run(&w, 2 * SILENCE + 4 * INTERVAL);
		assert_uses(&w, down_and_up[i].uses);
		for (int side = 0; side < 2; side++) {
			ck_assert_int_eq(ladder_connected(w.side[side]), there);
			ck_assert_int_eq(ladder_pick(w.side[side]) >= 0, there);
		}
	}
	ck_assert_uint_eq(stats_of(&w, 0).disconnects, 2);
	end(&w);
}
END_TEST

/* Three beats that answer ours, and one that says the same of the other side. */
START_TEST(test_healthy) {
	struct world w;

	begin(&w);
	w.delay_us = 10;
	run(&w, 3 * INTERVAL - 1);
	assert_uses(&w, "none");
	ck_assert(!ladder_connected(w.side[0]));
	run(&w, 1 * INTERVAL);
	assert_uses(&w, "none");             /* three: the peer is to hear of it */
	run(&w, 1 * INTERVAL);
	assert_uses(&w, "layer 2 (port3, port4)");
	ck_assert(ladder_connected(w.side[0]));
	end(&w);
}
END_TEST

/* To the microsecond: a link is lost, then the peer. */
START_TEST(test_silence) {
	struct world w;
	uint64_t heard;

	begin(&w);
	run(&w, SILENCE + 50 * MS);
	heard = stats_of(&w, 0).heard_us;
	ck_assert_uint_eq(heard, w.now - 50 * MS + 700);
	w.cut[1] = ALL;
	run(&w, heard + SILENCE - 1 - w.now);
	ck_assert_str_eq(stats_of(&w, 0).text, "layer 2 (port3, port4)");
	ck_assert_uint_le(ladder_deadline(w.side[0]), heard + SILENCE);
	run(&w, 1);
	ck_assert_str_eq(stats_of(&w, 0).text, "none");
	ck_assert(!ladder_connected(w.side[0]));
	ck_assert_uint_eq(stats_of(&w, 0).disconnects, 1);
	ck_assert(w.change[0].lost && w.change[0].was_connected && !w.change[0].connected);
	end(&w);
}
END_TEST

/* One link of several is lost at its own time, not when the others have something to do. */
START_TEST(test_one_silent) {
	struct world w;

	begin(&w);
	run(&w, SILENCE + 50 * MS);
	w.cut[1] = 1;
	w.delay_us = 900;
	run(&w, SILENCE - 50 * MS + 700 - 1);
	ck_assert_str_eq(stats_of(&w, 0).text, "layer 2 (port3, port4)");
	run(&w, 1);
	ck_assert_str_eq(stats_of(&w, 0).text, "layer 2 (port4)");
	ck_assert(w.change[0].lost && w.change[0].connected);
	end(&w);
}
END_TEST

/* A link that the system takes down is left at once; the peer is not lost before its time. */
START_TEST(test_system) {
	struct world w;

	begin(&w);
	run(&w, SILENCE);
	w.n_changes[0] = 0;
	for (int n = 0; n < 3; n++) {
		ladder_up(w.side[0], links[n].id, false, w.now);
		note_changes(&w);
	}
	ck_assert_uint_eq(w.n_changes[0], 3);
	ck_assert(w.change[0].lost);
	ck_assert_int_eq(w.change[0].from, LADDER_ON_L3);
	ck_assert_int_eq(w.change[0].to, LADDER_ON_L3);
	ck_assert_str_eq(w.change[0].text, "layer 3 (192.0.2.2) -> layer 3 (198.51.100.2)");
	ladder_remove(w.side[0], links[3].id, w.now);
	w.removed = 8;
	note_changes(&w);
	ck_assert_str_eq(w.change[0].text, "layer 3 (198.51.100.2) -> none");
	ck_assert_int_eq(ladder_pick(w.side[0]), -1);
	ck_assert(ladder_connected(w.side[0]));
	w.cut[1] = ALL;              /* nothing but the clock says what time it is */
	run(&w, SILENCE - INTERVAL);
	ck_assert(ladder_connected(w.side[0]));
	run(&w, INTERVAL);
	ck_assert(!ladder_connected(w.side[0]));
	w.cut[1] = 0;
	for (int n = 0; n < 3; n++)
		ladder_up(w.side[0], links[n].id, true, w.now);
	run(&w, 2 * SILENCE);
	assert_uses(&w, "layer 2 (port3, port4)");
	end(&w);
}
END_TEST

/* Coming back to a better link is a change, but nothing on its way is lost by it. */
START_TEST(test_changes) {
	struct world w;

	begin(&w);
	w.cut[0] = w.cut[1] = 3;
	run(&w, SILENCE);
	ck_assert_uint_eq(w.n_changes[0], 1);
	ck_assert_str_eq(w.change[0].text, "none -> layer 3 (192.0.2.2)");
	ck_assert(!w.change[0].lost && !w.change[0].was_connected && w.change[0].connected);
	w.cut[0] = w.cut[1] = 2;
	run(&w, SILENCE);
	ck_assert_uint_eq(w.n_changes[0], 2);
	ck_assert_str_eq(w.change[0].text, "layer 3 (192.0.2.2) -> layer 2 (port3)");
	ck_assert(!w.change[0].lost && w.change[0].was_connected && w.change[0].connected);
	ck_assert_int_eq(w.change[0].from, LADDER_ON_L3);
	ck_assert_int_eq(w.change[0].to, LADDER_ON_L2);
	run(&w, 60 * SECOND);
	ck_assert_uint_eq(w.n_changes[0], 2);
	ck_assert_uint_eq(stats_of(&w, 0).changes, 2);
	end(&w);
}
END_TEST

/* All layer 2 links in turn, evenly. */
START_TEST(test_turn) {
	struct world w;
	unsigned int n[2] = { 0 };

	begin(&w);
	run(&w, SILENCE);
	for (int i = 0; i < 1000; i++) {
		int id = ladder_pick(w.side[0]);

		ck_assert(id == 64 || id == 65);
		n[id - 64]++;
	}
	ck_assert_uint_eq(n[0], 500);
	ck_assert_uint_eq(n[1], 500);
	end(&w);
}
END_TEST

/* The round trip is that of the way, not that of waiting for the next beat. */
START_TEST(test_rtt) {
	struct world w;
	struct ladder_link link;

	begin(&w);
	w.delay_us = 12345;
	run(&w, 10 * SECOND);
	ck_assert_uint_eq(ladder_rtt(w.side[0]), 2 * 12345);
	w.delay_us = 50000;
	run(&w, 60 * SECOND);
	ck_assert_uint_ge(ladder_rtt(w.side[0]), 2 * 50000 - 100);
	ck_assert_uint_le(ladder_rtt(w.side[0]), 2 * 50000);
	ck_assert(ladder_link(w.side[0], 2, &link));
	ck_assert_str_eq(link.name, "port3");
	ck_assert(link.up && link.healthy && link.in_use && link.losses == 0);
	ck_assert_uint_eq(link.sent, 351);
	ck_assert_uint_ge(link.received, 350);
	ck_assert(!ladder_link(w.side[0], N, &link));
	end(&w);
}
END_TEST

/* When this side did not run, that is no silence of the others; but what follows is. */
START_TEST(test_asleep) {
	struct world w;
	uint64_t changes;

	begin(&w);
	run(&w, SILENCE);
	changes = stats_of(&w, 0).changes;
	w.now += 3600ull * SECOND;
	for (int i = 0; i < 2; i++)
		for (int n = 0; n < N; n++)
			w.on_way[i][n].at_us = NEVER;
	run(&w, SILENCE);
	assert_uses(&w, "layer 2 (port3, port4)");
	ck_assert_uint_eq(stats_of(&w, 0).disconnects + stats_of(&w, 1).disconnects, 0);
	ck_assert_uint_eq(stats_of(&w, 0).changes, changes);
	w.now += 100ull * SECOND;
	w.cut[0] = w.cut[1] = ALL;
	run(&w, SILENCE + 2 * INTERVAL);
	ck_assert(!ladder_connected(w.side[0]));
	end(&w);
}
END_TEST

/* Each field of a beat in its place; other bytes are no beat. */
START_TEST(test_bytes) {
	static const uint8_t expected[LADDER_BEAT_SIZE] = {
		3, 2, 0, 76, 75, 64, 1, 2, 3, 4, 0, 0, 0, 100,
		0, 0, 0, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 0, 7,
	};
	uint8_t in[LADDER_BEAT_SIZE + 1] = { 3, 1, 1, 2, 3, 4 }, out[LADDER_BEAT_SIZE];
	struct ladder_beat beat = { .not_ready = true, .incarnation = 5, .last = 6, .ack = 7 };
	struct world w;

	begin(&w);
	for (size_t len = 0; len <= sizeof(in); len++)
		ck_assert_int_eq(ladder_beat_take(w.side[0], 0, w.now - 100, in, len,
						  &(struct ladder_beat){ 0 }),
				 len >= LADDER_BEAT_SIZE);
	ck_assert_uint_eq(ladder_beat_make(w.side[0], 0, w.now, &beat, out), sizeof(out));
	ck_assert_mem_eq(out, expected, sizeof(out));
	in[0] = 2;
	ck_assert(!ladder_beat_take(w.side[0], 0, w.now, in, sizeof(out), &beat));
	in[0] = 3;
	ck_assert(!ladder_beat_take(w.side[0], 99, w.now, in, sizeof(out), &beat));
	ck_assert_uint_eq(ladder_beat_make(w.side[0], 99, w.now, &beat, out), 0);
	end(&w);
}
END_TEST

/* Beats that answer nothing, or what was long ago, make no link healthy. */
START_TEST(test_no_answer) {
	static const int64_t ages[] = { 0, 1000, SILENCE + 1, -1000, 1ll << 31 };
	uint8_t beat[LADDER_BEAT_SIZE] = { 3, 1 };
	struct ladder_beat got;
	struct ladder_link link;
	struct world w;

	begin(&w);
	for (int i = 0; i < 50; i++) {
		uint32_t echo = _i == 0 ? 0 : htobe32((uint32_t)((int64_t)w.now - ages[_i]));

		memcpy(beat + 6, &echo, sizeof(echo));
		ck_assert(ladder_beat_take(w.side[0], 0, w.now, beat, sizeof(beat), &got));
		w.now += INTERVAL / 2;
	}
	ck_assert(ladder_link(w.side[0], 0, &link));
	ck_assert_int_eq(link.healthy, ages[_i] == 1000);
	end(&w);
}
END_TEST

/* Three in a row: not with a silence between them, nor with one that answers nothing. */
static const struct row_row {
	uint32_t wait_us;            /* before the third */
	bool answers;                /* the third */
	bool healthy;                /* after the fourth */
} rows[] = {
	{ INTERVAL, true, true },
	{ SILENCE - 1, true, true },
	{ INTERVAL, false, false },
	{ SILENCE, true, false },
};

START_TEST(test_row) {
	uint8_t beat[LADDER_BEAT_SIZE] = { 3, 1 };
	struct ladder_beat got;
	struct ladder_link link;
	struct world w;

	begin(&w);
	for (int i = 0; i < 4; i++) {
		uint32_t echo = i == 2 && !rows[_i].answers ? 0 : htobe32((uint32_t)w.now - 1000);

		memcpy(beat + 6, &echo, sizeof(echo));
		ck_assert(ladder_beat_take(w.side[0], 0, w.now, beat, sizeof(beat), &got));
		for (uint32_t left = i == 1 ? rows[_i].wait_us : INTERVAL, step; left > 0;
		     left -= step) {
			step = left < INTERVAL ? left : INTERVAL;
			ladder_poll(w.side[0], w.now += step);
		}
	}
	ck_assert(ladder_link(w.side[0], 0, &link));
	ck_assert_int_eq(link.healthy, rows[_i].healthy);
	end(&w);
}
END_TEST

/* A link that was down begins anew: nothing to answer, no round trip, one beat due. */
START_TEST(test_anew) {
	struct world w;
	struct ladder_link link;
	uint8_t out[LADDER_BEAT_SIZE];
	unsigned int id;
	uint64_t number;

	begin(&w);
	run(&w, 4 * INTERVAL);
	w.cut[0] = w.cut[1] = ALL;
	run(&w, 2 * SILENCE);
	for (unsigned int i = 0; i < N; i++) {
		ck_assert(ladder_link(w.side[0], i, &link));
		ck_assert(link.rtt_us == 0 && !link.healthy && link.losses == 1);
	}
	w.delay_us = 20000;
	w.cut[0] = w.cut[1] = 0;
	run(&w, SILENCE);
	ck_assert_uint_eq(ladder_rtt(w.side[0]), 2 * 20000);
	ladder_up(w.side[0], 0, false, w.now);
	ck_assert(!ladder_beat_take(w.side[0], 0, w.now, out, 0, &(struct ladder_beat){ 0 }));
	w.now += 60 * SECOND;
	ladder_up(w.side[0], 0, true, w.now);
	for (unsigned int i = 0; i < N; i++) {
		ck_assert(ladder_due(w.side[0], w.now, &id, &number));
		ladder_beat_make(w.side[0], id, w.now, &(struct ladder_beat){ 0 }, out);
		ck_assert_int_eq(memcmp(out + 6, "\0\0\0\0\0\0\0\0", 8) == 0, id == 0);
	}
	ck_assert(!ladder_due(w.side[0], w.now, &id, &number));
	end(&w);
}
END_TEST

/* Links have bounds, and each its own id; a faster or slower beat holds from now on. */
START_TEST(test_configure) {
	struct ladder *l = ladder_new(INTERVAL, LOST, 0);
	unsigned int id;
	uint64_t number;

	ck_assert(ladder_deadline(l) == NEVER);
	for (unsigned int i = 0; i < LADDER_LINKS; i++)
		ck_assert(ladder_add(l, 1000 - i, LADDER_L3, "192.0.2.1", 0));
	ck_assert(!ladder_add(l, 1, LADDER_L3, "192.0.2.1", 0));
	ladder_remove(l, 1, 0);
	ladder_remove(l, 1000, 0);
	ck_assert(!ladder_add(l, 999, LADDER_L3, "192.0.2.1", 0));
	ck_assert(ladder_deadline(l) == NEVER && !ladder_due(l, 0, &id, &number));
	ladder_up(l, 990, true, 5);
	ck_assert_uint_eq(ladder_deadline(l), 5);
	for (unsigned int i = 0; i < 3; i++) {
		uint64_t now = 5 + i * (uint64_t)INTERVAL;

		ck_assert(!ladder_due(l, now - 1, &id, &number));
		ck_assert(ladder_due(l, now, &id, &number));
		ck_assert(id == 990 && number == i);
		ladder_beat_make(l, id, now, &(struct ladder_beat){ 0 },
				 (uint8_t[LADDER_BEAT_SIZE]){ 0 });
	}
	ladder_timing(l, INTERVAL / 10, LOST, 5 + 2 * INTERVAL);
	ck_assert_uint_eq(ladder_deadline(l), 5 + 2 * INTERVAL + INTERVAL / 10);
	ladder_free(l);
}
END_TEST

/* However links come and go: soon after, both sides use the best of those that work both ways. */
START_TEST(test_random) {
	struct rng r = rng_seed(fixture_seed() * 4000 + (uint64_t)_i);
	struct world w;

	begin(&w);
	for (unsigned int n = 0; n < fixture_rounds(60); n++) {
		char expected[LADDER_TEXT] = "none";
		unsigned int works;

		for (unsigned int k = rng_below(&r, 5); k > 0; k--) {
			w.cut[rng_below(&r, 2)] ^= 1u << rng_below(&r, N);
			run(&w, rng_below(&r, 3 * INTERVAL));
		}
		run(&w, 2 * SILENCE + 5 * INTERVAL);
		works = ~(w.cut[0] | w.cut[1]) & ALL;
		if (works & 3)
			snprintf(expected, sizeof(expected), "layer 2 (%s%s%s)",
				 works & 1 ? "port3" : "", (works & 3) == 3 ? ", " : "",
				 works & 2 ? "port4" : "");
		else if (works)
			snprintf(expected, sizeof(expected), "layer 3 (%s)",
				 links[works & 4 ? 2 : 3].name);
		assert_uses(&w, expected);
		ck_assert_int_eq(ladder_connected(w.side[0]), works != 0);
	}
	end(&w);
}
END_TEST

/* The stream goes on for side 0, for so many intervals. */
static void go_on(struct world *w, unsigned int intervals) {
	for (; intervals > 0; intervals--) {
		run(w, INTERVAL);
		ladder_progress(w->side[0], w->now);
	}
}

/* All links fall silent at once: none is lost while the stream goes on. */
START_TEST(test_progress) {
	struct world w;

	begin(&w);
	run(&w, 2 * SILENCE);
	w.n_changes[0] = 0;
	w.cut[0] = w.cut[1] = ALL;
	go_on(&w, 10 * LOST);
	run(&w, SILENCE / 2 - 1);
	ck_assert_uint_eq(w.n_changes[0], 0);
	ck_assert_str_eq(stats_of(&w, 0).text, "layer 2 (port3, port4)");
	run(&w, 1);
	ck_assert_str_eq(stats_of(&w, 0).text, "none");
	run(&w, SILENCE / 2 - 1);
	ck_assert(ladder_connected(w.side[0]));
	run(&w, 1);
	ck_assert(!ladder_connected(w.side[0]));
	end(&w);
}
END_TEST

/* One that is silent beside others is lost in its time, whatever they carry. */
START_TEST(test_progress_elsewhere) {
	struct world w;

	begin(&w);
	run(&w, 2 * SILENCE);
	w.cut[1] = 1;
	go_on(&w, LOST + 1);
	ck_assert_str_eq(stats_of(&w, 0).text, "layer 2 (port4)");
	end(&w);
}
END_TEST

static Suite *ladder_suite(void) {
	Suite *s = suite_create("ladder");
	TCase *t = fixture_case(s, "ladder");

	tcase_add_test(t, test_down_and_up);
	tcase_add_test(t, test_healthy);
	tcase_add_test(t, test_silence);
	tcase_add_test(t, test_one_silent);
	tcase_add_test(t, test_progress);
	tcase_add_test(t, test_progress_elsewhere);
	tcase_add_test(t, test_system);
	tcase_add_test(t, test_changes);
	tcase_add_test(t, test_turn);
	tcase_add_test(t, test_rtt);
	tcase_add_test(t, test_asleep);
	tcase_add_test(t, test_bytes);
	tcase_add_loop_test(t, test_no_answer, 0, 5);
	tcase_add_loop_test(t, test_row, 0, ARRAY_LEN(rows));
	tcase_add_test(t, test_anew);
	tcase_add_test(t, test_configure);
	tcase_add_loop_test(t, test_random, 0, 8);
	return s;
}

int main(void) {
	return fixture_run(ladder_suite());
}
