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
#include <sys/socket.h>

#include "backends/ranges.h"
#include "cfgdb/aaa/trust.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"

/* Services that `allowaccess` names. */
static const struct access {
	const char *word;
	uint8_t proto;
	uint16_t port;
	bool administers;        /* it answers trusted networks only */
} accesses[] = {
	{ "https", IPPROTO_TCP, 443, true },
	{ "ssh", IPPROTO_TCP, 0, true },     /* at admin-ssh-port */
	{ "http", IPPROTO_TCP, 80, true },
	{ "telnet", IPPROTO_TCP, 23, true },
	{ "snmp", IPPROTO_UDP, 161, true },
	{ "fgfm", IPPROTO_TCP, 541, false },
	{ "capwap", IPPROTO_UDP, 5246, false },
	{ "capwap", IPPROTO_UDP, 5247, false },
	{ "fabric", IPPROTO_TCP, 8013, false },
	{ "ftm", IPPROTO_TCP, 4433, false },
	{ "radius-acct", IPPROTO_UDP, 1813, false },
	{ "probe-response", IPPROTO_TCP, 8008, false },
	{ "speed-test", IPPROTO_TCP, 5201, false },
	{ "scim", IPPROTO_TCP, 44559, false },
};

#define CHAIN_TRUSTED "trusted"

static void allow_port(struct ruleset *rs, struct set *set, const struct object *intf,
		       uint8_t proto, uint16_t port) {
	struct key k = KEY_INIT;

	key_ifname(&k, intf->key);
	key_num(&k, FIELD_L4PROTO, proto);
	key_num(&k, FIELD_DPORT, port);
	set_add(rs, set, &k)->origin = ruleset_origin(rs, intf);
}

static uint16_t port_of(const struct access *a, const struct model *model) {
	const struct object *g = model_object(model, schema_table(TBL_SYSTEM_GLOBAL));

	return a->port ? a->port : (uint16_t)object_num(g, SYSTEM_GLOBAL__ADMIN_SSH_PORT);
}

static void fill_ping(struct ruleset *rs, struct set *ping, const struct object *intf) {
	struct key k = KEY_INIT;

	if (!object_is(intf, SYSTEM_INTERFACE__ALLOWACCESS, "ping"))
		return;
	key_ifname(&k, intf->key);
	set_add(rs, ping, &k)->origin = ruleset_origin(rs, intf);
}

