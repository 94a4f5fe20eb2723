/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands about the group from where gatehoused passes them on, over the door, to their texts; and
 * the one that has to ask other members before it can answer.
 */
#include "sync/cmd_autoscale.h"

#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "backends/cmd_autoscale.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/control/server.h"
#include "tests/lib/fixture.h"

#define OWN "GHVMAAAAAAAAAAAA"
#define OTHER "GHVMBBBBBBBBBBBB"
#define NOW INT64_C(1700000100)
#define PEERS "diagnose sys ha autoscale-peers"
#define DIFF "diagnose sys ha checksum diff"

static struct event_base *base;
static struct engine *engine;
static struct relay *relay;
static struct server *server;
static struct door *door;
static struct cmd_autoscale *commands;

/* ---- the facts ---- */

static struct autoscale_stats stats;
static struct channels_stats channels;
static struct autoscale_peer_info peers[2];
static unsigned int n_peers, n_events;
static char forgotten[MEMBER_SERIAL];

static void get_stats(void *arg, struct autoscale_stats *ret) {
	(void)arg;
	*ret = stats;
}

static void get_channels(void *arg, struct channels_stats *ret) {
	(void)arg;
	*ret = channels;
}

static bool get_peer(void *arg, unsigned int i, struct autoscale_peer_info *ret) {
	(void)arg;
	if (i < n_peers)
		*ret = peers[i];
	return i < n_peers;
}

static bool get_event(void *arg, unsigned int i, struct autoscale_event *ret) {
	(void)arg;
	*ret = (struct autoscale_event){ NOW + i, "Something has happened" };
	return i < n_events;
}

static struct callback_info callback;

static void get_callback(void *arg, struct callback_info *ret) {
	(void)arg;
	*ret = callback;
}

static int64_t get_now_s(void *arg) {
	(void)arg;
	return NOW;
}

static int forget(void *arg, const char *serial, struct err *err) {
	(void)arg;
	strcpy(forgotten, serial);
	return strcmp(serial, OTHER) == 0 ? 0 : err_set(err, ERR_NOT_FOUND, "not known");
}

/* What was asked, and is to be answered. */
static uint32_t last_inquiry, n_inquired;
static char asked[MEMBER_SERIAL];
static bool mute;

static uint32_t inquire(void *arg, const char *serial, const struct autoscale_message *question,
			struct err *err) {
	(void)arg;
	ck_assert_int_eq(question->type, AUTOSCALE_ASK_TABLES);
	strcpy(asked, serial);
	n_inquired++;
	if (mute)
		err_set(err, ERR_TIMEOUT, "%s cannot be asked now", serial);
	return mute ? 0 : ++last_inquiry;
}

static const struct autoscale_source source = { NULL,	   get_stats, get_channels,
						get_peer, get_event, get_callback,
						get_now_s };
static const struct cmd_autoscale_calls calls = { NULL, forget, inquire };

/* ---- both ends ---- */

static void on_call(void *arg, const struct door_call *call) {
	(void)arg;
	if (!cmd_autoscale_call(commands, call))
		door_end(door, call->id, ERR_PARSE, "no such command");
}

static void on_cluster(void *arg, const struct cluster *c) {
	(void)arg;
	(void)c;
}

static void on_autoscale(void *arg, const struct autoscale *a) {
	(void)arg;
	(void)a;
}

static unsigned int n_cancelled;

static void on_cancel(void *arg, uint32_t id) {
	(void)arg;
	n_cancelled++;
	cmd_autoscale_cancel(commands, id);
}

static void on_lost(void *arg) {
	(void)arg;
	cmd_autoscale_lost(commands);
}

static void on_log(void *arg, int priority, const char *text) {
	(void)arg;
	(void)priority;
	(void)text;
}

static void be_unit(bool primary) {
	struct autoscale unit = { .enabled = true, .has_key = true, .primary = primary,
				  .serial = OWN, .hostname = "unit-a" };
	struct cluster cluster;

	unit.ip = net_ipv4(0x0a000001);
	cmd_autoscale_unit(commands, &unit);
	memset(&cluster, 0, sizeof(cluster));
	cluster.tcp = true;
	cmd_autoscale_cluster(commands, &cluster);
}

