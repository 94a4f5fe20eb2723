/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random configurations of a packet filter, as text, and packets that try their edges. */
#pragma once

#include "backends/lookup.h"
#include "cfgdb/base/str.h"

struct random_policies {
	uint64_t state;              /* of the generator: begin with the seed */
	unsigned int n_objects, n_groups, n_services, n_vips, n_policies;
};

/* Append `config` blocks; numbers of objects as asked for. */
void random_policies_text(struct random_policies *r, struct str *out);

/* A packet whose addresses and ports are likely near an edge of some object. */
struct lookup_packet random_packet(struct random_policies *r);

/* A number below n. */
unsigned int random_below(struct random_policies *r, unsigned int n);

/* One of the interfaces of the configuration. */
const char *random_interface(struct random_policies *r);
