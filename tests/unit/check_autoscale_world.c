/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of the configuration in many small worlds, each from a seed: administrators edit and
 * change roles, while connections, daemons, links and clocks fail. When all that is over, every
 * unit of the group must come to have what the winner has with nothing typed, and then nobody may
 * have more to say than heartbeats.
 *
 * GATEHOUSE_SEED is the first seed, GATEHOUSE_ROUNDS multiplies their number (`make test-worlds`).
 * A failure prints its seed: `check_autoscale_world SEED` runs that one alone and tells its story.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "tests/lib/autoscale_world.h"
#include "tests/lib/fixture.h"

#define SEEDS 400
#define GROUPS 20                    /* processes, each with its share of the seeds */
#define HB_S 5
#define QUIET_S 60

static uint64_t *running;            /* the seed of each process, or 0 */
static uint64_t only;

struct story {
	struct aworld *w;
	unsigned int units;
};

static uint32_t some(struct story *s, uint32_t n) {
	return aworld_random(s->w, n);
}

static unsigned int any(struct story *s) {
	return some(s, s->units);
}

static bool is_primary(const struct story *s, unsigned int unit) {
	const struct autoscale *a = &aworld_desk(s->w, unit)->a;

	return a->enabled && a->primary;
}

/* ---- what may happen ---- */

static void edit(struct story *s) {
	int primary = aworld_winner(s->w);

	aworld_edit(s->w, primary >= 0 && some(s, 4) ? (unsigned int)primary : any(s));
}

static void edit_primaries(struct story *s) {
	for (unsigned int i = 0; i < s->units; i++)
		if (is_primary(s, i))
			aworld_edit(s->w, i);
}

static void lead(struct story *s) {
	aworld_lead(s->w, any(s));
}

/* As a person does it who moves the role, in either order. */
static void swap(struct story *s) {
	unsigned int new = any(s);
	int old = aworld_winner(s->w);
	bool first = some(s, 2);

	if (old < 0 || (unsigned int)old == new)
		return;
	if (first)
		aworld_follow(s->w, (unsigned int)old, new);
	aworld_run(s->w, some(s, 3000) * AWORLD_MS);
	aworld_lead(s->w, new);
	aworld_run(s->w, some(s, 3000) * AWORLD_MS);
	if (!first)
		aworld_follow(s->w, (unsigned int)old, new);
}

static void follow(struct story *s) {
	unsigned int unit = any(s), primary = any(s);

	if (unit != primary)
		aworld_follow(s->w, unit, primary);
}

static void leave(struct story *s) {
	unsigned int unit = any(s);

	if (!is_primary(s, unit))
		aworld_leave(s->w, unit);
}

/*
 * A unit that has nothing to do with the group founds one of its own, often of the same epoch, and
 * is told where the other is.
 */
static void found(struct story *s) {
	unsigned int unit = any(s);
	int other = aworld_winner(s->w);
	uint64_t epoch;

	if (other < 0 || (unsigned int)other == unit || is_primary(s, unit))
		return;
	epoch = aworld_desk(s->w, (unsigned int)other)->a.group.epoch;
	aworld_leave(s->w, unit);
	for (unsigned int i = some(s, 40); i > 0; i--)
		aworld_edit(s->w, unit);
	aworld_run(s->w, some(s, 3000) * AWORLD_MS);
	aworld_lead(s->w, unit);
	while (aworld_desk(s->w, unit)->a.group.epoch < epoch && some(s, 8)) {
		aworld_follow(s->w, unit, (unsigned int)other);
		aworld_lead(s->w, unit);
	}
	aworld_desk(s->w, unit)->a.primary_ip = *aworld_ip(s->w, (unsigned int)other);
	aworld_changed(s->w, unit);
}

static void local(struct story *s) {
	aworld_local(s->w, any(s));
}

static void tamper(struct story *s) {
	unsigned int unit = any(s);

	if (is_primary(s, unit) || !aworld_desk(s->w, unit)->a.group.synced)
		return;
	fake_desk_tamper(aworld_desk(s->w, unit), some(s, DESK_TABLES - 1), "k07", some(s, 1000));
	aworld_changed(s->w, unit);
}

static void refuse(struct story *s) {
	aworld_desk(s->w, any(s))->refuses = some(s, 2) ? 1 + some(s, 999) : 0;
}

static void break_all(struct story *s) {
	aworld_break(s->w, any(s), some(s, 2));
}

static void part(struct story *s) {
	unsigned int a = any(s), b = any(s);

	if (a != b)
		aworld_connect(s->w, a, b, some(s, 2));
}

static void split(struct story *s) {
	unsigned int at = any(s);
	bool on = some(s, 2);

	for (unsigned int a = 0; a < at; a++)
		for (unsigned int b = at; b < s->units; b++)
			aworld_connect(s->w, a, b, on);
}

