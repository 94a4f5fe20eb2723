/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What single tables demand beyond their schema, one function a table, found through the table of
 * rules at the end. A rule looks at the object and, through the transaction, at what it names or
 * clashes with.
 */
#include "cfgdb/check.h"

#include <search.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/check_admin.h"
#include "schemas/schema_gen.h"

#define GROUP_DEPTH_MAX 16
#define SYNC_DEVICES_MAX 8       /* what replication has room for: backends/cluster.h */
#define DOWN_INTERFACES_MAX 16

/* ---- addresses ---- */

static int rule_address(const struct txn *t, const struct object *obj, struct err *err) {
	(void)t;
	if (object_is(obj, FIREWALL_ADDRESS__TYPE, "iprange") &&
	    object_ip(obj, FIREWALL_ADDRESS__END_IP).a <
		    object_ip(obj, FIREWALL_ADDRESS__START_IP).a)
		return err_set(err, ERR_IP_RANGE, "end-ip must be greater than start-ip\n"
			       "object check operator error, -45, discard the setting");
	return 0;
}

/* ---- groups of groups ---- */

/* Levels of groups below, or above, a group; each group is looked at once. */
struct group_walk {
	const struct txn *txn;
	const struct object *start;
	bool up;
	bool cycle;          /* start was met again */
	void *known;         /* tree of group_levels (tsearch) */
};

struct group_levels {
	const struct object *group;
	int levels;
};

struct group_step {
	struct group_walk *walk;
	int depth, levels;   /* of the group whose neighbours are visited */
};

static int compare_levels(const void *a, const void *b) {
	uintptr_t x = (uintptr_t)((const struct group_levels *)a)->group;
	uintptr_t y = (uintptr_t)((const struct group_levels *)b)->group;

	return (x > y) - (x < y);
}

static int group_levels(struct group_walk *walk, const struct object *group, int depth);

static void group_neighbour(struct group_step *step, const struct object *other) {
	int levels = 0;

	if (strcmp(other->key, step->walk->start->key) == 0) /* start itself, or what it replaces */
		step->walk->cycle = true;
	else
		levels = group_levels(step->walk, other, step->depth + 1);
	if (levels >= step->levels)
		step->levels = levels + 1;
}

static int group_below(void *arg, const struct object *holder, unsigned int attr,
		       const char *name) {
	struct group_step *step = arg;
	const struct object *start = step->walk->start, *sub;
	const struct schema_attr *a = &holder->table->attrs[attr];

	for (unsigned int i = 0; i < a->n_refs; i++) {
		if (a->refs[i] != start->table->id)
			continue;
		sub = strcmp(name, start->key) == 0 ? start
						    : txn_find(step->walk->txn, start->table, name);
		if (sub)
			group_neighbour(step, sub);
	}
	return 0;
}

static int group_above(void *arg, const struct object *holder, const struct schema_attr *attr) {
	struct group_step *step = arg;

	(void)attr;
	if (holder->table == step->walk->start->table)
		group_neighbour(step, holder);
	return 0;
}

/* Levels from group on, itself counted; the depth bounds what is looked at. */
static int group_levels(struct group_walk *walk, const struct object *group, int depth) {
	struct group_levels *known = xcalloc(1, sizeof(*known)), **there;
	struct group_step step = { walk, depth, 1 };

	known->group = group;
	there = tsearch(known, &walk->known, compare_levels);
	if (!there || *there != known) {
		step.levels = there ? (*there)->levels : 1;
		free(known);
		return step.levels;
	}
	if (depth <= GROUP_DEPTH_MAX && walk->up)
		txn_each_user(walk->txn, group, group_above, &step);
	else if (depth <= GROUP_DEPTH_MAX)
		object_each_ref(group, group_below, &step);
	known->levels = step.levels;
	return step.levels;
}

static int rule_group(const struct txn *t, const struct object *obj, struct err *err) {
	struct group_walk below = { .txn = t, .start = obj },
			  above = { .txn = t, .start = obj, .up = true };
	int levels = group_levels(&below, obj, 1) + group_levels(&above, obj, 1) - 1;

	tdestroy(below.known, free);
	tdestroy(above.known, free);
	if (!below.cycle && levels <= GROUP_DEPTH_MAX)
		return 0;
	return err_set(err, ERR_CONFLICT,
		       "Group '%s' would contain itself, or groups are nested deeper than %d.\n"
		       "object check operator error, -7, discard the setting",
		       obj->key, GROUP_DEPTH_MAX);
}

