/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel keeps more than is shown: addresses that were asked for and did not answer, and those
 * that need no question. A neighbour is what has an address on the link that was learnt or set.
 *
 * Forgetting asks the kernel to remove one after the other. What a packet brings back meanwhile is
 * there again, and right.
 */
#include "backends/neighbour.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"

#define TRIES 100
#define KNOWN (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE | NUD_PERMANENT)

static void take_attr(const struct nlattr *attr, struct neighbour *n) {
	const struct nda_cacheinfo *info = mnl_attr_get_payload(attr);
	uint16_t len = mnl_attr_get_payload_len(attr);

	switch (mnl_attr_get_type(attr)) {
	case NDA_DST:
		n->addr = ntohl(mnl_attr_get_u32(attr));
		break;
	case NDA_LLADDR:
		if (len > sizeof(n->hw.byte))
			break;
		memcpy(n->hw.byte, info, len);
		n->hw.len = (uint8_t)len;
		break;
	case NDA_CACHEINFO:
		if (len < sizeof(*info))
			break;
		n->used = info->ndm_used;
		n->confirmed = info->ndm_confirmed;
		n->updated = info->ndm_updated;
		n->refs = info->ndm_refcnt;
		break;
	default:
		break;
	}
}

static int take_neighbour(const struct nlmsghdr *nlh, void *arg) {
	const struct ndmsg *ndm = mnl_nlmsg_get_payload(nlh);
	struct neighbours *ns = arg;
	const struct nlattr *attr;
	struct neighbour n = { .index = ndm->ndm_ifindex, .state = ndm->ndm_state };

	if (ndm->ndm_family != AF_INET || !(ndm->ndm_state & KNOWN) ||
	    (ndm->ndm_flags & NTF_PROXY))
		return MNL_CB_OK;
	mnl_attr_for_each(attr, nlh, sizeof(*ndm))
		take_attr(attr, &n);
	if (n.hw.len == 0)
		return MNL_CB_OK;
	if ((ns->n & (ns->n - 1)) == 0)
		ns->neighbour = xreallocarray(ns->neighbour, ns->n ? ns->n * 2 : 1,
					      sizeof(*ns->neighbour));
	ns->neighbour[ns->n++] = n;
	return MNL_CB_OK;
}

static int order(const void *a, const void *b) {
	const struct neighbour *x = a, *y = b;

	if (x->index != y->index)
		return x->index < y->index ? -1 : 1;
	return x->addr < y->addr ? -1 : x->addr > y->addr;
}

int neighbours_read(struct rtnl *rtnl, struct neighbours *ret) {
	int rc = EINTR;

	*ret = (struct neighbours){ NULL, 0 };
	for (int i = 0; i < TRIES && rc == EINTR; i++) {
		neighbours_done(ret);
		rc = rtnl_dump(rtnl, RTM_GETNEIGH, AF_INET, take_neighbour, ret);
	}
	if (rc)
		neighbours_done(ret);
	else if (ret->n)
		qsort(ret->neighbour, ret->n, sizeof(*ret->neighbour), order);
	return rc;
}

void neighbours_done(struct neighbours *ns) {
	free(ns->neighbour);
	*ns = (struct neighbours){ NULL, 0 };
}

static int forget(struct rtnl *rtnl, const struct neighbour *n) {
	char data[RTNL_MESSAGE_MAX] = { 0 };
	struct ndmsg *ndm;
	void *header;
	struct nlmsghdr *nlh = rtnl_message(data, RTM_DELNEIGH, 0, sizeof(*ndm), &header);
	int rc;

	ndm = header;
	ndm->ndm_family = AF_INET;
	ndm->ndm_ifindex = n->index;
	mnl_attr_put_u32(nlh, NDA_DST, htonl(n->addr));
	rc = rtnl_talk(rtnl, nlh);
	return rc == ENOENT || rc == ENODEV ? 0 : rc; /* gone by itself */
}

int neighbours_forget(struct rtnl *rtnl, struct err *err) {
	struct neighbours ns;
	int rc = neighbours_read(rtnl, &ns);

	for (size_t i = 0; i < ns.n && rc == 0; i++)
		if (!(ns.neighbour[i].state & NUD_PERMANENT))
			rc = forget(rtnl, &ns.neighbour[i]);
	neighbours_done(&ns);
	return rc ? err_set(err, ERR_KERNEL, "neighbours cannot be removed: %s", strerror(rc)) : 0;
}
