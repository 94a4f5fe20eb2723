/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Static routes in the kernel, each test in a network namespace of its own, compared with what
 * ip(8) shows of our protocol.
 */
#include "backends/route.h"

#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backends/commands_kernel.h"
#include "cfgdb/base/fault.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define TEXT(x) #x
#define TEXT_OF(x) TEXT(x)
#define PROTOCOL TEXT_OF(RTNL_PROTOCOL)

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* Carrier is told after `ip` has returned: what waits for silence must wait for that first. */
static void links_settle(void) {
	run("for link in port1 peer1 port2 peer2; do "
	    "until ip -o link show dev $link | grep -q 'state UP'; do sleep 0.01; done; done");
}

/* Two links with addresses, and a route that is not ours. */
static void own_namespace(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("ip link set lo up && for i in 1 2; do ip link add port$i index 1$i type veth peer name peer$i && "
	    "ip link set port$i up && ip link set peer$i up && ip address add 172.16.$i.4/24 dev port$i; done && "
	    "ip route add default via 172.16.1.77 && ip route add 10.77.0.0/16 via 172.16.1.77");
}

/* Our routes, a line each; the caller frees. */
static char *routes(void) {
	FILE *f = popen("ip -4 -oneline route show proto " PROTOCOL
			" | tr -d '\\\\' | tr -s '\\t ' ' ' | "
			"sed 's/ *$//' | sort",
			"r");
	struct str out = STR_INIT;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		str_add(&out, line);
	pclose(f);
	return str_steal(&out);
}

static void assert_routes(const char *right) {
	AUTO_FREE char *now = routes();

	ck_assert_str_eq(now, right);
}

static struct model *model_of(const char *lines) {
	struct str text AUTO_STR = STR_INIT;

	str_addf(
		&text,
		"config system interface\nedit \"port1\"\nnext\nedit \"port2\"\nnext\nedit \"port9\"\nnext\nend\n"
		"config router static\n%send\n",
		lines);
	return conf_model(str_text(&text));
}

static struct route *started(const char *lines) {
	struct model *m = model_of(lines);
	struct err err = { 0 };
	struct route *r = route_new(&err);
	struct backend b;

	ck_assert_msg(r, "%s", err.text);
	b = route_backend(r);
	ck_assert_msg(b.start(b.ctx, &(struct commit){ .model = m }, &err) == 0, "%s", err.text);
	model_free(m);
	return r;
}

static int apply(struct route *r, const char *lines, struct err *err) {
	struct model *m = model_of(lines);
	struct backend b = route_backend(r);
	int rc = b.prepare(b.ctx, &(struct commit){ .model = m, .revision = 1 }, err);

	ck_assert_int_eq(rc, 0);
	model_free(m);
	return b.apply(b.ctx, err);
}

static const struct {
	const char *lines, *routes;
} cases[] = {
	{ "", "" },
	{ "edit 1\nset gateway 172.16.1.1\nset device \"port1\"\nnext\n",
	  "default via 172.16.1.1 dev port1 metric 655361\n" },
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.1.1\nset device \"port1\"\nset distance 5\n"
	  "set priority 7\nnext\n",
	  "10.1.0.0/16 via 172.16.1.1 dev port1 metric 327687\n" },
	/* Several ways to one destination. */
	{ "edit 3\nset dst 168.63.129.16 255.255.255.255\nset gateway 172.16.2.1\nset device \"port2\"\nnext\n"
	  "edit 4\nset dst 168.63.129.16 255.255.255.255\nset gateway 172.16.1.1\nset device \"port1\"\nnext\n",
	  "168.63.129.16 metric 655361 nexthop via 172.16.2.1 dev port2 weight 1 nexthop via 172.16.1.1 dev port1 "
	  "weight 1\n" },
	/* One better than the other: both are there, the kernel takes the better. */
	{ "edit 3\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.2.1\nset device \"port2\"\nset priority 5\nnext\n"
	  "edit 4\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.1.1\nset device \"port1\"\nnext\n",
	  "10.1.0.0/16 via 172.16.1.1 dev port1 metric 655361\n10.1.0.0/16 via 172.16.2.1 dev port2 metric 655365\n" },
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset blackhole enable\nset distance 254\nnext\n",
	  "blackhole 10.1.0.0/16 metric 16646145\n" },
	/* A blackhole beside a way of the same distance gives way to it. */
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset blackhole enable\nnext\n"
	  "edit 2\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.1.1\nset device \"port1\"\nnext\n",
	  "10.1.0.0/16 via 172.16.1.1 dev port1 metric 655361\n" },
	/* The destination is on the link. */
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset device \"port2\"\nnext\n",
	  "10.1.0.0/16 dev port2 scope link metric 655361\n" },
	/* What cannot be used waits, without an error. */
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.9.1\nset device \"port9\"\nnext\n",
	  "" },
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.9.1\nset device \"port1\"\nnext\n",
	  "" },
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.1.1\nset device \"port1\"\nset status disable\nnext\n",
	  "" },
	/* One way of two cannot be used. */
	{ "edit 1\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.9.1\nset device \"port1\"\nnext\n"
	  "edit 2\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.2.1\nset device \"port2\"\nnext\n",
	  "10.1.0.0/16 via 172.16.2.1 dev port2 metric 655361\n" },
	/* Destinations that are not enforced must not become the default route. */
	{ "edit 1\nset dstaddr \"all\"\nset gateway 172.16.1.1\nset device \"port1\"\nnext\n", "" },
	{ "edit 1\nset internet-service 65537\nset gateway 172.16.1.1\nset device \"port1\"\nnext\n",
	  "" },
};

