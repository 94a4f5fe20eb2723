/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands about replication from where gatehoused passes them on, over the door, to their texts;
 * and debug output, line by line, to those who watch.
 */
#include "sync/cmd_sync.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/control/server.h"
#include "tests/lib/fixture.h"

static struct event_base *base;
static struct engine *engine;
static struct relay *relay;
static struct server *server;
static struct door *door;
static struct cmd_sync *commands;

/* ---- the facts ---- */

static struct fgsp_stats stats;
static struct fgsp_peer_info peers[2];
static unsigned int n_peers, n_resyncs;

static void get_stats(void *arg, struct fgsp_stats *ret) {
	(void)arg;
	*ret = stats;
}

static bool get_peer(void *arg, unsigned int i, struct fgsp_peer_info *ret) {
	(void)arg;
	if (i < n_peers)
		*ret = peers[i];
	return i < n_peers;
}

static void resync(void *arg) {
	(void)arg;
	n_resyncs++;
}

static const struct cmd_sync_source source = { NULL, get_stats, get_peer, resync, NULL };

static struct cluster group(void) {
	struct cluster c;

	memset(&c, 0, sizeof(c));
	strcpy(c.serial, "GHVM0123456789AB");
	c.n_peers = 3;
	for (unsigned int i = 0; i < 3; i++) {
		c.peer[i].sync_id = i + 5;
		c.peer[i].ip = net_ipv4(0x0a000002 + i % 2);
		c.peer[i].all_vdoms = true;
	}
	return c;
}

/* ---- both ends ---- */

static unsigned int n_words;

static void on_call(void *arg, const struct door_call *call) {
	(void)arg;
	n_words = (unsigned int)call->argc;
	cmd_sync_call(commands, call);
}

static void on_cluster(void *arg, const struct cluster *c) {
	(void)arg;
	cmd_sync_cluster(commands, c);
}

static void on_cancel(void *arg, uint32_t id) {
	(void)arg;
	cmd_sync_cancel(commands, id);
}

static void on_lost(void *arg) {
	(void)arg;
	cmd_sync_lost(commands);
}

static void on_log(void *arg, int priority, const char *text) {
	(void)arg;
	(void)priority;
	(void)text;
}

static void on_autoscale(void *arg, const struct autoscale *a) {
	(void)arg;
	(void)a;
}

static void setup(void) {
	const struct door_calls calls = { NULL,	     on_cluster, on_autoscale, on_call,
					  on_cancel, on_lost,	 on_log };
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/ctl", dir);
	struct server_config config = { .path = path, .group = "none", .version = "1" };
	struct cluster c = group();
	struct err err = { 0 };

	engine = fixture_engine(dir);
	base = event_base_new();
	config.relay = relay = relay_new();
	server = server_new(base, engine, &config, &err);
	ck_assert_msg(server != NULL, "%s", err.text);
	door = door_new(base, path, &calls, &err);
	ck_assert_msg(door != NULL, "%s", err.text);
	commands = cmd_sync_new(&source, door);
	cmd_sync_cluster(commands, &c);
	while (!relay_is_attached(relay))
		event_base_loop(base, EVLOOP_ONCE);
}

static void teardown(void) {
	cmd_sync_free(commands);
	door_free(door);
	server_free(server);
	relay_free(relay);
	event_base_free(base);
	engine_close(engine);
}

static struct relay_call *ask(const char *words, bool json) {
	struct stream ignored;
	struct command_call none = { .json = json };
	struct err err = { 0 };

	ck_assert_msg(relay_open(relay, 60000, words, &none, &ignored, &err) == 0, "%s", err.text);
	return ignored.ctx;
}

/* Up to the next piece of output, or the end. */
static enum stream_state listen_to(struct relay_call *call, struct str *out, struct err *err) {
	struct pollfd ready = { .fd = relay_call_fd(call), .events = POLLIN };

	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
	} while (poll(&ready, 1, 1) == 0);
	return relay_call_next(call, out, err);
}

static int run(const char *words, bool json, struct str *out, struct err *err) {
	struct relay_call *call = ask(words, json);
	enum stream_state state;

	do {
		state = listen_to(call, out, err);
	} while (state == STREAM_WAIT);
	relay_call_close(call);
	return state == STREAM_END ? 0 : err->code;
}

static void assert_said(const char *words, bool json, const char *right) {
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(run(words, json, &out, &err) == 0, "%s", err.text);
	ck_assert_str_eq(str_text(&out), right);
}

/* ---- commands ---- */

