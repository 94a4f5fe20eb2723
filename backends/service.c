/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolving services. A service is a union of specs: ports of TCP, UDP, UDP-Lite and SCTP, whole IP
 * protocols, types of ICMP. The union that a policy names is made short: specs that differ in their
 * destination ports only and overlap or touch are joined, and what covers all stands alone.
 *
 * Policies are about IPv4, so services of ICMPv6 match nothing. Services limited to a server, a
 * host name or an application, and those of the web proxy, cannot be matched here: they are left
 * out and the union is marked incomplete.
 */
#include "backends/service.h"

#include <netinet/in.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define DEPTH_MAX 16

static void spec_add(struct services *s, struct service_spec spec) {
	if ((s->n & (s->n - 1)) == 0)
		s->spec = xreallocarray(s->spec, s->n ? (size_t)s->n * 2 : 1, sizeof(*s->spec));
	s->spec[s->n++] = spec;
}

static void add_ports(struct services *s, const struct object *obj, unsigned int attr,
		      uint8_t proto) {
	const struct value *v = object_value(obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		struct port_spec p = value_item(v, i)->ports;

		spec_add(s, (struct service_spec){ .kind = SERVICE_PORTS,
						   .proto = proto,
						   .dst_lo = p.dst_lo,
						   .dst_hi = p.dst_hi,
						   .src_lo = p.src_lo,
						   .src_hi = p.src_hi });
	}
}

/* A service that asks for more than protocol and ports cannot be matched. */
static bool service_is_plain(const struct object *obj) {
	struct ipv4_pair server = object_ip(obj, FIREWALL_SERVICE_CUSTOM__IPRANGE);

	return server.a == 0 && server.b == 0 &&
	       *object_str(obj, FIREWALL_SERVICE_CUSTOM__FQDN) == '\0' &&
	       object_is(obj, FIREWALL_SERVICE_CUSTOM__APP_SERVICE_TYPE, "disable");
}

static void add_icmp(struct services *s, const struct object *obj) {
	struct service_spec spec = { .kind = SERVICE_ICMP,
				     .proto = IPPROTO_ICMP,
				     .icmp_code = SERVICE_ANY_CODE };

	if (!object_get(obj, FIREWALL_SERVICE_CUSTOM__ICMPTYPE)) {
		spec.kind = SERVICE_PROTO;
	} else {
		spec.icmp_type = (uint16_t)object_num(obj, FIREWALL_SERVICE_CUSTOM__ICMPTYPE);
		if (object_get(obj, FIREWALL_SERVICE_CUSTOM__ICMPCODE))
			spec.icmp_code =
				(uint16_t)object_num(obj, FIREWALL_SERVICE_CUSTOM__ICMPCODE);
	}
	spec_add(s, spec);
}

static void add_custom(void *arg, const struct object *obj) {
	struct services *s = arg;
	const unsigned int protocol = FIREWALL_SERVICE_CUSTOM__PROTOCOL;

	if (!service_is_plain(obj)) {
		s->incomplete = true;
	} else if (object_is(obj, protocol, "TCP/UDP/UDP-Lite/SCTP") ||
		   object_is(obj, protocol, "TCP/UDP/SCTP")) {
		add_ports(s, obj, FIREWALL_SERVICE_CUSTOM__TCP_PORTRANGE, IPPROTO_TCP);
		add_ports(s, obj, FIREWALL_SERVICE_CUSTOM__UDP_PORTRANGE, IPPROTO_UDP);
		add_ports(s, obj, FIREWALL_SERVICE_CUSTOM__UDPLITE_PORTRANGE, IPPROTO_UDPLITE);
		add_ports(s, obj, FIREWALL_SERVICE_CUSTOM__SCTP_PORTRANGE, IPPROTO_SCTP);
	} else if (object_is(obj, protocol, "ICMP")) {
		add_icmp(s, obj);
	} else if (object_is(obj, protocol, "IP")) {
		uint8_t number = (uint8_t)object_num(obj, FIREWALL_SERVICE_CUSTOM__PROTOCOL_NUMBER);

		spec_add(s, (struct service_spec){ .kind = number ? SERVICE_PROTO : SERVICE_ANY,
						   .proto = number });
	} else if (!object_is(obj, protocol, "ICMP6")) {
		s->incomplete = true;
	}
}

static int compare_address(const void *a, const void *b) {
	return (a > b) - (a < b);
}

static void keep(void *node) {
	(void)node; /* of the model */
}

/* A walk over the custom services that a list names. */
struct walk {
	const struct model *model;
	void (*visit)(void *arg, const struct object *custom);
	void *arg;
	void *seen;         /* what was taken already: groups may share members in many ways */
	bool incomplete;    /* something was named that is not there, or too deep */
};

static void walk_named(struct walk *w, const struct object *holder, unsigned int attr,
		       unsigned int depth) {
	const struct value *v = object_value(holder, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *obj =
			model_resolve(w->model, &holder->table->attrs[attr], value_item(v, i)->str);

		bool custom = obj && obj->table->id == TBL_FIREWALL_SERVICE_CUSTOM;

		if (!obj || (!custom && depth >= DEPTH_MAX))
			w->incomplete = true;
		else if (tfind(obj, &w->seen, compare_address) ||
			 !tsearch(obj, &w->seen, compare_address))
			continue;
		else if (custom)
			w->visit(w->arg, obj);
		else
			walk_named(w, obj, FIREWALL_SERVICE_GROUP__MEMBER, depth + 1);
	}
}

