/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of a unit with other members: what is handed over and what is taken, executed on packets;
 * and in the kernel, in a network namespace of our own: that the first packet of a copy is told
 * once.
 */
#include "backends/render.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/ct_events.h"
#include "backends/ct_writer.h"
#include "backends/handover.h"
#include "backends/nft.h"
#include "backends/nft_text.h"
#include "backends/session.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"
#include "tests/lib/simulate.h"

#define NOW 1700000000
#define PEER 0xac108846u   /* 172.16.136.70 */
#define CLIENT 0xcf668a13u
#define SERVER 0xac10890fu
#define OWN 0xac108845u    /* 172.16.136.69 */
#define COPY (1u << SESSION_LABEL_COPY)
#define SEEN (1u << SESSION_LABEL_SEEN)
#define REFUSED (1u << SESSION_LABEL_REFUSED)

#define UNIT(cluster) \
	"config system interface\nedit \"port1\"\nnext\nedit \"port2\"\nset ip 172.16.136.69 255.255.255.192\nnext\nend\n" \
	"config system standalone-cluster\n" cluster "end\n"
#define MEMBER "config cluster-peer\nedit 1\nset peerip 172.16.136.70\nnext\nend\n"
#define SELF "config cluster-peer\nedit 1\nset peerip 172.16.136.69\nnext\nend\n"
#define LINK "set layer2-connection available\nset session-sync-dev \"port3\"\n"
#define TUNNEL UNIT(MEMBER)
#define LINKED UNIT(LINK MEMBER)

/* port3 is as it was found, unless the cluster names it. */
static struct ruleset *rendered(const char *config) {
	struct model *m = conf_model("");
	struct ruleset *rs;
	time_t next;

	conf_load(m, "config system interface\nedit \"port3\"\nnext\nend\n", 0);
	conf_load(m, config, 2);
	rs = render(m, NOW, &next);

	model_free(m);
	return rs;
}

/* ---- packets of no session, and those that come from members ---- */

enum mark { PLAIN, MARKED };

static const struct {
	const char *what, *config, *in;
	uint32_t state;
	bool confirmed, broadcast, local, ipv6, over_limit;
	uint32_t label;
	enum eval_verdict verdict;
	enum mark mark;
	bool still_broadcast;
} arrivals[] = {
	{ "of no session, no members", UNIT(""), "port1", .state = CT_STATE_INVALID, .verdict = EVAL_DROP },
	{ "the unit is its only member", UNIT(SELF), "port1", .state = CT_STATE_INVALID,
	  .verdict = EVAL_DROP },
	{ "of no session", TUNNEL, "port1", .state = CT_STATE_INVALID, .mark = MARKED },
	{ "the same by a link", LINKED, "port1", .state = CT_STATE_INVALID, .mark = MARKED },
	{ "too many", TUNNEL, "port1", .state = CT_STATE_INVALID, .over_limit = true,
	  .verdict = EVAL_DROP },
	{ "IPv6", TUNNEL, "port1", .state = CT_STATE_INVALID, .ipv6 = true, .verdict = EVAL_DROP },
	{ "for the unit", TUNNEL, "port1", .state = CT_STATE_INVALID, .local = true },
	{ "not managed", TUNNEL, "docker0", .state = CT_STATE_INVALID },
	{ "new", TUNNEL, "port1", .state = CT_STATE_NEW },
	{ "of a session", TUNNEL, "port1", .state = CT_STATE_ESTABLISHED, .confirmed = true },
	{ "handed over, of no session", TUNNEL, HANDOVER_TUNNEL, .state = CT_STATE_INVALID,
	  .broadcast = true, .verdict = EVAL_DROP, .still_broadcast = true },
	{ "the same by a link", LINKED, "port3", .state = CT_STATE_INVALID, .broadcast = true,
	  .verdict = EVAL_DROP, .still_broadcast = true },
	{ "not in a frame to all", LINKED, "port3", .state = CT_STATE_INVALID, .verdict = EVAL_DROP },
	{ "handed over, of a session", TUNNEL, HANDOVER_TUNNEL, .state = CT_STATE_ESTABLISHED,
	  .confirmed = true, .broadcast = true },
	{ "the same by a link", LINKED, "port3", .state = CT_STATE_ESTABLISHED, .confirmed = true,
	  .broadcast = true },
	{ "the session is a copy", LINKED, "port3", .state = CT_STATE_ESTABLISHED, .confirmed = true,
	  .broadcast = true, .label = COPY, .still_broadcast = true },
	{ "it was one once", LINKED, "port3", .state = CT_STATE_ESTABLISHED, .confirmed = true,
	  .broadcast = true, .label = SEEN },
	{ "new", LINKED, "port3", .state = CT_STATE_NEW, .broadcast = true, .still_broadcast = true },
	{ "expected", LINKED, "port3", .state = CT_STATE_RELATED, .broadcast = true,
	  .still_broadcast = true },
	{ "a frame to all elsewhere", LINKED, "port1", .state = CT_STATE_ESTABLISHED, .confirmed = true,
	  .broadcast = true, .still_broadcast = true },
};

