/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units of a simulated world and the sessions through them, and whether all tables agree: what
 * a unit owns and should tell a member is there as its copy, with the same tuples, serial, start,
 * mark, state and status; and there is no copy besides.
 */
#include "tests/lib/fgsp_world_impl.h"

#include <check.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/session.h"
#include "cfgdb/base/mem.h"
#include "sync/fgsp_impl.h"

#define SECOND_NS UINT64_C(1000000000)
#define HEARD_NS (3600 * SECOND_NS) /* the clock may jump before an event is heard */

/* ---- units ---- */

static void add_peer(struct world *w, struct cluster *c, unsigned int unit, unsigned int which) {
	struct cluster_peer *p;

	if (c->n_peers == CLUSTER_PEERS_MAX)
		return;
	p = &c->peer[c->n_peers++];
	*p = (struct cluster_peer){
		.sync_id = c->n_peers, .sync_root = true, .all_vdoms = true,
		.ip = net_ipv4(0x0a000001u + (which << 8) + unit),
		.hb_interval_ms = w->o.hb_interval_ms, .hb_lost = w->o.hb_lost,
	};
}

static void make_cluster(struct world *w, struct unit *u) {
	struct cluster *c = &u->cluster;

	snprintf(c->serial, sizeof(c->serial), "GHVMTEST%08u", u->number);
	c->encrypt = w->o.encrypt;
	c->has_key = true;
	memset(c->key, 0x5a, sizeof(c->key));
	c->tcp = c->others = c->expectation = c->nat = true;
	c->delay = w->o.delay;
	c->n_devs = w->o.devs;
	for (unsigned int i = 0; i < c->n_devs; i++)
		snprintf(c->dev[i], sizeof(c->dev[i]), "port%u", i + 3);
	for (unsigned int which = 0; which < (w->o.second_address ? 2 : 1); which++)
		for (unsigned int other = 0; other < w->o.units; other++)
			if (other != u->number)
				add_peer(w, c, other, which);
}

struct world *world_new(const struct world_options *options) {
	struct world *w = xcalloc(1, sizeof(*w));

	w->o = *options;
	w->o.log |= getenv("GATEHOUSE_WORLD_LOG") != NULL;
	w->random.state = options->seed;
	if (w->o.hb_interval_ms == 0)
		w->o.hb_interval_ms = 1000;
	if (w->o.hb_lost == 0)
		w->o.hb_lost = 3;
	if (w->o.events == 0)
		w->o.events = KERNEL_EVENTS;
	for (unsigned int i = 0; i < w->o.units; i++) {
		struct unit *u = &w->unit[i];

		u->world = w;
		u->number = i;
		kernel_init(&u->kernel, w->o.events, world_random(w, UINT32_MAX));
		make_cluster(w, u);
		world_start(w, i);
	}
	return w;
}

struct world *world_free(struct world *w) {
	for (unsigned int i = 0; i < w->o.units; i++)
		fgsp_free(w->unit[i].machine);
	agenda_done(&w->agenda, world_forget);
	free(w);
	return NULL;
}

/* Tell a unit how its links are. */
static void show_links(struct world *w, struct unit *u) {
	for (unsigned int n = 0; u->machine && n < FGSP_LINKS; n++) {
		unsigned int link = n;

		if (n < u->cluster.n_peers)
			world_unit_of(&u->cluster.peer[n].ip, &link);
		else if (n < FGSP_L2 || n - FGSP_L2 >= u->cluster.n_devs)
			continue;
		fgsp_link(u->machine, n, !u->cut[link], WORLD_MTU, w->now_us);
	}
}

void world_configure(struct world *w, unsigned int unit) {
	struct unit *u = &w->unit[unit];

	if (!u->machine)
		return;
	world_set_clock(u);
	fgsp_configure(u->machine, &u->cluster, w->now_us);
	show_links(w, u);
	world_after(u);
}

void world_start(struct world *w, unsigned int unit) {
	const union net_addr own[2] = { net_ipv4(0x0a000001u + unit),
					net_ipv4(0x0a000101u + unit) };
	struct unit *u = &w->unit[unit];
	struct fgsp_env env = world_env;

	if (u->machine)
		return;
	env.arg = u;
	env.queue_bytes = w->o.queue_bytes;
	u->kernel.n_events = 0;
	u->kernel.overrun = false;
	u->machine = fgsp_new(&env, w->now_us);
	fgsp_locals(u->machine, own, 2, NULL, 0);
	world_configure(w, unit);
}