/* ---- schedules ---- */

static int rule_schedule_onetime(const struct txn *t, const struct object *obj, struct err *err) {
	(void)t;
	if (object_num(obj, FIREWALL_SCHEDULE_ONETIME__END) >
	    object_num(obj, FIREWALL_SCHEDULE_ONETIME__START))
		return 0;
	return err_set(err, ERR_VALUE, "end must be later than start\n"
		       "object check operator error, -651, discard the setting");
}

/* ---- virtual IPs ---- */

struct vip_check {
	const struct object *vip;
	const struct object *clash;
};

static bool ranges_meet(uint32_t a_lo, uint32_t a_hi, uint32_t b_lo, uint32_t b_hi) {
	return a_lo <= b_hi && b_lo <= a_hi;
}

static bool vip_same_interface(const struct object *a, const struct object *b) {
	const char *x = object_str(a, FIREWALL_VIP__EXTINTF),
		   *y = object_str(b, FIREWALL_VIP__EXTINTF);

	return strcmp(x, y) == 0 || strcmp(x, "any") == 0 || strcmp(y, "any") == 0;
}

static bool vip_same_ports(const struct object *a, const struct object *b) {
	const struct value *x = object_get(a, FIREWALL_VIP__EXTPORT),
			   *y = object_get(b, FIREWALL_VIP__EXTPORT);

	if (!x || !y)
		return true;
	if (object_num(a, FIREWALL_VIP__PROTOCOL) != object_num(b, FIREWALL_VIP__PROTOCOL))
		return false;
	return ranges_meet(value_item(x, 0)->ports.dst_lo, value_item(x, 0)->ports.dst_hi,
			   value_item(y, 0)->ports.dst_lo, value_item(y, 0)->ports.dst_hi);
}

/* With source filters on both, they clash only where a source passes both. */
static bool vip_same_sources(const struct object *a, const struct object *b) {
	const struct value *x = object_get(a, FIREWALL_VIP__SRC_FILTER),
			   *y = object_get(b, FIREWALL_VIP__SRC_FILTER);

	if (!x || !y)
		return !x && !y;
	for (uint32_t i = 0; i < x->n; i++)
		for (uint32_t j = 0; j < y->n; j++)
			if (ranges_meet(value_item(x, i)->ip.a, value_item(x, i)->ip.b,
					value_item(y, j)->ip.a, value_item(y, j)->ip.b))
				return true;
	return false;
}

/*
 * What a virtual IP takes, as one range of numbers: an address is 65,536 of them, one for each
 * port. That of several addresses with ports is wider than it need be.
 */
static struct span vip_span(const struct object *vip) {
	struct ipv4_pair ip = object_ip(vip, FIREWALL_VIP__EXTIP);
	const struct value *v = object_get(vip, FIREWALL_VIP__EXTPORT);
	struct span span = { (uint64_t)ip.a << 16, (uint64_t)ip.b << 16 | 65535 };

	if (v && ip.a == ip.b) {
		span.hi = span.lo + value_item(v, 0)->ports.dst_hi;
		span.lo += value_item(v, 0)->ports.dst_lo;
	}
	return span;
}

static int vip_compare(void *arg, const struct object *other) {
	struct vip_check *c = arg;
	struct ipv4_pair a = object_ip(c->vip, FIREWALL_VIP__EXTIP),
			 b = object_ip(other, FIREWALL_VIP__EXTIP);

	if (strcmp(other->key, c->vip->key) == 0 ||
	    object_is(other, FIREWALL_VIP__STATUS, "disable") || !vip_same_sources(c->vip, other) ||
	    !ranges_meet(a.a, a.b, b.a, b.b) || !vip_same_interface(c->vip, other) ||
	    !vip_same_ports(c->vip, other))
		return 0;
	c->clash = other;
	return 1;
}

/* Outside and inside must be of one size, or no mapping is one to one. */
static int vip_sizes(const struct object *vip, struct err *err) {
	struct ipv4_pair ext = object_ip(vip, FIREWALL_VIP__EXTIP);
	struct ipv4_pair mapped = object_ip(vip, FIREWALL_VIP__MAPPEDIP);
	const struct value *ep = object_get(vip, FIREWALL_VIP__EXTPORT);
	const struct value *mp = object_get(vip, FIREWALL_VIP__MAPPEDPORT);

	if (!object_is(vip, FIREWALL_VIP__TYPE, "static-nat"))
		return 0;
	if (ext.b - ext.a != mapped.b - mapped.a)
		return err_set(err, ERR_VIP, "extip and mappedip must hold equally many addresses\n"
			       "object check operator error, -36, discard the setting");
	if (ep && mp && value_item(ep, 0)->ports.dst_hi - value_item(ep, 0)->ports.dst_lo !=
				value_item(mp, 0)->ports.dst_hi - value_item(mp, 0)->ports.dst_lo)
		return err_set(err, ERR_VIP, "extport and mappedport must hold equally many ports\n"
			       "object check operator error, -36, discard the setting");
	return 0;
}

