/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wanted state of managed interfaces is read from the configuration into a plain list. Bringing
 * the kernel there is a comparison with a dump, and so is going back to the former list when a
 * commit fails; only what the list does not say of a link (its own MTU) is noted before it is
 * changed.
 *
 * An address is removed only if we know it: it carries our protocol number, or the configuration of
 * an interface that stays managed named it until now. An interface whose entry only describes what
 * was found is left to whoever sets it up. New addresses come before old ones go, so that routes
 * over the interface find one that fits.
 *
 * An interface in down-intfs-before-sess-sync is down while it is held. Whether it is up is ours to
 * say, also when its entry only describes what was found: who takes it down brings it up again.
 */
#include "backends/iface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <net/ethernet.h>
#include <stdlib.h>
#include <string.h>

#include "backends/managed.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

struct want_addr {
	uint32_t addr;
	uint8_t prefix;
};

/* What one interface shall be. */
struct want {
	char name[16];
	bool as_found;           /* it only tells what was found: nothing is set, but it is known */
	bool may_hold;           /* down-intfs-before-sess-sync names it: down while it is held */
	bool up;
	uint32_t mtu;            /* 0: as it is */
	struct want_addr *addr;
	uint32_t n_addrs;
};

struct wants {
	struct want *want;
	size_t n;
};

/* What a link was before it was changed. */
struct former {
	int index;
	bool up;
	uint32_t mtu;
};

struct iface {
	struct rtnl *rtnl;
	const struct hold *hold;
	struct wants now, next;
	struct former *former;   /* of links that the commit in progress has changed */
	size_t n_former;
};

/* ---- what is wanted ---- */

static void wants_done(struct wants *ws) {
	for (size_t i = 0; i < ws->n; i++)
		free(ws->want[i].addr);
	free(ws->want);
	*ws = (struct wants){ .n = 0 };
}

static void want_add(struct want *w, struct ipv4_pair ip) {
	int prefix = value_mask_len(ip.b);

	if (ip.a == 0 || prefix < 0)
		return;
	w->addr = xreallocarray(w->addr, w->n_addrs + 1, sizeof(*w->addr));
	w->addr[w->n_addrs++] = (struct want_addr){ ip.a, (uint8_t)prefix };
}

static void want_read(struct want *w, const struct object *obj) {
	const struct value *more = object_value(obj, SYSTEM_INTERFACE__SECONDARYIP);

	strncpy(w->name, obj->key, sizeof(w->name) - 1);
	w->as_found = obj->ver == 0;
	w->up = !object_is(obj, SYSTEM_INTERFACE__STATUS, "down");
	if (object_is(obj, SYSTEM_INTERFACE__MTU_OVERRIDE, "enable"))
		w->mtu = (uint32_t)object_num(obj, SYSTEM_INTERFACE__MTU);
	if (!object_is(obj, SYSTEM_INTERFACE__MODE, "static"))
		return;
	want_add(w, object_ip(obj, SYSTEM_INTERFACE__IP));
	if (!object_is(obj, SYSTEM_INTERFACE__SECONDARY_IP, "enable"))
		return;
	for (uint32_t i = 0; more && i < more->n; i++)
		want_add(w,
			 object_ip(value_item(more, i)->entry, SYSTEM_INTERFACE_SECONDARYIP__IP));
}

static struct wants wants_read(const struct model *model) {
	struct names managed = managed_interfaces(model);
	struct wants ws = { .n = 0 };
	struct cluster cluster;

	cluster_of_model(&cluster, model, "");
	ws.want = xcalloc(managed.n, sizeof(*ws.want));
	for (size_t i = 0; i < managed.n; i++) {
		const struct object *obj =
			model_find(model, schema_table(TBL_SYSTEM_INTERFACE), managed.name[i]);

		if (!obj)
			continue;
		ws.want[ws.n].may_hold = cluster_is_down_before(&cluster, obj->key);
		want_read(&ws.want[ws.n++], obj);
	}
	names_done(&managed);
	return ws;
}

static const struct want *wants_find(const struct wants *ws, const char *name) {
	for (size_t i = 0; i < ws->n; i++)
		if (strcmp(ws->want[i].name, name) == 0)
			return &ws->want[i];
	return NULL;
}

static bool want_has(const struct want *w, uint32_t addr, uint8_t prefix) {
	for (uint32_t i = 0; w && i < w->n_addrs; i++)
		if (w->addr[i].addr == addr && w->addr[i].prefix == prefix)
			return true;
	return false;
}

/* ---- requests ---- */

static int set_addr(struct iface *f, bool add, int index, struct want_addr a) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifaddrmsg *ifa;
	void *header;
	struct nlmsghdr *nlh =
		rtnl_message(data, add ? RTM_NEWADDR : RTM_DELADDR,
			     add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*ifa), &header);
	uint32_t broadcast = a.prefix < 31 ? a.addr | UINT32_MAX >> a.prefix : 0;

	ifa = header;
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = a.prefix;
	ifa->ifa_index = (uint32_t)index;
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(a.addr));
	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(a.addr));
	if (add && broadcast)
		mnl_attr_put_u32(nlh, IFA_BROADCAST, htonl(broadcast));
	if (add)
		mnl_attr_put_u8(nlh, IFA_PROTO, RTNL_PROTOCOL);
	return rtnl_talk(f->rtnl, nlh);
}

