/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units of a simulated group, from outside: what administrators do, what fails, and whether all
 * is in the end as it must be.
 */
#include "tests/lib/autoscale_world_impl.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

/* ---- units ---- */

struct autoscale_machine *aworld_machine(const struct aworld *w, unsigned int unit) {
	return w->unit[unit].machine;
}

struct fake_desk *aworld_desk(struct aworld *w, unsigned int unit) {
	return &w->unit[unit].desk;
}

const union net_addr *aworld_ip(const struct aworld *w, unsigned int unit) {
	return &w->unit[unit].ip;
}

struct autoscale_stats aworld_stats(const struct aworld *w, unsigned int unit) {
	struct autoscale_stats stats;

	autoscale_stats(w->unit[unit].machine, &stats);
	return stats;
}

static bool find_peer(const struct aworld *w, unsigned int unit, unsigned int peer,
		      struct autoscale_peer_info *ret) {
	for (unsigned int i = 0; autoscale_peer_info(w->unit[unit].machine, i, ret); i++)
		if (strcmp(ret->serial, w->unit[peer].serial) == 0)
			return true;
	return false;
}

struct autoscale_peer_info aworld_peer(const struct aworld *w, unsigned int unit,
				       unsigned int peer) {
	struct autoscale_peer_info info;

	ck_assert(find_peer(w, unit, peer, &info));
	return info;
}

bool aworld_knows(const struct aworld *w, unsigned int unit, unsigned int peer) {
	struct autoscale_peer_info info;

	return find_peer(w, unit, peer, &info);
}

void aworld_stop(struct aworld *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];

	if (!u->machine)
		return;
	for (unsigned int i = 0; i < w->n_ends; i++) {
		if (w->end[i].unit != unit || !w->end[i].open)
			continue;
		w->end[i].open = false;
		aworld_kill_end(w, i);
		aworld_tell_down(w, i);
	}
	u->machine = autoscale_free(u->machine);
	u->generation++;
	u->desk.open = false;        /* its connection is gone */
}

void aworld_start(struct aworld *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];
	struct autoscale_env env = aworld_env;
	struct happening h;

	if (u->machine)
		return;
	env.arg = u;
	u->generation++;
	u->desk_generation++;
	u->machine = autoscale_new(&env, w->now_us);
	u->deadline_us = UINT64_MAX;
	h = aworld_later(u, DESK_UP, 1000);
	aworld_push(w, &h);
}

void aworld_desk_away(struct aworld *w, unsigned int unit, uint64_t us) {
	struct unit *u = &w->unit[unit];
	struct happening h;

	fake_desk_restart(&u->desk);
	u->desk_generation++;
	if (!u->machine)
		return;
	if (u->desk_up)
		autoscale_desk_down(u->machine, w->now_us);
	u->desk_up = false;
	aworld_after(u);
	h = aworld_later(u, DESK_UP, us);
	aworld_push(w, &h);
}

void aworld_jump(struct aworld *w, unsigned int unit, int64_t s) {
	w->unit[unit].clock_s += s;
}

/* ---- administrators ---- */

bool aworld_lead(struct aworld *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];
	uint64_t before = u->desk.a.revision;
	bool fine = fake_desk_set_role(&u->desk, true, NULL);

	aworld_note(u, "is to be primary: %s, epoch %llu", fine ? "yes" : "no",
		    (unsigned long long)u->desk.a.group.epoch);
	aworld_note_own(u, before, true);
	aworld_send_state(u);
	return fine;
}

void aworld_follow(struct aworld *w, unsigned int unit, unsigned int primary) {
	struct unit *u = &w->unit[unit];
	uint64_t before = u->desk.a.revision;

	aworld_note(u, "is to follow %u", primary);
	fake_desk_set_role(&u->desk, false, &w->unit[primary].ip);
	aworld_note_own(u, before, false);
	aworld_send_state(u);
}