static void set_facts(void) {
	stats = (struct autoscale_stats){
		.deltas = 1, .copies = 2, .healed = 3, .failures = 4, .fenced = 5, .malformed = 6,
		.pushes = 7, .questions = 8, .answers = 9, .losses = 10, .messages_sent = 11,
		.messages_received = 12, .bytes_sent = 13, .bytes_received = 14, .memory = 15,
		.channels = 1, .started = true, .desk = true, .primary = OWN,
		.state = AUTOSCALE_IN_SYNC, .leads_s = NOW - 100, .primary_epoch = 3,
		.standing = { .primary = true, .synced = true, .epoch = 3, .revision = 40 },
	};
	stats.refused[AUTOSCALE_LOWER_EPOCH] = 16;
	stats.primary_ip = net_ipv4(0x0a000001);
	channels = (struct channels_stats){ .refused = 17 };
	peers[0] = (struct autoscale_peer_info){
		.serial = OTHER, .vmid = "9b09d366-f5e2-490f-acab-3bbf2835bd7b",
		.hostname = "unit-b", .same_schema = true, .connected = true, .is_standing = true,
		.state = AUTOSCALE_IN_SYNC, .heard_s = NOW - 3, .connected_s = NOW - 50,
		.standing = { .synced = true, .epoch = 3, .revision = 50, .followed = OWN,
			      .followed_revision = 38 },
		.messages_sent = 1, .messages_received = 2, .bytes_sent = 3, .bytes_received = 4,
		.pushes = 5, .questions = 6, .losses = 7,
	};
	peers[0].ip = net_ipv4(0x0a000002);
	memset(&peers[0].standing.active, 0xab, sizeof(peers[0].standing.active));
	memset(&peers[0].standing.staged, 0xcd, sizeof(peers[0].standing.staged));
	peers[1] = (struct autoscale_peer_info){
		.serial = "GHVMCCCCCCCCCCCC", .vmid = "x", .state = AUTOSCALE_LOST,
		.heard_s = NOW - 70, .why = "it said \"no\"",
	};
	peers[1].ip = net_ipv4(0x0a000003);
	n_peers = 1;
}

static void setup(void) {
	const struct door_calls door_calls = { NULL,	     on_cluster, on_autoscale, on_call,
					       on_cancel, on_lost,	   on_log };
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/ctl", dir);
	struct server_config config = { .path = path, .group = "none", .version = "1" };
	struct err err = { 0 };

	setenv("TZ", "UTC", 1);
	engine = fixture_engine(dir);
	base = event_base_new();
	config.relay = relay = relay_new();
	server = server_new(base, engine, &config, &err);
	ck_assert_msg(server != NULL, "%s", err.text);
	door = door_new(base, path, &door_calls, &err);
	ck_assert_msg(door != NULL, "%s", err.text);
	commands = cmd_autoscale_new(base, &source, &calls, door, &err);
	ck_assert_ptr_nonnull(commands);
	set_facts();
	be_unit(true);
	while (!relay_is_attached(relay))
		event_base_loop(base, EVLOOP_ONCE);
}

