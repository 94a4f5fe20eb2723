/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens is in one agenda; each machine has its deadline beside it. Messages of one direction
 * of a connection keep their order, as do questions to a gatehoused, its answers, and what it says
 * of its configuration, each for itself; all else overtakes.
 *
 * A connection between units that are apart is dead from then on: nothing more comes of it, but its
 * ends must find out by themselves.
 *
 * Each revision of each unit is noted with a sum of the configuration and with how many revisions
 * of every unit are in it (`made`). With that every commit of a copy can be judged.
 */
#include "tests/lib/autoscale_world_impl.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"

#define SPINS_MAX 2000
#define OUTPUT_MAX (AUTOSCALE_MESSAGE_MAX + (1u << 20))      /* bytes under way */
#define MEMORY_MAX ((size_t)40 << 20)
#define START_S INT64_C(1790000000)

/* ---- chance and time ---- */

uint32_t aworld_random(struct aworld *w, uint32_t n) {
	return (uint32_t)(rng_next(&w->random) % n);
}

static bool chance(struct aworld *w, unsigned int per_10000) {
	return per_10000 > 0 && aworld_random(w, 10000) < per_10000;
}

uint64_t aworld_now(const struct aworld *w) {
	return w->now_us;
}

void aworld_push(struct aworld *w, const struct happening *new) {
	struct happening *h = xcalloc(1, sizeof(*h));

	*h = *new;
	agenda_put(&w->agenda, h->at_us, h);
}

struct happening aworld_later(struct unit *u, enum kind kind, uint64_t us) {
	return (struct happening){ .kind = kind, .unit = u->number,
				   .at_us = u->world->now_us + us, .generation = u->generation,
				   .desk_generation = u->desk_generation };
}

/* After so long, and after the last one of its kind. */
static uint64_t in_order(uint64_t at_us, uint64_t *last_us) {
	if (at_us <= *last_us)
		at_us = *last_us + 1;
	*last_us = at_us;
	return at_us;
}

