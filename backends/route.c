/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Our routes carry our protocol number; no other is ever touched. The configuration's routes are
 * kept as a list; those whose links are up become routes of the kernel: several to one destination
 * with the same distance and priority are one route of several ways. The kernel's metric holds
 * distance and priority, so the best of those installed is used and the next one takes over.
 *
 * Bringing the kernel to the list is: dump, compare by destination and metric, add or replace what
 * differs, then delete what is left. Going back to the former list is the same with that list.
 */
#include "backends/route.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/reconcile.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

/* A route of the configuration. */
struct want {
	uint32_t seq;            /* its key */
	uint32_t dst, gateway, metric;
	uint8_t prefix;
	bool blackhole;
	char device[16];         /* "": as the gateway says */
};

struct wants {
	struct want *want;
	size_t n;
};

struct entries {
	struct route_entry *entry;
	size_t n, size;
};

struct route {
	struct rtnl *rtnl;
	struct reconcile reconcile;
};

/* ---- the configuration ---- */

/* Destinations that are not in dst would make a default route of it. */
static bool is_plain(const struct object *obj) {
	return object_is(obj, ROUTER_STATIC__STATUS, "enable") &&
	       *object_str(obj, ROUTER_STATIC__DSTADDR) == '\0' &&
	       object_num(obj, ROUTER_STATIC__INTERNET_SERVICE) == 0 &&
	       *object_str(obj, ROUTER_STATIC__INTERNET_SERVICE_CUSTOM) == '\0' &&
	       object_is(obj, ROUTER_STATIC__DYNAMIC_GATEWAY, "disable") &&
	       object_is(obj, ROUTER_STATIC__SDWAN, "disable") &&
	       !object_get(obj, ROUTER_STATIC__SDWAN_ZONE) &&
	       object_num(obj, ROUTER_STATIC__VRF) == 0;
}

static bool want_read(struct want *w, const struct object *obj) {
	struct ipv4_pair dst = object_ip(obj, ROUTER_STATIC__DST);
	int prefix = value_mask_len(dst.b);

	if (!is_plain(obj) || prefix < 0)
		return false;
	*w = (struct want){
		.seq = (uint32_t)strtoul(obj->key, NULL, 10),
		.dst = dst.a & dst.b,
		.prefix = (uint8_t)prefix,
		.metric = route_metric((unsigned int)object_num(obj, ROUTER_STATIC__DISTANCE),
				       (unsigned int)object_num(obj, ROUTER_STATIC__PRIORITY)),
		.blackhole = object_is(obj, ROUTER_STATIC__BLACKHOLE, "enable"),
	};
	if (w->blackhole)
		return true;
	w->gateway = object_ip(obj, ROUTER_STATIC__GATEWAY).a;
	strncpy(w->device, object_str(obj, ROUTER_STATIC__DEVICE), sizeof(w->device) - 1);
	return w->gateway != 0 || w->device[0] != '\0';
}

/* By destination and metric; a blackhole comes after the ways it would shadow. */
static int want_order(const void *a, const void *b) {
	const struct want *x = a, *y = b;
	const uint32_t keys[][2] = { { x->dst, y->dst },             { x->prefix, y->prefix },
				     { x->metric, y->metric },       { x->blackhole, y->blackhole },
				     { x->seq, y->seq } };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (keys[i][0] != keys[i][1])
			return keys[i][0] < keys[i][1] ? -1 : 1;
	return 0;
}

static void *wants_new(const struct model *model) {
	const struct schema_table *table = schema_table(TBL_ROUTER_STATIC);
	struct wants *ws = xcalloc(1, sizeof(*ws));

	ws->want = xcalloc(model_count(model, table), sizeof(*ws->want));
	for (const struct object *obj = model_first(model, table); obj;
	     obj = model_next(model, obj))
		if (want_read(&ws->want[ws->n], obj))
			ws->n++;
	qsort(ws->want, ws->n, sizeof(*ws->want), want_order);
	return ws;
}

static void wants_free(void *wants) {
	struct wants *ws = wants;

	if (ws)
		free(ws->want);
	free(ws);
}

/* ---- what is wanted, as routes of the kernel ---- */

