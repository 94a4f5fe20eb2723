/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What reaches the unit itself. On managed interfaces only what the configuration allows gets in:
 * services of `allowaccess`, peers on their ports, and what the network cannot do without. Packets
 * of services are not asked for their connection's state, so an administrator's connection that is
 * older than the first rule goes on.
 */
#include "backends/render_part.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

/* Services that `allowaccess` names. */
static const struct access {
	const char *word;
	uint8_t proto;
	uint16_t port;
} accesses[] = {
	{ "https", IPPROTO_TCP, 443 },   { "ssh", IPPROTO_TCP, 22 },
	{ "http", IPPROTO_TCP, 80 },     { "telnet", IPPROTO_TCP, 23 },
	{ "snmp", IPPROTO_UDP, 161 },    { "fgfm", IPPROTO_TCP, 541 },
	{ "capwap", IPPROTO_UDP, 5246 }, { "capwap", IPPROTO_UDP, 5247 },
	{ "fabric", IPPROTO_TCP, 8013 }, { "ftm", IPPROTO_TCP, 4433 },
	{ "radius-acct", IPPROTO_UDP, 1813 }, { "probe-response", IPPROTO_TCP, 8008 },
	{ "speed-test", IPPROTO_TCP, 5201 }, { "scim", IPPROTO_TCP, 44559 },
};

static void allow_port(struct ruleset *rs, struct set *set, const struct object *intf,
		       uint8_t proto, uint16_t port) {
	struct key k = KEY_INIT;

	key_ifname(&k, intf->key);
	key_num(&k, FIELD_L4PROTO, proto);
	key_num(&k, FIELD_DPORT, port);
	set_add(rs, set, &k)->origin = ruleset_origin(rs, intf);
}

static void fill_access(struct ruleset *rs, const struct model *model) {
	const unsigned int attr = SYSTEM_INTERFACE__ALLOWACCESS;
	struct set *access = ruleset_add_set(rs, "access", DATA_NONE, 0, FIELD_IIFNAME,
					     FIELD_L4PROTO, FIELD_DPORT, 0);
	struct set *ping = ruleset_add_set(rs, "access_ping", DATA_NONE, 0, FIELD_IIFNAME, 0, 0, 0);
	const struct object *intf = model_first(model, schema_table(TBL_SYSTEM_INTERFACE));

	for (; intf; intf = model_next(model, intf)) {
		for (size_t i = 0; i < ARRAY_LEN(accesses); i++)
			if (object_is(intf, attr, accesses[i].word))
				allow_port(rs, access, intf, accesses[i].proto, accesses[i].port);
		if (object_is(intf, attr, "ping")) {
			struct key k = KEY_INIT;

			key_ifname(&k, intf->key);
			set_add(rs, ping, &k)->origin = ruleset_origin(rs, intf);
		}
	}
}

static void add_peer(struct ruleset *rs, struct set *peers, const struct object *holder,
		     uint32_t addr) {
	struct key k = KEY_INIT;

	if (addr == 0)
		return;
	key_num(&k, FIELD_SADDR, addr);
	set_add(rs, peers, &k)->origin = ruleset_origin(rs, holder);
}

/* Members of the cluster and of the auto-scale group, as far as they are configured. */
static void fill_peers(struct ruleset *rs, const struct model *model) {
	const struct object *cluster =
		model_object(model, schema_table(TBL_SYSTEM_STANDALONE_CLUSTER));
	const struct object *scale = model_object(model, schema_table(TBL_SYSTEM_AUTO_SCALE));
	const struct value *v = object_value(cluster, SYSTEM_STANDALONE_CLUSTER__CLUSTER_PEER);
	struct set *peers = ruleset_add_set(rs, "peers", DATA_NONE, 0, FIELD_SADDR, 0, 0, 0);
	struct set *links = ruleset_add_set(rs, "peer_links", DATA_NONE, 0, FIELD_IIFNAME, 0, 0, 0);

	for (uint32_t i = 0; v && i < v->n; i++)
		add_peer(rs, peers, cluster,
			 object_ip(value_item(v, i)->entry,
				   SYSTEM_STANDALONE_CLUSTER_CLUSTER_PEER__PEERIP)
				 .a);
	if (!object_is(scale, SYSTEM_AUTO_SCALE__STATUS, "enable"))
		return;
	add_peer(rs, peers, scale, object_ip(scale, SYSTEM_AUTO_SCALE__PRIMARY_IP).a);
	if (*object_str(scale, SYSTEM_AUTO_SCALE__SYNC_INTERFACE)) {
		struct key k = KEY_INIT;

		key_ifname(&k, object_str(scale, SYSTEM_AUTO_SCALE__SYNC_INTERFACE));
		set_add(rs, links, &k)->origin = ruleset_origin(rs, scale);
	}
}

