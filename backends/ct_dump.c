/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A listing in bites. The kernel prepares the next datagram when one is taken, so the socket is
 * readable until the listing ends, and nothing is ever queued behind a reader that stops.
 *
 * The kernel never moves an entry from one bucket of its table to another, so a walk over the
 * buckets leaves out none that lives all the time; ct_recent.c takes care of those that come twice.
 */
#include "backends/ct.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/ct_recent.h"
#include "cfgdb/base/mem.h"

#define BITE_SIZE (32u << 10)

struct ct_dump {
	struct mnl_socket *sock;
	bool expect;             /* of expected sessions */
	struct ct_kernel_filter filter;
	bool with_tuples;
	uint32_t seq;
	struct ct_recent recent;
	char data[BITE_SIZE];
};

/* One datagram, while it is read. */
struct bite {
	struct ct_recent *recent;
	void (*each)(void *arg, const struct ct *ct);
	void (*each_expect)(void *arg, const struct ct_expect *e);
	void *arg;
};

static int request(struct ct_dump *d) {
	char data[CT_MESSAGE_MAX] = { 0 };
	uint8_t subsystem = d->expect ? NFNL_SUBSYS_CTNETLINK_EXP : NFNL_SUBSYS_CTNETLINK;
	uint8_t type = d->expect ? IPCTNL_MSG_EXP_GET : IPCTNL_MSG_CT_GET;
	struct nlmsghdr *nlh =
		ct_encode_begin(data, subsystem, type, NLM_F_DUMP, d->filter.family);

	nlh->nlmsg_seq = ++d->seq;
	ct_encode_filter(nlh, &d->filter, d->with_tuples);
	return mnl_socket_sendto(d->sock, nlh, nlh->nlmsg_len) < 0 ? errno : 0;
}

static enum ct_dump_state failed(int rc, struct err *err) {
	err_set(err, ERR_KERNEL, "sessions cannot be listed: %s", strerror(rc));
	return CT_DUMP_ERROR;
}

/* Takes d over. */
static struct ct_dump *begin(struct ct_dump *d, struct err *err) {
	int rc;

	d->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	rc = !d->sock || mnl_socket_bind(d->sock, 0, MNL_SOCKET_AUTOPID) < 0 ? errno : request(d);
	if (rc == 0)
		return d;
	failed(rc, err);
	return ct_dump_close(d);
}

struct ct_dump *ct_dump_open(const struct ct_kernel_filter *filter, struct err *err) {
	struct ct_dump *d = xcalloc(1, sizeof(*d));

	if (filter)
		d->filter = *filter;
	d->with_tuples = d->filter.fields[CT_ORIG] || d->filter.fields[CT_REPLY];
	return begin(d, err);
}

struct ct_dump *ct_dump_open_expect(struct err *err) {
	struct ct_dump *d = xcalloc(1, sizeof(*d));

	d->expect = true;
	return begin(d, err);
}

int ct_dump_again(struct ct_dump *d, struct err *err) {
	int rc;

	d->recent = (struct ct_recent){ .n = 0 };
	rc = request(d);
	if (rc)
		failed(rc, err);
	return rc ? ERR_KERNEL : 0;
}

struct ct_dump *ct_dump_close(struct ct_dump *d) {
	if (d && d->sock)
		mnl_socket_close(d->sock);
	free(d);
	return NULL;
}

int ct_dump_fd(const struct ct_dump *d) {
	return mnl_socket_get_fd(d->sock);
}

static int read_entry(const struct nlmsghdr *nlh, void *arg) {
	struct bite *b = arg;
	struct ct ct;

	if (ct_decode(nlh, &ct) && !ct_recent_again(b->recent, &ct))
		b->each(b->arg, &ct);
	return MNL_CB_OK;
}

/* Expected sessions are walked as entries are, and told apart by the same. */
static int read_expect(const struct nlmsghdr *nlh, void *arg) {
	struct bite *b = arg;
	struct ct_expect e;

	if (ct_decode_expect(nlh, &e)) {
		struct ct key = {
			.tuple = { e.tuple }, .id = e.id, .zone = e.zone, .proto = e.proto
		};

		if (!ct_recent_again(b->recent, &key))
			b->each_expect(b->arg, &e);
	}
	return MNL_CB_OK;
}

/* A kernel that cannot compare tuples lists what fits the rest. */
static enum ct_dump_state without_tuples(struct ct_dump *d, struct err *err) {
	int rc;

	d->with_tuples = false;
	rc = request(d);
	return rc ? failed(rc, err) : CT_DUMP_MORE;
}

static enum ct_dump_state ended(struct ct_dump *d, int rc, struct err *err) {
	if ((rc == EINVAL || rc == EOPNOTSUPP) && d->with_tuples && d->recent.n == 0)
		return without_tuples(d, err);
	if (rc != EINTR && rc != ENOBUFS)
		return failed(rc, err);
	err_set(err, ERR_KERNEL, "the list is not whole: the kernel was interrupted, try again");
	return CT_DUMP_ERROR;
}

static enum ct_dump_state next(struct ct_dump *d, mnl_cb_t read, struct bite *b, struct err *err) {
	ssize_t n = recv(ct_dump_fd(d), d->data, sizeof(d->data), MSG_TRUNC);
	int ret;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return CT_DUMP_MORE;
	if (n <= 0 || (size_t)n > sizeof(d->data))
		return ended(d, n < 0 ? errno : EMSGSIZE, err);
	ct_recent_datagram(&d->recent);
	/* A message that says the listing was interrupted ends it, too: EINTR. */
	ret = mnl_cb_run(d->data, (size_t)n, d->seq, mnl_socket_get_portid(d->sock), read, b);
	if (ret < 0)
		return ended(d, errno, err);
	return ret == MNL_CB_STOP ? CT_DUMP_END : CT_DUMP_MORE;
}

enum ct_dump_state ct_dump_next(struct ct_dump *d, void (*each)(void *arg, const struct ct *ct),
				void *arg, struct err *err) {
	struct bite b = { .recent = &d->recent, .each = each, .arg = arg };

	return next(d, read_entry, &b, err);
}

enum ct_dump_state ct_dump_next_expect(struct ct_dump *d,
				       void (*each)(void *arg, const struct ct_expect *e),
				       void *arg, struct err *err) {
	struct bite b = { .recent = &d->recent, .each_expect = each, .arg = arg };

	return next(d, read_expect, &b, err);
}