/* What is there for all is in `access`, what is there for trusted networks in `administration`. */
static void fill_access(struct ruleset *rs, const struct model *model, bool restricted) {
	struct set *access = ruleset_add_set(rs, "access", DATA_NONE, 0, FIELD_IIFNAME,
					     FIELD_L4PROTO, FIELD_DPORT, 0);
	struct set *administration =
		restricted ? ruleset_add_set(rs, "administration", DATA_NONE, 0, FIELD_IIFNAME,
					     FIELD_L4PROTO, FIELD_DPORT, 0)
			   : access;
	struct set *ping = ruleset_add_set(rs, "access_ping", DATA_NONE, 0, FIELD_IIFNAME, 0, 0, 0);
	const struct object *intf = model_first(model, schema_table(TBL_SYSTEM_INTERFACE));

	for (; intf; intf = model_next(model, intf)) {
		for (size_t i = 0; i < ARRAY_LEN(accesses); i++) {
			const struct access *a = &accesses[i];

			if (object_is(intf, SYSTEM_INTERFACE__ALLOWACCESS, a->word))
				allow_port(rs, a->administers ? administration : access, intf,
					   a->proto, port_of(a, model));
		}
		fill_ping(rs, ping, intf);
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

/* ---- trusted networks ---- */

static void add_range(void *arg, const struct object *admin, const struct trust_net *net) {
	struct ranges *ranges = arg;
	uint32_t lo = ntohl(net->addr.word[0]);

	(void)admin;
	ranges_add(ranges, lo, lo | (uint32_t)(0xffffffffu >> (net->bits - 1) >> 1));
}

static void accept_trusted_ipv4(struct ruleset *rs, struct chain *c, const struct model *model) {
	AUTO_RANGES struct ranges ranges = { NULL, 0 };
	struct set *set =
		ruleset_add_set(rs, "trusted_nets", DATA_NONE, SET_INTERVAL, FIELD_SADDR, 0, 0, 0);

	trust_each(model, AF_INET, add_range, &ranges);
	ranges_normalize(&ranges);
	for (uint32_t i = 0; i < ranges.n; i++) {
		struct key k = KEY_INIT;

		key_num(&k, FIELD_SADDR, ranges.r[i].lo);
		set_add(rs, set, &k)->last = ranges.r[i].hi;
	}
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "trusted_nets", FIELD_SADDR, 0, 0, 0);
	let_in(c);
}

/* A rule for each network: sets hold IPv4 addresses only, and such networks are few. */
static void accept_net_ipv6(void *arg, const struct object *admin, const struct trust_net *net) {
	struct chain *c = arg;

	(void)admin;
	chain_rule(c);
	chain_stmt(c, MATCH_EQ, FIELD_NFPROTO, NFPROTO_IS_IPV6, 0, NULL);
	for (unsigned int i = 0; i < 4 && net->bits > 32 * i; i++) {
		uint32_t word = ntohl(net->addr.word[i]);
		unsigned int bits = net->bits - 32 * i;

		if (bits >= 32)
			chain_stmt(c, MATCH_EQ, FIELD_SADDR6_0 + i, word, 0, NULL);
		else
			chain_stmt(c, MATCH_RANGE, FIELD_SADDR6_0 + i, word,
				   word | 0xffffffffu >> bits, NULL);
	}
	let_in(c);
}

static void add_trusted(struct ruleset *rs, const struct model *model) {
	struct chain *c = ruleset_add_chain(rs, CHAIN_TRUSTED);

	if (trust_is_open(model, AF_INET))
		accept_value(c, FIELD_NFPROTO, NFPROTO_IS_IPV4);
	else
		accept_trusted_ipv4(rs, c, model);
	if (trust_is_open(model, AF_INET6))
		accept_value(c, FIELD_NFPROTO, NFPROTO_IS_IPV6);
	else
		trust_each(model, AF_INET6, accept_net_ipv6, c);
}

/* ---- services ---- */

static void accept_administration(struct chain *c, bool restricted) {
	if (restricted)
		chain_stmt(c, STMT_JUMP, FIELD_NONE, 0, 0, CHAIN_TRUSTED);
	else
		let_in(c);
}

static void accept_access(struct chain *c, bool restricted) {
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "access", FIELD_IIFNAME, FIELD_L4PROTO, FIELD_DPORT, 0);
	let_in(c);
	if (restricted) {
		chain_rule(c);
		chain_lookup(c, MATCH_SET, "administration", FIELD_IIFNAME, FIELD_L4PROTO,
			     FIELD_DPORT, 0);
		accept_administration(c, restricted);
	}
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "access_ping", FIELD_IIFNAME, 0, 0, 0);
	chain_stmt(c, MATCH_EQ, FIELD_ICMP_TYPE, ICMP_ECHO, 0, NULL);
	accept_administration(c, restricted);
	chain_rule(c);
	chain_lookup(c, MATCH_SET, "access_ping", FIELD_IIFNAME, 0, 0, 0);
	chain_stmt(c, MATCH_EQ, FIELD_ICMP6_TYPE, ICMP6_ECHO_REQUEST, 0, NULL);
	accept_administration(c, restricted);
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
	bool restricted = !trust_is_open(model, AF_INET) || !trust_is_open(model, AF_INET6);

	fill_access(rs, model, restricted);
	if (restricted)
		add_trusted(rs, model);
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
	accept_access(c, restricted);
	accept_peers(c);
	render_sync_input(c, plan);
	chain_rule(c);
	chain_stmt(c, STMT_DROP, FIELD_NONE, 0, 0, NULL);
}