static void let_in(struct chain *c) {
	chain_stmt(c, STMT_ACCEPT, FIELD_NONE, 0, 0, NULL);
}

static void accept_value(struct chain *c, enum rule_field f, uint32_t v) {
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, f, v, 0, NULL);
	let_in(c);
}

/* Errors, neighbours, and the answers of a DHCP server. */
static void accept_needed(struct chain *c) {
	static const uint8_t icmp[] = { ICMP_DEST_UNREACH, ICMP_TIME_EXCEEDED, ICMP_PARAMETERPROB };
	static const uint8_t icmp6[] = {
		ICMP6_DST_UNREACH, ICMP6_PACKET_TOO_BIG, ICMP6_TIME_EXCEEDED, ICMP6_PARAM_PROB,
		ND_ROUTER_SOLICIT, ND_ROUTER_ADVERT,     ND_NEIGHBOR_SOLICIT, ND_NEIGHBOR_ADVERT,
	};

	for (size_t i = 0; i < ARRAY_LEN(icmp); i++)
		accept_value(c, FIELD_ICMP_TYPE, icmp[i]);
	for (size_t i = 0; i < ARRAY_LEN(icmp6); i++)
		accept_value(c, FIELD_ICMP6_TYPE, icmp6[i]);
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, IPPROTO_UDP, 0, NULL);
	chain_stmt(c, MATCH_EQ, FIELD_SPORT, 67, 0, NULL);
	chain_stmt(c, MATCH_EQ, FIELD_DPORT, 68, 0, NULL);
	let_in(c);
}

static void accept_access(struct chain *c) {
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "access", FIELD_IIFNAME, FIELD_L4PROTO, FIELD_DPORT, 0);
	let_in(c);
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "access_ping", FIELD_IIFNAME, 0, 0, 0);
	chain_stmt(c, MATCH_EQ, FIELD_ICMP_TYPE, ICMP_ECHO, 0, NULL);
	let_in(c);
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "access_ping", FIELD_IIFNAME, 0, 0, 0);
	chain_stmt(c, MATCH_EQ, FIELD_ICMP6_TYPE, ICMP6_ECHO_REQUEST, 0, NULL);
	let_in(c);
}

static void accept_peers(struct chain *c) {
	static const struct { const char *set; enum rule_field f; } from[] = {
		{ "peers", FIELD_SADDR }, { "peer_links", FIELD_IIFNAME },
	};
	static const uint8_t protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	static const uint16_t ports[] = { RENDER_PORT_CONFIG, RENDER_PORT_SESSION };

	for (int i = 0; i < 8; i++) {
		chain_rule(c);
		chain_lookup(c, MATCH_SET, from[i >> 2].set, from[i >> 2].f, 0, 0, 0);
		chain_stmt(c, MATCH_EQ, FIELD_L4PROTO, protos[i >> 1 & 1], 0, NULL);
		chain_stmt(c, MATCH_EQ, FIELD_DPORT, ports[i & 1], 0, NULL);
		let_in(c);
	}
}

void render_input(struct ruleset *rs, const struct model *model, const struct handover_plan *plan) {
	struct chain *c = ruleset_add_base(rs, "input", CHAIN_FILTER, HOOK_INPUT, 0);

	fill_access(rs, model);
	fill_peers(rs, model);
	chain_rule(c);
	chain_lookup(c, MATCH_NOT_SET, "managed", FIELD_IIFNAME, 0, 0, 0);
	let_in(c);
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_IIFNAME, 0, 0, "lo");
	let_in(c);
	chain_rule(c);
	chain_stmt(c, MATCH_BITS, FIELD_CT_STATE, CT_STATE_ESTABLISHED | CT_STATE_RELATED, 0, NULL);
	let_in(c);
	/* A virtual IP may lead to the unit itself: no policy is asked, so none is noted. */
	chain_rule(c);
	chain_stmt(c, MATCH_GT, FIELD_CT_MARK, VIP_MARK_MIN - 1, 0, NULL);
	chain_stmt(c, STMT_MARK, FIELD_NONE, 0, 0, NULL);
	accept_needed(c);
	accept_access(c);
	accept_peers(c);
	render_sync_input(c, plan);
	chain_rule(c);
	chain_stmt(c, STMT_DROP, FIELD_NONE, 0, 0, NULL);
}
