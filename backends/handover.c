/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A marked packet leaves by one route: the default route of a table of its own, through a gateway
 * that does not exist. Its neighbour entry says that it has the broadcast address of Ethernet, so
 * one frame reaches all members. Where they share no layer 2 network, the link is a VXLAN device of
 * ours that sends a copy of each frame to each member.
 *
 * Links have an address of ours besides: the kernel takes no packet with a distant source from a
 * link without one when it checks sources. Address, gateway and routes mean nothing to others: the
 * address is a whole network by itself, and all members have the same.
 *
 * What is wanted and what is there are lists of entries of one form; the difference is removed,
 * then added. All entries carry a protocol number of their own, and the device a group of links, by
 * which they are found again.
 */
#include "backends/handover.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/managed.h"
#include "backends/reconcile.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

#define OWN_ADDRESS 0xa9fe4601u  /* 169.254.70.1 */
#define GATEWAY 0xa9fe4602u      /* 169.254.70.2 */
#define TUNNEL_VNI 708
#define TUNNEL_MTU 65000         /* whatever comes in by any link; the way outside splits it */

/* In the order in which they are added. */
enum entry_kind {
	ENTRY_ADDRESS,   /* of a link */
	ENTRY_MEMBER,    /* the tunnel sends to it */
	ENTRY_NEIGHBOUR, /* the gateway */
	ENTRY_ROUTE,
	ENTRY_RULE,
	ENTRY_KINDS
};

struct entry {
	uint8_t kind;            /* enum entry_kind */
	int index;               /* of the link; 0: of none */
	uint32_t addr;           /* host byte order; 0: none */
};

struct entries {
	struct entry *entry;
	size_t n;
};

struct handover {
	struct rtnl *rtnl;
	struct reconcile reconcile;
	bool lacks_tunnel;
};

/* ---- the configuration ---- */

static void add_member(struct handover_plan *plan, uint32_t addr) {
	for (unsigned int i = 0; i < plan->n_members; i++)
		if (plan->member[i] == addr)
			return;
	plan->member[plan->n_members++] = addr;
}

void handover_plan(struct handover_plan *plan, const struct model *model) {
	struct names managed = managed_interfaces(model);
	struct cluster c;

	*plan = (struct handover_plan){ .on = false };
	cluster_of_model(&c, model, "");
	plan->on = c.n_peers > 0 && managed.n > 0;
	names_done(&managed);
	if (!plan->on)
		return;
	for (unsigned int i = 0; i < c.n_peers; i++)
		add_member(plan, ntohl(c.peer[i].ip.word[0]));
	plan->tunnel = !c.l2_available || c.n_devs == 0;
	plan->n_links = plan->tunnel ? 1 : c.n_devs;
	if (plan->tunnel)
		strcpy(plan->link[0], HANDOVER_TUNNEL);
	else
		memcpy(plan->link, c.dev, sizeof(plan->link));
}

static void *wants_new(const struct model *model) {
	struct handover_plan *plan = xcalloc(1, sizeof(*plan));

	handover_plan(plan, model);
	return plan;
}

/* ---- entries ---- */

static void entries_add(struct entries *es, enum entry_kind kind, int index, uint32_t addr) {
	if ((es->n & (es->n - 1)) == 0)
		es->entry = xreallocarray(es->entry, es->n ? es->n * 2 : 1, sizeof(*es->entry));
	es->entry[es->n++] = (struct entry){ (uint8_t)kind, index, addr };
}

static bool entries_have(const struct entries *es, const struct entry *e) {
	for (size_t i = 0; i < es->n; i++)
		if (es->entry[i].kind == e->kind && es->entry[i].index == e->index &&
		    es->entry[i].addr == e->addr)
			return true;
	return false;
}

/* A link that is down keeps no neighbours and routes. */
static struct entries entries_wanted(const struct handover_plan *plan, const struct links *links) {
	struct entries es = { .n = 0 };
	bool have_way = false;

