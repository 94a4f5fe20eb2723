/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table of words and functions; the rights were checked by gatehoused, which also knows these
 * words. All answers but one are at hand at once and short, so they go out in one piece. Debug
 * output lasts until it is cancelled: its lines are copies of those of the log.
 *
 * Whoever reads metrics gets totals from the start of this daemon, as counters of Prometheus are: a
 * reset only says from where on the other command counts.
 */
#include "sync/cmd_sync.h"

#include <arpa/inet.h>
#include <bsd/stdlib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <syslog.h>
#include <time.h>

#include "backends/cluster_text.h"
#include "cfgdb/base/mem.h"

#define WATCHERS_MAX 16
#define NS_PER_S 1000000000u

struct watcher {
	uint32_t id;
	enum cmd_sync_topic topic;
	int level;                   /* lines up to this priority */
	uint64_t left_out;           /* since the last line that was taken */
	LIST_ENTRY(watcher) next;
};

struct cmd_sync {
	const struct cmd_sync_source *source;
	struct door *door;
	struct cluster cluster;
	struct fgsp_stats before;    /* at the last reset */
	unsigned int n_watchers;
	LIST_HEAD(, watcher) watchers;
};

/* ---- diagnose sys session sync ---- */

static struct cluster_messages messages_of(const struct fgsp_records *r) {
	return (struct cluster_messages){ r->create, r->create_expect, r->update,
					  r->delete, r->delete_expect, r->query };
}

void cmd_sync_status(const struct cluster *c, const struct fgsp_stats *stats, bool json,
		     struct str *out) {
	const struct cluster_counts counts = {
		.started = stats->started,
		.sent = messages_of(&stats->sent),
		.received = messages_of(&stats->received),
		.frames_sent = stats->ses.send,
		.frames_received = stats->ses.recv,
		.alloc_fail = stats->ses.alloc_fail + stats->udp.alloc_fail,
		.recv_err = stats->ses.recv_err + stats->udp.recv_err,
		.sz_err = stats->ses.sz_err + stats->udp.sz_err,
		.datagrams_sent = stats->udp.send,
		.datagrams_received = stats->udp.recv,
		.mtu = stats->mtu,
	};

	if (json)
		cluster_text_sync_json(c, &counts, out);
	else
		cluster_text_sync(c, &counts, out);
}

static void subtract_records(struct fgsp_records *r, const struct fgsp_records *before) {
	r->create -= before->create;
	r->create_expect -= before->create_expect;
	r->update -= before->update;
	r->delete -= before->delete;
	r->delete_expect -= before->delete_expect;
	r->query -= before->query;
}

static void subtract_packets(struct fgsp_packets *p, const struct fgsp_packets *before) {
	p->send -= before->send;
	p->recv -= before->recv;
	p->alloc_fail -= before->alloc_fail;
	p->recv_err -= before->recv_err;
	p->sz_err -= before->sz_err;
}

static int run_status(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_sync *c = arg;
	struct fgsp_stats stats;

	(void)err;
	c->source->stats(c->source->arg, &stats);
	subtract_records(&stats.sent, &c->before.sent);
	subtract_records(&stats.received, &c->before.received);
	subtract_packets(&stats.ses, &c->before.ses);
	subtract_packets(&stats.udp, &c->before.udp);
	cmd_sync_status(&c->cluster, &stats, call->json, out);
	return 0;
}

static int run_reset(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_sync *c = arg;

	(void)call;
	(void)out;
	(void)err;
	c->source->stats(c->source->arg, &c->before);
	return 0;
}

/* ---- diagnose sys ha standalone-peers ---- */

static void put_address(const struct cluster *c, const struct fgsp_peer_info *p, struct str *out) {
	char text[NET_TEXT_MAX] = "";

	if (p->peer < c->n_peers)
		inet_ntop(AF_INET, c->peer[p->peer].ip.byte, text, sizeof(text));
	str_add(out, text);
}

/* Entries with the address of this peer: the numbers of its filters. */
static void put_sync_ids(const struct cluster *c, const struct fgsp_peer_info *p, struct str *out) {
	const char *comma = "";

	for (unsigned int i = 0; p->peer < c->n_peers && i < c->n_peers; i++)
		if (net_equal(&c->peer[i].ip, &c->peer[p->peer].ip)) {
			str_addf(out, "%s%" PRIu32, comma, c->peer[i].sync_id);
			comma = ", ";
		}
}

