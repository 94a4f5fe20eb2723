/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commits that are taken back by themselves unless somebody confirms them in time. Only what such a
 * commit has changed goes back; what others have done since stays. Until then nobody can touch the
 * same objects.
 *
 * What waits is in the database, written with the commit itself: neither the end of the daemon nor
 * that of the machine makes a commit final.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/moment.h"
#include "cfgdb/engine.h"
#include "cfgdb/txn.h"

#define PENDING_MAX 16               /* that wait at once */
#define PENDING_MINUTES_MAX 1440
#define PENDING_USER 80              /* bytes of a name of a user, with its end */

struct event_base;
struct pending;

struct pending_config {
	struct engine *engine;
	struct event_base *base;         /* to watch the time; NULL: pending_tick() is called */
	moment_fn *clock;
	const char *boot_id;             /* of the machine's present start; copied */
	/* Takes what has become of commits; failed: of what could not be taken back. */
	void (*tell)(void *arg, bool failed, const char *text);
	void *arg;
};

/* A commit that waits. */
struct awaited {
	uint64_t revision;
	char user[PENDING_USER];
	unsigned int minutes;
	int64_t wall_s, boot_s;          /* the end, by both clocks: the earlier one counts */
	bool failed;                     /* the time is over, and it could not be taken back */
	char why[256];                   /* then; "" when an earlier daemon knew it */
	bool told;                       /* that it cannot be taken back at this moment */
	int64_t again_s;                 /* boot_s of the next try */
	struct txn *lock;                /* holds what takes it back; NULL: it cannot be staged */
	LIST_ENTRY(awaited) next;
};

/*
 * Read what waits, and take back what has waited too long. NULL and *err when that cannot be read.
 * The caller closes it before the engine.
 */
struct pending *pending_open(const struct pending_config *config, struct err *err);

/* Close; what waits stays in the database. NULL is fine. Returns NULL. */
struct pending *pending_close(struct pending *p);

/*
 * txn_commit(), to be confirmed within minutes; *revision is that which waits, 0 when nothing was
 * changed. ERR_MAX_ENTRIES, and nothing is committed, when too many wait.
 */
int pending_commit(struct pending *p, struct txn *t, const char *user, unsigned int minutes,
		   uint64_t *revision, struct err *err);

/*
 * The commit of this revision is final; 0: that of the user, if he has one. Fills *ret with the
 * revision. ERR_NOT_FOUND when it does not wait.
 */
int pending_confirm(struct pending *p, uint64_t revision, const char *user, uint64_t *ret,
		    struct err *err);

/* Take back what has waited too long. */
void pending_tick(struct pending *p);

/* Seconds until a commit is taken back. */
int64_t pending_left(const struct pending *p, const struct awaited *a);

/* Visit all that wait or have failed; stops when visit returns non-zero and returns that. */
int pending_each(const struct pending *p, int (*visit)(void *arg, const struct awaited *a),
		 void *arg);
