/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel gathers packets for a tenth of a second, or BATCH of them, and sends them as one
 * datagram: ten wake-ups a second are enough for any rate. Of the packet only the first bytes
 * come along. Messages are numbered, so what did not fit into the socket is known exactly.
 *
 * Not every kernel can tell the connection of a packet (NFULA_CT), so nothing here asks for it:
 * what is to be known of it, rules put into the packet's mark and headers.
 */
#include "backends/nflog.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define COPY_BYTES 96            /* of a packet: its headers */
#define BATCH 32
#define GATHER_TIME 10           /* hundredths of a second */
#define RECEIVE_BUFFER (1 << 20)
#define DATAGRAM_MAX (256u << 10)
#define DATAGRAMS_PER_TURN 16

/* ---- messages ---- */

/* Ports, or what stands for them with ICMP, from what follows the IP header. */
static void take_ports(const uint8_t *p, size_t len, struct ct *ct) {
	struct ct_tuple *t = &ct->tuple[CT_ORIG];

	if (ct_is_icmp(ct->proto) && len >= 6) {
		uint8_t echo = ct->proto == IPPROTO_ICMP ? ICMP_ECHO : ICMP6_ECHO_REQUEST;

		t->dport = p[0];
		t->icmp_code = p[1];
		t->sport = p[0] == echo ? (uint16_t)(p[4] << 8 | p[5]) : 0;
	} else if (!ct_is_icmp(ct->proto) && ct_has_ports(ct->proto) && len >= 4) {
		t->sport = (uint16_t)(p[0] << 8 | p[1]);
		t->dport = (uint16_t)(p[2] << 8 | p[3]);
	}
}

/* Extension headers are not walked: behind one there are no ports. */
static bool take_headers(const uint8_t *p, size_t len, struct ct *ct) {
	struct ct_tuple *t = &ct->tuple[CT_ORIG];
	size_t header;

	if (len >= sizeof(struct iphdr) && p[0] >> 4 == 4) {
		ct->family = AF_INET;
		ct->proto = p[9];
		memcpy(t->src.byte, p + 12, 4);
		memcpy(t->dst.byte, p + 16, 4);
		header = (size_t)(p[0] & 15) * 4;
		if ((p[6] & 0x1f) || p[7]) /* a later fragment */
			header = len;
	} else if (len >= sizeof(struct ip6_hdr) && p[0] >> 4 == 6) {
		ct->family = AF_INET6;
		ct->proto = p[6];
		memcpy(t->src.byte, p + 8, 16);
		memcpy(t->dst.byte, p + 24, 16);
		header = sizeof(struct ip6_hdr);
	} else {
		return false;
	}
	if (header < len)
		take_ports(p + header, len - header, ct);
	ct->tuple[CT_REPLY] = (struct ct_tuple){ t->dst, t->src, t->dport, t->sport, 0 };
	return true;
}

static uint32_t number_of(const struct nlattr *attr) {
	return mnl_attr_get_payload_len(attr) >= 4 ? be32toh(mnl_attr_get_u32(attr)) : 0;
}

static void take_prefix(const struct nlattr *attr, char prefix[NFLOG_PREFIX_MAX]) {
	size_t len = mnl_attr_get_payload_len(attr);

	if (len > NFLOG_PREFIX_MAX - 1)
		len = NFLOG_PREFIX_MAX - 1;
	len = strnlen(mnl_attr_get_payload(attr), len);
	memcpy(prefix, mnl_attr_get_payload(attr), len);
	prefix[len] = '\0';
}

static bool is_packet(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg)) &&
	       nlh->nlmsg_type == (NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
}

bool nflog_decode(const struct nlmsghdr *nlh, struct nflog_packet *ret) {
	const struct nlattr *attr, *payload = NULL;

	*ret = (struct nflog_packet){ .in = 0 };
	if (!is_packet(nlh))
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg))
		switch (mnl_attr_get_type(attr)) {
		case NFULA_IFINDEX_INDEV:
			ret->in = (int)number_of(attr);
			break;
		case NFULA_IFINDEX_OUTDEV:
			ret->out = (int)number_of(attr);
			break;
		case NFULA_SEQ:
			ret->has_seq = true;
			ret->seq = number_of(attr);
			break;
		case NFULA_PREFIX:
			take_prefix(attr, ret->prefix);
			break;
		case NFULA_PAYLOAD:
			payload = attr;
			break;
		case NFULA_MARK:
			ret->ct.mark = number_of(attr);
			break;
		}
	return payload && take_headers(mnl_attr_get_payload(payload),
				       mnl_attr_get_payload_len(payload), &ret->ct);
}