void aworld_note(const struct unit *u, const char *fmt, ...) {
	va_list ap;

	if (!u->world->o.log)
		return;
	fprintf(stderr, "# %10.4f %u: ", (double)u->world->now_us / 1e6, u->number);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- revisions ---- */

static struct made *made_at(struct unit *u, uint64_t revision) {
	ck_assert_uint_lt(revision, u->n_made);
	return &u->made[revision];
}

/* Note what a unit has now; of: how far the revisions of units are in it. */
void aworld_make(struct unit *u, const uint64_t *of) {
	uint64_t revision = u->desk.a.revision;
	unsigned int n = u->world->o.units;

	while (u->n_made <= revision) {
		u->made = xreallocarray(u->made, u->n_made + 1, sizeof(*u->made));
		u->made[u->n_made++] = (struct made){ .of = xcalloc(n, sizeof(uint64_t)) };
	}
	u->made[revision].sum = fake_desk_sum(&u->desk);
	if (of)
		memmove(u->made[revision].of, of, n * sizeof(*of));
}

/* An administrator has changed something here: of what the group shares, or only of the unit's. */
void aworld_note_own(struct unit *u, uint64_t revision_before, bool shared) {
	uint64_t before = revision_before < u->n_made ? revision_before : 0;
	struct made *m;

	if (u->desk.a.revision == revision_before)
		return;
	aworld_make(u, NULL);
	m = made_at(u, u->desk.a.revision);
	if (before > 0)
		memcpy(m->of, u->made[before].of, u->world->o.units * sizeof(*m->of));
	if (shared)
		m->of[u->number] = u->desk.a.revision;
	if (shared && (u->desk.a.primary || !u->desk.a.group.synced))
		u->own_revision = u->desk.a.revision;
}

static int unit_of(const struct aworld *w, const char *serial) {
	for (unsigned int i = 0; i < w->o.units; i++)
		if (strcmp(w->unit[i].serial, serial) == 0)
			return (int)i;
	return -1;
}

/* Whether all that is in a is in b. */
static bool is_within(const struct unit *u, const uint64_t *a, const uint64_t *b) {
	for (unsigned int i = 0; i < u->world->o.units; i++)
		if (a[i] > b[i])
			return false;
	return true;
}

/* Whether another unit once had the same, however it came to it. */
static bool had_same(const struct unit *from, uint64_t revision, uint64_t sum) {
	for (uint64_t i = 0; i <= revision; i++)
		if (from->made[i].sum == sum)
			return true;
	return false;
}

/*
 * What a primary had made, and is replaced by what does not have all of it, has a name, from the
 * last revision on that the others have.
 */
static bool is_named(struct unit *u, const struct made *before, const struct made *theirs) {
	if (is_within(u, before->of, theirs->of))
		return true;
	for (unsigned int i = 0; i < u->desk.n_names; i++) {
		const struct desk_name *name = &u->desk.name[i];

		if (name->revision >= u->own_revision &&
		    is_within(u, made_at(u, name->told)->of, theirs->of))
			return true;
	}
	return false;
}

/* A copy has been committed: it is what the other one had, whole, and nothing is lost silently. */
void aworld_committed(void *arg, const char *serial, uint64_t epoch, uint64_t revision) {
	struct unit *u = arg;
	int number = unit_of(u->world, serial);
	struct unit *from = &u->world->unit[number >= 0 ? number : 0];
	const struct made *theirs = made_at(from, revision), *before = &u->made[u->n_made - 1];

	ck_assert_int_ge(number, 0);
	aworld_note(u, "commits revision %llu of %u, epoch %llu", (unsigned long long)revision,
		    number, (unsigned long long)epoch);
	ck_assert_msg(fake_desk_sum(&u->desk) == theirs->sum,
		      "unit %u has what unit %d never had at revision %llu", u->number, number,
		      (unsigned long long)revision);
	ck_assert_msg(epoch >= u->epoch, "unit %u goes back from epoch %llu to %llu", u->number,
		      (unsigned long long)u->epoch, (unsigned long long)epoch);
	ck_assert_msg(u->own_revision == 0 || had_same(from, revision, before->sum) ||
			      is_named(u, before, theirs),
		      "unit %u loses its revision %llu silently", u->number,
		      (unsigned long long)u->own_revision);
	u->own_revision = 0;
	u->epoch = epoch;
	aworld_make(u, theirs->of);
}

/* ---- gatehoused ---- */

static uint64_t higher(uint64_t a, uint64_t b) {
	return a > b ? a : b;
}

static void note_role(struct unit *u) {
	const struct membership *g = &u->desk.a.group;

	u->epoch = higher(u->epoch, g->epoch);
	if (!u->desk.a.enabled || !u->desk.a.primary)
		return;
	u->led = higher(u->led, g->epoch);
	u->joined = g->joined ? higher(u->joined, g->epoch) : u->joined;
}

void aworld_send_state(struct unit *u) {
	struct aworld *w = u->world;
	struct happening h = aworld_later(u, STATE, 50 + aworld_random(w, 2000));

	note_role(u);
	if (!u->machine || !u->desk_up)
		return;
	h.at_us = in_order(h.at_us, &u->state_us);
	h.state = xcalloc(1, sizeof(*h.state));
	fake_desk_state(&u->desk, h.state);
	aworld_push(w, &h);
}

static void env_ask(void *arg, const struct buf *request) {
	struct unit *u = arg;
	struct happening h = aworld_later(u, REQUEST, 30 + aworld_random(u->world, 300));

	u->world->requests++;
	h.at_us = in_order(h.at_us, &u->request_us);
	buf_put_bytes(&h.data, request->data, request->len);
	aworld_push(u->world, &h);
}

void aworld_answers(void *arg, const struct buf *frame) {
	struct unit *u = arg;
	struct happening h = aworld_later(u, ANSWER, 30 + aworld_random(u->world, 200));

	h.at_us = in_order(h.at_us, &u->answer_us);
	buf_put_bytes(&h.data, frame->data, frame->len);
	aworld_push(u->world, &h);
}

/* A primary that was followed steps down for a higher epoch, or for one that was followed, too. */
static void check_step_down(const struct unit *u, uint64_t epoch) {
	const struct aworld *w = u->world;
	bool fine = false;

	for (unsigned int i = 0; i < w->o.units; i++)
		fine |= &w->unit[i] != u && (w->unit[i].led > epoch || w->unit[i].joined >= epoch);
	ck_assert_msg(fine, "unit %u steps down for one that nobody has followed", u->number);
}

static void do_request(struct unit *u, const struct happening *h) {
	uint64_t revision = u->desk.a.revision, epoch = u->desk.a.group.epoch;
	uint8_t type = h->data.data[0];
	bool is_open = u->desk.open, leads = u->desk.a.primary && u->desk.a.group.joined;

	u->desk.fails = chance(u->world, u->world->o.fails);
	fake_desk_request(&u->desk, &h->data);
	if (type == CTL_SYNC_ROLE)
		aworld_note_own(u, revision, false);
	if (type == CTL_SYNC_ROLE && leads && !u->desk.a.primary)
		check_step_down(u, epoch);
	if (u->desk.a.revision != revision || type == CTL_SYNC_COMMIT || type == CTL_SYNC_ROLE ||
	    type == CTL_SYNC_MEMBERS || is_open != u->desk.open)
		aworld_send_state(u);
}

void aworld_changed(struct aworld *w, unsigned int unit) {
	aworld_send_state(&w->unit[unit]);
}

/* ---- network ---- */

static void env_connect(void *arg, const union net_addr *ip) {
	struct unit *u = arg;
	struct happening h = aworld_later(u, CONNECT, 200 + aworld_random(u->world, 1000));

	h.ip = *ip;
	aworld_push(u->world, &h);
}

static unsigned int new_end(struct aworld *w, unsigned int unit) {
	w->end = xreallocarray(w->end, w->n_ends + 1, sizeof(*w->end));
	w->end[w->n_ends] = (struct end){ .unit = unit, .number = w->n_ends, .open = true,
					  .last_us = w->now_us };
	return w->n_ends++;
}

static void bring_up(struct aworld *w, unsigned int number, const char *initiator,
		     const union net_addr *ip) {
	struct end *e = &w->end[number];
	struct happening h = aworld_later(&w->unit[e->unit], UP, aworld_random(w, 500));

	h.at_us = in_order(h.at_us, &e->last_us);
	h.end = number;
	h.ip = *ip;
	buf_put_str(&h.data, initiator);
	aworld_push(w, &h);
}

static struct unit *unit_at(struct aworld *w, const union net_addr *ip) {
	for (unsigned int i = 0; i < w->o.units; i++)
		if (net_equal(&w->unit[i].ip, ip))
			return &w->unit[i];
	return NULL;
}

static void do_connect(struct unit *u, const union net_addr *ip) {
	struct aworld *w = u->world;
	struct unit *to = unit_at(w, ip);
	unsigned int a, b;

	if (!to || to == u || !to->machine || w->apart[u->number][to->number] ||
	    memcmp(to->desk.a.key, u->desk.a.key, sizeof(u->desk.a.key)) != 0) {
		autoscale_failed(u->machine, ip, "no answer", w->now_us);
		return;
	}
	a = new_end(w, u->number);
	b = new_end(w, to->number);
	w->end[a].other = b;
	w->end[b].other = a;
	bring_up(w, a, u->serial, &to->ip);
	bring_up(w, b, u->serial, &u->ip);
}

void aworld_kill_end(struct aworld *w, unsigned int number) {
	w->end[number].dead = w->end[w->end[number].other].dead = true;
}

/* The other end hears of it, if it can. */
void aworld_tell_down(struct aworld *w, unsigned int number) {
	struct end *e = &w->end[number], *other = &w->end[e->other];
	struct unit *to = &w->unit[other->unit];
	struct happening h = aworld_later(to, DOWN, 100 + aworld_random(w, 1000));

	if (w->apart[e->unit][other->unit])
		return;
	h.at_us = in_order(h.at_us, &other->last_us);
	h.end = e->other;
	aworld_push(w, &h);
}

static bool env_send(void *arg, unsigned int channel, const uint8_t *message, size_t len) {
	struct unit *u = arg;
	struct aworld *w = u->world;
	struct end *e = &w->end[channel], *other = &w->end[e->other];
	struct unit *to = &w->unit[other->unit];
	struct happening h = aworld_later(to, MESSAGE, 50 + aworld_random(w, 500));

	ck_assert(e->open && e->unit == u->number);
	ck_assert_uint_le(len, AUTOSCALE_MESSAGE_MAX);
	w->messages++;
	if (other->waiting + len > OUTPUT_MAX)
		return false;
	if (chance(w, w->o.breaks) && !e->dead) {
		aworld_kill_end(w, channel);
		aworld_tell_down(w, channel);
		aworld_tell_down(w, e->other);
	}
	other->waiting += len;
	if (e->dead)
		return true;
	if (chance(w, w->o.late))
		h.at_us += aworld_random(w, 1000000);
	h.at_us = in_order(h.at_us, &other->last_us);
	h.end = e->other;
	buf_put_bytes(&h.data, message, len);
	aworld_push(w, &h);
	return true;
}

static void env_close(void *arg, unsigned int channel) {
	struct unit *u = arg;
	struct end *e = &u->world->end[channel];

	ck_assert(e->open && e->unit == u->number);
	e->open = false;
	aworld_tell_down(u->world, channel);
}

static void do_down(struct unit *u, unsigned int number) {
	struct end *e = &u->world->end[number];

	if (!e->open)
		return;
	e->open = false;
	aworld_kill_end(u->world, number);
	autoscale_down(u->machine, number, "closed by the other end", u->world->now_us);
}

static void do_up(struct unit *u, const struct happening *h) {
	struct buf_reader r;
	char *initiator;

	buf_reader_init(&r, h->data.data, h->data.len);
	initiator = buf_get_str(&r, 100);
	if (u->world->end[h->end].open)
		autoscale_up(u->machine, h->end, &h->ip, initiator, u->world->now_us);
	free(initiator);
}

/* Who is deaf leaves it where it is. */
static bool do_message(struct unit *u, const struct happening *h) {
	struct end *e = &u->world->end[h->end];

	if (e->open && !e->dead && u->deaf) {
		e->held = xreallocarray(e->held, e->n_held + 1, sizeof(*e->held));
		e->held[e->n_held++] = *h;
		return false;
	}
	e->waiting -= h->data.len;
	if (e->open && !e->dead)
		autoscale_message(u->machine, h->end, h->data.data, h->data.len,
				  u->world->now_us);
	return true;
}

/* ---- the rest of the outside ---- */

static void env_log(void *arg, int priority, const char *text) {
	struct unit *u = arg;

	(void)priority;
	aworld_note(u, "%s", text);
	snprintf(u->line[u->n_lines++ % AWORLD_LINES], sizeof(u->line[0]), "%s", text);
}

static uint64_t env_random(void *arg) {
	return rng_next(&((struct unit *)arg)->world->random);
}

static int64_t env_wall_s(void *arg) {
	const struct unit *u = arg;

	return START_S + (int64_t)(u->world->now_us / AWORLD_S) + u->clock_s;
}

static void env_inquired(void *arg, uint32_t inquiry, const struct autoscale_message *answer,
			 const char *why) {
	struct unit *u = arg;

	aworld_note(u, "inquiry %u: %s", inquiry, answer ? "answered" : why);
	u->inquiry = inquiry;
	u->inquiry_type = answer ? answer->type : 0;
	u->inquiry_n = answer ? answer->n : 0;
}

const struct autoscale_env aworld_env = {
	.connect = env_connect, .send = env_send, .close = env_close, .ask = env_ask,
	.inquired = env_inquired, .log = env_log, .random = env_random, .wall_s = env_wall_s,
};

/* ---- one unit runs ---- */

void aworld_after(struct unit *u) {
	struct autoscale_stats stats;

	if (!u->machine)
		return;
	u->deadline_us = autoscale_due(u->machine);
	autoscale_stats(u->machine, &stats);
	ck_assert_msg(stats.memory < MEMORY_MAX, "unit %u holds %zu bytes", u->number,
		      stats.memory);
}

void aworld_done(struct happening *h) {
	buf_done(&h->data);
	free(h->state);
}

void aworld_forget(void *happening) {
	aworld_done(happening);
	free(happening);
}

/* Whether the happening is over: false when it was put off. */
static bool happen(struct aworld *w, const struct happening *h) {
	struct unit *u = &w->unit[h->unit];
	bool over = true;

	if (h->generation != u->generation || !u->machine)
		return true;
	if ((h->kind == REQUEST || h->kind == ANSWER || h->kind == STATE || h->kind == DESK_UP) &&
	    h->desk_generation != u->desk_generation)
		return true;
	switch (h->kind) {
	case UP:
		do_up(u, h);
		break;
	case MESSAGE:
		over = do_message(u, h);
		break;
	case DOWN:
		do_down(u, h->end);
		break;
	case CONNECT:
		do_connect(u, &h->ip);
		break;
	case REQUEST:
		do_request(u, h);
		break;
	case ANSWER:
		autoscale_answer(u->machine, h->data.data, h->data.len, w->now_us);
		break;
	case STATE:
		autoscale_configure(u->machine, h->state, w->now_us);
		break;
	case DESK_UP:
		u->desk_up = true;
		autoscale_desk_up(u->machine, w->now_us);
		aworld_send_state(u);
		break;
	}
	aworld_after(u);
	return over;
}

static struct unit *next_unit(struct aworld *w, uint64_t limit_us) {
	uint64_t first_us = agenda_first_us(&w->agenda);
	struct unit *next = NULL;

	if (limit_us < first_us)
		first_us = limit_us;
	for (unsigned int i = 0; i < w->o.units; i++) {
		struct unit *u = &w->unit[i];

		if (u->machine && u->deadline_us <= first_us &&
		    (!next || u->deadline_us < next->deadline_us))
			next = u;
	}
	return next;
}

static void set_time(struct aworld *w, uint64_t now_us) {
	if (now_us <= w->now_us)
		return;
	w->now_us = now_us;
	for (unsigned int i = 0; i < w->o.units; i++)
		w->unit[i].spins = 0;
}

static void tick(struct aworld *w, struct unit *u) {
	if (u->deadline_us <= w->now_us) {
		u->spins++;
		ck_assert_msg(u->spins < SPINS_MAX, "unit %u does not come to rest", u->number);
	}
	set_time(w, u->deadline_us);
	autoscale_tick(u->machine, w->now_us);
	aworld_after(u);
}

void aworld_run(struct aworld *w, uint64_t us) {
	uint64_t end_us = w->now_us + us;

	for (;;) {
		struct unit *u = next_unit(w, end_us);

		if (u) {
			tick(w, u);
		} else if (agenda_first_us(&w->agenda) <= end_us) {
			struct happening *h = agenda_take(&w->agenda);

			set_time(w, h->at_us);
			if (happen(w, h))
				aworld_done(h);
			free(h);
		} else {
			break;
		}
	}
	set_time(w, end_us);
}
