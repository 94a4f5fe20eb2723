/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolving addresses. Subnets and ranges are known from the configuration alone; all other types
 * depend on something this renderer has no part in and are empty. Groups are unions, less their
 * excluded members. Results are kept, because thousands of policies name the same few objects.
 */
#include "backends/address.h"

#include <stdlib.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define DEPTH_MAX 64  /* groups in groups */

static int address_order(const struct address *a, const struct address *b) {
	return a->obj < b->obj ? -1 : a->obj > b->obj;
}

#ifndef __unused
#define __unused __attribute__((unused)) /* the tree macros of libbsd expect it */
#endif
RB_GENERATE_STATIC(address_tree, address, entry, address_order)

void addresses_init(struct addresses *as, const struct model *model) {
	*as = (struct addresses){ .model = model };
	RB_INIT(&as->tree);
}

void addresses_done(struct addresses *as) {
	struct address *a;

	while ((a = RB_MIN(address_tree, &as->tree))) {
		RB_REMOVE(address_tree, &as->tree, a);
		ranges_done(&a->plain);
		ranges_done(&a->strict);
		free(a);
	}
}

static void resolve_object(struct address *a) {
	const struct object *obj = a->obj;
	uint32_t lo, hi;

	if (object_is(obj, FIREWALL_ADDRESS__TYPE, "ipmask")) {
		struct ipv4_pair p = object_ip(obj, FIREWALL_ADDRESS__SUBNET);

		lo = p.a & p.b;
		hi = p.a | ~p.b;
		a->incomplete = value_mask_len(p.b) < 0;
	} else if (object_is(obj, FIREWALL_ADDRESS__TYPE, "iprange")) {
		lo = object_ip(obj, FIREWALL_ADDRESS__START_IP).a;
		hi = object_ip(obj, FIREWALL_ADDRESS__END_IP).a;
		a->incomplete = lo > hi;
	} else {
		a->incomplete = true;
	}
	if (a->incomplete)
		return;
	ranges_add(&a->plain, lo, hi);
	ranges_add(&a->strict, lo, hi);
}

static void add_members(struct addresses *as, const struct object *group, unsigned int attr,
			struct address *sum) {
	const struct value *v = object_value(group, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *obj =
			model_resolve(as->model, &group->table->attrs[attr], value_item(v, i)->str);
		const struct address *member = obj ? addresses_get(as, obj) : NULL;

		if (!member || member->busy) {
			sum->incomplete = true;
			continue;
		}
		ranges_add_all(&sum->plain, &member->plain);
		ranges_add_all(&sum->strict, &member->strict);
		sum->incomplete |= member->incomplete;
	}
	ranges_normalize(&sum->plain);
	ranges_normalize(&sum->strict);
}

static void resolve_group(struct addresses *as, struct address *a) {
	struct address out = { .incomplete = false };
	struct ranges plain, strict;

	add_members(as, a->obj, FIREWALL_ADDRGRP__MEMBER, a);
	if (!object_is(a->obj, FIREWALL_ADDRGRP__EXCLUDE, "enable"))
		return;
	add_members(as, a->obj, FIREWALL_ADDRGRP__EXCLUDE_MEMBER, &out);
	plain = ranges_minus(&a->plain, &out.plain);
	strict = out.incomplete ? (struct ranges){ NULL, 0 } : ranges_minus(&a->strict, &out.plain);
	a->incomplete |= out.incomplete;
	ranges_done(&a->plain);
	ranges_done(&a->strict);
	ranges_done(&out.plain);
	ranges_done(&out.strict);
	a->plain = plain;
	a->strict = strict;
}

const struct address *addresses_get(struct addresses *as, const struct object *obj) {
	struct address probe = { .obj = obj };
	struct address *a = RB_FIND(address_tree, &as->tree, &probe);

	if (a)
		return a;
	a = xcalloc(1, sizeof(*a));
	a->obj = obj;
	RB_INSERT(address_tree, &as->tree, a);
	if (obj->table->id == TBL_FIREWALL_ADDRESS) {
		resolve_object(a);
	} else if (obj->table->id == TBL_FIREWALL_ADDRGRP && as->depth < DEPTH_MAX) {
		a->busy = true;
		as->depth++;
		resolve_group(as, a);
		as->depth--;
		a->busy = false;
	} else {
		a->incomplete = true;
	}
	return a;
}