START_TEST(test_arrivals) {
	struct ruleset *rs = rendered(arrivals[_i].config);
	struct eval_packet p = {
		.in = arrivals[_i].in,
		.out = "",
		.src = CLIENT,
		.dst = SERVER,
		.proto = IPPROTO_TCP,
		.state = arrivals[_i].state,
		.confirmed = arrivals[_i].confirmed,
		.broadcast = arrivals[_i].broadcast,
		.local = arrivals[_i].local,
		.ipv6 = arrivals[_i].ipv6,
		.over_limit = arrivals[_i].over_limit,
		.label = arrivals[_i].label,
	};
	const char *what = arrivals[_i].what;

	ck_assert_msg(sim_chain(rs, "invalid", &p) == arrivals[_i].verdict, "%s", what);
	ck_assert_msg(p.packet_mark == (arrivals[_i].mark == MARKED ? HANDOVER_MARK : 0), "%s",
		      what);
	ck_assert_msg(p.broadcast == arrivals[_i].still_broadcast, "%s", what);
	ruleset_free(rs);
}
END_TEST

static const struct {
	const char *config, *out;
	uint32_t mark;
	enum eval_verdict verdict;
} ways[] = {
	{ TUNNEL, HANDOVER_TUNNEL, HANDOVER_MARK, EVAL_ACCEPT },
	{ TUNNEL, HANDOVER_TUNNEL, 0, EVAL_DROP },
	{ TUNNEL, "port2", HANDOVER_MARK, EVAL_DROP },
	{ TUNNEL, "docker0", HANDOVER_MARK, EVAL_DROP },
	{ LINKED, "port3", HANDOVER_MARK, EVAL_ACCEPT },
	{ LINKED, HANDOVER_TUNNEL, HANDOVER_MARK, EVAL_DROP },
	{ UNIT(""), "port2", HANDOVER_MARK, EVAL_DROP },
};

START_TEST(test_ways) {
	struct ruleset *rs = rendered(ways[_i].config);
	struct eval_packet p = { .in = "port1",
				 .out = ways[_i].out,
				 .src = CLIENT,
				 .dst = SERVER,
				 .proto = IPPROTO_TCP,
				 .state = CT_STATE_INVALID,
				 .packet_mark = ways[_i].mark };

	ck_assert_int_eq(sim_chain(rs, "forward", &p), ways[_i].verdict);
	ck_assert(ways[_i].verdict == EVAL_DROP || p.packet_mark == 0);
	ruleset_free(rs);
}
END_TEST

/* What comes from members begins nothing, and by no link that is theirs. */
START_TEST(test_nothing_begins) {
	static const char *const out[] = { "port1", "docker0", "" };
	struct ruleset *rs = rendered(TUNNEL);

	for (size_t i = 0; i < ARRAY_LEN(out); i++) {
		struct eval_packet p = { .in = HANDOVER_TUNNEL, .out = out[i], .src = CLIENT,
					 .dst = *out[i] ? SERVER : OWN, .local = !*out[i],
					 .proto = IPPROTO_TCP, .dport = 22, .state = CT_STATE_NEW };

		ck_assert_int_eq(sim_chain(rs, *out[i] ? "forward" : "input", &p), EVAL_DROP);
	}
	ruleset_free(rs);
}
END_TEST

/* ---- what members tell each other ---- */

#define SYN 2
#define ACK TCP_FLAG_ACK_BIT

