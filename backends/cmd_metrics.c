/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Numbers for a collector, in the exposition format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/): for each metric its help, its
 * type and its samples. Totals count up from the first load of the rules, as the kernel keeps them;
 * rates are the collector's to work out. A policy is told by its number: names are for people.
 *
 * Gatehouse-syncd has metrics of its own. They follow whole, or, where it is not there, not at all.
 */
#include "backends/cmd_metrics.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "backends/ct.h"
#include "cfgdb/base/mem.h"

static void head(struct str *out, const char *name, const char *type, const char *help) {
	str_addf(out, "# HELP gatehouse_%s %s\n# TYPE gatehouse_%s %s\n", name, help, name, type);
}

static void single(struct str *out, const char *name, const char *type, const char *help,
		   uint64_t value) {
	head(out, name, type, help);
	str_addf(out, "gatehouse_%s %" PRIu64 "\n", name, value);
}

/* ---- policies ---- */

struct samples {
	struct str hits, packets, bytes;
};

static void take_policy(void *arg, uint32_t policy, const struct nft_counters *c) {
	struct samples *s = arg;
	const struct {
		struct str *out;
		const char *name;
		uint64_t value;
	} samples[] = {
		{ &s->hits, "hits", c->hits },
		{ &s->packets, "packets", c->packets },
		{ &s->bytes, "bytes", c->bytes },
	};

	for (size_t i = 0; i < ARRAY_LEN(samples); i++)
		str_addf(samples[i].out,
			 "gatehouse_policy_%s_total{policy=\"%" PRIu32 "\"} %" PRIu64 "\n",
			 samples[i].name, policy, samples[i].value);
}

static int add_policies(struct nft *nft, struct str *out, struct err *err) {
	struct samples s = { STR_INIT, STR_INIT, STR_INIT };
	uint64_t setups;
	int rc = nft_read_setups(nft, &setups, err);

	if (rc == 0)
		rc = nft_each_counters(nft, take_policy, &s, err);
	if (rc == ERR_NOT_FOUND) /* nothing is managed yet, nothing counted */
		rc = 0;
	single(out, "session_setups_total", "counter", "Sessions that policies accepted.", setups);
	head(out, "policy_hits_total", "counter",
	     "Sessions that a policy judged; policy 0 is the implicit deny.");
	str_add(out, str_text(&s.hits));
	head(out, "policy_packets_total", "counter", "Packets of the sessions of a policy.");
	str_add(out, str_text(&s.packets));
	head(out, "policy_bytes_total", "counter", "Bytes of the sessions of a policy.");
	str_add(out, str_text(&s.bytes));
	str_done(&s.hits);
	str_done(&s.packets);
	str_done(&s.bytes);
	return rc;
}

/* ---- sessions ---- */

static void add_stats(const struct ct_stats *s, struct str *out) {
	const struct {
		const char *name, *help;
		uint64_t value;
	} stats[] = {
		{ "conntrack_invalid_total", "Packets that fit no session.", s->invalid },
		{ "conntrack_insert_failed_total", "Sessions that clashed with another.",
		  s->insert_failed },
		{ "conntrack_drop_total", "Packets dropped because a session could not be made.",
		  s->drop },
		{ "conntrack_early_drop_total", "Sessions ended early because the table was full.",
		  s->early_drop },
	};

	for (size_t i = 0; i < ARRAY_LEN(stats); i++)
		single(out, stats[i].name, "counter", stats[i].help, stats[i].value);
}

static int add_sessions(struct str *out, struct err *err) {
	struct ct_netlink *ct = ct_open(err);
	struct ct_stats stats;
	uint32_t n, max;
	int rc = ct ? ct_count(ct, &n, &max, err) : ERR_KERNEL;

	if (rc == 0)
		rc = ct_stats(ct, &stats, err);
	ct_close(ct);
	if (rc)
		return rc;
	single(out, "sessions", "gauge", "Sessions there are, of either family.", n);
	single(out, "sessions_max", "gauge", "Sessions there may be; 0: not known.", max);
	add_stats(&stats, out);
	return 0;
}

static int add_all(const struct metrics_sources *src, const struct command_call *call,
		   struct str *out, struct err *err) {
	int rc = add_sessions(out, err);

	if (rc == 0)
		rc = add_policies(src->nft, out, err);
	if (rc)
		return rc;
	single(out, "revision", "gauge", "Revision of the active configuration.",
	       src->engine->revision);
	single(out, "commits_total", "counter", "Commits since the daemon started.",
	       src->engine->n_commits);
	single(out, "commit_errors_total", "counter",
	       "Commits that failed and were taken back since the daemon started.",
	       src->engine->n_failed);
	return 0;
}

/* ---- the output ---- */

struct metrics {
	struct str own, other;
	struct relay_call *call;     /* NULL: there are no others */
};

static enum stream_state metrics_next(void *ctx, struct str *out, struct err *err) {
	struct metrics *m = ctx;
	struct err silence = { 0 };
	enum stream_state state = STREAM_FAILED;

	(void)err;
	if (m->call)
		state = relay_call_next(m->call, &m->other, &silence);
	if (state == STREAM_WAIT)
		return STREAM_WAIT;
	str_add(out, str_text(&m->own));
	if (state == STREAM_END)
		str_add(out, str_text(&m->other));
	return STREAM_END;
}

static void metrics_close(void *ctx) {
	struct metrics *m = ctx;

	relay_call_close(m->call);
	str_done(&m->own);
	str_done(&m->other);
	free(m);
}

static int metrics_open(void *ctx, const struct command_call *call, struct stream *ret,
			struct err *err) {
	const struct metrics_sources *src = ctx;
	char words[] = "get", metrics[] = "metrics";
	char *const argv[] = { words, metrics };
	struct metrics *m = xcalloc(1, sizeof(*m));
	int rc = command_no_words(call, err);

	if (rc == 0)
		rc = add_all(src, call, &m->own, err);
	if (rc) {
		metrics_close(m);
		return rc;
	}
	m->call = relay_call_open(replication_relay(src->replication), REPLICATION_WAIT_MS, false,
				  ARRAY_LEN(argv), argv, NULL);
	*ret = (struct stream){ .next = metrics_next, .close = metrics_close,
				.fd = m->call ? relay_call_fd(m->call) : -1, .ctx = m };
	return 0;
}

const struct command *commands_metrics(size_t *n) {
	static const struct command table[] = {
		{ .words = "get metrics", .reads = "sysgrp.cfg", .open = metrics_open },
	};

	*n = ARRAY_LEN(table);
	return table;
}