static void teardown(void) {
	cmd_autoscale_free(commands);
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

static enum stream_state hear(struct relay_call *call, struct str *out, struct err *err) {
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
		state = hear(call, out, err);
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

static void assert_part(const char *words, const char *part) {
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(run(words, false, &out, &err) == 0, "%s", err.text);
	ck_assert_msg(strstr(str_text(&out), part) != NULL, "%s", str_text(&out));
}

/* ---- texts ---- */

#define OTHER_TEXT \
	"Serial#: " OTHER "\nVMID: 9b09d366-f5e2-490f-acab-3bbf2835bd7b\nRole: secondary\n" \
	"IP: 10.0.0.2\n"
#define THIRD_TEXT "Serial#: GHVMCCCCCCCCCCCC\nVMID: x\nRole: secondary\nIP: 10.0.0.3\n"

START_TEST(list_peers)
{
	assert_said(PEERS, false, OTHER_TEXT);
	n_peers = 2;
	assert_said(PEERS, false, OTHER_TEXT THIRD_TEXT);
	assert_said(PEERS " detail", false,
		    OTHER_TEXT "\tstate: in-sync\n\tlast heard: 2023-11-14T22:14:57Z\n"
		    "\thostname: unit-b\n\tepoch: 3\n\trevision: 50, that is 38 of " OWN "\n"
		    "\tschema: the same\n\tin sync last: 2023-11-14T22:15:00Z\n"
		    "\tmessages: 1 sent, 2 received\n\tbytes: 3 sent, 4 received\n"
		    "\tchanges pushed: 5, questions answered: 6, connections lost: 7\n"
		    THIRD_TEXT "\tstate: lost\n\tlast heard: 2023-11-14T22:13:50Z\n"
		    "\tlast error: it said \"no\"\n");
	n_peers = 0;
	assert_said(PEERS, false, "");
}
END_TEST

START_TEST(list_peers_as_json)
{
	n_peers = 2;
	assert_said(PEERS, true,
		    "[\n{\"serial\":\"" OTHER "\",\"vmid\":\"9b09d366-f5e2-490f-acab-3bbf2835bd7b\","
		    "\"role\":\"secondary\",\"ip\":\"10.0.0.2\",\"state\":\"in-sync\","
		    "\"connected\":true,\"error\":\"\",\"heard_s\":1700000097,"
		    "\"connected_s\":1700000050,\"synced_s\":0,\"hostname\":\"unit-b\","
		    "\"same_schema\":true,\"epoch\":3,\"revision\":50,\"followed\":\"" OWN "\","
		    "\"followed_revision\":38,\"messages_sent\":1,\"messages_received\":2,"
		    "\"bytes_sent\":3,\"bytes_received\":4,\"pushes\":5,\"questions\":6,"
		    "\"losses\":7},\n"
		    "{\"serial\":\"GHVMCCCCCCCCCCCC\",\"vmid\":\"x\",\"role\":\"secondary\","
		    "\"ip\":\"10.0.0.3\",\"state\":\"lost\",\"connected\":false,"
		    "\"error\":\"it said \\\"no\\\"\",\"heard_s\":1700000030,\"connected_s\":0,"
		    "\"synced_s\":0,\"messages_sent\":0,\"messages_received\":0,\"bytes_sent\":0,"
		    "\"bytes_received\":0,\"pushes\":0,\"questions\":0,\"losses\":0}\n]\n");
	n_peers = 0;
	assert_said(PEERS, true, "[]\n");
}
END_TEST

#define AB "ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab ab\n"
#define CD "cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd cd\n"
#define SUMS \
	"\n\ndebugzone\nglobal: " CD "root: " CD "all: " CD "\nchecksum\nglobal: " AB "root: " AB \
	"all: " AB

START_TEST(checksums_of_others)
{
	n_peers = 2; /* the second one is away: what it has now is not known */
	assert_said("checksum autoscale-cluster", false,
		    "\n================== " OTHER " ==================\n"
		    "is_autoscale_primary()=0" SUMS);
	peers[0].primary = true;
	assert_said("checksum cluster", false,
		    "\n================== " OTHER " ==================\n"
		    "is_manage_primary()=1, is_root_primary()=1" SUMS);
}
END_TEST

#define AB_HEX "abababababababababababababababab"
#define CD_HEX "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
#define OTHER_SUMS \
	",\n{\"serial\":\"" OTHER "\",\"primary\":false,\"debugzone\":{\"global\":\"" CD_HEX \
	"\",\"root\":\"" CD_HEX "\",\"all\":\"" CD_HEX "\"},\"checksum\":{\"global\":\"" AB_HEX \
	"\",\"root\":\"" AB_HEX "\",\"all\":\"" AB_HEX "\"}}"

/* What follows the unit itself in an array that gatehoused begins and ends. */
START_TEST(checksums_as_json)
{
	n_peers = 2;
	assert_said("checksum cluster", true, OTHER_SUMS);
	assert_said("checksum autoscale-cluster", true, OTHER_SUMS);
	n_peers = 0;
	assert_said("checksum cluster", true, "");
}
END_TEST

START_TEST(history_as_json)
{
	n_events = 2;
	assert_said("diagnose sys ha history read", true,
		    "[\n{\"time_s\":1700000100,\"event\":\"Something has happened\"},\n"
		    "{\"time_s\":1700000101,\"event\":\"Something has happened\"}\n]\n");
	n_events = 0;
	assert_said("diagnose sys ha history read", true, "[]\n");
}
END_TEST

static void assert_json_part(const char *words, const char *part) {
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	ck_assert_msg(run(words, true, &out, &err) == 0, "%s", err.text);
	ck_assert_msg(strstr(str_text(&out), part) != NULL, "%s", str_text(&out));
}

/* Both commands say everything. */
START_TEST(status_as_json)
{
	static const char *const words[] = { "get system ha status", "diagnose sys ha status" };

	n_peers = 2;
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		assert_json_part(words[i], "{\n\"model\":\"Gatehouse-VM64\",\n"
					   "\"mode\":\"auto-scale\",\n\"psksecret\":true,\n"
					   "\"started\":true,\n\"gatehoused\":true,\n"
					   "\"session_pickup\":true,\n");
		assert_json_part(words[i], "\n\"primary\":{\"serial\":\"" OWN "\",\"ip\":");
		assert_json_part(words[i], "\n\"unit\":{\"serial\":\"" OWN "\","
					   "\"hostname\":\"unit-a\",\"role\":\"primary\","
					   "\"ip\":\"10.0.0.1\",\"state\":\"in-sync\",");
		assert_json_part(words[i], "\n\"members\":[{\"serial\":\"" OTHER "\",");
		assert_json_part(words[i], "},{\"serial\":\"GHVMCCCCCCCCCCCC\",");
	}
	*stats.primary = '\0';
	assert_json_part(words[0], "\n\"primary\":null,\n");
}
END_TEST

START_TEST(status_in_order)
{
	assert_said("get system ha status", false,
		    "HA Health Status: OK\nModel: Gatehouse-VM64\nMode: auto-scale\nGroup: 0\n"
		    "Debug: 0\nEpoch: 3\nRevision: 40\nPrimary selected using:\n"
		    "    <2023/11/14 22:13:20> " OWN " is selected as the primary because its role "
		    "is primary, and its epoch, 3, the highest.\n"
		    "ses_pickup: enable, ses_pickup_delay=disable\nConfiguration Status:\n"
		    "    " OWN "(updated 0 seconds ago): in-sync\n"
		    "    " OTHER "(updated 3 seconds ago): in-sync\n"
		    "Primary     : unit-a, " OWN ", 10.0.0.1\n"
		    "Secondary   : unit-b, " OTHER ", 10.0.0.2\n");
}
END_TEST

START_TEST(status_with_trouble)
{
	n_peers = 2;
	stats.state = AUTOSCALE_COPYING;
	stats.progress = 2;
	stats.progress_of = 5;
	strcpy(stats.why, "disk full");
	assert_part("get system ha status",
		    "HA Health Status:\n"
		    "    WARNING: this unit is not in sync: copying: disk full\n"
		    "    WARNING: GHVMCCCCCCCCCCCC is not in sync: lost: it said \"no\"\n");
	assert_part("get system ha status",
		    "    " OWN "(updated 0 seconds ago): out-of-sync\n\tcopying: disk full\n"
		    "\t2 of 5 tables compared\n"
		    "    " OTHER "(updated 3 seconds ago): in-sync\n"
		    "    GHVMCCCCCCCCCCCC(updated 70 seconds ago): out-of-sync\n"
		    "\tlost: it said \"no\"\n");
	stats = (struct autoscale_stats){ .state = AUTOSCALE_CONNECTING };
	assert_part("get system ha status",
		    "    WARNING: replication has not started\n"
		    "    WARNING: no primary is known\n");
}
END_TEST

/* The epoch is that of the primary that is named, whatever this unit has. */
START_TEST(status_names_epoch)
{
	stats.primary_epoch = 7;
	assert_part("get system ha status", "Epoch: 3\n");
	assert_part("get system ha status", "and its epoch, 7, the highest.\n");
}
END_TEST

/* There is one primary, also while the former one is silent. */
START_TEST(status_after_takeover)
{
	peers[0].primary = true;
	peers[0].connected = false;
	assert_part("get system ha status", "Primary     : unit-a, " OWN ", 10.0.0.1\n"
					    "Secondary   : unit-b, " OTHER ", 10.0.0.2\n");
	/* of two that lead at once both are shown */
	peers[0].connected = true;
	assert_part("get system ha status", "Primary     : unit-b, " OTHER ", 10.0.0.2\n");
}
END_TEST

START_TEST(status_of_key)
{
	struct autoscale unit = { .enabled = true, .serial = OWN };

	cmd_autoscale_unit(commands, &unit);
	assert_part("get system ha status", "    WARNING: there is no psksecret\n");
	unit.makes_key = true;
	cmd_autoscale_unit(commands, &unit);
	stats.leads_s = 0;
	assert_part("get system ha status", "HA Health Status:\n    WARNING: replication has not "
					    "started: the key is being made of psksecret\nModel");
	/* nobody is selected yet */
	assert_part("get system ha status", "Revision: 40\nses_pickup");
}
END_TEST

START_TEST(status_of_callback)
{
	struct autoscale unit = { .enabled = true, .has_key = true, .serial = OWN,
				  .callback_url = "https://x/y" };

	cmd_autoscale_unit(commands, &unit);
	callback = (struct callback_info){ .sent = 9, .answered = 9, .answered_s = NOW };
	assert_part("get system ha status", "HA Health Status: OK\n");
	assert_part("diagnose sys ha status", "\ncallback: sent=9, answered=9, failures=0, "
					      "answer=2023-11-14T22:15:00Z\n" OTHER);
	callback.sent = 11;
	callback.failures = 2;
	strcpy(callback.why, "no route");
	assert_part("get system ha status", "HA Health Status:\n    WARNING: callback-url has not "
					    "answered 2 times: no route\n");
	assert_part("diagnose sys ha status", "failures=2, answer=2023-11-14T22:15:00Z\n"
					      "callback failure: no route\n" OTHER);
}
END_TEST

/* A secondary does not talk with other secondaries, and says nothing of how they stand. */
START_TEST(status_of_secondary)
{
	n_peers = 2;
	be_unit(false);
	peers[0].primary = true;
	assert_part("get system ha status",
		    "HA Health Status: OK\n");
	assert_part("get system ha status",
		    "    " OTHER "(updated 3 seconds ago): in-sync\n"
		    "Primary     : unit-b, " OTHER ", 10.0.0.2\n"
		    "Secondary   : unit-a, " OWN ", 10.0.0.1\n"
		    "Secondary   : -, GHVMCCCCCCCCCCCC, 10.0.0.3\n");
}
END_TEST

START_TEST(numbers)
{
	assert_said("diagnose sys ha status", false,
		    "HA information\nStatistics\n\ttraffic.local = s:0 p:11 b:13\n"
		    "\ttraffic.total = s:0 p:23 b:27\n"
		    "Model=Gatehouse-VM64, Mode=auto-scale Group=0 Debug=0\n"
		    "nvcluster=0, ses_pickup=1, delay=0\n[Configuration replication]\n"
		    "started=1, gatehoused=1, connections=1\nstate=in-sync, epoch=3, revision=40\n"
		    "primary=" OWN ", primary_ip=10.0.0.1, followed_revision=0\n"
		    "changes=1, copies=2, healed=3, failures=4, fenced=5\n"
		    "pushes=7, questions=8, answers=9, lost=10, malformed=6\n" OTHER
		    ": ip=10.0.0.2, role=secondary, state=in-sync, epoch=3, revision=50\n");
}
END_TEST

START_TEST(history)
{
	n_events = 2;
	assert_said("diagnose sys ha history read", false,
		    "<2023/11/14 22:15:00> Something has happened\n"
		    "<2023/11/14 22:15:01> Something has happened\n");
}
END_TEST

START_TEST(metrics)
{
	static const char *const lines[] = {
		"# TYPE gatehouse_autoscale_epoch gauge\ngatehouse_autoscale_epoch 3\n",
		"\ngatehouse_autoscale_primary 1\n",
		"\ngatehouse_autoscale_in_sync 1\n",
		"\ngatehouse_autoscale_revision 40\n",
		"\ngatehouse_autoscale_changes_total 1\n",
		"\ngatehouse_autoscale_copies_total 2\n",
		"\ngatehouse_autoscale_healed_total 3\n",
		"\ngatehouse_autoscale_failures_total 4\n",
		"\ngatehouse_autoscale_fenced_total 5\n",
		"\ngatehouse_autoscale_members{state=\"in-sync\"} 1\n",
		"\ngatehouse_autoscale_members{state=\"lost\"} 1\n",
		"\ngatehouse_autoscale_members{state=\"copying\"} 0\n",
		"\ngatehouse_autoscale_member_lag_revisions{member=\"" OTHER "\"} 2\n",
		"\ngatehouse_autoscale_refused_total{reason=\"lower_epoch\"} 16\n",
		"\ngatehouse_autoscale_refused_total{reason=\"no_key\"} 17\n",
		"\ngatehouse_autoscale_callback_sent_total 20\n",
		"\ngatehouse_autoscale_callback_answered_total 17\n",
		"\ngatehouse_autoscale_callback_failures 3\n",
		"\ngatehouse_autoscale_messages_total{direction=\"received\"} 12\n",
		"\ngatehouse_autoscale_bytes_total{direction=\"sent\"} 13\n",
	};
	AUTO_STR struct str out = STR_INIT;

	callback = (struct callback_info){ .sent = 20, .answered = 17, .failures = 3 };
	n_peers = 2;
	cmd_autoscale_metrics(commands, &out);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		ck_assert_msg(strstr(str_text(&out), lines[i]) != NULL, "no%s", lines[i]);
}
END_TEST

START_TEST(forget_member)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	n_peers = 0;
	assert_said("execute ha forget " OTHER, false, "");
	ck_assert_str_eq(forgotten, OTHER);
	/* it is still there: somebody else has to do it */
	n_peers = 1;
	strcpy(stats.primary, "GHVMCCCCCCCCCCCC");
	assert_said("execute ha forget " OTHER, false,
		    "GHVMCCCCCCCCCCCC, the primary, is asked to forget " OTHER
		    "; its history says whether it did\n");
	ck_assert_int_eq(run("execute ha forget other", false, &out, &err), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "not known");
	ck_assert_int_eq(run("execute ha", false, &out, &err), ERR_PARSE);
}
END_TEST

