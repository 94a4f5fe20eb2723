/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ways from a copy of the routes: random tables against a search of every route, and routes of the
 * kernel, in a network namespace, against what `ip route get` says.
 */
#include "backends/fib.h"

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/fmt.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "tests/lib/fixture.h"
#include "tests/lib/random_object.h"

/* ---- random tables ---- */

#define ROUTES_MAX 400

static const uint32_t order[] = { 10, 20, 30 };

/* Close to each other, so that prefixes lie inside each other. */
static union net_addr random_addr(struct rng *r, uint8_t family) {
	static const uint8_t bytes[] = { 0, 1, 2, 127, 128, 254, 255 };
	union net_addr a = { .half = { 0, 0 } };

	for (unsigned int i = 0; i < net_len(family); i++)
		a.byte[i] = bytes[rng_below(r, rng_chance(r, 70) ? 2 : ARRAY_LEN(bytes))];
	return a;
}

static struct fib_route random_route(struct rng *r, uint8_t family, int index) {
	static const enum fib_kind kinds[] = { FIB_UNICAST, FIB_UNICAST, FIB_UNICAST, FIB_LOCAL,
					       FIB_REJECT, FIB_THROW, FIB_ASK };
	uint32_t bits = net_len(family) * 8;
	struct fib_route route = {
		.family = family,
		.prefix = (uint8_t)rng_below(r, bits + 1),
		.table = 10 * (1 + rng_below(r, 4)),
		.metric = rng_below(r, 3),
		.dst = random_addr(r, family),
		.hop = { .kind = kinds[rng_below(r, ARRAY_LEN(kinds))], .index = index },
	};

	return route;
}

static bool covers(const struct fib_route *route, const union net_addr *addr) {
	for (unsigned int i = 0; i < route->prefix; i++)
		if ((route->dst.byte[i / 8] ^ addr->byte[i / 8]) >> (7 - i % 8) & 1)
			return false;
	return true;
}

/* The best route of one table; *equal: there is another as good. */
static const struct fib_route *best_of(const struct fib_route *routes, unsigned int n,
				       uint32_t table, const union net_addr *addr, bool *equal) {
	const struct fib_route *best = NULL;

	for (unsigned int i = 0; i < n; i++) {
		const struct fib_route *route = &routes[i];

		if (route->table != table || !covers(route, addr))
			continue;
		if (!best || route->prefix > best->prefix ||
		    (route->prefix == best->prefix && route->metric < best->metric)) {
			best = route;
			*equal = false;
		} else if (route->prefix == best->prefix && route->metric == best->metric) {
			*equal = true;
		}
	}
	return best;
}

static struct fib_hop searched(const struct fib_route *routes, unsigned int n,
			       const union net_addr *addr) {
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		bool equal = false;
		const struct fib_route *best = best_of(routes, n, order[i], addr, &equal);

		if (best && equal)
			return (struct fib_hop){ .kind = FIB_ASK };
		if (best && best->hop.kind != FIB_THROW)
			return best->hop;
	}
	return (struct fib_hop){ .kind = FIB_NONE };
}

static void check_tables(uint8_t family, uint64_t seed) {
	struct rng r = rng_seed(seed);
	struct fib_route routes[ROUTES_MAX];
	unsigned int n = rng_below(&r, ROUTES_MAX);
	struct fib *f = fib_new();

	fib_set_tables(f, family, order, ARRAY_LEN(order));
	for (unsigned int i = 0; i < n; i++) {
		routes[i] = random_route(&r, family, (int)i + 1);
		fib_add(f, &routes[i]);
	}
	fib_seal(f);
	for (unsigned int i = 0; i < 2000; i++) {
		union net_addr addr = random_addr(&r, family);
		struct fib_hop right = searched(routes, n, &addr);
		struct fib_hop hop = fib_lookup(f, family, &addr, NULL, 0);

		ck_assert_msg(hop.kind == right.kind, "seed %llu", (unsigned long long)seed);
		if (hop.kind != FIB_ASK)
			ck_assert_int_eq(hop.index, right.index);
	}
	fib_free(f);
}

START_TEST(test_random) {
	for (unsigned int i = 0; i < fixture_rounds(60); i++) {
		check_tables(AF_INET, fixture_seed() * 1000 + i);
		check_tables(AF_INET6, fixture_seed() * 1000 + i);
	}
}
END_TEST

