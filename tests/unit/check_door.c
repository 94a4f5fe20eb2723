/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of the door between gatehoused and gatehouse-syncd, over a real socket and with the
 * real server, in one event loop: what is pushed, calls and how they end, who may attach, and what
 * becomes of each end when the other is silent, deaf, gone, or talks nonsense.
 */
#include "sync/door.h"

#include <arpa/inet.h>
#include <event2/event.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/str.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/control/server.h"
#include "tests/lib/fixture.h"

static struct event_base *base;
static struct engine *engine;
static struct relay *relay;
static struct server *server;
static char *path;

/* What a door has heard. */
struct heard {
	struct door *door;
	unsigned int clusters, calls, cancels, losses;
	struct cluster cluster;
	unsigned int scales;
	struct autoscale scale;
	uint32_t id, cancelled;
	bool json;
	struct str words, log;
};

static struct heard a;

static void hear_cluster(void *arg, const struct cluster *c) {
	struct heard *h = arg;

	h->clusters++;
	h->cluster = *c;
}

static void hear_autoscale(void *arg, const struct autoscale *scale) {
	struct heard *h = arg;

	h->scales++;
	h->scale = *scale;
}

static void hear_call(void *arg, const struct door_call *call) {
	struct heard *h = arg;

	h->calls++;
	h->id = call->id;
	h->json = call->json;
	str_clear(&h->words);
	for (size_t i = 0; i < call->argc; i++)
		str_addf(&h->words, "<%s>", call->argv[i]);
}

static void hear_cancel(void *arg, uint32_t id) {
	struct heard *h = arg;

	h->cancels++;
	h->cancelled = id;
}

static void hear_lost(void *arg) {
	struct heard *h = arg;

	h->losses++;
}

static void hear_log(void *arg, int priority, const char *text) {
	struct heard *h = arg;

	str_addf(&h->log, "%d %s\n", priority, text);
}

static void door_begin(struct heard *h) {
	const struct door_calls calls = { h,	       hear_cluster, hear_autoscale, hear_call,
					  hear_cancel, hear_lost,    hear_log };
	struct err err = { 0 };

	h->door = door_new(base, path, &calls, &err);
	ck_assert_msg(h->door != NULL, "%s", err.text);
}

static void heard_done(struct heard *h) {
	h->door = door_free(h->door);
	str_done(&h->words);
	str_done(&h->log);
	*h = (struct heard){ .clusters = 0 };
}

static void server_begin(void) {
	const struct passwd *pw = getpwuid(geteuid());
	const struct server_config config = { .path = path,
					      .group = "no such group",
					      .version = "1.2.3",
					      .relay = relay,
					      .attach_user = pw ? pw->pw_name : NULL };
	struct err err = { 0 };

	server = server_new(base, engine, &config, &err);
	ck_assert_msg(server != NULL, "%s", err.text);
}

static void server_end(void) {
	server_free(server);
	server = NULL;
}

static void setup(void) {
	AUTO_FREE char *dir = fixture_dir();

	signal(SIGPIPE, SIG_IGN);
	path = xasprintf("%s/ctl", dir);
	engine = fixture_engine(dir);
	base = event_base_new();
	relay = relay_new();
	server_begin();
	door_begin(&a);
}

static void teardown(void) {
	heard_done(&a);
	server_end();
	relay_free(relay);
	event_base_free(base);
	engine_close(engine);
	free(path);
}

/* Let both ends go on until something is so. */
#define UNTIL(condition)                                               \
	do {                                                           \
		while (!(condition))                                   \
			event_base_loop(base, EVLOOP_ONCE);            \
	} while (0)

static void settle(void) {
	while (event_base_loop(base, EVLOOP_NONBLOCK) == 0 && event_base_get_num_events(
		       base, EVENT_BASE_COUNT_ACTIVE) > 0)
		;
}

/* ---- what is pushed ---- */

static struct cluster sample(uint8_t group) {
	struct cluster c;

	memset(&c, 0, sizeof(c));
	strcpy(c.serial, "GHVM0123456789AB");
	c.group_id = group;
	c.has_key = true;
	memset(c.key, group, sizeof(c.key));
	c.n_peers = 1;
	c.peer[0].ip = net_ipv4(0x0a000002);
	c.peer[0].hb_interval_ms = 200;
	c.peer[0].hb_lost = 10;
	return c;
}

