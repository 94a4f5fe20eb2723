/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is sent waits until the loop has done what it had to do in this turn, or a batch is full:
 * then one call of the kernel takes all. An event that is made active by hand runs after those that
 * are active already, so it marks the end of the turn.
 *
 * A message that the kernel refuses is counted and left out, it must not hold up the others; only a
 * full buffer (EAGAIN) makes them wait. Reading stops after a few batches: the loop comes back.
 */
#include "sync/link_socket.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sock_diag.h>
#include <stdlib.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"

#define RECEIVE_BUFFER (16 << 20)
#define SEND_BUFFER (4 << 20)

struct link_batch *link_batch_new(void) {
	struct link_batch *b = xcalloc(1, sizeof(*b));

	for (unsigned int i = 0; i < LINK_BATCH; i++) {
		b->iov[i] = (struct iovec){ b->data[i], sizeof(b->data[i]) };
		b->header[i].msg_hdr = (struct msghdr){ .msg_name = &b->addr[i],
							.msg_namelen = sizeof(b->addr[i]),
							.msg_iov = &b->iov[i],
							.msg_iovlen = 1,
							.msg_control = &b->control[i] };
	}
	return b;
}

/* ---- out ---- */

/* Send until all have gone, or the kernel is full. */
static void send_batch(struct link_socket *s) {
	struct link_batch *b = s->out;

	while (b->first < b->n) {
		int n = sendmmsg(s->fd, &b->header[b->first], b->n - b->first, MSG_DONTWAIT);

		if (n > 0) {
			b->first += (unsigned int)n;
			s->stats->sent += (unsigned int)n;
		} else if (errno == EAGAIN) {
			if (event_add(s->writable, NULL) == 0)
				return;
			b->first = b->n; /* no memory */
		} else if (errno != EINTR) {
			b->first++;
			s->stats->errors++;
		}
	}
	b->first = b->n = 0;
}

static bool is_blocked(const struct link_socket *s) {
	return event_pending(s->writable, EV_WRITE, NULL);
}

static void socket_flush(evutil_socket_t fd, short what, void *arg) {
	struct link_socket *s = arg;

	(void)fd;
	(void)what;
	if (!is_blocked(s))
		send_batch(s);
}

static void socket_writable(evutil_socket_t fd, short what, void *arg) {
	struct link_socket *s = arg;

	(void)fd;
	(void)what;
	send_batch(s);
	if (!s->wanted || is_blocked(s))
		return;
	s->wanted = false;
	s->calls->writable(s->calls->arg);
}

struct msghdr *link_socket_next(struct link_socket *s) {
	struct msghdr *h;

	if (s->fd < 0)
		return NULL;
	if (s->out->n == LINK_BATCH && !is_blocked(s))
		send_batch(s);
	if (s->out->n == LINK_BATCH) {
		s->wanted = true;
		s->stats->full++;
		return NULL;
	}
	h = &s->out->header[s->out->n].msg_hdr;
	h->msg_iov->iov_len = LINK_MESSAGE_MAX;
	h->msg_controllen = 0;
	return h;
}

void link_socket_put(struct link_socket *s) {
	if (s->out->n++ == 0)
		event_active(s->flush, EV_TIMEOUT, 0);
}

/* ---- in ---- */

static void take_batch(struct link_socket *s, unsigned int n) {
	s->stats->received += n;
	for (unsigned int i = 0; i < n; i++)
		s->take(s, &s->in->header[i].msg_hdr, s->in->header[i].msg_len);
}

static int read_batch(struct link_socket *s) {
	for (unsigned int i = 0; i < LINK_BATCH; i++) {
		s->in->header[i].msg_hdr.msg_namelen = sizeof(s->in->addr[i]);
		s->in->header[i].msg_hdr.msg_controllen = 0;
	}
	return recvmmsg(s->fd, s->in->header, LINK_BATCH, MSG_DONTWAIT, NULL);
}

static void socket_readable(evutil_socket_t fd, short what, void *arg) {
	struct link_socket *s = arg;

	(void)fd;
	(void)what;
	for (int i = 0; i < LINK_PER_TURN / LINK_BATCH; i++) {
		int n = read_batch(s);

		if (n > 0)
			take_batch(s, (unsigned int)n);
		else if (errno == EAGAIN)
			break;
		else if (errno != EINTR)
			s->stats->errors++; /* told once: the interface went down, say */
		if (n >= 0 && n < LINK_BATCH)
			break;
	}
	s->calls->batch(s->calls->arg);
}

/* ---- open and close ---- */

bool link_socket_open(struct link_socket *s, int fd, struct event_base *base) {
	s->fd = fd;
	s->wanted = false;
	s->out = link_batch_new();
	s->readable = event_new(base, fd, EV_READ | EV_PERSIST, socket_readable, s);
	s->writable = event_new(base, fd, EV_WRITE, socket_writable, s);
	s->flush = event_new(base, -1, 0, socket_flush, s);
	if (s->readable && s->writable && s->flush && event_add(s->readable, NULL) == 0)
		return true;
	link_socket_close(s);
	return false;
}

static struct event *forget(struct event *event) {
	if (event)
		event_free(event);
	return NULL;
}

void link_socket_close(struct link_socket *s) {
	if (s->fd < 0)
		return;
	s->stats->dropped += link_socket_drops(s->fd);
	s->readable = forget(s->readable);
	s->writable = forget(s->writable);
	s->flush = forget(s->flush);
	close(s->fd);
	s->fd = -1;
	free(s->out);
	s->out = NULL;
}

void link_socket_buffers(int fd) {
	const int in = RECEIVE_BUFFER, out = SEND_BUFFER;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &in, sizeof(in)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &in, sizeof(in));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &out, sizeof(out)) != 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &out, sizeof(out));
}

uint32_t link_socket_drops(int fd) {
	uint32_t info[SK_MEMINFO_VARS] = { 0 };
	socklen_t len = sizeof(info);

	if (fd < 0 || getsockopt(fd, SOL_SOCKET, SO_MEMINFO, info, &len) != 0)
		return 0;
	return info[SK_MEMINFO_DROPS];
}
