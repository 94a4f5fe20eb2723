/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol is that of cfgdb/ctl.h. A connection goes through three states: hello sent, attach
 * sent, attached; anything else than the answer that belongs there ends it, and it is begun anew
 * after a while that grows up to BACKOFF_MAX_MS, until one has stood for STEADY_S. That is also how
 * a restarted gatehoused, or one that has not let go of a predecessor of ours yet, is found.
 *
 * What comes is bounded by the length of a frame, what goes by how much gatehoused has not read.
 */
#include "sync/door.h"

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

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/ctl.h"
#include "cfgdb/schema.h"

#define BACKOFF_MIN_MS 200
#define BACKOFF_MAX_MS 5000
#define STEADY_S 1             /* who hangs up sooner after attaching may do so each time */
#define OUTPUT_MAX (1u << 20)
#define HEAD_LEN 4

enum door_state { DOOR_AWAY, DOOR_HELLO, DOOR_ATTACH, DOOR_OPEN };

struct door {
	struct event_base *base;
	struct sockaddr_un path;
	struct door_calls calls;
	enum door_state state;
	struct bufferevent *bev;     /* NULL: away */
	struct event *later;         /* away: tries again; open: the connection is steady */
	unsigned int backoff_ms;
	bool told;                   /* that it cannot be reached */
};

static void say(const struct door *d, int priority, const char *what, const char *why) {
	char text[ERR_TEXT_MAX + 64];

	snprintf(text, sizeof(text), "gatehoused: %s%s%s", what, *why ? ": " : "", why);
	err_clean_line(text);
	d->calls.log(d->calls.arg, priority, text);
}

/* ---- frames that go ---- */

static void send_frame(struct door *d, const struct buf *frame) {
	uint8_t head[HEAD_LEN];

	for (int i = 0; i < HEAD_LEN; i++)
		head[i] = (uint8_t)(frame->len >> (24 - 8 * i));
	bufferevent_write(d->bev, head, sizeof(head));
	bufferevent_write(d->bev, frame->data, frame->len);
}

static void send_hello(struct door *d) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_HELLO);
	buf_put_u32(&b, CTL_VERSION);
	buf_put_str(&b, schema_digest);
	send_frame(d, &b);
}

static void send_attach(struct door *d) {
	AUTO_BUF struct buf b = BUF_INIT;

	buf_put_u8(&b, CTL_ATTACH);
	send_frame(d, &b);
}

static bool has_room(const struct door *d) {
	return evbuffer_get_length(bufferevent_get_output(d->bev)) <= OUTPUT_MAX;
}

bool door_reply(struct door *d, uint32_t id, const char *text, size_t len) {
	if (d->state != DOOR_OPEN)
		return false;
	while (len > 0 && has_room(d)) {
		AUTO_BUF struct buf b = BUF_INIT;
		size_t n = len < CTL_TEXT_CHUNK ? len : CTL_TEXT_CHUNK;

		buf_put_u8(&b, CTL_REPLY);
		buf_put_u32(&b, id);
		buf_put_strn(&b, text, n);
		send_frame(d, &b);
		text += n;
		len -= n;
	}
	return len == 0;
}

void door_end(struct door *d, uint32_t id, int code, const char *text) {
	AUTO_BUF struct buf b = BUF_INIT;

	if (d->state != DOOR_OPEN)
		return;
	buf_put_u8(&b, CTL_REPLY_END);
	buf_put_u32(&b, id);
	buf_put_u32(&b, (uint32_t)code);
	buf_put_strn(&b, text, code ? strnlen(text, ERR_TEXT_MAX - 1) : 0);
	send_frame(d, &b);
}

void door_ready(struct door *d) {
	AUTO_BUF struct buf b = BUF_INIT;

	if (d->state != DOOR_OPEN)
		return;
	buf_put_u8(&b, CTL_READY);
	send_frame(d, &b);
}

/* ---- the connection ---- */

/* Hang up, and try again later. */
static void leave(struct door *d, const char *why) {
	bool was_open = d->state == DOOR_OPEN;
	struct timeval wait = { .tv_sec = d->backoff_ms / 1000,
				.tv_usec = d->backoff_ms % 1000 * 1000 };

	if (was_open || !d->told)
		say(d, LOG_WARNING, was_open ? "the connection is lost" : "not reached yet", why);
	d->told = true;
	d->state = DOOR_AWAY;
	if (d->bev)
		bufferevent_free(d->bev);
	d->bev = NULL;
	event_add(d->later, &wait);
	d->backoff_ms = d->backoff_ms * 2 < BACKOFF_MAX_MS ? d->backoff_ms * 2 : BACKOFF_MAX_MS;
	if (was_open)
		d->calls.lost(d->calls.arg);
}

/* ---- frames that come: false ends the connection ---- */

static bool take_cluster(struct door *d, struct buf_reader *r) {
	struct err err = { 0 };
	struct cluster c;
	bool ok = cluster_decode(&c, r, &err) == 0 && buf_reader_end(r);

	if (ok)
		d->calls.cluster(d->calls.arg, &c);
	explicit_bzero(&c, sizeof(c));
	return ok;
}

