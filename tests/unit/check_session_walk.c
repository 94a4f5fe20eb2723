/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Walks over the sessions of a network namespace: what is seen, and that routes are read when a way
 * is asked for, once for all, and not before.
 */
#include "backends/session_walk.h"

#include <netinet/in.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/conf.h"
#include "tests/lib/fixture.h"

#define SESSIONS 20

static void run(const char *command) {
	ck_assert_msg(system(command) == 0, "%s", command);
}

static void network(void) {
	ck_assert_msg(unshare(CLONE_NEWNET) == 0, "these tests need root");
	run("ip link set lo up && ip link add port1 type veth peer name peer1 && ip link set port1 up && "
	    "ip link set peer1 up && ip address add 172.16.1.4/24 dev port1");
	for (int i = 0; i < SESSIONS; i++) {
		AUTO_FREE char *command = xasprintf(
			"conntrack -I -p udp -s 10.0.0.1 -d 172.16.1.%d --sport 9 --dport 9 -t 600 2>/dev/null",
			10 + i);

		run(command);
	}
}

struct seen {
	unsigned int n;
	bool ways;       /* are asked for */
	int index;       /* of the last way */
};

static void see(void *arg, struct session *s) {
	struct seen *seen = arg;

	seen->n++;
	ck_assert_uint_ne(s->ctx->now_ns, 0);
	if (!seen->ways)
		return;
	session_way(s);
	seen->index = session_link(s, 1);
}

static struct seen walk(struct fib *ways, const char *const words[2], bool want_ways) {
	struct model *m = conf_model("");
	struct session_filter filter;
	struct session_walk *w;
	struct seen seen = { .ways = want_ways };
	struct replication_view alone = { .unit = 0 };
	enum ct_dump_state state = CT_DUMP_MORE;
	struct err err = { 0 };

	session_filter_init(&filter, AF_INET);
	if (words)
		ck_assert_int_eq(session_filter_change(&filter, 2, (char *const *)words, &err), 0);
	w = session_walk_open(m, &filter, ways, &alone, &err);
	ck_assert_msg(w, "%s", err.text);
	ck_assert_uint_ne(session_walk_context(w)->now_ns, 0);
	while (state == CT_DUMP_MORE)
		state = session_walk_next(w, see, &seen, &err);
	ck_assert_msg(state == CT_DUMP_END, "%s", err.text);
	session_walk_close(w);
	model_free(m);
	return seen;
}

START_TEST(test_routes_are_read_when_needed) {
	static const char *const port[] = { "dport", "9" }, *const link[] = { "dintf", "port1" };
	struct err err = { 0 };
	struct fib *ways;

	network();
	ways = fib_open(&err);
	ck_assert_msg(ways, "%s", err.text);
	ck_assert_uint_eq(walk(ways, NULL, false).n, SESSIONS);
	ck_assert_uint_eq(walk(ways, port, false).n, SESSIONS);
	ck_assert_uint_eq(fib_reads(ways), 0);
	ck_assert_uint_eq(walk(ways, link, false).n, SESSIONS);
	ck_assert_uint_eq(fib_reads(ways), 1);
	ck_assert_int_gt(walk(ways, NULL, true).index, 0);
	ck_assert_uint_eq(fib_reads(ways), 1);
	run("ip address flush dev port1");
	ck_assert_uint_eq(walk(ways, link, false).n, 0);
	ck_assert_int_eq(walk(ways, NULL, true).index, 0);
	ck_assert_uint_eq(fib_reads(ways), 2);
	fib_free(ways);
}
END_TEST

static Suite *walk_suite(void) {
	Suite *s = suite_create("session walk");
	TCase *t = fixture_case(s, "session walk");

	tcase_add_test(t, test_routes_are_read_when_needed);
	return s;
}

int main(void) {
	return fixture_run(walk_suite());
}