static void put_time(uint64_t ns, struct str *out) {
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;
	char text[32];

	gmtime_r(&s, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	str_add(out, text);
}

static void put_milliseconds(uint64_t us, struct str *out) {
	str_addf(out, "%" PRIu64 ".%03u ms", us / 1000, (unsigned int)(us % 1000));
}

/* What is not known has no line. */
static void put_peer_text(const struct cluster *c, const struct fgsp_peer_info *p,
			  struct str *out) {
	str_add(out, "peer ");
	put_address(c, p, out);
	str_add(out, " (sync-id ");
	put_sync_ids(c, p, out);
	str_addf(out, "): %s\n", fgsp_peer_state_name(p->state));
	if (*p->why)
		str_addf(out, "\tlast error: %s\n", p->why);
	if (*p->serial)
		str_addf(out, "\tserial: %s, unit id %u\n", p->serial, p->unit_id);
	str_addf(out, "\tlink: %s, changes %" PRIu64 ", disconnections %" PRIu64 "\n", p->link,
		 p->link_changes, p->disconnects);
	str_add(out, "\trtt: ");
	put_milliseconds(p->rtt_us, out);
	str_addf(out, "\n\tepoch: %" PRIu32 "\n\tlag: %" PRIu64 " records, ", p->epoch,
		 p->lag_records);
	put_milliseconds(p->lag_us, out);
	str_addf(out, "\n\tlost: %" PRIu64 "\n\trepaired: %" PRIu64 "\n\tlast resync: ", p->lost,
		 p->repaired);
	if (p->resync_ns)
		put_time(p->resync_ns, out);
	else
		str_add(out, "never");
	str_addf(out, "%s%s, %" PRIu64 " in all\n", *p->resync_why ? ", " : "", p->resync_why,
		 p->resyncs);
	str_addf(out, "\tsessions: %" PRIu64 " of ours there, %" PRIu64 " of its here\n", p->told,
		 p->copies);
}

/* Bytes that are no ASCII are left out: nothing here has any. */
static void put_json_string(const char *text, struct str *out) {
	str_add_char(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			str_add_char(out, '\\');
		if (*text >= ' ' && *text < 0x7f)
			str_add_char(out, *text);
	}
	str_add_char(out, '"');
}

static void put_json_member(const char *name, const char *text, struct str *out) {
	str_addf(out, ",\"%s\":", name);
	put_json_string(text, out);
}

static void put_peer_json(const struct cluster *c, const struct fgsp_peer_info *p,
			  struct str *out) {
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{ "unit_id", p->unit_id },
		{ "rtt_us", p->rtt_us },
		{ "epoch", p->epoch },
		{ "lag_records", p->lag_records },
		{ "lag_us", p->lag_us },
		{ "lost", p->lost },
		{ "repaired", p->repaired },
		{ "link_changes", p->link_changes },
		{ "disconnections", p->disconnects },
		{ "resyncs", p->resyncs },
		{ "sessions_there", p->told },
		{ "sessions_here", p->copies },
	};

	str_add(out, "{\"peerip\":\"");
	put_address(c, p, out);
	str_add(out, "\",\"sync_id\":[");
	put_sync_ids(c, p, out);
	str_add(out, "]");
	put_json_member("state", fgsp_peer_state_name(p->state), out);
	put_json_member("error", p->why, out);
	put_json_member("serial", p->serial, out);
	put_json_member("link", p->link, out);
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		str_addf(out, ",\"%s\":%" PRIu64, numbers[i].name, numbers[i].value);
	str_add(out, ",\"last_resync\":");
	if (p->resync_ns) {
		str_add_char(out, '"');
		put_time(p->resync_ns, out);
		str_add_char(out, '"');
	} else {
		str_add(out, "null");
	}
	put_json_member("last_resync_reason", p->resync_why, out);
	str_add_char(out, '}');
}

void cmd_sync_peer(const struct cluster *c, const struct fgsp_peer_info *p, bool json,
		   struct str *out) {
	if (json)
		put_peer_json(c, p, out);
	else
		put_peer_text(c, p, out);
}