	for (unsigned int i = 0; i < plan->n_links; i++) {
		const struct link *l = links_find(links, plan->link[i]);

		if (!l)
			continue;
		entries_add(&es, ENTRY_ADDRESS, l->index, OWN_ADDRESS);
		for (unsigned int j = 0; plan->tunnel && j < plan->n_members; j++)
			entries_add(&es, ENTRY_MEMBER, l->index, plan->member[j]);
		if (!l->running || have_way)
			continue;
		entries_add(&es, ENTRY_NEIGHBOUR, l->index, GATEWAY);
		entries_add(&es, ENTRY_ROUTE, l->index, 0);
		have_way = true;
	}
	if (plan->on)
		entries_add(&es, ENTRY_RULE, 0, 0);
	return es;
}

/* ---- what is there ---- */

/* Number of an attribute, as many bytes as it has; 0 when it is not there. */
static uint32_t attr_number(const struct nlmsghdr *nlh, size_t header, uint16_t type) {
	const struct nlattr *attr;
	uint32_t v = 0;

	mnl_attr_for_each(attr, nlh, header) {
		if (mnl_attr_get_type(attr) != type)
			continue;
		if (mnl_attr_get_payload_len(attr) == 4)
			v = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_payload_len(attr) == 1)
			v = mnl_attr_get_u8(attr);
	}
	return v;
}

static int read_address(const struct nlmsghdr *nlh, void *arg) {
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);

	if (attr_number(nlh, sizeof(*ifa), IFA_PROTO) == RTNL_PROTOCOL_HANDOVER)
		entries_add(arg, ENTRY_ADDRESS, (int)ifa->ifa_index,
			    ntohl(attr_number(nlh, sizeof(*ifa), IFA_LOCAL)));
	return MNL_CB_OK;
}

static int read_neighbour(const struct nlmsghdr *nlh, void *arg) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);

	if (attr_number(nlh, sizeof(*ndm), NDA_PROTOCOL) == RTNL_PROTOCOL_HANDOVER)
		entries_add(arg, ENTRY_NEIGHBOUR, ndm->ndm_ifindex,
			    ntohl(attr_number(nlh, sizeof(*ndm), NDA_DST)));
	return MNL_CB_OK;
}

static int read_route(const struct nlmsghdr *nlh, void *arg) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (rtm->rtm_protocol == RTNL_PROTOCOL_HANDOVER)
		entries_add(arg, ENTRY_ROUTE, (int)attr_number(nlh, sizeof(*rtm), RTA_OIF), 0);
	return MNL_CB_OK;
}

static int read_rule(const struct nlmsghdr *nlh, void *arg) {
	if (attr_number(nlh, sizeof(struct fib_rule_hdr), FRA_PROTOCOL) == RTNL_PROTOCOL_HANDOVER)
		entries_add(arg, ENTRY_RULE, 0, 0);
	return MNL_CB_OK;
}

/* All of them are ours, as the device is. */
static int read_member(const struct nlmsghdr *nlh, void *arg) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	uint32_t addr = ntohl(attr_number(nlh, sizeof(*ndm), NDA_DST));

	if (addr)
		entries_add(arg, ENTRY_MEMBER, ndm->ndm_ifindex, addr);
	return MNL_CB_OK;
}

static int read_members(struct handover *h, int tunnel, struct entries *ret) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifinfomsg *ifi;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_GETNEIGH, NLM_F_DUMP, sizeof(*ifi), &header);

	ifi = header;
	ifi->ifi_family = AF_BRIDGE;
	ifi->ifi_index = tunnel;
	return rtnl_query(h->rtnl, nlh, read_member, ret);
}

static int entries_read(struct handover *h, int tunnel, struct entries *ret) {
	int rc = rtnl_dump(h->rtnl, RTM_GETADDR, AF_INET, read_address, ret);

	if (rc == 0)
		rc = rtnl_dump(h->rtnl, RTM_GETNEIGH, AF_INET, read_neighbour, ret);
	if (rc == 0)
		rc = rtnl_dump_routes(h->rtnl, RTNL_PROTOCOL_HANDOVER, read_route, ret);
	if (rc == 0)
		rc = rtnl_dump(h->rtnl, RTM_GETRULE, AF_INET, read_rule, ret);
	if (rc == 0 && tunnel)
		rc = read_members(h, tunnel, ret);
	return rc;
}

/* ---- changing entries ---- */