static const struct {
	const char *config;
	uint32_t from;
	uint8_t proto, flags;
	uint16_t sport, dport;
	bool untracked;
	enum eval_verdict input;
} told[] = {
	{ TUNNEL, PEER, IPPROTO_TCP, SYN, 40000, 703, true, EVAL_ACCEPT },
	{ TUNNEL, PEER, IPPROTO_TCP, SYN, 40000, 708, true, EVAL_ACCEPT },
	{ TUNNEL, PEER, IPPROTO_UDP, 0, 708, 708, true, EVAL_ACCEPT },
	{ TUNNEL, PEER, IPPROTO_UDP, 0, 40000, HANDOVER_PORT, true, EVAL_ACCEPT },
	{ TUNNEL, PEER, IPPROTO_TCP, SYN | ACK, 708, 40000, true, EVAL_ACCEPT },
	{ TUNNEL, PEER, IPPROTO_TCP, TCP_FLAG_RST_BIT, 703, 40000, true, EVAL_ACCEPT },
	{ TUNNEL, PEER, IPPROTO_TCP, SYN, 708, 40000, true, EVAL_DROP },
	{ TUNNEL, PEER, IPPROTO_UDP, 0, 708, 40000, true, EVAL_DROP },
	{ TUNNEL, PEER, IPPROTO_TCP, SYN, 40000, 22, false, EVAL_DROP },
	{ TUNNEL, CLIENT, IPPROTO_TCP, SYN, 40000, 708, false, EVAL_DROP },
	{ TUNNEL, CLIENT, IPPROTO_UDP, 0, 40000, HANDOVER_PORT, false, EVAL_DROP },
	{ TUNNEL, CLIENT, IPPROTO_TCP, ACK, 708, 40000, false, EVAL_DROP },
	{ LINKED, PEER, IPPROTO_UDP, 0, 708, 708, true, EVAL_ACCEPT },
	{ LINKED, PEER, IPPROTO_UDP, 0, 40000, HANDOVER_PORT, false, EVAL_DROP },
};

START_TEST(test_told) {
	struct ruleset *rs = rendered(told[_i].config);
	struct eval_packet p = { .in = "port2", .out = "", .src = told[_i].from, .dst = OWN,
				 .proto = told[_i].proto, .sport = told[_i].sport,
				 .dport = told[_i].dport, .tcp_flags = told[_i].flags,
				 .local = true };
	struct eval_packet back = { .in = "", .out = "port2", .src = OWN, .dst = told[_i].from,
				    .proto = told[_i].proto, .sport = told[_i].dport,
				    .dport = told[_i].sport };
	struct eval_packet through = p;

	ck_assert_int_eq(sim_chain(rs, "untracked_in", &p), EVAL_ACCEPT);
	ck_assert_int_eq(p.untracked, told[_i].untracked);
	ck_assert_int_eq(sim_chain(rs, "input", &p), told[_i].input);
	ck_assert_int_eq(sim_chain(rs, "untracked_out", &back), EVAL_ACCEPT);
	ck_assert_int_eq(back.untracked, told[_i].untracked);
	through.local = false;
	ck_assert_int_eq(sim_chain(rs, "untracked_in", &through), EVAL_ACCEPT);
	ck_assert(!through.untracked);
	ruleset_free(rs);
}
END_TEST

/* A member's address on a link that no route to it leads to: everything but the tunnel has keys. */
static const struct {
	const char *config;
	uint8_t proto;
	uint16_t dport;
	bool local;
	enum eval_verdict verdict;
} astray[] = {
	{ TUNNEL, IPPROTO_UDP, HANDOVER_PORT, true, EVAL_DROP },
	{ TUNNEL, IPPROTO_UDP, HANDOVER_PORT, false, EVAL_ACCEPT },
	{ TUNNEL, IPPROTO_TCP, HANDOVER_PORT, true, EVAL_ACCEPT },
	{ TUNNEL, IPPROTO_UDP, 708, true, EVAL_ACCEPT },
	{ TUNNEL, IPPROTO_TCP, 703, true, EVAL_ACCEPT },
	{ LINKED, IPPROTO_UDP, HANDOVER_PORT, true, EVAL_ACCEPT },
};

START_TEST(test_astray) {
	struct ruleset *rs = rendered(astray[_i].config);
	struct eval_packet p = { .in = "port1", .out = "", .src = PEER, .dst = OWN, .astray = true,
				 .proto = astray[_i].proto, .dport = astray[_i].dport,
				 .local = astray[_i].local };

	ck_assert_int_eq(sim_chain(rs, "untracked_in", &p), astray[_i].verdict);
	ruleset_free(rs);
}
END_TEST

