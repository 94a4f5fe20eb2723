/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two ends of a stream in a made-up network, drawn from a seed: loss, doubling, overtaking, full
 * sockets, cuts, restarts, clocks that jump. However it was, all is delivered once and in order, in
 * bounded memory, and then it is quiet. And how fast streams are over ways of several kinds.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/arq_end.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

struct packet {
	uint64_t at_us, order;
	unsigned int to, epoch;
	bool beat;
	uint64_t last, ack;          /* of a beat */
	size_t len;
	uint8_t data[PAYLOAD];
};

/* What a way does to datagrams; it may be cut for a time. */
struct way {
	unsigned int lost, doubled, refused;   /* of a hundred */
	uint32_t delay_us, jitter_us;
	uint32_t each_us;            /* a slow way: time for one, and how many may wait */
	unsigned int queue;
	uint64_t cut_from, cut_to;
};

struct world {
	struct rng rng;
	uint64_t now;
	struct way way;
	uint64_t busy_until[2];      /* of a slow way */
	struct end end[2];
	unsigned int epoch;
	struct arq_limits limits;
	struct packet **heap;        /* by at_us, then order */
	size_t n_heap;
	uint64_t n_sent, n_lost;
};

#define HEAP_MAX 20000
#define BYTES (8u << 20)

static bool packet_before(const struct packet *a, const struct packet *b) {
	return a->at_us != b->at_us ? a->at_us < b->at_us : a->order < b->order;
}