static void restart(struct story *s) {
	unsigned int unit = any(s);

	if (aworld_machine(s->w, unit))
		aworld_stop(s->w, unit);
	else
		aworld_start(s->w, unit);
}

static void desk_away(struct story *s) {
	aworld_desk_away(s->w, any(s), some(s, 5000) * AWORLD_MS);
}

static void jump(struct story *s) {
	aworld_jump(s->w, any(s), (int64_t)some(s, 400000) - 200000);
}

static void deaf(struct story *s) {
	aworld_deaf(s->w, any(s), some(s, 2));
}

static const struct {
	void (*act)(struct story *s);
	unsigned int weight;
} acts[] = {
	{ edit, 60 }, { edit_primaries, 10 }, { lead, 3 }, { swap, 2 }, { follow, 3 }, { leave, 1 },
	{ found, 2 }, { local, 4 }, { tamper, 6 }, { refuse, 2 }, { break_all, 4 }, { part, 6 },
	{ split, 3 }, { restart, 5 }, { desk_away, 4 }, { jump, 2 }, { deaf, 2 },
};

static void act(struct story *s) {
	unsigned int all = 0, n, i = 0;

	for (unsigned int k = 0; k < sizeof(acts) / sizeof(*acts); k++)
		all += acts[k].weight;
	for (n = some(s, all); n >= acts[i].weight; i++)
		n -= acts[i].weight;
	acts[i].act(s);
}

/* ---- one world ---- */

static void make_world(struct story *s, uint64_t seed) {
	struct aworld_options o = { .seed = seed * UINT64_C(0x2545f4914f6cdd1d), .units = 1 };
	static const unsigned int units[] = { 2, 2, 2, 3, 3, 3, 4, 4, 5, 8 };
	static const unsigned int breaks[] = { 0, 0, 20, 200 };
	struct aworld *dice = aworld_new(&o);

	o.units = units[aworld_random(dice, 10)];
	if (aworld_random(dice, 100) == 0)
		o.units = 2 + aworld_random(dice, 30);
	o.history = aworld_random(dice, 2) ? 0 : 8;
	o.breaks = breaks[aworld_random(dice, 4)];
	o.fails = aworld_random(dice, 4) ? 0 : 2000;
	o.late = aworld_random(dice, 3) ? 0 : 300;
	o.hb_interval_s = HB_S;
	o.log = only != 0;
	aworld_free(dice);
	s->units = o.units;
	s->w = aworld_new(&o);
	aworld_lead(s->w, 0);
	for (unsigned int i = 1; i < s->units; i++)
		if (some(s, 5))
			aworld_follow(s->w, i, 0);
}

/* What has happened in the worlds of this process: a story without it proves nothing. */
static struct autoscale_stats seen;

static void add_seen(const struct autoscale_stats *stats) {
	seen.deltas += stats->deltas;
	seen.copies += stats->copies;
	seen.healed += stats->healed;
	seen.fenced += stats->fenced;
	seen.failures += stats->failures;
	seen.pushes += stats->pushes;
	seen.losses += stats->losses;
	seen.refused[AUTOSCALE_LOWER_EPOCH] += stats->refused[AUTOSCALE_LOWER_EPOCH];
	ck_assert_uint_eq(stats->malformed, 0);
	ck_assert_uint_eq(stats->refused[AUTOSCALE_SAME_SERIAL], 0);
	ck_assert_uint_eq(stats->refused[AUTOSCALE_FULL], 0);
}

static void check_seen(uint64_t worlds) {
	ck_assert_uint_gt(seen.deltas, worlds);
	ck_assert_uint_gt(seen.copies, worlds);
	ck_assert_uint_gt(seen.pushes, worlds);
	ck_assert_uint_gt(seen.losses, worlds);
	ck_assert_uint_gt(seen.healed, 0);
	ck_assert_uint_gt(seen.fenced, 0);
	ck_assert_uint_gt(seen.failures, 0);
}

/* Each of the others has one connection with the primary, and a beat each way and heartbeat. */
static void check_quiet(struct story *s) {
	uint64_t messages = aworld_messages(s->w), requests = aworld_requests(s->w);
	uint64_t most = (uint64_t)(s->units - 1) * 2 * (QUIET_S / HB_S + 1);

	aworld_run(s->w, QUIET_S * AWORLD_S);
	messages = aworld_messages(s->w) - messages;
	requests = aworld_requests(s->w) - requests;
	ck_assert_msg(messages <= most, "%llu messages in silence, not %llu",
		      (unsigned long long)messages, (unsigned long long)most);
	ck_assert_msg(requests <= s->units, "%llu questions in silence",
		      (unsigned long long)requests);
}

