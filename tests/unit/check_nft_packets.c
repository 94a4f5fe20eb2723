/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel against the lookup: random configurations are loaded in a network namespace, random
 * packets are put on its links, and after each one the counters must say that the policy the lookup
 * names has judged it. Sessions are dropped before they are established, so every packet is a
 * first.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/lookup.h"
#include "backends/nft.h"
#include "backends/nft_netlink.h"
#include "backends/render.h"
#include "backends/route.h"
#include "backends/rtnl.h"
#include "cfgdb/base/mem.h"
#include "schemas/schema_gen.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_policies.h"

#define LINKS 5
#define POLICIES_MAX 300

static int wires[LINKS]; /* sockets on the far ends of port1 to port5 */

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

static int packet_socket(const char *interface) {
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(interface),
				  .sll_halen = ETH_ALEN };

	ck_assert_int_ge(fd, 0);
	ck_assert_int_gt(to.sll_ifindex, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* A router with five links; what is behind them takes every packet and answers none. */
static void network(void) {
	char name[8];

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 "
	    "net.ipv4.conf.all.route_localnet=1 net.netfilter.nf_conntrack_checksum=0");
	run("ip link set lo up; for i in 1 2 3 4 5; do ip link add port$i index 1$i address 02:00:00:00:00:0$i type veth "
	    "peer name wire$i && ip link set port$i up && ip link set wire$i arp off up && "
	    "ip address add 172.31.$i.1/24 dev port$i && "
	    "ip neighbour add 172.31.$i.2 lladdr 02:00:00:00:01:0$i nud permanent dev port$i || exit; "
	    "sysctl -qw net.ipv6.conf.port$i.disable_ipv6=1 net.ipv6.conf.wire$i.disable_ipv6=1; done");
	run("ip route add default via 172.31.5.2; ip route add 10.0.0.0/24 via 172.31.2.2; "
	    "ip route add 10.0.1.0/24 via 172.31.1.2; ip route add 10.0.2.0/24 via 172.31.3.2; "
	    "ip route add 10.0.3.0/24 via 172.31.4.2; ip route add 192.168.0.0/16 via 172.31.2.2");
	run("nft 'add table ip last; add chain ip last out { type filter hook postrouting priority 400; policy drop; }'");
	for (int i = 0; i < LINKS; i++) {
		snprintf(name, sizeof(name), "wire%d", i + 1);
		wires[i] = packet_socket(name);
	}
}

/* ---- packets ---- */

static void send_packet(const struct lookup_packet *p) {
	int link = p->in[4] - '1';
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		unsigned char l4[20];
	} __attribute__((packed)) frame = {
		.eth = { { 2, 0, 0, 0, 0, (unsigned char)(link + 1) },
			 { 2, 0, 0, 0, 1, (unsigned char)(link + 1) },
			 htons(ETH_P_IP) },
		.ip = { .version = 4,
			.ihl = 5,
			.ttl = 64,
			.protocol = p->proto,
			.saddr = htonl(p->src),
			.daddr = htonl(p->dst),
			.tot_len = htons(sizeof(struct iphdr) + 20) },
	};
	const unsigned char *bytes = (const unsigned char *)&frame.ip;
	uint32_t sum = 0;

	if (service_has_ports(p->proto)) {
		const uint16_t ports[] = { htons(p->sport), htons(p->dport) };

		memcpy(frame.l4, ports, sizeof(ports));
	}
	if (p->proto == IPPROTO_TCP) {
		frame.l4[12] = 5 << 4;
		frame.l4[13] = 2; /* SYN */
	} else if (p->proto == IPPROTO_UDP || p->proto == IPPROTO_UDPLITE) {
		frame.l4[5] = 20;
	} else if (p->proto == IPPROTO_SCTP) {
		frame.l4[12] = 1; /* INIT, with no verification tag */
		frame.l4[15] = 8;
	} else if (p->proto == IPPROTO_ICMP) {
		frame.l4[0] = p->icmp_type;
		frame.l4[1] = p->icmp_code;
	}
	for (size_t i = 0; i < sizeof(struct iphdr); i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	frame.ip.check = htons((uint16_t)~(sum + (sum >> 16)));
	ck_assert_int_eq(write(wires[link], &frame, sizeof(frame)), sizeof(frame));
}

