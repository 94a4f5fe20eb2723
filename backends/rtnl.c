/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One socket for requests, one for events. Nothing is cached: state is read with a dump when it is
 * needed, and an event only says that it is. So a lost event (the kernel tells by ENOBUFS) costs
 * nothing but the same dump.
 *
 * No call waits: the kernel has queued its answer when sending returns, and the next part of a dump
 * when one has been taken. An answer that is not there then never comes. When a conversation fails
 * the next has a new socket: what is left of a dump makes the kernel refuse another one (EBUSY).
 */
#include "backends/rtnl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <linux/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define ANSWER_SIZE (64u << 10)
#define LINKS_TRIES 100      /* at a dump of links that change meanwhile */
#define EVENTS_MAX 1000      /* read at once: others want to be served, too */

struct rtnl {
	int bus;                 /* NETLINK_ROUTE, NETLINK_SOCK_DIAG */
	struct mnl_socket *sock;
	uint32_t seq;
};

struct monitor {
	struct mnl_socket *sock;
};

static struct mnl_socket *socket_open(int bus, unsigned int groups, struct err *err) {
	struct mnl_socket *sock = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (sock && mnl_socket_bind(sock, groups, MNL_SOCKET_AUTOPID) >= 0)
		return sock;
	err_set(err, ERR_KERNEL, "%s cannot be reached: %s",
		bus == NETLINK_ROUTE ? "routing" : "socket diagnosis", strerror(errno));
	if (sock)
		mnl_socket_close(sock);
	return NULL;
}

static struct rtnl *open_bus(int bus, struct err *err) {
	struct rtnl *rtnl = xcalloc(1, sizeof(*rtnl));

	rtnl->bus = bus;
	rtnl->sock = socket_open(bus, 0, err);
	return rtnl->sock ? rtnl : rtnl_close(rtnl);
}

struct rtnl *rtnl_open(struct err *err) {
	return open_bus(NETLINK_ROUTE, err);
}

struct rtnl *rtnl_open_diag(struct err *err) {
	return open_bus(NETLINK_SOCK_DIAG, err);
}

struct rtnl *rtnl_close(struct rtnl *rtnl) {
	if (rtnl && rtnl->sock)
		mnl_socket_close(rtnl->sock);
	free(rtnl);
	return NULL;
}

struct nlmsghdr *rtnl_message(char *data, uint16_t type, uint16_t flags, size_t size,
			      void **header) {
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(data);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	*header = mnl_nlmsg_put_extra_header(nlh, size);
	return nlh;
}

static void socket_renew(struct rtnl *rtnl) {
	struct mnl_socket *fresh = socket_open(rtnl->bus, 0, NULL);

	if (!fresh)
		return; /* what comes late has another sequence number */
	mnl_socket_close(rtnl->sock);
	rtnl->sock = fresh;
}

static int take_answers(struct rtnl *rtnl, mnl_cb_t each, void *arg) {
	AUTO_FREE char *data = xcalloc(1, ANSWER_SIZE);
	uint32_t port = mnl_socket_get_portid(rtnl->sock);
	int ret = MNL_CB_OK;

	while (ret > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(rtnl->sock, data, ANSWER_SIZE);

		if (n <= 0)
			return n < 0 && errno != EAGAIN ? errno : ENODATA;
		ret = mnl_cb_run(data, (size_t)n, rtnl->seq, port, each, arg);
		/* What is left of an earlier exchange is skipped. */
		if (ret < 0 && errno == EPROTO)
			ret = MNL_CB_OK;
	}
	return ret < 0 ? errno : 0;
}

/* Send a message and take all answers to it. */
static int exchange(struct rtnl *rtnl, struct nlmsghdr *nlh, mnl_cb_t each, void *arg) {
	int rc;

	nlh->nlmsg_seq = ++rtnl->seq;
	if (mnl_socket_sendto(rtnl->sock, nlh, nlh->nlmsg_len) < 0)
		return errno;
	rc = take_answers(rtnl, each, arg);
	if (rc)
		socket_renew(rtnl);
	return rc;
}