START_TEST(test_routes) {
	struct err err = { 0 };
	struct route *r;

	own_namespace();
	r = started(cases[_i].lines);
	assert_routes(cases[_i].routes);
	ck_assert_int_eq(route_remove(r, &err), 0);
	assert_routes("");
	ck_assert_msg(apply(r, cases[_i].lines, &err) == 0, "%s", err.text);
	assert_routes(cases[_i].routes);
	run("ip route show default | grep -q 172.16.1.77 && ip route show | grep -q 10.77.0.0/16");
	route_free(r);
}
END_TEST

/* From each case to each other, and back by undo. */
START_TEST(test_undo) {
	struct err err = { 0 };

	own_namespace();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct route *r = started(cases[_i].lines);
		struct backend b = route_backend(r);

		ck_assert_msg(apply(r, cases[i].lines, &err) == 0, "%s", err.text);
		assert_routes(cases[i].routes);
		b.undo(b.ctx);
		assert_routes(cases[_i].routes);
		b.cancel(b.ctx);
		ck_assert_msg(apply(r, cases[i].lines, &err) == 0, "%s", err.text);
		b.finish(b.ctx);
		ck_assert_int_eq(route_reconcile(r, &err), 0);
		assert_routes(cases[i].routes);
		route_free(r);
	}
}
END_TEST

START_TEST(test_fault) {
	static const char *const points[] = { "route.apply:1", "route.applied:1" };
	struct err err = { 0 };
	struct route *r;

	own_namespace();
	r = started(cases[1].lines);
	setenv("GATEHOUSE_FAULT", points[_i], 1);
	fault_init();
	ck_assert_int_eq(apply(r, cases[3].lines, &err), ERR_KERNEL);
	assert_routes(cases[1].routes);
	route_free(r);
}
END_TEST

/* What the kernel refuses is told with its number, and nothing has changed. */
START_TEST(test_refused) {
	struct err err = { 0 };
	struct route *r;

	own_namespace();
	r = started(cases[1].lines);
	/* Someone has a route in this very place: it is not ours to replace. */
	run("ip route add 10.1.0.0/16 via 172.16.1.9 metric 655361");
	ck_assert_int_eq(
		apply(r,
		      "edit 12\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.1.1\nset device \"port1\"\n"
		      "next\n",
		      &err),
		ERR_KERNEL);
	ck_assert_msg(strstr(err.text, "router static 12"), "%s", err.text);
	run("ip route show | grep -q '10.1.0.0/16 via 172.16.1.9'");
	assert_routes(cases[1].routes);
	route_free(r);
}
END_TEST

static void wait_event(struct monitor *m) {
	struct pollfd p = { .fd = monitor_fd(m), .events = POLLIN };

	do
		ck_assert_int_eq(poll(&p, 1, 2000), 1);
	while (!monitor_event(m));
}