static void add(struct fib *f, uint32_t table, const char *dst, uint8_t prefix, enum fib_kind kind,
		int index) {
	uint8_t family = strchr(dst, ':') ? AF_INET6 : AF_INET;
	struct fib_route r = { .family = family, .prefix = prefix, .table = table,
			       .hop = { .kind = kind, .index = index } };

	ck_assert(net_parse(family, dst, &r.dst));
	fib_add(f, &r);
}

static int index_to(struct fib *f, const char *dst) {
	uint8_t family = strchr(dst, ':') ? AF_INET6 : AF_INET;
	union net_addr addr;

	ck_assert(net_parse(family, dst, &addr));
	return fib_lookup(f, family, &addr, NULL, 0).index;
}

/*
 * As Linux has them by default, IPv4's local and main are one table: a longer prefix of main wins.
 * IPv6 asks local first.
 */
START_TEST(test_default_tables) {
	struct fib *f = fib_new();

	add(f, RT_TABLE_LOCAL, "10.0.0.0", 8, FIB_LOCAL, 1);
	add(f, RT_TABLE_MAIN, "10.1.0.0", 16, FIB_UNICAST, 2);
	add(f, RT_TABLE_MAIN, "10.0.0.0", 8, FIB_UNICAST, 3);
	add(f, RT_TABLE_DEFAULT, "0.0.0.0", 0, FIB_UNICAST, 4);
	add(f, 99, "10.1.2.0", 24, FIB_UNICAST, 9);
	add(f, RT_TABLE_LOCAL, "fd00::", 8, FIB_LOCAL, 5);
	add(f, RT_TABLE_MAIN, "fd00:1::", 32, FIB_UNICAST, 6);
	add(f, RT_TABLE_MAIN, "::", 0, FIB_UNICAST, 7);
	fib_seal(f);
	ck_assert_int_eq(index_to(f, "10.1.2.3"), 2);
	ck_assert_int_eq(index_to(f, "10.2.2.3"), 1);
	ck_assert_int_eq(index_to(f, "11.2.2.3"), 4);
	ck_assert_int_eq(index_to(f, "fd00:1::1"), 5);
	ck_assert_int_eq(index_to(f, "2001::1"), 7);
	fib_free(f);
}
END_TEST