int rtnl_talk(struct rtnl *rtnl, struct nlmsghdr *nlh) {
	nlh->nlmsg_flags |= NLM_F_ACK;
	return exchange(rtnl, nlh, NULL, NULL);
}

int rtnl_dump(struct rtnl *rtnl, uint16_t type, uint8_t family, mnl_cb_t each, void *arg) {
	char data[MNL_NLMSG_HDRLEN + 64] = { 0 };
	struct rtgenmsg *gen;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, type, NLM_F_DUMP, sizeof(*gen), &header);

	gen = header;
	gen->rtgen_family = family;
	return exchange(rtnl, nlh, each, arg);
}

int rtnl_dump_routes(struct rtnl *rtnl, uint8_t protocol, mnl_cb_t each, void *arg) {
	char data[MNL_NLMSG_HDRLEN + 64] = { 0 };
	struct rtmsg *rtm;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_GETROUTE, NLM_F_DUMP, sizeof(*rtm), &header);
	int on = 1, off = 0, rc;

	rtm = header;
	rtm->rtm_family = AF_INET;
	rtm->rtm_protocol = protocol;
	/* Without this, and before Linux 4.20, the protocol is ignored. */
	mnl_socket_setsockopt(rtnl->sock, NETLINK_GET_STRICT_CHK, &on, sizeof(on));
	rc = exchange(rtnl, nlh, each, arg);
	mnl_socket_setsockopt(rtnl->sock, NETLINK_GET_STRICT_CHK, &off, sizeof(off));
	return rc;
}

int rtnl_query(struct rtnl *rtnl, struct nlmsghdr *nlh, mnl_cb_t each, void *arg) {
	nlh->nlmsg_flags |= NLM_F_ACK;
	return exchange(rtnl, nlh, each, arg);
}

/* ---- links ---- */

static int read_link(const struct nlmsghdr *nlh, void *arg) {
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct links *links = arg;
	const struct nlattr *attr;
	struct link *l;

	if ((links->n & (links->n - 1)) == 0)
		links->link = xreallocarray(links->link, links->n ? links->n * 2 : 1,
					    sizeof(*links->link));
	l = &links->link[links->n++];
	*l = (struct link){
		.index = ifi->ifi_index,
		.up = (ifi->ifi_flags & IFF_UP) != 0,
		.running = (ifi->ifi_flags & IFF_UP) && (ifi->ifi_flags & IFF_LOWER_UP),
		.loopback = (ifi->ifi_flags & IFF_LOOPBACK) != 0,
	};
	mnl_attr_for_each(attr, nlh, sizeof(*ifi)) {
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			strncpy(l->name, mnl_attr_get_str(attr), sizeof(l->name) - 1);
		else if (mnl_attr_get_type(attr) == IFLA_MTU)
			l->mtu = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == IFLA_GROUP)
			l->ours = mnl_attr_get_u32(attr) == RTNL_PROTOCOL_HANDOVER;
	}
	return MNL_CB_OK;
}

static void read_addr_protocol(uint8_t protocol, struct link_addr *a) {
	a->ours = protocol == RTNL_PROTOCOL;
	a->handover = protocol == RTNL_PROTOCOL_HANDOVER;
}

static int read_addr(const struct nlmsghdr *nlh, void *arg) {
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct links *links = arg;
	const struct nlattr *attr;
	struct link_addr *a;

	if (ifa->ifa_family != AF_INET)
		return MNL_CB_OK;
	if ((links->n_addrs & (links->n_addrs - 1)) == 0)
		links->addr = xreallocarray(links->addr, links->n_addrs ? links->n_addrs * 2 : 1,
					    sizeof(*links->addr));
	a = &links->addr[links->n_addrs++];
	*a = (struct link_addr){ .index = (int)ifa->ifa_index, .prefix = ifa->ifa_prefixlen };
	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		if (mnl_attr_get_type(attr) == IFA_LOCAL)
			a->addr = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == IFA_ADDRESS)
			a->peer = ntohl(mnl_attr_get_u32(attr));
		else if (mnl_attr_get_type(attr) == IFA_PROTO)
			read_addr_protocol(mnl_attr_get_u8(attr), a);
	}
	if (a->addr == 0)
		a->addr = a->peer;
	return MNL_CB_OK;
}