static void push(uint8_t group) {
	struct buf b = BUF_INIT;
	struct cluster c = sample(group);

	cluster_encode(&b, &c);
	relay_set_state(relay, CTL_STATE_CLUSTER, b.data, b.len);
	buf_wipe(&b);
}

START_TEST(pushed)
{
	struct cluster first = sample(1), second = sample(2);

	push(1);
	UNTIL(a.clusters == 1);
	ck_assert(cluster_equal(&a.cluster, &first));
	push(1);
	push(2);
	UNTIL(a.clusters == 2);
	ck_assert(cluster_equal(&a.cluster, &second));
	settle();
	ck_assert_uint_eq(a.clusters, 2);
}
END_TEST

/* The two kinds of what is to be done come apart, and each only when it has changed. */
START_TEST(pushed_autoscale)
{
	struct autoscale scale = { .enabled = true, .has_key = true, .hb_interval_s = 7 };
	struct buf b = BUF_INIT;

	snprintf(scale.serial, sizeof(scale.serial), "GHVM0123456789AB");
	memset(scale.key, 9, sizeof(scale.key));
	autoscale_encode(&b, &scale);
	push(1);
	relay_set_state(relay, CTL_STATE_AUTOSCALE, b.data, b.len);
	UNTIL(a.clusters == 1 && a.scales == 1);
	relay_set_state(relay, CTL_STATE_AUTOSCALE, b.data, b.len);
	push(2);
	UNTIL(a.clusters == 2);
	ck_assert_uint_eq(a.scales, 1);
	ck_assert_uint_eq(a.scale.hb_interval_s, 7);
	ck_assert_int_eq(memcmp(a.scale.key, scale.key, sizeof(scale.key)), 0);
	buf_wipe(&b);
}
END_TEST

/* Who comes late is told what stands, once. */
START_TEST(pushed_late)
{
	struct cluster last = sample(4);

	UNTIL(relay_is_attached(relay));
	heard_done(&a);
	push(3);
	push(4);
	UNTIL(!relay_is_attached(relay));
	door_begin(&a);
	UNTIL(a.clusters > 0);
	settle();
	ck_assert_uint_eq(a.clusters, 1);
	ck_assert(cluster_equal(&a.cluster, &last));
}
END_TEST

/* ---- ready ---- */

static unsigned int n_ready, n_gone;

static void hear_ready(void *arg) {
	ck_assert_ptr_eq(arg, &n_ready);
	n_ready++;
}

static void hear_gone(void *arg) {
	ck_assert_ptr_eq(arg, &n_ready);
	ck_assert(!relay_is_attached(relay));
	n_gone++;
}

START_TEST(said_ready)
{
	const struct relay_watch watch = { &n_ready, hear_ready, hear_gone };

	relay_set_watch(relay, &watch);
	door_ready(a.door); /* nobody hears it yet */
	push(1);
	UNTIL(a.clusters == 1);
	ck_assert_uint_eq(n_ready, 0);
	door_ready(a.door);
	UNTIL(n_ready == 1);
	door_ready(a.door);
	UNTIL(n_ready == 2);
	ck_assert_uint_eq(n_gone, 0);
	heard_done(&a);
	UNTIL(n_gone == 1);
	/* Nobody is told any more. */
	relay_set_watch(relay, NULL);
	push(2);
	door_begin(&a);
	UNTIL(a.clusters == 1);
	door_ready(a.door);
	settle();
	server_end();
	ck_assert_uint_eq(n_ready + n_gone, 3);
}
END_TEST

/* ---- calls ---- */

static struct relay_call *call_limited(unsigned int wait_ms, struct err *err) {
	char *const argv[] = { (char *)"say", (char *)"it now" };

	return relay_call_open(relay, wait_ms, true, ARRAY_LEN(argv), argv, err);
}

static struct relay_call *call_begin(void) {
	struct err err = { 0 };
	struct relay_call *call;
	unsigned int n = a.calls;

	UNTIL(relay_is_attached(relay));
	call = call_limited(60000, &err);
	ck_assert_msg(call != NULL, "%s", err.text);
	UNTIL(a.calls == n + 1);
	return call;
}

/* As the server does it: look when the descriptor is readable. */
static enum stream_state call_wait(struct relay_call *call, struct str *out, struct err *err) {
	struct pollfd ready = { .fd = relay_call_fd(call), .events = POLLIN };

