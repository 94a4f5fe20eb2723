/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolving virtual IPs. Static translation, with or without ports, is enforced; what would balance
 * load, look up names or translate between families is not usable and takes no packet.
 *
 * Of several that fit a packet, the more specific one takes it: one with ports before one without,
 * and among these one that names the interface before one of any interface; then the order of the
 * table decides. The renderer's chains follow the same order.
 */
#include "backends/vip.h"

#include <limits.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

static bool vip_refuse(struct vip *v, const char *why) {
	v->why = why;
	return false;
}

static void add_interfaces(struct vip *v, unsigned int attr) {
	const struct value *value = object_value(v->obj, attr);

	for (uint32_t i = 0; value && i < value->n; i++) {
		const char *name = value_item(value, i)->str;

		if (*name == '\0')
			continue;
		if (model_builtin(&v->obj->table->attrs[attr], name)) {
			v->any_interface = true;
			continue;
		}
		v->interface =
			xreallocarray(v->interface, v->n_interfaces + 1, sizeof(*v->interface));
		v->interface[v->n_interfaces++] = name;
	}
}

/* srcintf-filter, where it is set, says more than extintf. */
static void resolve_interfaces(struct vip *v) {
	if (object_get(v->obj, FIREWALL_VIP__SRCINTF_FILTER))
		add_interfaces(v, FIREWALL_VIP__SRCINTF_FILTER);
	if (v->n_interfaces == 0)
		add_interfaces(v, FIREWALL_VIP__EXTINTF);
}

static bool resolve_outside(struct vip *v, const struct model *model) {
	struct ipv4_pair ext = object_ip(v->obj, FIREWALL_VIP__EXTIP);
	const struct object *intf;

	v->ext_lo = ext.a;
	v->ext_hi = ext.b;
	if (ext.a != 0)
		return ext.a <= ext.b || vip_refuse(v, "extip is no range");
	intf = model_find(model, schema_table(TBL_SYSTEM_INTERFACE),
			  object_str(v->obj, FIREWALL_VIP__EXTINTF));
	v->ext_lo = v->ext_hi = intf ? object_ip(intf, SYSTEM_INTERFACE__IP).a : 0;
	return v->ext_lo != 0 || vip_refuse(v, "extip is that of an interface without address");
}

static bool resolve_ports(struct vip *v) {
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_SCTP, IPPROTO_ICMP };
	const struct value *ext = object_value(v->obj, FIREWALL_VIP__EXTPORT);
	const struct value *mapped = object_value(v->obj, FIREWALL_VIP__MAPPEDPORT);
	int64_t proto = object_num(v->obj, FIREWALL_VIP__PROTOCOL);

	if (!object_is(v->obj, FIREWALL_VIP__PORTFORWARD, "enable"))
		return true;
	if (proto < 0 || proto >= (int64_t)ARRAY_LEN(protos))
		return vip_refuse(v, "unknown protocol");
	v->proto = protos[proto];
	if (v->proto == IPPROTO_ICMP)
		return true;
	if (!ext || ext->n == 0)
		return vip_refuse(v, "no extport");
	v->port_lo = value_item(ext, 0)->ports.dst_lo;
	v->port_hi = value_item(ext, 0)->ports.dst_hi;
	v->mapped_port = v->port_lo;
	if (mapped && mapped->n > 0) {
		struct port_spec to = value_item(mapped, 0)->ports;

		v->mapped_port = to.dst_lo;
		if (to.dst_hi - to.dst_lo != v->port_hi - v->port_lo)
			return vip_refuse(v, "extport and mappedport differ in length");
	}
	return v->port_lo != 0 || vip_refuse(v, "port 0");
}

/* Ranges that are moved are written out one by one, so their size is bounded. */
static bool check_size(struct vip *v) {
	uint64_t addrs = (uint64_t)v->ext_hi - v->ext_lo + 1,
		 ports = (uint64_t)v->port_hi - v->port_lo + 1;
	uint64_t size = addrs > 1 ? addrs : 1;

	if (vip_shifts_ports(v))
		size *= ports;
	return size <= VIP_EXPAND_MAX || vip_refuse(v, "its ranges are too long");
}

static bool resolve_vip(struct vip *v, const struct model *model) {
	const struct value *mapped = object_value(v->obj, FIREWALL_VIP__MAPPEDIP);
	const struct value *sources = object_value(v->obj, FIREWALL_VIP__SRC_FILTER);

	resolve_interfaces(v);
	for (uint32_t i = 0; sources && i < sources->n; i++)
		ranges_add(&v->sources, value_item(sources, i)->ip.a, value_item(sources, i)->ip.b);
	ranges_normalize(&v->sources);
	if (object_is(v->obj, FIREWALL_VIP__STATUS, "disable"))
		return vip_refuse(v, "it is disabled");
	if (!object_is(v->obj, FIREWALL_VIP__TYPE, "static-nat") ||
	    object_is(v->obj, FIREWALL_VIP__NAT44, "disable"))
		return vip_refuse(v, "its type is not enforced");
	if (object_get(v->obj, FIREWALL_VIP__SERVICE))
		return vip_refuse(v, "its service is not enforced");
	if (!mapped || mapped->n != 1)
		return vip_refuse(v, "mappedip is not one address or range");
	if (!resolve_outside(v, model) || !resolve_ports(v))
		return false;
	v->mapped = value_item(mapped, 0)->ip.a;
	if (value_item(mapped, 0)->ip.b - v->mapped != v->ext_hi - v->ext_lo)
		return vip_refuse(v, "extip and mappedip differ in length");
	return check_size(v);
}

