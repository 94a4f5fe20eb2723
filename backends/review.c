/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The renderer lets nothing through that was not allowed, so what it cannot enforce is left out in
 * silence: a policy that denies a host name denies nobody. Here the same resolving is asked what
 * that was. Only objects that a commit changes are looked at, and what an administrator has
 * switched off himself is none of our business.
 *
 * A name may be reached through many groups in many ways; the search goes only where something is
 * missing and ends after HITS_MAX finds.
 */
#include "backends/review.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "backends/helper.h"
#include "backends/policy.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "schemas/schema_gen.h"

#define NAMES_MAX 4   /* in one warning */
#define HITS_MAX 64
#define DEPTH_MAX 16  /* groups in groups */

/* Names of what cannot be enforced, as a warning lists them. */
struct missing {
	struct str text;
	unsigned int n;
};

struct search {
	struct addresses *addresses;
	const struct vips *vips;
	struct missing named;     /* what would belong to the whole */
	struct missing excluded;  /* what would be taken out of it */
	unsigned int hits, depth;
};

static void search_done(struct search *s) {
	str_done(&s->named.text);
	str_done(&s->excluded.text);
}

static void missing_add(struct missing *m, const char *key, const char *what, const char *why) {
	AUTO_FREE char *item = xasprintf("\"%s\" (%s%s)", key, what, why);

	if (strstr(str_text(&m->text), item))
		return;
	if (m->n < NAMES_MAX)
		str_addf(&m->text, "%s%s", m->n ? ", " : "", item);
	else if (m->n == NAMES_MAX)
		str_add(&m->text, " and others");
	m->n++;
}

/* ---- what an object cannot enforce ---- */

static void search_object(struct search *s, const struct object *obj, bool excluded);

static void search_members(struct search *s, const struct object *holder, unsigned int attr,
			   bool excluded) {
	const struct value *v = object_has(holder, attr) ? object_value(holder, attr) : NULL;

	for (uint32_t i = 0; v && i < v->n && s->hits < HITS_MAX; i++) {
		const struct object *obj =
			model_resolve(s->addresses->model, &holder->table->attrs[attr],
				      value_item(v, i)->str);

		if (obj)
			search_object(s, obj, excluded);
	}
}

static const char *address_type(const struct object *obj) {
	const struct schema_attr *a = &obj->table->attrs[FIREWALL_ADDRESS__TYPE];

	return a->options[object_num(obj, FIREWALL_ADDRESS__TYPE)].name;
}

static void search_address(struct search *s, const struct object *obj, bool excluded) {
	if (!addresses_get(s->addresses, obj)->incomplete)
		return;
	if (obj->table->id == TBL_FIREWALL_ADDRESS) {
		missing_add(excluded ? &s->excluded : &s->named, obj->key, "type ",
			    address_type(obj));
		s->hits++;
	} else if (s->depth < DEPTH_MAX) {
		s->depth++;
		search_members(s, obj, FIREWALL_ADDRGRP__MEMBER, excluded);
		if (object_is(obj, FIREWALL_ADDRGRP__EXCLUDE, "enable"))
			search_members(s, obj, FIREWALL_ADDRGRP__EXCLUDE_MEMBER, !excluded);
		s->depth--;
	}
}

static bool vip_is_on(const struct object *obj) {
	return object_is(obj, FIREWALL_VIP__STATUS, "enable");
}

static void search_object(struct search *s, const struct object *obj, bool excluded) {
	const struct vip *vip;

	switch (obj->table->id) {
	case TBL_FIREWALL_VIP:
		vip = vips_find(s->vips, obj);
		if (vip && !vip->usable && vip_is_on(obj)) {
			missing_add(&s->named, obj->key, "", vip->why);
			s->hits++;
		}
		break;
	case TBL_FIREWALL_VIPGRP:
		search_members(s, obj, FIREWALL_VIPGRP__MEMBER, excluded);
		break;
	default:
		search_address(s, obj, excluded);
		break;
	}
}

/* ---- policies ---- */

/* Something that a policy asks for and is not wholly enforced. */
struct side {
	const char *name;
	const char *missing;  /* what would make it match more; "" when there is nothing */
	const char *spared;   /* what would make it match less */
	bool nothing;         /* it matches nothing at all */
};

