/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An outside address of a virtual IP that lies in the network of its interface, and is nobody's own
 * there, must be answered for by the unit, or nothing reaches it. The kernel answers for an address
 * when it has a proxy entry for it on the link and its route leads elsewhere; so each address gets
 * a proxy entry and a route to the loopback link. A packet that no virtual IP translates follows
 * that route, is judged like any other and, matching no policy, counted under policy 0.
 *
 * Addresses outside the interface's networks are routed to the unit by others and need no answer.
 * Both kinds of entries carry a protocol number of their own, by which they are found again.
 */
#include "backends/arp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/managed.h"
#include "backends/reconcile.h"
#include "backends/vip.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

/* Outside addresses that are answered for on an interface. */
struct want {
	char interface[16];
	uint32_t lo, hi;
};

struct wants {
	struct want *want;
	size_t n;
};

/* One address on one link. */
struct answer {
	uint32_t addr;
	int index;
};

struct answers {
	struct answer *answer;
	size_t n;
};

struct arp {
	struct rtnl *rtnl;
	struct reconcile reconcile;
};

/* ---- the configuration ---- */

static void wants_add(struct wants *ws, const char *interface, const struct vip *v) {
	struct want *w;

	if ((ws->n & (ws->n - 1)) == 0)
		ws->want = xreallocarray(ws->want, ws->n ? ws->n * 2 : 1, sizeof(*ws->want));
	w = &ws->want[ws->n++];
	*w = (struct want){ .lo = v->ext_lo, .hi = v->ext_hi };
	strncpy(w->interface, interface, sizeof(w->interface) - 1);
}

static void *wants_new(const struct model *model) {
	struct names managed = managed_interfaces(model);
	struct vips vips = vips_resolve(model);
	struct wants *ws = xcalloc(1, sizeof(*ws));

	for (size_t i = 0; i < vips.n; i++) {
		const struct vip *v = &vips.vip[i];

		if (!v->usable || object_is(v->obj, FIREWALL_VIP__ARP_REPLY, "disable"))
			continue;
		for (uint32_t j = 0; j < v->n_interfaces; j++)
			wants_add(ws, v->interface[j], v);
		for (size_t j = 0; v->any_interface && j < managed.n; j++)
			wants_add(ws, managed.name[j], v);
	}
	vips_done(&vips);
	names_done(&managed);
	return ws;
}

static void wants_free(void *wants) {
	struct wants *ws = wants;

	if (ws)
		free(ws->want);
	free(ws);
}

/* ---- addresses ---- */

static void answers_add(struct answers *as, struct answer a) {
	if ((as->n & (as->n - 1)) == 0)
		as->answer = xreallocarray(as->answer, as->n ? as->n * 2 : 1, sizeof(*as->answer));
	as->answer[as->n++] = a;
}

static int answer_order(const void *a, const void *b) {
	const struct answer *x = a, *y = b;

	if (x->addr != y->addr)
		return x->addr < y->addr ? -1 : 1;
	return x->index < y->index ? -1 : x->index > y->index;
}

/* Sorted, each once. */
static void answers_sort(struct answers *as) {
	size_t n = 0;

	if (as->n)
		qsort(as->answer, as->n, sizeof(*as->answer), answer_order);
	for (size_t i = 0; i < as->n; i++)
		if (n == 0 || answer_order(&as->answer[n - 1], &as->answer[i]) != 0)
			as->answer[n++] = as->answer[i];
	as->n = n;
}

static bool answers_have(const struct answers *as, const struct answer *a) {
	return as->n && bsearch(a, as->answer, as->n, sizeof(*a), answer_order);
}

static bool is_own(const struct links *links, uint32_t addr) {
	for (size_t i = 0; i < links->n_addrs; i++)
		if (links->addr[i].addr == addr)
			return true;
	return false;
}

/* The part of a range that lies in the network of an address of the link. */
static void add_part(struct answers *as, const struct links *links, const struct want *w,
		     const struct link_addr *a) {
	uint32_t rest = a->prefix ? UINT32_MAX >> 1 >> (a->prefix - 1) : UINT32_MAX;
	uint64_t lo = a->peer & ~rest, hi = a->peer | rest;

	if (a->prefix >= 31)
		return;
	if (w->lo > lo)
		lo = w->lo;
	if (w->hi < hi)
		hi = w->hi;
	for (uint64_t addr = lo; addr <= hi; addr++)
		if (!is_own(links, (uint32_t)addr))
			answers_add(as, (struct answer){ (uint32_t)addr, a->index });
}