	do {
		event_base_loop(base, EVLOOP_NONBLOCK);
	} while (poll(&ready, 1, 1) == 0);
	return relay_call_next(call, out, err);
}

static enum stream_state call_all(struct relay_call *call, struct str *out, struct err *err) {
	enum stream_state state;

	do {
		state = call_wait(call, out, err);
	} while (state == STREAM_WAIT);
	return state;
}

START_TEST(answered)
{
	AUTO_STR struct str out = STR_INIT;
	struct relay_call *call = call_begin();
	struct err err = { 0 };

	ck_assert_str_eq(str_text(&a.words), "<say><it now>");
	ck_assert(a.json);
	ck_assert_int_eq(relay_call_next(call, &out, &err), STREAM_WAIT);
	ck_assert(door_reply(a.door, a.id, "one\n", 4));
	ck_assert_int_eq(call_wait(call, &out, &err), STREAM_WAIT);
	ck_assert_str_eq(str_text(&out), "one\n");
	ck_assert(door_reply(a.door, a.id, "two\n", 4));
	door_end(a.door, a.id, 0, "no error, no text");
	ck_assert_int_eq(call_all(call, &out, &err), STREAM_END);
	ck_assert_str_eq(str_text(&out), "one\ntwo\n");
	ck_assert_int_eq(err.code, 0);
	relay_call_close(call);
	settle();
	ck_assert_uint_eq(a.cancels, 0);
}
END_TEST

START_TEST(answered_by_an_error)
{
	AUTO_STR struct str out = STR_INIT;
	AUTO_FREE char *longest = xasprintf("%02000d", 7);
	struct relay_call *call = call_begin();
	struct err err = { 0 };

	door_reply(a.door, a.id, "half\n", 5);
	door_end(a.door, a.id, ERR_NOT_FOUND, "there is none");
	ck_assert_int_eq(call_all(call, &out, &err), STREAM_FAILED);
	ck_assert_str_eq(str_text(&out), "half\n");
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "there is none");
	relay_call_close(call);
	/* A text that is too long is cut, and the connection stays. */
	call = call_begin();
	door_end(a.door, a.id, ERR_VALUE, longest);
	ck_assert_int_eq(call_all(call, &out, &err), STREAM_FAILED);
	ck_assert_uint_eq(strlen(err.text), ERR_TEXT_MAX - 1);
	relay_call_close(call);
	ck_assert_uint_eq(a.losses, 0);
}
END_TEST

/* Two at a time, the answers to which come in the other order. */
START_TEST(several)
{
	AUTO_STR struct str one = STR_INIT, two = STR_INIT;
	struct relay_call *first = call_begin();
	uint32_t first_id = a.id;
	struct relay_call *second = call_begin();
	struct err err = { 0 };

	ck_assert_uint_ne(first_id, a.id);
	door_reply(a.door, a.id, "second\n", 7);
	door_end(a.door, a.id, 0, "");
	door_reply(a.door, first_id, "first\n", 6);
	door_end(a.door, first_id, 0, "");
	ck_assert_int_eq(call_all(first, &one, &err), STREAM_END);
	ck_assert_int_eq(call_all(second, &two, &err), STREAM_END);
	ck_assert_str_eq(str_text(&one), "first\n");
	ck_assert_str_eq(str_text(&two), "second\n");
	relay_call_close(first);
	relay_call_close(second);
}
END_TEST

START_TEST(cancelled)
{
	struct relay_call *call = call_begin();

	relay_call_close(call);
	UNTIL(a.cancels == 1);
	ck_assert_uint_eq(a.cancelled, a.id);
	/* What it still says to that does no harm. */
	door_reply(a.door, a.id, "late\n", 5);
	door_end(a.door, a.id, 0, "");
	relay_call_close(call_begin());
	ck_assert_uint_eq(a.losses, 0);
}
END_TEST

START_TEST(nobody_attached)
{
	struct err err = { 0 };

	ck_assert(!relay_is_attached(relay));
	ck_assert_ptr_null(call_limited(1000, &err));
	ck_assert_int_eq(err.code, ERR_NOT_FOUND);
	ck_assert_str_eq(err.text, "gatehouse-syncd is not running");
	ck_assert(!door_reply(a.door, 1, "x", 1));
	door_end(a.door, 1, 0, "");
}
END_TEST