static void heap_push(struct world *w, struct packet *p) {
	size_t i = w->n_heap++;

	must(w->n_heap <= HEAP_MAX);
	for (; i > 0 && packet_before(p, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = p;
}

static struct packet *heap_pop(struct world *w) {
	struct packet *top = w->heap[0], *p = w->heap[--w->n_heap];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < w->n_heap; i = child) {
		if (child + 1 < w->n_heap && packet_before(w->heap[child + 1], w->heap[child]))
			child++;
		if (!packet_before(w->heap[child], p))
			break;
		w->heap[i] = w->heap[child];
	}
	w->heap[i] = p;
	return top;
}

/* When what leaves now arrives; 0: never. */
static uint64_t way_arrival(struct world *w, unsigned int to) {
	const struct way *way = &w->way;
	uint64_t at = w->now;

	if (rng_chance(&w->rng, way->lost) || (at >= way->cut_from && at < way->cut_to))
		return 0;
	if (way->each_us > 0) {
		uint64_t from = w->busy_until[to] > at ? w->busy_until[to] : at;

		if (from - at > (uint64_t)way->queue * way->each_us)
			return 0;
		w->busy_until[to] = at = from + way->each_us;
	}
	return at + way->delay_us + (way->jitter_us ? rng_below(&w->rng, way->jitter_us) : 0);
}

static void world_send(struct world *w, unsigned int from, const struct packet *packet) {
	for (int copies = rng_chance(&w->rng, w->way.doubled) ? 2 : 1; copies > 0; copies--) {
		uint64_t at = way_arrival(w, !from);
		struct packet *p;

		w->n_sent++;
		w->n_lost += at == 0;
		if (at == 0)
			continue;
		p = xcalloc(1, offsetof(struct packet, data) + packet->len);
		memcpy(p, packet, offsetof(struct packet, data) + packet->len);
		p->at_us = at;
		p->order = w->n_sent;
		p->to = !from;
		p->epoch = w->end[from].epoch;
		heap_push(w, p);
	}
}

static void world_pump(struct world *w, unsigned int i) {
	struct end *e = &w->end[i];
	struct packet p = { 0 };
	const uint8_t *payload;

	if (w->now < e->retry_at)
		return;
	while ((p.len = arq_next(e->arq, w->now, true, &payload)) > 0) {
		if (rng_chance(&w->rng, w->way.refused)) {
			e->retry_at = w->now + 1 + rng_below(&w->rng, 500);
			return;
		}
		memcpy(p.data, payload, p.len);
		world_send(w, i, &p);
		arq_sent(e->arq, w->now);
	}
}

/* A side that begins anew, or hears that the other did. */
static void world_restart(struct world *w, unsigned int i, unsigned int epoch) {
	struct end *e = &w->end[i];

	arq_free(e->arq);
	*e = (struct end){ .arq = arq_new(&w->limits), .epoch = epoch, .beat_at = w->now };
}

static void world_arrive(struct world *w, struct packet *p) {
	struct end *e = &w->end[p->to];

	if (p->epoch > e->epoch)
		world_restart(w, p->to, p->epoch);
	if (p->epoch == e->epoch) {
		e = &w->end[p->to];
		must(p->beat ? arq_beat(e->arq, w->now, p->last, p->ack) :
			       end_take(e, w->now, p->data, p->len));
	}
	free(p);
}

static void world_beat(struct world *w, unsigned int i) {
	struct packet p = { .beat = true };

	if (w->now < w->end[i].beat_at)
		return;
	w->end[i].beat_at = w->now + 100 * MS;
	arq_tell(w->end[i].arq, &p.last, &p.ack);
	world_send(w, i, &p);
}

/* Go to the next moment at which something happens, at most until `until`, and let it happen. */
static void world_step(struct world *w, uint64_t until) {
	uint64_t at = until;

	for (int i = 0; i < 2; i++) {
		uint64_t due = arq_deadline(w->end[i].arq);

		if (due < w->end[i].retry_at)
			due = w->end[i].retry_at;
		at = due < at ? due : at;
		at = w->end[i].beat_at < at ? w->end[i].beat_at : at;
	}
	if (w->n_heap > 0 && w->heap[0]->at_us < at)
		at = w->heap[0]->at_us;
	w->now = at > w->now ? at : w->now;
	while (w->n_heap > 0 && w->heap[0]->at_us <= w->now)
		world_arrive(w, heap_pop(w));
	for (unsigned int i = 0; i < 2; i++) {
		struct arq_stats stats = end_stats(&w->end[i]);

		must(stats.queued_bytes <= w->limits.queue_bytes);
		must(stats.early_bytes <= w->limits.early_bytes);
		world_beat(w, i);
		world_pump(w, i);
	}
}

static bool world_done(const struct world *w) {
	for (int i = 0; i < 2; i++)
		if (arq_deadline(w->end[i].arq) != NEVER || w->end[i].epoch != w->epoch ||
		    w->end[i].taken != w->end[!i].put)
			return false;
	return true;
}

static void world_begin(struct world *w, uint64_t seed, const struct way *way, size_t bytes) {
	*w = (struct world){ .rng = rng_seed(seed), .now = 1, .way = *way,
			     .limits = { .queue_bytes = bytes, .early_bytes = bytes } };
	w->heap = xcalloc(HEAP_MAX, sizeof(struct packet *));
	end_begin(w->end, &w->limits);
}

static void world_end(struct world *w) {
	while (w->n_heap > 0)
		free(heap_pop(w));
	free(w->heap);
	end_finish(w->end);
}

/* Something happens that the network is not to blame for. */
static void world_mishap(struct world *w) {
	unsigned int i = rng_below(&w->rng, 2);

	switch (rng_below(&w->rng, 12)) {
	case 0:
		world_restart(w, i, ++w->epoch);
		break;
	case 1:
		w->way.cut_from = w->now;
		w->way.cut_to = w->now + rng_below(&w->rng, 2 * SECOND);
		break;
	case 2:
		w->now += rng_below(&w->rng, 3600 * SECOND);
		break;
	case 3:
		arq_resend(w->end[i].arq, w->now, rng_below(&w->rng, 100 * MS));
		break;
	default:
		break;
	}
}

START_TEST(test_world) {
	struct world w;

	for (unsigned int seed = 0; seed < fixture_rounds(600); seed++) {
		uint64_t quiet;

		world_begin(&w, fixture_seed() * 1000000 + (uint64_t)_i * 100000 + seed,
			    &(struct way){ 0 }, 60000);
		w.way = (struct way){
			.lost = rng_below(&w.rng, 31), .doubled = rng_below(&w.rng, 20),
			.refused = rng_below(&w.rng, 20), .delay_us = rng_below(&w.rng, 20 * MS),
			.jitter_us = rng_below(&w.rng, 2) * rng_below(&w.rng, 20 * MS),
		};
		for (unsigned int n = 2 + rng_below(&w.rng, 15); n > 0; n--) {
			unsigned int i = rng_below(&w.rng, 2);
			uint64_t until = w.now + rng_below(&w.rng, 30 * MS);

			for (unsigned int k = rng_below(&w.rng, 120); k > 0; k--)
				end_put(&w.end[i], RECORD_MIN + rng_below(&w.rng, 190),
					   300 + rng_below(&w.rng, PAYLOAD - 300));
			world_mishap(&w);
			while (w.now < until)
				world_step(&w, until);
		}
		w.way.lost = 0;
		for (quiet = w.now; !world_done(&w); world_step(&w, NEVER))
			must(w.now < quiet + 4 * SECOND);
		world_end(&w);
	}
}
END_TEST

/* Put what there is room for until n records are put and have arrived. Returns the time. */
static uint64_t world_flood(struct world *w, uint64_t n) {
	uint64_t begun = w->now;

	while (w->end[0].put < n || !world_done(w)) {
		while (w->end[0].put < n && arq_room(w->end[0].arq) > PAYLOAD + 1000)
			must(end_put(&w->end[0], 48, PAYLOAD));
		world_step(w, w->now + 100 * MS);
		must(w->now < begun + 100 * SECOND);
	}
	return w->now - begun;
}

/* Ways with little loss are used to the full; with much, the stream is slow, but goes on. */
static const struct flood_row {
	const char *name;
	struct way way;
	uint64_t records_per_s;      /* at least, in the time of the made-up world */
	unsigned int lost;           /* of a hundred datagrams, at most */
} floods[] = {
	{ "clean", { .delay_us = 100 }, 5000000, 0 },
	{ "overtaking", { .delay_us = 100, .jitter_us = 2500 }, 2000000, 0 },
	{ "1 % loss", { .delay_us = 100, .lost = 1 }, 1000000, 2 },
	{ "10 % loss", { .delay_us = 100, .lost = 10 }, 60000, 12 },
	{ "30 % loss", { .delay_us = 100, .lost = 30 }, 20000, 33 },
	{ "far away", { .delay_us = 20000 }, 400000, 0 },
	{ "far away, 1 % loss", { .delay_us = 20000, .lost = 1 }, 100000, 2 },
	/* 5,000 datagrams a second are 140,000 records */
	{ "slow", { .delay_us = 100, .each_us = 200, .queue = 64 }, 100000, 25 },
	{ "slow and far", { .delay_us = 10000, .each_us = 200, .queue = 200 }, 90000, 25 },
};

START_TEST(test_flood) {
	const struct flood_row *row = &floods[_i];
	struct world w;
	struct arq_stats out, in;
	uint64_t us, n = 300000;

	world_begin(&w, fixture_seed(), &row->way, BYTES);
	us = world_flood(&w, n);
	out = end_stats(&w.end[0]);
	in = end_stats(&w.end[1]);
	printf("# %s: %llu records/s; %llu datagrams, %llu again; %llu asked, %llu doubled; window %u\n",
	       row->name, (unsigned long long)(n * SECOND / us), (unsigned long long)out.sent,
	       (unsigned long long)out.again, (unsigned long long)in.asked,
	       (unsigned long long)in.doubled, out.window);
	ck_assert_uint_ge(n * SECOND / us, row->records_per_s);
	ck_assert_uint_le(w.n_lost * 100, row->lost * w.n_sent);
	if (row->lost == 0)
		ck_assert_uint_eq(out.again, 0);
	world_end(&w);
}
END_TEST

/* Links in turn of which one is slower than patience: after a while nobody asks too soon. */
START_TEST(test_patience) {
	struct world w;
	struct arq_stats first;

	world_begin(&w, fixture_seed(), &(struct way){ .delay_us = 100, .jitter_us = 12000 },
		    BYTES);
	world_flood(&w, 100000);
	first = end_stats(&w.end[1]);
	ck_assert_uint_gt(first.patience_us, 3 * MS);
	world_flood(&w, 1000000);
	ck_assert_uint_le((end_stats(&w.end[1]).doubled - first.doubled) * 100,
			  end_stats(&w.end[1]).received);
	world_end(&w);
}
END_TEST

/* 30 s on a way that swallows all: little is sent, and then all is made up for. */
START_TEST(test_outage) {
	struct world w;
	struct arq_stats before, after;

	world_begin(&w, fixture_seed(), &(struct way){ .delay_us = 100 }, BYTES);
	end_put_datagrams(&w.end[0], 10);
	while (!world_done(&w))
		world_step(&w, NEVER);
	w.way.cut_from = w.now;
	w.way.cut_to = w.now + 30 * SECOND;
	end_put_datagrams(&w.end[0], 4000);
	world_pump(&w, 0);
	before = end_stats(&w.end[0]);
	while (w.now < w.way.cut_to)
		world_step(&w, w.way.cut_to);
	after = end_stats(&w.end[0]);
	ck_assert_uint_eq(after.sent, before.sent);
	ck_assert_uint_ge(after.timeouts, 15);
	ck_assert_uint_le(after.again, 2 * 25);
	arq_resend(w.end[0].arq, w.now, 0);
	while (!world_done(&w))
		world_step(&w, NEVER);
	ck_assert_uint_le(w.now - w.way.cut_to, SECOND);
	world_end(&w);
}
END_TEST

/* The window: found anew on a new way, and not widened by who does not need it. */
START_TEST(test_window) {
	struct world w;

	world_begin(&w, fixture_seed(), &(struct way){ .delay_us = 100, .jitter_us = 2000 },
		    BYTES);
	for (unsigned int i = 0; i < 100; i++) {
		uint64_t until = w.now + 20 * MS;

		end_put_datagrams(&w.end[0], 2);
		while (w.now < until)
			world_step(&w, until);
	}
	ck_assert_uint_eq(end_stats(&w.end[0]).window, 128);
	world_flood(&w, 300000);
	ck_assert_uint_eq(end_stats(&w.end[0]).window, ARQ_WINDOW);
	arq_resend(w.end[0].arq, w.now, 0);
	ck_assert_uint_eq(end_stats(&w.end[0]).window, 128);
	w.way.lost = 10;
	world_flood(&w, 600000);
	ck_assert_uint_eq(end_stats(&w.end[0]).window, 32);
	w.way.lost = 0;
	arq_resend(w.end[0].arq, w.now, 0);
	world_flood(&w, 900000);
	ck_assert_uint_ge(end_stats(&w.end[0]).window, ARQ_WINDOW / 2);
	world_end(&w);
}
END_TEST

static double seconds(void) {
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Figures only: what a datagram costs on its way through both sides. */
START_TEST(test_cost) {
	struct end ends[2];
	uint64_t now = 0, records;
	double begun;

	end_begin(ends, NULL);
	begun = seconds();
	for (; ends[0].put < 2000000; now += 100) {
		for (unsigned int i = 0; i < 1000; i++)
			end_put(&ends[0], 48, PAYLOAD);
		end_pass(&ends[0], &ends[1], now);
		end_pass(&ends[1], &ends[0], now);
	}
	records = ends[0].put;
	begun = seconds() - begun;
	end_pass(&ends[1], &ends[0], now + 2 * MS);
	printf("# put, next, take: %.0f ns a datagram, %.1f ns a record of 48 bytes\n",
	       begun * 1e9 / (double)end_stats(&ends[0]).sent, begun * 1e9 / (double)records);
	end_finish(ends);
}
END_TEST

static Suite *arq_world_suite(void) {
	Suite *s = suite_create("arq_world");
	TCase *t = fixture_case(s, "arq_world");

	tcase_add_loop_test(t, test_world, 0, 8);
	tcase_add_loop_test(t, test_flood, 0, ARRAY_LEN(floods));
	tcase_add_test(t, test_patience);
	tcase_add_test(t, test_outage);
	tcase_add_test(t, test_window);
	tcase_add_test(t, test_cost);
	return s;
}

int main(void) {
	return fixture_run(arq_world_suite());
}