/* ---- without an answer ---- */

static void swallow(void *arg, const struct buf *frame) {
	(void)arg;
	(void)frame;
}

/* `get system ha status` of a unit whose gatehouse-syncd says this and then goes away. */
static enum stream_state leave_it(const char *text, struct str *out, struct err *err) {
	struct relay *away = relay_new();
	struct command_call call = { .model = engine->model };
	struct buf reply = BUF_INIT;
	struct buf_reader r;
	size_t n, i = 0;
	const struct command *table = commands_autoscale(&n);
	enum stream_state state = STREAM_WAIT;
	struct stream s;

	ck_assert_int_eq(relay_attach(away, swallow, NULL, err), 0);
	relay_welcome(away);
	while (i < n && strcmp(table[i].words, "get system ha status") != 0)
		i++;
	ck_assert_uint_lt(i, n);
	ck_assert_int_eq(table[i].open(away, &call, &s, err), 0);
	if (*text) {
		buf_put_u32(&reply, 1);
		buf_put_str(&reply, text);
		buf_reader_init(&r, reply.data, reply.len);
		relay_reply(away, &r);
		ck_assert_int_eq(s.next(s.ctx, out, err), STREAM_WAIT);
		buf_done(&reply);
	}
	relay_detach(away);
	state = s.next(s.ctx, out, err);
	s.close(s.ctx);
	relay_free(away);
	return state;
}

