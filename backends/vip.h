/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtual IPs of the configuration, resolved. */
#pragma once

#include "backends/ranges.h"
#include "cfgdb/model/model.h"

#define VIP_EXPAND_MAX 65536u   /* addresses times ports of one virtual IP that are shifted */
#define VIP_MARK_MIN 0xc0000000u
#define VIP_MARK_MAX 0xfffffffeu

struct vip {
	const struct object *obj;
	uint32_t mark;               /* its id, VIP_MARK_MIN..VIP_MARK_MAX: drawn from its name */
	uint32_t ext_lo, ext_hi;     /* outside addresses */
	uint32_t mapped;             /* inside address of ext_lo; the others follow */
	uint8_t proto;               /* 0: all */
	uint16_t port_lo, port_hi;   /* outside ports; 0..0: all */
	uint16_t mapped_port;        /* inside port of port_lo */
	bool any_interface;
	const char **interface;      /* outside interfaces */
	uint32_t n_interfaces;
	struct ranges sources;       /* clients it serves; empty: all */
	bool usable;                 /* can be enforced and is enabled */
	const char *why;             /* why not, if not usable */
};

struct vips {
	struct vip *vip;             /* in order of the table */
	const struct vip **by_obj;   /* the same, for finding them */
	size_t n;
};

/* Resolve all virtual IPs; release with vips_done. */
struct vips vips_resolve(const struct model *model);

/* Release what vips_resolve made. */
void vips_done(struct vips *vs);

/* The virtual IP of an object, or NULL. */
const struct vip *vips_find(const struct vips *vs, const struct object *obj);

/* A packet that comes in, before translation. */
struct vip_packet {
	const char *interface;
	bool managed;                /* the interface is managed */
	uint32_t src, dst;
	uint8_t proto;
	uint16_t dport;
};

/* The virtual IP that takes this packet, or NULL. */
const struct vip *vips_match(const struct vips *vs, const struct vip_packet *p);

/* True when it translates exactly one port. */
bool vip_is_port(const struct vip *v);

/* True when ports inside are not those outside. */
bool vip_shifts_ports(const struct vip *v);
