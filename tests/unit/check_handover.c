/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The way to other members as the kernel has it, in a network namespace of our own: what each
 * configuration wants, that doing it twice changes nothing, and that what others set stays.
 */
#include "backends/handover.h"

#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backends/iface.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define MEMBER(id, ip) "edit " id "\nset peerip " ip "\nnext\n"
#define CLUSTER(settings, members) \
	"config system interface\nedit \"port1\"\nset ip 192.0.2.1 255.255.255.0\nnext\nedit \"port3\"\nnext\n" \
	"edit \"port4\"\nnext\nend\nconfig system standalone-cluster\n" settings \
	"config cluster-peer\n" members "end\nend\n"
#define LINKS "set layer2-connection available\nset session-sync-dev \"port3\" \"port4\"\n"
#define TWO MEMBER("1", "192.0.2.2") MEMBER("2", "192.0.2.3")

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("ip link set lo up && for i in 1 3 4; do ip link add port$i type veth peer name wire$i && "
	    "ip link set port$i up && ip link set wire$i up; done; "
	    "sysctl -qw net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=1");
}

static struct handover *started(const char *config) {
	struct model *m = conf_model(config);
	struct err err = { 0 };
	struct handover *h = handover_new(&err);
	struct backend b;

	ck_assert_msg(h, "%s", err.text);
	b = handover_backend(h);
	ck_assert_msg(b.start(b.ctx, &(struct commit){ .model = m }, &err) == 0, "%s", err.text);
	model_free(m);
	return h;
}

static int apply(struct handover *h, const char *config, struct err *err) {
	struct model *m = conf_model(config);
	struct backend b = handover_backend(h);

	ck_assert_int_eq(b.prepare(b.ctx, &(struct commit){ .model = m }, err), 0);
	model_free(m);
	return b.apply(b.ctx, err);
}

static void reconcile(struct handover *h) {
	struct err err = { 0 };

	ck_assert_msg(handover_reconcile(h, &err) == 0, "%s", err.text);
}

/* Routes, rule, neighbour, addresses, members of the tunnel and its state. */
static char *state(void) {
	struct str text AUTO_STR = STR_INIT;
	char line[256];
	FILE *f = popen("ip -4 route show table 708 2>/dev/null; ip -4 rule show pref 708; ip -4 neigh show nud permanent; "
			"ip -4 -o address show | awk '{ print $2, $4 }' | grep 169; "
			"bridge fdb show dev gh-members 2>/dev/null | grep dst | sort; "
			"ip -o link show gh-members 2>/dev/null | sed 's/.*<\\(.*\\)> mtu \\([0-9]*\\).*/\\1 \\2/'",
			"r");

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f)) {
		/* Some versions put a blank at the end. */
		line[strcspn(line, "\n")] = '\0';
		while (*line && line[strlen(line) - 1] == ' ')
			line[strlen(line) - 1] = '\0';
		str_addf(&text, "%s\n", line);
	}
	pclose(f);
	return xstrdup(str_text(&text));
}

static void state_is(const char *wanted) {
	AUTO_FREE char *is = state();

	ck_assert_str_eq(is, wanted);
}

#define RULE "708:	from all fwmark 0x47480708 lookup 708 proto 73\n"
#define WAY(dev) "default via 169.254.70.2 dev " dev " proto 73 onlink\n" RULE \
	"169.254.70.2 dev " dev " lladdr ff:ff:ff:ff:ff:ff PERMANENT proto 73\n"
#define TO(ip) "00:00:00:00:00:00 dst " ip " self permanent\n"
#define TUNNEL WAY("gh-members") "gh-members 169.254.70.1/32\n" TO("192.0.2.2") TO("192.0.2.3") \
	"BROADCAST,MULTICAST,NOARP,UP,LOWER_UP 65000\n"
#define BOTH "port3 169.254.70.1/32\nport4 169.254.70.1/32\n"

