/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections over TCP between two units, each in a network namespace of its own: who gets in, who
 * does not and what that costs, and what is told of connections that come and go.
 */
#include "sync/channels.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <event2/event.h>
#include <malloc.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"
#include "tests/lib/pair.h"

#define CONNECTS 2000

/* A unit, and what it was told last. */
static struct unit {
	const char *serial;
	uint8_t key;
	bool no_key;
	struct channels *channels;
	struct wire_peers peers;
	unsigned int n_up, n_down, n_failed, n_refused, n_frames;
	unsigned int channel;            /* the last one that came up, from either side */
	unsigned int initiated[2];       /* the last one that came up, by who began: other, own */
	unsigned int down;               /* the last one that went down */
	struct channel_info info;
	char why[128];
	size_t len;
	uint8_t frame[CHANNEL_FRAME_MAX];
	bool echo, reconnect, close_at_once, open;
} units[2];

static bool unit_psk(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]) {
	const struct unit *u = arg;

	memset(psk, u->key, CHANNEL_PSK);
	memcpy(psk, initiator, strlen(initiator));
	return !u->no_key;
}

static void unit_up(void *arg, unsigned int channel, const struct channel_info *info) {
	struct unit *u = arg;

	u->n_up++;
	u->channel = channel;
	u->initiated[info->initiator] = channel;
	u->info = *info;
	if (u->close_at_once)
		channels_close(u->channels, channel);
}

static void unit_frame(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	struct unit *u = arg;

	u->n_frames++;
	u->len = len;
	memcpy(u->frame, data, len);
	if (u->echo)
		ck_assert(channels_send(u->channels, channel, data, len));
}

static void unit_down(void *arg, unsigned int channel, const char *why) {
	struct unit *u = arg;

	u->n_down++;
	u->down = channel;
	snprintf(u->why, sizeof(u->why), "%s", why);
	ck_assert(!channels_send(u->channels, channel, (const uint8_t *)"x", 1));
	channels_close(u->channels, channel);
}

/* Connect to its nth peer. */
static void unit_connect(struct unit *u, unsigned int n) {
	channels_connect(u->channels, &u->peers.peer[n].ip);
}

static void unit_failed(void *arg, const union net_addr *ip, const char *why) {
	struct unit *u = arg;

	ck_assert(net_equal(ip, &u->peers.peer[0].ip));
	u->n_failed++;
	snprintf(u->why, sizeof(u->why), "%s", why);
	if (u->reconnect && u->n_failed < 5)
		unit_connect(u, 0);
}

static void unit_refused(void *arg, const union net_addr *ip, const char *why) {
	struct unit *u = arg;

	ck_assert(ip->word[0] != 0 && *why);
	u->n_refused++;
}

static struct channels_limits limits = { 32, 4, 8, 1000000, 1000000, 60000 };

static void unit_start(unsigned int n) {
	struct unit *u = &units[n];
	const struct channels_calls calls = { u,	 unit_psk,    unit_up,
					      unit_frame, unit_down, unit_failed, unit_refused };
	const struct channels_config config = { .serial = u->serial,
						.port = WIRE_PORT,
						.open = u->open,
						.output_max = CHANNELS_OUTPUT_MAX,
						.limits = limits };
	struct err err = { 0 };

	pair_enter(n);
	u->channels = channels_new(pair_base[n], &config, &calls, &err);
	ck_assert_msg(u->channels != NULL, "%s", err.text);
	channels_peers(u->channels, &u->peers);
}

static void setup(void) {
	pair_setup();
	memset(units, 0, sizeof(units));
	units[0].serial = "GHVM0000000000AA";
	units[1].serial = "GHVM0000000000BB";
	units[0].peers = (struct wire_peers){ 1, { { .ip = pair_ip("10.9.0.2") } } };
	units[1].peers = (struct wire_peers){ 1, { { .ip = pair_ip("10.9.0.1") } } };
	limits = (struct channels_limits){ 32, 4, 8, 1000000, 1000000, 60000 };
}