int links_read(struct rtnl *rtnl, struct links *ret) {
	int rc = EINTR;

	*ret = (struct links){ .n = 0 };
	for (int i = 0; i < LINKS_TRIES && rc == EINTR; i++) {
		rc = rtnl_dump(rtnl, RTM_GETLINK, AF_UNSPEC, read_link, ret);
		if (rc == 0)
			rc = rtnl_dump(rtnl, RTM_GETADDR, AF_INET, read_addr, ret);
		if (rc)
			links_done(ret);
	}
	return rc;
}

void links_done(struct links *links) {
	free(links->link);
	free(links->addr);
	*links = (struct links){ .n = 0 };
}

const struct link *links_find(const struct links *links, const char *name) {
	for (size_t i = 0; i < links->n; i++)
		if (strcmp(links->link[i].name, name) == 0)
			return &links->link[i];
	return NULL;
}

const struct link *links_at(const struct links *links, int index) {
	for (size_t i = 0; i < links->n; i++)
		if (links->link[i].index == index)
			return &links->link[i];
	return NULL;
}

/* ---- events ---- */

static struct monitor *open_groups(unsigned int groups, struct err *err) {
	struct monitor *m = xcalloc(1, sizeof(*m));

	m->sock = socket_open(NETLINK_ROUTE, groups, err);
	return m->sock ? m : monitor_close(m);
}

struct monitor *monitor_open(struct err *err) {
	return open_groups(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE, err);
}

struct monitor *monitor_open_ways(struct err *err) {
	return open_groups(RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV4_RULE |
				   RTMGRP_IPV6_IFADDR | RTMGRP_IPV6_ROUTE |
				   1u << (RTNLGRP_IPV6_RULE - 1) | 1u << (RTNLGRP_NEXTHOP - 1),
			   err);
}

struct monitor *monitor_close(struct monitor *m) {
	if (m && m->sock)
		mnl_socket_close(m->sock);
	free(m);
	return NULL;
}

int monitor_fd(const struct monitor *m) {
	return mnl_socket_get_fd(m->sock);
}

/*
 * Of routes, only the loss of one of ours: what routing daemons do does not change what ours are,
 * and may be a lot.
 */
static bool is_interesting(const struct nlmsghdr *nlh) {
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == RTM_DELROUTE)
		return rtm->rtm_protocol >= RTNL_PROTOCOL &&
		       rtm->rtm_protocol <= RTNL_PROTOCOL_HANDOVER;
	return nlh->nlmsg_type != RTM_NEWROUTE;
}

bool monitor_event(struct monitor *m) {
	AUTO_FREE char *data = xcalloc(1, ANSWER_SIZE);
	bool any = false;

	for (int i = 0; i < EVENTS_MAX; i++) {
		ssize_t n = recv(monitor_fd(m), data, ANSWER_SIZE, 0);
		int len = (int)n;

		if (n < 0 && errno == ENOBUFS) {
			any = true;
			continue;
		}
		if (n <= 0)
			break;
		for (const struct nlmsghdr *nlh = (void *)data; mnl_nlmsg_ok(nlh, len);
		     nlh = mnl_nlmsg_next(nlh, &len))
			any |= is_interesting(nlh);
	}
	return any;
}

/* Each counts for one: what is behind the last of them is there for the next call. */
bool monitor_any(struct monitor *m) {
	bool any = false;
	char start;

	for (int i = 0; i < EVENTS_MAX; i++) {
		if (recv(monitor_fd(m), &start, sizeof(start), MSG_TRUNC) <= 0 && errno != ENOBUFS)
			break;
		any = true;
	}
	return any;
}
