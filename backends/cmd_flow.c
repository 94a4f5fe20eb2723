/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A trace lasts up to the number of packets that was asked for, or until it is left; debug.c says
 * when it begins. What was said before is kept for the connection.
 *
 * While it lasts, a clock ticks. At each tick a bounded number of events is taken and a bounded
 * number of packets told, whatever comes in: more than that is lost in the kernel, and said to be.
 */
#include "backends/cmd_flow.h"

#include <bsd/stdlib.h>
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "backends/debug.h"
#include "backends/flow_session.h"
#include "backends/flow_trace.h"
#include "backends/route.h"
#include "cfgdb/base/mem.h"

#define TICK_MS 50
#define TICKS_PER_SECOND (1000 / TICK_MS)
#define EVENTS_PER_TICK 1000   /* a packet has ten to thirty */
#define PACKETS_PER_TICK 64    /* FLOW_RATE is less */
#define COUNT_MAX 1000000

/* What a connection has said so far. */
struct wish {
	uint64_t count;            /* 0: until it is left */
	struct flow_filter filter;
	struct flow_show show;
};

static struct wish *wish_of(const struct command_call *call) {
	static const struct memory_kind kind = { .size = sizeof(struct wish) };

	return command_memory(call, &kind);
}

/* A trace that lasts. */
struct tracing {
	struct debug *debug;
	struct flow_trace *trace;
	struct flow *flow;
	struct flow_world world;
	struct rtnl *rtnl;
	struct ct_netlink *ct;
	int clock;
	unsigned int ticks;
	uint64_t left_out;         /* told so far */
	bool lost;                 /* events, in this second */
	/* For the model of the policies, which is made when it is first needed. */
	const struct nft *nft;
	const struct model *model;
	struct policies *policies;
	uint64_t revision;
	time_t since;
};

/* ---- what is asked on the way ---- */

static void world_link(void *arg, int index, char name[16]) {
	char text[IF_NAMESIZE];

	(void)arg;
	if (!if_indextoname((unsigned int)index, text))
		snprintf(text, sizeof(text), "%d", index);
	memcpy(name, text, sizeof(text));
}

static bool forwards(int in) {
	char name[16], setting[2] = "";
	AUTO_FREE char *path = NULL;
	FILE *f;

	world_link(NULL, in, name);
	path = xasprintf("/proc/sys/net/ipv4/conf/%s/forwarding", name);
	f = fopen(path, "re");
	if (f && !fgets(setting, sizeof(setting), f))
		setting[0] = '\0';
	if (f)
		fclose(f);
	return setting[0] != '0';
}

/*
 * What the kernel has against a packet of a link: in its error, releases differ. The destination
 * has a route when the unit itself could send there; only then is the source looked at.
 */
static enum flow_refusal refusal_of(const struct tracing *t, const struct flow_header *h, int in,
				    int error) {
	struct route_way way;

	if (error == ENETUNREACH || route_way(t->rtnl, 0, h->dst, 0, &way) != 0)
		return FLOW_NO_ROUTE;
	if (!way.local && !forwards(in))
		return FLOW_NO_FORWARDING;
	if (error == EXDEV || route_way(t->rtnl, 0, h->src, 0, &way) != 0 || way.index != in)
		return FLOW_NO_WAY_BACK;
	return FLOW_REFUSED;
}

static void world_way(void *arg, const struct flow_header *h, int in, struct flow_way *ret) {
	const struct tracing *t = arg;
	struct route_way way = { .index = 0 };
	int error = route_way(t->rtnl, h->src, h->dst, in, &way);

	*ret = (struct flow_way){ .refusal = error ? refusal_of(t, h, in, error) : FLOW_WAY,
				  .local = way.local, .out = way.index, .gateway = way.gateway };
}

static bool world_session(void *arg, const struct flow_packet *p, struct flow_session *ret) {
	const struct tracing *t = arg;

	return flow_session_find(t->ct, p, ret);
}

/* After a commit the objects are others: what was made of the old ones is only good to be freed. */
static bool policies_are_old(const struct tracing *t, time_t now) {
	return t->revision != nft_revision(t->nft) || now < t->since ||
	       now >= t->policies->next_change;
}

static const struct policies *world_policies(void *arg, const struct model **model) {
	struct tracing *t = arg;
	time_t now = time(NULL);

	if (t->policies && policies_are_old(t, now))
		t->policies = policies_free(t->policies);
	if (!t->policies) {
		t->policies = policies_new(t->model, now);
		t->revision = nft_revision(t->nft);
		t->since = now;
	}
	*model = t->model;
	return t->policies;
}

/* ---- the stream ---- */

static void tell_left_out(struct tracing *t, struct str *out) {
	uint64_t n = flow_trace_left_out(t->trace);

	if (n > t->left_out)
		str_addf(out, "%" PRIu64 " packets were left out: more than %d a second\n",
			 n - t->left_out, FLOW_RATE);
	t->left_out = n;
	if (t->lost)
		str_add(out, "some of what happened was lost: there was too much to hear\n");
	t->lost = false;
}

static void take_event(void *arg, const struct flow_event *event) {
	flow_take(arg, event);
}

static enum stream_state tracing_next(void *ctx, struct str *out, struct err *err) {
	struct tracing *t = ctx;
	uint64_t ticks;
	bool lost = false, all;