/* Who has no members pays for none of it. */
START_TEST(test_alone) {
	static const char *const configs[] = { UNIT(""), UNIT(LINK), UNIT(SELF) };
	static const char *const parts[] = { "ct label", "notrack", "pkttype", "peer_ports" };
	struct str text AUTO_STR = STR_INIT;
	struct ruleset *rs = rendered(configs[_i]);

	nft_text(rs, &text);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		ck_assert_ptr_null(strstr(str_text(&text), parts[i]));
	ruleset_free(rs);
}
END_TEST

/* ---- the first packet of a copy, and those of one that is refused ---- */

static const struct {
	uint32_t label, after;
	enum eval_verdict verdict;
} labels[] = {
	{ 0, 0, EVAL_ACCEPT },
	{ COPY, COPY | SEEN, EVAL_ACCEPT },
	{ COPY | SEEN, COPY | SEEN, EVAL_ACCEPT },
	{ SEEN, SEEN, EVAL_ACCEPT },
	{ COPY | REFUSED, COPY | REFUSED, EVAL_DROP },
	{ COPY | SEEN | REFUSED, COPY | SEEN | REFUSED, EVAL_DROP },
	{ REFUSED, REFUSED, EVAL_ACCEPT },
};

START_TEST(test_seen) {
	struct ruleset *rs = rendered(TUNNEL);
	struct eval_packet p = { .in = "port1", .out = "port2", .src = CLIENT, .dst = SERVER,
				 .proto = IPPROTO_TCP, .confirmed = true,
				 .state = CT_STATE_ESTABLISHED, .label = labels[_i].label };

	ck_assert_int_eq(sim_chain(rs, "forward", &p), labels[_i].verdict);
	ck_assert_uint_eq(p.label, labels[_i].after);
	ruleset_free(rs);
}
END_TEST

static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	ck_assert_int_eq(
		system("sysctl -qw net.netfilter.nf_conntrack_events=1 net.ipv4.ip_forward=1 "
		       "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 && ip link set lo up && "
		       "for i in 1 2; do ip link add port$i address 02:00:00:00:00:0$i type veth peer name wire$i && "
		       "ip link set port$i up && ip link set wire$i arp off up && "
		       "ip address add 10.0.$i.1/24 dev port$i && "
		       "ip neighbour add 10.0.$i.9 lladdr 02:00:00:00:01:0$i nud permanent dev port$i || exit; done"),
		0);
}

static struct nft *loaded(const char *config) {
	struct model *m = conf_model(config);
	struct err err = { 0 };
	struct nft *nft = nft_new(&err);
	struct backend b;

	ck_assert_msg(nft, "%s", err.text);
	b = nft_backend(nft);
	ck_assert_msg(b.start(b.ctx, &(struct commit){ .model = m }, &err) == 0, "%s", err.text);
	model_free(m);
	return nft;
}

/* UDP from 10.0.1.9 port 5000 + i to 10.0.2.9 port 53, both directions seen. */
static struct ct session(unsigned int i, uint64_t label) {
	struct ct ct = { .family = AF_INET,
			 .proto = IPPROTO_UDP,
			 .status = IPS_SEEN_REPLY | IPS_ASSURED,
			 .timeout = 3000,
			 .label = { label, 0 } };
	struct ct_tuple *orig = &ct.tuple[CT_ORIG], *reply = &ct.tuple[CT_REPLY];

	orig->src = reply->dst = net_ipv4(0x0a000109);
	orig->dst = reply->src = net_ipv4(0x0a000209);
	orig->sport = reply->dport = (uint16_t)(5000 + i);
	orig->dport = reply->sport = 53;
	return ct;
}

static void refuse(void *arg, const struct ct_change *change, int error) {
	(void)arg;
	(void)change;
	ck_abort_msg("refused: %s", strerror(error));
}

/* Put a packet of the session on the far end of the link that it comes in by. */
static void send_packet(const struct ct *ct, enum ct_dir dir) {
	const struct ct_tuple *t = &ct->tuple[dir];
	struct {
		struct ethhdr eth;
		struct iphdr ip;
		struct udphdr udp;
	} __attribute__((packed)) f = {
		.eth = { { 2, 0, 0, 0, 0, (unsigned char)(dir + 1) },
			 { 2, 0, 0, 0, 1, (unsigned char)(dir + 1) }, htons(ETH_P_IP) },
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP,
			.saddr = t->src.word[0], .daddr = t->dst.word[0], .tot_len = htons(28) },
		.udp = { .source = htons(t->sport), .dest = htons(t->dport), .len = htons(8) },
	};
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = ETH_ALEN };
	const unsigned char *bytes = (const unsigned char *)&f.ip;
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(struct iphdr); i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	f.ip.check = htons((uint16_t)~(sum + (sum >> 16)));
	to.sll_ifindex = (int)if_nametoindex(dir == CT_ORIG ? "wire1" : "wire2");
	ck_assert_int_eq(sendto(fd, &f, sizeof(f), 0, (struct sockaddr *)&to, sizeof(to)),
			 sizeof(f));
	close(fd);
}

