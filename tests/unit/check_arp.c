/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Answers to ARP for virtual IPs: requests are put on a link by hand, and the link is watched for
 * answers.
 */
#include "backends/arp.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define WAIT_MS 150

static int wire; /* the far end of port1 */

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void own_namespace(void) {
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ARP) };

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("ip link set lo up && sysctl -qw net.ipv4.ip_forward=1 && for i in 1 2; do "
	    "ip link add port$i type veth peer name wire$i && ip link set port$i up && ip link set wire$i arp off up && "
	    "ip address add 192.0.$i.1/24 dev port$i; done");
	wire = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ARP));
	to.sll_ifindex = (int)if_nametoindex("wire1");
	ck_assert_int_eq(bind(wire, (struct sockaddr *)&to, sizeof(to)), 0);
}

struct frame {
	struct ethhdr eth;
	struct ether_arp arp;
} __attribute__((packed));

/* Whether the unit answers on port1 for an address. */
static bool answers(const char *address) {
	static const unsigned char me[ETH_ALEN] = { 2, 0, 0, 0, 0, 9 };
	struct frame f = {
		.eth = { .h_proto = htons(ETH_P_ARP) },
		.arp = { .ea_hdr = { htons(ARPHRD_ETHER), htons(ETH_P_IP), ETH_ALEN, 4,
				     htons(ARPOP_REQUEST) } },
	};
	const in_addr_t asked = inet_addr(address), from = inet_addr("192.0.1.9");
	struct pollfd p = { .fd = wire, .events = POLLIN };

	memset(f.eth.h_dest, 0xff, ETH_ALEN);
	memcpy(f.eth.h_source, me, ETH_ALEN);
	memcpy(f.arp.arp_sha, me, ETH_ALEN);
	memcpy(f.arp.arp_spa, &from, 4);
	memcpy(f.arp.arp_tpa, &asked, 4);
	ck_assert_int_eq(write(wire, &f, sizeof(f)), sizeof(f));
	while (poll(&p, 1, WAIT_MS) == 1) {
		ck_assert_int_gt(recv(wire, &f, sizeof(f), 0), 0);
		if (f.arp.ea_hdr.ar_op == htons(ARPOP_REPLY) &&
		    memcmp(f.arp.arp_spa, &asked, 4) == 0)
			return true;
	}
	return false;
}

static struct model *model_of(const char *vip) {
	struct str text AUTO_STR = STR_INIT;

	str_addf(
		&text,
		"config system interface\nedit \"port1\"\nnext\nedit \"port2\"\nnext\nend\n"
		"config firewall vip\nedit \"it\"\nset mappedip \"10.0.0.1\"\nset extintf \"port1\"\n%snext\nend\n",
		vip);
	return conf_model(str_text(&text));
}

static struct arp *started(const char *vip) {
	struct model *m = model_of(vip);
	struct err err = { 0 };
	struct arp *a = arp_new(&err);
	struct backend b;

	ck_assert_msg(a, "%s", err.text);
	b = arp_backend(a);
	ck_assert_msg(b.start(b.ctx, &(struct commit){ .model = m }, &err) == 0, "%s", err.text);
	model_free(m);
	return a;
}

static int apply(struct arp *a, const char *vip, struct err *err) {
	struct model *m = model_of(vip);
	struct backend b = arp_backend(a);

	ck_assert_int_eq(b.prepare(b.ctx, &(struct commit){ .model = m }, err), 0);
	model_free(m);
	return b.apply(b.ctx, err);
}