	(void)err;
	if (read(t->clock, &ticks, sizeof(ticks)) < 0)
		return STREAM_WAIT;
	all = flow_trace_read(t->trace, EVENTS_PER_TICK, take_event, t->flow, &lost);
	if (lost)
		flow_lost(t->flow);
	t->lost |= lost;
	if (all)
		flow_tick(t->flow);
	if (flow_print(t->flow, PACKETS_PER_TICK, out)) {
		tell_left_out(t, out);
		return STREAM_END;
	}
	if (++t->ticks % TICKS_PER_SECOND == 0)
		tell_left_out(t, out);
	return STREAM_WAIT;
}

static void tracing_last(void *ctx, struct str *out) {
	tell_left_out(ctx, out);
}

static int tracing_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err);

static void tracing_close(void *ctx) {
	struct tracing *t = ctx;

	debug_drop(t->debug, tracing_open);
	flow_trace_close(t->trace);
	flow_free(t->flow);
	rtnl_close(t->rtnl);
	ct_close(t->ct);
	policies_free(t->policies);
	if (t->clock >= 0)
		close(t->clock);
	free(t);
}

static int start_clock(struct tracing *t, struct err *err) {
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };
	const struct itimerspec steady = { tick, tick };

	t->clock = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (t->clock < 0 || timerfd_settime(t->clock, 0, &steady, NULL) != 0)
		return err_set(err, ERR_KERNEL, "there is no clock: %s", strerror(errno));
	return 0;
}

static int tracing_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	const struct wish *wish = wish_of(call);
	struct tracing *t = xcalloc(1, sizeof(*t));

	t->debug = debug_of(call);
	t->nft = ctx;
	t->model = call->model;
	t->world = (struct flow_world){ world_link, world_way, world_session, world_policies, t };
	t->clock = -1;
	t->rtnl = rtnl_open(err);
	t->ct = t->rtnl ? ct_open(err) : NULL;
	t->trace = t->ct ? flow_trace_open(&wish->filter, err) : NULL;
	if (!t->trace || start_clock(t, err) != 0) {
		tracing_close(t);
		return err->code;
	}
	t->flow = flow_new(flow_trace_table(t->trace), wish->count, &wish->show, &t->world);
	*ret = (struct stream){ .next = tracing_next, .close = tracing_close, .fd = t->clock,
				.ctx = t, .last = tracing_last };
	return 0;
}

/* ---- commands ---- */

static int enable_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	struct debug *debug = debug_of(call);
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc)
		return rc;
	debug->enabled = true;
	return debug->open ? debug->open(debug->ctx, call, ret, err) : 0;
}

static int disable_run(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	(void)ctx;
	(void)out;
	debug_of(call)->enabled = false;
	return command_no_words(call, err);
}

static int reset_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	(void)ctx;
	(void)out;
	*debug_of(call) = (struct debug){ 0 };
	*wish_of(call) = (struct wish){ 0 };
	return command_no_words(call, err);
}

static int start_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	const char *bad = NULL;
	uint64_t count = 0;

	if (call->argc > 1)
		return command_bad_word(call->argv[1], err);
	if (call->argc == 1)
		count = (uint64_t)strtonum(call->argv[0], 1, COUNT_MAX, &bad);
	if (bad)
		return command_bad_word(call->argv[0], err);
	wish_of(call)->count = count;
	return debug_ask(call, tracing_open, ctx, ret, err);
}

static int stop_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	(void)ctx;
	(void)out;
	debug_drop(debug_of(call), tracing_open);
	return command_no_words(call, err);
}

static int filter_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct flow_filter *filter = &wish_of(call)->filter;

	(void)ctx;
	if (call->argc > 0)
		return flow_filter_set(filter, call->argc, call->argv, err);
	flow_filter_print(filter, out);
	return 0;
}

/* `enable` or `disable`. */
static int parse_switch(const struct command_call *call, bool *ret, struct err *err) {
	if (call->argc == 0)
		return command_word_missing(err);
	*ret = strcmp(call->argv[0], "enable") == 0;
	if (!*ret && strcmp(call->argv[0], "disable") != 0)
		return command_bad_word(call->argv[0], err);
	return call->argc > 1 ? command_bad_word(call->argv[1], err) : 0;
}

static int functions_run(void *ctx, const struct command_call *call, struct str *out,
			 struct err *err) {
	bool on;
	int rc = parse_switch(call, &on, err);

	(void)ctx;
	if (rc)
		return rc;
	wish_of(call)->show.no_functions = !on;
	str_addf(out, "%sshow function name\n", on ? "" : "do not ");
	return 0;
}

static int iprope_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	bool on;
	int rc = parse_switch(call, &on, err);

	(void)ctx;
	if (rc)
		return rc;
	wish_of(call)->show.iprope = on;
	str_addf(out, "%sshow trace messages about iprope\n", on ? "" : "do not ");
	return 0;
}

const struct command *commands_flow(size_t *n) {
	static const struct command table[] = {
		{ .words = "diagnose debug enable", .reads = "any", .open = enable_open },
		{ .words = "diagnose debug disable", .reads = "any", .run = disable_run },
		{ .words = "diagnose debug reset", .reads = "any", .run = reset_run },
		{ .words = "diagnose debug flow filter", .writes = "netgrp.packet-capture",
		  .run = filter_run },
		{ .words = "diagnose debug flow show function-name",
		  .writes = "netgrp.packet-capture", .run = functions_run },
		{ .words = "diagnose debug flow show iprope", .writes = "netgrp.packet-capture",
		  .run = iprope_run },
		{ .words = "diagnose debug flow trace start", .writes = "netgrp.packet-capture",
		  .open = start_open },
		{ .words = "diagnose debug flow trace stop", .writes = "netgrp.packet-capture",
		  .run = stop_run },
	};

	*n = ARRAY_LEN(table);
	return table;
}