START_TEST(status)
{
	stats = (struct fgsp_stats){
		.started = true,
		.mtu = 9000,
		.sent = { 1, 2, 3, 4, 5, 6 },
		.received = { 7, 8, 9, 10, 11, 12 },
		.ses = { 13, 14, 20, 30, 40 },
		.udp = { 18, 19, 1, 2, 3 },
	};
	assert_said("diagnose sys session sync", false,
		    "sync_ctx: sync_started=1, sync_tcp=0, sync_others=0,\n"
		    "sync_expectation=0, sync_nat=0, stdalone_sesync=1.\n"
		    "sync: create=1:2, update=3, delete=4:5, query=6\n"
		    "recv: create=7:8, update=9, delete=10:11, query=12\n"
		    "ses pkts: send=13, alloc_fail=21, recv=14, recv_err=32 sz_err=43\n"
		    "udp pkts: send=18, recv=19\n"
		    "nCfg_sess_sync_num=3, mtu=9000, ipsec_tun_sync=1\n"
		    "sync_filter:\n"
		    "\t5: vd=-1, szone=0, dzone=0, saddr=0.0.0.0:0.0.0.0, daddr=0.0.0.0:0.0.0.0, "
		    "sport=0-65535, dport=0:65535\n"
		    "\t6: vd=-1, szone=0, dzone=0, saddr=0.0.0.0:0.0.0.0, daddr=0.0.0.0:0.0.0.0, "
		    "sport=0-65535, dport=0:65535\n"
		    "\t7: vd=-1, szone=0, dzone=0, saddr=0.0.0.0:0.0.0.0, daddr=0.0.0.0:0.0.0.0, "
		    "sport=0-65535, dport=0:65535\n");
}
END_TEST

