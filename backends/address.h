/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Address objects and groups of the configuration as sets of addresses. */
#pragma once

#include <bsd/sys/tree.h>

#include "backends/ranges.h"
#include "cfgdb/model/model.h"

/*
 * An address that this product cannot resolve (a host name, a country) is the empty set. Where that
 * would make an accepting policy match more (it is excluded or negated), the set that holds it is
 * empty there, too: `strict` is for policies that accept, `plain` for those that deny.
 */
struct address {
	RB_ENTRY(address) entry;
	const struct object *obj;
	struct ranges plain, strict;
	bool incomplete;                 /* something in it could not be resolved */
	bool busy;                       /* being resolved: a group that contains itself */
};

RB_HEAD(address_tree, address);

/* Addresses resolved so far; each is resolved once. */
struct addresses {
	const struct model *model;
	struct address_tree tree;
	unsigned int depth;
};

/* Begin with nothing resolved. */
void addresses_init(struct addresses *as, const struct model *model);

/* Release all addresses. */
void addresses_done(struct addresses *as);

/* The value of a firewall.address or firewall.addrgrp; owned by as. */
const struct address *addresses_get(struct addresses *as, const struct object *obj);