void world_stop(struct world *w, unsigned int unit, bool all) {
	struct unit *u = &w->unit[unit];

	for (unsigned int i = 0; i < CHANNELS; i++)
		if (w->end[i].used && w->end[i].unit == unit)
			world_end_channel(w, i);
	u->machine = fgsp_free(u->machine);
	u->generation++;
	u->walk_at = u->n_failed = 0;
	u->events_due = u->ready = false;
	if (all)
		kernel_clear(&u->kernel);
}

void world_break(struct world *w, unsigned int unit, bool half) {
	for (unsigned int i = 0; i < CHANNELS; i++) {
		if (!w->end[i].used || w->end[i].unit != unit)
			continue;
		world_lose_channel(w, i);
		if (!half)
			world_lose_channel(w, w->end[i].other);
	}
}

struct fgsp *world_machine(const struct world *w, unsigned int unit) {
	return w->unit[unit].machine;
}

struct kernel *world_kernel(struct world *w, unsigned int unit) {
	world_set_clock(&w->unit[unit]);
	return &w->unit[unit].kernel;
}

uint16_t world_id(const struct world *w, unsigned int unit) {
	return cluster_unit_id(w->unit[unit].cluster.serial);
}

struct cluster *world_cluster(struct world *w, unsigned int unit) {
	return &w->unit[unit].cluster;
}

bool world_runs(const struct world *w, unsigned int unit) {
	return w->unit[unit].machine != NULL;
}

void world_jump(struct world *w, unsigned int unit, int64_t ns) {
	w->unit[unit].clock_ns += ns;
}

bool world_ready(const struct world *w, unsigned int unit) {
	return w->unit[unit].ready;
}

uint64_t world_sent(const struct world *w, unsigned int unit, unsigned int layer) {
	return w->unit[unit].sent[layer];
}

uint64_t world_warnings(const struct world *w, unsigned int unit) {
	return w->unit[unit].warnings;
}

uint64_t world_channels(const struct world *w) {
	return w->n_channels;
}

/* ---- network ---- */

void world_connect(struct world *w, unsigned int a, unsigned int b, bool on) {
	w->apart[a][b] = w->apart[b][a] = !on;
}

void world_link(struct world *w, unsigned int unit, unsigned int link, bool on, bool seen) {
	struct unit *u = &w->unit[unit];

	u->cut[link] = !on;
	if (seen)
		show_links(w, u);
	world_after(u);
}

void world_filter(struct world *w, world_filter_fn *passes) {
	w->passes = passes;
}

bool world_is_long(unsigned int link, size_t len) {
	return len == WORLD_MTU - (link >= FGSP_L2 ? 2 : 28);
}

void world_heal(struct world *w) {
	struct world_options *o = &w->o;

	w->passes = NULL;
	o->loss = o->doubled = o->corrupt = o->late = o->replayed = o->reflected = o->garbage = 0;
	o->refused = 0;
	memset(w->apart, 0, sizeof(w->apart));
	for (unsigned int i = 0; i < w->o.units; i++) {
		memset(w->unit[i].cut, 0, sizeof(w->unit[i].cut));
		show_links(w, &w->unit[i]);
		world_after(&w->unit[i]);
	}
}

void world_attack(struct world *w, unsigned int unit, unsigned int link, const uint8_t *data,
		  size_t len) {
	struct unit *u = &w->unit[unit];
	uint8_t *copy = xcalloc(1, len + 1);
	uint64_t calls = u->calls;

	memcpy(copy, data, len);
	fgsp_datagram(u->machine, link, NULL, copy, len, w->now_us);
	ck_assert_msg(u->calls == calls, "a forged datagram had an effect");
	free(copy);
	world_after(u);
}

size_t world_last(const struct world *w, unsigned int unit, uint8_t *data, size_t size) {
	const struct unit *u = &w->unit[unit];

	if (u->n_last <= size)
		memcpy(data, u->last, u->n_last);
	return u->n_last <= size ? u->n_last : 0;
}

/* ---- sessions ---- */

/* A client 10.1.x.y to a VIP 20.0.0.1, and the server 172.16.0.1 behind it if translated. */
static struct ct make_session(unsigned int number, uint8_t proto, bool nat) {
	union net_addr client = net_ipv4(0x0a010000u + (number % 3 << 8) + number % 200);
	union net_addr vip = net_ipv4(0x14000001u), server = net_ipv4(0xac100001u);
	uint16_t port = (uint16_t)(10000 + number);