START_TEST(reset_counters)
{
	static const char *const rows[] = {
		"gatehouse_sync_records_total{direction=\"sent\",kind=\"create\"} 101\n",
		"gatehouse_sync_records_total{direction=\"received\",kind=\"query\"} 12\n",
		"gatehouse_sync_packets_total{layer=\"2\",what=\"wrong_size\"} 40\n",
		"gatehouse_sync_packets_total{layer=\"3\",what=\"received\"} 19\n",
	};
	AUTO_STR struct str out = STR_INIT, left = STR_INIT;
	struct err err = { 0 };

	stats = (struct fgsp_stats){ .started = true,
				     .mtu = 1500,
				     .sent = { 1, 2, 3, 4, 5, 6 },
				     .received = { 7, 8, 9, 10, 11, 12 },
				     .ses = { 13, 14, 20, 30, 40 },
				     .udp = { 18, 19, 1, 2, 3 } };
	assert_said("diagnose sys session sync reset", false, "");
	stats.sent.create += 100;
	ck_assert_int_eq(run("diagnose sys session sync", false, &left, &err), 0);
	ck_assert_ptr_nonnull(strstr(str_text(&left),
				     "sync: create=100:0, update=0, delete=0:0, query=0\n"
				     "recv: create=0:0, update=0, delete=0:0, query=0\n"
				     "ses pkts: send=0, alloc_fail=0, recv=0, recv_err=0 sz_err=0\n"
				     "udp pkts: send=0, recv=0\n"));
	ck_assert_ptr_nonnull(strstr(str_text(&left), "mtu=1500"));
	ck_assert_int_eq(run("get metrics", false, &out, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		ck_assert_msg(strstr(str_text(&out), rows[i]), "%s is not in\n%s", rows[i],
			      str_text(&out));
}
END_TEST

START_TEST(resync_all)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(run("execute sync-session", false, &out, &err), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "session synchronization has not started: there are no peers, "
				   "or no psksecret");
	ck_assert_uint_eq(n_resyncs, 0);
	stats.started = true;
	assert_said("execute sync-session", false, "");
	ck_assert_uint_eq(n_resyncs, 1);
}
END_TEST

static const struct fgsp_peer_info in_sync = {
	.peer = 0,
	.state = FGSP_PEER_IN_SYNC,
	.serial = "GHVMBBBBBBBBBBBB",
	.unit_id = 77,
	.epoch = 12345,
	.link = "layer 2 (port3, port4)",
	.rtt_us = 213,
	.lag_records = 3,
	.lag_us = 1007,
	.lost = 4,
	.repaired = 5,
	.link_changes = 6,
	.disconnects = 7,
	.resyncs = 2,
	.resync_ns = UINT64_C(1700000000000000000),
	.resync_why = "it has restarted",
	.acked_ns = UINT64_C(1700000001000000000),
	.told = 100,
	.copies = 200,
};

static const struct fgsp_peer_info refused = {
	.peer = 1,
	.state = FGSP_PEER_REFUSED,
	.why = "it has \"another\" key\\",
	.link = "none",
	.resync_why = "",
};

START_TEST(two_peers)
{
	peers[0] = in_sync;
	peers[1] = refused;
	n_peers = 2;
	assert_said("diagnose sys ha standalone-peers", false,
		    "peer 10.0.0.2 (sync-id 5, 7): in-sync\n"
		    "\tserial: GHVMBBBBBBBBBBBB, unit id 77\n"
		    "\tlink: layer 2 (port3, port4), changes 6, disconnections 7\n"
		    "\trtt: 0.213 ms\n"
		    "\tepoch: 12345\n"
		    "\tlag: 3 records, 1.007 ms\n"
		    "\tlost: 4\n"
		    "\trepaired: 5\n"
		    "\tlast resync: 2023-11-14T22:13:20Z, it has restarted, 2 in all\n"
		    "\tsessions: 100 of ours there, 200 of its here\n"
		    "peer 10.0.0.3 (sync-id 6): refused\n"
		    "\tlast error: it has \"another\" key\\\n"
		    "\tlink: none, changes 0, disconnections 0\n"
		    "\trtt: 0.000 ms\n"
		    "\tepoch: 0\n"
		    "\tlag: 0 records, 0.000 ms\n"
		    "\tlost: 0\n"
		    "\trepaired: 0\n"
		    "\tlast resync: never, 0 in all\n"
		    "\tsessions: 0 of ours there, 0 of its here\n");
	assert_said("diagnose sys ha standalone-peers", true,
		    "[\n"
		    "{\"peerip\":\"10.0.0.2\",\"sync_id\":[5, 7],\"state\":\"in-sync\","
		    "\"error\":\"\",\"serial\":\"GHVMBBBBBBBBBBBB\","
		    "\"link\":\"layer 2 (port3, port4)\",\"unit_id\":77,\"rtt_us\":213,"
		    "\"epoch\":12345,\"lag_records\":3,\"lag_us\":1007,\"lost\":4,"
		    "\"repaired\":5,\"link_changes\":6,\"disconnections\":7,\"resyncs\":2,"
		    "\"sessions_there\":100,\"sessions_here\":200,"
		    "\"last_resync\":\"2023-11-14T22:13:20Z\","
		    "\"last_resync_reason\":\"it has restarted\"},\n"
		    "{\"peerip\":\"10.0.0.3\",\"sync_id\":[6],\"state\":\"refused\","
		    "\"error\":\"it has \\\"another\\\" key\\\\\",\"serial\":\"\","
		    "\"link\":\"none\",\"unit_id\":0,\"rtt_us\":0,\"epoch\":0,"
		    "\"lag_records\":0,\"lag_us\":0,\"lost\":0,\"repaired\":0,"
		    "\"link_changes\":0,\"disconnections\":0,\"resyncs\":0,"
		    "\"sessions_there\":0,\"sessions_here\":0,\"last_resync\":null,"
		    "\"last_resync_reason\":\"\"}\n"
		    "]\n");
}
END_TEST

START_TEST(no_peers)
{
	assert_said("diagnose sys ha standalone-peers", false, "no peers\n");
	assert_said("diagnose sys ha standalone-peers", true, "[]\n");
}
END_TEST

/* For gatehoused: only of peers that have something. */
START_TEST(acked)
{
	peers[0] = in_sync;
	peers[1] = refused;
	n_peers = 2;
	assert_said("acked", false, "5 1700000001000000000\n");
	peers[0].peer = 3; /* one that is not configured any more */
	assert_said("acked", false, "");
}
END_TEST

START_TEST(metrics)
{
	static const char *const lines[] = {
		"# TYPE gatehouse_sync_started gauge\ngatehouse_sync_started 1\n",
		"gatehouse_sync_sessions_own 21\n",
		"gatehouse_sync_sessions_copies 22\n",
		"# TYPE gatehouse_sync_overruns_total counter\ngatehouse_sync_overruns_total 23\n",
		"gatehouse_sync_records_total{direction=\"sent\",kind=\"create\"} 1\n",
		"gatehouse_sync_records_total{direction=\"sent\",kind=\"query\"} 6\n",
		"gatehouse_sync_records_total{direction=\"received\",kind=\"delete\"} 10\n",
		"gatehouse_sync_packets_total{layer=\"2\",what=\"sent\"} 13\n",
		"gatehouse_sync_packets_total{layer=\"3\",what=\"not_taken\"} 2\n",
		"# TYPE gatehouse_sync_peer_in_sync gauge\n"
		"gatehouse_sync_peer_in_sync{peer=\"10.0.0.2\"} 1\n"
		"gatehouse_sync_peer_in_sync{peer=\"10.0.0.3\"} 0\n",
		"gatehouse_sync_peer_rtt_microseconds{peer=\"10.0.0.2\"} 213\n",
		"gatehouse_sync_peer_repaired_total{peer=\"10.0.0.2\"} 5\n",
		"gatehouse_sync_peer_last_resync_seconds{peer=\"10.0.0.2\"} 1700000000\n",
	};
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	stats = (struct fgsp_stats){ .started = true,
				     .sent = { 1, 2, 3, 4, 5, 6 },
				     .received = { 7, 8, 9, 10, 11, 12 },
				     .ses = { 13, 14, 0, 0, 0 },
				     .udp = { 18, 19, 1, 2, 3 },
				     .own = 21,
				     .copies = 22,
				     .overruns = 23 };
	peers[0] = in_sync;
	peers[1] = refused;
	n_peers = 2;
	ck_assert_int_eq(run("get metrics", false, &out, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(strstr(str_text(&out), lines[i]), "%s is not in\n%s", lines[i],
			      str_text(&out));
}
END_TEST

static const char *const unknown[] = {
	"diagnose", "diagnose sys session", "diagnose sys session sync all", "get metrics now",
	"diagnose debug application sessionsync", "ACKED", "acked 1",
};

START_TEST(unknown_words)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(run(unknown[_i], false, &out, &err), ERR_PARSE);
}
END_TEST

/* ---- debug output ---- */

#define WATCH "diagnose debug application sessionsync "

/* What comes next, without the time at the begin of each line. */
static void assert_line(struct relay_call *call, const char *right) {
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(listen_to(call, &out, &err), STREAM_WAIT);
	ck_assert_uint_gt(out.len, 21);
	ck_assert_str_eq(str_text(&out) + 21, right);
}

static struct relay_call *watch(const char *words, unsigned int args) {
	struct relay_call *call = ask(words, false);

	for (n_words = 0; n_words != args;)
		event_base_loop(base, EVLOOP_ONCE);
	return call;
}

START_TEST(watched)
{
	struct relay_call *all = watch(WATCH "-1", 5), *errors = watch(WATCH "3", 5);
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	cmd_sync_log(commands, CMD_SYNC_SESSIONS, 7, "detail");
	assert_line(all, "detail\n");
	cmd_sync_log(commands, CMD_SYNC_SESSIONS, 3, "fault");
	assert_line(all, "fault\n");
	assert_line(errors, "fault\n");
	relay_call_close(all);
	assert_said("acked", false, ""); /* and the cancel before it is there */
	cmd_sync_log(commands, CMD_SYNC_SESSIONS, 4, "warning");
	cmd_sync_log(commands, CMD_SYNC_SESSIONS, 2, "worse");
	assert_line(errors, "worse\n");
	/* When gatehoused goes, nobody watches any more. */
	server_free(server);
	server = NULL;
	ck_assert_int_eq(listen_to(errors, &out, &err), STREAM_FAILED);
	relay_call_close(errors);
	for (int i = 0; i < 3; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	cmd_sync_log(commands, CMD_SYNC_SESSIONS, 2, "nobody hears");
}
END_TEST

START_TEST(watched_topic)
{
	struct relay_call *config = watch("diagnose debug application hasync 7", 5);

	cmd_sync_log(commands, CMD_SYNC_SESSIONS, 3, "of sessions");
	cmd_sync_log(commands, CMD_SYNC_CONFIG, 3, "of the configuration");
	assert_line(config, "of the configuration\n");
	cmd_sync_log(commands, CMD_SYNC_SESSIONS | CMD_SYNC_CONFIG, 3, "of both");
	assert_line(config, "of both\n");
	relay_call_close(config);
}
END_TEST

START_TEST(watchers_bound)
{
	struct relay_call *calls[16];
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		calls[i] = watch(WATCH "7", 5);
	ck_assert_int_eq(run(WATCH "7", false, &out, &err), ERR_MAX_ENTRIES);
	relay_call_close(calls[0]);
	calls[0] = watch(WATCH "7", 5);
	cmd_sync_log(commands, CMD_SYNC_SESSIONS, 7, "x");
	for (size_t i = 0; i < ARRAY_LEN(calls); i++) {
		assert_line(calls[i], "x\n");
		relay_call_close(calls[i]);
	}
}
END_TEST

START_TEST(no_level)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_int_eq(run(WATCH "much", false, &out, &err), ERR_PARSE);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("cmd_sync");
	TCase *tc = fixture_case(suite, "commands");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, status);
	tcase_add_test(tc, reset_counters);
	tcase_add_test(tc, resync_all);
	tcase_add_test(tc, two_peers);
	tcase_add_test(tc, no_peers);
	tcase_add_test(tc, acked);
	tcase_add_test(tc, metrics);
	tcase_add_loop_test(tc, unknown_words, 0, ARRAY_LEN(unknown));
	tcase_add_test(tc, watched);
	tcase_add_test(tc, watched_topic);
	tcase_add_test(tc, watchers_bound);
	tcase_add_test(tc, no_level);
	return fixture_run(suite);
}