static int set_link(struct iface *f, int index, bool up, uint32_t mtu) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifinfomsg *ifi;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_NEWLINK, 0, sizeof(*ifi), &header);

	ifi = header;
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = index;
	ifi->ifi_flags = up ? IFF_UP : 0;
	ifi->ifi_change = IFF_UP;
	mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return rtnl_talk(f->rtnl, nlh);
}

/* What has gone with its link is no error. */
static int answer(const char *name, int rc, struct err *err) {
	if (rc == 0 || rc == ENODEV)
		return 0;
	return err_set(err, ERR_KERNEL, "the kernel refused system interface %s: %s", name,
		       strerror(rc));
}

/* ---- comparison ---- */

static bool link_has(const struct links *links, int index, struct want_addr a) {
	for (size_t i = 0; i < links->n_addrs; i++)
		if (links->addr[i].index == index && links->addr[i].addr == a.addr &&
		    links->addr[i].prefix == a.prefix)
			return true;
	return false;
}

static int add_missing(struct iface *f, const struct links *links, const struct wants *ws,
		       struct err *err) {
	for (size_t i = 0; i < ws->n; i++) {
		const struct want *w = &ws->want[i];
		const struct link *l = w->as_found ? NULL : links_find(links, w->name);

		for (uint32_t j = 0; l && j < w->n_addrs; j++) {
			int rc = link_has(links, l->index, w->addr[j])
					 ? 0
					 : set_addr(f, true, l->index, w->addr[j]);

			if (rc && rc != EEXIST && answer(w->name, rc, err))
				return ERR_KERNEL;
		}
	}
	return 0;
}

/* Remove addresses of ours, or of the configuration until now, that are not wanted. */
static int remove_stale(struct iface *f, const struct links *links, const struct wants *ws,
			const struct wants *before, struct err *err) {
	for (size_t i = 0; i < links->n_addrs; i++) {
		const struct link_addr *a = &links->addr[i];
		const struct link *l = links_at(links, a->index);
		const struct want *w = l ? wants_find(ws, l->name) : NULL;
		int rc;

		if (!l || want_has(w, a->addr, a->prefix))
			continue;
		if (!a->ours && !(w && !w->as_found &&
				  want_has(wants_find(before, l->name), a->addr, a->prefix)))
			continue;
		rc = set_addr(f, false, a->index, (struct want_addr){ a->addr, a->prefix });
		if (rc && rc != EADDRNOTAVAIL && answer(l->name, rc, err))
			return ERR_KERNEL;
	}
	return 0;
}

static void note_former(struct iface *f, const struct link *l) {
	f->former = xreallocarray(f->former, f->n_former + 1, sizeof(*f->former));
	f->former[f->n_former++] = (struct former){ l->index, l->up, l->mtu };
}

static void forget_former(struct iface *f) {
	free(f->former);
	f->former = NULL;
	f->n_former = 0;
}

/* An MTU that was set and no longer is goes back to that of Ethernet. */
static uint32_t wanted_mtu(const struct want *w, const struct wants *before, const struct link *l) {
	const struct want *old = w->mtu ? NULL : wants_find(before, w->name);

	if (w->mtu)
		return w->mtu;
	return old && old->mtu ? ETHERMTU : l->mtu;
}

static bool is_held(const struct iface *f, const struct want *w) {
	return w && w->may_hold && hold_has(f->hold, w->name);
}

/* What was found stays as it is, but for what is held, and then let go. */
static bool wanted_up(const struct iface *f, const struct want *w, const struct wants *before,
		      const struct link *l) {
	if (is_held(f, w))
		return false;
	if (w->as_found && !w->may_hold && !is_held(f, wants_find(before, w->name)))
		return l->up;
	return w->up;
}

static int change_link(struct iface *f, const struct link *l, bool up, uint32_t mtu,
		       struct err *err) {
	if (up == l->up && mtu == l->mtu)
		return 0;
	note_former(f, l);
	return answer(l->name, set_link(f, l->index, up, mtu), err);
}

static int set_links(struct iface *f, const struct links *links, const struct wants *ws,
		     const struct wants *before, struct err *err) {
	int rc = 0;

	for (size_t i = 0; i < ws->n && rc == 0; i++) {
		const struct want *w = &ws->want[i];
		const struct link *l = links_find(links, w->name);

		if (l)
			rc = change_link(f, l, wanted_up(f, w, before, l),
					 w->as_found ? l->mtu : wanted_mtu(w, before, l), err);
	}
	/* Held for as long as it was ours. */
	for (size_t i = 0; i < before->n && rc == 0; i++) {
		const struct want *old = &before->want[i];
		const struct link *l = is_held(f, old) && !wants_find(ws, old->name)
					       ? links_find(links, old->name)
					       : NULL;

		if (l)
			rc = change_link(f, l, old->up, l->mtu, err);
	}
	return rc;
}