static uint32_t mark_of(const char *key) {
	uint32_t h = 2166136261u;

	while (*key)
		h = (h ^ (unsigned char)*key++) * 16777619u;
	return VIP_MARK_MIN + h % (VIP_MARK_MAX - VIP_MARK_MIN + 1);
}

static int mark_order(const void *a, const void *b) {
	const struct vip *const *x = a, *const *y = b;

	if ((*x)->mark != (*y)->mark)
		return (*x)->mark < (*y)->mark ? -1 : 1;
	return strcmp((*x)->obj->key, (*y)->obj->key);
}

/* Names that fall on one mark move to the next free one, always in the same way. */
static void draw_marks(struct vips *vs) {
	struct vip **sorted = xcalloc(vs->n, sizeof(*sorted));

	for (size_t i = 0; i < vs->n; i++) {
		vs->vip[i].mark = mark_of(vs->vip[i].obj->key);
		sorted[i] = &vs->vip[i];
	}
	qsort(sorted, vs->n, sizeof(*sorted), mark_order);
	for (size_t i = 1; i < vs->n; i++)
		if (sorted[i]->mark <= sorted[i - 1]->mark)
			sorted[i]->mark = sorted[i - 1]->mark + 1;
	/*
	 * Past the end, which takes a billion names or one of a billion chances, there is room
	 * below.
	 */
	for (size_t i = vs->n; i-- > 0 && sorted[i]->mark > VIP_MARK_MAX - (vs->n - 1 - i);)
		sorted[i]->mark = VIP_MARK_MAX - (uint32_t)(vs->n - 1 - i);
	free(sorted);
}

static int object_order(const void *a, const void *b) {
	const struct vip *const *x = a, *const *y = b;

	return (*x)->obj < (*y)->obj ? -1 : (*x)->obj > (*y)->obj;
}

struct vips vips_resolve(const struct model *model) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_VIP);
	struct vips vs = { .n = 0 };

	vs.vip = xcalloc(model_count(model, table), sizeof(*vs.vip));
	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj)) {
		struct vip *v = &vs.vip[vs.n++];

		v->obj = obj;
		v->usable = resolve_vip(v, model);
	}
	draw_marks(&vs);
	vs.by_obj = xcalloc(vs.n, sizeof(*vs.by_obj));
	for (size_t i = 0; i < vs.n; i++)
		vs.by_obj[i] = &vs.vip[i];
	qsort(vs.by_obj, vs.n, sizeof(*vs.by_obj), object_order);
	return vs;
}

void vips_done(struct vips *vs) {
	for (size_t i = 0; i < vs->n; i++) {
		free(vs->vip[i].interface);
		ranges_done(&vs->vip[i].sources);
	}
	free(vs->vip);
	free(vs->by_obj);
	*vs = (struct vips){ .n = 0 };
}

const struct vip *vips_find(const struct vips *vs, const struct object *obj) {
	const struct vip probe = { .obj = obj }, *key = &probe;
	const struct vip **found =
		bsearch(&key, vs->by_obj, vs->n, sizeof(*vs->by_obj), object_order);

	return found ? *found : NULL;
}

bool vip_is_port(const struct vip *v) {
	return v->port_lo != 0 && v->port_lo == v->port_hi;
}

bool vip_shifts_ports(const struct vip *v) {
	return v->port_lo != 0 && v->mapped_port != v->port_lo;
}

static bool vip_takes(const struct vip *v, const struct vip_packet *p) {
	if (!v->usable || p->dst < v->ext_lo || p->dst > v->ext_hi ||
	    (v->proto && v->proto != p->proto) ||
	    (v->port_lo && (p->dport < v->port_lo || p->dport > v->port_hi)))
		return false;
	return v->sources.n == 0 || ranges_contain(&v->sources, p->src);
}

static bool vip_listens(const struct vip *v, const char *interface) {
	for (uint32_t i = 0; i < v->n_interfaces; i++)
		if (strcmp(v->interface[i], interface) == 0)
			return true;
	return false;
}

/*
 * The lower, the more specific: one port, then ranges of ports or a protocol, then everything. The
 * latter two are looked up by address, first those of the interface.
 */
static unsigned int vip_rank(const struct vip *v, bool any) {
	if (vip_is_port(v))
		return any ? 1 : 0;
	return (any ? 4u : 2u) + (v->proto ? 0 : 1);
}

const struct vip *vips_match(const struct vips *vs, const struct vip_packet *p) {
	const struct vip *best = NULL;
	unsigned int best_rank = UINT_MAX;

	for (size_t i = 0; i < vs->n; i++) {
		const struct vip *v = &vs->vip[i];
		bool listens = vip_listens(v, p->interface);
		unsigned int rank = vip_rank(v, !listens);

		if (!vip_takes(v, p) || (!listens && !(v->any_interface && p->managed)))
			continue;
		if (rank < best_rank) {
			best = v;
			best_rank = rank;
		}
	}
	return best;
}