struct heard {
	unsigned int changes[3];
	uint64_t label[3];
	unsigned int marks;            /* sessions behind these, whose events come last */
};

static void hear(void *arg, enum ct_event event, const struct ct *ct, uint32_t by) {
	struct heard *h = arg;
	unsigned int i = ct->tuple[CT_ORIG].sport - 5000u;

	ck_assert_uint_eq(by, 0);
	ck_assert_int_eq(event, CT_CHANGES);
	if (i >= 3) {
		h->marks++;
		return;
	}
	h->changes[i]++;
	h->label[i] = ct->label[0];
}

/*
 * Send packets of the first three sessions, `first` before the other direction, and one of another;
 * hear of them up to that one.
 */
static void pass_packets(struct ct_events *e, enum ct_dir first, unsigned int mark,
			 struct heard *h) {
	struct ct last = session(mark, 0);

	for (unsigned int i = 0; i < 12; i++) {
		struct ct ct = session(i % 3, 0);

		send_packet(&ct, i / 3 % 2 == 0 ? first : first == CT_ORIG ? CT_REPLY : CT_ORIG);
	}
	send_packet(&last, CT_ORIG);
	*h = (struct heard){ .marks = 0 };
	while (h->marks == 0) {
		struct pollfd p = { .fd = ct_events_fd(e), .events = POLLIN };

		ck_assert_int_eq(poll(&p, 1, 30000), 1);
		ck_assert(!ct_events_read(e, hear, h));
	}
}

static void make_sessions(struct ct_writer *w, const uint64_t *label, unsigned int n) {
	for (unsigned int i = 0; i < n; i++)
		ct_write(w, &(struct ct_change){ .what = CT_WRITE_CREATE,
						 .ct = session(i, label[i]) });
	ct_writer_flush(w);
}

/*
 * Of three sessions, the second is a copy that was not seen yet, the third one that was: of that
 * the kernel may tell, with its first packet, what was written.
 */
START_TEST(test_seen_is_told) {
	static const uint64_t label[] = { 0, 0x123456780000ab00 | COPY, COPY | SEEN, COPY, COPY };
	struct err err = { 0 };
	struct ct_events *e;
	struct ct_writer *w;
	struct heard h;
	struct nft *nft;

	own_namespace();
	nft = loaded(TUNNEL);
	e = ct_events_open(&err);
	w = ct_writer_open(refuse, NULL, &err);
	ck_assert_msg(e && w, "%s", err.text);
	make_sessions(w, label, ARRAY_LEN(label));
	ck_assert_msg(ct_events_follow(e, ct_writer_port(w), 1 << 20, &err) == 0, "%s", err.text);
	pass_packets(e, (enum ct_dir)_i, 3, &h);
	ck_assert_uint_eq(h.changes[0], 0);
	ck_assert_uint_eq(h.changes[1], 1);
	ck_assert_uint_eq(h.label[1], label[1] | SEEN);
	pass_packets(e, (enum ct_dir)_i, 4, &h);
	ck_assert_uint_eq(h.changes[0] + h.changes[1] + h.changes[2], 0);
	ct_events_close(e);
	ct_writer_close(w);
	nft_free(nft);
}
END_TEST

static Suite *render_sync_suite(void) {
	Suite *s = suite_create("render_sync");
	TCase *t = tcase_create("render_sync");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_arrivals, 0, ARRAY_LEN(arrivals));
	tcase_add_loop_test(t, test_ways, 0, ARRAY_LEN(ways));
	tcase_add_test(t, test_nothing_begins);
	tcase_add_loop_test(t, test_told, 0, ARRAY_LEN(told));
	tcase_add_loop_test(t, test_astray, 0, ARRAY_LEN(astray));
	tcase_add_loop_test(t, test_alone, 0, 3);
	tcase_add_loop_test(t, test_seen, 0, ARRAY_LEN(labels));
	tcase_add_loop_test(t, test_seen_is_told, 0, 2);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(render_sync_suite());
}
