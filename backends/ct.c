/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that are answered at once. No call waits: the kernel has queued its answer when sending
 * returns, and the next part of a dump when one has been taken. An answer that is not there then
 * never comes.
 */
#include "backends/ct.h"

#include <endian.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define ANSWER_SIZE (32u << 10)
#define RECEIVE_BUFFER (1 << 20)       /* room for CT_GET_MAX answers */

struct ct_netlink {
	struct mnl_socket *sock;
	uint32_t seq;
	char data[ANSWER_SIZE];
};

static struct mnl_socket *socket_open(void) {
	struct mnl_socket *sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	int size = RECEIVE_BUFFER;

	if (!sock)
		return NULL;
	/* With a smaller one, what finds no room counts as not there. */
	setsockopt(mnl_socket_get_fd(sock), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (mnl_socket_bind(sock, 0, MNL_SOCKET_AUTOPID) >= 0)
		return sock;
	mnl_socket_close(sock);
	return NULL;
}

struct ct_netlink *ct_open(struct err *err) {
	struct ct_netlink *nl = xcalloc(1, sizeof(*nl));

	nl->sock = socket_open();
	if (nl->sock)
		return nl;
	err_set(err, ERR_KERNEL, "connection tracking cannot be reached: %s", strerror(errno));
	return ct_close(nl);
}

struct ct_netlink *ct_close(struct ct_netlink *nl) {
	if (nl && nl->sock)
		mnl_socket_close(nl->sock);
	free(nl);
	return NULL;
}

/* What is left of a conversation that failed would make the kernel refuse the next dump. */
static void socket_renew(struct ct_netlink *nl) {
	struct mnl_socket *fresh = socket_open();

	if (!fresh)
		return; /* what comes late has another sequence number */
	mnl_socket_close(nl->sock);
	nl->sock = fresh;
}

static int take_answers(struct ct_netlink *nl, mnl_cb_t each, void *arg) {
	uint32_t port = mnl_socket_get_portid(nl->sock);
	int ret = MNL_CB_OK;

	while (ret > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(nl->sock, nl->data, sizeof(nl->data));

		if (n <= 0)
			return n < 0 && errno != EAGAIN ? errno : ENODATA;
		ret = mnl_cb_run(nl->data, (size_t)n, nl->seq, port, each, arg);
		/* What is left of an earlier exchange is skipped. */
		if (ret < 0 && errno == EPROTO)
			ret = MNL_CB_OK;
	}
	return ret < 0 ? errno : 0;
}

/* Send a request; each() sees all answers to it. 0 or the number of a system error. */
static int exchange(struct ct_netlink *nl, struct nlmsghdr *nlh, mnl_cb_t each, void *arg) {
	int rc;

	nlh->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->sock, nlh, nlh->nlmsg_len) < 0)
		return errno;
	rc = take_answers(nl, each, arg);
	if (rc && rc != ENOENT)
		socket_renew(nl);
	return rc;
}

static int refused(int rc, const char *what, struct err *err) {
	if (rc == ENOENT)
		return err_set(err, ERR_NOT_FOUND, "there is no such session");
	return err_set(err, ERR_KERNEL, "%s: %s", what, strerror(rc));
}

/* ---- one entry ---- */

struct found {
	struct ct *ct;
	bool any;
};

static int read_found(const struct nlmsghdr *nlh, void *arg) {
	struct found *f = arg;
	struct ct ct;

	if (ct_decode(nlh, &ct)) {
		*f->ct = ct;
		f->any = true;
	}
	return MNL_CB_OK;
}

int ct_get(struct ct_netlink *nl, struct ct *ct, struct err *err) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET,
					       NLM_F_ACK, ct->family);
	struct found f = { .ct = ct };
	int rc;

	ct_encode_key(nlh, ct);
	rc = exchange(nl, nlh, read_found, &f);
	if (rc == 0 && !f.any)
		rc = ENOENT;
	return rc ? refused(rc, "the session cannot be read", err) : 0;
}