bool aworld_put(struct aworld *w, unsigned int unit, unsigned int table, const char *key,
		uint32_t value) {
	struct unit *u = &w->unit[unit];
	uint64_t before = u->desk.a.revision;
	bool fine = fake_desk_put(&u->desk, table, key, value);

	aworld_note_own(u, before, true);
	if (fine)
		aworld_send_state(u);
	return fine;
}

bool aworld_move(struct aworld *w, unsigned int unit, unsigned int table, const char *key,
		 const char *after) {
	struct unit *u = &w->unit[unit];
	uint64_t before = u->desk.a.revision;
	bool fine = fake_desk_move(&u->desk, table, key, after);

	aworld_note_own(u, before, true);
	if (fine)
		aworld_send_state(u);
	return fine;
}

void aworld_fill(struct aworld *w, unsigned int unit, unsigned int n, uint32_t padding) {
	struct unit *u = &w->unit[unit];
	uint64_t before = u->desk.a.revision;

	ck_assert(fake_desk_fill(&u->desk, n, padding));
	aworld_note_own(u, before, true);
	aworld_send_state(u);
}

/* What it has now is its own. */
void aworld_leave(struct aworld *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];

	aworld_note(u, "leaves the group");
	fake_desk_leave(&u->desk);
	u->epoch = u->own_revision = 0;
	aworld_make(u, NULL);
	aworld_send_state(u);
}

void aworld_local(struct aworld *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];
	uint64_t before = u->desk.a.revision;

	fake_desk_set_local(&u->desk, aworld_random(w, 1000));
	aworld_note_own(u, before, false);
	aworld_send_state(u);
}

static bool edit(struct aworld *w, struct unit *u) {
	unsigned int table = aworld_random(w, DESK_TABLES - 1);
	char key[DESK_KEY], after[DESK_KEY] = "";

	snprintf(key, sizeof(key), "k%02u", aworld_random(w, 20));
	if (aworld_random(w, 3))
		snprintf(after, sizeof(after), "k%02u", aworld_random(w, 20));
	switch (aworld_random(w, 8)) {
	case 0:
		return fake_desk_put(&u->desk, DESK_GLOBAL, "", aworld_random(w, 100));
	case 1:
		return fake_desk_delete(&u->desk, table, key);
	case 2:
	case 3:
		return fake_desk_move(&u->desk, 1 + aworld_random(w, 2), key, after);
	default:
		return fake_desk_put(&u->desk, table, key, aworld_random(w, 1000) |
				     (aworld_random(w, 9) ? 0 : DESK_SECRET));
	}
}

void aworld_edit(struct aworld *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];
	uint64_t before = u->desk.a.revision;
	bool is_secondary = u->desk.a.enabled && u->desk.a.group.synced && !u->desk.a.primary;
	bool fine = edit(w, u);

	ck_assert(!fine || !is_secondary);
	aworld_note_own(u, before, true);
	if (fine)
		aworld_send_state(u);
}

void aworld_secret_changed(struct aworld *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];

	aworld_note_own(u, u->desk.a.revision - 1, true);
	aworld_send_state(u);
}

/* ---- faults ---- */

static void kill_between(struct aworld *w, unsigned int a, unsigned int b) {
	for (unsigned int i = 0; i < w->n_ends; i++)
		if (w->end[i].unit == a && w->end[w->end[i].other].unit == b)
			aworld_kill_end(w, i);
}

void aworld_connect(struct aworld *w, unsigned int a, unsigned int b, bool on) {
	w->apart[a][b] = w->apart[b][a] = !on;
	if (!on)
		kill_between(w, a, b);
}

void aworld_break(struct aworld *w, unsigned int unit, bool half) {
	for (unsigned int i = 0; i < w->n_ends; i++) {
		if (w->end[i].unit != unit || !w->end[i].open)
			continue;
		aworld_kill_end(w, i);
		aworld_tell_down(w, w->end[i].other);
		if (!half)
			aworld_tell_down(w, i);
	}
}

/* What has waited is read now; what is still under way comes later. */
static void read_held(struct aworld *w, struct end *e) {
	for (size_t i = 0; i < e->n_held; i++) {
		e->held[i].at_us = w->now_us;
		aworld_push(w, &e->held[i]);
	}
	e->n_held = 0;
}

