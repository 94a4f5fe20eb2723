/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of the simulated world share; tests do not include it. */
#pragma once

#include "tests/lib/agenda.h"
#include "tests/lib/fgsp_world.h"
#include "tests/lib/rng.h"

#define CHANNELS 1024
#define FAILURES 64

enum happening_kind { DATAGRAM, FRAME, CHANNEL_UP, CHANNEL_DOWN, CONNECT, EVENTS, WALK };

struct happening {
	uint64_t at_us;
	enum happening_kind kind;
	uint8_t unit, from;
	bool forged;
	unsigned int link;                   /* DATAGRAM: as it arrives; CONNECT: peerip */
	unsigned int channel;                /* number of the end */
	unsigned int generation;             /* of the unit, but for datagrams */
	size_t len;
	uint8_t *data;
};

/* One end of a connection. */
struct end {
	bool used, up;
	unsigned int unit, other, peer;
	uint64_t last_us;                    /* when the last frame to it arrives */
	struct fgsp_channel_info info;
};

struct unit {
	struct world *world;
	unsigned int number, generation;
	struct fgsp *machine;                /* NULL: it does not run */
	struct cluster cluster;
	struct kernel kernel;
	int64_t clock_ns;
	bool ready, events_due;
	bool cut[FGSP_LINKS];                /* links of layer 3: [0] and [1], by own address */
	unsigned int walk_at;                /* next entry; 0: no walk */
	uint64_t deadline_us;
	unsigned int spins;
	uint64_t calls, sent[4], warnings;
	struct fgsp_change failed[FAILURES];
	int error[FAILURES];
	unsigned int n_failed;
	struct ct replaced;                  /* an own session that has to make room for another */
	bool is_replaced;
	uint8_t last[2048];
	size_t n_last;
};

struct world {
	struct world_options o;
	struct rng random;
	uint64_t now_us;
	struct unit unit[WORLD_UNITS];
	bool apart[WORLD_UNITS][WORLD_UNITS];
	world_filter_fn *passes;             /* NULL: everything */
	struct agenda agenda;
	struct end end[CHANNELS];
	unsigned int n_ends;
	uint64_t n_channels;
	struct ct flow[WORLD_FLOWS];
	unsigned int n_flows;
};

/* What machines of this world ask of it; arg is a struct unit. */
extern const struct fgsp_env world_env;

/* 64 random bits. */
uint64_t world_random64(struct world *w);

/* Free a struct happening. */
void world_forget(void *happening);

/* Tell a unit's kernel the time; to be called before it is used. */
void world_set_clock(struct unit *u);

/* What follows from a call of a unit's machine, or from packets: to be called after either. */
void world_after(struct unit *u);

/* The unit with an address, and which of its addresses it is. */
unsigned int world_unit_of(const union net_addr *ip, unsigned int *which);

/* End a channel from one side; the other hears of it. */
void world_end_channel(struct world *w, unsigned int channel);

/* An end of a channel hears that it is broken, if it stands. */
void world_lose_channel(struct world *w, unsigned int channel);