/* The highest epoch that any unit of the group has, and one that can lead a higher one. */
static uint64_t highest(const struct story *s, unsigned int *ret) {
	uint64_t epoch = 0, can = 0;

	for (unsigned int i = 0; i < s->units; i++) {
		const struct autoscale *a = &aworld_desk(s->w, i)->a;

		if (!a->enabled)
			continue;
		epoch = a->group.epoch > epoch ? a->group.epoch : epoch;
		if (!a->group.synced || a->group.heard < can)
			continue;
		can = a->group.heard;
		*ret = i;
	}
	return epoch;
}

/*
 * Where the last primary was told to be none and nobody else to be one that knows of it, those
 * that have its configuration follow nobody: a person must say who.
 */
static void say_who(struct story *s) {
	unsigned int unit = 0;
	int winner = aworld_winner(s->w);
	uint64_t epoch = highest(s, &unit);

	if (winner >= 0 && aworld_desk(s->w, (unsigned int)winner)->a.group.epoch >= epoch)
		return;
	if (is_primary(s, unit))
		aworld_follow(s->w, unit, (unit + 1) % s->units);
	if (aworld_lead(s->w, unit))
		return;
	/* all that were in sync have left: another group is founded */
	aworld_leave(s->w, unit);
	ck_assert(aworld_lead(s->w, unit));
}

/* One of another group, which has never heard of this one. */
static bool is_apart(const struct story *s, unsigned int unit, unsigned int winner) {
	return unit != winner && !aworld_knows(s->w, unit, winner) &&
	       !aworld_knows(s->w, winner, unit);
}

static void settle(struct story *s) {
	unsigned int winner;
	uint64_t revision;

	aworld_heal(s->w);
	aworld_run(s->w, 90 * AWORLD_S);
	/* more than once, where the one who is told does not know yet what others know */
	for (unsigned int i = 0; i < 3; i++) {
		say_who(s);
		aworld_run(s->w, 90 * AWORLD_S);
	}
	ck_assert_int_ge(aworld_winner(s->w), 0);
	winner = (unsigned int)aworld_winner(s->w);
	revision = aworld_desk(s->w, winner)->a.revision;
	for (unsigned int i = 0; i < s->units; i++)
		if (!aworld_desk(s->w, i)->a.enabled || is_apart(s, i, winner))
			aworld_follow(s->w, i, winner);
	aworld_settle(s->w, 300 * AWORLD_S);
	ck_assert_uint_eq(aworld_desk(s->w, winner)->a.revision, revision);
}

static void live(uint64_t seed, unsigned int process) {
	struct story s = { .w = NULL };
	unsigned int steps, pace;

	running[process] = seed;
	make_world(&s, seed);
	steps = 20 + some(&s, 120);
	pace = 1 + some(&s, 6000);
	for (unsigned int i = 0; i < steps; i++) {
		act(&s);
		aworld_run(s.w, some(&s, pace) * AWORLD_MS);
	}
	settle(&s);
	for (unsigned int i = 0; i < s.units; i++) {
		struct autoscale_stats stats = aworld_stats(s.w, i);

		add_seen(&stats);
	}
	aworld_run(s.w, 60 * AWORLD_S);
	check_quiet(&s);
	aworld_free(s.w);
	running[process] = 0;
}

START_TEST(test_worlds) {
	uint64_t n = fixture_rounds(SEEDS) / GROUPS;
	uint64_t first = fixture_seed() + (uint64_t)_i * n;

	if (only && _i == 0)
		live(only, 0);
	for (uint64_t seed = first; !only && seed < first + n; seed++)
		live(seed, (unsigned int)_i);
	if (getenv("GATEHOUSE_WORLD_SEEN"))
		fprintf(stderr, "# deltas %llu copies %llu healed %llu fenced %llu failures %llu "
			"pushes %llu losses %llu refused %llu\n", (unsigned long long)seen.deltas,
			(unsigned long long)seen.copies, (unsigned long long)seen.healed,
			(unsigned long long)seen.fenced, (unsigned long long)seen.failures,
			(unsigned long long)seen.pushes, (unsigned long long)seen.losses,
			(unsigned long long)seen.refused[AUTOSCALE_LOWER_EPOCH]);
	if (!only)
		check_seen(n);
}
END_TEST

static Suite *world_suite(void) {
	Suite *s = suite_create("autoscale world");
	TCase *t = fixture_case(s, "worlds");

	tcase_set_timeout(t, 600);
	tcase_add_loop_test(t, test_worlds, 0, GROUPS);
	return s;
}

int main(int argc, char **argv) {
	int failed;

	if (argc > 1)
		only = strtoull(argv[1], NULL, 10);
	running = mmap(NULL, GROUPS * sizeof(*running), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (running == MAP_FAILED)
		return 1;
	failed = fixture_run(world_suite());
	for (unsigned int i = 0; i < GROUPS; i++)
		if (running[i])
			fprintf(stderr, "# failed with seed %llu\n", (unsigned long long)running[i]);
	return failed;
}