static const struct {
	const char *vip, *asked;
	bool answered;
} cases[] = {
	{ "set extip 192.0.1.50\n", "192.0.1.50", true },
	{ "set extip 192.0.1.50\n", "192.0.1.51", false },
	{ "set extip 192.0.1.50\nset arp-reply disable\n", "192.0.1.50", false },
	{ "set extip 192.0.1.50\nset status disable\n", "192.0.1.50", false },
	{ "set extip 192.0.1.50\nset extintf \"any\"\n", "192.0.1.50", true },
	{ "set extip 192.0.1.50\nset extintf \"port2\"\n", "192.0.1.50", false },
	{ "set extip 192.0.2.50\nset extintf \"port2\"\n", "192.0.2.50", false },
	{ "set extip 192.0.1.50-192.0.1.60\nset mappedip \"10.0.0.50-10.0.0.60\"\n", "192.0.1.60",
	  true },
	{ "set extip 192.0.1.250-192.0.2.9\nset mappedip \"10.0.0.0-10.0.0.15\"\n", "192.0.1.250",
	  true },
	{ "set extip 203.0.113.1\n", "203.0.113.1", false },
	{ "set extip 192.0.1.1\n", "192.0.1.1", true }, /* its own address, without our doing */
};

static void assert_nothing_left(void) {
	run("test -z \"$(ip neighbour show proxy)\" && test -z \"$(ip route show proto 72)\"");
}

START_TEST(test_answers) {
	struct err err = { 0 };
	struct arp *a;

	own_namespace();
	a = started(cases[_i].vip);
	ck_assert_int_eq(answers(cases[_i].asked), cases[_i].answered);
	ck_assert_int_eq(arp_reconcile(a, &err), 0);
	ck_assert_int_eq(answers(cases[_i].asked), cases[_i].answered);
	ck_assert_int_eq(arp_remove(a, &err), 0);
	assert_nothing_left();
	arp_free(a);
}
END_TEST

START_TEST(test_undo) {
	struct err err = { 0 };
	struct arp *a;
	struct backend b;

	own_namespace();
	a = started("set extip 192.0.1.50\n");
	b = arp_backend(a);
	ck_assert_int_eq(apply(a, "set extip 192.0.1.70\n", &err), 0);
	ck_assert(!answers("192.0.1.50") && answers("192.0.1.70"));
	b.undo(b.ctx);
	b.cancel(b.ctx);
	ck_assert(answers("192.0.1.50") && !answers("192.0.1.70"));
	ck_assert_int_eq(apply(a, "set extip 192.0.1.70\n", &err), 0);
	b.finish(b.ctx);
	arp_free(a);
	/* The next start finds what is left of the last one. */
	a = started("set extip 192.0.1.80\n");
	ck_assert(!answers("192.0.1.70") && answers("192.0.1.80"));
	arp_free(a);
}
END_TEST

START_TEST(test_fault) {
	static const char *const points[] = { "arp.apply:1", "arp.applied:1" };
	struct err err = { 0 };
	struct arp *a;

	own_namespace();
	a = started("set extip 192.0.1.50\n");
	setenv("GATEHOUSE_FAULT", points[_i], 1);
	fault_init();
	ck_assert_int_eq(apply(a, "set extip 192.0.1.70\n", &err), ERR_KERNEL);
	ck_assert(answers("192.0.1.50") && !answers("192.0.1.70"));
	arp_free(a);
}
END_TEST

/* With its address goes the answer, and with the address it comes back; foreign entries stay. */
START_TEST(test_events) {
	struct err err = { 0 };
	struct arp *a;

	own_namespace();
	run("ip neighbour add proxy 192.0.1.99 dev port1 && ip route add 192.0.1.99/32 dev lo");
	a = started("set extip 192.0.1.50\n");
	run("ip address add 192.0.9.1/24 dev port1 && ip address del 192.0.1.1/24 dev port1");
	ck_assert_int_eq(arp_reconcile(a, &err), 0);
	ck_assert(!answers("192.0.1.50"));
	run("ip address add 192.0.1.2/24 dev port1");
	ck_assert_int_eq(arp_reconcile(a, &err), 0);
	ck_assert(answers("192.0.1.50") && answers("192.0.1.2"));
	run("ip neighbour show proxy | grep -q 192.0.1.99");
	arp_free(a);
}
END_TEST

static Suite *arp_suite(void) {
	Suite *s = suite_create("arp");
	TCase *t = tcase_create("arp");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_answers, 0, ARRAY_LEN(cases));
	tcase_add_test(t, test_undo);
	tcase_add_loop_test(t, test_fault, 0, 2);
	tcase_add_test(t, test_events);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(arp_suite());
}