static void start_both(void) {
	unit_start(0);
	unit_start(1);
}

static void teardown(void) {
	for (int i = 0; i < 2; i++)
		channels_free(units[i].channels);
	pair_teardown();
}

static const struct channels_stats *stats(unsigned int n) {
	return channels_stats(units[n].channels);
}

static bool both_up(void) {
	return units[0].n_up == 1 && units[1].n_up == 1;
}

static bool both_up_twice(void) {
	return units[0].n_up == 2 && units[1].n_up == 2;
}

static bool failed_once(void) {
	return units[1].n_failed == 1;
}

static bool down_0(void) {
	return units[0].n_down == 1;
}

static bool down_1(void) {
	return units[1].n_down == 1;
}

static bool frame_1(void) {
	return units[1].n_frames > 0;
}

static void connect_up(void) {
	pair_enter(1);
	unit_connect(&units[1], 0);
	pair_until(both_up);
}

/* ---- members ---- */

START_TEST(test_up) {
	start_both();
	connect_up();
	ck_assert(units[1].info.initiator && !units[0].info.initiator);
	ck_assert_str_eq(units[0].info.serial, "GHVM0000000000BB");
	ck_assert_str_eq(units[1].info.serial, "GHVM0000000000BB");
	ck_assert_mem_eq(units[0].info.master, units[1].info.master, CHANNEL_MASTER);
	units[0].echo = true;
	ck_assert(channels_send(units[1].channels, units[1].channel, (const uint8_t *)"hello", 5));
	pair_until(frame_1);
	ck_assert_uint_eq(units[1].len, 5);
	ck_assert_mem_eq(units[1].frame, "hello", 5);
	ck_assert_uint_eq(stats(0)->up, 1);
	ck_assert_uint_eq(stats(0)->refused + stats(0)->crowded + stats(0)->strangers, 0);
}
END_TEST

START_TEST(test_both_begin) {
	uint8_t frame[CHANNEL_FRAME_MAX] = { 1, 2, 3 };

	start_both();
	for (unsigned int i = 0; i < 2; i++) {
		pair_enter(i);
		unit_connect(&units[i], 0);
		unit_connect(&units[i], 0); /* it is under way */
	}
	pair_until(both_up_twice);
	for (unsigned int i = 0; i < 2; i++)
		ck_assert_uint_ne(units[i].initiated[0], units[i].initiated[1]);
	/* One of them goes, the other stays. */
	channels_close(units[0].channels, units[0].initiated[0]);
	pair_until(down_1);
	ck_assert_uint_eq(units[1].down, units[1].initiated[1]);
	ck_assert_str_eq(units[1].why, "the other end has closed the connection");
	ck_assert(channels_send(units[0].channels, units[0].initiated[1], frame, sizeof(frame)));
	pair_until(frame_1);
	ck_assert_uint_eq(units[1].len, sizeof(frame));
	ck_assert_mem_eq(units[1].frame, frame, sizeof(frame));
	ck_assert_uint_eq(units[0].n_down, 0); /* who closes is not told */
}
END_TEST

/* What was sent before it was closed arrives. */
START_TEST(test_send_and_close) {
	uint8_t frame[CHANNEL_FRAME_MAX] = { 0 };

	start_both();
	connect_up();
	for (int i = 0; i < 10; i++)
		ck_assert(channels_send(units[0].channels, units[0].channel, frame, sizeof(frame)));
	channels_close(units[0].channels, units[0].channel);
	ck_assert(!channels_send(units[0].channels, units[0].channel, frame, 1));
	pair_until(down_1);
	ck_assert_uint_eq(units[1].n_frames, 10);
	ck_assert_uint_eq(units[0].n_down, 0);
}
END_TEST