/* Packets that conntrack calls new: not every type of ICMP begins something. */
static bool begins_session(const struct lookup_packet *p) {
	return p->proto == IPPROTO_TCP || p->proto == IPPROTO_UDP ||
	       (p->proto == IPPROTO_ICMP && p->icmp_type == 8 && p->icmp_code == 0) ||
	       p->proto == IPPROTO_GRE;
}

static bool is_unicast(uint32_t addr) {
	return addr >> 24 != 0 && addr >> 24 != 127 && addr >> 24 < 224;
}

/* ---- counters ---- */

struct counts {
	uint64_t hits[POLICIES_MAX];
};

static void take(void *arg, const struct nft_elem *elem) {
	struct counts *c = arg;
	uint32_t id;

	memcpy(&id, elem->key, sizeof(id));
	ck_assert_uint_lt(id, POLICIES_MAX);
	c->hits[id] = elem->packets;
}

static void read_counts(struct nft_netlink *nl, struct counts *c) {
	struct err err = { 0 };

	memset(c, 0, sizeof(*c));
	ck_assert_msg(nft_netlink_read(nl, RENDER_SET_HITS, NULL, take, c, &err) == 0, "%s",
		      err.text);
}

/* ---- the comparison ---- */

struct bench {
	struct random_policies random;
	struct model *model;
	struct policies *policies;
	struct nft *nft;
	struct nft_netlink *nl;
	struct rtnl *rtnl;
	struct links links;
};

static void bench_open(struct bench *b) {
	struct str text AUTO_STR = STR_INIT;
	struct err err = { 0 };
	struct backend k;

	random_policies_text(&b->random, &text);
	b->model = conf_model(str_text(&text));
	b->policies = policies_new(b->model, time(NULL));
	b->nft = nft_new(&err);
	ck_assert_msg(b->nft, "%s", err.text);
	k = nft_backend(b->nft);
	ck_assert_msg(k.start(k.ctx, &(struct commit){ .model = b->model }, &err) == 0, "%s",
		      err.text);
	b->nl = nft_netlink_open(&err);
	b->rtnl = rtnl_open(&err);
	ck_assert(b->nl && b->rtnl);
	ck_assert_int_eq(links_read(b->rtnl, &b->links), 0);
}

static void bench_close(struct bench *b) {
	links_done(&b->links);
	rtnl_close(b->rtnl);
	nft_netlink_close(b->nl);
	nft_free(b->nft);
	policies_free(b->policies);
	model_free(b->model);
}

/* True if the packet is one whose policy the counters can tell. */
static bool judge(struct bench *b, const struct lookup_packet *p, struct lookup_result *r) {
	const struct link *in = links_find(&b->links, p->in), *out;
	int index;

	lookup_translate(b->model, b->policies, p, r);
	if (!begins_session(p) || !is_unicast(p->src) || !is_unicast(r->dst))
		return false;
	index = route_lookup(b->rtnl, p->src, r->dst, in->index);
	out = index > 0 ? links_at(&b->links, index) : NULL;
	if (!out)
		return false;
	lookup_judge(b->model, b->policies, p, out->name, r);
	/* Let in by the zone itself: no policy counts. */
	return r->by || r->vip || (out->name[4] != '1' && out->name[4] != '3');
}

static unsigned int compare(struct bench *b, struct counts *before) {
	struct lookup_packet p = random_packet(&b->random);
	struct lookup_result r;
	struct counts after;

	if (!judge(b, &p, &r))
		return 0;
	send_packet(&p);
	read_counts(b->nl, &after);
	for (uint32_t id = 0; id < POLICIES_MAX; id++)
		ck_assert_msg(after.hits[id] - before->hits[id] == (id == r.policy),
			      "policy %u counts %lu, not policy %u: %s %08x:%u -> %08x:%u proto %u",
			      id, (unsigned long)(after.hits[id] - before->hits[id]), r.policy,
			      p.in, p.src, p.sport, p.dst, p.dport, p.proto);
	*before = after;
	return 1;
}

START_TEST(test_packets) {
	struct bench b = { .random = { fixture_seed() * 1000 + (uint64_t)_i,
				       12 + 20 * (unsigned int)_i, 6, 10, 8,
				       12 + 60 * (unsigned int)_i } };
	struct counts counts;
	unsigned int n = 0;

	network();
	bench_open(&b);
	read_counts(b.nl, &counts);
	for (unsigned int i = 0; i < fixture_rounds(1500); i++)
		n += compare(&b, &counts);
	ck_assert_uint_gt(n, 300);
	bench_close(&b);
}
END_TEST

