/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody who connects to a member: stranger ADDRESS SERIAL KEY VERSION, with the group's key as
 * hexadecimal digits and the only version that it speaks. It prints "hello" when the member has said
 * who it is, "ready" when it says that there are keys, and at last "closed".
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
#include "sync/channel.h"
#include "sync/seal.h"
#include "sync/wire.h"

#define HELLO 1
#define EPOCH 4711

static uint8_t key[SEAL_MASTER];

static bool make_psk(void *arg, const char *initiator, uint8_t psk[CHANNEL_PSK]) {
	struct err err = { 0 };

	(void)arg;
	return seal_psk(key, initiator, psk, &err) == 0;
}

static void say_hello(struct channel *c, const char *serial, uint16_t version) {
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

static bool flush(struct channel *c, int fd) {
	uint8_t out[CHANNEL_OUTPUT_MAX];
	size_t len;

	while ((len = channel_output(c, out, sizeof(out))) > 0)
		if (send(fd, out, len, MSG_NOSIGNAL) != (ssize_t)len)
			return false;
	return true;
}

/* Until the member hangs up. */
static void talk(struct channel *c, int fd, const char *serial, uint16_t version) {
	uint8_t in[4096];
	const uint8_t *frame;
	size_t frame_len;
	ssize_t len;

	while (flush(c, fd) && (len = recv(fd, in, sizeof(in), 0)) > 0) {
		channel_take(c, in, (size_t)len);
		while (channel_frame(c, &frame, &frame_len)) {
			puts(frame[0] == HELLO ? "hello" : "ready");
			if (frame[0] == HELLO)
				say_hello(c, serial, version);
		}
	}
	puts("closed");
}

int main(int argc, char **argv) {
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(WIRE_PORT) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct err err = { 0 };
	struct channel_maker *m;
	struct channel *c;

	if (argc != 5 || inet_pton(AF_INET, argv[1], &to.sin_addr) != 1 ||
	    sodium_hex2bin(key, sizeof(key), argv[3], strlen(argv[3]), NULL, NULL, NULL) != 0) {
		fputs("usage: stranger ADDRESS SERIAL KEY VERSION\n", stderr);
		return 2;
	}
	if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof(to)) != 0) {
		perror("stranger");
		return 1;
	}
	m = channel_maker_new(argv[2], make_psk, NULL, &err);
	c = m ? channel_new(m, true) : NULL;
	if (c)
		talk(c, fd, argv[2], (uint16_t)strtoul(argv[4], NULL, 10));
	channel_free(c);
	channel_maker_free(m);
	close(fd);
	return c ? 0 : 1;
}
