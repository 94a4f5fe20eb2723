/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel tells every change of nf_tables to those who listen: a message for each part, and at
 * the end of the transaction one with the new generation and the process that made it. All carry
 * the port of the socket that the change came by, so a filter on ours keeps our own changes, which
 * are large, from ever being queued. Of the others' only the table's name is looked at: in all
 * messages about tables, chains, rules, sets and elements it is the first attribute
 * (linux/netfilter/nf_tables.h).
 */
#include "backends/nft_watch.h"

#include <arpa/inet.h>
#include <bsd/string.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/ruleset.h"
#include "cfgdb/base/mem.h"

#define MESSAGE_SIZE (64u << 10)
#define RECEIVE_BUFFER (1 << 20)
#define READS_MAX 64 /* in one go: whoever keeps changing rules does not keep us from all else */

struct nft_watch {
	struct mnl_socket *sock;
};

/* What was heard since the last generation, and in all. */
struct heard {
	bool ours, touched;
	struct nft_intruder *who;
};

/* Let pass what did not come by this port; the filter reads in network byte order. */
static bool filter_out(int fd, uint32_t port) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	const struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

struct nft_watch *nft_watch_open(uint32_t own_port, struct err *err) {
	struct nft_watch *w = xcalloc(1, sizeof(*w));
	int group = NFNLGRP_NFTABLES, size = RECEIVE_BUFFER;

	w->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!w->sock || !filter_out(mnl_socket_get_fd(w->sock), own_port) ||
	    mnl_socket_bind(w->sock, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(w->sock, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		err_set(err, ERR_KERNEL, "changes of the packet filter cannot be watched: %s",
			strerror(errno));
		return nft_watch_close(w);
	}
	/* What does not fit is noticed: it only makes us look once more often. */
	setsockopt(mnl_socket_get_fd(w->sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return w;
}

struct nft_watch *nft_watch_close(struct nft_watch *w) {
	if (w && w->sock)
		mnl_socket_close(w->sock);
	free(w);
	return NULL;
}

int nft_watch_fd(const struct nft_watch *w) {
	return mnl_socket_get_fd(w->sock);
}

static void take_process(const struct nlmsghdr *nlh, struct nft_intruder *who) {
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_GEN_PROC_PID &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) == 0)
			who->pid = ntohl(mnl_attr_get_u32(attr));
		if (mnl_attr_get_type(attr) == NFTA_GEN_PROC_NAME &&
		    mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0)
			strlcpy(who->name, mnl_attr_get_str(attr), sizeof(who->name));
	}
}

static bool is_our_table(const struct nlmsghdr *nlh) {
	const struct nfgenmsg *g = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;

	if (g->nfgen_family != NFPROTO_INET)
		return false;
	mnl_attr_for_each(attr, nlh, sizeof(*g))
		if (mnl_attr_get_type(attr) == NFTA_TABLE_NAME)
			return mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) == 0 &&
			       strcmp(mnl_attr_get_str(attr), RULESET_TABLE) == 0;
	return false;
}

static void hear(struct heard *h, const struct nlmsghdr *nlh) {
	if (NFNL_SUBSYS_ID(nlh->nlmsg_type) != NFNL_SUBSYS_NFTABLES ||
	    nlh->nlmsg_len < NLMSG_LENGTH(sizeof(struct nfgenmsg)))
		return;
	if (NFNL_MSG_TYPE(nlh->nlmsg_type) != NFT_MSG_NEWGEN) {
		h->ours |= is_our_table(nlh);
		return;
	}
	if (h->ours) {
		*h->who = (struct nft_intruder){ .pid = 0 };
		take_process(nlh, h->who);
	}
	h->touched |= h->ours;
	h->ours = false;
}

bool nft_watch_read(struct nft_watch *w, struct nft_intruder *who) {
	AUTO_FREE char *data = xcalloc(1, MESSAGE_SIZE);
	struct heard h = { .who = who };
	int fd = mnl_socket_get_fd(w->sock);

	*who = (struct nft_intruder){ .pid = 0 };
	for (int i = 0; i < READS_MAX; i++) {
		ssize_t n = recv(fd, data, MESSAGE_SIZE, 0);
		int len = (int)n;

		if (n < 0 && errno == ENOBUFS)
			h.touched = true;
		else if (n < 0 && errno != EINTR)
			break;
		for (const struct nlmsghdr *nlh = (const void *)data;
		     n > 0 && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			hear(&h, nlh);
	}
	return h.touched || h.ours;
}
