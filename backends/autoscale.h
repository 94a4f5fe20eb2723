/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replication of the configuration is to do (system auto-scale), worked out from the
 * configuration and from what is known of the group, and as bytes for the daemon that does it.
 * Pure: no system calls.
 */
#pragma once

#include <net/if.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/digest.h"
#include "cfgdb/engine.h"
#include "cfgdb/membership.h"

#define AUTOSCALE_KEY 32             /* bytes */
#define AUTOSCALE_URL_MAX 256        /* bytes, with the end */
#define AUTOSCALE_NAME_MAX 64

struct autoscale {
	bool enabled;                /* status; without a key nothing starts all the same */
	bool has_key;
	bool makes_key;              /* it has none yet: it is being made of the secret */
	uint8_t key[AUTOSCALE_KEY];  /* of connections between members */
	char serial[MEMBER_SERIAL];  /* of this unit, and so on */
	char vmid[MEMBER_VMID];
	char hostname[AUTOSCALE_NAME_MAX];
	bool primary;                /* role */
	union net_addr primary_ip;   /* IPv4; zero: none */
	char interface[IFNAMSIZ];    /* sync-interface; "": any */
	union net_addr ip;           /* IPv4 address of the unit there; zero: unknown */
	uint32_t hb_interval_s;
	char callback_url[AUTOSCALE_URL_MAX]; /* "": roles are typed */
	uint64_t revision;           /* of this unit's configuration */
	struct digest_group active, staged; /* of what is in force, of what is being entered */
	struct membership group;
};

/* Fill *a with all but the key. */
void autoscale_of_engine(struct autoscale *a, const struct engine *e,
			 const struct membership *group);

/* Secret of the group, as "ENC TEXT", which lives as long as the model; "": there is none. */
const char *autoscale_secret(const struct model *model);

#define AUTOSCALE_BYTES_MAX 40000    /* of what is made below */

/* Append a, the key included, without a copy elsewhere: the caller wipes b. */
void autoscale_encode(struct buf *b, const struct autoscale *a);

/*
 * Take what autoscale_encode made, and nothing else: every field is checked. ERR_PARSE when there
 * is anything out of bounds; *a is then undefined.
 */
int autoscale_decode(struct autoscale *a, struct buf_reader *r, struct err *err);