void aworld_deaf(struct aworld *w, unsigned int unit, bool on) {
	w->unit[unit].deaf = on;
	for (unsigned int i = 0; i < w->n_ends && !on; i++)
		if (w->end[i].unit == unit)
			read_held(w, &w->end[i]);
}

void aworld_heal(struct aworld *w) {
	memset(w->apart, 0, sizeof(w->apart));
	w->o.breaks = w->o.fails = w->o.late = 0;
	for (unsigned int i = 0; i < w->o.units; i++) {
		aworld_deaf(w, i, false);
		w->unit[i].desk.refuses = 0;
		aworld_start(w, i);
	}
}

uint64_t aworld_messages(const struct aworld *w) {
	return w->messages;
}

uint64_t aworld_requests(const struct aworld *w) {
	return w->requests;
}

void aworld_forge(struct aworld *w, unsigned int unit, unsigned int from,
		  const struct autoscale_message *message) {
	AUTO_BUF struct buf b = BUF_INIT;

	autoscale_message_encode(&b, message);
	for (unsigned int i = 0; i < w->n_ends; i++) {
		const struct end *e = &w->end[i];

		if (e->unit != unit || w->end[e->other].unit != from || !e->open || e->dead)
			continue;
		autoscale_message(w->unit[unit].machine, i, b.data, b.len, w->now_us);
		aworld_after(&w->unit[unit]);
		return;
	}
	ck_abort_msg("they are not connected");
}

unsigned int aworld_stranger(struct aworld *w, unsigned int unit, const char *initiator) {
	union net_addr ip = net_ipv4(0x0a090000 + w->n_ends);
	unsigned int number = w->n_ends++;

	w->end = xreallocarray(w->end, w->n_ends, sizeof(*w->end));
	w->end[number] = (struct end){ .unit = unit, .other = number, .number = number,
				       .open = true, .dead = true };
	autoscale_up(w->unit[unit].machine, number, &ip, initiator, w->now_us);
	aworld_after(&w->unit[unit]);
	return number;
}

bool aworld_is_open(const struct aworld *w, unsigned int channel) {
	return w->end[channel].open;
}

uint32_t aworld_inquired(const struct aworld *w, unsigned int unit, enum autoscale_type *type,
			 uint32_t *n) {
	*type = w->unit[unit].inquiry_type;
	*n = w->unit[unit].inquiry_n;
	return w->unit[unit].inquiry;
}

unsigned int aworld_lines(const struct aworld *w, unsigned int unit) {
	return w->unit[unit].n_lines;
}

bool aworld_said(const struct aworld *w, unsigned int unit, const char *text) {
	for (unsigned int i = 0; i < AWORLD_LINES; i++)
		if (strstr(w->unit[unit].line[i], text))
			return true;
	return false;
}

/* ---- what must be ---- */

static bool is_better(const struct autoscale *a, const struct autoscale *than) {
	if (a->group.epoch != than->group.epoch)
		return a->group.epoch > than->group.epoch;
	if (a->group.joined != than->group.joined)
		return a->group.joined;
	if (!a->group.joined && a->revision != than->revision)
		return a->revision > than->revision;
	return strcmp(a->serial, than->serial) > 0;
}

int aworld_winner(const struct aworld *w) {
	int best = -1;

	for (unsigned int i = 0; i < w->o.units; i++) {
		const struct autoscale *a = &w->unit[i].desk.a;

		if (!w->unit[i].machine || !a->enabled || !a->primary || !a->group.synced)
			continue;
		if (best < 0 || is_better(a, &w->unit[best].desk.a))
			best = (int)i;
	}
	return best;
}

