/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resolving policies. What a policy names is looked up once, so that rendering and lookup agree on
 * what it means.
 *
 * Nothing here lets more through than was written. An address that cannot be resolved is the empty
 * set (see address.h for where it is negated). A policy that accepts and asks for something this
 * product cannot recognise in a packet (users, devices, known services, reputation, type of
 * service) matches nothing; one that denies then denies whatever else it names. `ipsec` is treated
 * as deny, for nothing here would encrypt.
 */
#include "backends/policy.h"

#include <stdlib.h>
#include <string.h>

#include "backends/ruleset.h"
#include "backends/schedule.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define SEQ_BASE ((int64_t)1 << 29)
#define SEQ_SHIFT 22                 /* from MODEL_POS_GAP to a gap of 1024 */

static void addrs_add(struct policy_addrs *a, const struct address *address) {
	if ((a->n & (a->n - 1)) == 0)
		a->address =
			xreallocarray(a->address, a->n ? (size_t)a->n * 2 : 1, sizeof(*a->address));
	a->address[a->n++] = address;
}

static void vip_add(struct policy *p, const struct vip *vip) {
	if (!vip)
		return;
	if ((p->n_vips & (p->n_vips - 1)) == 0)
		p->vip = xreallocarray(p->vip, p->n_vips ? (size_t)p->n_vips * 2 : 1,
				       sizeof(*p->vip));
	p->vip[p->n_vips++] = vip;
}

static void add_group_vips(struct policies *ps, struct policy *p, const struct object *group) {
	const unsigned int attr = FIREWALL_VIPGRP__MEMBER;
	const struct value *v = object_value(group, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *vip = model_resolve(
			ps->addresses.model, &group->table->attrs[attr], value_item(v, i)->str);

		if (vip)
			vip_add(p, vips_find(&ps->vips, vip));
	}
}

static void add_address(struct policies *ps, struct policy *p, struct policy_addrs *a,
			const struct object *obj) {
	switch (obj->table->id) {
	case TBL_FIREWALL_VIP:
		vip_add(p, vips_find(&ps->vips, obj));
		break;
	case TBL_FIREWALL_VIPGRP:
		add_group_vips(ps, p, obj);
		break;
	default:
		addrs_add(a, addresses_get(&ps->addresses, obj));
		break;
	}
}

/* What the list matches, after negation. */
static void addrs_combine(struct policy_addrs *a, bool accept) {
	struct ranges sum = { NULL, 0 };
	bool incomplete = false;

	for (uint32_t i = 0; i < a->n; i++) {
		incomplete |= a->address[i]->incomplete;
		ranges_add_all(&sum, a->negate ? &a->address[i]->plain
					       : address_ranges(a->address[i], accept));
	}
	ranges_normalize(&sum);
	if (!a->negate) {
		a->match = sum;
		return;
	}
	if (a->n > 0 && !(accept && incomplete))
		a->match = ranges_complement(&sum);
	ranges_done(&sum);
}

static void resolve_addrs(struct policies *ps, struct policy *p, struct policy_addrs *a,
			  unsigned int attr, unsigned int negate) {
	const struct value *v = object_has(p->obj, attr) ? object_value(p->obj, attr) : NULL;

	a->negate = object_is(p->obj, negate, "enable");
	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *obj = model_resolve(
			ps->addresses.model, &p->obj->table->attrs[attr], value_item(v, i)->str);

		if (obj)
			add_address(ps, p, a, obj);
	}
	addrs_combine(a, p->accept);
}

const char *policy_unenforced(const struct object *obj) {
	static const uint16_t switches[] = {
		FIREWALL_POLICY__INTERNET_SERVICE, FIREWALL_POLICY__INTERNET_SERVICE_SRC,
		FIREWALL_POLICY__ZTNA_STATUS, FIREWALL_POLICY__NAT46, FIREWALL_POLICY__NAT64,
	};
	static const uint16_t lists[] = {
		FIREWALL_POLICY__GROUPS, FIREWALL_POLICY__USERS, FIREWALL_POLICY__FSSO_GROUPS,
		FIREWALL_POLICY__SRC_VENDOR_MAC, FIREWALL_POLICY__REPUTATION_MINIMUM,
		FIREWALL_POLICY__VLAN_FILTER, FIREWALL_POLICY__TOS_MASK,
	};

	for (size_t i = 0; i < ARRAY_LEN(switches); i++)
		if (object_is(obj, switches[i], "enable"))
			return obj->table->attrs[switches[i]].name;
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		if (object_get(obj, lists[i]))
			return obj->table->attrs[lists[i]].name;
	return NULL;
}

static const char *policy_off(const struct policies *ps, const struct policy *p, time_t now,
			      time_t *next) {
	const unsigned int attr = FIREWALL_POLICY__SCHEDULE;
	const struct object *schedule = model_resolve(
		ps->addresses.model, &p->obj->table->attrs[attr], object_str(p->obj, attr));
	const char *criterion;

	if (object_is(p->obj, FIREWALL_POLICY__STATUS, "disable"))
		return "status";
	if (!schedule || !schedule_active(ps->addresses.model, schedule, now, next))
		return "schedule";
	criterion = p->accept ? policy_unenforced(p->obj) : NULL;
	if (criterion)
		return criterion;
	if (p->src.match.n == 0)
		return "srcaddr";
	if (p->dst.match.n == 0 && p->n_vips == 0)
		return "dstaddr";
	if (p->service_negate ? p->service.any || (p->accept && p->service.incomplete)
			      : p->service.n == 0)
		return "service";
	return NULL;
}

/*
 * A schedule that ends is no change of policies: sessions live on, unless the policy wants them to
 * end with it. Whether it was the clock that ended it is not seen here: see kept.h.
 */
