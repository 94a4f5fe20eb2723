/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a list of sessions costs: tests/bench/sessions [N], as root. In a network namespace of its
 * own it makes N sessions through a virtual IP and reads them all, in each form and with filters,
 * beside what conntrack(8) needs for the same. Then the parts on their own, without the kernel.
 *
 * N is what net.netfilter.nf_conntrack_max of the machine leaves room for, unless it is given.
 * Nothing here passes or fails by the clock.
 */
#include <arpa/inet.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

#include "backends/session_filter.h"
#include "backends/session_text.h"
#include "cfgdb/base/mem.h"
#include "tests/lib/ct_make.h"

#define ROUTES 100
#define ADDRESSES 1000000u
#define BUFFER (64u << 10)
#define POLICIES 16                /* marks of the sessions */

enum form { NOTHING, LIST, ROW, JSON };

/* One way to list. */
struct listing {
	const char *name;
	enum form form;
	const char *filter[4];     /* words of a filter, NULL: everything */
	const char *rival;         /* conntrack(8) for the same */
};

static struct session_context ctx;
static struct session_filter filter;
static enum form form;
static char buffer[BUFFER];
static struct fmt out;
static uint64_t n_entries, n_shown, n_bytes;

static double now_s(void) {
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void fail(const char *text) {
	fprintf(stderr, "sessions: %s\n", text);
	exit(1);
}

static void show(struct session *s) {
	if (sizeof(buffer) - (size_t)(out.at - buffer) < SESSION_TEXT_MAX) {
		n_bytes += (uint64_t)(out.at - buffer);
		out = fmt_begin(buffer, sizeof(buffer));
	}
	if (form == LIST)
		session_text_list(s, &out);
	else if (form == ROW)
		session_text_row(s, &out);
	else if (form == JSON)
		session_text_json(s, &out);
}

static void take(void *arg, const struct ct *ct) {
	struct session s;

	(void)arg;
	n_entries++;
	if (form == NOTHING)
		return;
	session_init(&s, &ctx, ct);
	if (!session_filter_match(&filter, &s))
		return;
	n_shown++;
	show(&s);
}

static void set_filter(const struct listing *l) {
	struct err err = { 0 };
	size_t n = 0;

	session_filter_init(&filter, AF_INET);
	while (n < 4 && l->filter[n])
		n++;
	if (n && session_filter_change(&filter, n, (char *const *)l->filter, &err) != 0)
		fail(err.text);
}

static double list_once(const struct listing *l) {
	struct ct_kernel_filter kernel;
	enum ct_dump_state state = CT_DUMP_MORE;
	struct err err = { 0 };
	double begin = now_s();
	struct ct_dump *d;

	set_filter(l);
	form = l->form;
	n_entries = n_shown = n_bytes = 0;
	out = fmt_begin(buffer, sizeof(buffer));
	session_filter_kernel(&filter, &kernel);
	d = ct_dump_open(&kernel, &err);
	while (d && state == CT_DUMP_MORE)
		state = ct_dump_next(d, take, NULL, &err);
	if (state != CT_DUMP_END)
		fail(err.text);
	ct_dump_close(d);
	return now_s() - begin;
}

static double run_once(const char *command) {
	double begin = now_s();

	if (system(command) != 0)
		fail(command);
	return now_s() - begin;
}

static void compare(const struct listing *l, uint32_t n) {
	double ours = list_once(l), theirs = 0, t;

	t = list_once(l);
	ours = t < ours ? t : ours;
	if (l->rival) {
		theirs = run_once(l->rival);
		t = run_once(l->rival);
		theirs = t < theirs ? t : theirs;
	}
	printf("%-26s %8.3f s  %6.2f us per session of the table  %8llu shown  %5.1f MB", l->name, ours,
	       ours * 1e6 / n, (unsigned long long)n_shown, (double)n_bytes / 1e6);
	if (l->rival)
		printf("  conntrack %8.3f s, %.1f times", theirs, theirs / ours);
	printf("\n");
}

static void kernel_figures(uint32_t n) {
	static const struct listing listings[] = {
		{ "read only", NOTHING, { NULL }, NULL },
		{ "list", LIST, { NULL }, "conntrack -L >/dev/null 2>&1" },
		{ "row", ROW, { NULL }, NULL },
		{ "json", JSON, { NULL }, NULL },
		{ "list policy 5", LIST, { "policy", "5" }, "conntrack -L -m 5 >/dev/null 2>&1" },
		{ "list src 10.0.0.9", LIST, { "src", "10.0.0.9" },
		  "conntrack -L -s 10.0.0.9 >/dev/null 2>&1" },
		{ "list policy 99", LIST, { "policy", "99" }, "conntrack -L -m 99 >/dev/null 2>&1" },
	};
	struct ct_maker *m = ct_make_open();

	ct_make_create(m, 0, n, POLICIES);
	if (ct_make_refused(m))
		fail("the kernel refused sessions: fewer, please");
	for (size_t i = 0; i < ARRAY_LEN(listings); i++)
		compare(&listings[i], n);
	ct_make_close(m);
}

/* ---- parts ---- */

static void add_routes(struct fib *f) {
	for (uint32_t i = 0; i < ROUTES; i++) {
		struct fib_route r = { .family = AF_INET, .table = RT_TABLE_MAIN };

		r.prefix = (uint8_t)(i ? 8 + i % 17 : 0);
		r.dst = net_ipv4(i * 0x02030507);
		r.hop = (struct fib_hop){ .kind = FIB_UNICAST, .index = (int)i + 1 };
		fib_add(f, &r);
	}
	fib_seal(f);
}

static void fib_figures(void) {
	double begin = now_s();
	uint64_t sum = 0;

	for (uint32_t i = 0; i < ADDRESSES; i++) {
		union net_addr addr = net_ipv4(i * 2654435761u);

		sum += (uint64_t)fib_lookup(ctx.fib, AF_INET, &addr, NULL, 0).index;
	}
	printf("%u look-ups among %d routes: %.3f s (sum %llu)\n", ADDRESSES, ROUTES, now_s() - begin,
	       (unsigned long long)sum);
}

/* The same session over and over, in memory that is warm: a lower bound. */
static void form_figures(void) {
	static const char *const names[] = { "nothing", "list", "row", "json" };
	const union net_addr client = net_ipv4(0xcf668a13), vip = net_ipv4(0x1496fc5b);
	const union net_addr server = net_ipv4(0xac10890f);
	struct ct ct = { .family = AF_INET,
			 .proto = IPPROTO_TCP,
			 .state = TCP_CONNTRACK_ESTABLISHED,
			 .tuple = { { .src = client, .dst = vip, .sport = 57402, .dport = 65022 },
				    { .src = server, .dst = client, .sport = 22, .dport = 57402 } },
			 .mark = 2,
			 .timeout = 3595 };

	ct.count[0] = ct.count[1] = (struct ct_counter){ 22, 4305 };
	ct.start_ns = ctx.now_ns - 9860000000;
	session_filter_init(&filter, AF_INET);
	for (form = LIST; form <= JSON; form++) {
		double begin = now_s();

		out = fmt_begin(buffer, sizeof(buffer));
		for (uint32_t i = 0; i < ADDRESSES; i++)
			take(NULL, &ct);
		printf("%-5s without the kernel: %.3f us per session\n", names[form],
		       (now_s() - begin) * 1e6 / ADDRESSES);
	}
}

static uint32_t room(void) {
	FILE *f = fopen("/proc/sys/net/netfilter/nf_conntrack_max", "r");
	unsigned int max = 0;

	if (!f || fscanf(f, "%u", &max) != 1)
		max = 0;
	if (f)
		fclose(f);
	return max - max / 10;
}

int main(int argc, char **argv) {
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : room();
	struct rusage usage;
	struct timespec t;

	if (unshare(CLONE_NEWNET) != 0)
		fail("this needs root");
	clock_gettime(CLOCK_REALTIME, &t);
	ctx.now_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	ctx.fib = fib_new();
	add_routes(ctx.fib);
	printf("%u sessions\n", n);
	kernel_figures(n);
	form_figures();
	fib_figures();
	getrusage(RUSAGE_SELF, &usage);
	printf("peak memory %ld MB\n", usage.ru_maxrss >> 10);
	fib_free(ctx.fib);
	return 0;
}
