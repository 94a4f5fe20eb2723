/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All that looks at many sessions is one walk with another function for each of them: print it,
 * count it, delete it. The output is a stream: a bite of the kernel's table is one piece of it, so
 * memory stays flat and everyone else is answered in between.
 *
 * The filter belongs to the connection of the administrator who set it; IPv4 and IPv6 have one
 * each.
 */
#include "backends/cmd_session.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "backends/session_stat.h"
#include "backends/session_text.h"
#include "backends/session_walk.h"
#include "cfgdb/base/mem.h"

#define NS_PER_S 1000000000u

/* ---- filters ---- */

static void init_filter4(void *memory) {
	session_filter_init(memory, AF_INET);
}

static void init_filter6(void *memory) {
	session_filter_init(memory, AF_INET6);
}

static struct session_filter *filter_of(const struct command_call *call, uint8_t family) {
	static const struct memory_kind filter4 = { sizeof(struct session_filter), init_filter4,
						    NULL };
	static const struct memory_kind filter6 = { sizeof(struct session_filter), init_filter6,
						    NULL };

	return command_memory(call, family == AF_INET ? &filter4 : &filter6);
}

static int show_filter(const struct session_filter *f, const struct command_call *call,
		       struct str *out) {
	if (call->json)
		session_filter_json(f, out);
	else
		session_filter_print(f, out);
	return 0;
}

static int run_filter(struct session_filter *f, const struct command_call *call, struct str *out,
		      struct err *err) {
	if (call->argc > 0)
		return session_filter_change(f, call->argc, call->argv, err);
	return show_filter(f, call, out);
}

static int filter4_run(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	(void)ctx;
	return run_filter(filter_of(call, AF_INET), call, out, err);
}

static int filter6_run(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	(void)ctx;
	return run_filter(filter_of(call, AF_INET6), call, out, err);
}

/* `execute set system session filter`: the older spelling, in which `list` prints it. */
static int old_filter_run(void *ctx, const struct command_call *call, struct str *out,
			  struct err *err) {
	struct session_filter *f = filter_of(call, AF_INET);

	(void)ctx;
	if (call->argc == 0)
		return command_word_missing(err);
	if (call->argc == 1 && strcmp(call->argv[0], "list") == 0)
		return show_filter(f, call, out);
	return session_filter_change(f, call->argc, call->argv, err);
}

/* ---- walks ---- */

struct walk;

/* What a command does with the sessions of a walk. */
struct walk_kind {
	uint8_t family;
	bool all;            /* the filter does not count, nor who has copies */
	void (*begin)(struct walk *w);
	void (*each)(void *arg, struct session *s); /* arg is the struct walk */
	void (*end)(struct walk *w, struct str *out);
};

struct walk {
	const struct walk_kind *kind;
	struct session_walk *sessions;
	struct str *out;     /* of the piece under way */
	bool json, begun;
	bool has_view;       /* the answer is in, or will not come */
	struct relay_call *ask;
	struct str answer;
	struct replication_view view;
	uint64_t n;
	struct session_counts *counts;
	struct session_stat stat;
	struct ct_netlink *ct;
	struct ct wanted;    /* by `exact` */
	struct err err;      /* the first failure in each() */
};

/* What peers have is asked before; who does not say it in time has nothing. */
static bool walk_has_view(struct walk *w) {
	struct err silence = { 0 };
	enum stream_state state;

	if (w->has_view || !w->ask)
		return true;
	state = relay_call_next(w->ask, &w->answer, &silence);
	w->has_view = state != STREAM_WAIT;
	if (state == STREAM_END)
		replication_view_take(&w->view, str_text(&w->answer));
	return w->has_view;
}

static enum stream_state walk_next(void *ctx, struct str *out, struct err *err) {
	struct walk *w = ctx;

	if (!walk_has_view(w))
		return STREAM_WAIT;
	w->out = out;
	if (!w->begun && w->kind->begin)
		w->kind->begin(w);
	w->begun = true;
	switch (session_walk_next(w->sessions, w->kind->each, w, err)) {
	case CT_DUMP_MORE:
		break;
	case CT_DUMP_END:
		w->kind->end(w, out);
		return STREAM_END;
	case CT_DUMP_ERROR:
		return STREAM_FAILED;
	}
	if (w->err.code == 0)
		return STREAM_MORE;
	*err = w->err;
	return STREAM_FAILED;
}