static int rule_vip(const struct txn *t, const struct object *obj, struct err *err) {
	struct vip_check c = { obj, NULL };
	int rc = vip_sizes(obj, err);

	if (rc || object_is(obj, FIREWALL_VIP__STATUS, "disable"))
		return rc;
	txn_each_meeting(t, obj->table, vip_span, vip_span(obj), vip_compare, &c);
	if (!c.clash)
		return 0;
	return err_set(err, ERR_VIP,
		       "The external address and port of '%s' are duplicated with another vip "
		       "'%s'\nobject check operator error, -36, discard the setting",
		       obj->key, c.clash->key);
}

/* ---- policies ---- */

static bool list_has(const struct object *obj, unsigned int attr, const char *name) {
	const struct value *v = object_get(obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++)
		if (strcmp(value_item(v, i)->str, name) == 0)
			return true;
	return false;
}

struct zone_search {
	const char *intf, *but;    /* a zone that does not count, or NULL */
	const struct object *zone; /* that holds it */
};

static int zone_holds(void *arg, const struct object *zone) {
	struct zone_search *s = arg;

	if (!list_has(zone, SYSTEM_ZONE__INTERFACE, s->intf) ||
	    (s->but && strcmp(zone->key, s->but) == 0))
		return 0;
	s->zone = zone;
	return 1;
}

/* The other half of zone_is_free(): policies name the zone, not what is in it. */
static int policy_names_zones(const struct txn *t, const struct object *obj, unsigned int attr,
			      struct err *err) {
	const struct value *v = object_get(obj, attr);

	for (uint32_t i = 0; v && i < v->n; i++) {
		struct zone_search s = { .intf = value_item(v, i)->str };

		if (txn_each_any_order(t, schema_tables[TBL_SYSTEM_ZONE], zone_holds, &s))
			return err_set(
				err, ERR_CONFLICT,
				"Interface '%s' is in zone '%s': name the zone\n"
				"node_check_object fail! for %s %s\n\n"
				"value parse error before '%s'",
				s.intf, s.zone->key, obj->table->attrs[attr].name, s.intf, s.intf);
	}
	return 0;
}

static int policy_has_number(const char *key, struct err *err) {
	return strcmp(key, "0") != 0 ? 0
				     : err_set(err, ERR_VALUE,
					       "node_check_object fail! for policyid 0\n\n"
					       "value parse error before '0'");
}

static int rule_policy(const struct txn *t, const struct object *obj, struct err *err) {
	int rc = policy_has_number(obj->key, err);

	if (rc)
		return rc;
	if (object_count(obj, FIREWALL_POLICY__SERVICE) > 1 &&
	    list_has(obj, FIREWALL_POLICY__SERVICE, "ALL"))
		return err_set(err, ERR_VALUE, "node_check_object fail! for service ALL\n\n"
			       "value parse error before 'ALL'");
	rc = policy_names_zones(t, obj, FIREWALL_POLICY__SRCINTF, err);
	return rc ? rc : policy_names_zones(t, obj, FIREWALL_POLICY__DSTINTF, err);
}

/* ---- the unit itself ---- */