/* Routes go and come with their links. */
START_TEST(test_events) {
	struct err err = { 0 };
	struct monitor *m;
	struct route *r;

	own_namespace();
	links_settle();
	m = monitor_open(&err);
	ck_assert_msg(m, "%s", err.text);
	r = started(cases[3].lines);
	run("ip link set port2 down");
	wait_event(m);
	ck_assert_int_eq(route_reconcile(r, &err), 0);
	assert_routes("168.63.129.16 via 172.16.1.1 dev port1 metric 655361\n");
	run("ip link set port2 up");
	links_settle();
	wait_event(m);
	ck_assert_int_eq(route_reconcile(r, &err), 0);
	assert_routes(cases[3].routes);
	run("ip route flush proto " PROTOCOL);
	wait_event(m);
	ck_assert_int_eq(route_reconcile(r, &err), 0);
	assert_routes(cases[3].routes);
	/* Nothing is left to say about what we did ourselves. */
	ck_assert(!monitor_event(m));
	monitor_close(m);
	route_free(r);
}
END_TEST

/* A link that appears later. */
START_TEST(test_late_link) {
	struct err err = { 0 };
	struct route *r;

	own_namespace();
	r = started(cases[8].lines);
	run("ip link add port9 type veth peer name peer9 && ip link set peer9 up && "
	    "ip address add 172.16.9.4/24 dev port9");
	ck_assert_int_eq(route_reconcile(r, &err), 0);
	assert_routes("");
	run("ip link set port9 up");
	ck_assert_int_eq(route_reconcile(r, &err), 0);
	assert_routes("10.1.0.0/16 via 172.16.9.1 dev port9 metric 655361\n");
	route_free(r);
}
END_TEST

/* ---- commands ---- */

static int ask(const char *words, const struct command_call *call, struct str *out) {
	const struct command *commands;
	struct err err = { 0 };
	size_t n;

	commands = commands_kernel(&n);
	for (size_t i = 0; i < n; i++)
		if (strcmp(commands[i].words, words) == 0)
			return commands[i].run(NULL, call, out, &err);
	ck_abort_msg("no command %s", words);
}

#define STATIC_ROUTES                                                                              \
	"edit 1\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.2.1\nset device \"port2\"\n"         \
	"set priority 5\nnext\n"                                                                   \
	"edit 2\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.1.1\nset device \"port1\"\nnext\n"   \
	"edit 3\nset dst 10.1.0.0 255.255.0.0\nset gateway 172.16.1.9\nset device \"port1\"\n"         \
	"set distance 20\nnext\n"                                                                  \
	"edit 4\nset dst 10.2.0.0 255.255.0.0\nset device \"port2\"\nset distance 20\nnext\n"          \
	"edit 5\nset dst 10.3.0.0 255.255.0.0\nset blackhole enable\nnext\n"                           \
	"edit 6\nset dst 168.63.129.16 255.255.255.255\nset gateway 172.16.2.1\n"                      \
	"set device \"port2\"\nnext\n"                                                             \
	"edit 7\nset dst 168.63.129.16 255.255.255.255\nset gateway 172.16.1.1\n"                      \
	"set device \"port1\"\nnext\n"                                                             \
	"edit 8\nset dst 10.4.0.0 255.255.0.0\nset gateway 172.16.9.1\nset device \"port9\"\nnext\n"