static void walk_close(void *ctx) {
	struct walk *w = ctx;

	session_walk_close(w->sessions);
	ct_close(w->ct);
	relay_call_close(w->ask);
	str_done(&w->answer);
	free(w);
}

/*
 * The whole of a walk but its kind; NULL and *err when the kernel cannot be asked. `ask`: what
 * peers have matters.
 */
static struct walk *walk_new(struct session_sources *sources, const struct command_call *call,
			     const struct session_filter *filter, bool ask, struct err *err) {
	struct walk *w = xcalloc(1, sizeof(*w));

	w->json = call->json;
	w->counts = &sources->counts;
	replication_view_begin(sources->replication, &w->view);
	if (ask)
		w->ask = replication_view_ask(sources->replication, &w->view);
	w->sessions = session_walk_open(call->model, filter, sources->ways, &w->view, err);
	w->ct = w->sessions ? ct_open(err) : NULL;
	if (w->ct)
		return w;
	walk_close(w);
	return NULL;
}

static void walk_stream(struct walk *w,
			enum stream_state (*next)(void *ctx, struct str *out, struct err *err),
			struct stream *ret) {
	*ret = (struct stream){ .next = next, .close = walk_close,
				.fd = w->ask ? relay_call_fd(w->ask) : -1, .ctx = w };
}

static int walk_open(const struct walk_kind *kind, struct session_sources *sources,
		     const struct command_call *call, struct stream *ret, struct err *err) {
	struct session_filter all;
	struct walk *w;

	session_filter_init(&all, kind->family);
	w = walk_new(sources, call, kind->all ? &all : filter_of(call, kind->family), !kind->all,
		     err);
	if (!w)
		return ERR_KERNEL;
	w->kind = kind;
	walk_stream(w, walk_next, ret);
	return 0;
}

static int walk_command(const struct walk_kind *kind, void *ctx, const struct command_call *call,
			struct stream *ret, struct err *err) {
	int rc = command_no_words(call, err);

	return rc ? rc : walk_open(kind, ctx, call, ret, err);
}

/* ---- lists ---- */

static void print(struct walk *w, struct session *s, void (*form)(struct session *, struct fmt *)) {
	char text[SESSION_TEXT_MAX];
	struct fmt f = fmt_begin(text, sizeof(text));

	form(s, &f);
	str_add_bytes(w->out, text, (size_t)(f.at - text));
}

static void print_json(struct walk *w, struct session *s) {
	str_add(w->out, w->n ? ",\n" : "[\n");
	print(w, s, session_text_json);
}

static void list_each(void *arg, struct session *s) {
	struct walk *w = arg;

	if (w->json)
		print_json(w, s);
	else
		print(w, s, session_text_list);
	w->n++;
}

static void list_end(struct walk *w, struct str *out) {
	char text[SESSION_TEXT_MAX];
	struct fmt f = fmt_begin(text, sizeof(text));

	if (w->json) {
		str_add(out, w->n ? "\n]\n" : "[]\n");
		return;
	}
	session_text_total(w->kind->family, w->n, &f);
	str_add_bytes(out, text, (size_t)(f.at - text));
}

static void print_row(struct session *s, struct fmt *f) {
	session_text_row(s, f);
}

static void rows_begin(struct walk *w) {
	char text[SESSION_TEXT_MAX];
	struct fmt f = fmt_begin(text, sizeof(text));

	if (w->json)
		return;
	session_text_header(&f);
	str_add_bytes(w->out, text, (size_t)(f.at - text));
}

static void rows_each(void *arg, struct session *s) {
	struct walk *w = arg;

	if (w->json)
		print_json(w, s);
	else
		print(w, s, print_row);
	w->n++;
}

static void rows_end(struct walk *w, struct str *out) {
	if (w->json)
		str_add(out, w->n ? "\n]\n" : "[]\n");
}

static const struct walk_kind list4 = { .family = AF_INET, .each = list_each, .end = list_end };
static const struct walk_kind list6 = { .family = AF_INET6, .each = list_each, .end = list_end };
static const struct walk_kind rows4 = {
	.family = AF_INET, .begin = rows_begin, .each = rows_each, .end = rows_end
};

