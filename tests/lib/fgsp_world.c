/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What happens is in one agenda. Each machine has its deadline beside it. Whatever a machine does
 * while it is called is done at once, but what follows from it comes back later: failures of writes
 * when the call is over, events of the kernel up to 2 ms later, frames and datagrams when they have
 * travelled.
 */
#include "tests/lib/fgsp_world_impl.h"

#include <check.h>
#include <errno.h>
#include <stdarg.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#include "backends/session.h"
#include "cfgdb/base/mem.h"

#define EVENTS_PER_BATCH 64
#define WALK_PER_STEP 16
#define SPINS_MAX 2000
#define START_NS (UINT64_C(1790000000) * 1000000000)

/* ---- chance and time ---- */

uint64_t world_random64(struct world *w) {
	return rng_next(&w->random);
}

uint32_t world_random(struct world *w, uint32_t n) {
	return (uint32_t)(world_random64(w) % n);
}

static bool chance(struct world *w, unsigned int per_10000) {
	return per_10000 > 0 && world_random(w, 10000) < per_10000;
}

uint64_t world_now(const struct world *w) {
	return w->now_us;
}

static void push(struct world *w, const struct happening *new) {
	struct happening *h = xcalloc(1, sizeof(*h));

	*h = *new;
	agenda_put(&w->agenda, h->at_us, h);
}

/* Something will happen to a unit, after so long. */
static struct happening later(struct world *w, enum happening_kind kind, unsigned int unit,
			      uint64_t us) {
	return (struct happening){ .kind = kind, .unit = (uint8_t)unit, .at_us = w->now_us + us,
				   .generation = w->unit[unit].generation };
}

static void give(struct happening *h, const uint8_t *data, size_t len) {
	h->data = xcalloc(1, len + 1);
	memcpy(h->data, data, len);
	h->len = len;
}

/* ---- network ---- */

/* The unit that an address belongs to, and which of its addresses it is. */
unsigned int world_unit_of(const union net_addr *ip, unsigned int *which) {
	*which = ip->byte[2];
	return ip->byte[3] - 1u;
}

static bool reaches(const struct world *w, unsigned int from, unsigned int to) {
	return !w->apart[from][to] && from < w->o.units && to < w->o.units;
}

/* The number of the peerip of `unit` that is address `which` of `peer`. */
static unsigned int peerip(const struct world *w, unsigned int unit, unsigned int peer,
			   unsigned int which) {
	const struct cluster *c = &w->unit[unit].cluster;

	for (unsigned int n = 0; n < c->n_peers; n++) {
		unsigned int other_which = 0;

		if (world_unit_of(&c->peer[n].ip, &other_which) == peer && other_which == which)
			return n;
	}
	return FGSP_ANY;
}

static uint64_t travel(struct world *w) {
	return 100 + world_random(w, 400) + (chance(w, w->o.late) ? world_random(w, 300000) : 0);
}

static void arrive(struct world *w, unsigned int from, unsigned int to, unsigned int link,
		   const uint8_t *data, size_t len, bool forged) {
	struct happening h = later(w, DATAGRAM, to, travel(w));

	give(&h, data, len);
	h.from = (uint8_t)from;
	h.link = link;
	h.forged = forged;
	if (!forged && chance(w, w->o.corrupt)) {
		h.data[world_random(w, (uint32_t)len)] ^= (uint8_t)(1 + world_random(w, 255));
		h.forged = true;
	}
	push(w, &h);
}

/* Somebody has kept a datagram and sends it once more. */
static void replay(struct world *w, unsigned int from, unsigned int to, unsigned int link,
		   const uint8_t *data, size_t len) {
	struct happening h = later(w, DATAGRAM, to, world_random(w, 20000000));

	give(&h, data, len);
	h.from = (uint8_t)from;
	h.link = link;
	push(w, &h);
}

/*
 * On its way a datagram may be lost, doubled, kept for later, turned round, or joined by rubbish.
 */
static void carry(struct world *w, unsigned int from, unsigned int to, unsigned int link,
		  unsigned int back, const uint8_t *data, size_t len) {
	uint8_t rubbish[64];

	if (!reaches(w, from, to) || (w->passes && !w->passes(from, to, back, len)))
		return;
	if (!chance(w, w->o.loss))
		arrive(w, from, to, link, data, len, false);
	if (chance(w, w->o.doubled))
		arrive(w, from, to, link, data, len, false);
	if (chance(w, w->o.replayed))
		replay(w, from, to, link, data, len);
	if (chance(w, w->o.reflected))
		arrive(w, to, from, back, data, len, true);
	if (!chance(w, w->o.garbage))
		return;
	for (unsigned int i = 0; i < sizeof(rubbish); i++)
		rubbish[i] = i < 8 && i < len ? data[i] : (uint8_t)world_random64(w);
	arrive(w, from, to, link, rubbish, 1 + world_random(w, sizeof(rubbish)), true);
}

