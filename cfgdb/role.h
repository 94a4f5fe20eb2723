/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The part that this unit plays in its group (system auto-scale), kept in the database: which epoch
 * its configuration is of, whether it may give it to others, and what its administrators may
 * change.
 */
#pragma once

#include "cfgdb/engine.h"
#include "cfgdb/membership.h"
#include "cfgdb/txn.h"

struct role;

/*
 * Read what was kept, and take part in all commits of e from now on, as one of its backends and as
 * its guard. NULL and *err when that fails. The caller frees it after the engine's last commit.
 */
struct role *role_new(struct engine *e, struct err *err);

/* NULL is fine. Returns NULL. */
struct role *role_free(struct role *r);

/* What is known of the group now. */
const struct membership *role_membership(const struct role *r);

/* Whether the configuration takes part in a group; whether as the one that gives. */
bool role_is_member(const struct model *m);
bool role_is_primary(const struct model *m);

/*
 * Remember that these are the other members, the highest epoch that was heard of, and of a primary
 * that some member has had its configuration in the epoch of `now`; nothing else is taken from it.
 * Who is not there any more has left.
 */
int role_meet(struct role *r, const struct membership *now, struct err *err);

/*
 * Remember which entry of cluster-peer was made for a member; 0: none, and one that has left is
 * forgotten.
 */
int role_link(struct role *r, const char *serial, uint32_t sync_id, struct err *err);

/* Call changed(arg) whenever role_meet() has changed something. */
void role_set_watch(struct role *r, void (*changed)(void *arg), void *arg);

/* What someone else than an administrator wants this unit to be. */
struct role_order {
	bool primary;
	union net_addr primary_ip;   /* of a secondary: whom to follow; IPv4, zero: stay */
	uint64_t heard;              /* the highest epoch that was heard of */
	uint64_t told;               /* the last own revision that some member has */
	const char *why;             /* one line for the history */
};

/*
 * Set role and primary-ip as an own commit. A unit whose configuration is its own (it is primary,
 * or was until now) names its last revision when no member has it.
 */
int role_order(struct role *r, const struct role_order *order, struct err *err);

/* Whose configuration a replicated transaction brings. */
struct role_source {
	const char *serial;
	uint64_t epoch, revision;
};

/*
 * Commit a replicated transaction, and with it that this unit has the configuration of source. One
 * that never had the group's names the last revision of what it replaces.
 * ERR_CONFLICT, and nothing happens, when its epoch is over, or this unit is no secondary.
 */
int role_commit(struct role *r, struct txn *t, const struct role_source *source, struct err *err);