/* ---- policies that change places ---- */

#define EVERYTHING                                                                             \
	"set srcintf port1\nset dstintf port5\nset srcaddr all\nset dstaddr all\nset service ALL\n" \
	"set schedule always\nset action accept\n"

static const struct schema_table *policy_table(void) {
	return schema_table(TBL_FIREWALL_POLICY);
}

/* An engine over the kernel's rules, with policies 1 to n that all match the same. */
static struct engine *engine_with_policies(const char *dir, struct nft *nft, unsigned int n) {
	struct engine *e = fixture_engine(dir);
	struct backend b = nft_backend(nft);
	struct err err = { 0 };

	engine_add_backend(e, &b);
	ck_assert_msg(engine_start(e, &err) == 0, "%s", err.text);
	fixture_set(e, "system.interface", "port1", "");
	fixture_set(e, "system.interface", "port5", "");
	for (unsigned int i = 1; i <= n; i++) {
		AUTO_FREE char *key = xasprintf("%u", i);

		fixture_set(e, "firewall.policy", key, EVERYTHING);
	}
	return e;
}

static void move_policy(struct engine *e, unsigned int id, unsigned int after) {
	AUTO_FREE char *key = xasprintf("%u", id),
		       *behind = after ? xasprintf("%u", after) : xstrdup("");
	struct txn *t = txn_new(e, "admin", "test");
	struct err err = { 0 };

	ck_assert_msg(txn_place(t, policy_table(), key, behind, &err) == 0, "%s", err.text);
	ck_assert_msg(txn_commit(t, &err) == 0, "%s", err.text);
	txn_free(t);
}

/* A packet that every policy matches counts for the one that stands first. */
static void check_first(struct engine *e, struct nft_netlink *nl, uint32_t round) {
	const struct lookup_packet p = { .in = "port1", .proto = IPPROTO_UDP, .src = 0x0a000105,
					 .dst = 0xcb007100 + round, .sport = 1000, .dport = 2000 };
	uint32_t first = (uint32_t)atoi(model_first(e->model, policy_table())->key);
	struct counts before, after;

	read_counts(nl, &before);
	send_packet(&p);
	read_counts(nl, &after);
	for (uint32_t id = 0; id < POLICIES_MAX; id++)
		ck_assert_msg(after.hits[id] - before.hits[id] == (id == first),
			      "policy %u counts, not policy %u, in round %u", id, first, round);
}

/* The rest behind the first one is in the order of the model, too: each in turn is taken away. */
static void check_order(struct engine *e, struct nft_netlink *nl) {
	struct err err = { 0 };

	for (uint32_t i = 0; model_first(e->model, policy_table()); i++) {
		AUTO_FREE char *key = xstrdup(model_first(e->model, policy_table())->key);

		check_first(e, nl, 100 + i);
		ck_assert_int_eq(fixture_delete(e, "firewall.policy", key, &err), 0);
	}
}

START_TEST(test_moved) {
	AUTO_FREE char *dir = fixture_dir();
	struct random_policies r = { .state = fixture_seed() };
	struct err err = { 0 };
	struct nft_netlink *nl;
	struct engine *e;
	struct nft *nft;

	network();
	nft = nft_new(&err);
	ck_assert_msg(nft, "%s", err.text);
	e = engine_with_policies(dir, nft, 8);
	nl = nft_netlink_open(&err);
	ck_assert_ptr_nonnull(nl);
	check_first(e, nl, 0);
	for (uint32_t round = 1; round < 80; round++) {
		unsigned int id = 1 + round % 2 + random_below(&r, 2) * random_below(&r, 7);
		unsigned int after = random_below(&r, 3) ? 0 : 1 + random_below(&r, 8);

		if (id != after)
			move_policy(e, id, after);
		check_first(e, nl, round);
	}
	check_order(e, nl);
	nft_netlink_close(nl);
	engine_close(e);
	nft_free(nft);
}
END_TEST

static Suite *packets_suite(void) {
	Suite *s = suite_create("nft packets");
	TCase *t = tcase_create("nft packets");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_packets, 0, 4);
	tcase_add_test(t, test_moved);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(packets_suite());
}
