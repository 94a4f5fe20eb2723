/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How many sessions a second one unit takes in: sync_sink COUNT, in the current network namespace.
 *
 * Two state machines are in this process. One is told of COUNT sessions that do not exist, and its
 * datagrams wait. The other, which has the kernel behind it as in gatehouse-syncd, is given them as
 * fast as it goes, in batches as the socket gives them. Only its time is counted: opening, records,
 * fingerprints, and the kernel's work on the entries; not that of reading the socket.
 *
 * Prints sessions a second, us of CPU time for each, and how many entries were made.
 */
#include <event2/event.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tcp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "sync/link_socket.h"
#include "sync/sessions.h"

#define CHUNK 4000u                    /* sessions told before the other unit has its turn */
#define PORTS 50000u
#define QUEUE_BYTES (64u << 20)

enum mail_kind { FRAME, DATAGRAM, CLOSED };

struct mail {
	enum mail_kind kind;
	unsigned int channel;
	size_t len;
	uint8_t *data;
};

struct unit {
	const char *serial;
	struct fgsp *machine;
	struct sessions *sessions;     /* NULL: there is no kernel */
	struct unit *other;
	struct mail *mail;
	size_t n_mail, mail_size;
	bool connects, walks;
};

static unsigned int n_channels;

static void fail(const char *text) {
	fprintf(stderr, "sync_sink: %s\n", text);
	exit(1);
}

