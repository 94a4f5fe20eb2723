/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The configuration engine: model, store, keys and backends of one unit, and the order in which a
 * commit touches them.
 */
#pragma once

#include <stdint.h>
#include <time.h>

#include "cfgdb/backend.h"
#include "cfgdb/model.h"
#include "cfgdb/secret.h"
#include "cfgdb/store.h"

#define ENGINE_BACKENDS_MAX 16

struct engine {
	struct model *model;
	struct store *store;
	struct keyring *keyring;
	struct backend backends[ENGINE_BACKENDS_MAX];
	unsigned int n_backends;
	uint64_t revision;       /* of the active configuration */
	size_t staged_bytes;     /* in all open transactions */
	char serial[20];         /* "GHVM" and 12 characters, drawn when the state was made */
	char vmid[40];           /* UUID, drawn likewise */
	uint64_t n_commits, n_failed; /* since the start */
	bool fresh;              /* the state was made by this start */
	bool has_group_mac;
	unsigned char group_mac[SECRET_MAC_KEY_LEN]; /* of secrets in the digests of the group */
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

/* Name of the unit, from system global; never empty. */
const char *engine_hostname(const struct engine *e);