static void side_review(const struct policy *p, const struct side *side, struct warnings *w) {
	const char *what = *side->missing ? side->missing : side->spared;

	if (!*what)
		return;
	if (side->nothing) {
		warn_add(w,
			 "firewall policy %u matches nothing: this unit cannot enforce its %s: %s",
			 p->id, side->name, what);
		return;
	}
	/* one that accepts leaves out all that it cannot tell from what it spares */
	if (*side->missing || p->accept)
		warn_add(w,
			 "firewall policy %u leaves out what this unit cannot enforce in its "
			 "%s: %s",
			 p->id, side->name, what);
	if (*side->spared && !p->accept)
		warn_add(w, "firewall policy %u denies what it should spare: "
			 "this unit cannot enforce all of its %s: %s",
			 p->id, side->name, side->spared);
}

static bool has_usable_vip(const struct policy *p) {
	for (uint32_t i = 0; i < p->n_vips; i++)
		if (p->vip[i]->usable)
			return true;
	return false;
}

static void addrs_review(struct policies *ps, const struct policy *p, unsigned int attr,
			 struct warnings *w) {
	const struct policy_addrs *addrs = attr == FIREWALL_POLICY__SRCADDR ? &p->src : &p->dst;
	struct search s = { .addresses = &ps->addresses, .vips = &ps->vips };
	struct side side = { .name = p->obj->table->attrs[attr].name };

	search_members(&s, p->obj, attr, false);
	side.missing = str_text(addrs->negate ? &s.excluded.text : &s.named.text);
	side.spared = str_text(addrs->negate ? &s.named.text : &s.excluded.text);
	side.nothing = addrs->match.n == 0 && (addrs == &p->src || !has_usable_vip(p));
	side_review(p, &side, w);
	search_done(&s);
}

static void service_review(const struct policy *p, struct warnings *w) {
	static const char what[] = "services of a server, a host name, an application or a proxy";
	bool partly = p->service.incomplete && !p->service.any;
	struct side side = { .name = "service",
			     .missing = partly && !p->service_negate ? what : "",
			     .spared = partly && p->service_negate ? what : "",
			     .nothing = p->service_negate ? p->accept : p->service.n == 0 };

	side_review(p, &side, w);
}

static void policy_review(struct policies *ps, const struct policy *p, struct warnings *w) {
	const char *criterion = policy_unenforced(p->obj);

	if (object_is(p->obj, FIREWALL_POLICY__STATUS, "disable"))
		return;
	if (object_is(p->obj, FIREWALL_POLICY__ACTION, "ipsec"))
		warn_add(w, "firewall policy %u denies: this unit cannot enforce action ipsec",
			 p->id);
	if (criterion)
		warn_add(w, "firewall policy %u %s: this unit cannot enforce its %s", p->id,
			 p->accept ? "matches nothing" : "denies what it should spare", criterion);
	if (criterion && p->accept)
		return;
	addrs_review(ps, p, FIREWALL_POLICY__SRCADDR, w);
	addrs_review(ps, p, FIREWALL_POLICY__DSTADDR, w);
	service_review(p, w);
}

/* ---- other objects ---- */

static void vip_review(const struct policies *ps, const struct object *obj, struct warnings *w) {
	const struct vip *vip = vips_find(&ps->vips, obj);

	if (vip && !vip->usable && vip_is_on(obj))
		warn_add(w, "firewall vip %s takes no packet: %s", obj->key, vip->why);
}

/* New ones are warned of with what names them. */
static void address_review(struct policies *ps, const struct change *c, struct warnings *w) {
	struct search s = { .addresses = &ps->addresses, .vips = &ps->vips };

	if (!c->before || model_count_users(ps->addresses.model, c->after) == 0)
		return;
	search_object(&s, c->after, false);
	if (s.hits > 0)
		warn_add(w, "%s %s is in use, but this unit cannot enforce all of it: %s",
			 c->after->table->path, c->after->key,
			 str_text(s.named.n ? &s.named.text : &s.excluded.text));
	search_done(&s);
}

/* ---- sessions ---- */

static const char *option_of(const struct object *obj, unsigned int attr) {
	const struct value *v = object_value(obj, attr);

	return v ? obj->table->attrs[attr].options[value_item(v, 0)->num].name : "";
}

static void helper_review(const struct object *obj, uint32_t helpers, struct warnings *w) {
	const char *name = option_of(obj, SYSTEM_SESSION_HELPER__NAME);
	uint8_t proto = (uint8_t)object_num(obj, SYSTEM_SESSION_HELPER__PROTOCOL);

	if (helper_find(helpers, name, proto) < 0)
		warn_add(w,
			 "system session-helper %s does nothing: this unit has no helper %s "
			 "for protocol %u",
			 obj->key, name, proto);
}