static struct route_entry *entries_new(struct entries *es) {
	if (es->n == es->size) {
		es->size = es->size ? es->size * 2 : 16;
		es->entry = xreallocarray(es->entry, es->size, sizeof(*es->entry));
	}
	es->entry[es->n] = (struct route_entry){ .n_hops = 0 };
	return &es->entry[es->n++];
}

static bool same_place(const struct route_entry *e, const struct want *w) {
	return e->dst == w->dst && e->prefix == w->prefix && e->metric == w->metric;
}

static void entries_want(struct entries *es, const struct want *w, int index) {
	struct route_entry *e = es->n ? &es->entry[es->n - 1] : NULL;

	if (!e || !same_place(e, w)) {
		e = entries_new(es);
		e->dst = w->dst;
		e->prefix = w->prefix;
		e->metric = w->metric;
		e->protocol = RTNL_PROTOCOL;
		e->kind = w->blackhole ? ROUTE_BLACKHOLE : ROUTE_UNICAST;
	}
	if (!w->blackhole && e->kind == ROUTE_UNICAST && e->n_hops < ROUTE_HOPS_MAX)
		e->hop[e->n_hops++] = (struct route_hop){ w->gateway, index };
}

/* The link whose network holds an address, or 0. */
static int link_towards(const struct links *links, uint32_t addr) {
	for (size_t i = 0; i < links->n_addrs; i++) {
		const struct link_addr *a = &links->addr[i];
		uint32_t mask = a->prefix ? UINT32_MAX << (32 - a->prefix) : 0;

		if (((addr ^ a->peer) & mask) == 0)
			return a->index;
	}
	return 0;
}

/*
 * The link of a route, if it is up. A gateway outside the link's networks would be refused by the
 * kernel and make the whole route of several ways fail.
 */
static const struct link *want_link(const struct want *w, const struct links *links) {
	const struct link *l = w->device[0]
				       ? links_find(links, w->device)
				       : links_at(links, link_towards(links, w->gateway));

	return l && l->running ? l : NULL;
}

static struct entries entries_wanted(const struct wants *ws, const struct links *links) {
	struct entries es = { .n = 0 };

	for (size_t i = 0; i < ws->n; i++) {
		const struct want *w = &ws->want[i];
		const struct link *l = w->blackhole ? NULL : want_link(w, links);

		if (w->blackhole || l)
			entries_want(&es, w, l ? l->index : 0);
	}
	return es;
}

int route_each_waiting(struct rtnl *rtnl, const struct model *model,
		       void (*each)(void *arg, const struct route_entry *route,
				    const char *device),
		       void *arg) {
	struct links links;
	struct wants *ws;
	int rc = links_read(rtnl, &links);

	if (rc)
		return rc;
	ws = wants_new(model);
	for (size_t i = 0; i < ws->n; i++) {
		const struct want *w = &ws->want[i];
		const struct route_entry e = { .dst = w->dst,
					       .prefix = w->prefix,
					       .protocol = RTNL_PROTOCOL,
					       .metric = w->metric,
					       .hop = { { w->gateway, 0 } },
					       .n_hops = 1 };

		if (!w->blackhole && !want_link(w, &links))
			each(arg, &e, w->device);
	}
	wants_free(ws);
	links_done(&links);
	return 0;
}

/* ---- what is there ---- */

static void read_hops(const struct nlattr *attr, struct route_entry *e) {
	const struct rtnexthop *hop = mnl_attr_get_payload(attr);
	int len = mnl_attr_get_payload_len(attr);

	for (; RTNH_OK(hop, len) && e->n_hops < ROUTE_HOPS_MAX; hop = RTNH_NEXT(hop)) {
		int left = hop->rtnh_len - (int)sizeof(*hop);
		const struct rtattr *a = (const struct rtattr *)RTNH_DATA(hop);

		e->hop[e->n_hops].index = hop->rtnh_ifindex;
		for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
			if (a->rta_type == RTA_GATEWAY)
				e->hop[e->n_hops].gateway = ntohl(*(const uint32_t *)RTA_DATA(a));
		e->n_hops++;
		len -= NLMSG_ALIGN(hop->rtnh_len);
	}
}