static int list4_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	return walk_command(&list4, ctx, call, ret, err);
}

static int list6_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	return walk_command(&list6, ctx, call, ret, err);
}

static int rows4_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	return walk_command(&rows4, ctx, call, ret, err);
}

/* ---- clear ---- */

static void clear_each(void *arg, struct session *s) {
	struct walk *w = arg;
	struct err err = { 0 };
	int rc = ct_delete(w->ct, s->ct, &err);

	if (rc == 0)
		w->counts->deleted++;
	else if (rc != ERR_NOT_FOUND && w->err.code == 0) /* it may have ended by itself */
		w->err = err;
}

static void clear_end(struct walk *w, struct str *out) {
	(void)out;
	w->counts->flushed++;
}

static void count_each(void *arg, struct session *s) {
	struct walk *w = arg;

	(void)s;
	w->n++;
}

static void count_end(struct walk *w, struct str *out) {
	str_addf(out, "%llu\n", (unsigned long long)w->n);
}

static const struct walk_kind clear4 = { .family = AF_INET, .each = clear_each, .end = clear_end };
static const struct walk_kind clear6 = { .family = AF_INET6, .each = clear_each, .end = clear_end };
static const struct walk_kind count4 = { .family = AF_INET, .each = count_each, .end = count_end };
static const struct walk_kind count6 = { .family = AF_INET6, .each = count_each, .end = count_end };

/*
 * `clear unfiltered-count` clears nothing: it prints how many sessions `clear` would take when no
 * filter spares any, so that whoever types it can be asked first.
 */
static int clear_open(const struct walk_kind *clear, const struct walk_kind *count, void *ctx,
		      const struct command_call *call, struct stream *ret, struct err *err) {
	if (call->argc != 1 || strcmp(call->argv[0], "unfiltered-count") != 0)
		return walk_command(clear, ctx, call, ret, err);
	if (!session_filter_fits_all(filter_of(call, clear->family)))
		return err_set(err, ERR_NOT_FOUND, "a filter is set");
	return walk_open(count, ctx, call, ret, err);
}

static int clear4_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	return clear_open(&clear4, &count4, ctx, call, ret, err);
}

static int clear6_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	return clear_open(&clear6, &count6, ctx, call, ret, err);
}

/* ---- numbers ---- */

static uint64_t read_setting(const char *name) {
	AUTO_FREE char *path = xasprintf("/proc/sys/net/netfilter/%s", name);
	FILE *f = fopen(path, "re");
	unsigned long long v = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%llu", &v) != 1)
		v = 0;
	fclose(f);
	return v;
}

/* The rate is that of the last second, as far as its sessions are still there. */
static void stat_each(void *arg, struct session *s) {
	struct walk *w = arg;
	uint64_t now = session_walk_context(w->sessions)->now_ns, start = s->ct->start_ns;

	session_tally_add(&w->stat.tally, s);
	w->stat.setup_rate += start && now >= start && now - start < NS_PER_S;
}

static void stat_fill(struct walk *w) {
	uint32_t expected = 0;

	w->stat.family = w->kind->family;
	if (ct_expect_count(w->ct, &expected, NULL) == 0)
		w->stat.expected = expected;
	if (ct_stats(w->ct, &w->stat.kernel, NULL) != 0)
		w->stat.kernel = (struct ct_stats){ 0 };
	w->stat.expect_max = read_setting("nf_conntrack_expect_max");
	w->stat.table_size = read_setting("nf_conntrack_buckets");
	w->stat.deleted = w->counts->deleted;
	w->stat.flushed = w->counts->flushed;
}

static void stat_print(struct walk *w, bool full, struct str *out) {
	stat_fill(w);
	if (w->json)
		session_stat_json(&w->stat, out);
	else
		session_stat_print(&w->stat, full, out);
	w->counts->flushed = 0; /* each view begins anew */
}

static void stat_end(struct walk *w, struct str *out) {
	stat_print(w, false, out);
}

static void full_stat_end(struct walk *w, struct str *out) {
	stat_print(w, true, out);
}