static struct answers answers_wanted(const struct wants *ws, const struct links *links) {
	struct answers as = { .n = 0 };

	for (size_t i = 0; i < ws->n; i++) {
		const struct link *l = links_find(links, ws->want[i].interface);

		for (size_t j = 0; l && j < links->n_addrs; j++)
			if (links->addr[j].index == l->index)
				add_part(&as, links, &ws->want[i], &links->addr[j]);
	}
	answers_sort(&as);
	return as;
}

/* ---- what is there ---- */

static int read_proxy(const struct nlmsghdr *nlh, void *arg) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct answer a = { 0, ndm->ndm_ifindex };
	const struct nlattr *attr;
	uint8_t protocol = 0;

	mnl_attr_for_each(attr, nlh, sizeof(*ndm)) {
		if (mnl_attr_get_type(attr) == NDA_DST && mnl_attr_get_payload_len(attr) == 4)
			a.addr = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == NDA_PROTOCOL)
			protocol = mnl_attr_get_u8(attr);
	}
	if (protocol == RTNL_PROTOCOL_ARP)
		answers_add(arg, a);
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *nlh, void *arg) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	struct answer a = { 0, 0 };
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(*rtm))
		if (mnl_attr_get_type(attr) == RTA_DST)
			a.addr = ntohl(mnl_attr_get_u32(attr));
	if (rtm->rtm_protocol == RTNL_PROTOCOL_ARP)
		answers_add(arg, a);
	return MNL_CB_OK;
}

static int read_proxies(struct arp *arp, struct answers *ret) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ndmsg *ndm;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ndm), &header);

	ndm = header;
	ndm->ndm_family = AF_INET;
	ndm->ndm_flags = NTF_PROXY;
	return rtnl_query(arp->rtnl, nlh, read_proxy, ret);
}

/* ---- changing the kernel ---- */

static int set_proxy(struct arp *arp, bool add, const struct answer *a) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ndmsg *ndm;
	void *header;
	struct nlmsghdr *nlh =
		rtnl_message(data, add ? RTM_NEWNEIGH : RTM_DELNEIGH,
			     add ? NLM_F_CREATE | NLM_F_REPLACE : 0, sizeof(*ndm), &header);

	ndm = header;
	ndm->ndm_family = AF_INET;
	ndm->ndm_flags = NTF_PROXY;
	ndm->ndm_state = NUD_PERMANENT;
	ndm->ndm_ifindex = a->index;
	mnl_attr_put_u32(nlh, NDA_DST, htonl(a->addr));
	mnl_attr_put_u8(nlh, NDA_PROTOCOL, RTNL_PROTOCOL_ARP);
	return rtnl_talk(arp->rtnl, nlh);
}

static int set_route(struct arp *arp, bool add, uint32_t addr, int loopback) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct rtmsg *rtm;
	void *header;
	struct nlmsghdr *nlh =
		rtnl_message(data, add ? RTM_NEWROUTE : RTM_DELROUTE,
			     add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*rtm), &header);

	rtm = header;
	rtm->rtm_family = AF_INET;
	rtm->rtm_dst_len = 32;
	rtm->rtm_table = RT_TABLE_MAIN;
	rtm->rtm_protocol = RTNL_PROTOCOL_ARP;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = add ? RT_SCOPE_LINK : RT_SCOPE_NOWHERE;
	mnl_attr_put_u32(nlh, RTA_DST, htonl(addr));
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)loopback);
	return rtnl_talk(arp->rtnl, nlh);
}