/* ---- the socket ---- */

struct nflog {
	struct mnl_socket *sock;
	bool has_seq;
	uint32_t seq;                /* of the next message */
	char data[DATAGRAM_MAX];
};

static void put_settings(struct nlmsghdr *nlh) {
	const struct nfulnl_msg_config_cmd bind = { .command = NFULNL_CFG_CMD_BIND };
	const struct nfulnl_msg_config_mode mode = { .copy_range = htobe32(COPY_BYTES),
						     .copy_mode = NFULNL_COPY_PACKET };

	mnl_attr_put(nlh, NFULA_CFG_CMD, sizeof(bind), &bind);
	mnl_attr_put(nlh, NFULA_CFG_MODE, sizeof(mode), &mode);
	mnl_attr_put_u32(nlh, NFULA_CFG_QTHRESH, htobe32(BATCH));
	mnl_attr_put_u32(nlh, NFULA_CFG_TIMEOUT, htobe32(GATHER_TIME));
	mnl_attr_put_u16(nlh, NFULA_CFG_FLAGS, htobe16(NFULNL_CFG_F_SEQ));
}

/* The kernel answers before send() returns; packets may already stand before its answer. */
static int answer_to(struct nflog *l, uint32_t seq) {
	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(l->sock), l->data, sizeof(l->data), 0);
		const struct nlmsghdr *nlh = (const void *)l->data;
		const struct nlmsgerr *e = n > 0 ? mnl_nlmsg_get_payload(nlh) : NULL;

		if (n < 0)
			return errno;
		if (mnl_nlmsg_ok(nlh, (int)n) && nlh->nlmsg_type == NLMSG_ERROR &&
		    nlh->nlmsg_seq == seq)
			return -e->error;
	}
}

/* 0 or the number of a system error. */
static int bind_group(struct nflog *l, uint16_t group) {
	char data[256] __attribute__((aligned(NLMSG_ALIGNTO))) = { 0 };
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(data);
	struct nfgenmsg *g = mnl_nlmsg_put_extra_header(nlh, sizeof(*g));

	nlh->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = 1;
	g->res_id = htobe16(group);
	put_settings(nlh);
	if (mnl_socket_sendto(l->sock, nlh, nlh->nlmsg_len) < 0)
		return errno;
	return answer_to(l, nlh->nlmsg_seq);
}

struct nflog *nflog_open(uint16_t group, struct err *err) {
	struct nflog *l = xcalloc(1, sizeof(*l));
	int size = RECEIVE_BUFFER, bad;

	l->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	bad = l->sock && mnl_socket_bind(l->sock, 0, MNL_SOCKET_AUTOPID) >= 0 ? 0 : errno;
	if (!bad)
		bad = bind_group(l, group);
	if (!bad) {
		/* A smaller one loses more, which is counted. */
		setsockopt(nflog_fd(l), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
		return l;
	}
	/* With the right to ask, EPERM is how the kernel says that the group is taken. */
	err_set(err, ERR_KERNEL, "logged packets cannot be read (group %u): %s", group,
		bad == EPERM ? "another program reads them" : strerror(bad));
	return nflog_close(l);
}

struct nflog *nflog_close(struct nflog *l) {
	if (l && l->sock)
		mnl_socket_close(l->sock);
	free(l);
	return NULL;
}

int nflog_fd(const struct nflog *l) {
	return mnl_socket_get_fd(l->sock);
}

/* How many numbers were left out before this one. */
static uint32_t gap_before(struct nflog *l, const struct nflog_packet *p) {
	uint32_t gap = l->has_seq ? p->seq - l->seq : 0;

	if (!p->has_seq)
		return 0;
	l->has_seq = true;
	l->seq = p->seq + 1;
	return gap;
}

uint64_t nflog_read(struct nflog *l, void (*each)(void *arg, const struct nflog_packet *packet),
		    void *arg) {
	struct nflog_packet packet;
	uint64_t lost = 0;

	for (int i = 0; i < DATAGRAMS_PER_TURN; i++) {
		ssize_t n = recv(nflog_fd(l), l->data, sizeof(l->data), 0);
		int len = (int)n;

		if (n < 0 && errno != ENOBUFS && errno != EINTR)
			break;
		for (const struct nlmsghdr *nlh = (const void *)l->data;
		     n > 0 && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			if (nflog_decode(nlh, &packet)) {
				lost += gap_before(l, &packet);
				each(arg, &packet);
			}
	}
	return lost;
}
