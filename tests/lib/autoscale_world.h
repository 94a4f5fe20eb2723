/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A group of units that share their configuration, simulated: their machines are real
 * (sync/autoscale.h), their gatehoused (fake_desk.h), network, clocks and faults are made up from
 * one seed. Equal seeds give equal worlds.
 *
 * Some things are watched all the time, and end the test: what a unit takes from another is what
 * that one had at that revision, never of a lower epoch than what it had, and what it loses of its
 * own by that has a name; no primary that others have followed steps down for one that nobody has
 * followed in the same epoch; memory stays in its bounds, and no machine asks to run again and
 * again at the same time.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sync/autoscale.h"
#include "tests/lib/fake_desk.h"

#define AWORLD_UNITS 100
#define AWORLD_MS UINT64_C(1000)
#define AWORLD_S UINT64_C(1000000)

struct aworld;

/* Chances are per 10,000. */
struct aworld_options {
	uint64_t seed;
	unsigned int units;
	unsigned int history;                /* revisions that are remembered; 0: 1000 */
	unsigned int breaks;                 /* connections, for each message */
	unsigned int fails;                  /* commits of replication */
	unsigned int late;                   /* messages that take up to a second */
	uint32_t hb_interval_s;              /* 0: 5 */
	bool log;                            /* say on stderr what happens */
};

/* All units run, none is in a group, all reach each other. */
struct aworld *aworld_new(const struct aworld_options *options);

/* End all. Returns NULL. */
struct aworld *aworld_free(struct aworld *w);

/* So many units of a fixed seed: unit 0 is primary, and all others have its configuration. */
struct aworld *aworld_group(unsigned int units);

/* A random number below n, of the world's seed. */
uint32_t aworld_random(struct aworld *w, uint32_t n);

/* Microseconds since the beginning. */
uint64_t aworld_now(const struct aworld *w);

/* Let time pass. */
void aworld_run(struct aworld *w, uint64_t us);

/* ---- units ---- */

/* What a unit is made of: the machine is NULL while it is stopped. */
struct autoscale_machine *aworld_machine(const struct aworld *w, unsigned int unit);
struct fake_desk *aworld_desk(struct aworld *w, unsigned int unit);
const union net_addr *aworld_ip(const struct aworld *w, unsigned int unit);

/* What a unit's machine says of itself, and of another, which must be known there. */
struct autoscale_stats aworld_stats(const struct aworld *w, unsigned int unit);
struct autoscale_peer_info aworld_peer(const struct aworld *w, unsigned int unit,
				       unsigned int peer);
bool aworld_knows(const struct aworld *w, unsigned int unit, unsigned int peer);

/* The unit's configuration was changed by hand: what follows from that. */
void aworld_changed(struct aworld *w, unsigned int unit);

/* The same for its secret. */
void aworld_secret_changed(struct aworld *w, unsigned int unit);

/* An administrator sets roles; puts an object, and it is seen whether that was refused. */
bool aworld_lead(struct aworld *w, unsigned int unit);
void aworld_follow(struct aworld *w, unsigned int unit, unsigned int primary);
bool aworld_put(struct aworld *w, unsigned int unit, unsigned int table, const char *key,
		uint32_t value);

/* It leaves the group. Something changes that is its own. */
void aworld_leave(struct aworld *w, unsigned int unit);
void aworld_local(struct aworld *w, unsigned int unit);

/* As fake_desk_move(). */
bool aworld_move(struct aworld *w, unsigned int unit, unsigned int table, const char *key,
		 const char *after);

/* As fake_desk_fill(), which must not be refused. */
void aworld_fill(struct aworld *w, unsigned int unit, unsigned int n, uint32_t padding);

/* Some edit or other. */
void aworld_edit(struct aworld *w, unsigned int unit);

/* End the machine of a unit, with all it knew; start it again. */
void aworld_stop(struct aworld *w, unsigned int unit);
void aworld_start(struct aworld *w, unsigned int unit);

/* gatehoused of a unit goes away for a time. */
void aworld_desk_away(struct aworld *w, unsigned int unit, uint64_t us);

/* Move the wall clock of a unit. */
void aworld_jump(struct aworld *w, unsigned int unit, int64_t s);

/* ---- network ---- */

/* Whether anything passes between two units. */
void aworld_connect(struct aworld *w, unsigned int a, unsigned int b, bool on);

/* Break all connections of a unit; half: the other ends do not hear of it. */
void aworld_break(struct aworld *w, unsigned int unit, bool half);

/* A unit reads nothing from now on, or does again. */
void aworld_deaf(struct aworld *w, unsigned int unit, bool on);

/* No faults and no cuts from now on. */
void aworld_heal(struct aworld *w);

/* Messages that units have sent; those that go to their gatehoused. */
uint64_t aworld_messages(const struct aworld *w);
uint64_t aworld_requests(const struct aworld *w);

/* Give a unit a message on a connection that it has with another, as if it came from there. */
void aworld_forge(struct aworld *w, unsigned int unit, unsigned int from,
		  const struct autoscale_message *message);

/*
 * A connection of a unit with somebody of the test, begun by this serial; what the unit says there
 * goes nowhere. Returns its number.
 */
unsigned int aworld_stranger(struct aworld *w, unsigned int unit, const char *initiator);

/* Whether its unit has not closed it. */
bool aworld_is_open(const struct aworld *w, unsigned int channel);

/* What env.inquired() brought to a unit last: the number, the type of the answer (0: none). */
uint32_t aworld_inquired(const struct aworld *w, unsigned int unit, enum autoscale_type *type,
			 uint32_t *n);

/* ---- what must be ---- */

/* Lines that a unit has logged. */
unsigned int aworld_lines(const struct aworld *w, unsigned int unit);

/* Whether one of the last of them holds this text. */
bool aworld_said(const struct aworld *w, unsigned int unit, const char *text);

/*
 * The primary that must win among those that run: of the highest epoch, one that somebody has
 * followed, else the one with most revisions, then by serial; -1: none.
 */
int aworld_winner(const struct aworld *w);

/* Whether all that run and are in the group have what the winner has; text says what is wrong. */
bool aworld_agrees(struct aworld *w, char *text, size_t size);

/* Let time pass, at most `us`, until all agree; the test fails when they do not. */
void aworld_settle(struct aworld *w, uint64_t us);
