/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet came with the addresses of one of the two tuples of its entry, before anything was
 * translated: either finds the entry. Its id, where the kernel told it with the packet, says
 * whether that is still the same one.
 *
 * A new session whose first packet was dropped never got an entry in the table. Its number follows
 * from what is known of it: its tuple and its id.
 */
#include "backends/flow_session.h"

#include <sys/socket.h>

#include "backends/session.h"

/* An entry with the tuple of the packet as its original one. */
static struct ct entry_of(const struct flow_packet *p) {
	const struct flow_header *h = &p->received;
	bool icmp = ct_is_icmp(h->proto);

	return (struct ct){
		.family = AF_INET,
		.proto = h->proto,
		.id = p->ct_id,
		.tuple[CT_ORIG] = {
			.src = net_ipv4(h->src),
			.dst = net_ipv4(h->dst),
			.sport = icmp ? h->echo_id : h->sport,
			.dport = icmp ? h->icmp_type : h->dport,
			.icmp_code = h->icmp_code,
		},
	};
}

bool flow_session_find(struct ct_netlink *nl, const struct flow_packet *p,
		       struct flow_session *ret) {
	struct ct ct = entry_of(p);
	struct err err = { 0 };

	if (p->state == FLOW_INVALID || p->state == FLOW_UNTRACKED)
		return false;
	if (ct_get(nl, &ct, &err) == 0 && (!p->has_ct || ct.id == p->ct_id)) {
		*ret = (struct flow_session){ session_serial(&ct), ct.mark != 0, ct.mark };
		return true;
	}
	if (p->state != FLOW_NEW || !p->has_ct)
		return false;
	ct = entry_of(p);
	*ret = (struct flow_session){ .serial = session_serial(&ct) };
	return true;
}
