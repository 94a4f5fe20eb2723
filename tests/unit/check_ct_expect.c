/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sessions that the kernel expects, hundreds of both families in a network namespace of their own,
 * against what conntrack(8) lists.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/ct.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "tests/lib/fixture.h"

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

/* The output of a command; the caller frees. */
static char *output(const char *command) {
	FILE *f = popen(command, "r");
	struct str out = STR_INIT;
	char line[512];

	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof(line), f))
		str_add(&out, line);
	ck_assert_msg(pclose(f) == 0, "%s", command);
	return str_steal(&out);
}

static void add_addr(struct str *out, const char *name, int family, const union net_addr *addr) {
	char text[INET6_ADDRSTRLEN];

	str_addf(out, " %s=%s", name, inet_ntop(family, addr->byte, text, sizeof(text)));
}

/* As conntrack(8) prints it, without the time in front. */
static void add_expect(void *arg, const struct ct_expect *e) {
	struct str *out = arg;

	str_addf(out, " proto=%u", e->proto);
	add_addr(out, "src", e->family, &e->tuple.src);
	add_addr(out, "dst", e->family, &e->tuple.dst);
	str_addf(out, " sport=%u dport=%u", e->tuple.sport, e->tuple.dport);
	add_addr(out, "mask-src", e->family, &e->mask.src);
	add_addr(out, "mask-dst", e->family, &e->mask.dst);
	str_addf(out, " sport=%u dport=%u", e->mask.sport, e->mask.dport);
	add_addr(out, "master-src", e->family, &e->master.src);
	add_addr(out, "master-dst", e->family, &e->master.dst);
	str_addf(out, " sport=%u dport=%u class=%u\n", e->master.sport, e->master.dport, e->class);
}

/* Returns in how many bites they came. */
static unsigned int list_expects(struct str *out) {
	struct err err = { 0 };
	struct ct_dump *d = ct_dump_open_expect(&err);
	enum ct_dump_state state = CT_DUMP_MORE;
	unsigned int bites = 0;

	ck_assert_msg(d, "%s", err.text);
	for (; state == CT_DUMP_MORE; bites++) {
		struct pollfd p = { .fd = ct_dump_fd(d), .events = POLLIN };

		ck_assert_msg(poll(&p, 1, 10000) == 1, "a listing is always readable up to its end");
		state = ct_dump_next_expect(d, add_expect, out, &err);
	}
	ck_assert_msg(state == CT_DUMP_END, "%s", err.text);
	ct_dump_close(d);
	return bites;
}

/* Datagrams that let others be expected, from addresses of their own. */
static void announce(uint32_t n) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(53),
				    .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(sendto(fd, "x", 1, 0, (void *)&six, sizeof(six)), 1);
	close(fd);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (uint32_t i = 0; i < n; i++) {
		struct sockaddr_in from = { .sin_family = AF_INET };

		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 256 + i);
		ck_assert_int_eq(bind(fd, (void *)&from, sizeof(from)), 0);
		ck_assert_int_eq(sendto(fd, "x", 1, 0, (void *)&to, sizeof(to)), 1);
		close(fd);
	}
}

START_TEST(test_expects) {
	AUTO_STR struct str ours = STR_INIT;
	AUTO_FREE char *theirs = NULL;
	char *rest;
	uint32_t n = 0, lines = 0;

	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("ip link set lo up");
	ck_assert_uint_eq(list_expects(&ours), 1);
	ck_assert_uint_eq(ours.len, 0);
	run("nft -f - <<'END'\n"
	    "table inet t {\n"
	    " ct expectation e { protocol tcp; dport 4000; timeout 1h; size 9; l3proto ip; }\n"
	    " ct expectation e6 { protocol tcp; dport 4006; timeout 1h; size 9; l3proto ip6; }\n"
	    " chain o { type filter hook output priority 0;\n"
	    "  meta nfproto ipv4 udp dport 53 ct expectation set \"e\";\n"
	    "  meta nfproto ipv6 udp dport 53 ct expectation set \"e6\"; }\n"
	    "}\nEND");
	announce(300);
	ck_assert_uint_gt(list_expects(&ours), 2);
	theirs = output("{ conntrack -L expect -f ipv4; conntrack -L expect -f ipv6; } 2>/dev/null");
	rest = theirs;
	for (char *line; (line = strsep(&rest, "\n")) && *line; n++) {
		AUTO_FREE char *want = xasprintf("%s\n", strchr(line, ' '));

		ck_assert_msg(strstr(str_text(&ours), want), "%s is missing", want);
	}
	for (size_t i = 0; i < ours.len; i++)
		lines += ours.data[i] == '\n';
	ck_assert_uint_eq(n, 301);
	ck_assert_uint_eq(lines, n);
}
END_TEST

static Suite *ct_suite(void) {
	Suite *s = suite_create("expected sessions in the kernel");
	TCase *t = fixture_case(s, "expected sessions");

	tcase_add_test(t, test_expects);
	return s;
}

int main(void) {
	return fixture_run(ct_suite());
}
