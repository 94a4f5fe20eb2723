/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What replication of sessions is to do, worked out from the configuration, and as bytes for the
 * daemon that does it. Pure: no system calls.
 */
#pragma once

#include <net/if.h>

#include "backends/ct.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/base/net.h"
#include "cfgdb/model/model.h"

#define CLUSTER_PEERS_MAX 15         /* of one unit: the group has one more */
#define CLUSTER_DEVS_MAX 8
#define CLUSTER_DOWN_MAX 16
#define CLUSTER_SERVICES_MAX 32
#define CLUSTER_KEY 32               /* bytes */
#define CLUSTER_SERIAL 17            /* bytes of a serial number, with its end */
#define CLUSTER_DELAY_S 30           /* age of sessions that session-pickup-delay lets through */

/* Source and destination ports of an entry of custom-service: first and last; 0-0: any. */
struct cluster_ports {
	uint16_t src[2], dst[2];
};

/* A network, host bits zero. */
struct cluster_net {
	union net_addr addr;
	uint8_t len;                 /* of the prefix; 0: any address */
};

/* An entry of cluster-peer: one peer, or one of several filters of it. */
struct cluster_peer {
	uint32_t sync_id;
	union net_addr ip;           /* IPv4; entries with the same one are one peer */
	uint32_t hb_interval_ms;
	uint32_t hb_lost;            /* heartbeats lost in a row after which a link is dead */
	bool sync_root;              /* sessions of VDOM root are sent */
	bool all_vdoms;              /* syncvd is empty */
	char srcintf[IFNAMSIZ], dstintf[IFNAMSIZ];     /* "": any */
	struct cluster_net src, dst, src6, dst6;
	unsigned int n_services;     /* 0: any */
	struct cluster_ports service[CLUSTER_SERVICES_MAX];
	unsigned int n_down;
	char down[CLUSTER_DOWN_MAX][IFNAMSIZ];         /* down-intfs-before-sess-sync */
};

struct cluster {
	char serial[CLUSTER_SERIAL]; /* of this unit */
	uint8_t group_id, member_id;
	bool encrypt, l2_available;
	bool has_key;                /* without one nothing starts */
	uint8_t key[CLUSTER_KEY];    /* of the group */
	bool tcp, others, expectation, nat, delay;     /* session-pickup... of system ha */
	unsigned int n_devs;
	char dev[CLUSTER_DEVS_MAX][IFNAMSIZ];          /* session-sync-dev */
	unsigned int n_peers;        /* in the order of the configuration */
	struct cluster_peer peer[CLUSTER_PEERS_MAX];
};

/*
 * Fill *c with all but the key. Entries without an address, and those whose address is one of this
 * unit, are left out: the latter come from other members with the rest of the configuration.
 */
void cluster_of_model(struct cluster *c, const struct model *model, const char *serial);

/* Secret of the group, as "ENC TEXT", which lives as long as the model; "": there is none. */
const char *cluster_secret(const struct model *model);

/* Whether an entry has this interface in down-intfs-before-sess-sync. */
bool cluster_is_down_before(const struct cluster *c, const char *name);

/* Whether these bytes can be a serial number: letters and digits of ASCII, one to 16. */
bool cluster_is_serial(const char *text, size_t len);

/*
 * The number that stands for a unit in datagrams and labels: a hash of its serial, never 0, the
 * same in every release.
 */
uint16_t cluster_unit_id(const char *serial);

/* Whether there is something to do: peers, and a key. */
bool cluster_is_started(const struct cluster *c);

/* Whether both say the same, the key included. */
bool cluster_equal(const struct cluster *a, const struct cluster *b);

#define CLUSTER_BYTES_MAX 16384      /* of what is made below */

/* Append c, the key included, without a copy elsewhere: the caller wipes b. */
void cluster_encode(struct buf *b, const struct cluster *c);

/*
 * Take what cluster_encode made, and nothing else: every number is checked. ERR_PARSE when there is
 * anything out of bounds; *c is then undefined.
 */
int cluster_decode(struct cluster *c, struct buf_reader *r, struct err *err);

/*
 * Whether a session is to be told to this entry, by addresses and ports of its original direction.
 * Interfaces are not looked at here.
 */
bool cluster_filter(const struct cluster_peer *p, const struct ct *ct);

/*
 * Whether the switches of system ha want a session: by protocol and translation. Neither its age
 * nor whether it is one of the unit itself is looked at here.
 */
bool cluster_wants(const struct cluster *c, const struct ct *ct);