START_TEST(test_close_at_once) {
	units[0].close_at_once = true;
	start_both();
	connect_up();
	pair_until(down_1);
	ck_assert_uint_eq(units[0].n_down, 0);
}
END_TEST

static unsigned int count_files(void) {
	DIR *dir = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n;
}

static bool cycle_done(void) {
	return units[0].n_up == units[1].n_up && units[0].n_down == units[0].n_up;
}

/* Each has a secret of its own; nothing of one is left when it has gone. */
START_TEST(test_many) {
	uint8_t master[CHANNEL_MASTER] = { 0 };
	unsigned int files = 0;
	size_t memory = 0;

	start_both();
	for (int i = 0; i < CONNECTS; i++) {
		units[0].n_up = units[1].n_up = units[0].n_down = 0;
		connect_up();
		ck_assert_mem_eq(units[0].info.master, units[1].info.master, CHANNEL_MASTER);
		ck_assert_mem_ne(units[0].info.master, master, CHANNEL_MASTER);
		memcpy(master, units[0].info.master, sizeof(master));
		channels_close(units[1].channels, units[1].channel);
		pair_until(cycle_done);
		if (i == 200) {
			files = count_files();
			memory = mallinfo2().uordblks;
		}
	}
	ck_assert_uint_eq(count_files(), files);
	ck_assert_uint_le(mallinfo2().uordblks, memory + 65536);
	ck_assert_uint_eq(stats(0)->up, CONNECTS);
}
END_TEST

START_TEST(test_peer_goes) {
	const struct wire_peers none = { 0 };

	start_both();
	connect_up();
	channels_peers(units[0].channels, &none);
	ck_assert_uint_eq(units[0].n_down, 0); /* later, out of the loop */
	pair_until(down_0);
	ck_assert_str_eq(units[0].why, "it is no member any more");
	pair_until(down_1);
}
END_TEST

/* The numbers of peers change while a connection is up. */
START_TEST(test_peer_moves) {
	struct wire_peers more = { 2, { { .ip = pair_ip("10.9.0.77") },
					{ .ip = pair_ip("10.9.0.2") } } };

	units[0].peers = more;
	start_both();
	connect_up();
	ck_assert(net_equal(&units[0].info.ip, &units[0].peers.peer[1].ip));
	more.peer[0] = more.peer[1];
	channels_peers(units[0].channels, &more);
	pair_turn();
	ck_assert(channels_send(units[0].channels, units[0].channel, (const uint8_t *)"x", 1));
	pair_until(frame_1);
}
END_TEST

/* The source address is that which is configured; the other end knows no other. */
START_TEST(test_source) {
	pair_run(1, "ip addr add 10.9.0.22/24 dev v1");
	units[0].peers.peer[0].ip = pair_ip("10.9.0.22");
	units[1].peers.peer[0].source = pair_ip("10.9.0.22");
	start_both();
	connect_up();
}
END_TEST

/* Who may come from anywhere proves himself by the key, and is known by his address. */
START_TEST(test_open) {
	union net_addr from;

	units[0].open = true;
	units[0].peers.n = 0;
	start_both();
	connect_up();
	from = pair_ip("10.9.0.2");
	ck_assert(net_equal(&units[0].info.ip, &from));
	pair_enter(0);
	channels_connect(units[0].channels, &from);
	pair_until(both_up_twice);
	ck_assert_uint_eq(stats(0)->strangers, 0);
}
END_TEST

/* A daemon that ended, as the other one sees it, and comes back: its port can be had at once. */
START_TEST(test_restart) {
	start_both();
	connect_up();
	units[_i].channels = channels_free(units[_i].channels);
	pair_until(_i ? down_0 : down_1);
	unit_start((unsigned int)_i);
	pair_enter(!_i);
	unit_connect(&units[!_i], 0);
	pair_until(both_up_twice);
}
END_TEST

static bool ended;

static void time_over(evutil_socket_t fd, short what, void *arg) {
	ended = true;
}