START_TEST(silence)
{
	AUTO_STR struct str out = STR_INIT;
	struct err err = { 0 };
	struct relay_call *call;

	UNTIL(relay_is_attached(relay));
	call = call_limited(20, &err);
	ck_assert_int_eq(call_all(call, &out, &err), STREAM_FAILED);
	ck_assert_int_eq(err.code, ERR_NOT_FOUND); /* the daemon itself is there */
	ck_assert_str_eq(err.text, "gatehouse-syncd does not answer");
	relay_call_close(call);
	UNTIL(a.cancels == 1);
	/* Without a limit it has all the time it wants, and more after each piece. */
	call = call_limited(0, &err);
	UNTIL(a.calls == 2);
	ck_assert_int_eq(relay_call_next(call, &out, &err), STREAM_WAIT);
	door_reply(a.door, a.id, "x", 1);
	ck_assert_int_eq(call_wait(call, &out, &err), STREAM_WAIT);
	ck_assert_int_eq(relay_call_next(call, &out, &err), STREAM_WAIT);
	ck_assert_str_eq(str_text(&out), "x");
	relay_call_close(call);
}
END_TEST

START_TEST(bounds_of_calls)
{
	AUTO_FREE char *longer = xasprintf("%09000d", 1);
	char *const argv[] = { longer };
	struct relay_call *calls[200];
	struct err err = { 0 };
	size_t n = 0;

	UNTIL(relay_is_attached(relay));
	ck_assert_ptr_null(relay_call_open(relay, 1000, false, 1, argv, &err));
	ck_assert_int_eq(err.code, ERR_TOO_LONG);
	while (n < ARRAY_LEN(calls) && (calls[n] = call_limited(0, &err)) != NULL)
		n++;
	ck_assert_uint_eq(n, 128);
	UNTIL(a.calls == 128);
	while (n > 0)
		relay_call_close(calls[--n]);
	relay_call_close(call_begin());
}
END_TEST

/* Text that nobody takes is kept up to a bound; then the call ends, and nothing else. */
START_TEST(too_much_text)
{
	AUTO_STR struct str out = STR_INIT;
	AUTO_FREE char *much = xcalloc(100001, 1);
	struct relay_call *call = call_begin();
	struct err err = { 0 };

	memset(much, 'x', 100000);
	for (int i = 0; i < 20 && a.cancels == 0; i++) {
		door_reply(a.door, a.id, much, 100000);
		settle();
	}
	UNTIL(a.cancels == 1);
	ck_assert_int_eq(call_all(call, &out, &err), STREAM_FAILED);
	ck_assert_int_eq(err.code, ERR_TOO_LONG);
	ck_assert_uint_le(out.len, RELAY_TEXT_MAX);
	ck_assert_uint_gt(out.len, RELAY_TEXT_MAX - 100000);
	relay_call_close(call);
	relay_call_close(call_begin());
	ck_assert_uint_eq(a.losses, 0);
}
END_TEST

/* What gatehoused does not read is not kept without end either. */
START_TEST(reply_without_reader)
{
	AUTO_FREE char *much = xcalloc(100001, 1);
	unsigned int n = 0;

	relay_call_close(call_begin());
	memset(much, 'x', 100000);
	while (n < 1000 && door_reply(a.door, a.id, much, 100000))
		n++;
	ck_assert_uint_ge(n, 10);
	ck_assert_uint_lt(n, 1000);
}
END_TEST

/* ---- ends that go away ---- */

START_TEST(syncd_dies)
{
	AUTO_STR struct str out = STR_INIT;
	struct relay_call *call = call_begin();
	struct err err = { 0 };

	a.door = door_free(a.door);
	ck_assert_int_eq(call_all(call, &out, &err), STREAM_FAILED);
	ck_assert_str_eq(err.text, "gatehouse-syncd is not running");
	relay_call_close(call);
	door_begin(&a);
	relay_call_close(call_begin());
}
END_TEST

START_TEST(gatehoused_restarts)
{
	struct relay_call *call = call_begin();

	server_end();
	UNTIL(a.losses == 1);
	relay_call_close(call);
	server_begin();
	push(5);
	UNTIL(a.clusters == 1);
	relay_call_close(call_begin());
	ck_assert_uint_eq(a.losses, 1);
	ck_assert_str_eq(str_text(&a.log), "6 gatehoused: attached\n"
					   "4 gatehoused: the connection is lost\n"
					   "6 gatehoused: attached\n");
}
END_TEST

