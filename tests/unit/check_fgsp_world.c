/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of sessions in thousands of small worlds, each from a seed: sessions come, change,
 * move and go, while links, channels, clocks and daemons fail and somebody tampers with the
 * network. When all that is over, every table must come to agree with the others, and then nobody
 * may have more to say than beats and sums.
 *
 * GATEHOUSE_SEED is the first seed, GATEHOUSE_ROUNDS multiplies their number: `make test-large`
 * takes 10,000. A failure prints its seed: `check_fgsp_world SEED` runs that one alone.
 */
#include <check.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "sync/arq.h"
#include "tests/lib/fgsp_world.h"
#include "tests/lib/fixture.h"

#define SEEDS 2500
#define SHARE 500                    /* of each process */

#define SETTLE_S 700                 /* walks, an owner given up, and waits that double */
#define QUIET_S 61

static uint64_t *running;            /* the seed of each process, or 0 */
static unsigned int processes;
static uint64_t only;

/* Where a session is: packets of it come to one unit, most of the time. */
struct course {
	unsigned int flow, home, stage;
};

struct story {
	struct world *w;
	unsigned int units;
	struct course course[WORLD_FLOWS];
	unsigned int n;
};

static uint32_t some(struct story *s, uint32_t n) {
	return world_random(s->w, n);
}

static unsigned int one_of(struct story *s, const unsigned int *choice, unsigned int n) {
	return choice[some(s, n)];
}

static struct course *any_course(struct story *s) {
	return s->n > 0 ? &s->course[some(s, s->n)] : NULL;
}

/* ---- what may happen ---- */

static void open_session(struct story *s) {
	unsigned int home = some(s, s->units);

	if (s->n == 60)
		return;
	s->course[s->n++] = (struct course){
		.flow = world_open(s->w, home, some(s, 3) ? IPPROTO_TCP : IPPROTO_UDP, some(s, 2)),
		.home = home,
	};
}

static void carry_on(struct story *s) {
	static const enum packet next[] = { PACKET_REPLY, PACKET_DATA, PACKET_ANSWER };
	struct course *c = any_course(s);

	if (c)
		world_packet(s->w, c->flow, c->home, next[c->stage++ % 3]);
}

static void stray(struct story *s) {
	struct course *c = any_course(s);

	if (c)
		world_packet(s->w, c->flow, some(s, s->units), some(s, 2) ? PACKET_DATA :
									   PACKET_ANSWER);
}

static void move(struct story *s) {
	struct course *c = any_course(s);

	if (!c)
		return;
	c->home = some(s, s->units);
	world_packet(s->w, c->flow, c->home, PACKET_DATA);
}

static void move_all(struct story *s) {
	unsigned int to = some(s, s->units);

	for (unsigned int i = 0; i < s->n; i++) {
		s->course[i].home = to;
		world_packet(s->w, s->course[i].flow, to, PACKET_DATA);
	}
}

static void end_session(struct story *s) {
	struct course *c = any_course(s);

	if (c)
		world_packet(s->w, c->flow, c->home, some(s, 2) ? PACKET_FIN : PACKET_RESET);
}

static void open_again(struct story *s) {
	struct course *c = any_course(s);

	if (!c)
		return;
	c->stage = 0;
	world_packet(s->w, c->flow, c->home, PACKET_OPEN);
}

static void clear_session(struct story *s) {
	struct course *c = any_course(s);
	unsigned int unit = some(s, s->units);
	struct kernel_entry *e = c ? world_entry(s->w, unit, c->flow) : NULL;

	if (e)
		kernel_delete(world_kernel(s->w, unit), e, false);
}

static void mark_session(struct story *s) {
	struct course *c = any_course(s);
	struct kernel_entry *e = c ? world_entry(s->w, c->home, c->flow) : NULL;

	if (e && !world_is_copy(e))
		kernel_mark(world_kernel(s->w, c->home), e, 100 + some(s, 5));
}

static void restart(struct story *s) {
	unsigned int unit = some(s, s->units);

	if (world_runs(s->w, unit))
		world_stop(s->w, unit, some(s, 3) == 0);
	else
		world_start(s->w, unit);
}

static void part(struct story *s) {
	unsigned int a = some(s, s->units), b = some(s, s->units);

	if (a != b)
		world_connect(s->w, a, b, some(s, 2));
}

static void cut(struct story *s) {
	unsigned int devs = world_cluster(s->w, 0)->n_devs;
	unsigned int n = some(s, 2 + devs);

	world_link(s->w, some(s, s->units), n < 2 ? n : FGSP_L2 + n - 2, some(s, 2), some(s, 2));
}

static void break_channels(struct story *s) {
	world_break(s->w, some(s, s->units), some(s, 2));
}

static void jump(struct story *s) {
	world_jump(s->w, some(s, s->units), ((int64_t)some(s, 7200) - 3600) * 1000000000);
}