/* Answers to n requests that are numbered from first_seq on: an entry or an error each. */
struct answers {
	uint32_t first_seq;
	size_t n, taken;
	struct ct *ct;
	bool *there;
};

static void take_some(const char *data, ssize_t n, struct answers *a) {
	int len = (int)n;

	for (const struct nlmsghdr *nlh = (const void *)data; mnl_nlmsg_ok(nlh, len);
	     nlh = mnl_nlmsg_next(nlh, &len)) {
		uint32_t i = nlh->nlmsg_seq - a->first_seq;
		struct ct ct;

		if (i >= a->n)
			continue; /* left of an earlier exchange */
		a->taken++;
		a->there[i] = nlh->nlmsg_type != NLMSG_ERROR && ct_decode(nlh, &ct);
		if (a->there[i])
			a->ct[i] = ct;
	}
}

int ct_get_all(struct ct_netlink *nl, struct ct *ct, bool *there, size_t n, struct err *err) {
	AUTO_FREE char *data = xcalloc(n + 1, CT_MESSAGE_MAX);
	struct answers a = { .first_seq = nl->seq + 1, .n = n, .ct = ct, .there = there };
	size_t len = 0;
	ssize_t got = 1;

	for (size_t i = 0; i < n; i++) {
		struct nlmsghdr *nlh = ct_encode_begin(data + len, NFNL_SUBSYS_CTNETLINK,
						       IPCTNL_MSG_CT_GET, 0, ct[i].family);

		ct_encode_key(nlh, &ct[i]);
		nlh->nlmsg_seq = ++nl->seq;
		len += NLMSG_ALIGN(nlh->nlmsg_len);
		there[i] = false;
	}
	if (n > 0 && mnl_socket_sendto(nl->sock, data, len) < 0)
		return refused(errno, "sessions cannot be read", err);
	while (a.taken < n && got > 0) {
		got = mnl_socket_recvfrom(nl->sock, nl->data, sizeof(nl->data));
		if (got > 0)
			take_some(nl->data, got, &a);
	}
	if (a.taken == n)
		return 0;
	socket_renew(nl);
	return refused(EIO, "sessions cannot be read", err);
}

int ct_delete(struct ct_netlink *nl, const struct ct *ct, struct err *err) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_DELETE,
					       NLM_F_ACK, ct->family);
	int rc;

	ct_encode_key(nlh, ct);
	mnl_attr_put_u32(nlh, CTA_ID, htobe32(ct->id));
	rc = exchange(nl, nlh, NULL, NULL);
	return rc ? refused(rc, "the session cannot be deleted", err) : 0;
}

static struct nlmsghdr *update_begin(char *data, const struct ct *ct) {
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_NEW,
					       NLM_F_ACK, ct->family);

	ct_encode_key(nlh, ct);
	return nlh;
}

static int update(struct ct_netlink *nl, struct nlmsghdr *nlh, struct err *err) {
	int rc = exchange(nl, nlh, NULL, NULL);

	return rc ? refused(rc, "the session cannot be changed", err) : 0;
}

int ct_set_mark(struct ct_netlink *nl, const struct ct *ct, uint32_t mark, uint32_t mask,
		struct err *err) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = update_begin(data, ct);

	mnl_attr_put_u32(nlh, CTA_MARK, htobe32(mark & mask));
	mnl_attr_put_u32(nlh, CTA_MARK_MASK, htobe32(mask));
	return update(nl, nlh, err);
}

int ct_set_label(struct ct_netlink *nl, const struct ct *ct, const uint64_t label[2],
		 const uint64_t mask[2], struct err *err) {
	const uint64_t set[2] = { label[0] & mask[0], label[1] & mask[1] };
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = update_begin(data, ct);

	mnl_attr_put(nlh, CTA_LABELS, sizeof(set), set);
	mnl_attr_put(nlh, CTA_LABELS_MASK, sizeof(set), mask);
	return update(nl, nlh, err);
}