static uint64_t clock_ns(clockid_t clock) {
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t now_us(void) {
	return clock_ns(CLOCK_BOOTTIME) / 1000;
}

/* ---- what a machine asks for ---- */

static void post(struct unit *to, enum mail_kind kind, unsigned int channel, const uint8_t *data,
		 size_t len) {
	struct mail *m;

	if (to->n_mail == to->mail_size) {
		to->mail_size = to->mail_size ? 2 * to->mail_size : 64;
		to->mail = xreallocarray(to->mail, to->mail_size, sizeof(*to->mail));
	}
	m = &to->mail[to->n_mail++];
	*m = (struct mail){ kind, channel, len, xcalloc(1, len + 1) };
	if (len > 0)
		memcpy(m->data, data, len);
}

static bool env_datagram(void *arg, unsigned int link, const uint8_t *mac, const uint8_t *data,
			 size_t len) {
	struct unit *u = arg;

	(void)link;
	(void)mac;
	post(u->other, DATAGRAM, 0, data, len);
	return true;
}

static void env_connect(void *arg, unsigned int peer) {
	struct unit *u = arg;

	(void)peer;
	u->connects = true;
}

static void env_frame(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	struct unit *u = arg;

	post(u->other, FRAME, channel, data, len);
}

static void env_close(void *arg, unsigned int channel) {
	struct unit *u = arg;

	post(u->other, CLOSED, channel, NULL, 0);
}

static void env_write(void *arg, const struct fgsp_change *change) {
	struct unit *u = arg;

	if (u->sessions)
		sessions_write(u->sessions, change);
}

static bool env_get(void *arg, struct ct *ct) {
	struct unit *u = arg;

	return u->sessions && sessions_get(u->sessions, ct);
}

static void env_walk(void *arg) {
	struct unit *u = arg;

	if (u->sessions)
		sessions_walk(u->sessions);
	else
		u->walks = true;
}

static uint32_t env_timeout(void *arg, const struct ct *ct) {
	return sessions_timeout(((struct unit *)arg)->sessions, ct);
}

static bool env_full(void *arg) {
	return sessions_is_full(((struct unit *)arg)->sessions);
}

static bool env_interfaces(void *arg, const struct ct *ct, const char *srcintf,
			   const char *dstintf) {
	(void)arg;
	(void)ct;
	(void)srcintf;
	(void)dstintf;
	return true;
}

static void env_ready(void *arg) {
	(void)arg;
}

static void env_log(void *arg, int priority, const char *text) {
	(void)arg;
	(void)priority;
	(void)text;
}

static uint64_t env_random(void *arg) {
	uint64_t bits;

	(void)arg;
	random_bytes(&bits, sizeof(bits));
	return bits;
}

static uint64_t env_wall_ns(void *arg) {
	(void)arg;
	return clock_ns(CLOCK_REALTIME);
}

/* ---- what it is told ---- */

static void deliver(struct unit *u, struct mail *m) {
	if (m->kind == FRAME)
		fgsp_frame(u->machine, m->channel, m->data, m->len, now_us());
	else if (m->kind == DATAGRAM)
		fgsp_datagram(u->machine, 0, NULL, m->data, m->len, now_us());
	else
		fgsp_channel_down(u->machine, m->channel, now_us());
	free(m->data);
}

static void flush(struct unit *u) {
	if (u->sessions)
		sessions_flush(u->sessions);
	else
		fgsp_flush(u->machine, now_us());
}

static void connect_both(struct unit *u) {
	struct fgsp_channel_info up = { .initiator = true };

	u->connects = false;
	snprintf(up.serial, sizeof(up.serial), "%s", u->serial);
	memset(up.master, 7, sizeof(up.master));
	fgsp_channel_up(u->machine, ++n_channels, &up, now_us());
	up.initiator = false;
	fgsp_channel_up(u->other->machine, n_channels, &up, now_us());
}

static void turn(struct unit *u) {
	size_t n = u->n_mail;
	struct mail *mail = u->mail;

	u->mail = NULL;
	u->n_mail = u->mail_size = 0;
	for (size_t i = 0; i < n; i++) {
		deliver(u, &mail[i]);
		if (i % LINK_BATCH == LINK_BATCH - 1)
			flush(u);
	}
	free(mail);
	if (u->connects)
		connect_both(u);
	if (u->walks) {
		u->walks = false;
		fgsp_walk_end(u->machine, true, now_us());
	}
	if (fgsp_deadline(u->machine) <= now_us())
		fgsp_poll(u->machine, now_us());
	flush(u);
}

/* ---- its kernel ---- */

static void sessions_event(void *arg, enum fgsp_event what, const struct ct *ct) {
	fgsp_event(((struct unit *)arg)->machine, what, ct, false, now_us());
}

static void sessions_expect(void *arg, const struct ct_expect *expect) {
	fgsp_expect(((struct unit *)arg)->machine, expect, now_us());
}

static void sessions_overrun(void *arg) {
	fgsp_overrun(((struct unit *)arg)->machine, now_us());
}

static bool sessions_walk_room(void *arg) {
	return fgsp_walk_room(((struct unit *)arg)->machine);
}

static void sessions_walk_entry(void *arg, const struct ct *ct) {
	fgsp_walk_entry(((struct unit *)arg)->machine, ct, now_us());
}

static void sessions_walk_end(void *arg, bool whole) {
	fgsp_walk_end(((struct unit *)arg)->machine, whole, now_us());
}

static void sessions_failed(void *arg, const struct fgsp_change *change, int error) {
	fgsp_write_failed(((struct unit *)arg)->machine, change, error, now_us());
}

static void sessions_flushed(void *arg) {
	fgsp_flush(((struct unit *)arg)->machine, now_us());
}

/* ---- the whole ---- */

static void begin(struct unit *u, struct unit *other, struct event_base *base) {
	const struct fgsp_env env = {
		.arg = u, .queue_bytes = QUEUE_BYTES, .datagram = env_datagram,
		.connect = env_connect, .frame = env_frame, .close = env_close,
		.write = env_write, .get = env_get, .walk = env_walk,
		.timeout = env_timeout, .full = env_full, .interfaces = env_interfaces,
		.ready = env_ready, .log = env_log, .random = env_random, .wall_ns = env_wall_ns };
	const struct sessions_config config = { .base = base, .log = env_log };
	const struct sessions_calls calls = { u, sessions_event, sessions_expect,
					      sessions_overrun, sessions_walk_room,
					      sessions_walk_entry, sessions_walk_end,
					      sessions_failed, sessions_flushed };
	struct err err = { 0 };

	u->other = other;
	u->machine = fgsp_new(&env, now_us());
	u->sessions = base ? sessions_new(&config, &err) : NULL;
	if (base && (!u->sessions || sessions_serve(u->sessions, &calls, &err) != 0))
		fail(err.text);
}

static void configure(struct unit *u, uint32_t peer) {
	struct cluster c = { .encrypt = true, .has_key = true, .tcp = true, .nat = true,
			     .n_peers = 1 };

	snprintf(c.serial, sizeof(c.serial), "%s", u->serial);
	memset(c.key, 0x5a, sizeof(c.key));
	c.peer[0] = (struct cluster_peer){ .sync_id = 1, .sync_root = true, .all_vdoms = true,
					   .ip = net_ipv4(peer), .hb_interval_ms = 1000,
					   .hb_lost = 60 };
	fgsp_configure(u->machine, &c, now_us());
	fgsp_link(u->machine, 0, true, 1500, now_us());
}

static struct ct session(uint32_t i) {
	struct ct ct = { .family = AF_INET, .proto = IPPROTO_TCP, .timeout = 3000, .mark = 7 };
	uint16_t port = (uint16_t)(1024 + i % PORTS);
	union net_addr client = net_ipv4(0x0a010000u + i / PORTS);

	ct.tuple[CT_ORIG] = (struct ct_tuple){ client, net_ipv4(0xc000020a), port, 443, 0 };
	ct.tuple[CT_REPLY] = (struct ct_tuple){ net_ipv4(0xc6336414), client, 8443, port, 0 };
	ct.state = TCP_CONNTRACK_ESTABLISHED;
	ct.status = IPS_SEEN_REPLY | IPS_ASSURED | IPS_DST_NAT;
	ct.id = i + 1;
	ct.start_ns = clock_ns(CLOCK_REALTIME);
	return ct;
}

static bool in_sync(const struct unit *u) {
	struct fgsp_peer_info info;

	return fgsp_peer_info(u->machine, 0, &info) && info.state == FGSP_PEER_IN_SYNC;
}

static void measure(struct unit *from, struct unit *to, uint32_t count) {
	uint64_t spent = 0, took = 0;
	struct fgsp_stats stats;

	for (uint32_t i = 0; i < count;) {
		uint64_t begin, cpu;

		for (uint32_t n = 0; n < CHUNK && i < count; n++, i++) {
			struct ct ct = session(i);

			fgsp_event(from->machine, FGSP_NEW, &ct, false, now_us());
		}
		turn(from);
		begin = clock_ns(CLOCK_MONOTONIC);
		cpu = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		turn(to);
		spent += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
		took += clock_ns(CLOCK_MONOTONIC) - begin;
		turn(from);
	}
	fgsp_stats(to->machine, &stats);
	printf("%.0f %.2f %lu\n", (double)count * 1e9 / (double)took,
	       (double)spent / 1e3 / count, (unsigned long)stats.copies);
}

int main(int argc, char *argv[]) {
	uint32_t count = argc == 2 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
	struct event_base *base = event_base_new();
	struct unit a = { .serial = "GHVMBENCHSINK001" }, b = { .serial = "GHVMBENCHSINK002" };

	if (count == 0 || !base) {
		fputs("usage: sync_sink COUNT\n", stderr);
		return 2;
	}
	begin(&a, &b, NULL);
	begin(&b, &a, base);
	configure(&a, 0x0a000002);
	configure(&b, 0x0a000001);
	while (!in_sync(&a) || !in_sync(&b)) {
		turn(&a);
		turn(&b);
		event_base_loop(base, EVLOOP_NONBLOCK);
	}
	measure(&a, &b, count);
	sessions_free(b.sessions);
	fgsp_free(a.machine);
	fgsp_free(b.machine);
	event_base_free(base);
	return 0;
}