/*
 * Who hangs up on each that attaches is left in peace for longer each time. Timers of one loop fire
 * in the order of their times, however late: of two that begin in the same callback, as this one
 * and the door's own do when a connection is lost, the shorter one is the first.
 */
static struct event *wait;
static bool waited;

static void wait_is_over(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	(void)arg;
	waited = true;
}

static void lost_and_wait(void *arg) {
	const struct timeval longer_than_the_first = { .tv_usec = 300000 };

	hear_lost(arg);
	event_add(wait, &longer_than_the_first);
}

START_TEST(turned_away_again_and_again)
{
	const struct door_calls calls = { &a,	       hear_cluster,  hear_autoscale, hear_call,
					  hear_cancel, lost_and_wait, hear_log };
	struct err err = { 0 };

	wait = evtimer_new(base, wait_is_over, NULL);
	a.door = door_free(a.door);
	a.door = door_new(base, path, &calls, &err);
	push(1);
	for (unsigned int n = 1; n <= 3; n++) {
		waited = false;
		UNTIL(a.clusters == n);
		ck_assert(n < 3 || waited);
		server_end();
		UNTIL(a.losses == n);
		server_begin();
	}
	event_free(wait);
}
END_TEST

/* It waits for a daemon that is not there yet, and says so once. */
START_TEST(gatehoused_starts_later)
{
	server_end();
	while (str_text(&a.log)[0] == '\0')
		event_base_loop(base, EVLOOP_ONCE);
	event_base_loop(base, EVLOOP_ONCE);
	server_begin();
	UNTIL(relay_is_attached(relay));
	settle();
	ck_assert_str_eq(str_text(&a.log),
			 "4 gatehoused: not reached yet: No such file or directory\n"
			 "6 gatehoused: attached\n");
}
END_TEST

/* One at a time; the other one gets its turn. */
START_TEST(one_at_a_time)
{
	struct heard b = { .clusters = 0 };

	UNTIL(relay_is_attached(relay));
	door_begin(&b);
	UNTIL(b.log.len > 0);
	ck_assert_str_eq(str_text(&b.log),
			 "4 gatehoused: not reached yet: another one is attached\n");
	push(6);
	UNTIL(a.clusters == 1);
	ck_assert_uint_eq(b.clusters, 0);
	a.door = door_free(a.door);
	UNTIL(b.clusters == 1);
	heard_done(&b);
}
END_TEST

/* ---- other ends ---- */

static int dial(void) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(addr.sun_path, path);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	return fd;
}

static void write_frame(int fd, const struct buf *b) {
	uint32_t len = htonl((uint32_t)b->len);

	ck_assert_int_eq(write(fd, &len, 4), 4);
	ck_assert_int_eq(write(fd, b->data, b->len), (ssize_t)b->len);
}

/* Attach by hand. */
static int attach(void) {
	AUTO_BUF struct buf hello = BUF_INIT, frame = BUF_INIT;
	int fd;

	a.door = door_free(a.door);
	UNTIL(!relay_is_attached(relay));
	fd = dial();
	buf_put_u8(&hello, CTL_HELLO);
	buf_put_u32(&hello, CTL_VERSION);
	buf_put_str(&hello, schema_digest);
	write_frame(fd, &hello);
	buf_put_u8(&frame, CTL_ATTACH);
	write_frame(fd, &frame);
	UNTIL(relay_is_attached(relay));
	return fd;
}

