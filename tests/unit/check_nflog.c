/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Logged packets: messages made by hand, whole, cut short and wrong; and those of the kernel, in a
 * network namespace of our own, also more of them than fit.
 */
#include "backends/nflog.h"

#include <arpa/inet.h>
#include <endian.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define GROUP 4711

/* ---- messages ---- */

static char data[4096];
static struct nlmsghdr *nlh;

static void begin(uint16_t type) {
	memset(data, 0, sizeof(data));
	nlh = mnl_nlmsg_put_header(data);
	nlh->nlmsg_type = type;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct nfgenmsg));
}

static void begin_packet(void) {
	begin(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	mnl_attr_put_strz(nlh, NFULA_PREFIX, "deny");
	mnl_attr_put_u32(nlh, NFULA_IFINDEX_INDEV, htobe32(3));
	mnl_attr_put_u32(nlh, NFULA_IFINDEX_OUTDEV, htobe32(4));
	mnl_attr_put_u32(nlh, NFULA_MARK, htobe32(9));
	mnl_attr_put_u32(nlh, NFULA_SEQ, htobe32(1000));
}

static const uint8_t tcp[] = { 0x45, 0, 0, 44, 0, 0, 0x40, 0, 64, 6,  0, 0,
			       10,   0, 0, 1,  192, 0, 2, 1,  0x9c, 0x40, 0x01, 0xbb };
static const uint8_t options[] = { 0x46, 0, 0, 48, 0, 0, 0, 0,  64, 17, 0, 0,    10,   0,
				   0,	 1, 192, 0, 2, 1, 1, 1,  1,  1, 0x9c, 0x40, 0x01, 0xbb };
static const uint8_t later_fragment[] = { 0x45, 0, 0, 44, 0, 0, 0x00, 8, 64, 6,  0, 0,
					  10,	0, 0, 1, 192, 0, 2, 1, 0x9c, 0x40, 0x01, 0xbb };
static const uint8_t ping[] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 1, 0, 0, 10, 0,
				0,    1, 192, 0, 2, 1, 8, 0, 0, 0, 0x6b, 0xbf };
static const uint8_t gre[] = { 0x45, 0, 0, 28, 0, 0, 0, 0, 64, 47, 0, 0,
			       10,   0, 0, 1,  192, 0, 2, 1, 1, 2, 3, 4 };
static const uint8_t udp6[] = { 0x60, 0, 0, 0, 0, 12, 17, 64,
				0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
				0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2,
				0x14, 0xe9, 0, 53 };

static const struct {
	const uint8_t *packet;
	size_t len;
	uint8_t family, proto;
	uint16_t sport, dport;
} packets[] = {
	{ tcp, sizeof(tcp), AF_INET, IPPROTO_TCP, 40000, 443 },
	{ options, sizeof(options), AF_INET, IPPROTO_UDP, 40000, 443 },
	{ later_fragment, sizeof(later_fragment), AF_INET, IPPROTO_TCP, 0, 0 },
	{ ping, sizeof(ping), AF_INET, IPPROTO_ICMP, 0x6bbf, 8 },
	{ gre, sizeof(gre), AF_INET, IPPROTO_GRE, 0, 0 },
	{ udp6, sizeof(udp6), AF_INET6, IPPROTO_UDP, 5353, 53 },
};

START_TEST(test_decode) {
	struct nflog_packet p;
	const struct ct_tuple *o = &p.ct.tuple[CT_ORIG], *r = &p.ct.tuple[CT_REPLY];
	union net_addr src, dst;
	bool ipv6 = packets[_i].family == AF_INET6;

	begin_packet();
	mnl_attr_put(nlh, NFULA_PAYLOAD, packets[_i].len, packets[_i].packet);
	ck_assert(nflog_decode(nlh, &p));
	ck_assert_str_eq(p.prefix, "deny");
	ck_assert_int_eq(p.in, 3);
	ck_assert_int_eq(p.out, 4);
	ck_assert(p.has_seq);
	ck_assert_uint_eq(p.seq, 1000);
	ck_assert_uint_eq(p.ct.mark, 9);
	ck_assert_uint_eq(p.ct.family, packets[_i].family);
	ck_assert_uint_eq(p.ct.proto, packets[_i].proto);
	net_parse(packets[_i].family, ipv6 ? "2001:db8::1" : "10.0.0.1", &src);
	net_parse(packets[_i].family, ipv6 ? "2001:db8::2" : "192.0.2.1", &dst);
	ck_assert(net_equal(&o->src, &src) && net_equal(&o->dst, &dst));
	ck_assert(net_equal(&r->src, &dst) && net_equal(&r->dst, &src));
	ck_assert_uint_eq(o->sport, packets[_i].sport);
	ck_assert_uint_eq(o->dport, packets[_i].dport);
	ck_assert_uint_eq(r->sport, packets[_i].dport);
	ck_assert_uint_eq(r->dport, packets[_i].sport);
}
END_TEST

/* The first bytes of a packet: no ports when they are not there, no packet without addresses. */
START_TEST(test_cut) {
	size_t addresses = packets[_i].family == AF_INET ? 20 : 40;
	struct nflog_packet p;

	for (size_t len = 0; len < packets[_i].len; len++) {
		uint8_t *part = malloc(len ? len : 1); /* what is read beyond it is noticed */

		memcpy(part, packets[_i].packet, len);
		begin_packet();
		mnl_attr_put(nlh, NFULA_PAYLOAD, len, part);
		ck_assert_int_eq(nflog_decode(nlh, &p), len >= addresses);
		if (len < packets[_i].len - 3)
			ck_assert_uint_eq(p.ct.tuple[CT_ORIG].sport, 0);
		free(part);
	}
}
END_TEST