/* A name that is fit for a prompt: tools recognise it by these characters. */
static int rule_global(const struct txn *t, const struct object *obj, struct err *err) {
	static const char fit[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz-_";
	const char *name = object_str(obj, SYSTEM_GLOBAL__HOSTNAME);

	(void)t;
	if (name[strspn(name, fit)] == '\0')
		return 0;
	return err_set(err, ERR_VALUE,
		       "a host name holds letters, digits, - and _\n"
		       "node_check_object fail! for hostname %s\n\nvalue parse error before '%s'",
		       name, name);
}

static int rule_session_ttl(const struct txn *t, const struct object *obj, struct err *err) {
	const struct value *ports = object_get(obj, SYSTEM_SESSION_TTL__PORT);

	(void)t;
	for (uint32_t i = 0; ports && i < ports->n; i++) {
		const struct object *entry = value_item(ports, i)->entry;

		if (object_num(entry, SYSTEM_SESSION_TTL_PORT__END_PORT) <
		    object_num(entry, SYSTEM_SESSION_TTL_PORT__START_PORT))
			return err_set(err, ERR_PORT_RANGE,
				       "end-port must not be below start-port\n"
				       "object check operator error, -363, discard the setting");
	}
	return 0;
}

/* ---- interfaces, zones, routes ---- */

struct overlap_check {
	const struct object *intf;
	const struct object *other;
};

static bool intf_subnet(const struct object *intf, struct ipv4_pair *ip) {
	*ip = object_ip(intf, SYSTEM_INTERFACE__IP);
	return ip->a != 0 && ip->b != 0;
}

static struct span intf_span(const struct object *intf) {
	struct ipv4_pair ip;

	if (!intf_subnet(intf, &ip))
		return (struct span){ 0, 0 };
	return (struct span){ ip.a & ip.b, ip.a | (uint32_t)~ip.b };
}

static int intf_compare(void *arg, const struct object *other) {
	struct overlap_check *c = arg;
	struct ipv4_pair a, b;
	uint32_t mask;

	if (strcmp(other->key, c->intf->key) == 0 || !intf_subnet(c->intf, &a) ||
	    !intf_subnet(other, &b))
		return 0;
	mask = a.b & b.b;
	if ((a.a & mask) != (b.a & mask))
		return 0;
	c->other = other;
	return 1;
}

static uint32_t peer_address(const struct object *peer) {
	return object_ip(peer, SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__PEERIP).a;
}

/* The other half of rule_standalone_cluster(): an address may not become that of a peer. */
static int intf_is_no_peer(const struct txn *t, const struct object *obj, struct err *err) {
	const struct object *cluster = txn_object(t, schema_tables[TBL_SYSTEM_STANDALONE_CLUSTER]);
	const struct value *peers = object_get(cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER);
	uint32_t ip = object_ip(obj, SYSTEM_INTERFACE__IP).a;

	for (uint32_t i = 0; ip && peers && i < peers->n; i++)
		if (peer_address(value_item(peers, i)->entry) == ip)
			return err_set(err, ERR_CONFLICT,
				       "the address of '%s' is that of cluster-peer %s\n"
				       "object check operator error, -7, discard the setting",
				       obj->key, value_item(peers, i)->entry->key);
	return 0;
}

static int rule_interface(const struct txn *t, const struct object *obj, struct err *err) {
	const struct object *settings = txn_object(t, schema_tables[TBL_SYSTEM_SETTINGS]);
	const struct object *before = txn_active(t, obj->table, obj->key);
	struct overlap_check c = { obj, NULL };
	struct ipv4_pair now, old;
	int rc = intf_is_no_peer(t, obj, err);

	if (rc)
		return rc;
	/* what is there already, as found on the machine, may stay */
	if (object_is(settings, SYSTEM_SETTINGS__ALLOW_SUBNET_OVERLAP, "enable") ||
	    txn_is_as_found(t) || !intf_subnet(obj, &now))
		return 0;
	if (before && intf_subnet(before, &old) && old.a == now.a && old.b == now.b)
		return 0;
	txn_each_meeting(t, obj->table, intf_span, intf_span(obj), intf_compare, &c);
	if (!c.other)
		return 0;
	return err_set(err, ERR_OVERLAP,
		       "Subnets overlap between '%s' and the primary IP of '%s'\n"
		       "object set operator error, -54 discard the setting",
		       obj->key, c.other->key);
}

static int take_policy(void *arg, const struct object *holder, const struct schema_attr *attr) {
	(void)attr;
	if (holder->table->id != TBL_FIREWALL_POLICY)
		return 0;
	*(const struct object **)arg = holder;
	return 1;
}

/* Policies that name a member would no longer be what they say. */
static int zone_is_free(const struct txn *t, const struct object *obj, struct err *err) {
	const struct value *v = object_get(obj, SYSTEM_ZONE__INTERFACE);

	for (uint32_t i = 0; v && i < v->n; i++) {
		const char *name = value_item(v, i)->str;
		const struct object *intf = txn_find(t, schema_tables[TBL_SYSTEM_INTERFACE], name);
		const struct object *policy = NULL;

		if (intf && txn_each_user(t, intf, take_policy, &policy))
			return err_set(
				err, ERR_ZONE,
				"Interface '%s' cannot be in a zone: firewall policy %s names it\n"
				"node_check_object fail! for interface %s\n\n"
				"value parse error before '%s'",
				name, policy->key, name, name);
	}
	return 0;
}

static int rule_zone(const struct txn *t, const struct object *obj, struct err *err) {
	const struct value *v = object_get(obj, SYSTEM_ZONE__INTERFACE);

	for (uint32_t i = 0; v && i < v->n; i++) {
		struct zone_search s = { .intf = value_item(v, i)->str, .but = obj->key };

		if (txn_each_any_order(t, obj->table, zone_holds, &s))
			return err_set(err, ERR_CONFLICT,
				       "Interface '%s' is in zone '%s' already\n\n"
				       "value parse error before '%s'",
				       s.intf, s.zone->key, s.intf);
	}
	return zone_is_free(t, obj, err);
}

static int rule_static(const struct txn *t, const struct object *obj, struct err *err) {
	(void)t;
	if (object_is(obj, ROUTER_STATIC__BLACKHOLE, "enable") ||
	    object_is(obj, ROUTER_STATIC__STATUS, "disable") ||
	    *object_str(obj, ROUTER_STATIC__DEVICE))
		return 0;
	if (object_get(obj, ROUTER_STATIC__SDWAN_ZONE))
		return 0;
	return err_set(err, ERR_EMPTY, "Attribute 'device' MUST be set.");
}

static int rule_settings(const struct txn *t, const struct object *obj, struct err *err) {
	(void)t;
	if (!object_is(obj, SYSTEM_SETTINGS__OPMODE, "transparent"))
		return 0;
	return err_set(err, ERR_OPMODE, "This product routes: it has no transparent mode.\n"
		       "node_check_object fail! for opmode transparent\n"
		       "Attribute 'opmode' value 'transparent' checking fail -7610");
}

/* ---- other names ---- */

int check_rename_rules(const struct txn *t, const struct object *obj, const struct object *renamed,
		       struct err *err) {
	if (obj->table->id == TBL_SYSTEM_ADMIN)
		return check_admin_rename(t, obj, renamed, err);
	if (obj->table->id == TBL_SYSTEM_INTERFACE)
		return err_set(err, ERR_CONFLICT,
			       "an interface is called as its device is: it cannot be renamed");
	return obj->table->id == TBL_FIREWALL_POLICY ? policy_has_number(renamed->key, err) : 0;
}

/* ---- members of a group of units ---- */

static int own_address(void *arg, const struct object *intf) {
	return object_ip(intf, SYSTEM_INTERFACE__IP).a == *(uint32_t *)arg;
}

static int check_names_room(const struct object *obj, unsigned int attr, uint32_t most,
			    struct err *err) {
	return object_count(obj, attr) <= most
		       ? 0
		       : err_set(err, ERR_MAX_ENTRIES,
				 "%s takes %u interfaces at most\n"
				 "object set operator error, -4 discard the setting",
				 obj->table->attrs[attr].name, most);
}

/* Why a unit cannot have this address; NULL: it can. */
static const char *objection_to_peer(const struct txn *t, uint32_t ip) {
	if (ip >> 24 == 0 || ip >> 24 >= 224)
		return "is no address that a unit can have";
	if (txn_each_any_order(t, schema_tables[TBL_SYSTEM_INTERFACE], own_address, &ip))
		return "is an address of this unit";
	return NULL;
}

static int rule_peer(const struct txn *t, const struct object *peer, struct err *err) {
	uint32_t ip = peer_address(peer);
	const char *why = ip ? objection_to_peer(t, ip) : NULL;     /* 0.0.0.0: not set */
	AUTO_STR struct str text = STR_INIT;

	value_print_ipv4(ip, &text);
	if (why)
		return err_set(err, ERR_VALUE,
			       "%s %s\n"
			       "node_check_object fail! for peerip %s\n\n"
			       "value parse error before '%s'",
			       str_text(&text), why, str_text(&text), str_text(&text));
	return check_names_room(
		peer, SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__DOWN_INTFS_BEFORE_SESS_SYNC,
		DOWN_INTERFACES_MAX, err);
}

static int rule_standalone_cluster(const struct txn *t, const struct object *obj, struct err *err) {
	const struct value *peers = object_get(obj, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER);
	const struct object *ha = txn_object(t, schema_tables[TBL_SYSTEM_HA]);
	int rc = check_names_room(obj, SYSTEM_STANDALONE_CLUSTER__SESSION_SYNC_DEV,
				  SYNC_DEVICES_MAX, err);

	for (uint32_t i = 0; peers && i < peers->n && rc == 0; i++)
		rc = rule_peer(t, value_item(peers, i)->entry, err);
	if (rc)
		return rc;
	if (peers && !object_is(ha, SYSTEM_HA__MODE, "standalone"))
		return err_set(err, ERR_HA_AND_SYNC,
			       "session synchronization and HA mode exclude each other");
	return 0;
}

static int rule_ha(const struct txn *t, const struct object *obj, struct err *err) {
	const struct object *cluster = txn_object(t, schema_tables[TBL_SYSTEM_STANDALONE_CLUSTER]);

	if (object_is(obj, SYSTEM_HA__MODE, "standalone") ||
	    !object_get(cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER))
		return 0;
	return err_set(err, ERR_HA_AND_SYNC,
		       "session synchronization and HA mode exclude each other");
}

/* What is asked there decides who leads; the URL itself may hold a secret and is not repeated. */
static int rule_auto_scale(const struct txn *t, const struct object *obj, struct err *err) {
	static const char scheme[] = "https://";
	const char *url = object_str(obj, SYSTEM_AUTO_SCALE__CALLBACK_URL);

	(void)t;
	if (!*url || (strncasecmp(url, scheme, strlen(scheme)) == 0 && url[strlen(scheme)]))
		return 0;
	return err_set(err, ERR_VALUE,
		       "callback-url has the form https://HOST/PATH\n"
		       "object check operator error, -651, discard the setting");
}

static const struct {
	uint16_t table;
	int (*rule)(const struct txn *t, const struct object *obj, struct err *err);
} rules[] = {
	{ TBL_FIREWALL_ADDRESS, rule_address },
	{ TBL_FIREWALL_ADDRGRP, rule_group },
	{ TBL_FIREWALL_SERVICE_GROUP, rule_group },
	{ TBL_FIREWALL_SCHEDULE_ONETIME, rule_schedule_onetime },
	{ TBL_FIREWALL_VIP, rule_vip },
	{ TBL_FIREWALL_POLICY, rule_policy },
	{ TBL_SYSTEM_GLOBAL, rule_global },
	{ TBL_SYSTEM_ADMIN, check_admin },
	{ TBL_SYSTEM_SESSION_TTL, rule_session_ttl },
	{ TBL_SYSTEM_INTERFACE, rule_interface },
	{ TBL_SYSTEM_ZONE, rule_zone },
	{ TBL_ROUTER_STATIC, rule_static },
	{ TBL_SYSTEM_SETTINGS, rule_settings },
	{ TBL_SYSTEM_STANDALONE_CLUSTER, rule_standalone_cluster },
	{ TBL_SYSTEM_HA, rule_ha },
	{ TBL_SYSTEM_AUTO_SCALE, rule_auto_scale },
};

int check_delete_rules(const struct txn *t, const struct object *obj, struct err *err) {
	return obj->table->id == TBL_SYSTEM_ADMIN ? check_admin_delete(t, obj, err) : 0;
}

int check_purge_rules(const struct object *obj, struct err *err) {
	return obj->table->id == TBL_SYSTEM_ADMIN ? check_admin_purge(obj, err) : 0;
}

int check_rules(const struct txn *t, const struct object *obj, struct err *err) {
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (rules[i].table == obj->table->id)
			return rules[i].rule(t, obj, err);
	return 0;
}

/* ---- the form a table keeps ---- */

/* A name that covers everything, beside others, is what was left over: it goes. */
static void drop_beside_others(struct object *obj, unsigned int attr, const char *name) {
	struct value *v = object_get_mutable(obj, attr);

	for (uint32_t i = 0; v && v->n > 1 && i < v->n; i++)
		if (strcmp(value_item(v, i)->str, name) == 0)
			free(value_take_item(v, i--).str);
}

/* An empty password is none. */
static void drop_empty_password(struct object *admin) {
	if (strcmp(object_str(admin, SYSTEM_ADMIN__PASSWORD), "=") == 0)
		object_unset(admin, SYSTEM_ADMIN__PASSWORD);
}

void check_adjust(struct object *obj) {
	if (obj->table->id == TBL_SYSTEM_ADMIN)
		drop_empty_password(obj);
	if (obj->table->id != TBL_FIREWALL_POLICY)
		return;
	drop_beside_others(obj, FIREWALL_POLICY__SRCADDR, "all");
	drop_beside_others(obj, FIREWALL_POLICY__DSTADDR, "all");
	drop_beside_others(obj, FIREWALL_POLICY__SRCINTF, "any");
}
