/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group of units that replicate sessions, simulated: their machines are real (sync/fgsp.h),
 * their kernels, network, clocks and faults are made up from one seed. Equal seeds give equal
 * worlds.
 *
 * Some things are watched all the time, and end the test: no own session that is alive is deleted
 * for a peer, nothing that is forged has an effect, memory stays in its bounds, and no machine
 * asks to run again and again at the same time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/fgsp.h"
#include "tests/lib/fgsp_kernel.h"

#define WORLD_UNITS 16
#define WORLD_FLOWS 256
#define WORLD_MTU 1500                /* of all links */
#define WORLD_MS UINT64_C(1000)
#define WORLD_S UINT64_C(1000000)

struct world;

/* Chances are per 10,000. */
struct world_options {
	uint64_t seed;
	unsigned int units, devs;            /* devs: session-sync-devs */
	bool second_address;                 /* each unit has two */
	bool encrypt;
	bool delay;                          /* session-pickup-delay */
	unsigned int loss, doubled, corrupt, late, replayed, reflected, garbage, refused;
	unsigned int events;                 /* that the kernel keeps; 0: KERNEL_EVENTS */
	size_t queue_bytes;
	uint32_t hb_interval_ms, hb_lost;    /* 0: 1000, 3 */
	bool log;                            /* say on stderr what happens */
};

/* All units run, with nothing to tell and all links up. */
struct world *world_new(const struct world_options *options);

#define WORLD_START (10 * WORLD_S)   /* until then peers have found each other */

/* So many units and links of layer 2, encrypted, of a fixed seed, that have found each other. */
struct world *world_group(unsigned int units, unsigned int devs);

/* End all. Returns NULL. */
struct world *world_free(struct world *w);

/* A random number below n, of the world's seed. */
uint32_t world_random(struct world *w, uint32_t n);

/* Microseconds since the beginning. */
uint64_t world_now(const struct world *w);

/* Let time pass. */
void world_run(struct world *w, uint64_t us);

/* ---- units ---- */

/* What a unit is made of: the machine is NULL while it is stopped. */
struct fgsp *world_machine(const struct world *w, unsigned int unit);

/* Its table. */
struct kernel *world_kernel(struct world *w, unsigned int unit);

/* Its id. */
uint16_t world_id(const struct world *w, unsigned int unit);

/* What a unit's machine says of itself, and of its first peer, which must be there. */
struct fgsp_stats world_stats(const struct world *w, unsigned int unit);
struct fgsp_peer_info world_peer(const struct world *w, unsigned int unit);

/* The configuration of a unit; after a change of it, world_configure(). */
struct cluster *world_cluster(struct world *w, unsigned int unit);
void world_configure(struct world *w, unsigned int unit);

/* End the daemon of a unit, with all it knew; the table stays, unless `all`. Start it again. */
void world_stop(struct world *w, unsigned int unit, bool all);
void world_start(struct world *w, unsigned int unit);

/* Whether the daemon of a unit runs. */
bool world_runs(const struct world *w, unsigned int unit);

/* Move the wall clock of a unit. */
void world_jump(struct world *w, unsigned int unit, int64_t ns);

/* Whether held interfaces of a unit may go up. */
bool world_ready(const struct world *w, unsigned int unit);

/* ---- network ---- */

/* Whether datagrams and connections pass from one unit to the other, in both directions. */
void world_connect(struct world *w, unsigned int a, unsigned int b, bool on);

/* Cut a unit's link: number as in fgsp.h, its own interface for layer 3. seen: the unit knows. */
void world_link(struct world *w, unsigned int unit, unsigned int link, bool on, bool seen);

/*
 * Whether a datagram may pass from unit to unit over a link, as the sender numbers it; NULL: all.
 * world_heal() ends it.
 */
typedef bool world_filter_fn(unsigned int from, unsigned int to, unsigned int link, size_t len);
void world_filter(struct world *w, world_filter_fn *passes);

/* Whether a datagram over this link is as long as any can be, as beats are. */
bool world_is_long(unsigned int link, size_t len);

/* No faults and no cuts from now on. */
void world_heal(struct world *w);

/* Break all channels of a unit; half: the other ends do not hear of it. */
void world_break(struct world *w, unsigned int unit, bool half);

/* Datagrams that left a unit, by layer (2, 3); connections that came up in all. */
uint64_t world_sent(const struct world *w, unsigned int unit, unsigned int layer);
uint64_t world_channels(const struct world *w);

/* Lines that a unit logged as warnings or worse. */
uint64_t world_warnings(const struct world *w, unsigned int unit);

/* Give a datagram to a unit as if it came from peerip number `link`; it must have no effect. */
void world_attack(struct world *w, unsigned int unit, unsigned int link, const uint8_t *data,
		  size_t len);

/* Keep the last datagram that reached a unit whole; its length, 0 when there was none. */
size_t world_last(const struct world *w, unsigned int unit, uint8_t *data, size_t size);

/* ---- sessions ---- */

/* A session through one unit; TCP or UDP, translated or not. Its first packet comes at once. */
unsigned int world_open(struct world *w, unsigned int unit, uint8_t proto, bool nat);

/* A packet of it at a unit. */
enum verdict world_packet(struct world *w, unsigned int flow, unsigned int unit,
			  enum packet packet);

/* Open one and carry it to where it is established. */
unsigned int world_establish(struct world *w, unsigned int unit, uint8_t proto, bool nat);

/* Both tuples of a session. */
const struct ct *world_session(const struct world *w, unsigned int flow);

/* Its entry at a unit, or NULL. */
struct kernel_entry *world_entry(struct world *w, unsigned int unit, unsigned int flow);

/* Whether an entry is a copy, and of whom; whose it is: unit number, -1 when it is no unit's. */
bool world_is_copy(const struct kernel_entry *e);
int world_owner(const struct world *w, unsigned int unit, const struct kernel_entry *e);

/* The unit that owns a session, as the entry at `unit` says; -1: none, or there is no entry. */
int world_owner_at(struct world *w, unsigned int unit, unsigned int flow);

/* Whether all members hold what they should and nothing else; text says what is wrong. */
bool world_agrees(struct world *w, char *text, size_t size);

/* Let time pass, at most `us`, until all agree; the test fails when they do not. */
void world_settle(struct world *w, uint64_t us);