static int run_peers(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_sync *c = arg;
	struct fgsp_peer_info info;
	unsigned int n = 0;

	(void)err;
	for (; c->source->peer(c->source->arg, n, &info); n++) {
		if (call->json)
			str_add(out, n ? ",\n" : "[\n");
		cmd_sync_peer(&c->cluster, &info, call->json, out);
	}
	if (call->json)
		str_add(out, n ? "\n]\n" : "[]\n");
	else if (n == 0)
		str_add(out, "no peers\n");
	return 0;
}

/* ---- execute sync-session ---- */

static int run_resync(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_sync *c = arg;
	struct fgsp_stats stats;

	(void)call;
	(void)out;
	c->source->stats(c->source->arg, &stats);
	if (!stats.started)
		return err_set(err, ERR_NOT_FOUND, "session synchronization has not started: "
						   "there are no peers, or no psksecret");
	c->source->resync(c->source->arg);
	return 0;
}

/* ---- what peers have, for gatehoused's listings ---- */

static int run_acked(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_sync *c = arg;
	struct fgsp_peer_info info;

	(void)call;
	(void)err;
	for (unsigned int i = 0; c->source->peer(c->source->arg, i, &info); i++)
		if (info.acked_ns && info.peer < c->cluster.n_peers)
			str_addf(out, "%" PRIu32 " %" PRIu64 "\n",
				 c->cluster.peer[info.peer].sync_id, info.acked_ns);
	return 0;
}

/* ---- get metrics ---- */

static void put_head(const char *name, const char *type, const char *help, struct str *out) {
	str_addf(out, "# HELP gatehouse_sync_%s %s\n# TYPE gatehouse_sync_%s %s\n", name, help,
		 name, type);
}

static void put_totals(const struct fgsp_stats *s, struct str *out) {
	const struct {
		const char *name, *type, *help;
		uint64_t value;
	} rows[] = {
		{ "started", "gauge", "1 when there are peers and a key.", s->started },
		{ "sessions_own", "gauge", "Sessions of this unit that peers have.", s->own },
		{ "sessions_copies", "gauge", "Sessions of peers that this unit has.", s->copies },
		{ "memory_bytes", "gauge", "Memory held for sessions and queues.", s->memory },
		{ "refused_total", "counter",
		  "Connections to port 708 of strangers, and peers refused at the handshake.",
		  s->refused },
		{ "clashes_total", "counter", "Copies that met another session in their place.",
		  s->clashes },
		{ "no_room_total", "counter",
		  "Copies not made because the table of sessions is nearly full.", s->no_room },
		{ "adopted_total", "counter", "Sessions taken over from peers.", s->adopted },
		{ "yielded_total", "counter", "Sessions left to peers.", s->yielded },
		{ "overruns_total", "counter", "Times that events of the kernel were lost.",
		  s->overruns },
		{ "queue_full_total", "counter", "Records that found a queue full.", s->full },
		{ "write_errors_total", "counter", "Sessions that the kernel did not take.",
		  s->write_errors },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		put_head(rows[i].name, rows[i].type, rows[i].help, out);
		str_addf(out, "gatehouse_sync_%s %" PRIu64 "\n", rows[i].name, rows[i].value);
	}
}