static const struct {
	const char *what, *config, *state;
} cases[] = {
	{ "no members", CLUSTER("", ""), "" },
	{ "links, but no members", CLUSTER(LINKS, ""), "" },
	{ "the unit itself", CLUSTER(LINKS, MEMBER("1", "192.0.2.1")), "" },
	{ "no link", CLUSTER("", TWO), TUNNEL },
	{ "a member with two entries", CLUSTER("", TWO MEMBER("3", "192.0.2.2")), TUNNEL },
	{ "links that are not in one network",
	  CLUSTER("set session-sync-dev \"port3\" \"port4\"\n", TWO), TUNNEL },
	{ "one network without links", CLUSTER("set layer2-connection available\n", TWO), TUNNEL },
	{ "links", CLUSTER(LINKS, TWO), WAY("port3") BOTH },
	{ "the other first", CLUSTER("set layer2-connection available\n"
				     "set session-sync-dev \"port4\" \"port3\"\n", TWO),
	  WAY("port4") BOTH },
	{ "a link that is not there", CLUSTER("set layer2-connection available\n"
					      "set session-sync-dev \"port9\" \"port4\"\n", TWO),
	  WAY("port4") "port4 169.254.70.1/32\n" },
};

START_TEST(test_state) {
	struct err err = { 0 };
	struct handover *h;

	own_namespace();
	h = started(cases[_i].config);
	state_is(cases[_i].state);
	reconcile(h);
	state_is(cases[_i].state);
	ck_assert(!handover_lacks_tunnel(h));
	handover_free(h);
	/* The next start finds it. */
	h = started(cases[_i].config);
	state_is(cases[_i].state);
	ck_assert_int_eq(handover_remove(h, &err), 0);
	state_is("");
	run("! ip link show gh-members 2>/dev/null");
	handover_free(h);
}
END_TEST

/* From each configuration to each other one and back. */
START_TEST(test_undo) {
	struct err err = { 0 };
	struct handover *h;
	struct backend b;

	own_namespace();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		h = started(cases[_i].config);
		b = handover_backend(h);
		ck_assert_msg(apply(h, cases[i].config, &err) == 0, "%s", err.text);
		state_is(cases[i].state);
		b.undo(b.ctx);
		b.cancel(b.ctx);
		state_is(cases[_i].state);
		ck_assert_int_eq(apply(h, cases[i].config, &err), 0);
		b.finish(b.ctx);
		reconcile(h);
		state_is(cases[i].state);
		handover_free(h);
	}
}
END_TEST

START_TEST(test_fault) {
	static const char *const points[] = { "handover.apply:1", "handover.applied:1" };
	struct err err = { 0 };
	struct handover *h;

	own_namespace();
	h = started(CLUSTER(LINKS, TWO));
	fixture_fault(points[_i]);
	ck_assert_int_eq(apply(h, CLUSTER("", TWO), &err), ERR_KERNEL);
	state_is(WAY("port3") BOTH);
	run("! ip link show gh-members 2>/dev/null");
	handover_free(h);
}
END_TEST

/* Members come and go while the tunnel stays. */
START_TEST(test_members) {
	struct err err = { 0 };
	struct handover *h;

	own_namespace();
	h = started(CLUSTER("", TWO));
	run("ip link set gh-members address 02:00:00:00:00:77");
	ck_assert_int_eq(apply(h, CLUSTER("", MEMBER("2", "192.0.2.3") MEMBER("3", "192.0.2.4")), &err), 0);
	state_is(WAY("gh-members") "gh-members 169.254.70.1/32\n" TO("192.0.2.3") TO("192.0.2.4")
		 "BROADCAST,MULTICAST,NOARP,UP,LOWER_UP 65000\n");
	run("ip link show gh-members | grep -q 02:00:00:00:00:77");
	handover_free(h);
}
END_TEST

/* The way goes with its link to the next one, and back. */
START_TEST(test_links) {
	struct handover *h;

	own_namespace();
	h = started(CLUSTER(LINKS, TWO));
	run("ip link set wire3 down");
	reconcile(h);
	state_is(WAY("port4") BOTH);
	run("ip link set port4 down");
	reconcile(h);
	state_is(RULE BOTH);
	run("ip link set wire3 up");
	reconcile(h);
	state_is(WAY("port3") BOTH);
	run("ip link set port3 down && ip link set port4 up");
	reconcile(h);
	run("ip link set port3 up");
	reconcile(h);
	state_is(WAY("port3") BOTH);
	run("ip link del port3");
	reconcile(h);
	state_is(WAY("port4") "port4 169.254.70.1/32\n");
	handover_free(h);
}
END_TEST