/* Filters and switches of the whole group change; not everywhere at once. */
static void reconfigure(struct story *s) {
	unsigned int what = some(s, 4);

	for (unsigned int i = 0; i < s->units; i++) {
		struct cluster *c = world_cluster(s->w, i);

		if (what == 0)
			c->nat = !c->nat;
		else if (what == 1)
			c->others = !c->others;
		for (unsigned int n = 0; n < c->n_peers && what == 2; n++)
			snprintf(c->peer[n].srcintf, sizeof(c->peer[n].srcintf), "%s",
				 c->peer[n].srcintf[0] ? "" : "one");
		world_configure(s->w, i);
		world_run(s->w, some(s, 100) * WORLD_MS);
	}
}

static void command(struct story *s) {
	unsigned int unit = some(s, s->units);

	if (world_runs(s->w, unit))
		fgsp_resync(world_machine(s->w, unit), world_now(s->w));
}

struct act {
	void (*act)(struct story *s);
	unsigned int weight;
};

static const struct act acts[] = {
	{ open_session, 30 }, { carry_on, 60 }, { stray, 8 }, { move, 8 }, { move_all, 1 },
	{ end_session, 6 }, { open_again, 4 }, { clear_session, 3 }, { mark_session, 3 },
	{ restart, 3 }, { part, 4 }, { cut, 4 }, { break_channels, 2 }, { jump, 1 },
	{ reconfigure, 1 }, { command, 1 },
};

static void act(struct story *s) {
	unsigned int all = 0, n;

	for (unsigned int i = 0; i < sizeof(acts) / sizeof(*acts); i++)
		all += acts[i].weight;
	n = some(s, all);
	for (unsigned int i = 0; i < sizeof(acts) / sizeof(*acts); i++) {
		if (n < acts[i].weight) {
			acts[i].act(s);
			return;
		}
		n -= acts[i].weight;
	}
}

/* ---- one world ---- */

static struct world *make_world(struct story *s, uint64_t seed) {
	struct world_options o = { .seed = seed * UINT64_C(0x2545f4914f6cdd1d) };
	struct world *dice = world_new(&(struct world_options){ .seed = o.seed });
	static const unsigned int none_some_many[] = { 0, 0, 100, 1000 };
	static const unsigned int none_some[] = { 0, 0, 100, 300 };
	static const unsigned int units[] = { 2, 2, 2, 2, 2, 2, 2, 3, 3, 4 };

	s->w = dice;
	o.units = one_of(s, units, 10);
	if (some(s, 100) == 0)
		o.units = 2 + some(s, WORLD_UNITS - 1);
	o.devs = some(s, 3);
	o.second_address = some(s, 5) == 0 && o.units <= 8;
	o.encrypt = some(s, 2);
	o.loss = one_of(s, none_some_many, 4);
	o.doubled = one_of(s, none_some_many, 4);
	o.late = one_of(s, none_some, 4);
	o.corrupt = one_of(s, none_some, 4);
	o.replayed = one_of(s, none_some, 4);
	o.reflected = one_of(s, none_some, 4);
	o.garbage = one_of(s, none_some, 4);
	o.refused = some(s, 4) ? 0 : 100;
	o.events = some(s, 3) ? 0 : 8;
	o.queue_bytes = some(s, 3) ? 0 : 12000;
	o.hb_interval_ms = 2000;
	world_free(dice);
	s->units = o.units;
	return world_new(&o);
}

/*
 * What has happened in the worlds of this process: a story that never comes to this proves
 * nothing.
 */
static struct {
	uint64_t copies, adopted, yielded, clashes, overruns, full, write_errors, forged, refreshed;
} seen;

static void add_seen(const struct fgsp_stats *stats) {
	seen.copies += stats->copies;
	seen.adopted += stats->adopted;
	seen.yielded += stats->yielded;
	seen.clashes += stats->clashes;
	seen.overruns += stats->overruns;
	seen.full += stats->full;
	seen.write_errors += stats->write_errors;
	seen.forged += stats->udp.recv_err + stats->ses.recv_err;
	seen.refreshed += stats->received.create > stats->copies;
}

static void check_seen(uint64_t worlds) {
	uint64_t least = worlds / 50;

	ck_assert_uint_gt(seen.copies, worlds);
	ck_assert_uint_gt(seen.adopted, least);
	ck_assert_uint_gt(seen.yielded, least);
	ck_assert_uint_gt(seen.clashes, least);
	ck_assert_uint_gt(seen.overruns, least);
	ck_assert_uint_gt(seen.full + seen.write_errors, 0);      /* both are rare */
	ck_assert_uint_gt(seen.forged, least);
	ck_assert_uint_gt(seen.refreshed, least);
}