/* There is an answer all the same; one that has begun is not begun anew. */
START_TEST(status_without_answer)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	fixture_set(engine, "system.auto-scale", "", "set status enable\n");
	ck_assert_int_eq(leave_it("", &out, &err), STREAM_END);
	ck_assert_ptr_eq(strstr(str_text(&out), "HA Health Status:\n    WARNING: gatehouse-syncd "
						"does not answer\nModel: "), str_text(&out));
	str_clear(&out);
	ck_assert_int_eq(leave_it("HA Health", &out, &err), STREAM_FAILED);
	ck_assert_str_eq(str_text(&out), "HA Health");
	ck_assert_str_eq(err.text, "gatehouse-syncd is not running");
}
END_TEST

/* ---- diff ---- */

static void wait_for_question(uint32_t n) {
	while (n_inquired < n)
		event_base_loop(base, EVLOOP_ONCE);
}

static void give_tables(void) {
	const struct autoscale_message tables = { .type = AUTOSCALE_TABLES, .revision = 1 };

	cmd_autoscale_inquired(commands, last_inquiry, &tables, "");
}

#define HEAD(serial) "================== " serial " ==================\n"

START_TEST(diff_of_all_members)
{
	struct relay_call *call;
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };
	enum stream_state state;

	n_peers = 2;
	peers[1].connected = true;
	call = ask(DIFF, false);
	wait_for_question(1);
	ck_assert_str_eq(asked, OWN);
	give_tables();
	wait_for_question(2);
	ck_assert_str_eq(asked, OTHER);
	give_tables();
	wait_for_question(3);
	ck_assert_str_eq(asked, OWN);
	cmd_autoscale_inquired(commands, last_inquiry + 1, NULL, "this is not what was asked");
	cmd_autoscale_inquired(commands, last_inquiry, NULL, "it does not answer");
	do {
		state = hear(call, &out, &err);
	} while (state == STREAM_WAIT);
	ck_assert_int_eq(state, STREAM_END);
	ck_assert_str_eq(str_text(&out), HEAD(OTHER) "equal\n\n" HEAD("GHVMCCCCCCCCCCCC")
					 "cannot be compared: it does not answer\n");
	relay_call_close(call);
}
END_TEST