static int set_address(struct handover *h, bool add, const struct entry *e) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifaddrmsg *ifa;
	void *header;
	struct nlmsghdr *nlh =
		rtnl_message(data, add ? RTM_NEWADDR : RTM_DELADDR,
			     add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*ifa), &header);

	ifa = header;
	ifa->ifa_family = AF_INET;
	ifa->ifa_prefixlen = 32;
	ifa->ifa_scope = RT_SCOPE_LINK;
	ifa->ifa_index = (uint32_t)e->index;
	mnl_attr_put_u32(nlh, IFA_LOCAL, htonl(e->addr));
	mnl_attr_put_u32(nlh, IFA_ADDRESS, htonl(e->addr));
	if (add)
		mnl_attr_put_u8(nlh, IFA_PROTO, RTNL_PROTOCOL_HANDOVER);
	return rtnl_talk(h->rtnl, nlh);
}

/* Of the gateway: everyone. Of a member in the tunnel: whatever has no entry of its own. */
static int set_neighbour(struct handover *h, bool add, const struct entry *e) {
	bool member = e->kind == ENTRY_MEMBER;
	char data[RTNL_MESSAGE_MAX] = { 0 };
	unsigned char mac[6];
	struct ndmsg *ndm;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(
		data, add ? RTM_NEWNEIGH : RTM_DELNEIGH,
		add ? NLM_F_CREATE | (member ? NLM_F_APPEND : NLM_F_REPLACE) : 0, sizeof(*ndm),
		&header);

	memset(mac, member ? 0x00 : 0xff, sizeof(mac));
	ndm = header;
	ndm->ndm_family = member ? AF_BRIDGE : AF_INET;
	ndm->ndm_flags = member ? NTF_SELF : 0;
	ndm->ndm_state = NUD_PERMANENT;
	ndm->ndm_ifindex = e->index;
	mnl_attr_put_u32(nlh, NDA_DST, htonl(e->addr));
	mnl_attr_put(nlh, NDA_LLADDR, sizeof(mac), mac);
	if (add && !member)
		mnl_attr_put_u8(nlh, NDA_PROTOCOL, RTNL_PROTOCOL_HANDOVER);
	return rtnl_talk(h->rtnl, nlh);
}

static int set_route(struct handover *h, bool add, const struct entry *e) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct rtmsg *rtm;
	void *header;
	struct nlmsghdr *nlh =
		rtnl_message(data, add ? RTM_NEWROUTE : RTM_DELROUTE,
			     add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*rtm), &header);

	rtm = header;
	rtm->rtm_family = AF_INET;
	rtm->rtm_protocol = RTNL_PROTOCOL_HANDOVER;
	rtm->rtm_type = RTN_UNICAST;
	rtm->rtm_scope = add ? RT_SCOPE_UNIVERSE : RT_SCOPE_NOWHERE;
	rtm->rtm_flags = add ? RTNH_F_ONLINK : 0;
	mnl_attr_put_u32(nlh, RTA_TABLE, HANDOVER_TABLE);
	mnl_attr_put_u32(nlh, RTA_GATEWAY, htonl(GATEWAY));
	mnl_attr_put_u32(nlh, RTA_OIF, (uint32_t)e->index);
	return rtnl_talk(h->rtnl, nlh);
}

static int set_rule(struct handover *h, bool add, const struct entry *e) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct fib_rule_hdr *rule;
	void *header;
	struct nlmsghdr *nlh =
		rtnl_message(data, add ? RTM_NEWRULE : RTM_DELRULE,
			     add ? NLM_F_CREATE | NLM_F_EXCL : 0, sizeof(*rule), &header);

	(void)e;
	rule = header;
	rule->family = AF_INET;
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(nlh, FRA_PRIORITY, HANDOVER_TABLE);
	mnl_attr_put_u32(nlh, FRA_FWMARK, HANDOVER_MARK);
	mnl_attr_put_u32(nlh, FRA_TABLE, HANDOVER_TABLE);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, RTNL_PROTOCOL_HANDOVER);
	return rtnl_talk(h->rtnl, nlh);
}

/* What is there already, or went with its link, is done; an event tells when a link comes. */
static bool is_done(int rc) {
	return rc == 0 || rc == EEXIST || rc == ENOENT || rc == ESRCH || rc == ENODEV ||
	       rc == EADDRNOTAVAIL || rc == ENETDOWN || rc == ENETUNREACH;
}