static bool has_ended(void) {
	return ended;
}

/* The limit of a handshake is none of a connection. */
START_TEST(test_stays_up) {
	const struct timeval longer = { .tv_sec = 2, .tv_usec = 200000 };
	struct event *timer = evtimer_new(pair_base[0], time_over, NULL);

	limits.hello_ms = 2000;
	start_both();
	connect_up();
	ck_assert_int_eq(evtimer_add(timer, &longer), 0);
	pair_until(has_ended);
	ck_assert_uint_eq(units[0].n_down + units[1].n_down, 0);
	ck_assert(channels_send(units[0].channels, units[0].channel, (const uint8_t *)"x", 1));
	pair_until(frame_1);
	event_free(timer);
}
END_TEST

START_TEST(test_port_taken) {
	const struct channels_calls calls = { .psk = unit_psk };
	const struct channels_config config = { .serial = "GHVM0000000000CC", .port = WIRE_PORT };
	struct err err = { 0 };

	unit_start(0);
	ck_assert_ptr_null(channels_new(pair_base[0], &config, &calls, &err));
	ck_assert_str_eq(err.text, "TCP port 708 cannot be had: Address already in use");
}
END_TEST

/* ---- it does not come up ---- */

static void connect_fails(const char *why) {
	pair_enter(1);
	unit_connect(&units[1], 0);
	ck_assert_uint_eq(units[1].n_failed, 0); /* later, out of the loop */
	pair_until(failed_once);
	ck_assert_str_eq(units[1].why, why);
	ck_assert_uint_eq(units[0].n_up + units[1].n_up, 0);
}

static bool refusal_told(void) {
	return units[0].n_refused == 1;
}

/* From the address of a peer, and from any where all may come. */
START_TEST(test_wrong_key) {
	units[0].open = _i;
	units[0].peers.n -= (unsigned int)_i;
	units[1].key = 7;
	start_both();
	connect_fails("the other end has closed the connection: is the key the same?");
	ck_assert_uint_eq(stats(0)->refused, 1);
	pair_until(refusal_told);
}
END_TEST

START_TEST(test_same_serial) {
	units[1].serial = units[0].serial;
	start_both();
	connect_fails("the other end has closed the connection: is the key the same?");
	ck_assert_uint_eq(stats(0)->refused, 1);
}
END_TEST

START_TEST(test_no_key) {
	units[1].no_key = true;
	start_both();
	connect_fails("there is no key");
}
END_TEST

START_TEST(test_nobody) {
	unit_start(1);
	connect_fails("Connection refused");
}
END_TEST

START_TEST(test_no_way) {
	const union net_addr nobody = pair_ip("10.9.0.77");

	units[1].peers.peer[0].ip = pair_ip("192.0.2.1");
	unit_start(1);
	connect_fails("Network is unreachable");
	channels_connect(units[1].channels, &nobody); /* no such peer */
	units[1].reconnect = true;              /* from within `failed` */
	unit_connect(&units[1], 0);
	while (units[1].n_failed < 5)
		pair_turn();
}
END_TEST

START_TEST(test_strangers_address) {
	units[0].peers.peer[0].ip = pair_ip("10.9.0.99");
	start_both();
	connect_fails("Connection reset by peer");
	ck_assert_uint_eq(stats(0)->strangers, 1);
}
END_TEST

static bool late_1(void) {
	return stats(0)->late == 1;
}

/* ---- whoever has the address of a member, but no key ---- */

static int raw_connect(const char *source) {
	const union net_addr from = pair_ip(source), to = pair_ip("10.9.0.1");
	struct sockaddr_in addr = wire_sockaddr(&to, WIRE_PORT);
	int fd;

	pair_enter(1);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(wire_bind(fd, &from));
	ck_assert_msg(connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0, "%s", strerror(errno));
	return fd;
}

