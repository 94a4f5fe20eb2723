/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration engine: model, store, keys and backends of one unit, and the order in which a
 * commit touches them.
 */
#pragma once

#include <stdint.h>
#include <sys/queue.h>
#include <time.h>

#include "cfgdb/backend.h"
#include "cfgdb/model/model.h"
#include "cfgdb/secret.h"
#include "cfgdb/store.h"

#define ENGINE_BACKENDS_MAX 16
#define ENGINE_WATCHERS_MAX 8

struct txn;

/*
 * Who may refuse what an administrator changes: asked when a put or a deletion (after is NULL) is
 * staged, and again at its commit. A change of place is asked like a deletion. before is NULL when
 * there is none yet.
 */
typedef int engine_guard_fn(void *arg, const struct object *before, const struct object *after,
			    struct err *err);

/* Who is told of each commit that changed something, rows of meta included. */
struct engine_watcher {
	void (*committed)(void *arg);
	void *arg;
};

struct engine {
	struct model *model;
	struct store *store;
	struct keyring *keyring;
	struct backend backends[ENGINE_BACKENDS_MAX];
	unsigned int n_backends;
	uint64_t revision;       /* of the active configuration */
	uint64_t rows_revision;  /* that last changed objects of tables that are not known here */
	uint64_t replaced_revision; /* that last replaced the whole, or brought something of the
				       past back; 0: none since the start */
	uint64_t kept_revision;  /* the history keeps it and all after it; 0: the last one */
	uint64_t saved_revision; /* the history keeps all after it, to go back; 0: all is saved */
	size_t staged_bytes;     /* in all open transactions */
	char serial[20];         /* "GHVM" and 12 characters, drawn when the state was made */
	char vmid[40];           /* UUID, drawn likewise */
	uint64_t n_commits, n_failed; /* since the start */
	bool fresh;              /* the state was made by this start */
	bool has_group_mac;
	unsigned char group_mac[SECRET_MAC_KEY_LEN]; /* of secrets in the digests of the group */
	engine_guard_fn *guard;  /* NULL: administrators may change everything */
	void *guard_arg;
	struct engine_watcher watchers[ENGINE_WATCHERS_MAX];
	unsigned int n_watchers;
	LIST_HEAD(, txn) txns;   /* that are open, the newest first */
};

/*
 * Open the state directory, making it a new unit when it is empty, and load the model. NULL and
 * *err when that fails, or when the database holds something else than what was committed. The
 * caller closes the engine.
 */
struct engine *engine_open(const char *state_dir, struct err *err);

/* Let the next engine_open() take the database as it stands, whoever has changed it. */
int engine_accept(const char *state_dir, struct err *err);

/* Close; NULL is fine. */
void engine_close(struct engine *e);

/* Add a backend; the order of calls is the order of apply. Copies b. */
void engine_add_backend(struct engine *e, const struct backend *b);

/* Bring the kernel to the model, as after a start or a foreign change. */
int engine_start(struct engine *e, struct err *err);

/*
 * Ask this guard, with arg, before an administrator's transaction changes anything; not for what is
 * found on the machine, nor for what a replicated transaction brings. NULL: none.
 */
void engine_set_guard(struct engine *e, engine_guard_fn *guard, void *arg);

/*
 * Call committed(arg) after each commit that changed something, when it is complete: it may open
 * and commit transactions of its own. Watchers are called in the order in which they came.
 */
void engine_watch(struct engine *e, void (*committed)(void *arg), void *arg);

/*
 * The newest open transaction in which something is staged, or NULL. One that is held does not
 * count: it may be weeks from its commit, and is nobody else's business.
 */
const struct txn *engine_staged(const struct engine *e);

/* Name of the unit, from system global; never empty. */
const char *engine_hostname(const struct engine *e);
