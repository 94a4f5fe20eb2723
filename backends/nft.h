/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The packet filter as a backend: the configuration's rules and translations in the kernel. */
#pragma once

#include <stdint.h>
#include <time.h>

#include "backends/ruleset.h"
#include "cfgdb/backend.h"

struct nft;

/* Open the packet filter of the current network namespace; NULL and *err when that fails. */
struct nft *nft_new(struct err *err);

/* Close; rules stay in the kernel. NULL is fine. Returns NULL. */
struct nft *nft_free(struct nft *nft);

/* The backend to add to the engine; it lives as long as nft. */
struct backend nft_backend(struct nft *nft);

/* When a schedule next changes the rules (call nft_refresh then); SCHEDULE_NEVER if none does. */
time_t nft_next_change(const struct nft *nft);

/* Bring the rules to what the configuration says at this time of day. */
int nft_refresh(struct nft *nft, const struct model *model, struct err *err);

/* What is in force; NULL when nothing is. Owned by nft. */
const struct ruleset *nft_ruleset(const struct nft *nft);

struct nft_counters {
	uint64_t packets, bytes;   /* of all packets */
	uint64_t hits;             /* sessions */
};

/* Counters of a policy, 0: the implicit deny. ERR_NOT_FOUND when nothing counts for it. */
int nft_read_counters(struct nft *nft, uint32_t policy, struct nft_counters *ret, struct err *err);

/* Take all rules out of the kernel, for an uninstall. */
int nft_remove(struct nft *nft, struct err *err);