/* Answers are not to be put off, as they would be for a proxy of a slow line. */
static void answer_at_once(const struct links *links, int index) {
	const struct link *l = links_at(links, index);
	AUTO_FREE char *path =
		xasprintf("/proc/sys/net/ipv4/neigh/%s/proxy_delay", l ? l->name : "default");
	int fd = l ? open(path, O_WRONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	/* Where it cannot be written, answers come within a second. */
	if (write(fd, "0", 1) < 0)
		errno = 0;
	close(fd);
}

/* What is there already, or went with its link, is as it should be. */
static bool is_done(int rc) {
	return rc == 0 || rc == EEXIST || rc == ENOENT || rc == ESRCH || rc == ENODEV;
}

static int find_loopback(const struct links *links) {
	for (size_t i = 0; i < links->n; i++)
		if (links->link[i].loopback)
			return links->link[i].index;
	return 0;
}

/* Routes have no link in their answers: one to an address serves all links. */
static struct answers without_links(const struct answers *as) {
	struct answers out = { .n = 0 };

	for (size_t i = 0; i < as->n; i++)
		answers_add(&out, (struct answer){ as->answer[i].addr, 0 });
	answers_sort(&out);
	return out;
}

struct state {
	struct links links;
	struct answers proxies, routes;
};

static void state_done(struct state *s) {
	links_done(&s->links);
	free(s->proxies.answer);
	free(s->routes.answer);
}

static int state_read(struct arp *arp, struct state *s, struct err *err) {
	int rc;

	*s = (struct state){ .links = { .n = 0 } };
	rc = links_read(arp->rtnl, &s->links);
	if (rc == 0)
		rc = read_proxies(arp, &s->proxies);
	if (rc == 0)
		rc = rtnl_dump_routes(arp->rtnl, RTNL_PROTOCOL_ARP, read_route, &s->routes);
	answers_sort(&s->proxies);
	answers_sort(&s->routes);
	return rc ? err_set(err, ERR_KERNEL, "neighbours cannot be read: %s", strerror(rc)) : 0;
}

static int bring_routes(struct arp *arp, const struct state *s, const struct answers *want) {
	struct answers routes = without_links(want);
	int loopback = find_loopback(&s->links), rc = 0;

	for (size_t i = 0; i < routes.n && is_done(rc); i++)
		if (!answers_have(&s->routes, &routes.answer[i]))
			rc = set_route(arp, true, routes.answer[i].addr, loopback);
	for (size_t i = 0; i < s->routes.n && is_done(rc); i++)
		if (!answers_have(&routes, &s->routes.answer[i]))
			rc = set_route(arp, false, s->routes.answer[i].addr, loopback);
	free(routes.answer);
	/* While the loopback is down, there is no way to it. */
	return is_done(rc) || rc == ENETDOWN ? 0 : rc;
}

static int bring_proxies(struct arp *arp, const struct state *s, const struct answers *want) {
	int rc = 0;

	for (size_t i = 0; i < want->n && is_done(rc); i++)
		if (!answers_have(&s->proxies, &want->answer[i])) {
			answer_at_once(&s->links, want->answer[i].index);
			rc = set_proxy(arp, true, &want->answer[i]);
		}
	for (size_t i = 0; i < s->proxies.n && is_done(rc); i++)
		if (!answers_have(want, &s->proxies.answer[i]))
			rc = set_proxy(arp, false, &s->proxies.answer[i]);
	return is_done(rc) ? 0 : rc;
}

static int bring_to(void *owner, const void *wants, struct err *err) {
	static const struct wants none;
	struct arp *arp = owner;
	struct answers want = { .n = 0 };
	struct state s;
	int rc = state_read(arp, &s, err), bad = 0;

	if (rc == 0) {
		want = answers_wanted(wants ? wants : &none, &s.links);
		bad = bring_routes(arp, &s, &want);
		if (bad == 0)
			bad = bring_proxies(arp, &s, &want);
	}
	state_done(&s);
	free(want.answer);
	if (bad)
		return err_set(err, ERR_KERNEL,
			       "the kernel refused to answer ARP for a virtual IP: %s",
			       strerror(bad));
	return rc;
}

/* ---- the backend ---- */

static const struct reconcile_ops ops = {
	.name = "arp",
	.wants = wants_new,
	.forget = wants_free,
	.bring_to = bring_to,
};

struct arp *arp_new(struct err *err) {
	struct arp *a = xcalloc(1, sizeof(*a));

	a->reconcile = (struct reconcile){ .ops = &ops, .owner = a };
	a->rtnl = rtnl_open(err);
	return a->rtnl ? a : arp_free(a);
}

struct arp *arp_free(struct arp *a) {
	if (!a)
		return NULL;
	reconcile_done(&a->reconcile);
	rtnl_close(a->rtnl);
	free(a);
	return NULL;
}

int arp_reconcile(struct arp *a, struct err *err) {
	return reconcile_again(&a->reconcile, err);
}

int arp_remove(struct arp *a, struct err *err) {
	return reconcile_remove(&a->reconcile, err);
}

struct backend arp_backend(struct arp *a) {
	return reconcile_backend(&a->reconcile);
}
