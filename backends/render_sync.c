/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of a unit whose sessions are shared with other members.
 *
 * The first packet of a copy that comes here is noted in its label, once: the kernel tells that to
 * whoever follows its sessions. No packet passes of a copy that the rules of this unit do not allow
 * any more (recheck.c). What members send to each other is of no session. And a packet that
 * fits no session here may fit one of another member: it is marked, and policy routing (handover.c)
 * sends it to all of them in one frame. Members take such a frame only for a session of their own,
 * or for a copy whose packets come here; with any other the kernel still sees a frame that was not
 * sent to this unit, and does not forward it. So nothing begins by way of a hand-over, a packet is
 * handed over once at most, and of members that only hold a copy of its session none sends it on.
 *
 * What comes in the tunnel is authenticated by nothing but a member's address: it is taken only
 * where the route to that member leads.
 */
#include "backends/render_part.h"

#include <netinet/in.h>

#include "backends/render.h"
#include "backends/session.h"
#include "cfgdb/base/mem.h"

#define COPY (1u << SESSION_LABEL_COPY)
#define SEEN (1u << SESSION_LABEL_SEEN)
#define REFUSED (1u << SESSION_LABEL_REFUSED)

/* Packets handed over: nobody can fill the link to members with garbage from outside. */
#define HANDOVER_RATE 10000 /* a second */
#define HANDOVER_BURST 2000

#define PRIORITY_RAW (-300) /* before connection tracking */

static void verdict(struct chain *c, enum stmt_op op, const char *chain) {
	chain_stmt(c, op, FIELD_NONE, 0, 0, chain);
}

static void add_links(struct ruleset *rs, const struct handover_plan *plan) {
	struct set *set = ruleset_add_set(rs, "handover", DATA_NONE, 0, FIELD_IIFNAME, 0, 0, 0);

	for (unsigned int i = 0; i < plan->n_links; i++) {
		struct key k = KEY_INIT;

		key_ifname(&k, plan->link[i]);
		set_add(rs, set, &k);
	}
}

static void add_ports(struct ruleset *rs, const struct handover_plan *plan) {
	static const struct { uint8_t proto; uint16_t port; } ports[] = {
		{ IPPROTO_TCP, RENDER_PORT_CONFIG },
		{ IPPROTO_TCP, RENDER_PORT_SESSION },
		{ IPPROTO_UDP, RENDER_PORT_SESSION },
		{ IPPROTO_UDP, HANDOVER_PORT },
	};
	struct set *set = ruleset_add_set(rs, "peer_ports", DATA_NONE, 0, FIELD_L4PROTO,
					  FIELD_DPORT, 0, 0);

	for (size_t i = 0; i < ARRAY_LEN(ports) - !plan->tunnel; i++) {
		struct key k = KEY_INIT;

		key_num(&k, FIELD_L4PROTO, ports[i].proto);
		key_num(&k, FIELD_DPORT, ports[i].port);
		set_add(rs, set, &k);
	}
}

/* What says that it is of a member, and is for this unit. */
static const char *add_from_peer(struct ruleset *rs, const char *untracked) {
	struct chain *c = ruleset_add_chain(rs, "from_peer");

	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, IPPROTO_UDP, 0, NULL);
	chain_stmt(c, MATCH_EQ, FIELD_DPORT, HANDOVER_PORT, 0, NULL);
	chain_stmt(c, MATCH_EQ, FIELD_WAY_BACK, WAY_BACK_MISSING, 0, NULL);
	verdict(c, STMT_DROP, NULL);
	chain_rule(c);
	verdict(c, STMT_GOTO, untracked);
	return c->name;
}

/*
 * One look at the address for most packets. What members send through this unit to others is judged
 * like any other traffic.
 */
static void add_untracked(struct ruleset *rs, bool tunnel) {
	static const struct {
		const char *name;
		enum chain_hook hook;
		enum rule_field peer;
	} ways[] = {
		{ "untracked_in", HOOK_PREROUTING, FIELD_SADDR },
		{ "untracked_out", HOOK_OUTPUT, FIELD_DADDR },
	};
	struct chain *peer = ruleset_add_chain(rs, "untracked");
	const char *from_peer = tunnel ? add_from_peer(rs, peer->name) : peer->name;

	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		struct chain *c = ruleset_add_base(rs, ways[i].name, CHAIN_FILTER, ways[i].hook,
						   PRIORITY_RAW);

		chain_rule(c);
		chain_lookup(c, MATCH_SET, "peers", ways[i].peer, 0, 0, 0);
		if (ways[i].hook == HOOK_PREROUTING)
			chain_stmt(c, MATCH_EQ, FIELD_DADDR_TYPE, DADDR_TYPE_LOCAL, 0, NULL);
		verdict(c, STMT_GOTO, ways[i].hook == HOOK_PREROUTING ? from_peer : peer->name);
		chain_rule(peer);
		chain_lookup(peer, MATCH_SET, "peer_ports", FIELD_L4PROTO,
			     i == 0 ? FIELD_DPORT : FIELD_SPORT, 0, 0);
		chain_stmt(peer, STMT_NOTRACK, FIELD_NONE, 0, 0, NULL);
	}
}