/* Set those of one list that the other one lacks. */
static int set_missing(struct handover *h, bool add, enum entry_kind kind,
		       const struct entries *from, const struct entries *there) {
	static int (*const set[ENTRY_KINDS])(struct handover *, bool, const struct entry *) = {
		[ENTRY_ADDRESS] = set_address, [ENTRY_MEMBER] = set_neighbour,
		[ENTRY_NEIGHBOUR] = set_neighbour, [ENTRY_ROUTE] = set_route,
		[ENTRY_RULE] = set_rule,
	};
	int rc = 0;

	for (size_t i = 0; i < from->n && is_done(rc); i++)
		if (from->entry[i].kind == kind && !entries_have(there, &from->entry[i]))
			rc = set[kind](h, add, &from->entry[i]);
	return is_done(rc) ? 0 : rc;
}

static int entries_bring(struct handover *h, const struct entries *want,
			 const struct entries *have) {
	int rc = 0;

	for (int kind = ENTRY_KINDS - 1; kind >= 0 && rc == 0; kind--)
		rc = set_missing(h, false, (enum entry_kind)kind, have, want);
	for (int kind = 0; kind < ENTRY_KINDS && rc == 0; kind++)
		rc = set_missing(h, true, (enum entry_kind)kind, want, have);
	return rc;
}

/* ---- the tunnel ---- */

struct tunnel {
	int index;               /* 0: there is none */
	bool ours, up;
};

static int read_tunnel(const struct nlmsghdr *nlh, void *arg) {
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct tunnel *t = arg;

	t->index = ifi->ifi_index;
	t->up = ifi->ifi_flags & IFF_UP;
	t->ours = attr_number(nlh, sizeof(*ifi), IFLA_GROUP) == RTNL_PROTOCOL_HANDOVER;
	return MNL_CB_OK;
}

static int tunnel_find(struct handover *h, struct tunnel *ret) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	void *header;
	struct nlmsghdr *nlh =
		rtnl_message(data, RTM_GETLINK, 0, sizeof(struct ifinfomsg), &header);
	int rc;

	*ret = (struct tunnel){ .index = 0 };
	mnl_attr_put_strz(nlh, IFLA_IFNAME, HANDOVER_TUNNEL);
	rc = rtnl_query(h->rtnl, nlh, read_tunnel, ret);
	return rc == ENODEV ? 0 : rc;
}

static void put_vxlan(struct nlmsghdr *nlh) {
	struct nlattr *info = mnl_attr_nest_start(nlh, IFLA_LINKINFO), *vxlan;

	mnl_attr_put_strz(nlh, IFLA_INFO_KIND, "vxlan");
	vxlan = mnl_attr_nest_start(nlh, IFLA_INFO_DATA);
	mnl_attr_put_u32(nlh, IFLA_VXLAN_ID, TUNNEL_VNI);
	mnl_attr_put_u16(nlh, IFLA_VXLAN_PORT, htons(HANDOVER_PORT));
	mnl_attr_put_u8(nlh, IFLA_VXLAN_LEARNING, 0);
	mnl_attr_nest_end(nlh, vxlan);
	mnl_attr_nest_end(nlh, info);
}

/* Without ARP: nobody is to be found by it. */
static int tunnel_make(struct handover *h) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifinfomsg *ifi;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
					    sizeof(*ifi), &header);

	ifi = header;
	ifi->ifi_flags = ifi->ifi_change = IFF_NOARP;
	mnl_attr_put_strz(nlh, IFLA_IFNAME, HANDOVER_TUNNEL);
	mnl_attr_put_u32(nlh, IFLA_GROUP, RTNL_PROTOCOL_HANDOVER);
	mnl_attr_put_u32(nlh, IFLA_MTU, TUNNEL_MTU);
	put_vxlan(nlh);
	return rtnl_talk(h->rtnl, nlh);
}