START_TEST(test_limits) {
	struct fib *f = fib_new();

	fib_seal(f);
	ck_assert_int_eq(index_to(f, "1.2.3.4"), 0);
	fib_free(f);
	f = fib_new();
	add(f, RT_TABLE_MAIN, "255.255.255.255", 32, FIB_UNICAST, 3);
	add(f, RT_TABLE_MAIN, "0.0.0.0", 32, FIB_UNICAST, 4);
	add(f, RT_TABLE_MAIN, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", 128, FIB_UNICAST, 5);
	fib_seal(f);
	ck_assert_int_eq(index_to(f, "255.255.255.255"), 3);
	ck_assert_int_eq(index_to(f, "255.255.255.254"), 0);
	ck_assert_int_eq(index_to(f, "0.0.0.0"), 4);
	ck_assert_int_eq(index_to(f, "0.0.0.1"), 0);
	ck_assert_int_eq(index_to(f, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 5);
	fib_free(f);
	/* One more than there is room for: the copy is not used. */
	f = fib_new();
	for (uint32_t i = 0; i <= FIB_ROUTES_MAX; i++) {
		struct fib_route r = { .family = AF_INET,
				       .prefix = 32,
				       .table = RT_TABLE_MAIN,
				       .dst = net_ipv4(i),
				       .hop = { .kind = FIB_UNICAST, .index = 2 } };

		fib_add(f, &r);
	}
	fib_seal(f);
	ck_assert_int_eq(
		fib_lookup(f, AF_INET, &(union net_addr){ .half = { 0, 0 } }, NULL, 0).kind,
		FIB_ASK);
	fib_free(f);
}
END_TEST

/* ---- routes of the kernel ---- */

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* A router with three links, routes of most kinds, both families. */
static void network(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 "
	    "net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 && ip link set lo up && "
	    "for i in 1 2 3; do ip link add port$i index 1$i type veth peer name peer$i && "
	    "sysctl -qw net.ipv6.conf.port$i.accept_dad=0 && "
	    "ip link set port$i up && ip link set peer$i up && ip address add 172.16.$i.4/24 dev port$i && "
	    "ip address add fd00:$i::4/64 dev port$i || exit; done");
	/* The kernel makes the routes of IPv6 addresses some time later. */
	run("until test \"$(ip -6 route show table local | grep -c '^local fd00:')\" = 3; do "
	    "sleep 0.02; done");
	run("ip route add default via 172.16.1.1 && ip route add 10.0.0.0/8 via 172.16.2.1 && "
	    "ip route add 10.1.0.0/16 via 172.16.3.1 && ip route add 10.1.2.0/24 dev port1 && "
	    "ip route add 10.1.0.0/16 via 172.16.2.2 metric 9 && "
	    "ip route add 10.1.3.0/24 via inet6 fd00:2::9 dev port2 && "
	    "ip route add blackhole 10.9.0.0/16 && ip route add unreachable 10.8.0.0/16 && "
	    "ip route add throw 10.7.0.0/16 && ip route add local 10.6.0.0/16 dev lo && "
	    "ip route add 192.168.0.0/16 nexthop via 172.16.1.9 nexthop via 172.16.2.9");
	run("ip -6 route add default via fd00:1::1 && ip -6 route add 2001:db8::/32 via fd00:2::1 && "
	    "ip -6 route add 2001:db8:1::/48 via fd00:3::1 && ip -6 route add 2001:db8:1:2::/64 dev port1 && "
	    "ip -6 route add unreachable 2001:db8:9::/48 && "
	    "ip -6 route add 2002::/16 nexthop via fd00:1::9 nexthop via fd00:2::9");
}

static struct fib *fib_of_kernel(void) {
	struct err err = { 0 };
	struct fib *f = fib_read(&err);

	ck_assert_msg(f, "%s", err.text);
	return f;
}

/* The words of `ip route get` that we know: type, via, dev; "" when there is no way. */
static void ip_says(const char *words, char ret[256]) {
	AUTO_FREE char *command = xasprintf("ip -o route get %s 2>/dev/null", words);
	FILE *p = popen(command, "r");
	char line[512] = "", *save = NULL, type[16] = "unicast", via[64] = "", dev[32] = "";
	const char *before = "";

	ck_assert_ptr_nonnull(p);
	if (!fgets(line, sizeof(line), p))
		line[0] = '\0';
	pclose(p);
	ret[0] = '\0';
	for (char *word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		if (*before == '\0' && (strcmp(word, "local") == 0 || strcmp(word, "broadcast") == 0))
			snprintf(type, sizeof(type), "%s", word);
		if (strcmp(before, "via") == 0 && strcmp(word, "inet6") != 0)
			snprintf(via, sizeof(via), "%s", word);
		if (strcmp(before, "inet6") == 0)
			snprintf(via, sizeof(via), "%s", word);
		if (strcmp(before, "dev") == 0)
			snprintf(dev, sizeof(dev), "%s", word);
		before = word;
	}
	if (dev[0])
		snprintf(ret, 256, "%s via %s dev %s", type, via, dev);
}

static void we_say(const struct fib_hop *hop, char ret[256]) {
	static const char *const kinds[] = { [FIB_UNICAST] = "unicast", [FIB_LOCAL] = "local",
					     [FIB_BROADCAST] = "broadcast" };
	char via[INET6_ADDRSTRLEN] = "", dev[IF_NAMESIZE] = "";

	ret[0] = '\0';
	if (hop->index == 0)
		return;
	ck_assert(hop->kind < ARRAY_LEN(kinds) && kinds[hop->kind]);
	if (hop->gateway_family)
		inet_ntop(hop->gateway_family, hop->gateway.byte, via, sizeof(via));
	ck_assert_ptr_nonnull(if_indextoname((unsigned int)hop->index, dev));
	snprintf(ret, 256, "%s via %s dev %s", kinds[hop->kind], via, dev);
}

static const char *const destinations[] = {
	"1.2.3.4",	  "10.2.3.4",	 "10.1.1.1",	  "10.1.2.3",	  "10.1.3.3",
	"10.9.1.1",	  "10.8.1.1",	 "10.7.1.1",	  "10.6.1.1",	  "172.16.1.4",
	"172.16.1.77",	  "172.16.2.77", "172.16.3.4",	  "172.16.3.255", "127.0.0.1",
	"127.9.9.9",	  "192.168.1.1", "192.168.77.78", "10.255.255.255",
	"2001:db8::1",	  "2001:db8:1::1", "2001:db8:1:2::3", "2001:db8:9::1", "2001:db9::1",
	"fd00:1::4",	  "fd00:2::77",	 "::1",		  "2002::1",	  "2002::2:3",
	"fd00:3::4",
};

static union net_addr addr_of(const char *text, uint8_t *family) {
	union net_addr addr;

	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	ck_assert(net_parse(*family, text, &addr));
	return addr;
}

START_TEST(test_kernel) {
	struct fib *f;
	uint64_t asked;

	network();
	f = fib_of_kernel();
	for (size_t i = 0; i < ARRAY_LEN(destinations); i++) {
		char right[256], ours[256];
		uint8_t family;
		union net_addr dst = addr_of(destinations[i], &family);
		struct fib_hop hop = fib_lookup(f, family, &dst, NULL, 0);

		ip_says(destinations[i], right);
		we_say(&hop, ours);
		ck_assert_msg(strcmp(ours, right) == 0, "%s: '%s' is not '%s'", destinations[i], ours,
			      right);
	}
	/* Only the routes of several ways had to be asked for, each destination once. */
	asked = fib_asked(f);
	ck_assert_uint_eq(asked, 4);
	for (size_t i = 0; i < ARRAY_LEN(destinations); i++) {
		uint8_t family;
		union net_addr dst = addr_of(destinations[i], &family);

		fib_lookup(f, family, &dst, NULL, 0);
	}
	ck_assert_uint_eq(fib_asked(f), asked);
	fib_free(f);
}
END_TEST

static const struct {
	const char *client, *server;
	const char *to_client, *to_server; /* words for `ip route get` */
	bool local[2];
} sessions[] = {
	{ "1.2.3.4", "10.1.1.1", "1.2.3.4 from 10.1.1.1 iif port3", "10.1.1.1 from 1.2.3.4 iif port1", { 0, 0 } },
	{ "10.2.0.1", "1.2.3.4", "10.2.0.1 from 1.2.3.4 iif port1", "1.2.3.4 from 10.2.0.1 iif port2", { 0, 0 } },
	{ "172.16.2.9", "172.16.3.9", "172.16.2.9 from 172.16.3.9 iif port3",
	  "172.16.3.9 from 172.16.2.9 iif port2", { 0, 0 } },
	{ "172.16.2.9", "172.16.1.4", "172.16.2.9 from 172.16.1.4", "172.16.1.4 from 172.16.2.9 iif port2", { 0, 1 } },
	{ "172.16.1.4", "1.2.3.4", "172.16.1.4 from 1.2.3.4 iif port1", "1.2.3.4 from 172.16.1.4", { 1, 0 } },
	{ "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.1", { 1, 1 } },
	{ "10.1.1.1", "192.168.5.6", "10.1.1.1 from 192.168.5.6 iif port1", "192.168.5.6 from 10.1.1.1 iif port3",
	  { 0, 0 } },
	{ "10.1.1.1", "192.168.5.7", "10.1.1.1 from 192.168.5.7 iif port1", "192.168.5.7 from 10.1.1.1 iif port3",
	  { 0, 0 } },
	{ "10.1.1.1", "192.168.5.8", "10.1.1.1 from 192.168.5.8 iif port1", "192.168.5.8 from 10.1.1.1 iif port3",
	  { 0, 0 } },
	{ "2001:db8::5", "2001:db9::5", "2001:db8::5 from 2001:db9::5 iif port1",
	  "2001:db9::5 from 2001:db8::5 iif port2", { 0, 0 } },
	{ "fd00:2::9", "fd00:1::4", "fd00:2::9 from fd00:1::4", "fd00:1::4 from fd00:2::9 iif port2", { 0, 1 } },
	/* Nobody could have sent it. */
	{ "10.8.0.1", "1.2.3.4", "10.8.0.1", "1.2.3.4", { 0, 0 } },
};

static void check_sessions(struct fib *f) {
	for (size_t i = 0; i < ARRAY_LEN(sessions); i++) {
		char right[256], ours[256];
		uint8_t family;
		union net_addr client = addr_of(sessions[i].client, &family);
		union net_addr server = addr_of(sessions[i].server, &family);
		struct fib_path path;

		fib_path(f, family, &client, &server, &path);
		ip_says(sessions[i].to_client, right);
		we_say(&path.to[0], ours);
		ck_assert_msg(strcmp(ours, right) == 0, "%zu: to the client '%s' is not '%s'", i, ours,
			      right);
		ip_says(sessions[i].to_server, right);
		we_say(&path.to[1], ours);
		ck_assert_msg(strcmp(ours, right) == 0, "%zu: to the server '%s' is not '%s'", i, ours,
			      right);
		ck_assert_int_eq(path.local[0], sessions[i].local[0]);
		ck_assert_int_eq(path.local[1], sessions[i].local[1]);
	}
}

START_TEST(test_paths) {
	struct fib *f;

	network();
	f = fib_of_kernel();
	check_sessions(f);
	fib_free(f);
}
END_TEST

/* Every answer from the kernel: with rules that look at more than the destination. */
START_TEST(test_rules_asked) {
	struct fib *f;
	uint64_t asked;

	network();
	run("ip rule add from 10.2.0.0/16 table 77 priority 100 && "
	    "ip route add default via 172.16.3.77 table 77 && "
	    "ip rule add iif port2 to 172.16.3.0/24 table 78 priority 101 && "
	    "ip route add 172.16.3.0/24 via 172.16.1.88 table 78 && "
	    "ip -6 rule add from 2001:db8::/32 table 79 priority 100 && "
	    "ip -6 route add default via fd00:3::77 table 79");
	f = fib_of_kernel();
	check_sessions(f);
	asked = fib_asked(f);
	ck_assert_uint_gt(asked, 0);
	check_sessions(f);
	ck_assert_uint_eq(fib_asked(f), asked);
	fib_free(f);
}
END_TEST

static struct fib_hop to(struct fib *f, const char *text) {
	uint8_t family;
	union net_addr addr = addr_of(text, &family);

	return fib_lookup(f, family, &addr, NULL, 0);
}

/* Rules for marked packets leave the copy good; tables in another order are followed. */
START_TEST(test_rules_copied) {
	struct fib *f;
	struct fib_hop hop;
	char right[256], ours[256];

	network();
	run("ip rule add fwmark 5 table 77 priority 100 && ip route add default via 172.16.3.77 table 77 && "
	    "ip rule add table 78 priority 200 && ip route add 10.2.0.0/16 via 172.16.3.78 table 78 && "
	    "ip route add throw 10.1.0.0/16 table 78");
	f = fib_of_kernel();
	hop = to(f, "10.2.3.4");
	ip_says("10.2.3.4", right);
	we_say(&hop, ours);
	ck_assert_str_eq(ours, "unicast via 172.16.3.78 dev port3");
	ck_assert_str_eq(ours, right);
	hop = to(f, "10.1.1.1");
	ip_says("10.1.1.1", right);
	we_say(&hop, ours);
	ck_assert_str_eq(ours, right);
	ck_assert_int_eq(to(f, "1.2.3.4").index, 11);
	ck_assert_uint_eq(fib_asked(f), 0);
	fib_free(f);
}
END_TEST

/* The links' indexes are those of the kernel, the unit's own side is the loopback link. */
START_TEST(test_indexes) {
	struct fib *f;

	network();
	f = fib_of_kernel();
	ck_assert_int_eq(to(f, "1.2.3.4").index, 11);
	ck_assert_int_eq(to(f, "10.2.3.4").index, 12);
	ck_assert_int_eq(to(f, "172.16.1.4").index, FIB_LOOPBACK);
	ck_assert_int_eq(to(f, "172.16.1.4").kind, FIB_LOCAL);
	ck_assert_int_eq(to(f, "10.8.0.1").index, 0);
	ck_assert_int_eq(to(f, "10.8.0.1").kind, FIB_REJECT);
	fib_free(f);
}
END_TEST

/* Routes whose link goes away are not used: the next one is. */
START_TEST(test_dead) {
	struct fib *f;

	network();
	run("ip link set port1 down");
	f = fib_of_kernel();
	ck_assert_int_eq(to(f, "1.2.3.4").index, 0);
	/* Of two ways one is left. */
	ck_assert_int_eq(to(f, "192.168.1.1").index, 12);
	ck_assert_uint_eq(fib_asked(f), 0);
	fib_free(f);
}
END_TEST

/*
 * While routes come and go all the time, what is read is whole: the routes that stay lead where
 * they should, from the copy or from the kernel.
 */
START_TEST(test_changing) {
	FILE *changes;
	pid_t pid;

	network();
	fflush(NULL);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		changes = popen("exec ip -force -batch - 2>/dev/null", "w");
		for (;;)
			for (int add = 1; add >= 0; add--)
				for (int i = 0; i < 200; i++)
					fprintf(changes, "route %s 10.77.%d.0/24 via 172.16.3.9\n",
						add ? "add" : "del", i);
	}
	/* Until a route has come or gone 40 times between two readings. */
	for (int changes_seen = 0, last = 0; changes_seen < 40;) {
		struct fib *f = fib_of_kernel();
		int now = to(f, "10.77.100.1").index;

		changes_seen += now != last;
		last = now;
		ck_assert(now == 12 || now == 13);
		ck_assert_int_eq(to(f, "1.2.3.4").index, 11);
		ck_assert_int_eq(to(f, "10.2.3.4").index, 12);
		ck_assert_int_eq(to(f, "10.1.1.1").index, 13);
		ck_assert_int_eq(to(f, "2001:db8:1::1").index, 13);
		fib_free(f);
	}
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}
END_TEST

