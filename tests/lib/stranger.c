/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody who connects to a member, with the group's key as hexadecimal digits:
 *
 *     stranger ADDRESS SERIAL KEY VERSION          for sessions; the only version that it speaks
 *     stranger ADDRESS SERIAL KEY WHAT             for the configuration
 *
 * WHAT is what is wrong with it: "version", "epoch" (it leads one that is over), "serial" (it says
 * another one than its key has), "garbage" (no message) or "nothing". It prints "hello" when the
 * member has said who it is, "ready" when it says that there are keys, "refused", "beat", and at last
 * "closed".
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/cluster.h"
#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "sync/autoscale_impl.h"
#include "sync/channel.h"
#include "sync/seal.h"
#include "sync/wire.h"

#define HELLO 1
#define EPOCH 4711
#define PORT_CONFIG 703
#define LAST_PIECE 0

static uint8_t key[SEAL_MASTER];

static bool make_psk(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]) {
	struct err err = { 0 };

	(void)arg;
	return seal_psk(key, initiator, psk, &err) == 0;
}

/* ---- for sessions ---- */

static void say_hello(struct channel *c, const char *serial, const char *version_text) {
	uint16_t version = (uint16_t)strtoul(version_text, NULL, 10);
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, HELLO);
	buf_put_u16(&b, version);
	buf_put_u16(&b, version);
	buf_put_str(&b, serial);
	buf_put_u16(&b, cluster_unit_id(serial));
	buf_put_u64(&b, EPOCH);
	buf_put_u8(&b, 0);
	buf_put_u8(&b, 1);
	buf_put_u32(&b, EPOCH);
	channel_put(c, b.data, b.len);
}

static const char *name_of(const uint8_t *frame) {
	return frame[0] == HELLO ? "hello" : "ready";
}

/* ---- for the configuration ---- */

static void say_message(struct channel *c, const struct autoscale_message *message) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, LAST_PIECE);
	autoscale_message_encode(&b, message);
	channel_put(c, b.data, b.len);
}

static void say_garbage(struct channel *c) {
	uint8_t frame[2000];

	memset(frame, 'x', sizeof(frame));
	frame[0] = LAST_PIECE;
	frame[1] = AUTOSCALE_BEAT;
	channel_put(c, frame, sizeof(frame));
}

static void introduce(struct channel *c, const char *serial, const char *what) {
	struct autoscale_message hello = { .type = AUTOSCALE_HELLO, .version = AUTOSCALE_VERSION,
					   .oldest = AUTOSCALE_OLDEST, .vmid = "-",
					   .hostname = "stranger", .schema = "-",
					   .standing = { .hb_interval_s = 1 } };

	if (strcmp(what, "version") == 0)
		hello.version = hello.oldest = AUTOSCALE_VERSION + 1;
	if (strcmp(what, "epoch") == 0)
		hello.standing.primary = hello.standing.synced = true;
	snprintf(hello.serial, sizeof(hello.serial), "%s",
		 strcmp(what, "serial") == 0 ? "GHVM00000000000A" : serial);
	if (strcmp(what, "garbage") == 0)
		say_garbage(c);
	else
		say_message(c, &hello);
}

static const char *message_of(const uint8_t *frame) {
	switch (frame[1]) {
	case AUTOSCALE_HELLO:
		return "hello";
	case AUTOSCALE_REFUSE:
		return "refused";
	default:
		return "beat";
	}
}

/* ---- talking ---- */

struct tongue {
	uint16_t port;
	void (*answer)(struct channel *c, const char *serial, const char *what);
	const char *(*name)(const uint8_t *frame);
};

static const struct tongue sessions = { WIRE_PORT, say_hello, name_of };
static const struct tongue config = { PORT_CONFIG, introduce, message_of };

static bool flush(struct channel *c, int fd) {
	uint8_t out[CHANNEL_OUTPUT_MAX];
	size_t len;

	while ((len = channel_output(c, out, sizeof(out))) > 0)
		if (send(fd, out, len, MSG_NOSIGNAL) != (ssize_t)len)
			return false;
	return true;
}

/* Until the member hangs up. */
static void talk(struct channel *c, int fd, const struct tongue *t, char **words) {
	uint8_t in[4096];
	const uint8_t *frame;
	size_t frame_len;
	ssize_t len;

	while (flush(c, fd) && (len = recv(fd, in, sizeof(in), 0)) > 0) {
		channel_take(c, in, (size_t)len);
		while (channel_frame(c, &frame, &frame_len)) {
			const char *name = t->name(frame);

			puts(name);
			if (strcmp(name, "hello") == 0)
				t->answer(c, words[0], words[2]);
		}
	}
	puts("closed");
}

static int connect_to(const char *address, uint16_t port) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || inet_pton(AF_INET, address, &to.sin_addr) != 1 ||
	    connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("stranger");
		return -1;
	}
	return fd;
}

int main(int argc, char **argv) {
	const struct tongue *t;
	struct err err = { 0 };
	struct channel_maker *m;
	struct channel *c;
	int fd;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 5 ||
	    sodium_hex2bin(key, sizeof(key), argv[3], strlen(argv[3]), NULL, NULL, NULL) != 0) {
		fputs("usage: stranger ADDRESS SERIAL KEY VERSION|WHAT\n", stderr);
		return 2;
	}
	t = argv[4][0] >= '0' && argv[4][0] <= '9' ? &sessions : &config;
	fd = connect_to(argv[1], t->port);
	if (fd < 0)
		return 1;
	m = channel_maker_new(argv[2], make_psk, NULL, &err);
	c = m ? channel_new(m, true) : NULL;
	if (c)
		talk(c, fd, t, argv + 2);
	channel_free(c);
	channel_maker_free(m);
	close(fd);
	return c ? 0 : 1;
}