static void service_helper_review(const struct object *obj, uint32_t helpers, struct warnings *w) {
	const char *name = option_of(obj, FIREWALL_SERVICE_CUSTOM__HELPER);

	if (strcmp(name, "auto") == 0 || strcmp(name, "disable") == 0 ||
	    (object_get(obj, FIREWALL_SERVICE_CUSTOM__TCP_PORTRANGE) &&
	     helper_find(helpers, name, IPPROTO_TCP) >= 0) ||
	    (object_get(obj, FIREWALL_SERVICE_CUSTOM__UDP_PORTRANGE) &&
	     helper_find(helpers, name, IPPROTO_UDP) >= 0))
		return;
	warn_add(w,
		 "firewall service custom %s has no helper: this unit has no %s for its "
		 "protocols",
		 obj->key, name);
}

static void ttl_review(const struct object *obj, struct warnings *w) {
	const struct value *v = object_get(obj, SYSTEM_SESSION_TTL__PORT);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const struct object *entry = value_item(v, i)->entry;
		int64_t proto = object_num(entry, SYSTEM_SESSION_TTL_PORT__PROTOCOL);

		if (proto != 0 && proto != IPPROTO_TCP && proto != IPPROTO_UDP)
			warn_add(w,
				 "system session-ttl: port %s does nothing: this unit cannot "
				 "enforce times of protocol %lld",
				 entry->key, (long long)proto);
	}
}

/* Either table may have the secret, and either may lose it. */
static void cluster_review(const struct model *model, struct warnings *w) {
	const struct object *cluster =
		model_object(model, schema_table(TBL_SYSTEM_STANDALONE_CLUSTER));
	const struct object *scale = model_object(model, schema_table(TBL_SYSTEM_AUTO_SCALE));

	if (object_count(cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER) > 0 &&
	    !*object_str(cluster, SYSTEM_STANDALONE_CLUSTER__PSKSECRET) &&
	    !*object_str(scale, SYSTEM_AUTO_SCALE__PSKSECRET))
		warn_add(w, "system standalone-cluster: sessions are not shared without a "
			    "psksecret");
}

static void sessions_review(const struct commit *commit, uint32_t helpers) {
	for (size_t i = 0; i < commit->n_changes; i++) {
		const struct object *obj = commit->changes[i].after;

		if (!obj)
			continue;
		if (obj->table->id == TBL_SYSTEM_SESSION_HELPER)
			helper_review(obj, helpers, commit->warnings);
		else if (obj->table->id == TBL_FIREWALL_SERVICE_CUSTOM)
			service_helper_review(obj, helpers, commit->warnings);
		else if (obj->table->id == TBL_SYSTEM_SESSION_TTL)
			ttl_review(obj, commit->warnings);
		else if (obj->table->id == TBL_SYSTEM_STANDALONE_CLUSTER ||
			 obj->table->id == TBL_SYSTEM_AUTO_SCALE)
			cluster_review(commit->model, commit->warnings);
	}
}

static bool is_of(const struct change *c, unsigned int table) {
	return c->after && c->after->table->id == table;
}

void review_commit(const struct commit *commit, uint32_t helpers) {
	AUTO_FREE const struct object **changed = xcalloc(commit->n_changes, sizeof(*changed));
	size_t n = 0, others = 0; /* changed policies, other changed objects that are looked at */
	struct policies *ps;

	sessions_review(commit, helpers);
	for (size_t i = 0; i < commit->n_changes; i++) {
		const struct change *c = &commit->changes[i];

		if (is_of(c, TBL_FIREWALL_POLICY))
			changed[n++] = c->after;
		others += is_of(c, TBL_FIREWALL_VIP) || is_of(c, TBL_FIREWALL_ADDRESS) ||
			  is_of(c, TBL_FIREWALL_ADDRGRP);
	}
	if (!commit->warnings || n + others == 0)
		return;
	ps = policies_of(commit->model, changed, n, 0);
	for (size_t i = 0; i < ps->n; i++)
		policy_review(ps, &ps->policy[i], commit->warnings);
	for (size_t i = 0; i < commit->n_changes && others > 0; i++) {
		const struct change *c = &commit->changes[i];

		if (is_of(c, TBL_FIREWALL_VIP))
			vip_review(ps, c->after, commit->warnings);
		else if (is_of(c, TBL_FIREWALL_ADDRESS) || is_of(c, TBL_FIREWALL_ADDRGRP))
			address_review(ps, c, commit->warnings);
	}
	policies_free(ps);
}