/* Bytes that came until the other end closed: none. */
static void assert_closed(int fd) {
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t byte;
	ssize_t n;

	while (poll(&p, 1, 1) == 0)
		pair_turn();
	n = recv(fd, &byte, 1, MSG_DONTWAIT);
	ck_assert(n == 0 || (n < 0 && errno == ECONNRESET));
	close(fd);
}

/* One who says nothing, or one byte after the other, has no more time than others. */
START_TEST(test_slow) {
	int fd;

	limits.hello_ms = 300;
	unit_start(0);
	fd = raw_connect("10.9.0.2");
	while (!late_1()) {
		if (_i)
			send(fd, "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 1, MSG_NOSIGNAL);
		pair_turn();
		poll(NULL, 0, 10);
		if (_i && stats(0)->refused)
			break; /* bytes of no hello */
	}
	assert_closed(fd);
	ck_assert_uint_eq(stats(0)->late + stats(0)->refused, 1);
}
END_TEST

/* The other end takes the connection and says nothing. */
START_TEST(test_silent_listener) {
	const union net_addr any = { 0 };
	struct sockaddr_in addr = wire_sockaddr(&any, WIRE_PORT);
	int fd;

	limits.hello_ms = 100;
	pair_enter(0);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	unit_start(1);
	connect_fails("it took too long");
	ck_assert_uint_eq(stats(1)->late, 1);
	close(fd);
}
END_TEST

static const struct {
	const char *bytes;
	size_t len;
} garbage[] = {
	{ "GET / HTTP/1.0\r\n\r\n", 18 },
	{ "\x15\x03\x03\x00\x02\x02\x28", 7 },           /* an alert */
	{ "\x17\x03\x03\x00\x05hello", 10 },              /* data before any handshake */
	{ "\x16\x03\x01\xff\xff\x01\x00\x00\x00", 9 },    /* a record that is too long */
};

START_TEST(test_garbage) {
	int fd;

	unit_start(0);
	fd = raw_connect("10.9.0.2");
	ck_assert_int_eq(send(fd, garbage[_i].bytes, garbage[_i].len, MSG_NOSIGNAL),
			 (ssize_t)garbage[_i].len);
	assert_closed(fd);
	ck_assert_uint_eq(stats(0)->refused, 1);
}
END_TEST

static unsigned int n_raw;

static bool all_taken(void) {
	return stats(0)->crowded + 4 == n_raw;
}

static bool flood_over(void) {
	return stats(0)->refused == 4;
}

/* Connections that say nothing: few of one address are kept, and other members get in. */
START_TEST(test_flood) {
	int fds[100];

	pair_run(1, "ip addr add 10.9.0.3/24 dev v1");
	units[0].peers.n = 2;
	units[0].peers.peer[1].ip = pair_ip("10.9.0.3");
	units[1].peers.peer[0].source = pair_ip("10.9.0.3");
	start_both();
	for (n_raw = 0; n_raw < ARRAY_LEN(fds); n_raw++) {
		fds[n_raw] = raw_connect("10.9.0.2");
		pair_turn();
	}
	pair_until(all_taken);
	connect_up();
	for (unsigned int i = 0; i < n_raw; i++)
		close(fds[i]);
	pair_until(flood_over);
	ck_assert_uint_eq(stats(0)->crowded, n_raw - 4);
	ck_assert_uint_eq(units[0].n_refused, n_raw);
}
END_TEST

/* All of them together have a bound, too. */
START_TEST(test_flood_of_all) {
	char address[16];
	int fds[10];

	limits.opening = 6;
	for (unsigned int i = 0; i < ARRAY_LEN(fds); i++) {
		snprintf(address, sizeof(address), "10.9.0.%u", 30 + i);
		units[0].peers.peer[i].ip = pair_ip(address);
	}
	units[0].peers.n = ARRAY_LEN(fds);
	pair_run(1, "for i in $(seq 30 39); do ip addr add 10.9.0.$i/24 dev v1; done");
	unit_start(0);
	for (unsigned int i = 0; i < ARRAY_LEN(fds); i++) {
		snprintf(address, sizeof(address), "10.9.0.%u", 30 + i);
		fds[i] = raw_connect(address);
		while (poll(&(struct pollfd){ .fd = fds[i], .events = POLLIN }, 1, 0) == 0 &&
		       i >= 6)
			pair_turn();
		pair_turn();
	}
	ck_assert_uint_eq(stats(0)->crowded, 4);
	for (unsigned int i = 0; i < ARRAY_LEN(fds); i++)
		close(fds[i]);
}
END_TEST

/* So many at once, then so many in a second: a handshake costs a good part of a millisecond. */
START_TEST(test_rate) {
	limits.per_s = 1;
	limits.burst = 3;
	unit_start(0);
	for (unsigned int i = 0; i < 3; i++) {
		int fd = raw_connect("10.9.0.2");

		ck_assert_int_eq(send(fd, "garbage", 7, MSG_NOSIGNAL), 7);
		assert_closed(fd);
	}
	ck_assert_uint_eq(stats(0)->refused, 3);
	ck_assert_uint_eq(stats(0)->crowded, 0);
	for (unsigned int i = 0; stats(0)->crowded == 0; i++) { /* unless that took a second each */
		ck_assert_uint_lt(i, 100);
		assert_closed(raw_connect("10.9.0.2"));
	}
	ck_assert_uint_le(stats(0)->refused, 103);
}
END_TEST

/* Those that are up have a bound as well: a member may be out of its mind. */
START_TEST(test_too_many_up) {
	start_both();
	for (unsigned int i = 0; i < limits.each; i++) {
		units[0].n_up = units[1].n_up = 0;
		connect_up();
	}
	pair_enter(1);
	unit_connect(&units[1], 0);
	pair_until(failed_once);
	ck_assert_uint_eq(stats(0)->crowded, 1);
	ck_assert_uint_eq(units[0].n_down, 0);
}
END_TEST

/* A member that takes nothing of what it is sent costs a bounded buffer, then its connection. */
START_TEST(test_takes_nothing) {
	uint8_t frame[CHANNEL_FRAME_MAX] = { 0 };
	unsigned int n = 0;

	start_both();
	connect_up();
	pair_enter(0);
	while (units[0].n_down == 0) {
		channels_send(units[0].channels, units[0].channel, frame, sizeof(frame));
		event_base_loop(pair_base[0], EVLOOP_NONBLOCK);
		ck_assert_uint_lt(n++, 100000);
	}
	ck_assert_str_eq(units[0].why, "the other end does not take what is sent");
}
END_TEST

/* ---- openssl(1) ---- */

static char *write_session(uint8_t key) {
	AUTO_FREE char *dir = fixture_dir();
	char *path = xasprintf("%s/psk.pem", dir);
	const char *serial = "GHVM0000000000BB";
	SSL_CTX *ctx = SSL_CTX_new(TLS_method());
	SSL *ssl = SSL_new(ctx);
	SSL_SESSION *session = SSL_SESSION_new();
	uint8_t psk[CHANNEL_PSK];
	FILE *f = fopen(path, "w");

	memset(psk, key, sizeof(psk));
	memcpy(psk, serial, strlen(serial));
	ck_assert_ptr_nonnull(f);
	ck_assert_int_eq(SSL_SESSION_set1_master_key(session, psk, sizeof(psk)), 1);
	ck_assert_int_eq(SSL_SESSION_set_cipher(session, SSL_CIPHER_find(ssl, (uint8_t *)"\x13\x02")),
			 1);
	ck_assert_int_eq(SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION), 1);
	ck_assert_int_eq(PEM_write_SSL_SESSION(f, session), 1);
	fclose(f);
	SSL_SESSION_free(session);
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	return path;
}