/* One that reads nothing is let go when too much waits for it; gatehoused never waits. */
START_TEST(deaf)
{
	int fd = attach();
	unsigned int n = 0;

	for (; n < 100000 && relay_is_attached(relay); n++) {
		push((uint8_t)n);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	ck_assert(!relay_is_attached(relay));
	close(fd);
	door_begin(&a);
	UNTIL(relay_is_attached(relay));
}
END_TEST

/* Frames that an attached program may not send. */
static const struct {
	const char *what;
	uint8_t byte[32];
	size_t len;
} nonsense[] = {
	{ "no type", { 0 }, 1 },
	{ "a request", { CTL_BEGIN }, 1 },
	{ "another hello", { CTL_HELLO, 0, 0, 0, CTL_VERSION, 0, 0, 0, 0 }, 9 },
	{ "attach once more", { CTL_ATTACH }, 1 },
	{ "a reply without a text", { CTL_REPLY, 0, 0, 0, 1 }, 5 },
	{ "a reply with more", { CTL_REPLY, 0, 0, 0, 1, 0, 0, 0, 1, 'x', 'y' }, 11 },
	{ "a text that is not there", { CTL_REPLY, 0, 0, 0, 1, 0, 0, 0, 9, 'x' }, 10 },
	{ "an end without a code", { CTL_REPLY_END, 0, 0, 0, 1 }, 5 },
	{ "a type of answers", { CTL_OK, 0, 0, 0, 0 }, 5 },
};

START_TEST(nonsense_from_syncd)
{
	AUTO_BUF struct buf b = BUF_INIT;
	int fd = attach();

	buf_put_bytes(&b, nonsense[_i].byte, nonsense[_i].len);
	write_frame(fd, &b);
	UNTIL(!relay_is_attached(relay));
	close(fd);
}
END_TEST

/* A frame that is longer than any is not waited for. */
START_TEST(endless_frame)
{
	uint32_t len = htonl(CTL_ATTACHED_MAX + 1);
	int fd = attach();

	ck_assert_int_eq(write(fd, &len, 4), 4);
	UNTIL(!relay_is_attached(relay));
	close(fd);
}
END_TEST

/* What a false gatehoused may say to the hello, and what the door says to that. */
static const struct {
	uint8_t byte[32];
	size_t len;
	const char *why;
} answers[] = {
	{ { CTL_STATE }, 1, "it does not speak as this program does" },
	{ { CTL_STATE, CTL_STATE_COUNT }, 2, "it does not speak as this program does" },
	{ { CTL_CALL, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0 }, 12, "it does not speak as this program does" },
	{ { CTL_ERROR, 0, 0, 0, 1, 0, 0, 0, 4, 'n', 'o', '\n', '!' }, 13, "no !" },
	{ { 0 }, 0, "a frame is out of bounds" },
};

START_TEST(nonsense_from_gatehoused)
{
	AUTO_FREE char *line = xasprintf("4 gatehoused: not reached yet: %s\n", answers[_i].why);
	AUTO_BUF struct buf b = BUF_INIT;
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), peer;

	heard_done(&a);
	server_end();
	strcpy(addr.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	door_begin(&a);
	while ((peer = accept(fd, NULL, NULL)) < 0)
		event_base_loop(base, EVLOOP_NONBLOCK);
	buf_put_bytes(&b, answers[_i].byte, answers[_i].len);
	write_frame(peer, &b);
	UNTIL(a.log.len > 0);
	ck_assert_str_eq(str_text(&a.log), line);
	ck_assert_uint_eq(a.losses + a.clusters + a.calls, 0);
	close(peer);
	close(fd);
	unlink(path);
}
END_TEST

START_TEST(long_path)
{
	AUTO_FREE char *longer = xasprintf("/%0200d", 1);
	const struct door_calls calls = { .log = hear_log };
	struct err err = { 0 };

	ck_assert_ptr_null(door_new(base, longer, &calls, &err));
	ck_assert_int_eq(err.code, ERR_STORE);
}
END_TEST

int main(void) {
	Suite *suite = suite_create("door");
	TCase *tc = fixture_case(suite, "door");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, pushed);
	tcase_add_test(tc, pushed_autoscale);
	tcase_add_test(tc, pushed_late);
	tcase_add_test(tc, said_ready);
	tcase_add_test(tc, answered);
	tcase_add_test(tc, answered_by_an_error);
	tcase_add_test(tc, several);
	tcase_add_test(tc, cancelled);
	tcase_add_test(tc, nobody_attached);
	tcase_add_test(tc, silence);
	tcase_add_test(tc, bounds_of_calls);
	tcase_add_test(tc, too_much_text);
	tcase_add_test(tc, reply_without_reader);
	tcase_add_test(tc, syncd_dies);
	tcase_add_test(tc, gatehoused_restarts);
	tcase_add_test(tc, turned_away_again_and_again);
	tcase_add_test(tc, gatehoused_starts_later);
	tcase_add_test(tc, one_at_a_time);
	tcase_add_test(tc, deaf);
	tcase_add_loop_test(tc, nonsense_from_syncd, 0, ARRAY_LEN(nonsense));
	tcase_add_test(tc, endless_frame);
	tcase_add_loop_test(tc, nonsense_from_gatehoused, 0, ARRAY_LEN(answers));
	tcase_add_test(tc, long_path);
	return fixture_run(suite);
}
