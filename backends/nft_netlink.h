/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of ours in the kernel: changed by one atomic batch at a time, read back element by
 * element.
 */
#pragma once

#include "backends/ruleset.h"
#include "backends/ruleset_diff.h"
#include "cfgdb/base/err.h"

struct nft_netlink;

/*
 * Open a socket to the current network namespace, for the table of the rules; NULL and *err when
 * that fails.
 */
struct nft_netlink *nft_netlink_open(struct err *err);

/*
 * The same for another table, whose name must outlive it: one that nobody else can change, and that
 * the kernel removes when the socket is closed, also by the death of the process.
 */
struct nft_netlink *nft_netlink_open_owned(const char *table, struct err *err);

/* Close; NULL is fine. Returns NULL. */
struct nft_netlink *nft_netlink_close(struct nft_netlink *nl);

/* The address of our socket: what changes under it is changed by us. */
uint32_t nft_netlink_port(const struct nft_netlink *nl);

/* The generation of nf_tables: a number that every commit, of anyone to any table, counts up. */
int nft_netlink_generation(struct nft_netlink *nl, uint32_t *ret, struct err *err);

/*
 * Apply a change, whole or not at all; with a generation (not 0) only if it is still the current
 * one, otherwise the system error is ERESTART. Refusals are told as ERR_KERNEL with the object that
 * the refused part was made for.
 */
int nft_netlink_apply(struct nft_netlink *nl, const struct ruleset_delta *delta,
		      uint32_t generation, struct err *err);

/* Like it, for the whole table made anew, from a change that begins with nothing. */
int nft_netlink_replace(struct nft_netlink *nl, const struct ruleset_delta *delta,
			uint32_t generation, struct err *err);

/* Remove the table; it is no error when there is none. */
int nft_netlink_remove(struct nft_netlink *nl, struct err *err);

/* Which of the helpers of helper.h the kernel has; asking makes it load their modules. */
int nft_netlink_helpers(struct nft_netlink *nl, uint32_t *set, struct err *err);

/* Number of the system error behind the last failed call; 0 when it was no system error. */
int nft_netlink_errno(const struct nft_netlink *nl);

struct nft_elem {
	const unsigned char *key;
	unsigned int key_len;
	uint64_t packets, bytes;
	uint32_t data;            /* of maps to marks */
};

/*
 * Visit the elements of a set; with a key only the one that has it. Codes: ERR_NOT_FOUND when
 * there is no such set or element.
 */
int nft_netlink_read(struct nft_netlink *nl, const char *set, const struct key *key,
		     void (*each)(void *arg, const struct nft_elem *elem), void *arg,
		     struct err *err);
