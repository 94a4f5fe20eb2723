/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sessions of a network namespace as the library shows them, for tests that compare them with
 * what other programs say: sessions list|row|json|stat|clear 4|6 [CRITERION VALUE... [, ...]]
 *
 * Policy 2 logs everything and has security profiles, as in the golden configuration.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backends/session_filter.h"
#include "backends/session_stat.h"
#include "backends/session_text.h"
#include "cfgdb/base/mem.h"

static struct session_context ctx;
static struct session_filter filter;
static const char *form;
static struct session_stat stat;
static struct ct_netlink *netlink;

static void fail(const struct err *err) {
	fprintf(stderr, "sessions: %s\n", err->text);
	exit(1);
}

static bool policy(void *arg, uint32_t id, struct session_policy *ret) {
	(void)arg;
	*ret = (struct session_policy){ .log = id == 2, .utm = id == 2 };
	return id == 2 || id == 3;
}

static void show(struct session *s) {
	char text[SESSION_TEXT_MAX];
	struct fmt f = fmt_begin(text, sizeof(text));

	if (strcmp(form, "list") == 0)
		session_text_list(s, &f);
	else if (strcmp(form, "row") == 0)
		session_text_row(s, &f);
	else
		session_text_json(s, &f);
	if (strcmp(form, "json") == 0)
		fmt_char(&f, '\n');
	fwrite(text, 1, (size_t)(f.at - text), stdout);
}

static void take(void *arg, const struct ct *ct) {
	struct err err = { 0 };
	struct session s;

	(void)arg;
	session_init(&s, &ctx, ct);
	if (!session_filter_match(&filter, &s))
		return;
	session_tally_add(&stat.tally, &s);
	if (strcmp(form, "clear") == 0) {
		int rc = ct_delete(netlink, ct, &err);

		if (rc && rc != ERR_NOT_FOUND)
			fail(&err);
	} else if (strcmp(form, "stat") != 0) {
		show(&s);
	}
}

/* Changes of the filter are separated by a comma. */
static void read_filter(int argc, char **argv) {
	struct err err = { 0 };
	int first = 0;

	for (int i = 0; i <= argc; i++) {
		if (i < argc && strcmp(argv[i], ",") != 0)
			continue;
		if (i > first &&
		    session_filter_change(&filter, (size_t)(i - first), argv + first, &err) != 0)
			fail(&err);
		first = i + 1;
	}
}

static void list(void) {
	struct ct_kernel_filter kernel;
	enum ct_dump_state state = CT_DUMP_MORE;
	struct err err = { 0 };
	struct ct_dump *d;

	session_filter_kernel(&filter, &kernel);
	d = ct_dump_open(&kernel, &err);
	while (d && state == CT_DUMP_MORE) {
		struct pollfd p = { .fd = ct_dump_fd(d), .events = POLLIN };

		if (poll(&p, 1, 10000) == 1)
			state = ct_dump_next(d, take, NULL, &err);
	}
	if (state != CT_DUMP_END)
		fail(&err);
	ct_dump_close(d);
}

static void finish(void) {
	AUTO_STR struct str out = STR_INIT;
	char text[64];
	struct fmt f = fmt_begin(text, sizeof(text));

	if (strcmp(form, "stat") == 0) {
		session_stat_print(&stat, false, &out);
		fputs(str_text(&out), stdout);
	} else if (strcmp(form, "list") == 0) {
		session_text_total(filter.family, stat.tally.total, &f);
		fwrite(text, 1, (size_t)(f.at - text), stdout);
	}
}

int main(int argc, char **argv) {
	struct err err = { 0 };
	struct links links;
	struct rtnl *rtnl;
	struct timespec t;

	if (argc < 3)
		return 2;
	form = argv[1];
	session_filter_init(&filter, strcmp(argv[2], "6") == 0 ? AF_INET6 : AF_INET);
	read_filter(argc - 3, argv + 3);
	clock_gettime(CLOCK_REALTIME, &t);
	ctx.now_ns = (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
	ctx.policy = policy;
	ctx.fib = fib_read(&err);
	rtnl = rtnl_open(&err);
	netlink = ct_open(&err);
	if (!ctx.fib || !rtnl || !netlink || links_read(rtnl, &links) != 0)
		fail(&err);
	ctx.links = &links;
	list();
	finish();
	links_done(&links);
	rtnl_close(rtnl);
	ct_close(netlink);
	fib_free(ctx.fib);
	return 0;
}