static bool env_datagram(void *arg, unsigned int link, const uint8_t *mac, const uint8_t *data,
			 size_t len) {
	struct unit *u = arg;
	struct world *w = u->world;
	unsigned int which = 0, to;

	u->calls++;
	u->sent[link >= FGSP_L2 ? 2 : 3]++;
	if (link < FGSP_L2) {
		to = world_unit_of(&u->cluster.peer[link].ip, &which);
		if (to < w->o.units && !u->cut[which] && !w->unit[to].cut[which])
			carry(w, u->number, to, peerip(w, to, u->number, which), link, data, len);
		return true;
	}
	for (to = 0; to < w->o.units; to++)
		if (to != u->number && (!mac || mac[5] == to + 1) && !u->cut[link] &&
		    !w->unit[to].cut[link])
			carry(w, u->number, to, link, link, data, len);
	return true;
}

/* ---- channels ---- */

__attribute__((format(printf, 2, 3)))
static void note(const struct unit *u, const char *fmt, ...) {
	va_list ap;

	if (!u->world->o.log)
		return;
	fprintf(stderr, "# %9.4f %u: ", (double)u->world->now_us / 1e6, u->number);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

static void env_connect(void *arg, unsigned int peer) {
	struct unit *u = arg;
	struct happening h = later(u->world, CONNECT, u->number,
				   500 + world_random(u->world, 1000));

	u->calls++;
	note(u, "connects to %u", peer);
	h.link = peer;
	push(u->world, &h);
}

static unsigned int new_end(struct world *w, unsigned int unit, unsigned int peer,
			    const struct fgsp_channel_info *info) {
	for (unsigned int i = 0; i < CHANNELS; i++) {
		unsigned int number = (w->n_ends + i) % CHANNELS;
		struct end *e = &w->end[number];

		if (e->used)
			continue;
		*e = (struct end){ .used = true, .up = true, .unit = unit, .peer = peer,
				   .last_us = w->now_us, .info = *info };
		w->n_ends = number + 1;
		return number;
	}
	ck_abort_msg("too many channels");
}

static void add_up(struct world *w, unsigned int end) {
	struct happening h = later(w, CHANNEL_UP, w->end[end].unit, world_random(w, 1000));

	h.channel = end;
	w->end[end].last_us = h.at_us;
	push(w, &h);
}

/* Those with the same key come together; the others do not hear of each other. */
static void connect_units(struct world *w, struct unit *u, unsigned int peer) {
	unsigned int which = 0, to, end, other;
	struct fgsp_channel_info info = { .initiator = true, .peer = peer };

	to = WORLD_UNITS;
	if (peer < u->cluster.n_peers)
		to = world_unit_of(&u->cluster.peer[peer].ip, &which);
	if (to >= w->o.units || !w->unit[to].machine || !reaches(w, u->number, to) ||
	    u->cut[which] || w->unit[to].cut[which] ||
	    memcmp(u->cluster.key, w->unit[to].cluster.key, CLUSTER_KEY) != 0) {
		fgsp_connect_failed(u->machine, peer, "no answer", w->now_us);
		return;
	}
	snprintf(info.serial, sizeof(info.serial), "%s", u->cluster.serial);
	for (unsigned int i = 0; i < SEAL_MASTER; i++)
		info.master[i] = (uint8_t)world_random64(w);
	w->n_channels++;
	end = new_end(w, u->number, peer, &info);
	info.initiator = false;
	info.peer = peerip(w, to, u->number, which);
	other = new_end(w, to, info.peer, &info);
	w->end[end].other = other;
	w->end[other].other = end;
	add_up(w, end);
	add_up(w, other);
}

static void env_frame(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	struct unit *u = arg;
	struct world *w = u->world;
	struct end *e = &w->end[channel], *other = &w->end[e->other];
	struct happening h = later(w, FRAME, other->unit, 100 + world_random(w, 1000));

	u->calls++;
	ck_assert(e->used && e->unit == u->number);
	if (!e->up || !other->up || !reaches(w, e->unit, other->unit))
		return;
	if (h.at_us <= other->last_us)
		h.at_us = other->last_us + 1;
	other->last_us = h.at_us;
	h.channel = e->other;
	give(&h, data, len);
	push(w, &h);
}

/* A connection is forgotten when both ends have gone. */
static void free_ends(struct world *w, unsigned int channel) {
	struct end *e = &w->end[channel], *other = &w->end[e->other];

	if (!e->up && !other->up)
		e->used = other->used = false;
}

/* The other end hears of it after what was sent before. */
void world_end_channel(struct world *w, unsigned int channel) {
	struct end *e = &w->end[channel], *other = &w->end[e->other];
	struct happening h = later(w, CHANNEL_DOWN, other->unit, 1000);

	if (!e->up)
		return;
	e->up = false;
	if (h.at_us <= other->last_us)
		h.at_us = other->last_us + 1;
	h.channel = e->other;
	push(w, &h);
	free_ends(w, channel);
}

void world_lose_channel(struct world *w, unsigned int channel) {
	struct end *e = &w->end[channel];
	struct happening h = later(w, CHANNEL_DOWN, e->unit, 1000);

	h.channel = channel;
	if (e->up)
		push(w, &h);
}

static void env_close(void *arg, unsigned int channel) {
	struct unit *u = arg;

	u->calls++;
	note(u, "closes channel %u", channel);
	ck_assert(u->world->end[channel].unit == u->number);
	world_end_channel(u->world, channel);
}

/* ---- the kernel ---- */

static bool is_own_and_alive(const struct kernel_entry *e) {
	return !(e->ct.label[0] & 1);
}

/* An own session may make room for another one, which then has to come. */
static void watch_delete(struct unit *u, const struct fgsp_change *change) {
	const struct kernel_entry *e = kernel_find(&u->kernel, &change->ct, CT_ORIG);
	bool applies = e != NULL;

	for (unsigned int i = 0; applies && i < 2; i++)
		applies = !((e->ct.label[i] ^ change->ct.label[i]) & change->label_mask[i]);
	if (!applies || !is_own_and_alive(e))
		return;
	u->replaced = e->ct;
	u->is_replaced = true;
}

static void note_failure(struct unit *u, const struct fgsp_change *change, int error) {
	ck_assert_uint_lt(u->n_failed, FAILURES);
	note(u, "refused with %d", error);
	u->failed[u->n_failed] = *change;
	u->error[u->n_failed++] = error;
}

/*
 * Whether a session may take the place of an own one: it has the same tuple, or the own one is
 * nothing but replies to it. What becomes of the write is another matter.
 */
static bool may_replace(const struct ct *new, const struct ct *own) {
	const struct ct_tuple *t = &own->tuple[CT_ORIG];

	return new->proto == own->proto &&
	       (memcmp(&new->tuple[CT_ORIG], t, sizeof(*t)) == 0 ||
		(!(own->status & IPS_SEEN_REPLY) &&
		 memcmp(&new->tuple[CT_REPLY], t, sizeof(*t)) == 0));
}

static void events_later(struct unit *u) {
	struct happening h;

	if (u->events_due || (u->kernel.n_events == 0 && !u->kernel.overrun))
		return;
	h = later(u->world, EVENTS, u->number, world_random(u->world, 2000));
	push(u->world, &h);
	u->events_due = true;
}

static void env_write(void *arg, const struct fgsp_change *change) {
	struct unit *u = arg;
	int error;

	u->calls++;
	note(u, "write %d of session %d, label %016llx/%016llx, state %u, cookie %x", change->what,
	     change->ct.tuple[CT_ORIG].sport - 10000, (unsigned long long)change->ct.label[0],
	     (unsigned long long)change->label_mask[0], change->ct.state, change->cookie);
	if (change->what == FGSP_DELETE)
		watch_delete(u, change);
	if (change->what == FGSP_CREATE && chance(u->world, u->world->o.refused))
		error = ENOMEM;
	else
		error = kernel_write(&u->kernel, change);
	if (change->what == FGSP_CREATE && u->is_replaced)
		u->is_replaced = !may_replace(&change->ct, &u->replaced);
	if (error)
		note_failure(u, change, error);
}

static bool env_get(void *arg, struct ct *ct) {
	struct unit *u = arg;
	const struct kernel_entry *e = kernel_find(&u->kernel, ct, CT_ORIG);
	struct ct turned = *ct;

	if (!e) {
		turned.tuple[CT_REPLY] = ct->tuple[CT_ORIG];
		e = kernel_find(&u->kernel, &turned, CT_REPLY);
	}
	if (e)
		*ct = kernel_show(&u->kernel, e);
	return e != NULL;
}

static void env_walk(void *arg) {
	struct unit *u = arg;
	struct happening h = later(u->world, WALK, u->number, 100);

	note(u, "walks");
	u->calls++;
	ck_assert_uint_eq(u->walk_at, 0);
	u->walk_at = 1;
	push(u->world, &h);
}

/* Of TCP alone, as in gatehouse-syncd. */
static uint32_t env_timeout(void *arg, const struct ct *ct) {
	(void)arg;
	return ct->proto == IPPROTO_TCP ? kernel_lifetime(ct) : 0;
}

static bool env_full(void *arg) {
	const struct kernel *k = &((struct unit *)arg)->kernel;

	return k->n_entries > k->max / 10 * 9;
}

static bool env_interfaces(void *arg, const struct ct *ct, const char *srcintf,
			   const char *dstintf) {
	(void)arg;
	(void)dstintf;
	return !srcintf[0] || (ct->tuple[CT_ORIG].src.byte[2] == 1) == (strcmp(srcintf, "one") == 0);
}

static void env_ready(void *arg) {
	struct unit *u = arg;

	ck_assert(!u->ready);
	u->ready = true;
}

static void env_log(void *arg, int priority, const char *text) {
	((struct unit *)arg)->warnings += priority <= LOG_WARNING;
	note(arg, "%s", text);
}

static uint64_t env_random(void *arg) {
	return world_random64(((struct unit *)arg)->world);
}

static uint64_t env_wall_ns(void *arg) {
	const struct unit *u = arg;

	return START_NS + u->world->now_us * 1000 + (uint64_t)u->clock_ns;
}

const struct fgsp_env world_env = {
	.datagram = env_datagram, .connect = env_connect, .frame = env_frame, .close = env_close,
	.write = env_write, .get = env_get, .walk = env_walk, .timeout = env_timeout,
	.full = env_full, .interfaces = env_interfaces,
	.ready = env_ready, .log = env_log, .random = env_random, .wall_ns = env_wall_ns,
};

/* ---- one unit runs ---- */

void world_set_clock(struct unit *u) {
	u->kernel.now_us = u->world->now_us;
	u->kernel.wall_ns = env_wall_ns(u);
}

/*
 * After a call: failures go back, what was replaced must be there, and the next deadline is known.
 */
void world_after(struct unit *u) {
	for (unsigned int rounds = 0; u->machine && u->n_failed > 0; rounds++) {
		struct fgsp_change change = u->failed[0];
		int error = u->error[0];

		ck_assert_uint_lt(rounds, 1000);
		u->n_failed--;
		memmove(u->failed, u->failed + 1, u->n_failed * sizeof(*u->failed));
		memmove(u->error, u->error + 1, u->n_failed * sizeof(*u->error));
		fgsp_write_failed(u->machine, &change, error, u->world->now_us);
	}
	if (!u->machine)
		return;
	fgsp_flush(u->machine, u->world->now_us);
	ck_assert_msg(!u->is_replaced, "unit %u: an own session was deleted", u->number);
	u->deadline_us = fgsp_deadline(u->machine);
	events_later(u);
}

static void read_events(struct unit *u) {
	struct kernel_event event;
	unsigned int n = 0;

	u->events_due = false;
	while (n++ < EVENTS_PER_BATCH && kernel_take_event(&u->kernel, &event)) {
		note(u, "event %d of session %d%s, label %016llx, state %u", event.what,
		     event.ct.tuple[CT_ORIG].sport - 10000, event.by_us ? " by us" : "",
		     (unsigned long long)event.ct.label[0], event.ct.state);
		fgsp_event(u->machine, event.what, &event.ct, event.by_us, u->world->now_us);
	}
	if (!u->kernel.overrun)
		return;
	u->kernel.overrun = false;
	fgsp_overrun(u->machine, u->world->now_us);
}

static void walk_on(struct unit *u) {
	struct happening h = later(u->world, WALK, u->number, 100 + world_random(u->world, 1000));

	for (unsigned int n = 0; n < WALK_PER_STEP && u->walk_at < KERNEL_ENTRIES &&
				 fgsp_walk_room(u->machine); u->walk_at++) {
		const struct kernel_entry *e = &u->kernel.entry[u->walk_at];
		struct ct ct;

		if (!e->used)
			continue;
		n++;
		ct = kernel_show(&u->kernel, e);
		fgsp_walk_entry(u->machine, &ct, u->world->now_us);
	}
	if (u->walk_at < KERNEL_ENTRIES) {
		push(u->world, &h);
		return;
	}
	u->walk_at = 0;
	fgsp_walk_end(u->machine, true, u->world->now_us);
}

static void take_datagram(struct unit *u, const struct happening *h) {
	uint8_t mac[FGSP_MAC] = { 2, 0, 0, 0, 0, (uint8_t)(h->from + 1) };
	uint64_t calls = u->calls;

	if (!h->forged && h->len <= sizeof(u->last)) {
		memcpy(u->last, h->data, h->len);
		u->n_last = h->len;
	}
	fgsp_datagram(u->machine, h->link,
		      h->link >= FGSP_L2 && h->link != FGSP_ANY ? mac : NULL, h->data, h->len,
		      u->world->now_us);
	ck_assert_msg(!h->forged || u->calls == calls, "a forged datagram had an effect");
}

static void take_channel(struct unit *u, const struct happening *h) {
	struct end *e = &u->world->end[h->channel];

	note(u, "channel %u: %s", h->channel, h->kind == CHANNEL_UP ? "up" : h->kind == FRAME ?
		     "frame" : "down");
	if (h->kind == CHANNEL_UP && e->up) {
		fgsp_channel_up(u->machine, h->channel, &e->info, u->world->now_us);
	} else if (h->kind == FRAME && e->up) {
		fgsp_frame(u->machine, h->channel, h->data, h->len, u->world->now_us);
	} else if (h->kind == CHANNEL_DOWN) {
		if (e->up)
			fgsp_channel_down(u->machine, h->channel, u->world->now_us);
		e->up = false;
		free_ends(u->world, h->channel);
	}
}

static void happen(struct world *w, const struct happening *h) {
	struct unit *u = &w->unit[h->unit];

	world_set_clock(u);
	kernel_expire(&u->kernel);
	if (!u->machine || (h->kind != DATAGRAM && h->generation != u->generation)) {
		if (h->kind == CHANNEL_DOWN) {
			w->end[h->channel].up = false;
			free_ends(w, h->channel);
		}
		return;
	}
	switch (h->kind) {
	case DATAGRAM:
		take_datagram(u, h);
		break;
	case CONNECT:
		connect_units(w, u, h->link);
		break;
	case EVENTS:
		read_events(u);
		break;
	case WALK:
		walk_on(u);
		break;
	default:
		take_channel(u, h);
	}
	world_after(u);
}

/* The unit whose deadline comes first, if that is before anything happens. */
static struct unit *next_unit(struct world *w, uint64_t limit_us) {
	uint64_t first_us = agenda_first_us(&w->agenda);
	struct unit *next = NULL;

	if (limit_us < first_us)
		first_us = limit_us;
	for (unsigned int i = 0; i < w->o.units; i++) {
		struct unit *u = &w->unit[i];

		if (!u->machine || u->deadline_us > first_us)
			continue;
		if (next && u->deadline_us >= next->deadline_us)
			continue;
		next = u;
	}
	return next;
}

static void set_time(struct world *w, uint64_t now_us) {
	if (now_us <= w->now_us)
		return;
	w->now_us = now_us;
	for (unsigned int i = 0; i < w->o.units; i++)
		w->unit[i].spins = 0;
}

static void poll_unit(struct world *w, struct unit *u) {
	if (u->deadline_us <= w->now_us) {
		u->spins++;
		ck_assert_msg(u->spins < SPINS_MAX, "unit %u does not come to rest", u->number);
	} else {
		set_time(w, u->deadline_us);
	}
	world_set_clock(u);
	kernel_expire(&u->kernel);
	fgsp_poll(u->machine, w->now_us);
	world_after(u);
}

void world_forget(void *happening) {
	struct happening *h = happening;

	free(h->data);
	free(h);
}

void world_run(struct world *w, uint64_t us) {
	uint64_t end_us = w->now_us + us;

	for (unsigned int i = 0; i < w->o.units; i++)
		events_later(&w->unit[i]);
	for (;;) {
		struct unit *u = next_unit(w, end_us);

		if (u) {
			poll_unit(w, u);
		} else if (agenda_first_us(&w->agenda) <= end_us) {
			struct happening *h = agenda_take(&w->agenda);

			set_time(w, h->at_us);
			happen(w, h);
			world_forget(h);
		} else {
			break;
		}
	}
	w->now_us = end_us;
}