static const struct {
	const char *form, *word; /* NULL: no word follows */
	const char *right;       /* behind the heading */
} tables[] = {
	{ "all", NULL,
	  "K*      0.0.0.0/0 [0/0] via 172.16.1.77, port1\n"
	  "S       10.1.0.0/16 [10/0] via 172.16.1.1, port1, [1/0]\n"
	  "                    [10/0] via 172.16.2.1, port2, [5/0]\n"
	  "S       10.2.0.0/16 [20/0] is directly connected, port2, [1/0]\n"
	  "S       10.3.0.0/16 [10/0] is a summary, Null, [1/0]\n"
	  "K       10.77.0.0/16 [0/0] via 172.16.1.77, port1\n"
	  "S       168.63.129.16/32 [10/0] via 172.16.2.1, port2, [1/0]\n"
	  "                         [10/0] via 172.16.1.1, port1, [1/0]\n"
	  "C       172.16.1.0/24 is directly connected, port1\n"
	  "C       172.16.2.0/24 is directly connected, port2\n" },
	{ "database", NULL,
	  "K    *> 0.0.0.0/0 [0/0] via 172.16.1.77, port1\n"
	  "S    *> 10.1.0.0/16 [10/0] via 172.16.1.1, port1, [1/0]\n"
	  "S    *> 10.1.0.0/16 [10/0] via 172.16.2.1, port2, [5/0]\n"
	  "S       10.1.0.0/16 [20/0] via 172.16.1.9, port1, [1/0]\n"
	  "S    *> 10.2.0.0/16 [20/0] is directly connected, port2, [1/0]\n"
	  "S    *> 10.3.0.0/16 [10/0] is a summary, Null, [1/0]\n"
	  "S       10.4.0.0/16 [10/0] via 172.16.9.1, port9 inactive, [1/0]\n"
	  "K    *> 10.77.0.0/16 [0/0] via 172.16.1.77, port1\n"
	  "S    *> 168.63.129.16/32 [10/0] via 172.16.2.1, port2, [1/0]\n"
	  "                         [10/0] via 172.16.1.1, port1, [1/0]\n"
	  "C    *> 172.16.1.0/24 is directly connected, port1\n"
	  "C    *> 172.16.2.0/24 is directly connected, port2\n" },
	{ "details", "10.1.2.3",
	  "Routing entry for 10.1.0.0/16\n"
	  "  Known via \"static\", distance 10, metric 0, best\n"
	  "  * vrf 0 172.16.1.1, via port1\n\n"
	  "Routing entry for 10.1.0.0/16\n"
	  "  Known via \"static\", distance 10, metric 0, best\n"
	  "  * vrf 0 172.16.2.1, via port2\n" },
	{ "details", "168.63.129.16",
	  "Routing entry for 168.63.129.16/32\n"
	  "  Known via \"static\", distance 10, metric 0, best\n"
	  "  * vrf 0 172.16.2.1, via port2\n  * vrf 0 172.16.1.1, via port1\n" },
	{ "details", "172.16.2.99",
	  "Routing entry for 172.16.2.0/24\n"
	  "  Known via \"connected\", distance 0, metric 0, best\n"
	  "  * vrf 0 directly connected, port2\n" },
	{ "details", "10.3.0.1",
	  "Routing entry for 10.3.0.0/16\n"
	  "  Known via \"static\", distance 10, metric 0, best\n"
	  "  * vrf 0 directly connected, Null\n" },
	{ "details", "10.4.0.1",
	  "Routing entry for 0.0.0.0/0\n"
	  "  Known via \"kernel\", distance 0, metric 0, best\n"
	  "  * vrf 0 172.16.1.77, via port1\n" },
};

START_TEST(test_routing_table) {
	AUTO_FREE char *words = xasprintf("get router info routing-table %s", tables[_i].form);
	static const char heading[] = "\nRouting table for VRF=0\n";
	struct str out AUTO_STR = STR_INIT;
	char *word = (char *)tables[_i].word;
	struct command_call call = { .argc = word != NULL, .argv = &word };
	struct route *r;
	const char *at;

	own_namespace();
	r = started(STATIC_ROUTES);
	call.model = model_of(STATIC_ROUTES);
	ck_assert_int_eq(ask(words, &call, &out), 0);
	if (!word)
		ck_assert_int_eq(strncmp(str_text(&out), "Codes: ", 7), 0);
	at = strstr(str_text(&out), heading);
	ck_assert_ptr_nonnull(at);
	ck_assert_str_eq(at + sizeof(heading) - 1, tables[_i].right);
	model_free((struct model *)call.model);
	route_free(r);
}
END_TEST