static void put_records(const char *direction, const struct fgsp_records *r, struct str *out) {
	const struct {
		const char *kind;
		uint64_t value;
	} rows[] = {
		{ "create", r->create },
		{ "create_expect", r->create_expect },
		{ "update", r->update },
		{ "delete", r->delete },
		{ "delete_expect", r->delete_expect },
		{ "query", r->query },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		str_addf(out,
			 "gatehouse_sync_records_total{direction=\"%s\",kind=\"%s\"} %" PRIu64
			 "\n",
			 direction, rows[i].kind, rows[i].value);
}

static void put_packets(const char *layer, const struct fgsp_packets *p, struct str *out) {
	const struct {
		const char *what;
		uint64_t value;
	} rows[] = {
		{ "sent", p->send },		 { "received", p->recv },
		{ "not_sent", p->alloc_fail },	 { "not_taken", p->recv_err },
		{ "wrong_size", p->sz_err },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		str_addf(out,
			 "gatehouse_sync_packets_total{layer=\"%s\",what=\"%s\"} %" PRIu64 "\n",
			 layer, rows[i].what, rows[i].value);
}

static uint64_t peer_in_sync(const struct fgsp_peer_info *p) {
	return p->state == FGSP_PEER_IN_SYNC;
}

static uint64_t peer_connected(const struct fgsp_peer_info *p) {
	return p->state == FGSP_PEER_SYNCING || p->state == FGSP_PEER_IN_SYNC;
}

static uint64_t peer_rtt(const struct fgsp_peer_info *p) {
	return p->rtt_us;
}

static uint64_t peer_lag_records(const struct fgsp_peer_info *p) {
	return p->lag_records;
}

static uint64_t peer_lag(const struct fgsp_peer_info *p) {
	return p->lag_us;
}

static uint64_t peer_lost(const struct fgsp_peer_info *p) {
	return p->lost;
}

static uint64_t peer_repaired(const struct fgsp_peer_info *p) {
	return p->repaired;
}

static uint64_t peer_link_changes(const struct fgsp_peer_info *p) {
	return p->link_changes;
}

static uint64_t peer_disconnects(const struct fgsp_peer_info *p) {
	return p->disconnects;
}

static uint64_t peer_resyncs(const struct fgsp_peer_info *p) {
	return p->resyncs;
}

static uint64_t peer_last_resync(const struct fgsp_peer_info *p) {
	return p->resync_ns / NS_PER_S;
}

static const struct {
	const char *name, *type, *help;
	uint64_t (*value)(const struct fgsp_peer_info *p);
} peer_metrics[] = {
	{ "peer_in_sync", "gauge", "1 when the peer has all sessions.", peer_in_sync },
	{ "peer_connected", "gauge", "1 when a link reaches the peer.", peer_connected },
	{ "peer_rtt_microseconds", "gauge", "Round trip to the peer; 0: not known.", peer_rtt },
	{ "peer_lag_records", "gauge", "Records that the peer has not acknowledged.",
	  peer_lag_records },
	{ "peer_lag_microseconds", "gauge", "Age of the oldest of them.", peer_lag },
	{ "peer_lost_total", "counter", "Datagrams of the peer that were missing.", peer_lost },
	{ "peer_repaired_total", "counter", "Datagrams sent to the peer once more.",
	  peer_repaired },
	{ "peer_link_changes_total", "counter", "Changes of the link in use.",
	  peer_link_changes },
	{ "peer_disconnects_total", "counter", "Times that no link reached the peer any more.",
	  peer_disconnects },
	{ "peer_resyncs_total", "counter", "Times that sessions were sent anew.", peer_resyncs },
	{ "peer_last_resync_seconds", "gauge", "Time of the last one since 1970; 0: never.",
	  peer_last_resync },
};

/* Samples of a metric stand together. */
static void put_peer_metrics(const struct cluster *c, const struct cmd_sync_source *source,
			     struct str *out) {
	struct fgsp_peer_info info;

	for (size_t m = 0; m < ARRAY_LEN(peer_metrics); m++) {
		put_head(peer_metrics[m].name, peer_metrics[m].type, peer_metrics[m].help, out);
		for (unsigned int i = 0; source->peer(source->arg, i, &info); i++) {
			str_addf(out, "gatehouse_sync_%s{peer=\"", peer_metrics[m].name);
			put_address(c, &info, out);
			str_addf(out, "\"} %" PRIu64 "\n", peer_metrics[m].value(&info));
		}
	}
}

void cmd_sync_metrics(const struct cluster *c, const struct cmd_sync_source *source,
		      struct str *out) {
	struct fgsp_stats stats;

	source->stats(source->arg, &stats);
	put_totals(&stats, out);
	put_head("records_total", "counter", "Messages about sessions.", out);
	put_records("sent", &stats.sent, out);
	put_records("received", &stats.received, out);
	put_head("packets_total", "counter", "Ethernet frames and UDP datagrams.", out);
	put_packets("2", &stats.ses, out);
	put_packets("3", &stats.udp, out);
	put_peer_metrics(c, source, out);
}

static int run_metrics(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_sync *c = arg;

	(void)call;
	(void)err;
	cmd_sync_metrics(&c->cluster, c->source, out);
	if (c->source->metrics)
		c->source->metrics(c->source->arg, out);
	return 0;
}

/* ---- diagnose debug application sessionsync|hasync LEVEL ---- */

static int run_watch(void *arg, const struct door_call *call, struct str *out, struct err *err) {
	struct cmd_sync *c = arg;
	const char *bad = NULL;
	long long level = strtonum(call->argv[call->argc - 1], -1, INT32_MAX, &bad);
	struct watcher *w;

	(void)out;
	if (bad)
		return err_set(err, ERR_PARSE, "this is no level: %s", call->argv[call->argc - 1]);
	if (c->n_watchers >= WATCHERS_MAX)
		return err_set(err, ERR_MAX_ENTRIES, "%d watch already", WATCHERS_MAX);
	w = xcalloc(1, sizeof(*w));
	w->id = call->id;
	w->topic = strcmp(call->argv[3], "hasync") == 0 ? CMD_SYNC_CONFIG : CMD_SYNC_SESSIONS;
	w->level = level < 0 || level > LOG_DEBUG ? LOG_DEBUG : (int)level;
	LIST_INSERT_HEAD(&c->watchers, w, next);
	c->n_watchers++;
	return 0;
}

static void watcher_free(struct cmd_sync *c, struct watcher *w) {
	LIST_REMOVE(w, next);
	c->n_watchers--;
	free(w);
}

void cmd_sync_log(struct cmd_sync *c, unsigned int topics, int priority, const char *text) {
	struct watcher *w;

	LIST_FOREACH(w, &c->watchers, next) {
		AUTO_STR struct str line = STR_INIT;

		if (priority > w->level || !(topics & w->topic))
			continue;
		if (w->left_out)
			str_addf(&line, "%" PRIu64 " lines were left out\n", w->left_out);
		put_time((uint64_t)time(NULL) * NS_PER_S, &line);
		str_addf(&line, " %s\n", text);
		if (door_reply(c->door, w->id, str_text(&line), line.len))
			w->left_out = 0;
		else
			w->left_out++;
	}
}

/* ---- commands ---- */

static const struct door_command commands[] = {
	{ "diagnose sys session sync", 0, false, run_status },
	{ "diagnose sys session sync reset", 0, false, run_reset },
	{ "diagnose sys ha standalone-peers", 0, false, run_peers },
	{ "execute sync-session", 0, false, run_resync },
	{ "diagnose debug application sessionsync", 1, true, run_watch },
	{ "diagnose debug application hasync", 1, true, run_watch },
	{ "get metrics", 0, false, run_metrics },
	{ "acked", 0, false, run_acked },
};

void cmd_sync_call(struct cmd_sync *c, const struct door_call *call) {
	if (!door_answer(c->door, commands, ARRAY_LEN(commands), c, call))
		door_end(c->door, call->id, ERR_PARSE,
			 "gatehouse-syncd has no such command");
}

void cmd_sync_cancel(struct cmd_sync *c, uint32_t id) {
	struct watcher *w = LIST_FIRST(&c->watchers);

	while (w && w->id != id)
		w = LIST_NEXT(w, next);
	if (w)
		watcher_free(c, w);
}

void cmd_sync_lost(struct cmd_sync *c) {
	while (!LIST_EMPTY(&c->watchers))
		watcher_free(c, LIST_FIRST(&c->watchers));
}

void cmd_sync_cluster(struct cmd_sync *c, const struct cluster *cluster) {
	c->cluster = cluster ? *cluster : (struct cluster){ .n_peers = 0 };
	explicit_bzero(c->cluster.key, sizeof(c->cluster.key));
}

struct cmd_sync *cmd_sync_new(const struct cmd_sync_source *source, struct door *door) {
	struct cmd_sync *c = xcalloc(1, sizeof(*c));

	c->source = source;
	c->door = door;
	LIST_INIT(&c->watchers);
	return c;
}

struct cmd_sync *cmd_sync_free(struct cmd_sync *c) {
	if (!c)
		return NULL;
	cmd_sync_lost(c);
	free(c);
	return NULL;
}
