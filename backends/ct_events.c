/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel multicasts an event of every session; a filter on the socket lets those pass whose
 * mark lies in one of a few ranges. The filter is a small program that looks the attribute
 * CTA_MARK up and compares it with each range in turn; more ranges than it shall hold are joined,
 * so it may let through more than was asked, never less. Whoever has no mark belongs to no
 * policy.
 *
 * Who replicates sessions hears of everything but its own changes, which another small filter
 * leaves out by the port in the message.
 *
 * The groups are joined only while somebody wants to hear: without listeners the kernel makes no
 * events at all.
 */
#include "backends/ct_events.h"

#include <endian.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"

#define RECEIVE_BUFFER (4 << 20)
#define EVENT_MAX 8192

struct ct_events {
	struct mnl_socket *sock;
	bool hears[3];               /* by enum ct_event: the group is joined */
};

struct ct_events *ct_events_open(struct err *err) {
	struct ct_events *e = xcalloc(1, sizeof(*e));
	int size = RECEIVE_BUFFER;

	e->sock = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!e->sock || mnl_socket_bind(e->sock, 0, MNL_SOCKET_AUTOPID) < 0) {
		err_set(err, ERR_KERNEL, "sessions cannot be watched: %s", strerror(errno));
		return ct_events_close(e);
	}
	/* A smaller one loses more, which is told. */
	setsockopt(ct_events_fd(e), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return e;
}

struct ct_events *ct_events_close(struct ct_events *e) {
	if (e && e->sock)
		mnl_socket_close(e->sock);
	free(e);
	return NULL;
}

int ct_events_fd(const struct ct_events *e) {
	return mnl_socket_get_fd(e->sock);
}

/* ---- the filter ---- */

static size_t smallest_gap(const struct ct_marks *marks, size_t n) {
	size_t best = 1;

	for (size_t i = 2; i < n; i++)
		if (marks[i].first - marks[i - 1].last < marks[best].first - marks[best - 1].last)
			best = i;
	return best;
}

size_t ct_marks_join(struct ct_marks *marks, size_t n, size_t max) {
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) /* numbers that follow each other */
		if (kept && marks[i].first == marks[kept - 1].last + 1)
			marks[kept - 1].last = marks[i].last;
		else
			marks[kept++] = marks[i];
	while (kept > max) {
		size_t i = smallest_gap(marks, kept);

		marks[i - 1].last = marks[i].last;
		memmove(&marks[i], &marks[i + 1], (--kept - i) * sizeof(*marks));
	}
	return kept;
}

/*
 * X = where CTA_MARK is, A = the mark; then, for each range: below it or above it, try the next.
 * The jumps stay within their range, so their length is no bound on how many there are.
 */
static bool set_filter(int fd, const struct ct_marks *marks, size_t n) {
	struct sock_filter code[8 + 3 * CT_MARKS_MAX] = {
		BPF_STMT(BPF_LDX | BPF_IMM, CTA_MARK),
		BPF_STMT(BPF_LD | BPF_IMM, sizeof(struct nlmsghdr) + sizeof(struct nfgenmsg)),
		BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_NLATTR)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_MISC | BPF_TAX, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_IND, sizeof(struct nlattr)),
	};
	struct sock_fprog program = { .len = 7, .filter = code };

	for (size_t i = 0; i < n; i++) {
		const struct sock_filter range[] = {
			BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, marks[i].first, 0, 2),
			BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, marks[i].last, 1, 0),
			BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		};

		memcpy(&code[program.len], range, sizeof(range));
		program.len = (unsigned short)(program.len + ARRAY_LEN(range));
	}
	code[program.len++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, 0);
	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

/* ---- listening ---- */