static enum route_kind kind_of(uint8_t type) {
	switch (type) {
	case RTN_UNICAST:
		return ROUTE_UNICAST;
	case RTN_BLACKHOLE:
		return ROUTE_BLACKHOLE;
	case RTN_LOCAL:
		return ROUTE_LOCAL;
	default:
		return ROUTE_OTHER;
	}
}

static void read_attrs(const struct nlmsghdr *nlh, struct route_entry *e, uint32_t *table) {
	const struct nlattr *attr;
	struct route_hop single = { 0, 0 };

	mnl_attr_for_each(attr, nlh, sizeof(struct rtmsg))
		switch (mnl_attr_get_type(attr)) {
		case RTA_TABLE:
			*table = mnl_attr_get_u32(attr);
			break;
		case RTA_DST:
			e->dst = ntohl(mnl_attr_get_u32(attr));
			break;
		case RTA_PRIORITY:
			e->metric = mnl_attr_get_u32(attr);
			break;
		case RTA_GATEWAY:
			single.gateway = ntohl(mnl_attr_get_u32(attr));
			break;
		case RTA_OIF:
			single.index = (int)mnl_attr_get_u32(attr);
			break;
		case RTA_MULTIPATH:
			read_hops(attr, e);
			break;
		}
	if (e->n_hops == 0 && single.index)
		e->hop[e->n_hops++] = single;
}

struct visit {
	uint8_t protocol;
	void (*each)(void *arg, const struct route_entry *route);
	void *arg;
};

static int read_route(const struct nlmsghdr *nlh, void *arg) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct route_entry e = {
		.prefix = rtm->rtm_dst_len,
		.protocol = rtm->rtm_protocol,
		.kind = kind_of(rtm->rtm_type),
		.link_scope = rtm->rtm_scope == RT_SCOPE_LINK,
	};
	uint32_t table = rtm->rtm_table;
	struct visit *v = arg;

	if (rtm->rtm_family != AF_INET || (rtm->rtm_flags & RTM_F_CLONED) ||
	    (v->protocol && rtm->rtm_protocol != v->protocol))
		return MNL_CB_OK;
	read_attrs(nlh, &e, &table);
	e.link_down = rtm->rtm_flags & RTNH_F_LINKDOWN;
	if (table == RT_TABLE_MAIN)
		v->each(v->arg, &e);
	return MNL_CB_OK;
}

int route_each(struct rtnl *rtnl, uint8_t protocol,
	       void (*each)(void *arg, const struct route_entry *route), void *arg) {
	struct visit v = { protocol, each, arg };

	return rtnl_dump_routes(rtnl, protocol, read_route, &v);
}

static void keep(void *arg, const struct route_entry *route) {
	*entries_new(arg) = *route;
}

/* ---- changing the kernel ---- */

static void put_hops(struct nlmsghdr *nlh, const struct route_entry *e) {
	struct nlattr *nest;

	if (e->n_hops == 1) {
		if (e->hop[0].gateway)
			mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(e->hop[0].gateway));
		mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)e->hop[0].index);
		return;
	}
	nest = mnl_attr_nest_start(nlh, RTA_MULTIPATH);
	for (uint32_t i = 0; i < e->n_hops; i++) {
		struct rtnexthop *hop = mnl_nlmsg_get_payload_tail(nlh);

		*hop = (struct rtnexthop){ .rtnh_ifindex = e->hop[i].index };
		nlh->nlmsg_len += sizeof(*hop);
		if (e->hop[i].gateway)
			mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(e->hop[i].gateway));
		hop->rtnh_len = (uint16_t)((char *)mnl_nlmsg_get_payload_tail(nlh) - (char *)hop);
	}
	mnl_attr_nest_end(nlh, nest);
}

static bool all_on_link(const struct route_entry *e) {
	for (uint32_t i = 0; i < e->n_hops; i++)
		if (e->hop[i].gateway)
			return false;
	return true;
}

