/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the place of gatehoused for one gatehouse-syncd: sync_door RUN_DIR OWN_SERIAL PEER_IP. Tells
 * whoever attaches to share all sessions with one peer, and then nothing more. One at a time; the
 * next one may come when it has gone.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "backends/cluster.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/ctl.h"

#define HEAD_LEN 4

static void fail(const char *what) {
	perror(what);
	exit(1);
}

static int listen_at(const char *dir) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/%s", dir, CTL_SOCKET_NAME);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(fd, 1) != 0)
		fail(addr.sun_path);
	return fd;
}

static void make_cluster(struct cluster *c, const char *serial, const char *peer) {
	*c = (struct cluster){ .encrypt = true, .has_key = true, .tcp = true, .others = true,
			       .nat = true, .n_peers = 1 };
	snprintf(c->serial, sizeof(c->serial), "%s", serial);
	memset(c->key, 0x5a, sizeof(c->key));
	c->peer[0] = (struct cluster_peer){ .sync_id = 1, .sync_root = true, .all_vdoms = true,
					    .hb_interval_ms = 200, .hb_lost = 10 };
	if (!net_parse(AF_INET, peer, &c->peer[0].ip))
		fail(peer);
}

static bool send_frame(int fd, const struct buf *b) {
	uint8_t head[HEAD_LEN] = { (uint8_t)(b->len >> 24), (uint8_t)(b->len >> 16),
				   (uint8_t)(b->len >> 8), (uint8_t)b->len };

	return send(fd, head, sizeof(head), MSG_NOSIGNAL) == (ssize_t)sizeof(head) &&
	       send(fd, b->data, b->len, MSG_NOSIGNAL) == (ssize_t)b->len;
}

static bool send_words(int fd, enum ctl_type type, const char *one, const char *other) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, (uint8_t)type);
	buf_put_str(&b, one);
	if (other)
		buf_put_str(&b, other);
	return send_frame(fd, &b);
}

static bool send_state(int fd, const struct cluster *c) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_STATE);
	cluster_encode(&b, c);
	return send_frame(fd, &b);
}

static bool answer(int fd, uint8_t type, const struct cluster *c) {
	switch (type) {
	case CTL_HELLO:
		return send_words(fd, CTL_INFO, "bench", "0") && send_words(fd, CTL_OK, "bench", NULL);
	case CTL_ATTACH:
		return send_words(fd, CTL_OK, "bench", NULL) && send_state(fd, c);
	default:
		return false;
	}
}

static void serve(int fd, const struct cluster *c) {
	static uint8_t frame[CTL_ATTACHED_MAX];
	uint8_t head[HEAD_LEN];
	size_t len;

	do {
		if (recv(fd, head, sizeof(head), MSG_WAITALL) != (ssize_t)sizeof(head))
			return;
		len = (size_t)head[2] << 8 | head[3];
		if (head[0] || head[1] || len == 0 ||
		    recv(fd, frame, len, MSG_WAITALL) != (ssize_t)len)
			return;
	} while (answer(fd, frame[0], c));
}

int main(int argc, char *argv[]) {
	struct cluster c;
	int fd, one;

	if (argc != 4) {
		fputs("usage: sync_door RUN_DIR OWN_SERIAL PEER_IP\n", stderr);
		return 2;
	}
	umask(0);
	make_cluster(&c, argv[2], argv[3]);
	fd = listen_at(argv[1]);
	while ((one = accept(fd, NULL, NULL)) >= 0) {
		serve(one, &c);
		close(one);
	}
	fail("accept");
}
