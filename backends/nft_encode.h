/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages of nf_tables: parts of a table as libnftnl puts them into a buffer. */
#pragma once

#include <libmnl/libmnl.h>

#include "backends/ruleset.h"

#define NFT_ENCODE_ROOM 65536u  /* bytes that must be free for one message */

/* Fill the payload of a message that adds or deletes a chain. */
void nft_encode_chain(struct nlmsghdr *nlh, const char *table, const struct chain *c);

/* Fill the payload of a message that adds rule i of a chain. */
void nft_encode_rule(struct nlmsghdr *nlh, const char *table, const struct chain *c, uint32_t i);

/* Fill the payload of a message that removes all rules of a chain. */
void nft_encode_flush(struct nlmsghdr *nlh, const char *table, const char *chain);

/* Fill the payload of a message that adds or deletes a set; id tells the sets of a batch apart. */
void nft_encode_set(struct nlmsghdr *nlh, const char *table, const struct set *set, uint32_t id);

/* Fill the payload of a message that adds or deletes an object. */
void nft_encode_object(struct nlmsghdr *nlh, const struct ct_object *o);

/* Bytes of a set's key as the kernel wants them: a single field is not padded. */
unsigned int nft_key_len(const struct set *set);