static void status_end(struct walk *w, struct str *out) {
	if (w->json)
		str_addf(out, "{\n\"sessions\":%" PRIu64 "\n}\n", w->n);
	else
		session_stat_status(w->kind->family, w->n, out);
}

static const struct walk_kind stat4 = {
	.family = AF_INET, .all = true, .each = stat_each, .end = stat_end
};
static const struct walk_kind stat6 = {
	.family = AF_INET6, .all = true, .each = stat_each, .end = stat_end
};
static const struct walk_kind full_stat4 = {
	.family = AF_INET, .all = true, .each = stat_each, .end = full_stat_end
};
static const struct walk_kind status4 = {
	.family = AF_INET, .all = true, .each = count_each, .end = status_end
};

static int stat4_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	return walk_command(&stat4, ctx, call, ret, err);
}

static int stat6_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	return walk_command(&stat6, ctx, call, ret, err);
}

static int full_stat4_open(void *ctx, const struct command_call *call, struct stream *ret,
			   struct err *err) {
	return walk_command(&full_stat4, ctx, call, ret, err);
}

static int status4_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	return walk_command(&status4, ctx, call, ret, err);
}

/* The timeouts that sessions get. */
static int ttl_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc == 0 && call->json)
		session_stat_ttl_json(call->model, out);
	else if (rc == 0)
		session_stat_ttl(call->model, out);
	return rc;
}

/* ---- expected sessions ---- */

struct expect_list {
	struct ct_dump *dump;
	struct str *out;     /* of the piece under way */
	bool json;
	uint64_t n;
};

static void expect_each(void *arg, const struct ct_expect *e) {
	struct expect_list *list = arg;
	char text[SESSION_TEXT_MAX];
	struct fmt f = fmt_begin(text, sizeof(text));

	if (list->json) {
		str_add(list->out, list->n ? ",\n" : "[\n");
		session_text_expect_json(e, 0, &f);
	} else {
		session_text_expect(e, 0, &f);
	}
	str_add_bytes(list->out, text, (size_t)(f.at - text));
	list->n++;
}

static enum stream_state expect_next(void *ctx, struct str *out, struct err *err) {
	struct expect_list *list = ctx;

	list->out = out;
	switch (ct_dump_next_expect(list->dump, expect_each, list, err)) {
	case CT_DUMP_MORE:
		return STREAM_MORE;
	case CT_DUMP_END:
		if (list->json)
			str_add(out, list->n ? "\n]\n" : "[]\n");
		else
			str_addf(out, "exp_count=%llu\n", (unsigned long long)list->n);
		return STREAM_END;
	case CT_DUMP_ERROR:
		break;
	}
	return STREAM_FAILED;
}

static void expect_close(void *ctx) {
	struct expect_list *list = ctx;

	ct_dump_close(list->dump);
	free(list);
}

/* The filter is about sessions; these are none yet. */
static int expect_open(void *ctx, const struct command_call *call, struct stream *ret,
		       struct err *err) {
	struct expect_list *list;
	struct ct_dump *dump;
	int rc = command_no_words(call, err);

	(void)ctx;
	dump = rc ? NULL : ct_dump_open_expect(err);
	if (!dump)
		return rc ? rc : ERR_KERNEL;
	list = xcalloc(1, sizeof(*list));
	list->dump = dump;
	list->json = call->json;
	*ret = (struct stream){ expect_next, expect_close, ct_dump_fd(dump), list, NULL };
	return 0;
}

/* ---- one session ---- */

static int parse_end(uint8_t family, char *const argv[], union net_addr *addr, uint16_t *port,
		     struct err *err) {
	const char *bad = NULL;

	if (!net_parse(family, argv[0], addr))
		return command_bad_word(argv[0], err);
	*port = (uint16_t)strtonum(argv[1], 0, UINT16_MAX, &bad);
	return bad ? command_bad_word(argv[1], err) : 0;
}