/* By everything but the destination ports first, then by those. */
static int spec_compare(const void *a, const void *b) {
	const struct service_spec *x = a, *y = b;
	const int fields[][2] = {
		{ x->kind, y->kind },		{ x->proto, y->proto },
		{ x->src_lo, y->src_lo },	{ x->src_hi, y->src_hi },
		{ x->icmp_type, y->icmp_type }, { x->icmp_code, y->icmp_code },
		{ x->dst_lo, y->dst_lo },	{ x->dst_hi, y->dst_hi },
	};

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (fields[i][0] != fields[i][1])
			return fields[i][0] < fields[i][1] ? -1 : 1;
	return 0;
}

static bool spec_join(struct service_spec *a, const struct service_spec *b) {
	if (a->kind != b->kind || a->proto != b->proto || a->src_lo != b->src_lo ||
	    a->src_hi != b->src_hi || a->icmp_type != b->icmp_type ||
	    a->icmp_code != b->icmp_code || b->dst_lo > (uint32_t)a->dst_hi + 1)
		return false;
	if (b->dst_hi > a->dst_hi)
		a->dst_hi = b->dst_hi;
	return true;
}

static void services_shorten(struct services *s) {
	uint32_t n = 0;

	if (s->n > 1)
		qsort(s->spec, s->n, sizeof(*s->spec), spec_compare);
	for (uint32_t i = 0; i < s->n; i++)
		if (n == 0 || !spec_join(&s->spec[n - 1], &s->spec[i]))
			s->spec[n++] = s->spec[i];
	s->n = n;
	s->any = n > 0 && s->spec[0].kind == SERVICE_ANY;
	if (s->any)
		s->n = 1;
}

struct services services_resolve(const struct model *model, const struct object *obj,
				 unsigned int attr) {
	struct services s = { .n = 0 };
	struct walk w = { .model = model, .visit = add_custom, .arg = &s };

	walk_named(&w, obj, attr, 0);
	tdestroy(w.seen, keep);
	s.incomplete |= w.incomplete;
	services_shorten(&s);
	return s;
}

struct services services_of(const struct object *custom) {
	struct services s = { .n = 0 };

	add_custom(&s, custom);
	services_shorten(&s);
	return s;
}

void services_done(struct services *s) {
	free(s->spec);
	*s = (struct services){ .n = 0 };
}

static bool spec_match(const struct service_spec *s, const struct service_packet *p) {
	if (s->kind == SERVICE_ANY)
		return true;
	if (s->proto != p->proto)
		return false;
	if (s->kind == SERVICE_PORTS)
		return p->dport >= s->dst_lo && p->dport <= s->dst_hi && p->sport >= s->src_lo &&
		       p->sport <= s->src_hi;
	return s->kind == SERVICE_PROTO ||
	       (s->icmp_type == p->icmp_type &&
		(s->icmp_code == SERVICE_ANY_CODE || s->icmp_code == p->icmp_code));
}

bool services_match(const struct services *s, const struct service_packet *p) {
	for (uint32_t i = 0; i < s->n; i++)
		if (spec_match(&s->spec[i], p))
			return true;
	return false;
}

/* ---- one by one ---- */

static void add_use(void *arg, const struct object *custom) {
	struct service_uses *u = arg;

	if ((u->n & (u->n - 1)) == 0)
		u->use = xreallocarray(u->use, u->n ? (size_t)u->n * 2 : 1, sizeof(*u->use));
	u->use[u->n++] = (struct service_use){ .obj = custom };
}

bool service_any(const struct model *model, bool (*counts)(const struct object *custom)) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_SERVICE_CUSTOM);
	const struct object *obj = model_first(model, table);

	while (obj && !counts(obj))
		obj = model_next(model, obj);
	return obj != NULL;
}

struct service_uses service_uses_resolve(const struct model *model, const struct object *obj,
					 unsigned int attr,
					 bool (*counts)(const struct object *custom)) {
	struct service_uses u = { .n = 0 };
	struct walk w = { .model = model, .visit = add_use, .arg = &u };

	walk_named(&w, obj, attr, 0);
	tdestroy(w.seen, keep);
	while (u.n > 0 && counts && !counts(u.use[u.n - 1].obj))
		u.n--;
	for (uint32_t i = 0; i < u.n; i++) {
		add_custom(&u.use[i].specs, u.use[i].obj);
		services_shorten(&u.use[i].specs);
	}
	if (u.n == 0)
		service_uses_done(&u);
	return u;
}

void service_uses_done(struct service_uses *u) {
	for (uint32_t i = 0; i < u->n; i++)
		services_done(&u->use[i].specs);
	free(u->use);
	*u = (struct service_uses){ .n = 0 };
}

const struct service_use *service_uses_match(const struct service_uses *u,
					     const struct service_packet *p) {
	for (uint32_t i = 0; i < u->n; i++)
		if (services_match(&u->use[i].specs, p))
			return &u->use[i];
	return NULL;
}

bool service_has_ports(uint8_t proto) {
	return proto == IPPROTO_TCP || proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE ||
	       proto == IPPROTO_SCTP;
}
