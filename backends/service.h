/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Services and their groups as lists of things a packet can be. */
#pragma once

#include "cfgdb/model/model.h"

enum service_kind {
	SERVICE_ANY,    /* every packet */
	SERVICE_PROTO,  /* an IP protocol */
	SERVICE_PORTS,  /* a protocol with ports, and ranges of them */
	SERVICE_ICMP,   /* a type of ICMP, and a code unless it is SERVICE_ANY_CODE */
};

#define SERVICE_ANY_CODE 256

struct service_spec {
	uint8_t kind, proto;
	uint16_t dst_lo, dst_hi, src_lo, src_hi;
	uint16_t icmp_type, icmp_code;
};

/* Union of services. */
struct services {
	struct service_spec *spec;
	uint32_t n;
	bool any;           /* every packet is in it */
	bool incomplete;    /* part of it cannot be matched by this product and is left out */
};

/* A packet as services see it. ports are 0 for protocols without. */
struct service_packet {
	uint8_t proto, icmp_type, icmp_code;
	uint16_t sport, dport;
};

/* The union of the services and groups that an attribute names; release with services_done. */
struct services services_resolve(const struct model *model, const struct object *obj,
				 unsigned int attr);

/* A custom service alone; release with services_done. */
struct services services_of(const struct object *custom);

/* True when there is a custom service that `counts` picks. */
bool service_any(const struct model *model, bool (*counts)(const struct object *custom));

/* A custom service in the place where it is named. */
struct service_use {
	const struct object *obj;
	struct services specs; /* of it alone */
};

struct service_uses {
	struct service_use *use;
	uint32_t n;
};

/*
 * The custom services that an attribute names, itself or by groups, one by one in the order in
 * which it names them, up to the last that `counts` picks (NULL: all). Release with
 * service_uses_done.
 */
struct service_uses service_uses_resolve(const struct model *model, const struct object *obj,
					 unsigned int attr,
					 bool (*counts)(const struct object *custom));

/* Release what a list holds. */
void service_uses_done(struct service_uses *u);

/* The first of the services that the packet is in, or NULL. */
const struct service_use *service_uses_match(const struct service_uses *u,
					     const struct service_packet *p);

/* Release what a union holds. */
void services_done(struct services *s);

/* True when the packet is in the union. */
bool services_match(const struct services *s, const struct service_packet *p);

/* True when specs of this protocol have ports. */
bool service_has_ports(uint8_t proto);