static bool set_group(struct ct_events *e, enum ct_event event, bool on) {
	static const int groups[] = {
		[CT_BEGINS] = NFNLGRP_CONNTRACK_NEW,
		[CT_CHANGES] = NFNLGRP_CONNTRACK_UPDATE,
		[CT_ENDS] = NFNLGRP_CONNTRACK_DESTROY,
	};
	int group = groups[event];
	int what = on ? NETLINK_ADD_MEMBERSHIP : NETLINK_DROP_MEMBERSHIP;

	if (e->hears[event] == on)
		return true;
	if (mnl_socket_setsockopt(e->sock, what, &group, sizeof(group)) < 0)
		return false;
	e->hears[event] = on;
	return true;
}

int ct_events_listen(struct ct_events *e, const struct ct_marks *marks, size_t n, bool begins,
		     struct err *err) {
	AUTO_FREE struct ct_marks *joined = xcalloc(n + 1, sizeof(*joined));
	bool any = n > 0, ok;

	if (any)
		memcpy(joined, marks, n * sizeof(*joined));
	n = ct_marks_join(joined, n, CT_MARKS_MAX);
	ok = (!any || set_filter(ct_events_fd(e), joined, n)) &&
	     set_group(e, CT_BEGINS, any && begins) && set_group(e, CT_ENDS, any);
	return ok ? 0 : err_set(err, ERR_KERNEL, "sessions cannot be watched: %s", strerror(errno));
}

/* The port is in the header of the message, in the machine's own byte order. */
static bool set_port_filter(int fd, uint32_t port) {
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_pid)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htobe32(port), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0),
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
	};
	struct sock_fprog program = { .len = ARRAY_LEN(code), .filter = code };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)) == 0;
}

int ct_events_follow(struct ct_events *e, uint32_t by, int buffer, struct err *err) {
	int fd = ct_events_fd(e), expected = NFNLGRP_CONNTRACK_EXP_NEW;
	bool ok = setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof(buffer)) == 0 &&
		  set_port_filter(fd, by);

	for (enum ct_event event = CT_BEGINS; ok && event <= CT_ENDS; event++)
		ok = set_group(e, event, true);
	ok = ok && mnl_socket_setsockopt(e->sock, NETLINK_ADD_MEMBERSHIP, &expected,
					 sizeof(expected)) == 0;
	return ok ? 0 : err_set(err, ERR_KERNEL, "sessions cannot be watched: %s", strerror(errno));
}

/* What began is new in the kernel's eyes; a change has no flag of its own. */
static enum ct_event event_of(const struct nlmsghdr *nlh) {
	if (NFNL_MSG_TYPE(nlh->nlmsg_type) == IPCTNL_MSG_CT_DELETE)
		return CT_ENDS;
	return nlh->nlmsg_flags & NLM_F_CREATE ? CT_BEGINS : CT_CHANGES;
}

/* Who gets what is read. */
struct readers {
	ct_event_fn *each;
	ct_expected_fn *expected;
	void *arg;
};

static void take_message(const struct nlmsghdr *nlh, const struct readers *r) {
	struct ct_expect expect;
	struct ct ct;

	if (ct_decode(nlh, &ct))
		r->each(r->arg, event_of(nlh), &ct, nlh->nlmsg_pid);
	else if (r->expected && ct_decode_expect(nlh, &expect))
		r->expected(r->arg, &expect);
}

static bool read_events(struct ct_events *e, const struct readers *r) {
	char data[EVENT_MAX] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool lost = false;

	for (int i = 0; i < CT_EVENTS_PER_TURN; i++) {
		ssize_t n = recv(ct_events_fd(e), data, sizeof(data), 0);
		int len = (int)n;

		if (n < 0 && errno == ENOBUFS)
			lost = true;
		else if (n < 0 && errno != EINTR)
			break;
		for (const struct nlmsghdr *nlh = (const void *)data;
		     n > 0 && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len))
			take_message(nlh, r);
	}
	return lost;
}

bool ct_events_read(struct ct_events *e, ct_event_fn *each, void *arg) {
	return read_events(e, &(struct readers){ each, NULL, arg });
}

bool ct_events_read_all(struct ct_events *e, ct_event_fn *each, ct_expected_fn *expected,
			void *arg) {
	return read_events(e, &(struct readers){ each, expected, arg });
}