	return (struct ct){
		.family = AF_INET, .proto = proto, .mark = 1 + number % 5,
		.status = IPS_CONFIRMED,
		.tuple = { { .src = client, .dst = vip, .sport = port, .dport = 65022 },
			   { .src = nat ? server : vip, .dst = client, .dport = port,
			     .sport = nat ? 22 : 65022 } },
	};
}

unsigned int world_open(struct world *w, unsigned int unit, uint8_t proto, bool nat) {
	unsigned int flow = w->n_flows++;

	ck_assert_uint_lt(flow, WORLD_FLOWS);
	w->flow[flow] = make_session(flow, proto, nat);
	world_packet(w, flow, unit, PACKET_OPEN);
	return flow;
}

enum verdict world_packet(struct world *w, unsigned int flow, unsigned int unit,
			  enum packet packet) {
	struct unit *u = &w->unit[unit];
	enum verdict v;

	world_set_clock(u);
	kernel_expire(&u->kernel);
	v = kernel_packet(&u->kernel, &w->flow[flow], packet);
	world_after(u);
	return v;
}

unsigned int world_establish(struct world *w, unsigned int unit, uint8_t proto, bool nat) {
	unsigned int flow = world_open(w, unit, proto, nat);

	world_packet(w, flow, unit, PACKET_REPLY);
	world_packet(w, flow, unit, PACKET_DATA);
	return flow;
}

const struct ct *world_session(const struct world *w, unsigned int flow) {
	return &w->flow[flow];
}

struct kernel_entry *world_entry(struct world *w, unsigned int unit, unsigned int flow) {
	struct unit *u = &w->unit[unit];

	world_set_clock(u);
	kernel_expire(&u->kernel);
	return kernel_find(&u->kernel, &w->flow[flow], CT_ORIG);
}

bool world_is_copy(const struct kernel_entry *e) {
	return e->ct.label[0] & FGSP_LABEL_COPY;
}

int world_owner(const struct world *w, unsigned int unit, const struct kernel_entry *e) {
	if (!world_is_copy(e))
		return (int)unit;
	for (unsigned int i = 0; i < w->o.units; i++)
		if (session_label(&e->ct, SESSION_LABEL_OWNER, 16) == world_id(w, i))
			return (int)i;
	return -1;
}

/* ---- agreement ---- */

/* Whether an own session of one unit is to be at another. */
static bool is_wanted(const struct unit *from, unsigned int to,
		      const struct kernel_entry *e) {
	const struct cluster *c = &from->cluster;
	const uint8_t *src = e->ct.tuple[CT_ORIG].src.byte;
	unsigned int which;

	if (!cluster_wants(c, &e->ct) || (src[0] == 10 && src[1] == 0))
		return false;        /* 10.0.0.0/16 are the units themselves */
	for (unsigned int n = 0; n < c->n_peers; n++)
		if (world_unit_of(&c->peer[n].ip, &which) == to && c->peer[n].sync_root &&
		    cluster_filter(&c->peer[n], &e->ct) &&
		    (!c->peer[n].srcintf[0] ||
		     world_env.interfaces(NULL, &e->ct, c->peer[n].srcintf, "")))
			return true;
	return false;
}

/* What was told by an event began, for the copy, when the event was heard. */
static bool is_same_start(const struct ct *own, const struct ct *copy) {
	uint64_t a = fgsp_session_start(own), b = fgsp_session_start(copy);

	return b > 0 && (a > b ? a - b : b - a) < HEARD_NS;
}

static const char *difference(const struct ct *own, const struct ct *copy) {
	const uint32_t bits = IPS_SEEN_REPLY | IPS_ASSURED;
	const struct ct_tuple *a = &own->tuple[CT_REPLY], *b = &copy->tuple[CT_REPLY];

	if (!net_equal(&a->src, &b->src) || !net_equal(&a->dst, &b->dst) || a->sport != b->sport ||
	    a->dport != b->dport)
		return "another translation";
	if (session_serial(own) != session_serial(copy))
		return "another serial";
	if (!is_same_start(own, copy))
		return "another start";
	if (own->mark != copy->mark)
		return "another mark";
	if (own->state != copy->state)
		return "another state";
	return (own->status ^ copy->status) & bits ? "another status" : NULL;
}