START_TEST(diff_as_json)
{
	mute = true;
	n_peers = 2;
	peers[1].connected = true;
	assert_said(DIFF, true,
		    ",\n{\"serial\":\"" OTHER "\",\"lines\":[\"cannot be compared: " OWN
		    " cannot be asked now\"]},\n{\"serial\":\"GHVMCCCCCCCCCCCC\",\"lines\":["
		    "\"cannot be compared: " OWN " cannot be asked now\"]}");
	mute = false;
}
END_TEST

START_TEST(diff_targets)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	mute = true;
	n_peers = 2;
	assert_said(DIFF, false,
		    HEAD(OTHER) "cannot be compared: " OWN " cannot be asked now\n");
	assert_said(DIFF " GHVMCCCCCCCCCCCC", false,
		    HEAD("GHVMCCCCCCCCCCCC") "cannot be compared: " OWN " cannot be asked now\n");
	ck_assert_int_eq(run(DIFF " " OWN, false, &out, &err), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, OWN " is no other member of the group");
	be_unit(false);
	ck_assert_int_eq(run(DIFF, false, &out, &err), ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "of the members that are connected none is the primary");
	peers[0].primary = true;
	assert_said(DIFF, false,
		    HEAD(OTHER) "cannot be compared: " OWN " cannot be asked now\n");
	mute = false;
}
END_TEST

