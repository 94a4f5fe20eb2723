/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace is a table of its own, beside that of the rules, whose chains set the trace flag of the
 * packets that are asked for; from then on nf_tables tells every rule that such a packet meets to
 * all who listen. The socket that made the table owns it: it goes with the socket, so nothing has
 * to be cleaned up, whatever ends first, and nobody else can change it.
 *
 * Making and removing it leaves the rules in force alone. It counts nf_tables' generation up, as
 * everyone's changes do, so the next start of the daemon loads the rules anew.
 */
#include "backends/flow_trace.h"

#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "backends/nft_netlink.h"
#include "cfgdb/base/mem.h"

#define RECEIVE_BUFFER (4 << 20)
#define MESSAGE_SIZE 8192

static const char *const tables[FLOW_TRACES_MAX] = { "gatehouse_trace1", "gatehouse_trace2",
						     "gatehouse_trace3", "gatehouse_trace4" };
static bool taken[FLOW_TRACES_MAX];

struct flow_trace {
	struct nft_netlink *nl;    /* owns the table */
	struct mnl_socket *events;
	int slot;                  /* of tables; -1: none */
};

static int slot_take(void) {
	for (int i = 0; i < FLOW_TRACES_MAX; i++)
		if (!taken[i]) {
			taken[i] = true;
			return i;
		}
	return -1;
}

static int listen_to_events(struct flow_trace *t, struct err *err) {
	int group = NFNLGRP_NFTRACE, size = RECEIVE_BUFFER;

	t->events = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!t->events || mnl_socket_bind(t->events, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_setsockopt(t->events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0)
		return err_set(err, ERR_KERNEL, "packets cannot be traced: %s", strerror(errno));
	/* What does not fit is noticed. */
	setsockopt(mnl_socket_get_fd(t->events), SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return 0;
}

static int make_table(struct flow_trace *t, const struct flow_filter *filter, struct err *err) {
	struct ruleset *rs = flow_filter_render(filter);
	struct ruleset_delta d AUTO_DELTA = RULESET_DELTA_INIT;
	int rc;

	ruleset_diff(NULL, rs, &d);
	rc = nft_netlink_replace(t->nl, &d, 0, err);
	if (rc)
		err_prefix(err, "packets cannot be traced");
	ruleset_free(rs);
	return rc;
}

struct flow_trace *flow_trace_open(const struct flow_filter *filter, struct err *err) {
	struct flow_trace *t = xcalloc(1, sizeof(*t));

	t->slot = slot_take();
	if (t->slot < 0) {
		err_set(err, ERR_MAX_ENTRIES, "%d others trace packets already", FLOW_TRACES_MAX);
		return flow_trace_close(t);
	}
	t->nl = nft_netlink_open_owned(tables[t->slot], err);
	if (!t->nl || listen_to_events(t, err) != 0 || make_table(t, filter, err) != 0)
		return flow_trace_close(t);
	return t;
}

struct flow_trace *flow_trace_close(struct flow_trace *t) {
	if (!t)
		return NULL;
	if (t->slot >= 0)
		taken[t->slot] = false;
	nft_netlink_close(t->nl);
	if (t->events)
		mnl_socket_close(t->events);
	free(t);
	return NULL;
}

const char *flow_trace_table(const struct flow_trace *t) {
	return tables[t->slot];
}

bool flow_trace_read(struct flow_trace *t, unsigned int most,
		     void (*each)(void *arg, const struct flow_event *event), void *arg,
		     bool *lost) {
	char data[MESSAGE_SIZE] __attribute__((aligned(8)));

	for (unsigned int i = 0; i < most; i++) {
		ssize_t n = recv(mnl_socket_get_fd(t->events), data, sizeof(data), 0);
		int len = (int)n;

		if (n < 0 && errno == ENOBUFS)
			*lost = true;
		else if (n < 0 && errno != EINTR)
			return true;
		for (const struct nlmsghdr *nlh = (const void *)data;
		     n > 0 && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			struct flow_event event;

			if (flow_event_decode(nlh, &event))
				each(arg, &event);
		}
	}
	return false;
}

static void take_counter(void *arg, const struct nft_elem *elem) {
	*(uint64_t *)arg = elem->packets;
}

uint64_t flow_trace_left_out(struct flow_trace *t) {
	uint64_t n = 0;

	nft_netlink_read(t->nl, FLOW_SET_LEFT_OUT, NULL, take_counter, &n, NULL);
	return n;
}