static void check_memory(struct story *s) {
	for (unsigned int i = 0; i < s->units; i++) {
		struct fgsp_stats stats;

		fgsp_stats(world_machine(s->w, i), &stats);
		add_seen(&stats);
		ck_assert_msg(stats.memory < (size_t)8 << 20, "%zu bytes", stats.memory);
		ck_assert_uint_le(stats.own + stats.copies, WORLD_FLOWS);
	}
}

static uint64_t all_sent(const struct story *s) {
	uint64_t sent = 0;

	for (unsigned int i = 0; i < s->units; i++)
		sent += world_sent(s->w, i, 2) + world_sent(s->w, i, 3);
	return sent;
}

/*
 * A machine sends a beat on each link at each interval, each 10 s its sums in at most 8 datagrams,
 * and acknowledgements of as many.
 */
static void check_quiet(struct story *s) {
	uint64_t before = all_sent(s), sent;
	uint64_t pairs = (uint64_t)s->units * (s->units - 1);
	uint64_t links = world_cluster(s->w, 0)->n_devs + 2;

	world_run(s->w, QUIET_S * WORLD_S);
	sent = all_sent(s) - before;
	ck_assert_msg(sent <= pairs * (QUIET_S / 2 + 1) * links + pairs * (QUIET_S / 10 + 1) * 24,
		      "%llu datagrams in silence", (unsigned long long)sent);
}

static void show(const struct story *s) {
	for (unsigned int u = 0; u < s->units; u++) {
		struct fgsp_peer_info i;

		for (unsigned int n = 0; fgsp_peer_info(world_machine(s->w, u), n, &i); n++)
			fprintf(stderr, "# unit %u: %s %s, %s; epoch %08x, lag %llu, told %llu, "
				"copies %llu, resyncs %llu (%s) %s\n", u, i.serial,
				fgsp_peer_state_name(i.state), i.link, i.epoch,
				(unsigned long long)i.lag_records, (unsigned long long)i.told,
				(unsigned long long)i.copies, (unsigned long long)i.resyncs,
				i.resync_why, i.why);
	}
}

static void settle(struct story *s) {
	char text[128] = "";
	unsigned int good = 0;

	world_heal(s->w);
	for (unsigned int i = 0; i < s->units; i++)
		world_start(s->w, i);
	for (unsigned int i = 0; i < SETTLE_S && good < 3; i++) {
		if (i < 60 && i % 10 == 0)
			for (unsigned int n = 0; n < s->n; n += 2)
				world_packet(s->w, s->course[n].flow, s->course[n].home,
					     PACKET_DATA);
		world_run(s->w, WORLD_S);
		good = world_agrees(s->w, text, sizeof(text)) ? good + (i >= 60) : 0;
	}
	if (good < 3 && only)
		show(s);
	ck_assert_msg(good >= 3, "%s", text);
}

static void live(uint64_t seed, unsigned int process) {
	struct story s = { .w = NULL };
	unsigned int steps, pace;

	running[process] = seed;
	s.w = make_world(&s, seed);
	steps = 20 + some(&s, 150);
	pace = 1 + some(&s, 600);
	for (unsigned int i = 0; i < steps; i++) {
		act(&s);
		world_run(s.w, some(&s, pace) * WORLD_MS);
	}
	settle(&s);
	check_memory(&s);
	check_quiet(&s);
	world_free(s.w);
	running[process] = 0;
}

START_TEST(test_worlds) {
	uint64_t first = fixture_seed() + (uint64_t)_i * SHARE;

	if (only)
		live(only, 0);
	for (uint64_t seed = first; !only && seed < first + SHARE; seed++)
		live(seed, (unsigned int)_i);
	if (!only)
		check_seen(SHARE);
	if (getenv("GATEHOUSE_WORLD_SEEN"))
		fprintf(stderr, "# copies %llu adopted %llu yielded %llu clashes %llu overruns %llu "
			"full %llu errors %llu forged %llu\n", (unsigned long long)seen.copies,
			(unsigned long long)seen.adopted, (unsigned long long)seen.yielded,
			(unsigned long long)seen.clashes, (unsigned long long)seen.overruns,
			(unsigned long long)seen.full, (unsigned long long)seen.write_errors,
			(unsigned long long)seen.forged);
}
END_TEST

static Suite *world_suite(void) {
	Suite *s = suite_create("fgsp world");
	TCase *t = fixture_case(s, "worlds");

	tcase_set_timeout(t, 600);
	tcase_add_loop_test(t, test_worlds, 0, (int)processes);
	return s;
}

int main(int argc, char **argv) {
	int failed;

	if (argc > 1)
		only = strtoull(argv[1], NULL, 10);
	processes = only ? 1 : fixture_rounds(SEEDS) / SHARE;
	running = mmap(NULL, processes * sizeof(*running), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (running == MAP_FAILED)
		return 1;
	failed = fixture_run(world_suite());
	for (unsigned int i = 0; i < processes; i++)
		if (running[i])
			fprintf(stderr, "# failed with seed %llu\n", (unsigned long long)running[i]);
	return failed;
}
