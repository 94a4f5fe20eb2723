/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * First match, one policy after the other, as an administrator would read the table. It shares with
 * the renderer only the resolved policies, none of the machinery that makes rules fast.
 */
#include "backends/lookup.h"

#include <string.h>

#include "backends/managed.h"
#include "schemas/schema_gen.h"

void lookup_translate(const struct model *model, const struct policies *ps,
		      const struct lookup_packet *p, struct lookup_result *ret) {
	struct names managed = managed_interfaces(model);
	struct vip_packet v = {
		.interface = p->in,
		.managed = names_have(&managed, p->in),
		.src = p->src,
		.dst = p->dst,
		.proto = p->proto,
		.dport = p->dport,
	};

	names_done(&managed);
	*ret = (struct lookup_result){ .dst = p->dst, .dport = p->dport };
	ret->vip = vips_match(&ps->vips, &v);
	if (!ret->vip)
		return;
	ret->dst = ret->vip->mapped + (p->dst - ret->vip->ext_lo);
	if (ret->vip->port_lo)
		ret->dport = (uint16_t)(ret->vip->mapped_port + (p->dport - ret->vip->port_lo));
}

static bool zone_has(const struct object *zone, const char *interface) {
	const struct value *v = object_value(zone, SYSTEM_ZONE__INTERFACE);

	for (uint32_t i = 0; v && i < v->n; i++)
		if (strcmp(value_item(v, i)->str, interface) == 0)
			return true;
	return false;
}

static bool names_interface(const struct model *model, const struct policy *p, unsigned int attr,
			    const char *interface) {
	const struct schema_attr *a = &p->obj->table->attrs[attr];
	const struct value *v = object_value(p->obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const char *name = value_item(v, i)->str;
		const struct object *zone = model_find(model, schema_table(TBL_SYSTEM_ZONE), name);

		if (model_builtin(a, name) ||
		    (zone ? zone_has(zone, interface) : strcmp(name, interface) == 0))
			return true;
	}
	return false;
}

static bool names_vip(const struct policy *p, const struct vip *vip) {
	for (uint32_t i = 0; i < p->n_vips; i++)
		if (p->vip[i] == vip)
			return true;
	return false;
}

static bool destination_fits(const struct policy *p, const struct lookup_result *r) {
	if (r->vip)
		return names_vip(p, r->vip) ||
		       (p->vip_sessions && ranges_contain(&p->dst.match, r->dst));
	return !p->only_vip_sessions && ranges_contain(&p->dst.match, r->dst);
}

static bool service_fits(const struct policy *p, const struct lookup_packet *packet,
			 const struct lookup_result *r) {
	bool ports = service_has_ports(packet->proto);
	struct service_packet s = {
		.proto = packet->proto,
		.icmp_type = packet->icmp_type,
		.icmp_code = packet->icmp_code,
		.sport = ports ? packet->sport : 0,
		.dport = ports ? r->dport : 0,
	};

	return services_match(&p->service, &s) != p->service_negate;
}

/* What of the policy does not fit, or NULL when all does. */
static const char *misfit(const struct model *model, const struct policy *p,
			  const struct lookup_packet *packet, const char *out,
			  const struct lookup_result *r) {
	if (!names_interface(model, p, FIREWALL_POLICY__SRCINTF, packet->in))
		return "srcintf";
	if (!names_interface(model, p, FIREWALL_POLICY__DSTINTF, out))
		return "dstintf";
	if (p->off)
		return p->why;
	if (!ranges_contain(&p->src.match, packet->src))
		return "srcaddr";
	if (!destination_fits(p, r))
		return "dstaddr";
	if (!service_fits(p, packet, r))
		return "service";
	return NULL;
}

void lookup_judge(const struct model *model, const struct policies *ps,
		  const struct lookup_packet *p, const char *out, struct lookup_result *ret) {
	for (size_t i = 0; i < ps->n; i++)
		if (!misfit(model, &ps->policy[i], p, out, ret)) {
			ret->by = &ps->policy[i];
			ret->policy = ret->by->id;
			ret->accept = ret->by->accept;
			return;
		}
}

unsigned int lookup_misfits(const struct model *model, const struct policies *ps,
			    const struct lookup_packet *p, const char *out,
			    const struct lookup_result *result,
			    struct lookup_misfit ret[LOOKUP_REASONS_MAX]) {
	unsigned int n = 0;

	for (size_t i = 0; i < ps->n && &ps->policy[i] != result->by && n < LOOKUP_REASONS_MAX;
	     i++) {
		const char *why = misfit(model, &ps->policy[i], p, out, result);

		if (!why || strcmp(why, "srcintf") == 0 || strcmp(why, "dstintf") == 0)
			continue;
		ret[n++] = (struct lookup_misfit){ &ps->policy[i], why };
	}
	return n;
}

void lookup_explain(const struct model *model, const struct policies *ps,
		    const struct lookup_packet *p, const char *out,
		    const struct lookup_result *result, struct str *text) {
	struct lookup_misfit found[LOOKUP_REASONS_MAX];
	unsigned int n = lookup_misfits(model, ps, p, out, result, found);

	for (unsigned int i = 0; i < n; i++)
		str_addf(text, "policy %u: %s does not match\n", found[i].policy->id,
			 found[i].why);
}