/* Run openssl(1) in the namespace of unit 1 while unit 0 is served; its exit status. */
static int s_client(const char *bytes, const char *session, const char *options) {
	AUTO_FREE char *command = xasprintf("printf '%s' | openssl s_client -quiet -no_ign_eof "
					    "-connect 10.9.0.1:708 -psk_session %s %s "
					    ">/dev/null 2>&1",
					    bytes, session, options);
	pid_t pid;
	int status;

	pair_enter(1);
	pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	while (waitpid(pid, &status, WNOHANG) == 0) {
		pair_turn();
		poll(NULL, 0, 1);
	}
	ck_assert(WIFEXITED(status));
	ck_assert_int_ne(WEXITSTATUS(status), 127);
	return WEXITSTATUS(status);
}

static const struct {
	uint8_t key;
	const char *options;
	bool good;
} clients[] = {
	{ 0, "-psk_identity GHVM0000000000BB", true },
	{ 1, "-psk_identity GHVM0000000000BB", false },
	{ 0, "-psk_identity GHVM0000000000CC", false },
	{ 0, "-psk_identity GHVM0000000000BB -groups P-256", false },
	{ 0, "-psk_identity GHVM0000000000BB -ciphersuites TLS_AES_128_GCM_SHA256", false },
	{ 0, "-tls1_2", false },
};

