/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The wanted state of managed interfaces is read from the configuration into a plain list. Bringing
 * the kernel there is a comparison with a dump, each step of which is noted, so that a commit that
 * fails later can take back exactly what was done.
 *
 * An address is removed only if we know it: it carries our protocol number, or the configuration of
 * an interface that stays managed named it until now. New addresses come before old ones go, so that routes over the interface find
 * one that fits.
 */
#include "backends/iface.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
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
	bool up;
	uint32_t mtu;            /* 0: as it is */
	struct want_addr *addr;
	uint32_t n_addrs;
};

struct wants {
	struct want *want;
	size_t n;
};

/* One step that was done; undoing it is doing the opposite. */
struct step {
	enum { STEP_ADD, STEP_REMOVE, STEP_UP, STEP_DOWN, STEP_MTU } what;
	int index;
	struct want_addr addr;
	bool ours;
	uint32_t mtu;            /* before */
};

struct steps {
	struct step *step;
	size_t n;
};

struct iface {
	struct rtnl *rtnl;
	struct wants now, next;
	struct steps done;
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
	w->up = !object_is(obj, SYSTEM_INTERFACE__STATUS, "down");
	if (object_is(obj, SYSTEM_INTERFACE__MTU_OVERRIDE, "enable"))
		w->mtu = (uint32_t)object_num(obj, SYSTEM_INTERFACE__MTU);
	if (!object_is(obj, SYSTEM_INTERFACE__MODE, "static"))
		return;
	want_add(w, object_ip(obj, SYSTEM_INTERFACE__IP));
	if (!object_is(obj, SYSTEM_INTERFACE__SECONDARY_IP, "enable"))
		return;
	for (uint32_t i = 0; more && i < more->n; i++)
		want_add(w, object_ip(value_item(more, i)->entry, SYSTEM_INTERFACE_SECONDARYIP__IP));
}

static struct wants wants_read(const struct model *model) {
	struct names managed = managed_interfaces(model);
	struct wants ws = { .n = 0 };

	ws.want = xcalloc(managed.n, sizeof(*ws.want));
	for (size_t i = 0; i < managed.n; i++) {
		const struct object *obj =
			model_find(model, schema_table(TBL_SYSTEM_INTERFACE), managed.name[i]);

		if (obj)
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

/* ---- steps ---- */

static int set_addr(struct iface *f, bool add, int index, struct want_addr a, bool ours) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifaddrmsg *ifa;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, add ? RTM_NEWADDR : RTM_DELADDR,
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
	if (add && ours)
		mnl_attr_put_u8(nlh, IFA_PROTO, RTNL_PROTOCOL);
	return rtnl_talk(f->rtnl, nlh);
}

static int set_link(struct iface *f, int index, unsigned int flags, unsigned int change, uint32_t mtu) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifinfomsg *ifi;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_NEWLINK, 0, sizeof(*ifi), &header);

	ifi = header;
	ifi->ifi_family = AF_UNSPEC;
	ifi->ifi_index = index;
	ifi->ifi_flags = flags;
	ifi->ifi_change = change;
	if (mtu)
		mnl_attr_put_u32(nlh, IFLA_MTU, mtu);
	return rtnl_talk(f->rtnl, nlh);
}

static int step_do(struct iface *f, const struct step *s, uint32_t mtu) {
	switch (s->what) {
	case STEP_ADD:
	case STEP_REMOVE:
		return set_addr(f, s->what == STEP_ADD, s->index, s->addr, s->ours);
	case STEP_UP:
		return set_link(f, s->index, IFF_UP, IFF_UP, 0);
	case STEP_DOWN:
		return set_link(f, s->index, 0, IFF_UP, 0);
	case STEP_MTU:
		return set_link(f, s->index, 0, 0, mtu);
	}
	return EINVAL;
}

/* Do a step and note it. What is as wanted already, or has gone with its interface, is fine. */
static int step_take(struct iface *f, struct step s, uint32_t mtu, const char *name, struct err *err) {
	int rc = step_do(f, &s, mtu);

	if (rc == ENODEV || (rc == EEXIST && s.what == STEP_ADD) || (rc == EADDRNOTAVAIL && s.what == STEP_REMOVE))
		return 0;
	if (rc)
		return err_set(err, ERR_KERNEL, "the kernel refused system interface %s: %s", name, strerror(rc));
	f->done.step = xreallocarray(f->done.step, f->done.n + 1, sizeof(*f->done.step));
	f->done.step[f->done.n++] = s;
	return 0;
}

static void steps_forget(struct steps *steps) {
	free(steps->step);
	*steps = (struct steps){ .n = 0 };
}

static void steps_undo(struct iface *f) {
	for (size_t i = f->done.n; i-- > 0;) {
		static const int opposite[] = { [STEP_ADD] = STEP_REMOVE, [STEP_REMOVE] = STEP_ADD,
						[STEP_UP] = STEP_DOWN, [STEP_DOWN] = STEP_UP,
						[STEP_MTU] = STEP_MTU };
		struct step s = f->done.step[i];

		s.what = opposite[s.what];
		step_do(f, &s, s.mtu);
	}
	steps_forget(&f->done);
}

