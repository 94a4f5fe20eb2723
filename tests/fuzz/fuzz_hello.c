/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as control frames, each with a length of two bytes before it, on a channel that a peer
 * has proven its key on: once on a channel that it has begun, once on one that this unit has. Time
 * goes on between them. Whatever comes, the unit asks for no write, holds no more memory than a few
 * channels need, and still ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfgdb/base/net.h"
#include "sync/fgsp.h"

#define MEMORY_MAX (64u << 20)   /* queues of one peer, and all that is fixed */
#define FRAME_MAX 128            /* bytes of the longest frame there is */
#define STEP_US 50000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void promise(bool kept, const char *what) {
	if (kept)
		return;
	fprintf(stderr, "broken promise: %s\n", what);
	abort();
}

static bool take_datagram(void *arg, unsigned int link, const uint8_t *mac, const uint8_t *data,
			  size_t len) {
	(void)arg;
	(void)link;
	(void)mac;
	(void)data;
	promise(len > 0 && len <= FGSP_DATAGRAM_MAX, "datagrams have a bound");
	return true;
}

static void connect_peer(void *arg, unsigned int peer) {
	(void)arg;
	promise(peer == 0, "only the peer is connected to");
}

static void take_frame(void *arg, unsigned int channel, const uint8_t *data, size_t len) {
	(void)arg;
	(void)channel;
	(void)data;
	promise(len > 0 && len <= FRAME_MAX, "frames have a bound");
}

static void close_channel(void *arg, unsigned int channel) {
	(void)arg;
	(void)channel;
}

static void write_entry(void *arg, const struct fgsp_change *change) {
	(void)arg;
	(void)change;
	promise(false, "frames write no session");
}

static bool get_entry(void *arg, struct ct *ct) {
	(void)arg;
	(void)ct;
	return false;
}

static void walk(void *arg) {
	(void)arg;
}

static bool interfaces(void *arg, const struct ct *ct, const char *srcintf, const char *dstintf) {
	(void)arg;
	(void)ct;
	(void)srcintf;
	(void)dstintf;
	return true;
}

static void ready(void *arg) {
	(void)arg;
}

static void tell(void *arg, int priority, const char *text) {
	(void)arg;
	(void)priority;
	promise(strlen(text) < 1024, "lines of the log have a bound");
}

static uint64_t draw(void *arg) {
	uint64_t *state = arg;

	return *state = *state * 6364136223846793005u + 1442695040888963407u;
}

static uint64_t wall_ns(void *arg) {
	(void)arg;
	return UINT64_C(1800000000) * 1000000000;
}

static struct fgsp *unit(uint64_t *seed) {
	const struct fgsp_env env = { .arg = seed,
				      .datagram = take_datagram,
				      .connect = connect_peer,
				      .frame = take_frame,
				      .close = close_channel,
				      .write = write_entry,
				      .get = get_entry,
				      .walk = walk,
				      .interfaces = interfaces,
				      .ready = ready,
				      .log = tell,
				      .random = draw,
				      .wall_ns = wall_ns };
	struct cluster c = { .serial = "GHVM000000000001",
			     .has_key = true,
			     .tcp = true,
			     .n_peers = 1,
			     .peer = { { .ip = net_ipv4(0x0a000002),
					 .hb_interval_ms = 200,
					 .hb_lost = 10,
					 .sync_root = true,
					 .all_vdoms = true } } };
	struct fgsp *f = fgsp_new(&env, 1);

	fgsp_configure(f, &c, 1);
	fgsp_link(f, 0, true, 1500, 1);
	fgsp_poll(f, 1);
	fgsp_walk_end(f, true, 1); /* it speaks to nobody before it knows its own sessions */
	return f;
}

static void play(const uint8_t *data, size_t size, bool initiator) {
	struct fgsp_channel_info info = { .initiator = initiator, .peer = 0 };
	uint64_t seed = 1, now = 1;
	struct fgsp *f = unit(&seed);
	struct fgsp_stats stats;
	unsigned int channel = 1;

	strcpy(info.serial, initiator ? "GHVM000000000001" : "GHVM000000000002");
	fgsp_channel_up(f, channel, &info, now);
	while (size >= 2) {
		size_t len = (size_t)data[0] << 8 | data[1];

		data += 2;
		size -= 2;
		len = len < size ? len : size;
		fgsp_frame(f, channel, data, len, now);
		data += len;
		size -= len;
		now += STEP_US;
		fgsp_poll(f, now);
		fgsp_flush(f, now);
	}
	fgsp_channel_down(f, channel, now);
	fgsp_poll(f, now + 10 * STEP_US);
	fgsp_stats(f, &stats);
	promise(stats.memory <= MEMORY_MAX, "memory has a bound");
	promise(stats.own == 0 && stats.copies == 0, "no session came of it");
	fgsp_free(f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
	play(data, size, false);
	play(data, size, true);
	return 0;
}
