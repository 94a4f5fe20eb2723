/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two things end a connection: that gatehoused is gone, and a frame that may not come. Either way
 * it is begun anew after a while that grows up to BACKOFF_MAX_MS, until one has stood for STEADY_S.
 * That is also how a restarted gatehoused is found, and one that has not let go of a predecessor of
 * ours yet.
 *
 * What comes is bounded by the length of a frame, what goes by who sends it.
 */
#include "sync/uplink.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/wipe.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/model/schema.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 5000
#define STEADY_S 1             /* who hangs up sooner after settling may do so each time */
#define HEAD_LEN 4

enum uplink_state { UPLINK_AWAY, UPLINK_HELLO, UPLINK_GREETED, UPLINK_SETTLED };

struct uplink {
	struct event_base *base;
	struct sockaddr_un path;
	size_t frame_max;
	struct uplink_calls calls;
	enum uplink_state state;
	struct bufferevent *bev;     /* NULL: away */
	struct event *later;         /* away: tries again; settled: the connection is steady */
	unsigned int backoff_ms;
	bool told;                   /* that it cannot be reached */
};

static void say(const struct uplink *u, int priority, const char *what, const char *why) {
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof(text), "gatehoused: %s%s%s", what, *why ? ": " : "", why);
	err_clean_line(text);
	u->calls.log(u->calls.arg, priority, text);
}

/* ---- frames that go ---- */

void uplink_send(struct uplink *u, const struct buf *frame) {
	uint8_t head[HEAD_LEN];

	if (!u->bev)
		return;
	for (int i = 0; i < HEAD_LEN; i++)
		head[i] = (uint8_t)(frame->len >> (24 - 8 * i));
	bufferevent_write(u->bev, head, sizeof(head));
	bufferevent_write(u->bev, frame->data, frame->len);
}

size_t uplink_waiting(const struct uplink *u) {
	return u->bev ? evbuffer_get_length(bufferevent_get_output(u->bev)) : 0;
}

static void send_hello(struct uplink *u) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_HELLO);
	buf_put_u32(&b, CTL_VERSION);
	buf_put_str(&b, schema_digest);
	uplink_send(u, &b);
}

/* ---- the connection ---- */

/* Hang up, and try again later. */
static void leave(struct uplink *u, const char *why) {
	bool was_settled = u->state == UPLINK_SETTLED;
	struct timeval wait = { .tv_sec = u->backoff_ms / 1000,
				.tv_usec = u->backoff_ms % 1000 * 1000 };

	if (was_settled || !u->told)
		say(u, LOG_WARNING, was_settled ? "the connection is lost" : "not reached yet",
		    why);
	u->told = true;
	u->state = UPLINK_AWAY;
	if (u->bev)
		bufferevent_free(u->bev);
	u->bev = NULL;
	event_add(u->later, &wait);
	u->backoff_ms = u->backoff_ms * 2 < BACKOFF_MAX_MS ? u->backoff_ms * 2 : BACKOFF_MAX_MS;
	if (was_settled)
		u->calls.lost(u->calls.arg);
}

void uplink_settle(struct uplink *u, const char *what) {
	const struct timeval steady = { .tv_sec = STEADY_S };

	u->state = UPLINK_SETTLED;
	u->told = false;
	event_add(u->later, &steady);
	say(u, LOG_INFO, what, "");
}

bool uplink_is_settled(const struct uplink *u) {
	return u->state == UPLINK_SETTLED;
}

/* ---- frames that come: false ends the connection ---- */

static bool take_frame(struct uplink *u, const uint8_t *data, size_t len) {
	if (u->state != UPLINK_HELLO)
		return u->calls.frame(u->calls.arg, data, len);
	if (data[0] == CTL_INFO)
		return true;
	if (data[0] != CTL_OK)
		return false;
	u->state = UPLINK_GREETED;
	u->calls.greeted(u->calls.arg);
	return true;
}

/* The text of an error that gatehoused refuses us with; the caller frees. */
static char *refusal(const uint8_t *data, size_t len) {
	struct buf_reader r;

	buf_reader_init(&r, data, len);
	if (buf_get_u8(&r) != CTL_ERROR)
		return xstrdup("it does not speak as this program does");
	buf_get_u32(&r);
	return buf_get_str(&r, ERR_TEXT_MAX);
}

/*
 * Take what is whole. A call cannot end the connection, but by what it returns.
 */
static void on_read(struct bufferevent *bev, void *arg) {
	struct uplink *u = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t head[HEAD_LEN];

	while (evbuffer_copyout(in, head, sizeof(head)) == (ssize_t)sizeof(head)) {
		size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
			     (size_t)head[2] << 8 | head[3];
		uint8_t *all;
		AUTO_FREE char *why = NULL;

		if (len == 0 || len > u->frame_max) {
			leave(u, "a frame is out of bounds");
			return;
		}
		if (evbuffer_get_length(in) < HEAD_LEN + len)
			return;
		all = evbuffer_pullup(in, (ev_ssize_t)(HEAD_LEN + len));
		if (!all || !take_frame(u, all + HEAD_LEN, len)) {
			why = all ? refusal(all + HEAD_LEN, len) : xstrdup("no memory");
			leave(u, why);
			return;
		}
		explicit_bzero(all + HEAD_LEN, len);
		evbuffer_drain(in, HEAD_LEN + len);
		wipe_stack();
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg) {
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		leave(arg, what & BEV_EVENT_EOF ? "" : strerror(errno));
}

/* Who listens on a unix socket has a place for us at once, or none. */
static int connect_to(const struct sockaddr_un *path) {
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)path, sizeof(*path)) != 0) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

static void go(struct uplink *u) {
	int fd = connect_to(&u->path);

	if (fd >= 0) {
		u->bev = bufferevent_socket_new(u->base, fd, BEV_OPT_CLOSE_ON_FREE);
		if (!u->bev)
			close(fd);
	}
	if (!u->bev) {
		leave(u, strerror(errno));
		return;
	}
	bufferevent_setcb(u->bev, on_read, NULL, on_event, u);
	bufferevent_setwatermark(u->bev, EV_READ, 0, HEAD_LEN + u->frame_max);
	bufferevent_enable(u->bev, EV_READ | EV_WRITE);
	u->state = UPLINK_HELLO;
	send_hello(u);
}

static void on_later(evutil_socket_t none, short what, void *arg) {
	struct uplink *u = arg;

	(void)none;
	(void)what;
	if (u->state == UPLINK_AWAY)
		go(u);
	else
		u->backoff_ms = BACKOFF_MIN_MS;
}

struct uplink *uplink_new(struct event_base *base, const char *path, size_t frame_max,
			  const struct uplink_calls *calls, struct err *err) {
	const struct timeval at_once = { 0 };
	struct uplink *u = xcalloc(1, sizeof(*u));

	u->base = base;
	u->frame_max = frame_max;
	u->calls = *calls;
	u->backoff_ms = BACKOFF_MIN_MS;
	u->path.sun_family = AF_UNIX;
	u->later = evtimer_new(base, on_later, u);
	if (strlen(path) >= sizeof(u->path.sun_path))
		err_set(err, ERR_STORE, "%s: path is too long for a socket", path);
	else if (!u->later || event_add(u->later, &at_once) != 0)
		err_set(err, ERR_STORE, "no event loop");
	else {
		strcpy(u->path.sun_path, path);
		return u;
	}
	return uplink_free(u);
}

struct uplink *uplink_free(struct uplink *u) {
	if (!u)
		return NULL;
	if (u->bev)
		bufferevent_free(u->bev);
	if (u->later)
		event_free(u->later);
	free(u);
	return NULL;
}