/* What each change makes of the way to an address; the first of them is none. */
static const struct {
	const char *command, *address;
	int index;
} changes[] = {
	{ "true", "10.1.2.3", 11 },
	{ "ip route change 10.1.2.0/24 dev port3", "10.1.2.3", 13 },
	{ "ip -6 route add 2001:db8:1:3::/64 via fd00:1::1", "2001:db8:1:3::1", 11 },
	{ "ip rule add to 10.2.3.4 table 77 priority 100 && ip route add default via 172.16.3.77 table 77",
	  "10.2.3.4", 13 },
	{ "ip rule delete priority 100", "10.2.3.4", 12 },
	{ "ip -6 rule add to 2001:db8::7 table 79 priority 100 && ip -6 route add default via fd00:3::77 table 79",
	  "2001:db8::7", 13 },
	{ "ip address add 10.2.3.4/32 dev port3", "10.2.3.4", FIB_LOOPBACK },
	{ "ip link set port2 down", "10.2.9.9", 11 },
};

/* A shared copy is read when someone asks, and again only after a change. */
START_TEST(test_open) {
	struct err err = { 0 };
	struct fib *f;
	uint64_t reads;

	network();
	f = fib_open(&err);
	ck_assert_msg(f, "%s", err.text);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		int before = i ? to(f, changes[i].address).index : 0;

		reads = fib_reads(f);
		run(changes[i].command);
		if (i) /* who has not asked to look sees what was */
			ck_assert_int_eq(to(f, changes[i].address).index, before);
		fib_look(f);
		ck_assert_uint_eq(fib_reads(f), reads);
		ck_assert_msg(to(f, changes[i].address).index == changes[i].index, "%s: %d",
			      changes[i].command, to(f, changes[i].address).index);
		ck_assert_uint_eq(fib_reads(f), reads + 1);
		fib_look(f);
		ck_assert_int_eq(to(f, changes[i].address).index, changes[i].index);
		ck_assert_uint_eq(fib_reads(f), reads + 1);
	}
	fib_free(f);
}
END_TEST

static Suite *fib_suite(void) {
	Suite *s = suite_create("fib");
	TCase *t = fixture_case(s, "fib");

	tcase_add_test(t, test_random);
	tcase_add_test(t, test_default_tables);
	tcase_add_test(t, test_limits);
	tcase_add_test(t, test_kernel);
	tcase_add_test(t, test_paths);
	tcase_add_test(t, test_rules_asked);
	tcase_add_test(t, test_rules_copied);
	tcase_add_test(t, test_indexes);
	tcase_add_test(t, test_dead);
	tcase_add_test(t, test_changing);
	tcase_add_test(t, test_open);
	return s;
}

int main(void) {
	return fixture_run(fib_suite());
}