static int send_route(struct route *r, uint16_t type, uint16_t flags, const struct route_entry *e) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct rtmsg *rtm;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, type, flags, sizeof(*rtm), &header);

	rtm = header;
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = e->prefix;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTNL_PROTOCOL;
	rtm->rtm_type = e->kind == ROUTE_BLACKHOLE ? RTN_BLACKHOLE : RTN_UNICAST;
	rtm->rtm_scope =
		e->kind == ROUTE_UNICAST && all_on_link(e) ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	if (type == RTM_DELROUTE)
		rtm->rtm_scope = RT_SCOPE_NOWHERE;
	mnl_attr_put_u32(nlh, RTA_DST, htonl(e->dst));
	mnl_attr_put_u32(nlh, RTA_PRIORITY, e->metric);
	if (e->kind == ROUTE_UNICAST && type == RTM_NEWROUTE)
		put_hops(nlh, e);
	return rtnl_talk(r->rtnl, nlh);
}

static bool hops_equal(const struct route_entry *a, const struct route_entry *b) {
	return a->n_hops == b->n_hops && memcmp(a->hop, b->hop, a->n_hops * sizeof(a->hop[0])) == 0;
}

static int entry_order(const void *a, const void *b) {
	const struct route_entry *x = a, *y = b;

	if (x->dst != y->dst)
		return x->dst < y->dst ? -1 : 1;
	if (x->prefix != y->prefix)
		return x->prefix < y->prefix ? -1 : 1;
	return x->metric < y->metric ? -1 : x->metric > y->metric;
}

/* In a sorted list. */
static const struct route_entry *entries_find(const struct entries *es,
					      const struct route_entry *like) {
	return es->n ? bsearch(like, es->entry, es->n, sizeof(*es->entry), entry_order) : NULL;
}

static int refused(const struct wants *ws, const struct route_entry *e, int rc, struct err *err) {
	for (size_t i = 0; i < ws->n; i++)
		if (same_place(e, &ws->want[i]))
			return err_set(err, ERR_KERNEL, "the kernel refused router static %u: %s",
				       ws->want[i].seq, strerror(rc));
	return err_set(err, ERR_KERNEL, "the kernel refused a route: %s", strerror(rc));
}

/* What the kernel answers when a gateway is not on its link (yet), or the link has just gone. */
static bool is_waiting(int rc) {
	return rc == ENETUNREACH || rc == EHOSTUNREACH || rc == ENODEV || rc == ENETDOWN;
}

/* Try the ways of a route one by one and install those that can be used; false when none can. */
static bool install_some(struct route *r, const struct route_entry *e, uint16_t flags) {
	struct route_entry some = *e;

	some.n_hops = 0;
	for (uint32_t i = 0; i < e->n_hops; i++) {
		some.hop[some.n_hops++] = e->hop[i];
		if (send_route(r, RTM_NEWROUTE, flags, &some) != 0)
			some.n_hops--;
		else
			flags = NLM_F_CREATE | NLM_F_REPLACE;
	}
	return some.n_hops > 0;
}

/* Install a route in the place of `old` (or NULL), or remove that if it cannot be used now. */
static int install(struct route *r, const struct route_entry *e, const struct route_entry *old) {
	uint16_t flags = NLM_F_CREATE | (old ? NLM_F_REPLACE : NLM_F_EXCL);
	int rc = send_route(r, RTM_NEWROUTE, flags, e);

	if (!is_waiting(rc) && !(rc == EINVAL && e->n_hops > 1))
		return rc;
	if (e->n_hops > 1 && install_some(r, e, flags))
		return 0;
	if (old)
		send_route(r, RTM_DELROUTE, 0, old);
	return 0;
}

static int read_ours(struct route *r, struct links *links, struct entries *have, struct err *err) {
	int rc = links_read(r->rtnl, links);

	if (rc == 0)
		rc = route_each(r->rtnl, RTNL_PROTOCOL, keep, have);
	if (have->n)
		qsort(have->entry, have->n, sizeof(*have->entry), entry_order);
	return rc ? err_set(err, ERR_KERNEL, "routes cannot be read: %s", strerror(rc)) : 0;
}