static int tunnel_change(struct handover *h, const struct tunnel *t, bool keep) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ifinfomsg *ifi;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, keep ? RTM_NEWLINK : RTM_DELLINK, 0,
					    sizeof(*ifi), &header);

	ifi = header;
	ifi->ifi_index = t->index;
	ifi->ifi_flags = ifi->ifi_change = keep ? IFF_UP : 0;
	return rtnl_talk(h->rtnl, nlh);
}

/* What the rules leave to settings; a kernel without IPv6 has none of its. */
static int tunnel_settings(void) {
	static const struct {
		const char *path, *value;
	} settings[] = {
		{ "/proc/sys/net/ipv6/conf/" HANDOVER_TUNNEL "/disable_ipv6", "1" },
		{ "/proc/sys/net/ipv4/conf/" HANDOVER_TUNNEL "/rp_filter", "2" },
		{ "/proc/sys/net/ipv4/conf/" HANDOVER_TUNNEL "/forwarding", "1" },
	};
	int rc = 0;

	for (size_t i = 0; i < ARRAY_LEN(settings) && rc == 0; i++) {
		int fd = open(settings[i].path, O_WRONLY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0 || write(fd, settings[i].value, 1) != 1)
			rc = errno;
		if (fd >= 0)
			close(fd);
	}
	return rc;
}

/* The tunnel is there and up, or gone. A device of that name that is not ours is left alone. */
static int tunnel_bring(struct handover *h, bool wanted, struct tunnel *t) {
	int rc = tunnel_find(h, t);

	h->lacks_tunnel = false;
	if (rc == 0 && wanted && !t->index) {
		rc = tunnel_make(h);
		h->lacks_tunnel = rc == EOPNOTSUPP;
		rc = h->lacks_tunnel ? 0 : rc ? rc : tunnel_find(h, t);
	}
	if (rc || !t->index || (!wanted && !t->ours))
		return rc;
	if (!t->ours)
		return EEXIST;
	if (wanted)
		rc = tunnel_settings();
	if (rc == 0 && !(wanted && t->up))
		rc = tunnel_change(h, t, wanted);
	if (!wanted)
		t->index = 0;
	return rc == ENODEV ? 0 : rc;
}

/* ---- the backend ---- */

static int refused(int rc, struct err *err) {
	return err_set(err, ERR_KERNEL, "the way to other members cannot be set: %s", strerror(rc));
}

static int bring_to(void *owner, const void *wants, struct err *err) {
	static const struct handover_plan none;
	const struct handover_plan *plan = wants ? wants : &none;
	struct entries want = { .n = 0 }, have = { .n = 0 };
	struct links links = { .n = 0 };
	struct handover *h = owner;
	struct tunnel t;
	int rc = tunnel_bring(h, plan->tunnel, &t);

	if (rc)
		return err_set(err, ERR_KERNEL, "the kernel refused interface %s: %s",
			       HANDOVER_TUNNEL, strerror(rc));
	rc = links_read(h->rtnl, &links);
	if (rc == 0)
		rc = entries_read(h, t.index, &have);
	if (rc == 0) {
		want = entries_wanted(plan, &links);
		rc = entries_bring(h, &want, &have);
	}
	links_done(&links);
	free(want.entry);
	free(have.entry);
	return rc ? refused(rc, err) : 0;
}

static const struct reconcile_ops ops = {
	.name = "handover",
	.wants = wants_new,
	.forget = free,
	.bring_to = bring_to,
};

struct handover *handover_new(struct err *err) {
	struct handover *h = xcalloc(1, sizeof(*h));

	h->reconcile = (struct reconcile){ .ops = &ops, .owner = h };
	h->rtnl = rtnl_open(err);
	return h->rtnl ? h : handover_free(h);
}

struct handover *handover_free(struct handover *h) {
	if (!h)
		return NULL;
	reconcile_done(&h->reconcile);
	rtnl_close(h->rtnl);
	free(h);
	return NULL;
}

int handover_reconcile(struct handover *h, struct err *err) {
	return reconcile_again(&h->reconcile, err);
}

bool handover_lacks_tunnel(const struct handover *h) {
	return h->lacks_tunnel;
}

int handover_remove(struct handover *h, struct err *err) {
	return reconcile_remove(&h->reconcile, err);
}

struct backend handover_backend(struct handover *h) {
	return reconcile_backend(&h->reconcile);
}
