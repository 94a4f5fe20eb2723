/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What gatehoused is to replication of the configuration, made up: a small configuration in memory,
 * its revisions with a bounded history, digests, one transaction, a role in a group; and the
 * requests CTL_SYNC_... on them. Tables stand in the order of their names; the second and third
 * have an order of their own; the last has one object without a key.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "backends/autoscale.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/base/err.h"

#define DESK_TABLES 5
#define DESK_POLICY 1
#define DESK_VIP 2
#define DESK_GLOBAL 4
#define DESK_KEY 16
#define DESK_NAMES 128
#define DESK_SECRET (UINT32_C(1) << 31)   /* values with it count by the secret of the group */

struct desk_object {
	char key[DESK_KEY];
	uint32_t value;
	uint32_t padding;            /* bytes that its body is longer */
};

struct desk_table {
	struct desk_object *object;
	size_t n, size;
};

struct desk_config {
	struct desk_table table[DESK_TABLES];
};

/* Revisions that somebody gave a name because nobody else has them. */
struct desk_name {
	uint64_t told, revision;
};

struct desk_commit;

struct fake_desk {
	struct autoscale a;          /* all but digests */
	uint32_t secret;             /* of the group */
	struct desk_config config;
	unsigned int history_max;    /* revisions that are remembered */
	struct desk_commit *commit;  /* the oldest first */
	unsigned int n_commits;
	uint64_t local;              /* what is the unit's own */
	struct desk_name name[DESK_NAMES];
	unsigned int n_names;
	bool open;                   /* a transaction */
	struct desk_config staged;
	uint64_t began;              /* at this revision */
	unsigned int fails;          /* commits of replication that are to fail */
	bool deaf;                   /* requests are neither done nor answered */
	uint32_t refuses;            /* value that this unit does not take; 0: takes all */
	/* A commit of replication is done; the test looks at it. */
	void (*committed)(void *arg, const char *serial, uint64_t epoch, uint64_t revision);
	/* Frames of answers. */
	void (*answer)(void *arg, const struct buf *frame);
	void *arg;
};

/* A unit of a new serial that is in no group; the caller calls fake_desk_done(). */
void fake_desk_init(struct fake_desk *d, const char *serial);
void fake_desk_done(struct fake_desk *d);

/* Answer a request. */
void fake_desk_request(struct fake_desk *d, const struct buf *request);

/* The daemon starts again: what was staged is gone. */
void fake_desk_restart(struct fake_desk *d);

/* What the machine is told. */
void fake_desk_state(const struct fake_desk *d, struct autoscale *ret);

/* The whole of what is shared, but for the secret, as one number. */
uint64_t fake_desk_sum(const struct fake_desk *d);

/* ---- what an administrator does: false when it is refused ---- */

/* Put an object. */
bool fake_desk_put(struct fake_desk *d, unsigned int table, const char *key, uint32_t value);

/* Put n policies in place of those there are, each with so many bytes more than it needs. */
bool fake_desk_fill(struct fake_desk *d, unsigned int n, uint32_t padding);

/* Delete one, which need not be there. */
bool fake_desk_delete(struct fake_desk *d, unsigned int table, const char *key);

/* Give one another place, behind `after` or first (""). */
bool fake_desk_move(struct fake_desk *d, unsigned int table, const char *key, const char *after);

/* Set role and primary-ip (NULL: it stays) of a unit that takes part from now on. */
bool fake_desk_set_role(struct fake_desk *d, bool primary, const union net_addr *primary_ip);

/* Take part no more. */
void fake_desk_leave(struct fake_desk *d);

/* Change what is the unit's own. */
void fake_desk_set_local(struct fake_desk *d, uint64_t value);

/* Change the secret of the group. */
void fake_desk_set_secret(struct fake_desk *d, uint32_t secret);

/* Somebody changes the database behind its back. */
void fake_desk_tamper(struct fake_desk *d, unsigned int table, const char *key, uint32_t value);