static int install_all(struct route *r, const struct wants *ws, const struct entries *want,
		       const struct entries *have, struct err *err) {
	for (size_t i = 0; i < want->n; i++) {
		const struct route_entry *e = &want->entry[i], *old = entries_find(have, e);
		int rc = 0;

		if (!old || old->kind != e->kind || !hops_equal(old, e))
			rc = install(r, e, old);
		if (rc)
			return refused(ws, e, rc, err);
	}
	return 0;
}

static int remove_others(struct route *r, const struct entries *want, const struct entries *have,
			 struct err *err) {
	for (size_t i = 0; i < have->n; i++) {
		int rc = entries_find(want, &have->entry[i])
				 ? 0
				 : send_route(r, RTM_DELROUTE, 0, &have->entry[i]);

		if (rc && rc != ESRCH && rc != ENODEV)
			return err_set(err, ERR_KERNEL, "a route cannot be removed: %s",
				       strerror(rc));
	}
	return 0;
}

static int bring_to(void *owner, const void *wants, struct err *err) {
	static const struct wants none;
	const struct wants *ws = wants ? wants : &none;
	struct route *r = owner;
	struct entries have = { .n = 0 }, want = { .n = 0 };
	struct links links = { .n = 0 };
	int rc = read_ours(r, &links, &have, err);

	if (rc == 0) {
		want = entries_wanted(ws, &links);
		rc = install_all(r, ws, &want, &have, err);
	}
	if (rc == 0)
		rc = remove_others(r, &want, &have, err);
	links_done(&links);
	free(have.entry);
	free(want.entry);
	return rc;
}

/* ---- the backend ---- */

static const struct reconcile_ops ops = {
	.name = "route",
	.wants = wants_new,
	.forget = wants_free,
	.bring_to = bring_to,
};

struct route *route_new(struct err *err) {
	struct route *r = xcalloc(1, sizeof(*r));

	r->reconcile = (struct reconcile){ .ops = &ops, .owner = r };
	r->rtnl = rtnl_open(err);
	return r->rtnl ? r : route_free(r);
}

struct route *route_free(struct route *r) {
	if (!r)
		return NULL;
	reconcile_done(&r->reconcile);
	rtnl_close(r->rtnl);
	free(r);
	return NULL;
}

int route_reconcile(struct route *r, struct err *err) {
	return reconcile_again(&r->reconcile, err);
}

int route_remove(struct route *r, struct err *err) {
	return reconcile_remove(&r->reconcile, err);
}

struct backend route_backend(struct route *r) {
	return reconcile_backend(&r->reconcile);
}

/* ---- where a packet would go ---- */

static int read_answer(const struct nlmsghdr *nlh, void *arg) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct route_way *way = arg;

	if (nlh->nlmsg_type != RTM_NEWROUTE)
		return MNL_CB_OK;
	way->local = rtm->rtm_type == RTN_LOCAL || rtm->rtm_type == RTN_BROADCAST;
	if (rtm->rtm_type != RTN_UNICAST)
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			way->index = (int)mnl_attr_get_u32(attr);
		if (mnl_attr_get_type(attr) == RTA_GATEWAY && mnl_attr_get_payload_len(attr) == 4)
			way->gateway = ntohl(mnl_attr_get_u32(attr));
	}
	return MNL_CB_OK;
}

int route_way(struct rtnl *rtnl, uint32_t src, uint32_t dst, int in_index, struct route_way *ret) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct rtmsg *rtm;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_GETROUTE, 0, sizeof(*rtm), &header);

	*ret = (struct route_way){ .index = 0 };
	rtm = header;
	rtm->rtm_family = AF_INET;
	rtm->rtm_src_len = rtm->rtm_dst_len = 32;
	mnl_attr_put_u32(nlh, RTA_SRC, htonl(src));
	mnl_attr_put_u32(nlh, RTA_DST, htonl(dst));
	if (in_index)
		mnl_attr_put_u32(nlh, RTA_IIF, (uint32_t)in_index);
	return rtnl_query(rtnl, nlh, read_answer, ret);
}

int route_lookup(struct rtnl *rtnl, uint32_t src, uint32_t dst, int in_index) {
	struct route_way way;

	if (route_way(rtnl, src, dst, in_index, &way) != 0)
		return 0;
	return way.local ? -1 : way.index;
}
