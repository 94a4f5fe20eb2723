/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of the simulated world share; tests do not include it. */
#pragma once

#include "tests/lib/agenda.h"
#include "tests/lib/autoscale_world.h"
#include "tests/lib/rng.h"

#define AWORLD_LINES 64

enum kind { UP, MESSAGE, DOWN, CONNECT, REQUEST, ANSWER, STATE, DESK_UP };

struct happening {
	uint64_t at_us;
	enum kind kind;
	unsigned int unit, generation, desk_generation;
	unsigned int end;            /* number of it */
	union net_addr ip;
	struct buf data;
	struct autoscale *state;
};

/* One end of a connection; its number is its place. */
struct end {
	unsigned int unit, other, number;
	bool open;                   /* its machine has it, or will have */
	bool dead;                   /* nothing passes any more */
	uint64_t last_us;            /* when the last message to it arrives */
	struct happening *held;      /* messages that a deaf unit has not read */
	size_t n_held;
	size_t waiting;              /* bytes on their way to it */
};

/* A revision of a unit. */
struct made {
	uint64_t sum;
	uint64_t *of;                /* how far the revisions of each unit are in it */
};

struct unit {
	struct aworld *world;
	unsigned int number, generation, desk_generation;
	char serial[MEMBER_SERIAL];
	union net_addr ip;
	struct autoscale_machine *machine;
	struct fake_desk desk;
	bool desk_up, deaf;
	int64_t clock_s;
	uint64_t request_us, answer_us, state_us;    /* of the last one under way */
	uint64_t deadline_us;
	unsigned int spins;
	uint64_t epoch;              /* the highest that it has been in */
	uint64_t own_revision;       /* the last that it made by itself; 0: it has another's */
	uint64_t led, joined;        /* the highest epoch that it led; in which it was followed */
	struct made *made;           /* by revision */
	uint64_t n_made;
	char line[AWORLD_LINES][160];
	unsigned int n_lines;
	uint32_t inquiry, inquiry_n;
	enum autoscale_type inquiry_type;
};

struct aworld {
	struct aworld_options o;
	struct rng random;
	uint64_t now_us, messages, requests;
	struct unit *unit;
	bool apart[AWORLD_UNITS][AWORLD_UNITS];
	struct agenda agenda;
	struct end *end;
	unsigned int n_ends;
};

/* What machines of this world ask of it; arg is a struct unit. */
extern const struct autoscale_env aworld_env;

/* Say on stderr what happens to a unit, where that is wanted. */
void aworld_note(const struct unit *u, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Something will happen to a unit, after so long; to be given to aworld_push(). */
struct happening aworld_later(struct unit *u, enum kind kind, uint64_t us);

/* Let it happen. */
void aworld_push(struct aworld *w, const struct happening *new);

/* Release what it holds. */
void aworld_done(struct happening *h);

/* Free a struct happening and what it holds. */
void aworld_forget(void *happening);

/* To be called after each call of a machine. */
void aworld_after(struct unit *u);

/* The unit has another revision than before: of what the group shares, or only of its own. */
void aworld_note_own(struct unit *u, uint64_t revision_before, bool shared);

/* Note what a unit has now; of: how far the revisions of units are in it; NULL: as noted. */
void aworld_make(struct unit *u, const uint64_t *of);

/* Its gatehoused says what it has. */
void aworld_send_state(struct unit *u);

/* Nothing passes on a connection any more. */
void aworld_kill_end(struct aworld *w, unsigned int number);

/* The other end hears that this one is gone, if it can. */
void aworld_tell_down(struct aworld *w, unsigned int number);

/* What gatehoused calls: a copy is committed. */
void aworld_committed(void *arg, const char *serial, uint64_t epoch, uint64_t revision);

/* The same: frames of answers. */
void aworld_answers(void *arg, const struct buf *frame);