/* What someone does to the tunnel is put right. */
START_TEST(test_tunnel) {
	struct handover *h;

	own_namespace();
	h = started(CLUSTER("", TWO));
	run("test \"$(cd /proc/sys/net/ipv4/conf/gh-members && cat forwarding rp_filter | tr '\\n' ' ')\" = '1 2 '");
	run("test ! -e /proc/sys/net/ipv6/conf/gh-members || "
	    "test -z \"$(ip -6 address show dev gh-members)\"");
	run("ip link set gh-members down && bridge fdb del 00:00:00:00:00:00 dev gh-members dst 192.0.2.2");
	reconcile(h);
	state_is(TUNNEL);
	run("ip link del gh-members");
	reconcile(h);
	state_is(TUNNEL);
	handover_free(h);
}
END_TEST

/* It is no part of the machine that a configuration describes as it is found. */
START_TEST(test_found) {
	static const char *const configs[] = { CLUSTER("", TWO), CLUSTER(LINKS, TWO) };
	struct links links;
	struct handover *h;

	own_namespace();
	run("ip address add 192.0.3.1/24 dev port3");
	h = started(configs[_i]);
	ck_assert_int_eq(iface_found(&links, NULL), 0);
	ck_assert_ptr_nonnull(links_find(&links, "port3"));
	ck_assert_ptr_null(links_find(&links, HANDOVER_TUNNEL));
	ck_assert_uint_eq(links.n_addrs, 2); /* 127.0.0.1 and that one */
	links_done(&links);
	handover_free(h);
}
END_TEST

/* Entries of others are neither changed nor removed. */
START_TEST(test_foreign) {
	struct err err = { 0 };
	struct handover *h;

	own_namespace();
	run("ip rule add pref 707 fwmark 0x47480708 lookup 709 && ip route add unreachable default proto static table 709 && "
	    "ip neigh add 169.254.70.9 lladdr 02:00:00:00:00:01 dev port3 nud permanent && "
	    "ip address add 169.254.70.9/32 dev port3");
	h = started(CLUSTER(LINKS, TWO));
	reconcile(h);
	ck_assert_int_eq(apply(h, CLUSTER("", TWO), &err), 0);
	ck_assert_int_eq(handover_remove(h, &err), 0);
	run("ip rule show pref 707 | grep -q 'lookup 709' && ip neigh show dev port3 | grep -q 169.254.70.9 && "
	    "ip address show dev port3 | grep -q 169.254.70.9/32 && "
	    "ip -4 route show table 709 | grep -q '^unreachable default proto static'");
	handover_free(h);
}
END_TEST

/* A device that only has the name of the tunnel. */
START_TEST(test_foreign_tunnel) {
	struct err err = { 0 };
	struct handover *h;

	own_namespace();
	run("ip link add gh-members type veth peer name other");
	h = started(CLUSTER(LINKS, TWO));
	state_is(WAY("port3") BOTH "BROADCAST,MULTICAST,M-DOWN 1500\n");
	ck_assert_int_eq(apply(h, CLUSTER("", TWO), &err), ERR_KERNEL);
	ck_assert_ptr_nonnull(strstr(err.text, "gh-members"));
	state_is(WAY("port3") BOTH "BROADCAST,MULTICAST,M-DOWN 1500\n");
	ck_assert_int_eq(handover_remove(h, &err), 0);
	run("ip -d link show gh-members | grep -q veth");
	handover_free(h);
}
END_TEST

static Suite *handover_suite(void) {
	Suite *s = suite_create("handover");
	TCase *t = tcase_create("handover");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_state, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(t, test_undo, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(t, test_fault, 0, 2);
	tcase_add_test(t, test_members);
	tcase_add_test(t, test_links);
	tcase_add_test(t, test_tunnel);
	tcase_add_loop_test(t, test_found, 0, 2);
	tcase_add_test(t, test_foreign);
	tcase_add_test(t, test_foreign_tunnel);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(handover_suite());
}