/* An answer that comes after the end means nothing, and a fifth one waits for nobody. */
START_TEST(diff_is_left)
{
	struct relay_call *call[4];
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };

	for (unsigned int i = 0; i < ARRAY_LEN(call); i++) {
		uint32_t before = n_inquired;

		call[i] = ask(DIFF, false);
		wait_for_question(before + 1);
	}
	ck_assert_int_eq(run(DIFF, false, &out, &err), ERR_MAX_ENTRIES);
	for (unsigned int i = 0; i < ARRAY_LEN(call); i++)
		relay_call_close(call[i]);
	for (n_cancelled = 0; n_cancelled < ARRAY_LEN(call);)
		event_base_loop(base, EVLOOP_ONCE);
	n_inquired = 0;
	give_tables();
	event_base_loop(base, EVLOOP_NONBLOCK);
	ck_assert_uint_eq(n_inquired, 0);
	mute = true;
	assert_part(DIFF, "cannot be compared");
	mute = false;
}
END_TEST

int main(void) {
	Suite *suite = suite_create("cmd_autoscale");
	TCase *tc = fixture_case(suite, "commands");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, list_peers);
	tcase_add_test(tc, list_peers_as_json);
	tcase_add_test(tc, checksums_as_json);
	tcase_add_test(tc, history_as_json);
	tcase_add_test(tc, status_as_json);
	tcase_add_test(tc, diff_as_json);
	tcase_add_test(tc, checksums_of_others);
	tcase_add_test(tc, status_in_order);
	tcase_add_test(tc, status_with_trouble);
	tcase_add_test(tc, status_names_epoch);
	tcase_add_test(tc, status_after_takeover);
	tcase_add_test(tc, status_of_key);
	tcase_add_test(tc, status_of_callback);
	tcase_add_test(tc, status_without_answer);
	tcase_add_test(tc, status_of_secondary);
	tcase_add_test(tc, numbers);
	tcase_add_test(tc, history);
	tcase_add_test(tc, metrics);
	tcase_add_test(tc, forget_member);
	tcase_add_test(tc, diff_of_all_members);
	tcase_add_test(tc, diff_targets);
	tcase_add_test(tc, diff_is_left);
	return fixture_run(suite);
}