static int read_links(struct iface *f, struct links *links, struct err *err) {
	int rc = links_read(f->rtnl, links);

	return rc ? err_set(err, ERR_KERNEL, "interfaces cannot be read: %s", strerror(rc)) : 0;
}

static int set_addrs(struct iface *f, const struct links *links, const struct wants *ws,
		     const struct wants *before, struct err *err) {
	int rc = add_missing(f, links, ws, err);

	return rc ? rc : remove_stale(f, links, ws, before, err);
}

/* Bring the kernel to ws; `before` is what the configuration said until now. */
static int bring_to(struct iface *f, const struct wants *ws, const struct wants *before,
		    struct err *err) {
	struct links links;
	int rc = read_links(f, &links, err);

	if (rc)
		return rc;
	rc = set_links(f, &links, ws, before, err);
	if (rc == 0)
		rc = set_addrs(f, &links, ws, before, err);
	links_done(&links);
	if (rc)
		return rc;
	/* With an address go those of its network that came after it. */
	rc = read_links(f, &links, err);
	if (rc == 0)
		rc = add_missing(f, &links, ws, err);
	links_done(&links);
	return rc;
}

/* Back to what was; addresses that others set and the commit only named stay. */
static void take_back(struct iface *f) {
	for (size_t i = f->n_former; i-- > 0;)
		set_link(f, f->former[i].index, f->former[i].up, f->former[i].mtu);
	bring_to(f, &f->now, &f->now, NULL);
	forget_former(f);
}

/* ---- the backend ---- */

struct iface *iface_new(const struct hold *hold, struct err *err) {
	struct iface *f = xcalloc(1, sizeof(*f));

	f->hold = hold;
	f->rtnl = rtnl_open(err);
	return f->rtnl ? f : iface_free(f);
}

struct iface *iface_free(struct iface *f) {
	if (!f)
		return NULL;
	wants_done(&f->now);
	wants_done(&f->next);
	forget_former(f);
	rtnl_close(f->rtnl);
	free(f);
	return NULL;
}

int iface_reconcile(struct iface *f, struct err *err) {
	int rc = bring_to(f, &f->now, &f->now, err);

	forget_former(f);
	return rc;
}

static int backend_start(void *ctx, const struct commit *commit, struct err *err) {
	struct iface *f = ctx;

	wants_done(&f->now);
	f->now = wants_read(commit->model);
	return iface_reconcile(f, err);
}

static int backend_prepare(void *ctx, const struct commit *commit, struct err *err) {
	struct iface *f = ctx;

	(void)err;
	wants_done(&f->next);
	f->next = wants_read(commit->model);
	return 0;
}

static int backend_apply(void *ctx, struct err *err) {
	struct iface *f = ctx;
	int rc;

	if (fault_hit("iface.apply"))
		return err_set(err, ERR_KERNEL, "injected fault before interfaces change");
	rc = bring_to(f, &f->next, &f->now, err);
	if (rc == 0 && fault_hit("iface.applied"))
		rc = err_set(err, ERR_KERNEL, "injected fault after interfaces changed");
	if (rc)
		take_back(f);
	return rc;
}

static void backend_undo(void *ctx) {
	take_back(ctx);
}

static void backend_finish(void *ctx) {
	struct iface *f = ctx;

	forget_former(f);
	wants_done(&f->now);
	f->now = f->next;
	f->next = (struct wants){ .n = 0 };
}

static void backend_cancel(void *ctx) {
	struct iface *f = ctx;

	forget_former(f);
	wants_done(&f->next);
}

struct backend iface_backend(struct iface *f) {
	return (struct backend){
		.name = "iface",
		.start = backend_start,
		.prepare = backend_prepare,
		.apply = backend_apply,
		.undo = backend_undo,
		.finish = backend_finish,
		.cancel = backend_cancel,
		.ctx = f,
	};
}

int iface_found(struct links *ret, struct err *err) {
	struct rtnl *rtnl = rtnl_open(err);
	size_t n = 0;
	int rc;

	*ret = (struct links){ .n = 0 };
	if (!rtnl)
		return ERR_KERNEL;
	rc = links_read(rtnl, ret);
	rtnl_close(rtnl);
	if (rc)
		return err_set(err, ERR_KERNEL, "interfaces cannot be read: %s", strerror(rc));
	for (size_t i = 0; i < ret->n; i++)
		if (!ret->link[i].loopback && !ret->link[i].ours)
			ret->link[n++] = ret->link[i];
	ret->n = n;
	n = 0;
	for (size_t i = 0; i < ret->n_addrs; i++)
		if (!ret->addr[i].handover)
			ret->addr[n++] = ret->addr[i];
	ret->n_addrs = n;
	return 0;
}