static bool agrees(struct aworld *w, const struct unit *u, const struct unit *best, char *text,
		   size_t size) {
	const struct autoscale *a = &u->desk.a;

	if (!u->machine || !a->enabled || u == best)
		return true;
	if (!a->primary && fake_desk_sum(&u->desk) == fake_desk_sum(&best->desk) &&
	    a->group.epoch == best->desk.a.group.epoch &&
	    a->group.revision == best->desk.a.revision &&
	    strcmp(a->group.primary, best->serial) == 0 &&
	    aworld_stats(w, u->number).state == AUTOSCALE_IN_SYNC)
		return true;
	snprintf(text, size, "unit %u (%s, epoch %llu, %s %llu, %s) does not have what unit %u "
		 "has (epoch %llu, revision %llu)", u->number, a->primary ? "primary" : "secondary",
		 (unsigned long long)a->group.epoch, a->group.primary,
		 (unsigned long long)a->group.revision,
		 autoscale_state_name(aworld_stats(w, u->number).state), best->number,
		 (unsigned long long)best->desk.a.group.epoch,
		 (unsigned long long)best->desk.a.revision);
	return false;
}

bool aworld_agrees(struct aworld *w, char *text, size_t size) {
	int best = aworld_winner(w);

	snprintf(text, size, "nobody leads");
	if (best < 0)
		return false;
	for (unsigned int i = 0; i < w->o.units; i++)
		if (!agrees(w, &w->unit[i], &w->unit[best], text, size))
			return false;
	return true;
}

void aworld_settle(struct aworld *w, uint64_t us) {
	uint64_t end_us = w->now_us + us;
	char text[256] = "";

	while (!aworld_agrees(w, text, sizeof(text)) && w->now_us < end_us)
		aworld_run(w, 100 * AWORLD_MS);
	ck_assert_msg(aworld_agrees(w, text, sizeof(text)), "%s", text);
}

/* ---- the whole ---- */

static void make_unit(struct aworld *w, unsigned int number) {
	struct unit *u = &w->unit[number];

	u->world = w;
	u->number = number;
	snprintf(u->serial, sizeof(u->serial), "GHVM%012u", number);
	u->ip = net_ipv4(0x0a000001 + number);
	fake_desk_init(&u->desk, u->serial);
	u->desk.a.ip = u->ip;
	u->desk.a.hb_interval_s = w->o.hb_interval_s ? w->o.hb_interval_s : 5;
	u->desk.history_max = w->o.history ? w->o.history : 1000;
	u->desk.committed = aworld_committed;
	u->desk.answer = aworld_answers;
	u->desk.arg = u;
	aworld_make(u, NULL);
	aworld_start(w, number);
}

struct aworld *aworld_new(const struct aworld_options *options) {
	struct aworld *w = xcalloc(1, sizeof(*w));

	ck_assert_uint_le(options->units, AWORLD_UNITS);
	w->o = *options;
	w->random.state = options->seed;
	w->now_us = AWORLD_S;
	w->unit = xcalloc(options->units, sizeof(*w->unit));
	for (unsigned int i = 0; i < options->units; i++)
		make_unit(w, i);
	return w;
}

struct aworld *aworld_group(unsigned int units) {
	struct aworld *w = aworld_new(&(struct aworld_options){ .seed = 7, .units = units });

	aworld_put(w, 0, DESK_POLICY, "k01", 1);
	aworld_put(w, 0, DESK_POLICY, "k02", 2);
	ck_assert(aworld_lead(w, 0));
	for (unsigned int i = 1; i < units; i++)
		aworld_follow(w, i, 0);
	aworld_run(w, 3 * AWORLD_S);
	aworld_settle(w, 60 * AWORLD_S);
	return w;
}

struct aworld *aworld_free(struct aworld *w) {
	for (unsigned int i = 0; i < w->o.units; i++) {
		struct unit *u = &w->unit[i];

		autoscale_free(u->machine);
		fake_desk_done(&u->desk);
		for (uint64_t n = 0; n < u->n_made; n++)
			free(u->made[n].of);
		free(u->made);
	}
	for (unsigned int i = 0; i < w->n_ends; i++) {
		read_held(w, &w->end[i]);
		free(w->end[i].held);
	}
	agenda_done(&w->agenda, aworld_forget);
	free(w->unit);
	free(w->end);
	free(w);
	return NULL;
}