int ct_set_timeout(struct ct_netlink *nl, const struct ct *ct, uint32_t seconds, struct err *err) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = update_begin(data, ct);

	mnl_attr_put_u32(nlh, CTA_TIMEOUT, htobe32(seconds));
	return update(nl, nlh, err);
}

/* ---- counters ---- */

/* An attribute that is a number. */
static uint32_t number(const struct nlattr *attr) {
	return mnl_attr_get_payload_len(attr) >= sizeof(uint32_t)
		       ? be32toh(mnl_attr_get_u32(attr))
		       : 0;
}

static bool has_attrs(const struct nlmsghdr *nlh) {
	return nlh->nlmsg_len >= NLMSG_LENGTH(sizeof(struct nfgenmsg));
}

struct totals {
	uint32_t *count, *max;
};

static int read_totals(const struct nlmsghdr *nlh, void *arg) {
	struct totals *t = arg;
	const struct nlattr *attr;

	if (!has_attrs(nlh))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == CTA_STATS_GLOBAL_ENTRIES)
			*t->count = number(attr);
		else if (mnl_attr_get_type(attr) == CTA_STATS_GLOBAL_MAX_ENTRIES)
			*t->max = number(attr);
	}
	return MNL_CB_OK;
}

int ct_count(struct ct_netlink *nl, uint32_t *count, uint32_t *max, struct err *err) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK, IPCTNL_MSG_CT_GET_STATS,
					       NLM_F_ACK, 0);
	struct totals t = { count, max };
	int rc;

	*count = *max = 0;
	rc = exchange(nl, nlh, read_totals, &t);
	return rc ? refused(rc, "sessions cannot be counted", err) : 0;
}

/* Where a counter of one processor is added. */
static uint64_t *counter(struct ct_stats *s, uint16_t type) {
	switch (type) {
	case CTA_STATS_FOUND:
		return &s->found;
	case CTA_STATS_INVALID:
		return &s->invalid;
	case CTA_STATS_INSERT:
		return &s->insert;
	case CTA_STATS_INSERT_FAILED:
		return &s->insert_failed;
	case CTA_STATS_DROP:
		return &s->drop;
	case CTA_STATS_EARLY_DROP:
		return &s->early_drop;
	case CTA_STATS_ERROR:
		return &s->error;
	case CTA_STATS_SEARCH_RESTART:
		return &s->search_restart;
	case CTA_STATS_CLASH_RESOLVE:
		return &s->clash_resolve;
	case CTA_STATS_CHAIN_TOOLONG:
		return &s->chain_toolong;
	default:
		return NULL;
	}
}

static int read_stats(const struct nlmsghdr *nlh, void *arg) {
	const struct nlattr *attr;

	if (!has_attrs(nlh))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(struct nfgenmsg)) {
		uint64_t *sum = counter(arg, mnl_attr_get_type(attr));

		if (sum)
			*sum += number(attr);
	}
	return MNL_CB_OK;
}

int ct_stats(struct ct_netlink *nl, struct ct_stats *ret, struct err *err) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK,
					       IPCTNL_MSG_CT_GET_STATS_CPU, NLM_F_DUMP, 0);
	int rc;

	*ret = (struct ct_stats){ .found = 0 };
	rc = exchange(nl, nlh, read_stats, ret);
	return rc ? refused(rc, "the counters of sessions cannot be read", err) : 0;
}

static int count_one(const struct nlmsghdr *nlh, void *arg) {
	uint32_t *count = arg;

	(void)nlh;
	++*count;
	return MNL_CB_OK;
}

int ct_expect_count(struct ct_netlink *nl, uint32_t *count, struct err *err) {
	char data[CT_MESSAGE_MAX] = { 0 };
	struct nlmsghdr *nlh = ct_encode_begin(data, NFNL_SUBSYS_CTNETLINK_EXP, IPCTNL_MSG_EXP_GET,
					       NLM_F_DUMP, 0);
	int rc;

	*count = 0;
	rc = exchange(nl, nlh, count_one, count);
	return rc ? refused(rc, "expected sessions cannot be counted", err) : 0;
}
