/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From where administrators may log in: the one reading of trusthost1..10 and ip6-trusthost1..10,
 * for the packet filter, the options of keys and the login itself.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "cfgdb/base/net.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/model.h"

#define TRUST_NETS_MAX 20

/* Where somebody comes from. */
struct trust_source {
	int family;              /* AF_INET, AF_INET6; 0: no address */
	union net_addr addr;
};

struct trust_net {
	int family;
	union net_addr addr;     /* bits behind the prefix are zero */
	unsigned int bits;
};

/* The networks of one administrator; a family of which there is none is free. */
struct trust {
	struct trust_net net[TRUST_NETS_MAX];
	unsigned int n, n_ipv4, n_ipv6;
};

/* Read an address: IPv4 in the form of IPv6 is IPv4, a zone is cut off. False when it is none. */
bool trust_source(const char *text, struct trust_source *ret);

/* The networks of an entry of system admin. */
void trust_of(const struct object *admin, struct trust *ret);

/* Whether a login may come from there; no address is trusted by who names any network. */
bool trust_allows(const struct trust *t, const struct trust_source *source);

/* Append the networks as the pattern list of an authorized_keys option; nothing: from anywhere. */
void trust_patterns(const struct trust *t, struct str *out);

/* Whether somebody in the table may log in from anywhere in this family, or nobody can at all. */
bool trust_is_open(const struct model *model, int family);

/*
 * Visit the networks of all administrators, those of a family that is open left out; the same may
 * come again.
 */
void trust_each(const struct model *model, int family,
		void (*visit)(void *arg, const struct object *admin, const struct trust_net *net),
		void *arg);

/* Whether somebody of the table may log in: his status, and that the unit itself knows him. */
bool trust_is_local(const struct object *admin);