void render_sync(struct ruleset *rs, const struct handover_plan *plan) {
	if (!plan->on)
		return;
	add_links(rs, plan);
	add_ports(rs, plan);
	add_untracked(rs, plan->tunnel);
}

/* What is handed over for sessions with these bits in their label is taken. */
static void add_taken(struct chain *c, uint32_t mask, uint32_t bits) {
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_PACKET_TYPE, PACKET_TYPE_BROADCAST, 0, NULL);
	chain_lookup(c, MATCH_SET, "handover", FIELD_IIFNAME, 0, 0, 0);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATUS, CT_STATUS_CONFIRMED, 0, NULL);
	chain_stmt(c, MATCH_LABEL, FIELD_NONE, mask, bits, NULL);
	chain_stmt(c, STMT_TO_HOST, FIELD_NONE, 0, 0, NULL);
}

void render_sync_invalid(struct chain *c, const struct handover_plan *plan) {
	if (!plan->on)
		return;
	add_taken(c, COPY, 0);
	add_taken(c, COPY | SEEN, COPY | SEEN);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATE, CT_STATE_INVALID, 0, NULL);
	chain_stmt(c, MATCH_EQ, FIELD_NFPROTO, NFPROTO_IS_IPV4, 0, NULL);
	chain_lookup(c, MATCH_SET, "managed", FIELD_IIFNAME, 0, 0, 0);
	chain_lookup(c, MATCH_NOT_SET, "handover", FIELD_IIFNAME, 0, 0, 0);
	chain_stmt(c, MATCH_EQ, FIELD_DADDR_TYPE, DADDR_TYPE_UNICAST, 0, NULL);
	chain_stmt(c, MATCH_LIMIT, FIELD_NONE, HANDOVER_RATE, HANDOVER_BURST, NULL);
	chain_stmt(c, STMT_PACKET_MARK, FIELD_NONE, HANDOVER_MARK, 0, NULL);
	verdict(c, STMT_ACCEPT, NULL);
}

void render_sync_copies(struct ruleset *rs, struct chain *c, const struct handover_plan *plan) {
	struct chain *copies;

	if (!plan->on)
		return;
	copies = ruleset_add_chain(rs, RENDER_CHAIN_COPIES);
	chain_rule(copies);
	chain_stmt(copies, MATCH_LABEL, FIELD_NONE, REFUSED, REFUSED, NULL);
	verdict(copies, STMT_DROP, NULL);
	chain_rule(copies);
	chain_stmt(copies, MATCH_LABEL, FIELD_NONE, SEEN, 0, NULL);
	chain_stmt(copies, STMT_LABEL, FIELD_NONE, SEEN, 0, NULL);
	chain_rule(c);
	chain_stmt(c, MATCH_LABEL, FIELD_NONE, COPY, COPY, NULL);
	verdict(c, STMT_JUMP, copies->name);
}

void render_sync_marked(struct chain *c, const struct handover_plan *plan) {
	if (!plan->on)
		return;
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_PACKET_MARK, HANDOVER_MARK, 0, NULL);
	chain_lookup(c, MATCH_SET, "handover", FIELD_OIFNAME, 0, 0, 0);
	/* What the tunnel makes of it would take the same way: into the tunnel. */
	chain_stmt(c, STMT_PACKET_MARK, FIELD_NONE, 0, 0, NULL);
	verdict(c, STMT_ACCEPT, NULL);
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_PACKET_MARK, HANDOVER_MARK, 0, NULL);
	verdict(c, STMT_DROP, NULL);
}

/* Untracked answers are not `established`: a packet that asks for a connection is none. */
void render_sync_input(struct chain *c, const struct handover_plan *plan) {
	if (!plan->on)
		return;
	if (plan->tunnel) {
		chain_rule(c);
		chain_lookup(c, MATCH_SET, "peers", FIELD_SADDR, 0, 0, 0);
		chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, IPPROTO_UDP, 0, NULL);
		chain_stmt(c, MATCH_EQ, FIELD_DPORT, HANDOVER_PORT, 0, NULL);
		verdict(c, STMT_ACCEPT, NULL);
	}
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "peers", FIELD_SADDR, 0, 0, 0);
	chain_stmt(c, MATCH_BITS, FIELD_TCP_FLAGS, TCP_FLAG_ACK_BIT | TCP_FLAG_RST_BIT, 0, NULL);
	chain_lookup(c, MATCH_SET, "peer_ports", FIELD_L4PROTO, FIELD_SPORT, 0, 0);
	verdict(c, STMT_ACCEPT, NULL);
}
