/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many messages to a call, none acknowledged: the kernel answers only what it refuses, and that is
 * read afterwards.
 */
#include "tests/lib/ct_make.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/ct.h"
#include "backends/session.h"
#include "cfgdb/base/mem.h"

#define BATCH 32
#define RECEIVE_BUFFER (4 << 20)

struct ct_maker {
	struct mnl_socket *sock;
	char data[BATCH * CT_MESSAGE_MAX];
};

static void die(const char *what) {
	perror(what);
	exit(1);
}

struct ct_maker *ct_make_open(void) {
	struct ct_maker *m = xcalloc(1, sizeof(*m));
	int on = 1, size = RECEIVE_BUFFER;

	m->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!m->sock || mnl_socket_bind(m->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		die("connection tracking");
	mnl_socket_setsockopt(m->sock, NETLINK_CAP_ACK, &on, sizeof(on));
	setsockopt(mnl_socket_get_fd(m->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	setsockopt(mnl_socket_get_fd(m->sock), SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size));
	return m;
}

void ct_make_close(struct ct_maker *m) {
	mnl_socket_close(m->sock);
	free(m);
}

uint32_t ct_make_addr(uint32_t i) {
	return 0x0a000000 + i / 4;
}

uint16_t ct_make_port(uint32_t i) {
	return (uint16_t)(20000 + i % 4 * 7);
}

static struct ct entry(uint32_t i) {
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP };

	ct.tuple[CT_ORIG].src = net_ipv4(ct_make_addr(i));
	ct.tuple[CT_ORIG].sport = ct_make_port(i);
	net_parse(AF_INET, CT_MAKE_VIP, &ct.tuple[CT_ORIG].dst);
	ct.tuple[CT_ORIG].dport = 65022;
	return ct;
}

/* The reply as it would be without translation: the kernel works out the other. */
static void put_reply(struct nlmsghdr *nlh, const struct ct *ct) {
	const struct ct_tuple *t = &ct->tuple[CT_ORIG];
	struct nlattr *tuple = mnl_attr_nest_start(nlh, CTA_TUPLE_REPLY), *part;

	part = mnl_attr_nest_start(nlh, CTA_TUPLE_IP);
	mnl_attr_put_u32(nlh, CTA_IP_V4_SRC, t->dst.word[0]);
	mnl_attr_put_u32(nlh, CTA_IP_V4_DST, t->src.word[0]);
	mnl_attr_nest_end(nlh, part);
	part = mnl_attr_nest_start(nlh, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(nlh, CTA_PROTO_NUM, ct->proto);
	mnl_attr_put_u16(nlh, CTA_PROTO_SRC_PORT, htobe16(t->dport));
	mnl_attr_put_u16(nlh, CTA_PROTO_DST_PORT, htobe16(t->sport));
	mnl_attr_nest_end(nlh, part);
	mnl_attr_nest_end(nlh, tuple);
}

static void put_dnat(struct nlmsghdr *nlh) {
	struct nlattr *nat = mnl_attr_nest_start(nlh, CTA_NAT_DST), *ports;

	mnl_attr_put_u32(nlh, CTA_NAT_V4_MINIP, inet_addr(CT_MAKE_SERVER));
	mnl_attr_put_u32(nlh, CTA_NAT_V4_MAXIP, inet_addr(CT_MAKE_SERVER));
	ports = mnl_attr_nest_start(nlh, CTA_NAT_PROTO);
	mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MIN, htobe16(22));
	mnl_attr_put_u16(nlh, CTA_PROTONAT_PORT_MAX, htobe16(22));
	mnl_attr_nest_end(nlh, ports);
	mnl_attr_nest_end(nlh, nat);
}

static void put_tcp_state(struct nlmsghdr *nlh, uint8_t state) {
	struct nlattr *info = mnl_attr_nest_start(nlh, CTA_PROTOINFO);
	struct nlattr *tcp = mnl_attr_nest_start(nlh, CTA_PROTOINFO_TCP);

	mnl_attr_put_u8(nlh, CTA_PROTOINFO_TCP_STATE, state);
	mnl_attr_nest_end(nlh, tcp);
	mnl_attr_nest_end(nlh, info);
}

static size_t put_create(char *at, uint32_t i, uint32_t marks) {
	struct nlmsghdr *nlh = ct_encode_begin(at, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW,
					       NLM_F_CREATE | NLM_F_EXCL, AF_INET);
	struct ct ct = entry(i);

	ct_encode_key(nlh, &ct);
	put_reply(nlh, &ct);
	put_dnat(nlh);
	mnl_attr_put_u32(nlh, CTA_STATUS, htobe32(IPS_SEEN_REPLY | IPS_ASSURED | IPS_CONFIRMED));
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htobe32(3600));
	mnl_attr_put_u32(nlh, CTA_MARK, htobe32(i % marks));
	put_tcp_state(nlh, TCP_CONNTRACK_ESTABLISHED);
	return NLMSG_ALIGN(nlh->nlmsg_len);
}