static int parse_tuple(const struct command_call *call, struct ct *ct, struct err *err) {
	const char *bad = NULL;
	int rc;

	if (call->argc != 5)
		return call->argc < 5 ? command_word_missing(err)
				      : command_bad_word(call->argv[5], err);
	ct->family = strchr(call->argv[1], ':') ? AF_INET6 : AF_INET;
	ct->proto = (uint8_t)strtonum(call->argv[0], 1, UINT8_MAX, &bad);
	if (bad)
		return command_bad_word(call->argv[0], err);
	rc = parse_end(ct->family, call->argv + 1, &ct->tuple[CT_ORIG].src,
		       &ct->tuple[CT_ORIG].sport, err);
	if (rc == 0)
		rc = parse_end(ct->family, call->argv + 3, &ct->tuple[CT_ORIG].dst,
			       &ct->tuple[CT_ORIG].dport, err);
	return rc;
}

/* One look into the kernel's table: a walk that takes no step. */
static enum stream_state exact_next(void *ctx, struct str *out, struct err *err) {
	struct walk *w = ctx;
	struct session s;

	if (!walk_has_view(w))
		return STREAM_WAIT;
	if (ct_get(w->ct, &w->wanted, err) != 0)
		return STREAM_FAILED;
	w->out = out;
	session_init(&s, session_walk_context(w->sessions), &w->wanted);
	print(w, &s, w->json ? session_text_json : session_text_list);
	if (w->json)
		str_add_char(out, '\n');
	return STREAM_END;
}

static int exact_open(void *ctx, const struct command_call *call, struct stream *ret,
		      struct err *err) {
	struct ct wanted = { .family = 0 };
	struct session_filter all;
	struct walk *w;
	int rc = parse_tuple(call, &wanted, err);

	if (rc)
		return rc;
	session_filter_init(&all, wanted.family);
	w = walk_new(ctx, call, &all, true, err);
	if (!w)
		return ERR_KERNEL;
	w->wanted = wanted;
	walk_stream(w, exact_next, ret);
	return 0;
}

/* ---- the table ---- */

static const struct command commands[] = {
	{ .words = "diagnose sys session list", .reads = "ftviewgrp",
	  .open = list4_open, .has_json = true },
	{ .words = "diagnose sys session6 list", .reads = "ftviewgrp",
	  .open = list6_open, .has_json = true },
	{ .words = "diagnose sys session filter", .reads = "ftviewgrp",
	  .run = filter4_run, .has_json = true },
	{ .words = "diagnose sys session6 filter", .reads = "ftviewgrp",
	  .run = filter6_run, .has_json = true },
	{ .words = "diagnose sys session clear", .writes = "ftviewgrp",
	  .open = clear4_open, .has_json = true },
	{ .words = "diagnose sys session6 clear", .writes = "ftviewgrp",
	  .open = clear6_open, .has_json = true },
	{ .words = "diagnose sys session stat", .reads = "ftviewgrp",
	  .open = stat4_open, .has_json = true },
	{ .words = "diagnose sys session6 stat", .reads = "ftviewgrp",
	  .open = stat6_open, .has_json = true },
	{ .words = "diagnose sys session full-stat", .reads = "ftviewgrp",
	  .open = full_stat4_open, .has_json = true },
	{ .words = "diagnose sys session ttl", .reads = "ftviewgrp",
	  .run = ttl_run, .has_json = true },
	{ .words = "diagnose sys session exact", .reads = "ftviewgrp",
	  .open = exact_open, .has_json = true },
	{ .words = "get system session list", .reads = "ftviewgrp",
	  .open = rows4_open, .has_json = true },
	{ .words = "get system session status", .reads = "ftviewgrp",
	  .open = status4_open, .has_json = true },
	{ .words = "get system session-info list", .reads = "ftviewgrp",
	  .open = rows4_open, .has_json = true },
	{ .words = "get system session-info full-stat", .reads = "ftviewgrp",
	  .open = full_stat4_open, .has_json = true },
	{ .words = "get system session-info statistics", .reads = "ftviewgrp",
	  .open = stat4_open, .has_json = true },
	{ .words = "get system session-info ttl", .reads = "ftviewgrp",
	  .run = ttl_run, .has_json = true },
	{ .words = "get system session-info expectation", .reads = "ftviewgrp", .open = expect_open,
	  .has_json = true },
	{ .words = "execute set system session filter", .reads = "ftviewgrp",
	  .run = old_filter_run, .has_json = true },
};

const struct command *commands_session(size_t *n) {
	*n = ARRAY_LEN(commands);
	return commands;
}
