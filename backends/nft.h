/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packet filter as a backend: the configuration's rules and translations in the kernel. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "backends/nft_watch.h"
#include "backends/ruleset.h"
#include "cfgdb/backend.h"

struct nft;

/* Open the packet filter of the current network namespace; NULL and *err when that fails. */
struct nft *nft_new(struct err *err);

/* Close; rules stay in the kernel. NULL is fine. Returns NULL. */
struct nft *nft_free(struct nft *nft);

/* The backend to add to the engine; it lives as long as nft. */
struct backend nft_backend(struct nft *nft);

/* Put the rules of a configuration into the kernel, unless there are rules of ours. */
int nft_stand_in(struct nft *nft, const struct model *model, struct err *err);

/*
 * Whether the start found rules of a configuration in the kernel: the unit has been running. What
 * nft_stand_in puts there is none.
 */
bool nft_was_there(const struct nft *nft);

/*
 * Whether the rules in force are for another time than `now`: a schedule has changed meanwhile, or
 * the clock was set. Call nft_refresh then.
 */
bool nft_is_due(const struct nft *nft, time_t now);

/* Seconds after which to ask that again: to the next change, but no more than a minute. */
time_t nft_wait(const struct nft *nft, time_t now);

/* Bring the rules to what the configuration says at this time of day. */
int nft_refresh(struct nft *nft, const struct model *model, struct err *err);

/* Session helpers (see helper.h) that the kernel has; rules name no others. */
uint32_t nft_helpers(const struct nft *nft);

/* What is in force; NULL when nothing is. Owned by nft. */
const struct ruleset *nft_ruleset(const struct nft *nft);

/* The same, kept beyond its time in force; the caller frees it. */
struct ruleset *nft_ruleset_held(const struct nft *nft);

/* How often this process set out to change rules in the kernel; the revision alone is no rule. */
uint64_t nft_changes(const struct nft *nft);

/* The configuration that this is made from: a number that every commit makes another one. */
uint64_t nft_revision(const struct nft *nft);

struct nft_counters {
	uint64_t packets, bytes;   /* of all packets */
	uint64_t hits;             /* sessions */
};

/* Counters of a policy, 0: the implicit deny. ERR_NOT_FOUND when nothing counts for it. */
int nft_read_counters(struct nft *nft, uint32_t policy, struct nft_counters *ret, struct err *err);

/*
 * Sessions that policies have accepted since rules were first loaded, those that are gone by now
 * included. ERR_NOT_FOUND when there are no rules.
 */
int nft_read_setups(struct nft *nft, uint64_t *ret, struct err *err);

/* Visit the counters of all policies, by rising number; 0 is the implicit deny. */
int nft_each_counters(struct nft *nft,
		      void (*each)(void *arg, uint32_t policy, const struct nft_counters *c),
		      void *arg, struct err *err);

/*
 * Visit the policies whose denied packets are logged, 0 for the implicit deny: how many were only
 * counted because there were too many. ERR_NOT_FOUND when there are no rules.
 */
int nft_each_unlogged(struct nft *nft, void (*each)(void *arg, uint32_t policy, uint64_t packets),
		      void *arg, struct err *err);

/* A descriptor that is readable when someone else may have changed our rules; owned by nft. */
int nft_fd(const struct nft *nft);

/*
 * Read what happened; true when our rules were changed by someone else, and who it was. Call
 * nft_restore then.
 */
bool nft_touched(struct nft *nft, struct nft_intruder *who);

/* True when the kernel may hold something else than the rules in force. */
bool nft_is_unsure(const struct nft *nft);

/* Put all rules in force in the place of what the kernel holds; counters go on. */
int nft_restore(struct nft *nft, struct err *err);

/* Take all rules out of the kernel, for an uninstall. */
int nft_remove(struct nft *nft, struct err *err);