static size_t put_delete(char *at, uint32_t i, uint32_t marks) {
	struct nlmsghdr *nlh = ct_encode_begin(at, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE, 0,
					       AF_INET);
	struct ct ct = entry(i);

	(void)marks;
	ct_encode_key(nlh, &ct);
	return NLMSG_ALIGN(nlh->nlmsg_len);
}

static size_t put_change(char *at, uint32_t i, uint32_t state) {
	struct nlmsghdr *nlh = ct_encode_begin(at, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, 0,
					       AF_INET);
	struct ct ct = entry(i);

	ct_encode_key(nlh, &ct);
	put_tcp_state(nlh, (uint8_t)state);
	return NLMSG_ALIGN(nlh->nlmsg_len);
}

static size_t put_seen(char *at, uint32_t i, uint32_t bit) {
	const uint32_t label[4] = { UINT32_C(1) << bit };
	struct nlmsghdr *nlh = ct_encode_begin(at, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, 0,
					       AF_INET);
	struct ct ct = entry(i);

	ct_encode_key(nlh, &ct);
	mnl_attr_put(nlh, CTA_LABELS, sizeof(label), label);
	mnl_attr_put(nlh, CTA_LABELS_MASK, sizeof(label), label);
	return NLMSG_ALIGN(nlh->nlmsg_len);
}

static size_t put_timeout(char *at, uint32_t i, uint32_t seconds) {
	struct nlmsghdr *nlh = ct_encode_begin(at, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW, 0,
					       AF_INET);
	struct ct ct = entry(i);

	ct_encode_key(nlh, &ct);
	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htobe32(seconds));
	return NLMSG_ALIGN(nlh->nlmsg_len);
}

/* `what` is put()'s own. */
static void send_all(struct ct_maker *m, uint32_t first, uint32_t n, uint32_t what,
		     size_t (*put)(char *at, uint32_t i, uint32_t what)) {
	for (uint32_t i = 0; i < n;) {
		size_t len = 0;

		memset(m->data, 0, sizeof(m->data));
		for (uint32_t end = i + BATCH; i < n && i < end; i++)
			len += put(m->data + len, first + i, what);
		if (mnl_socket_sendto(m->sock, m->data, len) < 0)
			die("a batch of sessions");
	}
}

void ct_make_create(struct ct_maker *m, uint32_t first, uint32_t n, uint32_t marks) {
	send_all(m, first, n, marks, put_create);
}

void ct_make_delete(struct ct_maker *m, uint32_t first, uint32_t n) {
	send_all(m, first, n, 1, put_delete);
}

void ct_make_change(struct ct_maker *m, uint32_t first, uint32_t n, uint8_t state) {
	send_all(m, first, n, state, put_change);
}

void ct_make_see(struct ct_maker *m, uint32_t first, uint32_t n) {
	send_all(m, first, n, SESSION_LABEL_SEEN, put_seen);
}

void ct_make_expire(struct ct_maker *m, uint32_t first, uint32_t n) {
	send_all(m, first, n, 1, put_timeout);
}

uint32_t ct_make_refused(struct ct_maker *m) {
	uint32_t n = 0;

	for (;;) {
		ssize_t len = recv(mnl_socket_get_fd(m->sock), m->data, sizeof(m->data),
				   MSG_DONTWAIT);
		int left = (int)len;

		if (len <= 0)
			return n;
		for (const struct nlmsghdr *nlh = (const void *)m->data; mnl_nlmsg_ok(nlh, left);
		     nlh = mnl_nlmsg_next(nlh, &left))
			n += nlh->nlmsg_type == NLMSG_ERROR;
	}
}

static bool tuple_listed(unsigned int fields, const struct ct_tuple *want,
			 const struct ct_tuple *have) {
	return (!(fields & CT_FILTER_SRC) || net_equal(&want->src, &have->src)) &&
	       (!(fields & CT_FILTER_DST) || net_equal(&want->dst, &have->dst)) &&
	       (!(fields & CT_FILTER_SPORT) || want->sport == have->sport) &&
	       (!(fields & CT_FILTER_DPORT) || want->dport == have->dport);
}

bool ct_make_listed(const struct ct_kernel_filter *f, const struct ct *ct) {
	for (int dir = CT_ORIG; dir <= CT_REPLY; dir++) {
		if ((f->fields[dir] & CT_FILTER_PROTO) && f->proto != ct->proto)
			return false;
		if (!tuple_listed(f->fields[dir], &f->tuple[dir], &ct->tuple[dir]))
			return false;
	}
	return (f->family == 0 || f->family == ct->family) &&
	       ((ct->mark ^ f->mark) & f->mark_mask) == 0 &&
	       ((ct->status ^ f->status) & f->status_mask) == 0 &&
	       (!f->has_zone || f->zone == ct->zone);
}