struct pair {
	struct world *w;
	unsigned int from, to;
	char *text;
	size_t size;
};

static bool complain(const struct pair *p, const struct kernel_entry *e, const char *what) {
	snprintf(p->text, p->size, "unit %u, session %u of unit %u: %s", p->to,
		 e->ct.tuple[CT_ORIG].sport - 10000u, p->from, what);
	return false;
}

/* What one unit owns is at the other. */
static bool has_copy(const struct pair *p, const struct kernel_entry *e) {
	struct kernel_entry *copy = kernel_find(&p->w->unit[p->to].kernel, &e->ct, CT_ORIG);
	const char *what;

	if (!copy)
		return complain(p, e, "no copy");
	if (world_owner(p->w, p->to, copy) != (int)p->from)
		return complain(p, e, world_owner(p->w, p->to, copy) == (int)p->to ?
					      "both own it" : "a copy of somebody else");
	what = difference(&e->ct, &copy->ct);
	return what ? complain(p, e, what) : true;
}

/* What is a copy at one unit is owned by the other, and told. */
static bool has_owner(const struct pair *p, const struct kernel_entry *copy) {
	struct unit *owner = &p->w->unit[p->from];
	struct kernel_entry *e = kernel_find(&owner->kernel, &copy->ct, CT_ORIG);

	if (!owner->machine)
		return complain(p, copy, "a copy of who is not there");
	if (!e || world_owner(p->w, p->from, e) != (int)p->from)
		return complain(p, copy, "a copy of nothing");
	return is_wanted(owner, p->to, e) || complain(p, copy, "a copy that is not to be");
}

static bool unit_agrees(struct world *w, struct unit *u, char *text, size_t size) {
	for (unsigned int i = 1; i < KERNEL_ENTRIES; i++) {
		struct kernel_entry *e = &u->kernel.entry[i];
		int owner = e->used ? world_owner(w, u->number, e) : -1;
		struct pair p = { w, u->number, u->number, text, size };

		if (!e->used)
			continue;
		if (owner < 0)
			return complain(&p, e, "a copy of nobody");
		p.from = (unsigned int)owner;
		if (owner != (int)u->number && !has_owner(&p, e))
			return false;
		for (p.to = 0; owner == (int)u->number && p.to < w->o.units; p.to++)
			if (p.to != u->number && w->unit[p.to].machine &&
			    is_wanted(u, p.to, e) && !has_copy(&p, e))
				return false;
	}
	return true;
}

bool world_agrees(struct world *w, char *text, size_t size) {
	for (unsigned int i = 0; i < w->o.units; i++) {
		world_set_clock(&w->unit[i]);
		kernel_expire(&w->unit[i].kernel);
		if (w->unit[i].machine)
			world_after(&w->unit[i]);
	}
	for (unsigned int i = 0; i < w->o.units; i++)
		if (w->unit[i].machine && !unit_agrees(w, &w->unit[i], text, size))
			return false;
	return true;
}

void world_settle(struct world *w, uint64_t us) {
	uint64_t end_us = w->now_us + us;
	char text[128] = "";

	do
		world_run(w, WORLD_S);
	while (!world_agrees(w, text, sizeof(text)) && w->now_us < end_us);
	ck_assert_msg(world_agrees(w, text, sizeof(text)), "at %u s: %s",
		      (unsigned int)(w->now_us / WORLD_S), text);
}

/* ---- for tests of one situation ---- */

struct world *world_group(unsigned int units, unsigned int devs) {
	struct world *w = world_new(&(struct world_options){ .seed = 7, .units = units,
							     .devs = devs, .encrypt = true });

	world_run(w, WORLD_START);
	return w;
}

struct fgsp_stats world_stats(const struct world *w, unsigned int unit) {
	struct fgsp_stats stats;

	fgsp_stats(world_machine(w, unit), &stats);
	return stats;
}

struct fgsp_peer_info world_peer(const struct world *w, unsigned int unit) {
	struct fgsp_peer_info info;

	ck_assert(fgsp_peer_info(world_machine(w, unit), 0, &info));
	return info;
}

int world_owner_at(struct world *w, unsigned int unit, unsigned int flow) {
	struct kernel_entry *e = world_entry(w, unit, flow);

	return e ? world_owner(w, unit, e) : -1;
}