START_TEST(test_routing_json) {
	struct str out AUTO_STR = STR_INIT;
	struct command_call call = { .model = model_of(STATIC_ROUTES), .json = true };
	struct route *r;

	own_namespace();
	r = started(STATIC_ROUTES);
	ck_assert_int_eq(ask("get router info routing-table database", &call, &out), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out),
		"\n{\"destination\":\"10.4.0.0\",\"prefix\":16,\"source\":\"static\",\"distance\":10,"
		"\"priority\":1,\"blackhole\":false,\"selected\":false,\"active\":false,"
		"\"ways\":[{\"gateway\":\"172.16.9.1\",\"interface\":\"port9\"}]},\n"));
	ck_assert_ptr_nonnull(strstr(str_text(&out),
		"\n{\"destination\":\"10.3.0.0\",\"prefix\":16,\"source\":\"static\",\"distance\":10,"
		"\"priority\":1,\"blackhole\":true,\"selected\":true,\"active\":true,\"ways\":[]},\n"));
	str_clear(&out);
	ck_assert_int_eq(ask("get router info routing-table all", &call, &out), 0);
	ck_assert_ptr_null(strstr(str_text(&out), "\"selected\":false"));
	ck_assert_ptr_nonnull(strstr(str_text(&out),
		"\"source\":\"connected\",\"distance\":0,\"priority\":0,\"blackhole\":false,"
		"\"selected\":true,\"active\":true,"
		"\"ways\":[{\"gateway\":null,\"interface\":\"port2\"}]}\n]\n"));
	model_free((struct model *)call.model);
	route_free(r);
}
END_TEST

START_TEST(test_routing_refused) {
	struct str out AUTO_STR = STR_INIT;
	char *word = (char *)"192.0.2.1";
	struct command_call call = { .model = model_of(""), .argc = 1, .argv = &word };

	own_namespace();
	run("ip route del default");
	ck_assert_int_eq(ask("get router info routing-table details", &call, &out), ERR_NOT_FOUND);
	word = (char *)"192.0.2";
	ck_assert_int_eq(ask("get router info routing-table details", &call, &out), ERR_PARSE);
	ck_assert_int_eq(ask("get router info routing-table all", &call, &out), ERR_PARSE);
	ck_assert_uint_eq(out.len, 0);
	model_free((struct model *)call.model);
}
END_TEST

START_TEST(test_address_list) {
	static const char right[] =
		"IP=127.0.0.1->127.0.0.1/255.0.0.0 index=1 devname=lo\n"
		"IP=172.16.1.4->172.16.1.4/255.255.255.0 index=11 devname=port1\n"
		"IP=172.16.2.4->172.16.2.4/255.255.255.0 index=12 devname=port2\n";
	struct str out AUTO_STR = STR_INIT;
	struct command_call call = { .argc = 0 };

	own_namespace();
	ck_assert_int_eq(ask("diagnose ip address list", &call, &out), 0);
	ck_assert_str_eq(str_text(&out), right);
	str_clear(&out);
	call.json = true;
	ck_assert_int_eq(ask("diagnose ip address list", &call, &out), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&out),
		"\n{\"address\":\"172.16.1.4\",\"peer\":\"172.16.1.4\",\"netmask\":\"255.255.255.0\","
		"\"index\":11,\"interface\":\"port1\"},\n"));
}
END_TEST

START_TEST(test_lookup) {
	struct rtnl *rtnl;

	own_namespace();
	run("sysctl -qw net.ipv4.ip_forward=1");
	rtnl = rtnl_open(NULL);
	ck_assert_int_eq(route_lookup(rtnl, 0xac100104, 0xac100209, 0), 12);
	ck_assert_int_eq(route_lookup(rtnl, 0xac100109, 0xac100209, 11), 12);
	ck_assert_int_eq(route_lookup(rtnl, 0xac100109, 0xac100204, 11), -1);
	run("ip route del default");
	ck_assert_int_eq(route_lookup(rtnl, 0xac100109, 0x08080808, 11), 0);
	rtnl_close(rtnl);
}
END_TEST

static Suite *route_suite(void) {
	Suite *s = suite_create("route");
	TCase *t = tcase_create("route");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, test_routes, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(t, test_undo, 0, ARRAY_LEN(cases));
	tcase_add_loop_test(t, test_fault, 0, 2);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_events);
	tcase_add_test(t, test_late_link);
	tcase_add_loop_test(t, test_routing_table, 0, ARRAY_LEN(tables));
	tcase_add_test(t, test_routing_json);
	tcase_add_test(t, test_routing_refused);
	tcase_add_test(t, test_address_list);
	tcase_add_test(t, test_lookup);
	suite_add_tcase(s, t);
	return s;
}

int main(void) {
	return fixture_run(route_suite());
}
