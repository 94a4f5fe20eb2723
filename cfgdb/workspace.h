/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Config transactions that outlive the connection in which they were started: each has an id, an
 * owner and a time after which it ends by itself. What they have staged is locked (txn_hold()).
 *
 * They are held in memory: a daemon that is started anew has none, and says so.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/moment.h"
#include "cfgdb/engine.h"
#include "cfgdb/txn.h"

#define WORKSPACE_MAX 32             /* transactions held at once */
#define WORKSPACE_USER_MAX 8         /* of them, by one user */
#define WORKSPACE_MINUTES 60         /* without a change, until one ends */
#define WORKSPACE_MINUTES_MAX 1440
#define WORKSPACE_USER 80            /* bytes of a name of a user, with its end */

struct workspace;

struct held {
	uint64_t id;
	char user[WORKSPACE_USER];
	struct txn *txn;
	struct seat *seat;               /* where it is open, or NULL */
	unsigned int minutes;            /* without a change, until it ends */
	int64_t started_s, used_s;       /* boot_s of struct moment */
	unsigned int told;               /* of the warnings before its end, the last one: 3, 2, 1 */
	LIST_ENTRY(held) next;
};

/* Where a connection works; it must not move while something is open in it. Zeroed: nothing is. */
struct seat {
	struct workspace *workspace;     /* NULL as long as nothing was open */
	struct held *held;               /* the transaction that is open here, or NULL */
	bool in_block;                   /* between CTL_BEGIN and CTL_COMMIT, which do nothing */
	bool lost_told;
	char lost[128];                  /* why the one that was open is not any more, or "" */
};

/* New, for the transactions of an engine. NULL and *err when that fails. The caller frees it. */
struct workspace *workspace_new(struct engine *e, moment_fn *clock, struct err *err);

/* End all transactions; no seat may be in use. NULL is fine. Returns NULL. */
struct workspace *workspace_free(struct workspace *w);

/* Start a transaction of this user, open in the seat, that ends after minutes without a change. */
int workspace_start(struct workspace *w, struct seat *seat, const char *user, unsigned int minutes,
		    struct err *err);

/*
 * Open a transaction in this seat; where it is open now it is no longer. Only its user may, and
 * root.
 */
int workspace_resume(struct workspace *w, struct seat *seat, uint64_t id, const char *user,
		     struct err *err);

/*
 * The transaction of this id, as user may resume it; it is the workspace's. ERR_NOT_FOUND,
 * ERR_PERMISSION.
 */
int workspace_find(const struct workspace *w, uint64_t id, const char *user,
		   const struct held **ret, struct err *err);

/* End a transaction: that of the seat (id 0), or another one, as user may resume it. */
int workspace_abort(struct workspace *w, struct seat *seat, uint64_t id, const char *user,
		    struct err *err);

/* The transaction of the seat is committed: it ends. */
void workspace_end(struct seat *seat);

/* The connection goes, the transaction stays. */
void workspace_leave(struct seat *seat);

/* The transaction that is open in the seat, or NULL. */
struct txn *workspace_txn(const struct seat *seat);

/* The same, or ERR_NOT_FOUND, and why there is none. */
int workspace_open(const struct seat *seat, struct held **ret, struct err *err);

/* A change is about to be made: the time begins anew. ERR_CONFLICT when what was open is lost. */
int workspace_use(struct seat *seat, struct err *err);

/* End those whose time is over. */
void workspace_tick(struct workspace *w);

/*
 * What the administrator should be told now about the end of the transaction of this seat, once
 * each; text has room for size bytes. False: nothing.
 */
bool workspace_warning(struct seat *seat, char *text, size_t size);

/* Seconds until a transaction ends if it is not changed. */
int64_t workspace_left(const struct workspace *w, const struct held *held);

/* Visit all, the oldest first; stops when visit returns non-zero and returns that. */
int workspace_each(const struct workspace *w, int (*visit)(void *arg, const struct held *held),
		   void *arg);