static unsigned int keeps_sessions(const struct policies *ps, const struct policy *p) {
	bool keep = ps->keep_sessions, over;

	if (ps->policies_choose)
		keep = object_is(p->obj, FIREWALL_POLICY__FIREWALL_SESSION_DIRTY, "check-new");
	over = p->accept && p->off && strcmp(p->why, "schedule") == 0;
	if (over && object_is(p->obj, FIREWALL_POLICY__SCHEDULE_TIMEOUT, "enable"))
		return 0;
	return (keep ? KEEP_SET : 0u) | (over ? KEEP_OVER : 0u);
}

/*
 * `utm` asks for sessions that a security profile inspected: there are none where none is enforced.
 */
unsigned int policy_logs(const struct object *obj) {
	if (!object_is(obj, FIREWALL_POLICY__LOGTRAFFIC, "all"))
		return 0;
	if (!object_is(obj, FIREWALL_POLICY__ACTION, "accept"))
		return POLICY_LOGS_DENIED;
	if (object_is(obj, FIREWALL_POLICY__LOGTRAFFIC_START, "enable"))
		return POLICY_LOGS_START | POLICY_LOGS_END;
	return POLICY_LOGS_END;
}

static void resolve_policy(struct policies *ps, struct policy *p, time_t now) {
	const struct object *obj = p->obj;
	bool deny = object_is(obj, FIREWALL_POLICY__ACTION, "deny");

	p->id = (uint32_t)strtoul(obj->key, NULL, 10);
	p->accept = object_is(obj, FIREWALL_POLICY__ACTION, "accept");
	p->logs_denied = policy_logs(obj) & POLICY_LOGS_DENIED;
	p->nat = p->accept && object_is(obj, FIREWALL_POLICY__NAT, "enable");
	p->vip_sessions = deny && object_is(obj, FIREWALL_POLICY__MATCH_VIP, "enable");
	p->only_vip_sessions = deny && object_is(obj, FIREWALL_POLICY__MATCH_VIP_ONLY, "enable");
	p->vip_sessions |= p->only_vip_sessions;
	resolve_addrs(ps, p, &p->src, FIREWALL_POLICY__SRCADDR, FIREWALL_POLICY__SRCADDR_NEGATE);
	resolve_addrs(ps, p, &p->dst, FIREWALL_POLICY__DSTADDR, FIREWALL_POLICY__DSTADDR_NEGATE);
	if (p->dst.negate)
		p->n_vips = 0;
	p->service = services_resolve(ps->addresses.model, obj, FIREWALL_POLICY__SERVICE);
	p->service_negate = object_is(obj, FIREWALL_POLICY__SERVICE_NEGATE, "enable");
	p->why = policy_off(ps, p, now, &ps->next_change);
	p->off = p->why != NULL;
	p->keeps_sessions = keeps_sessions(ps, p);
}

/* Places come from the positions in the table; neighbours too close for that are pushed apart. */
static bool number_by_position(struct policies *ps) {
	int64_t last = 0;

	for (size_t i = 0; i < ps->n; i++) {
		int64_t seq = SEQ_BASE + (ps->policy[i].obj->pos >> SEQ_SHIFT);

		if (seq <= last)
			seq = last + 1;
		if (seq > POLICY_SEQ_MAX)
			return false;
		ps->policy[i].seq = (uint32_t)seq;
		last = seq;
	}
	return true;
}

static void number_by_rank(struct policies *ps) {
	uint32_t gap = POLICY_SEQ_MAX / ((uint32_t)ps->n + 1);

	for (size_t i = 0; i < ps->n; i++)
		ps->policy[i].seq = (uint32_t)(i + 1) * gap;
}

/* Without a policy yet, with room for n. */
static struct policies *policies_make(const struct model *model, size_t n) {
	const struct object *settings = model_object(model, schema_table(TBL_SYSTEM_SETTINGS));
	const unsigned int dirty = SYSTEM_SETTINGS__FIREWALL_SESSION_DIRTY;
	struct policies *ps = xcalloc(1, sizeof(*ps));

	addresses_init(&ps->addresses, model);
	ps->vips = vips_resolve(model);
	ps->next_change = SCHEDULE_NEVER;
	ps->keep_sessions = object_is(settings, dirty, "check-new");
	ps->policies_choose = object_is(settings, dirty, "check-policy-option");
	ps->policy = xcalloc(n, sizeof(*ps->policy));
	return ps;
}

static void policies_add(struct policies *ps, const struct object *obj, time_t now) {
	ps->policy[ps->n].obj = obj;
	resolve_policy(ps, &ps->policy[ps->n++], now);
}

struct policies *policies_of(const struct model *model, const struct object *const objs[], size_t n,
			     time_t now) {
	struct policies *ps = policies_make(model, n);

	for (size_t i = 0; i < n; i++)
		policies_add(ps, objs[i], now);
	return ps;
}

struct policies *policies_new(const struct model *model, time_t now) {
	const struct schema_table *table = schema_table(TBL_FIREWALL_POLICY);
	struct policies *ps = policies_make(model, model_count(model, table));

	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj))
		policies_add(ps, obj, now);
	if (!number_by_position(ps))
		number_by_rank(ps);
	return ps;
}

struct policies *policies_free(struct policies *ps) {
	if (!ps)
		return NULL;
	for (size_t i = 0; i < ps->n; i++) {
		struct policy *p = &ps->policy[i];

		free(p->src.address);
		free(p->dst.address);
		free(p->vip);
		ranges_done(&p->src.match);
		ranges_done(&p->dst.match);
		services_done(&p->service);
	}
	addresses_done(&ps->addresses);
	vips_done(&ps->vips);
	free(ps->policy);
	free(ps);
	return NULL;
}