static bool take_call(struct door *d, struct buf_reader *r) {
	struct door_call call = { .id = buf_get_u32(r) };
	uint8_t form = buf_get_u8(r);
	char *argv[CTL_WORDS_MAX];

	call.argc = buf_get_u16(r);
	call.json = form == CTL_FORM_JSON;
	call.argv = argv;
	if (r->bad || form >= CTL_FORM_COUNT || call.argc == 0 || call.argc > CTL_WORDS_MAX)
		return false;
	for (size_t i = 0; i < call.argc; i++)
		argv[i] = buf_get_str(r, CTL_ATTACHED_MAX);
	if (buf_reader_end(r))
		d->calls.call(d->calls.arg, &call);
	else
		r->bad = true;
	for (size_t i = 0; i < call.argc; i++)
		free(argv[i]);
	return !r->bad;
}

static bool take_cancel(struct door *d, struct buf_reader *r) {
	uint32_t id = buf_get_u32(r);

	if (!buf_reader_end(r))
		return false;
	d->calls.cancel(d->calls.arg, id);
	return true;
}

/* The end of an answer of ours: on to the next state. */
static bool take_ok(struct door *d) {
	const struct timeval steady = { .tv_sec = STEADY_S };

	if (d->state == DOOR_OPEN)
		return false;
	if (++d->state == DOOR_ATTACH) {
		send_attach(d);
		return true;
	}
	event_add(d->later, &steady);
	d->told = false;
	say(d, LOG_INFO, "attached", "");
	return true;
}

static bool take_frame(struct door *d, const uint8_t *data, size_t len) {
	struct buf_reader r;
	uint8_t type;

	buf_reader_init(&r, data, len);
	type = buf_get_u8(&r);
	if (type == CTL_OK)
		return take_ok(d);
	if (type == CTL_INFO)
		return d->state == DOOR_HELLO;
	if (d->state != DOOR_OPEN)
		return false;
	switch (type) {
	case CTL_STATE: return take_cluster(d, &r);
	case CTL_CALL: return take_call(d, &r);
	case CTL_CALL_CANCEL: return take_cancel(d, &r);
	default: return false;
	}
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
 * Take what is whole. A call may free the door's connection only by leaving, which is done here.
 */
static void on_read(struct bufferevent *bev, void *arg) {
	struct door *d = arg;
	struct evbuffer *in = bufferevent_get_input(bev);
	uint8_t head[HEAD_LEN];

	while (evbuffer_copyout(in, head, sizeof(head)) == (ssize_t)sizeof(head)) {
		size_t len = (size_t)head[0] << 24 | (size_t)head[1] << 16 |
			     (size_t)head[2] << 8 | head[3];
		uint8_t *all;
		AUTO_FREE char *why = NULL;

		if (len == 0 || len > CTL_ATTACHED_MAX) {
			leave(d, "a frame is out of bounds");
			return;
		}
		if (evbuffer_get_length(in) < HEAD_LEN + len)
			return;
		all = evbuffer_pullup(in, (ev_ssize_t)(HEAD_LEN + len));
		if (!all || !take_frame(d, all + HEAD_LEN, len)) {
			why = all ? refusal(all + HEAD_LEN, len) : xstrdup("no memory");
			leave(d, why);
			return;
		}
		explicit_bzero(all + HEAD_LEN, len);
		evbuffer_drain(in, HEAD_LEN + len);
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

static void go(struct door *d) {
	int fd = connect_to(&d->path);

	if (fd >= 0) {
		d->bev = bufferevent_socket_new(d->base, fd, BEV_OPT_CLOSE_ON_FREE);
		if (!d->bev)
			close(fd);
	}
	if (!d->bev) {
		leave(d, strerror(errno));
		return;
	}
	bufferevent_setcb(d->bev, on_read, NULL, on_event, d);
	bufferevent_setwatermark(d->bev, EV_READ, 0, HEAD_LEN + CTL_ATTACHED_MAX);
	bufferevent_enable(d->bev, EV_READ | EV_WRITE);
	d->state = DOOR_HELLO;
	send_hello(d);
}

static void on_later(evutil_socket_t none, short what, void *arg) {
	struct door *d = arg;

	(void)none;
	(void)what;
	if (d->state == DOOR_AWAY)
		go(d);
	else
		d->backoff_ms = BACKOFF_MIN_MS;
}

struct door *door_new(struct event_base *base, const char *path, const struct door_calls *calls,
		      struct err *err) {
	const struct timeval at_once = { 0 };
	struct door *d = xcalloc(1, sizeof(*d));

	d->base = base;
	d->calls = *calls;
	d->backoff_ms = BACKOFF_MIN_MS;
	d->path.sun_family = AF_UNIX;
	d->later = evtimer_new(base, on_later, d);
	if (strlen(path) >= sizeof(d->path.sun_path))
		err_set(err, ERR_STORE, "%s: path is too long for a socket", path);
	else if (!d->later || event_add(d->later, &at_once) != 0)
		err_set(err, ERR_STORE, "no event loop");
	else {
		strcpy(d->path.sun_path, path);
		return d;
	}
	return door_free(d);
}

struct door *door_free(struct door *d) {
	if (!d)
		return NULL;
	if (d->bev)
		bufferevent_free(d->bev);
	if (d->later)
		event_free(d->later);
	free(d);
	return NULL;
}