START_TEST(test_other_messages) {
	struct nflog_packet p;

	begin_packet(); /* without a packet */
	ck_assert(!nflog_decode(nlh, &p));
	begin(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG);
	mnl_attr_put(nlh, NFULA_PAYLOAD, sizeof(tcp), tcp);
	ck_assert(!nflog_decode(nlh, &p));
	begin(NFNL_SUBSYS_CTNETLINK << 8);
	mnl_attr_put(nlh, NFULA_PAYLOAD, sizeof(tcp), tcp);
	ck_assert(!nflog_decode(nlh, &p));
	begin_packet();
	nlh->nlmsg_len = NLMSG_HDRLEN;
	ck_assert(!nflog_decode(nlh, &p));
}
END_TEST

/* Attributes that are too short count as absent; a prefix without an end is cut. */
START_TEST(test_short_attributes) {
	struct nflog_packet p;
	char name[2 * NFLOG_PREFIX_MAX];

	memset(name, 'x', sizeof(name));
	begin(NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_PACKET);
	mnl_attr_put(nlh, NFULA_PREFIX, sizeof(name), name);
	mnl_attr_put_u16(nlh, NFULA_IFINDEX_INDEV, 3);
	mnl_attr_put(nlh, NFULA_MARK, 0, NULL);
	mnl_attr_put(nlh, NFULA_PAYLOAD, sizeof(tcp), tcp);
	ck_assert(nflog_decode(nlh, &p));
	ck_assert_uint_eq(strlen(p.prefix), NFLOG_PREFIX_MAX - 1);
	ck_assert_int_eq(p.in, 0);
	ck_assert_uint_eq(p.ct.mark, 0);
	ck_assert(!p.has_seq);
}
END_TEST

/* ---- the kernel ---- */

static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	ck_assert_int_eq(system("ip link set lo up && nft -f - <<'END'\n"
				"table inet t {\nchain o {\ntype filter hook output priority 0\n"
				"udp dport 9 meta mark set 77 log prefix \"deny\" group 4711 drop\n}\n}\nEND"),
			 0);
}

static struct nflog *opened(void) {
	struct err err = { 0 };
	struct nflog *l = nflog_open(GROUP, &err);

	ck_assert_msg(l, "%s", err.text);
	return l;
}

static void send_packets(unsigned int n) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9),
				  .sin_addr = { htonl(0x7f000002) } };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	while (n-- > 0) /* dropped, which the sender is told */
		sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to));
	close(fd);
}

struct seen {
	unsigned int n;
	struct nflog_packet last;
};

static void count(void *arg, const struct nflog_packet *p) {
	struct seen *s = arg;

	s->n++;
	s->last = *p;
}

/* Read until nothing comes for a while. */
static uint64_t read_all(struct nflog *l, struct seen *s) {
	struct pollfd p = { .fd = nflog_fd(l), .events = POLLIN };
	uint64_t lost = 0;

	while (poll(&p, 1, 500) == 1)
		lost += nflog_read(l, count, s);
	return lost;
}

START_TEST(test_kernel) {
	struct seen s = { .n = 0 };
	struct nflog *l;

	own_namespace();
	l = opened();
	send_packets(3);
	ck_assert_uint_eq(read_all(l, &s), 0);
	ck_assert_uint_eq(s.n, 3);
	ck_assert_str_eq(s.last.prefix, "deny");
	ck_assert_uint_eq(s.last.ct.mark, 77);
	ck_assert_uint_eq(s.last.ct.proto, IPPROTO_UDP);
	ck_assert_uint_eq(s.last.ct.tuple[CT_ORIG].dport, 9);
	ck_assert_int_eq(s.last.out, (int)if_nametoindex("lo"));
	ck_assert_int_eq(s.last.in, 0);
	nflog_close(l);
}
END_TEST

/* One listener at a time; the next one can when it has gone. */
START_TEST(test_one_listener) {
	struct err err = { 0 };
	struct nflog *l;

	own_namespace();
	l = opened();
	ck_assert_ptr_null(nflog_open(GROUP, &err));
	ck_assert_int_eq(err.code, ERR_KERNEL);
	ck_assert_msg(strstr(err.text, "another program"), "%s", err.text);
	nflog_close(l);
	nflog_close(opened());
}
END_TEST

/* More than fits while nobody reads: what is lost is known to the packet. */
START_TEST(test_overrun) {
	const unsigned int many = 60000;
	struct seen s = { .n = 0 };
	struct nflog *l;
	uint64_t lost;

	own_namespace();
	l = opened();
	send_packets(1);
	ck_assert_uint_eq(read_all(l, &s), 0);
	send_packets(many);
	lost = read_all(l, &s);
	send_packets(1);
	lost += read_all(l, &s);
	ck_assert_uint_gt(lost, 0);
	ck_assert_uint_gt(s.n, 100);
	ck_assert_uint_eq(s.n + lost, many + 2);
	nflog_close(l);
}
END_TEST

static Suite *nflog_suite(void) {
	Suite *s = suite_create("nflog");
	TCase *t = fixture_case(s, "nflog");

	tcase_add_loop_test(t, test_decode, 0, ARRAY_LEN(packets));
	tcase_add_loop_test(t, test_cut, 0, ARRAY_LEN(packets));
	tcase_add_test(t, test_other_messages);
	tcase_add_test(t, test_short_attributes);
	tcase_add_test(t, test_kernel);
	tcase_add_test(t, test_one_listener);
	tcase_add_test(t, test_overrun);
	return s;
}

int main(void) {
	return fixture_run(nflog_suite());
}