/* ---- comparison ---- */

static int add_missing(struct iface *f, const struct links *links, const struct link *l, const struct want *w,
		       struct err *err) {
	int rc = 0;

	for (uint32_t i = 0; i < w->n_addrs && rc == 0; i++) {
		bool there = false;

		for (size_t j = 0; j < links->n_addrs; j++)
			there |= links->addr[j].index == l->index && links->addr[j].addr == w->addr[i].addr &&
				 links->addr[j].prefix == w->addr[i].prefix;
		if (!there)
			rc = step_take(f, (struct step){ .what = STEP_ADD, .index = l->index,
							 .addr = w->addr[i], .ours = true }, 0, w->name, err);
	}
	return rc;
}

static int add_all(struct iface *f, const struct links *links, const struct wants *ws, struct err *err) {
	int rc = 0;

	for (size_t i = 0; i < ws->n && rc == 0; i++) {
		const struct link *l = links_find(links, ws->want[i].name);

		if (l)
			rc = add_missing(f, links, l, &ws->want[i], err);
	}
	return rc;
}

/* Remove addresses of ours, or of the configuration until now, that are not wanted. */
static int remove_stale(struct iface *f, const struct links *links, const struct wants *ws,
			const struct wants *before, struct err *err) {
	int rc = 0;

	for (size_t i = 0; i < links->n_addrs && rc == 0; i++) {
		const struct link_addr *a = &links->addr[i];
		const struct link *l = links_at(links, a->index);
		const struct want *w = l ? wants_find(ws, l->name) : NULL;

		if (!l || want_has(w, a->addr, a->prefix))
			continue;
		if (a->ours || (w && want_has(wants_find(before, l->name), a->addr, a->prefix)))
			rc = step_take(f, (struct step){ .what = STEP_REMOVE, .index = a->index,
							 .addr = { a->addr, a->prefix }, .ours = a->ours },
				       0, l->name, err);
	}
	return rc;
}

static int set_states(struct iface *f, const struct links *links, const struct wants *ws, struct err *err) {
	int rc = 0;

	for (size_t i = 0; i < ws->n && rc == 0; i++) {
		const struct want *w = &ws->want[i];
		const struct link *l = links_find(links, w->name);

		if (!l)
			continue;
		if (w->mtu && w->mtu != l->mtu)
			rc = step_take(f, (struct step){ .what = STEP_MTU, .index = l->index, .mtu = l->mtu },
				       w->mtu, w->name, err);
		if (rc == 0 && w->up != l->up)
			rc = step_take(f, (struct step){ .what = w->up ? STEP_UP : STEP_DOWN,
							 .index = l->index }, 0, w->name, err);
	}
	return rc;
}

static int read_links(struct iface *f, struct links *links, struct err *err) {
	int rc = links_read(f->rtnl, links);

	return rc ? err_set(err, ERR_KERNEL, "interfaces cannot be read: %s", strerror(rc)) : 0;
}

/* Bring the kernel to ws; `before` is what the configuration said until now. */
static int bring_to(struct iface *f, const struct wants *ws, const struct wants *before, struct err *err) {
	struct links links;
	int rc = read_links(f, &links, err);

	if (rc)
		return rc;
	rc = set_states(f, &links, ws, err);
	if (rc == 0)
		rc = add_all(f, &links, ws, err);
	if (rc == 0)
		rc = remove_stale(f, &links, ws, before, err);
	links_done(&links);
	/* With an address go those that depended on it. */
	if (rc == 0 && f->done.n > 0 && read_links(f, &links, err) == 0) {
		rc = add_all(f, &links, ws, err);
		links_done(&links);
	}
	return rc;
}

/* ---- the backend ---- */

struct iface *iface_new(struct err *err) {
	struct iface *f = xcalloc(1, sizeof(*f));

	f->rtnl = rtnl_open(err);
	return f->rtnl ? f : iface_free(f);
}

struct iface *iface_free(struct iface *f) {
	if (!f)
		return NULL;
	wants_done(&f->now);
	wants_done(&f->next);
	steps_forget(&f->done);
	rtnl_close(f->rtnl);
	free(f);
	return NULL;
}

int iface_reconcile(struct iface *f, struct err *err) {
	int rc = bring_to(f, &f->now, &f->now, err);

	steps_forget(&f->done);
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
		steps_undo(f);
	return rc;
}

static void backend_undo(void *ctx) {
	steps_undo(ctx);
}

static void backend_finish(void *ctx) {
	struct iface *f = ctx;

	steps_forget(&f->done);
	wants_done(&f->now);
	f->now = f->next;
	f->next = (struct wants){ .n = 0 };
}

static void backend_cancel(void *ctx) {
	struct iface *f = ctx;

	steps_forget(&f->done);
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
		if (!ret->link[i].loopback)
			ret->link[n++] = ret->link[i];
	ret->n = n;
	return 0;
}