START_TEST(test_s_client) {
	AUTO_FREE char *session = write_session(clients[_i].key);

	unit_start(0);
	s_client("\\0\\3abc", session, clients[_i].options);
	ck_assert_uint_eq(units[0].n_up, clients[_i].good);
	ck_assert_uint_eq(units[0].n_frames, clients[_i].good);
	ck_assert_uint_eq(stats(0)->refused, !clients[_i].good);
	if (clients[_i].good)
		ck_assert_mem_eq(units[0].frame, "abc", 3);
}
END_TEST

/* A member that has the key and does not speak our language. */
START_TEST(test_no_frame) {
	AUTO_FREE char *session = write_session(0);

	unit_start(0);
	s_client("\\377\\377xyz", session, clients[0].options);
	pair_until(down_0);
	ck_assert_str_eq(units[0].why, "the other end sent what is no frame");
	ck_assert_uint_eq(units[0].n_frames, 0);
	ck_assert_uint_eq(stats(0)->broken, 1);
}
END_TEST

static Suite *channels_suite(void) {
	Suite *s = suite_create("channels");
	TCase *t = fixture_case(s, "channels");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_up);
	tcase_add_test(t, test_both_begin);
	tcase_add_test(t, test_send_and_close);
	tcase_add_test(t, test_close_at_once);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_peer_goes);
	tcase_add_test(t, test_peer_moves);
	tcase_add_test(t, test_source);
	tcase_add_test(t, test_open);
	tcase_add_loop_test(t, test_restart, 0, 2);
	tcase_add_test(t, test_stays_up);
	tcase_add_test(t, test_port_taken);
	tcase_add_loop_test(t, test_wrong_key, 0, 2);
	tcase_add_test(t, test_same_serial);
	tcase_add_test(t, test_no_key);
	tcase_add_test(t, test_nobody);
	tcase_add_test(t, test_no_way);
	tcase_add_test(t, test_strangers_address);
	tcase_add_loop_test(t, test_slow, 0, 2);
	tcase_add_test(t, test_silent_listener);
	tcase_add_loop_test(t, test_garbage, 0, ARRAY_LEN(garbage));
	tcase_add_test(t, test_flood);
	tcase_add_test(t, test_flood_of_all);
	tcase_add_test(t, test_rate);
	tcase_add_test(t, test_too_many_up);
	tcase_add_test(t, test_takes_nothing);
	tcase_add_loop_test(t, test_s_client, 0, ARRAY_LEN(clients));
	tcase_add_test(t, test_no_frame);
	return s;
}

int main(void) {
	return fixture_run(channels_suite());
}
